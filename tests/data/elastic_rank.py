"""A rank under torchrun that writes down what it sees, and goes on where the last run stood, on however many ranks that was.

Usage: elastic_rank.py FOLDER OUT EPOCHS PLAN

PLAN: for each run [how many ranks it takes, after how many saved steps it is to be killed; null: never]. Ranks that are fewer
end with an error, after which torchrun may start them anew with the others. After the last step of PLAN ranks load and write
down one more, which is not saved, and then do nothing until one of them is killed; the others end, as ranks do that miss one.

After each step, which all ranks take together, rank 0 saves its own loader's state. What was written behind the last state
does not count: as with a model, it is done again. Files in OUT: `state`, `log.RUN.RANK` with lines of
[step, epoch, number, digest of its pixels], and `held.RUN` once all ranks of a run are there where it is to be killed.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path

import torch.distributed as dist
from fake_compose import FakeCompose
from train_and_die import Named

from gpuaug.data import DataLoader


def held():
    """Until a rank is gone: then this raises."""
    while True:
        dist.barrier()
        time.sleep(0.01)


def main(folder, out, epochs, plan):
    out = Path(out)
    dist.init_process_group("gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    loader = DataLoader(Named(folder), 1, shuffle=True, num_workers=1, seed=11, device="cpu", transform=FakeCompose(8))
    saved = json.loads((out / "state").read_text()) if (out / "state").exists() else {"kept": {}, "worlds": [], "loader": None}
    run = len(saved["worlds"])
    ranks, last = json.loads(plan)[run]
    if world < ranks:
        sys.exit(f"run {run} takes {ranks} ranks, and these are {world}")
    if saved["loader"]:
        loader.load_state_dict(saved["loader"])
    if rank == 0:
        for old in out.glob(f"log.{run}.*"):  # of a run that died before it had saved anything
            old.unlink()
    dist.barrier()
    step, worlds = 0, [*saved["worlds"], world]
    with open(out / f"log.{run}.{rank}", "w") as log:
        for epoch in range(loader.state_dict()["epoch"], int(epochs)):
            for images, numbers in loader:
                step += 1
                for image, number in zip(images, numbers.tolist(), strict=True):
                    log.write(json.dumps([step, epoch, number, hashlib.md5(image.numpy().tobytes()).hexdigest()]) + "\n")
                log.flush()
                dist.barrier()
                if last is not None and step > last:
                    (out / f"held.{run}").touch()
                    held()
                if rank == 0:
                    now = {"kept": {**saved["kept"], str(run): step}, "worlds": worlds, "loader": loader.state_dict()}
                    (out / "state.new").write_text(json.dumps(now))
                    os.replace(out / "state.new", out / "state")
    dist.destroy_process_group()


def delivered(out):
    """([[epoch, number, digest], ...] of all runs, how many ranks each had)."""
    out = Path(out)
    saved, lines = json.loads((out / "state").read_text()), []
    for path in out.glob("log.*"):
        kept = saved["kept"].get(path.name.split(".")[1], 0)
        lines += [line[1:] for line in map(json.loads, path.read_text().splitlines()) if line[0] <= kept]
    return lines, saved["worlds"]


if __name__ == "__main__":
    main(*sys.argv[1:])

"""One of several gloo processes: prints what its loader yields in two epochs, as JSON.

Usage: rank_of_two.py RANK WORLD FILE FOLDER
"""

import hashlib
import json
import sys

import torch.distributed as dist
from fake_compose import FakeCompose
from train_and_die import Named

from gpuaug.data import DataLoader


def seen(folder, **kw):
    """[epoch, batch, sample number, digest of its pixels] of two epochs."""
    loader = DataLoader(Named(folder), 4, shuffle=True, num_workers=1, device="cpu", transform=FakeCompose(8), **kw)
    out = []
    for epoch in range(2):
        for k, (images, numbers) in enumerate(loader):
            for image, number in zip(images, numbers.tolist()):
                out.append((epoch, k, number, hashlib.md5(image.numpy().tobytes()).hexdigest()))
    return out, len(loader)


if __name__ == "__main__":
    rank, world, file, folder = sys.argv[1:]
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=int(rank), world_size=int(world))
    print(json.dumps(seen(folder)))
    dist.destroy_process_group()

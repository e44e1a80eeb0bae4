"""Trains on a folder, writing down what it sees and its state after each batch.

Usage: train_and_die.py FOLDER LOG STATE WORKERS BATCH_SIZE [WHERE LINES]

WHERE: at "logged", with LINES in the log and the batch not in the state, or at "saved", with the batch in it, it writes the file
LOG.held, and then does nothing until it is killed.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path

import torch
from fake_compose import FakeCompose

from gpuaug.data import DataLoader


class Named:
    """Files with their numbers. (Importing torchvision would take longer than the whole training.)"""

    def __init__(self, folder):
        self.files = sorted(str(path) for path in Path(folder).glob("*/*.jpg"))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.files[index], index


def main(folder, log, state, workers, batch_size, where=None, lines=0):
    loader = DataLoader(Named(folder), int(batch_size), shuffle=True, num_workers=int(workers), seed=11, device="cpu",
                        transform=FakeCompose(8))  # fmt: skip
    if os.path.exists(state):
        loader.load_state_dict(torch.load(state, weights_only=True))
    epoch = loader.state_dict()["epoch"]

    def passing(here):
        if here == where and Path(log).read_text().count("\n") >= int(lines):
            Path(f"{log}.held").touch()
            time.sleep(3600)

    with open(log, "a") as out:
        for e in range(epoch, 3):
            for images, numbers in loader:
                for image, number in zip(images, numbers.tolist()):
                    digest = hashlib.md5(image.numpy().tobytes()).hexdigest()
                    out.write(json.dumps([e, number, digest]) + "\n")
                out.flush()
                passing("logged")
                torch.save(loader.state_dict(), state + ".new")
                os.replace(state + ".new", state)
                passing("saved")


if __name__ == "__main__":
    main(*sys.argv[1:])

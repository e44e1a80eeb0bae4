"""Files that are put behind URLs, and how their epochs are compared: for the tests of loading by URL."""

import io
import os
import tarfile
from pathlib import Path

import fsspec
import numpy as np
import torch
from PIL import Image

import gpuaug
from gpuaug.data import (
    DataLoader,
    ImageFolder,
    Remote,
)

# The timeout is against hanging: a machine that is busy for a second is no fault of the server's
QUICK = Remote(retries=3, first_wait=0.01, timeout=60.0)
# For a server that does stall. Should a busy machine look like that, too, then not 20 times in a row
IMPATIENT = Remote(retries=20, first_wait=0.01, timeout=1.0)
COUNT = 20


def picture(path, rng, size=(40, 50), mode="RGB"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shape = (*size, 3) if mode == "RGB" else size
    Image.fromarray(rng.integers(0, 255, shape, np.uint8), mode).save(path)


def written_folder(tmp_path_factory):
    """root/class/file and root/class/x/file, with what systems leave behind."""
    root, rng = tmp_path_factory.mktemp("train"), np.random.default_rng(0)
    for name in ("ant", "bee"):
        for number in range(COUNT // 2):
            picture(f"{root}/{name}/{'x/' if number % 2 else ''}{number}.png", rng)
        (root / name / "._0.png").write_bytes(b"left behind")
        (root / name / "__MACOSX").mkdir()
        (root / name / "__MACOSX" / "a.png").write_bytes(b"left behind")
        (root / name / "notes.txt").write_bytes(b"not a picture")
    return root


def written_shard(tmp_path_factory, folder):
    path = tmp_path_factory.mktemp("shards") / "part-0.tar"
    with tarfile.open(path, "w") as tar:
        for number, (file, label) in enumerate(ImageFolder(folder).samples):
            for name, data in ((f"{number:03}.png", Path(file).read_bytes()), (f"{number:03}.cls", str(label).encode())):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


def nth(count, kind):
    """A fault for each request whose number is a multiple, which a repetition then does not meet."""
    return lambda number, method, path: kind if number % count == 0 else None


def in_memory(place, source):
    """memory://place with the files of a folder."""
    system = fsspec.filesystem("memory")
    for parent, _, names in os.walk(source):
        for name in names:
            path = os.path.join(parent, name)
            system.pipe(f"/{place}/{os.path.relpath(path, source)}", Path(path).read_bytes())
    return f"memory://{place}"


def epoch(dataset, **options):
    given = {"batch_size": 8, "transform": gpuaug.Compose([gpuaug.HorizontalFlip()], seed=3), "num_workers": 2, "seed": 0}
    loader = DataLoader(dataset, **{**given, **options})
    return loader, list(loader)


def same(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        assert torch.equal(x[0], y[0])
        assert torch.equal(x[1], y[1])

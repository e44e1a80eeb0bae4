"""The code of the documentation runs: every ```python of README and docs/, page by page, in a folder with what it speaks of."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gpuaug

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "site" / "pages").glob("*.md"))]
# interfaces, parts of classes in the middle of modules, what takes several ranks: they are parsed
PARSED = {"kernels.md", "scale.md"}
SKETCHES = {"architecture.md": "what an interface's arguments and results are, in comments"}


def blocks(page: Path) -> list[str]:
    return [textwrap.dedent(found) for found in re.findall(r"^ *```python\n(.*?)^ *```", page.read_text("utf-8"), re.S | re.M)]


def image(seed=0, size=(260, 300)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def folders() -> None:
    """Photographs by class, scans with their labels, a cache, and an old file, in the working directory."""
    for i in range(4):
        for path in (Path("photographs/train") / "ab"[i % 2] / f"{i}.jpg", Path("scans") / f"{i}.jpg"):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image(i)).save(path)
        Path("labels").mkdir(exist_ok=True)
        Image.fromarray(np.zeros((260, 300), np.uint8)).save(f"labels/{i}.png")
    Path("old").mkdir()
    import albumentations

    albumentations.save(albumentations.Compose([albumentations.HorizontalFlip()]), "old/albumentations.yaml", data_format="yaml")


def tables() -> None:
    """What docs/formats.md reads, written by each format's own library."""
    import h5py
    import lmdb
    import msgpack
    import pyarrow as pa
    import pyarrow.parquet as pq
    import zarr
    from litdata.streaming import Cache

    files, count = [file.read_bytes() for file in sorted(Path("scans").glob("*.jpg"))], 4
    masks = [file.read_bytes() for file in sorted(Path("labels").glob("*.png"))]
    Path("data").mkdir()
    pq.write_table(pa.table({"image": files, "label": list(range(count))}), "data/train-00000.parquet")
    for name in ("train", "words", "packed"):
        with lmdb.open(f"{name}.lmdb", map_size=2**24) as database, database.begin(write=True) as writer:
            for i, file in enumerate(files, 1):
                key = {"train": f"{i:04d}", "words": f"image-{i:09d}", "packed": f"{i:04d}"}[name]
                writer.put(key.encode(), msgpack.packb({"image": file}) if name == "packed" else file)
                if name == "words":
                    writer.put(f"label-{i:09d}".encode(), b"word")
    with h5py.File("train.h5", "w") as file:
        cells = file.create_dataset("images", (count,), h5py.vlen_dtype(np.uint8))
        for i, data in enumerate(files):
            cells[i] = np.frombuffer(data, np.uint8)
        file["labels"] = np.arange(count)
    group = zarr.create_group("train.zarr")
    for name, those in (("images", files), ("masks", masks)):
        cells = group.create_array(name, shape=(count,), chunks=(2,), dtype=zarr.dtype.VariableLengthBytes())
        cells[:] = np.array(those, object)
    Path("optimized/train").mkdir(parents=True)
    writer = Cache("optimized/train", chunk_size=2)
    for i, file in enumerate(sorted(Path("scans").glob("*.jpg"))):
        writer[i] = {"image": Image.open(file), "label": i}
    writer.done()
    writer.merge()


def page_of_formats() -> dict:
    import msgpack

    return {"labels": [0, 1, 2, 3], "n": 4, "msgpack": msgpack, "streaming": None}


def by_url() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for path in Path("photographs/train").rglob("*.jpg"):
        memory.pipe(f"/bucket/train/{path.parent.name}/{path.name}", path.read_bytes())


def theirs():
    import albumentations

    class Theirs(albumentations.ImageOnlyTransform):
        def apply(self, img, **params):
            return img

    return Theirs


def known() -> dict:
    """What pages speak of without making it."""
    crop = [gpuaug.RandomResizedCrop((64, 64)), gpuaug.Normalize(), gpuaug.ToTensorV2()]
    return {
        "np": np,
        "torch": torch,
        "gpuaug": gpuaug,
        "A": gpuaug,
        "image": image(),
        "other": image(1),
        "images": [image(2), image(3)],
        "picture": Image.fromarray(image()),
        "dataset": [(Image.fromarray(image(i)), i) for i in range(3)],
        "mask": np.zeros((260, 300), np.uint8),
        "boxes": [(10, 20, 90, 120)],
        "labels": [1],
        "points": [(30, 40)],
        "train": gpuaug.Compose(crop, seed=0),
        "augment": gpuaug.Compose(crop, seed=0),
        "transform": gpuaug.Compose(crop, seed=0),
        "waveforms": torch.randn(2, 16000),
        "loader": gpuaug.DataLoader(torch.utils.data.TensorDataset(torch.zeros(4, 3, 8, 8)), device="cpu"),
        "lengths": torch.tensor([16000, 12000]),
        "ids": [0, 1],
        "epoch": 0,
        "Theirs": theirs(),
    }


def page_of_imgaug() -> dict:
    return {"labels": np.zeros((260, 300, 1), np.int32), "boxes": np.array([[10.0, 20, 90, 120]])}


OTHERWISE = {"imgaug.md": page_of_imgaug, "formats.md": page_of_formats}
SPELLED = {"loading.md": [("s3://bucket", "memory://bucket"), ('"/scratch/blocks"', '"blocks"')]}


def test_there_is_code_on_the_pages():
    assert sum(len(blocks(page)) for page in PAGES) > 40
    assert set(SKETCHES) | PARSED <= {page.name for page in PAGES}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page) and page.name not in SKETCHES], ids=lambda page: page.name
)
def test_code_runs(page, tmp_path, monkeypatch):
    if page.name in PARSED:
        for block in blocks(page):
            assert ast.parse(block).body
        return
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folders()
    if page.name == "formats.md":
        tables()
    by_url()
    names = {"__name__": "a_page", **known(), **OTHERWISE.get(page.name, dict)()}
    for number, block in enumerate(blocks(page)):
        if block.startswith(">>>"):  # tests/test_docs.py runs it, and compares what it prints
            continue
        for written, here in SPELLED.get(page.name, ()):
            block = block.replace(written, here)
        for part in re.findall(r"cache/train/part-[-0-9a-f]+\.arrow", block):
            block = block.replace(part, str(next(Path("cache/train").glob("part-*.arrow"))))
            block = block.replace("slice(17, 1)", "slice(1, 1)")
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)

"""HDF5 and Zarr: pixels and encoded images in arrays, and what is said of files that cannot be read."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
from conftest import jpeg
from torch.utils.data import TensorDataset

import gpuaug
from gpuaug.data import AllBadError, BlockSampler, DataLoader, Hdf5, Zarr, cached

COUNT = 26
IMAGES = np.random.default_rng(0).integers(0, 255, (COUNT, 20, 24, 3), np.uint8)
LABELS = np.arange(COUNT) * 3
MASKS = np.random.default_rng(1).integers(0, 5, (COUNT, 20, 24), np.int32)


def hdf5(path, chunks=None, **more):
    with h5py.File(path, "w") as file:
        file.create_dataset("image", data=IMAGES, chunks=chunks, **more)
        file["label"], file["mask"], file["name"] = LABELS, MASKS, [f"n{i}" for i in range(COUNT)]
    return Hdf5


def zarr_(path, chunks=(4, 20, 24, 3), **more):
    import zarr

    group = zarr.create_group(str(path))
    group.create_array("image", data=IMAGES, chunks=chunks, **more)
    for name, values in (("label", LABELS), ("mask", MASKS), ("name", np.array([f"n{i}" for i in range(COUNT)]))):
        group.create_array(name, data=values, chunks=values.shape)
    return Zarr


WRITERS = {
    "hdf5 in one piece": lambda path: hdf5(path),
    "hdf5 in chunks": lambda path: hdf5(path, (4, 20, 24, 3), compression="gzip"),
    "hdf5 in tiles": lambda path: hdf5(path, (5, 7, 24, 1), compression="gzip", shuffle=True),
    "hdf5, a chunk each": lambda path: hdf5(path, (1, 20, 24, 3), compression="lzf"),
}
if sys.version_info >= (3, 11):
    WRITERS |= {
        "zarr": zarr_,
        "zarr in shards": lambda path: zarr_(path, (2, 20, 24, 3), shards=(8, 20, 24, 3)),
        "zarr, a chunk each": lambda path: zarr_(path, (1, 20, 24, 3)),
    }
writers = pytest.mark.parametrize("kind", list(WRITERS))


def augment():
    return gpuaug.Compose([gpuaug.RandomCrop(16, 16), gpuaug.HorizontalFlip()], seed=3)


def epoch(dataset, **how):
    how = {"batch_size": 8, "shuffle": True, "seed": 0, "device": "cpu", "transform": augment(), **how}
    return DataLoader(dataset, **how)


class Own(torch.utils.data.Dataset):
    def __len__(self):
        return COUNT

    def __getitem__(self, i):
        return {"image": IMAGES[i], "mask": MASKS[i], "label": int(LABELS[i])}


def same(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        assert all(torch.equal(x[name], y[name]) for name in ("image", "mask", "label"))


@writers
@pytest.mark.parametrize("workers", [0, 2])
def test_pixels(tmp_path, kind, workers, no_leaks):
    data = WRITERS[kind](tmp_path / "a")(tmp_path / "a", mask="mask", fields=["label"])
    assert data.encoded is None
    assert np.array_equal(data[25]["image"], IMAGES[25])
    assert type(data[3]["label"]) is int
    loader = epoch(data, num_workers=workers)
    found, wanted = list(loader), list(epoch(Own()))
    same(found, wanted)
    assert ("memory" in loader.stats()["road"]) == (kind == "hdf5 in one piece")
    batches = iter(loader := epoch(data, num_workers=workers))
    next(batches)
    again = epoch(data)
    again.load_state_dict(loader.state_dict())
    same(list(again), wanted[1:])


@writers
def test_fields_and_blocks(tmp_path, kind):
    data = WRITERS[kind](tmp_path / "a")(tmp_path / "a")
    assert list(data[0]) == ["image", "label", "mask", "name"]
    assert data[7]["name"] == "n7"
    assert type(data[7]["name"]) is str
    assert data.column("label").tolist() == LABELS.tolist()
    if "in one" in kind or "each" in kind:
        assert data.blocks is None
        with pytest.raises(TypeError, match="has no blocks"):
            BlockSampler(data)
        return
    rows = {"hdf5 in tiles": 5, "zarr in shards": 2}.get(kind, 4)
    assert data.blocks.tolist() == [rows] * (COUNT // rows) + [COUNT % rows] * (COUNT % rows > 0)
    order = list(BlockSampler(data, window=2))
    small = type(data)(tmp_path / "a", memory=int(data.block_bytes.max()) * 3)
    assert all(np.array_equal(small[i]["image"], IMAGES[i]) for i in order)
    assert small._recent.made == len(data.blocks)
    small[0]["image"][:] = 0  # the sample is the caller's own
    assert np.array_equal(small[0]["image"], IMAGES[0])


@writers
def test_a_transform_and_a_cache(tmp_path, kind):
    make = WRITERS[kind](tmp_path / "a")
    data = make(tmp_path / "a", transform=lambda image: image[:, ::-1])
    assert np.array_equal(data[2]["image"], IMAGES[2][:, ::-1])
    found = list(DataLoader(data, 8, device="cpu", transform=gpuaug.Compose([gpuaug.VerticalFlip(p=1)]), num_workers=2))
    assert np.array_equal(found[0]["image"][2].permute(1, 2, 0), IMAGES[2][::-1, ::-1])
    plain = make(tmp_path / "a", fields=["label"])
    kept = cached(plain, tmp_path / "cache", progress=False)
    assert all(np.array_equal(kept[i]["image"], IMAGES[i]) for i in (0, 25))
    cached(make(tmp_path / "a", fields=["label"]), tmp_path / "cache", build=False)


def test_a_map_is_read_as_a_batch(tmp_path):
    hdf5(tmp_path / "a")
    data = Hdf5(tmp_path / "a", fields=["label"])
    assert isinstance(data.arrays()["image"], np.memmap)
    assert Hdf5(tmp_path / "a", transform=lambda image: image).arrays is None
    tensors = TensorDataset(torch.from_numpy(IMAGES).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(LABELS))
    for got, (images, labels) in zip(epoch(data), epoch(tensors), strict=True):
        assert torch.equal(got["image"], images)
        assert torch.equal(got["label"], labels)


# ---- bad files -----------------------------------------------------------------------------------------------


def test_what_is_no_hdf5(tmp_path):
    hdf5(tmp_path / "a.h5")
    data = (tmp_path / "a.h5").read_bytes()
    for name, content in (("cut", data[: len(data) // 2]), ("text", b"hello" * 99), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} cannot be opened as an HDF5 file: "):
            Hdf5(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="does not exist; give the path of an HDF5 file"):
        Hdf5(tmp_path / "none.h5")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        Hdf5(tmp_path)
    with pytest.raises(ValueError, match="got a URL"):
        Hdf5("https://host/a.h5")


def test_arrays_of_hdf5_that_do_not_fit(tmp_path):
    path = tmp_path / "a.h5"
    hdf5(path)
    with h5py.File(path, "a") as file:
        file["few"], file["one"], file["train/x"] = [1, 2], 3, IMAGES
        file["none"] = h5py.Empty("f")
        file["files"] = np.zeros(COUNT, "S3")
        file.create_dataset("encoded", (COUNT,), h5py.vlen_dtype(np.uint8))
    for given, kind, said in (
        ({"image": "imgae"}, KeyError, r"a\.h5 has no 'imgae' for 'image'; did you mean 'image'\?"),
        ({"image": "x"}, KeyError, "has no 'x' for 'image'"),
        (
            {"image": "label"},
            TypeError,
            r"'label' for 'image' holds int64 of shape \(26,\); images are variable-length uint8, or pixels",
        ),
        ({"image": "files"}, TypeError, "holds |S3"),
        ({"image": "one"}, TypeError, "is one value, not an array"),
        ({"fields": ["few"]}, ValueError, r"'few' has the shape \(2,\), 'image' has 26 rows"),
        ({"mask": "encoded"}, TypeError, "'image' and 'encoded' must both be encoded files, or both pixels"),
        ({"memory": "1G"}, ValueError, "memory must be a whole number"),
    ):
        with pytest.raises(kind, match=said):
            Hdf5(path, **given)
    assert np.array_equal(Hdf5(path, "train/x")[1]["image"], IMAGES[1])
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["image"] = IMAGES[:0]
    with pytest.raises(ValueError, match="'image' has no rows"):
        Hdf5(tmp_path / "b.h5")


def test_rows_that_are_empty_or_no_pictures(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        cells = file.create_dataset("image", (6,), h5py.vlen_dtype(np.uint8))
        for i in range(6):
            cells[i] = np.frombuffer({2: b"", 4: b"no picture"}.get(i, jpeg(i)), np.uint8)
        file["label"] = np.arange(6)
    loader = epoch(Hdf5(tmp_path / "a.h5"), on_error="skip", shuffle=False)
    assert [batch["label"].tolist() for batch in loader] == [[0, 1, 3, 5]]
    assert [bad.index for bad in loader.errors] == [2, 4]
    assert loader.errors[0].path == f"{tmp_path}/a.h5 (row 2)"
    assert "there is no image in 'image' (no bytes)" in loader.errors[0].reason


def test_a_chunk_that_is_damaged(tmp_path):
    path = tmp_path / "a.h5"
    hdf5(path, (4, 20, 24, 3), compression="gzip", fletcher32=True)
    with h5py.File(path, "r") as file:
        chunk = file["image"].id.get_chunk_info(1)
    with open(path, "r+b") as opened:
        opened.seek(chunk.byte_offset + 100)
        opened.write(b"\xff" * 50)
    loader = epoch(Hdf5(path, fields=["label"]), on_error="skip", shuffle=False)
    assert sorted(sum((batch["label"].tolist() for batch in loader), [])) == [3 * i for i in range(COUNT) if i // 4 != 1]  # noqa: RUF017
    assert "rows 4 to 7 of '/image' cannot be read" in loader.errors[0].reason


@writers
def test_a_file_that_changes(tmp_path, kind):
    path = tmp_path / "a"
    data = WRITERS[kind](path)(path, fields=["label"])
    before = data.fingerprint
    file = path / "zarr.json" if path.is_dir() else path
    os.utime(file, ns=(0, os.stat(file).st_mtime_ns + 10**9))
    if kind == "hdf5 in one piece":
        with pytest.raises(ValueError, match="the file has changed since the dataset was made; make the dataset anew"):
            list(epoch(data))
    else:
        with pytest.raises(AllBadError, match="the file has changed since the dataset was made; make the dataset anew"):
            list(epoch(data, on_error="skip"))
    assert type(data)(path, fields=["label"]).fingerprint != before


@pytest.mark.skipif(sys.version_info < (3, 11), reason="zarr 3 has no older ones")
def test_what_is_no_zarr(tmp_path):
    import zarr

    zarr_(tmp_path / "a.zarr")
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("hello")
    for name in ("folder", "text"):
        with pytest.raises(ValueError, match=f"{name} cannot be opened as a Zarr group: "):
            Zarr(tmp_path / name)
    with pytest.raises(TypeError, match="is one array; give the group that holds it"):
        Zarr(tmp_path / "a.zarr" / "image")
    with pytest.raises(
        KeyError, match=r"a\.zarr has no 'imgae' for 'image'; did you mean 'image'\?; it has image, label, mask, name"
    ):
        Zarr(tmp_path / "a.zarr", "imgae")
    with pytest.raises(TypeError, match=r"'label' for 'image' holds int64 .* images are variable-length bytes, or pixels"):
        Zarr(tmp_path / "a.zarr", "label")
    data = Zarr(tmp_path / "a.zarr", fields=["label"])
    with open(tmp_path / "a.zarr" / "image" / "c" / "1" / "0" / "0" / "0", "r+b") as opened:
        opened.truncate(50)
    before = data.fingerprint
    loader = epoch(data, on_error="skip", shuffle=False)
    assert sum(len(batch["label"]) for batch in loader) == COUNT - 4
    assert "rows 4 to 7 of '/image' cannot be read" in loader.errors[0].reason
    (tmp_path / "a.zarr" / "image" / "c" / "2" / "0" / "0" / "0").write_bytes(b"")
    assert data.fingerprint != before
    with zarr.storage.ZipStore(str(tmp_path / "a.zip"), mode="w") as store:
        zarr.create_group(store).create_array("image", data=IMAGES, chunks=(4, 20, 24, 3))
    packed = Zarr(tmp_path / "a.zip")
    packed[0]
    found = torch.cat([batch["image"] for batch in epoch(packed, shuffle=False, transform=None, num_workers=2)])
    assert np.array_equal(found.permute(0, 2, 3, 1), IMAGES)


@pytest.mark.parametrize(("name", "package", "extra"), [("Hdf5", "h5py", "hdf5"), ("Zarr", "zarr>=3.1", "zarr")])
def test_without_the_package(name, package, extra):
    module = package.partition(">")[0]
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        f"from gpuaug.data import {name}\n"
        f"try: {name}('/tmp')\n"
        "except ImportError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == f"{name} needs the {package} package: pip install 'gpuaug[{extra}]'\n"

"""The pictures of `conftest.fill` in other people's formats, each written by its own library; for test_adapters.py."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from conftest import N

from gpuaug.data import Hdf5, ImageFolder, LitData, Lmdb, Parquet, Zarr


def contents(folder):
    """[(bytes of a file, label)] in ImageFolder's order."""
    return [(path.read_bytes(), k) for k, name in enumerate(("cat", "dog")) for path in sorted((Path(folder) / name).iterdir())]


def parquet(folder, to):
    rows = contents(folder)
    table = pa.table({"image": [data for data, _ in rows], "label": [label for _, label in rows]})
    pq.write_table(table, to / "all.parquet", row_group_size=5)
    return lambda **how: Parquet(to / "all.parquet", **how)


def parquet_of_two(folder, to):
    rows = contents(folder)
    (to / "two").mkdir()
    for part, those in enumerate((rows[:9], rows[9:])):
        cells = [{"bytes": data, "path": f"{k}.jpg"} for k, (data, _) in enumerate(those)]
        table = pa.table({"image": cells, "label": [label for _, label in those]})
        pq.write_table(table, to / "two" / f"part-{part}.parquet", row_group_size=4, compression="zstd", version="1.0")
    return lambda **how: Parquet(to / "two", **how)


def hugging_face(folder, to):
    import datasets

    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    cells = [{"image": {"bytes": data, "path": None}, "label": label} for data, label in contents(folder)]
    datasets.Dataset.from_list(cells, features=features).to_parquet(str(to / "hub.parquet"), batch_size=6)
    return lambda **how: Parquet(str(to / "hub.par*"), **how)


def lmdb_(folder, to):
    import lmdb

    rows = contents(folder)
    with lmdb.open(str(to / "all.lmdb"), map_size=2**24) as database, database.begin(write=True) as writer:
        for k, (data, label) in enumerate(rows):
            writer.put(f"{k:05}".encode(), data)
            writer.put(f"__label-{k:05}".encode(), str(label).encode())
        writer.put(b"__keys__", b"what a tool keeps for itself")
    return lambda **how: Lmdb(to / "all.lmdb", **{"fields": {"label": [label for _, label in rows]}, **how})


def lmdb_of_keys(folder, to):
    import lmdb

    with lmdb.open(str(to / "file.lmdb"), map_size=2**24, subdir=False) as database, database.begin(write=True) as writer:
        for k, (data, label) in enumerate(contents(folder)):
            writer.put(f"image-{k:09}".encode(), data)
            writer.put(f"label-{k:09}".encode(), str(label).encode())
    keys, fields = [f"{k:09}" for k in range(N)], {"label": ("label-{key}", "int")}
    return lambda **how: Lmdb(to / "file.lmdb", keys, "image-{key}", fields=fields, **how)


def lmdb_of_msgpack(folder, to):
    import lmdb
    import msgpack

    with lmdb.open(str(to / "packed.lmdb"), map_size=2**24) as database, database.begin(write=True) as writer:
        for k, (data, label) in enumerate(contents(folder)):
            writer.put(f"{k:05}".encode(), msgpack.packb({"image": data, "label": label}))
    return lambda **how: Lmdb(to / "packed.lmdb", **{"decode": msgpack.unpackb, **how})


def hdf5(folder, to):
    import h5py

    rows = contents(folder)
    with h5py.File(to / "all.h5", "w") as file:
        cells = file.create_dataset("image", (N,), h5py.vlen_dtype(np.uint8), chunks=(4,), compression="gzip")
        for k, (data, _) in enumerate(rows):
            cells[k] = np.frombuffer(data, np.uint8)
        file["label"], file["of another length"] = [label for _, label in rows], np.zeros(3)
    return lambda **how: Hdf5(to / "all.h5", **how)


def zarr_(folder, to):
    import zarr

    rows = contents(folder)
    group = zarr.create_group(str(to / "all.zarr"))
    cells = group.create_array("image", shape=(N,), chunks=(4,), dtype=zarr.dtype.VariableLengthBytes())
    cells[:] = np.array([data for data, _ in rows], object)
    group.create_array("label", data=np.array([label for _, label in rows]), chunks=(10,))
    return lambda **how: Zarr(to / "all.zarr", **how)


def zarr_2(folder, to):
    import zarr

    rows = contents(folder)
    group = zarr.create_group(str(to / "two.zarr"), zarr_format=2).create_group("train")
    cells = group.create_array("image", shape=(N,), chunks=(5,), dtype=zarr.dtype.VariableLengthBytes())
    cells[:] = np.array([data for data, _ in rows], object)
    group.create_array("label", data=np.array([label for _, label in rows]), chunks=(23,))
    return lambda **how: Zarr(to / "two.zarr", "train/image", **{"fields": {"label": "train/label"}, **how})


def litdata(folder, to):
    from litdata.streaming import Cache
    from PIL import Image

    place = to / "chunks"
    place.mkdir()
    writer = Cache(str(place), chunk_size=5)
    for k, (path, label) in enumerate(ImageFolder(folder).samples):
        writer[k] = {"image": Image.open(path), "name": f"n{k}", "label": label}
    writer.done()
    writer.merge()
    return lambda **how: LitData(place, **how)


def litdata_of_bytes(folder, to):
    from litdata.streaming import Cache

    place = to / "packed"
    place.mkdir()
    writer = Cache(str(place), chunk_bytes=2000)
    for k, (data, label) in enumerate(contents(folder)):
        writer[k] = {"picture": data, "label": label}
    writer.done()
    writer.merge()
    return lambda **how: LitData(place, "picture", **how)


KINDS = {"parquet": parquet, "parquet_of_two": parquet_of_two, "hugging_face": hugging_face}
KINDS |= {"lmdb": lmdb_, "lmdb_of_keys": lmdb_of_keys, "lmdb_of_msgpack": lmdb_of_msgpack, "hdf5": hdf5}
KINDS |= {"litdata": litdata, "litdata_of_bytes": litdata_of_bytes}
if sys.version_info >= (3, 11):  # zarr 3 has no older ones
    KINDS |= {"zarr": zarr_, "zarr_2": zarr_2}

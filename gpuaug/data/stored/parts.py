"""Samples made small, as the record batches of a part."""

import os
import tempfile
import threading
import zlib

import numpy as np
import torch

from ...pool import POOL
from .columns import arrays, fields
from .files import CacheError, arrow

_local = threading.local()


class Group:
    """Consecutive samples: decoded, or bad. good: {index: (pictures, rest)}; reasons: {index: BadSample}."""

    def __init__(self, first, last, good, reasons):
        self.first, self.last, self.good, self.reasons = first, last, good, reasons


class Packer:
    """Makes record batches of Groups; may be called by several threads at a time.

    template: see `columns`; pictures: {name: what is known of its pixels}. shrink: a Compose, or None.
    """

    def __init__(self, template, pictures, shrink, size, quality, sources):
        self.template, self.pictures, self.shrink, self.size, self.quality = template, pictures, shrink, size, quality
        self.sources, self.paths = sources, None
        pa = arrow()
        whole = [pa.field("index", pa.int64(), False), *(pa.field(name, pa.large_binary()) for name in pictures)]
        whole += [pa.field("height", pa.int32(), False), pa.field("width", pa.int32(), False)]
        whole += [pa.field("crc32", pa.uint32(), False), pa.field("error", pa.string())]
        for name in pictures:
            prefix = "" if name == "image" else name + "_"
            whole += [pa.field(prefix + "source", pa.string())]
            whole += [pa.field(prefix + each, pa.int64()) for each in ("source_size", "source_mtime_ns")]
        self.schema = pa.schema([*whole, *fields(template)])

    def __call__(self, group):
        pa, rows = arrow(), range(group.first, group.last)
        columns = {"index": pa.array(rows, pa.int64())}
        small = self._small(group)
        crc = dict.fromkeys(rows, 0)
        for name, said in self.pictures.items():
            stored = {index: self._stored(pictures[name], said) for index, pictures in small.items()}
            for index, data in stored.items():
                crc[index] = zlib.crc32(data, crc[index])
            columns[name] = _binaries([stored.get(index) for index in rows])
        sizes = {index: pictures["image"].shape[:2] for index, pictures in small.items()}
        columns["height"] = pa.array([sizes.get(index, (0, 0))[0] for index in rows], pa.int32())
        columns["width"] = pa.array([sizes.get(index, (0, 0))[1] for index in rows], pa.int32())
        columns["crc32"] = pa.array([crc[index] for index in rows], pa.uint32())
        columns["error"] = pa.array([group.reasons[i].reason if i in group.reasons else None for i in rows], pa.string())
        files = [self.sources.files(index, self.paths) for index in rows]
        for name in self.pictures:
            prefix = "" if name == "image" else name + "_"
            for k, each in enumerate(("source", "source_size", "source_mtime_ns")):
                found = [of[name][k] if name in of else None for of in files]
                if not k and not prefix:  # of a dataset that says the paths otherwise
                    found = [
                        p if p is not None or i not in group.reasons else group.reasons[i].path
                        for p, i in zip(found, rows, strict=True)
                    ]
                columns[prefix + each] = pa.array(found, self.schema.field(prefix + each).type)
        rests = [group.good[index][1] if index in group.good else None for index in rows]
        columns |= arrays(self.template, rests, [f"sample {index}" for index in rows])
        return pa.RecordBatch.from_arrays([columns[name] for name in self.schema.names], schema=self.schema)

    def _small(self, group):
        """{index: {name: array [H, W] or [H, W, C]}}, the larger ones made small."""
        found = {}
        for index, (pictures, _) in group.good.items():
            found[index] = {name: self._checked(index, picture, name) for name, picture in pictures.items()}
            image, mask = (found[index].get(name, found[index]["image"]).shape[:2] for name in ("image", "mask"))
            if image != mask:
                raise CacheError(
                    f"sample {index}: its mask is {mask[0]}x{mask[1]}, but the image is {image[0]}x{image[1]}; a cache stores "
                    f"masks of their images' size: let the dataset return them so"
                )
        large = [i for i, pictures in found.items() if self.shrink is not None and min(pictures["image"].shape[:2]) > self.size]
        if large:
            given = {name: [found[index][name] for index in large] for name in self.pictures}
            made = self.shrink(**given)
            for k, index in enumerate(large):
                found[index] = {name: made[name][k] for name in self.pictures}
        return found

    def _checked(self, index, picture, name):
        said, now = self.pictures[name], described(picture)
        if now != {key: said[key] for key in now}:
            raise CacheError(
                f"sample {index}: its {name} is {now['dtype']} with {now['axes']} axes and {now['channels']} channels, the "
                f"first has {said['dtype']}, {said['axes']} and {said['channels']}; pictures of a cache are alike: "
                f"let the dataset return them so"
            )
        return pixels(picture)

    def _stored(self, picture, said):
        if said["encoded"]:
            return _jpeg(picture, self.quality)
        return memoryview(np.ascontiguousarray(picture)).cast("B")


def pixels(picture):
    """A picture as an array [H, W] or [H, W, C]."""
    if isinstance(picture, torch.Tensor):
        return (picture.permute(1, 2, 0) if picture.ndim == 3 else picture).contiguous().numpy()
    return np.asarray(picture)


def described(picture):
    """Type, axes and channels of a picture."""
    shape = tuple(picture.shape)
    channels = 1 if len(shape) == 2 else shape[0 if isinstance(picture, torch.Tensor) else 2] if len(shape) == 3 else 0
    return {"dtype": str(picture.dtype).removeprefix("torch."), "axes": len(shape), "channels": int(channels)}


def _binaries(values):
    """An Arrow array of binaries in one buffer, without a copy of each on the way."""
    pa = arrow()
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum([0 if value is None else len(value) for value in values], out=offsets[1:])
    data = POOL.array((int(offsets[-1]),), np.dtype(np.uint8))  # fresh memory took as long as four copies
    for value, start in zip(values, offsets.tolist(), strict=False):
        if value is not None:
            data[start : start + len(value)] = np.frombuffer(value, np.uint8)
    valid = pa.array([value is not None for value in values], pa.bool_()).buffers()[1]
    missing = sum(value is None for value in values)
    buffers = [valid if missing else None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_binary(), len(values), buffers, missing)


def _jpeg(picture, quality):
    """JPEG by Pillow, which holds the interpreter's lock while it writes to memory, and does not while it writes to a file."""
    from PIL import Image

    if not hasattr(_local, "file"):
        in_memory = hasattr(os, "memfd_create")
        _local.file = os.fdopen(os.memfd_create("gpuaug"), "w+b") if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
    file = _local.file
    file.seek(0)
    file.truncate()
    Image.fromarray(picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture).save(
        file, "JPEG", quality=quality
    )
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0)

"""Zarr groups: encoded images in an array of bytes, or pixels in one with an image in each row."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from ...hints import Function, Path
from ..faults import one_line
from .arrays import ArrayRows
from .rows import MEMORY, missing, on_disk, stamp

META = ("zarr.json", ".zarray", ".zgroup", ".zmetadata")


class Zarr(ArrayRows):
    """Rows of the arrays of a Zarr group (formats 2 and 3): ``{"image": ..., "label": ...}``.

    `path`: the group's folder, or a .zip file of one. `image`, `mask`: names of arrays, of encoded files (variable-length
    bytes) or of pixels ``[N, H, W, C]`` or ``[N, H, W]``. `fields`: ``{name: array}`` of what else a sample has, or names;
    None: every other array with as many rows. They are held in memory. `transform` is called with each image, decoded or as
    pixels. `memory`: bytes of chunks that are kept, in each process.

    A chunk, or of a sharded array an inner one, is read and unpacked as a whole: see `BlockSampler`. Pixels are read by worker
    processes. Zarr itself takes a chunk that is missing for one of zeros, or of the array's `fill_value`.

    >>> import tempfile, numpy as np, zarr
    >>> path = tempfile.mkdtemp() + "/train.zarr"
    >>> group = zarr.create_group(path)
    >>> for name, values in {"image": np.zeros((3, 8, 8, 3), np.uint8), "label": np.array([0, 1, 1])}.items():
    ...     _ = group.create_array(name, data=values, chunks=(2, *values.shape[1:]))
    >>> data = Zarr(path)
    >>> len(data), data.blocks.tolist(), data[2]["image"].shape, data[2]["label"]
    (3, [2, 1], (8, 8, 3), 1)
    """

    ENCODED = "variable-length bytes"

    def __init__(
        self,
        path: Path,
        image: str = "image",
        mask: str | None = None,
        fields: Mapping[str, str] | Sequence[str] | None = None,
        transform: Function | None = None,
        memory: int = MEMORY,
    ):
        try:
            import zarr

            if not hasattr(zarr, "dtype"):
                raise ImportError(f"zarr {zarr.__version__} is older than 3.1")
        except ImportError as error:
            raise missing("Zarr", "zarr>=3.1", "zarr") from error
        self._make(on_disk(path, "a Zarr group", "zarr"), image, mask, fields, transform, memory)

    def _open(self):
        import zarr

        try:
            # zarr itself looks for a folder
            packed = zarr.storage.ZipStore(self.path, mode="r") if os.path.isfile(self.path) else None
            found = zarr.open(packed or self.path, mode="r")
        except (PermissionError, MemoryError):
            raise
        except Exception as error:  # zarr's own, ValueError, KeyError, JSON's ...
            raise ValueError(f"{self.path} cannot be opened as a Zarr group: {one_line(error)}") from None
        if isinstance(found, zarr.Array):
            raise TypeError(f"{self.path} is one array; give the group that holds it")
        return dict(_below(found))

    def _arrays(self):
        return self._opened()

    def _watched(self):
        """What describes the arrays; their chunks may be millions."""
        if os.path.isfile(self.path):
            return [self.path]
        below = [self.path, *(os.path.join(self.path, *name.split("/")) for name in self.pictures.values())]
        files = [os.path.join(folder, name) for folder in below for name in META]
        return [file for file in files if os.path.isfile(file)]

    def _seen(self):
        if os.path.isfile(self.path):
            return self._stamps.items()
        files = (os.path.join(folder, name) for folder, _, names in os.walk(self.path) for name in names)
        return [(file, stamp(file)) for file in files]

    def _is_encoded(self, array):
        import zarr

        return isinstance(array.metadata.dtype, zarr.dtype.VariableLengthBytes) and len(array.shape) == 1

    def _chunk(self, array):
        return array.chunks[0]

    def _read_field(self, array):
        values = np.asarray(array[:])
        return values.astype(object) if values.dtype.kind == "T" else values  # of strings: others know no StringDType


def _below(group, prefix=""):
    for name, array in group.arrays():
        yield prefix + name, array
    for name, inner in group.groups():
        yield from _below(inner, f"{prefix}{name}/")

"""HDF5 files: encoded images in a dataset of variable length, or pixels in an array."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...hints import Function, Path
from ..faults import one_line
from .arrays import ArrayRows
from .rows import CHANGED, MEMORY, missing, on_disk


class Hdf5(ArrayRows):
    """Rows of the datasets of an HDF5 file: ``{"image": ..., "label": ...}``.

    `path`: the file. `image`, `mask`: names of datasets (``"train/images"``), of encoded files, each a variable-length array
    of uint8 (``h5py.vlen_dtype(np.uint8)``), or of pixels ``[N, H, W, C]`` or ``[N, H, W]``. `fields`: ``{name: dataset}`` of
    what else a sample has, or names; None: every other dataset with as many rows. They are held in memory. `transform` is
    called with each image, decoded or as pixels. `memory`: bytes of chunks of pixels that are kept, in each process.

    Encoded images are decoded as files are. Pixels that lie in one piece, neither chunked nor compressed, are mapped into
    memory and indexed as a batch (``arrays()``); others are read by worker processes, a chunk at a time: see `BlockSampler`.

    >>> import os, tempfile, h5py, numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "train.h5")
    >>> with h5py.File(path, "w") as file:
    ...     file["image"], file["label"] = np.zeros((3, 8, 8, 3), np.uint8), [0, 1, 1]
    >>> data = Hdf5(path)
    >>> len(data), data[2]["image"].shape, data[2]["label"]
    (3, (8, 8, 3), 1)
    """

    ENCODED = "variable-length uint8"

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
            import h5py  # noqa: F401
        except ImportError as error:
            raise missing("Hdf5", "h5py", "hdf5") from error
        path = on_disk(path, "an HDF5 file", "h5py")
        if os.path.isdir(path):
            raise IsADirectoryError(f"{path} is a folder; give an HDF5 file")
        self._make(path, image, mask, fields, transform, memory)

    def _open(self):
        import h5py

        try:
            return h5py.File(self.path, "r")
        except (PermissionError, FileNotFoundError):
            raise
        except OSError as error:
            raise ValueError(f"{self.path} cannot be opened as an HDF5 file: {one_line(error)}") from None

    def _arrays(self):
        import h5py

        file = self._opened()
        if self._mine_names is None:
            names: list[str] = []
            file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
            self._mine_names = [name for name in names if file[name].shape is not None]
        return _Named(file, self._mine_names)

    _mine_names: Any = None

    def _is_encoded(self, array):
        import h5py

        return h5py.check_vlen_dtype(array.dtype) == np.uint8 and len(array.shape) == 1

    def _chunk(self, array):
        """Rows that are read together: of encoded files each lies by itself."""
        return 1 if self._is_encoded(array) or array.chunks is None else array.chunks[0]

    def _read_field(self, array):
        import h5py

        return np.asarray((array.asstr() if h5py.check_string_dtype(array.dtype) else array)[:])

    def _mapped(self):
        if not hasattr(self, "n"):
            return None
        arrays = {name: self._arrays()[column] for name, column in self.pictures.items()}
        offsets = {name: array.id.get_offset() for name, array in arrays.items()}
        plain = all(array.chunks is None and not array.external and array.dtype.isnative for array in arrays.values())
        if not plain or any(offset is None for offset in offsets.values()):
            return None
        return {name: (array.dtype, offsets[name], array.shape) for name, array in arrays.items()}

    def arrays(self) -> Any:
        """All samples at once; the pixels are a map of the file."""
        self._unchanged()
        mapped = self._mapped()
        for dtype, offset, shape in mapped.values():
            if os.path.getsize(self.path) < offset + int(np.prod(shape)) * dtype.itemsize:
                raise ValueError(f"{self.path}: {CHANGED}")
        pixels = {name: np.memmap(self.path, dtype, "r", offset, tuple(shape)) for name, (dtype, offset, shape) in mapped.items()}
        return {**pixels, **self._values}


class _Named:
    """The datasets of a file by their names."""

    def __init__(self, file, names):
        self._file, self._names = file, names

    def __getitem__(self, name):
        return self._file[name]

    def __iter__(self):
        return iter(self._names)

    def items(self):
        return [(name, self._file[name]) for name in self._names]

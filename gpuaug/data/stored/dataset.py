"""A cache as a dataset."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Subset

from ...hints import Path
from ..faults import BadSample
from ..host_read import rgb
from ..urls import is_url
from .columns import Rests, columns, slots
from .files import CacheError, Parts, read_index


class Cached(Dataset):
    """The samples of a cache, in the order, the structure and the types of the dataset that it was built from.

    ``dataset[i]`` has the picture decoded: an array ``[H, W, C]``, or a PIL image or tensor where the source's samples have one.
    gpuaug.DataLoader reads pictures that are stored raw into the memory that its kernels read from, and decodes those stored as
    JPEG as it does files. A sample that was bad when the cache was built is bad here, for the same reason.

    Args:
        folder: the cache, as `cached` or ``gpuaug cache build`` wrote it.
        check: whether the files that it was made of are looked at (3 us each): one that has changed or is gone is an error. False
            where they are not at hand.

    Attributes: ``store`` ("raw" or "jpeg"), ``size`` (the shorter side, or None), ``classes``, ``class_to_idx`` and ``targets``
    where the source has them, ``bad``: the bad samples.

    Raises:
        CacheError: no cache, one of another version, one that was cut off or changed, a source that has changed.

    Example:
        >>> import tempfile
        >>> from gpuaug.data import Cached, ImageFolder, cached
        >>> from gpuaug.photographs import photo_folder
        >>> folder = tempfile.mkdtemp() + "/cache"
        >>> _ = cached(ImageFolder(photo_folder(count=8, size=(24, 32))), folder, progress=False)
        >>> Cached(folder).store
        'raw'
    """

    thread_safe = True

    def __init__(self, folder: Path, check: bool = True):
        self.folder = os.path.abspath(os.fspath(folder))
        self._open(read_index(self.folder))
        if check:
            self._check_sources()

    def _open(self, index):
        self._index, self._opened = index, None
        self.store, self.size = index["store"], index["size"]
        self.targets_hint = {name: _where(path) for name, path in slots(index["template"]).items()}
        for name in ("classes", "class_to_idx"):
            if index.get(name) is not None:
                setattr(self, name, index[name])
        if self.store == "raw":
            self.encoded = None  # nothing to decode
        elif "mask" in index["pictures"]:
            self.mask_types = {"mask": index["pictures"]["mask"]["dtype"]}

    @property
    def _parts(self):
        if self._opened is None or self._opened[0] != os.getpid():  # a lock that a fork has copied may be held by nobody
            self._opened = os.getpid(), Parts(self.folder, self._index), {}
        return self._opened[1]

    def __getstate__(self):  # descriptors and memory maps stay in the process that has opened them
        return {**self.__dict__, "_opened": None}

    def __len__(self):
        return self._index["length"]

    def __repr__(self):
        small = "" if self.size is None else f", shorter side {self.size}"
        return f"Cached({self.folder!r}: {len(self)} samples, {self.store}{small})"

    def locate(self, index: int) -> Any:
        """(number of the part, row in it) of a sample."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of a cache of {len(self)}")
        return divmod(int(index) % len(self), self._index["part"])

    def fault(self, index: int) -> Any:
        """The BadSample that a sample is, or None."""
        number, row = self.locate(index)
        table = self._parts.table(number)
        if table.error.null_count == len(table) or not table.error[row].is_valid:
            return None
        return BadSample(index, table.source[row].as_py(), table.error[row].as_py())

    @property
    def bad(self):
        """The samples that were bad when the cache was built, as a list of BadSample(index, path, reason)."""
        first, found = 0, []
        for number, part in enumerate(self._index["parts"]):
            if part["bad"]:
                found += [self.fault(first + row) for row in np.flatnonzero(self._parts.table(number).error.is_valid()).tolist()]
            first += part["samples"]
        return found

    def path_of(self, index: int) -> Any:
        """The file that a sample was made of."""
        number, row = self.locate(index)
        return self._parts.table(number).source[row].as_py()

    def column(self, name: Any) -> Any:
        """What all samples have for one entry (a key, a position, or a tuple of these), as an array; 0 for bad samples."""
        path = list(name) if isinstance(name, tuple) else [name]
        known = {tuple(each["path"]): each for each in columns(self._index["template"])}
        if tuple(path) not in known or known[tuple(path)]["kind"] not in ("int", "float", "bool", "str"):
            single = [each for each in known if known[each]["kind"] in ("int", "float", "bool", "str")]
            raise KeyError(f"{name!r} is no column of single values of {self.folder}; these are: {single}")
        empty = {"int": 0, "float": 0.0, "bool": False, "str": ""}[known[tuple(path)]["kind"]]
        at = known[tuple(path)]["column"]
        tables = (self._parts.table(number) for number in range(len(self._index["parts"])))
        return np.concatenate([np.asarray(table.columns[at].fill_null(empty)) for table in tables])

    @property
    def targets(self):
        """The class numbers of ``(image, label)`` samples, as torchvision's datasets have them."""
        try:
            return self.column(1).tolist()
        except KeyError:
            raise AttributeError(f"the samples of {self.folder} are no (image, label) pairs; ask column(name)") from None

    def check(self, index: int) -> None:
        """ValueError if a sample's pictures are not what was written."""
        self._parts.check(*self.locate(index))

    def rest(self, number: int, row: int, slot: Any) -> Any:
        """A sample with what `slot` makes of a picture's name in place of the pictures."""
        table, rests = self._parts.table(number), self._opened[2]
        made = rests.get(number)
        if made is None:
            made = rests[number] = Rests(self._index["template"], table.columns)
        return made.sample(row, slot)

    def picture(self, number: int, row: int, name: str) -> Any:
        """One picture as it is stored: an array of pixels, or a file's bytes."""
        table = self._parts.table(number)
        into = np.empty(int(table.length[name][row]), np.uint8)
        self._parts.read(number, row, name, into, 0, 0)
        said = self._index["pictures"][name]
        return into if said["encoded"] else shaped(into, said, int(table.height[row]), int(table.width[row]))

    def __getitem__(self, index: int) -> Any:
        number, row = self._good(index)
        return self.rest(number, row, lambda name: self._as_came(self.picture(number, row, name), name))

    def encoded(self, index: int) -> Any:
        number, row = self._good(index)
        return self.rest(number, row, lambda name: self.picture(number, row, name))

    def _good(self, index):
        fault = self.fault(index)
        if fault is not None:
            raise ValueError(fault.reason if fault.path is None else f"{fault.path}: {fault.reason}")
        return self.locate(index)

    def _as_came(self, picture, name):
        said = self._index["pictures"][name]
        if said["encoded"]:
            picture = rgb(picture)
            picture = picture if said["axes"] == 3 and said["channels"] == 3 else picture[..., 0]
        if said["kind"] == "pil":
            from PIL import Image

            return Image.fromarray(picture)
        if said["kind"] == "tensor":
            made = torch.from_numpy(picture)
            return made.permute(2, 0, 1).contiguous() if made.ndim == 3 else made
        return picture

    def _check_sources(self):
        for number in range(len(self._index["parts"])):
            for path, size, time in self._parts.sources(number):
                if is_url(path):  # a request each: what has changed there is seen when the cache is built again
                    continue
                try:
                    now = os.stat(path)
                except OSError as error:
                    said = "is gone" if isinstance(error, FileNotFoundError) else f"cannot be looked at ({error.strerror})"
                    raise CacheError(
                        f"{path}, of which {self.folder} was made, {said}; run {self._parts.mend(False)}, or open the cache with "
                        f"check=False"
                    ) from None
                if (now.st_size, now.st_mtime_ns) != (size, time):
                    raise CacheError(f"{path} has changed since {self.folder} was made of it; run {self._parts.mend(False)}")


def shaped(pixels, said, height, width):
    """Bytes as the picture that they are."""
    shape = (height, width, said["channels"]) if said["axes"] == 3 else (height, width)
    return pixels.view(np.dtype(said["dtype"])).reshape(shape)


def stored_view(dataset):
    """(the Cached that holds a dataset's samples as pixels, a function from index to its index), or None."""
    if type(dataset) is Subset:
        inner = stored_view(dataset.dataset)
        return inner and (inner[0], lambda i: inner[1](dataset.indices[i]))
    return (dataset, lambda i: i) if type(dataset) is Cached and dataset.store == "raw" else None


def _where(path):
    return path[0] if len(path) == 1 else tuple(path)


__all__ = ["Cached"]

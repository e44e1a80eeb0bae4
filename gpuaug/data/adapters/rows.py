"""What the datasets of this folder share: rows by number, samples as dicts, and a limit to what is kept of blocks of rows."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from ..faults import one_line
from ..host_read import read_image, read_mask
from ..host_transform import HostTransform
from ..urls import is_url, local
from .recent import Recent

MEMORY = 2**30  # bytes of blocks that a dataset keeps by default, in each process
CHANGED = "the file has changed since the dataset was made; make the dataset anew"
AGAIN = 4  # times that blocks may be read more often than in their order before it is said


class Rows(HostTransform, Dataset):
    """A dataset of `n` rows. A subclass has `_row(index)`: a dict with the encoded image, mask, and all else of a sample.

    `blocks` (optional): how many rows lie together and are read together, an int array, block after block; `block_bytes` with it.
    """

    thread_safe = True
    blocks: Any = None
    block_bytes: Any = None
    memory: Any = None
    _stamps: Any = None  # {file: what `stamp` said when the dataset was made}

    def _describe(self, image, mask, transform, memory=None):
        """What every constructor sets."""
        self.targets_hint = {"image": "image"} if mask is None else {"image": "image", "mask": "mask"}
        self.pictures = {"image": image} if mask is None else {"image": image, "mask": mask}
        self.transform = transform
        if memory is not None:
            if isinstance(memory, bool) or not isinstance(memory, int) or memory < 1:
                raise ValueError(f"memory must be a whole number of bytes of at least 1, got {memory!r}")
            self.memory, self._recent, self._told = memory, Recent(memory), False

    def __len__(self):
        return self.n

    def _at(self, index):
        """A row's number, from -n on; IndexError."""
        if not -self.n <= index < self.n:
            raise IndexError(f"index {index} is out of range: {self._name()} has {self.n} rows")
        return int(index) % self.n

    def encoded(self, index: int) -> Any:
        return self._row(self._at(index))

    def __getitem__(self, index):
        sample = self._row(self._at(index))
        name = self.path_of(index)
        sample["image"] = self._transformed(read_image(sample["image"], name))
        if "mask" in sample:
            sample["mask"] = read_mask(sample["mask"], name)
        return sample

    def path_of(self, index: int) -> Any:
        return f"{self._name()} (row {self._at(index)})"

    def _unchanged(self):
        """ValueError if one of the files is another by now."""
        for path, before in self._stamps.items():
            if stamp(path) != before:
                raise ValueError(CHANGED)

    def _kept(self, key, make):
        """A block of rows: what was read lately, or `make()`, which gives it with its bytes."""
        block, seen = self._recent.get(key, make), self._recent
        if not self._told and seen.made_bytes > AGAIN * self.memory and seen.made * self.n > AGAIN * seen.used * len(self.blocks):
            self._told = True
            warnings.warn(
                f"{self._name()}: blocks of {self.n // len(self.blocks)} rows are read again and again, {seen.made} of them for "
                f"{seen.used} samples; give the loader sampler=gpuaug.data.BlockSampler(dataset), or the dataset more memory=",
                RuntimeWarning,
                stacklevel=2,
            )
        return block


def named(fields, columns, pictures, where):
    """{name: column} of `fields`: a dict, names, or None for all columns that are no picture. Errors name the nearest column."""
    if fields is None:
        fields = [name for name in columns if name not in pictures.values()]
        fields = [name for name in fields if name not in pictures]  # an image column that is not asked for
    if isinstance(fields, str):
        fields = [fields]
    fields = dict(fields) if isinstance(fields, Mapping) else {name: name for name in fields}
    for name, column in [*pictures.items(), *fields.items()]:
        if not isinstance(column, str):
            raise TypeError(f"{name} must be the name of a column, got {column!r}")
        if column not in columns:
            raise KeyError(Text(f"{where} has no {column!r} for {name!r}{nearest(column, columns)}; it has {shown(columns)}"))
    clash = sorted(set(fields) & set(pictures))
    if clash:
        raise ValueError(
            f"fields may not hold {clash[0]!r}: samples have a picture of that name; fields={{'other name': column}}"
        )
    return fields


class Text(str):
    """A message that KeyError shows as it is, not as its repr."""

    __repr__ = str.__str__


def nearest(name, names):
    near = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def shown(names, limit=12):
    names = list(names)
    return ", ".join(map(str, names[:limit])) + (", ..." if len(names) > limit else "")


def on_disk(path, what, package):
    """`path` as text; of a URL an error, since `package` reads files of this machine."""
    path = os.fspath(local(path))
    if is_url(path):
        raise ValueError(
            f"{what} is read by {package} from files of this machine, got a URL: copy it here, or make Parquet of it"
        )
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} does not exist; give the path of {what}")
    return path


def missing(what, package, extra):
    """The ImportError of a package that is not there."""
    return ImportError(f"{what} needs the {package} package: pip install 'gpuaug[{extra}]'")


def read_rows(array, start, stop):
    """Rows of an array of another library, as NumPy has them; ValueError if they cannot be read."""
    try:
        return array[start:stop]
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # codecs raise what they like
        raise ValueError(f"rows {start} to {stop - 1} of {array.name!r} cannot be read: {one_line(error)}") from None


def value_of(cell):
    """One value of a field: a Python number or text where it is one, else the array."""
    if isinstance(cell, bytes):
        return bytes(cell)  # of NumPy's own class, perhaps
    if isinstance(cell, str):
        return str(cell)
    return cell.item() if np.ndim(cell) == 0 and hasattr(cell, "item") else cell


def stamp(path):
    """(size, time of the last change) of a file."""
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def is_pickle(data):
    """Whether bytes look like a pickle of protocol 2 or later."""
    return len(data) > 3 and data[0] == 0x80 and 2 <= data[1] <= 5 and data[-1:] == b"."


def starts(counts):
    """First row of each block, and the end."""
    return np.concatenate([[0], np.cumsum(np.asarray(counts, np.int64))])

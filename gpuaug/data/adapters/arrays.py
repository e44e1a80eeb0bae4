"""What HDF5 and Zarr share: a file of named arrays, of which one has the images, encoded or as pixels, a row for each."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import numpy as np

from .rows import CHANGED, Rows, named, read_rows, stamp, starts, value_of


class ArrayRows(Rows):
    """Rows of named arrays. A subclass opens the file (`_open`), lists arrays (`_arrays`) and knows `_is_encoded` and `_chunk`.

    Encoded images are handed on as bytes. Pixels make a dataset of arrays: worker processes read them, by the chunk.
    """

    _inherited: Any = []  # noqa: RUF012  what a forked process got from its parent: to close it there could disturb the parent

    def _make(self, path, image, mask, fields, transform, memory):
        self.path, self._mine, self.pixels = path, None, False
        self._describe(image, mask, transform, memory)
        self._stamps = {file: stamp(file) for file in self._watched()}
        with_names = self._arrays()
        self.fields = named(fields, sorted(with_names), self.pictures, path)
        if fields is None:  # all that have a value for each row
            rows = with_names[image].shape[:1]
            self.fields = {name: column for name, column in self.fields.items() if with_names[column].shape[:1] == rows}
        first = with_names[image]
        if not first.shape:
            raise TypeError(f"{path}: {image!r} is one value, not an array with an image in each row")
        self.n = int(first.shape[0])
        if not self.n:
            raise ValueError(f"{path}: {image!r} has no rows")
        for name, column in {**self.pictures, **self.fields}.items():
            if with_names[column].shape[:1] != (self.n,):
                raise ValueError(
                    f"{path}: {column!r} has the shape {tuple(with_names[column].shape)}, {image!r} has {self.n} rows"
                )
            if name in self.pictures:
                self._check(name, column, with_names[column])
        self.pixels = not self._is_encoded(first)
        if mask is not None and self.pixels == self._is_encoded(with_names[mask]):
            raise TypeError(f"{path}: {image!r} and {mask!r} must both be encoded files, or both pixels")
        self._values = {name: self._read_field(with_names[column]) for name, column in self.fields.items()}
        rows = self._chunk(first)
        if rows > 1:
            self.blocks = np.diff(np.minimum(np.arange(0, self.n + rows, rows), self.n))
            self._starts = starts(self.blocks)
            if self.pixels:
                self.block_bytes = self.blocks * sum(self._bytes(with_names[column]) for column in self.pictures.values())
        self._hide()

    def _check(self, name, column, array):
        if self._is_encoded(array) or (array.dtype.kind in "uif" and len(array.shape) >= 3):
            return
        have = [other for other, each in sorted(self._arrays().items()) if self._is_encoded(each) or len(each.shape) >= 3]
        raise TypeError(
            f"{self.path}: {column!r} for {name!r} holds {array.dtype} of shape {tuple(array.shape)}; images are "
            f"{self.ENCODED}, or pixels [N, H, W, C], as in {have or 'none of its arrays'}"
        )

    @staticmethod
    def _bytes(array):
        return int(np.prod(array.shape[1:])) * array.dtype.itemsize

    def _read_field(self, array):
        return np.asarray(array[:])

    def _watched(self):
        """The files whose size and time tell whether the data has changed."""
        return [self.path]

    @property
    def transform(self):
        """What is called with each image, decoded or as pixels; or None."""
        return self._transform

    @transform.setter
    def transform(self, transform):
        Rows.transform.fset(self, transform)
        self._hide()

    def _hide(self):
        """`encoded` is for files only, and `arrays` for pixels that can be mapped."""
        if self.__dict__.get("pixels"):
            self.encoded = None
        self.__dict__.pop("arrays", None)
        if not self.__dict__.get("pixels") or self.transform is not None or not self._mapped():
            self.arrays = None

    def _mapped(self):
        """{name: how it is mapped} of the pixels, if all can be; else None."""
        return None

    def _opened(self):
        """The file, opened by this process."""
        if self._mine is None or self._mine[0] != os.getpid():
            if self._mine is not None:
                self._inherited.append(self._mine)
            self._mine = os.getpid(), self._open()
        return self._mine[1]

    def _name(self):
        return self.path

    @property
    def fingerprint(self) -> Any:
        """Of the files' sizes and times and of what is taken, for caches."""
        taken = [sorted((os.path.relpath(f, self.path), seen) for f, seen in self._seen()), self.pictures, self.fields]
        return hashlib.blake2b(repr((self.path, taken)).encode(), digest_size=16).hexdigest()

    def _seen(self):
        return self._stamps.items()

    def column(self, name: str) -> Any:
        """All values of one field."""
        if name not in self.fields:
            raise KeyError(f"{name!r} is not among the fields {list(self.fields)}")
        return self._values[name]

    def _pictures_of(self, start, stop):
        self._unchanged()
        arrays = self._arrays()
        found = {name: read_rows(arrays[column], start, stop) for name, column in self.pictures.items()}
        if any(len(rows) != stop - start for rows in found.values()):
            raise ValueError(CHANGED)
        return found

    def _block(self, number):
        start, stop = int(self._starts[number]), int(self._starts[number + 1])
        found = self._pictures_of(start, stop)
        size = sum(rows.nbytes if rows.dtype != object else sum(map(len, rows)) for rows in found.values())
        return found, size

    def _row(self, index):
        if self.blocks is None:
            found, row = self._pictures_of(index, index + 1), 0
        else:
            number = int(np.searchsorted(self._starts, index, side="right")) - 1
            found, row = self._kept(number, lambda: self._block(number)), index - int(self._starts[number])
        sample = {name: rows[row] for name, rows in found.items()}
        for name, cell in sample.items():
            if self.pixels:
                sample[name] = np.array(cell)  # a copy: the block is everybody's
            elif not len(cell):
                raise ValueError(f"there is no {name} in {self.pictures[name]!r} (no bytes); write the file without such rows")
            else:
                sample[name] = bytes(cell)
        return {**sample, **{name: value_of(values[index]) for name, values in self._values.items()}}

    def __getitem__(self, index):
        if not self.pixels:
            return super().__getitem__(index)
        sample = self._row(self._at(index))
        sample["image"] = self._transformed(sample["image"])
        return sample

    def __getstate__(self):
        return {**self.__dict__, "_mine": None}

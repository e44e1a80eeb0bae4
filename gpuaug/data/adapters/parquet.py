"""Parquet files with images in a column, as Hugging Face stores them: row groups are read whole, and kept for a while."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ...hints import Function, Path
from .. import remote as reading
from ..faults import one_line
from ..remote import Remote, checked
from ..remote_errors import RemoteError, RemoteMissing
from ..remote_scan import opened
from ..urls import above, is_url, local
from .rows import CHANGED, MEMORY, Rows, missing, named, stamp, starts

AT_ONCE = 16  # files whose footers are read


class Parquet(Rows):
    """Rows of Parquet files: ``{"image": ..., "label": ...}``. Draws, states and `path_of` go by a row's number in all files.

    `files`: a path or URL of one file, of a folder (all that ends in ``.parquet`` below it), with ``*`` and ``[]``
    (``data/train-*.parquet``; ``**`` for any folders), or a list of them; files are in the order of their names, those of a
    list in its own.
    `image`, `mask`: columns of encoded files, binary or Hugging Face's ``struct<bytes, path>``. `fields`: ``{name: column}`` of
    what else a sample has, or names; None: all other columns. `transform` is called with each decoded image ``[H, W, 3]``.
    `memory`: bytes of row groups that are kept, in each process. `remote`: how URLs are read.

    A row group, usually 100 to 1,000 images, cannot be read in part: an order that jumps between more of them than `memory` holds
    reads each again and again. `BlockSampler` shuffles so that it does not: ``DataLoader(data, sampler=BlockSampler(data))``.

    >>> import io, os, tempfile, numpy as np, pyarrow, pyarrow.parquet
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, "PNG")
    >>> path = os.path.join(tempfile.mkdtemp(), "train.parquet")
    >>> table = pyarrow.table({"image": [{"bytes": file.getvalue(), "path": "a.png"}] * 3, "label": [0, 1, 1]})
    >>> pyarrow.parquet.write_table(table, path, row_group_size=2)
    >>> data = Parquet(path)
    >>> len(data), data.blocks.tolist(), data[2]["image"].shape, data[2]["label"]
    (3, [2, 1], (8, 8, 3), 1)
    """

    def __init__(
        self,
        files: Path | Sequence[Path],
        image: str = "image",
        mask: str | None = None,
        fields: Mapping[str, str] | Sequence[str] | None = None,
        transform: Function | None = None,
        memory: int = MEMORY,
        remote: Remote | None = None,
    ):
        _arrow()
        reading.check(remote)
        self._describe(image, mask, transform, memory)
        self.files = _located(files, remote)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(_footer, self.files))
        self._footers, self._stamps = [footer for footer, _ in found], [seen for _, seen in found]
        schemas = [footer.schema.to_arrow_schema() for footer in self._footers]
        where = f"{self.files[0]}"
        self.fields = named(fields, schemas[0].names, self.pictures, where)
        for file, schema in zip(self.files, schemas):
            self._check(file, schema)
        self._check_kinds(schemas)
        self._columns = list(dict.fromkeys([*self.pictures.values(), *self.fields.values()]))
        groups = [(k, g) for k, footer in enumerate(self._footers) for g in range(footer.num_row_groups)]
        groups = [(k, g) for k, g in groups if self._footers[k].row_group(g).num_rows]
        self.blocks = np.array([self._footers[k].row_group(g).num_rows for k, g in groups], np.int64)
        self.block_bytes = np.array([self._bytes_of(k, g) for k, g in groups], np.int64)
        self._groups, self._starts = groups, starts(self.blocks)
        self._file_starts = starts([footer.num_rows for footer in self._footers])
        self.n = int(self._starts[-1])
        if not self.n:
            raise ValueError(
                f"{where} has no rows" if len(self.files) == 1 else f"{len(self.files)} files have no rows: {where}, .."
            )

    def _check(self, file, schema):
        named(self.fields, schema.names, self.pictures, file)
        for name, column in {**self.pictures, **self.fields}.items():
            if schema.names.count(column) > 1:
                raise ValueError(f"{file} has {schema.names.count(column)} columns {column!r}; write it with names of their own")
            if name in self.pictures and not _holds_files(schema.field(column).type):
                kind = schema.field(column).type
                have = [field.name for field in schema if _holds_files(field.type)]
                raise TypeError(
                    f"{file}: column {column!r} for {name!r} is {kind}; images are binary or "
                    f"struct<bytes: binary, path: string>, as in {have or 'none of its columns'}"
                )

    def _check_kinds(self, schemas):
        """Numbers in one file and text in another would be a batch that cannot be made, or one of another type, somewhere."""
        for column in self.fields.values():
            first = None
            for file, schema in zip(self.files, schemas):
                kind = schema.field(column).type
                if _kind(kind) is None:
                    continue
                first = first or (file, kind)
                if _kind(kind) != _kind(first[1]):
                    raise TypeError(
                        f"column {column!r} is {first[1]} in {first[0]} and {kind} in {file}; write one of them anew, or name "
                        f"the columns that samples shall have: fields="
                    )

    def _bytes_of(self, file, group):
        group = self._footers[file].row_group(group)
        columns = (group.column(k) for k in range(group.num_columns))
        return sum(c.total_uncompressed_size for c in columns if c.path_in_schema.split(".")[0] in self._columns)

    def _name(self):
        return str(self.files[0]) if len(self.files) == 1 else f"{self.files[0]}, .. ({len(self.files)} files)"

    @property
    def fingerprint(self) -> Any:
        """Of the files' names, sizes and times, for caches."""
        files = [(str.__str__(file), seen) for file, seen in zip(self.files, self._stamps)]
        return hashlib.blake2b(repr((files, self.pictures, self.fields)).encode(), digest_size=16).hexdigest()

    def column(self, name: str) -> Any:
        """All values of one field, without reading the images."""
        if name not in self.fields:
            raise KeyError(f"{name!r} is not among the fields {list(self.fields)}")
        parts = [self._opened(k).read([self.fields[name]], use_threads=False).column(0) for k in range(len(self.files))]
        return np.concatenate([part.to_numpy() for part in parts])

    def _opened(self, k):
        """A file, anew: nothing that is open goes to another thread or process. ValueError if it is another by now."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = self.files[k]
        if is_url(file):  # what is coalesced is one request: the columns of a row group lie side by side
            return pq.ParquetFile(
                pa.PythonFile(_Ranges(file), "r"), metadata=self._footers[k], pre_buffer=True, page_checksum_verification=True
            )
        if stamp(file) != self._stamps[k]:
            raise ValueError(CHANGED)
        return pq.ParquetFile(file, metadata=self._footers[k], page_checksum_verification=True)

    def _group(self, number):
        k, group = self._groups[number]
        try:
            table = self._opened(k).read_row_group(group, columns=self._columns, use_threads=False).combine_chunks()
        except (RemoteError, FileNotFoundError, PermissionError, MemoryError):
            raise
        except (OSError, ValueError) as error:  # Arrow's are of these
            if error.args == (CHANGED,):
                raise
            raise ValueError(f"row group {group} of {self.files[k]} cannot be read: {one_line(error)}") from None
        if table.num_rows != self.blocks[number]:
            raise ValueError(
                f"row group {group} of {self.files[k]} has {table.num_rows} rows, its footer says {self.blocks[number]}"
            )
        return table, table.nbytes

    def _row(self, index):
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        table, row = self._kept(number, lambda: self._group(number)), index - int(self._starts[number])
        sample = {name: table.column(column)[row].as_py() for name, column in {**self.pictures, **self.fields}.items()}
        for name, column in self.pictures.items():
            cell = sample[name]
            data = cell["bytes"] if isinstance(cell, dict) else cell
            if data is None:
                beside = f", only the path {cell['path']!r}" if isinstance(cell, dict) and cell.get("path") else ""
                raise ValueError(f"there is no {name} in column {column!r} (null{beside}); write the file without such rows")
            sample[name] = data
        return sample

    def path_of(self, index: int) -> Any:
        index = self._at(index)
        k = int(np.searchsorted(self._file_starts, index, side="right")) - 1
        return f"{self.files[k]} (row {index - int(self._file_starts[k])})"


def _arrow():
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise missing("Parquet", "pyarrow", "parquet") from error
    return pyarrow


def _kind(kind):
    """What values of an Arrow type are in Python, as far as batches of them differ; None: nothing but nulls."""
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_null(kind):
        return None
    for name in ("boolean", "integer", "floating", "string", "binary"):
        if any(getattr(types, f"is_{size}{name}", lambda _: False)(kind) for size in ("", "large_")):
            return name
    return str(kind)


def _holds_files(kind):
    import pyarrow as pa

    if pa.types.is_struct(kind):
        names = [kind.field(k).name for k in range(kind.num_fields)]
        return (
            names.count("bytes") == 1
            and _holds_files(kind.field("bytes").type)
            and not pa.types.is_struct(kind.field("bytes").type)
        )
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)


def _located(files, remote):
    if isinstance(files, (str, os.PathLike)):
        files = [files]
    found = [file for each in files for file in _expanded(local(os.fspath(each)), remote)]
    if not found:
        raise ValueError("files is empty; give at least one Parquet file")
    twice = sorted({str(file) for file in found if found.count(file) > 1}) if len(set(found)) < len(found) else []
    if twice:
        raise ValueError(f"{twice[0]} is there twice; its rows would have two numbers")
    return found


def _expanded(path, remote):
    far = is_url(path)
    if any(sign in path for sign in "*[") and (far or not os.path.exists(path)):  # what has such a name is meant
        if not far:
            found = sorted(p for p in glob.glob(path, recursive=True) if os.path.isfile(p))
        else:
            fixed = above(path[: min(path.find(sign) for sign in "*[" if sign in path)] + "x")
            pattern = path[len(str.__str__(fixed)) + 1 :]
            found = [url for name, url in opened(fixed, remote).files().items() if _fits(name.split("/"), pattern.split("/"))]
        if not found:
            raise FileNotFoundError(f"{path}: no file has such a name; correct the pattern")
        return found
    if far and path.lower().partition("?")[0].endswith(".parquet"):
        return [reading.known(checked(path, remote))]
    if far:
        found = [url for name, url in opened(path, remote).files().items() if name.lower().endswith(".parquet")]
        if not found:
            raise RemoteMissing(path, "there is no file that ends in .parquet in it; correct the URL")
        return found
    if os.path.isdir(path):
        found = sorted(glob.glob(os.path.join(glob.escape(path), "**", "*.parquet"), recursive=True))
        if not found:
            raise FileNotFoundError(f"{path} has no file that ends in .parquet; give the folder of the files")
        return found
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} does not exist; give a Parquet file, or a folder of them")
    return [path]


def _fits(name, pattern):
    """Whether the parts of a path fit those of a pattern, as `glob` takes them: ``*`` stays in its folder, ``**`` does not."""
    if not pattern:
        return not name
    if pattern[0] == "**" and _fits(name, pattern[1:]):
        return True
    if not name or (name[0].startswith(".") and not pattern[0].startswith(".")):
        return False
    if pattern[0] == "**":
        return _fits(name[1:], pattern)
    return fnmatch.fnmatchcase(name[0], pattern[0]) and _fits(name[1:], pattern[1:])


def _footer(file):
    """(what a file says of itself, what tells whether it has changed)"""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if is_url(file):
            return pq.read_metadata(pa.PythonFile(_Ranges(file), "r")), (file.size, file.tag)
        seen = stamp(file)
        with open(file, "rb") as opened_:
            return pq.read_metadata(opened_), seen
    except (RemoteError, PermissionError, FileNotFoundError, MemoryError):
        raise
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} is no Parquet file, or its end is missing: {one_line(error)}; write it anew") from None


class _Ranges(io.RawIOBase):
    """A URL as a file in which Arrow reads ranges, each a request with `Remote`'s retries and cache."""

    def __init__(self, url):
        self._url, self._at = url, 0
        self._size = url.size
        if self._size is None:  # a server that does not say
            raise ValueError("the server does not tell the file's size, without which its end cannot be found")

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._at

    def seek(self, to, whence=0):
        self._at = to + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size=-1):
        stop = self._size if size is None or size < 0 else min(self._at + size, self._size)
        data = bytes(reading.read(self._url, self._at, stop)) if stop > self._at else b""
        self._at += len(data)
        return data

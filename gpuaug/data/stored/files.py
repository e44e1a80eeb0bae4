"""A cache on disk: a folder of Arrow IPC files, the parts, and `cache.json`, which lists them and is written last.

Every byte of a part is under a checksum: each sample's picture and mask under the sample's own (column ``crc32``), all that lies
between them under the part's, which `cache.json` has. So one flipped byte of a picture is one bad sample, and nothing has to be
read for a check that is not read for its use. crc32 runs at 4 GB/s: 0.06 ms for a picture of 256 x 341.

What has a name is whole: files are written under another one, synced, and renamed. The name of a part holds the fingerprint of
its sources and settings, so that a build finds what an earlier one has done, and a cache that is being read is never written to.
"""

import contextlib
import json
import os
import re
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

VERSION = 1
INDEX, PLAN = "cache.json", "building.json"
PART = re.compile(r"part-\d{5,}-[0-9a-f]{16}\.arrow(\.tmp)?")
OURS = (INDEX, PLAN, INDEX + ".tmp", PLAN + ".tmp", "lock")
PICTURES = ("image", "mask")
OPEN_FILES = 256  # descriptors that a process keeps open, of the 1,024 that it commonly may


class CacheError(RuntimeError):
    """A cache that cannot be written, or read: one sentence that names the file, and what mends it.

    Example:
        >>> from gpuaug.data import Cached
        >>> Cached("/nowhere")
        Traceback (most recent call last):
        ...
        gpuaug.data.stored.files.CacheError: /nowhere...
    """


class VersionError(CacheError):
    """A cache of another version."""


def arrow():
    """The package pyarrow, or an ImportError that says what to do."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise ImportError(f"caches are Arrow files; pyarrow cannot be imported ({error}): pip install 'gpuaug[cache]'") from error
    return pyarrow


def written(path, write):
    """Have `write` fill a file under another name; sync it, and give it its name."""
    finished(*started(path, write))


def started(path, write):
    """Have `write` fill a file under another name: what `finished` takes."""
    file = open(path + ".tmp", "wb")  # noqa: SIM115
    try:
        write(file)
        file.flush()
    except BaseException:
        with contextlib.suppress(OSError):  # what is left in its buffer cannot be written either
            file.close()
        _remove(path + ".tmp")
        raise
    return path, file


def finished(path, file):
    """Sync a file that is written under another name, and give it its name."""
    try:
        with file:
            os.fsync(file.fileno())
        os.replace(path + ".tmp", path)
        sync(os.path.dirname(path))
    except BaseException:
        _remove(path + ".tmp")
        raise


def _remove(path):
    with contextlib.suppress(OSError):
        os.unlink(path)


def sync(folder):
    """Make the names in a folder last."""
    at = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(at)
    finally:
        os.close(at)


def write_json(path, content):
    """Write a JSON file with a checksum of what is in it."""
    body = json.dumps(content, sort_keys=True)
    text = json.dumps({"crc32": zlib.crc32(body.encode()), "content": content}, sort_keys=True, indent=1) + "\n"
    written(path, lambda file: file.write(text.encode()))


def read_json(path):
    """What `write_json` wrote. ValueError if it is not that any more, FileNotFoundError."""
    with open(path, "rb") as file:
        found = json.loads(file.read())
    if not isinstance(found, dict) or set(found) != {"crc32", "content"}:
        raise ValueError("it is no index of a cache")
    if zlib.crc32(json.dumps(found["content"], sort_keys=True).encode()) != found["crc32"]:
        raise ValueError("its checksum is wrong")
    return found["content"]


def read_index(folder):
    """The content of a cache's `cache.json`; CacheError if there is none that can be read here."""
    path = os.path.join(folder, INDEX)
    build = f"gpuaug cache build FOLDER --out {folder}"
    try:
        index = read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.exists(os.path.join(folder, PLAN)):
            raise CacheError(f"{folder} is a cache whose build was interrupted; run the same command again: {build}") from None
        raise CacheError(f"{folder} is no cache, it has no {INDEX}; build one: {build}") from None
    except PermissionError:
        raise CacheError(f"{path} cannot be read: permission denied; let this user read it") from None
    except ValueError as error:
        raise CacheError(f"{path} is damaged ({error}); build the cache again: {build}") from None
    if index.get("version") != VERSION:
        raise VersionError(
            f"{path} is of version {index.get('version')!r} of the cache format, and this gpuaug reads {VERSION}; remove the "
            f"folder and build it again: {index.get('mend') or build}"
        )
    return index


# ---- parts -----------------------------------------------------------------------------------------------------------


def checksum_between(file, pixels, size):
    """The crc32 of a file's bytes outside of the regions `pixels` [(start, end), ..]."""
    at = value = 0
    for start, end in [*pixels, (size, size)]:
        while at < start:
            data = os.pread(file, min(start - at, 1 << 24), at)
            if not data:
                raise ValueError("it is cut off")
            value, at = zlib.crc32(data, value), at + len(data)
        at = end
    return value


class Table:
    """A part's columns, read, and where in the file its pictures lie.

    start, height, width: {"image": .., "mask": ..}, int64 [n] each; start is -1 where there is none. crc: uint32 [n].
    error, source: Arrow arrays. columns: {name: Arrow array}, of the samples' other entries.
    """

    def __init__(self, path):
        pa = arrow()
        with pa.memory_map(path) as file:
            whole = file.read_buffer()
        batches = pa.ipc.open_file(pa.BufferReader(whole))
        parts = [batches.get_batch(k) for k in range(batches.num_record_batches)]
        names = batches.schema.names
        self.pixels, self.start, self.length = [], {}, {}
        for name in PICTURES:
            if name in names:
                found = [_places(each.column(name), whole.address) for each in parts]
                self.pixels += [region for _, _, region in found if region[0] < region[1]]
                self.start[name] = np.concatenate([start for start, _, _ in found])
                self.length[name] = np.concatenate([length for _, length, _ in found])
        self.pixels.sort()
        small = pa.Table.from_batches([each.select([n for n in names if n not in PICTURES]) for each in parts])
        self.height, self.width = (small.column(name).to_numpy().astype(np.int64) for name in ("height", "width"))
        self.crc = small.column("crc32").to_numpy()
        self.error, self.source = small.column("error").combine_chunks(), small.column("source").combine_chunks()
        self.small = small
        self.columns = {name: small.column(name).combine_chunks() for name in small.column_names if name.startswith("sample.")}
        self.checked = np.zeros(len(self.crc), bool)

    def __len__(self):
        return len(self.crc)


def _places(column, base):
    """Where the entries of a column of binaries lie in the file: int64 starts and lengths, and the region of all."""
    _, offsets, data = column.buffers()
    offsets = np.frombuffer(offsets, np.int64)[: len(column) + 1]
    first = data.address - base if data is not None and data.size else 0
    start = np.where(np.asarray(column.is_valid()), first + offsets[:-1], -1)
    return start, np.diff(offsets), (first, first + int(offsets[-1]))


def outline(path):
    """What the index says of a part: its size, the regions of pixels, and the checksum of all between them."""
    table = Table(path)
    size = os.path.getsize(path)
    file = os.open(path, os.O_RDONLY)
    try:
        crc = checksum_between(file, table.pixels, size)
    finally:
        os.close(file)
    bad = len(table) - table.error.null_count
    return {
        "file": os.path.basename(path),
        "samples": len(table),
        "bytes": size,
        "crc32": crc,
        "pixels": [list(r) for r in table.pixels],
        "bad": bad,
    }


@dataclass
class _Open:
    """A descriptor, closed when nobody reads from it any more."""

    number: int

    def __del__(self, close=os.close):  # at the end of the process `os` may be gone
        close(self.number)


class Parts:
    """The parts of a cache, opened when they are first asked for. May be used by several threads at a time."""

    def __init__(self, folder, index):
        self.folder, self.index = folder, index
        self._tables, self._files, self._lock = {}, OrderedDict(), threading.Lock()

    def mend(self, verify=True):
        """What the user is to run."""
        return self.index["verify" if verify else "mend"]

    def path(self, number):
        return os.path.join(self.folder, self.index["parts"][number]["file"])

    def file(self, number):
        """The descriptor of a part: keep the object while reading."""
        with self._lock:
            found = self._files.pop(number, None)
            if found is None:
                try:
                    found = _Open(os.open(self.path(number), os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)))
                except FileNotFoundError:
                    raise CacheError(
                        f"{self.path(number)} is gone: the cache was built anew since it was opened, or the file was removed; "
                        f"open the cache again, or run {self.mend(False)}"
                    ) from None
                except OSError as error:
                    raise CacheError(
                        f"{self.path(number)} cannot be read: {error.strerror}; see to it, or build it elsewhere"
                    ) from None
            self._files[number] = found
            if len(self._files) > OPEN_FILES:
                self._files.popitem(last=False)
            return found

    def table(self, number):
        """A part's Table, once all that it is made of has its checksum; CacheError."""
        found = self._tables.get(number)
        if found is None:
            found = self._tables[number] = self._read(number)
        return found

    def _read(self, number):
        file, said = self.file(number), self.index["parts"][number]
        size = os.fstat(file.number).st_size
        if size != said["bytes"]:
            raise CacheError(f"{self.path(number)} has {size} bytes of {said['bytes']}: it was cut off; run {self.mend()}")
        try:
            good = checksum_between(file.number, said["pixels"], size) == said["crc32"]
        except OSError as error:
            raise CacheError(f"{self.path(number)} cannot be read: {error.strerror}; run {self.mend()}") from None
        if not good:
            raise CacheError(f"{self.path(number)} has not the checksum that it was written with; run {self.mend()}")
        return Table(self.path(number))

    def sources(self, number):
        """(path, size, time of the last change in ns) of the files that a part was made of."""
        small = self.table(number).small
        for prefix in ("", "mask_"):
            if prefix + "source" in small.column_names:
                three = (small.column(prefix + name).to_pylist() for name in ("source", "source_size", "source_mtime_ns"))
                yield from (each for each in zip(*three, strict=True) if each[1] is not None)

    def read(self, number, row, name, into, first, line):
        """Fill memory with lines of a picture, from line `first` on, of `line` bytes each; the part's checksum is seen to.

        ValueError if what was written is not what lies there.
        """
        table, file = self.table(number), self.file(number)
        if not table.checked[row]:
            self._check(table, file, number, row)
        _fill(file, into, int(table.start[name][row]) + first * line, self.path(number))

    def check(self, number, row):
        """ValueError if a sample's pictures are not what was written."""
        self._check(self.table(number), self.file(number), number, row)

    def _check(self, table, file, number, row):
        value = 0
        for name in table.start:
            if table.start[name][row] >= 0:
                data = bytearray(int(table.length[name][row]))
                _fill(file, data, int(table.start[name][row]), self.path(number))
                value = zlib.crc32(data, value)
        if value != table.crc[row]:
            raise ValueError(
                f"its bytes in {self.path(number)} have not the checksum that they were written with; run {self.mend()}"
            )
        table.checked[row] = True


def _fill(file, into, at, path):
    view, done = memoryview(into).cast("B"), 0
    while done < len(view):
        try:
            n = os.preadv(file.number, [view[done:]], at + done)
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        if not n:
            raise ValueError(f"{path} is cut off")
        done += n

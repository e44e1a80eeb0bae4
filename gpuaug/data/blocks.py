"""A cache of blocks on disk with a limit in bytes, for files from afar.

fsspec has caches of whole files (simplecache, filecache) and of blocks (blockcache); none has a limit, and those that know
what changed keep a table that processes overwrite for one another. Here a block is a file of its own, written beside its
place and moved there, with a checksum, so that processes can share the folder, and one that is killed leaves nothing that is
half.
"""

import contextlib
import hashlib
import os
import struct
import threading
import time
import uuid
import warnings
import zlib

TRAIL = struct.Struct("<4sII")  # mark, length, CRC-32
MARK = b"gab1"
SHARE = 16  # of the limit: how much a process writes before it looks at what the others have written
KEPT = 0.9  # of the limit: down to which the oldest are removed, so that it is not done for each block
OLD = 3600.0  # seconds after which an unfinished file is of a process that is gone


class Blocks:
    """The cache in one folder. `limit`: bytes of all files in it; the least recently used go first.

    One process never exceeds the limit; each further one that writes into the folder may by a sixteenth of it.
    """

    def __init__(self, folder, limit):
        self.folder, self.limit = os.path.abspath(folder), limit
        self._lock, self._warned = threading.Lock(), False
        try:
            os.makedirs(self.folder, exist_ok=True)
            probe = os.path.join(self.folder, f"{uuid.uuid4().hex}.part")
            with open(probe, "xb"):
                pass
            os.unlink(probe)
        except OSError as error:
            raise type(error)(
                error.errno, f"the cache's folder cannot be written ({error.strerror}); give another", folder
            ) from None
        self._total, self._since = self.size(), 0

    def _place(self, key, number):
        name = hashlib.sha256(repr((key, number)).encode()).hexdigest()
        return os.path.join(self.folder, name[:2], name[2:40])

    def get(self, key, number):
        """The block, or None."""
        path = self._place(key, number)
        try:
            with open(path, "rb", buffering=0) as file:
                data = file.readall()
        except OSError:
            return None
        body = memoryview(data)[: -TRAIL.size]
        if len(data) < TRAIL.size or TRAIL.unpack(data[-TRAIL.size :]) != (MARK, len(body), zlib.crc32(body)):
            with contextlib.suppress(OSError):
                os.unlink(path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return body

    def put(self, key, number, data):
        """Keeps a block, if there is room for it; a disk that is full is said once, and reading goes on."""
        size = len(data) + TRAIL.size
        if size > self.limit:
            return
        path = self._place(key, number)
        part = f"{path}.{uuid.uuid4().hex}.part"
        with self._lock:
            if self._total + size > self.limit or self._since > self.limit // SHARE:
                self._make_room(size)
            self._total += size
            self._since += size
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(part, "xb", buffering=0) as file:
                for piece in (data, TRAIL.pack(MARK, len(data), zlib.crc32(data))):
                    rest = memoryview(piece)
                    while len(rest):
                        rest = rest[file.write(rest) :]
            os.replace(part, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(part)
            if not self._warned:
                self._warned = True
                text = f"the cache in {self.folder} cannot be written ({error.strerror}); reading goes on without it"
                warnings.warn(text, RuntimeWarning, stacklevel=3)

    def size(self):
        """Bytes of all files in the folder."""
        return sum(size for _, size, _ in self._files())

    def _files(self):
        """(time of last use, size, path)"""
        found = []
        for folder in self._folders():
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):
                        status = entry.stat()
                        found.append((status.st_mtime, status.st_size, entry.path))
        return found

    def _folders(self):
        with os.scandir(self.folder) as entries:
            return [entry.path for entry in entries if entry.is_dir() and len(entry.name) == 2]

    def _make_room(self, size):
        """Removes the least recently used, until the new block fits into what is kept."""
        files = self._files()
        total, self._since = sum(size for _, size, _ in files), 0
        if total + size > self.limit:
            now = time.time()
            for used, length, path in sorted(files):
                if total + size <= max(self.limit * KEPT, size):
                    break
                if path.endswith(".part") and now - used < OLD:
                    continue
                with contextlib.suppress(OSError):
                    os.unlink(path)
                    total -= length
        self._total = total

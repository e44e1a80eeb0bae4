"""A shard behind a URL as a file that is read from front to end, in blocks that threads fetch ahead."""

import collections
import io
from concurrent.futures import ThreadPoolExecutor

from . import remote


class RangedFile(io.RawIOBase):
    """Of a URL. At most `Remote.ahead` blocks of `Remote.block` bytes wait; a block that fails is asked for again by itself."""

    def __init__(self, url):
        self.url = remote.known(remote.checked(url))
        self.settings = remote.settings(self.url)
        self._waiting, self._next, self._at = collections.deque(), 0, 0
        self._block, self._pool = memoryview(b""), ThreadPoolExecutor(self.settings.ahead, "gpuaug-remote")
        if self.url.size is None:  # a server that does not say: one request for all of it
            self._block, self._next = memoryview(remote.fetch(self.url, 0, None)), None

    def readable(self):
        return True

    def readinto(self, into):
        if self._at == len(self._block) and not self._fetch():
            return 0
        count = min(len(into), len(self._block) - self._at)
        into[:count] = self._block[self._at : self._at + count]
        self._at += count
        return count

    def _fetch(self):
        size, step = self.url.size, self.settings.block
        while self._next is not None and self._next < size and len(self._waiting) < self.settings.ahead:
            self._waiting.append(self._pool.submit(remote.read, self.url, self._next, min(self._next + step, size)))
            self._next += step
        if not self._waiting:
            return False
        self._block, self._at = memoryview(self._waiting.popleft().result()), 0
        return len(self._block) > 0

    def close(self):
        if not self.closed:
            self._waiting.clear()
            self._pool.shutdown(wait=False, cancel_futures=True)
        super().close()

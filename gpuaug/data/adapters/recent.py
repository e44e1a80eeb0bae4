"""Values that were read lately, up to a limit in bytes."""

import collections
import os
import threading
from concurrent.futures import Future


class Recent:
    """Each value is made by the thread that asks first, while others wait for it; the least recently used go first.

    A forked process begins with an empty one, and so does a copy by pickle. `used`, `made` and `made_bytes` count.
    """

    def __init__(self, limit):
        self.limit = limit
        self._begin()

    def _begin(self):
        self._pid, self._lock = os.getpid(), threading.Lock()
        self._found, self._sizes, self._held = collections.OrderedDict(), {}, 0
        self.used = self.made = self.made_bytes = 0

    def __reduce__(self):
        return Recent, (self.limit,)

    def get(self, key, make):
        """The value of `key`; `make()` gives it with its bytes. What that raises goes to all who wait, and is not kept."""
        if os.getpid() != self._pid:
            self._begin()
        with self._lock:
            self.used += 1
            found = self._found.get(key)
            if found is None:
                mine = self._found[key] = Future()
            else:
                self._found.move_to_end(key)
        if found is not None:
            return found.result()
        try:
            value, size = make()
        except BaseException as error:
            with self._lock:
                del self._found[key]
            mine.set_exception(error)
            raise
        mine.set_result(value)
        with self._lock:
            self._sizes[key] = size
            self._held += size
            self.made, self.made_bytes = self.made + 1, self.made_bytes + size
            while self._held > self.limit:
                old = next((each for each in self._found if each in self._sizes and each != key), None)
                if old is None:  # larger than the limit by itself
                    break
                del self._found[old]
                self._held -= self._sizes.pop(old)
        return value

"""What connects the background thread with the loop that consumes: a bounded queue that both sides can leave."""

import collections
import threading
import time


class Closed(Exception):
    """The consumer has gone: the producer should end."""


class Channel:
    """A queue of at most `capacity` items. `close` wakes both sides, at any time and from any thread.

    queue.Queue cannot be closed before Python 3.13, and polling it would cost latency or leave a thread behind.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self._items = collections.deque()
        self._closed = False
        self._changed = threading.Condition(threading.Lock())

    def put(self, item):
        """Adds an item, waiting for room. Raises Closed once the channel is closed."""
        with self._changed:
            while len(self._items) >= self.capacity and not self._closed:
                self._changed.wait()
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    def get(self, timeout=None, alive=lambda: True):
        """The next item; TimeoutError after `timeout` seconds, Closed if it was closed or the producer is not `alive`."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._items:
                if self._closed:
                    raise Closed
                # wakes at least once a second to see whether the producer still lives
                left = 1.0 if end is None else min(1.0, end - time.monotonic())
                if left <= 0:
                    raise TimeoutError
                if not self._changed.wait(left) and not self._items and not alive():
                    raise Closed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def ready(self):
        """Whether `get` would not wait."""
        return bool(self._items)

    def check(self):
        """Raises Closed if the channel is closed."""
        if self._closed:
            raise Closed

    def close(self):
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()

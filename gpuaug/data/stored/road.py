"""The loader's road for pictures that are stored as pixels: lines are read into the memory that the kernels read from.

It is the road of files (`producer`) with nothing to decode: the same order, draws, policies and threads. A page fault of a memory
map costs more than four times the copy that `preadv` makes into memory that is used again (`pool`).
"""

import atexit
import functools
import weakref

import numpy as np

from ...pool import POOL
from ..faults import BadSample, one_line
from ..leaves import is_array
from ..marks import opened
from ..producer import Producer
from ..reading import Item, Job, Reader
from ..recognize import shipped
from ..structure import Slot, take_out
from .columns import slots
from .dataset import shaped

ALIGN = 64
_running = weakref.WeakSet()


class StoredReader(Reader):
    """Jobs whose samples are pixels in one block of memory a batch."""

    def __init__(self, recipe, check):
        super().__init__(recipe, check)
        self.cached, self.index_of = recipe.stored
        self.said = {name: self.cached._index["pictures"][name] for name in slots(self.cached._index["template"])}
        self.plain = recipe.paths == slots(self.cached._index["template"])  # nothing else in a sample is a target

    def fetch(self, planned):
        """A Job whose lines are being read."""
        items = [Item(index) for index in planned.index_list()]
        reads = self._place(items, self._rectangles(items, planned))
        chunk = max(1, -(-len(reads) // max(2, self.recipe.threads)))
        chunks = [reads[k : k + chunk] for k in range(0, len(reads), chunk)]
        return Job(planned, items, [self.pool.submit(self._read_all, each) for each in chunks])

    def alone(self, index):
        """One sample that is not part of a batch, whole."""
        item = Item(index)
        self._read_all(self._place([item], None))
        return item

    def _rectangles(self, items, planned):
        """What of each picture will be read; None: all."""
        return None

    def _place(self, items, rectangles):
        """Gives the good items their structure and memory; what has to be read into it."""
        cached, parts, found, total = self.cached, self.cached._parts, [], 0
        for item in items:
            self.check()
            try:
                index = self.index_of(item.index)
                fault = cached.fault(index)
                number, row = cached.locate(index)
            except IndexError as error:
                item.fault = BadSample(item.index, None, one_line(error))
                continue
            if fault is not None:
                item.fault = BadSample(item.index, fault.path, fault.reason)
                continue
            table = parts.table(number)
            for name in self.said:
                length = int(table.length[name][row])
                found.append((item, number, row, name, total, length))
                total += -(-length // ALIGN) * ALIGN
        block, views, reads = POOL.array((total,), np.dtype(np.uint8)), {}, []
        for item, number, row, name, at, length in found:
            table, into = parts.table(number), block[at : at + length]
            views.setdefault(id(item), (item, number, row, {}))[3][name] = shaped(
                into, self.said[name], int(table.height[row]), int(table.width[row])
            )
            reads.append((item, number, row, name, into))
        for item, number, row, pictures in views.values():
            self._fill_in(item, number, row, pictures)
        return reads

    def _fill_in(self, item, number, row, pictures):
        if self.plain:
            item.data, item.rest = pictures, self.cached.rest(number, row, Slot)
            return
        recipe = self.recipe
        try:
            sample = self.cached.rest(number, row, pictures.__getitem__)
            item.sources, item.rest = take_out(sample, shipped(self._paths(sample)))
            item.data = {
                name: opened(source, recipe.find.asked) if name in recipe.passed else source
                for name, source in item.sources.items()
            }
            wrong = [name for name in (*recipe.images, *recipe.masks) if not is_array(item.data.get(name))]
            if wrong:
                raise ValueError(f"its {wrong[0]} is no picture")
        except Exception as error:
            item.fault = BadSample(item.index, self.path(item), one_line(error))

    def _read_all(self, reads):
        for item, number, row, name, into in reads:
            if item.fault is None:
                try:
                    self.cached._parts.read(number, row, name, into, 0, 0)
                except ValueError as error:
                    item.fault = BadSample(item.index, self.path(item), str(error))

    def path(self, item):
        return self.cached.path_of(self.index_of(item.index))


class Passed:
    """Stands where files have a decoder."""

    capacity, in_flight = 1 << 62, 0

    def __init__(self):
        self._fed = []

    def feed(self, pictures):
        self._fed.append(pictures)

    def take(self, stream=None):
        return self._fed.pop(0)


class StoredProducer(Producer):
    """The thread of the road."""

    reader_class = StoredReader

    def _begin(self):
        _end_at_exit()
        _running.add(self)

    def _decoder_for(self, count):
        self.decoder = self.decoder or Passed()
        return self.decoder

    def _keep_decoder(self):
        """There is nothing to keep."""

    def _examine(self, items, name):
        return False


@functools.cache
def _end_at_exit():
    atexit.register(lambda: [producer.close() for producer in list(_running)])

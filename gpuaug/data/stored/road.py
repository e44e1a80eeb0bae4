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
from ..marks import opened
from ..producer import Producer
from ..reading import Item, Job, Reader
from ..recognize import shipped
from ..structure import Slot, take_out
from .columns import slots
from .dataset import shaped

ALIGN = 64
_running = weakref.WeakSet()


class StoredItem(Item):
    """A sample on its way. `whole`: all lines of its pictures are read."""

    __slots__ = ("whole",)


class StoredReader(Reader):
    """Jobs whose samples are pixels in one block of memory a batch. `planner`: says what of the images will be read, or None."""

    def __init__(self, recipe, check, planner):
        super().__init__(recipe, check)
        self.cached, self.index_of = recipe.stored
        template, said = self.cached._index["template"], self.cached._index["pictures"]
        self.said = {name: said[name] for name in slots(template)}
        self.plain = recipe.paths == slots(template)  # nothing else in a sample is a target
        image = said["image"]
        self.planner = planner if (image["dtype"], image["axes"], image["channels"]) == ("uint8", 3, 3) else None

    def fetch(self, planned):
        """A Job whose lines are being read."""
        items = [StoredItem(index) for index in planned.index_list()]
        job = Job(planned, items, [])
        found = self._find(items)
        if self.planner is not None and all(item.fault is None for item in items):
            job.reach = self.planner([item.size for item in items], planned.ids, planned.occurrence)
        reads = self._place(found, None if job.reach is None else job.reach.window.tolist())
        chunk = max(1, -(-len(reads) // max(2, self.recipe.threads)))
        chunks = [reads[k : k + chunk] for k in range(0, len(reads), chunk)]
        job.reads = [self.pool.submit(self._read_all, each) for each in chunks]
        return job

    def alone(self, index):
        """One sample that is not part of a batch, whole."""
        item = StoredItem(index)
        self._read_all(self._place(self._find([item]), None))
        return item

    def whole(self, job):
        """Reads the good samples of a job once more, all of them."""
        job.reach = None
        self._read_all(self._place(self._find([item for item in job.items if item.fault is None]), None))

    def _find(self, items):
        """[(item, number of its part, row in it)] of the good ones, whose sizes are filled in; faults of the others."""
        cached, found = self.cached, []
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
            table = cached._parts.table(number)
            item.size = int(table.height[row]), int(table.width[row])
            found.append((item, number, row))
        return found

    def _place(self, found, windows):
        """Gives items their structure and memory; what has to be read. windows: (y0, x0, y1, x1) of each image; None: all of it.

        Of a window whole lines are read: the columns beside it lie between them.
        """
        places, total = [], 0
        for k, (item, _, _) in enumerate(found):
            item.whole = windows is None
            for name, said in self.said.items():
                height, width = item.size
                line = width * said["channels"] * np.dtype(said["dtype"]).itemsize
                first, left, last, right = windows[k] if windows is not None and name == "image" else (0, 0, height, width)
                places.append((k, name, first, last - first, line, left, right, total))
                total += -(-(last - first) * line // ALIGN) * ALIGN
        block, reads = POOL.array((total,), np.dtype(np.uint8)), []
        pictures = [{} for _ in found]
        for k, name, first, lines, line, left, right, at in places:
            item, number, row = found[k]
            into = block[at : at + lines * line]
            picture = shaped(into, self.said[name], lines, item.size[1])
            pictures[k][name] = picture if right - left == item.size[1] else picture[:, left:right]
            reads.append((item, number, row, name, into, first, line))
        for (item, number, row), of in zip(found, pictures, strict=True):
            self._fill_in(item, number, row, of)
        return reads

    def _fill_in(self, item, number, row, pictures):
        if self.plain:
            item.data, item.rest = pictures, self.cached.rest(number, row, Slot)
            return
        recipe, sizes = self.recipe, {name: self._shape(name, item.size) for name in pictures}
        stands = {name: np.broadcast_to(np.zeros((), self.said[name]["dtype"]), size) for name, size in sizes.items()}
        try:
            sample = self.cached.rest(number, row, stands.__getitem__)
            item.sources, item.rest = take_out(sample, shipped(self._paths(sample)))
            marks = {name: source for name, source in item.sources.items() if name not in pictures}
            item.data = {**{name: opened(source, recipe.find.asked) for name, source in marks.items()}, **pictures}
        except Exception as error:
            item.fault = BadSample(item.index, self.path(item), one_line(error))

    def _shape(self, name, size):
        said = self.said[name]
        return (*size, said["channels"]) if said["axes"] == 3 else size

    def _read_all(self, reads):
        for item, number, row, name, into, first, line in reads:
            if item.fault is None:
                try:
                    self.cached._parts.read(number, row, name, into, first, line)
                except ValueError as error:
                    item.fault = BadSample(item.index, self.path(item), str(error))

    def path(self, item):
        return self.cached.path_of(self.index_of(item.index))


class Passed:
    """Stands where files have a decoder."""

    capacity, in_flight, windows, scales = 1 << 62, 0, True, False

    def __init__(self):
        self._fed = []

    def feed(self, pictures, windows=None):
        self._fed.append(pictures)

    def take(self, stream=None):
        return self._fed.pop(0)


class StoredProducer(Producer):
    """The thread of the road."""

    def _reader(self):
        return StoredReader(self.recipe, self.channel.check, self.planner)

    def _launch(self, job):
        if job.reach is not None and (self.planner is None or any(item.fault is not None for item in job.items)):
            self.reader.whole(job)  # what was planned is not what the policy leaves
        return super()._launch(job)

    def _reach(self, job):
        return job.reach

    def _replacement(self, job, k):
        item = super()._replacement(job, k)
        return item if item.whole else self._alone(item.index)

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

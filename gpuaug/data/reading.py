"""Reading the samples of a batch: several threads read the files and look at them.

The dataset is asked in the loader's own thread, or in these threads too where it says that it is safe (protocol.py): then as many
samples are fetched at a time as there are threads.
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from . import decode, host_read
from .faults import BadSample, Unreadable, one_line
from .pixels import to_pixels
from .protocol import is_encoded
from .structure import source_name, take_out


class Item:
    """One sample on its way."""

    __slots__ = ("data", "fault", "index", "rest", "sources")

    def __init__(self, index):
        self.index, self.rest, self.sources, self.data, self.fault = index, None, None, {}, None


class Job:
    """One batch on its way. `slots` are (position in the batch, item) after the policy was applied."""

    def __init__(self, planned, items, reads):
        self.planned, self.items, self.reads = planned, items, reads
        self.slots, self.error = None, None


class Reader:
    """Makes Jobs of planned batches, as a Recipe says. `check` is called between samples, and may raise to end it."""

    def __init__(self, recipe, check):
        self.recipe, self.check = recipe, check
        self.pool = ThreadPoolExecutor(max(2, recipe.threads), "gpuaug-read")

    def close(self):
        self.pool.shutdown(wait=True, cancel_futures=True)

    def fetch(self, planned):
        """A Job whose files are being read."""
        if self.recipe.fetch is None:  # an iterable dataset: the indices are running numbers, the plan has the samples
            items = [self._ask(Item(n), sample) for n, sample in zip(planned.ids.tolist(), planned.indices)]
        else:
            indices = planned.indices.tolist() if isinstance(planned.indices, np.ndarray) else planned.indices
            items = [Item(index) for index in indices]
            if not self.recipe.thread_safe:
                for item in items:
                    self._ask(item)
        # a few samples per task: a task costs 20-50 us, reading a cached file 20 us
        chunk = max(1, min(8, len(items) // max(2, self.recipe.threads)))
        reads = [self.pool.submit(self._read, items[k : k + chunk]) for k in range(0, len(items), chunk)]
        return Job(planned, items, reads)

    def _ask(self, item, sample=None):
        """Fills in what the dataset says of a sample (for a stream: `sample`), or the fault."""
        self.check()  # a slow dataset must not keep a loop from ending
        recipe = self.recipe
        # not for "raise": a file may have been repaired; nor for a stream, whose numbers may mean others by now
        known = recipe.errors.get(item.index) if recipe.fetch is not None and recipe.on_error != "raise" else None
        if known is not None:
            item.fault = known
            return item
        try:
            if recipe.fetch is not None:
                sample = recipe.fetch(item.index)
            if isinstance(sample, Unreadable):
                item.fault = BadSample(item.index, sample.path, sample.reason)
            else:
                item.sources, item.rest = take_out(sample, recipe.paths)
        except ImportError:  # the fault of the installation, not of a sample
            raise
        except Exception as error:
            item.fault = BadSample(item.index, self.path(item), one_line(f"{type(error).__name__}: {error}"))
        return item

    def _read(self, items):
        for item in items:
            if item.sources is None and item.fault is None:
                self._ask(item)
            if item.fault is not None:
                continue
            for name, source in item.sources.items():
                try:
                    item.data[name] = self._load(item, name, source)
                except ImportError:
                    raise
                except Exception as error:
                    item.fault = BadSample(item.index, source_name(source) or self.path(item), one_line(error))
                    break

    def _load(self, item, name, source):
        recipe = self.recipe
        if name in recipe.passed:
            return source
        if name not in recipe.masks:
            data = decode.load_image(source, recipe.max_pixels)
            return decode.by_pillow(data) if item.index in recipe.by_pillow else data
        if not isinstance(source, str) and not is_encoded(source):
            return to_pixels(source, True)
        mask = decode.load_mask(source, recipe.max_pixels)
        return host_read.as_type(mask, recipe.mask_types[name]) if name in recipe.mask_types else mask

    def path(self, item):
        """The file of a sample, as far as it is known."""
        for source in (item.sources or {}).values():
            if source_name(source) is not None:
                return source_name(source)
        if self.recipe.path_of is not None:
            with contextlib.suppress(Exception):
                return self.recipe.path_of(item.index)
        return None

    def alone(self, index):
        """One sample that is not part of a batch."""
        item = Item(index)
        self._read([item])
        return item

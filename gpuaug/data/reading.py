"""Reading the samples of a batch: several threads read the files and look at them.

The dataset is asked in the loader's own thread, or in these threads too where it says that it is safe (protocol.py): then as many
samples are fetched at a time as there are threads.
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor

from . import decode, host_read
from .faults import NONE, BadSample, Unreadable, one_line
from .headers import read_header
from .leaves import is_source
from .marks import opened
from .pixels import to_pixels
from .protocol import is_encoded
from .recognize import disagreement, shipped
from .structure import outline, source_name, take_out

MISSING = object()  # no sample: the dataset is to be asked for it


class Item:
    """One sample on its way."""

    __slots__ = ("data", "ends", "fault", "index", "none", "rest", "scales", "size", "sources", "turn")

    def __init__(self, index):
        self.index, self.rest, self.sources, self.data, self.fault = index, None, None, {}, None
        self.size = None  # (height, width) of its image, where it is the only one, and may a part of it be decoded?
        self.ends = self.scales = False  # and may it be decoded at 1/2, 1/4, 1/8?
        self.turn = 1  # EXIF orientation
        self.none = False  # the dataset gave None for it, and the user's collate_fn shall see that


class Job:
    """One batch on its way. `slots` are (position in the batch, item) after the policy was applied."""

    def __init__(self, planned, items, reads):
        self.planned, self.items, self.reads = planned, items, reads
        self.slots, self.error, self.reach = None, None, None


class Reader:
    """Makes Jobs of planned batches, as a Recipe says. `check` is called between samples, and may raise to end it."""

    def __init__(self, recipe, check):
        self.recipe, self.check = recipe, check
        self.pool = ThreadPoolExecutor(max(2, recipe.threads), "gpuaug-read")

    def close(self):
        self.pool.shutdown(wait=True, cancel_futures=True)

    def fetch(self, planned):
        """A Job whose files are being read."""
        if planned.samples is not None:
            items = [self._ask(Item(index), sample) for index, sample in zip(planned.index_list(), planned.samples)]
        else:
            items = [Item(index) for index in planned.index_list()]
            if not self.recipe.thread_safe:
                for item in items:
                    self._ask(item)
        # a few samples per task: a task costs 20-50 us, reading a cached file 20 us
        chunk = max(1, min(8, len(items) // max(2, self.recipe.threads)))
        reads = [self.pool.submit(self._read, items[k : k + chunk]) for k in range(0, len(items), chunk)]
        return Job(planned, items, reads)

    def _ask(self, item, sample=MISSING):
        """Fills in what the dataset says of a sample (`sample`, where it has said so already), or the fault."""
        self.check()  # a slow dataset must not keep a loop from ending
        recipe = self.recipe
        # not for "raise": a file may have been repaired; nor for a stream, whose numbers may mean others by now
        known = recipe.errors.get(item.index) if recipe.keyed and recipe.on_error != "raise" else None
        if known is not None:
            item.fault = known
            return item
        try:
            if sample is MISSING:
                sample = recipe.fetch(item.index)
            if isinstance(sample, Unreadable):
                item.fault = BadSample(item.index, sample.path, sample.reason)
                return item
            if sample is None:
                item.none = recipe.listed  # for the user's collate_fn to leave out, as in torch
                raise ValueError(NONE)
            item.sources, item.rest = take_out(sample, shipped(self._paths(sample)))
        except ImportError:  # the fault of the installation, not of a sample
            raise
        except Exception as error:
            text = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
            item.fault = BadSample(item.index, self.path(item), one_line(text))
        return item

    def _paths(self, sample):
        paths, found = self.recipe.paths, self.recipe.find(sample)
        if found is paths or found == paths:
            return paths
        name = disagreement(paths, found, sample)
        if name is not None:
            raise ValueError(
                f"it is {outline(sample)}, whose {name} is not where the first samples have theirs; say where it is: "
                f"DataLoader(targets=...)"
            )
        return paths

    def _read(self, items):
        for item in items:
            if item.sources is None and item.fault is None:
                self._ask(item)
            if item.fault is not None:
                continue
            for name, source in item.sources.items():
                try:
                    item.data[name] = self._load(item, name, source)
                    if self.recipe.images == [name]:
                        header = read_header(item.data[name])
                        item.size, item.ends = header.upright, header.ends
                        item.scales, item.turn = header.scales, header.turn
                except ImportError:
                    raise
                except Exception as error:
                    item.fault = BadSample(item.index, source_name(source) or self.path(item), one_line(error))
                    break

    def _load(self, item, name, source):
        recipe = self.recipe
        if name in recipe.passed:
            return opened(source, recipe.find.asked)
        if name not in recipe.masks:
            if not is_source(source):
                raise ValueError(f"its {name} is {outline(source)}, where the first samples have encoded files")
            data = decode.load_image(source, recipe.max_pixels)
            if item.index not in recipe.by_pillow and recipe.keyed and recipe.errors.is_suspect(item.index):
                return self.examined(item, data)
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

    def examined(self, item, data):
        """An image that was bad before, tried by itself, so that it spoils no batch; ValueError if nothing can decode it."""
        device_id = None if self.recipe.device.type == "cpu" else self.recipe.device.index
        faults = decode.find_faults([data], device_id)
        return self.fall_back(item, data, faults[0]) if faults else data

    def fall_back(self, item, data, said):
        """An image that DALI cannot decode, decoded by Pillow; ValueError says why that cannot either."""
        try:
            data = decode.by_pillow(data)
        except ValueError as error:
            said = next((line for line in said.split("\n") if "ailed" in line), "the decoder failed").strip()
            raise ValueError(one_line(f"cannot be decoded: {error}" if str(error) else said)) from None
        if self.recipe.keyed:
            self.recipe.by_pillow.add(item.index)
        return data

    def alone(self, index):
        """One sample that is not part of a batch."""
        item = Item(index)
        self._read([item])
        return item

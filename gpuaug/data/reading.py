"""Reading the samples of a batch: the dataset is asked in one thread, the files are read and looked at by several."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

from . import decode
from .faults import NONE, BadSample, one_line
from .leaves import is_source
from .marks import opened
from .pixels import to_pixels
from .protocol import is_encoded
from .recognize import disagreement, shipped
from .structure import outline, source_name, take_out

MISSING = object()  # no sample: the dataset is to be asked for it


class Item:
    """One sample on its way."""

    __slots__ = ("data", "fault", "index", "none", "rest", "sources")

    def __init__(self, index):
        self.index, self.rest, self.sources, self.data, self.fault = index, None, None, {}, None
        self.none = False  # the dataset gave None for it, and the user's collate_fn shall see that


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
        if planned.samples is not None:
            items = [self._item(index, sample) for index, sample in zip(planned.index_list(), planned.samples)]
        else:
            items = [self._item(index) for index in planned.index_list()]
        # a few samples per task: a task costs 20-50 us, reading a cached file 20 us
        chunk = max(1, min(8, -(-len(items) // max(2, self.recipe.threads))))
        reads = [self.pool.submit(self._read, items[k : k + chunk]) for k in range(0, len(items), chunk)]
        return Job(planned, items, reads)

    def _item(self, index, sample=MISSING):
        self.check()  # a slow dataset must not keep a loop from ending
        item, recipe = Item(index), self.recipe
        # not for "raise": a file may have been repaired; nor for a stream, whose numbers may mean others by now
        known = recipe.errors.get(index) if recipe.keyed and recipe.on_error != "raise" else None
        if known is not None:
            item.fault = known
            return item
        try:
            if sample is MISSING:
                sample = recipe.fetch(index)
            if sample is None:
                item.none = recipe.listed  # for the user's collate_fn to leave out, as in torch
                raise ValueError(NONE)
            item.sources, item.rest = take_out(sample, shipped(self._paths(sample)))
        except ImportError:  # a package that is missing makes no sample bad
            raise
        except Exception as error:
            text = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
            item.fault = BadSample(index, self.path(item), one_line(text))
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
        recipe = self.recipe
        for item in items:
            if item.fault is not None:
                continue
            for name, source in item.sources.items():
                try:
                    if name in recipe.passed:
                        item.data[name] = opened(source, recipe.find.asked)
                    elif name in recipe.masks:
                        encoded = isinstance(source, str) or is_encoded(source)
                        item.data[name] = decode.load_mask(source, recipe.max_pixels) if encoded else to_pixels(source, True)
                    elif not is_source(source):
                        raise ValueError(f"its {name} is {outline(source)}, where the first samples have encoded files")
                    else:
                        item.data[name] = decode.load_image(source, recipe.max_pixels)
                        if item.index in recipe.by_pillow:
                            item.data[name] = decode.by_pillow(item.data[name])
                        elif recipe.keyed and recipe.errors.is_suspect(item.index):
                            self.examine(item, name)
                except Exception as error:
                    item.fault = BadSample(item.index, source_name(source) or self.path(item), one_line(error))
                    break

    def path(self, item):
        """The file of a sample, as far as it is known."""
        for source in (item.sources or {}).values():
            if source_name(source) is not None:
                return source_name(source)
        if self.recipe.path_of is not None:
            with contextlib.suppress(Exception):
                return self.recipe.path_of(item.index)
        return None

    def examine(self, item, name):
        """Decode an image by itself, so that it spoils no batch: by Pillow if DALI cannot; ValueError if neither can."""
        device_id = None if self.recipe.device.type == "cpu" else self.recipe.device.index
        faults = decode.find_faults([item.data[name]], device_id)
        if faults:
            self.fall_back(item, name, faults[0])

    def fall_back(self, item, name, said):
        """Have an image that DALI cannot decode decoded by Pillow; ValueError says why that cannot either."""
        try:
            item.data[name] = decode.by_pillow(item.data[name])
        except ValueError as error:
            said = next((line for line in said.split("\n") if "ailed" in line), "the decoder failed").strip()
            raise ValueError(one_line(f"cannot be decoded: {error}" if str(error) else said)) from None
        if self.recipe.keyed:
            self.recipe.by_pillow.add(item.index)

    def alone(self, index):
        """One sample that is not part of a batch."""
        item = self._item(index)
        self._read([item])
        return item

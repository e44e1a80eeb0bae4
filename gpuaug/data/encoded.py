"""The DALI road: a background thread that reads, decodes and hands over batches in order.

    plan -> fetch (dataset.encoded, files read by a pool of threads) -> resolve (policy for bad samples) -> Decoder -> channel

A bad file ends a DALI pipeline. Then the batch at the front is examined image by image, the decoder is made anew and
everything in flight is fed again; what is bad is remembered, so that it costs this once.
"""

import atexit
import collections
import contextlib
import functools
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from . import decode
from .channel import Channel, Closed
from .faults import AllBadError, BadSample, BadSampleError, one_line
from .pixels import to_pixels
from .protocol import is_encoded
from .structure import collate, convert, source_name, take_out

_running = weakref.WeakSet()
IN_DECODER = 2  # batches in flight in DALI: one being decoded, one waiting, so that its threads never idle


@dataclass
class Loaded:
    """A batch that is decoded but not transformed. `rest` is its structure with Slots for the targets in `data`."""

    data: dict
    rest: object
    ids: np.ndarray
    occurrence: np.ndarray
    position: object
    indices: list
    single: bool = False  # batch_size=None: one sample without a batch axis
    listed: bool = False  # `rest` is the list of samples, for a collate_fn of the user's
    ready: object = None  # CUDA event after which `data` may be read
    restore: dict = field(default_factory=dict)  # dtypes that targets had before they were made readable


@dataclass
class Recipe:
    """What the road does with each sample; shared by all epochs of a loader."""

    fetch: object  # index -> sample with encoded leaves; None: `plan` brings the samples
    paths: dict  # {target name: path in the structure}
    masks: frozenset  # names that are masks
    passed: frozenset  # names that are handed over as they are: boxes, keypoints
    on_error: str
    errors: object
    max_pixels: int | None
    threads: int
    ahead: int  # batches whose files are read in advance
    capacity: int
    device: object
    path_of: object = None
    length: int | None = None
    listed: bool = False  # leave the samples apart, for a collate_fn of the user's
    by_pillow: set = field(default_factory=set)  # samples that only Pillow decodes
    idle: list = field(default_factory=list)  # decoders to use again

    def __post_init__(self):
        self.images = [n for n in self.paths if n not in self.masks and n not in self.passed]


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


class Producer:
    """Runs the road for one epoch in a thread of its own; `channel` yields Loaded, then None, or an exception."""

    def __init__(self, recipe, plan, stats, single=False, fresh=True):
        self.recipe, self.plan, self.stats, self.single = recipe, plan, stats, single
        self.fresh = fresh  # from the start of the epoch: only then does "nothing good" mean that all is bad
        self.channel = Channel(1)
        self.decoder = None
        self.pending, self.flying = collections.deque(), collections.deque()
        self.grounded = collections.deque()  # were in flight when the decoder failed and have not been fed again
        self.delivered = self.bad = self.retries = self.barren = 0
        self.last_good = self.planned_last = None
        _end_before_dali()
        _running.add(self)
        self.thread = threading.Thread(target=self._run, name="gpuaug-loader", daemon=True)
        self.thread.start()

    def close(self):
        """Ends the thread and waits for it."""
        self.channel.close()
        if threading.current_thread() is not self.thread:
            self.thread.join(5.0)

    def _run(self):
        try:
            with contextlib.closing(self.plan) if hasattr(self.plan, "close") else contextlib.nullcontext():
                self.readers = ThreadPoolExecutor(max(2, self.recipe.threads), "gpuaug-read")
                try:
                    self._stream()
                finally:
                    self.readers.shutdown(wait=True, cancel_futures=True)
            self._keep_decoder()
            last = None
        except Closed:
            if self.recipe.device.type != "cpu":
                self._keep_decoder()
            return
        except BaseException as error:  # also SystemExit from a dataset: the consumer shall see it
            last = error
        finally:
            self.decoder = None
            self.flying.clear()
            self.pending.clear()
        with contextlib.suppress(Closed):
            self.channel.put(last)

    def _keep_decoder(self):
        # on a GPU a decoder is dear to make, and what is in flight is soon done; on a CPU it is the other way round
        with contextlib.suppress(RuntimeError):
            while self.decoder is not None and self.decoder.in_flight:
                self.decoder.take()
            if self.decoder is not None:
                self.recipe.idle.append(self.decoder)

    # ---- the stream ----------------------------------------------------------------------------------------------------

    def _stream(self):
        to_device = self._stream_on_device()
        while True:
            self.channel.check()
            self._fetch_ahead()
            while self.pending and len(self.flying) < IN_DECODER and self._fits(self.pending[0]):
                job = self.pending.popleft()
                self._await(job)
                if self._launch(job):
                    self.flying.append(job)
                self._fetch_ahead()
            if not self.flying:
                if self.pending:
                    continue
                break
            job = self.flying[0]
            if job.error is not None:
                raise job.error
            try:
                with self.stats.time("decode"):
                    images = self.decoder.take(to_device)
            except RuntimeError as error:
                self._recover(error)
                continue
            if not self._masks_fit(job, images):
                self._replay()
                continue
            self.flying.popleft()
            self.retries = self.barren = 0
            self.last_good = job.slots[-1][1]
            self.delivered += len(job.slots)
            self.channel.put(self._loaded(job, images, to_device))
        if not self.delivered and self.bad and self.fresh:
            raise AllBadError(self.bad, self.recipe.errors.list()[0])

    def _stream_on_device(self):
        if self.recipe.device.type == "cpu":
            return None
        import torch

        torch.cuda.set_device(self.recipe.device)
        return torch.cuda.Stream(self.recipe.device)

    def _fits(self, job):
        return not self.flying or (len(job.items) <= self.decoder_capacity() and self.flying[-1].error is None)

    def decoder_capacity(self):
        return self.decoder.capacity if self.decoder is not None else self.recipe.capacity

    def _loaded(self, job, images, stream):
        planned, recipe = job.planned, self.recipe
        at = [k for k, _ in job.slots]
        data = {}
        for name in recipe.paths:
            data[name] = images[name] if name in images else [item.data[name] for _, item in job.slots]
        rest = [item.rest for _, item in job.slots]
        ready = None
        if stream is not None:
            import torch

            ready = torch.cuda.Event()
            ready.record(stream)
        return Loaded(
            data,
            rest if recipe.listed else convert(rest[0]) if self.single else collate(rest),
            planned.ids[at],
            planned.occurrence[at],
            planned.position,
            [item.index for _, item in job.slots],
            self.single,
            recipe.listed,
            ready,
        )

    # ---- reading -------------------------------------------------------------------------------------------------------

    def _fetch_ahead(self):
        while len(self.pending) < self.recipe.ahead:
            planned = next(self.plan, None)
            if planned is None:
                return
            self.pending.append(self._fetch(planned))

    def _fetch(self, planned):
        if self.recipe.fetch is None:  # an iterable dataset: the indices are running numbers, the plan has the samples
            items = [self._item(n, sample) for n, sample in zip(planned.ids.tolist(), planned.indices)]
        else:
            indices = planned.indices.tolist() if isinstance(planned.indices, np.ndarray) else planned.indices
            items = [self._item(index) for index in indices]
        # a few samples per task: a task costs 20-50 us, reading a cached file 20 us
        chunk = max(1, min(8, -(-len(items) // max(2, self.recipe.threads))))
        reads = [self.readers.submit(self._read, items[k : k + chunk]) for k in range(0, len(items), chunk)]
        return Job(planned, items, reads)

    def _item(self, index, sample=None):
        self.channel.check()  # a slow dataset must not keep a loop from ending
        item, recipe = Item(index), self.recipe
        # not for "raise": a file may have been repaired; nor for a stream, whose numbers may mean others by now
        known = recipe.errors.get(index) if recipe.fetch is not None and recipe.on_error != "raise" else None
        if known is not None:
            item.fault = known
            return item
        try:
            if recipe.fetch is not None:
                sample = recipe.fetch(index)
            item.sources, item.rest = take_out(sample, recipe.paths)
        except Exception as error:
            item.fault = BadSample(index, self._path(item), one_line(f"{type(error).__name__}: {error}"))
        return item

    def _read(self, items):
        recipe = self.recipe
        for item in items:
            if item.fault is not None:
                continue
            for name, source in item.sources.items():
                try:
                    if name in recipe.passed:
                        item.data[name] = source
                    elif name in recipe.masks:
                        encoded = isinstance(source, str) or is_encoded(source)
                        item.data[name] = decode.load_mask(source, recipe.max_pixels) if encoded else to_pixels(source, True)
                    else:
                        item.data[name] = decode.load_image(source, recipe.max_pixels)
                        if item.index in recipe.by_pillow:
                            item.data[name] = decode.by_pillow(item.data[name])
                except Exception as error:
                    item.fault = BadSample(item.index, source_name(source) or self._path(item), one_line(error))
                    break

    def _path(self, item):
        for source in (item.sources or {}).values():
            if source_name(source) is not None:
                return source_name(source)
        if self.recipe.path_of is not None:
            with contextlib.suppress(Exception):
                return self.recipe.path_of(item.index)
        return None

    def _await(self, job):
        with self.stats.time("read"):
            for read in job.reads:
                read.result()
        job.reads = ()

    # ---- bad samples -----------------------------------------------------------------------------------------------------

    def _launch(self, job):
        """Applies the policy and starts decoding; False if nothing of the batch is left."""
        faults = [item.fault for item in job.items if item.fault is not None]
        for fault in faults:
            self.recipe.errors.add(fault)
        job.error = None
        if faults and self.recipe.on_error == "raise":
            job.error = BadSampleError(faults[0])
            return True
        job.slots = [(k, item) for k, item in enumerate(job.items) if item.fault is None]
        if faults and self.recipe.on_error == "replace":
            job.slots = [(k, self._replacement(job, k)) for k in range(len(job.items))]
        if not job.slots:
            self.barren += len(job.items)
            self.bad += len(job.items)
            if self.barren > max(100_000, 2 * (self.recipe.length or 0)):  # an endless sampler over bad samples
                raise AllBadError(self.bad, self.recipe.errors.list()[0])
            return False
        self._decoder_for(len(job.slots)).feed(
            {name: [item.data[name] for _, item in job.slots] for name in self.recipe.images}
        )
        return True

    def _replacement(self, job, k):
        """The item itself, or for a bad one the good sample that precedes it in the epoch's order, else the next."""
        items = job.items
        if items[k].fault is None:
            return items[k]
        for item in reversed(items[:k]):
            if item.fault is None:
                return item
        if self.recipe.fetch is not None:
            for index in reversed(job.planned.before):
                item = self._alone(index)
                if item.fault is None:
                    return item
        for item in items[k + 1 :]:
            if item.fault is None:
                return item
        return self.last_good or self._next_good(len(items))

    def _alone(self, index):
        item = self._item(index)
        self._read([item])
        return self._probe(item)

    def _probe(self, item):
        if item.fault is None:
            for name in self.recipe.images:
                self._examine([item], name)
        if item.fault is not None:
            self.recipe.errors.add(item.fault)
        return item

    def _next_good(self, seen):
        """The first good sample of the batches that follow; `seen` samples before them are bad."""
        following, at = [*self.grounded, *self.pending], 0
        while True:
            if at == len(following):
                planned = next(self.plan, None)
                if planned is None or seen > max(100_000, 2 * (self.recipe.length or 0)):
                    raise AllBadError(seen, self.recipe.errors.list()[0])
                following.append(self._fetch(planned))
                self.pending.append(following[-1])
            job = following[at]
            self._await(job)
            for item in job.items:
                if self._probe(item).fault is None:
                    return item
            at += 1
            seen += len(job.items)

    def _examine(self, items, name):
        """Finds those of `items` that DALI cannot decode, and decodes them by Pillow if that can; whether there are any."""
        faults = decode.find_faults([item.data[name] for item in items], self._device_id())
        for k, said in faults.items():
            item = items[k]
            try:
                item.data[name] = decode.by_pillow(item.data[name])
                if self.recipe.fetch is not None:
                    self.recipe.by_pillow.add(item.index)
            except ValueError as error:
                said = next((line for line in said.split("\n") if "ailed" in line), "the decoder failed").strip()
                reason = one_line(f"cannot be decoded: {error}" if str(error) else said)
                item.fault = BadSample(item.index, self._path(item), reason)
        return bool(faults)

    def _recover(self, error):
        """After an error of the decoder: what is bad in the batch at the front, or in another one in flight?"""
        for job in self.flying:
            if job.error is None:
                items = list({id(item): item for _, item in job.slots}.values())
                if sum(self._examine(items, name) for name in self.recipe.images):  # not any(): examine all
                    self.retries = 0
                    break
        else:
            self.retries += 1
            if self.retries > 1:
                which = ", ".join(str(item.index) for item in self.flying[0].items)
                text = f"DALI failed on a batch whose images it can decode one by one (samples {which}): {error}"
                raise RuntimeError(text) from error
        self._replay()

    def _replay(self):
        """A new decoder, and everything in flight fed again."""
        self.decoder = None
        self.grounded, self.flying = self.flying, collections.deque()
        while self.grounded:
            job = self.grounded.popleft()
            if self._launch(job):
                self.flying.append(job)
            if job.error is not None:  # it ends the epoch
                self.grounded.clear()

    def _masks_fit(self, job, images):
        """Whether each mask has the size of its image; those that do not become faults."""
        if not self.recipe.masks or "image" not in images:
            return True
        good = True
        for (_, item), shape in zip(job.slots, decode.shapes(images["image"])):
            for name in self.recipe.masks:
                size = item.data[name].shape[:2]
                if name in item.data and tuple(size) != tuple(shape[:2]):
                    text = f"its {name} is {size[0]}x{size[1]}, but the image is {shape[0]}x{shape[1]}"
                    item.fault = BadSample(item.index, self._path(item), text)
                    good = False
        return good

    def _decoder_for(self, count):
        with contextlib.suppress(IndexError):  # another thread of the same loader may be quicker
            while self.decoder is None:
                decoder = self.recipe.idle.pop()
                if decoder.capacity >= count and decoder.pid == os.getpid():
                    self.decoder = decoder
        if self.decoder is None or self.decoder.capacity < count:
            capacity = max(count, self.recipe.capacity)
            self.decoder = decode.make(self.recipe.images, capacity, self.recipe.threads, self._device_id())
        return self.decoder

    def _device_id(self):
        return None if self.recipe.device.type == "cpu" else self.recipe.device.index


@functools.cache
def _end_before_dali():
    """Makes the threads end before DALI shuts down its pipelines at exit: what is registered last is called first."""
    with contextlib.suppress(ImportError):
        import nvidia.dali  # noqa: F401
    atexit.register(lambda: [producer.close() for producer in list(_running)])


class EncodedRoad:
    """Iterates over Loaded batches of a Producer; ends its thread when it is closed, dropped or the process exits."""

    def __init__(self, producer, timeout=0):
        self._producer, self._timeout = producer, timeout or None
        self.close = weakref.finalize(self, producer.close)

    def __iter__(self):
        return self

    def __next__(self):
        producer = self._producer
        try:
            loaded = producer.channel.get(self._timeout, producer.thread.is_alive)
        except TimeoutError:
            self.close()
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds") from None
        except Closed:
            self.close()
            raise RuntimeError("the loader's thread is gone: was this iterator carried into a forked process?") from None
        except BaseException:  # Ctrl-C
            self.close()
            raise
        if isinstance(loaded, Loaded):
            return loaded
        self.close()
        raise StopIteration if loaded is None else loaded

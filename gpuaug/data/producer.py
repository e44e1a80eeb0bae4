"""The background thread of the DALI road: reads ahead, decodes, and deals with bad samples.

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

import numpy as np

from ..backends.held import Held
from . import decode
from .channel import Channel, Closed
from .encoded import Loaded
from .faults import AllBadError, BadSample, BadSampleError
from .foresight import window_of, within
from .quick import QuickDecoder
from .reading import Reader
from .recognize import shipped
from .structure import collate, convert

_running = weakref.WeakSet()
# By GPU, those of epochs that are over. Torch keeps what was freed on a stream for that stream: an epoch on another one would ask
# for its batches' memory once more, up to 32 times
_idle_streams = collections.defaultdict(list)
IN_DECODER = 2  # batches in flight in DALI: one being decoded, one waiting, so that its threads never idle


class Producer:
    """Runs the road for one epoch in a thread of its own; `channel` yields Loaded, then None, or an exception."""

    def __init__(self, recipe, plan, stats, single=False, fresh=True, finish=None, planner=None):
        self.recipe, self.plan, self.stats, self.single = recipe, plan, stats, single
        self.finish = finish  # called with each Loaded and the stream of its images
        self.planner = planner if recipe.images == ["image"] else None  # says what of the images will be read
        if planner is not None and self.planner is None:
            planner.give_up(
                f"samples have the images {', '.join(sorted(recipe.images))}, and this is for one that is named image"
            )
        self.finishing = False  # is it being called, or what it made not handed over yet?
        self.fresh = fresh  # from the start of the epoch: only then does "nothing good" mean that all is bad
        self.channel = Channel(1)
        self.decoder = None
        self.held = Held()  # encoded bytes, until they are decoded
        self.pending, self.flying = collections.deque(), collections.deque()
        self.grounded = collections.deque()  # were in flight when the decoder failed and have not been fed again
        self.delivered = self.bad = self.retries = self.barren = 0
        self.last_good = self.failed = None
        self._begin()
        self.thread = threading.Thread(target=self._run, name="gpuaug-loader", daemon=True)
        self.thread.start()

    def _reader(self):
        return Reader(self.recipe, self.channel.check)

    def _begin(self):
        _end_before_dali()
        _running.add(self)

    def close(self):
        """Ends the thread and waits for it."""
        self.channel.close()
        if threading.current_thread() is not self.thread:
            self.thread.join(5.0)

    def _run(self):
        try:
            with contextlib.closing(self.plan) if hasattr(self.plan, "close") else contextlib.nullcontext():
                self.reader = self._reader()
                try:
                    self._stream()
                finally:
                    self.reader.close()
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
            self.held.drain()
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
        if self.recipe.device.type == "cpu":
            return self._batches(None)
        import torch

        torch.cuda.set_device(self.recipe.device)
        try:
            stream = _idle_streams[self.recipe.device].pop()
        except IndexError:
            stream = torch.cuda.Stream(self.recipe.device)
        try:
            self._batches(stream)
        finally:
            _idle_streams[self.recipe.device].append(stream)

    def _batches(self, to_device):
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
            if job.reach is not None:
                images["image"] = within(images["image"], job.reach)
                if images["image"] is None:  # its header has another size
                    self.planner = None
            if (job.reach is not None and images["image"] is None) or not self._masks_fit(job, images):
                self._replay()
                continue
            self.flying.popleft()
            self.retries = self.barren = 0
            self.last_good = job.slots[-1][1]
            self.delivered += len(job.slots)
            loaded = self._loaded(job, images, to_device)
            del images  # what reads them keeps them
            if self.finish is not None:
                self.finishing = True
                self.finish(loaded, to_device)
            self.channel.put(loaded)
            self.finishing = False
            del loaded  # it is the consumer's to let go of, while the next one is waited for
        if self.failed is not None:
            raise self.failed
        if not self.delivered and self.bad and self.fresh:
            raise AllBadError(self.bad, self.recipe.errors.list()[0])

    def _fits(self, job):
        return not self.flying or (len(job.items) <= self.decoder_capacity() and self.flying[-1].error is None)

    def decoder_capacity(self):
        return self.decoder.capacity if self.decoder is not None else self.recipe.capacity

    def _loaded(self, job, images, stream):
        planned, recipe = job.planned, self.recipe
        at = [k for k, _ in job.slots]
        if any(len(decoded) != len(at) for decoded in images.values()):
            which = ", ".join(str(item.index) for item in job.items)
            raise RuntimeError(f"the decoder returned another batch than that of the samples {which}")
        data, ship = {}, shipped(recipe.paths)
        for name in recipe.paths:
            travels = images[name] if name in images else [item.data[name] for _, item in job.slots] if name in ship else None
            data[name] = travels
        if job.reach is not None:
            self.stats.saw(job.reach)
        rest = [item.rest for _, item in job.slots]
        if recipe.listed and any(item.none for item in job.items):
            place = dict(job.slots)
            rest = [place[k].rest if k in place else None for k, item in enumerate(job.items) if k in place or item.none]
        ready = None
        if stream is not None:
            import torch

            ready = torch.cuda.Event()
            ready.record(stream)
            # DALI reads them without a copy of its own, and `take` has not waited for the device
            self.held.purge()
            self.held.keep(ready, [item.data[name] for name in images for _, item in job.slots])
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
            state=planned.state,
        )

    # ---- reading -------------------------------------------------------------------------------------------------------

    def _fetch_ahead(self):
        while len(self.pending) < self.recipe.ahead:
            planned = self._next_planned()
            if planned is None:
                return
            self.pending.append(self.reader.fetch(planned))

    def _next_planned(self):
        """The next batch, or None at the end; what is raised there comes behind what was there before it."""
        if self.failed is None:
            try:
                return next(self.plan, None)
            except Exception as error:
                self.failed = error
        return None

    def _await(self, job):
        with self.stats.time("read"):
            for read in job.reads:
                read.result()
        job.reads = ()

    # ---- bad samples -----------------------------------------------------------------------------------------------------

    def _launch(self, job):
        """Applies the policy and starts decoding; False if nothing of the batch is left."""
        faults = [item.fault for item in job.items if item.fault is not None and not item.none]
        for fault in faults:
            self.recipe.errors.add(fault)
        job.error = None
        if faults and self.recipe.on_error == "raise":
            job.error = BadSampleError(faults[0])
            return True
        job.slots = [(k, item) for k, item in enumerate(job.items) if item.fault is None]
        if faults and self.recipe.on_error == "replace":
            job.slots = [(k, self._replacement(job, k)) for k, item in enumerate(job.items) if not item.none]
        if not job.slots:
            self.barren += len(faults)
            self.bad += len(faults)
            if self.barren > max(100_000, 2 * (self.recipe.length or 0)):  # an endless sampler over bad samples
                raise AllBadError(self.bad, self.recipe.errors.list()[0])
            return False
        encoded = {name: [item.data[name] for _, item in job.slots] for name in self.recipe.images}
        decoder, job.reach = self._decoder_for(len(job.slots)), self._reach(job)
        if job.reach is None:
            decoder.feed(encoded)
        elif decoder.scales:
            decoder.feed(encoded, window_of(job.reach), job.reach, *_of_jpegs(job))
        else:
            decoder.feed(encoded, window_of(job.reach))
        return True

    def _reach(self, job):
        """What of the images will be read; None: nobody knows, or all of it is decoded anyhow."""
        if self.planner is None or not self.decoder.windows:
            return None
        at = [k for k, _ in job.slots]
        reach = self.planner([item.size for _, item in job.slots], job.planned.ids[at], job.planned.occurrence[at])
        if reach is not None:
            reach.widen(np.array([not item.ends for _, item in job.slots]))
            if self.planner.shrinks:
                reach.shrink(*_of_jpegs(job))
        return reach

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
        elif self.flying or self.last_good is not None:  # what precedes this batch and cannot be asked for again
            return self.flying[-1].slots[-1][1] if self.flying else self.last_good
        for item in items[k + 1 :]:
            if item.fault is None:
                return item
        return self.last_good or self._next_good(len(items))

    def _alone(self, index):
        return self._probe(self.reader.alone(index))

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
                planned = self._next_planned()
                if planned is None or seen > max(100_000, 2 * (self.recipe.length or 0)):
                    raise AllBadError(seen, self.recipe.errors.list()[0])
                following.append(self.reader.fetch(planned))
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
            try:
                items[k].data[name] = self.reader.fall_back(items[k], items[k].data[name], said)
                items[k].scales = False  # it is no JPEG any more
            except ValueError as error:
                items[k].fault = BadSample(items[k].index, self.reader.path(items[k]), str(error))
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
            self.planner = None  # perhaps its windows are why
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
        shapes = decode.shapes(images["image"]) if job.reach is None else job.reach.size.tolist()
        for (_, item), shape in zip(job.slots, shapes):
            for name in self.recipe.masks:
                size = item.data[name].shape[:2]
                if name in item.data and tuple(size) != tuple(shape[:2]):
                    text = f"its {name} is {size[0]}x{size[1]}, but the image is {shape[0]}x{shape[1]}"
                    item.fault = BadSample(item.index, self.reader.path(item), text)
                    good = False
        return good

    def _decoder_for(self, count):
        windows, scales = self.planner is not None, self.planner is not None and self.planner.quick
        with contextlib.suppress(IndexError):  # another thread of the same loader may be quicker
            while self.decoder is None:
                decoder = self.recipe.idle.pop()
                if (
                    decoder.capacity >= count
                    and decoder.pid == os.getpid()
                    and (decoder.windows, decoder.scales) == (windows, scales)
                ):
                    self.decoder = decoder
        if self.decoder is None or self.decoder.capacity < count:
            # remembered: what is fed again after a fault must fit the decoder that is made then
            capacity = self.recipe.capacity = max(count, self.recipe.capacity)
            how = self.recipe.images, capacity, self.recipe.threads
            self.decoder = QuickDecoder(*how) if scales else decode.make(*how, self._device_id(), windows)
        return self.decoder

    def _device_id(self):
        return None if self.recipe.device.type == "cpu" else self.recipe.device.index


def _of_jpegs(job):
    """Which of a batch can be decoded at a scale, and their EXIF orientations."""
    return np.array([item.scales for _, item in job.slots]), np.array([item.turn for _, item in job.slots])


@functools.cache
def _end_before_dali():
    """Makes the threads end before DALI shuts down its pipelines at exit: what is registered last is called first."""
    with contextlib.suppress(ImportError):
        import nvidia.dali  # noqa: F401
    atexit.register(lambda: [producer.close() for producer in list(_running)])

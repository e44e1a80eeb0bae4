"""What workers answer, as the loop takes it: in order, with the policy for bad samples applied."""

import itertools
from dataclasses import replace

import numpy as np

from .encoded import Loaded
from .faults import AllBadError, BadSampleError, numbered
from .order import Position, number, to_ids
from .pixels import Packed
from .volumes import is_batch, lead_of
from .workers import Request


class Requests:
    """The batch sampler that torch pulls: each planned batch, remembered until its reply comes."""

    def __init__(self):
        self.start(iter(()), False)

    def start(self, plan, single):
        self.plan, self.single, self.waiting = iter(plan), single, {}

    def __iter__(self):
        plan, single, waiting = self.plan, self.single, self.waiting
        for count, planned in enumerate(plan):
            waiting[count] = planned
            yield Request(count, planned.index_list(), planned.before, planned.after, single)


class Replies:
    """Iterates over (planned, reply) of torch's DataLoader; replies have good samples, or the policy has been applied."""

    def __init__(self, loader, policy, errors, stats, packer):
        self._loader, self._policy, self._errors, self._stats = loader, policy, errors, stats
        self.single, self.listed, self.asked = packer.single, packer.listed, packer.asked
        self._delivered = self._bad = self._skip = 0
        self._last, self._fresh = None, True

    def of_requests(self, requests, fresh):
        """For a map-style dataset: the replies answer these requests."""
        waiting = requests.waiting
        self._planned, self._fresh = (lambda reply: waiting.pop(reply.number)), fresh
        self._begin()
        return self

    def of_stream(self, start, rank, world, goes_on=False):
        """For an iterable dataset: what comes is numbered; the batches before `start` are not delivered again.

        goes_on: the dataset itself does so behind them.
        """
        position = start if goes_on else Position()

        def planned(reply):
            nonlocal position
            now = number(position, reply.count, rank, world)
            reply.faults = numbered(reply.faults, now.ids)
            position = now.position
            return now

        self._planned, self._skip = planned, 0 if goes_on else start.batches
        self._begin()
        return self

    def _begin(self):
        self._iterator = iter(self._loader)
        self.workers = getattr(self._iterator, "_workers", [])

    def __iter__(self):
        return self

    def close(self):
        # workers that are not persistent are ended here and not when the garbage collector comes by
        iterator, self._iterator = self._iterator, iter(())
        if getattr(iterator, "_persistent_workers", True) is False and hasattr(iterator, "_shutdown_workers"):
            iterator._shutdown_workers()

    def __next__(self):
        while True:
            reply = self._reply()
            if reply is None:
                self.close()
                if self._bad and not self._delivered and self._fresh:
                    raise AllBadError(self._bad, self._errors.list()[0])
                raise StopIteration
            if reply.error is not None:
                self.close()
                raise reply.error
            planned = self._planned(reply)
            if planned.position.batches <= self._skip:
                continue
            for fault in reply.faults:
                self._errors.add(fault[0])
            self._bad += len(reply.faults)
            if reply.faults and self._policy == "raise":
                self.close()
                bad, detail, cause = reply.faults[0]
                raise BadSampleError(bad, detail) from cause
            if not reply.at and reply.faults:
                if self._policy == "skip":
                    continue
                if self._last is None:
                    self.close()
                    raise AllBadError(self._bad, self._errors.list()[0])
                # a long run of bad samples: beyond what a worker may look back, the last one that was delivered stands in
                reply = self._last.repeat(len(planned.ids), self.listed)
            self._delivered += len(reply.at)
            reply.data = {name: v.samples() if isinstance(v, Packed) else v for name, v in reply.data.items()}
            if self._policy == "replace":
                self._last = reply
            return planned, reply

    def _reply(self):
        try:
            with self._stats.time("load"):
                return next(self._iterator, None)
        except (OSError, EOFError) as error:
            # how torch dies of a worker that is killed while it hands over memory; what a dataset raises is "Caught ..."
            if getattr(self._iterator, "_num_workers", 0) and not str(error).startswith("Caught"):
                raise RuntimeError("a DataLoader worker exited unexpectedly, was it killed (out of memory)?") from error
            raise


class PixelRoad:
    """Loaded batches of replies that hold pixels."""

    def __init__(self, replies, first=None):
        self._replies, self._first = replies, first

    def __iter__(self):
        return self

    def close(self):
        self._replies.close()

    def __next__(self):
        first, self._first = self._first, None
        planned, reply = first or next(self._replies)
        if reply.samples is not None:
            raise ValueError(_MIXED.format("pixels", "encoded images", planned.index_list()))
        return self._loaded(planned, reply)

    def _loaded(self, planned, reply):
        data, at, indices = reply.data, reply.at, planned.index_list()
        if self._replies.single and data and all(value is not None and value[0].ndim >= 3 for value in _pixels(data)):
            whole = {name: value[0] for name, value in data.items()}
            count = len(next(iter(whole.values())))
            lead = lead_of(whole, self._replies.asked) or next(iter(whole))
            if is_batch(whole[lead], self._replies.asked.kind(lead)):  # the dataset makes its batches itself
                return _of_whole_batch(whole, reply, planned, indices[0], count)
        return Loaded(data, reply.rest, planned.ids[at], planned.occurrence[at], planned.position, [indices[k] for k in at],
                      self._replies.single, self._replies.listed, state=reply.state)  # fmt: skip


def _pixels(data):
    return [value if value is not None and len(value) and hasattr(value[0], "ndim") else None for value in data.values()]


def encoded_plan(replies, first=None):
    """Planned batches whose samples came from workers, for the road that decodes."""
    try:
        for planned, reply in itertools.chain([first] if first is not None else [], replies):
            if reply.samples is None and reply.at:
                raise ValueError(_MIXED.format("encoded images", "pixels", planned.index_list()))
            yield _with_samples(planned, reply)
    finally:
        replies.close()


def _with_samples(planned, reply):
    at, indices = reply.at, planned.index_list()
    return replace(planned, indices=[indices[k] for k in at], ids=planned.ids[at], occurrence=planned.occurrence[at],
                   samples=reply.samples, state=reply.state)  # fmt: skip


_MIXED = "the dataset returned {} at first, and {} for the samples {}; a dataset returns one kind"


def _of_whole_batch(data, reply, planned, index, count):
    if isinstance(index, (list, tuple)) and len(index) == count:
        ids = to_ids(index)
    else:
        ids = planned.ids[0] * count + np.arange(count)
    occurrence = np.repeat(planned.occurrence, count)
    return Loaded(data, reply.rest, ids, occurrence, planned.position, [index], state=reply.state)

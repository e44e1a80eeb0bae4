"""The road for datasets that return pixels: torch's own DataLoader runs `__getitem__`, in processes if asked to.

The order, the policy for bad samples and the structure are ours, so torch is given requests instead of indices, and the
batches come back as lists of images of any size, packed in one block each.
"""

import traceback
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from .encoded import Loaded
from .faults import AllBadError, BadSample, BadSampleError, counted, numbered, one_line, stream
from .order import Position, number, to_ids
from .pixels import Packed, packable, to_pixels, wide
from .structure import Slot, children, collate, convert, find_targets, get, rebuild, source_name, take_out
from .views import path_view


@dataclass
class Request:
    """What a worker is asked for."""

    indices: list
    before: tuple
    after: tuple
    single: bool


@dataclass
class Reply:
    """What a worker answers: the loaded batch, where its samples stood, and the faults met."""

    data: dict = field(default_factory=dict)
    rest: object = None
    at: list = field(default_factory=list)
    faults: list = field(default_factory=list)  # (BadSample, traceback)
    restore: dict = field(default_factory=dict)


@dataclass
class Packer:
    """Joins samples into a Reply. `targets`: the user's; what they are is looked up in the first sample of a batch."""

    targets: dict | None
    roles: object  # name -> "image", "mask" or "as is"
    fields: tuple = ()  # labels of boxes and keypoints
    single: bool = False
    listed: bool = False  # leave the samples apart, for a collate_fn of the user's
    collate_fn: object = None  # without a transform, it runs here as in torch
    transforms: bool = True

    def __call__(self, samples, at=None, faults=()):
        reply = Reply(at=list(range(len(samples))) if at is None else at, faults=list(faults))
        if not samples:
            return reply
        if self.collate_fn is not None and not self.transforms:
            reply.rest = self.collate_fn(samples[0] if self.single else samples)
            return reply
        paths = find_targets(samples[0], self.targets, self.fields)
        if not self.transforms and self.targets is None:  # then all is as in torch, except PIL images, which that refuses
            paths = {name: path for name, path in paths.items() if hasattr(get(samples[0], path), "getbands")}
        taken, rests = zip(*(take_out(s, paths) for s in samples))
        for name in paths:
            leaves = [t[name] for t in taken]
            role = self.roles(name)
            if role == "as is":
                reply.data[name] = leaves
                continue
            if role == "mask" and wide(leaves[0]) is not None:
                reply.restore[name] = wide(leaves[0])
            pixels = [to_pixels(leaf, role == "mask") for leaf in leaves]
            in_worker = get_worker_info() is not None
            reply.data[name] = Packed(pixels) if in_worker and packable(pixels) else pixels
        reply.rest = list(rests) if self.listed else convert(rests[0]) if self.single else collate(list(rests))
        return reply


class Fetcher(Dataset):
    """Answers requests: runs in the workers."""

    def __init__(self, dataset, packer, on_error):
        self.dataset, self.packer, self.on_error = dataset, packer, on_error

    def __getitems__(self, request):
        samples = self._all_at_once(request.indices)
        if samples is not None:
            return self.packer(samples)
        good, faults = {}, []
        for k, index in enumerate(request.indices):
            sample, fault = self._get(index)
            if fault is None:
                good[k] = sample
            else:
                faults.append(fault)
                if self.on_error == "raise":
                    return Reply(faults=faults)
        if faults and self.on_error == "replace":
            for k in range(len(request.indices)):
                if k not in good:
                    found = self._replacement(request, good, k)
                    if found is None:
                        good = {}
                        break
                    good[k] = found[0]
        at = sorted(good)
        return self.packer([good[k] for k in at], at, faults)

    def _all_at_once(self, indices):
        if hasattr(self.dataset, "__getitems__") and not isinstance(indices[0], (list, tuple)):
            try:
                return list(self.dataset.__getitems__(indices))
            except Exception:
                return None  # one by one, to find out which
        return None

    def _get(self, index):
        try:
            return self.dataset[index], None
        except ImportError:  # the fault of the installation, not of a sample
            raise
        except Exception as error:
            text = one_line(f"{type(error).__name__}: {error}")
            return None, (BadSample(index, self._path(index), text), traceback.format_exc())

    def _path(self, index):
        try:
            path_of = path_view(self.dataset)  # not kept: it cannot be sent to a spawned process
            return source_name(path_of(index)) if path_of else None
        except Exception:
            return None

    def _replacement(self, request, good, k):
        """The good sample that precedes position k in the epoch's order, else the next; in a tuple. None if there is none."""
        for j in range(k - 1, -1, -1):
            if j in good:
                return (good[j],)
        for index in reversed(request.before):
            sample, fault = self._get(index)
            if fault is None:
                return (sample,)
        for j in range(k + 1, len(request.indices)):
            if j in good:
                return (good[j],)
        for index in request.after:
            sample, fault = self._get(index)
            if fault is None:
                return (sample,)
        return None


class Stream(IterableDataset):
    """An iterable dataset as torch's workers see it; torch makes its batches."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __iter__(self):
        return stream(self.dataset)


class Requests:
    """The batch sampler that torch pulls: each planned batch, remembered until its reply comes."""

    def __init__(self):
        self.plan, self.single, self.waiting = iter(()), False, []

    def start(self, plan, single):
        self.plan, self.single, self.waiting = iter(plan), single, []

    def __iter__(self):
        plan, single, waiting = self.plan, self.single, self.waiting
        for planned in plan:
            waiting.append(planned)
            yield Request(planned.indices if isinstance(planned.indices, list) else planned.indices.tolist(),
                          planned.before, planned.after, single)  # fmt: skip


def same(x):
    return x


class Once(IterableDataset):
    """A stream that has begun already."""

    def __init__(self, samples):
        self.samples = samples

    def __iter__(self):
        return self.samples


class Single:
    """The packer for samples that come one by one."""

    def __init__(self, packer):
        self.packer = packer

    def __call__(self, sample):
        return self.packer([sample])


class WorkerRoad:
    """Iterates over Loaded batches of torch's DataLoader."""

    def __init__(self, loader, policy, errors, stats, packer):
        self._loader, self._policy, self._errors, self._stats = loader, policy, errors, stats
        self._single, self._listed = packer.single, packer.listed
        self._delivered = self._bad = self._skip = 0
        self._last, self._fresh = None, True

    def of_requests(self, requests, fresh):
        """For a map-style dataset: the replies answer these requests, in order."""
        waiting = requests.waiting
        self._next_planned, self._fresh = (lambda reply: waiting.pop(0)), fresh
        self._iterator = iter(self._loader)
        return self

    def of_stream(self, start, rank, world):
        """For an iterable dataset: what comes is numbered; the batches before `start` are not delivered again."""
        position = Position()

        def planned(reply):
            nonlocal position
            now = number(position, counted(reply), rank, world)
            reply.faults = numbered(reply.faults, now.ids)
            position = now.position
            return now

        self._next_planned, self._skip = planned, start.batches
        self._iterator = iter(self._loader)
        return self

    def __iter__(self):
        return self

    def close(self):
        # workers that are not persistent are ended here and not when the garbage collector comes by
        iterator, self._iterator = self._iterator, iter(())
        if getattr(iterator, "_persistent_workers", True) is False and hasattr(iterator, "_shutdown_workers"):
            iterator._shutdown_workers()

    def __next__(self):
        while True:
            reply = self._next_reply()
            if reply is None:
                self.close()
                if self._bad and not self._delivered and self._fresh:
                    raise AllBadError(self._bad, self._errors.list()[0])
                raise StopIteration
            planned = self._next_planned(reply)
            if planned.position.batches <= self._skip:
                continue
            for bad, _ in reply.faults:
                self._errors.add(bad)
            self._bad += len(reply.faults)
            if reply.faults and self._policy == "raise":
                self.close()
                raise BadSampleError(*reply.faults[0])
            if not reply.at and reply.faults:
                if self._policy == "skip":
                    continue
                if self._last is None:
                    self.close()
                    raise AllBadError(self._bad, self._errors.list()[0])
                reply = self._repeat(len(planned.ids))
            self._delivered += len(reply.at)
            loaded = self._loaded(planned, reply)
            if self._policy == "replace":
                self._last = loaded
            return loaded

    def _next_reply(self):
        try:
            with self._stats.time("load"):
                return next(self._iterator, None)
        except (OSError, EOFError) as error:
            # how torch dies of a worker that is killed while it hands over memory; what a dataset raises is "Caught ..."
            if getattr(self._iterator, "_num_workers", 0) and not str(error).startswith("Caught"):
                raise RuntimeError("a DataLoader worker exited unexpectedly, was it killed (out of memory)?") from error
            raise

    def _repeat(self, count):
        # a long run of bad samples: beyond what a worker may look back, the last sample that was delivered stands in
        last = self._last
        data = {name: [value[-1]] * count for name, value in last.data.items()}
        rest = [last.rest[-1]] * count if self._listed else _repeat_last(last.rest, count)
        return Reply(data, rest, list(range(count)), [], last.restore)

    def _loaded(self, planned, reply):
        data = {name: v.samples() if isinstance(v, Packed) else v for name, v in reply.data.items()}
        at = reply.at
        indices = planned.indices if isinstance(planned.indices, list) else planned.indices.tolist()
        if self._single and data and all(value[0].ndim >= 3 for value in data.values()):
            whole = {name: value[0] for name, value in data.items()}
            count = len(next(iter(whole.values())))
            if whole.get("image", whole[next(iter(whole))]).ndim == 4:  # the dataset makes its batches itself
                return _of_whole_batch(whole, reply, planned, indices[0], count)
        return Loaded(data, reply.rest, planned.ids[at], planned.occurrence[at], planned.position,
                      [indices[k] for k in at], self._single, self._listed, None, reply.restore)  # fmt: skip


def _of_whole_batch(data, reply, planned, index, count):
    if isinstance(index, (list, tuple)) and len(index) == count:
        ids = to_ids(index)
    else:
        ids = planned.ids[0] * count + np.arange(count)
    occurrence = np.repeat(planned.occurrence, count)
    return Loaded(data, reply.rest, ids, occurrence, planned.position, [index], restore=reply.restore)


def _repeat_last(rest, count):
    if isinstance(rest, torch.Tensor):
        return rest[-1:].expand(count, *rest.shape[1:]).clone()
    if isinstance(rest, Slot):
        return rest
    below = children(rest)
    if below is None:
        return rest
    if isinstance(rest, list) and below and not isinstance(below[0][1], (torch.Tensor, Slot, list, dict, tuple)):
        return [rest[-1]] * count  # a column of strings
    return rebuild(rest, [_repeat_last(child, count) for _, child in below])

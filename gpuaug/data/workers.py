"""What runs where the dataset does: in torch's worker processes if there are any.

torch's own DataLoader is given requests instead of indices, since the order, the policy for bad samples and the structure are
ours. What comes back is a `Reply`: images of any size, packed in one block a target, or, where the dataset returns encoded
images, the samples themselves, to be decoded by the loader.
"""

import contextlib
import copy
import inspect
import pickle
import random
import traceback
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from . import decode, host_read, marks, order
from .asked import VOLUMES, shown
from .faults import NONE, BadSample, Sorter, one_line, stream
from .finder import Finder
from .leaves import is_image_path, is_picture, is_source
from .pixels import Packed, packable, to_pixels
from .protocol import is_encoded
from .recognize import check_image, disagreement, shipped
from .structure import Slot, children, collate, convert, get, outline, rebuild, source_name, take_out
from .views import path_view
from .volumes import check_axes


@dataclass
class Request:
    """What a worker is asked for."""

    number: int
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
    faults: list = field(default_factory=list)  # (BadSample, traceback, exception if it can be sent)
    samples: list | None = None  # encoded: not looked into yet
    count: int = 0  # samples asked for, good or not
    number: int = 0  # of the request
    state: tuple | None = None  # the dataset's own, if it has one: (worker, state)
    error: Exception | None = None  # the sample's structure is not clear: no fault of one sample

    def repeat(self, count, listed):
        """The last sample, so many times."""
        if self.samples is not None:
            return Reply(samples=self.samples[-1:] * count, at=list(range(count)))
        data = {name: None if value is None else [value[-1]] * count for name, value in self.data.items()}
        rest = [self.rest[-1]] * count if listed else repeat_last(self.rest, count)
        return Reply(data, rest, list(range(count)))


@dataclass
class Packer:
    """Joins samples into a Reply."""

    asked: object  # recognize.Asked
    single: bool = False
    listed: bool = False  # leave the samples apart, for a collate_fn of the user's
    collate_fn: object = None  # without a transform, it runs here as in torch
    transforms: bool = True
    max_pixels: int | None = None

    def __post_init__(self):
        self.find = Finder(self.asked)
        self.plain = not self.transforms and not self.asked.explicit

    @property
    def as_it_comes(self):
        """Whether a batch goes to the user's collate_fn as the dataset gave it, as in torch."""
        return self.collate_fn is not None and not self.transforms

    @property
    def takes_none(self):
        """Whether a sample may be None: a collate_fn of the user's is there to leave it out."""
        return self.listed or self.collate_fn is not None

    def __call__(self, samples, at=None, faults=()):
        reply = Reply(at=list(range(len(samples))) if at is None else at, faults=list(faults), count=len(samples))
        if reply.faults and not samples:
            return reply
        if self.as_it_comes:
            reply.rest = self.collate_fn(samples[0] if self.single else samples)
            return reply
        present = [k for k, sample in enumerate(samples) if sample is not None]
        if len(present) < len(samples) and not self.takes_none:
            raise ValueError(NONE)
        try:
            paths = self._paths([samples[k] for k in present], [reply.at[k] for k in present])
        except (ValueError, KeyError) as error:
            reply.error = error
            return reply
        if present and "image" in paths and is_source(get(samples[present[0]], paths["image"])):
            reply.samples = list(samples)
            return reply
        try:
            self._fill(reply, samples, present, paths)
        except marks.Unsettled as error:
            reply.error = error
        return reply

    def _paths(self, samples, at):
        """The targets of a batch, which must be the same in all of its samples."""
        if not samples:
            return {}
        found = [self.find(sample) for sample in (samples[:1] if self.plain else samples)]
        paths = found[0] if all(each is found[0] for each in found) else union(found, samples, at)
        if self.transforms:
            check_image(paths, samples[0], self.asked)
            if not self.single:
                check_axes(paths, samples[0], self.asked)
            return paths
        paths = {name: path for name, path in paths.items() if name in ("image", "mask")}
        if self.plain:  # as in torch, except for PIL images, which that refuses
            return {name: path for name, path in paths.items() if is_picture(get(samples[0], path))}
        return paths

    def _fill(self, reply, samples, present, paths):
        ship = shipped(paths)
        taken, rests = [], []
        for k in present:
            one, rest = take_out(samples[k], ship)
            taken.append(one)
            rests.append(rest)
        for name in paths:
            if name not in ship:
                reply.data[name] = None
                continue
            leaves = [t[name] for t in taken]
            role = self.asked.role(name)
            in_worker = get_worker_info() is not None
            if role == "as is":
                given = [marks.opened(leaf, self.asked) for leaf in leaves]
                if isinstance(name, str) and self.asked.kind(name) in VOLUMES and in_worker and packable(given):
                    given = Packed([to_pixels(leaf) for leaf in given])
                reply.data[name] = given
                continue
            leaves = [self._decoded(leaf, role, name) for leaf in leaves]
            pixels = [to_pixels(leaf, role == "mask") for leaf in leaves]
            reply.data[name] = Packed(pixels) if in_worker and packable(pixels) else pixels
        if self.listed:
            reply.rest = [None] * len(samples)
            for k, rest in zip(present, rests):
                reply.rest[k] = rest
            reply.at = [reply.at[k] for k in present]
        else:
            reply.rest = convert(rests[0]) if self.single else collate(rests)

    def _decoded(self, leaf, role, name):
        """A file among pixels, as in (array, "mask.png"), decoded."""
        if not (is_image_path(leaf) or (is_encoded(leaf) and not hasattr(leaf, "dtype"))):
            return leaf
        if role == "mask":
            return decode.load_mask(leaf, self.max_pixels)
        return host_read.read_image(leaf, f"the entry {name}")


def union(found, samples, at):
    """The targets of samples that do not all have the same: where one lacks what others have, it must be empty there."""
    every = {name: path for each in found for name, path in each.items()}
    for k, (each, sample) in enumerate(zip(found, samples)):
        name = disagreement(every, each, sample)
        if name is not None:
            first = next(k for k, other in enumerate(found) if name in other)
            raise ValueError(
                f"the samples of a batch differ in structure: number {at[first]} of it has {name} at {shown(every[name])}, "
                f"number {at[k]} is {outline(sample)}; give all samples the same entries, or say where each is: "
                f"DataLoader(targets=...)"
            )
    return every


class Fetcher(Dataset):
    """Answers requests."""

    def __init__(self, dataset, packer, on_error, states=None):
        self.dataset, self.packer, self.on_error, self.states = dataset, packer, on_error, dict(states or {})

    def __getitems__(self, request):
        states, self.states = self.states, {}
        if worker() in states:
            self.dataset.load_state_dict(states[worker()])
        reply = self._reply(request)
        reply.number = request.number
        reply.state = next(iter(own_state(self.dataset).items()), None)
        return reply

    def _reply(self, request):
        samples, error = self._all_at_once(request.indices)
        if samples is not None:
            return self.packer(samples, list(range(len(request.indices))))
        good, faults = {}, []
        for k, index in enumerate(request.indices):
            sample, fault = self._get(index)
            if fault is None:
                good[k] = sample
            else:
                faults.append(fault)
                if self.on_error == "raise":
                    return Reply(faults=faults)
        if error is not None and not faults and self.on_error == "raise":
            raise error  # no sample is bad: `__getitems__` itself is wrong
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
        """(what `__getitems__` returns, None), or (None, its error): one by one then, to find out which."""
        if not getattr(self.dataset, "__getitems__", None) or self.packer.single:
            return None, None
        try:
            samples = self.dataset.__getitems__(indices)
            if self.packer.as_it_comes:
                return samples, None
            samples = list(samples)
        except Exception as error:
            return None, error
        if len(samples) != len(indices):
            raise ValueError(f"the dataset's __getitems__ returned {len(samples)} samples for the {len(indices)} of {indices}")
        if self.packer.takes_none or all(sample is not None for sample in samples):
            return samples, None
        return None, None

    def _get(self, index):
        try:
            sample = self.dataset[index]
        except ImportError:  # a package that is missing makes no sample bad
            raise
        except Exception as error:
            text = one_line(f"{type(error).__name__}: {error}")
            # with another policy nobody sees it
            cause = sendable(error) if self.on_error == "raise" else None
            return None, (BadSample(index, self._path(index), text), traceback.format_exc(), cause)
        if sample is None and not self.packer.takes_none:
            return None, (BadSample(index, self._path(index), NONE), None, None)
        return sample, None

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
    """An iterable dataset as torch's workers see it; torch makes its batches.

    states: {worker: state} to go on from, for a dataset, or an iterator of it, that has `state_dict` and `load_state_dict`.
    seed, epoch: a worker that works on is seeded for each epoch as a new one would be; seed None: it is not.
    """

    def __init__(self, dataset, states=None, seed=None, epoch=0):
        self.dataset, self.states, self.seed, self.epoch = dataset, dict(states or {}), seed, epoch
        self._iterator, self._worked = None, False

    def __iter__(self):
        if self._worked and self.seed is not None and get_worker_info() is not None:
            self.epoch += 1
            seed_as(order.drawn(order.of_workers(self.seed, self.epoch)), worker())
        self._worked = True
        state = self.states.pop(worker(), {})  # once: a worker that works on has its own
        if "dataset" in state:
            self.dataset.load_state_dict(state["dataset"])
        self._iterator = stream(self.dataset)
        if "iterator" in state:
            self._iterator.load_state_dict(state["iterator"])
        return self._iterator

    def state(self):
        parts = {} if self._iterator is self.dataset else {"dataset": self.dataset}
        parts["iterator"] = self._iterator
        parts = {name: part for name, part in parts.items() if tells_state(part) and hasattr(part, "load_state_dict")}
        return (worker(), {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}) if parts else None


class StreamPacker:
    """The collate_fn of a stream: the packer, and where the stream stands behind the batch."""

    def __init__(self, packer, stream, on_error):
        self.single, self.stream, self.sort = packer.single, stream, Sorter(packer, on_error)

    def __call__(self, samples):
        samples = [samples] if self.single else samples
        reply = self.sort(samples)
        reply.count = len(samples)
        reply.state = self.stream.state()
        return reply


class Init:
    """A worker_init_fn: `get_worker_info().dataset` is the user's, as in torch, and then comes the user's own."""

    def __init__(self, user, shift=0):
        self.user, self.shift = user, shift

    def __call__(self, worker):
        info = get_worker_info()
        worker = (worker + self.shift) % info.num_workers  # an epoch that goes on begins with another worker's turn
        base = info.seed - info.id
        for name, value in (("dataset", info.dataset.dataset), ("id", worker)):
            object.__setattr__(info, name, value)  # torch lets nobody else set it
        if self.shift:  # torch has seeded it as the worker whose place it has
            seed_as(base, worker)
        if self.user is not None:
            self.user(worker)


def seed_as(base, worker):
    """Seed this process as torch's worker number `worker` is."""
    object.__setattr__(get_worker_info(), "seed", base + worker)
    random.seed(base + worker)
    torch.manual_seed(base + worker)
    np.random.seed(torch.utils.data._utils.worker._generate_state(base, worker))  # noqa: NPY002


def sendable(error):
    """The exception, if another process can have it: one with a constructor of its own may not survive the way."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return None


def own_state(dataset):
    """{worker: state} of a dataset with a state of its own, else nothing."""
    return {worker(): copy.deepcopy(dataset.state_dict())} if tells_state(dataset) else {}


def tells_state(part):
    """Whether it has a `state_dict` to be called as torchdata does: LitData's and MosaicML's want to be told how far they are."""
    method = getattr(part, "state_dict", None)
    if method is None:
        return False
    with contextlib.suppress(TypeError, ValueError):  # of a builtin, perhaps
        wants = inspect.signature(method).parameters.values()
        return all(each.default is not each.empty or each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in wants)
    return True


def worker():
    """The number of the worker process that this is; 0 in the loader's own."""
    info = get_worker_info()
    return 0 if info is None else info.id


def same(x):
    return x


def repeat_last(rest, count):
    """A collated structure of `count` samples that are all its last one."""
    if isinstance(rest, torch.Tensor):
        return rest[-1:].expand(count, *rest.shape[1:]).clone()
    if isinstance(rest, Slot):
        return rest
    below = children(rest)
    if below is None:
        return rest
    if isinstance(rest, list) and below and not isinstance(below[0][1], (torch.Tensor, Slot, list, dict, tuple)):
        return [rest[-1]] * count  # a column of strings
    return rebuild(rest, [repeat_last(child, count) for _, child in below])

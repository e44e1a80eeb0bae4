"""`DataLoader`: torch's, with decoding by DALI and transforms as batched kernels."""

import collections
import copy
import dataclasses
import itertools
import os
import time

import numpy as np
import torch
from torch.utils.data import IterableDataset, default_collate, default_convert

from ..memory import count_batch
from . import order, workers
from .encoded import EncodedRoad
from .faults import POLICIES, Errors, Sorter, Unreadable, stream
from .memory import MemoryRoad
from .pixels import apart, stack
from .producer import Producer
from .stats import Stats
from .structure import fill, get
from .survey import is_source, length, packer, recipe, survey, targets_of

START = order.Position()
MAX_PIXELS = 178_956_970  # what Pillow refuses to open: 0.5 GB as RGB
STATE_VERSION = 1


class DataLoader(torch.utils.data.DataLoader):
    """Batches of a dataset, decoded and augmented on `device`. Takes `torch.utils.data.DataLoader`'s arguments, and more.

    Files are decoded by DALI in threads of this process: those of torchvision's `ImageFolder`, of gpuaug's datasets, and of
    any dataset that returns paths or encoded bytes. Datasets that return arrays, PIL images or tensors run in torch's own
    worker processes. Data in memory (`TensorDataset`, torchvision's CIFAR and MNIST without a transform) is indexed as a
    batch. The batch has the structure that torch's default collation gives it, with the image and the other targets replaced.

    Args, as in torch: dataset, batch_size (None: single samples, no batch axis), shuffle, sampler, batch_sampler, collate_fn
        (called in this process with the list of transformed samples), pin_memory, drop_last, timeout (seconds),
        worker_init_fn, multiprocessing_context, generator, prefetch_factor, persistent_workers.
        num_workers: worker processes, or threads that read and decode; 0 means all cores for the latter.
        Under torch.distributed a loader without a sampler of the user's gives each rank its part, as `DistributedSampler`
        does; with drop_last the parts are cut instead of padded.
    transform: a `gpuaug.Compose`, or None to decode only. Images must end with one size.
    mix: a `MixUp` or `CutMix`, or a list of them, for the finished batch; with class numbers they need num_classes.
    targets: {name: where}, which entries of a sample are "image", "mask" or additional targets of the Compose. `where` is a
        key, a position, a field name or a tuple of these. Recognized by default, see `structure.find_targets`.
    device: where batches are delivered; None means "cuda" where there is one, else "cpu".
    dtype: torch dtype of images; None leaves what the transforms make of them.
    channels_last: images [B, C, H, W] in channels-last memory.
    on_error: what to do with samples that cannot be read or decoded. "raise": BadSampleError, which names path and index;
        "skip": leave them out, the epoch has len(dataset) - len(errors) samples, and a batch may be smaller or missing;
        "replace": the good sample that precedes it in the epoch's order stands in (else the next), all counts stay.
        `errors` lists them.
    max_pixels: images that claim more pixels are bad samples, before anything is decoded; None: no limit.
    seed: decides the shuffled order, and the draws of a Compose without a seed. None takes the Compose's seed, else
        `torch.initial_seed()` (under torch.distributed 0, so that all ranks agree).

    Yields:
        batches: images [B, C, H, W], masks [B, H, W], everything else as torch collates it.

    Raises:
        ValueError, TypeError: arguments. BadSampleError: see on_error. AllBadError: an epoch without a good sample.

    The draws of sample i in epoch e depend on (seed, e, i, how often the epoch had it before) alone. The epoch advances with
    each iteration; `set_epoch` sets it. `state_dict` and `load_state_dict` continue exactly, in the middle of an epoch too.

    >>> import numpy as np, torch
    >>> from torch.utils.data import TensorDataset
    >>> data = TensorDataset(torch.zeros(10, 3, 8, 8, dtype=torch.uint8), torch.arange(10))
    >>> [images.shape[0] for images, labels in DataLoader(data, batch_size=4, device="cpu")]
    [4, 4, 2]
    """

    def __init__(self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0, collate_fn=None,
                 pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None, multiprocessing_context=None,
                 generator=None, *, prefetch_factor=None, persistent_workers=False, pin_memory_device="", in_order=True,
                 transform=None, mix=None, targets=None, device=None, dtype=None, channels_last=False, on_error="raise",
                 max_pixels=MAX_PIXELS, seed=None):  # fmt: skip
        if isinstance(dataset, (str, os.PathLike)):  # a str has a length and items: it would pass for a dataset
            # what a folder holds is not guessed: images/ and masks/ would make two classes
            raise TypeError(
                f"dataset must be a dataset, got the path {os.fspath(dataset)!r}; for a folder of images by class use "
                f"gpuaug.data.ImageFolder({os.fspath(dataset)!r}), else another dataset of gpuaug.data"
            )
        super().__init__(
            dataset, batch_size, shuffle, sampler, batch_sampler, num_workers, collate_fn, pin_memory, drop_last, timeout,
            worker_init_fn, multiprocessing_context, generator, prefetch_factor=prefetch_factor,
            persistent_workers=persistent_workers, pin_memory_device=pin_memory_device, in_order=in_order,
        )  # fmt: skip
        _check_arguments(targets, on_error, max_pixels, seed, dtype)
        self.shuffle = bool(shuffle)
        self.transform, self.targets = _as_compose(transform), targets
        self.mix = _as_list(mix)
        if self.mix and batch_size is None and batch_sampler is None:
            raise ValueError("mix needs batches, got batch_size=None")
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.dtype, self.channels_last = dtype, channels_last
        self.on_error, self.max_pixels, self.seed = on_error, max_pixels, seed
        self._streams = isinstance(dataset, IterableDataset)
        pinned = generator is not None and self.shuffle  # then the order is the generator's, as in torch
        self._own_order = sampler is None and batch_sampler is None and not self._streams and not pinned
        # Lightning and others make a loader anew from its attributes: torch's default is no collate_fn of the user's
        self._user_collate = None if collate_fn in (default_collate, default_convert) else collate_fn
        self._epoch = 0
        self._driver = _with_epoch(self.sampler, self.batch_sampler)
        self._seen_epoch = self._driver.epoch if self._driver is not None else None
        self._resume = self._progress = None
        self._errors, self._stats = Errors(), Stats()
        self._set_up = None
        self._held = collections.deque()

    # ---- what the user asks --------------------------------------------------------------------------------------------

    @property
    def errors(self):
        """The bad samples met so far, as a list of BadSample(index, path, reason); each once."""
        return self._errors.list()

    def stats(self):
        """Images per second, seconds by phase, and the bottleneck in one sentence; since the loader was made."""
        return {**self._stats.summary(), "bad_samples": len(self.errors)}

    def set_epoch(self, epoch):
        """The next iteration is epoch `epoch` (int >= 0), the one after it the next."""
        if not isinstance(epoch, (int, np.integer)) or epoch < 0:
            raise ValueError(f"epoch must be an integer >= 0, got {epoch!r}")
        self._epoch, self._resume, self._progress = int(epoch), None, None
        if self._driver is not None:
            self._seen_epoch = self._driver.epoch

    def __len__(self):
        if not self._own_order:
            return super().__len__()
        _, world = _rank()
        n = order.own_length(len(self.dataset), world, self.drop_last)
        size = self.batch_size or 1
        return n // size if self.drop_last else -(-n // size)

    def state_dict(self):
        """Where the loader is, of constant size: to be saved with the model, in the protocol of StatefulDataLoader."""
        at = self._progress or _Progress(self._epoch)
        seed = getattr(self.transform, "seed", None)
        return {
            "version": STATE_VERSION,
            "seed": self._order_seed(),
            "transform_seed": self._order_seed() if seed is None and self.transform is not None else seed,
            "epoch": at.epoch + at.done,
            **({} if at.done else {"sampler": at.sampler}),
            **dataclasses.asdict(START if at.done else at.position),
            "world": _rank()[1],
            "length": length(self.dataset),
        }

    def load_state_dict(self, state):
        """The next iteration continues behind the last batch that was delivered when `state` was taken.

        Another num_workers, device or batch size (with a batch sampler of your own: not that) is fine. The dataset's length and
        the number of ranks must be the same: ValueError. So must be the order: ValueError from the next iteration.
        """
        if state.get("version") != STATE_VERSION:
            raise ValueError(f"this is no state of a gpuaug.DataLoader, or one of another version: {sorted(state)}")
        if state["world"] != _rank()[1]:
            raise ValueError(f"the state was saved with {state['world']} ranks, now there are {_rank()[1]}")
        if state["length"] != length(self.dataset):
            raise ValueError(f"the state is of a dataset of {state['length']} samples, this one has {length(self.dataset)}")
        self.seed = state["seed"]
        if self.transform is not None and hasattr(self.transform, "seed"):
            self.transform.seed = state["transform_seed"]
        position = order.Position(state["batches"], state["samples"], state["checksum"])
        self._resume = self._progress = _Progress(state["epoch"], position, state.get("sampler"))
        self._epoch = state["epoch"]

    def __getstate__(self):  # threads, decoders and iterators stay in the process in which they are
        return {**self.__dict__, "_set_up": None, "_progress": copy.copy(self._progress), "_held": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._held = collections.deque()

    # ---- an epoch --------------------------------------------------------------------------------------------------------

    def __iter__(self):
        resume, self._resume = self._resume, None
        epoch = resume.epoch if resume is not None else self._next_epoch()
        start = resume.position if resume is not None else START
        if self.device.type == "cuda" and self.device.index is None:
            # now and here: the background thread has another current device than the thread that iterates
            self.device = torch.device("cuda", torch.cuda.current_device())
        if self.transform is not None and getattr(self.transform, "seed", 0) is None:
            self.transform.seed = self._order_seed()
        progress = _Progress(epoch, start, resume.sampler if resume is not None else None)
        self._epoch = epoch + 1
        road = self._stream_road(epoch, progress) if self._streams else self._map_road(epoch, progress)
        self._progress = progress
        return LoaderIterator(self, road, progress)

    def _next_epoch(self):
        # whoever calls sampler.set_epoch, as with torch's loader, decides the epoch
        if self._driver is not None and self._driver.epoch != self._seen_epoch:
            return int(self._driver.epoch)
        return self._epoch

    def _order_seed(self):
        if self.seed is not None:
            return self.seed
        seed = getattr(self.transform, "seed", None)
        if seed is None:
            seed = 0 if _rank()[1] > 1 else torch.initial_seed()
        self.seed = seed % 2**64
        return self.seed

    def _plan(self, epoch, progress):
        """The planned batches of an epoch, from where `progress` stands."""
        n, start, seed = length(self.dataset), progress.position, self._order_seed()
        size = self.batch_size or 1
        if self._own_order:
            rank, world = _rank()
            indices, occurrence = order.own_order(n, self.shuffle, seed, epoch, rank, world, self.drop_last)
            return order.plan_own(indices, occurrence, size, self.drop_last, start)
        if self.generator is not None and progress.sampler is None:
            # torch draws a base seed here; doing so too gives the order that torch gives for the same generator
            torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        batched = self.batch_sampler is not None and self.batch_size is None  # a batch sampler of the user's
        sampler = self.batch_sampler if batched else self.sampler
        sampler, progress.sampler = order.pin(sampler, seed, epoch, progress.sampler)
        if self._driver is not None:
            self._seen_epoch = self._driver.epoch
        if batched:
            return order.plan_batch_sampler(sampler, n, start)
        return order.plan_sampler(sampler, size, self.drop_last, n, start)

    def _map_road(self, epoch, progress):
        plan = self._plan(epoch, progress)
        # the first batch is planned here and not in the thread: samplers may use a global random state
        first = next(plan, None)
        plan = itertools.chain([first], plan) if first is not None else iter(())
        single = self.batch_sampler is None and self.batch_size is None
        setup = self._set_up or survey(self, first, single)
        if first is not None:
            self._set_up = setup
        fresh = progress.position.samples == 0
        if setup.kind == "memory":
            return MemoryRoad(setup.view, setup.paths, plan, self._stats, self.transform is None)
        if setup.kind == "encoded":
            return EncodedRoad(Producer(setup.recipe, plan, self._stats, single, fresh), self.timeout)
        requests = setup.requests if self.persistent_workers else workers.Requests()
        requests.start(plan, single)
        if setup.loader is None or not self.persistent_workers:
            fetcher = workers.Fetcher(self.dataset, setup.packer, self.on_error)
            setup.loader = self._torch_loader(epoch, fetcher, workers.same, batch_sampler=requests)
        road = workers.WorkerRoad(setup.loader, self.on_error, self._errors, self._stats, setup.packer)
        return road.of_requests(requests, fresh)

    def _stream_road(self, epoch, progress):
        if hasattr(self.dataset, "set_epoch"):
            self.dataset.set_epoch(epoch)
        single, (rank, world) = self.batch_size is None, _rank()
        size, start = self.batch_size or 1, progress.position
        samples, first = self._peek()
        if first is not None:
            paths = targets_of(self, first)
            if "image" in paths and is_source(get(first, paths["image"])):
                plan = order.plan_stream(samples, size, self.drop_last, start, rank, world)
                producer = Producer(recipe(self, None, paths), plan, self._stats, single, start.samples == 0)
                return EncodedRoad(producer, self.timeout)
        pack = packer(self, single)
        source = workers.Stream(self.dataset) if self.num_workers else workers.Once(samples)
        sorter = Sorter(pack, self.on_error)
        how = {"batch_size": None} if single else {"batch_size": size, "drop_last": self.drop_last}
        loader = self._torch_loader(epoch, source, workers.Single(sorter) if single else sorter, **how)
        road = workers.WorkerRoad(loader, self.on_error, self._errors, self._stats, pack)
        return road.of_stream(start, rank, world)

    def _peek(self):
        """The stream and its first sample; (None, None) where looking would lose it to the workers."""
        if self.num_workers and iter(self.dataset) is iter(self.dataset):
            return None, None
        samples, seen = stream(self.dataset), []
        for first in samples:
            seen.append(first)
            if not isinstance(first, Unreadable):
                return itertools.chain(seen, samples), first
        return iter(seen), None

    def _torch_loader(self, epoch, dataset, collate_fn, **how):
        """torch's DataLoader with this one's settings; the seeds of its workers come from (seed, epoch)."""
        some = self.num_workers > 0
        return torch.utils.data.DataLoader(
            dataset,
            num_workers=self.num_workers,
            collate_fn=collate_fn,
            timeout=self.timeout if some else 0,
            worker_init_fn=self.worker_init_fn,
            multiprocessing_context=self.multiprocessing_context if some else None,
            prefetch_factor=self.prefetch_factor if some else None,
            persistent_workers=self.persistent_workers,
            generator=torch.Generator().manual_seed(order.derive(self._order_seed(), epoch, 1)),
            **how,
        )

    # ---- from loaded to delivered --------------------------------------------------------------------------------------------

    def _deliver(self, loaded, epoch):
        values = self._transformed(loaded, epoch) if loaded.data else {}
        if loaded.listed:
            samples = [fill(rest, {n: v[k] for n, v in values.items()}) for k, rest in enumerate(loaded.rest)]
            rest, values = self._user_collate(samples[0] if loaded.single else samples), {}
        else:
            rest = loaded.rest
            if loaded.single:
                values = {name: value[0] for name, value in values.items()}
        with self._stats.time("upload"):
            batch = fill(rest, values, self.device)
        for mix in self.mix:
            batch = mix(batch, ids=loaded.ids, epoch=epoch, occurrence=loaded.occurrence, seed=self._order_seed(),
                        targets=self.targets or getattr(self.dataset, "targets_hint", None))  # fmt: skip
        if self.pin_memory and self.device.type == "cpu" and torch.cuda.is_available():
            batch = torch.utils.data._utils.pin_memory.pin_memory(batch)
        return batch

    def _transformed(self, loaded, epoch):
        cuda = self.device.type == "cuda"
        if loaded.ready is not None:
            torch.cuda.current_stream(self.device).wait_event(loaded.ready)
        with self._stats.time("kernels"):
            if self.transform is None:
                values = {name: self._untransformed(data, name, loaded.listed) for name, data in loaded.data.items()}
            else:
                try:
                    values = self.transform.run(
                        loaded.data, ids=loaded.ids, epoch=epoch, occurrence=loaded.occurrence, device=self.device,
                        dtype=self.dtype, channels_last=self.channels_last,
                    )  # fmt: skip
                except (ValueError, TypeError) as error:
                    raise type(error)(f"{error}; the batch holds the samples {_few(loaded.indices)}") from error
        for name, dtype in loaded.restore.items():
            values[name] = values[name].to(dtype)
        if cuda:
            self._hold(loaded.data)
        return values

    def _untransformed(self, data, name, listed):
        if listed:
            return [self._untransformed([image], name, False)[0] for image in apart(data)]
        value = stack(data, name)
        if self.device.type != "cpu" and value.device.type == "cpu":
            value = value.pin_memory()
        value = value.to(self.device, self.dtype, non_blocking=True)
        return value.contiguous(memory_format=torch.channels_last) if self.channels_last and value.ndim == 4 else value

    def _hold(self, data):
        """Keeps what DALI decoded until the kernels that read it are done: its memory is not torch's to order."""
        event = torch.cuda.Event()
        event.record(torch.cuda.current_stream(self.device))
        self._held.append((event, data))
        while self._held and self._held[0][0].query():
            self._held.popleft()


class LoaderIterator:
    """One pass over a DataLoader."""

    def __init__(self, loader, road, progress):
        self._loader, self._road, self._progress = loader, road, progress
        self._left = None

    def __iter__(self):
        return self

    def __len__(self):
        return len(self._loader)

    def __next__(self):
        loader, stats = self._loader, self._loader._stats
        entered = time.perf_counter()
        if self._left is not None:
            stats.seconds["consumer"] += entered - self._left
            stats.elapsed += entered - self._left
        try:
            with stats.time("wait"):
                loaded = next(self._road)
            batch = loader._deliver(loaded, self._progress.epoch)
        except StopIteration:
            self._progress.done = True
            self._left = None
            raise
        except BaseException:
            self._road.close()
            self._road, self._left = iter(()), None
            raise
        self._progress.position = loaded.position
        stats.images += len(loaded.ids)
        stats.batches += 1
        count_batch()
        self._left = time.perf_counter()
        stats.elapsed += self._left - entered
        return batch


@dataclasses.dataclass
class _Progress:
    """Where an epoch is. `sampler`: the state of a sampler's randomness when the epoch began."""

    epoch: int
    position: order.Position = START
    sampler: object = None
    done: bool = False


def _with_epoch(*samplers):
    """The sampler that has an epoch of its own, if there is one."""
    for sampler in samplers:
        for s in (sampler, getattr(sampler, "sampler", None)):
            if hasattr(s, "set_epoch") and hasattr(s, "epoch"):
                return s
    return None


def _rank():
    import torch.distributed as dist

    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def _few(indices, limit=64):
    text = ", ".join(str(i) for i in indices[:limit])
    return text + (", ..." if len(indices) > limit else "")


def _as_list(mix):
    mixes = [] if mix is None else list(mix) if isinstance(mix, (list, tuple)) else [mix]
    for m in mixes:
        if not callable(m):
            raise TypeError(f"mix must be a MixUp, a CutMix or a list of them, got {type(m).__name__}")
    return mixes


def _as_compose(transform):
    if transform is None or hasattr(transform, "run"):
        return transform
    from ..compose import Compose
    from ..groups import Group
    from ..transform import Transform

    if isinstance(transform, (Transform, Group)):
        return Compose([transform])
    raise TypeError(
        f"transform must be a gpuaug.Compose, got {type(transform).__name__}; a function of one sample belongs into the dataset"
    )


def _check_arguments(targets, on_error, max_pixels, seed, dtype):
    if on_error not in POLICIES:
        raise ValueError(f"on_error must be one of {', '.join(POLICIES)}, got {on_error!r}")
    if max_pixels is not None and (not isinstance(max_pixels, (int, np.integer)) or max_pixels < 1):
        raise ValueError(f"max_pixels must be an integer >= 1 or None, got {max_pixels!r}")
    if seed is not None and (not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64):
        raise ValueError(f"seed must be an integer in [0, 2**64) or None, got {seed!r}")
    if dtype is not None and not isinstance(dtype, torch.dtype):
        raise TypeError(f"dtype must be a torch.dtype or None, got {dtype!r}")
    if targets is not None and (not isinstance(targets, dict) or "image" not in targets):
        raise ValueError(f"targets must be a dict that says where the image is, as {{'image': 'img'}}, got {targets!r}")

"""`DataLoader`: torch's, with decoding by DALI and transforms as batched kernels."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch.utils.data import IterableDataset, default_collate, default_convert

from ..backends.held import Held
from ..device import chosen
from ..hints import Function
from . import counted, dealing, doubled, order, remade, workers
from .accelerated import Accelerated
from .ahead import finisher, take
from .arrays import MemoryRoad
from .asked import Row
from .decode import decoder_name
from .encoded import EncodedRoad
from .faults import Errors, Unreadable, name_samples, stream
from .foresight import planner, say_exact
from .given import as_compose, as_list, check
from .iterator import LoaderIterator
from .marks import Handed
from .pixels import apart, stack
from .producer import Producer
from .progress import START, Progress, as_text, from_text
from .replies import Replies, Requests
from .stats import Stats
from .stored.road import StoredProducer
from .structure import Slot, children, fill
from .survey import SetUp, asked_of, changeable, length, packer, recipe, survey, targets_of
from .words import in_words, road_in_words
from .worker_road import WorkerRoad

_log = logging.getLogger("gpuaug.loader")

T = TypeVar("T", covariant=True)
MAX_PIXELS = 178_956_970  # what Pillow refuses to open: 0.5 GB as RGB
STATE_VERSION, ELASTIC = 1, 2  # the latter of an epoch that other ranks began


class DataLoader(Accelerated, torch.utils.data.DataLoader[T]):
    """Batches of a dataset, decoded and augmented on `device`. Takes `torch.utils.data.DataLoader`'s arguments, and more.

    Files are decoded by DALI in threads of this process: those of torchvision's `ImageFolder`, of gpuaug's datasets, and of
    any dataset that returns paths or encoded bytes. Datasets that return arrays, PIL images or tensors run in torch's own
    worker processes. Data in memory (`TensorDataset`, torchvision's CIFAR and MNIST without a transform) is indexed as a
    batch. The batch has the structure that torch's default collation gives it, with the image and the other targets replaced.

    Args:
        dataset, shuffle, pin_memory, worker_init_fn, multiprocessing_context, generator, prefetch_factor: as in torch.
        sampler, batch_sampler, drop_last: as in torch. Under torch.distributed a loader without a sampler of the user's gives
            each rank its part, as `DistributedSampler` does; with drop_last the parts are cut instead of padded.
        batch_size: samples of a batch; None: single samples, no batch axis.
        collate_fn: called in this process with the list of transformed samples.
        timeout: seconds.
        num_workers: worker processes, or threads that read and decode; 0 means all cores for the latter.
        transform: a `gpuaug.Compose`, or None to decode only. Images must end with one size.
        mix: a `MixUp` or `CutMix`, or a list of them, for the finished batch; with class numbers they need num_classes.
        targets: ``{name: where}``, which entries of a sample are "image", "mask", "bboxes", "keypoints", label fields or
            additional targets of the Compose. `where` is a key, a position, a field name or a tuple of these. What is not named
            is found by the rules in docs/loading.md; an entry that could be a target and is not found is an error, until it is
            named, or listed: ``{"untouched": [where, ...]}``, a key here meaning every entry of that name.
        device: where batches are delivered; None means "cuda" where there is one, else "cpu".
        dtype: torch dtype of images; None leaves what the transforms make of them.
        channels_last: images [B, C, H, W] in channels-last memory.
        decode: "exact", or "fast": JPEGs that the transform samples at every second, fourth or eighth pixel or less are decoded
            at 1/2, 1/4 or 1/8 of their size, by libjpeg-turbo (``pip install 'gpuaug[fast]'``), on the CPU. Grey levels then
            differ, by what docs/loading.md says. Labels do not, nor do images of which single pixels are read.
        on_error: what to do with samples that cannot be read or decoded. "raise": BadSampleError, which names path and index;
            "skip": leave them out, the epoch has len(dataset) - len(errors) samples, and a batch may be smaller or missing;
            "replace": the good sample that precedes it in the epoch's order stands in (else the next), all counts stay.
            `errors` lists them.
        max_pixels: images that claim more pixels are bad samples, before anything is decoded; None: no limit.
        seed: decides the shuffled order, and the draws of a Compose without a seed. None draws one at the first use, from
            `generator` if that is given, else from torch's: each loader has its own, and the same again after
            `torch.manual_seed` (under torch.distributed it is 0, so that all ranks agree).
        in_order: False lets torch's workers deliver batches as they get ready, where workers call `__getitem__`.

    Yields:
        batches: images [B, C, H, W], masks [B, H, W], everything else as torch collates it.

    Raises:
        ValueError, TypeError: arguments. ImportError: decode="fast" without libjpeg-turbo.
        BadSampleError: see on_error. AllBadError: an epoch without a good sample.

    The draws of sample i in epoch e depend on (seed, e, i, how often the epoch had it before) alone. The epoch advances with
    each iteration; `set_epoch` sets it. `state_dict` and `load_state_dict` continue exactly, in the middle of an epoch too.

    >>> import numpy as np, torch
    >>> from torch.utils.data import TensorDataset
    >>> data = TensorDataset(torch.zeros(10, 3, 8, 8, dtype=torch.uint8), torch.arange(10))
    >>> [images.shape[0] for images, labels in DataLoader(data, batch_size=4, device="cpu")]
    [4, 4, 2]
    """

    def __init__(
        self,
        dataset: torch.utils.data.Dataset[T] | Sequence[T],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Function | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Function | None = None,
        multiprocessing_context: Any = None,
        generator: torch.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        transform: Function | None = None,
        mix: Any = None,
        targets: Mapping[str, Any] | None = None,
        device: str | torch.device | None = None,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
        on_error: str = "raise",
        max_pixels: int | None = MAX_PIXELS,
        seed: int | None = None,
        decode: str = "exact",
    ):
        if isinstance(dataset, (str, os.PathLike)):  # a str has a length and items: it would pass for a dataset
            # what a folder holds is not guessed: images/ and masks/ would make two classes
            raise TypeError(
                f"dataset must be a dataset, got the path {os.fspath(dataset)!r}; for a folder of images by class use "
                f"gpuaug.data.ImageFolder({os.fspath(dataset)!r}), else another dataset of gpuaug.data"
            )
        collate_fn = remade.function_of(collate_fn, transform=transform, mix=mix, targets=targets, dtype=dtype)
        super().__init__(
            dataset, batch_size, shuffle, sampler, batch_sampler, num_workers, collate_fn, pin_memory, drop_last, timeout,
            worker_init_fn, multiprocessing_context, generator, prefetch_factor=prefetch_factor,
            persistent_workers=persistent_workers, pin_memory_device=pin_memory_device, in_order=in_order,
        )  # fmt: skip
        check(targets, on_error, max_pixels, seed, dtype, generator, decode)
        self._shuffle = bool(shuffle)
        self.transform, self.targets = as_compose(transform), targets
        self.mix = as_list(mix)
        if self.mix and batch_size is None and batch_sampler is None:
            raise ValueError("mix needs batches, got batch_size=None")
        self.device = chosen(device, "best")
        self.dtype, self.channels_last = dtype, channels_last
        self.on_error, self.max_pixels, self.seed, self.decode = on_error, max_pixels, seed, decode
        remade.keep(self)
        self._streams = isinstance(dataset, IterableDataset)
        pinned = generator is not None and self._shuffle  # then the order is the generator's, as in torch
        self._own_order = sampler is None and batch_sampler is None and not self._streams and not pinned
        # Lightning and others make a loader anew from its attributes: torch's default is no collate_fn of the user's
        self._user_collate = None if collate_fn in (default_collate, default_convert) else collate_fn
        if self._own_order and shuffle:
            object.__setattr__(self, "sampler", order.EpochSampler(dataset))  # torch forbids to set it
            if self.batch_sampler is not None:
                self.batch_sampler.sampler = self.sampler
        self._epoch = 0
        self._driver = _with_epoch(self.sampler, self.batch_sampler)
        self._seen_epoch = self._driver.epoch if self._driver is not None else None
        self._resume = self._progress = self._loaded_seed = None
        self._errors, self._stats = Errors(), Stats()
        self._set_up = self._decoding = None
        self._kept, self._drawn, self._said_exact = {}, False, False
        self._held = Held()

    # ---- what the user asks --------------------------------------------------------------------------------------------

    @property
    def errors(self):
        """The bad samples met so far, as a list of BadSample(index, path, reason); each once."""
        return self._errors.list()

    def stats(self) -> Any:
        """Images per second, seconds by phase, the bottleneck in one sentence, what decodes; since the loader was made."""
        more = {"bad_samples": len(self.errors), "decoder": decoder_name(), "road": road_in_words(self)}
        return {**self._stats.summary(), **more}

    def __repr__(self):
        return in_words(self)

    def set_epoch(self, epoch: int) -> None:
        """The next iteration is epoch `epoch` (int >= 0), the one after it the next."""
        if not isinstance(epoch, (int, np.integer)) or epoch < 0:
            raise ValueError(f"epoch must be an integer >= 0, got {epoch!r}")
        self._epoch, self._resume, self._progress = int(epoch), None, None
        if self._driver is not None:
            self._seen_epoch = self._driver.epoch

    def __len__(self):
        at, now = self._progress, self._dealing()
        legs = at.place(now)[0] if at is not None and not at.done else ()
        if not legs and not self._own_order:
            return super().__len__()
        return sum(leg.batches() for leg in legs) + dealing.number_of_batches(self, now, legs)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader is, of constant size: to be saved with the model, in the protocol of StatefulDataLoader."""
        at = self._progress or Progress(self._epoch)
        was = (None if at.done else at.dealing) or self._dealing()
        if not self.in_order and self.num_workers and at.position.batches and not at.done:
            raise ValueError("with in_order=False nobody knows which batches are still to come; save between epochs")
        return {
            "version": ELASTIC if at.legs and not at.done else STATE_VERSION,
            "seed": self._order_seed(),
            "transform_seed": None if self.transform is None else self._draw_seed(),
            "epoch": at.epoch + at.done,
            "sampler": as_text(self._sampler_ahead() if at.done or self._progress is None else at.sampler),
            **dataclasses.asdict(START if at.done else at.position),
            **({"dataset": at.saved(self.num_workers)} if at.states and (not at.done or self._lives_on()) else {}),
            **dataclasses.asdict(was),
            "legs": [] if at.done else [leg.saved() for leg in at.legs],
            "length": length(self.dataset),
        }

    def load_state_dict(self, state: dict[str, Any] | Sequence[dict[str, Any]]) -> None:
        """The next iteration continues behind the last batch that was delivered when `state` was taken.

        state: of this rank, or of any one where all had delivered equally many batches; or a list of those of all ranks.

        Another num_workers, device or batch size (with a batch sampler of your own: not that) is fine. With another number of
        ranks, or a list of states of ranks that had come differently far, what the epoch has left is dealt out anew: each of its
        samples is delivered once, with the pixels that it would have had (docs/scale.md). ValueError where it is not known how
        samples are dealt out (streams, samplers of your own), and for another length of the dataset; where the order is
        another one, from the next iteration.
        """
        if isinstance(state, (list, tuple)):
            state = dealing.joined(state, self._dealing().rank)
        if state.get("version") not in (STATE_VERSION, ELASTIC):
            raise ValueError(f"this is no state of a gpuaug.DataLoader, or one of another version: {sorted(state)}")
        if state["length"] != length(self.dataset):
            raise ValueError(f"the state is of a dataset of {state['length']} samples, this one has {length(self.dataset)}")
        now, known = self._dealing(), self._own_order or dealing.sampler_of(self) is not None
        legs, was, position = dealing.place_of(state, now, _rank()[1], dealing.is_batched(dealing.sampler_of(self)))
        if was.world != now.world or dealing.settled(legs, was, position, now)[0]:
            dealing.check_known(self, state, known)
        self.seed, self._loaded_seed = state["seed"], state["transform_seed"]
        self._resume = self._progress = Progress(
            state["epoch"], position, from_text(state.get("sampler")), legs=legs, dealing=was
        )
        if "dataset" in state:
            self._progress.restore(state["dataset"], self.num_workers)
        self._epoch = state["epoch"]

    def __getstate__(self):  # threads, decoders and iterators stay in the process in which they are
        return {**self.__dict__, "_set_up": None, "_decoding": None, "_progress": copy.copy(self._progress), "_held": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._held = Held()

    # ---- an epoch --------------------------------------------------------------------------------------------------------

    def __iter__(self):
        counted.tell()
        resume, self._resume = self._resume, None
        epoch = resume.epoch if resume is not None else self._next_epoch()
        start = resume.position if resume is not None else START
        if self.pin_memory and not torch.accelerator.is_available():
            warnings.warn("'pin_memory' argument is set as true but no accelerator is found: nothing is pinned", stacklevel=2)
        if self.device.type == "cuda" and self.device.index is None:
            # now and here: the background thread has another current device than the thread that iterates
            self.device = torch.device("cuda", torch.cuda.current_device())
        if self.transform is not None:
            asked_of(self)  # what targets= names and the transform does not know is an error before anything is loaded
            doubled.check(self.dataset, self.transform)
        self._errors.begin()
        if self._driver is not None:
            self._seen_epoch = self._driver.epoch
        progress = resume if resume is not None else Progress(epoch, start, states=self._kept)
        self._kept = {}
        self._epoch = epoch + 1
        road = (self._stream_road if self._streams else self._map_road)(epoch, progress, resume is not None)
        self._progress = progress
        return LoaderIterator(self, self._told(road, _rank()[1]), progress)

    def _dealing(self):
        """How this rank is dealt to."""
        known = None if self._own_order else dealing.sampler_of(self)
        return dealing.Dealing(*_rank(), self._block(), self.drop_last) if known is None else dealing.dealing_of(known)

    def _to_deal(self):
        """Of how many samples the epoch's own order deals out parts: those that no other ranks delivered."""
        legs = () if self._progress is None else self._progress.legs
        return dealing.number_left(len(self.dataset), legs, False)

    def _lives_on(self):
        """Whether what a map-style dataset has in it at the end of an epoch is there in the next: as with torch's loader."""
        return not self._streams and (self.persistent_workers or not self.num_workers)

    def _next_epoch(self):
        # whoever calls sampler.set_epoch, as with torch's loader, decides the epoch
        if self._driver is not None and self._driver.epoch != self._seen_epoch:
            return int(self._driver.epoch)
        return self._epoch

    def _order_seed(self):
        if self.seed is None:
            # drawn as torch's loader draws: another for each loader, the same after torch.manual_seed; ranks must agree
            drawn = 0 if _rank()[1] > 1 else order.drawn(order.twin(self.generator))
            self.seed = drawn % 2**64
        return self.seed

    def _sampler_ahead(self):
        """What a sampler of the user's generator begins the next epoch with."""
        return None if self._streams else order.ahead(self._indices(), None if self._drew() else self.generator)

    def _indices(self):
        """The sampler to iterate: the user's batch sampler, or what gives one index after the other."""
        return self.batch_sampler if self.batch_sampler is not None and self.batch_size is None else self.sampler

    def _drew(self):
        """Whether torch, which draws a base seed when it starts workers, would draw no further one."""
        return self.persistent_workers and self._drawn

    def _draw_as_torch(self):
        """Doing so too gives the order that torch gives for the same generator."""
        if self.generator is not None and not self._drew():
            order.drawn(self.generator)
        self._drawn = True

    def _draw_seed(self):
        """The seed of the transform's draws: its own, or that of a state that was loaded, or the order's."""
        if self._loaded_seed is not None:
            return self._loaded_seed
        own = getattr(self.transform, "seed", None)
        return self._order_seed() if own is None else own

    def _plan(self, epoch, progress):
        """The planned batches of an epoch, from where `progress` stands."""
        # the own order needs a length, and says so as torch's samplers do
        n = len(self.dataset) if self._own_order else length(self.dataset)
        seed, size, now = self._order_seed(), self.batch_size or 1, self._dealing()
        if self._own_order:
            self._draw_as_torch()
            found = progress.begin(dealing.Entries(order.in_order(n, self._shuffle, seed, epoch)), now)
            return order.plan_own(*found, size, self.drop_last, progress.position)
        if progress.sampler is None:
            self._draw_as_torch()
        self._drawn = True
        sampler, progress.sampler = order.pin(self._indices(), seed, epoch, progress.sampler)
        if self._driver is not None:
            self._seen_epoch = self._driver.epoch
        if progress.is_moved(now):
            return dealing.plan(self, progress, now, n)
        progress.dealing, start = now, progress.position
        if self._indices() is self.batch_sampler:
            return order.plan_batch_sampler(sampler, n, start, empty=self._user_collate is not None)
        return order.plan_sampler(sampler, size, self.drop_last, n, start)

    def _map_road(self, epoch, progress, resumed):
        plan = self._plan(epoch, progress)
        # the first batch is planned here and not in the thread: samplers may use a global random state
        first = next(plan, None)
        plan = itertools.chain([first], plan) if first is not None else iter(())
        single = self.batch_sampler is None and self.batch_size is None
        looks = changeable(self.dataset), asked_of(self)
        setup = self._set_up if self._set_up is not None and self._set_up.looks == looks else survey(self, first, single)
        if first is not None and setup is not self._set_up:
            setup.looks, self._set_up = looks, setup
            _log.info("epoch %d: %s", epoch, road_in_words(self))
        fresh = progress.position.samples == 0
        if setup.kind in ("memory", "stored"):
            say_exact(self, "the dataset holds pixels, and nothing is decoded")
        if setup.kind == "memory":
            return MemoryRoad(setup.view, setup.paths, asked_of(self), plan, self._stats, self.transform is None)
        if setup.kind in ("encoded", "stored"):
            kind = Producer if setup.kind == "encoded" else StoredProducer
            return EncodedRoad(kind(setup.recipe, plan, self._stats, single, fresh, *self._hooks(epoch)), self.timeout)
        again = self._work_on(setup, resumed)
        requests = setup.requests if again else Requests()
        requests.start(plan, single)
        if not again:
            setup.requests, setup.turn = requests, progress.turn()
            fetcher = workers.Fetcher(self.dataset, setup.packer, self.on_error, progress.states)
            setup.loader = self._torch_loader(epoch, progress, fetcher, workers.same, batch_sampler=requests)
        if not self.num_workers and not resumed:
            progress.states = workers.own_state(self.dataset)
        replies = Replies(setup.loader, self.on_error, self._errors, self._stats, setup.packer)
        return WorkerRoad(self, replies.of_requests(requests, fresh), single, fresh, True, epoch)

    def _hooks(self, epoch):
        """What a producer calls for each batch: what finishes it, and what knows its windows."""
        return finisher(self, epoch), planner(self, epoch)

    def _work_on(self, setup, resumed):
        """Whether the last epoch's workers serve this one; those that had each other's turn do not."""
        return self.persistent_workers and setup.loader is not None and not resumed and not setup.turn

    def _stream_road(self, epoch, progress, resumed):
        if hasattr(self.dataset, "set_epoch"):
            self.dataset.set_epoch(epoch)
        single, (rank, world) = self.batch_size is None, _rank()
        size, start = self.batch_size or 1, progress.position
        progress.dealing = self._dealing()
        fresh = start.samples == 0
        self._draw_as_torch()
        if getattr(self.dataset, "yields_encoded", False):  # it says that it may be iterated here
            self._order_seed()  # drawn here and not in the thread: it may be of torch's global generator
            samples, seen = stream(self.dataset), []
            for sample in samples:
                seen.append(sample)
                if not isinstance(sample, Unreadable):
                    break
            if not seen:
                return iter(())
            paths = {} if isinstance(seen[-1], Unreadable) else targets_of(self, seen[-1])
            plan = order.plan_stream(itertools.chain(seen, samples), size, self.drop_last, start, rank, world)
            made = recipe(self, None, paths, keyed=False)
            return EncodedRoad(Producer(made, plan, self._stats, single, fresh, *self._hooks(epoch)), self.timeout)
        setup, looks = self._set_up, (changeable(self.dataset), asked_of(self))
        told = hasattr(self.dataset, "set_epoch")  # workers that work on would not hear of it
        apart = setup is None or told or setup.looks != looks or setup.epoch + 1 != epoch
        if apart or not self._work_on(setup, resumed):
            pack = packer(self, single)
            how = {"batch_size": None} if single else {"batch_size": size, "drop_last": self.drop_last}
            seed = None if self.worker_init_fn is not None else self._order_seed()  # that may have seeded them otherwise
            source = workers.Stream(self.dataset, progress.states, seed, epoch)
            loader = self._torch_loader(epoch, progress, source, workers.StreamPacker(pack, source, self.on_error), **how)
            setup = self._set_up = SetUp("workers", packer=pack, loader=loader, looks=looks, turn=progress.turn())
        setup.epoch = epoch
        replies = Replies(setup.loader, self.on_error, self._errors, self._stats, setup.packer)
        replies.of_stream(start, rank, world, bool(progress.states))
        if not self.num_workers and not progress.states:
            progress.states = dict(filter(None, [setup.loader.dataset.state()]))
        return WorkerRoad(self, replies, single, fresh, False, epoch)

    def _torch_loader(self, epoch, progress, dataset, collate_fn, **how):
        """torch's DataLoader with this one's settings; the seeds of its workers come from (seed, epoch)."""
        some = self.num_workers > 0
        return torch.utils.data.DataLoader(
            dataset,
            num_workers=self.num_workers,
            collate_fn=collate_fn,
            timeout=self.timeout if some else 0,
            worker_init_fn=workers.Init(self.worker_init_fn, progress.turn()) if some else self.worker_init_fn,
            in_order=self.in_order,
            multiprocessing_context=self.multiprocessing_context if some else None,
            prefetch_factor=self.prefetch_factor if some else None,
            persistent_workers=self.persistent_workers,
            generator=order.of_workers(self._order_seed(), epoch),
            **how,
        )

    # ---- from loaded to delivered --------------------------------------------------------------------------------------------

    def _deliver(self, loaded, epoch):
        if loaded.done is None:
            values = self._values(loaded, epoch)
        elif loaded.listed:
            values = take(loaded, self.device)
        else:
            return take(loaded, self.device)
        if loaded.listed:
            good = itertools.count()  # a sample that is None is in none of the values
            samples = [r if r is None else _filled(r, values, next(good)) for r in loaded.rest]
            rest, values = self._user_collate(samples[0] if loaded.single else samples), {}
        else:
            rest = loaded.rest
            if loaded.single:
                values = {name: value[0] for name, value in values.items()}
        with self._stats.time("upload"):
            batch = fill(rest, values, self.device)
        for mix in self.mix:
            batch = mix(batch, ids=loaded.ids, epoch=epoch, occurrence=loaded.occurrence, seed=self._order_seed(),
                        targets=None if loaded.listed else _places(loaded.rest) or None)  # fmt: skip
        if self.pin_memory and self.device.type == "cpu" and torch.cuda.is_available():
            batch = torch.utils.data._utils.pin_memory.pin_memory(batch)
        return batch

    def _values(self, loaded, epoch):
        return self._transformed(loaded, epoch) if loaded.data else {}

    def _transformed(self, loaded, epoch):
        cuda = self.device.type == "cuda"
        if loaded.ready is not None:
            torch.cuda.current_stream(self.device).wait_event(loaded.ready)
        with self._stats.time("kernels"):
            if self.transform is None:
                values = {name: self._untransformed(data, name, loaded.listed) for name, data in loaded.data.items()}
            else:
                try:
                    handed = Handed(loaded.data)
                    values = handed.back(self.transform.run(
                        handed.targets, ids=loaded.ids, epoch=epoch, occurrence=loaded.occurrence, device=self.device,
                        dtype=self.dtype, channels_last=self.channels_last, seed=self._draw_seed(), **handed.options,
                    ))  # fmt: skip
                except Exception as error:
                    name_samples(error, loaded.indices)
                    raise
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
        self._held.purge()
        event = torch.cuda.Event()
        event.record(torch.cuda.current_stream(self.device))
        self._held.keep(event, data)


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


def _filled(rest, values, k):
    return fill(rest, {name: value[k] for name, value in values.items()})


def _places(rest, path=()):
    """{name: path} of the targets in a batch's structure."""
    if isinstance(rest, Slot):
        return {} if isinstance(rest.name, Row) else {rest.name: path}
    return {name: where for key, child in children(rest) or () for name, where in _places(child, (*path, key)).items()}

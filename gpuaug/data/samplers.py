"""Samplers whose order is a function of ``(seed, epoch)`` alone.

What they share: the whole order of an epoch is computed at once, the same on every process; a process of a
distributed run takes every world-size-th entry of it. So resuming is a position in a known list, and a run on
four GPUs visits the samples of a run on one. A sample that comes up again in an epoch is augmented anew: its number of
earlier appearances, `occurrences`, is part of what the transforms' draws are computed from.

Like torch's ``DistributedSampler``, they need ``set_epoch(e)``, or every epoch has the same order; gpuaug.DataLoader
calls it, with torch's own DataLoader it is up to the training loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset, Dataset, Sampler

__all__ = [
    "GroupBatchSampler",
    "ImbalancedSampler",
    "MixedBatchSampler",
    "RepeatBatchSampler",
    "class_numbers",
    "occurrences",
    "stratified_split",
]


def occurrences(indices):
    """How often each entry of `indices` stands before its own position: ``[7, 3, 7, 7] -> [0, 0, 1, 2]``."""
    indices = np.asarray(indices, np.int64)
    by_index = np.argsort(indices, kind="stable")
    ordered = indices[by_index]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    run_start = np.repeat(starts, np.diff(starts, append=len(ordered)))
    count = np.empty(len(indices), np.int64)
    count[by_index] = np.arange(len(indices)) - run_start
    return count


def class_numbers(data, column=None):
    """The class of every sample, as int64 ``[n]`` numbered from 0 in sorted order.

    `data` is a sequence of labels, or a dataset: one with ``column(name)`` (gpuaug's), with ``targets`` or ``labels``
    (torchvision's), with ``get_labels()``, or a ``Subset`` or ``ConcatDataset`` of such. Several columns give the classes of
    their combinations.
    """
    labels = _labels(data, column)
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        at = int(np.flatnonzero(np.isnan(labels))[0])
        raise ValueError(f"the label of sample {at} is NaN; every sample needs a class: fill or drop it first")
    if len(labels) == 0:
        raise ValueError("there are no labels: sampling by class needs at least one sample")
    return np.unique(labels, return_inverse=True)[1].reshape(-1)


def _labels(data, column):
    if isinstance(column, (list, tuple)):
        if not column:
            raise ValueError("column is an empty list; name at least one column")
        combined = np.stack([class_numbers(data, c) for c in column], axis=1)
        return np.unique(combined, axis=0, return_inverse=True)[1].reshape(-1)
    if hasattr(data, "indices") and hasattr(data, "dataset"):
        return _labels(data.dataset, column)[np.asarray(data.indices)]
    if isinstance(data, ConcatDataset):
        return np.concatenate([_labels(part, column) for part in data.datasets])
    if column is not None:
        if not hasattr(data, "column"):
            raise TypeError(
                f"column={column!r} needs a dataset with a column() method, got {type(data).__name__}; "
                f"pass the column's values themselves"
            )
        labels = data.column(column)
    elif hasattr(data, "targets"):
        labels = data.targets
    elif callable(getattr(data, "get_labels", None)):
        labels = data.get_labels()
    elif isinstance(data, Dataset) and hasattr(data, "labels"):
        labels = data.labels
    elif hasattr(data, "__getitem__") and not isinstance(data, Dataset) and not hasattr(data, "column"):
        labels = data
    else:
        raise TypeError(
            f"{type(data).__name__} has no targets, labels or get_labels(); pass the labels, or a dataset and column='...'"
        )
    labels = np.asarray(labels)
    if hasattr(data, "__len__") and len(labels) != len(data):
        raise ValueError(f"{type(data).__name__} has {len(data)} samples and {len(labels)} labels; each sample needs one")
    if labels.ndim != 1 or (labels.dtype.kind == "O" and not all(isinstance(v, str) for v in labels)):
        raise TypeError(f"labels must be one number or one string per sample, got {labels.dtype} of shape {labels.shape}")
    return labels


class _Stream:
    """Uniforms of one epoch. Raw Philox words: the streams of NumPy's distributions may change with a release."""

    def __init__(self, seed, epoch):
        self.seed, self.epoch, self.number = seed, epoch, 0

    def uniforms(self, n):
        key = np.array([self.seed & (2**64 - 1), self.epoch << 32 | self.number], np.uint64)
        self.number += 1
        return (np.random.Philox(key=key).random_raw(n) >> np.uint64(11)) * 2.0**-53

    def shuffled(self, values):
        return np.asarray(values)[np.argsort(self.uniforms(len(values)), kind="stable")]

    def cycled(self, values, n):
        """n entries: `values` shuffled, then shuffled anew, and so on; none is a whole round ahead of another."""
        rounds = -(-n // len(values))
        return np.concatenate([self.shuffled(values) for _ in range(rounds)] or [np.empty(0, np.int64)])[:n]


class _EpochSampler(Sampler):
    """An order that is computed at once, shared out between processes and resumable at any entry."""

    deals_out = True
    together = 1  # entries, one after the other, that a process gets before the next process gets as many

    def __init__(self, seed: int | None, num_replicas: int | None, rank: int | None, drop_last: bool):
        self.seed = _whole("seed", seed, least=None)
        if (num_replicas is None) != (rank is None):
            raise ValueError("num_replicas and rank go together: give both, or neither to take torch.distributed's")
        if num_replicas is not None and not 0 <= rank < _whole("num_replicas", num_replicas, least=1):
            raise ValueError(f"rank must be in [0, num_replicas), got rank={rank}, num_replicas={num_replicas}")
        self._world = None if rank is None else (num_replicas, rank)
        self.drop_last = drop_last
        self.epoch = 0
        self._yielded = 0
        self._resume_at = 0

    def order(self, epoch) -> Any:
        """All entries of the epoch, over all processes: an array of indices, or a list of batches."""
        raise NotImplementedError

    def total(self) -> int:
        """``len(order(epoch))``, the same for every epoch."""
        raise NotImplementedError

    def set_epoch(self, epoch):
        self.epoch = _whole("epoch", epoch, least=0)

    def state_dict(self):
        return {"seed": self.seed, "epoch": self.epoch, "yielded": self._yielded}

    def load_state_dict(self, state):
        """The next iteration continues behind the `yielded` entries that this process had taken."""
        if state["seed"] != self.seed:
            raise ValueError(
                f"the state was saved with seed={state['seed']}, this sampler has seed={self.seed}: another order; "
                f"build the sampler with the same seed"
            )
        self.set_epoch(state["epoch"])
        self._resume_at = self._yielded = _whole("yielded", state["yielded"], least=0)

    def world_and_rank(self):
        """Between how many processes the order is shared out, and which of them this is."""
        return self._world or _distributed()

    def positions(self):
        """Where in ``order(epoch)`` this process's entries are. The tail is filled from the front, or dropped."""
        world, rank = self.world_and_rank()
        each = len(self)
        return np.arange(rank, each * world, world) % max(self.total(), 1)

    def __len__(self):
        world, _ = self.world_and_rank()
        return self.total() // world if self.drop_last else -(-self.total() // world)

    def __iter__(self):
        # not a generator: state_dict() must speak of this iteration as soon as iter() was called
        self._yielded, self._resume_at = self._resume_at, 0
        return self._entries(self.order(self.epoch), self.positions()[self._yielded :])

    def _entries(self, order, positions):
        for position in positions:
            self._yielded += 1
            yield order[position].tolist()


class ImbalancedSampler(_EpochSampler):
    """Draws with replacement so that every class comes equally often, however rare it is.

    `data`: labels, or a dataset whose `column` (or ``targets``) has them; see `class_numbers`.
    `power`: a sample's weight is its class's size to the minus `power`: 1 balances fully, 0.5 half-way, 0 not at all.
    `indices`: of `data`, those to draw from, such as one part of `stratified_split`; by default all.

    Example:
        >>> from gpuaug.data import ImbalancedSampler
        >>> labels = [0] * 90 + [1] * 10
        >>> drawn = list(ImbalancedSampler(labels, num_samples=1000))
        >>> 400 < sum(labels[i] for i in drawn) < 600
        True
    """

    def __init__(
        self,
        data: Any,
        column: str | int | None = None,
        num_samples: int | None = None,
        power: float = 1.0,
        seed: int | None = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
        *,
        indices: Any = None,
    ):
        super().__init__(seed, num_replicas, rank, drop_last)
        if not 0 <= power < np.inf:
            raise ValueError(f"power must be a number >= 0, got {power!r}")
        classes, self._indices = _part(class_numbers(data, column), indices)
        self.num_samples = len(classes) if num_samples is None else _whole("num_samples", num_samples, least=1)
        weights = np.bincount(classes).astype(np.float64) ** -power
        self._cumulated = np.cumsum(weights[classes])
        self._cumulated /= self._cumulated[-1]

    def total(self) -> int:
        return self.num_samples

    def order(self, epoch: int) -> Any:
        u = _Stream(self.seed, epoch).uniforms(self.num_samples)
        return self._indices[np.searchsorted(self._cumulated, u, side="right")]

    def occurrences(self) -> Any:
        """For each index that this process yields: how often the epoch's whole order had it before."""
        return occurrences(self.order(self.epoch))[self.positions()]


class _EpochBatchSampler(_EpochSampler):
    def __init__(self, batch_size: int | None, seed: int | None, num_replicas: int | None, rank: int | None, drop_last: bool):
        super().__init__(seed, num_replicas, rank, drop_last)
        self.batch_size = _whole("batch_size", batch_size, least=1)

    def occurrences(self) -> Any:
        """For each batch that this process yields, an array: how often the epoch had each of its samples before."""
        batches = self.order(self.epoch)
        counts = occurrences(np.concatenate(batches)) if len(batches) else np.empty(0, np.int64)
        ends = np.cumsum([len(batch) for batch in batches])
        return [counts[ends[p] - len(batches[p]) : ends[p]] for p in self.positions()]


class RepeatBatchSampler(_EpochBatchSampler):
    """A batch is one sample, `batch_size` times: as every appearance gets its own draw, one sample augmented
    `batch_size` ways. `data` is a dataset, or the number of samples; an epoch has one batch for each, or each of `indices`.

    Example:
        >>> from gpuaug.data import RepeatBatchSampler
        >>> list(RepeatBatchSampler(3, batch_size=2, shuffle=False))
        [[0, 0], [1, 1], [2, 2]]
    """

    def __init__(
        self,
        data: Any,
        batch_size: int | None,
        num_batches: int | None = None,
        shuffle: bool = True,
        seed: int | None = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
        *,
        indices: Any = None,
    ):
        super().__init__(batch_size, seed, num_replicas, rank, drop_last)
        self._samples = _checked(indices, _count(data))
        self._batches = len(self._samples) if num_batches is None else _whole("num_batches", num_batches, least=1)
        self.shuffle = shuffle

    def total(self) -> int:
        return self._batches

    def order(self, epoch: int) -> Any:
        samples = self._samples
        if self.shuffle:
            chosen = _Stream(self.seed, epoch).cycled(samples, self._batches)
        else:
            chosen = samples[np.arange(self._batches) % len(samples)]
        return np.repeat(chosen[:, None], self.batch_size, axis=1)


class GroupBatchSampler(_EpochBatchSampler):
    """A batch holds samples of one group only: one class, one colour cluster, one aspect ratio.

    `data`: the group of each sample, or a dataset whose `column` (or ``targets``) has it. Every sample comes once per
    epoch; a group's last batch is smaller unless `drop_last`. Groups are shuffled inside, then the batches are.
    `indices`: of `data`, those to take; by default all.

    Example:
        >>> from gpuaug.data import GroupBatchSampler
        >>> list(GroupBatchSampler([0, 1, 0, 1, 0], batch_size=2, shuffle=False))
        [[0, 2], [4], [1, 3]]
    """

    def __init__(
        self,
        data: Any,
        batch_size: int | None,
        column: str | int | None = None,
        shuffle: bool = True,
        seed: int | None = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
        *,
        indices: Any = None,
    ):
        super().__init__(batch_size, seed, num_replicas, rank, drop_last)
        groups, samples = _part(class_numbers(data, column), indices)
        self._members = [samples[members] for members in _members(groups)]
        self.shuffle = shuffle
        if self.total() == 0:
            largest = max(len(m) for m in self._members)
            raise ValueError(
                f"drop_last=True leaves no batch: batch_size={batch_size}, the largest group has {largest} samples; "
                f"lower batch_size or use drop_last=False"
            )

    def total(self) -> int:
        sizes = np.array([len(m) for m in self._members])
        return int((sizes // self.batch_size if self.drop_last else -(-sizes // self.batch_size)).sum())

    def order(self, epoch: int) -> Any:
        stream = _Stream(self.seed, epoch)
        batches = []
        for members in self._members:
            members = stream.shuffled(members) if self.shuffle else members
            usable = len(members) // self.batch_size * self.batch_size if self.drop_last else len(members)
            batches += [members[i : i + self.batch_size] for i in range(0, usable, self.batch_size)]
        return [batches[i] for i in stream.shuffled(np.arange(len(batches)))] if self.shuffle else batches


class MixedBatchSampler(_EpochBatchSampler):
    """Every batch holds `repeat` of one sample again and again, `group` of samples of one group, and random ones.

    The fractions are of the batch (rounded by largest remainder) and what they leave up to 1 is random. The random
    samples run through the whole dataset before any comes again; the group of a batch is drawn by size. With
    ``whole_batches=True`` the fractions are of the epoch's batches instead: each batch is of one kind.
    `indices`: of `data`, those to take; by default all.

    Example:
        >>> from gpuaug.data import MixedBatchSampler
        >>> sampler = MixedBatchSampler([0, 0, 0, 1, 1, 1], batch_size=4, repeat=0.5, group=0.25)
        >>> {len(batch) for batch in sampler}
        {4}
    """

    def __init__(
        self,
        data: Any,
        batch_size: int | None,
        repeat: Any = 0.25,
        group: Any = 0.25,
        column: str | int | None = None,
        num_batches: int | None = None,
        whole_batches: bool = False,
        seed: int | None = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
        *,
        indices: Any = None,
    ):
        super().__init__(batch_size, seed, num_replicas, rank, drop_last)
        if not (0 <= repeat <= 1 and 0 <= group <= 1 and repeat + group <= 1 + 1e-9):
            raise ValueError(f"repeat and group are fractions whose sum is at most 1, got repeat={repeat!r}, group={group!r}")
        self._group_of, self._indices = _part(class_numbers(data, column), indices)
        self._members = _members(self._group_of)
        default = -(-len(self._group_of) // self.batch_size)
        self._batches = default if num_batches is None else _whole("num_batches", num_batches, least=1)
        self.fractions = (repeat, group, max(0.0, 1 - repeat - group))
        self.whole_batches = whole_batches

    def total(self) -> int:
        return self._batches

    def order(self, epoch: int) -> Any:
        stream = _Stream(self.seed, epoch)
        if self.whole_batches:
            kind = stream.shuffled(np.repeat([0, 1, 2], _shares(self.fractions, self._batches)))
            parts = (np.eye(3, dtype=np.int64) * self.batch_size)[kind]
        else:
            parts = np.tile(_shares(self.fractions, self.batch_size), (self._batches, 1))
        samples = np.arange(len(self._group_of))
        repeated = stream.cycled(samples, self._batches)
        groups = self._group_of[stream.cycled(samples, self._batches)]
        wanted = np.bincount(groups, weights=parts[:, 1], minlength=len(self._members)).astype(np.int64)
        of_group = [stream.cycled(members, n) for members, n in zip(self._members, wanted, strict=True)]
        random = stream.cycled(samples, int(parts[:, 2].sum()))
        taken_of_group, taken_random, batches = np.zeros(len(self._members), np.int64), 0, []
        for sample, g, (n_repeat, n_group, n_random) in zip(repeated, groups, parts, strict=True):
            one_group = of_group[g][taken_of_group[g] : taken_of_group[g] + n_group]
            batch = np.concatenate([np.full(n_repeat, sample), one_group, random[taken_random : taken_random + n_random]])
            batches.append(self._indices[batch])
            taken_of_group[g] += n_group
            taken_random += n_random
        return batches


def stratified_split(
    data: Any, test_size: Any = 0.2, column: str | int | None = None, seed: int | None = 0, rare: Any = "raise"
) -> Any:
    """Two sorted arrays of indices, train and test, in which every class has its share, by scikit-learn.

    `test_size` is a fraction, or a number of samples. Stratifying needs two samples of each class: ``rare="train"``
    puts the only sample of a class into the train part, ``rare="raise"`` is an error.

    Example:
        >>> from gpuaug.data import stratified_split
        >>> labels = [0, 0, 0, 0, 1, 1, 1, 1]
        >>> train, test = stratified_split(labels, test_size=0.25)
        >>> sorted(labels[i] for i in test)
        [0, 1]
    """
    try:
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ImportError("stratified_split needs scikit-learn: pip install scikit-learn") from error
    if rare not in ("raise", "train"):
        raise ValueError(f'rare must be "raise" or "train", got {rare!r}')
    classes = class_numbers(data, column)
    single = np.bincount(classes)[classes] == 1
    if single.any() and rare == "raise":
        raise ValueError(
            f"{single.sum()} classes have a single sample and cannot be split, the first is that of sample "
            f'{int(np.flatnonzero(single)[0])}; pass rare="train" to keep them in the train part'
        )
    splittable = np.flatnonzero(~single)
    train, test = train_test_split(splittable, test_size=test_size, stratify=classes[splittable], random_state=seed)
    return np.sort(np.concatenate([train, np.flatnonzero(single)])), np.sort(test)


def _part(classes, indices):
    """The classes of the samples that `indices` names, numbered anew, and these samples."""
    samples = _checked(indices, len(classes))
    return np.unique(classes[samples], return_inverse=True)[1].reshape(-1), samples


def _checked(indices, n):
    """`indices` of n samples, as int64; None: all of them."""
    if indices is None:
        return np.arange(n)
    found = np.asarray(indices)
    if found.ndim != 1 or not len(found) or found.dtype.kind not in "iu":
        what = f"{found.dtype} of shape {found.shape}" + (": np.flatnonzero makes numbers of it" if found.dtype == bool else "")
        raise TypeError(f"indices must be one whole number for each sample that is taken, and at least one, got {what}")
    found = found.astype(np.int64)
    if found.min() < 0 or found.max() >= n:
        bad = int(found[(found < 0) | (found >= n)][0])
        raise ValueError(f"indices has {bad}; the dataset has {n} samples: 0 to {n - 1}")
    if len(np.unique(found)) < len(found):
        values, counts = np.unique(found, return_counts=True)
        raise ValueError(f"indices has {int(values[counts > 1][0])} more than once; each sample is named once")
    return found


def _members(group_of):
    """Each group's samples, in their order."""
    by_group = np.argsort(group_of, kind="stable")
    return np.split(by_group, np.cumsum(np.bincount(group_of))[:-1])


def _shares(fractions, n):
    """Whole numbers that add up to n, as close to the fractions as the largest remainder makes them."""
    exact = np.array(fractions) * n
    counts = np.floor(exact + 1e-9).astype(np.int64)
    neediest = np.argsort(-(exact - counts), kind="stable")[: n - counts.sum()]
    counts[neediest] += 1
    return counts


def _distributed():
    import torch.distributed as dist

    if dist.is_available() and dist.is_initialized():
        return dist.get_world_size(), dist.get_rank()
    return 1, 0


def _count(data):
    n = data if isinstance(data, (int, np.integer)) else len(data)
    return _whole("the number of samples", n, least=1)


def _whole(name, value, least):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if least is not None and value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)

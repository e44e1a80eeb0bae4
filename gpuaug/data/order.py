"""The order of an epoch: which samples, in which batches, with which ids and occurrence numbers.

Everything a resumed loader must repeat is here. The order that the loader makes itself is a function of (seed, epoch,
length, rank, world) alone. A user's sampler is asked again; `protocol` says how its randomness is pinned.
"""

import collections
import copy
import hashlib
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import BatchSampler, RandomSampler

from ..uniforms import IDS

BEFORE = 64  # how many preceding samples are tried as a replacement for a bad one
CHUNK = 1 << 22  # of numbers whose temporaries are made at a time
AFTER = 256  # how many following ones, when there is none before


@dataclass(frozen=True)
class Position:
    """How far an epoch is: batches and samples planned so far, and a checksum of their ids."""

    batches: int = 0
    samples: int = 0
    checksum: int = 0

    def after(self, ids):
        return Position(self.batches + 1, self.samples + len(ids), zlib.crc32(ids.tobytes(), self.checksum))


START = Position()


@dataclass
class Planned:
    """One batch before it is loaded. `indices` is what the dataset is asked for, `ids` what the draws are keyed on."""

    indices: object  # list, or an int64 array
    ids: np.ndarray  # int64 [B]
    occurrence: np.ndarray  # int64 [B]
    position: Position  # of the epoch after this batch
    before: tuple = ()  # the indices that precede it, nearest last
    after: tuple = ()  # the indices that follow; for the first batch only
    samples: list | None = None  # what the indices stand for, where that is known already
    state: tuple | None = None  # the dataset's own after it, where it has one: (worker, state)

    def index_list(self):
        return self.indices.tolist() if isinstance(self.indices, np.ndarray) else list(self.indices)


def shuffled(n, seed, epoch):
    """The permutation of 0..n-1 that belongs to (seed, epoch).

    Sorts the raw output of a counter-based generator: unlike `Generator.permutation`, whose algorithm may change, NumPy
    promises that stream for good, and so an order survives an upgrade. 12 bytes a sample, and 0.1 s of a core a million.
    """
    return _by_key(np.random.Philox(key=[seed % 2**64, epoch % 2**64]).random_raw(n))


def _by_key(keys):
    """``np.argsort(keys, kind="stable")`` of random uint64, which are written over.

    A number takes the low bits of its key's place, so that one array is sorted in place: half the time of an argsort and three
    fifths of its memory. What then has equal high bits (of 100 million one in 1,500) is put in order by the bits that it lost.
    """
    n = len(keys)
    low = np.uint64((1 << max(n - 1, 1).bit_length()) - 1)
    lost = np.empty(n, np.uint32 if low < 2**32 else np.uint64)
    for at in range(0, n, CHUNK):
        part = keys[at : at + CHUNK]
        lost[at : at + CHUNK] = part & low
        part &= ~low
        part |= np.arange(at, at + len(part), dtype=np.uint64)
    keys.sort()
    starts = range(0, n - 1, CHUNK)
    tied = [at + np.flatnonzero((keys[at + 1 : at + CHUNK + 1] ^ keys[at : at + CHUNK][: n - 1 - at]) <= low) for at in starts]
    tied = np.concatenate(tied) if n > 1 else np.empty(0, np.int64)
    if len(tied):
        tied = np.union1d(tied, tied + 1)
        numbers = keys[tied] & low
        keys[tied] = keys[tied][np.lexsort((numbers, lost[numbers.astype(np.int64)], keys[tied] & ~low))]
    keys &= low
    return keys.view(np.int64)


def positions(n, rank, world, drop_last=False, block=1):
    """Where in an order of n those of one rank are; n and above are repeats, counted from the front."""
    if world == 1 or n == 0:
        return np.arange(n)
    each = n // world if drop_last else -(-n // world)
    if block == 1:
        return np.arange(rank, each * world, world)
    number, within = np.divmod(np.arange(each), block)
    rows = np.minimum(block, each - number * block)  # of a block; those of the last ones are shorter
    return number * block * world + rank * rows + within


class EpochSampler(RandomSampler):
    """What a loader that makes its own shuffled order shows as its sampler: frameworks set the epoch there."""

    epoch = 0

    def set_epoch(self, epoch):
        self.epoch = epoch


def own_order(n, shuffle, seed, epoch, rank=0, world=1, drop_last=False, block=1):
    """(indices, occurrence) of this rank's part of an epoch, as `DistributedSampler` deals them out.

    With more than one rank the order is cut (drop_last) or repeated from its start to a multiple of `world`, and rank r
    takes every world-th from r on; or, as accelerate deals, every world-th block, of which the last ones are shorter.

    >>> own_order(5, False, 0, 0, rank=1, world=2)[0].tolist()
    [1, 3, 0]
    >>> [own_order(9, False, 0, 0, rank, 2, block=3)[0].tolist() for rank in range(2)]
    [[0, 1, 2, 6, 7], [3, 4, 5, 8, 0]]
    """
    return part_of(in_order(n, shuffle, seed, epoch), rank, world, drop_last, block)


def part_of(order, rank, world, drop_last=False, block=1):
    """(indices, occurrence) of one rank's part of an order. One rank of one has the order itself: it may be 8 GB."""
    n = len(order)
    if block != 1 or n == 0:
        at = positions(n, rank, world, drop_last, block)
        return order[at % max(n, 1)], at // max(n, 1)
    each = n // world if drop_last else -(-n // world)
    mine = order[rank::world][:each]
    again = rank + world * np.arange(len(mine), each)
    occurrence = np.zeros(each, np.int64)
    occurrence[len(mine) :] = again // n
    if world == 1:
        return mine, occurrence
    return np.concatenate([mine, order[again % n]]), occurrence


def in_order(n, shuffle, seed, epoch):
    """The epoch's order over all ranks, int64 [n]."""
    return (shuffled(n, seed, epoch) if shuffle else np.arange(n)).astype(np.int64, copy=False)


def to_ids(indices):
    """int64 ids of a batch of indices: the integers themselves, or a hash of other keys, all below 2^52.

    >>> to_ids([3, 1]).tolist(), to_ids(["a"]).tolist() == to_ids(["a"]).tolist()
    ([3, 1], True)
    """
    try:
        ids = np.asarray(indices)
    except Exception:  # ragged keys
        ids = np.empty(0, object)
    if ids.dtype.kind in "iu" and ids.ndim == 1 and (not len(ids) or 0 <= ids.min() <= ids.max() < IDS):
        return ids.astype(np.int64, copy=False)
    return np.array([_id_of(i) for i in indices], np.int64).reshape(len(indices))


def _id_of(index):
    try:
        number = int(index.__index__())
    except (AttributeError, TypeError):
        number = -1
    if 0 <= number < IDS:
        return number
    # the same key has the same id, whatever type of integer or string holds it
    key = index.item() if isinstance(index, np.generic) else index
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=8).digest(), "little") % IDS


class Counter:
    """Counts how often an epoch has yielded each id. An array where ids are below `n`: a dict of a million ints is 80 MB."""

    def __init__(self, n):
        self._dense = np.zeros(n, np.int32) if n else None
        self._rest = {}

    def count(self, ids):
        dense = self._dense
        known = dense is not None and len(ids) > 0 and ids.min() >= 0 and ids.max() < len(dense)
        if known and len(np.unique(ids)) == len(ids):
            seen = dense[ids].astype(np.int64)
            dense[ids] += 1
            return seen
        seen = np.empty(len(ids), np.int64)
        for k, i in enumerate(ids.tolist()):
            if dense is not None and 0 <= i < len(dense):
                seen[k] = dense[i]
                dense[i] += 1
            else:
                seen[k] = self._rest.get(i, 0)
                self._rest[i] = int(seen[k]) + 1
        return seen


def plan_own(order, occurrence, batch_size, drop_last, start=Position()):
    """Planned batches of the loader's own order, from `start` on."""
    return _with_after(_plan_own(order, occurrence, batch_size, drop_last, start))


def _plan_own(order, occurrence, batch_size, drop_last, start):
    position = start
    _check_resume(start, zlib.crc32(order[: start.samples].tobytes()), start.samples <= len(order))
    for at in range(start.samples, len(order), batch_size):
        ids = order[at : at + batch_size]
        if drop_last and len(ids) < batch_size:
            return
        position = position.after(ids)
        yield Planned(ids, ids, occurrence[at : at + batch_size], position, tuple(order[max(0, at - BEFORE) : at].tolist()))


def plan_sampler(sampler, batch_size, drop_last, n, start=Position()):
    """Planned batches of `batch_size` indices of a sampler; the first `start.samples` are skipped."""
    counter = _counter(sampler, n)
    return _with_after(_plan_batches(_chunks(iter(sampler), batch_size, drop_last, start), counter, start, True))


def plan_batch_sampler(sampler, n, start=Position(), empty=False):
    """Planned batches of a batch sampler; the first `start.batches` are skipped. empty: whether one may have no indices."""
    return _with_after(_plan_batches(iter(sampler), _counter(sampler, n), start, False, empty))


def plan_stream(samples, batch_size, drop_last, start=Position(), rank=0, world=1):
    """Planned batches of an iterable's samples; indices and ids are running numbers over all ranks."""
    samples, position = iter(samples), start
    for _ in range(start.samples):
        next(samples, None)
    while chunk := _take(samples, batch_size):
        if drop_last and len(chunk) < batch_size:
            return
        planned = number(position, len(chunk), rank, world)
        position = planned.position
        planned.samples = chunk
        yield planned


def number(position, count, rank=0, world=1):
    """The next `count` samples of a stream, as Planned."""
    ids = (position.samples + np.arange(count, dtype=np.int64)) * world + rank
    return Planned(ids.tolist(), ids, np.zeros(count, np.int64), position.after(ids))


def _counter(sampler, n):
    """What counts occurrences: the sampler itself, where its order is one rank's part of a longer one."""
    given = getattr(sampler, "occurrences", None)
    return Counter(n) if given is None else _Given(given())


class _Given:
    def __init__(self, occurrences):
        parts = [np.atleast_1d(np.asarray(o, np.int64)) for o in occurrences]
        self._all, self._at = np.concatenate(parts) if parts else np.empty(0, np.int64), 0

    def count(self, ids):
        self._at += len(ids)
        return self._all[self._at - len(ids) : self._at]


def _chunks(indices, batch_size, drop_last, start):
    # what was delivered comes in one piece, so that a loader can go on with another batch size
    if start.samples:
        yield _take(indices, start.samples)
    while chunk := _take(indices, batch_size):
        if drop_last and len(chunk) < batch_size:
            return
        yield chunk


def _take(iterator, count):
    taken = []
    for item in iterator:
        taken.append(item)
        if len(taken) == count:
            break
    return taken


def _plan_batches(batches, counter, start, in_one_piece, empty=False):
    before = collections.deque(maxlen=BEFORE)
    skip = min(start.samples, 1) if in_one_piece else start.batches
    checksum = 0
    for _ in range(skip):
        indices = _as_list(next(batches, []))
        ids = to_ids(indices)
        counter.count(ids)
        before.extend(indices)
        checksum = zlib.crc32(ids.tobytes(), checksum)
    _check_resume(start, checksum, True)
    position = start
    for batch in batches:
        indices = _as_list(batch)
        if not indices and not empty:
            raise ValueError(
                f"batch {position.batches} of the batch sampler has no indices; leave it out, or give a collate_fn for []"
            )
        ids = to_ids(indices)
        position = position.after(ids)
        yield Planned(indices, ids, counter.count(ids), position, tuple(before))
        before.extend(indices)


def _as_list(batch):
    if isinstance(batch, (np.ndarray, torch.Tensor)):
        return batch.tolist()
    return list(batch)


def _check_resume(start, checksum, long_enough):
    if start.samples and (checksum != start.checksum or not long_enough):
        changed_order()


def changed_order():
    raise ValueError(
        "the sampler gives another order than when the state was saved: the dataset's length, the sampler's arguments "
        "and `shuffle` must be the same, and a sampler of your own needs as many ranks and set_epoch(epoch), "
        "state_dict()/load_state_dict() or a `generator` for its order to be repeatable. Lightning gives a loader torch's "
        "DistributedSampler under several devices only: where one device goes on with several, or the other way round, this "
        "needs Trainer(use_distributed_sampler=False) in both runs, or sampler=DistributedSampler(dataset, num_replicas=1, "
        "rank=0, seed=0) on the one device"
    )


def _with_after(plan):
    """Gives the first batch, if nothing precedes it, the indices that follow it."""
    first = next(plan, None)
    if first is None:
        return
    ahead = []
    if not first.before:
        following = []
        while len(following) < AFTER and (planned := next(plan, None)) is not None:
            ahead.append(planned)
            following += _as_list(planned.indices)
        first.after = tuple(following[:AFTER])
    yield first
    yield from ahead
    yield from plan


# ---- other people's samplers -------------------------------------------------------------------------------------------


def pin(sampler, seed, epoch, saved=None):
    """(sampler to iterate, state to save): makes what a sampler will yield repeatable, as `protocol` says.

    `saved` is the state that an earlier call returned, to have the same order again. Samplers are never changed beyond
    what set_epoch, load_state_dict and the user's own generator stand for.
    """
    if hasattr(sampler, "set_epoch"):
        sampler.set_epoch(epoch)
        return sampler, None
    if hasattr(sampler, "state_dict") and hasattr(sampler, "load_state_dict"):
        if saved is not None:
            sampler.load_state_dict(saved)
        else:
            saved = copy.deepcopy(sampler.state_dict())
        return sampler, saved
    if type(sampler) is BatchSampler:
        inner, saved = pin(sampler.sampler, seed, epoch, saved)
        return BatchSampler(inner, sampler.batch_size, sampler.drop_last), saved
    if isinstance(getattr(sampler, "generator", None), torch.Generator):
        if saved is not None:
            sampler.generator.set_state(saved)
        return sampler, sampler.generator.get_state() if saved is None else saved
    if "generator" in getattr(sampler, "__dict__", {}):
        sampler = copy.copy(sampler)
        sampler.generator = torch.Generator().manual_seed(derive(seed, epoch))
        return sampler, None
    if hasattr(sampler, "sampler"):  # somebody's batch sampler around a sampler
        inner, saved = pin(sampler.sampler, seed, epoch, saved)
        if inner is not sampler.sampler:
            sampler = copy.copy(sampler)
            sampler.sampler = inner
        return sampler, saved
    return sampler, None


def ahead(sampler, drawing=None):
    """The state in which a generator of the user's begins the next epoch; None if the sampler has none.

    drawing: the generator from which the loader will draw a number first.
    """
    while sampler is not None and not hasattr(sampler, "set_epoch") and not hasattr(sampler, "state_dict"):
        generator = getattr(sampler, "generator", None)
        if isinstance(generator, torch.Generator):
            if generator is drawing:
                generator = twin(generator)
                drawn(generator)
            return generator.get_state()
        sampler = getattr(sampler, "sampler", None)
    return None


def derive(seed, epoch, what=0):
    """A 63-bit seed for a generator of somebody else's, from (seed, epoch)."""
    return int(np.random.Philox(key=[seed % 2**64, (epoch * 16 + what) % 2**64]).random_raw(1)[0]) >> 1


def of_workers(seed, epoch):
    """The generator from which torch's loader draws the seeds of an epoch's workers."""
    return torch.Generator().manual_seed(derive(seed, epoch, 1))


def drawn(generator=None):
    """A number as torch draws one for its workers' seeds; None is torch's global generator."""
    device = "cpu" if generator is None else generator.device  # whatever torch.set_default_device says
    return torch.empty((), dtype=torch.int64, device=device).random_(generator=generator).item()


def twin(generator):
    """A generator that draws what this one will; None stays."""
    return None if generator is None else torch.Generator(generator.device).set_state(generator.get_state())

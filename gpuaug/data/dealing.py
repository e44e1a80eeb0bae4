"""How the entries of an epoch are dealt out to ranks, and dealt out anew where another number of ranks goes on with it.

Entries are samples, or the batches of a batch sampler. Rank r of W gets every W-th from r on, and the tail is filled from the
front or cut, as torch's `DistributedSampler` deals. What ranks delivered before others took over is a `Leg`: from the order and
the legs follows what is left, and that is dealt out in its order as if it were all that there is. A leg says where a rank
stood, so a state grows by one line with each restart inside an epoch, whatever was delivered.
"""

from __future__ import annotations

import collections
import copy
import dataclasses
import functools
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import BatchSampler, DistributedSampler

from . import block_sampler, order, samplers
from .order import START, Position


@dataclass(frozen=True)
class Dealing:
    """How a rank gets its part. rank: None in states of earlier versions. block: samples that stay together; None: as now."""

    rank: int | None
    world: int
    block: int | None = 1
    drop_last: bool = False

    def part(self, n: int, rank: int | None = None) -> np.ndarray:
        """Where in n entries those of this rank, or another one, are; n and above are repeats, counted from the front."""
        return order.positions(n, self.rank if rank is None else rank, self.world, self.drop_last, self.block or 1)

    def share(self, n: int) -> int:
        """How many of n entries each rank gets."""
        return n // self.world if self.drop_last else -(-n // self.world)

    def is_as(self, other: Dealing) -> bool:
        """Whether both give rank r the same entries up to where the shorter part ends."""
        if self.world != other.world:
            return False
        return self.world == 1 or None in (self.block, other.block) or self.block == other.block


@dataclass(frozen=True)
class Leg:
    """What an epoch's ranks had delivered when others took over.

    at: (rank, batches, samples, checksum) of each rank, in their order, or of any one if all had delivered equally much.
    """

    world: int
    block: int | None
    drop_last: bool
    at: tuple[tuple[int | None, int, int, int], ...]

    @property
    def dealing(self):
        return Dealing(None, self.world, self.block, self.drop_last)

    def batches(self) -> int:
        """The most that a rank delivered."""
        return max(batches for _, batches, _, _ in self.at)

    def taken(self, batched: bool) -> list[int]:
        """Entries that each rank delivered."""
        counts = [batches if batched else samples for _, batches, samples, _ in self.at]
        return counts * self.world if len(counts) == 1 else counts

    def saved(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "at": [list(place) for place in self.at]}

    @classmethod
    def of(cls, saved: dict[str, Any]) -> Leg:
        return cls(**{**saved, "at": tuple(tuple(place) for place in saved["at"])})


class Entries:
    """An epoch's entries in order. ids: int64 ``[n]``, or a list of batches of ids. occurrence: alike; None: zeros."""

    def __init__(self, ids: Any, occurrence: Any = None, batched: bool = False):
        self.ids, self.occurrence, self.batched = ids, occurrence, batched

    def __len__(self):
        return len(self.ids)

    def of(self, places: np.ndarray) -> np.ndarray:
        """The ids at these places, one after the other."""
        if not self.batched:
            return np.asarray(self.ids[places], np.int64)
        parts = [np.asarray(self.ids[place], np.int64) for place in places]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def counts(self) -> Any:
        """How often the epoch has each id, by id."""
        if self.occurrence is None:
            return collections.defaultdict(lambda: 1)
        return collections.Counter(self.of(np.arange(len(self))).tolist())


def number_left(n: int, legs: tuple[Leg, ...], batched: bool) -> int:
    """How many of n entries no leg has delivered."""
    if all(len(leg.at) == 1 and leg.block in (None, 1) for leg in legs):
        for leg in legs:
            n -= min(n, leg.taken(batched)[0] * leg.world)
        return n
    return _counted_left(n, legs, batched)


@functools.lru_cache(16)  # len(loader) asks again and again
def _counted_left(n, legs, batched):
    return len(_left(n, legs, batched)[0])


def _left(n, legs, batched, entries=None):
    """(the places that no leg has delivered, in order; those that legs dealt out again). entries: to check the legs with."""
    rest, again = np.arange(n), []
    for leg in legs:
        taken, dealing, m = leg.taken(batched), leg.dealing, len(rest)
        if entries is not None:
            for place in leg.at:
                _check(entries, rest, dealing, place)
        again += rest[np.arange(m, dealing.share(m) * leg.world) % max(m, 1)].tolist()
        if len(leg.at) == 1 and leg.block in (None, 1):
            rest = rest[taken[0] * leg.world :]
            continue
        there = np.ones(m, bool)
        for rank, count in enumerate(taken):
            at = dealing.part(m, rank)[:count]
            there[at[at < m]] = False
        rest = rest[there]
    return rest, again


def _check(entries, rest, dealing, place):
    """ValueError unless the rank that `place` speaks of delivered what the order says."""
    rank, batches, samples, checksum = place
    for one in range(dealing.world) if rank is None else [rank]:
        at = dealing.part(len(rest), one)[: batches if entries.batched else samples]
        ids = entries.of(rest[at % max(len(rest), 1)])
        if (len(ids), zlib.crc32(ids.tobytes())) == (samples, checksum):
            return
    order.changed_order()


def part(entries: Entries, legs: tuple[Leg, ...], dealing: Dealing) -> tuple[Any, Any]:
    """(ids, occurrence) of a rank's part of what the legs left, as entries. What is dealt out again gets numbers of its own."""
    if not legs and not entries.batched and entries.occurrence is None:
        return order.part_of(entries.ids, dealing.rank, dealing.world, dealing.drop_last, dealing.block or 1)
    rest, again = _left(len(entries), legs, entries.batched, entries)
    m, before = len(rest), len(again)
    at = dealing.part(m)
    mine = rest[at % max(m, 1)]
    again += rest[np.arange(m, dealing.share(m) * dealing.world) % max(m, 1)].tolist()
    numbers, following = [], entries.counts() if again else {}
    for place in again:
        ids = entries.of(np.array([place])).tolist()
        numbers.append(np.empty(len(ids), np.int64))
        for k, one in enumerate(ids):
            numbers[-1][k] = following[one]
            following[one] += 1
    if entries.batched:
        counted = [entries.occurrence[p] if a < m else numbers[before + a - m] for p, a in zip(mine, at, strict=True)]
        return [np.asarray(entries.ids[place], np.int64) for place in mine], counted
    counted = np.zeros(len(at), np.int64) if entries.occurrence is None else entries.occurrence[mine]
    for k in np.flatnonzero(at >= m):
        counted[k] = numbers[before + at[k] - m][0]
    return entries.of(mine), counted


class Dealt:
    """A part of an epoch's batches, as a batch sampler with occurrence numbers."""

    def __init__(self, batches: list[np.ndarray], occurrence: list[np.ndarray]):
        self._batches, self._occurrence = batches, occurrence

    def __iter__(self):
        return (batch.tolist() for batch in self._batches)

    def occurrences(self) -> list[np.ndarray]:
        return self._occurrence


def settled(legs: tuple[Leg, ...], was: Dealing | None, position: Position, now: Dealing) -> tuple[tuple[Leg, ...], Position]:
    """(legs, position) with which ranks that deal as `now` go on, where a rank that dealt as `was` stood at `position`."""
    if was is None or not position.batches:
        return legs, START
    if was.is_as(now):
        return legs, position
    return (*legs, Leg(was.world, was.block, was.drop_last, ((was.rank, *dataclasses.astuple(position)),))), START


def own_position(entries: Entries, legs: tuple[Leg, ...], was: Dealing, position: Position, now: Dealing) -> Position:
    """The position of this rank where another one's of the same dealing is known: it delivered equally many entries."""
    rest, _ = _left(len(entries), legs, entries.batched)
    _check(entries, rest, now, (was.rank, *dataclasses.astuple(position)))
    at = now.part(len(rest))[: position.batches if entries.batched else position.samples]
    ids = entries.of(rest[at % max(len(rest), 1)])
    return Position(position.batches, len(ids), zlib.crc32(ids.tobytes()))


# ---- samplers of which it is known how they deal -----------------------------------------------------------------------


def sampler_of(loader: Any) -> Any:
    """The loader's sampler, if it is one of which it is known how it deals, else None."""
    batches, sampler = loader.batch_sampler, loader.sampler
    if batches is None or loader.batch_size is not None:
        return sampler if _is_torchs(sampler) or type(sampler) in _OURS[False] else None
    inner = batches.sampler if type(batches) is BatchSampler else None
    return inner if _is_torchs(inner) else batches if type(batches) in _OURS[True] else None


def _is_torchs(sampler):
    return isinstance(sampler, DistributedSampler) and type(sampler).__iter__ is DistributedSampler.__iter__


_OURS = {
    False: (samplers.ImbalancedSampler, block_sampler.BlockSampler),
    True: (samplers.GroupBatchSampler, samplers.MixedBatchSampler, samplers.RepeatBatchSampler),
}


def number_of_batches(loader: Any, now: Dealing, legs: tuple[Leg, ...]) -> int:
    """How many batches a rank has of what the legs left."""
    sampler = None if loader._own_order else sampler_of(loader)
    n = len(loader.dataset) if sampler is None else number_of(sampler)
    share = now.share(number_left(n, legs, is_batched(sampler)))
    if is_batched(sampler):
        return share
    size, drop_last = _batching(loader)
    return share // size if drop_last else -(-share // size)


def _batching(loader):
    """(batch_size, drop_last) with which samples are put into batches."""
    batches = loader.batch_sampler if loader.batch_size is None and loader.batch_sampler is not None else loader
    return batches.batch_size or 1, batches.drop_last


def plan(loader: Any, progress: Any, now: Dealing, n: int | None) -> Any:
    """Planned batches of a rank's part of a known sampler's order, from the place of other ranks on."""
    sampler = sampler_of(loader)
    found = progress.begin(entries_of(sampler), now)
    if is_batched(sampler):
        return order.plan_batch_sampler(Dealt(*found), n, progress.position)
    return order.plan_own(*found, *_batching(loader), progress.position)


def is_batched(sampler: Any) -> bool:
    return type(sampler) in _OURS[True]


def dealing_of(sampler: Any) -> Dealing:
    if _is_torchs(sampler):
        return Dealing(sampler.rank, sampler.num_replicas, 1, sampler.drop_last)
    world, rank = sampler.world_and_rank()
    return Dealing(rank, world, sampler.together, sampler.drop_last)


def entries_of(sampler: Any) -> Entries:
    """The whole order of the epoch that was set."""
    if _is_torchs(sampler):
        alone = copy.copy(sampler)
        alone.num_replicas, alone.rank = 1, 0
        alone.num_samples = alone.total_size = len(sampler.dataset)
        return Entries(np.array(list(alone), np.int64))
    entries = sampler.order(sampler.epoch)
    if not is_batched(sampler):
        return Entries(np.asarray(entries, np.int64), samplers.occurrences(entries))
    ends = np.cumsum([len(batch) for batch in entries])
    return Entries(entries, np.split(samplers.occurrences(np.concatenate(entries)), ends[:-1]), batched=True)


def number_of(sampler: Any) -> int:
    """How many entries an epoch has."""
    return len(sampler.dataset) if _is_torchs(sampler) else sampler.total()


# ---- states ------------------------------------------------------------------------------------------------------------


def joined(states: Any, rank: int) -> dict[str, Any]:
    """The state of `rank`, or of another one, with the places of all as "all"; ValueError if they do not fit together."""
    if not states:
        raise ValueError("load_state_dict was given an empty list; it takes one state, or those of all ranks")
    if not all(isinstance(state, Mapping) and state.get("rank") is not None for state in states):
        raise ValueError(
            "a list must hold the states of all ranks, and one of these does not say whose it is, as earlier versions' do not; "
            "if all ranks had delivered equally many batches, load any one of them"
        )
    first = states[0]
    for state in states:
        for key in ("version", "epoch", "seed", "transform_seed", "length", "world", "block", "drop_last", "legs"):
            if state[key] != first[key]:
                raise ValueError(
                    f"these states are not of one moment of one run: {key} is {first[key]!r} on rank {first['rank']} and "
                    f"{state[key]!r} on rank {state['rank']}; save those of all ranks at the same time"
                )
    ranks = sorted(state["rank"] for state in states)
    if ranks != list(range(first["world"])):
        lost = sorted(set(range(first["world"])) - set(ranks))
        twice = sorted({rank for rank in ranks if ranks.count(rank) > 1})
        said = [f"{', '.join(map(str, which))} {what}" for which, what in ((lost, "missing"), (twice, "there twice")) if which]
        raise ValueError(f"the states must be those of ranks 0 to {first['world'] - 1}, once each: {' and '.join(said)}")
    mine = next((state for state in states if state["rank"] == rank), first)
    return {**mine, "all": sorted((s["rank"], s["batches"], s["samples"], s["checksum"]) for s in states)}


def place_of(state: Mapping[str, Any], now: Dealing, world: int, batched: bool) -> tuple[Any, Dealing, Position]:
    """(legs, the dealing in which it was, position) that a state speaks of. world: of torch.distributed."""
    legs = tuple(Leg.of(leg) for leg in state.get("legs", ()))
    if "rank" not in state:  # of an earlier version: it named the ranks of torch.distributed, whatever the sampler's were
        was = Dealing(None, now.world if state["world"] == world else state["world"], None, now.drop_last)
    else:
        was = Dealing(state["rank"], state["world"], state["block"], state["drop_last"])
    places = state.get("all", ())
    if len({place[1 if batched else 2] for place in places}) > 1:
        return (*legs, Leg(was.world, was.block, was.drop_last, tuple(places))), now, START
    if places and now.rank < len(places):
        was = dataclasses.replace(was, rank=now.rank)
        return legs, was, Position(*places[now.rank][1:])
    return legs, was, Position(state["batches"], state["samples"], state["checksum"])


def check_known(loader: Any, state: Mapping[str, Any], known: bool) -> None:
    """ValueError where what is left of the state's epoch cannot be dealt out anew."""
    at = f"the state was saved with {state['world']} ranks, and what its epoch has left would have to be dealt out anew: "
    else_ = f"Go on with {state['world']} ranks, each from its own state,"
    if "dataset" in state:
        raise ValueError(
            f"{at}but {type(loader.dataset).__name__} has a state of its own on each rank, which cannot be divided. {else_} or "
            f"take its state_dict() away"
        )
    if loader._streams and state["batches"]:
        raise ValueError(
            f"{at}but nobody knows which samples a stream ({type(loader.dataset).__name__}) has left. {else_} or from a state "
            f"between two epochs; tar shards that are read by gpuaug.data.IndexedShards, as every dataset with a length, can be "
            f"dealt out anew"
        )
    if not known and not loader._streams and (state["batches"] or state.get("legs") or state.get("sampler") is not None):
        name = type(loader._indices()).__name__
        if type(loader.batch_sampler) is BatchSampler and loader.batch_size is None:
            name += f" around {type(loader.batch_sampler.sampler).__name__}"
        raise ValueError(
            f"{at}but nobody knows how {name} deals out samples. {else_} or leave the sampler out, and the loader deals out by "
            f"itself (shuffle=True, seed=); torch's DistributedSampler and the samplers of gpuaug.data will do, too"
        )

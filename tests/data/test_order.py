import collections

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DistributedSampler, RandomSampler, SequentialSampler

from gpuaug.data import order
from gpuaug.data.order import (
    AFTER,
    BEFORE,
    Counter,
    own_order,
    pin,
    plan_batch_sampler,
    plan_own,
    plan_sampler,
    plan_stream,
    shuffled,
    to_ids,
)


def test_the_shuffle_is_frozen():
    """An order must survive upgrades of NumPy, or a resumed run loses samples: these numbers never change."""
    assert shuffled(10, seed=1, epoch=2).tolist() == [4, 2, 0, 6, 1, 5, 9, 8, 7, 3]


def test_the_shuffle_is_uniform():
    # each of the 24 permutations of 4, 2400 times: chi-square with 23 degrees of freedom stays below 49.7 with p = 0.999
    count = collections.Counter(tuple(shuffled(4, seed, epoch)) for seed in range(30) for epoch in range(80))
    assert len(count) == 24
    assert sum((c - 100) ** 2 / 100 for c in count.values()) < 49.7


@pytest.mark.parametrize("size", [1, 4, 11, 12])
@pytest.mark.parametrize("drop_last", [False, True])
def test_own_plan_and_sampler_plan_are_the_same(size, drop_last):
    order, occurrence = own_order(11, True, 5, 1)
    own = list(plan_own(order, occurrence, size, drop_last))
    of_sampler = list(plan_sampler(order.tolist(), size, drop_last, 11))
    for a, b in zip(own, of_sampler, strict=True):
        assert list(a.indices) == b.indices
        assert np.array_equal(a.ids, b.ids)
        assert a.occurrence.tolist() == b.occurrence.tolist() == [0] * len(b.ids)
        assert (a.position, a.before, a.after) == (b.position, b.before, b.after)


def test_skipping_goes_on_where_it_was():
    indices = np.random.default_rng(0).integers(0, 9, 200).tolist()
    whole = list(plan_sampler(indices, 7, False, 9))
    for k in (1, 2, 15, 28, 29):
        rest = list(plan_sampler(indices, 7, False, 9, whole[k - 1].position))
        assert [p.position for p in rest] == [p.position for p in whole[k:]]
        for a, b in zip(rest, whole[k:], strict=True):
            assert (a.indices, a.occurrence.tolist(), a.before) == (b.indices, b.occurrence.tolist(), b.before)
    batches = [indices[k : k + 7] for k in range(0, 200, 7)]
    rest = list(plan_batch_sampler(batches, 9, whole[9].position))
    assert [p.indices for p in rest] == batches[10:]
    assert rest[0].occurrence.tolist() == whole[10].occurrence.tolist()


def test_neighbours():
    plan = list(plan_sampler(range(1000), 10, False, 1000))
    assert plan[0].before == ()
    assert plan[0].after == tuple(range(10, 10 + AFTER))
    assert plan[50].before == tuple(range(500 - BEFORE, 500))
    assert plan[50].after == ()


def test_occurrences_are_counted_by_id():
    for counter in (Counter(5), Counter(None)):
        assert counter.count(np.array([1, 1, 9, 4])).tolist() == [0, 1, 0, 0]
        assert counter.count(np.array([4, 1])).tolist() == [1, 2]
        assert counter.count(np.array([9, 9, 1])).tolist() == [1, 2, 3]


def test_occurrences_of_a_sampler_that_knows_them():
    class Part(list):
        def occurrences(self):
            return [3, 0, 2, 1, 0]

    plan = plan_sampler(Part([7, 8, 7, 8, 9]), 2, False, 10)
    assert [p.occurrence.tolist() for p in plan] == [[3, 0], [2, 1], [0]]
    start = next(plan_sampler([7, 8], 2, False, 10)).position
    plan = plan_sampler(Part([7, 8, 7, 8, 9]), 2, False, 10, start)
    assert [p.occurrence.tolist() for p in plan] == [[2, 1], [0]]


def test_ids_of_other_keys():
    ids = to_ids(["a", "b", ("c", 1)])
    assert len(set(ids.tolist())) == 3
    assert (ids >= 0).all()
    assert to_ids([torch.tensor(3), 4]).tolist() == [3, 4]
    assert to_ids([np.int32(3)]).dtype == np.int64
    assert to_ids([]).shape == (0,)


def test_streams_are_numbered_over_ranks():
    plan = list(plan_stream("abcdefg", 3, False, rank=1, world=2))
    assert [p.ids.tolist() for p in plan] == [[1, 3, 5], [7, 9, 11], [13]]
    assert [p.samples for p in plan] == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert [p.indices for p in plan] == [p.ids.tolist() for p in plan]
    assert [p.samples for p in plan_stream("abcdefg", 3, True, plan[0].position)] == [["d", "e", "f"]]


def test_pinning_leaves_the_users_sampler_alone():
    random = RandomSampler(range(50))
    first, second, third = (list(pin(random, 3, epoch)[0]) for epoch in (0, 0, 1))
    assert first == second != third
    assert random.generator is None
    batched, _ = pin(BatchSampler(random, 4, True), 3, 0)
    assert [i for batch in batched for i in batch] == first[:48]
    sampler, saved = pin(RandomSampler(range(50), generator=torch.Generator().manual_seed(1)), 0, 0)
    order = list(sampler)
    assert list(sampler) != order
    assert list(pin(sampler, 0, 0, saved)[0]) == order
    distributed = DistributedSampler(range(50), 1, 0)
    assert pin(distributed, 0, 7) == (distributed, None)
    assert distributed.epoch == 7
    sequential = SequentialSampler(range(3))
    assert pin(sequential, 0, 0) == (sequential, None)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 255, 256, 257, 1000, 70_000])
@pytest.mark.parametrize("bits", [64, 20, 9, 3, 0])
def test_the_order_is_a_stable_argsorts(n, bits, monkeypatch):
    """With keys of fewer bits many are equal; in pieces, that end between equal ones too."""
    monkeypatch.setattr(order, "CHUNK", 101)
    for shift in (0, 64 - max(bits, 1)):
        keys = (np.random.Philox(key=[3, n]).random_raw(n) >> np.uint64(64 - max(bits, 1))) * np.uint64(bits > 0) << np.uint64(
            shift
        )
        assert order._by_key(keys.copy()).tolist() == np.argsort(keys, kind="stable").tolist()


def test_an_order_is_for_ever():
    assert order.shuffled(10, 5, 2).tolist() == [3, 5, 9, 2, 7, 1, 8, 0, 6, 4]

"""An epoch that other ranks go on with: nothing twice, nothing lost, the pixels that one process gives."""

import collections
import json
import random

import numpy as np
import pytest
import torch
from fake_compose import FakeCompose
from torch.utils.data import BatchSampler, Dataset, DistributedSampler, IterableDataset, SequentialSampler

import gpuaug as G
from gpuaug.data import DataLoader, dealing, loader, order, samplers


class Arrays(Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return np.random.default_rng(i).integers(0, 256, (9, 9, 3), np.uint8), i


@pytest.fixture
def as_rank(monkeypatch):
    def pretend(rank, world):
        monkeypatch.setattr(loader, "_rank", lambda: (rank, world))
        monkeypatch.setattr(samplers, "_distributed", lambda: (world, rank))

    return pretend


# ---- what is dealt out, against torch's DistributedSampler over what is left --------------------------------------------


def torchs_part(rest, world, rank, drop_last):
    if not rest or (drop_last and len(rest) < world):
        return []
    return [rest[k] for k in DistributedSampler(range(len(rest)), world, rank, shuffle=False, drop_last=drop_last)]


def leg_of(dealt, parts, taken, one):
    """The Leg that ranks leave behind; one: the number of the only rank that says where it stood, or None."""
    ranks = range(dealt.world) if one is None else [one]
    places = []
    for rank in ranks:
        ids = np.asarray(parts[rank][: taken[rank]], np.int64)
        places.append((rank, 1, len(ids), order.Position().after(ids).checksum))
    return dealing.Leg(dealt.world, dealt.block, dealt.drop_last, tuple(places))


@pytest.mark.parametrize("seed", range(60))
def test_what_is_left_is_dealt_out_as_torch_deals(seed):
    draw = random.Random(seed)
    n, drop_last, apart = draw.choice([0, 1, 2, 7, 23, 64, 101]), draw.random() < 0.5, draw.random() < 0.3
    whole = order.in_order(n, draw.random() < 0.7, seed, 3)
    entries, legs, rest, seen, repeats = dealing.Entries(whole), (), whole.tolist(), collections.Counter(), 0
    for last in (False, False, False, True):
        world = draw.randrange(1, 9)
        dealt = dealing.Dealing(0, world, 1, drop_last)
        parts = [dealing.part(entries, legs, dealing.Dealing(rank, world, 1, drop_last)) for rank in range(world)]
        theirs = [torchs_part(rest, world, rank, drop_last) for rank in range(world)]
        assert [ids.tolist() for ids, _ in parts] == theirs
        assert dealt.share(dealing.number_left(n, legs, False)) == len(theirs[0])
        most = len(theirs[0])
        taken = [draw.randrange(most + 1) for _ in range(world)] if apart else [draw.randrange(most + 1)] * world
        taken = [most] * world if last else taken
        for (ids, occurrence), k in zip(parts, taken, strict=True):
            seen.update(zip(ids[:k].tolist(), occurrence[:k].tolist(), strict=True))
        repeats += max(0, most * world - len(rest))
        done = {i for (i, number) in seen if number == 0}
        rest = [i for i in rest if i not in done]
        legs += (leg_of(dealt, theirs, taken, None if apart else draw.randrange(world)),)
    assert not seen or max(seen.values()) == 1, "a draw came twice"
    assert sum(number > 0 for _, number in seen) <= repeats
    assert len(rest) < world if drop_last else not rest


@pytest.mark.parametrize("seed", range(30))
def test_blocks_as_accelerate_deals_them(seed):
    draw = random.Random(seed)
    n, drop_last = draw.choice([13, 40, 77]), draw.random() < 0.5
    entries, legs, seen = dealing.Entries(order.in_order(n, True, seed, 0)), (), []
    for last in (False, False, True):
        world, block = draw.randrange(1, 6), draw.randrange(1, 5)
        parts = [dealing.part(entries, legs, dealing.Dealing(r, world, block, drop_last)) for r in range(world)]
        left = [i for i in entries.ids.tolist() if i not in {i for i, number in seen if number == 0}]
        for rank, (ids, _) in enumerate(parts):
            at = order.positions(len(left), rank, world, drop_last, block)
            assert ids.tolist() == [left[a % len(left)] for a in at]
        k = len(parts[0][0]) if last else draw.randrange(len(parts[0][0]) // 2 + 1) // block * block
        for ids, occurrence in parts:
            seen += zip(ids[:k].tolist(), occurrence[:k].tolist(), strict=True)
        legs += (leg_of(dealing.Dealing(0, world, block, drop_last), [ids for ids, _ in parts], [k] * world, 0),)
    assert len(set(seen)) == len(seen)
    firsts = {i for i, number in seen if number == 0}
    assert n - len(firsts) < world if drop_last else len(firsts) == n


# ---- through the loader -------------------------------------------------------------------------------------------------


def digests(batch):
    return [(int(number), image.numpy().tobytes()) for image, number in zip(*batch, strict=True)]


def go_on(make, as_rank, world, states, batches, every_state=False):
    """What `world` ranks deliver of an epoch, the states that they leave, and the loaders."""
    seen, left, loaders, lengths = [], [], [], set()
    for rank in range(world):
        as_rank(rank, world)
        loaders.append(part := make(rank, world))
        if states is not None:
            given = states if every_state else states[random.randrange(len(states))]
            part.load_state_dict(given)
            lengths.add(len(part))
        iterator, count = iter(part), batches[rank] if isinstance(batches, list) else batches
        mine = []
        while count is None or len(mine) < count:
            batch = next(iterator, None)
            if batch is None:
                break
            mine.append(digests(batch))
        if count is not None:
            assert len(mine) == count, "the test asks for more than there is"
        seen.append(mine)
        left.append(json.loads(json.dumps(part.state_dict())))
    assert len(lengths) <= 1
    return seen, left, loaders, lengths


def flat(seen):
    return [one for rank in seen for batch in rank for one in batch]


N = 211
OWN = {
    "shuffled": {"shuffle": True, "batch_size": 3},
    "in order": {"batch_size": 4},
    "cut": {"shuffle": True, "batch_size": 2, "drop_last": True},
    "single": {"shuffle": True, "batch_size": None},
}


def single_process():
    alone = DataLoader(Arrays(N), 1, device="cpu", transform=FakeCompose(4), seed=5)
    epochs = []
    for _ in range(2):
        epochs.append(dict(one for batch in alone for one in digests(batch)))
    return epochs


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("chain", [[8, 6, 3, 8], [1, 4], [5, 1], [2, 3]])
def test_ranks_come_and_go(kind, chain, as_rank):
    def make(rank, world):
        return DataLoader(Arrays(N), device="cpu", transform=FakeCompose(4), seed=5, **OWN[kind])

    how, alone, states, every = OWN[kind], single_process(), None, []
    size = how["batch_size"] or 1
    for k, world in enumerate(chain):
        last = k == len(chain) - 1
        if how["batch_size"] is None:
            seen, states = one_by_one(make, as_rank, world, states, None if last else 2)
        else:
            seen, states, loaders, lengths = go_on(make, as_rank, world, states, None if last else 2)
            if lengths and last:
                assert lengths == {len(seen[0]) + 2 * k}
        every += flat(seen)
        assert len({len(rank) for rank in seen}) == 1
    found = collections.Counter(every)
    assert max(found.values()) == 1, "the same draw twice"
    originals = {number for number, pixels in every if alone[0][number] == pixels}
    repeats = len(every) - len(originals)
    if how.get("drop_last"):
        assert N - len(originals) < chain[-1] * size
        assert not repeats
    else:
        assert originals == set(range(N))
        assert repeats < chain[-1]
    if how["batch_size"] is None:
        return
    later = []  # the next epoch is as ever
    for rank, part in enumerate(loaders):
        as_rank(rank, chain[-1])
        later.append([digests(batch) for batch in part])
        assert len(part) == len(later[-1]) == len(make(rank, chain[-1]))
    again = {number for number, pixels in flat(later) if alone[1][number] == pixels}
    assert N - len(again) < chain[-1] * size if how.get("drop_last") else again == set(range(N))


def one_by_one(make, as_rank, world, states, count):
    seen, left = [], []
    for rank in range(world):
        as_rank(rank, world)
        part = make(rank, world)
        if states is not None:
            part.load_state_dict(states[0])
        mine = []
        for image, number in part:
            mine.append([(int(number), image.numpy().tobytes())])
            if len(mine) == count:
                break
        seen.append(mine)
        left.append(part.state_dict())
    return seen, left


def test_pixels_of_a_real_pipeline(as_rank):
    def make(rank, world):
        flip = G.Compose([G.RandomResizedCrop((6, 6)), G.HorizontalFlip(), G.RandomBrightnessContrast(p=0.8)], seed=3)
        return DataLoader(Arrays(50), 4, shuffle=True, device="cpu", transform=flip, seed=1)

    as_rank(0, 1)
    alone = dict(one for batch in make(0, 1) for one in digests(batch))
    first, states, *_ = go_on(make, as_rank, 3, None, 2)
    second, *_ = go_on(make, as_rank, 2, states, None)
    assert sorted(number for number, _ in flat(first) + flat(second)) == list(range(50))
    assert all(alone[number] == pixels for number, pixels in flat(first) + flat(second))


def test_ranks_that_stood_at_different_places(as_rank):
    def make(rank, world):
        return DataLoader(Arrays(N), 3, shuffle=True, device="cpu", transform=FakeCompose(4), seed=5)

    alone = single_process()[0]
    for after in (4, 2, 7):  # as many ranks is one of the cases
        every, states, *_ = go_on(make, as_rank, 4, None, [3, 1, 0, 5])
        every = flat(every)
        second, again, *_ = go_on(make, as_rank, after, states, 1, every_state=True)
        third, _, _, lengths = go_on(make, as_rank, 5, again, None)
        every += flat(second) + flat(third)
        assert lengths == {5 + 1 + len(third[0])}
        assert len(set(every)) == len(every)
        assert {number for number, pixels in every if alone[number] == pixels} == set(range(N))
        assert len(every) - N < 5


@pytest.mark.parametrize("after", [2, 4])
def test_ranks_with_equally_many_batches_of_other_sizes(after, as_rank):
    """Where a rank stands is told by its samples: GPUs that are not alike may have batches that are not."""

    def make(rank, world):
        size = 3 + 2 * (rank % 2) if world == 4 and not states else 3
        return DataLoader(Arrays(N), size, shuffle=True, device="cpu", transform=FakeCompose(4), seed=5)

    states, alone = [], single_process()[0]
    first, states, *_ = go_on(make, as_rank, 4, None, 2)
    assert len(flat(first)) == 2 * (3 + 5 + 3 + 5)
    rest, *_ = go_on(make, as_rank, after, states, None, every_state=True)
    every = flat(first) + flat(rest)
    assert len(set(every)) == len(every)
    assert {number for number, pixels in every if alone[number] == pixels} == set(range(N))
    assert len(every) - N < after


def test_all_states_of_ranks_that_stood_at_one_place(as_rank):
    def make(rank, world):
        return DataLoader(Arrays(N), 3, shuffle=True, device="cpu", transform=FakeCompose(4), seed=5)

    _, states, *_ = go_on(make, as_rank, 4, None, 2)
    rest, *_ = go_on(make, as_rank, 4, states, None, every_state=True)
    own = []
    for rank in range(4):
        as_rank(rank, 4)
        part = make(rank, 4)
        part.load_state_dict(states[rank])
        own.append([digests(batch) for batch in part])
    assert rest == own
    after, *_ = go_on(make, as_rank, 3, states, None, every_state=True)
    assert sorted(after) == sorted(go_on(make, as_rank, 3, states, None)[0])


def distributed(rank, world, drop_last=False):
    return DistributedSampler(Arrays(N), world, rank, shuffle=True, seed=9, drop_last=drop_last)


SAMPLERS = {
    "DistributedSampler": lambda r, w: {"batch_size": 3, "sampler": distributed(r, w)},
    "cut": lambda r, w: {"batch_size": 3, "sampler": distributed(r, w, True)},
    "BatchSampler": lambda r, w: {"batch_sampler": BatchSampler(distributed(r, w), 3, False)},
    "ImbalancedSampler": lambda r, w: {
        "batch_size": 3,
        "sampler": samplers.ImbalancedSampler(np.arange(N) % 7 % 3, seed=4, num_replicas=w, rank=r),
    },
    "of torch.distributed": lambda r, w: {
        "batch_size": 3,
        "sampler": samplers.ImbalancedSampler(np.arange(N) % 7 % 3, seed=4, drop_last=True),
    },
    "GroupBatchSampler": lambda r, w: {"batch_sampler": samplers.GroupBatchSampler(np.arange(N) % 7 % 3, 3, seed=4)},
    "MixedBatchSampler": lambda r, w: {"batch_sampler": samplers.MixedBatchSampler(np.arange(N) % 7 % 3, 4, seed=4)},
    "RepeatBatchSampler": lambda r, w: {"batch_sampler": samplers.RepeatBatchSampler(N, 3, num_batches=40, seed=4)},
}


@pytest.mark.parametrize("kind", [None, "DistributedSampler", "GroupBatchSampler", "MixedBatchSampler"])
def test_any_ranks_state_is_that_of_all(kind, as_rank):
    def make(rank, world):
        how = {"batch_size": 3, "shuffle": True} if kind is None else SAMPLERS[kind](rank, world)
        return DataLoader(Arrays(N), device="cpu", transform=FakeCompose(4), seed=5, **how)

    whole, *_ = go_on(make, as_rank, 4, None, None)
    _, states, *_ = go_on(make, as_rank, 4, None, 2)
    rest, *_ = go_on(make, as_rank, 4, states[2:3], None)
    if kind is not None:  # what torch's sampler repeats in the end nobody numbers but who has the whole order
        numbers = [[[number for number, _ in batch] for batch in rank] for rank in rest]
        assert numbers == [[[number for number, _ in batch] for batch in rank[2:]] for rank in whole]
        whole, rest = ([rank[:-1] for rank in ranks] for ranks in (whole, rest))
    assert rest == [rank[2:] for rank in whole]


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize("chain", [[4, 3, 2], [2, 5], [1, 3], [3, 1]])
def test_samplers_whose_dealing_is_known(kind, chain, as_rank):
    def make(rank, world):
        return DataLoader(Arrays(N), device="cpu", transform=FakeCompose(4), seed=5, **SAMPLERS[kind](rank, world))

    as_rank(0, 1)
    alone = collections.Counter(one for batch in make(0, 1) for one in digests(batch))
    states, every, drop = None, [], "cut" in kind or "torch." in kind
    for k, world in enumerate(chain):
        last = k == len(chain) - 1
        seen, states, _, lengths = go_on(make, as_rank, world, states, None if last else 2)
        every += flat(seen)
        assert len({len(rank) for rank in seen}) == 1
        if last:
            assert lengths == {len(seen[0]) + 2 * k}
    found = collections.Counter(every)
    lost, more = sum((alone - found).values()), sum((found - alone).values())
    size = 1 if "batch_size" in SAMPLERS[kind](0, 1) or kind == "BatchSampler" else 4
    assert lost < chain[-1] if drop else not lost
    assert not more if drop else more < chain[-1] * size
    assert max(found.values()) == 1
    assert max(alone.values()) == 1


def test_the_first_leg_is_torchs(as_rank):
    as_rank(1, 4)
    mine = distributed(1, 4)
    part = DataLoader(Arrays(N), 3, sampler=distributed(1, 4), device="cpu", transform=FakeCompose(4))
    assert [number for batch in part for number, _ in digests(batch)] == list(mine)
    assert dealing.part(dealing.entries_of(mine), (), dealing.dealing_of(mine))[0].tolist() == list(mine)


# ---- states -------------------------------------------------------------------------------------------------------------


def simple(**how):
    how = {"batch_size": 4, "shuffle": True, "device": "cpu", "seed": 1} | how
    return DataLoader(how.pop("dataset", None) or Arrays(N), **how)


def halfway(part, batches=2):
    iterator = iter(part)
    for _ in range(batches):
        next(iterator)
    return part.state_dict()


def test_a_state_that_was_loaded_comes_back(as_rank):
    as_rank(2, 4)
    state = halfway(simple())
    as_rank(0, 3)
    other = simple()
    other.load_state_dict(state)
    assert other.state_dict() == state
    second = halfway(other)
    assert (second["version"], second["world"], len(second["legs"])) == (2, 3, 1)
    for world in (3, 5):
        as_rank(0, world)
        other = simple()
        other.load_state_dict(second)
        assert other.state_dict() == second
    other.set_epoch(4)
    assert other.state_dict()["legs"] == []


def test_a_state_of_before_ranks_were_in_it(as_rank):
    def old(state):
        return {key: value for key, value in state.items() if key not in ("rank", "block", "drop_last", "legs")}

    as_rank(1, 4)
    whole = simple()
    state = old(halfway(whole))
    again = simple()
    again.load_state_dict(state)
    assert len([y for _, y in again]) == len(whole) - 2
    numbers = []
    for rank in range(2):
        as_rank(rank, 2)
        part = simple()
        part.load_state_dict(state)
        numbers += [int(i) for _, y in part for i in y]
    assert set(numbers) == set(order.own_order(N, True, 1, 0)[0][32:].tolist())
    as_rank(0, 2)
    with pytest.raises(ValueError, match="a list must hold the states of all ranks, and one of these does not say whose it is"):
        simple().load_state_dict([state, state])


def test_the_order_must_be_the_same(as_rank):
    as_rank(1, 4)
    state = halfway(simple())
    as_rank(0, 2)
    for part, spoilt in (
        (simple(shuffle=False), {}),
        (simple(), {"samples": 4}),
        (simple(), {"seed": 2}),
        (simple(), {"rank": 2}),
    ):
        part.load_state_dict({**state, **spoilt})
        with pytest.raises(ValueError, match="gives another order"):
            next(iter(part))
    as_rank(0, 4)
    part = simple(shuffle=False)
    part.load_state_dict(state)
    with pytest.raises(ValueError, match="gives another order"):
        next(iter(part))


def test_lists_that_do_not_fit_together(as_rank):
    states = []
    for rank in range(3):
        as_rank(rank, 3)
        states.append(halfway(simple()))
    part = simple()
    for spoilt, said in (
        ([states[0], states[1]], r"ranks 0 to 2, once each: 2 missing"),
        ([states[0], states[1], states[1]], r"2 missing and 1 there twice"),
        ([states[0], states[1], {**states[2], "epoch": 1}], r"epoch is 0 on rank 0 and 1 on rank 2"),
        ([states[0], states[1], {**states[2], "seed": 8}], r"seed is 1 on rank 0 and 8 on rank 2"),
        ([states[0], states[1], {**states[2], "length": 8}], r"length is 211 on rank 0 and 8 on rank 2"),
        ([], r"an empty list"),
    ):
        with pytest.raises(ValueError, match=said):
            part.load_state_dict(spoilt)
    part.load_state_dict(states[::-1])


class Stream(IterableDataset):
    def __iter__(self):
        return iter([np.zeros((4, 4, 3), np.uint8)] * 20)


class Stateful(Arrays):
    def state_dict(self):
        return {"a": 1}

    def load_state_dict(self, state):
        pass


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"dataset": Stream(), "shuffle": None}, r"nobody knows which samples a stream \(Stream\) has left.*IndexedShards"),
        ({"dataset": Stateful(N)}, r"Stateful has a state of its own on each rank.*take its state_dict\(\) away"),
        (
            {"shuffle": None, "sampler": SequentialSampler(range(N))},
            r"nobody knows how SequentialSampler deals.*shuffle=True, seed=",
        ),
        ({"generator": torch.Generator()}, r"nobody knows how RandomSampler deals"),
        (
            {"batch_size": 1, "shuffle": None, "batch_sampler": BatchSampler(SequentialSampler(range(N)), 2, False)},
            r"how BatchSampler around SequentialSampler deals",
        ),
    ],
)
def test_what_cannot_be_dealt_out_anew(how, said, as_rank):
    as_rank(0, 2)
    state = halfway(simple(**how))
    part = simple(**how)
    part.load_state_dict(state)
    as_rank(0, 3)
    with pytest.raises(ValueError, match=said) as caught:
        simple(**how).load_state_dict(state)
    caught.match("saved with 2 ranks.*Go on with 2 ranks, each from its own state,")


def test_between_epochs_a_stream_goes_on_with_other_ranks(as_rank):
    as_rank(0, 2)
    part = simple(dataset=Stream(), shuffle=None)
    list(part)
    as_rank(0, 3)
    again = simple(dataset=Stream(), shuffle=None)
    again.load_state_dict(part.state_dict())
    assert again.state_dict()["epoch"] == 1
    assert len(list(again)) == 5


def test_a_state_does_not_grow_with_the_epoch(as_rank):
    sizes = []
    for batches in (1, 20):
        state = None
        for world in (4, 3):
            as_rank(0, world)
            part = simple(dataset=Arrays(100_000))
            if state:
                part.load_state_dict(state)
            state = halfway(part, batches)
        sizes.append(len(json.dumps(state)))
    assert abs(sizes[0] - sizes[1]) < 20
    assert max(sizes) < 600

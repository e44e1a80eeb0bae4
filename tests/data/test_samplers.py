import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from torch.utils.data import DataLoader, Subset, TensorDataset

from gpuaug.data.samplers import (
    GroupBatchSampler,
    ImbalancedSampler,
    MixedBatchSampler,
    RepeatBatchSampler,
    class_numbers,
    occurrences,
    stratified_split,
)

# A test of a chi-square statistic fails for a right sampler with this probability. Seeds are fixed: it is drawn once.
FALSE_ALARM = 1e-6

LABELS = np.repeat(["cat", "dog", "ibis", "newt"], [600, 250, 130, 20])


def samplers(**world):
    return [
        ImbalancedSampler(LABELS, seed=5, **world),
        RepeatBatchSampler(37, 4, seed=5, **world),
        GroupBatchSampler(LABELS, 16, seed=5, **world),
        MixedBatchSampler(LABELS, 16, seed=5, **world),
        MixedBatchSampler(LABELS, 16, whole_batches=True, seed=5, **world),
    ]


each = pytest.mark.parametrize("kind", range(5), ids=["imbalanced", "repeat", "group", "mixed", "mixed-whole"])


def chi_square(counts, expected):
    return (((counts - expected) ** 2) / expected).sum()


def test_occurrences_against_a_dictionary():
    indices = np.random.default_rng(0).integers(0, 30, 500)
    seen, expected = {}, []
    for i in indices.tolist():
        expected.append(seen.get(i, 0))
        seen[i] = expected[-1] + 1
    assert occurrences(indices).tolist() == expected
    assert occurrences([]).tolist() == []


@each
def test_order_is_a_function_of_seed_and_epoch(kind):
    first, same = samplers()[kind], samplers()[kind]
    torch.manual_seed(1)
    epoch0 = list(first)
    torch.manual_seed(2)
    assert list(same) == epoch0 == list(first)
    first.set_epoch(1)
    assert list(first) != epoch0
    first.set_epoch(0)
    assert list(first) == epoch0


def test_orders_are_these_in_another_process_and_release():
    # Written down once: a resume after an update of NumPy must continue the same order.
    assert list(ImbalancedSampler([0, 0, 0, 1], num_samples=8, seed=3)) == [3, 0, 2, 3, 3, 2, 0, 2]
    assert list(GroupBatchSampler([0, 1] * 4, 2, seed=3)) == [[7, 1], [6, 0], [5, 3], [2, 4]]


@each
def test_resumes_at_any_entry(kind):
    whole = list(samplers()[kind])
    for stop in (0, 1, len(whole) // 2, len(whole)):
        sampler = samplers()[kind]
        taken = list(itertools.islice(sampler, stop))
        resumed = samplers()[kind]
        resumed.load_state_dict(sampler.state_dict() if stop else iter(sampler) and sampler.state_dict())
        assert taken + list(resumed) == whole
        assert list(resumed) == whole, "only the first iteration after a resume is shortened"


def test_state_does_not_grow_and_refuses_another_seed():
    sampler = ImbalancedSampler(LABELS, seed=5)
    list(sampler)
    assert sampler.state_dict() == {"seed": 5, "epoch": 0, "yielded": 1000}
    with pytest.raises(ValueError, match=r"seed=5.*seed=6.*same seed"):
        ImbalancedSampler(LABELS, seed=6).load_state_dict(sampler.state_dict())


@each
@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_the_epoch(kind, world):
    whole = list(samplers()[kind])
    parts = [list(samplers(num_replicas=world, rank=r)[kind]) for r in range(world)]
    assert len({len(part) for part in parts}) == 1
    merged = [entry for step in zip(*parts, strict=True) for entry in step]
    assert merged[: len(whole)] == whole
    assert merged[len(whole) :] == whole[: len(merged) - len(whole)], "padded from the front"
    dropping = [len(samplers(num_replicas=world, rank=r, drop_last=True)[kind]) for r in range(world)]
    assert set(dropping) == {samplers(drop_last=True)[kind].total() // world}


@each
def test_occurrences_are_those_of_the_whole_epoch(kind):
    whole = samplers()[kind]
    parts = [samplers(num_replicas=2, rank=r)[kind] for r in range(2)]
    merged = [np.atleast_1d(o).tolist() for pair in zip(*(p.occurrences() for p in parts), strict=True) for o in pair]
    alone = [np.atleast_1d(o).tolist() for o in whole.occurrences()]
    assert merged[: len(alone)] == alone


def test_rank_is_taken_from_torch_distributed(tmp_path):
    code = (
        "import sys, torch.distributed as d; from gpuaug.data.samplers import RepeatBatchSampler as R\n"
        "s = R(6, 1, shuffle=False)\n"
        f"d.init_process_group('gloo', init_method='file://{tmp_path}/store', rank=0, world_size=1)\n"
        "print(list(s)); d.destroy_process_group()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[[0], [1], [2], [3], [4], [5]]"


@pytest.mark.parametrize("power", [1.0, 0.5, 0.0])
def test_imbalanced_frequencies(power):
    sampler = ImbalancedSampler(LABELS, num_samples=20_000, power=power, seed=11)
    drawn = np.fromiter(sampler, np.int64)
    sizes = np.array([600, 250, 130, 20])
    share = sizes ** (1 - power) / (sizes ** (1 - power)).sum()
    counts = np.bincount(class_numbers(LABELS)[drawn])
    assert chi_square(counts, share * len(drawn)) < chi2.isf(FALSE_ALARM, 3)
    within = np.bincount(drawn[drawn < 600], minlength=600)
    assert chi_square(within, np.full(600, within.sum() / 600)) < chi2.isf(FALSE_ALARM, 599)


def test_repeat_batches():
    batches = list(RepeatBatchSampler(10, 4))
    assert sorted(b[0] for b in batches) == list(range(10))
    assert all(b == [b[0]] * 4 for b in batches)
    assert RepeatBatchSampler(10, 4).occurrences()[3].tolist() == [0, 1, 2, 3]
    assert [b[0] for b in RepeatBatchSampler(3, 2, num_batches=5, shuffle=False)] == [0, 1, 2, 0, 1]


@pytest.mark.parametrize("drop_last", [False, True])
def test_group_batches(drop_last):
    sampler = GroupBatchSampler(LABELS, 16, drop_last=drop_last)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert all(len(set(LABELS[b])) == 1 for b in batches)
    samples = sorted(itertools.chain(*batches))
    if drop_last:
        assert {len(b) for b in batches} == {16}
        assert len(samples) == len(set(samples)) == (37 + 15 + 8 + 1) * 16
    else:
        assert samples == list(range(1000))
    firsts = [LABELS[b[0]] for b in batches]
    assert firsts != sorted(firsts), "the batches themselves are shuffled"


def test_mixed_batches_hold_their_fractions():
    batches = list(MixedBatchSampler(LABELS, 16, repeat=0.25, group=0.5))
    for batch in batches:
        assert len(batch) == 16
        assert len(set(batch[:4])) == 1
        assert len(set(LABELS[batch[4:12]])) == 1
    random = list(itertools.chain(*(b[12:] for b in batches)))
    assert len(set(random)) == len(random), "random samples run through the dataset before one comes again"
    groups = [LABELS[b[4]] for b in batches]
    assert set(groups) >= {"cat", "dog", "ibis"}


def test_mixed_whole_batches():
    batches = list(MixedBatchSampler(LABELS, 16, repeat=0.2, group=0.3, num_batches=100, whole_batches=True))
    repeated = [len(set(b)) == 1 for b in batches]
    grouped = [len(set(LABELS[b])) == 1 for b in batches]
    assert sum(repeated) == 20
    assert sum(grouped) == 50, "16 random samples of these classes are of one class with probability 3e-4"


@pytest.mark.parametrize(("fractions", "expected"), [((0.3, 0.3), [3, 3, 4]), ((0.25, 0.25), [3, 2, 5]), ((1, 0), [10, 0, 0])])
def test_mixed_rounding(fractions, expected):
    batch = next(iter(MixedBatchSampler(np.arange(1000), 10, *fractions)))  # each sample its own group
    runs = [len(list(run)) for _, run in itertools.groupby(batch)]
    assert runs[: sum(e > 0 for e in expected[:2])] == [e for e in expected[:2] if e]
    assert len(batch) == 10


@pytest.mark.parametrize(
    "build",
    [
        lambda data, **more: ImbalancedSampler(data, **more),
        lambda data, **more: RepeatBatchSampler(data, 4, **more),
        lambda data, **more: RepeatBatchSampler(data, 4, num_batches=500, shuffle=False, **more),
        lambda data, **more: GroupBatchSampler(data, 16, **more),
        lambda data, **more: MixedBatchSampler(data, 16, **more),
        lambda data, **more: MixedBatchSampler(data, 16, whole_batches=True, **more),
    ],
)
def test_indices_are_a_subset_by_the_numbers_of_the_whole(build):
    data = Labelled(LABELS, "targets")
    some = np.random.default_rng(0).permutation(len(LABELS))[:300]
    some = some[LABELS[some] != "ibis"]  # a class that the part lacks
    by_number, by_subset = build(data, indices=some), build(Subset(data, some))
    assert len(by_number) == len(by_subset)
    for epoch in (0, 3):
        pairs = zip(by_number.order(epoch), by_subset.order(epoch), strict=True)
        assert all(np.array_equal(mine, some[theirs]) for mine, theirs in pairs)


def test_with_torchs_own_loader():
    data = TensorDataset(torch.arange(1000))
    sampler = GroupBatchSampler(LABELS, 16)
    seen = [batch[0].tolist() for batch in DataLoader(data, batch_sampler=sampler)]
    assert seen == list(sampler)
    balanced = ImbalancedSampler(LABELS)
    seen = torch.cat([batch[0] for batch in DataLoader(data, batch_size=64, sampler=balanced)])
    assert seen.tolist() == list(balanced)


@pytest.mark.parametrize("batched", [True, False])
def test_with_torchdatas_stateful_loader(batched):
    stateful = pytest.importorskip("torchdata.stateful_dataloader")
    data = TensorDataset(torch.arange(1000))

    def loader():
        if batched:
            return stateful.StatefulDataLoader(data, batch_sampler=MixedBatchSampler(LABELS, 16))
        return stateful.StatefulDataLoader(data, batch_size=16, sampler=ImbalancedSampler(LABELS))

    whole = [b[0].tolist() for b in loader()]
    first = loader()
    batches = iter(first)
    taken = [next(batches)[0].tolist() for _ in range(5)]
    second = loader()
    second.load_state_dict(first.state_dict())
    assert taken + [b[0].tolist() for b in second] == whole


def test_labels_from_datasets():
    class Columns:
        def column(self, name):
            return {"color": np.array([1, 0, 1]), "size": np.array([0, 0, 5])}[name]

    class Targets:
        targets = (3, 3, 9)

    assert class_numbers(Targets()).tolist() == [0, 0, 1]
    assert class_numbers(Subset(Targets(), [2, 0])).tolist() == [1, 0]
    assert class_numbers(Columns(), "color").tolist() == [1, 0, 1]
    assert class_numbers(Columns(), ["color", "size"]).tolist() == [1, 0, 2]
    assert class_numbers(torch.tensor([5, 4])).tolist() == [1, 0]
    with pytest.raises(TypeError, match="Columns has no targets"):
        class_numbers(Columns())
    with pytest.raises(TypeError, match="column='color' needs a dataset"):
        class_numbers([0, 1], "color")


def test_stratified_split():
    train, test = stratified_split(LABELS, test_size=0.1, seed=4)
    assert sorted([*train, *test]) == list(range(1000))
    assert np.unique(LABELS[test], return_counts=True)[1].tolist() == [60, 25, 13, 2]
    assert stratified_split(LABELS, test_size=0.1, seed=4)[1].tolist() == test.tolist()
    assert stratified_split(LABELS, test_size=0.1, seed=5)[1].tolist() != test.tolist()
    with_single = [*LABELS, "yak"]
    with pytest.raises(ValueError, match=r'1 classes have a single sample.*sample 1000; pass rare="train"'):
        stratified_split(with_single)
    assert 1000 in stratified_split(with_single, rare="train")[0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ImbalancedSampler([]), "there are no labels"),
        (lambda: ImbalancedSampler([0.0, np.nan]), "label of sample 1 is NaN"),
        (lambda: ImbalancedSampler([[0, 1]]), "one number or one string per sample"),
        (lambda: ImbalancedSampler([0, 1], power=-1), "power must be a number >= 0, got -1"),
        (lambda: ImbalancedSampler([0, 1], num_samples=0), "num_samples must be at least 1, got 0"),
        (lambda: ImbalancedSampler([0, 1], rank=1), "num_replicas and rank go together"),
        (lambda: ImbalancedSampler([0, 1], num_replicas=2, rank=2), "rank must be in"),
        (lambda: RepeatBatchSampler(0, 4), "the number of samples must be at least 1"),
        (lambda: RepeatBatchSampler(3, 2.0), "batch_size must be a whole number, got 2.0"),
        (lambda: GroupBatchSampler([0, 0, 1], 4, drop_last=True), "largest group has 2 samples"),
        (lambda: MixedBatchSampler([0, 1], 4, repeat=0.8, group=0.4), "sum is at most 1"),
        (lambda: GroupBatchSampler([0, 1, 1], 2, indices=[0, 3]), "indices has 3; the dataset has 3 samples: 0 to 2"),
        (lambda: MixedBatchSampler([0, 1, 1], 2, indices=[-1]), "indices has -1"),
        (lambda: RepeatBatchSampler(3, 2, indices=[2, 2]), "indices has 2 more than once"),
        (lambda: RepeatBatchSampler(3, 2, indices=[]), "at least one"),
        (lambda: ImbalancedSampler([0, 1], indices=[True, False]), "np.flatnonzero"),
        (lambda: ImbalancedSampler([0, 1], indices=[0.0]), "whole number for each sample"),
        (lambda: stratified_split([0, 1], rare="drop"), 'rare must be "raise" or "train"'),
        (lambda: RepeatBatchSampler(3, 2).set_epoch(-1), "epoch must be at least 0"),
    ],
)
def test_bad_arguments(build, message):
    with pytest.raises((ValueError, TypeError), match=message):
        build()


class Labelled(torch.utils.data.Dataset):
    """A dataset of pictures whose classes are to be had without them."""

    def __init__(self, labels, name):
        self.n = len(labels)
        setattr(self, name, (lambda: labels) if name == "get_labels" else labels)

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        raise AssertionError("a sampler has no business with the samples")


class TestWhereLabelsComeFrom:
    LABELS = [7] * 90 + [3] * 10

    @pytest.mark.parametrize("name", ["targets", "labels", "get_labels"])
    @pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
    def test_attributes(self, name, kind):
        data = Labelled(kind(self.LABELS), name)
        assert class_numbers(data).tolist() == [1] * 90 + [0] * 10
        share = np.mean(np.array(list(ImbalancedSampler(data, num_samples=4000))) >= 90)
        # half of the draws; sqrt(.25 / 4000) is 0.008, the margin five of that
        assert share == pytest.approx(0.5, abs=0.04)

    def test_of_a_class_that_only_looks_like_a_dataset(self):
        class Duck:
            def __len__(self):
                return 3

            def __getitem__(self, index):
                raise AssertionError

            def get_labels(self):
                return ["b", "a", "b"]

        assert class_numbers(Duck()).tolist() == [1, 0, 1]

    def test_parts(self):
        first, second = Labelled([5, 6], "get_labels"), Labelled([6, 9, 9], "targets")
        both = torch.utils.data.ConcatDataset([first, torch.utils.data.Subset(second, [0, 2])])
        assert class_numbers(both).tolist() == [0, 1, 1, 2]

    def test_a_dataset_without_is_no_list_of_labels(self):
        with pytest.raises(TypeError, match=r"Labelled has no targets, labels or get_labels\(\); pass the labels"):
            class_numbers(Labelled([1, 2], "classes_of"))

    def test_one_for_each(self):
        data = Labelled([1, 2, 3], "get_labels")
        data.n = 4
        with pytest.raises(ValueError, match="Labelled has 4 samples and 3 labels"):
            class_numbers(data)

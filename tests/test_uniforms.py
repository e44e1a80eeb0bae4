# ruff: noqa: E501  (tables)
"""The counter-based generator: known answers, one stream for both implementations, uniform and independent numbers."""

from __future__ import annotations

import itertools

import numpy as np
import parity
import pytest
import scipy.stats

import gpuaug as G
from gpuaug import uniforms as gpuaug_uniforms

FALSE_ALARM = 1e-6  # of each statistical test below; their seeds are fixed, so that a test that passes goes on passing

# Random123 1.14, tests/kat_vectors: philox4x32 10; counter, key, answer
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def uniforms(*args) -> np.ndarray:
    """A line for each sample."""
    return gpuaug_uniforms.table(*args).T


def twin(seed, epoch, ids, occurrence, slots, blocks) -> np.ndarray:
    """`uniforms.table` in NumPy."""
    i, low = ids.astype(np.uint64)[:, None], np.uint64(0xFFFFFFFF)
    words = gpuaug_uniforms.philox(
        i & low,
        epoch,
        (occurrence.astype(np.uint64) << np.uint64(12))[:, None] | slots.astype(np.uint64),
        (i >> np.uint64(32)) << np.uint64(12) | blocks.astype(np.uint64),
        seed & 0xFFFFFFFF,
        seed >> 32,
    )
    return words.reshape(len(ids), 4 * len(slots)) * 2.0**-32


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers_numpy(counter, key, answer):
    assert tuple(int(w) for w in gpuaug_uniforms.philox(*counter, *key)) == answer


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers_compiled(counter, key, answer):
    """The counter's words as ids, epoch, occurrence, slot and block, see uniforms.py."""
    c0, c1, c2, c3 = counter
    ids = np.array([c0 | (c3 >> 12) << 32], np.int64)
    u = uniforms(
        key[0] | key[1] << 32,
        c1,
        ids,
        np.array([c2 >> 12], np.uint32),
        np.array([c2 & 0xFFF], np.uint32),
        np.array([c3 & 0xFFF], np.uint32),
    )
    assert tuple((u[0] * 2.0**32).astype(np.uint64).tolist()) == answer


# threefry4x32 13 of the same file: counter, key, answer; the noise kernels' generator
NOISE = [
    ((0,) * 4, (0,) * 4, (0x531C7E4F, 0x39491EE5, 0x2C855A92, 0x3D6ABF9A)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 4, (0xC4189358, 0x1C9CC83A, 0xD5881C67, 0x6A0A89E0)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0, 0x082EFA98, 0xEC4E6C89),
     (0x4AA71D8F, 0x734738C2, 0x431FC6A8, 0xAE6DEBF1)),
]  # fmt: skip


@pytest.mark.parametrize(("counter", "key", "answer"), NOISE)
def test_known_answers_of_the_noise_generator(counter, key, answer):
    """Of its NumPy twin, with which test_parity.py compares GaussNoise."""
    assert tuple(int(w) for w in parity.threefry(counter, key)) == answer


def table(rng, n: int, pairs: int):
    ids = rng.integers(0, gpuaug_uniforms.IDS, n)
    ids[:2] = 0, gpuaug_uniforms.IDS - 1
    occurrence = rng.integers(0, gpuaug_uniforms.OCCURRENCES, n).astype(np.uint32)
    occurrence[:2] = gpuaug_uniforms.OCCURRENCES - 1, 0
    slots, blocks = rng.integers(0, gpuaug_uniforms.SLOTS, (2, pairs)).astype(np.uint32)
    slots[0] = blocks[-1] = gpuaug_uniforms.SLOTS - 1
    return ids, occurrence, slots, blocks


@pytest.mark.parametrize("seed", [0, 1, 0xFFFFFFFFFFFFFFFF, 0x243F6A8885A308D3])
@pytest.mark.parametrize("epoch", [0, 7, 0xFFFFFFFF])
def test_both_implementations_give_the_same(seed, epoch):
    ids, occurrence, slots, blocks = table(np.random.default_rng(epoch), 65, 9)
    compiled = uniforms(seed, epoch, ids, occurrence, slots, blocks)
    np.testing.assert_array_equal(compiled, twin(seed, epoch, ids, occurrence, slots, blocks))
    assert compiled.shape == (65, 36)


@pytest.mark.parametrize("n", [0, 1])
def test_small_tables(n):
    ids, occurrence = np.zeros(n, np.int64), np.zeros(n, np.uint32)
    for slots in (np.zeros(0, np.uint32), np.zeros(1, np.uint32)):
        assert uniforms(1, 0, ids, occurrence, slots, slots).shape == (n, 4 * len(slots))


# ---- uniform ---------------------------------------------------------------------------------


def numbers(kind: str) -> np.ndarray:
    """2^16 numbers along one of the counter's directions, all others fixed."""
    n = 1 << 16
    one, zero = np.ones(1, np.uint32), np.zeros(1, np.uint32)
    if kind == "ids":
        return uniforms(5, 0, np.arange(n), np.zeros(n, np.uint32), zero, zero)[:, 0]
    if kind == "ids, high":
        return uniforms(5, 0, np.arange(n) << 36, np.zeros(n, np.uint32), zero, zero)[:, 0]
    if kind == "occurrence":
        return uniforms(5, 0, np.full(n, 3), np.arange(n, dtype=np.uint32), zero, zero)[:, 0]
    if kind == "slots and blocks":
        slots, blocks = (x.ravel().astype(np.uint32) for x in np.mgrid[:256, :256])
        return uniforms(5, 0, np.array([3]), zero, slots, blocks)[0, ::4]
    if kind == "columns":
        return uniforms(5, 0, np.arange(n // 4), np.zeros(n // 4, np.uint32), one, zero).ravel()
    args = np.array([3]), zero, one, zero
    if kind == "epochs":
        return np.concatenate([uniforms(5, e, *args)[0, :1] for e in range(4096)])
    return np.concatenate([uniforms(s, 0, *args)[0, :1] for s in range(4096)])


KINDS = ["ids", "ids, high", "occurrence", "slots and blocks", "columns", "epochs", "seeds"]


@pytest.mark.parametrize("kind", KINDS)
def test_uniform_and_serially_independent(kind):
    u = numbers(kind)
    assert u.min() >= 0
    assert u.max() < 1
    cells = np.bincount((u * 256).astype(int), minlength=256)
    assert scipy.stats.chisquare(cells).pvalue > FALSE_ALARM
    low = np.bincount((u * 2.0**32).astype(np.uint64).astype(int) & 255, minlength=256)  # the low bits too
    assert scipy.stats.chisquare(low).pvalue > FALSE_ALARM
    pairs = (u[:-1:2] * 16).astype(int) * 16 + (u[1::2] * 16).astype(int)
    assert scipy.stats.chisquare(np.bincount(pairs, minlength=256)).pvalue > FALSE_ALARM


def test_directions_are_independent_of_each_other():
    """The same ids in another slot, epoch, occurrence, block, column or seed: 16 x 16 cells."""
    n = 1 << 16
    ids, zero, one = np.arange(n), np.zeros(1, np.uint32), np.ones(1, np.uint32)
    never, once = np.zeros(n, np.uint32), np.ones(n, np.uint32)
    first = uniforms(5, 0, ids, never, zero, zero)
    others = {
        "slot": uniforms(5, 0, ids, never, one, zero),
        "block": uniforms(5, 0, ids, never, zero, one),
        "epoch": uniforms(5, 1, ids, never, zero, zero),
        "occurrence": uniforms(5, 0, ids, once, zero, zero),
        "seed": uniforms(6, 0, ids, never, zero, zero),
        "seed, high": uniforms(5 + (1 << 32), 0, ids, never, zero, zero),
        "next id": uniforms(5, 0, ids + 1, never, zero, zero),
        "column": np.roll(first, 1, 1),
    }
    for name, other in others.items():
        pairs = (first[:, 0] * 16).astype(int) * 16 + (other[:, 0] * 16).astype(int)
        assert scipy.stats.chisquare(np.bincount(pairs, minlength=256)).pvalue > FALSE_ALARM, name


def test_no_two_places_share_numbers():
    """Every node of a tree has columns of its own, and so has every turn of a repeated child."""
    tree = G.Compose(
        [
            G.Affine(),
            G.OneOf([G.Affine(), G.SomeOf([G.Affine(), G.HorizontalFlip()], n=2, replace=True)]),
            G.RandomOrder([G.GaussNoise(), G.Blur()], n=2),
        ],
        seed=1,
    )
    pairs = list(zip(tree._tree.slots.tolist(), tree._tree.blocks.tolist()))
    assert len(set(pairs)) == len(pairs)
    leaves = [leaf for leaf in tree._tree.leaves if leaf]
    assert [type(transform).__name__ for transform, _ in leaves] == [
        "Affine",
        "Affine",
        "Affine",
        "HorizontalFlip",
        "Affine",
        "HorizontalFlip",
        "GaussNoise",
        "Blur",
    ]
    spans = sorted((lines.start - 1, lines.stop) for _, lines in leaves)  # the coin is before its own numbers
    assert all(stop - start == 1 + t.columns() for t, (start, stop) in zip([t for t, _ in leaves], spans))
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    assert spans[-1][1] <= 4 * len(pairs)


def test_adding_a_transform_at_the_end_changes_nothing_before_it():
    short, long = [G.Affine(), G.GaussNoise()], [G.Affine(), G.GaussNoise(), G.HorizontalFlip()]
    a, b = (G.Compose(steps, seed=1).draw(np.full((64, 2), 20), ids=np.arange(64)) for steps in (short, long))
    for x, y in zip(a.steps, b.steps):
        np.testing.assert_array_equal(x.rows, y.rows)


# ---- coins and choices ---------------------------------------------------------------------------

N = 1 << 16


def drew(compose, n: int = N, **kwargs) -> list[np.ndarray]:
    """For each step, which of n samples took it."""
    drawn = compose.draw(np.full((n, 2), 8), ids=np.arange(n), **kwargs)
    out = []
    for step in drawn.steps:
        took = np.zeros(n, bool)
        took[step.rows] = True
        out.append(took)
    return out


def taken(compose, transforms) -> np.ndarray:
    """[transforms, samples]: how often each sample took each transform."""
    drawn = compose.draw(np.full((N, 2), 8), ids=np.arange(N))
    out = np.zeros((len(transforms), N), int)
    for step in drawn.steps:
        out[[t is step.transform for t in transforms].index(True), step.rows] += 1
    return out


def as_expected(counts, probabilities) -> None:
    assert scipy.stats.chisquare(counts, np.asarray(probabilities) * np.sum(counts)).pvalue > FALSE_ALARM


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.9])
def test_p(p):
    took = drew(G.Compose([G.HorizontalFlip(p=p)], seed=2))[0].sum()
    as_expected([took, N - took], [p, 1 - p])


def test_p_of_zero_and_one():
    assert drew(G.Compose([G.HorizontalFlip(p=0)], seed=2)) == []
    assert drew(G.Compose([G.HorizontalFlip(p=1)], seed=2))[0].all()
    assert drew(G.Compose([G.HorizontalFlip(p=1)], p=0, seed=2)) == []


def test_p_of_groups():
    for group in (
        G.Compose([G.HorizontalFlip(p=1)], p=0.3, seed=2),
        G.Compose([G.Sequential([G.HorizontalFlip(p=1)], p=0.3)], seed=2),
        G.Compose([G.OneOf([G.HorizontalFlip(p=1)], p=0.3)], seed=2),
        G.Compose([G.SomeOf([G.HorizontalFlip(p=1)], n=1, p=0.3)], seed=2),
    ):
        took = drew(group)[0].sum()
        as_expected([took, N - took], [0.3, 0.7])


def test_coins_are_independent():
    """Two transforms with equal arguments: the four outcomes. (With one seed for both they would always agree.)"""
    a, b = drew(G.Compose([G.HorizontalFlip(p=0.5), G.VerticalFlip(p=0.5)], seed=2))
    as_expected(np.bincount(2 * a + b, minlength=4), [0.25] * 4)


def test_coins_are_independent_of_parameters():
    """The coin of a transform says nothing about its own uniforms, nor about its neighbour's."""
    steps = G.Compose([G.HorizontalFlip(p=0.5), G.RandomBrightnessContrast(brightness_limit=(0, 1), p=0.5)], seed=2)
    drawn = steps.draw(np.full((N, 2), 8), ids=np.arange(N))
    flip = np.zeros(N, bool)
    flip[drawn.steps[0].rows] = True
    beta = drawn.steps[1].params["beta"]
    assert scipy.stats.kstest(beta, "uniform").pvalue > FALSE_ALARM
    assert scipy.stats.ks_2samp(beta[flip[drawn.steps[1].rows]], beta[~flip[drawn.steps[1].rows]]).pvalue > FALSE_ALARM


def test_coins_of_epochs_and_repetitions_are_independent():
    compose = G.Compose([G.HorizontalFlip(p=0.5)], seed=2)
    first = drew(compose)[0]
    for kwargs in ({"epoch": 1}, {"occurrence": np.ones(N, int)}):
        as_expected(np.bincount(2 * first + drew(compose, **kwargs)[0], minlength=4), [0.25] * 4)


def test_one_of():
    children = [G.HorizontalFlip(p=0.5), G.VerticalFlip(p=1), G.Transpose(p=0.25), G.NoOp(p=0)]
    times = taken(G.Compose([G.OneOf(children, p=0.8)], seed=3), children)
    assert (times.sum(0) <= 1).all()
    weights = 0.8 * np.array([0.5, 1, 0.25]) / 1.75
    as_expected([*times.sum(1)[:3], (times.sum(0) == 0).sum()], [*weights, 0.2])


def test_one_of_in_one_of():
    inner = [G.HorizontalFlip(p=1), G.VerticalFlip(p=3 / 4)]
    other = G.Transpose(p=1)
    times = taken(G.Compose([G.OneOf([G.OneOf(inner, p=0.5), other], p=1)], seed=3), [*inner, other])
    # the outer choice takes p as a weight: the inner group is applied whenever it is chosen
    as_expected(times.sum(1), np.array([4 / 7 / 3, 3 / 7 / 3, 2 / 3]))


def test_some_of():
    """A number of children uniform in the range, each subset alike, each with its own coin, in the order of the list."""
    children = [G.HorizontalFlip(p=1), G.VerticalFlip(p=1), G.Transpose(p=1), G.NoOp(p=0.5)]
    compose = G.Compose([G.SomeOf(children, n=(1, 3), p=1)], seed=3)
    times = taken(compose, children)
    sure = times[:3]
    assert times.max() == 1
    # a subset of k of 4, k uniform in 1..3; seen through the three sure ones
    expected = np.zeros(8)
    for k in (1, 2, 3):
        subsets = [s for s in range(16) if bin(s).count("1") == k]
        for s in subsets:
            expected[s & 7] += 1 / 3 / len(subsets)
    seen = np.bincount(sure[0] + 2 * sure[1] + 4 * sure[2], minlength=8)
    as_expected(seen[expected > 0], expected[expected > 0])
    assert seen[expected == 0].sum() == 0
    as_expected([times[3].sum(), N - times[3].sum()], [0.25, 0.75])
    order = [children.index(step.transform) for step in compose.draw(np.full((8, 2), 8), ids=np.arange(8)).steps]
    assert order == sorted(order)


def test_some_of_with_replacement():
    children = [G.HorizontalFlip(p=1), G.VerticalFlip(p=1)]
    times = taken(G.Compose([G.SomeOf(children, n=3, replace=True)], seed=3), children)
    assert (times.sum(0) == 3).all()
    as_expected(np.bincount(times[0], minlength=4), [1 / 8, 3 / 8, 3 / 8, 1 / 8])


def test_repeated_children_draw_anew():
    child = G.RandomBrightnessContrast(p=1)
    drawn = G.Compose([G.SomeOf([child], n=2, replace=True)], seed=3).draw(np.full((9, 2), 8), ids=np.arange(9))
    assert len(drawn.steps) == 2
    assert not np.array_equal(drawn.steps[0].params["alpha"], drawn.steps[1].params["alpha"])


def test_random_order():
    children = [G.HorizontalFlip(p=1), G.VerticalFlip(p=1), G.Transpose(p=1)]
    compose = G.Compose([G.RandomOrder(children, n=3)], seed=3)
    drawn = compose.draw(np.full((N, 2), 8), ids=np.arange(N))
    order = np.zeros(N, int)
    count = np.zeros(N, int)
    for step in drawn.steps:
        order[step.rows] = 3 * order[step.rows] + children.index(step.transform)
        count[step.rows] += 1
    assert (count == 3).all()
    values, seen = np.unique(order, return_counts=True)
    assert len(values) == 6
    as_expected(seen, [1 / 6] * 6)


def test_one_or_other():
    first, second = G.HorizontalFlip(p=0.1), G.VerticalFlip(p=0.1)
    times = taken(G.Compose([G.OneOrOther(first, second, p=0.3)], seed=3), [first, second])
    assert (times.sum(0) == 1).all()
    as_expected(times.sum(1), [0.3, 0.7])


def test_helpers():
    u = np.array([0.0, 0.5, 1 - 2.0**-32])
    assert gpuaug_uniforms.integers(u, -2, 2).tolist() == [-2, 0, 2]
    assert gpuaug_uniforms.between(u, 1, 3).tolist()[:2] == [1, 2]
    assert gpuaug_uniforms.between(u, 1, 3).max() < 3
    assert gpuaug_uniforms.key(u).tolist() == [0, 1 << 31, 0xFFFFFFFF]
    as_expected(np.bincount(gpuaug_uniforms.integers(numbers("ids"), 0, 6), minlength=7), [1 / 7] * 7)


# ---- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kwargs", "words"), [
    ({"ids": [-1]}, "ids .* -1"), ({"ids": [1 << 52]}, "ids"), ({"ids": [0], "epoch": -1}, "epoch .* -1"), ({"ids": [0], "epoch": 1 << 32}, "epoch"),
    ({"ids": [0], "occurrence": [-1]}, "occurrence .* -1"), ({"ids": [0], "occurrence": [1 << 20]}, "occurrence"),
    ({"ids": [0], "occurrence": [0, 0]}, "occurrence"), ({"ids": [0, 1]}, "ids"), ({"ids": []}, "ids"),
    ({"ids": [[0]]}, "ids"), ({"ids": [0.5]}, "ids"),
])  # fmt: skip
def test_counters_out_of_range_raise(kwargs, words):
    compose = G.Compose([G.HorizontalFlip(p=0.5)], seed=1)
    kwargs = {k: np.array(v) if isinstance(v, list) else v for k, v in kwargs.items()}
    with pytest.raises((ValueError, TypeError), match=words):
        compose.draw(np.array([[4, 4]]), **kwargs)
    if len(np.shape(kwargs["ids"])) == 1:
        with pytest.raises((ValueError, TypeError), match=words):
            compose.run({"image": np.zeros((1, 4, 4, 3), np.uint8)}, **kwargs)


def test_the_last_counters_work():
    compose = G.Compose([G.HorizontalFlip(p=0.5)], seed=2**64 - 1)
    compose.draw(np.array([[4, 4]]), ids=[2**52 - 1], epoch=2**32 - 1, occurrence=[2**20 - 1])


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "1"])
def test_seeds_out_of_range_raise(seed):
    with pytest.raises((ValueError, TypeError), match="seed"):
        G.Compose([], seed=seed)


def test_too_large_a_tree_raises():
    with pytest.raises(ValueError, match="at most 4096"):
        G.Compose([G.NoOp() for _ in range(4096)], seed=1)

    class Greedy(G.Transform, register=False):
        def columns(self):
            return 4 * 4096

    with pytest.raises(ValueError, match="Greedy draws 16385 numbers"):
        G.Compose([G.Sequential([Greedy()])], seed=1)


def test_things_that_are_numbered_draw_what_philox_says():
    keys, counts = gpuaug_uniforms.key(np.random.default_rng(0).random((5, 2))), np.array([3, 0, 74, 1, 9])
    of, number = np.repeat(np.arange(5), counts), np.concatenate([np.arange(n) for n in counts])
    want = gpuaug_uniforms.philox(number, 0, 8, 0, keys[of, 0], keys[of, 1]) * 2.0**-32
    for columns in (1, 2, 4):
        np.testing.assert_array_equal(gpuaug_uniforms.numbered(keys, counts, 8, columns), want[:, :columns])
    assert gpuaug_uniforms.numbered(keys[:0], counts[:0], 8, 2).shape == (0, 2)

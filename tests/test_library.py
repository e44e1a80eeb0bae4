"""The host's part of the compiled library: who is drawn, what it refuses, and that it keeps nothing."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import gpuaug as G
from gpuaug import library, maps
from gpuaug.batch import Batch
from gpuaug.groups import Group
from gpuaug.track import Track


def batch(n: int = 4, size=(6, 8), channels: int = 3, dtype=np.uint8) -> Batch:
    return Batch.of(np.arange(n * size[0] * size[1] * channels, dtype=np.int64).reshape(n, *size, channels).astype(dtype))


# ---- who is drawn ------------------------------------------------------------------------------


def walk(node, first: list, u, force: bool = False):
    """One sample's way through a tree, told from the documentation of the groups: the leaves it takes, in order.

    first: where each node's columns begin, found by walking the tree in the same order; a list of one number.
    """
    at = first[0]
    first[0] += -(-(1 + node.columns()) // 4) * 4  # blocks of four uniforms
    coin, own = u[at], u[at + 1 :]
    takes = force or isinstance(node, G.OneOrOther) or coin < node.p
    if not isinstance(node, Group):
        return [node] if takes else []
    children = [[] for _ in range(node.turns())]
    for turn in children:
        for child in node.transforms:
            here = list(first)
            walk(child, first, u)  # to count its columns
            turn.append(lambda force=False, child=child, here=here: walk(child, list(here), u, force))
    if not takes:
        return []
    k = len(node.transforms)
    if isinstance(node, G.OneOf):
        weights = np.array([t.p for t in node.transforms])
        return children[0][int(np.searchsorted(np.cumsum(weights / weights.sum())[:-1], own[0], side="right"))](True)
    if isinstance(node, G.OneOrOther):
        return children[0][0 if own[0] < node.p else 1](True)
    if isinstance(node, G.SomeOf):  # and RandomOrder
        low, high = node.n
        n = low + int(own[0] * (high - low + 1))
        chosen = [int(v * k) for v in own[1 : 1 + n]] if node.replace else np.argsort(own[1 : 1 + k], kind="stable")[:n].tolist()
        if isinstance(node, G.RandomOrder):
            steps = [children[turn if node.replace else 0][c] for turn, c in enumerate(chosen)]
        else:
            steps = [children[turn][c] for c in range(k) for turn in range(chosen.count(c))]
        return [leaf for step in steps for leaf in step()]
    return [leaf for child in children[0] for leaf in child()]


def leaf(rng):
    return G.HorizontalFlip(p=float(rng.choice([0, 0.3, 0.7, 1])))


def tree(rng, depth: int):
    if depth == 0 or rng.random() < 0.3:
        return leaf(rng)
    inner = [tree(rng, depth - 1) for _ in range(int(rng.integers(1, 4)))]
    p, replace = float(rng.choice([0.4, 1])), bool(rng.random() < 0.5)
    kind = int(rng.integers(5))
    if kind == 0:
        return G.Sequential(inner, p=p)
    if kind == 1:
        inner[0].p = inner[0].p or 0.5  # the weights of a choice must not all be 0
        return G.OneOf(inner, p=p)
    if kind == 2:
        return G.OneOrOther(leaf(rng), inner[0], p=0.3)
    n = sorted(int(v) for v in rng.integers(0, (4 if replace else len(inner)) + 1, 2))
    return (G.SomeOf if kind == 3 else G.RandomOrder)(inner, n=tuple(n), replace=replace, p=p)


@pytest.mark.parametrize("seed", range(40))
def test_a_tree_is_walked_as_documented(seed):
    """Each sample takes the leaves that a plain recursion over its own uniforms finds, in that order."""
    rng = np.random.default_rng(seed)
    compose = G.Compose([tree(rng, 3) for _ in range(3)], seed=seed, p=float(rng.choice([0.6, 1])))
    u = rng.random((4 * len(compose._tree.slots), 33))
    got: list[list] = [[] for _ in range(33)]
    for transform, _, rows in compose._tree.walk(u):
        for i in range(33)[rows] if isinstance(rows, slice) else rows.tolist():
            got[i].append(id(transform))
    for i in range(33):
        assert got[i] == [id(t) for t in walk(compose, [0], u[:, i])], i


def test_sixteen_trees_take_more_than_one_leaf():
    """Otherwise the test above compares empty lists."""
    lengths = []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        compose = G.Compose([tree(rng, 3) for _ in range(3)], seed=seed)
        lengths += [len(walk(compose, [0], u)) for u in rng.random((8, 4 * len(compose._tree.slots)))]
    assert np.mean(lengths) > 2
    assert max(lengths) > 6


# ---- operations ----------------------------------------------------------------------------------


def test_more_operations_than_there_is_room_for_at_first():
    """Twenty operations in one stage give what twenty calls give."""
    steps = [G.RandomBrightnessContrast((0.03 * (-1) ** k,) * 2, (0.002 * k,) * 2, p=1) for k in range(20)]
    image = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    want = image
    for step in steps:
        want = G.Compose([step])(want)
    np.testing.assert_array_equal(G.Compose(steps)(image), want)
    assert len(np.unique(want)) > 10


@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "int32", "uint8"])
@pytest.mark.parametrize("turned", [False, True])
def test_arguments_of_any_type_and_stride(kind, turned):
    """A crop's window as a number, a line, a strided column; both signs of strides."""
    data = batch(5)
    x = np.array([[0, 9], [1, 9], [2, 9], [3, 9], [4, 9]], kind)[:, 0]
    x = x[::-1][::-1] if turned else x
    sizes = []
    for where in (x, x.copy()):
        track = Track(data)
        track.crop(slice(None), where, 1, np.full(5, 3, kind), 2)
        plan = track.finish(np.zeros(5, np.int64), np.zeros((5, 3), np.int64), "uint8")
        sizes.append(plan.launches[0].rows["src"] - data.address)
    np.testing.assert_array_equal(sizes[0], sizes[1])
    np.testing.assert_array_equal(sizes[0], 8 * 3 + 3 * np.arange(5))


# ---- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [np.array([0, 4]), np.array([-1])])
def test_rows_outside_the_batch(rows):
    with pytest.raises(IndexError, match=r"row (4|-1) of a batch of 4"):
        Track(batch()).orient(rows, "hflip")


@pytest.mark.parametrize("rows", [np.array([True, False, True, True]), np.array([0.0, 1.0])])
def test_rows_of_another_type(rows):
    with pytest.raises(TypeError, match="whole numbers"):
        Track(batch()).orient(rows, "hflip")


def test_arguments_of_another_length():
    track = Track(batch())
    with pytest.raises(ValueError, match=r"x must be one number, 4 lines of 1, or one of them; its first axis has 3"):
        track.crop(slice(None), np.zeros(3), 0, 2, 2)
    for x in ("0", [0, 0, 0, 0], None):
        with pytest.raises(TypeError, match="x must be an array or a number"):
            track.crop(slice(None), x, 0, 2, 2)
    with pytest.raises(TypeError, match="not read here"):
        track.crop(slice(None), np.zeros(4, complex), 0, 2, 2)


def test_results_that_are_too_large_name_the_size():
    track = Track(batch())
    track.doing = "Affine"
    size = np.array([[4, 4], [60000, 60000], [4, 4], [4, 4]])
    with pytest.raises(ValueError, match=r"Affine: .* \[60000, 60000\] with 3 channels has more than 2\^31 - 1 elements"):
        track.gather(slice(None), maps.Affine(np.tile(np.eye(3), (4, 1, 1)) / (2, 2, 1)), size, 1)


def test_rows_may_be_a_list_or_a_part():
    """As NumPy takes them: nothing but the whole slice means all samples."""
    for rows, want in (([1, 3], [1, 3]), (slice(1, 3), [1, 2]), ([], []), (slice(None), [0, 1, 2, 3])):
        track = Track(batch())
        track.crop(rows, 0, 0, 2, 2)
        assert np.flatnonzero((track.size == 2).all(1)).tolist() == want


def test_a_change_of_type_is_for_all():
    for rows in (slice(1, 3), [0, 1], np.array([0])):
        with pytest.raises(ValueError, match="must apply to every sample"):
            Track(batch()).convert("float32", rows)


def test_row_numbers_are_not_cut_to_32_bits():
    with pytest.raises(IndexError, match="row 4294967296 of a batch of 4"):
        Track(batch()).orient(np.array([2**32]), "hflip")


def test_a_track_is_finished_once():
    track = Track(batch())
    to = np.zeros(4, np.int64), np.zeros((4, 3), np.int64), "uint8"
    track.finish(*to)
    all_ = slice(None)
    for call in (lambda: track.orient(all_, "hflip"), lambda: track.finish(*to), lambda: track.convert("float32", all_)):
        with pytest.raises(RuntimeError, match="finished once"):
            call()


@pytest.mark.parametrize(("x", "width"), [(7, 2), (-1, 2), (0, 9), (0, 0), (2**40, 2), (float("nan"), 2)])
def test_windows_lie_inside(x, width):
    track = Track(batch())
    with pytest.raises(ValueError, match=r"does not lie inside sample 2|not finite"):
        track.crop(slice(None), np.array([0, 0, x, 0]), 0, 2, np.array([1, 1, width, 1]))
    assert track.size.tolist() == [[6, 8]] * 4


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (lambda: G.Affine(scale=1e300, fit_output=True, p=1), "Affine: a result of height and width .*(has no pixels|more than)"),
        (lambda: G.Affine(scale=1e10, fit_output=True, p=1), "Affine: a result of height and width .* more than"),
        (lambda: G.Affine(scale=1e-40, border_mode=4, interpolation=0, p=1), "the map of sample 0 cannot be inverted"),
        (lambda: G.Affine(translate_percent=1e308, rotate=30, border_mode=2, p=1), "the map of sample 0 cannot be inverted"),
    ],
)
def test_maps_that_lead_nowhere(transform, message):
    with pytest.raises(ValueError, match=message):
        G.Compose([transform()])(np.zeros((9, 9, 3), np.uint8))


def test_arguments_can_be_changed_after_composing():
    """As in albumentations: what `repr` shows is what is drawn."""
    turn, masks = G.Affine(rotate=(0, 0), p=1), G.XYMasking(1, 0, 1, fill=9, p=1)
    compose, image = G.Compose([turn, masks], seed=1), np.arange(64, dtype=np.uint8).reshape(8, 8)
    turn.rotate, masks.mask_x_length = (180, 180), (8, 8)
    assert (compose(image) == 9).all()
    masks.p = 0
    np.testing.assert_array_equal(compose(image), image[::-1, ::-1])
    turn.p = 2
    with pytest.raises(ValueError, match="p must lie"):
        compose(image)


def test_deep_trees_take_no_more_memory_than_their_leaves():
    """Three RandomOrders of eight: a sample takes at most 512 leaves, of 262,144 possible visits."""
    tree = G.HorizontalFlip(p=1)
    for _ in range(3):
        tree = G.RandomOrder([tree] * 8, n=8)
    compose = G.Compose([tree], seed=0)
    assert compose._tree._most == 512
    assert sum(len(step.rows) for step in compose.draw(np.full((3, 2), 5), ids=np.arange(3)).steps) == 3 * 512


def test_whole_numbers_are_asked_for():
    compose = G.Compose([G.HorizontalFlip()], seed=1)
    with pytest.raises(TypeError, match=r"epoch must be a whole number, got 1\.5"):
        compose.draw(np.full((2, 2), 5), ids=np.arange(2), epoch=1.5)
    with pytest.raises(TypeError, match="occurrence must hold whole numbers"):
        compose.draw(np.full((2, 2), 5), ids=np.arange(2), occurrence=[0.5, 0.7])


# ---- what it keeps -------------------------------------------------------------------------------


def test_tracks_that_are_dropped_leave_nothing():
    """A thousand tracks of 3 MB each, half of them never finished."""
    data = batch(256)
    rows = np.arange(0, 256, 2)

    def some(count):
        for k in range(count):
            track = Track(data)
            for _ in range(40):
                track.op(rows, "linear", factor=np.zeros(len(rows)), offset=0, low=0, high=0)
            if k % 2:
                track.finish(np.zeros(256, np.int64), np.zeros((256, 3), np.int64), "uint8")

    some(20)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    some(1000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB; kept, they were 3 GB


def test_memory_that_runs_out_is_an_error():
    """In a process of its own with 500 MiB to spare: an intermediate image takes 900 MB. The process lives on."""
    program = """
        import resource, sys
        import numpy as np, torch, gpuaug as G
        from pathlib import Path
        torch.set_num_threads(int(sys.argv[1]))
        small = G.Compose([G.Blur(p=1), G.CenterCrop(8, 8)], seed=1)
        want = small(np.full((20, 20), 7, np.uint8))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 500 * 2**20,) * 2)
        try:
            small(np.broadcast_to(np.uint8(7), (30000, 30000)))
        except MemoryError as error:
            print(error)
        assert (small(np.full((20, 20), 7, np.uint8)) == want).all()
    """
    for threads in ("1", "2"):
        command = [sys.executable, "-c", textwrap.dedent(program), threads]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        assert "no memory for the intermediate images" in done.stdout


def test_threads_draw_what_one_draws():
    compose = G.Compose([G.RandomResizedCrop((8, 8)), G.OneOf([G.Blur(), G.HorizontalFlip()]), G.XYMasking(1, 0, 3)], seed=3)
    data = batch(16, (20, 24))
    want = [compose.run({"image": data}, ids=np.arange(16), epoch=e)["image"] for e in range(8)]
    wrong = []

    def work(epoch):
        for _ in range(20):
            if not (compose.run({"image": data}, ids=np.arange(16), epoch=epoch)["image"] == want[epoch]).all():
                wrong.append(epoch)

    threads = [threading.Thread(target=work, args=(e,)) for e in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_without_a_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(library, "_find", lambda variant: (None, "gpuaug: no compiler; apt install g++"))
    with pytest.raises(RuntimeError, match=r"apt install g\+\+"):
        G.Compose([G.HorizontalFlip(p=1)])(np.zeros((4, 4), np.uint8))

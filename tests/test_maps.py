"""Maps: what the kernels read is what `Map.source` says, `Map.target` is its inverse, misuse is an error.

An image whose pixels hold their own coordinates tells them: interpolated linearly it gives back, without an error of its own, the
coordinate that the kernel used (a whole number plus the fraction that was split off it).
"""

from __future__ import annotations

import emu
import numpy as np
import pytest
import torch
from emu.plans import Only, build
from test_geometry import MOVING, made

import gpuaug as G
from gpuaug import maps
from gpuaug.backends import cpu, cuda
from gpuaug.batch import Batch
from gpuaug.deliver import deliver_ragged
from gpuaug.maps.control import lattice
from gpuaug.ragged import Ragged
from gpuaug.track import Track
from gpuaug.transform import View
from gpuaug.transforms._geometric import Geometric

ALL = slice(None)
SIZES = np.array([(31, 47), (20, 64), (1, 9), (57, 13), (24, 1)])
N = len(SIZES)
# coordinates below 64 carry 2^-19 a rounding; the longest formula, of the radial map, has eight of them that count
CLOSE = 8 * 2.0**-19


def ragged(parts) -> Ragged:
    return Ragged(np.concatenate(parts), [len(part) for part in parts])


def turned(rng, degrees=40.0) -> np.ndarray:
    """Rotations about the centres, ``[n, 3, 3]``, source to output."""
    angle, (h, w) = np.deg2rad(rng.uniform(-degrees, degrees, N)), SIZES.T
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros(N)
    x, y = w / 2 - 0.5, h / 2 - 0.5
    return np.stack([cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y, zero, zero, zero + 1], 1).reshape(N, 3, 3)


def projective(rng):
    matrix = turned(rng)
    matrix[:, 2, :2] = rng.uniform(-0.002, 0.002, (N, 2))
    return maps.Projective(matrix)


def mesh(rng):
    nodes = np.array([(5, 7), (6, 9), (4, 5), (8, 4), (4, 6)])
    return maps.Mesh(ragged([rng.uniform(-1.6, 1.6, (a * b, 2)) for a, b in nodes]), nodes, SIZES)


def field(rng):
    places = []
    for h, w in SIZES:
        x, y = np.meshgrid(np.arange(w), np.arange(h))
        bent = np.stack([x + 1.5 * np.sin(y / 6) + 0.3, y + np.cos(x / 7)], 2)
        places.append(bent.reshape(-1, 2))
    return maps.Field(ragged(places), SIZES)


def grid(rng):
    axes = [[np.cumsum(rng.uniform(0.2, 1.7, side)) - 1 for side in SIZES[:, axis]] for axis in (1, 0)]
    return maps.Grid(ragged(axes[0]), ragged(axes[1]))


def radial(rng):
    focal, k = np.repeat(np.hypot(*SIZES.T)[:, None] / 2, 2, 1), rng.uniform(-0.1, 0.1, (N, 2))
    return maps.Radial(SIZES[:, ::-1] / 2, focal, k)


def time_warp(rng):
    length = np.array([47, 60, 9, 13, 1])
    return maps.TimeWarp(np.array([20, 40, 3, 2, 1]), np.array([30, 22, 4, 6, 1]), np.maximum(length, 3))


def thin_plate(rng):
    control = rng.uniform(0, 1, (6, 2))
    straight = np.broadcast_to([[0, 0], [1, 0], [0, 1]], (N, 3, 2))
    return maps.ThinPlate(control, np.concatenate([rng.uniform(-0.1, 0.1, (N, 6, 2)), straight], 1), SIZES)


def cells(rng):
    h, w = SIZES.T
    x, y = np.stack([0 * w, w // 2, w], 1), np.stack([0 * h, h // 2, h], 1)
    nodes = np.stack([np.stack(np.meshgrid(*each), 2) for each in zip(x, y)]).astype(np.float64)
    nodes[(SIZES > 9).all(1), 1, 1] += rng.uniform(-2, 2, 2)
    return maps.Cells(x, y, nodes, SIZES)


def shepard(rng):
    grid = np.array([(2, 3), (3, 2), (2, 2), (4, 3), (2, 2)])
    targets = [lattice(h, w, *g) + rng.uniform(-1, 1, (g.prod(), 2)) for (h, w), g in zip(SIZES, grid)]
    return maps.Shepard(grid, [*targets[:3], None, targets[4]], SIZES)


# corner cases: images of one line or column, maps from the output; those of transforms follow by themselves
MAPS = {
    "affine": lambda rng: maps.Affine(turned(rng)),
    "affine, from output": lambda rng: maps.Affine(turned(rng)[:, :2], forward=False),
    "projective": projective,
    "projective, from output": lambda rng: maps.Projective(projective(rng).matrix, forward=False),
    "window": lambda rng: maps.Window(rng.integers(-9, 9, (N, 2)), rng.uniform(0.5, 2, (N, 2))),
    "resize": lambda rng: maps.Resize(SIZES, SIZES),
    "moved": lambda rng: maps.Moved(radial(rng), rng.integers(-2, 3, (N, 2)), SIZES),
    "time warp": time_warp,
    "reversed": lambda rng: maps.TimeWarp.reversed([47, 50, 7, 13, 1]),
    "radial": radial,
    "grid": grid,
    "mesh": mesh,
    "field": field,
    "thin plate": thin_plate,
    "shepard": shepard,
    "cells": cells,
}


def everywhere(sizes=SIZES) -> tuple[np.ndarray, np.ndarray]:
    """All pixels of all samples: whose, and (x, y)."""
    parts = [np.stack(np.meshgrid(np.arange(w), np.arange(h)), 2).reshape(-1, 2) for h, w in sizes]
    return np.repeat(np.arange(len(sizes)), [len(part) for part in parts]), np.concatenate(parts).astype(np.float64)


def read(mapped: maps.Map, interpolation: int, sizes=SIZES, out=SIZES, first=None) -> np.ndarray:
    """What a gather makes of images whose pixels hold their (x, y): ``[N, 2]``, in the order of `everywhere`."""
    ramps = [np.stack(np.meshgrid(np.arange(w), np.arange(h)), 2).astype(np.float32) for h, w in sizes]
    track = Track(Batch.of(ramps, "HWC"))
    if first:
        first(track)
    track.gather(ALL, mapped, out, interpolation, 1)
    return np.concatenate([x.numpy().reshape(-1, 2) for x in deliver_ragged(track, planar=False)])


@pytest.mark.parametrize("name", MAPS)
def test_a_kernel_reads_where_the_map_says(name):
    rng = np.random.default_rng(3)
    mapped, (which, xy) = MAPS[name](rng), everywhere()
    size = SIZES[which][:, ::-1]
    want = mapped.source(which, xy)
    inside = (want >= 0) & (want <= size - 1)
    assert inside.mean() > 0.4
    np.testing.assert_allclose(read(mapped, 1), np.clip(want, 0, size - 1), atol=CLOSE, rtol=0)
    if name == "resize":
        return  # cv2's own rules: test_nearest.py
    sure = (abs(want - np.floor(want) - 0.5) > CLOSE).all(1)
    nearest = np.clip(np.rint(want), 0, size - 1)
    np.testing.assert_array_equal(read(mapped, 0)[sure], nearest[sure])


LARGE = np.array([(63, 81), (64, 95), (90, 77)])  # that no crop of test_geometry.py is larger than
GEOMETRIC = [name for name in MOVING if isinstance(made(name), Geometric)]


def drawn(name: str) -> tuple[maps.Map, np.ndarray]:
    """The map of a transform, with drawn parameters, and the sizes of what it makes of images of `LARGE`."""
    transform = made(name)
    u = np.random.default_rng(4).random((len(LARGE), transform.columns()))
    params = transform.draw(u, View(LARGE, 2, "float32"))
    return transform.mapped(params, LARGE), np.broadcast_to(transform.size_after(params, LARGE), LARGE.shape)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_a_kernel_reads_where_a_transforms_map_says(name):
    mapped, out = drawn(name)
    which, xy = everywhere(out)
    edge = LARGE[which][:, ::-1] - 1
    want = np.clip(mapped.source(which, xy), 0, edge)
    assert (want == mapped.source(which, xy)).all(1).mean() > 0.4
    # coordinates below 128: a rounding is twice that of those below 64
    np.testing.assert_allclose(read(mapped, 1, LARGE, out), want, atol=2 * CLOSE, rtol=0)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_the_target_of_a_transforms_map_is_the_inverse(name):
    mapped, out = drawn(name)
    which, xy = everywhere(out)
    np.testing.assert_allclose(mapped.target(which, mapped.source(which, xy)), xy, atol=1e-5)


def test_every_map_is_tested():
    kinds = {cls for cls in vars(maps).values() if isinstance(cls, type) and issubclass(cls, maps.Map)} - {maps.Map}
    of_transforms = {type(drawn(name)[0]) for name in GEOMETRIC}
    alone = {type(make(np.random.default_rng(0))) for make in MAPS.values()}
    assert kinds <= of_transforms | alone | {maps.Tiles}, "test_tiles has these"


def test_a_kernel_reads_where_a_resize_says():
    before = SIZES[::-1]
    mapped, (which, xy) = maps.Resize(before, (20, 64)), everywhere()
    mine = which == 1
    ramps = read(mapped, 1, before, np.array([20, 64])).reshape(N, -1, 2)
    for i, (h, w) in enumerate(before):
        want = mapped.source(np.full(mine.sum(), i), xy[mine])
        np.testing.assert_allclose(ramps[i], np.clip(want, 0, (w - 1, h - 1)), atol=CLOSE, rtol=0)


def test_tiles():
    """Whole pixels, exactly; there and back."""
    rng = np.random.default_rng(0)
    sizes, x, y = np.array([(30, 40)] * 3), np.array([[0, 13, 26, 40]] * 3), np.array([[0, 15, 30]] * 3)
    x[1] = 0, 14, 27, 40
    origin = []
    for edges in x:
        wide = np.flatnonzero(np.tile(np.diff(edges) == 14, 2))
        other = np.flatnonzero(np.tile(np.diff(edges) == 13, 2))
        order = np.arange(6)
        order[wide], order[other] = rng.permutation(wide), rng.permutation(other)
        origin.append(order)
    mapped = maps.Tiles(x, y, np.array(origin))
    assert (mapped.origin != np.arange(6)).any(1).all()
    xy = np.stack(np.meshgrid(np.arange(40), np.arange(30)), 2).reshape(-1, 2).astype(np.float64)
    which, all_ = np.repeat(np.arange(3), len(xy)), np.tile(xy, (3, 1))
    for interpolation in (0, 1, 2):
        np.testing.assert_array_equal(read(mapped, interpolation, sizes, sizes), mapped.source(which, all_))
    np.testing.assert_array_equal(mapped.target(which, mapped.source(which, all_)), all_)


@pytest.mark.parametrize("name", MAPS)
def test_target_is_the_inverse(name):
    mapped, (which, xy) = MAPS[name](np.random.default_rng(5)), everywhere()
    if name == "time warp":  # columns that all stand on the last one that there is
        keep = which != 4
        which, xy = which[keep], xy[keep]
    source = mapped.source(which, xy)
    back = mapped.target(which, source)
    lost = ~np.isfinite(back).all(1)
    assert not lost.any()
    if name == "shepard":  # flat at its points: where Newton's method leads away, a pixel that is near enough is taken
        np.testing.assert_allclose(mapped.source(which, back), source, atol=maps.base.FOUND)
        return
    np.testing.assert_allclose(mapped.source(which, back), source, atol=1e-5)
    if name not in ("mesh", "shepard"):  # they may fold, and so show a place twice
        np.testing.assert_allclose(back, xy, atol=1e-5)


def test_what_no_pixel_shows_is_lost():
    """Behind the horizon of a projective map; beyond the fold of a lens, whose r (1 - r^2) turns back at r = 1 / sqrt 3."""
    matrix = np.array([[[1, 0, 0], [0, 1, 0], [-0.1, 0, 1.0]]])
    mapped = maps.Projective(matrix)
    which = np.zeros(2, np.int64)
    points, left = mapped.points(which, np.array([[5.0, 3, 0, 1], [15, 3, 0, 1]]))
    assert left.tolist() == [True, False]
    np.testing.assert_allclose(points[0, :2], (10, 6))
    lens = maps.Radial(np.zeros((1, 2)), np.full((1, 2), 10.0), np.array([[-1.0, 0]]))
    most = 10 * (1 / 3**0.5) * (2 / 3)
    points, left = lens.points(which, np.array([[0.99 * most, 0, 0, 1], [1.05 * most, 0, 0, 1]]))
    assert left.tolist() == [True, False]
    boxes, left = mapped.boxes(np.zeros(3, np.int64), np.array([[2.0, 2, 5, 5], [12, 2, 30, 30], [5, 2, 30, 8]]), [[40, 50]])
    assert left.tolist() == [True, False, True]
    assert boxes[2, 2] >= 50, "what lies beyond the horizon is seen to the result's end"
    np.testing.assert_allclose(boxes[0], (1.5 / 0.85 + 0.5, 1.5 / 0.85 + 0.5, 4.5 / 0.55 + 0.5, 4.5 / 0.55 + 0.5))


@pytest.mark.parametrize("name", ["affine", "projective", "radial", "field"])
def test_angles_and_scales_follow_the_map(name):
    """An angle is that of a second point a little ahead; a scale that of a step along the axis that grows more."""
    mapped = MAPS[name](np.random.default_rng(8))
    which, at, angle, step = np.array([0, 1, 0]), np.array([[20.0, 15], [33, 8], [11, 21]]), np.array([0.3, 2.0, -1.0]), 1e-4
    points = np.column_stack([at, angle, np.ones(3)])
    got, _ = mapped.points(which, points)
    ahead = mapped.target(which, at + step * np.stack([np.cos(angle), np.sin(angle)], 1)) - got[:, :2]
    np.testing.assert_allclose(np.cos(got[:, 2] - np.arctan2(ahead[:, 1], ahead[:, 0])), 1, atol=1e-5)
    steps = [np.hypot(*(mapped.target(which, at + d) - got[:, :2]).T) / step for d in step * np.eye(2)]
    np.testing.assert_allclose(got[:, 3], np.max(steps, 0), rtol=1e-2)


# ---- views -----------------------------------------------------------------------------------------


def launches(mapped, out, interpolation=1, before=False) -> tuple[int, np.ndarray]:
    """How many launches there are, and the result."""
    track = Track(Batch.of([np.arange(24, dtype=np.float32).reshape(4, 6, 1)]))
    if before:
        track.op(ALL, "linear", factor=1, offset=0, low=-99, high=99)
    track.gather(ALL, mapped, out, interpolation, 0, 7)
    address, result = np.empty((*out, 1), np.float32), None
    plan = track.finish(np.array([address.ctypes.data]), np.array([[out[1], 1, 1]]), "float32")
    cpu.execute(plan)
    result = address[..., 0]
    return len(plan.launches), result


PICTURE = np.arange(24, dtype=np.float32).reshape(4, 6)
TURNS = {
    "identity": (np.eye(3), PICTURE),
    "shift": ([[1, 0, -2], [0, 1, -1], [0, 0, 1]], PICTURE[1:, 2:]),
    "mirror": ([[-1, 0, 5], [0, 1, 0], [0, 0, 1]], PICTURE[:, ::-1]),
    "quarter": ([[0, 1, 0], [-1, 0, 5], [0, 0, 1]], np.rot90(PICTURE)),
    "transpose": ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], PICTURE.T),
}


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize("interpolation", [0, 1, 2])
def test_whole_pixels_inside_the_image_are_a_view(name, interpolation):
    matrix, want = TURNS[name]
    count, got = launches(maps.Affine([matrix]), want.shape, interpolation, before=True)
    assert count == 1, "a gather after an operation would be a launch of its own"
    np.testing.assert_array_equal(got, want)


def test_whole_pixels_beyond_the_image_are_filled():
    for interpolation in (0, 1, 2):
        count, got = launches(maps.Affine([[[1, 0, 2], [0, 1, 1]]]), (4, 6), interpolation, before=True)
        want = np.full((4, 6), 7, np.float32)
        want[1:, 2:] = PICTURE[:3, :4]
        assert count == 2
        np.testing.assert_array_equal(got, want)


# ---- misuse ------------------------------------------------------------------------------------------

TWO = np.tile(np.eye(3), (2, 1, 1))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: maps.Projective(np.zeros((2, 2, 3))), r"matrix must be \[n, 3, 3\], not \[2, 2, 3\]"),
        (lambda: maps.Affine(np.zeros((2, 9))), r"matrix must be \[n, 3, 3\], not \[2, 9\]"),
        (
            lambda: maps.Affine(np.add(TWO, [[0, 0, 0], [0, 0, 0], [0.1, 0, 0]])),
            "matrix 0 is projective: it ends in .0.1, 0.0, 1.0",
        ),
        (lambda: maps.Window(np.zeros((2, 2)), np.ones((3, 2))), r"scale must be \[2, 2\], not \[3, 2\]"),
        (lambda: maps.Radial(np.zeros((2, 2)), np.ones((2, 2)), np.ones(2)), r"k must be \[2, 2\], not \[2\]"),
        (
            lambda: maps.Mesh(Ragged(np.zeros((6, 2)), [6]), [[2, 2]], [[9, 9]]),
            r"a mesh of \[2, 2\] nodes, each at least 4, has 6 shifts",
        ),
        (lambda: maps.Field(Ragged(np.zeros((6, 2)), [6]), [[2, 4]]), r"a field of \[2, 4\] pixels has 6 places \(sample 0\)"),
        (lambda: maps.Tiles([[0, 3, 6]], [[0, 4]], [[0, 0]]), "origin must hold every tile once"),
        (lambda: maps.Tiles([[0, 3, 7]], [[0, 4]], [[1, 0]]), "a tile must show one of its own height and width"),
        (lambda: maps.Grid(ragged([np.ones(3)]), Ragged(np.ones(0), [])), "columns are of 1 samples, lines of 0"),
        (lambda: maps.Grid(ragged([np.array([3.0, 1])]), ragged([np.ones(3)])), "columns of sample 0 decrease"),
    ],
)
def test_wrong_maps_say_what_is_wrong(make, error):
    with pytest.raises(ValueError, match=error):
        make()


def broken(**wrong) -> maps.Map:
    """A grid of three samples of 4 x 4, and what is wrong with it."""
    made = maps.Grid(*(ragged([np.arange(4.0)] * 3) for _ in range(2)))
    for name, value in wrong.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((maps.Affine(TWO), (4, 4), 1), "Mine: gather: a map of 2 samples for 3 rows"),
        ((maps.Affine(np.tile(np.eye(3), (3, 1, 1))), np.zeros((2, 2)), 1), r"Mine: gather: sizes are int \[2\] or \[3, 2\]"),
        (
            (maps.Affine(np.tile(np.eye(3), (3, 1, 1))), (4, 4), 5),
            r"Mine: gather: interpolation 5 is not among .*: 0 \(nearest\), 1",
        ),
        (
            (maps.TimeWarp.reversed([4, 4, 4]), (4, 4), 2),
            r"Mine: gather: interpolation 2 is not among those of this map: 0 .nearest., 1",
        ),
        (
            (maps.Affine(np.tile(np.eye(3), (3, 1, 1))), (4, 4), 1, 9),
            "Mine: border 9 is none of OpenCV's numbers 0, 1, 2, 3, 4",
        ),
        ((maps.Affine(np.zeros((3, 2, 3))), (4, 4), 1), "Mine: the map of sample 0 cannot be inverted"),
        ((maps.Projective(np.ones((3, 3, 3))), (4, 4), 1), "Mine: the map of sample 0 cannot be inverted"),
        ((broken(kind="whirl"), (4, 4), 1), "Mine: gather: there is no kind of map 'whirl'"),
        ((broken(numbers=np.zeros(3)), (4, 4), 1), r"numbers of a map must be \[n, k\], k <= 9, not \[3\]"),
        ((broken(numbers=np.zeros((3, 10))), (4, 4), 1), r"k <= 9, not \[3, 10\]"),
        ((broken(table=None), (4, 4), 1), "a map of kind 'grid' reads a table of 32-bit words, not None"),
        ((broken(table=np.zeros(24)), (4, 4), 1), "not float64"),
        ((broken(table=np.zeros(23, np.float32)), (4, 4), 1), "ends before that of sample 2"),
        ((broken(cells=0), (4, 4), 1), r"cells of a map of kind 'grid' must be int \[n, 2\]"),
        ((broken(), (5, 4), 1), r"has places for \[4, 4\] lines and columns of sample 0, the result is \[5, 4\]"),
    ],
)
def test_misuse_names_the_transform(arguments, error):
    track = Track(Batch.of(np.zeros((3, 4, 4, 1), np.uint8)))
    track.doing = "Mine"
    with pytest.raises(ValueError, match=error):
        track.gather(ALL, *arguments)
    assert (track.size == 4).all()


def test_a_transforms_map_is_told_by_its_name():
    class Crooked(Geometric, register=False):
        def map(self, params, size):
            return maps.Affine(np.zeros((len(size), 9)))

    with pytest.raises(ValueError, match=r"Crooked: map: matrix must be \[n, 3, 3\]"):
        G.Compose([Crooked(p=1)])(np.zeros((4, 4), np.uint8))


def test_labels_are_not_interpolated():
    track = Track(Batch.of(np.zeros((1, 4, 4, 1), np.int32)), "mask")
    track.doing = "Mine"
    with pytest.raises(TypeError, match="Mine: masks of type int32 hold labels"):
        track.gather(ALL, maps.Affine(np.eye(3)[None] / (2, 2, 1)), (4, 4), 1)


# ---- CUDA --------------------------------------------------------------------------------------------


@pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
@pytest.mark.parametrize("interpolation", [0, 1, 2])
def test_cuda_reads_the_same(interpolation, dtype):
    rng = np.random.default_rng(interpolation)
    values = [rng.integers(0, 256, (h, w, 3)).astype(np.uint8) for h, w in SIZES]
    data = values if dtype == "uint8" else [(x / np.float32(255)).astype(dtype) for x in values]
    for name, make in MAPS.items():
        if interpolation == 2 and name in ("time warp", "reversed"):
            continue
        mapped, border = make(np.random.default_rng(1)), int(rng.integers(0, 5))
        out = (20, 64) if name == "resize" else SIZES + rng.integers(0, 2, (N, 2)) * (name in ("affine", "projective", "radial"))
        turn = str(rng.choice(["identity", "transpose", "rot90"]))

        def step(track, mapped=mapped, out=out, border=border, turn=turn):
            track.gather(ALL, mapped, out, interpolation, border, 0.5 if dtype != "uint8" else 9)
            track.orient(ALL, turn)

        plan, want = build(data, 3, dtype, False, Only(step))
        cpu.execute(plan, 1)
        plan, got = build(data, 3, dtype, False, Only(step))
        cuda.run(plan, emu.Device(emu.BACKWARD))
        assert torch.equal(got, want), f"{name}, {turn}"

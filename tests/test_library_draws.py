"""Parameters that the compiled library computes, against plain Python, at the edges of their ranges."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gpuaug as G
from gpuaug.transform import View

SIZES = [(1, 1), (1, 40), (40, 1), (5, 1000), (1000, 5), (31, 32), (224, 224), (7, 9)]
EDGES = [0.0, 0.5, 1 - 2**-32]


def uniforms(rng, n: int, columns: int) -> np.ndarray:
    """Uniforms of which a third lie at an edge; as a column-major table, as the library makes it."""
    u = np.where(rng.random((columns, n)) < 1 / 3, rng.choice(EDGES, (columns, n)), rng.random((columns, n)))
    return u.T


def view(n: int, rng) -> View:
    return View(np.array(SIZES, np.int64)[rng.integers(0, len(SIZES), n)], 3, "uint8")


# ---- who is drawn --------------------------------------------------------------------------------


def taken(compose, u) -> list[str]:
    return [type(transform).__name__ for transform, _, rows in compose._tree.walk(u) if isinstance(rows, slice) or len(rows)]


def test_a_probability_of_zero_is_never_drawn():
    compose = G.Compose([G.HorizontalFlip(p=0), G.VerticalFlip(p=0.5)])
    assert taken(compose, np.zeros((4 * len(compose._tree.slots), 3))) == ["VerticalFlip"]


def test_a_choice_at_the_edge_is_the_next_one():
    """As NumPy's `Generator.choice` and so albumentations choose: weights [1/4, 3/4], edge 1/4."""
    compose = G.Compose([G.OneOf([G.HorizontalFlip(p=0.25), G.VerticalFlip(p=0.75)], p=1)])
    for value, want in ((0.25 - 2**-32, "HorizontalFlip"), (0.25, "VerticalFlip")):
        assert taken(compose, np.full((4 * len(compose._tree.slots), 1), value)) == [want]


def test_a_batch_of_none_is_taken_through_all_transforms():
    """So that it comes out with the type that a batch of some has."""
    out = G.Compose([G.Normalize()]).run({"image": np.zeros((0, 4, 4, 3), np.uint8)}, ids=np.arange(0))["image"]
    assert str(out.dtype) == "torch.float32"


def test_parameters_keep_the_sizes_they_were_drawn_for():
    """A map's output has the size that its samples had then, whatever a later transform makes of some of them."""
    compose = G.Compose([G.Affine(p=1), G.RandomCrop(3, 4, p=0.5), G.Affine(p=1), G.Resize(9, 9, p=0.5)], seed=1)
    before = np.full((40, 2), 8)
    drawn = compose.draw(before, ids=np.arange(40))
    first, crop, second, resize = drawn.steps
    assert 0 < len(crop.rows) < 40
    assert 0 < len(resize.rows) < 40
    assert (before == 8).all()
    np.testing.assert_array_equal(first.params["output_shape"], before)
    size = before.copy()
    size[crop.rows] = 3, 4
    np.testing.assert_array_equal(second.params["output_shape"], size)
    size[resize.rows] = 9
    np.testing.assert_array_equal(drawn.size, size)


# ---- windows -------------------------------------------------------------------------------------


def window(u, h: int, w: int, scale, ratio) -> list[int]:
    """albumentations' RandomResizedCrop.get_params_dependent_on_data, with these uniforms."""
    logs = math.log(ratio[0]), math.log(ratio[1])
    for k in range(10):
        area = (scale[0] + u[k] * (scale[1] - scale[0])) * (h * w)
        aspect = math.exp(logs[0] + u[10 + k] * (logs[1] - logs[0]))
        cw, ch = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < cw <= w and 0 < ch <= h:
            x, y = int((w - cw + 1) * u[21]), int((h - ch + 1) * u[20])
            return [x, y, x + cw, y + ch]
    cw, ch = w, h
    if w / h < ratio[0]:
        ch = round(w / ratio[0])
    elif w / h > ratio[1]:
        cw = round(h * ratio[1])
    cw, ch = min(max(cw, 1), w), min(max(ch, 1), h)  # at least a pixel
    x, y = (w - cw) // 2, (h - ch) // 2
    return [x, y, x + cw, y + ch]


@pytest.mark.parametrize("ratio", [(0.75, 4 / 3), (1.0, 1.0), (0.1, 0.2), (5.0, 10.0), (0.01, 100.0)])
@pytest.mark.parametrize("scale", [(0.08, 1.0), (1.0, 1.0), (0.0, 0.001), (0.0, 0.0), (0.9, 1.0)])
def test_windows(scale, ratio):
    rng = np.random.default_rng(5)
    u, seen = uniforms(rng, 200, 22), view(200, rng)
    got = G.RandomResizedCrop((8, 8), scale=scale, ratio=ratio).draw(u, seen)["crop_coords"]
    want = [window(u[i], *seen.size[i].tolist(), scale, ratio) for i in range(200)]
    np.testing.assert_array_equal(got, want)


# ---- affine maps ---------------------------------------------------------------------------------


def matrix(h: int, w: int, translate, shear, scale, rotate) -> np.ndarray:
    """Scaled, turned, sheared and moved about the centre, one matrix for each word."""

    def at(x, y):
        return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])

    r = math.radians(rotate)
    turn = np.array([[math.cos(r), math.sin(r), 0], [-math.sin(r), math.cos(r), 0], [0, 0, 1]])
    skew = np.array([[1, math.tan(math.radians(shear[0])), 0], [math.tan(math.radians(shear[1])), 1, 0], [0, 0, 1]])
    x, y = w / 2 - 0.5, h / 2 - 0.5
    return at(x, y) @ at(*translate) @ skew @ turn @ np.diag([*scale, 1.0]) @ at(-x, -y)


@pytest.mark.parametrize("unit", ["translate_px", "translate_percent"])
@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("ranges", [((0.5, 2.0), (0.25, 3.0)), ((1.5, 2.0), (0.2, 0.4)), ((0.5, 1.0), (1.0, 2.0))])
def test_affine_maps(ranges, balanced, unit):
    rng = np.random.default_rng(6)
    u, seen = uniforms(rng, 100, 9), view(100, rng)
    moves = ((-3, 2), (-1, 4)) if unit == "translate_px" else ((-0.31, 0.2), (-0.1, 0.17))
    aug = G.Affine(
        scale=dict(zip("xy", ranges)),
        shear={"x": (-20, 5), "y": (-3, 30)},
        rotate=(-50, 70),
        balanced_scale=balanced,
        **{unit: dict(zip("xy", moves))},
    )
    got = aug.draw(u, seen)
    for i in range(100):
        h, w = seen.size[i].tolist()
        t, shear, scale = [], [], []
        for axis, side in enumerate((w, h)):
            low, high = moves[axis]
            t.append(
                low + math.floor(u[i, axis] * (high - low + 1))
                if unit == "translate_px"
                else math.trunc((low + u[i, axis] * (high - low)) * side)
            )
            low, high = ((-20, 5), (-3, 30))[axis]
            shear.append(-(low + u[i, 2 + axis] * (high - low)))
            low, high = ranges[axis]
            if balanced and low < 1 < high:
                low, high = (low, 1) if u[i, 4 + 2 * axis] < 0.5 else (1, high)
            scale.append(low + u[i, 5 + 2 * axis] * (high - low))
        rotate = -50 + u[i, 8] * 120
        np.testing.assert_allclose(got["matrix"][i], matrix(h, w, t, shear, scale, rotate), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(got["scale"][i], scale, rtol=1e-12)
        np.testing.assert_allclose(got["rotate"][i], rotate, rtol=1e-12)


def test_one_factor_for_both_axes_is_that_of_x():
    rng = np.random.default_rng(7)
    u, seen = uniforms(rng, 20, 9), view(20, rng)
    scale = G.Affine(scale=(0.5, 2), keep_ratio=True).draw(u, seen)["scale"]
    np.testing.assert_allclose(scale, np.repeat(0.5 + 1.5 * u[:, 5:6], 2, 1))


# ---- stripes -------------------------------------------------------------------------------------


def test_stripes():
    rng = np.random.default_rng(8)
    n, kx, ky = 100, (1, 3), (0, 2)
    u = uniforms(rng, n, 2 + 2 * (kx[1] + ky[1]))
    seen = View(np.array([(9, 12), (5, 7), (4, 30)], np.int64)[rng.integers(0, 3, n)], 3, "uint8")
    got = G.XYMasking(kx, ky, (0, 5), (2, 4)).draw(u, seen)["holes"]
    for i in range(n):
        h, w = seen.size[i].tolist()
        holes, at = [], 2
        for axis, (number, (low, high), side) in enumerate(((kx, (0, 5), w), (ky, (2, 4), h))):
            many = number[0] + int(u[i, axis] * (number[1] - number[0] + 1))
            for k in range(number[1]):
                width = low + int(u[i, at + k] * (high - low + 1))
                start = int(u[i, at + number[1] + k] * (side - width + 1))
                end = start + (width if k < many else 0)
                holes.append([start, 0, end, h] if axis == 0 else [0, start, w, end])
            at += 2 * number[1]
        np.testing.assert_array_equal(got[i], holes)

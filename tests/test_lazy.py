"""Compose(lazy=True): consecutive geometry is one gather, equal to OpenCV's warp by the product of the matrices."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from parity.case import GATHER_U8, photograph
from test_geometry import MOVING, made

import gpuaug as G

SIZE = (120, 160)
INTEGER = [
    lambda: G.HorizontalFlip(p=0.5),
    lambda: G.RandomRotate90(),
    lambda: G.RandomCrop(90, 80),
    lambda: G.Affine(translate_px=(-9, 9), p=0.7),
    lambda: G.Transpose(p=0.5),
    lambda: G.PadIfNeeded(100, 110, border_mode=0, fill=3),
    lambda: G.CenterCrop(60, 70),
]


def photographs(n: int, dtype="uint8"):
    out = np.stack(
        [photograph("china" if i % 2 else "flower")[7 * i : 7 * i + SIZE[0], 9 * i : 9 * i + SIZE[1]] for i in range(n)]
    )
    return out if dtype == "uint8" else (out / 255).astype(dtype)


def launches(compose):
    return compose.explain(SIZE).count("\n")


@pytest.mark.parametrize("seed", range(6))
def test_whole_pixels_are_moved_as_one_after_the_other(seed):
    rng = np.random.default_rng(seed)
    steps = rng.permutation([0, 1, 3, 4, 2])[: rng.integers(2, 6)].tolist()
    data, masks = photographs(8), photographs(8)[..., 0] // 40
    made = [
        G.Compose([INTEGER[k]() for k in steps], seed=seed, lazy=lazy)(image=list(data), mask=list(masks), ids=range(8))
        for lazy in (False, True)
    ]
    for name in ("image", "mask"):
        for one, other in zip(made[0][name], made[1][name]):
            np.testing.assert_array_equal(one, other)


def test_a_turn_and_back():
    data = photographs(4)
    for there, back in (((33, 33), (-33, -33)), ((90, 90), (-90, -90)), ((7.25, 7.25), (-7.25, -7.25))):
        steps = [G.Affine(rotate=there, p=1), G.HorizontalFlip(p=1), G.HorizontalFlip(p=1), G.Affine(rotate=back, p=1)]
        np.testing.assert_array_equal(G.Compose(steps, lazy=True)(data), data)
    assert not np.array_equal(G.Compose(steps)(data), data)


@pytest.mark.parametrize("interpolation", [1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_chain_is_the_warp_by_the_product(interpolation, dtype):
    """float64 matrices, OpenCV's remap of exact float32 coordinates; the border, where terms mix with the fill, apart."""
    data = photographs(6, dtype)
    how = {"interpolation": interpolation, "p": 1}
    steps = [
        G.Affine(rotate=(-20, 20), scale=(0.9, 1.1), **how),
        G.HorizontalFlip(p=0.5),
        G.Perspective(scale=(0.02, 0.05), **how),
        G.RandomResizedCrop((70, 90), scale=(0.5, 0.8), interpolation=interpolation),
        G.Affine(shear=(-5, 5), translate_px=(-3, 3), **how),
    ]
    compose = G.Compose(steps, seed=4, lazy=True)
    out = compose(image=data, ids=range(6))["image"]
    drawn = compose.draw(np.array([SIZE] * 6), ids=range(6))
    for i in range(6):
        matrix, size = np.eye(3), np.array([SIZE])
        for step in drawn.steps:
            rows = np.arange(6)[step.rows].tolist()
            if i in rows:
                mine = {name: value[[rows.index(i)]] for name, value in step.params.items()}
                mapped = step.transform.map(mine, size)
                matrix = (mapped.matrix[0] if mapped.forward else np.linalg.inv(mapped.matrix[0])) @ matrix
                size = step.transform.size_after(mine, size)
        (h, w) = size[0].tolist()
        y, x = np.mgrid[:h, :w].astype(np.float64)
        at = np.linalg.inv(matrix) @ np.stack([x.ravel(), y.ravel(), np.ones(h * w)])
        x, y = (at[:2] / at[2]).reshape(2, h, w)
        flags = {1: cv2.INTER_LINEAR, 2: cv2.INTER_CUBIC}[interpolation]
        # in float32 remap rounds coordinates to 1/32 pixel, too: weigh exactly by moving the fraction into an image of its own
        want = exactly(data[i].astype(np.float64), x, y, flags)
        scale = 255 if dtype == "uint8" else 1
        got = out[i].astype(np.float64)
        if dtype == "uint8":
            want = np.clip(np.rint(want), 0, 255)
            assert (np.abs(got - want) <= 1).all()
            assert (got == want).mean() >= GATHER_U8.share
        else:
            # coordinates below 512 in float32 are off by up to 4 * 2^-16 of a pixel each way, neighbours differ by up to 1, cubic
            # weights have slopes up to 1.4: 1.7e-4 (see GATHER in tests/parity/case.py)
            assert np.abs(got - want).max() <= 2e-4 * scale


def exactly(image, x, y, flags):
    """Linear or cubic (a = -0.75, OpenCV's) interpolation in float64, zeros outside."""
    taps = (0, 1) if flags == cv2.INTER_LINEAR else (-1, 0, 1, 2)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    padded, out = np.pad(image, ((4, 4), (4, 4), (0, 0))), np.zeros((*x.shape, image.shape[2]))
    for j in taps:
        for i in taps:
            weight = kernel(x - x0 - i, flags) * kernel(y - y0 - j, flags)
            at = np.clip(y0 + j, -4, image.shape[0] + 3) + 4, np.clip(x0 + i, -4, image.shape[1] + 3) + 4
            out += weight[..., None] * padded[at]
    return out


def kernel(t, flags):
    t, a = np.abs(t), -0.75
    if flags == cv2.INTER_LINEAR:
        return np.maximum(1 - t, 0)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, np.where(t < 2, far, 0))


def test_it_is_one_launch_and_sharper():
    steps = [G.Affine(rotate=(5, 5), p=1), G.Affine(rotate=(-3, -3), p=1), G.Affine(rotate=(4, 4), p=1)]
    plain, lazy = (G.Compose(steps, seed=1, lazy=lazy) for lazy in (False, True))
    assert "Affine" in lazy.explain(SIZE)
    assert len(lazy.explain(SIZE).splitlines()) < len(plain.explain(SIZE).splitlines())
    data = photographs(1)
    edges = [np.abs(np.diff(aug(data)[0, 20:-20, 20:-20].astype(float), axis=1)).mean() for aug in (plain, lazy)]
    assert edges[1] > edges[0]


def test_what_does_not_join_keeps_its_place():
    """Filters and pixel operations between two maps end a run, and so do another interpolation, another border, a field."""
    data = photographs(6)
    half = G.Affine(rotate=(-9, 9), p=0.6)
    for between in (
        G.Blur(p=0.5),
        G.Affine(rotate=(3, 3), interpolation=2, p=0.5),
        G.Affine(rotate=(3, 3), border_mode=4, p=0.5),
        G.ElasticTransform(p=0.5),
        G.Resize(120, 160, interpolation=3),
    ):
        made = [
            G.Compose([half, between, G.RandomBrightnessContrast(p=0.5)], seed=2, lazy=lazy)(data, ids=range(6))
            for lazy in (False, True)
        ]
        np.testing.assert_array_equal(*made)


@pytest.mark.parametrize("name", MOVING)
def test_the_map_of_each_is_what_it_does(name):
    """Beside an affine map that is drawn as the identity each is lowered by its matrix; alone in its own way, with weights of 11
    bits or sums in another order: one level, and two where a second rounding of sums near a half comes on top."""
    data, alone = photographs(6), made(name)
    if alone.joins("image") is None:
        pytest.skip("never joins")
    how, border, fill = alone.joins("image")
    joined = [alone, G.Affine(interpolation=1 if how is None else how, border_mode=border or 0, fill=fill or 0, p=1)]
    one, other = (
        G.Compose(steps, seed=3, lazy=lazy)(image=list(data), ids=range(6))["image"]
        for steps, lazy in (([alone], False), (joined, True))
    )
    for a, b in zip(one, other):
        assert a.shape == b.shape
        apart = np.abs(a.astype(int) - b)
        if how is not None and border is None:  # a resize: beyond half a pixel from the edge of the image lies the fill
            apart = apart[2:-2, 2:-2]
        assert apart.max() <= 2


def test_samples_do_not_depend_on_the_batch():
    data = photographs(6)
    steps = [
        G.OneOf([G.Affine(rotate=(-20, 20), p=1), G.Perspective(p=1)], p=0.8),
        G.HorizontalFlip(),
        G.Affine(scale=(0.8, 1.2), p=0.7),
        G.RandomCrop(80, 90),
    ]
    compose = G.Compose(steps, seed=5, lazy=True)
    whole = compose(data, ids=range(6))
    for i in range(6):
        np.testing.assert_array_equal(compose(data[i : i + 1], ids=[i])[0], whole[i])


def test_argument():
    with pytest.raises(TypeError, match="lazy"):
        G.Compose([], lazy="yes")


def test_what_neighbours_drew_decides_nothing():
    """Which steps join hangs on what a sample took itself; its neighbours may have taken others, or what lies between."""
    data = photographs(12)
    for steps in (
        [G.CenterCrop(60, 60), G.Affine(rotate=30, p=0.5), G.Affine(scale=0.5, p=0.5)],
        [G.Affine(rotate=20, p=0.6), G.Blur(p=0.3), G.Perspective(p=0.6), G.HorizontalFlip(p=0.5), G.Affine(shear=9, p=0.5)],
        [G.Rotate(p=0.7), G.PadIfNeeded(130, 170), G.ShiftScaleRotate(p=0.9), G.RandomBrightnessContrast(p=0.4)],
        [G.Resize(50, 40), G.SafeRotate(p=0.7)],
    ):
        for seed in range(3):
            compose = G.Compose(steps, seed=seed, lazy=True)
            whole = compose(image=list(data), mask=[d[..., 0] // 40 for d in data], ids=range(12))
            for i in range(12):
                alone = compose(image=data[i], mask=data[i, ..., 0] // 40, ids=[i])
                np.testing.assert_array_equal(whole["image"][i], alone["image"])
                np.testing.assert_array_equal(whole["mask"][i], alone["mask"])

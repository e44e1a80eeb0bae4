"""The dropout family: pixels against albumentations with the same holes, and what is drawn."""

from __future__ import annotations

import albumentations as A
import numpy as np
import pytest

import gpuaug as G
from gpuaug.deliver import deliver_ragged
from gpuaug.track import Track
from gpuaug.transform import View

SIZES = [(40, 60), (7, 5), (64, 64), (1, 33), (90, 31)]


def pictures(dtype, channels, seed=0):
    rng = np.random.default_rng(seed)
    draw = (
        (lambda s: rng.integers(0, 256, s, dtype=np.uint8))
        if dtype == "uint8"
        else (lambda s: rng.normal(0, 50, s).astype(np.float32))
    )
    return [draw((*size, channels)) for size in SIZES]


def lowered(transform, data, params, kind="image"):
    track = Track(G.Batch.of(data), kind)
    track.doing = type(transform).__name__
    transform.lower(track, slice(None), params)
    return [out.numpy() for out in deliver_ragged(track, planar=False)]


def drawn(transform, data, seed=0):
    u = np.random.default_rng(seed).random((len(data), transform.columns()))
    sizes = np.array([x.shape[:2] for x in data])
    return transform.draw(u, View(sizes, data[0].shape[2], str(data[0].dtype)))


RECTANGLES = [
    lambda L, **fill: L.CoarseDropout((2, 5), (0.1, 0.5), (0.1, 0.6), **fill),
    lambda L, **fill: L.CoarseDropout((1, 3), (1, 8), (2, 9), **fill),
    lambda L, **fill: L.Erasing(**fill),
    lambda L, **fill: L.Erasing((0.3, 0.5), (0.5, 1.5), **fill),
    lambda L, **fill: L.GridDropout(**fill),
    lambda L, **fill: L.GridDropout(0.7, False, holes_number_xy=(3, 2), shift_xy=(2, 1), **fill),
]


@pytest.mark.parametrize("make", RECTANGLES)
@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 3), ("float32", 4), ("float32", 1), ("uint8", 9)])
def test_holes_are_filled_as_albumentations_fills_them(make, dtype, channels):
    for fill in (0, tuple(range(1, channels + 1))):
        ours, theirs = make(G, fill=fill, fill_mask=5), make(A, fill=fill, fill_mask=5)
        data = pictures(dtype, channels)
        params = drawn(ours, data)
        masks = [np.arange(x[..., :1].size, dtype=np.int32).reshape(*x.shape[:2], 1) for x in data]
        for i, (got, mask) in enumerate(zip(lowered(ours, data, params), lowered(ours, masks, params, "mask"))):
            holes = params["holes"][i]
            np.testing.assert_array_equal(got, theirs.apply(data[i].copy(), holes=holes, seed=0))
            np.testing.assert_array_equal(mask, theirs.apply_to_mask(masks[i].copy(), holes=holes, seed=0))


def rectangles(transform, size, n=4000):
    u = np.random.default_rng(1).random((n, transform.columns()))
    return transform.draw(u, View(np.tile(size, (n, 1)), 3, "uint8"))["holes"]


def test_erasing_draws_what_it_says():
    holes = rectangles(G.Erasing((0.05, 0.2), (0.5, 2.0), p=1), (80, 120))[:, 0]
    w, h = (holes[:, 2:] - holes[:, :2]).T
    assert ((w > 0) & (h > 0)).all()
    assert (holes >= 0).all()
    assert (holes <= (120, 80, 120, 80)).all()
    share = w * h / 9600  # sides are rounded: +-0.5 pixel of at least 15
    assert 0.045 < share.min() < 0.06
    assert 0.18 < share.max() < 0.21
    assert abs((w / h).min() - 0.5) < 0.05
    assert abs((w / h).max() - 2.0) < 0.15
    theirs = A.Erasing((0.05, 0.2), (0.5, 2.0), p=1)
    other = np.concatenate([theirs.get_params_dependent_on_data({"shape": (80, 120)}, {})["holes"] for _ in range(4000)])
    for ours, reference in ((w, other[:, 2] - other[:, 0]), (h, other[:, 3] - other[:, 1]), (holes[:, 0], other[:, 0])):
        assert abs(ours.mean() - reference.mean()) < 4 * np.hypot(ours.std(), reference.std()) / np.sqrt(4000)
    none = rectangles(G.Erasing((0.9, 1.0), (5, 6), p=1), (80, 120), 50)
    assert (none == 0).all(), "no such rectangle fits"


@pytest.mark.parametrize("arguments", [{}, {"ratio": 1.0}, {"unit_size_range": (4, 9)}, {"holes_number_xy": (5, 3)}])
def test_grid_dropout_has_one_hole_in_each_cell(arguments):
    size = (50, 71)
    for hole in rectangles(G.GridDropout(**arguments, p=1), size, 30):
        hole = hole[hole[:, 2] > hole[:, 0]]
        assert (hole >= 0).all()
        assert (hole <= (71, 50, 71, 50)).all()
        count = np.zeros(size, int)
        for x0, y0, x1, y1 in hole:
            count[y0:y1, x0:x1] += 1
        assert count.max() == 1
        if not arguments:
            assert len(hole) == (71 // 7) * (50 // 5)
        if "holes_number_xy" in arguments:
            assert len(hole) == 15
            assert len(np.unique(hole[:, 3] // 17)) <= 4, "three rows"


def test_older_names():
    new, old = (
        G.CoarseDropout((2, 5), (3, 8), (4, 9), fill=7, fill_mask=1),
        G.CoarseDropout(
            max_holes=5, min_holes=2, max_height=8, min_height=3, max_width=9, min_width=4, fill_value=7, mask_fill_value=1
        ),
    )
    assert repr(new) == repr(old)
    assert G.CoarseDropout(max_holes=8, max_height=8, max_width=8).num_holes_range == (8, 8)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 9])
@pytest.mark.parametrize("each", [False, True])
def test_pixel_dropout(dtype, channels, each):
    data = [np.full((150, 160, channels), 100, dtype)]
    value = tuple(range(1, channels + 1))
    transform = G.PixelDropout(0.3, each, value, None if each else 50, p=1)
    params = drawn(transform, data)
    (got,) = lowered(transform, data, params)
    lost = got != 100
    np.testing.assert_array_equal(got[lost], np.broadcast_to(value, got.shape)[lost])
    assert abs(lost.mean() - 0.3) < 4 * np.sqrt(0.21 / (lost.size if each else 24000))
    if each and channels > 1:
        together = np.corrcoef(lost.reshape(-1, channels).T)[np.triu_indices(channels, 1)]
        assert abs(together).max() < 4 / np.sqrt(24000)
    if not each:
        assert (lost == lost[..., :1]).all()
        (mask,) = lowered(transform, [np.full((150, 160, 1), 7, np.int32)], params, "mask")
        np.testing.assert_array_equal(mask == 50, lost[..., :1])
    along = lost[..., 0].astype(float)
    assert abs(np.corrcoef(along[:, 1:].ravel(), along[:, :-1].ravel())[0, 1]) < 4 / np.sqrt(24000)


def test_pixel_dropout_with_one_random_colour():
    for dtype in ("uint8", "float32"):
        out = G.Compose([G.PixelDropout(0.5, drop_value=None, p=1)], seed=1)(np.full((3, 40, 40, 3), 9, dtype))
        colours = [np.unique(x[(x != 9).any(2)], axis=0) for x in out]
        assert all(len(c) == 1 for c in colours)
        assert len(np.unique(np.concatenate(colours), axis=0)) == 3
        top = max(c.max() for c in colours)
        assert top > 1 if dtype == "uint8" else top < 1
    nothing = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    np.testing.assert_array_equal(G.Compose([G.PixelDropout(0.0, p=1)])(nothing), nothing)
    assert (G.Compose([G.PixelDropout(1.0, p=1)])(nothing) == 0).all()


def test_channel_dropout():
    x = np.ones((3000, 2, 2, 5), np.float32)
    out = G.Compose([G.ChannelDropout((1, 3), fill=-2.5, p=1)], seed=1)(x)
    lost = out[:, 0, 0] == -2.5
    assert (lost == (out == -2.5).all((1, 2))).all()
    np.testing.assert_array_equal(np.unique(lost.sum(1)), [1, 2, 3])
    assert abs(lost.mean(0) - 0.4).max() < 4 * np.sqrt(0.24 / 3000)


def test_fused_equals_step_by_step():
    steps = [
        G.HorizontalFlip(p=0.5),
        G.GridDropout(fill="random", p=1),
        G.RandomRotate90(p=1),
        G.PixelDropout(0.2, drop_value=3, p=1),
        G.ChannelDropout(p=1),
        G.Erasing(fill="random_uniform", p=1),
    ]
    x = np.random.default_rng(0).integers(0, 256, (6, 40, 40, 4), dtype=np.uint8)
    ids = np.arange(6)
    whole = G.Compose(steps, seed=1)
    text = whole.explain((40, 40), channels=4)
    assert len([line for line in text.splitlines() if line[0].isdigit()]) == 1
    fused = whole(x, ids=ids)
    drawn_ = whole.draw(np.full((6, 2), 40), ids=ids, channels=4)
    out = x
    for step in drawn_.steps:  # the same parameters, one launch each
        track = Track(G.Batch.of(out))
        track.doing = type(step.transform).__name__
        step.transform.lower(track, step.rows, step.params)
        out = np.stack([o.numpy() for o in deliver_ragged(track, planar=False)])
    np.testing.assert_array_equal(fused, out)

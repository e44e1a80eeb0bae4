"""XYMasking and the masks of spectrograms: pixels, distributions, errors."""

from __future__ import annotations

import albumentations as A
import numpy as np
import pytest
import torch
from scipy import stats

import gpuaug as G
from gpuaug import audio
from gpuaug.audio.masks import stripes
from gpuaug.deliver import deliver_ragged
from gpuaug.track import Track
from gpuaug.transform import View

# as they are written in projects that train on EEG spectrograms
FIVE = [
    {"num_masks_x": 1, "mask_x_length": 20, "fill_value": 0},
    {"num_masks_x": 1, "mask_x_length": (0, 20)},
    {"num_masks_y": 1, "mask_y_length": (0, 20)},
    {"num_masks_x": (2, 4), "num_masks_y": 5, "mask_y_length": 8, "mask_x_length": (10, 20), "fill_value": 0},
    {"num_masks_x": (2, 4), "num_masks_y": 5, "mask_y_length": 8, "mask_x_length": (20, 30), "fill_value": (0, 1, 2, 3)},
]


def spectrograms(n=6, h=100, w=300, c=4):
    return np.random.default_rng(0).normal(-80, 30, (n, h, w, c)).astype(np.float32)


@pytest.mark.parametrize("arguments", FIVE)
def test_five_projects_arguments(arguments):
    """One array, a batch of them, CHW tensors and ragged lists: the same samples get the same."""
    x = spectrograms()
    augment = G.Compose([G.XYMasking(**arguments, p=1)], seed=3)
    ids = np.arange(6)
    whole = augment(x, ids=ids)
    assert whole.dtype == np.float32
    assert (whole != x).any((1, 2, 3)).sum() >= 4
    for i in ids:
        np.testing.assert_array_equal(augment(x[i], ids=i), whole[i])
    planes = augment(torch.from_numpy(x).permute(0, 3, 1, 2), ids=ids)
    np.testing.assert_array_equal(planes.permute(0, 2, 3, 1), whole)
    ragged = augment([x[0], x[1, :, :200], x[2]], ids=[0, 9, 2])
    np.testing.assert_array_equal(ragged[0], whole[0])
    np.testing.assert_array_equal(ragged[2], whole[2])
    assert ragged[1].shape == (100, 200, 4)


@pytest.mark.parametrize("fill", [0, -80.5, (0, 1, 2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("alone", [True, False])
def test_stripes_as_albumentations_fills_them(fill, dtype, planar, alone):
    """Alone they are copies of lines on the CPU; beside another operation they are part of the pixel program."""
    if dtype == "uint8":
        fill = 7 if fill == -80.5 else fill
    x = spectrograms()
    x = x if dtype == "float32" else np.clip(x + 128, 0, 255).astype(np.uint8)
    ours = G.XYMasking((1, 3), (0, 4), (0, 40), (5, 20), fill=fill, p=1)
    u = np.random.default_rng(1).random((6, ours.columns()))
    params = ours.draw(u, View(np.full((6, 2), (100, 300)), 4, dtype))
    theirs = A.XYMasking((1, 3), (0, 4), (0, 40), (5, 20), fill=fill, p=1)
    track = Track(G.Batch.of(torch.from_numpy(x).permute(0, 3, 1, 2).contiguous() if planar else x))
    ours.lower(track, slice(None), params)
    if not alone:
        limits = {} if dtype == "uint8" else {"low": -1e9, "high": 1e9}
        track.op(slice(None), "linear_u8" if dtype == "uint8" else "linear", factor=np.ones(6), offset=0, **limits)
    for i, got in enumerate(deliver_ragged(track, planar)):
        want = theirs.apply(x[i].copy(), holes=params["holes"][i], seed=0)
        np.testing.assert_array_equal(got.permute(1, 2, 0) if planar else got, want)


def test_random_fills():
    x = np.full((50, 60, 3), 300.0, np.float32)
    out = G.Compose([G.XYMasking(2, 2, 9, 9, fill="random", p=1)], seed=1)(x)
    hit = out[out != 300]
    assert ((hit >= 0) & (hit < 1)).all()
    assert len(np.unique(hit)) > 0.9 * len(hit)
    out = G.Compose([G.XYMasking(1, 0, 9, 0, fill="random_uniform", p=1)], seed=1)(x)
    hit = out[(out != 300).any(2)]
    assert len(np.unique(hit, axis=0)) == 1
    assert len(np.unique(hit)) == 3
    bytes_ = G.Compose([G.XYMasking(4, 4, 12, 12, fill="random", p=1)], seed=1)(np.zeros((200, 200, 3), np.uint8))
    assert bytes_.max() > 250


def test_nothing_spreads_from_nans():
    x = spectrograms(2)
    x[0, 3, 4, 1] = x[1, 50, 60, 0] = np.nan
    for fill in (0, "random"):
        out = G.Compose([G.XYMasking(2, 2, 20, 20, fill=fill, p=1)], seed=1)(x)
        assert (np.isnan(out) <= np.isnan(x)).all()
    mean = audio.SpecAugment(1, 40, 1, 40)(torch.from_numpy(x).permute(0, 3, 1, 2))
    assert int(mean.isnan().sum()) <= 2
    assert np.isnan(G.Compose([G.Normalize(normalization="image")])(x)).sum() == 2


def test_one_launch_beside_pixel_operations():
    text = G.Compose([G.XYMasking(2, 2, 20, 20, p=1), G.Normalize(mean=0.0, std=1.0)], seed=0).explain(
        (128, 256), channels=4, dtype="float32"
    )
    launches = [line for line in text.splitlines() if line[0].isdigit()]
    assert len(launches) == 1
    assert "XYMasking" in launches[0]
    assert "Normalize" in launches[0]
    masks = audio.Compose([audio.FrequencyMasking(20), audio.TimeMasking(30)]).explain((4, 128, 256))
    assert len(masks.splitlines()) == 1


# ---- distributions -------------------------------------------------------------------------------


def chi_square(values, expected) -> float:
    """p-value of counts against probabilities; every value with a probability is reached, no other."""
    counts = np.bincount(values, minlength=len(expected))
    assert len(counts) == len(expected), f"{len(counts) - 1} is outside of 0 .. {len(expected) - 1}"
    assert (counts[expected == 0] == 0).all()
    few = expected * len(values) < 5
    assert (counts[~few] > 0).all()
    if few.any():  # too few for the test each: together
        counts, expected = np.append(counts[~few], counts[few].sum()), np.append(expected[~few], expected[few].sum())
        counts, expected = counts[expected > 0], expected[expected > 0]
    return stats.chisquare(counts, expected / expected.sum() * counts.sum()).pvalue


def torchaudio_distribution(param: int, side: int):
    """P(width), P(start) of torchaudio's rule: width = floor(U M), start = floor(V (side - U M))."""
    u = (np.arange(20000) + 0.5) / 20000 * param
    width = np.bincount(np.floor(u).astype(int), minlength=param) / len(u)
    ends = np.arange(side + 1)[:, None]
    below = np.clip(ends / np.maximum(side - u, 1e-12), 0, 1).mean(1)  # P(start < end)
    return width, np.diff(below)


N = 20000


@pytest.mark.parametrize(
    "make",
    [
        lambda: (audio.TimeMasking(12), 1),
        lambda: (audio.FrequencyMasking(12), 0),
        lambda: (G.TimeMasking(12, p=1), 1),
        lambda: (G.FrequencyMasking(12, p=1), 0),
        lambda: (audio.SpecAugment(1, 12, 0, 0), 1),
    ],
)
def test_width_and_start_as_torchaudio_defines_them(make):
    step, axis = make()
    size = np.full((N, 2), (40, 40))
    size[:, axis] = 33
    ids = np.arange(N)
    from gpuaug import uniforms

    need = 1 + step.columns()
    blocks = -(-need // 4)
    u = uniforms.table(5, 0, ids, np.zeros(N, np.uint32), np.zeros(blocks, np.uint32), np.arange(blocks, dtype=np.uint32)).T
    holes = step.draw(u[:, 1:need], View(size, 1, "float32"))["holes"][:, 0]
    low, high = (0, 2) if axis == 1 else (1, 3)
    width, start = torchaudio_distribution(12, 33)
    assert chi_square(holes[:, high] - holes[:, low], width) > 1e-3
    assert chi_square(holes[:, low], start) > 1e-3
    np.testing.assert_array_equal(holes[:, [1, 3] if axis == 1 else [0, 2]], [[0, 40]] * N)


def test_xymasking_draws_every_length_and_place():
    step = G.XYMasking(1, 0, (2, 5), 0, p=1)
    u = np.random.default_rng(0).random((N, step.columns()))
    holes = step.draw(u, View(np.full((N, 2), (7, 12)), 1, "uint8"))["holes"][:, 0]
    assert chi_square(holes[:, 2] - holes[:, 0], np.array([0, 0, 1, 1, 1, 1]) / 4) > 1e-3
    start = sum(np.r_[np.full(13 - k, 1 / (13 - k)), np.zeros(k - 2)] for k in (2, 3, 4, 5)) / 4
    assert chi_square(holes[:, 0], start) > 1e-3


def test_fraction_bounds_the_width():
    start, end = stripes(np.random.default_rng(0).random((N, 2, 1)), np.full(N, 50), 40, 0.2)
    assert (end - start).max() == 9
    start, end = stripes(np.random.default_rng(0).random((N, 2, 1)), np.full(N, 4), 40, 0.2)
    assert (end == start).all(), "M below 1: unchanged"
    start, end = stripes(np.random.default_rng(0).random((N, 2, 1)), np.full(N, 10), 400)
    assert end.max() <= 10, "a parameter above the axis is torchaudio's to allow"


# ---- bad input -----------------------------------------------------------------------------------


def fails(message, f, kind=ValueError):
    with pytest.raises(kind, match=message):
        f()


def test_bad_arguments_fail_when_built():
    for arguments in ({}, {"num_masks_x": 3}, {"mask_x_length": 3}, {"num_masks_x": 3, "mask_y_length": 3}):
        with pytest.warns(UserWarning, match="XYMasking does nothing: give num_masks_x and mask_x_length, or"):
            nothing = G.XYMasking(**arguments, p=1)
        np.testing.assert_array_equal(G.Compose([nothing])(np.ones((5, 6), np.uint8)), np.ones((5, 6)))
    fails("mask_x_length must be .low, high.", lambda: G.XYMasking(1, 0, (5, 2)))
    fails("mask_x_length must lie in", lambda: G.XYMasking(1, 0, -3))
    fails("fill must be a number, got NaN", lambda: G.XYMasking(1, 0, 3, fill=float("nan")))
    fails("fill must be a number, got NaN", lambda: G.XYMasking(1, 0, 3, fill=(0, np.nan)))
    fails("fill must be one of 'random', 'random_uniform'", lambda: G.XYMasking(1, 0, 3, fill="white"))
    fails("mask_x_length must be .low, high.", lambda: G.XYMasking(1, 0, (0.5, 0.2)))
    fails("mask_x_length", lambda: G.XYMasking(1, 0, (2, 0.5)))
    fails("time_mask_param must lie in", lambda: G.TimeMasking(0))
    fails("mask_value must be a number or 'mean'", lambda: audio.TimeMasking(3, mask_value="median"))


def test_bad_data_names_the_sample():
    x = spectrograms(2)
    fails(
        r"mask_x_length range \(301, 301\) is out of valid range \[0, 300\], the width of sample 0 \(100 x 300\)",
        lambda: G.Compose([G.XYMasking(1, 0, 301, p=1)])(x),
    )
    fails(
        r"mask_y_length range \(0, 101\) is out of valid range \[0, 100\], the height",
        lambda: G.Compose([G.XYMasking(0, 1, 0, (0, 101), p=1)])(x),
    )
    fails("fill=.* has 3 values for images of 4 channels", lambda: G.Compose([G.XYMasking(1, 0, 3, fill=(1, 2, 3), p=1)])(x))
    fails("does not fit uint8", lambda: G.Compose([G.XYMasking(1, 0, 3, fill=300, p=1)])(np.zeros((4, 4), np.uint8)))
    fails("image 1 has no pixels", lambda: G.Compose([G.XYMasking(1, 0, 3, p=1)])([x[0], x[1, :0]]))

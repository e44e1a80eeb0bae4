"""Covariances of channels, their eigenvectors, mean gray values and deviations of lightness, against NumPy and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from albumentations.augmentations.pixel.functional import to_gray
from emu.plans import Only, build

import gpuaug as G
from gpuaug.backends import cpu

ALL = slice(None)
SIZES = [(5, 7), (64, 48), (31, 300), (3, 2)]


def pictures(dtype: str, channels: int, sizes=SIZES) -> list[np.ndarray]:
    """Channels that hang together, and noise."""
    rng = np.random.default_rng(channels)
    out = []
    for h, w in sizes:
        v = rng.normal(120, 40, (h, w, 1)) + rng.normal(0, 15, (h, w, channels)) * np.arange(1, channels + 1) / channels
        v = np.clip(v, 0, 255).astype(np.uint8)
        out.append(v if dtype == "uint8" else (v / np.float32(255)).astype(dtype))
    return out


def found(data, steps) -> np.ndarray:
    """The plan's memory for what is found. (That both builds have the same bits is the matter of tests/test_emulated.py.)"""
    plan, _ = build(data, data[0].shape[2], data[0].dtype.name, False, Only(steps))
    cpu.execute(plan, 1)
    return plan.found


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3, 5, 9, 20])
def test_eigenvectors_are_numpys(dtype, channels):
    """Up to 8 channels in a block's memory, more in the plan's. Directions where variances are 1e-3 of the largest apart."""
    data = pictures(dtype, channels)

    def step(track):
        track.lookup(ALL, track.reduce(ALL, "covariance"), "eigen", channels=channels)

    words, n = found(data, step), channels
    reduced = n * (4 + 2 * n) * len(data)
    room = 1 + 2 * n + 5 * n * n
    for k, x in enumerate(data):
        values = x.astype(np.float64).reshape(-1, n)
        got = words[reduced + room * k :][:room]
        assert got[0] == len(values)
        np.testing.assert_allclose(got[1 : 1 + n], values.mean(0), rtol=1e-6)
        variance, vectors = np.linalg.eigh(np.atleast_2d(np.cov(values, rowvar=False)))
        variance, vectors = variance[::-1], vectors[:, ::-1]
        np.testing.assert_allclose(got[1 + n : 1 + 2 * n], np.maximum(variance, 0), rtol=1e-5, atol=1e-6 * variance[0])
        mine = got[1 + 2 * n : 1 + 2 * n + n * n].reshape(n, n).astype(np.float64)
        np.testing.assert_allclose(mine.T @ mine, np.eye(n), atol=1e-6)
        apart = np.abs(variance[:, None] - variance) + np.eye(n) * variance[0] > 1e-3 * variance[0]
        for j in np.flatnonzero(apart.all(0)):
            assert abs(mine[:, j] @ vectors[:, j]) > 1 - 1e-6
            assert mine[np.abs(mine[:, j]).argmax(), j] > 0


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_shades_are_opencvs(dtype):
    """The mean of cv2's gray values, exact on bytes; the deviation of HLS lightness, to a few roundings."""
    data = pictures(dtype, 3)

    def step(track):
        track.reduce(ALL, "luma")
        track.reduce(ALL, "lightness")

    words = found(data, step)
    luma = words[: 6 * len(data)].reshape(len(data), 6)[:, :2].copy().view(np.float64)[:, 0]
    light = words[6 * len(data) :].reshape(len(data), 3)[:, 0]
    for k, x in enumerate(data):
        want = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float64).mean()
        np.testing.assert_allclose(luma[k], want, rtol=0 if dtype == "uint8" else 1e-7)
        half = (x.max(2).astype(np.float64) + x.min(2)) / 2
        np.testing.assert_allclose(light[k], half.std(), rtol=1e-6)


@pytest.mark.parametrize("turned", [False, True])
def test_what_was_found_belongs_to_its_sample(turned):
    """Samples of other sizes, some of them, after a turn: each is as it would be alone."""
    data = pictures("uint8", 3)
    steps = [G.Transpose(p=0.5), G.FancyPCA(alpha=2.0, p=0.7)] if turned else [G.FancyPCA(alpha=2.0, p=0.7)]
    together = G.Compose(steps, seed=3)(image=data, ids=np.arange(len(data)))["image"]
    for i, x in enumerate(data):
        np.testing.assert_array_equal(together[i], G.Compose(steps, seed=3)(image=x, ids=[i])["image"])


def test_a_gray_image_has_one_direction():
    """Colours alike: along (1, 1, 1) / sqrt(3), so that noise is gray, too; one pixel has none, and stays."""
    x = np.repeat(np.arange(200, dtype=np.uint8).reshape(10, 20, 1), 3, 2)
    out = G.Compose([G.FancyPCA(alpha=5.0, p=1)], seed=1)(x)
    assert (out == out[..., :1]).all()
    assert (out != x).any()
    one = np.uint8([[[10, 20, 30]]])
    np.testing.assert_array_equal(G.Compose([G.FancyPCA(alpha=5.0, p=1)], seed=1)(one), one)


def test_gray_along_the_main_direction_is_not_a_negative():
    x = torch.linspace(0, 1, 300).reshape(10, 10, 3).numpy()
    out = G.Compose([G.ToGray(num_output_channels=1, method="pca", p=1)])(x)
    assert out[0, 0, 0] == 0
    assert out[-1, -1, 0] == 1


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [2, 5, 9])
@pytest.mark.parametrize("method", ["average", "max", "desaturation", "pca"])
@pytest.mark.parametrize("out", [1, 3])
def test_gray_of_other_channel_counts(dtype, channels, method, out):
    """albumentations takes them for these methods; a principal direction has no sign."""
    rng = np.random.default_rng(channels)
    image = rng.random((23, 17, channels), np.float32) * np.linspace(1, 0.2, channels, dtype=np.float32)
    image = (image * 255).astype(np.uint8) if dtype == "uint8" else image
    want = to_gray(image, out, method).reshape(23, 17, out)
    got = G.Compose([G.ToGray(num_output_channels=out, method=method, p=1)])(image)
    assert got.shape == (23, 17, out)
    assert got.dtype == image.dtype
    top = 255 if dtype == "uint8" else 1
    near = [np.abs(got.astype(float) - each).max() for each in (want.astype(float), top - want.astype(float))]
    if method == "pca":  # scikit-learn's decomposition is another one: a byte, or 1e-5, beside
        assert min(near) <= (1 if dtype == "uint8" else 1e-5)
    else:
        assert near[0] <= (0 if dtype == "uint8" else 1e-6)


def test_gray_by_weights_is_of_three_channels():
    with pytest.raises(ValueError, match="'average', 'max', 'desaturation' and 'pca' take any number"):
        G.Compose([G.ToGray(p=1)])(np.zeros((4, 4, 5), np.uint8))

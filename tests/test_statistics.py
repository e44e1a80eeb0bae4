"""Statistics of samples, and what is computed from them."""

from __future__ import annotations

import albumentations as A
import emu
import numpy as np
import pytest
import torch
from albucore.functions import normalize_per_image_numpy

import gpuaug as G
from gpuaug import audio, backends, deliver
from gpuaug.backends import cpu, cuda
from gpuaug.batch import Batch
from gpuaug.reductions import REDUCTIONS
from gpuaug.track import Track

SHAPES = [(1, 1), (1, 700), (33, 47), (3, 256), (64, 64)]


def taken(data, width=None):
    """The moments that a launch finds in the samples of a list: [n, channels, 5]."""
    track = Track(Batch.of(data))
    track.reduce(slice(None), "moments", width=width)
    out = [torch.empty(int(np.prod(x.shape)), dtype=torch.from_numpy(data[0]).dtype) for x in data]
    stride = np.array([[x.shape[1] * x.shape[2], x.shape[2], 1] for x in data])
    plan = track.finish(np.array([o.data_ptr() for o in out]), stride, track.dtype)
    cpu.execute(plan, 1)
    for x, o in zip(data, out):
        np.testing.assert_array_equal(o.numpy().reshape(x.shape), x)
    return plan.found.reshape(len(data), -1, REDUCTIONS["moments"].words)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_against_numpy(dtype, channels):
    rng = np.random.default_rng(channels)
    data = [
        (rng.normal(-80, 1, (*s, channels)) if dtype != "uint8" else rng.integers(0, 256, (*s, channels))).astype(dtype)
        for s in SHAPES
    ]
    for x, got in zip(data, taken(data)):
        x = x.astype(np.float64).reshape(-1, channels)
        want = np.stack([np.full(channels, len(x)), x.sum(0), x.min(0), x.max(0), ((x - x.mean(0)) ** 2).sum(0)], 1)
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-9 * len(x))  # one rounding to float32, doubles before


def test_nans_and_padding_are_left_out():
    x = np.arange(24, dtype=np.float32).reshape(2, 12, 1)
    x[1, 1] = np.nan
    np.testing.assert_allclose(taken([x], np.array([3]))[0, 0], [5, 0 + 1 + 2 + 12 + 14, 0, 14, 176.8], rtol=1e-6)
    empty = taken([np.full((2, 2, 1), np.nan, np.float32)])[0, 0]
    np.testing.assert_array_equal(empty, [0, 0, np.inf, -np.inf, 0])


@pytest.mark.parametrize("kind", ["image", "image_per_channel", "min_max", "min_max_per_channel"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_normalize_by_the_sample(kind, dtype):
    rng = np.random.default_rng(1)
    x = (
        rng.integers(0, 256, (4, 37, 53, 3), dtype=np.uint8)
        if dtype == "uint8"
        else rng.normal(3, 2, (4, 37, 53, 3)).astype(np.float32)
    )
    got = G.Compose([G.HorizontalFlip(p=1), G.Normalize(normalization=kind)])(x)
    for a, b in zip(got, x):
        want = normalize_per_image_numpy(b[:, ::-1].astype(np.float64), kind)
        np.testing.assert_allclose(a, want, rtol=1e-5, atol=1e-5)


def test_normalize_of_a_constant_image_and_of_outliers():
    assert (G.Compose([G.Normalize(normalization="image")])(np.full((4, 4, 3), 9, np.uint8)) == 0).all()
    x = np.zeros((100, 100, 1), np.float32)
    x[0, 0] = 1e6
    assert G.Compose([G.Normalize(normalization="image")])(x).max() == 20


def test_brightness_by_the_mean():
    x = np.random.default_rng(0).integers(0, 256, (5, 40, 50, 3), dtype=np.uint8)
    arguments = {"brightness_limit": (0.2, 0.2), "contrast_limit": (0.1, 0.1), "brightness_by_max": False, "p": 1}
    got = G.Compose([G.RandomBrightnessContrast(**arguments)])(x)
    want = np.stack([A.RandomBrightnessContrast(**arguments)(image=i)["image"] for i in x])
    np.testing.assert_array_equal(got, want)


def test_of_what_came_before():
    """The statistics of a stage's result, not of the input; two in a row."""
    x = np.random.default_rng(0).random((3, 20, 30, 3)).astype(np.float32)
    chain = [
        G.Blur((5, 5), p=1),
        G.Normalize(normalization="image"),
        G.XYMasking(1, 1, 5, 5, p=1),
        G.Normalize(normalization="min_max"),
    ]
    step = x
    for transform in chain[:2]:
        step = G.Compose([transform], seed=1)(step)
    whole = G.Compose(chain[:2], seed=1)(x)
    np.testing.assert_array_equal(whole, step)
    out = G.Compose(chain, seed=1)(x)
    assert out.min() == 0
    np.testing.assert_allclose(out.max((1, 2, 3)), 1, atol=1e-4)


def test_only_the_samples_that_drew_it():
    x = np.random.default_rng(0).random((64, 20, 30, 3)).astype(np.float32)
    augment = G.Compose(
        [G.RandomBrightnessContrast(brightness_by_max=False, p=0.5), G.Normalize(normalization="image", p=0.5)], seed=2
    )
    whole = augment(x, ids=np.arange(64))
    for i in range(0, 64, 7):
        np.testing.assert_array_equal(augment(x[i], ids=i), whole[i])


@pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("case", range(3))
def test_emulated_gpu_agrees(monkeypatch, case):
    x = torch.from_numpy(np.random.default_rng(0).normal(-40, 9, (3, 2, 20, 61)).astype(np.float32))
    steps = [
        audio.SpecAugment(2, 9, 2, 9, time_warp=7),
        audio.TimeReverse(0.7),
        audio.SpecAugment(1, 20, 1, 9, iid_channels=True),
    ]
    runs = [
        lambda: audio.Compose(steps, seed=1)(x, lengths=[61, 40, 16], ids=[1, 2, 3])[0],
        lambda: G.Compose([G.Normalize(normalization="image")])(x),
        lambda: G.Compose([G.Normalize(normalization="min_max_per_channel"), G.XYMasking(1, 1, 5, 5, p=1)], seed=1)(
            x, ids=[1, 2, 3]
        ),
    ]
    want = runs[case]()
    device = emu.Device(emu.BACKWARD)
    monkeypatch.setattr(deliver, "execute", lambda plan, _: cuda.run(plan, device))
    assert backends.execute is not deliver.execute
    assert torch.equal(runs[case](), want)
    assert device.launches

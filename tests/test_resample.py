"""Resampling: antialias as torchvision, area as OpenCV where it has ways of its own, masks, and what is refused."""

from __future__ import annotations

import albumentations as A
import cv2
import numpy as np
import parity
import pytest
import torch
import torchvision.transforms.v2.functional as TF
from torchvision.transforms import InterpolationMode

import gpuaug as G

MODES = {1: InterpolationMode.BILINEAR, 2: InterpolationMode.BICUBIC}


def resized(image, size, **arguments):
    return G.Compose([G.Resize(*size, **arguments)])(image=image)["image"]


@pytest.mark.parametrize("interpolation", [1, 2])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(40, 53), (7, 9), (112, 112), (300, 20)])
def test_antialias_is_torchvisions(interpolation, channels, size):
    for h, w in ((64, 64), (97, 61), (1, 7), (5, 3)):
        image = parity.stack(channels, h, w, "china")
        values = (image / np.float32(255)).astype(np.float32)
        planes = torch.from_numpy(values).permute(2, 0, 1)[None]
        want = TF.resize(planes, list(size), MODES[interpolation], antialias=True)[0].permute(1, 2, 0).numpy()
        # sums of up to (4 * 97 / 7)^2 = 3,000 terms of one size: sqrt(3000) * 2^-24 * 1.4^2 = 6e-6
        np.testing.assert_allclose(resized(values, size, interpolation=interpolation, antialias=True), want, atol=1e-5)
        # torchvision rounds, and clips, bytes after the first axis too: what it makes of the same bytes as floats
        planes = torch.from_numpy(image).permute(2, 0, 1)[None].float()
        want = TF.resize(planes, list(size), MODES[interpolation], antialias=True)[0].permute(1, 2, 0).numpy()
        got = resized(image, size, interpolation=interpolation, antialias=True)
        far = np.abs(got - np.clip(np.rint(want), 0, 255))
        assert far.max() <= 1
        assert (far > 0).mean() <= 0.01  # sums within 255 * 1e-5 of a half


def test_antialiased_bytes_are_torchvisions_within_its_own_rounding():
    image = parity.stack(3, 97, 61, "flower")
    want = TF.resize(torch.from_numpy(image).permute(2, 0, 1)[None], [40, 30], antialias=True)[0].permute(1, 2, 0).numpy()
    far = np.abs(resized(image, (40, 30), antialias=True).astype(int) - want)
    assert far.max() <= 1  # theirs: weights of about 15 bits, and one rounding more


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("by", [2, 3, 4])
def test_area_by_whole_factors_is_opencvs(channels, by):
    """It adds bytes as integers then; halves of 2 x 2 round up, where it has a vector path for the channels."""
    image = np.random.default_rng(by).integers(0, 256, (36 * by, 40 * by, channels), np.uint8)
    want = cv2.resize(image, (40, 36), interpolation=cv2.INTER_AREA).reshape(36, 40, channels)
    got = resized(image, (36, 40), interpolation=3)
    # of 4 x 4 sums are sixteenths: ours are exact; of 3 x 3 ninths: neither hits a half
    np.testing.assert_array_equal(got, want)


def test_area_for_downscale_of_masks():
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 256, (64, 48, 3), np.uint8), rng.integers(0, 256, (64, 48), np.uint8)
    for size in ((32, 24), (128, 30), (100, 90)):
        arguments = {"interpolation": 0, "area_for_downscale": "image_mask"}
        want = A.Compose([A.Resize(*size, **arguments)])(image=image, mask=mask)
        got = G.Compose([G.Resize(*size, **arguments)])(image=image, mask=mask)
        for name in ("image", "mask"):
            assert np.abs(got[name].astype(int) - want[name]).max() <= (0 if size == (32, 24) else 1), (size, name)


def test_samples_of_any_size_and_those_that_have_it():
    images = [parity.stack(3, h, w, "china") for h, w in ((40, 30), (20, 20), (31, 97), (40, 30))]
    out = G.Compose([G.Resize(20, 20, interpolation=3)])(image=images)["image"]
    for image, got in zip(images, out):
        want = cv2.resize(image, (20, 20), interpolation=cv2.INTER_AREA)
        assert np.abs(got.astype(int) - want).max() <= 1
    np.testing.assert_array_equal(out[1], images[1])
    assert "resample on all samples: Resize (area)" in G.Compose([G.Resize(20, 20, interpolation=3)]).explain((40, 30))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_linear_bytes_are_the_rounded_floats(channels):
    # lines of bytes and planes of floats are two ways on a processor: sizes, crops, flips and strides must not tell them apart
    rng = np.random.default_rng(channels)
    for seed in range(60):
        height, width = rng.integers(1, 5 if seed % 7 == 0 else 90, 2)
        to = tuple(int(side) for side in rng.integers(1, 150, 2))
        batch = rng.integers(0, 256, (2, height + 2, width + 3, channels), dtype=np.uint8)
        batch = [batch, batch[:, 1:-1, 1:-2], batch[:, ::-1], batch[:, :, ::-1]][seed % 4]
        first, last = G.RandomResizedCrop(to, p=1) if seed % 3 else G.Resize(*to), G.HorizontalFlip(p=0.5)
        steps = [first, last] if seed % 2 else [last, first]
        got, floats = (G.Compose(steps, seed=seed)(image=given)["image"] for given in (batch, batch.astype(np.float32)))
        assert np.array_equal(got, np.rint(floats).astype(np.uint8)), (seed, batch.shape, to)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"interpolation": 7}, r"interpolation must be 0 \(cv2.INTER_NEAREST\), .*3 \(cv2.INTER_AREA\), 4 .* or 6 .*, got 7"),
        ({"interpolation": 3, "antialias": True}, r"antialias goes with interpolation 1 \(linear\) or 2 \(cubic\), not 3"),
        ({"antialias": 1}, "antialias must be True or False, got 1"),
        ({"area_for_downscale": "mask"}, "area_for_downscale must be one of None, 'image', 'image_mask', got 'mask'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        G.Resize(8, 8, **arguments)


def test_labels_are_not_averaged():
    data = {"image": np.zeros((9, 9, 3), np.uint8), "mask": np.zeros((9, 9), np.int32)}
    with pytest.raises(TypeError, match="hold labels, which can be moved and replaced but not interpolated"):
        G.Compose([G.Resize(4, 4, mask_interpolation=3)])(**data)

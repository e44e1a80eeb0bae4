"""HistogramMatching, FDA and PixelDistributionAdaptation beside albumentations and scikit-learn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import scipy.stats
import torch
from albumentations.augmentations.mixing import domain_adaptation_functional as reference
from parity.case import photograph
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import gpuaug as G

SIZES = ((64, 96), (97, 61), (7, 5), (1, 9))


def pictures(channels=3, dtype="uint8"):
    """Pairs of an image and a reference of its size, from different photographs."""
    out = []
    for k, (h, w) in enumerate(SIZES):
        pair = [photograph(name)[50 * k : 50 * k + h, 90 : 90 + w] for name in ("flower", "china")]
        pair = [np.concatenate([p, p[..., ::-1] // 2], 2)[..., :channels] for p in pair]
        out.append([np.ascontiguousarray(p if dtype == "uint8" else (p / np.float32(255)).astype(dtype)) for p in pair])
    return out


def through(transform, pairs, key):
    """All images in one call, each with its reference."""
    compose = G.Compose([transform])
    return compose(image=[image for image, _ in pairs], **{key: [[other] for _, other in pairs]})["image"]


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_histograms_as_albumentations(channels, dtype):
    pairs = pictures(channels, dtype)
    for ratio in (1.0, 0.6, 0.0):
        found = through(G.HistogramMatching(blend_ratio=(ratio, ratio), p=1), pairs, "hm_metadata")
        for (image, other), got in zip(pairs, found):
            # squeezed there, where a side of one goes too
            want = reference.match_histograms(image, other).astype(np.float64) if ratio == 1 else None
            if ratio == 1:
                np.testing.assert_array_equal(got, want.astype(got.dtype).reshape(got.shape))
            elif 1 not in image.shape[:2]:
                want = reference.apply_histogram(image, other, ratio).reshape(got.shape)
                # one rounding of a sum of two products near a half; two multiplications and a sum in float32
                np.testing.assert_allclose(got.astype(float), want.astype(float), atol=1 if dtype == "uint8" else 1e-6)
                assert (np.abs(got.astype(float) - want) <= 1e-6).mean() > 0.99


def test_references_are_resized_linearly():
    image, other = pictures()[0][0], photograph("china")[:90, :70]
    compose = G.Compose([G.FDA(beta_limit=(0.1, 0.1), p=1)])
    resized = G.Compose([G.Resize(*image.shape[:2])])(np.ascontiguousarray(other))
    one, two = (compose(image=image, fda_metadata=[r])["image"] for r in (np.ascontiguousarray(other), resized))
    np.testing.assert_array_equal(one, two)
    assert np.abs(resized.astype(int) - cv2.resize(other, image.shape[1::-1])).max() <= 1


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("beta", [0.0, 0.02, 0.1, 0.5])
def test_frequencies_as_albumentations(channels, beta):
    """In float32, whose transforms of n values are off by log2(n) 2^-24 of the root of the sum of their squares at most; the
    largest amplitude is the sum of 6144 values up to 1, from which 1e-5 follows on either side."""
    pairs = pictures(channels, "float32")
    for (image, other), got in zip(pairs, through(G.FDA(beta_limit=(beta, beta), p=1), pairs, "fda_metadata")):
        want = reference.fourier_domain_adaptation(image, other, beta)
        np.testing.assert_allclose(got, want.reshape(got.shape), atol=2e-5)
    whole = pictures(channels)
    for (image, other), got in zip(whole, through(G.FDA(beta_limit=(beta, beta), p=1), whole, "fda_metadata")):
        want = 255 * reference.fourier_domain_adaptation((image / 255).astype(np.float32), (other / 255).astype(np.float32), beta)
        assert np.abs(got - want.reshape(got.shape)).max() <= 0.5 + 255 * 2e-5


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize(("kind", "scaler"), [("standard", StandardScaler), ("minmax", MinMaxScaler)])
def test_distributions_as_scikit_learn(kind, scaler, dtype):
    for channels in (1, 3, 5):
        pairs = pictures(channels, dtype)
        top = 255 if dtype == "uint8" else 1
        transform = G.PixelDistributionAdaptation(blend_ratio=(0.7, 0.7), transform_type=kind, p=1)
        for (image, other), got in zip(pairs, through(transform, pairs, "pda_metadata")):
            flat, reference_ = (x.reshape(-1, channels).astype(np.float64) for x in (image, other))
            adapted = scaler().fit(reference_).inverse_transform(scaler().fit(flat).transform(flat))
            want = 0.7 * np.clip(adapted, 0, top) + 0.3 * flat
            # rounded to bytes; in float32 half a unit in the last place of 1, and the blend's ratio as float64 there
            assert np.abs(got.reshape(-1, channels) - want).max() <= (0.5 + 1e-4 if dtype == "uint8" else 1e-6)


def test_principal_axes_are_the_reference_s():
    """The mean and the axes become the reference's, variances along them stay; of the 8 signs the one is taken that turns each
    axis by at most 90 degrees, and with one of them albumentations' colours come out."""
    image, other = pictures(3, "float32")[0]
    image, other = 0.4 + 0.2 * image, 0.4 + 0.2 * other  # nothing is clipped
    transform = G.PixelDistributionAdaptation(blend_ratio=(1, 1), p=1)
    got = through(transform, [(image, other)], "pda_metadata")[0].reshape(-1, 3).astype(np.float64)
    a, b = (PCA().fit(x.reshape(-1, 3).astype(np.float64)) for x in (image, other))
    found = PCA().fit(got)
    np.testing.assert_allclose(got.mean(0), b.mean_, atol=1e-6)
    np.testing.assert_allclose(found.explained_variance_, a.explained_variance_, rtol=1e-4)
    np.testing.assert_allclose(np.abs((found.components_ * b.components_).sum(1)), 1, atol=1e-4)
    signs = np.sign((a.components_ * b.components_).sum(1))
    want = a.transform(image.reshape(-1, 3).astype(np.float64)) * signs @ b.components_ + b.mean_
    np.testing.assert_allclose(got, want, atol=1e-6)
    theirs = reference.DomainAdapter(reference.PCA(), (255 * other).astype(np.uint8))((255 * image).astype(np.uint8))
    apart = []
    for bits in range(8):
        turned = a.transform(image.reshape(-1, 3).astype(np.float64)) * [1 - 2 * (bits >> k & 1) for k in range(3)]
        apart.append(np.abs(turned @ b.components_ + b.mean_ - theirs.reshape(-1, 3)).max())
    assert min(apart) < 3 / 255  # of bytes whose fractions were cut off, through a turn


@pytest.mark.parametrize("name", ["HistogramMatching", "FDA", "PixelDistributionAdaptation"])
def test_references_of_the_transform(name, tmp_path):
    """Files, functions, tensors; each sample draws one, all alike often (binomial; false alarm once in 10^6)."""
    from PIL import Image

    image, other = pictures()[0]
    Image.fromarray(other).save(tmp_path / "other.png")
    key = {"HistogramMatching": "hm", "FDA": "fda", "PixelDistributionAdaptation": "pda"}[name] + "_metadata"
    cls = getattr(G, name)
    from_file = G.Compose([cls(reference_images=[tmp_path / "other.png"], p=1)], seed=1)
    from_call = G.Compose([cls(p=1)], seed=1)
    np.testing.assert_array_equal(from_file(image=image)["image"], from_call(image=image, **{key: [other]})["image"])
    tensors = [torch.from_numpy(x).permute(2, 0, 1) for x in (image, other)]
    got = from_call(image=tensors[0], ids=[0], **{key: [tensors[1]]})["image"]
    np.testing.assert_array_equal(got.permute(1, 2, 0).numpy(), from_call(image=image, ids=[0], **{key: [other]})["image"])
    drawn = G.Compose([cls(reference_images=[1, 2], read_fn=lambda k: np.full((2, 2, 3), k, np.uint8), p=1)], seed=1)
    which = drawn.draw(np.full((4000, 2), 5), ids=np.arange(4000)).steps[0].params["reference"]
    assert scipy.stats.binomtest(int(which.sum()), 4000).pvalue > 1e-6


def test_floats_take_references_of_bytes():
    image, other = pictures()[0]
    floats = (image / np.float32(255)).astype(np.float32)
    transform = G.Compose([G.PixelDistributionAdaptation(transform_type="standard", blend_ratio=(1, 1), p=1)], seed=1)
    one = transform(image=floats, pda_metadata=[other], ids=[0])["image"]
    two = transform(image=floats, pda_metadata=[(other / np.float32(255)).astype(np.float32)], ids=[0])["image"]
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_what_does_not_fit():
    image = np.zeros((8, 8, 3), np.uint8)
    aug = G.Compose([G.FDA(p=1)])
    with pytest.warns(
        UserWarning, match=r"FDA does nothing: it needs fda_metadata=\[image, \.\.\] in the call, or reference_images="
    ):
        np.testing.assert_array_equal(aug(image=image)["image"], image)
    with pytest.raises(ValueError, match="fda_metadata has no image for sample 0"):
        aug(image=image, fda_metadata=[])
    with pytest.raises(ValueError, match="fda_metadata holds images of uint8 with 1 channels, those of the batch"):
        aug(image=image, fda_metadata=[image[..., 0]])
    with pytest.raises(TypeError, match="fda_metadata must be a list of images, got array"):
        aug(image=image, fda_metadata=image)
    with pytest.raises(TypeError, match="read_fn must be a function"):
        G.FDA(reference_images=["a"], read_fn=None)
    with pytest.raises(ValueError, match="beta_limit"):
        G.FDA(beta_limit=0.6)
    with pytest.raises(ValueError, match="blend_ratio must be"):
        G.HistogramMatching(blend_ratio=(1, 0.5))
    with pytest.raises(TypeError, match="labels"):
        aug(image=image.astype(np.int32), fda_metadata=[image.astype(np.int32)])


def test_references_that_are_arrays():
    image, other = pictures()[0]
    for read in (lambda x: x, np.asarray):
        got = G.Compose([G.HistogramMatching(reference_images=[other], read_fn=read, blend_ratio=(1, 1), p=1)])(image=image)
        np.testing.assert_array_equal(got["image"], reference.match_histograms(image, other))
    with pytest.raises(RuntimeError, match=r"FDA: read_fn failed on reference_images\[0\], '/nowhere.png': .*No such file"):
        G.Compose([G.FDA(reference_images=["/nowhere.png"], p=1)])(image=image)

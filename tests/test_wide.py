"""uint16 images, of satellites and microscopes, from end to end: the oracle is albumentations on uint16."""

from __future__ import annotations

import albumentations as A
import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import gpuaug as G
from tests import parity
from tests.parity.case import images
from tests.parity.run import ours, uniforms

# a photograph with 16 bits in every pixel: its 8 bits, and noise below them
BYTES = data.astronaut()[40:104, 90:170].astype(np.uint16)
WIDE = BYTES * 256 + np.random.default_rng(0).integers(0, 256, BYTES.shape, dtype=np.uint16)
EVERY = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
MOVES = """HorizontalFlip VerticalFlip Transpose D4 SquareSymmetry RandomRotate90 Flip TimeReverse CenterCrop Crop RandomCrop Pad
PadIfNeeded RandomCropFromBorders RandomGridShuffle CoarseDropout GridDropout PixelDropout Erasing Cutout XYMasking TimeMasking
FrequencyMasking ChannelDropout ChannelShuffle ToRGB ToTensorV2 InvertImg Morphological""".split()
NUMBERS = """
Affine Rotate SafeRotate ShiftScaleRotate Perspective ElasticTransform GridDistortion OpticalDistortion PiecewiseAffine
ThinPlateSpline Resize RandomScale LongestMaxSize SmallestMaxSize RandomResizedCrop RandomSizedCrop CropAndPad Downscale Blur
GaussianBlur MotionBlur AdvancedBlur Defocus ZoomBlur RingingOvershoot Sharpen Emboss RandomBrightnessContrast ColorJitter
Illumination PlasmaBrightnessContrast PlasmaShadow PlanckianJitter ToSepia FancyPCA""".split()


def wide_images(case, channels):
    found = [image.astype(np.uint16) * 256 for image in images(channels, "uint8") if case.keep(image) and len(image) < 200]
    return [image + np.arange(image.size, dtype=np.uint16).reshape(image.shape) % 251 for image in found]


# what albumentations does not do on uint16: it raises, gives bytes back, or cuts off between two steps what overshoots
NOT_THERE = ("Illumination", "Sharpen-gaussian", "Downscale-4 down, 4 up", "ColorJitter-hue", "ColorJitter-all")
CASES = [c for c in parity.CASES if c.name in MOVES + NUMBERS and "float32" in c.bounds and not repr(c).startswith(NOT_THERE)]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_as_albumentations(case):
    """What moves pixels is exact. Else both round once, to one of 65536 numbers: of fractions there is the bound of float32."""
    for channels in case.channels[:2]:
        given = wide_images(case, channels)
        u = uniforms(case, len(given))
        for i, (image, got) in enumerate(zip(given, ours(case.ours, given, u), strict=True)):
            want = np.asarray(case.reference(image.copy(), u[i], "image")).reshape(got.shape)
            assert got.dtype == want.dtype == np.uint16
            far = np.abs(got.astype(np.int64) - want)
            bound = case.bounds["float32"]
            once = 1 + (case.name == "ColorJitter")  # which rounds after each of its steps
            if case.name in MOVES:
                assert not far.any()
            elif np.isfinite(bound.far):
                assert far.max(initial=0) <= 65535 * bound.far + once
            else:
                assert (far <= 65535 * bound.near + once).mean() >= bound.share


@pytest.mark.parametrize("steps", [[], [G.HorizontalFlip(p=1)], [G.Pad(3, fill=7, p=1)]], ids=["nothing", "flip", "pad"])
def test_every_number_comes_back(steps):
    compose = G.Compose([*steps, *[G.NoOp()]])
    want = A.Compose(
        [getattr(A, type(t).__name__)(**({"padding": 3, "fill": 7} if type(t) is G.Pad else {}), p=1) for t in steps]
    )
    expected = want(image=EVERY)["image"]
    big = EVERY.astype(">u2")
    tensor = torch.from_numpy(EVERY).permute(2, 0, 1)
    np.testing.assert_array_equal(compose(EVERY), expected)
    np.testing.assert_array_equal(compose(np.stack([EVERY] * 2))[1], expected)
    np.testing.assert_array_equal(compose([EVERY, EVERY[:9]])[0], expected)
    np.testing.assert_array_equal(compose(big), expected)
    assert compose(EVERY).dtype == np.uint16
    out = compose(tensor)
    assert out.dtype == torch.uint16
    np.testing.assert_array_equal(out.permute(1, 2, 0).numpy(), expected)
    dense = compose.run({"image": [EVERY], "mask": [EVERY[..., 0]]}, ids=[0])
    assert (dense["image"].dtype, dense["mask"].dtype) == (torch.uint16, torch.uint16)
    np.testing.assert_array_equal(dense["image"][0, 0].numpy(), expected[..., 0])
    numbers = compose.run({"image": [EVERY]}, ids=[0], dtype=torch.float32)["image"]  # numbers, no fractions
    np.testing.assert_array_equal(numbers[0, 0].numpy(), expected[..., 0].astype(np.float32))


def test_masks_stay_labels():
    with pytest.raises(TypeError, match="uint16 hold labels"):
        G.Compose([G.Affine(rotate=(9, 9), mask_interpolation=1, p=1)])(image=WIDE, mask=EVERY[:64, :80, 0])
    out = G.Compose([G.Affine(rotate=(9, 9), p=1)])(image=WIDE, mask=WIDE[..., 0])
    assert set(np.unique(out["mask"])) <= {0, *np.unique(WIDE[..., 0]).tolist()}


@pytest.mark.parametrize(
    ("ours_", "theirs"),
    [
        (G.Normalize(0.5, 0.25, 65535, p=1), A.Normalize(0.5, 0.25, 65535, p=1)),
        (
            G.Normalize((0.4, 0.5, 0.6), (0.2, 0.3, 0.4), 10000.0, p=1),
            A.Normalize((0.4, 0.5, 0.6), (0.2, 0.3, 0.4), 10000.0, p=1),
        ),
        *((G.Normalize(normalization=n, p=1), A.Normalize(normalization=n, p=1)) for n in ("image", "image_per_channel")),
        *((G.Normalize(normalization=n, p=1), A.Normalize(normalization=n, p=1)) for n in ("min_max", "min_max_per_channel")),
        (G.ToFloat(p=1), A.ToFloat(p=1)),
        (G.ToFloat(10000, p=1), A.ToFloat(10000, p=1)),
    ],
    ids=str,
)
def test_becomes_float(ours_, theirs):
    got, want = ours_(image=WIDE)["image"], theirs(image=WIDE)["image"]
    assert got.dtype == want.dtype == np.float32
    # the fraction, the number made of it and the result are each rounded once: 3 times 2^-24 of a number that is subtracted from
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6 * max(1, abs(want).max()))


@pytest.mark.filterwarnings("error")
def test_normalize_is_told_the_largest_number():
    with pytest.raises(
        UserWarning, match=r"Normalize\(max_pixel_value=255\) is given uint16 images: pass max_pixel_value=65535.0"
    ):
        G.Normalize(p=1)(image=WIDE)
    G.Normalize(max_pixel_value=65535, p=1)(image=WIDE)


def test_from_float():
    image = np.random.default_rng(1).random((30, 40, 3), np.float32)
    for top in (None, 1000.0):
        got, want = G.FromFloat("uint16", top, p=1)(image=image)["image"], A.FromFloat("uint16", top, p=1)(image=image)["image"]
        assert got.dtype == want.dtype == np.uint16
        assert np.abs(got.astype(int) - want).max() <= 1
    both = G.Compose([G.ToFloat(p=1), G.HorizontalFlip(p=1), G.FromFloat("uint16", p=1)])
    np.testing.assert_array_equal(both(EVERY), EVERY[:, ::-1])
    with pytest.raises(ValueError, match="turns float32 images into uint16 and so must apply to every sample"):
        G.Compose([G.FromFloat("uint16", p=0.5)], seed=1)(np.stack([image] * 8))


def test_fills():
    for fill in (40000, (1, 2, 65535)):
        ours_, theirs = (lib.Affine(translate_px=9, fill=fill, p=1) for lib in (G, A))
        np.testing.assert_array_equal(ours_(image=WIDE)["image"], theirs(image=WIDE)["image"])
        holes = G.CoarseDropout((3, 3), fill=fill, p=1)(image=np.zeros_like(WIDE))["image"]
        assert {tuple(pixel) for pixel in holes.reshape(-1, 3).tolist()} == {
            (0, 0, 0),
            fill if isinstance(fill, tuple) else (fill,) * 3,
        }
    with pytest.raises(ValueError, match=r"fill=65536 does not fit uint16 images; use 0 .. 65535"):
        G.Pad(3, fill=65536, p=1)(image=WIDE)


def test_solarize_scales_its_threshold():
    """albumentations compares uint16 with a fraction, so that it inverts all but 0; ours does as its documentation says."""
    got = G.Solarize((0.5, 0.5), p=1)(image=EVERY)["image"]
    np.testing.assert_array_equal(got, np.where(EVERY >= 32768, 65535 - EVERY, EVERY))


def test_users_transforms_and_channels_get_uint16():
    seen = []

    class Look(G.ImageOnlyTransform, register=False):
        def apply(self, img, **params):
            seen.append(img.copy())
            return 65535 - img

    out = G.Compose([G.HorizontalFlip(p=1), Look(p=1), G.VerticalFlip(p=1)])(image=WIDE)["image"]
    np.testing.assert_array_equal(seen[0], WIDE[:, ::-1])
    np.testing.assert_array_equal(out, 65535 - WIDE[::-1, ::-1])
    some = G.SelectiveChannelTransform([G.InvertImg(p=1)], channels=[1])(image=WIDE)["image"]
    np.testing.assert_array_equal(some[..., 1], 65535 - WIDE[..., 1])
    np.testing.assert_array_equal(some[..., ::2], WIDE[..., ::2])


def test_pictures_of_16_bits_through_the_loader(tmp_path):
    for i in range(4):
        Image.fromarray(WIDE[..., 0] + i).save(tmp_path / f"{i}.png")

    class Files(torch.utils.data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return cv2.imread(str(tmp_path / f"{i}.png"), cv2.IMREAD_UNCHANGED), i

    scaled = G.Compose([G.HorizontalFlip(p=1), G.Normalize(0.5, 0.25, 65535)])
    ((images_, numbers),) = G.DataLoader(Files(), batch_size=4, transform=scaled, device="cpu")
    for image, i in zip(images_, numbers.tolist(), strict=True):
        want = ((WIDE[:, ::-1, 0] + i) / 65535 - 0.5) / 0.25
        np.testing.assert_allclose(image[0], want, atol=4e-6)
    ((images_, _),) = G.DataLoader(Files(), batch_size=4, transform=G.Compose([G.HorizontalFlip(p=1)]), device="cpu")
    assert images_.dtype == torch.uint16
    np.testing.assert_array_equal(images_[3, 0].numpy(), WIDE[:, ::-1, 0] + 3)

"""Whole pipelines beside references that somebody else wrote.

Elsewhere each transform is compared alone, and fused pipelines are compared with our own transforms one at a time: neither sees a
step that uses the wrong step's size, order, or parameters. Here the reference is applied step after step, each time to what the
reference made so far, so that it works with the true intermediate image and its true size. There are two kinds of chains:

- of fixed parameters: albumentations' own `Compose` of the same calls, on image, mask, boxes and keypoints;
- of drawn parameters: every transform tells which uniforms it got (`Luck`), and albumentations, OpenCV and NumPy read the same
  ones, by the references of parity or as a script of albumentations' generators.
"""

from __future__ import annotations

import albumentations as A
import numpy as np
import pytest
import torch
import torchvision.transforms.v2.functional as vision
from chains import Pair, layouts, pictures, scene

import gpuaug as G

FIXED = {
    "affine resize": lambda L: [L.Affine(rotate=(30, 30), scale=(0.8, 0.8), p=1), L.Resize(64, 64)],
    "resize crop": lambda L: [L.Resize(90, 110), L.CenterCrop(80, 72), L.HorizontalFlip(p=1)],
    "resize crop normalize": lambda L: [L.Resize(90, 110), L.CenterCrop(80, 72), L.Normalize()],
    "pad affine crop": lambda L: [
        L.PadIfNeeded(128, 130),
        L.Affine(rotate=(-17, -17), translate_percent={"x": (0.1, 0.1), "y": (-0.2, -0.2)}, p=1),
        L.CenterCrop(96, 80),
    ],
    "letterbox": lambda L: [
        L.Resize(60, 90),
        L.PadIfNeeded(None, None, pad_height_divisor=32, pad_width_divisor=32),
        L.Transpose(p=1),
        L.VerticalFlip(p=1),
    ],
    "fit output": lambda L: [
        L.Affine(rotate=(25, 25), fit_output=True, p=1),
        L.CenterCrop(70, 90, pad_if_needed=True),
        L.Affine(rotate=(-60, -60), fit_output=True, p=1),
        L.Resize(80, 60),
    ],
    "turn between affines": lambda L: [
        L.Affine(scale=(1.17, 1.17), translate_px={"x": (9, 9), "y": (-7, -7)}, p=1),
        L.Transpose(p=1),
        L.Affine(translate_percent={"x": (0.2, 0.2), "y": (0.05, 0.05)}, rotate=(10, 10), p=1),
        L.Resize(100, 40),
        L.Affine(translate_percent={"x": (-0.2, -0.2), "y": (0.1, 0.1)}, p=1),
    ],
    "shift scale rotate": lambda L: [
        L.CenterCrop(44, 46),
        L.ShiftScaleRotate(shift_limit=(0.1, 0.1), scale_limit=(0.3, 0.3), rotate_limit=(40, 40), p=1),
        L.Pad((3, 9, 20, 1)),
        L.ShiftScaleRotate(shift_limit=(-0.1, -0.1), scale_limit=(-0.2, -0.2), rotate_limit=(-15, -15), p=1),
    ],
    "whole windows": lambda L: [
        L.Resize(60, 80),
        L.RandomResizedCrop((50, 45), scale=(1, 1), ratio=(4 / 3, 4 / 3)),
        L.Pad(7),
        L.RandomCrop(64, 59),
        L.RandomCrop(80, 70, pad_if_needed=True),
    ],
    "nearest": lambda L: [
        L.HorizontalFlip(p=1),
        L.Resize(33, 91, interpolation=0),
        L.Transpose(p=1),
        L.Resize(57, 50, interpolation=0),
        L.CenterCrop(40, 40),
    ],
    "cubic": lambda L: [L.Resize(70, 75, interpolation=2), L.VerticalFlip(p=1), L.Affine(rotate=(12, 12), interpolation=2, p=1)],
    "blurs": lambda L: [
        L.CenterCrop(45, 47),
        L.GaussianBlur(blur_limit=(5, 5), sigma_limit=(1.2, 1.2), p=1),
        L.HorizontalFlip(p=1),
        L.Blur((3, 3), p=1),
        L.MotionBlur((5, 5), angle_range=(45, 45), direction_range=(0, 0), allow_shifted=False, p=1),
    ],
    "colour first": lambda L: [
        L.HorizontalFlip(p=1),
        L.HueSaturationValue((11, 11), (-20, -20), (9, 9), p=1),
        L.RandomBrightnessContrast((0.1, 0.1), (0.2, 0.2), p=1),
        L.Affine(rotate=(33, 33), p=1),
        L.Blur((5, 5), p=1),
        L.Resize(50, 70),
    ],
    "colour last": lambda L: [
        L.Transpose(p=1),
        L.RandomBrightnessContrast((-0.1, -0.1), (-0.3, -0.3), brightness_by_max=False, p=1),
        L.Resize(70, 50),
        L.RandomBrightnessContrast((0.05, 0.05), (0.4, 0.4), p=1),
        L.RandomBrightnessContrast((0.1, 0.1), (-0.2, -0.2), brightness_by_max=False, p=1),
        L.Normalize(mean=0.4, std=0.3),
    ],
    "grid": lambda L: [
        L.Resize(60, 80),
        L.GridDropout(ratio=0.4, random_offset=False, holes_number_xy=(4, 4), shift_xy=(3, 2), fill=7, fill_mask=9, p=1),
        L.Transpose(p=1),
        L.PadIfNeeded(96, 64, position="bottom_left"),
        L.GridDropout(ratio=0.5, random_offset=False, holes_number_xy=(8, 8), fill=0, fill_mask=200, p=1),
    ],
    "groups": lambda L: [
        L.Sequential([L.Transpose(p=1), L.Affine(rotate=(20, 20), p=1), L.Sequential([L.Resize(66, 50)], p=1)], p=1),
        L.OneOf([L.CenterCrop(40, 44)], p=1),
        L.SomeOf([L.HorizontalFlip(p=1), L.Pad((2, 5))], n=2, p=1),
        L.Affine(translate_percent={"x": (0.25, 0.25), "y": (0.1, 0.1)}, p=1),
    ],
}


@pytest.mark.parametrize("layout", ["ragged", "dense"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("name", FIXED)
def test_fixed_chain(name, dtype, layout, device):
    seed = list(FIXED).index(name)
    pair = Pair(FIXED[name], seed)
    # under holes albumentations rounds boxes to whole pixels, see docs/masking.md
    pair.run(pictures(layouts(layout, seed), dtype, seed=seed), layout, device, with_marks=name != "grid")


# Some samples take a step and some do not; every tree ends with a fixed size, so that a batch can be dense. Of sets of images
# albumentations' crops pad none.
COINS = {
    "affine resize": lambda L: [L.Affine(rotate=(30, 30), p=0.6), L.Resize(70, 80, p=0.5), L.Transpose(p=0.5), L.Resize(64, 72)],
    "all, then some": lambda L: [
        L.Affine(rotate=(-50, -50), p=1),
        L.Resize(70, 80, p=0.5),
        L.Affine(translate_percent={"x": (0.1, 0.1), "y": (0.2, 0.2)}, p=1),
        L.Transpose(p=0.5),
        L.ShiftScaleRotate(shift_limit=(0.1, 0.1), scale_limit=(0.2, 0.2), rotate_limit=(20, 20), p=1),
        L.Resize(64, 72),
    ],
    "sizes by chance": lambda L: [
        L.Transpose(p=0.5),
        L.Affine(scale=(1.31, 1.31), translate_percent={"x": (0.1, 0.1), "y": (-0.1, -0.1)}, p=0.5),
        L.PadIfNeeded(90, 70, p=0.5),
        L.ShiftScaleRotate(shift_limit=(0.2, 0.2), scale_limit=(-0.3, -0.3), rotate_limit=(45, 45), p=0.5),
        L.CenterCrop(46, 40, p=0.5),
        L.Resize(50, 50),
    ],
    "fit output by chance": lambda L: [
        L.Affine(rotate=(25, 25), fit_output=True, p=0.5),
        L.VerticalFlip(p=0.5),
        L.Affine(rotate=(-40, -40), fit_output=True, p=0.5),
        L.PadIfNeeded(66, 66),
        L.CenterCrop(60, 66),
    ],
    "colour and blur": lambda L: [
        L.HueSaturationValue((-9, -9), (25, 25), (-4, -4), p=0.5),
        L.Pad((5, 8), p=0.5),
        L.Blur((3, 3), p=0.5),
        L.Transpose(p=0.5),
        L.RandomBrightnessContrast((0.1, 0.1), (-0.3, -0.3), p=0.5),
        L.Resize(66, 58),
    ],
    "one of": lambda L: [
        L.OneOf([L.Resize(60, 90, p=1), L.Transpose(p=1), L.Pad((9, 4), p=1), L.NoOp(p=1)], p=0.9),
        L.OneOf([L.Affine(rotate=(15, 15), p=0.3), L.Blur((5, 5), p=0.3), L.Sequential([L.CenterCrop(44, 40), L.Transpose()])]),
        L.Affine(translate_percent={"x": (0.2, 0.2), "y": (0.1, 0.1)}, rotate=(5, 5), p=0.7),
        L.Resize(64, 48),
    ],
    "groups in groups": lambda L: [
        L.Sequential(
            [
                L.SomeOf([L.Transpose(p=0.6), L.Pad((3, 1, 0, 7), p=0.9), L.Resize(52, 63, p=0.8), L.HorizontalFlip(p=0.5)], n=2),
                L.OneOrOther(L.Affine(rotate=(-33, -33), p=1), L.Sequential([L.Transpose(p=0.5), L.CenterCrop(40, 42)], p=0.1)),
                L.Compose([L.VerticalFlip(p=0.5), L.Affine(scale=(0.93, 0.93), p=0.5)], p=0.7),
            ],
            p=0.8,
        ),
        L.RandomOrder([L.Resize(61, 55, p=0.7), L.Transpose(p=0.7), L.CenterCrop(39, 38, p=0.7)], n=3, p=0.9),
        L.PadIfNeeded(48, 48),
        L.CenterCrop(48, 48),
    ],
    "repeated": lambda L: [
        L.SomeOf([L.Pad((1, 2, 3, 4), p=0.8), L.Transpose(p=0.5), L.Affine(translate_px={"x": 3}, p=0.6)], n=4, replace=True),
        L.RandomOrder([L.Pad((4, 0, 1, 0)), L.Transpose(p=1), L.Resize(51, 70, interpolation=0)], n=4, replace=True),
        L.Resize(48, 51),
    ],
}


@pytest.mark.parametrize("layout", ["ragged", "dense"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("name", COINS)
def test_chain_that_some_samples_take(name, dtype, layout, device):
    seed = list(COINS).index(name)
    pair = Pair(COINS[name], 100 + seed)
    data = pictures(layouts(layout, seed, 12), dtype, seed=seed)
    pair.run(data, layout, device, more=device.type == "cpu")
    ways = {tuple(id(step.transform) for step in pair.luck.of(i)) for i in range(12)}
    assert len(ways) >= 4, "the samples take different ways"


# ---- another library ----------------------------------------------------------------------------------


def test_a_chain_as_torchvision_computes_it():
    """Float images through torchvision's operations with fixed parameters, one after the other. Its grids are float32 fractions
    of the image's size: coordinates are right to 2^-24 * 100 * 2 = 1.2e-5 pixels along each of two axes, on either side, and the
    image changes by at most 1 from pixel to pixel: 5e-5 for each of three interpolations; Normalize divides by 0.224 at least."""
    data = pictures(layouts("ragged", 2), "float32", seed=2)
    out = G.Compose(
        [
            G.Affine(rotate=(20, 20), scale=(0.8, 0.8), translate_px={"x": (5, 5), "y": (-3, -3)}, p=1),
            G.Resize(70, 90),
            G.HorizontalFlip(p=1),
            G.CenterCrop(60, 80),
            G.Affine(rotate=(-35, -35), p=1),
            G.Transpose(p=1),
            G.Pad((2, 3, 4, 5)),
            G.Normalize(max_pixel_value=1.0),
        ]
    )(image=data)["image"]
    bilinear = {"interpolation": vision.InterpolationMode.BILINEAR}
    for image, got in zip(data, out, strict=True):
        x = torch.from_numpy(image).permute(2, 0, 1)
        # torchvision turns clockwise
        x = vision.affine(x, angle=-20, translate=[5, -3], scale=0.8, shear=[0, 0], **bilinear)
        x = vision.resize(x, [70, 90], antialias=False, **bilinear)
        x = vision.center_crop(vision.horizontal_flip(x), [60, 80])
        x = vision.affine(x, angle=35, translate=[0, 0], scale=1.0, shear=[0, 0], **bilinear)
        x = vision.pad(x.mT, [2, 3, 4, 5])
        x = vision.normalize(x, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
        np.testing.assert_allclose(got, x.permute(1, 2, 0).numpy(), atol=1.5e-4 / 0.224)


# ---- found by reading what differed ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["image", "images"])
def test_a_mask_may_come_first(name):
    image = pictures([(50, 60)])[0]
    compose = G.Compose([G.ChannelDropout((1, 2), p=1)], seed=1)
    image = image[None] if name == "images" else image
    want = compose(**{name: image}, ids=0)[name]
    np.testing.assert_array_equal(compose(**{"mask": scene((50, 60), 0), name: image}, ids=0)[name], want)


def test_holes_cut_boxes_alike_in_every_format():
    """A box on whole pixels, whose first column a hole begins with: it is cut whatever the box is written in."""
    image, cut = np.zeros((77, 77), np.uint8), 0
    for i in range(30):
        found = []
        for form, box in (("pascal_voc", (5, 3, 25, 38)), ("albumentations", (5 / 77, 3 / 77, 25 / 77, 38 / 77))):
            compose = G.Compose([G.XYMasking(1, 0, 8, 0, p=1)], seed=0, bbox_params=G.BboxParams(form))
            found.append(np.array(compose(image=image, bboxes=[box], ids=i)["bboxes"]) * (77 if form == "albumentations" else 1))
        cut += abs(found[0] - (5, 3, 25, 38)).max() > 1
        np.testing.assert_allclose(found[1], found[0], atol=1e-6)
    assert cut


def test_p_can_be_changed():
    """As in albumentations, where schedules of augmentation set it between epochs."""
    image = pictures([(50, 60)])[0]
    for L in (A, G):
        compose = L.Compose([L.HorizontalFlip(p=0)])
        compose[0].p = 1
        np.testing.assert_array_equal(compose(image=image)["image"], image[:, ::-1])


def test_one_or_other_has_its_own_weight():
    """In albumentations a child's weight in OneOf is its p, that of OneOrOther included."""

    def make(L):
        return [L.OneOf([L.OneOrOther(L.NoOp(p=1), L.NoOp(p=1), p=0.5), L.HorizontalFlip(p=0.5)], p=1)]

    drawn = G.Compose(make(G), seed=1).draw(np.full((4000, 2), 9), ids=np.arange(4000))
    flipped = sum(len(step.rows) for step in drawn.steps if isinstance(step.transform, G.HorizontalFlip)) / 4000
    assert abs(flipped - A.Compose(make(A)).transforms[0].transforms_ps[1]) < 0.04  # five standard deviations of 4000 coins

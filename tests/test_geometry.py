"""Image, mask, boxes and keypoints of one sample move alike: every transform alone, and every two after each other.

Nothing here asks another library where a label should be: a dot and a rectangle are drawn, moved with the image, and found again.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

import gpuaug as G

# odd, so that no centre of a resized pixel lies on the edge between two
H, W = 63, 81
SIGMA = 2.2  # of the dot: sampled at every second pixel its centroid is still right to 1e-4, exp(-2 pi^2 (2.2 / 2)^2)
HALF_H, HALF_W = 6, 9  # of the rectangle around it
SAMPLES = 24
EXACT = cv2.INTER_NEAREST_EXACT

# how each transform that moves pixels is made
MOVING = {
    "Affine": lambda: G.Affine(
        scale=(0.8, 1.2), rotate=(-40, 40), shear=(-9, 9), translate_px=(-5, 5), mask_interpolation=EXACT, p=1
    ),
    "CenterCrop": lambda: G.CenterCrop(55, 71, pad_if_needed=True),
    # a dot on a place that bends has its centre beside it: sigma^2 / 2 times what its place bends by, at a side
    # 0.24 alpha / 3.5 / 20^2 0.5: 0.01 pixels, three times that, and twice in a crop that enlarges by 1.4
    "Crop": lambda: G.Crop(2, 1, 77, 60, pad_if_needed=True),
    "CropAndPad": lambda: G.CropAndPad(px=(-7, 9), mask_interpolation=EXACT),
    "D4": lambda: G.D4(),
    "ElasticTransform": lambda: G.ElasticTransform(50, 20, mask_interpolation=EXACT, p=1),
    "Flip": lambda: G.Flip(p=1),
    # a dot across two cells of different widths has its centre beside its middle: 0.4 sigma (1 / 0.96 - 1 / 1.04) = 0.07 pixels
    # (normalized)
    "GridDistortion": lambda: G.GridDistortion(distort_limit=0.02, mask_interpolation=EXACT, p=1),
    "HorizontalFlip": lambda: G.HorizontalFlip(p=1),
    "LongestMaxSize": lambda: G.LongestMaxSize([75, 91], mask_interpolation=EXACT),
    "OpticalDistortion": lambda: G.OpticalDistortion(distort_limit=0.25, mask_interpolation=EXACT, p=1),
    "Pad": lambda: G.Pad((3, 1, 0, 7)),
    "PadIfNeeded": lambda: G.PadIfNeeded(90, None, pad_width_divisor=16, position="random", border_mode=1),
    "Perspective": lambda: G.Perspective(scale=(0.02, 0.05), fit_output=True, mask_interpolation=EXACT, p=1),
    "RandomCrop": lambda: G.RandomCrop(57, 75, pad_if_needed=True),
    "RandomCropFromBorders": lambda: G.RandomCropFromBorders(),
    "RandomResizedCrop": lambda: G.RandomResizedCrop((60, 70), scale=(0.5, 1), mask_interpolation=EXACT),
    "RandomRotate90": lambda: G.RandomRotate90(),
    "RandomScale": lambda: G.RandomScale((-0.2, 0.3), mask_interpolation=EXACT, p=1),
    "RandomSizedCrop": lambda: G.RandomSizedCrop((45, 60), (60, 70), 1.2, mask_interpolation=EXACT),
    "Resize": lambda: G.Resize(48, 101, mask_interpolation=EXACT),
    "Rotate": lambda: G.Rotate(40, mask_interpolation=EXACT, p=1),
    "SafeRotate": lambda: G.SafeRotate(20, mask_interpolation=EXACT, p=1),
    "ShiftScaleRotate": lambda: G.ShiftScaleRotate(mask_interpolation=EXACT, p=1),
    "SmallestMaxSize": lambda: G.SmallestMaxSize(51, mask_interpolation=EXACT),
    "SquareSymmetry": lambda: G.SquareSymmetry(),
    "TimeReverse": lambda: G.TimeReverse(p=1),
    "Transpose": lambda: G.Transpose(p=1),
    "VerticalFlip": lambda: G.VerticalFlip(p=1),
}
# ... and those that hide pixels, or do nothing to them, and move none
STILL = {
    "CoarseDropout": lambda: G.CoarseDropout((1, 4), p=1),
    "ConstrainedCoarseDropout": lambda: G.ConstrainedCoarseDropout((1, 3), (0.3, 0.8), (0.3, 0.8), mask_indices=[1], p=1),
    "Erasing": lambda: G.Erasing(p=1),
    "FrequencyMasking": lambda: G.FrequencyMasking(30, p=1),
    "GridDropout": lambda: G.GridDropout(0.3, p=1),
    "MaskDropout": lambda: G.MaskDropout(p=1),
    "NoOp": lambda: G.NoOp(p=1),
    "PixelDropout": lambda: G.PixelDropout(0.2, p=1),
    "TimeMasking": lambda: G.TimeMasking(30, p=1),
    "ToTensorV2": lambda: G.ToTensorV2(),
    "XYMasking": lambda: G.XYMasking(2, 2, 9, 9, p=1),
}
# a box around a turned rectangle is larger than the rectangle
TURNING = {"Affine", "ElasticTransform", "OpticalDistortion", "Perspective", "Rotate", "SafeRotate", "ShiftScaleRotate"}


# ... and those that cut boxes into pieces; tests/test_distort.py
SCATTERING = {"RandomGridShuffle", "Mosaic"}  # pieces of an image, of several: test_distort.py, test_mosaic.py


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of two channels, a smooth dot and a rectangle; the dot's centre; the rectangle's box."""
    at = np.random.default_rng(seed).integers((31, 25), (W - 31, H - 25), (SAMPLES, 2))
    y, x = np.mgrid[:H, :W]
    dx, dy = x - at[:, 0, None, None], y - at[:, 1, None, None]
    dot = np.exp(-(dx**2 + dy**2) / (2 * SIGMA**2))
    rectangle = (abs(dx) <= HALF_W) & (abs(dy) <= HALF_H)
    half = np.array([HALF_W, HALF_H])
    boxes = np.concatenate([at - half, at + half + 1], 1)
    return np.stack([dot, rectangle], 3).astype(np.float32), at.astype(np.float64), boxes


def run(steps: list, pictures, masks, at, boxes, seed: int, **limits) -> dict:
    """All targets of all samples through the steps."""
    compose = G.Compose(
        steps,
        seed=seed,
        bbox_params=G.BboxParams("pascal_voc", ["b"], **limits),
        keypoint_params=G.KeypointParams("xy", ["k"]),
    )
    labels = {"b": [[0]] * len(at), "k": [[0]] * len(at), "ids": np.arange(len(at))}
    points, boxes = [[p] for p in at.tolist()], [[b] for b in boxes.tolist()]
    return compose(image=list(pictures), mask=list(masks), bboxes=boxes, keypoints=points, **labels)


def moved(steps: list, seed: int) -> list[tuple]:
    """(dot, its mask, rectangle, keypoint, box) of each sample after the steps; None for what was dropped."""
    pictures, at, boxes = drawn(seed)
    out = run(steps, pictures, pictures[..., 0], at, boxes, seed)
    kept = [[np.array(marks[0]) if len(marks) else None for marks in out[name]] for name in ("keypoints", "bboxes")]
    return [(image[..., 0], mask, image[..., 1], *labels) for image, mask, *labels in zip(out["image"], out["mask"], *kept)]


def rim(picture: np.ndarray) -> float:
    """The largest value at the sides of a picture: where it is none, nothing was cut off."""
    return max(picture[[0, -1]].max(), picture[:, [0, -1]].max())


def centroid(picture: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return np.array([(x * picture).sum(), (y * picture).sum()]) / picture.sum()


def extent(picture: np.ndarray) -> np.ndarray:
    """The box around the pixels that are more than half covered."""
    y, x = np.nonzero(picture > 0.5)
    return np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])


def whole(dot: np.ndarray) -> bool:
    """Nothing of a dot was cut off: what is missing beyond a rim of 1e-4 is too little to move the centroid by 1e-3."""
    return bool(dot.max(initial=0) > 0.5 and rim(dot) < 1e-4)


def check_points(results: list[tuple], what: str, least: int) -> None:
    seen = 0
    for dot, _, _, point, _ in results:
        if whole(dot):
            assert point is not None, f"{what}: the dot is there and its keypoint is not"
            assert abs(centroid(dot) - point).max() < 0.1, f"{what}: the dot is at {centroid(dot)}, its keypoint at {point}"
            seen += 1
    assert seen >= least, f"{what}: {seen} dots are whole"


def check_boxes(results: list[tuple], what: str, turns: int, least: int) -> None:
    """Tolerances: a picture tells an edge to half a pixel, since its pixels are covered by more or less than half; so it does the
    middle of two edges. Where every sample's edges fall is chance, uniform in that pixel: the mean of n middles has a standard
    deviation of sqrt(1/12 / 2 / n), times 4 for 1 in 10,000. A second resampling reads what the first one blurred: 0.2 more.
    Corners of a turned rectangle are blunt: where it is half covered it ends up to 0.75 pixels of the picture before the corner,
    times a scale of at most 1.5, and a second box around a box has more room than any bound: it is only there that it holds."""
    middles = []
    for _, _, rectangle, _, box in results:
        if rectangle.max(initial=0) < 0.9 or rim(rectangle) > 0:
            continue
        assert box is not None, f"{what}: the rectangle is there and its box is not"
        found = extent(rectangle)
        slack = (found - box) * (1, 1, -1, -1)  # how far each edge of the box lies outside of what is seen
        assert slack.min() > -0.7 - 1e-3, f"{what}: the rectangle is {found}, its box {box}"
        if turns < 2:
            assert slack.max() < 0.7 + 1.5 * 0.75 * turns + 1e-3, f"{what}: the rectangle is {found}, its box {box}"
        middles.append((found[:2] + found[2:] - box[:2] - box[2:]) / 2)
    assert len(middles) >= least, f"{what}: {len(middles)} rectangles are whole"
    assert abs(np.mean(middles, 0)).max() < 4 * math.sqrt(1 / 24 / len(middles)) + 0.05 * turns, f"{what}: boxes lie beside"


def test_every_transform_has_a_case():
    """Those that take images alone leave masks and labels where they are: what they do is no geometry."""
    elsewhere = {"Lambda", "Morphological"}  # which moves what its caller moves; which makes shapes larger or smaller
    placed = {name for name, cls in G.REGISTRY.items() if "mask" in cls.targets} - elsewhere
    assert placed == set(MOVING) | set(STILL) | SCATTERING, (
        "a transform that takes masks needs a line in MOVING, STILL or SCATTERING"
    )


@pytest.mark.parametrize("name", MOVING)
def test_labels_move_with_the_image(name):
    for seed in range(3):
        results = moved([MOVING[name]()], seed)
        check_points(results, name, 6)
        check_boxes(results, name, int(name in TURNING), 6)


@pytest.mark.parametrize("first", MOVING)
@pytest.mark.parametrize("second", MOVING)
def test_labels_move_with_the_image_through_two(first, second):
    results = moved([MOVING[first](), MOVING[second]()], 7)
    check_points(results, f"{first}, {second}", 4)
    check_boxes(results, f"{first}, {second}", (first in TURNING) + (second in TURNING), 4)


@pytest.mark.parametrize("name", MOVING)
def test_masks_move_with_the_image(name):
    """A mask's pixel is one of the source whose centre is half a pixel away at most, times a scale of at most 1.5. Over samples
    these distances are as often to one side as to the other: their mean is within 4 of its deviations,
    sqrt(1.5^2 / 12 / samples), and a dot is sigma pixels wide, each with a distance of its own."""
    apart = []
    for seed in range(3):
        for dot, mask, *_ in moved([MOVING[name]()], seed):
            if whole(dot) and whole(mask):
                apart.append(centroid(mask) - centroid(dot))
                assert abs(apart[-1]).max() < 0.75 + 1e-3
    assert len(apart) >= 18
    assert abs(np.mean(apart, 0)).max() < 4 * math.sqrt(1.5**2 / 12 / len(apart)) / SIGMA


@pytest.mark.parametrize("name", STILL)
def test_what_hides_pixels_moves_none(name):
    """Pixels are as they were, or hidden. Labels that are left are where they were, and boxes hold what is left of their
    rectangles."""
    _, at, boxes = drawn(1)
    pictures = np.random.default_rng(0).random((SAMPLES, H, W, 1), np.float32) + 0.5
    masks = np.zeros((SAMPLES, H, W), np.uint8)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes):
        mask[y0:y1, x0:x1] = 1
    out, hidden = run([STILL[name]()], pictures, masks, at, boxes, 1), 0
    for picture, got, (x, y), points, box, left in zip(pictures, out["image"], at, out["keypoints"], boxes, out["bboxes"]):
        got = np.asarray(got).reshape(H, W)
        gone = got == 0
        hidden += gone.sum()
        np.testing.assert_array_equal(got[~gone], picture[..., 0][~gone])
        on_hole = gone[int(y), int(x)] and name != "PixelDropout"  # which leaves points alone
        assert points == ([] if on_hole else [[x, y]])
        x0, y0, x1, y1 = box
        ys, xs = np.nonzero(~gone[y0:y1, x0:x1])
        assert len(left) == (len(ys) > 0)
        if left:
            a, b, c, d = left[0]
            assert x0 <= a <= x0 + xs.min()
            assert y0 <= b <= y0 + ys.min()
            assert x0 + xs.max() + 1 <= c <= x1
            assert y0 + ys.max() + 1 <= d <= y1
    assert (hidden > 0) == (name not in ("NoOp", "ToTensorV2"))

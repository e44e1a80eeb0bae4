"""Image, mask, boxes and keypoints of one sample move alike: every transform alone, and every two after each other.

Nothing here asks another library where a label should be: a dot and a rectangle are drawn, moved with the image, and found again.
"""

from __future__ import annotations

import inspect
import math

import cv2
import numpy as np
import parity
import pytest

import gpuaug as G

# odd, so that no centre of a resized pixel lies on the edge between two
H, W = 63, 81
SIGMA = 2.2  # of the dot: sampled at every second pixel its centroid is still right to 1e-4, exp(-2 pi^2 (2.2 / 2)^2)
HALF_H, HALF_W = 6, 9  # of the rectangle around it
SAMPLES = 24
EXACT = cv2.INTER_NEAREST_EXACT


def made(name: str):
    """A transform that takes masks, with the arguments of its description."""
    cls, about = G.REGISTRY[name], parity.ABOUT[name]
    arguments = inspect.signature(cls).parameters
    exact = {"mask_interpolation": EXACT} if "mask_interpolation" in arguments else {}
    return cls(**{**about.needs, **exact, **about.moved, "p": 1})


# all that take masks: images alone leave masks and labels where they are
_TAKES_MASKS = [name for name, about in sorted(parity.ABOUT.items()) if "mask" in G.REGISTRY[name].targets]
_SEEN = [name for name in _TAKES_MASKS if not isinstance(parity.ABOUT[name].moved, str)]
# those that hide pixels, or do nothing to them, and move none
STILL = [name for name in _SEEN if not made(name).is_geometric()]
# those that cut off, or enlarge, what labels say, which others can no longer be told from: alone
LOOKING = [name for name in _SEEN if name not in STILL and parity.ABOUT[name].reads]
MOVING = [name for name in _SEEN if name not in STILL and name not in LOOKING]
TURNING = {name for name in _SEEN if parity.ABOUT[name].turns}


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


def test_what_is_tested_otherwise_is():
    for name in set(_TAKES_MASKS) - set(_SEEN):
        assert parity.ABOUT[name].moved.startswith("no: "), name
    assert min(len(MOVING), len(STILL)) >= 10


@pytest.mark.parametrize("name", [*MOVING, *LOOKING])
def test_labels_move_with_the_image(name):
    for seed in range(3):
        results = moved([made(name)], seed)
        check_points(results, name, 6)
        check_boxes(results, name, int(name in TURNING), 6)


@pytest.mark.parametrize("first", MOVING)
@pytest.mark.parametrize("second", MOVING)
def test_labels_move_with_the_image_through_two(first, second):
    results = moved([made(first), made(second)], 7)
    check_points(results, f"{first}, {second}", 4)
    check_boxes(results, f"{first}, {second}", (first in TURNING) + (second in TURNING), 4)


@pytest.mark.parametrize("name", MOVING)
def test_masks_move_with_the_image(name):
    """A mask's pixel is one of the source whose centre is half a pixel away at most, times a scale of at most 1.5. Over samples
    these distances are as often to one side as to the other: their mean is within 4 of its deviations,
    sqrt(1.5^2 / 12 / samples), and a dot is sigma pixels wide, each with a distance of its own."""
    apart = []
    for seed in range(3):
        for dot, mask, *_ in moved([made(name)], seed):
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
    out, hidden = run([made(name)], pictures, masks, at, boxes, 1), 0
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

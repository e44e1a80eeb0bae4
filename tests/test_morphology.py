"""`gpuaug.functional`'s dilation, erosion and contours are OpenCV's; Morphological's boxes are those of dilated pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

import gpuaug as G
from gpuaug import functional as F
from gpuaug.structuring import element, reach, runs

SHAPES = {"ellipse": cv2.MORPH_ELLIPSE, "rectangle": cv2.MORPH_RECT}
SIZES = [(1, 1), (2, 3), (3, 3), (4, 6), (5, 5), (7, 3), (31, 31), (1, 5)]


def kernel(shape, size):
    return cv2.getStructuringElement(SHAPES[shape], size)


def blobs(n=3, h=41, w=67, dtype=np.uint8):
    """Masks of a few discs, some cut by the border."""
    rng, out = np.random.default_rng(n), np.zeros((n, h, w), dtype)
    y, x = np.ogrid[:h, :w]
    for mask in out:
        for cy, cx, r in zip(rng.integers(0, h, 5), rng.integers(0, w, 5), rng.integers(1, 9, 5)):
            mask[(y - cy) ** 2 + (x - cx) ** 2 <= r * r] = 1
    return out


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [*SIZES, (9, 8), (64, 33)])
def test_elements_are_opencvs(shape, size):
    np.testing.assert_array_equal(element(shape, *size), kernel(shape, size))


def test_runs_and_reach_of_an_element():
    ring = np.array([[1, 0, 1, 1], [0, 0, 0, 1]], bool)
    assert runs(ring).tolist() == [[-1, -2, 1], [-1, 0, 2], [0, 1, 1]]
    assert reach(ring) == (-2, 1, -1, 0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("iterations", [1, 3])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_as_opencv(shape, size, iterations, dtype):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 37, 53, 3)).astype(dtype)
    if dtype == "float32":
        images -= 128
    for ours, theirs in ((F.dilate, cv2.dilate), (F.erode, cv2.erode)):
        want = np.stack([theirs(image, kernel(shape, size), iterations=iterations) for image in images])
        np.testing.assert_array_equal(ours(images, size, shape, iterations), want)
    masks = blobs().astype(dtype)
    want = [cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, kernel(shape, size), iterations=iterations) for mask in masks]
    np.testing.assert_array_equal(F.mask_contour(masks, size, shape, iterations), want)


def test_containers_and_types_come_back():
    masks = blobs()
    want = F.mask_contour(masks, 5)
    assert (F.mask_contour(masks.astype(bool), 5) == want.astype(bool)).all()
    for dtype in (np.int32, np.int64, np.int16, np.float64):
        got = F.mask_contour(masks.astype(dtype), 5)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, want)
    tensor = F.mask_contour(torch.from_numpy(masks)[:, None], 5)
    assert tensor.shape == (3, 1, 41, 67)
    assert torch.equal(tensor[:, 0], torch.from_numpy(want))
    half = F.dilate(torch.from_numpy(masks).half(), 5)
    assert half.dtype is torch.float16
    assert torch.equal(half, torch.from_numpy(F.dilate(masks, 5)).half())
    ragged = F.erode([masks[0], masks[1, :20]], 5)
    np.testing.assert_array_equal(ragged[1], F.erode(masks[1:2, :20], 5)[0])
    assert len(F.mask_contour(list(masks), 5)) == 3


def test_labels_are_ordered_as_numbers():
    labels = np.array([[[-5, 70000, 3, -(2**31), 7]]], np.int32)
    np.testing.assert_array_equal(F.dilate(labels), [[[70000, 70000, 70000, 7, 7]]])
    np.testing.assert_array_equal(F.erode(labels), [[[-5, -5, -(2**31), -(2**31), -(2**31)]]])
    with pytest.raises(TypeError, match="uint32 masks travel as int32, whose order is another"):
        F.dilate(labels.view(np.uint32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, r"size must lie in \[1, 4095\], got 0"),
        ({"size": (3,)}, r"size must be a whole number or a pair \(width, height\), got \(3,\)"),
        ({"size": 2.5}, "size must be a whole number, got 2.5"),
        ({"shape": "cross"}, "shape must be one of 'ellipse', 'rectangle', got 'cross'"),
        ({"iterations": 0}, "iterations must lie in"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        F.dilate(blobs(), **arguments)


@pytest.mark.parametrize("operation", ["dilation", "erosion"])
@pytest.mark.parametrize("scale", [(2, 3), (7, 5), (4, 6), 5])
def test_boxes_are_those_of_the_pixels(operation, scale):
    """Each box by itself: its pixels, through OpenCV, and the box around what is lit then."""
    h, w = 40, 60
    boxes = [(0, 0, 10, 10), (5, 5, 50, 39), (20, 10, 30, 20), (58, 38, 60, 40), (30, 3, 33, 20), (10, 10, 11, 11)]
    run = {"operation": "dilate" if operation == "dilation" else "erode"}
    side = tuple(sorted(scale)) if isinstance(scale, tuple) else (1, scale)
    want, labels = [], []
    for label, (x0, y0, x1, y1) in enumerate(boxes):
        mask = np.zeros((h, w), np.uint8)
        mask[y0:y1, x0:x1] = 1
        ys, xs = np.nonzero(getattr(cv2, run["operation"])(mask, kernel("ellipse", side)))
        if len(xs):
            want.append((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
            labels.append(label)
    compose = G.Compose(
        [G.Morphological(scale, operation, p=1)],
        bbox_params=G.BboxParams("pascal_voc", label_fields=["labels"]),
        keypoint_params=G.KeypointParams("xy"),
    )
    out = compose(image=np.zeros((h, w, 3), np.uint8), bboxes=boxes, labels=list(range(len(boxes))), keypoints=[(3.5, 7)])
    assert out["labels"] == labels
    np.testing.assert_allclose(out["bboxes"], want)
    assert [tuple(point) for point in out["keypoints"]] == [(3.5, 7)]


def test_misuse_of_rank_is_told():
    from gpuaug.batch import Batch
    from gpuaug.track import Track

    track = Track(Batch.of(blobs()))
    track.doing = "Mine"
    with pytest.raises(ValueError, match="Mine: rank takes 'median', 'least', 'greatest', not 'mean'"):
        track.rank(slice(None), "mean")
    with pytest.raises(ValueError, match=r"Mine: the side of a median must be odd and lie in \[3, 255\], got 4"):
        track.rank(slice(None), "median", side=4)
    with pytest.raises(ValueError, match="Mine: a structuring element must hold a pixel"):
        track.rank(slice(None), "least", element=np.zeros((3, 3), bool))


@pytest.mark.parametrize("side", [3, 5, 7, 9, 13, 15, 17, 31])
def test_medians_are_opencvs(side):
    image = np.random.default_rng(side).integers(0, 256, (33, 90, 3), np.uint8)
    got = G.Compose([G.MedianBlur((side, side), p=1)])(image=image)["image"]
    np.testing.assert_array_equal(got, cv2.medianBlur(image, side))


@pytest.mark.parametrize("side", [3, 5, 7, 17])
def test_medians_of_floats_are_scipys(side):
    """In their full precision, of both signs; SciPy's "nearest" is a replicated border."""
    from scipy.ndimage import median_filter

    image = np.random.default_rng(side).normal(size=(33, 41)).astype(np.float32)
    got = G.Compose([G.MedianBlur((side, side), p=1)])(image=image)["image"]
    np.testing.assert_array_equal(got, median_filter(image, side, mode="nearest"))

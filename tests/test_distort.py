"""Perspective and distortions: boxes and keypoints beside albumentations', and what is better than there."""

from __future__ import annotations

from types import SimpleNamespace

import albumentations as A
import numpy as np
import pytest
from parity.case import Script, parameters
from parity.distort import centred
from parity.perspective import Normals

import gpuaug as G
from gpuaug.transform import View

H, W = 90, 120
ALBUMENTATIONS, PIXELS = SimpleNamespace(geometry="albumentations"), SimpleNamespace(geometry="pixels")
BOXES = np.array([(10.0, 10, 60, 50), (30, 20, 50, 85), (70, 40, 110, 80), (3, 5, 117, 85)])
POINTS = np.array([(20.0, 15, 0.3, 2), (60, 45, 2.0, 1), (100, 80, -1.0, 3), (35, 70, 5.0, 1)])


def drawn(transform, seed: int):
    """Uniforms of one sample, and what the transform makes of them."""
    u = np.floor(np.random.default_rng(seed).random((1, transform.columns())) * 2.0**30) * 2.0**-30
    return u[0], transform.draw(u, View(np.array([[H, W]]), 3, "uint8"))


def moved(transform, params, limits):
    """Boxes and keypoints after a transform, and which of the keypoints are left."""
    which, size = np.zeros(len(BOXES), np.int64), np.tile((H, W), (len(BOXES), 1))
    boxes, _ = transform.boxes(params, which, BOXES, size, limits)
    points, left = transform.keypoints(params, which, POINTS, size, limits)
    return boxes, points, np.ones(len(POINTS), bool) if left is None else left


def theirs_moved(aug, params):
    """albumentations' boxes in pixels of the result, and keypoints by their number."""
    shape = aug.apply(np.zeros((H, W, 3), np.uint8), **params).shape
    boxes = aug.apply_to_bboxes(BOXES / (W, H, W, H), **params) * np.tile((shape[1], shape[0]), 2)
    points = np.column_stack([POINTS[:, :2], np.zeros(4), POINTS[:, 2:], np.arange(4)])
    return boxes, np.asarray(aug.apply_to_keypoints(points, **params))


@pytest.mark.parametrize("arguments", [{}, {"scale": 0.2, "keep_size": False}, {"fit_output": True}])
def test_perspective_as_albumentations(arguments):
    """It keeps corners and points as float32: 120 * 2^-23 a step, divided by denominators that are hardly below 1/2."""
    ours, theirs = G.Perspective(p=1, **arguments), A.Perspective(p=1, **arguments)
    for seed in range(10):
        u, params = drawn(ours, seed)
        want = parameters(theirs, np.zeros((H, W, 3), np.uint8), Normals(u[:1], blocks=[u[1:]]))
        boxes, points, left = moved(ours, params, ALBUMENTATIONS)
        want_boxes, want_points = theirs_moved(theirs, want)
        np.testing.assert_allclose(boxes, want_boxes, atol=2e-4)
        assert left.all()
        np.testing.assert_allclose(points[:, :2], want_points[:, :2], atol=2e-4)
        np.testing.assert_allclose(np.cos(points[:, 2] - want_points[:, 3]), 1, atol=1e-6)
        np.testing.assert_allclose(points[:, 3], want_points[:, 4], rtol=1e-5)


DISTORTIONS = {
    "camera": (lambda L, **more: L.OpticalDistortion(distort_limit=0.4, p=1, **more), centred),
    "fisheye": (lambda L, **more: L.OpticalDistortion(distort_limit=0.3, mode="fisheye", p=1, **more), dict),
    "grid": (lambda L, **more: L.GridDistortion(p=1, **more), dict),
}


@pytest.mark.parametrize("method", ["mask", "direct"])
@pytest.mark.parametrize("name", DISTORTIONS)
def test_distortions_as_albumentations(name, method):
    """albumentations' boxes are whole pixels of a mask of whole pixels, found at the nearest: a side is off by 1 pixel of the
    source and 1/2 of the result, times 1.7, which is as much as any of these enlarges. Its keypoints are the first pixel of a disc of
    radius 1 around the rounded point ("mask"), 1.5 pixels of the source, or the last pixel whose place lies within 1 ("direct").
    Its grid moves pixels by up to one more, see parity."""
    make, centre = DISTORTIONS[name]
    ours, theirs = make(G, keypoint_remapping_method=method), make(A, keypoint_remapping_method=method)
    enlarged, seen = 1.7, 0
    for seed in range(10):
        u, params = drawn(ours, seed)
        want = centre(parameters(theirs, np.zeros((H, W, 3), np.uint8), Script(u)))
        boxes, points, left = moved(ours, params, ALBUMENTATIONS)
        want_boxes, want_points = theirs_moved(theirs, want)
        boxes = np.clip(boxes, 0, (W, H, W, H))
        np.testing.assert_allclose(boxes, want_boxes, atol=enlarged * (1 + (name == "grid")) + 0.5)
        for row in want_points:
            i = int(row[5])
            if left[i] and (points[i, :2] > 0).all() and (points[i, :2] < (W - 1, H - 1)).all():
                seen += 1
                assert abs(points[i, :2] - row[:2]).max() < enlarged * (1.5 + (name == "grid")) + 0.5
                np.testing.assert_array_equal(points[i, 2:], row[3:5])
    assert seen > 30


def test_methods_differ_in_what_leaves_the_image():
    """Enlarged, the corners leave it: "direct" keeps them at the edge."""
    image, points = np.zeros((H, W, 3), np.uint8), [(1.0, 1.0), (60.0, 45.0)]
    for method, count in (("mask", 1), ("direct", 2)):
        step = G.OpticalDistortion((-0.1, -0.1), keypoint_remapping_method=method, p=1)
        out = G.Compose([step], keypoint_params=G.KeypointParams("xy"))(image=image, keypoints=points)["keypoints"]
        assert len(out) == count
        assert np.allclose(out[-1], (60, 45), atol=0.3)
    assert tuple(out[0]) == (0, 0)


@pytest.mark.parametrize(
    "step",
    [
        lambda: G.Perspective(scale=(0, 0), p=1),
        lambda: G.OpticalDistortion((0, 0), p=1),
        lambda: G.OpticalDistortion((0, 0), mode="fisheye", p=1),
        lambda: G.GridDistortion(5, (0, 0), p=1),
        lambda: G.GridDistortion(7, (0, 0), normalized=False, p=1),
    ],
)
def test_nothing_drawn_is_nothing_done(step):
    """albumentations' camera and grid move pixels all the same."""
    image = np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)
    np.testing.assert_array_equal(G.Compose([step()])(image), image)


@pytest.mark.parametrize("normalized", [True, False])
def test_a_grid_is_nearly_albumentations(normalized):
    """Its cells are stretched by n / (n - 1), n their pixels, to show their last pixel twice: up to one pixel times the factor."""
    steps = 6 if not normalized else 7
    ours, theirs = G.GridDistortion(steps, p=1, normalized=normalized), A.GridDistortion(steps, p=1, normalized=normalized)
    for seed in range(5):
        u, params = drawn(ours, seed)
        want = parameters(theirs, np.zeros((H, W, 3), np.uint8), Script(u))
        mapped = ours.map(params, np.array([[H, W]]))
        xy = np.stack(np.meshgrid(np.arange(W), np.arange(H)), 2).reshape(-1, 2).astype(float)
        got = mapped.source(np.zeros(len(xy), int), xy).reshape(H, W, 2)
        most = max(np.diff(axis.of(0)).max() for axis in mapped._axes)
        for i, key in enumerate(("map_x", "map_y")):
            more = want[key] - got[..., i]
            assert more.min() > -1e-4
            assert 0.2 < more.max() <= most + 1e-4


def test_a_grid_needs_pixels():
    with pytest.raises(ValueError, match=r"GridDistortion: image 1 of the batch, \(4, 50\), has fewer pixels than num_steps=5"):
        G.Compose([G.GridDistortion(p=1)])([np.zeros((9, 9), np.uint8), np.zeros((4, 50), np.uint8)])

"""SafeRotate, whose images lie half a pixel beside their boxes in albumentations; crops of rotations."""

from __future__ import annotations

import albumentations as A
import numpy as np
import pytest

import gpuaug as G

H, W = 40, 60
BOXES = [(0, 0, 10, 10), (5, 5, 50, 39), (20, 10, 30, 20), (58, 38, 60, 40)]
POINTS = [(0.0, 0.0, 30.0, 2.0), (59.0, 39.0, 0.0, 1.0), (12.25, 7.5, 200.0, 3.0), (30.0, 20.0, 359.0, 1.0)]


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)


@pytest.mark.parametrize("degrees", [0, 25, -70, 90, 180])
@pytest.mark.parametrize("method", ["largest_box", "ellipse"])
def test_labels_of_safe_rotate_are_albumentations(image, degrees, method):
    kept = []
    for L, more in ((A, {}), (G, {"label_geometry": "albumentations"})):
        compose = L.Compose(
            [L.SafeRotate((degrees, degrees), rotate_method=method, p=1)],
            bbox_params=L.BboxParams("pascal_voc", label_fields=["labels"]),
            keypoint_params=L.KeypointParams("xyas", remove_invisible=False),
            **more,
        )
        kept.append(compose(image=image, bboxes=BOXES, labels=[0, 1, 2, 3], keypoints=POINTS))
    theirs, ours = kept
    assert ours["labels"] == [int(k) for k in theirs["labels"]]
    # as in tests/test_targets.py
    np.testing.assert_allclose(ours["bboxes"], theirs["bboxes"], atol=2e-3 if method == "ellipse" else 1e-4)
    a, b = np.array(ours["keypoints"]), np.array(theirs["keypoints"])
    np.testing.assert_allclose(a[:, :2], b[:, :2], atol=1e-4)
    np.testing.assert_allclose((a[:, 2] - b[:, 2] + 180) % 360, 180, atol=1e-3)
    np.testing.assert_allclose(a[:, 3], b[:, 3], rtol=1e-5)


def test_a_turn_by_nothing_is_the_identity(image):
    for transform in (G.SafeRotate((0, 0), p=1), G.Rotate((0, 0), p=1), G.Rotate((0, 0), crop_border=True, p=1)):
        np.testing.assert_array_equal(G.Compose([transform])(image), image)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (2, 2), (40, 60), (61, 33)])
def test_a_crop_shows_nothing_but_the_image(size):
    """Every pixel of the crop is read inside the image, and a pixel is left."""
    white = np.full((*size, 1), 255, np.uint8)
    for degrees in range(0, 360, 7):
        out = G.Compose([G.Rotate((degrees, degrees), crop_border=True, p=1)])(white)
        assert min(out.shape) > 0
        if min(size) > 2:
            assert (out[1:-1, 1:-1] == 255).all(), f"{degrees} degrees show the border"

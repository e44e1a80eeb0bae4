"""Distortions by control points: labels follow the pixels, no noise is no distortion."""

from __future__ import annotations

import chains
import numpy as np
import parity
import pytest
from albumentations.augmentations.geometric import functional

import gpuaug as G
from gpuaug.transform import View

H, W = 61, 83


@pytest.mark.parametrize("make", [lambda: G.PiecewiseAffine((0, 0), p=1), lambda: G.ThinPlateSpline((0, 0), p=1)])
def test_without_noise_the_image_stays(make):
    image = parity.stack(3, H, W, "china")
    out = G.Compose([make()])(image=image, mask=image[..., 0])
    # a thin plate's places are sums: within 2^-18 of whole pixels, which no byte shows
    np.testing.assert_array_equal(out["image"], image)
    np.testing.assert_array_equal(out["mask"], image[..., 0])


@pytest.mark.parametrize("make", [lambda: G.PiecewiseAffine(p=1), lambda: G.ThinPlateSpline((0.05, 0.1), p=1)])
def test_a_keypoint_is_where_its_pixel_is_read(make):
    """An image of its own coordinates says what the keypoint's new place shows: the old place, to 0.05 pixels and the bend of a
    pixel, which is linear in the image and not in the map: 0.1."""
    ramp = np.stack(np.meshgrid(np.arange(W), np.arange(H)), 2).astype(np.float32)
    compose = G.Compose([make()], seed=4, keypoint_params=G.KeypointParams("xy", ["k"]))
    points = [(x, y) for x in range(5, W, 9) for y in range(5, H, 9)]
    seen = 0
    for i in range(6):
        out = compose(image=ramp, keypoints=points, k=points, ids=i)
        for (x, y), was in zip(out["keypoints"], out["k"]):
            if not (0 <= x <= W - 1 and 0 <= y <= H - 1):
                continue
            a, b = int(min(x, W - 2)), int(min(y, H - 2))
            fx, fy = x - a, y - b
            around = out["image"][b : b + 2, a : a + 2].astype(np.float64)
            read = np.einsum("y,x,yxc->c", [1 - fy, fy], [1 - fx, fx], around)
            assert abs(read - was).max() < 0.3, f"the point of {was} went to {x, y}, which shows {read}"
            seen += 1
    assert seen > 100


def test_boxes_hold_what_is_shown_of_them():
    white = np.zeros((H, W, 1), np.float32)
    box = (20, 15, 60, 45)
    white[box[1] : box[3], box[0] : box[2]] = 1
    for make in (lambda: G.PiecewiseAffine(p=1), lambda: G.ThinPlateSpline(p=1)):
        compose = G.Compose([make()], seed=2, bbox_params=G.BboxParams("pascal_voc"))
        for i in range(5):
            out = compose(image=white, bboxes=[box], ids=i)
            ys, xs = np.nonzero(out["image"][..., 0] > 0.5)
            (x0, y0, x1, y1) = out["bboxes"][0]
            found = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
            assert (abs(found - [x0, y0, x1, y1]) < 2.0).all(), "an outline of 64 points, and half a pixel of the picture"


def test_moves_have_the_deviation_that_was_asked_for():
    """Of 2 * 16 * 400 deviates: within 5 of the standard deviation's own, 1 / sqrt(2 n)."""
    transform = G.PiecewiseAffine((0.06, 0.06), p=1)
    u = np.random.default_rng(0).random((400, transform.columns()))
    noise = transform.draw(u, View(np.tile((H, W), (400, 1)), 3, "uint8"))["noise"].values
    assert abs(noise.std() - 1) < 5 / np.sqrt(2 * len(noise))
    assert abs(noise.mean()) < 5 / np.sqrt(len(noise))


@pytest.mark.parametrize("grid", [(4, 4), (5, 3)])
def test_cells_bend_to_their_corners(grid):
    """Masks show the same cells as the image; keypoints are those of albumentations for the same cells."""
    compose = G.Compose(
        [G.GridElasticDeform(grid, 4)], seed=2, keypoint_params=G.KeypointParams("xy", ["k"]), label_geometry="albumentations"
    )
    ramp = np.stack(np.meshgrid(np.arange(W), np.arange(H)), 2).astype(np.float32)
    points = [(x + 0.25, y + 0.5) for x in range(3, W, 11) for y in range(3, H, 9)]
    transform = G.GridElasticDeform(grid, 4)
    luck = chains.Luck(compose)
    for i in range(4):
        luck.calls.clear()
        out = compose(image=ramp, mask=(ramp[..., 0] * 2).astype(np.uint8), keypoints=points, k=points, ids=i)
        params = luck.of(0)[0].params
        nodes = np.stack(np.meshgrid(params["x"], params["y"]), 2)
        corners = [(slice(None, -1), slice(None, -1)), (slice(None, -1), slice(1, None)), (slice(1, None), slice(1, None))]
        after = np.stack([params["nodes"][c] for c in [*corners, (slice(1, None), slice(None, -1))]], 2).reshape(-1, 8)
        before = np.concatenate([nodes[:-1, :-1], nodes[1:, 1:]], 2).reshape(-1, 4)
        mesh = np.concatenate([before, after], 1).astype(np.float32)
        given = np.array([[x, y, 0, 0, 0] for x, y in points], np.float32)
        want = functional.distort_image_keypoints(given, mesh, (H, W))[:, :2]
        np.testing.assert_allclose(out["keypoints"], want, atol=1e-3)
        assert abs(out["mask"] / 2.0 - out["image"][..., 0])[2:-6, 2:-6].max() < 1.5  # at the sides it ends between pixels
        near = out["image"][np.rint(want[:, 1]).astype(int), np.rint(want[:, 0]).astype(int)]
        assert np.median(abs(near - np.array(points))) < 0.7
    assert transform.columns() == sum(grid) + 2 * (grid[0] - 1) * (grid[1] - 1)


def test_an_image_smaller_than_its_grid_stays():
    image = parity.stack(3, 3, 40, "china")
    np.testing.assert_array_equal(G.Compose([G.GridElasticDeform((5, 5), 3)])(image=image)["image"], image)

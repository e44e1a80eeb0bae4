"""Perspective and distortions: boxes and keypoints beside albumentations', and what is better than there."""

from __future__ import annotations

from types import SimpleNamespace

import albumentations as A
import cv2
import numpy as np
import pytest
from albumentations.augmentations.geometric.functional import generate_displacement_fields
from parity.case import Script, parameters

import gpuaug as G
from gpuaug.interop.parity.driven import Normals
from gpuaug.interop.parity.warps import centred, shuffled, surface
from gpuaug.maps import spline
from gpuaug.split import pieces
from gpuaug.transform import View
from gpuaug.transforms.distort import Sheet, largest_normal

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
    source and 1/2 of the result, times 1.7, which is as much as any of these enlarges. Its keypoints are the first pixel of a
    disc of radius 1 around the rounded point ("mask"), 1.5 pixels of the source, or the last pixel whose place lies within 1
    ("direct"). Its grid moves pixels by up to one more, see parity."""
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
    """Its cells are stretched by n / (n - 1), n their pixels, to show their last pixel twice: up to one pixel times the
    factor."""
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


def test_a_grid_of_more_cells_than_pixels():
    """Every pixel is a cell: places begin at 0 and step by the factors, all of which add up to the side."""
    transform = G.GridDistortion(7, p=1)
    size = np.array([[1, 3], [9, 7]])
    params = transform.draw(np.random.default_rng(0).random((2, 16)), View(size, 1, "uint8"))
    columns, lines = transform.map(params, size)._axes
    factor = params["x"][0, :3] * 3 / params["x"][0, :3].sum()
    np.testing.assert_allclose(columns.of(0), np.cumsum(factor) - factor)
    assert lines.of(0).tolist() == [0]
    assert (columns.counts.tolist(), lines.counts.tolist()) == ([3, 7], [1, 9])


# ---- elastic ---------------------------------------------------------------------------------------------


def theirs_displaced(size, alpha, sigma, seed, same=False, kernel=0, noise="gaussian") -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack(generate_displacement_fields(size, alpha, sigma, same, (kernel, kernel), rng, noise), 2)


@pytest.mark.parametrize(("alpha", "sigma"), [(120, 6), (30, 2), (2000, 25), (4, 1), (1, 50), (600, 8)])
def test_a_spline_holds_albumentations_displacements(alpha, sigma):
    """At full resolution, and by our control points as near as they can be to it: less than a tenth of a pixel apart
    everywhere."""
    size = (224, 200)
    sheet, factor = Sheet(sigma, None), alpha / largest_normal(np.array([0.1]), 2 * 224 * 200)[0]
    spacing = sheet.spacing(factor)
    bases = [spline(side, min(int(np.ceil((side - 1) / spacing)), side) + 3) for side in size]
    if sigma > 2:
        assert bases[0].shape[1] * bases[1].shape[1] < 0.08 * 224 * 200, "that is no coarse mesh"
    fits = [basis @ np.linalg.pinv(basis) for basis in bases]
    for seed in range(6):
        want = theirs_displaced(size, alpha, sigma, seed).astype(np.float64)
        for c in range(2):
            assert abs(fits[0] @ want[..., c] @ fits[1].T - want[..., c]).max() < 0.1


def blur_matrix(side: int, sigma: float, reach: int) -> np.ndarray:
    """OpenCV's Gaussian along a line whose ends repeat."""
    return cv2.GaussianBlur(np.eye(side), (1, 2 * reach + 1), sigma, borderType=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize(("sigma", "side"), [(6, 224), (2, 61), (50, 224), (1, 9), (1, 1), (6, 2), (20, 17)])
def test_displacements_covary_as_smoothed_noise(sigma, side):
    """All that there is to know of Gaussian noise: its covariance, exactly that of OpenCV's blur, here of one axis. Coarser noise
    is a midpoint rule, whose error is of the order of d^2 / 24 g^2' = 1 / (24 1.2^2 sigma^2) 2 / sigma of the sum at most:
    relative to the largest covariance, that of the first pixel with itself, 0.25 or more, 0.013 / sigma. The spline adds 0.1 of a
    pixel of alpha = 120 or so, 4e-3 of noise of deviation 1 and value 1."""
    sheet = Sheet(sigma, None)
    ours = sheet.weights(side, sheet.spacing(27.0)).astype(np.float64)
    ours = spline(side, len(ours)) @ ours if side > 1 else np.ones((1, 1))
    theirs = blur_matrix(side, sigma, sheet.reach)
    want = theirs @ theirs.T
    assert abs(ours @ ours.T - want).max() < (0.013 / sigma + 4e-3) * want.max()
    rough = Sheet(sigma, 1)
    if not rough.smooth and side > 2:
        np.testing.assert_allclose(rough.weights(side, 1.0), blur_matrix(side, sigma, 1), atol=1e-6)


@pytest.mark.parametrize("noise", ["gaussian", "uniform"])
@pytest.mark.parametrize(("approximate", "same"), [(False, False), (True, True)])
def test_displacements_are_distributed_as_albumentations(approximate, same, noise):
    """Deviations inside, at a side and in a corner, how alike neighbours are, and how x goes with y, of 400 images each. An
    estimated deviation is off by 1 / sqrt(2 n), n independent values: 400 in a corner, 3.5 %; twice, and four times that: 20 %;
    at a side (10 independent places) 6.3 %, inside (40) 3.2 %. Where albumentations' x runs into y nothing is compared."""
    size, alpha, sigma, n = (64, 80), 40, 4.0, 400
    arguments = {"alpha": alpha, "sigma": sigma, "approximate": approximate, "same_dxdy": same, "noise_distribution": noise}
    ours = G.ElasticTransform(p=1, **arguments)
    u = np.random.default_rng(1).random((n, 3))
    got = np.array([surface(ours, np.zeros((*size, 3), np.uint8), each) for each in u])
    want = np.array([theirs_displaced(size, alpha, sigma, k, same, 17 * approximate, noise) for k in range(n)], np.float64)
    x, their_x = got[..., 0], want[..., 0]  # its last lines run into y
    parts = {
        "inside": (slice(20, 44), slice(20, 60), 0.032),
        "side": (slice(10, 44), 0, 0.063),
        "top": (0, slice(12, 68), 0.063),
        "corner": (0, 0, 0.2),
    }
    for name, (lines, columns, most) in parts.items():
        ratio = x[:, lines, columns].std() / their_x[:, lines, columns].std()
        assert abs(ratio - 1) < most, name
    for step in (4, 8):
        alike = [
            np.mean(f[:, 20:44, 20:60] * f[:, 20:44, 20 + step : 60 + step]) / f[:, 20:44, 20:60].var() for f in (x, their_x)
        ]
        assert abs(alike[0] - alike[1]) < 0.04
    together = [np.corrcoef(f[:, :44, :, 0].ravel(), f[:, :44, :, 1].ravel())[0, 1] for f in (got, want)]
    assert abs(together[0] - same) < 0.05
    assert abs(together[1] - same) < 0.05
    kurtosis = (x[:, 30, 40] ** 4).mean() / x[:, 30, 40].var() ** 2
    assert abs(kurtosis - 3) < 4 * np.sqrt(24 / n)


def test_the_largest_of_many_normals():
    """Its distribution, from as many deviates drawn one by one: a median is off by 1 / (2 f sqrt(n)), f = 1.4 its density
    there."""
    drawn_ = np.abs(np.random.default_rng(0).standard_normal((2000, 500))).max(1)
    for share in (0.1, 0.5, 0.9):
        assert abs(largest_normal(np.array([share]), np.array([500]))[0] - np.quantile(drawn_, share)) < 0.08


def test_elastic_keypoints_as_albumentations():
    """Its mask of discs, on displacements of ours: within 1.5 pixels of the source and 1/2 of the result."""
    transform, theirs = G.ElasticTransform(60, 5, p=1), A.ElasticTransform(60, 5, p=1)
    seen = 0
    for seed in range(6):
        u, params = drawn(transform, seed)
        place = surface(transform, np.zeros((H, W, 3), np.uint8), u) + np.stack(np.meshgrid(np.arange(W), np.arange(H)), 2)
        want = {"map_x": place[..., 0], "map_y": place[..., 1], "shape": (H, W, 3)}
        _, points, left = moved(transform, params, ALBUMENTATIONS)
        rows = np.column_stack([POINTS[:, :2], np.zeros(4), POINTS[:, 2:], np.arange(4)])
        assert left.all()
        for row in np.asarray(theirs.apply_to_keypoints(rows, **want)):
            seen += 1
            assert abs(points[int(row[5]), :2] - row[:2]).max() < 1.5 * 1.4 + 0.5
    assert seen > 20


def test_a_sample_is_displaced_alike_in_any_batch():
    transform = G.Compose([G.ElasticTransform(80, 5, p=1)], seed=4)
    images = [np.random.default_rng(k).integers(0, 256, (40 + 7 * (k % 3), 50, 3), dtype=np.uint8) for k in range(7)]
    together = transform(images, ids=np.arange(7))
    for k, image in enumerate(images):
        np.testing.assert_array_equal(transform([image], ids=np.array([k]))[0], together[k])


# ---- tiles -------------------------------------------------------------------------------------------------


def test_shuffled_keypoints_as_albumentations():
    """Also on the edges of tiles, which it counts from the first pixel's centre; by our geometry half a pixel before it."""
    transform, theirs = G.RandomGridShuffle((3, 4), p=1), A.RandomGridShuffle((3, 4), p=1)
    rng, which, size = np.random.default_rng(0), np.zeros(60, np.int64), np.tile((H, W), (60, 1))
    points = np.column_stack([rng.integers(0, 2 * W - 1, 60) / 2, rng.integers(0, 2 * H - 1, 60) / 2, rng.random((60, 2))])
    for seed in range(5):
        u, params = drawn(transform, seed)
        want = theirs.apply_to_keypoints(points, **shuffled(np.zeros((H, W, 3), np.uint8), u, (3, 4)))
        got, left = transform.keypoints(params, which, points, size, ALBUMENTATIONS)
        assert left is None
        np.testing.assert_allclose(got, want)
        ours, _ = transform.keypoints(params, which, points, size, PIXELS)
        shown = np.rint(np.floor(ours[:, :2] + 0.5)).astype(int)
        image = np.stack(np.meshgrid(np.arange(W), np.arange(H)), 2).astype(np.float32)
        out = theirs.apply(image, **shuffled(image, u, (3, 4)))
        inside = (shown < (W, H)).all(1)
        np.testing.assert_array_equal(out[shown[inside, 1], shown[inside, 0]], np.floor(points[inside, :2] + 0.5))


def components(mask) -> dict:
    """{label: boxes of its pieces that hang together, with their pixels}, by OpenCV."""
    out = {}
    for label in set(np.unique(mask).tolist()) - {0}:
        _, _, stats, _ = cv2.connectedComponentsWithStats((mask == label).astype(np.uint8))
        out[label] = sorted((x, y, x + w, y + h, pixels) for x, y, w, h, pixels in stats[1:].tolist())
    return out


@pytest.mark.parametrize("geometry", ["pixels", "albumentations"])
@pytest.mark.parametrize("grid", [(1, 2), (3, 3), (5, 4), (7, 9)])
def test_shuffled_boxes_are_around_their_pieces(grid, geometry):
    """Boxes painted into a mask, each with its number, which the mask carries along."""
    boxes = [(0, 0, 9, 30), (10, 2, 41, 19), (12, 22, 13, 23), (30, 25, 50, 47), (2, 33, 25, 48)]
    mask = np.zeros((48, 50), np.uint8)
    for number, (x0, y0, x1, y1) in enumerate(boxes, 1):
        mask[y0:y1, x0:x1] = number
    params = G.BboxParams("pascal_voc", label_fields=["number"])
    step = G.Compose([G.RandomGridShuffle(grid, p=1)], bbox_params=params, seed=3, label_geometry=geometry)
    several = 0
    for epoch in range(6):
        out = step(image=mask, mask=mask, bboxes=boxes, number=[1, 2, 3, 4, 5], epoch=epoch)
        want = components(out["mask"])
        got = {label: [] for label in want}
        for box, label in zip(out["bboxes"], out["number"]):
            got[label].append(tuple(box))
        assert {label: sorted(mine) for label, mine in got.items()} == {
            label: [each[:4] for each in mine] for label, mine in want.items()
        }
        several += len(out["bboxes"]) > len(boxes)
    assert several


def test_shuffled_boxes_as_albumentations():
    transform, theirs = G.RandomGridShuffle((3, 4), p=1), A.RandomGridShuffle((3, 4), p=1)
    rng = np.random.default_rng(1)
    for seed in range(5):
        u, params = drawn(transform, seed)
        tiles = transform.map(params, None)
        x, y = np.sort(rng.integers(0, W + 1, (2, 6)), 0), np.sort(rng.integers(0, H + 1, (2, 6)), 0)
        boxes = np.stack([x[0], y[0], x[1], y[1]], 1)[(x[1] > x[0]) & (y[1] > y[0])].astype(float)
        how = shuffled(np.zeros((H, W, 3), np.uint8), u, (3, 4))
        numbered = np.column_stack([(boxes + 1e-6) / (W, H, W, H), np.arange(len(boxes))])  # it cuts fractions off
        theirs.processors = {"bboxes": SimpleNamespace(params=A.BboxParams("pascal_voc"))}
        want = theirs.apply_to_bboxes(numbered, **how | {"shape": (H, W)})
        want = sorted((int(row[4]), *np.rint(row[:4] * (W, H, W, H)).astype(int).tolist()) for row in want)
        got = sorted((k, *box.astype(int).tolist()) for k, row in enumerate(boxes) for box, _ in pieces(row, tiles, 0))
        assert got == want


def test_visibility_of_shuffled_boxes():
    """A piece is seen as far as its pixels are of the box that came in; cut by a hole before, less."""
    boxes, mask = [(4, 4, 28, 20)], np.zeros((24, 32), np.uint8)
    mask[4:20, 4:28] = 1
    for least in (0.05, 0.2, 0.4):
        params = G.BboxParams("pascal_voc", min_visibility=least)
        for epoch in range(5):
            out = G.Compose([G.RandomGridShuffle((3, 4), p=1)], bbox_params=params, seed=1)(
                image=mask, mask=mask, bboxes=boxes, epoch=epoch
            )
            want = [each[:4] for each in components(out["mask"]).get(1, []) if each[4] >= least * 24 * 16]
            assert sorted(map(tuple, out["bboxes"])) == want


def test_oriented_boxes_are_not_shuffled():
    step = G.Compose([G.RandomGridShuffle(p=1)], bbox_params=G.BboxParams("pascal_voc", bbox_type="obb"))
    with pytest.raises(ValueError, match="RandomGridShuffle cuts boxes apart"):
        step(image=np.zeros((9, 9), np.uint8), bboxes=[(1, 1, 5, 5, 20)])


@pytest.mark.parametrize("grid", [3, (3,), (0, 2), (200, 200), (2.5, 2)])
def test_grids_that_are_none(grid):
    with pytest.raises((TypeError, ValueError), match="grid must"):
        G.RandomGridShuffle(grid)

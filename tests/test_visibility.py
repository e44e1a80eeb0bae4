"""What is left of boxes and points: measured against the box as it came in, counted on painted pixels."""

from __future__ import annotations

import itertools

import albumentations as A
import numpy as np
import pytest

import gpuaug as G
from gpuaug import maps

H, W = 60, 90
EACH = pytest.mark.parametrize("each", [True, False])


def kept(steps, box, size=(100, 100), ids=0, **limits) -> list:
    compose = G.Compose(steps, seed=3, bbox_params=G.BboxParams("pascal_voc", **limits))
    return compose(image=np.zeros((*size, 3), np.uint8), bboxes=[box], ids=ids)["bboxes"]


CROPS = {
    "crops": lambda: [G.CenterCrop(100, 60), G.CenterCrop(100, 36)],
    "crops of a resized image": lambda: [G.CenterCrop(100, 60), G.Resize(40, 300), G.CenterCrop(40, 180)],
    "crops of a turned image": lambda: [G.CenterCrop(100, 60), G.Transpose(p=1), G.CenterCrop(36, 100), G.HorizontalFlip(p=1)],
    "padded between": lambda: [G.CenterCrop(100, 60), G.Pad(20), G.CenterCrop(140, 36), G.Pad(50)],
    "moved out and back": lambda: [G.Affine(translate_px={"x": 64, "y": 0}, p=1), G.Affine(translate_px={"x": -64, "y": 0}, p=1)],
}


@EACH
@pytest.mark.parametrize("steps", CROPS)
def test_crops_add_up(steps, each):
    """Two steps that leave 0.6 each leave 0.36."""
    box = [0, 0, 100, 100]
    assert not kept(CROPS[steps](), box, min_visibility=0.3601, check_each_transform=each)
    assert kept(CROPS[steps](), box, min_visibility=0.3599, check_each_transform=each)


@EACH
def test_resizes_alone_lose_nothing(each):
    steps = [G.Resize(31, 7), G.Resize(300, 20), G.Affine(scale=(0.3, 0.3), p=1)]
    assert kept(steps, [3, 5, 90, 60], min_visibility=1, check_each_transform=each)


def test_what_left_the_image_is_gone():
    """Also where the limits apply at the end only: its pixels do not come back with the box's place."""
    steps = [G.Affine(translate_px={"x": 64, "y": 0}, p=1), G.Affine(translate_px={"x": -64, "y": 0}, p=1)]
    np.testing.assert_allclose(kept(steps, [0, 0, 100, 100], check_each_transform=False), [[0, 0, 36, 100]])
    assert not kept(steps, [50, 0, 100, 100], check_each_transform=False)


GRID = [  # what keeps pixels on the grid
    lambda: G.HorizontalFlip(p=1),
    lambda: G.Transpose(p=1),
    lambda: G.RandomRotate90(),
    lambda: G.RandomCrop(55, 58, pad_if_needed=True, p=0.7),
    lambda: G.CenterCrop(50, 80, pad_if_needed=True, p=0.7),
    lambda: G.Pad((3, 9, 0, 4), p=0.5),
    lambda: G.Affine(translate_px=(-20, 20), interpolation=0, p=0.5),
]
HOLES = [
    lambda: G.CoarseDropout((1, 5), (0.1, 0.5), (0.1, 0.5), p=1),
    lambda: G.XYMasking((1, 2), (1, 2), (3, 20), (3, 20), p=1),
    lambda: G.Erasing((0.1, 0.4), p=1),
    lambda: G.GridDropout(0.5, unit_size_range=(9, 20), p=0.5),
]


@EACH
@pytest.mark.parametrize("seed", range(12))
def test_visible_is_what_is_painted(seed, each):
    """Random chains of geometry and dropouts: of a box's painted pixels some are left. What is lost stays lost, so that it makes
    no difference when it is measured."""
    rng = np.random.default_rng(seed)
    some = [*rng.choice(len(GRID), 4), *(len(GRID) + rng.choice(len(HOLES), 2, replace=False))]
    steps = [[*GRID, *HOLES][i]() for i in rng.permutation(some)]
    low = rng.integers(0, (W - 20, H - 20), (40, 2))
    boxes = np.concatenate([low, np.minimum(low + rng.integers(8, 50, (40, 2)), (W, H))], 1)
    pictures = np.zeros((40, H, W, 1), np.uint8)
    for picture, (x0, y0, x1, y1) in zip(pictures, boxes):
        picture[y0:y1, x0:x1] = 1
    plain = G.Compose(steps, seed=seed)(image=list(pictures), ids=np.arange(40))["image"]
    left = np.array([p.sum() for p in plain]) / [p.sum() for p in pictures]
    told = 0
    for limit in (0.1, 0.35, 0.6, 0.85):
        params = G.BboxParams("pascal_voc", min_visibility=limit + 1.7e-5, check_each_transform=each)
        compose = G.Compose(steps, seed=seed, bbox_params=params)
        found = compose(image=list(pictures), bboxes=[[b] for b in boxes.tolist()], ids=np.arange(40))["bboxes"]
        np.testing.assert_array_equal([len(f) for f in found], left > limit + 1.7e-5)
        for f, picture in zip(found, plain):
            if f:  # the box holds what is left
                y, x = np.nonzero(picture[..., 0])
                assert f[0][0] <= x.min() + 1e-9
                assert f[0][1] <= y.min() + 1e-9
                assert f[0][2] >= x.max() + 1 - 1e-9
                assert f[0][3] >= y.max() + 1 - 1e-9
        told += 0 < sum(map(len, found)) < 40
    assert told >= 2


@EACH
def test_holes_turn_with_their_box(each):
    """The share that a hole left is the same after a turn by 30 degrees, and a crop takes its share of that."""
    turned = [G.XYMasking(1, 0, 40, 0, p=1), G.Pad(60), G.Affine(rotate=30, p=1)]
    picture, shares = np.ones((100, 100, 1), np.uint8), set()
    for i in range(20):
        share = G.Compose(turned[:1], seed=3)(picture, ids=i).mean()
        shares.add(share)
        # the box around the turned box is 136.6 pixels high: 50 (cos 30 + sin 30) up and down
        for factor, more in ((1, []), (100 / 136.6025, [G.CenterCrop(100, 220)])):
            for limit, there in ((share * factor - 0.01, True), (share * factor + 0.01, False)):
                found = kept([*turned, *more], [0, 0, 100, 100], ids=i, min_visibility=limit, check_each_transform=each)
                assert bool(found) == there
    assert shares == {0.6}


def test_lost_pixels_and_crops():
    """PixelDropout leaves about half, a crop half of that."""
    steps = [G.PixelDropout(0.5, p=1), G.CenterCrop(100, 50)]
    assert kept(steps, [0, 0, 100, 100], min_visibility=0.23)
    assert not kept(steps, [0, 0, 100, 100], min_visibility=0.27)


class Half(G.Transform, register=False):
    """A user's own: enlarges by two, and says that half of each box is lost."""

    targets = ("image", "mask")

    def size_after(self, params, size):
        return 2 * size

    def lower(self, to, rows, params):
        after = 2 * to.size[0]
        to.gather(rows, maps.Resize(to.size[rows], after), after, 0)

    def boxes(self, params, which, boxes, size, limits):
        return 2 * boxes, np.full(len(boxes), 0.5)


@EACH
def test_transforms_may_move_and_take(each):
    steps = [G.XYMasking(1, 0, 40, 0, p=1), Half(p=1), G.CenterCrop(200, 100), Half(p=1)]
    hole = [kept(steps[:1], [0, 0, 100, 100], ids=i)[0] for i in range(30)]
    i = [x1 - x0 for x0, _, x1, _ in hole].index(100)  # a stripe inside of the box
    one = G.Compose(steps[:1], seed=3)(np.ones((100, 100, 1), np.uint8), ids=i)
    share = one[:, 25:75].mean() * 0.5 * 0.25
    assert kept(steps, [0, 0, 100, 100], ids=i, min_visibility=share - 0.001, check_each_transform=each)
    assert not kept(steps, [0, 0, 100, 100], ids=i, min_visibility=share + 0.001, check_each_transform=each)


def test_min_area_counts_what_is_visible():
    """Of 100 x 100 pixels a stripe takes 40 x 100: from the inside of the box, which keeps its sides, or from its rim."""
    for i in range(10):
        steps = [G.XYMasking(1, 0, 40, 0, p=1), G.HorizontalFlip(p=1)]
        assert kept(steps, [0, 0, 100, 100], ids=i, min_area=5999)
        assert not kept(steps, [0, 0, 100, 100], ids=i, min_area=6001)


@EACH
def test_albumentations_starts_again_at_every_step(each):
    steps = lambda L: [L.CenterCrop(100, 60), L.CenterCrop(100, 36)]  # noqa: E731
    run = {"image": np.zeros((100, 100, 3), np.uint8), "bboxes": [[0, 0, 100, 100]]}
    params = {"format": "pascal_voc", "min_visibility": 0.5, "check_each_transform": each}
    theirs = A.Compose(steps(A), bbox_params=A.BboxParams(**params))(**run)["bboxes"]
    ours = G.Compose(steps(G), bbox_params=G.BboxParams(**params), label_geometry="albumentations")(**run)["bboxes"]
    np.testing.assert_allclose(np.reshape(ours, (-1, 4)), np.reshape(theirs, (-1, 4)), atol=1e-4)


# ---- keypoints -------------------------------------------------------------------------------------


def points(steps, given, size, form="xy", **more):
    compose = G.Compose(steps, keypoint_params=G.KeypointParams(form), **more)
    return compose(image=np.zeros((*size, 3), np.uint8), keypoints=given)["keypoints"]


WINDOW = {"scale": (1, 1), "ratio": (4 / 3, 4 / 3)}


def test_points_are_scaled_from_the_centre_of_the_first_pixel():
    assert points([G.RandomResizedCrop((192, 256), **WINDOW)], [(14, 11)], (24, 32)) == [(115.5, 91.5)]
    assert points([G.Resize(30, 20)], [(3, 4)], (10, 10)) == [(6.5, 13.0)]
    assert points([G.Resize(5, 5)], [(0, 9)], (10, 10)) == [(-0.25, 4.25)]


def test_angles_follow_unequal_scales():
    (_, _, angle), (_, _, other) = points([G.Resize(16, 32)], [(3, 4, 45), (3, 4, 225)], (16, 16), "xya")
    assert abs(angle - np.rad2deg(np.arctan(0.5))) < 1e-9
    assert abs(other - 180 - np.rad2deg(np.arctan(0.5))) < 1e-9


def test_points_are_visible_to_the_edges_of_pixels():
    """Pixels reach half a pixel beyond their centres: 30 of them from -0.5 to 29.5."""
    assert points([G.HorizontalFlip(p=1)], [(29.3, 4)], (20, 30)) == [pytest.approx((-0.3, 4))]
    for steps in ([G.HorizontalFlip(p=1)], [G.VerticalFlip(p=1)], [G.Transpose(p=1)], [G.RandomRotate90()]):
        given = [(x, y) for x, y in itertools.product((-0.49, 0, 29.3, 29.49), (-0.49, 3, 19.49))]
        assert len(points(steps, given, (20, 30))) == len(given)
    for x, y in ((29.5, 0), (-0.51, 0), (0, 19.5), (0, -0.51)):
        with pytest.raises(ValueError, match=r"lies outside of its image .* whose points have -0.5 <= x < 29.5 and -0.5 <= y"):
            points([], [(x, y)], (20, 30))


def test_points_are_hidden_with_their_pixels():
    """A point lies in the pixel whose centre is nearest; it goes when that pixel goes."""
    picture = np.ones((20, 30, 1), np.uint8)
    given = [(x, y) for x, y in itertools.product(np.arange(-0.45, 29.5, 0.3), (-0.4, 4.45, 4.55, 19.4))]
    compose = G.Compose([G.CoarseDropout((3, 6), (0.1, 0.4), (0.1, 0.4), p=1)], keypoint_params=G.KeypointParams("xy"), seed=1)
    for i in range(20):
        out = compose(image=picture, keypoints=given, ids=i)
        there = [bool(out["image"][round(y), round(x), 0]) for x, y in given]
        assert out["keypoints"] == list(itertools.compress(given, there))
    mask = np.zeros((20, 30), np.uint8)
    mask[4:8, 10:20] = 1
    out = G.Compose([G.MaskDropout(p=1)], keypoint_params=G.KeypointParams("xy"))(image=picture, mask=mask, keypoints=given)
    there = [not mask[round(y), round(x)] for x, y in given]
    assert out["keypoints"] == list(itertools.compress(given, there))


def test_albumentations_numbers_can_be_had():
    old = {"label_geometry": "albumentations"}
    assert points([G.RandomResizedCrop((192, 256), **WINDOW)], [(14, 11)], (24, 32), **old) == [(112, 88)]
    assert points([G.Resize(16, 32)], [(3, 4, 45)], (16, 16), "xya", **old) == [(6, 4, pytest.approx(45))]
    assert points([G.HorizontalFlip(p=1)], [(29.3, 4)], (20, 30), **old) == []
    with pytest.raises(ValueError, match="whose points have 0 <= x < 30 and 0 <= y < 20 "):
        points([], [(-0.3, 4)], (20, 30), **old)
    with pytest.raises(ValueError, match="label_geometry must be one of 'pixels', 'albumentations', got 'centres'"):
        G.Compose([], label_geometry="centres")


def test_the_callers_params_stay_as_they_are():
    params = G.KeypointParams("xy"), G.BboxParams("coco")
    G.Compose([], keypoint_params=params[0], bbox_params=params[1], label_geometry="albumentations")
    assert [p.geometry for p in params] == ["pixels", "pixels"]

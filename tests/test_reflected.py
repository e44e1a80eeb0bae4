"""Boxes and keypoints where a reflecting border shows the image again."""

from __future__ import annotations

import albumentations as A
import numpy as np
import pytest

import gpuaug as G

H, W = 40, 60
BOXES = [(0, 0, 10, 10), (5, 5, 50, 39), (20, 10, 30, 20), (58, 38, 60, 40)]
POINTS = [(1.0, 2.0, 30.0, 2.0), (57.0, 37.0, 0.0, 1.0), (12.25, 7.5, 200.0, 3.0), (30.0, 20.0, 359.0, 1.0)]
CASES = {
    "pad": lambda L, border: L.Pad((13, 25, 7, 0), border_mode=border),
    "pad, more than the image": lambda L, border: L.Pad((70, 45, 61, 100), border_mode=border),
    "pad if needed": lambda L, border: L.PadIfNeeded(70, 90, border_mode=border),
    "crop": lambda L, border: L.CenterCrop(66, 50, pad_if_needed=True, border_mode=border),
    "rotate": lambda L, border: L.Rotate((25, 25), border_mode=border, p=1),
    "rotate, ellipse": lambda L, border: L.Rotate((-70, -70), rotate_method="ellipse", border_mode=border, p=1),
    "affine": lambda L, border: L.Affine(scale=(0.4, 0.4), translate_px={"x": 13, "y": -8}, border_mode=border, p=1),
}


def image():
    return np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("border", [2, 4])
def test_copies_are_albumentations(name, border):
    found = []
    for L, more in ((A, {}), (G, {"label_geometry": "albumentations"})):
        compose = L.Compose(
            [CASES[name](L, border)],
            bbox_params=L.BboxParams("pascal_voc", label_fields=["labels"], min_visibility=0.2137, min_area=2.1),
            keypoint_params=L.KeypointParams("xyas", label_fields=["names"]),
            **more,
        )
        found.append(compose(image=image(), bboxes=BOXES, labels=list("abcd"), keypoints=POINTS, names=list("wxyz")))
    want, got = found
    assert got["labels"] == list(want["labels"])
    assert len(got["labels"]) > len(set(got["labels"])), "some are repeated"
    # as in tests/test_targets.py
    np.testing.assert_allclose(got["bboxes"], want["bboxes"], atol=3e-3 if "ellipse" in name else 2e-4)
    assert got["names"] == list(want["names"])
    a, b = np.array(got["keypoints"]), np.array(want["keypoints"])
    np.testing.assert_allclose(a[:, :2], b[:, :2], atol=2e-4)
    np.testing.assert_allclose((a[:, 2] - b[:, 2] + 180) % 360, 180, atol=1e-3)
    np.testing.assert_allclose(a[:, 3], b[:, 3], rtol=1e-5)


def blobs(picture) -> list[tuple[float, float]]:
    """Centres of single bright pixels."""
    ys, xs = np.nonzero(picture > 127)
    return sorted(zip(xs.tolist(), ys.tolist()))


@pytest.mark.parametrize("border", [2, 4])
@pytest.mark.parametrize(
    "make",
    [
        lambda border: G.Pad((31, 29, 17, 43), border_mode=border),
        lambda border: G.Pad((100, 75), border_mode=border),
        lambda border: G.RandomCrop(60, 90, pad_if_needed=True, pad_position="random", border_mode=border),
        lambda border: G.Affine(translate_px={"x": 23, "y": -19}, border_mode=border, p=1),
        lambda border: G.Rotate((180, 180), interpolation=0, border_mode=border, p=1),
    ],
)
def test_every_shown_pixel_has_its_point_and_its_box(border, make):
    """Dots of one pixel: wherever the border shows one again there is a keypoint on it and a box around it."""
    dots = [(7, 9), (40, 3), (58, 38), (30, 20)]
    picture = np.zeros((H, W), np.uint8)
    for x, y in dots:
        picture[y, x] = 255
    compose = G.Compose([make(border)], seed=3, bbox_params=G.BboxParams("pascal_voc"), keypoint_params=G.KeypointParams("xy"))
    out = compose(image=picture, keypoints=dots, bboxes=[(x, y, x + 1, y + 1) for x, y in dots])
    seen = blobs(out["image"])
    np.testing.assert_allclose(sorted(out["keypoints"]), seen, atol=1e-6)
    np.testing.assert_allclose(sorted(out["bboxes"]), [(x, y, x + 1, y + 1) for x, y in seen], atol=1e-6)


def test_angles_of_copies_are_directions():
    """A second point in a keypoint's direction has its copy in the copy's direction."""
    angle = np.deg2rad(70)
    points = [(20, 15, 70), (20 + np.cos(angle), 15 + np.sin(angle), 0)]
    compose = G.Compose([G.Pad((30, 20), border_mode=4)], keypoint_params=G.KeypointParams("xya", ["k"]))
    out = compose(image=image(), keypoints=points, k=["a", "b"])
    pairs = list(zip(out["keypoints"][::2], out["keypoints"][1::2]))
    assert len(pairs) > 3
    for (x0, y0, a), (x1, y1, _) in pairs:
        assert abs((np.rad2deg(np.arctan2(y1 - y0, x1 - x0)) - a + 180) % 360 - 180) < 1e-3


def test_points_that_may_be_invisible_are_repeated_only_where_they_are_seen():
    compose = G.Compose([G.Pad((10, 0), border_mode=2)], keypoint_params=G.KeypointParams("xy", remove_invisible=False))
    out = compose(image=image(), keypoints=[(3.0, 5.0), (30.0, 20.0), (-50.0, 3.0)])["keypoints"]
    np.testing.assert_allclose(out, [(6, 5), (13, 5), (40, 20), (-40, 3)])


def test_what_is_left_of_a_copy_counts_what_was_cut_before():
    """Half of the box was cut off before: its copy, whole as it is, shows half of the box that came in."""
    steps = [G.Crop(0, 0, 20, 40), G.Pad((0, 0, 20, 0), border_mode=2)]
    for limit, number in ((0.4, 2), (0.6, 0)):
        compose = G.Compose(steps, bbox_params=G.BboxParams("pascal_voc", min_visibility=limit, check_each_transform=False))
        assert len(compose(image=image(), bboxes=[(10, 10, 30, 20)])["bboxes"]) == number


def test_other_borders_and_samples_repeat_nothing():
    for border in (0, 1, 3):
        compose = G.Compose([G.Pad(30, border_mode=border)], bbox_params=G.BboxParams("pascal_voc"))
        assert len(compose(image=image(), bboxes=BOXES)["bboxes"]) == len(BOXES)
    compose = G.Compose([G.Pad(30, border_mode=4, p=0.5)], seed=1, bbox_params=G.BboxParams("pascal_voc", ["k"]))
    out = compose(image=[image()] * 12, bboxes=[BOXES] * 12, k=[[0, 1, 2, 3]] * 12, ids=range(12))
    for picture, boxes, labels in zip(out["image"], out["bboxes"], out["k"]):
        padded = picture.shape[0] > H
        assert (len(boxes) > 4) == padded
        assert padded or (list(labels) == [0, 1, 2, 3] and boxes == [tuple(b) for b in BOXES])

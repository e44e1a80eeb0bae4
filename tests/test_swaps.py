"""Labels of keypoints that change where a transform mirrors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gpuaug as G

H, W = 40, 60
FACE = {"left eye": (20.0, 10.0), "right eye": (35.0, 11.0), "nose": (28.0, 20.0), "chin": (27.0, 35.0)}
EYES = {"left eye": "right eye", "right eye": "left eye"}


def image(n=None):
    return np.zeros((H, W, 3), np.uint8) if n is None else np.zeros((n, H, W, 3), np.uint8)


def compose(mapping, *transforms, fields=("names",), **more):
    params = G.KeypointParams("xy", list(fields), label_mapping=mapping, **more)
    return G.Compose(list(transforms), seed=1, keypoint_params=params)


def run(augment, names=None, points=None, **more):
    names = list(FACE) if names is None else names
    points = [FACE[name] for name in FACE] if points is None else points
    out = augment(image=image(), keypoints=points, names=names, **more)
    return list(out["names"]), [tuple(p) for p in out["keypoints"]]


def test_a_mirrored_left_eye_is_the_right_one_and_stands_at_its_place():
    names, points = run(compose({"HorizontalFlip": {"names": EYES}}, G.HorizontalFlip(p=1)))
    assert names == list(FACE)
    mirrored = [(W - 1 - x, y) for x, y in FACE.values()]
    assert points == [mirrored[1], mirrored[0], *mirrored[2:]]


def test_twice_mirrored_is_as_it_was():
    flip = G.HorizontalFlip(p=1)
    assert run(compose({"HorizontalFlip": {"names": EYES}}, flip, flip)) == (list(FACE), list(FACE.values()))


def test_only_the_samples_that_were_mirrored():
    augment = compose({"HorizontalFlip": {"names": EYES}}, G.HorizontalFlip(p=0.5))
    n = 20
    out = augment(image=image(n), keypoints=[list(FACE.values())] * n, names=[list(FACE)] * n, ids=np.arange(n))
    flipped = 0
    for names, points in zip(out["names"], out["keypoints"]):
        assert names == list(FACE)
        left, right = points[0][0], points[1][0]
        assert {left, right} in ({20.0, 35.0}, {39.0, 24.0})
        assert (left < right) == ({left, right} == {20.0, 35.0}) or left == 24.0
        flipped += left == 24.0
    assert 0 < flipped < n


def test_two_people_stay_apart():
    """The first pair is mirrored among itself, and so is the second."""
    names = ["left eye", "right eye", "left eye", "right eye"]
    points = [(5.0, 5.0), (10.0, 5.0), (40.0, 30.0), (50.0, 30.0)]
    got, moved = run(compose({"HorizontalFlip": {"names": EYES}}, G.HorizontalFlip(p=1)), names, points)
    assert got == names
    assert moved == [(49.0, 5.0), (54.0, 5.0), (9.0, 30.0), (19.0, 30.0)]


def test_a_point_whose_partner_was_dropped():
    """The right eye is cut off; what was the left one is the right one then, and is told."""
    augment = compose({"HorizontalFlip": {"names": EYES}}, G.Crop(0, 0, 30, 40), G.HorizontalFlip(p=1))
    names, points = run(augment)
    assert names == ["right eye", "nose", "chin"]
    assert points == [(9.0, 10.0), (1.0, 20.0), (2.0, 35.0)]


def test_several_fields_and_kinds_of_labels():
    mapping = {"VerticalFlip": {"number": {0: 1, 1: 0}, "names": {"top": "bottom", "bottom": "top"}}}
    augment = compose(mapping, G.VerticalFlip(p=1), fields=("names", "number", "seen"))
    points = torch.tensor([[3.0, 4.0], [5.0, 30.0], [9.0, 9.0]])
    out = augment(
        image=image(),
        keypoints=points,
        names=np.array(["top", "bottom", "else"]),
        number=torch.tensor([0, 1, 7]),
        seen=[True, False, True],
    )
    assert out["number"].tolist() == [0, 1, 7]
    assert out["number"].dtype == torch.int64
    assert out["names"].tolist() == ["top", "bottom", "else"]
    assert out["seen"] == [False, True, True]  # goes with its point
    np.testing.assert_allclose(out["keypoints"].numpy(), [(5, 9), (3, 35), (9, 30)])


@pytest.mark.parametrize("cls", ["D4", "SquareSymmetry"])
def test_elements_of_the_square(cls):
    mirrors = {"h", "v", "t", "hvt"}
    augment = compose({cls: {element: {"names": EYES} for element in mirrors}}, getattr(G, cls)(p=1))
    plain = compose(None, getattr(G, cls)(p=1))
    swapped = 0
    for i in range(30):
        names, points = run(augment, ids=i)
        _, want = run(plain, ids=i)
        assert names == list(FACE)
        swapped += points != want
        assert points in (want, [want[1], want[0], *want[2:]])
    assert 5 < swapped < 25


@pytest.mark.parametrize(
    ("message", "mapping"),
    [
        ("'Mirror', which is no transform", {"Mirror": {"names": EYES}}),
        ("'other', which is not among label_fields .names.", {"HorizontalFlip": {"other": EYES}}),
        ("'names'; its elements are e, r90", {"D4": {"names": EYES}}),
    ],
)
def test_errors(message, mapping):
    with pytest.raises(ValueError, match=message):
        G.KeypointParams("xy", ["names"], label_mapping=mapping)


def test_what_is_no_mapping():
    for mapping in ("HorizontalFlip", {"HorizontalFlip": EYES["left eye"]}, {"HorizontalFlip": {"names": "left"}}):
        with pytest.raises(TypeError, match="label_mapping"):
            G.KeypointParams("xy", ["names"], label_mapping=mapping)

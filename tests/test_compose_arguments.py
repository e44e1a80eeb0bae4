"""Compose's arguments: albumentations' order, and what each does there."""

from __future__ import annotations

import inspect

import albumentations as A
import numpy as np
import pytest

import gpuaug as G

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
LABELS = np.random.default_rng(1).integers(0, 200, (40, 56), np.uint8)


def test_the_order_is_albumentations():
    theirs, ours = (list(inspect.signature(library.Compose.__init__).parameters) for library in (A, G))
    assert ours[: len(theirs)] == theirs
    kinds = {p.kind for name, p in inspect.signature(G.Compose.__init__).parameters.items() if name not in theirs}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}


def test_what_stands_in_their_places_is_what_it_is():
    aug = G.Compose(
        [G.HorizontalFlip(p=1)], G.BboxParams("coco"), {"format": "xy"}, {"depth": "mask"}, 1.0, True, True, 6, 3, False
    )
    assert (aug.bbox_params.format, aug.keypoint_params.format, aug.p, aug.seed) == ("coco", "xy", 1, 3)
    out = aug(image=IMAGE, depth=LABELS, bboxes=[[0, 0, 8, 8]], keypoints=[[1, 2]])
    np.testing.assert_array_equal(out["depth"], LABELS[:, ::-1])
    assert tuple(out["bboxes"][0][:4]) == (48, 0, 8, 8)


def test_a_probability_in_the_second_place_is_no_guess():
    with pytest.raises(TypeError, match=r"bbox_params must be .*BboxParams, .*got 0\.5; the probability is a keyword, p=0\.5"):
        G.Compose([G.HorizontalFlip()], 0.5)
    with pytest.raises(TypeError, match="additional_targets must be a dict"):
        G.Compose([], None, None, "mask")


@pytest.mark.parametrize("name", ["is_check_shapes", "strict", "save_applied_params"])
def test_switches_are_true_or_false(name):
    with pytest.raises(TypeError, match=f"{name} must be True or False, got 'yes'"):
        G.Compose([], **{name: "yes"})


@pytest.mark.parametrize("strict", [False, True])
def test_arguments_that_are_none_are_refused_strict_or_not(strict):
    """albumentations: an error with strict, a warning without."""
    with pytest.raises(ValueError, match="not valid"):
        A.Compose([A.HorizontalFlip(p=1, blur=3)], strict=True)
    with pytest.raises(TypeError, match="HorizontalFlip has no argument 'blur'"):
        G.Compose([G.HorizontalFlip(p=1, blur=3)], strict=strict)


def test_an_entry_that_nobody_declared_is_refused_when_strict():
    for library in (A, G):
        with pytest.raises(ValueError, match="extra"):
            library.Compose([library.HorizontalFlip(p=1)], strict=True)(image=IMAGE, extra=3)


def resizes(library, **more):
    inner = library.Sequential([library.Resize(23, 31, **more)], p=1)
    return [library.HorizontalFlip(p=1), library.Compose([inner], p=1)]


@pytest.mark.parametrize("how", [0, 1, 6])
def test_masks_are_interpolated_as_compose_says(how):
    """Down to the innermost, whatever it says itself; the reference gives the pixels."""
    want = A.Compose(resizes(A), mask_interpolation=how)(image=IMAGE, mask=LABELS)
    for own in ({}, {"mask_interpolation": 6}):
        got = G.Compose(resizes(G, **own), mask_interpolation=how)(image=IMAGE, mask=LABELS.astype(np.float32))
        bound = 1 if how == 1 else 0  # the reference interpolates labels in 11 bits and rounds them
        np.testing.assert_allclose(got["mask"], want["mask"].astype(np.float32), atol=bound)
    np.testing.assert_allclose(got["image"].astype(int), want["image"], atol=1)  # the interpolation of images is left alone


def test_transforms_that_were_passed_stay_as_they_are():
    resize = G.Resize(23, 31)
    group = G.Sequential([resize], p=1)
    other = G.Compose([group], mask_interpolation=6)
    assert resize.mask_interpolation == 0
    assert group.transforms[0] is resize
    assert other.transforms[0].transforms[0].mask_interpolation == 6
    assert G.Compose([resize]).transforms[0] is resize


def test_an_interpolation_that_a_transform_does_not_take_names_it():
    with pytest.raises(ValueError, match=r"mask_interpolation \(of Affine, by Compose\) must be .*got 5; .*of resizes alone"):
        G.Compose([G.Resize(3, 3), G.Affine()], mask_interpolation=5)
    G.Compose([G.Resize(3, 3), G.HorizontalFlip()], mask_interpolation=5)  # a flip interpolates nothing

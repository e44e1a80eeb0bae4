"""Arguments as configurations, NumPy and albumentations' users write them, and what errors say of those that are wrong."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence

import albumentations as A
import numpy as np
import pytest
from test_errors import NEEDS

import gpuaug as G


class Listed(Sequence):
    """What Hydra's ListConfig is: no list, and printed as one."""

    def __init__(self, *values):
        self.values = values

    def __getitem__(self, i):
        return self.values[i]

    def __len__(self):
        return len(self.values)

    def __repr__(self):
        return repr(list(self.values))


class Mapped(Mapping):
    def __init__(self, **values):
        self.values_ = values

    def __getitem__(self, key):
        return self.values_[key]

    def __iter__(self):
        return iter(self.values_)

    def __len__(self):
        return len(self.values_)


def configured(value):
    if isinstance(value, (list, tuple)):
        return Listed(*map(configured, value))
    return Mapped(**{k: configured(v) for k, v in value.items()}) if isinstance(value, dict) else value


def of_numpy(value):
    if isinstance(value, (list, tuple)) and all(isinstance(v, (int, float)) for v in value):
        return np.array(value)
    if isinstance(value, dict):
        return {k: of_numpy(v) for k, v in value.items()}
    return np.asarray(value)[()] if isinstance(value, (int, float)) else value


def shown(transform) -> str:
    """Its arguments, whether they are lists or tuples, 1 or 1.0."""
    return re.sub(r"\.0\b|[\[\]()]", "", repr(transform))


def whole_floats(value):
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


MORE = {"Affine": {"scale": {"x": (0.5, 1), "y": (1, 2)}, "translate_px": (1, 3)}, "Pad": {"padding": (1, 2, 3, 4)},
        "Normalize": {"mean": (0.1, 0.2, 0.3), "std": [1, 2, 3]}, "CoarseDropout": {"fill": (1, 2, 3)}, "Blur": {"blur_limit": 5},
        "MaskDropout": {"max_objects": 3}, "GridDropout": {"holes_number_xy": (2, 3)},
        "ConstrainedCoarseDropout": {"mask_indices": [1, 2]}}  # fmt: skip


@pytest.mark.parametrize("write", [configured, of_numpy, whole_floats])
@pytest.mark.parametrize("name", sorted(G.REGISTRY))
def test_arguments_in_other_clothes(name, write):
    """All numbers and ranges of every transform: the same transform comes of it."""
    cls = G.REGISTRY[name]
    given = {k: p.default for k, p in inspect.signature(cls.__init__).parameters.items()
             if isinstance(p.default, (int, float, tuple))} | NEEDS.get(name, {}) | MORE.get(name, {})  # fmt: skip
    want, got = cls(**given), cls(**{k: write(v) for k, v in given.items()})
    assert shown(got) == shown(want)


def test_groups_and_parameters_in_other_clothes():
    x = np.arange(12, dtype=np.uint8).reshape(3, 4)
    some = G.SomeOf(Listed(G.HorizontalFlip(p=1), G.VerticalFlip(p=1)), n=Listed(2, 2.0), p=np.float32(1))
    aug = G.Compose(Listed(some), bbox_params=Mapped(format="coco", label_fields=Listed("labels")), seed=np.int64(3),
                    additional_targets=Mapped(depth="mask"))  # fmt: skip
    out = aug(image=x, depth=x, bboxes=[(0, 0, 1, 1)], labels=["a"])
    np.testing.assert_array_equal(out["image"], x[::-1, ::-1])
    np.testing.assert_array_equal(out["depth"], x[::-1, ::-1])
    assert [tuple(box) for box in out["bboxes"]] == [(3, 2, 1, 1)]
    assert aug.bbox_params.label_fields == ("labels",)
    assert G.Compose([], keypoint_params={"format": "xy"}).keypoint_params.format == "xy"


def test_whole_floats_of_ranges_and_least_sizes():
    assert G.XYMasking(num_masks_x=2.0, mask_x_length=3.0).num_masks_x == (2, 2)
    assert repr(G.Blur(blur_limit=5.0)) == repr(G.Blur(blur_limit=5))
    assert repr(G.MaskDropout(3.0)) == repr(G.MaskDropout(3))
    with pytest.raises(TypeError, match=r"num_masks_x must be a whole number, got 2\.5"):
        G.XYMasking(num_masks_x=2.5, mask_x_length=3)


# ---- groups: as albumentations takes them ----------------------------------------------------------------------


@pytest.mark.parametrize("group", ["Compose", "Sequential", "OneOf", "SomeOf", "RandomOrder"])
@pytest.mark.filterwarnings("ignore:.*greater than number")
@pytest.mark.filterwarnings("ignore:.*more than there are")
def test_empty_groups_do_nothing(group):
    x = np.arange(12, dtype=np.uint8).reshape(3, 4)
    more = {"n": 1} if group in ("SomeOf", "RandomOrder") else {}
    for library in (A, G):
        aug = library.Compose([getattr(library, group)([], p=1, **more), library.VerticalFlip(p=1)])
        np.testing.assert_array_equal(aug(image=x)["image"], x[::-1])
    aug = G.Compose([G.SomeOf([getattr(G, group)([], **more), G.HorizontalFlip(p=1)], n=2)])
    np.testing.assert_array_equal(aug(image=x)["image"], x[:, ::-1])


@pytest.mark.parametrize("group", ["Compose", "Sequential", "OneOf", "SomeOf"])
def test_a_single_transform_is_a_list_of_one_and_a_warning(group):
    x = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for library in (A, G):
        with pytest.warns(UserWarning, match="single transform"):
            one = getattr(library, group)(library.HorizontalFlip(p=1), p=1, **({"n": 1} if group == "SomeOf" else {}))
        aug = library.Compose([one])
        np.testing.assert_array_equal(aug(image=x)["image"], x[:, ::-1])


# ---- messages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in sorted(G.REGISTRY) if "fill_mask" in inspect.signature(G.REGISTRY[n]).parameters])
def test_a_bad_fill_is_named_and_shown(name):
    cls, needs = G.REGISTRY[name], NEEDS.get(name, {})
    for argument in ("fill", "fill_mask"):
        with pytest.raises((TypeError, ValueError), match=rf"^{argument} must be .*got 'red'"):
            cls(**needs, **{argument: "red"})
        with pytest.raises((TypeError, ValueError), match=rf"^{argument} must be .*\b0\b|^{argument} must be .*got \{{"):
            cls(**needs, **{argument: {0: 1}})


@pytest.mark.parametrize(("name", "more"), [
    ("Affine", {"rotate": 45}), ("ShiftScaleRotate", {"rotate_limit": (45, 45)}), ("Pad", {"padding": 2}),
    ("PadIfNeeded", {"min_height": 40, "min_width": 40}), ("RandomCrop", {"height": 40, "width": 40, "pad_if_needed": True}),
    ("CenterCrop", {"height": 40, "width": 40, "pad_if_needed": True}), ("CoarseDropout", {}), ("Erasing", {}),
    ("GridDropout", {}), ("XYMasking", {"num_masks_x": 1, "mask_x_length": 4}), ("MaskDropout", {}),
    ("ConstrainedCoarseDropout", {"mask_indices": [1], "hole_height_range": (0.9, 1), "hole_width_range": (0.9, 1)}),
])  # fmt: skip
def test_a_fill_that_does_not_fit_is_named(name, more):
    image, mask = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8)
    mask[8:20, 8:20] = 1
    for argument in ("fill", "fill_mask"):
        aug = G.Compose([getattr(G, name)(**more, p=1, **{argument: 300})], seed=1)
        with pytest.raises(ValueError, match=rf"{name}: {argument}=300"):
            aug(image=image, mask=mask)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: G.HorizontalFlip(probability=1), "HorizontalFlip has no argument 'probability'"),
    (lambda: G.RandomRotate90(pp=1), "RandomRotate90 has no argument 'pp'; did you mean 'p'"),
    (lambda: G.ShiftScaleRotate(rotate_limits=3), "'rotate_limits'; did you mean 'rotate_limit'"),
    (lambda: G.Compose([], stricts=True), "Compose has no argument 'stricts'; did you mean 'strict'"),
    (lambda: G.BboxParams("coco", label_field=["a"]), "BboxParams has no argument 'label_field'; did you mean 'label_fields'"),
    (lambda: G.OneOf([G.NoOp()], prob=1), "OneOf has no argument 'prob'"),
    (lambda: G.audio.TimeReverse(probs=1), "TimeReverse has no argument 'probs'; did you mean 'prob'"),
    (lambda: G.audio.MelSpectrogram(n_mel=3), "n_mel"),
    (lambda: G.Resize(4), "Resize: missing a required argument: 'width'"),
    (lambda: G.HorizontalFlip(1, 2), "HorizontalFlip: too many positional arguments"),
])  # fmt: skip
def test_a_misspelled_argument_names_the_transform_and_the_nearest(make, words):
    with pytest.raises(TypeError, match=words):
        make()


def test_a_label_field_is_no_target():
    for make in (lambda fields: G.BboxParams("coco", label_fields=fields), lambda fields: G.KeypointParams("xy", fields)):
        with pytest.raises(ValueError, match="label_fields names 'mask', which is a target of its own"):
            make(["labels", "mask"])


def test_what_others_see_of_a_transform_stays():
    """Signatures for editors and documentation; transforms that users write."""
    assert list(inspect.signature(G.Resize).parameters)[:2] == ["height", "width"]
    assert list(inspect.signature(G.HorizontalFlip).parameters) == ["p"]

    class Mine(G.Transform, register=False):
        def __init__(self, low, high, p=1.0):
            super().__init__(p=p)
            self.range = low, high

    assert Mine(Listed(1, 2), np.float64(3)).range == ([1, 2], 3.0)
    with pytest.raises(TypeError, match="Mine has no argument 'hi'; did you mean 'high'"):
        Mine(1, hi=2)

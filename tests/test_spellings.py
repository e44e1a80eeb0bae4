"""Old spellings: every argument that a release of albumentations had is read, refused by name, or was never there."""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import former_arguments
import numpy as np
import pytest

import gpuaug as G
from gpuaug.spellings import PLACES, SPELLINGS, rules

NOT_THERE = {"MixUp", "PerChannel", "ReplayCompose", "SelectiveChannelTransform", "TemplateTransform"}
LAMBDA = {"keypoint", "bbox", "global_label"}  # functions of one point or box, and of a label
CROPPED = {"pad_if_needed": True}
CODEC = G.ImageCompression.ImageCompressionType

# class, the old call, the new call
CALLS = [
    ("Affine", {"scale": None, "rotate": None, "shear": None, "translate_px": 3}, {"translate_px": 3}),
    ("AdvancedBlur", {"sigmaX_limit": (0.2, 1), "sigmaY_limit": (0.3, 1)},
     {"sigma_x_limit": (0.2, 1), "sigma_y_limit": (0.3, 1)}),
    ("Affine", {"mode": 2, "cval": 3, "cval_mask": 4}, {"border_mode": 2, "fill": 3, "fill_mask": 4}),
    ("Affine", {"mode": "edge"}, {"border_mode": 1}),
    ("CenterCrop", {"height": 9, "width": 8, **CROPPED, "pad_mode": 0, "pad_cval": 3, "pad_cval_mask": 1},
     {"height": 9, "width": 8, **CROPPED, "border_mode": 0, "fill": 3, "fill_mask": 1}),
    ("RandomCrop", {"height": 9, "width": 8, "pad_mode": 4, "pad_cval": 3, "pad_cval_mask": 1},
     {"height": 9, "width": 8, "border_mode": 4, "fill": 3, "fill_mask": 1}),
    ("Crop", {"x_max": 9, "y_max": 8, "pad_mode": 4, "pad_cval": 3, "pad_cval_mask": 1},
     {"x_max": 9, "y_max": 8, "border_mode": 4, "fill": 3, "fill_mask": 1}),
    ("ChannelDropout", {"fill_value": 7}, {"fill": 7}),
    ("CoarseDropout", {"max_holes": 4}, {"num_holes_range": (4, 4), "hole_height_range": (8, 8), "hole_width_range": (8, 8)}),
    ("CoarseDropout", {"max_height": 32, "max_width": 16, "fill_value": 3, "mask_fill_value": None},
     {"num_holes_range": (8, 8), "hole_height_range": (32, 32), "hole_width_range": (16, 16), "fill": 3}),
    ("CoarseDropout", {"max_holes": 4, "min_holes": 2, "max_height": 0.2, "min_height": 0.1, "max_width": 0.3, "min_width": 0.2},
     {"num_holes_range": (2, 4), "hole_height_range": (0.1, 0.2), "hole_width_range": (0.2, 0.3)}),
    ("CoarseDropout", {"fill_value": 3, "mask_fill_value": 1}, {"fill": 3, "fill_mask": 1}),
    ("CropAndPad", {"px": 3, "pad_mode": 4, "pad_cval": 3, "pad_cval_mask": 2},
     {"px": 3, "border_mode": 4, "fill": 3, "fill_mask": 2}),
    ("Downscale", {"scale_min": 0.1, "scale_max": 0.5}, {"scale_range": (0.1, 0.5)}),
    ("Downscale", {"scale_min": 0.1, "interpolation": 1},
     {"scale_range": (0.1, 0.25), "interpolation_pair": {"downscale": 1, "upscale": 1}}),
    ("Downscale", {"interpolation": {"downscale": 3, "upscale": 1}}, {"interpolation_pair": {"downscale": 3, "upscale": 1}}),
    ("Downscale", {"interpolation": G.Downscale.Interpolation(downscale=3, upscale=1)},
     {"interpolation_pair": {"downscale": 3, "upscale": 1}}),
    ("ElasticTransform", {"alpha": 9, "alpha_affine": 3}, {"alpha": 9, "alpha_affine": 3, "border_mode": 4}),
    ("ElasticTransform", {"border_mode": 0, "value": (1, 2, 3), "mask_value": 4},
     {"border_mode": 0, "fill": (1, 2, 3), "fill_mask": 4}),
    ("Emboss", {"alpha": 0.3, "strength": 0.5}, {"alpha": (0.0, 0.3), "strength": (0.0, 0.5)}),
    ("GaussianBlur", {"sigma_limit": 0}, {"sigma_limit": (0, 0), "blur_limit": (3, 7)}),
    ("GaussianBlur", {"blur_limit": (3, 5), "sigma_limit": None}, {"sigma_limit": (0, 0), "blur_limit": (3, 5)}),
    ("RingingOvershoot", {"cutoff": 0.8}, {"cutoff": (0.8, np.pi / 2)}),
    ("Sharpen", {"alpha": 0.3, "lightness": 0.5}, {"alpha": (0.0, 0.3), "lightness": (0.0, 0.5)}),
    ("Erasing", {"fill_value": 3, "mask_fill_value": 1}, {"fill": 3, "fill_mask": 1}),
    ("GridDistortion", {"value": 9, "mask_value": None}, {"fill": 9, "border_mode": 4}),
    ("GridDropout", {"unit_size_min": 4, "unit_size_max": 8}, {"unit_size_range": (4, 8), "random_offset": False}),
    ("GridDropout", {"holes_number_x": 4, "holes_number_y": 5, "shift_x": 1, "shift_y": 2},
     {"holes_number_xy": (4, 5), "shift_xy": (1, 2), "random_offset": False}),
    ("GridDropout", {"fill_value": 9, "mask_fill_value": 1}, {"fill": 9, "fill_mask": 1}),
    ("ImageCompression", {"quality_lower": 60, "quality_upper": 90}, {"quality_range": (60, 90)}),
    ("ImageCompression", {"quality_lower": 60}, {"quality_range": (60, 100)}),
    ("ImageCompression", {"compression_type": CODEC.JPEG}, {"compression_type": "jpeg"}),
    ("ImageCompression", {"compression_type": CODEC.WEBP}, {"compression_type": "webp"}),
    ("ImageCompression", {"compression_type": 1}, {"compression_type": "webp"}),
    ("MaskDropout", {"image_fill_value": "inpaint"}, {"fill": "inpaint_ns"}),
    ("MaskDropout", {"image_fill_value": 9, "mask_fill_value": 1}, {"fill": 9, "fill_mask": 1}),
    ("MultiplicativeNoise", {"multiplier": 0.8, "per_channel": None}, {"multiplier": (0.8, 0.8)}),
    ("OpticalDistortion", {"shift_limit": 3, "value": 5}, {"shift_limit": 3, "fill": 5, "border_mode": 4}),
    ("OpticalDistortion", {"mask_value": 5}, {"fill_mask": 5, "border_mode": 4}),
    ("PadIfNeeded", {"min_height": 9, "value": 3, "mask_value": 2},
     {"min_height": 9, "fill": 3, "fill_mask": 2, "border_mode": 4}),
    ("PadIfNeeded", {"position": G.PadIfNeeded.PositionType.TOP_LEFT}, {"position": "top_left"}),
    ("Perspective", {"pad_mode": 1, "pad_val": 3, "mask_pad_val": 2}, {"border_mode": 1, "fill": 3, "fill_mask": 2}),
    ("PiecewiseAffine", {"mode": "reflect", "cval": 3, "cval_mask": 2, "keypoints_threshold": 0.01},
     {"border_mode": 4, "fill": 3, "fill_mask": 2}),
    ("RandomCropNearBBox", {"cropping_box_key": "box"}, {"cropping_bbox_key": "box"}),
    ("RandomFog", {"fog_coef_lower": 0.1, "fog_coef_upper": 0.4}, {"fog_coef_range": (0.1, 0.4)}),
    ("RandomFog", {"fog_coef_lower": 0.5}, {"fog_coef_range": (0.5, 1)}),
    ("RandomGamma", {"gamma_limit": (70, 130), "eps": 1e-7}, {"gamma_limit": (70, 130)}),
    ("RandomRain", {"slant_lower": -5, "slant_upper": 5, "rain_type": None}, {"slant_range": (-5, 5)}),
    ("RandomResizedCrop", {"height": 8, "width": 9, "scale": (0.5, 1)}, {"size": (8, 9), "scale": (0.5, 1)}),
    ("RandomResizedCrop", {"size": 8, "width": 9}, {"size": (8, 9)}),
    ("RandomResizedCrop", {"size": (8, 9), "width": 9}, {"size": (8, 9)}),
    ("RandomShadow", {"num_shadows_lower": 1, "num_shadows_upper": 3}, {"num_shadows_limit": (1, 3)}),
    ("RandomSizedCrop", {"min_max_height": (4, 8), "height": 8, "width": 9}, {"min_max_height": (4, 8), "size": (8, 9)}),
    ("RandomSizedCrop", {"min_max_height": (4, 8), "size": 8, "width": 9}, {"min_max_height": (4, 8), "size": (8, 9)}),
    ("RandomSnow", {"snow_point_lower": 0.2, "snow_point_upper": 0.4}, {"snow_point_range": (0.2, 0.4)}),
    ("RandomSunFlare", {"angle_lower": 0.2, "angle_upper": 0.4, "num_flare_circles_lower": 3, "num_flare_circles_upper": 5},
     {"angle_range": (0.2, 0.4), "num_flare_circles_range": (3, 5)}),
    ("Rotate", {"limit": 9, "value": 3, "mask_value": 4, "method": "ellipse"},
     {"limit": 9, "fill": 3, "fill_mask": 4, "border_mode": 4, "rotate_method": "ellipse"}),
    ("SafeRotate", {"border_mode": 0, "value": 3, "mask_value": 4}, {"border_mode": 0, "fill": 3, "fill_mask": 4}),
    ("ShiftScaleRotate", {"border_mode": 0, "value": -1024, "mask_value": 4}, {"border_mode": 0, "fill": -1024, "fill_mask": 4}),
    ("ShiftScaleRotate", {"value": None, "mask_value": None}, {"border_mode": 4}),
    ("Solarize", {"threshold": 51}, {"threshold_range": (0.2, 0.2)}),
    ("Solarize", {"threshold": (51, 102)}, {"threshold_range": (0.2, 0.4)}),
    ("Solarize", {"threshold": 0.3}, {"threshold_range": (0.3, 0.3)}),
    ("XYMasking", {"num_masks_x": 1, "mask_x_length": 3, "fill_value": 9},
     {"num_masks_x": 1, "mask_x_length": 3, "fill": 9, "fill_mask": 0}),
    ("XYMasking", {"num_masks_x": 1, "mask_x_length": 3, "mask_fill_value": None}, {"num_masks_x": 1, "mask_x_length": 3}),
    ("XYMasking", {"num_masks_x": (1, 2, 3, 4), "mask_x_length": (1, 30, 20)}, {"num_masks_x": (1, 2), "mask_x_length": (1, 30)}),
    ("XYMasking", {"num_masks_y": [1, 2, 3], "mask_y_length": [9, 1, 5]}, {"num_masks_y": (1, 2), "mask_y_length": (1, 9)}),
    ("BboxParams", {"format": "coco", "filter_lost_elements": True}, {"format": "coco"}),
    ("Compose", {"transforms": [], "return_params": False, "save_key": "applied_params"}, {"transforms": []}),
    ("HorizontalFlip", {"always_apply": True, "p": 0.5}, {"p": 1}),
    ("HorizontalFlip", {"always_apply": False, "p": 0.5}, {"p": 0.5}),
    ("Normalize", {"always_apply": None}, {}),
    ("HorizontalFlip", {"strict": True}, {}),
]  # fmt: skip

# what stood in the places of a call
BY_PLACE = [
    ("CoarseDropout", (4, 16, 8), {"max_holes": 4, "max_height": 16, "max_width": 8}),
    ("CropAndPad", (3, None, 0, 7), {"px": 3, "pad_mode": 0, "pad_cval": 7}),
    ("Downscale", (0.25, 0.5), {"scale_min": 0.25, "scale_max": 0.5}),
    ("ElasticTransform", (120, 6, 3.6), {"alpha": 120, "sigma": 6, "alpha_affine": 3.6}),
    ("ElasticTransform", (1, 50, 50), {"alpha": 1, "sigma": 50, "alpha_affine": 50}),
    ("ElasticTransform", (1, 50, 2), {"alpha": 1, "sigma": 50, "interpolation": 2}),
    ("GaussNoise", ((10, 50),), {"var_limit": (10, 50)}),
    ("GaussNoise", ((0.1, 0.2),), {"std_range": (0.1, 0.2)}),
    ("GridDistortion", (5, 0.3, 1, 0, 7), {"num_steps": 5, "distort_limit": 0.3, "border_mode": 0, "value": 7}),
    ("GridDropout", (0.5, 4, 8), {"ratio": 0.5, "unit_size_min": 4, "unit_size_max": 8}),
    ("ImageCompression", (60, 90), {"quality_range": (60, 90)}),
    ("ImageCompression", ("webp", (60, 90)), {"compression_type": "webp", "quality_range": (60, 90)}),
    ("HorizontalFlip", (False, 0.3), {"p": 0.3}),
    ("Blur", (5, True), {"blur_limit": 5, "p": 1}),
    ("Blur", (5, False), {"blur_limit": 5}),
    ("Normalize", (0.5, 0.5, 255.0, False, 1.0), {"mean": 0.5, "std": 0.5}),
    ("Resize", (8, 9, 1, True), {"height": 8, "width": 9}),
    ("CenterCrop", (8, 9, False, 0.5), {"height": 8, "width": 9, "p": 0.5}),
    ("RandomCrop", (8, 9, True, 0.5), {"height": 8, "width": 9, "p": 1}),
    ("CenterCrop", (8, 9, True), {"height": 8, "width": 9, "pad_if_needed": True}),
    ("GaussNoise", (50,), {"var_limit": 50}),
    ("MultiplicativeNoise", (0.5, True), {"multiplier": (0.5, 0.5), "per_channel": True}),
    ("GridDistortion", (5, 0.3, 1, 4, None, None, False, 0.7), {"border_mode": 4, "p": 0.7}),
    ("GridDistortion", (5, 0.3, 1, 4, None, None, False, True, 0.7), {"border_mode": 4, "normalized": False, "p": 1}),
    ("OpticalDistortion", (0.1, 0.2, 1, 0, 7, None, False, 0.7),
     {"distort_limit": 0.1, "shift_limit": 0.2, "border_mode": 0, "value": 7, "p": 0.7}),
    ("PadIfNeeded", (9, 9, 0, 7), {"min_height": 9, "min_width": 9, "border_mode": 0, "value": 7}),
    ("PadIfNeeded", (None, None, 32, 32),
     {"min_height": None, "min_width": None, "pad_height_divisor": 32, "pad_width_divisor": 32}),
    ("Rotate", (9, 1, 0, 7, None, False, 0.7), {"limit": 9, "border_mode": 0, "value": 7, "p": 0.7}),
    ("ShiftScaleRotate", (0.1, 0.1, 9, 1, 0, (1, 2, 3), 4, None, None, True, 0.7),
     {"shift_limit": 0.1, "scale_limit": 0.1, "rotate_limit": 9, "border_mode": 0, "value": (1, 2, 3), "mask_value": 4, "p": 1}),
    ("Blur", (5, 0.3, True), {"blur_limit": 5, "p": 1}),
    ("Blur", (5, 0.3, None), {"blur_limit": 5, "p": 0.3}),
    ("Crop", (1, 2, 8, 9, False, 0.3), {"x_min": 1, "y_min": 2, "x_max": 8, "y_max": 9, "p": 0.3}),
    ("ElasticTransform", (9, 8, 3, 1, 4, None, None, False, True, 0.3),
     {"alpha": 9, "sigma": 8, "alpha_affine": 3, "approximate": True, "p": 0.3}),
    ("ElasticTransform", (9, 8, 3, 1, 4, None, None, False, False, True, 0.3),
     {"alpha": 9, "sigma": 8, "alpha_affine": 3, "same_dxdy": True, "p": 0.3}),
    ("GaussNoise", ((10, 50), 3, True, 0.3), {"var_limit": (10, 50), "mean": 3, "p": 1}),
    ("GaussNoise", ((10, 50), 3, False, False, 0.3), {"var_limit": (10, 50), "mean": 3, "per_channel": False, "p": 0.3}),
    ("PadIfNeeded", (9, 9, None, None, G.PadIfNeeded.PositionType.CENTER, 4, None, None, False, 0.3),
     {"min_height": 9, "min_width": 9, "border_mode": 4, "p": 0.3}),
    ("RandomGamma", ((80, 120), None, False, 0.3), {"gamma_limit": (80, 120), "p": 0.3}),
    ("LongestMaxSize", (9, 2), {"max_size": 9, "interpolation": 2}),
    ("SmallestMaxSize", (9, 2), {"max_size": 9, "interpolation": 2}),
    ("OpticalDistortion", (0.1, 0.2), {"distort_limit": 0.1, "shift_limit": 0.2}),
    ("OpticalDistortion", (0.1, 2), {"distort_limit": 0.1, "interpolation": 2}),
    ("PadIfNeeded", (9, 9, None, None, 0, 7),
     {"min_height": 9, "min_width": 9, "pad_height_divisor": None, "pad_width_divisor": None, "border_mode": 0, "value": 7}),
    ("Perspective", ((0.05, 0.1), True, 1, 7), {"border_mode": 1, "fill": 7}),
    ("RandomFog", (0.1, 0.4), {"fog_coef_range": (0.1, 0.4)}),
    ("RandomRain", (-5, 5), {"slant_range": (-5, 5)}),
    ("RandomResizedCrop", (8, 9, (0.5, 1)), {"size": (8, 9), "scale": (0.5, 1)}),
    ("RandomResizedCrop", ((8, 9), 9), {"size": (8, 9)}),
    ("RandomResizedCrop", ((8, 9), (0.5, 1)), {"size": (8, 9), "scale": (0.5, 1)}),
    ("RandomShadow", ((0, 0, 1, 1), 1, 3), {"shadow_roi": (0, 0, 1, 1), "num_shadows_limit": (1, 3)}),
    ("RandomSizedCrop", ((4, 8), 8, 9), {"min_max_height": (4, 8), "size": (8, 9)}),
    ("RandomSizedCrop", ((4, 8), (8, 9), 9), {"min_max_height": (4, 8), "size": (8, 9)}),
    ("RandomSnow", (0.2, 0.4, 2), {"snow_point_range": (0.2, 0.4), "brightness_coeff": 2}),
    ("RandomSunFlare", ((0, 0, 1, 0.5), 0.1, 0.3), {"angle_range": (0.1, 0.3)}),
    ("Rotate", (45, 1, 0, 7), {"limit": 45, "border_mode": 0, "fill": 7}),
    ("SafeRotate", (45, 1, 0, 7), {"limit": 45, "border_mode": 0, "fill": 7}),
    ("ShiftScaleRotate", (0.1, 0.1, 9, 1, 0, (1, 2, 3)),
     {"shift_limit": 0.1, "scale_limit": 0.1, "rotate_limit": 9, "border_mode": 0, "fill": (1, 2, 3)}),
    ("Solarize", (51,), {"threshold_range": (0.2, 0.2)}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def made(name: str, *args, **kwargs) -> str:
    built = getattr(G, name)(*args, **kwargs)
    shown = vars(built) if name == "BboxParams" else repr(built)
    return str(shown)


@pytest.mark.parametrize(("name", "old", "new"), CALLS)
def test_an_old_call_makes_what_the_new_one_does(name, old, new):
    assert made(name, **old) == made(name, **new)


@pytest.mark.parametrize(("name", "args", "new"), BY_PLACE)
def test_what_is_passed_by_place(name, args, new):
    assert made(name, *args) == made(name, **new)


def test_the_examples_hold_every_entry():
    named = {(name, argument) for name, old, _ in CALLS for argument in old} | {("Spatter", "mode")}  # refused below
    assert {(name, argument) for name, olds in SPELLINGS.items() for old in olds for argument in old.names} <= named
    assert set(PLACES) <= {name for name, *_ in BY_PLACE}
    assert set(SPELLINGS) | set(PLACES) <= {*G.REGISTRY, "BboxParams", "Compose"}


@pytest.mark.parametrize("name", sorted(set(former_arguments.ARGUMENTS) - NOT_THERE))
def test_every_argument_that_there_ever_was_is_known(name):
    """Of 21 releases, 0.5.0 to 1.4.24: today's, or in the table."""
    today = set(inspect.signature(getattr(G, name)).parameters)
    today |= {argument for old in SPELLINGS.get(name, ()) for argument in old.names} | {"always_apply"}
    today |= LAMBDA if name == "Lambda" else set()
    assert set(former_arguments.ARGUMENTS[name].split()) <= today


@pytest.mark.parametrize(("make", "words"), [
    (lambda: G.ShiftScaleRotate(value=1, fill=2), "ShiftScaleRotate: value and fill are two spellings of one thing; keep fill"),
    (lambda: G.RandomResizedCrop((8, 8), height=8, width=9), "two spellings of one thing; keep size"),
    (lambda: G.RandomResizedCrop(height=8), "RandomResizedCrop: height and width are given together"),
    (lambda: G.GridDropout(holes_number_x=3), "GridDropout: holes_number_x and holes_number_y are given together"),
    (lambda: G.GaussNoise((10, 50), var_limit=3), "var_limit is given twice"),
    (lambda: G.GaussNoise(var_limit=3, std_range=(0, 0.1)), "var_limit and mean.* or std_range and mean_range"),
    (lambda: G.BboxParams("coco", filter_lost_elements=False), "boxes that have left the image are always dropped"),
    (lambda: G.HorizontalFlip(always_apply="yes"), "always_apply must be True or False, got 'yes'"),
    (lambda: G.Affine(mode="mirror"), "Affine: the border mode must be one of .*'edge'.*got 'mirror'"),
    (lambda: G.Spatter(mode=["rain", "mud"]), r"Spatter: mode=\['rain', 'mud'\]: one of several modes is OneOf"),
    (lambda: G.HorizontalFlip(True, p=0.5, always_apply=False), "HorizontalFlip: multiple values for argument 'p'"),
    (lambda: G.HorizontalFlip(False, 0.5, p=0.5), "HorizontalFlip: multiple values for argument 'p'"),
    (lambda: G.CoarseDropout(max_hole=3), "CoarseDropout has no argument 'max_hole'; did you mean 'max_holes'"),
    (lambda: G.CoarseDropout(min_height=256, max_holes=2), "CoarseDropout: min_height=256 is above max_height, which was 8"),
    (lambda: G.XYMasking(fill_values=3), "XYMasking has no argument 'fill_values'; did you mean 'fill_value'"),
    (lambda: G.Cutout(4, holes=3), "Cutout has no argument 'holes'; did you mean 'num_holes'"),
    (lambda: G.RandomBrightness(limits=3), "RandomBrightness has no argument 'limits'; did you mean 'limit'"),
    (lambda: G.JpegCompression(1, 2, 3, 4, 5), "JpegCompression: too many positional arguments"),
])  # fmt: skip
def test_what_cannot_be_read_is_named(make, words):
    with pytest.raises(TypeError, match=words):
        make()


def test_a_warning_says_the_new_call_once(monkeypatch):
    monkeypatch.setattr(rules, "_said", set())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            G.CoarseDropout(max_holes=4, max_height=16, max_width=8, always_apply=True)
            G.ShiftScaleRotate(border_mode=0, fill=3)
    assert [(w.category, str(w.message), Path(w.filename).name) for w in said] == [(
        DeprecationWarning,
        "CoarseDropout: always_apply, max_holes, max_height, max_width: albumentations' spelling (0.1 to 1.4, 0.1 to 1.4.5); "
        "write CoarseDropout(p=1, num_holes_range=(4, 4), hole_height_range=(16, 16), hole_width_range=(8, 8))",
        "test_spellings.py",
    )]  # fmt: skip


def test_subclasses_read_old_spellings_too():
    class Mine(G.ShiftScaleRotate, register=False):
        pass

    class Own(G.ShiftScaleRotate, register=False):
        def __init__(self, degrees, always_apply=False, p=0.5):
            super().__init__(rotate_limit=degrees, border_mode=0, value=3, always_apply=always_apply, p=p)

    assert Mine(value=7, border_mode=0).fill == 7
    own = Own(9, always_apply=True)
    assert (own.fill, own.p, own.rotate_limit) == (3, 1, (-9, 9))


# ---- names ---------------------------------------------------------------------------------------------------------

NAMES = [
    ("RandomBrightness", {"limit": 0.3}, lambda p: G.RandomBrightnessContrast(0.3, 0, p=p)),
    ("RandomContrast", {"limit": (0.1, 0.3)}, lambda p: G.RandomBrightnessContrast(0, (0.1, 0.3), p=p)),
    ("JpegCompression", {"quality_lower": 70}, lambda p: G.ImageCompression("jpeg", (70, 100), p=p)),
    ("IAAFliplr", {}, lambda p: G.HorizontalFlip(p)),
    ("IAAFlipud", {}, lambda p: G.VerticalFlip(p)),
    ("IAAEmboss", {"alpha": 0.3}, lambda p: G.Emboss((0.0, 0.3), p=p)),
    ("IAASharpen", {"alpha": (0.5, 0.5), "lightness": 0.7}, lambda p: G.Sharpen((0.5, 0.5), (0.0, 0.7), p=p)),
    ("IAASuperpixels", {"p_replace": 0.2}, lambda p: G.Superpixels((0.2, 0.2), (100, 100), p=p)),
    ("IAAAdditiveGaussianNoise", {"loc": 51, "scale": (25.5, 51)},
     lambda p: G.GaussNoise((0.1, 0.2), (0.2, 0.2), per_channel=False, p=p)),
    ("IAAPerspective", {"keep_size": False}, lambda p: G.Perspective((0.05, 0.1), False, p=p)),
    ("IAAPiecewiseAffine", {"mode": "edge", "cval": 3, "order": 3},
     lambda p: G.PiecewiseAffine(interpolation=2, border_mode=1, fill=3, p=p)),
    ("IAAAffine", {"scale": (0.8, 1.2), "rotate": 9, "shear": 4, "mode": "constant"},
     lambda p: G.Affine((0.8, 1.2), rotate=(-9, 9), shear={"x": (-4, 4), "y": (0, 0)}, keep_ratio=True, p=p)),
    ("IAAAffine", {"translate_px": 3}, lambda p: G.Affine(
        (1.0, 1.0), translate_px=(0, 3), shear={"x": (0.0, 0.0), "y": (0, 0)}, keep_ratio=True, border_mode=4, p=p)),
    ("IAACropAndPad", {"px": 3, "pad_mode": "reflect"}, lambda p: G.CropAndPad(3, border_mode=4, p=p)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "now"), NAMES)
def test_an_old_name_makes_the_transform_of_today(name, arguments, now):
    for p in (0.3, 1.0):
        assert repr(getattr(G, name)(**arguments, p=p)) == repr(now(p))
    assert repr(getattr(G, name)(**arguments, always_apply=True)) == repr(now(1.0))


def test_all_old_names_are_tried_and_each_says_its_new_one_once():
    from gpuaug import former

    assert {name for name, *_ in NAMES} == set(former.FORMER)
    code = "import warnings; warnings.simplefilter('always'); import gpuaug as G; [G.RandomBrightness(0.1) for _ in range(2)]"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr.count("RandomBrightness is a name of albumentations 0.1 to 1.3; write RandomBrightnessContrast(") == 1


# ---- arithmetic that no new spelling has ---------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "var_limit", "mean"), [(np.uint8, (10, 50), 3), (np.float32, (0.01, 0.04), 0.1)])
def test_gauss_noise_of_a_variance(dtype, var_limit, mean):
    """1.3: N(mean, sqrt(v)) in the image's unit, v uniform; bytes are cut to whole numbers."""
    image = np.full((400, 64, 64, 1), 120 if dtype == np.uint8 else 0.5, dtype)
    noise = G.Compose([G.GaussNoise(var_limit=var_limit, mean=mean, p=1)], seed=4)(image).astype(np.float64) - image.astype(float)
    variance = noise.var((1, 2, 3))
    low, high = var_limit
    whole = 1 if dtype == np.uint8 else 0  # cutting towards zero moves a deviate by up to 1
    assert abs(noise.mean() - mean) < 0.02 * np.sqrt(high) + 0.5 * whole
    assert abs(variance.mean() - (low + high) / 2) < 0.06 * (low + high) / 2 + 2 * whole
    assert low * 0.9 - 3 * whole < variance.min() < low + 0.15 * (high - low)
    assert high - 0.15 * (high - low) - 4 * whole < variance.max() < high * 1.1 + whole
    ours = G.GaussNoise(mean=2)
    assert (ours.var_limit, ours.mean) == ((10, 50), 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("ksize", [1, 3, 4, 5, 7, 9, 15, 31])
def test_a_blur_of_a_size_alone(ksize, dtype):
    """0.1 to 1.4: ``cv2.GaussianBlur(image, (ksize, ksize), 0)``."""
    import cv2

    image = smooth(60, 70).astype(dtype)
    image = image if dtype == np.uint8 else image / np.float32(255)
    out = G.Compose([G.GaussianBlur(blur_limit=(ksize, ksize), sigma_limit=0, p=1)], seed=1)(image)
    want = cv2.GaussianBlur(image, (ksize | 1, ksize | 1), 0)
    if dtype == np.uint8:  # OpenCV's fixed-point numbers round halves up, ours to even: ties
        assert np.abs(out.astype(int) - want).max() <= 1
        assert (out == want).mean() > 0.95
    else:
        np.testing.assert_allclose(out, want, atol=2e-6)


def test_blurs_of_sizes_alone():
    import cv2

    image = smooth(60, 70)
    blurred = [cv2.GaussianBlur(image, (k, k), 0).astype(int) for k in (3, 5, 7)]
    assert min(np.abs(a - b).max() for a, b in pairwise(blurred)) > 1
    out = G.Compose([G.GaussianBlur(blur_limit=(3, 7), sigma_limit=0, p=1)], seed=1)(image=[image] * 60, ids=range(60))["image"]
    which = [[i for i, each in enumerate(blurred) if np.abs(each - mine).max() <= 1] for mine in out]
    assert {tuple(each) for each in which} == {(0,), (1,), (2,)}


def test_windows_larger_than_the_image():
    """torchvision draws areas above 1 again, too, and takes the whole image after ten."""
    import torch
    from scipy import stats
    from torchvision.transforms.v2 import RandomResizedCrop

    aug = G.Compose([G.RandomResizedCrop(8, 8, scale=(0.6, 1.4), ratio=(0.7, 1.5))], seed=1)
    (step,) = aug.draw(np.array([[120, 150]] * 4000), ids=range(4000)).steps
    x0, y0, x1, y1 = step.params["crop_coords"].T
    torch.manual_seed(0)
    theirs, image = RandomResizedCrop(8, scale=(0.6, 1.4), ratio=(0.7, 1.5)), torch.zeros(1, 120, 150)
    drawn = [theirs.make_params([image]) for _ in range(4000)]
    for ours, name in ((y1 - y0, "height"), (x1 - x0, "width"), (x0, "left"), (y0, "top")):
        assert stats.ks_2samp(ours, [each[name] for each in drawn]).pvalue > 1e-4
    assert ((x1 - x0 == 150) & (y1 - y0 == 120)).mean() > 0.001


def test_a_quality_of_nothing_is_one():
    image = smooth(64, 64)
    worst, one = (G.Compose([G.ImageCompression(quality_range=(q, q), p=1)], seed=1)(image) for q in (0, 1))
    np.testing.assert_array_equal(worst, one)
    assert G.ImageCompression(quality_lower=0, quality_upper=10).quality_range == (0, 10)


def drawn(transform, size, samples=3):
    """A pipeline of it, and the uniforms that each sample drew."""
    seen = []

    class Spied(type(transform), register=False):
        def draw(self, u, view):
            seen.append(u.copy())
            return super().draw(u, view)

    transform.__class__ = Spied
    aug = G.Compose([transform], seed=5)
    aug.draw(np.array([size] * samples), ids=range(samples))
    return aug, seen[0]


def smooth(h, w):
    import cv2

    noise = cv2.GaussianBlur(np.random.default_rng(2).normal(size=(h, w, 3)), (0, 0), 6)
    return cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


@pytest.mark.parametrize("size", [(120, 150), (90, 61)])
def test_elastic_transform_with_three_points_that_move(size):
    """1.3's ``elastic_transform``: getAffineTransform of three points, warpAffine; the displacement is next to none here."""
    import cv2

    h, w = size
    aug, u = drawn(G.ElasticTransform(alpha=0.001, sigma=50, alpha_affine=12, p=1), size)
    image = smooth(h, w)
    out = aug(image=[image] * 3, mask=[image[..., 0]] * 3, ids=range(3))
    for i in range(3):
        middle, square = np.array((h, w), np.float32) // 2, min(h, w) // 3
        points = np.array([middle + square, [middle[0] + square, middle[1] - square], middle - square], np.float32)
        moved = points + (-12 + 24 * u[i, 3:].reshape(3, 2)).astype(np.float32)
        matrix = cv2.getAffineTransform(points, moved)
        want = cv2.warpAffine(image, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        difference = np.abs(out["image"][i].astype(int) - want)
        assert difference.max() <= 6  # splines are right to 0.1 pixels, and the image's steepest slope is 30 levels a pixel
        assert difference.mean() < 0.6
        assert np.abs(want.astype(int) - image).mean() > 5  # it moved
    plain = G.Compose([G.ElasticTransform(alpha=20, sigma=5, alpha_affine=0, border_mode=0, p=1)], seed=1)(image)
    np.testing.assert_array_equal(plain, G.Compose([G.ElasticTransform(alpha=20, sigma=5, p=1)], seed=1)(image))


def test_elastic_transform_moves_points_with_the_pixels():
    image = np.zeros((120, 150), np.uint8)
    image[60:64, 80:84] = 255
    aug = G.Compose([G.ElasticTransform(alpha=60, sigma=9, alpha_affine=10, p=1)], seed=3, keypoint_params={"format": "xy"})
    for i in range(5):
        out = aug(image=image, keypoints=[(81.5, 61.5)], ids=[i])
        y, x = np.nonzero(out["image"] > 100)
        np.testing.assert_allclose(out["keypoints"][0][:2], (x.mean(), y.mean()), atol=0.8)


def test_an_affine_map_beside_rough_displacements():
    """Those that have no spline: ``approximate`` cuts the Gaussian off early."""
    aug, _ = drawn(G.ElasticTransform(alpha=0.001, sigma=50, approximate=True, alpha_affine=12, p=1), (120, 150))
    same, _ = drawn(G.ElasticTransform(alpha=0.001, sigma=50, alpha_affine=12, p=1), (120, 150))
    image = smooth(120, 150)
    a, b = (each(image=[image] * 3, ids=range(3))["image"] for each in (aug, same))
    for x, y in zip(a, b):
        assert np.abs(x.astype(int) - y).max() <= 6


def test_a_lens_beside_the_middle():
    """1.3's ``optical_distortion``: a camera whose centre is (w / 2 + dx, h / 2 + dy), dx and dy rounded; OpenCV looks through it
    from the middle, which moves the image by them."""
    import cv2

    h, w = 90, 120
    aug, u = drawn(G.OpticalDistortion((0.4, 0.4), shift_limit=20, border_mode=0, p=1), (h, w))
    image = smooth(h, w)
    out = aug(image=[image] * 3, ids=range(3))["image"]
    for i in range(3):
        dx, dy = (round(-20 + 40 * v) for v in u[i, 1:].tolist())
        assert (dx, dy) != (0, 0)
        camera = np.array([[w, 0, (w - 1) / 2 + dx], [0, h, (h - 1) / 2 + dy], [0, 0, 1]], np.float32)  # where it stays
        maps = cv2.initUndistortRectifyMap(camera, np.float32([0.4, 0.4, 0, 0, 0]), None, None, (w, h), cv2.CV_32FC1)
        want = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        assert np.abs(out[i].astype(int) - want).max() <= 1
    nothing = G.OpticalDistortion(0.4, shift_limit=0.05, border_mode=0, p=1)  # as most wrote it: it rounds to 0
    np.testing.assert_array_equal(
        G.Compose([nothing], seed=1).draw(np.array([[9, 9]]), ids=[0]).steps[0].params["shift"], [[0, 0]]
    )


def test_cutout_places_its_holes_as_it_did():
    """1.3: the middle is any of h + 1 and w + 1 edges; moved in at the top left, cut off at the bottom right."""
    aug, u = drawn(G.Cutout(num_holes=5, max_h_size=7, max_w_size=4, fill_value=9, p=1), (20, 30), 200)
    out = aug(image=np.zeros((200, 20, 30, 1), np.uint8), mask=np.ones((200, 20, 30), np.uint8), ids=range(200))
    assert out["mask"].min() == 1
    for i in range(200):
        want = np.zeros((20, 30), np.uint8)
        for x, y in zip((u[i, :5] * 31).astype(int), (u[i, 5:] * 21).astype(int)):
            y1, x1 = np.clip(y - 7 // 2, 0, 20), np.clip(x - 4 // 2, 0, 30)
            want[y1 : np.clip(y1 + 7, 0, 20), x1 : np.clip(x1 + 4, 0, 30)] = 9
        np.testing.assert_array_equal(out["image"][i, ..., 0], want)


@pytest.mark.parametrize("normalize", [None, {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_to_tensor(normalize, dtype):
    """0.5's ``img_to_tensor`` and ``mask_to_tensor``, by torchvision's normalize."""
    import torch
    from torchvision.transforms import functional

    rng = np.random.default_rng(1)
    image, mask = rng.integers(0, 256, (5, 6, 3)).astype(dtype), rng.integers(0, 2, (5, 6)).astype(dtype)
    by = 255.0 if dtype == np.uint8 else 1
    want = torch.from_numpy(np.moveaxis(image / by, -1, 0).astype(np.float32))
    want = want if normalize is None else functional.normalize(want, **normalize)
    aug = G.Compose([G.ToTensor(normalize=normalize)])
    out = aug(image=image, mask=mask)
    assert (out["image"].dtype, out["mask"].dtype, tuple(out["mask"].shape)) == (torch.float32, torch.float32, (1, 5, 6))
    torch.testing.assert_close(out["image"], want, rtol=2e-7, atol=1e-6)
    torch.testing.assert_close(out["mask"], torch.from_numpy((mask / by).astype(np.float32))[None])
    batch = aug.run({"image": np.stack([image] * 2), "mask": np.stack([mask] * 2)}, ids=[0, 1])
    assert tuple(batch["mask"].shape) == (2, 1, 5, 6)
    for kind in (np.bool_, np.int64, np.int16):
        labels = aug(image=image, mask=mask.astype(kind))["mask"]
        torch.testing.assert_close(labels, torch.from_numpy(mask.astype(np.float32))[None])
        labels = aug.run({"image": image[None], "mask": mask[None].astype(kind)}, ids=[0])["mask"]
        torch.testing.assert_close(labels, torch.from_numpy(mask.astype(np.float32))[None, None])
    several = G.Compose([G.ToTensor(num_classes=2)])(image=image, mask=np.stack([mask] * 2, 2))["mask"]
    assert tuple(several.shape) == (2, 5, 6)
    with pytest.raises(ValueError, match="num_classes above 1 needs sigmoid=True"):
        G.ToTensor(2, False)
    with pytest.raises(TypeError, match="normalize must be None or a dict of mean and std"):
        G.ToTensor(normalize={"mean": 3})

# ruff: noqa: E501  (tables)
"""Bad input: every error names the argument or the sample, the value, and the rule."""

from __future__ import annotations

import inspect
import re

import numpy as np
import parity
import pytest
import torch

import gpuaug as G

NEEDS = {name: about.needs for name, about in parity.ABOUT.items()}  # what else a transform needs before it can be built

# transform, arguments, words that the message must hold: the argument, the value, the rule
ARGUMENTS = [
    ("Affine", {"scale": 0}, ["scale", "0", r"\(0, inf\]"]),
    ("Affine", {"scale": (-1, 1)}, ["scale", "-1"]),
    ("Affine", {"scale": "big"}, ["scale", "'big'", "pair"]),
    ("Affine", {"scale": (1, 2, 3)}, ["scale", r"\(1, 2, 3\)", "pair"]),
    ("Affine", {"scale": {"z": 1}}, ["scale", "'z'", "'x'"]),
    ("Affine", {"scale": {}}, ["scale", "'x'"]),
    ("Affine", {"scale": (0.5, float("nan"))}, ["scale", "nan"]),
    ("Affine", {"scale": {"x": (0.5, 1), "y": (0.5, 2)}, "keep_ratio": True}, ["keep_ratio", "equal"]),
    ("Affine", {"translate_px": 3, "translate_percent": 0.1}, ["translate_percent", "translate_px", "not both"]),
    ("Affine", {"translate_px": 1.5}, ["translate_px", "1.5", "whole"]),
    ("Affine", {"translate_px": (0.5, 1.5)}, ["translate_px", "0.5", "whole"]),
    ("Affine", {"shear": 90}, ["shear", "90", "between -90 and 90"]),
    ("Affine", {"shear": (-100, 0)}, ["shear", "-100"]),
    ("Affine", {"rotate": "left"}, ["rotate", "'left'"]),
    ("Affine", {"rotate": (0, float("inf"))}, ["rotate", "inf"]),
    ("Affine", {"interpolation": 5}, ["interpolation", "5", "INTER_LANCZOS4", "take 1"]),
    ("Affine", {"interpolation": "linear"}, ["interpolation", "'linear'"]),
    ("Affine", {"mask_interpolation": -1}, ["mask_interpolation", "-1"]),
    ("Affine", {"border_mode": 5}, ["border_mode", "5", "reflect"]),
    ("Affine", {"border_mode": True}, ["border_mode", "True"]),
    ("Affine", {"rotate_method": "circle"}, ["rotate_method", "'circle'", "ellipse"]),
    ("Affine", {"fit_output": 1}, ["fit_output", "1", "True or False"]),
    ("Affine", {"fill": "red"}, ["fill", "number"]),
    ("Affine", {"fill": ()}, ["fill", r"\(\)", "channel"]),
    ("ShiftScaleRotate", {"shift_limit": 2}, ["shift_limit", "2", r"\[-1, 1\]"]),
    ("ShiftScaleRotate", {"scale_limit": -1.0}, ["scale_limit", "-1"]),
    ("ShiftScaleRotate", {"scale_limit": (-1.5, 0)}, ["scale_limit", "-1.5"]),
    ("ShiftScaleRotate", {"rotate_limit": "x"}, ["rotate_limit", "'x'"]),
    ("Blur", {"blur_limit": (7, 3)}, ["blur_limit", r"\(7, 3\)", "low <= high"]),
    ("Blur", {"blur_limit": (-3, 3)}, ["blur_limit", "-3"]),
    ("Blur", {"blur_limit": 3.5}, ["blur_limit", "3.5"]),
    ("MotionBlur", {"angle_range": (0, 400)}, ["angle_range", "400", "360"]),
    ("MotionBlur", {"direction_range": (-2, 0)}, ["direction_range", "-2"]),
    ("MotionBlur", {"direction_range": (1, -1)}, ["direction_range", "low <= high"]),
    ("MotionBlur", {"allow_shifted": "yes"}, ["allow_shifted", "'yes'"]),
    ("GaussianBlur", {"sigma_limit": (-1, 2)}, ["sigma_limit", "-1"]),
    ("GaussianBlur", {"sigma_limit": (3, 1)}, ["sigma_limit", "low <= high"]),
    ("GaussianBlur", {"sigma_limit": -1}, ["sigma_limit", "-1"]),
    ("GaussianBlur", {"blur_limit": -3}, ["blur_limit", "-3"]),
    ("GaussianBlur", {"blur_limit": (3.5, 7.0)}, ["blur_limit", "3.5", "whole"]),
    ("RandomBrightnessContrast", {"brightness_limit": "x"}, ["brightness_limit", "'x'"]),
    ("RandomBrightnessContrast", {"contrast_limit": (0, float("nan"))}, ["contrast_limit", "nan"]),
    ("RandomBrightnessContrast", {"brightness_by_max": 0}, ["brightness_by_max", "True or False"]),
    (
        "RandomBrightnessContrast",
        {"brightness_by_max": False, "ensure_safe_range": True},
        ["ensure_safe_range", "brightness_by_max"],
    ),
    ("HueSaturationValue", {"hue_shift_limit": "x"}, ["hue_shift_limit", "'x'"]),
    ("HueSaturationValue", {"sat_shift_limit": (float("inf"), 0)}, ["sat_shift_limit", "inf"]),
    ("HueSaturationValue", {"val_shift_limit": [1]}, ["val_shift_limit", "pair"]),
    ("GaussNoise", {"std_range": (0, 2)}, ["std_range", "2", r"\[0, 1\]"]),
    ("GaussNoise", {"std_range": (0.4, 0.2)}, ["std_range", "low <= high"]),
    ("GaussNoise", {"std_range": 0.2}, ["std_range", "0.2"]),
    ("GaussNoise", {"mean_range": (-2, 0)}, ["mean_range", "-2"]),
    ("GaussNoise", {"noise_scale_factor": 1.5}, ["noise_scale_factor", "1.5"]),
    ("Resize", {"height": 0}, ["height", "0", r"\[1,"]),
    ("Resize", {"width": 2.5}, ["width", "2.5", "whole"]),
    ("Resize", {"interpolation": 7}, ["interpolation", "7", "INTER_LANCZOS4"]),
    ("RandomResizedCrop", {"size": 4}, ["size", "4", "height, width"]),
    ("RandomResizedCrop", {"size": (0, 4)}, ["size", "0"]),
    ("RandomResizedCrop", {"scale": (-0.5, 1)}, ["scale", "-0.5"]),
    ("RandomResizedCrop", {"scale": (0.5, 0.1)}, ["scale", "low <= high"]),
    ("RandomResizedCrop", {"ratio": (0, 1)}, ["ratio", "0"]),
    ("RandomCrop", {"height": -1}, ["height", "-1"]),
    ("RandomCrop", {"pad_position": "middle"}, ["pad_position", "'middle'", "'center'"]),
    ("CenterCrop", {"border_mode": 9}, ["border_mode", "9"]),
    ("Pad", {"padding": -1}, ["padding", "-1", r"\[0,"]),
    ("Pad", {"padding": 1.5}, ["padding", "1.5", "whole"]),
    ("Pad", {"padding": (1, 2, 3)}, ["padding", r"\(1, 2, 3\)", "left, top, right, bottom"]),
    ("Pad", {"padding": (1, -2)}, ["padding", "-2"]),
    ("Pad", {"padding": 1 << 31}, ["padding", str(1 << 31)]),
    ("Pad", {"border_mode": 5}, ["border_mode", "5", "reflect"]),
    ("Pad", {"fill": "random"}, ["fill", "number"]),
    ("PadIfNeeded", {"min_height": 0}, ["min_height", "0", r"\[1,"]),
    ("PadIfNeeded", {"min_height": None}, ["min_height", "None", "pad_height_divisor"]),
    ("PadIfNeeded", {"pad_width_divisor": 8}, ["min_width", "1024", "pad_width_divisor", "8", "None"]),
    ("PadIfNeeded", {"min_width": None, "pad_width_divisor": 0}, ["pad_width_divisor", "0", r"\[1,"]),
    ("PadIfNeeded", {"position": "left"}, ["position", "'left'", "'top_left'"]),
    ("XYMasking", {"num_masks_x": -1}, ["num_masks_x", "-1"]),
    ("XYMasking", {"num_masks_y": (2, 1)}, ["num_masks_y", "low <= high"]),
    ("XYMasking", {"mask_y_length": 1.5}, ["mask_y_length", "1.5"]),
    ("XYMasking", {"fill": "gray"}, ["fill", "'gray'", "'random'"]),
    ("XYMasking", {"fill": "inpaint"}, ["fill", "inpaint_ns", "random"]),
    ("XYMasking", {"fill_mask": "random"}, ["fill_mask"]),
    ("CoarseDropout", {"num_holes_range": (0, 1)}, ["num_holes_range", "0"]),
    ("CoarseDropout", {"num_holes_range": (3, 1)}, ["num_holes_range", "low <= high"]),
    ("CoarseDropout", {"hole_height_range": (-0.1, 0.2)}, ["hole_height_range", "-0.1"]),
    (
        "CoarseDropout",
        {"hole_height_range": (0.1, 0.2), "hole_width_range": (3, 9)},
        ["hole_height_range", "hole_width_range", "both"],
    ),
    ("TimeMasking", {"time_mask_param": 0}, ["time_mask_param", "0"]),
    ("TimeMasking", {"time_mask_param": 2.5}, ["time_mask_param", "2.5"]),
    ("FrequencyMasking", {"freq_mask_param": -1}, ["freq_mask_param", "-1"]),
    ("Normalize", {"std": 0}, ["std", "0"]),
    ("Normalize", {"std": (0.2, 0.0, 0.2)}, ["std", "0"]),
    ("Normalize", {"mean": "imagenet"}, ["mean", "'imagenet'"]),
    ("Normalize", {"max_pixel_value": 0}, ["max_pixel_value", "0"]),
    ("Normalize", {"normalization": "whiten"}, ["normalization", "'whiten'", "'standard'"]),
    ("ToTensorV2", {"p": 0.5}, ["p", "0.5", "1"]),
]


@pytest.mark.parametrize(("name", "arguments", "words"), ARGUMENTS, ids=lambda x: x if isinstance(x, str) else None)
def test_arguments(name, arguments, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        getattr(G, name)(**{**NEEDS.get(name, {}), **arguments})
    for word in words:
        assert re.search(word, str(caught.value), re.IGNORECASE), f"{caught.value} does not say {word}"


@pytest.mark.parametrize("name", sorted(G.REGISTRY))
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), "half", None, True])
def test_p(name, p):
    if "p" not in inspect.signature(G.REGISTRY[name].__init__).parameters:
        pytest.skip("has no p")
    with pytest.raises((TypeError, ValueError), match=r"\bp\b") as caught:
        G.REGISTRY[name](**{**NEEDS.get(name, {}), "p": p})
    assert repr(p).lower() in str(caught.value).lower()


@pytest.mark.parametrize("name", sorted(G.REGISTRY))
def test_unknown_arguments(name):
    with pytest.raises(TypeError, match="wobble"):
        G.REGISTRY[name](**NEEDS.get(name, {}), wobble=1)


def test_every_number_is_checked():
    """No argument that has a number for its default takes a word without complaint."""
    silent = []
    for name, cls in G.REGISTRY.items():
        for argument, parameter in inspect.signature(cls.__init__).parameters.items():
            default = parameter.default
            if isinstance(default, (int, float, tuple)):
                try:
                    cls(**{**NEEDS.get(name, {}), argument: "nonsense"})
                except (TypeError, ValueError) as error:
                    if argument not in str(error) and argument.replace("_value", "") not in str(error):
                        silent.append(f"{name}.{argument}: {error}")
                else:
                    silent.append(f"{name}.{argument}: accepted")
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize(("build", "words"), [
    (lambda: G.Compose("HorizontalFlip"), "transforms must be a list"),
    (lambda: G.Compose([G.HorizontalFlip]), r"transforms\[0\]"),
    (lambda: G.Compose([G.NoOp(), lambda x: x]), r"transforms\[1\]"),
    (lambda: G.Compose([], p=2), "p must lie"),
    (lambda: G.Compose([], additional_targets={"depth": "boxes"}), r"additional_targets\['depth'\].*'boxes'"),
    (lambda: G.OneOf([G.HorizontalFlip(p=0)]), "p above 0"),
    (lambda: G.OneOf([None]), r"transforms\[0\]"),
    (lambda: G.SomeOf([G.NoOp()], n=(1, 0)), "n must be"),
    (lambda: G.SomeOf([G.NoOp()], n=-1), "n must"),
    (lambda: G.SomeOf([G.NoOp()], n=0.5), r"\bn\b"),
    (lambda: G.SomeOf([G.NoOp()], replace=3), "replace"),
    (lambda: G.RandomOrder([G.NoOp()], n=(3, 2)), "n must"),
    (lambda: G.OneOrOther(G.NoOp()), r"transforms\[1\]"),
    (lambda: G.OneOrOther(transforms=[G.NoOp()]), "two transforms"),
    (lambda: G.OneOrOther(G.NoOp(), G.NoOp(), p=3), "p must"),
])  # fmt: skip
def test_groups(build, words):
    with pytest.raises((TypeError, ValueError), match=words):
        build()


@pytest.mark.parametrize("group", [G.SomeOf, G.RandomOrder])
def test_more_of_than_there_are_is_a_warning(group):
    """As in albumentations: all of them are taken."""
    with pytest.warns(UserWarning, match="n=5 is more than there are transforms; 2 is taken"):
        some = group([G.HorizontalFlip(p=1), G.VerticalFlip(p=1)], n=5)
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(G.Compose([some])(image), image[::-1, ::-1])


# ---- data ----------------------------------------------------------------------------------------

IMAGE = np.zeros((9, 12, 3), np.uint8)
FLIP = G.Compose([G.HorizontalFlip(p=1)])


@pytest.mark.parametrize(("data", "words"), [
    (np.zeros((2, 9, 12, 3), np.complex64), "complex64"),
    (np.zeros((2, 9, 12, 3), object), "object"),
    (torch.zeros(2, 3, 9, 12, dtype=torch.complex64), "complex64"),
    (np.zeros((2, 2, 9, 12, 3), np.uint8), r"dimensions.*\(2, 2, 9, 12, 3\)"),
    (np.zeros(7, np.uint8), r"dimensions.*\(7,\)"),
    (np.zeros((2, 0, 12, 3), np.uint8), "height 0"),
    (np.zeros((2, 9, 12, 0), np.uint8), "channels 0"),
    ([IMAGE, IMAGE[0, 0]], r"image 1 .*\(3,\)"),
    ([IMAGE, IMAGE[:0]], "image 1 has no pixels: height 0"),
    ([IMAGE, IMAGE[:, :, :1]], "image 1 .* 1 channels.*image 0 .* 3"),
    ([IMAGE, IMAGE.astype(np.float32)], "image 1 is float32.*image 0 is uint8"),
    ([IMAGE, IMAGE.astype(np.float64)], "image 1 is float64.*image 0 is uint8"),
    ([IMAGE, "picture.jpg"], "image 1: .*str"),
    ([IMAGE, None], "image 1: .*NoneType"),
    ("picture.jpg", "image: .*str"),
    ({"a": IMAGE}, "image: .*dict"),
])  # fmt: skip
def test_images(data, words):
    for call in (lambda: FLIP(image=data), lambda: FLIP.run({"image": data}, ids=np.arange(2))):
        with pytest.raises((TypeError, ValueError), match=words):
            call()


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("aug", [G.RandomBrightnessContrast(p=1), G.Affine(rotate=9, p=1), G.GaussianBlur(p=1), G.Normalize(), G.GaussNoise(p=1)],
                         ids=lambda t: type(t).__name__)  # fmt: skip
def test_integer_images(aug, dtype):
    """Kernels carry int32 as bits, for masks: arithmetic on an image of that type would deliver nonsense."""
    with pytest.raises((TypeError, ValueError), match=r"image.*int"):
        G.Compose([aug])(image=IMAGE.astype(dtype))


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("aug", [G.Affine(rotate=9, mask_interpolation=1, p=1), G.Resize(5, 5, mask_interpolation=2)],
                         ids=lambda t: type(t).__name__)  # fmt: skip
def test_integer_masks_are_not_interpolated(aug, dtype):
    with pytest.raises((TypeError, ValueError), match="mask_interpolation"):
        G.Compose([aug])(image=IMAGE, mask=np.full((9, 12), 1 << 30, dtype))


def test_labels_beyond_32_bits():
    with pytest.raises(ValueError, match="32 bits"):
        FLIP(image=IMAGE, mask=np.full((9, 12), 1 << 31, np.int64))


@pytest.mark.parametrize(("targets", "words"), [
    ({"image": [IMAGE, IMAGE], "mask": [IMAGE[:, :, 0], IMAGE[:8, :, 0]]}, r"mask 1 is \(8, 12\).*image 1 is \(9, 12\)"),
    ({"image": [IMAGE], "mask": [IMAGE[:, :, 0]] * 2}, "mask has 2 samples, image has 1"),
    ({"image": IMAGE, "mask": IMAGE[:, :11, 0]}, r"mask 0 is \(9, 11\)"),
    ({"image": IMAGE, "depth": IMAGE}, "depth.*additional_targets"),
    ({"mask": IMAGE}, "image="),
    ({}, "image="),
])  # fmt: skip
def test_targets(targets, words):
    with pytest.raises(ValueError, match=words):
        FLIP(**targets)


def test_an_image_given_twice():
    with pytest.raises(ValueError, match="not both"):
        FLIP(IMAGE, image=IMAGE)


@pytest.mark.parametrize(("aug", "image", "words"), [
    (G.HueSaturationValue(p=1), np.zeros((9, 12, 4), np.uint8), "HueSaturationValue.*1 or 3 channels, got 4"),
    (G.Normalize(), np.zeros((9, 12, 4), np.uint8), "Normalize: mean has 3 values .* 4 channels"),
    (G.Normalize(mean=0, std=(1, 2)), IMAGE, "Normalize: std has 2 values .* 3 channels"),
    (G.Affine(fill=(1, 2), p=1), IMAGE, r"Affine: fill=\(1.*2.*\) has 2 values .* 3"),
    (G.Affine(fill=256, p=1), IMAGE, "Affine: fill=256 does not fit uint8.*0 .. 255"),
    (G.Affine(fill=-1, p=1), IMAGE, "fill=-1"),
    (G.XYMasking(num_masks_x=1, mask_x_length=2, fill=(1, 2, 3, 4), p=1), IMAGE, "XYMasking: fill=.* 4 values .* 3"),
    (G.XYMasking(num_masks_x=1, mask_x_length=2, fill=300, p=1), IMAGE, "fill=300"),
    (G.XYMasking(num_masks_x=1, mask_x_length=13, p=1), IMAGE, "mask_x_length .*13.*12.*width"),
    (G.XYMasking(num_masks_y=1, mask_y_length=(2, 10), p=1), IMAGE, "mask_y_length .*10.*9.*height"),
    (G.RandomCrop(10, 4), IMAGE, "RandomCrop: .*height 10, width 4 .*image 0.*9, 12"),
    (G.CenterCrop(4, 13), IMAGE, "CenterCrop: .*width 13"),
    (G.Pad(1, fill=(1, 2)), IMAGE, r"Pad: fill=.* has 2 values .* 3 channels"),
    (G.Pad(1, fill=300), IMAGE, "Pad: fill=300 does not fit uint8"),
    (G.Pad(1 << 24), IMAGE, r"Pad: .*more than 2\^31 - 1 elements"),
    (G.CoarseDropout(fill=(1, 2), p=1), IMAGE, "CoarseDropout: fill="),
])  # fmt: skip
def test_arguments_that_do_not_fit_the_data(aug, image, words):
    with pytest.raises(ValueError, match=words):
        G.Compose([aug])(image)


def test_the_sample_that_is_too_small_is_named():
    data = [np.zeros((20, 20, 3), np.uint8)] * 3 + [IMAGE]
    with pytest.raises(ValueError, match="image 3"):
        G.Compose([G.RandomCrop(10, 10)])(data)


@pytest.mark.parametrize(
    "aug", [G.RandomCrop(10, 10, p=0.5), G.XYMasking(num_masks_x=1, mask_x_length=20, p=0.5)], ids=lambda t: type(t).__name__
)
def test_the_sample_that_is_too_small_is_named_among_those_that_drew_it(aug):
    """The number is that of the batch, not of those whose coin fell on the transform."""
    size = np.array([[20, 20]] * 63 + [[9, 12]])
    said = []
    for seed in range(20):
        try:
            G.Compose([aug], seed=seed).draw(size, ids=np.arange(64))
        except ValueError as error:
            said.append(str(error))
    assert said
    assert all(re.search(r"(image|sample) 63\b", text) for text in said), said[0]


def test_sizes_that_differ_at_the_end():
    data = [IMAGE, np.zeros((5, 12, 3), np.uint8)]
    with pytest.raises(ValueError, match=r"image 0 is \(9, 12\).*image 1 is \(5, 12\).*Resize"):
        FLIP.run({"image": data}, ids=np.arange(2))
    assert [x.shape for x in FLIP(data)] == [(9, 12, 3), (5, 12, 3)]


def test_results_of_too_many_elements():
    """Kernels count pixels in 31 bits: what they cannot count is an error, not an image that nobody has written."""
    with pytest.raises(ValueError, match=r"Resize|50000"):
        G.Compose([G.Resize(50000, 50000)])(IMAGE[:, :, 0])


def test_normalize_on_some_samples():
    with pytest.raises(ValueError, match=r"Normalize .*every sample.*p to 1"):
        G.Compose([G.Normalize(p=0.5)], seed=1)(np.zeros((64, 4, 4, 3), np.uint8))


@pytest.mark.parametrize("kwargs", [{"layout": "NHWC"}, {"dtype": torch.float64}, {"device": "meta"}])
def test_wrong_delivery(kwargs):
    with pytest.raises(
        (TypeError, ValueError, RuntimeError),
        match=next(iter(kwargs.values())) if isinstance(next(iter(kwargs.values())), str) else "dtype",
    ):
        FLIP.run({"image": IMAGE[None]}, ids=[0], **kwargs)


@pytest.mark.parametrize("n", [1, 7, 65])
def test_as_many_ids_as_samples(n):
    """Too few ids would leave samples without a draw."""
    data = np.zeros((64, 4, 4, 3), np.uint8)
    for call in (
        lambda ids: G.Compose([G.HorizontalFlip(p=0.5)], seed=1).run({"image": data}, ids=ids),
        lambda ids: G.Compose([G.HorizontalFlip(p=0.5)], seed=1)(data, ids=ids),
    ):
        with pytest.raises(ValueError, match="ids"):
            call(np.arange(n))


def test_a_failed_call_changes_nothing():
    compose = G.Compose([G.RandomCrop(10, 10), G.HorizontalFlip()], seed=1)
    before = compose.state_dict()
    with pytest.raises(ValueError, match="RandomCrop"):
        compose(IMAGE, ids=[3])
    assert compose.state_dict() == before

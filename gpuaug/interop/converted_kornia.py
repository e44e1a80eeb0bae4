"""Kornia's pipelines made into gpuaug's: its augmentations by those of gpuaug that do the same, and others run by Kornia."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import kornia.augmentation as K
import torch
from kornia.augmentation.base import _BasicAugmentationBase
from kornia.constants import DataKey, Resample, SamplePadding

from .. import transforms as T
from ..checks import one_of
from ..compose import Compose
from ..groups import OneOf, RandomOrder, Sequential
from ..label_params import BboxParams, KeypointParams
from .kornia import Kornia

_INTERPOLATION = {Resample.NEAREST: 0, Resample.BILINEAR: 1, Resample.BICUBIC: 2}
_RESIZING = _INTERPOLATION | {Resample.NEAREST: 6}
_BOXES = {DataKey.BBOX_XYXY: "pascal_voc", DataKey.BBOX: "pascal_voc", DataKey.BBOX_XYWH: "coco"}
_RUN = "Kornia runs it with unsupported='wrap'"


def from_kornia(
    pipeline: Any, *, bbox_params: Any = None, keypoint_params: Any = None, seed: int | None = None, unsupported: str = "raise"
) -> Any:
    """A pipeline, or an augmentation, of Kornia as a `gpuaug.Compose`.

    Args:
        pipeline: an ``AugmentationSequential``, ``ImageSequential`` or ``nn.Sequential`` of 2D augmentations, nested too, a list
            of them, or one of them.
        bbox_params, keypoint_params: of the Compose; None: as ``data_keys`` say, with all keypoints kept.
        seed: of the Compose.
        unsupported: of augmentations, and arguments of theirs, that no transform of gpuaug has: "raise", or "wrap", which lets
            Kornia run those, on the device, for the samples that drew them (docs/own-transforms.md; `explain` shows which).

    Every sample draws by itself, so ``same_on_batch`` and ``p_batch`` are refused. The Compose takes what gpuaug takes: uint8
    counts as value / 255. What is converted, and where the arithmetic differs, is listed in docs/saving.md.

    Raises:
        ValueError: what cannot be converted: all in one message, with places and reasons.
        TypeError: what is no pipeline of Kornia's.

    Example:
        >>> import kornia.augmentation as K, gpuaug as G
        >>> G.from_kornia(K.AugmentationSequential(K.RandomHorizontalFlip(p=0.5), K.RandomBrightness((0.8, 1.2), p=0.3)), seed=1)
        Compose([
          HorizontalFlip(p=0.5),
          RandomBrightnessContrast(brightness_limit=(-0.2, 0.2), contrast_limit=(0.0, 0.0), brightness_by_max=True, \
ensure_safe_range=False, p=0.3),
        ], p=1.0, seed=1)
    """
    wrap = one_of("unsupported", unsupported, ("raise", "wrap")) == "wrap"
    if isinstance(pipeline, (list, tuple)):
        pipeline = torch.nn.Sequential(*pipeline)
    if not isinstance(pipeline, (torch.nn.Sequential, _BasicAugmentationBase)):
        raise TypeError(f"from_kornia takes pipelines and augmentations of Kornia, got {pipeline!r:.80}")
    reader = _Reader(wrap)
    found = reader.node(pipeline, "pipeline")
    if reader.faults:
        raise ValueError("\n- ".join(["this pipeline of Kornia cannot be one of gpuaug:", *reader.faults]))
    keys = getattr(pipeline, "data_keys", None) or ()
    if bbox_params is None:
        bbox_params = next((BboxParams(_BOXES[key]) for key in keys if key in _BOXES), None)
    if keypoint_params is None and DataKey.KEYPOINTS in keys:
        keypoint_params = KeypointParams("xy", remove_invisible=False)
    return Compose(found, bbox_params=bbox_params, keypoint_params=keypoint_params, seed=seed)


class _Unlike(Exception):
    """Why an augmentation has no equal among gpuaug's transforms."""


class _Reader:
    """Reads a tree of modules; ``faults`` are what it could not take, with places."""

    def __init__(self, wrap: bool):
        self.wrap, self.faults = wrap, []

    def node(self, thing, place: str) -> list:
        """What stands for a module: transforms, one after the other."""
        if isinstance(thing, torch.nn.Identity):
            return []
        if isinstance(thing, _BasicAugmentationBase):
            return self._augmentation(thing, place)
        name = type(thing).__name__
        if type(thing) in (K.AugmentationSequential, K.ImageSequential, torch.nn.Sequential):
            return self._sequence(thing, place)
        why = (
            "pass the frames as images=, they share one draw"
            if isinstance(thing, K.VideoSequential)
            else "gpuaug.Torch(module) applies modules to the caller's images"
        )
        self.faults.append(f"{place}: {name} is no augmentation, nor a sequence of them: {why}")
        return []

    def _augmentation(self, thing, place: str) -> list:
        name = type(thing).__name__
        draws = "same_on_batch" in inspect.signature(type(thing).__init__).parameters
        if (thing.same_on_batch and draws) or getattr(thing, "p_batch", 1) != 1:
            self.faults.append(
                f"{place}: {name} has same_on_batch={thing.same_on_batch}, p_batch={thing.p_batch}, draws for a batch: in gpuaug "
                f"each sample draws by itself"
            )
            return []
        try:
            return [_equal(thing)]
        except (_Unlike, TypeError, ValueError) as error:
            why = str(error)
        try:
            kept = Kornia(thing)
        except (TypeError, ValueError) as error:
            self.faults.append(f"{place}: {error}")
            return []
        if not self.wrap:
            self.faults.append(f"{place}: {name}: {why}; {_RUN}")
        return [kept]

    def _sequence(self, thing, place: str) -> list:
        children = [self.node(child, f"{place}[{i}]") for i, child in enumerate(thing)]
        extra = getattr(thing, "extra_args", None)
        if extra and extra != {DataKey.MASK: {"resample": Resample.NEAREST, "align_corners": None}}:
            self.faults.append(f"{place}: extra_args={extra}: masks move to the nearest pixel; leave it out")
        how = getattr(thing, "random_apply", False)
        if how is False:
            return [each for child in children for each in child]
        low, high = how[0], how[1] - 1
        weights = thing.random_apply_weights.tolist()
        if len(set(weights)) > 1:
            if how != (1, 2):
                self.faults.append(f"{place}: random_apply_weights are there for random_apply=1, not for {low} to {high}")
                return []
            return [OneOf([Sequential(child, p=w / max(weights)) for child, w in zip(children, weights) if w], p=1.0)]
        replaced = [n > min(sum(weights), len(children)) for n in range(low, high + 1)]
        if len(set(replaced)) > 1:
            self.faults.append(
                f"{place}: random_apply={low} to {high} of {len(children)} with weights of {weights[0]:g} repeats augmentations "
                f"only when it takes many; in gpuaug a RandomOrder repeats always or never: split it"
            )
            return []
        alike = [child[0] if len(child) == 1 and child[0].p == 1 else Sequential(child, p=1.0) for child in children]
        return [RandomOrder(alike, n=(low, high), replace=replaced[0], p=1.0)]


# ---- augmentations -------------------------------------------------------------------------------


def _equal(aug):
    """The transform of gpuaug that does what an augmentation does."""
    make = _EQUAL.get(type(aug))
    if make is None:
        more = _INSTEAD.get(type(aug).__name__)
        raise _Unlike(f"no transform of gpuaug does the same{'' if more is None else f' ({more})'}")
    return make(aug)


def _need(what: bool, words: str) -> None:
    if not what:
        raise _Unlike(words)


def _number(value) -> float:
    """A number that travelled in float32, as it was written."""
    return float(f"{float(value):.7g}")


def _bounds(sampler) -> tuple[float, float]:
    return (0.0, 0.0) if sampler is None else (_number(sampler.low), _number(sampler.high))


def _drawn(aug, name: str) -> tuple[float, float]:
    return _bounds(aug._param_generator.sampler_dict[name])


def _less(span: tuple[float, float]) -> tuple[float, float]:
    """Factors as differences from 1."""
    return tuple(_number(edge - 1) for edge in span)


def _pair(value) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _square(aug, what: str) -> int:
    kernel = _pair(aug.flags["kernel_size"])
    _need(kernel[0] == kernel[1], f"gpuaug's {what} has one size for both axes, this is {kernel}")
    border = aug.flags.get("border_type")
    _need(border is None or border.name == "REFLECT", f"gpuaug's {what} reflects the image at its border")
    return kernel[0]


def _brightness(aug):
    _need(aug.clip_output, "clip_output=False: gpuaug clips")
    return T.RandomBrightnessContrast(_less(_drawn(aug, "brightness_factor")), (0.0, 0.0), p=aug.p)


def _contrast(aug):
    _need(aug.clip_output, "clip_output=False: gpuaug clips")
    return T.RandomBrightnessContrast((0.0, 0.0), _less(_drawn(aug, "contrast_factor")), p=aug.p)


def _gamma(aug):
    _need(_drawn(aug, "gain_factor") == (1.0, 1.0), "RandomGamma has no gain in gpuaug")
    return T.RandomGamma(tuple(_number(100 * edge) for edge in _drawn(aug, "gamma_factor")), p=aug.p)


def _solarize(aug):
    _need(_drawn(aug, "additions") == (0.0, 0.0), "Solarize has no additions in gpuaug")
    return T.Solarize(_drawn(aug, "thresholds"), p=aug.p)


def _posterize(aug):
    bits = _bounds(aug._param_generator.bit_sampler)
    _need(bits[0] == bits[1], "Kornia rounds a number of bits that is drawn from a range, gpuaug draws a whole one")
    return T.Posterize(round(bits[0]), p=aug.p)


def _jitter(aug):
    _need(aug._fixed_order is None, "ColorJitter draws its order in gpuaug")
    draws = aug._param_generator
    names = ("brightness", "contrast", "saturation", "hue")
    return T.ColorJitter(*(_bounds(getattr(draws, f"{name}_sampler")) for name in names), p=aug.p)


def _hue(aug):
    return T.ColorJitter((1.0, 1.0), (1.0, 1.0), (1.0, 1.0), _drawn(aug, "hue_factor"), p=aug.p)


def _gray(aug):
    _need(aug.rgb_weights is None, "ToGray has its own rgb_weights in gpuaug")
    return T.ToGray(p=aug.p)


def _shift(aug):
    limits = [_drawn(aug, f"{name}_shift") for name in "rgb"]
    _need(max(abs(edge) for limit in limits for edge in limit) <= 1, "shifts beyond 1")
    return T.RGBShift(*limits, p=aug.p)


def _noise(aug):
    mean, std = (_number(getattr(aug._param_generator, name)) for name in ("mean", "std"))
    return T.GaussNoise((std, std), (mean, mean), p=aug.p)


def _blur(aug):
    size = _square(aug, "GaussianBlur")
    return T.GaussianBlur((size, size), _bounds(aug._param_generator.sigma_sampler), p=aug.p)


def _box(aug):
    size = _square(aug, "Blur")
    _need(aug.flags["normalized"], "normalized=False")
    return T.Blur((size, size), p=aug.p)


def _normalize(aug):
    mean, std = (aug.flags[name].flatten().tolist() for name in ("mean", "std"))
    one = T.Normalize([_number(m) for m in mean], [_number(s) for s in std], max_pixel_value=1.0)
    _need(aug.p == 1, "a Normalize that only some samples of a batch get")
    return Sequential([T.ToFloat(), one], p=1.0)  # bytes become fractions, as Kornia's images are


def _erasing(aug):
    _need(aug.value == 0, f"value={aug.value:g}: only 0 is the same for bytes and floats")
    return T.Erasing(tuple(map(float, aug.scale)), tuple(map(float, aug.ratio)), fill=0, fill_mask=0, p=aug.p)


def _centre(aug):
    _need(aug.flags["cropping_mode"] == "slice", "cropping_mode='resample' interpolates")
    return T.CenterCrop(*_pair(aug.flags["size"]), p=aug.p)


def _crop(aug):
    flags = aug.flags
    _need(flags["cropping_mode"] == "slice", "cropping_mode='resample' interpolates")
    _need(not flags["pad_if_needed"], "pad_if_needed pads both sides by all that is missing in Kornia")
    crop = T.RandomCrop(*_pair(flags["size"]))
    if flags["padding"] is None:
        return crop
    modes = {"constant": 0, "edge": 1, "replicate": 1, "reflect": 4}
    _need(flags["padding_mode"] in modes, f"padding_mode={flags['padding_mode']!r}")
    _need(flags["fill"] == 0, "fill: only 0 is the same for bytes and floats")
    padding = flags["padding"] if isinstance(flags["padding"], int) else list(flags["padding"])
    return Sequential([T.Pad(padding, border_mode=modes[flags["padding_mode"]]), crop], p=1.0)


def _resized(aug):
    flags, draws = aug.flags, aug._param_generator
    _need(flags["cropping_mode"] == "slice", "cropping_mode='resample' interpolates twice")
    span = {"scale": tuple(map(float, draws.scale)), "ratio": tuple(map(float, draws.ratio))}
    how = {"interpolation": _RESIZING[flags["resample"]], "mask_interpolation": 6}
    return T.RandomResizedCrop(_pair(flags["size"]), **span, **how)


def _resize(aug):
    flags = aug.flags
    _need(not flags["antialias"], "antialias is another filter in gpuaug")
    how = {"interpolation": _RESIZING[flags["resample"]], "mask_interpolation": 6}
    if isinstance(flags["size"], (tuple, list)):
        return T.Resize(*flags["size"], **how)
    sides = {"long": T.LongestMaxSize, "short": T.SmallestMaxSize}
    _need(flags["side"] in sides, f"side={flags['side']!r}")
    return sides[flags["side"]](flags["size"], **how)


def _pad_to(aug):
    flags = aug.flags
    _need(flags["pad_mode"] == "constant" and flags["pad_value"] == 0, "pads with 0 alone are the same for bytes and floats")
    height, width = flags["size"]
    if not flags["crop_if_exceeds"]:
        return T.PadIfNeeded(height, width, position="top_left")
    return T.Crop(0, 0, width, height, pad_if_needed=True, pad_position="top_left", p=1.0)


def _rotation(aug):
    way = _INTERPOLATION[aug.flags["resample"]]
    return T.Rotate(_drawn(aug, "degrees"), interpolation=way, p=aug.p)


def _warped(aug, **where):
    flags = aug.flags
    _need(flags.get("fill_value") is None or flags["padding_mode"] != SamplePadding.FILL, "fill_value")
    reflect = 4 if flags["align_corners"] else 2
    border = {SamplePadding.ZEROS: 0, SamplePadding.BORDER: 1, SamplePadding.REFLECTION: reflect}[flags["padding_mode"]]
    return T.Affine(**where, interpolation=_INTERPOLATION[flags["resample"]], border_mode=border, p=aug.p)


def _affine(aug):
    draws = aug._param_generator
    turns, sheared = _bounds(draws.degree_sampler), draws.shear_x_sampler is not None
    _need(not (sheared and turns != (0.0, 0.0)), "it shears before it turns, gpuaug's Affine the other way round")
    scale = (1.0, 1.0) if draws.scale_2_sampler is None else _bounds(draws.scale_2_sampler)
    _need(not (sheared and scale != (1.0, 1.0)), "it shears before it scales, gpuaug's Affine the other way round")
    where = {"scale": scale, "rotate": (-turns[1], -turns[0]), "keep_ratio": True}
    if draws.scale_4_sampler is not None:
        where |= {"scale": {"x": scale, "y": _bounds(draws.scale_4_sampler)}, "keep_ratio": False}
    if draws.translate_x_sampler is not None:
        where["translate_percent"] = {"x": _bounds(draws.translate_x_sampler), "y": _bounds(draws.translate_y_sampler)}
    if sheared:
        where["shear"] = {"x": _bounds(draws.shear_x_sampler), "y": _bounds(draws.shear_y_sampler)}
    return _warped(aug, **where)


def _shear(aug):
    draws = aug._param_generator
    return _warped(aug, shear={"x": _bounds(draws.shear_x_sampler), "y": _bounds(draws.shear_y_sampler)})


def _translate(aug):
    draws = aug._param_generator
    spans = {"x": _bounds(draws.translate_x_sampler), "y": _bounds(draws.translate_y_sampler)}
    return _warped(aug, translate_percent=spans)


def _planckian(aug):
    modes = {len(T.jitter._LIGHT[mode]): mode for mode in ("blackbody", "cied")}
    _need(len(aug.pl) in modes, "select_from")
    return T.PlanckianJitter(modes[len(aug.pl)], p=aug.p)


_EQUAL: dict[type, Callable] = {
    K.CenterCrop: _centre,
    K.ColorJitter: _jitter,
    K.LongestMaxSize: _resize,
    K.Normalize: _normalize,
    K.PadTo: _pad_to,
    K.RandomAffine: _affine,
    K.RandomBoxBlur: _box,
    K.RandomBrightness: _brightness,
    K.RandomChannelShuffle: lambda aug: T.ChannelShuffle(p=aug.p),
    K.RandomContrast: _contrast,
    K.RandomCrop: _crop,
    K.RandomErasing: _erasing,
    K.RandomGamma: _gamma,
    K.RandomGaussianBlur: _blur,
    K.RandomGaussianNoise: _noise,
    K.RandomGrayscale: _gray,
    K.RandomHorizontalFlip: lambda aug: T.HorizontalFlip(p=aug.p),
    K.RandomHue: _hue,
    K.RandomInvert: lambda aug: T.InvertImg(p=aug.p),
    K.RandomPlanckianJitter: _planckian,
    K.RandomPosterize: _posterize,
    K.RandomRGBShift: _shift,
    K.RandomResizedCrop: _resized,
    K.RandomRotation: _rotation,
    K.RandomShear: _shear,
    K.RandomSolarize: _solarize,
    K.RandomTranslate: _translate,
    K.RandomVerticalFlip: lambda aug: T.VerticalFlip(p=aug.p),
    K.Resize: _resize,
    K.SmallestMaxSize: _resize,
}
_INSTEAD = {
    "ColorJiggle": "ColorJitter is nearest",
    "RandomAutoContrast": "AutoContrast works by channels",
    "RandomChannelDropout": "ChannelDropout is nearest",
    "RandomClahe": "CLAHE works on lightness",
    "RandomElasticTransform": "ElasticTransform is nearest",
    "RandomEqualize": "Equalize works on counts of bytes",
    "RandomJPEG": "ImageCompression is a JPEG",
    "RandomMedianBlur": "MedianBlur repeats the image at its border, where Kornia takes zeros",
    "RandomMotionBlur": "MotionBlur is nearest",
    "RandomPerspective": "Perspective is nearest",
    "RandomPlasmaBrightness": "PlasmaBrightnessContrast is nearest",
    "RandomPlasmaContrast": "PlasmaBrightnessContrast is nearest",
    "RandomPlasmaShadow": "PlasmaShadow is nearest",
    "RandomRain": "RandomRain has other arguments",
    "RandomRotation90": "RandomRotate90 turns the image with its sides, Kornia cuts it to its old ones",
    "RandomSaltAndPepperNoise": "SaltAndPepper takes a number of pixels, Kornia a probability for each",
    "RandomSaturation": "ColorJitter blends with gray, Kornia multiplies the saturation of HSV",
    "RandomSharpness": "Sharpen is nearest",
    "RandomSnow": "RandomSnow has other arguments",
    "RandomThinPlateSpline": "ThinPlateSpline is nearest",
}

"""Transforms under the names that they had in earlier releases of albumentations: each is a function that makes today's."""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import Any

from .arguments import called
from .hints import IntRange, PerAxis, Range
from .transform import Transform
from .transforms import (
    Affine,
    CropAndPad,
    Emboss,
    GaussNoise,
    HorizontalFlip,
    ImageCompression,
    Perspective,
    PiecewiseAffine,
    RandomBrightnessContrast,
    Sharpen,
    Superpixels,
    VerticalFlip,
)

FORMER: dict[str, tuple[str, str]] = {}  # name: (the releases that had it, what it is now)
_said: set[str] = set()


def former(versions: str, now: str, given: str = "") -> Transform:
    """Decorator: a function of former arguments that makes today's transform, and says so once. given: what it must be given."""

    def decorate(make):
        FORMER[make.__name__] = versions, now
        signature = inspect.signature(make)

        @functools.wraps(make)
        def named(*args, **kwargs) -> Transform:
            args, kwargs = called(make.__name__, signature, args, kwargs)
            transform = make(*args, **kwargs)
            if make.__name__ not in _said:
                _said.add(make.__name__)
                text = f"{make.__name__} is a name of albumentations {versions}; write {transform!r}"
                warnings.warn(text, DeprecationWarning, stacklevel=2)
            return transform

        named.__doc__ = _DOC.format(name=make.__name__, now=now, versions=versions, given=given)
        return named

    return decorate


_DOC = """``{now}``, under the name that it had in albumentations {versions}; a warning says what to write, once.

    Example:
        >>> import gpuaug as G
        >>> isinstance(G.{name}({given}), G.Transform)
        True
    """


def _range(value, other):
    """albumentations' ``to_tuple(value, low=other)``: a number makes a range with the other end."""
    return tuple(sorted((value, other))) if isinstance(value, (int, float)) else value


def _around(value):
    return (0.0 - value, 0.0 + value) if isinstance(value, (int, float)) else value


_ORDERS = {0: 0, 1: 1, 3: 2}  # of a spline, as skimage counts them: OpenCV's number
_BORDERS = {"constant": 0, "edge": 1, "symmetric": 2, "reflect": 4, "wrap": 3}


def _one(name: str, value, known: dict):
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
    return known[value]


@former("0.1 to 1.3", "RandomBrightnessContrast(contrast_limit=0)")
def RandomBrightness(limit: Range = 0.2, p: float = 0.5) -> Transform:
    return RandomBrightnessContrast(brightness_limit=limit, contrast_limit=0, p=p)


@former("0.1 to 1.3", "RandomBrightnessContrast(brightness_limit=0)")
def RandomContrast(limit: Range = 0.2, p: float = 0.5) -> Transform:
    return RandomBrightnessContrast(brightness_limit=0, contrast_limit=limit, p=p)


@former("0.1 to 1.3", 'ImageCompression("jpeg", (quality_lower, quality_upper))')
def JpegCompression(quality_lower: float = 99, quality_upper: float = 100, p: float = 0.5) -> Transform:
    return ImageCompression("jpeg", (quality_lower, quality_upper), p=p)


@former("0.1 to 0.5", "HorizontalFlip()")
def IAAFliplr(p: float = 0.5) -> Transform:
    return HorizontalFlip(p=p)


@former("0.1 to 0.5", "VerticalFlip()")
def IAAFlipud(p: float = 0.5) -> Transform:
    return VerticalFlip(p=p)


@former("0.1 to 0.5", "Emboss(alpha, strength)")
def IAAEmboss(alpha: Range = (0.2, 0.5), strength: Range = (0.2, 0.7), p: float = 0.5) -> Transform:
    return Emboss(_range(alpha, 0.0), _range(strength, 0.0), p=p)


@former("0.1 to 0.5", "Sharpen(alpha, lightness)")
def IAASharpen(alpha: Range = (0.2, 0.5), lightness: Range = (0.5, 1.0), p: float = 0.5) -> Transform:
    return Sharpen(_range(alpha, 0.0), _range(lightness, 0.0), p=p)


@former("0.1 to 0.5", "Superpixels((p_replace, p_replace), (n_segments, n_segments))")
def IAASuperpixels(p_replace: Range = 0.1, n_segments: IntRange = 100, p: float = 0.5) -> Transform:
    pairs = (v if isinstance(v, (tuple, list)) else (v, v) for v in (p_replace, n_segments))
    return Superpixels(*pairs, p=p)


@former("0.1 to 0.5", "GaussNoise((scale / 255, ..), (loc / 255, loc / 255), per_channel)")
def IAAAdditiveGaussianNoise(
    loc: float = 0, scale: Any = (0.01 * 255, 0.05 * 255), per_channel: bool = False, p: float = 0.5
) -> Transform:
    low, high = _range(scale, 0.0)
    return GaussNoise((low / 255, high / 255), (loc / 255, loc / 255), per_channel, p=p)


@former("0.1 to 0.5", "Perspective(scale, keep_size)")
def IAAPerspective(scale: Any = (0.05, 0.1), keep_size: bool = True, p: float = 0.5) -> Transform:
    return Perspective(_range(scale, 1.0), keep_size, p=p)


@former("0.1 to 0.5", "PiecewiseAffine(scale, nb_rows, nb_cols, border_mode=.., fill=cval)")
def IAAPiecewiseAffine(
    scale: Any = (0.03, 0.05),
    nb_rows: IntRange = 4,
    nb_cols: IntRange = 4,
    order: Any = 1,
    cval: Any = 0,
    mode: str = "constant",
    p: float = 0.5,
) -> Transform:
    how = {"interpolation": _one("order", order, _ORDERS), "border_mode": _one("mode", mode, _BORDERS), "fill": cval}
    return PiecewiseAffine(_range(scale, 0.0), nb_rows, nb_cols, **how, p=p)


@former("0.1 to 0.5", "Affine(scale, .., keep_ratio=True, border_mode=.., fill=cval)")
def IAAAffine(
    scale: Any = 1.0,
    translate_percent: PerAxis | None = None,
    translate_px: PerAxis | None = None,
    rotate: Range = 0.0,
    shear: PerAxis = 0.0,
    order: Any = 1,
    cval: Any = 0,
    mode: str = "reflect",
    p: float = 0.5,
) -> Transform:
    shear = _around(shear)
    return Affine(
        scale=_range(scale, 1.0),
        translate_percent=None if translate_percent is None else _range(translate_percent, 0),
        translate_px=None if translate_px is None else _range(translate_px, 0),
        rotate=_around(rotate),
        shear=shear if isinstance(shear, dict) else {"x": shear, "y": (0, 0)},
        interpolation=_one("order", order, _ORDERS),
        keep_ratio=not isinstance(scale, dict),
        border_mode=_one("mode", mode, _BORDERS),
        fill=cval,
        p=p,
    )


@former("0.1 to 0.5", "CropAndPad(px, percent, keep_size, border_mode=.., fill=pad_cval)", "px=2")
def IAACropAndPad(
    px: Any = None, percent: Any = None, pad_mode: str = "constant", pad_cval: Any = 0, keep_size: bool = True, p: float = 1.0
) -> Transform:
    how = {"border_mode": _one("pad_mode", pad_mode, _BORDERS), "fill": pad_cval}
    return CropAndPad(px, percent, keep_size, **how, p=p)


__all__ = [
    "IAAAdditiveGaussianNoise",
    "IAAAffine",
    "IAACropAndPad",
    "IAAEmboss",
    "IAAFliplr",
    "IAAFlipud",
    "IAAPerspective",
    "IAAPiecewiseAffine",
    "IAASharpen",
    "IAASuperpixels",
    "JpegCompression",
    "RandomBrightness",
    "RandomContrast",
]

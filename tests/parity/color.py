"""Colour."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import albumentations as A
import cv2
import numpy as np

import gpuaug as G
from gpuaug import library

from .about import PIXELS, about, unsteady
from .case import EXACT, FLOAT, Bound, Script, add, albumentations, bounds, parameters

for _note, _args in (
    ("defaults", {}),
    ("wide", {"brightness_limit": (-1, 1), "contrast_limit": (-0.9, 3)}),
    ("safe", {"brightness_limit": (-1, 1), "contrast_limit": (-3, 3), "ensure_safe_range": True}),
    ("by mean", {"brightness_limit": (-1, 1), "brightness_by_max": False}),
):
    # the mean of an image is a float32 sum on our side: the offset may be off by 1e-6 of itself and cross an integer
    _bound = bounds(Bound(0, 1, 0.999, "float32 mean") if _note == "by mean" else EXACT, FLOAT)

    add(
        G.RandomBrightnessContrast(p=1, **_args),
        albumentations(A.RandomBrightnessContrast(p=1, **_args)),
        "albumentations",
        _bound,
        note=_note,
    )


def in_vectors(f: Callable, image: np.ndarray) -> np.ndarray:
    """A function of single pixels, on one line of a multiple of 256: OpenCV's HSV2RGB truncates in vectors, but rounds the pixels
    that remain at the end of a line."""
    h, w, c = image.shape
    line = np.resize(image.reshape(-1, c), (1, -(-h * w // 256) * 256, c))
    return f(line)[0, : h * w].reshape(h, w, c)


def hsv(aug, image, params):
    """albumentations' uint8 path; for float images OpenCV's float HSV, since albumentations rounds to 8 bits in between."""
    shift = np.float32([2 * params["hue_shift"], params["sat_shift"] / 255, params["val_shift"] / 255])
    if image.dtype == np.uint8 or image.shape[2] == 1:
        if image.shape[2] == 1 and image.dtype != np.uint8:
            return np.clip(image + shift[2], 0, 1)
        return aug.apply(image, **params)
    h, s, v = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    s = np.where(s == 0, 0, np.clip(s + shift[1], 0, 1)).astype(np.float32)
    return cv2.cvtColor(cv2.merge([np.mod(h + shift[0], 360), s, np.clip(v + shift[2], 0, 1)]), cv2.COLOR_HSV2RGB)


def hue_saturation_value(note, **kwargs):
    aug = A.HueSaturationValue(p=1, **kwargs)

    def run(image, u, kind):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            params = parameters(aug, image, Script(u))
            return in_vectors(lambda line: hsv(aug, line, params).reshape(line.shape), image)

    fused = not library.load().path.stem.endswith("v2")
    # the baseline build has no fused multiply-add, which OpenCV's HSV2RGB has: a product that truncates on the other side
    u8 = EXACT if fused else Bound(1, 1, 0.99, "no fused multiply-add")
    # hue in degrees: 360 * 2^-24 / 60 on either side
    add(
        G.HueSaturationValue(p=1, **kwargs),
        run,
        "albumentations (uint8), cv2.cvtColor (float)",
        bounds(u8, FLOAT),
        channels=(1, 3),
        note=note,
    )


hue_saturation_value("defaults")
hue_saturation_value("whole", hue_shift_limit=(13, 13), sat_shift_limit=(-7, -7), val_shift_limit=(5, 5))
hue_saturation_value("wide", hue_shift_limit=(-180, 180), sat_shift_limit=(-255, 255), val_shift_limit=(-255, 255))


def _float(transform, dtype: str) -> Bound:
    return FLOAT if dtype == "float32" else EXACT


about(
    "RandomBrightnessContrast",
    family="colour",
    marks=PIXELS,
    bench={},
    variants=[{"brightness_by_max": False}],
    # by mean: the mean moves as far as the values
    gain=lambda transform, params: abs(params["alpha"]) + (0 if transform.brightness_by_max else abs(params["beta"])),
    bound=_float,
)
about("HueSaturationValue", family="colour", marks=PIXELS, bench={}, gain=unsteady, bound=_float)

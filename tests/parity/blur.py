"""Blurs."""

from __future__ import annotations

import albumentations as A

import gpuaug as G

from .about import PIXELS, about
from .case import EXACT, FLOAT, ROUNDED, Bound, add, albumentations, bounds

add(G.Blur((3, 9), p=1), albumentations(A.Blur((3, 9), p=1)), "albumentations", bounds(EXACT, FLOAT))
add(
    G.Blur((15, 31), p=1),
    albumentations(A.Blur((15, 31), p=1)),
    "albumentations",
    bounds(EXACT, FLOAT),
    channels=(1, 3),
    note="15 to 31",
)
_blur = bounds(ROUNDED, FLOAT)
add(G.GaussianBlur(p=1), albumentations(A.GaussianBlur(p=1)), "albumentations", _blur)
add(
    G.GaussianBlur(blur_limit=(3, 7), p=1),
    albumentations(A.GaussianBlur(blur_limit=(3, 7), p=1)),
    "albumentations",
    _blur,
    note="3 to 7",
)
add(G.MotionBlur(p=1), albumentations(A.MotionBlur(p=1)), "albumentations", _blur)
add(
    G.MotionBlur((9, 21), p=1),
    albumentations(A.MotionBlur((9, 21), p=1)),
    "albumentations",
    bounds(Bound(0, 1, 0.95, "means of an even number of pixels: ties"), FLOAT),
    channels=(1, 3),
    note="9 to 21",
)
add(
    G.MotionBlur((5, 7), allow_shifted=False, direction_range=(-1, 0), p=1),
    albumentations(A.MotionBlur((5, 7), allow_shifted=False, direction_range=(-1, 0), p=1)),
    "albumentations",
    _blur,
    channels=(1, 3),
    note="backward",
)


about(
    "Blur",
    family="blur",
    marks=PIXELS,
    bench={},
    variants=[{"blur_limit": (3, 31)}],
    bound=lambda transform, dtype: FLOAT if dtype == "float32" else EXACT,
)
for _name in ("GaussianBlur", "MotionBlur"):
    about(_name, family="blur", marks=PIXELS, bench={}, bound=lambda transform, dtype: _blur[dtype])
# albumentations takes the median of floats rounded to 1/255: rounding keeps the order, so theirs is ours rounded
_median = bounds(EXACT, Bound(0.5 / 255 + 1e-6, 0.5 / 255 + 1e-6, 1.0, "floats of albumentations are rounded to 1/255"))
add(G.MedianBlur(p=1), albumentations(A.MedianBlur(p=1)), "albumentations", _median)
add(
    G.MedianBlur((9, 21), p=1),
    albumentations(A.MedianBlur((9, 21), p=1)),
    "albumentations",
    _median,
    channels=(1, 3),
    note="9 to 21",
)
about(
    "MedianBlur",
    family="blur",
    marks=PIXELS,
    bench={},
    variants=[{"blur_limit": (7, 21)}],
    bound=lambda transform, dtype: _median[dtype],
)

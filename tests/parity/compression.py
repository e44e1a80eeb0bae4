"""Compression, and functions of the caller."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G

from .about import PIXELS, STILL, about, unsteady
from .case import EXACT, add, albumentations, bounds

for _kind, _range in (("jpeg", (20, 95)), ("webp", (20, 95)), ("jpeg", (1, 100))):
    add(
        G.ImageCompression(_kind, _range, p=1),
        albumentations(A.ImageCompression(_kind, _range, p=1)),
        "albumentations",
        bounds(EXACT, EXACT),
        note=f"{_kind} {_range[0]}",
        channels=(1, 3, 4),
    )
add(
    G.Lambda(image=lambda image: image[::-1].copy(), mask=lambda mask: mask[::-1].copy(), p=1),
    lambda image, u, kind: image[::-1],
    "NumPy",
    bounds(EXACT, EXACT),
    mask=True,
)
about("NoOp", family="turn", marks=[lambda L: L.NoOp(p=1)], bench="no: it does nothing")
about(
    "ImageCompression",
    family="no: a codec rounds, small differences grow to large ones",
    marks=PIXELS,
    bench={"quality_range": (60, 90)},
    behind="OpenCV's codec, which both call, is 97 % of albumentations' processor time, so that 1.03x is the most there can be; "
    "one of the other 3 % is the copy of each result into the batch.",
    variants=[{"compression_type": "webp", "quality_range": (10, 10)}],
    gain=unsteady,
)
about(
    "Lambda",
    family="no: what a function does is the caller's",
    marks=STILL,
    bench="no: its time is the function's",
    shown={"image": lambda image: np.flip(image).copy(), "mask": lambda mask: np.flip(mask).copy()},
    moved="no: it moves what its caller moves",
)

"""Normalize."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G

from .about import PIXELS, about
from .case import FLOAT, add, bounds

for _note, _args, _channels in (
    ("defaults", {}, (3,)),
    ("scalar", {"mean": 0.5, "std": 0.25, "max_pixel_value": 1.0}, (1, 3, 4, 20)),
    ("20 channels", {"mean": tuple(np.linspace(0.1, 0.9, 20)), "std": tuple(np.linspace(0.1, 0.4, 20))}, (20,)),
):
    _aug = A.Normalize(**_args)
    add(
        G.Normalize(**_args),
        lambda image, u, kind, aug=_aug: aug.apply(image),
        "albumentations",
        bounds(FLOAT, FLOAT),
        channels=_channels,
        note=_note,
    )


about(
    "Normalize",
    family="no: it ends a chain",
    marks=[lambda L: L.Normalize()],
    bench={},
    gain=lambda transform, params: 1 / (min(transform.std) * transform.max_pixel_value),
    bound=lambda transform, dtype: FLOAT,
)
about(
    "ToTensorV2",
    family="no: it ends a chain",
    marks=PIXELS,
    bench="no: albumentations delivers a view of the caller's array, which is no work; with Normalize in bench.transforms",
)

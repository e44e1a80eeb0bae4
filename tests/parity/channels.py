"""How many channels an image has."""

from __future__ import annotations

import warnings

import albumentations as A
import numpy as np

import gpuaug as G

from .about import PIXELS, about
from .case import EXACT, FLOAT, add, bounds


def _reference(aug):
    def run(image, u, kind):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # albumentations squeezes gray images before it repeats them, and loses axes of length 1: a single pixel twice
            wide = np.repeat(image, 2, 1) if image.shape[:2] == (1, 1) else image
            out = aug.apply(wide).reshape(*wide.shape[:2], -1)
        return out[:, : image.shape[1]]

    return run


for _method in ("weighted_average", "from_lab", "desaturation", "average", "max"):
    for _count in (3, 1, 4) if _method in ("weighted_average", "from_lab") else (3,):
        _kwargs = {"method": _method, "num_output_channels": _count, "p": 1}
        add(
            G.ToGray(**_kwargs),
            _reference(A.ToGray(**_kwargs)),
            "albumentations",
            bounds(EXACT, FLOAT),
            channels=(1, 3),
            note=f"{_method}, {_count}" if _count != 3 else _method,
        )
for _count in (3, 1, 7):
    add(
        G.ToRGB(_count, p=1),
        _reference(A.ToRGB(num_output_channels=_count, p=1)),
        "albumentations",
        bounds(EXACT, EXACT),
        channels=(1, 3),
        note=f"to {_count}",
    )


def _float(transform, dtype: str):
    return FLOAT if dtype == "float32" else EXACT


about(
    "ToGray",
    family="colour",
    marks=PIXELS,
    bench={},
    variants=[{"method": "from_lab"}, {"method": "desaturation"}, {"method": "average"}, {"num_output_channels": 1}],
    gain=lambda transform, params: np.inf if transform.method == "from_lab" else 1.0,
    bound=_float,
)
about(
    "ToRGB",
    family="no: all images of a batch change their channel count, or none",
    marks=PIXELS,
    bench={},
    bench_channels=1,
    variants=[{"num_output_channels": 5}],
)

"""Colour."""

from __future__ import annotations

import albumentations as A

import gpuaug as G
from gpuaug import library
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about, unsteady
from .case import EXACT, FLOAT, Bound, add, albumentations, bounds

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


def hue_saturation_value(note, **kwargs):
    ours = G.HueSaturationValue(p=1, **kwargs)
    beside = reference(ours)
    fused = not library.load().path.stem.endswith("v2")
    # the baseline build has no fused multiply-add, which OpenCV's HSV2RGB has: a product that truncates on the other side
    u8 = EXACT if fused else Bound(1, 1, 0.99, "no fused multiply-add")
    # hue in degrees: 360 * 2^-24 / 60 on either side
    add(ours, beside.run, beside.source, bounds(u8, FLOAT), channels=(1, 3), note=note)


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

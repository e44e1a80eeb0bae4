"""Stains of histology."""

from __future__ import annotations

import albumentations as A

import gpuaug as G

from .about import PIXELS, about
from .case import Bound, Script, add, albumentations, bounds

# Optical densities up to 13.8 are right to 2e-7 of that and more: logarithm, three products with factors up to 4, exponential:
# 5e-5 at most where results are near 1; and a pixel whose brightness is 0.85 to 6e-8 is tissue on one side alone
_BOUND = bounds(Bound(0, 255, 0.999, "one rounding"), Bound(1e-4, 1, 0.999, "logarithms and exponentials in float32"))
for _note, _args in (
    ("defaults", {}),
    ("preset", {"method": "preset", "preset": "h_heavy", "intensity_scale_range": (0.2, 2.0)}),
    ("background", {"method": "preset", "augment_background": True, "intensity_shift_range": (-1, 1)}),
):
    _random = "method" not in _args
    add(
        G.HEStain(p=1, **_args),
        albumentations(A.HEStain(p=1, **_args), Script if _random else lambda u: Script(u[1:])),
        "albumentations",
        _BOUND,
        channels=(3,),
        note=_note,
    )
about(
    "HEStain",
    family="no: it takes 3 channels alone",
    marks=PIXELS,
    bench={},
    variants=[{"augment_background": True, "intensity_shift_range": (-1, 1)}],
)

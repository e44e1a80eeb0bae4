"""Frosted glass, and zooms."""

from __future__ import annotations

import albumentations as A

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about, unsteady
from .case import FLOAT, Bound, add, albumentations, bounds


def _glass(note, **kwargs):
    ours = G.GlassBlur(p=1, **kwargs)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
        bounds(Bound(0, 1, 0.999, "roundings near a half"), FLOAT),
        keep=lambda image: min(image.shape[:2]) > 2 * ours.max_delta,
        note=note,
    )


_glass("defaults")
_glass("far", sigma=1.5, max_delta=6, iterations=3)
_glass("exact", mode="exact")
_glass("exact, far", mode="exact", sigma=1.5, max_delta=6, iterations=3)
_glass("near", sigma=0.4, max_delta=1, iterations=1)

for _note, _args in (("defaults", {}), ("far", {"max_factor": (1.5, 2.0), "step_factor": (0.05, 0.3)})):
    # coordinates below 512 in float32, twice; OpenCV's factors of a resize are float64. Neighbours differ by at most 1
    add(
        G.ZoomBlur(p=1, **_args),
        albumentations(A.ZoomBlur(p=1, **_args)),
        "albumentations",
        bounds(Bound(0, 1, 0.999, "one rounding"), Bound(1e-4, 2e-4, 1.0, "float32 coordinates")),
        channels=(1, 3, 4),
        note=_note,
    )
about("GlassBlur", family="no: its swaps are random, and those of the cases here", marks=PIXELS, bench={})
about(
    "ZoomBlur",
    family="blur",
    marks=PIXELS,
    bench={},
    gain=unsteady,
    bound=lambda transform, dtype: Bound(1e-4, 2e-4) if dtype == "float32" else Bound(0, 1, 0.999),
)

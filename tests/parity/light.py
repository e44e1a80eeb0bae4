"""Light."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about
from .case import FLOAT, ROUNDED, Bound, add, bounds

# factors differ in their last bits: on uint8 a product near an integer is cut off on the other side. Where the factor is 1, all
# are: from a corner, along a line, or outside of the bell at 1 + 2^-24
_CUT = Bound(0, 1, 0.98, "truncation of products near integers")


def _illumination(note, u8, **kwargs):
    ours = G.Illumination(p=1, **kwargs)
    beside = reference(ours)
    add(ours, beside.run, beside.source, bounds(u8, FLOAT), note=note)


_illumination("linear", ROUNDED)
_illumination("darken", ROUNDED, effect_type="darken", intensity_range=(0.2, 0.2))
for _angle in (0, 45, 90, 135, 180, 225, 270, 315):
    _illumination(f"{_angle} degrees", ROUNDED, angle_range=(_angle, _angle))
_illumination("corner", _CUT, mode="corner")
_illumination("gaussian", _CUT, mode="gaussian", effect_type="brighten")


def _shadow(note, **kwargs):
    ours = G.RandomShadow(p=1, **kwargs)
    beside = reference(ours)
    # a product of float64 is cut off there, of float32 here
    cut = Bound(0, 1, 0.999, "truncation of products near integers")
    add(ours, beside.run, beside.source, bounds(cut, FLOAT), keep=lambda image: min(image.shape[:2]) > 1, note=note)


_shadow("defaults")
_shadow("many", shadow_roi=(0, 0, 1, 1), num_shadows_limit=(3, 6), shadow_dimension=9, shadow_intensity_range=(0.1, 0.9))
_shadow("triangles", shadow_roi=(0.1, 0.2, 0.9, 1), num_shadows_limit=(1, 4), shadow_dimension=3)

about(
    "Illumination",
    family="colour",
    marks=PIXELS,
    bench={},
    variants=[{"mode": "corner"}, {"mode": "gaussian"}],
    gain=lambda transform, params: 1.2,
    bound=lambda transform, dtype: FLOAT if dtype == "float32" else ROUNDED,
)
about(
    "RandomShadow",
    family="colour",
    marks=PIXELS,
    bench={},
    needs={"shadow_roi": (0, 0, 1, 1)},
    variants=[{"num_shadows_limit": (3, 5), "shadow_intensity_range": (0.1, 0.9)}],
    bound=lambda transform, dtype: FLOAT if dtype == "float32" else Bound(0, 1, 0.999, "truncation of products near integers"),
)

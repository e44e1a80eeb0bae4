"""Fractal patterns."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about
from .case import Bound, add, bounds


# albumentations clips the pattern times a number to 0..1: what is meant to darken, or to take contrast, does nothing. Here it is
# not clipped
def _plasma(name, note, bound, **kwargs):
    ours = getattr(G, name)(p=1, **kwargs)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
        bound,
        channels=(1, 3, 4),
        # a pattern of two lines or columns at most is a logarithm of 0 there
        keep=lambda image: max(image.shape[:2]) > 3,
        note=note,
    )


# A mean of four neighbours that is 0 but for rounding is above it on one side alone, and gets noise there alone, of up to 1
_LIGHT = bounds(Bound(0, 255, 0.999, "one rounding; a mean of 0"), Bound(1e-5, 1, 0.999, "a mean of 0"))
_plasma("PlasmaBrightnessContrast", "defaults", _LIGHT)
_plasma("PlasmaBrightnessContrast", "strong", _LIGHT, brightness_range=(-1, 1), contrast_range=(-1, 1), roughness=0.7)
_plasma("PlasmaShadow", "defaults", _LIGHT)
_plasma("PlasmaShadow", "strong", _LIGHT, shadow_intensity_range=(0, 1), roughness=1.5)
for _name in ("PlasmaBrightnessContrast", "PlasmaShadow"):
    about(_name, family="no: patterns are random, and those of the cases here", marks=PIXELS, bench={})

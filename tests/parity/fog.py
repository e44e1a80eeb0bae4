"""Fog, snow, gravel."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about
from .case import Bound, add, bounds


def levels(near: float, share: float, why: str) -> dict:
    """Bounds of what works on bytes, whatever type it is given: so many grey levels."""
    level = 1 / 255 + 1e-5
    return bounds(Bound(0, near, share, why), Bound(1e-5, near * level, share, why))


def _fog(note, **kwargs):
    ours = G.RandomFog(p=1, **kwargs)
    beside = reference(ours)
    # opacity in float32, so that one of some blends that is near a half may be rounded the other way
    add(ours, beside.run, beside.source, levels(1, 0.999, "roundings near a half"), channels=(3,), note=note)


_fog("defaults")
_fog("thick", alpha_coef=0.5, fog_coef_range=(0.7, 1.0))


def _snow(note, bound, **kwargs):
    ours = G.RandomSnow(p=1, **kwargs)
    beside = reference(ours)
    add(ours, beside.run, beside.source, bound, channels=(3,), note=note)


# a product of float32 beside a half in either direction of OpenCV's HLS
_snow("defaults", levels(3, 0.995, "roundings near a half in HLS"))
_snow("bright", levels(3, 0.995, "roundings near a half in HLS"), brightness_coeff=1.3, snow_point_range=(0, 1))
# OpenCV's HSV2RGB truncates in vectors and rounds the pixels at the end of a line; hue and value are cut off after sums in
# float32
_snow("texture", levels(1, 0.97, "whole numbers are cut off"), method="texture")


def _gravel(note, **kwargs):
    ours = G.RandomGravel(p=1, **kwargs)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
        levels(3, 0.995, "roundings near a half in HLS"),
        channels=(3,),
        note=note,
    )


_gravel("defaults")
_gravel("much", gravel_roi=(0.0, 0.0, 1.0, 1.0), number_of_patches=12)

_THREE = "no: it takes 3 channels alone"
about("RandomFog", family=_THREE, marks=PIXELS, bench={})
about("RandomSnow", family=_THREE, marks=PIXELS, bench={}, variants=[{"method": "texture"}])
about(
    "RandomGravel",
    family=_THREE,
    marks=PIXELS,
    bench={},
    shown={"number_of_patches": 9},
    behind="1.03x in the run before: equal within what runs differ by.",
)

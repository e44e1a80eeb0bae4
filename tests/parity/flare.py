"""Flares."""

from __future__ import annotations

import albumentations as A

import gpuaug as G

from .about import PIXELS, about
from .case import add, albumentations
from .fog import levels

_RAYS = levels(27, 0.8, "the edges of rays")
for _note, _args, _bound in (
    ("defaults", {}, levels(1, 0.999, "roundings near a half")),
    (
        "small",
        {"src_radius": 35, "src_color": (255, 200, 100), "num_flare_circles_range": (1, 3), "angle_range": (0.3, 0.4)},
        levels(1, 0.999, "roundings near a half"),
    ),
    # OpenCV's thick lines are polygons on a grid of 1/65536, ours all that is within a pixel of the line: along both sides up to
    # half a pixel of 2, which blurred with sigma 15 is 4 rays of 255 * 2 * 0.5 / (15 * sqrt(2 pi)) = 6.8 levels where they meet,
    # and much less elsewhere
    ("physics", {"method": "physics_based"}, _RAYS),
    (
        "physics, small",
        {"method": "physics_based", "src_radius": 20, "src_color": (255, 220, 120)},
        _RAYS,
    ),
):
    add(
        G.RandomSunFlare(p=1, **_args),
        albumentations(A.RandomSunFlare(p=1, **_args)),
        "albumentations",
        _bound,
        channels=(3,),
        note=_note,
    )
about(
    "RandomSunFlare",
    family="no: it takes 3 channels alone",
    marks=PIXELS,
    bench={},
    shown={"src_radius": 60},
    variants=[{"method": "physics_based", "src_radius": 20}],
)

"""Stains of histology."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about
from .case import Bound, add, bounds

# Optical densities up to 13.8 are right to 2e-7 of that and more: logarithm, three products with factors up to 4, exponential:
# 5e-5 at most where results are near 1; and a pixel whose brightness is 0.85 to 6e-8 is tissue on one side alone
_BOUND = bounds(Bound(0, 255, 0.999, "one rounding"), Bound(1e-4, 1, 0.999, "logarithms and exponentials in float32"))
for _note, _args in (
    ("defaults", {}),
    ("preset", {"method": "preset", "preset": "h_heavy", "intensity_scale_range": (0.2, 2.0)}),
    ("background", {"method": "preset", "augment_background": True, "intensity_shift_range": (-1, 1)}),
):
    _ours = G.HEStain(p=1, **_args)
    add(
        _ours,
        reference(_ours).run,
        "albumentations",
        _BOUND,
        channels=(3,),
        note=_note,
    )


# Sums over 50,000 pixels in float32 are right to 1e-4, and so are stains; their densities, of 5 where it matters, to 5e-4 times
# the factors on them
def _found(method, keep):
    ours = G.HEStain(method=method, p=1)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
        bounds(Bound(1, 255, 0.99, "stains in float32"), Bound(2e-3, 1, 0.99, "stains in float32")),
        channels=(3,),
        keep=keep,
        note=method,
    )


# of a few pixels there is no plane, and white has no densities
_found("macenko", lambda image: image.shape[0] * image.shape[1] > 100)
_found("vahadane", lambda image: image.shape[0] * image.shape[1] > 100)
about(
    "HEStain",
    family="no: it takes 3 channels alone",
    marks=PIXELS,
    bench={},
    variants=[{"augment_background": True, "intensity_shift_range": (-1, 1)}],
)

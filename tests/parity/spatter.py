"""Spatters."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about
from .case import Bound, add, bounds


def _spatter(note, **kwargs):
    ours = G.Spatter(p=1, **kwargs)
    beside = reference(ours)
    # Noise of float32 that is blurred lies on the other side of the threshold, or of a whole number, in one of some 10,000
    # pixels, which are 1 in a blur of sigma 2, 0.04 at most
    add(
        ours,
        beside.run,
        beside.source,
        bounds(Bound(0, 12, 0.98, "noise at the threshold"), Bound(1e-4, 0.05, 0.98, "noise at the threshold")),
        channels=(3,),
        keep=lambda image: min(image.shape[:2]) > 4,
        note=note,
    )


_spatter("rain")
_spatter("mud", mode="mud")
_spatter("mud, much", mode="mud", color=(200, 0, 90), gauss_sigma=(3, 3), cutout_threshold=(0.6, 0.65), intensity=(0.1, 1.0))
about(
    "Spatter",
    family="no: it takes 3 channels alone",
    marks=PIXELS,
    bench={},
    variants=[{"mode": "mud"}],
)

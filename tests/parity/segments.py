"""Superpixels."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about
from .case import add
from .fog import levels


def _segments(note, share, **kwargs):
    ours = G.Superpixels(p=1, **kwargs)
    beside = reference(ours)
    # a mean in float64 that is near a half
    add(
        ours,
        beside.run,
        beside.source,
        levels(255, share, "a mean that is near a half"),
        channels=(1, 3),
        keep=lambda image: 16 < min(image.shape[:2]) < 200,
        note=note,
    )


_segments("defaults", 0.999)
_segments("many", 0.99, p_replace=(0.3, 1.0), n_segments=(20, 50), max_size=48)
about(
    "Superpixels",
    family="no: which region a pixel is in hangs on the last bit of others",
    marks=PIXELS,
    bench={},
    shown={"p_replace": (0.5, 1.0), "n_segments": (9, 16)},
)

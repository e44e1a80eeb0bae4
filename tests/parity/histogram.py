"""Equalize, CLAHE, AutoContrast."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about, unsteady
from .case import EXACT, add, bounds

# All are functions of bytes, which float images become before (albumentations rounds them, too) and are divided by 255 after, so
# that every result is one of 256 numbers, and equal.


def _add(name: str, note: str, channels=(1, 3), **arguments) -> None:
    ours = getattr(G, name)(p=1, **arguments)
    add(ours, reference(ours).run, "albumentations", bounds(EXACT, EXACT), channels=channels, note=note)


_add("Equalize", "defaults")
_add("Equalize", "pil", mode="pil")
_add("Equalize", "luma", by_channels=False)
_add("Equalize", "pil, luma", mode="pil", by_channels=False)

_add("CLAHE", "defaults")
_add("CLAHE", "uneven", clip_limit=(2, 40), tile_grid_size=(3, 7))
_add("CLAHE", "one tile", clip_limit=(1, 1), tile_grid_size=(1, 1))

ANY = (1, 3, 4, 20)
_add("AutoContrast", "defaults", ANY)
_add("AutoContrast", "pil", ANY, method="pil")
_add("AutoContrast", "cut off", ANY, cutoff=5)
_add("AutoContrast", "half", ANY, cutoff=49.9, method="pil")
_add("AutoContrast", "ignore", ANY, cutoff=0.3, ignore=100)
_add("AutoContrast", "ignore a channel", ANY, ignore=2, method="pil")

about("Equalize", family="colour", marks=PIXELS, bench={}, gain=unsteady, variants=[{"by_channels": False}, {"mode": "pil"}])
about("CLAHE", family="colour", marks=PIXELS, bench={}, gain=unsteady, variants=[{"tile_grid_size": (3, 5)}])
about(
    "AutoContrast",
    family="colour",
    marks=PIXELS,
    bench={},
    gain=unsteady,
    variants=[{"cutoff": 7, "ignore": 90}, {"method": "pil"}],
)

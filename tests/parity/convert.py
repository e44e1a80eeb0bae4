"""Element types."""

from __future__ import annotations

import albumentations as A

import gpuaug as G

from .about import PIXELS, about
from .case import EXACT, add, albumentations

_TYPES = "no: all images of a batch change their type, or none"


for _note, _args in (("defaults", {}), ("100", {"max_value": 100.0})):
    add(G.ToFloat(**_args), albumentations(A.ToFloat(**_args)), "albumentations", {"uint8": EXACT, "float32": EXACT}, note=_note)
    add(
        G.FromFloat(**_args),
        albumentations(A.FromFloat(**_args)),
        "albumentations",
        {"float32": EXACT, "float16": EXACT},
        note=_note,
    )
about("ToFloat", family=_TYPES, marks=PIXELS, bench={})
about("FromFloat", family=_TYPES, marks=PIXELS, bench="no: it takes floats")

"""Dilation and erosion."""

from __future__ import annotations

import albumentations as A

import gpuaug as G

from .about import about
from .case import SAME, add, albumentations

for _operation in ("dilation", "erosion"):
    for _scale in ((2, 3), (5, 7), 4):
        add(
            G.Morphological(_scale, _operation, p=1),
            albumentations(A.Morphological(_scale, _operation, p=1)),
            "albumentations",
            SAME,
            channels=(1, 3, 4, 20) if _scale == (2, 3) else (3,),
            mask=True,
            ordered=True,
            note=f"{_operation} {_scale}",
        )

about(
    "Morphological",
    family="no: its masks depend on which label is the larger, and those of the chains are painted anew",
    marks="no: albumentations 2.0.8 dilates the boxes of an image into each other; tests/test_morphology.py",
    bench={},
    variants=[{"scale": (9, 6), "operation": "erosion"}],
    moved="no: it makes shapes larger or smaller; test_morphology.py",
)

"""Transforms of volumes: their cases are in tests/test_solids.py, since a `Case` is of images."""

from __future__ import annotations

from .about import about

for _name, _needs, _shown in (
    ("CenterCrop3D", {"size": (2, 1, 1)}, {}),
    ("RandomCrop3D", {"size": (2, 1, 1)}, {}),
    ("Pad3D", {"padding": (1, 2, 3)}, {"fill": 7}),
    ("PadIfNeeded3D", {"min_zyx": (4, 20, 24)}, {"fill": 7}),
    ("CoarseDropout3D", {}, {"num_holes_range": (1, 3), "fill": 7}),
    ("CubicSymmetry", {}, {}),
    ("ToTensor3D", {}, {}),
):
    about(
        _name,
        family="no: chains are of images; test_solids.py has one of volumes",
        marks="no: test_solids.py moves points of three coordinates",
        bench="no: volumes are not images",
        reads="volume",
        needs=_needs,
        shown=_shown,
    )

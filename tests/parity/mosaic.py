"""Several samples in one image: their cases are in tests/test_mosaic.py, since a `Case` is of one sample."""

from __future__ import annotations

from .about import about

about(
    "Mosaic",
    family="no: what a sample becomes depends on its batch",
    marks="no: test_mosaic.py compares them, with their labels",
    bench={},
    shown={"target_size": (40, 50), "cell_shape": (30, 40), "fill": 7},
    variants=[
        {"grid_yx": (2, 3), "target_size": (40, 50), "cell_shape": (30, 40), "fit_mode": "contain"},
        {"target_size": (40, 50), "cell_shape": (30, 40), "interpolation": 3},
    ],
    moved="no: it is made of pieces of several images; test_mosaic.py",
)

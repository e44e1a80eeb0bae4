"""Distortions by control points: albumentations' maps in float64."""

from __future__ import annotations

import numpy as np

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import about
from .affine import LINEAR, TIES, cubic_gain, warped
from .case import GATHER_U8, LANCZOS_REMAP, NEAREST, Bound, add


def distorted(cls: str, note: str, bound: dict, channels=(1, 3), keep=lambda image: True, **kwargs) -> None:
    ours = getattr(G, cls)(p=1, **kwargs)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
        bound,
        channels=channels,
        mask=True,
        note=note,
        keep=keep,
        exact_mask=False,
    )


def small(image) -> bool:
    """albumentations takes a second for 224 x 224."""
    return max(image.shape[:2]) < 100


distorted("PiecewiseAffine", "defaults", LINEAR, (1, 3, 4), small)
distorted("PiecewiseAffine", "drawn grid", LINEAR, (3,), small, nb_rows=(2, 9), nb_cols=(3, 5), scale=(0.1, 0.3), border_mode=1)
distorted("PiecewiseAffine", "pixels", LINEAR, (3,), small, scale=(2, 9), absolute_scale=True)
distorted("PiecewiseAffine", "nearest", TIES, (3,), small, interpolation=0)
distorted("ThinPlateSpline", "defaults", LINEAR, (1, 3, 4, 20))
distorted("ThinPlateSpline", "wide", LINEAR, scale_range=(0.8, 1), num_control_points=3, border_mode=4)
distorted("ThinPlateSpline", "five points", LINEAR, (3,), num_control_points=2, border_mode=1)
distorted("ThinPlateSpline", "fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, scale_range=(0.5, 0.9))
distorted("ThinPlateSpline", "nearest", TIES, (3,), interpolation=0)
distorted("ThinPlateSpline", "cubic", LINEAR, (3,), interpolation=2)
distorted("ThinPlateSpline", "Lanczos", LANCZOS_REMAP, (3,), interpolation=4)
distorted("PiecewiseAffine", "Lanczos", LANCZOS_REMAP, (3,), small, interpolation=4)


def bent(note: str, bound: dict, channels=(1, 3), mask=True, **kwargs) -> None:
    """Gray and colour alone are what it takes."""
    ours = G.GridElasticDeform(p=1, **kwargs)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
        bound,
        channels=channels,
        mask=mask,
        note=note,
        keep=lambda image: min(image.shape[:2]) > 200,  # of a small one too much lies on lines
        exact_mask=False,
    )


# Pixels on the edges of quadrilaterals: three lines each way of 224 x 224 are 2.7 % of it, each may be read by either cell
EDGES = {name: Bound(b.near, np.inf, b.share - 0.03, "pixels on lines between cells") for name, b in LINEAR.items()}
bent("four by four", EDGES, mask=False, num_grid_xy=(4, 4), magnitude=10)
bent("one cell", LINEAR, num_grid_xy=(1, 1), magnitude=3)

_NUMBERS = "no: tests/test_control.py, since albumentations finds boxes and keypoints as whole pixels"
about(
    "PiecewiseAffine",
    family="warp",
    marks=_NUMBERS,
    bench={},
    moved="no: at its places no dot keeps its shape; tests/test_control.py",
    variants=[{"nb_rows": (2, 5), "interpolation": 2, "border_mode": 4}],
    gain=cubic_gain,
    bound=warped,
    mask_bound=NEAREST,
)
about(
    "ThinPlateSpline",
    family="warp",
    marks=_NUMBERS,
    bench={},
    shown={"fill": 9},
    moved={"scale_range": (0.002, 0.004)},
    turns=True,
    variants=[{"num_control_points": 2, "interpolation": 0}, {"interpolation": 2, "border_mode": 2}],
    gain=cubic_gain,
    bound=warped,
    mask_bound=NEAREST,
)
about(
    "GridElasticDeform",
    family="no: lines between cells are read by the one or the other",
    marks=_NUMBERS,
    bench={"num_grid_xy": (4, 4), "magnitude": 10},
    needs={"num_grid_xy": (3, 2), "magnitude": 2},
    moved="no: across lines between cells no dot keeps its shape; tests/test_control.py",
    variants=[{"num_grid_xy": (2, 2), "magnitude": 1, "interpolation": 0}],
    gain=cubic_gain,
    bound=warped,
    mask_bound=NEAREST,
)

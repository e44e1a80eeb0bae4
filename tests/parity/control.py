"""Distortions by control points: albumentations' maps in float64."""

from __future__ import annotations

from unittest.mock import patch

import albumentations as A
import numpy as np
import scipy.special
from albumentations.augmentations.geometric import functional

import gpuaug as G
from gpuaug.transform import View

from .about import about
from .affine import LINEAR, TIES, cubic_gain, warped
from .case import GATHER_U8, NEAREST, Script, add, filled, parameters


class Double:
    """NumPy whose float32 is float64: albumentations solves 19 equations in float32, and is off by up to 0.02 pixels."""

    float32 = np.float64

    def __getattr__(self, name):
        return getattr(np, name)


class Normals(Script):
    """Given normal deviates."""

    def normal(self, mean, scale, size):
        return mean + scale * next(self._blocks).reshape(size)


def distorted(cls: str, note: str, bound: dict, channels=(1, 3), keep=lambda image: True, **kwargs) -> None:
    theirs, ours = getattr(A, cls)(p=1, **kwargs), getattr(G, cls)(p=1, **kwargs)

    def script(u, size):
        if cls == "ThinPlateSpline":
            return Normals(u[:1], blocks=[scipy.special.ndtri(np.maximum(u[1:], 2.0**-33))])
        return Normals(u[:3], blocks=[ours.draw(u[None], View(np.array([size]), 3, "uint8"))["noise"].of(0)])

    def run(image, u, kind):
        with patch.object(functional, "np", Double()):
            params = parameters(theirs, image, script(u, image.shape[:2]))
        params = {name: value.astype(np.float32) if name.startswith("map") else value for name, value in params.items()}
        return filled(theirs, image, params, kind)

    add(
        ours,
        run,
        "albumentations' map in float64, cv2.remap",
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

"""Flips and turns, and what leaves the image as it is."""

from __future__ import annotations

import albumentations as A
import cv2
import numpy as np

import gpuaug as G

from .about import about
from .case import SAME, add, albumentations

for _name in ("HorizontalFlip", "VerticalFlip", "Transpose"):
    add(getattr(G, _name)(p=1), albumentations(getattr(A, _name)(p=1)), "albumentations", SAME, mask=True)
add(G.RandomRotate90(p=1), albumentations(A.RandomRotate90(p=1)), "albumentations", SAME, mask=True)
for _name in ("D4", "SquareSymmetry"):
    add(getattr(G, _name)(p=1), albumentations(getattr(A, _name)(p=1)), "albumentations", SAME, mask=True)
add(
    G.Flip(p=1),
    lambda image, u, kind: np.dstack([cv2.flip(image[:, :, c], (0, 1, -1)[int(3 * u[0])]) for c in range(image.shape[2])]),
    "OpenCV",
    SAME,
    mask=True,
)
add(G.NoOp(), lambda image, u, kind: image, "-", SAME, mask=True)
add(
    G.ToTensorV2(),
    lambda image, u, kind: A.ToTensorV2().apply(image).permute(1, 2, 0).numpy() if kind == "image" else image,
    "albumentations",
    SAME,
    mask=True,
)


about("HorizontalFlip", family="turn", marks=[lambda L: L.HorizontalFlip(p=1)], bench={})
about("VerticalFlip", family="turn", marks=[lambda L: L.VerticalFlip(p=1)], bench={})
about("Transpose", family="turn", marks=[lambda L: L.Transpose(p=1)], bench={})
about("RandomRotate90", family="turn", marks="no: with drawn parameters in the chains", bench={})
_NONE = "no: albumentations has none since 2.0; tests/test_targets.py"
about("Flip", family="turn", marks=_NONE, bench=_NONE)
about("D4", family="turn", marks="no: with drawn parameters in the chains", bench={})
about("SquareSymmetry", family="turn", marks="no: with drawn parameters in the chains", bench={})

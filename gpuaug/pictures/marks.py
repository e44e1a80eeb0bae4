"""Boxes and points, however they are written, as pixels."""

from __future__ import annotations

import numpy as np
import torch

from ..checks import one_of
from ..label_params import BOX_FORMATS, POINT_FORMATS


def rows_of(marks, least: int) -> np.ndarray:
    """Rows of numbers; what stands behind the first ``least`` may be anything."""
    if isinstance(marks, torch.Tensor):
        marks = marks.detach().cpu().numpy()
    rows = [list(row) for row in marks]
    for i, row in enumerate(rows):
        if len(row) < least:
            raise ValueError(f"row {i} of boxes or keypoints has {len(row)} numbers, at least {least} are needed: {row!r}")
    return np.array([row[:least] for row in rows], np.float64).reshape(len(rows), least)


def corners(boxes, format: str, size, oriented: bool = False) -> np.ndarray:
    """``[n, 4, 2]``, the corners (x, y) in pixels of boxes in one of albumentations' formats.

    size: (height, width) of the image. oriented: a fifth number are degrees by which the box is turned about its middle.

    Example:
        >>> corners([(0.5, 0.5, 0.5, 1.0)], "yolo", (10, 20))[0].tolist()
        [[5.0, 0.0], [15.0, 0.0], [15.0, 10.0], [5.0, 10.0]]
    """
    one_of("box_format", format, BOX_FORMATS)
    values = rows_of(boxes, 5 if oriented else 4)
    a, b, c, d = values.T[:4]
    if format in ("albumentations", "yolo"):
        height, width = size
        a, b, c, d = a * width, b * height, c * width, d * height
    if format == "yolo":
        a, b, c, d = a - c / 2, b - d / 2, a + c / 2, b + d / 2
    elif format == "coco":
        c, d = a + c, b + d
    found = np.stack([np.stack([x, y], -1) for x, y in ((a, b), (c, b), (c, d), (a, d))], 1)
    if not oriented:
        return found
    middle, turn = found.mean(1, keepdims=True), np.deg2rad(values[:, 4])
    matrix = np.stack([np.stack([np.cos(turn), -np.sin(turn)], -1), np.stack([np.sin(turn), np.cos(turn)], -1)], 1)
    return np.einsum("nij,nkj->nki", matrix, found - middle) + middle


def points(keypoints, format: str) -> np.ndarray:
    """``[n, 2]``, (x, y) in pixels."""
    one_of("keypoint_format", format, POINT_FORMATS)
    values = rows_of(keypoints, 2)
    return values[:, ::-1] if format == "yx" else values

"""Boxes and keypoints where a reflecting border shows the image again: one more for each time that it does."""

from __future__ import annotations

import numpy as np

REFLECT, REFLECT_101 = 2, 4  # OpenCV's numbers


def repeat(marks, transform, pos: np.ndarray, params: dict, size: np.ndarray) -> bool:
    """Give the samples of one transform an entry more for each reflection that its result reads; whether there are any.

    pos: ``[B]``, a sample's row of the parameters, or -1. size: ``[B, 2]`` before the transform.
    """
    if not transform.repeats() or not len(marks.sample):
        return False
    rows = np.flatnonzero(pos >= 0)
    mine = {name: value[pos[rows]] for name, value in params.items()}
    shown, sides = transform.shown(mine, size[rows]), size[rows][:, ::-1]
    step = _step(sides, transform.border_mode, marks.params.geometry)
    before = np.maximum(np.ceil(-shown[:, :2] / step - 1e-9), 0).astype(np.int64)
    behind = np.maximum(np.ceil((shown[:, 2:] - sides) / step - 1e-9), 0).astype(np.int64)
    if not (before.any() or behind.any()):
        return False
    ends = np.searchsorted(marks.sample, np.arange(len(pos) + 1))
    there = marks.seen(size[marks.sample]) | (marks.params.geometry == "albumentations")  # what no image shows, no border does
    index, cells, line = [], [], np.full(len(pos), -1)
    line[rows] = np.arange(len(rows))
    for i in np.unique(marks.sample).tolist():
        own = np.arange(ends[i], ends[i + 1])
        (left, top), (right, bottom) = (before[line[i]], behind[line[i]]) if line[i] >= 0 else ((0, 0), (0, 0))
        for y in range(-top, bottom + 1):
            for x in range(-left, right + 1):
                index.append(own[there[own]] if x or y else own)
                cells.append(np.tile((x, y), (len(index[-1]), 1)))
    cells = np.concatenate(cells)
    marks.take(np.concatenate(index))
    marks.copied = cells.any(1)
    marks.reflect(cells, transform.border_mode, size[marks.sample][:, ::-1])
    return True


def _step(sides: np.ndarray, border: int, geometry: str) -> np.ndarray:
    """How far apart reflections begin: albumentations reflects as REFLECT does, whatever the border."""
    return np.maximum(sides - (border == REFLECT_101 and geometry != "albumentations"), 1).astype(np.float64)


def places(xy: np.ndarray, cells: np.ndarray, border: int, sides: np.ndarray, geometry: str, centres: bool) -> np.ndarray:
    """Where places ``[N, 2]`` are in their reflections ``cells`` ``[N, 2]``, of which the image is (0, 0).

    centres: whole numbers are centres of pixels; else their edges.
    """
    step = _step(sides, border, geometry)
    mirror = 0.0 if geometry == "albumentations" else (1.0 if border == REFLECT_101 else 0.0) - (1.0 if centres else 0.0)
    return np.where(cells % 2 == 0, xy + cells * step, (cells + 1) * step + mirror - xy)


def boxes(values: np.ndarray, cells: np.ndarray, border: int, sides: np.ndarray, geometry: str) -> np.ndarray:
    """Boxes ``[N, 4]`` in their reflections."""
    ends = [places(values[:, k : k + 2], cells, border, sides, geometry, False) for k in (0, 2)]
    return np.concatenate([np.minimum(*ends), np.maximum(*ends)], 1)


def angles(angle: np.ndarray, cells: np.ndarray, geometry: str) -> np.ndarray:
    """Angles in their reflections; albumentations' turn round at every mirror."""
    across, down = (cells % 2 == 1).T
    turned = np.where(across, -angle if geometry == "albumentations" else np.pi - angle, angle)
    return np.where(down, -turned, turned)

"""Structuring elements: what dilation and erosion look at around a pixel."""

from __future__ import annotations

import functools

import numpy as np

SHAPES = ("ellipse", "rectangle")


@functools.lru_cache(maxsize=256)
def element(shape: str, width: int, height: int) -> np.ndarray:
    """bool ``[height, width]``, as ``cv2.getStructuringElement`` makes it: an ellipse that the sides hold, or all of it."""
    if shape == "rectangle" or (width, height) == (1, 1):
        return np.ones((height, width), bool)
    ry, rx = height // 2, width // 2
    dy = np.arange(height) - ry
    reach = np.rint(rx * np.sqrt((ry * ry - dy * dy) / (ry * ry or 1))) if ry else np.zeros(1)
    return np.abs(np.arange(width) - rx) <= reach[:, None]


def runs(element: np.ndarray) -> np.ndarray:
    """int32 ``[k, 3]``: start (dy, dx) and length of each run of pixels in a line of the element, seen from its anchor, which is
    the pixel at half of each side."""
    h, w = element.shape
    edges = np.diff(np.pad(element.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    (y, x0), x1 = np.nonzero(edges == 1), np.nonzero(edges == -1)[1]
    return np.stack([y - h // 2, x0 - w // 2, x1 - x0], 1).astype(np.int32)


def reach(element: np.ndarray) -> tuple[int, int, int, int]:
    """The least and greatest dx and dy of an element's pixels: (x0, x1, y0, y1)."""
    dy, dx, length = runs(element).T
    return int(dx.min()), int((dx + length - 1).max()), int(dy.min()), int(dy.max())

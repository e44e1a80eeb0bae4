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


@functools.lru_cache(maxsize=64)
def _described(shape: tuple[int, int], pixels: bytes) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    h, w = shape
    edges = np.diff(np.pad(np.frombuffer(pixels, np.int8).reshape(shape), ((0, 0), (1, 1))), axis=1)
    (y, x0), x1 = np.nonzero(edges == 1), np.nonzero(edges == -1)[1]
    runs = np.stack([y - h // 2, x0 - w // 2, x1 - x0], 1).astype(np.int32)
    runs.setflags(write=False)
    if not len(runs):
        return runs, (0, 0, 0, 0)
    dy, dx, length = runs.T
    return runs, (int(dx.min()), int((dx + length - 1).max()), int(dy.min()), int(dy.max()))


def _describe(element: np.ndarray):
    # what describes a small one is kept: it takes 80 us, as long as two images
    describe = _described if element.size <= 1 << 16 else _described.__wrapped__
    return describe(element.shape, element.astype(np.int8).tobytes())


def runs(element: np.ndarray) -> np.ndarray:
    """int32 ``[k, 3]``: start (dy, dx) and length of each run of pixels in a line of the element, seen from its anchor, which is
    the pixel at half of each side."""
    return _describe(element)[0]


def reach(element: np.ndarray) -> tuple[int, int, int, int]:
    """The least and greatest dx and dy of an element's pixels: (x0, x1, y0, y1)."""
    return _describe(element)[1]

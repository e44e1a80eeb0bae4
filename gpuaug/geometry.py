"""Where boxes and points go: under matrices and flips, clipped by the image, behind rectangles and maps that are dropped.

Boxes ``[N, 4]`` are (x0, y0, x1, y1) in pixels, edges of pixels being whole numbers; points ``[N, 4]`` are (x, y, angle in
radians, scale), centres of pixels being whole numbers. See docs/targets.md.
"""

from __future__ import annotations

import numpy as np


def clip_boxes(boxes: np.ndarray, size: np.ndarray) -> np.ndarray:
    """What of the boxes lies in their images of ``size`` ``[N, 2]``."""
    top = np.stack([size[:, 1], size[:, 0], size[:, 1], size[:, 0]], 1)
    return np.clip(boxes, 0, top)


def area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def covered(rectangles: np.ndarray) -> float:
    """The area that rectangles ``[K, 4]`` cover together.

    Example:
        >>> covered(np.array([[0, 0, 2, 2], [1, 1, 3, 3]]))
        7.0
    """
    x, y = np.unique(rectangles[:, [0, 2]]), np.unique(rectangles[:, [1, 3]])
    inside = np.zeros((len(y) - 1, len(x) - 1), bool)
    columns, lines = np.searchsorted(x, rectangles[:, [0, 2]]), np.searchsorted(y, rectangles[:, [1, 3]])
    for (x0, x1), (y0, y1) in zip(columns.tolist(), lines.tolist()):
        inside[y0:y1, x0:x1] = True
    return float(np.diff(y) @ inside @ np.diff(x))


# ---- dropout ------------------------------------------------------------------------------


def boxes_beside_holes(boxes: np.ndarray, holes: np.ndarray, min_area: float) -> tuple[np.ndarray, np.ndarray]:
    """Boxes after rectangles were cut out: they shrink to what is left of them.

    What is left is counted in pixels, as albumentations does. Sides that no hole moved keep their place between pixels.

    Args:
        boxes: ``[N, 4]``. holes: int ``[N, K, 4]``, those of each box's sample.
        min_area: fewer pixels are as good as none.

    Returns:
        The boxes, and the share of each box's pixels that is left.

    Example:
        >>> boxes_beside_holes(np.array([[0.5, 0, 10, 10]]), np.array([[[6, 0, 20, 20]]]), 0)
        (array([[ 0.5,  0. ,  6. , 10. ]]), array([0.6]))
    """
    # 5 / 77 * 77 is 4.999999999999999; a side of 2^24 pixels is off by 4e-9 at most
    whole = np.trunc(boxes + 1e-6).astype(np.int64)
    boxes, left = boxes.copy(), np.ones(len(boxes))
    x0, y0 = np.maximum(holes[..., 0], whole[:, None, 0]), np.maximum(holes[..., 1], whole[:, None, 1])
    x1, y1 = np.minimum(holes[..., 2], whole[:, None, 2]), np.minimum(holes[..., 3], whole[:, None, 3])
    touched = (x0 < x1) & (y0 < y1)
    for i in np.flatnonzero(touched.any(1)):
        x, y, right, bottom = whole[i]
        seen = np.ones((bottom - y, right - x), bool)
        for k in np.flatnonzero(touched[i]):
            seen[y0[i, k] - y : y1[i, k] - y, x0[i, k] - x : x1[i, k] - x] = False
        count = int(seen.sum())
        left[i] = count / seen.size if count >= min_area else 0
        if left[i]:
            rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
            ends = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
            moved = ends != np.array([0, 0, right - x, bottom - y])
            boxes[i] = np.where(moved, ends + np.array([x, y, x, y]), boxes[i])
    return boxes, left


def outside_holes(pixels: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """Which pixels ``[N, 2]`` (x, y) lie in none of the rectangles ``[N, K, 4]`` of their samples."""
    x, y = pixels[:, None, 0], pixels[:, None, 1]
    return ~((x >= holes[..., 0]) & (x < holes[..., 2]) & (y >= holes[..., 1]) & (y < holes[..., 3])).any(1)


def boxes_beside_map(boxes: np.ndarray, dropped: np.ndarray, min_area: float) -> np.ndarray:
    """The share that is left of one sample's boxes when a map ``[H, W]`` of pixels is dropped; none below ``min_area`` pixels."""
    h, w = dropped.shape
    total = np.zeros((h + 1, w + 1), np.int64)
    total[1:, 1:] = (~dropped).cumsum(0).cumsum(1)
    x0, y0, x1, y1 = np.clip(np.ceil(boxes - 0.5), 0, [w, h, w, h]).astype(int).T  # pixels whose centre lies in the box
    seen = total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]
    return np.where(seen >= min_area, seen / np.maximum((x1 - x0) * (y1 - y0), 1), 0)


def outside_map(pixels: np.ndarray, dropped: np.ndarray) -> np.ndarray:
    """Which pixels ``[N, 2]`` (x, y) of one sample lie in the image and are not dropped."""
    h, w = dropped.shape
    x, y = pixels.T
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    return inside & ~dropped[np.clip(y, 0, h - 1).astype(int), np.clip(x, 0, w - 1).astype(int)]


# ---- geometry -----------------------------------------------------------------------------


def affine_boxes(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The boxes around the moved corners. matrix ``[N, 2.., 3]`` maps centres of pixels; edges lie half a pixel beside them."""
    x, y = boxes[:, [0, 2, 2, 0]] - 0.5, boxes[:, [1, 1, 3, 3]] - 0.5
    moved = [matrix[:, i, 0:1] * x + matrix[:, i, 1:2] * y + matrix[:, i, 2:3] + 0.5 for i in (0, 1)]
    return np.stack([moved[0].min(1), moved[1].min(1), moved[0].max(1), moved[1].max(1)], 1)


def affine_points(points: np.ndarray, matrix: np.ndarray, scale=1.0) -> np.ndarray:
    """Points under a matrix ``[N, 2.., 3]``; an angle turns as the direction it stands for."""
    out = points.copy()
    for i in (0, 1):
        out[:, i] = matrix[:, i, 0] * points[:, 0] + matrix[:, i, 1] * points[:, 1] + matrix[:, i, 2]
    cos, sin = np.cos(points[:, 2]), np.sin(points[:, 2])
    out[:, 2] = np.arctan2(matrix[:, 1, 0] * cos + matrix[:, 1, 1] * sin, matrix[:, 0, 0] * cos + matrix[:, 0, 1] * sin)
    out[:, 3] = points[:, 3] * scale
    return out


def orientation_matrix(orientation, size: np.ndarray) -> np.ndarray:
    """Matrices ``[N, 2, 3]`` of flips and turns: old centre of a pixel to new.

    Args:
        orientation: int ``[N, 4]``, the linear part of new pixel -> old pixel, a signed permutation (`plan.ORIENTATIONS`).
        size: ``[N, 2]``, heights and widths before.
    """
    a = np.asarray(orientation, np.float64).reshape(-1, 2, 2)
    # old = a new + b, b being the far end where an axis is mirrored; new = a^T (old - b)
    b = np.where(a.sum(2) < 0, size[:, ::-1] - 1, 0)
    back = a.transpose(0, 2, 1)
    return np.concatenate([back, -(back @ b[:, :, None])], 2)

"""Dilation and erosion."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import WIDEST, integer, is_number, one_of
from ..structuring import element, reach
from ..transform import Transform

OPERATIONS = {"dilation": "greatest", "erosion": "least"}


class Morphological(Transform):
    """Take the greatest (dilation) or the least (erosion) value around each pixel, in an ellipse.

    Args:
        scale: width and height of the ellipse, pixels, in order, both at least 1; a number n means (1, n). It is not drawn: every
            sample gets the same, as in albumentations.
        operation: "dilation" or "erosion".
        p: probability, per sample.

    Shapes and dtypes: any, labels too (of whole numbers the larger is the greater); beyond the border nothing counts.
    Targets: image, mask, boxes, keypoints. A box becomes the box around its own dilated or eroded pixels, or is lost where none
    are left (albumentations 2.0.8 dilates the boxes of an image into each other); keypoints stay.
    Source: albumentations ``Morphological`` (``cv2.dilate``, ``cv2.erode`` with ``cv2.MORPH_ELLIPSE``).

    Raises:
        ValueError: a side below 1, another operation.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Morphological((3, 3), p=1)])(np.array([[0, 9, 0, 0]], np.uint8))
        array([[9, 9, 9, 0]], dtype=uint8)
    """

    targets = ("image", "mask")
    stencil = True

    def __init__(self, scale: Any = (2, 3), operation: str = "dilation", p: float = 0.5):
        super().__init__(p)
        sides = (1, scale) if is_number(scale) else scale
        if not isinstance(sides, (tuple, list)) or len(sides) != 2:
            raise TypeError(f"scale must be a whole number or a pair of them, got {scale!r}")
        self.scale = tuple(sorted(integer("scale", side, 1, WIDEST) for side in sides))
        self.operation = one_of("operation", operation, tuple(OPERATIONS))

    def lower(self, to, rows, params) -> None:
        to.rank(rows, OPERATIONS[self.operation], element=element("ellipse", *self.scale))

    def boxes(self, params, which, boxes, size, limits):
        x0, x1, y0, y1 = reach(element("ellipse", *self.scale))
        low, high, end = np.array([x0, y0]), np.array([x1, y1]), size[:, ::-1]
        out = boxes.copy()
        if self.operation == "dilation":  # a pixel lights those from which it is seen
            out[:, :2] = np.maximum(boxes[:, :2] - high, 0)
            out[:, 2:] = np.minimum(boxes[:, 2:] - low, end)
            return out, None
        # what lies beyond the border does not count: there a box stays
        out[:, :2] = np.where(boxes[:, :2] <= 0, boxes[:, :2], boxes[:, :2] - low)
        out[:, 2:] = np.where(boxes[:, 2:] >= end, boxes[:, 2:], boxes[:, 2:] - high)
        left = (out[:, 2:] > out[:, :2]).all(1)
        out[~left, 2:] = out[~left, :2]
        return out, left.astype(np.float64)

    def keypoints(self, params, which, points, size, limits):
        return points, None

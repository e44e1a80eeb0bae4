"""Padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import maps
from ..checks import integer, one_of
from ..hints import Colour, Fill
from ..spellings.members import PositionType
from .crop import POSITIONS, _Windowed, paddings

LARGEST = 1 << 24  # what float32 coordinates tell apart


class _Padded(_Windowed, register=False):
    """What padding does once it is known, parameter "pad": rows and columns at the top, bottom, left and right."""

    def __init__(self, border_mode, fill: Fill, fill_mask: Colour | None, p: float):
        super().__init__(0, 0, border_mode, fill, fill_mask, p)  # whole pixels: nothing to interpolate

    def joins(self, kind):
        return (None, *super().joins(kind)[1:])

    repeats_labels = True

    def size_after(self, params, size):
        pad = params["pad"]
        return size + pad[:, ::2] + pad[:, 1::2]

    def map(self, params, size):
        return maps.Window(-params["pad"][:, [2, 0]])


class Pad(_Padded):
    """Add rows and columns at the sides.

    Args:
        padding: pixels: a number for all sides, (x, y) for left and right, top and bottom, or (left, top, right, bottom).
        fill, fill_mask: colour of constant padding, a number or one for each channel.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints; where the border reflects (2, 4), they are repeated
    with it. Source: albumentations ``Pad``, ``cv2.copyMakeBorder``.

    Raises:
        ValueError: negative padding; another border mode.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Pad((1, 0, 2, 1), border_mode=1)])(np.array([[3, 4]], np.uint8))
        array([[3, 3, 4, 4, 4],
               [3, 3, 4, 4, 4]], dtype=uint8)
    """

    def __init__(
        self, padding: int | Sequence[int] = 0, fill: Fill = 0, fill_mask: Colour | None = 0, border_mode: int = 0, p: float = 1.0
    ):
        super().__init__(border_mode, fill, fill_mask, p)
        sides = padding if isinstance(padding, (tuple, list)) else (padding,)
        if len(sides) not in (1, 2, 4) or (len(sides) == 1 and sides is padding):
            raise ValueError(f"padding must be a number, (x, y) or (left, top, right, bottom), got {padding!r}")
        left, top, right, bottom = [integer("padding", side, 0, LARGEST) for side in sides] * (4 // len(sides))
        self.padding = padding
        self._sides = np.array([top, bottom, left, right])

    def draw(self, u, view):
        return {"pad": np.broadcast_to(self._sides, (len(u), 4))}


class PadIfNeeded(_Padded):
    """Pad images that are smaller than a size, or whose sides are no multiples of a number; others stay as they are.

    Args:
        min_height, min_width: the least height and width, pixels; or None, and
        pad_height_divisor, pad_width_divisor: what height and width shall be multiples of.
        position: where the image lies: "center", "top_left", "top_right", "bottom_left", "bottom_right", "random".
        border_mode, fill, fill_mask: see `Pad`.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``PadIfNeeded``.

    Raises:
        ValueError: a minimum and a divisor for the same side, or neither; a number below 1.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> pad = G.PadIfNeeded(min_height=3, min_width=None, pad_width_divisor=4)
        >>> G.Compose([pad])(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 8, 3)
    """

    PositionType = PositionType

    def __init__(
        self,
        min_height: int | None = 1024,
        min_width: int | None = 1024,
        pad_height_divisor: int | None = None,
        pad_width_divisor: int | None = None,
        position: str = "center",
        border_mode: int = 0,
        fill: Fill = 0.0,
        fill_mask: Colour | None = 0.0,
        p: float = 1.0,
    ):
        super().__init__(border_mode, fill, fill_mask, p)
        self.min_height, self.pad_height_divisor = _one("height", min_height, pad_height_divisor)
        self.min_width, self.pad_width_divisor = _one("width", min_width, pad_width_divisor)
        self.position = one_of("position", position, POSITIONS)

    def columns(self) -> int:
        return 2 * (self.position == "random")

    def draw(self, u, view):
        size = view.size.astype(np.int64)
        short = np.empty_like(size)
        rules = (self.min_height, self.pad_height_divisor), (self.min_width, self.pad_width_divisor)
        for axis, (least, divisor) in enumerate(rules):
            short[:, axis] = np.maximum(least - size[:, axis], 0) if divisor is None else -size[:, axis] % divisor
        return {"pad": paddings(short, self.position, u)}


def _one(side: str, least, divisor):
    """The minimum and the divisor of a side, of which one is None."""
    if (least is None) == (divisor is None):
        raise ValueError(
            f"one of min_{side} and pad_{side}_divisor must be given and the other None, got min_{side}={least!r}, "
            f"pad_{side}_divisor={divisor!r}"
        )
    if divisor is None:
        return integer(f"min_{side}", least, 1, LARGEST), None
    return None, integer(f"pad_{side}_divisor", divisor, 1, LARGEST)

"""Dropout: rectangles of the image are replaced; all rectangles of a sample in one pass."""

from __future__ import annotations


import numpy as np

from ..draw import between, integers, key, philox
from ..transform import Transform, colour, increasing, whole

WORDS = ("random", "random_uniform")


class Dropout(Transform, register=False):
    """What all dropouts share: holes are drawn, then filled.

    A subclass returns from `holes` int rectangles ``[n, K, 4]`` (x0, y0, x1, y1; those of no area are dropped).
    """

    targets = ("image", "mask")

    def __init__(self, fill, fill_mask, p: float, fill_value=None, mask_fill_value=None):
        super().__init__(p)
        if isinstance(fill, str) and fill.startswith("inpaint"):
            raise ValueError(f"fill={fill!r} is not built: use a number, one number for each channel, 'random' or 'random_uniform'")
        # fill_value, mask_fill_value: the names before albumentations 2.0
        self.fill = colour("fill", fill if fill_value is None else fill_value, WORDS)
        fill_mask = fill_mask if mask_fill_value is None else mask_fill_value
        self.fill_mask = None if fill_mask is None else colour("fill_mask", fill_mask)

    def count(self) -> int:
        """How many uniforms `holes` takes."""
        raise NotImplementedError

    def holes(self, u: np.ndarray, size: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def columns(self) -> int:
        return self.count() + 2 * isinstance(self.fill, str)

    def draw(self, u, view):
        params = {"holes": self.holes(u[:, : self.count()], view.size)}
        if isinstance(self.fill, str):
            params["key"] = key(u[:, self.count() :])
        return params

    def lower(self, to, rows, params) -> None:
        fill = self.fill if to.kind == "image" else self.fill_mask
        if fill is not None:
            fill_holes(to, rows, params["holes"], fill, params.get("key"))


def fill_holes(to, rows, holes: np.ndarray, fill, seed=None) -> None:
    """Lower rectangles ``[n, K, 4]`` with a fill: a number, one for each channel, "random" or "random_uniform"."""
    n, k = holes.shape[:2]
    if k == 0 or n == 0:
        return
    some = (holes[:, :, 2] > holes[:, :, 0]) & (holes[:, :, 3] > holes[:, :, 1])
    count = some.sum(1)
    if not count.all() or (count != k).any():  # the real ones first, in their order
        order = np.argsort(~some, 1, kind="stable")
        holes = np.take_along_axis(holes, order[:, :, None], 1)
    arg = to.blob(holes.astype(np.int32)) + 4 * k * np.arange(n)
    p = np.zeros((n, 6), np.float32)
    word = fill if isinstance(fill, str) else None
    if word is None:
        p.view(np.int32)[:, 5] = to.blob(to.colour(fill, "fill" if to.kind == "image" else "fill_mask"))
    elif word == "random_uniform":
        colours = _random(seed, k, to.channels)
        values = np.floor(colours * 256) if to.is_u8 else colours
        p.view(np.int32)[:, 5] = to.blob(values.astype(np.float32)) + k * to.channels * np.arange(n)
    else:
        p[:, :2] = seed.view(np.float32)
        p.view(np.int32)[:, 2] = to.size[rows][:, 1]
        p[:, 3], p[:, 4] = (256.0, 1.0) if to.is_u8 else (1.0, 0.0)
    to.pixel(rows, "rects", p, arg=arg, n=count, flag=0 if word is None else 1 if word == "random_uniform" else 2, positions=True)


def _random(seed, rects: int, channels: int) -> np.ndarray:
    """Uniforms [n, rects, channels] from keys [n, 2]."""
    blocks = -(-channels // 4)
    words = philox(np.arange(rects)[None, :, None], np.arange(blocks)[None, None], 2, 0, seed[:, 0, None, None], seed[:, 1, None, None])
    return words.reshape(len(seed), rects, 4 * blocks)[:, :, :channels] * 2.0**-32


class XYMasking(Dropout):
    """Stripes over the whole height (x) and the whole width (y): time and frequency masks of spectrograms.

    Args:
        num_masks_x, num_masks_y: how many stripes along x and y; an int is fixed, (low, high) is drawn from, both inclusive.
        mask_x_length, mask_y_length: their widths in pixels, likewise; no wider than the image.
        fill: a number, one number for each channel, "random" (a number for each pixel and channel; 0..255 or [0, 1)), or
            "random_uniform" (one colour for each stripe). ``fill_value`` is the older name.
        fill_mask: what stripes become in masks; None leaves masks as they are. ``mask_fill_value`` is the older name.
        p: probability, per sample.

    Shapes and dtypes: any channel count; float images of any range. Targets: image, mask.
    Source: albumentations ``XYMasking``; unlike there an int is fixed, as its documentation says.

    Raises:
        ValueError: no stripe of any length could ever be drawn; a length above the image's size (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.XYMasking(num_masks_x=1, mask_x_length=2, fill=9, p=1)
        >>> int((G.Compose([aug], seed=1)(np.zeros((1, 6), np.uint8)) == 9).sum())
        2
    """

    def __init__(self, num_masks_x=0, num_masks_y=0, mask_x_length=0, mask_y_length=0, fill=0, fill_mask=None, p: float = 0.5, *,
                 fill_value=None, mask_fill_value=None):
        super().__init__(fill, fill_mask, p, fill_value, mask_fill_value)
        self.num_masks_x, self.num_masks_y = whole("num_masks_x", num_masks_x, 0, 1000), whole("num_masks_y", num_masks_y, 0, 1000)
        self.mask_x_length, self.mask_y_length = whole("mask_x_length", mask_x_length), whole("mask_y_length", mask_y_length)
        if self.mask_x_length[1] == 0 and self.mask_y_length[1] == 0:
            raise ValueError("at least one of mask_x_length and mask_y_length must allow a length above 0")

    def count(self) -> int:
        return 2 + 2 * (self.num_masks_x[1] + self.num_masks_y[1])

    def holes(self, u, size):
        n, kx, ky = len(u), self.num_masks_x[1], self.num_masks_y[1]
        holes = np.zeros((n, kx + ky, 4), np.int64)
        at = 2
        for axis, (number, length, k) in enumerate([(self.num_masks_x, self.mask_x_length, kx), (self.num_masks_y, self.mask_y_length, ky)]):
            if k == 0:
                continue
            side, other = size[:, 1 - axis], size[:, axis]
            if (side < length[1]).any():
                i, name = int(np.flatnonzero(side < length[1])[0]), "xy"[axis]
                raise ValueError(f"mask_{name}_length range {length} is out of valid range [0, {side[i]}], the {('width', 'height')[axis]} of "
                                 f"a sample of {size[i, 0]} x {size[i, 1]}; make it shorter or resize first")
            width = integers(u[:, at : at + k], *length)
            start = np.floor(u[:, at + k : at + 2 * k] * (side[:, None] - width + 1)).astype(np.int64)
            at += 2 * k
            width *= np.arange(k) < integers(u[:, axis], *number)[:, None]
            part = holes[:, :k] if axis == 0 else holes[:, kx:]
            part[:, :, axis], part[:, :, axis + 2], part[:, :, 3 - axis] = start, start + width, other[:, None]
        return holes


class CoarseDropout(Dropout):
    """Rectangles at random places (cutout).

    Args:
        num_holes_range: how many, (low, high) inclusive, at least 1.
        hole_height_range, hole_width_range: sizes: fractions of the image's (below 1), or whole pixels (low, high) inclusive.
        fill: a number, one for each channel, "random" or "random_uniform"; see `XYMasking`. ``fill_value`` is the older name.
        fill_mask: what holes become in masks; None leaves masks as they are. ``mask_fill_value`` is the older name.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask. Source: albumentations ``CoarseDropout``; DeVries and Taylor 2017.

    Raises:
        ValueError: a range out of order or outside its bounds; heights as fractions and widths as pixels.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.CoarseDropout((1, 1), (2, 2), (3, 3), fill=9, p=1)
        >>> int((G.Compose([aug], seed=1)(np.zeros((8, 8), np.uint8)) == 9).sum())
        6
    """

    def __init__(self, num_holes_range=(1, 2), hole_height_range=(0.1, 0.2), hole_width_range=(0.1, 0.2), fill=0, fill_mask=None,
                 p: float = 0.5, *, fill_value=None, mask_fill_value=None):
        super().__init__(fill, fill_mask, p, fill_value, mask_fill_value)
        self.num_holes_range = whole("num_holes_range", num_holes_range, 1, 1000)
        self.hole_height_range = increasing("hole_height_range", hole_height_range, 0)
        self.hole_width_range = increasing("hole_width_range", hole_width_range, 0)
        self._pixels = self.hole_height_range[1] >= 1
        if self._pixels != (self.hole_width_range[1] >= 1):
            raise ValueError(f"hole_height_range and hole_width_range must both be fractions (below 1) or both whole pixels, got "
                             f"{hole_height_range!r} and {hole_width_range!r}")

    def count(self) -> int:
        return 1 + 4 * self.num_holes_range[1]

    def _lengths(self, u, bounds, side):
        if self._pixels:
            return integers(u, np.minimum(int(bounds[0]), side), np.minimum(int(bounds[1]), side))
        return np.floor(side * between(u, *bounds)).astype(np.int64)

    def holes(self, u, size):
        k = self.num_holes_range[1]
        h, w = size[:, 0:1], size[:, 1:2]
        height = self._lengths(u[:, 1 : 1 + k], self.hole_height_range, h)
        width = self._lengths(u[:, 1 + k : 1 + 2 * k], self.hole_width_range, w)
        y = np.floor(u[:, 1 + 2 * k : 1 + 3 * k] * (h - height + 1)).astype(np.int64)
        x = np.floor(u[:, 1 + 3 * k : 1 + 4 * k] * (w - width + 1)).astype(np.int64)
        width = width * (np.arange(k) < integers(u[:, 0], *self.num_holes_range)[:, None])
        return np.stack([x, y, x + width, y + height], 2)

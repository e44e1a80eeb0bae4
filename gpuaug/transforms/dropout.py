"""Dropout: rectangles, channels, pixels or objects of the image are replaced; all rectangles of a sample in one pass."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import inpainting, library
from ..checks import boolean, colour, increasing, integer, is_number, real, whole
from ..geometry import boxes_beside_holes, outside_holes
from ..hints import Colour, Fill, IntRange, Range, Size
from ..ops import Stream
from ..transform import Transform
from ..uniforms import between, integers, key, philox

WORDS = ("random", "random_uniform", *inpainting.WORDS)


class Dropout(Transform, register=False):
    """What all dropouts share: holes are drawn, then filled.

    A subclass returns from `holes` int rectangles ``[n, K, 4]`` (x0, y0, x1, y1; those of no area are dropped).
    """

    ops = ("rects",)
    targets = ("image", "mask")
    moves_pixels = False

    def __init__(self, fill: Fill, fill_mask: Colour | None, p: float):
        super().__init__(p)
        self.fill = colour("fill", fill, WORDS)
        self.fill_mask = None if fill_mask is None else colour("fill_mask", fill_mask)

    def count(self) -> int:
        """How many uniforms `holes` takes."""
        raise NotImplementedError

    def check(self, view) -> None:
        """Raise if a sample is too small."""

    def holes(self, u: np.ndarray, size: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def columns(self) -> int:
        return self.count() + 2 * (self.fill in ("random", "random_uniform"))

    def draw(self, u, view):
        self.check(view)
        params = {"holes": self.holes(u[:, : self.count()], view.size)}
        if self.fill in ("random", "random_uniform"):
            params["key"] = key(u[:, self.count() :])
        return params

    def lower(self, to, rows, params) -> None:
        fill = self.fill if to.kind == "image" else self.fill_mask
        if fill is not None:
            fill_holes(to, rows, params["holes"], fill, params.get("key"))

    def lower_scaled(self, to, rows, params, size) -> None:
        fill = self.fill if to.kind == "image" else self.fill_mask
        if fill is not None:
            scale = (to.sizes(rows) / size)[:, None, [1, 0, 1, 0]]
            fill_holes(to, rows, np.rint(params["holes"] * scale).astype(np.int64), fill, params.get("key"))

    def boxes(self, params, which, boxes, size, limits):
        return boxes_beside_holes(boxes, params["holes"][which], limits.min_area)

    def cuts(self, params, which):
        return params["holes"][which]

    def keypoints(self, params, which, points, size, limits):
        return points, outside_holes(limits.pixel(points), params["holes"][which]) if limits.remove_invisible else None


FILLS = {None: 0, "random_uniform": 1, "random": 2, "mean": 3, "normal": 4}  # FillMode of kernels/rows.cuh
_NO_KEY = np.zeros(2, np.uint32)


def fill_holes(to, rows, holes: np.ndarray, fill, seed=None, mean=None) -> None:
    """Lower rectangles ``[n, K, 4]`` with a fill: a number, one for each channel, one of `WORDS`, "normal", or "mean": of the
    samples' moments ``mean``."""
    n, k = holes.shape[:2]
    if k == 0 or n == 0:
        return
    word = fill if isinstance(fill, str) else None
    if word in inpainting.WORDS:
        inpainting.inpaint_holes(to, rows, lambda j, shape: _covered(holes[j], shape), word)
        return
    if word in ("random", "random_uniform", "normal"):
        to.no_labels("filled at random")
    how = filling(to, rows, word, to.colour(fill if word is None else 0))
    if word == "random_uniform":
        colours = random_numbers(seed, k, to.channels)
        values = np.floor(colours * 256) if to.is_u8 else colours
        how["fill"] = values.astype(np.float32)
    elif word in ("random", "normal"):
        how["key"] = seed
    elif word == "mean":
        how["mean"] = mean
    to.op(rows, "rects", table=holes, **how)


def _covered(holes: np.ndarray, shape) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    for x0, y0, x1, y1 in np.maximum(holes, 0).tolist():
        mask[y0:y1, x0:x1] = 255
    return mask


def filling(to, rows, word: str | None, colour: np.ndarray) -> dict:
    """What "rects" and "bitmap" take, of a fill that is a word, or (None) a colour; of a word the caller adds what it needs."""
    scale, whole = (256.0, True) if to.is_u8 else (1.0, False)
    return {
        "key": _NO_KEY,
        "width": to.sizes(rows)[:, 1] if word in ("random", "normal") else 0,
        "scale": scale,
        "whole": whole,
        "fill": colour,
        "mode": FILLS[word],
    }


def random_numbers(seed, rects: int, channels: int) -> np.ndarray:
    """Uniforms [n, rects, channels] from keys [n, 2]."""
    blocks = -(-channels // 4)
    rows, columns = np.arange(rects)[None, :, None], np.arange(blocks)[None, None]
    words = philox(rows, columns, Stream.COLOUR, 0, seed[:, 0, None, None], seed[:, 1, None, None])
    return words.reshape(len(seed), rects, 4 * blocks)[:, :, :channels] * 2.0**-32


class XYMasking(Dropout):
    """Stripes over the whole height (x) and the whole width (y): time and frequency masks of spectrograms.

    Args:
        num_masks_x, num_masks_y: how many stripes along x and y; an int is fixed, (low, high) is drawn from, both inclusive.
        mask_x_length, mask_y_length: their widths in pixels, likewise; no wider than the image. Numbers between 0 and 1 are
            fractions of the image's width and height, cut off to whole pixels: 0.2, (0.05, 0.2), (0, 0.2); 1 and 1.0 are one
            pixel.
        fill: a number, one number for each channel, "random" (a number for each pixel and channel; 0..255 or [0, 1)), or
            "random_uniform" (one colour for each stripe), or "inpaint_telea", "inpaint_ns" (from what surrounds them: uint8,
            a host stage that needs OpenCV).
        fill_mask: what stripes become in masks; None leaves masks as they are.
        p: probability, per sample.

    Shapes and dtypes: any channel count; float images of any range. Targets: image, mask,
    boxes, keypoints. Source: albumentations ``XYMasking``; unlike there an int is fixed, as its documentation says.

    Raises:
        ValueError: a length above the image's size (at the first batch). That no stripe could ever be drawn is a warning.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.XYMasking(num_masks_x=1, mask_x_length=2, fill=9, p=1)
        >>> int((G.Compose([aug], seed=1)(np.zeros((1, 6), np.uint8)) == 9).sum())
        2
    """

    def __init__(
        self,
        num_masks_x: IntRange = 0,
        num_masks_y: IntRange = 0,
        mask_x_length: Range = 0,
        mask_y_length: Range = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = None,
        p: float = 0.5,
    ):
        super().__init__(fill, fill_mask, p)
        self.num_masks_x, self.num_masks_y = (
            whole("num_masks_x", num_masks_x, 0, 1000),
            whole("num_masks_y", num_masks_y, 0, 1000),
        )
        self.mask_x_length, self.mask_y_length = _length("mask_x_length", mask_x_length), _length("mask_y_length", mask_y_length)
        if not (self.num_masks_x[1] and self.mask_x_length[1]) and not (self.num_masks_y[1] and self.mask_y_length[1]):
            warnings.warn(
                "XYMasking does nothing: give num_masks_x and mask_x_length, or num_masks_y and mask_y_length", stacklevel=3
            )

    def count(self) -> int:
        return 2 + 2 * (self.num_masks_x[1] + self.num_masks_y[1])

    def check(self, view) -> None:
        size = view.size  # of one sample there is no least: looking for it takes 3 us
        least = (size[0] if len(size) == 1 else size.min(0, initial=2**31)).tolist()
        for axis, number, (low, high) in ((0, self.num_masks_x, self.mask_x_length), (1, self.num_masks_y, self.mask_y_length)):
            if high >= 1 and number[1] and least[1 - axis] < high:
                side = view.size[:, 1 - axis]
                i, name = int(np.flatnonzero(side < high)[0]), "xy"[axis]
                raise ValueError(
                    f"mask_{name}_length range {(low, high)} is out of valid range [0, {side[i]}], "
                    f"the {('width', 'height')[axis]} of sample {view.sample(i)} ({view.size[i, 0]} x "
                    f"{view.size[i, 1]}); make it shorter or resize first"
                )

    def holes(self, u, size):
        holes = np.empty((len(u), self.num_masks_x[1] + self.num_masks_y[1], 4), np.int64)
        lengths = self.mask_x_length, self.mask_y_length
        if any(0 < high < 1 for _, high in lengths):  # whose pixels depend on the size
            sizes, of = np.unique(size, axis=0, return_inverse=True)
            for k, side in enumerate(sizes):
                pixels = [_pixels(pair, int(whole)) for pair, whole in zip(lengths, side[::-1])]
                mine = np.flatnonzero(of.reshape(-1) == k)
                part = np.empty((len(mine), *holes.shape[1:]), np.int64)
                self._stripes(u[mine], size[mine], pixels, part)
                holes[mine] = part
        else:
            self._stripes(u, size, lengths, holes)
        return holes

    def _stripes(self, u, size, lengths, out) -> None:
        numbers = np.array([self.num_masks_x, lengths[0], self.num_masks_y, lengths[1]], np.int64)
        library.load().stripes(u, size, numbers, out)


def _length(name: str, value) -> tuple:
    """Whole pixels, or fractions of a side between 0 and 1."""
    pair = (value, value) if is_number(value) else value
    if isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(is_number, pair)) and 0 < pair[1] < 1:
        return increasing(name, pair, 0, 1)
    return whole(name, value)


def _pixels(pair: tuple, side: int) -> tuple[int, int]:
    return tuple(int(v * side) for v in pair) if 0 < pair[1] < 1 else pair


class CoarseDropout(Dropout):
    """Rectangles at random places (cutout).

    Args:
        num_holes_range: how many, (low, high) inclusive, at least 1.
        hole_height_range, hole_width_range: sizes: fractions of the image's (below 1), or whole pixels (low, high) inclusive.
        fill: a number, one for each channel, or a word; see `XYMasking`.
        fill_mask: what holes become in masks; None leaves masks as they are.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``CoarseDropout``; DeVries and
    Taylor 2017.

    Raises:
        ValueError: a range out of order or outside its bounds; heights as fractions and widths as pixels.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.CoarseDropout((1, 1), (2, 2), (3, 3), fill=9, p=1)
        >>> int((G.Compose([aug], seed=1)(np.zeros((8, 8), np.uint8)) == 9).sum())
        6
    """

    def __init__(
        self,
        num_holes_range: IntRange = (1, 2),
        hole_height_range: Range = (0.1, 0.2),
        hole_width_range: Range = (0.1, 0.2),
        fill: Fill = 0,
        fill_mask: Colour | None = None,
        p: float = 0.5,
    ):
        super().__init__(fill, fill_mask, p)
        self.num_holes_range = whole("num_holes_range", num_holes_range, 1, 1000)
        self.hole_height_range = increasing("hole_height_range", hole_height_range, 0)
        self.hole_width_range = increasing("hole_width_range", hole_width_range, 0)
        self._pixels = self.hole_height_range[1] >= 1
        if self._pixels != (self.hole_width_range[1] >= 1):
            raise ValueError(
                f"hole_height_range and hole_width_range must both be fractions (below 1) or both whole pixels, got "
                f"{hole_height_range!r} and {hole_width_range!r}"
            )

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


class Cutout(Dropout):
    """Rectangles around random places, which may reach out of the image; albumentations' before `CoarseDropout`.

    Args:
        num_holes: how many.
        max_h_size, max_w_size: their height and width, pixels: a middle may be any pixel, and what lies beyond the first line or
            column is moved in, what lies beyond the last is cut off.
        fill_value: a number, one for each channel, or a word; see `XYMasking`.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image alone. Source: albumentations 0.1 to 1.3 ``Cutout``; DeVries and Taylor 2017.

    Raises:
        ValueError: a number or size below 1.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Cutout(num_holes=1, max_h_size=8, max_w_size=8, fill_value=9, p=1)
        >>> int((G.Compose([aug], seed=1)(np.zeros((8, 8), np.uint8)) == 9).sum()) >= 16
        True
    """

    targets = ("image",)
    boxes, keypoints, cuts = Transform.boxes, Transform.keypoints, Transform.cuts

    def __init__(self, num_holes: int = 8, max_h_size: int = 8, max_w_size: int = 8, fill_value: Colour = 0, p: float = 0.5):
        super().__init__(fill_value, None, p)
        self.num_holes, self.fill_value = integer("num_holes", num_holes, 1, 1000), self.fill
        self.max_h_size, self.max_w_size = integer("max_h_size", max_h_size, 1), integer("max_w_size", max_w_size, 1)

    def count(self) -> int:
        return 2 * self.num_holes

    def holes(self, u, size):
        spans = []
        for length, part, side in ((self.max_w_size, u[:, : self.num_holes], 1), (self.max_h_size, u[:, self.num_holes :], 0)):
            side = size[:, side, None]
            start = np.clip(integers(part, 0, side) - length // 2, 0, side)
            spans.append((start, np.minimum(start + length, side)))
        (x0, x1), (y0, y1) = spans
        return np.stack([x0, y0, x1, y1], 2)


class Erasing(Dropout):
    """One rectangle of random area and aspect ratio (random erasing).

    Args:
        scale: range of its area as a fraction of the image's.
        ratio: range of its width / height.
        fill, fill_mask: see `XYMasking`.
        p: probability, per sample.

    Nothing is erased where no rectangle of these ranges fits the image. Shapes and dtypes: any. Targets: image, mask, boxes,
    keypoints. Source: albumentations ``Erasing``; Zhong et al. 2017.

    Raises:
        ValueError: a range out of order, a scale outside [0, 1], a ratio of 0.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Erasing(scale=(0.25, 0.25), ratio=(1, 1), fill=9, p=1)
        >>> int((G.Compose([aug], seed=1)(np.zeros((8, 8), np.uint8)) == 9).sum())
        16
    """

    def __init__(
        self,
        scale: Any = (0.02, 0.33),
        ratio: Range = (0.3, 3.3),
        fill: Fill = 0,
        fill_mask: Colour | None = None,
        p: float = 0.5,
    ):
        super().__init__(fill, fill_mask, p)
        self.scale, self.ratio = increasing("scale", scale, 0, 1), increasing("ratio", ratio, 0)
        if self.ratio[0] <= 0:
            raise ValueError(f"ratio must be above 0, got {ratio!r}")

    def count(self) -> int:
        return 4

    def holes(self, u, size):
        h, w = size[:, 0].astype(np.float64), size[:, 1].astype(np.float64)
        low, high = self.ratio
        largest = np.minimum(
            h * w * self.scale[1], np.minimum(low * h * h, w * w / high)
        )  # h = sqrt(A / r), w = sqrt(A r) must fit
        smallest = h * w * self.scale[0]
        area = between(u[:, 0], smallest, np.maximum(largest, smallest))
        fits = (largest >= smallest) & (area > 0)
        area = np.maximum(area, 1e-9)
        flat, steep = np.minimum(high, w * w / area), np.maximum(low, area / (h * h))
        fits &= steep <= flat
        ratio = between(u[:, 1], steep, np.maximum(flat, steep))
        eh, ew = np.minimum(np.rint(np.sqrt(area / ratio)), h), np.minimum(np.rint(np.sqrt(area * ratio)), w)
        y, x = np.floor(u[:, 2] * (h - eh + 1)), np.floor(u[:, 3] * (w - ew + 1))
        holes = np.stack([x, y, x + ew, y + eh], 1) * fits[:, None]
        return holes.astype(np.int64)[:, None]


class GridDropout(Dropout):
    """A regular grid of rectangles, one in each cell (GridMask).

    Args:
        ratio: side of a rectangle as a fraction of its cell's, in (0, 1].
        random_offset: place each rectangle at random in its cell; else at ``shift_xy``.
        unit_size_range: side of a cell in pixels, (low, high) inclusive, at least 2, at most the shorter side of the image.
        holes_number_xy: number of cells along x and y; comes before ``unit_size_range``. With neither there are about ten.
        shift_xy: offset of each rectangle in its cell, x and y.
        fill, fill_mask: see `XYMasking`.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``GridDropout``; Chen et al. 2020.

    Raises:
        ValueError: an argument outside its range; a cell larger than the image (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.GridDropout(ratio=0.5, holes_number_xy=(2, 2), random_offset=False, fill=9, p=1)
        >>> int((G.Compose([aug])(np.zeros((8, 8), np.uint8)) == 9).sum())
        16
    """

    def __init__(
        self,
        ratio: float = 0.5,
        random_offset: bool = True,
        unit_size_range: Range | None = None,
        holes_number_xy: Sequence[int] | None = None,
        shift_xy: Size = (0, 0),
        fill: Fill = 0,
        fill_mask: Colour | None = None,
        p: float = 0.5,
    ):
        super().__init__(fill, fill_mask, p)
        self.ratio = real("ratio", ratio, 0, 1, above=True)
        self.random_offset = boolean("random_offset", random_offset)
        self.unit_size_range = None if unit_size_range is None else whole("unit_size_range", unit_size_range, 2)
        self.holes_number_xy = None if holes_number_xy is None else _two("holes_number_xy", holes_number_xy, 1)
        self.shift_xy = _two("shift_xy", shift_xy, 0)

    def count(self) -> int:
        return 3

    def _cells(self, u, size) -> np.ndarray:
        """Rows and columns of the grids, ``[n, 2]``."""
        if self.holes_number_xy:
            return np.minimum(np.broadcast_to(self.holes_number_xy[::-1], size.shape), size)
        if self.unit_size_range:
            short = size.min(1)
            if (short < self.unit_size_range[1]).any():
                i = int(np.flatnonzero(short < self.unit_size_range[1])[0])
                raise ValueError(
                    f"unit_size_range {self.unit_size_range} is out of valid range [2, {short[i]}], the shorter side of a "
                    f"sample of {size[i, 0]} x {size[i, 1]}; make it smaller or resize first"
                )
            return size // integers(u, *self.unit_size_range)[:, None]
        return np.maximum(size // np.maximum(2, size // 10), 1)

    def holes(self, u, size):
        cells = self._cells(u[:, 0], size)
        seeds = key(u[:, 1:3])
        holes = np.zeros((len(u), int(cells.prod(1).max(initial=0)), 4), np.int64)
        # samples of one size with as many cells in one go: one group, where all images are alike
        kinds, group = np.unique(np.concatenate([cells, size], 1), axis=0, return_inverse=True)
        for k, (rows, columns, height, width) in enumerate(kinds.tolist()):
            mine = np.flatnonzero(group.reshape(-1) == k)
            holes[mine, : rows * columns] = self._grid(seeds[mine], rows, columns, height, width)
        return holes

    def _grid(self, seeds, rows: int, columns: int, height: int, width: int) -> np.ndarray:
        """The holes ``[n, rows * columns, 4]`` of images of one size."""
        count = rows * columns
        words = philox(np.arange(count + rows + columns), 0, Stream.GRID, 0, seeds[:, :1], seeds[:, 1:])[..., :2] * 2.0**-32
        at, order = words[:, :count].reshape(-1, rows, columns, 2), words[:, count:, 0]
        # cells that are one pixel larger lie at random places
        down, across = _intervals(height, rows, order[:, :rows]), _intervals(width, columns, order[:, rows:])
        top, left = down[:, :-1, None], across[:, None, :-1]
        ch, cw = np.diff(down)[:, :, None], np.diff(across)[:, None]
        hh, hw = (np.clip(c * self.ratio, 1, np.maximum(c - 1, 1)).astype(np.int64) for c in (ch, cw))
        if self.random_offset:
            dy = np.floor(at[..., 0] * (ch - hh + 1)).astype(np.int64)
            dx = np.floor(at[..., 1] * (cw - hw + 1)).astype(np.int64)
        else:
            dx, dy = self.shift_xy
        y, x = np.clip(top + dy, 0, height - hh), np.clip(left + dx, 0, width - hw)
        out = np.empty((len(seeds), rows, columns, 4), np.int64)
        for i, side in enumerate((x, y, x + hw, y + hh)):
            out[..., i] = side
        return out.reshape(len(seeds), -1, 4)


def _two(name, value, low):
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be two whole numbers (x, y), got {value!r}")
    return integer(name, value[0], low), integer(name, value[1], low)


def _intervals(size: int, parts: int, order: np.ndarray) -> np.ndarray:
    """Edges ``[n, parts + 1]`` of almost equal intervals; which are one longer follows the ranks of ``order`` ``[n, parts]``."""
    length = size // parts + (np.argsort(np.argsort(order, kind="stable"), kind="stable") < size % parts)
    return np.concatenate([np.zeros((len(order), 1), np.int64), np.cumsum(length, 1)], 1)

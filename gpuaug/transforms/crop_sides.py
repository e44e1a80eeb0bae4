"""Crops that say where their sides lie: Crop, RandomCropFromBorders, CropAndPad."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .. import maps
from ..checks import boolean, integer, is_number, real
from ..checks import border as border_mode_of
from ..hints import Colour, Fill
from ..uniforms import between, integers
from .crop import _FixedCrop, _Resized, _Windowed
from .pad import LARGEST


class Crop(_FixedCrop):
    """Cut a fixed window out.

    Args:
        x_min, y_min: the window's first column and row, pixels, at least 0.
        x_max, y_max: the ones behind its last.
        pad_if_needed: pad images that end before the window does; else they are an error.
        pad_position: where a padded image lies, as `RandomCrop`; the window stays where it is.
        border_mode, fill, fill_mask: see `RandomCrop`.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``Crop``.

    Raises:
        ValueError: a window without pixels; an image that ends before it (at the first batch that has one).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Crop(1, 0, 3, 1)])(np.array([[1, 2, 3, 4]], np.uint8))
        array([[2, 3]], dtype=uint8)
    """

    def __init__(
        self,
        x_min: int = 0,
        y_min: int = 0,
        x_max: int = 1024,
        y_max: int = 1024,
        pad_if_needed: bool = False,
        pad_position: str = "center",
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 1.0,
    ):
        self.x_min, self.y_min = integer("x_min", x_min, 0, LARGEST), integer("y_min", y_min, 0, LARGEST)
        self.x_max, self.y_max = integer("x_max", x_max, 1, LARGEST), integer("y_max", y_max, 1, LARGEST)
        for axis, low, high in (("x", self.x_min, self.x_max), ("y", self.y_min, self.y_max)):
            if low >= high:
                raise ValueError(f"{axis}_max must be greater than {axis}_min, got {axis}_min={low}, {axis}_max={high}")
        height, width = self.y_max - self.y_min, self.x_max - self.x_min
        super().__init__(height, width, pad_if_needed, pad_position, border_mode, fill, fill_mask, p)

    def _least(self):
        return self.y_max, self.x_max

    def _place(self, u, free):
        return self.y_min, self.x_min


class Cropped(_Windowed, register=False):
    """A window, parameter "crop_coords" (x0, y0, x1, y1) ``[n, 4]``, that lies inside the image."""

    def __init__(self, p: float):
        super().__init__(0, 0, p=p)  # whole pixels: nothing to interpolate

    def joins(self, kind):
        return None, None, None

    def size_after(self, params, size):
        x0, y0, x1, y1 = params["crop_coords"].T
        return np.stack([y1 - y0, x1 - x0], 1)

    def map(self, params, size):
        return maps.Window(params["crop_coords"][:, :2])

    def lower(self, to, rows, params) -> None:
        x0, y0, x1, y1 = params["crop_coords"].T
        to.crop(rows, x0, y0, y1 - y0, x1 - x0)


class RandomCropFromBorders(Cropped):
    """Cut off a random part at each side.

    Args:
        crop_left, crop_right, crop_top, crop_bottom: the most that is cut off there, as a fraction of width or height, 0 to 1; of
            opposite sides together at most 1. A row and a column stay.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``RandomCropFromBorders``.

    Raises:
        ValueError: a fraction outside [0, 1]; opposite sides of more than 1 together.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomCropFromBorders(0, 0, 0, 0)])(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 7, 3)
    """

    def __init__(
        self,
        crop_left: float = 0.1,
        crop_right: float = 0.1,
        crop_top: float = 0.1,
        crop_bottom: float = 0.1,
        p: float = 1.0,
    ):
        super().__init__(p)
        self.crop_left, self.crop_right = real("crop_left", crop_left, 0, 1), real("crop_right", crop_right, 0, 1)
        self.crop_top, self.crop_bottom = real("crop_top", crop_top, 0, 1), real("crop_bottom", crop_bottom, 0, 1)
        for one, other in (("crop_left", "crop_right"), ("crop_top", "crop_bottom")):
            if getattr(self, one) + getattr(self, other) > 1:
                raise ValueError(
                    f"{one} and {other} must be at most 1 together, got {getattr(self, one)} and {getattr(self, other)}"
                )

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        coords = np.empty((len(u), 4), np.int64)
        sides = ((0, self.crop_left, self.crop_right), (1, self.crop_top, self.crop_bottom))
        for axis, before, behind in sides:
            side = view.size[:, 1 - axis]
            low = np.minimum(integers(u[:, 2 * axis], 0, (before * side).astype(np.int64)), side - 1)
            coords[:, axis] = low
            least = np.maximum(low + 1, ((1 - behind) * side).astype(np.int64))
            coords[:, 2 + axis] = integers(u[:, 2 * axis + 1], least, side)
        return {"crop_coords": coords}


class CropAndPad(_Resized):
    """Cut off, or add, rows and columns at each side; then resize to the size that the image had.

    Args:
        px: pixels that are added, or, negative, cut off: a number for all sides; a range (low, high), high exclusive, from which
            each side draws; or four, for top, right, bottom, left: numbers, ranges, or lists to choose from.
        percent: instead of it fractions of height and width, cut off to whole pixels: the same with real numbers, high inclusive.
        keep_size: resize to the size that the image had.
        sample_independently: each side draws its own from the one range, else all the same.
        interpolation, mask_interpolation: see `Resize`; 6 keeps masks on their images.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, one number for all channels; or what it is drawn from for each sample: a range
            (low, high), rounded where values are whole, or more numbers to choose from.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. A row and a column stay. Source: albumentations
    ``CropAndPad``, ``cv2.copyMakeBorder``, ``cv2.resize``.

    Raises:
        ValueError: both px and percent, or none; a range out of order; another interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.CropAndPad(px=(1, 0, -1, 0), keep_size=False)])(np.array([[3, 4], [5, 6]], np.uint8))
        array([[0, 0],
               [3, 4]], dtype=uint8)
    """

    def __init__(
        self,
        px: Any = None,
        percent: Any = None,
        keep_size: bool = True,
        sample_independently: bool = True,
        interpolation: int = 1,
        mask_interpolation: int = 0,
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 1.0,
    ):
        super().__init__(interpolation, mask_interpolation, None, False, p)
        if (px is None) == (percent is None):
            raise ValueError(f"one of px and percent must be given and the other None, got px={px!r}, percent={percent!r}")
        self.px, self.percent = px, percent
        self._choices = _sides("px", px, True) if percent is None else _sides("percent", percent, False)
        self.keep_size = boolean("keep_size", keep_size)
        self.sample_independently = boolean("sample_independently", sample_independently)
        self.border_mode = border_mode_of("border_mode", border_mode)
        self.fill, self.fill_mask = _drawn_fill("fill", fill), _drawn_fill("fill_mask", fill_mask)

    def joins(self, kind):
        return None  # its colour is drawn

    def columns(self) -> int:
        return 6  # the sides, then the fills

    def draw(self, u, view):
        size = view.size.astype(np.int64)
        one = len(self._choices) == 1
        sides = np.empty((len(u), 4), np.float64)  # top, right, bottom, left
        for side in range(4):
            choice = self._choices[0 if one else side]
            sides[:, side] = choice(u[:, 0 if one and not self.sample_independently else side])
        if self.percent is not None:
            sides *= size[:, [0, 1, 0, 1]]
        sides = sides.astype(np.int64)
        cut = np.maximum(-sides, 0)
        for axis, (before, behind) in enumerate(((0, 2), (3, 1))):
            cut[:, [before, behind]] = _leave_one(cut[:, before], cut[:, behind], size[:, axis])
        pad = np.maximum(sides, 0)
        return {
            "crop": cut,
            "pad": pad,
            "fill": _of_range(self.fill, u[:, 4]),
            "fill_mask": _of_range(self.fill_mask, u[:, 5]),
            "result": size + (pad - cut)[:, [0, 1]] + (pad - cut)[:, [2, 3]],
        }

    def size_after(self, params, size):
        return size if self.keep_size else params["result"]

    def map(self, params, size):
        start = (params["crop"] - params["pad"])[:, [3, 0]]
        return maps.Window(start, (size / params["result"])[:, ::-1] if self.keep_size else None)

    def lower(self, to, rows, params) -> None:
        index, size = to.index(rows), to.sizes(rows)
        cut, pad = params["crop"], params["pad"]
        if cut.any():
            inside = size - cut[:, [0, 1]] - cut[:, [2, 3]]
            to.crop(index, cut[:, 3], cut[:, 0], inside[:, 0], inside[:, 1])  # what is cut off is repeated by no border
        padded = pad.any(1)
        if padded.any():
            border = self._border(to.kind)
            constant = border == 0
            fills = params["fill" if to.kind == "image" else "fill_mask"]
            for fill in np.unique(fills[padded]).tolist() if constant else [0]:
                some = padded & (fills == fill) if constant else padded
                to.gather(index[some], maps.Window(-pad[some][:, [3, 0]]), params["result"][some], 0, border, fill)
        if self.keep_size:
            self._resize(to, index, size)

    def _border(self, kind: str) -> int:
        """OpenCV's number, for images or for masks."""
        return self.border_mode


def _leave_one(one: np.ndarray, other: np.ndarray, side: np.ndarray) -> np.ndarray:
    """What is cut off at both ends ``[n, 2]``, so that a row or column is left: albumentations gives back one more than the side,
    half of it at each end, or more where the other end has less."""
    back = side + 1
    first = back - back // 2
    second = back - first
    less, more = first > one, second > other
    lack = np.where(less, first - one, 0)
    first, second = np.where(less, one, first), second + lack
    lack = np.where(~less & more, second - other, 0)
    first, second = first + lack, np.where(~less & more, other, second)
    short = side - one - other < 1
    one = np.maximum(np.where(short, one - first, one), 0)
    one = np.minimum(one, side - 1)  # where it is still too much
    return np.stack([one, np.clip(np.where(short, other - second, other), 0, side - 1 - one)], 1)


# what draws a side, of uniforms: module functions, so that a transform can be pickled


def _fixed(value, u):
    return np.full(len(u), value)


def _whole(low, high, u):
    return integers(u, low, high - 1)


def _between(low, high, u):
    return between(u, low, high)


def _chosen(options, u):
    return options[integers(u, 0, len(options) - 1)]


def _sides(name: str, value, whole: bool) -> list:
    """What draws each of four sides from uniforms, or all of them."""
    number = (lambda v: integer(name, v, -LARGEST, LARGEST)) if whole else (lambda v: real(name, v, -LARGEST, LARGEST))

    def fixed(v):
        return partial(_fixed, number(v))

    def ranged(v):
        low, high = number(v[0]), number(v[1])
        if low >= high if whole else low > high:
            rule = "low < high, since high is exclusive" if whole else "low <= high"
            raise ValueError(f"a range (low, high) of {name} must have {rule}, got {tuple(v)!r}")
        return partial(_whole if whole else _between, low, high)

    def chosen(v):
        return partial(_chosen, np.array([number(option) for option in v]))

    if is_number(value):
        return [fixed(value)]
    if not isinstance(value, (tuple, list)) or len(value) not in (2, 4):
        raise TypeError(f"{name} must be a number, a range (low, high), or four for top, right, bottom, left, got {value!r}")
    if len(value) == 2:
        return [ranged(value)]
    if all(is_number(side) for side in value):
        return [fixed(side) for side in value]
    if any(not isinstance(side, (tuple, list)) or not side for side in value):
        raise TypeError(f"the four sides of {name} must all be numbers, or all ranges or lists to choose from, got {value!r}")
    return [ranged(side) if len(side) == 2 else chosen(side) for side in value]


def _drawn_fill(name: str, fill):
    values = fill if isinstance(fill, (tuple, list)) else (fill,)
    if not values or not all(is_number(v) for v in values):
        raise TypeError(f"{name} must be a number, a range (low, high), or numbers to choose from, got {fill!r}")
    if len(values) == 2 and values[0] > values[1]:
        raise ValueError(f"a range (low, high) of {name} must have low <= high, got {fill!r}")
    return fill if is_number(fill) else tuple(fill)


def _of_range(fill, u: np.ndarray) -> np.ndarray:
    if is_number(fill):
        return np.full(len(u), float(fill))
    if len(fill) == 2:
        return between(u, *fill)
    return np.array(fill, np.float64)[integers(u, 0, len(fill) - 1)]

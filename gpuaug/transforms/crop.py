"""Crops and resizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import library, maps
from ..checks import RESIZES, boolean, increasing, integer, one_of
from ..hints import Colour, Fill, Range, Size
from ..uniforms import integers
from ._geometric import Geometric

POSITIONS = ("center", "top_left", "top_right", "bottom_left", "bottom_right", "random")


def fixed_size(size: np.ndarray, now) -> np.ndarray:
    """``size`` ``[n, 2]`` with every line ``now``."""
    after = np.empty_like(size)
    after[:, 0], after[:, 1] = now
    return after


def paddings(short: np.ndarray, position: str, u: np.ndarray) -> np.ndarray:
    """Rows and columns that are missing ``[n, 2]``, shared out to top, bottom, left, right ``[n, 4]``.

    ``u``: two uniforms a sample, which "random" takes. Of an odd number the centre has one more at the bottom and right.
    """
    before = short // 2
    if position == "random":
        before = integers(u, 0, short)
    elif position != "center":
        vertical, horizontal = position.split("_")
        before = short * np.array([vertical == "bottom", horizontal == "right"])
    return np.stack([before, short - before], 2).reshape(len(short), 4)


class _Windowed(Geometric, register=False):
    """Crops, pads and resizes: their map is a `gpuaug.maps.Window`."""

    def keypoints(self, params, which, points, size, limits):
        mapped, line, _ = self._of(params, which, size)
        if limits.geometry != "albumentations":
            return mapped.points(line, points)
        start, scale = mapped.offset[line], mapped.scale[line]  # from the edge of the first pixel, and angles stay
        out = points.copy()
        out[:, :2] = (points[:, :2] - start) * scale
        out[:, 3] *= np.max(scale, 1)
        return out, None


class _Resized(_Windowed, register=False):
    """What resizes share: interpolations of their own, and when which is taken."""

    interpolations = RESIZES

    def __init__(self, interpolation, mask_interpolation, area_for_downscale, antialias, p: float):
        super().__init__(interpolation, mask_interpolation, 1, p=p)
        self.area_for_downscale = one_of("area_for_downscale", area_for_downscale, (None, "image", "image_mask"))
        self.antialias = boolean("antialias", antialias)
        if self.antialias and self.interpolation not in _ANTIALIASED:
            raise ValueError(f"antialias goes with interpolation 1 (linear) or 2 (cubic), not {interpolation!r}")

    def joins(self, kind):
        image, how = kind == "image", self.interpolation if kind == "image" else self.mask_interpolation
        weighs = self.area_for_downscale == "image_mask" or (image and (self.area_for_downscale or self.antialias))
        return None if weighs or how in _RESAMPLED or how == EXACT else (how, None, None)

    def _resize(self, to, rows, size) -> None:
        """To a size ``[2]``, or ``[n, 2]``, one for each of the rows."""
        image = to.kind == "image"
        how = self.interpolation if image else self.mask_interpolation
        if self.area_for_downscale == "image_mask" or (image and self.area_for_downscale):
            index, size = to.index(rows), np.asarray(size)
            smaller = (to.size[index] > size).any(1)  # along either axis
            if smaller.any():
                to.resample(index[smaller], size if size.ndim == 1 else size[smaller], "area")
                rows, size = index[~smaller], size if size.ndim == 1 else size[~smaller]
            if not len(to.index(rows)):
                return
        if image and self.antialias:
            to.resample(rows, size, _ANTIALIASED[how])
        else:
            resize(to, rows, size, how)


EXACT = 5  # cv2.INTER_LINEAR_EXACT
_RESAMPLED = {3: "area", 4: "lanczos"}
_WEIGHED = {**_RESAMPLED, EXACT: "exact", 2: "keys"}  # along one axis and then the other: 4 + 4 pixels for each instead of 16
_ANTIALIASED = {1: "linear", 2: "cubic"}


def resize(to, rows, size, interpolation: int, factors=0.0) -> None:
    """As ``cv2.resize``, by OpenCV's number of an interpolation; see `gpuaug.maps.Resize`."""
    if interpolation == EXACT and not to.is_u8:  # of other types OpenCV's is its linear
        interpolation = 1
    if interpolation in _WEIGHED:
        to.resample(rows, size, _WEIGHED[interpolation], factors)
    else:
        to.gather(rows, maps.Resize(to.sizes(rows), size, factors), size, interpolation)


class Resize(_Resized):
    """Resize to a fixed height and width.

    Args:
        height, width: of the result, pixels.
        interpolation: 0 nearest, 1 linear, 2 cubic, 3 area, 4 Lanczos (8 taps), 5 linear exact (of bytes in whole numbers, halves
            up; of other types linear), 6 nearest exact: OpenCV's numbers, as ``cv2.resize``. Of them only area looks at all
            pixels of a larger source.
        mask_interpolation: the same for masks. 0 is albumentations' default, and moves masks against their images (by 1.5 pixels
            when 256 become 64); 6 (``cv2.INTER_NEAREST_EXACT``) takes the pixel in the middle. See docs/targets.md.
        area_for_downscale: "image" takes area for images that lose height or width, "image_mask" for masks too; None never.
        p: probability, per sample.
        antialias: of images, with interpolation 1 or 2: weights reach over all pixels of a larger source, as in PIL and
            torchvision.
        mask_height, mask_width: of masks, where they are to have a size of their own, as a network without padding wants them;
            what follows then happens to both at the same fractions (see ``is_check_shapes`` of `Compose`).

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``Resize``, ``cv2.resize``; the size of
    masks is ours.

    Raises:
        ValueError: a height or width below 1; another interpolation.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Resize(8, 4)])(np.zeros((5, 7, 3), np.uint8)).shape
        (8, 4, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: int = 1,
        mask_interpolation: int = 0,
        area_for_downscale: str | None = None,
        p: float = 1.0,
        *,
        antialias: bool = False,
        mask_height: int | None = None,
        mask_width: int | None = None,
    ):
        super().__init__(interpolation, mask_interpolation, area_for_downscale, antialias, p)
        self.height, self.width = integer("height", height, 1), integer("width", width, 1)
        if (mask_height is None) != (mask_width is None):
            raise ValueError(f"mask_height and mask_width go together, got {mask_height!r} and {mask_width!r}")
        self.mask_height = None if mask_height is None else integer("mask_height", mask_height, 1)
        self.mask_width = None if mask_width is None else integer("mask_width", mask_width, 1)
        self.mask_size = None if mask_height is None else (self.mask_height, self.mask_width)

    def size_after(self, params, size):
        return fixed_size(size, (self.height, self.width))

    def map(self, params, size):
        return maps.Resize(size, (self.height, self.width))

    def lower(self, to, rows, params) -> None:
        apart = to.kind == "mask" and self.mask_size is not None
        self._resize(to, rows, self.mask_size if apart else (self.height, self.width))

    def lower_scaled(self, to, rows, params, size) -> None:
        if self.mask_size is None:
            super().lower_scaled(to, rows, params, size)
        else:
            self._resize(to, rows, self.mask_size)


class CroppedAndResized(_Resized, register=False):
    """A window, parameter "crop_coords" ``[n, 4]``, resized to ``self.size``."""

    def size_after(self, params, size):
        return fixed_size(size, self.size)

    def map(self, params, size):
        x0, y0, x1, y1 = params["crop_coords"].T
        return maps.Window(np.stack([x0, y0], 1), np.array(self.size[::-1]) / np.stack([x1 - x0, y1 - y0], 1))

    def lower(self, to, rows, params) -> None:
        x0, y0, x1, y1 = params["crop_coords"].T
        to.crop(rows, x0, y0, y1 - y0, x1 - x0)  # what lies beside the window has no part in the result
        self._resize(to, rows, self.size)


def pair(size) -> tuple[int, int]:
    """(height, width)."""
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise TypeError(f"size must be (height, width), two whole numbers of at least 1, got {size!r}")
    return tuple(integer("size", s, 1) for s in size)


def placed(window: np.ndarray, size: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Windows of heights and widths ``[n, 2]`` at random places: (x0, y0, x1, y1)."""
    start = ((size - window + 1) * u).astype(np.int64)
    return np.concatenate([start[:, ::-1], (start + window)[:, ::-1]], 1)


class RandomResizedCrop(CroppedAndResized):
    """Crop a window of random area and aspect ratio and resize it to a fixed size.

    Args:
        size: (height, width) of the result.
        scale: range of the window's area as a fraction of the image's; areas that have no room (above 1 none has) are drawn
            again, ten times in all, and then the largest window is taken.
        ratio: range of the window's width / height, drawn log-uniformly.
        interpolation, mask_interpolation, area_for_downscale: see `Resize`; 6 keeps masks on their images.
        p: probability, per sample.
        antialias: see `Resize`.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``RandomResizedCrop`` (ten tries, then the largest central window whose ratio fits).

    Raises:
        ValueError: a negative scale, a ratio that is not positive, a size below 1.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomResizedCrop((8, 8))])(np.zeros((20, 30, 3), np.uint8)).shape
        (8, 8, 3)
    """

    def __init__(
        self,
        size: Size,
        scale: Any = (0.08, 1.0),
        ratio: Range = (0.75, 4 / 3),
        interpolation: int = 1,
        mask_interpolation: int = 0,
        area_for_downscale: str | None = None,
        p: float = 1.0,
        *,
        antialias: bool = False,
    ):
        super().__init__(interpolation, mask_interpolation, area_for_downscale, antialias, p)
        self.size = pair(size)
        self.scale = increasing("scale", scale, 0)
        self.ratio = increasing("ratio", ratio, 0)
        if self.ratio[0] <= 0:
            raise ValueError(f"ratio must be above 0, got {ratio!r}")

    def columns(self) -> int:
        return 22  # ten tries of area and ratio, then the window's place

    def draw(self, u, view):
        window = np.empty((len(u), 4), np.int64)
        library.load().resized_crop(u, view.size, *self.scale, *self.ratio, window)
        return {"crop_coords": window}


def too_large(transform, view, i: int, more: str = "") -> ValueError:
    """The error of a window that the i-th sample of a draw has no room for."""
    height, width = transform._least() if hasattr(transform, "_least") else (transform.height, transform.width)
    return ValueError(
        f"{type(transform).__name__}: the window of height {height}, width {width} is larger than image {view.sample(i)} of the "
        f"batch, {tuple(view.size[i].tolist())}; make it smaller, resize first,{more or ' or pad first'}"
    )


class _FixedCrop(_Windowed, register=False):
    """A window of fixed size; smaller images are padded on request."""

    def __init__(
        self,
        height,
        width,
        pad_if_needed=False,
        pad_position="center",
        border_mode=0,
        fill: Fill = 0.0,
        fill_mask: Colour | None = 0.0,
        p: float = 1.0,
    ):
        super().__init__(0, 0, border_mode, fill, fill_mask, p)  # whole pixels: nothing to interpolate
        self.height, self.width = integer("height", height, 1), integer("width", width, 1)
        self.pad_if_needed = boolean("pad_if_needed", pad_if_needed)
        self.pad_position = one_of("pad_position", pad_position, POSITIONS)

    def joins(self, kind):
        return (None, *super().joins(kind)[1:]) if self.pad_if_needed else (None, None, None)

    repeats_labels = True

    def columns(self) -> int:
        return 4

    def _place(self, u, free):
        raise NotImplementedError

    def _least(self) -> tuple[int, int]:
        """Height and width that an image must have."""
        return self.height, self.width

    def draw(self, u, view):
        free, pad = view.size - np.array(self._least()), np.zeros((len(u), 4), np.int64)
        if free.min(initial=0) < 0:
            short = np.maximum(-free, 0)
            if not self.pad_if_needed:
                i = int(np.flatnonzero(short.any(1))[0])
                raise too_large(self, view, i, " or set pad_if_needed=True")
            pad, free = paddings(short, self.pad_position, u[:, 2:4]), free + short
        coords = np.empty((len(u), 4), np.int64)
        coords[:, 1::-1] = self._place(u, free)
        coords[:, 2:] = coords[:, :2] + (self.width, self.height)
        return {"crop_coords": coords, "pad": pad}

    def size_after(self, params, size):
        return fixed_size(size, (self.height, self.width))

    def map(self, params, size):
        return maps.Window(params["crop_coords"][:, :2] - params["pad"][:, [2, 0]])

    def lower(self, to, rows, params) -> None:
        if self.pad_if_needed and params["pad"].any():
            return super().lower(to, rows, params)
        window = params["crop_coords"]
        to.crop(rows, window[:, 0], window[:, 1], self.height, self.width)  # a third of what a map costs a small batch


class RandomCrop(_FixedCrop):
    """Crop a window of fixed size at a random place.

    Args:
        height, width: of the window, pixels.
        pad_if_needed: pad images that are smaller; else they are an error.
        pad_position: where a padded image lies: "center", "top_left", "top_right", "bottom_left", "bottom_right", "random".
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: colour of constant padding, a number or one for each channel.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``RandomCrop``.

    Raises:
        ValueError: an image smaller than the window (at the first batch that has one).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomCrop(3, 4)])(np.zeros((5, 7, 3), np.uint8)).shape
        (3, 4, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        pad_if_needed: bool = False,
        pad_position: str = "center",
        border_mode: int = 0,
        fill: Fill = 0.0,
        fill_mask: Colour | None = 0.0,
        p: float = 1.0,
    ):
        super().__init__(height, width, pad_if_needed, pad_position, border_mode, fill, fill_mask, p)

    def draw(self, u, view):
        if self.pad_if_needed:
            return super().draw(u, view)
        window = np.empty((len(u), 4), np.int64)
        short = library.load().windows(u, view.size, self.height, self.width, window)
        if short >= 0:
            raise too_large(self, view, short, " or set pad_if_needed=True")
        return {"crop_coords": window, "pad": np.zeros((len(u), 4), np.int64)}

    def _place(self, u, free):
        return np.floor(u[:, 0:2] * (free + 1)).astype(np.int64)


class CenterCrop(_FixedCrop):
    """Crop the central window of fixed size.

    Args:
        height, width: of the window, pixels.
        pad_if_needed, pad_position, border_mode, fill, fill_mask: see `RandomCrop`.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``CenterCrop``.

    Raises:
        ValueError: an image smaller than the window (at the first batch that has one).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.CenterCrop(1, 1)])(np.arange(9, dtype=np.uint8).reshape(3, 3))
        array([[4]], dtype=uint8)
    """

    def __init__(
        self,
        height: int,
        width: int,
        pad_if_needed: bool = False,
        pad_position: str = "center",
        border_mode: int = 0,
        fill: Fill = 0.0,
        fill_mask: Colour | None = 0.0,
        p: float = 1.0,
    ):
        super().__init__(height, width, pad_if_needed, pad_position, border_mode, fill, fill_mask, p)

    def _place(self, u, free):
        return free // 2

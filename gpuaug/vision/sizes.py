"""Resizes, crops and pads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import maps
from ..checks import boolean, integer, one_of
from ..hints import IntRange, Size
from ..ragged import Ragged
from ..transforms import RandomResizedCrop as Cropped
from ..transforms.crop import _Resized, fixed_size
from ..uniforms import between, integers
from .arguments import OPENCV, PADDINGS, Fills, Mode, mode, numbers, ordered, padding, sides
from .base import Vision, Warp


def _smooths(word: str, antialias) -> bool:
    """Whether an interpolation is antialiased: torchvision disregards it for the nearest."""
    return bool(antialias) and word in ("bilinear", "bicubic")


def nearest(before: np.ndarray, after, exact: bool) -> maps.Grid:
    """torch's nearest pixels for sizes ``[n, 2]``: the first of a window (or, exact, the one in its middle), by a factor in
    float32. OpenCV's factor is another one, so that a product may end below a whole number."""
    before, after = np.asarray(before), np.broadcast_to(np.asarray(after), np.shape(before))
    tables = []
    for axis in (1, 0):
        parts = []
        for a, b in zip(before[:, axis].tolist(), after[:, axis].tolist()):
            at = (np.arange(b, dtype=np.float32) + np.float32(0.5 if exact else 0)) * (np.float32(a) / np.float32(b))
            parts.append(np.minimum(np.floor(at), a - 1))
        tables.append(Ragged(np.concatenate(parts).astype(np.float64), after[:, axis].astype(np.int64)))
    return maps.Grid(*tables)


class _Nearest:
    """Mixin of resizes: nearest pixels are torch's."""

    def _resize(self, to, rows, size) -> None:
        word = self.mode if to.kind == "image" else "nearest"
        if not word.startswith("nearest"):
            super()._resize(to, rows, size)
            return
        before, index = to.sizes(rows), to.index(rows)
        size = np.broadcast_to(np.asarray(size), before.shape)
        other = (before != size).any(1)
        if other.any():
            map = nearest(before[other], size[other], word == "nearest-exact")
            to.gather(rows if other.all() else index[other], map, size[other], 0)


class _Sized(_Nearest, Vision, _Resized):
    """What draws the size of the result, parameter "size" ``[n, 2]``."""

    kept_as = {"interpolation": "mode", "antialias": "smooth"}  # noqa: RUF012

    def __init__(self, interpolation, antialias):
        self.mode, self.smooth = mode(interpolation), None if antialias is None else boolean("antialias", antialias)
        _Resized.__init__(self, OPENCV[self.mode], 0, None, _smooths(self.mode, antialias), 1.0)

    def size_after(self, params, size):
        return params["size"]

    def map(self, params, size):
        return maps.Resize(size, params["size"])

    def lower(self, to, rows, params) -> None:
        self._resize(to, rows, params["size"])


def shortest(size: np.ndarray, side, longest: int | None) -> np.ndarray:
    """Heights and widths ``[n, 2]`` of which the shorter side has a length, the longer one at most ``longest``; cut off to whole
    pixels. side: a number, ``[n]``, or None: the longer one is ``longest``."""
    short, long = size.min(1).astype(np.float64), size.max(1).astype(np.float64)
    if side is None:
        new_short, new_long = np.floor(longest * short / long), np.full(len(size), float(longest))
    else:
        new_short = np.broadcast_to(np.asarray(side, np.float64), short.shape)
        new_long = np.floor(new_short * long / short)
        if longest is not None:
            over = new_long > longest
            new_short = np.where(over, np.floor(longest * new_short / new_long), new_short)
            new_long = np.where(over, longest, new_long)
    upright = (size[:, 1] <= size[:, 0])[:, None]
    out = np.where(upright, np.stack([new_long, new_short], 1), np.stack([new_short, new_long], 1))
    return np.maximum(out, 1).astype(np.int64)


class Resize(_Sized):
    """Resize.

    Args:
        size: (height, width); a number, or a list of one, is the length of the shorter side, the other keeps the ratio; None: see
            max_size.
        interpolation: "nearest", "nearest-exact", "bilinear", "bicubic", torchvision's InterpolationMode, or PIL's number.
        max_size: the longer side's largest length, where size is a number; where it is None the length of the longer side.
        antialias: weigh all pixels of a larger image; for bilinear and bicubic. None is False, as of torchvision's tensors.

    Shapes and dtypes: any; uint8 is rounded. Targets: image, mask (nearest), boxes, keypoints. Source: torchvision ``Resize`` of
    tensors; PIL images are resized the same way, and antialiased only if it is said.

    Raises:
        ValueError, TypeError: arguments that torchvision refuses; "box", "hamming" and "lanczos".

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.Resize(5)(torch.zeros(3, 10, 14)).shape
        torch.Size([3, 5, 7])
    """

    def __init__(
        self,
        size: int | Size | None,
        interpolation: Mode = "bilinear",
        max_size: int | None = None,
        antialias: bool | None = True,
    ):
        super().__init__(interpolation, antialias)
        self.max_size = None if max_size is None else integer("max_size", max_size, 1)
        self.size = size
        if size is None:
            if max_size is None:
                raise ValueError("max_size must be a number where size is None")
            self._short = None
            return
        pair = sides(size)
        self._short = None if isinstance(size, (tuple, list)) and len(size) == 2 else pair[0]
        self._pair = pair if self._short is None else None
        if self._pair and max_size is not None:
            raise ValueError(f"max_size goes with a size that is one number, not {size!r}")
        if self._short and max_size is not None and max_size <= self._short:
            raise ValueError(f"max_size must be larger than the shorter side, {self._short}, got {max_size!r}")

    def draw(self, u, view):
        if self.size is not None and self._pair:
            return {"size": fixed_size(view.size, self._pair).astype(np.int64)}
        return {"size": shortest(view.size, self._short, self.max_size)}


class RandomShortestSize(_Sized):
    """Resize so that the shorter side has one of several lengths.

    Args:
        min_size: a number of pixels, or a list of which one is drawn. max_size: the longer side's largest length; None: any.
        interpolation, antialias: see `Resize`.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: torchvision ``RandomShortestSize``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomShortestSize([5])(torch.zeros(3, 10, 14)).shape
        torch.Size([3, 5, 7])
    """

    def __init__(
        self, min_size: IntRange, max_size: int | None = None, interpolation: Mode = "bilinear", antialias: bool | None = True
    ):
        super().__init__(interpolation, antialias)
        self.min_size = [
            integer("min_size", each, 1) for each in (min_size if isinstance(min_size, (tuple, list)) else [min_size])
        ]
        if not self.min_size:
            raise ValueError("min_size must hold a number of pixels, got an empty list")
        self.max_size = None if max_size is None else integer("max_size", max_size, 1)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        size = view.size.astype(np.float64)
        factor = np.array(self.min_size)[integers(u[:, 0], 0, len(self.min_size) - 1)] / size.min(1)
        if self.max_size is not None:
            factor = np.minimum(factor, self.max_size / size.max(1))
        return {"size": np.maximum(size * factor[:, None], 1).astype(np.int64)}


class RandomResize(_Sized):
    """Resize so that the shorter side has a length that is drawn.

    Args:
        min_size, max_size: the range of it, pixels, without the upper end.
        interpolation, antialias: see `Resize`.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: torchvision ``RandomResize``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomResize(5, 6)(torch.zeros(3, 10, 14)).shape
        torch.Size([3, 5, 7])
    """

    def __init__(self, min_size: int, max_size: int, interpolation: Mode = "bilinear", antialias: bool | None = True):
        super().__init__(interpolation, antialias)
        self.min_size, self.max_size = integer("min_size", min_size, 1), integer("max_size", max_size, 1)
        if self.min_size >= self.max_size:
            raise ValueError(f"max_size, which is left out, must be above min_size, got {min_size!r} and {max_size!r}")

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"size": shortest(view.size, integers(u[:, 0], self.min_size, self.max_size - 1), None)}


class ScaleJitter(_Sized):
    """Resize to fit into a size, times a factor that is drawn: large scale jitter.

    Args:
        target_size: (width, height) that factor 1 fits into: torchvision divides the first by the width.
        scale_range: (least, most) of the factor.
        interpolation, antialias: see `Resize`.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: torchvision ``ScaleJitter``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.ScaleJitter((7, 5), scale_range=(2.0, 2.0))(torch.zeros(3, 10, 14)).shape
        torch.Size([3, 10, 14])
    """

    def __init__(
        self,
        target_size: Sequence[float],
        scale_range: Sequence[float] = (0.1, 2.0),
        interpolation: Mode = "bilinear",
        antialias: bool | None = True,
    ):
        super().__init__(interpolation, antialias)
        self.target_size = numbers("target_size", target_size, 0, above=True)
        self.scale_range = ordered("scale_range", scale_range, 0, above=True)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        size = view.size.astype(np.float64)
        factor = np.minimum(self.target_size[1] / size[:, 0], self.target_size[0] / size[:, 1])
        factor = factor * between(u[:, 0], *self.scale_range)
        return {"size": np.maximum(size * factor[:, None], 1).astype(np.int64)}


class RandomResizedCrop(_Nearest, Vision, Cropped):
    """Crop a window of random area and aspect ratio and resize it.

    Args:
        size: (height, width) of the result; a number for both.
        scale: (least, most) area of the window, as a fraction of the image's. ratio: the same of width / height, drawn
            log-uniformly.
        interpolation, antialias: see `Resize`.

    Ten tries, then the largest central window whose ratio fits.

    Shapes and dtypes: any; uint8 is rounded. Targets: image, mask, boxes, keypoints. Source: torchvision ``RandomResizedCrop``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomResizedCrop(8)(torch.zeros(3, 20, 30)).shape
        torch.Size([3, 8, 8])
    """

    kept_as = {"interpolation": "mode", "antialias": "smooth", "size": "given_size"}  # noqa: RUF012

    def __init__(
        self,
        size: int | Size,
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: Mode = "bilinear",
        antialias: bool | None = True,
    ):
        self.mode, self.smooth = mode(interpolation), None if antialias is None else boolean("antialias", antialias)
        self.given_size = size
        smooths = _smooths(self.mode, antialias)
        Cropped.__init__(self, sides(size), scale, ratio, OPENCV[self.mode], antialias=smooths)


class _Window(Warp):
    """A window of whole pixels that may begin and end outside: parameters "start" ``[n, 2]`` (x, y) and "size" ``[n, 2]``."""

    kept_as = {"fill": "filled"}  # noqa: RUF012

    def __init__(self, fill=0, padding_mode: str = "constant", p: float = 1.0):
        self.padding_mode = one_of("padding_mode", padding_mode, tuple(PADDINGS))
        super().__init__("nearest", fill, p, PADDINGS[self.padding_mode])

    def joins(self, kind):
        return (None, *super().joins(kind)[1:])

    def size_after(self, params, size):
        return params["size"]

    def map(self, params, size):
        return maps.Window(params["start"])


class CenterCrop(_Window):
    """Crop the middle; images that are smaller are padded with 0.

    Args:
        size: (height, width); a number for both.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: torchvision ``CenterCrop``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.CenterCrop(1)(torch.arange(9, dtype=torch.uint8).view(1, 3, 3)).tolist()
        [[[4]]]
    """

    def __init__(self, size: int | Size):
        super().__init__()
        self.size = size
        self._size = np.array(sides(size))

    def draw(self, u, view):
        free = view.size.astype(np.int64) - self._size
        start = np.where(free < 0, -(-free // 2), np.rint(free / 2).astype(np.int64))  # Python's round, halves to even
        return {"start": start[:, ::-1].copy(), "size": np.broadcast_to(self._size, start.shape).copy()}


class RandomCrop(_Window):
    """Crop a window of fixed size at a random place.

    Args:
        size: (height, width); a number for both.
        padding: of the image before: a number, (horizontal, vertical), (left, top, right, bottom), or None.
        pad_if_needed: pad images that are smaller, by what they lack on both sides of an axis; else they are an error.
        fill: of constant padding: a number, one for each channel, or a dict of them by type.
        padding_mode: "constant", "edge", "reflect" (without the outermost pixel) or "symmetric" (with it).

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: torchvision ``RandomCrop``.

    Raises:
        ValueError: an image that is smaller (at the first batch that has one); arguments that torchvision refuses.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomCrop(32, padding=4)(torch.zeros(3, 32, 32)).shape
        torch.Size([3, 32, 32])
    """

    def __init__(
        self,
        size: int | Size,
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: Fills = 0,
        padding_mode: str = "constant",
    ):
        super().__init__(fill, padding_mode)
        self.size, self.padding = size, padding
        self._size = np.array(sides(size))
        self._pad = _pads(padding)
        self.pad_if_needed = boolean("pad_if_needed", pad_if_needed)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        left, top, right, bottom = self._pad
        padded = view.size.astype(np.int64) + np.array([top + bottom, left + right])
        lack = np.maximum(self._size - padded, 0)
        if lack.any() and not self.pad_if_needed:
            i = int(np.flatnonzero(lack.any(1))[0])
            raise ValueError(
                f"RandomCrop: the window of {tuple(self._size.tolist())} (height, width) is larger than image {view.sample(i)} "
                f"of the batch, {tuple(padded[i].tolist())} with its padding; make it smaller, resize first, or say "
                f"pad_if_needed=True"
            )
        place = integers(u, 0, padded + 2 * lack - self._size) - lack - np.array([top, left])
        return {"start": place[:, ::-1].copy(), "size": np.broadcast_to(self._size, place.shape).copy()}


def _pads(value) -> tuple[int, int, int, int]:
    return (0, 0, 0, 0) if value is None else padding(value)


class Pad(_Window):
    """Pad.

    Args:
        padding: a number, (horizontal, vertical) or (left, top, right, bottom); below 0 crops.
        fill: of constant padding: a number, one for each channel, or a dict of them by type.
        padding_mode: "constant", "edge", "reflect" (without the outermost pixel) or "symmetric" (with it).

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: torchvision ``Pad``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.Pad((1, 0), fill=9)(torch.ones(1, 1, 1, dtype=torch.uint8)).tolist()
        [[[9, 1, 9]]]
    """

    def __init__(self, padding: int | Sequence[int], fill: Fills = 0, padding_mode: str = "constant"):
        super().__init__(fill, padding_mode)
        self.padding = padding
        self._pad = _pads(padding)

    def draw(self, u, view):
        left, top, right, bottom = self._pad
        size = view.size.astype(np.int64) + np.array([top + bottom, left + right])
        if (size < 1).any():
            i = int(np.flatnonzero((size < 1).any(1))[0])
            raise ValueError(f"Pad: padding={self.padding!r} leaves nothing of image {view.sample(i)} of the batch")
        return {"start": np.broadcast_to(np.array([-left, -top]), size.shape).copy(), "size": size}


class RandomZoomOut(_Window):
    """Put the image at a random place of a larger one.

    Args:
        fill: the other pixels: a number, one for each channel, or a dict of them by type.
        side_range: (least, most) that sides are enlarged by, at least 1.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: torchvision ``RandomZoomOut``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomZoomOut(side_range=(2.0, 2.0), p=1)(torch.zeros(3, 4, 6)).shape
        torch.Size([3, 8, 12])
    """

    def __init__(self, fill: Fills = 0, side_range: Sequence[float] = (1.0, 4.0), p: float = 0.5):
        super().__init__(fill, p=p)
        self.side_range = ordered("side_range", side_range, 1)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        size = (view.size * between(u[:, :1], *self.side_range)).astype(np.int64)
        place = ((size - view.size) * u[:, [2, 1]]).astype(np.int64)
        return {"start": -place[:, ::-1], "size": size}

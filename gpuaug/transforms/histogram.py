"""Transforms by histograms: Equalize, CLAHE, AutoContrast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import lab
from ..checks import boolean, integer, one_of, real, span
from ..hints import Range, Size
from ..hosted import on_host
from ..transform import Transform
from ..uniforms import between
from ._masked import equalized
from .color import need_colour


class _ByBytes(Transform, register=False):
    """Works on bytes: float images (0..1) are rounded to 0..255 before, and divided by 255 after."""

    ops: tuple[str, ...] = ("from_bytes", "to_bytes")

    def lower(self, to, rows, params) -> None:
        self.check(to)
        if not to.is_u8:
            to.op(rows, "to_bytes")
        self.lower_bytes(to, rows, params)
        if not to.is_u8:
            to.op(rows, "from_bytes")

    def check(self, to) -> None:
        """Raise for images that it does not work on."""
        need_colour(to)


class Equalize(_ByBytes):
    """Spread the values so that all are about equally frequent: equalize the histogram.

    Args:
        mode: "cv", as ``cv2.equalizeHist``, or "pil", as albumentations' version of Pillow's.
        by_channels: each channel by itself; False equalizes the luma of colours (Y of OpenCV's YCrCb) alone.
        mask: an array ``[H, W]``, or of by_channels ``[H, W, C]``, of the image's size: the histogram is that of the pixels where
            it is not 0, and all pixels are changed by it; where these have one value, or are none, the image stays. Or a function
            that makes one of an image: ``mask(image=array)``, ``[H, W, C]`` of the image's type. It is done on the host.
        mask_params: must be empty: names of further entries for the function, which are not handed to it here.
        p: probability, per sample.

    Shapes and dtypes: 1 or 3 channels; float images (0..1) are rounded to 8 bits, as albumentations does. Targets: image.
    Source: albumentations ``Equalize``.

    Raises:
        ValueError: mask_params; a mask of another size; images with other channel counts (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Equalize(p=1)])(np.array([[10, 20, 20, 30]], np.uint8))
        array([[  0, 170, 170, 255]], dtype=uint8)
    """

    ops = (*_ByBytes.ops, "from_ycrcb", "lut", "to_ycrcb")

    def __init__(
        self, mode: str = "cv", by_channels: bool = True, mask: Any = None, mask_params: Sequence[str] = (), p: float = 0.5
    ):
        super().__init__(p)
        self.mode = one_of("mode", mode, ("cv", "pil"))
        self.by_channels = boolean("by_channels", by_channels)
        if len(mask_params):
            raise ValueError(
                f"Equalize: mask_params must be empty, got {list(mask_params)!r}: a mask function is given the image alone; let "
                f"it keep what else it needs"
            )
        self.mask_params = ()
        self.mask = mask if mask is None or callable(mask) else np.asarray(mask)

    def lower(self, to, rows, params) -> None:
        if self.mask is None:
            return super().lower(to, rows, params)
        self.check(to)
        by = {"pil": self.mode == "pil", "by_channels": self.by_channels}

        def change(k: int, image: np.ndarray) -> np.ndarray:
            return equalized(image, self.mask(image=image) if callable(self.mask) else self.mask, **by)

        on_host(to, rows, change, "equalizes by the histogram of a mask", pure=not callable(self.mask))

    def lower_bytes(self, to, rows, params) -> None:
        luma = to.channels == 3 and not self.by_channels
        if luma:
            to.op(rows, "to_ycrcb")
        found = to.reduce(rows, "histogram", channels=0 if luma else None)
        to.op(rows, "lut", tables=to.lookup(rows, found, "equalize", pil=self.mode == "pil"))
        if luma:
            to.op(rows, "from_ycrcb")


class CLAHE(_ByBytes):
    """Equalize the histograms of tiles, with a limit to the contrast that this may make.

    Args:
        clip_limit: range of the limit: how many times as frequent as the average a value may count; a number v means (1, v).
        tile_grid_size: how many tiles across and down, as ``cv2.createCLAHE`` has it.
        p: probability, per sample.

    Shapes and dtypes: 1 or 3 channels, of colours the lightness alone (L of OpenCV's 8-bit LAB); float images (0..1) are rounded
    to 8 bits, as albumentations does. Targets: image. Source: albumentations ``CLAHE``, ``cv2.createCLAHE``.

    Raises:
        ValueError: a limit below 1, a grid without tiles; images with other channel counts (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.CLAHE((9, 9), (1, 1), p=1)])(np.array([[10, 20, 20, 30]], np.uint8))
        array([[128, 191, 191, 255]], dtype=uint8)
    """

    ops = (*_ByBytes.ops, "from_lab", "lut_tiles", "to_lab")

    def __init__(self, clip_limit: Range = 4.0, tile_grid_size: Size = (8, 8), p: float = 0.5):
        super().__init__(p)
        self.clip_limit = span("clip_limit", clip_limit, 1, scalar="one")
        if not isinstance(tile_grid_size, (tuple, list)) or len(tile_grid_size) != 2:
            raise TypeError(f"tile_grid_size must be a pair (across, down), got {tile_grid_size!r}")
        self.tile_grid_size = tuple(integer("tile_grid_size", value, 1) for value in tile_grid_size)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"clip_limit": between(u[:, 0], *self.clip_limit)}

    def lower_bytes(self, to, rows, params) -> None:
        colour = to.channels == 3
        if colour:
            to.op(rows, "to_lab", shared=lab.FORWARD)
        across, down = self.tile_grid_size
        found = to.reduce(rows, "histogram", tiles=(down, across), channels=0)
        area = found.tile.prod(1)
        clip = np.maximum((params["clip_limit"] * area / 256).astype(np.int64), 1)
        to.op(rows, "lut_tiles", tables=to.lookup(rows, found, "clahe", clip=clip, area=area))
        if colour:
            to.op(rows, "from_lab", shared=lab.BACKWARD)


class AutoContrast(_ByBytes):
    """Stretch the values of each channel over the whole range.

    Args:
        cutoff: percentage of the pixels that may leave the range at either end, 0 to 100.
        ignore: a value, 0 to 255, that is not counted and stays; as in albumentations the channel of this number does, too.
        method: "cdf", by the distribution of the values in between, or "pil", linearly.
        p: probability, per sample.

    Shapes and dtypes: any channel count; float images (0..1) are rounded to 8 bits, as albumentations does; 255 is not counted.
    Channels of up to 16.7 million pixels. Targets: image. Source: albumentations ``AutoContrast``.

    Raises:
        ValueError: a cutoff, ignore or method that there is not.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.AutoContrast(method="pil", p=1)])(np.array([[10, 20, 30]], np.uint8))
        array([[  0, 128, 255]], dtype=uint8)
    """

    ops = (*_ByBytes.ops, "lut")

    def __init__(self, cutoff: float = 0, ignore: int | None = None, method: str = "cdf", p: float = 0.5):
        super().__init__(p)
        self.cutoff = real("cutoff", cutoff, 0, 100)
        self.ignore = None if ignore is None else integer("ignore", ignore, 0, 255)
        self.method = one_of("method", method, ("cdf", "pil"))

    def check(self, to) -> None:
        pass

    def lower_bytes(self, to, rows, params) -> None:
        found = to.reduce(rows, "histogram")
        table = to.lookup(
            rows,
            found,
            "autocontrast",
            cutoff=np.array([self.cutoff], np.float64).view(np.uint32),
            pil=self.method == "pil",
            ignore=-1 if self.ignore is None else self.ignore,
        )
        to.op(rows, "lut", tables=table)

"""Resizes whose size hangs on the image's, and crops that are resized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .. import maps
from ..checks import RESIZES, increasing, integer, interpolation, real, span, whole
from ..hints import Range, Size
from ..spellings.members import Interpolation
from ..transform import Transform
from ..uniforms import between, integers
from .crop import CroppedAndResized, _Resized, pair, placed, resize


class _Scaled(_Resized, register=False):
    """What scales both sides by one factor, parameter "scale", to whole pixels, parameter "size"."""

    def size_after(self, params, size):
        return params["size"]

    def map(self, params, size):
        return maps.Resize(size, params["size"])

    def lower(self, to, rows, params) -> None:
        self._resize(to, rows, params["size"])

    def keypoints(self, params, which, points, size, limits):
        if limits.geometry != "albumentations":
            return super().keypoints(params, which, points, size, limits)
        scale, out = params["scale"][which], points.copy()  # from the edge of the first pixel, as if sides were no whole pixels
        out[:, :2] *= scale[:, None]
        out[:, 3] *= scale
        return out, None


class RandomScale(_Scaled):
    """Resize by a random factor.

    Args:
        scale_limit: range of the factor minus 1; a number v means (-v, v). Sides are cut off to whole pixels, at least 1.
        interpolation, mask_interpolation, area_for_downscale: see `Resize`; 6 keeps masks on their images.
        p: probability, per sample.
        antialias: see `Resize`.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``RandomScale``.

    Raises:
        ValueError: a factor of 0 or below; another interpolation.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomScale((0.5, 0.5), p=1)])(np.zeros((5, 7, 3), np.uint8)).shape
        (7, 10, 3)
    """

    def __init__(
        self,
        scale_limit: Range = (-0.1, 0.1),
        interpolation: int = 1,
        mask_interpolation: int = 0,
        area_for_downscale: str | None = None,
        p: float = 0.5,
        *,
        antialias: bool = False,
    ):
        super().__init__(interpolation, mask_interpolation, area_for_downscale, antialias, p)
        self.scale_limit = span("scale_limit", scale_limit)
        real("scale_limit", self.scale_limit[0], -1, above=True)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        scale = between(u[:, 0], *self.scale_limit) + 1.0
        return {"scale": scale, "size": np.maximum(view.size * scale[:, None], 1).astype(np.int64)}


class _MaxSize(_Scaled, register=False):
    """A number, or a pair of numbers, to which a side is scaled."""

    def __init__(
        self,
        max_size: int | Sequence[int] | None,
        max_size_hw: Sequence[int | None] | None,
        interpolation,
        mask_interpolation,
        area_for_downscale,
        p: float,
        antialias,
    ):
        super().__init__(interpolation, mask_interpolation, area_for_downscale, antialias, p)
        if (max_size is None) == (max_size_hw is None):
            raise ValueError(
                f"one of max_size and max_size_hw must be given and the other None, got max_size={max_size!r}, "
                f"max_size_hw={max_size_hw!r}"
            )
        self.max_size, self.max_size_hw = max_size, max_size_hw
        if max_size is not None:
            sizes = max_size if isinstance(max_size, (tuple, list)) else (max_size,)
            if not sizes:
                raise ValueError("max_size must be a number of pixels or a list of them to choose from, got an empty one")
            self._sizes = np.array([integer("max_size", side, 1) for side in sizes])
            return
        if not isinstance(max_size_hw, (tuple, list)) or len(max_size_hw) != 2:
            raise TypeError(f"max_size_hw must be (height, width), whole numbers or None, got {max_size_hw!r}")
        if max_size_hw[0] is None and max_size_hw[1] is None:
            raise ValueError("max_size_hw must hold a height, a width or both, got (None, None)")
        self._sides = [None if side is None else integer("max_size_hw", side, 1) for side in max_size_hw]

    def columns(self) -> int:
        return 1 if self.max_size is not None else 0

    def _side(self, size):
        """The side that counts."""
        raise NotImplementedError

    def _fits(self, scales):
        """Of one or two factors ``[n, k]`` the one that counts."""
        raise NotImplementedError

    def draw(self, u, view):
        size = view.size.astype(np.float64)
        if self.max_size is None:
            scales = [side / size[:, axis] for axis, side in enumerate(self._sides) if side is not None]
            scale = self._fits(np.stack(scales, 1))
        else:
            scale = self._sizes[integers(u[:, 0], 0, len(self._sizes) - 1)] / self._side(size)
        return {"scale": scale, "size": np.maximum(np.rint(size * scale[:, None]), 1).astype(np.int64)}


class LongestMaxSize(_MaxSize):
    """Resize so that the longer side has a given length; height and width keep their ratio.

    Args:
        max_size: pixels, or a list of which one is drawn.
        max_size_hw: instead of it (height, width), of which neither is exceeded, and one is reached; one of them may be None.
        interpolation, mask_interpolation, area_for_downscale: see `Resize`; 6 keeps masks on their images.
        p: probability, per sample.
        antialias: see `Resize`.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``LongestMaxSize``.

    Raises:
        ValueError: both sizes, or none; a size below 1; another interpolation.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.LongestMaxSize(14)])(np.zeros((5, 7, 3), np.uint8)).shape
        (10, 14, 3)
    """

    def __init__(
        self,
        max_size: int | Sequence[int] | None = None,
        max_size_hw: Sequence[int | None] | None = None,
        interpolation: int = 1,
        mask_interpolation: int = 0,
        area_for_downscale: str | None = None,
        p: float = 1.0,
        *,
        antialias: bool = False,
    ):
        super().__init__(max_size, max_size_hw, interpolation, mask_interpolation, area_for_downscale, p, antialias)

    def _side(self, size):
        return size.max(1)

    def _fits(self, scales):
        return scales.min(1)


class SmallestMaxSize(_MaxSize):
    """Resize so that the shorter side has a given length; height and width keep their ratio.

    Args:
        max_size: pixels, or a list of which one is drawn.
        max_size_hw: instead of it (height, width), of which both are reached, and one may be exceeded; one of them may be None.
        interpolation, mask_interpolation, area_for_downscale: see `Resize`; 6 keeps masks on their images.
        p: probability, per sample.
        antialias: see `Resize`.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``SmallestMaxSize``.

    Raises:
        ValueError: both sizes, or none; a size below 1; another interpolation.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.SmallestMaxSize([10])])(np.zeros((5, 7, 3), np.uint8)).shape
        (10, 14, 3)
    """

    def __init__(
        self,
        max_size: int | Sequence[int] | None = None,
        max_size_hw: Sequence[int | None] | None = None,
        interpolation: int = 1,
        mask_interpolation: int = 0,
        area_for_downscale: str | None = None,
        p: float = 1.0,
        *,
        antialias: bool = False,
    ):
        super().__init__(max_size, max_size_hw, interpolation, mask_interpolation, area_for_downscale, p, antialias)

    def _side(self, size):
        return size.min(1)

    def _fits(self, scales):
        return scales.max(1)


class RandomSizedCrop(CroppedAndResized):
    """Crop a window of random height at a random place and resize it to a fixed size.

    Args:
        min_max_height: range of the window's height, pixels, both ends inclusive. A window is no larger than its image.
        size: (height, width) of the result.
        w2h_ratio: width / height of the window, whose width is cut off to whole pixels.
        interpolation, mask_interpolation, area_for_downscale: see `Resize`; 6 keeps masks on their images.
        p: probability, per sample.
        antialias: see `Resize`.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``RandomSizedCrop``.

    Raises:
        ValueError: a height or size below 1, a range whose ends are out of order, a window without a column.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomSizedCrop((3, 5), (8, 8))])(np.zeros((5, 7, 3), np.uint8)).shape
        (8, 8, 3)
    """

    def __init__(
        self,
        min_max_height: Size,
        size: Size,
        w2h_ratio: float = 1.0,
        interpolation: int = 1,
        mask_interpolation: int = 0,
        area_for_downscale: str | None = None,
        p: float = 1.0,
        *,
        antialias: bool = False,
    ):
        super().__init__(interpolation, mask_interpolation, area_for_downscale, antialias, p)
        self.min_max_height = whole("min_max_height", min_max_height, 1)
        self.size = pair(size)
        self.w2h_ratio = real("w2h_ratio", w2h_ratio, 0, above=True)
        if self.min_max_height[0] * self.w2h_ratio < 1:
            raise ValueError(
                f"w2h_ratio {w2h_ratio!r} times the least height of min_max_height, {self.min_max_height[0]}, must be at least 1 "
                f"pixel"
            )

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        height = integers(u[:, 0], *self.min_max_height)
        window = np.stack([height, (height * self.w2h_ratio).astype(np.int64)], 1)
        return {"crop_coords": placed(np.minimum(window, view.size), view.size, u[:, 1:3])}


NEAREST = {"upscale": 0, "downscale": 0}


class Downscale(Transform):
    """Make the image smaller and as large again: what is lost on the way is lost.

    Args:
        scale_range: range of the factor, within (0, 1].
        interpolation_pair: ``{"downscale": .., "upscale": ..}``, OpenCV's numbers as `Resize` takes them.
        p: probability, per sample.

    Shapes and dtypes: any; unchanged. Targets: image. Source: albumentations ``Downscale``, ``cv2.resize`` by a factor.

    Raises:
        ValueError: a factor outside (0, 1]; another interpolation.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Downscale((0.5, 0.5), p=1)])(np.array([[1, 2, 3, 4]], np.uint8))
        array([[1, 1, 3, 3]], dtype=uint8)
    """

    stencil = True

    Interpolation = Interpolation

    def __init__(self, scale_range: Range = (0.25, 0.25), interpolation_pair: Mapping[str, int] = NEAREST, p: float = 0.5):
        super().__init__(p)
        self.scale_range = increasing("scale_range", scale_range, 0, 1)
        real("scale_range", self.scale_range[0], 0, 1, above=True)
        if not isinstance(interpolation_pair, dict) or set(interpolation_pair) != set(NEAREST):
            raise ValueError(
                f"interpolation_pair must be a dict with the keys 'downscale' and 'upscale', got {interpolation_pair!r}"
            )
        self.interpolation_pair = {
            name: interpolation(f"interpolation_pair[{name!r}]", interpolation_pair[name], RESIZES) for name in NEAREST
        }

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"scale": between(u[:, 0], *self.scale_range)}

    def lower(self, to, rows, params) -> None:
        size, scale = to.sizes(rows).astype(np.int64), params["scale"][:, None]
        small = np.maximum(np.rint(size * scale), 1).astype(np.int64)
        resize(to, rows, small, self.interpolation_pair["downscale"], np.repeat(scale, 2, 1))
        resize(to, rows, size, self.interpolation_pair["upscale"])

"""Operations on batches of images or masks that stand alone: nothing is drawn, and they run where their input lies."""

from __future__ import annotations

from typing import Any

from .batch import Batch
from .checks import WIDEST, integer, is_number, one_of
from .deliver import Container
from .hints import Images, IntRange
from .structuring import SHAPES, element
from .track import Track


def dilate(images: Images, size: IntRange = 3, shape: str = "ellipse", iterations: int = 1, *, layout: str | None = None) -> Any:
    """The greatest value around each pixel, channel by channel.

    Args:
        images: a batch as `gpuaug.Batch.of` takes it: ``[B, H, W]``, ``[B, H, W, C]`` (tensors: ``[B, C, H, W]``), or a list of
            samples; of any element type but uint32.
        size: of the structuring element, pixels: a whole number, or (width, height). Its anchor is the pixel at half of each.
        shape: "ellipse" (``cv2.MORPH_ELLIPSE``) or "rectangle" (``cv2.MORPH_RECT``).
        iterations: how often, at least 1.
        layout: "HWC" or "CHW"; by default CHW for tensors.

    Returns:
        What was given: array, tensor on the same device, or list, of the same type and shape.

    Source: ``cv2.dilate``, to the bit; beyond the border nothing counts.

    Raises:
        ValueError: a size or a number of iterations below 1, another shape.

    Example:
        >>> import numpy as np
        >>> from gpuaug.functional import dilate
        >>> dilate(np.array([[[0, 0, 7, 0, 0]]], np.uint8))
        array([[[0, 7, 7, 7, 0]]], dtype=uint8)
    """
    return _morphology(images, "greatest", size, shape, iterations, layout)


def erode(images: Images, size: IntRange = 3, shape: str = "ellipse", iterations: int = 1, *, layout: str | None = None) -> Any:
    """The least value around each pixel; all else as in `dilate`.

    Source: ``cv2.erode``, to the bit.

    Example:
        >>> import numpy as np
        >>> from gpuaug.functional import erode
        >>> erode(np.array([[[0, 7, 7, 7, 7]]], np.uint8))
        array([[[0, 0, 7, 7, 7]]], dtype=uint8)
    """
    return _morphology(images, "least", size, shape, iterations, layout)


def mask_contour(
    masks: Images, size: IntRange = 3, shape: str = "ellipse", iterations: int = 1, *, layout: str | None = None
) -> Any:
    """The band along the contours of masks: what `dilate` adds and `erode` takes away.

    Its width is about ``iterations * (size - 1)`` pixels, half of it on either side of the contour: a weight for losses at
    boundaries. Arguments as in `dilate`; masks of bool give bool.

    Source: ``cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, element, iterations=iterations)``, to the bit.

    Example:
        >>> import numpy as np
        >>> from gpuaug.functional import mask_contour
        >>> mask_contour(np.array([[[0, 0, 0, 1, 1, 1, 1]]], np.uint8))
        array([[[0, 0, 1, 1, 0, 0, 0]]], dtype=uint8)
    """
    greatest = _morphology(masks, "greatest", size, shape, iterations, layout)
    least = _morphology(masks, "least", size, shape, iterations, layout)

    def difference(a, b):
        return a ^ b if str(a.dtype).endswith("bool") else a - b

    return [difference(a, b) for a, b in zip(greatest, least)] if isinstance(greatest, list) else difference(greatest, least)


def _morphology(images, kind, size, shape, iterations, layout):
    sides = (size, size) if is_number(size) else size
    if not isinstance(sides, (tuple, list)) or len(sides) != 2:
        raise TypeError(f"size must be a whole number or a pair (width, height), got {size!r}")
    width, height = (integer("size", side, 1, WIDEST) for side in sides)
    one_of("shape", shape, SHAPES)
    times = integer("iterations", iterations, 1)
    if shape == "rectangle" and width % 2 and height % 2:  # of rectangles around a pixel n steps are one of n times their reach
        width, height, times = (width - 1) * times + 1, (height - 1) * times + 1, 1
    track = Track(Batch.of(images, layout, labels=True), "mask")
    track.doing = "dilate" if kind == "greatest" else "erode"
    for _ in range(times):
        track.rank(slice(None), kind, element=element(shape, width, height))
    return Container(images, False, layout).delivered(track, "image")

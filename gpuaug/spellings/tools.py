"""The few functions that people import from albumentations beside its classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..hints import Path


def to_tuple(param: Any, low: float | None = None, bias: float | None = None) -> tuple | None:
    """A range of a number or of two: what transforms of your own make of their arguments.

    Args:
        param: a number v, which makes (-v, v); two numbers, which stay; None, which stays.
        low: the other end of the range that a number makes, instead of its negative.
        bias: added to both ends. Not together with ``low``.

    Raises:
        ValueError: ``low`` and ``bias`` together; anything else than a number or two of them.

    Source: albumentations ``core.utils.to_tuple``.

    Example:
        >>> to_tuple(3), to_tuple(3, low=1), to_tuple((1, 2), bias=1)
        ((-3, 3), (1, 3), (2, 3))
    """
    if low is not None and bias is not None:
        raise ValueError(f"to_tuple: give low or bias, not both, got low={low!r} and bias={bias!r}")
    if param is None:
        return None
    if isinstance(param, (int, float, np.number)):
        pair = (-param, param) if low is None else (min(low, param), max(low, param))
    elif isinstance(param, (Sequence, np.ndarray)) and not isinstance(param, (str, bytes)) and len(param) == 2:
        pair = tuple(param)
    else:
        raise ValueError(f"to_tuple: param must be a number or two numbers, got {param!r}")
    return pair if bias is None else tuple(value + bias for value in pair)


def read_bgr_image(path: Path) -> np.ndarray:
    """An image file as an array ``[H, W, 3]`` of uint8, blue first, as OpenCV reads it.

    Raises:
        ImportError: there is no OpenCV. OSError: no such file, or none that OpenCV can read.

    Source: albumentations ``read_bgr_image``.

    Example:
        >>> import tempfile, gpuaug as G
        >>> from PIL import Image
        >>> file = tempfile.mkdtemp() + "/a.png"
        >>> Image.new("RGB", (3, 2), (1, 2, 3)).save(file)
        >>> G.read_bgr_image(file)[0, 0].tolist()
        [3, 2, 1]
    """
    return _read(path, 1)


def read_rgb_image(path: Path) -> np.ndarray:
    """The same, red first.

    Source: albumentations ``read_rgb_image``.

    Example:
        >>> import tempfile, gpuaug as G
        >>> from PIL import Image
        >>> file = tempfile.mkdtemp() + "/a.png"
        >>> Image.new("RGB", (3, 2), (1, 2, 3)).save(file)
        >>> G.read_rgb_image(file)[0, 0].tolist()
        [1, 2, 3]
    """
    return np.ascontiguousarray(_read(path, 1)[..., ::-1])


def read_grayscale(path: Path) -> np.ndarray:
    """The same in gray, ``[H, W]``.

    Source: albumentations ``read_grayscale``.

    Example:
        >>> import tempfile, gpuaug as G
        >>> from PIL import Image
        >>> file = tempfile.mkdtemp() + "/a.png"
        >>> Image.new("L", (3, 2), 7).save(file)
        >>> G.read_grayscale(file).tolist()
        [[7, 7, 7], [7, 7, 7]]
    """
    return _read(path, 0)


def _read(path, flags: int) -> np.ndarray:
    try:
        import cv2
    except ImportError:
        raise ImportError("reading an image so needs OpenCV: pip install opencv-python-headless") from None
    image = cv2.imread(str(path), flags)
    if image is None:
        raise OSError(f"{path} is not there, or no image that OpenCV can read")
    return image

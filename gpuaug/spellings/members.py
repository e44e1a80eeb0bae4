"""Enums and pairs that were members of transforms, and which calls still name."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple


class ImageCompressionType(IntEnum):
    """``ImageCompression.ImageCompressionType`` of albumentations 0.4 to 1.4.15."""

    JPEG = 0
    WEBP = 1


class PositionType(str, Enum):
    """``PadIfNeeded.PositionType`` of albumentations 1.0 to 1.4.17."""

    CENTER = "center"
    TOP_LEFT = "top_left"
    TOP_RIGHT = "top_right"
    BOTTOM_LEFT = "bottom_left"
    BOTTOM_RIGHT = "bottom_right"
    RANDOM = "random"


class Interpolation(NamedTuple):
    """``Downscale.Interpolation`` of albumentations 1.3 and 1.4."""

    downscale: int = 0
    upscale: int = 0

"""Names of types that people's own transforms are annotated with, from albumentations' ``core.types`` and its like."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

NumType = int | float | np.ndarray
ColorType = ImageColorType = float | Sequence[float]
FillValueType = float | Sequence[float] | None
ScaleIntType = int | tuple[int, int]
ScaleFloatType = float | tuple[float, float]
ScaleType = ScaleIntType | ScaleFloatType
BoxInternalType = KeypointInternalType = tuple[float, float, float, float]
BoxType = KeypointType = tuple[float, float, float, float] | tuple[float, float, float, float, Any]
TransformType = Any
TransformsSeqType = Sequence[Any]


class Targets(Enum):
    """What a transform of one's own says it is for, in ``_targets``; what it changes are the functions that it has."""

    IMAGE = "Image"
    MASK = "Mask"
    BBOXES = "BBoxes"
    KEYPOINTS = "Keypoints"
    VOLUME = "Volume"
    MASK3D = "Mask3D"


ALL_TARGETS = tuple(Targets)
__all__ = [
    "ALL_TARGETS",
    "BoxInternalType",
    "BoxType",
    "ColorType",
    "FillValueType",
    "ImageColorType",
    "KeypointInternalType",
    "KeypointType",
    "NumType",
    "ScaleFloatType",
    "ScaleIntType",
    "ScaleType",
    "Targets",
    "TransformType",
    "TransformsSeqType",
]

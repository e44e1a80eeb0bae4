"""Flips."""

from __future__ import annotations

from ..transforms import HorizontalFlip, VerticalFlip
from .base import Vision


class RandomHorizontalFlip(Vision, HorizontalFlip):
    """Mirror left and right.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: torchvision ``RandomHorizontalFlip``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomHorizontalFlip(p=1)(torch.tensor([[[1, 2, 3]]], dtype=torch.uint8)).tolist()
        [[[3, 2, 1]]]
    """

    def __init__(self, p: float = 0.5):
        super().__init__(p)


class RandomVerticalFlip(Vision, VerticalFlip):
    """Mirror top and bottom.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: torchvision ``RandomVerticalFlip``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomVerticalFlip(p=1)(torch.tensor([[[1], [2]]], dtype=torch.uint8)).tolist()
        [[[2], [1]]]
    """

    def __init__(self, p: float = 0.5):
        super().__init__(p)

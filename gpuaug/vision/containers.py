"""Groups by torchvision's names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..checks import real
from ..groups import OneOf, Sequential
from ..groups import RandomOrder as _Ordered
from .base import Called
from .custom import taken


class RandomApply(Called, Sequential):
    """Apply a list of transforms, or none of them.

    Args:
        transforms: list of transforms. p: probability, per sample.

    Source: torchvision ``RandomApply``.

    Example:
        >>> import gpuaug.vision as T
        >>> T.RandomApply([T.GaussianBlur(3)], p=0.2)
        RandomApply([
          GaussianBlur(kernel_size=3, sigma=(0.1, 2.0)),
        ], p=0.2)
    """

    def __init__(self, transforms: Sequence, p: float = 0.5):
        super().__init__(taken(transforms), p)


class RandomChoice(Called, OneOf):
    """Apply one of several transforms, with its own probability.

    Args:
        transforms: list of transforms. p: their weights, a list; None: all alike.

    Source: torchvision ``RandomChoice``.

    Example:
        >>> import gpuaug.vision as T
        >>> len(T.RandomChoice([T.RandomHorizontalFlip(1), T.RandomVerticalFlip(1)], p=[0.9, 0.1]))
        2
    """

    kept_as = {"p": "weights"}  # noqa: RUF012

    def __init__(self, transforms: Sequence, p: Sequence[float] | None = None):
        self.weights = None if p is None else [real("p", each, 0) for each in p]
        super().__init__(taken(transforms), 1.0)
        # a child of OneOf is applied where it is chosen; here it throws its own coin then
        self.transforms = [each if each.p == 1 else RandomApply([each], p=1.0) for each in self.transforms]
        if self.weights is not None and len(self.weights) != len(self.transforms):
            raise ValueError(f"p has {len(self.weights)} weights for {len(self.transforms)} transforms")
        weights = np.ones(len(self.transforms)) if self.weights is None else np.array(self.weights)
        if not weights.sum() > 0:
            raise ValueError(f"RandomChoice needs a transform with a weight above 0, got p={p!r}")
        self._edges = np.cumsum(weights / weights.sum())[:-1]


class RandomOrder(Called, _Ordered):
    """Apply all transforms, in an order drawn for each sample.

    Args:
        transforms: list of transforms.

    Source: torchvision ``RandomOrder``.

    Example:
        >>> import gpuaug.vision as T
        >>> len(T.RandomOrder([T.RandomHorizontalFlip(), T.RandomVerticalFlip()]))
        2
    """

    def __init__(self, transforms: Sequence):
        transforms = taken(transforms)
        super().__init__(transforms, n=len(transforms) if isinstance(transforms, list) else 1)

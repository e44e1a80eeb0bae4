"""Types of arguments, for type checkers and readers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch

Range = float | Sequence[float]  # a number, or (low, high)
IntRange = int | Sequence[int]
Colour = float | Sequence[float]  # one number, or one for each channel
Fill = float | Sequence[float] | str  # a colour, or a word
Size = Sequence[int]  # (height, width)
Path = str | os.PathLike[str]
Array = np.ndarray | torch.Tensor
Images = Any  # an image or a batch: array, tensor, PIL image, or a list of these
PerAxis = Range | Mapping[str, Range]  # for both axes, or {"x": .., "y": ..}
Function = Callable[..., Any]

__all__ = ["Any", "Array", "Colour", "Fill", "Function", "Images", "IntRange", "Literal", "Path", "PerAxis", "Range", "Size"]

"""What callers get wrong without a word: images of another scale than Normalize was told, kornia's containers."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import torch

from .batch import Batch
from .transforms.normalize import Normalize


def first_scale(leaves) -> Normalize | None:
    """The pipeline's Normalize, if its mean and deviation are those of pixels: fractions of max_pixel_value."""
    found = next((t for t in leaves if isinstance(t, Normalize)), None)
    if found is None or found.normalization != "standard":
        return None
    return found if all(0 < m < 1 for m in found.mean) and all(0 < s <= 1 for s in found.std) else None


def still_unsure(normalize: Normalize, batch: Batch) -> Normalize | None:
    """Warn if a batch of floating point is not what max_pixel_value says; the normalize itself while nothing can be told.

    Looked at is the first image of the first batch in the host's memory that is not black: 0.1 ms, once.
    """
    if batch.given == "uint16":
        if normalize.max_pixel_value <= 255:
            _warn(normalize, "uint16 images", "pass max_pixel_value=65535.0, or the largest number that they hold")
        return None
    if batch.device.type != "cpu" or not batch.dtype.startswith(("float", "bfloat")) or not len(batch):
        return normalize
    one = batch.owner[0]
    one = one.detach().float() if isinstance(one, torch.Tensor) else np.asarray(one)
    low, high, top = float(one.min()), float(one.max()), normalize.max_pixel_value
    if not (high > 0 or low < 0):  # black, or NaN
        return normalize
    # a margin of half of it: filters and cubic resizes overshoot
    if low < -0.5 * top or (low < 0 and top > 2 and high < 10):
        told = "it looks normalized already"
    elif high > 1.5 * top:
        told = f"pass max_pixel_value={'255.0' if high > 2 and top <= 2 else f'{high:g}'}, or scale the images"
    elif high <= 1 and top > 2:
        told = "pass max_pixel_value=1.0"
    else:
        return None
    _warn(normalize, f"{batch.dtype} images of {low:.3g} .. {high:.3g}", told)
    return None


def _warn(normalize: Normalize, given: str, told: str) -> None:
    what = f"Normalize(max_pixel_value={normalize.max_pixel_value:g}) is given {given}: {told}"
    warnings.warn(what, UserWarning, stacklevel=8)  # through Compose and torch.nn.Module


def refuse_kornia(compose) -> None:
    """Raise if one of kornia's containers has handed over the image and keeps its mask, boxes or points for itself."""
    if "kornia.augmentation.container.ops" not in sys.modules or compose.moving() is None:
        return
    frame, depth = sys._getframe(1), 0
    while frame is not None and depth < 40:
        keys = frame.f_locals.get("_data_keys") if frame.f_code.co_name == "transform" else None
        if keys is not None and frame.f_globals.get("__name__") == "kornia.augmentation.container.ops":
            others = [key.name.lower() for key in keys if key.name not in ("INPUT", "IMAGE", "CLASS", "LABEL")]
            if others:
                raise ValueError(
                    f"kornia's AugmentationSequential hands a gpuaug.Compose the image alone: {type(compose.moving()).__name__} "
                    f"would move it, and not its {', '.join(others)}. Call the Compose before or after the sequential, with all "
                    f"that belongs together: out = compose(image=images, mask=masks)"
                )
        frame, depth = frame.f_back, depth + 1

"""Arrays of any kind as pixels that a screen shows."""

from __future__ import annotations

import numpy as np
import torch

SLICES = 4  # of a volume or a set that are shown, in two rows


def as_numpy(data) -> np.ndarray:
    """An image, mask or set as NumPy, channels last: tensors are ``[.., C, H, W]``, arrays ``[.., H, W, C]``."""
    if isinstance(data, torch.Tensor):
        data = data.detach().cpu()
        data = data.float() if data.dtype in (torch.bfloat16, torch.float16) else data
        array = data.numpy()
        return np.moveaxis(array, -3, -1) if array.ndim >= 3 else array
    return np.asarray(data)


def picture(image: np.ndarray, mean=None, std=None) -> np.ndarray:
    """An image ``[H, W]`` or ``[H, W, C]``, or slices of it with one axis before, as uint8 ``[H, W, 3]``.

    mean, std: what `Normalize` took off, as fractions of the largest value. Without them floats within 0..1 are shown as they
    are, and other values from their least (black) to their largest (white). Of more than three channels the first three are
    shown, of two channels two as red and green.

    Example:
        >>> picture(np.array([[0.0, 1.0]]))[..., 0]
        array([[  0, 255]], dtype=uint8)
        >>> picture(np.array([[[-1.0, 0.0, 1.0]]]), mean=0.5, std=0.5)
        array([[[  0, 128, 255]]], dtype=uint8)
    """
    if image.ndim == 4:
        image = side_by_side(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or 0 in image.shape:
        raise ValueError(f"an image to show is [H, W], [H, W, C] or [D, H, W, C] with pixels in it, got {list(image.shape)}")
    channels = image.shape[2]
    if channels == 1:
        image = image.repeat(3, 2)
    elif channels == 2:
        image = np.concatenate([image, np.zeros_like(image[..., :1])], 2)
    else:
        image = image[..., :3]
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image)
    if image.dtype == bool:
        return image.astype(np.uint8) * np.uint8(255)
    values = image.astype(np.float64)
    if mean is not None:
        values = values * _each(std, channels) + _each(mean, channels)
    else:
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        if image.dtype.kind != "f" or low < -1e-3 or high > 1 + 1e-3:
            values = (values - low) / (high - low if high > low else 1)
    return np.rint(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)


def _each(values, channels: int) -> np.ndarray:
    values = np.atleast_1d(np.asarray(values, np.float64))
    if channels == 1:
        values = values[:1]
    return np.resize(values, 3) if len(values) < 3 else values[:3]


def side_by_side(slices: np.ndarray) -> np.ndarray:
    """Slices ``[D, H, W, C]``, or some of them, evenly, as one image, two beside each other."""
    chosen = slices[np.unique(np.linspace(0, len(slices) - 1, SLICES).round().astype(int))]
    columns = min(2, len(chosen))
    if len(chosen) % columns:
        chosen = np.concatenate([chosen, np.zeros_like(chosen[:1])])
    rows = [np.concatenate(list(chosen[i : i + columns]), 1) for i in range(0, len(chosen), columns)]
    return np.concatenate(rows, 0)


def labels(mask: np.ndarray) -> np.ndarray:
    """A mask as labels ``[H, W]``, 0 being nothing: maps of several channels by the channel that is largest, if any is above 0.

    Whole numbers up to 20 are what they are; other values are numbered in their order.

    Example:
        >>> labels(np.array([[[0, 1], [0, 0]]]))
        array([[2, 0]])
        >>> labels(np.array([[0, 128, 255]], np.uint8))
        array([[0, 1, 2]])
    """
    if mask.ndim == 4:
        mask = side_by_side(mask)
    if mask.ndim == 3 and mask.shape[2] == 1:
        mask = mask[..., 0]
    if mask.ndim == 3:
        return np.where(mask.max(2) > 0, mask.argmax(2) + 1, 0)
    if mask.dtype.kind in "ui" and mask.size and mask.min() >= 0 and mask.max() <= 20:
        return mask.astype(np.int64)
    values, inverse = np.unique(mask, return_inverse=True)
    if mask.dtype.kind == "f" and len(values) > 20:  # a map of fractions: ten steps of it
        span = values[-1] - values[0]
        return np.ceil((mask - values[0]) / span * 10).astype(np.int64)
    number = np.arange(len(values)) + int(0 not in values)  # what is not zero is something
    return number[inverse.reshape(mask.shape)]

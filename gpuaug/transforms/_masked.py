"""Equalization by the histogram of some of an image's pixels, on the host; as albumentations computes it."""

from __future__ import annotations

import numpy as np

_SHIFT = 14  # of OpenCV's whole-number conversions


def equalized(image: np.ndarray, mask, *, pil: bool, by_channels: bool) -> np.ndarray:
    """The image ``[H, W, C]`` with every channel, or the luma of three, changed by a table of 256 values.

    Args:
        mask: ``[H, W]`` or ``[H, W, C]``: the histogram is of pixels where it is not 0.
        pil: as Pillow's instead of OpenCV's table.

    Raises:
        ValueError: a mask of another shape.
    """
    mask, (h, w, channels) = np.asarray(mask), image.shape
    mask = mask[..., None] if mask.ndim == 2 else mask
    luma = channels == 3 and not by_channels
    if mask.ndim != 3 or mask.shape[:2] != (h, w) or mask.shape[2] not in ({1} if luma else {1, channels}):
        raise ValueError(f"mask of shape {list(mask.shape)} does not fit the image {[h, w, channels]}; give it [H, W]")
    bytes_ = image if image.dtype == np.uint8 else np.clip(np.rint(image.astype(np.float32) * 255), 0, 255).astype(np.uint8)
    mask = np.broadcast_to(mask.astype(np.uint8) != 0, (h, w, 1 if luma else channels))
    if luma:
        out = _by_luma(bytes_, mask[..., 0], pil)
    else:
        out = np.dstack([_table(bytes_[..., c], mask[..., c], pil)[bytes_[..., c]] for c in range(channels)])
    return out if image.dtype == np.uint8 else (out / np.float32(255)).astype(image.dtype)


def _table(values: np.ndarray, mask: np.ndarray, pil: bool) -> np.ndarray:
    found = np.bincount(values[mask], minlength=256).astype(np.float32)
    there = np.flatnonzero(found)
    same = np.arange(256, dtype=np.uint8)
    if len(there) < 2:
        return same
    sums = np.cumsum(found)
    if pil:
        step = np.sum(found[there][:-1]) // 255
        return np.minimum((sums + step // 2) // step, 255).astype(np.uint8) if step else same
    scale = np.float32(255) / (np.sum(found) - found[there[0]])
    return np.clip(((sums - sums[there[0]]) * scale).round(), 0, 255).astype(np.uint8)


def _by_luma(image: np.ndarray, mask: np.ndarray, pil: bool) -> np.ndarray:
    """By way of OpenCV's YCrCb of bytes."""
    half, middle = 1 << (_SHIFT - 1), 128 << _SHIFT
    r, g, b = np.moveaxis(image.astype(np.int64), 2, 0)
    y = (4899 * r + 9617 * g + 1868 * b + half) >> _SHIFT
    cr, cb = ((np.clip((k * (v - y) + middle + half) >> _SHIFT, 0, 255) - 128) for v, k in ((r, 11682), (b, 9241)))
    y = _table(y.astype(np.uint8), mask, pil)[y].astype(np.int64)
    parts = (22987 * cr, -5636 * cb - 11698 * cr, 29049 * cb)
    return np.clip(np.stack([y + ((part + half) >> _SHIFT) for part in parts], 2), 0, 255).astype(np.uint8)

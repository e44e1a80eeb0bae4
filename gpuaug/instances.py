"""Masks of single objects, one for each box: those of dropped boxes are dropped with them (where samples are put together:
`gpuaug.gathered`), and where a box became several each has what of its mask lies in it."""

from __future__ import annotations

import numpy as np
import torch

from .rows import pick


def check(marks, sets: dict, names) -> None:
    """Raise unless every sample has one mask for each of its boxes."""
    name = marks.params.instance_masks
    if name not in names:
        raise ValueError(f"instance_masks of {marks.name} names {name!r}, which is not among the targets")
    if name not in sets:
        raise ValueError(f"instance_masks of {marks.name} names {name!r}, which is no set of masks: masks=, or an additional one")
    for i, (masks, boxes) in enumerate(zip(sets[name].counts, marks.data)):
        if masks != len(boxes):
            raise ValueError(f"{name} has {masks} masks for sample {i}, which has {len(boxes)} {marks.name}")


def kept(marks, masks, applied: np.ndarray | None, one: bool, size: np.ndarray):
    """The masks of the boxes that are left, in their order, in the containers that masks came in.

    applied: bool ``[B]``, which samples the pipeline was applied to; None: all. size: ``[B, 2]``, of the masks.
    """
    ends = np.searchsorted(marks.sample, np.arange(len(marks.size) + 1))
    parts = []
    for i, mine in enumerate([masks] if one else masks):
        rows = slice(ends[i], ends[i + 1])
        parts.append(
            mine if applied is not None and not applied[i] else parts_of(marks, rows, pick(mine, marks.origin[rows]), size[i])
        )
    if one:
        return parts[0]
    if hasattr(masks, "ndim") and len({len(part) for part in parts}) == 1:
        return torch.stack(parts) if isinstance(masks, torch.Tensor) else np.stack(parts)
    return parts


def parts_of(marks, rows: slice, masks, size: np.ndarray):
    """The masks of entries ``rows`` of one sample; of entries that are one of several (`Marks.part`) what lies in their boxes."""
    some = np.flatnonzero(marks.part[rows])
    if not len(some):
        return masks
    hulls, masks = marks.hulls()[rows], list(masks) if isinstance(masks, (list, tuple)) else masks
    for k in some.tolist():
        low, high = np.floor(hulls[k, :2] + 1e-6).astype(int), np.ceil(hulls[k, 2:] - 1e-6).astype(int)
        (x0, y0), (x1, y1) = np.maximum(low, 0).tolist(), np.maximum(high, 0).tolist()
        mask = masks[k]
        planes = (
            mask.ndim == 3 and tuple(mask.shape[1:]) == tuple(size) and (torch.is_tensor(mask) or mask.shape[:2] != tuple(size))
        )
        window = (..., slice(y0, y1), slice(x0, x1)) if planes else (slice(y0, y1), slice(x0, x1))
        within = torch.zeros_like(mask) if torch.is_tensor(mask) else np.zeros_like(mask)
        within[window] = mask[window]
        masks[k] = within
    return masks

"""Masks of single objects, one for each box: those of dropped boxes are dropped with them (where samples are put together:
`gpuaug.gathered`)."""

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


def kept(marks, masks, applied: np.ndarray | None, one: bool):
    """The masks of the boxes that are left, in their order, in the containers that masks came in.

    applied: bool ``[B]``, which samples the pipeline was applied to; None: all.
    """
    ends = np.searchsorted(marks.sample, np.arange(len(marks.size) + 1))
    parts = []
    for i, mine in enumerate([masks] if one else masks):
        rows = slice(ends[i], ends[i + 1])
        parts.append(mine if applied is not None and not applied[i] else pick(mine, marks.origin[rows]))
    if one:
        return parts[0]
    if hasattr(masks, "ndim") and len({len(part) for part in parts}) == 1:
        return torch.stack(parts) if isinstance(masks, torch.Tensor) else np.stack(parts)
    return parts

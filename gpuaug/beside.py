"""What a call brings beside its targets: handed on as it came, unless it would be left behind while the sample moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

UNTOUCHED = "untouched"  # the kind of an additional target that stays as it is


def take(targets: dict[str, Any], known: set[str], untouched: set[str], strict: bool) -> dict[str, Any]:
    """Take out of a call's targets what is None, what stays, and what nobody declared; ``known``: the names of the rest."""
    beside = {name: value for name, value in targets.items() if value is None or name in untouched or name not in known}
    strange = sorted(name for name in beside if name not in known and name not in untouched)
    if strict and strange:
        raise ValueError(
            f"strict=True: {strange[0]!r} is no target that this pipeline knows; they are {', '.join(sorted(known))}: declare it "
            f"in additional_targets, or leave it out"
        )
    for name in beside:
        del targets[name]
    return beside


def check(beside: dict[str, Any], declared: set[str], size: np.ndarray, counts: dict[str, list[int]], mover: str, one: bool):
    """Raise where something that nobody declared could be a picture or a map of the sample, or entries of its boxes or keypoints.

    Args:
        declared: names in ``beside`` of which somebody said what they are.
        size: ``[B, 2]`` of the images. counts: how many boxes and keypoints each sample has, by name.
        mover: name of the transform that would leave it behind; "": none does.
    """
    for name, value in beside.items():
        if value is None or name in declared or not mover:
            continue
        values = [value] if one else entries(value, len(size))
        for i, mine in enumerate(values):
            if _lies_on(mine, size[i]):
                raise ValueError(
                    f"{name} is as large as image {i} {tuple(size[i].tolist())}, and nobody said what it is: it would stay as "
                    f"it is while {mover} moves the image. Declare it, additional_targets={{{name!r}: 'mask'}} (or 'image'); "
                    f"{{{name!r}: {UNTOUCHED!r}}} if it is to stay"
                )
        for marks, many in counts.items():
            if values and max(many) > 1 and all(_length(v) == n for v, n in zip(values, many, strict=True)):
                params = "bbox_params" if marks == "bboxes" else "keypoint_params" if marks == "keypoints" else "its params"
                raise ValueError(
                    f"{name} has as many entries as {marks}, and nobody said what it is: those of dropped {marks} would stay. "
                    f"Name it in label_fields of {params}, or say additional_targets={{{name!r}: {UNTOUCHED!r}}} if it is to stay"
                )


def entries(value, samples: int) -> list:
    """Of a batch, one entry for each sample; none if it is no batch of them."""
    return list(value) if _length(value) == samples else []


def _length(value) -> int:
    """-1: it has no entries."""
    if isinstance(value, (list, tuple)):
        return len(value)
    return value.shape[0] if isinstance(value, (np.ndarray, torch.Tensor)) and value.ndim else -1


def _lies_on(value, size: np.ndarray) -> bool:
    """Whether it is a picture, or an array that has the image's height and width side by side among its axes."""
    if hasattr(value, "getbands"):  # of PIL
        return True
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], (int, float, str, bytes)):
        return any(_lies_on(each, size) for each in value)
    shape = tuple(getattr(value, "shape", ()))  # of whatever library
    if len(shape) < 2 or 1 in (height_width := tuple(size.tolist())):
        return False
    return any(shape[k : k + 2] == height_width for k in range(len(shape) - 1))

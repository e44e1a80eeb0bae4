"""What was drawn for each sample, as plain Python."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .drawn import Drawn, Step
from .ragged import Ragged

APPLIED = "applied_transforms"  # the name under which results hold it, albumentations'
_TOLD = "drawn"  # of steps that were carried out in the draw: what the transform says that it drew


class Applied(NamedTuple):
    """A transform that a sample got.

    Attributes:
        transform: the name of its class.
        params: what it drew, by name: numbers, lists, and what a transform of the caller's draws.
        place: where it stands, an index for each level of the tree.
    """

    transform: str
    params: dict[str, Any]
    place: tuple[int, ...]


def applied(drawn: Drawn) -> list[list[Applied]]:
    """For each sample of a batch what was applied to it, in order."""
    found: list[list[Applied]] = [[] for _ in range(drawn.samples)]
    for step in drawn.steps:
        for k, i in places(step, drawn.samples):
            found[i].append(Applied(type(step.transform).__name__, params_of(step, k), step.place))
    return found


def places(step: Step, samples: int):
    """For each sample of a step its row of the parameters, and its place in the batch."""
    return enumerate(np.arange(samples)[step.rows].tolist())


def params_of(step: Step, k: int) -> dict[str, Any]:
    """What the k-th sample of a step drew."""
    if _TOLD in step.params:
        return {name: plain(value) for name, value in (step.params[_TOLD][k] or {}).items()}
    return {name: plain(one_of(value, k)) for name, value in step.params.items()}


def one_of(value, k: int):
    """A parameter of the k-th sample."""
    return value.of(k) if isinstance(value, Ragged) else value[k]


def plain(value):
    """NumPy's numbers as Python's; anything else as it is."""
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype != object:
        return value.tolist()
    if type(value) in (list, tuple):
        return type(value)(plain(each) for each in value)
    if type(value) is dict:
        return {key: plain(each) for key, each in value.items()}
    return value

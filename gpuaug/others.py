"""Samples that transforms read beside the one that they change: the others of a batch, or those that a call brings along."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

WHOLE = ""  # the key of the batch itself
# what a call brings under a name: dicts of the targets that it has itself, or images alone
SAMPLES, IMAGES = "samples", "images"


class Others:
    """Samples to choose from.

    Attributes:
        size: int ``[D, 2]``, heights and widths of all that there are.
        start, count: int ``[B]``: sample i chooses among ``count[i]`` of them, from number ``start[i]`` on; of the batch itself,
            among all but itself.
        batches: the targets of those that a call brought along, by name; None: they are the batch itself.
    """

    def __init__(self, size: np.ndarray, count: np.ndarray | None = None, batches: dict | None = None):
        self.size, self.batches, self._count = size, batches, count

    @cached_property
    def count(self) -> np.ndarray:
        return np.full(len(self.size), len(self.size) - 1) if self._count is None else self._count

    @cached_property
    def start(self) -> np.ndarray:
        return np.zeros(len(self.size), int) if self._count is None else np.cumsum(self._count) - self._count

    def choose(self, u: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Numbers int ``[n, k]`` of k different samples for each of the batch's samples ``rows``, from uniforms ``[n, k]``, in
        random order; where there are fewer, -1 stands in random places."""
        n, k = u.shape
        known = self.count[rows]
        left = np.maximum(known, k)  # numbers from ``known`` on are none
        taken = np.empty((n, k), int)
        for j in range(k):  # the j-th of those that are left: step over those that were taken, in ascending order
            pick = np.minimum((u[:, j] * (left - j)).astype(int), left - j - 1)
            for earlier in np.sort(taken[:, :j], 1).T:
                pick += pick >= earlier
            taken[:, j] = pick
        chosen = taken + self.start[rows, None]
        if self.batches is None:
            chosen += taken >= rows[:, None]
        return np.where(taken < known[:, None], chosen, -1)


def listed(key: str, value: Any, one: bool, samples: int, names: Sequence[str], what: str) -> tuple[list, np.ndarray]:
    """What was passed under a name, checked: all further samples, one after the other, and how many each sample brought.

    Args:
        value: a list of dicts, or of images; for a batch such a list for each sample.
        names: of the targets that every dict must hold.
        what: `SAMPLES` or `IMAGES`.
    """
    lists = [value] if one else value
    if not isinstance(lists, (list, tuple)) or any(not isinstance(mine, (list, tuple)) for mine in lists):
        kind = "dicts" if what == SAMPLES else "images"
        raise TypeError(f"{key} must be a list of {kind}, {'' if one else 'one list for each sample, '}got {value!r:.200}")
    if len(lists) != samples:
        raise ValueError(f"{key} has lists for {len(lists)} samples, the batch has {samples}")
    items = [item for mine in lists for item in mine]
    for number, item in enumerate(items if what == SAMPLES else ()):
        if not isinstance(item, Mapping):
            raise TypeError(f"{key}: item {number} must be a dict of image=, mask=, .., got {item!r:.200}")
        missing = [name for name in names if item.get(name) is None]
        if missing:
            raise ValueError(
                f"{key}: item {number} has no {missing[0]!r}, which the call has; it holds {', '.join(map(str, item))}"
            )
    return items, np.array([len(mine) for mine in lists], int)


def nothing_to_read(who: str, give: str) -> None:
    """Warn that a transform does nothing, because a call brought nothing that it could lay over the image or make it like."""
    warnings.warn(f"{who} does nothing: it needs {give}", UserWarning, stacklevel=2)


def alone(who: str, key: str) -> None:
    """Warn that a transform that puts samples together has nothing but the sample itself."""
    warnings.warn(
        f"{who} has no other sample to read and repeats its own: pass {key}=[{{'image': ..}}], or call the pipeline on a batch",
        UserWarning,
        stacklevel=2,
    )

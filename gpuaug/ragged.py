"""Arrays of unequal length, one for each sample, without a loop over samples."""

from __future__ import annotations

import numpy as np


class Ragged:
    """For each of n samples some rows of an array: ``values[start[i] : start[i] + counts[i]]``. Indexed as arrays are.

    A number gives the rows of one sample, indices or a slice a `Ragged` of some.

    Args:
        values: ``[N, ..]``, those of sample 0 first.
        counts: int ``[n]``, how many belong to each sample; they add up to N.

    Example:
        >>> ragged = Ragged(np.arange(6), np.array([1, 3, 2]))
        >>> len(ragged), ragged[np.array([2, 0])].values.tolist(), ragged[1].tolist()
        (3, [4, 5, 0], [1, 2, 3])
    """

    __slots__ = ("counts", "start", "values")

    def __init__(self, values: np.ndarray, counts: np.ndarray):
        self.values, self.counts = values, np.asarray(counts, np.int64)
        end = np.cumsum(self.counts)
        if len(values) != (end[-1] if len(end) else 0) or (self.counts < 0).any():
            raise ValueError(f"counts must be 0 or more and add up to {len(values)}, the rows that there are, got {counts!r}")
        self.start = end - self.counts

    @classmethod
    def of_list(cls, parts: list[np.ndarray], like: np.ndarray) -> Ragged:
        """From an array for each sample; ``like``: an empty one, for a list of none."""
        return cls(np.concatenate([like, *parts]), np.array([len(part) for part in parts], np.int64))

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, samples) -> Ragged | np.ndarray:
        if isinstance(samples, (int, np.integer)):
            return self.values[self.start[samples] : self.start[samples] + self.counts[samples]]
        counts, start = self.counts[samples], self.start[samples]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return Ragged(self.values[np.repeat(start, counts) + within], counts)

    @property
    def sample(self) -> np.ndarray:
        """int ``[N]``: whose each row is."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

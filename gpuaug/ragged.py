"""Arrays of unequal length for each sample, in one."""

from __future__ import annotations

import numpy as np


class Ragged:
    """One array for each of n samples; samples are picked as from an array's first axis.

    Attributes:
        values: ``[sum of counts, ...]``, sample after sample.
        counts, starts: int64 ``[n]``: how many lines of it a sample has, and where they start.

    Example:
        >>> import numpy as np
        >>> ragged = Ragged(np.array([1, 2, 3]), [1, 0, 2])
        >>> len(ragged), ragged.of(2).tolist(), ragged[np.array([2, 0])].values.tolist()
        (3, [2, 3], [2, 3, 1])
    """

    __slots__ = ("counts", "starts", "values")

    def __init__(self, values: np.ndarray, counts):
        self.values, self.counts = np.asarray(values), np.asarray(counts, np.int64)
        ends = np.cumsum(self.counts)
        self.starts = ends - self.counts
        if (len(ends) and ends[-1] != len(self.values)) or (not len(ends) and len(self.values)):
            raise ValueError(f"counts add up to {ends[-1] if len(ends) else 0}, there are {len(self.values)} values")

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def of_list(cls, parts: list[np.ndarray], like: np.ndarray) -> Ragged:
        """From an array for each sample; ``like``: an empty one, for a list of none."""
        return cls(np.concatenate([like, *parts]), [len(part) for part in parts])

    def __getitem__(self, rows) -> Ragged | np.ndarray:
        """Those of ``rows``: a slice, indices or a mask; of a number, the lines of that sample."""
        if isinstance(rows, (int, np.integer)):
            return self.of(rows)
        counts = self.counts[rows]
        if len(counts) == len(self.counts) and isinstance(rows, slice) and rows.step in (None, 1):
            return self
        return Ragged(self.values[runs(self.starts[rows], counts)], counts)

    def of(self, i: int) -> np.ndarray:
        """Those of one sample."""
        return self.values[self.starts[i] : self.starts[i] + self.counts[i]]

    def __repr__(self) -> str:
        return f"Ragged({self.values!r}, {self.counts!r})"


def runs(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The indices of runs of so many that start there, one run after the other.

    Example:
        >>> runs(np.array([5, 0]), np.array([2, 3])).tolist()
        [5, 6, 0, 1, 2]
    """
    total = int(counts.sum())
    return np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(total)

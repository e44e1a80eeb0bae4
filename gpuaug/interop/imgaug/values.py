"""imgaug's arguments: a number, a tuple for a range, a list for a choice."""

from __future__ import annotations

import math

import numpy as np

from ...checks import is_number
from ...uniforms import between, integers


class Value:
    """What is drawn for an argument: a number as it is; of a tuple (low, high) uniform numbers between; of a list one of it.

    Args:
        name: of the argument, for errors.
        value: it. low, high: its bounds, inclusive.
        whole: whether it draws whole numbers, those of a range both inclusive. None: if all that it is given are.

    Attributes:
        most: the largest number that it may draw.

    Example:
        >>> import numpy as np
        >>> Value("k", (1, 3), whole=True)(np.array([0.0, 0.5, 0.999])).tolist()
        [1, 2, 3]
        >>> Value("sigma", [0.5, 2.5])(np.array([0.0, 0.5])).tolist()
        [0.5, 2.5]
    """

    def __init__(self, name: str, value, low: float = -math.inf, high: float = math.inf, *, whole: bool | None = False):
        numbers = value if isinstance(value, (tuple, list)) else [value]
        pair = not isinstance(value, tuple) or len(value) == 2
        if not pair or not numbers or not all(is_number(each) and math.isfinite(each) for each in numbers):
            raise TypeError(f"{name} must be a number, a tuple (low, high) or a list of numbers to choose from, got {value!r}")
        if not all(low <= each <= high for each in numbers):
            bound = f"at least {low:g}" if high == math.inf else f"in [{low:g}, {high:g}]"
            raise ValueError(f"{name} must be {bound}, got {value!r}")
        self.whole = all(isinstance(each, int) for each in numbers) if whole is None else whole
        if self.whole and any(each != int(each) for each in numbers):
            raise ValueError(f"{name} takes whole numbers, got {value!r}")
        self.ranges = isinstance(value, tuple)
        self.numbers = np.array(sorted(numbers) if self.ranges else numbers, np.int64 if self.whole else np.float64)
        self.most = self.numbers.max()

    @property
    def fixed(self) -> bool:
        """Whether there is but one number."""
        return self.numbers.min() == self.most

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """Numbers from uniforms of any shape."""
        if self.ranges:
            return (integers if self.whole else between)(u, *self.numbers)
        return self.numbers[integers(u, 0, len(self.numbers) - 1)]


def chance(name: str, value) -> float:
    """A probability, or True or False."""
    if isinstance(value, bool):
        return float(value)
    if not is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be True, False or a probability, a number in [0, 1], got {value!r}")
    return float(value)


class Choice:
    """One of words or numbers of an argument, told by number: one of them, a list to choose from, or "ALL".

    Args:
        known: what there is, and OpenCV's number for each.
        all: what "ALL" stands for; None: all that there is.
    """

    def __init__(self, name: str, value, known: dict, all: list | None = None):
        given = (
            (all or list(known)) if isinstance(value, str) and value == "ALL" else value if isinstance(value, list) else [value]
        )
        wrong = [each for each in given if isinstance(each, (bool, dict, tuple, list)) or each not in known]
        if wrong or not given:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, a list of them, or 'ALL', got {value!r}")
        self.numbers = np.array([known[each] for each in given], np.int64)

    def __call__(self, u: np.ndarray) -> np.ndarray:
        return self.numbers[integers(u, 0, len(self.numbers) - 1)]

"""Checks of arguments: each names the argument, the value and the rule."""

from __future__ import annotations

import math
import numbers
from typing import Any


def real(name: str, value, low: float = -math.inf, high: float = math.inf, *, above: bool = False) -> float:
    """A number in [low, high] (above: in (low, high])."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if math.isnan(value):
        raise ValueError(f"{name} must be a number, got NaN")
    if math.isinf(value):
        raise ValueError(f"{name} must be finite, got {value!r}")
    if not low <= value <= high or (above and value == low):
        raise ValueError(f"{name} must lie in {'(' if above else '['}{low:g}, {high:g}], got {value!r}")
    return float(value)


def probability(p) -> float:
    """p, between 0 and 1."""
    return real("p", p, 0, 1)


def integer(name: str, value: Any, low: int = -(2**31), high: int = 2**31 - 1) -> int:
    """A whole number in [low, high]; 2.0 is one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie in [{low}, {high}], got {value!r}")
    return int(value)


def boolean(name: str, value) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def is_number(value: Any) -> bool:
    """Whether it is one number, and no range."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _pair(name, value):
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be a number or a pair (low, high), got {value!r}")
    return value


def span(name: str, value, low: float = -math.inf, high: float = math.inf, *, scalar: str = "symmetric") -> tuple[float, float]:
    """A range of real numbers. A number v stands for (-v, v) (symmetric), (0, v) (zero), (1, v) (one) or (v, v) (fixed)."""
    if is_number(value):
        value = {"symmetric": (-abs(value), abs(value)), "zero": (0, value), "one": (1, value), "fixed": (value, value)}[scalar]
    a, b = (real(name, v, low, high) for v in _pair(name, value))
    return min(a, b), max(a, b)


def increasing(name: str, value, low: float = -math.inf, high: float = math.inf) -> tuple[float, float]:
    """A range of real numbers whose ends must be in order."""
    a, b = (real(name, v, low, high) for v in _pair(name, value))
    if a > b:
        raise ValueError(f"{name} must be (low, high) with low <= high, got {tuple(value)!r}")
    return a, b


def whole(name: str, value, low: int = 0, high: int = 2**31 - 1, *, scalar: str = "fixed") -> tuple[int, int]:
    """A range of whole numbers, both ends inclusive and in order. A number n stands for (n, n), or for (0, n) (zero)."""
    if is_number(value):
        value = (value, value) if scalar == "fixed" else (0, value)
    a, b = (integer(name, v, low, high) for v in _pair(name, value))
    if a > b:
        raise ValueError(f"{name} must be (low, high) with low <= high, got {tuple(value)!r}")
    return a, b


def one_of(name: str, value: Any, allowed: Any) -> object:
    """One of a few values."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(repr(a) for a in allowed)}, got {value!r}")
    return value


def colour(name: str, value, words: tuple[str, ...] = ()) -> object:
    """A fill: a number, one number for each channel, or one of ``words``."""
    if isinstance(value, str) and words:
        return one_of(name, value, words)
    if isinstance(value, (tuple, list)):
        if len(value) == 0:
            raise ValueError(f"{name} must hold a number for each channel, got {value!r}")
        return tuple(real(name, v) for v in value)
    if not is_number(value):
        raise TypeError(f"{name} must be a number, one number for each channel{' or a word' if words else ''}, got {value!r}")
    return real(name, value) if isinstance(value, float) else value


WIDEST = 4095  # side of a window, pixels: what is wider than most images is taken as a mistake
# by a map, which takes area for linear, as OpenCV's warps do; a resize tells 3 from 1, and 0 from 6, and has 5
INTERPOLATIONS = {0: "nearest", 1: "linear", 2: "cubic", 3: "linear", 4: "lanczos", 6: "nearest"}
BORDERS = {0: "constant", 1: "replicate", 2: "reflect", 3: "wrap", 4: "reflect_101"}


RESIZES = {
    0: "INTER_NEAREST",
    1: "INTER_LINEAR",
    2: "INTER_CUBIC",
    3: "INTER_AREA",
    4: "INTER_LANCZOS4",
    5: "INTER_LINEAR_EXACT",
    6: "INTER_NEAREST_EXACT",
}


def interpolation(name: str, value, allowed=INTERPOLATIONS) -> int:
    """OpenCV's number of an interpolation: of those that go with any map, or with a resize (`RESIZES`)."""
    if not is_number(value) or value not in allowed:
        words = [f"{number} (cv2.{RESIZES[number]})" for number in allowed]
        only = "; 5 (cv2.INTER_LINEAR_EXACT) is of resizes alone, OpenCV warps nothing by it: take 1" if value == 5 else ""
        raise ValueError(f"{name} must be {', '.join(words[:-1])} or {words[-1]}, got {value!r}{only}")
    return int(value)


def border(name: str, value) -> int:
    """OpenCV's number of a border mode."""
    if not is_number(value) or value not in BORDERS:
        raise ValueError(
            f"{name} must be one of OpenCV's border modes {', '.join(f'{k} ({v})' for k, v in BORDERS.items())}, got {value!r}"
        )
    return int(value)

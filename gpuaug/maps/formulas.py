"""Maps of a few numbers that are no matrix."""

from __future__ import annotations

import numpy as np

from .base import STEPS, Map, checked, one_of


class TimeWarp(Map):
    """Along x alone, in two linear pieces: the column ``before`` goes to ``after``, the first and the last stay, and so does what
    lies behind ``length`` (padding). Or, reversed: backwards.

    Args:
        before, after, length: ``[n]``; the two lie within 1 .. length - 2.
    """

    kind = "time_warp"

    def __init__(self, before, after, length):
        before, after, length = (np.asarray(v, np.float64) for v in (before, after, length))
        last, zero = length - 1, np.zeros_like(length)
        self.numbers = np.stack([before / after, after, before, (last - before) / (last - after), length, zero], 1)

    @classmethod
    def reversed(cls, length) -> TimeWarp:
        made, length = cls.__new__(cls), np.asarray(length, np.float64)
        zero = np.zeros_like(length)
        made.numbers = np.stack([zero - 1, length, zero, zero, length, length - 1], 1)
        return made

    def lowered(self, interpolation):
        return self.kind, one_of({0: "nearest", 1: "line"}, interpolation)

    def source(self, which, xy):
        before, to, at, after, length, first = self.numbers[which].T
        x, last = xy[:, 0], length - 1
        moved = np.where(x < to, x * before + first, np.where(x > to, (x - last) * after + last, at))
        return np.stack([np.where(x >= length, x, np.clip(moved, 0, last)), xy[:, 1]], 1)

    def target(self, which, xy):
        before, to, at, after, length, first = self.numbers[which].T
        x, last = xy[:, 0], length - 1
        back = before < 0
        with np.errstate(all="ignore"):
            moved = np.where(back | (x < at), (x - first) / before, np.where(x > at, (x - last) / after + last, to))
        return np.stack([np.where(x >= length, x, moved), xy[:, 1]], 1)


class Radial(Map):
    """A lens: a point at distance r from the centre is read at r (1 + k1 r^2 + k2 r^4), r in units of ``focal``.

    Args:
        centre: ``[n, 2]`` (x, y). focal: ``[n, 2]``, pixels that r = 1 stands for. k: ``[n, 2]``.
    """

    kind = "radial"

    def __init__(self, centre, focal, k):
        centre = checked("centre", centre, (None, 2))
        focal, k = checked("focal", focal, (len(centre), 2)), checked("k", k, (len(centre), 2))
        self.numbers = np.concatenate([centre, 1 / focal, k], 1)

    def source(self, which, xy):
        m = self.numbers[which]
        d = xy - m[:, :2]
        r2 = ((d * m[:, 2:4]) ** 2).sum(1, keepdims=True)
        return m[:, :2] + d * (1 + m[:, 4:5] * r2 + m[:, 5:6] * r2 * r2)

    def target(self, which, xy):
        """The smallest s with s (1 + a s^2 + b s^4) = 1, by Newton's method from 0: what lies behind the turn of a lens is
        lost."""
        m = self.numbers[which]
        d = xy - m[:, :2]
        r2 = ((d * m[:, 2:4]) ** 2).sum(1)
        a, b, s, done = m[:, 4] * r2, m[:, 5] * r2 * r2, np.zeros(len(xy)), np.zeros(len(xy), bool)
        with np.errstate(all="ignore"):
            for _ in range(5 * STEPS):
                rise = 1 + 3 * a * s**2 + 5 * b * s**4
                step = np.where(done, 0, (s * (1 + a * s**2 + b * s**4) - 1) / rise)
                s = s - step
                done |= ~(np.abs(step) > 1e-12)  # each by itself, whatever others there are
                if done.all():
                    break
            found = (np.abs(s * (1 + a * s**2 + b * s**4) - 1) < 1e-9) & (rise > 0) & (s > 0)
        return np.where(found[:, None], m[:, :2] + d * s[:, None], np.nan)

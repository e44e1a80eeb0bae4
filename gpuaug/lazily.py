"""Consecutive transforms whose maps are matrices as one gather: every sample is interpolated once, however many it took.

Steps join where they agree on how to interpolate and on what lies beyond the border; those that move whole pixels (flips, quarter
turns, crops) join any. Between the first and the last of them nothing is cut off: what a crop, or the border of a rotation, would
have taken comes back where a later step turns it into view.
"""

from __future__ import annotations

import numpy as np

from .maps import Projective
from .track import Track

# By so much, of a pixel and of a unit of the matrix, a product may miss whole numbers: 10 products of float64 at 10^4 pixels are
# off by 10 * 1e4 * 1.1e-16 = 1e-11; 1e-9 at 10^4 pixels are 1e-5 of a pixel.
NEAR = 1e-9


def runs(track: Track, steps: list) -> list[list]:
    """The steps in their order, those that join in one list."""
    out, last = [], None
    for step in steps:
        key = step.transform.joins(track.kind)
        joined = common([last, key])
        if joined is None:
            out.append([step])
        else:
            out[-1].append(step)
        last = key if joined is None else joined
    return out


def common(keys: list) -> tuple | None:
    """What steps agree on: of interpolation, border and fill each that one of them asks for; None: they do not."""
    agreed = [None, None, None]
    for key in keys:
        if key is None:
            return None
        for k, asked in enumerate(key):
            if asked is not None and agreed[k] not in (None, asked):
                return None
            agreed[k] = asked if agreed[k] is None else agreed[k]
    return tuple(agreed)


def together(track: Track, steps: list) -> bool:
    """Lower several steps as one gather; False, with nothing done, if at most one of them interpolates (views cost less)."""
    keys = [step.transform.joins(track.kind) for step in steps] if len(steps) > 1 else []
    if sum(key[0] is not None for key in keys) < 2:
        return False
    size, took = track.size.astype(np.int64), np.zeros(track.samples, bool)
    matrix = np.tile(np.eye(3), (track.samples, 1, 1))  # from output to source
    for step in steps:
        rows = track.index(step.rows)
        mapped = step.transform.mapped(step.params, size[rows])
        if not isinstance(mapped, Projective):
            return False
        matrix[rows] = matrix[rows] @ (np.linalg.inv(mapped.matrix) if mapped.forward else mapped.matrix)
        size[rows] = step.transform.size_after(step.params, size[rows])
        took[rows] = True
    matrix /= matrix[:, 2:, 2:]
    whole = np.rint(matrix)
    exact = (np.abs(matrix - whole) <= NEAR * (1 + np.abs(whole))).all((1, 2))
    matrix[exact] = whole[exact]
    rows = np.flatnonzero(took)
    interpolation, border, fill = common(keys)
    names = dict.fromkeys(type(step.transform).__name__ for step in steps)
    track.doing = " and ".join(names)
    track.gather(rows, Projective(matrix[rows], forward=False), size[rows], interpolation, border or 0, fill or 0)
    return True

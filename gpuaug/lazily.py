"""Consecutive transforms whose maps are matrices as one gather: every sample is interpolated once, however many it took.

Steps join where they agree on how to interpolate and on what lies beyond the border; those that move whole pixels (flips, quarter
turns, crops) join any. Between the first and the last of them nothing is cut off: what a crop, or the border of a rotation, would
have taken comes back where a later step turns it into view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .maps import Projective
from .track import Track

# By so much, of a pixel and of a unit of the matrix, a product may miss whole numbers: 10 products of float64 at 10^4 pixels are
# off by 10 * 1e4 * 1.1e-16 = 1e-11; 1e-9 at 10^4 pixels are 1e-5 of a pixel.
NEAR = 1e-9


def lower(track: Track, steps: list, plain: Callable[[list], None]) -> None:
    """Lower steps, those that join as one. Which do is decided for each sample by what it took itself.

    Args:
        plain: lowers a list of steps one by one.
    """
    waiting: dict[int, list[int]] = {}  # by sample: the numbers of the steps that have joined so far
    agreed: dict[int, tuple] = {}
    others: list = []

    def flush(samples) -> None:
        groups: dict[tuple, list[int]] = {}
        for i in samples:
            if i in waiting:
                groups.setdefault(tuple(waiting.pop(i)), []).append(i)
                del agreed[i]
        for numbers, rows in groups.items():
            _together(track, [_of(track, steps[k], rows) for k in numbers], plain)

    for number, step in enumerate(steps):
        key, rows = step.transform.joins(track.kind), track.index(step.rows).tolist()
        if key is None:
            flush(rows)
            others.append(step)
            continue
        if others:
            plain(others)
            others = []
        flush([i for i in rows if i in agreed and common([agreed[i], key]) is None])
        for i in rows:
            agreed[i] = common([agreed.get(i, (None, None, None)), key])
            waiting.setdefault(i, []).append(number)
    if others:
        plain(others)
    flush(list(waiting))


def _of(track: Track, step, rows: list[int]):
    """A step for some of its samples."""
    place = np.full(track.samples, -1)
    place[step.rows] = np.arange(len(place[step.rows]))
    mine = place[rows]
    return replace(step, rows=np.array(rows), params={name: value[mine] for name, value in step.params.items()})


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


def _together(track: Track, steps: list, plain: Callable[[list], None]) -> None:
    """Lower several steps of the same samples as one gather; one by one if at most one of them interpolates: views cost less."""
    keys = [step.transform.joins(track.kind) for step in steps]
    rows = steps[0].rows
    size, matrix = track.size[rows].astype(np.int64), np.tile(np.eye(3), (len(rows), 1, 1))  # from output to source
    if sum(key[0] is not None for key in keys) < 2:
        plain(steps)
        return
    for step in steps:
        mapped = step.transform.mapped(step.params, size)
        if not isinstance(mapped, Projective):
            plain(steps)
            return
        matrix = matrix @ (np.linalg.inv(mapped.matrix) if mapped.forward else mapped.matrix)
        size = step.transform.size_after(step.params, size)
    matrix /= matrix[:, 2:, 2:]
    whole = np.rint(matrix)
    exact = (np.abs(matrix - whole) <= NEAR * (1 + np.abs(whole))).all((1, 2))
    matrix[exact] = whole[exact]
    interpolation, border, fill = common(keys)
    track.doing = " and ".join(dict.fromkeys(type(step.transform).__name__ for step in steps))
    track.gather(rows, Projective(matrix, forward=False), size, interpolation, border or 0, fill or 0)

"""Images that are there at 1/2, 1/4 or 1/8 of their size, as a JPEG's DCT gives them: how a plan's rows read these instead.

A row that reads an image through a matrix goes on from it divided by the scale; everything behind stays as it is. Edges of
pixels keep their places: the edge at x lies at x / scale, and so the centre x at (x + 1/2) / scale - 1/2. What a decoder adds
to make the last column and line of a scaled image full lies behind the image, or, where EXIF data turned it, in front of it:
`offset`. Of a resampling by means each scaled pixel gets the weights of those that it stands for (`taps`).
"""

from __future__ import annotations

import numpy as np

from . import maps
from .plan import RESAMPLES, SAMPLES

SCALES = (8, 4, 2)
MEANS = ("area", "linear", "cubic")  # resamplings whose weights reach over all pixels of a larger source
_EPSILON = 1e-6  # of a matrix in float32
TURNED = ((3, 4, 7, 8), (2, 3, 6, 7))
"""The EXIF orientations that turn the y axis, and the x axis, of the upright image."""
_TURNED = np.array([[turn in axis for axis in TURNED] for turn in range(9)])


def offset(size: np.ndarray, scale: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """float64 ``[B, 2]``, (y, x): how far an upright image's first edge lies in its scaled pixels."""
    turned = _TURNED[turn]
    return np.where(turned, scaled_size(size, scale) - size / scale[:, None], 0.0)


def scaled_size(size: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """``[B, 2]`` at 1 / scale ``[B]``: a decoder rounds up."""
    return -(-size // scale[:, None])


def means(plan) -> np.ndarray:
    """bool ``[B]``: whose first resampling, or gather, is one of `MEANS`."""
    out, told = np.zeros(plan.samples, bool), np.zeros(plan.samples, bool)
    for rows, _, what in plan.log:
        if what in RESAMPLES or what in SAMPLES:
            of = np.zeros(plan.samples, bool)
            of[rows] = True
            out |= of & ~told & (what in MEANS)
            told |= of
    return out


def finest(kind: str, rows: np.ndarray, corners, down, right, mean) -> np.ndarray:
    """int64 ``[n]``: of 1, 2, 4 and 8 the largest that is no more than the distance at which a row samples its image, anywhere
    and in any direction; 1 where it does not blend pixels.

    corners: gives ``[n, 2, 4]``, x and y of the output's corners in the gather's frame. down, right: ``[n, 2]``, how its view
    runs. mean: ``[n]``, see `means`.
    """
    scale = np.ones(len(rows), np.int64)
    if kind == "resample":
        step = np.minimum(rows["sw"] / rows["dw"], rows["sh"] / rows["dh"])
        for each in SCALES[::-1]:
            scale[mean & (step >= each)] = each
    if kind != "fused":
        return scale
    m, of, sample = rows["m"].astype(np.float64), rows["map"], rows["sample"]
    deep = of == maps.KINDS["projective"]
    sound = (deep | (of == maps.KINDS["affine"])) & (rows["n_layers"] == 0)
    sound &= (sample == SAMPLES["linear"]) | (sample == SAMPLES["cubic"]) | (sample == SAMPLES["lanczos"])
    sound &= (np.abs(down).sum(1) == 1) & (np.abs(right).sum(1) == 1)
    step = np.where(sound, _least(m[:, 0], m[:, 1], m[:, 3], m[:, 4]), 0.0)
    if (deep & sound).any():  # the derivatives of the place by the output's x and y, at its corners
        some = np.flatnonzero(deep & sound)
        m = m[some].reshape(-1, 3, 3)
        at = m[:, :, :2] @ corners(rows[some]) + m[:, :, 2:]
        with np.errstate(all="ignore"):
            slope = (m[:, :2, :2, None] - (at[:, :2] / at[:, 2:])[:, :, None] * m[:, None, 2, :2, None]) / at[:, 2:, None]
        ahead = (at[:, 2] > 1e-6).all(1) | (at[:, 2] < -1e-6).all(1)
        step[some] = np.where(ahead, _least(slope[:, 0, 0], slope[:, 0, 1], slope[:, 1, 0], slope[:, 1, 1]).min(1), 0.0)
    for each in SCALES[::-1]:
        scale[step >= each * (1 - _EPSILON)] = each
    return scale


def _least(a, b, c, d):
    """The smaller singular value of ((a, b), (c, d))."""
    square, area = a * a + b * b + c * c + d * d, a * d - b * c
    return np.sqrt(np.maximum(square - np.sqrt(np.maximum(square * square - 4 * area * area, 0)), 0) / 2)


def read(rows: np.ndarray, first, down, right, scale, start, size) -> tuple[np.ndarray, np.ndarray]:
    """Rows that read the scaled images, and ``[n, 2]``, where their views' first pixels lie in these.

    first, down, right: ``[n, 2]``, of the views in the whole images. scale: ``[n]``. start: ``[n, 2]``, see `offset`.
    size: ``[n, 2]``, of the scaled images.
    """
    rows, n, at = rows.copy(), np.arange(len(rows)), np.zeros_like(first)
    matrix = "m" in rows.dtype.names
    if matrix:
        m = rows["m"].astype(np.float64)
        m[rows["map"] == maps.KINDS["affine"], 6:] = 0, 0, 1
    for way, side, k in ((right, "sw", 0), (down, "sh", 3)):
        axis = np.abs(way).argmax(1)
        sign, begin, count, zero, most = way[n, axis], first[n, axis], rows[side], start[n, axis], size[n, axis]
        low = np.where(sign > 0, begin, begin - count + 1)
        edge = np.clip(np.floor(low / scale + zero), 0, most - 1).astype(np.int64)
        end = np.clip(np.ceil((low + count) / scale + zero), edge + 1, most).astype(np.int64)
        at[n, axis] = np.where(sign > 0, edge, end - 1)
        if matrix:
            shift = sign * ((begin + 0.5) / scale + zero - 0.5 - at[n, axis])
            m[:, k : k + 3] = m[:, k : k + 3] / scale[:, None] + shift[:, None] * m[:, 6:]
        rows[side] = end - edge
    if matrix:
        rows["m"][:, :6] = m[:, :6]
    return rows, at


def taps(rows: np.ndarray, blob: np.ndarray, first, at, down, right, scale, start) -> np.ndarray:
    """Weights of a resample launch for its scaled images, float32, to lie behind the plan's blob. `rows`, which `read` made, are
    told where: from its end on.

    blob: of the plan. first, at: ``[n, 2]``, where views begin in the whole images and in the scaled ones; others as for
    `read`.
    """
    parts, end, n = [], 0, np.arange(len(rows))
    for way, name, most, side in ((right, "columns", "across", "dw"), (down, "lines", "down", "dh")):
        axis = np.abs(way).argmax(1)
        sign, begin, origin, zero = way[n, axis], first[n, axis], at[n, axis], start[n, axis]
        for count, wide in np.unique(np.stack([rows[side], rows[most]], 1), axis=0):
            some = np.flatnonzero((rows[side] == count) & (rows[most] == wide))
            here = rows[name][some, None] + np.arange(2 * count)
            begins, counts = (blob[here].view(np.int32)[:, part, None] for part in (slice(count), slice(count, None)))
            weights = blob[rows[name][some, None] + 2 * count + np.arange(count * wide)].reshape(-1, count, wide)
            ahead = np.minimum(np.arange(wide), counts - 1)
            pixel = begin[some, None, None] + sign[some, None, None] * (begins + ahead)
            place = np.floor((pixel + 0.5) / scale[some, None, None] + zero[some, None, None]).astype(np.int64)
            place = sign[some, None, None] * (place - origin[some, None, None])  # in the view of the scaled image
            behind = place - place[:, :, :1]
            new = int(behind.max()) + 1
            flat = (np.arange(len(some) * count).reshape(-1, count, 1) * new + behind).ravel()
            given = np.where(np.arange(wide) < counts, weights, 0).ravel()
            summed = np.bincount(flat, given, len(some) * count * new).astype(np.float32).reshape(-1, count * new)
            heads = np.stack([place[:, :, 0], behind[:, :, -1] + 1], 1).astype(np.int32).view(np.float32).reshape(len(some), -1)
            parts.append(np.concatenate([heads, summed], 1).ravel())
            size = count * (2 + new)
            rows[name][some], rows[most][some] = end + size * np.arange(len(some)), new
            end += size * len(some)
    return np.concatenate(parts)

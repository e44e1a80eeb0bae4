"""A map that was made for one size, for images of another: the same places, as fractions of height and width."""

from __future__ import annotations

import numpy as np

from ..ragged import Ragged
from .base import Map
from .matrices import Affine, Projective
from .tables import Field


def stretched(made: Map, size: np.ndarray, after: np.ndarray, own: np.ndarray, own_after: np.ndarray) -> Map:
    """The map of n samples of sizes ``own`` that does to them what ``made`` does to samples of ``size``.

    Fractions are of the whole, from the outer edge of the first pixel to that of the last. Matrices stay matrices; of any other
    map a place is told for every pixel.

    Args:
        size, after: ``[n, 2]``, heights and widths before and after the map that there is. own, own_after: those of the others.
    """
    into, back = _scaling(own_after, after), _scaling(size, own)
    if isinstance(made, Projective):
        matrix = np.linalg.inv(made.matrix) if made.forward else made.matrix
        matrix = back @ matrix @ into
        if made.affine:
            matrix[:, 2] = 0, 0, 1
            return Affine(matrix, forward=False)
        return Projective(matrix, forward=False)
    places = []
    for i, (height, width) in enumerate(own_after.tolist()):
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        at = np.stack([x.ravel(), y.ravel()], 1) * np.diag(into[i])[:2] + into[i, :2, 2]
        found = made.source(np.full(len(at), i), at)
        places.append(found * np.diag(back[i])[:2] + back[i, :2, 2])
    return Field(Ragged.of_list(places, np.zeros((0, 2))), own_after)


def _scaling(size: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Matrices ``[n, 3, 3]`` from places (x, y) in images of one size to those in another: x' = (x + 0.5) s - 0.5."""
    scale = (np.asarray(to, np.float64) / size)[:, ::-1]
    out = np.zeros((len(scale), 3, 3))
    out[:, [0, 1], [0, 1]], out[:, :2, 2], out[:, 2, 2] = scale, 0.5 * scale - 0.5, 1
    return out

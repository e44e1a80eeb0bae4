"""Connected regions of masks, on the host."""

from __future__ import annotations

import numpy as np


def components(mask: np.ndarray, values=None) -> tuple[np.ndarray, int]:
    """Number the regions of a mask ``[H, W]``: pixels that touch, also at corners.

    Args:
        values: None: a region is of one value above 0. Otherwise a region is of any of these values.

    Returns:
        int64 labels ``[H, W]``, 0 outside, regions 1, 2, .. in the order of their first pixels; and their number.

    Example:
        >>> components(np.array([[1, 1, 0], [0, 0, 2], [3, 0, 2]]))
        (array([[1, 1, 0],
               [0, 0, 2],
               [3, 0, 2]]), 3)
    """
    value = np.asarray(mask).astype(np.int64) if values is None else np.isin(mask, values).astype(np.int64)
    h, w = value.shape
    # runs of equal value along rows, numbered row after row
    start = np.ones((h, w), bool)
    start[:, 1:] = value[:, 1:] != value[:, :-1]
    run = np.cumsum(start.ravel()).reshape(h, w) - 1
    inside = value[start] > 0
    # pairs of runs that touch across two rows: straight and along both diagonals
    pairs = []
    for dx in (-1, 0, 1):
        above = (slice(0, h - 1), slice(max(0, -dx), w - max(0, dx)))
        below = (slice(1, h), slice(max(0, dx), w - max(0, -dx)))
        same = (value[above] == value[below]) & (value[above] > 0)
        pairs.append(np.stack([run[above][same], run[below][same]], 1))
    pairs = np.unique(np.concatenate(pairs), axis=0)
    parent = np.arange(len(inside))
    while len(pairs):  # hook the larger root to the smaller, then let everyone point at its root
        a, b = parent[pairs[:, 0]], parent[pairs[:, 1]]
        open_ = a != b
        if not open_.any():
            break
        np.minimum.at(parent, np.maximum(a, b)[open_], np.minimum(a, b)[open_])
        while (parent != parent[parent]).any():
            parent = parent[parent]
    roots = np.unique(parent[inside])
    label = np.zeros(len(inside), np.int64)
    label[inside] = np.searchsorted(roots, parent[inside]) + 1
    return label[run], len(roots)


def object_map(chosen: np.ndarray) -> np.ndarray:
    """A bool map ``[H, W]`` as uint32 words ``[H, ceil(W / 32)]``, lowest bit first: what the bitmap operation reads.

    Example:
        >>> object_map(np.array([[True, False, True]])).tolist()
        [[5]]
    """
    h, w = chosen.shape
    padded = np.zeros((h, -(-w // 32) * 32), bool)
    padded[:, :w] = chosen
    return np.packbits(padded, axis=1, bitorder="little").view("<u4")


def chosen_by(words: np.ndarray, h: int, w: int) -> np.ndarray:
    """The bool map ``[h, w]`` of which these are `object_map`'s words, in any shape."""
    return np.unpackbits(words.reshape(h, -1).view(np.uint8), axis=1, bitorder="little")[:, :w].astype(bool)

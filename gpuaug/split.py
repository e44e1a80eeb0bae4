"""Boxes that a transform cuts apart: of each the pieces that hang together, every one a box."""

from __future__ import annotations

import numpy as np

from .geometry import area


def split(marks, transform, pos: np.ndarray, params: dict, size: np.ndarray) -> None:
    """Let a transform whose map are tiles that change places (`maps.Tiles`) move boxes.

    A piece is what of a box lies in tiles that touch in the result, at a corner at least; around it is the new box. What of that
    is the piece counts as visible. Pieces keep their box's labels, and its place in the list.

    pos: ``[B]``, a sample's row of the parameters, or -1. size: ``[B, 2]`` before the transform.
    """
    which = pos[marks.sample]
    if not (which >= 0).any():
        return
    if marks.params.bbox_type == "obb":
        raise ValueError(
            f"{type(transform).__name__} cuts boxes apart, and the pieces of an oriented box are none: leave it out, or take "
            f"upright boxes (bbox_type='hbb')"
        )
    tiles = transform.map(params, size)
    index, boxes, shares = [], [], []
    whole, seen = area(marks.values), marks.uncut()
    theirs = marks.params.geometry == "albumentations"
    for i, row in enumerate(which.tolist()):
        if row < 0:
            index.append(i)
            boxes.append(marks.values[i])
            shares.append(1.0)
            continue
        for box, pixels in pieces(marks.values[i], tiles, row):
            if theirs and (pixels < marks.params.min_area or pixels < marks.params.min_visibility * whole[i]):
                continue  # albumentations looks here, and later at whole boxes
            index.append(i)
            boxes.append(box)
            shares.append(seen[i] / whole[i] * pixels / area(box[None])[0])
    index = np.array(index, int)
    marks.take(index)
    marks.found_parts()
    moved = np.flatnonzero(which[index] >= 0)
    marks.replace(moved, np.array(boxes).reshape(-1, 4)[moved], np.array(shares)[moved])


def pieces(box: np.ndarray, tiles, row: int) -> list[tuple[np.ndarray, float]]:
    """(the box around it, its pixels) for each piece."""
    x, y, columns = tiles.x[row], tiles.y[row], tiles.x.shape[1] - 1
    x0, x1 = np.maximum(x[:-1], box[0]), np.minimum(x[1:], box[2])
    y0, y1 = np.maximum(y[:-1], box[1]), np.minimum(y[1:], box[3])
    lines, across = np.nonzero((y1 > y0)[:, None] & (x1 > x0))
    at = tiles.back[row, lines * columns + across]  # the tiles of the result that they come to
    shift = tiles.shift[row, at]
    parts = np.stack([x0[across], y0[lines], x1[across], y1[lines]], 1) - np.concatenate([shift, shift], 1)
    of, root = {tile: k for k, tile in enumerate(at.tolist())}, list(range(len(at)))

    def find(k: int) -> int:
        while root[k] != k:
            root[k] = k = root[root[k]]
        return k

    for tile, k in of.items():
        for right, down in ((1, 0), (-1, 1), (0, 1), (1, 1)):
            other = of.get(tile + columns * down + right) if 0 <= tile % columns + right < columns else None
            if other is not None and (np.maximum(parts[k], parts[other])[:2] <= np.minimum(parts[k], parts[other])[2:]).all():
                root[find(other)] = find(k)
    group = np.array([find(k) for k in range(len(at))], int)
    out = []
    for each in dict.fromkeys(group.tolist()):
        mine = parts[group == each]
        out.append((np.concatenate([mine[:, :2].min(0), mine[:, 2:].max(0)]), float(area(mine).sum())))
    return out

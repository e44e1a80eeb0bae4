"""Tiles that change places."""

from __future__ import annotations

import numpy as np

from .. import maps
from ..checks import integer
from ..hints import Size
from ._geometric import Geometric

MOST = 16000  # uniforms of a sample, of which there are 4 * 4096


class RandomGridShuffle(Geometric):
    """Cut the image into tiles, and let those of one shape change places at random.

    Args:
        grid: how many rows and columns of tiles. Their heights and widths differ by a pixel where the sides cannot be shared out
            evenly; which of them are larger is drawn, too.
        p: probability, per sample.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints. A box becomes several where its tiles part: one
    around each of the pieces that hang together in the result, at a corner at least, with its labels. Oriented boxes are
    an error.
    Source: albumentations ``RandomGridShuffle``.

    Raises:
        ValueError: a grid of less than 1 row or column, or of more than 16,000 tiles.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomGridShuffle((1, 3), p=1)], seed=1)(np.arange(6, dtype=np.uint8)[None])
        array([[2, 3, 4, 5, 0, 1]], dtype=uint8)
    """

    splits = True

    def __init__(self, grid: Size = (3, 3), p: float = 0.5):
        super().__init__(0, 0, p=p)
        if not isinstance(grid, (tuple, list)) or len(grid) != 2:
            raise TypeError(f"grid must be (rows, columns), two whole numbers of at least 1, got {grid!r}")
        self.grid = tuple(integer("grid", n, 1) for n in grid)
        if self.columns() > MOST:
            raise ValueError(f"grid must have at most {MOST} tiles, rows and columns together, got {grid!r}")

    def joins(self, kind):
        return None

    def columns(self) -> int:
        rows, columns = self.grid
        return rows + columns + rows * columns

    def draw(self, u, view):
        rows, columns = self.grid
        height = _shares(view.size[:, 0], u[:, :rows])
        width = _shares(view.size[:, 1], u[:, rows : rows + columns])
        shape = 2 * (height > height.min(1, keepdims=True))[:, :, None] + (width > width.min(1, keepdims=True))[:, None]
        shape, luck = shape.reshape(len(u), -1), u[:, rows + columns :]
        of_shape, shuffled = np.argsort(shape, 1, kind="stable"), np.argsort(shape + luck, 1, kind="stable")
        origin = np.empty_like(of_shape)
        np.put_along_axis(origin, shuffled, of_shape, 1)
        return {"x": _edges(width), "y": _edges(height), "origin": origin}

    def map(self, params, size):
        return maps.Tiles(params["x"], params["y"], params["origin"])

    def keypoints(self, params, which, points, size, limits):
        if limits.geometry != "albumentations":
            return super().keypoints(params, which, points, size, limits)
        mapped, line, _ = self._of(params, which, size)  # tiles begin at their first pixel's centre
        return mapped.points(line, points, 0)


def _shares(side: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Whole numbers ``[n, k]`` that add up to ``side`` and differ by 1 at most, in a drawn order."""
    k = u.shape[1]
    return side[:, None] // k + (np.argsort(u, 1, kind="stable") < side[:, None] % k)


def _edges(shares: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((len(shares), 1), np.int64), np.cumsum(shares, 1)], 1)

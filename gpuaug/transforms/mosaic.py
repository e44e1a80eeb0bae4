"""Several samples in one image."""

from __future__ import annotations

import copy

import numpy as np

from .. import maps
from ..assemble import Pieces, assemble
from ..checks import colour, increasing, integer, one_of
from ..hints import Colour, Fill, Range, Size
from ..others import WHOLE, alone
from .crop import _Resized, fixed_size


class Mosaic(_Resized):
    """Show the sample and others in the cells of a grid, of which a window is kept.

    The cell of which most is to be seen is the sample's own, others are drawn for the rest, none twice: those that the call
    brings under ``metadata_key``, or, where it brings none, the others of the batch as they came, before any transform (so what a
    sample becomes depends on its batch). Where there are fewer, the sample repeats. Sides keep their ratio; what a cell shows is
    its corner at the middle of the result. Boxes, keypoints and their labels come along, clipped to their cells; oriented boxes
    stay whole, and what their cell hides of them counts as not visible; masks of boxes (``instance_masks``) come with their
    boxes, and are 0 beside their cell.

    Args:
        grid_yx: rows and columns of the grid.
        target_size: height and width of the result, at most those of the grid.
        cell_shape: height and width of a cell.
        center_range: between which fractions of its range the centre of the kept window is drawn, each axis by itself.
        fit_mode: "cover": the smallest size that fills the cell, what is over being cut off; "contain": the largest that fits it.
        interpolation, mask_interpolation: see `Resize`.
        fill, fill_mask: what "contain" leaves, a number or one for each channel.
        metadata_key: under which name a call brings other samples: a list of dicts ``{"image": .., "mask": .., "bboxes": ..,
            "keypoints": .., "labels": ..}`` with what the call itself has (boxes and keypoints may lack); of a batch one list
            for each sample.
        p: probability, per sample.

    Shapes and dtypes: any; the others have the channels and the type of the sample. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``Mosaic``; YOLOv4, https://arxiv.org/abs/2004.10934. Unlike there, an item without a mask is an error
    where the call has one.

    Raises:
        ValueError: a window larger than the grid; other samples of another type or channel count; sets of images.
        TypeError: a ``metadata_key=`` that is no list of dicts.

    Warns:
        UserWarning: no other sample at all.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.Mosaic(target_size=(64, 64), cell_shape=(48, 48), p=1)], seed=1)
        >>> aug(np.stack([np.full((32, 32, 3), i, np.uint8) for i in range(4)])).shape
        (4, 64, 64, 3)
    """

    def __init__(
        self,
        grid_yx: Size = (2, 2),
        target_size: Size = (512, 512),
        cell_shape: Size = (512, 512),
        center_range: Range = (0.3, 0.7),
        fit_mode: str = "cover",
        interpolation: int = 1,
        mask_interpolation: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        metadata_key: str = "mosaic_metadata",
        p: float = 0.5,
    ):
        super().__init__(interpolation, mask_interpolation, None, False, p)
        self.grid_yx, self.target_size, self.cell_shape = (
            _pair(name, value) for name, value in (("grid_yx", grid_yx), ("target_size", target_size), ("cell_shape", cell_shape))
        )
        self.center_range = increasing("center_range", center_range, 0, 1)
        self.fit_mode = one_of("fit_mode", fit_mode, ("cover", "contain"))
        self.fill, self.fill_mask = colour("fill", fill), colour("fill_mask", fill_mask)
        if not isinstance(metadata_key, str) or not metadata_key:
            raise TypeError(f"metadata_key must be a name, got {metadata_key!r}")
        self.metadata_key = metadata_key
        whole = tuple(cell * n for cell, n in zip(self.cell_shape, self.grid_yx))
        if any(want > there for want, there in zip(self.target_size, whole)):
            raise ValueError(f"target_size must be at most cell_shape times grid_yx, {whole}, got {target_size!r}")

    def joins(self, kind):
        return None

    def columns(self) -> int:
        return 1 + self.grid_yx[0] * self.grid_yx[1]  # the window's centre, and who lies in the other cells

    def draw(self, u, view):
        # lines of the grid in the kept window, by axis: x, y
        (target, cell, grid), lines = (np.array(pair[::-1]) for pair in (self.target_size, self.cell_shape, self.grid_yx)), []
        low, high = target // 2, grid * cell - (target + 1) // 2
        at = self.center_range[0] + (self.center_range[1] - self.center_range[0]) * u[:, :2]
        first = np.minimum(low + ((high - low + 1) * at).astype(int), high) - target // 2
        for axis in (0, 1):
            line = np.arange(grid[axis] + 1) * cell[axis] - first[:, axis, None]
            lines.append(np.clip(line, 0, target[axis]))
        (x, y), (down, across) = lines, self.grid_yx
        x0, y0 = np.tile(x[:, :-1], down), np.repeat(y[:, :-1], across, 1)
        x1, y1 = np.tile(x[:, 1:], down), np.repeat(y[:, 1:], across, 1)
        rect = np.stack([x0, y0, x1, y1], 2)
        shown = (x1 - x0) * (y1 - y0)
        order = np.argsort(np.arange(down * across) != np.argmax(shown, 1)[:, None], 1, kind="stable")  # its own first
        rect = np.take_along_axis(rect, order[..., None], 1)

        others = view.others.get(self.metadata_key) or view.others[WHOLE]
        rows = np.arange(len(u)) if view.rows is None else view.rows
        if down * across > 1 and len(rows) and not others.count[rows].any():
            alone(type(self).__name__, self.metadata_key)
        source = np.full((len(u), down * across), -1)
        source[:, 1:] = others.choose(u[:, 2:], rows)
        size = np.where(
            (source < 0)[..., None], view.size[:, None], others.size[np.maximum(source, 0)] if len(others.size) else 0
        )
        return self._placed(source, rect, size)

    def _placed(self, source, rect, size) -> dict:
        after = np.maximum(1, np.rint(size * self._scale(size)[..., None])).astype(int)
        kept = rect[..., 2:] - rect[..., :2]
        middle, over = rect[..., :2] + rect[..., 2:] - np.array(self.target_size[::-1]), np.array(self.cell_shape[::-1]) - kept
        # what is kept of the cell: a corner, or its middle where it lies on an axis of the result
        start = np.where((middle == 0).any(2)[..., None], over // 2, np.where(middle < 0, over, 0))
        start -= np.maximum(start + kept - after[..., ::-1], 0) // 2  # what is missing to fill it, half of it before
        start = rect[..., :2] - start
        rect = np.concatenate([np.maximum(rect[..., :2], start), np.minimum(rect[..., 2:], start + after[..., ::-1])], 2)
        return {"source": source, "rect": rect, "size": after, "start": start}

    def _scale(self, size: np.ndarray) -> np.ndarray:
        """By how much images of sizes ``[.., 2]`` are scaled."""
        scale = np.array(self.cell_shape) / size
        return scale.max(-1) if self.fit_mode == "cover" else scale.min(-1)

    def pieces(self, params: dict) -> Pieces:
        return Pieces(params["source"], params["rect"], params["size"], params["start"])

    def of_one(self, params: dict, cell: np.ndarray) -> tuple[Mosaic, dict]:
        """The transform and parameters that show of each sample one object's mask in one cell, int ``[n]``, and 0 elsewhere."""
        line = np.arange(len(cell))
        one = {key: value[line, cell][:, None] for key, value in params.items()}
        one["source"] = np.full((len(cell), 1), -1)
        alone = copy.copy(self)
        alone.fill_mask = 0
        return alone, one

    def size_after(self, params, size):
        return fixed_size(size, self.target_size)

    def lower(self, to, rows, params) -> None:
        fill = self.fill if to.kind == "image" else self.fill_mask
        assemble(to, rows, self.pieces(params), self.target_size, fill, self.metadata_key, self._resize)

    def boxes(self, params, which, boxes, size, limits):
        return self._window(params, which, size).boxes(np.arange(len(which)), boxes, size)

    def keypoints(self, params, which, points, size, limits):
        if limits.geometry != "albumentations":
            return self._window(params, which, size).points(np.arange(len(which)), points)
        scale, out = self._scale(size)[:, None], points.copy()
        out[:, :2] = points[:, :2] * scale + params["start"].reshape(-1, 2)[which]
        out[:, 3:] *= scale
        return out, None

    def _window(self, params, which, size):
        """Where points of the sources, whose sizes are ``[N, 2]``, come to lie; which: numbers of rectangles."""
        scale = (params["size"].reshape(-1, 2)[which] / size)[:, ::-1]
        return maps.Window(-params["start"].reshape(-1, 2)[which] / scale, scale)


def _pair(name: str, value) -> tuple[int, int]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be two whole numbers of at least 1, got {value!r}")
    return tuple(integer(name, v, 1) for v in value)

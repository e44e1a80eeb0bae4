"""What transforms that move pixels share."""

from __future__ import annotations

import numpy as np

from ..checks import INTERPOLATIONS, border, colour
from ..checks import interpolation as number_of
from ..hints import Colour, Fill
from ..maps import Map, stretched
from ..reflected import REFLECT, REFLECT_101
from ..transform import Params, Transform

_GATHERED = {number: number for number in INTERPOLATIONS}  # linear exact, of resizes alone, is linear elsewhere
_CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])


class Geometric(Transform, register=False):
    """A transform that says where output pixels are read (`map`), from which the rest follows: what is done to image and mask,
    boxes and keypoints.

    A subclass draws parameters and gives `map`; `size_after`, where the result has another size than the image.

    Args:
        interpolation, mask_interpolation: 0 or 6 nearest, 1 or 3 linear, 2 cubic, 4 Lanczos.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.
        p: probability, per sample.
    """

    targets = ("image", "mask")
    interpolations = INTERPOLATIONS  # that it takes
    repeats_labels = False  # boxes and keypoints, at reflecting borders, as albumentations' transform does; its map is affine

    def __init__(
        self,
        interpolation: int = 1,
        mask_interpolation: int = 0,
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.interpolation = number_of("interpolation", interpolation, self.interpolations)
        self.mask_interpolation = number_of("mask_interpolation", mask_interpolation, self.interpolations)
        self.border_mode = border("border_mode", border_mode)
        self.fill, self.fill_mask = colour("fill", fill), colour("fill_mask", fill_mask)

    def map(self, params: dict, size: np.ndarray) -> Map:
        """The map of ``n`` samples of sizes ``[n, 2]`` with these parameters."""
        raise NotImplementedError(f"{type(self).__name__} gives no map(params, size)")

    def lower(self, to, rows, params) -> None:
        size = to.sizes(rows)
        image = to.kind == "image"
        how = self.interpolation if image else self.mask_interpolation
        fill = self.fill if image else self.fill_mask
        known, of = getattr(params, "mapped", (None, None))  # an earlier target's: a table of places takes as long as its pixels
        if known is None or not np.array_equal(of, size):
            known = self.mapped(params, size)
            if isinstance(params, Params) and known.table is not None:
                params.mapped = known, size
        to.gather(rows, known, self.size_after(params, size), how, self.border_mode, fill)

    def lower_scaled(self, to, rows, params, size) -> None:
        if type(self).map is Geometric.map:  # it puts images together
            return super().lower_scaled(to, rows, params, size)
        own, after = to.sizes(rows).astype(np.int64), np.asarray(self.size_after(params, size))
        own_after = np.where(after == size, own, np.maximum(np.rint(own * after / size), 1)).astype(np.int64)
        known = stretched(self.mapped(params, size), size, after, own, own_after)
        to.gather(rows, known, own_after, _GATHERED.get(self.mask_interpolation, 1), self.border_mode, self.fill_mask)

    def boxes(self, params, which, boxes, size, limits):
        mapped, line, after = self._of(params, which, size)
        return mapped.boxes(line, boxes, after)

    def keypoints(self, params, which, points, size, limits):
        mapped, line, _ = self._of(params, which, size)
        return mapped.points(line, points)

    def joins(self, kind: str):
        """With which neighbours it may be lowered together (`gpuaug.lazily`): those with the same interpolation, border and fill.
        Of the three None is any: it moves whole pixels, it reads nothing outside. All None: whatever they are."""
        image = kind == "image"
        how = self.interpolation if image else self.mask_interpolation
        return how, self.border_mode, self.fill if image else self.fill_mask

    def repeats(self) -> bool:
        return self.repeats_labels and self.border_mode in (REFLECT, REFLECT_101)

    def shown(self, params, size) -> np.ndarray:
        """What of the plane that its image is repeated on the results read: (x0, y0, x1, y1) ``[n, 4]``, edges of pixels."""
        after = self.size_after(params, size).astype(np.float64)
        at = _CORNERS * after[:, None, ::-1] - 0.5
        source = self.mapped(params, size).source(np.repeat(np.arange(len(size)), 4), at.reshape(-1, 2)).reshape(-1, 4, 2) + 0.5
        return np.concatenate([source.min(1), source.max(1)], 1)

    def mapped(self, params, size) -> Map:
        """What `map` gives, checked."""
        who = type(self).__name__
        try:
            made = self.map(params, size)
        except ValueError as error:
            raise ValueError(f"{who}: map: {error}") from None
        if not isinstance(made, Map):
            raise TypeError(f"{who}: map(params, size) must return a gpuaug.maps.Map, got {type(made).__name__}")
        return made

    def _of(self, params, which, size):
        """The map of those samples that have marks, its line for each mark, and the sizes of their results; ``which`` and
        ``size`` are of marks."""
        rows, first, line = np.unique(which, return_index=True, return_inverse=True)
        mine, size = {name: value[rows] for name, value in params.items()}, size[first]
        return self.mapped(mine, size), line, self.size_after(mine, size)

"""Dropout of objects: those of a mask, and rectangles inside objects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import inpainting
from ..checks import colour, increasing, integer, is_number, whole
from ..geometry import boxes_beside_map, outside_map
from ..hints import Colour, Fill, IntRange, Range
from ..ops import Stream
from ..ragged import Ragged
from ..regions import chosen_by, components, object_map
from ..transform import Transform
from ..uniforms import between, integers, key, philox
from .dropout import Dropout, filling


class MaskDropout(Transform):
    """Remove objects of the mask: connected regions of equal value above 0, from image and mask.

    Args:
        max_objects: how many, (low, high) inclusive; an int n means (1, n).
        fill: what they become in the image: a number, one for each channel, or "inpaint_telea", "inpaint_ns" (from what surrounds
            them: uint8, a host stage that needs OpenCV).
        fill_mask: what they become in the mask; None leaves the mask.
        p: probability, per sample.

    The mask is read on the host: on a GPU this waits for what is queued and copies it. Shapes and dtypes: any; needs ``mask=``
    of one channel. Targets: image, mask, boxes, keypoints. Source: albumentations ``MaskDropout``.

    Raises:
        ValueError: no mask among the targets.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> mask = np.array([[1, 1, 0, 2]], np.uint8)
        >>> out = G.Compose([G.MaskDropout((2, 2), p=1)])(image=np.full((1, 4), 9, np.uint8), mask=mask)
        >>> out["image"], out["mask"]
        (array([[0, 0, 9, 0]], dtype=uint8), array([[0, 0, 0, 0]], dtype=uint8))
    """

    asks = True
    ops = ("bitmap",)
    targets = ("image", "mask")
    moves_pixels = False

    def __init__(self, max_objects: IntRange = (1, 1), fill: Fill = 0, fill_mask: Colour | None = 0, p: float = 0.5):
        super().__init__(p)
        self.max_objects = whole("max_objects", (1, max_objects) if is_number(max_objects) else max_objects, 1)
        self.fill = colour("fill", fill, inpainting.WORDS)
        self.fill_mask = None if fill_mask is None else colour("fill_mask", fill_mask)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        if view.now is None:
            raise ValueError("MaskDropout needs mask=: its objects are what is removed")
        seed, words, size = key(u[:, 1:3]), [], np.empty((len(u), 2), np.int64)
        for i, mask in enumerate(view.now.masks("MaskDropout")):
            labels, count = components(mask)
            number = min(count, int(integers(u[i, 0], *self.max_objects)))
            order = np.argsort(philox(np.arange(max(count, 1)), 0, Stream.OBJECTS, 0, *seed[i])[:count, 0], kind="stable")
            words.append(object_map(np.isin(labels, order[:number] + 1)).ravel())
            size[i] = labels.shape
        return {"dropped": Ragged.of_list(words, np.zeros(0, np.uint32)), "map_size": size}

    def lower(self, to, rows, params) -> None:
        fill = self.fill if to.kind == "image" else self.fill_mask
        if fill is None:
            return
        if isinstance(fill, str):
            inpainting.inpaint_holes(to, rows, lambda k, shape: chosen_by(params["dropped"][k], *shape), fill)
            return
        how, size = filling(to, rows, None, to.colour(fill)), params["map_size"]
        to.op(rows, "bitmap", table=params["dropped"], words=-(-size[:, 1] // 32), columns=size[:, 1], lines=size[:, 0], **how)

    def boxes(self, params, which, boxes, size, limits):
        left = np.ones(len(boxes))
        for mine, one in self._maps(params, which):
            left[mine] = boxes_beside_map(boxes[mine], one, limits.min_area)
        return boxes, left

    def keypoints(self, params, which, points, size, limits):
        if not limits.remove_invisible:
            return points, None
        keep, pixels = np.ones(len(points), bool), limits.pixel(points)
        for mine, one in self._maps(params, which):
            keep[mine] = outside_map(pixels[mine], one)
        return points, keep

    @staticmethod
    def _maps(params, which):
        """For each sample that lost something: which entries are its own, and the bool map of what it lost."""
        for i in np.unique(which).tolist():
            one = chosen_by(params["dropped"][i], *params["map_size"][i].tolist())
            if one.any():
                yield which == i, one


class ConstrainedCoarseDropout(Dropout):
    """Rectangles on objects only: regions of the mask, or boxes.

    Args:
        num_holes_range: how many for each object, (low, high) inclusive; drawn once for a sample.
        hole_height_range, hole_width_range: sides as fractions of the box's, or of the square root of the region's area.
        fill, fill_mask: see `XYMasking`.
        p: probability, per sample.
        mask_indices: values of the mask whose connected regions are objects; comes before bbox_labels.
        bbox_labels: labels (the first label field, or the box's fifth number) whose boxes are objects.

    Reading the mask waits for a GPU, as in `MaskDropout`. Nothing happens to samples without such objects. Shapes and dtypes:
    any. Targets: image, mask, boxes, keypoints. Source: albumentations ``ConstrainedCoarseDropout``.

    Raises:
        ValueError: neither mask_indices nor bbox_labels; the target that they speak of is not among the targets.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> mask = np.zeros((8, 8), np.uint8); mask[2:6, 2:6] = 1
        >>> aug = G.ConstrainedCoarseDropout((1, 1), (0.5, 0.5), (0.5, 0.5), fill=9, mask_indices=[1], p=1)
        >>> int((G.Compose([aug], seed=1)(image=mask, mask=mask)["image"] == 9).sum())
        4
    """

    asks = True

    def __init__(
        self,
        num_holes_range: IntRange = (1, 1),
        hole_height_range: Range = (0.1, 0.1),
        hole_width_range: Range = (0.1, 0.1),
        fill: Fill = 0,
        fill_mask: Colour | None = None,
        p: float = 0.5,
        mask_indices: Sequence[int] | None = None,
        bbox_labels: Sequence[Any] | None = None,
    ):
        super().__init__(fill, fill_mask, p)
        self.num_holes_range = whole("num_holes_range", num_holes_range, 1, 1000)
        self.hole_height_range = increasing("hole_height_range", hole_height_range, 0, 1)
        self.hole_width_range = increasing("hole_width_range", hole_width_range, 0, 1)
        self.mask_indices = None if mask_indices is None else [integer("mask_indices", v, 1) for v in mask_indices]
        self.bbox_labels = None if bbox_labels is None else list(bbox_labels)
        if self.mask_indices is None and self.bbox_labels is None:
            raise ValueError("ConstrainedCoarseDropout needs mask_indices or bbox_labels: they say what its objects are")

    def columns(self) -> int:
        return 3 + 2 * isinstance(self.fill, str)

    def draw(self, u, view):
        source = "mask" if self.mask_indices is not None else "bboxes"
        if view.now is None:
            raise ValueError(f"ConstrainedCoarseDropout needs {source}= among the targets")
        seed, number = key(u[:, 1:3]), integers(u[:, 0], *self.num_holes_range)
        if source == "mask":
            objects = view.now.masks("ConstrainedCoarseDropout")
        else:
            objects = view.now.boxes("ConstrainedCoarseDropout", self.bbox_labels)
        found = []
        for i, one in enumerate(objects):
            place = self._on_regions if source == "mask" else self._on_boxes
            found.append(place(one, int(number[i]), seed[i], view.size[i]))
        holes = np.zeros((len(u), max((len(f) for f in found), default=0), 4), np.int64)
        for i, f in enumerate(found):
            holes[i, : len(f)] = f
        params = {"holes": holes}
        if isinstance(self.fill, str):
            params["key"] = key(u[:, 3:])
        return params

    def _uniforms(self, objects, number, seed):
        words = philox(np.arange(objects)[:, None], np.arange(number), Stream.PLACES, 0, *seed) * 2.0**-32
        return np.moveaxis(words, 2, 0)  # [4, objects, number]

    def _on_boxes(self, boxes, number, seed, size):
        x, y, w, h = boxes[:, :1], boxes[:, 1:2], boxes[:, 2:3] - boxes[:, :1], boxes[:, 3:4] - boxes[:, 1:2]
        u = self._uniforms(len(boxes), number, seed)
        hh = np.trunc(between(u[0], *self.hole_height_range) * h)
        hw = np.trunc(between(u[1], *self.hole_width_range) * w)
        x, y = x + u[2] * (w - hw), y + u[3] * (h - hh)
        return self._clipped(np.trunc(np.stack([x, y, x + hw, y + hh], 2).reshape(-1, 4)), size)

    def _on_regions(self, mask, number, seed, size):
        labels, count = components(mask, self.mask_indices)
        u = self._uniforms(count, number, seed)
        holes = []
        for k in range(count):
            ys, xs = np.nonzero(labels == k + 1)
            pick = np.floor(u[2, k] * len(ys)).astype(int)
            half_h = between(u[0, k], *self.hole_height_range) * math.sqrt(len(ys)) // 2
            half_w = between(u[1, k], *self.hole_width_range) * math.sqrt(len(ys)) // 2
            holes.append(np.stack([xs[pick] - half_w, ys[pick] - half_h, xs[pick] + half_w, ys[pick] + half_h], 1))
        return self._clipped(np.concatenate(holes) if holes else np.zeros((0, 4)), size)

    @staticmethod
    def _clipped(holes, size):
        h, w = size
        holes = holes.astype(np.int64)
        holes[:, [0, 2]], holes[:, [1, 3]] = np.clip(holes[:, [0, 2]], 0, w), np.clip(holes[:, [1, 3]], 0, h)
        return holes[(holes[:, 2] > holes[:, 0]) & (holes[:, 3] > holes[:, 1])]

"""Boxes and keypoints: formats, filtering, and their way through what was drawn.

Boxes and points of a whole batch travel as one float64 table beside a column that says whose they are, so that a transform
moves all of them with array expressions. Boxes are (x0, y0, x1, y1) in pixels, edges of pixels being whole numbers; points are
(x, y, angle in radians, scale), centres of pixels being whole numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from .rows import at, cells, in_order, like, of_samples, pick, table
from .transform import boolean, one_of, real

BOX_FORMATS = ("coco", "pascal_voc", "albumentations", "yolo")
POINT_FORMATS = {
    "xy": (0, 1),
    "yx": (1, 0),
    "xya": (0, 1, 2),
    "xys": (0, 1, 3),
    "xyas": (0, 1, 2, 3),
    "xysa": (0, 1, 3, 2),
    "xyz": (0, 1),
}


def _fields(label_fields) -> tuple[str, ...]:
    if isinstance(label_fields, str):
        raise TypeError(f"label_fields must be a list of names, got {label_fields!r}")
    return tuple(label_fields or ())


class BboxParams:
    """How boxes are written, and which of them are dropped.

    Args:
        format: "coco" (x, y, width, height), "pascal_voc" (x0, y0, x1, y1), both in pixels; "albumentations" (x0, y0, x1, y1),
            "yolo" (centre x, centre y, width, height), both as fractions of the image.
        label_fields: names of further targets with one entry for each box; they are filtered with the boxes.
        min_area: drop boxes with a smaller visible area, pixels.
        min_visibility: drop boxes of which a smaller fraction is visible.
        min_width, min_height: drop boxes that are narrower, flatter; pixels.
        check_each_transform: apply these rules after every transform, else at the end only.
        clip: clip boxes that reach out of the image before anything is done; else they are an error.
        filter_invalid_bboxes: drop boxes without area at first; else they are an error.
        max_accept_ratio: drop boxes whose longer side is more than so many times the shorter one.

    Source: albumentations ``BboxParams``.

    Raises:
        ValueError: another format, a limit outside its range.

    Example:
        >>> BboxParams("coco", label_fields=["labels"]).format
        'coco'
    """

    def __init__(
        self,
        format: str,
        label_fields: Sequence[str] | None = None,
        min_area: float = 0.0,
        min_visibility: float = 0.0,
        min_width: float = 0.0,
        min_height: float = 0.0,
        check_each_transform: bool = True,
        clip: bool = False,
        filter_invalid_bboxes: bool = False,
        max_accept_ratio: float | None = None,
    ):
        self.format = one_of("format", format, BOX_FORMATS)
        self.label_fields = _fields(label_fields)
        self.min_area, self.min_visibility = real("min_area", min_area, 0), real("min_visibility", min_visibility, 0, 1)
        self.min_width, self.min_height = real("min_width", min_width, 0), real("min_height", min_height, 0)
        self.check_each_transform, self.clip = boolean("check_each_transform", check_each_transform), boolean("clip", clip)
        self.filter_invalid_bboxes = boolean("filter_invalid_bboxes", filter_invalid_bboxes)
        self.max_accept_ratio = None if max_accept_ratio is None else real("max_accept_ratio", max_accept_ratio, 1)

    def keep(self, boxes: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes clipped to their images, and which of them the limits let through."""
        tiny = 1e-7
        clipped = clip_boxes(boxes, size)
        area, seen = _area(boxes), _area(clipped)
        w, h = clipped[:, 2] - clipped[:, 0], clipped[:, 3] - clipped[:, 1]
        keep = (
            (area > tiny) & (seen > tiny) & (seen >= self.min_area - tiny) & (seen / (area + tiny) >= self.min_visibility - tiny)
        )
        keep &= (w >= self.min_width - tiny) & (h >= self.min_height - tiny)
        if self.max_accept_ratio is not None:
            keep &= np.maximum(w / (h + tiny), h / (w + tiny)) <= self.max_accept_ratio
        return clipped, keep


class KeypointParams:
    """How keypoints are written, and whether those that cannot be seen are dropped.

    Args:
        format: letters: x, y in pixels, "a" angle, "s" scale, "z" (which nothing changes); one of "xy", "yx", "xya", "xys",
            "xyas", "xysa", "xyz".
        label_fields: names of further targets with one entry for each point; they are filtered with the points.
        remove_invisible: drop points outside of the image or under a dropout.
        angle_in_degrees: else radians.
        check_each_transform: drop after every transform, else at the end only.

    Source: albumentations ``KeypointParams``.

    Raises:
        ValueError: another format.

    Example:
        >>> KeypointParams("xy").remove_invisible
        True
    """

    def __init__(
        self,
        format: str,
        label_fields: Sequence[str] | None = None,
        remove_invisible: bool = True,
        angle_in_degrees: bool = True,
        check_each_transform: bool = True,
    ):
        self.format = one_of("format", format, tuple(POINT_FORMATS))
        self.label_fields = _fields(label_fields)
        self.remove_invisible = boolean("remove_invisible", remove_invisible)
        self.angle_in_degrees = boolean("angle_in_degrees", angle_in_degrees)
        self.check_each_transform = boolean("check_each_transform", check_each_transform)

    def keep(self, points: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.remove_invisible:
            return points, np.ones(len(points), bool)
        x, y = points[:, 0], points[:, 1]
        return points, (x >= 0) & (x < size[:, 1]) & (y >= 0) & (y < size[:, 0])


def clip_boxes(boxes: np.ndarray, size: np.ndarray) -> np.ndarray:
    top = np.stack([size[:, 1], size[:, 0], size[:, 1], size[:, 0]], 1)
    return np.clip(boxes, 0, top)


def _area(boxes):
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


# ---- dropout ------------------------------------------------------------------------------


def boxes_beside_holes(boxes: np.ndarray, holes: np.ndarray, limits: BboxParams) -> tuple[np.ndarray, np.ndarray]:
    """Boxes after rectangles were cut out: those with too little left are dropped, the others shrink to what is left.

    Visible is counted in pixels, as albumentations does. Sides that no hole moved keep their place between pixels.

    Args:
        boxes: ``[N, 4]``. holes: int ``[N, K, 4]``, those of each box's sample.

    Example:
        >>> boxes_beside_holes(np.array([[0.5, 0, 10, 10]]), np.array([[[6, 0, 20, 20]]]), BboxParams("coco"))[0]
        array([[ 0.5,  0. ,  6. , 10. ]])
    """
    # 5 / 77 * 77 is 4.999999999999999; a side of 2^24 pixels is off by 4e-9 at most
    whole = np.trunc(boxes + 1e-6).astype(np.int64)
    boxes, keep = boxes.copy(), np.ones(len(boxes), bool)
    x0, y0 = np.maximum(holes[..., 0], whole[:, None, 0]), np.maximum(holes[..., 1], whole[:, None, 1])
    x1, y1 = np.minimum(holes[..., 2], whole[:, None, 2]), np.minimum(holes[..., 3], whole[:, None, 3])
    touched = (x0 < x1) & (y0 < y1)
    for i in np.flatnonzero(touched.any(1)):
        left, top, right, bottom = whole[i]
        seen = np.ones((bottom - top, right - left), bool)
        for k in np.flatnonzero(touched[i]):
            seen[y0[i, k] - top : y1[i, k] - top, x0[i, k] - left : x1[i, k] - left] = False
        count = int(seen.sum())
        keep[i] = count > 0 and count >= limits.min_area and count / seen.size >= limits.min_visibility
        if keep[i]:
            rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
            ends = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
            moved = ends != np.array([0, 0, right - left, bottom - top])
            boxes[i] = np.where(moved, ends + np.array([left, top, left, top]), boxes[i])
    return boxes, keep


def outside_holes(points: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """Which points ``[N, ..]`` lie in none of the rectangles ``[N, K, 4]`` of their samples."""
    x, y = points[:, None, 0], points[:, None, 1]
    return ~((x >= holes[..., 0]) & (x < holes[..., 2]) & (y >= holes[..., 1]) & (y < holes[..., 3])).any(1)


def boxes_beside_map(boxes: np.ndarray, dropped: np.ndarray, limits: BboxParams) -> np.ndarray:
    """Which boxes of one sample keep enough pixels when a map ``[H, W]`` of them is dropped."""
    h, w = dropped.shape
    total = np.zeros((h + 1, w + 1), np.int64)
    total[1:, 1:] = (~dropped).cumsum(0).cumsum(1)
    x0, y0, x1, y1 = np.clip(np.ceil(boxes - 0.5), 0, [w, h, w, h]).astype(int).T  # pixels whose centre lies in the box
    seen = total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]
    area = np.maximum((x1 - x0) * (y1 - y0), 1)
    return (seen >= limits.min_area) & (seen / area >= limits.min_visibility) & (seen > 0)


def outside_map(points: np.ndarray, dropped: np.ndarray) -> np.ndarray:
    """Which points of one sample lie in the image and not on a dropped pixel."""
    h, w = dropped.shape
    x, y = np.trunc(points[:, 0]).astype(int), np.trunc(points[:, 1]).astype(int)
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    return inside & ~dropped[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)]


# ---- geometry -----------------------------------------------------------------------------


def affine_boxes(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The boxes around the moved corners. matrix ``[N, 2.., 3]`` maps centres of pixels; edges lie half a pixel beside them."""
    x, y = boxes[:, [0, 2, 2, 0]] - 0.5, boxes[:, [1, 1, 3, 3]] - 0.5
    moved = [matrix[:, i, 0:1] * x + matrix[:, i, 1:2] * y + matrix[:, i, 2:3] + 0.5 for i in (0, 1)]
    return np.stack([moved[0].min(1), moved[1].min(1), moved[0].max(1), moved[1].max(1)], 1)


def affine_points(points: np.ndarray, matrix: np.ndarray, scale=1.0) -> np.ndarray:
    """Points under a matrix ``[N, 2.., 3]``; an angle turns as the direction it stands for."""
    out = points.copy()
    for i in (0, 1):
        out[:, i] = matrix[:, i, 0] * points[:, 0] + matrix[:, i, 1] * points[:, 1] + matrix[:, i, 2]
    cos, sin = np.cos(points[:, 2]), np.sin(points[:, 2])
    out[:, 2] = np.arctan2(matrix[:, 1, 0] * cos + matrix[:, 1, 1] * sin, matrix[:, 0, 0] * cos + matrix[:, 0, 1] * sin)
    out[:, 3] = points[:, 3] * scale
    return out


def orientation_matrix(orientation, size: np.ndarray) -> np.ndarray:
    """Matrices ``[N, 2, 3]`` of flips and turns: old centre of a pixel to new.

    Args:
        orientation: int ``[N, 4]``, the linear part of new pixel -> old pixel, a signed permutation (`plan.ORIENTATIONS`).
        size: ``[N, 2]``, heights and widths before.
    """
    a = np.asarray(orientation, np.float64).reshape(-1, 2, 2)
    # old = a new + b, b being the far end where an axis is mirrored; new = a^T (old - b)
    b = np.where(a.sum(2) < 0, size[:, ::-1] - 1, 0)
    back = a.transpose(0, 2, 1)
    return np.concatenate([back, -(back @ b[:, :, None])], 2)


# ---- from the caller and back ---------------------------------------------------------------


class Marks:
    """Boxes or keypoints of a batch, on their way.

    Attributes:
        values: float64 ``[N, 4]``. sample: int ``[N]``, whose. origin: int ``[N]``, which entry of the caller's list.
    """

    name = ""

    def __init__(self, data, fields: dict[str, Any], params, size: np.ndarray, one: bool):
        self.params, self.one, self.size = params, one, np.array(size, np.int64)  # sizes of the images before anything is done
        self.data = [data] if one else of_samples(data, self.name)
        self.fields = {name: [value] if one else of_samples(value, name) for name, value in fields.items()}
        if len(self.data) != len(size):
            raise ValueError(f"{self.name} has entries for {len(self.data)} samples, the batch has {len(size)}")
        tables, self._columns = [], len(params.format) if self.name == "keypoints" else 4
        for i, mine in enumerate(self.data):
            self.data[i] = in_order(mine, self.name, f"sample {i}")
            tables.append(table(self.data[i], self.name, i, self._columns))
            for field, values in self.fields.items():
                if i < len(values):
                    values[i] = in_order(values[i], field, f"sample {i}")
                if len(values) != len(self.data) or len(values[i]) != len(tables[i]):
                    raise ValueError(
                        f"{field} has {len(values[i]) if i < len(values) else 'no'} entries for sample {i}, which has "
                        f"{len(tables[i])} {self.name}"
                    )
        counts = [len(t) for t in tables]
        self.sample = np.repeat(np.arange(len(tables)), counts)
        self.origin = np.concatenate([np.arange(n) for n in counts]) if counts else np.zeros(0, int)
        raw = np.concatenate(tables) if counts else np.zeros((0, 4))
        self.values = self.read(raw, size[self.sample].astype(np.float64))
        self.check(size[self.sample])

    def copy(self) -> Marks:
        other = copy.copy(self)
        other.values = self.values.copy()
        return other

    def label(self, i: int, k: int):
        """The label of sample i's k-th entry: from the first label field, else what follows the coordinates."""
        if self.params.label_fields:
            return at(self.fields[self.params.label_fields[0]][i], k)
        row = cells(at(self.data[i], k))
        return row[4] if len(row) > 4 else None

    def select(self, keep) -> None:
        if keep is not None and not keep.all():
            self.values, self.sample, self.origin = self.values[keep], self.sample[keep], self.origin[keep]

    def limit(self, size: np.ndarray) -> None:
        """Apply the limits; size ``[B, 2]``."""
        self.values, keep = self.params.keep(self.values, size[self.sample])
        self.select(keep)

    def step(self, transform, pos: np.ndarray, params: dict, size: np.ndarray) -> None:
        """Let one transform move what belongs to its samples: pos ``[B]`` is a sample's row of the parameters, or -1."""
        which = pos[self.sample]
        mine = np.flatnonzero(which >= 0)
        if not len(mine):
            return
        values, keep = getattr(transform, self.hook)(params, which[mine], self.values[mine], size[self.sample[mine]], self.params)
        self.values[mine] = values
        if keep is not None:
            whole = np.ones(len(self.values), bool)
            whole[mine] = keep
            self.select(whole)

    def results(self, size: np.ndarray, applied: np.ndarray | None = None) -> dict[str, Any]:
        """What the caller gets: containers as they came.

        Args:
            applied: bool ``[B]``, which samples the pipeline was applied to; the others get what they brought. None: all.
        """
        written = self.write(self.values, size[self.sample].astype(np.float64))[:, : len(self.places())]
        out = {self.name: []}
        out.update({field: [] for field in self.fields})
        order = np.searchsorted(self.sample, np.arange(len(self.data) + 1))
        for i, data in enumerate(self.data):
            mine = {self.name: data, **{field: values[i] for field, values in self.fields.items()}}
            if applied is None or applied[i]:
                rows = slice(order[i], order[i + 1])
                origin = self.origin[rows]
                mine = {field: pick(values, origin) for field, values in mine.items() if field != self.name}
                mine[self.name] = like(data, origin, written[rows], self.name, self._columns)
            for field, values in mine.items():
                out[field].append(values)
        return {name: value[0] for name, value in out.items()} if self.one else out

    def places(self) -> Sequence[int]:
        """Columns of the caller's rows that change."""
        return range(4)


class Boxes(Marks):
    name, hook = "bboxes", "boxes"

    def read(self, raw, size):
        h, w = size[:, :1], size[:, 1:]
        a, b = raw[:, :2], raw[:, 2:4]
        kind = self.params.format
        if kind == "coco":
            b = a + b
        elif kind == "yolo":
            a, b = a - b / 2, a + b / 2
        boxes = np.concatenate([a, b], 1)
        return boxes * np.concatenate([w, h, w, h], 1) if kind in ("albumentations", "yolo") else boxes

    def write(self, boxes, size):
        if self.params.format in ("albumentations", "yolo"):
            boxes = boxes / size[:, [1, 0, 1, 0]]
        a, b = boxes[:, :2], boxes[:, 2:]
        if self.params.format == "coco":
            b = b - a
        elif self.params.format == "yolo":
            a, b = (a + b) / 2, b - a
        return np.concatenate([a, b], 1)

    def check(self, size):
        if self.params.clip:
            self.values = clip_boxes(self.values, size)
        bad = ~((self.values[:, 2] > self.values[:, 0]) & (self.values[:, 3] > self.values[:, 1]))
        if self.params.filter_invalid_bboxes:
            self.select(~bad)
            return
        # 1e-4 of a side: yolo's centre and width in float32 may end so far outside
        outside = (np.abs(clip_boxes(self.values, size) - self.values) > 1e-4 * size[:, [1, 0, 1, 0]]).any(1)
        for rule, found in (
            ("must have x0 < x1 and y0 < y1 (filter_invalid_bboxes=True drops such boxes)", bad),
            ("reaches out of its image (clip=True clips such boxes)", outside),
        ):
            if found.any():
                i = int(np.flatnonzero(found)[0])
                raise ValueError(
                    f"box {self.origin[i]} of sample {self.sample[i]}, in pixels {self.values[i].round(3).tolist()} of an image "
                    f"of height {size[i, 0]}, width {size[i, 1]}, {rule}"
                )


class Points(Marks):
    name, hook = "keypoints", "points"

    def places(self):
        return range(len(self.params.format)) if self.params.format != "xyz" else range(2)

    def read(self, raw, size):
        points = np.zeros((len(raw), 4))
        points[:, 3] = 0
        for column, meaning in enumerate(POINT_FORMATS[self.params.format]):
            points[:, meaning] = raw[:, column]
        if self.params.angle_in_degrees:
            points[:, 2] = np.deg2rad(points[:, 2])
        return points

    def write(self, points, size):
        points = points.copy()
        points[:, 2] = np.mod(points[:, 2], 2 * np.pi)
        if self.params.angle_in_degrees:
            points[:, 2] = np.rad2deg(points[:, 2])
        return points[:, list(POINT_FORMATS[self.params.format])]

    def check(self, size):
        x, y = self.values[:, 0], self.values[:, 1]
        bad = ~((x >= 0) & (x < size[:, 1]) & (y >= 0) & (y < size[:, 0]))
        if bad.any() and self.params.remove_invisible:
            i = int(np.flatnonzero(bad)[0])
            raise ValueError(
                f"keypoint {self.origin[i]} of sample {self.sample[i]} at x {x[i]:g}, y {y[i]:g} lies outside of its image of "
                f"height {size[i, 0]}, width {size[i, 1]} (remove_invisible=False lets such points pass)"
            )

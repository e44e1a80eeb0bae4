"""Boxes, keypoints and sets of images: formats, filtering, and their way through what was drawn.

Boxes and points of a whole batch travel as one float64 table beside a column that says whose they are, so that a transform
moves all of them with array expressions (`gpuaug.geometry`). Boxes are (x0, y0, x1, y1) in pixels, edges of pixels being whole
numbers; points are (x, y, angle in radians, scale), centres of pixels being whole numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from .geometry import area, clip_boxes
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
# how labels are reckoned: as the pixels move, or with albumentations' numbers; see docs/targets.md
GEOMETRIES = ("pixels", "albumentations")
TINY = 1e-7  # pixels, and shares: what limits forgive


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
        min_visibility: drop boxes of which a smaller fraction is visible, of the box as it came in: two crops that leave 0.6
            each leave 0.36. With ``Compose(label_geometry="albumentations")`` every transform starts again at 1.
        min_width, min_height: drop boxes that are narrower, flatter; pixels.
        check_each_transform: apply these rules after every transform, else at the end only. What has left the image is gone
            either way.
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

    geometry = "pixels"  # or "albumentations": `Compose` sets it on a copy of its own

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

    def keep(self, boxes: np.ndarray, size: np.ndarray, seen=1.0) -> tuple[np.ndarray, np.ndarray]:
        """Boxes clipped to their images, and which of them the limits let through; ``seen``: what was visible of them so far."""
        clipped = clip_boxes(boxes, size)
        whole, now = area(boxes), area(clipped)
        w, h = clipped[:, 2] - clipped[:, 0], clipped[:, 3] - clipped[:, 1]
        keep = (whole > TINY) & (now > TINY) & (now >= self.min_area - TINY)
        keep &= (seen > 0) & (seen * now / (whole + TINY) >= self.min_visibility - TINY)
        keep &= (w >= self.min_width - TINY) & (h >= self.min_height - TINY)
        if self.max_accept_ratio is not None:
            keep &= np.maximum(w / (h + TINY), h / (w + TINY)) <= self.max_accept_ratio
        return clipped, keep


class KeypointParams:
    """How keypoints are written, and whether those that cannot be seen are dropped.

    Args:
        format: letters: x, y in pixels, the centre of the first being (0, 0); "a" angle, from the x axis to the y axis (down);
            "s" scale; "z" (which nothing changes); one of "xy", "yx", "xya", "xys", "xyas", "xysa", "xyz".
        label_fields: names of further targets with one entry for each point; they are filtered with the points.
        remove_invisible: drop points outside of the image (-0.5 <= x < width - 0.5, y alike) or under a dropout.
        angle_in_degrees: else radians.
        check_each_transform: drop after every transform, else at the end only.

    Source: albumentations ``KeypointParams``.

    Raises:
        ValueError: another format.

    Example:
        >>> KeypointParams("xy").remove_invisible
        True
    """

    geometry = "pixels"  # or "albumentations": `Compose` sets it on a copy of its own

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

    def pixel(self, points: np.ndarray) -> np.ndarray:
        """x and y of the pixel in which each point lies, whole numbers as float64 ``[N, 2]``; albumentations' are cut off."""
        return np.floor(points[:, :2] + 0.5 * (self.geometry == "pixels"))

    def visible(self, points: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Which points lie in their images."""
        pixel = self.pixel(points)
        return ((pixel >= 0) & (pixel < size[:, ::-1])).all(1)


def reckoned(params, geometry: str):
    """`BboxParams` or `KeypointParams` for one of `GEOMETRIES`."""
    if params is None or params.geometry == geometry:
        return params
    params = copy.copy(params)
    params.geometry = geometry
    return params


# ---- from the caller and back ---------------------------------------------------------------


class Marks:
    """Boxes or keypoints of a batch, on their way.

    Attributes:
        values: float64 ``[N, 4]``. sample: int ``[N]``, whose. origin: int ``[N]``, which entry of the caller's list.
    """

    name = ""

    def __init__(self, data, fields: dict[str, Any], params, size: np.ndarray, one: bool):
        self.params, self.one, self.size = params, one, np.array(size, np.int64)  # sizes of the images before anything is done
        self.data = [data] if one else list(data)
        self.fields = {name: [value] if one else list(value) for name, value in fields.items()}
        if len(self.data) != len(size):
            raise ValueError(f"{self.name} has entries for {len(self.data)} samples, the batch has {len(size)}")
        tables = []
        for i, mine in enumerate(self.data):
            table = _table(mine, self.name, i, len(params.format) if self.name == "keypoints" else 4)
            for field, values in self.fields.items():
                if len(values) != len(self.data) or len(values[i]) != len(table):
                    raise ValueError(
                        f"{field} has {len(values[i]) if i < len(values) else 'no'} entries for sample {i}, which has "
                        f"{len(table)} {self.name}"
                    )
            tables.append(table)
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
            return self.fields[self.params.label_fields[0]][i][k]
        row = self.data[i][k]
        return row[4] if len(row) > 4 else None

    def select(self, keep) -> None:
        if keep is not None and not keep.all():
            self.values, self.sample, self.origin = self.values[keep], self.sample[keep], self.origin[keep]

    def limit(self, size: np.ndarray, drop: bool = True) -> None:
        """See what is left in images of size ``[B, 2]``; drop: what the limits do not let through."""
        raise NotImplementedError

    def lose(self, left: np.ndarray) -> None:
        """Something was cut out: of each, so much is left."""
        self.select(left > 0)

    def step(self, transform, pos: np.ndarray, params: dict, size: np.ndarray) -> None:
        """Let one transform move what belongs to its samples: pos ``[B]`` is a sample's row of the parameters, or -1."""
        which = pos[self.sample]
        mine = np.flatnonzero(which >= 0)
        if not len(mine):
            return
        values, left = getattr(transform, self.hook)(params, which[mine], self.values[mine], size[self.sample[mine]], self.params)
        self.values[mine] = values
        if left is not None:
            share = np.ones(len(self.values))
            share[mine] = left
            self.lose(share)

    def results(self, size: np.ndarray) -> dict[str, Any]:
        """What the caller gets: containers as they came."""
        written = self.write(self.values, size[self.sample].astype(np.float64))
        out = {self.name: []}
        out.update({field: [] for field in self.fields})
        order = np.searchsorted(self.sample, np.arange(len(self.data) + 1))
        for i, data in enumerate(self.data):
            rows = slice(order[i], order[i + 1])
            origin = self.origin[rows]
            out[self.name].append(_like(data, origin, written[rows], self.places()))
            for field, values in self.fields.items():
                out[field].append(_pick(values[i], origin))
        return {name: value[0] for name, value in out.items()} if self.one else out

    def places(self) -> Sequence[int]:
        """Columns of the caller's rows that change."""
        return range(4)


class Boxes(Marks):
    """Boxes on their way.

    Attributes:
        seen: float64 ``[N]``: what is visible of each, as a fraction of what came in. Steps multiply it.
    """

    name, hook = "bboxes", "boxes"

    def read(self, raw, size):
        self.seen = np.ones(len(raw))
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

    def select(self, keep):
        if keep is not None and not keep.all():
            self.seen = self.seen[keep]
            super().select(keep)

    def lose(self, left):
        if self.params.geometry == "albumentations":
            self.select((left > 0) & (left >= self.params.min_visibility))
        else:
            self.seen = self.seen * left
            super().lose(left)

    def limit(self, size, drop=True):
        pixels = self.params.geometry == "pixels"
        if not (drop or pixels):
            return
        clipped, keep = self.params.keep(self.values, size[self.sample], self.seen)
        if pixels:  # what left the image does not come back
            whole = area(self.values)
            self.seen = self.seen * np.divide(area(clipped), whole, out=np.zeros(len(whole)), where=whole > 0)
        self.values = clipped
        if drop:
            self.select(keep)

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

    def limit(self, size, drop=True):
        if drop and self.params.remove_invisible:
            self.select(self.params.visible(self.values, size[self.sample]))

    def check(self, size):
        bad = ~self.params.visible(self.values, size)
        if bad.any() and self.params.remove_invisible:
            i = int(np.flatnonzero(bad)[0])
            (x, y), low = self.values[i, :2], -0.5 * (self.params.geometry == "pixels")
            raise ValueError(
                f"keypoint {self.origin[i]} of sample {self.sample[i]} at x {x:g}, y {y:g} lies outside of its image of "
                f"height {size[i, 0]}, width {size[i, 1]}, whose points have {low:g} <= x < {size[i, 1] + low:g} and "
                f"{low:g} <= y < {size[i, 0] + low:g} (remove_invisible=False lets such points pass)"
            )


def _table(data, name: str, i: int, columns: int) -> np.ndarray:
    """The first columns of a list of rows, an array or a tensor, as float64."""
    if isinstance(data, (np.ndarray, torch.Tensor)):
        array = np.asarray(data.cpu() if isinstance(data, torch.Tensor) else data, np.float64)
        rows = array.reshape(0, columns) if array.size == 0 else array
        if rows.ndim != 2 or rows.shape[1] < columns:
            raise ValueError(f"{name} of sample {i} must be rows of at least {columns} numbers, got shape {tuple(array.shape)}")
        rows = rows[:, :columns]
    else:
        short = next((row for row in data if len(row) < columns), None)
        if short is not None:
            raise ValueError(f"{name} of sample {i} must be rows of at least {columns} numbers, got {short!r}")
        rows = np.array([list(row[:columns]) for row in data], np.float64).reshape(-1, columns)
    if not np.isfinite(rows).all():
        k = int(np.flatnonzero(~np.isfinite(rows).all(1))[0])
        raise ValueError(f"{name} {k} of sample {i} holds {rows[k].tolist()}: coordinates must be finite numbers")
    return rows


def _like(data, origin, written, places):
    """Rows ``origin`` of the caller's container with new numbers in the first columns."""
    k = len(places)
    if isinstance(data, torch.Tensor):
        out = data[torch.as_tensor(origin, device=data.device)].clone()
        out = out if out.is_floating_point() else out.float()
        if len(origin):
            out[:, :k] = torch.as_tensor(written[:, :k], dtype=out.dtype, device=out.device)
        return out
    if isinstance(data, np.ndarray):
        out = data[origin].copy()
        out = out if out.dtype.kind == "f" else out.astype(np.float32)
        if len(origin):
            out[:, :k] = written[:, :k]
        return out
    out = []
    for j, row in zip(origin.tolist(), written[:, :k].tolist()):
        more = row + list(data[j][k:])
        kind = type(data[j])
        out.append(np.asarray(more, np.float32) if kind is np.ndarray else kind(more) if kind in (list, tuple) else more)
    return out


def _pick(values, origin):
    if isinstance(values, torch.Tensor):
        return values[torch.as_tensor(origin, device=values.device)]
    if isinstance(values, np.ndarray):
        return values[origin]
    return [values[j] for j in origin.tolist()]


# ---- sets of images -------------------------------------------------------------------------


class Frames:
    """A set of images (or of masks) for each sample, as one list of frames: ``flat``; frame i belongs to sample ``of[i]``."""

    def __init__(self, value, one: bool, name: str):
        self.one, self.dense = one, hasattr(value, "ndim")
        self.arrays: list[bool] = []
        if self.dense and one:
            self.flat, self.counts = value, [len(value)]
        elif self.dense:
            if value.ndim < 4:
                raise ValueError(
                    f"{name} of a batch must be [B, T, ..] or a list with the set of each sample, got shape {tuple(value.shape)}"
                )
            self.counts = [value.shape[1]] * value.shape[0]
            self.flat = value.reshape(value.shape[0] * value.shape[1], *value.shape[2:])
        else:
            parts = [value] if one else list(value)
            self.arrays = [hasattr(part, "ndim") for part in parts]
            self.counts = [len(part) for part in parts]
            self.flat = [frame for part in parts for frame in part]
        self.of = np.repeat(np.arange(len(self.counts)), self.counts)

    @staticmethod
    def is_one(value) -> bool:
        """Whether a set is one sample's: [T, H, W, C], or a list of images."""
        if hasattr(value, "ndim"):
            return value.ndim <= 4
        return len(value) == 0 or getattr(value[0], "ndim", 4) <= 3

    def group(self, out):
        """Results in the caller's nesting."""
        if self.one:
            return out
        if self.dense:
            return out.reshape(len(self.counts), -1, *out.shape[1:])
        ends = np.cumsum([0, *self.counts]).tolist()
        parts = [list(out[a:b]) for a, b in pairwise(ends)]
        stack = [torch.stack if p and isinstance(p[0], torch.Tensor) else np.stack for p in parts]
        return [s(p) if whole and p else p for s, p, whole in zip(stack, parts, self.arrays)]

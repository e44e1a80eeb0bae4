"""Boxes and keypoints: formats, filtering, and their way through what was drawn.

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

from . import reflected, swaps
from .geometry import area, clip_boxes, covered
from .label_params import POINT_FORMATS, TINY
from .others import WHOLE
from .rows import at, cells, in_order, joined, like, of_samples, pick, table

# ---- from the caller and back ---------------------------------------------------------------


class Marks:
    """Boxes or keypoints of a batch, on their way.

    Attributes:
        values: float64 ``[N, 4]``. sample: int ``[N]``, whose. origin: int ``[N]``, which entry of the caller's list. home: int
            ``[N]``, of which list: the sample's own, unless samples were put together.
        others: the marks of samples that transforms read beside their own, by the name under which they came.
        copied: bool ``[N]``, which are reflections that the transform at work has made.
        part: bool ``[N]``, which are one of several reflections or pieces, and so show a part of their mask only.
        entered: int ``[N]``, the step of the pipeline at which each came into its sample. cells: by number of a step that put
            samples together, int ``[N]``, the rectangle that each went through there, or -1.
    """

    name, columns = "", 4

    def __init__(self, data, fields: dict[str, Any], params, size: np.ndarray, one: bool, name: str = ""):
        self.name = name or self.name
        self.params, self.one, self.size = params, one, np.array(size, np.int64)  # sizes of the images before anything is done
        self.data = [data] if one else of_samples(data, self.name)
        self.fields = {name: [value] if one else of_samples(value, name) for name, value in fields.items()}
        if len(self.data) != len(size):
            raise ValueError(f"{self.name} has entries for {len(self.data)} samples, the batch has {len(size)}")
        tables, self._columns = [], len(params.format) if self.hook == "keypoints" else self.columns
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
        raw = np.concatenate(tables) if counts else np.zeros((0, self._columns))
        self.home, self.others = self.sample, {}
        self.copied, self.entered = np.zeros(len(self.sample), bool), np.zeros(len(self.sample), int)
        self.cells: dict[int, np.ndarray] = {}
        self.part = np.zeros(len(self.sample), bool)
        # labels that transforms have changed, or may change: object [N] for each field
        self.now = {field: self._labels_of(field) for field in swaps.fields_of(getattr(params, "label_mapping", None))}
        self.values = self.read(raw, size[self.sample].astype(np.float64))
        self.check(size[self.sample])

    def adopt(self, key: str, other: Marks) -> None:
        """Marks of further samples, which came under a name: their entries may come among these."""
        other.home = other.home + len(self.data)
        self.data = self.data + other.data
        self.fields = {name: values + other.fields[name] for name, values in self.fields.items()}
        self.others[key] = other

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

    def _labels_of(self, field: str) -> np.ndarray:
        out = np.empty(len(self.sample), object)
        out[:] = [at(self.fields[field][i], k) for i, k in zip(self.sample.tolist(), self.origin.tolist())]
        return out

    def select(self, keep) -> None:
        if keep is not None and not keep.all():
            self.take(np.flatnonzero(keep))

    def take(self, index: np.ndarray) -> None:
        """Keep these entries, in this order."""
        self.values, self.sample = self.values[index], self.sample[index]
        self.origin, self.home, self.copied = self.origin[index], self.home[index], self.copied[index]
        self.entered, self.cells = self.entered[index], {step: cells[index] for step, cells in self.cells.items()}
        self.part, self.now = self.part[index], {field: labels[index] for field, labels in self.now.items()}

    def append(self, other: Marks) -> None:
        """Entries of other marks behind these."""
        for name in ("values", "sample", "origin", "home", "copied", "entered", "part"):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(other, name)]))
        nowhere = np.full(len(other.values), -1)
        self.cells = {step: np.concatenate([cells, other.cells.get(step, nowhere)]) for step, cells in self.cells.items()}
        self.now = {field: np.concatenate([labels, other.now[field]]) for field, labels in self.now.items()}

    def reflect(self, cells: np.ndarray, border: int, sides: np.ndarray) -> None:
        """Move entries into their reflections (`gpuaug.reflected`)."""
        raise NotImplementedError

    def seen(self, size: np.ndarray) -> np.ndarray:
        """Which entries lie in their images of ``size`` ``[N, 2]``, in part at least."""
        raise NotImplementedError

    def drop_copies(self, size: np.ndarray) -> None:
        """Drop reflections that no result shows; size ``[B, 2]``."""
        self.select(~self.copied | self.seen(size[self.sample]))
        self.copied = np.zeros(len(self.sample), bool)
        self.found_parts()

    def found_parts(self) -> None:
        """Note which entries are several of what was one."""
        if getattr(self.params, "instance_masks", None) is not None:
            came = np.stack([self.sample, self.home, self.origin], 1)
            _, which, count = np.unique(came, axis=0, return_inverse=True, return_counts=True)
            self.part |= count[which.reshape(-1)] > 1

    def limit(self, size: np.ndarray, drop: bool = True, of: np.ndarray | None = None) -> None:
        """See what is left in images of size ``[B, 2]``; drop: what the limits do not let through. of: bool ``[B]``, the samples
        that are looked at (None: all), so that what others took decides nothing."""
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

    def solid_step(self, transform, pos: np.ndarray, params: dict) -> None:
        """Let a transform of volumes move what belongs to its samples; pos as for `step`."""
        raise ValueError(f"{type(transform).__name__} does not move {self.name}")

    def gather(self, transform, pos: np.ndarray, params: dict, size: np.ndarray, number: int = 0) -> None:
        """Let one transform, step ``number`` of the pipeline, put entries of several samples together (`gpuaug.assemble`); pos as
        for `step`."""
        pieces, other = transform.pieces(params), self.others.get(transform.metadata_key) or self.others[WHOLE]
        rows = np.flatnonzero(pos >= 0)
        line, cell = np.nonzero(pieces.there()[pos[rows]])
        owner, cell = rows[line], pos[rows[line]] * pieces.source.shape[1] + cell  # numbers among all rectangles
        source = pieces.source.reshape(-1)[cell]
        mine, many = source < 0, len(self.sample)
        ends = np.searchsorted(self.sample, [owner, owner + 1])
        ends = np.where(mine, ends, np.searchsorted(other.sample, [source, source + 1]) + many)
        count = ends[1] - ends[0]
        taken = np.repeat(ends[0] - np.cumsum(count) + count, count) + np.arange(count.sum())
        before = np.where(mine[:, None], size[owner], other.size[np.where(mine, 0, source)] if len(other.size) else 0)
        rest = np.flatnonzero(pos[self.sample] < 0)
        self.append(other)
        self.take(np.concatenate([rest, taken]))
        moved = np.arange(len(rest), len(self.values))
        cell, owner, before = (np.repeat(each, count, 0) for each in (cell, owner, before))
        self.sample[moved] = owner
        self.entered[moved[np.repeat(~mine, count)]] = number
        self.cells[number] = np.full(len(self.values), -1)
        self.cells[number][moved] = cell % pieces.source.shape[1]
        self.move(transform, params, moved, cell, before)
        order = np.argsort(self.sample, kind="stable")
        keep = np.ones(len(order), bool)
        keep[moved] = self.clip(moved, pieces.rect.reshape(-1, 4)[cell].astype(np.float64))
        self.take(order[keep[order]])

    def move(self, transform, params: dict, moved: np.ndarray, cell: np.ndarray, size: np.ndarray) -> None:
        """Move the entries ``moved`` into their rectangles ``cell``; sizes are those of the images that they come out of."""
        self.values[moved], _ = getattr(transform, self.hook)(params, cell, self.values[moved], size, self.params)

    def clip(self, moved: np.ndarray, rect: np.ndarray) -> np.ndarray:
        """Which of the entries ``moved`` lie in their rectangles ``[m, 4]``; boxes are clipped to them."""
        raise NotImplementedError

    def results(self, size: np.ndarray, applied: np.ndarray | None = None) -> dict[str, Any]:
        """What the caller gets: containers as they came.

        Args:
            applied: bool ``[B]``, which samples the pipeline was applied to; the others get what they brought. None: all.
        """
        written = self.write(self.values, size[self.sample].astype(np.float64))[:, : len(self.places())]
        out = {self.name: []}
        out.update({field: [] for field in self.fields})
        order = np.searchsorted(self.sample, np.arange(len(self.size) + 1))
        for i in range(len(self.size)):
            mine = {self.name: self.data[i], **{field: values[i] for field, values in self.fields.items()}}
            if applied is None or applied[i]:
                mine = self._taken(i, slice(order[i], order[i + 1]), written)
            for field, values in mine.items():
                out[field].append(values)
        return {name: value[0] for name, value in out.items()} if self.one else out

    def agree(self, other: Marks, applied: np.ndarray | None) -> None:
        """Raise unless the label fields that both have are the same behind all steps; arguments as for `results`."""
        for field in self.fields.keys() & other.fields.keys():
            for i in range(len(self.size)) if applied is None else np.flatnonzero(applied).tolist():
                mine, theirs = ([*zip(of.home[of.sample == i], of.origin[of.sample == i])] for of in (self, other))
                if mine != theirs or (field in self.now) != (field in other.now):
                    raise ValueError(
                        f"{self.name} and {other.name} share the label field {field!r}, and of sample {i} not the same entries "
                        f"are left ({len(mine)} and {len(theirs)}), or one set alone changes labels: which would be meant? "
                        f"Give each a field of its own, or keep all (KeypointParams(remove_invisible=False))"
                    )

    def _taken(self, i: int, rows: slice, written: np.ndarray) -> dict[str, Any]:
        """What the caller gets of sample i, whose entries are ``rows``: containers of the kinds that they came in."""
        home, origin = self.home[rows], self.origin[rows]
        if not len(home):
            home, cuts = np.array([i]), [0, 0]
        else:
            cuts = [0, *(np.flatnonzero(np.diff(home)) + 1), len(home)]
        parts = {field: [] for field in (*self.fields, self.name)}
        for a, b in pairwise(cuts):
            at = home[a]
            for field, values in self.fields.items():
                mine = pick(values[at], origin[a:b])
                parts[field].append(swaps.written_as(mine, self.now[field][rows][a:b]) if field in self.now else mine)
            parts[self.name].append(like(self.data[at], origin[a:b], written[rows][a:b], self.name, self._columns))
        return {field: joined(values, field) for field, values in parts.items()}

    def places(self) -> Sequence[int]:
        """Columns of the caller's rows that change."""
        return range(4)


class Boxes(Marks):
    """Boxes on their way, and what of them was lost.

    Attributes:
        full, visible: float64 ``[N]``: pixels that each would have now, were all of it visible; pixels that it had after the last
            step.
        cuts: float64 ``[M, 4]``: rectangles that dropouts cut out. cut_of: int ``[M]``, of which box.
    """

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

    def take(self, index):
        super().take(index)
        self.full, self.visible = self.full[index], self.visible[index]
        if len(self.cut_of):
            order = np.argsort(self.cut_of, kind="stable")
            ends = np.searchsorted(self.cut_of[order], [index, index + 1])
            count = ends[1] - ends[0]
            self.cuts = self.cuts[order[np.repeat(ends[0] - np.cumsum(count) + count, count) + np.arange(count.sum())]]
            self.cut_of = np.repeat(np.arange(len(index)), count)

    def append(self, other):
        self.cut_of = np.concatenate([self.cut_of, other.cut_of + len(self.values)])
        self.cuts = np.concatenate([self.cuts, other.cuts])
        self.full, self.visible = np.concatenate([self.full, other.full]), np.concatenate([self.visible, other.visible])
        super().append(other)

    def move(self, transform, params, moved, cell, size):
        before = area(self.values[moved])
        super().move(transform, params, moved, cell, size)
        self.full[moved] *= np.divide(area(self.values[moved]), before, out=np.ones(len(moved)), where=before > 0)
        if len(self.cut_of):
            place = np.full(len(self.values), -1)
            place[moved] = np.arange(len(moved))
            cut = np.flatnonzero(place[self.cut_of] >= 0)
            of = place[self.cut_of[cut]]
            self.cuts[cut], _ = transform.boxes(params, cell[of], self.cuts[cut], size[of], self.params)

    def clip(self, moved, rect):
        box = self.values[moved]
        self.values[moved, :2], self.values[moved, 2:] = np.maximum(box[:, :2], rect[:, :2]), np.minimum(box[:, 2:], rect[:, 2:])
        return (self.values[moved, 2:] > self.values[moved, :2]).all(1)

    def replace(self, moved: np.ndarray, boxes: np.ndarray, share: np.ndarray) -> None:
        """Entries ``moved`` are other boxes now, of which a share shows what they showed (`gpuaug.split`)."""
        self._keep_cuts(~np.isin(self.cut_of, moved))
        self.values[moved] = boxes
        self.full = self.full.copy()
        self.full[moved] /= np.maximum(share, TINY)

    def reflect(self, cells, border, sides):
        self.values = reflected.boxes(self.values, cells, border, sides, self.params.geometry)
        self.cuts = reflected.boxes(self.cuts, cells[self.cut_of], border, sides[self.cut_of], self.params.geometry)

    def seen(self, size):
        return area(clip_boxes(self.values, size)) > TINY

    def hulls(self) -> np.ndarray:
        """Upright boxes around them, ``[N, 4]``."""
        return self.values

    def lose(self, left):
        self.select((left > 0) & (left >= self.params.min_visibility))

    def step(self, transform, pos, params, size):
        if self.params.geometry == "albumentations":  # every transform starts with whole boxes
            super().step(transform, pos, params, size)
            return
        which = pos[self.sample]
        mine = np.flatnonzero(which >= 0)
        if not len(mine):
            return
        old, self.full = self.values[mine], self.full.copy()
        self.values[mine], left = transform.boxes(params, which[mine], old, size[self.sample[mine]], self.params)
        holes = transform.cuts(params, which[mine])
        if holes is not None:
            low, high = np.maximum(holes[..., :2], old[:, None, :2]), np.minimum(holes[..., 2:], old[:, None, 2:])
            i, k = np.nonzero((high > low).all(2))
            self.cuts = np.concatenate([self.cuts, np.concatenate([low, high], 2)[i, k]])
            self.cut_of = np.concatenate([self.cut_of, mine[i]])
        else:
            self._follow(transform, params, which, mine, old, size)
        if left is not None:
            if holes is None:  # pixels here and there: the share that is left says it all
                self.full[mine] /= np.maximum(left, TINY)
            keep = np.ones(len(self.values), bool)
            keep[mine] = left > 0
            self.select(keep)

    def _follow(self, transform, params, which, mine, old, size) -> None:
        """After boxes ``mine``, which were ``old``, have moved: their full areas, and what was cut out of them."""
        grown, before = np.ones(len(self.values)), area(old)
        grown[mine] = np.divide(area(self.values[mine]), before, out=np.ones(len(mine)), where=before > 0)
        cut = np.flatnonzero(which[self.cut_of] >= 0)
        share = self.visible / self.full
        self.full *= grown
        if not len(cut):
            return
        of, before = self.cut_of[cut], area(self.cuts[cut])
        self.cuts = self.cuts.copy()
        self.cuts[cut], _ = transform.boxes(params, which[of], self.cuts[cut], size[self.sample[of]], self.params)
        # turned or sheared: the box around a cut says no more how much it took, the share that was left does
        bent = np.unique(of[abs(area(self.cuts[cut]) - grown[of] * before) > 1e-6 * grown[of] * before])
        self.full[bent] = area(self.values[bent]) / share[bent]
        self._keep_cuts(~np.isin(self.cut_of, bent))

    def uncut(self) -> np.ndarray:
        """Pixels of each box that are in no cut: those that dropouts have left."""
        seen, number = area(self.values), np.bincount(self.cut_of, minlength=len(self.values))
        alone = number[self.cut_of] == 1
        seen[self.cut_of[alone]] -= area(self.cuts[alone])
        for i in np.flatnonzero(number > 1):
            seen[i] -= covered(self.cuts[self.cut_of == i])
        return seen

    def _keep_cuts(self, keep) -> None:
        self.cuts, self.cut_of = self.cuts[keep], self.cut_of[keep]

    def limit(self, size, drop=True, of=None):
        size, others = size[self.sample], False if of is None else ~of[self.sample]
        if self.params.geometry == "albumentations":
            if drop:
                clipped, keep = self.params.keep(self.values, size)
                self.values = clipped if of is None else np.where(others[:, None], self.values, clipped)
                self.select(keep | others)
            return
        self.values = clip_boxes(self.values, size)
        box = self.values[self.cut_of]
        self.cuts = np.concatenate([np.maximum(self.cuts[:, :2], box[:, :2]), np.minimum(self.cuts[:, 2:], box[:, 2:])], 1)
        self._keep_cuts((self.cuts[:, 2:] > self.cuts[:, :2]).all(1))
        self.visible = self.uncut()
        keep = self.visible > TINY  # what is gone does not come back
        if drop:
            keep &= self.params.keep(self.values, size, self.visible, self.full)[1]
        self.select(keep | others)

    def check(self, size):
        if self.params.clip:
            self.values = clip_boxes(self.values, size)
        self.full = self.visible = area(self.values)
        self.cuts, self.cut_of = np.zeros((0, 4)), np.zeros(0, int)
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
                passed = [float(v) for v in list(self.data[self.sample[i]][self.origin[i]])[:4]]
                kind, here = self.params.format, f", in pixels {self.values[i].round(3).tolist()}"
                if kind in ("yolo", "albumentations") and max(map(abs, passed)) > 2:
                    rule = "must be fractions of it; boxes in pixels are BboxParams('coco') or BboxParams('pascal_voc')"
                    here = ""
                raise ValueError(
                    f"box {self.origin[i]} of sample {self.sample[i]}, {passed} as {kind!r}{here}, of an image of height "
                    f"{size[i, 0]}, width {size[i, 1]}, {rule}"
                )


class Keypoints(Marks):
    name, hook = "keypoints", "keypoints"

    def places(self):
        return range(len(self.params.format))

    def read(self, raw, size):
        points, self.z = np.zeros((len(raw), 4)), np.zeros(len(raw))
        if self.params.format == "xyz":
            self.z = raw[:, 2].astype(np.float64)
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
        written = points[:, list(POINT_FORMATS[self.params.format])]
        return np.concatenate([written, self.z[:, None]], 1) if self.params.format == "xyz" else written

    def take(self, index):
        super().take(index)
        self.z = self.z[index]

    def append(self, other):
        super().append(other)
        self.z = np.concatenate([self.z, other.z])

    def solid_step(self, transform, pos, params):
        which = pos[self.sample]
        mine = np.flatnonzero(which >= 0)
        if not len(mine):
            return
        points = np.concatenate([self.values[mine, :2], self.z[mine, None]], 1)
        moved, left = transform.solid_points(params, which[mine], points)
        self.values[mine, :2], self.z = moved[:, :2], self.z.copy()
        self.z[mine] = moved[:, 2]
        keep, shown = np.ones(len(self.values), bool), np.ones(len(mine), bool) if left is None else left
        if self.params.format == "xyz":
            level = np.floor(self.z[mine] + 0.5)
            shown = shown & (level >= 0) & (level < params["after"][which[mine], 0])
        keep[mine] = shown | (not self.params.remove_invisible)
        self.select(keep)

    def reflect(self, cells, border, sides):
        geometry = self.params.geometry
        self.values[:, :2] = reflected.places(self.values[:, :2], cells, border, sides, geometry, True)
        self.values[:, 2] = reflected.angles(self.values[:, 2], cells, geometry)

    def seen(self, size):
        return self.params.visible(self.values, size)

    def step(self, transform, pos, params, size):
        super().step(transform, pos, params, size)
        mapping = (self.params.label_mapping or {}).get(type(transform).__name__)
        if mapping is not None:
            self._swap(transform, pos, params, mapping)

    def _swap(self, transform, pos, params, mapping) -> None:
        """Change labels as a mapping says, and put points in the order that their labels had."""
        element = transform.element_of(params) if transform.elements else None
        self.now = {field: labels.copy() for field, labels in self.now.items()}
        index = np.arange(len(self.sample))
        for i in np.unique(self.sample[pos[self.sample] >= 0]).tolist():
            fields = mapping if element is None else mapping.get(transform.elements[int(element[pos[i]])], {})
            mine, order = np.flatnonzero(self.sample == i), None
            for field, names in fields.items():
                before = self.now[field][mine].tolist()
                after = swaps.turned(before, names)
                self.now[field][mine] = np.array([*after, None], object)[:-1]
                order = swaps.order(before, after) if order is None else order
            if order is not None:
                index[mine] = mine[order]
        self.take(index)

    def limit(self, size, drop=True, of=None):
        if drop and self.params.remove_invisible:
            others = False if of is None else ~of[self.sample]
            self.select(self.params.visible(self.values, size[self.sample]) | others)

    def clip(self, moved, rect):
        pixel = self.params.pixel(self.values[moved])
        return ((pixel >= rect[:, :2]) & (pixel < rect[:, 2:])).all(1)

    def check(self, size):
        bad = ~self.params.visible(self.values, size)
        if bad.any() and self.params.remove_invisible:
            i = int(np.flatnonzero(bad)[0])
            (x, y), low = self.values[i, :2], -0.5 if self.params.geometry == "pixels" else 0
            raise ValueError(
                f"keypoint {self.origin[i]} of sample {self.sample[i]} at x {x:g}, y {y:g} lies outside of its image of "
                f"height {size[i, 0]}, width {size[i, 1]}, whose points have {low:g} <= x < {size[i, 1] + low:g} and "
                f"{low:g} <= y < {size[i, 0] + low:g} (remove_invisible=False lets such points pass)"
            )

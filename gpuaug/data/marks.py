"""Boxes as datasets give them, made into what a Compose takes, and back: tv_tensors, COCO's annotations, what is beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from ..batch import Batch
from ..rows import joined
from .asked import MARKS, Row
from .leaves import is_annotations, is_array
from .recognize import tv_kind
from .volumes import LEADS

ROWS = "rows of the boxes"  # the name under which a Compose carries which boxes are left; no label field is called so
TV_FORMATS = ("XYXY", "XYWH", "CXCYWH")


class Unsettled(ValueError):
    """A target holds what would be left behind."""


@dataclass
class TvBoxes:
    """A tv_tensors.BoundingBoxes on its way between processes: a tensor, its format and its canvas."""

    tensor: torch.Tensor
    format: str
    canvas: tuple


@dataclass
class TvPoints:
    """A tv_tensors.KeyPoints."""

    tensor: torch.Tensor
    canvas: tuple


def opened(leaf, asked=None):
    """A target that is handed over as it is, without what only its library understands. Runs where the dataset does."""
    kind = tv_kind(leaf)
    if kind == "bboxes":
        return TvBoxes(leaf.as_subclass(torch.Tensor), leaf.format.name, tuple(leaf.canvas_size))
    if kind == "keypoints":
        return TvPoints(leaf.as_subclass(torch.Tensor), tuple(leaf.canvas_size))
    if kind is not None:
        return leaf.as_subclass(torch.Tensor)
    if is_annotations(leaf) and asked is not None and asked.mover:
        _check_annotations(leaf, asked)
    return leaf


def _check_annotations(annotations, asked):
    for name in ("segmentation", "keypoints"):
        if name not in asked.untouched and any(len(entry.get(name) or ()) for entry in annotations):
            raise Unsettled(
                f"COCO's annotations hold {name!r}, which would stay as it is while {asked.mover} moves the image; drop it from "
                f"the sample, give it as masks or keypoints of the sample's own (as "
                f"torchvision.datasets.wrap_dataset_for_transforms_v2 does), or hand it on as it is: "
                f"DataLoader(targets={{'untouched': [{name!r}]}})"
            )


class Handed:
    """The targets of a batch for `Compose.run`, with what is needed to give the results back as they came.

    targets, options: what to call `run` with.
    """

    def __init__(self, data):
        self.rows = {name: leaves for name, leaves in data.items() if isinstance(name, Row)}
        self.targets = {name: value for name, value in data.items() if not isinstance(name, Row)}
        self.options, self._back, self._leaves, self._brought = {}, {}, {}, {}
        for name in MARKS:
            if name in self.targets:
                self._take(name)
        if self._back and "image" in self.targets:
            self._check_canvas(Batch.of(self.targets["image"]).size.tolist())
        if self.rows:
            self._number_rows()

    def _number_rows(self):
        """Number all rows of the batch, for boxes may end in another sample (Mosaic); those of samples that were brought along
        (`mosaic_metadata`) come behind them."""
        self._counts = [len(boxes) for boxes in self.targets["bboxes"]]
        self.targets[ROWS] = self._numbered(self._counts, 0)
        self.options["fields"] = {"bboxes": (ROWS,)}
        for name, value in self.targets.items():
            if not _brought(value):
                continue
            items = [dict(item) for mine in value for item in mine]
            counts = [len(item.get("bboxes", ())) for item in items]
            for item, numbers, count in zip(items, self._numbered(counts, sum(self._counts)), counts):
                item[ROWS] = numbers
                for row, leaves in self.rows.items():
                    if leaves is not None:
                        leaves.append(_row_of(item, row, count, name))
            self._counts += counts
            rest = iter(items)
            self._brought[name], self.targets[name] = value, [[next(rest) for _ in mine] for mine in value]

    @staticmethod
    def _numbered(counts, first):
        ends = np.cumsum([first, *counts])
        return [np.arange(a, b) for a, b in zip(ends[:-1].tolist(), ends[1:].tolist())]

    def _of_row(self, leaves, numbers, name):
        """The entries of these numbers, as one container."""
        starts = np.cumsum([0, *self._counts])
        numbers = np.asarray(numbers, np.int64)
        if not len(numbers):
            return pick(leaves[0], numbers, name)
        home = np.searchsorted(starts, numbers, "right") - 1
        cuts = [0, *(np.flatnonzero(np.diff(home)) + 1), len(home)]
        parts = [pick(leaves[home[a]], numbers[a:b] - starts[home[a]], name) for a, b in pairwise(cuts)]
        return joined(parts, repr(name))

    def _take(self, name):
        leaves = self.targets[name]
        if any(isinstance(leaf, TvBoxes) for leaf in leaves):
            for leaf in leaves:
                if not isinstance(leaf, TvBoxes) or leaf.format not in TV_FORMATS:
                    got = leaf.format if isinstance(leaf, TvBoxes) else type(leaf).__name__
                    raise ValueError(
                        f"bounding boxes of a batch must all be tv_tensors in the formats {', '.join(TV_FORMATS)}, got {got}; "
                        f"convert them with torchvision.transforms.v2.functional.convert_bounding_box_format"
                    )
            self.targets[name] = [_xyxy(leaf) for leaf in leaves]
            self.options["box_format"] = "pascal_voc"
            self._back[name] = _tv_boxes
        elif any(isinstance(leaf, TvPoints) for leaf in leaves):
            self.targets[name] = [leaf.tensor for leaf in leaves]
            self._back[name] = _tv_points
        elif any(is_annotations(leaf) for leaf in leaves):
            self.targets[name] = [[(*entry["bbox"], k) for k, entry in enumerate(leaf)] for leaf in leaves]
            self.options["box_format"] = "coco"
            self._back[name] = _annotations
        self._leaves[name] = leaves

    def _check_canvas(self, sizes):
        """ValueError for a tv_tensor whose canvas is not its image. sizes: (height, width) of each image."""
        for name, leaves in self._leaves.items():
            for k, (leaf, size) in enumerate(zip(leaves, sizes)):
                canvas = getattr(leaf, "canvas", None)
                if canvas is not None and tuple(canvas) != tuple(size):
                    raise ValueError(
                        f"{name} {k} of the batch have a canvas_size of {tuple(canvas)}, their image is {tuple(size)} (height, "
                        f"width): they were made for another size; give them the image's canvas_size, or resize both"
                    )

    def back(self, values):
        """What `run` returned, as the dataset gave it."""
        kept = values.pop(ROWS, None)
        for name, function in self._back.items():
            size = _size_of(values)
            values[name] = [function(leaf, value, size) for leaf, value in zip(self._leaves[name], values[name])]
        values |= {name: value for name, value in self._brought.items() if name in values}
        for row, leaves in self.rows.items():
            if leaves is None:  # the masks, which were moved as a target of their own
                first = np.cumsum([0, *self._counts])
                values["masks"] = [pick(masks, at - start) for masks, at, start in zip(values["masks"], kept, first.tolist())]
            else:
                values[row] = [self._of_row(leaves, at, row) for at in kept]
        return values


def _brought(value):
    """Whether a target is a list of samples for each sample, with boxes."""
    items = (
        [item for mine in value if isinstance(mine, (list, tuple)) for item in mine] if isinstance(value, (list, tuple)) else ()
    )
    return bool(items) and all(isinstance(item, Mapping) for item in items) and any("bboxes" in item for item in items)


def _row_of(item, row, count, name):
    key = row.path[-1]
    leaf = item.get(key)
    if leaf is None and not count:
        return ()
    if leaf is None or len(leaf) != count:
        has = "none" if leaf is None else f"{len(leaf)}"
        raise ValueError(
            f"{name}: an item has {count} boxes and {has} of {key!r}, which goes with the boxes of the sample itself; give it "
            f"there, too, or hand it on as it is: DataLoader(targets={{'untouched': [{key!r}]}})"
        )
    return leaf


def pick(leaf, at, name="an entry"):
    """The rows `at` of an array, a tensor or a list."""
    if is_array(leaf):
        return leaf[torch.as_tensor(at, device=leaf.device)] if isinstance(leaf, torch.Tensor) else leaf[at]
    if isinstance(leaf, (list, tuple)):
        return type(leaf)(leaf[k] for k in at) if type(leaf) in (list, tuple) else [leaf[k] for k in at]
    raise TypeError(f"{name} stands beside the boxes as {type(leaf).__name__}; give it as a list, an array or a tensor")


def _size_of(values):
    """Height and width of the images, or of the slices of volumes, that a batch has now."""
    named = (values[name] for name in LEADS if name in values)
    images = next(named, None)
    if images is None:  # volumes that are additional targets
        images = next(v for v in values.values() if getattr(v[0], "ndim", 0) >= 3)
    return tuple(images[0].shape[-2:])


def _xyxy(leaf):
    boxes = leaf.tensor.reshape(-1, 4).double()
    if leaf.format == "XYWH":
        return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    if leaf.format == "CXCYWH":
        return torch.cat([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
    return boxes


def _tv_boxes(leaf, boxes, size):
    from torchvision import tv_tensors

    low, high = boxes[:, :2], boxes[:, 2:]
    if leaf.format == "XYWH":
        boxes = torch.cat([low, high - low], 1)
    elif leaf.format == "CXCYWH":
        boxes = torch.cat([(low + high) / 2, high - low], 1)
    kind = leaf.tensor.dtype if leaf.tensor.is_floating_point() else torch.float32
    return tv_tensors.BoundingBoxes(boxes.to(kind), format=leaf.format, canvas_size=size)


def _tv_points(leaf, points, size):
    from torchvision import tv_tensors

    return tv_tensors.KeyPoints(points, canvas_size=size)


def _annotations(annotations, rows, size):
    return [{**annotations[int(row[4])], "bbox": list(row[:4])} for row in rows]

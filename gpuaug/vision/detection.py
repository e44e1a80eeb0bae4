"""What detection needs: crops that keep objects, and boxes that are dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from ..checks import integer, real
from ..data.structure import children, get
from ..hints import Function
from ..uniforms import key, ragged
from .arguments import numbers
from .base import Vision
from .sizes import _Window


class RandomIoUCrop(_Window):
    """Crop so that a box overlaps with the crop by a fraction that is drawn: SSD's crop.

    Args:
        min_scale, max_scale: range of the crop's sides, as fractions of the image's.
        min_aspect_ratio, max_aspect_ratio: of width / height.
        sampler_options: the fractions (intersection over union) that one is drawn from; 1 and above leave the image as it is.
            None: 0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.
        trials: how many crops are tried for one fraction, before another is drawn.

    Boxes whose middle lies beside the crop are lost. A sample without boxes, or whose boxes let no crop pass in 50 times
    ``trials`` tries, stays as it is; torchvision goes on for ever.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints; boxes are needed. Source: torchvision ``RandomIoUCrop``.

    Example:
        >>> import gpuaug.vision as T
        >>> T.RandomIoUCrop(trials=10).trials
        10
    """

    asks = True

    def __init__(
        self,
        min_scale: float = 0.3,
        max_scale: float = 1.0,
        min_aspect_ratio: float = 0.5,
        max_aspect_ratio: float = 2.0,
        sampler_options: Sequence[float] | None = None,
        trials: int = 40,
    ):
        super().__init__()
        self.min_scale, self.max_scale = real("min_scale", min_scale, 0, 1, above=True), real("max_scale", max_scale, 0, 1)
        self.min_aspect_ratio = real("min_aspect_ratio", min_aspect_ratio, 0, above=True)
        self.max_aspect_ratio = real("max_aspect_ratio", max_aspect_ratio, self.min_aspect_ratio)
        if self.min_scale > self.max_scale:
            raise ValueError(f"min_scale must not be above max_scale, got {min_scale!r} and {max_scale!r}")
        self.sampler_options = sampler_options
        known = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0) if sampler_options is None else sampler_options
        self._options = numbers("sampler_options", known, 0, counts=range(1, 1000))
        self.trials = integer("trials", trials, 1)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        if view.now is None:
            raise ValueError("what RandomIoUCrop draws depends on boxes: call the pipeline with samples that have them")
        boxes = view.now.boxes("RandomIoUCrop")
        rounds = 50
        noise = ragged(key(u), np.full(len(u), rounds * (1 + 4 * self.trials)))
        start, size = np.zeros((len(u), 2), np.int64), view.size.astype(np.int64).copy()
        cropped = np.zeros(len(u), bool)
        for i, mine in enumerate(boxes):
            found = self._window(mine, size[i], noise.of(i).reshape(rounds, -1)) if len(mine) else None
            if found is not None:
                start[i], size[i], cropped[i] = found[0], found[1], True
        return {"start": start, "size": size, "cropped": cropped}

    def _window(self, boxes, size, noise):
        """(start (x, y), (height, width)) of a crop; None: none is to be made, or found."""
        h, w = size.tolist()
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        for line in noise:
            least = self._options[int(line[0] * len(self._options))]
            if least >= 1:
                return None
            r = line[1:].reshape(-1, 4)
            sides = ((w, h) * (self.min_scale + (self.max_scale - self.min_scale) * r[:, :2])).astype(np.int64)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = sides[:, 0] / sides[:, 1]
            at = (((w, h) - sides) * r[:, 2:]).astype(np.int64)
            fits = (ratio >= self.min_aspect_ratio) & (ratio <= self.max_aspect_ratio) & (sides > 0).all(1)
            for k in np.flatnonzero(fits).tolist():
                low, high = at[k], at[k] + sides[k]
                within = ((middle > low) & (middle < high)).all(1)
                if within.any() and _overlap(boxes[within], low, high).max() >= least:
                    return low, sides[k, ::-1]
        return None

    def boxes(self, params, which, boxes, size, limits):
        moved, left = super().boxes(params, which, boxes, size, limits)
        middle, low = (boxes[:, :2] + boxes[:, 2:]) / 2, params["start"][which]
        within = ((middle > low) & (middle < low + params["size"][which][:, ::-1])).all(1) | ~params["cropped"][which]
        return moved, within if left is None else within & left


def _overlap(boxes, low, high) -> np.ndarray:
    """Intersection over union of boxes with a window."""
    sides = np.clip(np.minimum(boxes[:, 2:], high) - np.maximum(boxes[:, :2], low), 0, None)
    both = sides.prod(1)
    return both / ((boxes[:, 2:] - boxes[:, :2]).prod(1) + (high - low).prod() - both)


class SanitizeBoundingBoxes(Vision):
    """Drop boxes that are gone or too small, with their labels and masks.

    Args:
        min_size: of a side, pixels, at least 1. min_area: pixels, at least 1.
        labels_getter: "default": the entry "labels" (or whose name has "label" in it) of the sample, or of the second of a pair;
            a function of the sample that returns a tensor or a tuple of them; None: there are none.

    It works at the end of the pipeline, wherever it stands. A loader finds what stands beside boxes by itself (docs/loading.md),
    so ``labels_getter`` is not asked there.

    Targets: boxes, masks of objects, labels. Source: torchvision ``SanitizeBoundingBoxes``.

    Example:
        >>> import gpuaug.vision as T
        >>> T.SanitizeBoundingBoxes(min_size=2.0).min_size
        2.0
    """

    moves_pixels = False

    def __init__(self, min_size: float = 1.0, min_area: float = 1.0, labels_getter: Function | str | None = "default"):
        super().__init__(1.0)
        self.min_size, self.min_area = real("min_size", min_size, 1), real("min_area", min_area, 1)
        if not (labels_getter in ("default", None) or isinstance(labels_getter, Callable)):
            raise ValueError(f"labels_getter must be 'default', a function or None, got {labels_getter!r}")
        self.labels_getter = labels_getter

    def lower(self, to, rows, params) -> None:
        """Nothing is done to pixels."""

    def limits(self) -> dict:
        """The same for `gpuaug.BboxParams`."""
        sides = {"min_width": self.min_size, "min_height": self.min_size}
        return {**sides, "min_area": self.min_area, "check_each_transform": False}

    def dropped(self, sample, found, boxes, out, row: str, made) -> dict:
        """New values by path, of boxes, labels and masks; made: the boxes, in which those that are gone are zeros."""
        from torchvision import tv_tensors

        plain = made.as_subclass(torch.Tensor)
        corners = torch.tensor(np.asarray(out[boxes.name], np.float64).reshape(-1, 4))
        if boxes.value.format.value == "XYWH":
            corners = torch.cat([corners[:, :2], corners[:, :2] + corners[:, 2:]], 1)
        sides = corners[:, 2:] - corners[:, :2]
        valid = (sides >= self.min_size).all(1) & (sides.prod(1) >= self.min_area)
        keep = torch.tensor([int(k) for k in out[row.format(boxes.name)]], dtype=torch.int64)[valid]
        changes = {boxes.path: tv_tensors.wrap(plain[keep], like=made)}
        for leaf in found:
            if leaf.kind == "mask" and leaf.value.ndim == 3 and len(leaf.value) == len(boxes.value):
                masks = out[leaf.name]
                masks = torch.stack(masks) if isinstance(masks, list) else masks
                changes[leaf.path] = tv_tensors.wrap(masks[keep], like=leaf.value)
        for path, label in self._labels(sample):
            if len(label) != len(boxes.value):
                raise ValueError(f"SanitizeBoundingBoxes: there are {len(label)} labels for {len(boxes.value)} boxes")
            changes[path] = label[keep.to(label.device)]
        return changes

    def _labels(self, sample) -> list:
        """(path, labels) each."""
        if self.labels_getter is None:
            return []
        if self.labels_getter != "default":
            wanted = self.labels_getter(sample)
            wanted = (wanted,) if isinstance(wanted, torch.Tensor) else tuple(wanted or ())
            return [(path, leaf) for path, leaf in _every(sample) if any(leaf is each for each in wanted)]
        path, inner = ((1,), sample[1]) if isinstance(sample, (tuple, list)) and len(sample) > 1 else ((), sample)
        if isinstance(inner, torch.Tensor):
            return [(path, inner)]
        names = [name for name in inner if isinstance(name, str)] if isinstance(inner, Mapping) else []
        best = next((name for name in names if name.lower() == "labels"), None)
        best = best or next((name for name in names if "label" in name.lower()), None)
        if best is None:
            raise ValueError(
                "SanitizeBoundingBoxes found no labels in the sample: pass labels_getter=, a function, or None if there are none"
            )
        return [((*path, best), get(sample, (*path, best)))]


def _every(value, path=()):
    below = children(value)
    if below is None:
        yield path, value
    for name, child in below or ():
        yield from _every(child, (*path, name))

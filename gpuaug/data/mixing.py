"""MixUp and CutMix across a finished batch, on the device where it lies, with soft labels.

Whether a sample is mixed, with which weight and with which other sample is drawn for each sample from the same counters as
the transforms: a function of (seed, epoch, id, occurrence). A partner can only come from the batch; it is picked by its
rank among the batch's ids, so the order of the batch does not matter. Another batch size or number of ranks makes other
batches, and so other partners, but the same weights and boxes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from .. import uniforms
from ..elements import SIGNED
from ..hints import Range
from .asked import Asked
from .names import words_of
from .recognize import find
from .structure import as_path, children, get, outline, rebuild, replace

LABEL_NAMES = ("label", "labels", "target", "targets", "y", "cls", "class")
LABEL_WORDS = {"label", "labels", "target", "targets", "class", "classes"}
MIXED = ("image", "mask", "masks")
KNOTS = 1 << 14  # of a quantile table: weights are right to 4e-6 for alpha >= 0.1, to 4e-5 for 0.01


class _Mix:
    """What MixUp and CutMix share: arguments, the draw, labels."""

    slot = None  # the place of the draw's counters, from the end: a Compose numbers its transforms from 0

    def __init__(
        self, alpha: Range = 1.0, num_classes: int | None = None, labels: Any = None, p: float = 1.0, seed: int | None = None
    ):
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not 0.01 <= alpha <= 1000:
            raise ValueError(f"alpha must be a number in [0.01, 1000], got {alpha!r}")
        if isinstance(p, bool) or not isinstance(p, (int, float)) or not 0 <= p <= 1:
            raise ValueError(f"p must be a probability in [0, 1], got {p!r}")
        for number in num_classes.values() if isinstance(num_classes, Mapping) else [num_classes]:
            if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
                raise ValueError(f"num_classes must be a whole number of at least 1, or a dict of them, got {number!r}")
        self.alpha, self.num_classes, self.labels, self.p, self.seed = alpha, num_classes, labels, p, seed
        self._quantiles = beta_quantiles(alpha)

    def __call__(self, batch, *, ids, epoch=0, occurrence=None, seed=None, targets=None):
        """A batch of the same structure with images, masks and labels mixed; what comes in is not written.

        Args:
            batch: tuple, dict ... of tensors; images ``[B, C, H, W]``, masks ``[B, H, W]`` or ``[B, C, H, W]``.
            ids, epoch, occurrence: the samples' numbers, as for `Compose.run`.
            seed: the loader's; this object's own goes before it.
            targets: ``{"image": where, "mask": where}``, by default found as the loader finds them.
        """
        where = {name: as_path(path) for name, path in (targets or find(_sample_of(batch), Asked())).items()}
        if "image" not in where:
            raise ValueError(f"{type(self).__name__} finds no image in {outline(batch)}; pass targets={{'image': where}}")
        others = sorted(set(where) - set(MIXED))
        if others:
            raise ValueError(f"{type(self).__name__} mixes images, masks and labels; the batch also has {', '.join(others)}")
        image = get(batch, where["image"])
        if not isinstance(image, torch.Tensor) or image.ndim != 4:
            raise ValueError(f"{type(self).__name__} needs images as one tensor [B, C, H, W], got {outline(image)}")
        partner, weight, center = self._draw(ids, epoch, occurrence, seed)
        if len(partner) != len(image):
            raise ValueError(f"there are {len(partner)} ids for {len(image)} images; each image needs its own")
        changes, weight = self._mix(batch, where, partner, weight, center)
        on = {}  # partner and weight on each device that holds labels
        for path in self._label_paths(batch, where):
            labels = get(batch, path)
            if labels.device not in on:
                columns = upload(np.stack([partner, weight]), labels.device)
                on[labels.device] = columns[0].long(), columns[1]
            changes[path] = self._mix_labels(labels, path, *on[labels.device])
        return replace(batch, changes)

    def _draw(self, ids, epoch, occurrence, seed):
        """For each sample its partner's position, its own weight and the center of its box, y and x in [0, 1)."""
        ids, occurrence = uniforms.check_counters(ids, epoch, occurrence)
        if len(ids) < 2:  # nobody to mix with
            return np.zeros(len(ids), np.int64), np.ones(len(ids)), np.zeros((2, len(ids)))
        seed = self.seed if self.seed is not None else torch.initial_seed() if seed is None else seed
        slots, blocks = np.full(2, self.slot, np.uint32), np.arange(2, dtype=np.uint32)
        coin, other, share, *center = uniforms.table(seed % 2**64, epoch, ids, occurrence, slots, blocks)[:5]
        logit = np.where(coin < self.p, np.interp(share, *self._quantiles), np.inf)
        return partners(ids, occurrence, other), np.exp(-np.logaddexp(0, -logit)), center

    def _label_paths(self, batch, where):
        if self.labels is None:
            roots = _find_labels(batch, where)
            self._check_others(batch, {*roots, *where.values()})
        else:
            roots = [as_path(path) for path in (self.labels if isinstance(self.labels, list) else [self.labels])]
        paths = [path for root in roots for path in _leaves(_entry(batch, root), root)]
        if not paths and self.labels != []:
            raise ValueError(
                f"{type(self).__name__} finds no tensors of labels in {outline(batch)}; say where they are with labels=, "
                f"or labels=[] if there are none"
            )
        return paths

    def _check_others(self, batch, known):
        """ValueError for a tensor whose name says that it is a label, too, and that would stay as it is."""
        for name, entry in () if isinstance(batch, (tuple, list)) and not hasattr(batch, "_fields") else children(batch) or ():
            if (name,) not in known and isinstance(entry, torch.Tensor) and entry.ndim and words_of((name,)) & LABEL_WORDS:
                mixed = ", ".join(_shown(path) for path in known)
                raise ValueError(
                    f"{type(self).__name__} mixes {mixed}, and {name!r} sounds like a label that would stay as it is; say which "
                    f"are labels: labels=[...]"
                )

    def _mix_labels(self, labels, path, partner, weight):
        if labels.is_floating_point():
            weight = weight.to(labels.dtype).view(-1, *[1] * (labels.ndim - 1))
            return torch.lerp(labels[partner], labels, weight)
        if labels.ndim != 1 or labels.dtype == torch.bool:
            raise ValueError(
                f"labels {_shown(path)} are {labels.dtype} of shape {tuple(labels.shape)}; class numbers have shape [B], "
                f"anything else must be floating point"
            )
        classes = self.num_classes.get(path[-1]) if isinstance(self.num_classes, Mapping) else self.num_classes
        if classes is None:
            raise ValueError(f"labels {_shown(path)} are class numbers: pass num_classes, which makes them soft labels")
        if labels.device.type == "cpu" and len(labels) and not 0 <= labels.min() <= labels.max() < classes:
            # on a GPU this would synchronize; there scatter_add_ has an assertion of its own
            raise ValueError(
                f"labels {_shown(path)} are {int(labels.min())} .. {int(labels.max())}, num_classes={classes}: "
                f"class numbers go from 0 to num_classes - 1"
            )
        labels, weight = labels.long()[:, None], weight.float()
        soft = torch.zeros(len(labels), classes, device=labels.device)
        return soft.scatter_add_(1, labels, weight[:, None]).scatter_add_(1, labels[partner], 1 - weight[:, None])


class MixUp(_Mix):
    """Blends each image with another one of the batch, and their labels alike (Zhang et al. 2018).

    Args:
        alpha: the weight of a sample itself is drawn from Beta(alpha, alpha).
        num_classes: of integer labels, which become float ``[B, num_classes]``; for several labels ``{name: number}``.
        labels: where the labels are in the batch, as a key, a position, or a tuple of them; or a list of such. By default
            what is called label, target, y ..., or the second entry of a tuple, and no other one of that; a further tensor whose
            name has "label", "target" or "class" in it is an error. Float labels are blended as they are.
        p: probability, per sample.
        seed: None takes the caller's.

    Example:
        >>> import torch, gpuaug
        >>> from torch.utils.data import TensorDataset
        >>> data = TensorDataset(torch.rand(6, 3, 8, 8), torch.tensor([0, 1, 2, 0, 1, 2]))
        >>> loader = gpuaug.DataLoader(data, batch_size=6, mix=gpuaug.data.MixUp(0.4, num_classes=3), device="cpu", seed=0)
        >>> images, labels = next(iter(loader))
        >>> labels.shape, labels.sum(1)
        (torch.Size([6, 3]), tensor([1., 1., 1., 1., 1., 1.]))
    """

    slot = uniforms.SLOTS - 1

    def _mix(self, batch, where, partner, weight, center):
        if len(where) > 1:
            raise ValueError("MixUp cannot blend masks of class numbers; use CutMix, which moves them with the image")

        def blend(own, other, share):
            share = share.view(-1, 1, 1, 1)
            if own.is_floating_point():
                return torch.lerp(own, other, share.to(own.dtype))
            return torch.lerp(own.float(), other.float(), share.float()).round().to(own.dtype)

        image = get(batch, where["image"])
        return {where["image"]: on_rows(blend, image, np.flatnonzero(weight < 1), partner, 1 - weight)}, weight


class CutMix(_Mix):
    """Replaces a box of each image, and of its mask, by the same box of another one; labels are weighted by area.

    The box has the drawn share of the area before the border cuts it (Yun et al. 2019). Arguments: see `MixUp`.

    Example:
        >>> import torch, gpuaug
        >>> from torch.utils.data import TensorDataset
        >>> data = TensorDataset(torch.rand(6, 3, 8, 8), torch.tensor([0, 1, 2, 0, 1, 2]))
        >>> loader = gpuaug.DataLoader(data, batch_size=6, mix=gpuaug.data.CutMix(1.0, num_classes=3), device="cpu", seed=0)
        >>> images, labels = next(iter(loader))
        >>> labels.shape
        torch.Size([6, 3])
    """

    slot = uniforms.SLOTS - 2

    def _mix(self, batch, where, partner, weight, center):
        height, width = get(batch, where["image"]).shape[2:]
        edges = boxes(center, weight, height, width)
        area = (edges[2] - edges[0]) * (edges[3] - edges[1])

        def paste(own, other, *edges):
            top, left, bottom, right = (edge.view(-1, 1, 1) for edge in edges)
            y = torch.arange(height, device=own.device)[:, None]
            x = torch.arange(width, device=own.device)
            inside = (y >= top) & (y < bottom) & (x >= left) & (x < right)
            return torch.where(inside if own.ndim == 3 else inside[:, None], other, own)

        changes = {}
        for name, path in where.items():
            pixels = get(batch, path)
            if not isinstance(pixels, torch.Tensor) or pixels.ndim not in (3, 4) or pixels.shape[-2:] != (height, width):
                raise ValueError(f"{name} is {outline(pixels)}; CutMix needs it of the images' size {height} x {width}")
            moved = pixels.view(SIGNED.get(pixels.dtype, pixels.dtype))
            changes[path] = on_rows(paste, moved, np.flatnonzero(area), partner, *edges).view(pixels.dtype)
        return changes, 1 - area / (height * width)


def on_rows(function, pixels, rows, partner, *params):
    """A copy of `pixels` in which ``function(own, other, *params)`` was applied to the samples `rows`."""
    if not len(rows):
        return pixels
    rows_there, other, *params = upload(np.stack([rows, partner[rows], *(p[rows] for p in params)]), pixels.device)
    rows_there, other = rows_there.long(), other.long()
    if len(rows) == len(pixels):
        return function(pixels, _take(pixels, other), *params)
    mixed = function(_take(pixels, rows_there), _take(pixels, other), *params)
    return pixels.clone().index_copy_(0, rows_there, mixed)  # index_copy() would return NCHW


def _take(pixels, rows):
    if pixels.ndim == 4 and pixels.is_contiguous(memory_format=torch.channels_last):
        return pixels.permute(0, 2, 3, 1)[rows].permute(0, 3, 1, 2)  # indexing would return NCHW
    return pixels[rows]


def partners(ids, occurrence, u):
    """For each sample the position of another one: the k-th of the others in the order of (id, occurrence)."""
    n = len(ids)
    order = np.lexsort((occurrence, ids))
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    other = np.floor(u * (n - 1)).astype(np.int64)
    return order[other + (other >= rank)]


def boxes(center, weight, height, width):
    """Top, left, bottom, right of the boxes to replace, int64 ``[B]`` each; empty where the weight is 1."""
    side = np.sqrt(1 - weight) / 2
    edges = []
    for at, length in ((center[0], height), (center[1], width)):
        middle, half = np.floor(at * length), np.floor(side * length)
        edges.append((np.clip(middle - half, 0, length).astype(np.int64), np.clip(middle + half, 0, length).astype(np.int64)))
    (top, bottom), (left, right) = edges
    return top, left, bottom, right


def beta_quantiles(alpha):
    """Quantiles of Beta(alpha, alpha) for `np.interp`: probabilities, and logits of the value.

    With x = 1 / (1 + exp(-z)) the density over z is proportional to (x (1 - x))^alpha: smooth and without the poles that
    the density over x has at 0 and 1 for alpha < 1, so that a sum over even steps integrates it. Its tails fall like
    exp(-alpha |z|), for large alpha it is as wide as 1 / sqrt(alpha); beyond `end` it holds less than 1e-13.
    """
    end = 8 + 32 / alpha if alpha < 10 else 30 / math.sqrt(alpha)
    z = np.linspace(-end, end, KNOTS + 1)
    log_density = -alpha * (np.logaddexp(0, z) + np.logaddexp(0, -z) - 2 * math.log(2))
    density = np.exp(log_density)
    cumulated = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return cumulated / cumulated[-1], z


def upload(rows, device):
    """One copy to the device, without waiting for it. float64 holds positions exactly."""
    rows = torch.from_numpy(np.asarray(rows, np.float64))
    return rows if device.type == "cpu" else rows.pin_memory().to(device, non_blocking=True)


def _sample_of(batch):
    """What one sample of the batch looks like, without its values."""
    if isinstance(batch, torch.Tensor):
        return torch.empty(batch.shape[1:], dtype=batch.dtype, device="meta")
    below = children(batch)
    return batch if below is None else rebuild(batch, [_sample_of(child) for _, child in below])


def _find_labels(batch, where):
    if isinstance(batch, Mapping):
        return [(name,) for name in batch if isinstance(name, str) and name.lower() in LABEL_NAMES]
    if isinstance(batch, (tuple, list)) and not hasattr(batch, "_fields"):
        return [(1,)] if len(batch) > 1 and (1,) not in where.values() else [(i,) for i in range(2, len(batch))]
    return [(name,) for name, _ in children(batch) or [] if name.lower() in LABEL_NAMES]


def _entry(batch, path):
    try:
        return get(batch, path)
    except (KeyError, IndexError, AttributeError, TypeError):
        raise KeyError(f"labels={_shown(path)}: the batch has no such entry; it is {outline(batch)}") from None


def _leaves(entry, path):
    """The paths of the tensors in an entry of the batch."""
    below = children(entry)
    if below is None:
        return [path] if isinstance(entry, torch.Tensor) and entry.ndim else []
    return [leaf for key, child in below for leaf in _leaves(child, (*path, key))]


def _shown(path):
    return repr(path[0] if len(path) == 1 else path)

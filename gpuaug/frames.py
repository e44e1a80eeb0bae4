"""Sets of images or masks: several frames of each sample, which share its draw."""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
import torch


class Frames:
    """A set of images (or of masks) for each sample, as one list of frames: ``flat``; frame i belongs to sample ``of[i]``.

    Args:
        depth: of how many axes frames are counted by: 1, or 2 for sets of volumes, ``[N, D, H, W, C]``, which are arrays.
        solid: frames are slices of a volume, or of volumes.
    """

    def __init__(self, value, one: bool, name: str, depth: int = 1, *, solid: bool = False):
        self.name, self.solid = name, solid
        self.volumes = None  # how many there are in each set of them
        if depth == 2:
            value, self.volumes = _slices(value, one, name)
        self.one, self.dense = one, hasattr(value, "ndim")
        self.parts = []
        if self.dense and one:
            self.flat, self.counts, self.parts = value, [len(value)], [value]
        elif self.dense:
            if value.ndim < 4:
                raise ValueError(
                    f"{name} of a batch must be [B, T, ..] or a list with the set of each sample, got shape {tuple(value.shape)}"
                )
            self.counts, self.parts = [value.shape[1]] * value.shape[0], value
            self.flat = value.reshape(value.shape[0] * value.shape[1], *value.shape[2:])
        else:
            self.parts = [value] if one else list(value)
            self.counts = [len(part) for part in self.parts]
            self.flat = [frame for part in self.parts for frame in part]
        self.flat = self.flat if sum(self.counts) else []  # of whatever shape
        self.of = np.repeat(np.arange(len(self.counts)), self.counts)

    def per_sample(self) -> list[int]:
        """How many volumes each sample has."""
        return self.volumes or [1] * len(self.counts)

    def depth(self) -> np.ndarray:
        """How many slices each sample's volumes have."""
        return np.array([count // n for count, n in zip(self.counts, self.per_sample())], int)

    def with_depth(self, depth: np.ndarray) -> Frames:
        """The same sets with other numbers of slices, of each volume."""
        other, ends = copy.copy(self), np.cumsum([0, *self.per_sample()]).tolist()
        other.counts = [int(depth[a:b].sum()) for a, b in pairwise(ends)]
        if self.dense and len(set(other.counts)) > 1:
            raise ValueError(f"{self.name} of a batch end with different numbers of slices, {other.counts}; pass a list of them")
        return other

    @staticmethod
    def is_one(value, depth: int = 1) -> bool:
        """Whether a set is one sample's: [T, H, W, C], or a list of images; [N, D, H, W, C]."""
        if hasattr(value, "ndim"):
            return value.ndim <= 3 + depth
        return depth == 1 and (len(value) == 0 or getattr(value[0], "ndim", 4) <= 3)

    def blank(self, i: int):
        """A frame of zeros as those that sample i has none of; None where nothing says what they would be."""
        part = self.parts[i]
        shape = tuple(getattr(part, "shape", ()))[1:]
        if len(shape) < 2 or 0 in shape:
            return None
        if isinstance(part, torch.Tensor):
            return torch.zeros(shape, dtype=part.dtype, device=part.device)
        return np.zeros(shape, part.dtype)

    def group(self, out, empty):
        """Results in the caller's nesting; ``empty(i)`` is the set of sample i if it has no frames."""
        out = self._grouped(out, empty)
        if self.volumes is None:
            return out
        if self.one:
            return self.nested(out, 0)
        return self.nested(out, 1) if self.dense else [part.reshape(n, -1, *part.shape[1:]) for n, part in zip(self.volumes, out)]

    def nested(self, out, axis: int):
        """Sets of volumes whose slices are counted by one axis, with both."""
        if self.volumes is None:
            return out
        return out.reshape(*out.shape[:axis], self.volumes[0], -1, *out.shape[axis + 1 :])

    def _grouped(self, out, empty):
        if self.dense and 0 in self.counts:
            none = [empty(i) for i in range(len(self.counts))]
            return none[0] if self.one else (torch.stack if isinstance(none[0], torch.Tensor) else np.stack)(none)
        if self.one:
            return out
        if self.dense:
            return out.reshape(len(self.counts), self.counts[0], *out.shape[1:])
        ends = np.cumsum([0, *self.counts]).tolist()
        return [self._part(i, list(out[a:b]), empty) for i, (a, b) in enumerate(pairwise(ends))]

    def _part(self, i: int, frames: list, empty):
        if not hasattr(self.parts[i], "ndim"):
            return frames
        if not frames:
            return empty(i)
        return torch.stack(frames) if isinstance(frames[0], torch.Tensor) else np.stack(frames)


def _slices(value, one: bool, name: str):
    """Sets of volumes with one axis for all slices, and how many volumes each sample has."""
    parts = [value] if one or hasattr(value, "ndim") else value
    least = 4 if one or not hasattr(value, "ndim") else 5
    wrong = next((part for part in parts if not hasattr(part, "ndim") or part.ndim < least or 0 in part.shape[:2]), None)
    if wrong is not None:
        shape = list(getattr(wrong, "shape", ()))
        raise ValueError(
            f"{name} must be arrays [N, D, H, W(, C)] of at least one volume, of a batch [B, N, D, ..], got shape {shape}"
        )
    if hasattr(value, "ndim") and not one:
        return value.reshape(value.shape[0], value.shape[1] * value.shape[2], *value.shape[3:]), [value.shape[1]] * value.shape[0]
    flat = [part.reshape(part.shape[0] * part.shape[1], *part.shape[2:]) for part in parts]
    return (flat[0] if one else flat), [len(part) for part in parts]

"""Sets of images or masks: several frames of each sample, which share its draw."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch


class Frames:
    """A set of images (or of masks) for each sample, as one list of frames: ``flat``; frame i belongs to sample ``of[i]``."""

    def __init__(self, value, one: bool, name: str):
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

    @staticmethod
    def is_one(value) -> bool:
        """Whether a set is one sample's: [T, H, W, C], or a list of images."""
        if hasattr(value, "ndim"):
            return value.ndim <= 4
        return len(value) == 0 or getattr(value[0], "ndim", 4) <= 3

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

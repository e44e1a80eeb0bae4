"""Volumes on their way through transforms that look along their depth: turned, cropped and padded as a whole.

A volume's slices are samples of a track, one behind the other; what turns and crops it describes them anew, with other addresses
and strides, and moves no voxel.
"""

from __future__ import annotations

import numpy as np

from .assemble import colour
from .backends import execute
from .batch import DTYPES, TORCH_DTYPES, Batch
from .deliver import settle, settled
from .elements import address
from .pool import empty
from .track import Track


class Solid:
    """The volumes of a batch.

    Attributes:
        track: their slices, volume after volume.
        of: int ``[V]``: whose each volume is. depth: int ``[V]``: how many slices each has.
        tensor: deliver tensors ``[C, D, H, W]``.
    """

    def __init__(self, track: Track, of: np.ndarray, depth: np.ndarray):
        self.track, self.of, self.depth, self.tensor = track, np.asarray(of), np.asarray(depth), False

    def slices(self) -> np.ndarray:
        """Whose each slice is."""
        return np.repeat(self.of, self.depth)

    def level(self) -> np.ndarray:
        """The number of each slice in its volume."""
        return np.arange(self.depth.sum()) - np.repeat(np.cumsum(self.depth) - self.depth, self.depth)

    def view(self, place: np.ndarray, order, flip, start, shape) -> None:
        """Take other views of the volumes of samples that have a place among the parameters, ``place >= 0``.

        Args:
            order: int ``[n, 3]``: which axis becomes the first, second, third of z, y, x. flip: bool ``[n, 3]``, of the new axes.
            start, shape: int ``[n, 3]``: the window that is kept then.
        """
        line = place[self.of]
        mine, line = np.flatnonzero(line >= 0), line[line >= 0]
        if not len(mine):
            return
        batch, base, sides, stride = self._axes()
        item = DTYPES[batch.dtype][1]
        side, step = (np.take_along_axis(x[mine], order[line], 1) for x in (sides, stride))
        base[mine] += item * (np.where(flip[line], side - 1, 0) * step).sum(1)
        step = np.where(flip[line], -step, step)
        base[mine] += item * (start[line] * step).sum(1)
        sides[mine], stride[mine] = shape[line], step
        self._go_on(batch, base, sides, stride, batch.owner)

    def pad(self, place: np.ndarray, before, shape, fill) -> None:
        """Lay the volumes of samples that have a place into larger ones, ``shape`` int ``[n, 3]``, at ``before``."""
        line = place[self.of]
        batch, _, inner, _ = self._axes()
        outer, at = inner.copy(), np.zeros_like(inner)
        outer[line >= 0], at[line >= 0] = shape[line[line >= 0]], before[line[line >= 0]]
        if (outer == inner).all():
            return
        to, channels, item = self.track, batch.channels, DTYPES[batch.dtype][1]
        voxels = outer.prod(1) * channels
        first = np.concatenate([[0], np.cumsum((voxels + 63) & ~63)])
        out = empty((int(first[-1]),), TORCH_DTYPES[batch.dtype], to.device)
        for v in np.flatnonzero((outer != inner).any(1)).tolist():
            out[first[v] : first[v] + voxels[v]].view(-1, channels)[:] = colour(to, fill)
        steps = channels * np.stack([outer[:, 1] * outer[:, 2], outer[:, 2], np.ones(len(outer), np.int64)], 1)
        base = address(out, "the result") + item * first[:-1]
        stride = np.ones((int(self.depth.sum()), 3), np.int64)
        stride[:, :2] = np.repeat(steps[:, 1:], self.depth, 0)
        inside = np.repeat(base + item * (at * steps).sum(1), self.depth) + item * self.level() * np.repeat(
            steps[:, 0], self.depth
        )
        plan = to.finish(inside, stride, batch.dtype)
        execute(plan, to.device)
        to.segments.append(plan)
        dense = Batch(base, None, stride[:1], channels, batch.dtype, batch.device, None, batch.given)
        self._go_on(dense, base, outer, steps, out)

    def _axes(self):
        """The batch of slices, executed so far; of each volume its address, its sides and its steps along z, y, x."""
        batch, first = settled(self.track), np.cumsum(self.depth) - self.depth
        item = DTYPES[batch.dtype][1]
        second = np.minimum(first + 1, len(batch) - 1)
        along = np.where(self.depth > 1, (batch.address[second] - batch.address[first]) // item, 0)
        even = np.repeat(batch.address[first], self.depth) + item * self.level() * np.repeat(along, self.depth)
        if (even != batch.address).any() or (batch.stride != np.repeat(batch.stride[first], self.depth, 0)).any():
            settle(self.track)  # slices that lie anywhere
            return self._axes()
        sides = np.concatenate([self.depth[:, None], np.asarray(self.track.size, np.int64)[first]], 1)
        return batch, batch.address[first].copy(), sides, np.concatenate([along[:, None], batch.stride[first, :2]], 1)

    def _go_on(self, batch: Batch, base, sides, stride, owner) -> None:
        channel = batch.stride[0, 2] if len(batch.stride) else 1
        self.depth = sides[:, 0].copy()
        item, old = DTYPES[batch.dtype][1], self.track
        at = np.repeat(base, self.depth) + item * self.level() * np.repeat(stride[:, 0], self.depth)
        steps = np.full((len(at), 3), channel, np.int64)
        steps[:, :2] = np.repeat(stride[:, 1:], self.depth, 0)
        size = np.repeat(sides[:, 1:], self.depth, 0).astype(np.int32)
        whole = Batch(at, size, steps, batch.channels, batch.dtype, batch.device, (owner, old.batch.owner), batch.given)
        self.track = Track(whole, old.kind)
        for name in ("doing", "may", "ops", "layout", "segments", "others"):
            setattr(self.track, name, getattr(old, name))

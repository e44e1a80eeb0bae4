"""What draws that depend on the data may ask for: masks and boxes as they are at that step, and what came with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .batch import Batch
from .deliver import settle
from .drawn import Drawn
from .targets import Boxes
from .track import Track


class _Executed:
    """Masks of a batch behind the steps that are drawn so far; each executed once. of: whose each is; None: sample i's."""

    def __init__(self, batch: Batch, of: np.ndarray | None = None, others: dict[str, Batch] | None = None):
        self.batch, self.of, self._others, self._done = batch, of, others or {}, 0
        self._track: Track | None = None

    def at(self, drawn: Drawn) -> list[torch.Tensor]:
        """All masks ``[H, W, C]``, on their device."""
        if self._track is None:
            self._track = Track(_plain(self.batch), "mask")
            self._track.others.update({key: _plain(other) for key, other in self._others.items()})
        if self._done < len(drawn.steps) or not self._track.segments:
            steps = Drawn(drawn.samples, drawn.steps[self._done :], drawn.size, ops=drawn.ops, lazy=drawn.lazy)
            (steps if self.of is None else steps.repeated(self.of)).lower_onto(self._track)
            self._done = len(drawn.steps)
            self._views = settle(self._track)
        return self._views


class Now:
    """Masks and boxes in the middle of a pipeline. Computed only when asked, each step once.

    Args:
        masks: of ``mask=``. others: those of the samples that were brought along, by name.
        frames, of: of ``masks=``, and whose each is.
        read: what the caller passed for `Transform.reads`, by name, an entry for each sample.
    """

    def __init__(
        self,
        masks: Batch | None,
        boxes: Boxes | None,
        others: dict[str, Batch] | None = None,
        *,
        frames: Batch | None = None,
        of: np.ndarray | None = None,
        read: dict[str, Any] | None = None,
    ):
        self._masks = None if masks is None else _Executed(masks, others=others)
        self._frames = None if frames is None else _Executed(frames, of)
        self._boxes, self._given = boxes, read or {}
        self._drawn: Drawn | None = None
        self._rows: np.ndarray | None = None

    def at(self, drawn: Drawn, rows: np.ndarray) -> Now:
        """The samples ``rows`` behind the steps that are drawn so far."""
        self._drawn, self._rows = drawn, rows
        return self

    def masks(self, who: str) -> list[np.ndarray]:
        """The masks ``[H, W]`` of the samples in question, in the host's memory.  # synchronizes a GPU"""
        if self._masks is None:
            raise ValueError(f"{who} needs mask= among the targets: its objects are regions of the mask")
        if self._masks.batch.channels != 1:
            raise ValueError(f"{who} needs masks of one channel, got {self._masks.batch.channels}")
        views = self._masks.at(self._drawn)
        return [views[i][..., 0].cpu().numpy() for i in self._rows.tolist()]

    def all_masks(self, who: str) -> list[list[torch.Tensor]]:
        """For each sample in question its masks ``[H, W, C]``, on their device: the one of mask=, else those of masks=."""
        if self._masks is not None:
            views = self._masks.at(self._drawn)
            return [[views[i]] for i in self._rows.tolist()]
        if self._frames is None:
            raise ValueError(f"{who} needs mask= or masks= among the targets")
        views, of = self._frames.at(self._drawn), self._frames.of
        return [[views[j] for j in np.flatnonzero(of == i).tolist()] for i in self._rows.tolist()]

    def boxes(self, who: str, labels=None) -> list[np.ndarray]:
        """The boxes ``[k, 4]`` in pixels, of given labels (None: all), of the samples in question."""
        if self._boxes is None:
            raise ValueError(f"{who} needs bboxes= among the targets and bbox_params")
        boxes = self._boxes.copy()
        self._drawn.move_marks(boxes, boxes.size)
        found = []
        for i in self._rows.tolist():
            mine = boxes.sample == i
            if labels is not None:
                places = zip(boxes.home[mine].tolist(), boxes.origin[mine].tolist())
                wanted = [boxes.label(home, k) in labels for home, k in places]
                mine = np.flatnonzero(mine)[np.array(wanted, bool)]
            found.append(boxes.hulls()[mine])
        return found

    def read(self, who: str, name: str) -> list:
        """What the caller passed as ``name=`` for the samples in question; no step changes it."""
        if name not in self._given:
            raise ValueError(f"{who} needs {name}= among the targets")
        return [self._given[name][i] for i in self._rows.tolist()]


def _plain(batch: Batch) -> Batch:
    """Masks in the type that travels: labels are numbers here."""
    return Batch(batch.address, batch.size, batch.stride, batch.channels, batch.dtype, batch.device, batch.owner)

"""What draws that depend on the data may ask for: masks and boxes as they are at that step."""

from __future__ import annotations

import numpy as np

from .batch import Batch
from .deliver import settle
from .drawn import Drawn
from .targets import Boxes
from .track import Track


class Now:
    """Masks and boxes in the middle of a pipeline. Computed only when asked, each step once."""

    def __init__(self, masks: Batch | None, boxes: Boxes | None, others: dict[str, Batch] | None = None):
        """others: masks of the samples that were brought along, by name."""
        self._masks, self._boxes = masks, boxes
        self._others = others or {}
        self._track: Track | None = None
        self._done = 0  # how many steps the masks have behind them
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
        if self._masks.channels != 1:
            raise ValueError(f"{who} needs masks of one channel, got {self._masks.channels}")
        if self._track is None:
            self._track = Track(_plain(self._masks), "mask")
            self._track.others.update({key: _plain(other) for key, other in self._others.items()})
        if self._done < len(self._drawn.steps) or not self._track.segments:
            self._drawn.lower_onto(self._track, self._done)
            self._done = len(self._drawn.steps)
            self._views = settle(self._track)
        return [self._views[i][..., 0].cpu().numpy() for i in self._rows.tolist()]

    def boxes(self, who: str, labels) -> list[np.ndarray]:
        """The boxes ``[k, 4]`` in pixels, of given labels, of the samples in question."""
        if self._boxes is None:
            raise ValueError(f"{who} needs bboxes= among the targets and bbox_params")
        boxes = self._boxes.copy()
        self._drawn.move_marks(boxes, boxes.size)
        found = []
        for i in self._rows.tolist():
            mine = boxes.sample == i
            wanted = [boxes.label(home, k) in labels for home, k in zip(boxes.home[mine].tolist(), boxes.origin[mine].tolist())]
            found.append(boxes.values[mine][np.array(wanted, bool)])
        return found


def _plain(batch: Batch) -> Batch:
    """Masks in the type that travels: labels are numbers here."""
    return Batch(batch.address, batch.size, batch.stride, batch.channels, batch.dtype, batch.device, batch.owner)

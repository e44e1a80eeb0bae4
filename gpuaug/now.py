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

    def __init__(self, masks: Batch | None, boxes: Boxes | None):
        self._masks, self._boxes = masks, boxes
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
            batch = self._masks
            # in the type that travels: labels are numbers here
            plain = (batch.address, batch.size, batch.stride, 1, batch.dtype, batch.device, batch.owner)
            self._track = Track(Batch(*plain), "mask")
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
            wanted = [boxes.label(i, k) in labels for k in boxes.origin[mine].tolist()]
            found.append(boxes.values[mine][np.array(wanted, bool)])
        return found

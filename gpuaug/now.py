"""What draws that depend on the data may ask for: masks and boxes as they are at that step, and what came with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .drawn import Drawn
from .executed import Executed
from .handing import Handing
from .handing_batch import BatchHanding
from .inputs import Inputs
from .targets import Marks
from .track import Track


class Now:
    """A call's targets in the middle of a pipeline. Computed only when asked, each step once.

    Args:
        targets: images and masks, by name. kinds: what each name of these and of the marks is: "image", "masks", "bboxes", ..
        marks: boxes and keypoints.
        read: what the caller passed for `Transform.reads`, by name, an entry for each sample. beside: the same of what nobody
            declared.
        device: where results go; None: where the data lies.
    """

    def __init__(
        self,
        targets: dict[str, Executed],
        marks: list[Marks],
        kinds: dict[str, str],
        read: dict[str, Any] | None = None,
        device=None,
        beside: dict[str, list] | None = None,
    ):
        self._targets, self._marks, self._kinds, self._given = targets, marks, kinds, read or {}
        self._beside = beside or {}
        self._drawn: Drawn | None = None
        self._device = device
        self._rows: np.ndarray | None = None

    @classmethod
    def of(cls, given: Inputs, device=None) -> Now:
        """Those of a call."""
        targets = {}
        for name, batch in given.batches.items():
            frames = given.sets.get(name)
            if frames is None or len(batch):  # of sets without a frame nothing is known
                came = given.values[name], given.one and frames is None, given.layout
                targets[name] = Executed(batch, given.kinds[name], frames, given.others_of(name), came)
        kinds = {name: given.target_of(name) for name in given.batches} | {marks.name: type(marks).name for marks in given.marks}
        read, beside = (
            {name: [value] if given.one else value for name, value in of.items()} for of in (given.read, given.beside_samples())
        )
        return cls(targets, given.marks, kinds, read, device, beside)

    def at(self, drawn: Drawn, rows: np.ndarray) -> Now:
        """The samples ``rows`` behind the steps that are drawn so far."""
        self._drawn, self._rows = drawn, rows
        return self

    def masks(self, who: str) -> list[np.ndarray]:
        """The masks ``[H, W]`` of the samples in question, in the host's memory.  # synchronizes a GPU"""
        masks = self._targets.get("mask")
        if masks is None:
            raise ValueError(f"{who} needs mask= among the targets: its objects are regions of the mask")
        if masks.batch.channels != 1:
            raise ValueError(f"{who} needs masks of one channel, got {masks.batch.channels}")
        self._alike(masks, who)
        views = masks.views(self._drawn)
        return [views[i][..., 0].cpu().numpy() for i in self._rows.tolist()]

    def all_masks(self, who: str) -> list[list[torch.Tensor]]:
        """For each sample in question its masks ``[H, W, C]``, on their device: the one of mask=, else those of masks=."""
        masks, frames = self._targets.get("mask"), self._targets.get("masks")
        for each in (masks, frames):
            self._alike(each, who)
        if masks is not None:
            views = masks.views(self._drawn)
            return [[views[i]] for i in self._rows.tolist()]
        if frames is None:
            raise ValueError(f"{who} needs mask= or masks= among the targets")
        views, of = frames.views(self._drawn), frames.of
        return [[views[j] for j in np.flatnonzero(of == i).tolist()] for i in self._rows.tolist()]

    def _alike(self, masks: Executed | None, who: str) -> None:
        """Raise where masks that a draw looks at have not the sizes of their images."""
        track = None if masks is None else masks.track(self._drawn)
        if track is not None and track.frame is not None and (track.frame != track.size).any():
            i = int((track.frame != track.size).any(1).argmax())
            raise ValueError(
                f"{who} looks for places of the image in its mask, which must have its size then: mask {i} is "
                f"{tuple(track.size[i].tolist())} (height, width), the image {tuple(track.frame[i].tolist())}"
            )

    def boxes(self, who: str, labels=None) -> list[np.ndarray]:
        """The boxes ``[k, 4]`` in pixels, of given labels (None: all), of the samples in question."""
        boxes = next((marks.copy() for marks in self._marks if marks.name == "bboxes"), None)
        if boxes is None:
            raise ValueError(f"{who} needs bboxes= among the targets and bbox_params")
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

    def has(self, name: str) -> bool:
        """Whether the caller passed ``name=``."""
        return name in self._given

    def read(self, who: str, name: str) -> list:
        """What the caller passed as ``name=`` for the samples in question; no step changes it."""
        if name not in self._given:
            raise ValueError(f"{who} needs {name}= among the targets")
        return [self._given[name][i] for i in self._rows.tolist()]

    def carry_out(self, transform, seeds: list[int], size: np.ndarray, *, together: bool = False) -> dict:
        """Let a transform work on the samples in question as a whole (`gpuaug.handing`; together: `gpuaug.handing_batch`);
        returns its parameters."""
        kind = BatchHanding if together else Handing
        if together and self._device is not None:
            for name, target in self._targets.items():
                if transform.handles(self._kinds[name]):
                    target.device_of(self._drawn, self._device)
        given = self._given
        beside = given | self._beside if transform.looks else {name: given[name] for name in transform.reads if name in given}
        params = kind(self._targets, self._marks, self._kinds, self._drawn, transform, self._rows, size, beside).run(seeds)
        self._drawn.begun = self
        params["seed"] = np.array(seeds, np.uint64)
        return params

    def rest(self, name: str, drawn: Drawn, device: torch.device | None) -> Track | None:
        """A target behind all steps, if some of them were carried out; None if it is a set without images."""
        target = self._targets.get(name)
        if target is None:
            return None
        target.device_of(drawn, device)
        return target.track(drawn)


class Unseen(Now):
    """No data at all: what a draw that looks at them gets is an error."""

    def __init__(self):
        super().__init__({}, [], {})

    def _refuse(self, who, *args, **kwargs):
        who = who if isinstance(who, str) else type(who).__name__
        raise ValueError(
            f"what {who} draws depends on the data, of which nothing is known here: call the pipeline with them and "
            f"save_applied_params=True"
        )

    masks = all_masks = boxes = read = carry_out = _refuse

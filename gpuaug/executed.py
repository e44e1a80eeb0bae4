"""A target in the middle of a pipeline: executed up to there, looked at or replaced, and gone on from."""

from __future__ import annotations

import numpy as np
import torch

from .batch import DTYPES, TORCH_DTYPES, Batch
from .deliver import Container, settle
from .drawn import Drawn
from .elements import address
from .frames import Frames
from .track import Track
from .transfer import moved

_HANDED = ("doing", "may", "ops", "layout", "segments", "others", "flat", "frame")


class Executed:
    """One target of a batch behind the steps that are drawn so far; each step is executed once.

    Args:
        kind: ``"image"`` or ``"mask"``.
        frames: of a set, whose each image is; None: sample i's.
        others: the same target of samples that were brought along, by name.
        came: what the caller passed, whether it is one sample's, and its layout: does an image have an axis for channels?
    """

    def __init__(
        self,
        batch: Batch,
        kind: str,
        frames: Frames | None = None,
        others: dict[str, Batch] | None = None,
        came: tuple | None = None,
    ):
        self.batch, self.kind, self.frames, self._others, self._came = batch, kind, frames, others or {}, came
        self.of = None if frames is None else frames.of
        self.done = 0  # how many steps
        self._track: Track | None = None
        self._views: list[torch.Tensor] | None = None

    def track(self, drawn: Drawn) -> Track:
        """The track with all steps that are drawn."""
        if self._track is None:
            self._track = Track(self.batch, self.kind)
            self._track.others.update(self._others)
            self._track.ops = drawn.ops
            drawn.frame(self._track, self.of)
        if self.done < len(drawn.steps):
            steps = Drawn(drawn.samples, drawn.steps[self.done :], drawn.size, ops=drawn.ops, lazy=drawn.lazy)
            (steps if self.of is None else steps.repeated(self.of)).lower_onto(self._track)
            self.done = len(drawn.steps)
        return self._track

    def views(self, drawn: Drawn) -> list[torch.Tensor]:
        """All images ``[H, W, C]`` behind the steps that are drawn, on their device; they may be written into."""
        track = self.track(drawn)
        if self._views is None or track.untouched() is None:
            self._views = settle(track)
        return self._views

    def device_of(self, drawn: Drawn, device: torch.device | None) -> None:
        """Bring what is there so far to a device."""
        track = self.track(drawn)
        if device is None or device.type == track.device.type:
            return
        self.views(drawn)
        others = {key: moved(other, device) for key, other in track.others.items()}
        there = Track(moved(track.batch, device), track.kind)
        for name in _HANDED:
            setattr(there, name, getattr(track, name))
        there.others = others
        there.doing = track.doing
        self._track, self._views = there, None

    @property
    def blank(self) -> bool:
        """Whether nobody passed it: `Compose.explain` makes masks up."""
        return self._came is None

    @property
    def flat(self) -> bool:
        """Whether images of one channel have no axis for it."""
        if self._track is not None and self._track.flat is not None:
            return self._track.flat
        if self._came is None or isinstance(self._came[0], Batch):
            return self.kind == "mask"
        return Container(*self._came).flat

    def replace(self, changed: dict[int, torch.Tensor], flat: bool | None) -> None:
        """Go on from other images: ``[H, W, C]``, contiguous, on the track's device, of its type and number of channels."""
        track = self._track
        old, item = track.batch, DTYPES[track.dtype][1]
        at, size, stride = old.address.copy(), np.array(track.size), old.stride.copy()
        for i, image in changed.items():
            at[i], size[i] = address(image, "a result"), image.shape[:2]
            stride[i] = image.stride()
        assert item == next(iter(changed.values())).element_size()
        owner = (old.owner, list(changed.values()))
        track.go_on(None, Batch(at, size, stride, track.channels, track.dtype, track.device, owner, track.given))
        track.flat = flat
        for i, image in changed.items():
            self._views[i] = image

    def become(self, batch: Batch, flat: bool | None) -> None:
        """Go on from other images of all samples, of another type or number of channels."""
        self._track.go_on(None, moved(batch, self._track.device))
        self._track.flat, self._views = flat, None


def as_plain(view: torch.Tensor) -> np.ndarray:
    """A view in the host's memory; bfloat16, which NumPy does not have, as float32.  # synchronizes a GPU"""
    return (view.float() if view.dtype == torch.bfloat16 else view).cpu().numpy()


def in_type(image: np.ndarray, dtype: str) -> torch.Tensor:
    """An array as a contiguous tensor of a track's type."""
    whole = np.ascontiguousarray(image)
    # torch warns of arrays that must not be written, as those of PIL images are
    return torch.from_numpy(whole if whole.flags.writeable else whole.copy()).to(TORCH_DTYPES[dtype])

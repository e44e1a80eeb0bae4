"""What a call gives back for each target: dense tensors for a loader, or the containers that came."""

from __future__ import annotations

import numpy as np
import torch

from .deliver import Container, deliver
from .drawn import Drawn
from .inputs import Inputs
from .transfer import moved


class Dense:
    """Dense tensors ``[B, C, H, W]`` on a device, of sets ``[B, T, ..]``.

    Args:
        device: where to compute and deliver; None: where the data lies.
        dtype: torch dtype of images; None: what the transforms leave.
        channels_last: images in channels-last memory.
    """

    def __init__(self, device, dtype, channels_last: bool):
        self.device, self.dtype, self.channels_last = device, dtype, channels_last

    def __call__(self, given: Inputs, name: str, drawn: Drawn):
        batch, kind, frames = given.batches[name], given.kinds[name], given.sets.get(name)
        of = None if frames is None else frames.of
        none = frames is not None and not len(batch)
        if none:  # no sample has a frame: what one of each would become, less the frame
            of = np.arange(drawn.samples)
            batch = given.blanks(name, range(len(given.size)))
        others = {key: moved(other, self.device) for key, other in given.others_of(name).items()}
        track = (drawn if of is None else drawn.repeated(of)).lower(moved(batch, self.device), kind, others)
        dtype = self.dtype if kind == "image" else None
        done = deliver(track, name, dtype, self.channels_last, squeeze=kind == "mask")
        if none:
            return done[:, None][:, :0]
        if frames is None:
            return done
        counts = frames.counts
        if len(set(counts)) == 1 and len(set(frames.volumes or [1])) == 1:
            return frames.nested(done.view(len(counts), -1, *done.shape[1:]), 1)
        parts = done.split(counts)
        return list(parts) if frames.volumes is None else [x.view(n, -1, *x.shape[1:]) for n, x in zip(frames.volumes, parts)]


class AsCame:
    """NumPy for NumPy, tensors for tensors, a list for a list, one sample for one."""

    def __call__(self, given: Inputs, name: str, drawn: Drawn):
        batch, kind, frames = given.batches[name], given.kinds[name], given.sets.get(name)
        done = []
        if frames is None or len(batch):
            track = (drawn if frames is None else drawn.repeated(frames.of)).lower(batch, kind, given.others_of(name))
            done = Container(given.values[name], given.one and frames is None, given.layout).delivered(track, name)
        return done if frames is None else frames.group(done, lambda i: self._no_frames(given, name, drawn, i))

    def _no_frames(self, given: Inputs, name: str, drawn: Drawn, i: int) -> np.ndarray | torch.Tensor:
        """What becomes of sample i's set of no frames, an array: none of the size and type that they would have."""
        frames = given.sets[name]
        blank = frames.blank(i)
        if blank is None:
            return frames.parts[i]
        track = drawn.repeated(np.array([i])).lower(given.blanks(name, [i]), given.kinds[name])
        return Container([blank], False, given.layout).delivered(track, name)[0][None][:0]

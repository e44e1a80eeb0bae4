"""What a call gives back for each target: dense tensors for a loader, or the containers that came."""

from __future__ import annotations

import numpy as np
import torch

from .deliver import Container, deliver
from .drawn import Drawn
from .frames import Frames
from .inputs import Inputs
from .solids import Solid
from .track import Track
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

    def masks(self, track: Track, masks: list, name: str) -> torch.Tensor:
        """Masks of objects that came out of several samples, one after the other."""
        return deliver(track, name, None, self.channels_last, squeeze=not track.planes)

    def __call__(self, given: Inputs, name: str, drawn: Drawn):
        batch, kind, frames = given.batches[name], given.kinds[name], given.sets.get(name)
        of = None if frames is None else frames.of
        none = frames is not None and not len(batch)
        if none:  # no sample has a frame: what one of each would become, less the frame
            of = np.arange(drawn.samples)
            batch = given.blanks(name, range(len(given.size)))
        others = {key: moved(other, self.device) for key, other in given.others_of(name).items()}
        solid = _solid(drawn, moved(batch, self.device), kind, frames, others)
        if solid is not None:
            track, frames = solid.track, frames.with_depth(solid.depth)
        else:
            track = None if none else _begun(drawn, name, self.device)
            track = track or (drawn if of is None else drawn.repeated(of)).lower(moved(batch, self.device), kind, others)
        dtype = self.dtype if kind == "image" else None
        tensor = solid is not None and solid.tensor
        done = deliver(track, name, dtype, self.channels_last, squeeze=kind == "mask" and not tensor and not track.planes)
        if none:
            return done[:, None][:, :0]
        if frames is None:
            return done
        counts = frames.counts
        if len(set(counts)) == 1 and len(set(frames.volumes or [1])) == 1:
            return _planes(frames.nested(done.view(len(counts), -1, *done.shape[1:]), 1), tensor)
        parts = done.split(counts)
        if frames.volumes is not None:
            parts = [x.view(n, -1, *x.shape[1:]) for n, x in zip(frames.volumes, parts)]
        return [_planes(part, tensor) for part in parts]


class AsCame:
    """NumPy for NumPy, tensors for tensors, a list for a list, one sample for one."""

    device = None  # where the data lies

    def masks(self, track: Track, masks: list, name: str):
        """Masks of objects that came out of several samples, in the containers that they came in."""
        return Container(masks, False, None).delivered(track, name)

    def __call__(self, given: Inputs, name: str, drawn: Drawn):
        batch, kind, frames = given.batches[name], given.kinds[name], given.sets.get(name)
        done, solid = [], _solid(drawn, batch, kind, frames, given.others_of(name))
        if solid is not None:
            track, frames = solid.track, frames.with_depth(solid.depth)
            if solid.tensor:
                track.layout = "CHW"
            done = Container(given.values[name], False, given.layout).delivered(track, name)
            done = frames.group(done, None)
            return _tensors(done, frames) if solid.tensor else done
        if frames is None or len(batch):
            track = _begun(drawn, name, None) or (drawn if frames is None else drawn.repeated(frames.of)).lower(
                batch, kind, given.others_of(name)
            )
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


def _begun(drawn: Drawn, name: str, device) -> Track | None:
    """A target whose first steps were carried out during the draw, behind all of them."""
    return None if drawn.begun is None else drawn.begun.rest(name, drawn, device)


def _solid(drawn: Drawn, batch, kind: str, frames, others) -> Solid | None:
    """Volumes behind all steps, where some work on them as a whole."""
    solid = next((step.transform for step in drawn.steps if step.transform.solid), None)
    if frames is None or not frames.solid or solid is None:
        return None
    if drawn.begun is not None:
        raise ValueError(
            f"{type(solid).__name__} works on volumes as a whole, which a pipeline with transforms of a user's own does not "
            f"carry; put these into a Compose of their own"
        )
    volumes = frames.per_sample()
    return drawn.lower_solid(batch, kind, np.repeat(np.arange(len(volumes)), volumes), np.repeat(frames.depth(), volumes), others)


def _planes(done: torch.Tensor, tensor: bool) -> torch.Tensor:
    """Volumes ``[.., D, C, H, W]`` as ``[.., C, D, H, W]``, if they are to be."""
    return done.transpose(-4, -3) if tensor else done


def _tensors(done, frames: Frames):
    """Volumes as tensors ``[C, D, H, W]``; of masks without an axis for channels one is made."""

    def one(volume: torch.Tensor, rank: int) -> torch.Tensor:
        return volume.transpose(-4, -3) if volume.ndim == rank else volume.unsqueeze(-4)

    rank = 4 if frames.volumes is None else 5
    if frames.one or not frames.dense:
        done = torch.stack(done) if frames.one and isinstance(done, list) else done
        return [one(each, rank) for each in done] if isinstance(done, list) else one(done, rank)
    return one(done, rank + 1)

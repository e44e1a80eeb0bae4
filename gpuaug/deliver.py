"""Results: plans are finished into dense tensors, or into one tensor per sample, in the kind of container that came in."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from . import library
from .backends import execute
from .batch import DTYPES, TORCH_DTYPES, Batch
from .elements import WIDE, address
from .pool import array, empty
from .track import Track


class Container:
    """Puts results into the kind of container that came in."""

    def __init__(self, value: Any, one: bool, layout: str | None):
        self.one, self.tensor = one, isinstance(value, torch.Tensor)
        self.list = isinstance(value, (list, tuple))
        sample = value[0] if self.list and len(value) else value
        self.tensor = isinstance(sample, torch.Tensor)
        self.planar = layout == "CHW" if layout else self.tensor
        self.flat = getattr(sample, "ndim", 3) == (2 if one or self.list else 3)
        self.order = sample.dtype if isinstance(sample, np.ndarray) and not sample.dtype.isnative else None

    def delivered(self, track: Track, name: str) -> Any:
        tensor = self.tensor or bool(track.layout)
        planar = track.layout == "CHW" or (self.planar and track.layout != "HWC")
        if self.list:
            parts = deliver_ragged(track, planar)
        elif tensor:
            whole = deliver(track, name, None, not planar, squeeze=False)
            parts = whole if planar else whole.permute(0, 2, 3, 1)
        else:
            parts = _array(track, name, planar)
        # ToTensorV2 makes [1, H, W] of an image [H, W]; a mask stays [H, W]
        flat = (
            (self.flat if track.flat is None else track.flat)
            and track.channels == 1
            and not track.planes
            and not (track.layout == "CHW" and not self.tensor and track.kind == "image")
        )

        def shape(sample, axis):
            sample = sample.squeeze(axis) if flat else sample
            if tensor:
                return sample
            sample = sample.numpy() if self.list else sample
            back = self.order is not None and sample.dtype == self.order.newbyteorder("=")
            return sample.astype(self.order) if back else sample

        if self.list:
            return [shape(p, 0 if planar else 2) for p in parts]
        if self.one:
            return shape(parts[0], 0 if planar else 2)
        return shape(parts, 1 if planar else 3)


def given_back(data, given: str):
    """What the kernels wrote, dense, in the type that came in."""
    if given == "":
        return data
    if isinstance(data, np.ndarray):
        return given_back(torch.from_numpy(data), given).numpy()
    if given == "uint32":
        return data.view(torch.uint32)
    dtype = getattr(torch, given)
    if given == "uint16" and data.is_floating_point():
        data = (data.clamp(0, 1) * WIDE).round_()
    return (empty(data.shape, dtype, data.device) if data.is_contiguous() else torch.empty_like(data, dtype=dtype)).copy_(data)


def _one_size(track: Track, name: str) -> tuple[int, int]:
    """Height and width of all samples."""
    size, n = track.size, track.samples
    words = size.tobytes()  # a third of the time that comparing arrays takes
    if words != words[:8] * n:
        i = int(np.flatnonzero((size != size[0]).any(1))[0])
        raise ValueError(
            f"samples end with different sizes: {name} 0 is {tuple(size[0].tolist())} (height, width), {name} {i} "
            f"is {tuple(size[i].tolist())}; end the pipeline with a transform of fixed size (RandomResizedCrop, "
            f"Resize, RandomCrop, CenterCrop), or pass a list of samples to get a list back"
        )
    return tuple(size[0].tolist()) if n else (0, 0)


@lru_cache(64)
def _places(n: int, h: int, w: int, c: int, item: int, channels_last: bool) -> tuple[np.ndarray, np.ndarray]:
    """Bytes from a dense batch's first sample to each, and the strides of all in elements: made once for every loop."""
    stride = np.array((w * c, c, 1) if channels_last else (w, 1, h * w), np.int64)
    return h * w * c * item * np.arange(n, dtype=np.int64), stride


def _run(track: Track, base: int, h: int, w: int, kind: str, channels_last: bool) -> None:
    """Execute a track into dense memory."""
    if track.samples:
        step, stride = _places(track.samples, h, w, track.channels, DTYPES[kind][1], channels_last)
        execute(track.finish(base + step, stride, kind), track.device)


def deliver(track: Track, name: str, dtype, channels_last: bool, squeeze: bool) -> torch.Tensor:
    """Finish a track into one dense tensor [B, C, H, W] (squeeze: [B, H, W] if there is one channel).

    dtype: by default the type that came in (`gpuaug.elements`), or what the transforms made of it.
    """
    (h, w), n, c = _one_size(track, name), track.samples, track.channels
    wanted = None if dtype is None else _name(dtype)
    # labels travel as bits, which the kernels do not convert: torch does
    wide = track.given == "uint16" and track.dtype == "float32"  # fractions, which are made numbers of first
    kind = track.dtype if wanted is None or wide or track.dtype == "int32" or wanted == "int32" else wanted
    out = empty((n, h, w, c) if channels_last else (n, c, h, w), TORCH_DTYPES[kind], track.device)
    _run(track, address(out, name), h, w, kind, channels_last)
    if wanted is None or kind != wanted or wide:
        out = given_back(out, track.given)
    out = out if wanted is None else out.to(TORCH_DTYPES[wanted])
    out = out.permute(0, 3, 1, 2) if channels_last else out
    return out[:, 0] if squeeze and c == 1 else out


def _array(track: Track, name: str, planar: bool) -> np.ndarray:
    """Finish a track in the host's memory into one dense array [B, C, H, W] (planar) or [B, H, W, C]."""
    (h, w), n, c = _one_size(track, name), track.samples, track.channels
    last = track.untouched() if track.segments and not planar else None
    if last is not None and isinstance(last.owner, np.ndarray):  # a host stage made it, and nothing came behind
        return given_back(last.owner, track.given)
    out = array((n, c, h, w) if planar else (n, h, w, c), track.dtype)
    _run(track, library.load().address(out), h, w, track.dtype, not planar)
    return given_back(out, track.given)


def deliver_ragged(track: Track, planar: bool) -> list[torch.Tensor]:
    """Finish a track into one tensor per sample, CHW or HWC, all in one buffer."""
    out, start, _ = _ragged(track, planar)
    return _pieces(given_back(out, track.given), start, track, planar)


def settled(track: Track) -> Batch:
    """The batch that a track reads once everything that it has planned is executed; nothing is where nothing was planned."""
    if track.planned:
        settle(track)
    return track.batch


def settle(track: Track) -> list[torch.Tensor]:
    """Execute what a track has planned so far: it goes on from the result, which is one HWC tensor per sample."""
    out, start, plan = _ragged(track, False)
    size = track.size.copy()
    at = (address(out, "the result") if track.samples else 0) + start * DTYPES[track.dtype][1]
    stride = _dense(size, track.channels, False)
    track.go_on(plan, Batch(at, size, stride, track.channels, track.dtype, track.device, out, track.given))
    return _pieces(out, start, track, False)


def _dense(size: np.ndarray, channels: int, planar: bool) -> np.ndarray:
    """Strides of dense samples."""
    h, w = size.astype(np.int64).T
    one = np.ones_like(h)
    return np.stack([w, one, h * w] if planar else [w * channels, channels * one, one], 1)


def _ragged(track: Track, planar: bool):
    """Execute a track into one buffer: it, where in it each sample starts, and the plan."""
    size = track.size.astype(np.int64)
    start = np.concatenate([[0], np.cumsum((size[:, 0] * size[:, 1] * track.channels + 63) & ~63)])
    out = empty((int(start[-1]),), TORCH_DTYPES[track.dtype], track.device)
    plan = None
    if track.samples:
        to = address(out, "the result") + start[:-1] * DTYPES[track.dtype][1]
        plan = track.finish(to, _dense(size, track.channels, planar), track.dtype)
        execute(plan, track.device)
    return out, start[:-1], plan


def _pieces(out: torch.Tensor, start: np.ndarray, track: Track, planar: bool) -> list[torch.Tensor]:
    shapes = [(track.channels, h, w) if planar else (h, w, track.channels) for h, w in track.size.tolist()]
    return [out[at : at + math.prod(shape)].view(shape) for at, shape in zip(start.tolist(), shapes)]


def _name(dtype) -> str:
    name = str(dtype).rsplit(".", 1)[-1]
    if name not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    return name

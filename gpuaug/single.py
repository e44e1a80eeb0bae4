"""One image a call, as ``Dataset.__getitem__`` makes them: what `Compose` does with batches, less what one array does not need.

Draws, verbs, plans and kernels are those of every call. What is left out is the search for what came and the making of containers
(100 us of 155 for a flip, a crop and Normalize of 32x32). Where no parameters are drawn (flips, Normalize), so is the plan: one
is kept, and runs with the addresses of other images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch

from . import library, uniforms
from .backends.cpu import done
from .batch import _NUMPY, DTYPES, NUMPY_DTYPES, Batch
from .deliver import Container
from .drawn import Drawn, Step, checked, drawn_by
from .pool import array
from .stages import ALL
from .track import Track
from .transform import CHANGES, Params, Transform, View
from .tree import Tree

KEPT = 64  # kinds of images, and plans, that are remembered at once
# kernels/host/track.cpp: what stands for the addresses of image and result in a plan that is kept
_FROM, _TO = np.array([3 << 59], np.int64), np.array([5 << 59], np.int64)
_CPU = torch.device("cpu")


@dataclass(eq=False, slots=True)
class _Kind:
    """What arrays of one shape, strides and type have in common."""

    size: np.ndarray  # int32 [1, 2]
    stride: np.ndarray  # int64 [1, 3]
    channels: int
    dtype: str
    flat: bool  # [H, W]


class _Kept(NamedTuple):
    """A plan that is kept, and the result that it writes."""

    memory: np.ndarray
    shape: tuple[int, ...]
    dtype: str
    planes: bool


class Single:
    """The short way of one `Compose`, for ``image=``, or ``image=`` and ``mask=``, that are NumPy arrays."""

    def __init__(self, tree: Tree, able: bool):
        """able: there is nothing to be done but what the tree says, one step after the other."""
        leaves = [leaf[0] for leaf in tree.leaves if leaf]
        self.able = able and not tree.loose and not any(t.asks or t.solid or t.reads or t.metadata_key for t in leaves)
        self._tree, self._drawless = tree, all(type(t).draw is Transform.draw for t in leaves)
        self._kinds: dict[tuple, _Kind | None] = {}
        self._plans: dict[tuple, _Kept] = {}
        self._changes = -1
        self._once = np.zeros(1, np.uint32)

    def __getstate__(self) -> dict:
        return {
            **vars(self),
            "_kinds": {},
            "_plans": {},
            "_changes": -1,
        }  # they count changes and name transforms of this process

    def __call__(self, compose, targets: dict[str, np.ndarray], planar: bool = False) -> dict[str, Any] | None:
        """What ``compose(**targets)`` returns; None: these targets take the long way.

        planar: the image is a tensor's ``[C, H, W]`` seen as ``[H, W, C]``, and becomes one.
        """
        host, kinds, size = library.load(), [], None
        for image in targets.values():
            key = image.shape, image.strides, image.dtype
            kind = self._kinds.get(key)
            if kind is None:
                kind = self._learn(key, image)
            if kind is None or (kind.dtype != "uint8" and (compose._scales or not image.flags.aligned)):
                return None
            if size is not None and (kind.size != size).any():
                return None
            address, size = host.address(image), kind.size
            if not address:
                return None
            kinds.append((kind, address))
        tree = self._tree
        seed, ids = compose._stream.call(compose.seed, None, 1)
        taken, u = tree.sure(), None
        if taken is None or not self._drawless:
            u = uniforms.table(seed, 0, ids, self._once, tree.slots, tree.blocks)
            taken = list(tree.walk(u)) if taken is None else taken
        if self._changes != CHANGES[0]:  # somebody set an argument of a transform
            self._plans, self._changes = {}, CHANGES[0]
        who, drawn, out = tuple([id(each[0]) for each in taken]), None, {}
        for (name, image), (kind, address) in zip(targets.items(), kinds):
            kept = self._plans.get((name, kind, who, planar))
            if kept is not None:
                made = array(kept.shape, kept.dtype)
                done(host.replay(kept.memory, address, host.address(made), torch.get_num_threads()))
                out[name] = torch.from_numpy(made) if kept.planes else made
                continue
            if drawn is None:
                drawn = self._drawn(taken, u, kinds[0][0])
            batch = Batch(np.array([address]), kind.size, kind.stride, kind.channels, kind.dtype, _CPU, image)
            track = drawn.lower(batch, name)
            planes = name == "image" and (track.layout == "CHW" if track.layout else planar) and track.dtype in NUMPY_DTYPES
            if track.segments or track.given or track.planes or (not planes and (planar or track.layout)):
                as_came = torch.from_numpy(image.transpose(2, 0, 1)) if planar else image
                out[name] = Container(as_came, True, None).delivered(track, name)
                continue
            made = _deliver(host, track, kind, planes)
            out[name] = torch.from_numpy(made) if planes else made
            if self._drawless or all(type(each[0]).draw is Transform.draw for each in taken):
                self._keep((name, kind, who, planar), drawn, name, kind, made, planes)
        return out

    def _learn(self, key: tuple, image: np.ndarray) -> _Kind | None:
        """None: of a type that is converted, or what the long way refuses."""
        if key in self._kinds:
            return None
        kind = None
        if image.ndim in (2, 3) and image.dtype in _NUMPY and image.flags.aligned:
            try:
                batch = Batch.of([image])
            except (TypeError, ValueError):  # the long way says so, and which target it is
                batch = None
            if batch is not None and batch.owner[0] is image and not batch.given:
                kind = _Kind(batch.size, batch.stride, batch.channels, batch.dtype, image.ndim == 2)
        if len(self._kinds) >= KEPT:
            self._kinds = {}
        self._kinds[key] = kind
        return kind

    def _drawn(self, taken: list, u: np.ndarray, kind: _Kind) -> Drawn:
        size, channels, steps = kind.size.astype(np.int64), kind.channels, []
        for transform, lines, _ in taken:
            if type(transform).draw is Transform.draw:
                params = Params()
            else:
                params = checked(transform, drawn_by(transform, u[lines].T, View(size, channels, kind.dtype)), 1)
            steps.append(Step(transform, ALL, params))
            size = transform.size_after(params, size)
            channels = transform.channels_then(params, channels)
        return Drawn(1, steps, size, ops=self._tree.ops)

    def _keep(self, key: tuple, drawn: Drawn, name: str, kind: _Kind, made: np.ndarray, planes: bool) -> None:
        """Keep the plan for other images of this kind."""
        batch = Batch(_FROM, kind.size, kind.stride, kind.channels, kind.dtype, _CPU, None)
        track = drawn.lower(batch, name)
        strides = _strides(*track.size[0].tolist(), track.channels, planes)
        plan = track.finish(_TO, strides, track.dtype)
        if len(self._plans) >= KEPT:
            self._plans = {}
        self._plans[key] = _Kept(plan.memory, made.shape, track.dtype, planes)


@lru_cache(64)
def _strides(height: int, width: int, channels: int, planes: bool) -> np.ndarray:
    return np.array([width, 1, height * width] if planes else [width * channels, channels, 1])


def _deliver(host, track: Track, kind: _Kind, planes: bool) -> np.ndarray:
    (height, width), channels = track.size[0].tolist(), track.channels
    if planes:
        shape = (channels, height, width)
    else:
        shape = (height, width) if kind.flat and channels == 1 else (height, width, channels)
    made = array(shape, track.dtype)
    handle, track._handle = track._handle, None
    how = (_strides(height, width, channels, planes), DTYPES[track.dtype][0], torch.get_num_threads())
    done(host.track_run(handle, host.address(made), *how))
    return made

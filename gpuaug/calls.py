"""Transforms and groups that are called by themselves, without a pipeline around them."""

from __future__ import annotations

import copy
from typing import Any

from .checks import integer
from .streams import Stream


class Calls:
    """Mixin of what can be called without a pipeline: a pipeline of it alone is made at the first call, and kept.

    Without a seed torch's generator decides what is drawn, as in a `gpuaug.Compose` without one.
    """

    _alone = None  # the pipeline
    _own_seed: int | None = None
    _own_stream: Stream | None = None

    def __call__(self, data: Any = None, *, force_apply: bool = False, **targets: Any):
        """Augment as ``Compose([self])`` does: an image, or ``image=``, ``mask=``, .. (then the result is a dict).

        Args:
            data: one image or a batch; or nothing, and the targets by name. What no pipeline knows is handed on as it came.
            force_apply: apply it whatever ``p`` says.

        Raises:
            ValueError: as `gpuaug.Compose`; ``bboxes=`` and ``keypoints=`` need a pipeline, which says how they are written.

        Example:
            >>> import numpy as np, gpuaug as G
            >>> G.HorizontalFlip(p=1)(image=np.arange(3, dtype=np.uint8).reshape(1, 3, 1), name="a")
            {'image': array([[[2],
                    [1],
                    [0]]], dtype=uint8), 'name': 'a'}
        """
        alone = self._alone or self._made()
        if force_apply and self.p < 1:
            forced = copy.copy(self)
            forced.p = 1.0
            alone = forced._made()
        return alone.forward(data, **targets)

    def _pipeline(self) -> type:
        """The class of the pipeline."""
        from . import Compose

        return Compose

    def _made(self):
        stream = self._own_stream or Stream()
        alone = self._pipeline()([self], seed=self._own_seed)
        alone._stream = stream
        for name, value in (("_own_stream", stream), ("_alone", alone)):
            object.__setattr__(self, name, value)  # nothing of what it is made with
        return alone

    def set_random_seed(self, seed: int | None) -> None:
        """Let calls of it by itself draw by a 64-bit seed, from the beginning; None: by torch's generator. In a pipeline the
        pipeline's seed decides."""
        seed = None if seed is None else integer("seed", seed, 0, 2**64 - 1)
        for name, value in (("_own_seed", seed), ("_own_stream", Stream()), ("_alone", None)):
            object.__setattr__(self, name, value)

    def __getstate__(self) -> dict:
        return {name: value for name, value in vars(self).items() if name != "_alone"}

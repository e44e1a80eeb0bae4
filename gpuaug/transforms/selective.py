"""Transforms that see some channels of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..elements import SIGNED
from ..uniforms import IDS
from ..whole import Whole

_IMAGES = ("image", "images", "volume", "volumes")


class SelectiveChannelTransform(Whole):
    """Apply transforms to some channels of an image, as if these were the image; the other channels stay.

    Args:
        transforms: list of transforms and groups, carried out one after the other, each with its own ``p``.
        channels: numbers of the channels that they see, in this order; each once.
        p: probability, per sample.

    Shapes and dtypes: any number of channels above those that are named; every element type that the transforms take. They must
    leave size, number of channels and element type as they are. Targets: image, images, volumes; masks, boxes and keypoints stay,
    also where the channels move. Runs on the device, on the samples that drew it. Source: albumentations
    ``SelectiveChannelTransform``.

    Raises:
        TypeError, ValueError: channels that are no list of different whole numbers from 0; an image without one of them; a
            transform that changed size, channels or type; names the samples.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.SelectiveChannelTransform([G.InvertImg(p=1)], channels=[1])])
        >>> aug(np.zeros((1, 1, 3), np.uint8)).tolist()
        [[[0, 255, 0]]]
    """

    targets = ("image",)

    def __init__(self, transforms: Sequence, channels: Sequence[int] = (0, 1, 2), p: float = 1.0):
        from .. import Compose

        super().__init__(p)
        self._inner = Compose(transforms, seed=0)
        self.transforms = self._inner.transforms
        good = isinstance(channels, (list, tuple, range, np.ndarray)) and len(channels)
        if not good or any(isinstance(c, bool) or not isinstance(c, (int, np.integer)) or c < 0 for c in channels):
            raise TypeError(f"channels must be a list of numbers of channels, from 0, got {channels!r}")
        self.channels = tuple(int(c) for c in channels)
        if len(set(self.channels)) < len(self.channels):
            raise ValueError(f"channels names a channel twice, got {channels!r}")

    @property
    def why(self) -> str:
        return f"channels {', '.join(map(str, self.channels))} by {', '.join(type(t).__name__ for t in self.transforms)}"

    def handles(self, kind: str) -> bool:
        return kind in _IMAGES

    def is_geometric(self) -> bool:
        return False

    def draw(self, u, view):
        return self.carried(u, view, together=True)

    def on_batch(self, images, kinds, seeds, whose):
        return {name: self._applied(batch, seeds, whose[name]) for name, batch in images.items()}, None

    def _applied(self, batch: torch.Tensor, seeds: list[int], whose: np.ndarray) -> torch.Tensor:
        if batch.shape[1] <= max(self.channels):
            raise ValueError(f"channels names {max(self.channels)}, but the images have {batch.shape[1]} channels")
        channels = torch.tensor(self.channels, device=batch.device)
        mine = _bits(batch)[:, channels].view(batch.dtype)
        ids = np.array([(seed ^ seed >> 12) % IDS for seed in seeds], np.int64)[whose]
        done = self._inner.run({"image": mine}, ids=ids)["image"]
        if done.shape != mine.shape or done.dtype != mine.dtype:
            raise ValueError(
                f"its transforms made {_told(mine)} into {_told(done)}; they must leave size, channels and type as they are"
            )
        whole = batch.clone()
        _bits(whole)[:, channels] = _bits(done)
        return whole


def _bits(images: torch.Tensor) -> torch.Tensor:
    """The same memory, in a type whose channels torch picks."""
    return images.view(SIGNED[images.dtype]) if images.dtype in SIGNED else images


def _told(batch: torch.Tensor) -> str:
    return f"{'x'.join(map(str, batch.shape[1:]))} (channels, height, width) of {str(batch.dtype).removeprefix('torch.')}"

"""What torchvision's transforms have in common here."""

from __future__ import annotations

import importlib
from typing import Any

from ..transform import Transform
from ..transforms._geometric import Geometric
from .arguments import OPENCV, WARPS, fills, mode


class Called:
    """Mixin of what takes by itself what torchvision's takes: see `gpuaug.vision.Compose`."""

    def __call__(self, *inputs: Any, ids: Any = None, epoch: int = 0) -> Any:
        return (self._alone or self._made()).forward(*inputs, ids=ids, epoch=epoch)

    def _pipeline(self):
        return importlib.import_module(".compose", __package__).Compose  # which imports this module


class Vision(Called, Transform, register=False):
    """A transform by torchvision's name, for `gpuaug.vision.Compose` or any `gpuaug.Compose`.

    Attributes:
        form: what it makes of an image: "tensor", "image" (a tv_tensor), "pil"; "" leaves it what it is.
    """

    form = ""

    def __init_subclass__(cls, register: bool = False, **kwargs):
        super().__init_subclass__(register=False, **kwargs)


class Warp(Vision, Geometric):
    """What moves pixels by a map, with torchvision's interpolation and fill."""

    kept_as = {"interpolation": "mode", "fill": "filled"}  # noqa: RUF012

    def __init__(self, interpolation, fill, p: float = 1.0, border_mode: int = 0):
        self.mode = mode(interpolation, WARPS)
        self.filled = fill
        image, mask = fills(fill)
        Geometric.__init__(self, OPENCV[self.mode], 0, border_mode, image, mask, p)


def colours(to, channels=(1, 3)) -> None:
    """Raise unless images have so many channels."""
    if to.channels not in channels:
        raise ValueError(f"{to.doing} works on images of {' or '.join(map(str, channels))} channels, got {to.channels}")
    to.no_labels("changed")

"""Dropout of pixels and of channels."""

from __future__ import annotations

import numpy as np

from ..checks import boolean, colour, real, whole
from ..geometry import boxes_beside_map
from ..hints import Colour, IntRange
from ..ops import Stream
from ..transform import Transform
from ..uniforms import integers, key, philox
from .dropout import random_numbers


class PixelDropout(Transform):
    """Replace single pixels, drawn in the kernel from a counter.

    Args:
        dropout_prob: probability of each pixel.
        per_channel: draw for each channel of a pixel.
        drop_value: a number, one for each channel, or None: one random colour for each sample (0..255 or [0, 1)).
        mask_drop_value: what the pixels become in masks; None leaves masks as they are.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes (unless per_channel: those with too few pixels left are dropped),
    keypoints (unchanged). Source: albumentations ``PixelDropout``.

    Raises:
        ValueError: a probability outside [0, 1]; mask_drop_value with per_channel.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> out = G.Compose([G.PixelDropout(0.25, drop_value=9, p=1)], seed=1)(np.zeros((64, 64), np.uint8))
        >>> bool(abs((out == 9).mean() - 0.25) < 0.05)
        True
    """

    ops = ("pixels",)
    targets = ("image", "mask")
    moves_pixels = False

    def __init__(
        self,
        dropout_prob: float = 0.01,
        per_channel: bool = False,
        drop_value: Colour | None = 0,
        mask_drop_value: Colour | None = None,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.dropout_prob, self.per_channel = real("dropout_prob", dropout_prob, 0, 1), boolean("per_channel", per_channel)
        self.drop_value = None if drop_value is None else colour("drop_value", drop_value)
        self.mask_drop_value = None if mask_drop_value is None else colour("mask_drop_value", mask_drop_value)
        if self.per_channel and mask_drop_value is not None:
            raise ValueError("mask_drop_value must be None with per_channel=True: masks have no such channels")

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"key": key(u)}

    def lower(self, to, rows, params) -> None:
        value = self.drop_value if to.kind == "image" else self.mask_drop_value
        if value is None and to.kind == "mask":
            return
        seed = params["key"]
        if value is None:
            to.no_labels("filled at random")
            colours = random_numbers(seed, 1, to.channels)
            values = np.floor(colours * 256) if to.is_u8 else colours
            fill = values[:, 0].astype(np.float32)
        else:
            one = value[0] if to.channels == 1 and isinstance(value, tuple) else value  # as albumentations does for grey images
            fill = to.colour(one, "drop_value" if to.kind == "image" else "mask_drop_value")
        below = np.round(self.dropout_prob * 2.0**24) / 2.0**24  # the kernel's uniforms are multiples of it
        width = to.size[rows][:, 1]
        to.op(rows, "pixels", key=seed, width=width, each=self.per_channel, below=below, fill=fill)

    def lower_scaled(self, to, rows, params, size) -> None:
        if self.mask_drop_value is not None:  # which pixel of a mask would be which of an image's?
            super().lower_scaled(to, rows, params, size)

    def boxes(self, params, which, boxes, size, limits):
        if self.per_channel:
            return boxes, None
        left = np.ones(len(boxes))
        for i in np.unique(which):
            mine, (h, w) = which == i, size[which == i][0]
            words = philox(np.arange(h * w), 0, Stream.PIXELS, 0, *params["key"][i])[:, 0] >> 8
            left[mine] = boxes_beside_map(boxes[mine], (words < round(self.dropout_prob * 2**24)).reshape(h, w), limits.min_area)
        return boxes, left

    def keypoints(self, params, which, points, size, limits):
        return points, None


class ChannelDropout(Transform):
    """Replace whole channels.

    Args:
        channel_drop_range: how many, (low, high) inclusive; fewer than the image has.
        fill: the value they get.
        p: probability, per sample.

    Shapes and dtypes: at least 2 channels. Targets: image. Source: albumentations ``ChannelDropout``.

    Raises:
        ValueError: images with too few channels (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> out = G.Compose([G.ChannelDropout((2, 2), p=1)], seed=1)(np.ones((4, 4, 3), np.uint8))
        >>> int(out.any((0, 1)).sum())
        1
    """

    ops = ("channels",)

    def __init__(self, channel_drop_range: IntRange = (1, 1), fill: float = 0, p: float = 0.5):
        super().__init__(p)
        self.channel_drop_range = whole("channel_drop_range", channel_drop_range, 1)
        self.fill = colour("fill", fill)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        if self.channel_drop_range[1] >= view.channels:
            raise ValueError(
                f"ChannelDropout: channel_drop_range {self.channel_drop_range} would drop all of {view.channels} channels; at "
                f"most {view.channels - 1} may go"
            )
        number, seed = integers(u[:, 0], *self.channel_drop_range), key(u[:, 1:3])
        words = philox(np.arange(view.channels)[None], 0, Stream.CHANNELS, 0, seed[:, :1], seed[:, 1:])[..., 0]
        rank = np.argsort(np.argsort(words, 1, kind="stable"), 1, kind="stable")
        return {"channels_to_drop": rank < number[:, None]}  # bool [n, channels]

    def lower(self, to, rows, params) -> None:
        drop = params["channels_to_drop"]
        table = np.zeros((len(drop), 2, to.channels), np.float32)
        table[:, 0], table[:, 1] = drop, to.colour(self.fill)
        to.op(rows, "channels", table=table)

"""How many channels an image has: colour to gray and back."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..checks import integer, one_of
from ..hosted import on_host
from ..transform import Transform
from ..uniforms import key, spread

_METHODS = {"weighted_average": 0, "desaturation": 1, "average": 2, "max": 3}  # GrayOp.method


class ToGray(Transform):
    """Make gray images of colours.

    Args:
        num_output_channels: how many equal channels the result has, at least 1. Other than 3 it must apply to all samples of a
            batch.
        method: ``"weighted_average"`` (0.299 R + 0.587 G + 0.114 B), ``"from_lab"`` (the lightness of 8-bit CIELab),
            ``"desaturation"`` (half of minimum and maximum), ``"average"``, ``"max"``, or ``"pca"`` (the place along the
            direction in which the image's colours vary most, from the least to the greatest. Which end is dark depends on the
            direction's
            sign: here its largest part is positive; in the reference it is what OpenCV's rotations end with, so that some of
            its images are negatives).
        p: probability, per sample.

    Shapes and dtypes: 3 channels, on the host any other number for the last four methods; images of 1 channel stay as they are.
    uint8 follows the references' rounding to the bit.
    Targets: image. Source: albumentations ``ToGray``, ``cv2.cvtColor``.

    Raises:
        ValueError: images of other channel counts for the first two methods (at the first batch), another method; a result that
            has not 3 channels, for some samples of a batch only.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ToGray(num_output_channels=1, p=1)])(np.array([[[255, 0, 0]]], np.uint8)).tolist()
        [[[76]]]
    """

    ops = ("gray", "gray_lab", "project", "stretch")

    def __init__(self, num_output_channels: int = 3, method: str = "weighted_average", p: float = 0.5):
        super().__init__(p)
        self.num_output_channels = integer("num_output_channels", num_output_channels, 1, 4096)
        self.method = one_of("method", method, (*_METHODS, "from_lab", "pca"))

    def channels_after(self, channels: int) -> int:
        return channels if channels == 1 else self.num_output_channels

    def lower(self, to, rows, params) -> None:
        if to.channels == 1:
            return
        if to.channels != 3:
            if self.method in ("weighted_average", "from_lab"):
                raise ValueError(
                    f"ToGray(method={self.method!r}) is made of red, green and blue: images have 1 or 3 channels, got "
                    f"{to.channels}; 'average', 'max', 'desaturation' and 'pca' take any number"
                )
            on_host(to, rows, self._of_many, f"gray of {to.channels} channels", threads=True)
            to.set_channels(rows, self.num_output_channels)
            return
        if self.method == "from_lab":
            to.op(rows, "gray_lab", scale=1.0 if to.is_u8 else 255.0, shared=_lightness())
        elif self.method == "pca":
            self._project(to, rows)
        else:
            to.op(rows, "gray", method=_METHODS[self.method], whole=to.is_u8)
        to.set_channels(rows, self.num_output_channels)

    def _of_many(self, _, image: np.ndarray) -> np.ndarray:
        """The gray values of any number of channels, in each of them."""
        values = image.astype(np.float32)
        if self.method == "average":
            gray = values.mean(-1, dtype=np.float64)
        elif self.method == "max":
            gray = values.max(-1)
        elif self.method == "desaturation":
            gray = (values.max(-1) + values.min(-1)) / 2
        else:
            pixels = values.reshape(-1, values.shape[-1]).astype(np.float64)
            pixels -= pixels.mean(0)
            direction = np.linalg.eigh(pixels.T @ pixels)[1][:, -1]
            along = pixels @ (direction * np.sign(direction[np.abs(direction).argmax()]))
            low, high = along.min(), along.max()
            gray = ((along - low) / (high - low) if high > low else along * 0).reshape(values.shape[:-1])
            gray = np.rint(gray * 255) if image.dtype == np.uint8 else gray
        image[...] = gray.astype(image.dtype)[..., None]
        return image

    def _project(self, to, rows) -> None:
        u8 = to.is_u8
        found = to.lookup(rows, to.reduce(rows, "covariance"), "eigen", channels=to.channels)
        with to.working(rows, "float32"):
            to.op(rows, "project", of=found)
            moments = to.reduce(rows, "moments")
        to.op(rows, "stretch", whole=u8, of=moments)


class ToRGB(Transform):
    """Repeat the channel of gray images. Nothing is copied for it: what comes next reads the one channel.

    Args:
        num_output_channels: how many equal channels the result has, at least 1.
        p: probability, per sample; must be 1 where images have one channel, since all of a batch have equally many.

    Shapes and dtypes: any, of 1 channel; images of 3 channels stay as they are. Targets: image. Source: albumentations ``ToRGB``.

    Raises:
        ValueError: images of other channel counts, or some samples of a batch only (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ToRGB()])(np.array([[7, 8]], np.uint8)).tolist()
        [[[7, 7, 7], [8, 8, 8]]]
    """

    def __init__(self, num_output_channels: int = 3, p: float = 1.0):
        super().__init__(p)
        self.num_output_channels = integer("num_output_channels", num_output_channels, 1, 4096)

    def channels_after(self, channels: int) -> int:
        return self.num_output_channels if channels == 1 else channels

    def lower(self, to, rows, params) -> None:
        if to.channels == 1:
            to.set_channels(rows, self.num_output_channels)
        elif to.channels != 3:
            raise ValueError(f"ToRGB takes images of 1 channel (3 stay as they are), got {to.channels}")


class ChannelShuffle(Transform):
    """Put the channels in another order.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; all orders are equally likely, the one that there is included. Targets: image.
    Source: albumentations ``ChannelShuffle``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> out = G.Compose([G.ChannelShuffle(p=1)], seed=0)(np.array([[[1, 2, 3]]], np.uint8))
        >>> sorted(out.ravel().tolist())
        [1, 2, 3]
    """

    ops = ("permute", "permute_layer")

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"order": np.argsort(spread(key(u), view.channels), 1, kind="stable")}

    def lower(self, to, rows, params) -> None:
        if to.channels == 1:
            return
        order = params["order"]
        if to.channels == 3:
            to.op(rows, "permute", **{"from": order})
        else:
            to.op(rows, "permute_layer", table=order, layers=(to.keep(rows),))


_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


class ToSepia(Transform):
    """Tint with sepia: fixed weights for red, green and blue.

    Args:
        p: probability, per sample.

    Shapes and dtypes: 3 channels; images of 1 channel stay as they are. uint8 has weights of 10 bits, as ``cv2.transform``; float
    images are clipped to 0..1. Targets: image. Source: albumentations ``ToSepia``.

    Raises:
        ValueError: images of other channel counts (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ToSepia(p=1)])(np.array([[[100, 100, 100]]], np.uint8)).tolist()
        [[[135, 120, 94]]]
    """

    ops = ("mix",)

    def lower(self, to, rows, params) -> None:
        if to.channels == 1:
            return
        if to.channels != 3:
            raise ValueError(f"ToSepia works on images of 1 or 3 channels, got {to.channels}")
        matrix = np.concatenate([np.rint(_SEPIA * 1024) / 1024 if to.is_u8 else _SEPIA, np.full((3, 1), 0.5 * to.is_u8)], 1)
        to.op(rows, "mix", whole=to.is_u8, shared=matrix)


@cache
def _lightness() -> np.ndarray:
    """The tables of OpenCV's 8-bit RGB to CIELab: a byte's linear value in 11 bits, a luminance's lightness."""
    value = np.arange(256) / 255
    linear = np.rint(255 * 8 * np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4))
    y = np.arange(3072) / (255 * 8)
    root = np.where(y < 216 / 24389, y * (841 / 108) + 16 / 116, np.cbrt(y))
    scale, shift = (116 * 255 + 50) // 100, -((16 * 255 * (1 << 15) + 50) // 100)  # OpenCV's Lscale and Lshift
    light = (scale * np.rint((1 << 15) * root).astype(np.int64) + shift + (1 << 14)) >> 15
    tables = np.concatenate([linear, light]).astype(np.float32)
    tables.setflags(write=False)
    return tables

"""Weather."""

from __future__ import annotations

import numpy as np

from .. import shapes
from ..checks import increasing, integer, one_of, real
from ..hints import Colour, Range
from ..ops import Stream
from ..ragged import Ragged
from ..transform import Transform
from ..uniforms import between, integers, key, numbered

_DROPS = {"drizzle": (1, 4), "heavy": (1, 1), "torrential": (2, 1), "default": (1, 3)}  # drops for so many lines


class RandomRain(Transform):
    """Draw rain: short slanted lines, blurred, over a darker image.

    Args:
        slant_range: range of the columns that a drop moves on its way, in [-20, 20].
        drop_length: lines that a drop falls, at least 1; None: an eighth of the height.
        drop_width: pixels, at least 1. 1 draws the pixels of ``cv2.LINE_4``; more, a stroke with round ends.
        drop_color: three numbers, 0..255.
        blur_value: side of the square over which the drops are averaged; 1: they are not.
        brightness_coefficient: factor on the result, in (0, 1].
        rain_type: how many drops: ``"drizzle"`` (a quarter of the height), ``"default"`` (a third), ``"heavy"`` (the height) or
            ``"torrential"`` (twice).
        p: probability, per sample.

    Shapes and dtypes: 3 channels, sides up to 16384; uint8 is rounded as the reference; float images (0..1) stay float, without
    the 8-bit rounding that albumentations puts in between. Targets: image. Source: albumentations ``RandomRain``.

    Raises:
        ValueError: a range outside its bounds; images of other channel counts or of larger sides (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> rainy = G.Compose([G.RandomRain(blur_value=1, p=1)], seed=0)(np.full((32, 32, 3), 100, np.uint8))
        >>> np.unique(rainy).tolist()
        [70, 178]
    """

    ops = ("add", "linear", "linear_u8", "shapes")

    def __init__(
        self,
        slant_range: Range = (-10, 10),
        drop_length: int | None = None,
        drop_width: int = 1,
        drop_color: Colour = (200, 200, 200),
        blur_value: int = 7,
        brightness_coefficient: float = 0.7,
        rain_type: str = "default",
        p: float = 0.5,
    ):
        super().__init__(p)
        self.slant_range = increasing("slant_range", slant_range, -20, 20)
        self.drop_length = None if drop_length is None else integer("drop_length", drop_length, 1, shapes.LARGEST)
        self.drop_width = integer("drop_width", drop_width, 1, 255)
        if not isinstance(drop_color, (tuple, list)) or len(drop_color) != 3:
            raise TypeError(f"drop_color must be three numbers, got {drop_color!r}")
        self.drop_color = tuple(integer("drop_color", v, 0, 255) for v in drop_color)
        self.blur_value = integer("blur_value", blur_value, 1, 255)
        self.brightness_coefficient = real("brightness_coefficient", brightness_coefficient, 0, 1, above=True)
        self.rain_type = one_of("rain_type", rain_type, tuple(_DROPS))

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        h, w = view.size.T
        times, lines = _DROPS[self.rain_type]
        number = h * times // lines
        length = np.maximum(1, h // 8) if self.drop_length is None else np.full(len(h), self.drop_length)
        of = np.repeat(np.arange(len(h)), number)
        places = numbered(key(u[:, 1:3]), number, Stream.SHAPES, 2)
        room = np.stack([w, np.maximum(h - length, 1)], 1)[of]
        return {
            "slant": between(u[:, 0], *self.slant_range),
            "length": length,
            "drops": Ragged(integers(places, 0, room - 1), number),
        }

    def lower(self, to, rows, params) -> None:
        if to.channels != 3:
            raise ValueError(f"RandomRain works on images of 3 channels, got {to.channels}")
        shapes.check_size(to, rows)
        u8, drops, size = to.is_u8, params["drops"], to.size[rows]
        of = np.repeat(np.arange(len(size)), drops.counts)
        way = np.stack([params["slant"], params["length"]], 1)[of]
        ends = np.concatenate([drops.values, np.trunc(drops.values + way)], 1).astype(np.int64)
        colour = to.blob(np.float32(self.drop_color) / (1 if u8 else 255))
        if self.drop_width == 1:
            ends, inside = shapes.clipped(ends, size[of])
            table = shapes.lines(ends[inside], sides=4, colour=colour)
            counts = 2 * np.bincount(of[inside], minlength=len(size))
        else:
            table, counts = shapes.strokes(ends, self.drop_width, colour=colour), 2 * drops.counts
        image = to.keep(rows)
        black = {"factor": 0.0, "offset": 0.0}
        to.op(rows, "linear_u8", **black) if u8 else to.op(rows, "linear", **black, low=0.0, high=1.0)
        table, index, starts = shapes.indexed(table, counts, size[:, 0], 2)
        to.op(
            rows,
            "shapes",
            whole=u8,
            index=to.blob(index) + starts,
            strips=-(-size[:, 0] // shapes.STRIP),
            table=Ragged(table, counts),
        )
        k = self.blur_value
        if k > 1:
            odd = k + 1 - k % 2  # an even window reaches one pixel farther to the left: a last weight of 0
            side = np.float32([1] * k + [0] * (odd - k))
            # cv2.blur rounds a half up, which there is for even k alone; sums lie 1 / k^2 apart
            half = u8 * (1 - k % 2) / (1024 * k * k)
            to.filter(rows, "separable", np.tile(side, 2), 0, (odd, odd), scale=(1 + half) / (k * k))
        # without drops albumentations leaves the image as it is
        factor = np.where(drops.counts > 0, self.brightness_coefficient, 1.0)
        words = factor.view(np.uint32).reshape(-1, 2)
        to.op(rows, "add", factor=words, top=255.0 if u8 else 1.0, whole=u8, layers=(image,))

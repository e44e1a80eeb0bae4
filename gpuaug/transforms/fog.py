"""Weather in bytes: fog, snow, gravel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import shapes
from ..checks import increasing, integer, one_of, real
from ..hints import Range
from ..ragged import Ragged
from ..uniforms import between, integers, key, ragged
from ._taps import bytes_gaussian, gaussian
from .histogram import _ByBytes


class _Coloured(_ByBytes, register=False):
    """Works on the bytes of three channels."""

    def check(self, to) -> None:
        if to.channels != 3:
            raise ValueError(f"{type(self).__name__} works on images of 3 channels, got {to.channels}")


class RandomFog(_Coloured):
    """Draw fog: white discs, each a little opaque, more of them towards the middle; then a blur.

    Args:
        alpha_coef: opacity of a disc at full intensity, in [0, 1].
        fog_coef_range: range of the intensity, in [0, 1]: it sets opacity, number and size of the discs.
        p: probability, per sample.

    Shapes and dtypes: 3 channels, sides up to 16384; float images (0..1) are rounded to 8 bits, as albumentations does. Targets:
    image. Source: albumentations ``RandomFog``.

    Raises:
        ValueError: a range outside its bounds or out of order; images of other channel counts or of larger sides.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> foggy = G.Compose([G.RandomFog(p=1)], seed=0)(np.full((64, 64, 3), 50, np.uint8))
        >>> bool(foggy.mean() > 60)
        True
    """

    ops = (*_ByBytes.ops, "quantize", "shapes")
    stencil = True

    def __init__(self, alpha_coef: float = 0.08, fog_coef_range: Range = (0.3, 1), p: float = 0.5):
        super().__init__(p)
        self.alpha_coef = real("alpha_coef", alpha_coef, 0, 1)
        self.fog_coef_range = increasing("fog_coef_range", fog_coef_range, 0, 1)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        intensity = between(u[:, 0], *self.fog_coef_range)
        h, w = view.size.astype(np.int64).T
        region = np.maximum((w // 3 * intensity).astype(np.int64), 1)
        across, down, counts, reach = w.copy(), h.copy(), [], []
        for _ in range(10):  # regions that shrink towards the middle
            on = (across > region) & (down > region)
            counts.append(np.where(on, (across * down / (region * region) * intensity * 10).astype(np.int64), 0))
            reach.append(np.stack([across // 2, down // 2], 1))
            across, down = (across * 0.9).astype(np.int64), (down * 0.9).astype(np.int64)
        counts, reach = np.stack(counts, 1), np.stack(reach, 1)
        number = counts.sum(1)
        drawn = ragged(key(u[:, 1:3]), 3 * number).values.reshape(-1, 3)
        of = np.repeat(np.arange(len(h)), number)
        away = np.repeat(reach.reshape(-1, 2), counts.ravel(), 0)
        middle = np.stack([w / 2 - 0.5, h / 2 - 0.5], 1).astype(np.int64)[of]
        most = np.maximum(2, (np.minimum(h, w) * 0.1 * intensity).astype(np.int64))[of]
        radius = integers(drawn[:, 2], np.maximum(most // 2, 1), most - 1)
        discs = np.concatenate([integers(drawn[:, :2], middle - away, middle + away), radius[:, None]], 1)
        return {"intensity": intensity, "discs": Ragged(discs, number)}

    def lower_bytes(self, to, rows, params) -> None:
        shapes.check_size(to, rows)
        discs, size = params["discs"], to.size[rows]
        white = to.blob(np.full(3, 255, np.float32))
        alpha = np.repeat(self.alpha_coef * params["intensity"], discs.counts)
        x, y, radius = discs.values.T
        table = shapes.strokes(np.stack([x, y, x, y], 1), 2 * radius, alpha=alpha, colour=white)
        table, index, starts = shapes.indexed(table, 2 * discs.counts, size[:, 0], 2)
        strips = -(-size[:, 0] // shapes.STRIP)
        at = to.blob(index) + starts
        to.op(rows, "shapes", whole=2, index=at, strips=strips, table=Ragged(table, 2 * discs.counts))
        side = np.maximum(3, size.min(1) // 30) | 1
        every = np.unique(side)
        taps = [np.float32(np.tile(bytes_gaussian(k, 0), 2)) for k in every.tolist()]
        start = np.cumsum([0, *(len(each) for each in taps)])
        lengths = np.stack([side, side], 1)
        blur = ("separable", np.concatenate(taps), start[np.searchsorted(every, side)], lengths)
        half = 1 + 2.0**-20  # OpenCV rounds a half up; sums lie 2^-16 apart
        if to.is_u8:
            to.filter(rows, *blur, scale=half)
            return
        with to.working(rows, "float32"):
            to.filter(rows, *blur, scale=half)
        to.op(rows, "quantize", top=1.0)


class RandomSnow(_Coloured):
    """Lay snow: bleach what is dark, or add a texture and sparkles.

    Args:
        brightness_coeff: factor on the brightness, above 0.
        snow_point_range: range of the amount of snow, in [0, 1].
        method: ``"bleach"`` brightens what is darker than a third, and half of the amount, of white. ``"texture"`` brightens all
            of it, adds blurred noise, less towards the bottom, a tint, and a white pixel in a hundred.
        p: probability, per sample.

    Shapes and dtypes: 3 channels; float images (0..1) are rounded to 8 bits, as albumentations does. Targets: image.
    Source: albumentations ``RandomSnow``, ``cv2.cvtColor``.

    Raises:
        ValueError: a range outside its bounds or out of order, another method; images of other channel counts.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.RandomSnow(2.0, (0.2, 0.2), p=1)
        >>> G.Compose([aug])(np.uint8([[[50, 50, 50], [200, 200, 200]]])).tolist()
        [[[100, 100, 100], [200, 200, 200]]]
    """

    ops = (*_ByBytes.ops, "bleach", "from_hls", "gauss", "linear", "snow", "to_hls")
    stencil = True

    def __init__(
        self, brightness_coeff: float = 2.5, snow_point_range: Range = (0.1, 0.3), method: str = "bleach", p: float = 0.5
    ):
        super().__init__(p)
        self.brightness_coeff = real("brightness_coeff", brightness_coeff, 0, above=True)
        self.snow_point_range = increasing("snow_point_range", snow_point_range, 0, 1)
        self.method = one_of("method", method, ("bleach", "texture"))

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        return {"snow_point": between(u[:, 0], *self.snow_point_range), "key": key(u[:, 1:3])}

    def lower_bytes(self, to, rows, params) -> None:
        snow = params["snow_point"]
        if self.method == "bleach":
            to.op(rows, "to_hls")
            # whole numbers are below a limit if they are below the next whole number
            to.op(rows, "bleach", limit=np.ceil(snow * 255 / 2 + 255 / 3), factor=self.brightness_coeff)
            to.op(rows, "from_hls")
            return
        h, w = to.size[rows].T
        taps = np.float32(np.tile(gaussian(9, 1.0), 2))
        image = to.keep(rows)
        with to.working(rows, "float32"):
            to.op(rows, "linear", factor=0.0, offset=0.5, low=0.0, high=1.0)
            to.op(rows, "gauss", key=params["key"], sigma=0.3, mean=0.0, width=w, alike=True, whole=False)
            for _ in range(2):
                to.filter(rows, "separable", taps, 0, (9, 9))
        to.op(
            rows,
            "snow",
            key=params["key"],
            width=w,
            brighter=1 + self.brightness_coeff * snow,
            slope=-0.8 / np.maximum(h - 1, 1),
            depth=255 * snow,
            tint=0.15 * snow,
            layers=(image,),
        )


class RandomGravel(_Coloured):
    """Strew gravel: small squares whose lightness is random, in patches.

    Args:
        gravel_roi: (x_min, y_min, x_max, y_max), where the patches may lie, as fractions of width and height.
        number_of_patches: at least 1; each is a tenth to a fifth of the region wide and high, with a stone for each 100 pixels.
        p: probability, per sample.

    Shapes and dtypes: 3 channels; float images (0..1) are rounded to 8 bits, as albumentations does, and all pixels go to 8-bit
    HLS and back. Targets: image. Source: albumentations ``RandomGravel``, ``cv2.cvtColor``.

    Raises:
        ValueError: a region that is outside 0 .. 1 or empty; fewer than one patch; images of other channel counts.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> gravel = G.Compose([G.RandomGravel(p=1)], seed=1)(np.full((128, 128, 3), 100, np.uint8))
        >>> bool(0 < (gravel != 100).mean() < 0.1)
        True
    """

    ops = (*_ByBytes.ops, "boxes", "from_hls", "to_hls")

    def __init__(self, gravel_roi: Sequence[float] = (0.1, 0.4, 0.9, 0.9), number_of_patches: int = 2, p: float = 0.5):
        super().__init__(p)
        self.gravel_roi = region("gravel_roi", gravel_roi)
        self.number_of_patches = integer("number_of_patches", number_of_patches, 1, 1000)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        sizes = view.size.astype(np.int64)
        h, w = sizes.T
        x0, y0, x1, y1 = ((v * side).astype(np.int64) for v, side in zip(self.gravel_roi, (w, h, w, h)))
        wide, high = x1 - x0, y1 - y0
        most = (wide // 5) * (high // 5) // 100  # stones of a patch
        counts = self.number_of_patches * 4 * (1 + most)
        drawn = ragged(key(u), counts)
        parts, number = [np.empty((0, 5), np.int64)] * len(h), np.zeros(len(h), np.int64)
        for size in np.unique(sizes, axis=0):
            rows = np.flatnonzero((sizes == size).all(1))
            k = rows[0]
            v = np.stack([drawn.of(i) for i in rows]).reshape(len(rows), self.number_of_patches, -1, 4)
            a, b, c, d = np.moveaxis(v[:, :, 0], -1, 0)
            pw, ph = integers(a, wide[k] // 10, wide[k] // 5), integers(b, high[k] // 10, high[k] // 5)
            px, py = integers(c, x0[k], x1[k] - pw), integers(d, y0[k], y1[k] - ph)
            a, b, c, d = np.moveaxis(v[:, :, 1:], -1, 0)
            x, y = integers(a, px[..., None], (px + pw)[..., None]), integers(b, py[..., None], (py + ph)[..., None])
            r = integers(c, 1, 3)
            box = [np.maximum(x - r, 0), np.maximum(y - r, 0), np.minimum(x + r, w[k] - 1), np.minimum(y + r, h[k] - 1)]
            all_of = np.stack([*box, integers(d, 0, 255)], -1)
            there = np.arange(most[k]) < (pw * ph // 100)[..., None]
            for i, stones, taken in zip(rows, all_of, there):
                parts[i] = stones[taken]
                number[i] = len(parts[i])
        return {"stones": Ragged(np.concatenate([np.empty((0, 5), np.int64), *parts]), number)}

    def lower_bytes(self, to, rows, params) -> None:
        to.op(rows, "to_hls")
        to.op(rows, "boxes", table=params["stones"])
        to.op(rows, "from_hls")


def region(name: str, value) -> tuple[float, float, float, float]:
    """(x_min, y_min, x_max, y_max) as fractions, with min < max."""
    if not isinstance(value, (tuple, list)) or len(value) != 4:
        raise TypeError(f"{name} must be (x_min, y_min, x_max, y_max), got {value!r}")
    x0, y0, x1, y1 = (real(name, v, 0, 1) for v in value)
    if not (x0 < x1 and y0 < y1):
        raise ValueError(f"{name} must be (x_min, y_min, x_max, y_max) with min < max, got {value!r}")
    return x0, y0, x1, y1

"""Noise."""

from __future__ import annotations

import numpy as np

from ..checks import boolean, increasing, real, span
from ..hints import Range
from ..transform import Transform
from ..uniforms import between, key


def coarse(to, rows, fraction: float) -> dict:
    """What "additive" is told of noise on a grid of that fraction of height and width."""
    size = to.size[rows]
    if fraction == 1:
        return {"columns": 0, "lines": 0, "step": np.zeros(2)}
    cells = np.maximum((size * fraction).astype(np.int64), 1)
    return {"columns": cells[:, 1], "lines": cells[:, 0], "step": (cells / size)[:, ::-1]}


class GaussNoise(Transform):
    """Add normal noise, generated in the kernel from a counter: nothing is stored.

    Args:
        std_range: range of the standard deviation as a fraction of the largest value (255, or 1.0), in [0, 1].
        mean_range: range of the mean, in the same unit, in [-1, 1].
        per_channel: draw for each channel, or one number for all channels of a pixel.
        noise_scale_factor: above 0, at most 1: noise that is drawn on a grid of that fraction of height and width, and
            interpolated: it has larger grains.
        p: probability, per sample.
        var_limit: instead of ``std_range``, as albumentations had it up to 1.4: range of the variance, in the image's own unit
            (0..255 for uint8), of which the standard deviation is the root; a number v means (0, v).
        mean: with it, and instead of ``mean_range``: the mean in the same unit, 0 if it is not given. With ``mean`` alone,
            ``var_limit`` is (10, 50).

    Shapes and dtypes: any; uint8 truncates the noise towards zero before adding it and clips to 0..255, as the reference;
    float images keep their range (spectrograms), they are not clipped. Targets: image. Source: albumentations ``GaussNoise``.

    Coarser noise is not clipped on float images either.

    Raises:
        ValueError: a range outside its bounds or out of order, a factor outside its own.
        TypeError: ``var_limit`` or ``mean`` together with ``std_range`` or ``mean_range``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> image = np.full((64, 64, 3), 0.5, np.float32)
        >>> bool(abs(G.Compose([G.GaussNoise(p=1)], seed=1)(image).mean() - 0.5) < 0.05)
        True
    """

    ops = ("additive", "gauss")

    def __init__(
        self,
        std_range: Range = (0.2, 0.44),
        mean_range: Range = (0.0, 0.0),
        per_channel: bool = True,
        noise_scale_factor: float = 1,
        p: float = 0.5,
        *,
        var_limit: Range | None = None,
        mean: float | None = None,
    ):
        super().__init__(p)
        self.var_limit = self.mean = None
        if var_limit is not None or mean is not None:
            if tuple(std_range) != (0.2, 0.44) or tuple(mean_range) != (0, 0):
                raise TypeError(
                    "GaussNoise: give var_limit and mean, in the image's unit, or std_range and mean_range, in shares of it"
                )
            self.var_limit = span("var_limit", (10.0, 50.0) if var_limit is None else var_limit, 0, scalar="zero")
            self.mean = real("mean", 0 if mean is None else mean)
        self.std_range = increasing("std_range", std_range, 0, 1)
        self.mean_range = increasing("mean_range", mean_range, -1, 1)
        self.per_channel = boolean("per_channel", per_channel)
        self.noise_scale_factor = real("noise_scale_factor", noise_scale_factor, 0, 1, above=True)

    @property
    def emits(self) -> tuple[str, ...]:
        if type(self).ops is not GaussNoise.ops:
            return self.ops
        return ("gauss",) if self.noise_scale_factor == 1 else ("additive",)

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        if self.var_limit is not None:
            top = 255.0 if view.dtype == "uint8" else 1.0
            std, mean = np.sqrt(between(u[:, 0], *self.var_limit)) / top, np.full(len(u), self.mean / top)
            return {"std": std, "mean": mean, "key": key(u[:, 2:4])}
        return {"std": between(u[:, 0], *self.std_range), "mean": between(u[:, 1], *self.mean_range), "key": key(u[:, 2:4])}

    def lower(self, to, rows, params) -> None:
        top = 255.0 if to.is_u8 else 1.0
        shared = {
            "key": params["key"],
            "width": to.size[rows][:, 1],
            "alike": not self.per_channel,
        }
        if self.noise_scale_factor == 1:
            to.op(rows, "gauss", **shared, whole=to.is_u8, sigma=params["std"] * top, mean=params["mean"] * top)
        else:
            grid = coarse(to, rows, self.noise_scale_factor)
            normal = {"kind": 1, "a": params["mean"] * top, "b": params["std"] * top, "whole": 1 if to.is_u8 else -1}
            to.op(rows, "additive", **shared, **grid, **normal, table=np.zeros((len(params["std"]), 1)))

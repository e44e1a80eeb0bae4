"""Noise."""

from __future__ import annotations

from ..checks import boolean, increasing, real
from ..transform import Transform
from ..uniforms import between, key


class GaussNoise(Transform):
    """Add normal noise, generated in the kernel from a counter: nothing is stored.

    Args:
        std_range: range of the standard deviation as a fraction of the largest value (255, or 1.0), in [0, 1].
        mean_range: range of the mean, in the same unit, in [-1, 1].
        per_channel: draw for each channel, or one number for all channels of a pixel.
        noise_scale_factor: only 1 is built: noise at full resolution.
        p: probability, per sample.

    Shapes and dtypes: any; uint8 truncates the noise towards zero before adding it and clips to 0..255, as the reference;
    float images keep their range (spectrograms), they are not clipped. Targets: image. Source: albumentations ``GaussNoise``.

    Raises:
        ValueError: a range outside its bounds, another noise_scale_factor.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> image = np.full((64, 64, 3), 0.5, np.float32)
        >>> bool(abs(G.Compose([G.GaussNoise(p=1)], seed=1)(image).mean() - 0.5) < 0.05)
        True
    """

    ops = ("gauss",)

    def __init__(
        self,
        std_range=(0.2, 0.44),
        mean_range=(0.0, 0.0),
        per_channel: bool = True,
        noise_scale_factor: float = 1,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.std_range = increasing("std_range", std_range, 0, 1)
        self.mean_range = increasing("mean_range", mean_range, -1, 1)
        self.per_channel = boolean("per_channel", per_channel)
        self.noise_scale_factor = real("noise_scale_factor", noise_scale_factor, 0, 1, above=True)
        if self.noise_scale_factor != 1:
            raise ValueError(
                f"noise_scale_factor must be 1 (noise at full resolution; coarser noise is not built), got {noise_scale_factor!r}"
            )

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        return {"std": between(u[:, 0], *self.std_range), "mean": between(u[:, 1], *self.mean_range), "key": key(u[:, 2:4])}

    def lower(self, to, rows, params) -> None:
        top = 255.0 if to.is_u8 else 1.0
        to.op(
            rows,
            "gauss",
            key=params["key"],
            sigma=params["std"] * top,
            mean=params["mean"] * top,
            width=to.size[rows][:, 1],
            alike=not self.per_channel,
            whole=to.is_u8,
        )

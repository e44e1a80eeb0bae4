"""Changes of light by fractal patterns."""

from __future__ import annotations

import numpy as np

from ..checks import increasing, integer, real
from ..fractal import patterns
from ..hints import Range
from ..ragged import Ragged
from ..transform import Transform
from ..uniforms import between, key


class _Plasma(Transform, register=False):
    """Draws a pattern for each sample."""

    def __init__(self, plasma_size, roughness, p: float):
        super().__init__(p)
        self.plasma_size = integer("plasma_size", plasma_size, 1)
        self.roughness = real("roughness", roughness, 0, 1e6, above=True)

    def patterns(self, seeds: np.ndarray, size: np.ndarray) -> Ragged:
        """Of images of these sizes ``[n, 2]``."""
        return patterns(seeds, size, self.roughness)


class PlasmaBrightnessContrast(_Plasma):
    """Change brightness and contrast by a fractal pattern.

    Args:
        brightness_range: range of what is added where the pattern is 1, as a fraction of the largest value, in [-1, 1].
        contrast_range: range of what the factor about the image's mean is above 1 there, in [-1, 1].
        plasma_size: not used, as in albumentations: the pattern has the image's size.
        roughness: by how much noise grows from one step of the pattern to the next finer one, above 0.
        p: probability, per sample.

    Shapes and dtypes: any; computed in float32 and clipped; uint8 is rounded once. Patterns are made on the host. In
    albumentations negative numbers of both ranges do nothing; here they darken and take contrast. Targets: image. Source:
    albumentations ``PlasmaBrightnessContrast``.

    Raises:
        ValueError: a range outside its bounds or out of order, a roughness of 0 or below.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.PlasmaBrightnessContrast(brightness_range=(0.5, 0.5), contrast_range=(0, 0), p=1)
        >>> out = G.Compose([aug], seed=0)(np.zeros((32, 32), np.float32))
        >>> float(out.min()), float(out.max())
        (0.0, 0.5)
    """

    ops = ("linear", "pattern", "quantize")

    def __init__(
        self,
        brightness_range: Range = (-0.3, 0.3),
        contrast_range: Range = (-0.3, 0.3),
        plasma_size: int = 256,
        roughness: float = 3.0,
        p: float = 0.5,
    ):
        super().__init__(plasma_size, roughness, p)
        self.brightness_range = increasing("brightness_range", brightness_range, -1, 1)
        self.contrast_range = increasing("contrast_range", contrast_range, -1, 1)

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        return {
            "brightness": between(u[:, 0], *self.brightness_range),
            "contrast": between(u[:, 1], *self.contrast_range),
            "pattern": self.patterns(key(u[:, 2:4]), view.size),
        }

    def lower(self, to, rows, params) -> None:
        u8, pattern = to.is_u8, {"width": to.size[rows][:, 1], "table": params["pattern"], "whole": False}
        with to.working(rows, "float32"):
            if u8:
                to.op(rows, "linear", factor=1 / 255, offset=0.0, low=0.0, high=1.0)
            to.op(rows, "pattern", form=0, amount=params["brightness"], **pattern)
            mean = to.reduce(rows, "moments")
        to.op(rows, "pattern", form=1, amount=params["contrast"], mean=mean, **pattern)
        if u8:
            to.op(rows, "quantize", top=255.0)


class PlasmaShadow(_Plasma):
    """Darken by a fractal pattern.

    Args:
        shadow_intensity_range: range of what is taken where the pattern is 1, as a fraction, in [0, 1].
        plasma_size: not used, as in albumentations: the pattern has the image's size.
        roughness: by how much noise grows from one step of the pattern to the next finer one, above 0.
        p: probability, per sample.

    Shapes and dtypes: any; uint8 is cut off to whole numbers, float images are clipped to 0..1. Patterns are made on the host.
    Targets: image. Source: albumentations ``PlasmaShadow``.

    Raises:
        ValueError: a range outside its bounds or out of order, a roughness of 0 or below.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> out = G.Compose([G.PlasmaShadow((0.5, 0.5), p=1)], seed=0)(np.full((32, 32), 200, np.uint8))
        >>> int(out.min()), int(out.max())
        (100, 200)
    """

    ops = ("pattern",)

    def __init__(
        self, shadow_intensity_range: Range = (0.3, 0.7), plasma_size: int = 256, roughness: float = 3.0, p: float = 0.5
    ):
        super().__init__(plasma_size, roughness, p)
        self.shadow_intensity_range = increasing("shadow_intensity_range", shadow_intensity_range, 0, 1)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        intensity = between(u[:, 0], *self.shadow_intensity_range)
        return {"intensity": intensity, "pattern": self.patterns(key(u[:, 1:3]), view.size)}

    def lower(self, to, rows, params) -> None:
        width = to.size[rows][:, 1]
        to.op(rows, "pattern", form=2, width=width, amount=params["intensity"], table=params["pattern"], whole=to.is_u8)

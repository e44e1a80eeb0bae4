"""Fractal patterns."""

from __future__ import annotations

import albumentations as A
import albumentations.augmentations.pixel.functional as F
import numpy as np

import gpuaug as G

from .about import PIXELS, about
from .case import Bound, add, bounds
from .fog import some


class _Luck:
    """Single numbers from the first uniforms, and fields from those of a key."""

    def __init__(self, single, key, shape):
        steps = int(np.ceil(np.log2(max(shape[:2]) - 1))) - 1
        count = 9 + sum((2 ** (k + 2) + 1) ** 2 for k in range(steps))
        self.single, self.field, self.at = iter(single), some(key, count), 0

    def uniform(self, low, high, size=None):
        if size is None:
            return low + (high - low) * float(next(self.single))
        count = int(np.prod(size))
        self.at += count
        return (low + (high - low) * self.field[self.at - count : self.at]).reshape(size)


# albumentations clips the pattern times a number to 0..1: what is meant to darken, or to take contrast, does nothing. Here it is
# not clipped
def _plasma(name, count, note, bound, **kwargs):
    aug = getattr(A, name)(p=1, **kwargs)

    def run(image, u, kind):
        aug.py_random = aug.random_generator = _Luck(u[:count], u[count : count + 2], image.shape)
        params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        clipped, F.multiply = (
            F.multiply,
            lambda img, by, inplace=False: img * by if np.isscalar(by) else clipped(img, by, inplace),
        )
        try:
            return aug.apply(image, **params).reshape(image.shape)
        finally:
            F.multiply = clipped

    add(
        getattr(G, name)(p=1, **kwargs),
        run,
        "albumentations, its fields from our words",
        bound,
        channels=(1, 3, 4),
        # a pattern of two lines or columns at most is a logarithm of 0 there
        keep=lambda image: max(image.shape[:2]) > 3,
        note=note,
    )


# A mean of four neighbours that is 0 but for rounding is above it on one side alone, and gets noise there alone, of up to 1
_LIGHT = bounds(Bound(0, 255, 0.999, "one rounding; a mean of 0"), Bound(1e-5, 1, 0.999, "a mean of 0"))
_plasma("PlasmaBrightnessContrast", 2, "defaults", _LIGHT)
_plasma("PlasmaBrightnessContrast", 2, "strong", _LIGHT, brightness_range=(-1, 1), contrast_range=(-1, 1), roughness=0.7)
_plasma("PlasmaShadow", 1, "defaults", _LIGHT)
_plasma("PlasmaShadow", 1, "strong", _LIGHT, shadow_intensity_range=(0, 1), roughness=1.5)
for _name in ("PlasmaBrightnessContrast", "PlasmaShadow"):
    about(_name, family="no: patterns are random, and those of the cases here", marks=PIXELS, bench={})

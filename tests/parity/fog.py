"""Fog, snow, gravel."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G
from gpuaug.interop.parity.driven import threefry
from gpuaug.transform import View
from gpuaug.uniforms import ragged

from .about import PIXELS, about
from .case import Bound, Script, add, bounds
from .grain import normals


def levels(near: float, share: float, why: str) -> dict:
    """Bounds of what works on bytes, whatever type it is given: so many grey levels."""
    level = 1 / 255 + 1e-5
    return bounds(Bound(0, near, share, why), Bound(1e-5, near * level, share, why))


def some(u, count: int) -> np.ndarray:
    """So many uniforms of a key."""
    return ragged(np.array([[int(v * 2.0**32) for v in u]], np.uint32), np.array([count])).values


def _fog(note, **kwargs):
    ours, aug = G.RandomFog(p=1, **kwargs), A.RandomFog(p=1, **kwargs)

    class Luck:
        def __init__(self, u, size):
            number = len(ours.draw(u[None], View(np.array([size]), 3, "uint8"))["discs"].values)
            self.intensity, drawn = u[0], some(u[1:3], 3 * number).reshape(-1, 3)
            self.places, self.radii = iter(drawn[:, :2].ravel()), iter(drawn[:, 2])

        def uniform(self, low, high):
            return low + (high - low) * self.intensity

        def randint(self, low, high):
            return low + int(np.floor((high - low + 1) * next(self.places)))

        def integers(self, low, high):
            return low + int(np.floor((high - low) * next(self.radii)))

    def run(image, u, kind):
        aug.py_random = aug.random_generator = Luck(u, image.shape[:2])
        return aug.apply(image, **aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image}))

    # opacity in float32, so that one of some blends that is near a half may be rounded the other way
    add(ours, run, "albumentations", levels(1, 0.999, "roundings near a half"), channels=(3,), note=note)


_fog("defaults")
_fog("thick", alpha_coef=0.5, fog_coef_range=(0.7, 1.0))


def _snow(note, bound, **kwargs):
    aug = A.RandomSnow(p=1, **kwargs)

    def run(image, u, kind):
        h, w = image.shape[:2]
        words = threefry((np.arange(h * w), 0, 0, 0), (*(int(v * 2.0**32) for v in u[1:3]), 0, 0))
        sparkles = threefry((np.arange(h * w), 0, 3, 0), (*(int(v * 2.0**32) for v in u[1:3]), 0, 0))[:, 0]

        class Luck(Script):
            def normal(self, size, loc, scale):
                return loc + scale * normals(words[:, :2])[:, 0].reshape(size)

            def random(self, size):
                return (np.floor(sparkles / 256.0) * 2.0**-24).reshape(size)

        aug.py_random = aug.random_generator = Luck(u)
        return aug.apply(image, **aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image}))

    add(G.RandomSnow(p=1, **kwargs), run, "albumentations", bound, channels=(3,), note=note)


# a product of float32 beside a half in either direction of OpenCV's HLS
_snow("defaults", levels(3, 0.995, "roundings near a half in HLS"))
_snow("bright", levels(3, 0.995, "roundings near a half in HLS"), brightness_coeff=1.3, snow_point_range=(0, 1))
# OpenCV's HSV2RGB truncates in vectors and rounds the pixels at the end of a line; hue and value are cut off after sums in
# float32
_snow("texture", levels(1, 0.97, "whole numbers are cut off"), method="texture")


def _gravel(note, **kwargs):
    aug = A.RandomGravel(p=1, **kwargs)

    class Luck:
        def __init__(self, u, size):
            h, w = size
            x0, y0, x1, y1 = (int(v * side) for v, side in zip(aug.gravel_roi, (w, h, w, h)))
            most = (x1 - x0) // 5 * ((y1 - y0) // 5) // 100
            # a patch has room for as many stones as the largest
            self.patches = some(u, 4 * aug.number_of_patches * (1 + most)).reshape(aug.number_of_patches, -1)
            self.patch, self.call, self.size = 0, 0, []

        def randint(self, low, high):
            if self.call == 4 * (1 + int(np.prod(self.size[:2]) // 100)) and self.call >= 4:
                self.patch, self.call, self.size = self.patch + 1, 0, []
            v = low + int(np.floor((high - low + 1) * self.patches[self.patch, self.call]))
            self.size.append(v)
            self.call += 1
            return v

    def run(image, u, kind):
        aug.py_random = Luck(u, image.shape[:2])
        params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        return aug.apply(image, **params)

    add(
        G.RandomGravel(p=1, **kwargs),
        run,
        "albumentations",
        levels(3, 0.995, "roundings near a half in HLS"),
        channels=(3,),
        note=note,
    )


_gravel("defaults")
_gravel("much", gravel_roi=(0.0, 0.0, 1.0, 1.0), number_of_patches=12)

_THREE = "no: it takes 3 channels alone"
about("RandomFog", family=_THREE, marks=PIXELS, bench={})
about("RandomSnow", family=_THREE, marks=PIXELS, bench={}, variants=[{"method": "texture"}])
about("RandomGravel", family=_THREE, marks=PIXELS, bench={}, shown={"number_of_patches": 9})

"""Light."""

from __future__ import annotations

import warnings

import albumentations as A
import numpy as np

import gpuaug as G

from .about import PIXELS, about
from .case import FLOAT, ROUNDED, Bound, Script, add, bounds, by_channel, parameters

# factors differ in their last bits: on uint8 a product near an integer is cut off on the other side. Where the factor is 1, all
# are: from a corner, along a line, or outside of the bell at 1 + 2^-24
_CUT = Bound(0, 1, 0.98, "truncation of products near integers")


def _illumination(note, u8, **kwargs):
    aug = A.Illumination(p=1, **kwargs)

    def apply(part, params):
        # of one channel, albumentations takes images without an axis for it
        return np.reshape(aug.apply(part[..., 0] if part.shape[2] == 1 else part, **params), part.shape)

    def run(image, u, kind):
        # the coin of "both" is random() in albumentations
        rest = np.concatenate([u[:1], u[2:]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            params = parameters(aug, image, Script(rest, single=[u[1]]))
            return by_channel(lambda part: apply(part, params), image)

    add(G.Illumination(p=1, **kwargs), run, "albumentations", bounds(u8, FLOAT), note=note)


_illumination("linear", ROUNDED)
_illumination("darken", ROUNDED, effect_type="darken", intensity_range=(0.2, 0.2))
for _angle in (0, 45, 90, 135, 180, 225, 270, 315):
    _illumination(f"{_angle} degrees", ROUNDED, angle_range=(_angle, _angle))
_illumination("corner", _CUT, mode="corner")
_illumination("gaussian", _CUT, mode="gaussian", effect_type="brighten")


def _shadow(note, **kwargs):
    ours, aug = G.RandomShadow(p=1, **kwargs), A.RandomShadow(p=1, **kwargs)
    most, k = ours.num_shadows_limit[1], ours.shadow_dimension

    class Blocks(Script):
        """integers() of one bound at a time: albumentations asks for columns, then for lines, of each shadow."""

        def integers(self, low, high, size=None):
            return (low + np.floor((high - low) * next(self._blocks)[:size])).astype(int)

    def run(image, u, kind):
        number = int(ours.num_shadows_limit[0] + np.floor((most - ours.num_shadows_limit[0] + 1) * u[0]))
        corners = u[1 : 1 + 2 * most * k].reshape(2 * most, k)
        params = parameters(aug, image, Blocks(u[:1], blocks=[*corners[: 2 * number], u[1 + 2 * most * k :]]))
        if image.dtype == np.uint8:
            return aug.apply(image, **params)
        # albumentations rounds floats to 8 bits first: its mask and its factors, on the floats
        out = image.copy()
        for one, vertices in zip(params["intensities"], params["vertices_list"]):
            hit = aug.apply(np.full((*image.shape[:2], 1), 255, np.uint8), [vertices], [1.0])[..., 0] == 0
            out[hit] = out[hit] * np.float32(1 - one)
        return out

    # a product of float64 is cut off there, of float32 here
    cut = Bound(0, 1, 0.999, "truncation of products near integers")
    add(ours, run, "albumentations", bounds(cut, FLOAT), keep=lambda image: min(image.shape[:2]) > 1, note=note)


_shadow("defaults")
_shadow("many", shadow_roi=(0, 0, 1, 1), num_shadows_limit=(3, 6), shadow_dimension=9, shadow_intensity_range=(0.1, 0.9))
_shadow("triangles", shadow_roi=(0.1, 0.2, 0.9, 1), num_shadows_limit=(1, 4), shadow_dimension=3)

about(
    "Illumination",
    family="colour",
    marks=PIXELS,
    bench={},
    variants=[{"mode": "corner"}, {"mode": "gaussian"}],
    gain=lambda transform, params: 1.2,
    bound=lambda transform, dtype: FLOAT if dtype == "float32" else ROUNDED,
)
about(
    "RandomShadow",
    family="colour",
    marks=PIXELS,
    bench={},
    needs={"shadow_roi": (0, 0, 1, 1)},
    variants=[{"num_shadows_limit": (3, 5), "shadow_intensity_range": (0.1, 0.9)}],
    bound=lambda transform, dtype: FLOAT if dtype == "float32" else Bound(0, 1, 0.999, "truncation of products near integers"),
)

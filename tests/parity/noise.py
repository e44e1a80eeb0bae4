"""Noise."""

from __future__ import annotations

import albumentations as A

import gpuaug as G
from gpuaug.interop.parity.references import with_noise

from .about import PIXELS, about
from .case import FLOAT, Bound, add, bounds


def gauss(note, **kwargs):
    aug = A.GaussNoise(p=1, **kwargs)

    def run(image, u, kind):
        return with_noise(aug, image, u)

    # our logarithm and sine are polynomials, 2e-7 relative: noise of 5 sigma at sigma 0.44 is right to 1e-6, and on uint8 about
    # 2e-6 * 255 of all truncations fall on the other side of an integer
    add(
        G.GaussNoise(p=1, **kwargs),
        run,
        "albumentations, noise by NumPy",
        bounds(Bound(0, 1, 0.999, "truncation of noise"), FLOAT),
        note=note,
    )


gauss("defaults")
gauss("mean, shared", mean_range=(-0.2, 0.3), per_channel=False)


about("GaussNoise", family="colour", marks=PIXELS, bench={}, variants=[{"var_limit": (10, 50), "mean": 3}])

"""Spatters."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G
from gpuaug.interop.parity.driven import threefry

from .about import PIXELS, about
from .case import Bound, Script, add, bounds
from .fog import some
from .grain import normals


def _spatter(note, **kwargs):
    ours, aug = G.Spatter(p=1, **kwargs), A.Spatter(p=1, **kwargs)

    def run(image, u, kind):
        class Luck(Script):
            def normal(self, size, loc, scale):
                if aug.mode == "rain":
                    n = int(np.prod(size))
                    a, b = np.maximum(some(u[5:7], (n + 1) // 2 * 2), 2.0**-33).reshape(2, -1)
                    r = np.sqrt(-2 * np.log(a))
                    z = np.concatenate([r * np.cos(2 * np.pi * b), r * np.sin(2 * np.pi * b)])[:n]
                else:
                    words = threefry((np.arange(np.prod(size)), 0, 0, 0), (*(int(v * 2.0**32) for v in u[5:7]), 0, 0))
                    z = normals(words[:, :2])[:, 0]
                return loc + scale * z.reshape(size)

            def choice(self, *_, **__):
                raise LookupError

        aug.py_random = aug.random_generator = Luck(u)
        try:
            params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        except LookupError:  # no noise above the threshold: see the docstring
            return image
        return aug.apply(image, **params)

    # Noise of float32 that is blurred lies on the other side of the threshold, or of a whole number, in one of some 10,000
    # pixels, which are 1 in a blur of sigma 2, 0.04 at most
    add(
        ours,
        run,
        "albumentations, its noise from our words",
        bounds(Bound(0, 12, 0.98, "noise at the threshold"), Bound(1e-4, 0.05, 0.98, "noise at the threshold")),
        channels=(3,),
        keep=lambda image: min(image.shape[:2]) > 4,
        note=note,
    )


_spatter("rain")
_spatter("mud", mode="mud")
_spatter("mud, much", mode="mud", color=(200, 0, 90), gauss_sigma=(3, 3), cutout_threshold=(0.6, 0.65), intensity=(0.1, 1.0))
about(
    "Spatter",
    family="no: it takes 3 channels alone",
    marks=PIXELS,
    bench={},
    variants=[{"mode": "mud"}],
)

"""Superpixels."""

from __future__ import annotations

import albumentations as A
import albumentations.augmentations.pixel.functional as F
import numpy as np

import gpuaug as G

from .about import PIXELS, about
from .case import Script, add
from .fog import levels, some


def resized(image, height: int, width: int) -> np.ndarray:
    """Whole numbers by our resize of the image's type, rounded."""
    return np.rint(G.Compose([G.Resize(height, width)])(np.ascontiguousarray(image))).astype(image.dtype)


def _segments(note, share, **kwargs):
    aug = A.Superpixels(p=1, **kwargs)

    class Luck(Script):
        def __init__(self, u):
            super().__init__(u)
            self.u = u

        def random(self, count):
            return some(self.u[2:4], count)

    def run(image, u, kind):
        aug.py_random = aug.random_generator = Luck(u)
        params, size = aug.get_params(), image.shape[:2]
        if aug.max_size is None or max(size) <= aug.max_size or not params["replace_samples"].any():
            return aug.apply(image, **params)
        # a grey level that two resizes round otherwise would put pixels into other regions: albumentations' regions between
        # resizes of ours, which have a case of their own
        scale, u8 = aug.max_size / max(size), image.dtype == np.uint8
        small = resized(image if u8 else np.rint(image * 255), int(size[0] * scale), int(size[1] * scale))
        small = F.superpixels(small.astype(np.uint8), params["n_segments"], params["replace_samples"], None, 1)
        large = resized(small.astype(image.dtype), *size)
        return large if u8 else large / np.float32(255)

    # a mean in float64 that is near a half
    add(
        G.Superpixels(p=1, **kwargs),
        run,
        "albumentations",
        levels(255, share, "a mean that is near a half"),
        channels=(1, 3),
        keep=lambda image: 16 < min(image.shape[:2]) < 200,
        note=note,
    )


_segments("defaults", 0.999)
_segments("many", 0.99, p_replace=(0.3, 1.0), n_segments=(20, 50), max_size=48)
about(
    "Superpixels",
    family="no: which region a pixel is in hangs on the last bit of others",
    marks=PIXELS,
    bench={},
    shown={"p_replace": (0.5, 1.0), "n_segments": (9, 16)},
)

"""What a lens does to colours."""

from __future__ import annotations

import albumentations as A
import numpy as np
from albumentations.augmentations.pixel import functional

import gpuaug as G

from .about import PIXELS, about
from .affine import LINEAR, TIES, cubic_gain
from .case import LANCZOS_REMAP, Script, add, parameters


def aberration(note: str, bound: dict, **kwargs) -> None:
    """Its floats are rounded to 8 bits, so its channels are distorted one by one, as it does."""
    theirs = A.ChromaticAberration(p=1, **kwargs)

    def run(image, u, kind):
        params = parameters(theirs, image, Script(u))
        if image.dtype == np.uint8:
            return theirs.apply(image, **params)
        h, w = image.shape[:2]
        camera, out = np.array([[w, 0, w / 2], [0, h, h / 2], [0, 0, 1]], np.float32), image.copy()
        for channel, name in ((0, "red"), (2, "blue")):
            k = np.array([params[f"primary_distortion_{name}"], params[f"secondary_distortion_{name}"], 0, 0], np.float32)
            plane = np.ascontiguousarray(image[..., channel])
            out[..., channel] = functional._distort_channel(plane, camera, k, h, w, theirs.interpolation)
        return out

    add(
        G.ChromaticAberration(p=1, **kwargs),
        run,
        "albumentations; floats: its channels one by one",
        bound,
        channels=(3,),
        note=note,
    )


_WIDE = {"primary_distortion_limit": 0.6, "secondary_distortion_limit": 0.4}
aberration("defaults", LINEAR)
aberration("wide", LINEAR, **_WIDE)
aberration("red and blue", LINEAR, mode="red_blue", **_WIDE)
aberration("random", LINEAR, mode="random", **_WIDE)
aberration("nearest", TIES, interpolation=0, **_WIDE)
aberration("cubic", LINEAR, interpolation=2, **_WIDE)
aberration("Lanczos", LANCZOS_REMAP, interpolation=4, **_WIDE)
about(
    "ChromaticAberration",
    family="colour",
    marks=PIXELS,
    bench={},
    shown=_WIDE,
    variants=[{**_WIDE, "mode": "random", "interpolation": 0}],
    gain=cubic_gain,
    bound=lambda transform, dtype: LINEAR[dtype],
)

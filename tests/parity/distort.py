"""Distortions, by the maps that albumentations makes of what we drew."""

from __future__ import annotations

from unittest.mock import patch

import albumentations as A
import numpy as np
from albumentations.augmentations.geometric import functional

import gpuaug as G

from .about import about
from .affine import LINEAR, TIES, cubic_gain, warped
from .case import GATHER_U8, NEAREST, Script, add, filled, parameters


def centred(params: dict) -> dict:
    """Its camera has its centre at (w - 1) / 2 in the result, and at w / 2 in the image: half a pixel away without a distortion."""
    return {**params, "map_x": params["map_x"] - np.float32(0.5), "map_y": params["map_y"] - np.float32(0.5)}


def optical(note: str, bound: dict, channels=(1, 3), keep=lambda image: True, **kwargs) -> None:
    theirs = A.OpticalDistortion(p=1, **kwargs)

    def run(image, u, kind):
        params = parameters(theirs, image, Script(u))
        return filled(theirs, image, centred(params) if theirs.mode == "camera" else params, kind)

    add(
        G.OpticalDistortion(p=1, **kwargs),
        run,
        "albumentations' map, cv2.remap" + ("; the camera's without its shift by half a pixel" if theirs.mode == "camera" else ""),
        bound,
        channels=channels,
        mask=True,
        note=note,
        keep=keep,
        exact_mask=False,
    )


optical("camera", LINEAR, (1, 3, 4, 20))
optical("camera wide", LINEAR, distort_limit=0.7, border_mode=1)
optical("fisheye", LINEAR, (1, 3, 4, 20), mode="fisheye")
optical("fisheye wide", LINEAR, mode="fisheye", distort_limit=(-0.6, 0.9), border_mode=2)
optical("fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, distort_limit=(0.3, 0.9))
optical("nearest", TIES, (3,), mode="fisheye", interpolation=0, distort_limit=0.5)
optical("cubic", LINEAR, (3,), interpolation=2, distort_limit=0.5)


def without_end(*args):
    return np.linspace(*args, endpoint=False)


class Numpy:
    """NumPy, whose linspace stops before its end: albumentations shows the last pixel of each cell twice, the next one's first."""

    linspace = staticmethod(without_end)

    def __getattr__(self, name):
        return getattr(np, name)


def grid(note: str, bound: dict, channels=(1, 3), **kwargs) -> None:
    theirs = A.GridDistortion(p=1, **kwargs)

    def run(image, u, kind):
        with patch.object(functional, "np", Numpy()):
            params = parameters(theirs, image, Script(u))
        return filled(theirs, image, params, kind)

    steps = theirs.num_steps
    add(
        G.GridDistortion(p=1, **kwargs),
        run,
        "albumentations' map with cells that end where the next begins, cv2.remap",
        bound,
        channels=channels,
        mask=True,
        note=note,
        # where the sides leave over more than a cell, albumentations reads all beyond it at 0; not normalized, it squeezes a whole
        # cell into less than one
        keep=lambda image: all(
            side >= steps and side % steps <= (side // steps if theirs.normalized else 0) for side in image.shape[:2]
        ),
        exact_mask=False,
    )


grid("defaults", LINEAR, (1, 3, 4, 20))
grid("wide", LINEAR, distort_limit=(-0.9, 1), num_steps=3, border_mode=1)
grid("not normalized", LINEAR, normalized=False, num_steps=4)
grid("fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, normalized=False, num_steps=4, distort_limit=(0.1, 0.9))
grid("nearest", TIES, (3,), interpolation=0)
grid("cubic", LINEAR, (3,), interpolation=2)

for _name, _variants in (
    ("OpticalDistortion", [{"distort_limit": 0.9, "interpolation": 0}, {"mode": "fisheye", "interpolation": 2, "border_mode": 4}]),
    ("GridDistortion", [{"interpolation": 0, "normalized": False, "fill": 9}, {"interpolation": 2, "border_mode": 4}]),
):
    about(
        _name,
        family="warp",
        marks="no: albumentations' own are found in masks; test_distort.py compares them within a pixel or two",
        bench={},
        shown={"distort_limit": 0.5},
        variants=_variants,
        gain=cubic_gain,
        bound=warped,
        mask_bound=NEAREST,
    )

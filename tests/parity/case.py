# ruff: noqa: E501  (texts of the table)
"""What a case of parity is: a transform, its reference, the pictures, and how far apart the two may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from allowed import Bound
from sklearn.datasets import load_sample_image

import gpuaug as G
from gpuaug.interop.parity.driven import Script, albumentations, by_channel, filled, parameters

__all__ = ["Script", "albumentations", "by_channel", "filled", "parameters"]  # of the package, for the cases

cv2.setNumThreads(1)
SIZES = [(1, 1), (1, 7), (5, 3), (31, 17), (97, 61), (224, 224)]
DTYPES = ("uint8", "float32", "float16")


# ---- tolerances --------------------------------------------------------------------------

EXACT = Bound()
# both sides add the same terms in float32 in another order, then round: only sums near .5 differ
ROUNDED = Bound(0, 1, 0.999, "one rounding of a sum that is near a half")
# one multiply-add, or a sum of at most 400 terms of one sign in float32: 400 * 2^-24 = 2.4e-5 at worst, its square root in practice
FLOAT = Bound(1e-5, 1e-5, 1.0, "float32 sums in another order")
# A coordinate below 512 carries an error of 2^-16 from each of two multiply-adds, on either side: 4 * 2^-16 = 6e-5 pixels along x
# and y; neighbours differ by at most 1, cubic weights have slopes up to 1.4: 2 * 6e-5 * 1.4 = 1.7e-4. Photographs are smoother.
GATHER = Bound(1e-5, 2e-4, 0.9, "float32 coordinates")
GATHER_U8 = Bound(0, 1, 0.999, "float32 coordinates and one rounding")
# Lanczos by a map. Both sides round a place to 1/32 pixel. cv2.warpAffine adds it up in steps of 1/1024, two of them, off by 1/3072 in
# the mean, so that 32 / 3072 = 1 % of the places an axis get the neighbouring 32nd; others lie within 6e-5 of a tie for 2 * 32 * 6e-5 =
# 0.4 % an axis. A step changes weights by up to 0.0978, half of it up, times the 1.7146 that the other axis' may add up to: 0.084 of
# the range, two axes 0.17. Else float32: 64 terms as in crop.py; bytes: 64 weights rounded to 1/32768, off by up to 64 * 2^-16 * 255
# = 0.25, with what OpenCV puts right 0.5, and one rounding.
LANCZOS_AFFINE = {"uint8": Bound(0, 44, 0.97, "places in 1/1024"), "float32": Bound(1.2e-5, 0.17, 0.95, "places in 1/1024")}
LANCZOS_REMAP = {
    "uint8": Bound(0, 44, 0.99, "1/32 pixels on a tie"),
    "float32": Bound(1.2e-5, 0.17, 0.99, "1/32 pixels on a tie"),
}
# nearest: a coordinate within 6e-5 of a half may go either way: 2 axes * 1.2e-4 = 0.03 % of the values, which then may differ by all
NEAREST = Bound(0, np.inf, 0.999, "coordinates on a tie")


def half(bound: Bound) -> Bound:
    """The same for float16: one more rounding, of at most half a unit of the last of 11 bits."""
    ulp = 2.0**-11 * (1 + 1e-3)
    return Bound(bound.near + ulp, bound.far + ulp, bound.share, bound.why + "; one rounding to 11 bits")


# ---- images ------------------------------------------------------------------------------


@lru_cache(None)
def photograph(name: str) -> np.ndarray:
    """A real photograph, 427 x 640, uint8, RGB."""
    return load_sample_image(f"{name}.jpg")


def stack(channels: int, h: int, w: int, name: str, y: int = 40, x: int = 60) -> np.ndarray:
    """A crop of a photograph with any number of channels: gray, RGB, RGB and luminance, or RGB of shifted crops."""
    parts = []
    for i in range(-(-max(channels, 3) // 3)):
        parts.append(photograph(name)[y + 9 * i : y + 9 * i + h, x + 5 * i : x + 5 * i + w])
    rgb = np.concatenate(parts, 2)
    if channels == 1:
        return np.ascontiguousarray(cv2.cvtColor(parts[0], cv2.COLOR_RGB2GRAY)[..., None])
    if channels == 4 and len(parts) == 2:
        rgb = np.dstack([parts[0], parts[1].max(2)])
    return np.ascontiguousarray(rgb[:, :, :channels])


@lru_cache(None)
def images(channels: int, dtype: str) -> list[np.ndarray]:
    """Photographs of all sizes, noise, and extremes."""
    rng = np.random.default_rng(channels)
    out = [stack(channels, h, w, name) for h, w in SIZES if channels <= 4 or h < 200 for name in ("china", "flower")]
    out.append(rng.integers(0, 256, (31, 17, channels), np.uint8))
    out.append(255 * rng.integers(0, 2, (31, 17, channels), np.uint8))
    out += [np.full((5, 3, channels), v, np.uint8) for v in (0, 255)]
    for image in out:
        image.setflags(write=False)
    if dtype == "uint8":
        return out
    return [(image / np.float32(255)).astype(dtype) for image in out]


# ---- cases --------------------------------------------------------------------------------


@dataclass
class Case:
    """A transform and its reference.

    ``reference(image, u, kind)`` delivers what the transform must make of an image or a mask with the uniforms ``u``.
    """

    ours: G.Transform
    reference: Callable
    source: str
    bounds: dict
    channels: tuple = (1, 3, 4, 20)
    mask: bool = False
    keep: Callable = lambda image: True  # which images make sense
    bits: int = 30  # of the uniforms
    note: str = ""
    exact_mask: bool = True
    ordered: bool = False  # do masks depend on which label is the larger?
    name: str = field(init=False)

    def __post_init__(self):
        self.name = type(self.ours).__name__

    def __repr__(self):
        return f"{self.name}-{self.note}" if self.note else self.name


def bounds(u8: Bound, f32: Bound) -> dict:
    return {"uint8": u8, "float32": f32, "float16": half(f32)}


SAME = {"uint8": EXACT, "float32": EXACT, "float16": EXACT}
CASES: list[Case] = []


def add(*args, **kwargs) -> None:
    CASES.append(Case(*args, **kwargs))

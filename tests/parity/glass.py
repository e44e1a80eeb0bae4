"""Frosted glass, and zooms."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G

from .about import PIXELS, about, unsteady
from .case import FLOAT, Bound, add, albumentations, bounds, by_channel


def _mixed(v: np.ndarray) -> np.ndarray:
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        v = (v ^ v >> np.uint32(shift)) * np.uint32(factor)
    return v ^ v >> np.uint32(16)


def _steps(h: int, w: int, key, delta: int, iterations: int) -> np.ndarray:
    """The partners of kernels/op_scene.cuh, in the order in which albumentations reads them: int [pixels, iterations, 2]."""
    lines, columns = np.arange(h - delta, delta, -1), np.arange(w - delta, delta, -1)
    y, x = np.tile(lines, len(columns)), np.repeat(columns, len(lines))
    out = []
    for k in range(iterations):
        other = np.uint32((int(key[1]) + 0x9E3779B9 * k) % 2**32)
        v = _mixed(_mixed((y * w + x).astype(np.uint32) + np.uint32(key[0])) ^ other).astype(np.int64)
        out.append(np.stack([((v & 0xFFFF) * 2 * delta >> 16) - delta, ((v >> 16) * 2 * delta >> 16) - delta], 1))
    return np.stack(out, 1)


def _glass(note, **kwargs):
    aug = A.GlassBlur(p=1, **kwargs)

    def run(image, u, kind):
        key = [int(v * 2.0**32) for v in u]
        dxy = _steps(*image.shape[:2], key, aug.max_delta, aug.iterations)
        return by_channel(lambda part: aug.apply(part, dxy=dxy), image)

    add(
        G.GlassBlur(p=1, **kwargs),
        run,
        "albumentations, its steps from our words",
        bounds(Bound(0, 1, 0.999, "roundings near a half"), FLOAT),
        keep=lambda image: min(image.shape[:2]) > 2 * aug.max_delta,
        note=note,
    )


_glass("defaults")
_glass("far", sigma=1.5, max_delta=6, iterations=3)
_glass("near", sigma=0.4, max_delta=1, iterations=1)

for _note, _args in (("defaults", {}), ("far", {"max_factor": (1.5, 2.0), "step_factor": (0.05, 0.3)})):
    # coordinates below 512 in float32, twice; OpenCV's factors of a resize are float64. Neighbours differ by at most 1
    add(
        G.ZoomBlur(p=1, **_args),
        albumentations(A.ZoomBlur(p=1, **_args)),
        "albumentations",
        bounds(Bound(0, 1, 0.999, "one rounding"), Bound(1e-4, 2e-4, 1.0, "float32 coordinates")),
        channels=(1, 3, 4),
        note=_note,
    )
about("GlassBlur", family="no: its swaps are random, and those of the cases here", marks=PIXELS, bench={})
about(
    "ZoomBlur",
    family="blur",
    marks=PIXELS,
    bench={},
    gain=unsteady,
    bound=lambda transform, dtype: Bound(1e-4, 2e-4) if dtype == "float32" else Bound(0, 1, 0.999),
)

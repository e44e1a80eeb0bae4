"""Ours beside the reference, on all pictures that fit."""

from __future__ import annotations

import numpy as np
from allowed import Result, differences

from gpuaug.interop.parity.compared import ours

from .case import Case, images


def uniforms(case: Case, n: int) -> np.ndarray:
    rng = np.random.default_rng(case.ours.columns() + 100 * len(repr(case)))
    return np.floor(rng.random((n, case.ours.columns())) * 2.0**case.bits) * 2.0**-case.bits


def compare(case: Case, dtype: str, channels: int, device=None) -> Result:
    """Ours against the reference on all images that fit."""
    data = [image for image in images(channels, dtype) if case.keep(image)]
    u = uniforms(case, len(data))
    results = ours(case.ours, data, u, device=device)
    parts = []
    for i, (image, got) in enumerate(zip(data, results)):
        given = image.astype(np.float32) if dtype == "float16" else image
        want = np.asarray(case.reference(given.copy(), u[i], "image"))
        want = want.reshape(want.shape if want.ndim == 3 else (*want.shape, 1))
        relative = dtype != "uint8" or case.name == "Normalize"
        parts.append(differences(got, want, dtype, relative, f"image {i} of {image.shape}"))
    return Result(np.concatenate(parts))


# 32 bits wide, none fits float32, and none is 0, which `palette_of` puts at place 0
LABELS = np.random.default_rng(5).permutation(np.r_[-128:0, 1:129] * 16777199).astype(np.int64)


def palette_of(case: Case) -> np.ndarray:
    palette = LABELS.copy()
    palette[[0, 3, 4, 5, 7]] = [0, 3, 4, 5, 7]  # fills keep their value
    palette[100:104] = 2**31 - 1, -(2**31), -1, 0x7F800001  # among them bits that a float calls a signalling NaN
    return np.sort(palette) if case.ordered else palette


def compare_masks(case: Case, dtype: str, device=None) -> Result:
    """Masks: labels of 32 bits by way of a palette, since the reference's masks have 8."""
    data = [image[:, :, 0] for image in images(3, "uint8") if case.keep(image)]
    if dtype != "uint8":
        palette = palette_of(case)
        given = [palette[image].astype(dtype) for image in data]
    else:
        palette, given = np.arange(256), data
    u = uniforms(case, len(data))
    if dtype == "int64":
        given = [mask.astype(np.int32) for mask in given]
    results = ours(case.ours, given, u, "mask", device=device)
    parts = []
    for image, got, v in zip(data, results, u):
        want = np.asarray(case.reference(image[:, :, None].copy(), v, "mask"))
        want = palette[want.reshape(want.shape[:2])]
        assert got.shape[:2] == want.shape, (got.shape, want.shape)
        parts.append((got[:, :, 0].astype(np.int64) != want).astype(np.float64).ravel())
    return Result(np.concatenate(parts))

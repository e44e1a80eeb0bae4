"""Patterns by diamonds and squares, as albumentations makes them for its plasma.

A grid of 3 x 3 random numbers is doubled until it holds the image. Each time means of four neighbours are put between, noise is
added to all, and all is stretched to 0..1; a mean that is not above 0 stays 0. Noise grows by ``roughness`` from step to step, so
that above 1 the finest is what is mostly seen. kernels/host/fractal.cpp makes them.
"""

from __future__ import annotations

import numpy as np

from . import library
from .ragged import Ragged


def uniforms(height: int, width: int) -> int:
    """How many uniforms a pattern of an image takes."""
    steps = max(int(np.ceil(np.log2(max(height, width, 3) - 1))) - 1, 0)
    return 9 + sum((2 ** (k + 2) + 1) ** 2 for k in range(steps))


def patterns(keys: np.ndarray, size: np.ndarray, roughness: float) -> Ragged:
    """Patterns of 0..1, float32, a line of values for each sample.

    Args:
        keys: uint32 ``[n, 2]``, of their uniforms (`gpuaug.uniforms.ragged`).
        size: ``[n, 2]``, heights and widths.

    Example:
        >>> import numpy as np
        >>> made = patterns(np.zeros((1, 2), np.uint32), np.array([[5, 5]]), 3.0)
        >>> made.counts.tolist(), float(made.values.min()), float(made.values.max())
        ([25], 0.0, 1.0)
    """
    keys, size = np.ascontiguousarray(keys, np.uint32), np.ascontiguousarray(size, np.int64)
    counts = np.array([uniforms(*each) for each in size.tolist()], np.int64)
    out = Ragged(np.empty(int(size.prod(1).sum()), np.float32), size.prod(1))
    starts = np.ascontiguousarray(out.starts)
    arrays = [array.ctypes.data for array in (keys, size, counts, starts)]
    if library.load().fractal(*arrays, len(size), float(roughness), out.values.ctypes.data):
        raise MemoryError(f"no memory for patterns of {len(size)} images")
    return out

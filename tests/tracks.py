"""Tracks of small batches, for the tests of what they become and of what their verbs take."""

from __future__ import annotations

import numpy as np

from gpuaug import maps
from gpuaug.backends import cpu
from gpuaug.batch import Batch
from gpuaug.track import Track

ALL = slice(None)
FILL = {"key": np.zeros(2, np.uint32), "width": 8, "scale": 1, "whole": 0, "fill": np.zeros(3, np.float32), "mode": 0}
ONE = np.ones(2, np.float32)  # a filter of one weight: leaves images as they are


def batch(n: int = 4, size=(6, 8), channels: int = 3, dtype=np.uint8) -> Batch:
    return Batch.of(np.random.default_rng(1).integers(0, 256, (n, *size, channels)).astype(dtype))


def finished(track: Track, dtype: str, size=(6, 8)):
    """The plan and what it writes."""
    out = np.zeros((track.samples, *size, track.channels), dtype)
    step = np.array(out.strides[1:]) // out.itemsize
    plan = track.finish(out.ctypes.data + out.strides[0] * np.arange(len(out)), np.tile(step, (len(out), 1)), dtype)
    cpu.execute(plan)
    return plan, out


def beside(n: int) -> maps.Affine:
    """Places a quarter of a pixel beside each pixel: the nearest is that pixel."""
    return maps.Affine(np.tile([[1, 0, 0.25], [0, 1, 0.25]], (n, 1, 1)))

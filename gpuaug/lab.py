"""Tables of OpenCV's 8-bit LAB, for the operations "to_lab" and "from_lab": equal to its own in all entries that are read."""

from __future__ import annotations

import numpy as np


def _fixed(values: np.ndarray) -> np.ndarray:
    table = np.rint(values).astype(np.int32)
    table.setflags(write=False)
    return table


def _forward() -> np.ndarray:
    """Linear light of bytes in steps of 1/2040, then 2^15 times the cube root of 0 .. 2040 such steps, linear below 216/24389."""
    x = np.arange(256) / 255
    light = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    x = np.arange(2041) / 2040
    root = np.where(x < 216 / 24389, x * 841 / 108 + 16 / 116, np.cbrt(x)).astype(
        np.float32
    )  # OpenCV's cubeRoot is one of floats
    return _fixed(np.concatenate([2040 * light, 32768.0 * root]))


def _backward() -> np.ndarray:
    """The byte of linear light in steps of 1/4096."""
    x = np.arange(4096) / 4096
    return _fixed(255 * np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055))


FORWARD, BACKWARD = _forward(), _backward()

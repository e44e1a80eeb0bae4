"""Weights of filters: Gaussians as OpenCV makes them, and any small kernel as a list of points (`Track.filter`)."""

from __future__ import annotations

import numpy as np

# cv2.getGaussianKernel(k, 0) of k = 3 to 9, which OpenCV has as numbers
SMALL = {
    3: [0.25, 0.5, 0.25],
    5: [0.0625, 0.25, 0.375, 0.25, 0.0625],
    7: [0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125],
    9: [0.015625, 0.05078125, 0.1171875, 0.19921875, 0.234375, 0.19921875, 0.1171875, 0.05078125, 0.015625],
}


def gaussians(ksize: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Weights of ``cv2.GaussianBlur``, ``[n, most]``, of which a row's first ``ksize`` are set. Sigma 0: one of the size."""
    place = np.arange(ksize.max(initial=1))
    own = 0.3 * ((ksize - 1) * 0.5 - 1) + 0.8
    sigma = np.where(sigma > 0, sigma, own)[:, None]
    weights = np.exp(-((place - (ksize[:, None] - 1) / 2) ** 2) / (2 * sigma * sigma)) * (place < ksize[:, None])
    return weights / weights.sum(1, keepdims=True)


def gaussian(ksize: int, sigma: float) -> np.ndarray:
    """``cv2.getGaussianKernel``."""
    return np.array(SMALL[ksize]) if sigma <= 0 and ksize in SMALL else gaussians(np.array([ksize]), np.array([sigma]))[0]


def bytes_gaussian(ksize: int, sigma: float) -> np.ndarray:
    """Weights of ``cv2.GaussianBlur`` of bytes: multiples of 1/256 that add up to 1; what rounding loses is carried on from the
    ends to the middle."""
    exact = gaussian(ksize, sigma)
    weights, left = np.zeros(ksize), 0.0
    for i in range(ksize // 2):
        scaled = exact[i] * 256 + left
        weights[i] = weights[-1 - i] = np.rint(scaled)
        left = scaled - weights[i]
    weights[ksize // 2] = 256 - weights.sum()
    return weights / 256


def points(to, rows, kernels, clip: bool = True) -> None:
    """Correlate with kernels, ``[n, k, k]`` or a list of n of odd sides; clip: floats to 0..1."""
    taps, start, lengths, at = [], [], [], 0
    for kernel in kernels:
        weights = np.asarray(kernel, np.float32)
        y, x = np.nonzero(weights)  # a weight of 0 costs nothing
        if not len(y):
            y, x = np.zeros((2, 1), np.int64)
        h, w = weights.shape
        taps.append(np.stack([y - h // 2, x - w // 2, weights[y, x]], 1).astype(np.float32).ravel())
        start.append(at)
        lengths.append((h, w, len(y)))
        at += taps[-1].size
    if not taps:
        return
    to.filter(rows, "sparse", np.concatenate(taps), np.array(start), np.array(lengths))
    if clip and not to.is_u8:
        to.op(rows, "linear", factor=1.0, offset=0.0, low=0.0, high=1.0)


def places(ksize: int) -> np.ndarray:
    """Distances from the middle."""
    return np.arange(ksize) - (ksize - 1) / 2

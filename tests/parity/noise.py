"""Noise."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G

from .about import PIXELS, about
from .case import FLOAT, Bound, add, bounds


def threefry(counter, key, rounds: int = 13) -> np.ndarray:
    """Threefry4x32 (Salmon et al. 2011) of arrays of four counter and four key words: uint32 ``[..., 4]``."""
    k = [np.asarray(w, np.uint32) for w in key]
    k.append(np.uint32(0x1BD11BDA) ^ k[0] ^ k[1] ^ k[2] ^ k[3])
    x = [np.array(c, np.uint32) + w for c, w in zip(np.broadcast_arrays(*counter), k)]
    for r in range(rounds):
        a, b = ((10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20))[r % 8]
        left, right = (1, 3) if r % 2 == 0 else (3, 1)
        x[0] = x[0] + x[left]
        x[left] = (x[left] << np.uint32(a) | x[left] >> np.uint32(32 - a)) ^ x[0]
        x[2] = x[2] + x[right]
        x[right] = (x[right] << np.uint32(b) | x[right] >> np.uint32(32 - b)) ^ x[2]
        if r % 4 == 3:
            x = [w + k[(r // 4 + 1 + i) % 5] for i, w in enumerate(x)]
            x[3] = x[3] + np.uint32(r // 4 + 1)
    return np.stack(x, -1)


def noise(image, key, std: float, mean: float, per_channel: bool) -> np.ndarray:
    """The numbers that the kernel draws, by the NumPy twin of its generator and the C library's logarithm and sine."""
    h, w, c = image.shape
    blocks = -(-c // 4)
    words = threefry((np.arange(h * w)[:, None], np.arange(blocks), 0, 0), (*key, 0, 0)).astype(np.float64)
    u = (np.floor(words / 256) + 0.5) * 2.0**-24
    r, angle = np.sqrt(-2 * np.log(u[..., 0::2])), 2 * np.pi * (u[..., 1::2] - 2.0**-25)
    normal = np.stack([r * np.cos(angle), r * np.sin(angle)], -1).reshape(h, w, 4 * blocks)
    normal = normal[..., :c] if per_channel else np.repeat(normal[..., :1], c, 2)
    top = 255 if image.dtype == np.uint8 else 1
    return (normal * std * top + mean * top).astype(np.float32)


def gauss(note, **kwargs):
    aug = A.GaussNoise(p=1, **kwargs)

    def run(image, u, kind):
        std, mean = (low + (high - low) * v for (low, high), v in ((aug.std_range, u[0]), (aug.mean_range, u[1])))
        n = noise(image, [int(v * 2.0**32) for v in u[2:4]], std, mean, aug.per_channel)
        if image.dtype == np.uint8:
            return aug.apply(image, noise_map=n)
        return image + n  # ours are not clipped: spectrograms have any range

    # our logarithm and sine are polynomials, 2e-7 relative: noise of 5 sigma at sigma 0.44 is right to 1e-6, and on uint8 about
    # 2e-6 * 255 of all truncations fall on the other side of an integer
    add(
        G.GaussNoise(p=1, **kwargs),
        run,
        "albumentations, noise by NumPy",
        bounds(Bound(0, 1, 0.999, "truncation of noise"), FLOAT),
        note=note,
    )


gauss("defaults")
gauss("mean, shared", mean_range=(-0.2, 0.3), per_channel=False)


about("GaussNoise", family="colour", marks=PIXELS, bench={}, variants=[{"var_limit": (10, 50), "mean": 3}])

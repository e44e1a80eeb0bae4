"""What gpuaug's kernels and draws make of the keys that uniforms give, by NumPy and SciPy: what references are to be fed with."""

from __future__ import annotations

import numpy as np
import scipy.special

from ...transform import Transform, View
from ...uniforms import philox, ragged
from .driven import threefry

GOLDEN = 0x9E3779B9


def key_of(u) -> list[int]:
    """The words of a key that two uniforms are."""
    return [int(v * 2.0**32) for v in u]


def drawn(transform: Transform, image: np.ndarray, u: np.ndarray) -> dict:
    """What one of gpuaug's transforms draws for an image; first axes count its one sample."""
    return transform.draw(u[None], View(np.array([image.shape[:2]]), image.shape[2], str(image.dtype)))


def words(u, count: int, what: int = 0) -> np.ndarray:
    """`count` uniforms from a key of two uniforms."""
    return (philox(np.arange(-(-count // 4)), what, 0, 0, *key_of(u)).ravel()[:count]) * 2.0**-32


def some(u, count: int) -> np.ndarray:
    """So many uniforms of a key, as `gpuaug.uniforms.ragged` gives them."""
    return ragged(np.array([key_of(u)], np.uint32), np.array([count])).values


def mixed(v: np.ndarray) -> np.ndarray:
    """The kernels' hash of 32-bit words."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        v = (v ^ v >> np.uint32(shift)) * np.uint32(factor)
    return v ^ v >> np.uint32(16)


def fields(image_shape, key, alike: bool = False) -> np.ndarray:
    """The words that the kernels draw for each pixel and channel, uint32 ``[h, w, c]``."""
    h, w, c = image_shape
    blocks = -(-c // 4)
    every = threefry((np.arange(h * w)[:, None], np.arange(blocks), 0, 0), (*key, 0, 0)).reshape(h, w, 4 * blocks)
    return np.repeat(every[..., :1], c, 2) if alike else every[..., :c]


def normals(u: np.ndarray) -> np.ndarray:
    """Normal numbers of pairs of words (Box and Muller), as kernels/philox.cuh makes them."""
    a, b = ((np.floor(u[..., k::2] / 256.0) + 0.5 * (k == 0)) * 2.0**-24 for k in (0, 1))
    r = np.sqrt(-2 * np.log(a))
    return np.stack([r * np.cos(2 * np.pi * b), r * np.sin(2 * np.pi * b)], -1).reshape(u.shape)


def deviates(u: np.ndarray) -> np.ndarray:
    """Normal numbers of uniforms by the inverse of their distribution."""
    return scipy.special.ndtri(np.maximum(u, 2.0**-33))


def poisson(rate, word, normal) -> np.ndarray:
    """Poisson numbers by the inverse of SciPy's distribution function; those of large rates by the expansion."""
    u = np.floor(word / 256.0) * 2.0**-24
    k = np.arange(120)
    small = (scipy.special.pdtr(k, np.minimum(rate, 40.0)[..., None]) <= u[..., None]).sum(-1)
    large = np.maximum(np.floor(rate + np.sqrt(rate) * normal + (normal**2 - 1) / 6 + 0.5), 0)
    return np.where(rate <= 32, small, large).astype(np.float64)


def positive(vectors: np.ndarray) -> np.ndarray:
    """Signs that make the largest part of each column positive."""
    return np.sign(vectors[np.abs(vectors).argmax(0), np.arange(vectors.shape[1])])


def permutation(area: int, key, rounds: int = 4) -> np.ndarray:
    """A Feistel network on side x other places, walked until it leads inside (kernels/op_grain.cuh)."""
    side = int(np.ceil(np.sqrt(area)))
    other = -(-area // side)

    def below(v, n):
        v = mixed(v.astype(np.uint32))
        return np.floor(np.float32(v >> np.uint32(9)) * np.float32(2.0**-23) * np.float32(n)).astype(np.int64)

    at = np.arange(area)
    going = np.ones(area, bool)
    while going.any():
        y, x = at[going] // side, at[going] % side
        for r in range(rounds):
            step = np.uint32(r * GOLDEN % 2**32)
            x = (x + below(y.astype(np.uint32) + np.uint32(key[0]) + step, side)) % side
            y = (y + below(x.astype(np.uint32) + np.uint32(key[1]) + step, other)) % other
        at[going] = y * side + x
        going = at >= area
    return at

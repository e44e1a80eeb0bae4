"""albumentations' transforms driven by the uniforms that gpuaug's drew from, and what of OpenCV's must be called around it."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from ...uniforms import normal


class Script:
    """Plays albumentations' ``py_random`` and ``random_generator`` from given uniforms."""

    def __init__(self, uniforms, single=(), blocks=()):
        self._uniforms, self._single, self._blocks = (iter(list(x)) for x in (uniforms, single, blocks))

    def uniform(self, low, high, size=None):
        u = float(next(self._uniforms)) if size is None else next(self._blocks)[:size]
        return low + (high - low) * u

    def randint(self, low, high):
        return int(low + np.floor((high - low + 1) * next(self._uniforms)))

    def randrange(self, low, high, step=1):
        return low + step * int(len(range(low, high, step)) * next(self._uniforms))

    def random(self):
        return next(self._single)

    def choice(self, options):
        return options[int(len(options) * next(self._uniforms))]

    def integers(self, low, high, size=None):
        if size is None:
            return 0
        return (low + np.floor((high - low) * next(self._blocks)[:size])).astype(int)


class Numbers(Script):
    """Uniform numbers one by one; ``random``, ``gauss`` and ``shuffle`` from the same."""

    def random(self):
        return float(next(self._uniforms))

    def gauss(self, mean, deviation):
        return mean + deviation * float(normal(np.array([float(next(self._uniforms))]))[0])

    def integers(self, low, high, size=None):
        return 0

    def shuffle(self, order):
        order[:] = np.asarray(order)[np.argsort(list(self._uniforms), kind="stable")]


class Normals(Script):
    """Normal deviates by their distribution's inverse."""

    def normal(self, mean, scale, size):
        return mean + scale * normal(np.array(next(self._blocks), np.float64)).reshape(size)


def parameters(aug, image: np.ndarray, script: Script) -> dict:
    """What albumentations draws for an image from a script."""
    aug.py_random = aug.random_generator = script
    params = {"shape": image.shape}
    return {**aug.get_params(), **aug.get_params_dependent_on_data(params, {"image": image}), **params}


def by_channel(f: Callable, image: np.ndarray) -> np.ndarray:
    """Images of more channels than OpenCV takes, one channel at a time."""
    if image.shape[2] <= 4:
        return f(image)
    return np.dstack([f(np.ascontiguousarray(image[:, :, i : i + 1])) for i in range(image.shape[2])])


def filled(aug, image: np.ndarray, params: dict, kind: str = "image") -> np.ndarray:
    """What albumentations makes of it, channel by channel: a scalar fill of its remaps reaches the first alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "mask":
            return aug.apply_to_mask(image, **params)
        fill, out = aug.fill, []
        try:
            for c in range(image.shape[2]):
                aug.fill = fill[c] if isinstance(fill, (tuple, list)) else fill
                out.append(aug.apply(np.ascontiguousarray(image[:, :, c]), **params))
        finally:
            aug.fill = fill
        return np.dstack(out)


def albumentations(aug, order: Callable = Script) -> Callable:
    """A reference that calls an albumentations transform; order: of uniforms, how it asks for them."""

    def run(image, u, kind="image"):
        params = parameters(aug, image, order(u))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "mask":
                return aug.apply_to_mask(image, **params)
            return by_channel(lambda part: aug.apply(part, **params), image)

    return run


def in_vectors(f: Callable, image: np.ndarray) -> np.ndarray:
    """A function of single pixels, on one line of a multiple of 256: OpenCV's HSV2RGB truncates in vectors, but rounds the pixels
    that remain at the end of a line."""
    h, w, c = image.shape
    line = np.resize(image.reshape(-1, c), (1, -(-h * w // 256) * 256, c))
    return f(line)[0, : h * w].reshape(h, w, c)


# ---- per-pixel noise -------------------------------------------------------------------------------


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


def normal_noise(image, key, std: float, mean: float, per_channel: bool) -> np.ndarray:
    """The numbers that the kernel draws, by the NumPy twin of its generator and the C library's logarithm and sine."""
    h, w, c = image.shape
    blocks = -(-c // 4)
    words = threefry((np.arange(h * w)[:, None], np.arange(blocks), 0, 0), (*key, 0, 0)).astype(np.float64)
    u = (np.floor(words / 256) + 0.5) * 2.0**-24
    r, angle = np.sqrt(-2 * np.log(u[..., 0::2])), 2 * np.pi * (u[..., 1::2] - 2.0**-25)
    found = np.stack([r * np.cos(angle), r * np.sin(angle)], -1).reshape(h, w, 4 * blocks)
    found = found[..., :c] if per_channel else np.repeat(found[..., :1], c, 2)
    top = 255 if image.dtype == np.uint8 else 1
    return (found * std * top + mean * top).astype(np.float32)

"""References of noise, and of what else has a random number for every pixel: albumentations with the words of our kernels."""

from __future__ import annotations

import albumentations.augmentations.pixel.functional as F
import numpy as np

from ...transforms.grain import beta_quantiles
from .driven import Script, by_channel, threefry
from .luck import GOLDEN, deviates, fields, key_of, mixed, normals, permutation, poisson, words
from .made import Reference, theirs

_OURS = "albumentations, its numbers from our words"


def multiplicative(transform) -> Reference:
    aug = theirs(transform)

    class Luck:
        def __init__(self, u):
            self.u = u

        def uniform(self, low, high, shape):
            if len(shape) == 1:
                return low + (high - low) * words(self.u, shape[0])
            v = np.floor(fields(shape, key_of(self.u), shape[2] == 1) / 256.0) * 2.0**-24
            return low + (high - low) * v

    def run(image, u, kind="image"):
        aug.random_generator = Luck(u)
        params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        return aug.apply(image, **params).reshape(image.shape)

    return Reference(run, "albumentations")


class _Additive:
    """albumentations' generators: the ranges' numbers first, then fields of our words."""

    def __init__(self, u, kind, mode, channels):
        self.scalars, self.key, self.kind, self.mode, self.channels = iter(u[:3]), key_of(u[3:5]), kind, mode, channels
        self.u = u[3:5]
        self.ab = ()
        if mode == "constant" and kind == "uniform":
            self.scalars = iter(words(u[3:5], channels))

    def integers(self, low, high):
        return 0

    def words(self, size, half=0.5):
        if len(size) == 1:
            return words(self.u, size[0])
        shape = size if len(size) == 3 else (*size, self.channels)
        out = fields(shape, self.key, len(size) == 2)
        if half is None:
            return out if len(size) == 3 else out[..., 0]
        v = (np.floor(out / 256.0) + half) * 2.0**-24
        return v if len(size) == 3 else v[..., 0]

    def uniform(self, low, high, size=None):
        return low + (high - low) * (float(next(self.scalars)) if size is None else self.words(size))

    def laplace(self, loc, scale, size):
        bits = 23 if len(size) > 1 else 32  # in which 2 v - 1 and its distance from 1 are exact
        v = self.words(size) if bits == 32 else (np.floor(self.words(size, None) / 512.0) + 0.5) * 2.0**-23
        t = 2 * v - 1
        return loc - scale * np.sign(t) * np.log1p(-np.abs(t) * (1 - 2.0**-33 * (len(size) == 1)))

    def beta(self, alpha, beta, size):
        place, table = self.words(size) * 1023, beta_quantiles(np.array([alpha]), np.array([beta]))[0]
        return np.interp(place, np.arange(1024), table)

    def gaussian(self, size, params):
        mean, std = (low + (high - low) * next(self.scalars) for low, high in (params["mean_range"], params["std_range"]))
        if len(size) == 1:
            return mean + std * deviates(words(self.u, size[0]))
        every = fields((*size[:2], 4 * -(-self.channels // 4)), self.key)
        z = normals(every)
        return mean + std * (z[..., : self.channels] if len(size) == 3 else z[..., 0])


class _sampled:
    """albumentations takes normal numbers from OpenCV's generator: here from the luck's."""

    def __init__(self, luck):
        self.luck = luck

    def __enter__(self):
        self.was = F.sample_gaussian
        F.sample_gaussian = lambda size, params, generator: self.luck.gaussian(size, params)

    def __exit__(self, *_):
        F.sample_gaussian = self.was


def additive(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        luck = _Additive(u, aug.noise_type, aug.spatial_mode, image.shape[2])
        with _sampled(luck):
            aug.random_generator = luck
            params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        noise = np.asarray(params["noise_map"], np.float32)
        return aug.apply(image, noise_map=noise.reshape(image.shape) if noise.size == image.size else noise).reshape(image.shape)

    return Reference(run, _OURS)


def iso(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        every = threefry((np.arange(image.shape[0] * image.shape[1]), 0, 0, 0), (*key_of(u[2:4]), 0, 0))
        z = normals(every[:, :2]).reshape(*image.shape[:2], 2)

        class Luck:
            def poisson(self, rate, size):
                return poisson(np.broadcast_to(np.float64(rate), size), every[:, 2].reshape(size), z[..., 1])

            def normal(self, mean, sigma, size):
                return mean + sigma * z[..., 0]

        shift, intensity = (low + (high - low) * v for (low, high), v in zip((aug.color_shift, aug.intensity), u))
        return F.iso_noise(image, shift, intensity, Luck())

    return Reference(run, _OURS)


def salt(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        amount, salty = (low + (high - low) * v for (low, high), v in zip((aug.amount, aug.salt_vs_pepper), u))
        h, w = image.shape[:2]
        grains = int(h * w * amount)
        place = permutation(h * w, key_of(u[2:4])).reshape(h, w)
        many = int(grains * salty)
        return aug.apply(image, salt_mask=place < many, pepper_mask=(place >= many) & (place < grains))

    return Reference(run, "albumentations, its masks from our permutation")


def shot(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        scale = aug.scale_range[0] + (aug.scale_range[1] - aug.scale_range[0]) * u[0]
        blocks = -(-image.shape[2] // 4)
        every = fields((*image.shape[:2], 4 * blocks), key_of(u[1:3]))
        z = normals(every)[..., : image.shape[2]]
        other = mixed(every.copy())[..., : image.shape[2]]

        class Luck:
            def poisson(self, rate):
                rate = np.asarray(rate, np.float64).reshape(image.shape)
                return np.stack([poisson(rate[..., c], other[..., c], z[..., c]) for c in range(image.shape[2])], -1)

        return F.shot_noise(image, scale, Luck()).reshape(image.shape)

    return Reference(run, _OURS)


def _steps(h: int, w: int, key, aug) -> np.ndarray:
    """The partners of kernels/op_scene.cuh, in the order in which albumentations reads them: int [pixels, iterations, 2]."""
    delta = aug.max_delta
    lines, columns = np.arange(h - delta, delta, -1), np.arange(w - delta, delta, -1)
    y, x = np.tile(lines, len(columns)), np.repeat(columns, len(lines))
    if aug.mode == "exact":  # line by line
        y, x = np.repeat(lines, len(columns)), np.tile(columns, len(lines))
    out = []
    for k in range(aug.iterations):
        other = np.uint32((int(key[1]) + GOLDEN * k) % 2**32)
        v = mixed(mixed((y * w + x).astype(np.uint32) + np.uint32(key[0])) ^ other).astype(np.int64)
        out.append(np.stack([((v & 0xFFFF) * 2 * delta >> 16) - delta, ((v >> 16) * 2 * delta >> 16) - delta], 1))
    return np.stack(out, 1)


def glass(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        dxy = _steps(*image.shape[:2], key_of(u), aug)
        if aug.mode == "exact":  # which copies colours, and swaps grays: channels are not on their own
            return aug.apply(image, dxy=dxy)
        return by_channel(lambda part: aug.apply(part, dxy=dxy), image)

    return Reference(run, "albumentations, its steps from our words")


class _Singles(Script):
    def random(self):
        return float(next(self._uniforms))


class _Matrix:
    def __init__(self, u):
        self.u = u

    def uniform(self, low, high, size):
        return low + (high - low) * words(self.u, size[0] * size[1]).reshape(size)


def advanced(transform) -> Reference:
    """AdvancedBlur, whose kernel has noise of its own."""
    aug = theirs(transform)

    def run(image, u, kind="image"):
        aug.py_random, aug.random_generator = _Singles(u), _Matrix(u[6:8])
        params = aug.get_params()
        return by_channel(lambda part: aug.apply(part, **params), image)

    return Reference(run, "albumentations")


REFERENCES = {
    "AdditiveNoise": additive,
    "AdvancedBlur": advanced,
    "GlassBlur": glass,
    "ISONoise": iso,
    "MultiplicativeNoise": multiplicative,
    "SaltAndPepper": salt,
    "ShotNoise": shot,
}

"""Noise."""

from __future__ import annotations

import albumentations as A
import albumentations.augmentations.pixel.functional as F
import numpy as np
import scipy.special
import scipy.stats

import gpuaug as G
from gpuaug.interop.parity.driven import threefry
from gpuaug.transforms.grain import beta_quantiles

from .about import PIXELS, about
from .case import EXACT, FLOAT, Bound, add, bounds
from .pca import words


def _key(u) -> list[int]:
    return [int(v * 2.0**32) for v in u]


def fields(image_shape, key, alike: bool = False) -> np.ndarray:
    """The words that the kernels draw for each pixel and channel, uint32 [h, w, c]."""
    h, w, c = image_shape
    blocks = -(-c // 4)
    drawn = threefry((np.arange(h * w)[:, None], np.arange(blocks), 0, 0), (*key, 0, 0)).reshape(h, w, 4 * blocks)
    return np.repeat(drawn[..., :1], c, 2) if alike else drawn[..., :c]


def normals(u: np.ndarray) -> np.ndarray:
    """Normal numbers of pairs of words (Box and Muller), as kernels/philox.cuh makes them."""
    a, b = ((np.floor(u[..., k::2] / 256.0) + 0.5 * (k == 0)) * 2.0**-24 for k in (0, 1))
    r = np.sqrt(-2 * np.log(a))
    return np.stack([r * np.cos(2 * np.pi * b), r * np.sin(2 * np.pi * b)], -1).reshape(u.shape)


def poisson(rate, word, normal) -> np.ndarray:
    """Poisson numbers by the inverse of SciPy's distribution function; those of large rates by the expansion."""
    u = np.floor(word / 256.0) * 2.0**-24
    k = np.arange(120)
    small = (scipy.special.pdtr(k, np.minimum(rate, 40.0)[..., None]) <= u[..., None]).sum(-1)
    large = np.maximum(np.floor(rate + np.sqrt(rate) * normal + (normal**2 - 1) / 6 + 0.5), 0)
    return np.where(rate <= 32, small, large).astype(np.float64)


# ---- one number for each channel -----------------------------------------------------------------------------


def _multiplicative(note, u8, **kwargs):
    aug = A.MultiplicativeNoise(p=1, **kwargs)

    class Luck:
        def __init__(self, u):
            self.u = u

        def uniform(self, low, high, shape):
            if len(shape) == 1:
                return low + (high - low) * words(self.u, shape[0])
            v = np.floor(fields(shape, _key(self.u), shape[2] == 1) / 256.0) * 2.0**-24
            return low + (high - low) * v

    def run(image, u, kind):
        aug.random_generator = Luck(u)
        params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        return aug.apply(image, **params).reshape(image.shape)

    add(
        G.MultiplicativeNoise(p=1, **kwargs),
        run,
        "albumentations",
        bounds(u8, FLOAT),
        channels=(1, 3, 4, 20),
        # albumentations squeezes its numbers, and so loses axes of length 1
        keep=lambda image: min(image.shape[:2]) > 1 or not kwargs.get("elementwise"),
        note=note,
    )


# one number in float32 beside the reference's float32 of a float64: a product that is cut off
_cut = Bound(0, 1, 0.999, "a product is cut off")
_multiplicative("defaults", EXACT)
_multiplicative("channels", EXACT, per_channel=True, multiplier=(0.3, 2.0))
_multiplicative("pixels", _cut, elementwise=True, multiplier=(0.3, 2.0))
_multiplicative("pixels and channels", _cut, elementwise=True, per_channel=True, multiplier=(0.3, 2.0))


# ---- additive -------------------------------------------------------------------------------------------------


class _Additive:
    """albumentations' generators: the ranges' numbers first, then fields of our words."""

    def __init__(self, u, kind, mode, channels):
        self.scalars, self.key, self.kind, self.mode, self.channels = iter(u[:3]), _key(u[3:5]), kind, mode, channels
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
            return mean + std * scipy.stats.norm.ppf(np.maximum(words(self.u, size[0]), 2.0**-33))
        drawn = fields((*size[:2], 4 * -(-self.channels // 4)), self.key)
        z = normals(drawn)
        return mean + std * (z[..., : self.channels] if len(size) == 3 else z[..., 0])


def _additive(kind, mode, u8=EXACT, f32=FLOAT, approximation=1.0, note="", **params):
    kwargs = {"noise_type": kind, "spatial_mode": mode, "approximation": approximation}
    if params:
        kwargs["noise_params"] = params
    aug = A.AdditiveNoise(p=1, **kwargs)

    def run(image, u, kind_):
        luck = _Additive(u, kind, mode, image.shape[2])
        with _sampled(luck):
            aug.random_generator = luck
            params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        noise = np.asarray(params["noise_map"], np.float32)
        return aug.apply(image, noise_map=noise.reshape(image.shape) if noise.size == image.size else noise).reshape(image.shape)

    add(
        G.AdditiveNoise(p=1, **kwargs),
        run,
        "albumentations, its numbers from our words",
        bounds(u8, f32),
        channels=(1, 3, 4, 20) if approximation == 1 else (1, 3),
        note=", ".join(filter(None, (kind, mode, note))),
    )


class _sampled:
    """albumentations takes normal numbers from OpenCV's generator: here from the luck's."""

    def __init__(self, luck):
        self.luck = luck

    def __enter__(self):
        self.was = F.sample_gaussian
        F.sample_gaussian = lambda size, params, generator: self.luck.gaussian(size, params)

    def __exit__(self, *_):
        F.sample_gaussian = self.was


# Noise is cut off: our logarithm, sine and multiply-add are right to 2e-6 of its size, and so is what falls on the other side of
# a whole number
_noise = Bound(0, 1, 0.999, "truncation of noise")
_additive("uniform", "constant")
_additive("uniform", "per_pixel", _noise)
_additive("uniform", "shared", _noise, ranges=[(-0.5, 0.9)])
_additive("gaussian", "constant", mean_range=(-0.3, 0.4), std_range=(0.1, 0.2))
_additive("gaussian", "per_pixel", _noise)
_additive("gaussian", "shared", _noise, mean_range=(-0.3, 0.4), std_range=(0.1, 0.2))
_additive("laplace", "constant")
_additive("laplace", "per_pixel", _noise)
_additive("laplace", "shared", _noise)
_additive("beta", "constant")
_additive("beta", "per_pixel", _noise)
_additive("beta", "shared", _noise, alpha_range=(0.5, 9.0), beta_range=(0.6, 4.0), scale_range=(0.1, 0.9))
# cv2.resize's float weights of 4 cells, float32 coordinates below 512
_additive("gaussian", "per_pixel", _noise, approximation=0.5, note="coarse")
_additive("laplace", "shared", _noise, approximation=0.3, note="coarse")


# ---- others ---------------------------------------------------------------------------------------------------


def _iso(note, **kwargs):
    aug = A.ISONoise(p=1, **kwargs)

    def run(image, u, kind):
        drawn = threefry((np.arange(image.shape[0] * image.shape[1]), 0, 0, 0), (*_key(u[2:4]), 0, 0))
        z = normals(drawn[:, :2]).reshape(*image.shape[:2], 2)

        class Luck:
            def poisson(self, rate, size):
                return poisson(np.broadcast_to(np.float64(rate), size), drawn[:, 2].reshape(size), z[..., 1])

            def normal(self, mean, sigma, size):
                return mean + sigma * z[..., 0]

        shift, intensity = (low + (high - low) * v for (low, high), v in zip((aug.color_shift, aug.intensity), u))
        return F.iso_noise(image, shift, intensity, Luck())

    # a uniform beside a sum of probabilities, right to 1e-6, counts one photon more or less: a change by the intensity of what
    # lacks
    add(
        G.ISONoise(p=1, **kwargs),
        run,
        "albumentations, its numbers from our words",
        bounds(Bound(1, 255, 0.999, "a Poisson number"), Bound(1e-4, 1, 0.9995, "a Poisson number; hue in degrees")),
        channels=(3,),
        note=note,
    )


_iso("defaults")
_iso("strong", color_shift=(0.5, 1.0), intensity=(1.0, 60.0))


def _salt(note, **kwargs):
    ours, aug = G.SaltAndPepper(p=1, **kwargs), A.SaltAndPepper(p=1, **kwargs)

    def run(image, u, kind):
        amount, salty = (low + (high - low) * v for (low, high), v in zip((aug.amount, aug.salt_vs_pepper), u))
        h, w = image.shape[:2]
        grains = int(h * w * amount)
        place = permutation(h * w, _key(u[2:4])).reshape(h, w)
        salt = int(grains * salty)
        return aug.apply(image, salt_mask=place < salt, pepper_mask=(place >= salt) & (place < grains))

    add(ours, run, "albumentations, its masks from our permutation", bounds(EXACT, EXACT), note=note)


def permutation(area: int, key, rounds: int = 4) -> np.ndarray:
    """A Feistel network on side x other places, walked until it leads inside (kernels/op_grain.cuh)."""
    side = int(np.ceil(np.sqrt(area)))
    other = -(-area // side)

    def below(v, n):
        v = v.astype(np.uint32)
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            v = (v ^ v >> np.uint32(shift)) * np.uint32(factor)
        v ^= v >> np.uint32(16)
        return np.floor(np.float32(v >> np.uint32(9)) * np.float32(2.0**-23) * np.float32(n)).astype(np.int64)

    at = np.arange(area)
    going = np.ones(area, bool)
    while going.any():
        y, x = at[going] // side, at[going] % side
        for r in range(rounds):
            step = np.uint32(r * 0x9E3779B9 % 2**32)
            x = (x + below(y.astype(np.uint32) + np.uint32(key[0]) + step, side)) % side
            y = (y + below(x.astype(np.uint32) + np.uint32(key[1]) + step, other)) % other
        at[going] = y * side + x
        going = at >= area
    return at


_salt("defaults")
_salt("much", amount=(0, 1), salt_vs_pepper=(0, 1))


def _shot(note, **kwargs):
    aug = A.ShotNoise(p=1, **kwargs)

    def run(image, u, kind):
        scale = aug.scale_range[0] + (aug.scale_range[1] - aug.scale_range[0]) * u[0]
        blocks = -(-image.shape[2] // 4)
        drawn = fields((*image.shape[:2], 4 * blocks), _key(u[1:3]))
        z = normals(drawn)[..., : image.shape[2]]
        mixed = drawn.copy()
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            mixed = (mixed ^ mixed >> np.uint32(shift)) * np.uint32(factor)
        mixed = (mixed ^ mixed >> np.uint32(16))[..., : image.shape[2]]

        class Luck:
            def poisson(self, rate):
                rate = np.asarray(rate, np.float64).reshape(image.shape)
                return np.stack([poisson(rate[..., c], mixed[..., c], z[..., c]) for c in range(image.shape[2])], -1)

        return F.shot_noise(image, scale, Luck()).reshape(image.shape)

    # a uniform beside a sum of probabilities, or an expansion beside a whole number, right to some 1e-6 and 1e-4, counts one
    # more or less
    add(
        G.ShotNoise(p=1, **kwargs),
        run,
        "albumentations, its numbers from our words",
        bounds(Bound(0, 255, 0.999, "a Poisson number"), Bound(1e-5, 1, 0.999, "a Poisson number")),
        channels=(1, 3, 4),
        note=note,
    )


_shot("defaults")
_shot("bright", scale_range=(0.001, 0.01))

for _name, _more in (
    ("ISONoise", {}),
    ("MultiplicativeNoise", {"variants": [{"elementwise": True}, {"per_channel": True, "elementwise": True}]}),
    (
        "AdditiveNoise",
        {
            "variants": [
                {"spatial_mode": mode, "noise_type": kind, "approximation": size}
                for mode, kind, size in (
                    ("per_pixel", "uniform", 1.0),
                    ("shared", "gaussian", 0.5),
                    ("per_pixel", "laplace", 0.4),
                    ("per_pixel", "beta", 1.0),
                )
            ]
        },
    ),
    ("SaltAndPepper", {"shown": {"amount": (0.3, 0.6)}}),
    ("ShotNoise", {"variants": [{"scale_range": (0.001, 0.1)}]}),
):
    about(_name, family="no: noise is random, its numbers are those of the cases here", marks=PIXELS, bench={}, **_more)

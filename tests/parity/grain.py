"""Noise."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about
from .case import EXACT, FLOAT, Bound, add, bounds

# ---- one number for each channel -----------------------------------------------------------------------------


def _multiplicative(note, u8, **kwargs):
    ours = G.MultiplicativeNoise(p=1, **kwargs)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
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


def _additive(kind, mode, u8=EXACT, f32=FLOAT, approximation=1.0, note="", **params):
    kwargs = {"noise_type": kind, "spatial_mode": mode, "approximation": approximation}
    if params:
        kwargs["noise_params"] = params
    ours = G.AdditiveNoise(p=1, **kwargs)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
        bounds(u8, f32),
        channels=(1, 3, 4, 20) if approximation == 1 else (1, 3),
        note=", ".join(filter(None, (kind, mode, note))),
    )


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
    ours = G.ISONoise(p=1, **kwargs)
    beside = reference(ours)
    # a uniform beside a sum of probabilities, right to 1e-6, counts one photon more or less: a change by the intensity of what
    # lacks
    add(
        ours,
        beside.run,
        beside.source,
        bounds(Bound(1, 255, 0.999, "a Poisson number"), Bound(1e-4, 1, 0.9995, "a Poisson number; hue in degrees")),
        channels=(3,),
        note=note,
    )


_iso("defaults")
_iso("strong", color_shift=(0.5, 1.0), intensity=(1.0, 60.0))


def _salt(note, **kwargs):
    ours = G.SaltAndPepper(p=1, **kwargs)
    beside = reference(ours)
    add(ours, beside.run, beside.source, bounds(EXACT, EXACT), note=note)


_salt("defaults")
_salt("much", amount=(0, 1), salt_vs_pepper=(0, 1))


def _shot(note, **kwargs):
    ours = G.ShotNoise(p=1, **kwargs)
    beside = reference(ours)
    # a uniform beside a sum of probabilities, or an expansion beside a whole number, right to some 1e-6 and 1e-4, counts one
    # more or less
    add(
        ours,
        beside.run,
        beside.source,
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

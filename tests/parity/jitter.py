"""Changes of colour."""

from __future__ import annotations

import albumentations as A

import gpuaug as G
from gpuaug import library
from gpuaug.interop.parity.driven import Numbers
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about, unsteady
from .case import EXACT, FLOAT, Bound, add, albumentations, bounds

for _note, _args in (
    ("defaults", {}),
    ("wide", {"r_shift_limit": 255, "g_shift_limit": (-0.5, 0.9), "b_shift_limit": (-100, 20)}),
):
    add(
        G.RGBShift(p=1, **_args),
        albumentations(A.RGBShift(p=1, **_args), Numbers),
        "albumentations",
        bounds(EXACT, FLOAT),
        channels=(1, 3),
        note=_note,
    )

for _note, _args in (
    ("defaults", {}),
    ("daylight", {"mode": "cied", "temperature_limit": (4100, 14321)}),
    ("gaussian", {"sampling_method": "gaussian"}),
):
    add(
        G.PlanckianJitter(p=1, **_args),
        albumentations(A.PlanckianJitter(p=1, **_args), Numbers),
        "albumentations",
        bounds(EXACT, FLOAT),
        channels=(3,),
        note=_note,
    )


def _jitter(note, u8, f16=None, **kwargs):
    ours = G.ColorJitter(p=1, **kwargs)
    beside = reference(ours)
    bound = bounds(u8, FLOAT)
    bound["float16"] = f16 or bound["float16"]
    add(ours, beside.run, beside.source, bound, channels=(1, 3), note=note)


_one = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
_fused = not library.load().path.stem.endswith("v2")
_jitter("brightness", EXACT, **{**_one, "brightness": (0, 3)})
_jitter("contrast", EXACT, **{**_one, "contrast": (0, 3)})
# addWeighted multiplies and adds at once in vectors: a sum beside a half
_jitter("saturation", Bound(0, 1, 0.999, "one rounding of a sum that is near a half"), **{**_one, "saturation": (0, 3)})
_jitter("hue", EXACT if _fused else Bound(1, 1, 0.99, "no fused multiply-add"), **{**_one, "hue": (-0.5, 0.5)})
# half precision: four roundings of 2^-12, of which contrast and saturation make 1.44 times as much, and a turn of the hue twice
# that
_jitter("all", Bound(0, 255, 0.99, "a rounding before a hue"), f16=Bound(3e-3, 3e-3, 1.0, "four roundings to 11 bits"))

for _name in ("RGBShift", "PlanckianJitter", "ColorJitter"):
    about(
        _name,
        family="colour" if _name == "ColorJitter" else "no: it does not take all channel counts",
        marks=PIXELS,
        bench={},
        gain=unsteady,
        bound=lambda transform, dtype: FLOAT if dtype == "float32" else EXACT,
        behind="1.12x in the run before: ours took the same time, the reference a fifth less (3413 images/s, 2708 before)."
        if _name == "ColorJitter"
        else "",
    )

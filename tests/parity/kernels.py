"""Blurs by a kernel that is made for each sample."""

from __future__ import annotations

import albumentations as A

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about, unsteady
from .case import FLOAT, Bound, add, albumentations, bounds

# OpenCV takes kernels from 11 x 11 on through Fourier transforms in float32, whose errors are some 1e-4 of a grey level: sums
# beside a half. Floats: 441 products of one sign, or of a ringing kernel's whose sizes add up to 2
BYTES = Bound(0, 1, 0.998, "a Fourier transform, one rounding")


def _advanced(note, **kwargs):
    ours = G.AdvancedBlur(p=1, **kwargs)
    beside = reference(ours)
    add(ours, beside.run, beside.source, bounds(BYTES, FLOAT), note=note)


_advanced("defaults")
_advanced("wide", blur_limit=(9, 15), sigma_x_limit=(0.5, 4.0), sigma_y_limit=(0.3, 2.0), noise_limit=(0.5, 1.5))

for _note, _args in (("defaults", {}), ("small", {"blur_limit": (3, 7), "cutoff": (0.1, 3.1)})):
    add(
        G.RingingOvershoot(p=1, **_args),
        albumentations(A.RingingOvershoot(p=1, **_args)),
        "albumentations",
        bounds(BYTES, FLOAT),
        note=_note,
    )
for _note, _args in (("defaults", {}), ("small", {"radius": (1, 2), "alias_blur": (0.5, 2.0)})):
    add(G.Defocus(p=1, **_args), albumentations(A.Defocus(p=1, **_args)), "albumentations", bounds(BYTES, FLOAT), note=_note)


about("AdvancedBlur", family="blur", marks=PIXELS, bench={}, bound=lambda t, dtype: FLOAT if dtype == "float32" else BYTES)
about("Defocus", family="blur", marks=PIXELS, bench={}, bound=lambda t, dtype: FLOAT if dtype == "float32" else BYTES)
about(
    "RingingOvershoot",
    family="colour",  # it clips, as no blur does
    marks=PIXELS,
    bench={},
    gain=unsteady,
    bound=lambda t, dtype: FLOAT if dtype == "float32" else BYTES,
)

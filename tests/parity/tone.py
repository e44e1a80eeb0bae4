"""Tone."""

from __future__ import annotations

import albumentations as A

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about, exact, unsteady
from .case import EXACT, FLOAT, add, albumentations, bounds

add(G.InvertImg(p=1), albumentations(A.InvertImg(p=1)), "albumentations", bounds(EXACT, EXACT))
about(
    "InvertImg",
    family="colour",
    marks=PIXELS,
    bench={},
    behind="memory is its time: copying the same bytes takes half of albumentations' time, looking them up in a table 1.1 times "
    "that, and a call of gpuaug 0.1 ms, however many images there are.",
)

for _note, _args in (("defaults", {}), ("wide", {"threshold_range": (0, 1)})):
    add(G.Solarize(p=1, **_args), albumentations(A.Solarize(p=1, **_args)), "albumentations", bounds(EXACT, EXACT), note=_note)
about("Solarize", family="colour", marks=PIXELS, bench={}, shown={"threshold_range": (0.2, 0.8)}, gain=unsteady)

for _note, _args in (("defaults", {}), ("wide", {"gamma_limit": (1, 1000)}), ("one number", {"gamma_limit": 300})):
    # float: two polynomials of about 2e-7, the logarithm's times the power, of which the largest difference is at 1
    add(
        G.RandomGamma(p=1, **_args),
        albumentations(A.RandomGamma(p=1, **_args)),
        "albumentations",
        bounds(EXACT, FLOAT),
        note=_note,
    )
about(
    "RandomGamma",
    family="colour",
    marks=PIXELS,
    bench={},
    gain=unsteady,  # below a power of 1 there is no bound on the slope at 0
    bound=lambda transform, dtype: FLOAT if dtype == "float32" else EXACT,
)

for _note, _args, _channels in (
    ("defaults", {}, (1, 3, 4, 20)),
    ("range", {"num_bits": (1, 7)}, (1, 3, 4, 20)),
    ("all", {"num_bits": (0, 8)}, (3,)),
    ("channels", {"num_bits": [(1, 1), (4, 4), (7, 7)]}, (3,)),
    ("ranges", {"num_bits": [(1, 3), (2, 7), (4, 4), (1, 7)]}, (4,)),
):
    add(
        G.Posterize(p=1, **_args),
        albumentations(A.Posterize(p=1, **_args)),
        "albumentations",
        bounds(EXACT, EXACT),
        channels=_channels,
        note=_note,
    )
about("Posterize", family="colour", marks=PIXELS, bench={}, gain=unsteady, bound=exact)


def _curve(note, **kwargs):
    ours = G.RandomToneCurve(p=1, **kwargs)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
        bounds(EXACT, FLOAT),
        channels=(1, 3, 4),
        note=note,
    )


_curve("defaults")
_curve("wide", scale=0.8)
_curve("channels", scale=0.3, per_channel=True)
about(
    "RandomToneCurve",
    family="colour",
    marks=PIXELS,
    bench={},
    variants=[{"per_channel": True}],
    gain=unsteady,  # the curve has no bound on its slope outside of 0..1
    bound=lambda transform, dtype: FLOAT if dtype == "float32" else EXACT,
)

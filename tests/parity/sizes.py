"""Resizes whose size hangs on the image's."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import about
from .affine import cubic_gain
from .case import EXACT, SAME, Bound, Script, add, albumentations, half
from .crop import AREA, RESIZE, WORDS, _resized, resized


def larger(least: int):
    """Images whose sides are so many pixels at least: albumentations' sides of 0 are errors."""
    return lambda image: min(image.shape[:2]) >= least


for _i, _word in WORDS.items():
    _args = {"interpolation": _i, "mask_interpolation": _i if _word == "nearest exact" else 0}
    add(
        G.RandomScale((-0.7, 0.6), p=1, **_args),
        albumentations(A.RandomScale((-0.7, 0.6), p=1, **_args)),
        "albumentations",
        resized(_i),
        mask=True,
        keep=larger(4),
        note=_word,
    )
    add(
        G.LongestMaxSize([57, 31, 97], **_args),
        albumentations(A.LongestMaxSize([57, 31, 97], **_args)),
        "albumentations",
        resized(_i),
        channels=(1, 3),
        mask=True,
        note=_word,
    )
    add(
        G.RandomSizedCrop((20, 90), (37, 45), 1.3, **_args),
        albumentations(A.RandomSizedCrop((20, 90), (37, 45), 1.3, **_args), lambda u: Script(u[:1], u[1:])),
        "albumentations",
        resized(_i),
        mask=True,
        note=_word,
    )
_WHERE = "area where it shrinks"
for _name, _args in (
    ("RandomScale", {"scale_limit": (-0.7, 0.6)}),
    ("LongestMaxSize", {"max_size": 60}),
    ("SmallestMaxSize", {"max_size": 40}),
):
    add(
        getattr(G, _name)(p=1, area_for_downscale="image", **_args),
        albumentations(getattr(A, _name)(p=1, area_for_downscale="image", **_args)),
        "albumentations",
        {name: max((AREA[name], RESIZE[name]), key=lambda bound: bound.far) for name in AREA},
        channels=(3,),
        mask=True,
        keep=larger(4),
        note=_WHERE,
    )
for _name in ("LongestMaxSize", "SmallestMaxSize"):
    for _args, _word in (
        ({"max_size": 45}, "one side"),
        ({"max_size_hw": (45, 70)}, "both sides"),
        ({"max_size_hw": (45, None)}, "height"),
        ({"max_size_hw": (None, 45)}, "width"),
    ):
        add(
            getattr(G, _name)(**_args),
            albumentations(getattr(A, _name)(**_args)),
            "albumentations",
            RESIZE,
            channels=(1, 3),
            mask=True,
            note=_word,
        )
add(
    G.SmallestMaxSize([40, 20], interpolation=0),
    albumentations(A.SmallestMaxSize([40, 20], interpolation=0)),
    "albumentations",
    SAME,
    mask=True,
    note="one of two, nearest",
)


def downscale(note: str, bound: dict, channels=(1, 3), scale_range=(0.25, 0.9), **kwargs) -> None:
    ours = G.Downscale(scale_range, p=1, **kwargs)
    beside = reference(ours)
    add(ours, beside.run, beside.source, bound, channels=channels, keep=larger(4), note=note)


def through(down: int, up: int) -> dict:
    """What the first resize differs by, which the second spreads by the sum of its weights' absolutes, then its own."""
    spread = {2: 1.375**2, 4: 1.7146**2}.get(up, 1.0)
    out = {}
    for dtype in ("uint8", "float32"):
        first, second = resized(down)[dtype], resized(up)[dtype]
        far = np.ceil(spread * first.far) if dtype == "uint8" else spread * first.far
        share = max(first.share + second.share - 1, 0) if dtype == "uint8" and first.far else min(first.share, second.share)
        out[dtype] = Bound(spread * first.near + second.near, far + second.far, share, "two resizes")
    own = out["float32"]
    between = 0.0 if {down, up} <= {0, 6} else spread * half(EXACT).far  # float16 is rounded there, too
    return out | {"float16": half(Bound(own.near + between, own.far + between, own.share, own.why))}


for _down, _up in ((0, 0), (6, 6), (3, 1), (1, 2), (4, 4), (2, 0), (0, 3)):
    _pair = {"downscale": _down, "upscale": _up}
    downscale(
        f"{_down} down, {_up} up", through(_down, _up), (1, 3, 4, 20) if _down + _up == 0 else (1, 3), interpolation_pair=_pair
    )
downscale("defaults", SAME, (3,), (0.25, 0.25))

about(
    "RandomScale",
    family="size",
    marks="no: with drawn parameters in the chains",
    bench={},
    bench_ragged=True,
    shown={"scale_limit": (-0.5, 0.5)},
    variants=[{"scale_limit": (-0.5, 0.5), "interpolation": 4}, {"scale_limit": (-0.5, 0.5), "area_for_downscale": "image"}],
    gain=cubic_gain,
    bound=_resized,
    moved={"scale_limit": (-0.2, 0.3)},
)
about(
    "LongestMaxSize",
    family="size",
    marks=[lambda L: L.LongestMaxSize(47), lambda L: L.LongestMaxSize(max_size_hw=(50, 111))],
    bench={"max_size": 192},
    needs={"max_size": [17, 23, 40]},
    variants=[{"max_size": 33, "interpolation": 3}, {"max_size": 33, "antialias": True}],
    gain=cubic_gain,
    bound=_resized,
    moved={"max_size": [75, 91]},
)
about(
    "SmallestMaxSize",
    family="size",
    marks=[lambda L: L.SmallestMaxSize(31), lambda L: L.SmallestMaxSize(max_size_hw=(None, 45))],
    bench={"max_size": 192},
    needs={"max_size": [17, 23, 40]},
    variants=[{"max_size": 33, "interpolation": 4}, {"max_size_hw": (22, 12), "mask_interpolation": 6}],
    gain=cubic_gain,
    bound=_resized,
    moved={"max_size": 51},
)
about(
    "RandomSizedCrop",
    family="size",
    marks="no: with drawn parameters in the chains",
    bench={"min_max_height": (100, 200), "size": (192, 192)},
    needs={"min_max_height": (5, 30), "size": (19, 24)},
    variants=[{"min_max_height": (5, 30), "size": (19, 24), "interpolation": 4}],
    gain=cubic_gain,
    bound=_resized,
    moved={"min_max_height": (45, 60), "size": (60, 70), "w2h_ratio": 1.2},
)
about(
    "Downscale",
    family="no: two resizes one after the other, each of which is in them",
    marks="no: it works on pixels alone",
    bench={},
    variants=[
        {"scale_range": (0.3, 0.9), "interpolation_pair": {"downscale": 3, "upscale": 4}},
        {"scale_range": (0.3, 0.9), "interpolation_pair": {"downscale": 6, "upscale": 1}},
    ],
)

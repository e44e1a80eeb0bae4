"""Resizes, crops and pads."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G

from .about import about
from .affine import cubic_gain
from .case import EXACT, FLOAT, GATHER, SAME, Bound, Script, add, albumentations, bounds

# cv2.resize rounds its weights to 1/2048 and its sums twice, ours are exact: at most 1 level apart
RESIZE = bounds(Bound(0, 1, 0.85, "OpenCV's weights of 11 bits"), GATHER)


# Where both sides shrink the same means in another order, else OpenCV's linear with its weights of 11 bits.
AREA = bounds(Bound(0, 1, 0.85, "one rounding; OpenCV's weights of 11 bits where a side grows"), FLOAT)
# Eight weights, each off by up to 2^-12 of 255, are off by 0.5 along one axis; the other spreads that by its sum of absolutes,
# 1.71; both ways, and two roundings: at most 2 levels. In float32, 64 terms of up to 1.71^2 in all: 64 * 2^-24 * 2.9 = 1.1e-5.
LANCZOS = bounds(Bound(0, 2, 0.65, "OpenCV's weights of 11 bits"), Bound(1.2e-5, 1.2e-5, 1.0, "float32 sums in another order"))
# whole numbers throughout; floats are resized as by linear
EXACT_LINEAR = {**RESIZE, "uint8": EXACT}


def resized(interpolation):
    cubic = bounds(Bound(0, 1, 0.99, RESIZE["uint8"].why), GATHER)
    return {1: RESIZE, 2: cubic, 3: AREA, 4: LANCZOS, 5: EXACT_LINEAR}.get(interpolation, SAME)


WORDS = {0: "nearest", 1: "linear", 2: "cubic", 3: "area", 4: "Lanczos", 5: "linear exact", 6: "nearest exact"}
for _i, _word in WORDS.items():
    _args = {"interpolation": _i, "mask_interpolation": _i if _word == "nearest exact" else 0}
    add(
        G.Resize(40, 53, **_args),
        albumentations(A.Resize(40, 53, **_args)),
        "albumentations",
        resized(_i),
        mask=True,
        note=_word,
    )
    add(
        G.RandomResizedCrop((37, 45), **_args),
        albumentations(
            A.RandomResizedCrop(size=(37, 45), **_args),
            lambda u: Script(np.ravel(np.stack([u[:10], u[10:20]], 1)), u[20:]),
        ),
        "albumentations",
        resized(_i),
        mask=True,
        note=_word,
    )
add(
    G.Resize(40, 53, interpolation=0, area_for_downscale="image"),
    albumentations(A.Resize(40, 53, interpolation=0, area_for_downscale="image")),
    "albumentations",
    AREA,
    mask=True,
    note="area where it shrinks",
)
add(
    G.RandomResizedCrop((37, 45), area_for_downscale="image"),
    albumentations(
        A.RandomResizedCrop(size=(37, 45), area_for_downscale="image"),
        lambda u: Script(np.ravel(np.stack([u[:10], u[10:20]], 1)), u[20:]),
    ),
    "albumentations",
    {name: max((AREA[name], RESIZE[name]), key=lambda bound: bound.far) for name in AREA},
    channels=(1, 3),
    mask=True,
    note="area where it shrinks",
)
add(
    G.RandomResizedCrop((20, 9), ratio=(5, 6), scale=(0.9, 1)),
    albumentations(
        A.RandomResizedCrop(size=(20, 9), ratio=(5, 6), scale=(0.9, 1)),
        lambda u: Script(np.ravel(np.stack([u[:10], u[10:20]], 1)), u[20:]),
    ),
    "albumentations",
    RESIZE,
    channels=(3,),
    mask=True,
    note="no window fits",
    keep=lambda image: image.shape[1] > 10,
)
for _cls in ("RandomCrop", "CenterCrop"):
    _large = {"keep": lambda image: image.shape[0] >= 30 and image.shape[1] >= 16}
    _args = {"height": 30, "width": 16}
    add(
        getattr(G, _cls)(**_args),
        albumentations(getattr(A, _cls)(**_args), lambda u: Script([], u[:2])),
        "albumentations",
        SAME,
        mask=True,
        **_large,
    )
    for _border, _word in enumerate(("constant", "replicate", "reflect", "wrap", "reflect_101")):
        _args = {
            "height": 40,
            "width": 100,
            "pad_if_needed": True,
            "border_mode": _border,
            "pad_position": ("center", "random")[_border == 2],
            "fill": 9 if _border == 0 else 0,
            "fill_mask": 3 if _border == 0 else 0,
        }

        def _order(u, some=_args["pad_position"] == "random"):
            return Script([u[2], u[3]] if some else [], u[:2])

        add(
            getattr(G, _cls)(**_args),
            albumentations(getattr(A, _cls)(**_args), _order),
            "albumentations",
            SAME,
            channels=(1, 3, 4),
            mask=True,
            note=f"pad {_word}",
        )
    for _place in ("top_left", "top_right", "bottom_left", "bottom_right"):
        _args = {"height": 50, "width": 70, "pad_if_needed": True, "pad_position": _place}
        add(
            getattr(G, _cls)(**_args),
            albumentations(getattr(A, _cls)(**_args), lambda u: Script([], u[:2])),
            "albumentations",
            SAME,
            channels=(3,),
            mask=True,
            note=_place,
        )

for _border, _word in enumerate(("constant", "replicate", "reflect", "wrap", "reflect_101")):
    _fills = {"fill": 9, "fill_mask": 3} if _border == 0 else {}
    # four sides, more than small images have; a minimum and a divisor, at a place that is drawn
    for _cls, _args in (
        ("Pad", {"padding": (3, 70, 0, 11)}),
        ("PadIfNeeded", {"min_height": 100, "min_width": None, "pad_width_divisor": 32, "position": "random"}),
    ):
        add(
            getattr(G, _cls)(border_mode=_border, **_args, **_fills),
            albumentations(getattr(A, _cls)(border_mode=_border, **_args, **_fills)),
            "albumentations",
            SAME,
            channels=(1, 3, 4, 20) if _border == 0 else (3,),
            mask=True,
            note=_word,
        )
for _place in ("center", "top_left", "top_right", "bottom_left", "bottom_right"):
    _args = {"min_height": None, "min_width": 64, "pad_height_divisor": 24, "position": _place}
    add(
        G.PadIfNeeded(**_args),
        albumentations(A.PadIfNeeded(**_args)),
        "albumentations",
        SAME,
        channels=(3,),
        mask=True,
        note=_place,
    )
for _padding in (4, (5, 2)):
    add(
        G.Pad(_padding, fill=(9, 100, 200)),
        albumentations(A.Pad(_padding, fill=(9, 100, 200))),
        "albumentations",
        {"uint8": EXACT},
        channels=(3,),
        mask=True,
        note=f"padding {_padding}",
    )


def _resized(transform, dtype: str):
    own = resized(transform.interpolation)[dtype]
    return max(own, AREA[dtype], key=lambda bound: bound.far) if transform.area_for_downscale else own


about(
    "Resize",
    family="size",
    marks=[lambda L: L.Resize(20, 90)],
    bench={"height": 160, "width": 160},
    needs={"height": 21, "width": 26},
    variants=[
        {"height": 9, "width": 70, "interpolation": 0},
        {"height": 9, "width": 70, "interpolation": 6, "mask_interpolation": 6},
        {"height": 9, "width": 70, "interpolation": 3},
        {"height": 7, "width": 9, "interpolation": 4, "area_for_downscale": "image"},
        {"height": 30, "width": 11, "interpolation": 4},
        {"height": 9, "width": 70, "interpolation": 2, "antialias": True},
    ],
    gain=cubic_gain,
    bound=_resized,
    moved={"height": 48, "width": 101},
)
about(
    "RandomResizedCrop",
    family="size",
    marks="no: with drawn parameters in the chains",
    bench={"size": (192, 192)},
    needs={"size": (19, 24)},
    variants=[{"size": (33, 41), "interpolation": 6, "mask_interpolation": 6}, {"size": (9, 11), "antialias": True}],
    gain=cubic_gain,
    bound=_resized,
    moved={"size": (60, 70), "scale": (0.5, 1)},
)
about(
    "RandomCrop",
    family="size",
    marks="no: with drawn parameters in the chains",
    bench={"height": 192, "width": 192},
    needs={"height": 3, "width": 5},
    shown={"pad_if_needed": True},
    moved={"height": 57, "width": 75, "pad_if_needed": True},
)
about(
    "CenterCrop",
    family="size",
    marks=[lambda L: L.CenterCrop(20, 30), lambda L: L.CenterCrop(50, 80, pad_if_needed=True)],
    bench={"height": 192, "width": 192},
    needs={"height": 3, "width": 5},
    shown={"pad_if_needed": True},
    moved={"height": 55, "width": 71, "pad_if_needed": True},
)
about(
    "Pad",
    family="size",
    marks=[lambda L: L.Pad((3, 1, 0, 7))],
    bench={"padding": 16},
    shown={"padding": (3, 0, 2, 5), "fill": 9},
    moved={"padding": (3, 1, 0, 7)},
)
about(
    "PadIfNeeded",
    family="size",
    marks=[lambda L: L.PadIfNeeded(50, None, None, 16, border_mode=1)],
    bench={"min_height": 256, "min_width": 256},
    shown={"min_height": 40, "min_width": None, "pad_width_divisor": 16, "position": "random", "border_mode": 4},
    moved={"min_height": 90, "min_width": None, "pad_width_divisor": 16, "position": "random", "border_mode": 1},
)

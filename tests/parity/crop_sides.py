"""Crops that say where their sides lie."""

from __future__ import annotations

import albumentations as A

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import about
from .case import SAME, Script, add, albumentations
from .crop import RESIZE, resized

_HALF = {"keep": lambda image: image.shape[0] >= 30 and image.shape[1] >= 16}
add(
    G.Crop(2, 3, 16, 30),
    albumentations(A.Crop(2, 3, 16, 30)),
    "albumentations",
    SAME,
    mask=True,
    **_HALF,
)
for _border, _word in enumerate(("constant", "replicate", "reflect", "wrap", "reflect_101")):
    _args = {
        "x_min": 7,
        "y_min": 2,
        "x_max": 100,
        "y_max": 40,
        "pad_if_needed": True,
        "border_mode": _border,
        "pad_position": ("center", "random")[_border == 2],
        "fill": 9 if _border == 0 else 0,
        "fill_mask": 3 if _border == 0 else 0,
    }
    add(
        G.Crop(**_args),
        albumentations(A.Crop(**_args), lambda u: Script(u[2:4])),
        "albumentations",
        SAME,
        channels=(1, 3, 4),
        mask=True,
        note=f"pad {_word}",
    )
for _place in ("top_left", "top_right", "bottom_left", "bottom_right"):
    _args = {"x_max": 70, "y_max": 50, "pad_if_needed": True, "pad_position": _place}
    add(G.Crop(**_args), albumentations(A.Crop(**_args)), "albumentations", SAME, channels=(3,), mask=True, note=_place)

for _args, _word in (({}, "defaults"), ({"crop_left": 0.9, "crop_right": 0.1, "crop_top": 0.3, "crop_bottom": 0.7}, "wide")):
    add(
        G.RandomCropFromBorders(**_args),
        albumentations(A.RandomCropFromBorders(**_args)),
        "albumentations",
        SAME,
        mask=True,
        note=_word,
    )


def sides(note: str, bound: dict, channels=(3,), keep=lambda image: True, **kwargs) -> None:
    ours = G.CropAndPad(**kwargs)
    beside = reference(ours)
    add(
        ours,
        beside.run,
        beside.source,
        bound,
        channels=channels,
        mask=True,
        note=note,
        keep=keep,
    )


# albumentations does not always leave a pixel
_LARGE = lambda image: min(image.shape[:2]) > 40  # noqa: E731
_NO_LINE = lambda image: min(image.shape[:2]) > 16  # noqa: E731
sides("px", RESIZE, channels=(1, 3, 4), px=-3, keep=lambda image: min(image.shape[:2]) > 6)
sides("range", RESIZE, px=(-20, 30), border_mode=4, keep=_LARGE)
sides("own size", SAME, keep=_LARGE, channels=(1, 3, 4, 20), px=(-20, 30), keep_size=False, fill=9, fill_mask=3)
sides("four px", SAME, px=(3, -5, 0, 11), keep_size=False, border_mode=1, keep=_NO_LINE)
sides("four ranges", SAME, px=((-3, 5), (-15, -5), (0, 1), (2, 11)), keep_size=False, border_mode=2, keep=_NO_LINE)
sides("four lists", SAME, px=([1, 2, 3], [-5, 0, 5], [7, -1, 1], [0, 0, 4]), keep_size=False, border_mode=3, keep=_NO_LINE)
sides("percent", RESIZE, channels=(1, 3, 4), percent=(-0.2, 0.3))
sides("percent, nearest", SAME, percent=(-0.2, 0.3), interpolation=0)
sides("percent, cubic", resized(2), percent=(-0.2, 0.3), interpolation=2)
sides("percent, area", resized(3), percent=(-0.2, 0.3), interpolation=3)
sides("percent, Lanczos", resized(4), percent=(-0.2, 0.3), interpolation=4)
sides("percent, alike", SAME, percent=(-0.4, 0.3), sample_independently=False, keep_size=False)
sides("four percents", SAME, percent=(0.1, -0.2, 0.15, 0.0), keep_size=False)
sides("percents of ranges", SAME, percent=((0.1, 0.2), (-0.2, 0.2), (0.0, 0.15), (-0.3, 0.0)), keep_size=False)
sides("more than there is", SAME, px=-100, keep_size=False, keep=lambda image: min(image.shape[:2]) > 150)
sides("half and more", SAME, percent=-0.6, keep_size=False)
sides("drawn fill", {"uint8": SAME["uint8"]}, px=4, keep_size=False, fill=(3, 200), fill_mask=(3, 7, 5))
sides("one of fills", {"uint8": SAME["uint8"]}, px=4, keep_size=False, fill=(3, 200, 9), fill_mask=(3, 5))

_VIEW = "albumentations returns a view of the image that it was given, which is no work until somebody reads it; ours is a copy"

about(
    "Crop",
    family="size",
    marks=[lambda L: L.Crop(3, 5, 40, 32), lambda L: L.Crop(3, 5, 80, 50, pad_if_needed=True, pad_position="bottom_right")],
    bench={"x_min": 16, "y_min": 16, "x_max": 208, "y_max": 208},
    shown={"x_min": 3, "x_max": 30, "y_max": 20, "pad_if_needed": True, "fill": 9},
    moved={"x_min": 2, "y_min": 1, "x_max": 77, "y_max": 60, "pad_if_needed": True},
    behind=_VIEW,
)
about(
    "RandomCropFromBorders",
    family="size",
    marks="no: with drawn parameters in the chains",
    bench={},
    bench_ragged=True,
    behind=_VIEW,
)
about(
    "CropAndPad",
    family="size",
    marks=[
        lambda L: L.CropAndPad(px=(3, -5, 0, 11)),
        lambda L: L.CropAndPad(px=(3, -5, 0, 11), keep_size=False),
        lambda L: L.CropAndPad(percent=-0.1),
    ],
    bench={"percent": (-0.1, 0.1)},
    needs={"percent": (-0.3, 0.3)},
    variants=[
        {"px": (-3, 5), "keep_size": False, "fill": (0, 9)},
        {"px": (-3, 5), "border_mode": 4, "interpolation": 2},
        {"percent": (-0.3, 0.3), "interpolation": 3},
    ],
    bound=lambda transform, dtype: resized(transform.interpolation if transform.keep_size else 0)[dtype],
    moved={"px": (-7, 9), "percent": None},
)

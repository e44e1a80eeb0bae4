"""Projective maps."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import about
from .affine import LINEAR, TIES, cubic_gain, warped
from .case import GATHER_U8, LANCZOS_REMAP, NEAREST, add


def perspective(note: str, bound: dict, channels=(1, 3), keep=lambda image: True, **kwargs) -> None:
    ours = G.Perspective(p=1, **kwargs)
    beside = reference(ours)
    add(ours, beside.run, beside.source, bound, channels=channels, mask=True, note=note, keep=keep, exact_mask=False)


perspective("defaults", LINEAR, (1, 3, 4, 20))
perspective("wide", LINEAR, scale=(0.1, 0.3))
perspective("fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, scale=(0.1, 0.3))
# lines of one pixel are thinner than the steps in which fit_output rounds
perspective("fit_output", LINEAR, (3,), keep=lambda image: min(image.shape[:2]) > 2, fit_output=True, border_mode=1)
perspective("own size", LINEAR, (3,), keep_size=False)
perspective(
    "own size, fit_output",
    LINEAR,
    (3,),
    keep=lambda image: min(image.shape[:2]) > 2,
    keep_size=False,
    fit_output=True,
    scale=0.15,
)
perspective("Lanczos", LANCZOS_REMAP, (3,), interpolation=4)
perspective("nearest", TIES, (3,), interpolation=0)
# as cv2.warpAffine, cv2.warpPerspective does not return from a cubic reflect_101 on an axis of one pixel
perspective("cubic reflect_101", LINEAR, (3,), keep=lambda image: min(image.shape[:2]) > 1, interpolation=2, border_mode=4)

about(
    "Perspective",
    family="warp",
    marks=[lambda L: L.Perspective(scale=(0, 0), p=1)],
    bench={},
    shown={"fill": 9},
    variants=[
        {"interpolation": 0, "border_mode": 4},
        {"interpolation": 2, "border_mode": 2, "keep_size": False},
        {"scale": 0.3, "fit_output": True, "fill": (1, 2, 3)},
    ],
    gain=cubic_gain,
    bound=warped,
    mask_bound=NEAREST,
    moved={"scale": (0.02, 0.05), "fit_output": True},
    turns=True,
)

"""Affine maps."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import about
from .case import DTYPES, GATHER, GATHER_U8, LANCZOS_AFFINE, NEAREST, SAME, add, bounds


def affine(note: str, bound: dict, channels=(1, 3), cls="Affine", keep=lambda image: True, **kwargs) -> None:
    ours = getattr(G, cls)(p=1, **kwargs)
    source = "albumentations' matrix, cv2.warpAffine"
    add(ours, reference(ours).run, source, bound, channels=channels, mask=True, note=note, keep=keep, exact_mask=False)


LINEAR, TIES = bounds(GATHER_U8, GATHER), dict.fromkeys(DTYPES, NEAREST)
_wide = {"scale": (0.6, 1.5), "translate_percent": (-0.3, 0.3), "rotate": (-180, 180), "shear": {"x": (-20, 20), "y": (-10, 10)}}
affine("linear", LINEAR, (1, 3, 4, 20), **_wide)
affine("linear fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, **_wide)
affine("linear float fill", {d: LINEAR[d] for d in ("float32", "float16")}, (3,), fill=(0.1, 0.9, 0.4), fill_mask=7, **_wide)
for _border, _word in ((1, "replicate"), (2, "reflect"), (3, "wrap"), (4, "reflect_101")):
    affine(_word, LINEAR, (3,), border_mode=_border, **_wide)
affine("nearest", TIES, (1, 3, 4), interpolation=0, **_wide)
affine("nearest reflect", TIES, (3,), interpolation=0, border_mode=2, **_wide)
# every second coordinate lies between two pixels: rounded half to even
affine("nearest ties", SAME, (3,), interpolation=0, border_mode=1, scale=(0.5, 0.5), keep=lambda image: image.shape[0] % 2 == 0)
affine("cubic", LINEAR, (1, 3, 4), interpolation=2, **_wide)
# cv2.warpAffine does not return from a cubic reflect_101 on an axis of one pixel
affine("cubic reflect_101", LINEAR, (3,), keep=lambda image: min(image.shape[:2]) > 1, interpolation=2, border_mode=4, **_wide)
affine("Lanczos", LANCZOS_AFFINE, (1, 3, 4), interpolation=4, **_wide)
affine("Lanczos reflect", LANCZOS_AFFINE, (3,), interpolation=4, border_mode=2, **_wide)
affine("Lanczos fill", {"uint8": LANCZOS_AFFINE["uint8"]}, (3,), interpolation=4, fill=(10, 200, 90), fill_mask=7, **_wide)
affine("area", LINEAR, (3,), interpolation=3, **_wide)  # which cv2.warpAffine takes for linear
affine("fit_output", LINEAR, (3,), fit_output=True, rotate=(-180, 180))
affine("keep_ratio", LINEAR, (3,), keep_ratio=True, scale=(0.5, 2.0))
affine("balanced_scale", LINEAR, (3,), balanced_scale=True, scale=(0.5, 2.0))
affine("translate_px", SAME, (1, 3, 4, 20), translate_px={"x": (-9, 9), "y": (-4, 5)})
affine("defaults", LINEAR, (1, 3), cls="ShiftScaleRotate")
affine(
    "wide",
    LINEAR,
    (3, 4),
    cls="ShiftScaleRotate",
    shift_limit=0.3,
    scale_limit=(-0.4, 0.6),
    rotate_limit=(-90, 170),
    border_mode=4,
)


def warped(transform, dtype: str):
    assert transform.interpolation, "a nearest neighbour on a tie is no small difference"
    return LINEAR[dtype]


def cubic_gain(transform, params: dict) -> float:
    """Sums of the absolutes of weights, largest half way, along each axis: cubic 2 * (0.59375 + 0.09375), Lanczos 1.7146 (from
    cv2.resize of unit impulses)."""
    return {2: 1.375**2, 4: 1.7146**2}.get(getattr(transform, "interpolation", 0), 1.0)


about(
    "Affine",
    family="warp",
    marks=[
        lambda L: L.Affine(scale=(1.3, 1.3), rotate=(25, 25), translate_px={"x": 3, "y": -2}, p=1),
        lambda L: L.Affine(scale=(0.7, 0.7), rotate=(-40, -40), fit_output=True, p=1),
        lambda L: L.Affine(rotate=(70, 70), rotate_method="ellipse", p=1),
    ],
    bench={},
    shown={"scale": (0.5, 1.5), "rotate": (-90, 90), "shear": (-20, 20), "translate_percent": (-0.2, 0.2), "fill": 9},
    variants=[
        {"rotate": (-180, 180), "interpolation": 0, "border_mode": 4},
        {"rotate": (-180, 180), "interpolation": 2, "border_mode": 0, "fill": (1, 2, 3)},
        {"rotate": (-180, 180), "interpolation": 6, "mask_interpolation": 6},
    ],
    gain=cubic_gain,
    bound=warped,
    mask_bound=NEAREST,
    moved={"scale": (0.8, 1.2), "rotate": (-40, 40), "shear": (-9, 9), "translate_px": (-5, 5)},
    turns=True,
)
about(
    "ShiftScaleRotate",
    family="warp",
    marks="no: as Affine's, and with drawn parameters in the chains",
    bench={},
    shown={"interpolation": 2},
    gain=cubic_gain,
    bound=warped,
    mask_bound=NEAREST,
    turns=True,
)

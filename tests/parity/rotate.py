"""Rotations."""

from __future__ import annotations

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import about
from .affine import LINEAR, TIES, cubic_gain, warped
from .case import GATHER_U8, LANCZOS_AFFINE, NEAREST, add


def turned(cls: str, note: str, bound: dict, channels=(1, 3), keep=lambda image: True, **kwargs) -> None:
    ours = getattr(G, cls)(p=1, **kwargs)
    beside = reference(ours)
    add(ours, beside.run, beside.source, bound, channels=channels, mask=True, note=note, keep=keep, exact_mask=False)


for _cls in ("Rotate", "SafeRotate"):
    turned(_cls, "defaults", LINEAR, (1, 3, 4, 20))
    turned(_cls, "fill", {"uint8": GATHER_U8}, (3,), limit=180, fill=(10, 200, 90), fill_mask=7)
    for _border, _word in ((1, "replicate"), (2, "reflect"), (3, "wrap"), (4, "reflect_101")):
        turned(_cls, _word, LINEAR, (3,), border_mode=_border, limit=180)
    turned(_cls, "nearest", TIES, (1, 3), interpolation=0, limit=180)
    turned(_cls, "cubic", LINEAR, (3,), interpolation=2)
    turned(_cls, "Lanczos", LANCZOS_AFFINE, (3,), interpolation=4)
for _limit, _word in (((-90, 90), "cropped"), ((180, 180), "cropped at 180"), ((90, 90), "cropped at 90")):
    # albumentations' crop of a line may have no pixels
    turned("Rotate", _word, LINEAR, (3,), lambda image: min(image.shape[:2]) > 2, limit=_limit, crop_border=True)


def odd(image) -> bool:
    """Where the centre lies between two pixels, a diagonal's pixels are turned onto the edge between two."""
    return min(image.shape[:2]) > 2 and image.shape[0] % 2 == 1 and image.shape[1] % 2 == 1


turned("Rotate", "cropped at 45", LINEAR, (3,), odd, limit=(45, 45), crop_border=True)

about(
    "Rotate",
    family="warp",
    marks=[
        lambda L: L.Rotate((25, 25), p=1),
        lambda L: L.Rotate((-70, -70), rotate_method="ellipse", p=1),
        lambda L: L.Rotate((110, 110), crop_border=True, p=1),
    ],
    bench={},
    shown={"fill": 9},
    variants=[
        {"limit": 180, "interpolation": 0, "border_mode": 4},
        {"limit": 30, "crop_border": True},
        {"limit": 180, "interpolation": 2, "fill": (1, 2, 3)},
    ],
    gain=cubic_gain,
    bound=warped,
    mask_bound=NEAREST,
    moved={"limit": 40},
    turns=True,
)
about(
    "SafeRotate",
    family="warp",
    marks="no: tests/test_rotate.py, its keypoints lie beside their pixels in albumentations",
    bench={},
    shown={"fill": 9},
    variants=[{"limit": 180, "interpolation": 0, "border_mode": 4}],
    gain=cubic_gain,
    bound=warped,
    mask_bound=NEAREST,
    moved={"limit": 20},
    turns=True,
)

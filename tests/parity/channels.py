"""How many channels an image has."""

from __future__ import annotations

import albumentations as A
import albumentations.augmentations.pixel.functional as F
import numpy as np

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, STILL, about
from .case import EXACT, FLOAT, ROUNDED, SAME, add, albumentations, bounds
from .pca import Positive

for _method in ("weighted_average", "from_lab", "desaturation", "average", "max"):
    for _count in (3, 1, 4) if _method in ("weighted_average", "from_lab") else (3,):
        _kwargs = {"method": _method, "num_output_channels": _count, "p": 1}
        add(
            G.ToGray(**_kwargs),
            reference(G.ToGray(**_kwargs)).run,
            "albumentations",
            bounds(EXACT, FLOAT),
            channels=(1, 3),
            note=f"{_method}, {_count}" if _count != 3 else _method,
        )


def _pca(image, u, kind):
    was, F.PCA = F.PCA, Positive
    try:
        return aug_pca.apply(image)
    finally:
        F.PCA = was


# places in float32 are right to 1e-6 of their range, of which 0..1 is made; OpenCV's are of float64
aug_pca = A.ToGray(method="pca", p=1)
add(
    G.ToGray(method="pca", p=1),
    _pca,
    "albumentations, its direction turned",
    bounds(ROUNDED, FLOAT),
    channels=(3,),
    # of a few pixels, and of one colour, there is no direction
    keep=lambda image: image.shape[0] * image.shape[1] > 15,
    note="pca",
)


add(G.ChannelShuffle(p=1), reference(G.ChannelShuffle(p=1)).run, "albumentations", SAME)
add(G.ToSepia(p=1), albumentations(A.ToSepia(p=1)), "albumentations", bounds(EXACT, FLOAT), channels=(1, 3))
about("ChannelShuffle", family="colour", marks=PIXELS, bench={}, variants=[{}])
about(
    "ToSepia",
    family="colour",
    marks=PIXELS,
    bench={},
    gain=lambda transform, params: 1.351,
    bound=lambda t, dtype: _float(t, dtype),
)
for _count in (3, 1, 7):
    add(
        G.ToRGB(_count, p=1),
        reference(G.ToRGB(_count, p=1)).run,
        "albumentations",
        bounds(EXACT, EXACT),
        channels=(1, 3),
        note=f"to {_count}",
    )


def _float(transform, dtype: str):
    return FLOAT if dtype == "float32" else EXACT


about(
    "ToGray",
    family="colour",
    marks=PIXELS,
    bench={},
    variants=[
        {"method": "from_lab"},
        {"method": "desaturation"},
        {"method": "average"},
        {"method": "pca"},
        {"num_output_channels": 1},
    ],
    gain=lambda transform, params: np.inf if transform.method in ("from_lab", "pca") else 1.0,
    bound=_float,
)
about(
    "ToRGB",
    family="no: all images of a batch change their channel count, or none",
    marks=PIXELS,
    bench={},
    bench_channels=1,
    variants=[{"num_output_channels": 5}],
)


def _selective(image, u, kind):
    steps = [A.InvertImg(p=1), A.HorizontalFlip(p=1)]
    return A.Compose([A.SelectiveChannelTransform(steps, channels=(2, 0), p=1)])(image=image)["image"]


add(
    G.SelectiveChannelTransform([G.InvertImg(p=1), G.HorizontalFlip(p=1)], channels=(2, 0), p=1),
    _selective,
    "albumentations",
    bounds(EXACT, EXACT),
    channels=(3, 4),
)
about(
    "SelectiveChannelTransform",
    family="no: it holds transforms, which are there by themselves",
    marks=STILL,
    bench="no: its time is that of what it holds",
    needs={"transforms": [G.InvertImg(p=1)]},
    moved="no: it moves some channels of an image, and nothing else",
)

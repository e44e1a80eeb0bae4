"""Normalize."""

from __future__ import annotations

import albumentations as A
import numpy as np
import torch
from torchvision.transforms import functional

import gpuaug as G

from .about import PIXELS, about
from .case import FLOAT, add, bounds

for _note, _args, _channels in (
    ("defaults", {}, (3,)),
    ("scalar", {"mean": 0.5, "std": 0.25, "max_pixel_value": 1.0}, (1, 3, 4, 20)),
    ("20 channels", {"mean": tuple(np.linspace(0.1, 0.9, 20)), "std": tuple(np.linspace(0.1, 0.4, 20))}, (20,)),
):
    _aug = A.Normalize(**_args)
    add(
        G.Normalize(**_args),
        lambda image, u, kind, aug=_aug: aug.apply(image),
        "albumentations",
        bounds(FLOAT, FLOAT),
        channels=_channels,
        note=_note,
    )


def _old_tensor(image, u, kind):
    """albumentations 0.5's ``img_to_tensor``."""
    tensor = torch.from_numpy(np.moveaxis(image / (255.0 if image.dtype == np.uint8 else 1), -1, 0).astype(np.float32))
    return functional.normalize(tensor, [0.4, 0.5, 0.6], [0.2, 0.3, 0.4]).permute(1, 2, 0).numpy()


add(
    G.ToTensor(normalize={"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}),
    _old_tensor,
    "torchvision, as albumentations 0.5 used it",
    bounds(FLOAT, FLOAT),
    channels=(3,),
    note="normalize",
)

about(
    "Normalize",
    family="no: it ends a chain",
    marks=[lambda L: L.Normalize()],
    bench={},
    gain=lambda transform, params: 1 / (min(transform.std) * transform.max_pixel_value),
    bound=lambda transform, dtype: FLOAT,
)
about(
    "ToTensorV2",
    family="no: it ends a chain",
    marks=PIXELS,
    bench="no: albumentations delivers a view of the caller's array, which is no work; with Normalize in bench.transforms",
)
about(
    "ToTensor",
    family="no: it ends a chain",
    marks="no: it moves nothing",
    bench="no: albumentations has none since 1.0; as Normalize",
    moved="no: masks become shares of 255; tests/test_spellings.py",
)

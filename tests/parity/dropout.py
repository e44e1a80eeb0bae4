"""Dropout, and what albumentations calls so."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import about
from .case import SAME, add


def dropout(cls, note, channels=(1, 3, 4, 20), keep=lambda image: True, fill=0, fill_mask=None, **kwargs):
    ours = getattr(G, cls)(p=1, fill=fill, fill_mask=fill_mask, **kwargs)
    add(ours, reference(ours).run, "albumentations", SAME, channels=channels, keep=keep, mask=True, note=note)


def cut_out(image, u, kind):
    """As albumentations 1.3 placed them, filled by today's."""
    h, w = image.shape[:2]
    y, x = (u[4:8] * (h + 1)).astype(int), (u[:4] * (w + 1)).astype(int)
    y, x = np.clip(y - 9 // 2, 0, h), np.clip(x - 4 // 2, 0, w)
    holes = np.stack([x, y, np.clip(x + 4, 0, w), np.clip(y + 9, 0, h)], 1)
    return A.augmentations.dropout.functional.cutout(image, holes, 7, np.random.default_rng(0))


add(G.Cutout(4, 9, 4, fill_value=7, p=1), cut_out, "albumentations 1.3's places, 2.0.8's fill", SAME, note="fill 7")
_big = {"keep": lambda image: min(image.shape[:2]) >= 12}
for _fill, _channels in ((0, (1, 3, 4, 20)), ((9, 200, 31), (3,)), (0.5, (1, 3))):
    dropout(
        "XYMasking",
        f"fill {_fill}",
        _channels,
        fill=_fill,
        num_masks_x=(1, 3),
        num_masks_y=(0, 4),
        mask_x_length=(0, 10),
        mask_y_length=(2, 12),
        **_big,
    )
dropout(
    "XYMasking",
    "fill_mask",
    (3,),
    fill=7,
    fill_mask=5,
    num_masks_x=(2, 2),
    num_masks_y=(2, 2),
    mask_x_length=(3, 5),
    mask_y_length=(1, 1),
    **_big,
)


dropout(
    "CoarseDropout",
    "fractions",
    num_holes_range=(1, 6),
    hole_height_range=(0.1, 0.4),
    hole_width_range=(0.05, 0.5),
)
dropout(
    "CoarseDropout",
    "pixels",
    (3,),
    fill=(1, 2, 3),
    fill_mask=4,
    num_holes_range=(3, 5),
    hole_height_range=(1, 8),
    hole_width_range=(2, 20),
)


for _cls, _args in (("Erasing", {}), ("GridDropout", {}), ("GridDropout", {"unit_size_range": (2, 5), "ratio": 0.7})):
    _aug = getattr(G, _cls)(fill=9, fill_mask=5, p=1, **_args)
    _beside = reference(_aug)
    add(
        _aug,
        _beside.run,
        _beside.source,
        SAME,
        keep=lambda image: min(image.shape[:2]) >= 5,
        mask=True,
        note=", ".join(_args),
    )

_aug = G.ChannelDropout((1, 2), fill=7, p=1)
add(_aug, reference(_aug).run, reference(_aug).source, SAME, channels=(3, 4, 20))
_aug = G.PixelDropout(0.2, drop_value=9, mask_drop_value=5, p=1)
add(_aug, reference(_aug).run, reference(_aug).source, SAME, mask=True)


_HOLES = "no: docs/masking.md says how they differ; tests/test_masking.py, and with drawn parameters in the chains"

about(
    "CoarseDropout",
    family="dropout",
    marks=_HOLES,
    bench={},
    variants=[{"fill": "random"}, {"fill": "random_uniform"}],
    moved={"num_holes_range": (1, 4)},
)
about(
    "ConstrainedCoarseDropout",
    family="no: it looks at a mask when it draws",
    marks=_HOLES,
    bench="no: its time is the reading of masks on the host",
    shown={"mask_indices": [1], "hole_height_range": (0.5, 1), "hole_width_range": (0.5, 1)},
    moved={"num_holes_range": (1, 3), "hole_height_range": (0.3, 0.8), "hole_width_range": (0.3, 0.8), "mask_indices": [1]},
)
about(
    "Cutout",
    family="dropout",
    marks="no: it works on pixels alone",
    bench="no: albumentations has none since 1.4; as CoarseDropout",
)
about("Erasing", family="dropout", marks=_HOLES, bench={})
about(
    "GridDropout",
    family="dropout",
    marks=_HOLES,
    bench={},
    moved={"ratio": 0.3},
)
about(
    "PixelDropout",
    family="dropout",
    marks=_HOLES,
    bench={},
    moved={"dropout_prob": 0.2},
)
about("ChannelDropout", family="colour", marks="no: it works on pixels alone", bench={})
about(
    "MaskDropout",
    family="no: it looks at a mask when it draws",
    marks=_HOLES,
    bench="no: its time is the reading of masks on the host",
)
about(
    "XYMasking",
    family="dropout",
    marks=_HOLES,
    bench={"num_masks_x": (1, 2), "num_masks_y": (1, 2), "mask_x_length": (10, 30), "mask_y_length": (10, 30)},
    needs={"num_masks_x": 5, "mask_x_length": 1},
    shown={"num_masks_y": 3, "mask_y_length": 1, "fill": "random"},
    moved={"num_masks_x": 2, "num_masks_y": 2, "mask_x_length": 9, "mask_y_length": 9},
)

"""Dropout, and what albumentations calls so."""

from __future__ import annotations

import albumentations as A
import numpy as np

import gpuaug as G
from gpuaug.transform import View
from gpuaug.uniforms import philox

from .about import about
from .case import SAME, Script, add, parameters


def dropout(cls, note, order, channels=(1, 3, 4, 20), keep=lambda image: True, fill=0, fill_mask=None, **kwargs):
    theirs = getattr(A, cls)(p=1, fill=fill, fill_mask=fill_mask, **kwargs)

    def run(image, u, kind):
        params = parameters(theirs, image, order(u))
        return theirs.apply(image, **params) if kind == "image" else theirs.apply_to_mask(image, **params)

    add(
        getattr(G, cls)(p=1, fill=fill, fill_mask=fill_mask, **kwargs),
        run,
        "albumentations",
        SAME,
        channels=channels,
        keep=keep,
        mask=True,
        note=note,
    )


def stripes(kx, ky, x, y):
    def order(u):
        counts = [x[0] + int((x[1] - x[0] + 1) * u[0]), y[0] + int((y[1] - y[0] + 1) * u[1])]
        out, at = [], 2
        for k, count in zip((kx, ky), counts):
            out.append(u[0] if at == 2 else u[1])  # the number of stripes comes first
            for j in range(count):
                out += [u[at + j], u[at + k + j]]
            at += 2 * k
        return Script(out)

    return order


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
        stripes(3, 4, (1, 3), (0, 4)),
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
    stripes(2, 2, (2, 2), (2, 2)),
    (3,),
    fill=7,
    fill_mask=5,
    num_masks_x=(2, 2),
    num_masks_y=(2, 2),
    mask_x_length=(3, 5),
    mask_y_length=(1, 1),
    **_big,
)


def rectangles(k):
    return lambda u: Script(u[:1], blocks=u[1:].reshape(4, k))


dropout(
    "CoarseDropout",
    "fractions",
    rectangles(6),
    num_holes_range=(1, 6),
    hole_height_range=(0.1, 0.4),
    hole_width_range=(0.05, 0.5),
)
dropout(
    "CoarseDropout",
    "pixels",
    rectangles(5),
    (3,),
    fill=(1, 2, 3),
    fill_mask=4,
    num_holes_range=(3, 5),
    hole_height_range=(1, 8),
    hole_width_range=(2, 20),
)


def given(theirs, transform, convert):
    """albumentations' pixels from our parameters, where its draws cannot be scripted."""

    def run(image, u, kind):
        view = View(np.array([image.shape[:2]]), image.shape[2], str(image.dtype))
        params = convert({k: v[0] for k, v in transform.draw(u[None], view).items()}, image)
        return theirs.apply(image, **params) if kind == "image" else theirs.apply_to_mask(image, **params)

    return run


def filled_holes(params, image):
    holes = params["holes"]
    return {"holes": holes[(holes[:, 2:] > holes[:, :2]).all(1)], "seed": 0}


def dropped_pixels(probability):
    def convert(params, image):
        h, w = image.shape[:2]
        words = philox(np.arange(h * w), 0, 3, 0, *params["key"])[:, 0] >> 8
        drop = (words < round(probability * 2**24)).reshape(h, w, 1)
        return {"drop_mask": np.broadcast_to(drop, image.shape)}

    return convert


for _cls, _args in (("Erasing", {}), ("GridDropout", {}), ("GridDropout", {"unit_size_range": (2, 5), "ratio": 0.7})):
    _aug = getattr(G, _cls)(fill=9, fill_mask=5, p=1, **_args)
    add(
        _aug,
        given(getattr(A, _cls)(fill=9, fill_mask=5, p=1), _aug, filled_holes),
        "albumentations, our rectangles",
        SAME,
        keep=lambda image: min(image.shape[:2]) >= 5,
        mask=True,
        note=", ".join(_args),
    )
_aug = G.ChannelDropout((1, 2), fill=7, p=1)
add(
    _aug,
    given(
        A.ChannelDropout((1, 2), fill=7, p=1),
        _aug,
        lambda params, image: {"channels_to_drop": np.flatnonzero(params["channels_to_drop"])},
    ),
    "albumentations, our channels",
    SAME,
    channels=(3, 4, 20),
)


def pixel_dropout():
    ours_ = G.PixelDropout(0.2, drop_value=9, mask_drop_value=5, p=1)

    def run(image, u, kind):
        view = View(np.array([image.shape[:2]]), image.shape[2], str(image.dtype))
        params = dropped_pixels(0.2)({k: v[0] for k, v in ours_.draw(u[None], view).items()}, image)
        return np.where(params["drop_mask"], np.asarray(9 if kind == "image" else 5, image.dtype), image)

    add(ours_, run, "NumPy, our pixels", SAME, mask=True)


pixel_dropout()


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

"""torchvision's colour arithmetic, sample by sample: what transforms and policies lower to. ``rows`` as in `gpuaug.track.Track`;
amounts are one number, or one for each row."""

from __future__ import annotations

import numpy as np

from .base import colours

OPS = {
    "brightness": ("linear", "linear_u8"),
    "contrast": ("blend_mean",),
    "saturation": ("blend_gray",),
    "hue": ("turn_hue",),
    "sharpness": ("unblur",),
    "posterize": ("levels", "posterize"),
    "solarize": ("solarize",),
    "autocontrast": ("widen",),
    "equalize": ("linear_u8", "lut", "from_bytes"),
    "invert": ("invert",),
    "gray": ("tint",),
}


def ops_of(*names: str) -> tuple[str, ...]:
    """The pixel operations of some of them."""
    return tuple(sorted({op for name in names for op in OPS[name]}))


def brightness(to, rows, factor) -> None:
    colours(to)
    if to.is_u8:
        to.op(rows, "linear_u8", factor=factor, offset=0.0)
    else:
        to.op(rows, "linear", factor=factor, offset=0.0, low=0.0, high=1.0)


def contrast(to, rows, factor) -> None:
    colours(to)
    mean = to.reduce(rows, "tint")
    to.op(rows, "blend_mean", factor=factor, rest=1 - factor, whole=to.is_u8, mean=mean)


def saturation(to, rows, factor) -> None:
    colours(to)
    if to.channels == 3:
        to.op(rows, "blend_gray", factor=factor, rest=1 - factor, whole=to.is_u8)


def hue(to, rows, turns) -> None:
    colours(to)
    if to.channels == 3:
        to.op(rows, "turn_hue", turns=turns, whole=to.is_u8)


_BLUR = np.array([[y, x, 5 / 13 if x == y == 0 else 1 / 13] for y in (-1, 0, 1) for x in (-1, 0, 1)], np.float32)


def sharpness(to, rows, factor) -> None:
    """PIL's: away from, or towards, a mean of 3 x 3 pixels of which the middle one counts fivefold."""
    colours(to)
    index, size = to.index(rows), to.sizes(rows)
    large = (size > 2).all(1)  # of others nothing is inside
    if not large.any():
        return
    rows, size = index[large], size[large]
    factor = np.broadcast_to(factor, len(index))[large]
    image = to.keep(rows)
    lengths = np.broadcast_to(np.array([3, 3, len(_BLUR)]), (len(rows), 3))
    to.filter(rows, "sparse", _BLUR.ravel(), np.zeros(len(rows), np.int64), lengths)
    to.op(rows, "unblur", rest=1 - factor, whole=to.is_u8, width=size[:, 1], height=size[:, 0], layers=(image,))


def posterize(to, rows, bits) -> None:
    to.no_labels("posterized")
    bits = np.broadcast_to(bits, len(to.index(rows)))
    if to.is_u8:
        steps = np.broadcast_to(np.float32(2) ** (8 - bits)[:, None], (len(bits), to.channels))
        to.op(rows, "posterize", table=steps, top=255)
    else:
        to.op(rows, "levels", count=np.float32(2) ** bits)


def solarize(to, rows, threshold) -> None:
    """threshold: of the images' own values."""
    to.no_labels("inverted")
    threshold = np.float32(threshold)  # what torch compares bytes with, too: 170.000005 is 170
    threshold = np.ceil(threshold) if to.is_u8 else threshold
    to.op(rows, "solarize", threshold=threshold, top=255 if to.is_u8 else 1)


def autocontrast(to, rows) -> None:
    colours(to)
    to.op(rows, "widen", whole=to.is_u8, of=to.reduce(rows, "moments"))


def equalize(to, rows) -> None:
    to.no_labels("equalized")
    if not to.is_u8:
        to.op(rows, "linear_u8", factor=255.999, offset=0.0)
    found = to.reduce(rows, "histogram")
    to.op(rows, "lut", tables=to.lookup(rows, found, "equalize", pil=2))
    if not to.is_u8:
        to.op(rows, "from_bytes")


def invert(to, rows) -> None:
    to.no_labels("inverted")
    to.op(rows, "invert", top=255 if to.is_u8 else 1)


def gray(to, rows) -> None:
    """All channels, if there are three."""
    colours(to)
    if to.channels == 3:
        to.op(rows, "tint", whole=to.is_u8)

"""Arguments as torchvision writes them: interpolations, fills, sizes, paddings, angles; its older spellings, too."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from enum import Enum

from ..checks import colour, integer, is_number, real
from ..hints import Colour


class InterpolationMode(Enum):
    """torchvision's interpolations. "box", "hamming" and "lanczos", which it has for PIL images alone, are not there.

    Example:
        >>> from gpuaug import vision
        >>> vision.InterpolationMode("bilinear").name
        'BILINEAR'
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


Mode = str | int | bool | Enum  # an interpolation: a word, PIL's number, an InterpolationMode; False is nearest
Fills = Colour | Mapping | None  # of images and masks, or by type

OPENCV = {"nearest": 0, "nearest-exact": 6, "bilinear": 1, "bicubic": 2}  # the numbers of `gpuaug.checks.RESIZES`
WARPS = ("nearest", "bilinear")  # what torchvision's tensors are warped with
_PIL = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")  # PIL's numbers, in order
PADDINGS = {"constant": 0, "edge": 1, "reflect": 4, "symmetric": 2}  # OpenCV's numbers of borders


def mode(value, allowed=tuple(OPENCV), name: str = "interpolation") -> str:
    """The word of an interpolation: of torchvision's or our InterpolationMode, a word, PIL's number, or False (nearest).

    Example:
        >>> mode(InterpolationMode.BILINEAR), mode(2), mode(False)
        ('bilinear', 'bilinear', 'nearest')
    """
    word = value.value if isinstance(value, Enum) else value
    if is_number(word) or word is False:
        word = _PIL[int(word)] if 0 <= int(word) < len(_PIL) and int(word) == word else word
    if word not in allowed:
        raise ValueError(f"{name} must be {', '.join(map(repr, allowed[:-1]))} or {allowed[-1]!r}, got {value!r}")
    return word


def older(who: str, name: str, value, new: str, now):
    """What an argument is that was given by an older name, with a warning that names the new one."""
    if value is None:
        return now
    warnings.warn(f"{who}: {name}= is {new}= since torchvision 0.9", DeprecationWarning, stacklevel=5)
    return value


def fills(value, name: str = "fill"):
    """(of images, of masks), from a number, one for each channel, None (0), or a dict by type, as torchvision's v2 has it."""
    if not isinstance(value, Mapping):
        value = 0 if value is None else colour(name, value)
        return value, value
    by_name = {}
    for key, each in value.items():
        word = key if isinstance(key, str) else getattr(key, "__name__", str(key))
        if word not in ("others", "Image", "Tensor", "Video", "Mask", "BoundingBoxes", "KeyPoints"):
            raise ValueError(f"{name} as a dict has types of images, Mask, or 'others' for keys, got {key!r}")
        by_name[word] = 0 if each is None else colour(f"{name}[{word}]", each)
    others = by_name.get("others", 0)
    images = {str(by_name[word]): by_name[word] for word in ("Image", "Tensor", "Video") if word in by_name}
    if len(images) > 1:
        raise ValueError(f"{name} must be the same for Image, Tensor and Video: a pipeline has one kind of image, got {value!r}")
    return next(iter(images.values()), others), by_name.get("Mask", others)


def sides(size, name: str = "size") -> tuple[int, int]:
    """(height, width) of a number, or of a list of one or two."""
    if isinstance(size, (tuple, list)) and len(size) in (1, 2):
        return integer(name, size[0], 1), integer(name, size[-1], 1)
    if isinstance(size, (tuple, list)):
        raise ValueError(f"{name} must be a number, or (height, width), got {size!r}")
    side = integer(name, size, 1)
    return side, side


def padding(value, name: str = "padding") -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of a number, (left and right, top and bottom), or all four; below 0 they are cut off."""
    given = list(value) if isinstance(value, (tuple, list)) else [value]
    if len(given) not in (1, 2, 4):
        raise ValueError(f"{name} must be a number, (horizontal, vertical) or (left, top, right, bottom), got {value!r}")
    given = [integer(name, each) for each in given]
    return tuple(given * (4 // len(given)))


def numbers(name: str, value, low: float, high: float = 1e9, *, above: bool = False, counts=(2,)) -> tuple[float, ...]:
    """So many real numbers, in order."""
    if not isinstance(value, (tuple, list)) or len(value) not in counts:
        raise TypeError(f"{name} must have {' or '.join(map(str, counts))} numbers, got {value!r}")
    return tuple(real(name, each, low, high, above=above) for each in value)


def angles(name: str, value, counts=(2,)) -> tuple[float, ...]:
    """A range of degrees, or two; a number v, not negative, means (-v, v)."""
    if is_number(value):
        value = real(name, value, 0, 1e6)
        return (-value, value)
    return numbers(name, value, -1e6, 1e6, counts=counts)


def ordered(name: str, value, low: float, high: float = 1e9, *, above: bool = False) -> tuple[float, float]:
    """(least, most)."""
    a, b = numbers(name, value, low, high, above=above)
    if a > b:
        raise ValueError(f"{name} must be (least, most), got {value!r}")
    return a, b

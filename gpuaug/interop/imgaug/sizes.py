"""imgaug's resizes, crops and pads."""

from __future__ import annotations

import numpy as np

from ...checks import is_number
from ...transforms.crop import resize
from ...transforms.crop_sides import CropAndPad as _CropAndPad
from ...transforms.sizes import _Scaled
from .augmenter import Augmenter
from .values import Choice, Value

_INTERPOLATIONS = {"nearest": 0, "linear": 1, "area": 3, "cubic": 2, 0: 0, 1: 1, 2: 2, 3: 3}
_KEEP, _RATIO = "keep", "keep-aspect-ratio"
_MODES = {"constant": 0, "edge": 1, "symmetric": 2, "wrap": 3, "reflect": 4}


class _Side:
    """One argument of a size: whole numbers are pixels, others factors, "keep" is the old one."""

    def __init__(self, name: str, value):
        self.word = value if value in (_KEEP, _RATIO) else None if value != [] else _KEEP
        if self.word is not None:
            return
        numbers = value if isinstance(value, (tuple, list)) else [value]
        self.pixels = all(isinstance(each, int) for each in numbers)
        if isinstance(value, list) and not self.pixels and any(isinstance(each, int) for each in value):
            raise ValueError(f"{name}: a list to choose from holds pixels, whole numbers, or factors, 1.0 say, got {value!r}")
        self.value = Value(name, value, 1 if self.pixels else 0, whole=self.pixels)

    def __call__(self, u: np.ndarray, side: np.ndarray) -> np.ndarray | None:
        """Sides in pixels; None: as the other one's ratio says."""
        if self.word is not None:
            return side if self.word == _KEEP else None
        drawn = self.value(u)
        return drawn if self.pixels else np.maximum(np.round(side * drawn), 1).astype(np.int64)


class Resize(Augmenter, _Scaled):
    """Resize.

    Args:
        size: of both sides: a whole number of pixels, a factor (a float), a tuple (low, high) of them, uniform, a list to choose
            from, or "keep"; both sides draw the same number. Or a dict with "height" and "width", or "shorter-side" and
            "longer-side": each one of these, or "keep-aspect-ratio"; what is not there is kept.
        interpolation: "nearest", "linear", "area", "cubic", or OpenCV's number, a list to choose from, or "ALL". Masks are
            nearest.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any. Targets: image, mask, keypoints, boxes. Source: imgaug ``Resize``, ``cv2.resize``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> aug = iaa.Resize({"height": 10, "width": "keep-aspect-ratio"})
        >>> aug(image=np.zeros((20, 30, 3), np.uint8)).shape
        (10, 15, 3)
    """

    def __init__(self, size, interpolation="cubic", seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(2, 0, None, False, 1.0)
        self.size, self.by_length = size, False
        self._how = Choice("interpolation", interpolation, _INTERPOLATIONS, ["nearest", "linear", "area", "cubic"])
        self._given = interpolation
        sides = (size,)
        if isinstance(size, dict):
            names = ("shorter-side", "longer-side") if {"shorter-side", "longer-side"} & size.keys() else ("height", "width")
            wrong = [key for key in size if key not in names]
            if wrong:
                raise ValueError(
                    f"size takes height and width, or shorter-side and longer-side; of {size!r} {wrong[0]!r} is none of them"
                )
            self.by_length = names[0] == "shorter-side"
            sides = [size.get(key, _KEEP) for key in names]
            if sides == [_RATIO, _RATIO]:
                raise ValueError("size: one of both sides at least must be told, not 'keep-aspect-ratio'")
        elif size == _RATIO:
            raise ValueError("size: 'keep-aspect-ratio' goes with the other side: {'height': 10, 'width': 'keep-aspect-ratio'}")
        self._sides = [_Side("size", side) for side in sides]
        self._begin(seed, name, random_state, deterministic)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        size = view.size.astype(np.int64)
        if len(self._sides) == 1:
            after = np.stack([self._sides[0](u[:, 0], side) for side in size.T], 1)
        else:
            turned = self.by_length & (size[:, 0] >= size[:, 1])  # the first side is the width
            mine = np.where(turned[:, None], size[:, ::-1], size)
            a, b = (side(u[:, k], mine[:, k]) for k, side in enumerate(self._sides))
            ratio = mine[:, 0] / mine[:, 1]
            a = np.round(b * ratio) if a is None else a
            b = np.round(a / ratio) if b is None else b
            after = np.maximum(np.stack([a, b], 1).astype(np.int64), 1)
            after = np.where(turned[:, None], after[:, ::-1], after)
        return {"size": after, "how": self._how(u[:, 2])}

    def lower(self, to, rows, params) -> None:
        size, how = params["size"], params["how"]
        if to.kind != "image":
            resize(to, rows, size, 0)
            return
        index = to.index(rows)
        for each in np.unique(how).tolist():
            some = how == each
            resize(to, index[some], size[some], each)

    def joins(self, kind):
        return None

    def __repr__(self) -> str:
        return f"Resize({self.size!r}, interpolation={self._given!r}, seed={self.seed}, name={self.name!r})"


class CropAndPad(Augmenter, _CropAndPad):
    """Cut off, or add, rows and columns at each side.

    Args:
        px: pixels that are added, or, negative, cut off: a number, a tuple (low, high), both inclusive, a list to choose from; or
            four of these: top, right, bottom, left.
        percent: the same as fractions of the sides, rounded. None both: (-0.1, 0.1).
        pad_mode: "constant", "edge", "reflect", "symmetric" or "wrap", of all images. pad_cval: the constant, a number.
        keep_size: resize to the size that the image had.
        sample_independently: of one px or percent each side draws its own.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any. Targets: image, mask (padded with 0, nearest), keypoints, boxes. A row and a column stay. What is
    enlarged is resized by OpenCV's area, else linearly, as there. Source: imgaug ``CropAndPad``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.CropAndPad(px=(1, 0, -1, 0), keep_size=False)(image=np.array([[3, 4], [5, 6]], np.uint8))
        array([[0, 0],
               [3, 4]], dtype=uint8)
    """

    _sign, _least, _usual = 1, -np.inf, (-0.1, 0.1)

    def __init__(
        self,
        px=None,
        percent=None,
        pad_mode="constant",
        pad_cval=0,
        keep_size: bool = True,
        sample_independently: bool = True,
        seed=None,
        name=None,
        random_state=None,
        deterministic=False,
    ):
        if px is not None and percent is not None:
            raise ValueError("give px or percent, not both")
        percent = self._usual if px is None and percent is None else percent
        if pad_mode not in _MODES:
            raise ValueError(f"pad_mode must be one of {', '.join(map(repr, _MODES))}, got {pad_mode!r}")
        if not is_number(pad_cval):
            raise TypeError(f"pad_cval must be a number, got {pad_cval!r}")
        super().__init__(0, None, keep_size, sample_independently, 1, 0, _MODES[pad_mode], pad_cval, 0, 1.0)
        self.px, self.percent, self.pad_mode, self.pad_cval = px, percent, pad_mode, pad_cval
        self._values = self._parsed("percent", percent, False) if px is None else self._parsed("px", px, True)
        self._begin(seed, name, random_state, deterministic)

    def _parsed(self, name: str, value, whole: bool) -> list[Value]:
        each = list(value) if isinstance(value, tuple) and len(value) == 4 else [value]
        if value is not None and isinstance(value, tuple) and len(value) not in (2, 4):
            raise TypeError(f"{name} must be a number, (low, high), a list to choose from, or four of those, got {value!r}")
        return [Value(name, side, self._least, whole=whole) for side in each]

    def draw(self, u, view):
        size = view.size.astype(np.int64)
        one = len(self._values) == 1
        sides = np.empty((len(u), 4))
        for side in range(4):
            sides[:, side] = self._values[0 if one else side](u[:, 0 if one and not self.sample_independently else side])
        if self.px is None:
            sides = np.round(sides * size[:, [0, 1, 0, 1]].astype(np.float32))
        sides = self._sign * sides.astype(np.int64)
        cut, pad = np.maximum(-sides, 0), np.maximum(sides, 0)
        for axis, (before, behind) in enumerate(((0, 2), (1, 3))):
            cut[:, [before, behind]] = _left(cut[:, before], cut[:, behind], size[:, axis])
        return {
            "crop": cut,
            "pad": pad,
            "fill": np.full(len(u), float(self.pad_cval)),
            "fill_mask": np.zeros(len(u)),
            "result": size + (pad - cut)[:, [0, 1]] + (pad - cut)[:, [2, 3]],
        }

    def _border(self, kind):
        return self.border_mode if kind == "image" else 0

    def _resize(self, to, rows, size) -> None:
        index, size = to.index(rows), np.asarray(size)
        if to.kind != "image":
            resize(to, index, size, 0)
            return
        larger = (size > to.sizes(index)).any(1)
        for some, how in ((larger, 3), (~larger, 1)):
            if some.any():
                resize(to, index[some], size[some], how)

    def __repr__(self) -> str:
        words = {name: getattr(self, name) for name in ("px", "percent", "pad_mode", "pad_cval", "keep_size")}
        words |= {"sample_independently": self.sample_independently, "seed": self.seed, "name": self.name}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in words.items())})"


def _left(one: np.ndarray, other: np.ndarray, side: np.ndarray) -> np.ndarray:
    """What is cut off at both ends ``[n, 2]``, so that a row or column is left: each end gives half of what is too much back (the
    first one more), or all that it has, and the other one the rest."""
    back = np.maximum(one + other - side + 1, 0)
    first = np.minimum(back - back // 2, one)
    second = np.minimum(back - first, other)
    return np.stack([one - (back - second), other - second], 1)


class Crop(CropAndPad):
    """Cut off rows and columns at each side.

    Args:
        px, percent: what is cut off, at least 0; see `CropAndPad`. None both: percent (0, 0.1).
        keep_size, sample_independently, seed, name, random_state, deterministic: see `CropAndPad`.

    Source: imgaug ``Crop``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.Crop(px=(1, 0, 0, 1), keep_size=False)(image=np.array([[3, 4], [5, 6]], np.uint8))
        array([[6]], dtype=uint8)
    """

    _sign, _least, _usual = -1, 0, (0.0, 0.1)

    def __init__(
        self,
        px=None,
        percent=None,
        keep_size: bool = True,
        sample_independently: bool = True,
        seed=None,
        name=None,
        random_state=None,
        deterministic=False,
    ):
        how = {"seed": seed, "name": name, "random_state": random_state, "deterministic": deterministic}
        super().__init__(px, percent, "constant", 0, keep_size, sample_independently, **how)


class Pad(CropAndPad):
    """Add rows and columns at each side.

    Args:
        px, percent: what is added, at least 0; see `CropAndPad`. None both: percent (0, 0.1).
        pad_mode, pad_cval, keep_size, sample_independently, seed, name, random_state, deterministic: see `CropAndPad`.

    Source: imgaug ``Pad``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.Pad(px=(0, 1, 0, 0), pad_mode="edge", keep_size=False)(image=np.array([[3, 4]], np.uint8))
        array([[3, 4, 4]], dtype=uint8)
    """

    _sign, _least, _usual = 1, 0, (0.0, 0.1)

"""What every augmentation is: arguments, a draw, and a lowering to kernels."""

from __future__ import annotations

import inspect
import math
import numbers
from dataclasses import dataclass

import numpy as np

from .arguments import arguments

REGISTRY: dict[str, type[Transform]] = {}


@dataclass(slots=True)
class View:
    """What a draw may look at: the samples' sizes now (int ``[n, 2]``), channel count, element type, and, for the few that need
    them, masks and boxes (`gpuaug.compose.Now`)."""

    size: np.ndarray
    channels: int
    dtype: str
    now: object | None = None
    rows: np.ndarray | None = None

    def sample(self, i: int) -> int:
        """The place in the batch of the i-th sample of this draw, for errors."""
        return i if self.rows is None else int(self.rows[i])


class Transform:
    """An augmentation with per-sample random parameters.

    A subclass checks its arguments in ``__init__``, says in `columns` how many uniforms one sample needs, turns them into
    parameters in `draw` (the only random step) and adds itself to a plan in `lower` (deterministic). It registers itself.

    Attributes:
        p: probability, per sample.
        ops: names of the pixel operations (`gpuaug.ops`) that `lower` may append: a GPU's kernel holds those of its pipeline.
        targets: what `lower` handles: ``("image",)`` for pixel operations, ``("image", "mask")`` for geometry and dropout.
    """

    ops: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("image",)
    stencil = False  # does it read a pixel's neighbours (a filter), so that what it reads must have been written?
    moves_pixels: bool | None = None  # None: yes if it handles masks; holes, which do too, leave pixels where they are

    def __init_subclass__(cls, register: bool = True, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = arguments(cls.__init__)
        if register and not cls.__name__.startswith("_"):
            REGISTRY[cls.__name__] = cls

    @arguments
    def __init__(self, p: float = 0.5):
        self.p = probability(p)

    def columns(self) -> int:
        """How many uniforms `draw` takes for one sample."""
        return 0

    def draw(self, u: np.ndarray, view: View) -> dict[str, np.ndarray]:
        """Parameters of ``n`` samples from uniforms ``[n, columns]``; each array's first axis is ``n``."""
        return {}

    def size_after(self, params: dict, size: np.ndarray) -> np.ndarray:
        """Sizes ``[n, 2]`` after the transform."""
        return size

    def channels_after(self, channels: int) -> int:
        """How many channels images have after the transform."""
        return channels

    def lower(self, to, rows, params: dict) -> None:
        """Add the transform of samples ``rows`` (indices, or a slice for all) to a `gpuaug.track.Track`."""
        raise NotImplementedError

    def boxes(
        self, params: dict, which: np.ndarray, boxes: np.ndarray, size: np.ndarray, limits
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Move boxes.

        Args:
            params: as `draw` returns them. which: int ``[N]``, each box's row of them.
            boxes: ``[N, 4]`` (x0, y0, x1, y1) in pixels. size: ``[N, 2]``, of each box's image before the transform.
            limits: the caller's `gpuaug.BboxParams`.

        Returns:
            The boxes ``[N, 4]`` after it, and what share of each is left where pixels of it were lost (None: all). What leaves
            the image is not counted here.
        """
        if type(self).moves("boxes"):
            return boxes, None
        raise NotImplementedError

    def cuts(self, params: dict, which: np.ndarray) -> np.ndarray | None:
        """Rectangles ``[N, K, 4]`` of pixels that each box's image loses (of no area: none), or None."""
        return None

    def keypoints(
        self, params: dict, which: np.ndarray, points: np.ndarray, size: np.ndarray, limits
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Move keypoints ``[N, 4]`` (x, y, angle in radians, scale); the rest is as in `boxes`, `limits` is the caller's
        `gpuaug.KeypointParams`, and what is left of a point is true or false."""
        if type(self).moves("keypoints"):
            return points, None
        raise NotImplementedError

    @classmethod
    def moves(cls, hook: str) -> bool:
        """Whether boxes (hook "boxes") or keypoints ("keypoints") come through rightly: it says how, or works on pixels alone."""
        return getattr(cls, hook) is not getattr(Transform, hook) or "mask" not in cls.targets

    def is_geometric(self) -> bool:
        """Whether pixels change their place, so that whatever lies beside the image must move too."""
        return "mask" in self.targets if self.moves_pixels is None else self.moves_pixels

    def __repr__(self) -> str:
        shown = []
        for name in inspect.signature(type(self).__init__).parameters:
            if name in vars(self):
                shown.append(f"{name}={getattr(self, name)!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


# ---- argument checks: each names the argument, the value and the rule ---------------------


def real(name: str, value, low: float = -math.inf, high: float = math.inf, *, above: bool = False) -> float:
    """A number in [low, high] (above: in (low, high])."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if math.isnan(value):
        raise ValueError(f"{name} must be a number, got NaN")
    if math.isinf(value):
        raise ValueError(f"{name} must be finite, got {value!r}")
    if not low <= value <= high or (above and value == low):
        raise ValueError(f"{name} must lie in {'(' if above else '['}{low:g}, {high:g}], got {value!r}")
    return float(value)


def probability(p) -> float:
    """p, between 0 and 1."""
    return real("p", p, 0, 1)


def integer(name: str, value, low: int = -(2**31), high: int = 2**31 - 1) -> int:
    """A whole number in [low, high]; 2.0 is one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie in [{low}, {high}], got {value!r}")
    return int(value)


def boolean(name: str, value) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def is_number(value) -> bool:
    """Whether it is one number, and no range."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _pair(name, value):
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be a number or a pair (low, high), got {value!r}")
    return value


def span(name: str, value, low: float = -math.inf, high: float = math.inf, *, scalar: str = "symmetric") -> tuple[float, float]:
    """A range of real numbers. A number v stands for (-v, v) (symmetric), (0, v) (zero), (1, v) (one) or (v, v) (fixed)."""
    if is_number(value):
        value = {"symmetric": (-abs(value), abs(value)), "zero": (0, value), "one": (1, value), "fixed": (value, value)}[scalar]
    a, b = (real(name, v, low, high) for v in _pair(name, value))
    return min(a, b), max(a, b)


def increasing(name: str, value, low: float = -math.inf, high: float = math.inf) -> tuple[float, float]:
    """A range of real numbers whose ends must be in order."""
    a, b = (real(name, v, low, high) for v in _pair(name, value))
    if a > b:
        raise ValueError(f"{name} must be (low, high) with low <= high, got {tuple(value)!r}")
    return a, b


def whole(name: str, value, low: int = 0, high: int = 2**31 - 1, *, scalar: str = "fixed") -> tuple[int, int]:
    """A range of whole numbers, both ends inclusive and in order. A number n stands for (n, n), or for (0, n) (zero)."""
    if is_number(value):
        value = (value, value) if scalar == "fixed" else (0, value)
    a, b = (integer(name, v, low, high) for v in _pair(name, value))
    if a > b:
        raise ValueError(f"{name} must be (low, high) with low <= high, got {tuple(value)!r}")
    return a, b


def one_of(name: str, value, allowed) -> object:
    """One of a few values."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(repr(a) for a in allowed)}, got {value!r}")
    return value


def colour(name: str, value, words: tuple[str, ...] = ()) -> object:
    """A fill: a number, one number for each channel, or one of ``words``."""
    if isinstance(value, str) and words:
        return one_of(name, value, words)
    if isinstance(value, (tuple, list)):
        if len(value) == 0:
            raise ValueError(f"{name} must hold a number for each channel, got {value!r}")
        return tuple(real(name, v) for v in value)
    if not is_number(value):
        raise TypeError(f"{name} must be a number, one number for each channel{' or a word' if words else ''}, got {value!r}")
    return real(name, value) if isinstance(value, float) else value


WIDEST = 4095  # side of a window, pixels: what is wider than most images is taken as a mistake
INTERPOLATIONS = {0: "nearest", 1: "linear", 2: "cubic", 6: "nearest"}  # by a matrix; a resize tells 0 from 6
BORDERS = {0: "constant", 1: "replicate", 2: "reflect", 3: "wrap", 4: "reflect_101"}


RESIZES = {
    0: "INTER_NEAREST",
    1: "INTER_LINEAR",
    2: "INTER_CUBIC",
    3: "INTER_AREA",
    4: "INTER_LANCZOS4",
    6: "INTER_NEAREST_EXACT",
}


def interpolation(name: str, value, allowed=INTERPOLATIONS) -> int:
    """OpenCV's number of an interpolation: of those that go with any map, or with a resize (`RESIZES`)."""
    if not is_number(value) or value not in allowed:
        words = [f"{number} (cv2.{RESIZES[number]})" for number in allowed]
        raise ValueError(f"{name} must be {', '.join(words[:-1])} or {words[-1]}, got {value!r}")
    return int(value)


def border(name: str, value) -> int:
    """OpenCV's number of a border mode."""
    if not is_number(value) or value not in BORDERS:
        raise ValueError(
            f"{name} must be one of OpenCV's border modes {', '.join(f'{k} ({v})' for k, v in BORDERS.items())}, got {value!r}"
        )
    return int(value)

"""What every map is, and the kinds that the kernels know."""

from __future__ import annotations

import numpy as np

from ..checks import INTERPOLATIONS

_T = np.arange(16) / 16  # along a side, 16 points: one that bends by 1 pixel is told to 1 / 16^2 of one
# all around the unit square
_OUTLINE = np.concatenate([np.stack(s, 1) for s in ((_T, 0 * _T), (0 * _T + 1, _T), (1 - _T, 0 * _T + 1), (0 * _T, 1 - _T))])
STEPS, CLOSE, FOUND = 12, 1e-6, 0.05  # Newton's steps; pixels at which it stops; pixels within which a place counts as found
# kinds, as kernels/map.cuh knows them (`python kernels/generate.py`): those that give places, which are interpolated, and those
# that give whole pixels inside of the image
PLACES = ("view", "affine", "projective", "time_warp", "radial", "grid", "mesh", "field")
WHOLE = ("resize", "pixels", "tiles")
KINDS = {name: number for number, name in enumerate((*PLACES, *WHOLE))}
MOST_NUMBERS = 9  # Row.m
# words of a sample's table, by its cells ``[n, 2]`` (columns, lines); tiles' shifts follow
_WORDS = {
    "grid": lambda cells: cells.sum(1),
    "mesh": lambda cells: 2 * cells.prod(1),
    "field": lambda cells: 2 * cells.prod(1),
    "tiles": lambda cells: cells.sum(1),
}


class Map:
    """Output pixel to source pixel, of n samples.

    A kind of map gives `source`, and `target` where that has a closed form. For the kernels it fills:

    Attributes:
        kind: name in `KINDS`.
        n: how many samples.
        numbers: float64 ``[n, k]``, k <= 9: what stands in ``Row.m``. None: a resize, made from the size that a sample has then.
        forward: numbers are a matrix from source to output, and are inverted.
        table: 32-bit words, of which sample i's begin at ``start[i]``; or None. cells: int ``[n, 2]``, its columns and lines.
        factors: of a resize, see `gpuaug.maps.Resize`.
    """

    kind = ""
    forward = False
    numbers: np.ndarray | None = None
    factors: np.ndarray | float = 0.0
    table: np.ndarray | None = None
    start: np.ndarray | int = 0
    cells: np.ndarray | int = 0
    stride = np.inf  # pixels that a step of Newton's method may go at most

    @property
    def n(self) -> int:
        return len(self.numbers)

    def lowered(self, interpolation: int) -> tuple[str, str]:
        """The names in `KINDS` and `gpuaug.plan.SAMPLES` for OpenCV's number of an interpolation."""
        return self.kind, one_of(INTERPOLATIONS, interpolation)

    def check(self, kind: str, size: np.ndarray) -> None:
        """Raise unless the kernel can read what it is given, for outputs of ``size`` ``[n, 2]`` or ``[2]``."""
        if kind not in KINDS:
            raise ValueError(f"there is no kind of map {kind!r}; gpuaug.maps.KINDS has {', '.join(KINDS)}")
        if self.numbers is not None and (self.numbers.ndim != 2 or self.numbers.shape[1] > MOST_NUMBERS):
            raise ValueError(f"numbers of a map must be [n, k], k <= {MOST_NUMBERS}, not {list(self.numbers.shape)}")
        if self.kind not in _WORDS:  # "pixels" of a resize: the library makes the tables
            return
        if self.table is None or self.table.dtype.char not in "fiI":
            raise ValueError(f"a map of kind {kind!r} reads a table of 32-bit words, not {getattr(self.table, 'dtype', None)}")
        cells = np.asarray(self.cells)
        if cells.ndim != 2 or cells.shape[1] != 2:
            raise ValueError(f"cells of a map of kind {kind!r} must be int [n, 2] (columns, lines), not {list(cells.shape)}")
        short = np.flatnonzero(np.asarray(self.start) + _WORDS[self.kind](cells) > self.table.size)
        if len(short):
            raise ValueError(f"the table of a map of kind {kind!r} ends before that of sample {short[0]}")
        size = size.reshape(-1, 2)
        if self.kind != "mesh" and (size > cells[:, ::-1]).any():
            i = int(np.flatnonzero((size > cells[:, ::-1]).any(1))[0])
            raise ValueError(
                f"a map of kind {kind!r} has places for {cells[i, ::-1].tolist()} lines and columns of sample {i}, the result is "
                f"{np.broadcast_to(size, cells.shape)[i].tolist()}"
            )

    def source(self, which: np.ndarray, xy: np.ndarray) -> np.ndarray:
        """Where output points ``[N, 2]`` are read, ``[N, 2]``."""
        raise NotImplementedError(f"{type(self).__name__} gives no source(which, xy), the formula of its places")

    def guess(self, which: np.ndarray, xy: np.ndarray) -> np.ndarray:
        """Where the search for the targets of source points begins."""
        return xy

    def jacobian(self, which: np.ndarray, xy: np.ndarray, step: float = 1e-3) -> np.ndarray:
        """d source / d output at output points: ``[N, 2, 2]``."""
        ahead = [(self.source(which, xy + d) - self.source(which, xy - d)) / (2 * step) for d in step * np.eye(2)]
        return np.stack(ahead, 2)

    def target(self, which: np.ndarray, xy: np.ndarray) -> np.ndarray:
        """Where source points ``[N, 2]`` go; NaN for those that no output pixel shows."""
        at = np.array(self.guess(which, xy), np.float64)
        with np.errstate(all="ignore"):
            going = np.arange(len(at))  # each point stops by itself, whatever others there are
            for _ in range(STEPS):
                miss = self.source(which[going], at[going]) - xy[going]
                far = np.abs(miss).max(1) > CLOSE
                going, miss = going[far], miss[far]
                if not len(going):
                    break
                (a, b), (c, d) = np.moveaxis(self.jacobian(which[going], at[going]), 0, 2)
                det = a * d - b * c
                step = np.stack([d * miss[:, 0] - b * miss[:, 1], a * miss[:, 1] - c * miss[:, 0]], 1) / det[:, None]
                at[going] -= np.clip(step, -self.stride, self.stride)
            near = np.abs(self.source(which, at) - xy).max(1, keepdims=True) < FOUND
        return np.where(near, at, np.nan)

    def points(self, which: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Keypoints ``[N, 4]`` (x, y, angle, scale) and which of them are left (None: all).

        An angle turns as the direction it stands for; a scale grows as the axis does that the map stretches more.
        """
        out = points.copy()
        moved = self.target(which, points[:, :2])
        left = np.isfinite(moved).all(1)
        if not left.all():
            which, out, points = which[left], points[left], points[left]
        at = moved[left]
        (a, b), (c, d) = np.moveaxis(self.jacobian(which, at), 0, 2)
        det = a * d - b * c
        det = np.where(det == 0, 1, det)
        forward = np.stack([np.stack([d, -b], 1), np.stack([-c, a], 1)], 1) / det[:, None, None]
        cos, sin = np.cos(points[:, 2]), np.sin(points[:, 2])
        out[:, :2] = at
        out[:, 2] = np.arctan2(forward[:, 1, 0] * cos + forward[:, 1, 1] * sin, forward[:, 0, 0] * cos + forward[:, 0, 1] * sin)
        out[:, 3] *= np.sqrt((forward**2).sum(1)).max(1)
        if left.all():
            return out, None
        every = np.zeros((len(left), 4))
        every[left] = out
        return every, left

    def boxes(self, which: np.ndarray, boxes: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The boxes ``[N, 4]`` around what is shown of boxes in results of ``size`` ``[n, 2]``, and which are left (None:
        all)."""
        low, high = boxes[:, None, :2] - 0.5, boxes[:, None, 2:] - 0.5
        every = np.repeat(which, len(_OUTLINE))
        size = np.asarray(size)
        moved = self.target(every, (low + _OUTLINE * (high - low)).reshape(-1, 2)).reshape(len(boxes), -1, 2)
        if not np.isfinite(moved).all():
            # a side that is shown nowhere lies beyond the result's own sides: where those are inside of the box
            frame = _OUTLINE * size[which][:, None, ::-1] - 0.5
            source = self.source(every, frame.reshape(-1, 2)).reshape(frame.shape)
            inside = ((source >= low) & (source <= high)).all(2, keepdims=True)
            moved = np.concatenate([moved, np.where(inside, frame, np.nan)], 1)
        moved += 0.5
        left = np.isfinite(moved).all(2).any(1)
        moved[~left] = 0
        out = np.concatenate([np.nanmin(moved, 1), np.nanmax(moved, 1)], 1)
        return out, None if left.all() else left


def one_of(known: dict, interpolation: int):
    if interpolation not in known:
        names = {0: "nearest", 1: "linear", 2: "cubic", 3: "area", 4: "Lanczos", 5: "linear exact", 6: "nearest exact"}
        allowed = ", ".join(f"{k} ({names[k]})" for k in known)
        raise ValueError(f"interpolation {interpolation!r} is not among those of this map: {allowed}")
    return known[interpolation]


def checked(name: str, values, shape: tuple) -> np.ndarray:
    """float64 of a shape in which None stands for any number."""
    values = np.asarray(values, np.float64)
    found = values.shape
    if len(found) != len(shape) or shape != tuple([None if s is None else v for s, v in zip(shape, found)]):
        want = ", ".join("n" if s is None else str(s) for s in shape)
        raise ValueError(f"{name} must be [{want}], not {list(values.shape)}")
    return values


def header() -> str:
    """kernels/maps.gen.cuh: the numbers of the kinds."""
    return "\n".join(
        [
            "// maps.gen.cuh: made of gpuaug/maps/base.py by `python kernels/generate.py`; not to be edited.",
            "#pragma once",
            "namespace aug {",
            "",
            "// Where output pixels are read; map.cuh has the formulas.",
            "enum MapKind {",
            *(f"  MAP_{name.upper()} = {number}," for name, number in KINDS.items()),
            "};",
            f"enum {{ MAP_WHOLE = MAP_{WHOLE[0].upper()} }};  // from there on: whole pixels inside of the source",
            "",
            "}  // namespace aug",
            "",
        ]
    )

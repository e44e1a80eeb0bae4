"""What a batch's draw will read of images that are not there yet: their sizes are enough to draw and to plan.

The plan is made as always, for images at addresses that nothing lies at, and its launches say what they read: a view of the
image, and of that, where a gather has a matrix, the part around what its corners map to. So every transform is treated alike, by
what its lowering does; what has to look at pixels before that (a host stage, a draw by masks) cannot be planned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from . import maps, reduced, uniforms
from .batch import Batch
from .plan import SAMPLES

if TYPE_CHECKING:
    from .drawn import Drawn
    from .plan import Plan

CHANNELS, SPACING = 3, 1 << 40  # bytes between images that are not there
# pixels around a place that an interpolation reads, and one that float32 and rounding may be off
_MARGIN = np.zeros(max(SAMPLES.values()) + 1, np.int64)
for _name, _reads in {"nearest": 1, "linear": 1, "line": 1, "cubic": 2, "lanczos": 4}.items():
    _MARGIN[SAMPLES[_name]] = _reads + 1
_SAME = ("sh", "sw", "dh", "dw", "frame", "m", "map", "sample", "border", "scale", "n_layers")  # of a row, what decides it
CONSTANT, REPLICATE = 0, 1


class Reach:
    """What a plan reads of its caller's images.

    Attributes:
        drawn: the draw that it was made of. size: int64 ``[B, 2]``, of the images.
        window: int64 ``[B, 4]``, (y0, x0, y1, x1) of what each image is read in; of an image that is not read a pixel.
        scale: int64 ``[B]``: the images are there at 1 / scale of their size (`shrink`).
        part: int64 ``[B, 4]``, what has to be there of each image, in its pixels at that scale.
    """

    def __init__(self, drawn: Drawn, size: np.ndarray, whose: tuple):
        """size: ``[B, 2]``, heights and widths. whose: ids, epoch, occurrence and seed of the draw."""
        self.whose = whose
        self.drawn, self.size = drawn, np.asarray(size, np.int64)
        at = SPACING * np.arange(1, len(size) + 1)
        stride = np.stack([CHANNELS * self.size[:, 1], np.full(len(size), CHANNELS), np.ones(len(size))], 1).astype(np.int64)
        batch = Batch(at, self.size.astype(np.int32), stride, CHANNELS, "uint8", torch.device("meta"), None)
        track = drawn.lower(batch)
        plan = track.finish(np.zeros(len(size), np.int64), np.zeros((len(size), 3), np.int64), track.dtype)
        low, high = self.size.copy(), np.zeros_like(self.size)
        self._read, self._rows, self._scaled, self._plan = [], [], {}, plan
        for number, launch, rows, sample in _readers(plan, SPACING):
            # where the view's first pixel is, and how its lines and columns run: (y, x) for each
            pitch, offset = CHANNELS * self.size[sample, 1], rows["src"] - at[sample]
            first = np.stack([offset // pitch, offset % pitch // CHANNELS], 1)
            down, right = (_direction(rows[name], pitch) for name in ("sy", "sx"))
            _extend(low, high, sample, _part(launch.kind, rows), first, down, right)
            if launch.kind == "fused":  # what operations read beside the pixel may be the image before
                whole = sample[rows["n_layers"] > 0]
                low[whole], high[whole] = 0, self.size[whole]
            self._read.append((number, launch.kind, sample.copy(), _decisive(rows), first, down, right))
            self._rows.append(rows)
        none = high[:, 0] <= low[:, 0]
        low[none], high[none] = 0, 1
        # two columns at least, so that lines and columns of what is decoded are told apart
        low[:, 1] = np.minimum(low[:, 1], np.maximum(self.size[:, 1] - 2, 0))
        high[:, 1] = np.minimum(np.maximum(high[:, 1], low[:, 1] + 2), self.size[:, 1])
        self.window = np.concatenate([low, high], 1)
        self.scale, self.part = np.ones(len(size), np.int64), self.window

    def shrink(self, may: np.ndarray, turn: np.ndarray) -> None:
        """Let images be there at 1/2, 1/4 or 1/8 of their size, if all that reads them blends pixels at least so far apart.

        may: bool ``[B]``: of which a decoder can make that. turn: ``[B]``, their EXIF orientations.
        """
        scale = np.where(may & ((self.window[:, 2:] - self.window[:, :2]).min(1) > 1), reduced.SCALES[0], 1)
        mean = reduced.means(self._plan) if any(kind == "resample" for _, kind, *_ in self._read) else ~may
        for rows, (_, kind, sample, _, _, down, right) in zip(self._rows, self._read):
            np.minimum.at(scale, sample, reduced.finest(kind, rows, _corners, down, right, mean[sample]))
        if (scale == 1).all():
            return
        self.scale, self._was, start = scale, scale.copy(), reduced.offset(self.size, scale, turn)
        size = reduced.scaled_size(self.size, scale)
        low, high = size.copy(), np.zeros_like(size)
        for number, (rows, (launch, kind, sample, _, first, down, right)) in enumerate(zip(self._rows, self._read)):
            some = scale[sample] > 1
            if not some.any():
                continue
            of, down, right = sample[some], down[some], right[some]
            mine, at = reduced.read(rows[some], first[some], down, right, scale[of], start[of], size[of])
            taps = None
            if kind == "resample":
                blob = self._plan.launches[launch].blob
                taps = reduced.taps(mine, blob, first[some], at, down, right, scale[of], start[of])
            self._scaled[number] = mine, at, taps
            _extend(low, high, of, _part(kind, mine), at, down, right)
        self.part = np.where((scale > 1)[:, None], np.concatenate([low, high], 1), self.window)

    def scaled_in_words(self) -> str:
        """What of upright JPEGs of these sizes would be decoded at a scale; "" where nothing would."""
        count = len(self.size)
        self.shrink(np.ones(count, bool), np.ones(count, np.int64))
        told = [f"{n} of {count} at 1/{k}" for k in (2, 4, 8) if (n := np.count_nonzero(self.scale == k))]
        return f"\nJPEGs of this size, with decode='fast': {', '.join(told)}, {self.share():.0%} of the pixels" if told else ""

    def exactly(self, rows) -> None:
        """Let these images be there at their own size."""
        self.scale[rows], self.part[rows] = 1, self.window[rows]

    def drawn_for(self, ids, epoch: int, occurrence, seed: int) -> Drawn:
        """The draw, if it is that of these samples."""
        ids, occurrence = uniforms.check_counters(ids, epoch, occurrence)
        for name, mine, theirs in zip(("ids", "epoch", "occurrence", "seed"), self.whose, (ids, epoch, occurrence, seed)):
            if not np.array_equal(mine, theirs):
                raise ValueError(
                    f"{name}={theirs!r:.80}: the windows of this batch were found for {name}={mine!r:.80}, and nothing else of "
                    f"its images is there; pass the same, or images that are whole"
                )
        return self.drawn

    def widen(self, rows: np.ndarray) -> None:
        """Let the windows of these images be all of them."""
        self.window[rows, :2], self.window[rows, 2:] = 0, self.size[rows]

    def share(self) -> float:
        """Pixels that have to be there, of all pixels."""
        sides = self.part[:, 2:] - self.part[:, :2]
        return float(sides.prod(1).sum() / max(self.size.prod(1).sum(), 1))

    def check(self, plan: Plan, batch: Batch) -> None:
        """Raise unless a plan for the images of which these windows are there reads what this one does; let it read those that
        are there at a scale."""
        pitch, seen = batch.stride[:, 0], []
        for number, launch, rows, sample in _readers(plan, 1):
            seen.append(number)
            if len(seen) > len(self._read):
                break
            before, kind, whose, decisive, first, down, right = self._read[len(seen) - 1]
            same = (number, launch.kind, len(sample)) == (before, kind, len(whose)) and np.array_equal(sample, whose)
            if not same or _decisive(rows) != decisive:
                break
            step = np.stack([pitch[sample], np.full(len(sample), CHANNELS)], 1)
            where = batch.address[sample] + (first * step).sum(1)
            runs = [np.array_equal(rows[name], (way * step).sum(1)) for name, way in (("sy", down), ("sx", right))]
            if not (all(runs) and np.array_equal(rows["src"], where)):
                break
            self._read_scaled(len(seen) - 1, plan, launch, batch, step)
        else:
            if len(seen) == len(self._read):
                return
        raise RuntimeError(
            "the pipeline was changed after images of this batch were decoded, in the windows that it would have read then: "
            "change it between epochs"
        )

    def _read_scaled(self, number: int, plan: Plan, launch, batch: Batch, step: np.ndarray) -> None:
        """Let the rows of a launch that read the caller's images read those that are there at a scale."""
        if number not in self._scaled:
            return
        sample = self._read[number][2]
        some, (mine, at, taps) = np.flatnonzero(self._was[sample] > 1), self._scaled[number]
        still = self.scale[sample[some]] > 1  # a decoder may have made some at their own size
        some, mine, at = some[still], mine[still], at[still]
        place = np.flatnonzero(launch.rows["src"] >= 1)[some]
        names = ("sh", "sw", "m")
        if taps is not None:
            names, mine = ("sh", "sw", "columns", "across", "lines", "down"), mine.copy()
            mine["columns"] += len(launch.blob)
            mine["lines"] += len(launch.blob)
            blob = np.concatenate([launch.blob, taps])
            plan.records["blob"][self._read[number][0]] = blob.ctypes.data
            plan.owner = plan.owner, blob
        for name in names:
            launch.rows[name][place] = mine[name]
        launch.rows["src"][place] = batch.address[sample[some]] + (at * step[some]).sum(1)


def _extend(low, high, sample, part, first, down, right) -> None:
    """Extend what is read of images by parts ``[n, 4]`` of views that run from `first` so."""
    top, left, bottom, far = part.T[..., None]
    corners = first + top * down + left * right, first + (bottom - 1) * down + (far - 1) * right
    np.minimum.at(low, sample, np.minimum(*corners))
    np.maximum.at(high, sample, np.maximum(*corners) + 1)


def _readers(plan: Plan, least: int):
    """(number, launch, its rows that read the caller's memory, whose they are), in order."""
    for number, launch in enumerate(plan.launches):
        if launch.kind == "lookup" or not len(launch.rows):
            continue
        mine = launch.rows["src"] >= least  # scratch memory, which is not given out yet, is 0
        if mine.all():
            yield number, launch, launch.rows, launch.sample
        elif mine.any():
            yield number, launch, launch.rows[mine], launch.sample[mine]


def _decisive(rows: np.ndarray) -> bytes:
    return b"".join(np.ascontiguousarray(rows[name]).tobytes() for name in _SAME if name in rows.dtype.names)


def _direction(stride: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """(y, x) of a step of so many elements in an image."""
    lines = np.abs(stride) == pitch
    return np.sign(stride)[:, None] * np.stack([lines, ~lines], 1)


_FULL = np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]])


def _corners(rows: np.ndarray) -> np.ndarray:
    """float64 ``[n, 2, 4]``: x and y of the output's corners in the gather's frame."""
    frame, far = rows["frame"].reshape(-1, 2, 3).astype(np.float64), np.empty((len(rows), 2, 1))
    far[:, 0, 0], far[:, 1, 0] = rows["dw"], rows["dh"]
    return frame[:, :, :2] @ ((far - 1) * _FULL) + frame[:, :, 2:]


def _part(kind: str, rows: np.ndarray) -> np.ndarray:
    """int64 ``[n, 4]``: (y0, x0, y1, x1) of what each row reads of its view."""
    size, part = np.empty((len(rows), 2), np.int64), np.zeros((len(rows), 4), np.int64)  # (x, y); (y0, x0, y1, x1)
    size[:, 0], size[:, 1] = part[:, 3], part[:, 2] = rows["sw"], rows["sh"]
    if kind != "fused":
        return part
    at, of = _corners(rows), rows["map"]
    view, known, resize = of == maps.KINDS["view"], of == maps.KINDS["affine"], of == maps.KINDS["resize"]
    m = rows["m"].reshape(-1, 3, 3).astype(np.float64)
    places = m[:, :, :2] @ at + m[:, :, 2:]
    places, depth = places[:, :2], places[:, 2:]
    deep = of == maps.KINDS["projective"]
    if deep.any():
        ahead = deep & ((depth > 1e-6).all((1, 2)) | (depth < -1e-6).all((1, 2)))
        known = known | ahead
        places[ahead] /= depth[ahead]
    margin = _MARGIN[rows["sample"]]
    for some, factor in ((view, 1.0), (resize, rows["scale"][:, :, None])):
        if some.any():
            places = np.where(some[:, None, None], at * factor, places)
            margin, known = np.where(some, int(some is resize), margin), known | some
    if not np.isfinite(places).all():
        places = np.where(np.isfinite(places), places, 0.0)
    if not known.all():
        places = np.where(known[:, None, None], places, 0.0)
    margin = margin[:, None]
    low, high = np.floor(places.min(2)).astype(np.int64) - margin, np.ceil(places.max(2)).astype(np.int64) + margin + 1
    # what lies outside is read at the border, or not at all; a border that reflects, or wraps, may read anything
    border = rows["border"]
    known &= ((low >= 0) & (high <= size)).all(1) | view | resize | (border == CONSTANT) | (border == REPLICATE)
    low = np.minimum(np.maximum(low, 0), size - 1)
    high = np.minimum(np.maximum(high, low + 1), size)
    part[known, :2], part[known, 2:] = low[known, ::-1], high[known, ::-1]
    return part

"""Plans: which launch does what to which sample.

A `Track` follows one target (images, or masks) through the transforms. Each sample is on its own way: it has one open
*stage*, a view of where it lies (address, signed strides), at most one gather, and a list of pixel operations. What cannot
join the open stage (a second gather, a filter) closes it: the stage becomes a row of a `fused` launch, and the sample's next
stage reads what that wrote. All samples that close at the same transform share the launch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .batch import DTYPES, Batch

ROW = np.dtype([("src", "i8"), ("dst", "i8"), ("sh", "i4"), ("sw", "i4"), ("sy", "i4"), ("sx", "i4"), ("sc", "i4"), ("dh", "i4"),
                ("dw", "i4"), ("dy", "i4"), ("dx", "i4"), ("dc", "i4"), ("frame", "i4", 6), ("m", "f4", 9), ("gather", "i4"),
                ("border", "i4"), ("fill", "i4"), ("ops", "i4"), ("n_ops", "i4"), ("stat", "i4"), ("positions", "i4"), ("scale", "f8", 2)])
OP = np.dtype([("code", "i4"), ("arg", "i4"), ("n", "i4"), ("flag", "i4"), ("p", "f4", 12)])
FILTER_ROW = np.dtype([("src", "i8"), ("dst", "i8"), ("h", "i4"), ("w", "i4"), ("sy", "i4"), ("sx", "i4"), ("sc", "i4"), ("dy", "i4"),
                       ("dx", "i4"), ("dc", "i4"), ("border", "i4"), ("fill", "i4"), ("kind", "i4"), ("kh", "i4"), ("kw", "i4"),
                       ("n", "i4"), ("taps", "i4"), ("scale", "f4"), ("pad", "i4", 4)])

# kernels/rows.cuh and kernels/pixel.cuh, in their order
GATHERS = {"none": 0, "nearest": 1, "linear": 2, "cubic": 3, "resize_nearest": 4, "time_warp": 5}
OPCODES = {name: i for i, name in enumerate(
    ["none", "move", "round", "linear_u8", "linear", "normalize", "hsv_u8", "hsv", "gauss", "rects",
     "pixels", "channels", "bitmap", "standardize"])}
STATS = 5  # numbers without NaNs, sum, minimum, maximum, squared deviations: of each channel
IDENTITY = np.array([1, 0, 0, 0, 1, 0], np.int32)
# flips, transposes and quarter turns: new pixel (x, y) -> old pixel (a x + b y + .., c x + d y + ..)
ORIENTATIONS = {"identity": (1, 0, 0, 1), "hflip": (-1, 0, 0, 1), "vflip": (1, 0, 0, -1), "rot180": (-1, 0, 0, -1),
                "transpose": (0, 1, 1, 0), "rot90": (0, -1, 1, 0), "rot270": (0, 1, -1, 0), "anti_transpose": (0, -1, -1, 0)}


@dataclass
class Launch:
    """One launch: ``rows[i]`` is sample ``sample[i]`` of the batch."""

    kind: str
    rows: np.ndarray
    sample: np.ndarray
    channels: int
    source: str
    target: str
    ops: np.ndarray | None = None
    blob: np.ndarray | None = None
    note: str = ""

    def out_bytes(self) -> np.ndarray:
        """Bytes that each row writes."""
        h, w = ("h", "w") if self.kind == "filter" else ("dh", "dw")
        return self.rows[h].astype(np.int64) * self.rows[w] * (self.channels * DTYPES[self.target][1])


@dataclass
class Plan:
    """Launches in order, for the samples of one batch."""

    samples: int
    launches: list[Launch] = field(default_factory=list)
    stats: np.ndarray | None = None  # float32: room for what statistics launches write
    owner: object = None

    def _scratch(self):
        """(launch, offset of each row's output in scratch memory); every output is 256-byte aligned."""
        at = 0
        for launch in self.launches:
            if launch.kind == "statistics":
                continue
            need = np.where(launch.rows["dst"] == 0, (launch.out_bytes() + 64 + 255) & ~255, 0)
            end = at + np.cumsum(need)
            yield launch, end - need, need > 0
            at = int(end[-1]) if len(end) else at

    @property
    def scratch_bytes(self) -> int:
        """Bytes of scratch memory that `place` hands out."""
        total = 0
        for launch, offset, written in self._scratch():
            if written.any():
                i = int(np.flatnonzero(written)[-1])
                total = max(total, int(offset[i] + ((launch.out_bytes()[i] + 64 + 255) & ~255)))
        return total

    def place(self, base: int) -> None:
        """Give every intermediate image (source or destination 0) an address in scratch memory at ``base``."""
        last = np.zeros(self.samples, np.int64)
        for launch, (offset, written) in self._placements():
            rows = launch.rows
            rows["src"] = np.where(rows["src"] == 0, last[launch.sample], rows["src"])
            if offset is not None:
                rows["dst"] = np.where(written, base + offset, rows["dst"])
                last[launch.sample] = rows["dst"]

    def _placements(self):
        scratch = {id(launch): (offset, written) for launch, offset, written in self._scratch()}
        return [(launch, scratch.get(id(launch), (None, None))) for launch in self.launches]

    def explain(self) -> str:
        """The launches in words, one line each."""
        lines = []
        for i, launch in enumerate(self.launches, 1):
            share = "all" if len(launch.rows) == self.samples else f"{len(launch.rows)} of {self.samples}"
            lines.append(f"{i}. {launch.kind} on {share} samples: {launch.note} [{launch.source} -> {launch.target}]")
        return "\n".join(lines) or "nothing to do"


class Track:
    """One target of a batch on its way through the transforms; transforms call its verbs from `lower`.

    Attributes:
        kind: ``"image"`` or ``"mask"``.
        dtype: the element type that values have now, e.g. ``"float32"`` after Normalize of a uint8 image.
        channels: channel count.
        size: int32 ``[B, 2]`` view of heights and widths now (do not write).
    """

    def __init__(self, batch: Batch, kind: str = "image"):
        n = self.samples = len(batch)
        self.kind, self.dtype, self.channels, self.device = kind, batch.dtype, batch.channels, batch.device
        self._batch = batch
        self._row = row = np.zeros(n, ROW)
        row["src"] = batch.address
        row["sh"], row["sw"] = batch.size[:, 0], batch.size[:, 1]
        row["dh"], row["dw"] = batch.size[:, 0], batch.size[:, 1]
        row["sy"], row["sx"], row["sc"] = batch.stride[:, 0], batch.stride[:, 1], batch.stride[:, 2]
        row["frame"] = IDENTITY
        row["border"] = 1
        self._source = np.full(n, DTYPES[batch.dtype][0], np.int8)  # element type at each row's source
        self._ops = np.zeros((n, 8), OP)
        self._count = np.zeros(n, np.int32)
        self._moved = np.zeros(n, bool)                             # output positions differ from the operations' positions by ..
        self._move = np.zeros((n, 6), np.int32)
        self._writer = np.full((n, 2), -1, np.int32)                # (launch, row) that wrote a sample's source
        self._blob: list[np.ndarray] = [np.zeros(max(self.channels, 1), np.float32)]
        self._blob_size = len(self._blob[0])
        self._open_notes: list[str] = []
        self.launches: list[Launch] = []
        self._stats = 0                                             # floats that statistics write
        self.doing = ""                                             # name of the transform that is being lowered
        self.tensor = ""                                            # ToTensorV2: deliver tensors of this layout

    @property
    def size(self) -> np.ndarray:
        return np.stack([self._row["dh"], self._row["dw"]], 1)

    @property
    def is_u8(self) -> bool:
        return self.dtype == "uint8"

    def _all(self, rows) -> bool:
        return isinstance(rows, slice) or len(rows) == self.samples

    # ---- data that operations refer to ------------------------------------------------

    def blob(self, values: np.ndarray) -> int:
        """Append float32 (or 32-bit integer, kept as bits) values; returns their offset."""
        values = np.ascontiguousarray(values).reshape(-1)
        values = values.view(np.float32) if values.dtype.kind in "iu" and values.itemsize == 4 else values.astype(np.float32)
        at, self._blob_size = self._blob_size, self._blob_size + len(values)
        self._blob.append(values)
        return at

    def colour(self, fill, name: str = "fill") -> np.ndarray:
        """A fill as the image's type holds it, float32 ``[channels]`` (int32 masks: as bits)."""
        value = np.asarray(fill, np.float64).reshape(-1)
        if len(value) not in (1, self.channels):
            raise ValueError(f"{self.doing}: {name}={fill!r} has {len(value)} values for {self.kind}s of {self.channels} "
                             f"channels; pass one number or one for each channel")
        value = np.broadcast_to(value, self.channels)
        if self.dtype in ("uint8", "int32"):
            low, high = (0, 255) if self.is_u8 else (-(2**31), 2**31 - 1)
            if ((value < low) | (value > high)).any():
                raise ValueError(f"{self.doing}: {name}={fill!r} does not fit {self.dtype} {self.kind}s; use {low} .. {high}")
            value = np.rint(value)
            return value.astype(np.float32) if self.is_u8 else value.astype(np.int32).view(np.float32)
        return value.astype(np.float32)

    # ---- verbs -----------------------------------------------------------------------

    def _remap(self, rows, a, b, size) -> None:
        """Integer geometry: new output pixel p comes from old output pixel a p + b (a [n, 4], b [n, 2] as x, y)."""
        row = self._row
        a, b = np.asarray(a, np.int64), np.asarray(b, np.int64)
        pure = (row["gather"][rows] == 0) & (self._count[rows] == 0) & ~self._moved[rows]
        index = np.arange(self.samples)[rows]
        view, later = index[pure], index[~pure]
        if len(view):
            av, bv = (np.broadcast_to(x, (len(index), x.shape[-1]))[pure] for x in (a, b))
            item = self._item()[view]
            sx, sy = row["sx"][view].astype(np.int64), row["sy"][view].astype(np.int64)
            shift = (bv[:, 0] * sx + bv[:, 1] * sy) * item
            # a source of this plan's own (address 0) keeps its address: the shift is not a plain address yet
            known = row["src"][view] != 0
            if known.all():
                row["src"][view] += shift
                row["sx"][view], row["sy"][view] = av[:, 0] * sx + av[:, 2] * sy, av[:, 1] * sx + av[:, 3] * sy
                row["sh"][view] = row["dh"][view] = np.broadcast_to(size, (len(index), 2))[pure, 0]
                row["sw"][view] = row["dw"][view] = np.broadcast_to(size, (len(index), 2))[pure, 1]
            else:
                later = index
        if len(later):
            pick = slice(None) if len(later) == len(index) else ~pure
            al, bl = (np.broadcast_to(x, (len(index), x.shape[-1]))[pick] for x in (a, b))
            frame = row["frame"][later].astype(np.int64)
            new = np.empty_like(frame)
            for i in (0, 3):
                new[:, i] = frame[:, i] * al[:, 0] + frame[:, i + 1] * al[:, 2]
                new[:, i + 1] = frame[:, i] * al[:, 1] + frame[:, i + 1] * al[:, 3]
                new[:, i + 2] = frame[:, i] * bl[:, 0] + frame[:, i + 1] * bl[:, 1] + frame[:, i + 2]
            row["frame"][later] = new
            # positions of later operations: p' = a^-1 (p - b); a is a signed permutation, its inverse the transpose
            fresh = later[~self._moved[later]]
            self._move[fresh] = IDENTITY
            move = self._move[later].astype(np.int64)
            move[:, 2] -= bl[:, 0]
            move[:, 5] -= bl[:, 1]
            x, y = move[:, :3].copy(), move[:, 3:].copy()
            self._move[later, :3] = al[:, 0:1] * x + al[:, 2:3] * y
            self._move[later, 3:] = al[:, 1:2] * x + al[:, 3:4] * y
            self._moved[later] = True
            sizes = np.broadcast_to(size, (len(index), 2))[pick]
            row["dh"][later], row["dw"][later] = sizes[:, 0], sizes[:, 1]

    def _item(self) -> np.ndarray:
        return np.array([1, 2, 2, 4, 4], np.int64)[self._source]

    def crop(self, rows, x, y, height, width) -> None:
        """Keep the window that starts at (x, y); it must lie inside the sample."""
        n = len(self._count[rows])
        b = np.empty((n, 2), np.int64)
        b[:, 0], b[:, 1] = x, y
        size = np.empty((n, 2), np.int64)
        size[:, 0], size[:, 1] = height, width
        self._remap(rows, np.array([[1, 0, 0, 1]]), b, size)
        self._note("crop")

    def orient(self, rows, orientation: str) -> None:
        """Flip, transpose or turn by quarters (`ORIENTATIONS`)."""
        h, w = self._row["dh"][rows].astype(np.int64), self._row["dw"][rows].astype(np.int64)
        a = np.array([ORIENTATIONS[orientation]], np.int64)
        swap = a[0, 0] == 0
        # mirrored axes start at the far end of the OLD size
        b = np.stack([np.where(a[0, 0] + a[0, 1] < 0, w - 1, 0), np.where(a[0, 2] + a[0, 3] < 0, h - 1, 0)], 1)
        self._remap(rows, a, b, np.stack([w, h] if swap else [h, w], 1))
        self._note(orientation)

    def warp(self, rows, matrix, size, interpolation: str, border: int, fill=0, scale=None) -> None:
        """Gather: output pixel (x, y) is read at ``matrix @ (x, y, 1)`` of the image so far.

        Args:
            matrix: ``[n, 6]``, output pixel to source pixel, row-major.
            size: ``[n, 2]`` or ``[2]``, output height and width.
            interpolation: ``"nearest"``, ``"linear"``, ``"cubic"`` or ``"resize_nearest"`` (by ``scale``).
            border: OpenCV's number; with 0 (constant) outside pixels are ``fill``.
            scale: ``[n, 2]`` source pixels per output pixel, x and y, for ``"resize_nearest"``.
        """
        self._close(rows)
        row = self._row
        row["m"][rows, :6] = matrix
        row["gather"][rows] = GATHERS[interpolation]
        row["border"][rows] = border
        row["fill"][rows] = self.blob(self.colour(fill)) if border == 0 else 0
        if scale is not None:
            row["scale"][rows] = scale
        size = np.asarray(size)
        row["dh"][rows], row["dw"][rows] = size[..., 0], size[..., 1]
        self._note(interpolation if interpolation != "resize_nearest" else "nearest")

    def pixel(self, rows, code: str, params=None, *, arg=0, n=0, flag=0, positions: bool = False) -> None:
        """Append one operation of the pixel program.

        Args:
            code: name in `OPCODES`.
            params: ``[n, k]`` or ``[k]``, k <= 12: float32, or 32-bit integers that are kept as bits.
            arg, n, flag: numbers or ``[n]``.
            positions: whether the operation looks at pixel positions.
        """
        if positions:
            self._row["positions"][rows] = 1
            moved = np.flatnonzero(self._moved)
            if len(moved):
                moved = np.intersect1d(moved, np.arange(self.samples)[rows], assume_unique=True)
                if len(moved):
                    self._append(moved, "move", self._move[moved].astype(np.float32), 0, 0, 0)
                    self._moved[moved] = False
        self._append(rows, code, params, arg, n, flag)
        if self.dtype in ("float16", "bfloat16") and code != "move":
            self._append(rows, "round", None, 0, 0, 0 if self.dtype == "float16" else 1)
        self._note(code)

    def _append(self, rows, code, params, arg, n, flag) -> None:
        count = self._count[rows]
        if len(count) == 0:
            return
        top = int(count.max())
        if top >= self._ops.shape[1]:
            self._ops = np.concatenate([self._ops, np.zeros_like(self._ops)], 1)
        if isinstance(rows, slice) and int(count.min()) == top:
            op = self._ops[:, top]  # a view: all samples are at the same place of their lists
            self._set(op, code, params, arg, n, flag)
        else:
            op = np.zeros(len(count), OP)
            self._set(op, code, params, arg, n, flag)
            self._ops[np.arange(self.samples)[rows], count] = op
        self._count[rows] += 1

    @staticmethod
    def _set(op, code, params, arg, n, flag) -> None:
        op["code"], op["arg"], op["n"], op["flag"] = OPCODES[code], arg, n, flag
        if params is not None:
            params = np.asarray(params)
            params = params.view(np.float32) if params.dtype.kind in "iu" and params.itemsize == 4 else params
            op["p"][:, : params.shape[-1]] = params

    def convert(self, dtype: str, rows) -> None:
        """Declare that values are of another type from here on (Normalize: uint8 to float32)."""
        if dtype != self.dtype and not self._all(rows):
            raise ValueError(f"{self.doing} turns {self.dtype} {self.kind}s into {dtype} and so must apply to every sample "
                             f"of a batch; set its p to 1 and do not place it in OneOf or SomeOf")
        self.dtype = dtype

    def filter(self, rows, kind: str, taps, lengths, border: int = 4, scale: float | np.ndarray = 1.0, fill=0) -> None:
        """Correlate with weights.

        Args:
            kind: ``"separable"`` or ``"points"``.
            taps: list with one float32 array a row: y weights then x weights, or ``[k, 3]`` (dy, dx, weight).
            lengths: ``[n, 2]``: lengths of y and x weights, odd; or ``[n, 3]``: odd height and width that hold all points, number of points.
            border: OpenCV's number.
            scale: factor on the sum, a number or ``[n]``.
        """
        self._close(rows)
        row = self._row[rows]
        out = np.zeros(len(row), FILTER_ROW)
        for name in ("src", "sy", "sx", "sc"):
            out[name] = row[name]
        out["h"], out["w"] = row["dh"], row["dw"]
        out["border"], out["scale"] = border, scale
        out["fill"] = self.blob(self.colour(fill)) if border == 0 else 0
        sizes = np.array([t.size for t in taps], np.int64)
        start = np.zeros(len(taps), np.int64)
        np.cumsum(sizes[:-1], out=start[1:])
        out["taps"] = self.blob(np.concatenate([np.asarray(t, np.float32).reshape(-1) for t in taps])) + start
        lengths = np.asarray(lengths)
        out["kh"], out["kw"] = lengths[:, 0], lengths[:, 1]
        if kind == "points":
            out["kind"], out["n"] = 1, lengths[:, 2]
        self._emit("filter", out, np.arange(self.samples)[rows], self.dtype, self.doing or kind)

    def statistics(self, rows, width=None) -> None:
        """Take count, sum, minimum, maximum and squared deviations of every channel of the values so far.

        Args:
            width: ``[n]``: columns from there on (padding) do not count.
        """
        self._close(rows)
        index = np.arange(self.samples)[rows]
        if len(index) == 0:
            return
        self._row["stat"][rows] = self._stats + STATS * self.channels * np.arange(len(index))
        self._stats += STATS * self.channels * len(index)
        table = self._row[index]
        if width is not None:
            table["sw"] = width
        self.launches.append(Launch("statistics", table, index.astype(np.int32), self.channels, self.dtype, self.dtype, note=self.doing))
        self._writer[index] = -1  # what they read must not be written to the caller's memory instead

    # ---- stages ----------------------------------------------------------------------

    def _note(self, what: str) -> None:
        what = f"{self.doing} ({what})" if self.doing and self.doing != what else what
        if what not in self._open_notes:
            self._open_notes.append(what)

    def _busy(self, rows) -> np.ndarray:
        """Samples of ``rows`` whose open stage is more than a view of their source."""
        row = self._row
        busy = (row["gather"][rows] != 0) | (self._count[rows] != 0) | self._moved[rows]
        busy |= self._source[rows] != DTYPES[self.dtype][0]
        return np.arange(self.samples)[rows][busy]

    def _close(self, rows) -> None:
        """Close the open stages of ``rows`` that hold more than a view."""
        busy = self._busy(rows)
        if len(busy):
            self._flush(busy, None, self.dtype)

    def _flush(self, index, place, target: str) -> None:
        """Turn open stages into launches, one for each element type at the source."""
        for code in np.unique(self._source[index]):
            part = index[self._source[index] == code]
            source = list(DTYPES)[code]
            whole = len(part) == self.samples
            rows = self._row if whole else self._row[part]
            depth = self._ops.shape[1]
            rows["ops"] = np.arange(len(part), dtype=np.int32) * depth
            rows["n_ops"] = self._count if whole else self._count[part]
            rows = rows.copy() if whole else rows
            ops = self._ops.copy() if whole else self._ops[part]
            if place is None:
                rows["dy"], rows["dx"], rows["dc"] = rows["dw"] * self.channels, self.channels, 1
            else:
                rows["dst"], rows["dy"], rows["dx"], rows["dc"] = (p[part] for p in place)
            self._emit("fused", rows, part, source, ", ".join(self._open_notes) or "copy", ops.reshape(-1), target)

    def _emit(self, kind, rows, index, source, note, ops=None, target=None) -> None:
        target = target or source
        launch = Launch(kind, rows, index.astype(np.int32), self.channels, source, target, ops, None, note)
        if kind == "filter":
            rows["dy"], rows["dx"], rows["dc"] = rows["w"] * self.channels, self.channels, 1
        self._writer[index, 0], self._writer[index, 1] = len(self.launches), np.arange(len(index))
        self.launches.append(launch)
        row = self._row
        row["src"][index] = 0
        row["sh"][index], row["sw"][index] = row["dh"][index], row["dw"][index]
        row["sy"][index], row["sx"][index], row["sc"][index] = row["dw"][index] * self.channels, self.channels, 1
        row["gather"][index] = row["positions"][index] = 0
        row["border"][index] = 1
        row["frame"][index] = IDENTITY
        self._count[index] = 0
        self._moved[index] = False
        self._source[index] = DTYPES[target][0]

    def finish(self, address, stride, dtype: str) -> Plan:
        """Write every sample to its place; returns the plan.

        Args:
            address: int64 ``[B]``, stride: int64 ``[B, 3]`` (y, x, channel, in elements): the output.
            dtype: its element type.
        """
        place = (np.asarray(address, np.int64), *(np.asarray(stride, np.int64)[:, i] for i in range(3)))
        rest = np.arange(self.samples)
        if self._writer.max(initial=-1) >= 0 and dtype == self.dtype:
            # a sample whose last launch was its last step is written to its place by that launch
            row = self._row
            plain = (self._writer[:, 0] >= 0) & (row["src"] == 0) & (row["gather"] == 0) & (self._count == 0) & ~self._moved
            plain &= (row["sy"] == row["dw"] * self.channels) & (self._source == DTYPES[dtype][0])
            done = np.flatnonzero(plain)
            for number in np.unique(self._writer[done, 0]):
                part = done[self._writer[done, 0] == number]
                at = self._writer[part, 1]
                rows = self.launches[number].rows
                for name, values in zip(("dst", "dy", "dx", "dc"), place):
                    rows[name][at] = values[part]
            rest = np.flatnonzero(~plain)
        if len(rest):
            self._flush(rest, place, dtype)
        blob = np.concatenate(self._blob)
        for launch in self.launches:
            launch.blob = blob
        return Plan(self.samples, self.launches, np.empty(self._stats, np.float32) if self._stats else None, self._batch)

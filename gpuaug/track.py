"""Tracks: one target of a batch on its way through the transforms.

Each sample is on its own way: it has one open *stage*, a view of where it lies (address, signed strides), at most one gather,
and a list of pixel operations. What cannot join the open stage (a second gather, a filter) closes it: the stage becomes a row
of a `fused` launch, and the sample's next stage reads what that wrote. Launches of one kind whose samples do not wait for
each other become one.
"""

from __future__ import annotations

import numpy as np

from .batch import DTYPES, Batch
from .plan import FILTER_ROW, GATHERS, MOVES_LABELS, OP, OPCODES, ORIENTATIONS, ROW, STATS, Launch, Plan

_IDENTITY = np.array([1, 0, 0, 0, 1, 0], np.int32)
_NAMES = list(DTYPES)
_WORDS = OP.itemsize // 4
_STRAIGHT = (1, 0, 0, 1)
_NOWHERE = np.int32(0)  # no shift: nothing to add
# NumPy copies records field by field, in 38 us for 256 of them; as opaque bytes it takes 1.4 us
_STATE = np.dtype([("count", "i4"), ("last", "i4"), ("writer", "i4", 2), ("move", "i4", 6), ("open", "?"), ("moved", "?"),
                   ("source", "i1"), ("pad", "i1")])
_OPAQUE = {dtype: np.dtype(f"V{dtype.itemsize}") for dtype in (ROW, OP, FILTER_ROW, _STATE)}
# a stage that reads what a launch has written, before anything is asked of it
_FRESH_ROW, _FRESH_STATE = np.zeros(1, ROW), np.zeros(1, _STATE)
_FRESH_ROW["border"] = _FRESH_ROW["sc"] = 1
_FRESH_ROW["frame"] = _FRESH_STATE["move"] = _IDENTITY
_FRESH_STATE["last"] = _FRESH_STATE["writer"] = -1


def _fresh(record: np.ndarray, n: int) -> np.ndarray:
    """``n`` copies of a record, as opaque bytes."""
    opaque = _OPAQUE[record.dtype]
    stock = _STOCK.get(record.dtype)
    if stock is None or len(stock) < n:
        stock = _STOCK[record.dtype] = np.full(2 * n, record.view(opaque)[0], opaque)
    return stock[:n].copy()


_STOCK: dict[np.dtype, np.ndarray] = {}


def _records(opaque: np.ndarray, index, dtype: np.dtype) -> np.ndarray:
    """A copy of some records (None: all), given as opaque bytes."""
    return (opaque.copy() if index is None else opaque[index]).view(dtype)


def _joined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.empty(len(a) + len(b), _OPAQUE[a.dtype])
    out[: len(a)], out[len(a) :] = a.view(out.dtype), b.view(out.dtype)
    return out.view(a.dtype)


class Track:
    """One target of a batch on its way through the transforms; transforms call its verbs from `lower`.

    Attributes:
        kind: ``"image"`` or ``"mask"``.
        dtype: the element type that values have now, e.g. ``"float32"`` after Normalize of a uint8 image.
        channels: channel count.
        size: int32 ``[B, 2]``, heights and widths now (do not write).
        samples: how many samples there are.
    """

    def __init__(self, batch: Batch, kind: str = "image"):
        n = self.samples = len(batch)
        self.kind, self.dtype, self.channels, self.device = kind, batch.dtype, batch.channels, batch.device
        self.size = batch.size.astype(np.int32)
        self._batch = batch
        self._row_bytes, self._state_bytes = _fresh(_FRESH_ROW, n), _fresh(_FRESH_STATE, n)
        self._row = row = self._row_bytes.view(ROW)       # the open stages; output sizes are filled in when they close
        row["src"] = batch.address
        row["sh"], row["sw"] = batch.size[:, 0], batch.size[:, 1]
        row["sy"], row["sx"], row["sc"] = batch.stride[:, 0], batch.stride[:, 1], batch.stride[:, 2]
        self._state = state = self._state_bytes.view(_STATE)
        self._count = state["count"]                      # operations in the open stage
        self._open = state["open"]                        # is the stage more than a view of its source?
        self._moved = state["moved"]                      # is there a turn or crop that operations have not been told?
        self._move = state["move"]                        # it, from their positions to those of the output so far
        self._last = state["last"]                        # the last launch that touches a sample
        self._writer = state["writer"]                    # (launch, row) that wrote a sample's source, if nothing else reads it
        self._source = state["source"]                    # element type at each row's source
        self._source[:] = DTYPES[batch.dtype][0]
        self._flushed = False                             # has any stage been closed?
        self._ops = np.empty((n, 6, _WORDS), np.int32)    # operations as words; those beyond a sample's count are not initialized
        self._blob: list[np.ndarray] = [np.zeros(max(self.channels, 1), np.float32)]
        self._blob_size = len(self._blob[0])
        self._log: list = []                              # what was done to which rows, for `Plan.explain`
        self.launches: list[Launch] = []
        self._stats = 0                                   # floats that statistics write
        self.doing = ""                                   # name of the transform that is being lowered
        self.tensor = ""                                  # ToTensorV2: deliver tensors of this layout
        self._indices = np.arange(n)

    @property
    def is_u8(self) -> bool:
        return self.dtype == "uint8"

    def index(self, rows) -> np.ndarray:
        """``rows`` (a slice or indices) as indices."""
        return self._indices[rows]

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
        if isinstance(fill, (int, float)) and fill == 0:
            return np.zeros(self.channels, np.float32)
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

    def fill(self, fill, name: str = "fill") -> int:
        """The offset of a fill in the blob."""
        if isinstance(fill, (int, float)) and fill == 0:
            return 0  # every blob starts with zeros
        return self.blob(self.colour(fill, name))

    # ---- verbs -----------------------------------------------------------------------

    def crop(self, rows, x, y, height, width) -> None:
        """Keep the window that starts at (x, y); it must lie inside the sample."""
        self._remap(rows, _STRAIGHT, x, y, height, width)
        self._note(rows, "crop")

    def orient(self, rows, orientation: str) -> None:
        """Flip, transpose or turn by quarters (`gpuaug.plan.ORIENTATIONS`)."""
        a = ORIENTATIONS[orientation]
        size = self.size[rows]
        h, w = size[:, 0], size[:, 1]
        # mirrored axes start at the far end of the old size
        x, y = (w - 1 if a[0] + a[1] < 0 else _NOWHERE), (h - 1 if a[2] + a[3] < 0 else _NOWHERE)
        if a[0] == 0:
            h, w = w.copy(), h.copy()
        self._remap(rows, a, x, y, h, w)
        self._note(rows, orientation)

    def _remap(self, rows, a, x, y, height, width) -> None:
        """Integer geometry: output pixel p is what was at ``[[a0, a1], [a2, a3]] p + (x, y)``."""
        row = self._row
        if not self._flushed and not np.count_nonzero(self._open[rows]):
            # nothing but views so far: another view of the source
            sx, sy = row["sx"][rows], row["sy"][rows]
            shift = np.multiply(x, sx, dtype=np.int64) + np.multiply(y, sy, dtype=np.int64)
            row["src"][rows] += shift * DTYPES[self._batch.dtype][1]
            if a is not _STRAIGHT:
                sx, sy = sx.copy(), sy.copy()
                row["sx"][rows], row["sy"][rows] = a[0] * sx + a[2] * sy, a[1] * sx + a[3] * sy
            row["sh"][rows], row["sw"][rows] = height, width
        else:
            # the stage reads its source as before; output pixels are sent to the frame in which they were
            f = np.array(row["frame"][rows]).reshape(-1, 2, 3)
            m = np.array(self._move[rows]).reshape(-1, 2, 3)
            p, q = f[:, :, 0], f[:, :, 1]
            for axis, step, at in ((0, p, x), (1, q, y)):
                if at is not _NOWHERE:
                    at = at.astype(np.int32, copy=False) if isinstance(at, np.ndarray) else np.int32(at)
                    f[:, :, 2] += step * (at[:, None] if at.ndim else at)
                    m[:, axis, 2] -= at
            if a is not _STRAIGHT:
                a0, a1, a2, a3 = a
                f[:, :, 0], f[:, :, 1] = a0 * p + a2 * q, a1 * p + a3 * q
                # a is a signed permutation: its inverse is its transpose
                p, q = m[:, 0], m[:, 1]
                m[:, 0], m[:, 1] = a0 * p + a2 * q, a1 * p + a3 * q
            f, m = f.reshape(-1, 6), m.reshape(-1, 6)
            row["frame"][rows], self._move[rows] = f, m
            self._moved[rows] = self._open[rows] = True
        self.size[rows, 0], self.size[rows, 1] = height, width

    def warp(self, rows, matrix, size, interpolation: str, border: int, fill=0, scale=None) -> None:
        """Gather: output pixel (x, y) is read at ``matrix @ (x, y, 1)`` of the image so far.

        Args:
            matrix: ``[n, 6]``, output pixel to source pixel, row-major; see `gpuaug.plan.GATHERS` for other meanings.
            size: ``[n, 2]`` or ``[2]``, output height and width.
            interpolation: name in `gpuaug.plan.GATHERS`.
            border: OpenCV's number; with 0 (constant) outside pixels are ``fill``.
            scale: ``[n, 2]`` source pixels per output pixel, x and y, for ``"resize_nearest"``.
        """
        if "nearest" not in interpolation:
            self._labels("interpolated")
        size = np.asarray(size, np.int64)
        if size.size and (size[..., 0] * size[..., 1]).max() * self.channels > 2**31 - 1:
            raise ValueError(f"{self.doing}: a result of height and width {size.reshape(-1, 2).max(0).tolist()} with "
                             f"{self.channels} channels has more than 2^31 - 1 elements; make it smaller")
        self.close(rows)
        row = self._row
        row["m"][rows, :6] = matrix
        row["gather"][rows] = GATHERS[interpolation]
        row["border"][rows] = border
        if border == 0:
            row["fill"][rows] = self.fill(fill)
        if scale is not None:
            row["scale"][rows] = scale
        self.size[rows] = size
        self._open[rows] = True
        self._note(rows, interpolation if interpolation != "resize_nearest" else "nearest")

    def pixel(self, rows, code: str, params=None, *, arg=0, n=0, flag=0, positions: bool = False) -> None:
        """Append one operation of the pixel program.

        Args:
            code: name in `gpuaug.plan.OPCODES`.
            params: ``[n, k]`` or ``[k]``, k <= 12: float32, or 32-bit integers that are kept as bits.
            arg, n, flag: numbers or ``[n]``.
            positions: whether the operation looks at pixel positions.
        """
        if code not in MOVES_LABELS:
            self._labels("computed with")
        if positions:
            self._row["positions"][rows] = 1
            moved = self._moved[rows]
            if np.count_nonzero(moved):
                moved = self._indices[rows][moved]
                self._append(moved, "move", self._move[moved].astype(np.float32), 0, 0, 0)
                self._moved[moved] = False
                self._move[moved] = _IDENTITY
        self._append(rows, code, params, arg, n, flag)
        if self.dtype in ("float16", "bfloat16"):
            self._append(rows, "round", None, 0, 0, 0 if self.dtype == "float16" else 1)
        self._open[rows] = True
        self._note(rows, code)

    def _append(self, rows, code, params, arg, n, flag) -> None:
        count = self._count[rows]
        if len(count) == 0:
            return
        top = int(count.max())
        if top >= self._ops.shape[1]:
            self._ops = np.concatenate([self._ops, np.empty_like(self._ops)], 1)
        if isinstance(rows, slice) and (top == 0 or int(count.min()) == top):
            op = self._ops[:, top]  # a view: all samples are at the same place of their lists
            self._set(op, code, params, arg, n, flag)
        else:
            op = np.empty((len(count), _WORDS), np.int32)
            self._set(op, code, params, arg, n, flag)
            self._ops[self._indices[rows], count] = op
        self._count[rows] += 1

    @staticmethod
    def _set(op, code, params, arg, n, flag) -> None:
        op[:, 0], op[:, 1], op[:, 2], op[:, 3] = OPCODES[code], arg, n, flag
        op[:, 4:] = 0
        if params is not None:
            params = np.asarray(params)
            params = params if params.dtype.kind in "iu" and params.itemsize == 4 else params.astype(np.float32, copy=False)
            op[:, 4 : 4 + params.shape[-1]] = params.view(np.int32)

    def convert(self, dtype: str, rows) -> None:
        """Declare that values are of another type from here on (Normalize: uint8 to float32)."""
        if dtype == self.dtype:
            return
        if not (isinstance(rows, slice) or len(rows) == self.samples):
            raise ValueError(f"{self.doing} turns {self.dtype} {self.kind}s into {dtype} and so must apply to every sample "
                             f"of a batch; set its p to 1 and do not place it in OneOf or SomeOf")
        self.dtype = dtype
        self._open[:] = True  # the source still holds the old type

    def filter(self, rows, kind: str, taps: np.ndarray, start, lengths, border: int = 4, scale: float | np.ndarray = 1.0,
               fill=0) -> None:
        """Correlate with weights.

        Args:
            kind: ``"separable"`` or ``"points"``.
            taps: float32 ``[k]``: y weights then x weights of each row, or (dy, dx, weight) of each point.
            start: ``[n]``: where each row's taps start; rows may share them.
            lengths: ``[n, 2]``: lengths of y and x weights, odd; or ``[n, 3]``: odd height and width that hold all points, number
                of points.
            border: OpenCV's number.
            scale: factor on the sum, a number or ``[n]``.
        """
        self._labels("filtered")
        self.close(rows)
        index = self._indices[rows]
        if len(index) == 0:
            return
        row = self._row
        out = np.zeros(len(index), FILTER_ROW)
        for name in ("src", "sy", "sx", "sc"):
            out[name] = row[name][index]
        size = self.size[index]
        out["h"], out["w"] = size[:, 0], size[:, 1]
        out["border"], out["scale"] = border, scale
        out["fill"] = self.fill(fill) if border == 0 else 0
        out["taps"] = start
        out["taps"] += self.blob(taps)
        lengths = np.asarray(lengths)
        out["kh"], out["kw"] = lengths[:, 0], lengths[:, 1]
        if kind == "points":
            out["kind"], out["n"] = 1, lengths[:, 2]
        self._note(index, kind)
        self._emit("filter", out, index, self.dtype)

    def statistics(self, rows, width=None) -> None:
        """Take count, sum, minimum, maximum and squared deviations of every channel of the values so far.

        Args:
            width: ``[n]``: columns from there on (padding) do not count.
        """
        self._labels("summed")
        self.close(rows)
        index = self._indices[rows]
        if len(index) == 0:
            return
        self._row["stat"][rows] = self._stats + STATS * self.channels * np.arange(len(index))
        self._stats += STATS * self.channels * len(index)
        table = _records(self._row_bytes, index, ROW)
        if width is not None:
            table["sw"] = width
        self._last[index] = len(self.launches)
        self.launches.append(Launch("statistics", table, index.astype(np.int32), self.channels, self.dtype, self.dtype))
        self._note(index, "statistics")
        self._log.append((index, self.launches[-1], None))
        self._writer[index] = -1  # what they read must not be written to the caller's memory instead

    # ---- stages ----------------------------------------------------------------------

    def _note(self, rows, what: str) -> None:
        self._log.append((rows, self.doing, what))

    def _labels(self, what: str) -> None:
        """int32 travels as bits: it may be moved and replaced, arithmetic on it would be nonsense."""
        if self.dtype == "int32":
            raise TypeError(f"{self.doing}: {self.kind}s of type int32 hold labels, which can be moved and replaced but not "
                            f"{what}; "
                            + ("use mask_interpolation=0 (nearest)" if what == "interpolated" and self.kind == "mask"
                               else "use uint8, float16 or float32"))

    def close(self, rows) -> None:
        """Close the open stages of ``rows`` that are more than a view."""
        busy = self._open[rows]
        if np.count_nonzero(busy):
            self._flush(self._indices[rows][busy], None, self.dtype)

    def _flush(self, index, place, target: str) -> None:
        """Turn open stages into launches, one for each element type at the source."""
        source = self._source[index]
        if np.count_nonzero(source != source[0]):
            for code in np.unique(source):
                self._flush(index[source == code], place, target)
            return
        whole = len(index) == self.samples
        rows = _records(self._row_bytes, None if whole else index, ROW)
        size = self.size if whole else self.size[index]
        rows["dh"], rows["dw"] = size[:, 0], size[:, 1]
        rows["ops"] = np.arange(0, len(index) * self._ops.shape[1], self._ops.shape[1], dtype=np.int32)
        rows["n_ops"] = self._count if whole else self._count[index]
        if place is None:
            rows["dy"], rows["dx"], rows["dc"] = size[:, 1] * self.channels, self.channels, 1
        else:
            rows["dst"], rows["dy"], rows["dx"], rows["dc"] = place if whole else (p[index] for p in place)
        # the last launch may have the table itself: no operation is appended after it
        ops = self._ops if whole and place is not None else self._ops[index]
        self._emit("fused", rows, index, _NAMES[source[0]], ops.view(OP).reshape(-1), target, place is None)

    def _emit(self, kind, rows, index, source, ops=None, target=None, go_on=True) -> None:
        """Add a launch, or rows to an earlier one of its kind that none of these samples has to wait for."""
        target = target or source
        if kind == "filter":
            rows["dy"], rows["dx"], rows["dc"] = rows["w"] * self.channels, self.channels, 1
        number, first = len(self.launches), 0
        after = int(self._last[index].max())
        for k in range(number - 1, after, -1):
            other = self.launches[k]
            if (other.kind, other.source, other.target) == (kind, source, target):
                number, first = k, len(other.rows)
                break
        if first:
            if ops is not None:
                rows["ops"] += len(other.ops)
                other.ops = _joined(other.ops, ops)
            other.rows = _joined(other.rows, rows)
            other.sample = np.concatenate([other.sample, index.astype(np.int32)])
            launch = other
        else:
            launch = Launch(kind, rows, index.astype(np.int32), self.channels, source, target, ops)
            self.launches.append(launch)
        self._log.append((index, launch, None))
        if not go_on:
            return
        self._flushed = True
        size = self.size[index]
        fresh_row, fresh_state = _fresh(_FRESH_ROW, len(index)), _fresh(_FRESH_STATE, len(index))
        row, state = fresh_row.view(ROW), fresh_state.view(_STATE)
        row["sh"], row["sw"] = size[:, 0], size[:, 1]
        row["sy"], row["sx"], row["sc"] = size[:, 1] * self.channels, self.channels, 1
        state["last"] = state["writer"][:, 0] = number
        state["writer"][:, 1] = self._indices[: len(index)] + first
        state["source"] = DTYPES[target][0]
        self._row_bytes[index] = fresh_row
        self._state_bytes[index] = fresh_state

    def finish(self, address, stride, dtype: str) -> Plan:
        """Write every sample to its place; returns the plan. The track is used up.

        Args:
            address: int64 ``[B]``, stride: int64 ``[B, 3]`` (y, x, channel, in elements): the output.
            dtype: its element type.
        """
        stride = np.asarray(stride, np.int64)
        place = (np.asarray(address, np.int64), stride[:, 0], stride[:, 1], stride[:, 2])
        rest = self._indices
        if self._flushed and dtype == self.dtype:
            # a sample whose last launch was its last step is written to its place by that launch
            plain = (self._writer[:, 0] >= 0) & ~self._open
            done = np.flatnonzero(plain)
            for number in sorted(set(self._writer[done, 0].tolist())):
                part = done[self._writer[done, 0] == number]
                rows, at = self.launches[number].rows, self._writer[part, 1]
                for name, values in zip(("dst", "dy", "dx", "dc"), place):
                    rows[name][at] = values[part]
            rest = np.flatnonzero(~plain)
        if len(rest):
            self._flush(rest, place, dtype)
        blob = np.concatenate(self._blob)
        for launch in self.launches:
            launch.blob = blob
        stats = np.empty(self._stats, np.float32) if self._stats else None
        return Plan(self.samples, self.launches, stats, self._batch, self._log)

"""Tracks: one target of a batch on its way through the transforms.

Each sample is on its own way: it has one open *stage*, a view of where it lies (address, signed strides), at most one gather,
and a list of pixel operations. What cannot join the open stage (a second gather, a filter) closes it: the stage becomes a row
of a `fused` launch, and the sample's next stage reads what that wrote. Launches of one kind whose samples do not wait for
each other become one. kernels/host/track.hpp does it; this module checks what it is told and names it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from . import library, maps
from .batch import DTYPES, Batch
from .elements import RANGES
from .ops import find
from .plan import FILTERS, HEAD, KINDS, OP, ORIENTATIONS, RANKS, RECORD, RESAMPLES, SAMPLES, Launch, Plan
from .ragged import Ragged
from .reductions import LOOKUPS, REDUCTIONS, Found, layout
from .structuring import reach, runs
from .transform import BORDERS

_NAMES = list(DTYPES)
_ROUNDED = {"float16": 1, "bfloat16": 0}  # RoundOp.half
_KINDS = list(KINDS.items())
_ALL = slice(None)
LAYER_WORDS = 8


class Layer(NamedTuple):
    """Images of some samples at some step, as `Track.keep` returns them: words ``[n, LAYER_WORDS]`` of kernels/rows.cuh, sizes,
    and the segment of the plan in which they lie."""

    words: np.ndarray
    size: np.ndarray
    segment: int


class Track:
    """One target of a batch on its way through the transforms; transforms call its verbs from `lower`.

    Attributes:
        kind: ``"image"`` or ``"mask"``.
        dtype: the element type that values have now, e.g. ``"float32"`` after Normalize of a uint8 image.
        given: the caller's type, where values travel in another one and go back into it (`gpuaug.elements`); else "".
        channels: channel count.
        size: int32 ``[B, 2]``, heights and widths now (do not write).
        samples: how many samples there are.

    Rows, here and in its verbs, are a slice for all samples, or int indices.
    """

    def __init__(self, batch: Batch, kind: str = "image"):
        self.samples = len(batch)
        self.kind, self.dtype, self.channels, self.device = kind, batch.dtype, batch.channels, batch.device
        self.given = batch.given
        self.doing = ""  # name of the transform that is being lowered
        self.may: tuple[str, ...] | None = None  # the operations that it has declared; None: any
        self.ops: int | None = None  # those of the whole pipeline, `gpuaug.ops.mask`; None: not known
        self.layout = ""  # ToTensorV2: deliver tensors of this layout
        self.segments: list[Plan | str] = []  # what was executed already, for `Compose.explain`
        self._size = np.empty((self.samples, 2), np.int32)  # the library writes into it
        self._host = library.load()
        self._read(batch)

    def _read(self, batch: Batch) -> None:
        """Start with an empty plan that reads a batch."""
        self._batch = batch
        self._zeros = 0  # every blob starts with a zero for each channel
        self._segment = len(self.segments)
        self._constants: dict[int, tuple[int, np.ndarray]] = {}  # where they lie in the blob
        self._log: list = []  # what was done to which rows, for `Plan.explain`
        self._handle = self._host.track_new(
            batch.channels, DTYPES[batch.dtype][0], batch.address, batch.size, batch.stride, self._size
        )

    def go_on(self, plan: Plan | None, batch: Batch) -> None:
        """Go on from a batch that holds what ``plan``, which this track was finished to, has made."""
        self.segments += [] if plan is None else [plan]
        self.__del__()
        self._read(batch)

    def __del__(self):
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            self._host.track_free(handle)

    @property
    def size(self) -> np.ndarray:
        return self._size

    @property
    def is_u8(self) -> bool:
        return self.dtype == "uint8"

    def index(self, rows) -> np.ndarray:
        """``rows`` (a slice or indices) as indices."""
        return np.arange(self.samples)[rows] if isinstance(rows, slice) else rows

    def _rows(self, rows):
        """What the library takes: a slice for all samples, or an array."""
        if isinstance(rows, slice):
            return rows if rows == _ALL else self.index(rows)
        return rows if isinstance(rows, np.ndarray) else np.asarray(rows, np.int64 if len(rows) == 0 else None)

    # ---- data that operations refer to ------------------------------------------------

    def blob(self, values: np.ndarray) -> int:
        """Append float32 (or 32-bit integer, kept as bits) values; returns their offset."""
        return self._host.track_blob(self._handle, np.ascontiguousarray(values))

    def colour(self, fill, name: str = "", *, border: bool = False) -> np.ndarray:
        """A fill as the image's type holds it, float32 ``[channels]`` (labels: as bits).

        Args:
            border: as OpenCV's borders take it: rounded, halves to even, and of several numbers the first for images of one
                channel. Else as NumPy assigns it: the fraction is cut off.
        """
        if isinstance(fill, (int, float)) and fill == 0:
            return np.zeros(self.channels, np.float32)
        name = name or ("fill" if self.kind == "image" else "fill_mask")
        value = np.asarray(fill, np.float64).reshape(-1)
        value = value[:1] if border and self.channels == 1 else value
        if len(value) not in (1, self.channels):
            raise ValueError(
                f"{self.doing}: {name}={fill!r} has {len(value)} values for {self.kind}s of {self.channels} "
                f"channels; pass one number or one for each channel"
            )
        value = np.broadcast_to(value, self.channels)
        kind = self.given or self.dtype
        if kind == "bool":
            return (value != 0).astype(np.float32)
        if kind not in RANGES:
            return value.astype(np.float32)
        whole, (low, high) = np.rint(value) if border else np.trunc(value), RANGES[kind]
        if ((whole < low) | (whole > high)).any():
            raise ValueError(f"{self.doing}: {name}={fill!r} does not fit {kind} {self.kind}s; use {low} .. {high}")
        if self.is_u8:
            return whole.astype(np.float32)
        return whole.astype(np.int64).astype(np.uint32).view(np.float32)  # two's complement: the bits of int32, too

    def fill(self, fill, name: str = "", *, border: bool = False) -> int:
        """The offset of a fill in the blob; see `colour`."""
        if isinstance(fill, (int, float)) and fill == 0:
            return self._zeros
        return self.blob(self.colour(fill, name, border=border))

    # ---- verbs -----------------------------------------------------------------------

    def crop(self, rows, x, y, height, width) -> None:
        """Keep the window that starts at (x, y); it must lie inside the sample. Each: a number, or int ``[n]``."""
        self._tell("crop", rows, x, y, height, width)
        self._note(rows, "crop")

    def orient(self, rows, orientation: str) -> None:
        """Flip, transpose or turn by quarters (`gpuaug.plan.ORIENTATIONS`)."""
        if orientation not in ORIENTATIONS:
            raise ValueError(f"{self.doing}: an orientation is one of {', '.join(ORIENTATIONS)}, not {orientation!r}")
        self._tell("orient", rows, *ORIENTATIONS[orientation])
        self._note(rows, orientation)

    def gather(self, rows, map, size, interpolation: int, border: int = 1, fill=0) -> None:
        """Read every output pixel where a map says, in the image so far.

        A map that interpolates nothing (flips, crops, quarter turns) is a view where all of it lies inside the image.

        Args:
            map: `gpuaug.maps.Map` of these samples, or `gpuaug.maps.Resize`.
            size: ``[n, 2]`` or ``[2]``, output height and width.
            interpolation: OpenCV's number (`gpuaug.transform.INTERPOLATIONS`).
            border: OpenCV's number; with 0 (constant) outside pixels are ``fill``.
        """
        n = self.samples if isinstance(rows, slice) and rows == _ALL else len(self.index(rows))
        size = np.asarray(size)
        try:
            kind, sample = map.lowered(interpolation)
            if map.n != n:
                raise ValueError(f"a map of {map.n} samples for {n} rows")
            if size.shape not in ((2,), (n, 2)):
                raise ValueError(f"sizes are int [2] or [{n}, 2] (height, width), not {list(size.shape)}")
            map.check(kind, size.reshape(-1, 2))
        except ValueError as error:
            raise ValueError(f"{self.doing}: gather: {error}") from None
        self._check_border(border)
        if sample != "nearest":
            self._labels("interpolated")
        done = np.frombuffer(
            self._host.track_gather(
                self._handle,
                self._rows(rows),
                maps.KINDS[kind],
                map.numbers,
                map.forward,
                map.table,
                map.start,
                map.cells,
                size,
                SAMPLES[sample],
                border,
                self.fill(fill, self._fill_name(), border=True) if border == 0 else 0,
                len(self._log),
            ),
            np.int32,
        )
        wrong = int(done[0])
        if wrong > 0:
            raise self._bad_size(np.broadcast_to(size, (n, 2))[wrong - 1].tolist())
        if wrong < 0:
            raise ValueError(
                f"{self.doing}: the map of sample {int(self.index(rows)[-wrong - 1])} cannot be inverted, or leads "
                f"farther than 1e28 pixels away; check scale and translation"
            )
        if len(done) - 1 == n:
            self._note(rows, sample)
            return
        if len(done) > 1:
            self._note(done[1:], sample)
        if map.numbers is not None:  # a resize to the size that is there is none
            self._note(np.setdiff1d(self.index(rows), done[1:]) if len(done) > 1 else rows, "view")

    def keep(self, rows) -> Layer:
        """The images of ``rows`` as they are now, to be read by a later operation of the same samples at the same size."""
        words = np.frombuffer(self._host.track_keep(self._handle, self._rows(rows), len(self._log)), np.int32)
        return Layer(words.reshape(-1, LAYER_WORDS), self._size[rows].copy(), self._segment)

    @contextmanager
    def working(self, rows, dtype: str):
        """Let values of ``rows`` be stored in another type between the steps of one transform: within the block alone. What the
        last operation behind it leaves must fit the track's own type."""
        own = self.dtype
        if own == dtype:
            yield
            return
        self.dtype = dtype
        self._host.track_work_in(self._handle, self._rows(rows), DTYPES[dtype][0])
        try:
            yield
        finally:
            self.dtype = own
            self._host.track_work_in(self._handle, self._rows(rows), DTYPES[own][0])

    def op(self, rows, name: str, *, table=None, shared=None, layers=(), **params) -> None:
        """Append one pixel operation (`gpuaug.ops`).

        Args:
            name: of the operation.
            table: what it reads beside its parameters, for each sample its own: an array ``[n, k, ..]``, or a `Ragged` of n.
            shared: the same, but one for all samples; what cannot be written to (a constant) is uploaded once a plan.
            layers: what `keep` returned for these rows, as many as the operation reads.
            params: its parameters by name, each a number or ``[n, ..]``.

        Raises:
            ValueError: an operation, parameter or table that there is not, or that is missing, or of another shape; an operation
                on colours for other than 3 channels; something found in other samples than these.
            TypeError: labels, with which it would calculate; parameters that are no numbers.
        """
        spec = find(name, self.doing or "Track.op")
        if self.may is not None and name not in self.may:
            raise ValueError(
                f"{self.doing}: {name} is not among the operations that it declares, {', '.join(self.may) or 'none'}; "
                f"write ops = {(*self.may, name)!r} in the class: kernels for GPUs hold what is declared"
            )
        if not spec.labels:
            self._labels("computed with", bools=True)
        if "rgb" in spec.needs and self.channels != 3:
            raise ValueError(f"{self.doing}: {name} works on images of 3 channels, got {self.channels}")
        count = self._count(rows)
        for param, kind in spec.found.items():
            if kind.endswith("?") and params.get(param) is None:
                params[param] = 0
            elif param in params:
                found = self._found(name, param, params[param], kind.rstrip("?"), rows)
                if found.kind != "tables" and (found.channels, found.tiles) != ((0, self.channels), (1, 1)):
                    raise ValueError(
                        f"{self.doing}: {param} of {name} must be of all {self.channels} channels and of whole images, it is of "
                        f"{found.channels[1]} from channel {found.channels[0]} on, in {found.tiles[0]} x {found.tiles[1]} tiles"
                    )
                params[param] = found.words()
        for fill in spec.fills:
            if fill in params:
                params[fill] = self._colours(name, fill, params[fill], count)
        packed = spec.pack(self.doing, count, params)
        if bool(spec.table) != (table is not None or shared is not None) or (table is not None and shared is not None):
            raise ValueError(
                f"{self.doing}: {name} "
                + (f"reads a table ({spec.table}): pass table= or shared=" if spec.table else "reads no table")
            )
        if len(layers) != spec.layers:
            raise ValueError(f"{self.doing}: {name} reads {spec.layers} layers, got {len(layers)}")
        if layers:
            self._attach(rows, name, layers)
        at, many = 0, 0
        if shared is not None:
            shared = spec.check_table(self.doing, np.asarray(shared), 0, self.channels)
            at, many, table = self._shared(shared), len(shared), None
        elif isinstance(table, Ragged):
            self._fits(name, len(table.counts), count)
            words = spec.check_table(self.doing, table.values, 0, self.channels)
            at, many, table = table.starts * int(np.prod(words.shape[1:])), table.counts, words
        elif table is not None:
            table = np.asarray(table)
            self._fits(name, len(table) if table.ndim else 0, count)
            table = spec.check_table(self.doing, table, 1, self.channels)
            at, many = np.arange(count) * (table.size // max(count, 1)), table.shape[1]
        positions = "position" in spec.needs
        rounding = _ROUNDED.get(self.dtype, -1)
        self._tell("op", rows, spec.code, packed, table, at, many, positions, rounding)
        self._note(rows, name)

    def _attach(self, rows, name: str, layers) -> None:
        for layer in layers:
            if layer.segment != self._segment:
                raise ValueError(f"{self.doing}: a layer of {name} was kept before a host stage: its memory is gone")
            if layer.size.shape != self._size[rows].shape or (layer.size != self._size[rows]).any():
                raise ValueError(
                    f"{self.doing}: a layer of {name} has other sizes or samples than the images that it is read for"
                )
        words = np.ascontiguousarray(np.stack([layer.words for layer in layers], 1))
        self._tell("attach", rows, words, len(self._log))

    def _shared(self, values: np.ndarray) -> int:
        if values.flags.writeable:
            return self.blob(values)
        if id(values) not in self._constants:
            self._constants[id(values)] = (self.blob(values), values)  # held, so that no other gets its id
        return self._constants[id(values)][0]

    def _colours(self, name: str, fill: str, values, count: int):
        """Where colours stand in the blob, one offset or ``[n]``."""
        values = np.asarray(values)
        one = values.ndim == 1
        if values.dtype != np.float32 or values.shape[-1:] != (self.channels,) or not (one or values.shape[0] == count):
            raise ValueError(
                f"{self.doing}: {fill} of {name} must be float32 [{self.channels}], or [{count}, .., {self.channels}], as "
                f"Track.colour makes them, got {values.dtype} {list(values.shape)}"
            )
        if one:
            return self.blob(values) if values.view(np.int32).any() else self._zeros
        return self.blob(values) + np.arange(count) * (values.size // max(count, 1))

    def _count(self, rows) -> int:
        return len(range(self.samples)[rows]) if isinstance(rows, slice) else len(rows)

    def _fits(self, name: str, found: int, count: int) -> None:
        if found != count:
            raise ValueError(f"{self.doing}: the table of {name} is of {found} samples, it is for {count}")

    def convert(self, dtype: str, rows) -> None:
        """Declare that values are of another type from here on (Normalize: uint8 to float32)."""
        if dtype == (self.given or self.dtype):
            return
        if len(self.index(rows)) != self.samples:
            raise ValueError(
                f"{self.doing} turns {self.given or self.dtype} {self.kind}s into {dtype} and so must apply to "
                f"every sample of a batch; set its p to 1 and do not place it in OneOf or SomeOf"
            )
        self.given = ""
        if dtype != self.dtype:
            self.dtype = dtype
            self._host.track_convert(self._handle, DTYPES[dtype][0])

    def set_channels(self, rows, count: int) -> None:
        """Make images of ``count`` channels: one channel becomes several that are alike; of several, which an operation must
        have made alike, one stays. No pixel is copied for it."""
        if count == self.channels:
            return
        if self._count(rows) != self.samples:
            raise ValueError(
                f"{self.doing} makes {self.kind}s of {count} channels of {self.channels} and so must apply to every sample of a "
                f"batch; set its p to 1 and do not place it in OneOf or SomeOf"
            )
        for n in (count,) if 1 in (count, self.channels) else (1, count):
            self._host.track_channels(self._handle, n, len(self._log))
            self.channels = n
        self._zeros = self.blob(np.zeros(count, np.float32))

    def filter(
        self, rows, kind: str, taps: np.ndarray, start, lengths, border: int = 4, scale: float | np.ndarray = 1.0, fill=0
    ) -> None:
        """Correlate with weights.

        Args:
            kind: ``"separable"`` or ``"sparse"``.
            taps: float32 ``[k]``: y weights then x weights of each row, or (dy, dx, weight) of each point.
            start: ``[n]``: where each row's taps start; rows may share them.
            lengths: ``[n, 2]``: lengths of y and x weights, odd; or ``[n, 3]``: odd height and width that hold all points, number
                of points.
            border: OpenCV's number.
            scale: factor on the sum, a number or ``[n]``.
        """
        self._labels("filtered")
        if kind not in FILTERS:
            raise ValueError(f"{self.doing}: a filter is one of {', '.join(FILTERS)}, not {kind!r}")
        self._check_border(border)
        self._tell(
            "filter",
            rows,
            FILTERS[kind],
            np.asarray(taps),
            np.asarray(start),
            np.asarray(lengths),
            border,
            scale,
            self.fill(fill, self._fill_name(), border=True) if border == 0 else 0,
            len(self._log),
        )
        self._note(rows, kind)

    def rank(self, rows, kind: str, side=None, element: np.ndarray | None = None) -> None:
        """Replace every value by the median, the least or the greatest of those around it, channel by channel.

        Args:
            kind: ``"median"``, ``"least"`` or ``"greatest"``.
            side: of the median's square, odd, 3 to 255: a number or ``[n]``. Beyond the border the nearest pixel is taken.
            element: bool ``[height, width]``: which pixels around the one at half of each side the extremes look at (see
                `gpuaug.structuring`). Beyond the border nothing counts.
        """
        if kind not in RANKS:
            raise ValueError(f"{self.doing}: rank takes {', '.join(map(repr, RANKS))}, not {kind!r}")
        if self.given == "uint32":
            raise TypeError(f"{self.doing}: uint32 {self.kind}s travel as int32, whose order is another; pass int64 or int32")
        if kind == "median":
            taps, lengths = np.zeros(0, np.int32), np.empty((len(self.index(rows)), 3), np.int64)
            lengths[:] = 0
            lengths[:, :2] = np.asarray(side).reshape(-1, 1)
            if ((lengths[:, 0] % 2 == 0) | (lengths[:, 0] < 3) | (lengths[:, 0] > 255)).any():
                raise ValueError(f"{self.doing}: the side of a median must be odd and lie in [3, 255], got {side!r}")
        else:
            taps = runs(element)
            if not len(taps):
                raise ValueError(f"{self.doing}: a structuring element must hold a pixel")
            x0, x1, y0, y1 = reach(element)
            lengths = np.array([2 * max(-y0, y1, 0) + 1, 2 * max(-x0, x1, 0) + 1, len(taps)])
        self._host.track_rank(
            self._handle, self._rows(rows), RANKS[kind], taps, 0, lengths, 1 if kind == "median" else 0, len(self._log)
        )
        self._note(rows, kind)

    def resample(self, rows, size, method: str) -> None:
        """Resize to (height, width) with weights for every output line and column; samples of that size stay as they are.

        Args:
            method: ``"area"`` or ``"lanczos"``, as ``cv2.resize``; ``"linear"`` or ``"cubic"``, antialiased, as torchvision.
        """
        if method not in RESAMPLES:
            raise ValueError(f"{self.doing}: resample takes {', '.join(map(repr, RESAMPLES))}, not {method!r}")
        self._labels("interpolated")
        height, width = size
        if min(size) < 1 or height * width * self.channels > 2**31 - 1:
            raise self._bad_size([height, width])
        done = self._host.track_resample(self._handle, self._rows(rows), RESAMPLES[method], height, width, len(self._log))
        if done:
            self._note(np.frombuffer(done, np.int32), method)

    def reduce(self, rows, name: str, tiles: tuple[int, int] = (1, 1), channels: int | None = None, width=None) -> Found:
        """Find something in the values so far (`gpuaug.reductions.REDUCTIONS`): numbers for each sample, tile and channel.

        They stay on the device: `op` and `lookup` are told where they lie.

        Args:
            tiles: how many, down and across; see `gpuaug.reductions.layout`.
            channels: the one to look at; by default all.
            width: ``[n]``: columns from there on (padding) do not count.
        """
        spec = REDUCTIONS.get(name)
        if spec is None:
            raise ValueError(f"{self.doing}: there is no reduction {name!r}; there are {', '.join(REDUCTIONS)}")
        self._labels("summed")
        if not spec.tiles and tuple(tiles) != (1, 1):
            raise ValueError(f"{self.doing}: {name} is of whole images, not of {tiles[0]} x {tiles[1]} tiles")
        if min(tiles) < 1:
            raise ValueError(f"{self.doing}: {name} of {tiles[0]} x {tiles[1]} tiles; there must be one at least each way")
        if channels is not None and not 0 <= channels < self.channels:
            raise ValueError(f"{self.doing}: there is no channel {channels} in {self.kind}s of {self.channels} channels")
        if width is not None and spec.tiles:
            raise ValueError(f"{self.doing}: {name} is of tiles and takes no width=: crop to what counts first")
        first, count = (0, self.channels) if channels is None else (channels, 1)
        tile = layout(tiles, self.size[rows])
        words = spec.words_of(count)
        at = self._tell("reduce", rows, spec.code, words, first, count, *tiles, tile, width, len(self._log))
        self._note(rows, name)
        index = self.index(rows)
        each = words * count * tiles[0] * tiles[1]
        return Found(name, index, at + each * np.arange(len(index)), (first, count), tuple(tiles), tile, self._segment)

    def lookup(self, rows, found: Found, name: str, **params) -> Found:
        """Make something of what `reduce` found in these samples (`gpuaug.reductions.LOOKUPS`): a table of 256 bytes of each
        histogram, the eigenvectors of a covariance matrix.

        Args:
            params: what the lookup takes, by name, each a number or ``[n, ..]``.
        """
        spec = LOOKUPS.get(name)
        if spec is None:
            raise ValueError(f"{self.doing}: there is no lookup {name!r}; there are {', '.join(LOOKUPS)}")
        found = self._found(name, "found", found, spec.reads, rows)
        index, (down, across) = found.rows, found.tiles
        packed = spec.pack(self.doing, len(index), params)
        count = found.channels[1]
        tables, room = (count * down * across if spec.makes == "tables" else 1), spec.room(count)
        words = REDUCTIONS[spec.reads].words_of(count)
        self._note(rows, name)
        at = self._tell("lookup", rows, spec.code, found.at, words, tables, room, packed, len(self._log))
        return Found(
            spec.makes, index, at + room * tables * np.arange(len(index)), found.channels, found.tiles, found.tile, self._segment
        )

    def _found(self, name: str, param: str, value, kind: str, rows) -> Found:
        """The part for these samples of something that must be of that kind."""
        how = f"to.reduce(rows, {kind!r})" if kind in REDUCTIONS else "to.lookup(..)"
        if not isinstance(value, Found) or value.kind != kind:
            got = f"{value.kind} that were found" if isinstance(value, Found) else repr(value)
            raise ValueError(f"{self.doing}: {param} of {name} is what {how} returned, got {got}")
        if value.segment != self._segment:
            raise ValueError(
                f"{self.doing}: {name} reads what was found before a host stage: its memory is gone; call {how} behind it"
            )
        index = self.index(rows)
        if np.array_equal(value.rows, index):
            return value
        which = np.full(self.samples, -1)
        which[value.rows] = np.arange(len(value.rows))
        if (which[index] < 0).any():
            lost = int(index[np.argmax(which[index] < 0)])
            raise ValueError(f"{self.doing}: {name} reads what was found in other samples, not in {lost}; call {how} for it, too")
        return value.part(which[index])

    def _check_border(self, border) -> None:
        if border not in BORDERS:
            raise ValueError(f"{self.doing}: border {border!r} is none of OpenCV's numbers {', '.join(str(k) for k in BORDERS)}")

    def _tell(self, verb: str, rows, *args):
        """Call the library; what it refuses is said of the transform."""
        try:
            return getattr(self._host, f"track_{verb}")(self._handle, self._rows(rows), *args)
        except (ValueError, TypeError) as error:
            if not self.doing:
                raise
            raise type(error)(f"{self.doing}: {verb}: {error}") from None

    def close(self, rows) -> None:
        """Close the open stages of ``rows`` that are more than a view."""
        self._host.track_close(self._handle, self._rows(rows), len(self._log))

    # ---- the end ---------------------------------------------------------------------

    def finish(self, address, stride, dtype: str) -> Plan:
        """Write every sample to its place; returns the plan. The track is used up.

        Args:
            address: int64 ``[B]``, stride: int64 ``[B, 3]`` (y, x, channel, in elements): the output.
            dtype: its element type.
        """
        size = self._host.track_finish(self._handle, address, stride, DTYPES[dtype][0], len(self._log))
        memory = np.empty(size, np.uint8)  # of everything that the plan holds
        self._host.track_export(self._handle, memory)
        self._host.track_free(self._handle)
        self._handle = None

        def part(at, count, kind):
            return np.frombuffer(memory, kind, count, at)

        (head,) = part(0, 1, HEAD)
        records, blob, launches = part(HEAD.itemsize, head["launches"], RECORD), None, []
        base, blob_size = int(head["base"]), int(head["blob"])
        for rows, sample, ops, values, kind, n, channels, source, target, n_ops in records.tolist():
            blob = part(values - base, blob_size, np.float32) if blob is None else blob
            name, row = _KINDS[kind]
            launches.append(
                Launch(
                    name,
                    part(rows - base, n, row),
                    part(sample - base, n, np.int32),
                    channels,
                    _NAMES[source],
                    _NAMES[target],
                    part(ops - base, n_ops, OP) if n_ops else None,
                    blob,
                )
            )
        return Plan(
            self.samples,
            launches,
            records,
            int(head["scratch"]),
            np.empty(head["found"], np.float32) if head["found"] else None,
            self._batch,
            self._log,
            part(head["events_at"], 4 * head["events"], np.int32).reshape(-1, 4),
            self.ops,
        )

    def _note(self, rows, what: str) -> None:
        self._log.append((rows, self.doing, what))

    def _bad_size(self, size) -> ValueError:
        if min(size) < 1:
            return ValueError(f"{self.doing}: a result of height and width {size} has no pixels, or the size is no number")
        return ValueError(
            f"{self.doing}: a result of height and width {size} with {self.channels} channels has more than "
            f"2^31 - 1 elements; make it smaller"
        )

    def no_labels(self, what: str) -> None:
        """Raise for types whose values may be moved and replaced only, in the words of an operation that needs numbers."""
        self._labels(what, bools=True)

    def _labels(self, what: str, *, bools: bool = False) -> None:
        """int32 travels as bits: it may be moved and replaced, arithmetic on it would be nonsense. bools: on bool, too."""
        if self.dtype == "int32" or (bools and self.given == "bool"):
            raise TypeError(
                f"{self.doing}: {self.kind}s of type {self.given or self.dtype} hold labels, which can be moved and "
                f"replaced but not {what}; "
                + (
                    "use mask_interpolation=0 or 6 (nearest)"
                    if what == "interpolated" and self.kind == "mask"
                    else "use uint8, float16 or float32"
                )
            )

    def _fill_name(self) -> str:
        return "fill" if self.kind == "image" else "fill_mask"

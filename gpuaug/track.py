"""Tracks: one target of a batch on its way through the transforms, and the verbs by which these say what to do with it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from . import maps
from .batch import DTYPES
from .ops import OPS, unknown
from .plan import FILTERS, ORIENTATIONS, RANKS, RESAMPLES, SAMPLES
from .ragged import Ragged
from .reductions import LOOKUPS, REDUCTIONS, Found, layout
from .stages import Stages
from .structuring import reach, runs

_ROUNDED = {"float16": 1, "bfloat16": 0}  # RoundOp.half
LAYER_WORDS = 8


class Layer(NamedTuple):
    """Images of some samples at some step, as `Track.keep` returns them: words ``[n, LAYER_WORDS]`` of kernels/rows.cuh, sizes,
    and the segment of the plan in which they lie."""

    words: np.ndarray
    size: np.ndarray
    segment: int


class Track(Stages):
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
            interpolation: OpenCV's number (`gpuaug.checks.INTERPOLATIONS`).
            border: OpenCV's number; with 0 (constant) outside pixels are ``fill``.
        """
        n, size = self._count(rows), np.asarray(size)
        try:
            kind, sample = map.lowered(interpolation)
            if map.n != n:
                raise ValueError(f"a map of {map.n} samples for {n} rows")
            if size.shape not in ((2,), (n, 2)):
                raise ValueError(f"sizes are int [2] or [{n}, 2] (height, width), not {list(size.shape)}")
            map.check(kind, size)
        except ValueError as error:
            raise ValueError(f"{self.doing}: gather: {error}") from None
        self._check_border(border)
        if sample != "nearest":
            self._labels("interpolated")
        numbers = map.factors if map.numbers is None else map.numbers
        fill = self.fill(fill, self._fill_name(), border=True) if border == 0 else 0
        kinds = (maps.KINDS[kind], numbers, map.forward, map.table, map.start, map.cells)
        how = (size, SAMPLES[sample], border, fill, len(self._log))
        told = self._host.track_gather(self._handle, self._rows(rows), *kinds, *how)
        if not told:
            self._log.append((rows, self.doing, sample))
            return
        done = np.frombuffer(told, np.int32)
        wrong = int(done[0])
        if wrong > 0:
            raise self._bad_size(np.broadcast_to(size, (n, 2))[wrong - 1].tolist())
        if wrong < 0:
            raise ValueError(
                f"{self.doing}: the map of sample {int(self.index(rows)[-wrong - 1])} cannot be inverted, or leads "
                f"farther than 1e28 pixels away; check scale and translation"
            )
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
        spec = OPS.get(name)
        if spec is None or spec.internal:
            raise unknown(name, self.doing or "Track.op")
        if self.may is not None and name not in self.may:
            raise ValueError(
                f"{self.doing}: {name} is not among the operations that it declares, {', '.join(self.may) or 'none'}; "
                f"write ops = {(*self.may, name)!r} in the class: kernels for GPUs hold what is declared"
            )
        if not spec.labels:
            self._labels("computed with", bools=True)
        if "rgb" in spec.needs and self.channels != 3:
            raise ValueError(f"{self.doing}: {name} works on images of 3 channels, got {self.channels}")
        if spec.found:
            self._read_found(spec, params, rows)
        if len(layers) != spec.layers:
            raise ValueError(f"{self.doing}: {name} reads {spec.layers} layers, got {len(layers)}")
        if layers:
            self._attach(rows, name, layers)
        at, many, constant, lead = 0, 0, None, 1
        if not spec.table:
            if table is not None or shared is not None:
                raise ValueError(f"{self.doing}: {name} reads no table")
        elif (table is None) == (shared is None):
            raise ValueError(f"{self.doing}: {name} reads a table ({spec.table}): pass table= or shared=")
        elif shared is not None:
            table, lead = np.asarray(shared), 0
            constant = table
            if id(constant) in self._constants:
                (at, _), many, table = self._constants[id(constant)], len(constant), None
        elif isinstance(table, Ragged):
            at, many, table, lead = table.starts, table.counts, table.values, 0
            if len(many) != self._count(rows):
                raise ValueError(f"{self.doing}: the table of {name} is of {len(many)} samples, it is for {self._count(rows)}")
        place, rounding = "position" in spec.needs, _ROUNDED.get(self.dtype, -1)

        def call(told, params, table):
            how = (constant is not None, place, rounding, self._zeros)
            return self._host.track_op(self._handle, told, spec.code, *spec.told, params, spec.axes, table, at, many, *how)

        done = self._with_params(rows, spec, call, params, table, lead)
        if constant is not None and table is constant and not constant.flags.writeable:
            self._constants[id(constant)] = (done, constant)  # held, so that no other gets its id
        self._log.append((rows, self.doing, name))

    def _read_found(self, spec, params: dict, rows) -> None:
        """Put the words that an operation is told in place of what was found."""
        for param, kind in spec.found.items():
            if kind.endswith("?") and params.get(param) is None:
                params[param] = 0
            elif param in params:
                found = self._found(spec.name, param, params[param], kind.rstrip("?"), rows)
                if found.kind != "tables" and (found.channels, found.tiles) != ((0, self.channels), (1, 1)):
                    (first, count), (down, across) = found.channels, found.tiles
                    raise ValueError(
                        f"{self.doing}: {param} of {spec.name} must be of all {self.channels} channels and of whole images, "
                        f"it is of {count} from channel {first} on, in {down} x {across} tiles"
                    )
                params[param] = found.words()

    def _with_params(self, rows, spec, call, params: dict, table=None, lead: int = 0) -> int:
        """What a call of the library returns that takes parameters and a table; what it refuses is said of the transform."""
        told = self._rows(rows)
        try:
            done = call(told, params, table)
            if done < 0:  # perhaps a list, or of a type that the library does not read
                params, table = spec.plain(params, table)
                done = call(told, params, table)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{self.doing}: {spec.name}: {error}") from None
        if done < 0:
            spec.refuse(self.doing, -done, self._count(rows), self.channels, params, table, lead)
        return done

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

    def resample(self, rows, size, method: str, factors=0.0) -> None:
        """Resize with weights for every output line and column; samples that have the size stay as they are.

        Args:
            size: ``[2]`` or ``[n, 2]``, output height and width.
            method: ``"area"``, ``"lanczos"``, ``"keys"`` (cubic) or ``"exact"`` (linear, of bytes), as ``cv2.resize``;
                ``"linear"``, ``"cubic"``, antialiased, as torchvision.
            factors: ``[n, 2]`` (x, y): by how much sides grow, where that is not what the sizes say (``cv2.resize``'s fx, fy).
        """
        if method not in RESAMPLES:
            raise ValueError(f"{self.doing}: resample takes {', '.join(map(repr, RESAMPLES))}, not {method!r}")
        self._labels("interpolated")
        size = np.asarray(size)
        found = self._host.track_resample(self._handle, self._rows(rows), RESAMPLES[method], size, factors, len(self._log))
        done = np.frombuffer(found, np.int32)
        if done[0]:
            raise self._bad_size(size.reshape(-1, 2)[(done[0] - 1) % size.reshape(-1, 2).shape[0]].tolist())
        if len(done) > 1:
            self._note(done[1:], method)

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
        index, count = found.rows, found.channels[1]
        tables, room = (count * found.tiles[0] * found.tiles[1] if spec.makes == "tables" else 1), spec.room(count)
        words = REDUCTIONS[spec.reads].words_of(count)
        self._note(rows, name)
        at = self._with_params(
            rows,
            spec,
            lambda told, params, _: self._host.track_lookup(
                self._handle, told, spec.code, found.at, words, tables, room, *spec.told, params, len(self._log)
            ),
            params,
        )
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

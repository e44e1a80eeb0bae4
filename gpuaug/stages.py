"""The stages of a batch on its way through the transforms: where every sample is, and what becomes of it in the end.

Each sample is on its own way: it has one open *stage*, a view of where it lies (address, signed strides), at most one gather,
and a list of pixel operations. What cannot join the open stage (a second gather, a filter) closes it: the stage becomes a row
of a `fused` launch, and the sample's next stage reads what that wrote. Launches of one kind whose samples do not wait for
each other become one. kernels/host/track.hpp does it; this module and `gpuaug.track`, which has the verbs, check what it is
told and name it.
"""

from __future__ import annotations

import numpy as np

from . import generated, library
from .batch import DTYPES, Batch
from .checks import BORDERS
from .elements import RANGES, WIDE
from .others import WHOLE
from .plan import Plan

ALL = slice(None)


class Stages:
    """What a `gpuaug.track.Track` is made of; its attributes are told there."""

    def __init__(self, batch: Batch, kind: str = "image"):
        self.samples = len(batch)
        self.kind, self.dtype, self.channels, self.device = kind, batch.dtype, batch.channels, batch.device
        self.given = batch.given
        self.doing = ""  # name of the transform that is being lowered
        self.may: tuple[str, ...] | None = None  # the operations that it has declared; None: any
        self.ops: int | None = None  # those of the whole pipeline, `gpuaug.ops.mask`; None: not known
        self.layout = ""  # ToTensorV2: deliver tensors of this layout
        self.planes = False  # ToTensor: masks of one channel have an axis for it, too
        self.flat: bool | None = (
            None  # have images of one channel no axis for it, where a caller's function decided? None: as they came
        )
        self.segments: list[Plan | str] = []  # what was executed already, for `Compose.explain`
        self.others: dict[str, Batch] = {WHOLE: batch}  # this target of other samples, by the name under which they came
        self._size = np.empty((self.samples, 2), np.int32)  # the library writes into it
        self._host = library.load()
        generated.agree()
        self._read(batch)

    def _read(self, batch: Batch) -> None:
        """Start with an empty plan that reads a batch."""
        self.batch = batch
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
        self.channels, self.dtype, self.given = batch.channels, batch.dtype, batch.given
        self.__del__()
        self._read(batch)

    def untouched(self) -> Batch | None:
        """The batch that the open stages read, if nothing was done to it yet."""
        batch = self.batch
        same = (batch.channels, batch.dtype) == (self.channels, self.dtype)
        return batch if same and not self._log and batch.parts is None else None

    def __del__(self):
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            self._host.track_free(handle)

    @property
    def size(self) -> np.ndarray:
        return self._size

    @property
    def planned(self) -> bool:
        """Whether anything is still to be done to ``batch``."""
        return bool(self._log)

    @property
    def is_u8(self) -> bool:
        return self.dtype == "uint8"

    @property
    def is_wide(self) -> bool:
        """Are they uint16 images, which travel as fractions of 65535?"""
        return self.given == "uint16" and self.dtype == "float32"

    def index(self, rows) -> np.ndarray:
        """``rows`` (a slice or indices) as indices."""
        return np.arange(self.samples)[rows] if isinstance(rows, slice) else rows

    # int64 [B, 2]: the images' sizes at this step, which masks then need not have; None: they have them
    frame: np.ndarray | None = None

    def sizes(self, rows) -> np.ndarray:
        """int32 ``[n, 2]``, heights and widths of ``rows`` now."""
        # an index of rows costs four times as much as `take`
        return self._size[rows].copy() if isinstance(rows, slice) else self._size.take(rows, 0)

    def _rows(self, rows):
        """What the library takes: a slice for all samples, or an array."""
        if isinstance(rows, slice):
            return rows if rows == ALL else self.index(rows)
        return rows if isinstance(rows, np.ndarray) else np.asarray(rows, np.int64 if len(rows) == 0 else None)

    def _count(self, rows) -> int:
        return len(rows) if not isinstance(rows, slice) else self.samples if rows == ALL else len(self.index(rows))

    # ---- data that launches refer to ---------------------------------------------------------

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
        if self.is_wide:
            return (whole / WIDE).astype(np.float32)
        return whole.astype(np.int64).astype(np.uint32).view(np.float32)  # two's complement: the bits of int32, too

    def fill(self, fill, name: str = "", *, border: bool = False) -> int:
        """The offset of a fill in the blob; see `colour`."""
        if isinstance(fill, (int, float)) and fill == 0:
            return self._zeros
        return self.blob(self.colour(fill, name, border=border))

    # ---- what holds for all samples ----------------------------------------------------------

    def convert(self, dtype: str, rows) -> None:
        """Declare that values are of another type from here on (Normalize: uint8 to float32)."""
        if dtype == (self.given or self.dtype):
            return
        if self._count(rows) != self.samples:
            raise ValueError(
                f"{self.doing} turns {self.given or self.dtype} {self.kind}s into {dtype} and so must apply to "
                f"every sample of a batch; set its p to 1 and do not place it in OneOf or SomeOf"
            )
        self.given = ""
        if dtype != self.dtype:
            self.dtype = dtype
            self._host.track_convert(self._handle, DTYPES[dtype][0])

    def widen(self, rows) -> None:
        """Declare that fractions are uint16 from here on, which they become at the end."""
        if self._count(rows) != self.samples:
            raise ValueError(
                f"{self.doing} turns {self.given or self.dtype} {self.kind}s into uint16 and so must apply to every sample of a "
                f"batch; set its p to 1 and do not place it in OneOf or SomeOf"
            )
        self.convert("float32", rows)
        self.given = "uint16"

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

    # ---- calls of the library, and what is wrong ---------------------------------------------

    def _tell(self, verb: str, rows, *args):
        """Call the library; what it refuses is said of the transform."""
        try:
            return getattr(self._host, f"track_{verb}")(self._handle, self._rows(rows), *args)
        except (ValueError, TypeError) as error:
            if not self.doing:
                raise
            raise type(error)(f"{self.doing}: {verb}: {error}") from None

    def _note(self, rows, what: str) -> None:
        self._log.append((rows, self.doing, what))

    def _check_border(self, border) -> None:
        if border not in BORDERS:
            raise ValueError(f"{self.doing}: border {border!r} is none of OpenCV's numbers {', '.join(str(k) for k in BORDERS)}")

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

    # ---- the end -----------------------------------------------------------------------------

    def close(self, rows) -> None:
        """Close the open stages of ``rows`` that are more than a view."""
        self._host.track_close(self._handle, self._rows(rows), len(self._log))

    def finish(self, address, stride, dtype: str) -> Plan:
        """Write every sample to its place; returns the plan. The track is used up.

        Args:
            address: int64 ``[B]``, stride: int64 ``[B, 3]``, or ``[3]`` for all (y, x, channel, in elements): the output.
            dtype: its element type.
        """
        size = self._host.track_finish(self._handle, address, stride, DTYPES[dtype][0], len(self._log))
        memory = np.empty(size, np.uint8)  # of everything that the plan holds
        handle, self._handle = self._handle, None
        self._host.track_export(handle, memory)
        plan = Plan(self.samples, memory, self.batch.owner, self._log, self.ops)
        if self.batch.parts is not None:
            self.batch.parts[2].check(plan, self.batch)
        return plan

"""Plans: which launch does what to which sample. `gpuaug.track` makes them, `gpuaug.backends` run them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .batch import DTYPES

ROW = np.dtype([("src", "i8"), ("dst", "i8"), ("sh", "i4"), ("sw", "i4"), ("sy", "i4"), ("sx", "i4"), ("sc", "i4"), ("dh", "i4"),
                ("dw", "i4"), ("dy", "i4"), ("dx", "i4"), ("dc", "i4"), ("frame", "i4", 6), ("m", "f4", 9), ("gather", "i4"),
                ("border", "i4"), ("fill", "i4"), ("ops", "i4"), ("n_ops", "i4"), ("stat", "i4"), ("positions", "i4"),
                ("scale", "f8", 2)])
OP = np.dtype([("code", "i4"), ("arg", "i4"), ("n", "i4"), ("flag", "i4"), ("p", "f4", 12)])
FILTER_ROW = np.dtype([("src", "i8"), ("dst", "i8"), ("h", "i4"), ("w", "i4"), ("sy", "i4"), ("sx", "i4"), ("sc", "i4"),
                       ("dy", "i4"), ("dx", "i4"), ("dc", "i4"), ("border", "i4"), ("fill", "i4"), ("kind", "i4"), ("kh", "i4"),
                       ("kw", "i4"), ("n", "i4"), ("taps", "i4"), ("scale", "f4"), ("pad", "i4", 4)])

# kernels/rows.cuh and kernels/pixel.cuh, in their order
GATHERS = {"none": 0, "nearest": 1, "linear": 2, "cubic": 3, "resize_nearest": 4, "time_warp": 5}
OPCODES = {name: i for i, name in enumerate(
    ["none", "move", "round", "linear_u8", "linear", "normalize", "hsv_u8", "hsv", "gauss", "rects",
     "pixels", "channels", "bitmap", "standardize"])}
MOVES_LABELS = {"none", "move", "rects", "pixels", "channels", "bitmap"}  # operations that select, and compute nothing
STATS = 5  # numbers without NaNs, sum, minimum, maximum, squared deviations: of each channel
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
    log: list = field(default_factory=list)  # (rows, who, what) and (rows, launch, None), in order
    _placed: bool = False

    @cached_property
    def _scratch(self) -> tuple[list, int]:
        """For each launch the offsets of its outputs in scratch memory (256-byte aligned; -1: none); and the total."""
        at, offsets = 0, []
        for launch in self.launches:
            if launch.kind == "statistics":
                offsets.append(None)
                continue
            written = launch.rows["dst"] == 0
            if not np.count_nonzero(written):
                offsets.append(None)
                continue
            need = (launch.out_bytes() + (64 + 255)) & -256  # 64: a word-wise load may look past the last pixel
            need *= written
            end = np.cumsum(need)
            offsets.append(np.where(written, at + end - need, -1))
            at += int(end[-1])
        return offsets, at

    @property
    def scratch_bytes(self) -> int:
        """Bytes of scratch memory that `place` hands out."""
        return self._scratch[1]

    def place(self, base: int) -> None:
        """Give every intermediate image (source or destination 0) an address in scratch memory at ``base``."""
        if self._placed:
            raise RuntimeError("a plan is placed and executed once: its rows hold the addresses of the first run")
        self._placed = True
        last = np.zeros(self.samples, np.int64)
        for launch, offset in zip(self.launches, self._scratch[0]):
            rows = launch.rows
            unknown = np.flatnonzero(rows["src"] == 0)
            if len(unknown):
                rows["src"][unknown] = last[launch.sample[unknown]]
            if offset is not None:
                written = np.flatnonzero(offset >= 0)
                rows["dst"][written] = last[launch.sample[written]] = base + offset[written]

    def _notes(self) -> dict[int, list[str]]:
        """What each launch does, told from the log: a launch does what was noted of its samples since their last one."""
        waiting: list[list[str]] = [[] for _ in range(self.samples)]
        told: dict[int, list[str]] = {}
        for rows, who, what in self.log:
            index = range(self.samples)[rows] if isinstance(rows, slice) else rows
            if isinstance(who, Launch):
                here = told.setdefault(id(who), [])
                for i in index:
                    here += [note for note in waiting[i] if note not in here]
                    waiting[i] = []
            else:
                for i in index:
                    waiting[i].append(f"{who} ({what})" if who and who != what else what)
        return told

    def explain(self) -> str:
        """The launches in words, one line each."""
        lines, notes = [], self._notes()
        for i, launch in enumerate(self.launches, 1):
            share = "all" if len(launch.rows) == self.samples else f"{len(launch.rows)} of {self.samples}"
            told = ", ".join(notes.get(id(launch), [])) or "copy"
            lines.append(f"{i}. {launch.kind} on {share} samples: {told} [{launch.source} -> {launch.target}]")
        return "\n".join(lines) or "nothing to do"

"""Plans: which launch does what to which sample. `gpuaug.track` makes them, `gpuaug.backends` run them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import library
from .batch import DTYPES

# kernels/rows.cuh, in its order. Where a sample is read and written stands first in the rows of every kind.
_ENDS = [("src", "i8"), ("dst", "i8")] + [(name, "i4") for name in "sh sw sy sx sc dh dw dy dx dc".split()]
ROW = np.dtype(
    [
        *_ENDS,
        ("frame", "i4", 6),
        ("m", "f4", 9),
        *[(name, "i4") for name in "map sample border fill table".split()],
        ("cells", "i4", 2),
        *[(name, "i4") for name in "ops n_ops positions layers n_layers plain past pad".split()],
        ("scale", "f8", 2),
    ]
)
OP = np.dtype([("code", "i4"), ("at", "i4"), ("n", "i4"), ("layer", "i4"), ("p", "u4", 12)])
_REDUCE = "reduction at words first count down across height width pad"
REDUCE_ROW = np.dtype([*_ENDS, *[(name, "i4") for name in _REDUCE.split()]])
LOOKUP_ROW = np.dtype([*_ENDS, *[(name, "i4") for name in "lookup from words at tables".split()], ("p", "u4", 5)])
FILTER_ROW = np.dtype(
    [*_ENDS, *[(name, "i4") for name in "border fill kind kh kw n taps".split()], ("scale", "f4"), ("even", "i4"), ("pad", "i4")]
)
RANK_ROW = np.dtype([*_ENDS, *[(name, "i4") for name in "border kind kh kw runs at".split()], ("pad", "i4", 2)])
RESAMPLE_ROW = np.dtype([*_ENDS, *[(name, "i4") for name in "columns lines across down up past".split()]])

# kernels/launch.hpp: a launch as the library takes it, int64 each; the first four are addresses
RECORD = np.dtype([(name, "i8") for name in "rows sample ops blob kind n channels source target n_ops".split()])
# kinds of launches in their order, and their rows
_ROWS = {"filter": FILTER_ROW, "reduce": REDUCE_ROW, "lookup": LOOKUP_ROW, "rank": RANK_ROW, "resample": RESAMPLE_ROW}
KINDS = {"fused": ROW, **_ROWS}
_KINDS, _NAMES = list(KINDS.items()), list(DTYPES)
# kernels/host/track.cpp: what stands at the start of an exported plan
HEAD = np.dtype([(name, "i8") for name in "launches events events_at blob found scratch base".split()])

# kernels/rows.cuh: what a gather makes of the pixels around a place
FILTERS = {"separable": 0, "sparse": 1}
SAMPLES = {"nearest": 0, "linear": 1, "cubic": 2, "line": 3, "lanczos": 4}
RESAMPLES = {"area": 0, "lanczos": 1, "linear": 2, "cubic": 3, "keys": 4, "exact": 5}  # linear and cubic are antialiased
RANKS = {"median": 0, "least": 1, "greatest": 2}
# flips, transposes and quarter turns: new pixel (x, y) -> old pixel (a x + b y + .., c x + d y + ..)
ORIENTATIONS = {
    "identity": (1, 0, 0, 1),
    "hflip": (-1, 0, 0, 1),
    "vflip": (1, 0, 0, -1),
    "rot180": (-1, 0, 0, -1),
    "transpose": (0, 1, 1, 0),
    "rot90": (0, -1, 1, 0),
    "rot270": (0, 1, -1, 0),
    "anti_transpose": (0, -1, -1, 0),
}


@dataclass
class Launch:
    """One launch: ``rows[i]`` is sample ``sample[i]`` of the batch. offsets: of rows, ops and blob in the plan's memory."""

    kind: str
    rows: np.ndarray
    sample: np.ndarray
    channels: int
    source: str
    target: str
    ops: np.ndarray | None
    blob: np.ndarray
    offsets: tuple[int, int, int]


class Plan:
    """Launches in order, for the samples of one batch.

    Attributes:
        samples: how many.
        memory: bytes, all that the library or a GPU needs to know of it; rows and what they point to lie at multiples of 64.
        count: of launches. at: the address of the first of their `RECORD`s, which the library takes.
        scratch_bytes: of scratch memory, which `place` hands out.
        found: float32, room for what reduce and lookup launches write, or None.
        owner: what keeps the batch's memory alive.
        log: (rows, who, what), in order.
        ops: the operations that the pipeline can emit, a bit for each code; None: those of the launches.
    """

    def __init__(self, samples: int, memory: np.ndarray, owner: object, log: list, ops: int | None = None):
        """memory: as the library exports a plan: `HEAD`, the records, and what these point to."""
        self.samples, self.owner, self.log, self.ops = samples, owner, log, ops
        self.memory, self._placed = memory, False
        head = memory[: HEAD.itemsize].view(np.int64).tolist()
        self.count, self._events, self._events_at, self._blob, found, self.scratch_bytes, self._base = head
        self.at = self._base + HEAD.itemsize
        self.found = np.empty(found, np.float32) if found else None

    def _part(self, at: int, count: int, kind) -> np.ndarray:
        return np.frombuffer(self.memory, kind, count, at)

    @cached_property
    def records(self) -> np.ndarray:
        return self._part(HEAD.itemsize, self.count, RECORD)

    @cached_property
    def events(self) -> np.ndarray:
        """int32 [n, 4]: launch, first row, how many: what it got after so many entries of the log."""
        return self._part(self._events_at, 4 * self._events, np.int32).reshape(-1, 4)

    @cached_property
    def launches(self) -> list[Launch]:
        """What the library is not asked for: a CPU runs the records."""
        out, blob, base = [], None, self._base
        for rows, sample, ops, values, kind, n, channels, source, target, n_ops in self.records.tolist():
            blob = self._part(values - base, self._blob, np.float32) if blob is None else blob
            (name, row), at = _KINDS[kind], (rows - base, ops - base, values - base)
            ops = self._part(at[1], n_ops, OP) if n_ops else None
            rows, sample = self._part(at[0], n, row), self._part(sample - base, n, np.int32)
            out.append(Launch(name, rows, sample, channels, _NAMES[source], _NAMES[target], ops, blob, at))
        return out

    def place(self, base: int) -> None:
        """Give every intermediate image (source or destination 0) an address in scratch memory at ``base``."""
        if self._placed:
            raise RuntimeError("a plan is placed and executed once: its rows hold the addresses of the first run")
        self._placed = True
        library.load().place(self.at, self.count, self.samples, base)

    def _notes(self) -> list[list[str]]:
        """What each launch does, told from the log: what was noted of its samples since their last one, in the log's order, and
        of how many samples, where it is not all of the launch's."""
        waiting: list[list[int]] = [[] for _ in range(self.samples)]
        told: list[dict[int, list[int]]] = [{} for _ in self.launches]  # entry of the log: samples
        read = 0
        for launch, first, count, notes in self.events.tolist():
            for entry in range(read, notes):
                rows = self.log[entry][0]
                for i in range(self.samples)[rows] if isinstance(rows, slice) else rows:
                    waiting[i].append(entry)
            read = notes
            for i in self.launches[launch].sample[first : first + count]:
                for entry in waiting[i]:
                    told[launch].setdefault(entry, []).append(int(i))
                waiting[i] = []
        out = []
        for launch, entries in zip(self.launches, told):
            notes: dict[str, set] = {}
            for entry in sorted(entries):
                _, who, what = self.log[entry]
                notes.setdefault(f"{who} ({what})" if who and who != what else what, set()).update(entries[entry])
            n = len(launch.rows)
            out.append([note if len(of) == n else f"{note} on {len(of)}" for note, of in notes.items()])
        return out

    def explain(self, first: int = 1) -> str:
        """The launches in words, one line each, numbered from ``first``."""
        lines, notes = [], self._notes()
        for i, launch in enumerate(self.launches):
            share = "all" if len(launch.rows) == self.samples else f"{len(launch.rows)} of {self.samples}"
            told = ", ".join(notes[i]) or "copy"
            lines.append(f"{first + i}. {launch.kind} on {share} samples: {told} [{launch.source} -> {launch.target}]")
        return "\n".join(lines)


def explained(segments: list[Plan | str]) -> str:
    """Plans, and what was done between them, in words, one line each."""
    lines: list[str] = []
    for segment in segments:
        text = segment.explain(len(lines) + 1) if isinstance(segment, Plan) else f"{len(lines) + 1}. {segment}"
        lines += text.splitlines()
    return "\n".join(lines) or "nothing to do"

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
        *[(name, "i4") for name in "ops n_ops positions layers n_layers pad".split()],
        ("scale", "f8", 2),
    ]
)
OP = np.dtype([("code", "i4"), ("at", "i4"), ("n", "i4"), ("layer", "i4"), ("p", "u4", 12)])
_REDUCE = "reduction at words first count down across height width pad"
REDUCE_ROW = np.dtype([*_ENDS, *[(name, "i4") for name in _REDUCE.split()]])
LOOKUP_ROW = np.dtype([*_ENDS, *[(name, "i4") for name in "lookup from words at tables".split()], ("p", "u4", 5)])
FILTER_ROW = np.dtype([*_ENDS, *[(name, "i4") for name in "border fill kind kh kw n taps".split()], ("scale", "f4")])
RANK_ROW = np.dtype([*_ENDS, *[(name, "i4") for name in "border kind kh kw runs at".split()], ("pad", "i4", 2)])
RESAMPLE_ROW = np.dtype([*_ENDS, *[(name, "i4") for name in "columns lines across down up pad".split()]])

# kernels/launch.hpp: a launch as the library takes it, int64 each; the first four are addresses
RECORD = np.dtype([(name, "i8") for name in "rows sample ops blob kind n channels source target n_ops".split()])
# kinds of launches in their order, and their rows
_ROWS = {"filter": FILTER_ROW, "reduce": REDUCE_ROW, "lookup": LOOKUP_ROW, "rank": RANK_ROW, "resample": RESAMPLE_ROW}
KINDS = {"fused": ROW, **_ROWS}
_KIND_LIST, _NAMES = list(KINDS.items()), list(DTYPES)
# kernels/host/track.cpp: what stands at the start of an exported plan
HEAD = np.dtype([(name, "i8") for name in "launches events events_at blob found scratch base".split()])

# kernels/rows.cuh: what a gather makes of the pixels around a place
FILTERS = {"separable": 0, "sparse": 1}
SAMPLES = {"nearest": 0, "linear": 1, "cubic": 2, "line": 3}
RESAMPLES = {"area": 0, "lanczos": 1, "linear": 2, "cubic": 3}  # the last two are antialiased
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
    """One launch: ``rows[i]`` is sample ``sample[i]`` of the batch."""

    kind: str
    rows: np.ndarray
    sample: np.ndarray
    channels: int
    source: str
    target: str
    ops: np.ndarray | None = None
    blob: np.ndarray | None = None


class Plan:
    """Launches in order, for the samples of one batch.

    Attributes:
        samples: how many.
        memory: uint8: the plan as the library wrote it (kernels/host/track.cpp). What it holds is made into arrays when somebody
            looks at it: the CPU's kernels do not.
        scratch_bytes: of scratch memory, which `place` hands out.
        found: float32: room for what reduce and lookup launches write, or None.
        owner: what keeps the batch's memory alive.
        log: (rows, who, what), in order.
        ops: the operations that the pipeline can emit, a bit for each code; None: those of the launches.
    """

    def __init__(self, samples: int, memory: np.ndarray, owner: object, log: list, ops: int | None = None):
        self.samples, self.memory, self.owner, self.log, self.ops = samples, memory, owner, log, ops
        self._head = words = dict(zip(HEAD.names, memory[: HEAD.itemsize].view(np.int64).tolist()))
        self._placed = False
        self.scratch_bytes, self.count = words["scratch"], words["launches"]
        self.found = np.empty(words["found"], np.float32) if words["found"] else None

    def _part(self, at: int, count: int, kind) -> np.ndarray:
        return np.frombuffer(self.memory, kind, count, at)

    @property
    def address(self) -> int:
        """Of the launches' records, as the compiled library takes them; there are ``count``."""
        return self._head["base"] + HEAD.itemsize

    @cached_property
    def records(self) -> np.ndarray:
        """`RECORD`: the launches as the compiled library takes them."""
        return self._part(HEAD.itemsize, self.count, RECORD)

    @cached_property
    def events(self) -> np.ndarray:
        """int32 ``[n, 4]``: launch, first row, how many: what it got after so many entries of the log."""
        return self._part(self._head["events_at"], 4 * self._head["events"], np.int32).reshape(-1, 4)

    @cached_property
    def launches(self) -> list[Launch]:
        base, blob, out = self._head["base"], None, []
        for rows, sample, ops, values, kind, n, channels, source, target, n_ops in self.records.tolist():
            blob = self._part(values - base, self._head["blob"], np.float32) if blob is None else blob
            name, row = _KIND_LIST[kind]
            out.append(
                Launch(
                    name,
                    self._part(rows - base, n, row),
                    self._part(sample - base, n, np.int32),
                    channels,
                    _NAMES[source],
                    _NAMES[target],
                    self._part(ops - base, n_ops, OP) if n_ops else None,
                    blob,
                )
            )
        return out

    def place(self, base: int) -> None:
        """Give every intermediate image (source or destination 0) an address in scratch memory at ``base``."""
        if self._placed:
            raise RuntimeError("a plan is placed and executed once: its rows hold the addresses of the first run")
        self._placed = True
        library.load().place(self.records, self.samples, base)

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

"""Plans as CUDA graphs: their launches are captured once and replayed with other parameters.

A graph has *slots*, launches in an order that stays: a kernel, and the most that its grid has room for (`shapes.Shape`). The
parameters of a plan are laid out for the slots and go to the graph's memory by one upload; slots that the plan has no use for,
and room that is left over, hold rows of zeros, at which blocks leave. Rows hold the addresses of samples and of results, so
neither is copied for the graph's sake, and what it wrote stays the caller's. A plan that asks for more than there is (another
kernel, another order, a larger grid) grows the slots: it is launched once as it is, and the graph is captured anew behind it.
Where launches come in ever other orders, slots would grow on and on, most of them for nothing: beyond some, such plans are
launched by themselves.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from .shapes import Part, Shape, parts_of, queue

# Slots for each launch of the longest plan, at most: one with nothing to do takes 1 to 2 us, a launch by itself takes the host 5
MOST = 3
ALIGN = 64  # bytes, of what rows point to and of themselves, as in a plan's own memory


class _Use(NamedTuple):
    """A part of a plan, and where its launch's operations begin among all of the plan."""

    part: Part
    ops: int


class Graph:
    """A sequence of launches that is replayed; one for each plan that a call of a pipeline executes.

    Attributes:
        slots: the `Shape`s that it has room for.
        plans, captures, alone: how many plans it ran, how often it was captured, and how many plans were launched by themselves.
    """

    def __init__(self):
        self.slots: list[Shape] = []
        self.plans = self.captures = self.alone = 0
        # launches of the longest plan so far, and as they were when there was no room for another order
        self._longest = self._full = 0
        self._room = {"ops": 0, "blob": 0, "found": 0, "scratch": 0}  # bytes
        self._at: dict[str, int] = {}  # where in the memory operations and values lie
        self._starts: list[int] = []  # and the rows of each slot
        self._memory = self._found = self._scratch = self._graph = self._stream = None

    def run(self, plan, device) -> None:
        """Queue a plan on the current stream of a device, whose methods are those of `gpuaug.backends.cuda.Gpu`."""
        if not plan.count:
            return
        self.plans += 1
        self._follow(device)
        if plan.scratch_bytes:  # rows hold its addresses: a larger one is no other graph
            if plan.scratch_bytes > self._room["scratch"]:
                room = _more(self._room["scratch"], plan.scratch_bytes)
                self._scratch = device.empty(room)
                self._room["scratch"] = room
            plan.place(self._scratch[0])
        uses, ops, blob, parts = [], [], plan.launches[0].blob, []
        for launch in plan.launches:
            if len(launch.rows):
                parts.append((launch, parts_of(launch, plan.ops, arrange=True)))
                uses += [_Use(part, sum(map(len, ops))) for part in parts[-1][1]]
                ops += [] if launch.ops is None else [launch.ops]
        asks = {
            "ops": sum(of.nbytes for of in ops),
            "blob": blob.nbytes,
            "found": 0 if plan.found is None else plan.found.nbytes,
        }
        shapes = [use.part.shape for use in uses]
        places, self._longest = _fit(self.slots, shapes), max(self._longest, len(shapes))
        if places is None and not self._may_grow(shapes, plan.samples):
            self.alone += 1
            device.prepare([key for shape in shapes for key in shape.kernels()])
            return queue(plan, parts, device)
        fresh = self._graph is None or places is None or any(asks[name] > self._room[name] for name in asks)
        if fresh:
            places = self._grow(device, shapes, asks, plan.samples)
        host, pinned = device.pinned(self._size)
        self._lay_out(host, uses, places, ops, blob)
        device.write(self._memory[1], pinned)
        if fresh:
            self._queue(device)  # and with it the driver has loaded every kernel: it may not in a capture
            self._graph = device.capture(self._queue)
            self.captures += 1
        else:
            device.replay(self._graph)

    def _follow(self, device) -> None:
        """The last call's work is before this one's, on whatever stream each is: the memory is one."""
        if self._stream is not None and self._stream.device_index != device.stream.device_index:
            raise ValueError(
                f"this pipeline was captured on cuda:{self._stream.device_index} and is called for cuda:"
                f"{device.stream.device_index}; capture one for each GPU"
            )
        if self._stream is not None and self._stream != device.stream:
            device.follow(self._stream, [kept[1] for kept in (self._memory, self._found, self._scratch) if kept is not None])
        self._stream = device.stream

    def _may_grow(self, shapes: list[Shape], samples: int) -> bool:
        """Whether slots for these shapes, too, are not too many."""
        if _in_order(self.slots, shapes):  # sizes grow, and there are no more slots
            return True
        if self._full < self._longest and len(_merged(self.slots, shapes, samples)[0]) > MOST * self._longest:
            self._full = self._longest
        return self._full < self._longest

    def _grow(self, device, shapes: list[Shape], asks: dict[str, int], samples: int) -> list[int]:
        """Make room for a plan of these shapes; returns the slots that it takes. There is no graph until the next capture."""
        if self._graph is not None:
            device.keep(self._graph)  # until what was queued of it is over
            self._graph = None
        self.slots, places = _merged(self.slots, shapes, samples)
        for name, count in asks.items():
            self._room[name] = _more(self._room[name], count)
        at, self._starts = 0, []
        for slot in self.slots:
            self._starts.append(at)
            at = _aligned(at + slot.most[0] * slot.row)
        for name in ("ops", "blob"):
            self._at[name] = at
            at = _aligned(at + self._room[name])
        self._size = at
        self._memory = device.empty(self._size)
        self._found = device.empty(self._room["found"]) if self._room["found"] else None
        device.prepare([key for slot in self.slots for key in slot.kernels()])
        return places

    def _lay_out(self, host: np.ndarray, uses: list[_Use], places: list[int], ops: list[np.ndarray], blob: np.ndarray) -> None:
        """Write a plan's parameters where the slots look for them."""
        at = 0  # bytes up to here are written; copied as bytes: NumPy takes records field by field
        for place, use in zip(places, uses):
            start, rows = self._starts[place], use.part.rows
            host[at:start] = 0
            at = start + rows.nbytes
            host[start:at] = rows.view(np.uint8)
            if use.ops and self.slots[place].kind == "fused":
                host[start:at].view(rows.dtype)["ops"] += use.ops
        host[at : self._at["ops"]] = 0
        at = self._at["ops"]
        for each in ops:
            host[at : at + each.nbytes] = each.view(np.uint8)
            at += each.nbytes
        host[self._at["blob"] : self._at["blob"] + blob.nbytes] = blob.view(np.uint8)

    def _queue(self, device) -> None:
        """Launch all slots."""
        base, found = self._memory[0], 0 if self._found is None else self._found[0]
        ops, blob = base + self._at["ops"], base + self._at["blob"]
        for slot, start in zip(self.slots, self._starts):
            slot.queue(device, base + start, ops, blob, found)


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def _more(old: int, new: int) -> int:
    """Room for `new`: as much the first time, then up to an eighth more, so that what grows a little at a time is made anew some
    times and not at each of them.

    >>> _more(0, 1000), _more(1000, 900), _more(1000, 1001)
    (1000, 1000, 1024)
    """
    if new <= old or not old:
        return max(old, new)
    unit = 1 << max(new.bit_length() - 4, 0)
    return -(-new // unit) * unit


def _alike(shape: Shape) -> tuple:
    return shape[:-1]


def _fits(slot: Shape, shape: Shape) -> bool:
    return _alike(slot) == _alike(shape) and all(has >= asked for has, asked in zip(slot.most, shape.most))


def _in_order(slots: list[Shape], shapes: list[Shape]) -> bool:
    """Whether there are slots for these shapes, whatever room they have."""
    left = map(_alike, slots)
    return all(_alike(shape) in left for shape in shapes)


def _fit(slots: list[Shape], shapes: list[Shape]) -> list[int] | None:
    """For each shape the slot that it takes, in their order; None if there is none. The first that has room is the best one: it
    leaves most for what follows."""
    places, at = [], 0
    for shape in shapes:
        while at < len(slots) and not _fits(slots[at], shape):
            at += 1
        if at == len(slots):
            return None
        places.append(at)
        at += 1
    return places


def _merged(slots: list[Shape], shapes: list[Shape], samples: int) -> tuple[list[Shape], list[int]]:
    """Slots with room for what they had and for these shapes, and the places of these: as few as hold both in their orders.
    samples: the most rows that one can have, as a rule."""
    old, new = [_alike(slot) for slot in slots], [_alike(shape) for shape in shapes]
    common = np.zeros((len(old) + 1, len(new) + 1), int)  # how many of old[i:] and new[j:] can be one
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            common[i, j] = 1 + common[i + 1, j + 1] if old[i] == new[j] else max(common[i + 1, j], common[i, j + 1])
    out, places, i, j = [], [], 0, 0
    while i < len(old) or j < len(new):
        both = i < len(old) and j < len(new) and old[i] == new[j]
        if not both and (j == len(new) or (i < len(old) and common[i + 1, j] >= common[i, j + 1])):
            out.append(slots[i])
            i += 1
            continue
        (rows, *rest), room = shapes[j].most, (0,) * len(shapes[j].most)
        if both:
            room, i = slots[i].most, i + 1
        if rows > room[0]:  # how many samples draw a transform varies by the root of that: room for twice as much
            rows = min(rows + 2 * int(rows**0.5) + 1, max(samples, rows))
        places.append(len(out))
        rows = max(rows, room[0])
        larger, exact = (shapes[j]._replace(most=(rows, *map(grown, room[1:], rest))) for grown in (_more, max))
        out.append(larger if larger.possible() else exact)
        j += 1
    return out, places


# ---- the graphs of a call ----------------------------------------------------------------------

_active = threading.local()


@contextmanager
def replaying(graphs: list[Graph]):
    """Within the block, plans that this thread executes on a GPU run as graphs, the n-th as the n-th of them, which are made."""
    before = getattr(_active, "graphs", None)
    _active.graphs = [graphs, 0]
    try:
        yield
    finally:
        _active.graphs = before


def following() -> Graph | None:
    """The graph of the next plan; None outside of `replaying`."""
    active = getattr(_active, "graphs", None)
    if active is None:
        return None
    graphs, number = active
    if number == len(graphs):
        graphs.append(Graph())
    active[1] += 1
    return graphs[number]

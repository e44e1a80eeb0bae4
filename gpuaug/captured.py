"""A pipeline whose launches are CUDA graphs: `Compose.capture`."""

from __future__ import annotations

import threading
from typing import Any

from .backends.graphs import Graph, replaying


class Captured:
    """A pipeline for batches that are alike, whose kernels are launched as CUDA graphs; `Compose.capture` makes it.

    Call it as `Compose.run`, with the targets and their ids: draws and results are the same, to the bit. What changes are the
    launches: instead of each by itself the driver is handed one graph for each target, whose parameters were uploaded before.
    Inputs are read where they lie, and results are memory of their own, which no later call writes.

    A batch that needs more than was seen before (more samples, larger images, an operation that no sample had drawn yet) is
    launched one by one, and the graph is captured anew behind it, in a millisecond or so; `stats` counts it.

    Calls may come from several threads, one after the other, from within a call, and on several streams: each call's work is
    behind the last one's.
    """

    def __init__(self, compose, how: dict[str, Any]):
        self.compose = compose
        self._how, self._graphs, self._lock = how, [], threading.RLock()

    def __call__(self, targets: dict[str, Any], *, ids: Any, epoch: int = 0, occurrence: Any = None) -> dict[str, Any]:
        """Augment a batch; see `Compose.run`."""
        with self._lock, replaying(self._graphs):
            return self.compose.run(targets, ids=ids, epoch=epoch, occurrence=occurrence, **self._how)

    def __reduce__(self):
        """A copy, in another process too, captures graphs of its own."""
        return type(self), (self.compose, self._how)

    def stats(self) -> dict[str, Any]:
        """Of what was executed on a GPU so far: plans (one for each target of a batch, and one more for each step that has to
        look at pixels before it), how many of these were replays, how often a graph was captured, how many were launched one by
        one and for good, as their order has no room, and the launches of each graph.
        """
        graphs: list[Graph] = self._graphs
        plans, captures, alone = (sum(getattr(graph, name) for graph in graphs) for name in ("plans", "captures", "alone"))
        launches = [sum(len(slot.kernels()) for slot in graph.slots) for graph in graphs]
        return {
            "plans": plans,
            "replays": plans - captures - alone,
            "captures": captures,
            "alone": alone,
            "launches": launches,
        }

    def __repr__(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in self.stats().items() if name != "launches")
        return f"<captured {type(self.compose).__name__}: {told}>"

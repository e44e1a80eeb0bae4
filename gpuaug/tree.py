"""A tree of transforms as the compiled library walks it: which samples take which leaves."""

from __future__ import annotations

import numpy as np

from . import library, ops, uniforms
from .checks import probability
from .groups import NODE, NODES, Group
from .transform import CHANGES, Transform


class Tree:
    """A tree of transforms as the library walks it: a table of its nodes, each with its columns in the table of uniforms.

    Attributes:
        slots, blocks: uint32: what `uniforms.uniforms` draws for one sample.
        ops: the pixel operations that its transforms emit as they are now (`gpuaug.ops.mask`), and the track's own.
        leaves: for each node its transform and the lines of its own uniforms; groups have none.
        loose: may masks have other sizes than their images?
        places: where a leaf stands, an index for each level of the tree, by the first line of its uniforms.
    """

    def __init__(self, root: Group, loose: bool = False):
        self.leaves: list[tuple[Transform, slice] | None] = []
        self._owners: list = []  # whose p each node has
        self.places: dict[int, tuple[int, ...]] = {}
        slots, blocks, nodes, children, edges = [], [], [], [], []

        def add(node, place: tuple[int, ...]) -> tuple[int, int]:
            """Add a node and those below it; returns how many visits to leaves one walk may make, and one sample."""
            if not hasattr(node, "p"):
                raise TypeError(f"{type(node).__name__}.__init__ must call super().__init__(p)")
            slot, first, need = len(nodes), 4 * len(slots), 1 + node.columns()  # the coin first
            used = (need + 3) // 4
            if used > uniforms.BLOCKS:
                raise ValueError(
                    f"{type(node).__name__} draws {need} numbers per sample; at most {4 * uniforms.BLOCKS} are possible"
                )
            slots.extend([slot] * used)
            blocks.extend(range(used))
            nodes.append(())
            self._owners.append(node)
            if not isinstance(node, Group):
                self.leaves.append((node, slice(first + 1, first + need)))
                self.places[first + 1] = place
                nodes[slot] = (NODES["leaf"], first, 0, 0, 0, 0, 0, 0, node.p)
                return 1, 1
            self.leaves.append(None)
            below, most, mine = 0, 0, []
            for _ in range(node.turns()):
                for k, child in enumerate(node.transforms):
                    mine.append(len(nodes))
                    visits, taken = add(child, (*place, k))
                    below, most = max(below, visits), max(most, taken)
            low, high = getattr(node, "n", (0, 0))
            nodes[slot] = (
                NODES[node.node],
                first,
                len(children),
                len(node.transforms),
                len(edges),
                low,
                high,
                getattr(node, "replace", False),
                node.p,
            )
            children.extend(mine)
            edges.extend(getattr(node, "_edges", ()))
            return node.visits() * below, node.picks() * most

        self._visits, self._most = add(root, ())
        if len(nodes) > uniforms.SLOTS:
            raise ValueError(f"a Compose holds at most {uniforms.SLOTS} transforms, got {len(nodes)}")
        self.first = _below(root.transforms[0]) if root.transforms else None  # the transforms of its first child
        self._ops, self._changes = 0, -1
        self.slots, self.blocks = np.array(slots, np.uint32), np.array(blocks, np.uint32)
        self._p = [node.p for node in self._owners]
        self._table = np.array(nodes, NODE), np.array(children, np.int32), np.array(edges, np.float64)
        self._in_order = all(each.node == "all" for each in self._owners if isinstance(each, Group))
        self.loose = loose or any(leaf and leaf[0].mask_size is not None for leaf in self.leaves)
        self._find_sure()

    @property
    def ops(self) -> int:
        if self._changes != CHANGES[0]:  # somebody set an argument of a transform
            changes = CHANGES[0]
            self._ops = ops.mask({*ops.INTERNAL, *(name for leaf in self.leaves if leaf for name in leaf[0].emits)})
            self._changes = changes
        return self._ops

    def _find_sure(self) -> None:
        chance = not self._in_order or min(self._p) < 1
        self._sure = None if chance else [(*leaf, slice(None)) for leaf in self.leaves if leaf]

    def _follow(self) -> None:
        """Take over what p are now: schedules of augmentation set them between epochs."""
        p = [node.p for node in self._owners]
        if p != self._p:
            self._table[0]["p"], self._p = [probability(each) for each in p], p
            self._find_sure()

    def sure(self) -> list | None:
        """What `walk` yields whatever the uniforms are: no group chooses, and all p are 1. None: there is a choice."""
        self._follow()
        return self._sure

    def walk(self, u: np.ndarray):
        """The leaves that are taken, in order: (transform, its uniforms' lines, rows: a slice for all samples, or indices)."""
        self._follow()
        samples = u.shape[1]
        visits, rows = np.empty((self._visits, 3), np.int64), np.empty(self._most * samples, np.int64)
        found = library.load().select(*self._table, u, samples, visits, rows)
        for leaf, start, count in visits[:found].tolist():
            transform, lines = self.leaves[leaf]
            yield transform, lines, rows[start : start + count] if count >= 0 else slice(None)


def _below(node) -> set[int]:
    """The ids of a node's transforms."""
    return set().union(*map(_below, node.transforms)) if isinstance(node, Group) else {id(node)}

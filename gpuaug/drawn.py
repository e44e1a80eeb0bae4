"""What was drawn for a batch: the transforms that its samples take, each with its parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import lazily
from .batch import Batch
from .reflected import repeat
from .solids import Solid
from .split import split
from .targets import Marks
from .track import Track
from .transform import Params, Transform, View
from .tree import Tree


@dataclass
class Step:
    """One transform with the parameters of the samples that drew it."""

    transform: Transform
    rows: Any  # slice for all samples, or int64 indices
    params: dict
    place: tuple[int, ...] = ()  # where the transform stands in the tree, an index for each level


@dataclass
class Drawn:
    """Everything that was drawn for a batch: deterministic from here on.

    Attributes:
        applied: which samples the pipeline applies to; None: all.
        ops: the pixel operations that the pipeline can emit (`gpuaug.ops.mask`).
        lazy: lower neighbours together (`gpuaug.lazily`).
        first: how many steps are of the pipeline's first transform or group; None: it has none, or they are not all drawn yet.
        begun: targets on which steps were carried out during the draw (`gpuaug.now.Now`); None: none were.
        start: ``[B, 2]`` before the first step, where masks may have sizes of their own; else None.
        marked: through how many steps boxes and keypoints are already, and ``marked_size`` ``[B, 2]``, of their images then.

    Example:
        >>> import gpuaug as G
        >>> drawn = G.Compose([G.RandomCrop(4, 4)], seed=0).draw([[8, 8]], ids=[3])
        >>> drawn.samples, drawn.size.tolist()
        (1, [[4, 4]])
    """

    samples: int
    steps: list[Step] = field(default_factory=list)
    size: np.ndarray | None = None
    applied: np.ndarray | None = None
    ops: int | None = None
    lazy: bool = False
    first: int | None = None
    begun: Any = None
    marked: int = 0
    marked_size: np.ndarray | None = None
    start: np.ndarray | None = None

    def explain(self) -> str:
        """Which transform applies to how many samples, in order; a transform that groups visit several times is one line."""
        took: dict[int, np.ndarray] = {}
        names = {}
        for step in self.steps:
            names[id(step.transform)] = step.transform.who
            took.setdefault(id(step.transform), np.zeros(self.samples, bool))[step.rows] = True
        return "\n".join(f"{names[k]}: {np.count_nonzero(of)} of {self.samples} samples" for k, of in took.items())

    def repeated(self, of: np.ndarray) -> Drawn:
        """The same for another batch, whose sample i is treated as sample ``of[i]`` of this one: frames of a video."""
        start = None if self.start is None else self.start[of]
        out = Drawn(len(of), size=self.size[of], ops=self.ops, lazy=self.lazy, start=start)
        for step in self.steps:
            if isinstance(step.rows, slice):
                rows, pick = step.rows, of
            else:
                place = np.full(self.samples, -1)
                place[step.rows] = np.arange(len(step.rows))
                rows = np.flatnonzero(place[of] >= 0)
                pick = place[of][rows]
            if isinstance(rows, slice) or len(rows):
                out.steps.append(Step(step.transform, rows, {name: value[pick] for name, value in step.params.items()}))
        return out

    def lower(self, batch: Batch, kind: str = "image", others: dict[str, Batch] | None = None) -> Track:
        """Lower it to launches for one target; `Track.finish` makes it a plan. others: that target of further samples."""
        track = Track(batch, kind)
        track.ops = self.ops
        track.others.update(others or {})
        self.frame(track)
        self.lower_onto(track)
        return track

    def frame(self, track: Track, of: np.ndarray | None = None) -> None:
        """Let a track of masks know the sizes that its images have before the first step. of: whose each mask is; None: of sample
        i."""
        if self.start is not None and track.kind == "mask":
            track.frame = np.array(self.start if of is None else self.start[of], np.int64)

    def lower_solid(self, batch: Batch, kind: str, of, depth, others: dict[str, Batch] | None = None) -> Solid:
        """Lower it for volumes, whose slices the batch holds: what works on images slice by slice, the rest on the whole."""
        track = Track(batch, kind)
        track.ops = self.ops
        track.others.update(others or {})
        solid, flat = Solid(track, of, depth), []

        def slices() -> None:
            Drawn(self.samples, list(flat), self.size, ops=self.ops, lazy=self.lazy).repeated(solid.slices()).lower_onto(
                solid.track
            )
            flat.clear()

        for step in self.steps:
            if not step.transform.solid:
                flat.append(step)
                continue
            slices()
            place = np.full(self.samples, -1)
            place[step.rows] = np.arange(len(place[step.rows]))
            solid.track.doing, solid.track.may = type(step.transform).__name__, step.transform.emits
            step.transform.lower_solid(solid, place, step.params)
        slices()
        return solid

    def lower_onto(self, track: Track, start: int = 0) -> None:
        """Lower the steps from number ``start`` on."""
        steps = [step for step in self.steps[start:] if track.kind in step.transform.targets]
        if self.lazy and track.frame is None:
            lazily.lower(track, steps, lambda some: self._one_by_one(track, some))
        else:
            self._one_by_one(track, steps)

    def _one_by_one(self, track: Track, steps: list[Step]) -> None:
        closed = 0
        for i, step in enumerate(steps):
            track.doing, track.may = type(step.transform).__name__, step.transform.emits
            if step.transform.stencil and i >= closed:
                # branches of one OneOf(blurs): what they all read is written by one launch, not by one for each
                closed = i + 1
                while closed < len(steps) and steps[closed].transform.stencil:
                    closed += 1
                if closed > i + 1:
                    track.close(np.concatenate([track.index(s.rows) for s in steps[i:closed]]))
            if track.frame is None:
                step.transform.lower(track, step.rows, step.params)
            else:
                _scaled(track, step)

    def move_marks(self, marks: Marks, size: np.ndarray, *, last: bool = True) -> np.ndarray:
        """Take boxes or keypoints through all steps, from ``marked`` on; returns the sizes of their images behind them.

        size: ``[B, 2]`` before the first. last: the pipeline ends here, so that limits are looked at in any case.
        """
        size, drop = np.array(size if self.marked_size is None else self.marked_size, np.int64), marks.params.check_each_transform
        first = np.ones(
            self.samples, bool
        )  # who comes unchanged out of the pipeline's first transform, behind which limits are looked at
        for step in self.steps[: self.first]:
            first[step.rows] &= not (step.transform.solid or "mask" in step.transform.targets)
        if drop and self.first is not None and self.marked <= self.first and first.any():
            marks.limit(size, of=first)
        for number, step in enumerate(self.steps[self.marked :], self.marked):
            if not step.transform.solid and "mask" not in step.transform.targets:
                continue
            before, place = size[step.rows], np.full(self.samples, -1)
            place[step.rows] = np.arange(len(before))
            copies = False
            if step.transform.solid:
                marks.solid_step(step.transform, place, step.params)
            else:
                copies = repeat(marks, step.transform, place, step.params, size)
                if step.transform.splits and marks.hook == "boxes":
                    split(marks, step.transform, place, step.params, size)
                elif step.transform.metadata_key is None:
                    marks.step(step.transform, place, step.params, size)
                else:
                    marks.gather(step.transform, place, step.params, size, number)
            size[step.rows] = step.transform.size_after(step.params, before)
            if copies:
                marks.drop_copies(size)
            marks.limit(size, drop=drop, of=place >= 0)
        if last:
            marks.limit(size)
        return size


def _scaled(track: Track, step: Step) -> None:
    """Lower a step onto masks that need not have the sizes of their images."""
    transform, rows, params = step.transform, track.index(step.rows), step.params
    size = track.frame[rows]
    same = (track.sizes(rows) == size).all(1)
    for some, alike in ((np.flatnonzero(same), True), (np.flatnonzero(~same), False)):
        if not len(some):
            continue
        mine = params if len(some) == len(rows) else {name: value[some] for name, value in params.items()}
        if alike:
            transform.lower(track, rows[some], mine)
        else:
            transform.lower_scaled(track, rows[some], mine, size[some])
    track.frame = track.frame.copy()
    track.frame[rows] = transform.size_after(params, size)


def drawn_by(transform: Transform, u: np.ndarray, view: View) -> dict:
    """What a transform draws from uniforms."""
    try:
        return transform.draw(u, view)
    except IndexError as error:
        who, least = type(transform).__name__, transform.columns()
        raise IndexError(f"{who}.draw got uniforms [{len(view.size)}, {least}], as its columns() says: {error}") from error


def checked(transform: Transform, params: dict, samples: int) -> Params:
    """What it has drawn for so many samples."""
    for name, value in params.items():
        if len(value) != samples:
            raise ValueError(
                f"{type(transform).__name__}.draw returned {name} of {len(value)} samples, it drew for {samples}: the "
                f"first axis of every parameter counts samples"
            )
    return Params(params)


def draw_tree(tree: Tree, u: np.ndarray, view: View, lazy: bool = False) -> Drawn:
    """Let every transform draw for the samples that take it."""
    visits = ((transform, tree.places[lines.start], rows, lines) for transform, lines, rows in tree.walk(u))

    def draw(transform, lines, rows, here):
        # take: an index of rows costs four times as much
        mine = u[lines] if isinstance(rows, slice) else u[lines].take(rows, 1)
        return drawn_by(transform, mine.T, here)

    return unrolled(tree, u.shape[1], view, visits, draw, lazy)


def unrolled(tree: Tree, samples: int, view: View, visits, draw, lazy: bool = False) -> Drawn:
    """Step after step, with the sizes, channels and depths that each meets.

    visits: (transform, its place, rows, whatever) each; ``draw(transform, whatever, rows, view)`` gives the parameters.
    """
    size = np.array(view.size, np.int64)  # never written: parameters may be views of it
    channels, depth = view.channels, view.depth
    drawn = Drawn(samples, size=size, ops=tree.ops, lazy=lazy, start=size if tree.loose else None)
    for transform, place, rows, what in visits:
        all_ = isinstance(rows, slice)
        if drawn.first is None and tree.first is not None and id(transform) not in tree.first:
            drawn.first = len(drawn.steps)
        before = size if all_ else size.take(rows, 0)
        seen = None if view.now is None else view.now.at(drawn, np.arange(drawn.samples) if all_ else rows)
        deep = None if depth is None else depth if all_ else depth[rows]
        here = View(before, channels, view.dtype, seen, None if all_ else rows, view.others, deep)
        params = checked(transform, draw(transform, what, rows, here), len(before))
        after = transform.size_after(params, before)
        if after is not before:
            if all_:
                size = after
            else:
                size = size.copy()
                size[rows] = after
        if transform.solid:
            depth = depth.copy()
            depth[rows] = params["after"][:, 0]
        channels = transform.channels_then(params, channels)
        drawn.steps.append(Step(transform, rows, params, place))
    drawn.size = size
    if drawn.first is None and tree.first is not None:
        drawn.first = len(drawn.steps)
    return drawn

"""Masks of objects where samples are put together (Mosaic): each comes out of the sample that its box came out of."""

from __future__ import annotations

import numpy as np
import torch

from . import instances
from .batch import Batch
from .drawn import Drawn, Step
from .transfer import moved


def wanderers(drawn: Drawn, marks_of: list) -> dict:
    """The marks whose instance masks come out of several samples, by the name of those; {}: no step puts samples together."""
    if not any(_assembles(step) for step in drawn.steps):
        return {}
    return {marks.params.instance_masks: marks for marks in marks_of if getattr(marks.params, "instance_masks", None) is not None}


def put_together(given, marks, drawn: Drawn, delivery):
    """The masks of the boxes that are left, each taken through the steps that its box went through.

    Args:
        given: the call's `gpuaug.inputs.Inputs`. marks: boxes behind all steps.
        delivery: a `gpuaug.outputs.Dense` or `AsCame`.
    """
    name = marks.params.instance_masks
    if drawn.begun is not None:
        raise ValueError(f"{name} (instance_masks): Mosaic and transforms of a user's own in one pipeline do not carry them")
    parts = [part for frames in (given.sets[name], *given.brought_sets(name)) for part in frames.parts]
    samples = len(given.size)
    counts = np.bincount(marks.sample, minlength=samples)
    none = np.flatnonzero(counts == 0)  # of them one blank mask, which says what none would look like
    masks = [parts[h][k] for h, k in zip(marks.home.tolist(), marks.origin.tolist())]
    masks += [given.sets[name].blank(i) if _has_blank(given, name, i) else np.zeros(tuple(given.size[i]), np.uint8) for i in none]
    of = np.concatenate([marks.sample, none])
    entered = np.concatenate([marks.entered, np.zeros(len(none), int)])
    batch = Batch.of(masks, given.layout, name=name, labels=True)
    track = _own_steps(drawn, of, entered, marks.cells, len(none)).lower(moved(batch, delivery.device), "mask")
    done = delivery.masks(track, masks, name)
    ends = np.cumsum([0, *counts]).tolist()
    out = []
    for i in range(samples):
        if drawn.applied is not None and not drawn.applied[i]:
            out.append(given.sets[name].parts[i])
            continue
        rows = slice(ends[i], ends[i + 1])
        mine = instances.parts_of(marks, rows, [done[k] for k in range(ends[i], ends[i + 1])], drawn.size[i]) or [
            done[len(marks.sample) + int(np.searchsorted(none, i))]
        ]
        if not hasattr(given.sets[name].parts[i], "ndim") and not isinstance(done, torch.Tensor):
            out.append(mine if counts[i] else [])
            continue
        whole = torch.stack(mine) if isinstance(mine[0], torch.Tensor) else np.stack(mine)
        out.append(whole[: counts[i]])
    if given.one:
        return out[0]
    dense = isinstance(done, torch.Tensor) or given.sets[name].dense
    if dense and all(getattr(part, "ndim", 0) for part in out) and len({tuple(part.shape) for part in out}) == 1:
        return torch.stack(out) if isinstance(out[0], torch.Tensor) else np.stack(out)
    return out


def _assembles(step: Step) -> bool:
    return step.transform.metadata_key is not None and hasattr(step.transform, "pieces")


def _has_blank(given, name: str, i: int) -> bool:
    return hasattr(given.sets[name].parts[i], "ndim") and given.sets[name].blank(i) is not None


def _own_steps(drawn: Drawn, of: np.ndarray, entered: np.ndarray, cells: dict, blanks: int) -> Drawn:
    """The steps of masks each of which is treated as sample ``of[k]``, from step ``entered[k]`` on, and shows in one cell."""
    out = Drawn(len(of), size=drawn.size[of], ops=drawn.ops, lazy=drawn.lazy)
    for number, step in enumerate(drawn.steps):
        if "mask" not in step.transform.targets:
            continue
        place = np.full(drawn.samples, -1)
        place[step.rows] = np.arange(len(place[step.rows]))
        rows = np.flatnonzero((place[of] >= 0) & (entered <= number))
        if not len(rows):
            continue
        transform, params = step.transform, {key: value[place[of][rows]] for key, value in step.params.items()}
        if _assembles(step):
            cell = np.concatenate([cells[number], np.zeros(blanks, int)])[rows]
            transform, params = transform.of_one(params, cell)
        out.steps.append(Step(transform, rows, params, step.place))
    return out

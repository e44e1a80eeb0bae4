"""The structure of a sample: where its image and targets are, and how samples become a batch of the same structure.

A *path* is a tuple of keys, positions and field names that leads to a leaf: `("labels", "color")`, `(0,)`; `()` is the
sample itself. `recognize.find` says which leaves are targets, `take_out` replaces them by a `Slot`, `collate` joins what is
left as torch's `default_collate` does (and dataclasses, which that refuses), `fill` puts the finished tensors in.
"""

import collections.abc
import copy
import dataclasses
import os

import numpy as np
import torch
from torch.utils.data import default_collate, default_convert

from .urls import shown

# what most leaves are; to see that they are no Mapping takes 1 us each
LEAVES = frozenset((np.ndarray, torch.Tensor, int, float, str, bytes, bool, type(None)))


class Slot:
    """Stands in a sample for the target of this name, while the rest is collated."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"<{self.name}>"


def is_namedtuple(x):
    return isinstance(x, tuple) and hasattr(x, "_fields")


def is_record(x):
    return dataclasses.is_dataclass(x) and not isinstance(x, type)


def children(x):
    """(key, child) pairs of a container, or None for a leaf.

    >>> children({"a": 1}), children((5, 6)), children("ab")
    ([('a', 1)], [(0, 5), (1, 6)], None)
    """
    if type(x) in LEAVES:
        return None
    if isinstance(x, collections.abc.Mapping):
        return list(x.items())
    if is_record(x):
        return [(f.name, getattr(x, f.name)) for f in dataclasses.fields(x)]
    if is_namedtuple(x):
        return list(zip(x._fields, x))
    if isinstance(x, (tuple, list)):
        return list(enumerate(x))
    return None


def rebuild(x, parts):
    """A container like `x` with `parts` (in the order of `children`)."""
    if isinstance(x, collections.abc.Mapping):
        items = dict(zip(x, parts))
        try:
            if isinstance(x, collections.abc.MutableMapping):  # keeps what a defaultdict has beside its items
                clone = copy.copy(x)
                clone.update(items)
                return clone
            return type(x)(items)
        except TypeError:
            return items
    if is_record(x):
        names = [f.name for f in dataclasses.fields(x)]
        init = {f.name for f in dataclasses.fields(x) if f.init}
        new = type(x)(**{n: p for n, p in zip(names, parts) if n in init})
        for n, p in zip(names, parts):
            if n not in init:
                object.__setattr__(new, n, p)
        return new
    if is_namedtuple(x):
        return type(x)(*parts)
    return type(x)(parts) if type(x) in (tuple, list) else list(parts)


def get(sample, path):
    """The leaf at `path`."""
    for key in path:
        sample = getattr(sample, key) if not _has_item(sample, key) else sample[key]
    return sample


def _has_item(x, key):
    return isinstance(x, collections.abc.Mapping) or (isinstance(x, (tuple, list)) and isinstance(key, int))


def replace(sample, changes):
    """A copy of `sample` in which `changes` ({path: leaf}) are made; containers off the paths are shared."""
    if not changes:
        return sample
    if () in changes:
        return changes[()]
    parts = []
    for key, child in children(sample):
        below = {path[1:]: leaf for path, leaf in changes.items() if path[0] == key}
        parts.append(replace(child, below) if below else child)
    return rebuild(sample, parts)


def as_path(where):
    """`"img"` -> `("img",)`; tuples stay."""
    return where if isinstance(where, tuple) else (where,)


def take_out(sample, paths):
    """The targets of a sample and what is left of it, with a Slot where each was."""
    taken = {name: get(sample, path) for name, path in paths.items()}
    return taken, replace(sample, {path: Slot(name) for name, path in paths.items()})


def collate(samples):
    """Joins samples as `torch.utils.data.default_collate` does; Slots are kept, dataclasses allowed.

    As in torch a tuple becomes a list and a namedtuple stays what it is.
    """
    first = samples[0]
    if isinstance(first, Slot):
        return first
    below = children(first)
    if below is None:
        return default_collate(samples)
    if isinstance(first, (tuple, list)) and any(len(s) != len(first) for s in samples):
        raise RuntimeError("each element in list of batch should be of equal size")
    column = tuple if isinstance(first, (tuple, list)) else list  # torch hands strings back in the column they came in
    parts = [collate(column(_child(s, key) for s in samples)) for key, _ in below]
    if isinstance(first, tuple) and not is_namedtuple(first):
        return parts
    return rebuild(first, parts)


def _child(x, key):
    return x[key] if _has_item(x, key) else getattr(x, key)


def convert(sample):
    """One unbatched sample as `torch.utils.data.default_convert` makes it: tensors of arrays, a list of a tuple; Slots stay."""
    below = children(sample)
    if below is None:
        return sample if isinstance(sample, Slot) else default_convert(sample)
    parts = [convert(child) for _, child in below]
    return parts if isinstance(sample, tuple) and not is_namedtuple(sample) else rebuild(sample, parts)


def fill(structure, values, device=None):
    """`structure` with each Slot replaced by its value and, for a GPU, the other tensors moved there."""
    if isinstance(structure, Slot):
        return values[structure.name]
    below = children(structure)
    if below is None:
        if device is not None and device.type != "cpu" and isinstance(structure, torch.Tensor):
            if structure.device.type == "cpu":  # torch.set_default_device may have had it collated on the GPU
                structure = structure.pin_memory()
            return structure.to(device, non_blocking=True)
        return structure
    return rebuild(structure, [fill(child, values, device) for _, child in below])


def outline(x):
    """A short description of a sample for error messages.

    >>> outline((torch.zeros(2, 3), "a"))
    '(Tensor[2, 3], str)'
    """
    below = children(x)
    if below is None:
        shape = getattr(x, "shape", None)
        return type(x).__name__ + (f"[{', '.join(map(str, shape))}]" if shape is not None else "")
    if isinstance(x, (tuple, list)) and not is_namedtuple(x):
        more = f", ... {len(below)} in all" if len(below) > 8 else ""
        return "(" + ", ".join(outline(c) for _, c in below[:8]) + more + ")"
    return "{" + ", ".join(f"{key}: {outline(c)}" for key, c in below) + "}"


def source_name(leaf):
    """The path of an encoded leaf as text (of a URL without its secrets), or None for bytes."""
    return shown(os.fspath(leaf)) if isinstance(leaf, (str, os.PathLike)) else None

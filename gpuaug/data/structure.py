"""The structure of a sample: where its image and targets are, and how samples become a batch of the same structure.

A *path* is a tuple of keys, positions and field names that leads to a leaf: `("labels", "color")`, `(0,)`; `()` is the
sample itself. `find_targets` says which leaves are targets, `take_out` replaces them by a `Slot`, `collate` joins what is
left as torch's `default_collate` does (and dataclasses, which that refuses), `fill` puts the finished tensors in.
"""

import collections.abc
import dataclasses
import os

import numpy as np
import torch
from torch.utils.data import default_collate, default_convert

from .protocol import is_encoded

# The names that are recognized, in order of preference. Names that are usually paths count only where nothing else fits.
IMAGE_NAMES = ("image", "img", "images", "imgs", "pixel_values", "x", "input", "inputs", "picture", "photo", "spectrogram")
IMAGE_FILE_NAMES = ("jpg", "jpeg", "png", "webp", "bmp", "npy", "path", "file", "filename", "file_name", "image_path",
                    "img_path", "filepath", "file_path")  # fmt: skip
MASK_NAMES = ("mask", "masks", "segmentation", "seg", "seg.png", "mask.png", "segmentation_mask", "annotation")
BOX_NAMES = ("bboxes", "boxes", "bbox")
KEYPOINT_NAMES = ("keypoints", "kpts")
SETS = ("images", "masks")  # several of a sample: an array with one axis more, or a list
WHOLE = frozenset((*BOX_NAMES, *KEYPOINT_NAMES, *SETS))  # lists under these names are one target, not a container


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


def is_image(leaf):
    """Whether a leaf can be an image: a PIL image, an array or tensor of 2 to 4 axes, or an encoded file."""
    if is_encoded(leaf):
        return True
    if hasattr(leaf, "getbands") and hasattr(leaf, "size"):  # PIL, without importing it
        return True
    return isinstance(leaf, (np.ndarray, torch.Tensor)) and 2 <= leaf.ndim <= 4


def plane(leaf):
    """(height, width) of an image-like leaf, or None for an encoded file."""
    if hasattr(leaf, "getbands"):
        return leaf.size[1], leaf.size[0]
    if is_encoded(leaf):
        return None
    if isinstance(leaf, torch.Tensor):
        return tuple(leaf.shape[-2:])
    return tuple(leaf.shape[:2])


def find_targets(sample, explicit=None, fields=()):
    """Which entries of a sample are targets: {"image": path, "mask": path, "bboxes": path, ...}.

    `explicit` is what the user said ({name: key, position or tuple of them}); nothing is guessed then. Otherwise
    torchvision's tv_tensors, then names of keys and fields, then positions decide: the first image-like leaf of a
    tuple is the image, and the next one is its mask if it is an image-like leaf of the same size and kind. `fields` are
    names of labels that belong to boxes or keypoints; they are looked for in either case.

    >>> find_targets({"img": np.zeros((4, 4, 3), np.uint8), "labels": {"color": 1}})
    {'image': ('img',)}
    >>> find_targets(("cat.jpg", "cat.png")), find_targets(("cat.jpg", 3))
    ({'image': (0,), 'mask': (1,)}, {'image': (0,)})
    """
    if explicit is not None:
        found = {name: as_path(where) for name, where in explicit.items()}
        for name, path in found.items():
            try:
                get(sample, path)
            except (KeyError, IndexError, AttributeError, TypeError):
                where = f"targets={{{name!r}: {_show(path)}}}"
                raise KeyError(f"{where}: the sample has no such entry; it is {outline(sample)}") from None
    elif is_image(sample) and not isinstance(sample, (tuple, list)):
        found = {"image": ()}
    else:
        leaves = list(_leaves(sample, WHOLE))
        found = _by_tv_tensor(leaves) or _by_name(leaves) or _by_position(leaves)
    for path, _ in _leaves(sample, frozenset(fields)) if fields else ():
        if path and path[-1] in fields:
            found.setdefault(path[-1], path)
    return found


def _leaves(x, whole, path=()):
    below = children(x)
    if below is None or (path and path[-1] in whole):
        yield path, x
        return
    for key, child in below:
        yield from _leaves(child, whole, (*path, key))


def _by_tv_tensor(leaves):
    kinds = {"Image": "image", "Mask": "mask", "BoundingBoxes": "bboxes", "KeyPoints": "keypoints"}
    found = {}
    for path, leaf in leaves:
        if type(leaf).__module__.startswith("torchvision.tv_tensors"):
            found.setdefault(kinds.get(type(leaf).__name__), path)
    found.pop(None, None)
    return found if "image" in found else None


def _by_name(leaves):
    named = {}
    for path, leaf in leaves:
        if path and isinstance(path[-1], str):
            named.setdefault(path[-1].lower(), (path, leaf))
    found = {}
    for name in IMAGE_NAMES + IMAGE_FILE_NAMES:
        if name in named and _is_set(named[name][1]):
            found["images"] = named[name][0]
            break
        if name in named and _fits_image(*named[name]):
            found["image"] = named[name][0]
            break
    if not found:
        return None
    for target, names in (("mask", MASK_NAMES), ("bboxes", BOX_NAMES), ("keypoints", KEYPOINT_NAMES)):
        for name in names:
            if name not in named or named[name][0] in found.values():
                continue
            path, leaf = named[name]
            if target != "mask" or is_image(leaf) or _is_set(leaf):
                found["masks" if name == "masks" else target] = path
                break
    return found


def _is_set(leaf):
    if isinstance(leaf, (list, tuple)):
        return len(leaf) > 0 and is_image(leaf[0])
    return isinstance(leaf, (np.ndarray, torch.Tensor)) and leaf.ndim == 4


def _fits_image(path, leaf):
    # under a name like "image" any string is taken for a path; under "path" it must look like an image file
    return is_image(leaf) or (isinstance(leaf, str) and path[-1].lower() in ("image", "img", "jpg", "jpeg", "png", "webp"))


def _by_position(leaves):
    images = [(path, leaf) for path, leaf in leaves if is_image(leaf)]
    if not images:
        return {}
    found = {"image": images[0][0]}
    if len(images) > 1 and _is_mask_of(images[0][1], images[1][1]):
        found["mask"] = images[1][0]
    return found


def _is_mask_of(image, leaf):
    if is_encoded(image) or is_encoded(leaf):
        return is_encoded(image) and is_encoded(leaf)
    if getattr(leaf, "ndim", 2) > 3 or getattr(image, "ndim", 2) > 3:
        return False
    return plane(image) == plane(leaf)


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
    """One unbatched sample: arrays become tensors, as `torch.utils.data.default_convert` does; Slots are kept."""
    below = children(sample)
    if below is None:
        return sample if isinstance(sample, Slot) else default_convert(sample)
    return rebuild(sample, [convert(child) for _, child in below])


def fill(structure, values, device=None):
    """`structure` with each Slot replaced by its value and, for a GPU, the other tensors moved there."""
    if isinstance(structure, Slot):
        return values[structure.name]
    below = children(structure)
    if below is None:
        if device is not None and device.type != "cpu" and isinstance(structure, torch.Tensor):
            return structure.pin_memory().to(device, non_blocking=True)
        return structure
    return rebuild(structure, [fill(child, values, device) for _, child in below])


def outline(x):
    """A short description of a sample for error messages.

    >>> outline((np.zeros((2, 3)), "a"))
    '(ndarray[2, 3], str)'
    """
    below = children(x)
    if below is None:
        shape = getattr(x, "shape", None)
        return type(x).__name__ + (f"[{', '.join(map(str, shape))}]" if shape is not None else "")
    if isinstance(x, (tuple, list)) and not is_namedtuple(x):
        return "(" + ", ".join(outline(c) for _, c in below) + ")"
    return "{" + ", ".join(f"{key}: {outline(c)}" for key, c in below) + "}"


def _show(path):
    return repr(path[0] if len(path) == 1 else path)


def source_name(leaf):
    """The path of an encoded leaf as text, or None for bytes."""
    return os.fspath(leaf) if isinstance(leaf, (str, os.PathLike)) else None

"""Volumes among the entries of a sample: under which names they are found, and what their axes are."""

import numpy as np
import torch

from .asked import VOLUMES
from .leaves import is_array, is_image, is_numeric, plane
from .structure import get, outline

LEADS = ("image", "images", "volume", "volumes")  # what a sample can be of: all else lies beside one of them


def is_volume(leaf, name):
    """Whether an entry under one of these names can be it: an array of 3 to 5 axes, of ``volumes`` one more, or a list of slices.

    >>> is_volume(np.zeros((4, 8, 8)), "volume"), is_volume(0.7, "volume"), is_volume([np.zeros((8, 8))], "mask3d")
    (True, False, True)
    """
    several = name in ("volumes", "masks3d")
    if is_array(leaf):
        return is_numeric(leaf) and 3 + several <= leaf.ndim <= 5 + several
    return not several and isinstance(leaf, (list, tuple)) and len(leaf) > 0 and is_image(leaf[0])


def lead_of(found, asked):
    """The name of what the sample is of: its image, images or volume, or an additional volume; None: there is nothing.

    >>> from gpuaug.data.asked import Asked
    >>> lead_of({"ct": ("ct",)}, Asked(additional={"ct": "volume"})), lead_of({"mask3d": (0,)}, Asked())
    ('ct', None)
    """
    further = (name for name in found if isinstance(name, str) and asked.kind(name) in ("volume", "volumes"))
    return next((name for name in (*LEADS, *further) if name in found), None)


def slice_plane(leaf, kind):
    """(height, width) of an image, of a set, or of the slices of a volume; None where that cannot be seen."""
    if not is_array(leaf):
        return plane(leaf if kind == "image" else leaf[0]) if kind == "image" or len(leaf) else None
    if kind in VOLUMES and not isinstance(leaf, torch.Tensor):
        first = 2 if kind in ("volumes", "masks3d") else 1
        return tuple(leaf.shape[first : first + 2])
    if kind == "images" and isinstance(leaf, np.ndarray):
        return tuple(leaf.shape[1:3])
    return plane(leaf)


def is_batch(value, kind):
    """Whether a dataset that is asked for one sample gave a batch of them, by what it is of."""
    return is_array(value) and value.ndim > {"image": 3, "volumes": 5}.get(kind, 4)


def check_axes(paths, sample, asked):
    """ValueError for an entry that was taken for the image of one sample and has an axis too many for it."""
    for name, path in paths.items():
        leaf = get(sample, path) if isinstance(name, str) and asked.kind(name) in ("image", "mask") else None
        if is_array(leaf) and leaf.ndim == 4:
            more = ("images", "volume") if asked.kind(name) == "image" else ("masks", "mask3d")
            raise ValueError(
                f"the sample's entry {path!r} was taken for {name!r}, which has 2 or 3 axes, and has shape {tuple(leaf.shape)} "
                f"(the sample is {outline(sample)}). A set of them, or a volume, is never guessed: say which it is, "
                f"DataLoader(targets={{{more[0]!r}: {path!r}}}) or DataLoader(targets={{{more[1]!r}: {path!r}}})"
            )

"""Transforms in the dataset beside those of the loader: moved there, and not taken away here, they would be applied twice."""

import warnings

import numpy as np

PACKAGES = ("gpuaug", "albumentations", "torchvision.transforms")
SCALES_TO_ONE = ("ToTensor", "ConvertImageDtype")  # of torchvision: they make floats from 0 to 1


def check(dataset, transform):
    """Look for the transforms that a dataset holds as attributes, and what it wraps holds.

    ValueError: the same object in both places, images normalized twice, or scaled to 0..1 here and taken for 0..255 there.
    UserWarning: a pipeline of gpuaug or albumentations, which may be meant: a crop on the host, the rest on the device.
    """
    if transform is None:
        return
    ours = list(steps(transform))
    for where, held in held_by(dataset):
        theirs = list(steps(held))
        if held is transform or (held in ours and held is not None):
            raise ValueError(
                f"{where} is the loader's transform, too: it would be applied twice. Leave it out of the dataset; "
                f"DataLoader(transform=) applies it to whole batches"
            )
        normalizing, names = _of(ours, "Normalize"), [type(step).__name__ for step in theirs]
        if normalizing and any(not _only_scales(step) for step in _of(theirs, "Normalize")):
            raise ValueError(
                f"{where} holds a Normalize, and the loader's transform another one: images would be normalized twice. Leave "
                f"one of them out"
            )
        limit = max((getattr(step, "max_pixel_value", 1.0) for step in normalizing), default=1.0)
        if limit > 1 and set(names) & set(SCALES_TO_ONE):
            raise ValueError(
                f"{where} scales images to 0..1, and the loader's Normalize takes them for 0..{limit:g}: leave "
                f"{' and '.join(name for name in names if name in SCALES_TO_ONE)} out of the dataset, or give Normalize "
                f"max_pixel_value=1"
            )
        if not type(held).__module__.startswith("torchvision"):
            warnings.warn(
                f"{where} holds transforms ({', '.join(names)}), and the loader has its own: both are applied, the dataset's "
                f"first. If you moved your pipeline to the loader, leave it out of the dataset",
                UserWarning,
                stacklevel=4,
            )


def held_by(dataset, where="dataset"):
    """(where, transform) of what a dataset, and what it wraps, holds."""
    for name, value in vars(dataset).items() if hasattr(dataset, "__dict__") else ():
        if _is_transform(value):
            yield f"{where}.{name}", value
    inner = getattr(dataset, "dataset", None)
    if inner is not None and inner is not dataset:
        yield from held_by(inner, f"{where}.dataset")
    for k, each in enumerate(getattr(dataset, "datasets", None) or ()):
        yield from held_by(each, f"{where}.datasets[{k}]")


def _is_transform(value):
    return callable(value) and not isinstance(value, type) and type(value).__module__.startswith(PACKAGES)


def steps(transform):
    """The leaves of a tree of transforms, in order."""
    below = getattr(transform, "transforms", None)
    if isinstance(below, (list, tuple)) or hasattr(below, "__iter__"):
        for each in below:
            yield from steps(each)
    else:
        yield transform


def _of(found, name):
    return [step for step in found if type(step).__name__ == name]


def _only_scales(normalize):
    """Whether a Normalize has no mean and no deviation: it brings pixels to 0..1, and the loader's may go on from there."""
    mean, std = (np.asarray(getattr(normalize, name, 1), np.float64) for name in ("mean", "std"))
    return bool((mean == 0).all() and (std == 1).all())


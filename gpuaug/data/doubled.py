"""Transforms in the dataset beside those of the loader: moved there, and not taken away here, they would be applied twice."""

import dis
import functools
import types
import warnings

import numpy as np
import torch

PACKAGES = ("gpuaug", "albumentations", "torchvision.transforms", "kornia.augmentation", "kornia.enhance")
SCALES_TO_ONE = ("ToTensor", "ConvertImageDtype", "ToDtype")  # of torchvision: they make floats from 0 to 1
DEPTH = 3  # of what holds what: an attribute, a wrapper's attribute, a function's variable
MANY = 64  # longer lists and dicts are data


def check(dataset, transform):
    """Look for the transforms that a dataset holds as attributes, and what it wraps holds.

    ValueError: the same object in both places, images normalized twice, or scaled to 0..1 here and taken for 0..255 there.
    UserWarning: a pipeline of gpuaug or albumentations, which may be meant: a crop on the host, the rest on the device.
    """
    if transform is None:
        return
    ours = list(steps(transform))
    # by itself: torchvision's datasets hold each transform twice
    for where, held in {id(held): (where, held) for where, held in held_by(dataset)}.values():
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
        scaling = [name for name, step in zip(names, theirs) if name in SCALES_TO_ONE and getattr(step, "scale", True)]
        if limit > 1 and scaling:
            raise ValueError(
                f"{where} scales images to 0..1, and the loader's Normalize takes them for 0..{limit:g}: leave "
                f"{' and '.join(scaling)} out of the dataset, or give Normalize max_pixel_value=1"
            )
        if not all(type(step).__module__.startswith("torchvision") for step in theirs):
            warnings.warn(
                f"{where} holds transforms ({', '.join(names)}), and the loader has its own: both are applied, the dataset's "
                f"first. If you moved your pipeline to the loader, leave it out of the dataset",
                UserWarning,
                stacklevel=4,
            )


def held_by(dataset, where="dataset"):
    """(where, transform) of what a dataset holds or its functions name, and what it wraps holds."""
    for name, value in vars(dataset).items() if hasattr(dataset, "__dict__") else ():
        if name not in ("dataset", "datasets"):
            yield from _found(value, f"{where}.{name}", DEPTH)
    for name in ("__getitem__", "__getitems__", "__iter__"):
        function = getattr(type(dataset), name, None)
        if isinstance(function, types.FunctionType):
            yield from _named_in(function, f"{where}.{name}", DEPTH)
    inner = getattr(dataset, "dataset", None)
    if inner is not None and inner is not dataset:
        yield from held_by(inner, f"{where}.dataset")
    for k, each in enumerate(getattr(dataset, "datasets", None) or ()):
        yield from held_by(each, f"{where}.datasets[{k}]")


def _is_transform(value):
    return callable(value) and not isinstance(value, type) and type(value).__module__.startswith(PACKAGES)


def _found(value, where, depth):
    """(where, pipeline) of the pipelines that a value is, or keeps: a list of transforms is one."""
    if _is_transform(value):
        yield where, value
    elif not depth or isinstance(value, (type, types.ModuleType)):
        return
    elif isinstance(value, (list, tuple, torch.nn.Sequential)):
        if 0 < len(value) <= MANY and all(map(_is_transform, value)):
            yield where, list(value)
    elif isinstance(value, dict):
        for key, each in value.items() if len(value) <= MANY else ():
            yield from _found(each, f"{where}[{key!r}]", depth - 1)
    elif isinstance(value, functools.partial):
        for each in (value.func, *value.args, *value.keywords.values()):
            yield from _found(each, where, depth - 1)
    elif isinstance(value, types.MethodType):
        yield from _found(value.__self__, where, depth - 1)
    elif isinstance(value, types.FunctionType):
        yield from _named_in(value, where, depth)
    elif callable(value) and not isinstance(value, torch.nn.Module):
        for name, each in vars(value).items() if hasattr(value, "__dict__") else ():
            yield from _found(each, f"{where}.{name}", depth - 1)


def _named_in(function, where, depth):
    """What a function takes from around it: closures, and globals that its code loads (not attributes of the same name)."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            yield from _found(cell.cell_contents, f"{where} ({name})", depth - 1)
        except ValueError:  # still empty
            continue
    for name in {each.argval for each in dis.get_instructions(function) if each.opname == "LOAD_GLOBAL"}:
        if _is_transform(function.__globals__.get(name)):
            yield f"{where} ({name})", function.__globals__[name]


def steps(transform):
    """The leaves of a tree of transforms, in order."""
    below = transform if isinstance(transform, (list, tuple, torch.nn.Sequential)) else getattr(transform, "transforms", None)
    if isinstance(below, (list, tuple)) or hasattr(below, "__iter__"):
        for each in below:
            yield from steps(each)
    else:
        yield transform


def _of(found, name):
    return [step for step in found if type(step).__name__ == name]


def _only_scales(normalize):
    """Whether a Normalize subtracts no mean and divides by no deviation: it brings pixels to 0..1, or back there for display."""
    mean, std = (np.asarray(getattr(normalize, name, 1), np.float64) for name in ("mean", "std"))
    return bool((mean <= 0).all() and (std >= 1).all())

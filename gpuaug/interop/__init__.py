"""Adapters to what others have built; each module imports its framework only when it is used."""

import importlib

_MODULES = ("albumentations", "dali", "imgaug", "kornia", "lightning", "parity", "ray", "torchvision")


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(_MODULES)}")
    return importlib.import_module(f"{__name__}.{name}")

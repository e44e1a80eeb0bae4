"""Other libraries' transforms where a transform of gpuaug is expected: whose they are, and which module takes them in."""

from __future__ import annotations

import importlib

FROM = {
    "albumentations": "albumentations",
    "kornia": "kornia",
    "torchvision": "torchvision",
}  # library: module of gpuaug.interop, whose `adopted(thing)` is asked


def adopted(thing):
    """A transform or group of gpuaug's that does what another library's does; the thing itself if it is of none that is known."""
    if isinstance(thing, type):
        return thing
    libraries = [cls.__module__.split(".")[0] for cls in type(thing).__mro__]
    name = next((FROM[library] for library in libraries if library in FROM), None)
    return thing if name is None else importlib.import_module(f".interop.{name}", __package__).adopted(thing)

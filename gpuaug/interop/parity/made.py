"""What a reference is, and albumentations' transform with the arguments of one of gpuaug's."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import albumentations as A

from ...settings import same, settings
from ...transform import Transform


class Undriven(Exception):
    """Why a transform has no reference here."""


@dataclass(frozen=True)
class Reference:
    """``run(image, u, kind="image")``: what is to come of an image ``[H, W, C]`` with the uniforms ``u`` (kind "mask": of a mask,
    where the transform takes them); ``source``: who says so."""

    run: Callable
    source: str


def theirs(transform: Transform, **other):
    """albumentations' transform with the same arguments."""
    cls = getattr(A, type(transform).__name__)
    known, ours = inspect.signature(cls.__init__).parameters, inspect.signature(type(transform).__init__).parameters
    kwargs = {}
    for name, value in settings(transform).items():
        if name in known:
            kwargs[name] = value
        elif not same(value, ours[name].default):
            raise Undriven(f"albumentations has no {name}, which is {value!r} here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cls(**(kwargs | {"p": 1.0} | other))

"""What a transform, a group or a pipeline was made with: to be shown, compared, and written down as plain Python."""

from __future__ import annotations

import inspect
import math
import os
import warnings
from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

import numpy as np

FORMAT = 1  # of what `plain` and `to_dict` write; counted up when an older gpuaug would read it wrongly
_CALLED = ("_alone", "_own_seed", "_own_stream")  # what calls of it by itself leave (`gpuaug.calls`)
CLASS, NAME, ITEMS, FLOAT = "__class_fullname__", "__name__", "__items__", "__float__"


class Settings:
    """Mixin of what has settings: the arguments of its ``__init__`` that it keeps as attributes of the same names.

    ``==`` compares class and settings, so that what was loaded equals what was saved. The hash is the identity, as a tensor's:
    settings change (schedules set ``p``), and modules of torch, which Compose is one of, are kept in sets that have to tell two
    equal ones apart. So transforms may be keys, and each is another one.
    """

    kept_as: ClassVar[dict[str, str]] = {}  # argument: the attribute that keeps it, where that has another name
    unwritten = ""  # what it is, if no file can hold it
    by_name = False  # do functions of the caller make it what it is, so that a file holds but its name?

    __hash__ = object.__hash__

    def __eq__(self, other) -> bool:
        return same(self, other) if isinstance(other, Settings) else NotImplemented

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={shown(value)}' for name, value in settings(self).items())})"

    def to_dict(self) -> dict:
        """Itself as plain Python, for `gpuaug.from_dict`; see `gpuaug.save`."""
        faults: list[str] = []
        written = described(self, type(self).__name__, faults)
        if faults:
            raise ValueError("this cannot be written down:\n" + "\n".join(f"- {fault}" for fault in faults))
        from . import __version__

        return {"__version__": __version__, "__format__": f"gpuaug {FORMAT}", "transform": written}


def settings(thing) -> dict:
    """The arguments of ``__init__`` that are kept as attributes of the same names, in its order."""
    kept = {name: thing.kept_as.get(name, name) for name in _signature(type(thing))}
    return {name: getattr(thing, attribute) for name, attribute in kept.items() if attribute in vars(thing)}


def _signature(cls) -> dict[str, inspect.Parameter]:
    found = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p for p in found if p.name != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


# ---- equal ---------------------------------------------------------------------------------------


def same(a, b) -> bool:
    """Whether two transforms, groups or pipelines are of one class and were made with the same arguments.

    Lists and tuples are the same, and so are NaN and NaN. What keeps an argument under another name is compared by all that it
    holds.
    """
    if isinstance(a, Settings):
        if type(a) is not type(b):
            return False
        if type(a).__eq__ is not Settings.__eq__:  # it knows better what it is made with
            return a == b
        mine = settings(a)
        if len(mine) == len(_signature(type(a))):
            return same(mine, settings(b))
        return a is b or same(*({k: v for k, v in vars(one).items() if k not in _CALLED} for one in (a, b)))
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.shape == b.shape and a.dtype == b.dtype and bool(((a == b) | ((a != a) & (b != b))).all())
    if a is b:
        return True
    if isinstance(a, bool) is not isinstance(b, bool):
        return False
    try:
        return bool(a == b) or (a != a and b != b and type(a) is type(b))
    except (TypeError, ValueError, RuntimeError):  # tensors of several numbers
        return False


# ---- shown ---------------------------------------------------------------------------------------


def shown(value) -> str:
    """A value as Python reads it again."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, Enum):
        return shown(value.value)
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        inner = ", ".join(map(shown, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if len(value) == 1 else f"({inner})"
    if type(value) is dict:
        return "{" + ", ".join(f"{shown(key)}: {shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, os.PathLike):
        return repr(os.fspath(value))
    return repr(value)


def more(thing, *left_out: str) -> str:
    """The settings beside those, as arguments; but for p only those that differ from their defaults."""
    signature = _signature(type(thing))
    some = {name: value for name, value in settings(thing).items() if name not in left_out}
    some = {
        name: value
        for name, value in some.items()
        if name == "p" or not same(_something(value), _something(signature[name].default))
    }
    return ", ".join(f"{name}={shown(value)}" for name, value in some.items())


def _something(value):
    """None for what is empty; 0 is a number, such as a seed."""
    return None if isinstance(value, (str, list, tuple, dict)) and not value else value


# ---- plain ---------------------------------------------------------------------------------------


def plain(value, place: str, faults: list[str]):
    """A value as None, bool, int, float, str, lists and dicts of these; what ``place`` cannot be written is added to faults.

    A dict with other keys than strings is ``{"__items__": [[key, value], ..]}``, infinity ``{"__float__": "inf"}``, which JSON
    lacks.
    """
    if isinstance(value, Settings):
        return described(value, place, faults)
    if isinstance(value, Enum):
        return plain(value.value, place, faults)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {FLOAT: str(value)}
    if isinstance(value, np.generic):
        return plain(value.item(), place, faults)
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value) and not {CLASS, ITEMS, FLOAT} & value.keys():
            return {str(key): plain(each, f"{place}[{key!r}]", faults) for key, each in value.items()}
        return {ITEMS: [[plain(key, place, faults), plain(each, f"{place}[{key!r}]", faults)] for key, each in value.items()]}
    if isinstance(value, (list, tuple)):
        return [plain(each, f"{place}[{i}]", faults) for i, each in enumerate(value)]
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    what = f"an array {tuple(value.shape)}" if hasattr(value, "shape") else f"{type(value).__name__} {value!r}"
    faults.append(f"{place} is {what[:80]}: only numbers, words, lists and dicts of them can be written")
    return None


def described(thing: Settings, place: str, faults: list[str]) -> dict:
    """A transform, group, pipeline or label params as a plain dict with its class; what cannot be written is added to faults."""
    cls, known = type(thing), len(faults)
    out = {CLASS: class_name(cls)}
    if cls.unwritten:
        faults.append(f"{place} is {cls.__name__}, {cls.unwritten}")
        return out
    if cls.by_name:
        if thing.name is None:
            faults.append(
                f"{place} holds functions, which a file cannot: give it name=, and pass nonserializable={{name: it}} when loading"
            )
        return {**out, NAME: thing.name}
    signature = _signature(cls)
    for name, value in settings(thing).items():
        default = signature[name].default
        if callable(value) and not isinstance(value, (type, Settings)) and value is default:
            continue  # the default of a function argument: it is there when this is made anew
        out[name] = plain(value, f"{place}.{name}", faults)
    if len(faults) == known:
        _check(thing, out, place, faults)
    return out


def _check(thing: Settings, written: dict, place: str, faults: list[str]) -> None:
    """Make it anew from what was written: a file must never hold something else than what was saved."""
    values = {name: restored(value) for name, value in written.items() if name != CLASS}
    values.update((name, value) for name, value in settings(thing).items() if name in written and _nested(value))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            twin = type(thing)(**values)
    except Exception as error:
        faults.append(f"{place}{_a(thing, place)} cannot be made from its own attributes: {error}")
        return
    if not same(thing, twin):
        lost = [name for name in _signature(type(thing)) if name not in settings(thing)]
        why = f"it keeps no attribute {', '.join(lost)}, its arguments" if lost else "its attributes were changed, or are others"
        faults.append(
            f"{place}{_a(thing, place)} would be another one after loading: {why}; keep each argument as the attribute of its "
            f"name"
        )


def _a(thing, place: str) -> str:
    return "" if place == type(thing).__name__ else f", a {type(thing).__name__},"


def _nested(value) -> bool:
    """Whether transforms or params stand in it, which are checked by themselves."""
    if isinstance(value, Mapping):
        return any(map(_nested, value.values()))
    return isinstance(value, Settings) or (isinstance(value, (list, tuple)) and any(map(_nested, value)))


def restored(value):
    """What `plain` wrote, with the keys that dicts had."""
    if isinstance(value, list):
        return [restored(each) for each in value]
    if isinstance(value, dict):
        if set(value) == {ITEMS}:
            return {_key(key): restored(each) for key, each in value[ITEMS]}
        if set(value) == {FLOAT}:
            return float(value[FLOAT])
        return {key: restored(each) for key, each in value.items()}
    return value


def _key(key):
    return tuple(map(_key, key)) if isinstance(key, list) else key


def class_name(cls: type) -> str:
    """How a class is called in a file: gpuaug's own by their names, torchvision's namesakes as "vision.Resize", others with their
    modules."""
    module = cls.__module__.split(".")
    if module[0] != "gpuaug":
        return f"{cls.__module__}.{cls.__qualname__}"
    return f"vision.{cls.__name__}" if module[1:2] == ["vision"] else cls.__name__

"""Arguments of transforms, whatever wrote them down: Hydra's configurations, NumPy's numbers, and misspelled names."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np

from .names import ARGUMENTS
from .spellings import PLACES, SPELLINGS, translated


def as_python(value):
    """Python's own numbers, lists and dicts of NumPy's and of any other sequence or mapping (OmegaConf's, say).

    Example:
        >>> import numpy as np
        >>> as_python({"x": np.array([0.5, 1.0]), "y": range(2)})
        {'x': [0.5, 1.0], 'y': [0, 1]}
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, Mapping):
        return {as_python(key): as_python(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return (tuple if isinstance(value, tuple) else list)(as_python(each) for each in value)
    return value


class UnknownArgument(TypeError):
    """An argument that a class does not have, ``argument``."""

    def __init__(self, words: str, argument: str):
        super().__init__(words)
        self.argument = argument


def arguments(init):
    """Decorator of ``__init__``: takes what `as_python` understands, and names the class and the nearest argument in errors."""
    signature = inspect.signature(init)
    names = [name for name in signature.parameters if name != "self"]
    owner = init.__qualname__.rpartition(".")[0].rpartition(".")[2]  # the class, or of one in a function
    if (init.__module__ or "").startswith(("gpuaug.interop.", "gpuaug.vision.")):
        owner = ""  # another library's names never had albumentations' spellings
    flags = _flags(signature)
    any_name = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())

    @functools.wraps(init)
    def wrapper(self, *args, **kwargs):
        if type(self).__init__ is wrapper:  # else a subclass's has done it
            whole = getattr(type(self), "as_given", ())  # arguments that are no configuration: images, say
            args = tuple(value if name in whole else as_python(value) for name, value in zip_longest(names[: len(args)], args))
            kwargs = {name: value if name in whole else as_python(value) for name, value in kwargs.items()}
        outermost = type(self).__init__ is wrapper  # else a subclass calls, which may be a caller's and spell as he does
        args, kwargs = translated(owner, names, flags if outermost else None, args, kwargs, SPELLINGS, PLACES)
        if outermost:
            who = type(self).__name__
            for name in kwargs:
                if name not in names and not any_name:
                    raise UnknownArgument(f"{who} has no argument {name!r}{_instead(owner and who, name, names)}", name)
            try:
                signature.bind(self, *args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{who}: {error}; its arguments are {', '.join(names)}") from None
        init(self, *args, **kwargs)

    return wrapper


def _flags(signature: inspect.Signature) -> frozenset[str]:
    """The arguments that are True or False."""
    return frozenset(name for name, p in signature.parameters.items() if isinstance(p.default, bool))


def called(who: str, signature: inspect.Signature, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """A call of a function that stands for a class, as `arguments` takes it: the values as Python's own, in today's spelling."""
    names = list(signature.parameters)
    args, kwargs = tuple(map(as_python, args)), {name: as_python(value) for name, value in kwargs.items()}
    args, kwargs = translated(who, names, _flags(signature), args, kwargs, SPELLINGS, PLACES)
    for name in kwargs:
        if name not in names:
            raise TypeError(f"{who} has no argument {name!r}{_instead(who, name, names)}")
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{who}: {error}; its arguments are {', '.join(names)}") from None
    return args, kwargs


def _instead(who: str, name: str, names: list[str]) -> str:
    if name in ARGUMENTS.get(who, "").split():
        return ": albumentations has it, gpuaug does not yet"
    near = difflib.get_close_matches(name, [*names, *(one for old in SPELLINGS.get(who, ()) for one in old.names)], 1)
    return f"; did you mean {near[0]!r}?" if near else f"; its arguments are {', '.join(names) or 'none'}"

"""What an entry of the table of old spellings is, and how a call is read by it.

An old spelling means what it meant while it was the spelling: arguments that are not given take the defaults of that time where
all its releases agreed (``then``), and a DeprecationWarning says the whole new call.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from ..checks import boolean, is_number


@dataclass(frozen=True)
class Old:
    """One or more old arguments that together say one or more new ones.

    Attributes:
        names: the old ones.
        new: the new ones, as documentation shows them.
        versions: the releases of albumentations in which they were the spelling.
        turn: makes ``{new: value}`` of ``{old: value}``, of those that were given.
        then: defaults of other arguments at that time, where they are others now.
        only: None, or whether a value is of the old kind, for a name that is still an argument.
        note: what documentation adds.
    """

    names: tuple[str, ...]
    new: str
    versions: str
    turn: Callable[[dict], dict]
    then: Mapping = field(default_factory=dict)
    only: Callable | None = None
    note: str = ""

    def applies(self, given: dict, names: list[str]) -> bool:
        """Whether arguments that were given are of the old spelling, in a class that has these ``names`` today."""
        if self.only is not None:
            return self.only(given[self.names[0]])
        return self.new in self.names or any(name not in names for name in given)


def renamed(
    old: str, new: str, versions: str, value: Callable | None = None, *, none: bool = False, then=None, note: str = ""
) -> Old:
    """The same under another name; ``value`` converts it. None stood for "not given", unless ``none``."""

    def turn(given: dict) -> dict:
        v = given[old]
        if v is None and not none:
            return {}
        return {new: v if value is None else value(v)}

    return Old((old,), new, versions, turn, then or {}, note=note)


def paired(low: str, high: str, new: str, versions: str, default: tuple, *, then=None, note: str = "") -> Old:
    """A range that was two arguments, of which each had a default."""

    def turn(given: dict) -> dict:
        ends = (given.get(low), given.get(high))
        if ends == (None, None):
            return {}
        return {new: tuple(d if v is None else v for v, d in zip(ends, default))}

    return Old((low, high), new, versions, turn, then or {}, note=note)


def reading(name: str, new: str, versions: str, only: Callable, value: Callable, *, note: str = "") -> Old:
    """An argument whose name stayed, and which took values of another kind."""
    return Old((name,), new, versions, lambda given: {name: value(given[name])}, {}, only, note)


@dataclass(frozen=True)
class Places:
    """What stood in the places of a call.

    Attributes:
        order: the names of those times, ``versions``.
        old: whether the arguments that were passed by place are of that order, and of no other.
    """

    order: tuple[str, ...]
    versions: str
    old: Callable[[tuple], bool]


_said: set = set()


class _Call:
    """What of one call was spelled as it was."""

    def __init__(self, who: str):
        self.who, self.names, self.versions, self.new = who, [], [], {}

    def add(self, names, versions: str, new: dict) -> None:
        self.names += names
        self.versions += [versions] if versions not in self.versions else []
        self.new |= new

    def say(self, more: bool) -> None:
        """Warn, once for each spelling and process; more: other arguments were given, too."""
        key = self.who, tuple(self.names)
        if not self.names or key in _said:
            return
        _said.add(key)
        now = ", ".join([*([".."] if more else []), *(f"{name}={value!r}" for name, value in self.new.items())])
        warnings.warn(
            f"{self.who}: {', '.join(self.names)}: albumentations' spelling ({', '.join(self.versions)}); "
            + (f"write {self.who}({now})" if self.new else "leave it out"),
            DeprecationWarning,
            stacklevel=4,
        )


def translated(
    who: str, names: list[str], flags: Collection[str] | None, args: tuple, kwargs: dict, table: Mapping, places: Mapping
) -> tuple[tuple, dict]:
    """A call in today's spelling.

    Args:
        who: name of the class. names: its arguments today. flags: those of them that are True or False; None: none
            is looked for at the end of what is passed by place.
        args, kwargs: the call.
        table: by class, its `Old` entries. places: by class, its `Places`.

    Raises:
        TypeError: two spellings of one thing.
    """
    kwargs, call = dict(kwargs), _Call(who)
    for place in places.get(who, ()):
        if args and place.old(args):
            for name, value in zip(place.order, args):
                if name in kwargs:
                    raise TypeError(f"{who}: {name} is given twice, by place and by name")
                kwargs[name] = value
            if len(args) > len(place.order):
                raise TypeError(f"{who} takes {len(place.order)} arguments by place, got {len(args)}")
            args = ()
            break
    if flags is not None and "p" in names and "always_apply" not in names and "always_apply" not in kwargs:
        args, kwargs = _ended(names, flags, args, kwargs)
    if "p" in names and "always_apply" not in names and "always_apply" in kwargs:
        always = kwargs.pop("always_apply")
        if always is not None and boolean("always_apply", always):
            args, kwargs = _certain(names, args, kwargs)
            call.add(["always_apply"], "0.1 to 1.4", {"p": 1})
    if "p" in names and "strict" not in names and isinstance(kwargs.get("strict"), bool):
        del kwargs["strict"]  # 2.0's word for what is always done here: arguments that a transform does not have are refused
    found: list[tuple[Old, dict, dict]] = []
    for old in table.get(who, ()):
        given = {name: kwargs[name] for name in old.names if name in kwargs}
        if given and old.applies(given, names):
            kwargs = {name: value for name, value in kwargs.items() if name not in given}
            try:
                found.append((old, given, old.turn(given)))
            except TypeError as error:
                raise TypeError(f"{who}: {error}") from None
    known = {*kwargs, *names[: len(args)]}
    for _, given, new in found:
        for name in new:
            if name in known:
                raise TypeError(f"{who}: {next(iter(given))} and {name} are two spellings of one thing; keep {name}")
        known |= set(new)
    for old, given, new in found:
        then = {name: value for name, value in old.then.items() if name not in known}
        known |= set(then)
        kwargs |= new | then
        if then or (new != given and any(value is not None for value in given.values())):
            call.add(list(given), old.versions, new | then)
    call.say(bool(args) or bool(set(kwargs) - set(call.new)))
    return args, kwargs


def _ended(names: list[str], flags: Collection[str], args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The call with ``always_apply``, and ``p`` behind it, by name, where they stood at the end of its places before 2.0."""
    if len(args) == names.index("p") + 2 and (args[-1] is None or isinstance(args[-1], bool)):
        return args[:-1], {**kwargs, "always_apply": args[-1]}  # 1.4.21 to 1.4.24 had it behind p
    for place in range(max(len(args) - 2, 0), min(len(args), len(names))):
        if isinstance(args[place], bool) and names[place] not in flags:
            end = dict(zip(("always_apply", "p"), args[place:]))
            if end.keys() & kwargs.keys():
                return args, kwargs  # given twice: an error that the signature finds
            return args[:place], {**kwargs, **end}
    return args, kwargs


def _certain(names: list[str], args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The call with p=1, wherever p stands."""
    place = names.index("p")
    if place < len(args):
        return (*args[:place], 1.0, *args[place + 1 :]), kwargs
    return args, kwargs | {"p": 1.0}


def number(value) -> bool:
    """Whether it is one number."""
    return is_number(value)


def word(value):
    """The value of an enum's member, anything else as it is."""
    return getattr(value, "value", value)

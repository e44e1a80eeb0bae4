"""What the page asks for each argument of a transform: made of its signature, its docstring and the checks of its constructor."""

from __future__ import annotations

import functools
import inspect
import math
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..checks import BORDERS, RESIZES, is_number
from ..saving import classes
from ..settings import same, shown
from ..spellings.table import SPELLINGS
from ..transform import REGISTRY
from . import heard, words
from .heard import Rule

FIXED = frozenset(
    "read_fn reference_images font_path metadata_key cropping_bbox_key mask_params stopwords transforms first second".split()
)
"""Arguments that the page leaves alone: functions, files and names of entries of a call."""

RARE = frozenset(
    "interpolation mask_interpolation border_mode fill_mask keypoint_remapping_method rotate_method area_for_downscale antialias "
    "approximate normalized mask_height mask_width ensure_safe_range pad_position interpolation_pair".split()
)
"""Arguments that stand behind the others, folded."""

OF_A_NONE = ((-0.1, 0.1), (0.1, 0.2), (-20, 20), (10, 20), 0.5, 20, 1)
"""What is tried for an argument that is None by default, to hear what it is checked by."""


@dataclass(frozen=True)
class Field:
    """How one argument is asked for.

    Attributes:
        kind: "flag" (True or False), "choice" (one of ``choices``), "number", "range" (two numbers in order), "numbers" (a few,
            each by itself), "fixed" (only its value is taken), "text" (anything that `ast.literal_eval` reads).
        value: what it begins with. default: of the constructor; `inspect.Parameter.empty` where there is none.
        whole: whether the numbers are whole ones. low, high, step: of the slider; numbers beyond may be typed.
        optional: whether None may stand for it.
        when: what it gets when it is no longer None.
        choices: words by value.
        said, unit: what its docstring says.
        rare: whether it is folded away at first.
    """

    name: str
    kind: str
    value: Any
    default: Any
    whole: bool = False
    low: float = 0
    high: float = 1
    step: float = 1
    optional: bool = False
    when: Any = None
    choices: dict = field(default_factory=dict)
    said: str = ""
    unit: str = ""
    rare: bool = False

    def takes(self, value: Any) -> bool:
        """Whether its widget can show a value; else it is shown as text."""
        if value is None:
            return self.optional or self.kind == "choice"
        if self.kind == "choice":
            return any(same(value, each) for each in self.choices)
        if self.kind == "flag":
            return isinstance(value, bool)
        if self.kind == "number":
            return is_number(value)
        if self.kind in ("range", "numbers"):
            like = self.value if self.value is not None else self.when
            return isinstance(value, (list, tuple)) and all(map(is_number, value)) and len(value) == len(like)
        return True


def names() -> list[str]:
    """What can be chosen: every registered transform, and the groups."""
    return sorted({*REGISTRY, *GROUPS})


GROUPS = ("OneOf", "SomeOf", "RandomOrder", "Sequential", "OneOrOther", "SelectiveChannelTransform")
"""What holds other transforms."""


def class_of(name: str) -> type:
    """The class of a name that `names` has."""
    return REGISTRY[name] if name in REGISTRY else classes()[name]


def begun(name: str) -> dict[str, Any]:
    """The arguments that a transform begins with on the page: those that show what it does."""
    if name in GROUPS:
        return {"channels": (0,), "p": 1} if name == "SelectiveChannelTransform" else {"p": 1}
    from ..pictures.subjects import given

    return {key: value for key, value in given(name).items() if key not in FIXED}


def made(name: str, arguments: dict[str, Any]):
    """The transform with these arguments; a group with two children that do nothing."""
    if name in GROUPS:
        idle = REGISTRY["NoOp"]
        arguments = {**arguments, "transforms": [idle(), idle()]}
    return class_of(name)(**arguments)


@functools.cache
def fields(name: str) -> tuple[Field, ...]:
    """The fields of a transform or group, in the order of its arguments, the rare ones last.

    Example:
        >>> [(each.name, each.kind, each.low, each.high, each.unit) for each in fields("Solarize")]
        [('threshold_range', 'range', 0, 1, 'fraction'), ('p', 'number', 0, 1, 'probability')]
    """
    found = []
    for parameter in inspect.signature(class_of(name).__init__).parameters.values():
        if parameter.name == "self" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.name in FIXED or "Callable" in str(parameter.annotation) or _is_mask(name, parameter.name):
            continue
        found.append(_Finder(name, parameter).field())
    found = [each for each in found if each is not None]
    return tuple(sorted(found, key=lambda each: (each.rare, each.name == "p")))


def _is_mask(name: str, argument: str) -> bool:
    return name == "Equalize" and argument == "mask"  # an array, or a function


class _Finder:
    """Finds out about one argument, by making the transform with one value and another."""

    def __init__(self, name: str, parameter: inspect.Parameter):
        self.of, self.name, self.default = name, parameter.name, parameter.default
        self.base = begun(name)
        self.value = self.base.get(self.name, self.default)
        self.said = words.about(class_of(name)).get(self.name, "")
        self.rare = self.name in RARE or parameter.kind is parameter.KEYWORD_ONLY
        self.listed = "Sequence" in str(parameter.annotation) and self.default is None  # of any length

    def tried(self, value) -> tuple[list[Rule], str]:
        found, refused = heard.rules(lambda: made(self.of, {**self.base, self.name: value}))
        named = found.get(self.name) or [
            rule for name, rules in found.items() if name.startswith(self.name + "_") for rule in rules
        ]
        return named, refused

    def accepts(self, value) -> bool:
        """Whether the constructor takes it, without a warning."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                made(self.of, {**self.base, self.name: value})
            except Exception:
                return False
        return True

    def former(self) -> bool:
        """Whether it is a spelling of former releases."""
        return any(self.name in old.names and old.only is None for old in SPELLINGS.get(self.of, ()))

    def field(self) -> Field | None:
        if self.default is None and self.former():
            return None
        unit = words.unit(self.said)
        common = {"name": self.name, "default": self.default, "said": self.said, "unit": unit, "rare": self.rare}
        common["optional"] = self.default is None
        if isinstance(self.value, bool):
            return Field(kind="flag", value=self.value, **common)
        choices = self.choices()
        if choices:
            return Field(kind="choice", value=self.value, choices=choices, **common)
        value, rules = self.value, self.tried(self.value)[0]
        if value is None:
            common["when"], rules = self.when()
            value = common["when"]
        elif rules and rules[0].kind in ("span", "whole", "increasing") and is_number(value):  # a number that stands for a range
            kept = getattr(made(self.of, self.base), self.name, value)
            value = tuple(kept) if isinstance(kept, (list, tuple)) else (value, value)
        return self.numeric(value, rules, common) or Field(kind="text", **{**common, "value": self.value, "when": None})

    def choices(self) -> dict:
        """The values of which it is one, with words for them."""
        rules, refused = self.tried("?")
        for rule in rules:
            if rule.kind == "one_of":
                return {value: "none" if value is None else str(value) for value in rule.allowed}
            if rule.kind == "interpolation":
                names = {number: word for number, word in RESIZES.items() if self.accepts(number)}
                return {number: f"{number} {word.removeprefix('INTER_').lower()}" for number, word in names.items()}
            if rule.kind == "border":
                return {number: f"{number} {word}" for number, word in BORDERS.items()}
        if not rules and isinstance(self.value, (str, type(None))):
            found = [word for word in re.findall(r"'(\w+)'", refused) if self.accepts(word)]
            if len(found) > 1:
                return {None: "none"} | dict(zip(found, found)) if self.default is None else dict(zip(found, found))
        return {}

    def when(self) -> tuple[Any, list[Rule]]:
        for value in OF_A_NONE:
            rules, refused = self.tried(value)
            numeric = [rule for rule in rules if rule.kind not in ("colour", "one_of", "boolean")]
            if numeric and not refused:
                pair = isinstance(value, tuple)
                if pair is (numeric[0].kind in ("span", "whole", "increasing")):
                    return value, rules
        return None, []

    def numeric(self, value, rules: list[Rule], common: dict) -> Field | None:
        """A field of numbers, or None where it is none."""
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        rules = [rule for rule in rules if rule.kind in ("real", "integer", "span", "whole", "increasing")]
        if not rules or not values or not all(map(is_number, values)) or self.listed:
            return None
        ordered = any(rule.kind in ("span", "whole", "increasing") for rule in rules)
        kind = "number" if not isinstance(value, (list, tuple)) else "range" if ordered and len(values) == 2 else "numbers"
        if len(values) > 4 or (kind == "numbers" and isinstance(value, list)):
            return None

        def put(each: float, place: int):
            """The value with another number in its place."""
            changed = [each if i == place % len(values) else before for i, before in enumerate(values)]
            return changed[0] if kind == "number" else tuple(changed)

        whole = any(rule.kind in ("integer", "whole") for rule in rules)
        integral = all(float(each).is_integer() for each in values) and max(map(abs, values)) > 1
        whole = whole or (integral and not self.accepts(put(values[-1] - 0.5, -1)))
        low, high, step = self.ends(values, rules, whole, common["unit"])
        if whole and not self.accepts(put(values[-1] + 1, -1)) and self.accepts(put(values[-1] + 2, -1)):
            step = 2  # sides of windows are odd
            low, high = low + (values[-1] - low) % 2, high - (high - values[-1]) % 2
        low = self.reached(low, values[0], step, lambda each: put(each, 0))
        high = self.reached(high, values[-1], step, lambda each: put(each, -1))
        begins = self.value if self.value is None else values[0] if kind == "number" else tuple(values)
        if low == high and kind == "number":
            return Field(kind="fixed", **{**common, "value": begins})
        return Field(kind=kind, whole=whole, low=low, high=high, step=step, **{**common, "value": begins})

    def ends(self, values: list, rules: list[Rule], whole: bool, unit: str) -> tuple[float, float, float]:
        """Ends and steps of the slider: those of the rules, where they are near the values, else some way beyond these."""
        lowest, highest, above = heard.together(rules)
        biggest = max(map(abs, values)) or (highest if highest <= 100 else 10 if whole else 1)
        reach = 180 if unit == "degrees" and biggest <= 180 else 1 if unit == "fraction" and biggest <= 1 else nice(3 * biggest)
        high = highest if highest <= max(10 * biggest, 1) else reach
        low = lowest if lowest >= -10 * biggest and (highest < math.inf or lowest >= 0) else max(lowest, -reach)
        if min(values) >= 0 and lowest == -math.inf and rules[0].kind != "span":
            low = 0
        step = 1 if whole else 10.0 ** math.floor(math.log10((high - low) / 50))
        if not whole and step >= 1:
            step = int(step)
        if above and low == lowest:
            low += step
        return (math.ceil(low), math.floor(high), 1) if whole else (low, high, step)

    def reached(self, end: float, value: float, step: float, put: Callable) -> float:
        """The end of a slider, or what is nearest to it of that which the constructor takes, by bisection."""
        if self.accepts(put(end)):
            return end
        steps = abs(end - value) / step  # from the value, which it takes
        taken, refused = 0, math.floor(steps) + (steps != math.floor(steps))
        while refused - taken > 1:
            middle = (taken + refused) // 2
            if self.accepts(put(rounded(value + (middle * step if end > value else -middle * step)))):
                taken = middle
            else:
                refused = middle
        return rounded(value + (taken * step if end > value else -taken * step)) if taken else value


def nice(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 5 times a power of ten.

    Example:
        >>> nice(0.6), nice(60), nice(450)
        (1.0, 100.0, 500.0)
    """
    power = 10.0 ** math.floor(math.log10(value))
    return rounded(next(each for each in (1, 1.5, 2, 3, 5, 10) if each * power >= value * 0.999) * power)


def rounded(value: float) -> float:
    """A number as it would be typed: without the tails of sums in binary; a whole one where it was made of whole ones.

    Example:
        >>> rounded(0.1 + 0.2), rounded(3)
        (0.3, 3)
    """
    return float(f"{value:.6g}") if isinstance(value, float) else value


def told(value: Any) -> str:
    """A value as one types it into a text."""
    return value if isinstance(value, str) else shown(value)

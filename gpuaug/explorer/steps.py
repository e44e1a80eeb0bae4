"""A pipeline as the page holds it: a tree of names and arguments, made into a Compose, into code, and read from a file."""

from __future__ import annotations

import inspect
import io
import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..compose import Compose
from ..groups import Group
from ..replay import ReplayCompose
from ..saving import load, save
from ..settings import same, settings, shown
from ..transform import Transform
from . import fields

LABELS = ("bbox_params", "keypoint_params", "additional_targets")
"""Of a Compose: what says how a caller's labels are written; the page has labels of its own."""

_numbers = itertools.count()


@dataclass
class Step:
    """A transform or a group.

    Attributes:
        name: of the class. arguments: those that it is given; others have their defaults.
        steps: of a group: what is in it.
        number: tells it from all others.
    """

    name: str
    arguments: dict[str, Any]
    steps: list[Step] = field(default_factory=list)
    number: int = field(default_factory=lambda: next(_numbers))

    @classmethod
    def new(cls, name: str) -> Step:
        """A transform as it is shown at first; a group with two in it."""
        inside = {"SelectiveChannelTransform": ("InvertImg",)}.get(name, ("MotionBlur", "HueSaturationValue"))
        return cls(name, fields.begun(name), [cls.new(each) for each in inside] if name in fields.GROUPS else [])

    def made(self) -> Transform | Group:
        """What it describes. Raises what the constructor raises."""
        arguments = dict(self.arguments)
        if self.name in fields.GROUPS:
            arguments["transforms"] = [step.made() for step in self.steps]
        try:
            return fields.class_of(self.name)(**arguments)
        except (ValueError, TypeError) as error:
            if getattr(error, "step", None) is None:
                error.step = self  # which of the page's cards it belongs to
            raise

    def told(self) -> dict[str, Any]:
        """Its arguments in the constructor's order, p last, without those that have their default."""
        signature = inspect.signature(fields.class_of(self.name).__init__).parameters
        given = {
            name: self.arguments[name]
            for name in signature
            if name != "p" and name in self.arguments and not same(self.arguments[name], signature[name].default)
        }
        return given | {name: value for name, value in self.arguments.items() if name == "p"}

    def written(self, indent: str) -> str:
        """Its line, or lines, of Python."""
        given = ", ".join(f"{name}={shown(value)}" for name, value in self.told().items())
        if self.name not in fields.GROUPS:
            return f"{indent}A.{self.name}({given}),"
        inside = "".join(step.written(indent + "        ") + "\n" for step in self.steps)
        word = "transforms=" if self.name == "OneOrOther" else ""  # which takes them one by one, too
        lines = [f"{indent}A.{self.name}(", f"{indent}    {word}[", f"{inside}{indent}    ],"]
        return "\n".join([*lines, *([f"{indent}    {given},"] if given else []), f"{indent}),"])

    def all(self) -> Iterator[Step]:
        """Itself and all within."""
        yield self
        for step in self.steps:
            yield from step.all()


@dataclass
class Pipeline:
    """All steps, and what else the Compose is given.

    Attributes:
        given: arguments of the Compose beside the steps, the seed, and those of `LABELS`.
    """

    steps: list[Step]
    seed: int = 0
    given: dict[str, Any] = field(default_factory=dict)

    def made(self, params: dict[str, Any]) -> tuple[Compose, list[str]]:
        """(the Compose, what was warned of). params: how the labels of the sample are written."""
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = Compose([step.made() for step in self.steps], **params, **self.given, seed=self.seed)
        return found, list(dict.fromkeys(str(each.message) for each in told))

    def all(self) -> Iterator[Step]:
        for step in self.steps:
            yield from step.all()

    def names(self) -> list[str]:
        return [step.name for step in self.all() if step.name not in fields.GROUPS[:-1]]

    def python(self, params: dict[str, Any]) -> str:
        """An assignment to ``pipeline``, gpuaug being A."""
        lines = ["pipeline = A.Compose(", "    [", *(step.written("        ") for step in self.steps), "    ],"]
        for name, value in params.items():
            kind = {"bbox_params": "BboxParams", "keypoint_params": "KeypointParams"}[name]
            inner = ", ".join(f"{key}={shown(each)}" for key, each in value.items())
            lines.append(f"    {name}=A.{kind}({inner}),")
        lines += [f"    {name}={shown(value)}," for name, value in self.given.items()]
        return "\n".join([*lines, f"    seed={self.seed},", ")"])


def yaml(compose: Compose) -> str:
    """The text of a pipeline's file."""
    text = io.StringIO()
    save(compose, text, "yaml")
    return text.getvalue()


def read(text: str, name: str) -> tuple[Pipeline, str]:
    """A pipeline from the text of a file, and what was left out of it ("": nothing). name: of the file; its end says the format.

    Raises:
        ValueError: what `gpuaug.load` raises; what the page does not show.
    """
    try:
        found = load(io.StringIO(text), "json" if name.lower().endswith(".json") else "yaml")
    except (ValueError, TypeError, ImportError) as error:
        raise ValueError(f"{name}: {error}") from error
    return opened(found, name)


def opened(found: Transform | Group, name: str) -> tuple[Pipeline, str]:
    """The same from what a file holds."""
    if not isinstance(found, Compose):
        return Pipeline([_step(found, name)]), ""
    given = _given(found)
    left = [each for each in LABELS if given.pop(each, None)]
    given.pop("save_applied_params", None)  # the page has it on in any case
    given.pop("save_key", None)
    seed = given.pop("seed", None)
    told = f"{', '.join(left)} of {name}: left out, the page says how its own labels are written" if left else ""
    return Pipeline([_step(each, name) for each in found.transforms], seed or 0, given), told


def _step(found: Transform | Group, name: str) -> Step:
    kind = type(found).__name__
    if isinstance(found, (Compose, ReplayCompose)):
        raise ValueError(f"{name} has a {kind} inside of another: the explorer does not show these; write it as Sequential")
    if kind not in fields.names() or fields.class_of(kind) is not type(found):
        raise ValueError(f"{name} has a {kind}, which the explorer does not show; it knows the transforms and groups of gpuaug")
    given = _given(found)
    for argument in sorted(fields.FIXED & set(given)):
        raise ValueError(
            f"{name}: {kind}({argument}=..) is not for the page, which reads no files but those of its folder and names what a "
            f"call brings itself; leave {argument} out"
        )
    inside = [_step(each, name) for each in found.transforms] if kind in fields.GROUPS else []
    return Step(kind, given, inside)


def _given(found: Transform | Group) -> dict[str, Any]:
    """The arguments that make it, those left out that do not: constructors keep more than they were given."""
    signature = inspect.signature(type(found).__init__).parameters
    inside = {"transforms": found.transforms} if hasattr(found, "transforms") else {}
    given = {name: value for name, value in settings(found).items() if name not in ("transforms", "first", "second")}
    for name, value in list(given.items()):
        shorter = [signature[name].default] if signature[name].default is not inspect.Parameter.empty else []
        if isinstance(value, dict) and set(value) == {"x", "y"} and same(value["x"], value["y"]):
            shorter.append(value["x"])  # as one would write it
        for each in shorter:
            if name == "p" and not isinstance(found, Compose):
                break  # a transform says how often it is applied
            if _makes(found, {**given, name: each, **inside}):
                given[name] = each
                break
    return {
        name: value
        for name, value in given.items()
        if (name == "p" and not isinstance(found, Compose)) or not same(value, signature[name].default)
    }


def _makes(found: Transform | Group, arguments: dict[str, Any]) -> bool:
    """Whether an equal one comes of these arguments."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return same(type(found)(**arguments), found)
        except Exception:
            return False

"""torchvision's own objects made into gpuaug's: pipelines, and transforms in lists."""

from __future__ import annotations

import difflib
import inspect

import torch

from .. import vision
from ..checks import one_of
from ..groups import Group
from ..transform import Transform
from .converted import with_seed

_KEPT = {("RandomIoUCrop", "sampler_options"): "options"}  # arguments that torchvision keeps under another name
_GROUPS = ("Compose", "RandomApply", "RandomChoice", "RandomOrder")


def from_torchvision(pipeline, *, seed: int | None = None, unsupported: str = "raise"):
    """A pipeline, or a transform, of torchvision's as a `gpuaug.vision.Compose`.

    Args:
        pipeline: an object of ``torchvision.transforms`` or ``.v2``: Compose, RandomApply, any transform; an ``nn.Sequential``
            or a list of them; nested too.
        seed: of the Compose.
        unsupported: of what gpuaug.vision does not have (other transforms, classes and functions of your own): "raise", or
            "wrap", which calls it with the image, one by one on the host (`gpuaug.vision.Lambda`; `explain` shows which).

    Raises:
        ValueError: what cannot be converted, arguments of it too: all in one message, with places and what to take instead.
        TypeError: what is no pipeline.

    Example:
        >>> import torchvision.transforms as V, gpuaug as G
        >>> G.from_torchvision(V.Compose([V.RandomHorizontalFlip(), V.ToTensor()]), seed=1)
        Compose([
          RandomHorizontalFlip(p=0.5),
          ToTensor(),
        ], seed=1)
    """
    wrap = one_of("unsupported", unsupported, ("raise", "wrap")) == "wrap"
    if isinstance(pipeline, (torch.nn.Sequential, torch.nn.ModuleList)):
        pipeline = list(pipeline)
    if not isinstance(pipeline, (list, tuple)) and not _is_theirs(pipeline):
        raise TypeError(f"from_torchvision takes torchvision's transforms and lists of them, got {pipeline!r:.80}")
    reader = _Reader(wrap)
    if isinstance(pipeline, (list, tuple)):
        found = [reader.node(each, f"transforms[{i}]") for i, each in enumerate(pipeline)]
    else:
        found = reader.node(pipeline, "transform")
    if reader.faults:
        raise ValueError("\n- ".join(["this pipeline of torchvision cannot be one of gpuaug:", *reader.faults]))
    if not isinstance(found, vision.Compose):
        found = vision.Compose(found if isinstance(found, list) else [found])
    return found if seed is None else with_seed(found, seed)


def adopted(thing):
    """What a list of gpuaug's transforms holds for an object of torchvision's; the object itself if there is nothing like it."""
    reader = _Reader(False)
    found = reader.node(thing, "transform")
    return thing if reader.faults else found


def _is_theirs(thing) -> bool:
    return any(cls.__module__.split(".")[0] == "torchvision" for cls in type(thing).__mro__)


class _Reader:
    """Makes transforms of objects, and keeps what is wrong with them."""

    def __init__(self, wrap: bool):
        self.wrap, self.faults = wrap, []

    def node(self, thing, place: str):
        """What an object becomes; where it becomes nothing, a transform that stands in its place meanwhile."""
        if isinstance(thing, (Transform, Group)):
            return thing
        name, known = type(thing).__name__, len(self.faults)
        if type(thing).__module__.split(".")[0] != "torchvision":
            what = getattr(thing, "__name__", name)
            return self._instead(thing, known, f"{place}: {what} is not torchvision's: unsupported='wrap' calls it")
        if name not in vision.__all__:
            near = difflib.get_close_matches(name, vision.__all__, 1)
            hint = vision.INSTEAD.get(name) or (f"did you mean {near[0]!r}?" if near else "unsupported='wrap' calls it")
            return self._instead(thing, known, f"{place}: gpuaug.vision has no {name}: {hint}")
        cls = getattr(vision, name)
        if name == "Lambda":
            return cls(thing.lambd, *_types(getattr(thing, "types", ())))
        try:
            values = {arg: self._value(thing, name, arg, place) for arg in _arguments(cls)}
            made = cls(**values)
        except (TypeError, ValueError) as error:
            return self._instead(thing, known, f"{place}: {name}: {error}")
        return made

    def _value(self, thing, name: str, arg: str, place: str):
        if name in _GROUPS and arg == "transforms":
            return [self.node(each, f"{place}.transforms[{i}]") for i, each in enumerate(thing.transforms)]
        value = getattr(thing, _KEPT.get((name, arg), arg))
        if (name, arg) == ("RandomErasing", "value"):
            return "random" if value is None else value[0] if isinstance(value, list) and len(value) == 1 else value
        if (name, arg) == ("RandomCrop", "padding") and ".v2" in type(thing).__module__ and value is not None:
            left, right, top, bottom = value  # v2 keeps them so
            return [left, top, right, bottom]
        return value

    def _instead(self, thing, known: int, fault: str):
        if self.wrap and callable(thing) and not hasattr(thing, "transforms"):
            del self.faults[known:]
            return vision.Lambda(thing)
        self.faults.append(fault)
        return vision.Identity()


def _types(given) -> tuple[type, ...]:
    return tuple(each for each in given if isinstance(each, type) and each is not object)


def _arguments(cls) -> list[str]:
    """What torchvision's class of the name takes, too."""
    ours = ("resample", "fillcolor", "seed")  # older spellings, and our own
    found = inspect.signature(cls.__init__).parameters.values()
    return [p.name for p in found if p.name != "self" and p.name not in ours and p.kind is not p.VAR_POSITIONAL]

"""Pipelines as files: written as plain Python, JSON or YAML, and made from them again; albumentations' own files, too."""

from __future__ import annotations

import importlib
import json
import os
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import compose as _compose
from . import former, groups, label_params, transforms
from .arguments import UnknownArgument
from .names import unknown
from .settings import CLASS, FORMAT, NAME, Settings, class_name, restored
from .transform import REGISTRY

OURS = re.compile(r"gpuaug (\d+)")
FORMATS = ("json", "yaml")

# what albumentations 2.0.8 writes beside a class's own arguments: those of the classes that it derives from
_MASKED = "fill fill_mask mask_x_length mask_y_length num_masks_x num_masks_y"
_MOVED = "balanced_scale fit_output keep_ratio rotate scale shear translate_percent translate_px"
INHERITED = {
    "CenterCrop3D": "pad_position",
    "FrequencyMasking": _MASKED,
    "PadIfNeeded": "padding",
    "RGBShift": "approximation noise_params noise_type spatial_mode",
    "RandomCrop3D": "pad_position",
    "SafeRotate": _MOVED,
    "TimeMasking": _MASKED,
}


def to_dict(transform: Settings) -> dict:
    """A transform, a group or a pipeline as plain Python: what `from_dict` makes an equal one of.

    Args:
        transform: what is to be written.

    Returns:
        ``{"__version__": .., "__format__": "gpuaug 1", "transform": {"__class_fullname__": .., argument: value, ..}}``: numbers,
        words, lists and dicts with words for keys, which JSON holds exactly. All arguments stand in it, so that a default that
        changes in a later version changes nothing saved. The seed is among them; how many samples were drawn is not
        (``state_dict()`` holds it).

    Raises:
        ValueError: arguments that no file holds (functions, images), all in one message. A `Lambda` with a ``name`` is written
            by that name.

    Source: albumentations ``to_dict``, whose keys it uses.

    Example:
        >>> import gpuaug as G
        >>> G.to_dict(G.Blur(7))["transform"]
        {'__class_fullname__': 'Blur', 'blur_limit': [3, 7], 'p': 0.5}
    """
    if not isinstance(transform, Settings):
        raise TypeError(f"to_dict takes a transform, a group or a Compose of gpuaug, got {transform!r}")
    return transform.to_dict()


def from_dict(d: Mapping, nonserializable: Mapping | None = None) -> Settings:
    """A transform, a group or a pipeline from what `to_dict` wrote, or albumentations' ``to_dict``.

    Args:
        d: the dict. What albumentations 2.0.8 wrote is read with all its arguments; for other versions of it a warning says
            which, and arguments that have gone since are honoured or refused as they are in a program.
        nonserializable: by name, transforms that a file holds by name alone: ``{"invert": Lambda(image=.., name="invert")}``.

    Raises:
        ValueError: another format; classes, arguments and values that there are not: all of them in one message, each with its
            place in the tree and the nearest name.

    Source: albumentations ``from_dict``.

    Example:
        >>> import gpuaug as G
        >>> aug = G.Compose([G.OneOf([G.HorizontalFlip(), G.Transpose()])], seed=7)
        >>> G.from_dict(G.to_dict(aug)) == aug
        True
    """
    return described(d, nonserializable)


def described(d: Mapping, nonserializable: Mapping | None, instead: Callable | None = None) -> Settings:
    """The same; instead: see `made`, for what albumentations wrote."""
    if not isinstance(d, Mapping) or "transform" not in d:
        raise ValueError(f"from_dict takes what to_dict wrote, a dict with the key 'transform', got {str(d)[:80]}")
    version = str(d.get("__version__", "of a version that it does not say"))
    if _is_ours(d):
        return made(d["transform"], f"this, written by gpuaug {version}, cannot be made:", nonserializable, theirs=False)
    other_version(version, "this was written by albumentations {}")
    head = f"this, written by albumentations {version}, cannot be made:"
    return made(d["transform"], head, nonserializable, theirs=True, instead=instead)


def made(node, head: str, nonserializable: Mapping | None, *, theirs: bool, instead: Callable | None = None) -> Settings:
    """What a node of a tree of dicts describes.

    head: the first line of the error that lists all that is wrong with it. theirs: with albumentations' meaning.
    instead: asked for a transform for the dict of one that cannot be made; None: it has none either.
    """
    reader = _Reader(nonserializable or {}, theirs, instead)
    found = reader.node(node, "transform")
    if reader.faults:
        raise ValueError("\n- ".join([head, *reader.faults]))
    return found


def other_version(version: str, words: str) -> None:
    """Warn of a version of albumentations that is not 2.0."""
    if version[:1].isdigit() and not version.startswith("2.0."):
        words = f"{words.format(version)}; old spellings are read, and what it leaves out has the defaults of 2.0.8"
        warnings.warn(words, UserWarning, stacklevel=3)


def _is_ours(d: Mapping) -> bool:
    """Whether gpuaug wrote it, and not albumentations; refuses a format that this version does not know."""
    if "__format__" not in d:
        return False
    found = OURS.fullmatch(str(d["__format__"]))
    if not found or not 1 <= int(found[1]) <= FORMAT:
        raise ValueError(
            f"this is in the format {d['__format__']!r}, written by gpuaug {d.get('__version__', '?')}; this version reads "
            f"'gpuaug 1'{f' to {FORMAT}' if FORMAT > 1 else ''}: use a gpuaug as new as the one that wrote it"
        )
    return True


class _Reader:
    """Makes transforms of dicts, and keeps what is wrong with them."""

    def __init__(self, named: Mapping, theirs: bool, instead: Callable | None = None):
        self.named, self.theirs, self.instead, self.faults = named, theirs, instead, []
        self.outermost: Mapping = {}

    def node(self, d, place: str):
        """What a dict describes; where something is wrong with it, a transform that stands in its place meanwhile."""
        known = len(self.faults)
        if not isinstance(d, Mapping) or not isinstance(d.get(CLASS), str):
            self.faults.append(f"{place} must be a dict with {CLASS!r}, got {str(d)[:80]}")
            return groups.NoOp()
        if NAME in d:
            return self._by_name(d, place)
        cls = self._class(d[CLASS], place)
        self.outermost = self.outermost or d
        values = {}
        for name, value in d.items():
            if name == "transforms" and isinstance(value, (list, tuple)):
                values[name] = [self.node(each, f"{place}.transforms[{i}]") for i, each in enumerate(value)]
            elif name != CLASS:
                values[name] = self._value(value, f"{place}.{name}")
        if cls is None:
            return self._instead(d, known)
        if self.theirs:
            for name in INHERITED.get(cls.__name__, "").split():
                values.pop(name, None)
            if cls.__name__ == "Compose":
                self._own(d, values)
            if cls.__name__ == "ShiftScaleRotate" and "scale_limit" in values:  # it holds 1 + limit - 1
                values["scale_limit"] = [round(limit, 12) for limit in values["scale_limit"]]
        found = self._made(cls, values, place)
        return self._instead(d, known) if found is None or len(self.faults) > known else found

    def _instead(self, d: Mapping, known: int):
        """What stands in the place of a node of which all faults beyond the first ``known`` are."""
        group = "transforms" in d and d[CLASS].rsplit(".", 1)[-1] in classes()  # what is wrong with its children was said
        found = None if self.instead is None or group else self.instead(d)
        if found is None:
            return groups.NoOp()
        del self.faults[known:]
        return found

    def _own(self, d: Mapping, values: dict) -> None:
        """Leave out what albumentations writes into a Compose inside of another one: how the outer one's labels are written."""
        for name in ("bbox_params", "keypoint_params", "additional_targets"):
            if self.outermost and d is not self.outermost and d.get(name) == self.outermost.get(name):
                values.pop(name, None)

    def _value(self, value, place: str):
        if isinstance(value, Mapping) and CLASS in value:
            return self.node(value, place)
        if isinstance(value, Mapping) and not value.keys() & {"__items__", "__float__"}:
            return {key: self._value(each, f"{place}[{key!r}]") for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._value(each, f"{place}[{i}]") for i, each in enumerate(value)]
        return restored(value)

    def _made(self, cls, values: dict, place: str):
        while True:
            try:
                return cls(**values)
            except UnknownArgument as error:
                self.faults.append(f"{place}: {error}")
                values.pop(error.argument)
            except Exception as error:
                words = str(error)
                self.faults.append(f"{place}: {words if cls.__name__ in words else f'{cls.__name__}: {words}'}")
                return None

    def _by_name(self, d, place: str):
        name = d[NAME]
        if name not in self.named:
            known = f"; there are {', '.join(map(repr, self.named))}" if self.named else ""
            self.faults.append(
                f"{place} is a {d[CLASS]} by the name {name!r}, whose functions no file holds: pass "
                f"nonserializable={{{name!r}: the transform}}{known}"
            )
            return groups.NoOp()
        return self.named[name]

    def _class(self, name: str, place: str) -> type | None:
        short = name.rsplit(".", 1)[-1]
        known = classes()
        if name.startswith("vision."):
            vision = importlib.import_module(".vision", __package__)
            if short in vision.__all__:
                return getattr(vision, short)
            self.faults.append(f"{place}: gpuaug.vision has no {short}{unknown(short, vision.__all__)}")
            return None
        if "." not in name or name.startswith("albumentations."):
            if short in known:
                return known[short]
            if self.theirs and short in former.FORMER:
                return getattr(former, short)
            self.faults.append(f"{place}: there is no {short}{unknown(short, known)}")
            return None
        mine = REGISTRY.get(short)
        module = None if mine is None else mine.__module__
        saved = name.rsplit(".", 1)[0]
        if mine is not None and (f"{module}.{mine.__qualname__}" == name or "__main__" in (module, saved)):
            return mine
        there = "" if mine is None else f"; the {short} that there is comes from {module}"
        self.faults.append(f"{place}: the class {name} is not there: import its module before{there}")
        return None


def classes() -> dict[str, type]:
    """gpuaug's own classes that files name, by name."""
    found = {name: getattr(transforms, name) for name in transforms.__all__}
    for module in (groups, _compose, label_params):
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, Settings) and value.__module__ == module.__name__:
                found[name] = value
    for cls in _compose.Compose.__subclasses__():
        if cls.__module__.startswith("gpuaug.") and class_name(cls) == cls.__name__:
            found[cls.__name__] = cls
    return {name: cls for name, cls in found.items() if isinstance(cls, type) and not name.startswith("_")}


# ---- files ---------------------------------------------------------------------------------------


def save(transform: Settings, filepath_or_buffer: Any, data_format: str | None = None) -> None:
    """Write a transform, a group or a pipeline to a file.

    Args:
        transform: what is to be written; see `to_dict`.
        filepath_or_buffer: a path, or a file that is open for text.
        data_format: "json" or "yaml" (needs PyYAML: the extra ``yaml``); None: YAML where the path ends so, else JSON.

    Raises:
        ValueError: see `to_dict`; nothing is written then.

    Source: albumentations ``save``.

    Example:
        >>> import io, gpuaug as G
        >>> file = io.StringIO()
        >>> G.save(G.HorizontalFlip(), file)
        >>> G.load(io.StringIO(file.getvalue()))
        HorizontalFlip(p=0.5)
    """
    written, kind = to_dict(transform), _format(filepath_or_buffer, data_format)
    if kind == "json":
        text = json.dumps(written, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    else:
        text = _yaml().safe_dump(written, default_flow_style=None, sort_keys=False, allow_unicode=True)
    if isinstance(filepath_or_buffer, (str, os.PathLike)):
        Path(filepath_or_buffer).write_text(text, encoding="utf-8")
    else:
        filepath_or_buffer.write(text)


def load(filepath_or_buffer: Any, data_format: str | None = None, nonserializable: Mapping | None = None) -> Settings:
    """Make a transform, a group or a pipeline from a file of `save`, or of albumentations' ``save``.

    Args:
        filepath_or_buffer: a path, or a file that is open for text.
        data_format: see `save`. YAML is read as data alone: tags that would make objects are an error.
        nonserializable: see `from_dict`.

    Raises:
        ValueError: what is not JSON or YAML, object tags, and all that `from_dict` refuses.

    Source: albumentations ``load``. Example: see `save`.

    Example:
        >>> import io, gpuaug as G
        >>> file = io.StringIO()
        >>> G.save(G.Blur(7), file)
        >>> G.load(io.StringIO(file.getvalue()))
        Blur(blur_limit=(3, 7), p=0.5)
    """
    return from_dict(read(filepath_or_buffer, data_format), nonserializable)


def read(filepath_or_buffer, data_format: str | None = None) -> dict:
    """What a file of `save` holds, as plain Python."""
    kind, where = _format(filepath_or_buffer, data_format), "this"
    if isinstance(filepath_or_buffer, (str, os.PathLike)):
        where = os.fspath(filepath_or_buffer)
        try:
            text = Path(filepath_or_buffer).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{where} is no text in UTF-8: {error.reason} at byte {error.start}") from None
    else:
        text = filepath_or_buffer.read()
    found = _parsed(text, kind, where)
    if not isinstance(found, dict) or "transform" not in found:
        raise ValueError(
            f"{where} holds no pipeline: what gpuaug.save or albumentations writes is a dict with the key 'transform', this "
            f"is {str(found)[:80]!r}"
        )
    return found


def _parsed(text: str, kind: str, where: str):
    if kind == "json":
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{where} is no JSON: {error}; for YAML say data_format='yaml'") from None
    yaml = _yaml()
    try:
        return yaml.safe_load(text)
    except yaml.constructor.ConstructorError as error:
        raise ValueError(
            f"{where} holds a tag that would make an object ({error.problem}); gpuaug reads plain YAML: numbers, words, lists "
            f"and dicts"
        ) from None
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ValueError(f"{where} is no YAML: {problem}{f', in line {mark.line + 1}' if mark else ''}") from None


def _format(file, data_format: str | None) -> str:
    if data_format is None:
        path = os.fspath(file) if isinstance(file, (str, os.PathLike)) else ""
        return "yaml" if path.lower().endswith((".yaml", ".yml")) else "json"
    if data_format not in FORMATS:
        raise ValueError(f"data_format must be 'json' or 'yaml', got {data_format!r}")
    return data_format


def _yaml():
    try:
        import yaml
    except ImportError:
        raise ImportError("YAML needs PyYAML: pip install 'gpuaug[yaml]', or save as JSON") from None
    return yaml

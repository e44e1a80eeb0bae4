"""Labels that change where a transform mirrors: what was the left eye is the right one."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import torch

from .transform import REGISTRY


def checked(mapping, fields: tuple[str, ...]) -> dict:
    """``{transform: {field: {label: label}}}``, or with a name between, of an element that a transform draws."""
    if not isinstance(mapping, dict):
        raise TypeError(f"label_mapping must be a dict of transforms, label fields and labels, got {mapping!r}")
    for name, of in mapping.items():
        if name not in REGISTRY:
            raise ValueError(f"label_mapping names {name!r}, which is no transform of gpuaug")
        elements = REGISTRY[name].elements
        if not isinstance(of, dict):
            raise TypeError(f"label_mapping[{name!r}] must be a dict, got {of!r}")
        wrong = [element for element in of if elements and element not in elements]
        if wrong:
            raise ValueError(f"label_mapping[{name!r}] has {wrong[0]!r}; its elements are {', '.join(elements)}")
        for part in of.values() if elements else (of,):
            _check_fields(name, part, fields)
    return mapping


def _check_fields(name: str, part, fields: tuple[str, ...]) -> None:
    if not isinstance(part, dict):
        raise TypeError(f"label_mapping[{name!r}] must lead to dicts of label fields, got {part!r}")
    for field, labels in part.items():
        if field not in fields:
            raise ValueError(
                f"label_mapping[{name!r}] names {field!r}, which is not among label_fields ({', '.join(fields) or 'none'})"
            )
        if not isinstance(labels, dict):
            raise TypeError(f"label_mapping[{name!r}][{field!r}] must be a dict of labels, got {labels!r}")


def fields_of(mapping: dict | None) -> tuple[str, ...]:
    """The label fields that a mapping speaks of."""
    found = {}
    for name, of in (mapping or {}).items():
        for part in of.values() if REGISTRY[name].elements else (of,):
            found.update(dict.fromkeys(part))
    return tuple(found)


def turned(labels: list, names: dict) -> list:
    """Labels by a mapping; those that it does not hold stay."""
    return [names.get(label, label) if isinstance(label, Hashable) else label for label in labels]


def order(before: list, after: list) -> list[int]:
    """In which order entries whose labels became ``after`` have the labels ``before`` again, as far as they can."""
    free: dict = {}
    for k, label in enumerate(after):
        free.setdefault(label, []).append(k)
    places = [free[label].pop(0) if free.get(label) else None for label in before]
    rest = iter(sorted(k for some in free.values() for k in some))
    return [next(rest) if place is None else place for place in places]


def written_as(values, labels: np.ndarray):
    """Labels in a container as ``values`` is one."""
    labels = labels.tolist()
    if isinstance(values, torch.Tensor):
        return torch.tensor(labels, dtype=values.dtype, device=values.device)
    if isinstance(values, np.ndarray):
        return np.array(labels, None if values.dtype.kind in "US" else values.dtype)
    return type(values)(labels) if hasattr(values, "iloc") else labels

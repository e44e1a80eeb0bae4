"""What stands in a sample beside its pictures, as columns of a table, and back: the same values in the same structure.

A template says how samples are built: ``{"tuple": [..]}``, ``{"dict": [[key, ..], ..]}``, ``{"slot": "image"}``, or a column with
what its entries are. Texts and numbers are columns of Arrow's own types. Arrays and tensors are lists of their numbers, with
their shapes in a column beside. Lists, and what is None in the first sample, are JSON.
"""

import json

import numpy as np
import torch

from ..structure import Slot, get, outline
from .files import CacheError, arrow

PLAIN = {bool: "bool", int: "int", float: "float", str: "str", bytes: "bytes"}
NUMBERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64")


def template(rest, path=()):
    """The template of a sample with Slots in place of its pictures; CacheError names an entry that no column holds."""
    if isinstance(rest, Slot):
        return {"slot": rest.name}
    if type(rest) is tuple:
        return {"tuple": [template(child, (*path, k)) for k, child in enumerate(rest)]}
    if type(rest) is dict:
        for key in rest:
            if type(key) not in (str, int):
                raise CacheError(f"a sample has the key {key!r}, and a cache stores texts and whole numbers as keys; rename it")
        return {"dict": [[key, template(child, (*path, key))] for key, child in rest.items()]}
    column = {"column": "sample." + ".".join(map(str, path)), "path": list(path)}
    kind = PLAIN.get(type(rest))
    if kind is not None:
        return {**column, "kind": kind}
    if isinstance(rest, (np.ndarray, np.generic, torch.Tensor)):
        made = _array(rest)
        if made is not None and made.dtype.name in NUMBERS:
            return {**column, "kind": "tensor" if isinstance(rest, torch.Tensor) else "array", "dtype": made.dtype.name}
    elif rest is None or (type(rest) is list and _is_json(rest)):
        return {**column, "kind": "json"}
    where = path[0] if len(path) == 1 else path
    raise CacheError(
        f"the entry {where!r} of a sample is {outline(rest)}, a {type(rest).__name__}; a cache stores tuples, dicts, numbers, "
        f"texts, bytes, None, arrays and tensors of numbers, and lists of plain values: let the dataset return one of these"
    )


def _array(leaf):
    if isinstance(leaf, torch.Tensor):
        try:
            return leaf.detach().cpu().numpy()
        except TypeError:  # bfloat16
            return None
    return np.asarray(leaf)


def _is_json(value):
    if isinstance(value, (list, dict)):
        keys = all(type(key) is str for key in value) if isinstance(value, dict) else True
        return type(value) in (list, dict) and keys and all(map(_is_json, value.values() if isinstance(value, dict) else value))
    return value is None or type(value) in (bool, int, float, str)


def columns(of):
    """The columns of a template, in order."""
    if "column" in of:
        return [of]
    parts = of.get("tuple") or [child for _, child in of.get("dict", ())]
    return [column for part in parts for column in columns(part)]


def slots(of, path=()):
    """{name of a picture: its path} of a template."""
    if "slot" in of:
        return {of["slot"]: path}
    parts = enumerate(of["tuple"]) if "tuple" in of else of.get("dict", ())
    return {name: where for key, part in parts for name, where in slots(part, (*path, key)).items()}


def fields(of):
    """Arrow's fields for a template's columns."""
    pa, found = arrow(), []
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "str": pa.string(), "bytes": pa.large_binary()}
    for column in columns(of):
        if column["kind"] in ("array", "tensor"):
            found.append(pa.field(column["column"], pa.list_(pa.from_numpy_dtype(np.dtype(column["dtype"])))))
            found.append(pa.field(column["column"] + ".shape", pa.list_(pa.int32())))
        else:
            found.append(pa.field(column["column"], types.get(column["kind"], pa.string())))
    return found


def arrays(of, rests, names):
    """Arrow arrays of these samples' entries; None for a bad one. `names`: how a message calls each."""
    pa, found = arrow(), {}
    types = {field.name: field.type for field in fields(of)}
    for column in columns(of):
        values, shapes = [], []
        for rest, name in zip(rests, names, strict=True):
            value, shape = (None, None) if rest is None else _stored(column, get(rest, tuple(column["path"])), name)
            values.append(value)
            shapes.append(shape)
        found[column["column"]] = pa.array(values, types[column["column"]])
        if column["kind"] in ("array", "tensor"):
            found[column["column"] + ".shape"] = pa.array(shapes, pa.list_(pa.int32()))
    return found


def _stored(column, value, name):
    kind, fits = column["kind"], False
    if kind in ("array", "tensor"):
        made = _array(value) if isinstance(value, (np.ndarray, np.generic, torch.Tensor)) else None
        if made is not None and made.dtype.name == column["dtype"] and isinstance(value, torch.Tensor) == (kind == "tensor"):
            return made.reshape(-1), list(made.shape)
    elif kind == "json":
        fits = _is_json(value)
        value = json.dumps(value) if fits else value
    elif PLAIN.get(type(value)) == kind:
        fits = kind != "int" or -(2**63) <= value < 2**63
    if not fits:
        raise CacheError(
            f"{name}: its entry {column['column'].removeprefix('sample.')!r} is {value!r:.60}, where the first sample has "
            f"{column.get('dtype', kind)}; a column of a cache has one type: let the dataset return it in all samples"
        )
    return value, None


class Rests:
    """The samples of one part, without their pictures."""

    def __init__(self, of, found):
        self._of, self._get = of, {column["column"]: _getter(column, found) for column in columns(of)}

    def sample(self, row, slot):
        """A sample with what `slot` makes of a picture's name in place of the pictures."""
        return self._build(self._of, row, slot)

    def _build(self, of, row, slot):
        if "column" in of:
            return self._get[of["column"]](row)
        if "slot" in of:
            return slot(of["slot"])
        if "tuple" in of:
            return tuple([self._build(part, row, slot) for part in of["tuple"]])
        return {key: self._build(part, row, slot) for key, part in of["dict"]}


def _getter(column, found):
    values, kind = found[column["column"]], column["kind"]
    if kind in ("int", "float"):
        return values.fill_null(0).to_numpy().item  # 60 ns, where Arrow's scalars take 600; only bad samples have none
    if kind == "json":
        return lambda row: json.loads(values[row].as_py())
    if kind in ("array", "tensor"):
        shapes, dtype = found[column["column"] + ".shape"], np.dtype(column["dtype"])

        def array(row):
            made = np.array(values[row].values.to_numpy(zero_copy_only=False), dtype).reshape(shapes[row].as_py())
            if kind == "tensor":
                return torch.from_numpy(made)
            return made if made.ndim else made[()]

        return array
    return lambda row: values[row].as_py()

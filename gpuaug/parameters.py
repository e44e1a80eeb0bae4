"""What a kernel's function takes beside pixels: named numbers for each sample, which become a struct of 32-bit words.

The library packs and checks them (kernels/host/params.hpp); here it is declared what they are, and said what is wrong with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

# NumPy's and C++'s type of a parameter, what the library is told of it, and whether it is one that was found in the samples
_NUMBERS = {"f32": ("<f4", "float", "f"), "i32": ("<i4", "int", "i"), "u32": ("<u4", "u32", "u")}
_LYING = {"fill": ("<i4", "int", "c"), "tables": ("(7,)<i4", "Tables", "i")}
_OFFSET = ("<i4", "int", "i")  # of what a reduction found
_RANGES = {"i": (-(2**31), 2**31 - 1), "u": (0, 2**32 - 1)}
_NAMES, _TYPE, _RANGE, _SHAPE, _COUNT, _NAN = range(1, 7)  # Wrong of kernels/host/params.hpp
_TABLE = 1000  # OF_TABLE there


@dataclass(frozen=True)
class Declared:
    """One parameter, "TYPE NAME" or "TYPE NAME[COUNT]": ``count`` is 0 where there is none."""

    kind: str
    name: str
    count: int
    types: tuple[str, str, str]

    @property
    def field(self) -> tuple:
        return (self.name, self.types[0], (self.count,)) if self.count else (self.name, self.types[0])

    @property
    def layout(self) -> bytes:
        shape = np.dtype(self.field[1]).shape
        return self.types[2].encode() + bytes([shape[0] if shape else self.count])


@dataclass(frozen=True)
class Parameters:
    """What a kernel's function takes beside pixels: a struct of 32-bit words.

    Attributes:
        name: of the function.
        params: declarations in order, "TYPE NAME" or "TYPE NAME[COUNT]", of f32, i32, u32; `ROOM` bytes at most. "fill NAME" are
            colours, float32 ``[channels]``, or for each sample ``[n, .., channels]``; the kernel gets their offset in the blob.
            "tables NAME", and a reduction's name in place of the type, "moments NAME" ("moments? NAME": or none), are what was
            found in the samples; the kernel gets where it lies.
        doc: what it computes.
    """

    ROOM: ClassVar[int] = 48  # bytes: Op.p of kernels/rows.cuh
    FOUND: ClassVar[tuple[str, ...]] = ()  # the reductions whose names may stand in place of a type

    name: str
    params: tuple[str, ...] = ()
    doc: str = ""

    def __post_init__(self):
        if self.dtype.itemsize > self.ROOM:
            raise ValueError(f"{self.name} has parameters of {self.dtype.itemsize} bytes, there is room for {self.ROOM}")

    @cached_property
    def declared(self) -> tuple[Declared, ...]:
        out = []
        for each in self.params:
            found = re.fullmatch(r"(\w+\??) (\w+)(?:\[(\d+)\])?", each)
            kind, name, count = found.groups() if found else ("", "", None)
            types = {**_NUMBERS, **_LYING, **{k + end: _OFFSET for k in self.FOUND for end in ("", "?")}}.get(kind)
            if types is None:
                raise ValueError(
                    f"{self.name}: {each!r} is no parameter; write 'TYPE NAME' or 'TYPE NAME[COUNT]', TYPE being one of "
                    f"{', '.join((*_NUMBERS, *_LYING, *self.FOUND))}"
                )
            out.append(Declared(kind, name, int(count or 0), types))
        return tuple(out)

    @cached_property
    def dtype(self) -> np.dtype:
        return np.dtype([each.field for each in self.declared])

    @cached_property
    def told(self) -> tuple[tuple[str, ...], bytes]:
        """What the library is told of the parameters: their names, and a type and a length for each."""
        return tuple(each.name for each in self.declared), b"".join(each.layout for each in self.declared)

    def plain(self, params: dict, table):
        """The same numbers, of types that the library reads."""
        return {name: _plain(value) for name, value in params.items()}, table if table is None else _plain(table)

    def refuse(self, who: str, wrong: int, count: int, channels: int, params: dict, table=None, lead: int = 0) -> None:
        """Raise what the library found wrong, as it is told there, of parameters and a table of ``count`` samples."""
        which, what = divmod(wrong, 8)
        if which == _TABLE:
            raise self._table(who, what, count, channels, table, lead)
        if what == _NAMES:
            raise ValueError(f"{who}: {self._names(params)}")
        each = self.declared[which]
        value, said = np.asarray(params[each.name]), self.params[which]
        if each.kind == "fill":
            raise ValueError(
                f"{who}: {each.name} of {self.name} must be float32 [{channels}], or [{count}, .., {channels}], as "
                f"Track.colour makes them, got {value.dtype} {list(value.shape)}"
            )
        if what == _TYPE:
            raise TypeError(f"{who}: {each.name} of {self.name} is {said}, got {value.dtype}")
        if what == _RANGE:
            raise ValueError(f"{who}: {each.name} of {self.name} is {said}, {_extent(value)} does not fit")
        if what == _NAN:
            of = int(np.argmax(np.isnan(value.reshape(max(len(value), 1) if value.ndim else 1, -1)).any(1)))
            raise ValueError(f"{who}: {each.name} of {self.name} is NaN for sample {of} of those that it is for")
        lines = f", {each.count}" if each.count else ""
        raise ValueError(
            f"{who}: {each.name} of {self.name} must be one for all, or [{count}{lines}] for {count} samples, "
            f"got shape {value.shape}"
        )

    def _names(self, params: dict) -> str:
        wanted, parts = {each.name for each in self.declared}, []
        for word, names in (("lacks", wanted - params.keys()), ("does not know", params.keys() - wanted)):
            if names:
                parts.append(f"{word} {', '.join(sorted(names))}")
        return f"{self.name} takes {', '.join(self.params) or 'no parameters'}; it {' and '.join(parts)}"

    def _table(self, who: str, what: int, count: int, channels: int, table, lead: int) -> Exception:
        raise NotImplementedError(f"{self.name} has no table")

    def struct_lines(self, name: str, more: str = "") -> Iterable[str]:
        """The struct of parameters in C++."""
        yield ""
        yield f"// {self.doc}"
        if more:
            yield more
        yield f"struct AUG_ALIAS {name} {{"
        yield from (f"  {each.types[1]} {said.split()[1]};" for each, said in zip(self.declared, self.params))
        yield "};"


@dataclass(frozen=True)
class WithTable(Parameters):
    """Parameters, and a table beside them.

    Attributes:
        table: what of the blob the function reads: "TYPE [SHAPE]: in words", SHAPE being of numbers, ``channels`` and, first,
            ``n`` for any number of entries; "" if nothing.
    """

    table: str = ""

    def __post_init__(self):
        super().__post_init__()
        _ = self.axes

    @cached_property
    def axes(self) -> np.ndarray | None:
        """What the library is told of the table: its type, and its axes, -1 for any number and -2 for the channels."""
        if not self.table:
            return None
        found = re.match(r"(\w+) \[([^\]]+)\]", self.table)
        lengths = {"n": -1, "channels": -2}
        axes = found[2].split(", ") if found else []
        if not found or found[1] not in _NUMBERS or not all(axis.isdigit() or axis in lengths for axis in axes):
            raise ValueError(
                f"{self.name}: {self.table!r} is no table; write 'TYPE [SHAPE]: in words', TYPE being one of "
                f"{', '.join(_NUMBERS)} and SHAPE of numbers, n and channels"
            )
        return np.array([ord(_NUMBERS[found[1]][2]), *(lengths[a] if a in lengths else int(a) for a in axes)], np.int32)

    def _table(self, who, what, count, channels, table, lead):
        table = np.asarray(table)
        if what == _COUNT:
            return ValueError(
                f"{who}: the table of {self.name} is of {len(table) if table.ndim else 0} samples, it is for {count}"
            )
        said = f"{who}: the table of {self.name} is {self.table}"
        if what == _TYPE:
            return TypeError(f"{said}, got {table.dtype}")
        if what == _RANGE:
            return ValueError(f"{said}, {_extent(table)} does not fit")
        return ValueError(
            f"{said}; of images of {channels} channels, got shape {list(table.shape[lead:])}{' for each sample' if lead else ''}"
        )


def _plain(value):
    """float64 or int64, where it was another number; what is none stays as it is."""
    value = np.asarray(value)
    if value.dtype.char in "fd?bBhHiIlLqQ" and value.dtype.isnative:
        return value
    return value.astype({"f": np.float64, "i": np.int64, "u": np.uint64}.get(value.dtype.kind, value.dtype))


def _extent(value: np.ndarray) -> str:
    return f"{value.min()} .. {value.max()}"


def camel(name: str) -> str:
    return name.title().replace("_", "")

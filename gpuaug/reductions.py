"""The tables of reductions and lookups: what is found in a sample, and what is made of that, without leaving the device.

A reduction reads all pixels of a sample's stage and writes numbers for each tile and channel; a lookup reads those and writes
a table of 256 bytes for each histogram, or what else an operation wants to know. `python kernels/generate.py` makes
kernels/reductions.gen.cuh of this module: codes, structs of parameters, and the dispatch to ``reduce_<name>``
(kernels/reduce.cuh) and ``lookup_<name>`` (kernels/lookup.cuh).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from .parameters import Parameters, camel

TABLE = 64  # words of 4 bytes of a table


@dataclass(frozen=True)
class Reduction:
    """
    Attributes:
        name: of the function ``reduce_<name>``.
        words: how many words of 4 bytes it writes for each tile and channel.
        for_each: how many more for each channel that it is of.
        tiles: whether it takes an image in tiles; else the whole image is one.
        doc: what it writes.
    """

    name: str
    words: int
    tiles: bool
    doc: str
    for_each: int = 0

    @cached_property
    def code(self) -> int:
        return list(REDUCTIONS).index(self.name)

    def words_of(self, channels: int) -> int:
        """Words for a tile and channel, of so many channels."""
        return self.words + self.for_each * channels


@dataclass(frozen=True)
class Lookup(Parameters):
    """
    Attributes:
        name: of the function ``lookup_<name>``.
        reads: the reduction whose numbers it is made of.
        makes: "tables", one of 256 bytes for each histogram; else the name by which operations ask for it, one thing for a
            sample.
        room: the words that it takes, from the number of channels.
    """

    ROOM = 20  # LookupRow.p of kernels/rows.cuh

    reads: str = "histogram"
    makes: str = "tables"
    room: Callable[[int], int] = lambda channels: TABLE

    @cached_property
    def code(self) -> int:
        return list(LOOKUPS).index(self.name)

    @property
    def struct(self) -> str:
        """The C++ name of its parameters."""
        return camel(self.name) + "Lookup"


@dataclass(frozen=True)
class Found:
    """Where something lies that a plan finds in samples, for `Track.op` and `Track.lookup`.

    Attributes:
        kind: the reduction, or "tables".
        rows: int ``[n]``, the samples.
        at: int64 ``[n]``, where that of each begins, in words of 4 bytes.
        channels: the first of the channels that it is of, and how many there are.
        tiles: how many tiles, down and across.
        tile: int ``[n, 2]``, height and width of a tile.
        segment: of the track, whose plan's memory it lies in: a host stage ends it.
    """

    kind: str
    rows: np.ndarray = field(repr=False)
    at: np.ndarray = field(repr=False)
    channels: tuple[int, int]
    tiles: tuple[int, int]
    tile: np.ndarray = field(repr=False)
    segment: int

    def part(self, which: np.ndarray) -> Found:
        """That of some of its samples."""
        return replace(self, rows=self.rows[which], at=self.at[which], tile=self.tile[which])

    def words(self) -> np.ndarray:
        """What an operation is told of it: an offset, or `Tables` of kernels/reductions.gen.cuh."""
        if self.kind != "tables":
            return self.at
        out = np.empty((len(self.rows), 7), np.int32)
        out[:, 0], out[:, 1:3], out[:, 3:5], out[:, 5:] = self.at, self.channels, self.tiles, self.tile
        return out


REDUCTIONS: dict[str, Reduction] = {
    each.name: each
    for each in (
        Reduction(
            "moments", 5, False, "number of values that are no NaN, sum, minimum, maximum, squared deviations from the mean"
        ),
        Reduction("histogram", 256, True, "how often each of the values 0 .. 255 occurs"),
        Reduction(
            "covariance",
            4,
            False,
            "as float64 the number of pixels, the sum, and the sums of products with this channel and those behind it",
            for_each=2,
        ),
        Reduction("luma", 2, False, "of 1 or 3 channels, for the first: the mean gray value, as float64"),
        Reduction("lightness", 1, False, "of 3 channels, for the first: the deviation of half the sum of the extremes"),
        Reduction("tint", 1, False, "of 1 or 3 channels, for the first: the mean of torchvision's gray values"),
    )
}

LOOKUPS: dict[str, Lookup] = {
    each.name: each
    for each in (
        Lookup(
            "equalize",
            ("i32 pil",),
            "a flat histogram, as cv2.equalizeHist has it; pil: 1 albumentations' _equalize_pil, 2 Pillow and torchvision",
        ),
        Lookup("clahe", ("i32 clip", "i32 area"), "a flat histogram of which no bin is above clip, of tiles of so many pixels"),
        Lookup(
            "autocontrast",
            ("u32 cutoff[2]", "i32 pil", "i32 ignore"),
            "the range less cutoff (percent, the bits of a double) at its ends, stretched by its distribution or (pil) linearly; "
            "ignore: a value that stays, or -1",
        ),
        Lookup(
            "eigen",
            ("i32 channels",),
            "number of pixels, means, variances along the eigenvectors of the covariances, the largest first; of each channel "
            "its part in each. Then room for two matrices of float64",
            reads="covariance",
            makes="eigen",
            room=lambda n: 1 + 2 * n + n * n + 4 * n * n,
        ),
    )
}

# what operations may ask for by name, beside tables: what was found, and what was made of it
FOUND = (*REDUCTIONS, *dict.fromkeys(each.makes for each in LOOKUPS.values() if each.makes != "tables"))


def layout(tiles: tuple[int, int], size: np.ndarray) -> np.ndarray:
    """Heights and widths of tiles of images of these sizes ``[n, 2]``, as OpenCV's CLAHE cuts them: where one of both sides is no
    multiple of its number of tiles, both are extended to the next that is larger."""
    count = np.asarray(tiles)
    rest = size % count
    return np.where(rest.any(1)[:, None], size - rest + count, size) // count


# ---- what the kernels are told ----------------------------------------------------------------------------------------------


def _lines() -> Iterable[str]:
    yield "// reductions.gen.cuh: made of gpuaug/reductions.py by `python kernels/generate.py`; not to be edited."
    yield "// clang-format off"
    yield "#pragma once"
    yield '#include "lang.cuh"'
    yield "namespace aug {"
    yield ""
    yield "// Where a sample's tables lie (in words of 4 bytes), of which channels, how many down and across, and of what tiles."
    yield "struct AUG_ALIAS Tables {"
    yield "  int at, first, count, down, across, height, width;"
    yield "};"
    yield ""
    yield f"enum {{ TABLE_WORDS = {TABLE} }};"
    for kind, entries in (("Reduction", REDUCTIONS), ("Lookup", LOOKUPS)):
        prefix = {"Reduction": "REDUCE", "Lookup": "LOOKUP"}[kind]
        yield ""
        if kind == "Reduction":
            yield from (f"// {each.name}: {each.doc}" for each in entries.values())
        yield f"enum {kind}Code {{"
        yield from (f"  {prefix}_{each.name.upper()} = {each.code}," for each in entries.values())
        yield "};"
    for each in LOOKUPS.values():
        yield from each.struct_lines(each.struct)
    yield ""
    yield "// X(code, function)"
    yield "#define AUG_REDUCTIONS(X) \\"
    yield " \\\n".join(f"  X(REDUCE_{each.name.upper()}, reduce_{each.name})" for each in REDUCTIONS.values())
    yield ""
    for which, tables in (("TABLE", True), ("OTHER", False)):
        yield "// X(code, function, parameters)"
        yield f"#define AUG_{which}_LOOKUPS(X) \\"
        made = [each for each in LOOKUPS.values() if (each.makes == "tables") == tables]
        yield " \\\n".join(f"  X(LOOKUP_{each.name.upper()}, lookup_{each.name}, {each.struct})" for each in made)
    yield ""
    yield "}  // namespace aug"


def header() -> str:
    return "\n".join(_lines()) + "\n"

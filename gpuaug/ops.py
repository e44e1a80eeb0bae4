"""The table of pixel operations: the one place that says what each is called, takes and needs.

`python kernels/generate.py` makes kernels/ops.gen.cuh of it: codes, a struct of parameters for each operation, the dispatch, and
the functions of those that are an expression of one value. The function of another is ``op_<name>`` in one of kernels/op_*.cuh; a
transform appends an operation with `Track.op`.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

ROOM = 48  # bytes of parameters: Op.p of kernels/rows.cuh
# A colour, and what `Track.reduce` and `Track.lookup` return (with a question mark: it may be left out): where they lie.
_PLAIN = {"f32": ("<f4", "float"), "i32": ("<i4", "int"), "u32": ("<u4", "u32")}
_LYING = {"fill": ("<i4", "int"), "tables": ("(7,)<i4", "Tables")}


def _types(kind: str) -> tuple[str, str]:
    """NumPy's and C++'s type of a parameter; what is no type is a reduction's name: the offset of what it found."""
    return {**_PLAIN, **_LYING}.get(kind, ("<i4", "int"))


_RANGES = {"<i4": (-(2**31), 2**31 - 1), "<u4": (0, 2**32 - 1)}
_IN_RANGE = {"<i4": "?BHbhi", "<u4": "?BHI"}  # NumPy's types of which every number fits
NEEDS = ("position", "rgb")


class Stream(enum.IntEnum):
    """Word 2 of the counter of random words (kernels/philox.cuh, threefry.cuh): what they are for."""

    NOISE = 0  # per pixel, gauss
    FILL = 1  # per pixel, what holes are filled with
    COLOUR = 2  # per hole, or per sample
    PIXELS = 3  # per pixel, which are dropped
    CHANNELS = 4  # per channel, which are dropped
    GRID = 5  # per cell of a grid
    OBJECTS = 6  # per object of a mask
    PLACES = 7  # per object, where its holes lie
    SHAPES = 8  # per shape, where it lies


@dataclass(frozen=True)
class Parameters:
    """What a kernel's function takes beside pixels: a struct of 32-bit words.

    Attributes:
        name: of the function.
        params: declarations in order, "TYPE NAME" or "TYPE NAME[COUNT]", of f32, i32, u32; 48 bytes at most. "fill NAME" are
            colours, float32 ``[channels]``, or for each sample ``[n, .., channels]``; the kernel gets their offset in the blob.
            "tables NAME", and a reduction's name in place of the type, "moments NAME" ("moments? NAME": or none), are what was
            found in the samples; the kernel gets where it lies.
        doc: what it computes.
    """

    name: str
    params: tuple[str, ...] = ()
    doc: str = ""

    @cached_property
    def dtype(self) -> np.dtype:
        fields = []
        for each in self.params:
            kind, name = each.split()
            name, _, count = name.rstrip("]").partition("[")
            fields.append((name, _types(kind)[0], (int(count),)) if count else (name, _types(kind)[0]))
        return np.dtype(fields)

    def pack(self, who: str, count: int, params: dict) -> np.ndarray | None:
        """Parameters by name, each a number or ``[count, ..]``, as 32-bit words ``[count or 1, k]``; None if it takes none."""
        dtype = self.dtype
        if params.keys() != (dtype.fields or {}).keys():
            self._refuse(who, params)
        if not dtype.fields:
            return None
        values = {name: np.asarray(value) for name, value in params.items()}
        one = all(value.ndim == len(dtype[name].shape) for name, value in values.items())
        packed = np.empty(1 if one else count, dtype)
        for name, value in values.items():
            field = dtype[name]
            if value.dtype.kind not in ("biuf" if field.base.kind == "f" else "biu") and value.size:
                raise TypeError(f"{who}: {name} of {self.name} is {self._declared(name)}, got {value.dtype}")
            self._in_range(who, name, value, field.base.str)
            try:
                packed[name] = value
            except ValueError:
                lines = "" if not field.shape else f", {field.shape[0]}"
                raise ValueError(
                    f"{who}: {name} of {self.name} must be one for all, or [{count}{lines}] for {count} samples, "
                    f"got shape {value.shape}"
                ) from None
        return packed.view(np.int32).reshape(len(packed), -1)

    def _in_range(self, who: str, name: str, value: np.ndarray, kind: str) -> None:
        if kind not in _RANGES or value.dtype.char in _IN_RANGE[kind] or not value.size:
            return
        low, high = (int(value), int(value)) if value.ndim == 0 else (int(value.min()), int(value.max()))
        if low < _RANGES[kind][0] or high > _RANGES[kind][1]:
            raise ValueError(f"{who}: {name} of {self.name} is {self._declared(name)}, {low} .. {high} does not fit")

    @cached_property
    def fills(self) -> tuple[str, ...]:
        """The parameters that are colours."""
        return tuple(each.split()[1] for each in self.params if each.startswith("fill "))

    @cached_property
    def entries(self) -> tuple[str, list[str]]:
        """The element type of its table, and the axes."""
        found = re.match(r"(\w+) \[([^\]]+)\]", self.table)
        return found[1], found[2].split(", ")

    def check_table(self, who: str, values: np.ndarray, lead: int, channels: int) -> np.ndarray:
        """A table as 32-bit words, or an error; lead: how many of its first axes are not one sample's."""
        kind, axes = self.entries
        want = [{"n": None, "channels": channels}.get(axis) if not axis.isdigit() else int(axis) for axis in axes]
        shape = values.shape[lead:]
        if len(shape) != len(want) or any(w not in (None, s) for w, s in zip(want, shape)):
            raise ValueError(
                f"{who}: the table of {self.name} is {self.table}; of images of {channels} channels, "
                f"got shape {list(shape)}{' for each sample' if lead else ''}"
            )
        if values.dtype.kind not in ("biuf" if kind == "f32" else "biu") and values.size:
            raise TypeError(f"{who}: the table of {self.name} is {self.table}, got {values.dtype}")
        dtype = np.dtype(_types(kind)[0])
        if kind != "f32" and values.size and values.dtype.char not in _IN_RANGE[dtype.str]:
            low, high = int(values.min()), int(values.max())
            if low < _RANGES[dtype.str][0] or high > _RANGES[dtype.str][1]:
                raise ValueError(f"{who}: the table of {self.name} is {self.table}, {low} .. {high} does not fit")
        return np.ascontiguousarray(values, dtype)

    def _declared(self, name: str) -> str:
        return next(each for each in self.params if each.split()[1].partition("[")[0] == name)

    def _refuse(self, who: str, params: dict) -> None:
        wanted = self.dtype.fields or {}
        parts = []
        for word, names in (("lacks", wanted.keys() - params), ("does not know", params.keys() - wanted)):
            if names:
                parts.append(f"{word} {', '.join(sorted(names))}")
        raise ValueError(f"{who}: {self.name} takes {', '.join(self.params) or 'no parameters'}; it {' and '.join(parts)}")


@dataclass(frozen=True)
class Spec(Parameters):
    """One pixel operation.

    Attributes:
        name: of the function ``op_<name>``.
        table: what of the blob it reads at ``op.at``: "TYPE [SHAPE]: in words", SHAPE being of numbers, ``channels`` and, first,
            ``n`` for any number of entries, which the kernel gets as ``op.n``; "" if nothing.
        needs: what of `NEEDS` it asks for: where a pixel lies, or three channels.
        labels: whether labels of 32 bits may pass it: it moves or replaces, and computes nothing.
        lut: whether on uint8 it is, for one sample, a function of one value alone, so that a run of such operations can be one
            table (of each channel, where it reads tables).
        layers: how many images it reads beside the pixel, at its place (`Track.keep`).
        internal: it is appended by the track itself.
        value: of an operation on single values, the new one: a C++ expression of the old one, ``v``, and the parameters.
            Its function is made of that.
    """

    table: str = ""
    needs: tuple[str, ...] = ()
    labels: bool = False
    lut: bool = False
    layers: int = 0
    internal: bool = False
    value: str = ""

    @cached_property
    def code(self) -> int:
        return list(OPS).index(self.name) + 1

    @property
    def struct(self) -> str:
        """The C++ name of its parameters."""
        return camel(self.name) + "Op"

    @cached_property
    def found(self) -> dict[str, str]:
        """Its parameters that something found in the sample is passed for: their names, and of which kind it is."""
        return {each.split()[1]: each.split()[0] for each in self.params if each.split()[0] not in (*_PLAIN, "fill")}


def camel(name: str) -> str:
    return name.title().replace("_", "")


# of `fill_hits` in op_replace.cuh
_FILL = ("u32 key[2]", "i32 width", "f32 scale", "i32 whole", "fill fill", "i32 mode", "moments? mean")

OPS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec(
            "move",
            ("i32 a", "i32 b", "i32 x", "i32 c", "i32 d", "i32 y"),
            labels=True,
            internal=True,
            doc="positions after a turn or crop: x' = a x + b y + x0, y' = c x + d y + y0",
        ),
        Spec("round", ("i32 half",), internal=True, doc="as storing float16 (half) or bfloat16 would"),
        Spec("linear_u8", ("f32 factor", "f32 offset"), lut=True, doc="trunc(clip(v * factor + offset, 0, 255))"),
        Spec("linear_u8_mean", ("f32 factor", "f32 offset", "moments mean"), lut=True, doc="linear_u8, offset times the mean"),
        Spec("linear", ("f32 factor", "f32 offset", "f32 low", "f32 high"), doc="clip(v * factor + offset, low, high)"),
        Spec(
            "linear_mean",
            ("f32 factor", "f32 offset", "f32 low", "f32 high", "moments mean"),
            doc="linear, offset times the mean",
        ),
        Spec("normalize", table="f32 [2, channels]: means, reciprocals of deviations", doc="(v - mean) * reciprocal"),
        Spec("standardize", ("i32 kind", "moments of"), doc="by the sample's own moments, clipped to -20..20"),
        Spec("hsv_u8", ("f32 hue", "f32 saturation", "f32 value"), needs=("rgb",), doc="shifts in OpenCV's 8-bit HSV"),
        Spec("hsv", ("f32 hue", "f32 saturation", "f32 value"), needs=("rgb",), doc="shifts in HSV of 0..1; hue in turns"),
        Spec(
            "gray",
            ("i32 method", "i32 whole"),
            needs=("rgb",),
            doc="all channels: 0 a weighted mean, 1 of the extremes, 2 the mean, 3 the maximum; whole: as uint8",
        ),
        Spec(
            "gray_lab",
            ("f32 scale",),
            table="f32 [3328]: 256 linear values of a byte, lightness by luminance, as OpenCV's 8-bit CIELab has them",
            needs=("rgb",),
            doc="all channels: the lightness; values times scale are bytes",
        ),
        Spec(
            "differs",
            ("f32 threshold",),
            needs=("position",),
            layers=1,
            doc="1 where the value differs from the layer's by more than threshold / 255, else 0",
        ),
        Spec(
            "unsharp",
            ("f32 alpha", "i32 whole"),
            needs=("position",),
            layers=2,
            doc="of a mask, an image and the image blurred: alpha times their difference is added where it is; whole: to bytes",
        ),
        Spec(
            "add",
            ("u32 factor[2]", "f32 top", "i32 whole"),
            needs=("position",),
            layers=1,
            doc="(the layer + v, at most top) * factor, the words of a float64, low half first; whole: rounded",
        ),
        Spec(
            "field",
            ("i32 form", "i32 rounding", "f32 base", "f32 slope", "f32 x", "f32 y", "f32 scale"),
            needs=("position",),
            doc="v times a factor of the place. form 0: base + x * column + y * line; with the distance d of (x, y) "
            "1: base + slope * d, 2: base + slope * 2^(scale * d^2). rounding: 0 none, 0..1; bytes: 1 cut off, 2 rounded",
        ),
        Spec(
            "shapes",
            ("i32 whole", "i32 index", "i32 strips"),
            table="i32 [n, 8]: shapes and their parts, see `gpuaug.shapes`",
            needs=("position",),
            doc="draws shapes, one over the other; whole: 1 cut off to whole numbers, 2 rounded; index: 0, or see op_shapes.cuh",
        ),
        Spec(
            "lut", ("tables tables",), lut=True, doc="whole numbers 0..255 by the sample's table, for the channels that it is of"
        ),
        Spec(
            "lut_tiles",
            ("tables tables",),
            needs=("position",),
            doc="whole numbers 0..255 between the tables of the four nearest tiles, linear as OpenCV's CLAHE",
        ),
        Spec("to_ycrcb", needs=("rgb",), doc="OpenCV's 8-bit RGB to YCrCb"),
        Spec("from_ycrcb", needs=("rgb",), doc="... and back"),
        Spec("to_lab", needs=("rgb",), table="i32 [2297]: gpuaug.lab.FORWARD", doc="OpenCV's 8-bit RGB to LAB"),
        Spec("from_lab", needs=("rgb",), table="i32 [4096]: gpuaug.lab.BACKWARD", doc="... and back"),
        Spec("to_bytes", doc="round(clip(v * 255, 0, 255)) of images in 0..1"),
        Spec("from_bytes", doc="v / 255"),
        Spec(
            "gauss",
            ("u32 key[2]", "f32 sigma", "f32 mean", "i32 width", "i32 alike", "i32 whole"),
            needs=("position",),
            doc="v + N(mean, sigma); alike: for all channels; whole: truncated and clipped to 0..255",
        ),
        Spec(
            "rects",
            _FILL,
            table="i32 [n, 4]: x0, y0, x1, y1; a later one covers an earlier one",
            needs=("position",),
            labels=True,
            doc="fills n rectangles",
        ),
        Spec(
            "bitmap",
            (*_FILL, "i32 words", "i32 columns", "i32 lines"),
            table="u32 [n]: lines of 32 pixels a word, lowest bit first",
            needs=("position",),
            labels=True,
            doc="fills the set bits of a map",
        ),
        Spec(
            "pixels",
            ("u32 key[2]", "i32 width", "i32 each", "f32 below", "fill fill"),
            needs=("position",),
            labels=True,
            doc="fills each pixel with probability below; each: a draw for each channel",
        ),
        Spec(
            "channels",
            table="f32 [2, channels]: which to fill (0 or 1), fills",
            labels=True,
            doc="fills whole channels",
        ),
        Spec("invert", ("f32 top",), lut=True, value="top - v", doc="top - v"),
        Spec(
            "solarize",
            ("f32 threshold", "f32 top"),
            lut=True,
            value="v >= threshold ? top - v : v",
            doc="top - v from the threshold on",
        ),
        Spec("power", ("f32 exponent",), value="power_(v, exponent)", doc="v to a power"),
        Spec(
            "curve",
            table="u32 [n, 64]: 256 bytes, the new values: n is 1, or the channels",
            lut=True,
            doc="whole numbers 0..255 through a table that the host has made",
        ),
        Spec(
            "posterize",
            ("f32 top",),
            table="f32 [channels]: how many of 256 values become one",
            lut=True,
            doc="the lowest of so many values; top 1: of 0..1, rounded to 0..255 before",
        ),
        Spec(
            "mix",
            ("i32 whole",),
            table="f32 [3, 4]: for each channel the factors on all, and what is added",
            needs=("rgb",),
            doc="a matrix; whole: cut off to bytes",
        ),
        Spec("permute", ("i32 from[3]",), needs=("rgb",), doc="each channel becomes another"),
        Spec(
            "permute_layer",
            table="i32 [channels]: of each channel that which it becomes",
            needs=("position",),
            layers=1,
            doc="each channel becomes another of the layer",
        ),
        Spec(
            "linear_channels",
            ("f32 low", "f32 high"),
            table="f32 [2, channels]: factors, what is added",
            doc="v * factor + offset of its channel, clipped",
        ),
        Spec(
            "fancy",
            ("i32 whole", "f32 scale", "eigen of"),
            table="f32 [channels]: alpha of each direction",
            needs=("position",),
            layers=1,
            doc="AlexNet's colour noise as albumentations has it: a matrix of directions times (alpha * scale * variance) on the "
            "distance from the mean is added. The layer is the image itself",
        ),
        Spec("project", ("eigen of",), needs=("rgb",), doc="all channels: the place along the first direction, from the mean"),
        Spec("divide", ("f32 by",), value="v / by", doc="v / by"),
        Spec("quantize", ("f32 top",), value="clamp_(round_(v * top), 0.0f, 255.0f)", doc="v * top as a byte"),
        Spec(
            "contrast_u8",
            ("f32 factor", "u32 rest[2]", "luma luma"),
            lut=True,
            doc="linear_u8, the offset being the mean gray value times rest, the words of a float64, low half first",
        ),
        Spec("contrast", ("f32 factor", "u32 rest[2]", "luma luma"), doc="the same of 0..1"),
        Spec(
            "saturation",
            ("f32 factor", "f32 rest", "i32 whole"),
            needs=("rgb",),
            doc="factor times the colour and rest times its gray value; whole: rounded to bytes",
        ),
        Spec("to_hls", needs=("rgb",), doc="OpenCV's 8-bit RGB to HLS"),
        Spec("from_hls", needs=("rgb",), doc="... and back"),
        Spec("bleach", ("f32 limit", "f32 factor"), needs=("rgb",), doc="8-bit HLS: lightness below limit times factor"),
        Spec(
            "boxes",
            table="i32 [n, 5]: x0, y0, x1, y1, the lightness",
            needs=("rgb", "position"),
            doc="8-bit HLS: the lightness of rectangles; a later one covers an earlier one",
        ),
        Spec(
            "iso",
            ("u32 key[2]", "i32 width", "f32 hue", "f32 intensity", "i32 whole", "lightness deviation"),
            needs=("rgb", "position"),
            doc="in HLS: N(0, hue) degrees to the hue, Poisson(deviation * intensity) * intensity * its lack to the lightness",
        ),
        Spec(
            "additive",
            (
                "u32 key[2]",
                "i32 kind",
                "f32 a",
                "f32 b",
                "i32 width",
                "i32 alike",
                "i32 whole",
                "i32 columns",
                "i32 lines",
                "f32 step[2]",
            ),
            table="f32 [n]: of kind 3 the quantiles from 0 to 1",
            needs=("position",),
            doc="v + a + b * noise; kind: 0 uniform in 0..1, 1 normal, 2 Laplace, 3 of a table. columns, lines, step: coarser",
        ),
        Spec(
            "multiply",
            ("u32 key[2]", "f32 low", "f32 range", "i32 width", "i32 alike", "i32 whole"),
            needs=("position",),
            doc="v times a uniform number of low .. low + range; alike: for all channels; whole: cut off to bytes",
        ),
        Spec(
            "speckle",
            ("u32 key[2]", "i32 width", "i32 area", "i32 side", "i32 salt", "i32 grains", "f32 top"),
            needs=("position",),
            doc="of area pixels a random choice of so many grains, of which salt become top, the others 0; side: root of area",
        ),
        Spec(
            "shot",
            ("u32 key[2]", "f32 scale", "i32 width", "i32 whole"),
            needs=("position",),
            doc="a Poisson number of v^2.2 / scale photons",
        ),
        Spec(
            "sharpen",
            ("f32 alpha", "i32 whole"),
            needs=("position",),
            layers=1,
            doc="of a blurred image and the image as layer: the image and alpha times their difference; whole: cut off to bytes",
        ),
        Spec(
            "stretch",
            ("i32 whole", "moments of"),
            doc="the range of the first channel becomes 0..1, of no range 0; whole: as bytes",
        ),
        Spec("bezier", table="f32 [2, channels]: the ordinates of two inner points", doc="of 0..1 a cubic curve from 0 to 1"),
    )
}


def find(name: str, who: str) -> Spec:
    """The operation of this name, or an error with the nearest ones."""
    spec = OPS.get(name)
    if spec is None or spec.internal:
        names = [each.name for each in OPS.values() if not each.internal]
        near = difflib.get_close_matches(str(name), names, 1)
        raise ValueError(
            f"{who}: there is no pixel operation {name!r}; "
            + (f"did you mean {near[0]!r}?" if near else f"gpuaug.ops.OPS has {', '.join(sorted(names))}")
        )
    return spec


INTERNAL = tuple(spec.name for spec in OPS.values() if spec.internal)


def mask(names: Iterable[str]) -> int:
    """A bit for the code of each operation of these names."""
    bits = 0
    for name in names:
        bits |= 1 << OPS[name].code
    return bits


# ---- what the kernels are told ----------------------------------------------------------------------------------------------


def struct_lines(of: Parameters, name: str, more: str = "") -> Iterable[str]:
    """The struct of parameters in C++."""
    yield ""
    yield f"// {of.doc}"
    if more:
        yield more
    yield f"struct AUG_ALIAS {name} {{"
    yield from (f"  {_types(each.split()[0])[1]} {each.split()[1]};" for each in of.params)
    yield "};"


def _lines() -> Iterable[str]:
    yield "// ops.gen.cuh: made of gpuaug/ops.py by `python kernels/generate.py`; not to be edited."
    yield "// clang-format off"
    yield "#pragma once"
    yield '#include "math.cuh"'
    yield '#include "reductions.gen.cuh"'
    yield "namespace aug {"
    yield ""
    yield "// Word 2 of the counter of random words."
    yield "enum Stream {"
    yield from (f"  STREAM_{each.name} = {each.value}," for each in Stream)
    yield "};"
    yield ""
    yield "enum OpCode {"
    yield from (f"  OP_{spec.name.upper()} = {spec.code}," for spec in OPS.values())
    yield "};"
    for spec in OPS.values():
        yield from struct_lines(spec, spec.struct, f"// table: {spec.table}" if spec.table else "")
    yield ""
    yield "// Which operations on uint8 are a table of 256 bytes, and whether all channels have the same."
    yield "enum { LUT_NONE = 0, LUT_ALIKE = 1, LUT_CHANNELS = 2 };"
    alike = [
        "LUT_NONE" if not spec.lut else "LUT_CHANNELS" if spec.table or "tables" in spec.found.values() else "LUT_ALIKE"
        for spec in OPS.values()
    ]
    yield f"constexpr unsigned char LUT_OPS[] = {{{', '.join(['LUT_NONE', *alike])}}};"
    yield ""
    yield "struct Op;"
    yield "struct Sample;"
    yield "template <class G, int C> struct Pixels;"
    for spec in OPS.values():
        if spec.value:
            yield from _function(spec)
    yield ""
    yield "// X(code, function, parameters, channels that it works on; 0: any)"
    yield "#define AUG_OPS(X) \\"
    rows = [
        f"  X(OP_{spec.name.upper()}, op_{spec.name}, {spec.struct}, {3 if 'rgb' in spec.needs else 0})" for spec in OPS.values()
    ]
    yield " \\\n".join(rows)
    yield ""
    yield "}  // namespace aug"


def _function(spec: Spec) -> Iterable[str]:
    """The function of an operation that is an expression."""
    yield ""
    yield "template <class G, int C>"
    yield f"AUG void op_{spec.name}(G g, const {spec.struct}& p, const Op&, const Sample&, Pixels<G, C>& px) {{"
    for each in spec.params:
        kind, name = each.split()
        yield f"  const {_types(kind)[1]} {name} = p.{name};"
    yield "  AUG_UNROLL for (int c = 0; c < C; ++c)"
    yield "    g.each([&](Lane l) {"
    yield "      const float v = px.v[c][l];"
    yield f"      px.v[c][l] = {spec.value};"
    yield "    });"
    yield "}"


def header() -> str:
    return "\n".join(_lines()) + "\n"

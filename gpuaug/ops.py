"""The table of pixel operations: the one place that says what each is called, takes and needs.

`python kernels/generate.py` makes kernels/ops.gen.cuh of it, codes and a struct of parameters for each operation,
kernels/program.gen.cuh, the functions of those that are an expression of one value, and kernels/dispatch.gen.cuh, the lists
for the dispatch. The function of another is ``op_<name>`` in a kernels/op_*.cuh; transforms append operations with `Track.op`.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from .parameters import WithTable, camel
from .reductions import FOUND

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
class Spec(WithTable):
    """One pixel operation.

    Attributes:
        name: of the function ``op_<name>``.
        table: what it reads at ``op.at``; the kernel gets the number of entries as ``op.n``.
        needs: what of `NEEDS` it asks for: where a pixel lies, or three channels.
        labels: whether labels of 32 bits may pass it: it moves or replaces, and computes nothing.
        lut: whether on uint8 it is, for one sample, a function of one value alone, so that a run of such operations can be one
            table (of each channel, where it reads tables).
        layers: how many images it reads beside the pixel, at its place (`Track.keep`).
        internal: it is appended by the track itself.
        value: of an operation on single values, the new one: a C++ expression of the old one, ``v``, and the parameters.
            Its function is made of that.
    """

    FOUND = FOUND

    needs: tuple[str, ...] = ()
    labels: bool = False
    lut: bool = False
    layers: int = 0
    internal: bool = False
    value: str = ""

    def __post_init__(self):
        super().__post_init__()
        if unknown := set(self.needs) - set(NEEDS):
            raise ValueError(f"{self.name} needs {', '.join(sorted(unknown))}; an operation may ask for {', '.join(NEEDS)}")

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
        return {each.name: each.kind for each in self.declared if each.kind.rstrip("?") in (*FOUND, "tables")}


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
        Spec(
            "linear",
            ("f32 factor", "f32 offset", "f32 low", "f32 high"),
            value="clamp_(v * factor + offset, low, high)",
            doc="clip(v * factor + offset, low, high)",
        ),
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
        Spec(
            "flare",
            table="f32 [n, 8]: discs: x, y, squared radius, alpha, 1 - alpha, red + 256 green + 65536 blue, "
            "whether to begin anew",
            needs=("rgb", "position"),
            doc="bytes: each disc is drawn onto a second image, of which alpha is mixed into the first",
        ),
        Spec(
            "screen",
            needs=("rgb", "position"),
            layers=3,
            doc="bytes: light of 0..1 on the first layer: green of the second, red of the third, blue of the values",
        ),
        Spec(
            "snow",
            ("u32 key[2]", "i32 width", "f32 brighter", "f32 slope", "f32 depth", "f32 tint"),
            needs=("rgb", "position"),
            layers=1,
            doc="snow of a texture on bytes, in HSV: the texture times depth * (1 + slope * line)",
        ),
        Spec(
            "stain",
            ("i32 whole",),
            table="f32 [2, 3, 4]: of tissue, and beside it: for each channel's optical density the factors on all, what is added",
            needs=("rgb",),
            doc="optical densities through a matrix; whole: as bytes",
        ),
        Spec(
            "pattern",
            ("i32 width", "i32 form", "f32 amount", "i32 whole", "moments? mean"),
            table="f32 [n]: of each pixel",
            needs=("position",),
            doc="times amount 0: added; 1: less 1 the contrast about the mean; 2: a shadow. whole: cut off to bytes",
        ),
        Spec(
            "splash",
            ("f32 intensity", "f32 covers", "f32 colour[3]", "i32 whole", "moments of"),
            needs=("rgb", "position"),
            layers=1,
            doc="a colour of 0..1, as much as values have of their largest, is added to the layer; covers: of which it takes "
            "as much",
        ),
        Spec("above", ("f32 limit",), value="v > limit ? 1.0f : 0.0f", doc="1 above a limit, else 0"),
        Spec(
            "glass",
            ("u32 key[2]", "i32 delta", "i32 width", "i32 height"),
            needs=("position",),
            layers=1,
            doc="pixels of the layer swap places with others that are less than delta away",
        ),
        Spec(
            "zoom",
            ("i32 whole",),
            table="f32 [n, 8]: enlargements, along x and y: pixels per pixel, offset, the window's first, its last counted "
            "from there",
            needs=("position",),
            layers=1,
            doc="the mean of the image and its enlargements; the layer is the image itself",
        ),
        Spec(
            "take",
            ("u32 channels",),
            needs=("position",),
            layers=1,
            doc="the layer's value in channel c where bit c is set, of the first 32",
        ),
        # torchvision's: see kernels/op_vision.cuh
        Spec(
            "blend_mean",
            ("f32 factor", "f32 rest", "i32 whole", "tint mean"),
            lut=True,
            doc="factor times v and rest times the mean gray value, clipped; whole: cut off to bytes",
        ),
        Spec(
            "blend_gray",
            ("f32 factor", "f32 rest", "i32 whole"),
            needs=("rgb",),
            doc="factor times the colour and rest times its gray value, clipped; whole: cut off to bytes",
        ),
        Spec("tint", ("i32 whole",), needs=("rgb",), doc="all channels: the gray value; whole: cut off"),
        Spec("turn_hue", ("f32 turns", "i32 whole"), needs=("rgb",), doc="the hue, in turns, is added to; whole: of bytes"),
        Spec(
            "widen",
            ("i32 whole", "moments of"),
            doc="the range of each channel becomes the whole one, no range stays; whole: cut off to bytes",
        ),
        Spec(
            "levels",
            ("f32 count",),
            value="clamp_(floor_(v * count), 0.0f, count - 1.0f) / count",
            doc="the lowest value of so many equal parts of 0..1",
        ),
        Spec(
            "unblur",
            ("f32 rest", "i32 whole", "i32 width", "i32 height"),
            needs=("position",),
            layers=1,
            doc="of a blurred image and the image as layer: the image and rest times what the blurred one has more, clipped; "
            "the outermost pixels stay; whole: cut off to bytes",
        ),
        Spec("weigh", ("f32 factor",), needs=("position",), layers=1, doc="the layer and factor times v"),
    )
}


def unknown(name: str, who: str) -> ValueError:
    """That there is no operation of this name, with the nearest ones."""
    names = [each.name for each in OPS.values() if not each.internal]
    near = difflib.get_close_matches(str(name), names, 1)
    return ValueError(
        f"{who}: there is no pixel operation {name!r}; "
        + (f"did you mean {near[0]!r}?" if near else f"gpuaug.ops.OPS has {', '.join(sorted(names))}")
    )


INTERNAL = tuple(spec.name for spec in OPS.values() if spec.internal)


def mask(names: Iterable[str]) -> int:
    """A bit for the code of each operation of these names."""
    bits = 0
    for name in names:
        bits |= 1 << OPS[name].code
    return bits

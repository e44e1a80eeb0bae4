"""What the verbs of a track take: arrays of every type and layout, parameters by name; misuse is an error with a sentence."""

from __future__ import annotations

import array
import types

import numpy as np
import pytest
from tracks import ALL, FILL, ONE, batch, beside, finished

import gpuaug as G
from gpuaug import generated, library
from gpuaug.batch import Batch
from gpuaug.hosted import on_host
from gpuaug.ops import OPS, Spec
from gpuaug.ragged import Ragged
from gpuaug.track import Track


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bool"])
def test_columns_of_every_type(kind):
    """What a column holds, negative numbers and those beyond 2^31 among them, reaches the launch."""
    special = {"int8": [-5, 100, 7], "int16": [-300, 300, 7], "uint32": [2**31 + 5, 1, 2], "bool": [1, 0, 1]}
    values = special.get(kind, [5, 200, 7])
    track = Track(batch(3))
    track.filter(ALL, "separable", np.ones(6, np.float32), 0, np.full((3, 2), 3), scale=np.array(values, kind))
    plan = track.finish(np.zeros(3), np.zeros((3, 3)), "uint8")
    np.testing.assert_array_equal(plan.launches[0].rows["scale"], np.array(values, np.float32))


_LINES = [
    np.full((4, 2), 3), np.asfortranarray(np.full((4, 2), 3)), np.array([[3, 0, 3, 0]] * 8)[::2, ::2],
    np.array([3, 3]), np.array([3, 0, 3])[::2], np.array(3), 3,
]  # fmt: skip


@pytest.mark.parametrize("lengths", _LINES)
def test_lines_of_every_layout(lengths):
    track = Track(batch())
    track.filter(ALL, "separable", np.ones(6, np.float32), 0, lengths)
    rows = track.finish(np.zeros(4), np.zeros((4, 3)), "uint8").launches[0].rows
    assert rows["kh"].tolist() == rows["kw"].tolist() == [3, 3, 3, 3]


def test_columns_of_another_byte_order_or_length():
    track = Track(batch())
    with pytest.raises(TypeError, match="not read here"):
        track.crop(ALL, np.zeros(4, ">i4"), 0, 2, 2)
    for n in (3, 5):
        with pytest.raises(ValueError, match=r"lengths must be .* 4 lines of 2"):
            track.filter(ALL, "separable", np.ones(6, np.float32), 0, np.full((n, 2), 3))
    assert track.size.tolist() == [[6, 8]] * 4


def test_parameters_arrive_by_name():
    """In the types that the table says; one for all samples, or one for each."""
    track, keys = Track(batch(2)), np.array([[1, 2**32 - 1], [2**31 + 1, 3]], np.uint32)
    track.op(ALL, "gauss", key=keys, sigma=[0.5, 2], mean=-1, width=np.int64(7), alike=True, whole=np.array([False, True]))
    track.op(ALL, "linear_u8", factor=3, offset=np.float64(0.25))
    ops = track.finish(np.zeros(2), np.zeros((2, 3)), "uint8").launches[0].ops.reshape(2, 2)
    packed = ops["p"][:, 0, :7].copy()
    np.testing.assert_array_equal(packed[:, :2], keys)
    np.testing.assert_array_equal(packed[:, 2:4].copy().view(np.float32), [[0.5, -1], [2, -1]])
    np.testing.assert_array_equal(packed[:, 4:], [[7, 1, 0], [7, 1, 1]])
    np.testing.assert_array_equal(ops["p"][:, 1, :2].copy().view(np.float32), [[3, 0.25]] * 2)
    assert not ops["p"][:, 1, 2:].any()


RECTS = np.zeros((4, 1, 4), np.int32)
PIXELS = {"key": np.zeros(2, np.uint32), "width": 1, "each": 0, "below": 1, "fill": np.zeros(3, np.float32)}
MISUSE = [
    ("linear_u9", {}, ["Spin: there is no pixel operation 'linear_u9'", "did you mean 'linear_u8'"]),
    ("move", {}, ["there is no pixel operation 'move'"]),  # the track's own
    ("linear_u8", {"factor": 1}, ["linear_u8 takes f32 factor, f32 offset", "lacks offset"]),
    ("linear_u8", {"factor": 1, "offset": 0, "gain": 2}, ["does not know gain"]),
    ("linear_u8", {"factor": np.ones(3), "offset": 0}, ["factor of linear_u8", "[4] for 4 samples", "(3,)"]),
    ("linear_u8", {"factor": "1", "offset": 0}, ["factor of linear_u8 is f32 factor", "<U1"]),
    ("pixels", {**PIXELS, "key": np.zeros((4, 3), np.uint32)}, ["key", "[4, 2]", "(4, 3)"]),
    ("pixels", {**PIXELS, "key": np.zeros(2)}, ["u32 key[2]", "float64"]),
    ("pixels", {**PIXELS, "width": 2**40}, ["i32 width", "1099511627776"]),
    ("pixels", {**PIXELS, "width": np.array([1, 2, 3, -(2**31) - 1])}, ["i32 width", "-2147483649"]),
    ("pixels", {**PIXELS, "fill": 9}, ["fill of pixels must be float32 [3]", "Track.colour"]),
    ("pixels", {**PIXELS, "fill": np.zeros(4, np.float32)}, ["fill of pixels", "float32 [4]"]),
    ("normalize", {"shared": np.ones(2, np.float32)}, ["table of normalize is f32 [2, channels]", "3 channels", "shape [2]"]),
    ("channels", {"table": np.ones((4, 2, 1), np.float32)}, ["table of channels", "[2, 1] for each sample"]),
    ("rects", {**FILL, "table": np.zeros((4, 1, 3), np.int32)}, ["table of rects is i32 [n, 4]", "[1, 3]"]),
    ("rects", {**FILL, "table": np.zeros((4, 1, 4))}, ["table of rects", "float64"]),
    ("rects", {**FILL, "table": np.full((4, 1, 4), 2**31)}, ["table of rects", "2147483648"]),
    ("linear_u8_mean", {"factor": 1, "offset": 1}, ["moments mean", "lacks mean"]),
    (
        "linear_u8_mean",
        {"factor": 1, "offset": 1, "mean": 7},
        ["mean of linear_u8_mean", "to.reduce(rows, 'moments') returned", "got 7"],
    ),
    ("lut", {"tables": None}, ["tables of lut is what to.lookup(..) returned, got None"]),
    ("rects", {**FILL}, ["rects reads a table (i32 [n, 4]", "table="]),
    ("rects", {**FILL, "table": RECTS[:3]}, ["table of rects is of 3 samples, it is for 4"]),
    ("rects", {**FILL, "table": Ragged(np.zeros((2, 4), np.int32), [1, 1])}, ["table of rects is of 2 samples"]),
    ("linear_u8", {"factor": 1, "offset": 0, "table": RECTS}, ["linear_u8 reads no table"]),
]


@pytest.mark.parametrize(("name", "given", "words"), MISUSE)
def test_misuse_of_operations_is_said(name, given, words):
    track = Track(batch())
    track.doing = "Spin"
    with pytest.raises((ValueError, TypeError)) as error:
        track.op(ALL, name, **given)
    assert str(error.value).startswith("Spin: ")
    assert all(word in str(error.value) for word in words), error.value


def test_colours_need_three_channels():
    track = Track(Batch.of(np.zeros((2, 4, 5, 4), np.uint8)))
    track.doing = "Spin"
    with pytest.raises(ValueError, match="Spin: hsv_u8 works on images of 3 channels, got 4"):
        track.op(ALL, "hsv_u8", hue=0, saturation=0, value=0)


def test_what_was_found_is_of_samples():
    """Found in some, it is there for those alone, in any order."""
    data = batch()
    track = Track(data)
    mean = track.reduce(np.array([0, 2]), "moments")
    track.op(np.array([2, 0]), "linear_u8_mean", factor=0, offset=1, mean=mean)
    with pytest.raises(ValueError, match=r"found in other samples, not in 1; call to\.reduce"):
        track.op(np.array([0, 1]), "linear_u8_mean", factor=1, offset=1, mean=mean)
    _, out = finished(track, "uint8")
    for i in (0, 2):
        assert (out[i] == int(data.owner[i].astype(np.float64).mean())).all()


def test_what_was_found_in_parts_is_refused():
    """An operation on all channels would read the next sample's, or beyond the end."""
    track = Track(batch())
    track.doing = "Spin"
    part = track.reduce(ALL, "moments", channels=1)
    with pytest.raises(ValueError, match=r"^Spin: mean of linear_u8_mean must be of all 3 .* it is of 1 from channel 1 on"):
        track.op(ALL, "linear_u8_mean", factor=1, offset=1, mean=part)
    with pytest.raises(ValueError, match=r"^Spin: histogram is of tiles and takes no width="):
        track.reduce(ALL, "histogram", width=np.full(4, 3))


def test_what_was_found_is_gone_behind_a_host_stage():
    track = Track(batch())
    track.doing = "Spin"
    mean = track.reduce(ALL, "moments")
    on_host(track, ALL, lambda k, image: image, "nothing")
    with pytest.raises(ValueError, match=r"^Spin: linear_u8_mean reads what was found before a host stage"):
        track.op(ALL, "linear_u8_mean", factor=1, offset=1, mean=mean)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"params": ("f64 factor",)}, ["odd: 'f64 factor' is no parameter", "f32, i32, u32, fill, tables, moments"]),
        ({"params": ("momentum of",)}, ["'momentum of' is no parameter"]),
        ({"params": ("f32 x[0",)}, ["'f32 x[0' is no parameter"]),
        ({"params": ("f32 x[13]",)}, ["52 bytes", "room for 48"]),
        ({"table": "f64 [n]: numbers"}, ["odd: 'f64 [n]: numbers' is no table"]),
        ({"table": "f32 [lines]: numbers"}, ["is no table"]),
        ({"needs": ("place",)}, ["odd needs place", "position, rgb"]),
    ],
)
def test_what_cannot_be_declared(declared, words):
    with pytest.raises(ValueError, match="odd") as error:
        Spec("odd", **declared)
    assert all(word in str(error.value) for word in words), error.value


VALUES = {
    "number": 7,
    "large": 2**32 - 1,
    "float": 0.1,
    "list": [1, 2, 3, 4],
    "one": np.float64(0.1),
    "line of one": np.array([9]),
    **{kind: np.arange(4).astype(kind) for kind in "? b B h H i I q Q e f d g >i4 >f8".split()},
    "strided": np.arange(8.0)[::2],
    "backwards": np.arange(4)[::-1],
    "large words": np.array([0, 1, 2**32 - 1, 2**31]),
    "two": np.arange(8).reshape(4, 2),
    "two for all": np.array([5, 6], np.int16),
    "column": np.arange(4)[:, None],
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize(("kind", "dtype"), [("f32", np.float32), ("i32", np.int32), ("u32", np.uint32)])
@pytest.mark.parametrize("count", [0, 2])
def test_parameters_are_what_numpy_would_make_of_them(name, kind, dtype, count):
    """Every type and layout: the words are those of an assignment in NumPy, or it is an error."""
    value, shape = VALUES[name], (4, count) if count else (4,)
    given = np.asarray(value)
    fits = kind == "f32" or (given.dtype.kind in "biu" and (given.astype(object) == given.astype(dtype).astype(object)).all())
    want = np.empty(shape, dtype)
    try:
        want[...] = given
    except (ValueError, OverflowError):
        fits = False
    spec, track = Spec("odd", (f"{kind} x" + (f"[{count}]" if count else ""),)), Track(batch())
    host = track._host

    def call(rows, params, table):
        return host.track_op(track._handle, rows, 1, *spec.told, params, None, table, 0, 0, False, False, -1, 0)

    if not fits:
        with pytest.raises((ValueError, TypeError), match="x of odd"):
            track._with_params(ALL, spec, call, {"x": value})
        return
    track._with_params(ALL, spec, call, {"x": value})
    ops = track.finish(np.zeros(4), np.zeros((4, 3)), "uint8").launches[0].ops
    got = ops["p"][:, : max(count, 1)].copy().view(dtype).reshape(shape)
    np.testing.assert_array_equal(got, want)


def test_misuse_of_reductions_and_lookups_is_said():
    track = Track(batch())
    track.doing = "Spin"
    found = track.reduce(ALL, "histogram", tiles=(2, 3))
    wrong = [
        (lambda: track.reduce(ALL, "sums"), "Spin: there is no reduction 'sums'; there are moments, histogram"),
        (lambda: track.reduce(ALL, "moments", tiles=(2, 2)), "Spin: moments is of whole images, not of 2 x 2 tiles"),
        (lambda: track.reduce(ALL, "histogram", tiles=(0, 2)), "Spin: histogram of 0 x 2 tiles"),
        (lambda: track.reduce(ALL, "histogram", channels=3), "Spin: there is no channel 3 in images of 3 channels"),
        (lambda: track.lookup(ALL, found, "flat"), "Spin: there is no lookup 'flat'; there are equalize, clahe, autocontrast"),
        (lambda: track.lookup(ALL, found, "clahe", clip=1), "Spin: clahe takes i32 clip, i32 area; it lacks area"),
        (
            lambda: track.lookup(ALL, track.reduce(ALL, "moments"), "equalize", pil=0),
            "found of equalize is what .*'histogram'.* got moments",
        ),
        (lambda: track.op(ALL, "lut", tables=found), "tables of lut is what .* got histogram"),
    ]
    for call, words in wrong:
        with pytest.raises(ValueError, match=words):
            call()


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8])
def test_tables_are_shared_out(kind):
    """Each sample's operation points at its own line; 32-bit integers lie there as bits."""
    table = np.arange(4 * 8, dtype=kind).reshape(4, 2, 4) + kind(3)
    track = Track(batch())
    track.blob(np.float32([1, 2]))
    track.op(np.array([3, 0, 2, 1]), "rects", table=table, **FILL)
    launch = track.finish(np.zeros(4), np.zeros((4, 3)), "uint8").launches[0]
    at = [int(launch.ops["at"][row["ops"]]) for row in launch.rows]
    for line, sample in enumerate((3, 0, 2, 1)):
        words = launch.blob[at[sample] : at[sample] + 8]
        want = table[line].reshape(-1)
        np.testing.assert_array_equal(words.view(np.int32), want)


def test_operations_round_to_the_images_type():
    """As storing each result would; nothing for float32."""
    import torch

    linear, rounded = OPS["linear"].code, OPS["round"].code
    for dtype, want in ((torch.float16, [linear, rounded]), (torch.bfloat16, [linear, rounded]), (torch.float32, [linear])):
        track = Track(Batch.of(torch.zeros((1, 3, 4, 4), dtype=dtype)))
        track.op(ALL, "linear", factor=1, offset=0, low=-9, high=9)
        ops = track.finish(np.zeros(1), np.zeros((1, 3)), track.dtype).launches[0].ops
        assert ops["code"].tolist() == want
        assert dtype == torch.float32 or ops["p"][1, 0] == (dtype == torch.float16)


def test_results_of_the_largest_size():
    """2^31 - 1 elements are allowed, one row more is not; the error names the first that is too large."""
    track = Track(Batch.of([np.zeros((2, 2), np.uint8)] * 3))
    track.gather(ALL, beside(3), (2**31 - 1, 1), 0)
    track = Track(Batch.of([np.zeros((2, 2, 3), np.uint8)] * 3))
    with pytest.raises(ValueError, match=r"\[715827883, 1\] with 3 channels"):
        track.gather(ALL, beside(3), np.array([[715827882, 1], [715827883, 1], [5, 2**31 - 1]]), 0)
    assert track.size.tolist() == [[2, 2]] * 3


def test_arrays_are_let_go():
    """Also after an error: an array that is still held could not grow."""
    track = Track(batch())
    taps = array.array("f", [1, 1])
    track.filter(ALL, "separable", taps, 0, np.ones((4, 2), np.int64))
    taps.append(1)
    rows, lengths = array.array("i", [0, 9]), array.array("q", [1, 1])
    with pytest.raises(IndexError):
        track.filter(rows, "separable", taps, 0, lengths)
    with pytest.raises(ValueError, match="lengths must be"):
        track.filter(ALL, "sparse", taps, 0, lengths)
    for held in (taps, rows, lengths):
        held.append(1)


_WIDE = np.arange(4 * 6 * 8, dtype=np.int32)
STRIDES = {
    "gaps": _WIDE.reshape(4, 6, 8)[:, ::3, ::2],
    "gaps between lines": _WIDE.reshape(4, 6, 8)[:, ::2, :4],
    "backwards": _WIDE.reshape(4, 6, 8)[::-1, ::-1, 5:1:-1],
    "axes in turn": _WIDE[: 4 * 6 * 4].reshape(4, 6, 4).transpose(2, 1, 0),
    "one for all": np.broadcast_to(_WIDE[:4], (4, 3, 4)),
    "one entry": _WIDE.reshape(4, 48)[:, None, :4],
    "of 64 bits": _WIDE.astype(np.int64).reshape(4, 6, 8)[:, 1::2, ::2],
}


@pytest.mark.parametrize("name", STRIDES)
def test_tables_may_have_any_strides(name):
    words = []
    for table in (STRIDES[name], np.ascontiguousarray(STRIDES[name])):
        track = Track(batch())
        track.op(ALL, "rects", table=table, **FILL)
        launch = track.finish(np.zeros(4), np.zeros((4, 3)), "uint8").launches[0]
        words.append(launch.blob)
        for i, op in enumerate(launch.ops):
            mine = launch.blob.view(np.int32)[op["at"] : op["at"] + 4 * op["n"]]
            np.testing.assert_array_equal(mine, STRIDES[name][i].ravel())
    np.testing.assert_array_equal(*words)


def test_ragged_tables_are_shared_out():
    table = Ragged(np.arange(24, dtype=np.int32).reshape(6, 4), [1, 3, 0, 2])
    track = Track(batch())
    track.op(ALL, "rects", table=table, **FILL)
    launch = track.finish(np.zeros(4), np.zeros((4, 3)), "uint8").launches[0]
    assert launch.ops["n"].tolist() == [1, 3, 0, 2]
    for i, op in enumerate(launch.ops):
        words = launch.blob.view(np.int32)[op["at"] : op["at"] + 4 * op["n"]]
        np.testing.assert_array_equal(words, table[i].ravel())


def test_what_is_written_to_must_fit():
    """Results go into an array of exactly their size, contiguous and writable; else nothing is written."""
    u, size = np.zeros((2, 22)), np.full((2, 2), 9)
    fixed = np.full((2, 4), -1)
    fixed.flags.writeable = False
    for out, error in (
        (fixed, ValueError),
        (np.full((3, 4), -1), ValueError),
        (np.full((2, 8), -1)[:, ::2], ValueError),
        (np.full((2, 4), -1, np.int32), ValueError),
    ):
        with pytest.raises(error):
            library.load().resized_crop(u, size, 0.08, 1.0, 0.75, 1.3, out)
        assert (out == -1).all()


@pytest.mark.parametrize("kind", ["separable", "sparse"])
def test_a_filter_whose_border_is_a_colour(kind):
    """The mean of three columns, with a colour for each channel outside."""
    data = batch(2, channels=2, dtype=np.float32)
    track = Track(data)
    if kind == "separable":
        track.filter(ALL, kind, np.float32([1, 1, 1, 1]), 0, np.array([1, 3]), border=0, scale=1 / 3, fill=(30, 60))
    else:
        taps = np.float32([[0, x, 1] for x in (-1, 0, 1)]).ravel()
        track.filter(ALL, kind, taps, 0, np.array([3, 3, 3]), border=0, scale=1 / 3, fill=(30, 60))
    _, out = finished(track, "float32")
    outside = np.broadcast_to(np.float32([30, 60]), (2, 6, 1, 2))
    wide = np.concatenate([outside, data.owner, outside], 2)
    np.testing.assert_allclose(out, (wide[:, :, :-2] + wide[:, :, 1:-1] + wide[:, :, 2:]) / 3, rtol=1e-5)


@pytest.mark.parametrize(
    ("verb", "given", "words"),
    [
        ("filter", ("point", ONE, 0, [1, 1]), ["separable, sparse", "'point'"]),
        ("filter", ("separable", ONE, 0, [2, 1]), ["lengths of sample 0 are 2 and 1", "odd"]),
        ("filter", ("separable", ONE, 0, [3, 1]), ["sample 0 has 4 weights from 0 on, but there are 2"]),
        ("filter", ("separable", ONE, 5, [1, 1]), ["from 5 on"]),
        ("filter", ("sparse", ONE, 0, [1, 1, 1]), ["3 weights"]),
        ("filter", ("sparse", ONE, 0, [1, 1]), ["lengths must be"]),
        ("filter", ("separable", ONE, 0, [1, 1], 7), ["border 7 is none of OpenCV's numbers"]),
        ("orient", ("hlfip",), ["an orientation is one of", "'hlfip'"]),
        ("crop", (0, 0, 99, 2), ["does not lie inside sample 0"]),
    ],
)
def test_misuse_of_verbs_is_said(verb, given, words):
    track = Track(batch())
    track.doing = "Spin"
    with pytest.raises(ValueError, match=r"^Spin: ") as error:
        getattr(track, verb)(ALL, *given)
    assert all(word in str(error.value) for word in words), error.value


def test_operations_that_a_transform_does_not_declare_are_an_error():
    """A kernel for a GPU holds what is declared: another operation would do nothing there."""

    class Brighter(G.Transform, register=False):
        ops = ("hsv_u8",)

        def lower(self, to, rows, params):
            to.op(rows, "linear_u8", factor=1, offset=9)

    with pytest.raises(ValueError, match=r"Brighter.*linear_u8.*ops"):
        G.Compose([Brighter(p=1.0)])(np.zeros((4, 5, 3), np.uint8))


# ---- what the author of a transform forgets ----------------------------------------------------


def test_headers_that_are_not_the_tables_are_refused(monkeypatch):
    """Else numbers of operations would mean others to the kernels."""
    monkeypatch.setitem(generated.HEADERS, "ops.gen.cuh", lambda: "another")
    with pytest.raises(
        RuntimeError, match=r"kernels/ops\.gen\.cuh is not what its table says; run `python kernels/generate\.py`, then"
    ):
        generated.agree.__wrapped__()


@pytest.mark.parametrize("declared", ["invert", ("invert", "binarise")])
def test_operations_are_declared_as_a_tuple_of_names(declared):
    with pytest.raises(ValueError, match=r"Broken: ops must be a tuple of operations of gpuaug/ops\.py"):
        made(ops=declared)


def made(**more):
    return types.new_class("Broken", (G.transform.Transform,), {"register": False}, lambda space: space.update(more))


@pytest.mark.parametrize(
    ("more", "kind", "text"),
    [
        ({"draw": lambda self, u, view: {"t": np.zeros(1)}}, ValueError, "Broken.draw returned t of 1 samples, it drew for 3"),
        (
            {"draw": lambda self, u, view: {"t": u[:, 2]}},
            IndexError,
            r"Broken.draw got uniforms \[3, 0\], as its columns\(\) says",
        ),
        ({}, NotImplementedError, r"Broken has no lower\(to, rows, params\)"),
        ({"__init__": lambda self: None}, TypeError, r"Broken.__init__ must call super\(\).__init__\(p\)"),
        (
            {"ops": ("invert",), "lower": lambda self, to, rows, params: to.op(rows, "invert", top=np.array([1, np.nan, 2]))},
            ValueError,
            "Broken: top of invert is NaN for sample 1",
        ),
    ],
)
def test_what_is_forgotten_is_said(more, kind, text):
    with pytest.raises(kind, match=text):
        G.Compose([made(**more)(**({} if "__init__" in more else {"p": 1}))])(np.zeros((3, 4, 4, 3), np.uint8))

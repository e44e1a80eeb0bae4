"""The compiled kernels: all builds agree, records and numbers are the headers', threads and forks change nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import parity
import pytest
import torch

import gpuaug as G
from gpuaug import generated, groups, library, ops, plan, reductions
from gpuaug.backends import cpu
from gpuaug.batch import DTYPES, Batch
from gpuaug.deliver import deliver_ragged
from gpuaug.track import Track
from gpuaug.transform import View
from gpuaug.transforms._geometric import Geometric

KERNELS = Path(__file__).parent.parent / "kernels"
BUILDS = [name for name in library.variants() if library._find(name)[0] is not None]
TYPES = ("uint8", "float16", "float32")

pytestmark = pytest.mark.skipif(not BUILDS, reason="needs the compiled kernels")


def header(name: str) -> str:
    return re.sub(r"//.*", "", (KERNELS / name).read_text())


def enum(text: str, name: str) -> dict[str, int]:
    """Members and values of an enum, by what they have in common with its first member's prefix."""
    body = re.search(rf"enum {name} \{{(.*?)\}}", text, re.S).group(1)
    out, value = {}, -1
    for member in filter(None, (part.strip() for part in body.split(","))):
        key, _, given = (part.strip() for part in member.partition("="))
        value = int(given) if given else value + 1
        out[key] = value
    return out


def test_all_builds_are_here():
    """This processor's best build exists, and so does the baseline: the tests below have something to compare."""
    assert library.variants()[0] in BUILDS
    if os.environ.get("GPUAUG_VARIANTS") != "all":
        pytest.skip("one build is enough for a developer; `make test` makes all and asks for them")
    assert library.variants()[-1] in BUILDS


@pytest.mark.parametrize("build", BUILDS)
def test_record_sizes(build):
    sizes = library._find(build)[0].sizes()
    assert sizes == [record.itemsize for record in (*plan.KINDS.values(), plan.OP, plan.RECORD, groups.NODE)]


def test_record_fields():
    """The same names in the same order, of the same types."""
    words = {"i64": "i8", "int": "i4", "u32": "u4", "float": "f4", "double": "f8"}
    records = (
        ("rows.cuh", "Row", plan.ROW),
        ("rows.cuh", "Op", plan.OP),
        ("rows.cuh", "FilterRow", plan.FILTER_ROW),
        ("rows.cuh", "ReduceRow", plan.REDUCE_ROW),
        ("rows.cuh", "LookupRow", plan.LOOKUP_ROW),
        ("rows.cuh", "RankRow", plan.RANK_ROW),
        ("rows.cuh", "ResampleRow", plan.RESAMPLE_ROW),
        ("launch.hpp", "Record", plan.RECORD),
        ("host/track.cpp", "Head", plan.HEAD),
        ("host/draws.hpp", "Node", groups.NODE),
    )
    for file, name, dtype in records:
        ends, body = re.search(rf"struct {name}( : Ends)? \{{(.*?)\}};", header(file), re.S).groups()
        if ends:
            body = re.search(r"struct Ends \{(.*?)\};", header(file), re.S).group(1) + body
        fields = []
        for kind, names in re.findall(r"(i64|int|u32|float|double) ([^;]+);", body):
            for field in names.split(","):
                base, _, count = field.strip().rstrip("]").partition("[")
                fields.append((base, np.dtype((words[kind], (int(count),)) if count else words[kind])))
        assert [(n, dtype.fields[n][0]) for n in dtype.names] == fields, name


def test_numbers_are_the_headers():
    for name, made in generated.HEADERS.items():
        assert (KERNELS / name).read_text() == made(), f"{name}: run python kernels/generate.py"
    assert plan.LOOKUP_ROW["p"].itemsize == reductions.Lookup.ROOM
    assert plan.OP["p"].itemsize == ops.Spec.ROOM
    samples = enum(header("rows.cuh"), "Interpolation")
    assert {k.removeprefix("SAMPLE_").lower(): v for k, v in samples.items()} == plan.SAMPLES
    names = {"DT_U8": "uint8", "DT_F16": "float16", "DT_BF16": "bfloat16", "DT_F32": "float32", "DT_I32": "int32"}
    assert {names[k]: v for k, v in enum(header("types.cuh"), "Dtype").items()} == {k: v[0] for k, v in DTYPES.items()}
    borders = {k.removeprefix("BORDER_").lower(): v for k, v in enum(header("border.cuh"), "Border").items()}
    assert {v: k for k, v in borders.items()} == G.checks.BORDERS
    assert {k.removeprefix("RANK_").lower(): v for k, v in enum(header("rows.cuh"), "RankKind").items()} == plan.RANKS
    resamples = enum(header("host/taps.hpp"), "ResampleKind")
    assert {k.removeprefix("RESAMPLE_").lower(): v for k, v in resamples.items()} == plan.RESAMPLES
    kinds = {k.removeprefix("KIND_").lower(): v for k, v in enum(header("launch.hpp"), "Kind").items()}
    table = re.search(r"KINDS\[\] = \{(.*?)\n\};", header("launch.hpp"), re.S).group(1)
    assert re.findall(r'"(\w+)"', table) == list(kinds) == list(plan.KINDS)
    assert list(kinds.values()) == list(range(len(kinds)))
    assert {k.removeprefix("NODE_").lower(): v for k, v in enum(header("host/draws.hpp"), "NodeKind").items()} == groups.NODES
    assert enum(header("rows.cuh"), "FilterKind") == {"FILTER_SEPARABLE": 0, "FILTER_SPARSE": 1}


def test_every_operation_has_its_function_in_one_header(monkeypatch, tmp_path):
    mine = generated.groups()
    assert sorted(spec.name for specs in mine.values() for spec in specs) == sorted(ops.OPS)
    assert ops.OPS["invert"] in mine["values"]
    assert ops.OPS["posterize"] in mine["tone"]
    monkeypatch.setitem(ops.OPS, "nowhere", ops.Spec("nowhere", doc="a test"))
    with pytest.raises(RuntimeError, match=r"op_nowhere must be in one header kernels/op_\*.cuh .* it is in none"):
        generated.groups()
    monkeypatch.undo()
    for path in generated._folder().glob("op_*.cuh"):
        (tmp_path / path.name).write_text(path.read_text())
    monkeypatch.setattr(generated, "_folder", lambda: tmp_path)
    with pytest.raises(RuntimeError, match=r"op_color\.cuh needs a file kernels/cpu/ops/color\.cpp"):
        generated.groups()


def test_numbers_of_launches_are_the_kernels():
    """What the host computes the grid and the shared memory of CUDA kernels with."""
    from gpuaug.backends import nvrtc, shapes

    text = "".join(header(path.relative_to(KERNELS)) for path in [*KERNELS.glob("*.cu*"), *KERNELS.glob("gpu/*.cuh")])
    numbers = dict(re.findall(r"(\w+) = ([^,;}=]+)[,}]", " ".join(re.findall(r"enum \{[^}]*\}", text))))
    names = {name: name for name in numbers}

    def value(name):
        return eval(re.sub(r"[A-Z_]+", lambda m: str(value(m[0])), numbers[names[name]]))  # sums and products of the others

    assert value("FILTER_ROWS") == shapes.FILTER_ROWS
    assert value("REDUCE_SHARED") == shapes.REDUCE_SHARED >= 28 * value("STATS_PARTIALS")
    assert value("LOOKUP_SHARED") == shapes.LOOKUP_SHARED
    assert set(re.findall(r"__launch_bounds__\((\d+)", text)) == {str(nvrtc.THREADS), str(shapes.MARCH_THREADS), str(shapes.WARP)}
    threads, slots = map(int, re.search(r"typedef aug::Group<(\d+), (\d+)> G;", header("fused.cu")).groups())
    assert threads == nvrtc.THREADS
    assert threads * slots == shapes.FUSED_PIXELS
    kinds = enum(header("maps.gen.cuh"), "MapKind")
    assert kinds["MAP_VIEW"] == shapes.VIEW
    # what map.cuh leaves out of kernels for rows with matrices
    left_out = set(
        re.findall(r"case (MAP_\w+)", "".join(re.findall(r"#ifndef GPUAUG_MATRIX(.*?)#endif", header("map.cuh"), re.S)))
    )
    assert {name for name, number in kinds.items() if shapes._GATHERS[number] == 2} == left_out
    assert {name for name, number in kinds.items() if shapes._GATHERS[number] == shapes.MATRIX} == kinds.keys() - left_out - {
        "MAP_VIEW"
    }
    assert len(shapes._GATHERS) == len(kinds)
    assert value("STATS") == reductions.REDUCTIONS["moments"].words


# ---- builds -------------------------------------------------------------------------------------


@pytest.fixture
def use(monkeypatch):
    """Let one build run everything."""

    def choose(build: str):
        found = library._find(build)[0]
        monkeypatch.setattr(library, "load", lambda: found)

    return choose


SMALL = [case for case in parity.CASES if case.name != "NoOp"]


def outputs(case, dtype: str, channels: int) -> list[np.ndarray]:
    data = [x for x in parity.images(channels, dtype) if case.keep(x)]
    return parity.ours(case.ours, data, parity.uniforms(case, len(data)))


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_builds_agree(case, use):
    """v3 and v4 to the bit: contraction is off, what is fused is fused in the source. v2 has no fused multiply-add."""
    if len(BUILDS) < 2:
        pytest.skip("one build only")
    for dtype, channels in zip(TYPES, (3, 1, 3)):
        channels = channels if channels in case.channels else case.channels[0]
        if dtype not in case.bounds:
            continue
        got = {}
        for build in BUILDS:
            use(build)
            got[build] = outputs(case, dtype, channels)
        want = got.pop(BUILDS[0])
        # a tie may go the other way: of the nearest pixel, and of the nearest 1/32 of one, which Lanczos takes
        nearest, lanczos = "nearest" in case.note, "Lanczos" in case.note
        for build, other in got.items():
            for a, b in zip(want, other, strict=True):
                if build != "v2":
                    np.testing.assert_array_equal(a, b, err_msg=f"{build}, {dtype}")
                elif a.dtype == np.uint8:
                    differs = np.abs(a.astype(int) - b)
                    assert (differs > 0).mean() <= 0.05 or a.size < 500, (
                        dtype,
                        (differs > 0).mean(),
                    )  # MotionBlur: means of four or six are ties
                    assert nearest or lanczos or differs.max(initial=0) <= 1
                else:
                    bound = (
                        2e-5
                        + (2.0**-10 if dtype == "float16" else 0)
                        + (2e-4 if "matrix" in case.source or isinstance(case.ours, Geometric) else 0)  # coordinates, too
                    )
                    if not nearest:
                        apart = np.abs(a.astype(float) - b) - bound * (1 + np.abs(b))
                        # what makes floats whole on its way (8 bits of a level, counts of a Poisson distribution) takes the other
                        # step where a sum is within 2e-5 of a half: of steps of 1/255 and more one in a hundred is that near at
                        # most, and neither may be farther from the reference than the case allows
                        steps = case.bounds[dtype].far > 1 / 512
                        assert (apart > 0).mean() <= (0.01 if steps or lanczos else 0), f"{build}, {dtype}"
                        assert apart.max(initial=0) <= (2 * case.bounds[dtype].far if steps else 0) or lanczos, (
                            f"{build}, {dtype}"
                        )


def whole() -> G.Compose:
    return G.Compose(
        [
            G.RandomResizedCrop((65, 67)),
            G.ShiftScaleRotate(),
            G.OneOf([G.MotionBlur(), G.GaussianBlur(), G.Blur()], p=1),
            G.HueSaturationValue(),
            G.GaussNoise(),
            G.XYMasking(num_masks_x=2, mask_x_length=9, fill="random"),
            G.Normalize(),
        ],
        seed=3,
    )


def test_best_builds_agree_on_a_pipeline(use):
    data = [parity.stack(3, 90, 70, "flower", i, 2 * i) for i in range(16)]
    got = []
    for build in [b for b in BUILDS if b != "v2"]:
        use(build)
        got.append(whole().run({"image": data}, ids=np.arange(16))["image"])
    assert all(torch.equal(got[0], other) for other in got[1:])


@pytest.mark.parametrize("threads", [1, 2, 3, 8, 64])
def test_threads(threads):
    data = [parity.stack(3, 20 + 9 * i, 70 - 3 * i, "flower", i, 2 * i) for i in range(16)]
    compose = whole()
    drawn = compose.draw(np.array([x.shape[:2] for x in data]), ids=np.arange(16))
    want = whole().run({"image": data}, ids=np.arange(16))["image"].permute(0, 2, 3, 1).contiguous()
    track = drawn.lower(Batch.of(data))
    out = torch.empty_like(want)
    step = out[0].numel() * 4
    stride = np.tile([65 * 0 + 67 * 3, 3, 1], (16, 1))
    cpu.execute(track.finish(out.data_ptr() + step * np.arange(16), stride, "float32"), threads)
    assert torch.equal(out, want)


@pytest.mark.parametrize("build", BUILDS)
def test_a_forked_child_runs_each_build(build, use):
    use(build)
    data = [parity.stack(3, 90, 70, "flower", i, 2 * i) for i in range(8)]
    torch.set_num_threads(2)
    want = whole().run({"image": data}, ids=np.arange(8))["image"].numpy()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = int(not np.array_equal(whole().run({"image": data}, ids=np.arange(8))["image"].numpy(), want))
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


# ---- memory ----------------------------------------------------------------------------------------


def guarded(compose, data, target: str, planar: bool, seed: int):
    """The plan's outputs between guards."""
    n, channels = len(data), data[0].shape[2]
    size = np.array([x.shape[:2] for x in data])
    drawn = compose.draw(size, ids=np.arange(n), channels=channels, dtype=str(data[0].dtype))
    track = drawn.lower(Batch.of(data, "HWC"))
    h, w = track.size.astype(np.int64).T
    item, guard = DTYPES[track.dtype][1], 512
    volume = h * w * channels
    start = np.cumsum(volume + 2 * guard) - (volume + guard)
    out = np.full((int(start[-1] + volume[-1] + guard) * item,), 0x5A, np.uint8)
    one = np.ones_like(h)
    stride = np.stack([w, one, h * w] if planar else [w * channels, one * channels, one], 1)
    cpu.execute(track.finish(out.ctypes.data + start * item, stride, track.dtype), 2)
    inside = np.zeros(len(out), bool)
    for a, v in zip(start, volume):
        inside[a * item : (a + v) * item] = True
    return out, inside


@pytest.mark.parametrize("channels", [1, 3, 4, 20])
@pytest.mark.parametrize("planar", [False, True])
def test_nothing_is_written_beside_the_output(channels, planar):
    rng = np.random.default_rng(channels)
    for dtype in TYPES:
        data = [x for x in parity.images(channels, dtype) if x.shape[0] < 200]
        compose = G.Compose(
            [
                G.RandomRotate90(),
                G.Affine(rotate=20, fit_output=True),
                G.OneOf([G.Blur(), G.MotionBlur(), G.GaussianBlur()]),
                G.GaussNoise(),
                G.RandomResizedCrop((int(rng.integers(1, 40)), 23), p=0.5),
            ],
            seed=channels,
        )
        out, inside = guarded(compose, data, dtype, planar, channels)
        assert (out[~inside] == 0x5A).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_nothing_is_read_beyond_the_input(channels):
    """Images that end where a page ends; the next page is not readable."""
    import mmap

    page = mmap.PAGESIZE
    libc = __import__("ctypes").CDLL(None, use_errno=True)
    for dtype in TYPES:
        item = np.dtype(dtype).itemsize
        for h, w in ((1, 1), (3, 5), (17, 31)):
            need = h * w * channels * item
            pages = -(-need // page)
            area = mmap.mmap(-1, (pages + 1) * page)
            base = np.frombuffer(area, np.uint8)
            assert libc.mprotect(__import__("ctypes").c_void_p(base.ctypes.data + pages * page), page, 0) == 0
            image = base[pages * page - need : pages * page].view(dtype).reshape(h, w, channels)
            image[:] = 1
            for aug in (
                G.HorizontalFlip(p=1),
                G.Affine(rotate=33, p=1),
                G.Affine(rotate=33, interpolation=2, border_mode=4, p=1),
                G.Blur(p=1),
                G.GaussianBlur(p=1),
                G.MotionBlur(p=1),
                G.Resize(7, 40),
                G.RandomBrightnessContrast(p=1),
            ):
                batch = Batch.of([image, image[::-1, ::-1], image], "HWC")
                u = np.random.default_rng(0).random((3, aug.columns()))
                track = Track(batch)
                aug.lower(track, slice(None), aug.draw(u, View(batch.size.astype(np.int64), channels, dtype)))
                deliver_ragged(track, planar=False)
            libc.mprotect(__import__("ctypes").c_void_p(base.ctypes.data + pages * page), page, 3)

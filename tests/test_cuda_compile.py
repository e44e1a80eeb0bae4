"""Every kernel compiles for every architecture, without spills, on a machine without a GPU."""

from __future__ import annotations

import contextlib
import hashlib
import re
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from real import delivered, pipelines

from gpuaug import Compose, Normalize, RandomBrightnessContrast, Solarize, VerticalFlip
from gpuaug.backends import nvrtc, shapes
from gpuaug.backends.nvrtc import Key
from gpuaug.batch import Batch
from gpuaug.ops import OPS, mask

ARCHS = ("sm_75", "sm_80", "sm_90", "sm_100", "sm_120")
# Real pipelines with the operations that they can emit, and the filter, are in every architecture; each of the others in at least
# one, dealt in turn, with the operations of one of these pipelines.
REAL = [Key("fused", "uint8", delivered(each), 3, "linear", each._tree.ops, only="matrix") for each in pipelines()]
EVERYWHERE = (*dict.fromkeys(REAL), Key("filter", "uint8"), Key("rank", "uint8", channels=3, taps=5))
MARCHES = [Key("filter", "uint8", channels=width, taps=taps) for width in (1, 3, 4) for taps in (3, 5, 7)]
VIEWS = [key._replace(sample="view", only=None) for key in dict.fromkeys(REAL)]
DEALT = (
    *MARCHES,
    *VIEWS,
    Key("fused", "uint8", "uint8", 3, "cubic"),
    Key("fused", "uint8", "float16", 1, "linear"),
    Key("fused", "uint8", "bfloat16", 1, "view"),
    Key("fused", "uint8", "uint8", 1, "linear"),
    Key("fused", "uint8", "float32", 4, "cubic"),
    Key("fused", "float32", "float32", 3, "cubic"),
    Key("fused", "float32", "float16", 1, "linear"),
    Key("fused", "float32", "bfloat16", 4, "view"),
    Key("fused", "float16", "float16", 3, "cubic"),
    Key("fused", "float16", "float32", 1, "linear"),
    Key("fused", "bfloat16", "bfloat16", 1, "cubic"),
    Key("fused", "bfloat16", "float32", 1, "linear"),
    Key("fused", "int32", "int32", 1, "nearest"),
    Key("filter", "float32"),
    Key("filter", "float16"),
    Key("filter", "bfloat16"),
    Key("rank", "uint8"),
    Key("rank", "uint8", only="extremes"),
    Key("rank", "float32", only="extremes"),
    Key("fused", "uint8", "float16", 4, "cubic", only="matrix"),
    *(Key("rank", "uint8", channels=channels, taps=taps) for channels in (1, 3, 4) for taps in (3, 5)),
    Key("rank", "float32"),
    Key("rank", "float16"),
    Key("rank", "bfloat16"),
    Key("rank", "int32"),
    Key("resample", "uint8"),
    Key("resample", "float32"),
    Key("resample", "float16"),
    Key("resample", "bfloat16"),
    Key("reduce", "uint8"),
    Key("reduce", "float32"),
    Key("reduce", "float16"),
    Key("reduce", "bfloat16"),
    Key("lookup", "uint8"),
    Key("fused", "uint8", "uint8", 3, "lanczos"),
    Key("fused", "float32", "float32", 1, "lanczos"),
    Key("fused", "float16", "float16", 4, "lanczos"),
)
DEALT = [
    key._replace(ops=REAL[i % len(REAL)].ops) if key.kind == "fused" and key.ops is None else key for i, key in enumerate(DEALT)
]
# Operations that need many registers, and those that need a place beside many taps: `blocks` of kernels/program.cuh knows them.
WIDE = "add additive differs fancy gauss iso multiply pixels screen shot speckle splash unblur unsharp zoom".split()
DEALT += [
    Key("fused", read, "float32", 3, sample, mask(("move", "round", name)))
    for name in WIDE
    for read, sample in (("uint8", "view"), ("float32", "linear"), ("uint8", "lanczos"))
]
# Every operation at once, which no pipeline has: they compile, with whatever registers.
ALL = [Key("fused", "uint8", "float32", width, "nearest") for width in (1, 3, 4)]
CASES = [(key, arch) for arch in ARCHS for key in EVERYWHERE]
CASES += [(key, ARCHS[i % len(ARCHS)]) for i, key in enumerate((*DEALT, *ALL))]
SMALLEST_REGISTER_LIMIT = 128  # 65536 registers of a multiprocessor / 256 threads / at least 2 blocks


@pytest.fixture(scope="module")
def compiled():
    """All cases, compiled two at a time: NVRTC runs outside of Python's lock."""
    try:
        from cupy.cuda import nvrtc as library

        library.getVersion()
    except Exception as error:
        pytest.skip(f"needs CuPy with NVRTC: {error}")
    known = {f"sm_{arch}" for arch in library.getSupportedArchs()}

    def build(case):
        key, arch = case
        try:
            return nvrtc.compile(key, arch, ("--ptxas-options=-v",)) if arch in known else None
        except RuntimeError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(CASES, pool.map(build, CASES)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].name}-{case[1]}")
def test_compiles_without_spills(compiled, case):
    result = compiled[case]
    if result is None:
        pytest.skip(f"this NVRTC does not build for {case[1]}")
    if isinstance(result, Exception):
        raise result
    assert case[0].name.encode() in result.code
    usage = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", result.log)
    registers = re.search(r"Used (\d+) registers", result.log)
    if usage is None or registers is None:
        pytest.skip("this NVRTC does not report the use of registers")
    if case[0] in ALL:
        return
    assert usage.groups() == ("0", "0", "0"), "an array that is indexed at run time, or too many registers"
    assert int(registers[1]) <= SMALLEST_REGISTER_LIMIT


def test_a_launch_asks_for_no_more_than_it_interpolates():
    """A view compiles no gather, the nearest pixel no interpolation, linear no cubic; a launch of both is two kernels."""
    from gpuaug import maps
    from gpuaug.backends import shapes
    from gpuaug.batch import Batch
    from gpuaug.track import Track

    def asked(*interpolations) -> list:
        track = Track(Batch.of(np.zeros((2, 8, 8, 3), np.uint8)))
        for i, interpolation in enumerate(interpolations):
            beside = maps.Affine([[[1, 0, 0.25], [0, 1, 0.25]]])
            track.gather(np.array([i]), beside, (8, 8), interpolation)
        plan = track.finish(np.zeros(2), np.zeros((2, 3)), "uint8")
        (launch,) = plan.launches
        assert {key[:4] for key in shapes.keys_of(launch)} == {("fused", "uint8", "uint8", 3)}
        return [key.sample for key in shapes.keys_of(launch)]

    assert asked() == ["view"]
    assert asked(0) == ["view", "nearest"]
    assert asked(1) == ["view", "linear"]
    assert asked(0, 1) == ["linear"]
    assert asked(2) == ["view", "cubic"]
    assert asked(2, 1) == ["cubic"]
    assert asked(4) == ["view", "lanczos"]
    assert asked(2, 4) == ["lanczos"]


def test_a_cubin_is_whole(compiled):
    """CuPy cuts its last byte off, which is a part of the table of programs; a driver only reads on by luck."""
    from sass import cubin

    for (key, _), result in compiled.items():
        if result is None:
            continue
        (table,), (size, count) = struct.unpack_from("<Q", result.code, 0x20), struct.unpack_from("<HH", result.code, 0x36)
        assert result.code[:4] == b"\x7fELF"
        assert len(result.code) >= table + size * count
        for program in range(count):
            offset, length = struct.unpack_from("<8xQ16xQ", result.code, table + program * size)
            assert offset + length <= len(result.code), f"{key.name}: program {program} ends behind the file"
    if cubin.missing() is None:
        assert "EXIT" in cubin._run("nvdisasm", result.code)  # refuses a file that is cut
        with pytest.raises(RuntimeError, match="nvdisasm"):
            cubin._run("nvdisasm", result.code[:-1])


def test_every_kernel_file_is_compiled():
    files = {path.stem for path in nvrtc.folder().glob("*.cu")}
    assert files == {key.kind for key, _ in CASES}


def test_text_is_self_contained_and_keeps_its_lines(tmp_path):
    (tmp_path / "a.cuh").write_text("#pragma once\nint a;\n")
    (tmp_path / "b.cuh").write_text('#pragma once\n#include "a.cuh"\nint b;\n')
    (tmp_path / "k.cu").write_text('#include "b.cuh"\n#include "a.cuh"\nint k;\n')
    text = nvrtc.flatten(tmp_path / "k.cu")
    assert "#include" not in text
    assert text.count("int a;") == 1
    lines = text.splitlines()
    for name, number in (("a.cuh", 2), ("b.cuh", 3), ("k.cu", 3)):
        # the nearest #line above, and the distance to it
        at = lines.index(f"int {name[0]};")
        mark = max(i for i in range(at) if lines[i].startswith("#line"))
        first, file = re.fullmatch(r'#line (\d+) "(.+)"', lines[mark]).groups()
        assert (file, int(first) + at - mark - 1) == (name, number)


def test_a_compile_error_names_file_and_line(monkeypatch, tmp_path, compiled):
    (tmp_path / "broken.cuh").write_text("#pragma once\n\nint x = undeclared;\n")
    (tmp_path / "fused.cu").write_text('#include "broken.cuh"\n')
    monkeypatch.setattr(nvrtc, "source", lambda kind: nvrtc.flatten(tmp_path / f"{kind}.cu"))
    with pytest.raises(RuntimeError, match=r"broken.cuh\(3\): error"):
        nvrtc.compile(Key("fused", "uint8", "uint8", 1), "sm_90")


# ---- which operations a kernel holds -----------------------------------------------------------


def keys(transforms, *, samples=4, dtype="uint8", seed=0):
    pipeline = Compose(transforms, seed=seed)
    batch = Batch.of(np.zeros((samples, 8, 8, 3), dtype))
    track = pipeline.draw(batch.size, ids=np.arange(samples)).lower(batch)
    plan = track.finish(np.zeros(samples, np.int64), np.zeros((samples, 3), np.int64), track.dtype)
    return {key for launch in plan.launches for key in shapes.keys_of(launch, plan.ops)}


def test_a_pipeline_is_one_kernel_whatever_is_drawn():
    made = [keys([Solarize(p=0.5), VerticalFlip(p=0.5)], samples=n, seed=n) for n in (1, 2, 3, 4, 5)]
    assert set().union(*made) == {Key("fused", "uint8", "uint8", 3, "view", mask(("move", "round", "solarize")))}


def test_a_kernel_holds_what_a_transform_emits_as_its_arguments_are_now():
    aug = RandomBrightnessContrast(brightness_limit=(0.2, 0.2), p=1)
    pipeline = Compose([aug, Normalize()])
    images = np.full((2, 8, 8, 3), 100, np.uint8)
    assert pipeline._tree.ops == mask(("move", "round", "linear", "linear_u8", "divide", "normalize"))
    first = pipeline(images)
    aug.brightness_by_max = False
    assert pipeline._tree.ops == mask(("move", "round", "linear_mean", "linear_u8_mean", "divide", "normalize"))
    assert not np.array_equal(pipeline(images), first)
    assert Compose([Normalize(normalization="image")])._tree.ops == mask(("move", "round", "divide", "standardize"))

    class Mine(RandomBrightnessContrast, register=False):
        ops = (*RandomBrightnessContrast.ops, "invert")

    assert Compose([Mine()])._tree.ops == mask(("move", "round", *Mine.ops))


def test_the_operations_of_a_key_are_words_of_64_bits():
    key = Key("fused", "uint8", "uint8", 3, "nearest", 1 << 1 | 1 << 63 | 1 << 64 | 1 << 130)
    assert key.defines[-1] == "-DGPUAUG_OPS=0x8000000000000002ull,0x1ull,0x4ull"
    assert key.name == f"fused_u8_u8_c3_nearest_ops{key.ops:x}"


def test_a_kernel_holds_what_it_is_told():
    alone, all_ = (Key("fused", "uint8", "uint8", 3, "nearest", ops) for ops in (mask(("invert",)), mask(OPS)))
    sizes = [len(nvrtc.compile(key, "sm_90").code) for key in (alone, all_)]
    assert sizes[0] < 0.7 * sizes[1]


class TestCache:
    KEY = Key("fused", "int32", "int32", 1)

    @pytest.fixture(autouse=True)
    def counted(self, monkeypatch, tmp_path):
        monkeypatch.setenv("GPUAUG_CACHE_DIR", str(tmp_path / "cache"))
        monkeypatch.setattr(nvrtc, "source", lambda kind: self.text)
        monkeypatch.setattr(nvrtc, "_version", lambda: "13.0")
        self.text, self.calls, self.folder = "text", 0, tmp_path / "cache"

        def compile(key, arch, options=()):
            self.calls += 1
            return nvrtc.Compiled(f"{key.name} {arch} {self.text}".encode(), "")

        monkeypatch.setattr(nvrtc, "compile", compile)

    def test_second_use_reads_the_file(self):
        first, second = (nvrtc.binary(self.KEY, "sm_90") for _ in range(2))
        assert (first, self.calls) == (second, 1)

    def test_changed_source_architecture_type_or_option_compiles_again(self, monkeypatch):
        nvrtc.binary(self.KEY, "sm_90")
        nvrtc.binary(self.KEY, "sm_80")
        nvrtc.binary(self.KEY._replace(channels=4), "sm_90")
        nvrtc.binary(self.KEY._replace(ops=6), "sm_90")
        nvrtc.binary(self.KEY._replace(ops=6 | 1 << 200), "sm_90")
        self.text = "other"
        assert b"other" in nvrtc.binary(self.KEY, "sm_90")
        monkeypatch.setattr(nvrtc, "OPTIONS", (*nvrtc.OPTIONS, "--fmad=true"))
        nvrtc.binary(self.KEY, "sm_90")
        assert self.calls == 7

    def test_a_damaged_file_is_compiled_again(self):
        good = nvrtc.binary(self.KEY, "sm_90")
        (file,) = self.folder.iterdir()
        for damage in (b"", file.read_bytes()[:-1], file.read_bytes() + b"x", b"x" * 200):
            file.write_bytes(damage)
            assert nvrtc.binary(self.KEY, "sm_90") == good
        assert self.calls == 5

    def test_files_of_an_earlier_format_are_compiled_again(self):
        """Those of the first one held cubins without their last byte."""
        good = nvrtc.binary(self.KEY, "sm_90")
        (file,) = self.folder.iterdir()
        cut = good[:-1]
        file.write_bytes(b"gpuaug1\n" + hashlib.sha256(cut).digest() + cut)
        assert nvrtc.binary(self.KEY, "sm_90") == good
        assert self.calls == 2

    def test_a_folder_that_cannot_be_written_is_no_error(self, monkeypatch, tmp_path):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("GPUAUG_CACHE_DIR", str(tmp_path / "file" / "cache"))
        assert nvrtc.binary(self.KEY, "sm_90") == nvrtc.binary(self.KEY, "sm_90")
        assert self.calls == 2


def test_kernels_are_compiled_side_by_side_and_loaded_once(monkeypatch):
    """With a CuPy that has one GPU, and kernels that wait for each other while they compile."""
    keys = [Key("fused", "uint8", "uint8", 4), Key("fused", "uint8", "uint8", 1)]
    both, loaded = threading.Barrier(2, timeout=60), []

    class Module:
        def load(self, code):
            loaded.append(code)

        def get_function(self, name):
            return name

    gpu = contextlib.nullcontext(SimpleNamespace(compute_capability="90"))
    cuda = SimpleNamespace(Device=lambda index: gpu, function=SimpleNamespace(Module=Module))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(nvrtc, "best_arch", lambda capability: f"sm_{capability}")
    monkeypatch.setattr(nvrtc, "binary", lambda key, arch: (both.wait(), key.name + arch)[1])
    monkeypatch.setattr(nvrtc, "_loaded", {})
    monkeypatch.setattr(nvrtc.os, "cpu_count", lambda: 2)
    nvrtc.load([*keys, keys[0]], 0)
    assert sorted(loaded) == ["fused_u8_u8_c1sm_90", "fused_u8_u8_c4sm_90"]
    assert [nvrtc.function(key, 0) for key in keys] == [key.name for key in keys]
    nvrtc.load(keys, 0)
    assert len(loaded) == 2


@pytest.mark.parametrize(("capability", "arch"), [("90", "sm_90"), ("86", "sm_86"), ("130", "compute_120"), ("99", "compute_90")])
def test_a_gpu_newer_than_nvrtc_gets_ptx(monkeypatch, capability, arch):
    library = SimpleNamespace(getSupportedArchs=lambda: [75, 80, 86, 90, 120], getVersion=lambda: (13, 0))
    monkeypatch.setitem(sys.modules, "cupy.cuda", SimpleNamespace(nvrtc=library))
    assert nvrtc.best_arch(capability) == arch


def test_a_gpu_older_than_nvrtc_is_refused(monkeypatch):
    library = SimpleNamespace(getSupportedArchs=lambda: [75, 80], getVersion=lambda: (13, 0))
    monkeypatch.setitem(sys.modules, "cupy.cuda", SimpleNamespace(nvrtc=library))
    with pytest.raises(RuntimeError, match=r"7\.5 and newer, the GPU has 7\.0.*cupy-cuda12x"):
        nvrtc.best_arch("70")

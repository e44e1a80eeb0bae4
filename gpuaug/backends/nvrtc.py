"""Source text, options and binaries of the kernels for the GPU.

A specialization is a `Key`; it is compiled when first used. NVRTC is called directly and not through
`cupy.RawModule`, which appends `-ftz=true` to every compilation: denormals would become zero on the GPU
and stay numbers on the CPU.

Nothing here needs a GPU or a driver except `load`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import re
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from ..machine import users_cache

_log = logging.getLogger("gpuaug.kernels")

THREADS = 256  # of every kernel's blocks

# What the CPU build does too: IEEE division and square root, denormals, and no contraction of a * b + c
# (a multiply-add is fused where the source says so).
OPTIONS = (
    "--std=c++17",
    "--fmad=false",
    "--ftz=false",
    "--prec-div=true",
    "--prec-sqrt=true",
    "--device-as-default-execution-space",  # constexpr functions in headers are for host and device
)

TYPES = {"uint8": "u8", "float16": "f16", "bfloat16": "bf16", "float32": "f32", "int32": "i32"}
_C_TYPES = {"uint8": "aug::u8", "float16": "aug::f16", "bfloat16": "aug::bf16", "float32": "float", "int32": "aug::i32"}

# GPUAUG_SAMPLE, from -1: views alone, or gathers, each with those before it
SAMPLES = ("view", "nearest", "linear", "cubic", "lanczos")
_MAGIC = b"gpuaug2\n"  # 1: cubins without their last byte


def folder() -> Path:
    """`_kernels` inside an installed package, `kernels` beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for path in (package / "_kernels", package.parent / "kernels"):
        if (path / "lang.cuh").exists():
            return path
    raise RuntimeError(f"gpuaug: its kernels are in neither {package / '_kernels'} nor {package.parent / 'kernels'}")


def flatten(path: Path, seen: set | None = None, root: Path | None = None) -> str:
    """The file with its quoted includes put in place, each once, found beside the file or in the first one's folder; errors keep
    their file and line."""
    path = path.resolve()
    seen, root = set() if seen is None else seen, path.parent if root is None else root
    if path in seen:
        return ""
    seen.add(path)
    lines = [f'#line 1 "{path.name}"']
    for number, line in enumerate(path.read_text().splitlines(), 1):
        include = re.match(r'\s*#include "(.+)"', line)
        if include:
            beside = path.parent / include[1]
            lines += [flatten(beside if beside.exists() else root / include[1], seen, root), f'#line {number + 1} "{path.name}"']
        else:
            lines.append("" if line.strip() == "#pragma once" else line)
    return "\n".join(lines) + "\n"


@functools.cache
def source(kind: str) -> str:
    """The whole text of a kernel. It holds every header, so that its hash changes with any of them."""
    return flatten(folder() / f"{kind}.cu")


class Key(NamedTuple):
    """What a kernel is compiled for. A filter writes the type that it reads; it, and the others, take channels one by one.
    sample: the most that a fused kernel interpolates with, a name in `SAMPLES`; None: all. ops: which pixel operations it has, a
    bit for each code (`gpuaug.ops.mask`); None: all. taps: a filter of so many weights both ways, in march.cuh's way, or a median
    of so many lines, in median.cuh's, each of pixels of so many channels. only: leave out what rows of other kinds need:
    "matrix", of a fused kernel, all maps but matrices and resizes; "extremes", of ranks, medians.
    """

    kind: str
    read: str
    written: str | None = None
    channels: int | None = None
    sample: str | None = None
    ops: int | None = None
    taps: int | None = None
    only: str | None = None

    @property
    def name(self) -> str:
        """What a profiler shows, e.g. fused_u8_f32_c3_linear_matrix_ops86."""
        parts = [self.kind, TYPES[self.read]]
        parts += [TYPES[self.written]] if self.written else []
        parts += [f"c{self.channels}"] if self.channels else []
        parts += [self.sample] if self.sample else []
        parts += [self.only] if self.only else []
        parts += [f"ops{self.ops:x}"] if self.ops is not None else []
        parts += [f"k{self.taps}"] if self.taps else []
        return "_".join(parts)

    @property
    def defines(self) -> tuple[str, ...]:
        values = {"KERNEL": self.name, "IN": _C_TYPES[self.read]}
        if self.written:
            values["OUT"] = _C_TYPES[self.written]
        if self.channels:
            values["CHANNELS"] = str(self.channels)
        if self.sample:
            values["SAMPLE"] = str(SAMPLES.index(self.sample) - 1)
        if self.ops is not None:
            words = range(0, max(self.ops.bit_length(), 1), 64)
            values["OPS"] = ",".join(f"{self.ops >> at & 0xFFFFFFFFFFFFFFFF:#x}ull" for at in words)
        if self.taps:
            values["TAPS"] = str(self.taps)
        if self.only:
            values[self.only.upper()] = "1"
        return tuple(f"-DGPUAUG_{name}={value}" for name, value in values.items())


class Compiled(NamedTuple):
    code: bytes  # cubin for sm_*, PTX for compute_*
    log: str


def compile(key: Key, arch: str, options: tuple[str, ...] = ()) -> Compiled:
    """Compiles one kernel for `arch` ("sm_90", "compute_90"). Needs NVRTC, but no GPU and no driver."""
    from cupy.cuda import nvrtc

    options = (*OPTIONS, *key.defines, f"--gpu-architecture={arch}", *options)
    program = nvrtc.createProgram(source(key.kind), f"{key.name}.cu", (), ())
    try:
        nvrtc.compileProgram(program, options)
        code = whole(bytes(nvrtc.getCUBIN(program))) if arch.startswith("sm_") else bytes(nvrtc.getPTX(program))
        return Compiled(code, nvrtc.getProgramLog(program))
    except nvrtc.NVRTCError as error:
        log = nvrtc.getProgramLog(program)
        raise RuntimeError(f"gpuaug: {key.name} does not compile for {arch} ({error}):\n{log}") from None
    finally:
        nvrtc.destroyProgram(program)


def whole(code: bytes) -> bytes:
    """A cubin as NVRTC made it. CuPy cuts the last byte off, as if it were the NUL that ends a text; a cubin, an ELF file, ends
    with its table of programs, whose last byte is zero.
    """
    (table,), (size, count) = struct.unpack_from("<Q", code, 0x20), struct.unpack_from("<HH", code, 0x36)
    return code + b"\0" if table + size * count == len(code) + 1 else code


def best_arch(capability: str) -> str:
    """The target for a GPU of this compute capability ("90"): its own, or PTX where NVRTC is older than the GPU."""
    from cupy.cuda import nvrtc

    known = sorted(int(a) for a in nvrtc.getSupportedArchs())
    if int(capability) in known:
        return f"sm_{capability}"
    older = [a for a in known if a < int(capability)]
    if not older:
        raise RuntimeError(
            f"gpuaug: this NVRTC ({_version()}) builds for compute capability {known[0] / 10} and newer, the GPU has "
            f"{int(capability) / 10}. Install the CuPy for an older CUDA, e.g. `pip install cupy-cuda12x`."
        )
    return f"compute_{older[-1]}"


def _version() -> str:
    from cupy.cuda import nvrtc

    return ".".join(map(str, nvrtc.getVersion()))


# ---- binaries on disk --------------------------------------------------------------------------


def cache_folder() -> Path:
    base = os.environ.get("GPUAUG_CACHE_DIR")
    return Path(base) if base else users_cache()


def binary(key: Key, arch: str) -> bytes:
    """`compile`, remembered on disk under the hash of everything the result depends on.

    There is no lock: ranks that start together compile the same second of work side by side, and the
    last to finish renames its file over the others', which are equal.
    """
    everything = "\0".join([source(key.kind), *OPTIONS, *key.defines, arch, _version()])
    path = cache_folder() / f"{key.name}-{arch}-{hashlib.sha256(everything.encode()).hexdigest()[:32]}.bin"
    code = _read(path)
    if code is None:
        began = time.monotonic()
        code = compile(key, arch).code
        _log.info("compiled %s for %s in %.1f s: it was not in %s", key.name, arch, time.monotonic() - began, path.parent)
        _write(path, code)
    return code


def _read(path: Path) -> bytes | None:
    """None for a file that is missing, unreadable or not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head = len(_MAGIC) + 32
    if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(data[head:]).digest() != data[len(_MAGIC) : head]:
        return None
    return data[head:]


def _write(path: Path, code: bytes) -> None:
    fresh = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(_MAGIC + hashlib.sha256(code).digest() + code)
        os.replace(fresh, path)
    except OSError as error:  # a read-only home: compile in every process
        _log.warning("%s cannot be written (%s): every process compiles its kernels anew; set GPUAUG_CACHE_DIR", path, error)
        with contextlib.suppress(OSError):
            fresh.unlink()


# ---- loaded kernels ----------------------------------------------------------------------------

_loaded: dict = {}  # (key, device): function
_loading = threading.Lock()


def _forked() -> None:
    global _loading
    _loading = threading.Lock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def load(keys, device: int) -> None:
    """Makes `function` ready for all keys on GPU number `device`; what is missing is compiled side by side.

    A kernel is loaded once and never replaced: the module of a function that nobody holds is unloaded, while its kernel may run.
    """
    if all((key, device) in _loaded for key in keys):
        return
    import cupy

    with _loading:
        missing = [key for key in dict.fromkeys(keys) if (key, device) not in _loaded]
        if not missing:  # another thread has loaded them
            return
        with cupy.cuda.Device(device) as gpu:
            arch = best_arch(gpu.compute_capability)
            with ThreadPoolExecutor(min(len(missing), os.cpu_count() or 1)) as pool:
                codes = list(pool.map(lambda key: binary(key, arch), missing))
            for key, code in zip(missing, codes):
                module = cupy.cuda.function.Module()
                module.load(code)
                _loaded.setdefault((key, device), module.get_function(key.name))


def function(key: Key, device: int):
    """The kernel on GPU number `device`: f(grid, block, args, shared_mem=0, stream=None), as `cupy.cuda.Function`."""
    if (key, device) not in _loaded:
        load([key], device)
    return _loaded[key, device]

"""CUDA kernels on the CPU: `RawModule` with CuPy's call shape, run through cuda_shim.h."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np

SHIM = Path(__file__).with_name("cuda_shim.h")
CXX = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
# Contraction off as in both real builds; -O1 keeps one call per __syncthreads of the source
# (higher levels may clone a barrier, which would look like two different ones).
FLAGS = ("-std=c++17 -O1 -g1 -mfma -ffp-contract=off -fno-math-errno -shared -fPIC -fvisibility=hidden -w").split()
PAST = 8192  # bytes behind an allocation: what a block with a planted bug may overwrite
FORWARD, BACKWARD = 0, 1  # any other order is the seed of a shuffle
_one_at_a_time = threading.Lock()  # the shim keeps the running block in globals


class KernelFault(RuntimeError):
    """A launch that a GPU would hang on or corrupt memory with."""


def _flags() -> list[str]:
    if os.uname().machine not in ("x86_64", "AMD64"):
        return [f for f in FLAGS if f != "-mfma"]
    return FLAGS


class RawModule:
    def __init__(self, code: str, options=(), *, sanitize: bool = False, order: int = FORWARD):
        self.code, self.options, self.sanitize, self.order = code, tuple(options), sanitize, order

    def get_function(self, name: str) -> Function:
        defines = [o for o in self.options if o.startswith(("-D", "-I"))]
        flags = _flags() + (["-fsanitize=address"] if self.sanitize else []) + defines
        code = f"{self.code}\nEMU_EXPORT({name})\n"
        text = "\0".join([SHIM.read_text(), code, CXX or "", *flags])
        folder = Path(tempfile.gettempdir()) / f"gpuaug-emu-{os.getuid()}"
        library = folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:20]}.so"
        if not library.exists():
            if CXX is None:
                raise RuntimeError("the emulated kernels need g++ or clang++")
            folder.mkdir(mode=0o700, exist_ok=True)
            fresh = library.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
            command = [CXX, "-x", "c++", "-include", str(SHIM), *flags, "-o", str(fresh), "-"]
            done = subprocess.run(command, input=code, text=True, capture_output=True)
            if done.returncode:
                raise RuntimeError(f"{name} does not compile for the shim:\n{done.stderr}")
            os.replace(fresh, library)
        return Function(name, ctypes.CDLL(str(library)), self.order)


class Function:
    """f(grid, block, args, shared_mem=0), as cupy.cuda.Function."""

    def __init__(self, name: str, library: ctypes.CDLL, order: int):
        self.name, self.order, self._library = name, order, library
        library.emu_launch.restype = ctypes.c_char_p
        sizes = (ctypes.c_int * 64)()
        self.sizes = list(sizes[: library.emu_sizes(sizes, 64)])

    def __call__(self, grid, block, args, shared_mem: int = 0, stream=None) -> None:
        if len(args) != len(self.sizes):
            raise TypeError(f"{self.name} takes {len(self.sizes)} arguments, got {len(args)}")
        values = [_value(a) for a in args]
        for i, (value, size) in enumerate(zip(values, self.sizes)):
            if ctypes.sizeof(value) != size:
                raise TypeError(f"{self.name}: argument {i} has {size} bytes, got {args[i]!r}")
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for v in values))
        with _one_at_a_time:
            why = self._library.emu_launch(
                _dim(grid), _dim(block), ctypes.c_uint(shared_mem), pointers, ctypes.c_uint(self.order)
            )
        if why is not None:
            raise KernelFault(f"{self.name}: {why.decode()}")


def _dim(d):
    return (ctypes.c_uint * 3)(*(*d, 1, 1)[:3])


def _value(a):
    """The bytes CuPy passes: int64 for an int, float64 for a float, a NumPy scalar as it is."""
    if isinstance(a, np.ndarray):
        return ctypes.c_void_p(a.ctypes.data)
    if isinstance(a, np.generic):
        return (ctypes.c_char * a.nbytes).from_buffer_copy(a.tobytes())
    return ctypes.c_double(a) if isinstance(a, float) else ctypes.c_int64(a)


class Device:
    """What `gpuaug.backends.cuda.run` needs of a GPU: memory of NumPy, kernels on fibers.

    Memory is separate for every call and filled with 0xff (NaN), so that nothing is right by being zero.

    masked: kernels hold the operations of their pipeline, as on a GPU; else all, so that pipelines share what was compiled.
    """

    def __init__(
        self,
        order: int = FORWARD,
        replace: tuple[tuple[str, str, str], ...] = (),
        sanitize: bool = False,
        masked: bool = False,
    ):
        self.order, self.replace, self.sanitize, self.masked = order, replace, sanitize, masked
        # replace holds (kernel, old, new): edits of the source, to plant a bug
        self.launches: list[str] = []
        self._owners: list[np.ndarray] = []

    def prepare(self, keys) -> None:
        self.prepared = set(keys)

    def empty(self, size: int):
        memory = np.full(size + 256 + (0 if self.sanitize else PAST), 0xFF, np.uint8)
        self._owners.append(memory)
        start = -memory.ctypes.data % 256
        return memory.ctypes.data + start, memory[start : start + size]

    def upload(self, memory: np.ndarray):
        address, copy = self.empty(len(memory))
        copy[:] = memory
        return address, copy

    def kernel(self, key):
        assert key in self.prepared, f"{key.name} was not announced, and would be compiled alone"
        return _kernel(key if self.masked else shared(key), self.order, self.replace, self.sanitize)

    def launch(self, kernel, grid, args, shared: int, threads: int = 256) -> None:
        self.launches.append(kernel.name)
        kernel(grid, (threads,), args, shared)


def shared(key):
    """The kernel that pipelines share: with all operations, and all maps; of ranks, which compile in no time, their own."""
    return key._replace(ops=None, only=None if key.kind == "fused" else key.only)


@functools.cache
def _kernel(key, order: int, replace, sanitize: bool):
    from gpuaug.backends import nvrtc

    code = nvrtc.source(key.kind)
    for kind, old, new in replace:
        if kind != key.kind:
            continue
        if old not in code:  # not an assertion: the tests take those for what a planted bug does
            raise ValueError(f"the source of {key.kind} no longer holds {old!r}")
        code = code.replace(old, new)
    return RawModule(code, key.defines, order=order, sanitize=sanitize).get_function(key.name)

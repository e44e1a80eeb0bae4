"""Small kernels in CUDA C for tests of the simulator: compiled as gpuaug's own are, run on arrays of NumPy."""

from __future__ import annotations

import functools

import numpy as np

from gpuaug.backends import nvrtc

from . import Cubin, Machine, Memory

HEAD = """
typedef unsigned u32; typedef unsigned long long u64; typedef long long i64; typedef unsigned short u16; typedef unsigned char u8;
extern "C" __global__ void kernel(%s) {
  const u32 t = blockIdx.x * blockDim.x + threadIdx.x;
  %s
}
"""


@functools.cache
def compiled(parameters: str, body: str) -> Cubin:
    from cupy.cuda import nvrtc as library

    program = library.createProgram(HEAD % (parameters, body), "small.cu", (), ())
    try:
        library.compileProgram(program, (*nvrtc.OPTIONS, "--gpu-architecture=sm_90"))
        return Cubin(nvrtc.whole(bytes(library.getCUBIN(program))))
    except library.NVRTCError:
        raise RuntimeError(library.getProgramLog(program)) from None
    finally:
        library.destroyProgram(program)


def launch(parameters: str, body: str, *arguments, blocks: int = 1, threads: int = 64, shared: int = 0, wobble=None, limit=10**6):
    """Runs `body` for threads t = 0, 1, ...; arrays among the arguments are memory, numbers are 64 bits. Gives the machine."""
    memory = Memory()
    values = []
    for each in arguments:
        if isinstance(each, np.ndarray):
            memory.add(each)
            values.append(each.ctypes.data)
        else:
            values.append(each)
    where = [(x, 0, 0) for x in range(blocks)]
    cubin = compiled(parameters, body)
    return Machine(cubin, where, threads, (blocks, 1, 1), values, memory, shared, wobble).run(limit)


def each_thread(result: str, **inputs):
    """`result`, an expression of a, b, c (u32, float or double as the arrays are), for every element; as the type that it has."""
    kinds = {"uint32": "u32", "int32": "int", "float32": "float", "float64": "double", "uint64": "u64", "int64": "i64"}
    count = len(next(iter(inputs.values())))
    assert count % 64 == 0
    kind, _, expression = result.partition(": ")
    out = np.zeros(count, next(name for name, short in kinds.items() if short == kind))
    parameters = ", ".join([f"{kind}* out", *(f"const {kinds[str(v.dtype)]}* {k}_" for k, v in inputs.items())])
    body = "".join(f"const {kinds[str(v.dtype)]} {k} = {k}_[t]; " for k, v in inputs.items()) + f"out[t] = {expression};"
    launch(parameters, body, out, *inputs.values(), blocks=count // 64)
    return out

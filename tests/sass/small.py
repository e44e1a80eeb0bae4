"""Small kernels in CUDA C for tests of the simulator: compiled as gpuaug's own are, run on arrays of NumPy."""

from __future__ import annotations

import functools

import numpy as np

from gpuaug.backends import nvrtc

from . import Cubin, Machine, Memory

HEAD = """
typedef unsigned u32; typedef unsigned long long u64; typedef long long i64; typedef unsigned short u16; typedef unsigned char u8;
%s
extern "C" __global__ void kernel(%s) {
  const u32 t = blockIdx.x * blockDim.x + threadIdx.x;
  %s
}
"""


@functools.cache
def compiled(parameters: str, body: str, before: str = "") -> Cubin:
    from cupy.cuda import nvrtc as library

    program = library.createProgram(HEAD % (before, parameters, body), "small.cu", (), ())
    try:
        library.compileProgram(program, (*nvrtc.OPTIONS, "--gpu-architecture=sm_90"))
        return Cubin(nvrtc.whole(bytes(library.getCUBIN(program))))
    except library.NVRTCError:
        raise RuntimeError(library.getProgramLog(program)) from None
    finally:
        library.destroyProgram(program)


def launch(
    parameters: str,
    body: str,
    *arguments,
    blocks: int = 1,
    threads: int = 64,
    shared: int = 0,
    wobble=None,
    limit=10**6,
    before="",
):
    """Runs `body` for threads t = 0, 1, ...; arrays among the arguments are memory, numbers are 64 bits. Gives the machine.

    before: what stands before the kernel.
    """
    memory = Memory()
    values = []
    for each in arguments:
        if isinstance(each, np.ndarray):
            memory.add(each)
            values.append(each.ctypes.data)
        else:
            values.append(each)
    where = [(x, 0, 0) for x in range(blocks)]
    cubin = compiled(parameters, body, before)
    return Machine(cubin, where, threads, (blocks, 1, 1), values, memory, shared, wobble).run(limit)


_KINDS = {"uint32": "u32", "int32": "int", "float32": "float", "float64": "double", "uint64": "u64", "int64": "i64"}


def each_thread(result: str, **inputs) -> np.ndarray:
    """`result`, "type: expression" of a, b, c (as the arrays are: u32, float, double ..), for every element."""
    return together_of([(result, inputs)])[0]


def together_of(asked: list[tuple[str, dict]]) -> list[np.ndarray]:
    """`each_thread` of several, by one kernel for each length: disassembling takes longer than running."""
    outs: list = [None] * len(asked)
    by_count: dict[int, list[int]] = {}
    for i, (_, inputs) in enumerate(asked):
        by_count.setdefault(len(next(iter(inputs.values()))), []).append(i)
    for count, numbers in by_count.items():
        assert count % 64 == 0, "whole blocks"
        given = {id(array): array for i in numbers for array in asked[i][1].values()}
        names = {key: f"in{i}" for i, key in enumerate(given)}
        parameters = [f"const {_KINDS[str(array.dtype)]}* {names[key]}" for key, array in given.items()]
        body, arrays = [], list(given.values())
        for i in numbers:
            kind, _, expression = asked[i][0].partition(": ")
            outs[i] = np.zeros(count, next(name for name, short in _KINDS.items() if short == kind))
            read = "".join(f"const {_KINDS[str(v.dtype)]} {k} = {names[id(v)]}[t]; " for k, v in asked[i][1].items())
            body.append(f"{{ {read} out{i}[t] = {expression}; }}")
            parameters.append(f"{kind}* out{i}")
            arrays.append(outs[i])
        launch(", ".join(parameters), "\n".join(body), *arrays, blocks=count // 64)
    return outs

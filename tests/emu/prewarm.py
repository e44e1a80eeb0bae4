"""Compiles, without a GPU, the kernels of the first run on a card: `python -m emu.prewarm sm_90`, with tests/ on the path.

It fills gpuaug's cache (GPUAUG_CACHE_DIR), which is then carried to the card's machine. A file is good for the NVRTC version that
made it: what another one asks for is compiled there, 1 to 3 s each.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import gpuaug
from bench import gpu
from bench.sass import CASES
from emu.plans import Steps, build, samples
from gpuaug import assemble, deliver
from gpuaug.backends import cuda, nvrtc


class Recorder:
    """In place of a GPU: it notes which kernels plans ask for, and launches none."""

    def __init__(self):
        self.keys: dict = {}

    def prepare(self, keys) -> None:
        self.keys.update(dict.fromkeys(keys))

    def empty(self, size: int):
        memory = np.empty(size, np.uint8)
        return memory.ctypes.data, memory

    def upload(self, memory: np.ndarray):
        return memory.ctypes.data, memory

    def kernel(self, key):
        return key

    def launch(self, kernel, grid, args, shared: int, threads: int = 256) -> None:
        pass


def wanted_keys() -> list[nvrtc.Key]:
    """Of `bench.gpu` and of tests/test_gpu.py."""
    recorder = Recorder()

    def execute(plan, device=None):
        cuda.run(plan, recorder)

    real = deliver.execute
    deliver.execute = assemble.execute = execute
    try:
        image = np.zeros((64, 224, 224, 3), np.uint8)  # enough samples that each kernel is drawn
        for name in gpu.chosen(""):
            case = CASES[name]
            compose = gpuaug.Compose(case.make(gpuaug), seed=0)
            compose.run({"image": image}, ids=np.arange(64), dtype=case.dtype, channels_last=case.channels_last, device="cpu")
        from test_gpu import pipeline

        for epoch in range(20):
            pipeline().run({"image": image}, ids=np.arange(64), epoch=epoch, device="cpu")
    finally:
        deliver.execute = assemble.execute = real
    for dtype in ("uint8", "float32", "float16", "bfloat16", "int32"):
        for seed in range(6):
            channels = 1 if dtype == "int32" else 3
            data = samples(np.random.default_rng(seed), dtype, channels, 6)
            execute(build(data, channels, dtype, seed % 2 == 0, Steps(seed, 6))[0])
    execute(build(samples(np.random.default_rng(0), "uint8", 3, 4), 3, "uint8", False, Steps(0, 4))[0])
    return list(recorder.keys)


def main() -> None:
    arch, wanted, start = sys.argv[1] if len(sys.argv) > 1 else "sm_90", wanted_keys(), time.perf_counter()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        sizes = [len(code) for code in pool.map(lambda key: nvrtc.binary(key, arch), wanted)]
    took = time.perf_counter() - start
    made = f"{len(wanted)} kernels for {arch}, {sum(sizes) / 2**20:.1f} MiB, NVRTC {nvrtc._version()}, {took:.0f} s"
    print(f"{made}: {nvrtc.cache_folder()}")


if __name__ == "__main__":
    main()

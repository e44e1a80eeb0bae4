"""Compiles, without a GPU, the kernels of the runs on a card: `python -m emu.prewarm sm_90 [REFERENCES]`, tests/ on the path.

Those of the first run; with a file that `frozen.freeze` wrote, those of the second, too. It fills gpuaug's cache
(GPUAUG_CACHE_DIR), which is then carried to the card's machine. A file is good for the NVRTC version that made it: what another
one asks for is compiled there, 1 to 3 s each; `bench/second_run.sh` calls this there with `card` for an architecture, so that all
cores do it at once.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

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


@contextmanager
def recorded():
    """Plans are not carried out: the recorder notes what they would launch."""
    recorder, real = Recorder(), deliver.execute
    deliver.execute = assemble.execute = lambda plan, device=None: cuda.run(plan, recorder)
    try:
        yield recorder
    finally:
        deliver.execute = assemble.execute = real


def of_references(path: Path) -> list[nvrtc.Key]:
    """Of `frozen.replay` and of the tests of tests/test_engine.py that bench/second_run.sh runs."""
    from frozen import replay
    from frozen.store import Reader
    from test_engine import FEW, at_once, drawn_chain, stepwise

    store = Reader(path)
    with recorded() as recorder:
        for row in store.record["rows"]:
            replay.one(row, store, "cpu")
        for seed, dtype in FEW:
            drawn, data, masks = drawn_chain(seed, dtype)
            for kind, given in (("image", data), ("mask", masks)):
                if given:
                    at_once(drawn, given, kind, torch.device("cpu"))
                    stepwise(drawn, given, kind, torch.device("cpu"))
    return list(recorder.keys)


def wanted_keys() -> list[nvrtc.Key]:
    """Of `bench.gpu` and of tests/test_gpu.py."""
    with recorded() as recorder:
        image = np.zeros((64, 224, 224, 3), np.uint8)  # enough samples that each kernel is drawn
        for name in gpu.chosen(""):
            case = CASES[name]
            compose = gpuaug.Compose(case.make(gpuaug), seed=0)
            compose.run({"image": image}, ids=np.arange(64), dtype=case.dtype, channels_last=case.channels_last, device="cpu")
        from test_gpu import pipeline

        for epoch in range(20):
            pipeline().run({"image": image}, ids=np.arange(64), epoch=epoch, device="cpu")
    for dtype in ("uint8", "float32", "float16", "bfloat16", "int32"):
        for seed in range(6):
            channels = 1 if dtype == "int32" else 3
            data = samples(np.random.default_rng(seed), dtype, channels, 6)
            cuda.run(build(data, channels, dtype, seed % 2 == 0, Steps(seed, 6))[0], recorder)
    cuda.run(build(samples(np.random.default_rng(0), "uint8", 3, 4), 3, "uint8", False, Steps(0, 4))[0], recorder)
    return list(recorder.keys)


def main() -> None:
    arch, path = [*sys.argv[1:], *("sm_90", None)[len(sys.argv) - 1 :]]
    if arch == "card":
        arch = "sm_{}{}".format(*torch.cuda.get_device_capability())
    wanted, start = wanted_keys(), time.perf_counter()
    wanted += [key for key in of_references(Path(path)) if key not in wanted] if path else []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        sizes = [len(code) for code in pool.map(lambda key: nvrtc.binary(key, arch), wanted)]
    took = time.perf_counter() - start
    made = f"{len(wanted)} kernels for {arch}, {sum(sizes) / 2**20:.1f} MiB, NVRTC {nvrtc._version()}, {took:.0f} s"
    print(f"{made}: {nvrtc.cache_folder()}")


if __name__ == "__main__":
    main()

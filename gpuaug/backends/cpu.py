"""The compiled kernels, through ctypes."""

from __future__ import annotations

import ctypes
import platform
from functools import cache
from pathlib import Path

import numpy as np
import torch

from .. import _toolchain
from ..batch import DTYPES

KINDS = {"fused": 0, "filter": 1, "statistics": 2}
_LAUNCH = np.dtype([("rows", "i8"), ("row_of", "i8"), ("ops", "i8"), ("blob", "i8"), ("kind", "i4"), ("n", "i4"),
                    ("channels", "i4"), ("source", "i4"), ("target", "i4"), ("pad", "i4")])


class Library:
    """One build of the kernels: the calls that Python makes."""

    def __init__(self, path: Path):
        self.path = path
        self._lib = ctypes.CDLL(str(path))
        self._lib.gpuaug_sources.restype = ctypes.c_char_p
        built, kernels = self._lib.gpuaug_sources().decode(), path.parent.parent / "kernels"
        if built and kernels.is_dir() and built != _toolchain.sources_hash(kernels):  # a checkout whose kernels were edited
            raise ImportError(f"{path.name} was built from other kernels than those in {kernels}; run `make` or pip install -e .")
        pointer = ctypes.c_void_p
        self._run = self._lib.gpuaug_run
        self._run.argtypes = [pointer, ctypes.c_int, ctypes.c_int, pointer, ctypes.c_int]
        self._run.restype = None
        self._uniforms = self._lib.gpuaug_uniforms
        self._uniforms.argtypes = [pointer, pointer, ctypes.c_uint32, ctypes.c_int, pointer, pointer, ctypes.c_int,
                                   ctypes.c_uint64, pointer]
        self._uniforms.restype = None

    def sizes(self) -> list[int]:
        """Bytes of Row, Op, FilterRow and Launch as the compiler sees them."""
        out = np.zeros(4, np.int32)
        self._lib.gpuaug_sizes(ctypes.c_void_p(out.ctypes.data))
        return out.tolist()

    def uniforms(self, seed, epoch, ids, occurrence, slots, blocks) -> np.ndarray:
        out = np.empty((4 * len(slots), len(ids)))
        self._uniforms(ids.ctypes.data, occurrence.ctypes.data, epoch, len(ids), slots.ctypes.data, blocks.ctypes.data,
                       len(slots), seed & 0xFFFFFFFFFFFFFFFF, out.ctypes.data)
        return out

    def run(self, plan, threads: int) -> None:
        launches = np.zeros(len(plan.launches), _LAUNCH)
        keep = []
        for record, launch in zip(launches, plan.launches):
            row_of = np.full(plan.samples, -1, np.int32)
            row_of[launch.sample] = np.arange(len(launch.rows), dtype=np.int32)
            keep.append(row_of)
            record["rows"], record["row_of"] = launch.rows.ctypes.data, row_of.ctypes.data
            record["ops"] = launch.ops.ctypes.data if launch.ops is not None else 0
            record["blob"] = launch.blob.ctypes.data
            record["kind"], record["n"], record["channels"] = KINDS[launch.kind], len(launch.rows), launch.channels
            record["source"], record["target"] = DTYPES[launch.source][0], DTYPES[launch.target][0]
        stats = plan.stats.ctypes.data if plan.stats is not None else 0
        self._run(launches.ctypes.data, len(launches), plan.samples, stats, threads)


def _variants() -> list[str]:
    """Names of the builds that this processor can run, best first."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return ["base"]
    try:
        flags = set(next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split())
    except (OSError, StopIteration):
        return ["v2"]
    v3 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"} <= flags
    v4 = v3 and {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags
    return ["v4"] * v4 + ["v3"] * v3 + ["v2"]


@cache
def _load(variant: str | None):
    folder = Path(__file__).parent.parent
    errors = []
    for name in [variant] if variant else _variants():
        path = folder / f"_cpu_{name}.so"
        if path.exists():
            try:
                return Library(path), ""
            except (OSError, ImportError) as error:
                errors.append(f"{path.name}: {error}")
    return None, "; ".join(errors) or _toolchain.missing()


def library(required: bool = True, variant: str | None = None) -> Library | None:
    """The best build for this processor, loaded once; None if there is none and it is not required."""
    found, why = _load(variant)
    if found is None and required:
        raise RuntimeError(why)
    return found


def execute(plan, threads: int | None = None) -> None:
    """Run a plan on this machine's processor, in torch's number of threads (one in DataLoader workers)."""
    if plan.samples:
        library().run(plan, threads or torch.get_num_threads())

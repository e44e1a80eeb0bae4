"""The shim that runs CUDA kernels on the CPU finds the faults it is there for."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import emu
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")

ORDERS = (emu.FORWARD, emu.BACKWARD, 7)
# Each thread reads what its neighbours on both sides wrote, and the block writes its row.
NEIGHBOURS = r"""
extern "C" __global__ void neighbours(const float* in, float* out, long long n) {
  GPUAUG_SHARED(float, tile);
  const int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
  EARLY
  tile[t] = i < n ? in[i] : 0.0f;
  BARRIER
  float v = tile[t];
  if (t > 0) v += tile[t - 1];
  if (t < (int)blockDim.x - 1) v += tile[t + 1];
  if (i < n) out[i] = v;
}
"""


def run(barrier="__syncthreads();", early="", order=emu.FORWARD, shared=64 * 4):
    code = NEIGHBOURS.replace("BARRIER", barrier).replace("EARLY", early)
    x = np.arange(100, dtype=np.float32)
    out = np.full_like(x, -1)
    kernel = emu.RawModule(code, order=order).get_function("neighbours")
    kernel((2,), (64,), (x, out, x.size), shared_mem=shared)
    padded = np.pad(x, (1, 29)).astype(np.float32)
    want = padded[:-2] + padded[1:-1] + padded[2:]
    want[63] -= 64  # a block does not see its neighbour
    want[64] -= 63
    return out, want[:100]


@pytest.mark.parametrize("order", ORDERS)
def test_correct_kernel(order):
    out, want = run(order=order)
    np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("order", ORDERS)
def test_missing_barrier_gives_nan(order):
    out, _ = run(barrier="", order=order)
    assert np.isnan(out).any()


def test_barrier_that_some_threads_skip():
    with pytest.raises(emu.KernelFault, match="left the kernel"):
        run(barrier="if (t < 8) __syncthreads();")


def test_threads_at_different_barriers():
    with pytest.raises(emu.KernelFault, match="different __syncthreads"):
        run(barrier="if (t < 8) { __syncthreads(); tile[t] += 0.0f; } else __syncthreads();")


def test_threads_that_leave_before_a_barrier():
    with pytest.raises(emu.KernelFault, match=r"left the kernel.*block \(1, 0, 0\)"):
        run(early="if (i >= n) return;")


def test_a_whole_block_may_leave():
    out, want = run(early="if (blockIdx.x == 1) return;")
    np.testing.assert_array_equal(out[:64], want[:64])
    assert (out[64:] == -1).all()


def test_write_past_shared_memory():
    with pytest.raises(emu.KernelFault, match="past the end of shared memory"):
        run(shared=63 * 4)


def test_arguments_are_checked():
    kernel = emu.RawModule(NEIGHBOURS.replace("BARRIER", "").replace("EARLY", "")).get_function("neighbours")
    x = np.zeros(4, np.float32)
    with pytest.raises(TypeError, match="3 arguments"):
        kernel((1,), (4,), (x, x))
    with pytest.raises(TypeError, match="argument 2 has 8 bytes"):
        kernel((1,), (4,), (x, x, np.int32(4)))
    with pytest.raises(emu.KernelFault, match="65535"):
        kernel((1, 65536), (4,), (x, x, 4))


def test_static_shared_memory_and_shuffles():
    code = r"""
    extern "C" __global__ void total(const float* x, float* out, long long n) {
      __shared__ float part[8];
      float v = 0;
      for (int i = threadIdx.x; i < n; i += blockDim.x) v += x[blockIdx.x * n + i];
      for (int d = 16; d; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
      if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
      BARRIER
      if (threadIdx.x == 0) {
        float s = 0;
        for (int k = 0; k < 8; ++k) s += part[k];
        out[blockIdx.x] = s;
      }
    }"""
    x = np.arange(3 * 700, dtype=np.float32).reshape(3, 700)
    for barrier, same in (("__syncthreads();", True), ("", False)):
        kernel = emu.RawModule(code.replace("BARRIER", barrier)).get_function("total")
        out = np.zeros(3, np.float32)
        kernel((3,), (256,), (x, out, 700))
        assert np.array_equal(out, x.sum(1)) is same


def test_address_sanitizer_sees_an_access_outside_an_array():
    """In a process of its own: ASan must be loaded before Python, and ends the process."""
    asan = subprocess.run([emu.CXX, "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
    if not Path(asan).is_absolute():
        pytest.skip("needs libasan")
    script = textwrap.dedent(
        """
        import sys, numpy as np, emu
        code = '''extern "C" __global__ void copy(const float* in, float* out, long long n) {
          GPUAUG_SHARED(float, tile);
          tile[threadIdx.x] = in[threadIdx.x];
          __syncthreads();
          if (threadIdx.x < n) out[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
        }'''
        f = emu.RawModule(code, sanitize=True).get_function("copy")
        size = int(sys.argv[1])
        x, y = np.zeros(size, np.float32), np.zeros(size, np.float32)
        f((2,), (64,), (x, y, size), shared_mem=int(sys.argv[2]))
        print("finished")
        """
    )

    def run_script(size, shared):
        env = {"LD_PRELOAD": asan, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONPATH": str(Path(__file__).parent)}
        env["PATH"] = os.environ["PATH"]
        command = [sys.executable, "-c", script, str(size), str(shared)]
        return subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)

    good = run_script(64, 256)
    if good.returncode and "heap-buffer-overflow" not in good.stderr:
        pytest.skip(f"ASan does not work here: {good.stderr[:200]}")
    assert "finished" in good.stdout
    for size, shared in ((63, 256), (64, 252)):
        assert "heap-buffer-overflow" in run_script(size, shared).stderr

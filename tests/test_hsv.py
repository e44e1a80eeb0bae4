"""The divisions of HSV on the GPU: what a reciprocal that is off by some ulps makes of every divisor; and all colours."""

from __future__ import annotations

import ctypes
import re
import subprocess

import cv2
import emu
import numpy as np
import pytest

from gpuaug.backends import nvrtc


@pytest.mark.parametrize("numerator", [255 << 12, 30 << 12])
@pytest.mark.parametrize("ulps", range(-3, 4))
def test_quotients_of_rough_reciprocals(numerator, ulps):
    """OpenCV's tables hold rint(n / d). The kernel multiplies n by about 1 / d, adds 1.5 * 2^23, which rounds to even, and takes
    it away: one rounding, since it is a fused multiply-add, done here in float64, which holds the product."""
    d = np.arange(1, 256)
    rough = (np.float32(1) / d.astype(np.float32)).view(np.int32) + ulps
    product = numerator * rough.view(np.float32).astype(np.float64)
    got = (product + 12582912.0).astype(np.float32) - np.float32(12582912)
    np.testing.assert_array_equal(got, np.rint(numerator / d))


@pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")
def test_every_colour_there_and_back(tmp_path):
    """The GPU's functions, compiled for the CPU, against OpenCV: all 2^24 colours to HSV, and those back."""
    source = (
        nvrtc.source("fused").replace("GPUAUG_IN", "aug::u8").replace("GPUAUG_OUT", "aug::u8").replace("GPUAUG_CHANNELS", "3")
    )
    source = re.sub(r'extern "C" __global__.*', "", source, flags=re.S)  # without the kernel: its functions
    source += """
extern "C" __attribute__((visibility("default")))
void colours(const unsigned char* in, unsigned char* hsv, unsigned char* out, int n) {
  for (int i = 0; i < n; ++i) {
    float h, s, v, r, g, b;
    aug::to_hsv_u8(in[3 * i], in[3 * i + 1], in[3 * i + 2], h, s, v);
    aug::from_hsv_u8(h, s, v, r, g, b);
    hsv[3 * i] = (unsigned char)h, hsv[3 * i + 1] = (unsigned char)s, hsv[3 * i + 2] = (unsigned char)v;
    out[3 * i] = (unsigned char)r, out[3 * i + 1] = (unsigned char)g, out[3 * i + 2] = (unsigned char)b;
  }
}
"""
    library = tmp_path / "hsv.so"
    flags = [*emu._flags(), "-O2", "-DGPUAUG_SAMPLE=-1", "-DGPUAUG_OPS=0ull"]
    done = subprocess.run(
        [emu.CXX, "-x", "c++", "-include", str(emu.SHIM), *flags, "-o", str(library), "-"],
        input=source, text=True, capture_output=True,
    )  # fmt: skip
    assert not done.returncode, done.stderr[:2000]
    run = ctypes.CDLL(str(library)).colours
    green, blue = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8), indexing="ij")
    for red in range(256):
        colours = np.stack([np.full_like(green, red), green, blue], -1)
        hsv, back = np.empty_like(colours), np.empty_like(colours)
        run(*(ctypes.c_void_p(x.ctypes.data) for x in (colours, hsv, back)), 256 * 256)
        want = cv2.cvtColor(colours, cv2.COLOR_RGB2HSV)
        np.testing.assert_array_equal(hsv, want, err_msg=f"red {red}")
        want = cv2.cvtColor(want, cv2.COLOR_HSV2RGB)
        assert np.abs(back.astype(int) - want).max() <= 1  # OpenCV's own vector and scalar code differ by that
        assert (back != want).mean() < 0.02

"""Writes kernels/ops.gen.cuh from the table of pixel operations: `python kernels/generate.py`."""

from pathlib import Path

from gpuaug.ops import header

if __name__ == "__main__":
    Path(__file__).with_name("ops.gen.cuh").write_text(header(), encoding="utf-8")

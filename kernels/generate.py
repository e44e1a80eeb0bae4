"""Writes the headers that are made of tables in Python: `python kernels/generate.py`."""

from pathlib import Path

from gpuaug import maps, ops, reductions

if __name__ == "__main__":
    for module in (maps, ops, reductions):
        Path(__file__).with_name(f"{module.__name__.rpartition('.')[2]}.gen.cuh").write_text(module.header(), encoding="utf-8")

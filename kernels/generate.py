"""Writes the headers that are made of tables in Python: `python kernels/generate.py`."""

from pathlib import Path

from gpuaug import maps, ops, reductions

if __name__ == "__main__":
    for module in (maps, ops, reductions):
        path, text = Path(__file__).with_name(f"{module.__name__.rpartition('.')[2]}.gen.cuh"), module.header()
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # else what includes it would be compiled anew
            path.write_text(text, encoding="utf-8")

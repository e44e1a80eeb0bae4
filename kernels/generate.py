"""Writes what kernels and Python must agree on: ops.gen.cuh from gpuaug/ops.py, maps.gen.cuh from gpuaug/maps.py.

`python kernels/generate.py`, after a change of either.
"""

from pathlib import Path

from gpuaug import maps, ops


def map_kinds() -> str:
    lines = [f"  MAP_{name.upper()} = {number}," for name, number in maps.KINDS.items()]
    return "\n".join(
        [
            "// maps.gen.cuh: made of gpuaug/maps.py by `python kernels/generate.py`; not to be edited.",
            "#pragma once",
            "namespace aug {",
            "",
            "// Where output pixels are read; map.cuh has the formulas.",
            "enum MapKind {",
            *lines,
            "};",
            f"enum {{ MAP_WHOLE = MAP_{maps.WHOLE[0].upper()} }};  // from there on: whole pixels inside of the source",
            "",
            "}  // namespace aug",
            "",
        ]
    )


if __name__ == "__main__":
    here = Path(__file__).parent
    (here / "ops.gen.cuh").write_text(ops.header(), encoding="utf-8")
    (here / "maps.gen.cuh").write_text(map_kinds(), encoding="utf-8")

"""Whether the headers that are made of tables in Python are those of these tables."""

from __future__ import annotations

from functools import cache

from . import library, maps, ops, reductions

HEADERS = {  # in kernels/
    "maps.gen.cuh": maps.header,
    "ops.gen.cuh": ops.header,
    "program.gen.cuh": ops.program,
    "reductions.gen.cuh": reductions.header,
}


@cache
def agree() -> None:
    """Raise unless they are, once a process: numbers of operations, or of maps, would mean others to the kernels.

    Raises:
        RuntimeError: names the header and what to run.
    """
    folder = library.load().path.parent.parent / "kernels"
    if not folder.is_dir():  # installed: library and tables came together
        return
    for name, made in HEADERS.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != made():
            raise RuntimeError(
                f"kernels/{name} is not what {made.__module__} says; run `python kernels/generate.py`, then `make`"
            )

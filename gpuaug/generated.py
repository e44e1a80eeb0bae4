"""Whether the headers that are made of tables in Python are those of these tables."""

from __future__ import annotations

from functools import cache

from . import library, maps, ops, reductions


@cache
def agree() -> None:
    """Raise unless they are, once a process: numbers of operations, or of maps, would mean others to the kernels.

    Raises:
        RuntimeError: names the header and what to run.
    """
    folder = library.load().path.parent.parent / "kernels"
    if not folder.is_dir():  # installed: library and tables came together
        return
    for module in (maps, ops, reductions):
        name = module.__name__.rpartition(".")[2]
        if (folder / f"{name}.gen.cuh").read_text(encoding="utf-8") != module.header():
            raise RuntimeError(
                f"kernels/{name}.gen.cuh is not what gpuaug/{name} says; run `python kernels/generate.py`, then `make`"
            )

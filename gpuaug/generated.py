"""The headers of kernels/ that are made of tables in Python, and whether those that are there are those of these tables."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from . import library, maps, ops, reductions


def _lines() -> Iterable[str]:
    yield "// ops.gen.cuh: made of gpuaug/ops.py by `python kernels/generate.py`; not to be edited."
    yield "// clang-format off"
    yield "#pragma once"
    yield '#include "math.cuh"'
    yield '#include "reductions.gen.cuh"'
    yield "namespace aug {"
    yield ""
    yield "// Word 2 of the counter of random words."
    yield "enum Stream {"
    yield from (f"  STREAM_{each.name} = {each.value}," for each in ops.Stream)
    yield "};"
    yield ""
    yield "enum OpCode {"
    yield from (f"  OP_{spec.name.upper()} = {spec.code}," for spec in ops.OPS.values())
    yield "};"
    for spec in ops.OPS.values():
        yield from spec.struct_lines(spec.struct, f"// table: {spec.table}" if spec.table else "")
    yield ""
    yield "// Which operations on uint8 are a table of 256 bytes, and whether all channels have the same."
    yield "enum { LUT_NONE = 0, LUT_ALIKE = 1, LUT_CHANNELS = 2 };"
    alike = [
        "LUT_NONE" if not spec.lut else "LUT_CHANNELS" if spec.table or "tables" in spec.found.values() else "LUT_ALIKE"
        for spec in ops.OPS.values()
    ]
    yield f"constexpr unsigned char LUT_OPS[] = {{{', '.join(['LUT_NONE', *alike])}}};"
    yield ""
    yield "}  // namespace aug"


def _program_lines() -> Iterable[str]:
    yield "// program.gen.cuh: made of gpuaug/ops.py by `python kernels/generate.py`; not to be edited."
    yield "// clang-format off"
    yield "#pragma once"
    yield '#include "ops.gen.cuh"'
    yield '#include "pixels.cuh"'
    yield "namespace aug {"
    for spec in ops.OPS.values():
        if spec.value:
            yield from _function(spec)
    yield ""
    yield "// X(code, function, parameters, channels that it works on; 0: any)"
    yield "#define AUG_OPS(X) \\"
    rows = [
        f"  X(OP_{spec.name.upper()}, op_{spec.name}, {spec.struct}, {3 if 'rgb' in spec.needs else 0})"
        for spec in ops.OPS.values()
    ]
    yield " \\\n".join(rows)
    yield ""
    yield "}  // namespace aug"


def _function(spec: ops.Spec) -> Iterable[str]:
    """The function of an operation that is an expression."""
    yield ""
    yield "template <class G, int C>"
    yield f"AUG void op_{spec.name}(G g, const {spec.struct}& p, const Op&, const Sample&, Pixels<G, C>& px) {{"
    yield from (f"  const {each.types[1]} {each.name} = p.{each.name};" for each in spec.declared)
    yield "  AUG_UNROLL for (int c = 0; c < C; ++c)"
    yield "    g.each([&](Lane l) {"
    yield "      const float v = px.v[c][l];"
    yield f"      px.v[c][l] = {spec.value};"
    yield "    });"
    yield "}"


def operations() -> str:
    """kernels/ops.gen.cuh: codes and parameters."""
    return "\n".join(_lines()) + "\n"


def program() -> str:
    """kernels/program.gen.cuh: functions that are expressions, and the list of all for the dispatch; nothing else includes it."""
    return "\n".join(_program_lines()) + "\n"


HEADERS = {  # in kernels/
    "maps.gen.cuh": maps.header,
    "ops.gen.cuh": operations,
    "program.gen.cuh": program,
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
            raise RuntimeError(f"kernels/{name} is not what its table says; run `python kernels/generate.py`, then `make`")

"""The headers of kernels/ that are made of tables in Python, and whether those that are there are those of these tables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from . import maps, ops, reductions


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
    yield "// Which operations make of a value another one that hangs on nothing else, whichever channel it is of."
    single = [spec.value or (spec.lut and not spec.table and not spec.found) for spec in ops.OPS.values()]
    yield f"constexpr bool VALUE_OPS[] = {{{', '.join('true' if each else 'false' for each in [False, *single])}}};"
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
    yield "}  // namespace aug"


def _dispatch_lines() -> Iterable[str]:
    yield "// dispatch.gen.cuh: made of gpuaug/ops.py and kernels/op_*.cuh by `python kernels/generate.py`; not to be edited."
    yield "// clang-format off"
    yield "#pragma once"
    yield "// X(code, function, parameters, channels that it works on; 0: any)"
    yield from _list("AUG_OPS", ops.OPS.values())
    yield ""
    yield "// The same of those whose functions are in one header: kernels/cpu/ops/ has a file for each."
    for name, mine in groups().items():
        yield from _list(f"AUG_OPS_{name.upper()}", mine)


def _list(name: str, specs: Iterable[ops.Spec]) -> Iterable[str]:
    yield f"#define {name}(X) \\"
    yield " \\\n".join(
        f"  X(OP_{spec.name.upper()}, op_{spec.name}, {spec.struct}, {3 if 'rgb' in spec.needs else 0})" for spec in specs
    )


def groups() -> dict[str, list[ops.Spec]]:
    """The operations by the header that has their functions: "tone" of kernels/op_tone.cuh, and "values" of program.gen.cuh.

    Raises:
        RuntimeError: a function that is nowhere, or in two headers; a header that no file compiles.
    """
    found: dict[str, list[ops.Spec]] = {}
    for path in sorted(_folder().glob("op_*.cuh")):
        names = re.findall(r"\bAUG void op_(\w+)\(", path.read_text(encoding="utf-8"))
        found[path.stem.removeprefix("op_")] = [ops.OPS[name] for name in names if name in ops.OPS]
    found["values"] = [spec for spec in ops.OPS.values() if spec.value]
    for spec in ops.OPS.values():
        where = [name for name, mine in found.items() if spec in mine]
        if len(where) != 1:
            raise RuntimeError(
                f"the function op_{spec.name} must be in one header kernels/op_*.cuh (`AUG void op_{spec.name}(`) or be made of "
                f"its value, it is in {', '.join(where) or 'none'}"
            )
    found = {name: mine for name, mine in found.items() if mine}
    for name in found:
        if not (_folder() / "cpu" / "ops" / f"{name}.cpp").exists():
            raise RuntimeError(
                f"kernels/op_{name}.cuh needs a file kernels/cpu/ops/{name}.cpp that compiles it, as tone.cpp there"
            )
    return found


def _folder() -> Path:
    return Path(__file__).parent.parent / "kernels"


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
    """kernels/program.gen.cuh: functions that are expressions."""
    return "\n".join(_program_lines()) + "\n"


def dispatch() -> str:
    """kernels/dispatch.gen.cuh: the lists of all, and of those in each header."""
    return "\n".join(_dispatch_lines()) + "\n"


HEADERS = {  # in kernels/
    "dispatch.gen.cuh": dispatch,
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
    folder = _folder()
    if not folder.is_dir():  # installed: library and tables came together
        return
    for name, made in HEADERS.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != made():
            raise RuntimeError(f"kernels/{name} is not what its table says; run `python kernels/generate.py`, then `make`")

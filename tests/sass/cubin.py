"""What a cubin holds: its instructions as cuobjdump prints them, its constants, and what it asks of a multiprocessor."""

from __future__ import annotations

import functools
import re
import shutil
import struct
import subprocess
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

_LINE = re.compile(r"^\s+/\*([0-9a-f]{4,5})\*/\s+(?:@(!?U?P[0-9T])\s+)?([A-Z0-9_.a-z]+)\s*(.*?)\s*;")
_NEW_FUNCTION = re.compile(r"^\s*Function : (\S+)")
_FILE = re.compile(r'^\s*//## File "([^"]*)", line (\d+)')
_NOBITS = 8


class Unknown(NotImplementedError):
    """An instruction, or a form of one, that the simulator does not know: teach it, rather than let it be skipped."""


class Instruction(NamedTuple):
    index: int
    pc: int
    guard: str  # "P0", "!UP1"; "" without one
    name: str  # "IADD3"
    mods: tuple[str, ...]  # ("X",)
    operands: tuple[str, ...]

    def __str__(self):
        op = ".".join((self.name, *self.mods))
        return f"/*{self.pc:04x}*/ {f'@{self.guard} ' if self.guard else ''}{op} {', '.join(self.operands)}"

    def only(self, *known: str) -> None:
        """Raises for a modifier that is not among these: every one changes the meaning."""
        strange = [mod for mod in self.mods if mod not in known]
        if strange:
            raise Unknown(f"the simulator does not know .{strange[0]} of {self}")

    def unknown(self, why: str = "") -> Unknown:
        return Unknown(f"the simulator does not know {self}{f': {why}' if why else ''}")


@functools.cache
def tool(name: str) -> str | None:
    """The path of cuobjdump or nvdisasm, from PyPI's nvidia-cuda-* packages or a CUDA toolkit; None where there is none."""
    for found in sorted(Path(sysconfig.get_paths()["purelib"]).glob(f"nvidia/cu*/bin/{name}")):
        return str(found)
    return shutil.which(name)


def missing() -> str | None:
    """What to install to disassemble; None where all is there."""
    lacking = [name for name in ("cuobjdump", "nvdisasm") if tool(name) is None]
    return f"needs pip install {' '.join('nvidia-cuda-' + name for name in lacking)}" if lacking else None


def _run(name: str, code: bytes, *arguments: str) -> str:
    program = tool(name)
    if program is None:
        raise RuntimeError(missing())
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(code)
        file.flush()
        done = subprocess.run([program, *arguments, file.name], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr or done.stdout}")
    return done.stdout


def _split(text: str) -> tuple[str, ...]:
    """Operands: what stands between commas that are not in brackets, without the hints for the register cache."""
    parts = re.split(r",(?![^\[]*\])", text)
    return tuple(part.strip().replace(".reuse", "") for part in parts if part.strip())


class Cubin:
    """One kernel's code for one architecture.

    instructions: in order of address. constants: {bank: bytes}. registers, stack (bytes a thread), shared (static bytes
    a block, without the 1,024 that sm_90 keeps for itself), size (bytes of code), threads: of a block, what it is used with.
    """

    def __init__(self, code: bytes, name: str = "kernel"):
        self.code, self.name = code, name
        self.instructions = []
        functions = []
        for line in _run("cuobjdump", code, "-sass").splitlines():
            function = _NEW_FUNCTION.match(line)
            if function:
                functions.append(function[1])
            found = _LINE.match(line)
            if found:
                op, *mods = found[3].split(".")
                at = len(self.instructions)
                self.instructions.append(Instruction(at, int(found[1], 16), found[2] or "", op, tuple(mods), _split(found[4])))
            elif re.match(r"^\s+/\*[0-9a-f]{4,5}\*/\s+\S", line):
                raise Unknown(f"{name}: a line of SASS that cannot be read: {line.strip()}")
        if len(functions) != 1:
            raise ValueError(f"{name}: one kernel in a cubin, found {functions}")
        self.index = {ins.pc: ins.index for ins in self.instructions}
        sections = _sections(code)
        self.constants = {
            int(found[1]): data
            for key, data in sections.items()
            if (found := re.match(r"\.nv\.constant(\d)", key)) and found[1] != "0"
        }
        self.tables, self.relocations = _addresses(code, sections)
        self.size = sum(len(data) for key, data in sections.items() if key.startswith(".text"))
        usage = _run("cuobjdump", code, "--dump-resource-usage")
        asked = dict(re.findall(r"(REG|STACK|SHARED):(\d+)", usage.partition("Function")[2]))
        self.registers, self.stack = int(asked["REG"]), int(asked["STACK"])
        self.shared = max(0, int(asked["SHARED"]) - 1024)

    @functools.cached_property
    def lines(self) -> dict[int, tuple[tuple[str, int], ...]]:
        """{address: ((file, line), ...)}, the innermost function first; empty unless compiled with -lineinfo."""
        where, here, fresh = {}, (), []
        for line in _run("nvdisasm", self.code, "-g", "-c").splitlines():
            found = _FILE.match(line)
            if found:
                fresh.append((Path(found[1]).name, int(found[2])))
                continue
            address = re.match(r"\s+/\*([0-9a-f]{4,5})\*/", line)
            if address:
                if fresh:
                    here, fresh = tuple(fresh), []
                where[int(address[1], 16)] = here
        return where


def _addresses(code: bytes, sections) -> tuple[dict[int, bytes], list[tuple[int, int, int]]]:
    """({section: contents} of the arrays that a kernel brings along, [(place in constant bank 4, section, offset)]): which of its
    eight bytes hold the address of what.
    """
    symbols, entries = sections.get(".symtab", b""), sections.get(".rela.nv.constant4", b"")
    numbered, tables, found = list(sections.items()), {}, []
    for at in range(0, len(entries), 24):
        place, info, addend = struct.unpack_from("<QQq", entries, at)
        _, _, _, section, value, _ = struct.unpack_from("<IBBHQQ", symbols, 24 * (info >> 32))
        if section < len(numbered) and numbered[section][0].startswith(".nv.global"):
            tables[section] = numbered[section][1]
            found.append((place, section, value + addend))
    return tables, found


def _sections(code: bytes) -> dict[str, bytes]:
    """{name: contents} of a 64-bit ELF file."""
    (table,) = struct.unpack_from("<Q", code, 0x28)
    size, count, names = struct.unpack_from("<HHH", code, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", code, table + i * size) for i in range(count)]
    text = headers[names][4]
    found: dict[str, bytes] = defaultdict(bytes)
    for name, kind, _, _, offset, length, *_ in headers:
        at = text + name
        found[code[at : code.index(b"\0", at)].decode()] = bytes(length) if kind == _NOBITS else code[offset : offset + length]
    return dict(found)

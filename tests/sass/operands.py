"""Registers of all simulated threads, and what the operands of an instruction read and write.

Every register is a row: one 32-bit value a thread. Uniform registers are kept for each thread, too, since threads of several
warps run side by side here. A reader is a function of nothing that gives an array of all threads' values, or of one value for
all; a writer takes such an array and the mask of threads that are to be written.
"""

from __future__ import annotations

import re
import struct

import numpy as np

from .cubin import Cubin, Instruction, Unknown

U16, U32, U64 = np.uint16, np.uint32, np.uint64
I16, I32, I64 = np.int16, np.int32, np.int64
F16, F32, F64 = np.float16, np.float32, np.float64
_REGISTER = re.compile(r"(U?)R(\d+)(?:\.(H0_H0|H1_H1|H1_H0|B[0-3]))?")
_CONSTANT = re.compile(r"c\[0x([0-9a-f]+)\]\[0x([0-9a-f]+)\]")
_ZEROS = ("RZ", "URZ", "SRZ")
NUMBER = re.compile(r"[+-]?(\d+(\.\d+)?(e[+-]?\d+)?|INF|QNAN|SNAN)")


def words(value) -> np.ndarray:
    """The bits of float32 values."""
    return np.ascontiguousarray(value, F32).view(U32)


def _always(value):
    return lambda: value


class Operands:
    def __init__(self, cubin: Cubin, count: int, parameters: bytes):
        self.cubin, self.count = cubin, count
        self.everyone = np.ones(count, bool)  # the mask of all threads: compared by identity, and written without a mask
        largest = max((int(r) for ins in cubin.instructions for o in ins.operands for r in re.findall(r"\bR(\d+)", o)), default=0)
        self.R = np.zeros((largest + 8, count), U32)
        self.UR = np.zeros((72, count), U32)
        self.P = np.zeros((8, count), bool)
        self.UP = np.zeros((8, count), bool)
        self.P[7] = self.UP[7] = True
        self.constants = {**cubin.constants, 0: parameters}

    # ---- reading

    def constant(self, bank: int, offset: int, size: int, ins) -> bytes:
        data = self.constants.get(bank, b"")
        if offset + size > len(data):
            raise Unknown(f"{ins} reads beyond the {len(data)} bytes of constant bank {bank}")
        return data[offset : offset + size]

    def _source(self, text: str, ins: Instruction):
        """(a register's row, or the 32 bits of a value, or a float), and its signs: (value, negative, inverted, absolute)."""
        negative = inverted = absolute = False
        if text[0] == "-" and not NUMBER.fullmatch(text) and not text.startswith("-0x"):
            negative, text = True, text[1:]
        if text[0] == "~":
            inverted, text = True, text[1:]
        if text[0] == "|":
            absolute, text = True, text.strip("|")
        if text in _ZEROS:
            return 0, negative, inverted, absolute
        found = _REGISTER.fullmatch(text)
        if found:
            return (self.UR if found[1] else self.R)[int(found[2])], negative, inverted, absolute
        found = _CONSTANT.fullmatch(text)
        if found:
            (value,) = struct.unpack("<I", self.constant(int(found[1], 16), int(found[2], 16), 4, ins))
            return value, negative, inverted, absolute
        if re.fullmatch(r"-?0x[0-9a-f]+", text):
            return int(text, 16) & 0xFFFFFFFF, negative, inverted, absolute
        if NUMBER.fullmatch(text):
            return float(text.replace("QNAN", "nan").replace("SNAN", "nan")), negative, inverted, absolute
        raise ins.unknown(f"its operand {text}")

    def u32(self, text: str, ins: Instruction):
        """A reader of 32-bit integers; a number with a point is its bits as a float32."""
        value, negative, inverted, absolute = self._source(text, ins)
        if isinstance(value, np.ndarray):
            row = value
            if absolute:
                return lambda: np.abs(row.view(I32)).view(U32)
            if negative:
                return lambda: U32(0) - row
            return (lambda: ~row) if inverted else (lambda: row)
        bits = int(F32(value).view(U32)) if isinstance(value, float) else value
        bits = -bits if negative else ~bits if inverted else bits
        one = np.full(1, bits & 0xFFFFFFFF, U32)
        return lambda: one

    def s32(self, text: str, ins: Instruction):
        read = self.u32(text, ins)
        return lambda: read().view(I32)

    def f32(self, text: str, ins: Instruction):
        value, negative, inverted, absolute = self._source(text, ins)
        if inverted:
            raise ins.unknown(f"its operand {text}")
        if isinstance(value, np.ndarray):
            row = value.view(F32)
            if absolute:
                return (lambda: -np.abs(row)) if negative else (lambda: np.abs(row))
            return (lambda: -row) if negative else (lambda: row)
        one = np.full(1, value, F32) if isinstance(value, float) else np.full(1, value, U32).view(F32)
        one = np.abs(one) if absolute else one
        one = -one if negative else one
        return lambda: one

    def u64(self, text: str, ins: Instruction):
        """A reader of pairs of registers, a constant's eight bytes, or an immediate extended by its sign."""
        negative, inverted, bare = text.startswith("-") and not text.startswith("-0x"), text.startswith("~"), text.lstrip("-~")
        if bare in _ZEROS:
            zero = np.zeros(1, U64)
            return lambda: ~zero if inverted else zero
        constant, register = _CONSTANT.fullmatch(bare), re.fullmatch(r"(U?)R(\d+)", bare)
        if constant:
            (value,) = struct.unpack("<Q", self.constant(int(constant[1], 16), int(constant[2], 16), 8, ins))
            read = _always(np.full(1, value, U64))
        elif register:
            bank, at = self.UR if register[1] else self.R, int(register[2])
            read = lambda: bank[at].astype(U64) | (bank[at + 1].astype(U64) << U64(32))  # noqa: E731
        elif re.fullmatch(r"-?0x[0-9a-f]+", text):
            value = int(text, 16)
            value -= 2**32 if value >= 2**31 else 0  # immediates have 32 bits
            one = np.full(1, value & (2**64 - 1), U64)
            read, negative = _always(one), False
        else:
            raise ins.unknown(f"its operand {text}")
        if negative:
            return lambda: U64(0) - read()
        return (lambda: ~read()) if inverted else read

    def f64(self, text: str, ins: Instruction):
        bare = text.lstrip("-").strip("|")
        negative, absolute = text.startswith("-") and not NUMBER.fullmatch(text), "|" in text
        if NUMBER.fullmatch(bare) or NUMBER.fullmatch(text):
            value = np.full(1, float((bare if absolute or negative else text).replace("QNAN", "nan")), F64)
            read = _always(value)
        elif re.fullmatch(r"0x[0-9a-f]+", bare):  # the upper half
            value = np.full(1, int(bare, 16) << 32, U64).view(F64)
            read = _always(value)
        else:
            pair = self.u64(bare, ins)
            read = lambda: pair().view(F64)  # noqa: E731
        if absolute:
            return (lambda: -np.abs(read())) if negative else (lambda: np.abs(read()))
        return (lambda: -read()) if negative else read

    def predicate(self, text: str):
        name = text.lstrip("!")
        row = (self.UP if name.startswith("U") else self.P)[7 if name.endswith("T") else int(name[-1])]
        return (lambda: ~row) if text.startswith("!") else (lambda: row)

    def address(self, text: str, ins: Instruction, bits: int):
        """A reader of addresses, as uint64 (bits: 64) or int64 below 2^32 (bits: 32): desc[UR4][R2.64+0x10], [R2+UR4]."""
        terms = []
        for sign, part in re.findall(r"([+-]?)([^+-]+)", text[text.rindex("[") + 1 : -1]):
            found = re.fullmatch(r"(U?R\d+)(?:\.(64|U32|X4|X8|X16))?", part)
            if part in ("RZ", "URZ", "RZ.64"):
                continue
            if found and sign != "-":
                terms.append(self._part_of_address(*found.groups(), bits, ins))
            elif re.fullmatch(r"0x[0-9a-f]+", part):
                terms.append(_always(np.full(1, int(sign + part, 16) & (2**64 - 1), U64)))
            else:
                raise ins.unknown(f"its address {text}")
        zero = np.zeros(self.count, U64)

        def read():
            total = zero
            for term in terms:
                total = total + term()
            return total if bits == 64 else (total & U64(0xFFFFFFFF)).astype(I64)

        return read

    def _part_of_address(self, name: str, kind: str | None, bits: int, ins: Instruction):
        if bits == 64 and kind != "U32":
            if kind != "64" and not name.startswith("U"):
                raise ins.unknown(f"{name} as a part of its address")
            return self.u64(name, ins)
        read, by = self.u32(name, ins), U64(kind[1:] if kind and kind.startswith("X") else 1)
        return lambda: read().astype(U64) * by

    # ---- writing

    def put(self, row, value, mask) -> None:
        if mask is self.everyone:
            row[...] = value
        else:
            np.copyto(row, value, where=mask)

    def number(self, text: str, ins: Instruction) -> int | None:
        """Of the first of one, two or four registers that are loaded or stored; None for RZ."""
        found = re.fullmatch(r"R(\d+)", text)
        if found is None and text != "RZ":
            raise ins.unknown(f"its operand {text}")
        return int(found[1]) if found else None

    def row(self, text: str):
        """The row of a register that is written; None for RZ."""
        if text in _ZEROS:
            return None
        return self.UR[int(text[2:])] if text.startswith("U") else self.R[int(text[1:])]

    def write(self, text: str):
        """A writer of 32 bits: of uint32, int32 or float32 values."""
        row = self.row(text)
        if row is None:
            return lambda value, mask: None
        put = self.put

        def write(value, mask):
            if value.dtype != U32:
                value = np.ascontiguousarray(value).view(U32) if value.dtype in (I32, F32) else value.astype(U32)
            put(row, value, mask)

        return write

    def write64(self, text: str):
        if text in _ZEROS:
            return lambda value, mask: None
        bank, at = (self.UR, int(text[2:])) if text.startswith("U") else (self.R, int(text[1:]))

        def write(value, mask):
            value = np.ascontiguousarray(value).view(U64)
            self.put(bank[at], value.astype(U32), mask)  # the lower half: casting cuts
            self.put(bank[at + 1], (value >> U64(32)).astype(U32), mask)

        return write

    def write_predicate(self, text: str):
        name = text
        if name in ("PT", "UPT"):
            return None
        row = (self.UP if name.startswith("U") else self.P)[int(name[-1])]
        return lambda value, mask: self.put(row, value, mask)


def is_predicate(text: str) -> bool:
    return re.fullmatch(r"!?U?P[0-6T]", text) is not None

"""Instructions on pairs of float16 or bfloat16 in one register."""

from __future__ import annotations

import numpy as np

from .execute import opcode
from .floats import _NAMES, COMBINE, compare
from .operands import F16, F32, F64, NUMBER, U16, U32
from .rounding import from_bfloat, odd_sum, quiet, to_bfloat, to_half

_BF16 = ("BF16", "BF16_V2")


@opcode("F2FP")
def f2fp(m, ins):
    """Two float32 as two halves of a register, the first as the upper one; NaN becomes 0x7fff."""
    ins.only("F16", "BF16", "F32", "PACK_AB", "RZ", "RELU", "SATFINITE")
    if "PACK_AB" not in ins.mods or "F32" not in ins.mods:
        raise ins.unknown()
    write, a, b = m.write(ins.operands[0]), m.f32(ins.operands[1], ins), m.f32(ins.operands[2], ins)
    convert, mode = (to_bfloat if "BF16" in ins.mods else to_half), "RZ" if "RZ" in ins.mods else ""
    most = F32(65504) if "F16" in ins.mods else U32(0x7F7F0000).view(F32)

    def do(mask):
        x, y = a(), b()
        if "RELU" in ins.mods:
            x, y = (np.where(v < 0, F32(0), v) for v in (x, y))
        if "SATFINITE" in ins.mods:
            x, y = (np.where(np.isnan(v), v, np.clip(v, -most, most)) for v in (x, y))
        write(convert(x, mode).astype(U32) << U32(16) | convert(y, mode), mask)

    return do


def sources(m, ins, operands, count: int):
    """Readers of (lower, upper) halves as float64: registers with a choice of halves, or two numbers in a row."""
    bfloat, found, at = bool(set(_BF16) & set(ins.mods)), [], 0
    while len(found) < count:
        text = operands[at]
        at += 1
        if NUMBER.fullmatch(text) and at < len(operands) and NUMBER.fullmatch(operands[at]):
            pair = tuple(np.full(1, F16(float(each.replace("QNAN", "nan"))).astype(F64)) for each in (operands[at], text))
            at += 1
            found.append(lambda pair=pair: pair)
            continue
        bare = text.lstrip("-").strip("|")
        sign, absolute = text.startswith("-"), "|" in text
        which = {"H0_H0": (0, 0), "H1_H1": (1, 1), "H1_H0": (0, 1)}.get(bare.partition(".")[2].strip("|"), (0, 1))
        read = m.u32(bare.partition(".")[0].strip("|"), ins)

        def halves(read=read, which=which, sign=sign, absolute=absolute):
            bits = read().view(U16).reshape(-1, 2)
            value = [from_bfloat(bits[:, i].copy()) if bfloat else bits[:, i].copy().view(F16) for i in which]
            value = [np.abs(v) if absolute else v for v in value]
            return tuple((-v if sign else v).astype(F64) for v in value)

        found.append(halves)
    return found, operands[at:]


def pack(ins, low, high):
    """The bits of two halves; values are float64, exact or rounded to odd."""
    if set(_BF16) & set(ins.mods):
        low, high = (to_bfloat(_odd32(v)) for v in (low, high))
    else:
        low, high = to_half(low), to_half(high)
    return np.atleast_1d(low.astype(U32) | high.astype(U32) << U32(16))


def _odd32(value):
    """float64 to float32, rounded to odd: bfloat16 is then rounded once."""
    near = value.astype(F32)
    bits, wide = np.ascontiguousarray(near).view(U32), near.astype(F64)
    beyond = np.where(np.abs(wide) > np.abs(value), bits - U32(1), bits)  # towards zero
    return np.where((wide != value) & np.isfinite(value), beyond | U32(1), bits).view(F32)


@opcode("HADD2", "HMUL2", "HFMA2")
def arithmetic16(m, ins):
    ins.only("F32", "MMA", "RELU", "SAT", *_BF16)
    count = 3 if ins.name == "HFMA2" else 2
    reads, rest = sources(m, ins, ins.operands[1:], count)
    if rest or (ins.name != "HADD2" and "F32" in ins.mods):
        raise ins.unknown()
    write = m.write(ins.operands[0])

    def do(mask):
        values = [read() for read in reads]
        if ins.name == "HADD2":
            results = [odd_sum(values[0][i], values[1][i]) for i in (0, 1)]
        elif ins.name == "HMUL2":
            results = [values[0][i] * values[1][i] for i in (0, 1)]
        else:
            results = [odd_sum(values[0][i] * values[1][i], values[2][i]) for i in (0, 1)]
        if "F32" in ins.mods:  # of one half, as a float32
            write(quiet(results[0].astype(F32)), mask)
            return
        if "RELU" in ins.mods:
            results = [np.where(v < 0, 0, v) for v in results]
        if "SAT" in ins.mods:
            results = [np.fmin(np.fmax(v, 0), 1) for v in results]
        write(pack(ins, *results), mask)

    return do


@opcode("HMNMX2")
def hmnmx2(m, ins):
    ins.only("NAN", *_BF16)
    reads, (choice,) = sources(m, ins, ins.operands[1:], 2)
    write, choose = m.write(ins.operands[0]), m.predicate(choice)

    def do(mask):
        (a0, a1), (b0, b1) = (read() for read in reads)
        results = []
        for a, b in ((a0, b0), (a1, b1)):
            low, high = (np.minimum(a, b), np.maximum(a, b)) if "NAN" in ins.mods else (np.fmin(a, b), np.fmax(a, b))
            zero = (a == 0) & (b == 0)  # -0 is less than +0
            minus = np.copysign(1.0, a) < 0, np.copysign(1.0, b) < 0
            low = np.where(zero, np.where(minus[0] | minus[1], -0.0, 0.0), low)
            high = np.where(zero, np.where(minus[0] & minus[1], -0.0, 0.0), high)
            results.append(np.where(choose(), low, high))
        write(pack(ins, *results), mask)

    return do


@opcode("HSETP2")
def hsetp2(m, ins):
    """Compares the lower halves for the first predicate, the upper ones for the second."""
    ins.only(*_NAMES, *COMBINE, *_BF16)
    first, second = (m.write_predicate(each) for each in ins.operands[:2])
    reads, (joined,) = sources(m, ins, ins.operands[2:], 2)
    join, name = m.predicate(joined), next(mod for mod in ins.mods if mod in _NAMES)
    combine = next(COMBINE[mod] for mod in ins.mods if mod in COMBINE)

    def do(mask):
        a, b = (read() for read in reads)
        with_ = join().copy()
        for i, put in enumerate((first, second)):
            if put:
                put(combine(compare(name, a[i], b[i]), with_), mask)

    return do

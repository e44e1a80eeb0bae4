"""Instructions on float32 and float64, and between them and integers."""

from __future__ import annotations

import re

import numpy as np

from .execute import opcode
from .integer import COMBINE, COMPARE
from .operands import F16, F32, F64, I32, I64, U16, U32, U64, words
from .rounding import directed, flush, fma32, fma64, odd_sum, quiet, round32, to_bfloat, to_half, two_product, two_sum

_MODES = ("RM", "RP", "RZ")


def mode_of(ins) -> str:
    return next((mod for mod in ins.mods if mod in _MODES), "")


# ---- arithmetic


@opcode("FADD", "FMUL", "FFMA")
def arithmetic(m, ins):
    ins.only("FTZ", "SAT", *_MODES)
    write, reads, mode = m.write(ins.operands[0]), [m.f32(each, ins) for each in ins.operands[1:]], mode_of(ins)
    ftz, saturate, name = "FTZ" in ins.mods, "SAT" in ins.mods, ins.name

    def do(mask):
        values = [read() for read in reads]
        if ftz:
            values = [flush(value) for value in values]
        if name == "FFMA":
            value = fma32(*values, mode)
        elif mode:
            a, b = (value.astype(F64) for value in values)
            value = round32(odd_sum(a, b) if name == "FADD" else a * b, mode)
        else:
            value = values[0] + values[1] if name == "FADD" else values[0] * values[1]
        value = flush(quiet(value)) if ftz else quiet(value)
        if saturate:  # NaN becomes 0
            value = np.fmin(np.fmax(value, F32(0)), F32(1))
        write(value, mask)

    return do


@opcode("DADD", "DMUL", "DFMA")
def arithmetic64(m, ins):
    ins.only(*_MODES)
    write, reads, mode = m.write64(ins.operands[0]), [m.f64(each, ins) for each in ins.operands[1:]], mode_of(ins)

    def do(mask):
        values = [read() for read in reads]
        if ins.name == "DFMA":
            value = fma64(*values, mode)
        elif ins.name == "DADD":
            value = directed(*two_sum(*values), mode) if mode else values[0] + values[1]
        else:
            value = directed(*two_product(*values), mode) if mode else values[0] * values[1]
        write(value, mask)

    return do


@opcode("FMNMX")
def fmnmx(m, ins):
    """Of a number and a NaN the number, with NAN the NaN; -0 is less than +0."""
    ins.only("NAN", "FTZ")
    write, a, b = m.write(ins.operands[0]), m.f32(ins.operands[1], ins), m.f32(ins.operands[2], ins)
    choice = m.predicate(ins.operands[3])
    fixed = {"PT": True, "!PT": False}.get(ins.operands[3])

    def least(x, y):
        value = np.minimum(x, y) if "NAN" in ins.mods else np.fmin(x, y)
        return np.where(x == y, (x.view(U32) | y.view(U32)).view(F32), value)

    def most(x, y):
        value = np.maximum(x, y) if "NAN" in ins.mods else np.fmax(x, y)
        return np.where(x == y, (x.view(U32) & y.view(U32)).view(F32), value)

    def do(mask):
        x, y = np.broadcast_arrays(a(), b())
        x, y = (flush(x), flush(y)) if "FTZ" in ins.mods else (np.ascontiguousarray(x), np.ascontiguousarray(y))
        if fixed is None:
            value = np.where(choice(), least(x, y), most(x, y))
        else:
            value = least(x, y) if fixed else most(x, y)
        write(quiet(value), mask)

    return do


@opcode("MUFU")
def mufu(m, ins):
    """Rounded to the nearest; subnormal numbers are zeros to it, which is why nvcc scales around it."""
    kind = ins.mods[0]
    write = m.write(ins.operands[0])
    if kind in ("RCP64H", "RSQ64H"):  # the upper half of a float64, from and to
        ins.only(kind)
        high = m.u32(ins.operands[1], ins)

        def do64(mask):
            value = (high().astype(U64) << U64(32)).view(F64)
            value = 1 / value if kind == "RCP64H" else 1 / np.sqrt(value)
            write((value.view(U64) >> U64(32)).astype(U32), mask)

        return do64
    known = {
        "RCP": lambda x: 1 / x,
        "RSQ": lambda x: 1 / np.sqrt(x),
        "SQRT": np.sqrt,
        "EX2": np.exp2,
        "LG2": np.log2,
        "SIN": np.sin,
        "COS": np.cos,
        "TANH": np.tanh,
    }
    ins.only(*known)
    read = m.f32(ins.operands[1], ins)

    def do(mask):
        given = read()
        value = flush(known[kind](flush(given).astype(F64)).astype(F32))
        if m.wobble is not None and kind in ("RCP", "RSQ", "SQRT"):
            value = np.broadcast_to(value, (m.count,))
            beside = np.nextafter(value, m.wobble.choice(np.array([-np.inf, np.inf], F32), m.count))
            near = m.wobble.integers(0, 2, m.count).astype(bool) & np.isfinite(value) & (value != 0)
            near &= given.view(U32) & U32(0x7FFFFF) != 0x7FFFFF  # all ones: NVIDIA's own division asks for these to be right
            value = np.where(near, beside, value)
        write(quiet(value), mask)

    return do


@opcode("FCHK")
def fchk(m, ins):
    """Whether a / b needs the long way: exponents at the ends of their range, or far from each other. Zero is one: the short way
    ends in q + 0, which loses the sign of -0. NVIDIA does not say where the ends are; further in costs counts, never bits.
    """
    ins.only("DIVIDE")
    flag, a, b = m.write_predicate(ins.operands[0]), m.f32(ins.operands[1], ins), m.f32(ins.operands[2], ins)

    def do(mask):
        x, y = a(), b()
        ex, ey = ((words(v) >> U32(23) & U32(255)).astype(I32) for v in (x, y))
        far = (ex - ey > 120) | (ex - ey < -100) | (ex < 24)
        flag((ex == 255) | (ey == 255) | (ey <= 1) | (ey >= 252) | far, mask)

    return do


# ---- comparisons and choices


@opcode("FSEL")
def fsel(m, ins):
    ins.only("FTZ")
    write, a, b = m.write(ins.operands[0]), m.f32(ins.operands[1], ins), m.f32(ins.operands[2], ins)
    choose, ftz = m.predicate(ins.operands[3]), "FTZ" in ins.mods

    def do(mask):
        value = np.where(choose(), a().view(U32), b().view(U32))
        write(flush(value.view(F32)) if ftz else value, mask)

    return do


def compare(name: str, a, b):
    """NaN is unordered: it satisfies NE..., and the comparisons that end in U, but EQ, and NE without U."""
    if name == "NUM":
        return ~(np.isnan(a) | np.isnan(b))
    if name == "NAN":
        return np.isnan(a) | np.isnan(b)
    if name.endswith("U"):
        return COMPARE[name[:2]](a, b) | np.isnan(a) | np.isnan(b)
    if name == "NE":
        return (a < b) | (a > b)
    return COMPARE[name](a, b)


_NAMES = (*COMPARE, *(name + "U" for name in COMPARE), "NUM", "NAN")


@opcode("FSETP", "DSETP")
def fsetp(m, ins):
    ins.only(*_NAMES, *COMBINE, "FTZ", *(("MIN", "MAX") if ins.name == "DSETP" else ()))
    read = m.f32 if ins.name == "FSETP" else m.f64
    first, second = (m.write_predicate(each) for each in ins.operands[:2])
    a, b, join = read(ins.operands[2], ins), read(ins.operands[3], ins), m.predicate(ins.operands[4])
    name = ins.mods[0]
    combine = next(COMBINE[mod] for mod in ins.mods if mod in COMBINE)

    def do(mask):
        x, y = a(), b()
        if "FTZ" in ins.mods:
            x, y = flush(x), flush(y)
        if name in ("MIN", "MAX"):  # whether a is taken; and whether both are NaN
            value, other = ((x < y) if name == "MIN" else (x > y)) | np.isnan(y), np.isnan(x) & np.isnan(y)
        else:
            value = compare(name, x, y)
            other = ~value
        joined = join().copy()
        if first:
            first(combine(value, joined), mask)
        if second:
            second(combine(other, joined), mask)

    return do


@opcode("FSET")
def fset(m, ins):
    """BF: 1.0 or 0.0 as a float; without it, all bits or none."""
    ins.only("BF", *_NAMES, *COMBINE, "FTZ")
    write, a, b = m.write(ins.operands[0]), m.f32(ins.operands[1], ins), m.f32(ins.operands[2], ins)
    join, name = m.predicate(ins.operands[3]), next(mod for mod in ins.mods if mod in _NAMES)
    combine = next(COMBINE[mod] for mod in ins.mods if mod in COMBINE)
    yes = words(1.0)[0] if "BF" in ins.mods else U32(0xFFFFFFFF)

    def do(mask):
        x, y = (flush(a()), flush(b())) if "FTZ" in ins.mods else (a(), b())
        write(np.where(combine(compare(name, x, y), join()), yes, U32(0)), mask)

    return do


# ---- conversions

_INTEGERS = {"U8": np.uint8, "S8": np.int8, "U16": np.uint16, "S16": np.int16, "U32": U32, "S32": I32, "U64": U64, "S64": I64}
_WAYS = {"FLOOR": np.floor, "TRUNC": np.trunc, "CEIL": np.ceil}


def _way(ins):
    return next((_WAYS[mod] for mod in ins.mods if mod in _WAYS), np.rint)


def half_of(m, ins, text: str):
    """A reader of the lower float16 of a register, or of the one that is named."""
    name, _, part = text.partition(".")
    read, shift = m.u32(name, ins), U32(16 if part == "H1_H1" else 0)
    return lambda: (read() >> shift).astype(U16).view(F16).astype(F32)


@opcode("FRND")
def frnd(m, ins):
    ins.only(*_WAYS, "F64", "F16", "FTZ")
    wide, way = "F64" in ins.mods, _way(ins)
    if "F16" in ins.mods:
        put, half = m.write(ins.operands[0]), half_of(m, ins, ins.operands[1])
        return lambda mask: put(to_half(way(half())).astype(U32), mask)
    write = (m.write64 if wide else m.write)(ins.operands[0])
    read = (m.f64 if wide else m.f32)(ins.operands[1], ins)
    return lambda mask: write(way(read()) if wide else quiet(way(read())), mask)


@opcode("F2I")
def f2i(m, ins):
    """Beyond the range: its end. NaN: 0 with NTZ, else the number with the highest bit alone."""
    ins.only(*_WAYS, "F64", "F16", "FTZ", "NTZ", *_INTEGERS)
    kind = next((_INTEGERS[mod] for mod in ins.mods if mod in _INTEGERS), I32)
    wide, bits = np.dtype(kind).itemsize == 8, 8 * np.dtype(kind).itemsize
    write = (m.write64 if wide else m.write)(ins.operands[0])
    if "F16" in ins.mods:
        read = half_of(m, ins, ins.operands[1])
    else:
        read = (m.f64 if "F64" in ins.mods else m.f32)(ins.operands[1], ins)
    way = _way(ins)
    nothing = np.array([0 if "NTZ" in ins.mods else 1 << (bits - 1)], U64).astype(f"u{bits // 8}").view(kind)[0]

    def do(mask):
        value = read()
        if "FTZ" in ins.mods:
            value = flush(value)
        result = whole(way(value.astype(F64)), kind, nothing)
        write(result if wide else result.astype(I64).astype(U32), mask)

    return do


def whole(value, kind, nothing=0):
    """float64 without fractions as integers of a kind; beyond its range its end, for NaN `nothing`."""
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    inside = (value >= float(low)) & (value < float(high + 1))
    result = np.where(inside, value, 0).astype(kind)
    result = np.where(inside, result, np.where(value < 0, kind(low), kind(high)))
    return np.where(np.isnan(value), kind(nothing), result)


@opcode("F2IP", "I2IP")
def pack_integers(m, ins):
    """Two numbers, saturated, as the lower bytes (or halves) of a register, the first above the second; c above both."""
    ins.only("U8", "S8", "U16", "S16", "F32", "S32", "SAT", "NTZ", "FTZ", *_WAYS)
    kind, way = _INTEGERS[ins.mods[0]], _way(ins)
    if ("NTZ" if ins.name == "F2IP" else "SAT") not in ins.mods:
        raise ins.unknown()
    bits = 8 * np.dtype(kind).itemsize
    read = m.f32 if ins.name == "F2IP" else m.s32
    write, a, b = m.write(ins.operands[0]), read(ins.operands[1], ins), read(ins.operands[2], ins)
    c = m.u32(ins.operands[3], ins) if len(ins.operands) > 3 and bits == 8 else None
    word = np.dtype(f"u{bits // 8}")

    def do(mask):
        high, low = (whole(way(v().astype(F64)), kind).view(word).astype(U32) for v in (a, b))
        value = high << U32(bits) | low
        write(value if c is None else value | c() << U32(16), mask)

    return do


@opcode("I2I")
def i2i(m, ins):
    ins.only("U8", "S8", "U16", "S16", "S32", "SAT")
    if ins.mods[1:] != ("S32", "SAT"):
        raise ins.unknown()
    low, high = np.iinfo(_INTEGERS[ins.mods[0]]).min, np.iinfo(_INTEGERS[ins.mods[0]]).max
    write, a = m.write(ins.operands[0]), m.s32(ins.operands[1], ins)
    return lambda mask: write(np.clip(a(), low, high).astype(I32), mask)


@opcode("I2F", "I2FP")
def i2f(m, ins):
    ins.only(*_INTEGERS, "F16", "F32", "F64", "RP", "RZ", "RM")
    wide, mode = "F64" in ins.mods, mode_of(ins)
    write = (m.write64 if wide else m.write)(ins.operands[0])
    kind = next((_INTEGERS[mod] for mod in ins.mods if mod in _INTEGERS), I32)
    text = ins.operands[1]
    byte = re.search(r"\.(B|H)([0-3])", text)
    part = 0 if byte is None else int(byte[2]) * (1 if byte[1] == "B" else 2)
    bare = re.sub(r"\.[BH][0-3](_H[01])?", "", text)
    size = np.dtype(kind).itemsize
    read = (m.u64 if size == 8 else m.u32)(bare, ins)

    def do(mask):
        bits = read()
        value = bits.view(kind) if size >= 4 else bits.view(kind).reshape(len(bits), -1)[:, part // size]
        if wide:
            write(value.astype(F64), mask)
            return
        if "F16" in ins.mods:
            write(to_half(value.astype(F64)).astype(U32), mask)
            return
        near = value.astype(F32)
        if mode:  # 64-bit integers fit an extended float exactly
            exact, back = value.astype(np.longdouble), near.astype(np.longdouble)
            up = np.where(back < exact, np.nextafter(near, F32(np.inf)), near)
            down = np.where(back > exact, np.nextafter(near, F32(-np.inf)), near)
            near = up if mode == "RP" else down if mode == "RM" else np.where(exact > 0, down, up)
        write(near, mask)

    return do


@opcode("F2F")
def f2f(m, ins):
    ins.only("F16", "BF16", "F32", "F64", "FTZ", *_MODES)
    if ins.mods[0] in ("F16", "BF16") and ins.mods[1] == "F32":
        put, value, convert = (
            m.write(ins.operands[0]),
            m.f32(ins.operands[1], ins),
            to_half if ins.mods[0] == "F16" else to_bfloat,
        )
        return lambda mask: put(convert(value(), mode_of(ins)).astype(U32), mask)
    if ins.mods[:2] == ("F64", "F32"):
        write, read = m.write64(ins.operands[0]), m.f32(ins.operands[1], ins)
        return lambda mask: write(read().astype(F64), mask)
    if ins.mods[:2] == ("F32", "F64"):
        write, wide = m.write(ins.operands[0]), m.f64(ins.operands[1], ins)
        return lambda mask: write(quiet(round32(wide(), mode_of(ins))), mask)
    raise ins.unknown()

"""Instructions on integers and predicates."""

from __future__ import annotations

import numpy as np

from .execute import opcode
from .operands import I16, I32, I64, U16, U32, U64, is_predicate

COMPARE = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}
COMBINE = {"AND": np.logical_and, "OR": np.logical_or, "XOR": np.logical_xor}


def split(m, ins):
    """(register, predicates that are written, what is read): the operands of an instruction that may carry."""
    to, *rest = ins.operands
    carries = []
    while is_predicate(rest[0]) and not rest[0].startswith("!"):
        carries.append(m.write_predicate(rest.pop(0)))
    return to, carries, rest


# ---- sums and products


@opcode("IADD3", "UIADD3")
def iadd3(m, ins):
    ins.only("X")
    to, carries, rest = split(m, ins)
    write = m.write(to)
    a, b, c = (m.u32(each, ins) for each in rest[:3])
    into = [m.predicate(each) for each in rest[3:]]
    if not carries and not into:
        return lambda mask: write(a() + b() + c(), mask)
    # -x is ~x + 1 in the adder: 5 - 0 carries, as 64-bit differences need
    negative = [each.startswith("-") and not each.startswith("-0x") for each in rest[:3]]
    terms = [m.u32("~" + each[1:], ins) if minus else m.u32(each, ins) for each, minus in zip(rest, negative)]
    one = U64(sum(negative))

    def do(mask):
        total = terms[0]().astype(U64) + terms[1]() + terms[2]() + one
        for read in into:
            total = total + read()
        write(total.astype(U32), mask)
        carry = total >> U64(32)
        for i, put in enumerate(carries):
            if put:
                put(carry > U64(i), mask)

    return do


@opcode("IMAD", "UIMAD")
def imad(m, ins):
    ins.only("MOV", "IADD", "SHL", "U32", "X", "HI", "WIDE")
    to, carries, rest = split(m, ins)
    into = [m.predicate(each) for each in rest[3:]]
    unsigned = "U32" in ins.mods
    if not {"HI", "WIDE"} & set(ins.mods):
        write = m.write(to)
        if carries:
            raise ins.unknown("its carry")
        a, b, c = (m.u32(each, ins) for each in rest[:3])
        if "MOV" in ins.mods:
            return lambda mask: write(c(), mask)
        if rest[1] == "0x1" and not into:
            return lambda mask: write(a() + c(), mask)
        if into:
            return lambda mask: write(a() * b() + c() + into[0]().astype(U32), mask)
        return lambda mask: write(a() * b() + c(), mask)
    read = m.u32 if unsigned else m.s32
    a, b, c = read(rest[0], ins), read(rest[1], ins), m.u64(rest[2], ins)
    wide, high = (U64 if unsigned else I64), "HI" in ins.mods
    write = m.write(to) if high else m.write64(to)

    def do(mask):
        product = (a().astype(wide) * b().astype(wide)).view(U64)
        total = product + c()
        if into:
            total = total + into[0]().astype(U64)
        write((total >> U64(32)).astype(U32) if high else total, mask)
        if carries and carries[0]:
            carries[0](total < product, mask)

    return do


@opcode("VIADD")
def viadd(m, ins):
    ins.only("16x2")
    write, a, b = m.write(ins.operands[0]), m.u32(ins.operands[1], ins), m.u32(ins.operands[2], ins)
    if ins.mods:
        return lambda mask: write((a().view(U16) + b().view(U16)).view(U32), mask)
    return lambda mask: write(a() + b(), mask)


@opcode("IABS")
def iabs(m, ins):
    ins.only()
    write, a = m.write(ins.operands[0]), m.s32(ins.operands[1], ins)
    return lambda mask: write(np.abs(a()), mask)


@opcode("LEA", "ULEA")
def lea(m, ins):
    """(a << shift) + b; HI: of the 64 bits c:a, the upper half."""
    ins.only("HI", "X", "SX32")
    to, carries, rest = split(m, ins)
    write, high, extend = m.write(to), "HI" in ins.mods, "SX32" in ins.mods
    into = None
    if "X" in ins.mods:
        *rest, last = rest
        into = m.predicate(last)
    a, b, shift = m.u32(rest[0], ins), m.u32(rest[1], ins), int(rest[-1], 16)
    c = m.u32(rest[2], ins) if high and not extend else None

    def do(mask):
        if extend:
            value = (a().view(I32).astype(I64) << I64(shift)).view(U64) >> U64(32)
        elif high:
            value = ((a().astype(U64) | (c().astype(U64) << U64(32))) << U64(shift)) >> U64(32)
        else:
            value = (a() << U32(shift)).astype(U64)
        total = (value & U64(0xFFFFFFFF)) + b()
        if into:
            total = total + into()
        write(total.astype(U32), mask)
        if carries and carries[0]:
            carries[0](total >> U64(32) != 0, mask)

    return do


@opcode("IDP")
def idp(m, ins):
    """The dot product of four bytes each, or of two halves with two bytes, added to c."""
    ins.only("4A", "2A", "LO", "HI", "U8", "S8", "U16", "S16")
    write = m.write(ins.operands[0])
    a, b, c = (m.u32(each, ins) for each in ins.operands[1:4])
    kinds = {"U8": np.uint8, "S8": np.int8, "U16": U16, "S16": I16}
    first, second = (kinds[mod] for mod in ins.mods if mod in kinds)

    def do(mask):
        x = a().view(first).reshape(len(a()), -1).astype(I32)
        y = b().view(second).reshape(len(b()), -1).astype(I32)
        if "2A" in ins.mods:
            y = y[:, 2:] if "HI" in ins.mods else y[:, :2]
        write((x * y).sum(1, dtype=I32).view(U32) + c(), mask)

    return do


@opcode("VABSDIFF", "VABSDIFF4")
def vabsdiff(m, ins):
    ins.only("U32", "S32", "U8", "ACC")
    write = m.write(ins.operands[0])
    a, b, c = (m.u32(each, ins) for each in ins.operands[1:4])

    def do(mask):
        if ins.name == "VABSDIFF4":
            x, y = (np.broadcast_to(v(), (m.count,)).copy().view(np.uint8) for v in (a, b))
            apart = np.maximum(x, y) - np.minimum(x, y)
            apart = apart.reshape(-1, 4).sum(1, dtype=U32) if "ACC" in ins.mods else apart.view(U32)
        else:
            x, y = (v().view(I32) if "S32" in ins.mods else v() for v in (a, b))
            apart = np.where(x > y, a() - b(), b() - a())
        write(apart + c(), mask)

    return do


# ---- the lesser and the greater


@opcode("VIMNMX", "VIMNMX3", "VIADDMNMX")
def vimnmx(m, ins):
    ins.only("U32", "S32", "U16x2", "S16x2", "RELU")
    write = m.write(ins.operands[0])
    reads = [m.u32(each, ins) for each in ins.operands[1:-1]]
    choice = ins.operands[-1]  # PT: the least, !PT: the greatest
    chosen = m.predicate(choice)
    kind = I32
    for mod, dtype in (("U32", U32), ("U16x2", U16), ("S16x2", I16)):
        kind = dtype if mod in ins.mods else kind

    def do(mask):
        values = [read().view(kind) for read in reads]
        if ins.name == "VIADDMNMX":
            values = [values[0] + values[1], values[2]]
        if choice in ("PT", "!PT", "UPT", "!UPT"):
            fold = np.maximum if "!" in choice else np.minimum
            best = values[0]
            for value in values[1:]:
                best = fold(best, value)
        else:
            pick = chosen() if kind in (U32, I32) else np.repeat(chosen(), 2)
            low = high = values[0]
            for value in values[1:]:
                low, high = np.minimum(low, value), np.maximum(high, value)
            best = np.where(pick, low, high)
        if "RELU" in ins.mods:
            best = np.maximum(best, kind(0))
        write(best.view(U32), mask)

    return do


# ---- moves and choices


@opcode("MOV", "UMOV")
def mov(m, ins):
    ins.only("U32")
    write, a = m.write(ins.operands[0]), m.u32(ins.operands[1], ins)
    return lambda mask: write(a(), mask)


@opcode("SEL", "USEL")
def sel(m, ins):
    ins.only()
    write, a, b = m.write(ins.operands[0]), m.u32(ins.operands[1], ins), m.u32(ins.operands[2], ins)
    choose = m.predicate(ins.operands[3])
    return lambda mask: write(np.where(choose(), a(), b()), mask)


@opcode("P2R", "UP2UR")
def p2r(m, ins):
    """Predicates as bits of a register, where the mask has ones."""
    ins.only()
    write, keep, which = m.write(ins.operands[0]), m.u32(ins.operands[2], ins), m.u32(ins.operands[3], ins)
    rows = m.UP if ins.operands[1].startswith("U") else m.P

    def do(mask):
        bits = np.packbits(rows[:7], axis=0, bitorder="little")[0].astype(U32)
        write((bits & which()) | (keep() & ~which()), mask)

    return do


@opcode("R2P")
def r2p(m, ins):
    ins.only()
    value, which = m.u32(ins.operands[1], ins), m.u32(ins.operands[2], ins)

    def do(mask):
        for i in range(7):
            if which()[0] >> i & 1:
                m.put(m.P[i], value() >> U32(i) & U32(1) != 0, mask)

    return do


@opcode("ISETP", "UISETP")
def isetp(m, ins):
    """EX: of 64-bit numbers the upper halves, with what the lower ones gave."""
    ins.only(*COMPARE, *COMBINE, "U32", "EX")
    first, second = (m.write_predicate(each) for each in ins.operands[:2])
    read = m.u32 if "U32" in ins.mods else m.s32
    a, b, join = read(ins.operands[2], ins), read(ins.operands[3], ins), m.predicate(ins.operands[4])
    lower = m.predicate(ins.operands[5]) if "EX" in ins.mods else None
    name = ins.mods[0]
    compare = COMPARE[name]
    strict = COMPARE[{"LE": "LT", "GE": "GT"}.get(name, name)]
    combine = next(COMBINE[mod] for mod in ins.mods if mod in COMBINE)

    def do(mask):
        x, y = a(), b()
        if lower is None:
            value = compare(x, y)
        elif name == "NE":
            value = (x != y) | lower()
        else:
            value = (x == y) & lower() if name == "EQ" else strict(x, y) | ((x == y) & lower())
        joined = join().copy()
        if first:
            first(combine(value, joined), mask)
        if second:
            second(combine(~value, joined), mask)

    return do

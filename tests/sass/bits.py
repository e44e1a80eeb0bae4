"""Instructions on bits and bytes."""

from __future__ import annotations

import numpy as np

from .execute import opcode
from .operands import I32, I64, U32, U64, is_predicate

# f(b, c) by its column of results, for b, c = 00, 01, 10, 11
_PAIR = [
    lambda b, c: b ^ b,
    lambda b, c: ~(b | c),
    lambda b, c: ~b & c,
    lambda b, c: ~b,
    lambda b, c: b & ~c,
    lambda b, c: ~c,
    lambda b, c: b ^ c,
    lambda b, c: ~(b & c),
    lambda b, c: b & c,
    lambda b, c: ~(b ^ c),
    lambda b, c: c,
    lambda b, c: ~b | c,
    lambda b, c: b,
    lambda b, c: b | ~c,
    lambda b, c: b | c,
    lambda b, c: ~(b ^ b),
]


def three(table: int, a, b, c):
    """Any function of three bits: `table` has its result for a, b, c = 000 in bit 0, for 111 in bit 7."""
    low, high = table & 15, table >> 4
    value = _PAIR[low](b, c)
    return value if low == high else value ^ (a & _PAIR[low ^ high](b, c))


@opcode("LOP3", "ULOP3")
def lop3(m, ins):
    ins.only("LUT", "PAND")
    rest = list(ins.operands)
    flag = m.write_predicate(rest.pop(0)) if is_predicate(rest[0]) else None
    write = m.write(rest[0])
    a, b, c = (m.u32(each, ins) for each in rest[1:4])
    table, join = int(rest[4], 16), m.predicate(rest[5])
    combine = np.logical_and if "PAND" in ins.mods else np.logical_or

    def do(mask):
        value = three(table, a(), b(), c())
        if flag:
            flag(combine(value != 0, join()), mask)
        write(value, mask)

    return do


@opcode("PLOP3", "UPLOP3")
def plop3(m, ins):
    ins.only("LUT")
    writers = [m.write_predicate(each) for each in ins.operands[:2]]
    a, b, c = (m.predicate(each) for each in ins.operands[2:5])
    tables = [int(each, 16) for each in ins.operands[5:7]]

    def do(mask):
        values = [three(table, a(), b(), c()) for table in tables]
        for write, value in zip(writers, values):
            if write:
                write(value, mask)

    return do


def shifted(value, by, left: bool):
    """A shift by 64 and more gives nothing; C leaves it open."""
    result = value << (by & U64(63)) if left else value >> (by & U64(63))
    return np.where(by > 63, U64(0), result)


@opcode("SHF", "USHF")
def shf(m, ins):
    """Shifts the 64 bits high:low; gives the lower half, or the upper one."""
    ins.only("L", "R", "W", "HI", "U32", "S32", "U64", "S64")
    write = m.write(ins.operands[0])
    low, by, high = (m.u32(each, ins) for each in ins.operands[1:4])
    left, upper, signed = "L" in ins.mods, "HI" in ins.mods, bool({"S32", "S64"} & set(ins.mods))
    bits = 64 if {"U64", "S64"} & set(ins.mods) else 32

    def do(mask):
        n = by()
        n = (n & U32(bits - 1) if "W" in ins.mods else np.minimum(n, U32(bits))).astype(U64)
        if left:
            value = low() if not upper and bits == 32 else None
            if value is not None:
                write(shifted(value.astype(U64), n, True).astype(U32), mask)
                return
            pair = low().astype(U64) | (high().astype(U64) << U64(32))
            value = shifted(pair, n, True)
            write((value >> U64(32) if upper else value).astype(U32), mask)
        elif upper:
            if signed:
                write((high().view(I32).astype(I64) >> np.minimum(n, U64(63)).view(I64)).astype(U32), mask)
            else:
                write(shifted(high().astype(U64), n, False).astype(U32), mask)
        else:
            pair = low().astype(U64) | (high().astype(U64) << U64(32))
            if signed:
                write((pair.view(I64) >> np.minimum(n, U64(63)).view(I64)).view(U64).astype(U32), mask)
            else:
                write(shifted(pair, n, False).astype(U32), mask)

    return do


# the selectors of the modes of PRMT, for the two lowest bits of theirs
_PRMT = {
    "F4E": (0x3210, 0x4321, 0x5432, 0x6543),
    "B4E": (0x5670, 0x6701, 0x7012, 0x0123),
    "RC8": (0x0000, 0x1111, 0x2222, 0x3333),
    "ECL": (0x3210, 0x3211, 0x3222, 0x3333),
    "ECR": (0x0000, 0x1110, 0x2210, 0x3210),
    "RC16": (0x1010, 0x3232, 0x1010, 0x3232),
}


@opcode("PRMT", "UPRMT")
def prmt(m, ins):
    """Four bytes, each chosen from the eight of c:a; with bit 3 of its selector a byte's sign, eight times."""
    ins.only(*_PRMT)
    write = m.write(ins.operands[0])
    a, selector, c = (m.u32(each, ins) for each in ins.operands[1:4])
    table = np.array(_PRMT[ins.mods[0]], U32) if ins.mods else None

    def do(mask):
        pool, chosen = a().astype(U64) | (c().astype(U64) << U64(32)), selector()
        chosen = chosen if table is None else table[chosen & U32(3)]
        total = U32(0)
        for i in range(4):
            nibble = chosen >> U32(4 * i) & U32(15)
            byte = (pool >> ((nibble & U32(7)).astype(U64) * U64(8))).astype(U32) & U32(255)
            if len(nibble) > 1 or nibble[0] & 8:
                byte = np.where(nibble & U32(8), np.where(byte & U32(128), U32(255), U32(0)), byte)
            total = total | byte << U32(8 * i)
        write(np.atleast_1d(total), mask)

    return do


@opcode("FLO", "UFLO")
def flo(m, ins):
    """The highest bit that is set (of a signed number: that differs from its sign); SH: how far it is from the top."""
    ins.only("U32", "S32", "SH")
    write, a = m.write(ins.operands[0]), m.u32(ins.operands[1], ins)
    signed = "U32" not in ins.mods

    def do(mask):
        value = a()
        value = np.where(value.view(I32) < 0, ~value, value) if signed else value
        place = np.frexp(value.astype(np.float64))[1] - 1
        if "SH" in ins.mods:
            place = 31 - place
        write(np.where(value == 0, U32(0xFFFFFFFF), place.astype(U32)), mask)

    return do


@opcode("POPC", "UPOPC")
def popc(m, ins):
    ins.only()
    write, a = m.write(ins.operands[0]), m.u32(ins.operands[1], ins)
    return lambda mask: write(np.bitwise_count(a()).astype(U32), mask)


@opcode("BREV", "UBREV")
def brev(m, ins):
    ins.only()
    write, a = m.write(ins.operands[0]), m.u32(ins.operands[1], ins)

    def do(mask):
        value = a()
        for by, pattern in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F)):
            value = (value >> U32(by) & U32(pattern)) | (value & U32(pattern)) << U32(by)
        write(value.byteswap(), mask)

    return do


@opcode("BMSK", "UBMSK")
def bmsk(m, ins):
    """b ones from bit a on."""
    ins.only("W")
    write, a, b = m.write(ins.operands[0]), m.u32(ins.operands[1], ins), m.u32(ins.operands[2], ins)

    def do(mask):
        at, count = a().astype(U64), b().astype(U64)
        if "W" in ins.mods:
            at, count = at & U64(31), count & U64(31)
        ones = shifted(np.ones(1, U64), np.minimum(count, U64(32)), True) - U64(1)
        write(np.where(at > 31, U64(0), shifted(ones, np.minimum(at, U64(31)), True)).astype(U32), mask)

    return do


@opcode("SGXT", "USGXT")
def sgxt(m, ins):
    """The lower b bits of a, extended by zeros or by their sign."""
    ins.only("U32", "W")
    write, a, b = m.write(ins.operands[0]), m.u32(ins.operands[1], ins), m.u32(ins.operands[2], ins)
    unsigned = "U32" in ins.mods

    def do(mask):
        count = b() & U32(31) if "W" in ins.mods else np.minimum(b(), U32(32))
        away = U64(64) - count.astype(U64)
        value = shifted(a().astype(U64), away, True)
        value = shifted(value, away, False) if unsigned else value.view(I64) >> np.minimum(away, U64(63)).view(I64)
        write(np.where(count == 0, 0, value).astype(U32), mask)

    return do

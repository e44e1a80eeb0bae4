"""Instructions that move the program counter, bring threads together, or pass values between the lanes of a warp."""

from __future__ import annotations

import numpy as np

from .cubin import Unknown
from .execute import opcode
from .memory import Fault, Shared
from .operands import I64, U32, U64, is_predicate

NOTHING = ("NOP", "YIELD", "DEPBAR", "ERRBAR", "CCTL", "MEMBAR", "FENCE", "CGAERRBAR")  # of order and caches only


@opcode(*NOTHING)
def nothing(m, ins):
    return lambda mask: None


# ---- branches


def _target(m, ins, text: str) -> int:
    pc = int(text, 16)
    if pc not in m.index:
        raise Unknown(f"{ins} leaves the kernel")
    return m.index[pc]


@opcode("BRA", control=True)
def bra(m, ins):
    ins.only("U", "DIV", "CONV")
    *conditions, text = ins.operands
    target, behind = _target(m, ins, text), ins.index + 1
    if "DIV" in ins.mods:  # taken by warps of which not all lanes in the mask are here
        wanted = m.u32(conditions[0], ins)
        reads = [lambda mask: (wanted() & m.spread(m.bits(m.live)) & ~m.spread(m.bits(mask))) != 0]
    elif "CONV" in ins.mods:
        raise ins.unknown()
    else:
        rows = [m.predicate(each) for each in conditions]
        reads = [lambda mask, row=row: row() for row in rows]

    def do(mask):
        taken = mask
        for read in reads:
            taken = taken & read(mask)
        if taken is mask:
            return [(target, mask)]
        rest = mask & ~taken
        return [(at, some) for at, some in ((target, taken), (behind, rest)) if some.any()]

    return do


@opcode("CALL", control=True)
def call(m, ins):  # the return address was put into a register
    ins.only("REL", "ABS", "NOINC")
    target = _target(m, ins, ins.operands[-1])
    return lambda mask: [(target, mask)]


def _scatter(m, ins, read, mask):
    """Threads, each to its own address."""
    where = read()
    found = []
    for value in np.unique(where[mask]):
        if int(value) not in m.index:
            raise Fault(f"a jump to {int(value):#x}, where no instruction is")
        found.append((m.index[int(value)], mask & (where == value)))
    return found


@opcode("RET", control=True)
def ret(m, ins):
    ins.only("REL", "ABS", "NODEC")
    read = m.u32(ins.operands[0].split()[0], ins)
    return lambda mask: _scatter(m, ins, read, mask)


@opcode("BRX", control=True)
def brx(m, ins):
    ins.only()
    name, offset = ins.operands[-1].split()
    row, base = m.u32(name, ins), U32((ins.pc + 16 + int(offset, 16)) & 0xFFFFFFFF)
    return lambda mask: _scatter(m, ins, lambda: row() + base, mask)


@opcode("BPT")
def bpt(m, ins):
    ins.only("TRAP")

    def do(mask):
        raise Fault("a trap, which the compiler puts where nothing right can follow")

    return do


@opcode("EXIT", control=True)
def leave(m, ins):
    ins.only()
    return lambda mask: m.leave(mask)


# ---- threads that come together


def _barrier(ins, text: str) -> int:
    if not text.startswith("B"):
        raise ins.unknown()
    return int(text[1:])


@opcode("BSSY")
def bssy(m, ins):
    ins.only()
    row = m.barriers[_barrier(ins, ins.operands[0])]
    return lambda mask: m.put(row, m.spread(m.bits(mask)), mask)


@opcode("BSYNC", control=True)
def bsync(m, ins):
    ins.only()
    row = m.barriers[_barrier(ins, ins.operands[0])]
    return lambda mask: m.hold(ins.index, mask, row)


@opcode("BREAK")
def break_(m, ins):
    """Threads that will not come to the barrier: the others no longer wait for them."""
    ins.only()
    *conditions, name = ins.operands
    row, reads = m.barriers[_barrier(ins, name)], [m.predicate(each) for each in conditions]

    def do(mask):
        for read in reads:
            mask = mask & read()
        row[...] &= ~m.spread(m.bits(mask))

    return do


@opcode("BMOV")
def bmov(m, ins):
    """Saves a barrier in a register, or brings it back."""
    ins.only("32", "CLEAR")
    to, source = ins.operands
    if to.startswith("B"):
        row, read = m.barriers[_barrier(ins, to)], m.u32(source, ins)
        return lambda mask: m.put(row, read(), mask)
    write, row = m.write(to), m.barriers[_barrier(ins, source)]
    clear = "CLEAR" in ins.mods

    def do(mask):
        write(row.copy(), mask)
        if clear:
            m.put(row, U32(0), mask)

    return do


@opcode("WARPSYNC", control=True)
def warpsync(m, ins):
    ins.only("ALL")
    return lambda mask: m.hold(ins.index, mask, m.synced(ins))


@opcode("BAR", control=True)
def bar(m, ins):
    ins.only("SYNC", "RED", "DEFER_BLOCKING", "POPC", "OR", "AND")
    if ins.operands[0] != "0x0" or len(ins.operands) > 1 + ("RED" in ins.mods):
        raise ins.unknown("one barrier of whole blocks is")
    read = m.predicate(ins.operands[1]) if "RED" in ins.mods else None

    def do(mask):
        if read is not None:
            np.copyto(m.voted, read(), where=mask)
        return m.wait(ins.index, mask)

    return do


@opcode("B2R")
def b2r(m, ins):
    """What BAR.RED found: a number, and whether it is one at all."""
    ins.only("RESULT")
    write = m.write(ins.operands[0])
    flag = m.write_predicate(ins.operands[1]) if len(ins.operands) > 1 else None

    def do(mask):
        write(m.result, mask)
        if flag:
            flag(m.result != 0, mask)

    return do


# ---- special registers


@opcode("S2R", "S2UR")
def s2r(m, ins):
    ins.only()
    known = {f"SR_CTAID.{axis}": m.block_index[i] for i, axis in enumerate("XYZ")}
    known |= {
        "SR_TID.X": m.thread,
        "SR_TID.Y": U32(0),
        "SR_TID.Z": U32(0),
        "SR_CgaCtaId": U32(0),
        "SR_SWINHI": U32(Shared.WINDOW),
        "SR_LANEID": m.thread % U32(32),
    }
    lane = m.lanes.astype(U64) % U64(32)
    below, this = (U64(1) << lane) - U64(1), U64(1) << lane
    masks = {"EQ": this, "LT": below, "LE": below | this, "GT": ~(below | this), "GE": ~below}
    known |= {f"SR_{name}MASK": value.astype(U32) for name, value in masks.items()}
    if ins.operands[1] not in known:
        raise ins.unknown()
    write, value = m.write(ins.operands[0]), np.atleast_1d(known[ins.operands[1]])
    return lambda mask: write(value, mask)


@opcode("CS2R")
def cs2r(m, ins):
    ins.only("32")
    if ins.operands[1] != "SRZ":
        raise ins.unknown()
    if "32" in ins.mods:
        write, zero = m.write(ins.operands[0]), np.zeros(1, U32)
    else:
        write, zero = m.write64(ins.operands[0]), np.zeros(1, U64)
    return lambda mask: write(zero, mask)


# ---- between the lanes of a warp


@opcode("VOTE", "VOTEU")
def vote(m, ins):
    """A word of the lanes that are for it; and whether any, all, or all alike are."""
    ins.only("ANY", "ALL", "EQ")
    *to, condition = ins.operands
    read = m.predicate(condition)
    write = None if is_predicate(to[0]) else m.write(to[0])
    flag = next((m.write_predicate(each) for each in to if is_predicate(each)), None)

    def do(mask):
        active, votes = m.bits(mask), m.bits(mask & read())
        if write:
            write(m.spread(votes), mask)
        if flag:
            all_, none = votes == active, votes == 0
            flag(m.spread(~none if "ANY" in ins.mods else all_ if "ALL" in ins.mods else all_ | none), mask)

    return do


@opcode("SHFL")
def shfl(m, ins):
    ins.only("IDX", "UP", "DOWN", "BFLY")
    (kind,) = ins.mods
    flag, write = m.write_predicate(ins.operands[0]), m.write(ins.operands[1])
    value, by, clamp = (m.u32(each, ins) for each in ins.operands[2:5])
    lane = (m.lanes % 32).astype(I64)
    start = m.lanes - lane

    def do(mask):
        b, c = by().astype(I64) & 31, clamp().astype(I64)
        segment, last = c >> 8 & 31, c & 31
        least = lane & segment
        most = least | (last & ~segment & 31)
        if kind == "IDX":
            source = least | (b & ~segment & 31)
        else:
            source = lane - b if kind == "UP" else lane + b if kind == "DOWN" else lane ^ b
        inside = source >= most if kind == "UP" else source <= most
        source = np.where(inside, source, lane) + start
        if not mask[source[mask]].all():
            wrong = int(np.flatnonzero(mask & ~mask[source])[0])
            raise Fault(f"lane {wrong % 32} asks for the value of lane {int(source[wrong]) % 32}, which takes no part")
        write(np.broadcast_to(value(), (m.count,))[source], mask)
        if flag:
            flag(inside, mask)

    return do


_IDLE = {"SUM": 0, "OR": 0, "XOR": 0, "AND": 0xFFFFFFFF, "MIN": 0xFFFFFFFF, "MAX": 0}
_FOLD = {"SUM": np.add, "OR": np.bitwise_or, "XOR": np.bitwise_xor, "AND": np.bitwise_and, "MIN": np.minimum, "MAX": np.maximum}


@opcode("REDUX")
def redux(m, ins):
    ins.only(*_FOLD, "S32")
    kind = next((mod for mod in ins.mods if mod in _FOLD), "AND")
    signed = U32(0x80000000 if "S32" in ins.mods and kind in ("MIN", "MAX") else 0)  # shifts the order of signed numbers
    write, read = m.write(ins.operands[0]), m.u32(ins.operands[1], ins)

    def do(mask):
        value = np.where(mask, read() ^ signed, U32(_IDLE[kind]))
        write(m.spread(_FOLD[kind].reduce(value.reshape(-1, 32), axis=1, dtype=U32) ^ signed), mask)

    return do


@opcode("MATCH")
def match(m, ins):
    """ANY: which lanes have my value. ALL: whether all have it, and then all of them."""
    ins.only("ANY", "ALL")
    write, read = m.write(ins.operands[-2]), m.u32(ins.operands[-1], ins)
    flag = m.write_predicate(ins.operands[0]) if "ALL" in ins.mods else None

    def do(mask):
        value = np.broadcast_to(read(), (m.count,)).reshape(-1, 32)
        alike = (value[:, :, None] == value[:, None, :]) & mask.reshape(-1, 1, 32)
        lanes = np.packbits(alike, axis=2, bitorder="little").view(U32).ravel()
        if "ALL" in ins.mods:
            every = lanes == m.spread(m.bits(mask))
            if flag:
                flag(every, mask)
            lanes = np.where(every, lanes, U32(0))
        write(lanes, mask)

    return do


@opcode("R2UR")
def r2ur(m, ins):
    ins.only()
    write, read = m.write(ins.operands[0]), m.u32(ins.operands[1], ins)

    def do(mask):
        value = read()
        if len(value) > 1:
            table = np.where(mask, value, 0).reshape(-1, 32).max(1), np.where(mask, value, 0xFFFFFFFF).reshape(-1, 32).min(1)
            if (m.bits(mask).astype(bool) & (table[0] != table[1])).any():
                raise Fault("lanes of a warp bring different values for one uniform register")
        write(value, mask)

    return do

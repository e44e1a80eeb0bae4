"""Instructions that load and store: memory of the device, shared memory, constants, the stack; and atomic ones."""

from __future__ import annotations

import re

import numpy as np

from .execute import STACK_TOP, opcode
from .memory import Fault, Shared
from .operands import F32, I64, U32, U64, is_predicate

# of caches, of order, and of who sees what when: with one order of threads they change nothing
_HINTS = "E CONSTANT NA EF EL LU EU LTC64B LTC128B LTC256B STRONG WEAK GPU SYS CTA SM PRIVATE CI CV CG".split()
_NARROW = {"U8": (1, np.uint8), "S8": (1, np.int8), "U16": (2, np.uint16), "S16": (2, np.int16)}


def width_of(ins) -> int:
    ins.only(*_HINTS, *_NARROW, "64", "128")
    for mod in ins.mods:
        if mod in _NARROW:
            return _NARROW[mod][0]
    return 16 if "128" in ins.mods else 8 if "64" in ins.mods else 4


def spread_loaded(m, ins, name: str, width: int):
    """A writer of loaded values to the register, or to two or four; of the lanes in order."""
    if width >= 4:
        first = m.number(name, ins)

        def wide(values, lanes):
            if first is None:
                return
            table = values.view(U32).reshape(len(lanes), -1)
            for i in range(width // 4):
                m.R[first + i][lanes] = table[:, i]

        return wide
    kind = next(_NARROW[mod][1] for mod in ins.mods if mod in _NARROW)
    row = m.row(name)

    def narrow(values, lanes):
        if row is not None:
            row[lanes] = values.view(kind).astype(np.int32).view(U32)

    return narrow


def gather_stored(m, ins, name: str, width: int):
    """A reader of what is stored, of the lanes in order; 16 bytes as four words."""
    first = m.number(name, ins)
    kind = {1: np.uint8, 2: np.uint16, 4: U32, 8: U64, 16: U32}[width]

    def read(lanes):
        if first is None:
            return np.zeros((len(lanes), 4) if width == 16 else len(lanes), kind)
        if width <= 4:
            return m.R[first][lanes].astype(kind)
        table = np.stack([m.R[first + i][lanes] for i in range(width // 4)], 1)
        return table if width == 16 else np.ascontiguousarray(table).view(U64)[:, 0]

    return read


def lanes_of(m, mask):
    return m.lanes if mask is m.everyone else np.flatnonzero(mask)


def both(m, ins, address, to_global, to_shared):
    """What an instruction does that is told at run time which memory it means (LD, ST): each thread where its address lies."""
    if ins.name in ("LDG", "STG"):
        return lambda mask: to_global(mask, address())

    def do(mask):
        at = address()
        inside = mask & (at >> U64(32) == Shared.WINDOW)
        if not inside.any():
            to_global(mask, at)
            return
        to_shared(inside, (at & U64(0xFFFFFFFF)).astype(I64))
        outside = mask & ~inside
        if outside.any():
            to_global(outside, at)

    return do


@opcode("LDG", "LD", "LDS")
def load(m, ins):
    width = width_of(ins)
    address = m.address(ins.operands[1], ins, 32 if ins.name == "LDS" else 64)
    write = spread_loaded(m, ins, ins.operands[0], width)

    def of_global(mask, address):
        lanes = lanes_of(m, mask)
        at = address[lanes]
        values = m.memory.load(at, width)
        m.counts.global_access(ins.index, m.warps, lanes, at, width, mask is m.everyone)
        write(values, lanes)

    def of_shared(mask, address):
        lanes = lanes_of(m, mask)
        at = address[lanes]
        values = m.shared.view(width)[m.shared.index(m.block[lanes], at, width, "load")]
        m.counts.shared_access(ins.index, lanes, at, width)
        write(values, lanes)

    if ins.name == "LDS":
        return lambda mask: of_shared(mask, address())
    return both(m, ins, address, of_global, of_shared)


@opcode("STG", "ST", "STS")
def store(m, ins):
    width = width_of(ins)
    address = m.address(ins.operands[0], ins, 32 if ins.name == "STS" else 64)
    read = gather_stored(m, ins, ins.operands[1], width)

    def to_global(mask, address):
        lanes = lanes_of(m, mask)
        at = address[lanes]
        m.memory.store(at, width, read(lanes))
        m.counts.global_access(ins.index, m.warps, lanes, at, width, mask is m.everyone)

    def to_shared(mask, address):
        lanes = lanes_of(m, mask)
        at = address[lanes]
        m.shared.view(width)[m.shared.index(m.block[lanes], at, width, "store")] = read(lanes)
        m.counts.shared_access(ins.index, lanes, at, width)

    if ins.name == "STS":
        return lambda mask: to_shared(mask, address())
    return both(m, ins, address, to_global, to_shared)


@opcode("LDL", "STL")
def local(m, ins):
    """The stack of a thread. Its words lie side by side for the lanes of a warp."""
    width = width_of(ins)
    load = ins.name == "LDL"
    address = m.address(ins.operands[1 if load else 0], ins, 32)
    write = spread_loaded(m, ins, ins.operands[0], width) if load else None
    read = None if load else gather_stored(m, ins, ins.operands[1], width)
    base = STACK_TOP - m.cubin.stack

    def do(mask):
        lanes = lanes_of(m, mask)
        at = address()[lanes] - base
        if (at % width).any() or at.min() < 0 or at.max() > m.cubin.stack - width:
            raise Fault(f"the stack of {m.cubin.stack} bytes at {int(at.min())} to {int(at.max())}, {width} bytes")
        where = lanes[:, None], at[:, None] + np.arange(width)
        m.counts.local[ins.index] += len(np.unique(lanes // 32)) * max(1, width // 4)
        if load:
            values = np.ascontiguousarray(m.local[where])
            write(values.view({1: np.uint8, 2: np.uint16, 4: U32, 8: U64, 16: U32}[width]).reshape(len(lanes), -1), lanes)
        else:
            m.local[where] = np.ascontiguousarray(read(lanes)).view(np.uint8).reshape(len(lanes), -1)

    return do


@opcode("LDC", "ULDC")
def ldc(m, ins):
    ins.only("64", "U8", "S8", "U16", "S16")
    found = re.fullmatch(r"c\[0x(\d+)\]\[(?:(U?R\d+|RZ|URZ)\+?)?(0x[0-9a-f]+)?\]", ins.operands[1])
    if found is None:
        raise ins.unknown()
    bank, offset, width = int(found[1]), int(found[3] or "0", 16), width_of(ins)
    uniform = ins.operands[0].startswith("U")
    if found[2] in (None, "RZ", "URZ"):
        data = m.constant(bank, offset, width, ins)
        if width == 8:
            write, one = m.write64(ins.operands[0]), np.frombuffer(data, U64)
        else:
            kind = next((_NARROW[mod][1] for mod in ins.mods if mod in _NARROW), U32)
            write, one = m.write(ins.operands[0]), np.frombuffer(data, kind).astype(I64).astype(U32)
        return lambda mask: write(one, mask)
    if uniform and width != 4:
        raise ins.unknown()
    m.constant(bank, 0, 1, ins)
    data, index = np.frombuffer(m.constants[bank], np.uint8), m.u32(found[2], ins)
    write = m.write(ins.operands[0]) if width <= 4 else m.write64(ins.operands[0])

    def do(mask):
        at = np.where(mask, index().astype(I64) + offset, 0)
        at = np.where(at >= 2**32, at - 2**32, at)
        if (at % width).any() or at.max() > len(data) - width:
            raise Fault(f"constant bank {bank} of {len(data)} bytes at {int(at.max())}, {width} bytes")
        value = sum(data[at + i].astype(U64) << U64(8 * i) for i in range(width))
        if width < 4 and ins.mods[0].startswith("S"):
            value = value.astype(_NARROW[ins.mods[0]][1]).astype(I64)
        write(value.astype(U32) if width <= 4 else value, mask)

    return do


# ---- atomic operations: one thread after another, in their order


def _increment(old, value):
    return 0 if old >= value else old + 1


def _decrement(old, value):
    return value if old == 0 or old > value else old - 1


_ATOMIC = {
    "ADD": lambda old, value: (old + value) & 0xFFFFFFFF,
    "MIN": min,
    "MAX": max,
    "AND": lambda old, value: old & value,
    "OR": lambda old, value: old | value,
    "XOR": lambda old, value: old ^ value,
    "EXCH": lambda old, value: value,
    "INC": _increment,
    "DEC": _decrement,
}
_VECTOR = {"ADD": np.add, "MIN": np.minimum, "MAX": np.maximum, "AND": np.bitwise_and, "OR": np.bitwise_or, "XOR": np.bitwise_xor}


@opcode("ATOMS", "ATOMG", "ATOM", "REDG", "RED")
def atomic(m, ins):
    ins.only(*_ATOMIC, *_HINTS, "POPC", "32", "U32", "S32", "F32", "FTZ", "RN", "CAS", "CAST", "SPIN")
    rest = list(ins.operands)
    if is_predicate(rest[0]) and m.write_predicate(rest.pop(0)):
        raise ins.unknown("its predicate")
    to = None if ins.name in ("REDG", "RED") else rest.pop(0)
    shared = ins.name == "ATOMS"
    address = m.address(rest.pop(0), ins, 32 if shared else 64)
    values = [m.u32(each, ins) for each in rest]
    swap, popc = bool({"CAS", "CAST"} & set(ins.mods)), "POPC" in ins.mods
    kind = next((mod for mod in ins.mods if mod in _ATOMIC), None)
    if (kind is None) != swap or len(values) != (2 if swap else 0 if popc else 1):
        raise ins.unknown()
    signed, float_ = "S32" in ins.mods and kind in ("MIN", "MAX"), "F32" in ins.mods
    row = None if to is None else m.row(to)

    def places(lanes, at):
        """A flat array of words, and where in it; one object for reading and writing."""
        if shared:
            m.counts.shared_access(ins.index, lanes, at, 4, atomic=not popc)
            return m.shared.view(4), m.shared.index(m.block[lanes], at, 4, "atomic operation")
        m.counts.global_access(ins.index, m.warps, lanes, at, 4, mask_all(lanes))
        parts = list(m.memory._parts(at, 4, "atomic operation"))
        if len(parts) != 1:
            raise ins.unknown("on several allocations at once")
        return parts[0][1], parts[0][2]

    def mask_all(lanes):
        return len(lanes) == m.count

    def do(mask):
        lanes = lanes_of(m, mask)
        memory, where = places(lanes, address()[lanes])
        operands = [np.ascontiguousarray(np.broadcast_to(read(), (m.count,)))[lanes] for read in values]
        if kind == "ADD" and float_:
            np.add.at(memory.view(F32), where, operands[0].view(F32))
            if row is not None:
                raise ins.unknown("its result")
            return
        if row is None and not swap and (popc or kind in _VECTOR):
            view = memory.view(np.int32) if signed else memory
            value = np.ones(1, U32) if popc else operands[0]
            (np.add if popc else _VECTOR[kind]).at(view, where, value.view(view.dtype))
            return
        before = np.empty(len(lanes), U32)
        for i, place in enumerate(where.tolist()):
            old = int(memory[place])
            before[i] = old
            if swap:
                compare, new = int(operands[0][i]), int(operands[1][i])
                if old == compare:
                    memory[place] = new
                if "CAST" in ins.mods:
                    before[i] = old == compare
            else:
                value = 0xFFFFFFFF if popc else int(operands[0][i])
                if signed:
                    fold = _ATOMIC[kind]((old ^ 2**31), value ^ 2**31) ^ 2**31
                else:
                    fold = _ATOMIC[kind](old, value)
                memory[place] = fold
        if row is not None:
            row[lanes] = before

    return do

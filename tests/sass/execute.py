"""Executes a cubin's instructions for all threads of some blocks at once.

Threads that stand at the same address run together, those at the lowest address first: branches come together again where
their paths do, and no later than at the BSYNC that closes them. A warp issues an instruction once for all of its threads that
are there. What is not modelled: time, the order in which a GPU would pick warps, and the last bits of MUFU, whose results are
correctly rounded here (`wobble` moves them by one unit at random, to show that nothing hangs on them).
"""

from __future__ import annotations

import heapq
import struct

import numpy as np

from .counts import WARP, Counts
from .cubin import Cubin, Instruction, Unknown
from .memory import Fault, Memory, Shared
from .operands import U32, Operands

STACK_TOP = 0xFFFD80  # where the stack of a thread ends, in its own address space
_PARAMETERS = 0x210  # of a kernel, in constant bank 0 on sm_90
OPCODES: dict = {}  # name: (a function of (machine, instruction) that gives what to do, whether it moves the program counter)


def opcode(*names: str, control: bool = False):
    def register(build):
        for name in names:
            assert name not in OPCODES, name
            OPCODES[name] = (build, control)
        return build

    return register


class Machine(Operands):
    """The threads of the blocks that are simulated. `counts` is filled by `run`."""

    def __init__(self, cubin: Cubin, blocks, threads: int, grid, arguments, memory: Memory, shared: int = 0, wobble=None):
        if threads % WARP:
            raise ValueError(f"blocks of whole warps only, not of {threads} threads")
        self.blocks, self.threads, self.memory, self.index = list(blocks), threads, memory, cubin.index
        count = len(self.blocks) * threads
        super().__init__(cubin, count, _parameters(threads, grid, arguments))
        self.warps = count // WARP
        if cubin.relocations:
            self._place_tables()
        self.lanes = np.arange(count)
        self.block = np.repeat(np.arange(len(self.blocks)), threads)
        self.thread = np.tile(np.arange(threads), len(self.blocks)).astype(U32)
        self.block_index = [np.repeat(np.array([each[i] for each in self.blocks], U32), threads) for i in range(3)]
        self.shared = Shared(len(self.blocks), cubin.shared + shared)
        self.local = np.full((count, -(-cubin.stack // 16) * 16), 0xFF, np.uint8)
        self.counts = Counts(len(cubin.instructions))
        self.wobble = None if wobble is None else np.random.default_rng(wobble)
        self.live = np.ones(count, bool)
        self.barriers = np.zeros((16, count), U32)  # B0 to B15: the lanes that come together
        self.held: dict[int, np.ndarray] = {}  # by instruction: threads that wait there for others of their warp
        self.waiting: dict[int, np.ndarray] = {}  # ... for their block
        self.voted = np.zeros(count, bool)  # what a thread brought to BAR.RED
        self.result = np.zeros(count, U32)  # ... and what its block made of it
        self._compiled: list = [None] * len(cubin.instructions)

    def _place_tables(self):
        """What a driver does with the arrays of a kernel: they get memory, and constant bank 4 their addresses."""
        bank, places = bytearray(self.constants[4]), {}
        for section, data in self.cubin.tables.items():
            memory = np.zeros(len(data) + 256, np.uint8)
            array = memory[-memory.ctypes.data % 256 :][: len(data)]
            array[:] = np.frombuffer(data, np.uint8)
            self.memory.add(array)
            places[section] = array.ctypes.data
        for place, section, offset in self.cubin.relocations:
            struct.pack_into("<Q", bank, place, places[section] + offset)
        self.constants[4] = bytes(bank)

    # ---- warps

    def bits(self, mask):
        """A word for each warp: the lanes that are in the mask."""
        return np.packbits(mask.reshape(-1, WARP), axis=1, bitorder="little").view(U32)[:, 0]

    def spread(self, per_warp):
        """The same value for each lane of a warp."""
        return np.repeat(per_warp, WARP)

    # ---- the loop

    def run(self, limit: int = 20_000_000) -> Machine:
        """Until every thread has left. limit: instructions, each for however many warps stand there."""
        at: dict[int, np.ndarray] = {0: self.everyone}
        heap, steps = [0], 0
        with np.errstate(all="ignore"):
            while heap:
                where = heapq.heappop(heap)
                mask = at.pop(where, None)
                if mask is None:
                    continue
                for target, others in self._straight(where, mask, at):
                    if target in at:
                        at[target] = self._shared_mask(at[target] | others)
                    else:
                        at[target] = self._shared_mask(others)
                        heapq.heappush(heap, target)
                steps += 1
                if steps > limit:
                    raise Fault(f"{self.cubin.name}: more than {limit} branches: a loop without end?")
        if self.live.any():
            raise Fault(f"{self.cubin.name}: {self._stuck()}")
        return self

    def _shared_mask(self, mask):
        """`everyone` itself where the mask is of all."""
        return self.everyone if mask is not self.everyone and mask.all() else mask

    def _straight(self, where: int, mask, at):
        """Runs up to the next instruction that moves the program counter; gives [(index, mask), ...] of what comes behind it."""
        issued, compiled = self.counts.issued, self._compiled
        warps = np.count_nonzero(self.bits(mask))
        while True:
            made = compiled[where]
            if made is None:
                made = compiled[where] = self._compile(self.cubin.instructions[where])
            guard, body, control = made
            issued[where] += warps
            active = mask if guard is None else mask & guard()
            try:
                if control:
                    targets = body(active) if guard is None or active.any() else []
                    rest = None if guard is None else mask & ~active
                    if rest is not None and rest.any():
                        targets = [*targets, (where + 1, rest)]
                    return targets
                if guard is None or active.any():
                    body(active)
            except Fault as fault:
                raise Fault(f"{self.cubin.name}: {fault}\n  at {self.cubin.instructions[where]}") from None
            where += 1
            other = at.pop(where, None)
            if other is not None:
                mask = self._shared_mask(mask | other)
                warps = np.count_nonzero(self.bits(mask))

    def _compile(self, ins: Instruction):
        if ins.name not in OPCODES:
            raise Unknown(f"{self.cubin.name}: the simulator does not know {ins.name}: {ins}")
        build, control = OPCODES[ins.name]
        try:
            body = build(self, ins)
        except Unknown as error:
            raise Unknown(f"{self.cubin.name}: {error}") from None
        except (IndexError, ValueError, KeyError) as error:
            raise Unknown(f"{self.cubin.name}: the simulator cannot read {ins}: {error!r}") from error
        guard = None
        if ins.guard and ins.guard.lstrip("!U") != "PT":
            guard = self.predicate(ins.guard)
        elif ins.guard.startswith("!"):
            guard = lambda: np.zeros(self.count, bool)  # noqa: E731
        return guard, body, control

    def _stuck(self) -> str:
        for where, mask in {**self.held, **self.waiting}.items():
            if mask.any():
                lane = int(np.flatnonzero(mask)[0])
                return (
                    f"deadlock: thread {lane % self.threads} of block {self.blocks[lane // self.threads]} and "
                    f"{np.count_nonzero(mask) - 1} more wait at {self.cubin.instructions[where]} for threads that never come"
                )
        return "threads are left that stand nowhere"

    # ---- barriers: of lanes of a warp, and of a block

    def hold(self, where: int, mask, expected):
        """Threads wait for the other lanes in `expected` (a row of masks of lanes)."""
        before = self.held.get(where)
        self.held[where] = mask.copy() if before is None else before | mask
        return self.release(where, expected)

    def release(self, where: int, expected):
        """[(the instruction behind, threads)] whose lanes are all here, or have left."""
        held = self.held[where]
        arrived, alive = self.spread(self.bits(held)), self.spread(self.bits(self.live))
        go = held & ((expected & alive & ~arrived) == 0)
        if not go.any():
            return []
        self.held[where] = held & ~go
        return [(where + 1, go)]

    def wait(self, where: int, mask):
        """Threads wait for their block."""
        before = self.waiting.get(where)
        self.waiting[where] = mask.copy() if before is None else before | mask
        return self.proceed()

    def proceed(self):
        """The threads of blocks of which every thread that is left waits."""
        by_block = (len(self.blocks), self.threads)
        there = np.zeros(self.count, bool)
        for mask in self.waiting.values():
            there |= mask
        done = (there == self.live).reshape(by_block).all(1) & there.reshape(by_block).any(1)
        if not done.any():
            return []
        done = np.repeat(done, self.threads)
        votes = np.repeat((self.voted & there).reshape(by_block).sum(1), self.threads).astype(U32)
        members = np.repeat(there.reshape(by_block).sum(1), self.threads)
        found = []
        for where, mask in self.waiting.items():
            go = mask & done
            if go.any():
                mods = self.cubin.instructions[where].mods
                if "RED" in mods:
                    value = votes if "POPC" in mods else (votes > 0) if "OR" in mods else votes == members
                    np.copyto(self.result, value.astype(U32), where=go)
                self.waiting[where] = mask & ~go
                found.append((where + 1, go))
        return found

    def leave(self, mask):
        """Threads end; some that waited for them may go on."""
        self.live &= ~mask
        found = []
        for where, held in list(self.held.items()):
            if held.any():
                found += self.release(where, self.expected(where))
        return found + (self.proceed() if any(waiting.any() for waiting in self.waiting.values()) else [])

    def expected(self, where: int):
        ins = self.cubin.instructions[where]
        if ins.name == "BSYNC":
            return self.barriers[int(ins.operands[0][1:])]
        return self.synced(ins)

    def synced(self, ins: Instruction):
        """The lanes that a WARPSYNC names."""
        if "ALL" in ins.mods:
            return np.full(1, 0xFFFFFFFF, U32)
        return self.u32(ins.operands[0], ins)()


def _parameters(threads: int, grid, arguments) -> bytes:
    """Constant bank 0: the shape of the launch, and the kernel's arguments, eight bytes each."""
    bank = bytearray(_PARAMETERS + 8 * len(arguments) + 64)
    struct.pack_into("<6I", bank, 0, threads, 1, 1, *grid)
    struct.pack_into("<I", bank, 0x28, STACK_TOP)
    for i, value in enumerate(arguments):
        struct.pack_into("<Q", bank, _PARAMETERS + 8 * i, int(value) & (2**64 - 1))
    return bytes(bank)

"""What is counted while a kernel runs: issues of warps, and what memory is asked for.

A load or store of global memory asks for 32-byte sectors; each 128-byte line that it touches is one look-up in the cache. Shared
memory answers in wavefronts: 32 banks of four bytes, one word of a bank in each. Wider accesses are served half a warp (8 bytes)
or a quarter (16) at a time; halves that ask for the same words are served together.
"""

from __future__ import annotations

import numpy as np

WARP = 32
_NONE = np.uint64(2**64 - 1)


class Counts:
    """By instruction (arrays over a kernel's instructions).

    issued: times that a warp issued it. requests, sectors, lines, bytes: of global memory; local: words of 32 lanes of the
    stack; shared, wavefronts: requests of shared memory, and how often it had to answer.
    """

    NAMES = "issued requests sectors lines bytes local shared wavefronts".split()

    def __init__(self, instructions: int):
        for name in self.NAMES:
            setattr(self, name, np.zeros(instructions, np.int64))

    def total(self) -> dict[str, int]:
        return {name: int(getattr(self, name).sum()) for name in self.NAMES}

    def global_access(self, at: int, warps: int, lanes, address, width: int, everyone: bool) -> None:
        """lanes: numbers of the threads; address: theirs. Aligned accesses of up to 16 bytes lie in one sector each."""
        sectors = address >> np.uint64(5)
        if everyone:
            table = sectors.reshape(-1, WARP)
        else:
            table = np.full(warps * WARP, _NONE)
            table[lanes] = sectors
            table = table.reshape(-1, WARP)
            table = table[(table != _NONE).any(1)]
        if (table[:, 1:] < table[:, :-1]).any():
            table = np.sort(table, axis=1)
        fresh = table[:, 1:] != table[:, :-1]
        holes = 0 if everyone else int((table[:, -1] == _NONE).sum())  # the holes are the last of a row, and alike
        lines = table >> np.uint64(2)
        self.requests[at] += len(table)
        self.sectors[at] += len(table) + int(fresh.sum()) - holes
        self.lines[at] += len(table) + int((lines[:, 1:] != lines[:, :-1]).sum()) - holes
        self.bytes[at] += len(address) * width

    def shared_access(self, at: int, lanes, address, width: int, atomic: bool = False) -> None:
        """atomic: lanes that ask for the same word are served one after another."""
        self.shared[at] += len(np.unique(lanes // WARP))
        self.wavefronts[at] += wavefronts(lanes, address, width, atomic)


def wavefronts(lanes, address, width: int, atomic: bool = False) -> int:
    """How often shared memory answers to these threads (numbered, 32 a warp), which ask for `width` bytes at `address`."""
    words = max(1, width // 4)
    phase = lanes // (WARP // words)
    word = (address >> 2).astype(np.int64)
    if words > 1:
        # a phase that asks for just what another of its warp asks for is served with it
        phase, word, lanes = _merged(phase, word, lanes, words)
        word = (word[:, None] + np.arange(words)).ravel()
        phase = np.repeat(phase, words)
    if not atomic:
        pair = np.unique((phase.astype(np.int64) << 32) | word)
        phase, word = pair >> 32, pair & 0xFFFFFFFF
    slot = phase.astype(np.int64) * WARP + word % WARP
    count = np.bincount(slot)
    count = np.pad(count, (0, -len(count) % WARP)).reshape(-1, WARP)
    return int(count.max(1).sum())


def _merged(phase, word, lanes, words: int):
    """Only the first of the phases of a warp that ask for the same words."""
    per = WARP // words
    number = int(phase.max()) // words + 1
    table = np.full((number * words, per), -1, np.int64)
    table[phase, lanes % per] = word
    table.sort(axis=1)
    table = table.reshape(number, words, per)
    keep = np.ones((number, words), bool)
    for later in range(1, words):
        for earlier in range(later):
            keep[:, later] &= ~(table[:, later] == table[:, earlier]).all(1)
    mask = keep.ravel()[phase]
    return phase[mask], word[mask], lanes[mask]

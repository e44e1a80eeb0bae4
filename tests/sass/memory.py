"""Memory of the simulated device: the addresses are those of NumPy's and torch's own memory, and every access is checked."""

from __future__ import annotations

import ctypes

import numpy as np

_WIDE = 16  # bytes of the widest access
WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


class Fault(RuntimeError):
    """What a GPU would stop the kernel for, or hang on."""


class Memory:
    """Regions that kernels may touch. An access has to lie in one of them whole, and on a multiple of its width; loads of up to
    four bytes in the words that hold a region: allocations of a GPU begin and end at multiples of 256.
    """

    def __init__(self):
        self._regions: list[tuple[int, int, dict]] = []
        self._starts = np.zeros(0, np.uint64)
        self._owners: list = []

    def add(self, array) -> None:
        """The bytes of an array or a tensor, wherever they lie; a view of a larger one admits no more than itself."""
        if not isinstance(array, np.ndarray):  # a torch tensor: its storage is what its owner allocated
            self._owners.append(array)
            self.region(array.data_ptr(), array.numel() * array.element_size())
            return
        if not array.flags.c_contiguous:
            raise ValueError("memory of a device is contiguous; give the array that it is a view of")
        self._owners.append(array)
        self.region(array.ctypes.data, array.nbytes)

    def region(self, start: int, size: int) -> None:
        """`size` bytes at address `start`; the caller keeps them alive."""
        if not size:
            return
        low, high = start // _WIDE * _WIDE, -(-(start + size) // _WIDE) * _WIDE
        raw = np.ctypeslib.as_array((ctypes.c_uint8 * (high - low)).from_address(low))
        views = {width: raw.view(word) for width, word in WORDS.items()}
        views[_WIDE] = raw.view(np.uint32).reshape(-1, 4)
        self._regions = sorted([*self._regions, (start, start + size, views)], key=lambda region: region[0])
        self._starts = np.array([region[0] for region in self._regions], np.uint64)

    def _parts(self, address, width: int, what: str):
        """(which, view, index) for every region that the addresses lie in."""
        wrong = address % np.uint64(width)
        if wrong.any():
            lane = int(np.flatnonzero(wrong)[0])
            raise Fault(f"{what} of {width} bytes at {int(address[lane]):#x}, which is no multiple of {width}")
        slack = 3 if what == "load" and width <= 4 else 0
        number = np.searchsorted(self._starts, address + np.uint64(slack), side="right") - 1
        first = int(number[0])
        for each in [first] if (number == first).all() else np.unique(number):
            which = slice(None) if isinstance(each, int) else number == each
            start, end, views = self._regions[max(int(each), 0)]
            at = address[which]
            if slack:
                start, end = start // 4 * 4, -(-end // 4) * 4
            if each < 0 or (beyond := (at > np.uint64(end - width)) | (at < np.uint64(start))).any():
                far = int(at.min() if each < 0 else at[beyond].min())
                raise Fault(f"{what} of {width} bytes at {far:#x}, {_where(far, start, end)}")
            yield which, views[width], (at - np.uint64(start // _WIDE * _WIDE)) // np.uint64(width)

    def load(self, address, width: int):
        """The values at these addresses (uint64); 16 bytes as rows of four words."""
        parts = list(self._parts(address, width, "load"))
        if len(parts) == 1:
            _, view, at = parts[0]
            return view[at]
        out = np.empty((len(address), *parts[0][1].shape[1:]), parts[0][1].dtype)
        for which, view, at in parts:
            out[which] = view[at]
        return out

    def store(self, address, width: int, values) -> None:
        for which, view, at in self._parts(address, width, "store"):
            view[at] = values[which]


def _where(address: int, start: int, end: int) -> str:
    if address < start:
        return f"before the first allocation at {start:#x}"
    return f"{address - start} bytes into an allocation of {end - start}"


class Shared:
    """A block's own memory, one row for each block. sm_90 hands out addresses from 1,024 on.

    WINDOW: the upper half of an address of 64 bits that means shared memory; no memory of a process lies there.
    """

    START, WINDOW = 1024, 0xFF0000

    def __init__(self, blocks: int, size: int):
        self.size = size
        self._row = -(-(self.START + size) // _WIDE) * _WIDE
        raw = np.full(blocks * self._row, 0xFF, np.uint8)  # NaN: nothing is right by being zero
        self._views = {width: raw.view(word) for width, word in WORDS.items()}
        self._views[_WIDE] = raw.view(np.uint32).reshape(-1, 4)

    def index(self, block, address, width: int, what: str):
        """Where in `view(width)` these addresses (int64) of these blocks lie."""
        if (address % width).any():
            raise Fault(f"{what} of {width} bytes of shared memory at {int(address[address % width != 0][0]):#x}, misaligned")
        wrong = (address < self.START) | (address > self.START + self.size - width)
        if wrong.any():
            at = int(address[wrong][0]) - self.START
            raise Fault(f"{what} of {width} bytes at {at} of {self.size} bytes of shared memory")
        return (block * self._row + address) // width

    def view(self, width: int):
        return self._views[width]

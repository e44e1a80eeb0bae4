"""Which numbers samples get that came without: seeds, a counter, and what copies in other processes make of them.

Copies must not repeat each other, and a seed must give the same in every run. So a copy is told apart by how it came about, which
a program repeats, and not by entropy: the n-th fork of a process since the pipeline was made, the n-th time that it was pickled.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import threading

import numpy as np
import torch

_lock = threading.RLock()
_own = threading.local()
_line: tuple[int, ...] = ()  # the forks that led to this process: the how-manieth of its parent each was
_forks = 0  # that this process has made


def _before_fork() -> None:
    global _forks
    _lock.acquire()  # no other thread counts or forks until this one has
    _forks += 1


def _in_child() -> None:
    global _line, _forks, _lock
    _line, _forks, _lock = (*_line, _forks), 0, threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=lambda: _lock.release(), after_in_child=_in_child)


def _process() -> str:
    """The place of this process among those of `multiprocessing`; "" for the first."""
    process = multiprocessing.current_process()
    if process.name == "MainProcess":
        return ""
    # the name holds the number, and is there while modules are imported; with names of the user's the number alone tells
    return f"@{process.name}" + "".join(f"@{n}" for n in getattr(process, "_identity", ()))


def mixed(seed: int, place: str) -> int:
    """Another 64-bit seed for another place, the same for none."""
    if not place:
        return seed
    return int.from_bytes(hashlib.blake2b(f"{seed} {place}".encode(), digest_size=8).digest(), "little")


def from_torch() -> int:
    """A seed from torch's generator on the CPU: what ``torch.manual_seed`` fixes."""
    word = getattr(_own, "word", None)  # of each thread; made anew it takes 2 us, as long as all the rest
    if word is None:
        with torch.inference_mode(False):  # else the first call's block would be the only one that may write it
            word = _own.word = torch.empty((), dtype=torch.int64, device="cpu")
    return word.random_().item()


class Stream:
    """The numbers of one pipeline, `gpuaug.Compose` or a step of `gpuaug.audio`; see "Copies" there.

    Attributes:
        counter: how many samples without ids were numbered.
        drawn: the seed of calls with ids, once there was one, where the pipeline has none.
    """

    __slots__ = ("_born", "_copies", "_path", "counter", "drawn")

    def __init__(self):
        self.counter, self.drawn, self._copies = 0, None, 0
        # a spawned process imports the program's modules anew: what they hold is a copy, too
        spawned = getattr(multiprocessing.current_process(), "_inheriting", False)
        self._begin(_process() if spawned else "")

    def _begin(self, path: str) -> None:
        self._path, self._born = path, (len(_line), _forks)

    @property
    def path(self) -> str:
        """How this copy came about; "" for the first."""
        depth, forks = self._born
        if len(_line) == depth:
            return self._path
        first, *rest = _line[depth:]
        return self._path + "".join(f".{n}" for n in (first - forks, *rest))

    def call(self, seed: int | None, ids, count: int) -> tuple[int, np.ndarray]:
        """The seed and the ids of a call with so many samples; ids: the caller's, or None."""
        if ids is not None:
            return self.fixed(seed), np.atleast_1d(ids)
        if seed is None:
            # a worker of torch's has a generator of its own, in every epoch; other processes may have inherited theirs
            own = torch.utils.data.get_worker_info() is not None
            place = "" if own else _process() + "".join(f".{n}" for n in _line) + self._path
            return mixed(from_torch(), place), np.arange(count)
        with _lock:
            first = self.counter
            self.counter = first + count
        return mixed(seed, self.path), np.arange(first, first + count)

    def fixed(self, seed: int | None) -> int:
        """The seed of calls with ids: the same for all of them, and for all copies."""
        if seed is not None:
            return seed
        with _lock:
            if self.drawn is None:
                self.drawn = from_torch()
        return self.drawn

    def state(self) -> dict:
        """For ``state_dict()``."""
        return {"counter": self.counter, "path": self.path, "drawn": self.drawn}

    def load(self, state: dict) -> None:
        self.counter, self.drawn = state["counter"], state.get("drawn")
        self._begin(state.get("path", ""))

    def __deepcopy__(self, memo) -> Stream:
        twin = Stream()
        twin.load(self.state())
        twin._copies = self._copies
        return twin

    def __getstate__(self) -> dict:
        with _lock:
            self._copies += 1
            number = self._copies
        return {**self.state(), "path": f"{self.path}/{number}"}

    def __setstate__(self, state: dict) -> None:
        self._copies = 0
        self.load(state)


class Seeded:
    """A module with a seed and a counter of samples, which are part of its ``state_dict()``: so it goes on where it was.

    A checkpoint without them, of the same model before it had this module, loads with strict=True, too, and leaves both.
    """

    seed: int | None
    _stream: Stream

    def get_extra_state(self) -> dict:
        """Seed and sample counter."""
        return {"seed": self.seed, **self._stream.state()}

    def set_extra_state(self, state: dict) -> None:
        self.seed = state["seed"]
        self._stream.load(state)

    def _load_from_state_dict(self, state_dict, prefix, metadata, strict, missing, *args) -> None:
        super()._load_from_state_dict(state_dict, prefix, metadata, strict, missing, *args)
        if prefix + "_extra_state" in missing:
            missing.remove(prefix + "_extra_state")

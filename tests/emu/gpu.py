"""A GPU whose streams lag behind at random: torch's streams and events, memory that is spoilt when it is given back, and kernels
on CPU fibers. What is read before its event, or after it was freed, has other values than it should.

    world = World(seed=3)
    world.install(monkeypatch)
    ...                      # torch.cuda.Stream, Event, current_stream, and gpuaug's launches are the world's
    world.finish()           # runs what is left, and raises what went wrong on the way

Work is queued in order on a stream and runs when somebody asks an event or waits: then the world picks streams at random.
Not shown: races of kernels that run at the same time (each runs whole), and what a driver does by itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import random
import threading
import weakref
from collections import defaultdict, deque

import numpy as np
import torch

import emu

SPOILT = 0xEE


class Fault(AssertionError):
    """Work that used what was not there any more."""


class Stream:
    def __init__(self, device=None, priority=0, *, world: World):
        self.world, self.pending, self.device_index = world, deque(), 0
        world.streams.append(self)
        self.cuda_stream = 0x1000 * (len(world.streams) - 1)  # the first is the default one

    def queue(self, work) -> None:
        self.pending.append(("work", work, 0))

    def wait_event(self, event) -> None:
        self.pending.append(("wait", event, event.recorded))

    def wait_stream(self, other) -> None:
        event = Event(world=self.world)
        event.record(other)
        self.wait_event(event)

    def query(self) -> bool:
        self.world.advance()
        return not self.pending

    def synchronize(self) -> None:
        self.world.until(lambda: not self.pending)


class Event:
    def __init__(self, enable_timing=False, *, world: World):
        self.world, self.recorded, self.passed = world, 0, 0

    def record(self, stream=None) -> None:
        self.recorded += 1
        (stream or self.world.current()).pending.append(("record", self, self.recorded))

    def query(self) -> bool:
        self.world.advance()
        return self.passed >= self.recorded

    def synchronize(self) -> None:
        self.world.until(lambda: self.passed >= self.recorded)


class World:
    def __init__(self, seed: int = 0):
        self.random, self.lock, self.faults = random.Random(seed), threading.RLock(), []
        self.streams, self.kept, self.launches, self.capturing, self.slow = [], [], [], False, None
        self.replays, self.users = [], {}  # the launches of each; by address, on which other streams memory was used
        self.default, self.local = Stream(world=self), threading.local()

    # ---- time ----------------------------------------------------------------------------------

    def current(self) -> Stream:
        return getattr(self.local, "stream", self.default)

    def _step(self) -> bool:
        """Run the next thing of one stream; False if all that is left waits, or nothing is left."""
        ready = [s for s in self.streams if s.pending and not self._waits(s.pending[0])]
        if not ready:
            return False
        if self.random.random() < 0.03:
            self.slow = self.random.choice(self.streams)  # for a while, one stream runs only if no other can
        kind, what, number = self.random.choice([s for s in ready if s is not self.slow] or ready).pending.popleft()
        if kind == "record":
            what.passed = max(what.passed, number)
        elif kind == "work":
            try:
                what()
            except Exception as error:  # on a GPU nobody would see it here
                self.faults.append(error)
        return True

    @staticmethod
    def _waits(head) -> bool:
        kind, event, number = head
        return kind == "wait" and event.passed < number

    def advance(self) -> None:
        with self.lock:
            for _ in range(self.random.choice((0, 0, 1, 2, 5))):
                self._step()

    def until(self, done) -> None:
        with self.lock:
            while not done():
                if not self._step():
                    raise Fault("waits for work that nobody has queued, or for ever")

    def finish(self) -> None:
        self.until(lambda: not any(s.pending for s in self.streams))
        if self.faults:
            raise self.faults[0]

    # ---- memory --------------------------------------------------------------------------------

    def array(self, size: int, given_back=None) -> np.ndarray:
        """Bytes that the world keeps, so that who comes too late reads spoilt values, and not nothing."""
        memory = np.full(size + 256 + emu.PAST, SPOILT, np.uint8)
        self.kept.append(memory)
        start = -memory.ctypes.data % 256
        part = memory[start : start + size]
        if given_back is not None:
            weakref.finalize(part, given_back, memory)
        return part

    def tensor(self, size: int) -> torch.Tensor:
        """As torch's allocator gives it: memory that was freed goes to the next work on the stream on which it was asked for;
        where others were told of (`record_stream`), behind what is on these then."""
        stream, users = self.current(), []

        def freed(memory):
            behind = stream
            if users:
                behind = Stream(world=self)
                for each in (stream, *users):
                    behind.wait_stream(each)
            behind.queue(lambda: memory.fill(SPOILT))

        part = self.array(size, freed)
        self.users[part.ctypes.data] = users
        return torch.from_numpy(part)

    def used_on(self, tensor: torch.Tensor, stream) -> None:
        """`torch.Tensor.record_stream`."""
        self.users[tensor.untyped_storage().data_ptr()].append(stream)

    def empty(self, shape, dtype, device) -> torch.Tensor:
        """In place of `gpuaug.pool.empty`."""
        if device.type == "cpu":
            from gpuaug.pool import empty

            return empty(shape, dtype, device)
        return self.tensor(math.prod(shape) * dtype.itemsize).view(dtype).view(tuple(shape))

    def sent(self, pinned: torch.Tensor, device) -> tuple[torch.Tensor, torch.device]:
        """In place of `gpuaug.transfer._sent`."""
        there = self.tensor(pinned.numel())
        Device(self).write(there, pinned.numpy())
        return there, torch.device("cuda", 0)

    def reads(self, tensor: torch.Tensor, into: list) -> None:
        """Queue work on the current stream that reads a tensor, which it does not keep, and puts what it has read into a list."""
        if not self.is_of(tensor):
            return into.append(tensor)
        address, size, dtype, shape = tensor.data_ptr(), tensor.nbytes, tensor.dtype, tensor.shape
        assert tensor.is_contiguous()

        def work():
            into.append(torch.frombuffer(bytearray(ctypes.string_at(address, size)), dtype=dtype).view(shape))

        self.current().queue(work)

    def is_of(self, tensor: torch.Tensor) -> bool:
        """Whether it lies in memory of the world."""
        return tensor.untyped_storage().data_ptr() in self.users

    def cpu(self, tensor: torch.Tensor) -> torch.Tensor:
        """`torch.Tensor.cpu`: of memory of the world it waits for the stream, and copies."""
        if not self.is_of(tensor):
            return tensor
        self.current().synchronize()
        return tensor.clone()

    # ---- in place of torch.cuda ----------------------------------------------------------------

    @contextlib.contextmanager
    def stream(self, stream):
        before = self.current()
        self.local.stream = stream
        try:
            yield
        finally:
            self.local.stream = before

    def external(self, pointer, device=None) -> Stream:
        return next(s for s in self.streams if s.cuda_stream == pointer)

    def install(self, monkeypatch) -> None:
        from gpuaug import assemble, deliver, transfer
        from gpuaug.backends import cuda
        from gpuaug.data import producer

        for name, value in {
            "is_available": lambda: True,
            "is_initialized": lambda: True,
            "device_count": lambda: 1,
            "current_device": lambda: 0,
            "set_device": lambda device: None,
            "device": lambda device: contextlib.nullcontext(),
            "Stream": lambda device=None, priority=0: Stream(device, priority, world=self),
            "Event": lambda enable_timing=False: Event(enable_timing, world=self),
            "ExternalStream": self.external,
            "current_stream": lambda device=None: self.current(),
            "default_stream": lambda device=None: self.default,
            "stream": self.stream,
            "is_current_stream_capturing": lambda: self.capturing,
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)
        monkeypatch.setattr(torch.Tensor, "is_cuda", property(lambda tensor: self.is_of(tensor)), raising=False)
        monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: self.cpu(tensor))
        monkeypatch.setattr(torch.Tensor, "record_stream", lambda tensor, stream: self.used_on(tensor, stream))
        monkeypatch.setattr(cuda, "problem", lambda: None)
        monkeypatch.setattr(cuda, "Gpu", lambda index: Device(self))
        monkeypatch.setattr(producer, "_idle_streams", defaultdict(list))  # those of other worlds
        monkeypatch.setattr(deliver, "empty", self.empty)
        monkeypatch.setattr(assemble, "empty", self.empty)
        monkeypatch.setattr(transfer, "_pinned", lambda size: torch.full((size,), SPOILT, dtype=torch.uint8))
        monkeypatch.setattr(transfer, "_sent", self.sent)


class Device:
    """In place of `gpuaug.backends.cuda.Gpu`."""

    def __init__(self, world: World):
        self.world, self.on, self.prepared, self.recorded = world, world.current(), set(), None
        self.stream = self.on

    def prepare(self, keys) -> None:
        self.prepared = set(keys)

    def empty(self, size: int):
        memory = self.world.tensor(size)
        return memory.data_ptr(), memory

    def upload(self, memory: np.ndarray):
        address, there = self.empty(len(memory))
        self.write(there, memory.copy())
        return address, there

    def pinned(self, size: int):
        """As torch's: memory goes to somebody else when it was freed and what was queued to read it has read it."""
        host = np.full(size, SPOILT, np.uint8)
        return host, host

    def write(self, there, host) -> None:
        address, kept = there.data_ptr(), reversed(tuple(self.world.kept))  # other threads ask for memory, too
        # the copy that is queued does not keep the tensor
        block = next(each for each in kept if 0 <= address - each.ctypes.data < max(each.nbytes, 1))
        start = address - block.ctypes.data
        self.on.queue(lambda: block.__setitem__(slice(start, start + len(host)), host))

    def kernel(self, key):
        assert key in self.prepared, f"{key.name} was not announced, and would be compiled alone"
        return emu._kernel(emu.shared(key), emu.FORWARD, (), False)

    def launch(self, kernel, grid, args, shared: int, threads: int = 256) -> None:
        if self.recorded is not None:
            self.recorded.append((kernel, grid, args, shared, threads))
            return
        self.world.launches.append(kernel.name)
        self.on.queue(lambda: kernel(grid, (threads,), args, shared))

    # ---- graphs: what they launch is kept as it was captured, addresses and all ------------------

    def capture(self, queue):
        self.recorded, graph = [], Captured()
        queue(self)
        graph.launches, self.recorded = self.recorded, None
        return graph

    def replay(self, graph) -> None:
        self.world.replays.append([kernel.name for kernel, *_ in graph.launches])
        launches, there = graph.launches, weakref.ref(graph)

        def work():
            if there() is None:
                raise Fault("a graph was destroyed before it was over")
            for kernel, grid, args, shared, threads in launches:
                kernel(grid, (threads,), args, shared)

        self.on.queue(work)

    def follow(self, stream, memory) -> None:
        self.on.wait_stream(stream)
        for each in memory:
            each.record_stream(self.on)

    def keep(self, what) -> None:
        from gpuaug.backends import cuda

        event = Event(world=self.world)
        event.record(self.on)
        cuda.HELD.keep(event, what)


class Captured:
    """A CUDA graph."""

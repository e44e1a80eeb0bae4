"""Runs a Plan on a GPU: one upload of all parameters, then its launches, without a synchronization.

`run` is everything but the calls into torch and CuPy, which are the methods of `Gpu`; the tests give it
a device of NumPy memory whose kernels execute on CPU fibers.
"""

from __future__ import annotations

import contextlib

import numpy as np

from . import graphs, nvrtc
from .held import Held, foreign
from .missing import problem
from .nvrtc import Key
from .shapes import parts_of, queue


def run(plan, device) -> None:
    """Queues the plan on `device`, which is a `Gpu` or has its methods."""
    # What is allocated here is freed when everything is queued. That is safe: the allocator hands memory
    # that was freed to later work of the same stream only. What others own, `_queue` holds.
    owners = []
    if plan.scratch_bytes:
        base, owner = device.empty(plan.scratch_bytes)
        owners.append(owner)
        plan.place(base)  # before the upload: rows hold addresses
    # after it: it looks for rows by their sample
    parts = [(launch, parts_of(launch, plan.ops, arrange=True)) for launch in plan.launches if len(launch.rows)]
    device.prepare([key for _, of in parts for part in of for key in part.shape.kernels()])

    if plan.count:
        queue(plan, parts, device)


# ---- the device --------------------------------------------------------------------------------


class _Stream:  # all that a CuPy function wants to know of a stream
    __slots__ = ("ptr",)

    def __init__(self, ptr: int):
        self.ptr = ptr


class Gpu:
    """Memory, upload, launch and graphs on torch's current stream of the current GPU, for one plan.

    stream: torch's, which is compared with other plans'.
    """

    __slots__ = ("_device", "_index", "_stream", "_torch", "stream")

    def __init__(self, index: int):
        import torch

        self._torch, self._index = torch, index
        self._device = torch.device("cuda", index)
        self.stream = torch.cuda.current_stream(index)
        self._stream = _Stream(self.stream.cuda_stream)

    def empty(self, size: int):
        """(address, owner) of memory on the GPU."""
        with self._torch.inference_mode(False):  # a graph's is written by later calls, which may be in no such block
            memory = self._torch.empty(size, dtype=self._torch.uint8, device=self._device)
        return memory.data_ptr(), memory

    def upload(self, memory: np.ndarray):
        """(address, owner) of a copy on the GPU, made by one asynchronous transfer."""
        array, host = self.pinned(len(memory))
        array[:] = memory
        memory = host.to(self._device, non_blocking=True)
        return memory.data_ptr(), memory

    def pinned(self, size: int):
        """(array, owner) of memory of the host that a GPU reads by itself."""
        # torch's allocator of pinned memory is the ring of upload slots: it records an event behind the
        # copy, and a block that was freed is given out again only after its event
        host = self._torch.empty(size, dtype=self._torch.uint8, device="cpu", pin_memory=True)
        return host.numpy(), host

    def write(self, memory, pinned) -> None:
        """Copy the owner of `pinned` into that of `empty`, which is as large, by one asynchronous transfer."""
        memory.copy_(pinned, non_blocking=True)

    def prepare(self, keys) -> None:
        """Compiles and loads what is missing, all at once."""
        nvrtc.load(keys, self._index)

    def kernel(self, key: Key):
        return nvrtc.function(key, self._index)

    def launch(self, kernel, grid, args, shared: int, threads: int = nvrtc.THREADS) -> None:
        kernel(grid, (threads,), args, shared_mem=shared, stream=self._stream)

    def capture(self, queue):
        """A graph of what ``queue(device)`` launches; nothing of it runs. Kernels have been launched before: loading one is no
        part of a graph."""
        import cupy

        # Not torch.cuda.CUDAGraph: while that captures, random numbers that another thread draws on the GPU are errors. And not a
        # stream of torch's, which deals out 32 in turn: what somebody else queues on the same one would go into the graph.
        side = cupy.cuda.Stream(non_blocking=True)  # a blocking one forbids everybody the default stream meanwhile
        # relaxed, CuPy's default: whatever a garbage collection frees meanwhile, in this thread too, is not part of it
        side.begin_capture(cupy.cuda.runtime.streamCaptureModeRelaxed)
        before, self._stream = self._stream, side
        try:
            queue(self)
        except BaseException:
            with contextlib.suppress(Exception):  # the capture is over in any case, and the first error is the one to tell
                side.end_capture()
            raise
        finally:
            self._stream = before
        return side.end_capture()

    def replay(self, graph) -> None:
        graph.launch(self._stream)

    def follow(self, stream, memory) -> None:
        """What is queued from here on comes behind what is on another stream, whose memory it goes on using."""
        self.stream.wait_stream(stream)
        for each in memory:
            each.record_stream(self.stream)

    def keep(self, what) -> None:
        """Keep something until what is queued so far is over."""
        event = self._torch.cuda.Event()
        event.record(self.stream)
        HELD.keep(event, what)


def execute(plan, device=None, stream=None) -> None:
    """Queues the plan and returns at once; the first use of a kernel compiles it.

    Args:
        device: `torch.device` or number of the GPU on which the plan's addresses lie; by default the stream's,
            else the current one.
        stream: `torch.cuda.Stream`; by default the current one of that GPU.
    """
    why = problem()
    if why:
        raise RuntimeError(why)
    import torch

    if stream is not None:
        with torch.cuda.stream(stream):  # makes its GPU the current one too
            _queue(plan, stream.device_index)
        return
    current = torch.cuda.current_device()
    index = device.index if isinstance(device, torch.device) else device
    if index is None or index == current:
        _queue(plan, current)
    else:
        with torch.cuda.device(index):
            _queue(plan, index)


def _queue(plan, index: int) -> None:
    """On the current stream of the current GPU, whose number is `index`."""
    import torch

    if torch.cuda.is_current_stream_capturing():
        raise RuntimeError(
            "gpuaug: a CUDA graph is being captured, and transforms draw on the host: every replay would repeat this one batch's "
            "draws. Call the pipeline before the graph, into the tensor that the graph reads: static.copy_(compose(images)), "
            "then graph.replay(); Compose.capture makes graphs of its own launches"
        )
    graph = graphs.following()
    if graph is None:
        run(plan, Gpu(index))
    else:
        graph.run(plan, Gpu(index))
    HELD.purge()
    if foreign(plan.owner):
        event = torch.cuda.Event()
        event.record()
        HELD.keep(event, plan.owner)


HELD = Held()

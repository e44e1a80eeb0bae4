"""Host stages: functions that work on single samples in the middle of a pipeline, in its place and for the rows that drew it.

What was planned so far is executed, for all samples; the functions work on what that left; the rest of the pipeline reads their
result. So a stage costs one more pass over the batch, and on a GPU a wait and the copies of its samples (`Compose.explain` says
so). Fused or not, values are the same: they are stored in their type between any two steps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from .batch import DTYPES, NUMPY_DTYPES, Batch
from .deliver import settle
from .pool import array
from .track import Track


def on_host(to: Track, rows, function: Callable, why: str, *, threads: bool = False, pure: bool = False) -> None:
    """Let ``function(k, image)`` change samples in the host's memory.

    Args:
        rows: of the samples, as in the verbs of `Track`.
        function: takes the place k of a sample among ``rows`` and its image, an array ``[H, W, C]`` of the track's type (bfloat16
            as float32) that it may write into, and returns an array of the same shape and type.
        why: what it does, for `Compose.explain`.
        threads: call it from several threads at once, as many as torch uses: for functions that leave Python's lock.
        pure: it does not write into what it gets. On a CPU the caller's images stay where they are then: a copy less.

    Raises:
        ValueError, TypeError: another shape or type came back; names transform and sample.
    """
    threads = torch.get_num_threads() if threads else 1
    if pure and to.device.type == "cpu" and to.dtype in NUMPY_DTYPES:
        return _in_place(to, rows, function, f"host on {{}} samples: {why}", threads)

    def step(k: int, sample: torch.Tensor) -> None:
        plain = sample.dtype == torch.bfloat16
        image = sample.float().cpu().numpy() if plain else sample.cpu().numpy()  # synchronizes a GPU
        out = _checked(function(k, image), image)
        if out is not image or plain or sample.is_cuda:
            sample.copy_(torch.from_numpy(np.ascontiguousarray(out)))

    cost = "; waits for the GPU and copies them there and back" if to.device.type == "cuda" else ""
    _stage(to, rows, step, f"host on {{}} samples: {why}{cost}", threads)


def _checked(out, image: np.ndarray) -> np.ndarray:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"must return an array, got {type(out).__name__}")
    if out.shape != image.shape or out.dtype != image.dtype:
        raise ValueError(f"must return {image.dtype} {image.shape}, got {out.dtype} {out.shape}")
    return out


def on_device(to: Track, rows, function: Callable, why: str) -> None:
    """Let ``function(k, image)`` change samples with operations of torch, on the track's device and current stream.

    The image is a tensor ``[C, H, W]`` of the track's type; one of the same shape, type and device comes back. The rest is as in
    `on_host`.
    """

    def step(k: int, sample: torch.Tensor) -> None:
        image = sample.permute(2, 0, 1)
        out = function(k, image)
        if not isinstance(out, torch.Tensor):
            raise TypeError(f"must return a tensor, got {type(out).__name__}")
        if out.shape != image.shape or out.dtype != image.dtype:
            raise ValueError(f"must return {image.dtype} {tuple(image.shape)}, got {out.dtype} {tuple(out.shape)}")
        image.copy_(out)

    _stage(to, rows, step, f"torch on {{}} samples: {why}", 1)


def _stage(to: Track, rows, step: Callable, note: str, threads: int) -> None:
    index = to.index(rows).tolist()
    if index:
        samples = settle(to)
        to.segments.append(_noted(to, index, note))
        _each(to, index, lambda k: step(k, samples[index[k]]), threads)


class _Memory:
    """What NumPy makes an array of that nobody may write into."""

    __slots__ = ("__array_interface__",)

    def __init__(self, address: int, shape, strides, dtype: np.dtype):
        self.__array_interface__ = {
            "version": 3,
            "typestr": dtype.str,
            "data": (int(address), True),
            "shape": tuple(map(int, shape)),
            "strides": tuple(int(step) * dtype.itemsize for step in strides),
        }


def _arrays(batch: Batch):
    """The samples of a batch in the host's memory, ``[H, W, C]`` each: one array where they lie as in one, or a list."""
    dtype, item, n = NUMPY_DTYPES[batch.dtype], DTYPES[batch.dtype][1], len(batch)
    apart = np.diff(batch.address)
    if n > 1 and all((each == each[0]).all() for each in (batch.size, batch.stride, apart)) and apart[0] % item == 0:
        shape, strides = (n, *batch.size[0], batch.channels), (apart[0] // item, *batch.stride[0])
        return np.asarray(_Memory(batch.address[0], shape, strides, dtype))
    each = zip(batch.address, batch.size, batch.stride)
    return [np.asarray(_Memory(at, (*size, batch.channels), stride, dtype)) for at, size, stride in each]


def _in_place(to: Track, rows, function: Callable, note: str, threads: int) -> None:
    """Let a function work on samples where they lie, and go on from copies of what it returns.

    They are made while it is in the cache, and its memory serves the function again: images that are kept for one copy of all at
    the end cost a JPEG codec 4 % of its time.
    """
    index = to.index(rows).tolist()
    if not index:
        return
    batch = to.untouched()
    if batch is None or (batch.stride[:, 1:] != (batch.channels, 1)).any():  # planes: kernels turn them faster than NumPy
        settle(to)
        batch = to.batch
    images, size, dtype = _arrays(batch), batch.size[index], batch.dtype
    if (size == size[0]).all():
        whole = made = array((len(index), *size[0].tolist(), batch.channels), dtype)
    else:
        whole, made = None, [array((*each, batch.channels), dtype) for each in size.tolist()]

    def one(k: int) -> None:
        image = images[index[k]]
        made[k][...] = _checked(function(k, image), image)

    _each(to, index, one, threads)
    address, stride = batch.address.copy(), batch.stride.copy()
    if whole is None:
        address[index] = [out.ctypes.data for out in made]
    else:
        address[index] = whole.ctypes.data + whole.strides[0] * np.arange(len(index))
    stride[index, 0], stride[index, 1], stride[index, 2] = size[:, 1] * batch.channels, batch.channels, 1
    to.segments.append(_noted(to, index, note))
    owner = whole if len(index) == to.samples and whole is not None else (batch.owner, made)
    to.go_on(None, Batch(address, batch.size, stride, batch.channels, dtype, batch.device, owner, batch.given))


def _noted(to: Track, index: list[int], note: str) -> str:
    return f"{to.doing}: " + note.format("all" if len(index) == to.samples else f"{len(index)} of {to.samples}")


def _each(to: Track, index: list[int], step: Callable, threads: int) -> None:
    def one(k: int) -> None:
        try:
            step(k)
        except Exception as error:
            kind = type(error) if isinstance(error, (TypeError, ValueError)) else RuntimeError
            raise kind(f"{to.doing}: its function failed on {to.kind} {index[k]} of the batch: {error}") from error

    if threads > 1 and len(index) > 1:
        # each thread has a current stream of its own: copies there and back belong on the caller's
        stream = torch.cuda.current_stream(to.device) if to.device.type == "cuda" else None

        def there(k: int) -> None:
            with contextlib.nullcontext() if stream is None else torch.cuda.stream(stream):
                one(k)

        with ThreadPoolExecutor(min(threads, len(index))) as pool:  # made for this call: nothing that a fork would break
            list(pool.map(there, range(len(index))))
    else:
        for k in range(len(index)):
            one(k)

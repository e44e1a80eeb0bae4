"""Arrays of other libraries, made readable: where they lie on a GPU, and what has to be waited for."""

from __future__ import annotations

from typing import Any

import torch

from .backends import cuda

LEGACY = 1  # CUDA's number of the default stream, which is torch's
MANAGED = 13  # DLPack's number of memory that CUDA moves between GPU and host


def has_dlpack(data: Any) -> bool:
    """Whether DLPack is how an object is read: it says on which stream the reader works, so that the other side waits itself.

    torch ends the process over a negative stride that comes by DLPack (2.11: an exception where none may be thrown), and has
    no word for managed memory: such arrays are read by the other way that they offer.
    """
    if not hasattr(data, "__dlpack__"):
        return False
    if _flipped(data):
        return not (hasattr(data, "__cuda_array_interface__") or hasattr(data, "__array_interface__"))
    return data.__dlpack_device__()[0] != MANAGED or not hasattr(data, "__cuda_array_interface__")


def _flipped(data: Any) -> bool:
    strides = getattr(data, "strides", None)
    return isinstance(strides, (tuple, list)) and any(isinstance(step, int) and step < 0 for step in strides)


def by_dlpack(data: Any, name: str) -> torch.Tensor:
    """A tensor on the memory of an object with ``__dlpack__``; torch's current stream waits for what is written there."""
    if _flipped(data):
        raise ValueError(
            f"{name}: torch reads no negative strides by DLPack, and this {type(data).__name__} has {tuple(data.strides)}: "
            f"pass a contiguous copy"
        )
    return torch.from_dlpack(data)


def by_interface(data: Any, name: str) -> tuple[dict, torch.device]:
    """What ``__cuda_array_interface__`` says, and the GPU on which the memory lies; torch's current stream waits for the
    stream that it names.

    Raises:
        ValueError: memory of no GPU, a mask, a stream 0. RuntimeError: nothing can run on a GPU here.
    """
    face = data.__cuda_array_interface__
    what = f"{name}: the __cuda_array_interface__ of this {type(data).__name__}"
    if face.get("mask") is not None:
        raise ValueError(f"{what} has a mask of elements that do not count: fill them, and pass the array without it")
    why = cuda.problem()
    if why:
        raise RuntimeError(why)
    device = torch.device("cuda", _number(face["data"][0], what) if face["data"][0] else torch.cuda.current_device())
    stream = face.get("stream") if face.get("version", 0) >= 3 else None
    if stream is not None:
        _wait(stream, device, what)
    return face, device


def _number(pointer: int, what: str) -> int:
    from cupy.cuda import runtime

    number = int(runtime.pointerGetAttributes(pointer).device)
    if number < 0:
        raise ValueError(f"{what} gives the address {pointer:#x}, which is memory of no GPU")
    return number


def _wait(stream: int, device: torch.device, what: str) -> None:
    """The third version of the protocol: None: nothing to wait for; 1 and 2: the default streams; else a stream's address."""
    if stream == 0:
        raise ValueError(
            f"{what} gives stream 0, which may mean the default stream or none and is forbidden: 1 is the default stream, "
            f"None says that there is nothing to wait for"
        )
    with torch.cuda.device(device):
        current = torch.cuda.current_stream(device)
        if stream == LEGACY:
            other = torch.cuda.default_stream(device)
        else:
            other = torch.cuda.ExternalStream(stream, device=device)
        if other.cuda_stream != current.cuda_stream:
            current.wait_stream(other)

"""Element types of images and masks: the one rule for calls, `run`, every road of the loader, sets and additional targets.

came in                               | travels as                       | comes back
--------------------------------------|----------------------------------|-----------
uint8, float16, bfloat16, float32     | itself                           | itself
int32                                 | itself: moved, not computed with | int32
int8, int16                           | int32: moved, not computed with  | itself
uint16, an image                      | float32, divided by 65535        | itself: rounded, cut off to 0..65535
uint16, a mask                        | int32                            | itself
uint32                                | the same bits as int32           | uint32
int64, uint64                         | int32; a value beyond it: error  | itself
bool                                  | uint8, 0 or 1                    | bool
float64                               | float32, rounded                 | float64

A transform that makes another type (`Normalize`: float32) decides what comes back. Bytes of bool arrays may hold anything but 0
for True; byte orders other than the machine's are read, and given back to a NumPy caller. A float64 value that float32 has no
room for is an error; in masks, so is a whole number that float32 would round: it is a label.
"""

from __future__ import annotations

import numpy as np
import torch

CARRIED = {
    "bool": "uint8",
    "int8": "int32",
    "int16": "int32",
    "uint16": "int32",
    "uint32": "int32",
    "int64": "int32",
    "uint64": "int32",
    "float64": "float32",
}
WIDE = 65535  # the largest uint16: images of it travel as fractions
# what a fill may be, by the type that came in; 64 bits travel as 32
RANGES = {
    "uint8": (0, 255),
    "int8": (-128, 127),
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**31), 2**31 - 1),
    "uint64": (0, 2**31 - 1),
}
SIGNED = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}  # torch indexes no unsigned ones
TAKEN = "uint8, float16, bfloat16, float32, float64, bool, or whole numbers of up to 64 bits whose values fit 32"


def carried(data, given: str, name: str, batched: bool, labels: bool):
    """An array or tensor of a type of `CARRIED`, as the type that travels.

    Args:
        data: NumPy array (of any byte order) or strided torch tensor.
        given: name of its type.
        name: what errors call it; batched: its first axis counts samples, which errors number.
        labels: it is a mask, whose whole numbers stay what they are.

    Raises:
        ValueError: a value that would change; names the sample and the value.
    """
    array = isinstance(data, np.ndarray)
    if array and not data.dtype.isnative:
        data = data.astype(data.dtype.newbyteorder("="))
    if given == "bool":  # numbers of the bytes, any of which but 0 is True
        if array:
            return (data.view(np.uint8) != 0).view(np.uint8)
        return data.view(torch.uint8).to(torch.bool).view(torch.uint8)  # 40 times faster than != 0
    if given == "uint32":
        return data.view(np.int32 if array else torch.int32)
    if given == "uint16" and not labels:  # numpy and torch round the quotient once: times 65535 it is within 0.004 of the number
        return np.divide(data, WIDE, dtype=np.float32) if array else data.to(torch.float32).div_(WIDE)
    if given in ("int8", "int16", "uint16"):
        return data.astype(np.int32) if array else data.to(torch.int32)
    if given == "uint64":  # beyond 2^63 the bits are a negative int64
        data = data.view(np.int64 if array else torch.int64)
    target = CARRIED[given]
    if array:
        out = np.empty(data.shape, target)
    else:
        out = torch.empty(data.shape, dtype=getattr(torch, target), device=data.device)
    for i in range(len(data)) if batched else [...]:  # a sample at a time stays in the processor's cache
        _narrow(data[i], out[i], given, name if i is ... else f"{name} {i}", labels)
    return out


def travels(given: str, labels: bool) -> str:
    """The type as which a type of `CARRIED` travels, of a mask (labels) or an image."""
    return "float32" if given == "uint16" and not labels else CARRIED[given]


def _narrow(wide, out, given: str, name: str, labels: bool) -> None:
    """Write 64-bit numbers into 32 bits, or raise.  # synchronizes a GPU"""
    array = isinstance(wide, np.ndarray)
    with np.errstate(over="ignore"):
        out[...] = wide
    if given == "float64":
        bad = (abs(out) == np.inf) & (abs(wide) != np.inf)
        if labels:
            bad = bad | ((out != wide) & (wide == (np.floor(wide) if array else wide.floor())))
    else:
        low, high = RANGES[given]
        if wide.size == 0 if array else wide.numel() == 0:
            return
        least, most = (wide.min(), wide.max()) if array else torch.aminmax(wide)
        if low <= least and most <= high:
            return
        bad = (wide < low) | (wide > high)
    if not bad.any():
        return
    value = wide[bad].reshape(-1)[0].item()
    if given == "float64":
        raise ValueError(
            f"{name} holds {value!r}: float64 travels as float32, which has no such "
            f"{'number' if abs(value) > 3.4e38 else 'whole number'}; pass labels as whole numbers of up to 32 "
            f"bits, and scale other values"
        )
    value += 2**64 if given == "uint64" and value < 0 else 0
    raise ValueError(
        f"{name} holds {value}: values of type {given} must fit 32 bits, {low} .. {high}; number labels anew, or "
        f"use uint32 for bit patterns"
    )


def refuse_gradient(tensor: torch.Tensor, name: str) -> None:
    """Raise where a tensor would lose its gradient without a word."""
    if tensor.requires_grad and torch.is_grad_enabled():
        raise ValueError(
            f"{name} requires a gradient, which gpuaug's kernels do not carry; pass it detached or under "
            f"torch.no_grad(), or augment with kornia.augmentation, which is differentiable"
        )


def strided(tensor: torch.Tensor, name: str) -> torch.Tensor:
    """A tensor whose numbers lie in memory as its strides say; else an error that names it."""
    refuse_gradient(tensor, name)
    if tensor.layout is not torch.strided or tensor.is_nested:
        raise TypeError(
            f"{name}: cannot read a tensor of layout {'nested' if tensor.is_nested else tensor.layout}; pass a dense "
            f"one, as tensor.to_dense() or a list of tensors"
        )
    if not (tensor.is_cpu or tensor.is_cuda):
        raise TypeError(f"{name}: cannot read a tensor on device {str(tensor.device)!r}; move it to the CPU or a CUDA device")
    if tensor.is_neg() or tensor.is_conj():  # lazily: the sign is not in memory
        return tensor.resolve_conj().resolve_neg()
    return tensor


def address(tensor: torch.Tensor, name: str) -> int:
    """Where a strided tensor's first element lies.

    Raises:
        ValueError: it has elements and no memory, or too little (a storage that was resized, a fake tensor).
    """
    try:
        pointer = tensor.data_ptr()
    except RuntimeError as error:
        raise ValueError(f"{name}: this tensor has no memory behind it: {error}") from error
    count = tensor.numel()
    if count == 0:
        return pointer
    if not tensor.is_contiguous():  # what lies between first and last
        count = 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride()))
    end = (tensor.storage_offset() + count) * tensor.element_size()
    if not pointer or end > tensor.untyped_storage().nbytes():
        raise ValueError(
            f"{name}: this {type(tensor).__name__} of shape {tuple(tensor.shape)} has no memory behind it, or "
            f"too little (a zero tensor, a fake one, a storage that was resized); pass one that holds values"
        )
    return pointer


def plain(value, mask: bool):
    """PIL images, alone or in lists, as arrays; all else as it is.

    Grey, RGB, RGBA and 16- and 32-bit images keep their numbers. As images, palettes and other colours become RGB (RGBA where
    they have an alpha), and 1-bit images 0 and 255; as masks, palettes give their indices and 1-bit images bool.
    """
    if hasattr(value, "getbands"):
        return _of_pil(value, mask)
    if isinstance(value, (list, tuple)):
        kinds = set(map(type, value))
        if any(hasattr(kind, "getbands") or kind in (list, tuple) for kind in kinds):
            return [plain(v, mask) for v in value]
    return value


def _of_pil(image, mask: bool) -> np.ndarray:
    if image.mode == "1":
        array = np.asarray(image.convert("L"))
        return array != 0 if mask else array
    if mask or image.mode in ("L", "RGB", "RGBA", "F", "I") or image.mode.startswith("I;16"):
        return np.asarray(image)
    return np.asarray(image.convert("RGBA" if image.mode in ("LA", "PA", "La", "RGBa") else "RGB"))

"""Samples as a table of addresses, sizes and strides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from . import library
from .elements import CARRIED, TAKEN, address, carried, strided, travels
from .foreign import by_dlpack, by_interface, has_dlpack

# element types as the kernels read them: name -> (number in kernels/types.cuh, bytes)
DTYPES = {"uint8": (0, 1), "float16": (1, 2), "bfloat16": (2, 2), "float32": (3, 4), "int32": (4, 4)}
_TORCH = {
    torch.uint8: "uint8",
    torch.float16: "float16",
    torch.bfloat16: "bfloat16",
    torch.float32: "float32",
    torch.int32: "int32",
}
TORCH_DTYPES = {name: dtype for dtype, name in _TORCH.items()}
NUMPY_DTYPES = {name: np.dtype(name) for name in DTYPES if name != "bfloat16"}
_NUMPY = {dtype: name for name, dtype in NUMPY_DTYPES.items()}  # by dtype: its name takes NumPy 3 us
_CPU = torch.device("cpu")
_LIMIT = 2**31 - 1


class Batch:
    """``B`` samples that may lie anywhere and differ in height and width.

    Attributes:
        address: int64 ``[B]``, address of each sample's element (0, 0, 0).
        size: int32 ``[B, 2]``, height and width (do not write).
        stride: int64 ``[B, 3]``, of y, x and channel, in elements, signed (do not write).
        channels: channel count, the same for all samples.
        dtype: ``"uint8"``, ``"float16"``, ``"bfloat16"``, ``"float32"`` or ``"int32"``.
        device: the ``torch.device`` on which the samples lie.
        owner: whatever keeps the memory alive.
        given: the caller's element type, where it travels as another one (`gpuaug.elements`); else "".
        parts: where of images only windows are there (`within`), a batch of these, their origins, and the
            `gpuaug.reach.Reach`; else None.

    Example:
        >>> import numpy as np
        >>> batch = Batch.of(np.zeros((2, 5, 7, 3), np.uint8))
        >>> len(batch), batch.channels, batch.size.tolist()
        (2, 3, [[5, 7], [5, 7]])
    """

    __slots__ = ("address", "channels", "device", "dtype", "given", "owner", "parts", "size", "stride")

    def __init__(self, address, size, stride, channels, dtype, device, owner, given=""):
        self.address, self.size, self.stride = address, size, stride
        self.channels, self.dtype, self.device, self.owner, self.given = channels, dtype, device, owner, given
        self.parts = None

    def __len__(self) -> int:
        return len(self.address)

    @classmethod
    def of(cls, data: Any, layout: str | None = None, *, name: str = "image", labels: bool = False) -> Batch:
        """Describe ``data`` without copying it; other element types than the kernels' are carried in one of these.

        Args:
            data: a batch: NumPy array, torch tensor, CuPy array, DALI TensorList or anything with ``__dlpack__``,
                ``[B, H, W]``, ``[B, H, W, C]`` or ``[B, C, H, W]``; or a sequence of samples of differing sizes.
            layout: ``"HWC"`` or ``"CHW"``; by default CHW for torch tensors and HWC for all others.
            name: what errors call the data.
            labels: it is a mask: whole numbers must not change, see `gpuaug.elements`.

        Raises:
            TypeError: an element type or a container that cannot be read.
            ValueError: a sample of the wrong rank, without pixels or memory, of another channel count than the first, that
                requires a gradient, or with a value that would change.
        """
        if isinstance(data, Batch):
            return data
        if layout not in (None, "HWC", "CHW"):
            raise ValueError(f"layout must be 'HWC' or 'CHW', got {layout!r}")
        if type(data).__module__.startswith("nvidia.dali"):
            return cls._of_tensor_list(data, name)
        if isinstance(data, (list, tuple)):
            return cls._of_samples(data, layout, name, labels)
        pointer, shape, strides, dtype, device, owner, given = _describe(data, name, labels, True)
        if len(shape) not in (3, 4):
            raise ValueError(
                f"{name}: a batch has 3 dimensions (B, H, W) or 4, got shape {tuple(shape)}; pass one sample as a list of one"
            )
        c, step, size, stride = _laid_out(
            name, tuple(shape), tuple(strides), _planar(layout, data), layout is None, DTYPES[dtype][1]
        )
        return cls(pointer + step, size, stride, c, dtype, device, owner, given)

    @classmethod
    def within(cls, parts: Batch, origin: np.ndarray, size: np.ndarray, reach) -> Batch:
        """Images of which only windows are there, and only these may be read.

        Args:
            parts: the windows, dense. origin: ``[B, 2]``, y and x of their first pixels.
            size: ``[B, 2]``, of the images. reach: what says, before a plan runs, whether it reads nothing else.
        """
        at = parts.address - (origin * parts.stride[:, :2]).sum(1) * DTYPES[parts.dtype][1]
        out = cls(at, size.astype(np.int32), parts.stride, parts.channels, parts.dtype, parts.device, parts.owner, parts.given)
        out.parts = parts, origin, reach
        return out

    @classmethod
    def _of_samples(cls, samples: Sequence, layout: str | None, name: str, labels: bool) -> Batch:
        n = len(samples)
        at, size = np.empty(n, np.int64), np.empty((n, 2), np.int32)
        stride, owner = np.empty((n, 3), np.int64), []
        channels, kind, where = 1, "uint8", _CPU
        given = came = ""
        for i, sample in enumerate(samples):
            pointer, shape, strides, dtype, device, keep, came = _describe(sample, f"{name} {i}", labels, False)
            if len(shape) not in (2, 3):
                raise ValueError(f"{name} {i} must have 2 dimensions (H, W) or 3, got shape {tuple(shape)}")
            planar = _planar(layout, sample)
            if layout is None and len(shape) == 3:
                _check_layout(f"{name} {i}", shape, planar)
            h, w, c, sy, sx, sc = _axes(shape, strides, planar)
            _check(name, i, h, w, c, sy, sx, sc)
            if i == 0:
                channels, kind, where, given = c, dtype, device, came
            elif (c, dtype, device, came) != (channels, kind, where, given):
                raise ValueError(
                    f"{name} {i} is {came or dtype} with {c} channels on {device}, but {name} 0 is {given or kind} "
                    f"with {channels} channels on {where}; all samples of a batch must agree"
                )
            at[i], size[i], stride[i] = pointer, (h, w), (sy, sx, sc)
            owner.append(keep)
        return cls(at, size, stride, channels, kind, where, owner, given)

    @classmethod
    def _of_tensor_list(cls, data: Any, name: str) -> Batch:
        shape = np.asarray(data.shape(), np.int64).reshape(len(data), -1)
        planar = data.layout() == "CHW"
        if shape.shape[1] == 2:
            shape = np.concatenate([shape, np.ones((len(shape), 1), np.int64)], 1)
        if len(shape) and shape.shape[1] != 3:
            raise ValueError(f"{name}: a DALI TensorList must hold HW, HWC or CHW samples, got {shape.shape[1]} dimensions")
        if planar:
            shape = shape[:, (1, 2, 0)]
        kind = str(data.dtype).rsplit(".", 1)[-1].lower()
        dtype = {"uint8": "uint8", "float": "float32", "float16": "float16", "int32": "int32"}.get(kind)
        if dtype is None:
            raise TypeError(f"{name}: unsupported element type {kind} of a DALI TensorList; use UINT8, FLOAT16, FLOAT or INT32")
        volume = shape.prod(1)
        channels = int(shape[0, 2]) if len(shape) else 1
        if len(shape) and (shape[:, 2] != channels).any():
            i = int(np.flatnonzero(shape[:, 2] != channels)[0])
            raise ValueError(f"{name} {i} has {shape[i, 2]} channels, but {name} 0 has {channels}")
        if len(shape) and (volume.min() <= 0 or volume.max() > _LIMIT):
            i = int(np.flatnonzero((volume <= 0) | (volume > _LIMIT))[0])
            raise ValueError(f"{name} {i} has shape {shape[i].tolist()}; a sample has 1 to 2^31 - 1 elements")
        offset = np.zeros(len(shape), np.int64)
        np.cumsum(volume[:-1], out=offset[1:])
        stride = np.empty((len(shape), 3), np.int64)
        if planar:
            stride[:, 0], stride[:, 1], stride[:, 2] = shape[:, 1], 1, shape[:, 0] * shape[:, 1]
        else:
            stride[:, 0], stride[:, 1], stride[:, 2] = shape[:, 1] * channels, channels, 1
        device = torch.device("cuda", data.device_id()) if "GPU" in type(data).__name__ else _CPU
        at = _of_list(data, offset * DTYPES[dtype][1])
        return cls(at, shape[:, :2].astype(np.int32), stride, channels, dtype, device, data)


def _of_list(data: Any, offset: np.ndarray) -> np.ndarray:
    """Where the samples of a TensorList lie. Most pipelines make one buffer of them, `offset` from its start, which the last
    sample and one amid them tell; what a "mixed" operator decodes may lie apart: then each is asked, for 1 us.
    """
    n = len(offset)
    if not n:
        return offset
    base = data[0].data_ptr()
    if all(data[i].data_ptr() == base + offset[i] for i in (n // 2, n - 1)):
        return base + offset
    return np.array([data[i].data_ptr() for i in range(n)], np.int64)


@lru_cache(64)
def _laid_out(name: str, shape: tuple, strides: tuple, planar: bool, unsaid: bool, item: int):
    """Of a dense batch the channels, bytes from its first sample to each, sizes and strides: they are the same for every batch of
    a loop, and made once."""
    n = shape[0]
    if unsaid and len(shape) == 4 and n:
        _check_layout(name, shape[1:], planar)
    h, w, c, sy, sx, sc = _axes(shape[1:], strides[1:], planar)
    _check(name, None, h, w, c, sy, sx, sc) if n else None
    size, stride = np.empty((n, 2), np.int32), np.empty((n, 3), np.int64)
    size[:], stride[:] = (h, w), (sy, sx, sc)
    step = strides[0] * item * np.arange(n, dtype=np.int64)
    for shared in (size, stride, step):
        shared.flags.writeable = False
    return c, step, size, stride


def _planar(layout: str | None, data: Any) -> bool:
    return layout == "CHW" if layout else isinstance(data, torch.Tensor)


def _axes(shape, strides, planar):
    if len(shape) == 2:
        return shape[0], shape[1], 1, strides[0], strides[1], 1
    if planar:
        return shape[1], shape[2], shape[0], strides[1], strides[2], strides[0]
    return shape[0], shape[1], shape[2], strides[0], strides[1], strides[2]


def _check(name, i, h, w, c, sy, sx, sc) -> None:
    what = name if i is None else f"{name} {i}"
    if h < 1 or w < 1 or c < 1:
        raise ValueError(f"{what} has no pixels: height {h}, width {w}, channels {c} must each be at least 1")
    if abs(sy) * (h - 1) + abs(sx) * (w - 1) + abs(sc) * (c - 1) > _LIMIT or h * w * c > _LIMIT:
        raise ValueError(f"{what} of {h} x {w} x {c} spans more than 2^31 - 1 elements; crop or resize it first")


def _check_layout(name, shape, planar: bool) -> None:
    """Refuse what was read in the other order: [H, W, 3] as CHW; [C, H, W] as HWC, of 1 to 4 channels, or up to 16 of them."""
    a, b, c = shape
    # an array of so few lines and so many channels is none that anybody has; a tensor [64, 40, 1] may hold a time series
    if not (b > 16 and (a > 16 and c in (3, 4) if planar else a <= 16 and c > 16)):
        return
    axes, kind, turn = (
        ("(channels, height, width)", "torch tensors", "permute(2, 0, 1)")
        if planar
        else ("(height, width, channels)", "arrays", "transpose(1, 2, 0)")
    )
    read, other = ("CHW", "HWC") if planar else ("HWC", "CHW")
    raise ValueError(
        f"{name} of shape {(a, b, c)} looks like {other}, but {kind} are read as {read}, {axes}: pass "
        f"layout={other!r} or x.{turn}, which is what a DataLoader's dataset must do; if it has "
        f"{a if planar else c} channels, layout={read!r}"
    )


def _describe(data: Any, name: str, labels: bool, batched: bool):
    """(address, shape, strides in elements, dtype name, device, owner, type that came in) of an array or tensor."""
    if isinstance(data, torch.Tensor):
        data, given = strided(data, name), ""
        dtype = _TORCH.get(data.dtype)
        if dtype is None:
            given = str(data.dtype).removeprefix("torch.")
            if given not in CARRIED:
                raise TypeError(f"{name}: unsupported element type {data.dtype}; use one of {TAKEN}")
            address(data, name)
            data = carried(data, given, name, batched, labels)
            dtype = travels(given, labels)
        return address(data, name), data.shape, data.stride(), dtype, data.device, data, given
    if isinstance(data, np.ndarray):
        native, given = data.dtype if data.dtype.isnative else data.dtype.newbyteorder("="), ""
        dtype = _NUMPY.get(native)
        if dtype is None:
            given = native.name
            if given not in CARRIED:
                raise TypeError(f"{name}: unsupported element type {given}; use one of {TAKEN}")
            data = carried(data, given, name, batched, labels)
            dtype = travels(given, labels)
        item = data.itemsize
        if not data.dtype.isnative or not data.flags.aligned or (item > 1 and any(s % item for s in data.strides)):
            data = data.astype(data.dtype.newbyteorder("="))  # a copy: ascontiguousarray keeps what lies at an odd address
        pointer = library.load().address(data)  # a quarter of the time that NumPy takes to tell
        if not pointer and data.size:
            raise ValueError(f"{name}: this array of shape {data.shape} has no memory behind it")
        strides = data.strides if item == 1 else [s // item for s in data.strides]
        return pointer, data.shape, strides, dtype, _CPU, data, given
    if has_dlpack(data):  # CuPy, JAX, DALI's tensors
        described = _describe(by_dlpack(data, name), name, labels, batched)
        if described[4].type == "cpu":
            return described
        return *described[:5], (described[5], data), described[6]  # the tensor does not say that its memory is another's
    if hasattr(data, "__cuda_array_interface__"):  # Numba
        face, device = by_interface(data, name)
        dtype = np.dtype(face["typestr"])
        if dtype.name not in DTYPES:
            if dtype.name not in CARRIED or not dtype.isnative:
                raise TypeError(f"{name}: unsupported element type {dtype.str}; use one of {TAKEN}")
            return _describe(torch.as_tensor(data, device=device), name, labels, batched)
        if not face["data"][0] and 0 not in face["shape"]:
            raise ValueError(f"{name}: this {type(data).__name__} of shape {tuple(face['shape'])} has no memory behind it")
        strides = face.get("strides") or _dense(face["shape"], dtype.itemsize)
        return face["data"][0], face["shape"], [s // dtype.itemsize for s in strides], dtype.name, device, data, ""
    if hasattr(data, "__array_interface__"):  # PIL
        return _describe(np.asarray(data), name, labels, batched)
    raise TypeError(
        f"{name}: cannot read a {type(data).__name__}; pass a NumPy array, a torch tensor, a CuPy array, "
        f"a PIL image, a DALI TensorList, something with __dlpack__, or a list of those"
    )


def _dense(shape, item):
    strides, step = [], item
    for n in reversed(shape):
        strides.insert(0, step)
        step *= n
    return strides

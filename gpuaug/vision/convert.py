"""What images are made of: PIL images, arrays and tensors, bytes and floats; and Normalize, which wants floats."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ..checks import boolean
from ..hints import Any, Colour
from .arguments import numbers
from .base import Vision

_FLOATS = {torch.float32: "float32", torch.float16: "float16", torch.bfloat16: "bfloat16"}


class _Form(Vision):
    """A step that every image takes; `gpuaug.vision.Compose` looks for them."""

    def __init__(self):
        super().__init__(1.0)

    def takes(self, form: str) -> bool:
        """Whether it changes images of a form: "pil", "array", "tensor" or "image"."""
        return True

    def lower(self, to, rows, params) -> None:
        if self.form:  # pixels stay; they are delivered in the order that they are wanted in
            to.layout = "" if self.form == "pil" else "CHW"


def _to_unit(to, rows, dtype: str = "float32") -> None:
    """Bytes as fractions of 255."""
    if to.is_wide:  # uint16 travels as fractions
        to.convert(dtype, rows)
    elif to.is_u8:
        to.convert(dtype, rows)
        to.op(rows, "linear", factor=1 / 255, offset=0.0, low=0.0, high=1.0)


class ToTensor(_Form):
    """Make float32 tensors ``[C, H, W]`` of 0..1.

    uint8 images are divided by 255, whatever they came in: a PIL image, an array ``[H, W, C]``, or a tensor (which torchvision's
    leaves as it is); uint16 images by 65535. Float images keep their values.

    Targets: image. Source: torchvision ``ToTensor``.

    Example:
        >>> import numpy as np, gpuaug.vision as T
        >>> T.ToTensor()(np.full((2, 2, 3), 51, np.uint8))[0]
        tensor([[0.2000, 0.2000],
                [0.2000, 0.2000]])
    """

    form = "tensor"
    ops = ("divide",)

    def takes(self, form):
        return form in ("pil", "array")

    def lower(self, to, rows, params) -> None:
        super().lower(to, rows, params)
        to.no_labels("divided")
        if to.is_wide:  # they travel as fractions
            to.convert("float32", rows)
        elif to.is_u8:
            to.convert("float32", rows)
            to.op(rows, "divide", by=255)


class PILToTensor(_Form):
    """Make tensors ``[C, H, W]`` of PIL images; values stay. Targets: image. Source: torchvision ``PILToTensor``.

    Example:
        >>> import PIL.Image, gpuaug.vision as T
        >>> T.PILToTensor()(PIL.Image.new("L", (3, 2))).shape
        torch.Size([1, 2, 3])
    """

    form = "tensor"

    def takes(self, form):
        return form == "pil"


class ToImage(_Form):
    """Make ``torchvision.tv_tensors.Image`` of PIL images, arrays ``[H, W, C]`` and tensors; values stay. In a loader, whose
    images are tensors, it changes nothing. Targets: image. Source: torchvision ``ToImage``.

    Example:
        >>> import PIL.Image, gpuaug.vision as T
        >>> type(T.ToImage()(PIL.Image.new("L", (3, 2)))).__name__
        'Image'
    """

    form = "image"


class ToPureTensor(_Form):
    """Make plain tensors of tv_tensors. Source: torchvision ``ToPureTensor``.

    Example:
        >>> import torch
        >>> from torchvision import tv_tensors
        >>> from gpuaug import vision
        >>> type(vision.Compose([vision.ToPureTensor()])(tv_tensors.Image(torch.zeros(3, 4, 4))))
        <class 'torch.Tensor'>
    """

    form = "tensor"

    def takes(self, form):
        return form == "image"


class ToPILImage(_Form):
    """Make PIL images of tensors and arrays; floats of 0..1 become bytes, cut off, as torchvision's. In a loader, whose images
    are tensors, they become bytes alone.

    Args:
        mode: None: by the number of channels, L, RGB or RGBA. (Others are not there.)

    Targets: image. Source: torchvision ``ToPILImage``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.ToPILImage()(torch.ones(3, 2, 5)).size
        (5, 2)
    """

    form = "pil"
    ops = ("linear_u8",)

    def __init__(self, mode: None = None):
        super().__init__()
        self.mode = mode
        if mode is not None:
            raise ValueError(f"mode must be None, by the number of channels, got {mode!r}")

    def lower(self, to, rows, params) -> None:
        super().lower(to, rows, params)
        to.no_labels("made bytes")
        if not to.is_u8:
            to.op(rows, "linear_u8", factor=255, offset=0.0)
            to.convert("uint8", rows)


class ToDtype(_Form):
    """Make images of another element type.

    Args:
        dtype: torch.float32, float16, bfloat16 or uint8; or a dict of types by kind, ``{tv_tensors.Image: torch.float32,
            tv_tensors.Mask: torch.int64, "others": None}``.
        scale: bytes become fractions of 255, and fractions bytes. False keeps values, and cuts off floats that become bytes.

    Targets: image; masks as the dict says. Source: torchvision ``ToDtype``.

    Raises:
        ValueError: another type; scale=False from floats to bytes.
        TypeError: PIL images, which torchvision's passes over: put ToImage() before it.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.ToDtype(torch.float32, scale=True)(torch.full((1, 1, 1), 51, dtype=torch.uint8))
        tensor([[[0.2000]]])
    """

    ops = ("linear", "linear_u8")
    kept_as = {"dtype": "given_dtype"}  # noqa: RUF012

    def __init__(self, dtype: Any, scale: bool = False):
        super().__init__()
        self.given_dtype, self.scale = dtype, boolean("scale", scale)
        self.mask = None  # the type of masks, where it is told
        if isinstance(dtype, Mapping):
            found = {key if isinstance(key, str) else getattr(key, "__name__", str(key)): value for key, value in dtype.items()}
            others = found.get("others")
            self.mask = found.get("Mask", others)
            dtype = next((found[name] for name in ("Image", "Tensor", "Video") if name in found), others)
        if dtype is not None and dtype not in _FLOATS and dtype is not torch.uint8:
            raise ValueError(f"dtype of images must be torch.float32, float16, bfloat16 or uint8, got {dtype!r}")
        self._name = None if dtype is None else str(dtype).removeprefix("torch.")

    def lower(self, to, rows, params) -> None:
        name = self._name
        if name is None or name == (to.given or to.dtype):
            return
        to.no_labels("made floats")
        if name != "uint8":
            if (to.is_u8 or to.is_wide) and self.scale:
                _to_unit(to, rows, name)
            else:
                wide = to.is_wide
                to.convert(name, rows)
                if wide:
                    to.op(rows, "linear", factor=65535.0, offset=0.0, low=0.0, high=65535.0)
        elif self.scale:
            to.op(rows, "linear_u8", factor=255.999, offset=0.0)
            to.convert("uint8", rows)
        else:
            raise ValueError(
                f"{to.doing}: scale=False would make bytes of {to.given or to.dtype} images as they are: say scale=True for "
                f"images of 0..1"
            )


class ConvertImageDtype(ToDtype):
    """`ToDtype` with ``scale=True``.

    Args:
        dtype: torch.float32, float16, bfloat16 or uint8.

    Source: torchvision ``ConvertImageDtype``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.ConvertImageDtype()(torch.full((1, 1, 1), 51, dtype=torch.uint8))
        tensor([[[0.2000]]])
    """

    def __init__(self, dtype: Any = torch.float32):
        super().__init__(dtype, True)


class Normalize(Vision):
    """Subtract a mean and divide by a deviation, channel by channel.

    Args:
        mean, std: one number for each channel, or a list of one. inplace: has no effect: inputs are never written.

    Shapes and dtypes: floats. Targets: image. Source: torchvision ``Normalize``.

    Raises:
        ValueError: a std of 0; as many values as there are no channels.
        TypeError: uint8 images: put ToTensor() or ToDtype(torch.float32, scale=True) before it.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.Normalize([0.5], [0.5])(torch.ones(1, 1, 1))
        tensor([[[1.]]])
    """

    ops = ("normalize",)

    def __init__(self, mean: Colour, std: Colour, inplace: bool = False):
        super().__init__(1.0)
        self.mean, self.std = (
            numbers("mean", _listed(mean), -1e9, counts=range(1, 4097)),
            numbers("std", _listed(std), -1e9, counts=range(1, 4097)),
        )
        self.inplace = boolean("inplace", inplace)
        if 0 in self.std:
            raise ValueError(f"std must not be 0, got {std!r}")
        self._by_channels: dict[int, np.ndarray] = {}

    def lower(self, to, rows, params) -> None:
        if to.is_u8 or to.is_wide:
            raise TypeError("Normalize works on floats: put ToTensor() or ToDtype(torch.float32, scale=True) before it")
        to.op(rows, "normalize", shared=self._constants(to.channels))

    def _constants(self, channels: int) -> np.ndarray:
        if channels not in self._by_channels:
            for name, values in (("mean", self.mean), ("std", self.std)):
                if len(values) not in (1, channels):
                    raise ValueError(f"Normalize: {name} has {len(values)} values for images of {channels} channels")
            both = [np.broadcast_to(np.float32(self.mean), channels), np.broadcast_to(1 / np.float32(self.std), channels)]
            made = np.stack(both).astype(np.float32)
            made.flags.writeable = False
            self._by_channels[channels] = made
        return self._by_channels[channels]


def _listed(value):
    if isinstance(value, torch.Tensor):
        return value.flatten().tolist()
    return value if isinstance(value, (list, tuple)) else [value]

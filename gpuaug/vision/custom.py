"""The caller's own functions of images, and what stands for nothing and for a codec."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..adopted import adopted
from ..checks import whole
from ..codec import compressed
from ..groups import Group, NoOp
from ..hints import Function, IntRange
from ..hosted import on_host
from ..seeding import seed_all
from ..transform import Transform
from ..uniforms import integers
from ..whole import Whole
from .base import Called, Vision, colours
from .samples import image_of


class Lambda(Vision, Whole):
    """A function of an image, or any object that can be called with one: what torchvision's pipelines take in their lists.

    Args:
        lambd: gets the image as it is there: a PIL image or an array before `ToTensor`, `PILToTensor` and `ToImage`, a tensor
            ``[C, H, W]`` behind them (and where tensors came in); returns one of the same kind. From a loader, which has
            pictures, it gets PIL images before them.
        types: which it is called with; others stay as they are. Without: all.

    It runs on the host, for the samples that drew it, with the generators of Python, NumPy and torch seeded by the sample;
    `gpuaug.Torch` takes functions of batches on the device. `vision.Compose`, `RandomApply`, `RandomChoice` and `RandomOrder`
    make one of anything in their lists that can be called.

    Targets: image; what moves pixels must stand elsewhere where there are boxes or masks. Source: torchvision ``Lambda``.

    Raises:
        TypeError: what is no function; an image that is not what it returns.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.Compose([T.ToTensor(), lambda x: x + 1])(torch.zeros(1, 2, 2, dtype=torch.uint8)).max()
        tensor(1.)
    """

    as_given = ("lambd", "types")
    why = "a function, image by image"
    _before, _came = "", "pil"  # the form that a conversion in front of it made; that in which images came

    def __init__(self, lambd: Function, *types: type):
        if not callable(lambd) or isinstance(lambd, type):
            raise TypeError(f"lambd must be a function, or an object that can be called, got {lambd!r}")
        if not all(isinstance(each, type) for each in types):
            raise TypeError(f"types must be classes, got {types!r}")
        super().__init__(1.0)
        self.lambd, self.types = lambd, types

    @property
    def who(self) -> str:
        return getattr(self.lambd, "__name__", type(self.lambd).__name__)

    def stands(self, before: str | None = None, came: str | None = None) -> None:
        """Say in which form images are there: what a conversion in front made of them, and how they came."""
        for name, value in (("_before", before), ("_came", came)):
            if value is not None:
                object.__setattr__(self, name, value)  # no argument: nothing that was made of it changes

    def handles(self, kind: str) -> bool:
        return kind in ("image", "images")

    def on_sample(self, sample: dict[str, Any], kinds: dict[str, str], seed: int):
        seed_all(seed)
        out = {}
        for name, value in sample.items():
            if kinds.get(name) == "images":
                out[name] = [self._called(each) for each in value]
            else:
                out[name] = self._called(value)
        return out, {}

    def _called(self, value):
        tensor = isinstance(value, torch.Tensor)
        form = self._before or self._came
        form = "tensor" if form == "image" else form
        given = image_of(value, form, None)
        if self.types and not isinstance(given, self.types):
            return value
        made = self.lambd(given)
        kind = "a tensor" if form == "tensor" else "an array" if form == "array" else "a PIL image"
        right = isinstance(made, torch.Tensor) if form == "tensor" else isinstance(made, np.ndarray) or hasattr(made, "getbands")
        if not right:
            raise TypeError(f"it was called with {kind}, and must return one, got {type(made).__name__}")
        if form != "tensor":
            made = np.asarray(made)
            flat = value.ndim == 2 if not tensor else False
            made = made[..., None] if made.ndim == 2 and not flat else made
            return torch.from_numpy(made).movedim(-1, 0) if tensor else made
        made = made.as_subclass(torch.Tensor).detach()
        if tensor:
            return made
        made = made.movedim(-3, -1).cpu().contiguous().numpy()
        return made[..., 0] if value.ndim == 2 and made.shape[2] == 1 else made


def taken(transforms):
    """A list as vision's groups take it: other libraries' transforms become gpuaug's, what can be called a `Lambda`."""
    if isinstance(transforms, (torch.nn.ModuleList, torch.nn.Sequential)):
        transforms = list(transforms)
    return [_one(each) for each in transforms] if isinstance(transforms, (list, tuple)) else transforms


def _one(thing):
    if isinstance(thing, (Transform, Group)):
        return thing
    found = adopted(thing)
    if isinstance(found, (Transform, Group)) or isinstance(thing, type) or not callable(thing):
        return found
    return Lambda(thing)


class Identity(Called, NoOp, register=False):
    """Leave the sample as it is. Targets: all. Source: torchvision ``Identity``.

    Example:
        >>> import gpuaug.vision as T
        >>> T.RandomChoice([T.RandomHorizontalFlip(1), T.Identity()])[1]
        Identity()
    """

    def __init__(self):
        super().__init__(1.0)


class JPEG(Vision):
    """Lose what a JPEG file loses; a host stage, see `gpuaug.ImageCompression`.

    Args:
        quality: 1 .. 100, a whole number or (least, most).

    Shapes and dtypes: 1 or 3 channels of uint8. Targets: image. Source: torchvision ``JPEG``.

    Raises:
        TypeError: floats: put it before ToTensor() and ToDtype().

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.JPEG(50)(torch.zeros(3, 16, 16, dtype=torch.uint8)).shape
        torch.Size([3, 16, 16])
    """

    def __init__(self, quality: IntRange):
        super().__init__(1.0)
        self.quality = quality
        self._range = whole("quality", quality, 1, 100)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"quality": integers(u[:, 0], *self._range)}

    def lower(self, to, rows, params) -> None:
        colours(to)
        if not to.is_u8:
            raise TypeError(f"JPEG works on bytes, got {to.given or to.dtype} images: put it before ToTensor() and ToDtype()")
        quality = params["quality"].tolist()

        def run(k: int, image: np.ndarray) -> np.ndarray:  # the codec has blue first
            return np.ascontiguousarray(compressed(image[..., ::-1], "jpeg", quality[k])[..., ::-1])

        on_host(to, rows, run, "a jpeg codec", threads=True, pure=True)

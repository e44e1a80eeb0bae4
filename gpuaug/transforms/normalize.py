"""Normalize, ToTensorV2, ToTensor."""

from __future__ import annotations

import numpy as np

from ..checks import boolean, integer, one_of, real
from ..elements import WIDE
from ..hints import Colour
from ..transform import Transform

_KINDS = ("standard", "image", "image_per_channel", "min_max", "min_max_per_channel")


def _numbers(name: str, value) -> tuple[float, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return tuple(real(name, v) for v in values)


class Normalize(Transform):
    """``(image - mean * max_pixel_value) / (std * max_pixel_value)``, per channel, or by the sample's own statistics; to float32.

    Args:
        mean, std: a number, or one for each channel. Images of one channel take the first of several, as albumentations does.
        max_pixel_value: the largest value of the images: 255 for uint8, 1.0 for float images in 0..1.
        normalization: "standard", the above; "image" and "image_per_channel" subtract the mean of the sample (of the channel) and
            divide by its deviation + 1e-4; "min_max" and "min_max_per_channel" subtract the minimum and divide by maximum -
            minimum + 1e-4. These four clip to -20..20 and leave NaNs out of their statistics.
        p: probability, per sample; must be 1 for uint8 batches, whose type changes.

    Shapes and dtypes: uint8, bool, float32 and float64 to float32; float16 and bfloat16 stay. Targets: image.
    Source: albumentations ``Normalize``.

    Raises:
        ValueError: a std of 0; as many values as there are no channels (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Normalize(mean=0.5, std=0.5)])(np.array([[0, 255]], np.uint8))
        array([[-1.,  1.]], dtype=float32)
    """

    ops = ("normalize", "standardize", "divide")

    def __init__(
        self,
        mean: Colour = (0.485, 0.456, 0.406),
        std: Colour = (0.229, 0.224, 0.225),
        max_pixel_value: float = 255.0,
        normalization: str = "standard",
        p: float = 1.0,
    ):
        super().__init__(p)
        self.mean, self.std = _numbers("mean", mean), _numbers("std", std)
        self.max_pixel_value = real("max_pixel_value", max_pixel_value, 0, above=True)
        if min(abs(s) for s in self.std) == 0:
            raise ValueError(f"std must not be 0, got {std!r}")
        one_of("normalization", normalization, _KINDS)
        self.normalization = normalization
        self._by_channels: dict[int, np.ndarray] = {}

    @property
    def emits(self) -> tuple[str, ...]:
        if type(self).ops is not Normalize.ops:
            return self.ops
        return ("divide", "normalize" if self.normalization == "standard" else "standardize")

    def lower(self, to, rows, params) -> None:
        if self.normalization != "standard":
            if to.is_wide:
                _to_float32(to, rows)
            moments = to.reduce(rows, "moments")
            _to_float32(to, rows)
            to.op(rows, "standardize", kind=_KINDS.index(self.normalization) - 1, of=moments)
            return
        _to_float32(to, rows)
        to.op(rows, "normalize", shared=self._constants(to.channels))

    def _constants(self, channels: int) -> np.ndarray:
        """Means, then reciprocals of deviations, rounded to float32 as the reference does."""
        if channels in self._by_channels:
            return self._by_channels[channels]
        mean, std = (values[:1] if channels == 1 else values for values in (self.mean, self.std))
        for name, values in (("mean", mean), ("std", std)):
            if len(values) not in (1, channels):
                raise ValueError(
                    f"Normalize: {name} has {len(values)} values for images of {channels} channels; pass one "
                    f"number or one for each channel"
                )
        mean = np.broadcast_to(np.float32(mean) * np.float32(self.max_pixel_value), channels)
        inverse = np.broadcast_to(np.reciprocal(np.float32(std) * np.float32(self.max_pixel_value)), channels)
        return self._by_channels.setdefault(channels, np.stack([mean, inverse]))


def _to_float32(to, rows) -> None:
    wide = to.is_wide
    if to.is_u8 or to.given == "float64" or wide:
        to.convert("float32", rows)
    if wide:
        to.op(rows, "divide", by=1 / WIDE)  # the numbers that came in


class ToTensorV2(Transform):
    """Deliver torch tensors, channels first. Values and type stay as they are.

    Args:
        transpose_mask: deliver masks with channels first, too; masks of one channel are ``[H, W]`` either way.
        p: must be 1.

    Shapes and dtypes: HWC to CHW. Targets: all. Source: albumentations ``ToTensorV2``.

    Raises:
        ValueError: p other than 1: a batch cannot be half tensors.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ToTensorV2()])(image=np.zeros((4, 6, 3), np.uint8))["image"].shape
        torch.Size([3, 4, 6])
    """

    targets = ("image", "mask")
    moves_pixels = False

    def __init__(self, transpose_mask: bool = False, p: float = 1.0):
        super().__init__(p)
        if self.p != 1:
            raise ValueError(f"p of ToTensorV2 must be 1, got {p!r}: a batch cannot be half tensors")
        self.transpose_mask = boolean("transpose_mask", transpose_mask)

    def boxes(self, params, which, boxes, size, limits):
        return boxes, None

    def keypoints(self, params, which, points, size, limits):
        return points, None

    def lower_scaled(self, to, rows, params, size) -> None:
        self.lower(to, rows, params)

    def lower(self, to, rows, params) -> None:
        to.layout = "CHW" if to.kind == "image" or self.transpose_mask else "HWC"


class ToTensor(Transform):
    """Deliver torch tensors of floats, channels first, bytes divided by 255: what albumentations had before `ToTensorV2`.

    Args:
        num_classes: of the mask; with 1 a mask is ``[1, H, W]``, with more ``[C, H, W]``, one channel for each class.
        sigmoid: must be True with several classes: masks of the numbers of classes are not made (`ToTensorV2` leaves those that
            there are as they are).
        normalize: None, or ``{"mean": .., "std": ..}``: subtracted and divided by after the division, as torchvision's does.
        p: must be 1.

    Shapes and dtypes: uint8 is divided by 255 and becomes float32, as float64 does; other floats stay. Masks likewise; labels
    of wider types and booleans become float32 as they are. Targets: all.
    Source: albumentations 0.1 to 0.5 ``albumentations.pytorch.ToTensor``.

    Raises:
        ValueError: several classes with ``sigmoid=False``; a std of 0; p other than 1.
        TypeError: normalize without mean and std; images of other whole numbers, masks of uint32 (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ToTensor(normalize={"mean": 0.5, "std": 0.5})])(image=np.array([[0, 255]], np.uint8))["image"].tolist()
        [[[-1.0, 1.0]]]
    """

    ops = ("divide", "normalize")
    targets = ("image", "mask")
    moves_pixels = False
    boxes, keypoints = ToTensorV2.boxes, ToTensorV2.keypoints

    def __init__(self, num_classes: int = 1, sigmoid: bool = True, normalize: dict | None = None, p: float = 1.0):
        super().__init__(p)
        if self.p != 1:
            raise ValueError(f"p of ToTensor must be 1, got {p!r}: a batch cannot be half tensors")
        self.num_classes, self.sigmoid = integer("num_classes", num_classes, 1), boolean("sigmoid", sigmoid)
        if self.num_classes > 1 and not self.sigmoid:
            raise ValueError(
                "ToTensor: num_classes above 1 needs sigmoid=True; for masks that hold numbers of classes use ToTensorV2"
            )
        if normalize is not None and (not isinstance(normalize, dict) or set(normalize) != {"mean", "std"}):
            raise TypeError(f"normalize must be None or a dict of mean and std, got {normalize!r}")
        self.normalize = normalize
        self._normalize = None if normalize is None else Normalize(normalize["mean"], normalize["std"], 1.0)

    def lower_scaled(self, to, rows, params, size) -> None:
        self.lower(to, rows, params)

    def lower(self, to, rows, params) -> None:
        to.layout, to.planes = "CHW", to.kind == "mask"
        if to.kind == "mask" and to.dtype == "int32" and to.given != "uint32":
            to.given = "float32"  # labels of wider types: the kernels only move them, numbers are made of them at the end
            return
        divides = to.is_u8 and to.given != "bool"
        if not (to.is_u8 and to.kind == "mask"):
            to.no_labels("divided")
        _to_float32(to, rows)
        if divides:
            to.op(rows, "divide", by=255)
        if self._normalize is not None and to.kind == "image":
            self._normalize.lower(to, rows, params)

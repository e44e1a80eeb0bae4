"""Colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..checks import integer, is_number, one_of, real
from ..hints import Range
from ..uniforms import between
from . import steps
from .arguments import ordered
from .base import Vision


def _range(name: str, value, centre: float, low: float, high: float) -> tuple[float, float] | None:
    """The range of a factor; None if it is always ``centre``, which changes nothing."""
    if value is None:
        return None
    if is_number(value):
        value = real(name, value, 0, high)
        value = (max(centre - value, low), centre + value)
    found = ordered(name, value, low, high)
    return None if found == (centre, centre) else found


_ADJUST = (steps.brightness, steps.contrast, steps.saturation, steps.hue)
_FACTORS = ("brightness_factor", "contrast_factor", "saturation_factor", "hue_factor")


class ColorJitter(Vision):
    """Change brightness, contrast, saturation and hue, in random order.

    Args:
        brightness, contrast, saturation: ranges of factors, at least 0; a number v means (max(0, 1 - v), 1 + v); 0 and None
            change nothing.
        hue: range of the shift in turns, within -0.5 .. 0.5; a number v means (-v, v).

    Shapes and dtypes: 1 or 3 channels (of 1, brightness and contrast alone); uint8 is cut off to whole numbers after each of the
    four; float images are of 0..1. Targets: image. Source: torchvision ``ColorJitter`` of tensors.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.ColorJitter(brightness=(0.5, 0.5))(torch.tensor([[[101]]], dtype=torch.uint8)).tolist()
        [[[50]]]
    """

    ops = steps.ops_of("brightness", "contrast", "saturation", "hue")
    kept_as = {name: f"given_{name}" for name in ("brightness", "contrast", "saturation", "hue")}  # noqa: RUF012

    def __init__(
        self, brightness: Range | None = 0, contrast: Range | None = 0, saturation: Range | None = 0, hue: Range | None = 0
    ):
        super().__init__(1.0)
        self.given_brightness, self.given_contrast, self.given_saturation, self.given_hue = brightness, contrast, saturation, hue
        self._ranges = [
            _range("brightness", brightness, 1, 0, 1e6),
            _range("contrast", contrast, 1, 0, 1e6),
            _range("saturation", saturation, 1, 0, 1e6),
            _range("hue", hue, 0, -0.5, 0.5),
        ]

    def columns(self) -> int:
        return 8

    def draw(self, u, view):
        found = {}
        for k, limits in enumerate(self._ranges):
            if limits is not None:
                found[_FACTORS[k]] = between(u[:, k], *limits)
        return found | {"fn_idx": np.argsort(u[:, 4:], 1, kind="stable")}

    def lower(self, to, rows, params) -> None:
        index = to.index(rows)
        for turn in params["fn_idx"].T:
            for k, name in enumerate(_FACTORS):
                which = np.flatnonzero(turn == k) if name in params else ()
                if len(which):
                    _ADJUST[k](to, index[which], params[name][which])


class RandomPhotometricDistort(Vision):
    """Change brightness, contrast, saturation and hue, and swap channels, each with a probability: SSD's augmentation.

    Args:
        brightness, contrast, saturation: (least, most) of the factors. hue: the same of the shift in turns, within -0.5 .. 0.5.
        p: probability, per sample, of each of the five. Contrast comes before or after saturation and hue, evenly.

    Shapes and dtypes: as `ColorJitter`. Targets: image. Source: torchvision ``RandomPhotometricDistort``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomPhotometricDistort(p=1)(torch.zeros(3, 4, 4)).shape
        torch.Size([3, 4, 4])
    """

    ops = (*ColorJitter.ops, "permute")
    kept_as = {"p": "each"}  # noqa: RUF012

    def __init__(
        self,
        brightness: Sequence[float] = (0.875, 1.125),
        contrast: Sequence[float] = (0.5, 1.5),
        saturation: Sequence[float] = (0.5, 1.5),
        hue: Sequence[float] = (-0.05, 0.05),
        p: float = 0.5,
    ):
        super().__init__(1.0)
        self.each = real("p", p, 0, 1)
        self.brightness, self.contrast = ordered("brightness", brightness, 0), ordered("contrast", contrast, 0)
        self.saturation, self.hue = ordered("saturation", saturation, 0), ordered("hue", hue, -0.5, 0.5)

    def columns(self) -> int:
        return 13

    def draw(self, u, view):
        limits = (self.brightness, self.contrast, self.saturation, self.hue)
        found = {name: between(u[:, k], *limits[k]) for k, name in enumerate(_FACTORS)}
        return found | {
            "taken": u[:, 4:9] < self.each,
            "contrast_before": u[:, 9] < 0.5,
            "permutation": np.argsort(u[:, 10:], 1, kind="stable"),
        }

    def lower(self, to, rows, params) -> None:
        index, taken, before = to.index(rows), params["taken"], params["contrast_before"]
        turns = [(0, taken[:, 0]), (1, taken[:, 1] & before), (2, taken[:, 2]), (3, taken[:, 3]), (1, taken[:, 1] & ~before)]
        for k, which in turns:
            if which.any():
                _ADJUST[k](to, index[which], params[_FACTORS[k]][which])
        which = taken[:, 4]
        if to.channels == 3 and which.any():
            to.op(index[which], "permute", **{"from": params["permutation"][which]})


class RandomChannelPermutation(Vision):
    """Put the channels in random order.

    Shapes and dtypes: 3 channels; images of 1 stay. Targets: image. Source: torchvision ``RandomChannelPermutation``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomChannelPermutation()(torch.zeros(3, 4, 4)).shape
        torch.Size([3, 4, 4])
    """

    ops = ("permute",)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        return {"permutation": np.argsort(u, 1, kind="stable")}

    def lower(self, to, rows, params) -> None:
        if to.channels == 3:
            to.op(rows, "permute", **{"from": params["permutation"]})
        elif to.channels != 1:
            raise ValueError(f"RandomChannelPermutation works on images of 1 or 3 channels, got {to.channels}")


class Grayscale(Vision):
    """Make gray images of colours.

    Args:
        num_output_channels: 1, or 3 that are alike.

    Shapes and dtypes: 1 or 3 channels; uint8 is cut off to whole numbers. Targets: image. Source: torchvision ``Grayscale`` of
    tensors, 0.2989 R + 0.587 G + 0.114 B.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.Grayscale()(torch.tensor([[[255]], [[0]], [[0]]], dtype=torch.uint8)).tolist()
        [[[76]]]
    """

    ops = steps.ops_of("gray")

    def __init__(self, num_output_channels: int = 1):
        super().__init__(1.0)
        self.num_output_channels = one_of("num_output_channels", num_output_channels, (1, 3))

    def channels_after(self, channels: int) -> int:
        return self.num_output_channels

    def lower(self, to, rows, params) -> None:
        steps.gray(to, rows)
        to.set_channels(rows, self.num_output_channels)


class RandomGrayscale(Vision):
    """Make gray images, of as many channels.

    Args:
        p: probability, per sample.

    Shapes and dtypes: 1 or 3 channels. Targets: image. Source: torchvision ``RandomGrayscale``; see `Grayscale`.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomGrayscale(p=1)(torch.tensor([[[255]], [[0]], [[0]]], dtype=torch.uint8)).flatten().tolist()
        [76, 76, 76]
    """

    ops = steps.ops_of("gray")

    def __init__(self, p: float = 0.1):
        super().__init__(p)

    def lower(self, to, rows, params) -> None:
        steps.gray(to, rows)


class RGB(Grayscale):
    """Make three channels of one; of three nothing.

    Shapes and dtypes: 1 or 3 channels. Targets: image. Source: torchvision ``RGB``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RGB()(torch.zeros(1, 4, 4)).shape
        torch.Size([3, 4, 4])
    """

    def __init__(self):
        super().__init__(3)

    def lower(self, to, rows, params) -> None:
        if to.channels not in (1, 3):
            raise ValueError(f"RGB works on images of 1 or 3 channels, got {to.channels}")
        to.set_channels(rows, 3)


class RandomInvert(Vision):
    """The negative.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; float images are of 0..1. Targets: image. Source: torchvision ``RandomInvert``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomInvert(p=1)(torch.tensor([[[1]]], dtype=torch.uint8)).tolist()
        [[[254]]]
    """

    ops = steps.ops_of("invert")

    def __init__(self, p: float = 0.5):
        super().__init__(p)

    def lower(self, to, rows, params) -> None:
        steps.invert(to, rows)


class RandomPosterize(Vision):
    """Keep the highest bits.

    Args:
        bits: how many, 0 to 8. p: probability, per sample.

    Shapes and dtypes: any; float images are of 0..1. Targets: image. Source: torchvision ``RandomPosterize``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomPosterize(2, p=1)(torch.tensor([[[127]]], dtype=torch.uint8)).tolist()
        [[[64]]]
    """

    ops = steps.ops_of("posterize")

    def __init__(self, bits: int, p: float = 0.5):
        super().__init__(p)
        self.bits = integer("bits", bits, 0, 8)

    def lower(self, to, rows, params) -> None:
        steps.posterize(to, rows, self.bits)


class RandomSolarize(Vision):
    """Invert values from a threshold on.

    Args:
        threshold: of the images' own values: up to 255 of uint8, up to 1 of floats. p: probability, per sample.

    Shapes and dtypes: any. Targets: image. Source: torchvision ``RandomSolarize``.

    Raises:
        ValueError: a threshold above the largest value (at the first batch).

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomSolarize(128, p=1)(torch.tensor([[[127, 128]]], dtype=torch.uint8)).tolist()
        [[[127, 127]]]
    """

    ops = steps.ops_of("solarize")

    def __init__(self, threshold: float, p: float = 0.5):
        super().__init__(p)
        self.threshold = real("threshold", threshold)

    def lower(self, to, rows, params) -> None:
        top = 255 if to.is_u8 else 65535 if to.is_wide else 1
        if self.threshold > top:
            kind = to.given or to.dtype
            raise ValueError(f"RandomSolarize: threshold must be at most {top} for {kind} images, got {self.threshold!r}")
        steps.solarize(to, rows, self.threshold / top if to.is_wide else self.threshold)


class RandomAdjustSharpness(Vision):
    """Blur or sharpen.

    Args:
        sharpness_factor: 0 blurs, 1 changes nothing, 2 sharpens. p: probability, per sample.

    Shapes and dtypes: 1 or 3 channels; the outermost pixels stay. Targets: image. Source: torchvision ``RandomAdjustSharpness``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomAdjustSharpness(2, p=1)(torch.zeros(3, 4, 4)).shape
        torch.Size([3, 4, 4])
    """

    ops = steps.ops_of("sharpness")
    stencil = True

    def __init__(self, sharpness_factor: float, p: float = 0.5):
        super().__init__(p)
        self.sharpness_factor = real("sharpness_factor", sharpness_factor, 0)

    def lower(self, to, rows, params) -> None:
        steps.sharpness(to, rows, self.sharpness_factor)


class RandomAutocontrast(Vision):
    """Stretch the values of each channel over the whole range.

    Args:
        p: probability, per sample.

    Shapes and dtypes: 1 or 3 channels; uint8 is cut off to whole numbers (255 may become 254, as torchvision's does). Targets:
    image. Source: torchvision ``RandomAutocontrast``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomAutocontrast(p=1)(torch.tensor([[[10, 20, 30]]], dtype=torch.uint8)).tolist()
        [[[0, 127, 254]]]
    """

    ops = steps.ops_of("autocontrast")

    def __init__(self, p: float = 0.5):
        super().__init__(p)

    def lower(self, to, rows, params) -> None:
        steps.autocontrast(to, rows)


class RandomEqualize(Vision):
    """Equalize the histogram of each channel.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any; float images (0..1) are made bytes, and divided by 255 again. Targets: image. Source: torchvision
    ``RandomEqualize``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomEqualize(p=1)(torch.zeros(3, 4, 4)).shape
        torch.Size([3, 4, 4])
    """

    ops = steps.ops_of("equalize")

    def __init__(self, p: float = 0.5):
        super().__init__(p)

    def lower(self, to, rows, params) -> None:
        steps.equalize(to, rows)

"""Policies that draw operations and magnitudes: AutoAugment, RandAugment, TrivialAugmentWide, AugMix."""

from __future__ import annotations

from enum import Enum

import numpy as np

from .. import maps
from ..checks import boolean, integer, one_of, real
from ..uniforms import integers, spread
from . import steps
from .arguments import OPENCV, WARPS, Fills, Mode, fills, mode
from .base import Vision
from .policies import POLICIES
from .warps import about, linear, middle


class AutoAugmentPolicy(Enum):
    """torchvision's policies.

    Example:
        >>> from gpuaug import vision
        >>> vision.AutoAugmentPolicy.CIFAR10.value
        'cifar10'
    """

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


_SIGNED = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness")
_PLAIN = ("AutoContrast", "Equalize", "Invert", "Identity")  # without a magnitude
OPERATIONS = (*_SIGNED, "Posterize", "Solarize", *_PLAIN)


def magnitudes(name: str, bins: int, size: np.ndarray, space: str) -> np.ndarray:
    """float32 ``[n, bins]``, of images of ``size`` ``[n, 2]``; space: "auto" (RandAugment, too), "wide" or "mix"."""
    wide, mix = space == "wide", space == "mix"
    if name in ("TranslateX", "TranslateY"):
        side = size[:, 1 if name == "TranslateX" else 0].astype(np.float64)
        most = np.full(len(size), 32.0) if wide else side / 3.0 if mix else 150.0 / 331.0 * side
        return np.linspace(0.0, most, bins, axis=1).astype(np.float32)
    if name == "Posterize":
        top, range_ = (4, 4) if mix else (8, 6 if wide else 4)
        values = np.rint(top - np.arange(bins) / max((bins - 1) / range_, 1e-9))
    elif name == "Solarize":
        values = np.linspace(1.0, 0.0, bins)
    else:
        most = {"ShearX": (0.3, 0.99), "ShearY": (0.3, 0.99), "Rotate": (30.0, 135.0)}.get(name, (0.9, 0.99))[wide]
        values = np.linspace(0.0, most, bins)
    return np.broadcast_to(values.astype(np.float32), (len(size), bins))


class _Policy(Vision):
    """What policies share: drawn are "operation" int ``[n, k]`` (of ``OPERATIONS``; -1: none) and "magnitude" ``[n, k]``."""

    ops = steps.ops_of(
        "brightness", "contrast", "saturation", "sharpness", "posterize", "solarize", "autocontrast", "equalize", "invert"
    )
    targets = ("image", "mask")
    stencil = True
    kept_as = {"interpolation": "mode", "fill": "filled"}  # noqa: RUF012

    def __init__(self, interpolation, fill):
        super().__init__(1.0)
        self.mode, self.filled = mode(interpolation, WARPS), fill
        self._fill = fills(fill)[0]

    @classmethod
    def moves(cls, hook: str) -> bool:
        return False

    def lower(self, to, rows, params) -> None:
        if to.kind != "image":
            raise ValueError(f"{to.doing} moves images alone, as torchvision's does: leave masks out")
        for k in range(params["operation"].shape[1]):
            self._apply(to, rows, params["operation"][:, k], params["magnitude"][:, k])

    def _apply(self, to, rows, operation, magnitude) -> None:
        """One operation for each of the rows."""
        index = to.index(rows)
        for number in np.unique(operation[operation >= 0]).tolist():
            which = np.flatnonzero(operation == number)
            self._one(to, index[which], OPERATIONS[number], magnitude[which])

    def _one(self, to, rows, name: str, m: np.ndarray) -> None:
        n = len(rows)
        if name in ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"):
            size = to.sizes(rows)
            centre, zero = middle(size), np.zeros((n, 2))
            shear, shift, turn = zero.copy(), zero.copy(), np.zeros(n)
            axis = 1 if name.endswith("Y") else 0
            if name.startswith("Shear"):
                shear[:, axis], centre = np.rad2deg(np.arctan(m)), zero
            elif name.startswith("Translate"):
                shift[:, axis] = np.trunc(m)
            else:
                turn = -m.astype(np.float64)
            matrix = about(linear(turn, np.ones(n), shear), centre, centre + shift)
            to.gather(rows, maps.Affine(matrix), size, OPENCV[self.mode], 0, self._fill)
        elif name in ("Brightness", "Color", "Contrast", "Sharpness"):
            step = {"Brightness": steps.brightness, "Color": steps.saturation, "Contrast": steps.contrast}
            step.get(name, steps.sharpness)(to, rows, 1.0 + m.astype(np.float64))
        elif name == "Posterize":
            steps.posterize(to, rows, m.astype(np.int64))
        elif name == "Solarize":
            steps.solarize(to, rows, m.astype(np.float64) * (255 if to.is_u8 else 1))
        elif name == "AutoContrast":
            steps.autocontrast(to, rows)
        elif name == "Equalize":
            steps.equalize(to, rows)
        elif name == "Invert":
            steps.invert(to, rows)


def _drawn(names, u_name, u_bin, u_sign, size, bins: int, space: str, magnitude: int | None = None):
    """Operations and magnitudes ``[n]`` of uniforms ``[n]``; magnitude: the bin, where it is not drawn."""
    operation = np.array([OPERATIONS.index(name) for name in names])[integers(u_name, 0, len(names) - 1)]
    at = integers(u_bin, 0, bins - 1) if magnitude is None else np.full(len(size), magnitude)
    return operation, _magnitudes(operation, at, u_sign, size, bins, space)


def _magnitudes(operation, at, u_sign, size, bins: int, space: str) -> np.ndarray:
    """The magnitudes ``[n]`` of operations, of which those that have a sign are negative for uniforms up to one half."""
    out = np.zeros(len(size), np.float32)
    for number in np.unique(operation[operation >= 0]).tolist():
        name, mine = OPERATIONS[number], operation == number
        if name in _PLAIN:
            continue
        values = magnitudes(name, bins, size[mine], space)
        out[mine] = np.take_along_axis(values, at[mine, None], 1)[:, 0]
        if name in _SIGNED:
            out[mine] *= np.where(u_sign[mine] <= 0.5, -1, 1)
    return out


_RANDOM = ("Identity", *_SIGNED, "Posterize", "Solarize", "AutoContrast", "Equalize")


class RandAugment(_Policy):
    """Apply several operations that are drawn, all with one magnitude.

    Args:
        num_ops: how many. magnitude: which of the magnitudes, from 0 on. num_magnitude_bins: how many there are.
        interpolation: of rotations, shears and shifts: "nearest" or "bilinear". fill: what comes in from outside.

    Shapes and dtypes: 1 or 3 channels; float images are of 0..1. Targets: image; masks, boxes and keypoints are refused, as
    torchvision does. Source: torchvision ``RandAugment``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandAugment()(torch.zeros(3, 16, 16, dtype=torch.uint8)).shape
        torch.Size([3, 16, 16])
    """

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Mode = "nearest",
        fill: Fills = None,
    ):
        super().__init__(interpolation, fill)
        self.num_ops, self.num_magnitude_bins = (
            integer("num_ops", num_ops, 0, 1000),
            integer("num_magnitude_bins", num_magnitude_bins, 2, 10000),
        )
        self.magnitude = integer("magnitude", magnitude, 0, self.num_magnitude_bins - 1)

    def columns(self) -> int:
        return 2 * self.num_ops

    def draw(self, u, view):
        bins, found = self.num_magnitude_bins, [np.empty((2, len(u), 0))]
        for k in range(self.num_ops):
            one = _drawn(_RANDOM, u[:, 2 * k], None, u[:, 2 * k + 1], view.size, bins, "auto", self.magnitude)
            found.append(np.stack(one)[:, :, None])
        operation, magnitude = np.concatenate(found, 2)
        return {"operation": operation.astype(np.int64), "magnitude": magnitude.astype(np.float32)}


class TrivialAugmentWide(_Policy):
    """Apply one operation that is drawn, with a magnitude that is drawn.

    Args:
        num_magnitude_bins: how many magnitudes there are.
        interpolation: of rotations, shears and shifts: "nearest" or "bilinear". fill: what comes in from outside.

    Shapes and dtypes, targets: as `RandAugment`. Source: torchvision ``TrivialAugmentWide``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.TrivialAugmentWide()(torch.zeros(3, 16, 16, dtype=torch.uint8)).shape
        torch.Size([3, 16, 16])
    """

    def __init__(self, num_magnitude_bins: int = 31, interpolation: Mode = "nearest", fill: Fills = None):
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = integer("num_magnitude_bins", num_magnitude_bins, 2, 10000)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        one = _drawn(_RANDOM, u[:, 0], u[:, 1], u[:, 2], view.size, self.num_magnitude_bins, "wide")
        return {"operation": one[0][:, None], "magnitude": one[1][:, None]}


class AutoAugment(_Policy):
    """Apply a pair of operations of a learned policy, each with its probability and magnitude.

    Args:
        policy: "imagenet", "cifar10", "svhn", or torchvision's AutoAugmentPolicy.
        interpolation: of rotations, shears and shifts: "nearest" or "bilinear". fill: what comes in from outside.

    Shapes and dtypes, targets: as `RandAugment`. Source: torchvision ``AutoAugment``; the policies are Cubuk et al.'s (2019).

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.AutoAugment(T.AutoAugmentPolicy.CIFAR10)(torch.zeros(3, 16, 16, dtype=torch.uint8)).shape
        torch.Size([3, 16, 16])
    """

    def __init__(self, policy: str | Enum = "imagenet", interpolation: Mode = "nearest", fill: Fills = None):
        super().__init__(interpolation, fill)
        self.policy = one_of("policy", policy.value if isinstance(policy, Enum) else policy, tuple(POLICIES))
        pairs = POLICIES[self.policy]
        self._names = np.array([[OPERATIONS.index(name) for name, _, _ in pair] for pair in pairs])
        self._p = np.array([[p for _, p, _ in pair] for pair in pairs])
        self._bins = np.array([[k or 0 for _, _, k in pair] for pair in pairs])

    def columns(self) -> int:
        return 5

    def draw(self, u, view):
        pair = integers(u[:, 0], 0, len(self._p) - 1)
        operation = np.where(u[:, 1:3] <= self._p[pair], self._names[pair], -1)
        each = [_magnitudes(operation[:, k], self._bins[pair, k], u[:, 3 + k], view.size, 10, "auto") for k in (0, 1)]
        return {"operation": operation, "magnitude": np.stack(each, 1)}


_MIX_BINS, _DEEPEST = 10, 3


class AugMix(_Policy):
    """Mix the image with several chains of operations that are drawn.

    Args:
        severity: 1 to 10: magnitudes are drawn from that many of the lowest of 10.
        mixture_width: how many chains. chain_depth: how many operations of each; -1: 1 to 3, drawn for each.
        alpha: of the Dirichlet and Beta distributions that weights are drawn from.
        all_ops: brightness, colour, contrast and sharpness, too.
        interpolation: of rotations, shears and shifts: "nearest" or "bilinear". fill: what comes in from outside.

    Shapes and dtypes, targets: as `RandAugment`; uint8 is cut off. Source: torchvision ``AugMix``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.AugMix()(torch.zeros(3, 16, 16, dtype=torch.uint8)).shape
        torch.Size([3, 16, 16])
    """

    ops = (*_Policy.ops, "linear_u8", "take", "weigh")

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Mode = "bilinear",
        fill: Fills = None,
    ):
        super().__init__(interpolation, fill)
        self.severity, self.mixture_width = (
            integer("severity", severity, 1, _MIX_BINS),
            integer("mixture_width", mixture_width, 1, 99),
        )
        self.chain_depth = integer("chain_depth", chain_depth, -1, 99)
        self.alpha, self.all_ops = real("alpha", alpha, 0, 1e6, above=True), boolean("all_ops", all_ops)
        more = ("Brightness", "Color", "Contrast", "Sharpness") if self.all_ops else ()
        self._names = [*_SIGNED[:5], "Posterize", "Solarize", "AutoContrast", "Equalize", *more]
        self._depth = self.chain_depth if self.chain_depth > 0 else _DEEPEST

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        n, width, depth = len(u), self.mixture_width, self._depth
        key = (u * 2.0**32).astype(np.uint32)
        of_ops = spread(key, width * (1 + 3 * depth), 1).reshape(n, width, -1)
        deep = np.full((n, width), depth) if self.chain_depth > 0 else integers(of_ops[:, :, 0], 1, _DEEPEST)
        three = of_ops[:, :, 1:].reshape(n, width, depth, 3)
        operation, magnitude = np.empty((n, width, depth), np.int64), np.empty((n, width, depth), np.float32)
        for i in range(width):
            for k in range(depth):
                name, at, sign = three[:, i, k].T
                known = np.array([OPERATIONS.index(each) for each in self._names])[integers(name, 0, len(self._names) - 1)]
                operation[:, i, k] = np.where(k < deep[:, i], known, -1)
                level = integers(at, 0, self.severity - 1)
                magnitude[:, i, k] = _magnitudes(operation[:, i, k], level, sign, view.size, _MIX_BINS, "mix")
        gammas = np.stack([self._gammas(words, width + 2) for words in key]).reshape(n, width + 2)
        share = gammas[:, :2] / gammas[:, :2].sum(1, keepdims=True)
        weights = gammas[:, 2:] / gammas[:, 2:].sum(1, keepdims=True) * share[:, 1:]
        return {"operation": operation, "magnitude": magnitude, "image": share[:, 0], "weights": weights}

    def _gammas(self, words, count: int) -> np.ndarray:
        """Gamma deviates, of which Dirichlet's are made, of a sample's own generator."""
        seed = int(words[0]) | int(words[1]) << 32
        return np.maximum(np.random.Generator(np.random.Philox(key=seed)).gamma(self.alpha, size=count), 1e-300)

    def lower(self, to, rows, params) -> None:
        if to.kind != "image":
            raise ValueError(f"{to.doing} moves images alone, as torchvision's does: leave masks out")
        to.no_labels("mixed")
        image, every = to.keep(rows), 0xFFFFFFFF
        if to.channels > 32:
            raise ValueError(f"AugMix works on images of up to 32 channels, got {to.channels}")
        how = {"offset": 0.0, "low": -3e38, "high": 3e38}
        with to.working(rows, "float32"):
            to.op(rows, "linear", factor=params["image"], **how)
            mix = to.keep(rows)
        for i in range(self.mixture_width):
            to.op(rows, "take", channels=every, layers=(image,))
            for k in range(self._depth):
                self._apply(to, rows, params["operation"][:, i, k], params["magnitude"][:, i, k])
            with to.working(rows, "float32"):
                to.op(rows, "weigh", factor=params["weights"][:, i], layers=(mix,))
                mix = to.keep(rows)
        if to.is_u8:
            to.op(rows, "linear_u8", factor=1.0, offset=0.0)

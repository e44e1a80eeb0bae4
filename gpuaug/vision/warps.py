"""Rotations, affine and projective maps, elastic displacements."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from .. import maps
from ..checks import boolean, is_number, real
from ..hints import Colour, Range
from ..ragged import Ragged
from ..uniforms import between, integers, key, ragged
from .arguments import Fills, Mode, angles, numbers, older, ordered
from .base import Warp


def linear(degrees, scale, shear) -> np.ndarray:
    """Matrices ``[n, 2, 2]`` that turn (clockwise, as torchvision's affine), scale and shear: degrees and factors ``[n]``,
    degrees ``[n, 2]``."""
    turn, (sx, sy) = np.deg2rad(degrees), np.deg2rad(shear).T
    a, c = np.cos(turn - sy) / np.cos(sy), np.sin(turn - sy) / np.cos(sy)
    b, d = -(a * np.tan(sx) + np.sin(turn)), np.cos(turn) - c * np.tan(sx)
    return scale[:, None, None] * np.stack([a, b, c, d]).T.reshape(-1, 2, 2)


def about(matrix: np.ndarray, centre: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Matrices ``[n, 2, 3]`` by which pixels' centres move: ``centre`` goes to ``to``, both ``[n, 2]`` (x, y) from the outer edge
    of the first pixel, as torchvision has them."""
    shift = to - 0.5 - np.einsum("nij,nj->ni", matrix, centre - 0.5)
    return np.concatenate([matrix, shift[:, :, None]], 2)


def middle(size: np.ndarray, centre=None) -> np.ndarray:
    """The middle of images of ``size`` ``[n, 2]``, or the one that was given, (x, y)."""
    return size[:, ::-1] / 2 if centre is None else np.broadcast_to(np.asarray(centre, np.float64), (len(size), 2))


class RandomAffine(Warp):
    """Rotate, move, scale and shear.

    Args:
        degrees: range of the angle, clockwise; a number v means (-v, v).
        translate: (x, y): the largest shifts, as fractions of width and height; whole pixels are drawn. None: none.
        scale: (least, most) of the factor; None: 1.
        shear: degrees: a number v for (-v, v) along x, a range along x, or both ranges, (x least, x most, y least, y most).
        interpolation: "nearest" or "bilinear", or torchvision's InterpolationMode.
        fill: what comes in from outside: a number, one for each channel, or a dict of them by type.
        center: (x, y) of what stays, in pixels from the upper left corner; None: the middle.
        resample, fillcolor: the names of interpolation and fill before torchvision 0.9.

    Shapes and dtypes: any; unchanged; uint8 is rounded. Targets: image, mask (nearest), boxes (those around moved ones),
    keypoints. Source: torchvision ``RandomAffine`` of tensors.

    Raises:
        ValueError, TypeError: arguments that torchvision refuses; bicubic, which it has for PIL images alone.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomAffine(degrees=(90, 90))(torch.tensor([[[1, 2], [3, 4]]], dtype=torch.uint8)).tolist()
        [[[3, 1], [4, 2]]]
    """

    def __init__(
        self,
        degrees: Range,
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: Range | None = None,
        interpolation: Mode = "nearest",
        fill: Fills = 0,
        center: Sequence[float] | None = None,
        *,
        resample: Mode | None = None,
        fillcolor: Colour | None = None,
    ):
        super().__init__(
            older("RandomAffine", "resample", resample, "interpolation", interpolation),
            older("RandomAffine", "fillcolor", fillcolor, "fill", fill),
        )
        self.degrees = angles("degrees", degrees)
        self.translate = None if translate is None else numbers("translate", translate, 0, 1)
        self.scale = None if scale is None else ordered("scale", scale, 0, above=True)
        self.shear = None if shear is None else angles("shear", shear, (2, 4))
        self.center = None if center is None else numbers("center", center, -1e9)

    def columns(self) -> int:
        return 6

    def draw(self, u, view):
        n, most = len(u), np.asarray(self.translate or (0, 0)) * view.size[:, ::-1]
        ranges = (*(self.shear or (0, 0)), 0, 0)
        return {
            "angle": between(u[:, 0], *self.degrees),
            "translate": np.rint(between(u[:, 1:3], -most, most)).astype(np.int64),
            "scale": between(u[:, 3], *(self.scale or (1.0, 1.0))) if self.scale else np.ones(n),
            "shear": np.stack([between(u[:, 4 + k], *ranges[2 * k : 2 * k + 2]) for k in (0, 1)], 1),
        }

    def map(self, params, size):
        centre = middle(size, self.center)
        matrix = linear(params["angle"], params["scale"], params["shear"])
        return maps.Affine(about(matrix, centre, centre + params["translate"]))


class RandomRotation(Warp):
    """Rotate.

    Args:
        degrees: range of the angle, counter-clockwise; a number v means (-v, v).
        interpolation: "nearest" or "bilinear", or torchvision's InterpolationMode.
        expand: enlarge the result so that all of the image is in it; not with center.
        center: (x, y) of what stays, in pixels from the upper left corner; None: the middle.
        fill: what comes in from outside: a number, one for each channel, or a dict of them by type.
        resample: the name of interpolation before torchvision 0.9.

    Shapes and dtypes: any; uint8 is rounded. Targets: image, mask (nearest), boxes (those around moved ones), keypoints.
    Source: torchvision ``RandomRotation`` of tensors.

    Raises:
        ValueError, TypeError: arguments that torchvision refuses; bicubic; expand with a center, of which it crops a corner.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomRotation((90, 90), expand=True)(torch.tensor([[[1, 2, 3]]], dtype=torch.uint8)).tolist()
        [[[3], [2], [1]]]
    """

    def __init__(
        self,
        degrees: Range,
        interpolation: Mode = "nearest",
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: Fills = 0,
        *,
        resample: Mode | None = None,
    ):
        super().__init__(older("RandomRotation", "resample", resample, "interpolation", interpolation), fill)
        self.degrees = angles("degrees", degrees)
        self.expand = boolean("expand", bool(expand) if is_number(expand) else expand)
        self.center = None if center is None else numbers("center", center, -1e9)
        if self.expand and self.center is not None:
            raise ValueError("expand=True turns about the middle: leave center out")

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"angle": between(u[:, 0], *self.degrees)}

    def size_after(self, params, size):
        if not self.expand:
            return size
        matrix = _turn(params["angle"]).astype(np.float32)
        half = (size[:, ::-1] / 2).astype(np.float32)
        reach = np.abs(matrix) @ half[:, :, None]  # of the corners, from the middle
        low, high = half - reach[..., 0], half + reach[..., 0]
        # what is a whole number but for rounding counts as one, as in torchvision
        low, high = np.floor(np.trunc(low * 1e4) * np.float32(1e-4)), np.ceil(np.trunc(high * 1e4) * np.float32(1e-4))
        return np.maximum(high - low, 1)[:, ::-1].astype(np.int64)

    def map(self, params, size):
        centre = middle(size, self.center)
        to = middle(self.size_after(params, size)) if self.expand else centre
        return maps.Affine(about(_turn(params["angle"]), centre, to))


def _turn(degrees) -> np.ndarray:
    return linear(-degrees, np.ones(len(degrees)), np.zeros((len(degrees), 2)))


_FAR = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])  # corners, clockwise from the upper left: which are at the far end of x, y


def _thin(corner: np.ndarray) -> np.ndarray:
    """Whether three of four corners ``[n, 4, 2]`` lie on a line, or turn the other way round: ``[n, 1, 1]``."""
    (ax, ay), (bx, by) = ((np.roll(corner, turn, 1) - corner).transpose(2, 0, 1) for turn in (1, -1))
    return (ax * by >= ay * bx).any(1)[:, None, None]


class RandomPerspective(Warp):
    """Move the four corners inwards.

    Args:
        distortion_scale: how far at most, as a fraction of half of the sides, in [0, 1].
        p: probability, per sample.
        interpolation: "nearest" or "bilinear", or torchvision's InterpolationMode; PIL's 3 (bicubic) was its default once.
        fill: what comes in from outside: a number, one for each channel, or a dict of them by type.

    Corners of which three would lie on a line, or that would cross over (with a distortion_scale near 1), move half as far, or a
    quarter.

    Shapes and dtypes: any; unchanged; uint8 is rounded. Targets: image, mask (nearest), boxes (those around moved ones),
    keypoints. Source: torchvision ``RandomPerspective`` of tensors.

    Raises:
        ValueError: a scale outside [0, 1]; bicubic, which torchvision has for PIL images alone.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomPerspective(p=1)(torch.zeros(3, 8, 8)).shape
        torch.Size([3, 8, 8])
    """

    def __init__(self, distortion_scale: float = 0.5, p: float = 0.5, interpolation: Mode = "bilinear", fill: Fills = 0):
        super().__init__(interpolation, fill, p)
        self.distortion_scale = real("distortion_scale", distortion_scale, 0, 1)

    def columns(self) -> int:
        return 8

    def draw(self, u, view):
        size = view.size[:, None, ::-1].astype(np.int64)
        away = integers(u.reshape(-1, 4, 2), 0, (self.distortion_scale * (size // 2)).astype(np.int64))
        last = np.maximum(size - 1, 1)
        for _ in range(2):
            away = np.where(_thin(np.where(_FAR, last - away, away)), away // 2, away)
        return {"endpoints": np.where(_FAR, last - away, away)}

    def map(self, params, size):
        start = _FAR * np.maximum(size[:, None, ::-1] - 1.0, 1)
        # corners are numbers of pixels, and taken as distances from the outer edge
        matrix = maps.homography(start, params["endpoints"].astype(np.float64))
        edge = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
        return maps.Projective(edge @ matrix @ np.linalg.inv(edge))


class ElasticTransform(Warp):
    """Move every pixel by noise that a Gaussian has smoothed.

    Args:
        alpha: factor of the displacements, a number or (x, y): uniform noise in -1 .. 1 is smoothed; alpha / 2
            times it are pixels.
        sigma: standard deviation of the Gaussian, pixels, a number or (x, y); 0 smooths nothing.
        interpolation: "nearest" or "bilinear", or torchvision's InterpolationMode.
        fill: what comes in from outside: a number, one for each channel, or a dict of them by type.

    Shapes and dtypes: any; unchanged; uint8 is rounded. Targets: image, mask (nearest), boxes, keypoints. As in torchvision the
    noise of x is smoothed along x by the first sigma and along y by the second, within ``8 * sigma + 1`` pixels, and reflects at
    the borders: sides must be larger than half of that.
    Source: torchvision ``ElasticTransform`` of tensors.

    Raises:
        ValueError, TypeError: negative numbers, another interpolation; an image that is too small (at the first batch).

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.ElasticTransform(alpha=50.0)(torch.zeros(3, 64, 64)).shape
        torch.Size([3, 64, 64])
    """

    def __init__(self, alpha: Range = 50.0, sigma: Range = 5.0, interpolation: Mode = "bilinear", fill: Fills = 0):
        super().__init__(interpolation, fill)
        self.alpha, self.sigma = _two("alpha", alpha), _two("sigma", sigma)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        size = view.size.astype(np.int64)
        counts = 2 * size.prod(1)
        noise = ragged(key(u), counts)
        shift = Ragged(np.empty((counts.sum() // 2, 2), np.float32), counts // 2)
        for i, (h, w) in enumerate(size.tolist()):
            field = torch.from_numpy(noise.of(i).reshape(2, h, w).astype(np.float32)) * 2 - 1
            for axis, sigma in enumerate(self.sigma):
                smooth = self._smoothed(field[axis], sigma, view.sample(i))
                shift.of(i)[:, axis] = smooth.reshape(-1).numpy() * (self.alpha[axis] / 2)
        return {"shift": shift}

    def _smoothed(self, field: torch.Tensor, sigma: float, sample: int) -> torch.Tensor:
        if sigma == 0:
            return field
        length = int(8 * sigma + 1)
        half = (length + 1 - length % 2) // 2
        if half >= min(field.shape):
            raise ValueError(
                f"ElasticTransform: sigma {sigma} takes {half} pixels beyond the borders of image {sample} of the batch, which "
                f"is {tuple(field.shape)}: make sigma smaller, or resize first"
            )
        field = torch.nn.functional.pad(field[None, None], (half,) * 4, mode="reflect")
        for axis, other in ((3, self.sigma[0]), (2, self.sigma[1])):
            at = torch.linspace(-half / 2**0.5, half / 2**0.5, 2 * half + 1)  # torchvision's Gaussian: exp(-x^2 / (2 sigma^2))
            taps = torch.softmax(-((at / max(other, 1e-6)) ** 2), 0)
            field = torch.nn.functional.conv2d(field, taps.view([-1 if k == axis else 1 for k in range(4)]))
        return field[0, 0]

    def map(self, params, size):
        shift, w = params["shift"], np.repeat(size[:, 1], params["shift"].counts)
        pixel = np.arange(len(shift.values)) - np.repeat(shift.starts, shift.counts)
        return maps.Field(Ragged(shift.values + np.stack([pixel % w, pixel // w], 1), shift.counts), size)


def _two(name: str, value) -> tuple[float, float]:
    value = [value] if is_number(value) else value
    found = numbers(name, value, 0, 1e6, counts=(1, 2))
    return found[0], found[-1]

"""Blurs by a kernel that is made for each sample."""

from __future__ import annotations

import numpy as np
import torch

from ..checks import increasing, integer, is_number, span, whole
from ..hints import IntRange, Range
from ..transform import Transform
from ..uniforms import between, integers, key, spread
from ._taps import gaussian, places, points
from .blur import _Sized


class AdvancedBlur(_Sized):
    """Blur with a generalized Gaussian: of two widths, turned, with flat or sharp top, and noise on its weights.

    Args:
        blur_limit: range of the kernel size, odd, at least 3; a number n means (3, n).
        sigma_x_limit, sigma_y_limit: ranges of the two widths, pixels; a number v means (0, v). Not both may begin at 0.
        rotate_limit: range of the angle, degrees; a number v means (-v, v).
        beta_limit: range of the exponent, with 1 (a Gaussian) inside: half of the draws lie below. A number v means (0, v).
        noise_limit: range of the factors on the weights, at least 0; a number v means (0, v).
        p: probability, per sample.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded, float images keep their range. Targets: image.
    Source: albumentations ``AdvancedBlur``, ``cv2.filter2D``.

    Raises:
        ValueError: a range outside its bounds; beta_limit without 1.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.AdvancedBlur(p=1)])(np.full((3, 3), 7, np.uint8)).tolist()
        [[7, 7, 7], [7, 7, 7], [7, 7, 7]]
    """

    def __init__(
        self,
        blur_limit: IntRange = (3, 7),
        sigma_x_limit: Range = (0.2, 1.0),
        sigma_y_limit: Range = (0.2, 1.0),
        rotate_limit: Range = (-90, 90),
        beta_limit: Range = (0.5, 8.0),
        noise_limit: Range = (0.9, 1.1),
        p: float = 0.5,
    ):
        super().__init__(blur_limit, p)
        self.sigma_x_limit = span("sigma_x_limit", sigma_x_limit, 0, scalar="zero")
        self.sigma_y_limit = span("sigma_y_limit", sigma_y_limit, 0, scalar="zero")
        if self.sigma_x_limit[0] == self.sigma_y_limit[0] == 0:
            raise ValueError("sigma_x_limit and sigma_y_limit must not both begin at 0")
        self.rotate_limit = span("rotate_limit", rotate_limit)
        self.beta_limit = span("beta_limit", beta_limit, 0, scalar="zero")
        if not self.beta_limit[0] < 1 < self.beta_limit[1]:
            raise ValueError(f"beta_limit must have 1 inside, got {beta_limit!r}")
        self.noise_limit = span("noise_limit", noise_limit, 0, scalar="zero")

    def columns(self) -> int:
        return 8

    def draw(self, u, view):
        low, high = self.beta_limit
        below = u[:, 4] < 0.5
        return {
            "ksize": self._size(u[:, 0]),
            "sigma": np.stack([between(u[:, 1], *self.sigma_x_limit), between(u[:, 2], *self.sigma_y_limit)], 1),
            "angle": np.deg2rad(between(u[:, 3], *self.rotate_limit)),
            "beta": between(u[:, 5], np.where(below, low, 1), np.where(below, 1, high)),
            "key": key(u[:, 6:8]),
        }

    def lower(self, to, rows, params) -> None:
        most = int(params["ksize"].max(initial=1))
        noise = between(spread(params["key"], most * most), *self.noise_limit)
        kernels = []
        for k, (a, b), angle, beta, factors in zip(
            params["ksize"].tolist(), np.maximum(params["sigma"], 1e-6), params["angle"], params["beta"], noise
        ):
            x, y = np.meshgrid(places(k), places(k))
            along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
            weights = np.exp(-0.5 * ((along / a) ** 2 + (across / b) ** 2) ** beta) * factors[: k * k].reshape(k, k)
            kernels.append(weights / weights.sum())
        points(to, rows, kernels, clip=False)


class RingingOvershoot(_Sized):
    """Ringing around edges, as of sharp low-pass filters: a 2D sinc kernel.

    Args:
        blur_limit: range of the kernel size, odd, at least 3; a number n means (3, n).
        cutoff: range of the cutoff, radians, in [0, pi].
        p: probability, per sample.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded, float images are clipped to 0..1. Targets: image.
    Source: albumentations ``RingingOvershoot``, ``cv2.filter2D``.

    Raises:
        ValueError: a range outside its bounds or out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RingingOvershoot(p=1)])(np.full((3, 3), 7, np.uint8)).tolist()
        [[7, 7, 7], [7, 7, 7], [7, 7, 7]]
    """

    ops = ("linear",)

    def __init__(self, blur_limit: IntRange = (7, 15), cutoff: Range = (np.pi / 4, np.pi / 2), p: float = 0.5):
        super().__init__(blur_limit, p)
        self.cutoff = increasing("cutoff", cutoff, 0, np.pi)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"ksize": self._size(u[:, 0]), "cutoff": between(u[:, 1], *self.cutoff)}

    def lower(self, to, rows, params) -> None:
        kernels = []
        for k, cutoff in zip(params["ksize"].tolist(), np.maximum(params["cutoff"], 1e-9)):
            r = np.hypot(*np.meshgrid(places(k), places(k)))
            r[k // 2, k // 2] = 1
            weights = cutoff * torch.special.bessel_j1(torch.from_numpy(cutoff * r)).numpy() / (2 * np.pi * r)
            weights[k // 2, k // 2] = cutoff**2 / (4 * np.pi)
            kernels.append(weights / weights.sum())
        points(to, rows, kernels)


class Defocus(Transform):
    """Defocus of a lens: the mean over a disc, whose edge is smoothed.

    Args:
        radius: range of the disc's radius, whole pixels, at least 1; a number n means (1, n).
        alias_blur: range of the sigma of the Gaussian that smooths the disc, at least 0; a number v means (0, v). 0 stands for
            one of its size, as ``cv2.GaussianBlur`` has it.
        p: probability, per sample.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded, float images keep their range. Targets: image.
    Source: albumentations ``Defocus``, ``cv2.filter2D``.

    Raises:
        ValueError: a range outside its bounds or out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Defocus((3, 3), p=1)])(np.full((3, 3), 7, np.uint8)).tolist()
        [[7, 7, 7], [7, 7, 7], [7, 7, 7]]
    """

    stencil = True

    def __init__(self, radius: IntRange = (3, 10), alias_blur: Range = (0.1, 0.5), p: float = 0.5):
        super().__init__(p)
        self.radius = whole("radius", (1, integer("radius", radius)) if is_number(radius) else radius, 1, 500)
        self.alias_blur = span("alias_blur", alias_blur, 0, 100, scalar="zero")

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"radius": integers(u[:, 0], *self.radius), "alias_blur": between(u[:, 1], *self.alias_blur)}

    def lower(self, to, rows, params) -> None:
        kernels = []
        for radius, sigma in zip(params["radius"].tolist(), params["alias_blur"].tolist()):
            at = np.arange(-max(8, radius), max(8, radius) + 1)
            disc = ((at**2)[:, None] + at**2 <= radius**2) / 1.0
            edge = gaussian(3 if radius <= 8 else 5, sigma)
            disc = np.pad(disc / disc.sum(), len(edge) // 2, mode="reflect")
            for _ in range(2):  # along the last axis, then along the other
                disc = np.stack([w * disc[:, i : i + len(at)] for i, w in enumerate(edge)]).sum(0).T
            kernels.append(disc)
        points(to, rows, kernels, clip=False)

"""Noise of sensors, of photons, of any distribution, and single grains."""

from __future__ import annotations

import numpy as np

from ..checks import boolean, increasing, one_of, real
from ..hints import Range
from ..transform import Transform
from ..uniforms import between, key, normal, spread
from .jitter import by_channel
from .noise import coarse


class ISONoise(Transform):
    """Noise of a camera's sensor: on hue and lightness.

    Args:
        color_shift: range of the hue's noise: times intensity its standard deviation in degrees; in [0, 1].
        intensity: range of the strength, at least 0: how many times the lightness' deviation is the mean of a Poisson number, and
            how far each of these leads to white.
        p: probability, per sample.

    Shapes and dtypes: 3 channels; computed in float32 as OpenCV's HLS; uint8 is rounded once, float images are clipped to 0..1.
    Targets: image. Source: albumentations ``ISONoise``.

    Raises:
        ValueError: a range outside its bounds or out of order; images of other channel counts (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> image = np.full((4, 4, 3), 100, np.uint8)  # no deviation: no noise of lightness, and gray has no hue
        >>> bool((G.Compose([G.ISONoise(p=1)])(image) == 100).all())
        True
    """

    ops = ("iso",)

    def __init__(self, color_shift: Range = (0.01, 0.05), intensity: Range = (0.1, 0.5), p: float = 0.5):
        super().__init__(p)
        self.color_shift = increasing("color_shift", color_shift, 0, 1)
        self.intensity = increasing("intensity", intensity, 0)

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        return {
            "color_shift": between(u[:, 0], *self.color_shift),
            "intensity": between(u[:, 1], *self.intensity),
            "key": key(u[:, 2:4]),
        }

    def lower(self, to, rows, params) -> None:
        if to.channels != 3:
            raise ValueError(f"ISONoise works on images of 3 channels, got {to.channels}")
        intensity = params["intensity"]
        to.op(
            rows,
            "iso",
            key=params["key"],
            width=to.size[rows][:, 1],
            hue=params["color_shift"] * intensity,
            intensity=intensity,
            whole=to.is_u8,
            deviation=to.reduce(rows, "lightness"),
        )


class MultiplicativeNoise(Transform):
    """Multiply by random numbers: one, one for each channel, or one for each pixel.

    Args:
        multiplier: range of the numbers, at least 0.
        per_channel: a number for each channel.
        elementwise: a number for each pixel.
        p: probability, per sample.

    Shapes and dtypes: any; uint8 is cut off to whole numbers, float images are clipped to 0..1. Targets: image.
    Source: albumentations ``MultiplicativeNoise``.

    Raises:
        ValueError: a range below 0 or out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.MultiplicativeNoise((0.5, 0.5), p=1)])(np.array([[100, 201]], np.uint8))
        array([[ 50, 100]], dtype=uint8)
    """

    ops = ("curve", "linear_channels", "multiply")

    def __init__(self, multiplier: Range = (0.9, 1.1), per_channel: bool = False, elementwise: bool = False, p: float = 0.5):
        super().__init__(p)
        self.multiplier = increasing("multiplier", multiplier, 0)
        self.per_channel = boolean("per_channel", per_channel)
        self.elementwise = boolean("elementwise", elementwise)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        if self.elementwise:
            return {"key": key(u)}
        count = view.channels if self.per_channel else 1
        return {"multiplier": between(spread(key(u), count), *self.multiplier)}

    def lower(self, to, rows, params) -> None:
        low, high = self.multiplier
        if self.elementwise:
            size = {"key": params["key"], "width": to.size[rows][:, 1]}
            to.op(rows, "multiply", **size, low=low, range=high - low, alike=not self.per_channel, whole=to.is_u8)
        else:
            by_channel(to, rows, params["multiplier"], np.zeros((1, 1)))


_KINDS = {"uniform": 0, "gaussian": 1, "laplace": 2, "beta": 3}  # AdditiveOp.kind
_QUANTILES = 1024
_PARAMS = {
    "uniform": {"ranges": [(-0.1, 0.1)]},
    "gaussian": {"mean_range": (0.0, 0.0), "std_range": (0.05, 0.15)},
    "laplace": {"mean_range": (0.0, 0.0), "scale_range": (0.05, 0.15)},
    "beta": {"alpha_range": (0.5, 1.5), "beta_range": (0.5, 1.5), "scale_range": (0.1, 0.3)},
}
_BOUNDS = {"mean_range": (-1, 1), "std_range": (0, 1), "scale_range": (0, 1)}


class AdditiveNoise(Transform):
    """Add noise of a distribution: one number for each channel, one for each pixel, or one for each pixel and channel.

    Args:
        noise_type: ``"uniform"``, ``"gaussian"``, ``"laplace"`` or ``"beta"``.
        spatial_mode: ``"constant"``, ``"shared"`` (by all channels) or ``"per_pixel"``.
        noise_params: of the distribution, as fractions of the largest value (255, or 1.0). uniform: "ranges", a list of one
            (low, high) for all channels, or one for each (of "constant"), in [-1, 1]. gaussian: "mean_range" in [-1, 1],
            "std_range" in [0, 1].
            laplace: "mean_range", "scale_range" in [0, 1]. beta: "alpha_range", "beta_range" at least 0, "scale_range": numbers
            of 0..1 are spread to -scale .. scale. None: (-0.1, 0.1); 0 and (0.05, 0.15), twice; (0.5, 1.5) twice and (0.1, 0.3).
        approximation: 0 to 1: below 1 the noise is drawn on a grid of that fraction of height and width, and interpolated.
        p: probability, per sample.

    Shapes and dtypes: any; on uint8 the noise is cut off to whole numbers before it is added, float images are clipped to 0..1.
    In the mode "constant" of "gaussian" and the others each channel gets its own number of one distribution. Targets: image.
    Source: albumentations ``AdditiveNoise``.

    Raises:
        ValueError: another type or mode; parameters that are missing, unknown or outside their bounds; ranges for fewer channels
            than images have (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.AdditiveNoise(noise_params={"ranges": [(0.1, 0.1)]}, p=1)
        >>> G.Compose([aug])(np.array([[100, 250]], np.uint8))
        array([[125, 255]], dtype=uint8)
    """

    ops = ("additive", "curve", "linear_channels")

    def __init__(
        self,
        noise_type: str = "uniform",
        spatial_mode: str = "constant",
        noise_params: dict | None = None,
        approximation: float = 1.0,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.noise_type = one_of("noise_type", noise_type, tuple(_KINDS))
        self.spatial_mode = one_of("spatial_mode", spatial_mode, ("constant", "per_pixel", "shared"))
        self.noise_params = _checked(self.noise_type, noise_params)
        self.approximation = real("approximation", approximation, 0, 1)

    def columns(self) -> int:
        return 5

    def draw(self, u, view):
        params = {"key": key(u[:, 3:5])}
        if self.noise_type != "uniform":
            for column, (name, limits) in enumerate(self.noise_params.items()):
                params[name.removesuffix("_range")] = between(u[:, column], *limits)
        if self.spatial_mode == "constant":
            params = {"noise": self._constant(params, view.channels)}
        return params

    def _constant(self, params: dict, channels: int) -> np.ndarray:
        """A number for each channel."""
        v = spread(params["key"], channels)
        if self.noise_type == "uniform":
            ranges = self.noise_params["ranges"]
            if len(ranges) not in (1, *range(channels, len(ranges) + 1)):
                raise ValueError(f"AdditiveNoise: ranges are for {len(ranges)} channels, images have {channels}")
            return between(v, *np.array(ranges[:1] * channels if len(ranges) == 1 else ranges[:channels]).T)
        shift, size = self._place(params)
        if self.noise_type == "gaussian":
            noise = normal(v)
        elif self.noise_type == "laplace":
            t = 2 * v - 1
            noise = -np.sign(t) * np.log1p(-np.abs(t) * (1 - 2.0**-33))
        else:
            place = v * (_QUANTILES - 1)
            at = np.minimum(place.astype(np.int64), _QUANTILES - 2)
            table = beta_quantiles(params["alpha"], params["beta"])
            low, high = np.take_along_axis(table, at, 1), np.take_along_axis(table, at + 1, 1)
            noise = low + (place - at) * (high - low)
        return np.reshape(shift, (-1, 1)) + np.reshape(size, (-1, 1)) * noise

    def _place(self, params: dict):
        """What is added to the noise's numbers, and what they are multiplied by."""
        if self.noise_type == "gaussian":
            return params["mean"], params["std"]
        if self.noise_type == "laplace":
            return params["mean"], params["scale"]
        return -params["scale"], 2 * params["scale"]

    def lower(self, to, rows, params) -> None:
        top = 255 if to.is_u8 else 1
        if self.spatial_mode == "constant":
            by_channel(to, rows, np.ones((len(params["noise"]), 1)), params["noise"] * top)
            return
        count = len(params["key"])
        if self.noise_type == "uniform":
            low, high = self.noise_params["ranges"][0]
            shift, size = low, high - low
        else:
            shift, size = self._place(params)
        table = np.zeros((count, 1))
        if self.noise_type == "beta":
            table = beta_quantiles(params["alpha"], params["beta"])
        to.op(
            rows,
            "additive",
            key=params["key"],
            kind=_KINDS[self.noise_type],
            a=np.asarray(shift) * top,
            b=np.asarray(size) * top,
            width=to.size[rows][:, 1],
            alike=self.spatial_mode == "shared",
            whole=to.is_u8,
            table=table,
            **coarse(to, rows, self.approximation),
        )


def beta_quantiles(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Quantiles ``[n, 1024]`` of beta distributions at 0 .. 1, by sums of the density on a grid that is fine at both ends.

    With x = sin(t)^2 the density of t, sin(t)^(2 a - 1) cos(t)^(2 b - 1), is finite for a and b from 0.5 on.
    """
    edges = np.linspace(0, np.pi / 2, 4 * _QUANTILES + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    a, b = (np.maximum(v, 1e-3)[:, None] for v in (alpha, beta))
    weight = (2 * a - 1) * np.log(np.sin(middle)) + (2 * b - 1) * np.log(np.cos(middle))
    mass = np.exp(weight - weight.max(1, keepdims=True))
    total = np.concatenate([np.zeros((len(mass), 1)), np.cumsum(mass, 1)], 1)
    total /= total[:, -1:]
    at = np.linspace(0, 1, _QUANTILES)
    return np.stack([np.sin(np.interp(at, line, edges)) ** 2 for line in total]) if len(total) else np.empty((0, _QUANTILES))


def _checked(kind: str, given: dict | None) -> dict:
    """The parameters of a distribution, or an error."""
    if given is not None and not isinstance(given, dict):
        raise TypeError(f"noise_params must be a dictionary or None, got {given!r}")
    wanted = _PARAMS[kind]
    given = wanted if given is None else {k: v for k, v in given.items() if k != "noise_type"}
    if given.keys() != wanted.keys():
        raise ValueError(f"noise_params of {kind!r} are {', '.join(wanted)}; got {', '.join(map(str, given)) or 'none'}")
    if kind != "uniform":
        return {name: increasing(f"noise_params {name}", given[name], *_BOUNDS.get(name, (0,))) for name in wanted}
    ranges = given["ranges"]
    if not isinstance(ranges, (list, tuple)) or not ranges:
        raise TypeError(f"noise_params ranges must be a list of pairs (low, high), got {ranges!r}")
    return {"ranges": [increasing("noise_params ranges", each, -1, 1) for each in ranges]}


class SaltAndPepper(Transform):
    """Make some pixels white and some black.

    Args:
        amount: range of the fraction of all pixels that change, in [0, 1].
        salt_vs_pepper: range of the fraction of those that become white, in [0, 1].
        p: probability, per sample.

    Shapes and dtypes: any; 255 (or 1.0) and 0 in all channels. The numbers of white and of black pixels are exact, as
    albumentations'.
    Targets: image. Source: albumentations ``SaltAndPepper``.

    Raises:
        ValueError: a range outside 0 .. 1 or out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> out = G.Compose([G.SaltAndPepper((0.5, 0.5), (0.5, 0.5), p=1)], seed=0)(np.full((8, 8), 100, np.uint8))
        >>> [int((out == v).sum()) for v in (0, 100, 255)]
        [16, 32, 16]
    """

    ops = ("speckle",)

    def __init__(self, amount: Range = (0.01, 0.06), salt_vs_pepper: Range = (0.4, 0.6), p: float = 0.5):
        super().__init__(p)
        self.amount = increasing("amount", amount, 0, 1)
        self.salt_vs_pepper = increasing("salt_vs_pepper", salt_vs_pepper, 0, 1)

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        area = view.size.astype(np.int64).prod(1)
        grains = (area * between(u[:, 0], *self.amount)).astype(np.int64)
        return {
            "grains": grains,
            "salt": (grains * between(u[:, 1], *self.salt_vs_pepper)).astype(np.int64),
            "key": key(u[:, 2:4]),
        }

    def lower(self, to, rows, params) -> None:
        h, w = to.size[rows].astype(np.int64).T
        to.op(
            rows,
            "speckle",
            key=params["key"],
            width=w,
            area=h * w,
            side=np.ceil(np.sqrt(h * w)).astype(np.int64),
            salt=params["salt"],
            grains=params["grains"],
            top=255 if to.is_u8 else 1,
        )


class ShotNoise(Transform):
    """Noise of photons: each value, as linear light, is replaced by a Poisson number.

    Args:
        scale_range: range of what one photon is worth, at least 0 (which counts as 1e-9): more is noisier.
        p: probability, per sample.

    Shapes and dtypes: any; uint8 is rounded, float images are clipped to 0..1. Light is value^2.2. Numbers with means above 32
    are those of an expansion about the normal distribution. Targets: image. Source: albumentations ``ShotNoise``.

    Raises:
        ValueError: a range below 0 or out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> out = G.Compose([G.ShotNoise((0.1, 0.1), p=1)], seed=0)(np.full((64, 64), 0.5, np.float32))
        >>> bool(abs((out**2.2).mean() - 0.5**2.2) < 0.01)
        True
    """

    ops = ("shot",)

    def __init__(self, scale_range: Range = (0.1, 0.3), p: float = 0.5):
        super().__init__(p)
        self.scale_range = increasing("scale_range", scale_range, 0)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        return {"scale": between(u[:, 0], *self.scale_range), "key": key(u[:, 1:3])}

    def lower(self, to, rows, params) -> None:
        scale = np.maximum(params["scale"], 1e-9)
        to.op(rows, "shot", key=params["key"], scale=scale, width=to.size[rows][:, 1], whole=to.is_u8)

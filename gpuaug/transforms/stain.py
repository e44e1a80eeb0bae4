"""Stains of histology."""

from __future__ import annotations

import numpy as np

from ..checks import boolean, increasing, one_of
from ..hints import Range
from ..hosted import on_host
from ..transform import Transform
from ..uniforms import between

# optical densities of hematoxylin and eosin, red, green and blue
_STAINS = {
    "ruifrok": [[0.644211, 0.716556, 0.266844], [0.092789, 0.954111, 0.283111]],
    "macenko": [[0.5626, 0.7201, 0.4062], [0.2159, 0.8012, 0.5581]],
    "standard": [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]],
    "high_contrast": [[0.55, 0.88, 0.11], [0.12, 0.86, 0.49]],
    "h_heavy": [[0.75, 0.61, 0.32], [0.04, 0.93, 0.36]],
    "e_heavy": [[0.60, 0.75, 0.28], [0.17, 0.95, 0.25]],
    "dark": [[0.78, 0.55, 0.28], [0.09, 0.97, 0.21]],
    "light": [[0.57, 0.71, 0.38], [0.15, 0.89, 0.42]],
}


_THIN = 0.05  # of an optical density: what is no tissue for "macenko"


def densities(image: np.ndarray) -> np.ndarray:
    """Optical densities of an image ``[H, W, 3]``, float32 ``[3, pixels]``."""
    values = image.reshape(-1, 3).T.astype(np.float32)
    return -np.log(np.maximum(values / np.float32(255) if image.dtype == np.uint8 else values, np.float32(1e-6)))


def macenko(density: np.ndarray) -> np.ndarray:
    """Two stains ``[2, 3]``: the outermost directions, less a hundredth, of the plane in which densities vary (Macenko 2009)."""
    tissue = density[:, (density > _THIN).any(0)].astype(np.float64)
    if not tissue.shape[1]:
        raise ValueError(f"no pixel has an optical density above {_THIN}; use a preset for images without tissue")
    vectors = np.linalg.eigh(np.cov(tissue, bias=True).reshape(3, 3))[1][:, 1:]  # the second direction, and the first
    plane = vectors * np.sign(vectors[np.abs(vectors).argmax(0), [0, 1]])
    x, y = plane.T @ tissue
    angle = np.percentile(np.arctan2(y, x), [1, 99])
    stains = np.abs(np.stack([np.cos(angle), np.sin(angle)], 1) @ plane.T)
    stains /= np.sqrt((stains**2).sum(1, keepdims=True) + 1e-8)
    return stains if stains[0, 0] > stains[1, 0] else stains[::-1]


def vahadane(density: np.ndarray) -> np.ndarray:
    """Two stains ``[2, 3]`` of which, times amounts that are not negative, densities are made (Vahadane 2016): a hundred steps
    of a factorization that starts from the stains of "ruifrok"."""
    stains, tiny = np.float32(_STAINS["ruifrok"]), np.float32(1e-6)
    amounts = np.maximum(_unit(stains) @ density, 0)
    for _ in range(100):
        amounts *= (stains @ density) / ((stains @ stains.T) @ amounts + tiny)
        np.maximum(amounts, 0, out=amounts)
        stains = stains * ((amounts @ density.T) / ((amounts @ amounts.T) @ stains + tiny))
        stains = _unit(np.maximum(stains, 0))
    angle = np.mod(np.arctan2(stains[:, 1], stains[:, 0]), np.pi)
    red, blue = stains[:, 0] / (stains.sum(1) + tiny), stains[:, 2] / (stains.sum(1) + tiny)
    first = int(np.argmax(angle * blue - red))
    return stains[[first, 1 - first]]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.sqrt((vectors**2).sum(1, keepdims=True))


class HEStain(Transform):
    """Change the amounts of the stains hematoxylin and eosin.

    Args:
        method: ``"preset"``, or ``"random_preset"``, one of them for each image; ``"macenko"`` and ``"vahadane"`` find the
            stains of each image, on the host.
        preset: the stains' colours, of "preset": None ("standard"), or one of "ruifrok", "macenko", "standard", "high_contrast",
            "h_heavy", "e_heavy", "dark", "light".
        intensity_scale_range: range of the factors on the amounts, one for each stain, at least 0.
        intensity_shift_range: range of what is added to them, in [-1, 1].
        augment_background: change all pixels; else those whose brightness is below 0.85.
        p: probability, per sample.

    "macenko" looks in the plane of the two main directions, as published; albumentations takes parts of all three by mistake.

    Shapes and dtypes: 3 channels; all pixels become what two stains can make of them; uint8 is rounded, float images (0..1) are
    clipped. Targets: image. Source: albumentations ``HEStain``.

    Raises:
        ValueError: another method or preset, a preset for "random_preset", a range outside its bounds or out of order; images of
            other channel counts, or without tissue for "macenko".

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.HEStain(p=1)], seed=0)(np.full((1, 1, 3), 255, np.uint8)).tolist()
        [[[255, 255, 255]]]
    """

    ops = ("stain",)

    def __init__(
        self,
        method: str = "random_preset",
        preset: str | None = None,
        intensity_scale_range: Range = (0.7, 1.3),
        intensity_shift_range: Range = (-0.2, 0.2),
        augment_background: bool = False,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.method = one_of("method", method, ("preset", "random_preset", "vahadane", "macenko"))
        if method == "random_preset" and preset is not None:
            raise ValueError(f"preset must be None for method 'random_preset', got {preset!r}")
        self.preset = None if method != "preset" else one_of("preset", preset or "standard", tuple(_STAINS))
        self.intensity_scale_range = increasing("intensity_scale_range", intensity_scale_range, 0)
        self.intensity_shift_range = increasing("intensity_shift_range", intensity_shift_range, -1, 1)
        self.augment_background = boolean("augment_background", augment_background)

    def columns(self) -> int:
        return 5

    def draw(self, u, view):
        which = np.full(len(u), list(_STAINS).index(self.preset or "standard"))
        if self.method == "random_preset":
            which = np.floor(u[:, 0] * len(_STAINS)).astype(np.int64)
        return {
            "stains": which,
            "scale": between(u[:, 1:3], *self.intensity_scale_range),
            "shift": between(u[:, 3:5], *self.intensity_shift_range),
        }

    def lower(self, to, rows, params) -> None:
        if to.channels != 3:
            raise ValueError(f"HEStain works on images of 3 channels, got {to.channels}")
        stains = np.array(list(_STAINS.values()))[params["stains"]]  # [n, 2, 3]
        if self.method in ("macenko", "vahadane"):
            find = macenko if self.method == "macenko" else vahadane

            def look(k: int, image: np.ndarray) -> np.ndarray:
                stains[k] = find(densities(image))
                return image

            on_host(to, rows, look, f"stains by {self.method}", pure=True)
        back = stains.swapaxes(1, 2)
        amounts = np.linalg.solve(stains @ back + 1e-6 * np.eye(2), stains)  # of each stain, by densities
        changed = np.concatenate([back * params["scale"][:, None] @ amounts, back @ params["shift"][..., None]], 2)
        kept = changed if self.augment_background else np.concatenate([back @ amounts, np.zeros((len(back), 3, 1))], 2)
        to.op(rows, "stain", whole=to.is_u8, table=np.stack([changed, kept], 1))

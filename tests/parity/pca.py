"""Colour along the directions in which it varies."""

from __future__ import annotations

import albumentations as A
import albumentations.augmentations.pixel.functional as F
import numpy as np
import scipy.stats

import gpuaug as G
from gpuaug.uniforms import philox

from .about import PIXELS, about, unsteady
from .case import FLOAT, Bound, add, bounds

# an image of two values has few sums, of which one near a half is a hundred values and more
BYTES = Bound(0, 1, 0.998, "one rounding of a sum that is near a half")


def words(u, count: int, what: int = 0) -> np.ndarray:
    """`count` uniforms from a key of two uniforms."""
    key = [int(v * 2.0**32) for v in u]
    return (philox(np.arange(-(-count // 4)), what, 0, 0, *key).ravel()[:count]) * 2.0**-32


def positive(vectors: np.ndarray) -> np.ndarray:
    """Signs that make the largest part of each column positive."""
    return np.sign(vectors[np.abs(vectors).argmax(0), np.arange(vectors.shape[1])])


def _fancy(note, **kwargs):
    aug = A.FancyPCA(p=1, **kwargs)

    class Luck:
        def __init__(self, u):
            self.u = u

        def normal(self, mean, deviation, size):
            return mean + deviation * scipy.stats.norm.ppf(np.maximum(words(self.u, size), 2.0**-33))

    def run(image, u, kind):
        aug.random_generator = Luck(u)
        alpha = aug.get_params_dependent_on_data({"shape": image.shape}, {})["alpha_vector"]
        n = image.shape[2]
        if n > 1:  # the reference's directions have LAPACK's signs: turned, they are ours
            values = (image / np.float32(255) if image.dtype == np.uint8 else image).reshape(-1, n)
            centred = values - np.mean(values, axis=0)
            alpha = alpha * positive(np.linalg.eigh(np.cov(centred, rowvar=False))[1][:, ::-1])
        return aug.apply(image, alpha_vector=alpha)

    # float: the sum of n products of float32 directions and variances below 0.1 in all, times alpha: as other float32 sums
    add(
        G.FancyPCA(p=1, **kwargs),
        run,
        "albumentations, directions turned",
        bounds(BYTES, FLOAT),
        # several directions of equal variance have no order: of images in which two channels are alike, or a few pixels
        keep=lambda image: image.shape[0] * image.shape[1] > 15 and image.std() > 0,
        note=note,
    )


_fancy("defaults")
_fancy("strong", alpha=1.0)

about(
    "FancyPCA",
    family="no: directions of nearly equal variance turn with the last bit of a value",
    marks=PIXELS,
    bench={},
    shown={"alpha": 2.0},
    gain=unsteady,  # directions of nearly equal variance turn
    bound=lambda transform, dtype: FLOAT if dtype == "float32" else BYTES,
)


class Positive(F.PCA):
    """albumentations' principal components, their signs as ours."""

    def fit(self, x):
        super().fit(x)
        self.components_ = self.components_ * positive(self.components_.T)[:, None]

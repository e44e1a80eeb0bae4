"""Colour along the directions in which it varies."""

from __future__ import annotations

import albumentations.augmentations.pixel.functional as F

import gpuaug as G
from gpuaug.interop.parity.luck import positive
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about, unsteady
from .case import FLOAT, Bound, add, bounds

# an image of two values has few sums, of which one near a half is a hundred values and more
BYTES = Bound(0, 1, 0.998, "one rounding of a sum that is near a half")


def _fancy(note, **kwargs):
    ours = G.FancyPCA(p=1, **kwargs)
    beside = reference(ours)
    # float: the sum of n products of float32 directions and variances below 0.1 in all, times alpha: as other float32 sums
    add(
        ours,
        beside.run,
        beside.source,
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

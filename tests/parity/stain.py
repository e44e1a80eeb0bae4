"""Stains of histology."""

from __future__ import annotations

import albumentations as A
import albumentations.augmentations.pixel.functional as F
import cv2

import gpuaug as G

from .about import PIXELS, about
from .case import Bound, Script, add, albumentations, bounds
from .pca import positive

# Optical densities up to 13.8 are right to 2e-7 of that and more: logarithm, three products with factors up to 4, exponential:
# 5e-5 at most where results are near 1; and a pixel whose brightness is 0.85 to 6e-8 is tissue on one side alone
_BOUND = bounds(Bound(0, 255, 0.999, "one rounding"), Bound(1e-4, 1, 0.999, "logarithms and exponentials in float32"))
for _note, _args in (
    ("defaults", {}),
    ("preset", {"method": "preset", "preset": "h_heavy", "intensity_scale_range": (0.2, 2.0)}),
    ("background", {"method": "preset", "augment_background": True, "intensity_shift_range": (-1, 1)}),
):
    _random = "method" not in _args
    add(
        G.HEStain(p=1, **_args),
        albumentations(A.HEStain(p=1, **_args), Script if _random else lambda u: Script(u[1:])),
        "albumentations",
        _BOUND,
        channels=(3,),
        note=_note,
    )


class _Turned:
    """OpenCV, whose eigenvectors are columns, their largest part positive: albumentations reads its rows as columns."""

    def __getattr__(self, name):
        return getattr(cv2, name)

    def eigen(self, matrix):
        ok, values, rows = cv2.eigen(matrix)
        return ok, values, rows.T * positive(rows.T)


# Sums over 50,000 pixels in float32 are right to 1e-4, and so are stains; their densities, of 5 where it matters, to 5e-4 times
# the factors on them
def _found(method, keep):
    aug = A.HEStain(method=method, p=1)

    def run(image, u, kind):
        aug.py_random = Script(u[1:])
        F.cv2 = _Turned()
        try:
            return aug.apply(image, **aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image}))
        finally:
            F.cv2 = cv2

    add(
        G.HEStain(method=method, p=1),
        run,
        "albumentations, eigenvectors as columns",
        bounds(Bound(1, 255, 0.99, "stains in float32"), Bound(2e-3, 1, 0.99, "stains in float32")),
        channels=(3,),
        keep=keep,
        note=method,
    )


# of a few pixels there is no plane, and white has no densities
_found("macenko", lambda image: image.shape[0] * image.shape[1] > 100)
_found("vahadane", lambda image: image.shape[0] * image.shape[1] > 100)
about(
    "HEStain",
    family="no: it takes 3 channels alone",
    marks=PIXELS,
    bench={},
    variants=[{"augment_background": True, "intensity_shift_range": (-1, 1)}],
)

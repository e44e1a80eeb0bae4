"""Sharpening."""

from __future__ import annotations

import albumentations as A

import gpuaug as G

from .about import PIXELS, about, unsteady
from .case import Bound, add, albumentations, bounds


# Sums in another order differ by 4e-6 at most (see FLOAT); a difference from the blur that lies so near the threshold is in the
# mask on one side alone. That moves the blurred mask by a weight of at most 1, and the result by alpha times that difference,
# which is below (threshold + 0.01) / 255. On photographs few are so near; of noise more are
def _bound(threshold):
    far = 0.5 * (threshold + 0.01) / 255 + 1e-5
    return bounds(
        Bound(0, 1 + int(255 * far), 0.995, "one rounding; a mask's edge"), Bound(1e-5, far, 0.995, "float32 sums; a mask's edge")
    )


for _note, _kwargs in (
    ("defaults", {}),
    ("sigma", {"blur_limit": (3, 15), "sigma_limit": (0.5, 3.0), "alpha": (0.5, 0.5), "threshold": 3}),
    ("9 to 13", {"blur_limit": (9, 13), "alpha": (0.0, 0.5)}),
):
    add(
        G.UnsharpMask(p=1, **_kwargs),
        albumentations(A.UnsharpMask(p=1, **_kwargs)),
        "albumentations",
        _bound(_kwargs.get("threshold", 10)),
        note=_note,
    )

about(
    "UnsharpMask",
    family="blur",
    marks=PIXELS,
    bench={},
    shown={"threshold": 3},
    variants=[{"blur_limit": (9, 13), "sigma_limit": (0.5, 3.0)}],
    gain=unsteady,  # a threshold
    bound=lambda transform, dtype: _bound(10)[dtype],
)

"""Sharpening."""

from __future__ import annotations

import albumentations as A

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import PIXELS, about, unsteady
from .case import FLOAT, ROUNDED, Bound, add, albumentations, bounds

# nine products in float32, whose sizes add up to 34 at most (alpha 1, strength 5: 6 + 4 * 5 and as many of the other sign)
STRONG = Bound(1e-5, 1e-5, 1.0, "float32 sums in another order")


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

for _note, _kwargs in (("kernel", {}), ("kernel, strong", {"alpha": (0, 1), "lightness": (0, 5)})):
    add(
        G.Sharpen(p=1, **_kwargs),
        albumentations(A.Sharpen(p=1, **_kwargs)),
        "albumentations",
        bounds(ROUNDED, STRONG),
        note=_note,
    )
for _note, _kwargs in (("defaults", {}), ("strong", {"alpha": (0, 1), "strength": (0, 5)})):
    add(G.Emboss(p=1, **_kwargs), albumentations(A.Emboss(p=1, **_kwargs)), "albumentations", bounds(ROUNDED, STRONG), note=_note)


def _gaussian(note, **kwargs):
    ours = G.Sharpen(p=1, method="gaussian", **kwargs)
    beside = reference(ours)
    # a whole number in float64 may be one less in float32, and is cut off
    add(
        ours,
        beside.run,
        beside.source,
        bounds(Bound(0, 1, 0.999, "a whole number is cut off"), FLOAT),
        note=note,
    )


_gaussian("gaussian")
_gaussian("gaussian, wide", kernel_size=11, sigma=3.0, alpha=(0, 1))

for _name in ("Sharpen", "Emboss"):
    about(
        _name,
        family="colour",  # it clips, as no blur does
        marks=PIXELS,
        bench={},
        variants=[{"method": "gaussian"}] if _name == "Sharpen" else [],
        gain=unsteady,
        bound=lambda transform, dtype: STRONG if dtype == "float32" else ROUNDED,
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

"""Distortions, by the maps that albumentations makes of what we drew."""

from __future__ import annotations

from functools import partial

import gpuaug as G
from gpuaug.interop.parity.references import reference

from .about import about
from .affine import LINEAR, TIES, cubic_gain, warped
from .case import GATHER_U8, LANCZOS_REMAP, NEAREST, SAME, add


def beside(cls, note: str, bound: dict, channels=(1, 3), keep=lambda image: True, exact_mask=False, **kwargs) -> None:
    ours = cls(p=1, **kwargs)
    made = reference(ours)
    add(ours, made.run, made.source, bound, channels=channels, mask=True, note=note, keep=keep, exact_mask=exact_mask)


optical, elastic = partial(beside, G.OpticalDistortion), partial(beside, G.ElasticTransform)
optical("camera", LINEAR, (1, 3, 4, 20))
optical("camera wide", LINEAR, distort_limit=0.7, border_mode=1)
optical("fisheye", LINEAR, (1, 3, 4, 20), mode="fisheye")
optical("fisheye wide", LINEAR, mode="fisheye", distort_limit=(-0.6, 0.9), border_mode=2)
optical("fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, distort_limit=(0.3, 0.9))
optical("nearest", TIES, (3,), mode="fisheye", interpolation=0, distort_limit=0.5)
optical("cubic", LINEAR, (3,), interpolation=2, distort_limit=0.5)
optical("Lanczos", LANCZOS_REMAP, (3,), interpolation=4, distort_limit=0.5)


def grid(note: str, bound: dict, channels=(1, 3), **kwargs) -> None:
    ours = G.GridDistortion(**kwargs)

    def keep(image):
        """Where the sides leave over more than a cell, albumentations reads all beyond it at 0; not normalized, it squeezes a
        whole cell into less than one."""
        steps = ours.num_steps
        return all(side >= steps and side % steps <= (side // steps if ours.normalized else 0) for side in image.shape[:2])

    beside(G.GridDistortion, note, bound, channels, keep, **kwargs)


grid("area", LINEAR, (3,), interpolation=3, distort_limit=0.2)
grid("defaults", LINEAR, (1, 3, 4, 20))
grid("wide", LINEAR, distort_limit=(-0.9, 1), num_steps=3, border_mode=1)
grid("not normalized", LINEAR, normalized=False, num_steps=7)
grid("fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, normalized=False, num_steps=7, distort_limit=(0.1, 0.9))
grid("nearest", TIES, (3,), interpolation=0)
grid("cubic", LINEAR, (3,), interpolation=2)
grid("Lanczos", LANCZOS_REMAP, (3,), interpolation=4)


elastic("defaults", LINEAR, (1, 3))
elastic("strong", LINEAR, (1, 3, 4, 20), alpha=120, sigma=6)
elastic("uniform", LINEAR, alpha=20, sigma=3, noise_distribution="uniform", border_mode=2)
elastic("one field", LINEAR, (3,), alpha=60, sigma=4, same_dxdy=True, border_mode=1)
elastic("approximate", LINEAR, (3,), alpha=300, sigma=8, approximate=True)
elastic("fill", {"uint8": GATHER_U8}, (3,), alpha=90, sigma=4, fill=(10, 200, 90), fill_mask=7)
elastic("nearest", TIES, (3,), interpolation=0, alpha=120, sigma=6)
elastic("cubic", LINEAR, (3,), interpolation=2, alpha=120, sigma=6)
elastic("Lanczos", LANCZOS_REMAP, (3,), interpolation=4, alpha=120, sigma=6)


def shuffle(note: str, grid) -> None:
    # of tiles without pixels albumentations makes groups that it meets in another order
    keep = lambda image: image.shape[0] >= grid[0] and image.shape[1] >= grid[1]  # noqa: E731
    beside(G.RandomGridShuffle, note, SAME, (1, 3, 4, 20), keep, exact_mask=True, grid=grid)


shuffle("defaults", (3, 3))
shuffle("many", (4, 7))

about(
    "RandomGridShuffle",
    family="turn",
    marks="no: test_distort.py compares keypoints; boxes are cut into pieces",
    bench={},
    variants=[{"grid": (5, 2)}],
    moved="no: it cuts images into pieces; test_distort.py",
)

_MILD = {
    # a dot on a place that bends has its centre beside it: sigma^2 / 2 times what its place bends by, at a side
    # 0.24 alpha / 3.5 / 20^2 0.5: 0.01 pixels, three times that, and twice in a crop that enlarges by 1.4
    "ElasticTransform": {"alpha": 50, "sigma": 20},
    "OpticalDistortion": {"distort_limit": 0.25},
    # a dot across two cells of different widths has its centre beside its middle: 0.4 sigma (1 / 0.96 - 1 / 1.04) = 0.07 pixels
    # (normalized)
    "GridDistortion": {"distort_limit": 0.02},
}
for _name, _variants in (
    (
        "ElasticTransform",
        [
            {"alpha": 300, "sigma": 8, "approximate": True, "interpolation": 0},
            {"alpha": 60, "sigma": 4, "same_dxdy": True, "interpolation": 2, "border_mode": 4},
            {"alpha": 30, "sigma": 3, "noise_distribution": "uniform", "fill": 9},
            {"alpha": 60, "sigma": 6, "alpha_affine": 4, "border_mode": 4},
        ],
    ),
    (
        "OpticalDistortion",
        [
            {"distort_limit": 0.9, "interpolation": 0},
            {"mode": "fisheye", "interpolation": 2, "border_mode": 4},
            {"distort_limit": 0.5, "shift_limit": 4, "border_mode": 4},
        ],
    ),
    ("GridDistortion", [{"interpolation": 0, "normalized": False, "fill": 9}, {"interpolation": 2, "border_mode": 4}]),
):
    about(
        _name,
        family="warp",
        marks="no: albumentations' own are found in masks; test_distort.py compares them within a pixel or two",
        bench={"alpha": 120, "sigma": 6} if _name == "ElasticTransform" else {},
        shown={"alpha": 120, "sigma": 6} if _name == "ElasticTransform" else {"distort_limit": 0.5},
        variants=_variants,
        gain=cubic_gain,
        bound=warped,
        mask_bound=NEAREST,
        moved=_MILD[_name],
        turns=_name != "GridDistortion",
    )

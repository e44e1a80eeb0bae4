"""Distortions, by the maps that albumentations makes of what we drew."""

from __future__ import annotations

from unittest.mock import patch

import albumentations as A
import numpy as np
from albumentations.augmentations.geometric import functional
from scipy.interpolate import BSpline

import gpuaug as G
from gpuaug.transform import View

from .about import about
from .affine import LINEAR, TIES, cubic_gain, warped
from .case import GATHER_U8, LANCZOS_REMAP, NEAREST, SAME, Script, add, filled, parameters


def centred(params: dict) -> dict:
    """Its camera has its centre at (w - 1) / 2 in the result, and at w / 2 in the image: half a pixel away without a
    distortion."""
    return {**params, "map_x": params["map_x"] - np.float32(0.5), "map_y": params["map_y"] - np.float32(0.5)}


def optical(note: str, bound: dict, channels=(1, 3), keep=lambda image: True, **kwargs) -> None:
    theirs = A.OpticalDistortion(p=1, **kwargs)

    def run(image, u, kind):
        params = parameters(theirs, image, Script(u))
        return filled(theirs, image, centred(params) if theirs.mode == "camera" else params, kind)

    add(
        G.OpticalDistortion(p=1, **kwargs),
        run,
        "albumentations' map, cv2.remap"
        + ("; the camera's without its shift by half a pixel" if theirs.mode == "camera" else ""),
        bound,
        channels=channels,
        mask=True,
        note=note,
        keep=keep,
        exact_mask=False,
    )


optical("camera", LINEAR, (1, 3, 4, 20))
optical("camera wide", LINEAR, distort_limit=0.7, border_mode=1)
optical("fisheye", LINEAR, (1, 3, 4, 20), mode="fisheye")
optical("fisheye wide", LINEAR, mode="fisheye", distort_limit=(-0.6, 0.9), border_mode=2)
optical("fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, distort_limit=(0.3, 0.9))
optical("nearest", TIES, (3,), mode="fisheye", interpolation=0, distort_limit=0.5)
optical("cubic", LINEAR, (3,), interpolation=2, distort_limit=0.5)
optical("Lanczos", LANCZOS_REMAP, (3,), interpolation=4, distort_limit=0.5)


def without_end(*args):
    return np.linspace(*args, endpoint=False)


class Numpy:
    """NumPy, whose linspace stops before its end: albumentations shows the last pixel of each cell twice, the next one's
    first."""

    linspace = staticmethod(without_end)

    def __getattr__(self, name):
        return getattr(np, name)


def grid(note: str, bound: dict, channels=(1, 3), **kwargs) -> None:
    theirs = A.GridDistortion(p=1, **kwargs)

    def run(image, u, kind):
        with patch.object(functional, "np", Numpy()):
            params = parameters(theirs, image, Script(u))
        return filled(theirs, image, params, kind)

    steps = theirs.num_steps
    add(
        G.GridDistortion(p=1, **kwargs),
        run,
        "albumentations' map with cells that end where the next begins, cv2.remap",
        bound,
        channels=channels,
        mask=True,
        note=note,
        # where the sides leave over more than a cell, albumentations reads all beyond it at 0; not normalized, it squeezes a
        # whole cell into less than one
        keep=lambda image: all(
            side >= steps and side % steps <= (side // steps if theirs.normalized else 0) for side in image.shape[:2]
        ),
        exact_mask=False,
    )


grid("area", LINEAR, (3,), interpolation=3, distort_limit=0.2)
grid("defaults", LINEAR, (1, 3, 4, 20))
grid("wide", LINEAR, distort_limit=(-0.9, 1), num_steps=3, border_mode=1)
grid("not normalized", LINEAR, normalized=False, num_steps=7)
grid("fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, normalized=False, num_steps=7, distort_limit=(0.1, 0.9))
grid("nearest", TIES, (3,), interpolation=0)
grid("cubic", LINEAR, (3,), interpolation=2)
grid("Lanczos", LANCZOS_REMAP, (3,), interpolation=4)


def surface(transform, size, u) -> np.ndarray:
    """Displacements ``[h, w, 2]`` that a transform drew, from its control points by SciPy's splines."""
    params = transform.draw(u[None], View(np.array([size]), 3, "uint8"))
    shift = params["shift"].of(0).astype(np.float64)
    if transform.approximate:
        return shift.reshape(*size, 2)
    basis = []
    for side, nodes in zip(size, params["nodes"][0].tolist()):
        at = np.linspace(0, nodes - 3, side) if side > 1 else np.zeros(1)
        basis.append(BSpline.design_matrix(at, np.arange(-3, nodes + 1), 3).toarray())
    return np.einsum("yj,jic,xi->yxc", basis[0], shift.reshape(*params["nodes"][0], 2), basis[1], optimize=True)


def elastic(note: str, bound: dict, channels=(1, 3), **kwargs) -> None:
    ours, theirs = G.ElasticTransform(p=1, **kwargs), A.ElasticTransform(p=1, **kwargs)

    def run(image, u, kind):
        h, w = image.shape[:2]
        place = surface(ours, (h, w), u) + np.stack(np.meshgrid(np.arange(w), np.arange(h)), 2)
        maps = {"map_x": place[..., 0].astype(np.float32), "map_y": place[..., 1].astype(np.float32)}
        return filled(theirs, image, maps, kind)

    add(
        ours,
        run,
        "our displacements (test_distort.py compares their statistics), cv2.remap",
        bound,
        channels=channels,
        mask=True,
        note=note,
        exact_mask=False,
    )


elastic("defaults", LINEAR, (1, 3))
elastic("strong", LINEAR, (1, 3, 4, 20), alpha=120, sigma=6)
elastic("uniform", LINEAR, alpha=20, sigma=3, noise_distribution="uniform", border_mode=2)
elastic("one field", LINEAR, (3,), alpha=60, sigma=4, same_dxdy=True, border_mode=1)
elastic("approximate", LINEAR, (3,), alpha=300, sigma=8, approximate=True)
elastic("fill", {"uint8": GATHER_U8}, (3,), alpha=90, sigma=4, fill=(10, 200, 90), fill_mask=7)
elastic("nearest", TIES, (3,), interpolation=0, alpha=120, sigma=6)
elastic("cubic", LINEAR, (3,), interpolation=2, alpha=120, sigma=6)
elastic("Lanczos", LANCZOS_REMAP, (3,), interpolation=4, alpha=120, sigma=6)


class Shuffles(Script):
    """Orders what it is given by the next uniforms."""

    def shuffle(self, items):
        luck = [next(self._uniforms) for _ in items]
        items[:] = [items[k] for k in np.argsort(luck, kind="stable")]


def shuffled(image, u, grid) -> dict:
    """albumentations' parameters: it draws one order for each shape of tiles, shapes in the order in which they are met; ours has
    a uniform for each tile."""
    theirs = A.RandomGridShuffle(grid, p=1)
    theirs.py_random = theirs.random_generator = Shuffles(u[: sum(grid)])
    tiles = functional.split_uniform_grid(image.shape[:2], grid, theirs.random_generator)
    groups = functional.create_shape_groups(tiles)
    luck = Shuffles([u[sum(grid) + tile] for tiles_ in groups.values() for tile in tiles_])
    return {"tiles": tiles, "mapping": functional.shuffle_tiles_within_shape_groups(groups, luck), "shape": image.shape}


def shuffle(note: str, grid) -> None:
    theirs = A.RandomGridShuffle(grid, p=1)

    def run(image, u, kind):
        apply = theirs.apply if kind == "image" else theirs.apply_to_mask
        return apply(image, **shuffled(image, u, grid))

    # of tiles without pixels albumentations makes groups that it meets in another order
    keep = lambda image: image.shape[0] >= grid[0] and image.shape[1] >= grid[1]  # noqa: E731
    add(G.RandomGridShuffle(grid, p=1), run, "albumentations", SAME, channels=(1, 3, 4, 20), mask=True, note=note, keep=keep)


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

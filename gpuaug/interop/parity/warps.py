"""References of distortions: albumentations' maps of what gpuaug drew, and the images that OpenCV makes of them."""

from __future__ import annotations

from unittest.mock import patch

import albumentations as A
import numpy as np
import scipy.special
from albumentations.augmentations.geometric import functional
from albumentations.augmentations.pixel import functional as pixel
from scipy.interpolate import BSpline

from .driven import Script, albumentations, filled, parameters
from .luck import drawn
from .made import Reference, theirs

HALF = np.float32(0.5)


class _Numpy:
    """NumPy with something of it replaced, for albumentations' module."""

    def __init__(self, **other):
        self.__dict__.update(other)

    def __getattr__(self, name):
        return getattr(np, name)


# albumentations shows the last pixel of each cell twice, the next one's first: its linspace is to stop before its end
_WITHOUT_END = _Numpy(linspace=lambda *args: np.linspace(*args, endpoint=False))
# albumentations solves 19 equations in float32, and is off by up to 0.02 pixels
_DOUBLE = _Numpy(float32=np.float64)


class _Deviates(Script):
    """Given normal deviates."""

    def normal(self, mean, scale, size):
        return mean + scale * next(self._blocks).reshape(size)


def centred(params: dict) -> dict:
    """Its camera has its centre at (w - 1) / 2 in the result, and at w / 2 in the image: half a pixel away without a
    distortion."""
    return {**params, "map_x": params["map_x"] - HALF, "map_y": params["map_y"] - HALF}


def optical(transform) -> Reference:
    aug = theirs(transform)
    camera = aug.mode == "camera"

    def run(image, u, kind="image"):
        params = parameters(aug, image, Script(u))
        return filled(aug, image, centred(params) if camera else params, kind)

    return Reference(
        run, "albumentations' map, cv2.remap" + ("; the camera's without its shift by half a pixel" if camera else "")
    )


def grid(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        with patch.object(functional, "np", _WITHOUT_END):
            params = parameters(aug, image, Script(u))
        return filled(aug, image, params, kind)

    return Reference(run, "albumentations' map with cells that end where the next begins, cv2.remap")


def surface(transform, image, u) -> np.ndarray:
    """Displacements ``[h, w, 2]`` that a transform drew, from its control points by SciPy's splines."""
    size, params = image.shape[:2], drawn(transform, image, u)
    shift = params["shift"].of(0).astype(np.float64)
    if transform.approximate:
        return shift.reshape(*size, 2)
    basis = []
    for side, nodes in zip(size, params["nodes"][0].tolist()):
        at = np.linspace(0, nodes - 3, side) if side > 1 else np.zeros(1)
        basis.append(BSpline.design_matrix(at, np.arange(-3, nodes + 1), 3).toarray())
    return np.einsum("yj,jic,xi->yxc", basis[0], shift.reshape(*params["nodes"][0], 2), basis[1], optimize=True)


def elastic(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        h, w = image.shape[:2]
        place = surface(transform, image, u) + np.stack(np.meshgrid(np.arange(w), np.arange(h)), 2)
        maps = {"map_x": place[..., 0].astype(np.float32), "map_y": place[..., 1].astype(np.float32)}
        return filled(aug, image, maps, kind)

    return Reference(run, "our displacements (test_distort.py compares their statistics), cv2.remap")


class _Shuffles(Script):
    """Orders what it is given by the next uniforms."""

    def shuffle(self, items):
        luck = [next(self._uniforms) for _ in items]
        items[:] = [items[k] for k in np.argsort(luck, kind="stable")]


def shuffled(image, u, grid) -> dict:
    """albumentations' parameters: it draws one order for each shape of tiles, shapes in the order in which they are met; ours has
    a uniform for each tile."""
    aug = A.RandomGridShuffle(grid, p=1)
    aug.py_random = aug.random_generator = _Shuffles(u[: sum(grid)])
    tiles = functional.split_uniform_grid(image.shape[:2], grid, aug.random_generator)
    groups = functional.create_shape_groups(tiles)
    luck = _Shuffles([u[sum(grid) + tile] for tiles_ in groups.values() for tile in tiles_])
    return {"tiles": tiles, "mapping": functional.shuffle_tiles_within_shape_groups(groups, luck), "shape": image.shape}


def shuffle(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        apply = aug.apply if kind == "image" else aug.apply_to_mask
        return apply(image, **shuffled(image, u, transform.grid))

    return Reference(run, "albumentations")


def control(transform) -> Reference:
    """ThinPlateSpline, PiecewiseAffine."""
    aug = theirs(transform)

    def script(image, u):
        if type(aug) is A.ThinPlateSpline:
            return _Deviates(u[:1], blocks=[scipy.special.ndtri(np.maximum(u[1:], 2.0**-33))])
        return _Deviates(u[:3], blocks=[drawn(transform, image, u)["noise"].of(0)])

    def run(image, u, kind="image"):
        with patch.object(functional, "np", _DOUBLE):
            params = parameters(aug, image, script(image, u))
        params = {name: value.astype(np.float32) if name.startswith("map") else value for name, value in params.items()}
        return filled(aug, image, params, kind)

    return Reference(run, "albumentations' map in float64, cv2.remap")


class _Lattice:
    """A generator that shuffles shares and draws moves as ours did."""

    def __init__(self, params):
        self._shares = iter([np.diff(params["y"][0]), np.diff(params["x"][0])])
        still = np.stack(np.meshgrid(params["x"][0], params["y"][0]), 2)
        self._moves = (params["nodes"][0] - still)[1:-1, 1:-1]

    def shuffle(self, intervals):
        intervals[:] = next(self._shares)

    def integers(self, low, high, size):
        assert self._moves.shape == tuple(size)
        return self._moves


def bent(transform) -> Reference:
    """GridElasticDeform; gray and colour alone are what it takes."""
    aug = theirs(transform)

    def run(image, u, kind="image"):
        params = parameters(aug, image, _Lattice(drawn(transform, image, u)))
        apply = aug.apply_to_mask if kind == "mask" else aug.apply
        return apply(image, **params)

    return Reference(run, "albumentations, cv2.warpPerspective cell by cell")


def aberration(transform) -> Reference:
    """Its floats are rounded to 8 bits, so its channels are distorted one by one, as it does."""
    aug = theirs(transform)

    def run(image, u, kind="image"):
        params = parameters(aug, image, Script(u))
        if image.dtype == np.uint8:
            return aug.apply(image, **params)
        h, w = image.shape[:2]
        camera, out = np.array([[w, 0, w / 2], [0, h, h / 2], [0, 0, 1]], np.float32), image.copy()
        for channel, name in ((0, "red"), (2, "blue")):
            k = np.array([params[f"primary_distortion_{name}"], params[f"secondary_distortion_{name}"], 0, 0], np.float32)
            plane = np.ascontiguousarray(image[..., channel])
            out[..., channel] = pixel._distort_channel(plane, camera, k, h, w, aug.interpolation)
        return out

    return Reference(run, "albumentations; floats: its channels one by one")


def sides(transform) -> Reference:
    """CropAndPad: each side that is a range or a list is asked for, then the fills."""
    aug = theirs(transform)
    given = aug.px if aug.px is not None else aug.percent
    if isinstance(given, (int, float)):
        asked = []
    elif len(given) == 2:
        asked = [0, 1, 2, 3] if aug.sample_independently else [0]
    else:
        asked = [k for k, side in enumerate(given) if isinstance(side, (tuple, list))]
    asked += [4] * isinstance(aug.fill, tuple) + [5] * isinstance(aug.fill_mask, tuple)
    return Reference(albumentations(aug, lambda u: Script(u[asked])), "albumentations")


REFERENCES = {
    "ChromaticAberration": aberration,
    "CropAndPad": sides,
    "ElasticTransform": elastic,
    "GridDistortion": grid,
    "GridElasticDeform": bent,
    "OpticalDistortion": optical,
    "PiecewiseAffine": control,
    "RandomGridShuffle": shuffle,
    "ThinPlateSpline": control,
}

"""References of colour: albumentations' curves, directions and stains, with what gpuaug drew."""

from __future__ import annotations

import albumentations.augmentations.pixel.functional as F
import cv2
import numpy as np

from .driven import Script, albumentations, by_channel
from .luck import deviates, positive, some, words
from .made import Reference, theirs


def curve(transform) -> Reference:
    aug = theirs(transform)

    class Luck:
        def __init__(self, u, count):
            self.z = iter(deviates(words(u, 2 * count)).reshape(2, count))

        def normal(self, loc, scale, size=None):
            z = next(self.z)
            return loc + scale * (z if size else z[0])

    def run(image, u, kind="image"):
        aug.random_generator = Luck(u, image.shape[2] if aug.per_channel else 1)
        params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        if image.dtype == np.uint8:
            if aug.per_channel:
                return aug.apply(image, **params)
            return by_channel(lambda part: aug.apply(part, **params).reshape(part.shape), image)
        # albumentations rounds floats to 8 bits first: here its curve in float64
        v, low, high = image.astype(np.float64), params["low_y"], params["high_y"]
        return np.clip(3 * (1 - v) ** 2 * v * low + 3 * (1 - v) * v**2 * high + v**3, 0, 1).astype(np.float32)

    return Reference(run, "albumentations (uint8), its formula (float)")


def fancy(transform) -> Reference:
    aug = theirs(transform)

    class Luck:
        def __init__(self, u):
            self.u = u

        def normal(self, mean, deviation, size):
            return mean + deviation * deviates(words(self.u, size))

    def run(image, u, kind="image"):
        aug.random_generator = Luck(u)
        alpha = aug.get_params_dependent_on_data({"shape": image.shape}, {})["alpha_vector"]
        n = image.shape[2]
        if n > 1:  # the reference's directions have LAPACK's signs: turned, they are ours
            values = (image / np.float32(255) if image.dtype == np.uint8 else image).reshape(-1, n)
            centred = values - np.mean(values, axis=0)
            alpha = alpha * positive(np.linalg.eigh(np.cov(centred, rowvar=False))[1][:, ::-1])
        return aug.apply(image, alpha_vector=alpha)

    return Reference(run, "albumentations, directions turned")


class _Turned:
    """OpenCV, whose eigenvectors are columns, their largest part positive: albumentations reads its rows as columns."""

    def __getattr__(self, name):
        return getattr(cv2, name)

    def eigen(self, matrix):
        ok, values, rows = cv2.eigen(matrix)
        return ok, values, rows.T * positive(rows.T)


def stains(transform) -> Reference:
    aug = theirs(transform)
    if aug.method in ("preset", "random_preset"):
        order = Script if aug.method == "random_preset" else lambda u: Script(u[1:])
        return Reference(albumentations(aug, order), "albumentations")

    def run(image, u, kind="image"):
        aug.py_random = Script(u[1:])
        F.cv2 = _Turned()
        try:
            return aug.apply(image, **aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image}))
        finally:
            F.cv2 = cv2

    return Reference(run, "albumentations, eigenvectors as columns")


def _resized(image, height: int, width: int) -> np.ndarray:
    """Whole numbers by our resize of the image's type, rounded."""
    from ...compose import Compose
    from ...transforms.crop import Resize

    return np.rint(Compose([Resize(height, width)])(np.ascontiguousarray(image))).astype(image.dtype)


def superpixels(transform) -> Reference:
    aug = theirs(transform)

    class Luck(Script):
        def __init__(self, u):
            super().__init__(u)
            self.u = u

        def random(self, count):
            return some(self.u[2:4], count)

    def run(image, u, kind="image"):
        aug.py_random = aug.random_generator = Luck(u)
        params, size = aug.get_params(), image.shape[:2]
        if aug.max_size is None or max(size) <= aug.max_size or not params["replace_samples"].any():
            return aug.apply(image, **params)
        # a grey level that two resizes round otherwise would put pixels into other regions: albumentations' regions between
        # resizes of ours, which have a case of their own
        scale, u8 = aug.max_size / max(size), image.dtype == np.uint8
        small = _resized(image if u8 else np.rint(image * 255), int(size[0] * scale), int(size[1] * scale))
        small = F.superpixels(small.astype(np.uint8), params["n_segments"], params["replace_samples"], None, 1)
        large = _resized(small.astype(image.dtype), *size)
        return large if u8 else large / np.float32(255)

    return Reference(run, "albumentations")


REFERENCES = {"FancyPCA": fancy, "HEStain": stains, "RandomToneCurve": curve, "Superpixels": superpixels}

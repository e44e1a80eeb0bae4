"""References of weather, light and patterns: albumentations with what gpuaug drew."""

from __future__ import annotations

import warnings

import albumentations.augmentations.pixel.functional as F
import cv2
import numpy as np

from ...ops import Stream
from ...uniforms import philox
from .driven import Script, by_channel, parameters, threefry
from .luck import drawn, key_of, normals, some
from .made import Reference, theirs


def fog(transform) -> Reference:
    aug = theirs(transform)

    class Luck:
        def __init__(self, u, image):
            number = len(drawn(transform, image, u)["discs"].values)
            self.intensity, every = u[0], some(u[1:3], 3 * number).reshape(-1, 3)
            self.places, self.radii = iter(every[:, :2].ravel()), iter(every[:, 2])

        def uniform(self, low, high):
            return low + (high - low) * self.intensity

        def randint(self, low, high):
            return low + int(np.floor((high - low + 1) * next(self.places)))

        def integers(self, low, high):
            return low + int(np.floor((high - low) * next(self.radii)))

    def run(image, u, kind="image"):
        aug.py_random = aug.random_generator = Luck(u, image)
        return aug.apply(image, **aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image}))

    return Reference(run, "albumentations")


def snow(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        h, w = image.shape[:2]
        words = threefry((np.arange(h * w), 0, 0, 0), (*key_of(u[1:3]), 0, 0))
        sparkles = threefry((np.arange(h * w), 0, 3, 0), (*key_of(u[1:3]), 0, 0))[:, 0]

        class Luck(Script):
            def normal(self, size, loc, scale):
                return loc + scale * normals(words[:, :2])[:, 0].reshape(size)

            def random(self, size):
                return (np.floor(sparkles / 256.0) * 2.0**-24).reshape(size)

        aug.py_random = aug.random_generator = Luck(u)
        return aug.apply(image, **aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image}))

    return Reference(run, "albumentations")


def gravel(transform) -> Reference:
    aug = theirs(transform)

    class Luck:
        def __init__(self, u, size):
            h, w = size
            x0, y0, x1, y1 = (int(v * side) for v, side in zip(aug.gravel_roi, (w, h, w, h)))
            most = (x1 - x0) // 5 * ((y1 - y0) // 5) // 100
            # a patch has room for as many stones as the largest
            self.patches = some(u, 4 * aug.number_of_patches * (1 + most)).reshape(aug.number_of_patches, -1)
            self.patch, self.call, self.size = 0, 0, []

        def randint(self, low, high):
            if self.call == 4 * (1 + int(np.prod(self.size[:2]) // 100)) and self.call >= 4:
                self.patch, self.call, self.size = self.patch + 1, 0, []
            v = low + int(np.floor((high - low + 1) * self.patches[self.patch, self.call]))
            self.size.append(v)
            self.call += 1
            return v

    def run(image, u, kind="image"):
        aug.py_random = Luck(u, image.shape[:2])
        return aug.apply(image, **aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image}))

    return Reference(run, "albumentations")


def rain(transform) -> Reference:
    aug = theirs(transform)

    class Luck:
        def __init__(self, u):
            self.u = u

        def uniform(self, low, high):
            return low + (high - low) * self.u[0]

        def integers(self, low, high, size, dtype):
            """A drop's column and line: two words of a Philox counter, of which the second is its number."""
            words = philox(np.arange(size[0]), 0, Stream.SHAPES, 0, *key_of(self.u[1:3]))
            room = np.maximum(np.array(high) - low, 1)
            return (low + np.floor(words[:, :2] * 2.0**-32 * room)).astype(dtype)

    def run(image, u, kind="image"):
        aug.py_random = aug.random_generator = Luck(u)
        params = aug.get_params_dependent_on_data({"shape": image.shape}, {})
        if image.dtype == np.uint8:
            return aug.apply(image, **params)
        # albumentations rounds floats to 8 bits first: here its steps in float32
        layer = np.zeros(image.shape, np.float32)
        drops = params["rain_drops"]
        lines = np.stack((drops, drops + np.array([[params["slant"], params["drop_length"]]])), 1).astype(np.int32)
        colour = tuple(v / 255 for v in aug.drop_color)
        cv2.polylines(layer, list(lines), False, colour, 1, lineType=cv2.LINE_4)
        if aug.blur_value > 1:
            layer = cv2.blur(layer, (aug.blur_value, aug.blur_value))
        if not len(drops):
            return image
        return np.minimum(image + layer, 1) * np.float32(aug.brightness_coefficient)

    return Reference(run, "albumentations")


def spatter(transform) -> Reference:
    aug = theirs(transform)

    def run(image, u, kind="image"):
        class Luck(Script):
            def normal(self, size, loc, scale):
                if aug.mode == "rain":
                    n = int(np.prod(size))
                    a, b = np.maximum(some(u[5:7], (n + 1) // 2 * 2), 2.0**-33).reshape(2, -1)
                    r = np.sqrt(-2 * np.log(a))
                    z = np.concatenate([r * np.cos(2 * np.pi * b), r * np.sin(2 * np.pi * b)])[:n]
                else:
                    words = threefry((np.arange(np.prod(size)), 0, 0, 0), (*key_of(u[5:7]), 0, 0))
                    z = normals(words[:, :2])[:, 0]
                return loc + scale * z.reshape(size)

            def choice(self, *_, **__):
                raise LookupError

        aug.py_random = aug.random_generator = Luck(u)
        try:
            params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        except LookupError:  # no noise above the threshold: see the docstring
            return image
        return aug.apply(image, **params)

    return Reference(run, "albumentations, its noise from our words")


def illumination(transform) -> Reference:
    aug = theirs(transform)

    def apply(part, params):
        # of one channel, albumentations takes images without an axis for it
        return np.reshape(aug.apply(part[..., 0] if part.shape[2] == 1 else part, **params), part.shape)

    def run(image, u, kind="image"):
        # the coin of "both" is random() in albumentations
        rest = np.concatenate([u[:1], u[2:]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            params = parameters(aug, image, Script(rest, single=[u[1]]))
            return by_channel(lambda part: apply(part, params), image)

    return Reference(run, "albumentations")


def shadow(transform) -> Reference:
    aug = theirs(transform)
    (least, most), k = transform.num_shadows_limit, transform.shadow_dimension

    def run(image, u, kind="image"):
        number = int(least + np.floor((most - least + 1) * u[0]))
        # albumentations asks for columns, then for lines, of each shadow
        corners = u[1 : 1 + 2 * most * k].reshape(2 * most, k)
        params = parameters(aug, image, Script(u[:1], blocks=[*corners[: 2 * number], u[1 + 2 * most * k :]]))
        if image.dtype == np.uint8:
            return aug.apply(image, **params)
        # albumentations rounds floats to 8 bits first: its mask and its factors, on the floats
        out = image.copy()
        for one, vertices in zip(params["intensities"], params["vertices_list"]):
            hit = aug.apply(np.full((*image.shape[:2], 1), 255, np.uint8), [vertices], [1.0])[..., 0] == 0
            out[hit] = out[hit] * np.float32(1 - one)
        return out

    return Reference(run, "albumentations")


class _Fractal:
    """Single numbers from the first uniforms, and fields from those of a key."""

    def __init__(self, single, key, shape):
        steps = int(np.ceil(np.log2(max(shape[:2]) - 1))) - 1
        count = 9 + sum((2 ** (k + 2) + 1) ** 2 for k in range(steps))
        self.single, self.field, self.at = iter(single), some(key, count), 0

    def uniform(self, low, high, size=None):
        if size is None:
            return low + (high - low) * float(next(self.single))
        count = int(np.prod(size))
        self.at += count
        return (low + (high - low) * self.field[self.at - count : self.at]).reshape(size)


def plasma(transform) -> Reference:
    """albumentations clips the pattern times a number to 0..1: what is meant to darken, or to take contrast, does nothing. Here
    it is not clipped."""
    aug, count = theirs(transform), 2 if type(transform).__name__ == "PlasmaBrightnessContrast" else 1

    def run(image, u, kind="image"):
        aug.py_random = aug.random_generator = _Fractal(u[:count], u[count : count + 2], image.shape)
        params = aug.get_params_dependent_on_data({"shape": image.shape}, {"image": image})
        clipped = F.multiply
        F.multiply = lambda img, by, inplace=False: img * by if np.isscalar(by) else clipped(img, by, inplace)
        try:
            return aug.apply(image, **params).reshape(image.shape)
        finally:
            F.multiply = clipped

    return Reference(run, "albumentations, its fields from our words")


REFERENCES = {
    "Illumination": illumination,
    "PlasmaBrightnessContrast": plasma,
    "PlasmaShadow": plasma,
    "RandomFog": fog,
    "RandomGravel": gravel,
    "RandomRain": rain,
    "RandomShadow": shadow,
    "RandomSnow": snow,
    "Spatter": spatter,
}

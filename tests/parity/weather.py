"""Weather."""

from __future__ import annotations

import albumentations as A
import cv2
import numpy as np

import gpuaug as G
from gpuaug.ops import Stream
from gpuaug.uniforms import philox

from .about import PIXELS, about
from .case import EXACT, FLOAT, add, bounds


def _rain(note, **kwargs):
    ours, aug = G.RandomRain(p=1, **kwargs), A.RandomRain(p=1, **kwargs)

    class Luck:
        def __init__(self, u):
            self.u = u

        def uniform(self, low, high):
            return low + (high - low) * self.u[0]

        def integers(self, low, high, size, dtype):
            """A drop's column and line: two words of a Philox counter, of which the second is its number."""
            words = philox(np.arange(size[0]), 0, Stream.SHAPES, 0, *(int(v * 2.0**32) for v in self.u[1:3]))
            room = np.maximum(np.array(high) - low, 1)
            return (low + np.floor(words[:, :2] * 2.0**-32 * room)).astype(dtype)

    def run(image, u, kind):
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

    add(ours, run, "albumentations", bounds(EXACT, FLOAT), channels=(3,), note=note)


_rain("defaults")
_rain("no blur", blur_value=1, slant_range=(-20, 20), rain_type="heavy", drop_color=(10, 250, 100))
_rain("even blur", blur_value=4, brightness_coefficient=1.0, drop_length=5)

about(
    "RandomRain",
    family="no: it takes 3 channels alone",
    marks=PIXELS,
    bench={},
    variants=[{"drop_width": 3, "rain_type": "heavy"}],
)

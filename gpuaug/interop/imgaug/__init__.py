"""imgaug 0.4's augmenters by their names, with its arguments and arithmetic, as transforms of gpuaug (docs/imgaug.md)."""

from ...names import unknown
from .augmenter import Augmenter
from .blur import AverageBlur, GaussianBlur, MedianBlur, MotionBlur, Sharpen
from .groups import OneOf, Sequential, SomeOf, Sometimes
from .sizes import Crop, CropAndPad, Pad, Resize
from .tone import Add, AdditiveGaussianNoise, GammaContrast, LinearContrast, Multiply
from .warp import Affine, ElasticTransformation, Fliplr, Flipud, Identity

# as imgaug has them, too
ContrastNormalization, HorizontalFlip, Noop, Scale, VerticalFlip = LinearContrast, Fliplr, Identity, Resize, Flipud
ALL = "ALL"

__all__ = [
    "ALL",
    "Add",
    "AdditiveGaussianNoise",
    "Affine",
    "Augmenter",
    "AverageBlur",
    "ContrastNormalization",
    "Crop",
    "CropAndPad",
    "ElasticTransformation",
    "Fliplr",
    "Flipud",
    "GammaContrast",
    "GaussianBlur",
    "HorizontalFlip",
    "Identity",
    "LinearContrast",
    "MedianBlur",
    "MotionBlur",
    "Multiply",
    "Noop",
    "OneOf",
    "Pad",
    "Resize",
    "Scale",
    "Sequential",
    "Sharpen",
    "SomeOf",
    "Sometimes",
    "VerticalFlip",
]


def __getattr__(name: str):
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"gpuaug.interop.imgaug has no {name!r}{unknown(name, __all__)}; transforms of gpuaug may stand in its place"
    )

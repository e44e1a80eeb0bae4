"""torchvision's transforms by their names, on batches: ``from gpuaug import vision as transforms``."""

import difflib

from .arguments import InterpolationMode
from .color import (
    RGB,
    ColorJitter,
    Grayscale,
    RandomAdjustSharpness,
    RandomAutocontrast,
    RandomChannelPermutation,
    RandomEqualize,
    RandomGrayscale,
    RandomInvert,
    RandomPhotometricDistort,
    RandomPosterize,
    RandomSolarize,
)
from .compose import Compose
from .containers import RandomApply, RandomChoice, RandomOrder
from .convert import ConvertImageDtype, Normalize, PILToTensor, ToDtype, ToImage, ToPILImage, ToPureTensor, ToTensor
from .custom import JPEG, Identity, Lambda
from .detection import RandomIoUCrop, SanitizeBoundingBoxes
from .flips import RandomHorizontalFlip, RandomVerticalFlip
from .pixels import GaussianBlur, GaussianNoise, RandomErasing
from .policy import AugMix, AutoAugment, AutoAugmentPolicy, RandAugment, TrivialAugmentWide
from .sizes import (
    CenterCrop,
    Pad,
    RandomCrop,
    RandomResize,
    RandomResizedCrop,
    RandomShortestSize,
    RandomZoomOut,
    Resize,
    ScaleJitter,
)
from .warps import ElasticTransform, RandomAffine, RandomPerspective, RandomRotation

__all__ = [
    "JPEG",
    "RGB",
    "AugMix",
    "AutoAugment",
    "AutoAugmentPolicy",
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "ConvertImageDtype",
    "ElasticTransform",
    "GaussianBlur",
    "GaussianNoise",
    "Grayscale",
    "Identity",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandAugment",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomApply",
    "RandomAutocontrast",
    "RandomChannelPermutation",
    "RandomChoice",
    "RandomCrop",
    "RandomEqualize",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomIoUCrop",
    "RandomOrder",
    "RandomPerspective",
    "RandomPhotometricDistort",
    "RandomPosterize",
    "RandomResize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomShortestSize",
    "RandomSolarize",
    "RandomVerticalFlip",
    "RandomZoomOut",
    "Resize",
    "SanitizeBoundingBoxes",
    "ScaleJitter",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToPureTensor",
    "ToTensor",
    "TrivialAugmentWide",
]

# what torchvision has beside these, and what to take instead
INSTEAD = {
    "ClampBoundingBoxes": "boxes always end at the image's border: leave it out",
    "ClampKeyPoints": "leave it out, or drop the points that left the image",
    "ConvertBoundingBoxFormat": "boxes keep the format that they came in: convert them before",
    "CutMix": "gpuaug.data.CutMix mixes finished batches: DataLoader(mix=..)",
    "FiveCrop": "it makes five images of one: call torchvision's in the dataset",
    "LinearTransformation": "apply it to the batches",
    "MixUp": "gpuaug.data.MixUp mixes finished batches: DataLoader(mix=..)",
    "TenCrop": "it makes ten images of one: call torchvision's in the dataset",
    "functional": "torchvision.transforms.functional works on images beside it, inside of Lambda too",
}


def __getattr__(name: str):
    hint = INSTEAD.get(name)
    if hint is None and not name.startswith("_"):
        near = difflib.get_close_matches(name, __all__, 1)
        hint = f"did you mean {near[0]!r}?" if near else None
    raise AttributeError(f"gpuaug.vision has no {name!r}" + (f": {hint}" if hint else ""))

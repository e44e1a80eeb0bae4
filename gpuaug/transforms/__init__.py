"""The augmentations, one module per family. Each class registers itself in `gpuaug.transform.REGISTRY`."""

from .aberration import ChromaticAberration
from .affine import Affine, ShiftScaleRotate
from .blur import Blur, GaussianBlur, MedianBlur, MotionBlur
from .channels import ToGray, ToRGB
from .color import HueSaturationValue, RandomBrightnessContrast
from .compression import ImageCompression
from .control import PiecewiseAffine, ThinPlateSpline
from .crop import CenterCrop, RandomCrop, RandomResizedCrop, Resize
from .crop_labels import (
    AtLeastOneBBoxRandomCrop,
    BBoxSafeRandomCrop,
    CropNonEmptyMaskIfExists,
    RandomCropNearBBox,
    RandomSizedBBoxSafeCrop,
)
from .crop_sides import Crop, CropAndPad, RandomCropFromBorders
from .custom import Lambda
from .distort import ElasticTransform, GridDistortion, OpticalDistortion
from .dropout import CoarseDropout, Erasing, GridDropout, XYMasking
from .dropout_objects import ConstrainedCoarseDropout, MaskDropout
from .dropout_select import ChannelDropout, PixelDropout
from .flip import D4, Flip, HorizontalFlip, RandomRotate90, SquareSymmetry, Transpose, VerticalFlip
from .histogram import CLAHE, AutoContrast, Equalize
from .light import Illumination, RandomShadow
from .morphology import Morphological
from .mosaic import Mosaic
from .noise import GaussNoise
from .normalize import Normalize, ToTensorV2
from .overlays import OverlayElements, TextImage
from .pad import Pad, PadIfNeeded
from .perspective import Perspective
from .references import FDA, HistogramMatching, PixelDistributionAdaptation
from .rotate import Rotate, SafeRotate
from .sharpen import UnsharpMask
from .shuffle import RandomGridShuffle
from .sizes import Downscale, LongestMaxSize, RandomScale, RandomSizedCrop, SmallestMaxSize
from .spectrogram import FrequencyMasking, TimeMasking, TimeReverse
from .tone import InvertImg, Posterize, RandomGamma, Solarize
from .weather import RandomRain

__all__ = [
    "CLAHE",
    "D4",
    "FDA",
    "Affine",
    "AtLeastOneBBoxRandomCrop",
    "AutoContrast",
    "BBoxSafeRandomCrop",
    "Blur",
    "CenterCrop",
    "ChannelDropout",
    "ChromaticAberration",
    "CoarseDropout",
    "ConstrainedCoarseDropout",
    "Crop",
    "CropAndPad",
    "CropNonEmptyMaskIfExists",
    "Downscale",
    "ElasticTransform",
    "Equalize",
    "Erasing",
    "Flip",
    "FrequencyMasking",
    "GaussNoise",
    "GaussianBlur",
    "GridDistortion",
    "GridDropout",
    "HistogramMatching",
    "HorizontalFlip",
    "HueSaturationValue",
    "Illumination",
    "ImageCompression",
    "InvertImg",
    "Lambda",
    "LongestMaxSize",
    "MaskDropout",
    "MedianBlur",
    "Morphological",
    "Mosaic",
    "MotionBlur",
    "Normalize",
    "OpticalDistortion",
    "OverlayElements",
    "Pad",
    "PadIfNeeded",
    "Perspective",
    "PiecewiseAffine",
    "PixelDistributionAdaptation",
    "PixelDropout",
    "Posterize",
    "RandomBrightnessContrast",
    "RandomCrop",
    "RandomCropFromBorders",
    "RandomCropNearBBox",
    "RandomGamma",
    "RandomGridShuffle",
    "RandomRain",
    "RandomResizedCrop",
    "RandomRotate90",
    "RandomScale",
    "RandomShadow",
    "RandomSizedBBoxSafeCrop",
    "RandomSizedCrop",
    "Resize",
    "Rotate",
    "SafeRotate",
    "ShiftScaleRotate",
    "SmallestMaxSize",
    "Solarize",
    "SquareSymmetry",
    "TextImage",
    "ThinPlateSpline",
    "TimeMasking",
    "TimeReverse",
    "ToGray",
    "ToRGB",
    "ToTensorV2",
    "Transpose",
    "UnsharpMask",
    "VerticalFlip",
    "XYMasking",
]

"""The augmentations, one module per family. Each class registers itself in `gpuaug.transform.REGISTRY`."""

from .affine import Affine, ShiftScaleRotate
from .blur import Blur, GaussianBlur, MedianBlur, MotionBlur
from .channels import ToGray, ToRGB
from .color import HueSaturationValue, RandomBrightnessContrast
from .compression import ImageCompression
from .crop import CenterCrop, RandomCrop, RandomResizedCrop, Resize
from .custom import Lambda
from .distort import ElasticTransform, GridDistortion, OpticalDistortion
from .dropout import CoarseDropout, Erasing, GridDropout, XYMasking
from .dropout_objects import ConstrainedCoarseDropout, MaskDropout
from .dropout_select import ChannelDropout, PixelDropout
from .flip import Flip, HorizontalFlip, RandomRotate90, Transpose, VerticalFlip
from .histogram import CLAHE, AutoContrast, Equalize
from .light import Illumination, RandomShadow
from .morphology import Morphological
from .mosaic import Mosaic
from .noise import GaussNoise
from .normalize import Normalize, ToTensorV2
from .pad import Pad, PadIfNeeded
from .perspective import Perspective
from .sharpen import UnsharpMask
from .shuffle import RandomGridShuffle
from .spectrogram import FrequencyMasking, TimeMasking, TimeReverse
from .tone import InvertImg, Posterize, RandomGamma, Solarize
from .weather import RandomRain

__all__ = [
    "CLAHE",
    "Affine",
    "AutoContrast",
    "Blur",
    "CenterCrop",
    "ChannelDropout",
    "CoarseDropout",
    "ConstrainedCoarseDropout",
    "ElasticTransform",
    "Equalize",
    "Erasing",
    "Flip",
    "FrequencyMasking",
    "GaussNoise",
    "GaussianBlur",
    "GridDistortion",
    "GridDropout",
    "HorizontalFlip",
    "HueSaturationValue",
    "Illumination",
    "ImageCompression",
    "InvertImg",
    "Lambda",
    "MaskDropout",
    "MedianBlur",
    "Morphological",
    "Mosaic",
    "MotionBlur",
    "Normalize",
    "OpticalDistortion",
    "Pad",
    "PadIfNeeded",
    "Perspective",
    "PixelDropout",
    "Posterize",
    "RandomBrightnessContrast",
    "RandomCrop",
    "RandomGamma",
    "RandomGridShuffle",
    "RandomRain",
    "RandomResizedCrop",
    "RandomRotate90",
    "RandomShadow",
    "Resize",
    "ShiftScaleRotate",
    "Solarize",
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

"""The augmentations, one module per family. Each class registers itself in `gpuaug.transform.REGISTRY`."""

from .affine import Affine, ShiftScaleRotate
from .blur import Blur, GaussianBlur, MedianBlur, MotionBlur
from .channels import ChannelShuffle, ToGray, ToRGB, ToSepia
from .color import HueSaturationValue, RandomBrightnessContrast
from .compression import ImageCompression
from .convert import FromFloat, ToFloat
from .crop import CenterCrop, RandomCrop, RandomResizedCrop, Resize
from .custom import Lambda
from .distort import ElasticTransform, GridDistortion, OpticalDistortion
from .dropout import CoarseDropout, Erasing, GridDropout, XYMasking
from .dropout_objects import ConstrainedCoarseDropout, MaskDropout
from .dropout_select import ChannelDropout, PixelDropout
from .flip import Flip, HorizontalFlip, RandomRotate90, Transpose, VerticalFlip
from .grain import AdditiveNoise, ISONoise, MultiplicativeNoise, SaltAndPepper, ShotNoise
from .histogram import CLAHE, AutoContrast, Equalize
from .jitter import ColorJitter, PlanckianJitter, RGBShift
from .kernels import AdvancedBlur, Defocus, RingingOvershoot
from .light import Illumination, RandomShadow
from .morphology import Morphological
from .noise import GaussNoise
from .normalize import Normalize, ToTensorV2
from .pad import Pad, PadIfNeeded
from .pca import FancyPCA
from .perspective import Perspective
from .sharpen import Emboss, Sharpen, UnsharpMask
from .shuffle import RandomGridShuffle
from .spectrogram import FrequencyMasking, TimeMasking, TimeReverse
from .tone import InvertImg, Posterize, RandomGamma, RandomToneCurve, Solarize
from .weather import RandomRain

__all__ = [
    "CLAHE",
    "AdditiveNoise",
    "AdvancedBlur",
    "Affine",
    "AutoContrast",
    "Blur",
    "CenterCrop",
    "ChannelDropout",
    "ChannelShuffle",
    "CoarseDropout",
    "ColorJitter",
    "ConstrainedCoarseDropout",
    "Defocus",
    "ElasticTransform",
    "Emboss",
    "Equalize",
    "Erasing",
    "FancyPCA",
    "Flip",
    "FrequencyMasking",
    "FromFloat",
    "GaussNoise",
    "GaussianBlur",
    "GridDistortion",
    "GridDropout",
    "HorizontalFlip",
    "HueSaturationValue",
    "ISONoise",
    "Illumination",
    "ImageCompression",
    "InvertImg",
    "Lambda",
    "MaskDropout",
    "MedianBlur",
    "Morphological",
    "MotionBlur",
    "MultiplicativeNoise",
    "Normalize",
    "OpticalDistortion",
    "Pad",
    "PadIfNeeded",
    "Perspective",
    "PixelDropout",
    "PlanckianJitter",
    "Posterize",
    "RGBShift",
    "RandomBrightnessContrast",
    "RandomCrop",
    "RandomGamma",
    "RandomGridShuffle",
    "RandomRain",
    "RandomResizedCrop",
    "RandomRotate90",
    "RandomShadow",
    "RandomToneCurve",
    "Resize",
    "RingingOvershoot",
    "SaltAndPepper",
    "Sharpen",
    "ShiftScaleRotate",
    "ShotNoise",
    "Solarize",
    "TimeMasking",
    "TimeReverse",
    "ToFloat",
    "ToGray",
    "ToRGB",
    "ToSepia",
    "ToTensorV2",
    "Transpose",
    "UnsharpMask",
    "VerticalFlip",
    "XYMasking",
]

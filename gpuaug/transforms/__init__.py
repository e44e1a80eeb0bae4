"""The augmentations, one module per family. Each class registers itself in `gpuaug.transform.REGISTRY`."""

from .aberration import ChromaticAberration
from .affine import Affine, ShiftScaleRotate
from .blur import Blur, GaussianBlur, MedianBlur, MotionBlur
from .channels import ChannelShuffle, ToGray, ToRGB, ToSepia
from .color import HueSaturationValue, RandomBrightnessContrast
from .compression import ImageCompression
from .control import GridElasticDeform, PiecewiseAffine, ThinPlateSpline
from .convert import FromFloat, ToFloat
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
from .dropout import CoarseDropout, Cutout, Erasing, GridDropout, XYMasking
from .dropout_objects import ConstrainedCoarseDropout, MaskDropout
from .dropout_select import ChannelDropout, PixelDropout
from .flare import RandomSunFlare
from .flip import D4, Flip, HorizontalFlip, RandomRotate90, SquareSymmetry, Transpose, VerticalFlip
from .fog import RandomFog, RandomGravel, RandomSnow
from .glass import GlassBlur, ZoomBlur
from .grain import AdditiveNoise, ISONoise, MultiplicativeNoise, SaltAndPepper, ShotNoise
from .histogram import CLAHE, AutoContrast, Equalize
from .jitter import ColorJitter, PlanckianJitter, RGBShift
from .kernels import AdvancedBlur, Defocus, RingingOvershoot
from .light import Illumination, RandomShadow
from .morphology import Morphological
from .mosaic import Mosaic
from .noise import GaussNoise
from .normalize import Normalize, ToTensor, ToTensorV2
from .overlays import OverlayElements, TextImage
from .pad import Pad, PadIfNeeded
from .pca import FancyPCA
from .perspective import Perspective
from .plasma import PlasmaBrightnessContrast, PlasmaShadow
from .references import FDA, HistogramMatching, PixelDistributionAdaptation
from .rotate import Rotate, SafeRotate
from .segments import Superpixels
from .selective import SelectiveChannelTransform
from .sharpen import Emboss, Sharpen, UnsharpMask
from .shuffle import RandomGridShuffle
from .sizes import Downscale, LongestMaxSize, RandomScale, RandomSizedCrop, SmallestMaxSize
from .spatter import Spatter
from .spectrogram import FrequencyMasking, TimeMasking, TimeReverse
from .stain import HEStain
from .tone import InvertImg, Posterize, RandomGamma, RandomToneCurve, Solarize
from .volume import CenterCrop3D, CoarseDropout3D, CubicSymmetry, Pad3D, PadIfNeeded3D, RandomCrop3D, ToTensor3D
from .weather import RandomRain

__all__ = [
    "CLAHE",
    "D4",
    "FDA",
    "AdditiveNoise",
    "AdvancedBlur",
    "Affine",
    "AtLeastOneBBoxRandomCrop",
    "AutoContrast",
    "BBoxSafeRandomCrop",
    "Blur",
    "CenterCrop",
    "CenterCrop3D",
    "ChannelDropout",
    "ChannelShuffle",
    "ChromaticAberration",
    "CoarseDropout",
    "CoarseDropout3D",
    "ColorJitter",
    "ConstrainedCoarseDropout",
    "Crop",
    "CropAndPad",
    "CropNonEmptyMaskIfExists",
    "CubicSymmetry",
    "Cutout",
    "Defocus",
    "Downscale",
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
    "GlassBlur",
    "GridDistortion",
    "GridDropout",
    "GridElasticDeform",
    "HEStain",
    "HistogramMatching",
    "HorizontalFlip",
    "HueSaturationValue",
    "ISONoise",
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
    "MultiplicativeNoise",
    "Normalize",
    "OpticalDistortion",
    "OverlayElements",
    "Pad",
    "Pad3D",
    "PadIfNeeded",
    "PadIfNeeded3D",
    "Perspective",
    "PiecewiseAffine",
    "PixelDistributionAdaptation",
    "PixelDropout",
    "PlanckianJitter",
    "PlasmaBrightnessContrast",
    "PlasmaShadow",
    "Posterize",
    "RGBShift",
    "RandomBrightnessContrast",
    "RandomCrop",
    "RandomCrop3D",
    "RandomCropFromBorders",
    "RandomCropNearBBox",
    "RandomFog",
    "RandomGamma",
    "RandomGravel",
    "RandomGridShuffle",
    "RandomRain",
    "RandomResizedCrop",
    "RandomRotate90",
    "RandomScale",
    "RandomShadow",
    "RandomSizedBBoxSafeCrop",
    "RandomSizedCrop",
    "RandomSnow",
    "RandomSunFlare",
    "RandomToneCurve",
    "Resize",
    "RingingOvershoot",
    "Rotate",
    "SafeRotate",
    "SaltAndPepper",
    "SelectiveChannelTransform",
    "Sharpen",
    "ShiftScaleRotate",
    "ShotNoise",
    "SmallestMaxSize",
    "Solarize",
    "Spatter",
    "SquareSymmetry",
    "Superpixels",
    "TextImage",
    "ThinPlateSpline",
    "TimeMasking",
    "TimeReverse",
    "ToFloat",
    "ToGray",
    "ToRGB",
    "ToSepia",
    "ToTensor",
    "ToTensor3D",
    "ToTensorV2",
    "Transpose",
    "UnsharpMask",
    "VerticalFlip",
    "XYMasking",
    "ZoomBlur",
]

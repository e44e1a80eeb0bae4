"""The augmenters of imgaug 0.4.0, whose package does not run with NumPy 2, as its documentation lists them."""

NAMES = """
    Sequential SomeOf OneOf Sometimes WithChannels Identity Noop Lambda AssertLambda AssertShape ChannelShuffle Add
    AddElementwise AdditiveGaussianNoise AdditiveLaplaceNoise AdditivePoissonNoise Multiply MultiplyElementwise Cutout Dropout
    CoarseDropout Dropout2d TotalDropout ReplaceElementwise ImpulseNoise SaltAndPepper CoarseSaltAndPepper Salt CoarseSalt
    Pepper CoarsePepper Invert Solarize ContrastNormalization JpegCompression Cartoon BlendAlpha BlendAlphaMask
    BlendAlphaElementwise BlendAlphaSimplexNoise BlendAlphaFrequencyNoise BlendAlphaSomeColors
    BlendAlphaHorizontalLinearGradient BlendAlphaVerticalLinearGradient BlendAlphaRegularGrid BlendAlphaCheckerboard
    BlendAlphaSegMapClassIds BlendAlphaBoundingBoxes GaussianBlur AverageBlur MedianBlur BilateralBlur MotionBlur
    MeanShiftBlur RandAugment WithColorspace WithBrightnessChannels MultiplyAndAddToBrightness MultiplyBrightness
    AddToBrightness WithHueAndSaturation MultiplyHueAndSaturation MultiplyHue MultiplySaturation RemoveSaturation
    AddToHueAndSaturation AddToHue AddToSaturation ChangeColorspace Grayscale ChangeColorTemperature KMeansColorQuantization
    UniformColorQuantization UniformColorQuantizationToNBits Posterize GammaContrast SigmoidContrast LogContrast
    LinearContrast AllChannelsHistogramEqualization HistogramEqualization AllChannelsCLAHE CLAHE Convolve Sharpen Emboss
    EdgeDetect DirectedEdgeDetect SaveDebugImageEveryNBatches Canny HorizontalFlip VerticalFlip Fliplr Flipud Affine ScaleX
    ScaleY TranslateX TranslateY Rotate ShearX ShearY AffineCv2 PiecewiseAffine PerspectiveTransform ElasticTransformation
    Rot90 WithPolarWarping Jigsaw AveragePooling MaxPooling MinPooling MedianPooling Superpixels Voronoi UniformVoronoi
    RegularGridVoronoi RelativeRegularGridVoronoi Resize Scale CropAndPad Crop Pad PadToFixedSize CenterPadToFixedSize
    CropToFixedSize CenterCropToFixedSize CropToMultiplesOf CenterCropToMultiplesOf PadToMultiplesOf CenterPadToMultiplesOf
    CropToPowersOf CenterCropToPowersOf PadToPowersOf CenterPadToPowersOf CropToAspectRatio CenterCropToAspectRatio
    PadToAspectRatio CenterPadToAspectRatio CropToSquare CenterCropToSquare PadToSquare CenterPadToSquare KeepSizeByResize
    FastSnowyLandscape Clouds Fog CloudLayer Snowflakes SnowflakesLayer Rain RainLayer
""".split()

NEAREST = {
    "WithChannels": "SelectiveChannelTransform",
    "Lambda": "Lambda",
    "ChannelShuffle": "ChannelShuffle",
    "AddElementwise": "AdditiveNoise",
    "AdditiveLaplaceNoise": "AdditiveNoise(noise_type='laplace')",
    "AdditivePoissonNoise": "ShotNoise",
    "MultiplyElementwise": "MultiplicativeNoise(elementwise=True)",
    "Cutout": "CoarseDropout",
    "Dropout": "PixelDropout",
    "CoarseDropout": "CoarseDropout",
    "Dropout2d": "ChannelDropout",
    "ImpulseNoise": "SaltAndPepper",
    "SaltAndPepper": "SaltAndPepper",
    "Salt": "SaltAndPepper",
    "Pepper": "SaltAndPepper",
    "Invert": "InvertImg",
    "Solarize": "Solarize",
    "JpegCompression": "ImageCompression",
    "RandAugment": "gpuaug.vision.RandAugment",
    "MultiplyAndAddToBrightness": "RandomBrightnessContrast",
    "MultiplyBrightness": "ColorJitter",
    "AddToBrightness": "HueSaturationValue",
    "MultiplyHueAndSaturation": "ColorJitter",
    "MultiplyHue": "ColorJitter",
    "MultiplySaturation": "ColorJitter",
    "RemoveSaturation": "ToGray",
    "AddToHueAndSaturation": "HueSaturationValue",
    "AddToHue": "HueSaturationValue",
    "AddToSaturation": "HueSaturationValue",
    "Grayscale": "ToGray",
    "ChangeColorTemperature": "PlanckianJitter",
    "UniformColorQuantizationToNBits": "Posterize",
    "Posterize": "Posterize",
    "HistogramEqualization": "Equalize",
    "AllChannelsHistogramEqualization": "Equalize(by_channels=True)",
    "CLAHE": "CLAHE",
    "Emboss": "Emboss",
    "ScaleX": "Affine(scale={'x': ..})",
    "ScaleY": "Affine(scale={'y': ..})",
    "TranslateX": "Affine(translate_percent={'x': ..})",
    "TranslateY": "Affine(translate_percent={'y': ..})",
    "Rotate": "Rotate",
    "ShearX": "Affine(shear={'x': ..})",
    "ShearY": "Affine(shear={'y': ..})",
    "PiecewiseAffine": "PiecewiseAffine",
    "PerspectiveTransform": "Perspective",
    "Rot90": "RandomRotate90",
    "Jigsaw": "RandomGridShuffle",
    "Superpixels": "Superpixels",
    "PadToFixedSize": "PadIfNeeded",
    "CenterPadToFixedSize": "PadIfNeeded",
    "CropToFixedSize": "RandomCrop",
    "CenterCropToFixedSize": "CenterCrop",
    "PadToMultiplesOf": "PadIfNeeded(pad_height_divisor=..)",
    "CenterPadToMultiplesOf": "PadIfNeeded(pad_height_divisor=..)",
    "FastSnowyLandscape": "RandomSnow",
    "Fog": "RandomFog",
    "Rain": "RandomRain",
    "Snowflakes": "RandomSnow",
}


def _each(names: str, why: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), why)


MISSING = {
    **_each("AssertLambda AssertShape SaveDebugImageEveryNBatches", "for debugging: look at what a call returns, or `preview`"),
    **_each("TotalDropout", "empties whole images"),
    **_each("ReplaceElementwise", "`PixelDropout(drop_value=..)` puts one value in place of pixels, not drawn ones"),
    **_each("CoarseSaltAndPepper CoarseSalt CoarsePepper", "`CoarseDropout(fill='random')` fills rectangles with any values"),
    **_each("Cartoon", "no stylization is there"),
    **_each(
        "BlendAlpha BlendAlphaMask BlendAlphaElementwise BlendAlphaSimplexNoise BlendAlphaFrequencyNoise BlendAlphaSomeColors "
        "BlendAlphaHorizontalLinearGradient BlendAlphaVerticalLinearGradient BlendAlphaRegularGrid BlendAlphaCheckerboard "
        "BlendAlphaSegMapClassIds BlendAlphaBoundingBoxes",
        "no blending of two pipelines is there; an `ImageOnlyTransform` of yours can do it",
    ),
    **_each("BilateralBlur MeanShiftBlur", "of blurs that keep edges only `MedianBlur` is there"),
    **_each(
        "WithColorspace WithBrightnessChannels WithHueAndSaturation ChangeColorspace",
        "no pipelines in other colour spaces; `HueSaturationValue` and `ColorJitter` go there and back by themselves",
    ),
    **_each("KMeansColorQuantization UniformColorQuantization", "`Posterize` keeps bits; other numbers of colours are not there"),
    **_each("SigmoidContrast LogContrast", "of curves `RandomToneCurve` and `RandomGamma` are there"),
    **_each("AllChannelsCLAHE", "`CLAHE` changes the lightness alone"),
    **_each("Convolve EdgeDetect DirectedEdgeDetect Canny", "no edges, and no kernels of yours: write an `ImageOnlyTransform`"),
    **_each("AffineCv2", "imgaug's former `Affine`"),
    **_each("WithPolarWarping", "no polar coordinates are there"),
    **_each("AveragePooling MaxPooling MinPooling MedianPooling", "`Downscale` makes images coarse, by resizing"),
    **_each(
        "Voronoi UniformVoronoi RegularGridVoronoi RelativeRegularGridVoronoi",
        "`Superpixels` has segments that follow the image, not cells around points",
    ),
    **_each(
        "CropToMultiplesOf CenterCropToMultiplesOf CropToPowersOf CenterCropToPowersOf PadToPowersOf CenterPadToPowersOf "
        "CropToAspectRatio CenterCropToAspectRatio PadToAspectRatio CenterPadToAspectRatio CropToSquare CenterCropToSquare "
        "PadToSquare CenterPadToSquare",
        "sizes by a rule about the image's own: only `PadIfNeeded(pad_height_divisor=..)` is there",
    ),
    **_each("KeepSizeByResize", "`Resize` behind what changes the size, where all images had the same"),
    **_each(
        "Clouds CloudLayer", "of weather `RandomFog`, `RandomRain`, `RandomSnow`, `RandomSunFlare` and `RandomShadow` are there"
    ),
    **_each("SnowflakesLayer RainLayer", "one layer of several: `RandomSnow` and `RandomRain` are whole"),
}

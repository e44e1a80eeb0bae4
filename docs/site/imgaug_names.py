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

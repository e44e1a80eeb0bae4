"""Pipelines of a public benchmark of augmentation libraries, as albumentations takes them: a crop, one transform, Normalize,
ToTensorV2.

https://github.com/albumentations-team/benchmark, its transforms of RGB images with the arguments that it gives albumentations
2.0.8. Both libraries run each of them. Where nothing is drawn the tensors must agree; elsewhere what is drawn must, by the means
and deviations of many outputs (Kolmogorov-Smirnov; a false alarm once in 10^7 for each of 62 tests).
"""

from __future__ import annotations

import warnings

import albumentations as A
import numpy as np
import pytest
import scipy.stats
from albumentations.pytorch import ToTensorV2
from parity.case import photograph

import gpuaug as G

DRAWS = 48
# name: transform, arguments; None: it is the crop
FIXED = {
    "resize": ("Resize", {"height": 512, "width": 512}),
    "horizontal flip": ("HorizontalFlip", {}),
    "vertical flip": ("VerticalFlip", {}),
    "pad": ("Pad", {"padding": 10, "fill": 0}),
    "affine": ("Affine", {"rotate": (25, 25), "translate_px": (20, 20), "scale": 2.0, "shear": (10, 10), "fill": 0}),
    "grayscale": ("ToGray", {"num_output_channels": 3}),
    "gaussian blur": ("GaussianBlur", {"blur_limit": (5, 5), "sigma_limit": (2, 2)}),
    "invert": ("InvertImg", {}),
    "posterize": ("Posterize", {"num_bits": 4}),
    "solarize": ("Solarize", {"threshold_range": (0.5, 0.5)}),
    "autocontrast": ("AutoContrast", {"method": "pil"}),
    "equalize": ("Equalize", {}),
    "jpeg": ("ImageCompression", {"quality_range": (50, 50)}),
    "gamma": ("RandomGamma", {"gamma_limit": (120, 120)}),
    "median blur": ("MedianBlur", {"blur_limit": (5, 5)}),
    "brightness": ("RandomBrightnessContrast", {"brightness_limit": (0.2, 0.2), "contrast_limit": (0, 0)}),
    "contrast": ("RandomBrightnessContrast", {"brightness_limit": (0, 0), "contrast_limit": (0.2, 0.2)}),
    "blur": ("Blur", {"blur_limit": (5, 5)}),
    "hue": ("HueSaturationValue", {"hue_shift_limit": (20, 20), "sat_shift_limit": 0, "val_shift_limit": 0}),
    "saturation": ("HueSaturationValue", {"hue_shift_limit": 0, "sat_shift_limit": (127, 127), "val_shift_limit": 0}),
    "snow": ("RandomSnow", {"snow_point_range": (0.5, 0.5)}),
    "longest side": ("LongestMaxSize", {"max_size": 512}),
    "shortest side": ("SmallestMaxSize", {"max_size": 512}),
}
DRAWN = {
    "resized crop": ("RandomResizedCrop", {"size": (512, 512), "scale": (0.08, 1.0), "ratio": (0.75, 4 / 3)}),
    "rotate": ("Rotate", {"limit": 45, "interpolation": 0, "fill": 0}),
    "affine": ("Affine", {"rotate": 25.0, "translate_px": (20, 20), "scale": 2.0, "shear": (10.0, 15.0), "fill": 0}),
    "shear": ("Affine", {"shear": 10, "interpolation": 1, "border_mode": 0, "fill": 0}),
    "perspective": ("Perspective", {"scale": (0.05, 0.1)}),
    "elastic": ("ElasticTransform", {"alpha": 50.0, "sigma": 5.0, "approximate": False, "same_dxdy": True}),
    "thin plate spline": ("ThinPlateSpline", {"num_control_points": 2, "scale_range": (0.5, 0.5)}),
    "optical distortion": ("OpticalDistortion", {"distort_limit": 0.5}),
    "color jitter": ("ColorJitter", {"brightness": 0.5, "contrast": 1.5, "saturation": 1.5, "hue": 0.5}),
    "photometric": (
        "ColorJitter",
        {"brightness": (0.875, 1.125), "contrast": (0.5, 1.5), "saturation": (0.5, 1.5), "hue": (-0.05, 0.05)},
    ),
    "channel shuffle": ("ChannelShuffle", {}),
    "channel dropout": ("ChannelDropout", {}),
    "rgb shift": ("RGBShift", {"r_shift_limit": 100, "g_shift_limit": 100, "b_shift_limit": 100}),
    "hsv": ("HueSaturationValue", {"hue_shift_limit": 3.825, "sat_shift_limit": 178.5, "val_shift_limit": 102}),
    "gaussian noise": ("GaussNoise", {"std_range": (0.44, 0.44), "mean_range": (0, 0), "per_channel": True}),
    "salt and pepper": ("SaltAndPepper", {"amount": (0.01, 0.06), "salt_vs_pepper": (0.4, 0.6)}),
    "sharpen": ("Sharpen", {"alpha": (0.2, 0.5), "lightness": (0.5, 1)}),
    "motion blur": ("MotionBlur", {"blur_limit": 5, "angle_range": (0, 360), "direction_range": (-1, 1)}),
    "erasing": ("Erasing", {"scale": (0.02, 0.33), "ratio": (0.3, 3.3)}),
    "coarse dropout": (
        "CoarseDropout",
        {"hole_height_range": (0.1, 0.1), "hole_width_range": (0.1, 0.1), "num_holes_range": (4, 4)},
    ),
    "planckian jitter": ("PlanckianJitter", {"mode": "blackbody"}),
    "clahe": ("CLAHE", {"clip_limit": (1, 4), "tile_grid_size": (8, 8)}),
    "linear illumination": ("Illumination", {"mode": "linear", "angle_range": (90, 90)}),
    "corner illumination": ("Illumination", {"mode": "corner"}),
    "gaussian illumination": ("Illumination", {"mode": "gaussian"}),
    "plasma brightness": ("PlasmaBrightnessContrast", {"roughness": 0.5, "contrast_range": (0, 0)}),
    "plasma contrast": ("PlasmaBrightnessContrast", {"roughness": 0.5, "brightness_range": (0, 0)}),
    "plasma shadow": ("PlasmaShadow", {"roughness": 0.5}),
    "rain": ("RandomRain", {"drop_width": 5, "brightness_coefficient": 1.0}),
    "quarter turns": ("RandomRotate90", {}),
    "symmetry": ("SquareSymmetry", {}),
}


def pipeline(library, name: str, arguments: dict, first: str, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        crop = [] if name.endswith("Crop") else [getattr(library, first)(height=224, width=224, p=1)]
        last = [library.Normalize(p=1), ToTensorV2() if library is A else G.ToTensorV2()]
        return library.Compose([*crop, getattr(library, name)(**arguments, p=1), *last], **more)


@pytest.mark.parametrize("name", FIXED)
def test_fixed(name):
    image = photograph("china")
    found, want = (pipeline(library, *FIXED[name], "CenterCrop")(image=image)["image"] for library in (G, A))
    assert found.shape == want.shape
    # in levels of a byte before Normalize: its table divides by deviations of 0.22 to 0.23. One rounding apart, hues two
    apart = (found - want).abs().numpy() * 0.229 * 255
    far = {"hue": 2, "saturation": 2}.get(name, 1)
    assert apart.max() <= far + 0.05
    assert (apart > 0.05).mean() < 0.35


@pytest.mark.parametrize("name", DRAWN)
def test_drawn(name):
    image = photograph("china")
    ours, theirs = pipeline(G, *DRAWN[name], "RandomCrop", seed=3), pipeline(A, *DRAWN[name], "RandomCrop", seed=3)
    found = [ours(image=image)["image"] for _ in range(DRAWS)]
    want = [theirs(image=image)["image"] for _ in range(DRAWS)]
    assert {x.shape for x in found} == {x.shape for x in want}
    assert found[0].dtype == want[0].dtype
    for statistic in (lambda x: float(x.mean()), lambda x: float(x.std())):
        both = [[statistic(x) for x in outputs] for outputs in (found, want)]
        if np.ptp(both[0]) > 0:
            assert scipy.stats.ks_2samp(*both).pvalue > 1e-7

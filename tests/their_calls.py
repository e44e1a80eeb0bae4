"""Arguments that albumentations' own tests pass (their tests/aug_definitions.py of 1.4): what stands in people's minds as the way
to call it. Old spellings and today's, as they come there."""

from __future__ import annotations

import numpy as np

CUBIC, CONSTANT, REFLECT, REFLECT_101 = 2, 0, 2, 4
BLACK = (10, 10, 10)
CALLS = [
    ("ImageCompression", {"quality_lower": 10, "quality_upper": 80, "compression_type": "webp"}),
    ("HueSaturationValue", {"hue_shift_limit": 70, "sat_shift_limit": 95, "val_shift_limit": 55}),
    ("RGBShift", {"r_shift_limit": 70, "g_shift_limit": 80, "b_shift_limit": 40}),
    ("RandomBrightnessContrast", {"brightness_limit": 0.5, "contrast_limit": 0.8}),
    ("Blur", {"blur_limit": 3}),
    ("MotionBlur", {"blur_limit": 3}),
    ("MedianBlur", {"blur_limit": 3}),
    ("GaussianBlur", {"blur_limit": 3}),
    ("GaussNoise", {"var_limit": (20, 90), "mean": 10, "per_channel": False}),
    ("CLAHE", {"clip_limit": 2, "tile_grid_size": (12, 12)}),
    ("RandomGamma", {"gamma_limit": (10, 90)}),
    ("CoarseDropout", {"num_holes_range": (2, 5), "hole_height_range": (3, 4), "hole_width_range": (4, 6)}),
    ("RandomSnow", {"snow_point_lower": 0.2, "snow_point_upper": 0.4, "brightness_coeff": 4}),
    (
        "RandomRain",
        {
            **{"slant_lower": -5, "slant_upper": 5, "drop_length": 15, "drop_width": 2, "drop_color": (100, 100, 100)},
            **{"blur_value": 3, "brightness_coefficient": 0.5, "rain_type": "heavy"},
        },
    ),
    ("RandomFog", {"fog_coef_lower": 0.2, "fog_coef_upper": 0.8, "alpha_coef": 0.11}),
    (
        "RandomSunFlare",
        {
            **{"flare_roi": (0.1, 0.1, 0.9, 0.6), "angle_range": (0.1, 0.95), "num_flare_circles_range": (7, 11)},
            **{"src_radius": 300, "src_color": (200, 200, 200)},
        },
    ),
    ("RandomGravel", {"gravel_roi": (0.1, 0.4, 0.9, 0.9), "number_of_patches": 2}),
    ("RandomShadow", {"shadow_roi": (0.1, 0.4, 0.9, 0.9), "num_shadows_limit": (2, 4), "shadow_dimension": 8}),
    ("PadIfNeeded", {"min_height": 512, "min_width": 512, "border_mode": CONSTANT, "value": BLACK}),
    ("PadIfNeeded", {"min_height": 512, "min_width": 512, "border_mode": 0, "value": [124, 116, 104], "position": "top_left"}),
    ("Rotate", {"limit": 120, "interpolation": CUBIC, "border_mode": CONSTANT, "value": BLACK, "crop_border": False}),
    ("SafeRotate", {"limit": 120, "interpolation": CUBIC, "border_mode": CONSTANT, "value": BLACK}),
    (
        "ShiftScaleRotate",
        {
            **{"shift_limit": (-0.2, 0.2), "scale_limit": (-0.2, 0.2), "rotate_limit": (-70, 70), "interpolation": CUBIC},
            **{"border_mode": CONSTANT, "value": BLACK},
        },
    ),
    (
        "ShiftScaleRotate",
        {
            **{"shift_limit_x": (-0.3, 0.3), "shift_limit_y": (-0.4, 0.4), "scale_limit": (-0.2, 0.2)},
            **{"rotate_limit": (-70, 70), "interpolation": CUBIC, "border_mode": CONSTANT, "value": BLACK},
        },
    ),
    ("OpticalDistortion", {"distort_limit": 0.2, "shift_limit": 0.2, "interpolation": CUBIC, "border_mode": 0, "value": BLACK}),
    ("GridDistortion", {"num_steps": 10, "distort_limit": 0.5, "interpolation": CUBIC, "border_mode": 0, "value": BLACK}),
    ("ElasticTransform", {"alpha": 2, "sigma": 25, "interpolation": CUBIC, "border_mode": CONSTANT, "value": BLACK}),
    ("CenterCrop", {"height": 10, "width": 10}),
    ("RandomCrop", {"height": 10, "width": 10}),
    ("CropNonEmptyMaskIfExists", {"height": 10, "width": 10}),
    ("RandomSizedCrop", {"min_max_height": (4, 8), "height": 10, "width": 10}),
    ("Crop", {"x_max": 64, "y_max": 64}),
    ("ToFloat", {"max_value": 16536}),
    ("Normalize", {"mean": (0.385, 0.356, 0.306), "std": (0.129, 0.124, 0.125), "max_pixel_value": 100.0}),
    ("RandomScale", {"scale_limit": 0.2, "interpolation": CUBIC}),
    ("Resize", {"height": 64, "width": 64}),
    ("SmallestMaxSize", {"max_size": 64, "interpolation": CUBIC}),
    ("LongestMaxSize", {"max_size": 128, "interpolation": CUBIC}),
    ("RandomGridShuffle", {"grid": (4, 4)}),
    ("Solarize", {"threshold": 32}),
    ("Posterize", {"num_bits": 1}),
    ("Equalize", {"mode": "pil", "by_channels": False}),
    ("MultiplicativeNoise", {"multiplier": (0.7, 2.3), "per_channel": True, "elementwise": True}),
    ("ColorJitter", {"brightness": [0.2, 0.3], "contrast": [0.7, 0.9], "saturation": [1.2, 1.7], "hue": [-0.2, 0.1]}),
    (
        "Perspective",
        {
            **{"scale": 0.5, "keep_size": False, "pad_mode": REFLECT_101, "pad_val": 10, "mask_pad_val": 100},
            **{"fit_output": True, "interpolation": CUBIC},
        },
    ),
    ("Sharpen", {"alpha": [0.2, 0.5], "lightness": [0.5, 1.0]}),
    ("Emboss", {"alpha": [0.2, 0.5], "strength": [0.5, 1.0]}),
    ("RandomToneCurve", {"scale": 0.2, "per_channel": False}),
    ("RandomToneCurve", {"scale": 0.3, "per_channel": True}),
    (
        "CropAndPad",
        {
            **{"px": 10, "keep_size": False, "sample_independently": False, "interpolation": CUBIC},
            **{"pad_cval_mask": [10, 20, 30], "pad_cval": [11, 12, 13], "pad_mode": REFLECT_101},
        },
    ),
    ("Superpixels", {"p_replace": (0.5, 0.7), "n_segments": (20, 30), "max_size": 25, "interpolation": CUBIC}),
    (
        "Affine",
        {
            **{"scale": 0.5, "translate_percent": 0.7, "translate_px": None, "rotate": 33, "shear": 21, "interpolation": CUBIC},
            **{"cval": 25, "cval_mask": 1, "mode": CONSTANT, "fit_output": True},
        },
    ),
    (
        "Affine",
        {
            **{"scale": {"x": [0.3, 0.5], "y": [0.1, 0.2]}, "translate_percent": None, "rotate": [333, 360]},
            **{"translate_px": {"x": [10, 200], "y": [5, 101]}, "shear": {"x": [31, 38], "y": [41, 48]}, "interpolation": 3},
            **{"cval": [10, 20, 30], "cval_mask": 1, "mode": REFLECT, "fit_output": True},
        },
    ),
    (
        "PiecewiseAffine",
        {
            **{"scale": 0.33, "nb_rows": (10, 20), "nb_cols": 33, "interpolation": 2, "mask_interpolation": 1, "cval": 10},
            **{"cval_mask": 20, "mode": "edge", "absolute_scale": True, "keypoints_threshold": 0.1},
        },
    ),
    ("ChannelDropout", {"channel_drop_range": (1, 2), "fill_value": 1}),
    ("ChannelShuffle", {}),
    ("Downscale", {"scale_min": 0.5, "scale_max": 0.75, "interpolation": 1}),
    ("Flip", {}),
    ("FromFloat", {"dtype": "uint8", "max_value": 1}),
    ("HorizontalFlip", {}),
    ("ISONoise", {"color_shift": (0.2, 0.3), "intensity": (0.7, 0.9)}),
    ("InvertImg", {}),
    ("MaskDropout", {"max_objects": 2, "image_fill_value": 10, "mask_fill_value": 20}),
    ("NoOp", {}),
    ("RandomResizedCrop", {"height": 20, "width": 30, "scale": (0.5, 0.6), "ratio": (0.8, 0.9)}),
    ("FancyPCA", {"alpha": 0.3}),
    ("RandomRotate90", {}),
    ("ToGray", {}),
    ("ToRGB", {}),
    ("ToSepia", {}),
    ("Transpose", {}),
    ("VerticalFlip", {}),
    ("RingingOvershoot", {"blur_limit": (7, 15), "cutoff": (np.pi / 5, np.pi / 2)}),
    ("UnsharpMask", {"blur_limit": 3, "sigma_limit": 0.5, "alpha": 0.2, "threshold": 15}),
    ("AdvancedBlur", {"blur_limit": (3, 5), "rotate_limit": (60, 90)}),
    ("PixelDropout", {"dropout_prob": 0.1, "per_channel": True, "drop_value": None}),
    ("PixelDropout", {"dropout_prob": 0.1, "per_channel": False, "drop_value": None, "mask_drop_value": 15}),
    ("RandomCropFromBorders", {"crop_left": 0.2, "crop_right": 0.3, "crop_top": 0.05, "crop_bottom": 0.5}),
    ("Spatter", {"mean": 0.2, "std": 0.1, "gauss_sigma": 3, "cutout_threshold": 0.4, "intensity": 0.7, "mode": "mud"}),
    (
        "ChromaticAberration",
        {
            **{"primary_distortion_limit": 0.02, "secondary_distortion_limit": 0.05, "mode": "green_purple"},
            "interpolation": 1,
        },
    ),
    ("Defocus", {"radius": (5, 7), "alias_blur": (0.2, 0.6)}),
    ("ZoomBlur", {"max_factor": (1.56, 1.7), "step_factor": (0.02, 0.04)}),
    (
        "XYMasking",
        {
            **{"num_masks_x": (1, 3), "num_masks_y": 3, "mask_x_length": (10, 20), "mask_y_length": 10},
            **{"mask_fill_value": 1, "fill_value": 0},
        },
    ),
    ("GlassBlur", {"sigma": 0.8, "max_delta": 5, "iterations": 3, "mode": "exact"}),
    (
        "GridDropout",
        {
            **{"ratio": 0.75, "unit_size_range": (2, 10), "shift_xy": (10, 20), "random_offset": True},
            **{"fill_value": 10, "mask_fill_value": 20},
        },
    ),
    ("Morphological", {}),
    ("D4", {}),
    ("PlanckianJitter", {}),
    ("OverlayElements", {}),
    ("RandomCropNearBBox", {}),
    ("GridElasticDeform", {"num_grid_xy": (10, 10), "magnitude": 10}),
    ("ShotNoise", {"scale_range": (0.1, 0.3)}),
    ("TimeReverse", {}),
    ("TimeMasking", {"time_mask_param": 10}),
    ("FrequencyMasking", {"freq_mask_param": 10}),
]

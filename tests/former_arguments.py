"""The arguments of albumentations 0.5.0 to 1.4.24, read from the sources of 21 releases: all that each class ever had."""

from __future__ import annotations

ARGUMENTS = {
    "AdditiveNoise": "noise_type spatial_mode noise_params approximation p always_apply",
    "AdvancedBlur": (
        "blur_limit sigmaX_limit sigmaY_limit rotate_limit beta_limit noise_limit always_apply p sigma_x_limit sigma_y_limit"
    ),
    "Affine": (
        "scale translate_percent translate_px rotate shear interpolation cval cval_mask mode fit_output always_apply p "
        "mask_interpolation keep_ratio rotate_method balanced_scale border_mode fill fill_mask"
    ),
    "AtLeastOneBBoxRandomCrop": "height width erosion_factor p always_apply",
    "AutoContrast": "p always_apply",
    "BBoxSafeRandomCrop": "erosion_rate always_apply p",
    "BboxParams": "format label_fields min_area min_visibility check_each_transform min_width min_height clip",
    "Blur": "blur_limit always_apply p",
    "CLAHE": "clip_limit tile_grid_size always_apply p",
    "CenterCrop": (
        "height width always_apply p pad_if_needed pad_mode pad_cval pad_cval_mask pad_position border_mode fill fill_mask"
    ),
    "CenterCrop3D": "size pad_if_needed fill fill_mask p always_apply",
    "ChannelDropout": "channel_drop_range fill_value always_apply p fill",
    "ChannelShuffle": "always_apply p",
    "ChromaticAberration": "primary_distortion_limit secondary_distortion_limit mode interpolation always_apply p",
    "CoarseDropout": (
        "max_holes max_height max_width min_holes min_height min_width fill_value mask_fill_value always_apply p "
        "num_holes_range hole_height_range hole_width_range fill fill_mask"
    ),
    "CoarseDropout3D": "num_holes_range hole_depth_range hole_height_range hole_width_range fill fill_mask p always_apply",
    "ColorJitter": "brightness contrast saturation hue always_apply p",
    "Compose": (
        "transforms bbox_params keypoint_params additional_targets p is_check_shapes return_params save_key strict "
        "mask_interpolation seed save_applied_params"
    ),
    "Crop": (
        "x_min y_min x_max y_max always_apply p pad_if_needed pad_mode pad_cval pad_cval_mask pad_position border_mode "
        "fill fill_mask"
    ),
    "CropAndPad": (
        "px percent pad_mode pad_cval pad_cval_mask keep_size sample_independently interpolation always_apply p "
        "mask_interpolation border_mode fill fill_mask"
    ),
    "CropNonEmptyMaskIfExists": "height width ignore_values ignore_channels always_apply p",
    "CubicSymmetry": "p always_apply",
    "Cutout": "num_holes max_h_size max_w_size fill_value always_apply p",
    "D4": "always_apply p",
    "Defocus": "radius alias_blur always_apply p",
    "Downscale": "scale_min scale_max interpolation always_apply p scale_range interpolation_pair",
    "ElasticTransform": (
        "alpha sigma alpha_affine interpolation border_mode value mask_value always_apply approximate p same_dxdy "
        "mask_interpolation noise_distribution"
    ),
    "Emboss": "alpha strength always_apply p",
    "Equalize": "mode by_channels mask mask_params always_apply p",
    "Erasing": "scale ratio fill fill_mask always_apply p",
    "FDA": "beta_limit always_apply p reference_images read_fn",
    "FancyPCA": "alpha always_apply p",
    "Flip": "always_apply p",
    "FrequencyMasking": "freq_mask_param p always_apply",
    "FromFloat": "dtype max_value always_apply p",
    "GaussNoise": "var_limit mean always_apply p per_channel noise_scale_factor std_range mean_range",
    "GaussianBlur": "blur_limit sigma_limit always_apply p",
    "GlassBlur": "sigma max_delta iterations always_apply mode p",
    "GridDistortion": (
        "num_steps distort_limit interpolation border_mode value mask_value always_apply p normalized mask_interpolation"
    ),
    "GridDropout": (
        "ratio unit_size_min unit_size_max holes_number_x holes_number_y shift_x shift_y random_offset fill_value "
        "mask_fill_value always_apply p unit_size_range holes_number_xy shift_xy fill fill_mask"
    ),
    "GridElasticDeform": "num_grid_xy magnitude interpolation mask_interpolation p always_apply",
    "HistogramMatching": "reference_images blend_ratio read_fn p always_apply",
    "HorizontalFlip": "always_apply p",
    "HueSaturationValue": "hue_shift_limit sat_shift_limit val_shift_limit always_apply p",
    "IAAAdditiveGaussianNoise": "loc scale per_channel always_apply p",
    "IAAAffine": "scale translate_percent translate_px rotate shear order cval mode always_apply p",
    "IAACropAndPad": "px percent pad_mode pad_cval keep_size always_apply p",
    "IAAEmboss": "alpha strength always_apply p",
    "IAAFliplr": "always_apply p",
    "IAAFlipud": "always_apply p",
    "IAAPerspective": "scale keep_size always_apply p",
    "IAAPiecewiseAffine": "scale nb_rows nb_cols order cval mode always_apply p",
    "IAASharpen": "alpha lightness always_apply p",
    "IAASuperpixels": "p_replace n_segments always_apply p",
    "ISONoise": "color_shift intensity always_apply p",
    "Illumination": "mode intensity_range effect_type angle_range center_range sigma_range always_apply p",
    "ImageCompression": "quality_lower quality_upper compression_type always_apply p quality_range",
    "InvertImg": "always_apply p",
    "JpegCompression": "quality_lower quality_upper always_apply p",
    "KeypointParams": "format label_fields remove_invisible angle_in_degrees check_each_transform",
    "Lambda": "image mask keypoint bbox name always_apply p global_label keypoints bboxes",
    "LongestMaxSize": "max_size interpolation always_apply p mask_interpolation max_size_hw",
    "MaskDropout": "max_objects image_fill_value mask_fill_value always_apply p fill fill_mask",
    "MedianBlur": "blur_limit always_apply p",
    "MixUp": "reference_data read_fn alpha mix_coef_return_name always_apply p",
    "Morphological": "scale operation always_apply p",
    "MotionBlur": "blur_limit always_apply p allow_shifted angle_range direction_range",
    "MultiplicativeNoise": "multiplier per_channel elementwise always_apply p",
    "NoOp": "always_apply p",
    "Normalize": "mean std max_pixel_value always_apply p normalization",
    "OneOf": "transforms p",
    "OneOrOther": "first second transforms p",
    "OpticalDistortion": (
        "distort_limit shift_limit interpolation border_mode value mask_value always_apply p mask_interpolation mode"
    ),
    "OverlayElements": "metadata_key p always_apply",
    "Pad": "padding fill fill_mask border_mode p always_apply",
    "Pad3D": "padding fill fill_mask p always_apply",
    "PadIfNeeded": (
        "min_height min_width pad_height_divisor pad_width_divisor border_mode value mask_value always_apply p position "
        "fill fill_mask"
    ),
    "PadIfNeeded3D": "min_zyx pad_divisor_zyx position fill fill_mask p always_apply",
    "PerChannel": "transforms channels p",
    "Perspective": (
        "scale keep_size pad_mode pad_val mask_pad_val fit_output interpolation always_apply p mask_interpolation "
        "border_mode fill fill_mask"
    ),
    "PiecewiseAffine": (
        "scale nb_rows nb_cols interpolation mask_interpolation cval cval_mask mode absolute_scale always_apply "
        "keypoints_threshold p"
    ),
    "PixelDistributionAdaptation": "reference_images blend_ratio read_fn transform_type always_apply p",
    "PixelDropout": "dropout_prob per_channel drop_value mask_drop_value always_apply p",
    "PlanckianJitter": "mode temperature_limit sampling_method always_apply p",
    "PlasmaBrightnessContrast": "brightness_range contrast_range plasma_size roughness always_apply p",
    "PlasmaShadow": "shadow_intensity_range plasma_size roughness p always_apply",
    "Posterize": "num_bits always_apply p",
    "RGBShift": "r_shift_limit g_shift_limit b_shift_limit always_apply p",
    "RandomBrightness": "limit always_apply p",
    "RandomBrightnessContrast": "brightness_limit contrast_limit brightness_by_max always_apply p ensure_safe_range",
    "RandomContrast": "limit always_apply p",
    "RandomCrop": (
        "height width always_apply p pad_if_needed pad_mode pad_cval pad_cval_mask pad_position border_mode fill fill_mask"
    ),
    "RandomCrop3D": "size pad_if_needed fill fill_mask p always_apply",
    "RandomCropFromBorders": "crop_left crop_right crop_top crop_bottom always_apply p",
    "RandomCropNearBBox": "max_part_shift always_apply p cropping_box_key cropping_bbox_key",
    "RandomFog": "fog_coef_lower fog_coef_upper alpha_coef always_apply p fog_coef_range",
    "RandomGamma": "gamma_limit eps always_apply p",
    "RandomGravel": "gravel_roi number_of_patches always_apply p",
    "RandomGridShuffle": "grid always_apply p",
    "RandomOrder": "transforms n replace p",
    "RandomRain": (
        "slant_lower slant_upper drop_length drop_width drop_color blur_value brightness_coefficient rain_type "
        "always_apply p slant_range"
    ),
    "RandomResizedCrop": "height width scale ratio interpolation always_apply p size mask_interpolation",
    "RandomRotate90": "always_apply p",
    "RandomScale": "scale_limit interpolation always_apply p mask_interpolation",
    "RandomShadow": (
        "shadow_roi num_shadows_lower num_shadows_upper shadow_dimension always_apply p num_shadows_limit shadow_intensity_range"
    ),
    "RandomSizedBBoxSafeCrop": "height width erosion_rate interpolation always_apply p mask_interpolation",
    "RandomSizedCrop": "min_max_height height width w2h_ratio interpolation always_apply p size mask_interpolation",
    "RandomSnow": "snow_point_lower snow_point_upper brightness_coeff always_apply p snow_point_range method",
    "RandomSunFlare": (
        "flare_roi angle_lower angle_upper num_flare_circles_lower num_flare_circles_upper src_radius src_color "
        "always_apply p angle_range num_flare_circles_range method"
    ),
    "RandomToneCurve": "scale always_apply p per_channel",
    "ReplayCompose": "transforms bbox_params keypoint_params additional_targets p save_key is_check_shapes",
    "Resize": "height width interpolation always_apply p mask_interpolation",
    "RingingOvershoot": "blur_limit cutoff always_apply p",
    "Rotate": (
        "limit interpolation border_mode value mask_value always_apply p method crop_border rotate_method "
        "mask_interpolation fill fill_mask"
    ),
    "SafeRotate": (
        "limit interpolation border_mode value mask_value always_apply p rotate_method mask_interpolation fill fill_mask"
    ),
    "SaltAndPepper": "amount salt_vs_pepper p always_apply",
    "SelectiveChannelTransform": "transforms channels always_apply p",
    "Sequential": "transforms p",
    "Sharpen": "alpha lightness always_apply p method kernel_size sigma",
    "ShiftScaleRotate": (
        "shift_limit scale_limit rotate_limit interpolation border_mode value mask_value always_apply p shift_limit_x "
        "shift_limit_y rotate_method mask_interpolation fill fill_mask"
    ),
    "ShotNoise": "scale_range p always_apply",
    "SmallestMaxSize": "max_size interpolation always_apply p mask_interpolation max_size_hw",
    "Solarize": "threshold always_apply p threshold_range",
    "SomeOf": "transforms n replace p",
    "Spatter": "mean std gauss_sigma cutout_threshold intensity mode always_apply p color",
    "Superpixels": "p_replace n_segments max_size interpolation always_apply p",
    "TemplateTransform": "templates img_weight template_weight template_transform name always_apply p",
    "TextImage": (
        "font_path stopwords augmentations fraction_range font_size_fraction_range font_color clear_bg metadata_key "
        "always_apply p"
    ),
    "ThinPlateSpline": "scale_range num_control_points interpolation mask_interpolation p always_apply",
    "TimeMasking": "time_mask_param p always_apply",
    "TimeReverse": "p always_apply",
    "ToFloat": "max_value always_apply p",
    "ToGray": "always_apply p num_output_channels method",
    "ToRGB": "always_apply p num_output_channels",
    "ToSepia": "always_apply p",
    "ToTensor": "num_classes sigmoid normalize",
    "ToTensor3D": "p always_apply",
    "ToTensorV2": "always_apply p transpose_mask",
    "Transpose": "always_apply p",
    "UnsharpMask": "blur_limit sigma_limit alpha threshold always_apply p",
    "VerticalFlip": "always_apply p",
    "XYMasking": "num_masks_x num_masks_y mask_x_length mask_y_length fill_value mask_fill_value always_apply p fill fill_mask",
    "ZoomBlur": "max_factor step_factor always_apply p",
}

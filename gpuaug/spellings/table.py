"""The table: which arguments of which transform were spelled how, in which releases of albumentations."""

from __future__ import annotations

from .rules import Old, Places, number, paired, reading, renamed, word

BEFORE_2 = "0.1 to 1.4"
REFLECTED = {"border_mode": 4}  # the default of all releases before 2.0 (cv2.BORDER_REFLECT_101)
MODES = {"constant": 0, "edge": 1, "symmetric": 2, "reflect": 4, "wrap": 3}  # words of NumPy, skimage and imgaug
CODECS = {0: "jpeg", 1: "webp"}


def border(mode):
    """OpenCV's number of a border that was a word."""
    if isinstance(mode, str):
        if mode not in MODES:
            raise TypeError(f"the border mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}")
        return MODES[mode]
    return mode


def fills(value: str, mask_value: str, versions: str = BEFORE_2, then=None, none: bool = False) -> tuple[Old, ...]:
    """What borders and holes are filled with."""
    return (
        renamed(value, "fill", versions, then=then),
        renamed(mask_value, "fill_mask", versions, then=then, none=none),
    )


def padded(mode: str, value: str, mask_value: str, versions: str) -> tuple[Old, ...]:
    return (renamed(mode, "border_mode", versions, border), *fills(value, mask_value, versions))


def _size(given: dict) -> dict:
    size, height, width = (given.get(name) for name in ("size", "height", "width"))
    if size is None:
        if height is None or width is None:
            raise TypeError("height and width are given together; or size=(height, width)")
        return {"size": (height, width)}
    if number(size) and width is not None and height is None:
        return {"size": (size, width)}
    if number(size) and height is None and width is None:
        return {"size": size}
    if number(size) or (height is not None and height != size[0]) or (width is not None and width != size[1]):
        raise TypeError(f"size={size!r} and height={height!r}, width={width!r} are two spellings of one thing; keep size")
    return {"size": size}


def _holes(what: str, new: str) -> Old:
    low, high = f"min_{what}", f"max_{what}"

    def turn(given: dict) -> dict:
        top = given.get(high)
        least = given.get(low)
        if top is None:
            if number(least) and least > 8:
                raise TypeError(f"{low}={least!r} is above {high}, which was 8 where it was not given; give {high}, too")
            top = 8
        return {new: (top if least is None else least, top)}

    eight = {"num_holes_range": (8, 8), "hole_height_range": (8, 8), "hole_width_range": (8, 8)}
    return Old((low, high), new, "0.1 to 1.4.5", turn, eight, note="a minimum that is not given is the maximum")


def _both(x: str, y: str, new: str, then: dict) -> Old:
    def turn(given: dict) -> dict:
        if given.get(x) is None and given.get(y) is None:
            return {}
        if given.get(x) is None or given.get(y) is None:
            raise TypeError(f"{x} and {y} are given together: {new}=({x}, {y})")
        return {new: (given[x], given[y])}

    return Old((x, y), new, "0.1 to 1.4.10", turn, then)


def _pair_of_interpolations(value):
    if value is None:
        return None
    if isinstance(value, dict):
        return value
    if isinstance(value, tuple):  # Downscale.Interpolation
        return dict(zip(("downscale", "upscale"), value))
    return {"downscale": value, "upscale": value}


def _threshold(value):
    def one(v):
        return v / 255 if v > 1 else v

    return (one(value), one(value)) if number(value) else tuple(map(one, value))


def _refused(name: str, harmless, versions: str, why: str) -> Old:
    """What has no counterpart; ``harmless`` is the value that says nothing."""

    def turn(given: dict) -> dict:
        if given[name] != harmless:
            raise TypeError(f"{name}={given[name]!r}: {why}")
        return {}

    return Old((name,), "", versions, turn, note=why)


def _refused_where(name: str, versions: str, only, why: str) -> Old:
    """The same of values of one kind."""

    def turn(given: dict) -> dict:
        raise TypeError(f"{name}={given[name]!r}: {why}")

    return Old((name,), "", versions, turn, {}, only, why)


def _without_effect(name: str, versions: str, why: str) -> Old:
    return Old((name,), "", versions, lambda given: {}, note=why)


def _kept(name: str, versions: str) -> Old:
    """What is still an argument, of which only the defaults beside it are others."""
    return Old((name,), name, versions, dict, REFLECTED, note="still an argument")


def _several(name: str, value, note: str) -> Old:
    return reading(name, f"{name}=(low, high)", "1.4.0", lambda v: isinstance(v, (tuple, list)) and len(v) > 2, value, note=note)


def _from_zero(name: str, high: float = 0.0, shown: str = "0.0") -> Old:
    """A number that made a range with another end, which is an error today."""
    return reading(
        name,
        f"{name}=({shown}, {name})",
        "1.0 to 1.4",
        number,
        lambda v: (min(v, high), max(v, high)),
        note="was one number, too",
    )


_VALUE = fills("value", "mask_value", then=REFLECTED)
_PAD = padded("pad_mode", "pad_cval", "pad_cval_mask", "1.4.21")
_FILL_VALUE = fills("fill_value", "mask_fill_value", none=True)
_SIZED = Old(("height", "width", "size"), "size=(height, width)", "0.1 to 1.4.3", _size)

SPELLINGS: dict[str, tuple[Old, ...]] = {
    "AdvancedBlur": (
        renamed("sigmaX_limit", "sigma_x_limit", "1.2 to 1.4.1"),
        renamed("sigmaY_limit", "sigma_y_limit", "1.2 to 1.4.1"),
    ),
    "Affine": (
        renamed("mode", "border_mode", "1.0 to 1.4", border),
        *fills("cval", "cval_mask", "1.0 to 1.4"),
        *(
            reading(
                name, f"{name}={value!r}", "1.0 to 1.4", lambda v: v is None, lambda _, value=value: value, note="was None, too"
            )
            for name, value in (("scale", (1.0, 1.0)), ("rotate", 0.0), ("shear", (0.0, 0.0)))
        ),
    ),
    "BboxParams": (_refused("filter_lost_elements", True, "0.1", "boxes that have left the image are always dropped"),),
    "CenterCrop": _PAD,
    "ChannelDropout": (renamed("fill_value", "fill", BEFORE_2),),
    "CoarseDropout": (
        _holes("holes", "num_holes_range"),
        _holes("height", "hole_height_range"),
        _holes("width", "hole_width_range"),
        *_FILL_VALUE,
    ),
    "Compose": (
        renamed("return_params", "save_applied_params", "1.4.10 to 1.4.20"),
        _refused("save_key", "applied_params", "1.4.10 to 1.4.20", "parameters are saved as 'applied_params'"),
    ),
    "Crop": _PAD,
    "CropAndPad": padded("pad_mode", "pad_cval", "pad_cval_mask", "1.0 to 1.4"),
    "Downscale": (
        paired("scale_min", "scale_max", "scale_range", "0.1 to 1.4.5", (0.25, 0.25)),
        renamed("interpolation", "interpolation_pair", "0.1 to 1.4.5", _pair_of_interpolations),
    ),
    "ElasticTransform": (_kept("alpha_affine", "0.1 to 1.4.16"), *_VALUE),
    "Emboss": (_from_zero("alpha"), _from_zero("strength")),
    "Erasing": fills("fill_value", "mask_fill_value", "1.4.19 to 1.4.21", none=True),
    "GaussianBlur": (
        Old(
            ("sigma_limit",),
            "sigma_limit",
            "0.1 to 1.4",
            lambda given: {"sigma_limit": 0},
            {"blur_limit": (3, 7)},
            lambda v: v is None or (number(v) and v == 0),
            "it is derived from the kernel's size",
        ),
    ),
    "GridDistortion": _VALUE,
    "GridDropout": (
        paired("unit_size_min", "unit_size_max", "unit_size_range", "0.4 to 1.4.10", (2, 2), then={"random_offset": False}),
        _both("holes_number_x", "holes_number_y", "holes_number_xy", {"random_offset": False}),
        _both("shift_x", "shift_y", "shift_xy", {"random_offset": False}),
        *_FILL_VALUE,
    ),
    "ImageCompression": (
        paired("quality_lower", "quality_upper", "quality_range", "0.4 to 1.4.7", (99, 100)),
        reading(
            "compression_type",
            'compression_type="jpeg"',
            "0.4 to 1.4.15",
            lambda value: not isinstance(word(value), str),
            lambda value: CODECS.get(word(value), value),
            note="was a member of ImageCompression.ImageCompressionType",
        ),
    ),
    "MaskDropout": (
        renamed(
            "image_fill_value",
            "fill",
            BEFORE_2,
            lambda v: "inpaint_ns" if v == "inpaint" else v,
            note='"inpaint" is "inpaint_ns"',
        ),
        renamed("mask_fill_value", "fill_mask", BEFORE_2),
    ),
    "MultiplicativeNoise": (
        reading("multiplier", "multiplier=(m, m)", "0.4 to 1.4", number, lambda m: (m, m), note="was one number, too"),
        reading("per_channel", "per_channel=False", "1.4.8", lambda value: value is None, lambda value: False),
    ),
    "OpticalDistortion": (_kept("shift_limit", "0.1 to 1.4.21"), *_VALUE),
    "PadIfNeeded": (
        reading(
            "position",
            'position="center"',
            "1.0 to 1.4.17",
            lambda value: type(value) is not str and hasattr(value, "value"),
            word,
            note="was a member of PadIfNeeded.PositionType",
        ),
        *_VALUE,
    ),
    "Perspective": padded("pad_mode", "pad_val", "mask_pad_val", "1.0 to 1.4"),
    "PiecewiseAffine": (
        renamed("mode", "border_mode", "1.0 to 1.4", border),
        *fills("cval", "cval_mask", "1.0 to 1.4"),
        _without_effect("keypoints_threshold", "1.0 to 1.4", "keypoints are found without one"),
    ),
    "RandomCrop": _PAD,
    "RandomCropNearBBox": (renamed("cropping_box_key", "cropping_bbox_key", "1.1 to 1.4.1"),),
    "RandomFog": (paired("fog_coef_lower", "fog_coef_upper", "fog_coef_range", "0.3 to 1.4.9", (0.3, 1)),),
    "RandomGamma": (_without_effect("eps", "0.3 to 1.3", "nothing is divided"),),
    "RandomRain": (
        paired("slant_lower", "slant_upper", "slant_range", "0.3 to 1.4.7", (-10, 10)),
        reading("rain_type", 'rain_type="default"', "0.3 to 1.4.15", lambda value: value is None, lambda value: "default"),
    ),
    "RandomResizedCrop": (_SIZED,),
    "RandomShadow": (paired("num_shadows_lower", "num_shadows_upper", "num_shadows_limit", "0.3 to 1.4.3", (1, 2)),),
    "RandomSizedCrop": (_SIZED,),
    "RandomSnow": (paired("snow_point_lower", "snow_point_upper", "snow_point_range", "0.3 to 1.4.7", (0.1, 0.3)),),
    "RandomSunFlare": (
        paired("angle_lower", "angle_upper", "angle_range", "0.3 to 1.4.10", (0, 1)),
        paired("num_flare_circles_lower", "num_flare_circles_upper", "num_flare_circles_range", "0.3 to 1.4.10", (6, 10)),
    ),
    "RingingOvershoot": (_from_zero("cutoff", 1.5707963267948966, "pi / 2"),),
    "Rotate": (renamed("method", "rotate_method", "1.2"), *_VALUE),
    "SafeRotate": _VALUE,
    "Sharpen": (_from_zero("alpha"), _from_zero("lightness")),
    "ShiftScaleRotate": _VALUE,
    "Solarize": (
        renamed("threshold", "threshold_range", BEFORE_2, _threshold, note="as a share of 255; numbers up to 1 are shares"),
    ),
    "Spatter": (
        _refused_where(
            "mode", "1.2 to 1.4", lambda v: isinstance(v, (tuple, list)), "one of several modes is OneOf([Spatter(mode=..), ..])"
        ),
    ),
    "XYMasking": (
        *fills("fill_value", "mask_fill_value", "1.4.0 to 1.4.21", {"fill_mask": 0}, none=True),
        *(_several(f"num_masks_{axis}", lambda v: tuple(v[:2]), "of more than two numbers the first two count") for axis in "xy"),
        *(_several(f"mask_{axis}_length", lambda v: (min(v), max(v)), "of several numbers least and greatest") for axis in "xy"),
    ),
}


def _whole(value) -> bool:
    return number(value) and value == int(value)


def _at(place: int, is_old):
    """Whether there is an argument at a place, and it is of the old order."""
    return lambda args: len(args) > place and is_old(args[place])


def _above_1(value) -> bool:
    ends = (value,) if number(value) else value
    return isinstance(ends, (tuple, list)) and all(map(number, ends)) and max(ends, default=0) > 1


def _amount(value) -> bool:
    """A number that is none of an interpolation."""
    return isinstance(value, float) or value not in (0, 1, 2, 3, 4, 6)


def _elastic(args: tuple) -> bool:
    return len(args) > 2 and (_amount(args[2]) or (len(args) == 11 and not isinstance(args[6], str)))


def _switch(value) -> bool:
    return isinstance(value, bool)


def _no_switch(value) -> bool:
    return not isinstance(value, bool)


_END = ("always_apply", "p")
_SHIFT = (
    *("shift_limit", "scale_limit", "rotate_limit", "interpolation", "border_mode", "value", "mask_value"),
    *("shift_limit_x", "shift_limit_y"),
)
_ELASTIC = ("alpha", "sigma", "alpha_affine", "interpolation", "border_mode", "value", "mask_value")
_GRID = ("num_steps", "distort_limit", "interpolation", "border_mode", "value", "mask_value")
_CROP = ("scale", "ratio", "interpolation", *_END)
_SIDES = (Places(("height", "width", *_END), "0.1 to 1.4.20", lambda args: len(args) == 4 and number(args[3])),)
_LENGTHS = (Places(("max_size", "interpolation", *_END), "0.1 to 1.4.23", _at(1, number)),)

# whose arguments stood in another order, and how that is seen from the arguments themselves; else they are read in today's order
PLACES: dict[str, tuple[Places, ...]] = {
    "CenterCrop": _SIDES,
    "CoarseDropout": (
        Places(
            (
                "max_holes",
                "max_height",
                "max_width",
                "min_holes",
                "min_height",
                "min_width",
                "fill_value",
                "mask_fill_value",
                *_END,
            ),
            "0.1 to 1.4",
            _at(0, number),
        ),
    ),
    "Crop": (Places(("x_min", "y_min", "x_max", "y_max", *_END), "0.1 to 1.4.20", _at(5, number)),),
    "CropAndPad": (
        Places(
            (
                "px",
                "percent",
                "pad_mode",
                "pad_cval",
                "pad_cval_mask",
                "keep_size",
                "sample_independently",
                "interpolation",
                *_END,
            ),
            "1.0 to 1.4.19",
            _at(2, _no_switch),
        ),
    ),
    "Downscale": (Places(("scale_min", "scale_max", "interpolation", *_END), "0.1 to 1.4", _at(0, number)),),
    "ElasticTransform": (
        Places(
            (*_ELASTIC, "always_apply", "approximate", "p"),
            "0.2 to 0.5",
            lambda args: len(args) == 10 and not isinstance(args[6], str),
        ),
        Places((*_ELASTIC, "always_apply", "approximate", "same_dxdy", "p"), "1.0 to 1.4.16", _elastic),
    ),
    "GaussNoise": (
        Places(("var_limit", "mean", *_END), "0.1 to 0.5", lambda args: len(args) == 4 and number(args[3])),
        Places(("var_limit", "mean", "per_channel", *_END), "1.0 to 1.4.21", _at(0, lambda v: number(v) or _above_1(v))),
    ),
    "GridDistortion": (
        Places((*_GRID, *_END), "0.2 to 0.5", lambda args: len(args) == 8 and not isinstance(args[7], bool)),
        Places((*_GRID, "normalized", *_END), "1.0 to 1.4", _at(3, _no_switch)),
    ),
    "GridDropout": (
        Places(
            (
                *("ratio", "unit_size_min", "unit_size_max", "holes_number_x", "holes_number_y", "shift_x", "shift_y"),
                *("random_offset", "fill_value", "mask_fill_value", *_END),
            ),
            "0.4 to 1.4.10",
            _at(1, _no_switch),
        ),
    ),
    "ImageCompression": (Places(("quality_lower", "quality_upper", "compression_type", *_END), "0.4 to 1.4", _at(0, number)),),
    "LongestMaxSize": _LENGTHS,
    "MultiplicativeNoise": (Places(("multiplier", "per_channel", "elementwise", *_END), "0.4 to 1.4", _at(0, number)),),
    "OpticalDistortion": (
        Places(
            ("distort_limit", "shift_limit", "interpolation", "border_mode", "value", "mask_value", *_END),
            "0.1 to 1.4.21",
            _at(1, lambda value: not _whole(value) or isinstance(value, float)),
        ),
    ),
    "PadIfNeeded": (
        Places(
            ("min_height", "min_width", "border_mode", "value", "mask_value", *_END),
            "0.1 to 0.4",
            lambda args: len(args) > 2 and number(args[0]) and number(args[2]),
        ),
        Places(
            (
                *("min_height", "min_width", "pad_height_divisor", "pad_width_divisor"),
                *("border_mode", "value", "mask_value", *_END),
            ),
            "0.5",
            _at(4, number),
        ),
        Places(
            (
                *("min_height", "min_width", "pad_height_divisor", "pad_width_divisor", "position", "border_mode"),
                *("value", "mask_value", *_END),
            ),
            "1.0 to 1.4",
            lambda args: len(args) > 6 and (args[6] is None or len(args) == 10),
        ),
    ),
    "Perspective": (
        Places(
            ("scale", "keep_size", "pad_mode", "pad_val", "mask_pad_val", "fit_output", "interpolation", *_END),
            "1.0 to 1.4.19",
            _at(2, _no_switch),
        ),
    ),
    "RandomCrop": _SIDES,
    "RandomFog": (Places(("fog_coef_lower", "fog_coef_upper", "alpha_coef", *_END), "0.3 to 1.4", _at(1, number)),),
    "RandomGamma": (Places(("gamma_limit", "eps", *_END), "0.3 to 1.3", lambda args: len(args) == 4),),
    "RandomRain": (
        Places(
            (
                *("slant_lower", "slant_upper", "drop_length", "drop_width", "drop_color", "blur_value"),
                *("brightness_coefficient", "rain_type", *_END),
            ),
            "0.3 to 1.4.7",
            _at(0, number),
        ),
    ),
    "RandomResizedCrop": (
        Places(
            ("size", "width", "height", *_CROP), "1.4.4", lambda args: len(args) > 1 and not number(args[0]) and _whole(args[1])
        ),
        Places(("height", "width", *_CROP), "0.1 to 1.4.3", lambda args: len(args) > 1 and number(args[0]) and number(args[1])),
    ),
    "RandomShadow": (
        Places(
            ("shadow_roi", "num_shadows_lower", "num_shadows_upper", "shadow_dimension", *_END), "0.3 to 1.4.3", _at(1, number)
        ),
    ),
    "RandomSizedCrop": (
        Places(
            ("min_max_height", "size", "width", "height", "w2h_ratio", "interpolation", *_END),
            "1.4.4",
            lambda args: len(args) > 2 and not number(args[1]) and _whole(args[2]) and args[2] > 1,
        ),
        Places(("min_max_height", "height", "width", "w2h_ratio", "interpolation", *_END), "0.1 to 1.4.3", _at(1, number)),
    ),
    "RandomSnow": (Places(("snow_point_lower", "snow_point_upper", "brightness_coeff", *_END), "0.3 to 1.4", _at(1, number)),),
    "RandomSunFlare": (
        Places(
            (
                *("flare_roi", "angle_lower", "angle_upper", "num_flare_circles_lower", "num_flare_circles_upper"),
                *("src_radius", "src_color", *_END),
            ),
            "0.3 to 1.4",
            _at(2, number),
        ),
    ),
    "Rotate": (
        Places(("limit", "interpolation", "border_mode", "value", "mask_value", *_END), "0.2 to 1.1", _at(5, _switch)),
        Places(
            ("limit", "interpolation", "border_mode", "value", "mask_value", "rotate_method", "crop_border", *_END),
            "0.1 to 1.4",
            _at(3, lambda value: not isinstance(value, str)),
        ),
    ),
    "SafeRotate": (
        Places(
            ("limit", "interpolation", "border_mode", "value", "mask_value", *_END),
            "1.0 to 1.4",
            _at(3, lambda value: not isinstance(value, str)),
        ),
    ),
    "ShiftScaleRotate": (
        Places((*_SHIFT, *_END), "0.2 to 1.1", _at(9, _switch)),
        Places(
            (*_SHIFT, "rotate_method", *_END),
            "0.1 to 1.4",
            _at(5, lambda value: isinstance(value, (tuple, list)) and len(value) != 2),
        ),
    ),
    "SmallestMaxSize": _LENGTHS,
    "Solarize": (Places(("threshold", *_END), BEFORE_2, _at(0, lambda value: number(value) and value > 1)),),
}

"""For a transform of gpuaug's, what albumentations' makes of an image with the same uniforms."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import albumentations as A
import cv2
import numpy as np

from ...transform import Transform, View
from ...uniforms import key, philox, spread
from . import noises, scenes, tones, warps
from .driven import Normals, Numbers, Script, albumentations, by_channel, filled, in_vectors, normal_noise, parameters
from .made import Reference, Undriven, theirs

__all__ = ["STANDARD", "Reference", "Undriven", "reference", "theirs"]


# driven by uniforms in the order in which gpuaug draws them
STANDARD = """
    Blur D4 Defocus Emboss FromFloat GaussianBlur HorizontalFlip ImageCompression InvertImg LongestMaxSize MedianBlur
    Morphological MotionBlur Pad PadIfNeeded Posterize RandomBrightnessContrast RandomCropFromBorders RandomGamma
    RandomRotate90 RandomScale RandomSunFlare Resize RingingOvershoot SmallestMaxSize Solarize SquareSymmetry
    TimeReverse ToFloat ToSepia Transpose UnsharpMask VerticalFlip ZoomBlur
""".split()


def reference(transform: Transform) -> Reference:
    """The reference of a transform with its arguments.

    Raises:
        Undriven: there is none here, and why.
    """
    name = type(transform).__name__
    if type(transform).__module__.split(".")[:2] != ["gpuaug", "transforms"] and name != "NoOp":
        raise Undriven("albumentations has none of its name")
    if transform.solid:
        raise Undriven("it works on volumes (docs/parity.md)")
    if transform.asks or transform.reads or transform.metadata_key:
        raise Undriven("it looks at masks, boxes or other samples (docs/parity.md)")
    if name in STANDARD:
        return Reference(albumentations(theirs(transform)), "albumentations")
    if name not in _OTHERS:
        raise Undriven(_WHY.get(name, "its reference is in gpuaug's tests, see docs/parity.md"))
    return _OTHERS[name](transform)


def _ordered(order: Callable):
    """A reference whose uniforms are asked for in another order: ``order(transform)(u)`` is a `Script`."""

    def make(transform):
        return Reference(albumentations(theirs(transform), order(transform)), "albumentations")

    return make


def _window(transform):
    random = transform.pad_if_needed and transform.pad_position == "random"
    return lambda u: Script([u[2], u[3]] if random else [], u[:2])


def _crop_and_resize(transform):
    return lambda u: Script(np.ravel(np.stack([u[:10], u[10:20]], 1)), u[20:])


# ---- maps ------------------------------------------------------------------------------------------


def affine_order(aug) -> Callable:
    """How albumentations asks for the uniforms of an Affine."""

    def order(u):
        moved = [u[0], u[1]] if aug.translate_px is not None or aug.translate_percent is not None else []
        x, y = ([u[4], u[5]], [u[6], u[7]]) if aug.balanced_scale else ([u[5]], [u[7]])
        return Script([*moved, u[2], u[3], *x, *y, u[8]])

    return order


_HALF = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])


def _map(order: Callable, source: str):
    def make(transform):
        aug = theirs(transform)

        def run(image, u, kind="image"):
            params = parameters(aug, image, order(aug)(u))
            if type(aug) is A.SafeRotate:  # its images lie half a pixel beside its boxes
                params["matrix"] = np.linalg.inv(_HALF) @ params["bbox_matrix"] @ _HALF
            return filled(aug, image, params, kind)

        return Reference(run, source)

    return make


# ---- colour ----------------------------------------------------------------------------------------


def hsv(aug, image, params):
    """albumentations' uint8 path; for float images OpenCV's float HSV, since albumentations rounds to 8 bits in between."""
    shift = np.float32([2 * params["hue_shift"], params["sat_shift"] / 255, params["val_shift"] / 255])
    if image.dtype == np.uint8 or image.shape[2] == 1:
        if image.shape[2] == 1 and image.dtype != np.uint8:
            return np.clip(image + shift[2], 0, 1)
        return aug.apply(image, **params)
    h, s, v = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    s = np.where(s == 0, 0, np.clip(s + shift[1], 0, 1)).astype(np.float32)
    return cv2.cvtColor(cv2.merge([np.mod(h + shift[0], 360), s, np.clip(v + shift[2], 0, 1)]), cv2.COLOR_HSV2RGB)


def _hue_saturation_value(transform):
    aug = theirs(transform)

    def run(image, u, kind="image"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            params = parameters(aug, image, Script(u))
            return in_vectors(lambda line: hsv(aug, line, params).reshape(line.shape), image)

    return Reference(run, "albumentations (uint8), cv2.cvtColor (float)")


def jittered(aug, image, u):
    """albumentations' ColorJitter, step by step."""
    aug.py_random, aug.random_generator = Script(u[:4]), Numbers(u[4:])
    params = aug.get_params()
    factors = [params[name] for name in ("brightness", "contrast", "saturation", "hue")]
    out = image
    for k in params["order"]:
        step = partial(aug.transforms[k], factor=factors[k])
        # OpenCV's HSV2RGB rounds the pixels at the end of a line, and truncates the others
        out = (in_vectors(step, out) if k == 3 and image.shape[2] == 3 else step(out)).reshape(image.shape)
    return out


def _color_jitter(transform):
    aug = theirs(transform)
    return Reference(lambda image, u, kind="image": jittered(aug, image, u), "albumentations")


def _drawless(transform):
    """What draws nothing that hangs on uniforms, or one script in our order, and may drop an axis."""
    aug = theirs(transform)

    def run(image, u, kind="image"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a distribution that is 0 / 0: the byte 0
            out = aug.apply(image, **parameters(aug, image, Script(u)))
        return out.reshape(*image.shape[:2], -1)

    return Reference(run, "albumentations")


def _to_gray(transform):
    if getattr(transform, "method", "") == "pca":
        raise Undriven("the sign of pca's direction is what OpenCV's rotations end with")
    aug = theirs(transform)

    def run(image, u, kind="image"):
        if image.shape[2] == 1 and type(aug) is A.ToGray:
            return image
        # albumentations squeezes images before it repeats them, and loses axes of length 1: a single pixel twice
        wide = np.repeat(image, 2, 1) if image.shape[:2] == (1, 1) else image
        return aug.apply(wide).reshape(*wide.shape[:2], -1)[:, : image.shape[1]]

    return Reference(run, "albumentations")


class _Shuffled:
    """`shuffle` as ours: by the order of uniforms."""

    def __init__(self, u):
        self.u = u

    def shuffle(self, order):
        order[:] = np.argsort(spread(key(self.u[None]), len(order))[0], kind="stable")


def _channel_shuffle(transform):
    aug = theirs(transform)

    def run(image, u, kind="image"):
        aug.py_random = _Shuffled(u)
        return aug.apply(image, **aug.get_params_dependent_on_data({"shape": image.shape}, {}))

    return Reference(run, "albumentations")


def _normalize(transform):
    aug = theirs(transform)
    if transform.normalization != "standard":
        raise Undriven(f"normalization={transform.normalization!r} is compared in gpuaug's tests")
    return Reference(lambda image, u, kind="image": aug.apply(image), "albumentations")


def _gauss(transform):
    if transform.noise_scale_factor != 1:
        raise Undriven("noise_scale_factor below 1 interpolates noise, which is compared in gpuaug's tests")
    aug = theirs(transform)

    def run(image, u, kind="image"):
        return with_noise(aug, image, u)

    return Reference(run, "albumentations, noise by NumPy")


def with_noise(aug, image, u):
    """albumentations' GaussNoise with the numbers that the kernel draws."""
    std, mean = (low + (high - low) * v for (low, high), v in ((aug.std_range, u[0]), (aug.mean_range, u[1])))
    n = normal_noise(image, [int(v * 2.0**32) for v in u[2:4]], std, mean, aug.per_channel)
    if image.dtype == np.uint8:
        return aug.apply(image, noise_map=n)
    return image + n  # ours are not clipped: spectrograms have any range


def _downscale(transform):
    aug = theirs(transform)
    how, (low, high) = aug.interpolation_pair, transform.scale_range

    def run(image, u, kind="image"):
        if image.dtype == np.uint8:
            return albumentations(aug)(image, u)
        h, w = image.shape[:2]
        by = low + (high - low) * u[0]

        def twice(part):  # albumentations' floats go through 8 bits
            small = cv2.resize(part, None, fx=by, fy=by, interpolation=how["downscale"])
            return cv2.resize(small, (w, h), interpolation=how["upscale"])

        return by_channel(twice, image)

    return Reference(run, "albumentations; floats: cv2.resize")


def _sharpen(transform):
    if transform.method == "kernel":
        return Reference(albumentations(theirs(transform)), "albumentations")
    aug = theirs(transform)

    def run(image, u, kind="image"):
        params = parameters(aug, image, Script(u))
        if image.dtype == np.float32:
            # a channel at a time: OpenCV drops an axis of one channel, and the reference's difference then is of all lines
            return np.dstack([aug.apply(np.ascontiguousarray(image[..., c]), **params) for c in range(image.shape[2])])
        # the reference's differences of bytes wrap around: its formula with differences that do not
        k, sigma, alpha = aug.kernel_size, aug.sigma, params["alpha"]
        blurred = by_channel(lambda part: cv2.GaussianBlur(part, (k, k), sigmaX=sigma, sigmaY=sigma).reshape(part.shape), image)
        sharp = image + alpha * (image.astype(np.float64) - blurred)
        return np.clip(sharp, 0, 255).astype(np.uint8)

    return Reference(run, "albumentations (float), cv2.GaussianBlur (uint8)")


# ---- holes -----------------------------------------------------------------------------------------


def _plain(transform, what: str = "fill") -> None:
    if isinstance(getattr(transform, what), str):
        raise Undriven(f"{what}={getattr(transform, what)!r} is drawn or inpainted")


def stripes(kx: int, ky: int, x, y) -> Callable:
    """How albumentations asks for stripes: at most so many, of which so many (least, most) are drawn."""

    def order(u):
        counts = [x[0] + int((x[1] - x[0] + 1) * u[0]), y[0] + int((y[1] - y[0] + 1) * u[1])]
        out, at = [], 2
        for k, count in zip((kx, ky), counts):
            out.append(u[0] if at == 2 else u[1])  # the number of stripes comes first
            for j in range(count):
                out += [u[at + j], u[at + k + j]]
            at += 2 * k
        return Script(out)

    return order


def _holes(transform, order):
    _plain(transform)
    aug = theirs(transform)

    def run(image, u, kind="image"):
        apply = aug.apply if kind == "image" else aug.apply_to_mask
        return apply(image, **parameters(aug, image, order(u)))

    return Reference(run, "albumentations")


def _xy_masking(transform):
    x, y = transform.num_masks_x, transform.num_masks_y
    return _holes(transform, stripes(x[1], y[1], x, y))


def _coarse_dropout(transform):
    most = transform.num_holes_range[1]
    return _holes(transform, lambda u: Script(u[:1], blocks=u[1:].reshape(4, most)))


def _drawn(transform, image, u) -> dict:
    """What one of gpuaug's transforms draws for an image."""
    view = View(np.array([image.shape[:2]]), image.shape[2], str(image.dtype))
    return {name: value[0] for name, value in transform.draw(u[None], view).items()}


def _given(convert: Callable, source: str):
    """albumentations' pixels from our parameters, where its draws cannot be scripted."""

    def make(transform):
        what = next(name for name in ("fill", "drop_value") if hasattr(transform, name))
        _plain(transform, what)
        aug = theirs(transform)

        def run(image, u, kind="image"):
            apply = aug.apply if kind == "image" else aug.apply_to_mask
            return apply(image, **convert(_drawn(transform, image, u), image))

        return Reference(run, source)

    return make


def filled_holes(params, image):
    holes = params["holes"]
    return {"holes": holes[(holes[:, 2:] > holes[:, :2]).all(1)], "seed": 0}


def _channels(params, image):
    return {"channels_to_drop": np.flatnonzero(params["channels_to_drop"])}


def dropped_pixels(params, image, probability: float):
    """Which pixels a PixelDropout drops that draws once for all channels."""
    h, w = image.shape[:2]
    words = philox(np.arange(h * w), 0, 3, 0, *params["key"])[:, 0] >> 8
    return np.broadcast_to((words < round(probability * 2**24)).reshape(h, w, 1), image.shape)


def _pixel_dropout(transform):
    if transform.per_channel or transform.drop_value is None:
        raise Undriven("a draw for each channel, or a drawn value, is compared in gpuaug's tests")

    def run(image, u, kind="image"):
        value = transform.drop_value if kind == "image" else transform.mask_drop_value
        if value is None:
            return image
        dropped = dropped_pixels(_drawn(transform, image, u), image, transform.dropout_prob)
        return np.where(dropped, np.asarray(value, image.dtype), image)

    return Reference(run, "NumPy, our pixels")


_AXIS = "it follows torchaudio, where albumentations' does nothing in half of its calls; see docs/parity.md"
_WHY = {
    "Cutout": "albumentations 2 has none of its name: CoarseDropout",
    "Flip": "albumentations 2 has none of its name: SquareSymmetry",
    "FrequencyMasking": _AXIS,
    "Lambda": "its functions are yours",
    "SelectiveChannelTransform": "its transforms draw anew for the channels that it picks: compare them by themselves",
    "TimeMasking": _AXIS,
    "ToTensor": "albumentations 2 has none of its name: ToTensorV2",
}
_WARP = "albumentations' matrix, cv2.warpAffine"
_OTHERS: dict[str, Callable] = {
    "Affine": _map(affine_order, _WARP),
    "AutoContrast": _drawless,
    "CLAHE": _drawless,
    "CenterCrop": _ordered(_window),
    "ChannelDropout": _given(
        lambda params, image: {"channels_to_drop": np.flatnonzero(params["channels_to_drop"])}, "albumentations, our channels"
    ),
    "ChannelShuffle": _channel_shuffle,
    "CoarseDropout": _coarse_dropout,
    "ColorJitter": _color_jitter,
    "Crop": _ordered(lambda transform: lambda u: Script(u[2:4])),
    "Downscale": _downscale,
    "Equalize": _drawless,
    "Erasing": _given(filled_holes, "albumentations, our rectangles"),
    "GaussNoise": _gauss,
    "GridDropout": _given(filled_holes, "albumentations, our rectangles"),
    "HueSaturationValue": _hue_saturation_value,
    "NoOp": lambda transform: Reference(lambda image, u, kind="image": image, "-"),
    "Normalize": _normalize,
    "Perspective": _map(lambda aug: lambda u: Normals(u[:1], blocks=[u[1:]]), "albumentations, cv2.warpPerspective"),
    "PixelDropout": _pixel_dropout,
    "PlanckianJitter": _ordered(lambda transform: Numbers),
    "RGBShift": _ordered(lambda transform: Numbers),
    "RandomCrop": _ordered(_window),
    "RandomResizedCrop": _ordered(_crop_and_resize),
    "RandomSizedCrop": _ordered(lambda transform: lambda u: Script(u[:1], u[1:])),
    "Rotate": _map(lambda aug: Script, _WARP),
    "SafeRotate": _map(lambda aug: Script, "albumentations' matrix of boxes, cv2.warpAffine"),
    "Sharpen": _sharpen,
    "ShiftScaleRotate": _map(affine_order, _WARP),
    "ToGray": _to_gray,
    "ToRGB": _to_gray,
    "ToTensorV2": lambda transform: Reference(lambda image, u, kind="image": image, "albumentations"),
    "XYMasking": _xy_masking,
    **warps.REFERENCES,
    **noises.REFERENCES,
    **scenes.REFERENCES,
    **tones.REFERENCES,
}

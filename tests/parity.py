# ruff: noqa: E501  (texts of the table)
"""Each transform beside an implementation that somebody else wrote, given the same parameters.

A `Case` holds a transform and its reference. The reference gets the uniforms that our transform drew from: as a script that
albumentations' own generators read (`Script`), so that ranges, roundings and the order of its draws are under test as well as
its pixels; or as plain numbers for OpenCV and torchaudio.

    python -m tests.parity            prints the table
    python -m tests.parity --write    writes docs/parity.md
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import torch
import torchaudio.functional as audio
from sklearn.datasets import load_sample_image

import gpuaug as G
from gpuaug import host
from gpuaug.batch import Batch
from gpuaug.deliver import deliver_ragged
from gpuaug.draw import philox
from gpuaug.track import Track
from gpuaug.transform import View

cv2.setNumThreads(1)
SIZES = [(1, 1), (1, 7), (5, 3), (31, 17), (97, 61), (224, 224)]
DTYPES = ("uint8", "float32", "float16")


# ---- tolerances --------------------------------------------------------------------------


@dataclass
class Bound:
    """At least ``share`` of all values differ by no more than ``near``, and none by more than ``far``; both in grey levels for
    uint8, else relative to max(1, |reference|)."""

    near: float = 0.0
    far: float = 0.0
    share: float = 1.0
    why: str = ""

    def __str__(self) -> str:
        if self.far == 0:
            return "exact"
        if self.share == 1:
            return f"<= {self.far:g}"
        return (f"<= {self.near:g}" if self.near else "equal") + f" on {100 * self.share:g} %, <= {self.far:g}"


EXACT = Bound()
# both sides add the same terms in float32 in another order, then round: only sums near .5 differ
ROUNDED = Bound(0, 1, 0.999, "one rounding of a sum that is near a half")
# one multiply-add, or a sum of at most 400 terms of one sign in float32: 400 * 2^-24 = 2.4e-5 at worst, its square root in practice
FLOAT = Bound(1e-5, 1e-5, 1.0, "float32 sums in another order")
# A coordinate below 512 carries an error of 2^-16 from each of two multiply-adds, on either side: 4 * 2^-16 = 6e-5 pixels along x
# and y; neighbours differ by at most 1, cubic weights have slopes up to 1.4: 2 * 6e-5 * 1.4 = 1.7e-4. Photographs are smoother.
GATHER = Bound(1e-5, 2e-4, 0.9, "float32 coordinates")
GATHER_U8 = Bound(0, 1, 0.999, "float32 coordinates and one rounding")
# nearest: a coordinate within 6e-5 of a half may go either way: 2 axes * 1.2e-4 = 0.03 % of the values, which then may differ by all
NEAREST = Bound(0, np.inf, 0.999, "coordinates on a tie")


def half(bound: Bound) -> Bound:
    """The same for float16: one more rounding, of at most half a unit of the last of 11 bits."""
    ulp = 2.0**-11 * (1 + 1e-3)
    return Bound(bound.near + ulp, bound.far + ulp, bound.share, bound.why + "; one rounding to 11 bits")


# ---- images ------------------------------------------------------------------------------


@lru_cache(None)
def photograph(name: str) -> np.ndarray:
    """A real photograph, 427 x 640, uint8, RGB."""
    return load_sample_image(f"{name}.jpg")


def stack(channels: int, h: int, w: int, name: str, y: int = 40, x: int = 60) -> np.ndarray:
    """A crop of a photograph with any number of channels: gray, RGB, RGB and luminance, or RGB of shifted crops."""
    parts = []
    for i in range(-(-max(channels, 3) // 3)):
        parts.append(photograph(name)[y + 9 * i : y + 9 * i + h, x + 5 * i : x + 5 * i + w])
    rgb = np.concatenate(parts, 2)
    if channels == 1:
        return np.ascontiguousarray(cv2.cvtColor(parts[0], cv2.COLOR_RGB2GRAY)[..., None])
    if channels == 4 and len(parts) == 2:
        rgb = np.dstack([parts[0], parts[1].max(2)])
    return np.ascontiguousarray(rgb[:, :, :channels])


@lru_cache(None)
def images(channels: int, dtype: str) -> list[np.ndarray]:
    """Photographs of all sizes, noise, and extremes."""
    rng = np.random.default_rng(channels)
    out = [stack(channels, h, w, name) for h, w in SIZES if channels <= 4 or h < 200 for name in ("china", "flower")]
    out.append(rng.integers(0, 256, (31, 17, channels), np.uint8))
    out.append(255 * rng.integers(0, 2, (31, 17, channels), np.uint8))
    out += [np.full((5, 3, channels), v, np.uint8) for v in (0, 255)]
    for image in out:
        image.setflags(write=False)
    if dtype == "uint8":
        return out
    return [(image / np.float32(255)).astype(dtype) for image in out]


# ---- the reference's luck -----------------------------------------------------------------


class Script:
    """Plays albumentations' ``py_random`` and ``random_generator`` from given uniforms."""

    def __init__(self, uniforms, single=(), blocks=()):
        self._uniforms, self._single, self._blocks = (iter(list(x)) for x in (uniforms, single, blocks))

    def uniform(self, low, high, size=None):
        u = next(self._uniforms) if size is None else next(self._blocks)[:size]
        return low + (high - low) * u

    def randint(self, low, high):
        return int(low + np.floor((high - low + 1) * next(self._uniforms)))

    def random(self):
        return next(self._single)

    def choice(self, options):
        return options[int(len(options) * next(self._uniforms))]

    def integers(self, low, high, size=None):
        if size is None:
            return 0
        return (low + np.floor((high - low) * next(self._blocks)[:size])).astype(int)


def parameters(aug, image, script: Script) -> dict:
    """What albumentations draws for an image from a script."""
    aug.py_random = aug.random_generator = script
    params = {"shape": image.shape}
    return {**aug.get_params(), **aug.get_params_dependent_on_data(params, {"image": image}), **params}


def by_channel(f: Callable, image: np.ndarray) -> np.ndarray:
    """Images of more channels than OpenCV takes, one channel at a time."""
    if image.shape[2] <= 4:
        return f(image)
    return np.dstack([f(np.ascontiguousarray(image[:, :, i : i + 1])) for i in range(image.shape[2])])


# ---- cases --------------------------------------------------------------------------------


@dataclass
class Case:
    """A transform and its reference.

    ``reference(image, u, kind)`` delivers what the transform must make of an image or a mask with the uniforms ``u``.
    """

    ours: G.Transform
    reference: Callable
    source: str
    bounds: dict
    channels: tuple = (1, 3, 4, 20)
    mask: bool = False
    keep: Callable = lambda image: True  # which images make sense
    bits: int = 30  # of the uniforms
    note: str = ""
    exact_mask: bool = True
    name: str = field(init=False)

    def __post_init__(self):
        self.name = type(self.ours).__name__

    def __repr__(self):
        return f"{self.name}-{self.note}" if self.note else self.name


def bounds(u8: Bound, f32: Bound) -> dict:
    return {"uint8": u8, "float32": f32, "float16": half(f32)}


SAME = {"uint8": EXACT, "float32": EXACT, "float16": EXACT}
CASES: list[Case] = []


def add(*args, **kwargs) -> None:
    CASES.append(Case(*args, **kwargs))


def albumentations(aug, order=lambda u: Script(u)):
    """A reference that calls an albumentations transform."""

    def run(image, u, kind):
        params = parameters(aug, image, order(u))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "mask":
                return aug.apply_to_mask(image, **params)
            return by_channel(lambda part: aug.apply(part, **params), image)

    return run


# flips and turns
for _name in ("HorizontalFlip", "VerticalFlip", "Transpose"):
    add(getattr(G, _name)(p=1), albumentations(getattr(A, _name)(p=1)), "albumentations", SAME, mask=True)
add(G.RandomRotate90(p=1), albumentations(A.RandomRotate90(p=1)), "albumentations", SAME, mask=True)
add(
    G.Flip(p=1),
    lambda image, u, kind: np.dstack([cv2.flip(image[:, :, c], (0, 1, -1)[int(3 * u[0])]) for c in range(image.shape[2])]),
    "OpenCV",
    SAME,
    mask=True,
)
add(G.NoOp(), lambda image, u, kind: image, "-", SAME, mask=True)
add(
    G.ToTensorV2(),
    lambda image, u, kind: A.ToTensorV2().apply(image).permute(1, 2, 0).numpy() if kind == "image" else image,
    "albumentations",
    SAME,
    mask=True,
)


# affine
def affine_order(aug):
    def order(u):
        moved = [u[0], u[1]] if aug.translate_px is not None or aug.translate_percent is not None else []
        x, y = ([u[4], u[5]], [u[6], u[7]]) if aug.balanced_scale else ([u[5]], [u[7]])
        return Script([*moved, u[2], u[3], *x, *y, u[8]])

    return order


def affine(note: str, bound: dict, channels=(1, 3), cls="Affine", keep=lambda image: True, **kwargs) -> None:
    # a scalar fill of albumentations reaches every channel only if it is given for each
    fill = kwargs.pop("fill", 0)
    theirs = getattr(A, cls)(
        p=1, fill=fill, fill_mask=kwargs.get("fill_mask", 0), **{k: v for k, v in kwargs.items() if k != "fill_mask"}
    )

    def run(image, u, kind):
        params = parameters(theirs, image, affine_order(theirs)(u))
        if kind == "mask":
            return theirs.apply_to_mask(image, **params)
        h, w = params["output_shape"][:2]
        out = []
        for c in range(image.shape[2]):
            value = fill[c] if isinstance(fill, tuple) else fill
            out.append(
                cv2.warpAffine(
                    image[:, :, c],
                    params["matrix"][:2],
                    (w, h),
                    flags=theirs.interpolation,
                    borderMode=theirs.border_mode,
                    borderValue=value,
                )
            )
        return np.dstack(out)

    add(
        getattr(G, cls)(p=1, fill=fill, **kwargs),
        run,
        "albumentations' matrix, cv2.warpAffine",
        bound,
        channels=channels,
        mask=True,
        note=note,
        keep=keep,
        exact_mask=False,
    )


LINEAR, TIES = bounds(GATHER_U8, GATHER), dict.fromkeys(DTYPES, NEAREST)
_wide = {"scale": (0.6, 1.5), "translate_percent": (-0.3, 0.3), "rotate": (-180, 180), "shear": {"x": (-20, 20), "y": (-10, 10)}}
affine("linear", LINEAR, (1, 3, 4, 20), **_wide)
affine("linear fill", {"uint8": GATHER_U8}, (3,), fill=(10, 200, 90), fill_mask=7, **_wide)
affine("linear float fill", {d: LINEAR[d] for d in ("float32", "float16")}, (3,), fill=(0.1, 0.9, 0.4), fill_mask=7, **_wide)
for _border, _word in ((1, "replicate"), (2, "reflect"), (3, "wrap"), (4, "reflect_101")):
    affine(_word, LINEAR, (3,), border_mode=_border, **_wide)
affine("nearest", TIES, (1, 3, 4), interpolation=0, **_wide)
affine("nearest reflect", TIES, (3,), interpolation=0, border_mode=2, **_wide)
# every second coordinate lies between two pixels: rounded half to even
affine("nearest ties", SAME, (3,), interpolation=0, border_mode=1, scale=(0.5, 0.5), keep=lambda image: image.shape[0] % 2 == 0)
affine("cubic", LINEAR, (1, 3, 4), interpolation=2, **_wide)
# cv2.warpAffine does not return from a cubic reflect_101 on an axis of one pixel
affine("cubic reflect_101", LINEAR, (3,), keep=lambda image: min(image.shape[:2]) > 1, interpolation=2, border_mode=4, **_wide)
affine("fit_output", LINEAR, (3,), fit_output=True, rotate=(-180, 180))
affine("keep_ratio", LINEAR, (3,), keep_ratio=True, scale=(0.5, 2.0))
affine("balanced_scale", LINEAR, (3,), balanced_scale=True, scale=(0.5, 2.0))
affine("translate_px", SAME, (1, 3, 4, 20), translate_px={"x": (-9, 9), "y": (-4, 5)})
affine("defaults", LINEAR, (1, 3), cls="ShiftScaleRotate")
affine(
    "wide",
    LINEAR,
    (3, 4),
    cls="ShiftScaleRotate",
    shift_limit=0.3,
    scale_limit=(-0.4, 0.6),
    rotate_limit=(-90, 170),
    border_mode=4,
)


# resizes and crops
# cv2.resize rounds its weights to 1/2048 and its sums twice, ours are exact: at most 1 level apart
RESIZE = bounds(Bound(0, 1, 0.85, "OpenCV's weights of 11 bits"), GATHER)


def resized(interpolation):
    return (
        RESIZE if interpolation == 1 else bounds(Bound(0, 1, 0.99, RESIZE["uint8"].why), GATHER) if interpolation == 2 else SAME
    )


for _i, _word in enumerate(("nearest", "linear", "cubic")):
    add(
        G.Resize(40, 53, interpolation=_i),
        albumentations(A.Resize(40, 53, interpolation=_i)),
        "albumentations",
        resized(_i),
        mask=True,
        note=_word,
    )
    add(
        G.RandomResizedCrop((37, 45), interpolation=_i),
        albumentations(
            A.RandomResizedCrop(size=(37, 45), interpolation=_i),
            lambda u: Script(np.ravel(np.stack([u[:10], u[10:20]], 1)), u[20:]),
        ),
        "albumentations",
        resized(_i),
        mask=True,
        note=_word,
    )
add(
    G.RandomResizedCrop((20, 9), ratio=(5, 6), scale=(0.9, 1)),
    albumentations(
        A.RandomResizedCrop(size=(20, 9), ratio=(5, 6), scale=(0.9, 1)),
        lambda u: Script(np.ravel(np.stack([u[:10], u[10:20]], 1)), u[20:]),
    ),
    "albumentations",
    RESIZE,
    channels=(3,),
    mask=True,
    note="no window fits",
    keep=lambda image: image.shape[1] > 10,
)
for _cls in ("RandomCrop", "CenterCrop"):
    _large = {"keep": lambda image: image.shape[0] >= 30 and image.shape[1] >= 16}
    _args = {"height": 30, "width": 16}
    add(
        getattr(G, _cls)(**_args),
        albumentations(getattr(A, _cls)(**_args), lambda u: Script([], u[:2])),
        "albumentations",
        SAME,
        mask=True,
        **_large,
    )
    for _border, _word in enumerate(("constant", "replicate", "reflect", "wrap", "reflect_101")):
        _args = {
            "height": 40,
            "width": 100,
            "pad_if_needed": True,
            "border_mode": _border,
            "pad_position": ("center", "random")[_border == 2],
            "fill": 9 if _border == 0 else 0,
            "fill_mask": 3 if _border == 0 else 0,
        }

        def _order(u, some=_args["pad_position"] == "random"):
            return Script([u[2], u[3]] if some else [], u[:2])

        add(
            getattr(G, _cls)(**_args),
            albumentations(getattr(A, _cls)(**_args), _order),
            "albumentations",
            SAME,
            channels=(1, 3, 4),
            mask=True,
            note=f"pad {_word}",
        )
    for _place in ("top_left", "top_right", "bottom_left", "bottom_right"):
        _args = {"height": 50, "width": 70, "pad_if_needed": True, "pad_position": _place}
        add(
            getattr(G, _cls)(**_args),
            albumentations(getattr(A, _cls)(**_args), lambda u: Script([], u[:2])),
            "albumentations",
            SAME,
            channels=(3,),
            mask=True,
            note=_place,
        )

for _border, _word in enumerate(("constant", "replicate", "reflect", "wrap", "reflect_101")):
    _fills = {"fill": 9, "fill_mask": 3} if _border == 0 else {}
    # four sides, more than small images have; a minimum and a divisor, at a place that is drawn
    for _cls, _args in (
        ("Pad", {"padding": (3, 70, 0, 11)}),
        ("PadIfNeeded", {"min_height": 100, "min_width": None, "pad_width_divisor": 32, "position": "random"}),
    ):
        add(
            getattr(G, _cls)(border_mode=_border, **_args, **_fills),
            albumentations(getattr(A, _cls)(border_mode=_border, **_args, **_fills)),
            "albumentations",
            SAME,
            channels=(1, 3, 4, 20) if _border == 0 else (3,),
            mask=True,
            note=_word,
        )
for _place in ("center", "top_left", "top_right", "bottom_left", "bottom_right"):
    _args = {"min_height": None, "min_width": 64, "pad_height_divisor": 24, "position": _place}
    add(
        G.PadIfNeeded(**_args),
        albumentations(A.PadIfNeeded(**_args)),
        "albumentations",
        SAME,
        channels=(3,),
        mask=True,
        note=_place,
    )
for _padding in (4, (5, 2)):
    add(
        G.Pad(_padding, fill=(9, 100, 200)),
        albumentations(A.Pad(_padding, fill=(9, 100, 200))),
        "albumentations",
        {"uint8": EXACT},
        channels=(3,),
        mask=True,
        note=f"padding {_padding}",
    )

# blurs
add(G.Blur((3, 9), p=1), albumentations(A.Blur((3, 9), p=1)), "albumentations", bounds(EXACT, FLOAT))
add(
    G.Blur((15, 31), p=1),
    albumentations(A.Blur((15, 31), p=1)),
    "albumentations",
    bounds(EXACT, FLOAT),
    channels=(1, 3),
    note="15 to 31",
)
_blur = bounds(ROUNDED, FLOAT)
add(G.GaussianBlur(p=1), albumentations(A.GaussianBlur(p=1)), "albumentations", _blur)
add(
    G.GaussianBlur(blur_limit=(3, 7), p=1),
    albumentations(A.GaussianBlur(blur_limit=(3, 7), p=1)),
    "albumentations",
    _blur,
    note="3 to 7",
)
add(G.MotionBlur(p=1), albumentations(A.MotionBlur(p=1)), "albumentations", _blur)
add(
    G.MotionBlur((9, 21), p=1),
    albumentations(A.MotionBlur((9, 21), p=1)),
    "albumentations",
    bounds(Bound(0, 1, 0.95, "means of an even number of pixels: ties"), FLOAT),
    channels=(1, 3),
    note="9 to 21",
)
add(
    G.MotionBlur((5, 7), allow_shifted=False, direction_range=(-1, 0), p=1),
    albumentations(A.MotionBlur((5, 7), allow_shifted=False, direction_range=(-1, 0), p=1)),
    "albumentations",
    _blur,
    channels=(1, 3),
    note="backward",
)

# colour
for _note, _args in (
    ("defaults", {}),
    ("wide", {"brightness_limit": (-1, 1), "contrast_limit": (-0.9, 3)}),
    ("safe", {"brightness_limit": (-1, 1), "contrast_limit": (-3, 3), "ensure_safe_range": True}),
    ("by mean", {"brightness_limit": (-1, 1), "brightness_by_max": False}),
):
    # the mean of an image is a float32 sum on our side: the offset may be off by 1e-6 of itself and cross an integer
    _bound = bounds(Bound(0, 1, 0.999, "float32 mean") if _note == "by mean" else EXACT, FLOAT)

    add(
        G.RandomBrightnessContrast(p=1, **_args),
        albumentations(A.RandomBrightnessContrast(p=1, **_args)),
        "albumentations",
        _bound,
        note=_note,
    )


def in_vectors(f: Callable, image: np.ndarray) -> np.ndarray:
    """A function of single pixels, on one line of a multiple of 256: OpenCV's HSV2RGB truncates in vectors, but rounds the pixels
    that remain at the end of a line."""
    h, w, c = image.shape
    line = np.resize(image.reshape(-1, c), (1, -(-h * w // 256) * 256, c))
    return f(line)[0, : h * w].reshape(h, w, c)


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


def hue_saturation_value(note, **kwargs):
    aug = A.HueSaturationValue(p=1, **kwargs)

    def run(image, u, kind):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            params = parameters(aug, image, Script(u))
            return in_vectors(lambda line: hsv(aug, line, params).reshape(line.shape), image)

    fused = not host.library().path.stem.endswith("v2")
    # the baseline build has no fused multiply-add, which OpenCV's HSV2RGB has: a product that truncates on the other side
    u8 = EXACT if fused else Bound(1, 1, 0.99, "no fused multiply-add")
    # hue in degrees: 360 * 2^-24 / 60 on either side
    add(
        G.HueSaturationValue(p=1, **kwargs),
        run,
        "albumentations (uint8), cv2.cvtColor (float)",
        bounds(u8, FLOAT),
        channels=(1, 3),
        note=note,
    )


hue_saturation_value("defaults")
hue_saturation_value("whole", hue_shift_limit=(13, 13), sat_shift_limit=(-7, -7), val_shift_limit=(5, 5))
hue_saturation_value("wide", hue_shift_limit=(-180, 180), sat_shift_limit=(-255, 255), val_shift_limit=(-255, 255))


# noise
def threefry(counter, key, rounds: int = 13) -> np.ndarray:
    """Threefry4x32 (Salmon et al. 2011) of arrays of four counter and four key words: uint32 ``[..., 4]``."""
    k = [np.asarray(w, np.uint32) for w in key]
    k.append(np.uint32(0x1BD11BDA) ^ k[0] ^ k[1] ^ k[2] ^ k[3])
    x = [np.array(c, np.uint32) + w for c, w in zip(np.broadcast_arrays(*counter), k)]
    for r in range(rounds):
        a, b = ((10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20))[r % 8]
        left, right = (1, 3) if r % 2 == 0 else (3, 1)
        x[0] = x[0] + x[left]
        x[left] = (x[left] << np.uint32(a) | x[left] >> np.uint32(32 - a)) ^ x[0]
        x[2] = x[2] + x[right]
        x[right] = (x[right] << np.uint32(b) | x[right] >> np.uint32(32 - b)) ^ x[2]
        if r % 4 == 3:
            x = [w + k[(r // 4 + 1 + i) % 5] for i, w in enumerate(x)]
            x[3] = x[3] + np.uint32(r // 4 + 1)
    return np.stack(x, -1)


def noise(image, key, std: float, mean: float, per_channel: bool) -> np.ndarray:
    """The numbers that the kernel draws, by the NumPy twin of its generator and the C library's logarithm and sine."""
    h, w, c = image.shape
    blocks = -(-c // 4)
    words = threefry((np.arange(h * w)[:, None], np.arange(blocks), 0, 0), (*key, 0, 0)).astype(np.float64)
    u = (np.floor(words / 256) + 0.5) * 2.0**-24
    r, angle = np.sqrt(-2 * np.log(u[..., 0::2])), 2 * np.pi * (u[..., 1::2] - 2.0**-25)
    normal = np.stack([r * np.cos(angle), r * np.sin(angle)], -1).reshape(h, w, 4 * blocks)
    normal = normal[..., :c] if per_channel else np.repeat(normal[..., :1], c, 2)
    top = 255 if image.dtype == np.uint8 else 1
    return (normal * std * top + mean * top).astype(np.float32)


def gauss(note, **kwargs):
    aug = A.GaussNoise(p=1, **kwargs)

    def run(image, u, kind):
        std, mean = (low + (high - low) * v for (low, high), v in ((aug.std_range, u[0]), (aug.mean_range, u[1])))
        n = noise(image, [int(v * 2.0**32) for v in u[2:4]], std, mean, aug.per_channel)
        if image.dtype == np.uint8:
            return aug.apply(image, noise_map=n)
        return image + n  # ours are not clipped: spectrograms have any range

    # our logarithm and sine are polynomials, 2e-7 relative: noise of 5 sigma at sigma 0.44 is right to 1e-6, and on uint8 about
    # 2e-6 * 255 of all truncations fall on the other side of an integer
    add(
        G.GaussNoise(p=1, **kwargs),
        run,
        "albumentations, noise by NumPy",
        bounds(Bound(0, 1, 0.999, "truncation of noise"), FLOAT),
        note=note,
    )


gauss("defaults")
gauss("mean, shared", mean_range=(-0.2, 0.3), per_channel=False)

# normalize
for _note, _args, _channels in (
    ("defaults", {}, (3,)),
    ("scalar", {"mean": 0.5, "std": 0.25, "max_pixel_value": 1.0}, (1, 3, 4, 20)),
    ("20 channels", {"mean": tuple(np.linspace(0.1, 0.9, 20)), "std": tuple(np.linspace(0.1, 0.4, 20))}, (20,)),
):
    _aug = A.Normalize(**_args)
    add(
        G.Normalize(**_args),
        lambda image, u, kind, aug=_aug: aug.apply(image),
        "albumentations",
        bounds(FLOAT, FLOAT),
        channels=_channels,
        note=_note,
    )

# dropout


def dropout(cls, note, order, channels=(1, 3, 4, 20), keep=lambda image: True, fill=0, fill_mask=None, **kwargs):
    theirs = getattr(A, cls)(p=1, fill=fill, fill_mask=fill_mask, **kwargs)

    def run(image, u, kind):
        params = parameters(theirs, image, order(u))
        return theirs.apply(image, **params) if kind == "image" else theirs.apply_to_mask(image, **params)

    add(
        getattr(G, cls)(p=1, fill=fill, fill_mask=fill_mask, **kwargs),
        run,
        "albumentations",
        SAME,
        channels=channels,
        keep=keep,
        mask=True,
        note=note,
    )


def stripes(kx, ky, x, y):
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


_big = {"keep": lambda image: min(image.shape[:2]) >= 12}
for _fill, _channels in ((0, (1, 3, 4, 20)), ((9, 200, 31), (3,)), (0.5, (1, 3))):
    dropout(
        "XYMasking",
        f"fill {_fill}",
        stripes(3, 4, (1, 3), (0, 4)),
        _channels,
        fill=_fill,
        num_masks_x=(1, 3),
        num_masks_y=(0, 4),
        mask_x_length=(0, 10),
        mask_y_length=(2, 12),
        **_big,
    )
dropout(
    "XYMasking",
    "fill_mask",
    stripes(2, 2, (2, 2), (2, 2)),
    (3,),
    fill=7,
    fill_mask=5,
    num_masks_x=(2, 2),
    num_masks_y=(2, 2),
    mask_x_length=(3, 5),
    mask_y_length=(1, 1),
    **_big,
)


def rectangles(k):
    return lambda u: Script(u[:1], blocks=u[1:].reshape(4, k))


dropout(
    "CoarseDropout",
    "fractions",
    rectangles(6),
    num_holes_range=(1, 6),
    hole_height_range=(0.1, 0.4),
    hole_width_range=(0.05, 0.5),
)
dropout(
    "CoarseDropout",
    "pixels",
    rectangles(5),
    (3,),
    fill=(1, 2, 3),
    fill_mask=4,
    num_holes_range=(3, 5),
    hole_height_range=(1, 8),
    hole_width_range=(2, 20),
)


def given(theirs, transform, convert):
    """albumentations' pixels from our parameters, where its draws cannot be scripted."""

    def run(image, u, kind):
        view = View(np.array([image.shape[:2]]), image.shape[2], str(image.dtype))
        params = convert({k: v[0] for k, v in transform.draw(u[None], view).items()}, image)
        return theirs.apply(image, **params) if kind == "image" else theirs.apply_to_mask(image, **params)

    return run


def filled_holes(params, image):
    holes = params["holes"]
    return {"holes": holes[(holes[:, 2:] > holes[:, :2]).all(1)], "seed": 0}


def dropped_pixels(probability):
    def convert(params, image):
        h, w = image.shape[:2]
        words = philox(np.arange(h * w), 0, 3, 0, *params["key"])[:, 0] >> 8
        drop = (words < round(probability * 2**24)).reshape(h, w, 1)
        return {"drop_mask": np.broadcast_to(drop, image.shape)}

    return convert


for _cls, _args in (("Erasing", {}), ("GridDropout", {}), ("GridDropout", {"unit_size_range": (2, 5), "ratio": 0.7})):
    _aug = getattr(G, _cls)(fill=9, fill_mask=5, p=1, **_args)
    add(
        _aug,
        given(getattr(A, _cls)(fill=9, fill_mask=5, p=1), _aug, filled_holes),
        "albumentations, our rectangles",
        SAME,
        keep=lambda image: min(image.shape[:2]) >= 5,
        mask=True,
        note=", ".join(_args),
    )
_aug = G.ChannelDropout((1, 2), fill=7, p=1)
add(
    _aug,
    given(
        A.ChannelDropout((1, 2), fill=7, p=1),
        _aug,
        lambda params, image: {"channels_to_drop": np.flatnonzero(params["channels_to_drop"])},
    ),
    "albumentations, our channels",
    SAME,
    channels=(3, 4, 20),
)
add(G.TimeReverse(p=1), albumentations(A.TimeReverse(p=1)), "albumentations", SAME, mask=True)


def pixel_dropout():
    ours_ = G.PixelDropout(0.2, drop_value=9, mask_drop_value=5, p=1)

    def run(image, u, kind):
        view = View(np.array([image.shape[:2]]), image.shape[2], str(image.dtype))
        params = dropped_pixels(0.2)({k: v[0] for k, v in ours_.draw(u[None], view).items()}, image)
        return np.where(params["drop_mask"], np.asarray(9 if kind == "image" else 5, image.dtype), image)

    add(ours_, run, "NumPy, our pixels", SAME, mask=True)


pixel_dropout()

# tested in test_parity.py by what they do, since they look at a mask when they draw
ELSEWHERE = {
    "MaskDropout": "test_mask_dropout_removes_whole_objects",
    "ConstrainedCoarseDropout": "test_constrained_dropout_stays_on_objects",
}


def spectrogram(cls, axis, param):
    def run(image, u, kind):
        values = iter(torch.tensor(u[:2], dtype=torch.float32))
        saved, torch.rand = torch.rand, lambda n: next(values)[None]
        try:
            spec = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)).astype(np.float64))
            out = audio.mask_along_axis(spec, param, 0.0, axis)
        finally:
            torch.rand = saved
        return out.numpy().transpose(1, 2, 0).astype(image.dtype)

    # torchaudio draws in float32: uniforms of 12 bits keep its products exact
    add(getattr(G, cls)(param, p=1), run, "torchaudio", SAME, mask=True, bits=12)


spectrogram("TimeMasking", 2, 40)
spectrogram("FrequencyMasking", 1, 30)


# ---- running ------------------------------------------------------------------------------


def ours(transform, data: list[np.ndarray], u: np.ndarray, kind: str = "image", device=None) -> list[np.ndarray]:
    """A transform with given uniforms, on a ragged batch."""
    batch = Batch.of(data, "HWC", name=kind)
    params = transform.draw(u, View(batch.size.astype(np.int64), batch.channels, batch.dtype))
    track = Track(batch.to(device), kind)
    track.doing = type(transform).__name__
    if kind in transform.targets:
        transform.lower(track, slice(None), params)
    return [out.cpu().numpy() for out in deliver_ragged(track, planar=False)]


def uniforms(case: Case, n: int) -> np.ndarray:
    rng = np.random.default_rng(case.ours.columns() + 100 * len(repr(case)))
    return np.floor(rng.random((n, case.ours.columns())) * 2.0**case.bits) * 2.0**-case.bits


@dataclass
class Result:
    """Differences of all values of a case."""

    difference: np.ndarray  # grey levels, or relative to max(1, |reference|)

    @property
    def exact(self) -> float:
        return float((self.difference == 0).mean())

    @property
    def worst(self) -> float:
        return float(self.difference.max(initial=0))

    def within(self, near: float) -> float:
        return float((self.difference <= near).mean())

    def check(self, bound: Bound) -> str:
        """What is wrong, or nothing."""
        if self.worst > bound.far or self.within(bound.near) < bound.share:
            return (
                f"{100 * self.exact:.4f} % equal, {100 * self.within(bound.near):.4f} % within {bound.near:g}, worst {self.worst:g}; "
                f"allowed: {bound}"
            )
        return ""


def compare(case: Case, dtype: str, channels: int, device=None) -> Result:
    """Ours against the reference on all images that fit."""
    data = [image for image in images(channels, dtype) if case.keep(image)]
    u = uniforms(case, len(data))
    results = ours(case.ours, data, u, device=device)
    parts = []
    for i, (image, got) in enumerate(zip(data, results)):
        given = image.astype(np.float32) if dtype == "float16" else image
        want = np.asarray(case.reference(given.copy(), u[i], "image"))
        want = want.reshape(want.shape if want.ndim == 3 else (*want.shape, 1))
        if got.shape != want.shape:
            raise AssertionError(f"image {i} of {image.shape}: shape {got.shape}, the reference has {want.shape}")
        if dtype == "uint8" and got.dtype != want.dtype:
            raise AssertionError(f"image {i}: {got.dtype}, the reference has {want.dtype}")
        if dtype != "uint8":
            assert got.dtype == dtype
        got, want = got.astype(np.float64), want.astype(np.float64)
        difference = np.abs(got - want)
        if dtype != "uint8" or case.name == "Normalize":
            difference /= np.maximum(np.abs(want), 1)
        parts.append(difference.ravel())
    return Result(np.concatenate(parts))


LABELS = np.random.default_rng(5).permutation(np.arange(-128, 128) * 16777199).astype(np.int64)  # 32 bits wide, none fits float32


def compare_masks(case: Case, dtype: str, device=None) -> Result:
    """Masks: labels of 32 bits by way of a palette, since the reference's masks have 8."""
    data = [image[:, :, 0] for image in images(3, "uint8") if case.keep(image)]
    if dtype != "uint8":
        palette = LABELS.copy()
        palette[[0, 3, 4, 5, 7]] = [0, 3, 4, 5, 7]  # fills keep their value
        palette[100:104] = 2**31 - 1, -(2**31), -1, 0x7F800001  # among them bits that a float calls a signalling NaN
        given = [palette[image].astype(dtype) for image in data]
    else:
        palette, given = np.arange(256), data
    u = uniforms(case, len(data))
    if dtype == "int64":
        given = [mask.astype(np.int32) for mask in given]
    results = ours(case.ours, given, u, "mask", device=device)
    parts = []
    for image, got, v in zip(data, results, u):
        want = np.asarray(case.reference(image[:, :, None].copy(), v, "mask"))
        want = palette[want.reshape(want.shape[:2])]
        assert got.shape[:2] == want.shape, (got.shape, want.shape)
        parts.append((got[:, :, 0].astype(np.int64) != want).astype(np.float64).ravel())
    return Result(np.concatenate(parts))


# ---- the table ----------------------------------------------------------------------------

DEVIATIONS = """\
## Deliberate deviations

Where the reference contradicts its own documentation, or loses what it need not lose, gpuaug does the documented thing:

- **Randomness.** albumentations 2.0.8 gives every transform of a `Compose` generators with the same seed, so that the coins of
  its transforms agree, and forked workers repeat one stream. gpuaug's numbers depend on (seed, epoch, sample id, occurrence,
  place of the transform) and on nothing else.
- **`XYMasking`**: an int for `num_masks_*` and `mask_*_length` is that number, as documented; there it means a range from 0.
- **`TimeMasking`, `FrequencyMasking`** follow SpecAugment and torchaudio; albumentations' do nothing in about half of their calls.
- **`GaussianBlur` with sigma 0** leaves the image as it is; there it becomes blank.
- **`HueSaturationValue` on float images** stays in floats; there they are rounded to 8 bits. The table compares with OpenCV's float HSV.
- **`GaussNoise` on float images** does not clip to 0..1, since spectrograms have any range.
- **`Affine(shear={"x": ..})`** does not shear along y; there a missing `y` is 1 degree.
- **Scalar `fill`** reaches every channel.
- **`cv2.cvtColor` from HSV** truncates in its vector code and rounds the few pixels that remain at the end of a line; gpuaug truncates all.
- **Interpolation** follows the exact float coordinates of OpenCV 5; OpenCV 4 rounds them to 1/32 pixel and differs by up to 6 levels.
"""


def table() -> str:
    lines = [
        "# Parity",
        "",
        "Every transform beside an implementation that somebody else wrote, given the same parameters. Written by",
        "`python -m tests.parity --write` from the cases that `tests/test_parity.py` checks: photographs, noise and extremes from 1 x 1 to",
        "224 x 224, with 1, 3, 4 and 20 channels. Differences are in grey levels for uint8 (relative to max(1, |reference|) for the",
        "float32 that `Normalize` makes of it), else relative to max(1, |reference|); float16 is compared with the float32 reference.",
        "",
        f"albumentations {A.__version__}, OpenCV {cv2.__version__}, torchaudio {__import__('torchaudio').__version__.split('+')[0]}.",
        "",
        "| transform | case | reference | type | values | equal | largest difference | bound |",
        "|---|---|---|---|---:|---:|---:|---|",
    ]
    for case in sorted(CASES, key=lambda c: c.name):
        for dtype in case.bounds:
            result = Result(np.concatenate([compare(case, dtype, c).difference for c in case.channels]))
            lines.append(
                f"| {case.name} | {case.note} | {case.source} | {dtype} | {len(result.difference):,} | {share(result.exact)} | "
                f"{result.worst:.3g} | {case.bounds[dtype]} |"
            )
        if case.mask:
            result = compare_masks(case, "int32")
            worst = "" if result.exact == 1 else "tie"
            lines.append(
                f"| {case.name} | {case.note} | {case.source} | mask, int32 | {len(result.difference):,} | {share(result.exact)} | "
                f"{worst or 0} | {'exact' if case.exact_mask else NEAREST} |"
            )
    return "\n".join(lines) + "\n\n" + DEVIATIONS


def share(x: float) -> str:
    if x == 1:
        return "100 %"
    return f"{min(100 * x, 99.9999):.4f} %"


if __name__ == "__main__":
    text = table()
    if "--write" in sys.argv:
        (Path(__file__).parent.parent / "docs" / "parity.md").write_text(text)
    else:
        print(text)

"""What each transform is shown on, and with which arguments, where its defaults are none or would not be seen."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..checks import integer
from ..compose import Compose
from ..names import unknown
from ..photographs import photographs
from ..transform import REGISTRY
from .previews import preview
from .sheet import Picture

BESIDE = {"p": 1}
"""What all of them get: each draw shows the transform."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "AdvancedBlur": {"blur_limit": (9, 15), "sigma_x_limit": (2, 4), "sigma_y_limit": (0.5, 4)},
    "Affine": {"scale": (0.7, 1.2), "rotate": (-30, 30), "shear": (-15, 15)},
    "AtLeastOneBBoxRandomCrop": {"height": 150, "width": 200},
    "CenterCrop": {"height": 150, "width": 200},
    "CenterCrop3D": {"size": (20, 48, 48)},
    "ChromaticAberration": {"primary_distortion_limit": 0.3, "secondary_distortion_limit": 0.3},
    "CoarseDropout3D": {"num_holes_range": (2, 4), "hole_height_range": (0.2, 0.4), "hole_width_range": (0.2, 0.4),
                        "hole_depth_range": (0.5, 0.9)},
    "ConstrainedCoarseDropout": {"mask_indices": [1, 2], "num_holes_range": (1, 3), "hole_height_range": (0.2, 0.5),
                                 "hole_width_range": (0.2, 0.5)},
    "Crop": {"x_min": 40, "y_min": 30, "x_max": 220, "y_max": 190},
    "CropAndPad": {"percent": (-0.2, 0.2)},
    "CropNonEmptyMaskIfExists": {"height": 120, "width": 160},
    "Downscale": {"scale_range": (0.1, 0.3)},
    "ElasticTransform": {"alpha": 300, "sigma": 12},
    "Emboss": {"alpha": (0.6, 0.9), "strength": (0.8, 1.5)},
    "FancyPCA": {"alpha": 0.5},
    "FrequencyMasking": {"freq_mask_param": 40},
    "GridDistortion": {"distort_limit": (-0.6, 0.6)},
    "GridElasticDeform": {"num_grid_xy": (6, 4), "magnitude": 8},
    "ImageCompression": {"quality_range": (3, 15)},
    "LongestMaxSize": {"max_size": [80, 120, 160]},
    "MaskDropout": {"max_objects": 1},
    "Morphological": {"scale": (3, 7)},
    "MotionBlur": {"blur_limit": (9, 21)},
    "MultiplicativeNoise": {"multiplier": (0.5, 1.5), "per_channel": True},
    "OpticalDistortion": {"distort_limit": (-0.5, 0.5)},
    "Pad": {"padding": 30},
    "Pad3D": {"padding": (4, 8, 8)},
    "PadIfNeeded": {"min_height": 280, "min_width": 320},
    "PadIfNeeded3D": {"min_zyx": (48, 80, 80)},
    "Perspective": {"scale": (0.1, 0.2)},
    "PiecewiseAffine": {"scale": (0.05, 0.08)},
    "PixelDropout": {"dropout_prob": 0.1},
    "RandomCrop": {"height": 150, "width": 200},
    "RandomCrop3D": {"size": (20, 32, 48)},
    "RandomResizedCrop": {"size": (180, 240)},
    "RandomScale": {"scale_limit": (-0.6, 0.2)},
    "RandomSizedBBoxSafeCrop": {"height": 180, "width": 240},
    "RandomSizedCrop": {"min_max_height": (80, 200), "size": (180, 240)},
    "Resize": {"height": 120, "width": 240},
    "SmallestMaxSize": {"max_size": [80, 120, 160]},
    "TimeMasking": {"time_mask_param": 60},
    "XYMasking": {"num_masks_x": (1, 3), "num_masks_y": (1, 3), "mask_x_length": (10, 40), "mask_y_length": (10, 40)},
}  # fmt: skip

SPECTROGRAMS = frozenset({"TimeMasking", "FrequencyMasking", "TimeReverse", "XYMasking"})


def given(name: str) -> dict[str, Any]:
    """The arguments with which a transform is shown."""
    if name == "SelectiveChannelTransform":
        return {"transforms": [REGISTRY["InvertImg"](p=1)], "channels": (0,), **BESIDE}
    if name == "TextImage":
        return {"font_path": _font(), **BESIDE}
    return {**ARGUMENTS.get(name, {}), **BESIDE}


def _font() -> str:
    """A font that matplotlib brings."""
    from matplotlib import font_manager

    return font_manager.findfont("DejaVu Sans")


@functools.cache
def _scene() -> dict[str, Any]:
    """A photograph of 240 x 320 with a mask of two objects, their boxes and four points."""
    from PIL import Image

    image = np.asarray(Image.fromarray(photographs()["astronaut"][:384]).resize((320, 240), Image.Resampling.LANCZOS))
    y, x = np.mgrid[:240, :320]
    mask = np.zeros((240, 320), np.uint8)
    mask[((x - 145) / 38) ** 2 + ((y - 72) / 55) ** 2 < 1] = 1  # the face
    mask[((x - 265) / 34) ** 2 + ((y - 148) / 44) ** 2 < 1] = 2  # the model of the shuttle
    return {
        "image": image,
        "mask": mask,
        "bboxes": [(107, 17, 183, 127), (231, 104, 299, 192)],
        "what": ["face", "model"],
        "keypoints": [(130, 62), (160, 62), (145, 80), (145, 98)],
    }


@functools.cache
def spectrogram() -> np.ndarray:
    """The spectrogram ``[160, 240, 1]`` of three chirps over noise, in decibels from 0 (quiet) to 1."""
    rate, seconds = 8000, 2
    t = np.arange(rate * seconds) / rate
    tones = [
        np.sin(2 * np.pi * (300 + 600 * k) * t + 400 * (k + 1) * t**2) * (np.sin(2 * np.pi * (k + 1) * t) > 0) for k in range(3)
    ]
    sound = sum(tones) + 0.05 * np.random.default_rng(0).standard_normal(len(t))
    window, step = 318, (len(t) - 318) // 239
    frames = np.stack([sound[i * step : i * step + window] * np.hanning(window) for i in range(240)])
    level = 20 * np.log10(np.abs(np.fft.rfft(frames)) + 1e-3).T[::-1]
    return np.float32((level - level.min()) / (level.max() - level.min()))[..., None]


@functools.cache
def volume() -> dict[str, np.ndarray]:
    """Slices ``[40, 64, 64, 1]`` of two bodies, with their labels."""
    z, y, x = np.mgrid[:40, :64, :64]
    first = ((x - 24) / 18) ** 2 + ((y - 34) / 22) ** 2 + ((z - 18) / 22) ** 2 < 1
    second = ((x - 46) / 9) ** 2 + ((y - 20) / 9) ** 2 + ((z - 25) / 14) ** 2 < 1
    noise = np.random.default_rng(0).normal(0, 8, z.shape)
    grey = np.clip(40 + 90 * first + 60 * second + y * 0.6 + noise, 0, 255).astype(np.uint8)
    return {"volume": grey[..., None], "mask3d": np.where(second, 2, first).astype(np.uint8)}


def subject(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(a sample that a transform is shown on, arguments that its Compose needs for that)."""
    return together([name])


def together(names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same for several transforms, one after the other.

    Example:
        >>> sample, params = together(["HorizontalFlip", "FDA"])
        >>> sorted(sample), sorted(params)
        (['bboxes', 'fda_metadata', 'image', 'keypoints', 'mask', 'what'], ['bbox_params', 'keypoint_params'])
    """
    if any(REGISTRY[name].solid or name == "ToTensor3D" for name in names):
        return dict(volume()), {}
    if names and set(names) <= SPECTROGRAMS:
        return {"image": spectrogram()}, {}
    scene = _scene()
    sample, params = {"image": scene["image"]}, {}
    if any("mask" in REGISTRY[name].targets for name in names):
        sample |= {word: scene[word] for word in ("mask", "bboxes", "what", "keypoints")}
        params = {
            "bbox_params": {"format": "pascal_voc", "label_fields": ["what"]},
            "keypoint_params": {"format": "xy"},
        }
    for name in names:
        sample |= beside(name)
    return sample, params


def beside(name: str) -> dict[str, Any]:
    """What a transform reads of a call beside the picture and its labels."""
    return _MORE.get(name, dict)()


def _others() -> list[np.ndarray]:
    return [photographs()[name][:240, :320] for name in ("coffee", "rocket", "flower")]


def _mosaic() -> dict[str, Any]:
    scene = _scene()
    blank = {"mask": np.zeros((240, 320), np.uint8), "bboxes": np.zeros((0, 4)), "what": [], "keypoints": np.zeros((0, 2))}
    return {"mosaic_metadata": [{**blank, "image": image} for image in _others()] + [dict(scene)]}


def _overlay() -> dict[str, Any]:
    cat = photographs()["cat"][60:220, 110:290]
    return {"overlay_metadata": [{"image": np.ascontiguousarray(cat[::2, ::2]), "bbox": (0.1, 0.55, 0.4, 0.95)}]}


_MORE: dict[str, Any] = {
    "FDA": lambda: {"fda_metadata": _others()},
    "HistogramMatching": lambda: {"hm_metadata": _others()},
    "PixelDistributionAdaptation": lambda: {"pda_metadata": _others()},
    "Mosaic": _mosaic,
    "OverlayElements": _overlay,
    "TextImage": lambda: {"textimage_metadata": [{"text": "drawn anew", "bbox": (0.05, 0.7, 0.95, 0.9)}]},
    "RandomCropNearBBox": lambda: {"cropping_bbox": [107, 17, 183, 127]},
}


def pipeline(name: str, params: dict[str, Any], arguments: dict[str, Any] | None = None) -> Compose:
    """A transform alone, drawing the same at every call of a program."""
    transform = REGISTRY[name](**(given(name) if arguments is None else arguments))
    return Compose([transform], seed=0, **params)


def example(name: str, path: str | os.PathLike | None = None, *, draws: int = 4) -> Picture:
    """A transform of the registry on a photograph, a spectrogram or a volume, whichever it is for: original and draws.

    Args:
        name: of the transform.
        path: where to write it, too.
        draws: pictures beside the original.

    Raises:
        ValueError: no such transform.
        ImportError: matplotlib, or the photographs (``pip install 'gpuaug[pictures]'``).

    Example:
        >>> from gpuaug import pictures
        >>> pictures.example("HorizontalFlip", draws=2)
        Picture of 3 images; in a notebook it shows itself, `save(path)` writes it
    """
    integer("draws", draws, 1)
    if name not in REGISTRY:
        raise ValueError(f"there is no transform {name!r}{unknown(name, list(REGISTRY))}")
    sample, params = subject(name)
    return preview(pipeline(name, params), sample, path, draws=draws)

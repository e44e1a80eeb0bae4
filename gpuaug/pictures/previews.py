"""What a pipeline makes of images: the original at the left, draws beside it, each with what was drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ..applied import APPLIED
from ..checks import integer
from ..compose import Compose
from ..inputs import KINDS
from ..replay import as_compose
from ..transforms.normalize import Normalize
from ..transforms.volume import ToTensor3D
from . import marks
from .display import as_numpy, picture
from .sheet import Cell, Picture, draw

LINES = 8  # of a caption
LETTERS = 70  # of what is told of a transform
UNTOLD = frozenset({"key", "seed", "map_size", "shape", "output_shape", "rows", "cols", "nodes"})  # of use to the kernels alone


def preview(
    compose: Compose,
    samples: Any,
    path: str | os.PathLike | None = None,
    *,
    draws: int = 4,
    epoch: int = 0,
    device: Any = None,
) -> Picture:
    """A sheet with a row for each sample: the original, and what the pipeline makes of it in the next epochs.

    Args:
        compose: the pipeline.
        samples: one or a list; each an image (array ``[H, W, C]``, PIL image, tensor ``[C, H, W]``, path) or a dict of what a
            call takes (``image``, ``mask``, ``bboxes``, ``keypoints``, their label fields ..).
        path: where to write it, too.
        draws: pictures beside each original. Sample i has the number i: these are the draws of epochs ``epoch`` and on of the
            i-th sample of a dataset. epoch: the first.
        device: where to compute; by default the CPU.

    Returns:
        A `Picture`. Captions name the transforms that were applied, in order, with what they drew. `Normalize` is put back.

    Raises:
        ValueError, TypeError: what a call with the sample raises.
        ImportError: matplotlib is not there.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.HorizontalFlip(), G.RandomGamma()], seed=1).preview([np.zeros((8, 12, 3), np.uint8)], draws=3)
        Picture of 4 images; in a notebook it shows itself, `save(path)` writes it
    """
    sheet = draw(cells(compose, samples, draws, epoch, device), ["original", *(f"epoch {epoch + k}" for k in range(draws))])
    if path is not None:
        sheet.save(path)
    return sheet


def cells(compose: Compose, samples: Any, draws: int, epoch: int, device: Any) -> list[list[Cell]]:
    """The rows of such a sheet."""
    if not isinstance(compose, Compose):
        raise TypeError(f"preview takes a gpuaug.Compose, got {type(compose).__name__}")
    integer("draws", draws, 1)
    integer("epoch", epoch, 0)
    if not isinstance(samples, (list, tuple)):
        samples = [samples]
    if not samples:
        raise ValueError("preview: there are no samples; pass an image, or a list of some")
    told = as_compose(compose)
    told.save_applied_params = True
    told.seed = compose._stream.fixed(compose.seed)
    kept = _normalized(compose)
    rows = []
    for i, sample in enumerate(samples):
        targets = dict(sample) if isinstance(sample, Mapping) else {"image": sample}
        targets = {name: _loaded(name, value) if name in ("image", "mask") else value for name, value in targets.items()}
        row = [cell_of(compose, targets)]
        for k in range(draws):
            out = told(ids=[i], epoch=epoch + k, **_on(device, compose, targets))
            row.append(cell_of(compose, out, kept, caption(out.get(APPLIED, ()))))
        rows.append(row)
    return rows


def _loaded(name: str, value):
    if isinstance(value, (str, os.PathLike)):
        from PIL import Image

        with Image.open(value) as image:  # a mask's values, or a palette's indices, stay what they are
            return np.asarray(image.convert("RGB") if name == "image" else image)
    return np.asarray(value) if hasattr(value, "getbands") else value


def _on(device, compose: Compose, targets: dict) -> dict:
    """The images, masks and volumes of a call as tensors on that device: channels before rows."""
    if device is None:
        return targets

    def sent(value, frames: int):
        if isinstance(value, (list, tuple)):
            return [sent(each, frames - 1) for each in value]
        if isinstance(value, np.ndarray):
            value = torch.from_numpy(np.ascontiguousarray(np.moveaxis(value, -1, -3) if value.ndim - frames == 3 else value))
        return value.to(device) if isinstance(value, torch.Tensor) else value

    kinds = {name: _kind(compose, name) for name in targets}
    return {name: sent(value, KINDS[kinds[name]][1]) if kinds[name] in KINDS else value for name, value in targets.items()}


def _kind(compose: Compose, name: str):
    """What a target is: its name, or what it was declared to be."""
    kind = compose.additional_targets.get(name, name)
    return kind if isinstance(kind, str) else ""


def _normalized(compose: Compose) -> dict:
    """Mean and std of the pipeline's last Normalize, where it takes off the same from all images."""
    for leaf in reversed(list(compose._leaves())):
        if isinstance(leaf, Normalize):
            if leaf.normalization != "standard" or leaf.p < 1:
                return {}
            return {"mean": leaf.mean, "std": leaf.std}
    return {}


def cell_of(compose: Compose, targets: Mapping, normalized: dict | None = None, caption: str = "") -> Cell:
    """Everything that a call takes or gives of one sample, as a cell."""
    leading = next((name for name in ("image", "volume", "images", "volumes") if targets.get(name) is not None), None)
    if leading is None:
        raise ValueError(f"preview: there is no image among {', '.join(map(str, targets))}")
    image = _pixels(compose, targets[leading][0] if leading == "volumes" else targets[leading], "volume" in leading)
    like_float = image.dtype.kind == "f"
    cell = Cell(picture(image, **(normalized or {}) if like_float else {}), caption=caption)
    size = image.shape[-3:-1] if image.ndim > 2 else image.shape
    for name, value in targets.items():
        kind = _kind(compose, name) if value is not None else ""
        if kind == "masks":  # one for each object
            cell.masks += [as_numpy(each) * (k + 1) for k, each in enumerate(value)]
        elif kind == "mask":
            cell.masks.append(as_numpy(value))
        elif kind in ("mask3d", "masks3d") and len(value):
            cell.masks.append(_pixels(compose, value[0] if kind == "masks3d" else value, True))
    boxes, params = targets.get("bboxes"), compose.bbox_params
    if boxes is not None and params is not None and len(boxes):
        cell.boxes = marks.corners(boxes, params.format, size, params.bbox_type == "obb")
        named = [targets[name] for name in params.label_fields if targets.get(name) is not None]
        cell.names = [str(each) for each in named[0]] if named else []
    points, params = targets.get("keypoints"), compose.keypoint_params
    if points is not None and params is not None and len(points):
        cell.points = marks.points(points, params.format)
    return cell


def _pixels(compose: Compose, value, solid: bool) -> np.ndarray:
    """An image, a volume, or the mask of one ``[D, H, W]``, channels last: `ToTensor3D` puts them before the slices."""
    if isinstance(value, torch.Tensor) and value.ndim == 4 and any(isinstance(leaf, ToTensor3D) for leaf in compose._leaves()):
        return np.moveaxis(value.cpu().numpy(), 0, -1)
    if not solid:
        return as_numpy(value)
    array = as_numpy(value) if value.ndim == 4 else np.asarray(value.cpu() if isinstance(value, torch.Tensor) else value)
    return array[..., None] if array.ndim == 3 else array


def caption(applied) -> str:
    """What was applied to a sample, a line for each transform.

    Example:
        >>> caption([("HorizontalFlip", {}), ("Rotate", {"angle": 12.3456, "matrix": [[1.0, 0.0], [0.0, 1.0]]})])
        'HorizontalFlip\\nRotate angle=12.3'
    """
    lines = []
    for name, params in applied:
        told = name
        for key, value in params.items():
            short = None if key in UNTOLD else _short(value)
            if short is not None and len(told) + len(key) + len(short) < LETTERS:
                told += f" {key}={short}"
        lines.append(told)
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], f"and {len(lines) - LINES + 1} more"]
    return "\n".join(lines) if lines else "nothing"


def _short(value) -> str | None:
    if isinstance(value, (bool, int, str)) or value is None:
        return str(value) if len(str(value)) < 12 else None
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, (list, tuple)) and 0 < len(value) <= 4:
        inner = [_short(each) if isinstance(each, (bool, int, float)) else None for each in value]
        return None if None in inner else f"({', '.join(map(str, inner))})"
    return None

"""A batch as a picture: whatever a loader, ours or torch's, gives."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..checks import integer
from ..data import names
from . import marks
from .display import as_numpy, picture
from .sheet import Cell, Picture, draw

# as the loader knows them, and what it leaves alone
IMAGES = (*names.IMAGE_NAMES, "volume")
MASKS = ("mask3d", *names.MASK_NAMES)
BOXES, POINTS = names.BOX_NAMES, names.KEYPOINT_NAMES
LABELS = (*names.LABEL_NAMES, "class", "classes", "target", "targets", "y", "category", "category_id", "class_labels")


def show(
    batch: Any,
    path: str | os.PathLike | None = None,
    *,
    columns: int = 8,
    limit: int = 32,
    box_format: str | None = None,
    keypoint_format: str = "xy",
    mean: Any = None,
    std: Any = None,
    classes: Sequence[str] | None = None,
) -> Picture:
    """A batch as a grid: its images, masks in colour over them, boxes, keypoints, and labels below.

    Args:
        batch: what a loader gives, ours or torch's: images alone; ``(images, labels)``, ``(images, masks)`` (whole numbers, bool;
            ``[B, H, W]``), ``(images, targets)`` with torchvision's dicts of boxes, labels, masks, keypoints; a dict with such
            entries under their usual names; a list of images, or of samples that were not collated. Tensors are
            ``[B, C, H, W]``, arrays ``[B, H, W, C]``. One image without a batch, too.
        path: where to write it, too; png, pdf, svg or jpg.
        columns: images in a row. limit: images that are shown at most.
        box_format: how boxes are written: "pascal_voc", "coco", "albumentations" or "yolo"; needed where there are boxes, but
            for torchvision's, which are "pascal_voc".
        keypoint_format: as `KeypointParams` has it.
        mean, std: what `Normalize` took off, to be put back. Without them images that are not within 0..1 are shown from their
            least to their largest value.
        classes: names of labels that are numbers.

    Returns:
        A `Picture`, which a notebook shows.

    Raises:
        ValueError, TypeError: no images; boxes without a format; an entry of which nobody knows what it is in a tuple.
        ImportError: matplotlib is not there.

    Example:
        >>> import numpy as np, gpuaug
        >>> gpuaug.show((np.zeros((4, 16, 16, 3), np.uint8), [0, 1, 1, 0]), classes=["cat", "dog"])
        Picture of 4 images; in a notebook it shows itself, `save(path)` writes it
    """
    if isinstance(batch, torch.utils.data.DataLoader):
        raise TypeError("show takes a batch: next(iter(loader))")
    integer("columns", columns, 1)
    integer("limit", limit, 1)
    if (mean is None) != (std is None):
        raise ValueError("mean and std: pass both, or none")
    named = _named(batch)
    there = _apart("image", named["image"])
    images = there[:limit]
    if not images:
        raise ValueError("show: there are no images in this batch")
    cells = []
    for i, image in enumerate(images):
        cell = Cell(picture(image, mean, std))
        cell.masks = [each for mask in _at(named.get("mask"), i) for each in _masks(mask)]
        size = image.shape[-3:-1] if image.ndim > 2 else image.shape
        for boxes in _at(named.get("bboxes"), i):
            format = box_format or named.get("box_format")
            if format is None:
                raise ValueError(
                    "show: say how the boxes are written, box_format='pascal_voc', 'coco', 'albumentations' or 'yolo'"
                )
            cell.boxes = marks.corners(boxes, format, size)
        for points in _at(named.get("keypoints"), i):
            cell.points = marks.points(points, keypoint_format)
        for label in _at(named.get("label"), i):
            said = _words(label, classes)
            if cell.boxes is not None and len(said) == len(cell.boxes):
                cell.names = said
            else:
                cell.caption = ", ".join(said)
        cells.append(cell)
    if len(there) > limit:
        more = f"and {len(there) - limit} more: limit={len(there)}"
        cells[-1].caption = f"{cells[-1].caption}\n{more}".strip()
    columns = min(columns, len(cells))
    sheet = draw([cells[i : i + columns] for i in range(0, len(cells), columns)])
    if path is not None:
        sheet.save(path)
    return sheet


def _collated(batch):
    """Samples in a list, or one with torchvision's boxes, as a batch; anything else as it is."""
    if isinstance(batch, tuple) and len(batch) == 2 and isinstance(batch[1], Mapping):
        boxes = batch[1].get("boxes")
        if _is_one_image(batch[0]) and len(getattr(boxes, "shape", ())) == 2:
            batch = [batch]
    if not isinstance(batch, list) or not batch:
        return batch
    if all(isinstance(each, Mapping) for each in batch):
        return {key: [each.get(key) for each in batch] for key in batch[0]}
    if all(isinstance(each, tuple) and len(each) == len(batch[0]) > 1 and _is_one_image(each[0]) for each in batch):
        return tuple(map(list, zip(*batch, strict=True)))
    return batch


def _is_one_image(entry) -> bool:
    return hasattr(entry, "getbands") or len(getattr(entry, "shape", ())) in (2, 3)


def _named(batch) -> dict[str, Any]:
    batch = _collated(batch)
    if isinstance(batch, Mapping):
        found = {}
        for kind, known in (("image", IMAGES), ("bboxes", BOXES), ("keypoints", POINTS), ("label", LABELS)):
            there = [key for key in known if batch.get(key) is not None]
            if there:
                found[kind] = batch[there[0]]
        # a map that is called "label" is a mask, as in MONAI; and what is called "annotation" may be no map
        maps = [key for key in MASKS if batch.get(key) is not None and _may_be_mask(key, batch[key])]
        maps += [key for key in names.LABEL_NAMES if _is_map(batch.get(key), 3)]
        if maps:
            found["mask"] = batch[maps[0]]
        if _is_map(found.get("label"), 3):
            del found["label"]
        if "image" not in found:
            raise ValueError(f"show: no entry of {sorted(map(str, batch))} is called as images are: {', '.join(IMAGES)}")
        return found
    if isinstance(batch, (list, tuple)) and len(batch) > 1 and _are_images(batch[0]) and not _are_alike(batch):
        found = {"image": batch[0]}
        for number, entry in enumerate(batch[1:], 1):
            _sort(found, number, entry, len(_apart("image", batch[0])))
        return found
    return {"image": batch}


def _sort(found: dict, number: int, entry, samples: int) -> None:
    if isinstance(entry, Mapping):  # collated: a dict of lists
        found |= {name: value for name, value in _named({"image": found["image"], **entry}).items() if name not in found}
        return
    if isinstance(entry, (list, tuple)) and entry and all(isinstance(each, Mapping) for each in entry):
        for kind, known in (("mask", MASKS), ("bboxes", BOXES), ("keypoints", POINTS), ("label", LABELS)):
            there = ((key, [each.get(key) for each in entry]) for key in known if any(key in each for each in entry))
            values = next((values for key, values in there if kind != "mask" or _may_be_mask(key, values)), None)
            if values is not None:
                found[kind] = values
        if "bboxes" in found and any("boxes" in each for each in entry):
            found["box_format"] = "pascal_voc"  # torchvision's own
        return
    shape, kind = tuple(getattr(entry, "shape", ())), str(getattr(entry, "dtype", "")).removeprefix("torch.")
    if isinstance(entry, (list, tuple)) and entry and all(map(_is_one_image, entry)):  # of samples that were not collated
        shape, kind = (len(entry), *as_numpy(entry[0]).shape), str(as_numpy(entry[0]).dtype)
    if 3 <= len(shape) <= 4 and shape[0] == samples and kind in ("uint8", "bool", "int8", "int16", "int32", "int64"):
        found["mask"] = entry
    elif len(shape) <= 2 and (len(shape) > 0 or isinstance(entry, (list, tuple))) and len(entry) == samples:
        found.setdefault("label", entry)
    else:
        what = f"{kind} {list(shape)}" if shape else type(entry).__name__
        raise TypeError(
            f"show: entry {number} of the tuple is {what}, neither labels [B] nor a mask of whole numbers [B, H, W]; pass a dict "
            "with names: {'image': images, 'mask': masks}"
        )


def _may_be_mask(key: str, entry) -> bool:
    return key != "annotation" or _is_map(entry, 2)


def _is_map(entry, axes: int) -> bool:
    """Whether an entry of a batch, an array of so many axes at least or a list with one for each sample, is pixels."""
    if isinstance(entry, (list, tuple)):
        entry, axes = next((each for each in entry if each is not None), None), 2
    return hasattr(entry, "getbands") or len(getattr(entry, "shape", ())) >= axes


def _are_images(entry) -> bool:
    if isinstance(entry, (list, tuple)):
        return bool(entry) and _are_images(entry[0])
    return len(getattr(entry, "shape", getattr(entry, "size", None) if hasattr(entry, "getbands") else ()) or ()) >= 2


def _are_alike(batch) -> bool:
    """A list of images, each of at most three axes, and not images beside their masks."""
    if all(hasattr(each, "getbands") for each in batch):  # PIL images
        return True
    shapes = [tuple(getattr(each, "shape", ())) for each in batch]
    return (
        isinstance(batch, list) and all(len(shape) in (2, 3) for shape in shapes) and len({len(shape) for shape in shapes}) == 1
    )


def _apart(name: str, images) -> list[np.ndarray]:
    """The images of a batch one by one, channels last; volumes keep their slices in front."""
    if isinstance(images, (list, tuple)):
        return [as_numpy(image) for image in images]
    array = as_numpy(images)
    if array.dtype == object or array.ndim < 2:
        raise TypeError(f"show: {name} is {type(images).__name__} {list(array.shape)}, no image and no batch of images")
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (1, 2, 3, 4)):
        return [array]
    return list(array) if array.ndim > 3 else list(array[..., None])


def _at(entry, i: int) -> list:
    """What is of sample i: at most one thing."""
    if entry is None or isinstance(entry, (str, bytes)):
        return []
    if isinstance(entry, torch.Tensor):
        return [entry[i]] if entry.ndim else []
    one = entry[i] if i < len(entry) else None
    return [] if one is None else [one]


def _masks(mask) -> list[np.ndarray]:
    """The masks of one sample: one, or a set ``[N, H, W]`` of objects' masks that are laid over each other."""
    if isinstance(mask, (list, tuple)):
        return [as_numpy(each) for each in mask]
    shape = tuple(getattr(mask, "shape", ()))  # PIL images have none
    if len(shape) == 3 and isinstance(mask, torch.Tensor):
        return [mask.detach().cpu().numpy()[k] * (k + 1) for k in range(len(mask))]
    return [as_numpy(mask)]


def _words(label, classes) -> list[str]:
    if isinstance(label, (torch.Tensor, np.ndarray)):
        label = label.tolist()
    many = label if isinstance(label, (list, tuple)) else [label]
    if classes is None:
        return [f"{each:.4g}" if isinstance(each, float) else str(each) for each in many]
    return [
        str(classes[each]) if isinstance(each, int) and not isinstance(each, bool) and 0 <= each < len(classes) else str(each)
        for each in many
    ]

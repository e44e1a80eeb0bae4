"""Samples as torchvision's transforms take them: nested containers of PIL images, tensors, tv_tensors and anything else."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..data.structure import children

BOXES = {"XYXY": "pascal_voc", "XYWH": "coco", "CXCYWH": "pascal_voc"}  # the last is converted here


@dataclass
class Leaf:
    """Something that a pipeline changes.

    Attributes:
        path: where it stands in the sample. value: it.
        kind: "image", "images" (a video), "mask", "bboxes" or "keypoints".
        form: of an image: "pil", "array", "tensor" or "image" (a tv_tensor); of others "tv".
        name: of the target that it becomes.
    """

    path: tuple
    value: Any
    kind: str
    form: str = "tv"
    name: str = ""


def _tv(value) -> str:
    """The name of a tv_tensor's class; "" of everything else. Where nobody imported them (1 s), nothing can be one."""
    module = sys.modules.get("torchvision.tv_tensors")
    if module is None or not isinstance(value, module.TVTensor):
        return ""
    return next(cls.__name__ for cls in type(value).__mro__ if cls.__module__.startswith("torchvision.tv_tensors"))


_KINDS = {"Image": "image", "Video": "images", "Mask": "mask", "BoundingBoxes": "bboxes", "KeyPoints": "keypoints"}


def leaves(sample, arrays: bool) -> list[Leaf]:
    """What of a sample is changed, by torchvision's rules: PIL images and tv_tensors; the first plain tensor, if there is no
    image otherwise. arrays: NumPy arrays ``[H, W]`` and ``[H, W, C]``, too."""
    found, plain = [], []

    def look(value, path):
        below = children(value)
        if below is not None:
            for key, child in below:
                look(child, (*path, key))
        elif hasattr(value, "getbands"):
            found.append(Leaf(path, value, "image", "pil"))
        elif name := _tv(value):
            if name not in _KINDS:
                raise TypeError(f"{type(value).__name__} is not among the tv_tensors that are moved: {', '.join(_KINDS)}")
            found.append(Leaf(path, value, _KINDS[name], "image" if name in ("Image", "Video") else "tv"))
        elif arrays and isinstance(value, np.ndarray) and value.ndim in (2, 3):
            found.append(Leaf(path, value, "image", "array"))
        elif isinstance(value, torch.Tensor) and value.ndim >= 2:
            plain.append(Leaf(path, value, "image", "tensor"))

    look(sample, ())
    if plain and not any(leaf.kind in ("image", "images") for leaf in found):
        found.insert(0, plain[0])
    counts: dict[str, int] = {}
    for leaf in found:
        k = counts[leaf.kind] = counts.get(leaf.kind, 0) + 1
        leaf.name = leaf.kind if k == 1 else f"{leaf.kind}{k}"
    return found


# ---- boxes -----------------------------------------------------------------------------------------


def box_format(boxes) -> str:
    """gpuaug's word for the format of a tv_tensor's boxes."""
    word = boxes.format.value if hasattr(boxes.format, "value") else str(boxes.format)
    if word not in BOXES:
        raise ValueError(f"bounding boxes in the format {word} are not moved; convert them to XYXY, XYWH or CXCYWH")
    return BOXES[word]


def rows_of(leaf: Leaf) -> list[list[float]]:
    """A leaf's boxes or points, as lists."""
    plain = leaf.value.as_subclass(torch.Tensor).reshape(-1, leaf.value.shape[-1]).double()
    if leaf.kind == "bboxes" and leaf.value.format.value == "CXCYWH":
        plain = torch.cat([plain[:, :2] - plain[:, 2:] / 2, plain[:, :2] + plain[:, 2:] / 2], 1)
    return plain.tolist()


def returned(leaf: Leaf, rows, places, size) -> Any:
    """A leaf's tv_tensor with new rows at ``places``; boxes that were lost are zeros, as torchvision marks them."""
    from torchvision import tv_tensors

    out = torch.zeros(leaf.value.shape, dtype=torch.float64).reshape(-1, leaf.value.shape[-1])
    if len(places):
        new = torch.tensor(np.asarray(rows, np.float64)[:, : out.shape[1]])
        if leaf.kind == "bboxes" and leaf.value.format.value == "CXCYWH":
            new = torch.cat([(new[:, :2] + new[:, 2:]) / 2, new[:, 2:] - new[:, :2]], 1)
        out[torch.as_tensor(places)] = new
    if not leaf.value.is_floating_point():
        out = out.round()
    out = out.reshape(leaf.value.shape).to(leaf.value.dtype)
    return tv_tensors.wrap(out, like=leaf.value, canvas_size=tuple(size))


# ---- images ----------------------------------------------------------------------------------------


_SHORT = (torch.uint8, torch.float16, torch.float32)


def array_of(leaf: Leaf) -> np.ndarray | None:
    """An image as an array ``[H, W, C]`` or ``[H, W]``, which its memory is seen as; None: it would have to be made."""
    if leaf.form == "array":
        return leaf.value
    if leaf.form == "pil":
        return np.asarray(leaf.value) if leaf.value.mode in ("RGB", "L") else None
    plain = leaf.value.as_subclass(torch.Tensor) if leaf.form == "image" else leaf.value
    plainly = plain.layout == torch.strided and plain.device.type == "cpu" and not (plain.requires_grad or plain.is_nested)
    if not plainly or plain.ndim != 3 or plain.dtype not in _SHORT or type(plain) is not torch.Tensor:
        return None
    return plain.numpy().transpose(1, 2, 0)


def image_of(done, form: str, like):
    """A result in a form: an array ``[H, W, C]`` or a tensor ``[C, H, W]`` as "pil", "array", "tensor" or "image"."""
    if form in ("pil", "array"):
        array = done if isinstance(done, np.ndarray) else done.movedim(-3, -1).cpu().numpy()
        return array if form == "array" else _pil(array)
    if isinstance(done, np.ndarray):
        done = torch.from_numpy(done if done.ndim > 2 else done[..., None]).movedim(-1, -3).contiguous()
    if form == "tensor":
        return done
    from torchvision import tv_tensors

    return tv_tensors.wrap(done, like=like) if _tv(like) else tv_tensors.Image(done)


def _pil(array: np.ndarray):
    import PIL.Image

    if array.ndim == 4:
        raise ValueError("a batch becomes no PIL image: call the pipeline with one image")
    array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if array.dtype != np.uint8:
        if array.ndim == 2 and array.dtype in (np.float32, np.int32, np.uint16):
            return PIL.Image.fromarray(array)
        raise ValueError(
            f"a PIL image holds bytes, this is {array.dtype}: put ToTensor() or ToImage() at the end of the pipeline"
        )
    return PIL.Image.fromarray(array)

"""Compose by torchvision's rules: samples of any structure in, the same structure out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ..compose import Compose as _Compose
from ..data.structure import replace
from ..groups import Group
from ..inputs import Declared, Inputs
from ..label_params import BboxParams, KeypointParams
from ..outputs import AsCame
from . import samples
from .convert import ToDtype, _Form
from .custom import Lambda, taken
from .detection import SanitizeBoundingBoxes

_BOXES = {"clip": True, "filter_invalid_bboxes": True}
_ROW = "{}.row"  # the label field that says which row a box was


class Compose(_Compose):
    """A pipeline of torchvision's transforms, with a draw of its own for every sample.

    Args:
        transforms: list of `gpuaug.vision`'s transforms and groups, of any of gpuaug's, of torchvision's own objects, and of what
            else can be called with an image (`Lambda`).
        seed: see `gpuaug.Compose`; None: torch's generator decides, as in torchvision.

    A call takes what torchvision's takes: one sample of any structure, or several arguments, in which PIL images, tv_tensors
    (Image, Video, Mask, BoundingBoxes, KeyPoints) and, if there is no image otherwise, the first plain tensor are changed
    together; all else is handed on. A tensor ``[B, C, H, W]`` is a batch, of which every image gets a draw of its own;
    torchvision draws once for all. A PIL image comes back as one unless `ToTensor`, `PILToTensor` or `ToImage` makes a tensor of
    it. Arrays ``[H, W, C]`` are images where the pipeline has one of these or `ToPILImage`. `gpuaug.DataLoader` takes the
    pipeline as its ``transform``.

    Arithmetic is that of torchvision's tensors (v2) for all of them: PIL images get the same pixels as tensors. (torchvision's
    differ between the two: by a level here and there in colours, and in where nearest pixels lie.) Boxes and keypoints follow
    pixels. Boxes that have left the image are zeros in a call, until `SanitizeBoundingBoxes` drops them; a loader drops them with
    what stands beside them.

    Raises:
        TypeError: a sample without an image. ValueError: a conversion (`ToTensor`, ..) inside of a group that may skip it.

    Source: torchvision ``Compose``.

    Example:
        >>> import PIL.Image, gpuaug.vision as T
        >>> aug = T.Compose([T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize([0.5], [0.5])], seed=0)
        >>> image, label = aug((PIL.Image.new("RGB", (60, 80)), 3))
        >>> image.shape, label
        (torch.Size([3, 80, 60]), 3)
    """

    def __init__(self, transforms: Sequence, *, seed: int | None = None):
        super().__init__(
            taken(transforms), BboxParams("pascal_voc", **_BOXES), KeypointParams("xy", remove_invisible=False), seed=seed
        )
        self._forms: list[_Form] = []
        self._sanitize: SanitizeBoundingBoxes | None = None
        self._look(self, True)
        self._short = self._single.able and not any(isinstance(step, Lambda) for step in self._leaves())
        if self._sanitize is not None:  # in a loader the limits of boxes are the pipeline's
            self.bbox_params = BboxParams("pascal_voc", **self._sanitize.limits(), **_BOXES)

    def _look(self, node, always: bool) -> None:
        """Find the steps that every image takes."""
        for child in node.transforms:
            if isinstance(child, Lambda):
                child.stands(before=next((step.form for step in reversed(self._forms) if step.form), ""))
            elif isinstance(child, Group):
                self._look(child, always and child.node == "all" and child.p == 1)
            elif isinstance(child, (_Form, SanitizeBoundingBoxes)):
                if not always:
                    raise ValueError(
                        f"{type(child).__name__} stands in a group that may leave it out; all images of a pipeline come out "
                        f"alike: put it outside"
                    )
                if isinstance(child, _Form):
                    self._forms.append(child)
                else:
                    self._sanitize = child

    def _form_of(self, form: str) -> str:
        """What an image of a form is in the end."""
        for step in self._forms:
            if isinstance(step, ToDtype) and form in ("pil", "array"):
                raise TypeError(
                    f"{type(step).__name__} is for tensors, which this image is not yet: put ToImage() or ToTensor() before it"
                )
            if step.form and step.takes(form):
                form = step.form
        return form

    def forward(self, *inputs: Any, ids: Any = None, epoch: int = 0) -> Any:
        """Augment; see the class."""
        if not inputs:
            raise TypeError("Compose takes a sample: an image, or a structure that holds one")
        sample = inputs if len(inputs) > 1 else inputs[0]
        found = samples.leaves(sample, any(step.form for step in self._forms))
        images = [leaf for leaf in found if leaf.kind in ("image", "images")]
        if not images:
            raise TypeError(f"found no image in this {type(sample).__name__}: a PIL image, a tensor or a tv_tensor")
        if self._short and len(found) == 1 and ids is None and epoch == 0:
            done = self._shortly(found[0])
            if done is not None:
                return replace(sample, {found[0].path: done})
        batched = [leaf for leaf in images if leaf.kind == "image" and getattr(leaf.value, "ndim", 3) > 3]
        if batched and (len(batched) < len(images) or any(leaf.kind in ("bboxes", "keypoints") for leaf in found)):
            raise ValueError("a batch [B, C, H, W] goes with batches of images and masks alone: pass samples one by one")
        if any(leaf.value.ndim > 4 for leaf in batched):
            raise ValueError(f"an image must be [C, H, W], or a batch [B, C, H, W], got {tuple(batched[0].value.shape)}")
        for step in self._leaves():
            if isinstance(step, Lambda):
                step.stands(came=images[0].form)
        declared, targets = self._declare(found, bool(batched))
        given = Inputs(declared, targets, self._leaves(), one=not batched, layout=None)
        out = self._augmented(given, AsCame(), ids=ids, epoch=epoch, occurrence=None)
        done = {leaf.path: self._delivered(leaf, out) for leaf in found}
        return replace(sample, done | self._sanitized(sample, found, out))

    def _shortly(self, leaf) -> Any:
        """An image that stands alone, by the short way (`gpuaug.single`); None: it takes the long one."""
        form, planar = self._form_of(leaf.form), leaf.form in ("tensor", "image")
        array = samples.array_of(leaf)
        if array is None:
            return None
        out = self._single(self, {"image": array}, planar)
        return None if out is None else samples.image_of(out["image"], form, leaf.value)

    def _declare(self, found, batched: bool):
        """How the targets are declared, and they themselves."""
        kinds, marks, targets = {}, {}, {}
        for leaf in found:
            targets[leaf.name] = leaf.value
            if leaf.form in ("tv", "image"):
                targets[leaf.name] = leaf.value.as_subclass(torch.Tensor)
            if leaf.kind in ("bboxes", "keypoints"):
                row = _ROW.format(leaf.name)
                targets[leaf.name] = samples.rows_of(leaf)
                targets[row] = list(range(len(targets[leaf.name])))
                marks[leaf.name] = (
                    BboxParams(samples.box_format(leaf.value), [row], **_BOXES)
                    if leaf.kind == "bboxes"
                    else KeypointParams("xy", [row], remove_invisible=False)
                )
            elif leaf.kind == "mask" and leaf.value.ndim == 3 + batched:
                kinds[leaf.name] = "masks"
            else:
                kinds[leaf.name] = leaf.kind
        boxes, points = marks.pop("bboxes", None), marks.pop("keypoints", None)
        return Declared(kinds, boxes, points, marks), targets

    def _delivered(self, leaf, out):
        """A leaf's result, in the form that it has in the end."""
        done = out[leaf.name]
        if leaf.kind in ("image", "images"):
            return samples.image_of(done, self._form_of(leaf.form), leaf.value)
        if leaf.kind == "mask":
            from torchvision import tv_tensors

            wanted = [step.mask for step in self._forms if isinstance(step, ToDtype) and step.mask is not None]
            done = torch.stack(done) if isinstance(done, list) else done
            return tv_tensors.wrap(done.to(wanted[-1]) if wanted else done, like=leaf.value)
        places = [int(k) for k in out[_ROW.format(leaf.name)]]
        return samples.returned(leaf, done, places, self._size(out))

    def _size(self, out) -> tuple[int, int]:
        """Height and width of the result."""
        first = out.get("image", out.get("images"))
        first = first[0] if isinstance(first, list) else first
        return tuple(first.shape[-2:]) if isinstance(first, torch.Tensor) else tuple(first.shape[:2])

    def _sanitized(self, sample, found, out) -> dict:
        """What `SanitizeBoundingBoxes` takes from boxes and what stands beside them."""
        boxes = next((leaf for leaf in found if leaf.kind == "bboxes"), None)
        if self._sanitize is None or boxes is None:
            return {}
        return self._sanitize.dropped(sample, found, boxes, out, _ROW, self._delivered(boxes, out))

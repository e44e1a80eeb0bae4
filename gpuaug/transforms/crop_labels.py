"""Crops that look at masks and boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..checks import increasing, integer, is_number, real
from ..hints import Range
from ..uniforms import between, integers
from .crop import CroppedAndResized, placed, too_large
from .crop_sides import Cropped

FORGIVEN = 1e-4  # pixels by which a box's edge may lie before the pixel's: float32 fractions of a side below 1000


class CropNonEmptyMaskIfExists(Cropped):
    """Crop a window of fixed size around a pixel that the mask does not leave empty; where all are empty, anywhere.

    Args:
        height, width: of the window, pixels.
        ignore_values: values of the mask that count as empty, as 0 does.
        ignore_channels: channels of the mask that do not count.
        p: probability, per sample.

    The pixel is drawn from those that are not empty, then where in the window it lies; at the sides the window is moved into the
    image. With ``masks=`` a pixel counts that one of them does not leave empty. On a GPU masks stay there: it waits for a number
    of each sample. Shapes and dtypes: any; needs ``mask=`` or ``masks=``. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``CropNonEmptyMaskIfExists``.

    Raises:
        ValueError: no mask among the targets; an image smaller than the window.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> mask = np.zeros((9, 9), np.uint8); mask[2, 7] = 1
        >>> out = G.Compose([G.CropNonEmptyMaskIfExists(3, 4)])(image=mask, mask=mask)
        >>> out["mask"].shape, int(out["mask"].sum())
        ((3, 4), 1)
    """

    asks = True

    def __init__(
        self,
        height: int,
        width: int,
        ignore_values: Sequence[int] | None = None,
        ignore_channels: Sequence[int] | None = None,
        p: float = 1.0,
    ):
        super().__init__(p)
        self.height, self.width = integer("height", height, 1), integer("width", width, 1)
        self.ignore_values = None if ignore_values is None else [integer("ignore_values", v) for v in ignore_values]
        self.ignore_channels = None if ignore_channels is None else [integer("ignore_channels", c, 0) for c in ignore_channels]

    def columns(self) -> int:
        return 3  # which pixel, then x and y

    def draw(self, u, view):
        want = np.array([self.height, self.width])
        small = (view.size < want).any(1)
        if small.any():
            raise too_large(self, view, int(np.flatnonzero(small)[0]))
        if view.now is None:
            raise ValueError("CropNonEmptyMaskIfExists needs mask= or masks= among the targets")
        masks = view.now.all_masks("CropNonEmptyMaskIfExists")
        found = kth_of_each([self._seen(mine) for mine in masks], u[:, 0])
        free = view.size - want
        x, y = found % view.size[:, 1], found // view.size[:, 1]
        start = np.stack([x - integers(u[:, 1], 0, self.width - 1), y - integers(u[:, 2], 0, self.height - 1)], 1)
        start = np.clip(start, 0, free[:, ::-1])
        anywhere = integers(u[:, 1:3], 0, free[:, ::-1])
        start = np.where((found < 0)[:, None], anywhere, start).astype(np.int64)
        return {"crop_coords": np.concatenate([start, start + want[::-1]], 1)}

    def _seen(self, masks: list[torch.Tensor]):
        """Which pixels of a sample are not empty: bool ``[H, W]`` in the masks' memory; None without masks."""
        seen = None
        for mask in masks:
            if self.ignore_channels is not None and mask.shape[2] > 1:
                mask = mask[..., [c for c in range(mask.shape[2]) if c not in self.ignore_channels]]
            mask = mask.numpy() if mask.device.type == "cpu" else mask
            one = mask != 0
            if self.ignore_values is not None:
                for value in self.ignore_values:
                    one &= mask != value
            one = one[..., 0] if one.shape[2] == 1 else one.any(2)
            seen = one if seen is None else seen | one
        return seen


def kth_of_each(seen: list, u: np.ndarray) -> np.ndarray:
    """Of each array that is not None, the place of one of its true entries, drawn by a uniform: int ``[n]``, -1 where none is
    true."""
    out, waiting = np.full(len(seen), -1), []
    for i, one in enumerate(seen):
        if isinstance(one, torch.Tensor):
            waiting.append((i, kth_on_device(one, float(u[i]))))
        elif one is not None:
            out[i] = _kth(one.ravel(), u[i])
    if waiting:
        out[[i for i, _ in waiting]] = torch.stack([place for _, place in waiting]).cpu().numpy()  # the one wait for a GPU
    return out


def _kth(seen: np.ndarray, u: float) -> int:
    count = np.count_nonzero(seen)
    if not count:
        return -1
    k, low, high = min(int(np.floor(u * count)), count - 1), 0, len(seen)
    while high - low > 256:  # halves, which are counted faster than places are listed
        middle = (low + high) // 2
        before = np.count_nonzero(seen[low:middle])
        if k < before:
            high = middle
        else:
            k, low = k - before, middle
    return low + int(np.flatnonzero(seen[low:high])[k])


def kth_on_device(seen: torch.Tensor, u: float) -> torch.Tensor:
    """The same without a wait: the place stays in the device's memory."""
    total = torch.cumsum(seen.reshape(-1), 0, dtype=torch.int64)
    count = total[-1:]
    k = torch.minimum(torch.floor(count.to(torch.float64) * u).to(torch.int64), count - 1)
    return torch.where(count > 0, torch.searchsorted(total, k + 1), -1)[0]


class _Safe:
    """Windows that hold all boxes, less what may be eroded; anywhere where there are none."""

    asks = True

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        who = type(self).__name__
        if view.now is None:
            raise ValueError(f"{who} needs bboxes= among the targets and bbox_params")
        size = view.size.astype(np.int64)
        out = self._anywhere(u, size)
        for i, boxes in enumerate(view.now.boxes(who)):
            union = self._union(boxes)
            if union is None:
                continue
            sides = size[i, ::-1].astype(np.float64)
            low, high = np.clip(union[:2], 0, sides), np.clip(union[2:], 0, sides)
            start = np.minimum((low * u[i, :2] + FORGIVEN).astype(np.int64), size[i, ::-1] - 1)
            end = (high + (sides - high) * u[i, 2:] + FORGIVEN).astype(np.int64)
            out[i] = [*start, *np.maximum(end, start + 1)]
        return {"crop_coords": out}

    def _union(self, boxes):
        if not len(boxes) or self.erosion_rate == 1:
            return None
        if len(boxes) == 1:
            return boxes[0]
        low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
        cut = (high - low) * self.erosion_rate * 0.5
        return np.concatenate([low + cut, high - cut])

    def _anywhere(self, u, size):
        least = (size[:, 0] * (1.0 - self.erosion_rate)).astype(np.int64)
        height = np.maximum(integers(u[:, 0], least, size[:, 0]), 1)
        width = np.maximum((height * size[:, 1] / size[:, 0]).astype(np.int64), 1)
        return placed(np.stack([height, width], 1), size, u[:, 1:3])


class BBoxSafeRandomCrop(_Safe, Cropped):
    """Crop a random window that holds all boxes.

    Args:
        erosion_rate: how much of the rectangle around all boxes may be cut off, 0 to 1: half of it at each side. (Of a single box
            nothing, unless it is 1.)
        p: probability, per sample.

    Of images without boxes, and with an erosion_rate of 1, the window is anywhere; its height is a fraction of at least
    1 - erosion_rate, and its width the same. Shapes and dtypes: any; needs ``bboxes=``. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``BBoxSafeRandomCrop``.

    Raises:
        ValueError: an erosion_rate outside [0, 1]; no boxes among the targets.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.BBoxSafeRandomCrop()], seed=1, bbox_params=G.BboxParams("pascal_voc"))
        >>> (x0, y0, x1, y1), = aug(image=np.zeros((50, 70, 3), np.uint8), bboxes=[(20, 10, 40, 30)])["bboxes"]
        >>> x1 - x0, y1 - y0
        (20.0, 20.0)
    """

    def __init__(self, erosion_rate: float = 0.0, p: float = 1.0):
        super().__init__(p)
        self.erosion_rate = real("erosion_rate", erosion_rate, 0, 1)


class RandomSizedBBoxSafeCrop(_Safe, CroppedAndResized):
    """Crop a random window that holds all boxes and resize it to a fixed size.

    Args:
        height, width: of the result, pixels.
        erosion_rate: see `BBoxSafeRandomCrop`.
        interpolation, mask_interpolation: see `Resize`; 6 keeps masks on their images.
        p: probability, per sample.

    Shapes and dtypes: any; needs ``bboxes=``. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``RandomSizedBBoxSafeCrop``.

    Raises:
        ValueError: an erosion_rate outside [0, 1]; no boxes among the targets; another interpolation.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.RandomSizedBBoxSafeCrop(8, 9)], seed=1, bbox_params=G.BboxParams("pascal_voc"))
        >>> aug(image=np.zeros((50, 70, 3), np.uint8), bboxes=[(20, 10, 40, 30)])["image"].shape
        (8, 9, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        erosion_rate: float = 0.0,
        interpolation: int = 1,
        mask_interpolation: int = 0,
        p: float = 1.0,
    ):
        super().__init__(interpolation, mask_interpolation, None, False, p)
        self.height, self.width = integer("height", height, 1), integer("width", width, 1)
        self.size = (self.height, self.width)
        self.erosion_rate = real("erosion_rate", erosion_rate, 0, 1)


class AtLeastOneBBoxRandomCrop(Cropped):
    """Crop a window of fixed size that shows a box, which is drawn from all.

    Args:
        height, width: of the window, pixels.
        erosion_factor: how much of the box's width and height may be cut off, 0 to 1; with 1 the window touches it at least.
        p: probability, per sample.

    A box that is larger than the window is shown in part. Of images without boxes the window is anywhere. Shapes and dtypes: any;
    needs ``bboxes=``. Targets: image, mask, boxes, keypoints. Source: albumentations ``AtLeastOneBBoxRandomCrop``.

    Raises:
        ValueError: an erosion_factor outside [0, 1]; no boxes among the targets; an image smaller than the window.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.AtLeastOneBBoxRandomCrop(20, 30)], seed=1, bbox_params=G.BboxParams("pascal_voc"))
        >>> out = aug(image=np.zeros((50, 70, 3), np.uint8), bboxes=[(20, 10, 40, 30)])
        >>> out["image"].shape, len(out["bboxes"])
        ((20, 30, 3), 1)
    """

    asks = True

    def __init__(self, height: int, width: int, erosion_factor: float = 0.0, p: float = 1.0):
        super().__init__(p)
        self.height, self.width = integer("height", height, 1), integer("width", width, 1)
        self.erosion_factor = real("erosion_factor", erosion_factor, 0, 1)

    def columns(self) -> int:
        return 3  # which box, then x and y

    def draw(self, u, view):
        window = np.array([self.width, self.height])
        small = (view.size < window[::-1]).any(1)
        if small.any():
            raise too_large(self, view, int(np.flatnonzero(small)[0]))
        if view.now is None:
            raise ValueError("AtLeastOneBBoxRandomCrop needs bboxes= among the targets and bbox_params")
        most = (view.size[:, ::-1] - window).astype(np.float64)
        low, high = np.zeros_like(most), most.copy()
        for i, boxes in enumerate(view.now.boxes("AtLeastOneBBoxRandomCrop")):
            if not len(boxes):
                continue
            box = boxes[integers(u[i, 0], 0, len(boxes) - 1)]
            kept = (box[2:] - box[:2]) * (1.0 - self.erosion_factor)
            low[i] = np.clip(box[:2] + kept - window, 0, most[i])
            high[i] = np.clip(box[2:] - kept, 0, most[i])
        start = np.clip((between(u[:, 1:3], low, high) + FORGIVEN).astype(np.int64), 0, most.astype(np.int64))
        return {"crop_coords": np.concatenate([start, start + window], 1)}


class RandomCropNearBBox(Cropped):
    """Crop to a box that comes with the image, its sides moved at random.

    Args:
        max_part_shift: the most that top and bottom, and left and right, are moved by, as fractions of the box's height and
            width, 0 to 1, the first at most the second; a number v means (0, v).
        cropping_bbox_key: the name under which the box comes: (x0, y0, x1, y1) in whole pixels of the image as it is at this
            step; for a batch one for each sample.
        p: probability, per sample.

    Shapes and dtypes: any; needs the entry of that name. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``RandomCropNearBBox``. Where no pixel is left, the window has the box's size and lies in the middle.

    Raises:
        ValueError: a fraction outside [0, 1]; no such entry; a box that is no four whole numbers, or without pixels in its image.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.RandomCropNearBBox((0.0, 0.0))])
        >>> aug(image=np.zeros((50, 70, 3), np.uint8), cropping_bbox=(20, 10, 45, 30))["image"].shape
        (20, 25, 3)
    """

    asks = True

    def __init__(self, max_part_shift: Range = (0, 0.3), cropping_bbox_key: str = "cropping_bbox", p: float = 1.0):
        super().__init__(p)
        shift = (0, max_part_shift) if is_number(max_part_shift) else max_part_shift
        self.max_part_shift = increasing("max_part_shift", shift, 0, 1)
        if not isinstance(cropping_bbox_key, str) or not cropping_bbox_key:
            raise TypeError(f"cropping_bbox_key must be the name of an entry, got {cropping_bbox_key!r}")
        self.cropping_bbox_key = cropping_bbox_key
        self.reads = (cropping_bbox_key,)

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        if view.now is None:
            raise ValueError(f"RandomCropNearBBox needs {self.cropping_bbox_key}= among the targets")
        given, size = view.now.read("RandomCropNearBBox", self.cropping_bbox_key), view.size.astype(np.int64)
        box = np.array([self._whole(one, view.sample(i)) for i, one in enumerate(given)], np.int64).reshape(-1, 4)
        box = _clipped(box, size)
        empty = (box[:, :2] >= box[:, 2:]).any(1)
        if empty.any():
            i = int(np.flatnonzero(empty)[0])
            raise ValueError(
                f"RandomCropNearBBox: {self.cropping_bbox_key} of sample {view.sample(i)}, {list(given[i])}, has no pixels in an "
                f"image of height {size[i, 0]}, width {size[i, 1]}"
            )
        extent = box[:, 2:] - box[:, :2]
        shift = np.rint(extent * self.max_part_shift[::-1]).astype(np.int64)
        by = integers(u, -shift[:, [0, 0, 1, 1]], shift[:, [0, 0, 1, 1]])  # left, right, top, bottom
        moved = _clipped(box + by[:, [0, 2, 1, 3]] * (-1, -1, 1, 1), size)
        gone = (moved[:, :2] == moved[:, 2:]).any(1)
        start = (size[:, ::-1] - extent) // 2
        return {"crop_coords": np.where(gone[:, None], np.concatenate([start, start + extent], 1), moved)}

    def _whole(self, box, sample: int) -> list[int]:
        values = np.asarray(box, np.float64).ravel()
        if len(values) != 4 or not np.isfinite(values).all() or (values != np.floor(values)).any():
            raise ValueError(
                f"RandomCropNearBBox: {self.cropping_bbox_key} of sample {sample} must be (x0, y0, x1, y1) in whole pixels, "
                f"got {box!r}"
            )
        return values.astype(np.int64).tolist()


def _clipped(box, size):
    low = np.clip(box[:, :2], 0, size[:, ::-1])
    return np.concatenate([low, np.clip(box[:, 2:], low, size[:, ::-1])], 1)

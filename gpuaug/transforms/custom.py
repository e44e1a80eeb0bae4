"""A caller's own functions in the middle of a pipeline."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable

from ..checks import one_of
from ..hosted import on_device, on_host
from ..own import DualTransform, called
from ..whole import Whole


class Lambda(Whole):
    """Apply functions of the caller to images, masks, keypoints and boxes, one sample at a time.

    Each is called as ``function(value, shape=(height, width, channels), rows=height, cols=width)``, with those of the three that
    it takes; Python's, NumPy's and torch's generators are seeded by the sample around it. It runs on the host, in its place of
    the pipeline (docs/own-transforms.md).

    Args:
        image, mask: take and return an array ``[H, W, C]`` (``[H, W]`` if the caller's has no axis for channels), in the
            caller's element type; it may be written into. Of sets and volumes they get one image after the other.
        keypoints: takes and returns float64 rows (x, y, z, angle in radians, scale, labels ..), in pixels.
        bboxes: takes and returns float64 rows (x0, y0, x1, y1, labels ..), as fractions of the image's sides. Rows may be
            dropped.
        name: what ``explain()`` calls it, and a file (`gpuaug.save`).
        keypoint, bbox: the same of one point (x, y, angle, scale) and one box (x0, y0, x1, y1): albumentations 1.x'.
        on: "host": functions of NumPy arrays. "device": ``image`` and ``mask`` are functions of torch tensors ``[C, H, W]``, on
            the device on which the pipeline runs, without a copy; shapes and types stay. See also `Torch`.
        p: probability, per sample.

    Shapes and dtypes: any. Another number of channels or another type may come back where every sample of the batch takes it,
    another size where all targets of a sample agree. Targets: those with a function. Source: albumentations ``Lambda``.

    Raises:
        ValueError: a result of another shape or type than can be carried on; names the sample.
        TypeError: what is no function, and a result that is no array.

    Warns:
        UserWarning: a lambda expression, which cannot be pickled.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> def inverted(image, **params):
        ...     return 255 - image
        >>> aug = G.Compose([G.HorizontalFlip(p=1), G.Lambda(image=inverted)])
        >>> aug(np.array([[1, 2]], np.uint8)).tolist()
        [[253, 254]]
    """

    targets = ("image", "mask")
    moves_pixels = False
    by_name = True

    def __init__(
        self,
        image: Callable | None = None,
        mask: Callable | None = None,
        keypoints: Callable | None = None,
        bboxes: Callable | None = None,
        name: str | None = None,
        p: float = 1.0,
        *,
        keypoint: Callable | None = None,
        bbox: Callable | None = None,
        on: str = "host",
    ):
        super().__init__(p)
        for many, one, what in ((keypoints, keypoint, "keypoints"), (bboxes, bbox, "bboxes")):
            if many is not None and one is not None:
                raise ValueError(f"{what} is given twice, for all rows and for one: pass one of the functions")
        given = {"image": image, "mask": mask, "keypoints": keypoints, "bboxes": bboxes, "keypoint": keypoint, "bbox": bbox}
        for what, function in given.items():
            if function is not None and not callable(function):
                raise TypeError(f"{what} must be a function or None, got {function!r}")
            if inspect.isfunction(function) and function.__name__ == "<lambda>":
                warnings.warn(
                    f"Lambda({what}=..) is given a lambda expression, which cannot be pickled: processes that are spawned need a "
                    f"function of a module",
                    UserWarning,
                    stacklevel=3,
                )
        self.functions = {what: function for what, function in given.items() if function is not None}
        self.name = name
        self.on = one_of("on", on, ("host", "device"))
        if self.on == "device" and set(self.functions) - {"image", "mask"}:
            raise ValueError(
                "on='device' takes functions of image and mask; give those of boxes and keypoints a Lambda of their own"
            )
        self._inner = _Functions(self.functions)

    looks = True  # functions are told the image's shape

    @property
    def why(self) -> str:
        return self.name or "a function of the caller, sample by sample"

    def handles(self, kind: str) -> bool:
        return self.on == "host" and kind in self._inner.targets

    def is_geometric(self) -> bool:
        """What has a function for masks, boxes or points moves pixels, as far as anybody can know."""
        return set(self.functions) != {"image"}

    def moves(self, hook: str) -> bool:
        return True

    def draw(self, u, view):
        if self.on == "device" or view.now is None:  # without samples, functions that leave sizes alone can be called later
            return {}
        return super().draw(u, view)

    def size_after(self, params, size):
        return params.get("after", size)

    def channels_then(self, params, channels):
        return super().channels_then(params, channels) if params else channels

    def lower(self, to, rows, params) -> None:
        if params:
            super().lower(to, rows, params)
            return
        function = self.functions.get(to.kind)
        if function is None:
            return
        size, stage = to.size[rows].tolist(), on_host if self.on == "host" else on_device

        def run(k: int, value):
            height, width = size[k]
            return called(function, value, {"shape": (height, width, to.channels), "rows": height, "cols": width})

        stage(to, rows, run, self.why)

    def on_sample(self, sample, kinds, seed):
        return self._inner.on_sample(sample, kinds, seed)


class _Functions(DualTransform, register=False):
    """A user's class made of functions."""

    looks = False

    def __init__(self, functions: dict):
        self.functions = functions
        super().__init__(p=1)

    @property
    def targets(self):
        kinds = {"image": ("image", "images", "volume", "volumes"), "mask": ("mask", "masks", "mask3d", "masks3d")}
        known = {name for what in self.functions for name in kinds.get(what, (what, f"{what}s", f"{what}es"))}
        return {name: function for name, function in super().targets.items() if name in known}

    def apply(self, img, **params):
        return called(self.functions["image"], img, params)

    def apply_to_mask(self, mask, **params):
        return called(self.functions["mask"], mask, params)

    def apply_to_bboxes(self, bboxes, **params):
        if "bbox" in self.functions:
            return super().apply_to_bboxes(bboxes, **params)
        return called(self.functions["bboxes"], bboxes, params)

    def apply_to_bbox(self, bbox, **params):
        return called(self.functions["bbox"], bbox, params)

    def apply_to_keypoints(self, keypoints, **params):
        if "keypoint" in self.functions:
            return super().apply_to_keypoints(keypoints, **params)
        return called(self.functions["keypoints"], keypoints, params)

    def apply_to_keypoint(self, keypoint, **params):
        return called(self.functions["keypoint"], keypoint, params)

"""A caller's own functions in the middle of a pipeline."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np

from ..checks import one_of
from ..hosted import on_device, on_host
from ..transform import Transform


class Lambda(Transform):
    """Apply functions of the caller to images, masks, keypoints and boxes, one sample at a time.

    Each is called as ``function(value, shape=(height, width, channels), rows=height, cols=width)``, with those of the three that
    it takes. This is a host stage (docs/kernels.md): samples that drew it leave the fused kernels for it.

    Args:
        image, mask: take and return an array ``[H, W, C]``, of the same shape and type; it may be written into.
        keypoints: takes and returns float64 rows (x, y, z, angle in radians, scale), in pixels, z being 0.
        bboxes: takes and returns float64 rows (x0, y0, x1, y1), as fractions of the image's sides.
        name: what ``explain()`` and errors call it.
        on: "host": functions of NumPy arrays, in the host's memory. "device": ``image`` and ``mask`` are functions of torch
            tensors ``[C, H, W]``, on the device on which the pipeline runs, without a copy.
        p: probability, per sample.

    Shapes and dtypes: any; types that the kernels do not read arrive in the one that they travel in (docs/types.md).
    Targets: those with a function. Source: albumentations ``Lambda``; unlike there, sizes stay.

    Raises:
        ValueError: a result of another shape or type; names the sample (at the first batch).
        TypeError: what is no function, and a result that is no array.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Compose([G.HorizontalFlip(p=1), G.Lambda(image=lambda image, **_: 255 - image)])
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
        on: str = "host",
    ):
        super().__init__(p)
        self.functions = {"image": image, "mask": mask, "keypoints": keypoints, "bboxes": bboxes}
        for what, function in self.functions.items():
            if function is not None and not callable(function):
                raise TypeError(f"{what} must be a function or None, got {function!r}")
        self.name = name
        self.on = one_of("on", on, ("host", "device"))

    def is_geometric(self) -> bool:
        """What has a function for masks, boxes or points moves pixels, as far as anybody can know."""
        return any(self.functions[what] is not None for what in ("mask", "keypoints", "bboxes"))

    def _call(self, what: str, value, height: int, width: int, channels: int | None):
        function = self.functions[what]
        more = {"shape": (height, width) if channels is None else (height, width, channels), "rows": height, "cols": width}
        try:
            first, *rest = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):  # of C
            return function(value)
        if any(p.kind is p.VAR_KEYWORD for p in rest):
            more.pop(first.name, None)
        else:
            more = {p.name: more[p.name] for p in rest if p.name in more}
        return function(value, **more)

    def lower(self, to, rows, params) -> None:
        if self.functions[to.kind] is None:
            return
        size = to.size[rows].tolist()
        stage = on_host if self.on == "host" else on_device

        def run(k: int, value):
            return self._call(to.kind, value, *size[k], to.channels)

        stage(to, rows, run, self.name or "a function of the caller")

    def _rows(self, what: str, which, values, size):
        """Let a function of rows work on those of each sample."""
        out = values.copy()
        for sample in np.unique(which):
            mine = np.flatnonzero(which == sample)
            height, width = size[mine[0]].tolist()
            done = np.asarray(self._call(what, values[mine], height, width, None), np.float64)
            if done.shape != values[mine].shape:
                raise ValueError(
                    f"{self.name or 'Lambda'}: {what} must return rows as it got them, {values[mine].shape}, got {done.shape}"
                )
            out[mine] = done
        return out

    def boxes(self, params, which, boxes, size, limits):
        if self.functions["bboxes"] is None:
            return boxes, None
        whole = size[:, [1, 0, 1, 0]]
        return self._rows("bboxes", which, boxes / whole, size) * whole, None

    def keypoints(self, params, which, points, size, limits):
        if self.functions["keypoints"] is None:
            return points, None
        given = np.insert(points, 2, 0.0, axis=1)
        return np.delete(self._rows("keypoints", which, given, size), 2, axis=1), None

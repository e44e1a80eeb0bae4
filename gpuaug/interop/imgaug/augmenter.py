"""What imgaug's augmenters have in common: how they are called."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch

from ...compose import Compose
from ...label_params import KeypointParams
from ...transform import Transform

_TAKEN = ("image", "images", "segmentation_maps", "keypoints", "bounding_boxes")
_CORNERS = [[0, 1], [2, 1], [2, 3], [0, 3]]


class Augmenter:
    """An augmenter: a transform, or a group, of gpuaug, that is called as imgaug's are.

    ``aug(image=..)`` returns the image, ``aug(images=[..])`` a list, or an array ``[N, H, W(, C)]`` of one where all come
    out with one size. Further arguments make it return a tuple, in the order of the call:

    - segmentation_maps: labels ``[H, W]`` or ``[H, W, C]``, one for each image.
    - keypoints: ``[K, 2]`` (x, y), an array or a list of pairs. The middle of the first pixel is (0.5, 0.5).
    - bounding_boxes: ``[K, 4]`` (x1, y1, x2, y2). All stay, those outside of the image too: each is the box around its moved
      corners.

    With ``image=`` they are those of the image, with ``images=`` a list of one for each.

    Args:
        seed: 64 bits; None: torch's generator decides. Inside of another augmenter, or a `gpuaug.Compose`, theirs counts.
        name: for its ``repr``. random_state: an older name of seed. deterministic: as `to_deterministic` has it.

    Raises:
        TypeError, ValueError: other arguments; several of image and images, or none.
    """

    p = 1.0
    unwritten = "an augmenter by imgaug's name, whose ranges and choices are tuples and lists, which files do not tell apart"
    __hash__ = object.__hash__
    _fixed: int | None = None  # the seed that all calls have

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**({"register": False} if issubclass(cls, Transform) else {}), **kwargs)

    def _begin(self, seed, name, random_state, deterministic) -> None:
        """The four last arguments of all augmenters."""
        if random_state not in (None, "deprecated"):
            if seed is not None:
                raise TypeError("random_state is an older name of seed; give one of them")
            seed = random_state
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name must be a word, got {name!r}")
        self.seed, self.name = seed, name
        self.set_random_seed(seed)
        if deterministic is True:
            self._fix(self._next())

    def __eq__(self, other) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def to_deterministic(self, n: int | None = None):
        """A copy of which every call makes the same of the first image, of the second, ..; n: a list of so many."""
        if n is not None:
            return [self.to_deterministic() for _ in range(n)]
        twin = copy.copy(self)
        twin._fix(self._next())
        return twin

    def _next(self) -> int:
        """A seed, another one each time."""
        if self._own_seed is None:
            return int(torch.randint(2**62, ()))
        self._times = getattr(self, "_times", 0) + 1
        return int(np.random.SeedSequence([self._own_seed, self._times]).generate_state(1, np.uint64)[0])

    def _fix(self, seed: int) -> None:
        self.set_random_seed(seed)
        self._fixed = seed

    def _made(self):
        alone = Compose([self], keypoint_params=KeypointParams("xy", remove_invisible=False), seed=self._own_seed)
        if self._own_stream is not None:
            alone._stream = self._own_stream
        object.__setattr__(self, "_alone", alone)
        return alone

    def __call__(self, *, return_batch: bool = False, hooks=None, **given: Any):
        """Augment; see the class."""
        if return_batch or hooks is not None:
            raise ValueError("return_batch and hooks are not there; leave them out")
        for name in given:
            if name not in _TAKEN:
                raise TypeError(f"{type(self).__name__} is called with {', '.join(_TAKEN)}, by name; got {name!r}")
        if ("image" in given) == ("images" in given):
            raise ValueError("pass image=, or images=, a list of them")
        single = "image" in given
        images = [given["image"]] if single else list(given["images"])
        beside = {name: [value] if single else list(value) for name, value in given.items() if name not in ("image", "images")}
        for name, values in beside.items():
            if len(values) != len(images):
                raise ValueError(f"{name} has {len(values)} entries for {len(images)} images")
        if not images:
            return given["images"] if len(given) == 1 else tuple(given.values())
        out = self._augmented(images, beside)
        done = []
        for name, value in given.items():
            made = out["images" if name == "image" else name]
            stacked = isinstance(value, np.ndarray) and not single and len({np.shape(each) for each in made}) == 1
            done.append(made[0] if single else np.stack(made) if stacked else made)
        return done[0] if len(done) == 1 else tuple(done)

    augment = __call__

    def augment_image(self, image):
        """``self(image=image)``."""
        return self(image=image)

    def augment_images(self, images):
        """``self(images=images)``."""
        return self(images=images)

    def augment_segmentation_maps(self, *args, **kwargs):
        raise TypeError("pass segmentation_maps= together with the images: aug(images=.., segmentation_maps=..)")

    augment_keypoints = augment_bounding_boxes = augment_batches = augment_segmentation_maps

    def _augmented(self, images: list, beside: dict[str, list]) -> dict[str, list]:
        points = {name: [_rows(each, width, name) for each in beside[name]] for name, width in _MARKS if name in beside}
        call: dict[str, Any] = {"image": images}
        if "segmentation_maps" in beside:
            call["mask"] = beside["segmentation_maps"]
        if points:
            empty = [np.empty((0, 2))] * len(images)
            corners = [boxes[:, _CORNERS].reshape(-1, 2) for boxes in points.get("bounding_boxes", [])] or empty
            call["keypoints"] = [np.concatenate(each) - 0.5 for each in zip(points.get("keypoints", empty), corners)]
        if self._fixed is not None:
            call["ids"] = np.arange(len(images))
        out = (self._alone or self._made()).forward(**call)
        done = {"images": list(out["image"])}
        if "mask" in call:
            done["segmentation_maps"] = list(out["mask"])
        if points:
            moved = [np.asarray(each, np.float64).reshape(-1, 2)[:, :2] + 0.5 for each in out["keypoints"]]
            count = [len(each) for each in points.get("keypoints", empty)]
            if "keypoints" in points:
                done["keypoints"] = [_like(was, now[:k]) for was, now, k in zip(beside["keypoints"], moved, count)]
            if "bounding_boxes" in points:
                corners = [now[k:].reshape(-1, 4, 2) for now, k in zip(moved, count)]
                boxes = [np.concatenate([each.min(1), each.max(1)], 1) for each in corners]
                done["bounding_boxes"] = [_like(was, now) for was, now in zip(beside["bounding_boxes"], boxes)]
        return done


_MARKS = (("keypoints", 2), ("bounding_boxes", 4))


def _rows(value, width: int, name: str) -> np.ndarray:
    """Rows of numbers as float64 ``[K, width]``."""
    try:
        rows = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        rows = None
    if rows is not None and not rows.size:
        return np.empty((0, width))
    if rows is None or rows.ndim != 2 or rows.shape[1] != width:
        what = f"shape {rows.shape}" if rows is not None else f"{value!r:.60}"
        words = "(x, y)" if width == 2 else "(x1, y1, x2, y2)"
        raise ValueError(f"{name} of an image must be rows of {words}, an array [K, {width}] or a list, got {what}")
    return rows


def _like(was, now: np.ndarray):
    """Rows in the container that they came in: arrays keep a floating type."""
    if isinstance(was, np.ndarray):
        return now.astype(was.dtype if was.dtype.kind == "f" else np.float32)
    return [tuple(row) for row in now.tolist()]

"""albumentations' own objects in a gpuaug pipeline: transforms run on the host, sample by sample; groups become gpuaug's."""

from __future__ import annotations

import copy
from typing import Any

import albumentations as A
import numpy as np
from albumentations.core.bbox_utils import BboxProcessor
from albumentations.core.composition import BaseCompose
from albumentations.core.keypoints_utils import KeypointsProcessor
from albumentations.core.transforms_interface import BasicTransform, DualTransform

from ..checks import probability
from ..groups import OneOf, OneOrOther, RandomOrder, Sequential, SomeOf
from ..own import KINDS
from ..seeding import seed_all
from ..transforms import ToTensorV2
from ..whole import Whole

_STACKED = ("images", "masks")


class Albumentations(Whole, register=False):
    """A transform of albumentations', run by albumentations on the host, for the samples that drew it (docs/own-transforms.md).

    A list of transforms takes albumentations' objects as they are; this is what they become. Whether a sample takes it is drawn
    by the pipeline, with the object's ``p``; what it draws is seeded by the sample. The object is copied.

    Args:
        transform: the object, of albumentations 2.0, or of a class of yours that derives from theirs.
        p: probability, per sample; None: the object's.

    Targets: those of the object. Raises: what it raises, with the sample's number.
    """

    why = "albumentations, sample by sample"

    def __init__(self, transform, p: float | None = None):
        if not isinstance(transform, (BasicTransform, A.SelectiveChannelTransform)):
            raise TypeError(f"transform must be a transform of albumentations, got {transform!r}")
        super().__init__(transform.p if p is None else p)
        self.transform = copy.deepcopy(transform)
        self.transform.p = 1.0

    @property
    def who(self) -> str:
        return f"albumentations.{type(self.transform).__name__}"

    def __repr__(self) -> str:
        return f"Albumentations({self.transform!r}, p={self.p})"

    @property
    def targets(self) -> dict[str, Any]:
        if isinstance(self.transform, BaseCompose):
            return {"image": self.transform}
        return self.transform.targets

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(name for name in self._needed() if name not in KINDS)

    def _needed(self) -> list[str]:
        return list(getattr(self.transform, "targets_as_params", ()))

    @property
    def looks(self) -> bool:
        return bool(set(self._needed()) - set(self.targets))

    def handles(self, kind: str) -> bool:
        return kind in self.targets

    def is_geometric(self) -> bool:
        return "mask" in self.targets

    def moves(self, hook: str) -> bool:
        name = "bboxes" if hook == "boxes" else "keypoints"
        if name not in self.targets:
            return "mask" not in self.targets
        mine = getattr(type(self.transform), f"apply_to_{name}")
        return mine is not getattr(DualTransform, f"apply_to_{name}")

    def masks_by(self, interpolation: int) -> None:
        """Let masks be interpolated so, if it interpolates any."""
        if hasattr(self.transform, "mask_interpolation"):
            self.transform = copy.deepcopy(self.transform)
            self.transform.mask_interpolation = interpolation

    def told(self, limits):
        if isinstance(self.transform, BaseCompose):
            return
        processors = {}
        if "bboxes" in limits:
            mine = limits["bboxes"]
            names = ("min_area", "min_visibility", "min_width", "min_height")
            theirs = A.BboxParams("albumentations", **{name: getattr(mine, name) for name in names})
            processors["bboxes"] = BboxProcessor(theirs)
        if "keypoints" in limits:
            theirs = A.KeypointParams("xyas", remove_invisible=limits["keypoints"].remove_invisible)
            processors["keypoints"] = KeypointsProcessor(theirs)
        self.transform.set_processors(processors)  # dropouts ask them

    def on_sample(self, sample, kinds, seed):
        transform = self.transform
        seed_all(seed)
        transform.set_random_seed(seed)
        plain = not isinstance(transform, BaseCompose)
        if plain:
            other = {name: kind for name, kind in kinds.items() if name != kind and name in sample}
            transform.add_targets({name: kind for name, kind in other.items() if kind in self.targets})
        known = {name: value for name, value in sample.items() if plain or name == "image"}
        for name, value in known.items():
            if kinds.get(name) in _STACKED and isinstance(value, list) and len({np.shape(each) for each in value}) == 1:
                known[name] = np.stack(value)
            elif isinstance(value, np.ndarray):
                known[name] = np.ascontiguousarray(value)
        return sample | transform(force_apply=True, **known), dict(getattr(transform, "params", {}))


def adopted(thing):
    """What a list of gpuaug's transforms holds for an object of albumentations'.

    Raises:
        TypeError: pipelines with params of boxes and keypoints of their own, and those that replay.
    """
    if isinstance(thing, A.ReplayCompose) or (isinstance(thing, A.Compose) and thing.processors):
        raise TypeError(
            f"albumentations.{type(thing).__name__} in a gpuaug pipeline: put its transforms into the list, and bbox_params and "
            f"keypoint_params into the outer Compose"
        )
    if isinstance(thing, A.pytorch.ToTensorV2):
        return ToTensorV2(transpose_mask=thing.transpose_mask, p=thing.p)
    if isinstance(thing, (BasicTransform, A.SelectiveChannelTransform)):
        return Albumentations(thing)
    if not isinstance(thing, BaseCompose):
        return thing
    children, p = [adopted(each) for each in thing.transforms], probability(thing.p)
    for theirs, ours in ((A.RandomOrder, RandomOrder), (A.SomeOf, SomeOf)):
        if isinstance(thing, theirs):
            return ours(children, n=thing.n, replace=thing.replace, p=p)
    for theirs, ours in ((A.OneOf, OneOf), (A.OneOrOther, OneOrOther), (A.Sequential, Sequential), (A.Compose, Sequential)):
        if isinstance(thing, theirs):
            return ours(transforms=children, p=p)
    raise TypeError(
        f"albumentations.{type(thing).__name__} is a group that gpuaug does not know; put its transforms into the list"
    )

"""The same pipeline as other libraries have it, as far as they have it."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from ..compose import Compose
from ..groups import Group
from ..settings import settings

CLASSIC = ("RandomResizedCrop", "Resize", "RandomCrop", "CenterCrop")  # what ends with one size in torchvision, too


class NotThere(ValueError):
    """A library has no such thing; says what."""


def to_albumentations(node: Any):
    """albumentations' transform, group or pipeline of ours, with the same arguments.

    Raises:
        NotThere: a name, or a value other than the default of an argument, that albumentations does not have.
    """
    import albumentations as A

    name = type(node).__name__
    theirs = getattr(A, name, None)
    if theirs is None:
        raise NotThere(f"albumentations has no {name}")
    defaults = inspect.signature(type(node).__init__).parameters
    known = inspect.signature(theirs.__init__).parameters
    given = {}
    for argument, value in settings(node).items():
        if argument == "transforms":
            value = [to_albumentations(each) for each in value]
        elif name == "SomeOf" and argument == "n":
            if value[0] != value[1]:
                raise NotThere(f"albumentations' SomeOf takes one number n, which is {value!r} here")
            value = value[0]
        elif argument in ("bbox_params", "keypoint_params") and value is not None:
            value = to_albumentations(value)
        if argument in known:
            given[argument] = value
        elif argument not in defaults or not _same(value, defaults[argument].default):
            raise NotThere(f"albumentations' {name} has no argument {argument}, which is {value!r} here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return theirs(**given)


def _same(value, default) -> bool:
    return repr(value) == repr(default) or value == default


def to_torchvision(pipeline: Compose):
    """torchvision.transforms.v2's, for tensors; its draws and defaults are its own.

    Raises:
        NotThere: a transform that it has not, or one whose arguments it cannot take.
    """
    from torchvision.transforms import v2

    return v2.Compose([v2.PILToTensor(), *(_in_torchvision(each, v2) for each in pipeline.transforms)])


def _in_torchvision(node, v2):
    import torch

    name, has = type(node).__name__, settings(node)
    if isinstance(node, Group) and not isinstance(node, Compose):
        raise NotThere(f"torchvision has no {name}")
    size = (has.get("height"), has.get("width"))
    made = {
        "RandomResizedCrop": lambda: v2.RandomResizedCrop(has["size"], has["scale"], has["ratio"]),
        "Resize": lambda: v2.Resize(size),
        "RandomCrop": lambda: v2.RandomCrop(size, pad_if_needed=has["pad_if_needed"]),
        "CenterCrop": lambda: v2.CenterCrop(size),
        "HorizontalFlip": lambda: v2.RandomHorizontalFlip(has["p"]),
        "VerticalFlip": lambda: v2.RandomVerticalFlip(has["p"]),
        "InvertImg": lambda: v2.RandomInvert(has["p"]),
        "ColorJitter": lambda: v2.RandomApply(
            [v2.ColorJitter(has["brightness"], has["contrast"], has["saturation"], has["hue"])], has["p"]
        ),
        "RandomBrightnessContrast": lambda: v2.RandomApply(
            [v2.ColorJitter(has["brightness_limit"][1], has["contrast_limit"][1])], has["p"]
        ),
        "ToGray": lambda: v2.RandomGrayscale(has["p"]),
        "GaussianBlur": lambda: v2.RandomApply([v2.GaussianBlur(_odd(has["blur_limit"]), has["sigma_limit"])], has["p"]),
        "ToFloat": lambda: v2.ToDtype(torch.float32, scale=True),
        "Normalize": lambda: v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(has["mean"], has["std"])]),
        "ToTensorV2": v2.Identity,
    }.get(name)
    if made is None:
        raise NotThere(f"torchvision has no {name}")
    return made()


def _odd(limit) -> int:
    largest = max(limit) if isinstance(limit, (tuple, list)) else limit
    return int(largest) | 1 if largest else 5


def to_kornia(pipeline: Compose):
    """(torchvision's transform that makes one size, Kornia's for batches of floats behind it).

    Raises:
        NotThere: a pipeline that does not begin with one size, or a transform that Kornia has not.
    """
    import kornia.augmentation as K
    from torchvision.transforms import v2

    first = pipeline.transforms[0] if pipeline.transforms else None
    if type(first).__name__ not in CLASSIC:
        raise NotThere(f"Kornia works on batches of one size, and this does not begin with one of {', '.join(CLASSIC)}")
    rest = [_in_kornia(each, K) for each in pipeline.transforms[1:] if type(each).__name__ != "ToTensorV2"]
    return v2.Compose([v2.PILToTensor(), _in_torchvision(first, v2)]), K.AugmentationSequential(*rest, data_keys=["input"])


def _in_kornia(node, K):
    import torch

    name, has = type(node).__name__, settings(node)
    made = {
        "HorizontalFlip": lambda: K.RandomHorizontalFlip(p=has["p"]),
        "VerticalFlip": lambda: K.RandomVerticalFlip(p=has["p"]),
        "InvertImg": lambda: K.RandomInvert(p=has["p"]),
        "ToGray": lambda: K.RandomGrayscale(p=has["p"]),
        "ColorJitter": lambda: K.ColorJitter(has["brightness"], has["contrast"], has["saturation"], has["hue"], p=has["p"]),
        "RandomBrightnessContrast": lambda: K.ColorJitter(has["brightness_limit"][1], has["contrast_limit"][1], p=has["p"]),
        "GaussianBlur": lambda: K.RandomGaussianBlur((_odd(has["blur_limit"]),) * 2, _sigma(has["sigma_limit"]), p=has["p"]),
        "Normalize": lambda: K.Normalize(torch.tensor(has["mean"]), torch.tensor(has["std"])),
    }.get(name)
    if made is None:
        raise NotThere(f"Kornia has no {name}" if not isinstance(node, Group) else f"Kornia's pipelines have no {name}")
    return made()


def _sigma(limit) -> tuple[float, float]:
    low, high = limit if isinstance(limit, (tuple, list)) else (limit, limit)
    return (max(float(low), 0.1), max(float(high), 0.1))

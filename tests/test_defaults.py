"""Arguments and defaults are albumentations': every one, but for the differences that are listed here with their reasons."""

from __future__ import annotations

import inspect

import albumentations as A
import parity
import pytest

import gpuaug as G

OLDER = "what albumentations computed before 2.0, and has no new spelling; keyword only, None: not given"
DIFFERENCES = {
    ("GaussNoise", "var_limit"): OLDER,
    ("GaussNoise", "mean"): OLDER,
    ("ElasticTransform", "alpha_affine"): OLDER,
    ("OpticalDistortion", "shift_limit"): OLDER,
    ("TextImage", "font_path"): "ours: None is the font that comes with Pillow; required there",
    **{
        (name, "antialias"): "ours, keyword only: as PIL and torchvision"
        for name in ("Resize", "RandomResizedCrop", "RandomSizedCrop", "RandomScale", "LongestMaxSize", "SmallestMaxSize")
    },
    **{("Resize", name): "ours, keyword only: the size of masks" for name in ("mask_height", "mask_width")},
    **{("Lambda", name): "albumentations 1.x', keyword only" for name in ("keypoint", "bbox")},
    ("Lambda", "on"): "ours: functions of torch tensors, on the device",
    **{
        (name, "read_fn"): "ours: Pillow, theirs OpenCV; the same pixels of PNG"
        for name in ("HistogramMatching", "FDA", "PixelDistributionAdaptation")
    },
    ("Compose", "lazy"): "ours: 2.0.8 has none",
    **{
        ("ReplayCompose", name): "Compose's, keyword only"
        for name in ("strict", "mask_interpolation", "seed", "label_geometry", "lazy")
    },
    ("BboxParams", "bbox_type"): "later than 2.0.8, keyword only: oriented boxes",
    ("BboxParams", "instance_masks"): "ours, keyword only: masks that are dropped with their boxes",
    ("KeypointParams", "label_mapping"): "later than 2.0.8: labels of mirrored points",
    ("Compose", "label_geometry"): "ours: albumentations' keypoints lie beside their pixels after a resize",
}
ONLY_OURS = {
    name for name, about in parity.ABOUT.items() if "albumentations" in str(about.bench) and "has none" in str(about.bench)
}
GROUPS = ("Compose", "OneOf", "SomeOf", "RandomOrder", "ReplayCompose", "Sequential", "OneOrOther")
NAMES = sorted([*G.REGISTRY, *GROUPS, "BboxParams", "KeypointParams"])
MISSING = object()


def arguments(cls) -> dict:
    found = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p for p in found if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


def default(found: dict, name: str):
    return found[name].default if name in found else MISSING


def test_groups_are_all_there():
    found = {name for name, cls in vars(G).items() if isinstance(cls, type) and issubclass(cls, G.groups.Group)}
    assert set(GROUPS) == found - {"BaseCompose"}  # `Group` by albumentations' name, once somebody has asked for it


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_albumentations(name):
    assert hasattr(A, name) != (name in ONLY_OURS), f"say in about({name!r}, bench=..) whether 'no: albumentations has none'"
    if name in ONLY_OURS:
        return
    ours, theirs = arguments(getattr(G, name)), arguments(getattr(A, name))
    differ = {
        (name, argument)
        for argument in ours.keys() | theirs.keys()
        if default(ours, argument) is not default(theirs, argument) and default(ours, argument) != default(theirs, argument)
    }
    assert differ == {key for key in DIFFERENCES if key[0] == name}
    by_place = [n for n, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert by_place == [n for n in theirs if n in ours], "what is passed by place means the same"


def test_the_list_is_of_what_is_there():
    assert {name for name, _ in DIFFERENCES} | set(ONLY_OURS) <= set(NAMES)


def test_a_random_turn_by_quarters_is_always_taken():
    assert G.RandomRotate90().p == A.RandomRotate90().p == 1

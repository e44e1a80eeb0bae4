"""Every name of albumentations, torchvision, Kornia and imgaug, and what there is for it here."""

from __future__ import annotations

import inspect
import re
from typing import Any

import gpuaug

from .imgaug_names import MISSING, NAMES, NEAREST
from .transforms import ours

PAGES = frozenset(ours())
OURS, PART, HOST, NEAR, NOT = "ours", "ours, partly on the host", "ours, on the host", "nearest", "missing"
HERE = (OURS, PART, HOST)

HOSTED = {
    "ImageCompression": "a codec",
    "Lambda": "your function",
    "Superpixels": "scikit-image",
    "TextImage": "Pillow",
}
"""What makes the pixels of a transform on the host, in the processor's threads."""

INPAINTED: tuple[dict[str, Any], str] = ({"fill": "inpaint_telea"}, "`fill='inpaint_telea'` and `'inpaint_ns'` on the host")
PARTLY: dict[str, tuple[dict[str, Any], str]] = {
    "Equalize": ({"mask": lambda image: image[..., 0]}, "with a `mask` on the host"),
    "GlassBlur": ({"mode": "exact"}, "`mode='exact'` on the host"),
    "HEStain": ({"method": "macenko"}, "`method='macenko'` and `'vahadane'` on the host"),
    "ToGray": ({"method": "average"}, "of other channels than 1 or 3 on the host"),
    **dict.fromkeys(
        ("CoarseDropout", "ConstrainedCoarseDropout", "Erasing", "GridDropout", "MaskDropout", "XYMasking"), INPAINTED
    ),
}
"""Those of which a part is made on the host: arguments that lead there, and in words."""


def place(name: str) -> tuple[str, str]:
    """(state, remark) of a transform of ours: where its pixels are made."""
    if name in HOSTED:
        return HOST, HOSTED[name]
    return (PART, PARTLY[name][1]) if name in PARTLY else (OURS, "")


def albumentations() -> dict[str, tuple[str, str]]:
    """{name: (state, remark)}."""
    import albumentations as A
    from albumentations.core.composition import BaseCompose
    from albumentations.core.transforms_interface import BasicTransform

    skipped = {"BasicTransform", "DualTransform", "ImageOnlyTransform", "Transform3D", "BaseCompose"}
    found = {}
    for name in sorted(set(dir(A)) - skipped):
        theirs = getattr(A, name)
        if not (inspect.isclass(theirs) and issubclass(theirs, (BasicTransform, BaseCompose))):
            continue
        if name in gpuaug.REGISTRY:
            found[name] = place(name)
        else:
            found[name] = (OURS if hasattr(gpuaug, name) else NOT, "")
    return found


def torchvision() -> dict[str, tuple[str, str]]:
    """Classes of torchvision.transforms.v2."""
    from torchvision.transforms import v2

    from gpuaug import vision

    there = {"MixUp": "`gpuaug.data.MixUp`, for the loader's `mix`", "CutMix": "`gpuaug.data.CutMix`, for the loader's `mix`"}
    why = {
        "FiveCrop": "makes five images of one",
        "TenCrop": "makes ten images of one",
        "LinearTransformation": "a matrix over all pixels: called in its place, on the host",
        "Transform": "the base class: a subclass of yours is called in its place, on the host",
        "UniformTemporalSubsample": "choose frames in the dataset",
        "ClampBoundingBoxes": "boxes are clipped by `BboxParams(clip=True)`",
        "ClampKeyPoints": "points outside are dropped by `KeypointParams(remove_invisible=True)`",
        "ConvertBoundingBoxFormat": "`BboxParams(format=..)` says how boxes are written",
        "SanitizeKeyPoints": "`KeypointParams(remove_invisible=True)`",
        "SetClampingMode": "boxes are clipped by `BboxParams(clip=True)`",
    }
    found = {}
    for name in sorted(name for name in dir(v2) if inspect.isclass(getattr(v2, name)) and name[0].isupper()):
        if name in vision.__all__:
            found[name] = (OURS, f"`gpuaug.vision.{name}`")
        else:
            found[name] = (OURS, there[name]) if name in there else (NOT, why[name])
    return found


def kornia() -> dict[str, tuple[str, str]]:
    """Augmentations of kornia.augmentation."""
    import kornia.augmentation as K
    import torch

    from gpuaug.interop import converted_kornia
    from gpuaug.interop import kornia as wrapped

    equal = {cls.__name__ for cls in converted_kornia._EQUAL}
    found = {}
    for name in sorted(dir(K)):
        theirs = getattr(K, name)
        if not inspect.isclass(theirs) or not issubclass(theirs, torch.nn.Module) or re.search("Base[23]D|BaseV2|Dispat", name):
            continue
        families = [why for base, why in wrapped.FAMILIES if issubclass(theirs, base)]
        if name.endswith("Sequential"):
            found[name] = (NEAR, "`gpuaug.Compose`; `gpuaug.from_kornia` reads AugmentationSequential")
        elif name in equal:
            found[name] = (OURS, "converted by `gpuaug.from_kornia`")
        elif name in wrapped.REFUSED or families:
            found[name] = (NOT, [*families, wrapped.REFUSED.get(name, "")][0])
        else:
            remark = converted_kornia._INSTEAD.get(name, "")
            found[name] = (NEAR, f"Kornia runs it, `from_kornia(.., unsupported='wrap')`{'; ' if remark else ''}{remark}")
    return found


def imgaug() -> dict[str, tuple[str, str]]:
    """Augmenters of imgaug 0.4.0."""
    import gpuaug.interop.imgaug as iaa

    there = {name for name in dir(iaa) if name[0].isupper()}
    return {
        name: (OURS, f"`gpuaug.interop.imgaug.{name}`")
        if name in there
        else (NEAR, NEAREST[name])
        if name in NEAREST
        else (NOT, MISSING[name])
        for name in NAMES
    }


LIBRARIES = {
    "albumentations": (albumentations, "2.0.8"),
    "torchvision.transforms.v2": (torchvision, ""),
    "kornia.augmentation": (kornia, ""),
    "imgaug": (imgaug, "0.4.0"),
}


_HEAD = """Every name of four libraries, and what there is for it here. *Nearest*: another transform does nearly the same, or the
library's own is called in its place."""


def pages() -> dict[str, str]:
    lines = ["# Coverage", "", _HEAD, "", "| library | names | ours | nearest | missing |", "|---|---:|---:|---:|---:|"]
    tables = {}
    for library, (names, version) in LIBRARIES.items():
        found = tables[library] = names()
        version = version or _version(library.split(".")[0])
        count = {state: sum(each == state for each, _ in found.values()) for state in (*HERE, NEAR, NOT)}
        ours = sum(count[state] for state in HERE)
        lines.append(f"| {library} {version} | {len(found)} | {ours} | {count[NEAR]} | {count[NOT]} |")
    lines.append("")
    for library, found in tables.items():
        lines += [f"## {library}", "", "| name | here | remark |", "|---|---|---|"]
        for name, (state, remark) in found.items():
            linked = f"[{name}](transforms/{name}.md)" if library == "albumentations" and name in PAGES else name
            lines.append(f"| {linked} | {state} | {remark} |")
        lines.append("")
    return {"coverage.md": "\n".join(lines)}


def _version(package: str) -> str:
    import importlib.metadata

    return importlib.metadata.version(package).split("+")[0]

"""Writes README's lists of transforms from the registry, and from `gpuaug.spellings` the tables of docs/swap-in.md and the stubs
of albumentations' modules: `python docs/generate.py`; tests/test_docs.py sees that it was done."""

from __future__ import annotations

import itertools
import re
import textwrap
from pathlib import Path

import gpuaug
from gpuaug.former import FORMER
from gpuaug.names import ARGUMENTS
from gpuaug.spellings import SPELLINGS, modules

README = Path(__file__).resolve().parents[1] / "README.md"
PACKAGE = Path(gpuaug.__file__).parent
SWAP_IN = Path(__file__).resolve().parent / "swap-in.md"

# albumentations' transforms, there or not, as README lists them; our own stand with those of their module
FAMILIES = {
    "geometry": """
        Affine ShiftScaleRotate Rotate SafeRotate HorizontalFlip VerticalFlip Transpose RandomRotate90 D4 SquareSymmetry
        Perspective ElasticTransform GridDistortion OpticalDistortion GridElasticDeform PiecewiseAffine ThinPlateSpline
        RandomGridShuffle Morphological ChromaticAberration""",
    "sizes": """
        Resize RandomScale LongestMaxSize SmallestMaxSize RandomResizedCrop RandomSizedCrop RandomCrop CenterCrop Crop CropAndPad
        RandomCropFromBorders Pad PadIfNeeded Downscale""",
    "crops by labels": """
        AtLeastOneBBoxRandomCrop BBoxSafeRandomCrop CropNonEmptyMaskIfExists RandomCropNearBBox RandomSizedBBoxSafeCrop""",
    "colour": """
        RandomBrightnessContrast HueSaturationValue ColorJitter RandomGamma CLAHE Equalize AutoContrast RGBShift ChannelShuffle
        ToGray ToRGB ToSepia InvertImg Solarize Posterize RandomToneCurve FancyPCA HEStain PlanckianJitter Illumination
        Normalize FromFloat ToFloat ToTensorV2""",
    "blur, noise, quality": """
        Blur GaussianBlur MedianBlur MotionBlur AdvancedBlur Defocus GlassBlur ZoomBlur Sharpen UnsharpMask Emboss
        RingingOvershoot
        GaussNoise ISONoise AdditiveNoise MultiplicativeNoise SaltAndPepper ShotNoise ImageCompression Superpixels""",
    "dropout": """
        CoarseDropout ConstrainedCoarseDropout Erasing GridDropout PixelDropout ChannelDropout MaskDropout XYMasking TimeMasking
        FrequencyMasking TimeReverse""",
    "weather and textures": """
        RandomFog RandomRain RandomSnow RandomShadow RandomSunFlare RandomGravel Spatter PlasmaBrightnessContrast PlasmaShadow""",
    "with other images": "Mosaic OverlayElements HistogramMatching FDA PixelDistributionAdaptation TextImage",
    "volumes": "CenterCrop3D CoarseDropout3D CubicSymmetry Pad3D PadIfNeeded3D RandomCrop3D ToTensor3D",
    "your own": "Lambda",
    "groups": "Compose OneOf SomeOf OneOrOther RandomOrder Sequential SelectiveChannelTransform ReplayCompose NoOp",
}
OTHERS = {"BboxParams", "KeypointParams"}  # names of albumentations that are no transforms


def listed(families: dict[str, list[str]]) -> str:
    lines = []
    for family, names in families.items():
        lines += textwrap.wrap(f"- {family}: {', '.join(names)}", 130, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines)


def _beside(name: str, families: dict[str, list[str]]) -> str:
    """The family of most of the transforms in the module of one that none of them names."""
    module = gpuaug.REGISTRY[name].__module__
    mine = {other for other, cls in gpuaug.REGISTRY.items() if cls.__module__ == module}
    best = max(families, key=lambda family: len(mine & set(families[family])))
    if not mine & set(families[best]):
        raise SystemExit(f"docs/generate.py: put {name} into one of FAMILIES: {module} has none that is")
    return best


def sorted_out() -> tuple[dict, dict, int, int]:
    """Names that there are and that are missing, by family; how many of albumentations' there are, and how many it has."""
    families = {family: names.split() for family, names in FAMILIES.items()}
    known = {name for names in families.values() for name in names}
    for name in sorted(set(gpuaug.REGISTRY) - known):
        families[_beside(name, families)].append(name)
    homeless = set(ARGUMENTS) - known - OTHERS
    if homeless:
        raise SystemExit(f"docs/generate.py: put {', '.join(sorted(homeless))} into one of FAMILIES")
    there = {family: [n for n in names if hasattr(gpuaug, n)] for family, names in families.items()}
    missing = {family: [n for n in names if not hasattr(gpuaug, n) and n in ARGUMENTS] for family, names in families.items()}
    groups = set(families["groups"]) - {"NoOp"}  # a transform that stands among them
    transforms = [n for names in families.values() for n in names if n in ARGUMENTS and n not in groups]
    return (
        {family: names for family, names in there.items() if names},
        {family: names for family, names in missing.items() if names},
        sum(hasattr(gpuaug, n) for n in transforms),
        len(transforms),
    )


def filled(text: str) -> str:
    """README with its lists made anew."""
    there, missing, count, total = sorted_out()
    lacks = f" Missing are\n\n{listed(missing)}" if missing else ""
    parts = {
        "there": listed(there),
        "missing": f"**Transforms of albumentations 2.0.8**: {count} of {total} are there.{lacks}",
    }
    return _between(text, "registry", parts)


def swapped(text: str) -> str:
    """docs/swap-in.md with its tables made anew."""
    arguments = ["| transform | was | is | albumentations | beside it |", "|---|---|---|---|---|"]
    for name, olds in SPELLINGS.items():
        for (versions, beside), alike in itertools.groupby(olds, _remarks):
            alike = list(alike)
            was = ", ".join(f"`{one}`" for old in alike for one in old.names)
            now = ["left out" if not old.new else "as it is" if (old.new,) == old.names else f"`{old.new}`" for old in alike]
            arguments.append(f"| {name} | {was} | {', '.join(dict.fromkeys(now))} | {versions} | {beside} |")
    names = ["| was | is | albumentations |", "|---|---|---|"]
    names += [f"| {name} | `{now}` | {versions} |" for name, (versions, now) in FORMER.items()]
    return _between(text, "swap-in", {"arguments": "\n".join(arguments), "names": "\n".join(names)})


def _remarks(old) -> tuple[str, str]:
    then = [f"`{argument}={value!r}`" for argument, value in old.then.items()]
    return old.versions, "; ".join([*then, *([old.note] if old.note else [])])


def _between(text: str, kind: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        marks = f"<!-- {kind}:{name} -->", f"<!-- /{kind}:{name} -->"
        text = re.sub(f"{marks[0]}.*{marks[1]}", lambda _, m=marks, p=part: f"{m[0]}\n\n{p}\n\n{m[1]}", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
    for path, stub in modules.stubs().items():
        (PACKAGE / path).parent.mkdir(parents=True, exist_ok=True)
        (PACKAGE / path).write_text(stub, encoding="utf-8")
    SWAP_IN.write_text(swapped(SWAP_IN.read_text(encoding="utf-8")), encoding="utf-8")

"""Where albumentations keeps its names: modules of all its releases, each of which holds all that gpuaug has.

Only the package's name has to be changed in an import line, ``from albumentations.core.composition import Compose`` becoming
``from gpuaug.core.composition import Compose``. Which module holds which name has changed from release to release, so none is
searched for there; the modules are made when they are imported.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from types import ModuleType

from ..names import unknown
from . import kinds

OURS = "gpuaug"
# packages, and what they hold, in albumentations 0.1 to 2.0.8
MODULES = {
    "augmentations": "blur crops domain_adaptation dropout geometric mixing other pixel spectrogram text transforms transforms3d",
    "augmentations.blur": "transforms",
    "augmentations.crops": "transforms",
    "augmentations.domain_adaptation": "transforms",
    "augmentations.dropout": (
        "channel_dropout coarse_dropout cutout grid_dropout mask_dropout overlay_elements transforms xy_masking"
    ),
    "augmentations.geometric": "distortion flip pad resize rotate transforms",
    "augmentations.mixing": "domain_adaptation transforms",
    "augmentations.other": "lambda_transform type_transform",
    "augmentations.pixel": "transforms",
    "augmentations.spectrogram": "transform",
    "augmentations.text": "transforms",
    "augmentations.transforms3d": "transforms",
    "core": "composition serialization transforms_interface type_definitions types utils",
    "imgaug": "transforms",
    "pytorch": "transforms",
    "torch": "transforms",
}
# modules of functions on single arrays, and of its own workings: gpuaug has none of them
OTHERS = {
    *("augmentations.functional", "augmentations.utils", "augmentations.bbox_utils", "augmentations.keypoints_utils"),
    *("core.bbox_utils", "core.keypoints_utils", "pytorch.functional", "torch.functional", "random_utils"),
    *("core.hub_mixin", "core.label_manager", "core.pydantic", "core.six", "core.validation", "imgaug.stubs"),
    *(f"{name}.functional" for name in MODULES if name.startswith("augmentations.")),
    "augmentations.mixing.domain_adaptation_functional",
}
OUTERMOST = tuple(name for name in MODULES if "." not in name)
_NAMES = {*MODULES, *(f"{package}.{each}" for package, inside in MODULES.items() for each in inside.split())}


def _why_not(name: str) -> str:
    """Why a module of albumentations' is not made; "": it is none."""
    if name not in OTHERS:
        return ""
    return (
        f"{OURS} has no module {name}: albumentations' functions on single arrays and its own workings are not part of it; "
        f"leave that line as it was, import albumentations.{name}"
    )


class _Hints(importlib.abc.MetaPathFinder):
    """Asked when no finder knows a module: ``from gpuaug import X`` looks for one where there is no name X."""

    def find_spec(self, fullname: str, path=None, target=None):
        package, _, name = fullname.partition(".")
        inside, _, last = name.rpartition(".")
        if package == OURS and (not inside or inside in _NAMES):
            hint = unknown(last, sys.modules[OURS].__all__)
            if hint:
                # without name=, by which Python would know that it is about this module, and say in its own words: there is none
                raise ModuleNotFoundError(f"cannot import name {last!r} from {package}{'.' * bool(inside)}{inside}{hint}")
        return None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname: str, path=None, target=None):
        package, _, name = fullname.partition(".")
        if package != OURS:
            return None
        if name in _NAMES:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if why := _why_not(name):
            raise ModuleNotFoundError(why)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module: ModuleType) -> None:
        ours, inside = sys.modules[OURS], module.__name__.removeprefix(f"{OURS}.")

        def find(name: str):
            if f"{inside}.{name}" in _NAMES:
                return importlib.import_module(f"{module.__name__}.{name}")
            if f"{inside}.{name}" in OTHERS:
                raise AttributeError(_why_not(f"{inside}.{name}"))
            if name.startswith("__"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            if name == "BaseTransformInitSchema":
                return ours.BasicTransform.InitSchema
            return getattr(kinds if name in kinds.__all__ else ours, name)

        module.__doc__ = f"albumentations' ``{inside}``: it holds what ``{OURS}`` does."
        module.__all__ = list(ours.__all__)
        module.__getattr__ = find
        module.__dir__ = lambda: sorted({*module.__all__, *MODULES.get(inside, "").split()})


def stubs() -> dict[str, str]:
    """What tells editors and type checkers of these modules, by paths in the package; docs/generate.py writes the files."""
    found = {}
    for name in sorted(_NAMES):
        path = name.replace(".", "/")
        types = "from gpuaug.spellings.kinds import *\n" if name.startswith("core") else ""
        text = f"# ruff: noqa: F403\nfrom gpuaug import *\nfrom gpuaug.former import *\n{types}from gpuaug.transforms import *\n"
        found[f"{path}/__init__.pyi" if name in MODULES else f"{path}.pyi"] = text
    return found


def install() -> None:
    """Let Python import them. Before all other finders, to which folders of stubs look like packages; what hints comes last."""
    if not any(type(finder) is _Finder for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        sys.meta_path.append(_Hints())

"""What the package answers to names: its modules, names of albumentations that it lacks, misspelled ones."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import pkgutil
import re
import runpy
import subprocess
import sys
from pathlib import Path

import albumentations as A
import numpy as np
import pytest
from albumentations.core.composition import BaseCompose
from albumentations.core.transforms_interface import BasicTransform
from albumentations.core.utils import to_tuple

import gpuaug as G
from gpuaug import names
from gpuaug.spellings import modules

BASES = {"BasicTransform", "DualTransform", "ImageOnlyTransform", "Transform3D", "BaseCompose"}


def test_the_list_is_albumentations():
    theirs = {}
    for name in sorted(set(dir(A)) - BASES):
        cls = getattr(A, name)
        marks = name in ("BboxParams", "KeypointParams")
        if inspect.isclass(cls) and (issubclass(cls, (BasicTransform, BaseCompose)) or marks):
            theirs[name] = [p for p in inspect.signature(cls.__init__).parameters if p not in ("self", "args", "kwargs")]
    assert {name: arguments.split() for name, arguments in names.ARGUMENTS.items()} == theirs


@pytest.mark.parametrize("name", sorted(set(names.ARGUMENTS) - set(G.__all__)))
def test_what_is_not_built_yet_is_said_so(name):
    with pytest.raises(AttributeError, match=f"no attribute '{name}': albumentations 2.0.8 has it, gpuaug does not yet"):
        getattr(G, name)


def test_the_readme_lists_what_is_missing():
    """Every class, and every argument of those that are there; nothing that is there."""
    text = (Path(__file__).parent.parent / "README.md").read_text().partition("## What does not work yet")[2]
    words = set(re.findall(r"\w+", text))
    missing = set(names.ARGUMENTS) - set(G.__all__)
    assert missing <= words
    listed = set(re.findall(r"\w+", text.partition("**Arguments**")[0].partition("Missing are")[2]))
    assert not listed & set(G.__all__)
    for name in set(names.ARGUMENTS) & set(G.__all__):
        lacks = set(names.ARGUMENTS[name].split()) - set(inspect.signature(getattr(G, name)).parameters)
        assert lacks <= words, name
    marks = {"BboxParams", "KeypointParams"}
    groups = {name for name in names.ARGUMENTS if name in dir(A) and issubclass(getattr(A, name), BaseCompose)}
    transforms = set(names.ARGUMENTS) - marks - groups
    assert f"{len(transforms & set(G.__all__))} of {len(transforms)} are there" in text


@pytest.mark.parametrize(("name", "words"), [
    ("HorizontalFilp", "did you mean 'HorizontalFlip'"),
    ("CoarseDropOut", "did you mean 'CoarseDropout'"),
    ("SelectiveChannelTransfor", "did you mean 'SelectiveChannelTransform'"), ("Composee", "did you mean 'Compose'"),
])  # fmt: skip
def test_the_nearest_name(name, words):
    with pytest.raises(AttributeError, match=words):
        getattr(G, name)


@pytest.mark.parametrize("name", ["MixUp", "PerChannel", "TemplateTransform"])
def test_what_albumentations_had_before_2(name):
    with pytest.raises(AttributeError, match=f"no attribute '{name}': albumentations before 2.0 had it; "):
        getattr(G, name)


# ---- import lines ------------------------------------------------------------------------------------------------------


def test_every_module_of_albumentations_is_there_or_says_why_not():
    """The oracle is the installed albumentations: its modules, and the classes that each of them lists."""
    for info in pkgutil.walk_packages(A.__path__, "albumentations."):
        inside = info.name.removeprefix("albumentations.")
        if inside == "check_version":
            continue
        if inside in modules.OTHERS:
            with pytest.raises(ModuleNotFoundError, match=rf"{inside}: .* leave that line as it was, import {info.name}$"):
                importlib.import_module(f"gpuaug.{inside}")
            continue
        ours, theirs = importlib.import_module(f"gpuaug.{inside}"), importlib.import_module(info.name)
        for name in getattr(theirs, "__all__", ()):
            if inspect.isclass(getattr(theirs, name)) and name in names.ARGUMENTS and name in G.__all__:
                assert getattr(ours, name) is getattr(G, name)


# as they stand in public projects
LINES = [
    ("import gpuaug.pytorch as ATorch", "ATorch.ToTensorV2", "ToTensorV2"),
    ("import gpuaug.pytorch", "gpuaug.pytorch.ToTensor", "ToTensor"),
    ("from gpuaug.pytorch.transforms import ToTensorV2", "ToTensorV2", "ToTensorV2"),
    ("from gpuaug.augmentations import transforms", "transforms.Lambda", "Lambda"),
    ("from gpuaug.augmentations import blur", "blur.transforms.GaussianBlur", "GaussianBlur"),
    ("import gpuaug.augmentations.geometric.transforms as gt", "gt.ElasticTransform", "ElasticTransform"),
    ("from gpuaug.augmentations.crops.transforms import RandomSizedBBoxSafeCrop as C", "C", "RandomSizedBBoxSafeCrop"),
    ("from gpuaug.augmentations.dropout.cutout import Cutout", "Cutout", "Cutout"),
    ("from gpuaug.core.composition import BaseCompose", "BaseCompose", "BaseCompose"),
    ("from gpuaug.core.composition import BboxParams, Compose, OneOf", "BboxParams", "BboxParams"),
    ("from gpuaug.core.transforms_interface import BasicTransform, to_tuple", "to_tuple", "to_tuple"),
    ("from gpuaug.core.transforms_interface import *", "DualTransform", "DualTransform"),
    ("from gpuaug.core.serialization import from_dict", "from_dict", "from_dict"),
    ("from gpuaug.imgaug.transforms import IAASharpen", "IAASharpen", "IAASharpen"),
    ("from gpuaug.torch import ToTensor", "ToTensor", "ToTensor"),
    ("from gpuaug.augmentations.domain_adaptation.transforms import FDA", "FDA", "FDA"),
    ("import gpuaug", "gpuaug.augmentations.crops.transforms.RandomCrop", "RandomCrop"),
    ("import gpuaug as A", "A.pytorch.transforms.ToTensorV2", "ToTensorV2"),
]


@pytest.mark.parametrize(("line", "what", "name"), LINES)
def test_import_lines(line, what, name):
    found: dict = {}
    exec(line, found)
    assert eval(what, found) is getattr(G, name)


def test_an_import_line_may_be_the_first_of_its_program():
    env = {**os.environ, "PYTHONPATH": str(Path(G.__file__).parent.parent)}
    first = [sys.executable, "-c", "from gpuaug.core.composition import Compose; Compose([])"]
    subprocess.run(first, env=env, timeout=300, check=True, capture_output=True)


STARS = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("albumentations", "cupy", "cv2", "kornia", "nvidia", "torchaudio", "torchvision", "yaml"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from gpuaug import *
from gpuaug.core.composition import *
from gpuaug.augmentations.transforms import *
from gpuaug.pytorch import *
Compose([HorizontalFlip(), IAASharpen(), ToTensorV2()]), DataLoader
"""


def test_all_names_at_once_need_no_package():
    """``from albumentations import *`` is how many began; it must not bring in, or miss, what few of the names need."""
    env = {**os.environ, "PYTHONPATH": str(Path(G.__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", STARS], env=env, timeout=300, check=True)
    assert {"from_kornia", "from_torchvision"} <= set(dir(G))


@pytest.mark.parametrize(("line", "error", "words"), [
    ("from gpuaug import HorizontalFlp", ImportError, "'HorizontalFlp' from gpuaug; did you mean 'HorizontalFlip'"),
    ("from gpuaug.augmentations.transforms import RandomFogg", ImportError, "'RandomFogg' from .*did you mean 'RandomFog'"),
    ("from gpuaug import PerChannel", ImportError, "albumentations before 2.0 had it; let SelectiveChannelTransform work"),
    ("import gpuaug.augmentations.functional as F", ModuleNotFoundError, "import albumentations.augmentations.functional$"),
    ("from gpuaug.augmentations import functional", ModuleNotFoundError, "import albumentations.augmentations.functional$"),
    ("from gpuaug.core.bbox_utils import normalize_bbox", ModuleNotFoundError, "import albumentations.core.bbox_utils$"),
    ("import gpuaug.zzzzzz", ModuleNotFoundError, "^No module named 'gpuaug.zzzzzz'$"),
    ("import gpuaug; gpuaug.core.composition.Compos", AttributeError, "did you mean 'Compose'"),
])  # fmt: skip
def test_import_lines_that_cannot_be(line, error, words):
    with pytest.raises(error, match=words):
        exec(line, {})


OWN = """
from gpuaug.core.transforms_interface import BaseTransformInitSchema, BoxInternalType, ImageOnlyTransform, ScaleFloatType
from gpuaug.core.types import ALL_TARGETS, ColorType, ScaleIntType, Targets

class Darker(ImageOnlyTransform):
    _targets = (Targets.IMAGE,)

    class InitSchema(BaseTransformInitSchema):
        by: ScaleIntType

    def __init__(self, by: ScaleIntType = 3, always_apply=None, p: float = 0.5):
        super().__init__(p=p, always_apply=always_apply)
        self.by = by

    def apply(self, img, **params):
        return img - self.by
"""


def test_types_of_ones_own_transforms(tmp_path):
    """As they stand in public projects; the names were read in the sources of 1.3.1 and 1.4.24."""
    (tmp_path / "theirs.py").write_text(OWN)
    darker = runpy.run_path(str(tmp_path / "theirs.py"))["Darker"]
    assert G.Compose([darker(2, p=1)])(np.full((2, 2), 9, np.uint8)).tolist() == [[7, 7], [7, 7]]


def test_modules_whose_names_are_near_those_of_transforms():
    """Each alone in a fresh process, those that ``import gpuaug`` does not load."""
    package = Path(G.__file__).parent
    code = """import importlib, sys, gpuaug
for name in sys.argv[1:]:
    sys.modules.pop(f"gpuaug.{name}", None)
    importlib.util.find_spec(f"gpuaug.{name}").name
"""
    env = {**os.environ, "PYTHONPATH": str(package.parent)}
    names = [path.stem for path in package.glob("*.py") if path.stem != "__init__"]
    assert {"transform", "compose", "functional"} <= set(names)
    subprocess.run([sys.executable, "-c", code, *names], env=env, timeout=300, check=True)


def test_those_modules_list_what_there_is():
    assert set(G.core.composition.__all__) == set(G.__all__)
    assert {"transforms", "crops", "HorizontalFlip"} <= set(dir(G.augmentations))
    assert not hasattr(G.core, "__wrapped__")
    assert importlib.util.find_spec("gpuaug.zzzzzz") is None


@pytest.mark.parametrize("arguments", [(3,), (2.5, 1), (0.5, 1), ((1, 2),), ([3, 4], None, 1), (3, None, 1), (-2, 5)])
def test_to_tuple(arguments):
    """The oracle is albumentations'."""
    assert G.to_tuple(*arguments) == to_tuple(*arguments)
    assert G.to_tuple(None) is None  # as 1.x' did


@pytest.mark.parametrize("arguments", [(3, 1, 1), ((1, 2, 3),), ("ab",), ({},)])
def test_to_tuple_refuses(arguments):
    with pytest.raises(ValueError, match="to_tuple"):
        G.to_tuple(*arguments)


def test_images_are_read_as_albumentations_reads_them(tmp_path):
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8))
    for name in ("read_rgb_image", "read_bgr_image", "read_grayscale"):
        np.testing.assert_array_equal(getattr(G, name)(path), getattr(A, name)(path))
        with pytest.raises(OSError, match=r"nothing\.png is not there"):
            getattr(G, name)(tmp_path / "nothing.png")


def test_groups_of_ones_own_that_would_not_be_called():
    assert isinstance(G.OneOf([G.NoOp()]), G.BaseCompose)
    assert isinstance(G.Compose([]), G.BaseCompose)
    with pytest.raises(TypeError, match="Twice has a __call__ of its own, which a pipeline does not call"):

        class Twice(G.BaseCompose):
            def __call__(self, **data):
                return data


def test_names_that_python_asks_for_are_answered_briefly():
    assert not hasattr(G, "__path_of_nothing__")
    with pytest.raises(AttributeError, match=r"^module 'gpuaug' has no attribute 'zzzzzz'$"):
        G.zzzzzz  # noqa: B018
    with pytest.raises(AttributeError, match="it has albumentations, dali, imgaug, kornia, lightning, parity, ray, torchvision"):
        G.interop.jax  # noqa: B018


@pytest.mark.parametrize("what", ["audio.SpecAugment", "data.ImageFolder", "interop.lightning.DataModule", "DataLoader"])
def test_modules_come_when_they_are_asked_for(what):
    """In a fresh process: another test may have imported them. None of them is loaded before."""
    code = f"""import sys, gpuaug
assert not {{m for m in sys.modules if m.startswith(("gpuaug.audio", "gpuaug.data", "gpuaug.interop", "albumentations"))}}
assert {{"audio", "data", "interop"}} < set(dir(gpuaug))
print(gpuaug.{what}.__name__)"""
    env = {**os.environ, "PYTHONPATH": str(Path(G.__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=300, check=True)
    assert done.stdout.strip() == what.rpartition(".")[2]

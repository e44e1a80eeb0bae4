"""Arguments are annotated, and the annotations hold: for readers, and for mypy, which finds ``py.typed``."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import gpuaug as G
import gpuaug.audio
import gpuaug.data
import gpuaug.functional
import gpuaug.vision
from gpuaug.settings import settings
from tests import parity

ROOT = Path(__file__).resolve().parents[1]
MODULES = (G, gpuaug.audio, gpuaug.data, gpuaug.functional, gpuaug.vision)
# what they return is said for what people call; transforms' hooks (draw, lower, ..) are described in gpuaug.Transform
HOOKS = G.Transform


def public():
    """{where: function} of all that is imported by its name, and the methods of classes that are no transforms."""
    found = {}
    for module in MODULES:
        for name in getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]:
            thing = getattr(module, name)
            if not getattr(thing, "__module__", "").startswith("gpuaug"):
                continue
            where = f"{thing.__module__}.{name}"
            if inspect.isfunction(thing):
                found[where] = thing
            elif isinstance(thing, type):
                if inspect.isfunction(vars(thing).get("__init__")) and name != "Batch":  # which is made by Batch.of
                    found[f"{where}.__init__"] = thing.__init__
                if not issubclass(thing, HOOKS) and name not in ("Drawn", "Track"):
                    methods = {n: f for n, f in vars(thing).items() if inspect.isfunction(f) and not n.startswith("_")}
                    found |= {f"{where}.{n}": f for n, f in methods.items()}
    return found


def test_every_argument_has_a_type():
    missing = [
        f"{where}({p.name})"
        for where, function in public().items()
        for p in inspect.signature(function).parameters.values()
        if p.annotation is p.empty and p.name not in ("self", "cls")
    ]
    assert not missing


def test_what_functions_return_has_a_type():
    missing = [
        w for w, f in public().items() if not w.endswith("__init__") and inspect.signature(f).return_annotation is inspect._empty
    ]
    assert not missing


@pytest.mark.parametrize("name", sorted(G.REGISTRY))
def test_annotations_hold(name):
    """For the arguments of all cases of parity; pydantic is the judge."""
    pydantic = pytest.importorskip("pydantic")
    hints = typing.get_type_hints(inspect.unwrap(G.REGISTRY[name].__init__))
    cases = [case.ours for case in parity.CASES if type(case.ours).__name__ == name]
    for transform in [*cases, *([G.REGISTRY[name](**parity.ABOUT[name].arguments)] if name in parity.ABOUT else [])]:
        for argument, value in settings(transform).items():
            adapter = pydantic.TypeAdapter(hints[argument], config={"arbitrary_types_allowed": True})
            adapter.validate_python(value)


USAGE = """
import numpy as np
import torch

import gpuaug as A
from gpuaug import vision

image = np.zeros((8, 8, 3), np.uint8)
compose = A.Compose(
    [
        A.OneOf([A.HorizontalFlip(p=1.0), A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=(-0.1, 0.3))], p=0.5),
        A.Affine(rotate=(-10, 10), scale={"x": (0.9, 1.1), "y": 1.0}),
        vision.RandomRotation(10, interpolation="bilinear", fill=(1, 2, 3)),
        A.CoarseDropout(num_holes_range=(1, 3), fill="random"),
        A.Normalize(),
    ],
    bbox_params=A.BboxParams("coco", label_fields=["labels"]),
    seed=1,
)
out = compose(image=image)
text: str = compose.explain()
loader = A.DataLoader(range(4), batch_size=2, transform=compose, device="cpu")
longer = compose + A.Blur(blur_limit=(3, 7))
A.save(longer, "pipeline.json")
again = A.from_albumentations("pipeline.json")
mixed = A.data.MixUp(0.2, num_classes=3)
"""
# albumentations' import lines with the package's name changed
LINES = """
import gpuaug.augmentations.geometric.transforms as geometric
from gpuaug.core.composition import BboxParams, Compose, OneOf
from gpuaug.core.transforms_interface import ImageOnlyTransform, to_tuple
from gpuaug.core.types import ScaleFloatType, Targets
from gpuaug.imgaug.transforms import IAASharpen
from gpuaug.pytorch import ToTensorV2
from gpuaug.pytorch.transforms import ToTensor

moved: Compose = Compose([OneOf([geometric.ShiftScaleRotate(), IAASharpen()]), ToTensorV2()])
limits: ScaleFloatType = (0.1, 0.2)
"""
WRONG = """
import gpuaug as A

A.HorizontalFlip(p="often")
A.Affine(rotat=3)
A.RandomCrop(height="8", width=8)
A.DataLoader([1], batch_size="2")
"""


def test_mypy_reads_them(tmp_path):
    """A program in strict mode has no faults; four faults are found."""
    pytest.importorskip("mypy")
    assert (ROOT / "gpuaug" / "py.typed").exists()
    (tmp_path / "usage.py").write_text(USAGE + LINES)
    (tmp_path / "wrong.py").write_text(WRONG)
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n[mypy-gpuaug.*]\nignore_errors = True\n")
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", str(tmp_path / "cache")]
    ran = [
        subprocess.run([*command, name], cwd=tmp_path, capture_output=True, text=True, env={"MYPYPATH": str(ROOT), "PATH": ""})
        for name in ("usage.py", "wrong.py")
    ]
    assert "Success: no issues found" in ran[0].stdout, ran[0].stdout + ran[0].stderr
    faults = [line for line in ran[1].stdout.splitlines() if line.startswith("wrong.py") and ": error:" in line]
    assert [line.split(":")[1] for line in faults] == ["4", "5", "6", "7"]

"""albumentations' transforms are made with its arguments: defaults, those of its documentation, those of its tests."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import warnings
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import parity
import pytest
from albumentations.core.composition import BaseCompose
from albumentations.core.transforms_interface import BasicTransform
from parity.case import photograph
from their_calls import CALLS

import gpuaug as G

BASES = {"BasicTransform", "DualTransform", "ImageOnlyTransform", "Transform3D"}
THEIRS = sorted(n for n in set(dir(A)) - BASES if inspect.isclass(getattr(A, n)) and issubclass(getattr(A, n), BasicTransform))
# calls in albumentations' documentation that are refused, and why; docs/swap-in.md says the same
REFUSED = {
    r"format='normalized'": ("KeypointParams", "format must be one of"),  # which albumentations refuses when it is called
    r"temperature_range=": ("PlanckianJitter", "no argument 'temperature_range'.*'temperature_limit'"),  # which it ignores
}


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_a_hundred_of_two_dimensions():
    """tests/test_defaults.py compares the defaults one by one."""
    made = 0
    for name in THEIRS:
        needs = parity.ABOUT[name].needs if name in parity.ABOUT else {}
        if name == "ConstrainedCoarseDropout":  # that does not say what its objects are does nothing there, and is an error here
            needs = {"mask_indices": [1]}
        elif _made(A, name, {}):
            needs = {}
        assert _made(A, name, needs), name
        assert _made(G, name, needs), name
        made += "3D" not in name and name != "CubicSymmetry"
    assert made >= 100


def _made(library, name: str, arguments: dict) -> bool:
    try:
        return getattr(library, name)(**arguments) is not None
    except (TypeError, ValueError):
        return False


def documented() -> list[str]:
    """Calls of classes in the examples of albumentations' docstrings, which it can make itself."""
    found = {}
    for name in sorted(dir(A)):
        cls = getattr(A, name)
        if not (inspect.isclass(cls) and issubclass(cls, (BasicTransform, BaseCompose))):
            continue
        for example in doctest.DocTestParser().get_examples(cls.__doc__ or ""):
            try:
                tree = ast.parse(example.source)
            except SyntaxError:
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "A":
                    found[ast.unparse(node)] = None
    return [call for call in found if _evaluated(call, A) is not None]


def _evaluated(call: str, library):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return eval(call, {"A": library, "cv2": cv2, "np": np})
        except Exception:
            return None


DOCUMENTED = documented()


def test_the_documentation_was_found():
    assert len(DOCUMENTED) > 300
    assert all(any(re.search(words, call) for call in DOCUMENTED) for words in REFUSED)


@pytest.mark.parametrize("call", DOCUMENTED)
def test_as_documented(call):
    why = next((why for words, (name, why) in REFUSED.items() if re.search(words, call) and name in call), None)
    if why is None:
        assert eval(call, {"A": G, "cv2": cv2, "np": np}) is not None
    else:
        with pytest.raises((TypeError, ValueError), match=why):
            eval(call, {"A": G, "cv2": cv2, "np": np})


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_as_in_its_tests(name, arguments):
    """They are made, and run."""
    transform = getattr(G, name)(**arguments)
    image = photograph("china")
    beside = {"cropping_bbox": (30, 40, 90, 120)} if name == "RandomCropNearBBox" else {}
    if name == "FromFloat":
        image = image / np.float32(255)
    if name == "ToRGB":
        image = image[..., :1]
    mask = (image[..., 0] > image[..., 0].mean()).astype(np.uint8)
    transform.p = 1.0
    out = G.Compose([transform], seed=1)(image=image, mask=mask, **beside)
    assert out["image"].ndim == 3


def test_each_has_a_row_or_a_reason():
    text = (Path(__file__).parents[1] / "docs" / "parity.md").read_text()
    rows = set(re.findall(r"^\| (\w+) \|", text, re.M))
    reasons = set(re.findall(r"`(\w+)`", text.partition("## Compared elsewhere")[2].partition("\n## ")[0]))
    assert set(THEIRS) <= rows | reasons

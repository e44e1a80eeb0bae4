"""What the package answers to names: its modules, names of albumentations that it lacks, misspelled ones."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import albumentations as A
import pytest
from albumentations.core.composition import BaseCompose
from albumentations.core.transforms_interface import BasicTransform

import gpuaug as G
from gpuaug import names

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
    ("SelectiveChannelTransfor", "did you mean 'SelectiveChannelTransform'.* not yet"), ("Composee", "did you mean 'Compose'"),
])  # fmt: skip
def test_the_nearest_name(name, words):
    with pytest.raises(AttributeError, match=words):
        getattr(G, name)


def test_names_that_python_asks_for_are_answered_briefly():
    assert not hasattr(G, "__path_of_nothing__")
    with pytest.raises(AttributeError, match=r"^module 'gpuaug' has no attribute 'zzzzzz'$"):
        G.zzzzzz  # noqa: B018
    with pytest.raises(AttributeError, match="it has albumentations, dali, imgaug, kornia, lightning, ray"):
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

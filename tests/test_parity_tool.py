"""gpuaug.parity: a pipeline beside albumentations on the caller's images, by the code that docs/parity.md is made with."""

from __future__ import annotations

import albumentations as A
import numpy as np
import parity
import pytest

import gpuaug as G
from gpuaug import vision
from gpuaug.interop.parity import Parity
from gpuaug.interop.parity.references import _OTHERS, STANDARD, Undriven, reference

KNOWN = {*STANDARD, *_OTHERS}
# whose bounds hold for the uniforms of their cases, and by a little less for these
CLOSE = {
    "Affine-cubic reflect_101": "0.002 in two pixels of a corner that lies more than a width outside",
    "GaussNoise-defaults": "2e-5 of one value of five deviations",
    "RandomSnow-texture": "at snow points above 0.75: hue or saturation beyond 255, whose astype(uint8) wraps around there",
    "RandomSunFlare-physics, small": "77 % equal, where 80 % are asked for",
}


def known_cases():
    for case in parity.CASES:
        try:
            reference(case.ours)
        except Undriven:
            continue
        yield case


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("case", known_cases(), ids=str)
def test_every_case_is_within_its_bounds(case, dtype):
    """With other uniforms than those of the cases, on one size."""
    channels = 3 if 3 in case.channels else case.channels[0]
    images = [image for image in parity.images(channels, dtype) if case.keep(image) and image.shape[0] in (31, 97, 224)]
    if dtype not in case.bounds or not images:
        return
    (row,) = G.parity(case.ours, images, seed=3)
    if "larger" in row.why or "has no room" in row.why:  # an image that the case's own uniforms spare
        return
    assert row.result is not None, row.why
    wrong = parity.run.Result(row.result.difference).check(case.bounds[dtype])
    assert not wrong or repr(case) in CLOSE, wrong


def test_known_transforms_are_there_and_have_cases():
    names = {case.name for case in known_cases()}
    assert set(G.REGISTRY) >= KNOWN
    assert len(names) >= 95
    assert names <= KNOWN


@pytest.fixture
def images():
    return [parity.stack(3, h, w, "flower") for h, w in ((60, 80), (97, 61))]


def test_a_table_for_a_pipeline(images):
    pipeline = A.Compose(
        [
            A.HorizontalFlip(),
            A.OneOf([A.GaussianBlur(p=1), A.GaussNoise(noise_scale_factor=0.5, p=1), A.MotionBlur(p=1)], p=0.2),
            A.Affine(rotate=(-20, 20), scale=(0.8, 1.2)),
            A.RandomCrop(48, 56),
            A.HueSaturationValue(),
            A.CoarseDropout(),
            A.Normalize(),
            A.pytorch.ToTensorV2(),
        ]
    )
    found = G.parity(pipeline, images)
    assert isinstance(found, Parity)
    names = "HorizontalFlip GaussianBlur GaussNoise MotionBlur Affine RandomCrop HueSaturationValue CoarseDropout Normalize"
    assert [row.transform for row in found] == [*names.split(), "ToTensorV2"]
    assert [row.place for row in found][:4] == [(0,), (1, 0), (1, 1), (1, 2)]
    assert [row.transform for row in found.missing] == ["GaussNoise"]
    assert found.worst <= 1
    assert all(row.result.exact > 0.99 for row in found if row.result is not None and row.transform != "Normalize")
    assert found[5].result.difference.size == 2 * 48 * 56 * 3
    assert [row.dtype for row in found][-2:] == ["uint8", "float32"]
    lines = str(found).splitlines()
    assert lines[0] == "| transform | reference | type | values | equal | largest difference |"
    assert lines[2].startswith("| HorizontalFlip [0] | albumentations | uint8 | 32,151 | 100 % | 0 |")
    assert "GaussNoise [1, 1] | not compared: noise_scale_factor below 1" in lines[4]
    assert G.parity(pipeline, images)[4].result.worst == found[4].result.worst


def test_a_wrong_result_shows(images, monkeypatch):
    monkeypatch.setattr(G.Solarize, "lower", lambda self, to, rows, params: to.op(rows, "invert", top=255))
    (row,) = G.parity(G.Solarize(), images)
    assert row.result.worst > 100
    assert row.result.exact < 0.7


def test_what_is_not_compared_says_why(images):
    steps = [
        vision.RandomInvert(1),
        G.MaskDropout(),
        G.Resize(30, 40, antialias=True),
        G.RandomCrop(300, 20),
        G.CoarseDropout(fill="random"),
    ]
    found = G.parity(G.Compose([*steps, G.Blur()]), images)
    whys = [row.why for row in found]
    assert whys[0] == "albumentations has none of its name"
    assert "masks, boxes or other samples" in whys[1]
    assert whys[2] == "albumentations has no antialias, which is True here"
    assert "larger than image 0" in whys[3]
    assert "fill='random' is drawn" in whys[4]
    assert whys[5] == ""
    assert found[3].dtype == "uint8"
    assert found[5].result.difference.size == 2 * 30 * 40 * 3  # the resize was done, the crop was not


def test_what_is_refused(images):
    with pytest.raises(TypeError, match="parity takes a pipeline of gpuaug's or albumentations', got 3"):
        G.parity(3, images)
    with pytest.raises(TypeError, match=r"image 0 must be an array .* got float64 \(2, 2\)"):
        G.parity(G.Blur(), [np.zeros((2, 2))])
    with pytest.raises(TypeError, match="images must be a list of arrays"):
        G.parity(G.Blur(), 3)
    with pytest.raises(ValueError, match="parity needs an image"):
        G.parity(G.Blur(), [])


def test_albumentations_sums_as_on_every_processor(images, monkeypatch):
    """Half precision, where the processor has it, is off while pipelines are compared, and then as it was."""
    simsimd = pytest.importorskip("simsimd")
    can, calls = {"haswell": True, "sapphire": True}, []
    monkeypatch.setattr(simsimd, "get_capabilities", lambda: dict(can))
    for name, there in (("disable_capability", False), ("enable_capability", True)):
        monkeypatch.setattr(simsimd, name, lambda which, there=there: (calls.append((which, there)), can.update({which: there})))
    during = []
    G.parity(G.Compose([G.Lambda(image=lambda image, **_: during.append(can["sapphire"]) or image, p=1)]), images)
    with pytest.raises(TypeError, match="takes a pipeline"):
        G.parity(None, images)
    with pytest.raises(ValueError, match="needs an image"):
        G.parity(G.HorizontalFlip(), [])
    assert during
    assert not any(during)
    assert can["sapphire"]
    can["sapphire"] = False  # another processor
    calls.clear()
    G.parity(G.HorizontalFlip(p=1), images)
    assert not calls

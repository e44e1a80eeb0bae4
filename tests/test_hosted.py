"""Host stages: functions on single samples in the middle of a pipeline see, and leave, what the steps around them would."""

from __future__ import annotations

import albumentations.augmentations.pixel.functional as fpixel
import chains
import numpy as np
import pytest
import torch

import gpuaug as G
from gpuaug import Batch, codec
from gpuaug.deliver import deliver_ragged
from gpuaug.drawn import Drawn
from gpuaug.transform import Transform


def delivered(steps, data, size, kind="image"):
    drawn = Drawn(len(data), list(steps), size)
    return [x.numpy() for x in deliver_ragged(drawn.lower(Batch.of(data, "HWC", name=kind), kind), planar=False)]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("kind", ["image", "mask"])
def test_a_function_sees_what_the_steps_before_it_make(kind, dtype):
    seen = []

    def function(value, **_):
        seen.append(value.copy())
        return value[::-1].copy()

    before = [G.HorizontalFlip(p=0.5), G.Affine(rotate=(-30, 30), p=0.5), G.RandomBrightnessContrast(p=0.5), G.Blur(p=0.5)]
    after = [G.GaussNoise(p=0.5), G.Affine(rotate=(-9, 9), p=0.7), G.CoarseDropout(p=0.5)]
    compose = G.Compose([*before, G.Lambda(**{kind: function}, p=0.6), *after], seed=3)
    data = chains.pictures(chains.layouts("list", 0, 12), dtype)
    size = np.array([x.shape[:2] for x in data])
    drawn = compose.draw(size, ids=np.arange(len(data)), dtype=dtype)
    (k,) = (i for i, step in enumerate(drawn.steps) if isinstance(step.transform, G.Lambda))
    rows = np.arange(len(data))[drawn.steps[k].rows]
    assert 0 < len(rows) < len(data)
    got = [x.numpy() for x in deliver_ragged(drawn.lower(Batch.of(data, "HWC", name=kind), kind), planar=False)]

    middle = delivered(drawn.steps[:k], data, size, kind)
    for i, given in zip(rows, seen, strict=True):
        np.testing.assert_array_equal(given, middle[i])
        middle[i] = middle[i][::-1].copy()
    for a, b in zip(got, delivered(drawn.steps[k + 1 :], middle, size, kind), strict=True):
        np.testing.assert_array_equal(a, b)


def test_on_the_device_functions_get_tensors():
    data = chains.pictures([(40, 30)] * 6, "float32")

    def invert(image):
        assert isinstance(image, torch.Tensor)
        assert image.shape == (3, 40, 30)
        return 1 - image

    out = G.Compose([G.Lambda(image=invert, on="device", p=1)])(data)
    for a, b in zip(out, data):
        np.testing.assert_array_equal(a, 1 - b)


def test_torch_and_bfloat16_and_frames():
    x = torch.arange(24.0).reshape(1, 2, 3, 4) / 24
    out = G.Compose([G.Lambda(image=lambda image: 2 * image, p=1)])(x.bfloat16())
    assert torch.equal(out, 2 * x.bfloat16())
    clip = np.arange(2 * 3 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 3, 4, 5, 3)
    out = G.Compose([G.Lambda(image=lambda image: 255 - image, p=1)])(images=clip)["images"]
    np.testing.assert_array_equal(out, 255 - clip)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda image: image[:, :-1], ["Lambda", "image 1 of the batch", "(3, 8, 9)", "(3, 7, 9)"]),
        (lambda image: image.double(), ["uint8", "float64"]),
        (lambda image: None, ["must return a tensor", "NoneType"]),
        (lambda image: 1 / 0, ["division by zero", "image 1"]),
    ],
)
def test_what_functions_do_wrong_is_said(function, words):
    compose = G.Compose([G.Lambda(image=lambda image: image if image.max() == 0 else function(image), on="device", p=1)])
    with pytest.raises(Exception, match="function failed") as error:
        compose([np.zeros((8, 9, 3), np.uint8), np.ones((8, 9, 3), np.uint8)])
    assert all(word in str(error.value) for word in words), error.value


def test_explain_tells_the_stage():
    text = G.Compose([G.Blur(p=1), G.ImageCompression(p=0.5), G.HorizontalFlip(p=0.5)], seed=0).explain(samples=16)
    lines = [line for line in text.splitlines() if line[0].isdigit()]
    assert [line[:2] for line in lines] == ["1.", "2.", "3."]
    assert "filter on all" in lines[0]
    assert "ImageCompression: host on" in lines[1]
    assert "of 16 samples: a jpeg codec" in lines[1]


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("kind", "extension"), [("jpeg", ".jpg"), ("webp", ".webp")])
def test_both_codecs_give_opencvs_bits(monkeypatch, kind, extension, channels):
    image = chains.pictures([(61, 83)], channels=4)[0]
    image = np.ascontiguousarray(np.dstack([image, image[::-1, :, :1]])[..., :channels])
    for quality in (1, 50, 95, 100):
        want = fpixel.image_compression(image, quality, extension)
        np.testing.assert_array_equal(codec.compressed(image, kind, quality), want)
        monkeypatch.setattr(codec, "_opencv", lambda: None)
        np.testing.assert_array_equal(codec.compressed(image, kind, quality), want)
        monkeypatch.undo()


@pytest.mark.parametrize("p", [0.5, 1])
@pytest.mark.parametrize("before", [[], [G.HorizontalFlip(p=1)], [G.VerticalFlip(p=1), G.CenterCrop(30, 40)]])
@pytest.mark.parametrize("layouts", [[(48, 60)] * 8, [(48, 60), (31, 45)] * 4])
def test_images_are_compressed_where_they_lie(layouts, before, p):
    """Nobody's memory is written or shared: neither the caller's, nor one call's result by the next."""
    data = chains.pictures(layouts)
    data = data if len(set(layouts)) > 1 else np.stack(data)
    given = [image.copy() for image in data]
    compose = G.Compose([*before, G.ImageCompression("jpeg", (20, 20), p=p)], seed=1)
    first, second = (compose(data, ids=np.arange(8)) for _ in range(2))
    plain = G.Compose(before or [G.NoOp()])(data)
    changed = [not np.array_equal(a, b) for a, b in zip(first, plain)]
    assert 0 < sum(changed) <= 8
    assert all(changed) == (p == 1)
    for a, b, want, compressed in zip(first, second, plain, changed):
        np.testing.assert_array_equal(a, codec.compressed(want, "jpeg", 20) if compressed else want)
        assert not np.shares_memory(a, b)
        a[:] = 7
        assert (b != 7).any()
    for image, was in zip(data, given):
        np.testing.assert_array_equal(image, was)


class Counted(Transform, register=False):
    """Counts how often it is lowered to masks."""

    targets = ("image", "mask")
    count = 0

    def lower(self, to, rows, params):
        self.count += to.kind == "mask"


def test_masks_that_draws_look_at_are_made_step_by_step():
    counted = [Counted(p=1.0) for _ in range(3)]
    drops = [G.MaskDropout(p=1) for _ in range(3)]
    compose = G.Compose([x for pair in zip(counted, drops) for x in pair], seed=1)
    mask = np.zeros((20, 20), np.uint8)
    mask[2:5, 2:5] = 1
    compose(image=np.zeros((20, 20, 3), np.uint8), mask=mask)
    assert [c.count for c in counted] == [2, 2, 2]  # for the draws, and for the result

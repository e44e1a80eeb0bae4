"""Holes that are filled from what surrounds them, as albumentations fills them; and stripes whose lengths are fractions."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from albumentations.augmentations.dropout.functional import cutout
from parity.case import photograph

import gpuaug as G

IMAGE = np.ascontiguousarray(photograph("china")[100:190, 200:320])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("method", ["inpaint_telea", "inpaint_ns"])
@pytest.mark.parametrize(
    "make",
    [
        lambda fill: G.CoarseDropout((2, 3), (0.1, 0.3), (0.1, 0.3), fill=fill, p=1),
        lambda fill: G.XYMasking((1, 2), (1, 2), (3, 9), (2, 5), fill=fill, p=1),
        lambda fill: G.Erasing(fill=fill, p=1),
        lambda fill: G.GridDropout(fill=fill, p=1),
    ],
    ids=["CoarseDropout", "XYMasking", "Erasing", "GridDropout"],
)
def test_holes_as_albumentations(make, method, channels):
    data = np.stack([IMAGE[..., :channels], IMAGE[::-1, ..., :channels]])
    compose = G.Compose([make(method)], seed=2)
    out = compose(image=data, ids=[0, 1])["image"]
    holes = compose.draw(np.array([data.shape[1:3]] * 2), ids=[0, 1]).steps[0].params["holes"]
    for i in range(2):
        mine = holes[i][(holes[i][:, 2:] > holes[i][:, :2]).all(1)]
        want = cutout(data[i], mine, method, np.random.default_rng(0))
        np.testing.assert_array_equal(out[i], want.reshape(out[i].shape))
        assert (out[i] != data[i]).any()


def test_objects_as_opencv():
    mask = np.zeros(IMAGE.shape[:2], np.uint8)
    mask[20:40, 30:70] = 2
    out = G.Compose([G.MaskDropout(fill="inpaint_ns", fill_mask=0, p=1)])(image=IMAGE, mask=mask)
    np.testing.assert_array_equal(out["image"], cv2.inpaint(IMAGE, mask, 3, cv2.INPAINT_NS))
    assert not out["mask"].any()


def test_labels_move_as_for_other_fills():
    numbers, words = (G.Compose([G.CoarseDropout((3, 3), fill=fill, fill_mask=7, p=1)], seed=4) for fill in (0, "inpaint_telea"))
    mask = np.zeros(IMAGE.shape[:2], np.uint8)
    one, two = (aug(image=IMAGE, mask=mask, ids=[3]) for aug in (numbers, words))
    np.testing.assert_array_equal(one["mask"], two["mask"])


def test_floats_are_refused():
    for data, text in ((IMAGE / np.float32(255), "float32"), (IMAGE > 9, "bool")):
        with pytest.raises(ValueError, match=f"fill='inpaint_ns' works on uint8 images, got {text}; place it before Normalize"):
            G.Compose([G.CoarseDropout(fill="inpaint_ns", p=1)])(data)


def test_lengths_that_are_fractions():
    """Of images of several sizes at once: as the whole pixels that they come to."""
    images = [np.ones((20, 100), np.uint8), np.ones((40, 57), np.uint8), np.ones((20, 100), np.uint8)]
    parts = G.Compose([G.XYMasking((1, 3), (1, 2), (0.05, 0.2), 0.3, p=1)], seed=1)(image=images, ids=range(3))["image"]
    for i, image in enumerate(images):
        h, w = image.shape
        pixels = G.XYMasking((1, 3), (1, 2), (int(0.05 * w), int(0.2 * w)), int(0.3 * h), p=1)
        want = G.Compose([pixels], seed=1)(image=[image], ids=[i])["image"][0]
        np.testing.assert_array_equal(parts[i], want)
        assert (want == 0).any()
    short = G.Compose([G.XYMasking(1, 0, (0, 0.5), p=1)], seed=1)(image=np.ones((200, 1, 4, 1), np.uint8))["image"]
    assert set((short == 0).sum((1, 2, 3)).tolist()) == {0, 1, 2}


def test_images_of_one_line_are_the_same_every_time():
    """cv2.inpaint reads beyond them, so that they are laid into a frame."""
    data = np.random.default_rng(0).integers(0, 256, (1, 31, 3)).astype(np.uint8)
    for method in ("inpaint_ns", "inpaint_telea"):
        compose = G.Compose([G.GridDropout(fill=method, p=1)], seed=5)
        seen = set()
        for _ in range(20):
            seen.add(compose(image=data, ids=[3])["image"].tobytes())
            np.full((50, 50, 3), 7, np.uint8)
        assert len(seen) == 1

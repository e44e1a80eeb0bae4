"""SelectiveChannelTransform: transforms see some channels of an image."""

from __future__ import annotations

import pickle

import albumentations as A
import numpy as np
import pytest
import torch
from skimage import data

import gpuaug as G

IMAGE = np.dstack([data.astronaut()[40:88, 90:154], data.astronaut()[140:188, 190:254]])


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [(0, 1, 2), (5,), (4, 1), [3, 2, 0]], ids=str)
def test_as_albumentations(channels, dtype):
    image = IMAGE if dtype == "uint8" else np.float32(IMAGE) / 255

    def steps(lib):
        return [lib.HorizontalFlip(p=1), lib.Blur((3, 3), p=1), lib.InvertImg(p=1)]

    ours = G.SelectiveChannelTransform(steps(G), channels=channels)(image=image, mask=image[..., 0])
    theirs = A.Compose([A.SelectiveChannelTransform(steps(A), channels=channels)])(image=image)["image"]
    np.testing.assert_allclose(ours["image"], theirs, atol=0 if dtype == "uint8" else 1e-6)  # float32 sums in another order
    assert ours["image"].dtype == image.dtype
    np.testing.assert_array_equal(ours["mask"], image[..., 0])


def test_draws_of_samples_depend_on_no_others():
    aug = G.Compose(
        [G.HorizontalFlip(), G.SelectiveChannelTransform([G.RandomGamma(), G.MotionBlur()], [1, 4], p=0.7), G.InvertImg()], seed=3
    )
    batch, ids = np.stack([IMAGE] * 12), np.arange(100, 112)
    got = aug(batch, ids=ids)
    assert len({image.tobytes() for image in got}) > 6
    for i in range(12):
        np.testing.assert_array_equal(aug(batch[i : i + 1], ids=ids[i : i + 1])[0], got[i])
    assert (aug(batch, ids=ids, epoch=1) != got).any()
    tensor = torch.from_numpy(batch).permute(0, 3, 1, 2)
    np.testing.assert_array_equal(aug(tensor, ids=ids).permute(0, 2, 3, 1).numpy(), got)
    frames = aug(images=[IMAGE, IMAGE], ids=[100])["images"]  # one draw for a set
    np.testing.assert_array_equal(frames[0], frames[1])
    assert "channels 1, 4 by RandomGamma, MotionBlur" in aug.explain(size=(48, 64), channels=6)


def test_kept_and_written():
    aug = G.Compose([G.SelectiveChannelTransform([G.OneOf([G.Blur(), G.InvertImg()])], channels=[1], p=0.5)], seed=1)
    for again in (G.from_dict(aug.to_dict()), pickle.loads(pickle.dumps(aug)), eval(repr(aug), vars(G))):
        assert again == aug
        np.testing.assert_array_equal(again(IMAGE[None], ids=[5]), aug(IMAGE[None], ids=[5]))
    theirs = A.Compose([A.SelectiveChannelTransform([A.InvertImg(p=1)], channels=[1], p=1)])
    np.testing.assert_array_equal(G.from_albumentations(theirs)(image=IMAGE)["image"], theirs(image=IMAGE)["image"])


@pytest.mark.parametrize(
    ("error", "words", "make"),
    [
        (TypeError, "channels must be a list of numbers of channels, from 0, got 3", lambda: G.SelectiveChannelTransform([], 3)),
        (TypeError, "channels must be a list of numbers", lambda: G.SelectiveChannelTransform([], [])),
        (TypeError, r"channels must be a list .* got \[-1\]", lambda: G.SelectiveChannelTransform([], [-1])),
        (ValueError, "channels names a channel twice", lambda: G.SelectiveChannelTransform([], [1, 1])),
        (
            ValueError,
            "failed on sample 0 of the batch: channels names 6, but the images have 6 channels",
            lambda: G.SelectiveChannelTransform([], [6])(image=IMAGE),
        ),
        (
            ValueError,
            "its transforms made 3x48x64 .* of uint8 into 3x48x64 .* of float32; they must leave size, channels and type",
            lambda: G.SelectiveChannelTransform([G.Normalize(p=1)])(image=IMAGE),
        ),
        (
            ValueError,
            "its transforms made 1x48x64 .* into 1x4x4",
            lambda: G.SelectiveChannelTransform([G.CenterCrop(4, 4, p=1)], [0])(image=IMAGE),
        ),
    ],
)
def test_errors(error, words, make):
    with pytest.raises(error, match=words):
        make()

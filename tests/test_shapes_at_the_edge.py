"""Sets of no frames, batches of no samples, masks of one channel: what comes back has the shape that the full one would have."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gpuaug as G

FLIP = G.Compose([G.HorizontalFlip(p=1)])
SMALL = G.Compose([G.Resize(2, 3), G.Normalize()], bbox_params=G.BboxParams("coco", label_fields=["labels"]))
IMAGES = np.zeros((2, 4, 6, 3), np.uint8)


def frames(count, dtype=np.uint8):
    return np.random.default_rng(count).integers(0, 2, (count, 4, 6)).astype(dtype)


@pytest.mark.parametrize("counts", [[1, 0], [0, 1], [0, 0], [2, 1]])
def test_sets_of_no_masks(counts):
    arrays = [frames(n) for n in counts]
    for masks in ([list(a) for a in arrays], arrays, [torch.from_numpy(a) for a in arrays]):
        out = FLIP(image=IMAGES, masks=masks)["masks"]
        for want, given, got in zip(arrays, masks, out):
            assert type(got) is type(given)
            if isinstance(got, list):
                assert len(got) == len(given)
            else:
                assert tuple(got.shape) == want.shape
            np.testing.assert_array_equal(np.array(got).reshape(want.shape), want[:, :, ::-1])
        batch = FLIP.run({"image": IMAGES, "masks": masks}, ids=[0, 1])["masks"]
        assert [tuple(m.shape) for m in batch] == [a.shape for a in arrays]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float64, np.uint16])
def test_no_masks_take_the_size_and_keep_the_type(dtype):
    image, none = IMAGES[0], np.zeros((0, 4, 6), dtype)
    out = SMALL(image=image, masks=none)["masks"]
    assert (out.shape, out.dtype) == ((0, 2, 3), none.dtype)
    tensors = G.Compose([G.Resize(2, 3), G.ToTensorV2()])(image=image, masks=none)["masks"]
    assert isinstance(tensors, torch.Tensor)
    assert tuple(tensors.shape) == (0, 2, 3)
    out = SMALL(image=IMAGES, masks=np.zeros((2, 0, 4, 6), dtype))["masks"]
    assert (out.shape, out.dtype) == ((2, 0, 2, 3), none.dtype)
    out = SMALL(image=IMAGES, masks=[none, np.ones((1, 4, 6), dtype)])["masks"]
    assert [m.shape for m in out] == [(0, 2, 3), (1, 2, 3)]
    # nothing says what is in an empty list, so its type is free
    out = SMALL(image=IMAGES, masks=[np.zeros((0, 4, 6)), np.ones((1, 4, 6), dtype)])["masks"]
    assert [m.dtype for m in out] == [np.float64, none.dtype]
    for masks in (np.zeros((2, 0, 4, 6), dtype), [none, none]):
        out = SMALL.run({"image": IMAGES, "masks": masks}, ids=[0, 1])["masks"]
        assert tuple(out.shape) == (2, 0, 2, 3)
        assert str(out.dtype) == f"torch.{none.dtype}"


def test_channels_of_no_masks():
    assert SMALL(image=IMAGES[0], masks=np.zeros((0, 4, 6, 2), np.uint8))["masks"].shape == (0, 2, 3, 2)
    planar = SMALL(image=torch.zeros(3, 4, 6, dtype=torch.uint8), masks=torch.zeros(0, 2, 4, 6))["masks"]
    assert tuple(planar.shape) == (0, 2, 2, 3)


def test_no_masks_in_a_loader():
    class Data(torch.utils.data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return {"image": IMAGES[i], "masks": frames(self.counts[i])}

    for Data.counts in ([0, 0], [0, 2], [1, 0]):
        (batch,) = G.DataLoader(Data(), batch_size=2, transform=SMALL, device="cpu")
        assert [tuple(m.shape) for m in batch["masks"]] == [(n, 2, 3) for n in Data.counts]


def test_no_masks_of_another_size():
    with pytest.raises(ValueError, match=r"masks of sample 1 has no frames of \(4, 5\).*sample is \(4, 6\)"):
        FLIP(image=IMAGES, masks=[frames(1), np.zeros((0, 4, 5), np.uint8)])


@pytest.mark.parametrize("empty", [np.array([]), []], ids=["array", "list"])
def test_no_masks_that_say_nothing(empty):
    out = SMALL(image=IMAGES[0], masks=empty)["masks"]
    assert len(out) == 0
    assert type(out) is type(empty)


@pytest.mark.parametrize(("size", "dtype"), [((2, 3), np.float32)])
def test_batches_of_no_samples(size, dtype):
    out = SMALL(np.zeros((0, 5, 7, 3), np.uint8))
    assert (out.shape, out.dtype) == ((0, *size, 3), dtype)
    assert SMALL(np.zeros((0, 5, 7, 1), np.uint8)).shape == (0, *size, 1)
    out = SMALL(torch.zeros(0, 3, 5, 7, dtype=torch.uint8))
    assert (tuple(out.shape), out.dtype) == ((0, 3, *size), torch.float32)
    out = SMALL(image=np.zeros((0, 5, 7, 3), np.uint8), mask=np.zeros((0, 5, 7), np.int64), bboxes=[], labels=[])
    assert (out["mask"].shape, out["mask"].dtype) == ((0, *size), np.int64)
    assert (out["bboxes"], out["labels"]) == ([], [])
    assert FLIP(images=np.zeros((0, 2, 5, 7, 3), np.uint8))["images"].shape == (0, 2, 5, 7, 3)
    out = SMALL.run({"image": np.zeros((0, 5, 7, 3), np.uint8), "mask": np.zeros((0, 5, 7), bool)}, ids=[])
    assert (tuple(out["image"].shape), out["image"].dtype) == ((0, 3, *size), torch.float32)
    assert (tuple(out["mask"].shape), out["mask"].dtype) == ((0, *size), torch.bool)
    tensors = G.Compose([G.Resize(2, 3), G.ToTensorV2()])(image=np.zeros((0, 5, 7, 3), np.uint8))["image"]
    assert tuple(tensors.shape) == (0, 3, *size)
    with pytest.raises(ValueError, match="mask has 1 samples, the images have 0"):
        SMALL(image=np.zeros((0, 5, 7, 3), np.uint8), mask=np.zeros((1, 5, 7)))


def test_a_batch_of_no_samples_draws_nothing():
    counted, fresh = (G.Compose([G.GaussNoise(p=1)], seed=1) for _ in range(2))
    counted(np.zeros((0, 4, 6, 3), np.uint8))
    np.testing.assert_array_equal(counted(IMAGES), fresh(IMAGES))


@pytest.mark.parametrize(
    ("shape", "transposed", "plain"),
    [((4, 6), (4, 6), (4, 6)), ((4, 6, 1), (1, 4, 6), (4, 6, 1)), ((4, 6, 2), (2, 4, 6), (4, 6, 2))],
)
def test_masks_to_tensors(shape, transposed, plain):
    """albumentations' shapes, for one sample and in sets."""
    for transpose, want in ((True, transposed), (False, plain)):
        aug = G.Compose([G.ToTensorV2(transpose_mask=transpose)])
        mask = np.random.default_rng(0).integers(0, 9, shape)
        out = aug(image=IMAGES[0], mask=mask, masks=[mask, mask])
        for got in (out["mask"], *out["masks"]):
            assert tuple(got.shape) == want
            moved = got.permute(1, 2, 0) if transpose and got.ndim == 3 else got
            np.testing.assert_array_equal(moved.numpy(), mask)
        assert tuple(aug(image=IMAGES, mask=np.stack([mask] * 2))["mask"].shape) == (2, *want)
        assert tuple(aug(image=IMAGES[0], masks=np.stack([mask] * 2))["masks"].shape) == (2, *want)
    assert tuple(G.Compose([G.ToTensorV2()])(image=IMAGES[0, :, :, 0])["image"].shape) == (1, 4, 6)

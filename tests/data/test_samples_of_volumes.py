"""Volumes in the loader: samples that are of a volume and of no image, on every road."""

import albumentations
import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, IterableDataset, TensorDataset

import gpuaug as A
from gpuaug.data import DataLoader

FLIP = A.Compose([A.HorizontalFlip(p=1)])
rng = np.random.default_rng(0)
VOLUMES = rng.integers(0, 256, (4, 5, 20, 24, 2), np.uint8)
MASKS = rng.integers(0, 3, (4, 5, 20, 24), np.int64)


class Samples(Dataset):
    def __init__(self, make):
        self.make = make

    def __len__(self):
        return len(VOLUMES)

    def __getitem__(self, i):
        return self.make(i)


def named(i):
    return {"volume": VOLUMES[i], "mask3d": MASKS[i], "id": i}


def planar(volumes):
    return np.moveaxis(volumes, -1, -3)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_volume_and_its_mask_are_moved_together(workers):
    batches = list(DataLoader(Samples(named), 2, transform=FLIP, device="cpu", num_workers=workers))
    assert [batch["id"].tolist() for batch in batches] == [[0, 1], [2, 3]]
    np.testing.assert_array_equal(torch.cat([b["volume"] for b in batches]), planar(VOLUMES[:, :, :, ::-1]))
    np.testing.assert_array_equal(torch.cat([b["mask3d"] for b in batches]), MASKS[..., ::-1])


def test_what_works_on_volumes_as_a_whole_gives_what_albumentations_gives():
    ours = A.Compose([A.Pad3D((1, 2, 3)), A.CenterCrop3D((4, 12, 16)), A.HorizontalFlip(p=1), A.ToTensor3D()])
    theirs = albumentations.Compose(
        [albumentations.Pad3D((1, 2, 3)), albumentations.CenterCrop3D((4, 12, 16)), albumentations.HorizontalFlip(p=1)]
    )
    batch = next(iter(DataLoader(Samples(named), 4, transform=ours, device="cpu")))
    for i in range(4):
        want = theirs(volume=VOLUMES[i], mask3d=MASKS[i].astype(np.uint8))
        np.testing.assert_array_equal(batch["volume"][i], want["volume"].transpose(3, 0, 1, 2))
        np.testing.assert_array_equal(batch["mask3d"][i, 0], want["mask3d"])


@pytest.mark.parametrize("shape", [(5, 20, 24), (5, 20, 24, 1), (2, 5, 20, 24, 1)], ids=["DHW", "DHWC", "a batch"])
def test_without_batches_a_volume_is_one_sample_and_one_axis_more_is_a_batch(shape):
    volume = rng.integers(0, 256, shape, np.uint8)
    got = next(iter(DataLoader(Samples(lambda i: {"volume": volume}), None, transform=FLIP, device="cpu")))["volume"]
    want = volume[:, None, :, ::-1] if len(shape) == 3 else planar(volume[..., ::-1, :])
    np.testing.assert_array_equal(got, want)


def test_a_set_of_images_is_one_sample_without_batches():
    frames = rng.integers(0, 256, (5, 20, 24, 3), np.uint8)
    got = next(iter(DataLoader(Samples(lambda i: {"images": frames}), None, transform=FLIP, device="cpu")))["images"]
    np.testing.assert_array_equal(got, planar(frames[:, :, ::-1]))


def test_volumes_in_memory_and_from_a_stream():
    tensors = torch.from_numpy(planar(VOLUMES).copy())
    want = tensors.flip(-1)
    memory = DataLoader(TensorDataset(tensors, torch.arange(4)), 2, transform=FLIP, device="cpu", targets={"volume": 0})
    volumes, ids = next(iter(memory))
    assert torch.equal(volumes, want[:2])
    assert ids.tolist() == [0, 1]

    class Stream(IterableDataset):
        def __iter__(self):
            return iter(named(i) for i in range(4))

    assert torch.equal(next(iter(DataLoader(Stream(), 2, transform=FLIP, device="cpu")))["volume"], want[:2])


def test_volumes_of_differing_depth_come_as_a_list():
    make = DataLoader(Samples(lambda i: {"volume": VOLUMES[i, : 2 + i]}), 2, transform=FLIP, device="cpu")
    assert [tuple(v.shape) for v in next(iter(make))["volume"]] == [(2, 2, 20, 24), (3, 2, 20, 24)]


@pytest.mark.parametrize("sample", [(VOLUMES[0], 3), TensorDataset], ids=["a tuple", "in memory"])
def test_a_volume_without_a_name_is_an_error_that_shows_the_way(sample):
    tensors = torch.zeros(4, 5, 2, 20, 24)
    dataset = TensorDataset(tensors, torch.arange(4)) if sample is TensorDataset else Samples(lambda i: sample)
    with pytest.raises(ValueError, match=r"taken for 'image'.*targets=\{'volume': \(0,\)\}"):
        next(iter(DataLoader(dataset, 2, transform=FLIP, device="cpu")))


def test_a_mask_alone_is_no_sample():
    with pytest.raises(ValueError, match="no image was recognized in a sample, and no volume"):
        next(iter(DataLoader(Samples(lambda i: {"mask3d": MASKS[i]}), 2, transform=FLIP, device="cpu")))


def test_boxes_of_torchvision_beside_a_volume():
    from torchvision import tv_tensors

    boxes = tv_tensors.BoundingBoxes(torch.tensor([[2.0, 3, 4, 5]]), format="XYXY", canvas_size=(20, 24))
    flip = A.Compose([A.HorizontalFlip(p=1)], bbox_params=A.BboxParams("pascal_voc"))
    got = next(iter(DataLoader(Samples(lambda i: {"volume": VOLUMES[i], "boxes": boxes}), 2, transform=flip, device="cpu")))
    assert got["boxes"][0].tolist() == [[20, 3, 22, 5]]
    assert got["boxes"][0].canvas_size == (20, 24)

"""The loader with real transforms: what a Compose gives for a sample by itself, the loader gives in a batch."""

import numpy as np
import pytest
import torch
from conftest import N
from torch.utils.data import Dataset
from torchvision.datasets import ImageFolder

import gpuaug as G
from gpuaug.data.progress import Progress

pytestmark = pytest.mark.usefixtures("no_leaks")


def pipeline(**kw):
    return G.Compose([G.RandomResizedCrop((16, 16)), G.HorizontalFlip(p=0.5), G.Normalize(), G.ToTensorV2()], **kw)


def test_a_batch_is_its_samples(shared_folder):
    dataset = ImageFolder(shared_folder)
    loader = G.DataLoader(dataset, 5, shuffle=True, transform=pipeline(seed=3), device="cpu", num_workers=1)
    list(loader)
    alone = pipeline(seed=3)
    order = [int(i) for p in loader._plan(1, Progress(1)) for i in p.ids]
    images = torch.cat([x for x, _ in loader])
    assert sorted(order) == list(range(N))
    for k, i in enumerate(order):
        want = alone(image=np.asarray(dataset[i][0]), ids=[i], epoch=1)["image"]
        assert torch.equal(images[k], want)


def test_roads_agree(shared_folder):
    dataset = ImageFolder(shared_folder)
    decoded = [(np.asarray(image), label) for image, label in dataset]

    class Decoded(Dataset):
        def __len__(self):
            return N

        def __getitem__(self, i):
            return decoded[i]

    kw = {"shuffle": True, "seed": 5, "device": "cpu"}
    one = torch.cat([x for x, _ in G.DataLoader(dataset, 4, transform=pipeline(), **kw)])
    two = torch.cat([x for x, _ in G.DataLoader(Decoded(), 7, num_workers=1, transform=pipeline(), **kw)])
    assert torch.equal(one, two)


def test_sizes_that_differ_name_samples(shared_folder):
    loader = G.DataLoader(ImageFolder(shared_folder), 4, transform=G.Compose([G.HorizontalFlip()]), device="cpu")
    with pytest.raises(ValueError, match=r"different sizes.*the batch holds the samples 0, 1, 2, 3"):
        next(iter(loader))


@pytest.mark.parametrize("workers", [0, 1])
def test_boxes_and_their_labels(workers):
    class Boxes(Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            boxes = [[1, 2, 8, 9]] * (i % 3)
            return {"image": np.full((20, 20, 3), i, np.uint8), "bboxes": boxes, "cls": [i] * (i % 3), "id": i}

    flip = G.Compose([G.HorizontalFlip(p=1)], bbox_params=G.BboxParams(format="pascal_voc", label_fields=["cls"]))
    batch = next(iter(G.DataLoader(Boxes(), 6, transform=flip, device="cpu", num_workers=workers)))
    assert [len(b) for b in batch["bboxes"]] == [0, 1, 2, 0, 1, 2]
    assert np.allclose(batch["bboxes"][1][0], [12, 2, 19, 9])
    assert [list(c) for c in batch["cls"]] == [[], [1], [2, 2], [], [4], [5, 5]]
    assert batch["id"].tolist() == list(range(6))
    with pytest.raises(ValueError, match="'bboxes' looks like bboxes"):
        next(iter(G.DataLoader(Boxes(), 6, transform=G.Compose([G.HorizontalFlip()]), device="cpu", num_workers=workers)))


def test_one_transform_is_a_compose():
    class One(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return np.arange(12, dtype=np.uint8).reshape(2, 2, 3)

    batch = next(iter(G.DataLoader(One(), 3, transform=G.HorizontalFlip(p=1), device="cpu")))
    assert batch[0, 0].tolist() == [[3, 0], [9, 6]]

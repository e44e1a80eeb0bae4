"""gpuaug.accelerate: loaders of torch's whose datasets augment, taken over, or why not."""

from __future__ import annotations

import albumentations as A
import numpy as np
import pytest
import torch
import torchvision.transforms as V
from albumentations.pytorch import ToTensorV2
from PIL import Image
from sklearn.datasets import load_sample_image
from torch.utils.data import DataLoader, Dataset, IterableDataset, WeightedRandomSampler, random_split
from torchvision.datasets import ImageFolder

import gpuaug as G

CHINA = load_sample_image("china.jpg")


class Crops(Dataset):
    """As people write them."""

    def __init__(self, transform=None, count=12):
        self.transform, self.count = transform, count

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        image = np.ascontiguousarray(CHINA[10 * i : 10 * i + 40, 20 * i : 20 * i + 60])
        mask = image[..., 0] // 64
        if self.transform is not None:
            out = self.transform(image=image, mask=mask)
            image, mask = out["image"], out["mask"]
        return {"image": image, "mask": mask, "number": i}


STEPS = [("HorizontalFlip", {"p": 1}), ("CenterCrop", {"height": 32, "width": 48, "p": 1}), ("Normalize", {})]


def steps(lib):
    return [getattr(lib, name)(**arguments) for name, arguments in STEPS]


def equal(mine, theirs):
    assert mine.keys() == theirs.keys()
    for name in theirs:
        assert mine[name].dtype == theirs[name].dtype
        torch.testing.assert_close(mine[name], theirs[name], atol=2e-6, rtol=0)  # Normalize in float32


@pytest.mark.parametrize("workers", [0, 2])
def test_albumentations(workers):
    dataset = Crops(A.Compose([*steps(A), ToTensorV2()]))
    slow = DataLoader(dataset, batch_size=5, num_workers=workers, drop_last=True)
    fast = G.accelerate(slow, device="cpu")
    assert isinstance(fast, G.DataLoader)
    assert fast.num_workers == workers
    for mine, theirs in zip(fast, slow, strict=True):
        equal(mine, theirs)
    assert isinstance(dataset.transform, A.Compose)  # nothing was changed


def test_gpuaug_and_subsets():
    train, _ = random_split(Crops(G.Compose([*steps(G), G.ToTensorV2()])), [8, 4], torch.Generator().manual_seed(1))
    slow = DataLoader(train, batch_size=4)
    for mine, theirs in zip(G.accelerate(slow, device="cpu"), slow, strict=True):
        equal(mine, theirs)


def test_torchvisions_folder(tmp_path):
    for i in range(6):
        (tmp_path / "ab"[i % 2]).mkdir(exist_ok=True)
        Image.fromarray(CHINA[10 * i : 10 * i + 50, :70]).save(tmp_path / "ab"[i % 2] / f"{i}.png")
    pipeline = V.Compose([V.CenterCrop(32), V.ToTensor(), V.Normalize((0.5,) * 3, (0.25,) * 3)])
    slow = DataLoader(ImageFolder(tmp_path, pipeline), batch_size=4)
    fast = G.accelerate(slow, device="cpu")
    for (mine, a), (theirs, b) in zip(fast, slow, strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-6, rtol=0)
        assert a.tolist() == b.tolist()
    assert fast.stats()["decoder"]  # files, not PIL images of workers


def test_order_and_arguments_are_kept():
    dataset = Crops(G.Compose([G.ToTensorV2()]))
    weights = WeightedRandomSampler(torch.ones(12), 6, generator=torch.Generator().manual_seed(3))
    weights_again = WeightedRandomSampler(torch.ones(12), 6, generator=torch.Generator().manual_seed(3))
    slow, again = (DataLoader(dataset, batch_size=4, sampler=sampler) for sampler in (weights, weights_again))
    got = [batch["number"].tolist() for batch in G.accelerate(slow, device="cpu")]
    assert got == [batch["number"].tolist() for batch in again]
    batches = [[3, 1], [2], [5, 6, 7]]
    slow = DataLoader(dataset, batch_sampler=batches)
    assert [batch["number"].tolist() for batch in G.accelerate(slow, device="cpu")] == batches
    slow = DataLoader(dataset, batch_size=4, shuffle=True)
    assert sorted(n for batch in G.accelerate(slow, device="cpu", seed=1) for n in batch["number"].tolist()) == list(range(12))
    slow = DataLoader(dataset, batch_size=4, collate_fn=lambda samples: [s["number"] for s in samples])
    assert list(G.accelerate(slow, device="cpu")) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


class Scaled(Crops):
    def __getitem__(self, i):
        sample = super().__getitem__(i)
        return {**sample, "image": sample["image"] / 2}


class Floating(Crops):
    def __getitem__(self, i):
        sample = super().__getitem__(i)
        return {**sample, "image": sample["image"].float()}


class Twice(Crops):
    """Two views of one sample."""

    def __getitem__(self, i):
        first, second = (np.ascontiguousarray(CHINA[k : k + 40, :60]) for k in (i, i + 9))
        return self.transform(image=first)["image"], self.transform(image=second)["image"]


class Sometimes(Crops):
    def __getitem__(self, i):
        image = np.ascontiguousarray(CHINA[i : i + 40, :60])
        return {"image": self.transform(image=image)["image"] if i % 2 == 0 else image}


class ByPlace(Crops):
    def __getitem__(self, i):
        return self.transform(np.ascontiguousarray(CHINA[i : i + 40, :60]), {"boxes": [[1, 2, 3, 4]]})


class Named(Dataset):
    """Many call it transforms."""

    def __init__(self):
        self.transforms = TENSOR

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return self.transforms(image=np.ascontiguousarray(CHINA[i : i + 40, :60]))["image"], i


class Two(Crops):
    def __init__(self):
        super().__init__(A.Compose([ToTensorV2()]))
        self.strong = A.Compose([A.HorizontalFlip(), ToTensorV2()])


class Stream(IterableDataset):
    transform = None

    def __iter__(self):
        yield 1


class Unknown(A.ImageOnlyTransform):
    def apply(self, img, **params):
        return img


class Own(DataLoader):
    pass


TENSOR = A.Compose([ToTensorV2()])


@pytest.mark.parametrize(
    ("loader", "words"),
    [
        (lambda: DataLoader(Crops()), "Crops holds no transform .* pass transform= to gpuaug.DataLoader"),
        (lambda: DataLoader(Two()), "Two holds several transforms: transform, strong .* say which, transform="),
        (
            lambda: DataLoader(Scaled(TENSOR)),
            r"image: what transform makes of it is in sample 11 not as it is \(something is done",
        ),
        (lambda: DataLoader(Floating(TENSOR)), "Floating works on what its transform makes: .* AttributeError: .*'float'"),
        (lambda: DataLoader(Twice(TENSOR)), "sample 11 was made with 2 calls of transform; each sample must call it once"),
        (lambda: DataLoader(Sometimes(TENSOR)), "sample .* was made with 0 calls of transform"),
        (lambda: DataLoader(ByPlace(TENSOR)), "sample 11 hands 2 things to transform by place: which are they"),
        (lambda: DataLoader(Stream()), "Stream is an IterableDataset"),
        (lambda: DataLoader(Crops(TENSOR, count=0)), "Crops is empty"),
        (lambda: Own(Crops(TENSOR)), "it is a Own, whose own ways of loading would be lost"),
        (lambda: DataLoader(Crops(A.Compose([Unknown()]))), r"transform: transform.transforms\[0\].*Unknown"),
    ],
)
def test_why_not(loader, words):
    with pytest.raises(ValueError, match=r"this loader cannot be taken over:\n(?s:.*)" + words):
        G.accelerate(loader())


def test_more_reasons_at_once_and_what_helps():
    with pytest.raises(ValueError, match="cannot be taken over") as caught:
        G.accelerate(Own(Scaled(A.Compose([Unknown(), Unknown()]))))
    assert str(caught.value).count("\n- ") == 4
    assert next(iter(G.accelerate(DataLoader(Named(), batch_size=2), device="cpu")))[0].shape == (2, 3, 40, 60)
    fast = G.accelerate(DataLoader(Two(), batch_size=4), transform="transform", device="cpu")
    assert next(iter(fast))["image"].shape == (4, 3, 40, 60)
    wrapped = G.accelerate(
        DataLoader(Crops(A.Compose([Unknown(), ToTensorV2()])), batch_size=4), unsupported="wrap", device="cpu"
    )
    assert next(iter(wrapped))["image"].shape == (4, 3, 40, 60)
    with pytest.raises(ValueError, match="transform='augment': Crops holds no transform there, but in transform"):
        G.accelerate(DataLoader(Crops(TENSOR)), transform="augment")
    with pytest.raises(TypeError, match="this one is gpuaug's already"):
        G.accelerate(fast)
    with pytest.raises(TypeError, match=r"accelerate takes a torch.utils.data.DataLoader, got list"):
        G.accelerate([1])

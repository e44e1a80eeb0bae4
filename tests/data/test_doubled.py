"""A pipeline that was moved to the loader and stayed in the dataset, wherever the dataset keeps it."""

import functools
import warnings

import albumentations
import kornia
import numpy as np
import pytest
import torch
from torch.utils.data import Dataset
from torchvision.transforms import v2

import gpuaug as G
from gpuaug.data import DataLoader

NORMALIZED = albumentations.Compose([albumentations.Normalize()])


class Kept(Dataset):
    """A dataset with these attributes, whose samples do not depend on them."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return np.zeros((8, 8, 3), np.uint8), i


class OfItsModule(Kept):
    def __getitem__(self, i):
        return NORMALIZED(image=np.zeros((8, 8, 3), np.uint8))["image"], i


class OfThatName(Kept):
    """Its attribute is called as a pipeline of the module is."""

    def __getitem__(self, i):
        assert self.NORMALIZED is None
        return super().__getitem__(i)


class Wrapper:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, image):
        return self.inner(image=image)["image"]


def enclosed(pipeline):
    return lambda image: pipeline(image=image)["image"]


def check(dataset, transform=None):
    transform = G.Compose([G.HorizontalFlip(), G.Normalize()]) if transform is None else transform
    next(iter(DataLoader(dataset, batch_size=2, transform=transform, device="cpu")))


@pytest.mark.parametrize(
    ("where", "dataset"),
    [
        (r"dataset\.transforms", Kept(transforms=[albumentations.HorizontalFlip(), albumentations.Normalize()])),
        (r"dataset\.transform", Kept(transform=torch.nn.Sequential(v2.Normalize([0.5], [0.5])))),
        (r"dataset\.by\['train'\]", Kept(by={"train": NORMALIZED, "val": None})),
        (r"dataset\.transform", Kept(transform=functools.partial(NORMALIZED, force_apply=True))),
        (r"dataset\.transform\.inner", Kept(transform=Wrapper(NORMALIZED))),
        (r"dataset\.transform\.inner", Kept(transform=Wrapper(NORMALIZED).__call__)),
        (r"dataset\.transform \(pipeline\)", Kept(transform=enclosed(NORMALIZED))),
        (r"dataset\.transform \(NORMALIZED\)", Kept(transform=lambda image: NORMALIZED(image=image)["image"])),
        (r"dataset\.__getitem__ \(NORMALIZED\)", OfItsModule()),
        (r"dataset\.augment", Kept(augment=kornia.augmentation.Normalize(torch.zeros(3), torch.ones(3)))),
    ],
)
def test_normalized_twice(where, dataset):
    with pytest.raises(ValueError, match=rf"^{where} holds a Normalize, and the loader's transform another one"):
        check(dataset)


def test_scaled_in_the_dataset():
    with pytest.raises(ValueError, match="leave ToDtype out of the dataset"):
        check(Kept(transform=v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])))
    check(Kept(transform=v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32)])))


def test_what_is_meant_passes_without_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(OfThatName(NORMALIZED=None))
        data = {"names": {i: str(i) for i in range(1000)}, "samples": [("a", 0)] * 1000, "model": torch.nn.Linear(1, 1)}
        check(Kept(transform=v2.Resize(8), **data))
        check(Kept(to_show=v2.Normalize([-2.1, -2.0, -1.8], [4.4, 4.5, 4.4])))  # undoes one
        check(Kept(transform=[v2.Resize(8), v2.RandomCrop(8)], kind=albumentations.Normalize, read=np.load))


def test_one_warning_for_a_pipeline_that_is_held_twice():
    crop = albumentations.Compose([albumentations.RandomCrop(8, 8)])
    with pytest.warns(UserWarning, match="holds transforms") as told:
        check(Kept(transform=crop, transforms=Wrapper(crop)))
    assert len(told) == 1

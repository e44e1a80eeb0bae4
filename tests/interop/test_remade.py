"""Loaders that other libraries make from the attributes of ours, where the transform has no place."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, Dataset, DistributedSampler, default_collate

import gpuaug as G
from gpuaug.data import ImageFolder, MixUp


class Ramps(Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, i):
        return np.arange(i, i + 192, dtype=np.uint8).reshape(8, 8, 3), i


FLIP = G.Compose([G.HorizontalFlip(p=1)], seed=0)
RIGHT = np.stack([Ramps()[i][0][:, ::-1] for i in range(10)]).transpose(0, 3, 1, 2)


def loader(**more):
    return G.DataLoader(Ramps(), **{"batch_size": 4, "transform": FLIP, "device": "cpu", **more})


def check(batches):
    images, numbers = zip(*batches, strict=True)
    np.testing.assert_array_equal(torch.cat(images), RIGHT[torch.cat(numbers)])


def of_torch(given, **more):
    return torch.utils.data.DataLoader(given.dataset, batch_size=given.batch_size, collate_fn=given.collate_fn, **more)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"batch_size": None},
        {"collate_fn": default_collate},
        {"transform": None, "mix": MixUp(num_classes=10)},
        {"transform": None, "dtype": torch.float32},
        {"transform": None, "targets": {"image": 0}},
    ],
)
def test_torchs_loader_is_refused(given, workers):
    with pytest.raises(RuntimeError, match="made from the attributes of a gpuaug"):
        next(iter(of_torch(loader(**given), num_workers=workers)))


def test_torchs_iterator_is_refused():
    with pytest.raises(RuntimeError, match="made from the attributes"):
        next(torch.utils.data.DataLoader.__iter__(loader()))


def test_a_dataset_of_files_without_a_transform(tmp_path):
    from PIL import Image

    for kind in "ab":
        (tmp_path / kind).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / kind / "0.png")
    files = G.DataLoader(ImageFolder(tmp_path), batch_size=2, device="cpu")
    with pytest.raises(RuntimeError, match="they are not what it yields"):
        next(iter(of_torch(files)))
    assert next(iter(files))[0].shape == (2, 3, 8, 8)


def test_what_torch_yields_too_is_left_alone():
    def mine(samples):
        return len(samples)

    assert loader(transform=None).collate_fn is default_collate
    assert loader(transform=None, collate_fn=mine).collate_fn is mine
    assert list(of_torch(loader(transform=None, collate_fn=mine))) == [4, 4, 2]


def test_the_function_itself_can_be_had():
    images, numbers = loader().collate_fn.function([Ramps()[i] for i in range(3)])
    assert images.shape == (3, 8, 8, 3)
    assert numbers.tolist() == [0, 1, 2]


def test_ours_is_made_anew_with_its_transform():
    given = loader(shuffle=True, seed=3)
    anew = type(given)(
        given.dataset, batch_size=2, collate_fn=given.collate_fn, transform=given.transform, device=given.device, mix=given.mix
    )
    check(anew)
    check(pickle.loads(pickle.dumps(given)))
    check(copy.copy(given))
    counted = loader(collate_fn=lambda samples: (len(samples), *default_collate(samples)))
    again = G.DataLoader(given.dataset, batch_size=4, collate_fn=counted.collate_fn, transform=FLIP, device="cpu")
    assert [n for n, *_ in again] == [4, 4, 2]


def test_ours_made_anew_without_its_transform_is_refused():
    given = loader(mix=MixUp(num_classes=10))
    with pytest.raises(ValueError, match=r"has transform and mix.*transform=loader\.transform and mix=loader\.mix"):
        type(given)(given.dataset, batch_size=2, collate_fn=given.collate_fn)
    with pytest.raises(ValueError, match=r"has mix: .*mix=loader\.mix"):
        type(given)(given.dataset, batch_size=2, collate_fn=given.collate_fn, transform=FLIP)


@pytest.mark.parametrize("shuffle", [False, True])
def test_ours_is_made_anew_from_its_attributes(shuffle):
    """As ignite's DeterministicEngine does: all but what a batch sampler decides."""
    given = loader(shuffle=shuffle, seed=3, num_workers=1)
    left_out = {"batch_size", "sampler", "drop_last", "batch_sampler", "dataset_kind"}
    arguments = {name: value for name, value in vars(given).items() if not name.startswith("_") and name not in left_out}
    anew = type(given)(**arguments, batch_sampler=BatchSampler(given.batch_sampler.sampler, 5, False))
    check(anew)
    assert [len(numbers) for _, numbers in anew] == [5, 5]


# ---- Ray Train -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def prepare(monkeypatch):
    """Ray Train's `prepare_data_loader`, as one of so many workers has it."""
    loops = pytest.importorskip("ray.train.torch.train_loop_utils")

    def in_a_world_of(world, given, **more):
        monkeypatch.setattr(loops.session, "get_world_size", lambda: world)
        monkeypatch.setattr(loops.session, "get_world_rank", lambda: 1)
        monkeypatch.setattr(loops, "get_device", lambda: torch.device("cpu"))
        monkeypatch.setattr(loops, "get_torch_device_manager_by_context", lambda: None)  # it starts a Ray of its own
        return loops._TorchAccelerator().prepare_data_loader(given, **more)

    return in_a_world_of


def test_ray_train(prepare, monkeypatch):
    check(prepare(1, loader()))
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "is_available", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda group=None: 2)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda group=None: 1)
    with pytest.raises(RuntimeError, match=r"Ray Train: prepare_data_loader\(loader, add_dist_sampler=False\)"):
        list(prepare(2, loader()))
    sampler = DistributedSampler(Ramps(), 2, 1)
    check(prepare(2, loader(sampler=sampler)))
    prepared = prepare(2, loader(), add_dist_sampler=False)
    check(prepared)
    assert [n for _, numbers in prepared for n in numbers.tolist()] == [1, 3, 5, 7, 9]


# ---- others that are in reach ----------------------------------------------------------------------------------------------


def test_torchdatas_loader_is_refused():
    stateful = pytest.importorskip("torchdata.stateful_dataloader")
    given = loader()
    with pytest.raises(RuntimeError, match="made from the attributes"):
        next(iter(stateful.StatefulDataLoader(given.dataset, batch_size=4, collate_fn=given.collate_fn)))

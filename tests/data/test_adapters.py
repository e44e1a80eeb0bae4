"""Datasets in other people's formats: the pixels, draws, states and policies of the same files in a folder."""

import pickle

import numpy as np
import pytest
import torch
from conftest import N
from gray import Gray
from stored_kinds import KINDS
from torch.utils.data import ConcatDataset
from typer.testing import CliRunner

import gpuaug
from gpuaug import cli
from gpuaug.data import Cached, DataLoader, ImageFolder, cached

SIZE = 8
kinds = pytest.mark.parametrize("kind", list(KINDS))


@pytest.fixture(scope="module")
def made(shared_folder, tmp_path_factory):
    """kind -> what makes its dataset, written once."""
    found = {}

    def make(kind, **how):
        if kind not in found:
            found[kind] = KINDS[kind](shared_folder, tmp_path_factory.mktemp(kind))
        return found[kind](**how)

    return make


def augment(seed=3):
    return gpuaug.Compose([gpuaug.RandomResizedCrop((24, 24)), gpuaug.HorizontalFlip(), gpuaug.ToTensorV2()], seed=seed)


def epoch(dataset, **how):
    how = {"batch_size": SIZE, "shuffle": True, "seed": 0, "num_workers": 2, "device": "cpu", "transform": augment(), **how}
    return DataLoader(dataset, **how)


def pairs(loader):
    return [tuple(batch) if isinstance(batch, (tuple, list)) else (batch["image"], batch["label"]) for batch in loader]


def same(a, b):
    assert len(a) == len(b)
    for (images, labels), (images_, labels_) in zip(a, b):
        assert torch.equal(images, images_)
        assert torch.equal(labels, labels_)


@kinds
def test_pixels_are_those_of_files(made, kind, shared_folder, no_leaks):
    loader, files = epoch(made(kind)), epoch(ImageFolder(shared_folder))
    for _ in range(2):  # of the second epoch, too
        found = pairs(loader)
        same(found, pairs(files))
    assert sum(len(labels) for _, labels in found) == N
    assert loader.stats()["road"] == files.stats()["road"]


@kinds
def test_a_row_is_what_the_folder_has(made, kind, shared_folder):
    data, files = made(kind), ImageFolder(shared_folder)
    assert len(data) == len(files)
    for i in (0, 11, N - 1):
        assert np.array_equal(data[i]["image"], files[i][0])
        assert int(data[i]["label"]) == files[i][1]
    assert data.encoded(-1)["image"] == data.encoded(N - 1)["image"]
    if data.fields:  # else the label is in what a value is decoded to
        assert np.array_equal(data.column("label"), files.targets)
    for index in (N, -N - 1):
        with pytest.raises(IndexError, match=f"index {index} is out of range: .* has {N} rows"):
            data.encoded(index)


@kinds
def test_an_epoch_is_continued_in_the_middle(made, kind, shared_folder):
    wanted = pairs(epoch(ImageFolder(shared_folder)))
    loader = epoch(made(kind))
    batches = iter(loader)
    next(batches)
    state = pickle.loads(pickle.dumps(loader.state_dict()))
    again = epoch(made(kind))
    again.load_state_dict(state)
    same(pairs(again), wanted[1:])


@kinds
def test_forked_workers_open_it_themselves(made, kind, shared_folder):
    data = made(kind, transform=Gray())
    data[0]  # opened here, before there are workers
    loader = epoch(data, multiprocessing_context="fork", timeout=60)
    found = pairs(loader)
    assert "worker" in loader.stats()["road"]
    same(found, pairs(epoch(ImageFolder(shared_folder, transform=Gray()), num_workers=0)))
    assert np.array_equal(data[1]["image"], made(kind, transform=Gray())[1]["image"])  # nobody has closed it


def test_spawned_workers_open_it_themselves(made, shared_folder):
    """All kinds in one process: to start one takes seconds."""
    parts = [made(kind, transform=Gray()) for kind in KINDS]
    for part in parts:
        part[0]
    how = {"shuffle": False, "batch_size": N, "transform": gpuaug.Compose([gpuaug.Resize(20, 20)])}
    loader = epoch(ConcatDataset(parts), multiprocessing_context="spawn", num_workers=1, **how)
    files = pairs(epoch(ImageFolder(shared_folder, transform=Gray()), num_workers=0, **how))
    same(pairs(loader), files * len(parts))


@kinds
def test_torchs_own_loader(made, kind, shared_folder):
    size = gpuaug.Compose([gpuaug.Resize(16, 16)])
    data = made(kind, transform=lambda image: size(image=image)["image"])
    loader = torch.utils.data.DataLoader(data, batch_size=SIZE, num_workers=2, timeout=60)
    files = torch.utils.data.DataLoader(ImageFolder(shared_folder, transform=data.transform), batch_size=SIZE)
    same(pairs(loader), pairs(files))


@kinds
def test_copies_by_pickle(made, kind):
    data = made(kind)
    data.encoded(3)
    copy = pickle.loads(pickle.dumps(data))
    assert copy.encoded(3) == data.encoded(3)
    assert copy.fingerprint == data.fingerprint


@kinds
def test_a_cache_of_it(made, kind, shared_folder, tmp_path):
    data = made(kind)
    kept = cached(data, tmp_path / "cache", size=20, progress=False)
    files = cached(ImageFolder(shared_folder), tmp_path / "files", size=20, progress=False)
    same(pairs(epoch(kept)), pairs(epoch(files)))
    cached(made(kind), tmp_path / "cache", size=20, build=False)  # is found to be up to date


COMMANDS = {"parquet": "all.parquet", "hdf5": "all.h5", "zarr": "all.zarr"}


@pytest.mark.parametrize("kind", [kind for kind in COMMANDS if kind in KINDS])
def test_the_command_takes_it(kind, shared_folder, tmp_path):
    KINDS[kind](shared_folder, tmp_path)
    path = tmp_path / COMMANDS[kind]

    def command(*words):
        return CliRunner().invoke(cli.build(), ["cache", "build", *map(str, words), "--size", "20"])

    done = command(path, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert f"{N} samples, {N} of them made now, 0 bad" in done.stdout
    files = cached(ImageFolder(shared_folder), tmp_path / "files", size=20, progress=False)
    same(pairs(epoch(Cached(tmp_path / "out"))), pairs(epoch(files)))
    for words, said in (
        ((path, "--image", "imgae"), "did you mean 'image'"),
        ((path, "--masks", tmp_path), "say --mask with the masks' column"),
        ((shared_folder, "--image", "image"), "--image and --mask name columns of .parquet"),
    ):
        done = command(*words, "--out", tmp_path / "no")
        assert done.exit_code == 2
        assert said in done.stderr.replace("\n", " ")

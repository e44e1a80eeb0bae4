"""Resuming: nothing twice, nothing lost, every pixel as if it had never stopped."""

import json
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import train_and_die
from conftest import N, eventually
from fake_compose import FakeCompose
from processes import PATIENCE, ending, finished
from torch.utils.data import (
    BatchSampler,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from torchvision.datasets import ImageFolder

from gpuaug.data import DataLoader

pytestmark = pytest.mark.usefixtures("no_leaks")


class Arrays(Dataset):
    def __init__(self, n=31):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return np.random.default_rng(i).integers(0, 256, (9, 9, 3), np.uint8), i


class OwnOrder(Sampler):
    """A sampler of the user's with a state of its own."""

    def __init__(self):
        self.round = 5

    def __iter__(self):
        self.round += 1
        return iter(random.Random(self.round).sample(range(31), 31))

    def __len__(self):
        return 31

    def state_dict(self):
        return {"round": self.round}

    def load_state_dict(self, state):
        self.round = state["round"]


def of_folder(folder, **kw):
    return DataLoader(ImageFolder(folder), shuffle=True, **kw)


MAKE = {
    "folder": of_folder,
    "workers": lambda _, **kw: DataLoader(Arrays(), shuffle=True, **kw),
    "in_order": lambda _, **kw: DataLoader(Arrays(), **kw),
    "drop_last": lambda _, **kw: DataLoader(Arrays(), shuffle=True, drop_last=True, **kw),
    "memory": lambda _, **kw: DataLoader(
        TensorDataset(torch.arange(31 * 75).reshape(31, 3, 5, 5).to(torch.uint8)), shuffle=True, **kw
    ),
    "random": lambda _, **kw: DataLoader(Arrays(), sampler=RandomSampler(Arrays(), replacement=True, num_samples=40), **kw),
    "weighted": lambda _, **kw: DataLoader(Arrays(), sampler=WeightedRandomSampler(torch.rand(31), 50), **kw),
    "subset": lambda _, **kw: DataLoader(Arrays(), sampler=SubsetRandomSampler(range(3, 25)), **kw),
    "own_sampler": lambda _, **kw: DataLoader(Arrays(), sampler=OwnOrder(), **kw),
    "generator": lambda _, **kw: DataLoader(Arrays(), shuffle=True, generator=torch.Generator().manual_seed(3), **kw),
}


@pytest.mark.parametrize("kind", MAKE)
def test_the_middle_of_an_epoch(kind, shared_folder):
    stop = random.randrange(1, 5)

    def make(**kw):
        kw = {"batch_size": 4, "device": "cpu", "transform": FakeCompose(4), "seed": None} | kw
        torch.manual_seed(random.randrange(2**31) if "resumed" in kw else 99)
        kw.pop("resumed", None)
        return MAKE[kind](shared_folder, **kw)

    first = make()
    list(first)
    iterator = iter(first)  # epoch 1
    before = [next(iterator) for _ in range(stop)]
    state = pickle.loads(pickle.dumps(first.state_dict()))
    rest = list(iterator) + list(first)
    assert len(before) == stop
    weights = {"weighted"}  # their weights are random: the same sampler must be built
    again = make(num_workers=1, prefetch_factor=3) if kind in weights else make(num_workers=1, prefetch_factor=3, resumed=True)
    again.load_state_dict(state)
    assert again.state_dict().keys() == state.keys()
    resumed = [b for _ in range(2) for b in again]
    assert_same(resumed, rest)


def assert_same(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        if isinstance(x, list):
            assert_same(x, y)
        else:
            assert torch.equal(x, y)


def test_at_the_end_of_an_epoch():
    loader = DataLoader(Arrays(), 10, device="cpu", transform=FakeCompose(4), seed=1)
    iterator = iter(loader)
    for _ in range(4):
        next(iterator)
    after_the_last_batch = loader.state_dict()
    assert next(iterator, None) is None
    after_the_end = loader.state_dict()
    second = [y.tolist() for _, y in loader]
    again = DataLoader(Arrays(), 10, device="cpu", transform=FakeCompose(4), seed=1)
    again.load_state_dict(after_the_last_batch)
    assert list(again) == []
    assert [y.tolist() for _, y in again] == second
    again.load_state_dict(after_the_end)
    assert after_the_end["epoch"] == 1
    assert [y.tolist() for _, y in again] == second


def test_with_another_batch_size():
    def make(size):
        return DataLoader(Arrays(), size, shuffle=True, device="cpu", transform=FakeCompose(4), seed=1)

    whole = torch.cat([x for x, _ in make(4)])
    first = make(4)
    iterator = iter(first)
    part = [next(iterator)[0] for _ in range(3)]
    other = make(7)
    other.load_state_dict(first.state_dict())
    rest = [x for x, _ in other]
    assert [len(x) for x in rest] == [7, 7, 5]
    assert torch.equal(torch.cat(part + rest), whole)


def test_batch_samplers_continue_at_a_batch():
    def make():
        sampler = BatchSampler(RandomSampler(Arrays(), replacement=True, num_samples=60), 6, False)
        return DataLoader(Arrays(), batch_sampler=sampler, device="cpu", transform=FakeCompose(4), seed=1)

    first = make()
    iterator = iter(first)
    for _ in range(4):
        next(iterator)
    state = first.state_dict()
    again = make()
    again.load_state_dict(state)
    assert_same(list(again), list(iterator))


def test_streams_continue(shared_folder):
    files = [path for path, _ in ImageFolder(shared_folder).samples]

    class Files(IterableDataset):
        def __iter__(self):
            return ((Path(path).read_bytes(), n) for n, path in enumerate(files))

    class Decoded(IterableDataset):
        def __iter__(self):
            return (Arrays()[n] for n in range(N))

    for dataset in (Files(), Decoded()):
        for workers in (0, 1):

            def make(dataset=dataset, workers=workers):
                return DataLoader(dataset, 4, device="cpu", transform=FakeCompose(4), seed=1, num_workers=workers)

            first = make()
            iterator = iter(first)
            next(iterator), next(iterator)
            state = first.state_dict()
            again = make()
            again.load_state_dict(state)
            assert_same(list(again), list(iterator))


def test_state_is_small_and_plain():
    loader = DataLoader(Arrays(3000), 100, shuffle=True, device="cpu", seed=1)
    sizes = []
    for _ in loader:
        sizes.append(len(pickle.dumps(loader.state_dict())))
    assert max(sizes) < 400
    assert max(sizes) - min(sizes) < 20


def test_another_order_is_an_error():
    class Whim(OwnOrder):
        state_dict = load_state_dict = property()  # has none

    loader = DataLoader(Arrays(), 4, sampler=Whim(), device="cpu", seed=1)
    next(iter(loader))
    state = loader.state_dict()
    other = DataLoader(Arrays(), 4, sampler=Whim(), device="cpu", seed=1)
    next(iter(other))
    other.load_state_dict(state)
    with pytest.raises(ValueError, match="another order"):
        next(iter(other))
    shorter = DataLoader(Arrays(30), 4, shuffle=True, device="cpu", seed=1)
    longer = DataLoader(Arrays(31), 4, shuffle=True, device="cpu", seed=1)
    next(iter(longer))
    with pytest.raises(ValueError, match="of 31 samples, this one has 30"):
        shorter.load_state_dict(longer.state_dict())
    in_order = DataLoader(Arrays(31), 4, device="cpu", seed=1)
    in_order.load_state_dict(longer.state_dict())
    with pytest.raises(ValueError, match="another order"):
        next(iter(in_order))
    with pytest.raises(ValueError, match="no state"):
        loader.load_state_dict({"epoch": 1})


def test_state_survives_skipping(folder):
    for i in (3, 4, 5, 11):
        next(folder.glob(f"*/{i:03}.jpg")).write_bytes(b"nothing")

    def make():
        return DataLoader(ImageFolder(folder), 3, on_error="skip", device="cpu", transform=FakeCompose(4), seed=1)

    first = make()
    iterator = iter(first)
    seen = [next(iterator)[0]]
    again = make()
    again.load_state_dict(first.state_dict())
    assert_same(list(again), list(iterator))
    assert len(seen[0]) == 3


@pytest.mark.parametrize("where", ["logged", "saved"])
def test_killed(shared_folder, tmp_path, where):
    """A process killed by SIGKILL and continued with other workers: together they saw what an undisturbed one sees."""
    lines = random.randrange(1, 66)
    print(f"killed with {lines} lines in the log")  # pytest shows it if this fails

    def read(name):
        return [tuple(json.loads(line)) for line in (tmp_path / f"{name}.log").read_text().splitlines()]

    def arguments(name, workers):
        return [str(shared_folder), str(tmp_path / f"{name}.log"), str(tmp_path / f"{name}.state"), str(workers), "4"]

    train_and_die.main(*arguments("whole", 1))
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent.parent)])}
    program = [sys.executable, str(here / "train_and_die.py")]
    with ending() as started:
        started.append(subprocess.Popen([*program, *arguments("cut", 1), where, str(lines)], env=environment))
        held = tmp_path / "cut.log.held"
        eventually(lambda: held.exists() or started[0].poll() is not None, seconds=PATIENCE)
        assert started[0].poll() is None
    killed = len(read("cut"))
    assert lines <= killed <= 3 * N
    done = finished([*program, *arguments("cut", 2)], env=environment)
    assert done.returncode == 0, done.stderr
    undisturbed, disturbed = read("whole"), read("cut")
    assert len(undisturbed) == 3 * N
    # what was written to the log and not to the state is done again: the same batch, and never another
    again = killed - max(k for k in range(killed) if k % N % 4 == 0) if where == "logged" else 0
    assert set(disturbed) == set(undisturbed)
    assert len(disturbed) - len(undisturbed) == again
    assert disturbed[killed : killed + again] == disturbed[killed - again : killed]

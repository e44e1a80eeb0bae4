"""Several ranks: every sample once, with the pixels that one process gives it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import N
from fake_compose import FakeCompose
from processes import PATIENCE, ending
from rank_of_two import seen
from torch.utils.data import Dataset, DistributedSampler

from gpuaug.data import DataLoader, loader
from gpuaug.data.order import own_order


class Arrays(Dataset):
    def __len__(self):
        return N

    def __getitem__(self, i):
        return np.random.default_rng(i).integers(0, 256, (9, 9, 3), np.uint8), i


def as_rank(monkeypatch, rank, world):
    monkeypatch.setattr(loader, "_rank", lambda: (rank, world))


def test_two_gloo_processes(shared_folder, tmp_path):
    here = Path(__file__).parent
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent.parent)])}
    args = [sys.executable, str(here / "rank_of_two.py")]
    with ending() as ranks:
        for rank in range(2):
            command = [*args, str(rank), "2", str(tmp_path / "meet"), str(shared_folder)]
            ranks.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE))
        (zero, n), (one, m) = (json.loads(p.communicate(timeout=PATIENCE)[0]) for p in ranks)
    assert n == m == 3
    alone = {(epoch, number): digest for epoch, _, number, digest in seen(shared_folder, seed=0)[0]}
    for epoch in range(2):
        numbers = [[number for e, _, number, _ in rank if e == epoch] for rank in (zero, one)]
        assert [len(x) for x in numbers] == [12, 12]  # 23 samples, and the first again
        assert set(numbers[0]) | set(numbers[1]) == set(range(N))
    extra = 0
    for epoch, _, number, digest in map(tuple, zero + one):
        extra += alone[epoch, number] != digest
    assert extra == 2  # the padding comes a second time in its epoch, so it has another draw


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("n", "world"), [(23, 2), (23, 4), (24, 4), (3, 5), (0, 2)])
def test_parts_are_distributed_samplers(n, world, drop_last):
    for rank in range(world):
        if n < world and drop_last:
            continue
        theirs = DistributedSampler(range(n), world, rank, shuffle=False, drop_last=drop_last)
        ours, _ = own_order(n, False, 0, 0, rank, world, drop_last)
        assert ours.tolist() == list(theirs)


@pytest.mark.parametrize("world", [1, 2, 3])
def test_parts_of_a_shuffled_epoch(world):
    parts = [own_order(N, True, 5, 2, r, world) for r in range(world)]
    every = np.concatenate([p for p, _ in parts])
    count = np.concatenate([c for _, c in parts])
    assert sorted(every[count == 0]) == list(range(N))
    assert len({len(p) for p, _ in parts}) == 1
    whole = own_order(N, True, 5, 2)[0]
    assert np.stack([p for p, _ in parts], 1).reshape(-1)[:N].tolist() == whole.tolist()


def test_lengths_and_draws(monkeypatch):
    one = DataLoader(Arrays(), 4, shuffle=True, device="cpu", transform=FakeCompose(4), seed=2)
    images = {int(i): x for b, y in one for x, i in zip(b, y)}
    got = []
    for rank in range(3):
        as_rank(monkeypatch, rank, 3)
        part = DataLoader(Arrays(), 4, shuffle=True, device="cpu", transform=FakeCompose(4), seed=2, drop_last=True)
        batches = list(part)
        assert len(part) == len(batches) == 1
        for x, i in zip(*batches[0]):
            assert torch.equal(x, images[int(i)])
            got.append(int(i))
    assert len(set(got)) == len(got) == 12


def test_all_ranks_agree_on_an_order_without_a_seed(monkeypatch):
    orders = []
    for rank in range(2):
        as_rank(monkeypatch, rank, 2)
        torch.manual_seed(rank)
        orders += [int(i) for _, y in DataLoader(Arrays(), 4, shuffle=True, device="cpu", transform=FakeCompose(4)) for i in y]
    assert set(orders) == set(range(N))


def test_a_sampler_of_the_users_is_not_divided_again(monkeypatch):
    as_rank(monkeypatch, 1, 2)
    sampler = DistributedSampler(Arrays(), 2, 1, shuffle=True, seed=3)
    part = DataLoader(Arrays(), 4, sampler=sampler, device="cpu", transform=FakeCompose(4))
    first, second = ([int(i) for _, y in part for i in y] for _ in range(2))
    for epoch, got in enumerate((first, second)):
        sampler.set_epoch(epoch)
        assert got == list(sampler)


def test_the_samplers_epoch_is_the_loaders():
    sampler = DistributedSampler(Arrays(), 1, 0, shuffle=True)
    fake = FakeCompose(4)
    part = DataLoader(Arrays(), 23, sampler=sampler, device="cpu", transform=fake)
    for epoch in (0, 5, 6):
        sampler.set_epoch(epoch)
        list(part)
    list(part)
    part.set_epoch(2)
    list(part)
    assert [epoch for epoch, _, _ in fake.calls] == [0, 5, 6, 7, 2]
    assert sampler.epoch == 2

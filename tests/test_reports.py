"""`gpuaug.report`: equal for equal runs, another one for whatever changes samples, order or draws."""

from __future__ import annotations

import json
import logging
import os

import numpy as np
import pytest
import torch
from PIL import Image

import gpuaug as G
from gpuaug.data import ImageFolder


@pytest.fixture
def folder(tmp_path):
    for i in range(6):
        path = tmp_path / "photos" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), i, np.uint8)).save(path)
    return tmp_path / "photos"


def made(folder, steps=None, seed=3, **loading):
    """(pipeline, loader)."""
    aug = G.Compose(steps or [G.HorizontalFlip(), G.Normalize()], seed=seed)
    loading = {"batch_size": 2, "shuffle": True, "seed": 5, **loading}
    return aug, G.DataLoader(ImageFolder(folder), transform=aug, device="cpu", **loading)


def repeated(n):
    return G.data.ImbalancedSampler([0, 1] * 3, num_samples=n, seed=1)


def test_the_hash_tells_runs_apart(folder):
    first = G.report(*made(folder))
    assert G.report(*made(folder)) == first
    others = {
        "seed": G.report(*made(folder, seed=4)),
        "steps": G.report(*made(folder, [G.HorizontalFlip(p=0.4), G.Normalize()])),
        "order": G.report(*made(folder, shuffle=False)),
        "batch": G.report(*made(folder, batch_size=3)),
        "drop_last": G.report(*made(folder, drop_last=True)),
        "bad samples": G.report(*made(folder, on_error="skip")),
        "pixels": G.report(*made(folder, max_pixels=1000)),
        "dtype": G.report(*made(folder, dtype=torch.float16)),
        **{f"{n} of them": G.report(*made(folder, shuffle=False, sampler=repeated(n))) for n in (4, 5)},
        **{
            f"drawn {k}": G.report(*made(folder, shuffle=False, sampler=sampler))
            for k, sampler in enumerate(
                [
                    G.data.ImbalancedSampler([0] * 5 + [1], num_samples=4, seed=1),
                    torch.utils.data.WeightedRandomSampler([1.0] * 6, 4),
                    torch.utils.data.WeightedRandomSampler([1.0] * 5 + [2.0], 4),
                    torch.utils.data.SubsetRandomSampler(list(range(30))),
                    torch.utils.data.SubsetRandomSampler(list(range(1, 31))),
                ]
            )
        },
        "no loader": G.report(made(folder)[0]),
        "no fingerprint": G.report(*made(folder), fingerprint=False),
    }
    file = next(folder.rglob("*.png"))
    os.utime(file, ns=(1, 1))
    others["data"] = G.report(*made(folder))
    assert len({first["hash"], *(other["hash"] for other in others.values())}) == len(others) + 1
    assert first["data"]["samples"] == 6
    assert first["seed"] == 3
    assert first["versions"]["torch"]
    assert first["hash"] in str(first)
    assert G.from_dict(first["pipeline"]) == made(folder)[0], "the pipeline can be made of it again"
    json.dumps(first)


def test_where_a_run_is_does_not_change_it(folder):
    aug, loader = made(folder, shuffle=False, sampler=repeated(6))
    before = G.report(aug, loader)
    assert before["loading"]["sampler"]["num_samples"] == 6
    next(iter(loader))
    loader.sampler.set_epoch(3)
    assert G.report(aug, loader) == before
    for sampler in (
        G.data.BlockSampler([4, 2], seed=2),
        G.data.GroupBatchSampler([0, 0, 1, 1, 2, 2], 2, seed=2),
        G.data.MixedBatchSampler([0, 0, 1, 1, 2, 2], 2, repeat=0.5, group=0.5, seed=2),
    ):
        how = {"batch_sampler": sampler, "batch_size": 1} if hasattr(sampler, "batch_size") else {"sampler": sampler}
        aug, loader = made(folder, shuffle=False, **how)
        before = G.report(aug, loader)
        next(iter(loader))
        assert G.report(aug, loader) == before


def test_of_data_without_a_fingerprint_nothing_is_claimed():
    images = [(np.zeros((8, 8, 3), np.uint8), 0)] * 4
    found = G.report(G.Compose([G.HorizontalFlip()], seed=1), G.DataLoader(images, device="cpu"))
    assert found["data"]["fingerprint"] is None
    assert "of which nothing more is known" in str(found)


def test_functions_of_the_users_and_what_is_no_pipeline(folder):
    aug = G.Compose([G.Lambda(image=lambda image, **_: image)], seed=1)
    assert "Lambda" in G.report(aug)["pipeline"]
    assert G.report(G.Compose([G.NoOp()]), made(folder)[1])["seed"] == 5
    with pytest.raises(ValueError, match=r"say Compose\(seed=\.\.\)"):
        G.report(G.Compose([G.NoOp()]))
    with pytest.raises(TypeError, match=r"takes a gpuaug\.Compose"):
        G.report(G.NoOp())
    with pytest.raises(TypeError, match=r"gpuaug\.DataLoader"):
        G.report(aug, [1])


def test_a_loader_says_once_how_it_loads(folder, caplog):
    loader = made(folder)[1]
    with caplog.at_level(logging.INFO, logger="gpuaug"):
        for _ in range(2):
            list(loader)
    said = [record.getMessage() for record in caplog.records if record.name == "gpuaug.loader"]
    assert len(said) == 1
    assert "files read and decoded by" in said[0]

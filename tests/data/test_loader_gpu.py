"""The loader's road on a GPU, on a GPU and a DALI that are made up (`emu.gpu`, `emu.dali`): whatever runs late, batches are
those of the CPU, nothing is read before its event, and nothing is freed before its use."""

from __future__ import annotations

import gc
import io

import numpy as np
import pytest
import torch
from emu import dali
from emu.gpu import Stream, World
from PIL import Image

import gpuaug as G
from gpuaug.backends.held import Held
from gpuaug.data import loader as of_loader

pytest.importorskip("nvidia.dali")
N, BATCH = 14, 3


def png(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (*rng.integers(20, 40, 2), 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


class Pictures(torch.utils.data.Dataset):
    """Encoded images, made anew each time: who needs the bytes has to keep them."""

    def __init__(self, bad=()):
        self.files = [png(i) for i in range(N)]
        for i in bad:
            self.files[i] = self.files[i][:-40]  # a header, and not all of the pixels

    def __len__(self):
        return N

    def __getitem__(self, i):
        return bytes(bytearray(self.files[i])), i


def pipeline():
    return G.Compose([G.RandomCrop(16, 16), G.HorizontalFlip(), G.GaussianBlur((3, 3)), G.Normalize()], seed=5)


def batches(device, data=None, epochs=1, **how):
    loader = G.DataLoader(
        data or Pictures(), BATCH, shuffle=True, transform=pipeline(), device=device, seed=1, num_workers=2, **how
    )
    return [batch for _ in range(epochs) for batch in loader], loader


@pytest.fixture
def made_up(monkeypatch):
    def make(seed, apart=False):
        world = World(seed)
        world.install(monkeypatch)
        dali.install(monkeypatch, world, apart)
        # torch has no memory here for what is beside the images
        monkeypatch.setattr(of_loader, "fill", lambda rest, values, device=None, real=of_loader.fill: real(rest, values))
        return world

    return make


@pytest.fixture(scope="module")
def expected():
    return batches("cpu", epochs=2)[0]


def wrong(got, want) -> bool:
    assert len(got) == len(want)
    return any(not torch.equal(a, b) or not torch.equal(i, j) for (a, i), (b, j) in zip(got, want))


@pytest.mark.parametrize("seed", range(6))
def test_late_streams_give_the_batches_of_the_cpu(made_up, expected, seed):
    world = made_up(seed, apart=bool(seed % 2))
    side = Stream(world=world) if seed % 3 == 0 else world.default
    with world.stream(side):  # the training's
        got, loader = batches("cuda", epochs=2)
    assert any(name.startswith("fused_u8_f32_c3") for name in world.launches)
    world.finish()
    assert not wrong(got, expected)
    loader._held.purge()
    assert len(loader._held) == 0, "what is read no more is let go of"


def test_bad_files_on_the_gpu(made_up):
    want, _ = batches("cpu", Pictures([4, 9]), on_error="skip")
    world = made_up(3)
    got, loader = batches("cuda", Pictures([4, 9]), on_error="skip")
    world.finish()
    assert sorted(bad.index for bad in loader.errors) == [4, 9]
    assert not wrong(got, want)


def test_an_epoch_that_is_left(made_up):
    want = next(iter(G.DataLoader(Pictures(), BATCH, transform=pipeline(), device="cpu", seed=1)))
    world = made_up(2)
    loader = G.DataLoader(Pictures(), BATCH, transform=pipeline(), device="cuda", seed=1, num_workers=2)
    first = next(iter(loader))
    gc.collect()
    world.finish()
    assert torch.equal(first[0], want[0])


# ---- the world finds what it is there for --------------------------------------------------------------


def fails(made_up, expected) -> bool:
    for seed in range(6):
        world = made_up(seed)
        got, _ = batches("cuda", epochs=2)
        gc.collect()
        try:
            world.finish()
        except AssertionError:
            return True
        if wrong(got, expected):
            return True
    return False


def test_a_loader_that_holds_nothing_is_found_out(made_up, expected, monkeypatch):
    monkeypatch.setattr(Held, "keep", lambda self, event, what: None)
    assert fails(made_up, expected)


def test_bytes_that_are_freed_early_are_found_out(made_up, expected, monkeypatch):
    keep = Held.keep
    # the producer's list holds bytes, the other TensorLists
    monkeypatch.setattr(Held, "keep", lambda self, event, what: keep(self, event, None if isinstance(what, list) else what))
    assert fails(made_up, expected)


def test_a_reader_that_does_not_wait_is_found_out(made_up, expected, monkeypatch):
    wait = Stream.wait_event
    monkeypatch.setattr(Stream, "wait_event", lambda self, event: None if self is self.world.default else wait(self, event))
    assert fails(made_up, expected)

"""The loader's road on a GPU, on a GPU and a DALI that are made up (`emu.gpu`, `emu.dali`): whatever runs late, batches are
those of the CPU, nothing is read before its event, and nothing is freed before its use."""

from __future__ import annotations

import gc
import io
import threading
import weakref
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from conftest import eventually
from emu import dali
from emu.gpu import Stream, World
from PIL import Image

import gpuaug as G
from gpuaug.backends.held import Held
from gpuaug.data import ahead, producer
from gpuaug.data import loader as of_loader
from gpuaug.data.ahead import _is_ours, finisher
from gpuaug.data.channel import Channel

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


def batches(world=None, data=None, epochs=1, **how):
    """What a training reads on its stream, which drops a batch as soon as it has queued that; and the loader. world: None: a
    CPU."""
    device = "cpu" if world is None else "cuda"
    how = {"transform": pipeline(), "shuffle": True, **how}
    loader = G.DataLoader(data or Pictures(), BATCH, device=device, seed=1, num_workers=2, **how)
    images, labels = [], []
    for _ in range(epochs):
        for image, label in loader:
            images.append(image) if world is None else world.reads(image, images)
            labels.append(label)
            del image, label
    if world is not None:
        world.finish()
    return list(zip(images, labels)), loader


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
    return batches(epochs=2)[0]


def wrong(got, want) -> bool:
    assert len(got) == len(want)
    return any(not torch.equal(a, b) or not torch.equal(i, j) for (a, i), (b, j) in zip(got, want))


@pytest.mark.parametrize("seed", range(6))
def test_late_streams_give_the_batches_of_the_cpu(made_up, expected, seed):
    world = made_up(seed, apart=bool(seed % 2))
    side = Stream(world=world) if seed % 3 == 0 else world.default
    with world.stream(side):  # the training's
        got, loader = batches(world, epochs=2)
    assert any(name.startswith("fused_u8_f32_c3") for name in world.launches)
    assert not wrong(got, expected)
    loader._held.purge()
    assert len(loader._held) == 0, "what is read no more is let go of"


def test_bad_files_on_the_gpu(made_up):
    want, _ = batches(None, Pictures([4, 9]), on_error="skip")
    world = made_up(3)
    got, loader = batches(world, Pictures([4, 9]), on_error="skip")
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


# ---- one batch ahead -----------------------------------------------------------------------------------


class Segments(Pictures):
    """Pictures and masks, both files."""

    def __getitem__(self, i):
        image, _ = super().__getitem__(i)
        mask = io.BytesIO()
        Image.open(io.BytesIO(image)).convert("L").point(lambda value: value // 64).save(mask, "PNG")
        return {"image": image, "mask": mask.getvalue()}


def read(world, loader) -> list[dict]:
    """What of each batch a training reads; world: None: a CPU."""
    out = []
    for batch in loader:
        kept = {name: [] for name in batch}
        for name, value in batch.items():
            kept[name].append(value) if world is None else world.reads(value, kept[name])
        out.append(kept)
    if world is not None:
        world.finish()
    return [{name: value for name, (value,) in kept.items()} for kept in out]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("road", ["files", "memory"])
def test_masks_move_with_their_images(made_up, seed, road):
    """Masks are decoded on the host and sent; so is what lies in memory."""
    rng = np.random.default_rng(0)
    arrays = [
        {"image": rng.integers(0, 256, (30, 36, 3), np.uint8), "mask": rng.integers(0, 4, (30, 36), np.uint8)} for _ in range(N)
    ]
    steps = [
        G.RandomCrop(16, 16),
        G.Affine(rotate=(-20, 20)),
        G.MaskDropout(p=0.5),
        G.ImageCompression("jpeg", (40, 60)),
        G.Normalize(),
    ]

    def loader(device):
        data = Segments() if road == "files" else arrays
        return G.DataLoader(
            data, BATCH, shuffle=True, transform=G.Compose(steps), device=device, seed=1, num_workers=2 * (road == "files")
        )

    want = read(None, loader("cpu"))
    world = made_up(seed)
    got = read(world, loader("cuda"))
    assert len(got) == len(want) == 5
    for a, b in zip(got, want):
        assert all(torch.equal(a[name], b[name]) for name in b)


class Where:
    """A function that says in which thread it was called."""

    def __init__(self):
        self.threads = set()

    def __call__(self, value, **_):
        self.threads.add(threading.current_thread())
        return value


def test_functions_of_the_users_run_in_the_users_thread(made_up):
    """A collate_fn, and a pipeline that calls something of the user's, whole; what is ours is done ahead."""
    where, steps = Where(), pipeline().transforms
    cases = [
        {"collate_fn": lambda samples: torch.utils.data.default_collate([(image.cpu(), i) for image, i in where(samples)])},
        {"transform": G.Compose([*steps[:2], G.Lambda(image=where), *steps[2:]], seed=5)},
    ]
    want = [batches(**how)[0] for how in cases]
    for seed, how in enumerate(cases):
        where.threads.clear()
        got, _ = batches(made_up(seed), **how)
        assert where.threads == {threading.main_thread()}
        assert not wrong(got, want[seed])


class References(Sequence):
    def __init__(self, where):
        self.where = where

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return self.where(np.full((16, 16, 3), 60 * i, np.uint8))


class Mixed(G.data.CutMix):
    def __call__(self, batch, **how):
        return self.where(super().__call__(batch, **how))


def test_what_is_the_users_runs_in_the_users_thread(made_up):
    """Classes that they derive: of transforms, of what mixes batches, of lists of images; a function may have no module."""
    where, mix, steps = Where(), Mixed(labels=[]), pipeline().transforms
    mix.where, images = where, {i: np.full((16, 16, 3), i, np.uint8) for i in range(9)}
    adapted = {"beta_limit": (0.2, 0.3), "p": 1}
    with_class = [G.FDA(References(where), read_fn=np.asarray, **adapted), *steps]
    assert _is_ours(G.Compose([G.FDA(list(images.values()), **adapted), *steps]))
    assert _is_ours(G.Compose([G.FDA([1, 2], read_fn=images.__getitem__, **adapted), *steps]))
    assert not _is_ours(G.Compose([G.FDA([1, 2], read_fn=np.asarray, **adapted), *steps]))
    assert not _is_ours(G.Compose([G.FDA(References(where), **adapted), *steps]))
    for how in ({"mix": mix}, {"transform": G.Compose(with_class, seed=5)}):
        loader = G.DataLoader(Pictures(), BATCH, device="cpu", **how)
        assert finisher(loader, 0) is None, "a CPU"
        made_up(0)
        loader = G.DataLoader(Pictures(), BATCH, device="cuda", **how)
        assert finisher(loader, 0) is None
        loader = G.DataLoader(Pictures(), BATCH, device="cuda", mix=G.data.CutMix(labels=[]))
        assert finisher(loader, 0) is not None


def test_draws_are_made_ahead(made_up, monkeypatch):
    threads, real = [], G.Compose.run
    monkeypatch.setattr(G.Compose, "run", lambda *a, **k: (threads.append(threading.current_thread().name), real(*a, **k))[1])
    batches()
    assert set(threads) == {"MainThread"}
    threads.clear()
    batches(made_up(0))
    assert set(threads) == {"gpuaug-loader"}


class Encoded(torch.utils.data.IterableDataset):
    """Files, of a dataset that the loader's thread iterates."""

    yields_encoded = True

    def __iter__(self):
        return iter([{"image": png(i), "label": i} for i in range(N)])


def test_seeds_are_drawn_by_the_thread_that_iterates(made_up, monkeypatch):
    """From torch's generator: elsewhere it would depend on the time which number a program draws."""
    threads, real = [], of_loader.order.drawn
    monkeypatch.setattr(of_loader.order, "drawn", lambda *a: (threads.append(threading.current_thread().name), real(*a))[1])
    for device in ("cpu", "cuda"):
        world = made_up(2) if device == "cuda" else None
        transform = G.Compose([G.RandomCrop(16, 16), G.HorizontalFlip(), G.Normalize()])
        got = read(world, G.DataLoader(Encoded(), BATCH, transform=transform, device=device))
        assert len(got) == 5
    assert threads == ["MainThread"] * 2


class Slow(Pictures):
    """All but the first batches, of which two are decoded at a time, come later."""

    def __init__(self):
        super().__init__()
        self.go, self.thread_safe = threading.Event(), True

    def encoded(self, i):
        assert i < 2 * BATCH or self.go.wait(600)
        return self[i]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_batch_is_the_loops_to_let_go_of(made_up, device):
    world, data = made_up(1) if device == "cuda" else None, Slow()
    road = iter(G.DataLoader(data, BATCH, transform=pipeline(), device=device, num_workers=2))
    image, _ = next(road)
    there = weakref.ref(image)
    del image
    try:
        eventually(lambda: (gc.collect(), there())[1] is None)  # the thread lets go of it, and waits for the next one
    finally:
        data.go.set()
    assert len(list(road)) == 4
    if world is not None:
        world.finish()


def test_epochs_share_a_stream_and_its_memory(made_up, monkeypatch):
    """Torch keeps freed memory for the stream that it was on; two iterators at a time have two."""
    used, real = [], ahead.Finisher.__call__
    monkeypatch.setattr(
        ahead.Finisher, "__call__", lambda self, loaded, stream: (used.append(stream), real(self, loaded, stream))
    )
    world = made_up(2)
    batches(world, epochs=3)
    left = iter(G.DataLoader(Pictures(), BATCH, transform=pipeline(), device="cuda"))
    next(left)
    left._road.close()
    batches(world)
    assert len(set(used)) == 1
    two = [iter(G.DataLoader(Pictures(), BATCH, transform=pipeline(), device="cuda")) for _ in range(2)]
    assert len([list(zip(*two))]) == 1
    assert len(set(used)) == 2
    batches(world)
    assert len(set(used)) == 2
    world.finish()


@pytest.mark.parametrize("done", [False, True])
def test_a_timeout_is_for_reading_and_decoding(made_up, monkeypatch, done):
    """Kernels that are compiled for the first batch take longer; `done`: it is there when the time is found to be over."""
    real, take, data = ahead.Finisher.__call__, Channel.get, Slow()
    begun, late = threading.Event(), threading.Event()

    def finish(self, loaded, stream):
        begun.set()
        assert done or late.wait(60)
        real(self, loaded, stream)

    def get(channel, timeout, alive):
        assert begun.wait(60)
        if late.is_set():
            data.go.set()
            return take(channel, timeout, alive)
        running = next(each for each in producer._running if each.channel is channel)
        if done:
            eventually(lambda: channel.ready() and not running.finishing)
        late.set()
        raise TimeoutError

    monkeypatch.setattr(ahead.Finisher, "__call__", finish)
    monkeypatch.setattr(Channel, "get", get)
    try:
        got, _ = batches(made_up(3), data, timeout=60, shuffle=False)
    finally:
        data.go.set()
    assert len(got) == 5


@pytest.mark.filterwarnings("ignore:Sparse")
def test_labels_may_be_sparse(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "is_cuda", property(lambda tensor: True))
    dense = torch.eye(4)
    for sparse in (
        dense.to_sparse(),
        dense.to_sparse_csr(),
        dense.to_sparse_csc(),
        dense.to_sparse_bsr(2),
        dense.to_sparse_bsc(2),
    ):
        found = list(ahead._on_gpu({"image": dense, "label": [sparse]}))
        assert found[0] is dense
        assert len(found) >= 3
        assert all(each.layout == torch.strided for each in found)
        assert sum(each.is_floating_point() and each.sum() == 4 for each in found[1:]) == 1


def test_an_error_comes_behind_the_batches_before_it(made_up):
    """Samples that end with different sizes: the third batch; the error names the samples of the dataset."""
    data = Pictures()
    big = io.BytesIO()
    Image.fromarray(np.zeros((60, 60, 3), np.uint8)).save(big, "PNG")
    data.files = [png(3)] * 7 + [big.getvalue()] + [png(3)] * 6
    told = []
    for device in ("cpu", "cuda"):
        world = made_up(4) if device == "cuda" else None
        loader = G.DataLoader(
            data, BATCH, transform=G.Compose([G.Normalize()], seed=5), seed=1, device="cuda" if world else "cpu"
        )
        seen = []
        with pytest.raises(ValueError, match="samples end with different sizes") as error:
            seen.extend(label for _, label in loader)
        assert torch.cat(seen).tolist() == list(range(6))
        told.append(str(error.value))
    assert told[0] == told[1]


def test_it_goes_on_where_it_was_left(made_up, expected):
    world = made_up(5)
    loader = G.DataLoader(Pictures(), BATCH, shuffle=True, transform=pipeline(), device="cuda", seed=1, num_workers=2)
    got, images, labels = iter(loader), [], []
    for _ in range(2):
        image, label = next(got)
        world.reads(image, images)
        labels.append(label)
    state = loader.state_dict()
    del got
    again = G.DataLoader(Pictures(), BATCH, shuffle=True, transform=pipeline(), device="cuda", num_workers=2)
    again.load_state_dict(state)
    for image, label in again:
        world.reads(image, images)
        labels.append(label)
    world.finish()
    assert not wrong(list(zip(images, labels)), expected[:5])


def test_time_that_is_spent_ahead_is_the_background_threads(made_up):
    for share, world in ((73, lambda: None), (68, lambda: made_up(0))):
        _, loader = batches(world())
        spent = loader._stats.seconds
        assert spent["kernels"] > 0
        loader._stats.seconds = dict.fromkeys(spent, 0.0) | {"wait": 1.0, "decode": 1.0, "kernels": 3.0, "consumer": 0.1}
        assert loader.stats()["bottleneck"].startswith(f"{share}% of the time goes to the transforms")
    loader.transform = G.Compose([*pipeline().transforms, G.Lambda(image=Where())])  # is not done ahead any more
    list(loader)
    loader._stats.seconds = dict.fromkeys(spent, 0.0) | {"wait": 1.0, "decode": 1.0, "kernels": 3.0, "consumer": 0.1}
    assert loader.stats()["bottleneck"].startswith("73% of the time goes to the transforms")


# ---- the world finds what it is there for --------------------------------------------------------------


def fails(made_up, expected) -> bool:
    for seed in range(6):
        world = made_up(seed)
        try:
            got, _ = batches(world, epochs=2)
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


def test_memory_that_is_used_again_while_it_is_read_is_found_out(made_up, expected, monkeypatch):
    monkeypatch.setattr(ahead, "_on_gpu", lambda batch: iter(()))
    assert fails(made_up, expected)

"""`Compose.capture`: replays of graphs give what `run` gives, on the GPU of `emu.gpu`, whose streams lag and whose freed memory
is spoilt."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys

import emu
import numpy as np
import pytest
import torch
from emu import dali
from emu.beside import DEVICES, Sass
from emu.gpu import Stream, World

import gpuaug as G
from gpuaug import backends, deliver
from gpuaug.backends import cuda, graphs
from gpuaug.backends.held import Held
from gpuaug.backends.shapes import parts_of

SIZE = 24


def affine():
    return [
        G.Affine(scale=(0.8, 1.2), rotate=(-30, 30), p=0.6),
        G.RandomBrightnessContrast(),
        G.HueSaturationValue(p=0.5),
        G.Normalize(),
    ]


def cropped():
    return [G.RandomResizedCrop((20, 20)), G.HorizontalFlip(), G.ColorJitter(p=0.7), G.GaussNoise(p=0.4), G.Normalize()]


def either():
    blurs = [G.GaussianBlur((3, 7)), G.MedianBlur((3, 5)), G.MotionBlur((3, 5)), G.Morphological((2, 3))]
    return [G.Affine(rotate=(-20, 20), interpolation=2, p=0.4), G.OneOf(blurs, p=0.8), G.CLAHE(p=0.3), G.Equalize(p=0.3)]


def looked_at():
    return [
        G.MaskDropout(p=0.6),
        G.ImageCompression("jpeg", (40, 60), p=0.5),
        G.HorizontalFlip(),
        G.Resize(16, 16, interpolation=3),
    ]


PIPELINES = {"views": lambda: [G.HorizontalFlip(), G.Normalize()]} | {f.__name__: f for f in (affine, cropped, either, looked_at)}


class Given:
    """A batch in the memory of the made-up card, and in the host's."""

    def __init__(self, world, samples: int, seed: int, size: int = SIZE):
        rng = np.random.default_rng(seed)
        fine = rng.integers(0, 256, (samples, size, size, 3), dtype=np.uint8)
        self.image = np.repeat(np.repeat(fine[:, ::4, ::4], 4, 1), 4, 2) // 2 + fine // 2
        self.mask = (self.image[..., :1] > 127).astype(np.uint8)
        self.ids = rng.integers(0, 10**6, samples)
        self.world = world

    def there(self, masks: bool) -> dict:
        return {name: self._listed(name) for name in (("image", "mask") if masks else ("image",))}

    def _listed(self, name):
        values = getattr(self, name)
        out = dali.TensorListGPU(self.world, [value.shape for value in values], False)
        for part, value in zip(out.parts, values):
            part[:] = value.ravel()
        return out

    def want(self, compose, epoch: int, masks: bool, **how) -> dict:
        targets = {"image": self.image, "mask": self.mask} if masks else {"image": self.image}
        return {
            name: value.clone() for name, value in compose.run(targets, ids=self.ids, epoch=epoch, device="cpu", **how).items()
        }


@pytest.fixture
def made_up(monkeypatch):
    def make(seed):
        world = World(seed)
        world.install(monkeypatch)
        monkeypatch.setattr(cuda, "HELD", Held())
        return world

    return make


def calls(world, make, masks: bool, batches: int = 10, **how):
    """(got, wanted) of some batches, all of them kept until the end; what was captured."""
    compose = G.Compose(make(), seed=3)
    first = Given(world, 6, 99)
    captured = compose.capture(first.there(masks), ids=first.ids, rehearse=6, **how)
    pairs, side = [], Stream(world=world)
    for number in range(batches):
        given = Given(world, 3 if number % 4 == 3 else 6, number)
        with world.stream(side if number % 3 == 2 else world.default):
            got = captured(given.there(masks), ids=given.ids, epoch=number)
        pairs.append((got, given.want(compose, number, masks, **how)))
        gc.collect()
    return pairs, captured


def wrong(pairs) -> bool:
    return any(not torch.equal(got[name], want[name]) for got, want in pairs for name in want)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PIPELINES)
def test_replays_are_runs(made_up, name, seed):
    """Other samples, other draws, fewer samples, another stream: to the bit; and what was returned is not written again."""
    world, masks = made_up(seed), name in ("affine", "looked_at")
    dtype = torch.float16 if seed == 1 and name in ("views", "affine") else None
    pairs, captured = calls(world, PIPELINES[name], masks, dtype=dtype, channels_last=seed == 2)
    world.finish()
    assert not wrong(pairs)
    stats = captured.stats()
    assert stats["replays"] == len(world.replays) > 5
    assert stats["plans"] == stats["replays"] + stats["captures"] + stats["alone"]


def test_a_pipeline_of_views_is_captured_once(made_up):
    world = made_up(0)
    pairs, captured = calls(world, PIPELINES["views"], False)
    world.finish()
    assert captured.stats() == {"plans": 16, "replays": 15, "captures": 1, "alone": 0, "launches": [1]}
    assert repr(captured) == "<captured Compose: 16 plans, 15 replays, 1 captures, 0 alone>"
    assert not wrong(pairs)


def test_it_grows_for_what_is_larger(made_up):
    """More samples, and larger ones, than it was captured with."""
    world, compose = made_up(1), G.Compose(either(), seed=3)
    captured, pairs = compose.capture(Given(world, 2, 0).there(False), rehearse=1), []
    for number, (samples, size) in enumerate([(2, 24), (9, 24), (9, 40), (2, 24), (9, 40)] * 3):
        given = Given(world, samples, number, size)
        got = captured(given.there(False), ids=given.ids, epoch=number)
        pairs.append((got, given.want(compose, number, False)))
    world.finish()
    assert not wrong(pairs)
    alike = [slot[:-1] for slot in captured._graphs[0].slots]
    assert len(alike) < 2 * len(set(alike)), "what is there grows; another order is all that makes it once more"
    assert captured.stats()["captures"] < 12


def test_orders_without_end_are_launched_by_themselves(made_up, monkeypatch):
    """Slots stay few, and graphs are captured no more; what is launched by itself is right, too, behind and before replays."""
    steps = [G.GaussianBlur((3, 3), p=1), G.MedianBlur((3, 3), p=1), G.CLAHE(p=1), G.Equalize(p=1), G.Sharpen(p=1)]
    monkeypatch.setattr(graphs, "MOST", 1)
    world, compose = made_up(6), G.Compose([G.RandomOrder(steps, n=(1, 3))], seed=3)
    first = Given(world, 2, 0)
    captured, pairs, side, counted = compose.capture(first.there(False), rehearse=1), [], Stream(world=world), []
    for number in range(40):
        given = Given(world, 2, number)
        with world.stream(side if number % 5 == 4 else world.default):
            pairs.append((captured(given.there(False), ids=given.ids, epoch=number), given.want(compose, number, False)))
        counted.append(captured.stats())
    world.finish()
    assert not wrong(pairs)
    graph = captured._graphs[0]
    assert len(graph.slots) <= graphs.MOST * graph._longest
    assert counted[-1]["alone"] > 5
    assert counted[-1]["replays"] > 3
    assert counted[-1]["captures"] == counted[30]["captures"]
    assert counted[-1]["replays"] == len(world.replays)


def test_host_stages_are_on_the_callers_stream(made_up):
    """Not captured: threads that take samples to the host and back have other current streams."""
    for seed in range(4):
        world, compose = made_up(seed), G.Compose([G.Affine(rotate=(-20, 20), p=1), *looked_at()], seed=3)
        given = Given(world, 6, seed)
        with world.stream(Stream(world=world)):
            got = compose.run(given.there(True), ids=given.ids)
        world.finish()
        assert not wrong([(got, given.want(compose, 0, True))])


def test_on_a_cpu_it_is_run():
    compose, given = G.Compose(cropped(), seed=3), Given(None, 4, 0)
    captured = compose.capture({"image": given.image}, ids=given.ids, device="cpu")
    got = captured({"image": given.image}, ids=given.ids, epoch=5)
    assert torch.equal(got["image"], given.want(compose, 5, False)["image"])
    assert captured.stats() == {"plans": 0, "replays": 0, "captures": 0, "alone": 0, "launches": []}


@pytest.mark.parametrize(("rehearse", "error"), [(0, ValueError), (1.5, TypeError), ("all", TypeError)])
def test_errors(rehearse, error):
    with pytest.raises(error, match="rehearse must"):
        G.Compose([]).capture({"image": np.zeros((1, 2, 2, 3), np.uint8)}, rehearse=rehearse)


@pytest.mark.parametrize("targets", [np.zeros((1, 2, 2, 3), np.uint8), {}, None])
def test_a_batch_is_a_dict(targets):
    with pytest.raises(TypeError, match=r"a batch is a dict of targets, such as \{'image': images\}, got"):
        G.Compose([]).capture(targets)


def test_an_error_in_a_call_leaves_it_usable(made_up, monkeypatch):
    world, compose = made_up(2), G.Compose(cropped(), seed=3)
    given = Given(world, 4, 0)
    captured = compose.capture(given.there(False), ids=given.ids, rehearse=1)
    empty, asked = type(cuda.Gpu(0)).empty, []

    def full(self, size):
        asked.append(size)
        raise MemoryError("the card is full")

    larger = Given(world, 30, 1)
    monkeypatch.setattr(type(cuda.Gpu(0)), "empty", full)
    with pytest.raises(MemoryError, match="the card is full"):
        captured(larger.there(False), ids=larger.ids)
    assert asked
    monkeypatch.setattr(type(cuda.Gpu(0)), "empty", empty)
    pairs = []
    for given in (larger, Given(world, 4, 2), larger):
        got = captured(given.there(False), ids=given.ids)
        pairs.append((got, given.want(compose, 0, False)))
    world.finish()
    assert not wrong(pairs)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_have_graphs_of_their_own(made_up, copied):
    world, compose = made_up(4), G.Compose(cropped(), seed=3)
    given = Given(world, 4, 0)
    captured = compose.capture(given.there(False), ids=given.ids, rehearse=2, dtype=torch.float16)
    twin, pairs = copied(captured), []
    assert twin.stats()["plans"] == 0
    for epoch, one in enumerate((captured, twin, captured, twin)):
        want = given.want(compose, epoch, False, dtype=torch.float16)
        pairs.append((one(given.there(False), ids=given.ids, epoch=epoch), want))
    world.finish()
    assert not wrong(pairs)


def shapes_of(make) -> dict:
    """The shapes of a pipeline's launches, by their kernels."""
    found = {}

    def note(plan, device=None):
        for launch in plan.launches:
            found.update({part.shape.kernels()[0]: part.shape for part in parts_of(launch, plan.ops)})
        backends.execute(plan, device)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(deliver, "execute", note)
        G.Compose(make(), seed=3).run({"image": Given(None, 40, 0).image}, ids=range(40), device="cpu")
    return found


@pytest.mark.parametrize("device", DEVICES)
def test_rows_of_zeros_are_nothing_to_do(device):
    """For every kind of kernel: it reads its row, and no more."""
    shapes = shapes_of(either) | shapes_of(lambda: [G.Resize(9, 9, interpolation=3), G.Normalize()])
    assert {key.kind for key in shapes} == {"fused", "filter", "rank", "reduce", "lookup", "resample"}
    assert {key.taps for key in shapes} >= {None, 3, 5, 7}
    on = emu.Device() if device == "fibers" else Sass()
    for shape in shapes.values():
        shape = shape._replace(most=(3, *shape.most[1:]))
        at, rows = on.empty(3 * shape.row)
        rows[:] = 0
        on.prepare(shape.kernels())
        shape.queue(on, at, 1, 1, 1)  # no address of anything
        assert not rows.any()


# ---- slots ---------------------------------------------------------------------------------------------


def shape(code: int, *most: int) -> graphs.Shape:
    return graphs.Shape("fused", "uint8", "uint8", 3, code, 0, 256, most)


def test_slots_hold_every_sequence_that_was_met():
    rng, slots, met = np.random.default_rng(0), [], []
    for _ in range(60):
        shapes = [shape(int(code), *rng.integers(1, 50, 3).tolist()) for code in rng.integers(0, 4, rng.integers(1, 6))]
        met.append(shapes)
        slots, places = graphs._merged(slots, shapes, 50)
        assert places == sorted(set(places))
        assert all(graphs._fits(slots[place], each) for place, each in zip(places, shapes))
        for earlier in met:
            found = graphs._fit(slots, earlier)
            assert found == sorted(set(found))
            assert all(graphs._fits(slots[place], each) for place, each in zip(found, earlier))
    assert len(slots) < 40
    assert graphs._fit(slots, [shape(9, 1, 1, 1)]) is None


def test_weights_grow_no_further_than_a_block_has_memory():
    weights = [graphs.Shape("filter", "float32", "float32", 3, 0, None, 128, (2, 500, 500, n, n)) for n in (301, 369, 371)]
    assert all(each.possible() for each in weights)
    assert not weights[0]._replace(most=(2, 500, 500, 384, 384)).possible()
    slots = []
    for number, each in enumerate(weights):
        slots, places = graphs._merged(slots, [each], 2)
        assert places == [0]
        assert all(graphs._fits(slots[0], earlier) for earlier in weights[: number + 1])
        assert slots[0].possible()


def test_a_launch_of_more_rows_than_samples_has_room():
    slots, places = graphs._merged([shape(0, 3, 9, 1)], [shape(0, 40, 9, 1)], 6)
    assert graphs._fit(slots, [shape(0, 40, 9, 1)]) == places == [0]


# ---- the world finds what it is there for --------------------------------------------------------------


class Shared(graphs.Graph):
    """One buffer of the host for all uploads."""

    def run(self, plan, device):
        kept, real = self.__dict__.setdefault("kept", {}), device.pinned
        device.pinned = lambda size: kept.setdefault(size, real(size))
        super().run(plan, device)


class Stale(graphs.Graph):
    """Rows that no plan fills are left as they were."""

    def _lay_out(self, host, *of):
        super()._lay_out(host, *of)
        last = self.__dict__.setdefault("last", {}).setdefault(len(host), host.copy())
        empty, host[:] = host == 0, np.where(host == 0, last, host)
        last[~empty] = host[~empty]


class Unordered(graphs.Graph):
    """Calls on several streams do not wait for each other."""

    def _follow(self, device):
        pass


class Dropped(graphs.Graph):
    """A graph is destroyed when another takes its place."""

    def _grow(self, device, *of):
        device.keep = lambda graph: None
        return super()._grow(device, *of)


BROKEN = {broken.__name__: broken for broken in (graphs.Graph, Shared, Stale, Unordered, Dropped)}


def run_with(broken: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(graphs, "Graph", BROKEN[broken])
        for seed, name in enumerate(("affine", "either", "cropped", "either", "views", "either")):
            world = World(seed)
            world.install(monkeypatch)
            monkeypatch.setattr(cuda, "HELD", Held())
            pairs, _ = calls(world, PIPELINES[name], False)
            world.finish()
            assert not wrong(pairs), name


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_graphs_are_found_out(broken):
    """In a process of its own: kernels that are given wrong addresses end it."""
    done = subprocess.run([sys.executable, __file__, broken], capture_output=True, text=True)
    assert (done.returncode == 0) == (broken == "Graph"), done.stderr


if __name__ == "__main__":
    run_with(sys.argv[1])

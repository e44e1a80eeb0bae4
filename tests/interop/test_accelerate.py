"""A loader in the hands of Hugging Face's accelerate: alone, and in two gloo processes."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import finished
from torch.utils.data import Dataset, DistributedSampler, IterableDataset, Subset, WeightedRandomSampler

import gpuaug as G
from gpuaug.data import BadSampleError, ImbalancedSampler
from gpuaug.data.order import own_order

accelerate = pytest.importorskip("accelerate")
ROOT = Path(__file__).resolve().parents[2]
PATHS = [os.path.dirname(__file__), str(ROOT / "tests")]
N = 13


class Ramps(Dataset):
    """Pictures that differ in every pixel, numbered."""

    def __len__(self):
        return N

    def __getitem__(self, i):
        return np.arange(i, i + 192, dtype=np.uint8).reshape(8, 8, 3), i


class Stream(IterableDataset):
    def __iter__(self):
        return iter([Ramps()[i] for i in range(N)])


def loader(dataset=None, **more):
    compose = G.Compose([G.HorizontalFlip(), G.VerticalFlip(), G.Normalize()], seed=5)
    arguments = {"batch_size": 3, "transform": compose, "device": "cpu", "seed": 5, **more}
    return G.DataLoader(Ramps() if dataset is None else dataset, **arguments)


def pixels(batches):
    return {int(n): image for images, numbers in batches for n, image in zip(numbers, images, strict=True)}


def accelerator(**more):
    return accelerate.Accelerator(cpu=True, **more)


@pytest.mark.parametrize("dispatched", [None, True])
@pytest.mark.parametrize("dataset", [Ramps, Stream])
def test_the_transform_stays(dataset, dispatched):
    configuration = accelerate.DataLoaderConfiguration(dispatch_batches=dispatched)
    given = loader(dataset())
    _, prepared = accelerator(dataloader_config=configuration).prepare(torch.nn.Linear(1, 1), given)
    assert prepared is given
    batches, expected = list(prepared), list(loader(dataset()))
    assert len(batches) == len(expected) == 5
    for (images, numbers), (right, which) in zip(batches, expected, strict=True):
        assert numbers.tolist() == which.tolist()
        assert torch.equal(images, right)


def test_accumulation_steps_at_the_end_of_each_epoch():
    prepares = accelerator(gradient_accumulation_steps=2)
    model = torch.nn.Linear(1, 1)
    model, prepared = prepares.prepare(model, loader())
    for _ in range(2):
        steps, last = [], []
        for _ in prepared:
            with prepares.accumulate(model):
                steps.append(prepares.sync_gradients)
                last.append(prepares.gradient_state.end_of_dataloader)
        assert steps == [False, True, False, True, True]
        assert last == [False, False, False, False, True]
        assert not prepares.gradient_state.in_dataloader


def test_an_epoch_that_is_left_is_forgotten():
    prepares = accelerator()
    prepared = prepares.prepare(loader(batch_size=2))
    for _ in prepared:
        assert prepares.gradient_state.active_dataloader is prepared
        break
    assert not prepares.gradient_state.in_dataloader
    assert len(pixels(prepared)) == N


def test_what_comes_before_a_bad_sample_is_delivered_first():
    class Broken(Ramps):
        def __getitem__(self, i):
            if i == 7:
                raise OSError("no such thing")
            return super().__getitem__(i)

    prepares = accelerator()
    prepared, seen = prepares.prepare(loader(Broken())), []
    batches = iter(prepared)
    for _ in range(2):
        seen += next(batches)[1].tolist()
        assert not prepared.end_of_dataloader
    with pytest.raises(BadSampleError, match="no such thing"):
        next(batches)
    assert seen == list(range(6))
    assert not prepares.gradient_state.in_dataloader


def test_a_state_is_that_of_the_batch_delivered():
    whole, prepared = [numbers.tolist() for _, numbers in loader(shuffle=True)], accelerator().prepare(loader(shuffle=True))
    batches = iter(prepared)
    next(batches), next(batches)
    state = prepared.state_dict()
    again = accelerator().prepare(loader(shuffle=True))
    again.load_state_dict(state)
    assert [numbers.tolist() for _, numbers in again] == whole[2:]


def test_a_program_may_end_in_an_epoch():
    program = f"import sys; sys.path[:0] = {PATHS!r}; from test_accelerate import *; "
    program += "batches = iter(accelerator().prepare(loader())); next(batches)"
    command, environment = [sys.executable, "-c", program], {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = finished(command, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_accelerate_saves_the_place(tmp_path):
    prepares = accelerator()
    prepared = prepares.prepare(loader())
    prepares.register_for_checkpointing(prepared)
    batches = iter(prepared)
    next(batches)
    prepares.save_state(tmp_path)
    rest = [numbers.tolist() for _, numbers in batches]
    prepares.load_state(tmp_path)
    assert [numbers.tolist() for _, numbers in prepared] == rest


def test_skipping_batches_is_refused():
    """It makes a loader from the attributes of ours."""
    prepared = accelerator().prepare(loader())
    with pytest.raises(RuntimeError, match=r"not transformed.*loader\.load_state_dict"):
        next(iter(accelerate.skip_first_batches(prepared, 2)))


class Wide:
    """What a loader sees of an Accelerator."""

    num_processes, split_batches, even_batches, device_placement = 4, False, True, True
    device, torch_device_mesh = torch.device("cpu"), None

    def __init__(self, **more):
        self.__dict__.update(more)

    prepare = accelerate.Accelerator.prepare_data_loader


def test_what_accelerate_would_share_out_and_the_loader_does_not(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 4)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    prepare, known = Wide(_dataloaders=[]).prepare, DistributedSampler(Ramps(), 4, 1)
    assert len(prepare(loader())) == len(prepare(loader(sampler=known))) == 2
    assert len(prepare(loader(sampler=ImbalancedSampler([0, 1] * 6 + [0], num_replicas=4, rank=1)))) == 2
    with pytest.raises(ValueError, match="divide batch_size=3 yourself"):
        Wide(split_batches=True, _dataloaders=[]).prepare(loader())
    with pytest.raises(ValueError, match="Leave even_batches out"):
        Wide(even_batches=False, _dataloaders=[]).prepare(loader())
    with pytest.raises(ValueError, match=r"all of Stream.*deals_out = True"):
        prepare(loader(Stream()))
    with pytest.raises(ValueError, match="all that BatchSampler yields"):
        prepare(loader(sampler=WeightedRandomSampler([1.0] * N, N)))
    with pytest.raises(ValueError, match="all that BatchSampler yields"):
        prepare(loader(shuffle=True, generator=torch.Generator()))
    with pytest.raises(ValueError, match="need the same batches"):
        Wide(num_processes=2, _dataloaders=[]).prepare(loader())  # two groups of two
    Wide(num_processes=2, _dataloaders=[]).prepare(loader(sampler=DistributedSampler(Ramps(), 2, 0)))
    with pytest.raises(ValueError, match="accelerate computes on mps"):
        Wide(device=torch.device("mps"), _dataloaders=[]).prepare(loader())

    class Dealt(Stream):
        deals_out = True

    assert isinstance(prepare(loader(Dealt())), G.DataLoader)


def test_batches_come_where_accelerate_computes():
    prepared = Wide(device=torch.device("cuda", 1), num_processes=1, _dataloaders=[]).prepare(loader())
    assert prepared.device == torch.device("cuda", 1)
    left = Wide(device=torch.device("cuda", 1), num_processes=1, device_placement=False, _dataloaders=[]).prepare(loader())
    assert left.device == torch.device("cpu")


def test_the_only_cpu_may_be_numbered():
    """accelerate calls the CPU cpu:0 where there are several processes."""
    for (images, _), (right, _) in zip(loader(device="cpu:0"), loader(), strict=True):
        assert torch.equal(images, right)
    image, flip = Ramps()[0][0][None], G.Compose([G.HorizontalFlip(p=1)])
    assert flip.run({"image": image}, ids=[0], device="cpu:0")["image"].device.type == "cpu"


@pytest.mark.parametrize("n", [12, 13, 14, 17, 22, 24, 3, 2])
@pytest.mark.parametrize("world", [2, 3, 4, 5])
def test_what_is_gathered_and_cut_is_the_order(n, world):
    """`gather_for_metrics` puts the rows of all ranks one behind the other, and cuts the last batch."""
    size, order = 3, own_order(n, True, 7, 1)[0].tolist()
    parts = [own_order(n, True, 7, 1, rank, world, block=size) for rank in range(world)]
    assert len({len(indices) for indices, _ in parts}) == 1, "every rank has as many"
    gathered, copies = [], []
    for at in range(0, len(parts[0][0]), size):
        gathered += [i for indices, _ in parts for i in indices[at : at + size].tolist()]
        copies += [c for _, occurrence in parts for c in occurrence[at : at + size].tolist()]
    assert gathered[:n] == order
    assert gathered[n:] == [order[i % n] for i in range(n, len(gathered))]
    assert copies == [at // n for at in range(len(copies))]


IN_TWO = """
import sys
sys.path[:0] = {here!r}
from test_accelerate import *

torch.set_num_threads(1)


def seen(**more):
    prepares = accelerator(dataloader_config=accelerate.DataLoaderConfiguration(**more))
    model, prepared = prepares.prepare(torch.nn.Linear(1, 1), loader(shuffle=True))
    assert prepares.num_processes == 2
    gathered, own = [], []
    for images, numbers in prepared:
        own.append((images, numbers))
        gathered += prepares.gather_for_metrics(numbers).tolist()
    prepares.free_memory()
    return gathered, own


state = {{kind: seen(**more) for kind, more in {{"own": {{}}, "dispatched": {{"dispatch_batches": True}}}}.items()}}
prepares = accelerator()
torch.save(state, {out!r} + str(prepares.process_index))
try:
    prepares.prepare(loader(Stream()))
except ValueError as error:
    assert "would iterate over all of Stream" in str(error)
else:
    raise AssertionError("each process would have the whole stream")
# a model that is still there holds the process group, whose threads then meet an interpreter that ends (pytorch #179291)
prepares.end_training()
"""


@pytest.mark.slow
def test_two_processes(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(IN_TWO.format(here=PATHS, out=str(tmp_path / "rank")))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = finished(command, env=environment)
    assert done.returncode == 0, done.stderr
    ranks = [torch.load(tmp_path / f"rank{rank}") for rank in range(2)]
    order = [n for _, numbers in loader(shuffle=True) for n in numbers.tolist()]
    right = pixels(loader(shuffle=True))
    for kind in ("own", "dispatched"):
        assert ranks[0][kind][0] == ranks[1][kind][0] == order, "all samples once, in one process's order"
        first, second = pixels(ranks[0][kind][1]), pixels(ranks[1][kind][1])
        assert set(first) & set(second) == {order[0]}, "what fills the last batch"
        for n, image in first.items():
            assert torch.equal(image, right[n])
        for n, image in second.items():
            assert n == order[0] or torch.equal(image, right[n])


def test_subsets_and_workers():
    prepared = accelerator().prepare(loader(Subset(Ramps(), range(5)), num_workers=2))
    right = pixels(loader(Subset(Ramps(), range(5))))
    found = pixels(prepared)
    assert sorted(found) == list(range(5))
    for n, image in found.items():
        assert torch.equal(image, right[n])

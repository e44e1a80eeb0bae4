import importlib
import logging
import operator
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import finished, port
from sklearn.datasets import load_sample_images
from torch.utils.data import Dataset

import gpuaug as G
from gpuaug.data import RepeatBatchSampler

lightning = pytest.importorskip("lightning.pytorch")
lightning_fabric = pytest.importorskip("lightning.fabric")
from gpuaug.interop.lightning import DataModule  # noqa: E402  lightning is optional

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
PATHS = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
CHINA = load_sample_images().images[0]


class Crops(Dataset):
    """Crops of a photograph, labelled with their own number."""

    def __len__(self):
        return 20

    def __getitem__(self, i):
        return CHINA[10 * i : 10 * i + 24, 20 * i : 20 * i + 24], i


class Recorder(lightning.LightningModule):
    """Remembers what it was given."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.batches, self.validated, self.predicted = [], [], []

    def training_step(self, batch, number):
        images, numbers = batch
        self.batches.append((numbers.tolist(), images))
        return self.layer(images.float().mean().view(1, 1)).sum()

    def validation_step(self, batch, number):
        self.validated.append(batch[0])

    def predict_step(self, batch, number):
        self.predicted.append(batch[0])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 1e-3)


def trainer(folder, **options):
    return lightning.Trainer(
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **{"enable_checkpointing": False, "num_sanity_val_steps": 0, **options},
    )


def module(**more):
    compose = G.Compose([G.HorizontalFlip(), G.RandomBrightnessContrast(p=1.0)], seed=5)
    return DataModule(**{"train": Crops(), "transform": compose, "batch_size": 4, "seed": 5, **more})


def equal(these, those):
    return [n for n, _ in these] == [n for n, _ in those] and all(
        torch.equal(a, b) for (_, a), (_, b) in zip(these, those, strict=True)
    )


def test_training_sees_what_the_loader_yields(tmp_path):
    model = Recorder()
    trainer(tmp_path, max_epochs=2).fit(model, module())
    compose = module().transform
    loader = G.DataLoader(Crops(), batch_size=4, shuffle=True, transform=compose, device="cpu", seed=5)
    assert equal(model.batches, [(numbers.tolist(), images) for _ in range(2) for images, numbers in loader])
    assert model.batches[0][0] != model.batches[5][0], "epochs differ"


def test_loaders_made_anew_go_on_with_the_epoch(tmp_path):
    kept, anew = Recorder(), Recorder()
    trainer(tmp_path, max_epochs=3).fit(kept, module())
    trainer(tmp_path, max_epochs=3, reload_dataloaders_every_n_epochs=1).fit(anew, module())
    assert equal(kept.batches, anew.batches)
    assert len({tuple(numbers) for numbers, _ in anew.batches[::5]}) == 3, "epochs differ"


def test_resumes_in_the_middle_of_an_epoch(tmp_path):
    whole = Recorder()
    trainer(tmp_path, max_epochs=2).fit(whole, module())
    saving = lightning.callbacks.ModelCheckpoint(tmp_path, filename="at-3", every_n_train_steps=3, save_top_k=-1)
    first = Recorder()
    trainer(tmp_path, max_steps=3, callbacks=[saving], enable_checkpointing=True).fit(first, module())
    second = Recorder()
    trainer(tmp_path, max_epochs=2).fit(second, module(), ckpt_path=str(tmp_path / "at-3.ckpt"))
    assert equal(first.batches + second.batches, whole.batches)


def test_evaluation_has_its_own_transform(tmp_path):
    model = Recorder()
    data = module(val=Crops(), predict=Crops(), eval_transform=G.Compose([G.CenterCrop(8, 8)], seed=0))
    trainer(tmp_path, max_epochs=1).fit(model, data)
    trainer(tmp_path).predict(model, data)
    expected = np.stack([Crops()[i][0][8:16, 8:16] for i in range(20)]).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(torch.cat(model.validated), expected)
    np.testing.assert_array_equal(torch.cat(model.predicted), expected)


def test_batch_sampler(tmp_path):
    model = Recorder()
    trainer(tmp_path, max_epochs=1).fit(model, module(batch_sampler=RepeatBatchSampler(20, 3)))
    assert [numbers for numbers, _ in model.batches] == list(RepeatBatchSampler(20, 3))


def test_stages_without_data_have_no_loader(tmp_path):
    with pytest.raises(Exception, match=r"(?i)test_dataloader|test_step"):
        trainer(tmp_path).test(Recorder(), module())


def test_errors():
    with pytest.raises(TypeError, match="DataModule sets shuffle itself"):
        module(shuffle=True)
    with pytest.raises(ValueError, match="exclude each other"):
        module(sampler=[1], batch_sampler=[[1]])


def counted(samples):
    """A collate_fn of the user's."""
    images, numbers = zip(*samples, strict=True)
    return torch.tensor(numbers), torch.stack(images), len(samples)


def settings(loader):
    names = "transform mix targets device dtype channels_last on_error max_pixels seed in_order num_workers timeout".split()
    return {name: getattr(loader, name) for name in names}


@pytest.mark.parametrize("whose", ["fabric", "pytorch"])
@pytest.mark.parametrize("collate_fn", [None, counted])
def test_a_loader_made_anew_with_another_sampler(whose, collate_fn):
    """As both do before they put their DistributedSampler into a loader."""
    update = importlib.import_module(f"lightning.{whose}.utilities.data")._update_dataloader
    compose = G.Compose([G.HorizontalFlip(p=1), G.RandomBrightnessContrast(p=1.0)], seed=5)
    given = G.DataLoader(
        Crops(), batch_size=4, shuffle=True, transform=compose, device="cpu", seed=9, collate_fn=collate_fn, targets={"image": 0},
        channels_last=True, on_error="skip", max_pixels=10**6, in_order=False, num_workers=1,
    )  # fmt: skip
    anew = update(given, torch.utils.data.SequentialSampler(given.dataset))
    assert settings(anew) == settings(given)
    right = next(iter(G.DataLoader(Crops(), batch_size=4, transform=compose, device="cpu", collate_fn=collate_fn)))
    for found, expected in zip(next(iter(anew)), right, strict=True):
        assert found == expected if isinstance(expected, int) else torch.equal(found, expected)


def test_fabric_in_one_process():
    compose = G.Compose([G.HorizontalFlip(), G.RandomBrightnessContrast(p=1.0)], seed=5)
    arguments = {"batch_size": 4, "shuffle": True, "transform": compose, "device": "cpu", "seed": 5}
    prepared = lightning_fabric.Fabric(accelerator="cpu", devices=1).setup_dataloaders(G.DataLoader(Crops(), **arguments))
    expected = [(numbers.tolist(), images) for images, numbers in G.DataLoader(Crops(), **arguments)]
    assert equal([(numbers.tolist(), images) for images, numbers in prepared], expected)


def test_a_part_of_the_batches_again_and_again(tmp_path):
    """overfit_batches makes a loader anew, too."""
    model = Recorder()
    trainer(tmp_path, max_epochs=1, overfit_batches=2).fit(model, module())
    right = G.DataLoader(Crops(), batch_size=4, transform=module().transform, device="cpu")
    assert equal(model.batches, [(numbers.tolist(), images) for images, numbers in right][:2])


def two(command):
    """Where the processes meet is said; of its own Lightning looks for a port that is free, and has it taken by another."""
    with port() as number:
        return finished(command, env={**os.environ, "MASTER_PORT": str(number)})


FABRIC = """
import sys
sys.path[:0] = {here!r}
from test_lightning import *
fabric = lightning_fabric.Fabric(accelerator="cpu", devices=2, strategy="ddp")
fabric.launch()
loader = G.DataLoader(Crops(), batch_size=4, shuffle=True, transform=module().transform, device="cpu", seed=5)
loader = fabric.setup_dataloaders(loader, use_distributed_sampler={injected})
torch.save([(numbers.tolist(), images) for images, numbers in loader], {out!r} + str(fabric.global_rank))
"""

TWO_PROCESSES = """
import sys
sys.path[:0] = {here!r}
from test_lightning import *
model = Recorder()
t = lightning.Trainer(accelerator="cpu", devices=2, strategy="ddp", use_distributed_sampler={injected}, max_epochs=1,
    logger=False, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False)
t.fit(model, module())
torch.save(model.batches, {out!r} + str(t.global_rank))
"""


@pytest.mark.slow
@pytest.mark.parametrize("injected", [False, True])
@pytest.mark.parametrize("program", [TWO_PROCESSES, FABRIC], ids=["trainer", "fabric"])
def test_two_processes(tmp_path, injected, program):
    script = tmp_path / "train.py"
    out = str(tmp_path / "rank")
    script.write_text(program.format(here=PATHS, injected=injected, out=out))
    done = two([sys.executable, str(script)])
    assert done.returncode == 0, done.stderr
    ranks = [torch.load(tmp_path / f"rank{r}") for r in range(2)]
    numbers = [n for rank in ranks for batch, _ in rank for n in batch]
    assert sorted(numbers) == list(range(20))
    pixels = {n: image for rank in ranks for batch, images in rank for n, image in zip(batch, images, strict=True)}
    single = G.DataLoader(Crops(), batch_size=20, transform=module().transform, device="cpu")
    images, _ = next(iter(single))
    for n, image in pixels.items():
        assert torch.equal(image, images[n])


ELASTIC = """
import sys
sys.path[:0] = {here!r}
from test_lightning import *
saving = lightning.callbacks.ModelCheckpoint({folder!r}, filename="at", every_n_train_steps=1, save_top_k=-1)
for devices, more, ckpt in {runs!r}:
    if len(sys.argv) > 1 and sys.argv[1] != str(devices):
        continue
    model = Recorder()
    t = lightning.Trainer(accelerator="cpu", devices=devices, strategy="ddp" if devices > 1 else "auto", logger=False,
        use_distributed_sampler=False, enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        enable_checkpointing=ckpt is None, callbacks=[saving] if ckpt is None else [], **more)
    t.fit(model, module(val=Crops()), ckpt_path=ckpt)
    torch.save((model.batches, len(model.validated)), {folder!r} + "/rank%d.%d" % (devices, t.global_rank))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("first", "then"), [(2, 1), (1, 2)])
def test_other_devices_in_the_middle_of_an_epoch(tmp_path, first, then):
    """Lightning asks for the number of batches before it has loaded the state, and cuts this epoch and the next there."""
    steps = 2 // first  # eight samples
    at = str(tmp_path / "at.ckpt")
    runs = [(first, {"max_steps": steps}, None), (then, {"max_epochs": 2}, at)]
    script = tmp_path / "train.py"
    script.write_text(ELASTIC.format(here=PATHS, folder=str(tmp_path), runs=runs))
    for devices in (first, then):
        done = two([sys.executable, str(script), str(devices)])
        assert done.returncode == 0, done.stderr
    before = [torch.load(tmp_path / f"rank{first}.{r}")[0] for r in range(first)]
    after = [torch.load(tmp_path / f"rank{then}.{r}") for r in range(then)]
    left = {1: 3, 2: 2}[then]  # batches of four that each rank has of twelve samples
    assert all(len(rank) == left + {1: 5, 2: 3}[then] for rank, _ in after)
    assert all(validated == 2 * {1: 5, 2: 3}[then] for _, validated in after)
    begun = [n for rank in before for batch, _ in rank for n in batch]
    assert sorted(begun + [n for rank, _ in after for batch, _ in rank[:left] for n in batch]) == list(range(20))
    assert sorted(n for rank, _ in after for batch, _ in rank[left:] for n in batch) == list(range(20))


def test_resumes_where_the_number_of_steps_was_asked_for(tmp_path):
    """Lightning then makes its iterators before it knows the state, and does not load it."""

    class Asking(Recorder):
        def configure_optimizers(self):
            assert self.trainer.estimated_stepping_batches
            return super().configure_optimizers()

    saving = lightning.callbacks.ModelCheckpoint(tmp_path, filename="at-3", every_n_train_steps=3, save_top_k=-1)
    whole, first, second = Asking(), Asking(), Asking()
    trainer(tmp_path, max_epochs=2).fit(whole, module())
    trainer(tmp_path, max_steps=3, callbacks=[saving], enable_checkpointing=True).fit(first, module())
    trainer(tmp_path, max_epochs=2).fit(second, module(), ckpt_path=str(tmp_path / "at-3.ckpt"))
    assert equal(first.batches + second.batches, whole.batches)


NAMES = [
    *(("fit_loop", f"_{name}") for name in ("combined_loader", "combined_loader_states_to_load", "load_combined_loader_states")),
    *(("fit_loop", name) for name in ("restarting", "_data_fetcher", "max_batches")),
    ("fit_loop._data_fetcher", "length"),
    *(("fit_loop._combined_loader", name) for name in ("limits", "flattened", "_mode", "_iterator")),
]


@pytest.mark.parametrize(("where", "name"), NAMES)
def test_a_lightning_that_lacks_a_name_is_told(tmp_path, where, name):
    """Most of these are Lightning's own business, and may go."""

    class Without(lightning.Callback):
        def on_train_start(self, trainer, module):  # before that of the loader
            thing = operator.attrgetter(where)(trainer)
            self.kind, self.removed = type(thing).__name__, pytest.MonkeyPatch()
            owners = [each for each in (thing, *type(thing).__mro__) if name in vars(each)]
            for owner in owners:
                self.removed.delattr(owner, name)
            assert owners
            assert not hasattr(thing, name)

        def on_exception(self, trainer, module, exception):
            self.removed.undo()

    saving = lightning.callbacks.ModelCheckpoint(tmp_path, filename="at-3", every_n_train_steps=3, save_top_k=-1)
    trainer(tmp_path, max_steps=3, callbacks=[saving], enable_checkpointing=True).fit(Recorder(), module())
    without = Without()
    with pytest.raises(RuntimeError) as told:
        trainer(tmp_path, max_epochs=2, callbacks=[without]).fit(Recorder(), module(), ckpt_path=str(tmp_path / "at-3.ckpt"))
    version = importlib.import_module("lightning").__version__
    assert str(told.value).startswith(f"lightning {version} has no {without.kind}.{name}, by which gpuaug.DataLoader counts")
    assert "it was run with versions 2.5 to 2.6, install one of these" in str(told.value)


def test_a_lightning_that_counts_otherwise_is_told_where_it_matters(tmp_path, monkeypatch):
    """Before 2.5 the names are all there, and an epoch that other ranks began is cut."""

    def sampler(ranks):
        return torch.utils.data.DistributedSampler(Crops(), num_replicas=ranks, rank=0, seed=5)

    saving = lightning.callbacks.ModelCheckpoint(tmp_path, filename="at", every_n_train_steps=1, save_top_k=-1)
    first, at = Recorder(), str(tmp_path / "at.ckpt")
    trainer(tmp_path, max_steps=1, callbacks=[saving], enable_checkpointing=True).fit(first, module(sampler=sampler(2)))
    there = Recorder()
    trainer(tmp_path, max_epochs=2).fit(there, module(sampler=sampler(1)), ckpt_path=at)
    assert [len(numbers) for numbers, _ in there.batches] == [4] * (3 + 5)
    assert sorted(n for numbers, _ in there.batches[3:] for n in numbers) == list(range(20))
    monkeypatch.delattr(type(trainer(tmp_path).fit_loop), "restarted_mid_epoch")
    monkeypatch.setattr(type(trainer(tmp_path).fit_loop), "update_restart_stage", lambda self: None)
    with pytest.raises(RuntimeError, match=r"has no _FitLoop\.restarted_mid_epoch, by which"):
        trainer(tmp_path, max_epochs=2).fit(Recorder(), module(sampler=sampler(1)), ckpt_path=at)


def test_a_lightning_that_copies_the_limits_is_told(tmp_path):
    class Copying(lightning.Callback):
        def on_train_start(self, trainer, module):
            iterator = trainer.fit_loop._combined_loader._iterator
            iterator.limits = list(iterator.limits)

    saving = lightning.callbacks.ModelCheckpoint(tmp_path, filename="at-3", every_n_train_steps=3, save_top_k=-1)
    trainer(tmp_path, max_steps=3, callbacks=[saving], enable_checkpointing=True).fit(Recorder(), module())
    with pytest.raises(RuntimeError, match=r"copies CombinedLoader\.limits, by which gpuaug\.DataLoader counts"):
        trainer(tmp_path, max_epochs=2, callbacks=[Copying()]).fit(Recorder(), module(), ckpt_path=str(tmp_path / "at-3.ckpt"))


def test_a_pipeline_in_on_after_batch_transfer(tmp_path):
    """Augmented where the batch lies, in training alone, from numbers that the checkpoint keeps."""

    class Augmenting(Recorder):
        def __init__(self):
            super().__init__()
            self.augment = G.Compose([G.HorizontalFlip(), G.InvertImg()], seed=3)

        def on_after_batch_transfer(self, batch, dataloader_idx):
            images, numbers = batch
            images = images.permute(0, 3, 1, 2)
            return (self.augment(images) if self.trainer.training else images), numbers

    module = Augmenting()
    loader = torch.utils.data.DataLoader(Crops(), batch_size=5)
    trainer(tmp_path, max_epochs=1).fit(module, loader, loader)
    there = G.Compose([G.HorizontalFlip(), G.InvertImg()], seed=3)
    for (_, got), (images, _) in zip(module.batches, loader, strict=True):
        assert torch.equal(got, there(images.permute(0, 3, 1, 2)))
    assert torch.equal(module.validated[-1], images.permute(0, 3, 1, 2))
    assert module.state_dict()["augment._extra_state"]["counter"] == 20

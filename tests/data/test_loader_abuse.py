"""What people do to a loader: samples that are None, odd keys, errors of their own kinds, pipelines in two places, states."""

import collections
import json
import os
import random

import albumentations
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, RandomSampler, TensorDataset, default_collate
from torchvision import transforms as tv

import gpuaug as A
from gpuaug.data import AllBadError, BadSampleError, DataLoader, ImageFolder
from gpuaug.data.decode import decoder_name

FLIP = A.Compose([A.HorizontalFlip(p=1)], seed=0)


def pixels(i):
    return np.full((8, 8, 3), i, np.uint8)


class Made(Dataset):
    """A dataset of what a function makes of the index."""

    def __init__(self, make, n=12):
        self.make, self.n = make, n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.make(i)


def loader(dataset, *args, transform=FLIP, **kw):
    return DataLoader(dataset, *args, **{"device": "cpu", "transform": transform, **kw})


# ---- None --------------------------------------------------------------------------------------------------------------------


def without_none(samples):
    return default_collate([sample for sample in samples if sample is not None])


HOLES = {"pixels": lambda i: None if i in (3, 4) else (pixels(i), i), "files": None}


@pytest.fixture(params=["pixels", "files"])
def holes(request, tmp_path):
    """Samples of which 3 and 4 are None."""
    if request.param == "pixels":
        return Made(lambda i: None if i in (3, 4) else (pixels(i), i))
    for i in range(12):
        Image.fromarray(pixels(i)).save(tmp_path / f"{i}.png")
    return Made(lambda i: None if i in (3, 4) else (str(tmp_path / f"{i}.png"), i))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("transform", [FLIP, None])
def test_a_collate_fn_sees_what_torchs_sees(holes, workers, transform):
    made = loader(holes, 4, collate_fn=without_none, num_workers=workers, transform=transform)
    theirs = torch.utils.data.DataLoader(holes, 4, collate_fn=without_none)
    assert [numbers.tolist() for _, numbers in made] == [numbers.tolist() for _, numbers in theirs]
    if transform is not None:
        assert all((images == numbers.view(-1, 1, 1, 1)).all() for images, numbers in made)


@pytest.mark.parametrize("workers", [0, 2])
def test_without_a_collate_fn_none_is_a_bad_sample(holes, workers):
    def numbers(policy):
        return [n.tolist() for _, n in loader(holes, 4, on_error=policy, num_workers=workers)]

    assert numbers("skip") == [[0, 1, 2], [5, 6, 7], [8, 9, 10, 11]]
    assert numbers("replace") == [[0, 1, 2, 2], [2, 5, 6, 7], [8, 9, 10, 11]]
    with pytest.raises(BadSampleError, match="sample 3: the dataset returned None for it"):
        list(loader(holes, 4, num_workers=workers))


def test_a_stream_that_begins_with_none():
    class Stream(IterableDataset):
        def __iter__(self):
            yield from [None, (pixels(1), 1), (pixels(2), 2)]

    with pytest.raises(BadSampleError, match="sample 0: the dataset returned None"):
        list(loader(Stream(), 2))
    assert [n.tolist() for _, n in loader(Stream(), 2, on_error="skip")] == [[1], [2]]
    assert [n.tolist() for _, n in loader(Stream(), 2, collate_fn=without_none)] == [[1], [2]]


def test_all_bad_can_be_caught_by_name():
    with pytest.raises(AllBadError):
        list(loader(Made(lambda i: None), 4, on_error="skip"))


# ---- keys, orders, seeds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [["a", "b", "c", "d"], [-1, -2, -3, -4], [2**60, 1, 2**52, 3], [("x", 1), ("y", 2)]])
def test_keys_of_every_kind_have_draws(keys):
    dataset = Made(lambda key: {"image": pixels(7), "key": str(key)})
    compose = A.Compose([A.GaussNoise(std_range=(0.2, 0.2), p=1)], seed=1)

    def images(size, keys):
        batches = loader(dataset, size, sampler=keys, transform=compose)
        return {key: image for batch in batches for key, image in zip(batch["key"], batch["image"])}

    first, again = images(2, keys), images(1, keys[::-1])
    assert len({image.numpy().tobytes() for image in first.values()}) == len(keys), "each has its own"
    assert all(torch.equal(first[key], again[key]) for key in first)


def order_of(made):
    return [int(i) for _, numbers in made for i in numbers]


def test_unseeded_loaders_differ_and_repeat_under_manual_seed():
    dataset = Made(lambda i: (pixels(i), i), 50)
    compose = A.Compose([A.GaussNoise(p=1)])

    def two():
        torch.manual_seed(3)
        a, b = (loader(dataset, 50, shuffle=True, transform=compose) for _ in range(2))
        (x, m), (y, n) = next(iter(a)), next(iter(b))
        return m.tolist(), n.tolist(), x[m.argsort()], y[n.argsort()]

    first, second = two(), two()
    assert first[0] != first[1]
    assert not torch.equal(first[2], first[3])
    assert first[:2] == second[:2]
    assert torch.equal(first[2], second[2])
    assert compose.seed is None, "a loader leaves its transform as it is"


def test_a_loader_draws_from_torchs_generator_alone():
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    before = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    list(loader(Made(lambda i: (pixels(i), i)), 4, shuffle=True))
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before  # noqa: NPY002
    state = torch.get_rng_state()
    list(loader(Made(lambda i: (pixels(i), i)), 4, shuffle=True, seed=1))
    assert torch.equal(state, torch.get_rng_state()), "with a seed from none"


def test_a_framework_may_set_the_epoch_at_the_sampler():
    dataset = Made(lambda i: (pixels(i), i), 50)
    made = loader(dataset, 10, shuffle=True, seed=4)
    assert isinstance(made.sampler, RandomSampler)
    epochs = [order_of(made) for _ in range(3)]
    anew = loader(dataset, 10, shuffle=True, seed=4)
    anew.sampler.set_epoch(2)
    assert order_of(anew) == epochs[2]


def test_batches_as_they_get_ready():
    made = loader(Made(lambda i: (pixels(i), i)), 2, num_workers=2, in_order=False)
    assert sorted(order_of(made)) == list(range(12))
    for images, numbers in made:
        assert (images == numbers.view(-1, 1, 1, 1)).all()
        with pytest.raises(ValueError, match="in_order=False"):
            made.state_dict()
        break
    assert made.in_order is False


# ---- errors of the user's own ------------------------------------------------------------------------------------------------


class OddError(ValueError):
    def __init__(self, code, *, reason):
        super().__init__(f"{code}: {reason}")


class Failing:
    seed = None

    def run(self, targets, **how):
        raise OddError(7, reason="no such thing")


def test_an_error_with_a_constructor_of_its_own_arrives():
    with pytest.raises(OddError, match="7: no such thing") as caught:
        list(loader(Made(lambda i: (pixels(i), i)), 4, transform=Failing()))
    if hasattr(caught.value, "add_note"):
        assert "the batch holds the samples 0, 1, 2, 3" in caught.value.__notes__[0]


def test_an_error_of_a_transform_names_the_samples():
    with pytest.raises(ValueError, match=r"different sizes.*the batch holds the samples 0, 1, 2"):
        list(loader(Made(lambda i: (np.zeros((8 + i, 8, 3), np.uint8), i), 3), 4))


def test_a_package_that_is_missing_makes_no_sample_bad():
    def make(i):
        import a_package_that_nobody_has  # noqa: F401

    with pytest.raises(ImportError, match="a_package_that_nobody_has"):
        list(loader(Made(make), 4, on_error="skip"))


# ---- as torch's ----------------------------------------------------------------------------------------------------------------


def test_it_is_generic():
    assert DataLoader[int] is not None


def test_containers_of_single_samples_are_torchs():
    sample = (1, {"a": (2, 3)}, collections.defaultdict(list, b=[4]))
    dataset = Made(lambda i: sample, 2)
    ours, theirs = next(iter(loader(dataset, None, transform=None))), next(iter(torch.utils.data.DataLoader(dataset, None)))
    assert ours == theirs
    assert [type(x) for x in ours] == [type(x) for x in theirs]
    batch = next(iter(loader(dataset, 2, transform=None)))
    assert type(batch[2]) is collections.defaultdict
    assert batch[2]["new"] == []


def test_without_a_transform_paths_and_bytes_stay_what_they_are(tmp_path):
    Image.fromarray(pixels(3)).save(tmp_path / "0.png")
    data = (tmp_path / "0.png").read_bytes()
    for sample in ({"feature": torch.zeros(3), "filename": "0.jpg"}, (str(tmp_path / "0.png"), torch.zeros(2)), (data, 1)):
        ours = next(iter(loader(Made(lambda i, s=sample: s), 2, transform=None)))
        theirs = next(iter(torch.utils.data.DataLoader(Made(lambda i, s=sample: s), 2)))
        assert str(ours) == str(theirs)
    # said outright, or by a dataset that says that it has files, they are decoded
    images, _ = next(iter(loader(Made(lambda i: (str(tmp_path / "0.png"), 1)), 2, transform=None, targets={"image": 0})))
    assert images.shape == (2, 3, 8, 8)


def test_a_transform_that_is_set_between_epochs(tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(pixels(3)).save(tmp_path / "a" / "0.png")
    dataset = ImageFolder(tmp_path)
    made = loader(dataset, 1, transform=None)
    assert (next(iter(made))[0] == 3).all()
    dataset.transform = lambda image: image * 2
    assert (next(iter(made))[0] == 6).all()
    dataset.transform = None
    assert (next(iter(made))[0] == 3).all()


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("kind", ["arrays", "files", "memory"])
def test_what_another_transform_moves_is_looked_at_anew(tmp_path, kind, persistent):
    """A loader's own transform, set between epochs: colour first, then a flip, beside a map that nobody named."""
    Image.fromarray(pixels(3)).save(tmp_path / "0.png")
    depth = np.zeros((8, 8), np.float32)
    dataset = Made(lambda i: {"image": str(tmp_path / "0.png") if kind == "files" else pixels(3), "depth": depth}, 4)
    if kind == "memory":
        dataset.arrays = lambda: {"image": np.stack([pixels(3)] * 4), "depth": np.stack([depth] * 4)}
    workers = {"num_workers": 1, "persistent_workers": True} if persistent else {}
    made = loader(dataset, 2, transform=A.Compose([A.ToTensorV2()]), **workers)
    assert len(list(made)) == 2
    made.transform = FLIP
    with pytest.raises(ValueError, match="'depth' looks like a map"):
        list(made)


def test_a_file_that_was_repaired_comes_back(tmp_path):
    (tmp_path / "a").mkdir()
    for i in range(4):
        Image.fromarray(pixels(i)).save(tmp_path / "a" / f"{i}.jpg")
    good = (tmp_path / "a" / "2.jpg").read_bytes()
    (tmp_path / "a" / "2.jpg").write_bytes(good[:300])
    made = loader(ImageFolder(tmp_path), 2, on_error="skip")
    assert [len(images) for images, _ in made] == [2, 1]
    assert [len(images) for images, _ in made] == [2, 1]
    (tmp_path / "a" / "2.jpg").write_bytes(good)
    assert [len(images) for images, _ in made] == [2, 2]
    assert len(made.errors) == 1


def test_words(tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(pixels(3)).save(tmp_path / "a" / "0.png")
    made = loader(ImageFolder(tmp_path), 4, shuffle=True, num_workers=2)
    assert repr(made) == (
        f"DataLoader(ImageFolder of 1 samples, batches of 4, shuffled; files read and decoded by {decoder_name()} in 2 threads; "
        "on cpu; transform: HorizontalFlip; on_error='raise')"
    )
    assert made.stats()["decoder"] == decoder_name()
    assert "3 worker processes" in repr(loader(Made(None), num_workers=3))
    assert "in memory" in repr(loader(TensorDataset(torch.zeros(3, 3, 8, 8))))


# ---- pipelines in two places ---------------------------------------------------------------------------------------------------


class Holding(Dataset):
    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return torch.zeros(3, 8, 8, dtype=torch.uint8), i


NORMALIZING = A.Compose([A.HorizontalFlip(), A.Normalize()], seed=0)


@pytest.mark.parametrize(
    ("held", "text"),
    [
        (NORMALIZING, "is the loader's transform, too"),
        (A.Compose([A.Normalize()]), "normalized twice"),
        (albumentations.Compose([albumentations.Normalize()]), "normalized twice"),
        (tv.Compose([tv.ToTensor(), tv.Normalize((0.5,), (0.5,))]), "normalized twice"),
        (tv.Compose([tv.Resize(8), tv.ToTensor()]), r"scales images to 0..1, .*leave ToTensor out"),
    ],
)
def test_a_pipeline_that_was_left_in_the_dataset(held, text):
    for dataset in (Holding(held), torch.utils.data.Subset(Holding(held), [0, 1])):
        with pytest.raises(ValueError, match=text):
            next(iter(loader(dataset, 2, transform=NORMALIZING)))


@pytest.mark.parametrize("held", [A.Compose([A.RandomCrop(8, 8)]), albumentations.Compose([albumentations.RandomCrop(8, 8)])])
def test_two_pipelines_that_may_be_meant_are_told_once(held):
    with pytest.warns(UserWarning, match="both are applied, the dataset's first"):
        next(iter(loader(Holding(held), 2, transform=NORMALIZING)))


def test_host_side_transforms_that_do_not_repeat_are_nobodys_business(recwarn):
    for held in (tv.Compose([tv.Resize(8), tv.PILToTensor()]), lambda x: x, albumentations.Normalize(mean=0, std=1)):
        if callable(held) and not isinstance(held, albumentations.Normalize):
            next(iter(loader(Holding(held), 2, transform=NORMALIZING)))
    assert not recwarn.list


# ---- states ------------------------------------------------------------------------------------------------------------------


def test_a_state_with_the_users_generator_is_json():
    dataset = Made(lambda i: (pixels(i), i), 20)

    def fresh():
        return loader(dataset, 4, sampler=RandomSampler(dataset, generator=torch.Generator().manual_seed(5)))

    made = fresh()
    iterator = iter(made)
    first = [next(iterator)[1].tolist() for _ in range(2)]
    state = json.loads(json.dumps(made.state_dict()))
    rest = [numbers.tolist() for _, numbers in iterator]
    again = loader(dataset, 4, sampler=RandomSampler(dataset, generator=torch.Generator().manual_seed(99)))
    again.load_state_dict(state)
    assert [numbers.tolist() for _, numbers in again] == rest
    assert len(first) == 2


class Counting(IterableDataset):
    """Goes on where its state says, and only there: it refuses to be skipped through."""

    def __init__(self, n=24, log=None):
        self.n, self.at, self.log = n, 0, log

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        part, parts = (0, 1) if info is None else (info.id, info.num_workers)
        while part + self.at * parts < self.n:
            i = part + self.at * parts
            self.at += 1
            if self.log is not None:
                with open(self.log, "a") as file:
                    file.write(f"{i}\n")
            yield pixels(i), i
        self.at = 0

    def state_dict(self):
        return {"at": self.at}

    def load_state_dict(self, state):
        self.at = state["at"]


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("stop", [1, 2, 4])
def test_a_dataset_with_a_state_of_its_own_goes_on(tmp_path, workers, stop):
    compose = A.Compose([A.GaussNoise(p=1)], seed=2)

    def batches(made):
        return [(numbers.tolist(), images) for images, numbers in made]

    made = loader(Counting(), 3, num_workers=workers, transform=compose)
    whole = batches(made)
    made = loader(Counting(), 3, num_workers=workers, transform=compose)
    iterator = iter(made)
    for _ in range(stop):
        next(iterator)
    state = json.loads(json.dumps(made.state_dict()))
    del iterator
    log = tmp_path / "log"
    again = loader(Counting(log=os.fspath(log)), 3, num_workers=workers, transform=compose)
    again.load_state_dict(state)
    rest = batches(again)
    assert [n for n, _ in rest] == [n for n, _ in whole[stop:]]
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(rest, whole[stop:], strict=True))
    assert len(log.read_text().splitlines()) == 24 - 3 * stop, "what was delivered is not made again"
    if workers:
        other = loader(Counting(), 3, num_workers=workers + 1, transform=compose)
        with pytest.raises(ValueError, match="use as many"):
            other.load_state_dict(state)

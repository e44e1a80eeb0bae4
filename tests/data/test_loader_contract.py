"""What torch.utils.data.DataLoader promises, gpuaug.DataLoader keeps: compared with torch itself wherever torch has an answer."""

import collections
import dataclasses
import inspect
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import N
from fake_compose import FakeCompose
from PIL import Image
from torch.utils.data import BatchSampler, ConcatDataset, Dataset, IterableDataset, SequentialSampler, Subset, TensorDataset
from torchvision import tv_tensors
from torchvision.datasets import CIFAR10, ImageFolder

from gpuaug.data import DataLoader, workers

pytestmark = pytest.mark.usefixtures("no_leaks")
Pair = collections.namedtuple("Pair", "image label")


@dataclasses.dataclass
class Record:
    image: object
    label: int


class Listed(Dataset):
    """`make(i)` for i below `n`."""

    def __init__(self, make, n=10):
        self.make, self.n = make, n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        return self.make(i)


class Counting(IterableDataset):
    def __init__(self, make, n=10):
        self.make, self.n = make, n

    def __iter__(self):
        return (self.make(i) for i in range(self.n))


def pixels(i, size=(12, 10)):
    return np.random.default_rng(i).integers(0, 256, (*size, 3), np.uint8)


def cpu(dataset, *args, seed=0, **kw):
    return DataLoader(dataset, *args, device="cpu", seed=seed, **kw)


STRUCTURES = {
    "tuple": lambda i: (pixels(i), i),
    "list": lambda i: [pixels(i), float(i), str(i)],
    "dict": lambda i: {"image": pixels(i), "label": i},
    "nested": lambda i: {"img": pixels(i), "labels": {"color": i, "name": str(i)}},
    "namedtuple": lambda i: Pair(pixels(i), i),
    "bare": pixels,
    "vector": lambda i: (pixels(i), np.arange(3) + i),
}


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("name", STRUCTURES)
def test_without_a_transform_a_batch_is_torchs(name, workers):
    dataset = Listed(STRUCTURES[name], 5)
    ours, theirs = cpu(dataset, 2, num_workers=workers), torch.utils.data.DataLoader(dataset, 2)
    assert len(ours) == len(theirs) == 3
    for a, b in zip(ours, theirs, strict=True):
        assert_same(a, b)


@pytest.mark.parametrize("name", STRUCTURES)
def test_with_a_transform_only_the_image_differs(name):
    dataset = Listed(STRUCTURES[name], 5)
    for a, b in zip(cpu(dataset, 2, transform=FakeCompose(4)), torch.utils.data.DataLoader(dataset, 2), strict=True):
        assert_same(a, b, image_shape=lambda n: (n, 3, 4, 4))


def test_a_dataclass_stays_one():
    batch = next(iter(cpu(Listed(lambda i: Record(pixels(i), i)), 3, transform=FakeCompose(4))))
    assert type(batch) is Record
    assert batch.image.shape == (3, 3, 4, 4)
    assert batch.label.tolist() == [0, 1, 2]


def assert_same(a, b, image_shape=None):
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        if image_shape and b.ndim == 4:
            assert a.shape == image_shape(len(b))
        else:
            assert a.dtype == b.dtype
            assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            assert_same(a[key], b[key], image_shape)
    elif isinstance(a, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            assert_same(x, y, image_shape)
    else:
        assert a == b


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", [1, 4, 23, 50])
def test_image_folder_lengths_and_labels(shared_folder, size, drop_last):
    dataset = ImageFolder(shared_folder)
    loader = cpu(dataset, size, drop_last=drop_last, transform=FakeCompose(8), num_workers=1)
    batches = list(loader)
    theirs = torch.utils.data.DataLoader(range(N), size, drop_last=drop_last)
    assert len(batches) == len(loader) == len(theirs)
    assert [len(x) for x, _ in batches] == [len(b) for b in theirs]
    labels = [int(y) for _, b in batches for y in b]
    assert labels == [t for _, t in dataset.samples][: len(labels)]


def test_decoded_pixels_are_pillows(shared_folder):
    dataset = ImageFolder(shared_folder)
    images = [np.asarray(dataset[i][0]) for i in range(N)]
    for k, (image, _) in enumerate(cpu(dataset, num_workers=1)):
        assert np.array_equal(image[0].permute(1, 2, 0), images[k])


def test_without_a_transform_sizes_must_agree(shared_folder):
    with pytest.raises(ValueError, match=r"sample 1 of the batch has shape \(31, 41, 3\), sample 0 has \(30, 40, 3\)"):
        next(iter(cpu(ImageFolder(shared_folder), 4)))


def test_shuffling_is_a_new_permutation_each_epoch():
    loader = cpu(Listed(lambda i: (pixels(i), i), 40), 7, shuffle=True, transform=FakeCompose(4), seed=3)
    first, second = ([int(i) for _, y in loader for i in y] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second != sorted(second)


def test_break_and_nested_loops_are_independent(shared_folder):
    loader = cpu(ImageFolder(shared_folder), 5, transform=FakeCompose(8), num_workers=1)
    for _ in loader:
        break
    outer = []
    for _, y in loader:
        outer.append(len(y))
        assert sum(len(z) for _, z in loader) == N
    assert sum(outer) == N


def test_batch_size_none_gives_samples(shared_folder):
    loader = cpu(ImageFolder(shared_folder), None, transform=FakeCompose(8), num_workers=1)
    samples = list(loader)
    assert len(samples) == len(loader) == N
    assert samples[0][0].shape == (3, 8, 8)
    assert samples[20][1] == 1
    samples = list(cpu(Listed(lambda i: {"img": pixels(i), "y": i}), None, transform=FakeCompose(8)))
    assert samples[3]["img"].shape == (3, 8, 8)
    assert samples[3]["y"] == 3


def test_a_sampler_of_lists_with_batch_size_none():
    class Batched(Listed):
        def __getitem__(self, indices):
            return np.stack([pixels(i) for i in indices]), np.array(indices)

    sampler = BatchSampler(SequentialSampler(range(10)), 4, False)
    got = list(cpu(Batched(None), sampler=sampler, batch_size=None, transform=(fake := FakeCompose(4))))
    assert [x.shape for x, _ in got] == [(4, 3, 4, 4), (4, 3, 4, 4), (2, 3, 4, 4)]
    assert [ids for _, ids, _ in fake.calls] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize("workers", [0, 1])
def test_iterable_datasets(workers, shared_folder):
    loader = cpu(Counting(lambda i: (pixels(i), i)), 4, drop_last=True, num_workers=workers, transform=FakeCompose(4))
    assert [y.tolist() for _, y in loader] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [y.tolist() for _, y in loader] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(TypeError):
        len(loader)
    files = ImageFolder(shared_folder).samples
    encoded = Counting(lambda i: {"jpg": Path(files[i][0]).read_bytes(), "cls": i})
    got = list(cpu(encoded, 4, num_workers=workers, transform=FakeCompose(4)))
    assert [b["cls"].tolist() for b in got] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert got[2]["jpg"].shape == (2, 3, 4, 4)


def test_paths_and_bytes_are_decoded(shared_folder):
    files = [path for path, _ in ImageFolder(shared_folder).samples]
    make = {
        "path": lambda i: (files[i], i),
        "pathlib": lambda i: {"image": shared_folder / files[i], "y": i},
        "bytes": lambda i: (Path(files[i]).read_bytes(), i),
        "array": lambda i: {"jpg": np.fromfile(files[i], np.uint8), "y": i},
        "named": lambda i: {"path": files[i], "y": i},
    }
    want = [x for x, _ in cpu(ImageFolder(shared_folder), 4, transform=FakeCompose(8))]
    for name, m in make.items():
        loader = cpu(Listed(m, N), 4, transform=FakeCompose(8))
        got = [b[0] if isinstance(b, list) else next(iter(b.values())) for b in loader]
        assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True)), name


def test_subset_and_concat_of_folders(shared_folder):
    dataset = ImageFolder(shared_folder)
    both = ConcatDataset([Subset(dataset, [5, 20]), dataset])
    loader = cpu(both, 30, transform=FakeCompose(8))
    _, y = next(iter(loader))
    assert loader._set_up.kind == "encoded"
    assert y.tolist() == [0, 1] + [t for _, t in dataset.samples]


def test_a_host_side_transform_is_kept(shared_folder):
    dataset = ImageFolder(shared_folder, transform=lambda image: np.full_like(image, 7)[:6, :6])
    loader = cpu(dataset, 4, transform=None)
    assert (next(iter(loader))[0] == 7).all()


def test_pil_images_of_every_mode():
    modes = ["L", "RGB", "P", "1", "CMYK"]
    loader = cpu(Listed(lambda i: (Image.fromarray(pixels(i)).convert(modes[i]), i), 5), transform=FakeCompose(4))
    assert [x.shape[1] for x, _ in loader] == [1, 3, 3, 1, 3]


@pytest.mark.parametrize("workers", [0, 1])
def test_masks_by_name_position_and_type(workers):
    mask = lambda i: np.full((12, 10), i, np.int64)  # noqa: E731
    for make in (
        lambda i: {"image": pixels(i), "mask": mask(i)},
        lambda i: (pixels(i), mask(i)),
        lambda i: (tv_tensors.Image(pixels(i).transpose(2, 0, 1).copy()), tv_tensors.Mask(mask(i))),
    ):
        image, m = unpack(next(iter(cpu(Listed(make), 4, transform=FakeCompose(4), num_workers=workers))))
        assert image.shape == (4, 3, 4, 4)
        assert m.dtype == torch.int64
        assert m[:, 0, 0].tolist() == [0, 1, 2, 3]


def unpack(batch):
    return (batch["image"], batch["mask"]) if isinstance(batch, dict) else batch


def test_targets_can_be_named():
    nested = Listed(lambda i: {"a": {"b": pixels(i)}, "c": pixels(i)})
    loader = cpu(nested, 2, transform=FakeCompose(4), targets={"image": ("a", "b"), "untouched": ["c"]})
    batch = next(iter(loader))
    assert batch["a"]["b"].shape == (2, 3, 4, 4)
    assert batch["c"].shape == (2, 12, 10, 3)
    with pytest.raises(KeyError, match="'nope'"):
        next(iter(cpu(Listed(lambda i: {"a": pixels(i)}), targets={"image": "nope"}, transform=FakeCompose(4))))
    with pytest.raises(ValueError, match="no image was recognized"):
        next(iter(cpu(Listed(lambda i: {"a": i}), transform=FakeCompose(4))))


@pytest.mark.parametrize("workers", [0, 1])
def test_collate_fn_gets_the_transformed_samples(workers, shared_folder):
    def collate(samples):
        assert samples[0][0].shape == (3, 4, 4)
        return tuple(zip(*samples))

    for dataset in (ImageFolder(shared_folder), Listed(lambda i: (pixels(i), i))):
        images, labels = next(iter(cpu(dataset, 3, collate_fn=collate, transform=FakeCompose(4), num_workers=workers)))
        assert len(images) == len(labels) == 3
        assert isinstance(labels[0], int)
    plain = next(iter(cpu(Listed(lambda i: (pixels(i), i)), 3, collate_fn=len, num_workers=workers)))
    assert plain == 3


def test_data_in_memory_is_indexed_as_a_batch():
    images, labels = torch.arange(40 * 3 * 6 * 5).reshape(40, 3, 6, 5).to(torch.uint8), torch.arange(40)
    dataset = TensorDataset(images, labels)
    loader = cpu(dataset, 16)
    for a, b in zip(loader, torch.utils.data.DataLoader(dataset, 16), strict=True):
        assert_same(a, b)
    assert loader._set_up.kind == "memory"
    slow = cpu(Listed(lambda i: dataset[i], 40), 16, shuffle=True, transform=FakeCompose(4, seed=1))
    fast = cpu(dataset, 16, shuffle=True, transform=FakeCompose(4, seed=1))
    for a, b in zip(fast, slow, strict=True):
        assert_same(a, b)


def test_cifar_is_indexed_as_a_batch():
    class Local(CIFAR10):
        def __init__(self, transform=None):
            self.data, self.targets = np.stack([pixels(i, (32, 32)) for i in range(30)]), list(range(30))
            self.transform, self.target_transform = transform, None

    class Other(Local):
        def __getitem__(self, i):
            return super().__getitem__(i)

    fast, slow = (cpu(d, 8, transform=FakeCompose(5, seed=2), shuffle=True) for d in (Local(), Other()))
    for a, b in zip(fast, slow, strict=True):
        assert_same(a, b)
    assert (fast._set_up.kind, slow._set_up.kind) == ("memory", "workers")
    assert torch.equal(next(iter(cpu(Local(), 2)))[0], torch.from_numpy(Local().data[:2]).permute(0, 3, 1, 2))
    list(with_transform := cpu(Local(transform=np.array), 8))
    assert with_transform._set_up.kind == "workers"


def test_same_pixels_on_every_road_and_for_any_batching(shared_folder):
    """The draw belongs to (seed, epoch, sample): not to batch size, workers or road."""
    dataset = ImageFolder(shared_folder)
    in_memory = [(np.asarray(image), label) for image, label in dataset]
    how = [
        (dataset, {"batch_size": 4, "num_workers": 1}),
        (dataset, {"batch_size": 7, "num_workers": 2, "prefetch_factor": 4}),
        (Listed(lambda i: in_memory[i], N), {"batch_size": 5}),
        (Listed(lambda i: in_memory[i], N), {"batch_size": 23, "num_workers": 1}),
    ]
    seen = []
    for data, kw in how:
        loader = cpu(data, shuffle=True, transform=FakeCompose(8, seed=5), **kw)
        list(loader)  # epoch 0
        seen.append(torch.cat([x for x, _ in loader]))
    assert all(torch.equal(seen[0], other) for other in seen[1:])


def test_the_epoch_is_in_the_draw_and_can_be_set():
    dataset = Listed(lambda i: (pixels(i), i))
    loader = cpu(dataset, 10, transform=FakeCompose(4, seed=1))
    zero, one = (next(iter(loader))[0] for _ in range(2))
    assert not torch.equal(zero, one)
    loader.set_epoch(0)
    assert torch.equal(next(iter(loader))[0], zero)
    assert torch.equal(next(iter(loader))[0], one)
    with pytest.raises(ValueError, match="epoch"):
        loader.set_epoch(-1)


def test_a_sample_that_comes_again_has_another_occurrence():
    fake = FakeCompose(4)
    list(cpu(Listed(lambda i: (pixels(i), i)), 3, sampler=[4, 4, 2, 4, 2, 1], transform=fake))
    assert [(ids, occ) for _, ids, occ in fake.calls] == [([4, 4, 2], [0, 1, 0]), ([4, 2, 1], [2, 1, 0])]
    fake = FakeCompose(4)
    list(cpu(Listed(lambda i: (pixels(i), i)), batch_sampler=[[1, 1], [2, 1, 1]], transform=fake))
    assert [occ for _, _, occ in fake.calls] == [[0, 1], [0, 2, 3]]


def test_a_batch_larger_than_announced(shared_folder):
    batches = [[0], [1, 2, 3, 4, 5], [6, 7], list(range(8, 20)), [20]]
    loader = cpu(ImageFolder(shared_folder), batch_sampler=batches, transform=FakeCompose(8))
    assert [len(x) for x, _ in loader] == [1, 5, 2, 12, 1]
    assert len(loader) == 5


def test_arguments_are_checked_as_torch_does():
    data = Listed(lambda i: (pixels(i), i))
    for bad in (
        {"num_workers": -1},
        {"batch_size": 2, "batch_sampler": [[1]]},
        {"shuffle": True, "sampler": [1]},
        {"timeout": -1},
        {"prefetch_factor": 2},
        {"persistent_workers": True},
        {"batch_size": 0},
        {"on_error": "ignore"},
        {"max_pixels": 0},
        {"seed": -1},
    ):
        with pytest.raises(ValueError, match=next(iter(bad)).split("_")[0]):
            cpu(data, **bad)
    with pytest.raises(TypeError, match="Compose"):
        cpu(data, transform=lambda x: x)
    with pytest.raises(TypeError, match="dtype"):
        cpu(data, dtype="float16")
    with pytest.raises(TypeError, match="targets must be a dict"):
        cpu(data, targets=["image"])
    with pytest.raises(TypeError, match=r"targets\['untouched'\] must be a list"):
        cpu(data, targets={"untouched": None})


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_no_dataset(shared_folder, kind):
    with pytest.raises(TypeError, match=r"dataset .*gpuaug\.data\.ImageFolder\('.*'\)") as caught:
        cpu(kind(shared_folder), 2)
    assert str(shared_folder) in str(caught.value)


def test_attributes_of_torchs_loader():
    data = Listed(lambda i: (pixels(i), i))
    loader = cpu(data, 4, drop_last=True)
    assert isinstance(loader, torch.utils.data.DataLoader)
    assert (loader.dataset, loader.batch_size, loader.drop_last, len(loader.sampler)) == (data, 4, True, 10)


def test_worker_settings_are_passed_on():
    class Told(Listed):
        def __getitem__(self, i):
            return pixels(0), getattr(self, "told", -1)

    def tell(worker):
        torch.utils.data.get_worker_info().dataset.told = 42

    loader = cpu(Told(None), 5, num_workers=1, worker_init_fn=tell, persistent_workers=True, transform=FakeCompose(4))
    for _ in range(2):
        assert [y.tolist() for _, y in loader] == [[42] * 5] * 2


def test_what_goes_to_workers_and_the_loader_itself_can_be_pickled(shared_folder):
    dataset = ImageFolder(shared_folder, transform=np.array)
    loader = cpu(dataset, 4, transform=FakeCompose(4), collate_fn=lambda samples: samples)
    next(iter(loader))
    pickle.dumps(workers.Fetcher(dataset, loader._set_up.packer, "raise"))
    loader = cpu(ImageFolder(shared_folder), 4, transform=FakeCompose(4), seed=1)
    before = list(loader)
    loader.set_epoch(0)
    for a, b in zip(pickle.loads(pickle.dumps(loader)), before, strict=True):
        assert_same(a, b)


def test_a_loader_made_anew_from_its_attributes():
    """As Lightning does, to put in a sampler of its own."""
    data = Listed(lambda i: (pixels(i), i))
    loader = cpu(data, 4, transform=FakeCompose(4), seed=1)
    names = [p for p in inspect.signature(DataLoader).parameters if p not in ("shuffle", "batch_sampler", "sampler")]
    same = DataLoader(**{name: getattr(loader, name) for name in names}, sampler=range(10))
    for a, b in zip(loader, same, strict=True):
        assert_same(a, b)


def test_dtype_device_and_generator(shared_folder):
    x, _ = next(iter(cpu(ImageFolder(shared_folder), 4, transform=FakeCompose(8), dtype=torch.float16)))
    assert x.dtype == torch.float16
    dataset = Listed(lambda i: (pixels(i), i))
    orders = []
    for kind in (DataLoader, torch.utils.data.DataLoader):
        generator = torch.Generator().manual_seed(7)
        kw = {"device": "cpu"} if kind is DataLoader else {}
        orders.append([int(i) for _, y in kind(dataset, 3, shuffle=True, generator=generator, **kw) for i in y])
    assert orders[0] == orders[1]


def test_the_global_random_states_are_left_alone(shared_folder):
    class Random(Listed):
        def __getitem__(self, i):
            return pixels(i), np.random.rand()  # noqa: NPY002

    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    before = torch.get_rng_state()
    numbers = [float(y) for _, y in cpu(Random(None), transform=FakeCompose(4), shuffle=True)]
    assert torch.equal(before, torch.get_rng_state())
    np.random.seed(0)  # noqa: NPY002
    assert numbers == [np.random.rand() for _ in range(10)]  # noqa: NPY002


def test_empty_dataset():
    assert list(cpu(Listed(pixels, 0), 4, transform=FakeCompose(4))) == []


def test_stats_name_a_bottleneck(shared_folder):
    loader = cpu(ImageFolder(shared_folder), 5, transform=FakeCompose(8), num_workers=1)
    assert loader.stats()["bottleneck"] == "nothing has been loaded yet"
    list(loader)
    stats = loader.stats()
    assert (stats["images"], stats["batches"]) == (N, 5)
    assert stats["images_per_second"] > 0
    assert "of the time goes to" in stats["bottleneck"]
    assert set(stats["waiting"]) == {"read", "decode", "load", "wait", "upload", "kernels", "consumer"}


def test_no_warnings(shared_folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(cpu(ImageFolder(shared_folder), 5, transform=FakeCompose(8), num_workers=1))
        list(cpu(Listed(lambda i: (pixels(i), i)), 5, transform=FakeCompose(8), num_workers=1))

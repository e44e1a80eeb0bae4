"""With num_workers > 0 the user's code runs in worker processes, as with torch: what it opens there is no other process's."""

import gc
import io
import os
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, Dataset, IterableDataset, Subset, get_worker_info

import gpuaug as A
from gpuaug.data import BadSampleError, DataLoader

N, SIDE = 200, 16
FLIP = A.Compose([A.HorizontalFlip(p=1)], seed=0)


@pytest.fixture(autouse=True)
def nothing_to_collect():
    """A forked worker that collects a DALI pipeline, garbage of the tests before, ends: DALI's threads are not there."""
    gc.collect()


def pixels(i):
    return np.full((SIDE, SIDE, 3), i % 251, np.uint8)


class RawFile(Dataset):
    """Opens its file at the first access, as torch's documentation teaches."""

    def __init__(self, path):
        self.path, self.file = path, None

    def __len__(self):
        return N

    def __getitem__(self, i):
        if self.file is None:
            self.file = open(self.path, "rb", buffering=0)  # noqa: SIM115
        self.file.seek(i * SIDE * SIDE * 3)
        return np.frombuffer(self.file.read(SIDE * SIDE * 3), np.uint8).reshape(SIDE, SIDE, 3), i


class Zipped(RawFile):
    """PNGs in a zip archive, whose reader has one position for all of its files."""

    def __getitem__(self, i):
        if self.file is None:
            self.file = zipfile.ZipFile(self.path)
        return self.file.read(f"{i}.png"), i


class Elsewhere(Dataset):
    """Fails in the process in which it was made."""

    def __init__(self):
        self.home = os.getpid()

    def __len__(self):
        return 10

    def __getitem__(self, i):
        if os.getpid() == self.home:
            raise RuntimeError("asked in the main process")
        return pixels(i), i


class Counted(IterableDataset):
    """Writes a line for each time that it is iterated."""

    def __init__(self, log, encoded=False):
        self.log, self.encoded = log, encoded

    def __iter__(self):
        info = get_worker_info()
        with open(self.log, "a") as file:
            file.write(f"{os.getpid()} {info and (info.id, info.num_workers, info.dataset is self)}\n")
        part, parts = (0, 1) if info is None else (info.id, info.num_workers)
        for i in range(part, 20, parts):
            yield (png(i), i) if self.encoded else (pixels(i), i)


def png(i):
    file = io.BytesIO()
    Image.fromarray(pixels(i)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    path = tmp_path_factory.mktemp("raw") / "pixels.bin"
    path.write_bytes(b"".join(pixels(i).tobytes() for i in range(N)))
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("zip") / "images.zip"
    with zipfile.ZipFile(path, "w") as file:
        for i in range(N):
            file.writestr(f"{i}.png", png(i))
    return path


def check(loader, n=N):
    seen = []
    for images, numbers in loader:
        want = torch.from_numpy(np.stack([pixels(int(i)) for i in numbers])).permute(0, 3, 1, 2)
        assert torch.equal(images, want)
        seen += numbers.tolist()
    assert sorted(seen) == list(range(n))


@pytest.mark.parametrize("workers", [0, 3])
@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: Subset(d, range(N)), lambda d: ConcatDataset([d])],
                         ids=["plain", "subset", "concat"])  # fmt: skip
def test_a_file_that_the_dataset_opens(raw, wrap, workers):
    loader = DataLoader(wrap(RawFile(raw)), 4, shuffle=True, num_workers=workers, transform=FLIP, device="cpu")
    for _ in range(3):
        check(loader)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_zip_archive_that_the_dataset_opens(archive, context):
    dataset = Zipped(archive)
    loader = DataLoader(dataset, 8, shuffle=True, num_workers=3, transform=FLIP, device="cpu", multiprocessing_context=context)
    for _ in range(2 if context == "spawn" else 3):
        check(loader)
    assert dataset.file is None, "the main process has not looked"


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: Subset(d, range(10)), lambda d: ConcatDataset([d])],
                         ids=["plain", "subset", "concat"])  # fmt: skip
@pytest.mark.parametrize("transform", [FLIP, None])
def test_a_dataset_that_fails_in_the_main_process(wrap, transform):
    batches = list(DataLoader(wrap(Elsewhere()), 5, num_workers=1, transform=transform, device="cpu"))
    assert [numbers.tolist() for _, numbers in batches] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
def test_an_iterable_is_iterated_once_a_worker(tmp_path, workers, encoded):
    dataset = Counted(tmp_path / "log", encoded)
    loader = DataLoader(dataset, 4, num_workers=workers, transform=FLIP, device="cpu")
    for epoch in range(2):
        check(loader, 20)
        lines = (tmp_path / "log").read_text().splitlines()
        assert len(lines) == (epoch + 1) * max(1, workers)
    here = [line for line in lines if line.startswith(f"{os.getpid()} ")]
    assert bool(here) == (workers == 0)
    if workers:
        assert sorted(line.split(" ", 1)[1] for line in lines) == sorted(["(0, 2, True)", "(1, 2, True)"] * 2)


class Sharded(IterableDataset):
    """The example of torch's documentation: worker_init_fn sets what a worker's copy yields."""

    def __init__(self, start, end):
        self.start, self.end = start, end

    def __iter__(self):
        return iter([(pixels(i), i) for i in range(self.start, self.end)])


def split(worker):
    info = get_worker_info()
    dataset, whole = info.dataset, info.dataset.end - info.dataset.start
    each = -(-whole // info.num_workers)
    dataset.start, dataset.end = dataset.start + worker * each, min(dataset.start + (worker + 1) * each, dataset.end)


def test_the_documentations_way_to_split_an_iterable():
    check(DataLoader(Sharded(0, 17), 4, num_workers=2, worker_init_fn=split, transform=FLIP, device="cpu"), 17)


def test_bad_samples_of_workers_that_return_files(archive, tmp_path):
    class Cut(Zipped):
        def __getitem__(self, i):
            data, i = super().__getitem__(i)
            if i == 9:
                raise OSError("no such member")
            return data[: 60 if i in (3, 4, 11) else len(data)], i

    def loader(policy):
        return DataLoader(Cut(archive), 4, num_workers=2, sampler=range(12), transform=FLIP, device="cpu", on_error=policy)

    skipping = loader("skip")
    for _ in range(2):  # found again in the second epoch
        assert [numbers.tolist() for _, numbers in skipping] == [[0, 1, 2], [5, 6, 7], [8, 10]]
        assert sorted(bad.index for bad in skipping.errors) == [3, 4, 9, 11]
    # 4 begins a batch: the good sample that precedes it is 2, of the batch before
    assert [n.tolist() for _, n in loader("replace")] == [[0, 1, 2, 2], [2, 5, 6, 7], [8, 8, 10, 10]]
    with pytest.raises(BadSampleError, match="sample 3"):
        list(loader("raise"))


def test_a_loop_that_is_left_ends_the_workers(archive, no_leaks):
    loader = DataLoader(Zipped(archive), 4, num_workers=2, transform=FLIP, device="cpu")
    iterator = iter(loader)
    next(iterator)
    processes = list(iterator._road._replies._iterator._workers)
    iterator._road.close()
    assert not any(process.is_alive() for process in processes)


def test_what_precedes_an_error_is_delivered(archive):
    class Failing(Counted):
        def __iter__(self):
            yield from [(png(i), i) for i in range(6)]
            raise KeyError("the stream broke")

    for workers in (0, 1):
        iterator = iter(DataLoader(Failing(os.devnull), 2, num_workers=workers, transform=FLIP, device="cpu"))
        assert [next(iterator)[1].tolist() for _ in range(3)] == [[0, 1], [2, 3], [4, 5]]
        with pytest.raises(KeyError, match="the stream broke"):
            next(iterator)


def test_kinds_are_not_mixed(archive):
    class Mixed(Zipped):
        def __getitem__(self, i):
            return super().__getitem__(i) if i < 8 else (pixels(i), i)

    with pytest.raises(ValueError, match="encoded images at first, and pixels for the samples"):
        list(DataLoader(Mixed(archive), 4, num_workers=1, transform=FLIP, device="cpu"))

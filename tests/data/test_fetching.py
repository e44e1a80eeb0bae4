"""Who calls the dataset: one thread, or as many as the loader has where the dataset says that it is safe. Counted, not timed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from conftest import N, eventually, ours
from fake_compose import FakeCompose
from torch.utils.data import ConcatDataset, Dataset, Subset

from gpuaug.data import DataLoader, HuggingFace, ImageCsv, ImageFolder
from gpuaug.data.channel import Channel
from gpuaug.data.protocol import is_thread_safe

pytestmark = pytest.mark.usefixtures("no_leaks")


class Remote(Dataset):
    """Encoded images. Counts how many are under way at a time."""

    def __init__(self, folder, bad=()):
        self.files, self.bad = [Path(path).read_bytes() for path, _ in ImageFolder(folder).samples], bad
        self.lock, self.now, self.most, self.threads, self.asked = threading.Lock(), 0, 0, set(), 0

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.threads.add(threading.get_ident())
            self.asked += 1
            number = self.asked
        self.take(number)
        with self.lock:
            self.now -= 1
        if index in self.bad:
            raise KeyError(f"no row {index}")
        return self.files[index], index

    def take(self, number):
        pass


class Safe(Remote):
    """The first of the reading threads waits for a second one; the thread that iterates looks at a sample before."""

    thread_safe = True

    def __init__(self, folder, bad=()):
        super().__init__(folder, bad)
        self.met = threading.Barrier(2)

    def take(self, number):
        if number in (2, 3):
            self.met.wait(60)


def load(data, workers=4, **how):
    return DataLoader(data, 8, num_workers=workers, transform=FakeCompose(6, seed=1), device="cpu", shuffle=True, seed=3, **how)


def test_a_dataset_that_is_safe_is_asked_by_several_threads(shared_folder):
    data = Safe(shared_folder)
    list(load(data))
    assert 1 < data.most <= 4
    assert threading.main_thread().ident not in data.threads or len(data.threads) > 1


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: Subset(d, range(N)), lambda d: ConcatDataset([d])])
def test_another_is_asked_by_one(shared_folder, wrap):
    data = Remote(shared_folder)
    list(load(wrap(data), workers=0))
    assert data.most == 1
    here = set(data.threads)
    list(load(wrap(data)))
    assert data.threads == here, "with worker processes it is asked there"


@pytest.mark.parametrize("wrap", [lambda d: Subset(d, range(N)), lambda d: ConcatDataset([d])])
def test_what_is_said_of_the_parts_holds_for_the_whole(shared_folder, wrap):
    data = Safe(shared_folder)
    list(load(wrap(data)))
    assert data.most > 1


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_order_draws_and_policy_are_the_same(shared_folder, policy):
    bad = (0, 5, 6, 7, 22)
    one, several = (load(kind(shared_folder, bad), on_error=policy) for kind in (Remote, Safe))
    for _ in range(2):
        for (x, i), (y, j) in zip(one, several, strict=True):
            assert i.tolist() == j.tolist()
            assert torch.equal(x, y)
        assert [(e.index, e.reason) for e in one.errors] == [(e.index, e.reason) for e in several.errors]
        assert {e.index for e in several.errors} == set(bad)


def test_raise_names_the_first_of_the_batch(shared_folder):
    errors = []
    for kind in (Remote, Safe):
        with pytest.raises(RuntimeError) as caught:
            list(load(kind(shared_folder, (3, 9, 14))))
        errors.append(str(caught.value).split("\n")[0])
    assert errors[0] == errors[1]


def test_resuming_is_exact(shared_folder):
    whole = [i.tolist() for _, i in load(Safe(shared_folder))]
    loader = load(Safe(shared_folder))
    first = next(iter(loader))[1].tolist()
    again = load(Safe(shared_folder))
    again.load_state_dict(loader.state_dict())
    assert [first, *(i.tolist() for _, i in again)] == whole


def test_leaving_an_epoch_ends_the_fetching(shared_folder, monkeypatch):
    """Of the last batch only the samples come that are under way."""
    left, close = threading.Event(), Channel.close
    monkeypatch.setattr(Channel, "close", lambda channel: (close(channel), left.set())[0])

    class Held(Safe):
        thread_safe = True

        def take(self, number):
            super().take(number)
            if number > 1 + 16:  # the one that is looked at, and two batches, which are decoded at a time
                assert left.wait(60)

    data = Held(shared_folder)
    loader = iter(load(data))
    next(loader)
    del loader
    eventually(lambda: not ours(), ours)
    assert data.now == 0
    assert data.asked <= 1 + 16 + 4 < N


def test_rows_of_a_hugging_face_split_bear_it(shared_folder):
    datasets = pytest.importorskip("datasets")
    files = [Path(path).read_bytes() for path, _ in ImageFolder(shared_folder).samples]
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    rows = {"image": [{"bytes": files[i % N], "path": None} for i in range(400)], "label": list(range(400))}
    data = HuggingFace(datasets.Dataset.from_dict(rows, features=features))
    assert is_thread_safe(data)
    with ThreadPoolExecutor(8) as pool:
        for index, sample in enumerate(pool.map(data.encoded, [i for _ in range(3) for i in range(400)])):
            assert sample == {"image": files[index % 400 % N], "label": index % 400}


def test_who_is_safe(shared_folder, tmp_path):
    class Own(ImageFolder):  # what was said of ImageFolder's method is not said of this one
        def encoded(self, index):
            return super().encoded(index)

    class Renamed(ImageFolder):
        pass

    class Declared(Own):
        thread_safe = True

    (tmp_path / "t.csv").write_text("path\nx.jpg\n")
    assert is_thread_safe(ImageFolder(shared_folder))
    assert is_thread_safe(Renamed(shared_folder))
    assert is_thread_safe(ImageCsv(tmp_path / "t.csv", missing="ignore"))
    assert is_thread_safe(Declared(shared_folder))
    assert not is_thread_safe(Own(shared_folder))
    assert not is_thread_safe(ConcatDataset([ImageFolder(shared_folder), Own(shared_folder)]))
    one = Own(shared_folder)
    one.thread_safe = True
    assert is_thread_safe(one)

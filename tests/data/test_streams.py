"""Shards that are cut or lack a member: `on_error` decides, nothing is lost without a word, and what follows is read."""

import io
import tarfile

import numpy as np
import pytest
import torch
from conftest import jpeg
from fake_compose import FakeCompose

from gpuaug.data import BadSampleError, DataLoader, WebDataset
from gpuaug.data.faults import AllBadError, Unreadable, stream

pytest.importorskip("webdataset")
pytestmark = pytest.mark.usefixtures("no_leaks")
EACH, BLOCK = 4, 512


def write(path, numbers, without=()):
    """A shard of samples 000i.cls, 000i.jpg; `without`: members that are left out. Returns where the members begin."""
    begins = {}
    with tarfile.open(path, "w") as tar:
        for i in numbers:
            for name, content in ((f"{i:04}.cls", str(i).encode()), (f"{i:04}.jpg", jpeg(i))):
                if name not in without:
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    begins[name] = tar.offset
                    tar.addfile(info, io.BytesIO(content))
    return begins


@pytest.fixture
def shards(tmp_path):
    """Three shards of `EACH` samples; `cut(member, within)` ends the second one there."""

    class Shards:
        def __init__(self):
            self.urls = [str(tmp_path / f"{k}.tar") for k in range(3)]
            self.begins = [write(url, range(k * EACH, (k + 1) * EACH)) for k, url in enumerate(self.urls)]

        def cut(self, member, within):
            with open(self.urls[1], "r+b") as file:
                file.truncate(self.begins[1][member] + within)

    return Shards()


def load(urls, policy, decode=False, workers=0, batch_size=5, **arguments):
    data = WebDataset(urls, decode=decode, split="sample", **arguments)
    return DataLoader(data, batch_size, num_workers=workers, on_error=policy, transform=FakeCompose(4), device="cpu")


def labels(loader):
    return [label for batch in loader for label in batch["label"].tolist()]


ALL = list(range(3 * EACH))
LOST = [6, 7]  # by each of these ends of the second shard
DAMAGED = r"1.tar\)?:? cannot be read \(ReadError\): "
AT = DAMAGED + r"it ends, or its next header is damaged, at byte \d+"
CUTS = {
    "at a header": ("0006.cls", 0, AT),
    "in a header": ("0006.cls", 100, AT),
    "in data": ("0006.jpg", BLOCK + 100, DAMAGED + "unexpected end of data"),
    "inside a sample": ("0006.jpg", 0, AT),
}


@pytest.mark.parametrize("decode", [False, True])
@pytest.mark.parametrize("kind", CUTS)
class TestCutShards:
    def test_raise(self, shards, kind, decode):
        *cut, message = CUTS[kind]
        shards.cut(*cut)
        with pytest.raises(BadSampleError, match=message):
            labels(load(shards.urls, "raise", decode))
        with pytest.raises(ValueError, match=message):  # without the loader too
            list(WebDataset(shards.urls))

    def test_the_place_is_said(self, shards, kind, decode):
        member, within, message = CUTS[kind]
        if "at byte" in message:
            shards.cut(member, within)
            with pytest.raises(ValueError, match=f"at byte {shards.begins[1][member]}, "):
                list(WebDataset(shards.urls, decode=decode))

    def test_skip(self, shards, kind, decode):
        shards.cut(*CUTS[kind][:2])
        loader = load(shards.urls, "skip", decode)
        for _ in range(2):
            assert labels(loader) == [i for i in ALL if i not in LOST]
        assert [bad.path for bad in loader.errors] == [shards.urls[1]]
        assert "cannot be read" in loader.errors[0].reason

    def test_replace(self, shards, kind, decode):
        shards.cut(*CUTS[kind][:2])
        got = labels(load(shards.urls, "replace", decode))
        assert sorted(set(got)) == [i for i in ALL if i not in LOST]
        assert len(got) == len(ALL) - len(LOST) + 1  # the rest of a shard, however much it was, counts as one sample


def test_intact_shards_are_read_whole(shards):
    assert [s["label"] for s in WebDataset(shards.urls)] == ALL
    assert not any(isinstance(s, Unreadable) for s in stream(WebDataset(shards.urls)))


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2"])
def test_packed_shards(tmp_path, mode):
    write(tmp_path / "plain.tar", range(4))
    with tarfile.open(tmp_path / "plain.tar") as plain, tarfile.open(tmp_path / "packed.tar", mode) as packed:
        for info in plain:
            packed.addfile(info, plain.extractfile(info))
    assert [s["label"] for s in WebDataset(str(tmp_path / "packed.tar"))] == [0, 1, 2, 3]
    whole = (tmp_path / "packed.tar").read_bytes()
    (tmp_path / "packed.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"packed.tar cannot be read"):
        list(WebDataset(str(tmp_path / "packed.tar")))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("decode", [False, True])
class TestSamples:
    def spoil(self, shards, tmp_path):
        write(shards.urls[1], range(4, 8), without=["0005.cls"])
        with tarfile.open(tmp_path / "2.tar", "w") as tar:
            for i in range(8, 12):
                for name, content in ((f"{i:04}.cls", b"ten" if i == 10 else str(i).encode()), (f"{i:04}.jpg", jpeg(i))):
                    content = b"no picture" if name == "0009.jpg" else content
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))

    def test_skip(self, shards, tmp_path, decode, workers):
        self.spoil(shards, tmp_path)
        loader = load(shards.urls, "skip", decode, workers)
        assert sorted(labels(loader)) == [i for i in ALL if i not in (5, 9, 10)]
        assert {bad.path.rsplit("/", 1)[-1] for bad in loader.errors} == {"0005", "0009", "0010"}
        if not workers:
            assert [bad.index for bad in loader.errors] == [5, 9, 10]

    def test_replace(self, shards, tmp_path, decode, workers):
        self.spoil(shards, tmp_path)
        got = labels(load(shards.urls, "replace", decode, workers, batch_size=3))
        assert len(got) == len(ALL)
        if not workers:
            assert got == [0, 1, 2, 3, 4, 4, 6, 7, 8, 8, 8, 11]  # 9 and 10 begin a batch: the good one before it
        else:
            assert set(got) == {i for i in ALL if i not in (5, 9, 10)}

    def test_raise(self, shards, tmp_path, decode, workers):
        self.spoil(shards, tmp_path)
        with pytest.raises(BadSampleError, match=r"0005\): has none of cls for 'label'; it has jpg|0009|be read as the field"):
            labels(load(shards.urls, "raise", decode, workers))

    def test_one_by_one(self, shards, tmp_path, decode, workers):
        self.spoil(shards, tmp_path)
        loader = load(shards.urls, "skip", decode, workers, batch_size=None)
        assert sorted(int(sample["label"]) for sample in loader) == [i for i in ALL if i not in (5, 9, 10)]


@pytest.mark.parametrize("decode", [False, True])
def test_draws_do_not_depend_on_what_is_bad_before(shards, tmp_path, decode):
    """The number of a sample in the stream counts the bad ones, as its index counts in a dataset."""
    seen = {}
    for spoilt in (False, True):
        if spoilt:
            write(shards.urls[0], range(4), without=["0001.cls"])
        transform = FakeCompose(4, seed=1)
        loader = DataLoader(WebDataset(shards.urls, decode=decode), 3, on_error="skip", transform=transform, device="cpu")
        seen[spoilt] = {int(y): x for b in loader for x, y in zip(b["image"], b["label"])}
    assert seen[True].keys() == seen[False].keys() - {1}
    assert all(torch.equal(x, seen[False][y]) for y, x in seen[True].items())


def test_shards_that_are_none(tmp_path, shards):
    (tmp_path / "html.tar").write_bytes(b"<html>" * 200)
    (tmp_path / "empty.tar").write_bytes(b"")
    urls = [str(tmp_path / "html.tar"), *shards.urls, str(tmp_path / "absent.tar"), str(tmp_path / "empty.tar")]
    loader = load(urls, "skip")
    assert labels(loader) == ALL
    assert [bad.path for bad in loader.errors] == [urls[0], *urls[4:]]
    with pytest.raises(AllBadError, match=r"all 2 samples are bad; the first: .*absent.tar"):
        labels(load(urls[4:], "skip"))


def test_a_shuffled_stream_keeps_what_is_good(shards):
    shards.cut("0006.jpg", BLOCK + 100)
    loader = load(shards.urls, "skip", shuffle=4, seed=3)
    assert sorted(labels(loader)) == [i for i in ALL if i not in (6, 7)]


class TestTorchsOwnLoader:
    def test_gets_the_error(self, shards):
        shards.cut("0006.cls", 0)
        with pytest.raises(ValueError, match="at byte"):
            list(torch.utils.data.DataLoader(WebDataset(shards.urls, decode=True), 2))

    def test_and_all_of_what_is_whole(self, shards):
        batches = list(torch.utils.data.DataLoader(WebDataset(shards.urls, decode=True), 1))
        assert [int(batch["label"]) for batch in batches] == ALL
        assert isinstance(batches[0]["image"], torch.Tensor)
        assert np.array_equal(batches[0]["image"][0], next(iter(WebDataset(shards.urls, decode=True)))["image"])

"""Datasets by URL: the same samples as from disk, whatever the network does. S3 is moto's server behind a proxy that fails."""

import io
import json
import logging
import os
import pickle
import random
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import s3_server
import torch
from PIL import Image

import gpuaug
from gpuaug.data import (
    CacheError,
    DataLoader,
    ImageCsv,
    ImageFolder,
    IndexedShards,
    Remote,
    SegmentationFolder,
    SpectrogramFolder,
    WebDataset,
    cached,
    indexed,
    remote,
)
from gpuaug.data.blocks import Blocks
from gpuaug.data.faults import AllBadError, BadSampleError
from gpuaug.data.remote_errors import RemoteDenied, RemoteError, RemoteMissing, RemoteTimeout
from gpuaug.data.urls import Url, scrubbed, shown

fsspec = pytest.importorskip("fsspec")
QUICK = Remote(retries=3, first_wait=0.01, timeout=1.0)
COUNT = 20


def picture(path, rng, size=(40, 50), mode="RGB"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shape = (*size, 3) if mode == "RGB" else size
    Image.fromarray(rng.integers(0, 255, shape, np.uint8), mode).save(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """root/class/file and root/class/x/file, with what systems leave behind."""
    root, rng = tmp_path_factory.mktemp("train"), np.random.default_rng(0)
    for name in ("ant", "bee"):
        for number in range(COUNT // 2):
            picture(f"{root}/{name}/{'x/' if number % 2 else ''}{number}.png", rng)
        (root / name / "._0.png").write_bytes(b"left behind")
        (root / name / "__MACOSX").mkdir()
        (root / name / "__MACOSX" / "a.png").write_bytes(b"left behind")
        (root / name / "notes.txt").write_bytes(b"not a picture")
    return root


@pytest.fixture(scope="module")
def shard(tmp_path_factory, folder):
    path = tmp_path_factory.mktemp("shards") / "part-0.tar"
    with tarfile.open(path, "w") as tar:
        for number, (file, label) in enumerate(ImageFolder(folder).samples):
            for name, data in ((f"{number:03}.png", Path(file).read_bytes()), (f"{number:03}.cls", str(label).encode())):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture(scope="module")
def server(folder, shard):
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    with s3_server.s3({"train": folder, "shards": shard.parent}) as found:
        yield found


@pytest.fixture
def s3(server):
    proxy = server[1]
    proxy.fault = lambda number, method, path: None
    with proxy.lock:
        proxy.seen.clear()
        proxy.injected.clear()
    yield server
    proxy.fault = lambda number, method, path: None


def nth(count, kind):
    """A fault for each request whose number is a multiple, which a repetition then does not meet."""
    return lambda number, method, path: kind if number % count == 0 else None


def in_memory(place, source):
    """memory://place with the files of a folder."""
    system = fsspec.filesystem("memory")
    for parent, _, names in os.walk(source):
        for name in names:
            path = os.path.join(parent, name)
            system.pipe(f"/{place}/{os.path.relpath(path, source)}", Path(path).read_bytes())
    return f"memory://{place}"


def epoch(dataset, **options):
    given = {"batch_size": 8, "transform": gpuaug.Compose([gpuaug.HorizontalFlip()], seed=3), "num_workers": 2, "seed": 0}
    loader = DataLoader(dataset, **{**given, **options})
    return loader, list(loader)


def same(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        assert torch.equal(x[0], y[0])
        assert torch.equal(x[1], y[1])


# ---- what is read is what lies on disk ---------------------------------------------------------


def test_nothing_of_fsspec_is_imported_for_paths(folder):
    code = f"""
import sys
from gpuaug.data import CacheError, cached, DataLoader, ImageFolder
dataset = ImageFolder({str(folder)!r})
dataset[0]
next(iter(DataLoader(dataset, batch_size=2, collate_fn=list)))
assert "fsspec" not in sys.modules and "s3fs" not in sys.modules
ImageFolder({"file://" + str(folder)!r})[0]
assert "fsspec" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_an_image_folder_has_the_order_and_the_pixels_of_the_disk(folder, s3):
    here, far = ImageFolder(folder), ImageFolder("s3://bucket/train/", remote=QUICK)
    assert far.classes == here.classes
    assert far.targets == here.targets
    assert [path.removeprefix("s3://bucket/train") for path, _ in far.samples] == [
        path.removeprefix(str(folder)) for path, _ in here.samples
    ]
    assert far.root == "s3://bucket/train"
    assert all(np.array_equal(far[i][0], here[i][0]) for i in range(COUNT))
    with s3[1].lock:
        s3[1].seen.clear()
    same(epoch(far)[1], epoch(here)[1])
    gets = [ranged for method, path, ranged in s3[1].seen if method == "GET"]
    assert len(gets) == len(s3[1].seen) == COUNT  # one request for a sample: none for its size


def test_several_threads_read_at_a_time(s3):
    proxy, state = s3[1], {"now": 0, "most": 0}
    far, handed_on, lock = ImageFolder("s3://bucket/train", remote=QUICK), proxy.handed_on, threading.Lock()

    def counted(request, body):
        with lock:
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
        time.sleep(0.02)
        with lock:
            state["now"] -= 1
        return handed_on(request, body)

    proxy.handed_on = counted
    try:
        epoch(far, num_workers=8)
    finally:
        del proxy.handed_on
    assert state["most"] >= 4


def test_resuming_gives_the_rest_of_the_epoch(s3):
    far = ImageFolder("s3://bucket/train", remote=QUICK)
    whole = epoch(far, shuffle=True, batch_size=4)[1]
    loader = DataLoader(
        far, batch_size=4, shuffle=True, seed=0, num_workers=2, transform=gpuaug.Compose([gpuaug.HorizontalFlip()], seed=3)
    )
    batches = iter(loader)
    next(batches), next(batches)
    state = pickle.loads(pickle.dumps(loader.state_dict()))
    again = DataLoader(
        pickle.loads(pickle.dumps(far)), batch_size=4, shuffle=True, seed=0,
        transform=gpuaug.Compose([gpuaug.HorizontalFlip()], seed=3),
    )  # fmt: skip
    again.load_state_dict(state)
    same(list(again), whole[2:])


def test_worker_processes_have_connections_of_their_own(folder, s3):
    far = ImageFolder("s3://bucket/train", transform=lambda image: torch.from_numpy(image), remote=QUICK)
    far[0]  # this process has a connection by now, and a thread that serves it
    batches = list(torch.utils.data.DataLoader(far, batch_size=8, num_workers=2, multiprocessing_context="fork"))
    here = ImageFolder(folder)
    assert np.array_equal(torch.cat([b[0] for b in batches]).numpy(), np.stack([here[i][0] for i in range(COUNT)]))
    before = remote.counts()["retries"]
    for _ in range(3):  # and those of this process live on
        assert all(np.array_equal(far[i][0].numpy(), here[i][0]) for i in range(COUNT))
    assert remote.counts()["retries"] == before


@pytest.mark.parametrize("form", ["HW", "labelled"])
def test_spectrograms(tmp_path, form):
    for name in ("a", "b"):
        place = tmp_path / name if form == "labelled" else tmp_path
        place.mkdir(exist_ok=True)
        np.save(place / f"{name}.npy", np.random.default_rng(0).random((4, 5)).astype(np.float32))
    far, here = (SpectrogramFolder(root, layout="HW") for root in (in_memory(f"spec-{form}", tmp_path), tmp_path))
    assert len(far) == 2
    for i in range(2):
        x, y = (d[i][0] if form == "labelled" else d[i] for d in (far, here))
        assert torch.equal(x, y)


def test_segmentation(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(4):
        picture(f"{tmp_path}/images/{number}.png", rng)
        kind = ("png", "tif")[number % 2]
        picture(f"{tmp_path}/masks/{number}.{kind}", rng, mode="L")
    Image.fromarray(rng.integers(0, 60_000, (40, 50)).astype(np.uint16)).save(tmp_path / "masks" / "3.tif")
    root = in_memory("seg", tmp_path)
    far, here = SegmentationFolder(f"{root}/images", f"{root}/masks"), SegmentationFolder(tmp_path / "images", tmp_path / "masks")
    assert far.mask_type == here.mask_type == np.int32
    for i in range(4):
        assert all(np.array_equal(far[i][name], here[i][name]) for name in ("image", "mask"))
    batches = [list(DataLoader(d, batch_size=4, transform=gpuaug.Compose([gpuaug.VerticalFlip(p=1)]))) for d in (far, here)]
    assert torch.equal(batches[0][0]["mask"], batches[1][0]["mask"])
    (tmp_path / "masks" / "0.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 of 4 images have no mask of the same name in memory://seg2/masks"):
        SegmentationFolder(f"{in_memory('seg2', tmp_path)}/images", "memory://seg2/masks")


def test_tables(tmp_path, folder):
    (tmp_path / "train.csv").write_text("path,kind\nant/0.png,a\nbee/0.png,b\nant/x/1.png,a\n")
    in_memory("table/pictures", folder)
    fsspec.filesystem("memory").pipe("/table/train.csv", (tmp_path / "train.csv").read_bytes())
    here = ImageCsv(tmp_path / "train.csv", labels="kind", root=folder)
    far = ImageCsv("memory://table/train.csv", labels="kind", root="memory://table/pictures")
    mixed = ImageCsv(tmp_path / "train.csv", labels="kind", root="memory://table/pictures")
    for dataset in (far, mixed):
        assert [sample["labels"] for sample in map(dataset.encoded, range(3))] == [here.encoded(i)["labels"] for i in range(3)]
        assert all(np.array_equal(dataset[i]["img"], here[i]["img"]) for i in range(3))
        assert far.paths[0].size == os.path.getsize(folder / "ant" / "0.png")
    system = fsspec.filesystem("memory")
    system.pipe("/table/gone.csv", b"path\npictures/ant/0.png\npictures/ant/none.png\n")
    with pytest.raises(FileNotFoundError, match=r"1 of 2 files do not exist: row 3: memory://table/pictures/ant/none.png"):
        ImageCsv("memory://table/gone.csv")
    assert len(ImageCsv("memory://table/gone.csv", missing="skip")) == 1
    system.pipe("/table/urls.csv", b"path\nmemory://table/pictures/ant/0.png\n")
    assert np.array_equal(ImageCsv("memory://table/urls.csv")[0]["img"], here[0]["img"])


def test_a_file_url_is_a_path(folder):
    assert ImageFolder(f"file://{folder}").samples == ImageFolder(folder).samples
    with pytest.raises(ValueError, match="names the host other"):
        ImageFolder("file://other/data")


def test_a_dataset_of_ones_own_may_return_urls(folder):
    urls = [f"{in_memory('own', folder)}/ant/{number}.png" for number in (0, 2, 4)]

    class Own(torch.utils.data.Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return urls[i], i

    (batch,) = epoch(Own(), transform=gpuaug.Compose([gpuaug.HorizontalFlip(p=0)]), num_workers=0)[1]
    here = ImageFolder(folder)
    assert np.array_equal(batch[0].numpy(), np.stack([here[i][0] for i in range(3)]).transpose(0, 3, 1, 2)) or np.array_equal(
        batch[0].numpy(), np.stack([here[i][0] for i in range(3)])
    )


# ---- shards ------------------------------------------------------------------------------------


def test_a_shard_is_read_in_blocks(shard, s3):
    pytest.importorskip("webdataset")
    settings = Remote(retries=3, first_wait=0.01, timeout=1.0, block=8192)
    here, before = list(WebDataset(str(shard))), remote.counts()["retries"]
    for urls in ("s3://bucket/shards/part-0.tar", "s3://bucket/shards/", "s3://bucket/shards/part-{0..0}.tar"):
        far = list(WebDataset(urls, remote=settings))
        assert [(x["image"], x["label"]) for x in far] == [(x["image"], x["label"]) for x in here]
    gets = [ranged for method, _, ranged in s3[1].seen if method == "GET" and ranged]
    size, retries = os.path.getsize(shard), remote.counts()["retries"] - before
    assert set(gets) == {f"bytes={start}-{min(start + 8192, size) - 1}" for start in range(0, size, 8192)}
    assert len(gets) <= 3 * len(set(gets)) + retries


@pytest.mark.parametrize("kind", ["503", "cut", "reset", "slow"])
def test_a_shard_loses_nothing(shard, s3, kind):
    pytest.importorskip("webdataset")
    s3[1].fault = nth(5, kind)
    far = WebDataset("s3://bucket/shards/part-0.tar", remote=Remote(retries=3, first_wait=0.01, timeout=1.0, block=16384))
    _, batches = epoch(far)
    assert sum(len(batch["label"]) for batch in batches) == COUNT
    assert kind in s3[1].injected


def test_a_shard_that_is_not_there_is_a_bad_sample_and_the_next_is_read(shard, s3):
    pytest.importorskip("webdataset")
    urls = ["s3://bucket/shards/none.tar", "s3://bucket/shards/part-0.tar"]
    loader, batches = epoch(WebDataset(urls, remote=QUICK), on_error="skip")
    assert sum(len(batch["label"]) for batch in batches) == COUNT
    (bad,) = loader.errors
    assert bad.path == "s3://bucket/shards/none.tar"
    assert "there is no such file" in bad.reason
    with pytest.raises(RemoteMissing, match="no file that ends in"):
        WebDataset("s3://bucket/train/ant/")


def test_shards_by_sample(shard, s3, tmp_path):
    pytest.importorskip("webdataset")
    stream, here = list(WebDataset(str(shard))), IndexedShards(str(shard))
    settings = Remote(cache=tmp_path, retries=2, first_wait=0.01, timeout=2.0)
    far = IndexedShards("s3://bucket/shards/", remote=settings)
    assert len(far) == len(here) == len(stream) == COUNT
    for i in (0, 7, COUNT - 1):
        for dataset in (far, here):
            assert (dataset.encoded(i)["image"], dataset[i]["label"]) == (stream[i]["image"], stream[i]["label"])
        assert far.path_of(i) == f"s3://bucket/shards/part-0.tar/{i:03}" == far.encoded(i)["key"]
    wanted = [(batch["image"], batch["label"]) for batch in epoch(here, shuffle=True)[1]]
    same([(batch["image"], batch["label"]) for batch in epoch(far, shuffle=True)[1]], wanted)
    loader = DataLoader(here, batch_size=8, shuffle=True, seed=0, transform=gpuaug.Compose([gpuaug.HorizontalFlip()], seed=3))
    batches = iter(loader)
    next(batches)
    again = DataLoader(far, batch_size=8, shuffle=True, seed=0, transform=gpuaug.Compose([gpuaug.HorizontalFlip()], seed=3))
    again.load_state_dict(loader.state_dict())
    same([(batch["image"], batch["label"]) for batch in again], wanted[1:])
    with s3[1].lock:
        s3[1].seen.clear()
    again = IndexedShards("s3://bucket/shards/", remote=settings)
    assert [again._at(k) for k in range(len(again))] == [far._at(k) for k in range(len(far))]
    assert [method for method, _, _ in s3[1].seen] == ["GET"]  # the listing: the index is kept
    plain = IndexedShards("s3://bucket/shards/part-0.tar", remote=QUICK)
    with s3[1].lock:
        s3[1].seen.clear()
    plain.encoded(3)
    ((method, _, ranged),) = s3[1].seen
    assert method == "GET"
    assert ranged.startswith("bytes=")


def test_an_index_of_shards_is_small_and_can_be_sent(tmp_path):
    pytest.importorskip("webdataset")
    shards, members = [], (("jpg", b"12345"), ("cls", b"7"), ("json", b"{}"))
    for number in range(3):
        shards.append(str(tmp_path / f"{number}.tar"))
        with tarfile.open(shards[-1], "w") as tar:
            for k in range(4 + number):
                for suffix, data in members[: 2 + k % 2]:
                    info = tarfile.TarInfo(f"sch\u00f6n/{k}.{suffix}")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
    wanted = [(number, *sample) for number, shard in enumerate(shards) for sample in indexed.index_of(shard)]
    data = IndexedShards(shards)
    assert [data._at(k) for k in range(len(data))] == wanted
    assert (len(data), data._at(-1)) == (15, wanted[-1])
    with pytest.raises(IndexError):
        data.path_of(15)
    there = pickle.loads(pickle.dumps(data))
    assert [there.encoded(k) for k in range(15)] == [data.encoded(k) for k in range(15)]
    assert there.encoded(14) == {"image": b"12345", "label": 7, "key": data.path_of(14)}
    table = indexed.Table([(f"{k:08}", {"jpg": (k, 5), "cls": (k, 1)}) for k in range(10_000)])
    assert len(pickle.dumps(table)) < 60 * len(table)


def test_shards_that_cannot_be_indexed(shard, tmp_path):
    pytest.importorskip("webdataset")
    data = shard.read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"cut.tar cannot be indexed"):
        IndexedShards(str(tmp_path / "cut.tar"))
    lacking = IndexedShards(str(shard), fields={"label": "json"})
    with pytest.raises(ValueError, match="has none of json for 'label'; it has"):
        lacking[0]
    with pytest.raises(AllBadError, match=f"all {COUNT} samples are bad; the first: sample 0"):
        epoch(lacking, on_error="skip")


# ---- faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["503", "stall", "cut", "reset", "slow"])
def test_no_fault_loses_a_sample(folder, s3, kind):
    far = ImageFolder("s3://bucket/train", remote=QUICK)
    wanted = epoch(ImageFolder(folder))[1]
    s3[1].fault = nth(6, kind)
    before = remote.counts()["retries"]
    loader, batches = epoch(far)
    same(batches, wanted)
    assert not list(loader.errors)
    assert s3[1].injected.count(kind) >= 3
    if kind not in ("slow", "reset"):  # aiohttp repeats a request by itself whose connection was kept from another one
        assert remote.counts()["retries"] - before >= 3


def test_one_fault_in_a_hundred_requests_loses_nothing(folder, s3):
    far, state = ImageFolder("s3://bucket/train", remote=QUICK), {"k": 0}

    def fault(number, method, path):
        if number % 100:
            return None
        state["k"] += 1
        return ("503", "cut", "reset", "stall")[state["k"] % 4]

    s3[1].fault = fault
    wanted = epoch(ImageFolder(folder))[1]
    for _ in range(15):
        same(epoch(far)[1], wanted)
    assert len(s3[1].injected) >= 3


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("503", r"the server answers 503 \(asked 3 times\); try later"),
        ("403", r"access is denied; set AWS_ACCESS_KEY_ID"),
        ("cut", r"the connection ends before the file does.* \(asked 3 times\)"),
        ("stall", r"the server stalls: no answer within 0.3 s \(asked 3 times\)"),
    ],
)
def test_what_stays_unreadable_is_a_bad_sample(folder, s3, kind, said):
    far = ImageFolder("s3://bucket/train", remote=Remote(retries=2, first_wait=0.01, timeout=0.3))
    s3[1].fault = lambda number, method, path: kind if "bee/4.png" in path else None
    which = next(i for i, (path, _) in enumerate(far.samples) if path.endswith("bee/4.png"))
    with pytest.raises(BadSampleError, match=said) as found:
        epoch(far)
    assert found.value.index == which
    assert found.value.path == "s3://bucket/train/bee/4.png"
    assert "\n" not in str(found.value)
    loader, batches = epoch(far, on_error="skip")
    assert sum(len(batch[1]) for batch in batches) == COUNT - 1
    assert [bad.index for bad in loader.errors] == [which]
    assert sum(len(batch[1]) for batch in epoch(far, on_error="replace")[1]) == COUNT
    asked = [path for _, path, _ in s3[1].seen if "bee/4.png" in path]
    assert len(asked) % (1 if kind == "403" else 3) == 0  # denied: asked once a time, and never again


def test_what_changed_since_the_listing_is_a_sentence(folder, s3):
    system = s3[0]
    system.cp("bucket/train", "bucket/moving", recursive=True)
    far = ImageFolder("s3://bucket/moving", remote=Remote(retries=1, first_wait=0.01))
    system.rm("bucket/moving/ant/2.png")
    system.pipe("bucket/moving/ant/4.png", b"longer" * 10_000)
    system.pipe("bucket/moving/ant/6.png", b"short")
    system.pipe("bucket/moving/ant/new.png", b"is not of this epoch")
    loader, batches = epoch(far, on_error="skip")
    assert sum(len(batch[1]) for batch in batches) == COUNT - 3
    said = {bad.path.rpartition("/")[2]: bad.reason for bad in loader.errors}
    assert "make the dataset anew if it was removed" in said["2.png"]
    assert "it has changed since it was listed" in said["6.png"]
    assert "it has changed since it was listed: it has 60000 bytes instead of" in said["4.png"]
    assert len(ImageFolder("s3://bucket/moving")) == COUNT  # one less, one more


def test_each_refusal_names_the_url_and_the_remedy(s3):
    with pytest.raises(RemoteMissing, match=r"^s3://nobucket/train: there is no bucket 'nobucket'; correct the name"):
        ImageFolder("s3://nobucket/train")
    with pytest.raises(RemoteMissing, match=r"^s3://bucket/none: there is no such folder"):
        ImageFolder("s3://bucket/none")
    with pytest.raises(RemoteMissing, match=r"^s3://bucket/none.csv: there is no such file"):
        ImageCsv("s3://bucket/none.csv")
    s3[1].fault = lambda number, method, path: "403"
    with pytest.raises(RemoteDenied, match=r"^s3://bucket/train: access is denied; set AWS_ACCESS_KEY_ID"):
        ImageFolder("s3://bucket/train")
    s3[1].fault = lambda number, method, path: "stall"
    with pytest.raises(RemoteTimeout, match=r"^s3://bucket/train: the server stalls: no answer within 0.2 s \(asked once\)"):
        ImageFolder("s3://bucket/train", remote=Remote(retries=0, timeout=0.2))
    with s3_server.environment(AWS_ENDPOINT_URL="http://127.0.0.1:1"), pytest.raises(RemoteError, match="cannot be reached"):
        ImageFolder("s3://bucket/train", remote=Remote(retries=1, first_wait=0.01, timeout=0.5))
    nothing = dict.fromkeys(s3_server.KEYS)
    with (
        s3_server.environment(**nothing, AWS_EC2_METADATA_DISABLED="true", HOME="/nonexistent"),
        pytest.raises(RemoteDenied, match="no valid credentials were found; set AWS_ACCESS_KEY_ID"),
    ):
        ImageFolder("s3://bucket/train", remote=Remote(timeout=1.5))
    with pytest.raises(ValueError, match="no file system for zz://"):
        ImageFolder("zz://bucket/train")
    with pytest.raises(ValueError, match="chains file systems"):
        ImageFolder("simplecache::s3://bucket/train")
    with pytest.raises(TypeError, match=r"remote must be a gpuaug\.data\.Remote, got dict"):
        ImageFolder("s3://bucket/train", remote={})


def test_other_servers_statuses_are_judged(monkeypatch):
    from gpuaug.data.remote_errors import kind_of

    class Odd(Exception):
        pass

    for status, kind in (
        (429, "busy"),
        (500, "busy"),
        (502, "busy"),
        (504, "busy"),
        (401, "unknown"),
        (404, "missing"),
        (400, "other"),
    ):
        error = Odd("x")
        error.status = status
        assert kind_of(error) == kind
    assert kind_of(TimeoutError()) == "stalled"
    assert kind_of(ConnectionResetError()) == "connection"
    assert kind_of(ValueError("x")) == "other"


def test_waits_grow_and_differ(monkeypatch):
    waits = []
    monkeypatch.setattr(remote, "_wait", waits.append)
    url = Url("memory://waits/x", Remote(retries=6, first_wait=0.1, longest_wait=1.0))

    def request(system, path):
        raise ConnectionResetError

    before = random.getstate()
    with pytest.raises(RemoteError, match="cannot be reached"):
        remote._tried(url, request)
    assert len(waits) == 6
    for wait, most in zip(waits, (0.1, 0.2, 0.4, 0.8, 1.0, 1.0)):
        assert most / 2 <= wait <= most
    assert random.getstate() == before


# ---- secrets -----------------------------------------------------------------------------------


def test_no_secret_is_shown(folder, s3, caplog):
    secret = s3_server.KEYS["AWS_SECRET_ACCESS_KEY"]
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, logger="gpuaug")
    caplog.set_level(logging.DEBUG, logger="fsspec")
    caplog.set_level(logging.DEBUG, logger="s3fs")
    far = ImageFolder("s3://bucket/train", remote=QUICK)
    s3[1].fault = lambda number, method, path: "503" if "bee" in path or number % 3 == 0 else None
    loader, _ = epoch(far, on_error="skip")
    texts = [caplog.text, repr(far.samples), repr(QUICK), repr(loader.state_dict()), *map(str, loader.errors)]
    texts += [pickle.dumps(far).decode("latin1"), repr(vars(far))]
    assert "retry 1 of 3" in caplog.text
    assert all(secret not in text and s3_server.KEYS["AWS_ACCESS_KEY_ID"] not in text for text in texts)


def test_signed_urls_and_messages_are_scrubbed(monkeypatch):
    signed = Url("https://host/cat.jpg?X-Amz-Signature=abcdef0123456789")
    for text in (str(signed), repr(signed), f"{signed}", f"{signed:>50}", shown(signed), str(RemoteError(signed, "gone"))):
        assert "abcdef" not in text
    assert signed.endswith("0123456789")  # what is asked for has it
    assert str.__str__(pickle.loads(pickle.dumps(signed))).endswith("0123456789")
    monkeypatch.setenv("MY_API_TOKEN", "t0ken-t0ken-t0ken")
    assert scrubbed("bad t0ken-t0ken-t0ken at https://a:b@host/x?sig=1") == "bad <MY_API_TOKEN> at https://host/x?..."
    with pytest.raises(ValueError, match="has a user or password") as found:
        ImageFolder("https://me:hunter22@host/train")
    assert "hunter22" not in str(found.value)


@pytest.mark.parametrize(
    "options",
    [
        {"key": "AKIA"},
        {"secret": "x"},
        {"client_kwargs": {"aws_session_token": "x"}},
        {"password": "x"},
        {"connection_string": "x"},
    ],
)
def test_credentials_are_refused_as_options(options):
    with pytest.raises(ValueError, match="credentials are taken from the environment only") as found:
        Remote(options=options)
    assert "AKIA'" not in str(found.value)


def test_settings_are_checked():
    for given, said in (
        ({"retries": -1}, r"Remote\(retries=\) is a whole number of at least 0"),
        ({"options": 5}, r"Remote\(options=\) is a dict of arguments of the file system, got int"),
        ({"cache": 5}, r"Remote\(cache=\) is a folder, or None, got 5"),
        ({"first_wait": 9, "longest_wait": 1}, r"Remote\(first_wait=9\) is longer than longest_wait=1"),
        ({"block": 10}, r"Remote\(block=\)"),
        ({"timeout": 0}, r"Remote\(timeout=\)"),
        ({"longest_wait": float("inf")}, r"Remote\(longest_wait=\)"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            Remote(**given)
    assert Remote(options={"anon": True, "token": "anon"}).options == {"anon": True, "token": "anon"}


# ---- the cache ---------------------------------------------------------------------------------


def test_the_second_epoch_comes_from_the_cache(folder, s3, tmp_path):
    settings = Remote(cache=tmp_path, cache_limit=2**20, retries=1, timeout=2.0)
    far, wanted = ImageFolder("s3://bucket/train", remote=settings), epoch(ImageFolder(folder))[1]
    same(epoch(far)[1], wanted)
    with s3[1].lock:
        s3[1].seen.clear()
    same(epoch(far)[1], wanted)
    same(epoch(ImageFolder("s3://bucket/train", remote=settings))[1], wanted)
    assert len(s3[1].seen) == 1  # the listing
    block = next(path for path in tmp_path.rglob("*") if path.is_file())
    data = bytearray(block.read_bytes())
    data[10] ^= 1
    block.write_bytes(data)
    same(epoch(far)[1], wanted)  # a block with a wrong checksum is fetched anew
    assert len(s3[1].seen) == 2
    s3[0].cp("bucket/train", "bucket/changing", recursive=True)
    at = next(i for i, (path, _) in enumerate(far.samples) if path.endswith("ant/0.png"))
    before = ImageFolder("s3://bucket/changing", remote=settings)[at][0]
    s3[0].cp("bucket/train/ant/2.png", "bucket/changing/ant/0.png")
    after = ImageFolder("s3://bucket/changing", remote=settings)[at][0]
    assert not np.array_equal(before, after)  # a file that has changed is not served as it was


def test_the_limit_holds_and_the_oldest_go(tmp_path):
    blocks = Blocks(tmp_path, 10_000)
    for number in range(30):
        blocks.put("a", number, bytes(900))
        assert blocks.size() <= 10_000
        if number == 5:
            old = time.time() - 100
            for path in tmp_path.rglob("*"):
                if path.is_file():
                    os.utime(path, (old, old))
        blocks.get("a", 0)  # is in use
        time.sleep(0.002)
    assert blocks.get("a", 0) is not None
    assert blocks.get("a", 3) is None
    assert blocks.get("a", 29) is not None
    blocks.put("b", 0, bytes(20_000))
    assert blocks.get("b", 0) is None
    again = Blocks(tmp_path, 10_000)
    assert again.get("a", 29) is not None
    assert Blocks(tmp_path, 3_000).limit == 3_000


def test_a_file_larger_than_a_block_is_kept_in_blocks(tmp_path):
    data = np.random.default_rng(0).bytes(5000)
    fsspec.filesystem("memory").pipe("/large/x.bin", data)
    url = Url("memory://large/x.bin", Remote(cache=tmp_path, block=1024))
    for start, stop in ((0, None), (1000, 1100), (1024, 2048), (4999, 5000), (0, 9999), (5000, None), (7, 7)):
        assert bytes(remote.read(url, start, stop)) == data[start:stop]
    before = remote.counts()
    assert bytes(remote.read(url)) == data
    after = remote.counts()
    assert after["bytes"] == before["bytes"]
    assert after["hits"] - before["hits"] == 5


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch, folder):
    file = tmp_path / "file"
    file.write_bytes(b"")
    root = in_memory("unwritable", folder)
    with pytest.raises(OSError, match="the cache's folder cannot be written"):
        remote.read(Url(f"{root}/ant/0.png", Remote(cache=file)))
    blocks = Blocks(tmp_path / "full", 10_000)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match="No space left on device.*reading goes on without it"):
        blocks.put("a", 0, b"data")
    assert not [path for path in (tmp_path / "full").rglob("*") if path.is_file()]


def test_a_cache_of_decoded_samples_is_made_from_afar(folder, s3, tmp_path):
    pytest.importorskip("pyarrow")
    s3[0].cp("bucket/train", "bucket/decoded", recursive=True)
    here = ImageFolder(folder)
    made = cached(ImageFolder("s3://bucket/decoded", remote=QUICK), tmp_path / "cache", progress=False)
    assert all(np.array_equal(made[i][0], here[i][0]) for i in range(COUNT))
    with s3[1].lock:
        s3[1].seen.clear()
    cached(ImageFolder("s3://bucket/decoded", remote=QUICK), tmp_path / "cache", progress=False)
    assert [method for method, _, _ in s3[1].seen] == ["GET"]  # the listing
    s3[0].cp("bucket/train/ant/2.png", "bucket/decoded/ant/0.png")
    far = ImageFolder("s3://bucket/decoded", remote=QUICK)
    with pytest.raises(CacheError):
        cached(far, tmp_path / "cache", build=False, progress=False)
    again = cached(far, tmp_path / "cache", progress=False)
    assert np.array_equal(again[0][0], far[0][0])
    assert not np.array_equal(again[0][0], here[0][0])


# ---- other servers -----------------------------------------------------------------------------


def test_http_with_and_without_ranges(folder, shard):
    pytest.importorskip("aiohttp")
    import functools
    import http.server

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        root = f"http://127.0.0.1:{server.server_address[1]}"
        here = ImageFolder(folder)
        with_name = [f"{root}/{os.path.relpath(path, folder)}" for path, _ in here.samples]
        assert all(
            np.array_equal(np.array(Image.open(io.BytesIO(remote.read(url)))), here[i][0]) for i, url in enumerate(with_name)
        )
        data = Path(here.samples[0][0]).read_bytes()
        assert (
            bytes(remote.read(Url(with_name[0], QUICK, len(data)), 5, 50)) == data[5:50]
        )  # SimpleHTTPRequestHandler knows no ranges
        with pytest.raises(RemoteMissing, match="there is no such file"):
            remote.read(f"{root}/none.png")
    finally:
        server.shutdown()
        server.server_close()


def test_counts_are_plain_numbers():
    assert json.loads(json.dumps(remote.counts())).keys() == {"requests", "retries", "bytes", "hits"}

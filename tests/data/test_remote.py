"""Datasets by URL: the same samples as from disk, whatever the network does. S3 is moto's server behind a proxy that fails."""

import io
import itertools
import json
import os
import pickle
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import fsspec
import numpy as np
import pytest
import torch
from far_files import COUNT, QUICK, epoch, in_memory, nth, picture, same
from PIL import Image

import gpuaug
from gpuaug.data import (
    DataLoader,
    ImageCsv,
    ImageFolder,
    IndexedShards,
    Remote,
    SegmentationFolder,
    SpectrogramFolder,
    WebDataset,
    indexed,
    remote,
)
from gpuaug.data.faults import AllBadError
from gpuaug.data.remote_errors import RemoteMissing
from gpuaug.data.urls import Url

# ---- what is read is what lies on disk ---------------------------------------------------------


def test_nothing_of_fsspec_is_imported_for_paths(far_folder):
    code = f"""
import sys
from gpuaug.data import CacheError, cached, DataLoader, ImageFolder
dataset = ImageFolder({str(far_folder)!r})
dataset[0]
next(iter(DataLoader(dataset, batch_size=2, collate_fn=list)))
assert "fsspec" not in sys.modules and "s3fs" not in sys.modules
ImageFolder({"file://" + str(far_folder)!r})[0]
assert "fsspec" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_an_image_folder_has_the_order_and_the_pixels_of_the_disk(far_folder, s3):
    here, far = ImageFolder(far_folder), ImageFolder("s3://bucket/train/", remote=QUICK)
    assert far.classes == here.classes
    assert far.targets == here.targets
    assert [path.removeprefix("s3://bucket/train") for path, _ in far.samples] == [
        path.removeprefix(str(far_folder)) for path, _ in here.samples
    ]
    assert far.root == "s3://bucket/train"
    assert all(np.array_equal(far[i][0], here[i][0]) for i in range(COUNT))
    with s3[1].lock:
        s3[1].seen.clear()
    same(epoch(far)[1], epoch(here)[1])
    gets = [ranged for method, path, ranged in s3[1].seen if method == "GET"]
    assert len(gets) == len(s3[1].seen) == COUNT  # one request for a sample: none for its size


def test_several_threads_read_at_a_time(s3):
    proxy, first, met = s3[1], itertools.count(), threading.Barrier(4)
    far, handed_on = ImageFolder("s3://bucket/train", remote=QUICK), proxy.handed_on

    def together(request, body):
        if next(first) < 4:
            met.wait(60)  # each for the other three
        return handed_on(request, body)

    proxy.handed_on = together
    try:
        epoch(far, num_workers=8)
    finally:
        del proxy.handed_on
    assert next(first) >= COUNT
    assert not met.broken, "fewer than four at a time"


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


def test_worker_processes_have_connections_of_their_own(far_folder, s3):
    far = ImageFolder("s3://bucket/train", transform=lambda image: torch.from_numpy(image), remote=QUICK)
    far[0]  # this process has a connection by now, and a thread that serves it
    batches = list(torch.utils.data.DataLoader(far, batch_size=8, num_workers=2, multiprocessing_context="fork"))
    here = ImageFolder(far_folder)
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


def test_tables(tmp_path, far_folder):
    (tmp_path / "train.csv").write_text("path,kind\nant/0.png,a\nbee/0.png,b\nant/x/1.png,a\n")
    in_memory("table/pictures", far_folder)
    fsspec.filesystem("memory").pipe("/table/train.csv", (tmp_path / "train.csv").read_bytes())
    here = ImageCsv(tmp_path / "train.csv", labels="kind", root=far_folder)
    far = ImageCsv("memory://table/train.csv", labels="kind", root="memory://table/pictures")
    mixed = ImageCsv(tmp_path / "train.csv", labels="kind", root="memory://table/pictures")
    for dataset in (far, mixed):
        assert [sample["labels"] for sample in map(dataset.encoded, range(3))] == [here.encoded(i)["labels"] for i in range(3)]
        assert all(np.array_equal(dataset[i]["img"], here[i]["img"]) for i in range(3))
        assert far.paths[0].size == os.path.getsize(far_folder / "ant" / "0.png")
    system = fsspec.filesystem("memory")
    system.pipe("/table/gone.csv", b"path\npictures/ant/0.png\npictures/ant/none.png\n")
    with pytest.raises(FileNotFoundError, match=r"1 of 2 files do not exist: row 3: memory://table/pictures/ant/none.png"):
        ImageCsv("memory://table/gone.csv")
    assert len(ImageCsv("memory://table/gone.csv", missing="skip")) == 1
    system.pipe("/table/urls.csv", b"path\nmemory://table/pictures/ant/0.png\n")
    assert np.array_equal(ImageCsv("memory://table/urls.csv")[0]["img"], here[0]["img"])


def test_a_file_url_is_a_path(far_folder):
    assert ImageFolder(f"file://{far_folder}").samples == ImageFolder(far_folder).samples
    with pytest.raises(ValueError, match="names the host other"):
        ImageFolder("file://other/data")


def test_a_dataset_of_ones_own_may_return_urls(far_folder):
    urls = [f"{in_memory('own', far_folder)}/ant/{number}.png" for number in (0, 2, 4)]

    class Own(torch.utils.data.Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return urls[i], i

    (batch,) = epoch(Own(), transform=gpuaug.Compose([gpuaug.HorizontalFlip(p=0)]), num_workers=0)[1]
    here = ImageFolder(far_folder)
    assert np.array_equal(batch[0].numpy(), np.stack([here[i][0] for i in range(3)]).transpose(0, 3, 1, 2)) or np.array_equal(
        batch[0].numpy(), np.stack([here[i][0] for i in range(3)])
    )


# ---- shards ------------------------------------------------------------------------------------


def test_a_shard_is_read_in_blocks(shard, s3):
    pytest.importorskip("webdataset")
    settings = Remote(retries=3, first_wait=0.01, timeout=60.0, block=8192)
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
    far = WebDataset("s3://bucket/shards/part-0.tar", remote=Remote(retries=3, first_wait=0.01, timeout=60.0, block=16384))
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
    settings = Remote(cache=tmp_path, retries=2, first_wait=0.01, timeout=60.0)
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


# ---- other servers -----------------------------------------------------------------------------


def test_http_with_and_without_ranges(far_folder, shard):
    pytest.importorskip("aiohttp")
    import functools
    import http.server

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(far_folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        root = f"http://127.0.0.1:{server.server_address[1]}"
        here = ImageFolder(far_folder)
        with_name = [f"{root}/{os.path.relpath(path, far_folder)}" for path, _ in here.samples]
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

"""What the network does to datasets by URL: faults, refusals, secrets, and the cache of blocks."""

import logging
import os
import pickle
import random
import time

import fsspec
import numpy as np
import pytest
import s3_server
from far_files import COUNT, IMPATIENT, QUICK, epoch, in_memory, nth, same

from gpuaug.data import (
    CacheError,
    ImageCsv,
    ImageFolder,
    Remote,
    cached,
    remote,
)
from gpuaug.data.blocks import Blocks
from gpuaug.data.faults import BadSampleError
from gpuaug.data.remote_errors import RemoteDenied, RemoteError, RemoteMissing, RemoteTimeout
from gpuaug.data.urls import Url, scrubbed, shown

# ---- faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["503", "stall", "cut", "reset", "slow"])
def test_no_fault_loses_a_sample(far_folder, s3, kind):
    far = ImageFolder("s3://bucket/train", remote=IMPATIENT if kind == "stall" else QUICK)
    wanted = epoch(ImageFolder(far_folder))[1]
    s3[1].fault = nth(6, kind)
    before = remote.counts()["retries"]
    loader, batches = epoch(far)
    same(batches, wanted)
    assert not list(loader.errors)
    assert s3[1].injected.count(kind) >= 3
    if kind not in ("slow", "reset"):  # aiohttp repeats a request by itself whose connection was kept from another one
        assert remote.counts()["retries"] - before >= 3


def test_one_fault_in_a_hundred_requests_loses_nothing(far_folder, s3):
    far, state = ImageFolder("s3://bucket/train", remote=IMPATIENT), {"k": 0}

    def fault(number, method, path):
        if number % 100:
            return None
        state["k"] += 1
        return ("503", "cut", "reset", "stall")[state["k"] % 4]

    s3[1].fault = fault
    wanted = epoch(ImageFolder(far_folder))[1]
    for _ in range(15):
        same(epoch(far)[1], wanted)
    assert len(s3[1].injected) >= 3


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("503", r"the server answers 503 \(asked 3 times\); try later"),
        ("403", r"access is denied; set AWS_ACCESS_KEY_ID"),
        ("cut", r"the connection ends before the file does.* \(asked 3 times\)"),
        ("stall", r"the server stalls: no answer within 1 s \(asked 3 times\)"),
    ],
)
def test_what_stays_unreadable_is_a_bad_sample(far_folder, s3, kind, said):
    timeout = 1.0 if kind == "stall" else 60.0
    far = ImageFolder("s3://bucket/train", remote=Remote(retries=2, first_wait=0.01, timeout=timeout))
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


def test_what_changed_since_the_listing_is_a_sentence(far_folder, s3):
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
        ImageFolder("s3://bucket/train", remote=Remote(retries=1, first_wait=0.01, timeout=60.0))
    nothing = dict.fromkeys(s3_server.KEYS)
    with (
        s3_server.environment(**nothing, AWS_EC2_METADATA_DISABLED="true", HOME="/nonexistent"),
        pytest.raises(RemoteDenied, match="no valid credentials were found; set AWS_ACCESS_KEY_ID"),
    ):
        ImageFolder("s3://bucket/train", remote=Remote(timeout=60.0))
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


def test_no_secret_is_shown(far_folder, s3, caplog):
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


def test_the_second_epoch_comes_from_the_cache(far_folder, s3, tmp_path):
    settings = Remote(cache=tmp_path, cache_limit=2**20, retries=1, timeout=60.0)
    far, wanted = ImageFolder("s3://bucket/train", remote=settings), epoch(ImageFolder(far_folder))[1]
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


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch, far_folder):
    file = tmp_path / "file"
    file.write_bytes(b"")
    root = in_memory("unwritable", far_folder)
    with pytest.raises(OSError, match="the cache's folder cannot be written"):
        remote.read(Url(f"{root}/ant/0.png", Remote(cache=file)))
    blocks = Blocks(tmp_path / "full", 10_000)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match="No space left on device.*reading goes on without it"):
        blocks.put("a", 0, b"data")
    assert not [path for path in (tmp_path / "full").rglob("*") if path.is_file()]


def test_a_cache_of_decoded_samples_is_made_from_afar(far_folder, s3, tmp_path):
    pytest.importorskip("pyarrow")
    s3[0].cp("bucket/train", "bucket/decoded", recursive=True)
    here = ImageFolder(far_folder)
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

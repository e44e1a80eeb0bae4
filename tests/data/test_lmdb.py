"""LMDB databases: what is taken, and what is said of those that cannot be read."""

import contextlib
import os
import pickle
import subprocess
import sys

import lmdb
import numpy as np
import pytest
from conftest import jpeg

import gpuaug
from gpuaug.data import DataLoader, Lmdb

COUNT = 12


def written(path, values=None, **more):
    values = {f"{i:03}".encode(): jpeg(i) for i in range(COUNT)} if values is None else values
    with lmdb.open(str(path), map_size=2**24, **more) as database, database.begin(write=True) as writer:
        for key, value in values.items():
            writer.put(key, value)
    return path


@pytest.fixture
def database(tmp_path):
    return written(tmp_path / "a.lmdb")


def delivered(dataset, **how):
    how = {"batch_size": 4, "num_workers": 2, "device": "cpu", "transform": gpuaug.Compose([gpuaug.Resize(16, 16)]), **how}
    loader = DataLoader(dataset, **how)
    return loader, [batch.get("label") for batch in loader]


def test_what_is_taken(database, tmp_path):
    data = Lmdb(database)
    assert data.keys == [f"{i:03}".encode() for i in range(COUNT)]
    assert data.encoded(3) == {"image": jpeg(3)}
    assert data.path_of(3) == f"{database} (key 003)"
    some = Lmdb(database, ["011", b"002"], fields={"label": np.array([5, 6]), "name": ["a", "b"]})
    assert some.encoded(1) == {"image": jpeg(2), "label": 6, "name": "b"}
    assert type(some.encoded(1)["label"]) is int
    assert some.column("name").tolist() == ["a", "b"]
    values = {b"mask/7": jpeg(1, format="PNG"), b"7": jpeg(0), b"7.json": b'{"a": [1]}', b"7.txt": "süß".encode(), b"7.x": b"0.5"}
    kinds = {"meta": ("{key}.json", "json"), "text": ("{key}.txt", "text"), "x": ("{key}.x", "float")}
    data = Lmdb(written(tmp_path / "b", values), [7], mask="mask/{key}", fields=kinds)
    assert data.encoded(0) == {
        "image": jpeg(0), "mask": jpeg(1, format="PNG"), "meta": {"a": [1]}, "text": "süß", "x": 0.5,
    }  # fmt: skip
    assert data[0]["mask"].shape[:2] == (30, 40)


def test_keys_are_bytes_whatever_they_mean(tmp_path):
    keys = [b"caf\xc3\xa9", b"\xff\x00", "süß"]
    values = {b"image-caf\xc3\xa9": jpeg(0), b"image-\xff\x00": jpeg(1), "image-süß".encode(): jpeg(2)}
    data = Lmdb(written(tmp_path / "a", values), keys, image="image-{key}")
    assert [data.encoded(i)["image"] for i in range(3)] == list(values.values())


def test_two_datasets_share_a_database(database):
    first, second = Lmdb(database, ["001"]), Lmdb(f"{database}/../a.lmdb", ["002"])
    assert first._opened() is second._opened()
    copy = pickle.loads(pickle.dumps(first))
    del first
    assert (second.encoded(0)["image"], copy.encoded(0)["image"]) == (jpeg(2), jpeg(1))
    del second, copy
    lmdb.open(str(database)).close()  # with the last one it is closed
    before = os.listdir("/proc/self/fd")
    for _ in range(5):
        Lmdb(database).encoded(0)
    assert len(os.listdir("/proc/self/fd")) == len(before)


class Touched:
    """What a pickle does when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_forked_process_opens_it_anew(database):
    """lmdb forbids to use an environment that was opened before a fork."""
    data, other = Lmdb(database), Lmdb(database, ["001"])
    before, child = data._opened(), os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            anew = data._opened() is not before and other._opened() is data._opened()
            os._exit(0 if anew and data.encoded(3) == {"image": jpeg(3)} else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert data._opened() is before
    assert data.encoded(3) == {"image": jpeg(3)}


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_are_not_read(tmp_path, protocol):
    value = pickle.dumps((Touched(str(tmp_path / "touched")), 1), protocol)
    with pytest.raises(ValueError, match=r"b \(key 0\): its value is a pickle, which is not read, since .*; give decode="):
        Lmdb(written(tmp_path / "b", {b"0": value, b"1": jpeg(1)}))
    data = Lmdb(written(tmp_path / "c", {b"0": jpeg(0), b"1": value}))
    loader, batches = delivered(data, on_error="skip")
    assert len(batches) == 1
    assert "is a pickle" in loader.errors[0].reason
    assert not (tmp_path / "touched").exists()
    kept = Lmdb(written(tmp_path / "d", {b"0": pickle.dumps((jpeg(0), 3))}), decode=own)  # the user's own doing
    assert kept.encoded(0) == {"image": jpeg(0), "label": 3}


def own(value):
    image, label = pickle.loads(value)
    return {"image": image, "label": label}


def test_bad_samples(tmp_path):
    values = {f"{i}".encode(): jpeg(i) for i in range(6)} | {f"label-{i}".encode(): b"%d" % i for i in range(6)}
    values[b"2"], values[b"label-3"] = b"no picture", b"three"
    del values[b"4"]
    data = Lmdb(written(tmp_path / "b", values), range(6), fields={"label": ("label-{key}", "int")})
    loader, batches = delivered(data, on_error="skip")
    assert [label for labels in batches for label in labels.tolist()] == [0, 1, 5]
    said = {bad.index: (bad.path, bad.reason) for bad in loader.errors}
    assert said[4] == (f"{tmp_path}/b (key 4)", "the database has no key '4' for its image")
    assert said[3][1].startswith("its label is no int")
    assert said[2][0] == f"{tmp_path}/b (key 2)"
    bad = Lmdb(tmp_path / "b", range(6), decode=lambda value: {"imgae": value})
    loader, _ = delivered(Lmdb(tmp_path / "b", [0, 1], decode=half), on_error="skip")
    assert "decode must give a dict with 'image'" in loader.errors[0].reason
    with pytest.raises(ValueError, match="got a dict of imgae; did you mean 'imgae'"):
        bad.encoded(0)


def half(value):
    return {"image": value} if value == jpeg(0) else (value, 1)


def test_what_is_no_database(tmp_path, database):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("hello" * 1000)
    for path, kind, said in (
        ("none", FileNotFoundError, "does not exist"),
        ("folder", FileNotFoundError, r"holds no LMDB database: there is no data\.mdb"),
        ("text", ValueError, "text cannot be opened as an LMDB database: .*not an LMDB file"),
    ):
        with pytest.raises(kind, match=said):
            Lmdb(tmp_path / path)
    with pytest.raises(ValueError, match="from files of this machine, got a URL"):
        Lmdb("s3://bucket/a.lmdb")
    with pytest.raises(ValueError, match="has no keys"):
        Lmdb(written(tmp_path / "empty", {}))
    os.truncate(database / "data.mdb", os.path.getsize(database / "data.mdb") // 2)
    with pytest.raises(ValueError, match=r"a\.lmdb was cut off: it has [\d,]+ of [\d,]+ bytes; write it anew"):
        Lmdb(database)


def test_a_database_that_changes(database):
    data = Lmdb(database)
    before = data.fingerprint
    file = database / "data.mdb"
    os.utime(file, ns=(0, os.stat(file).st_mtime_ns + 10**9))
    loader = DataLoader(data, 4, on_error="skip", device="cpu", transform=gpuaug.Compose([gpuaug.Resize(16, 16)]))
    with pytest.raises(gpuaug.data.AllBadError, match="the file has changed since the dataset was made; make the dataset anew"):
        list(loader)
    assert Lmdb(database).fingerprint != before


def test_arguments(database):
    for given, kind, said in (
        ({"image": "image"}, ValueError, "image must be a text with {key} in it"),
        ({"image": "image-{key}"}, ValueError, "the database's keys are not the samples': give keys="),
        ({"fields": {"label": ("l-{key}", "int")}}, ValueError, "give keys="),
        ({"keys": []}, ValueError, "keys is empty"),
        ({"keys": ["001"], "fields": {"label": ("l-{key}", "pickle")}}, ValueError, "the kind is one of text, int, float, json"),
        ({"fields": {"label": [1, 2]}}, ValueError, r"fields\['label'\] has 2 values, there are 12 keys"),
        ({"fields": {"label": "label"}}, TypeError, r"must be \(text with {key}, kind\) or a list of values"),
        ({"fields": {"image": [1] * COUNT}}, ValueError, "fields may not hold 'image'"),
        ({"decode": "msgpack"}, TypeError, "decode must be a function"),
    ):
        with pytest.raises(kind, match=said):
            Lmdb(database, **given)


def test_without_lmdb(database):
    code = (
        "import sys; sys.modules['lmdb'] = None\n"
        "from gpuaug.data import Lmdb\n"
        f"try: Lmdb({str(database)!r})\n"
        "except ImportError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "Lmdb needs the lmdb package: pip install 'gpuaug[lmdb]'\n"

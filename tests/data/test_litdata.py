"""Folders of LitData's: what is said of those that cannot be read."""

import json
import os
import subprocess
import sys
import threading

import litdata
import numpy as np
import pytest
from conftest import jpeg
from litdata.streaming import Cache
from PIL import Image
from processes import forked

import gpuaug
from gpuaug.data import DataLoader, LitData

COUNT = 12


def written(place, sample=lambda i: {"image": jpeg(i), "label": i}, **how):
    place.mkdir()
    writer = Cache(str(place), **{"chunk_size": 5, **how})
    for i in range(COUNT):
        writer[i] = sample(i)
    writer.done()
    writer.merge()
    return place


@pytest.fixture
def folder(tmp_path):
    return written(tmp_path / "a")


def delivered(data):
    transform = gpuaug.Compose([gpuaug.Resize(16, 16)])
    loader = DataLoader(data, 4, device="cpu", num_workers=2, transform=transform, on_error="skip")
    return [label for batch in loader for label in batch["label"].tolist()], loader.errors


def test_samples_that_are_taken(tmp_path):
    place = written(tmp_path / "b", lambda i: {"a": i, "png": jpeg(i, format="PNG"), "text": f"t{i}", "box": np.arange(4.0)})
    data = LitData(place, "png", fields={"label": "a", "words": "text"})
    assert data.encoded(7) == {"image": jpeg(7, format="PNG"), "label": 7, "words": "t7"}
    assert data.path_of(7) == f"{place} (row 7)"
    assert list(LitData(place, "png").encoded(0)) == ["image", "a", "text", "box"]


def test_a_forked_process_waits_for_no_thread_that_it_lacks(folder):
    data = LitData(folder)
    data.encoded(0)
    begun, end = threading.Event(), threading.Event()

    def reads():
        begun.set()
        end.wait(60)

    slow = type("Slow", (), {"__getitem__": lambda self, index: reads()})()
    data._mine = (data._mine[0], slow, *data._mine[2:])  # a reader that takes as long as it is wanted
    thread = threading.Thread(target=lambda: data._sample(1))
    thread.start()
    assert begun.wait(60)
    left = forked(lambda: data.encoded(1)["label"])
    end.set()
    thread.join(60)
    assert left == 1


class Touched:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_what_is_refused(tmp_path, folder):
    for name, sample, kind, said in (
        ("pickle", lambda i: {"image": jpeg(i), "x": Touched(str(tmp_path / "touched"))}, ValueError, "'x' is a pickle"),
        ("tuple", lambda i: (jpeg(i), i), TypeError, "samples must be dicts of single values"),
        ("nested", lambda i: {"image": jpeg(i), "x": {"y": 1}}, TypeError, "samples must be dicts of single values"),
        ("pil", lambda i: {"image": Image.new("RGB", (4, 4)), "label": i}, TypeError, "is of the format 'pil'"),
        ("other", lambda i: {"picture": jpeg(i)}, KeyError, r"has no 'image' for 'image'; it has picture"),
    ):
        place = written(tmp_path / name, sample)
        with pytest.raises(kind, match=said):
            LitData(place)
    assert not (tmp_path / "touched").exists()
    with pytest.raises(KeyError, match="did you mean 'label'"):
        LitData(folder, fields=["labels"])
    with pytest.raises(FileNotFoundError, match=r"has no index\.json"):
        LitData(tmp_path)
    with pytest.raises(ValueError, match="got a URL"):
        LitData("s3://bucket/a")


def test_folders_that_are_damaged(folder):
    index = json.loads((folder / "index.json").read_text())
    for change in ({"config": {**index["config"], "compression": "zstd"}}, {"config": {**index["config"], "encryption": "x"}}):
        (folder / "index.json").write_text(json.dumps({**index, **change}))
        with pytest.raises(ValueError, match="is compressed or encrypted"):
            LitData(folder)
    for text in ("{", "{}", json.dumps({**index, "config": {}}), json.dumps({**index, "chunks": [{}]}), "[]"):
        (folder / "index.json").write_text(text)
        with pytest.raises(ValueError, match=r"index\.json is no index of LitData's, or of another version"):
            LitData(folder)
    (folder / "index.json").write_text(json.dumps(index))
    chunk = folder / index["chunks"][1]["filename"]
    data = LitData(folder)
    before = data.fingerprint
    content = chunk.read_bytes()
    os.truncate(chunk, len(content) // 2)
    labels, errors = delivered(data)
    assert labels == [0, 1, 2, 3, 4, 10, 11]
    assert f"{chunk}: the file has changed since the dataset was made" in errors[0].reason
    with pytest.raises(ValueError, match=f"{chunk.name} was cut off: it has"):
        LitData(folder)
    os.remove(chunk)
    assert delivered(data)[0] == labels
    with pytest.raises(FileNotFoundError, match=f"{chunk.name} does not exist"):
        LitData(folder)
    chunk.write_bytes(content[:60] + b"\xff" * 200 + content[260:])  # a picture, and perhaps the places of others
    labels, errors = delivered(LitData(folder))
    assert {0, 1, 2, 3, 4, 10, 11} <= set(labels) < set(range(COUNT))
    assert LitData(folder).fingerprint != before


def test_litdatas_own_dataset_is_a_stream_like_any_other(folder):
    """Its state_dict wants to be told how far it is: it is not what the loader asks for."""
    for workers in (0, 1):
        stream = litdata.StreamingDataset(str(folder))
        loader = DataLoader(stream, 4, device="cpu", num_workers=workers, transform=gpuaug.Compose([gpuaug.Resize(16, 16)]))
        batches = iter(loader)
        first = next(batches)
        assert "dataset" not in loader.state_dict()
        assert [label for batch in (first, *batches) for label in batch["label"].tolist()] == list(range(COUNT))


def test_without_litdata(folder):
    code = (
        "import sys; sys.modules['litdata'] = None\n"
        "from gpuaug.data import LitData\n"
        f"try: LitData({str(folder)!r})\n"
        "except ImportError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "LitData needs the litdata package: pip install 'gpuaug[litdata]'\n"

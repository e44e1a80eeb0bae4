import io
import os
import threading
import time

import numpy as np
import pytest
from PIL import Image

N = 23  # images in the folder: prime, so that no batch size divides it


def jpeg(seed, size=(40, 30), **how):
    """The bytes of a small image with some texture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 6, 3), np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.BICUBIC)
    file = io.BytesIO()
    image.save(file, how.pop("format", "JPEG"), **how)
    return file.getvalue()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """`N` good JPEGs of several sizes in two classes. Not to be changed."""
    root = tmp_path_factory.mktemp("images")
    fill(root)
    return root


@pytest.fixture
def folder(tmp_path):
    """The same, to be spoilt by a test."""
    fill(tmp_path)
    return tmp_path


def fill(root):
    for i in range(N):
        place = root / ("cat" if i < 12 else "dog")
        place.mkdir(exist_ok=True)
        (place / f"{i:03}.jpg").write_bytes(jpeg(i, (40 + i % 3, 30 + i % 5)))


def eventually(condition, shown=lambda: "", seconds=60):
    """Waits until it holds, however busy the machine is; the limit is against hanging."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it stays so: {shown()}"
        time.sleep(0.005)


def ours():
    """The loader's threads."""
    return [t for t in threading.enumerate() if t.name.startswith("gpuaug")]


def held():
    """How many threads and files this process has. The system lists a thread for a moment after it has ended for Python."""
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


@pytest.fixture
def no_leaks():
    """No thread of the loader's outlives the test."""
    yield
    eventually(lambda: not ours(), ours)


@pytest.fixture
def small_batches(monkeypatch):
    """What of the images will be read is planned for small batches, too, where it gains nothing."""
    from gpuaug.data import foresight

    monkeypatch.setattr(foresight, "WORTH", 0)


@pytest.fixture
def small_parts(monkeypatch):
    """Caches of a few samples have several parts."""
    from gpuaug.data.stored import build

    monkeypatch.setattr(build, "PART_SAMPLES", 8)
    monkeypatch.setattr(build, "GROUP", 3)


# ---- files behind URLs -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def far_folder(tmp_path_factory):
    """What lies behind s3://bucket/train. Not to be changed."""
    from far_files import written_folder

    return written_folder(tmp_path_factory)


@pytest.fixture(scope="session")
def shard(tmp_path_factory, far_folder):
    """The same pictures as a tar file: what lies in s3://bucket/shards."""
    from far_files import written_shard

    return written_shard(tmp_path_factory, far_folder)


@pytest.fixture(scope="module")
def server(far_folder, shard):
    """A module's own: buckets are the process's, and a module that makes another server empties them."""
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    import s3_server

    # longer than any reader waits: a stall ends by the reader's timeout, however late that is looked at
    with s3_server.s3({"train": far_folder, "shards": shard.parent}, stall=600.0) as found:
        yield found


@pytest.fixture
def s3(server):
    """(a file system, the proxy before it, which has no fault yet)."""
    proxy = server[1]
    proxy.fault = lambda number, method, path: None
    with proxy.lock:
        proxy.seen.clear()
        proxy.injected.clear()
    yield server
    proxy.fault = lambda number, method, path: None

import io
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


@pytest.fixture
def no_leaks():
    """No thread of the loader's outlives the test."""
    yield
    end = time.monotonic() + 5
    while left := [t for t in threading.enumerate() if t.name.startswith("gpuaug")]:
        assert time.monotonic() < end, f"threads left: {left}"
        time.sleep(0.01)

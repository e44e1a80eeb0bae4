"""Lines of every length between pages that nobody may touch (kernels/cpu/wide.hpp, bytes.cpp, gray.cpp), by every build."""

from __future__ import annotations

import ctypes
import mmap

import cv2
import numpy as np
import pytest

import gpuaug as G
from gpuaug import library
from gpuaug.backends import cpu
from gpuaug.batch import Batch

BUILDS = [name for name in library.variants() if library._find(name)[0] is not None]
WIDTHS = [*range(1, 70), 95, 96, 97, 127, 128, 129, 224, 255, 256, 257]
PAGE = mmap.PAGESIZE

pytestmark = [
    pytest.mark.skipif(not BUILDS, reason="needs the compiled kernels"),
    pytest.mark.skipif(not hasattr(mmap, "MAP_PRIVATE"), reason="guards its pages as POSIX does"),
]


class Guarded:
    """Memory between two pages that nobody may touch: arrays begin behind the first, or end before the last."""

    def __init__(self, room: int):
        self.room = -(-room // PAGE) * PAGE
        self.memory = mmap.mmap(-1, self.room + 2 * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for guard in (start, start + PAGE + self.room):
            assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(PAGE), 0) == 0

    def array(self, shape, dtype, last: bool) -> np.ndarray:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return np.ndarray(shape, dtype, self.memory, PAGE + (self.room - size if last else 0))


@pytest.fixture(scope="module")
def rooms():
    return Guarded(1 << 16), Guarded(1 << 16)


@pytest.fixture(params=BUILDS)
def build(request, monkeypatch):
    monkeypatch.setattr(library, "load", lambda: library._find(request.param)[0])


def check(transforms, image, expected, rooms):
    aug = G.Compose(transforms, seed=0)
    for last in (False, True):
        source, target = (room.array(each.shape, each.dtype, last) for room, each in zip(rooms, (image, expected), strict=True))
        source[...] = image
        target[...] = 7
        batch = Batch.of(source[None])
        track = aug.draw(batch.size, ids=[0], channels=batch.channels, dtype=batch.dtype).lower(batch)
        axes = (1, 2, 0) if track.layout == "CHW" else (0, 1, 2)
        stride = np.array([[(*target.strides, target.itemsize)[axis] // target.itemsize for axis in axes]])
        cpu.execute(track.finish(np.array([target.ctypes.data]), stride, batch.dtype), 1)
        np.testing.assert_array_equal(target, expected)


def picture(width, channels, dtype, height=3):
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(width).integers(0, 256, shape).astype(dtype)


@pytest.mark.parametrize(
    ("dtype", "channels"), [("uint8", c) for c in (1, 2, 3, 4, 6, 8, 12, 16)] + [("float32", 3), ("float16", 3)]
)
def test_flips(build, rooms, dtype, channels):
    for width in WIDTHS:
        image = picture(width, channels, dtype)
        check([G.HorizontalFlip(p=1)], image, image[:, ::-1], rooms)
        check([G.VerticalFlip(p=1)], image, image[::-1], rooms)


@pytest.mark.parametrize("channels", [1, 3])
def test_borders(build, rooms, channels):
    for width in WIDTHS:
        for left, right in ((0, 0), (1, 20), (40, 0), (3, 65)):
            image = picture(width, channels, "uint8")
            expected = np.pad(image, ((1, 0), (left, right), (0, 0)), constant_values=9)
            check([G.Pad((left, 1, right, 0), fill=9, p=1)], image, expected, rooms)
            check([G.Pad((left, 1, right, 0), fill=9, p=1), G.HorizontalFlip(p=1)], image, expected[:, ::-1], rooms)


def test_planes(build, rooms):
    """Pixels side by side to planes, as ToTensorV2 wants them."""
    for width in WIDTHS:
        image = picture(width, 3, "uint8")
        planes = np.ascontiguousarray(image.transpose(2, 0, 1))
        check([G.ToTensorV2()], image, planes, rooms)
        check([G.HorizontalFlip(p=1), G.ToTensorV2()], image, planes[:, :, ::-1], rooms)
        check([G.VerticalFlip(p=1), G.ToTensorV2()], image, planes[:, ::-1], rooms)


def test_gray(build, rooms):
    for width in WIDTHS:
        image = picture(width, 3, "uint8")
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        check([G.ToGray(p=1)], image, np.repeat(gray[..., None], 3, 2), rooms)
        check([G.ToGray(num_output_channels=1, p=1)], image, gray[..., None], rooms)
        check([G.ToRGB(p=1)], gray[..., None], np.repeat(gray[..., None], 3, 2), rooms)

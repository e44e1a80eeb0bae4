"""Stages that compute nothing move elements as they lie, and tone on uint8 is a table of 256 bytes (kernels/cpu/bytes.cpp)."""

from __future__ import annotations

import ctypes

import cv2
import numpy as np
import pytest
import torch

import gpuaug as G
from gpuaug import library

TYPES = ("uint8", "float16", "float32", "int32")
BORDERS = {0: cv2.BORDER_CONSTANT, 1: cv2.BORDER_REPLICATE, 2: cv2.BORDER_REFLECT, 3: cv2.BORDER_WRAP, 4: cv2.BORDER_REFLECT_101}


def picture(h, w, c, dtype) -> np.ndarray:
    values = np.random.default_rng(h * w + c).integers(0, 256, (h, w, c) if c else (h, w))
    return values.astype(dtype)


def run(transforms, data, name="image"):
    return G.Compose(transforms, seed=0)(**{"image": data if name == "image" else np.zeros(data.shape, np.uint8), name: data})[
        name
    ]


# ---- tables -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 15, 31, 32, 33, 63, 64, 65, 127, 128, 1000])
def test_all_ways_through_a_table_are_one(n):
    lookup = ctypes.CDLL(str(library.load().path)).gpuaug_through_table
    pointer = ctypes.c_void_p
    rng = np.random.default_rng(n)
    table = rng.integers(0, 256, 256, np.uint8)
    source = rng.integers(0, 256, n + 1, np.uint8)[1:]  # no alignment
    way = tried = 0
    while True:
        out = np.full(n + 64, 7, np.uint8)
        done = lookup(
            way, pointer(out.ctypes.data), pointer(source.ctypes.data), ctypes.c_longlong(n), pointer(table.ctypes.data)
        )
        if done < 0:
            break
        if done:
            np.testing.assert_array_equal(out[:n], table[source])
            assert (out[n:] == 7).all()
            tried += 1
        way += 1
    assert tried


TONE = G.RandomBrightnessContrast((0.1, 0.1), (0.3, 0.3), p=1)


def toned(image):
    """The reference's sum in float32, cut off."""
    return np.trunc(np.clip(image * np.float32(1.3) + np.float32(25.5), 0, 255)).astype(np.uint8)


@pytest.mark.parametrize("c", [0, 1, 2, 3, 4, 5, 20])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (33, 65)])
def test_tone_in_any_layout(size, c):
    image = picture(*size, c, "uint8")
    np.testing.assert_array_equal(run([TONE], image), toned(image))
    np.testing.assert_array_equal(run([TONE], image[::-1, ::-1]), toned(image[::-1, ::-1]))
    np.testing.assert_array_equal(run([TONE], image[:, ::2]), toned(image[:, ::2]))
    if c:
        planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        np.testing.assert_array_equal(run([TONE], planes).numpy(), toned(planes.numpy()))


def test_tone_between_moves_and_fills():
    image = picture(40, 50, 3, "uint8")
    drop = G.ChannelDropout((1, 1), fill=200, p=1)
    out = run([G.HorizontalFlip(p=1), TONE, drop, TONE, G.Transpose(p=1), TONE], image)
    once = toned(image[:, ::-1])
    expected = toned(toned(once).swapaxes(0, 1))
    dropped = [k for k in range(3) if (out[..., k] == toned(toned(np.uint8(200)))).all()]
    assert len(dropped) == 1
    expected[..., dropped] = toned(toned(np.uint8(200)))
    np.testing.assert_array_equal(out, expected)
    holes = run([TONE, G.CoarseDropout(fill=9, p=1), TONE], image)
    hole = (holes == toned(np.uint8(9))).all(-1)
    assert hole.any()
    np.testing.assert_array_equal(holes[~hole], toned(toned(image))[~hole])


# ---- moves ------------------------------------------------------------------------------------------------------------------

MOVES = {
    "hflip": ([G.HorizontalFlip(p=1)], lambda a: a[:, ::-1]),
    "vflip": ([G.VerticalFlip(p=1)], lambda a: a[::-1]),
    "transpose": ([G.Transpose(p=1)], lambda a: a.swapaxes(0, 1)),
    "turned": ([G.HorizontalFlip(p=1), G.Transpose(p=1)], lambda a: a[:, ::-1].swapaxes(0, 1)),
    "turned back": ([G.Transpose(p=1), G.HorizontalFlip(p=1)], lambda a: a.swapaxes(0, 1)[:, ::-1]),
    "window": ([G.CenterCrop(3, 4)], lambda a: a[(a.shape[0] - 3) // 2 :][:3, (a.shape[1] - 4) // 2 :][:, :4]),
}


@pytest.mark.parametrize("c", [0, 1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", MOVES)
def test_moves(name, dtype, c):
    transforms, reference = MOVES[name]
    what = "mask" if dtype == "int32" else "image"
    for size in ((5, 7), (40, 33), (6, 300), (400, 17)):
        data = picture(*size, c, dtype)
        np.testing.assert_array_equal(run(transforms, data, what), reference(data))
        if c:
            planes = torch.from_numpy(np.ascontiguousarray(data.transpose(2, 0, 1)))
            moved = G.Compose(transforms, seed=0)
            out = moved(image=planes)["image"] if what == "image" else moved(image=torch.zeros(planes.shape), mask=planes)["mask"]
            np.testing.assert_array_equal(out.numpy().transpose(1, 2, 0), reference(data))


@pytest.mark.parametrize("c", [0, 1, 2, 3, 4, 7])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("border", BORDERS)
def test_windows_beyond_the_image(border, dtype, c):
    what = "mask" if dtype == "int32" else "image"
    for size, pad in (((5, 7), (1, 2, 3, 4)), ((1, 1), (0, 3, 2, 0)), ((30, 40), (70, 65, 90, 100)), ((3, 2), (9, 7, 8, 5))):
        data = picture(*size, c, dtype)
        left, top, right, bottom = pad
        index = [
            [cv2.borderInterpolate(i, n, BORDERS[border]) for i in range(-before, n + after)]
            for n, before, after in ((size[0], top, bottom), (size[1], left, right))
        ]
        expected = data[np.ix_(*index)].copy()
        if border == 0:
            expected[np.array(index[0]) < 0] = 11
            expected[:, np.array(index[1]) < 0] = 11
        padding = G.Pad(pad, border_mode=border, fill=11, fill_mask=11)
        np.testing.assert_array_equal(run([padding], data, what), expected)
        turned = run([padding, G.Transpose(p=1), G.VerticalFlip(p=1)], data, what)
        np.testing.assert_array_equal(turned, expected.swapaxes(0, 1)[::-1])


@pytest.mark.parametrize("dtype", TYPES)
def test_resizes_to_the_nearest(dtype):
    data = picture(20, 30, 3, dtype)
    resize = G.Resize(37, 11, interpolation=0, p=1)
    what = "mask" if dtype == "int32" else "image"
    out = run([resize], data, what)
    rows, columns = (np.minimum(np.floor(np.arange(m) * (n / m)).astype(int), n - 1) for n, m in ((20, 37), (30, 11)))
    np.testing.assert_array_equal(out, data[np.ix_(rows, columns)])


# ---- a table, and then more ---------------------------------------------------------------------------------------------------

TABLES = {
    "curve": lambda: [G.RandomGamma((60, 60), p=1)],
    "channels": lambda: [G.Posterize([1, 3, 5], p=1)],
    "three": lambda: [TONE, G.Solarize(p=1), G.InvertImg(p=1)],
    "histogram": lambda: [G.Equalize(p=1)],
}
REST = {
    "normalize": lambda: [G.Normalize()],
    "tensor": lambda: [G.HorizontalFlip(p=1), G.ToTensorV2()],
    "gray": lambda: [G.ToGray(p=1)],
    "noise": lambda: [G.GaussNoise(p=1)],
    "turned": lambda: [G.Transpose(p=1), G.HorizontalFlip(p=1), G.GaussNoise(p=1), G.CenterCrop(20, 30), G.Normalize()],
    "crop": lambda: [G.CenterCrop(5, 4), G.Normalize()],
    "colour": lambda: [G.HueSaturationValue((9, 9), (20, 20), (5, 5), p=1), G.Normalize(), G.ToTensorV2()],
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("rest", REST)
def test_a_table_that_comes_first_is_what_it_is_alone(table, rest):
    image = picture(40, 33, 3, "uint8")
    for view in (image, image[::-1, ::-1], image.swapaxes(0, 1), image[3:, 2:30]):
        after = [G.NoOp(p=1) for _ in TABLES[table]()] + REST[rest]()  # the same places in the tree: the same draws
        want = run(after, run(TABLES[table](), view))
        got = run(TABLES[table]() + REST[rest](), view)
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("rest", ["normalize", "gray"])
def test_a_table_behind_an_interpolation(rest):
    image = picture(40, 33, 3, "uint8")
    turn = lambda: [G.Affine(rotate=(30, 30), fill=77, p=1)]  # noqa: E731
    want = run([G.NoOp(p=1), G.NoOp(p=1), *REST[rest]()], run(TABLES["curve"](), run(turn(), image)))
    np.testing.assert_array_equal(run(turn() + TABLES["curve"]() + REST[rest](), image), want)

"""What kernels/cpu does with large results and with views to floats, without changing a bit: results that are too large for the
caches are written past them (run.cpp), and operations of plain arithmetic are computed line by line (values.cpp). Bytes that are
resized to half their size are sums of integers (halve.cpp)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gpuaug as G

PAST = 16 << 20  # bytes of results; kernels/cpu/run.cpp


def many(shape, dtype):
    """Samples of that shape, of more bytes than PAST in all."""
    count = PAST // (int(np.prod(shape)) * np.dtype(dtype).itemsize) + 2
    values = np.random.default_rng(0).integers(0, 256, (count, *shape))
    return values.astype(dtype)


def run(transforms, images):
    return G.Compose(transforms, seed=0)(image=images)["image"]


MOVES = {
    "hflip": (G.HorizontalFlip(p=1), lambda a: a[:, :, ::-1]),
    "vflip": (G.VerticalFlip(p=1), lambda a: a[:, ::-1]),
    "turned": ([G.HorizontalFlip(p=1), G.VerticalFlip(p=1)], lambda a: a[:, ::-1, ::-1]),
    "crop": (G.Crop(x_min=3, y_min=1, x_max=90, y_max=60), lambda a: a[:, 1:60, 3:90]),
    "pad": (G.Pad(7, fill=9, border_mode=0), lambda a: np.pad(a, ((0, 0), (7, 7), (7, 7), (0, 0)), constant_values=9)),
    "transpose": (G.Transpose(p=1), lambda a: a.transpose(0, 2, 1, 3)),
}


@pytest.mark.parametrize("shape", [(61, 101, 3), (64, 128, 3), (61, 101, 1), (64, 128, 1), (64, 96, 4), (70, 93, 4), (70, 93, 5)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("name", MOVES)
def test_moves_past_the_caches(name, dtype, shape):
    steps, expected = MOVES[name]
    images = many(shape, dtype)
    np.testing.assert_array_equal(run(steps if isinstance(steps, list) else [steps], images), expected(images))


@pytest.mark.parametrize("name", ["hflip", "vflip", "crop"])
def test_planes_past_the_caches(name):
    images = many((61, 101, 3), "float32")
    step, expected = MOVES[name]
    out = run([step], torch.from_numpy(images).permute(0, 3, 1, 2).contiguous())
    np.testing.assert_array_equal(out.permute(0, 2, 3, 1).numpy(), expected(images))


@pytest.mark.parametrize("steps", [[G.RandomGamma(p=1), G.InvertImg(p=1)], [G.ToGray(p=1)], [G.Affine(rotate=20, p=1)]])
@pytest.mark.parametrize("shape", [(64, 128, 3), (61, 101, 3), (64, 128, 1)])
@pytest.mark.parametrize("planar", [False, True])
def test_what_is_computed_is_that_of_a_small_batch(steps, shape, planar):
    if shape[2] == 1 and isinstance(steps[0], G.ToGray):
        pytest.skip("is gray")
    images = many(shape, "float32") / np.float32(255)
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous() if planar else images
    compose, few = G.Compose(steps, seed=3), 5
    whole = compose(image=images, ids=np.arange(len(images)))["image"]
    assert whole.nbytes > PAST
    np.testing.assert_array_equal(whole[:few], compose(image=images[:few], ids=np.arange(few))["image"])


# ---- operations, line by line ---------------------------------------------------------------------------------------------

MEAN, STD = np.float32([0.485, 0.456, 0.406, 0.5, 0.4]), np.float32([0.229, 0.224, 0.225, 0.3, 0.25])


def normalized(a):
    c, by = a.shape[-1], np.float32(255)
    return (a.astype(np.float32) - MEAN[:c] * by) * np.reciprocal(STD[:c] * by)


def normalize(c):
    return G.Normalize(MEAN[:c].tolist(), STD[:c].tolist())


FORMULAS = {
    "ToFloat": (lambda c: G.ToFloat(), lambda a: a.astype(np.float32) / np.float32(255)),
    "ToFloat by 37.7": (lambda c: G.ToFloat(37.7), lambda a: a.astype(np.float32) / np.float32(37.7)),
    "ToFloat by 1e-39": (lambda c: G.ToFloat(1e-39), lambda a: a.astype(np.float32) / np.float32(1e-39)),
    "Normalize": (normalize, normalized),
    "ToFloat, Normalize": (
        lambda c: [G.ToFloat(), G.Normalize(MEAN[:c].tolist(), STD[:c].tolist(), max_pixel_value=1.0)],
        lambda a: (a.astype(np.float32) / np.float32(255) - MEAN[: a.shape[-1]]) * np.reciprocal(STD[: a.shape[-1]]),
    ),
}
VIEWS = {
    "whole": ([], lambda a: a),
    "crop": ([G.Crop(x_min=3, y_min=1, x_max=70, y_max=20)], lambda a: a[:, 1:20, 3:70]),
    "hflip": ([G.HorizontalFlip(p=1)], lambda a: a[:, :, ::-1]),
    "crop and both flips": (
        [G.Crop(x_min=3, y_min=1, x_max=70, y_max=20), G.HorizontalFlip(p=1), G.VerticalFlip(p=1)],
        lambda a: a[:, 1:20, 3:70][:, ::-1, ::-1],
    ),
    "transposed": ([G.Transpose(p=1)], lambda a: a.transpose(0, 2, 1, 3)),
}


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:overflow")
@pytest.mark.parametrize("c", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("width", [71, 200])
def test_one_formula_of_bytes(name, view, c, width):
    made, expected = FORMULAS[name]
    steps, viewed = VIEWS[view]
    images = np.random.default_rng(c).integers(0, 256, (2, 23, width, c), np.uint8)
    with np.errstate(all="ignore"):
        wanted = expected(viewed(images))
    made = made(c) if isinstance(made(c), list) else [made(c)]
    np.testing.assert_array_equal(run([*steps, *made], images), wanted)
    planes = run([*steps, *made, G.ToTensorV2()], images)
    np.testing.assert_array_equal(planes.permute(0, 2, 3, 1).numpy(), wanted)


@pytest.mark.parametrize("c", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("planar", [False, True])
def test_an_inversion_of_floats(view, c, planar):
    steps, viewed = VIEWS[view]
    images = np.random.default_rng(c).random((2, 23, 71, c), np.float32)
    given = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous() if planar else images
    out = run([*steps, G.InvertImg(p=1)], given)
    out = out.permute(0, 2, 3, 1).numpy() if planar else out
    np.testing.assert_array_equal(out, 1 - viewed(images))


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("steps", [[G.ToFloat()], [G.HorizontalFlip(p=1), normalize(3)]])
def test_formulas_past_the_caches(steps, planar):
    images = many((61, 101, 3), "float32").astype(np.uint8)
    compose = G.Compose([*steps, *([G.ToTensorV2()] if planar else [])], seed=0)
    whole = compose(image=images)["image"]
    assert whole.nbytes > PAST
    np.testing.assert_array_equal(whole[-3:], compose(image=images[-3:])["image"])


# ---- halves ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("c", [1, 2, 3, 4])
@pytest.mark.parametrize("height", [1, 9])
@pytest.mark.parametrize("width", [1, 2, 7, 16, 33, 63, 112, 129])
def test_a_linear_resize_to_half_the_size(width, height, c):
    images = np.random.default_rng(width).integers(0, 256, (3, 2 * height, 2 * width, c), np.uint8)
    means = images.reshape(3, height, 2, width, 2, c).astype(np.float64).mean((2, 4))
    np.testing.assert_array_equal(run([G.Resize(height, width)], images), np.rint(means))
    floats = run([G.Resize(height, width)], images.astype(np.float32))
    np.testing.assert_array_equal(floats, means)
    # a view that is cut out of a larger image, whose neighbours are not looked at
    framed = run(
        [G.Crop(x_max=2 * width, y_max=2 * height), G.Resize(height, width)], np.pad(images, ((0, 0), (0, 2), (0, 3), (0, 0)))
    )
    np.testing.assert_array_equal(framed, np.rint(means))

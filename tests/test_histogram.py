"""Reductions to histograms and the tables that are made of them, each alone, against OpenCV and NumPy."""

from __future__ import annotations

import albumentations as A
import cv2
import emu
import numpy as np
import parity
import pytest
import torch
from emu.plans import Only, build, image

import gpuaug as G
from gpuaug import deliver, lab, reductions
from gpuaug.backends import cpu, cuda
from gpuaug.batch import Batch
from gpuaug.track import Track

ALL = slice(None)
SIZES = [(1, 1), (5, 7), (64, 48), (31, 300), (3, 2)]
EMULATED = pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")


def cpu_run(plan):
    cpu.execute(plan, 1)
    return plan.found.view(np.uint32)


def emulated_run(plan):
    """What the emulated kernels write to memory of their own."""
    device, memory = emu.Device(7), []
    empty = device.empty

    def remembered(size):
        address, owner = empty(size)
        if size == plan.found.nbytes:
            memory.append(owner)
        return address, owner

    device.empty = remembered
    cuda.run(plan, device)
    return memory[-1].view(np.uint32)


RUNS = [cpu_run, pytest.param(emulated_run, marks=EMULATED)]


def pictures(dtype: str, channels: int, n: int = len(SIZES)) -> list[np.ndarray]:
    """Bytes, in the type given."""
    rng = np.random.default_rng(channels)
    return [image(rng, "uint8", *SIZES[i % len(SIZES)], channels).astype(dtype) for i in range(n)]


def extended(x: np.ndarray, tiles: tuple[int, int]) -> np.ndarray:
    """As OpenCV's CLAHE extends an image whose sides are no multiples of the grid's."""
    down, across = tiles
    if x.shape[0] % down == 0 and x.shape[1] % across == 0:
        return x
    return cv2.copyMakeBorder(x, 0, down - x.shape[0] % down, 0, across - x.shape[1] % across, cv2.BORDER_REFLECT_101)


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
@pytest.mark.parametrize("tiles", [(1, 1), (2, 3), (8, 8)])
@pytest.mark.parametrize("channel", [None, 2])
def test_histograms_are_numpys(run, dtype, tiles, channel):
    data = pictures(dtype, 3)

    def step(track):
        track.reduce(ALL, "histogram", tiles=tiles, channels=channel)

    plan, _ = build(data, 3, dtype, False, Only(step))
    counts = run(plan).reshape(len(data), *tiles, -1, 256)
    assert counts.shape[3] == (3 if channel is None else 1)
    for x, found in zip(data, counts):
        for k, c in enumerate(range(3) if channel is None else [channel]):
            whole = extended(np.ascontiguousarray(x[..., c].astype(np.uint8)), tiles)
            h, w = whole.shape[0] // tiles[0], whole.shape[1] // tiles[1]
            for i in range(tiles[0]):
                for j in range(tiles[1]):
                    part = whole[i * h : i * h + h, j * w : j * w + w]
                    np.testing.assert_array_equal(found[i, j, k], np.bincount(part.ravel(), minlength=256))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_what_is_no_byte_is_counted_with_the_nearest(dtype):
    x = np.array([np.nan, -np.inf, -1, 0.9, 254.9, 255.5, 1e30 if dtype == "float32" else 6e4, np.inf], dtype).reshape(1, 8, 1)

    def step(track):
        track.reduce(ALL, "histogram")

    for run in (cpu_run, emulated_run)[: 2 if emu.CXX else 1]:
        plan, out = build([x], 1, dtype, False, Only(step))  # out is held: the plan writes into it
        found = run(plan)
        assert (found[0], found[254], found[255], found.sum()) == (4, 1, 3, 8)
        assert out.any()


def test_a_turn_and_a_crop_are_seen():
    """What is counted is the view, not the memory."""
    x = pictures("uint8", 1)[2]

    def step(track):
        track.orient(ALL, "rot90")
        track.crop(ALL, 3, 5, 20, 30)
        track.reduce(ALL, "histogram", tiles=(2, 2))

    plan, _ = build([x], 1, "uint8", False, Only(step))
    found, want = cpu_run(plan).reshape(2, 2, 256), np.rot90(x[..., 0])[5:25, 3:33]
    for i in range(2):
        for j in range(2):
            part = want[10 * i : 10 * i + 10, 15 * j : 15 * j + 15]
            np.testing.assert_array_equal(found[i, j], np.bincount(part.ravel(), minlength=256))


def test_tiles_are_opencvs():
    size = np.array([[64, 64], [64, 60], [61, 60], [3, 2]])
    want = [extended(np.zeros(s, np.uint8), (8, 4)).shape for s in size]
    np.testing.assert_array_equal(reductions.layout((8, 4), size) * [8, 4], want)


@pytest.mark.parametrize("channels", [1, 3])
def test_tables_are_read_in_their_place_after_a_turn(channels):
    """lut_tiles looks at where its pixels were when the histograms were taken, whatever geometry follows in its stage."""
    x = np.random.default_rng(0).integers(0, 256, (3, 40, 56, channels), np.uint8)
    chain = [G.CLAHE((3, 3), (4, 5), p=1), G.Transpose(p=1), G.CenterCrop(30, 20, p=1)]
    step = x
    for transform in chain:
        step = G.Compose([transform])(step)
    np.testing.assert_array_equal(G.Compose(chain)(x), step)
    turned = G.Compose([G.HorizontalFlip(p=1), chain[0]])(x)
    np.testing.assert_array_equal(turned, G.Compose([chain[0]])(np.ascontiguousarray(x[:, :, ::-1])))


@pytest.mark.parametrize("there", [True, False])
def test_all_colours_of_lab_are_opencvs(there):
    """Every one of 2^24."""
    op, table, code = ("to_lab", lab.FORWARD, cv2.COLOR_RGB2LAB) if there else ("from_lab", lab.BACKWARD, cv2.COLOR_LAB2RGB)
    all_colours(op, code, shared=table)


@pytest.mark.parametrize("there", [True, False])
def test_all_colours_of_ycrcb_are_opencvs(there):
    all_colours(*(("to_ycrcb", cv2.COLOR_RGB2YCrCb) if there else ("from_ycrcb", cv2.COLOR_YCrCb2RGB)))


def all_colours(op: str, code: int, **given) -> None:
    side = np.arange(256, dtype=np.uint8)
    for first in range(0, 256, 32):
        x = np.stack(np.broadcast_arrays(side[first : first + 32, None, None], side[:, None], side), -1).reshape(
            1, 32 * 256, 256, 3
        )
        track = Track(Batch.of(x))
        track.op(ALL, op, **given)
        out = np.empty_like(x)
        plan = track.finish(np.array([out.ctypes.data]), np.array([[3 * 256, 3, 1]]), "uint8")
        cpu.execute(plan, 1)
        np.testing.assert_array_equal(out[0], cv2.cvtColor(x[0], code))


def test_a_constant_travels_once():
    track = Track(Batch.of(np.zeros((2, 4, 4, 3), np.uint8)))
    for row in (0, 1):
        track.op(np.array([row]), "to_lab", shared=lab.FORWARD)
    out = np.empty((2, 4, 4, 3), np.uint8)
    plan = track.finish(np.array([o.ctypes.data for o in out]), np.array([[12, 3, 1]] * 2), "uint8")
    assert len(plan.launches[0].blob) < 2 * len(lab.FORWARD)


def test_explain_shows_the_launches():
    compose = G.Compose([G.HorizontalFlip(p=1), G.CLAHE(p=1)])
    assert compose.explain((16, 16), samples=2).splitlines()[2:] == [
        "1. fused on all samples: HorizontalFlip (hflip), CLAHE (to_lab) [uint8 -> uint8]",
        "2. reduce on all samples: CLAHE (histogram) [uint8 -> uint8]",
        "3. lookup on all samples: CLAHE (clahe) [uint8 -> uint8]",
        "4. fused on all samples: CLAHE (lut_tiles), CLAHE (from_lab) [uint8 -> uint8]",
    ]


@EMULATED
@pytest.mark.parametrize("order", [emu.FORWARD, emu.BACKWARD, 5])
def test_a_gpu_needs_one_upload_and_no_wait(monkeypatch, order):
    """Histograms, tables and their use are queued one behind the other; some samples only."""
    x = np.random.default_rng(1).integers(0, 256, (6, 33, 41, 3), np.uint8)
    steps = [
        G.Equalize(p=0.5),
        G.CLAHE(tile_grid_size=(3, 2), p=0.5),
        G.AutoContrast(3, p=0.5),
        G.Normalize(normalization="image"),
    ]
    compose = G.Compose(steps, seed=3)
    want = compose(x, ids=np.arange(6))
    uploads = []

    class Counting(emu.Device):
        def upload(self, memory):
            uploads.append(len(memory))
            return super().upload(memory)

    device = Counting(order)
    monkeypatch.setattr(deliver, "execute", lambda plan, _: cuda.run(plan, device))
    got = compose(x, ids=np.arange(6))
    np.testing.assert_array_equal(got, want)
    assert len(uploads) == 1
    assert {"reduce_u8", "lookup_u8"} <= set(device.launches)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (lambda: G.Equalize(mask=len, mask_params=["mask"]), "mask_params must be empty, got .'mask'."),
        (lambda: G.Equalize("numpy"), "mode must be one of 'cv', 'pil'"),
        (lambda: G.CLAHE(0.5), "clip_limit must lie in"),
        (lambda: G.CLAHE(tile_grid_size=(0, 8)), "tile_grid_size must lie in"),
        (lambda: G.CLAHE(tile_grid_size=8), "tile_grid_size must be a pair"),
        (lambda: G.AutoContrast(101), "cutoff must lie in"),
        (lambda: G.AutoContrast(ignore=256), "ignore must lie in"),
        (lambda: G.Compose([G.CLAHE(p=1)])(np.zeros((4, 4, 2), np.uint8)), "CLAHE works on images of 1 or 3 channels, got 2"),
        (lambda: G.Compose([G.AutoContrast(p=1)])(np.zeros((4, 4), np.int32)), "AutoContrast: images of type int32 hold labels"),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        arguments()


def test_any_batch_gives_the_same():
    x = torch.from_numpy(np.random.default_rng(2).integers(0, 256, (9, 3, 20, 30), np.uint8))
    compose = G.Compose([G.CLAHE(p=0.7), G.Equalize(by_channels=False, p=0.5)], seed=1)
    whole = compose(x, ids=np.arange(9))
    for i in range(9):
        assert torch.equal(compose(x[i : i + 1], ids=[i])[0], whole[i])


@pytest.mark.parametrize("by_channels", [True, False])
@pytest.mark.parametrize("mode", ["cv", "pil"])
@pytest.mark.parametrize("kind", ["array", "function", "a mask for each channel"])
@pytest.mark.parametrize("channels", [1, 3])
def test_equalized_by_a_mask_as_albumentations(channels, kind, mode, by_channels):
    images = [parity.stack(channels, 61, 97, name) for name in ("china", "flower")]
    mask = (images[0][..., :1] > 90).astype(np.uint8) * 255
    if kind == "a mask for each channel":
        mask = (images[0] > 90).astype(np.uint8)
        by_channels = True
    given = (lambda image: (image.max(2) > image.max(2).mean()).astype(np.uint8)) if kind == "function" else mask
    arguments = {"mode": mode, "by_channels": by_channels, "p": 1}
    ours, theirs = G.Compose([G.Equalize(mask=given, **arguments)]), A.Equalize(mask=given, **arguments)
    for picture in images:
        np.testing.assert_array_equal(ours(picture), theirs(image=picture)["image"].reshape(picture.shape))
        if kind != "function":
            fraction = picture / np.float32(255)
            np.testing.assert_allclose(ours(fraction), theirs(image=fraction)["image"].reshape(picture.shape), atol=1e-6)


def test_a_mask_without_two_values_leaves_the_image():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    for mask in (np.zeros((4, 4), np.uint8), np.eye(4, dtype=np.uint8) * (np.arange(4) == 2)):
        np.testing.assert_array_equal(G.Compose([G.Equalize(mask=mask, p=1)])(image), image)
    with pytest.raises(ValueError, match=r"mask of shape \[5, 4, 1\] does not fit the image \[4, 4, 3\]"):
        G.Compose([G.Equalize(mask=np.ones((5, 4)), p=1)])(image)

"""Every transform against its reference, with the same parameters; the cases and their tolerances are in tests/parity."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import parity
import pytest
import scipy.ndimage
import scipy.stats

import gpuaug as G
from gpuaug.batch import Batch
from gpuaug.transform import View

IMAGES = [(case, dtype, channels) for case in parity.CASES for dtype in case.bounds for channels in case.channels]
MASKS = [(case, dtype) for case in parity.CASES if case.mask for dtype in ("uint8", "int32")]


def test_every_transform_has_a_case():
    missing = set(G.REGISTRY) - {case.name for case in parity.CASES} - set(parity.ELSEWHERE)
    assert not missing, f"add a Case to tests/parity for {', '.join(sorted(missing))}"


@pytest.mark.parametrize("test", parity.ELSEWHERE.values())
def test_what_is_tested_elsewhere_is(test):
    module, name = test.split(".")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("name", sorted(set(G.REGISTRY) - {"NoOp"}))
def test_every_transform_is_described(name):
    """Its place in the chains, its boxes and keypoints, and its row in the table of speeds; or the reason why not."""
    assert name in parity.ABOUT, (
        f"call about({name!r}, ..) beside its cases in tests/parity; tests/parity/about.py says what it takes"
    )
    about = parity.ABOUT[name]
    assert about.family in parity.FAMILIES or about.family.startswith("no: "), "family"
    assert (isinstance(about.marks, list) and about.marks) or str(about.marks).startswith("no: "), "marks"
    assert isinstance(about.bench, dict) or about.bench.startswith("no: "), "bench"
    unmoved = "mask" in G.REGISTRY[name].targets and about.marks == parity.about.PIXELS
    assert not unmoved or name == "ToTensorV2", f"{name} works on masks, so what it does to boxes and keypoints has to be tested"
    G.REGISTRY[name](**about.arguments)


def test_no_description_is_of_nothing():
    assert set(parity.ABOUT) <= set(G.REGISTRY)


def test_every_transform_that_moves_masks_has_a_mask_case():
    moved = {name for name, cls in G.REGISTRY.items() if "mask" in cls.targets}
    assert moved <= {case.name for case in parity.CASES if case.mask} | set(parity.ELSEWHERE)


@pytest.mark.parametrize(("case", "dtype", "channels"), IMAGES, ids=str)
def test_image(case, dtype, channels, device):
    wrong = parity.compare(case, dtype, channels, device).check(case.bounds[dtype])
    assert not wrong, wrong


@pytest.mark.parametrize(("case", "dtype"), MASKS, ids=str)
def test_mask(case, dtype, device):
    """Labels arrive as they are, up to ties of coordinates (see NEAREST)."""
    wrong = parity.compare_masks(case, dtype, device).check(parity.EXACT if case.exact_mask else parity.NEAREST)
    assert not wrong, wrong


def test_the_table_can_be_written():
    """By what CONTRIBUTING.md says, from the root, where pytest has put nothing into the path."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-W", "ignore", "-c", "import tests.parity.table"], cwd=root, env=clean, check=True)


def test_the_table_is_the_tests():
    """docs/parity.md has a row for every case: run python -m tests.parity --write after adding one."""
    text = (Path(__file__).parent.parent / "docs" / "parity.md").read_text()
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    written = {(row[0].lstrip("| "), row[1].strip(), row[3]) for row in rows}
    wanted = {(case.name, case.note, dtype) for case in parity.CASES for dtype in case.bounds}
    assert wanted <= written, wanted - written


# ---- what the reference does differently or not at all ----------------------------------------


@pytest.fixture
def photo():
    return parity.stack(3, 61, 97, "china")


def test_gaussian_blur_of_sigma_zero_goes_by_the_kernels_size(photo):
    """As OpenCV's; albumentations 2.0.8 makes NaN of it. Without a size, too, the image stays."""
    out = G.Compose([G.GaussianBlur(blur_limit=(5, 5), sigma_limit=(0, 0), p=1)])(photo)
    far = np.abs(out.astype(int) - cv2.GaussianBlur(photo, (5, 5), 0))
    assert far.max() <= 1
    np.testing.assert_array_equal(G.Compose([G.GaussianBlur(blur_limit=0, sigma_limit=(0, 0), p=1)])(photo), photo)


def test_an_int_is_a_number_of_masks_not_a_range():
    ones = np.ones((64, 20, 50, 1), np.uint8)
    out = G.Compose([G.XYMasking(num_masks_x=1, mask_x_length=7, p=1)], seed=1)(ones)
    assert {int(n) for n in (out[:, 0, :, 0] == 0).sum(1)} == {7}


def test_a_missing_shear_is_no_shear(photo):
    matrix = G.Affine(shear={"x": (10, 10)}, p=1).draw(np.full((1, 9), 0.5), View(np.array([[61, 97]]), 3, "uint8"))["matrix"]
    np.testing.assert_allclose(matrix[0, 1], [0, 1, 0], atol=1e-12)


@pytest.mark.parametrize("cls", ["RandomCrop", "Affine"])
def test_a_scalar_fill_reaches_every_channel(photo, cls):
    if cls == "Affine":
        out = G.Compose([G.Affine(translate_px=(200, 200), fill=77, p=1)])(photo)
        assert (out == 77).all()
    else:
        out = G.Compose([G.CenterCrop(200, 200, pad_if_needed=True, fill=77)])(photo)
        assert (out[0] == 77).all()


def test_spectrograms_keep_their_range():
    """Geometry, masking, noise and blur neither clip nor assume 0..1."""
    rng = np.random.default_rng(0)
    decibel = rng.normal(-40, 15, (33, 70, 1)).astype(np.float32)
    steps = [
        G.TimeMasking(10, p=1),
        G.FrequencyMasking(5, p=1),
        G.XYMasking(num_masks_x=1, mask_x_length=3, fill=-80.0, p=1),
        G.HorizontalFlip(p=1),
        G.GaussianBlur(p=1),
        G.GaussNoise(p=1),
        G.Affine(rotate=5, fill=-80.0, p=1),
    ]
    out = G.Compose(steps, seed=2)(decibel)
    assert out.min() < -50
    assert out.max() <= decibel.max() + 5


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_random_fill_is_uniform(dtype):
    """Kolmogorov-Smirnov, false alarm 1e-6, for each channel; and no two channels alike."""
    image = np.full((64, 64, 5), 300 if dtype == "float32" else 0, dtype)
    out = G.Compose([G.XYMasking(num_masks_x=1, mask_x_length=64, fill="random", p=1)], seed=3)(image).reshape(-1, 5)
    top = 256 if dtype == "uint8" else 1
    assert out.min() >= 0
    assert out.max() < top
    values = (out.astype(np.float64) + (np.random.default_rng(0).random(out.shape) if dtype == "uint8" else 0)) / top
    assert all(scipy.stats.kstest(values[:, c], "uniform").pvalue > 1e-6 for c in range(5))
    assert np.abs(np.corrcoef(values.T) - np.eye(5)).max() < 6 / np.sqrt(len(values))


def test_random_uniform_fill_is_one_colour_for_a_stripe():
    image = np.zeros((4, 40, 3), np.uint8)
    aug = G.XYMasking(num_masks_x=3, mask_x_length=5, fill="random_uniform", p=1)
    size = np.array([[4, 40]])
    u = np.random.default_rng(4).random((1, aug.columns()))
    u[0, 5:8] = 0.0, 0.4, 0.9  # three stripes that do not meet
    holes = aug.draw(u, View(size, 3, "uint8"))["holes"][0]
    out = parity.ours(aug, [image], u)[0]
    colours = {tuple(out[0, x0]) for x0, *_ in holes}
    assert len(colours) == 3
    for x0, _, x1, _ in holes:
        assert (out[:, x0:x1] == out[0, x0]).all()
    covered = np.zeros(40, bool)
    for x0, _, x1, _ in holes:
        covered[x0:x1] = True
    assert (out[:, ~covered] == 0).all()


@pytest.mark.parametrize("channels", [1, 3, 20])
def test_noise_is_normal_and_independent(channels):
    """Kolmogorov-Smirnov at 1e-6 over 2^16 values a channel; correlations of channels and of neighbours below 6 sigma."""
    image = np.zeros((256, 256, channels), np.float32)
    out = G.Compose([G.GaussNoise(std_range=(0.5, 0.5), p=1)], seed=5)(image) / 0.5
    flat = out.reshape(-1, channels).astype(np.float64)
    assert all(scipy.stats.kstest(flat[:, c], "norm").pvalue > 1e-6 for c in range(channels))
    bound = 6 / 256
    if channels > 1:
        assert np.abs(np.corrcoef(flat.T) - np.eye(channels)).max() < bound
    for a, b in ((out[1:], out[:-1]), (out[:, 1:], out[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < bound


def test_shared_noise_is_gray():
    out = G.Compose([G.GaussNoise(per_channel=False, p=1)], seed=5)(np.zeros((9, 9, 7), np.float32))
    assert (out == out[:, :, :1]).all()
    assert len(np.unique(out[:, :, 0])) > 70


def test_samples_of_a_batch_have_their_own_noise():
    out = G.Compose([G.GaussNoise(p=1)], seed=5)(np.zeros((3, 64, 64, 1), np.float32)).reshape(3, -1)
    assert np.abs(np.corrcoef(out) - np.eye(3)).max() < 6 / 64


def test_hue_stays_on_gray_pixels():
    gray = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    out = G.Compose([G.HueSaturationValue((50, 50), (99, 99), (0, 0), p=1)])(gray)
    np.testing.assert_array_equal(out, gray)


def test_batches_and_lists_give_what_one_image_gives(photo):
    """Batch.of takes one description for all: the same image alone, in an array and in a list."""
    aug = G.Compose([G.Affine(rotate=(-30, 30), p=1), G.GaussianBlur(p=1)], seed=9)
    one = np.stack([aug(photo, ids=[i]) for i in range(3)])
    np.testing.assert_array_equal(aug(np.stack([photo] * 3), ids=np.arange(3)), one)
    np.testing.assert_array_equal(np.stack(aug([photo] * 3, ids=np.arange(3))), one)
    assert len(Batch.of([photo] * 3)) == 3


def objects():
    """A mask of four objects, two of them of equal value."""
    mask = np.zeros((61, 97), np.uint8)
    for value, y, x in ((1, 5, 5), (1, 30, 40), (2, 10, 60), (3, 40, 80)):
        mask[y : y + 15, x : x + 12] = value
    return mask


def test_mask_dropout_removes_whole_objects(photo):
    mask = objects()
    labels, count = scipy.ndimage.label(mask > 0)
    numbers = set()
    for i in range(20):
        out = G.Compose([G.MaskDropout((1, 3), fill=9, p=1)], seed=1)(image=photo, mask=mask, ids=[i])
        gone = (out["mask"] == 0) & (mask > 0)
        whole = np.unique(labels[gone])
        numbers.add(len(whole))
        assert (np.isin(labels, whole) & (labels > 0) == gone).all()
        np.testing.assert_array_equal(out["mask"][~gone], mask[~gone])
        np.testing.assert_array_equal(out["image"], np.where(gone[..., None], 9, photo))
    assert numbers == {1, 2, 3}
    assert count == 4


def test_constrained_dropout_stays_on_objects(photo):
    mask = objects()
    near = scipy.ndimage.binary_dilation(np.isin(mask, (1, 3)), iterations=6)
    aug = G.ConstrainedCoarseDropout((1, 2), (0.3, 0.6), (0.3, 0.6), fill=9, fill_mask=7, mask_indices=[1, 3], p=1)
    for i in range(20):
        out = G.Compose([aug], seed=1)(image=photo, mask=mask, ids=[i])
        filled = out["mask"] == 7
        assert filled.any()
        assert not (filled & ~near).any()
        np.testing.assert_array_equal(out["image"], np.where(filled[..., None], 9, photo))
        np.testing.assert_array_equal(out["mask"][~filled], mask[~filled])


def test_no_two_labels_are_alike():
    """Else masks that swap them would pass."""
    for ordered in (False, True):
        palette = parity.run.palette_of(SimpleNamespace(ordered=ordered))
        assert len(set(palette.tolist())) == 256

"""The two nearest neighbours of a resize, cv2.INTER_NEAREST (0) and cv2.INTER_NEAREST_EXACT (6): bit by bit, and how far off."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import gpuaug as G

BOTH = pytest.mark.parametrize("code", [cv2.INTER_NEAREST, cv2.INTER_NEAREST_EXACT])
SIZES = [(256, 64), (256, 85), (256, 100), (256, 128), (256, 224), (256, 512)]


def reference(image: np.ndarray, height: int, width: int, code: int) -> np.ndarray:
    return cv2.resize(image, (width, height), interpolation=code).reshape(height, width, *image.shape[2:])


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_as_opencv(code, seed):
    """Small sizes meet many centres that lie on an edge between two pixels: there OpenCV's rounding decides."""
    rng = np.random.default_rng(seed)
    for k in range(150):
        h, w, height, width = (int(n) for n in rng.integers(1, (14, 50, 400)[k % 3], 4))
        image = rng.integers(0, 256, (h, w, (1, 3, 4, 7)[k % 4]), dtype=np.uint8)
        want = reference(image, height, width, code)
        np.testing.assert_array_equal(G.Compose([G.Resize(height, width, interpolation=code)])(image), want)
        steps = [G.Resize(height, width, interpolation=code), G.Transpose(p=1), G.HorizontalFlip(p=1)]
        np.testing.assert_array_equal(G.Compose(steps)(image), want.swapaxes(0, 1)[:, ::-1])


@BOTH
def test_long_sides(code):
    """Columns that 16 bits cannot count, and output pixels of one line in the tens of thousands."""
    for w, width in ((70_001, 333), (65_536, 100), (123, 40_001)):
        image = np.arange(w, dtype=np.float32)[None]
        lines = G.Compose([G.Resize(1, width, interpolation=code)])(image)
        columns = G.Compose([G.Resize(width, 1, interpolation=code)])(image.T)
        np.testing.assert_array_equal(lines, reference(image, 1, width, code))
        np.testing.assert_array_equal(columns, reference(image.T, width, 1, code))


@BOTH
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool", "float32"])
def test_masks_of_all_types_in_batches(code, dtype):
    """Samples of differing sizes in one batch, windows of them, and labels whose bits no float may touch."""
    rng = np.random.default_rng(1)
    sizes = [(31, 17), (40, 40), (31, 17), (5, 90), (18, 27)]
    masks = [rng.integers(-(2**31), 2**31, size).astype(dtype) for size in sizes]
    images = [np.zeros((*size, 3), np.uint8) for size in sizes]
    cast = {"bool": np.uint8, "int64": np.int32}.get(dtype, np.dtype(dtype).type)
    out = G.Compose([G.Resize(24, 33, mask_interpolation=code)])(image=images, mask=masks)["mask"]
    for mask, got in zip(masks, out, strict=True):
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, reference(mask.astype(cast), 24, 33, code).astype(dtype))
    crop = G.Compose([G.RandomResizedCrop((24, 33), mask_interpolation=code)], seed=1)
    drawn = crop.draw(np.array(sizes), ids=np.arange(5))
    out = crop(image=images, mask=masks, ids=np.arange(5))["mask"]
    for mask, got, (x0, y0, x1, y1) in zip(masks, out, drawn.steps[0].params["crop_coords"], strict=True):
        np.testing.assert_array_equal(got, reference(mask[y0:y1, x0:x1].astype(cast), 24, 33, code).astype(dtype))
    if dtype in ("int64", "bool"):
        return
    tensors = [torch.from_numpy(x) for x in images], [torch.from_numpy(m) for m in masks]
    dense = crop.run({"image": tensors[0], "mask": tensors[1]}, ids=np.arange(5), layout="HWC")["mask"]
    np.testing.assert_array_equal(dense.numpy(), np.stack(out))


def test_a_warp_takes_the_pixel_in_which_its_place_lies():
    """By 0 and by 6: a third of nine columns are [1, 4, 7], of a resize by 0 they are [0, 3, 6]."""
    image = np.arange(9, dtype=np.uint8)[None]
    for code, resized in ((0, [0, 3, 6]), (6, [1, 4, 7])):
        assert G.Compose([G.Resize(1, 3, interpolation=code)])(image)[0].tolist() == resized
        shrink = G.Affine(scale={"x": 1 / 3, "y": 1}, interpolation=code, mask_interpolation=code, p=1)
        out = G.Compose([shrink, G.CenterCrop(1, 3)])(image=image, mask=image)
        assert out["image"][0].tolist() == out["mask"][0].tolist() == [1, 4, 7]


@pytest.mark.parametrize("value", [8, 7, -1, True, 6.5, "nearest"])
def test_other_interpolations_are_refused(value):
    for name in ("interpolation", "mask_interpolation"):
        with pytest.raises(ValueError, match=rf"^{name} must be 0 .*6 \(cv2.INTER_NEAREST_EXACT\), got"):
            G.Resize(4, 4, **{name: value})


# ---- how far a mask lands beside its image -----------------------------------------------------------


def discs(size: int, count: int = 100) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    places, radii = rng.uniform(0.3 * size, 0.7 * size, (count, 2)), rng.uniform(0.08 * size, 0.2 * size, count)
    return [((x - a) ** 2 + (y - b) ** 2 < r * r).astype(np.uint8) for (a, b), r in zip(places, radii)]


def centroids(pictures) -> np.ndarray:
    found = []
    for picture in pictures:
        y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
        found.append([(x * picture).sum() / picture.sum(), (y * picture).sum() / picture.sum()])
    return np.array(found)


def off(size: int, to: int, code: int) -> float:
    """Source pixels, along x and y, that the masks of discs land beside the images of discs, which are resized linearly."""
    masks = discs(size)
    out = G.Compose([G.Resize(to, to, mask_interpolation=code)])(image=[m.astype(np.float32) for m in masks], mask=masks)
    return float((centroids(out["mask"]) - centroids(out["image"])).mean() * size / to)


@pytest.mark.parametrize(("size", "to"), SIZES)
def test_how_far_masks_are_off_is_documented(size, to):
    """Exact: a step of 2 or 4 pixels has no middle pixel: the next one is half a pixel away; else the mean is right."""
    biased, exact = off(size, to, 0), off(size, to, 6)
    assert abs(exact) < 0.52
    assert abs(exact) < 0.1 or size % (2 * to) == 0
    text = (Path(__file__).parent.parent / "docs" / "targets.md").read_text()
    row = re.search(rf"^\| {size} to {to} \| ([-.\d]+) \| ([-.\d]+) \|$", text, re.M)
    assert row, f"docs/targets.md must say: | {size} to {to} | {abs(biased):.2f} | {abs(exact):.2f} |"
    np.testing.assert_allclose([abs(biased), abs(exact)], [float(row[1]), float(row[2])], atol=0.011)

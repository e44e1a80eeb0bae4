"""Masks of other sizes than their images: the same draw, at the same fractions of height and width."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from skimage.transform import resize

import gpuaug as G
from gpuaug.transforms._geometric import Geometric
from tests.parity import ABOUT

IMAGE = np.ascontiguousarray(data.astronaut()[20:148, 100:260])  # 128 x 160
# smooth shapes: rounding decides at their edges alone
Y, X = np.mgrid[:128, :160]
WHOLE = np.uint8(100 * (((X - 70) / 45) ** 2 + ((Y - 60) / 35) ** 2 < 1) + 100 * ((X - Y / 2 > 60) & (Y > 50)))
HALF = WHOLE[1::2, 1::2]
GEOMETRY = sorted(name for name, kind in G.REGISTRY.items() if issubclass(kind, Geometric))


def edge(mask: np.ndarray) -> np.ndarray:
    """Pixels with a neighbour, at most three pixels away, of another value, or beyond the border.

    A pixel of the small mask stands for one that is up to 1.5 from its place, twice (it is read, and it was made), and where it
    is compared for one half a pixel away: below 4.
    """
    wide = np.pad(mask, 3, constant_values=255)
    near = np.stack([wide[y : y + mask.shape[0], x : x + mask.shape[1]] for y in range(7) for x in range(7)])
    return near.min(0) != near.max(0)


def test_the_list_of_geometry():
    assert {"Affine", "Perspective", "ElasticTransform", "RandomCrop", "Resize", "RandomGridShuffle", "D4"} <= set(GEOMETRY)


def made(name):
    about = ABOUT[name]
    arguments = {**about.needs, **(about.moved if isinstance(about.moved, dict) else {})}
    return G.REGISTRY[name](**arguments, p=1)


@pytest.mark.parametrize("name", [n for n in GEOMETRY if not ABOUT[n].reads and n != "Mosaic"])
def test_geometry_is_the_same(name):
    """Of a mask of half the size comes what comes of the whole one, halved: but for its edges."""
    transform = made(name)
    for seed in range(3):
        whole = G.Compose([transform], seed=seed)(image=IMAGE, mask=WHOLE)
        half = G.Compose([transform], seed=seed, is_check_shapes=False)(image=IMAGE, mask=HALF)
        np.testing.assert_array_equal(half["image"], whole["image"])
        want = np.asarray(whole["mask"])
        small = tuple(max(round(side / 2), 1) for side in want.shape)
        assert half["mask"].shape == small
        if min(want.shape) < 8:
            continue
        at = [np.minimum(((np.arange(n) + 0.5) * side / n).astype(int), side - 1) for n, side in zip(small, want.shape)]
        sure = ~edge(want)[np.ix_(*at)]
        assert sure.mean() > 0.4
        np.testing.assert_array_equal(half["mask"][sure], want[np.ix_(*at)][sure])


def test_a_matrix_by_hand():
    """A shift of 10 % is one of 10 % of each; 572 and 388, as a network without padding has them."""
    image, mask = np.zeros((572, 572, 3), np.uint8), np.zeros((388, 388), np.uint8)
    image[286:, 286:], mask[194:, 194:] = 255, 1
    aug = G.Compose([G.Affine(translate_percent=(0.25, 0.25), p=1), G.HorizontalFlip(p=1)], seed=1, is_check_shapes=False)
    out = aug(image=image, mask=mask)
    assert out["mask"].shape == (388, 388)
    rows, columns = np.flatnonzero(out["mask"].any(1)), np.flatnonzero(out["mask"].any(0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (194 + 97, 387, 0, 387 - 291)
    rows, columns = np.flatnonzero(out["image"].any((1, 2))), np.flatnonzero(out["image"].any((0, 2)))
    assert (rows[0], columns[-1]) == (286 + 143, 571 - 429)


def test_size_of_masks_of_a_resize():
    aug = G.Compose(
        [G.Resize(572, 572, mask_height=388, mask_width=388), G.ElasticTransform(alpha=60, sigma=10, p=1), G.ToTensorV2()], seed=3
    )
    image = np.repeat(resize(WHOLE, (250, 300), order=0, preserve_range=True).astype(np.uint8)[..., None], 3, 2)
    out = aug(image=image, mask=image[..., 0])
    assert out["image"].shape == (3, 572, 572)
    assert out["mask"].shape == (388, 388)
    moved, mask = out["image"][0].numpy(), out["mask"].numpy()
    at = ((np.arange(388) + 0.5) * 572 / 388).astype(int)
    sure = ~edge(moved)[np.ix_(at, at)] & ~edge(mask)
    assert sure.mean() > 0.7
    assert (abs(moved[np.ix_(at, at)].astype(int) - mask)[sure] <= 1).all()
    with pytest.raises(ValueError, match="mask_height and mask_width go together"):
        G.Resize(5, 5, mask_height=3)
    assert G.from_dict(aug.to_dict()) == aug


def test_batches_sets_and_draws():
    aug = G.Compose(
        [
            G.RandomResizedCrop((64, 80)),
            G.OneOf([G.Affine(rotate=(-40, 40), p=1), G.GridDistortion(p=1), G.HorizontalFlip(p=1)], p=0.8),
        ],
        seed=5,
        is_check_shapes=False,
    )
    images, ids = np.stack([IMAGE] * 6), np.arange(6)
    masks = [HALF, WHOLE, HALF, WHOLE, HALF, WHOLE]  # some have the size
    out = aug(image=images, mask=masks, ids=ids)
    strict = G.Compose(aug.transforms, seed=5)(image=images, mask=[WHOLE] * 6, ids=ids)
    np.testing.assert_array_equal(out["image"], strict["image"])
    for i in range(6):
        one = aug(image=images[i : i + 1], mask=[masks[i]], ids=ids[i : i + 1])["mask"][0]
        np.testing.assert_array_equal(one, out["mask"][i])
        if masks[i] is WHOLE:
            np.testing.assert_array_equal(out["mask"][i], strict["mask"][i])
        else:
            assert out["mask"][i].shape == (32, 40)
    sets = aug(image=IMAGE, masks=[HALF, WHOLE], ids=[1])["masks"]
    np.testing.assert_array_equal(sets[1], strict["mask"][1])
    assert sets[0].shape == (32, 40)
    dense = aug.run({"image": images[::2], "mask": np.stack([HALF] * 3)}, ids=ids[::2])
    assert torch.equal(dense["mask"], torch.from_numpy(np.stack([out["mask"][i] for i in (0, 2, 4)])))
    lazy = G.Compose([G.HorizontalFlip(p=1), G.Affine(rotate=(30, 30), p=1)], lazy=True, is_check_shapes=False)
    assert lazy(image=IMAGE, mask=HALF)["mask"].shape == HALF.shape


def test_holes_and_what_looks_at_masks():
    holes = G.CoarseDropout((1, 1), (0.5, 0.5), (0.25, 0.25), fill_mask=7, p=1)
    out = G.Compose([holes], seed=2, is_check_shapes=False)(
        image=np.full((64, 80, 3), 9, np.uint8), mask=np.zeros((32, 40), np.uint8)
    )
    rows, columns = (np.flatnonzero((out["image"][..., 0] == 0).any(axis)) for axis in (1, 0))
    assert (np.flatnonzero((out["mask"] == 7).any(1))[[0, -1]] == [round(rows[0] / 2), round((rows[-1] + 1) / 2) - 1]).all()
    assert (out["mask"] == 7).sum() == len(rows) * len(columns) // 4
    loose = {"is_check_shapes": False, "seed": 1}
    for transform, words in (
        (
            G.CropNonEmptyMaskIfExists(20, 20, p=1),
            "looks for places of the image in its mask, which must have its size then: mask 0",
        ),
        (
            G.PixelDropout(mask_drop_value=0, p=1),
            r"PixelDropout cannot be applied to a mask of another size .* \(64, 80\).* \(128, 160\)",
        ),
        (G.Mosaic(p=1), "Mosaic cannot be applied to a mask of another size"),
    ):
        with pytest.raises(ValueError, match=words):
            G.Compose([transform], **loose)(image=IMAGE, mask=HALF)
    G.Compose([G.PixelDropout(p=1), G.InvertImg(p=1)], **loose)(image=IMAGE, mask=HALF)
    with pytest.raises(
        ValueError, match=r"mask 0 is \(64, 80\) .* they must agree \(masks need not, with is_check_shapes=False\)"
    ):
        G.Compose([])(image=IMAGE, mask=HALF)
    with pytest.raises(ValueError, match=r"image2 0 is .* they must agree$"):
        G.Compose([], additional_targets={"image2": "image"}, **loose)(image=IMAGE, image2=IMAGE[1:])

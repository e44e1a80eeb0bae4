"""imgaug's names: what they compute, compared with imgaug 0.4.0 (imgaug_golden.py), what they draw, and how they are called."""

from __future__ import annotations

import copy
import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import gpuaug as G
import gpuaug.interop.imgaug as iaa

_SPEC = importlib.util.spec_from_file_location("imgaug_golden", Path(__file__).with_name("imgaug_golden.py"))
golden = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(golden)
WANT = np.load(golden.FILE)
IMAGE = golden.picture()
FLAT = np.full((8, 8, 3), 100, np.uint8)


def made(case):
    return eval(f"iaa.{case}", {"iaa": iaa})


# what imgaug's OpenCV 4 rounds on bytes and we do not: weights of Gaussians to 1/256, means of even boxes, 1; places to
# 1/32 of a pixel in warps, so that a value is off by the gradient (up to 255 at a border) / 64 along x and along y, and rounded
ONE = ("GaussianBlur", "AverageBlur(4", "AverageBlur(((2", "Resize(60", "Crop(p", "Pad(px=(3, 4, 5, 6), pad_cval", "CropAndPad")


def bound(case):
    return 9 if case.startswith("Affine") and "order=0" not in case else int(case.startswith(ONE))


@pytest.mark.parametrize("case", golden.VALUES + golden.MOVES)
def test_bytes(case):
    want = WANT[f"{case}|uint8"]
    got = made(case)(image=IMAGE)
    assert got.shape == want.shape
    assert got.dtype == np.uint8
    off = np.abs(got.astype(int) - want)
    assert off.max() <= bound(case)
    assert off.mean() < 0.25


@pytest.mark.parametrize("case", golden.VALUES)
def test_floats(case):
    got = made(case)(image=(IMAGE / 255).astype(np.float32))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, WANT[f"{case}|float32"].astype(np.float32), rtol=6e-4, atol=1e-4)  # float16 holds 11 bits


@pytest.mark.parametrize("case", golden.MOVES)
def test_points_boxes_and_labels_move(case):
    _, points, boxes, labels = made(case)(
        image=IMAGE, keypoints=golden.POINTS, bounding_boxes=np.array(golden.BOXES), segmentation_maps=golden.labels()
    )
    # imgaug moves points of fit_output by another matrix than the image, for which pixels are points
    close = 0.5 if "fit_output" in case else 2e-3
    np.testing.assert_allclose(points, WANT[f"{case}|keypoints"], atol=close)
    np.testing.assert_allclose(boxes, WANT[f"{case}|boxes"], atol=close)
    assert isinstance(points, list)
    assert isinstance(boxes, np.ndarray)
    want = WANT[f"{case}|labels"]
    assert labels.shape == want.shape
    assert labels.dtype == np.int32
    assert (labels != want).sum() <= 2  # ties of places


@pytest.mark.parametrize(("alpha", "sigma"), golden.ELASTIC)
def test_elastic_displacements_are_as_rough(alpha, sigma):
    aug = iaa.ElasticTransformation(alpha, sigma, order=1, mode="nearest", seed=1)
    got = golden.roughness(np.stack(aug(images=[golden.ramps()] * 200)))
    want = WANT[f"elastic|{alpha}|{sigma}"]
    np.testing.assert_allclose(got[0], want[0], rtol=0.03)  # 200 images of 48 x 48, correlated over 7 pixels: 0.7 % deviation
    np.testing.assert_allclose(got[1], want[1], atol=0.03)


def test_elastic_moves_labels_and_points_as_the_image():
    y, x = np.mgrid[:60, :64]
    blob = np.exp(-((x - 30) ** 2 + (y - 26) ** 2) / 18)
    image, labels = (255 * blob).astype(np.uint8)[..., None], (blob > 0.3).astype(np.uint8)

    def middle(weights):
        return np.array([(weights * x).sum() / weights.sum() + 0.5, (weights * y).sum() / weights.sum() + 0.5])

    off, moved = [], []
    for seed in range(40):
        out, mask, (point,) = iaa.ElasticTransformation(90, 7, order=1, seed=seed)(
            image=image, segmentation_maps=labels, keypoints=[(30.5, 26.5)]
        )
        assert (mask != (out[..., 0] > 76)).mean() < 0.01
        centre = middle(out[..., 0] * (out[..., 0] > 76.0))
        off.append(np.abs(centre - point).max())
        moved.append(np.abs(centre - (30.5, 26.5)).max())
    assert np.median(moved) > 2
    assert np.median(off) < 1  # a rough field bends the disc, too; imgaug's points are off by 1.2


# ---- what is drawn -------------------------------------------------------------------------------


def test_noise():
    flat = np.full((200, 200, 3), 128, np.uint8)
    same = iaa.AdditiveGaussianNoise(loc=3, scale=12, seed=1)(image=flat)
    assert (same == same[..., :1]).all()
    apart = iaa.AdditiveGaussianNoise(loc=3, scale=12, per_channel=True, seed=1)(image=flat).astype(float)
    assert abs(np.corrcoef(apart[..., 0].ravel(), apart[..., 1].ravel())[0, 1]) < 0.03
    assert abs(apart.mean() - 131) < 0.15
    assert abs(apart.std() - (144 + 1 / 12) ** 0.5) < 0.15  # rounding adds 1/12
    fine = iaa.AdditiveGaussianNoise(scale=0.3, per_channel=True, seed=1)(image=flat).astype(int) - 128
    assert abs((fine != 0).mean() - 0.0956) < 0.005  # P(|N| > 0.5 / 0.3), rounded, not cut off
    assert abs(fine.mean()) < 0.005
    floats = iaa.AdditiveGaussianNoise(scale=2.0, seed=1)(image=np.zeros((200, 200), np.float32))
    assert 1.95 < floats.std() < 2.05
    some = iaa.AdditiveGaussianNoise(scale=20, per_channel=0.5, seed=1)(images=[flat[:9, :9]] * 60)
    assert 15 < sum((image == image[..., :1]).all() for image in some) < 45


def test_numbers_ranges_and_choices():
    def drawn(value, **more):
        return np.array([image[0, 0, 0] for image in iaa.Add(value, seed=1, **more)(images=[FLAT] * 400)], int) - 100

    assert set(drawn(7)) == {7}
    assert set(drawn([-3, 5])) == {-3, 5}
    wide = drawn((-20, 20))
    assert wide.min() < -17
    assert wide.max() > 17
    assert abs(wide.mean()) < 2.5
    sides = {image.shape[0] for image in iaa.Resize((4, 6), seed=1)(images=[FLAT] * 60)}
    assert sides == {4, 5, 6}
    shapes = {image.shape[:2] for image in iaa.Resize({"height": [3, 5], "width": (6, 7)}, seed=1)(images=[FLAT] * 90)}
    assert shapes == {(h, w) for h in (3, 5) for w in (6, 7)}
    apart = iaa.Add((-50, 50), per_channel=True, seed=1)(image=FLAT)
    assert len(np.unique(apart)) == 3
    half = iaa.Multiply((0.5, 1.5), per_channel=0.5, seed=1)(images=[FLAT] * 100)
    assert 25 < sum(len(np.unique(image)) == 1 for image in half) < 75
    crops = iaa.Crop(px=(0, 2), keep_size=False, seed=1)(images=[FLAT] * 300)
    assert {image.shape[0] for image in crops} == {8, 7, 6, 5, 4}
    even = iaa.Crop(px=(0, 2), keep_size=False, sample_independently=False, seed=1)(images=[FLAT] * 60)
    assert {image.shape[0] for image in even} == {8, 6, 4}


def test_borders_are_drawn_for_each_image():
    aug = iaa.Affine(scale=0.5, order=[0, 1], cval=(0, 255), mode=iaa.ALL, seed=3)
    images = np.stack(aug(images=[FLAT] * 80))
    corner = images[:, 0, 0].astype(int)
    assert (corner == 100).all(1).sum() > 40  # four of five modes repeat the image
    assert len({tuple(each) for each in corner.tolist()}) > 8
    for i in (3, 17):
        np.testing.assert_array_equal(np.stack(aug.to_deterministic()(images=[FLAT] * 2))[0].shape, images[i].shape)
    gray = iaa.Affine(translate_px=3, cval=[9, 200], seed=1)(images=[FLAT[..., 0]] * 20)
    assert {int(image[0, 0]) for image in gray} == {9, 200}
    five = iaa.Affine(translate_px=3, cval=9)(image=np.full((8, 8, 5), 100, np.uint8))
    assert set(five[0, 0]) == {9}


def test_a_draw_depends_on_the_seed_and_the_number_alone():
    seq = iaa.Sequential(
        [
            iaa.SomeOf((1, 3), [iaa.Add((-40, 40)), iaa.GaussianBlur((0.5, 2.0)), iaa.Affine(rotate=(-30, 30)), iaa.Fliplr(0.5)]),
            iaa.Sometimes(0.5, iaa.ElasticTransformation(alpha=(5, 30), sigma=(2, 5))),
            iaa.AdditiveGaussianNoise(scale=(2, 20), per_channel=0.5),
        ],
        random_order=True,
    )
    aug = G.Compose([seq], seed=5)
    whole = aug([IMAGE] * 8, ids=np.arange(8))
    for i in range(8):
        np.testing.assert_array_equal(aug([IMAGE], ids=[i])[0], whole[i])
    assert len({image.tobytes() for image in whole}) == 8
    assert "AdditiveGaussianNoise" in aug.explain((32, 32), samples=8)
    twin = pickle.loads(pickle.dumps(aug))
    np.testing.assert_array_equal(twin([IMAGE], ids=[3])[0], whole[3])
    assert copy.deepcopy(seq) == seq


def test_groups():
    add = [iaa.Add(1), iaa.Add(10), iaa.Add(100)]
    zeros = np.zeros((300, 1, 1), np.uint8)

    def sums(aug):
        return set(np.asarray(aug(images=zeros)).ravel().tolist())

    assert sums(iaa.Sequential(add)) == {111}
    assert sums(iaa.Sequential(add, random_order=True, seed=1)) == {111}
    assert sums(iaa.OneOf(add, seed=1)) == {1, 10, 100}
    assert sums(iaa.SomeOf(2, add, seed=1)) == {11, 101, 110}
    assert sums(iaa.SomeOf((0, None), add, seed=1)) == {0, 1, 10, 100, 11, 101, 110, 111}
    assert sums(iaa.SomeOf(None, add)) == sums(iaa.SomeOf(7, add)) == {111}
    assert sums(iaa.SomeOf((2, 9), add, seed=1)) == {11, 101, 110, 111}
    assert sums(iaa.Sometimes(0.5, add[0], add[1:], seed=1)) == {1, 110}
    assert sums(iaa.Sometimes(0.5, add[0], seed=1)) == {0, 1}
    assert sums(iaa.Sequential()) == sums(iaa.Identity()) == sums(iaa.SomeOf(2, [])) == {0}
    assert sums(iaa.Sequential(iaa.OneOf(add, seed=1))) == {1, 10, 100}
    # a child of OneOf keeps its own probability, and does not weigh the choice
    flips = iaa.OneOf([iaa.Fliplr(0.5), iaa.Add(50)], seed=1)(images=[np.array([[1, 2]], np.uint8)] * 600)
    kinds = np.array([image[0, 0] for image in flips])
    assert 250 < (kinds == 51).sum() < 350
    assert 110 < (kinds == 2).sum() < 190
    # orders: 2 x + 1 and 2 (x + 1)
    both = [iaa.Multiply(2), iaa.Add(1)]
    fives = np.full((200, 1, 1), 5, np.uint8)
    assert set(iaa.Sequential(both)(images=fives).ravel()) == {11}
    assert set(iaa.Sequential(both, random_order=True, seed=1)(images=fives).ravel()) == {11, 12}
    assert set(iaa.SomeOf(2, both, random_order=True, seed=1)(images=fives).ravel()) == {11, 12}
    seq = iaa.Sequential(iaa.Add(1))
    seq(images=zeros)
    seq.add(iaa.Add(10))
    assert sums(seq) == {11}
    assert len(seq) == 2
    assert sums(iaa.Sequential([G.InvertImg(p=1), iaa.Add(-5)])) == {250}


# ---- how they are called -------------------------------------------------------------------------


def test_calls():
    aug = iaa.Fliplr(1.0)
    flipped = IMAGE[:, ::-1]
    np.testing.assert_array_equal(aug(image=IMAGE), flipped)
    np.testing.assert_array_equal(aug.augment_image(IMAGE), flipped)
    stacked = aug(images=np.stack([IMAGE, flipped]))
    assert isinstance(stacked, np.ndarray)
    np.testing.assert_array_equal(stacked, [flipped, IMAGE])
    listed = aug.augment_images([IMAGE, IMAGE[:5, :6]])
    assert [image.shape for image in listed] == [(25, 31, 3), (5, 6, 3)]
    maps, image = aug(segmentation_maps=golden.labels(), image=IMAGE)
    np.testing.assert_array_equal(maps, golden.labels()[:, ::-1])
    np.testing.assert_array_equal(image, flipped)
    images, points, boxes = aug(
        images=[IMAGE, IMAGE], keypoints=[[(0.5, 2.0)], []], bounding_boxes=[np.empty((0, 4)), np.float32([[1, 2, 4, 6]])]
    )
    assert len(images) == 2
    assert points == [[(30.5, 2.0)], []]
    assert boxes[0].shape == (0, 4)
    np.testing.assert_allclose(boxes[1], [[27, 2, 30, 6]])
    assert boxes[1].dtype == np.float32
    outside = iaa.Affine(translate_px={"x": 100})(image=IMAGE, bounding_boxes=[(1, 2, 3, 4)])[1]
    np.testing.assert_allclose(outside, [(101, 2, 103, 4)], atol=1e-4)
    assert aug(images=[]) == []
    tensor = torch.from_numpy(IMAGE).permute(2, 0, 1).contiguous()
    assert torch.equal(aug(image=tensor), tensor.flip(-1))


def test_seeds_and_determinism():
    def drawn(aug):
        return [int(image[0, 0, 0]) for image in aug(images=[FLAT] * 6)]

    assert drawn(iaa.Add((-50, 50), seed=4)) == drawn(iaa.Add((-50, 50), random_state=4)) == drawn(iaa.Add((-50, 50), seed=4))
    aug = iaa.Sequential([iaa.Add((-50, 50))], seed=4)
    assert drawn(aug) != drawn(aug)
    fixed = aug.to_deterministic()
    first = drawn(fixed)
    assert drawn(fixed) == first
    assert len(set(first)) > 3
    assert drawn(aug.to_deterministic()) != first
    assert len({tuple(drawn(each)) for each in iaa.Add((-50, 50)).to_deterministic(3)}) == 3
    always = iaa.Add((-50, 50), seed=2, deterministic=True)
    assert drawn(always) == drawn(always)
    images, maps = iaa.Affine(rotate=(-40, 40)).to_deterministic()(images=[IMAGE], segmentation_maps=[IMAGE[..., 0] // 128])
    assert images[0].shape[:2] == maps[0].shape


def test_in_a_pipeline_of_gpuaug():
    aug = G.Compose([G.CenterCrop(20, 24), iaa.Sequential([iaa.Fliplr(1.0), iaa.Add((5, 9))]), G.Normalize()], seed=1,
                    bbox_params=G.BboxParams("pascal_voc"))  # fmt: skip
    out = aug(image=IMAGE, mask=golden.labels(), bboxes=[[6, 6, 12, 14]])
    assert out["image"].dtype == np.float32
    np.testing.assert_array_equal(out["mask"], golden.labels()[2:22, 3:27][:, ::-1])
    np.testing.assert_allclose(out["bboxes"], [[24 - 9, 4, 24 - 3, 12]])
    batch = aug.run({"image": [IMAGE] * 3}, ids=[0, 1, 2])["image"]
    assert batch.shape == (3, 3, 20, 24) or batch.shape == (3, 20, 24, 3)
    with pytest.raises(ValueError, match="is Sequential, an augmenter by imgaug's name"):
        aug.to_dict()
    assert "gpuaug.interop.imgaug" not in {type(t).__module__ for t in map(G.REGISTRY.get, ("GaussianBlur", "Affine", "Resize"))}
    assert iaa.GaussianBlur((0.5, 1.0)) != iaa.GaussianBlur([0.5, 1.0])
    assert iaa.GaussianBlur((0.5, 1.0)) == iaa.GaussianBlur((0.5, 1.0))
    assert G.Compose([iaa.GaussianBlur((0.5, 1.0))]) != G.Compose([iaa.GaussianBlur([0.5, 1.0])])
    assert copy.deepcopy(aug) == aug


def test_the_list_of_blurs_and_noise():
    """A list as articles on imgaug show it: one of many, for a list of images of one size."""
    seq = iaa.Sequential(
        [
            iaa.Sometimes(0.5, iaa.GaussianBlur(sigma=(0, 3.0))),
            iaa.OneOf([iaa.AverageBlur(k=(2, 7)), iaa.MedianBlur(k=(3, 11)), iaa.MotionBlur(k=15, angle=[-45, 45])]),
            iaa.Resize({"height": 24, "width": 32}),
            iaa.AdditiveGaussianNoise(loc=0, scale=(0.0, 0.05 * 255), per_channel=0.5),
            iaa.Sharpen(alpha=(0, 1.0), lightness=(0.75, 1.5)),
            iaa.Sometimes(0.5, iaa.ElasticTransformation(alpha=(0.5, 3.5), sigma=0.25)),
        ],
        random_order=True,
    )
    images_aug = seq(images=[IMAGE, IMAGE[::-1], IMAGE[:, ::-1]])
    assert [image.shape for image in images_aug] == [(24, 32, 3)] * 3
    assert all(image.dtype == np.uint8 for image in images_aug)
    assert len({image.tobytes() for image in images_aug}) == 3


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: iaa.GaussianBlur("wide"), TypeError, r"sigma must be a number, a tuple \(low, high\) or a list"),
    (lambda: iaa.GaussianBlur((1, 2, 3)), TypeError, "sigma must be a number"),
    (lambda: iaa.GaussianBlur(-1), ValueError, r"sigma must be in \[0, 1000\]"),
    (lambda: iaa.GaussianBlur(sigm=1), TypeError, "did you mean 'sigma'"),
    (lambda: iaa.MedianBlur(4), ValueError, "k must be odd, got 4"),
    (lambda: iaa.MotionBlur(2), ValueError, "k must be in"),
    (lambda: iaa.AverageBlur((1, 2, 3)), TypeError, "for width and height"),
    (lambda: iaa.Fliplr(1.5), ValueError, r"p must be True, False or a probability"),
    (lambda: iaa.Add(per_channel=2), ValueError, "per_channel must be True"),
    (lambda: iaa.GammaContrast(-1), ValueError, "gamma must be at least 0"),
    (lambda: iaa.Affine(translate_px=1, translate_percent=0.1), ValueError, "translate_percent or translate_px"),
    (lambda: iaa.Affine(translate_px=0.5), ValueError, "translate_px takes whole numbers"),
    (lambda: iaa.Affine(scale={"z": 1}), ValueError, "scale must be a number, a tuple, a list, or a dict of 'x' and 'y'"),
    (lambda: iaa.Affine(order=2), ValueError, "order must be one of 0, 1, 3"),
    (lambda: iaa.Affine(mode="round"), ValueError, "mode must be one of 'constant'"),
    (lambda: iaa.Affine(backend="skimage"), ValueError, "skimage's arithmetic is not there"),
    (lambda: iaa.Resize({"height": 3, "depth": 4}), ValueError, "'depth' is none of them"),
    (lambda: iaa.Resize([3, 0.5]), ValueError, "a list to choose from holds pixels"),
    (lambda: iaa.Resize("keep-aspect-ratio"), ValueError, "goes with the other side"),
    (lambda: iaa.Crop(px=-1), ValueError, "px must be at least 0"),
    (lambda: iaa.Crop(px=1, percent=0.1), ValueError, "px or percent, not both"),
    (lambda: iaa.Pad(px=1, pad_mode="mean"), ValueError, "pad_mode must be one of"),
    (lambda: iaa.SomeOf("two", []), TypeError, "n must be a number"),
    (lambda: iaa.SomeOf((3, 1), []), ValueError, "low <= high"),
    (lambda: iaa.Sequential(3), TypeError, "children must be an augmenter or a list"),
    (lambda: iaa.Sequential([np.flip]), TypeError, r"transforms\[0\] must be a gpuaug transform"),
    (lambda: iaa.Add(1, seed=1, random_state=2), TypeError, "older name of seed"),
    (lambda: iaa.Add(1)(IMAGE), TypeError, "positional"),
    (lambda: iaa.Add(1)(), ValueError, "pass image=, or images="),
    (lambda: iaa.Add(1)(image=IMAGE, heatmaps=IMAGE), TypeError, "got 'heatmaps'"),
    (lambda: iaa.Add(1)(images=[IMAGE], keypoints=[[], []]), ValueError, "keypoints has 2 entries for 1 images"),
    (lambda: iaa.Add(1)(image=IMAGE, keypoints=[(1, 2, 3)]), ValueError, r"keypoints of an image must be rows of \(x, y\)"),
    (lambda: iaa.Add(1).augment_keypoints([]), TypeError, "together with the images"),
    (lambda: iaa.Snowflakes, AttributeError, "has no 'Snowflakes'"),
    (lambda: iaa.GaussianBlurr, AttributeError, "GaussianBlur"),
    (lambda: iaa.GammaContrast((0.5, 2.0), per_channel=True)(image=np.ones((4, 4, 3), np.float32)), ValueError,
     "per_channel is there"),
])  # fmt: skip
def test_what_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()

"""Crops that look at masks and boxes: albumentations' with the same luck; what they promise; what they refuse."""

from __future__ import annotations

import albumentations as A
import chains
import numpy as np
import parity
import pytest
import torch

import gpuaug as G
from gpuaug.transforms.crop_labels import kth_of_each, kth_on_device

H, W = 61, 83
BOXES = [(10.3, 8.6, 30.2, 29.7), (40.4, 12.3, 61.8, 50.6), (22.2, 31.7, 35.1, 55.4)]
POINTS = [(12.25, 9.5), (50.0, 30.0), (80.0, 2.0), (3.0, 60.0)]


class Luck(parity.case.Script):
    """`uniform` is called with a= and b= by AtLeastOneBBoxRandomCrop."""

    def uniform(self, low=None, high=None, size=None, a=None, b=None):
        return super().uniform(low if a is None else a, high if b is None else b, size)


def mask(values=(3, 0, 7)) -> np.ndarray:
    out = np.zeros((H, W), np.uint8)
    for k, value in enumerate(values):
        out[10 + 15 * k : 14 + 15 * k, 70 - 30 * k : 78 - 30 * k] = value
    return out


def beside(transform, order, boxes, given_mask, more=None, points=POINTS):
    """Ours and albumentations', with one draw of ours."""
    image = parity.stack(3, H, W, "china")
    data = {"image": image, "mask": given_mask, "bboxes": boxes, "labels": list(range(len(boxes))), "keypoints": points}
    data |= {"names": list(range(len(points)))} | (more or {})
    box_params = {"format": "pascal_voc", "label_fields": ["labels"]}
    point_params = {"format": "xy", "label_fields": ["names"]}
    ours = G.Compose(
        [transform(G)],
        seed=3,
        bbox_params=G.BboxParams(**box_params),
        keypoint_params=G.KeypointParams(**point_params),
        label_geometry="albumentations",
    )
    luck = chains.Luck(ours)
    for i in range(20):
        luck.calls.clear()
        got = ours(**data, ids=i)
        (_, _, u, _, _), *_ = luck.calls
        params = {"bbox_params": A.BboxParams(**box_params), "keypoint_params": A.KeypointParams(**point_params)}
        want = chains.albumentations([transform(A)], [order(u[0])], data, **params)
        yield got, want


def nothing(u):
    return Luck(u)


CASES = {
    "mask": (lambda L: L.CropNonEmptyMaskIfExists(20, 31), nothing, BOXES, mask()),
    "ignored values": (lambda L: L.CropNonEmptyMaskIfExists(20, 31, ignore_values=[3]), nothing, BOXES, mask()),
    "all ignored": (
        lambda L: L.CropNonEmptyMaskIfExists(20, 31, ignore_values=[3, 7]),
        lambda u: Luck(u[1:]),
        BOXES,
        mask(),
    ),
    "empty": (lambda L: L.CropNonEmptyMaskIfExists(20, 31), lambda u: Luck(u[1:]), BOXES, mask(values=())),
    "channels": (lambda L: L.CropNonEmptyMaskIfExists(20, 31), nothing, BOXES, np.dstack([mask(), mask()[::-1]])),
    "ignored channels": (
        lambda L: L.CropNonEmptyMaskIfExists(20, 31, ignore_channels=[1]),
        nothing,
        BOXES,
        np.dstack([mask(), mask()[::-1]]),
    ),
    "safe": (lambda L: L.BBoxSafeRandomCrop(), lambda u: Luck([], u), BOXES, mask()),
    "safe, eroded": (lambda L: L.BBoxSafeRandomCrop(0.4), lambda u: Luck([], u), BOXES, mask()),
    "safe, one box": (lambda L: L.BBoxSafeRandomCrop(0.4), lambda u: Luck([], u), BOXES[:1], mask()),
    "safe, no box": (lambda L: L.BBoxSafeRandomCrop(0.4), lambda u: Luck(u[:1], u[1:3]), [], mask()),
    "safe, no box, nothing eroded": (lambda L: L.BBoxSafeRandomCrop(), lambda u: Luck([], u[1:3]), [], mask()),
    "safe, all eroded": (lambda L: L.BBoxSafeRandomCrop(1.0), lambda u: Luck(u[:1], u[1:3]), BOXES, mask()),
    "safe, resized": (lambda L: L.RandomSizedBBoxSafeCrop(40, 50, 0.2), lambda u: Luck([], u), BOXES, mask()),
    "safe, resized nearest": (
        lambda L: L.RandomSizedBBoxSafeCrop(40, 50, interpolation=0, mask_interpolation=6),
        lambda u: Luck([], u),
        BOXES,
        mask(),
    ),
    "one": (lambda L: L.AtLeastOneBBoxRandomCrop(25, 33), nothing, BOXES, mask()),
    "one, eroded": (lambda L: L.AtLeastOneBBoxRandomCrop(25, 33, 0.6), nothing, BOXES, mask()),
    "one, touched": (lambda L: L.AtLeastOneBBoxRandomCrop(25, 33, 1.0), nothing, BOXES, mask()),
    "one, larger than the window": (lambda L: L.AtLeastOneBBoxRandomCrop(7, 9), nothing, BOXES, mask()),
    "one of none": (lambda L: L.AtLeastOneBBoxRandomCrop(25, 33), lambda u: Luck(u[1:]), [], mask()),
    "near": (lambda L: L.RandomCropNearBBox((0.2, 0.4)), nothing, BOXES, mask()),
    "near, at a side": (lambda L: L.RandomCropNearBBox(0.9, "here"), nothing, BOXES, mask()),
}
READ = {"near": {"cropping_bbox": (20, 10, 45, 31)}, "near, at a side": {"here": [60, 40, 99, 70]}}


@pytest.mark.parametrize("name", CASES)
def test_all_targets_are_albumentations(name):
    sizes = set()
    for got, want in beside(*CASES[name], more=READ.get(name)):
        bound = parity.ABOUT["Resize"].bound(G.Resize(1, 1), "uint8")  # of a resize; else they are equal
        assert got["image"].shape == want["image"].shape
        far = np.abs(got["image"].astype(int) - want["image"].astype(int)).max()
        assert far <= (bound.far if name == "safe, resized" else 0)
        np.testing.assert_array_equal(got["mask"], want["mask"])
        assert list(got["labels"]) == [int(k) for k in want["labels"]]
        assert list(got["names"]) == [int(k) for k in want["names"]]
        np.testing.assert_allclose(np.reshape(got["bboxes"], (-1, 4)), np.reshape(want["bboxes"], (-1, 4)), atol=1e-4)
        np.testing.assert_allclose(np.reshape(got["keypoints"], (-1, 2)), np.reshape(want["keypoints"], (-1, 2)), atol=1e-4)
        sizes.add((*got["image"].shape, got["image"].tobytes()))
    assert len(sizes) > 5 or name.endswith("nothing eroded"), "draws differ"


def test_masks_of_a_set_count_together():
    masks = [mask((3,)), mask((0, 0, 7))]
    augment = G.Compose([G.CropNonEmptyMaskIfExists(5, 5)], seed=1)
    seen = [0, 0]
    for i in range(40):
        out = augment(image=parity.stack(3, H, W, "china"), masks=masks, ids=i)["masks"]
        found = [bool(m.any()) for m in out]
        assert any(found)
        seen = [a + b for a, b in zip(seen, found)]
    assert min(seen) > 5
    batch = augment(image=np.zeros((3, H, W, 1), np.uint8), masks=[masks, masks[:1], [mask((0, 0, 7))]], ids=[1, 2, 3])["masks"]
    assert batch[1][0].any()
    assert batch[2][0].any()


def test_they_look_at_labels_behind_the_steps_before():
    image = np.zeros((H, W), np.uint8)
    image[5:9, 60:66] = 1
    flipped = G.Compose([G.HorizontalFlip(p=1), G.Pad((3, 4)), G.CropNonEmptyMaskIfExists(6, 8)], seed=1)
    for i in range(20):
        assert flipped(image=image, mask=image, ids=i)["mask"].any()
    boxes = G.Compose(
        [G.HorizontalFlip(p=1), G.Pad((3, 4)), G.BBoxSafeRandomCrop()], seed=1, bbox_params=G.BboxParams("pascal_voc")
    )
    for i in range(20):
        ((x0, y0, x1, y1),) = boxes(image=image, bboxes=[(60, 5, 66, 9)], ids=i)["bboxes"]
        assert (x1 - x0, y1 - y0) == (6, 4), "whole edges are kept whole"
    set_first = G.Compose([G.RandomRotate90(), G.CropNonEmptyMaskIfExists(6, 8)], seed=1)
    out = set_first(image=[image] * 9, masks=[[image, image]] * 9, ids=range(9))
    assert all(frame.any() for frames in out["masks"] for frame in frames)


@pytest.mark.parametrize("erosion", [0.0, 0.3, 0.9])
def test_a_box_is_in_the_window(erosion):
    augment = G.Compose(
        [G.AtLeastOneBBoxRandomCrop(30, 40, erosion)], seed=1, bbox_params=G.BboxParams("pascal_voc", ["k"], min_visibility=1e-3)
    )
    for i in range(60):
        out = augment(image=np.zeros((H, W), np.uint8), bboxes=[(0, 0, 4, 4), (70, 50, 83, 61)], k=[0, 1], ids=i)
        sizes = {0: (4, 4), 1: (13, 11)}
        shares = [min((x1 - x0) / sizes[k][0], (y1 - y0) / sizes[k][1]) for (x0, y0, x1, y1), k in zip(out["bboxes"], out["k"])]
        assert max(shares) >= 1 - erosion - 0.26 * (erosion > 0), "a side is cut to whole pixels: 1 of 4"


def test_a_place_is_drawn_alike_on_every_device():
    rng = np.random.default_rng(0)
    for density in (0, 1e-4, 0.01, 0.5, 1):
        seen = [rng.random((97, 131)) < density for _ in range(8)]
        u = np.array([0, 0.5, 1 - 2.0**-32, *rng.random(5)])
        want = [int(np.flatnonzero(s)[int(u_ * s.sum())]) if s.any() else -1 for s, u_ in zip(seen, u)]
        assert kth_of_each(seen, u).tolist() == want
        assert [int(kth_on_device(torch.from_numpy(s), float(u_))) for s, u_ in zip(seen, u)] == want
        assert kth_of_each([torch.from_numpy(s) for s in seen], u).tolist() == want
    assert kth_of_each([None, seen[0]], u[:2]).tolist()[0] == -1


def test_all_pixels_are_drawn_alike():
    """Chi-squared of 30 pixels, false alarm 1e-6."""
    seen = np.zeros((20, 30), bool)
    seen[7, :15] = seen[19, 15:] = True
    drawn = kth_of_each([seen] * 6000, np.random.default_rng(1).random(6000))
    counts = np.bincount(drawn, minlength=600)[seen.ravel()]
    assert counts.sum() == 6000
    assert ((counts - 200) ** 2 / 200).sum() < 86  # scipy.stats.chi2(29).isf(1e-6) = 85.4


def test_batches_and_single_samples_agree():
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (5, H, W, 3), np.uint8)
    boxes = [[tuple(b) for b in BOXES[:k]] for k in (0, 1, 2, 3, 1)]
    near = [(5 * k, 4 * k, 30 + 5 * k, 20 + 4 * k) for k in range(5)]
    some = (G.BBoxSafeRandomCrop(0.1, p=0.7), G.AtLeastOneBBoxRandomCrop(20, 30, p=0.7), G.RandomCropNearBBox(0.2, p=0.7))
    for transform in some:
        augment = G.Compose([transform], seed=5, bbox_params=G.BboxParams("pascal_voc"))
        more = {"cropping_bbox": near} if transform.reads else {}
        whole = augment(image=list(images), bboxes=boxes, ids=range(5), **more)
        for i in range(5):
            one = augment(image=images[i], bboxes=boxes[i], ids=i, **{name: value[i] for name, value in more.items()})
            np.testing.assert_array_equal(one["image"], whole["image"][i])
            assert one["bboxes"] == whole["bboxes"][i]
        if more:
            assert whole["cropping_bbox"] is near


def test_the_loader_brings_the_box_along():
    class Data:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return {"image": np.full((H, W, 3), i, np.uint8), "cropping_bbox": np.array([10, 10, 30, 30 + i]), "label": i}

    loader = G.DataLoader(Data(), batch_size=2, transform=G.Compose([G.RandomCropNearBBox((0, 0)), G.Resize(8, 8)]))
    for batch in loader:
        assert batch["image"].shape == (2, 3, 8, 8)


BOX_PARAMS = {"bbox_params": {"format": "pascal_voc"}}


@pytest.mark.parametrize(
    ("message", "run"),
    [
        ("needs mask= or masks=", lambda x: G.Compose([G.CropNonEmptyMaskIfExists(3, 3)])(image=x)),
        ("BBoxSafeRandomCrop needs bboxes=", lambda x: G.Compose([G.BBoxSafeRandomCrop()])(image=x)),
        ("RandomSizedBBoxSafeCrop needs bboxes=", lambda x: G.Compose([G.RandomSizedBBoxSafeCrop(4, 4)])(image=x)),
        ("AtLeastOneBBoxRandomCrop needs bboxes=", lambda x: G.Compose([G.AtLeastOneBBoxRandomCrop(4, 4)])(image=x)),
        ("RandomCropNearBBox needs cropping_bbox=", lambda x: G.Compose([G.RandomCropNearBBox()])(image=x)),
        (
            r"window of height 99, width 4 is larger than image 0 .*\(61, 83\)",
            lambda x: G.Compose([G.CropNonEmptyMaskIfExists(99, 4)])(image=x, mask=x),
        ),
        (
            "window of height 4, width 99 is larger than image 1",
            lambda x: G.Compose([G.AtLeastOneBBoxRandomCrop(4, 99)], **BOX_PARAMS)(
                image=[np.zeros((9, 99), np.uint8), x], bboxes=[[], []]
            ),
        ),
        (
            "cropping_bbox of sample 1, .* has no pixels in an image of height 61, width 83",
            lambda x: G.Compose([G.RandomCropNearBBox()])(image=[x, x], cropping_bbox=[(0, 0, 2, 2), (83, 0, 90, 2)]),
        ),
        (
            "cropping_bbox of sample 0 must be .* whole pixels, got",
            lambda x: G.Compose([G.RandomCropNearBBox()])(image=x, cropping_bbox=(0.5, 0, 2, 2)),
        ),
        (
            "cropping_bbox has entries for 1 samples, the batch has 2",
            lambda x: G.Compose([G.RandomCropNearBBox()])(image=[x, x], cropping_bbox=[(0, 0, 2, 2)]),
        ),
        ("erosion_rate must lie in", lambda x: G.BBoxSafeRandomCrop(1.5)),
        ("max_part_shift must be", lambda x: G.RandomCropNearBBox((0.5, 0.1))),
    ],
)
def test_errors(message, run):
    with pytest.raises(ValueError, match=message):
        run(np.zeros((H, W), np.uint8))

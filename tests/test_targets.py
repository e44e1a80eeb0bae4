"""Masks, boxes, keypoints and sets of images move with the image, as albumentations moves them."""

from __future__ import annotations

import albumentations as A
import numpy as np
import parity
import pytest
import torch
from albumentations.augmentations.dropout import functional as fdropout

import gpuaug as G
from gpuaug.label_params import reckoned
from gpuaug.transform import View

H, W = 40, 60
BOXES = [(0, 0, 10, 10), (5, 5, 50, 39), (20, 10, 30, 20), (58, 38, 60, 40)]
POINTS = [(0.0, 0.0, 30.0, 2.0), (59.0, 39.0, 0.0, 1.0), (12.25, 7.5, 200.0, 3.0), (30.0, 20.0, 359.0, 1.0)]


def image(seed=0, h=H, w=W, c=3):
    return np.random.default_rng(seed).integers(0, 256, (h, w, c), dtype=np.uint8)


PAIRS = [make for about in parity.ABOUT.values() if isinstance(about.marks, list) for make in about.marks]


@pytest.mark.parametrize("make", PAIRS)
@pytest.mark.parametrize("format", ["pascal_voc", "coco", "albumentations", "yolo"])
def test_boxes_as_albumentations(make, format):
    boxes = np.array(BOXES, np.float64)
    if format in ("coco", "yolo"):
        boxes[:, 2:] -= boxes[:, :2]
    if format == "yolo":
        boxes[:, :2] += boxes[:, 2:] / 2
    if format in ("albumentations", "yolo"):
        boxes /= [W, H, W, H]
    arguments = {"format": format, "label_fields": ["labels"], "min_visibility": 0.3, "min_area": 2.5}
    run = {"image": image(), "bboxes": boxes.tolist(), "labels": list("abcd")}
    want = A.Compose([make(A)], bbox_params=A.BboxParams(**arguments))(**run)
    got = G.Compose([make(G)], bbox_params=G.BboxParams(**arguments))(**run)  # of one step both geometries make the same
    assert got["labels"] == list(want["labels"])
    # albumentations keeps boxes as float32 fractions: 2^-24 of 90 pixels, a few operations; its points of an ellipse are within
    # 1 - cos(0.5 degrees) = 4e-5 of the radius of 25 pixels
    atol = (2e-3 if "ellipse" in repr(make(G)) else 1e-4) * (1 if format in ("coco", "pascal_voc") else 1 / 40)
    np.testing.assert_allclose(got["bboxes"], want["bboxes"], atol=atol)


@pytest.mark.parametrize("make", PAIRS)
@pytest.mark.parametrize("format", ["xy", "yx", "xyas"])
@pytest.mark.parametrize("remove", [True, False])
def test_keypoints_as_albumentations(make, format, remove):
    points = np.array(POINTS)[:, : 4 if format == "xyas" else 2]
    points = points[:, ::-1] if format == "yx" else points
    arguments = {"format": format, "label_fields": ["names"], "remove_invisible": remove}
    run = {"image": image(), "keypoints": points.copy(), "names": list("abcd")}
    theirs = A.Compose([make(A)], keypoint_params=A.KeypointParams(**arguments))
    want = theirs(**run)
    ours = G.Compose([make(G)], keypoint_params=G.KeypointParams(**arguments), label_geometry="albumentations")
    got = ours(**run)
    assert got["names"] == list(want["names"])
    a, b = np.asarray(got["keypoints"]), np.asarray(want["keypoints"])
    np.testing.assert_allclose(a[:, :2], b[:, :2], atol=1e-4)
    if format == "xyas":
        np.testing.assert_allclose(((a - b)[:, 2] + 180) % 360 - 180, 0, atol=1e-3)
        np.testing.assert_allclose(a[:, 3], b[:, 3], rtol=1e-5)


def test_angles_are_directions():
    """A second point in a keypoint's direction ends in the turned keypoint's direction."""
    for make in PAIRS:
        augment = G.Compose([make(G)], keypoint_params=G.KeypointParams("xya", remove_invisible=False))
        angle = np.deg2rad(70)
        points = [(20, 15, 70), (20 + np.cos(angle), 15 + np.sin(angle), 0)]
        (x0, y0, a), (x1, y1, _) = augment(image=image(), keypoints=points)["keypoints"]
        assert abs((np.rad2deg(np.arctan2(y1 - y0, x1 - x0)) - a + 180) % 360 - 180) < 1e-3


@pytest.mark.parametrize(
    "make",
    [
        lambda: G.RandomRotate90(p=1),
        lambda: G.Flip(p=1),
        lambda: G.RandomCrop(17, 23),
        lambda: G.RandomResizedCrop((31, 47)),
        lambda: G.PadIfNeeded(60, 70, position="random"),
        lambda: G.ShiftScaleRotate(p=1, interpolation=0, border_mode=0),
    ],
)
def test_random_geometry_moves_points_with_pixels(make):
    """One bright pixel, a keypoint on it and a box around it, over many samples."""
    n, size = 60, 48
    x = np.zeros((n, size, size, 1), np.uint8)
    at = np.random.default_rng(0).integers(6, size - 6, (n, 2))
    for i, (px, py) in enumerate(at):
        x[i, py - 1 : py + 2, px - 1 : px + 2] = 255
    augment = G.Compose([make()], seed=1, bbox_params=G.BboxParams("pascal_voc"), keypoint_params=G.KeypointParams("xy"))
    out = augment(image=x, keypoints=[[tuple(p)] for p in at], bboxes=[[(px - 1, py - 1, px + 2, py + 2)] for px, py in at])
    seen = 0
    for picture, points, boxes in zip(out["image"][..., 0], out["keypoints"], out["bboxes"]):
        ys, xs = np.nonzero(picture > 127)
        if len(xs) < 4 or not points:
            continue
        assert np.hypot(points[0][0] - xs.mean(), points[0][1] - ys.mean()) < 1.0
        if boxes:
            x0, y0, x1, y1 = boxes[0]
            assert x0 - 1 <= xs.min()
            assert xs.max() <= x1 + 1
            assert y0 - 1 <= ys.min()
            assert ys.max() <= y1 + 1
            seen += 1
    assert seen > 10


# ---- dropout -------------------------------------------------------------------------------------


def kept(boxes, params):
    """What the limits leave of the boxes, as a Compose applies them after every transform."""
    boxes, fit = params.keep(boxes, np.tile((H, W), (len(boxes), 1)))
    return boxes[fit]


def holes_of(transform, u, size=(H, W)):
    return transform.draw(u, View(np.tile(size, (len(u), 1)), 3, "uint8"))["holes"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: G.XYMasking(3, 3, (4, 9), (3, 8), p=1),
        lambda: G.CoarseDropout((3, 9), (0.1, 0.5), (0.1, 0.5), p=1),
        lambda: G.Erasing(p=1),
        lambda: G.GridDropout(p=1),
        lambda: G.GridDropout(unit_size_range=(5, 9), p=1),
    ],
)
@pytest.mark.parametrize("limits", [{}, {"min_visibility": 0.5}, {"min_area": 90}])
def test_boxes_and_points_under_holes(make, limits):
    transform = make()
    rng = np.random.default_rng(4)
    u = rng.random((40, transform.columns()))
    holes = holes_of(transform, u)
    params = G.BboxParams("pascal_voc", **limits)
    for i in range(40):
        low = rng.integers(0, (W - 8, H - 8), (8, 2))
        boxes = np.concatenate([low, np.minimum(low + rng.integers(1, 30, (8, 2)), (W, H))], 1)
        got, left = transform.boxes({"holes": holes}, np.full(8, i), boxes.astype(np.float64), np.tile((H, W), (8, 1)), params)
        keep = (left > 0) & (left >= params.min_visibility)
        real = holes[i][(holes[i][:, 2] > holes[i][:, 0]) & (holes[i][:, 3] > holes[i][:, 1])]
        want = fdropout.filter_bboxes_by_holes(boxes.astype(np.float64), real, (H, W), params.min_area, params.min_visibility)
        np.testing.assert_array_equal(kept(got[keep], params), kept(want, params))
        points = np.c_[rng.random((20, 2)) * (W, H), np.zeros((20, 2))]
        for geometry, half in (("pixels", 0.5), ("albumentations", 0.0)):  # theirs reckons from the edges of pixels
            rule = reckoned(G.KeypointParams("xy"), geometry)
            _, seen = transform.keypoints({"holes": holes}, np.full(20, i), points, None, rule)
            np.testing.assert_array_equal(points[seen] + half, fdropout.filter_keypoints_in_holes(points + half, real))
        assert (
            transform.keypoints({"holes": holes}, np.full(20, i), points, None, G.KeypointParams("xy", remove_invisible=False))[1]
            is None
        )


def test_boxes_between_pixels_keep_their_place():
    augment = G.Compose([G.XYMasking(1, 0, 5, 0, p=1)], seed=0, bbox_params=G.BboxParams("pascal_voc"))
    boxes = [(30.7, 0.25, 33.3, 39.5)]
    kept = [augment(image=image(), bboxes=boxes, ids=i)["bboxes"] for i in range(60)]
    assert sum(k == boxes for k in kept) > 30
    for k in kept:
        if k and k != boxes:
            assert k[0][1::2] == (0.25, 39.5)


@pytest.mark.parametrize("probability", [0.2, 0.9])
def test_boxes_and_points_under_lost_pixels(probability):
    boxes = [(0, 0, 10, 10), (5, 5, 50, 39), (20, 10, 24, 12)]
    params = {"format": "pascal_voc", "label_fields": ["k"], "min_visibility": 0.5}
    pixels = G.PixelDropout(probability, drop_value=255, p=1)
    augment = G.Compose([pixels], seed=1, bbox_params=G.BboxParams(**params), keypoint_params=G.KeypointParams("xy"))
    for i in range(10):
        out = augment(image=np.zeros((H, W, 3), np.uint8), bboxes=boxes, k=[0, 1, 2], keypoints=[(3, 3)], ids=i)
        lost = out["image"][..., 0] == 255
        # albumentations also counts the pixels of the line and column behind the box
        assert out["bboxes"] == [b for b in boxes if (~lost[b[1] : b[3], b[0] : b[2]]).mean() >= 0.5]
        assert out["keypoints"] == [(3, 3)]


def blobs():
    m = np.zeros((H, W), np.uint8)
    m[2:9, 3:30] = 1
    m[20:, 40:] = 2
    m[15, 15] = m[16, 16] = 1  # touch at a corner: one region
    m[30:33, 5:9], m[33:36, 5:9] = 1, 2  # two values that touch: two regions
    return m


def test_objects_of_the_mask():
    from gpuaug.regions import components

    labels, count = components(blobs())
    want, number = fdropout.label(blobs(), return_num=True)
    assert count == number == 5
    assert len(np.unique(np.stack([labels, want]).reshape(2, -1), axis=1).T) == 6, "the same partition"
    rng = np.random.default_rng(0)
    for shape in [(1, 1), (1, 50), (50, 1), (31, 47)]:
        for top in (2, 4):
            m = rng.integers(0, top, shape)
            labels, count = components(m)
            want, number = fdropout.label(m.astype(np.uint8), return_num=True)
            assert count == number
            assert len(np.unique(np.stack([labels, want]).reshape(2, -1), axis=1).T) == len(np.unique(labels))


@pytest.mark.parametrize("flip", [0, 1])
def test_mask_dropout(flip):
    """Whole objects vanish from image, mask, boxes and points; which ones depends on the mask as it is by then."""
    augment = G.Compose(
        [G.HorizontalFlip(p=flip), G.MaskDropout((1, 3), fill=(1, 2, 3), p=1)],
        seed=1,
        bbox_params=G.BboxParams("pascal_voc", ["k"]),
        keypoint_params=G.KeypointParams("xy", ["q"]),
    )
    counts, mask = set(), blobs()
    for i in range(30):
        out = augment(
            image=image(),
            mask=mask,
            bboxes=[(3, 2, 30, 9), (40, 20, 60, 40)],
            k=[1, 2],
            keypoints=[(15, 15), (0, 39)],
            q=["on", "off"],
            ids=i,
        )
        before, picture = (mask[:, ::-1], image()[:, ::-1]) if flip else (mask, image())
        lost = before != out["mask"]
        assert (out["mask"][lost] == 0).all()
        assert (out["image"][lost] == (1, 2, 3)).all()
        np.testing.assert_array_equal(out["image"][~lost], picture[~lost])
        label, _ = fdropout.label(before, return_num=True)
        gone = set(np.unique(label[lost]))
        counts.add(len(gone))
        assert all(lost[label == g].all() for g in gone), "objects vanish whole"
        unflipped = lost[:, ::-1] if flip else lost
        assert (2 in out["k"]) != unflipped[30, 50]
        assert ("on" in out["q"]) != unflipped[15, 15]
        assert "off" in out["q"]
    assert counts == {1, 2, 3}


def test_constrained_dropout_on_regions_and_boxes():
    mask = blobs()
    on_mask = G.Compose([G.ConstrainedCoarseDropout((2, 4), (0.3, 0.5), (0.2, 0.4), fill=9, mask_indices=[2], p=1)], seed=1)
    on_box = G.Compose(
        [G.HorizontalFlip(p=1), G.ConstrainedCoarseDropout((2, 4), (0.3, 0.5), (0.2, 0.4), fill=9, bbox_labels=["dog"], p=1)],
        seed=1,
        bbox_params=G.BboxParams("pascal_voc", ["k"]),
    )
    for i in range(20):
        x = np.zeros((H, W), np.uint8)
        hit = on_mask(image=x, mask=mask, ids=i)["image"] == 9
        assert hit.any()
        ys, xs = np.nonzero(hit)
        assert ((xs >= 35) | ((ys >= 32) & (xs < 12))).all(), "near a region of value 2"
        out = on_box(image=x, bboxes=[(0, 0, 20, 20), (30, 10, 50, 30)], k=["cat", "dog"], ids=i)
        ys, xs = np.nonzero(out["image"] == 9)
        assert len(xs)
        assert xs.min() >= 10
        assert xs.max() < 30
        assert ys.min() >= 10
        assert ys.max() < 30


# ---- sets of images ----------------------------------------------------------------------------------


def chain():
    return [
        G.HorizontalFlip(p=0.5),
        G.Affine(rotate=(-30, 30), p=0.7),
        G.XYMasking(2, 2, 5, 5, fill="random", fill_mask=7, p=0.8),
        G.GaussNoise(p=0.5),
        G.PixelDropout(0.1, p=0.5),
    ]


def test_all_frames_get_the_same():
    video = np.stack([image()] * 4)
    augment = G.Compose(chain(), seed=1)
    for i in range(8):
        out = augment(image=image(), images=video, ids=i)
        for frame in out["images"]:
            np.testing.assert_array_equal(frame, out["image"])
        np.testing.assert_array_equal(augment(images=video, ids=i)["images"], out["images"])


def test_batches_of_sets():
    videos = np.stack([[image(10 * i + j) for j in range(3)] for i in range(5)])
    augment = G.Compose(chain(), seed=1)
    ids = np.arange(5)
    whole = augment(images=videos, ids=ids)["images"]
    assert whole.shape == videos.shape
    for i in ids:
        np.testing.assert_array_equal(augment(images=videos[i], ids=i)["images"], whole[i])
    ragged = augment(images=[videos[0], list(videos[1][:2]), videos[2][:1]], ids=ids[:3])["images"]
    np.testing.assert_array_equal(ragged[0], whole[0])
    assert isinstance(ragged[1], list)
    np.testing.assert_array_equal(np.stack(ragged[1]), whole[1][:2])
    dense = augment.run({"images": torch.from_numpy(videos).permute(0, 1, 4, 2, 3)}, ids=ids)["images"]
    np.testing.assert_array_equal(dense.permute(0, 1, 3, 4, 2), whole)


def test_masks_of_one_sample_and_of_a_batch():
    masks = [blobs(), (blobs() == 2).astype(np.uint8)]
    augment = G.Compose(chain(), seed=1)
    for i in range(6):
        out = augment(image=image(), mask=masks[0], masks=masks, ids=i)
        np.testing.assert_array_equal(out["masks"][0], out["mask"])
        assert set(np.unique(out["masks"][1])) <= {0, 1, 7}
    batch = augment(image=np.stack([image()] * 3), masks=[masks, [], np.stack(masks)], ids=[3, 4, 5])["masks"]
    assert [len(m) for m in batch] == [2, 0, 2]
    np.testing.assert_array_equal(batch[2], np.stack(out["masks"]))
    assert augment(image=image(), masks=[])["masks"] == []


def test_sets_of_tensors():
    augment = G.Compose([G.HorizontalFlip(p=1), G.XYMasking(1, 1, 3, 3, fill_mask=1, p=1)], seed=1)
    video, labels = torch.rand(2, 5, 3, 20, 30), torch.zeros(2, 4, 20, 30, dtype=torch.int64)
    whole = augment(images=video, masks=labels, ids=[3, 4])
    assert whole["images"].shape == video.shape
    assert whole["masks"].dtype == torch.int64
    assert whole["masks"].sum() == 2 * 4 * (3 * 30 + 3 * 20 - 9)
    one = augment(images=video[1], masks=labels[1].bool(), ids=4)
    assert torch.equal(one["images"], whole["images"][1])
    assert one["masks"].dtype == torch.bool
    assert torch.equal(one["masks"], whole["masks"][1].bool())
    made = G.Compose([G.Normalize(), G.ToTensorV2()])
    tensors = made(image=image(), images=np.stack([image()] * 4), masks=np.zeros((4, H, W), np.uint8))
    assert tensors["images"].shape == (4, 3, H, W)
    assert tensors["masks"].shape == (4, H, W)


# ---- containers, fields, errors ----------------------------------------------------------------------


def test_containers_come_back_as_they_came():
    augment = G.Compose(
        [G.HorizontalFlip(p=1), G.CenterCrop(20, 20)],
        bbox_params=G.BboxParams("coco", ["a", "b"]),
        keypoint_params=G.KeypointParams("xy"),
    )
    boxes = [[0, 0, 5, 5, "kept column"], [20, 10, 10, 10, "x"], [30, 12, 4, 5, "y"]]
    out = augment(
        image=image(), bboxes=boxes, a=np.array([1, 2, 3]), b=torch.tensor([4, 5, 6]), keypoints=torch.tensor([[30.0, 20.0]])
    )
    assert out["bboxes"] == [[10.0, 0.0, 10.0, 10.0, "x"], [6.0, 2.0, 4.0, 5.0, "y"]]
    assert out["a"].tolist() == [2, 3]
    assert out["b"].tolist() == [5, 6]
    assert torch.equal(out["keypoints"], torch.tensor([[9.0, 10.0]]))
    assert boxes[0][0] == 0, "inputs are not written"
    array = augment(image=image(), bboxes=np.array([[20, 10, 10, 10]], np.float32), a=[1], b=[2], keypoints=np.zeros((0, 2)))
    assert array["bboxes"].dtype == np.float32
    assert array["keypoints"].shape == (0, 2)


def test_a_batch_is_its_samples():
    x = np.stack([image(i) for i in range(6)])
    boxes = [BOXES[: i % 5] for i in range(6)]
    points = [np.array(POINTS)[: (i + 2) % 5, :2] for i in range(6)]
    transforms = [*chain(), G.RandomCrop(30, 40), G.CoarseDropout((2, 5), p=0.7)]
    augment = G.Compose(
        transforms,
        seed=1,
        bbox_params=G.BboxParams("pascal_voc", ["k"], min_visibility=0.2),
        keypoint_params=G.KeypointParams("xy"),
    )
    whole = augment(image=x, bboxes=boxes, k=[list(range(len(b))) for b in boxes], keypoints=points, ids=np.arange(6))
    dense = augment.run(
        {"image": x, "bboxes": boxes, "k": [list(range(len(b))) for b in boxes], "keypoints": points}, ids=np.arange(6)
    )
    for i in range(6):
        one = augment(image=x[i], bboxes=boxes[i], k=list(range(len(boxes[i]))), keypoints=points[i], ids=i)
        for out in (whole, dense):
            assert out["bboxes"][i] == one["bboxes"]
            assert out["k"][i] == one["k"]
            np.testing.assert_array_equal(out["keypoints"][i], one["keypoints"])


class Unmoved(G.Transform, register=False):
    targets = ("image", "mask")

    def lower(self, to, rows, params):
        to.orient(rows, "hflip")


@pytest.mark.parametrize(
    ("message", "run"),
    [
        ("bboxes= needs bbox_params", lambda: G.Compose([])(image=image(), bboxes=[])),
        (
            "label_fields names 'k', which is not among",
            lambda: G.Compose([], bbox_params=G.BboxParams("coco", ["k"]))(image=image(), bboxes=[]),
        ),
        (
            "k has 1 entries for sample 0, which has 2 bboxes",
            lambda: G.Compose([], bbox_params=G.BboxParams("coco", ["k"]))(image=image(), bboxes=[[0, 0, 1, 1]] * 2, k=[1]),
        ),
        (
            "Unmoved does not move bboxes yet",
            lambda: G.Compose([G.OneOf([Unmoved(p=0.01), G.NoOp()])], bbox_params=G.BboxParams("coco"))(image=image(), bboxes=[]),
        ),
        (
            "Unmoved does not move keypoints yet",
            lambda: G.Compose([Unmoved(p=0.01)], keypoint_params=G.KeypointParams("xy"))(image=image(), keypoints=[]),
        ),
        (
            "box 1 of sample 0, .* reaches out of its image",
            lambda: G.Compose([], bbox_params=G.BboxParams("pascal_voc"))(image=image(), bboxes=[[0, 0, 1, 1], [50, 0, 70, 10]]),
        ),
        (
            "box 0 of sample 1, .* must have x0 < x1",
            lambda: G.Compose([], bbox_params=G.BboxParams("pascal_voc"))(
                image=np.stack([image()] * 2), bboxes=[[], [[5, 5, 5, 9]]]
            ),
        ),
        (
            "keypoint 0 of sample 0 at x 60, y 3 lies outside",
            lambda: G.Compose([], keypoint_params=G.KeypointParams("xy"))(image=image(), keypoints=[(60, 3)]),
        ),
        (
            "bboxes 0 of sample 0 holds .*nan.*: coordinates must be finite",
            lambda: G.Compose([], bbox_params=G.BboxParams("coco"))(image=image(), bboxes=[[0, 0, np.nan, 3]]),
        ),
        (
            "rows of at least 4 numbers",
            lambda: G.Compose([], bbox_params=G.BboxParams("coco"))(image=image(), bboxes=[[0, 0, 3]]),
        ),
        (
            "bboxes has entries for 1 samples, the batch has 2",
            lambda: G.Compose([], bbox_params=G.BboxParams("coco"))(image=np.stack([image()] * 2), bboxes=[[]]),
        ),
        ("MaskDropout needs mask=", lambda: G.Compose([G.MaskDropout(p=1)])(image=image())),
        (
            "ConstrainedCoarseDropout needs bboxes=",
            lambda: G.Compose([G.ConstrainedCoarseDropout(bbox_labels=[1], p=1)])(image=image()),
        ),
        ("needs mask_indices or bbox_labels", lambda: G.ConstrainedCoarseDropout()),
        ("images 1 is .*but image 0 is", lambda: G.Compose([])(image=image(), images=[image(), image(h=9)])),
        ("masks has 1 samples, image has 2", lambda: G.Compose([])(image=np.stack([image()] * 2), masks=[[blobs()]])),
        ("images of sample 1 is empty", lambda: G.Compose([])(images=[np.stack([image()]), []])),
        ("needs image=, images= or volume=", lambda: G.Compose([])(mask=blobs())),
        ("strict=True: 'labels' is no target", lambda: G.Compose([], strict=True)(image=image(), labels=[1])),
        ("unknown target 'labels'", lambda: G.Compose([]).run({"image": [image()], "labels": [1]}, ids=[0])),
        (
            "channel_drop_range .3, 3. would drop all of 3 channels",
            lambda: G.Compose([G.ChannelDropout((3, 3), p=1)])(image=image()),
        ),
        (
            "unit_size_range .5, 50. is out of valid range .2, 40.",
            lambda: G.Compose([G.GridDropout(unit_size_range=(5, 50), p=1)])(image=image()),
        ),
        ("mask_drop_value must be None with per_channel", lambda: G.PixelDropout(per_channel=True, mask_drop_value=0)),
    ],
)
def test_errors(message, run):
    with pytest.raises(ValueError, match=message):
        run()


def test_invalid_boxes_can_be_clipped_and_dropped():
    boxes = [[-5, 0, 10, 10], [5, 5, 5, 9], [50, 30, 70, 90]]
    out = G.Compose([], bbox_params=G.BboxParams("pascal_voc", clip=True, filter_invalid_bboxes=True))(
        image=image(), bboxes=boxes
    )
    assert out["bboxes"] == [[0, 0, 10, 10], [50, 30, 60, 40]]


def test_explain_without_data():
    steps = [
        G.MaskDropout(p=1),
        G.ConstrainedCoarseDropout(bbox_labels=[1], p=1),
        G.ConstrainedCoarseDropout(mask_indices=[1], p=1),
        G.XYMasking(1, 1, 5, 5, p=1),
    ]
    assert "XYMasking" in G.Compose(steps, bbox_params=G.BboxParams("coco")).explain((40, 60))


def test_limits_hang_on_no_neighbour():
    """A box is looked at behind the steps that its own sample took, and, as in albumentations, behind the first transform."""
    image, boxes = np.zeros((20, 20, 3), np.uint8), np.array([[1, 1, 4, 4.0]])
    for first in (
        G.HorizontalFlip(p=0.5),
        G.RandomCrop(18, 18, p=0.5),
        G.Rotate(p=0.5),
        G.OneOf([G.VerticalFlip(), G.Blur()], p=0.6),
    ):
        compose = G.Compose([first, G.Resize(80, 80)], seed=1, bbox_params=G.BboxParams("pascal_voc", min_area=50))
        whole = compose(image=[image] * 8, bboxes=[boxes] * 8, ids=range(8))["bboxes"]
        assert [len(b) for b in whole] == [len(compose(image=image, bboxes=boxes, ids=[i])["bboxes"]) for i in range(8)]
    for transforms, left in (
        (lambda L: [L.HorizontalFlip(p=0), L.Resize(80, 80)], 0),
        (lambda L: [L.HorizontalFlip(p=1), L.Resize(80, 80)], 0),
        (lambda L: [L.Blur(p=1), L.Resize(80, 80)], 0),
        (lambda L: [L.Resize(80, 80)], 1),
    ):
        for library in (G, A):
            compose = library.Compose(transforms(library), bbox_params=library.BboxParams("pascal_voc", min_area=50))
            assert len(compose(image=image, bboxes=boxes)["bboxes"]) == left


@pytest.mark.parametrize(
    "make", [lambda: G.PiecewiseAffine(p=1), lambda: G.ElasticTransform(p=1), lambda: G.OpticalDistortion(p=1)]
)
def test_points_hang_on_no_neighbour(make):
    """Newton's steps for one point end when it is found, whoever else is looked for."""
    rng = np.random.default_rng(0)
    images = [np.zeros((64, 64, 3), np.uint8), np.zeros((1, 7, 3), np.uint8)]
    boxes = [np.sort(rng.uniform(0, 1, (6, 2, 2)), 1).reshape(6, 4) * [w, h, w, h] for h, w in ((64, 64), (1, 7))]
    points = [rng.uniform(0, 1, (6, 2)) * [w - 1, h - 1] for h, w in ((64, 64), (1, 7))]
    for seed in range(5):
        params = {"bbox_params": G.BboxParams("pascal_voc"), "keypoint_params": G.KeypointParams("xy")}
        compose = G.Compose([make()], seed=seed, **params)
        both = compose(image=images, bboxes=boxes, keypoints=points, ids=[0, 1])
        alone = compose(image=images[0], bboxes=boxes[0], keypoints=points[0], ids=[0])
        for name in ("bboxes", "keypoints"):
            np.testing.assert_array_equal(both[name][0], alone[name])

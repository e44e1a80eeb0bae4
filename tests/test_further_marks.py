"""Further sets of boxes and keypoints, with params and labels of their own."""

from __future__ import annotations

import numpy as np
import pytest

import gpuaug as G

H, W = 40, 60
BOXES = [(0, 0, 10, 10), (5, 5, 50, 39)]
PARTS = {"parts": G.BboxParams("coco")}
POINTS = [(12.0, 7.0), (58.0, 20.0)]


class Unmoved(G.Transform, register=False):
    targets = ("image", "mask")

    def lower(self, to, rows, params):
        to.orient(rows, "hflip")


def image():
    return np.zeros((H, W, 3), np.uint8)


def test_each_set_is_as_if_it_were_the_only_one():
    steps = [G.HorizontalFlip(p=0.5), G.RandomCrop(30, 40), G.Rotate(30, border_mode=4, p=0.7)]
    parts = {"format": "coco", "label_fields": ["kinds"], "min_visibility": 0.4}
    hands = {"format": "yx", "label_fields": ["sides"], "remove_invisible": False}
    both = G.Compose(
        steps,
        seed=1,
        bbox_params=G.BboxParams("pascal_voc", ["labels"]),
        keypoint_params=G.KeypointParams("xy", ["names"]),
        additional_targets={"parts": G.BboxParams(**parts), "hands": G.KeypointParams(**hands), "other": "keypoints"},
    )
    main = G.Compose(steps, seed=1, bbox_params=G.BboxParams("pascal_voc", ["labels"]))
    alone = G.Compose(steps, seed=1, bbox_params=G.BboxParams(**parts), keypoint_params=G.KeypointParams(**hands))
    small = [(x, y, 9, 7) for x in range(0, 50, 10) for y in range(0, 30, 10)]
    turned = [(y, x) for x, y in POINTS]
    for i in range(12):
        data = {"image": image(), "ids": i}
        out = both(
            **data,
            bboxes=BOXES,
            labels=["a", "b"],
            parts=small,
            kinds=list(range(len(small))),
            keypoints=POINTS,
            names=["p", "q"],
            hands=turned,
            sides=["l", "r"],
            other=[(3.0, 4.0, "here")],
        )
        first = main(**data, bboxes=BOXES, labels=["a", "b"])
        want = alone(**data, bboxes=small, kinds=list(range(len(small))), keypoints=turned, sides=["l", "r"])
        assert (out["bboxes"], out["labels"]) == (first["bboxes"], first["labels"])
        assert (out["parts"], out["kinds"]) == (want["bboxes"], want["kinds"])
        assert (out["hands"], out["sides"]) == (want["keypoints"], want["sides"])
        assert all(row[2] == "here" for row in out["other"])


def test_batches_and_absent_sets():
    augment = G.Compose([G.HorizontalFlip(p=1)], additional_targets={"parts": G.BboxParams("pascal_voc", ["kinds"])})
    out = augment(image=np.stack([image()] * 2), parts=[BOXES, []], kinds=[["a", "b"], []])
    assert out["parts"] == [[(50, 0, 60, 10), (10, 5, 55, 39)], []]
    assert out["kinds"] == [["a", "b"], []]
    assert augment(image=image()).keys() == {"image"}


def test_the_loader_moves_them():
    class Data:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return {"image": image(), "parts": np.array(BOXES[: 1 + i % 2], np.float32), "kinds": list(range(1 + i % 2))}

    augment = G.Compose([G.HorizontalFlip(p=1)], additional_targets={"parts": G.BboxParams("pascal_voc", ["kinds"])})
    for batch in G.DataLoader(Data(), batch_size=2, transform=augment):
        np.testing.assert_allclose(batch["parts"][0], [(50, 0, 60, 10)])
        assert [len(kinds) for kinds in batch["kinds"]] == [1, 2]


@pytest.mark.parametrize(
    ("message", "run"),
    [
        (
            "additional_targets.'parts'. is 'bboxes', which needs bbox_params=",
            lambda: G.Compose([], additional_targets={"parts": "bboxes"}),
        ),
        ("additional_targets.'parts'. must be one of 'image'", lambda: G.Compose([], additional_targets={"parts": "boxes"})),
        (
            "additional_targets.'parts'..label_fields names 'kinds', which is not among",
            lambda: G.Compose([], additional_targets={"parts": G.BboxParams("coco", ["kinds"])})(image=image(), parts=[]),
        ),
        (
            "Unmoved does not move bboxes yet; leave parts=",
            lambda: G.Compose([Unmoved()], additional_targets={"parts": G.BboxParams("coco")})(image=image(), parts=[]),
        ),
        (
            "parts has entries for 1 samples, the batch has 2",
            lambda: G.Compose([], additional_targets=PARTS)(image=np.stack([image()] * 2), parts=[[]]),
        ),
    ],
)
def test_errors(message, run):
    with pytest.raises(ValueError, match=message):
        run()

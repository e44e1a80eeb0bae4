"""Masks of single objects are dropped together with their boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gpuaug as G

H, W = 40, 60
BOXES = [(2, 3, 12, 13), (30, 5, 50, 25), (20, 28, 28, 38)]


def masks(boxes=BOXES) -> np.ndarray:
    out = np.zeros((len(boxes), H, W), np.uint8)
    for mask, (x0, y0, x1, y1) in zip(out, boxes):
        mask[y0:y1, x0:x1] = 1
    return out


def image():
    return np.zeros((H, W, 3), np.uint8)


def compose(*steps, **limits):
    return G.Compose(list(steps), seed=1, bbox_params=G.BboxParams("pascal_voc", ["k"], instance_masks="masks", **limits))


@pytest.mark.parametrize("container", [lambda m: m, list, torch.from_numpy])
def test_every_mask_is_its_boxes(container):
    augment, seen = compose(G.HorizontalFlip(p=0.5), G.RandomCrop(25, 35), check_each_transform=False), set()
    for i in range(20):
        given = container(masks())
        layout = {"image": image()} if not isinstance(given, torch.Tensor) else {"image": torch.zeros(3, H, W)}
        out = augment(masks=given, bboxes=BOXES, k=[0, 1, 2], ids=i, **layout)
        assert isinstance(out["masks"], type(given))
        assert len(out["masks"]) == len(out["bboxes"])
        for mask, (x0, y0, x1, y1) in zip(out["masks"], out["bboxes"]):
            ys, xs = np.nonzero(np.asarray(mask))
            assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (x0, y0, x1, y1)
        seen.add(len(out["k"]))
    assert len(seen) > 2


def test_batches():
    augment, n = compose(G.RandomCrop(25, 35, p=0.7), min_visibility=0.3), 12
    single = [augment(image=image(), masks=masks(), bboxes=BOXES, k=[0, 1, 2], ids=i) for i in range(n)]
    data = {"image": [image()] * n, "bboxes": [BOXES] * n, "k": [[0, 1, 2]] * n, "ids": range(n)}
    for given in ([masks()] * n, [list(masks())] * n):
        out = augment(masks=given, **data)
        for i in range(n):
            np.testing.assert_array_equal(out["masks"][i], single[i]["masks"])
            assert out["k"][i] == single[i]["k"]
    twice = {"bboxes": [BOXES] * 2, "k": [[0, 1, 2]] * 2}
    flip = compose(G.HorizontalFlip(p=1))
    whole = flip(image=np.stack([image()] * 2), masks=np.stack([masks()] * 2), **twice)
    assert whole["masks"].shape == (2, 3, H, W)
    dense = flip.run({"image": torch.zeros(2, 3, H, W), "masks": [torch.from_numpy(masks())] * 2, **twice}, ids=[3, 4])
    np.testing.assert_array_equal(dense["masks"], whole["masks"])


def test_none_is_left():
    out = compose(G.Crop(52, 0, 60, 40))(image=image(), masks=masks(), bboxes=BOXES, k=[0, 1, 2])
    assert out["masks"].shape == (0, 40, 8)
    assert out["bboxes"] == []


@pytest.mark.parametrize(
    ("message", "targets"),
    [
        ("masks has 2 masks for sample 0, which has 3 bboxes", {"masks": masks()[:2]}),
        ("instance_masks of bboxes names 'masks', which is not among the targets", {}),
    ],
)
def test_errors(message, targets):
    with pytest.raises(ValueError, match=message):
        compose()(image=image(), bboxes=BOXES, k=[0, 1, 2], **targets)


def hulls(masks) -> list[tuple]:
    places = [np.nonzero(mask) for mask in masks]
    return [(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) for ys, xs in places]


@pytest.mark.parametrize("container", [lambda m: m, list, torch.from_numpy, lambda m: m[..., None]])
@pytest.mark.parametrize(
    "step",
    [
        G.RandomGridShuffle((4, 4), p=1),
        G.ShiftScaleRotate(scale_limit=(-0.6, -0.6), rotate_limit=(0, 0), shift_limit=(0.2, 0.2), border_mode=4, p=1),
        G.PadIfNeeded(60, 90, border_mode=2, p=1),
    ],
    ids=lambda step: type(step).__name__,
)
def test_what_lies_in_each_of_several(container, step):
    """Boxes of a shuffle or a mirror: what is in their masks is theirs alone, and nothing is lost."""
    given, tensor = container(masks()), container is torch.from_numpy
    picture = {"image": torch.zeros(3, H, W) if tensor else image()}
    out = compose(step)(masks=given, bboxes=BOXES, k=[0, 1, 2], ids=3, **picture)
    whole = G.Compose([step], seed=1)(masks=given, ids=3, **picture)["masks"]
    assert len(out["masks"]) == len(out["bboxes"]) > len(BOXES)
    found = np.stack([np.asarray(mask) for mask in out["masks"]])
    found = found[..., 0] if found.ndim == 4 else found
    for got, box in zip(hulls(found), out["bboxes"]):
        np.testing.assert_allclose(got, box, atol=1.01)  # of a resized mask, whose pixels are nearest ones
    for k in range(3):
        mine = found[np.asarray(out["k"]) == k]
        np.testing.assert_array_equal(mine.any(0), np.asarray(whole[k]).reshape(mine.shape[1:]) > 0)

"""Mosaic with what belongs to single objects: their masks, oriented boxes, and what a loader carries beside the boxes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

import gpuaug as G

H, W = 40, 50
CORNERS = np.array([[3, 4, 18, 17], [22, 5, 47, 15], [6, 21, 30, 37]])


def sample(i: int, masks: bool = True) -> dict:
    """Two or three objects that do not meet, drawn with numbers of their own."""
    n = 2 + i % 2
    image, own = np.zeros((H, W, 3), np.uint8), np.zeros((n, H, W), np.uint8)
    for k, (x0, y0, x1, y1) in enumerate(CORNERS[:n]):
        own[k, y0:y1, x0:x1] = number(f"{i}.{k}")
        image[y0:y1, x0:x1] = number(f"{i}.{k}")
    found = {"image": image, "bboxes": CORNERS[:n].astype(np.float32), "labels": [f"{i}.{k}" for k in range(n)]}
    return found | ({"masks": own} if masks else {})


def number(label: str) -> int:
    i, k = map(int, label.split("."))
    return 1 + k + 10 * i


def pipeline(*transforms, **more):
    boxes = {"format": "pascal_voc", "label_fields": ["labels"], "instance_masks": "masks", **more}
    return G.Compose(transforms, bbox_params=G.BboxParams(**boxes), seed=1)


def mosaic(*size, p=1.0, grid=(2, 2), **more):
    return G.Mosaic(grid, size or (H, W), (H, W), interpolation=0, p=p, **more)


STEPS = {
    "alone": [mosaic()],
    "between": [G.HorizontalFlip(p=0.5), G.InvertImg(p=0), mosaic(), G.VerticalFlip(p=0.5)],
    "for some": [G.HorizontalFlip(p=1), mosaic(p=0.5)],
    "twice": [mosaic(), mosaic(grid=(1, 2))],
    "cropped": [mosaic(), G.CenterCrop(20, 24)],
    "filled": [mosaic(fill_mask=7)],
}


@pytest.mark.parametrize("brought", [False, True], ids=["of the batch", "brought"])
@pytest.mark.parametrize("steps", STEPS)
def test_every_box_has_its_own_mask(steps, brought):
    """Each mask is where the image shows its object, and the box is around it."""
    items, more = [sample(i) for i in range(4)], {}
    if brought:
        more["mosaic_metadata"] = [[sample(4 + i), sample(8 + i)][: i % 3] for i in range(4)]
    out = pipeline(*STEPS[steps])(**{name: [item[name] for item in items] for name in items[0]}, **more, ids=range(4))
    seen = 0
    for image, masks, boxes, labels in zip(out["image"], out["masks"], out["bboxes"], out["labels"]):
        assert masks.shape == (len(boxes), *image.shape[:2])
        for label in set(labels):
            mine = [mask for mask, other in zip(masks, labels) if other == label]
            np.testing.assert_array_equal(np.max(mine, 0), np.where(image[..., 0] == number(label), number(label), 0))
        for mask, box in zip(masks, boxes):
            y, x = np.nonzero(mask)
            assert [x.min(), y.min(), x.max() + 1, y.max() + 1] == box.tolist()
            seen += 1
    assert seen > 5


def test_containers_of_masks_stay():
    """A list for a list, tensors for tensors, none for none; and one sample."""
    item = sample(1)
    listed = {**item, "masks": list(item["masks"])}
    out = pipeline(mosaic())(**listed, mosaic_metadata=[{**sample(3), "masks": list(sample(3)["masks"])}], ids=[3])
    assert isinstance(out["masks"], list)
    assert all(isinstance(mask, np.ndarray) and mask.shape == (H, W) for mask in out["masks"])
    tensors = {**item, "image": torch.from_numpy(item["image"]).permute(2, 0, 1), "masks": torch.from_numpy(item["masks"])}
    out = pipeline(mosaic())(**tensors, mosaic_metadata=[tensors], ids=[3])
    assert isinstance(out["masks"], torch.Tensor)
    assert out["masks"].shape == (len(out["bboxes"]), H, W)
    none = {**item, "bboxes": np.zeros((0, 4), np.float32), "labels": [], "masks": item["masks"][:0]}
    out = pipeline(mosaic(30, 20))(**none, mosaic_metadata=[none])
    assert out["masks"].shape == (0, 30, 20)


def test_sets_that_are_not_of_boxes_are_refused():
    with pytest.raises(ValueError, match=r"not sets of them \(masks=\).*instance_masks='masks'"):
        pipeline(mosaic(), instance_masks=None)(**sample(1), mosaic_metadata=[sample(2)])


# ---- oriented boxes ---------------------------------------------------------------------------

TURNED = np.array([[8, 8, 26, 18, 30], [24, 20, 44, 32, 100]], np.float64)  # x0, y0, x1, y1 and degrees


def turned(i: int) -> dict:
    image = np.zeros((H, W, 3), np.uint8)
    for k, (x0, y0, x1, y1, angle) in enumerate(TURNED):
        corners = cv2.boxPoints((((x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5), (x1 - x0, y1 - y0), angle))
        cv2.fillPoly(image, [np.rint(corners * 16).astype(np.int32)], (number(f"{i}.{k}"),) * 3, shift=4)
    return {"image": image, "bboxes": TURNED.copy(), "labels": [f"{i}.{k}" for k in range(2)]}


def test_oriented_boxes_lie_on_what_is_shown():
    compose = pipeline(G.HorizontalFlip(p=0.5), mosaic(), bbox_type="obb", instance_masks=None)
    items = [turned(i) for i in range(6)]
    out = compose(**{name: [item[name] for item in items] for name in items[0]}, ids=range(6))
    seen = 0
    for image, boxes, labels in zip(out["image"], out["bboxes"], out["labels"]):
        shown = {label: image[..., 0] == number(label) for label in set(labels)}
        assert {*np.unique(image).tolist()} - {0} <= {number(label) for label in labels}  # none is without its box
        for label, there in shown.items():
            covered = np.zeros((H, W), np.uint8)
            for (x0, y0, x1, y1, angle), other in zip(boxes, labels):
                if other == label:
                    corners = cv2.boxPoints((((x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5), (x1 - x0, y1 - y0), angle))
                    cv2.fillPoly(covered, [np.rint(corners * 16).astype(np.int32)], 1, shift=4)
                    assert sorted(np.round([x1 - x0, y1 - y0], 6)) in ([10, 18], [12, 20])
            if there.sum() < 20:  # a corner that a cell shows
                continue
            inside = cv2.erode(there.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            assert covered[inside].all()
            seen += 1
    assert seen > 12


def test_what_a_cell_hides_of_an_oriented_box_is_not_visible():
    """A box of which the cell shows a quarter, by hand, as `test_mosaic.test_min_visibility_counts_what_the_cells_cut_off`."""
    image = np.zeros((90, 100, 3), np.uint8)
    for least, left in ((0.2, 2), (0.3, 0)):
        compose = pipeline(
            G.Mosaic((1, 2), (45, 100), (90, 100), (0.5, 0.5), p=1), bbox_type="obb", instance_masks=None, min_visibility=least
        )
        out = compose(image=[image] * 2, bboxes=[[[0, 0, 100, 90, 0]]] * 2, labels=[[1]] * 2)
        assert [len(boxes) for boxes in out["bboxes"]] == [left] * 2


# ---- in the loader ----------------------------------------------------------------------------


class Objects(Dataset):
    """Samples whose boxes have areas beside them, which no label field names."""

    def __init__(self, masks: bool, brought: bool):
        self.masks, self.brought = masks, brought

    def __len__(self):
        return 4

    def __getitem__(self, i):
        item = self.of(i)
        return item | {"mosaic_metadata": [self.of(i + 4), self.of(i + 8)]} if self.brought else item

    def of(self, i):
        item = sample(i, self.masks)
        return item | {"area": np.array([number(label) for label in item["labels"]])}


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("brought", [False, True], ids=["of the batch", "brought"])
@pytest.mark.parametrize("masks", [False, True], ids=["boxes", "masks"])
def test_a_loader_carries_what_goes_with_boxes(masks, brought, workers):
    compose = pipeline(mosaic(), instance_masks="masks" if masks else None)
    for batch in G.DataLoader(Objects(masks, brought), 2, transform=compose, device="cpu", num_workers=workers):
        for i in range(2):
            wanted = [number(label) for label in batch["labels"][i]]
            assert batch["area"][i].tolist() == wanted
            if masks:
                assert [int(mask.max()) for mask in batch["masks"][i]] == wanted
            if brought:
                assert len(batch["mosaic_metadata"][i][0]["bboxes"])


def test_a_brought_sample_without_what_goes_with_its_boxes_is_an_error():
    class Lacking(Objects):
        def __getitem__(self, i):
            item = super().__getitem__(i)
            return item | {"mosaic_metadata": [sample(i + 4, False)]}

    with pytest.raises(ValueError, match="an item has 2 boxes and none of 'area'"):
        next(iter(G.DataLoader(Lacking(False, True), 2, transform=pipeline(mosaic(), instance_masks=None), device="cpu")))


def test_a_loader_drops_masks_once():
    """The transform drops them with their boxes (`instance_masks`); the loader did so again."""

    class Apart(Objects):
        def of(self, i):
            return super().of(i) | {"bboxes": np.array([[0, 0, 5, 5], [20, 10, 30, 35], [1, 2, 30, 30]], np.float32)[: 2 + i % 2]}

    batch = next(iter(G.DataLoader(Apart(True, False), 2, transform=pipeline(G.CenterCrop(24, 30)), device="cpu")))
    for i in range(2):
        assert batch["area"][i].tolist() == [number(label) for label in batch["labels"][i]]
        assert len(batch["masks"][i]) == len(batch["bboxes"][i]) == 1 + i

"""Oriented boxes follow the pixels of the rectangles that they stand for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import gpuaug as G
from gpuaug.oriented import corners, inside

H, W = 121, 151
BOXES = [(40, 50, 80, 70, 25.0), (70, 30, 90, 80, -50.0), (60, 60, 75, 66, 170.0)]
MOVES = {
    "flip": lambda: G.HorizontalFlip(p=1),
    "transpose": lambda: G.Transpose(p=1),
    "turn": lambda: G.RandomRotate90(),
    "square": lambda: G.D4(),
    "crop": lambda: G.Crop(10, 12, 140, 115),
    "pad": lambda: G.Pad((5, 9)),
    "affine": lambda: G.Affine(scale=(0.8, 1.1), keep_ratio=True, rotate=(-60, 60), translate_px=(-9, 9), p=1),
    "rotate": lambda: G.Rotate(90, p=1),
    "scale": lambda: G.LongestMaxSize(120),
}


def filled(box, size=(H, W)) -> np.ndarray:
    """The pixels whose centres lie in a turned rectangle, smoothly: its corners by OpenCV."""
    x0, y0, x1, y1, angle = box
    at = cv2.boxPoints((((x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5), (x1 - x0, y1 - y0), angle))
    out = np.zeros(size, np.float32)
    cv2.fillConvexPoly(out, np.rint(at * 16).astype(np.int32), 1.0, cv2.LINE_8, 4)
    return out


@pytest.mark.parametrize("name", MOVES)
def test_the_box_is_where_its_rectangle_is(name):
    """Overlap of the moved picture and the moved box, drawn by OpenCV: a rim of half a pixel of 20 x 40 is 8 % at most."""
    compose = G.Compose([MOVES[name]()], seed=3, bbox_params=G.BboxParams("pascal_voc", ["k"], bbox_type="obb"))
    for i, box in enumerate(BOXES * 3):
        out = compose(image=filled(box)[..., None], bboxes=[box], k=[7], ids=i)
        (moved,), picture = out["bboxes"], out["image"][..., 0] > 0.5
        drawn = filled(moved, picture.shape) > 0.5
        thin = min(box[2] - box[0], box[3] - box[1])
        assert (picture & drawn).sum() / (picture | drawn).sum() > 1 - 3.2 / thin
        assert abs(picture.sum() - (moved[2] - moved[0]) * (moved[3] - moved[1])) < 0.3 * picture.sum()


def test_angles_are_directions_of_the_upper_side():
    compose = G.Compose([G.Rotate((30, 30), p=1)], bbox_params=G.BboxParams("pascal_voc", bbox_type="obb"))
    (box,) = compose(image=np.zeros((H, W), np.uint8), bboxes=[(50, 50, 90, 70, 10.0)])["bboxes"]
    np.testing.assert_allclose(box[4], 340, atol=1e-6)  # counter-clockwise by 30, angles going clockwise
    np.testing.assert_allclose([box[2] - box[0], box[3] - box[1]], [40, 20], atol=1e-6)


@pytest.mark.parametrize("format", ["pascal_voc", "coco", "albumentations", "yolo"])
def test_without_a_transform_boxes_stay(format):
    boxes = np.array(BOXES)
    if format in ("coco", "yolo"):
        boxes[:, 2:4] -= boxes[:, :2]
    if format == "yolo":
        boxes[:, :2] += boxes[:, 2:4] / 2
    if format in ("albumentations", "yolo"):
        boxes[:, :4] /= [W, H, W, H]
    out = G.Compose([], bbox_params=G.BboxParams(format, bbox_type="obb"))(image=np.zeros((H, W), np.uint8), bboxes=boxes)
    want = boxes.copy()
    want[:, 4] %= 360
    np.testing.assert_allclose(out["bboxes"], want, atol=1e-9)


def test_what_is_visible_is_counted_exactly():
    at = corners(np.array([[0.0, 30, 40, 20, np.pi / 4]]))[0]
    assert abs(inside(at, (100, 100)) - 400) < 1e-9  # half of it
    for limit, number in ((0.45, 1), (0.55, 0)):
        params = G.BboxParams("pascal_voc", bbox_type="obb", min_visibility=limit)
        out = G.Compose([G.Crop(60, 0, 150, 120)], bbox_params=params)(
            image=np.zeros((H, W), np.uint8), bboxes=[(40, 40, 80, 60, 45.0)]
        )
        assert len(out["bboxes"]) == number


def test_reflections_and_bad_boxes():
    params = G.BboxParams("pascal_voc", bbox_type="obb")
    out = G.Compose([G.Pad((30, 0, 0, 0), border_mode=2)], bbox_params=params)(
        image=np.zeros((H, W), np.uint8), bboxes=[(10, 40, 20, 50, 20.0)]
    )["bboxes"]
    np.testing.assert_allclose(out, [(10, 40, 20, 50, 160), (40, 40, 50, 50, 20)], atol=1e-9)
    with pytest.raises(ValueError, match="box 0 of sample 0 has width 0 and height 5 pixels"):
        G.Compose([], bbox_params=params)(image=np.zeros((H, W), np.uint8), bboxes=[(3, 3, 3, 8, 0)])

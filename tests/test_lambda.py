"""Lambda: functions of a caller, as albumentations 1.x and 2.x take them."""

from __future__ import annotations

import pickle
import warnings

import albumentations as A
import chains
import numpy as np
import pytest

import gpuaug as G

IMAGES = np.random.default_rng(3).integers(0, 256, (4, 20, 30, 3), np.uint8)
BOXES = {"bbox_params": G.BboxParams("pascal_voc", label_fields=["labels"])}


def half(image, **params):
    return image[:, : params["shape"][1] // 2]


def left(rows, **_):
    rows = np.array(rows)[rows[:, 0] < 0.5]
    rows[:, [0, 2]] *= 2
    return rows.clip(0, [1, 1, 1, 1, 99])


def noisy(image, **_):
    return image + np.random.randint(0, 9, image.shape).astype(image.dtype)  # noqa: NPY002


def test_rows_are_albumentations():
    """Boxes as fractions and points in pixels, each sample's by themselves."""

    def boxes(rows, **_):
        rows = rows.copy()
        rows[:, [0, 2]] = 1 - rows[:, [2, 0]]
        return rows

    def points(rows, shape, **_):
        rows = rows.copy()
        rows[:, 0] = shape[1] - 1 - rows[:, 0]
        return rows

    def flip(image, **_):
        return np.ascontiguousarray(image[:, ::-1])

    image = chains.pictures([(48, 60)])[0]
    sample = {"image": image, "mask": image[..., 0].copy(), "bboxes": [[3, 4, 20, 30]], "labels": [1], "keypoints": [[7.5, 9]]}
    results = []
    for library in (A, G):
        aug = library.Lambda(image=flip, mask=flip, bboxes=boxes, keypoints=points, p=1)
        params = library.BboxParams("pascal_voc", label_fields=["labels"]), library.KeypointParams("xy")
        results.append(library.Compose([aug], bbox_params=params[0], keypoint_params=params[1])(**sample))
    want, got = results
    np.testing.assert_array_equal(got["image"], want["image"])
    np.testing.assert_array_equal(got["mask"], want["mask"])
    np.testing.assert_allclose(got["bboxes"], want["bboxes"], atol=1e-4)
    np.testing.assert_allclose(got["keypoints"], want["keypoints"], atol=1e-4)


def test_sizes_and_rows_may_change():
    sample = {
        "image": IMAGES[0],
        "mask": IMAGES[0, ..., 0],
        "bboxes": np.array([[16, 1, 29, 9], [2, 3, 20, 9.0]]),
        "labels": ["b", "a"],
    }
    results = []
    for library in (A, G):
        aug = library.Lambda(image=half, mask=half, bboxes=left, name="left", p=1)
        params = library.BboxParams("pascal_voc", label_fields=["labels"])
        results.append(
            library.Compose([library.VerticalFlip(p=1), aug, library.HorizontalFlip(p=1)], bbox_params=params)(**sample)
        )
    want, got = results
    for name in ("image", "mask"):
        np.testing.assert_array_equal(got[name], want[name])
    np.testing.assert_allclose(got["bboxes"], want["bboxes"], atol=1e-4)
    assert list(got["labels"]) == list(want["labels"]) == ["a"]


def test_one_box_and_one_point_as_in_1x():
    points = {"keypoint_params": G.KeypointParams("xya")}
    aug = G.Lambda(
        keypoint=lambda k, cols, **_: (cols - 1 - k[0], k[1], np.pi - k[2], k[3]),
        bbox=lambda b, **_: (1 - b[2], b[1], 1 - b[0], b[3]),
    )
    sample = {"image": IMAGES[0], "bboxes": [[2, 3, 9, 9]], "labels": [1], "keypoints": [(3, 4, 10.0)]}
    a, b = (G.Compose([t], **BOXES, **points)(**sample) for t in (aug, G.HorizontalFlip(p=1)))
    for name in ("bboxes", "keypoints"):
        np.testing.assert_allclose(a[name], b[name])
    with pytest.raises(ValueError, match="bboxes is given twice"):
        G.Lambda(bboxes=left, bbox=left)


def test_draws_are_the_samples():
    aug = G.Compose([G.Lambda(image=noisy, p=0.6), G.HorizontalFlip()], seed=3)
    whole = aug(IMAGES, ids=np.arange(4))
    for i in range(4):
        np.testing.assert_array_equal(aug(IMAGES[i : i + 1], ids=[i])[0], whole[i])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(aug))(IMAGES, ids=np.arange(4)), whole)


def test_lambdas_are_warned_of():
    with pytest.warns(UserWarning, match=r"Lambda\(mask=..\) is given a lambda expression, which cannot be pickled"):
        G.Lambda(image=half, mask=lambda mask: mask)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        G.Lambda(image=half, mask=half)


@pytest.mark.parametrize(("functions", "words"), [
    ({"image": lambda image: image / 255}, "Lambda failed on sample 0 .* float64 for image of uint8"),
    ({"image": lambda image: None}, "must return an array, got None"),
    ({"bboxes": lambda rows: rows[:, :4] + [[0, 0, 0, np.nan]]}, "finite numbers"),
    ({"image": half, "mask": half}, "nobody knows where its bboxes are"),
    ({"image": half, "bboxes": left}, r"image of \(20, 15\) and mask of \(20, 30\)"),
])  # fmt: skip
def test_what_functions_do_wrong_is_said(functions, words):
    sample = {"image": IMAGES[0], "mask": IMAGES[0, ..., 0], "bboxes": [[2, 3, 20, 9]], "labels": [1]}
    aug = G.Compose([G.Lambda(**functions)], **BOXES)
    with pytest.raises((ValueError, TypeError), match=words):
        aug(**sample)
    with pytest.raises(ValueError, match="on='device' takes functions of image and mask"):
        G.Lambda(bboxes=left, on="device")

"""Rows of boxes and keypoints, and their labels: read by position, and given back with what stands behind the coordinates."""

from __future__ import annotations

import collections
import dataclasses

import albumentations as A
import numpy as np
import pandas as pd
import pytest
import torch

import gpuaug as G

BIG = 123456789
BOXES = G.Compose([G.HorizontalFlip(p=1)], bbox_params=G.BboxParams("pascal_voc", label_fields=["labels"], min_area=10))
POINTS = G.Compose([G.HorizontalFlip(p=1)], keypoint_params=G.KeypointParams("xy", label_fields=["labels"]))
CANVAS = np.zeros((20, 30, 3), np.uint8)
ROW = (2, 3, 12, 8, BIG, "id")  # hflip of width 30: 18, 3, 28, 8
FLIPPED = (18, 3, 28, 8, BIG, "id")
Named = collections.namedtuple("Named", "x0 y0 x1 y1 track name")


@dataclasses.dataclass(frozen=True)
class Box:
    x0: float
    y0: float
    x1: float
    y1: float
    track: int
    name: str


def boxes(rows, **targets):
    return BOXES(image=CANVAS, bboxes=rows, labels=targets.pop("labels", [5] * 1), **targets)["bboxes"]


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        lambda r: Named(*r),
        lambda r: Box(*r),
        lambda r: np.array(r, object),
        lambda r: pd.Series(list(r), index=list("fedcba")),
    ],
    ids=["list", "tuple", "named tuple", "dataclass", "object array", "series"],
)
def test_rows_keep_what_stands_behind_the_coordinates(make):
    (got,) = boxes([make(ROW)])
    assert type(got) is type(make(ROW))
    cells = list(dataclasses.asdict(got).values()) if isinstance(got, Box) else list(got)
    assert cells == list(FLIPPED)
    assert [type(c) for c in cells[4:]] == [int, str]
    if isinstance(got, pd.Series):
        assert list(got.index) == list("fedcba")


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32, np.float64])
def test_arrays_keep_their_columns(dtype):
    rows = np.array([[0, 0, 1, 1, 7], [*ROW[:4], BIG]], dtype)
    got = boxes(rows, labels=[1, 2])
    assert got.tolist() == [list(FLIPPED[:5])]
    assert got.dtype == np.float64
    got = boxes(list(rows), labels=[1, 2])
    assert got[0].tolist() == list(FLIPPED[:5])
    if dtype != np.uint32:
        got = boxes(torch.from_numpy(rows), labels=[1, 2])
        assert got.dtype == torch.float64
        assert got.tolist() == [list(FLIPPED[:5])]
        assert boxes(list(torch.from_numpy(rows)), labels=[1, 2])[0].tolist() == list(FLIPPED[:5])
    for floats in (np.float16, np.float32):
        assert boxes(np.array([ROW[:4]], floats)).dtype == floats
    points = POINTS(image=CANVAS, keypoints=np.array([[3, 4, BIG]], dtype), labels=[1])["keypoints"]
    assert points.tolist() == [[26, 4, BIG]]


def test_a_number_that_float64_does_not_hold():
    rows = np.array([[*ROW[:4], 2**53 + 1]])
    for data in (rows, torch.from_numpy(rows), list(rows), [torch.from_numpy(rows)[0]]):
        with pytest.raises(ValueError, match=r"bboxes holds 9007199254740993 .*label field"):
            boxes(data)
    assert boxes([[*ROW[:4], 2**53 + 1]])[0][4] == 2**53 + 1, "rows that are lists hold anything"


def test_object_arrays():
    rows = np.array([ROW, (0, 0, 1, 1, 3, "small")], object)
    got = boxes(rows, labels=[1, 2])
    assert got.dtype == object
    assert got.tolist() == [list(FLIPPED)]
    one = np.empty(2, object)
    one[0], one[1] = Named(0, 0, 1, 1, 3, "small"), Named(*ROW)
    got = boxes(one, labels=[1, 2])
    assert got.shape == (1,)
    assert got[0] == Named(*FLIPPED)


def test_pandas_goes_by_position():
    frame = pd.DataFrame(
        {"a": [0, 2.0], "b": [0, 3], "c": [1, 12.0], "d": [1, 8], "track": [3, BIG], "name": ["s", "id"]}, index=[1, 0]
    )
    labels = pd.Series(["small", "large"], index=[1, 0])
    out = BOXES(image=CANVAS, bboxes=frame, labels=labels)
    assert isinstance(out["bboxes"], pd.DataFrame)
    assert out["bboxes"].to_numpy().tolist() == [list(FLIPPED)]
    assert list(out["bboxes"].columns) == list(frame.columns)
    assert out["bboxes"].dtypes["track"] == np.int64
    assert (list(out["bboxes"].index), list(out["labels"]), list(out["labels"].index)) == ([0], ["large"], [0])
    assert frame["a"].tolist() == [0, 2], "the input is not written"
    series = pd.Series([[0, 0, 1, 1], list(ROW)], index=[1, 0])
    out = BOXES(image=CANVAS, bboxes=series, labels=labels)
    assert list(out["bboxes"]) == [list(FLIPPED)]
    assert list(out["labels"]) == ["large"]
    out = BOXES(image=[CANVAS], bboxes=pd.Series([frame], index=[7]), labels=pd.Series([labels], index=[7]))
    assert list(out["labels"][0]) == ["large"]
    with pytest.raises(TypeError, match="bboxes of a batch must be a list"):
        BOXES(image=[CANVAS], bboxes=frame, labels=[[1, 2]])


def test_labels_of_pandas_choose_objects():
    aug = G.Compose(
        [G.ConstrainedCoarseDropout((1, 1), (0.5, 0.5), (0.5, 0.5), bbox_labels=["dog"], fill=9, p=1)],
        bbox_params=G.BboxParams("pascal_voc", label_fields=["labels"]),
    )
    rows = [[0, 0, 8, 8], [16, 10, 28, 20]]
    for names in (["cat", "dog"], pd.Series(["cat", "dog"], index=[1, 0]), np.array(["cat", "dog"]), (n for n in ["cat", "dog"])):
        image = aug(image=CANVAS, bboxes=rows, labels=names)["image"]
        assert (image[:9, :9] == 0).all()
        assert (image == 9).any()


def test_iterators_are_taken():
    out = BOXES(image=CANVAS, bboxes=(row for row in [(0, 0, 1, 1), ROW]), labels=iter("ab"))
    assert out["bboxes"] == [FLIPPED]
    assert out["labels"] == ["b"]
    out = BOXES(image=[CANVAS] * 2, bboxes=([ROW] for _ in range(2)), labels=[range(1), range(1)])
    assert out["bboxes"] == [[FLIPPED]] * 2


@pytest.mark.parametrize(
    "values",
    [
        [True, False],
        np.array([True, False]),
        torch.tensor([True, False]),
        ("a", "b"),
        [None, "b"],
        np.array([[1, 2], [3, 4]]),
        pd.Categorical(["x", "y"]),
        collections.deque([3, 4]),
    ],
    ids=lambda v: type(v).__name__,
)
def test_label_fields_of_any_kind(values):
    got = BOXES(image=CANVAS, bboxes=[(0, 0, 1, 1), ROW], labels=values)["labels"]
    assert len(got) == 1
    assert np.array_equal(got[0], list(values)[1])
    if isinstance(values, (np.ndarray, torch.Tensor)):
        assert got.dtype == values.dtype


@pytest.mark.parametrize(
    ("rows", "labels", "words"),
    [
        ([ROW, ROW], "ab", "labels of sample 0 must be a list or an array, got 'ab'"),
        ([ROW], 5, "labels of sample 0 must be a list or an array, got 5"),
        ([ROW], {1}, "labels of sample 0 must be a list or an array"),
        ([ROW], np.array(3), "labels of sample 0 .* single value"),
        ({"a": ROW}, [1], "bboxes of sample 0 must be a list or an array"),
        ([{"x": 1}], [1], "a row must be a list"),
        (np.array([["2", "3", "12", "8"]]), [1], "rows of at least 4 numbers"),
        ([("2", "3", "12", "left")], [1], "rows of at least 4 numbers"),
        (np.zeros((1, 3)), [1], r"rows of at least 4 numbers, got shape \(1, 3\)"),
    ],
)
def test_rows_that_are_none(rows, labels, words):
    with pytest.raises((TypeError, ValueError), match=words):
        BOXES(image=CANVAS, bboxes=rows, labels=labels)


@pytest.mark.parametrize(
    "empty",
    [
        np.array([]),
        np.zeros((0, 4)),
        np.zeros((0, 6), np.int64),
        torch.tensor([]),
        [],
        (),
        np.zeros((0, 4), object),
        pd.DataFrame(columns=list("abcd")),
    ],
    ids=lambda v: f"{type(v).__name__}{getattr(v, 'shape', '')}",
)
def test_no_rows(empty):
    got = BOXES(image=CANVAS, bboxes=empty, labels=[])["bboxes"]
    if hasattr(empty, "shape"):
        assert tuple(got.shape) == (0, empty.shape[1] if empty.ndim == 2 else 4)
    else:
        assert got == []
    if isinstance(empty, np.ndarray) and empty.ndim == 1:
        assert POINTS(image=CANVAS, keypoints=empty, labels=[])["keypoints"].shape == (0, 2)


def test_a_label_field_without_boxes_is_handed_on():
    """As albumentations does: nothing changes it."""
    for params in ({"bbox_params": G.BboxParams("coco", ["labels"])}, {"keypoint_params": G.KeypointParams("xy", ["labels"])}):
        aug = G.Compose([G.HorizontalFlip(p=1)], **params)
        assert aug(image=CANVAS, labels=[1, 2])["labels"] == [1, 2]
        assert aug.run({"image": CANVAS[None], "labels": [[1, 2]]}, ids=[0])["labels"] == [[1, 2]]


def test_a_pipeline_that_was_not_applied_changes_nothing():
    params = {"label_fields": ["labels"], "clip": True, "min_area": 10}
    rows, names = [[-1, -1, 12, 8], [0, 0, 1, 1]], ["large", "small"]
    for library in (A, G):
        aug = library.Compose([library.HorizontalFlip(p=1)], p=0, bbox_params=library.BboxParams("pascal_voc", **params))
        out = aug(image=CANVAS, bboxes=rows, labels=names)
        assert out["bboxes"] == rows
        assert list(out["labels"]) == names
    aug = G.Compose([G.HorizontalFlip(p=1)], p=0.5, seed=4, bbox_params=G.BboxParams("pascal_voc", **params))
    images = np.broadcast_to(np.arange(30, dtype=np.uint8)[:, None], (32, 20, 30, 1))
    out = aug(image=images, bboxes=[rows] * 32, labels=[names] * 32)
    applied = out["image"][:, 0, 0, 0] == 29
    assert 5 < applied.sum() < 27
    for i in range(32):
        assert out["bboxes"][i] == ([[18, 0, 30, 8]] if applied[i] else rows)
        assert out["labels"][i] == (["large"] if applied[i] else names)

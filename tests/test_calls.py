"""Calls as albumentations' users make them: bare transforms and groups, what nobody declared, shared labels, ``+`` and ``-``."""

from __future__ import annotations

import copy
import pickle

import albumentations as A
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import gpuaug as G

IMAGE = np.ascontiguousarray(data.astronaut()[40:88, 90:154])
MASK = np.ascontiguousarray(IMAGE[..., 1] // 64)


# ---- bare calls ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (G.HorizontalFlip(p=1), A.HorizontalFlip(p=1)),
        (G.Transpose(p=1), A.Transpose(p=1)),
        (G.CenterCrop(20, 30, p=1), A.CenterCrop(20, 30, p=1)),
        (G.Normalize(p=1), A.Normalize(p=1)),
        (G.ToGray(p=1), A.ToGray(p=1)),
        (G.Sequential([G.VerticalFlip(p=1), G.InvertImg(p=1)], p=1), A.Sequential([A.VerticalFlip(p=1), A.InvertImg(p=1)], p=1)),
        (G.HorizontalFlip(p=0), A.HorizontalFlip(p=0)),
    ],
    ids=lambda t: type(t).__name__,
)
def test_bare_calls_are_albumentations(ours, theirs):
    call = {"image": IMAGE, "mask": MASK, "filename": "a.png", "index": 3, "nothing": None}
    want = theirs(**{name: call[name] for name in ("image", "mask")}) if isinstance(theirs, A.Sequential) else theirs(**call)
    got = ours(**call)
    assert list(got) == list(call)
    np.testing.assert_allclose(got["image"], want["image"], atol=2e-6 if want["image"].dtype == np.float32 else 0)
    np.testing.assert_array_equal(got["mask"], want["mask"])
    assert (got["filename"], got["index"], got["nothing"]) == ("a.png", 3, None)


def test_bare_calls_of_every_container():
    flip = G.HorizontalFlip(p=1)
    np.testing.assert_array_equal(flip(IMAGE), IMAGE[:, ::-1])
    tensor = torch.from_numpy(IMAGE).permute(2, 0, 1)
    assert torch.equal(flip(tensor), tensor.flip(2))
    np.testing.assert_array_equal(flip(np.stack([IMAGE, IMAGE]))[1], IMAGE[:, ::-1])


def test_bare_calls_draw_by_torchs_generator_or_by_a_seed():
    def pattern(call):
        return [bool((call(image=IMAGE)["image"] != IMAGE).any()) for _ in range(40)]

    one, other = G.HorizontalFlip(), G.OneOf([G.HorizontalFlip(p=1), G.NoOp(p=1)], p=1)
    for transform in (one, other):
        torch.manual_seed(5)
        first = pattern(transform)
        assert pattern(transform) != first
        torch.manual_seed(5)
        assert pattern(transform) == first
        transform.set_random_seed(137)
        second = pattern(transform)
        assert 5 < sum(second) < 35
        transform.set_random_seed(137)
        assert pattern(transform) == second
        twin = copy.deepcopy(transform)
        assert pattern(twin) == pattern(transform)  # goes on where it was
    compose = G.Compose([G.HorizontalFlip()], seed=1)
    first = pattern(compose)
    compose.set_random_seed(1)
    assert pattern(compose) == first
    compose.set_random_seed(2)
    assert pattern(compose) != first


def test_what_was_called_is_what_it_was():
    """Equality, repr, pickle and files know nothing of the call; arguments that are set afterwards are followed."""
    called, fresh = G.RandomBrightnessContrast(brightness_limit=(0.3, 0.3), p=1), G.RandomBrightnessContrast((0.3, 0.3), p=1)
    bright = called(image=IMAGE)["image"]
    called.set_random_seed(3)
    called(image=IMAGE)
    assert called == fresh
    assert repr(called) == repr(fresh)
    assert called.to_dict() == fresh.to_dict()
    again = pickle.loads(pickle.dumps(called))
    assert again == fresh
    assert len(pickle.dumps(called)) < 1000
    called.p = 0.0
    np.testing.assert_array_equal(called(image=IMAGE)["image"], IMAGE)
    called.p, called.brightness_limit = 1.0, (0.0, 0.0)
    assert (called(image=IMAGE)["image"] != bright).any()


def test_force_apply():
    never = G.HorizontalFlip(p=0)
    np.testing.assert_array_equal(never(image=IMAGE, force_apply=True)["image"], IMAGE[:, ::-1])
    np.testing.assert_array_equal(never(image=IMAGE)["image"], IMAGE)
    compose = G.Compose([G.HorizontalFlip(p=1)], p=0)
    np.testing.assert_array_equal(compose(image=IMAGE, force_apply=True)["image"], IMAGE[:, ::-1])
    np.testing.assert_array_equal(compose(image=IMAGE)["image"], IMAGE)
    inner = G.Compose([G.HorizontalFlip(p=0)], p=0)  # of its transforms p holds, as albumentations'
    np.testing.assert_array_equal(inner(image=IMAGE, force_apply=True)["image"], IMAGE)


def test_boxes_need_a_pipeline():
    with pytest.raises(ValueError, match="bboxes= needs bbox_params: Compose"):
        G.HorizontalFlip(p=1)(image=IMAGE, bboxes=[[1, 2, 3, 4]])


# ---- what nobody declared ------------------------------------------------------------------------


def test_what_is_handed_on_is_the_same_object():
    things = {"meta": {"a": [1]}, "vector": np.arange(5), "scalar": torch.tensor(3.0), "text": "x", "rows": [[1, 2, 3]]}
    out = G.Compose([G.HorizontalFlip(p=1), G.Normalize(p=1)], seed=1)(image=IMAGE, **things)
    assert list(out) == ["image", *things]
    assert all(out[name] is value for name, value in things.items())
    batch = G.Compose([G.HorizontalFlip(p=1)])(image=np.stack([IMAGE, IMAGE]), index=[4, 5])
    assert batch["index"] == [4, 5]
    none = G.Compose([G.HorizontalFlip(p=1)])(image=np.zeros((0, 4, 4, 3), np.uint8), index=[], name="x")
    assert (none["index"], none["name"], none["image"].shape) == ([], "x", (0, 4, 4, 3))


def test_none_is_no_target():
    marks = {"bbox_params": G.BboxParams("coco", ["labels"]), "keypoint_params": G.KeypointParams("xy")}
    compose = G.Compose([G.HorizontalFlip(p=1)], **marks)
    out = compose(image=IMAGE, mask=None, bboxes=None, labels=None, keypoints=None)
    assert list(out) == ["image", "mask", "bboxes", "labels", "keypoints"]
    assert [name for name, value in out.items() if value is None] == ["mask", "bboxes", "labels", "keypoints"]
    with pytest.raises(ValueError, match="needs image="):
        compose(image=None, mask=MASK)


@pytest.mark.parametrize(
    "value",
    [MASK, MASK[None], torch.from_numpy(IMAGE).permute(2, 0, 1), Image.fromarray(IMAGE), [MASK, MASK]],
    ids=["map", "channels first", "tensor", "PIL", "list"],
)
def test_pictures_are_not_left_behind(value):
    with pytest.raises(ValueError, match=r"depth is as large as image 0 \(48, 64\), and nobody said what it is"):
        G.HorizontalFlip(p=1)(image=IMAGE, depth=value)
    stays = G.Compose([G.HorizontalFlip(p=1)], additional_targets={"depth": "untouched"}, strict=True)
    assert stays(image=IMAGE, depth=value)["depth"] is value
    assert G.InvertImg(p=1)(image=IMAGE, depth=value)["depth"] is value  # nothing moves


def test_labels_are_not_left_behind():
    compose = G.Compose([G.HorizontalFlip(p=1)], bbox_params=G.BboxParams("coco"))
    boxes = [[1, 2, 3, 4], [5, 6, 7, 8]]
    with pytest.raises(ValueError, match=r"labels has as many entries as bboxes, .* Name it in label_fields of bbox_params"):
        compose(image=IMAGE, bboxes=boxes, labels=[1, 2])
    with pytest.raises(ValueError, match="labels has as many entries as bboxes"):
        compose(image=[IMAGE, IMAGE], bboxes=[boxes, boxes[:1]], labels=[[1, 2], [3]])
    assert compose(image=IMAGE, bboxes=boxes, name="ab")["name"] == "ab"
    assert compose(image=IMAGE, bboxes=boxes, rest=[1, 2, 3])["rest"] == [1, 2, 3]


def test_strict_refuses_what_it_does_not_know():
    compose = G.Compose([G.HorizontalFlip(p=1)], strict=True)
    with pytest.raises(ValueError, match="strict=True: 'filename' is no target that this pipeline knows; they are bboxes, image"):
        compose(image=IMAGE, filename="x")
    with pytest.raises(ValueError, match="strict=True: 'mask2'"):
        compose(image=IMAGE, mask2=None)
    assert compose(image=IMAGE, mask=None)["mask"] is None


def test_users_transforms_see_what_came_beside():
    class Mine(G.ImageOnlyTransform, register=False):
        @property
        def targets_as_params(self):
            return ["image", "level"]

        def get_params_dependent_on_data(self, params, data):
            return {"level": data["level"] + data["more"]}

        def apply(self, img, level=0, **params):
            return np.full_like(img, level)

    out = G.Compose([Mine(p=1)])(image=IMAGE, level=7, more=1)
    assert (out["image"] == 8).all()
    assert out["level"] == 7
    assert out["more"] == 1
    out = G.Compose([Mine(p=1)])(image=[IMAGE, IMAGE], level=[7, 9], more=[1, 2])
    assert [int(image[0, 0, 0]) for image in out["image"]] == [8, 11]
    with pytest.raises(ValueError, match="Mine failed on sample 0 of the batch: it needs level= among the targets"):
        G.Compose([Mine(p=1)])(image=IMAGE, more=1)


# ---- labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    [["a", "b"], [1, 2.5], [None, {"x": 1}], [("a", 1), ("b", 2)], [b"x", np.float32(3)], [np.arange(2), np.arange(1)]],
    ids=str,
)
def test_labels_of_any_type(labels):
    compose = G.Compose([G.CenterCrop(20, 20, p=1)], bbox_params=G.BboxParams("pascal_voc", ["labels"]))
    out = compose(image=IMAGE, bboxes=[[20, 15, 40, 30], [0, 0, 5, 5]], labels=labels)
    assert len(out["labels"]) == 1
    assert out["labels"][0] is labels[0]


def test_one_label_field_of_boxes_and_keypoints():
    marks = {"bbox_params": ("pascal_voc", ["labels"]), "keypoint_params": ("xy", ["labels"])}
    ours = G.Compose([G.HorizontalFlip(p=1)], G.BboxParams(*marks["bbox_params"]), G.KeypointParams(*marks["keypoint_params"]))
    call = {"image": IMAGE, "bboxes": [[20, 15, 40, 30], [0, 0, 5, 5]], "keypoints": [[30, 20], [2, 2]], "labels": ["a", "b"]}
    got = ours(**call)
    assert got["labels"] == ["a", "b"]
    assert got["bboxes"][1] == [59, 0, 64, 5]
    assert got["keypoints"][1] == [61, 2]
    crop = G.Compose([G.CenterCrop(20, 20, p=1)], ours.bbox_params, ours.keypoint_params)
    assert crop(**call)["labels"] == ["a"]
    call["keypoints"][1] = [31, 21]  # the second box goes, its point stays
    with pytest.raises(ValueError, match=r"bboxes and keypoints share the label field 'labels', and of sample 0 .* \(1 and 2\)"):
        crop(**call)


# ---- pipelines of pipelines ----------------------------------------------------------------------


def test_adding_and_taking_away():
    marks = {"bbox_params": G.BboxParams("coco", ["labels"]), "seed": 7}
    compose = G.Compose([G.HorizontalFlip(p=1)], **marks)
    assert compose + G.InvertImg(p=1) == G.Compose([G.HorizontalFlip(p=1), G.InvertImg(p=1)], **marks)
    more = [G.InvertImg(p=1), G.Blur(p=1)]
    assert compose + more == G.Compose([compose[0], G.InvertImg(p=1), G.Blur(p=1)], **marks)
    assert G.InvertImg(p=1) + compose == G.Compose([G.InvertImg(p=1), G.HorizontalFlip(p=1)], **marks)
    assert more[:1] + compose == G.InvertImg(p=1) + compose
    longer = compose + G.InvertImg(p=1) + G.HorizontalFlip(p=0)
    assert longer - G.HorizontalFlip == G.Compose([G.InvertImg(p=1), G.HorizontalFlip(p=0)], **marks)  # the first
    assert len(compose) == 1
    assert longer[1] == G.InvertImg(p=1)
    some = G.SomeOf([G.Blur(p=1)], n=1, p=0.3) + G.InvertImg(p=1)
    assert some == G.SomeOf([G.Blur(p=1), G.InvertImg(p=1)], n=1, p=0.3)
    with pytest.raises(ValueError, match="Compose has no Blur to take away, it has HorizontalFlip"):
        compose - G.Blur
    with pytest.raises(TypeError, match="unsupported operand"):
        compose + 3
    np.testing.assert_array_equal((compose + G.InvertImg(p=1))(image=IMAGE)["image"], 255 - IMAGE[:, ::-1])


def test_available_keys():
    assert G.InvertImg().available_keys == set(A.InvertImg().available_keys)
    assert G.HorizontalFlip().available_keys == set(A.HorizontalFlip().available_keys)
    assert G.OverlayElements().targets_as_params == A.OverlayElements().targets_as_params
    ours = G.Compose([G.InvertImg()], additional_targets={"image2": "image"}, bbox_params=G.BboxParams("coco", ["labels"]))
    assert {"image", "images", "image2", "labels"} <= ours.available_keys

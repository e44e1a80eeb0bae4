"""albumentations' objects in a gpuaug pipeline: what they make is what albumentations makes, seeded by the sample."""

from __future__ import annotations

import inspect
import pickle
import random

import albumentations as A
import numpy as np
import parity
import pytest
import torch
from albumentations.core.transforms_interface import BasicTransform, DualTransform, Transform3D
from albumentations.pytorch import ToTensorV2

import gpuaug as G
from gpuaug.interop.albumentations import Albumentations

# sides of 64: fractions are exact in float32, in which albumentations has boxes (it loses a pixel where it cuts 3.9999 off)
RNG = np.random.default_rng(11)
IMAGES = RNG.integers(0, 256, (6, 64, 64, 3), np.uint8)
MASKS = (RNG.random((6, 64, 64)) > 0.5).astype(np.uint8)
BOXES = np.array([[4, 5, 30, 30], [20, 8, 45, 38], [1, 1, 9, 9.0]])
POINTS = [(10.0, 12.0), (40.0, 30.0)]
ELSEWHERE = {"ToTensor3D": "volumes", "Lambda": "functions", "ToTensorV2": "becomes gpuaug's", "NoOp": "does nothing"}
METADATA = ("mosaic_metadata", "overlay_metadata", "hm_metadata", "fda_metadata", "pda_metadata", "textimage_metadata")


def objects():
    for name in sorted(vars(A)):
        cls = getattr(A, name)
        ours = inspect.isclass(cls) and issubclass(cls, BasicTransform) and name in parity.ABOUT and name not in ELSEWHERE
        if ours and not issubclass(cls, Transform3D) and "metadata_key" not in inspect.signature(cls.__init__).parameters:
            yield name


@pytest.mark.parametrize("name", objects())
@pytest.mark.filterwarnings("ignore")
def test_every_transform_does_what_it_does_at_home(name, monkeypatch):
    about, seeds, raw = parity.ABOUT[name], [], Albumentations.on_sample
    cls = getattr(A, name)
    needs = {"x_max": 40, "y_max": 50} if name == "Crop" else {}  # its defaults want 1024 pixels
    needs |= {key: value[0] if key == "max_size" else value for key, value in about.needs.items()}
    aug = cls(**needs, p=1)
    targets = {"image": IMAGES[0], "mask": MASKS[0]}
    kinds = {}
    if issubclass(cls, DualTransform):
        for key in ("bboxes", "keypoints"):
            if getattr(cls, f"apply_to_{key}") is not getattr(DualTransform, f"apply_to_{key}"):
                kinds[key] = BOXES if key == "bboxes" else np.array(POINTS)
        targets |= kinds
        if "bboxes" in kinds:
            targets["labels"] = ["a", "b", "c"]
        if "keypoints" in kinds:
            targets["names"] = ["x", "y"]
    if about.reads == "cropping_bbox":
        targets["cropping_bbox"] = [5, 5, 20, 20]

    def params(library):
        found = {}
        if "bboxes" in kinds:
            found["bbox_params"] = library.BboxParams("pascal_voc", label_fields=["labels"])
        if "keypoints" in kinds:
            found["keypoint_params"] = library.KeypointParams("xy", label_fields=["names"])
        return found

    monkeypatch.setattr(Albumentations, "on_sample", lambda self, s, k, seed: (seeds.append(seed), raw(self, s, k, seed))[1])
    more = {"label_geometry": "albumentations"} if kinds else {}
    got = G.Compose([aug], seed=5, **params(G), **more)(**targets)
    theirs = A.Compose([cls(**needs, p=1)], **params(A))
    theirs.transforms[0].set_random_seed(seeds[0])
    random.seed(seeds[0])
    want = theirs(**targets)
    for key in ("image", "mask"):
        assert got[key].dtype == want[key].dtype
        np.testing.assert_array_equal(got[key], want[key])
    for key in kinds:
        assert len(got[key]) == len(want[key])
        np.testing.assert_allclose(np.array(got[key]).reshape(-1), np.array(want[key]).reshape(-1), atol=1e-3)
    assert list(got.get("labels", ())) == list(want.get("labels", ()))


def pipeline():
    return G.Compose(
        [
            A.HorizontalFlip(p=0.5),
            G.Affine(rotate=(-9, 9)),
            A.OneOf([A.GaussNoise(p=1), A.Sequential([A.Transpose(p=1), A.RandomGamma(p=0.5)], p=1)], p=0.9),
            A.SomeOf([A.InvertImg(p=1), A.Blur(p=1), G.CoarseDropout(p=1)][:2], n=1, p=0.5),
            A.SelectiveChannelTransform([A.InvertImg(p=1)], channels=(0,), p=0.5),
            A.RandomCrop(24, 24, p=1),
            A.Normalize(),
            ToTensorV2(),
        ],
        seed=3,
    )


def test_groups_and_draws():
    aug = pipeline()
    ids = np.arange(6)
    whole = aug(image=IMAGES, mask=MASKS, ids=ids)
    assert isinstance(whole["image"], torch.Tensor)
    assert whole["image"].shape == (6, 3, 24, 24)
    for i in range(6):
        one = aug(image=IMAGES[i : i + 1], mask=MASKS[i : i + 1], ids=[i])
        assert torch.equal(one["image"][0], whole["image"][i])
        assert torch.equal(torch.as_tensor(one["mask"][0]), torch.as_tensor(whole["mask"][i]))
    assert torch.equal(pickle.loads(pickle.dumps(aug))(image=IMAGES, ids=ids)["image"], whole["image"])
    text = aug.explain((64, 64), samples=6)
    assert "albumentations.RandomCrop: host on all samples: albumentations, sample by sample" in text
    assert aug[0].transform.p == 1
    assert aug[0].p == 0.5
    assert isinstance(aug[2], G.OneOf)
    assert isinstance(aug[2][1], G.Sequential)
    assert isinstance(aug[-1], G.ToTensorV2)


class Theirs(A.ImageOnlyTransform):
    def apply(self, img, **params):
        return img + np.uint8(self.py_random.randint(1, 9))


def test_a_class_that_derives_from_theirs_and_further_targets():
    aug = G.Compose([Theirs(p=1), A.VerticalFlip(p=1)], additional_targets={"image2": "image"}, seed=1)
    out = aug(image=IMAGES[0], image2=IMAGES[1], images=IMAGES[2:4], masks=[MASKS[0], MASKS[1]])
    for name, want in (("image", IMAGES[0]), ("image2", IMAGES[1])):
        by = np.unique(out[name][::-1] - want)
        assert len(by) == 1
    np.testing.assert_array_equal(out["masks"][1], MASKS[1][::-1])
    assert out["images"].shape == (2, 64, 64, 3)


def test_what_is_refused():
    with pytest.raises(TypeError, match="put its transforms into the list, and bbox_params"):
        G.Compose([A.Compose([A.Blur()], bbox_params=A.BboxParams("coco"))])
    with pytest.raises(TypeError, match=r"ReplayCompose in a gpuaug pipeline"):
        G.Compose([A.ReplayCompose([A.Blur()])])
    bad = type("Bad", (A.DualTransform,), {"apply": lambda self, img, **_: img})
    with pytest.raises(ValueError, match=r"albumentations\.Bad does not move bboxes"):
        G.Compose([bad(p=1)], bbox_params=G.BboxParams("coco"))(image=IMAGES[0], bboxes=[[1, 1, 2, 2]])
    with pytest.raises(TypeError, match="transforms\\[0\\] must be a gpuaug transform"):
        G.Compose([A.Blur])
    with pytest.raises(ValueError, match=r"Albumentations.transform is Blur|cannot be written"):
        G.to_dict(G.Compose([A.Blur()]))
    masked = G.Compose([A.Resize(20, 30, p=1)], mask_interpolation=1)
    assert set(np.unique(masked(image=IMAGES[0], mask=MASKS[0] * 200)["mask"])) - {0, 200}

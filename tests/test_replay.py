"""What was drawn, said in plain Python: Compose.params, save_applied_params, ReplayCompose."""

from __future__ import annotations

import json

import albumentations as A
import numpy as np
import parity
import pytest

import gpuaug as G

OF_THE_CALL = ("Mosaic", "OverlayElements", "TextImage", "FDA", "HistogramMatching", "PixelDistributionAdaptation", "Lambda")
rng = np.random.default_rng(3)
ONE, OTHER = (rng.integers(0, 256, (4, 40, 48, 3), np.uint8) for _ in range(2))
MASKS = (np.arange(40)[:, None] // 8 * 6 + np.arange(48) // 8 == np.array([3, 9, 14, 22])[:, None, None]).astype(np.uint8)
BOXES = [(8, 8, 24, 30)]


def through_json(value):
    return json.loads(json.dumps(value))


def made(name: str):
    about = parity.ABOUT[name]
    try:
        return G.REGISTRY[name](**about.needs)
    except ValueError:
        return G.REGISTRY[name](**about.arguments)


def targets(name: str, images, i) -> dict:
    if G.REGISTRY[name].solid:
        return {"volume": np.stack([images[i]] * 4)}
    more = {"mask": MASKS[i]}
    if "BBox" in name:
        more = {"cropping_bbox": BOXES[0]} if name == "RandomCropNearBBox" else {"bboxes": BOXES}
    return {"image": images[i], **more}


@pytest.mark.parametrize("name", sorted(set(G.REGISTRY) - set(OF_THE_CALL)))
def test_every_transform_is_replayed(name):
    """On other images what the same luck gives there; on the same ones, what was given."""
    transform = G.Crop(1, 2, 30, 31) if name == "Crop" else made(name)
    aug = G.ReplayCompose([transform], seed=7, bbox_params=G.BboxParams("pascal_voc"))
    key = "volume" if transform.solid else "image"
    saved = []
    for i in range(4):
        first = aug(**targets(name, ONE, i), ids=[i])
        saved.append(through_json(first["replay"]))
        for images in (ONE, OTHER):
            again = G.ReplayCompose.replay(saved[-1], **targets(name, images, i))
            want = aug(**targets(name, images, i), ids=[i])
            np.testing.assert_array_equal(np.asarray(again[key]), np.asarray(want[key]))
            if "mask" in want:
                np.testing.assert_array_equal(again["mask"], want["mask"])
            assert np.array_equal(np.asarray(again.get("bboxes", ())), np.asarray(want.get("bboxes", ())))
    if key == "image" and "BBox" not in name:  # all at once
        together = G.ReplayCompose.replay(saved, image=list(OTHER), mask=list(MASKS))
        for i in range(4):
            want = aug(**targets(name, OTHER, i), ids=[i])
            np.testing.assert_array_equal(together["image"][i], want["image"])
            np.testing.assert_array_equal(together["mask"][i], want["mask"])


def pipeline(cls=G.ReplayCompose, **more):
    return cls(
        [
            G.OneOf([G.HorizontalFlip(p=1), G.Sequential([G.Blur(5, p=1), G.VerticalFlip()], p=1)], p=0.8),
            G.SomeOf([G.GaussNoise(p=1), G.CoarseDropout(p=0.5), G.Affine(rotate=(-30, 30), p=1)], n=(2, 3), replace=True),
            G.RandomOrder([G.Transpose(p=1), G.RandomRotate90(p=1), G.RandomCrop(30, 30)], n=3),
            G.RandomBrightnessContrast(),
        ],
        seed=11,
        **more,
    )


def test_groups_are_replayed_in_the_order_that_was_drawn():
    aug = pipeline()
    ids = np.arange(40)
    images = np.concatenate([ONE] * 10)[:, :40, :40]
    others = np.concatenate([OTHER] * 10)[:, :40, :40]
    first = aug(image=images, mask=np.concatenate([MASKS] * 10)[:, :40, :40], ids=ids)
    saved = through_json(first["replay"])
    want = aug(image=others, mask=others[..., 0], ids=ids)
    got = G.ReplayCompose.replay(saved, image=others, mask=others[..., 0])
    np.testing.assert_array_equal(got["image"], want["image"])
    np.testing.assert_array_equal(got["mask"], want["mask"])
    alone = G.ReplayCompose.replay(saved[17], image=others[17])
    np.testing.assert_array_equal(alone["image"], want["image"][17])
    assert alone["replay"] is saved[17]
    twice = [leaf for each in saved for leaf in each["transforms"][1]["transforms"] if "again" in leaf]
    assert twice
    assert all(leaf["again"][0]["order"] > leaf["order"] for leaf in twice)
    orders = {tuple(leaf["order"] for leaf in each["transforms"][2]["transforms"]) for each in saved}
    assert len(orders) > 3
    for each in saved:
        one_of = each["transforms"][0]
        assert one_of["applied"] == any(child["applied"] for child in one_of["transforms"])
        assert sum(child["applied"] for child in one_of["transforms"]) <= 1


def test_the_layout_is_albumentations():
    """The keys that programs read from a replay are there, and mean the same."""

    def build(m):
        return m.ReplayCompose([m.HorizontalFlip(p=1), m.VerticalFlip(p=0), m.OneOf([m.Transpose(p=1)], p=1)])

    theirs, ours = (build(m)(image=ONE[0])["replay"] for m in (A, G))
    flat = [(t, ours["transforms"][i]) for i, t in enumerate(theirs["transforms"])]
    flat.append((theirs, ours))
    flat.append((theirs["transforms"][2]["transforms"][0], ours["transforms"][2]["transforms"][0]))
    for want, got in flat:
        assert want["__class_fullname__"] == got["__class_fullname__"]
        assert want["applied"] == got["applied"]
        assert (want["params"] is None) == (got["params"] is None)
    np.testing.assert_array_equal(
        G.ReplayCompose.replay(ours, image=OTHER[0])["image"], A.ReplayCompose.replay(theirs, image=OTHER[0])["image"]
    )


def test_what_is_left_out_by_hand():
    saved = G.ReplayCompose([G.HorizontalFlip(p=1), G.VerticalFlip(p=1)])(image=ONE[0])["replay"]
    saved["transforms"][0]["applied"] = False
    np.testing.assert_array_equal(G.ReplayCompose.replay(saved, image=ONE[0])["image"], ONE[0][::-1])


def test_another_size():
    saved = G.ReplayCompose([G.HorizontalFlip(p=1), G.Resize(16, 16), G.RandomCrop(8, 8)], seed=1)(image=ONE[0])["replay"]
    wide = np.zeros((20, 90, 3), np.uint8)
    assert G.ReplayCompose.replay(saved, image=wide)["image"].shape == (8, 8, 3)
    crop = G.ReplayCompose([G.RandomCrop(8, 8)], seed=1)(image=ONE[0])["replay"]
    with pytest.raises(ValueError, match=r"RandomCrop was drawn for an image that was \(40, 48\).*image 0 is \(20, 90\)"):
        G.ReplayCompose.replay(crop, image=wide)
    noise = G.ReplayCompose([G.ChannelShuffle(p=1)], seed=1)(image=ONE[0])["replay"]
    with pytest.raises(ValueError, match=r"of 3 channels, uint8 at this step, image 0 is .* of 1 channels"):
        G.ReplayCompose.replay(noise, image=ONE[0][..., :1])
    solid = G.ReplayCompose([G.RandomCrop3D((2, 8, 8), p=1)], seed=1)(volume=np.stack([ONE[0]] * 9))["replay"]
    with pytest.raises(ValueError, match="drawn for a volume of 9 slices at this step, volume 0 has 3"):
        G.ReplayCompose.replay(solid, volume=np.stack([ONE[0]] * 3))


def test_labels_that_decided_are_not_needed_again():
    aug = G.ReplayCompose([G.CropNonEmptyMaskIfExists(8, 8, p=1)], seed=2)
    first = aug(image=ONE[0], mask=MASKS[0])
    again = G.ReplayCompose.replay(first["replay"], image=ONE[0])
    np.testing.assert_array_equal(again["image"], first["image"])
    assert "mask" not in again


def test_boxes_of_what_was_not_applied_stay_as_they_came():
    params = {"bbox_params": G.BboxParams("pascal_voc", ["k"], min_area=1000)}
    for p in (0, 1):
        aug = G.ReplayCompose([G.HorizontalFlip(p=1)], p=p, **params)
        first = aug(image=ONE[0], bboxes=BOXES, k=[1])
        again = G.ReplayCompose.replay(through_json(first["replay"]), image=ONE[0], bboxes=BOXES, k=[1])
        assert len(again["bboxes"]) == len(first["bboxes"]) == 1 - p


class Shift(G.ImageOnlyTransform, register=False):
    def __init__(self, most=5, p=0.5):
        super().__init__(p)
        self.most = most

    def get_params(self):
        return {"by": self.py_random.randint(0, self.most)}

    def apply(self, img, by, **params):
        return np.roll(img, by, 1)


def test_transforms_of_your_own_have_their_seed_again(monkeypatch):
    monkeypatch.setitem(G.REGISTRY, "Shift", Shift)
    aug = G.ReplayCompose([Shift(40, p=1), G.HorizontalFlip(), Shift(p=1)], seed=5)
    for i in range(4):
        saved = through_json(aug(image=ONE[i], ids=[i])["replay"])
        assert set(saved["transforms"][0]["params"]) >= {"by"}
        np.testing.assert_array_equal(
            G.ReplayCompose.replay(saved, image=OTHER[i])["image"], aug(image=OTHER[i], ids=[i])["image"]
        )


def test_functions_of_torch_batches_have_their_seed_again():
    noise = G.Torch(lambda x, u: x.float().mul(u[:, 0, None, None, None]).to(x.dtype), draws=1, name="dim", p=1)
    aug = G.ReplayCompose([noise, G.HorizontalFlip()], seed=5)
    saved = through_json(aug(image=ONE, ids=range(4))["replay"])
    got = G.ReplayCompose.replay(saved, {"dim": noise}, image=OTHER)["image"]
    np.testing.assert_array_equal(got, aug(image=OTHER, ids=range(4))["image"])
    assert len({each["transforms"][0]["seed"] for each in saved}) == 4


def test_functions_by_name():
    invert = G.Lambda(image=lambda image, **_: 255 - image, name="invert")
    saved = G.ReplayCompose([invert])(image=ONE[0])["replay"]
    again = G.ReplayCompose.replay(saved, {"invert": invert}, image=OTHER[0])
    np.testing.assert_array_equal(again["image"], 255 - OTHER[0])
    with pytest.raises(ValueError, match="by the name 'invert'"):
        G.ReplayCompose.replay(saved, image=OTHER[0])


def test_what_cannot_be_replayed():
    saved = G.ReplayCompose([G.HorizontalFlip(p=1)])(image=ONE)["replay"]
    with pytest.raises(ValueError, match="there are 4 replays for 3 samples"):
        G.ReplayCompose.replay(saved, image=ONE[:3])
    other = G.ReplayCompose([G.VerticalFlip(p=1)])(image=ONE[0])["replay"]
    with pytest.raises(ValueError, match="replay 1 is of another pipeline than replay 0"):
        G.ReplayCompose.replay([saved[0], other], image=ONE[:2])
    with pytest.raises(ValueError, match="replay takes what a ReplayCompose gave"):
        G.ReplayCompose.replay({"image": 1}, image=ONE[0])
    with pytest.raises(ValueError, match="format 'gpuaug 9'"):
        G.ReplayCompose.replay({**other, "__format__": "gpuaug 9"}, image=ONE[0])
    with pytest.raises(ValueError, match="Mosaic draws one of the images that come with a call"):
        G.ReplayCompose([G.Mosaic((2, 2), (16, 16), p=1)])(image=ONE, mask=MASKS)
    with pytest.raises(ValueError, match="a loader have no place"):
        G.ReplayCompose([]).run({"image": ONE}, ids=[0, 1, 2, 3])


def test_one_replay_for_a_batch():
    saved = G.ReplayCompose([G.RandomCrop(8, 8)], seed=1)(image=ONE[0])["replay"]
    together = G.ReplayCompose.replay(saved, image=ONE)["image"]
    x0, y0, x1, y1 = saved["transforms"][0]["params"]["crop_coords"]
    np.testing.assert_array_equal(together, ONE[:, y0:y1, x0:x1])


def test_saved_and_equal():
    aug = pipeline(save_key="luck")
    assert G.from_dict(aug.to_dict()) == aug
    assert "luck" in aug(image=ONE[0])
    theirs = A.ReplayCompose([A.HorizontalFlip()], save_key="luck")
    assert G.from_dict(through_json(A.to_dict(theirs))) == G.ReplayCompose([G.HorizontalFlip()], save_key="luck")


# ---- params, save_applied_params ---------------------------------------------------------------------------------


def test_params_say_what_a_call_gets():
    aug = pipeline(G.Compose, save_applied_params=True)
    told = aug(image=ONE[:, :, :40], ids=[5, 6, 7, 8], epoch=3)["applied_transforms"]
    asked = aug.params([5, 6, 7, 8], epoch=3, size=(40, 40))
    assert through_json(told) == [[[each.transform, each.params] for each in mine] for mine in asked]
    assert aug.params(7, epoch=3, size=(40, 40)) == asked[2:3]
    assert aug.params(7, epoch=4, size=(40, 40)) != asked[2:3]
    for mine in asked:
        for each in mine:
            node = aug
            for place in each.place:
                node = node[place]
            assert type(node).__name__ == each.transform
    alone = aug(image=ONE[2][:, :40], ids=[7], epoch=3)["applied_transforms"]
    assert alone == told[2]


def test_the_layout_of_applied_transforms_is_albumentations():
    def build(m):
        return m.Compose([m.HorizontalFlip(p=0), m.Blur(blur_limit=(3, 3), p=1)], save_applied_params=True)

    theirs, ours = (build(m)(image=ONE[0])["applied_transforms"] for m in (A, G))
    assert [name for name, _ in theirs] == [name for name, _ in ours] == ["Blur"]
    assert theirs[0][1]["kernel"] == ours[0][1]["kernel"] == 3
    assert type(ours) is type(theirs)
    assert type(ours[0]) is type(theirs[0])


def test_params_without_what_they_hang_on():
    with pytest.raises(ValueError, match=r"this pipeline has no seed.*DataLoader"):
        G.Compose([]).params([0], size=(8, 8))
    with pytest.raises(ValueError, match=r"what MaskDropout draws depends on the data.*save_applied_params=True"):
        G.Compose([G.MaskDropout(p=1)], seed=0).params([0], size=(40, 48))
    with pytest.raises(ValueError, match="what Shift draws depends on the data"):
        G.Compose([Shift(p=1)], seed=0).params([0], size=(40, 48))
    with pytest.raises(ValueError, match=r"loader have no place for it.*Compose.params"):
        G.Compose([], save_applied_params=True).run({"image": ONE}, ids=[0, 1, 2, 3])


def test_params_of_what_a_loader_yields():
    """The loader's seed, epoch and numbers are all that it takes."""
    flip = G.Compose([G.RandomCrop(8, 8)])
    loader = G.DataLoader([(image, i) for i, image in enumerate(ONE)], batch_size=2, shuffle=True, transform=flip, seed=9)
    found = {}
    for images, numbers in loader:
        found.update(zip(numbers.tolist(), images))
    for number, mine in zip(range(4), flip.params(range(4), size=(40, 48), seed=9)):
        x0, y0, x1, y1 = mine[0].params["crop_coords"]
        want = ONE[number][y0:y1, x0:x1].transpose(2, 0, 1)
        np.testing.assert_array_equal(np.asarray(found[number]), want)


def test_no_samples():
    assert G.Compose([], save_applied_params=True)(image=[]) == {"image": [], "applied_transforms": []}

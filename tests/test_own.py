"""Transforms of a user's own, as written for albumentations: what they make is what albumentations makes, whatever the batch."""

# ruff: noqa: NPY002 - users draw from NumPy's global generator
from __future__ import annotations

import pickle
import random

import albumentations as A
import numpy as np
import pytest
import torch

import gpuaug as G

RNG = np.random.default_rng(5)
IMAGES = RNG.integers(0, 256, (8, 30, 40, 3), np.uint8)
MASKS = RNG.integers(0, 3, (8, 30, 40)).astype(np.int64)


class Everything(G.ImageOnlyTransform, register=False):
    """Draws from every generator there is."""

    def __init__(self, low=1, high=9, always_apply=False, p=0.5):
        super().__init__(always_apply, p)
        self.low, self.high = low, high

    def get_params(self):
        more = random.random() + np.random.rand() + torch.rand(1).item() + self.random_generator.random()
        return {"by": self.py_random.randint(self.low, self.high), "more": more}

    def apply(self, img, by=0, more=0.0, **params):
        noise = np.random.randint(0, 5, img.shape)
        return ((img.astype(np.int64) + by + int(50 * more) + noise) % 256).astype(img.dtype)

    def get_transform_init_args_names(self):
        return ("low", "high")


class Turned(G.DualTransform, register=False):
    """albumentations 1.x: one box, one point."""

    def apply(self, img, **params):
        return np.ascontiguousarray(img[:, ::-1])

    def apply_to_bbox(self, bbox, **params):
        x0, y0, x1, y1 = bbox
        return 1 - x1, y0, 1 - x0, y1

    def apply_to_keypoint(self, keypoint, **params):
        x, y, angle, scale = keypoint
        return params["cols"] - 1 - x, y, np.pi - angle, scale


def written(library):
    """A crop to the left half as one writes it for 2.x, of either library."""

    class Left(library.DualTransform):
        def __init__(self, share=(0.5, 0.5), p=0.5):
            super().__init__(p=p)
            self.share = share

        def get_params_dependent_on_data(self, params, data):
            assert "image" in data
            _, width = params["shape"][:2]
            return {"width": int(width * self.py_random.uniform(*self.share))}

        def apply(self, img, width, **params):
            return np.ascontiguousarray(img[:, :width])

        def apply_to_bboxes(self, bboxes, width, **params):
            bboxes = np.array(bboxes)
            bboxes[:, [0, 2]] *= params["shape"][1] / width
            return bboxes[bboxes[:, 0] < 1][::-1].clip(0, [1, 1, 1, 1] + [99] * (bboxes.shape[1] - 4))

        def apply_to_keypoints(self, keypoints, width, **params):
            return keypoints[keypoints[:, 0] < width]

    return Left


BOXES = [[2, 3, 9, 20], [25, 1, 39, 9], [10, 4, 30, 25], [3, 3, 8, 8]]


@pytest.mark.parametrize("labels", [["a", "b", "c", "a"], [7, 8, 9, 7]])
def test_the_same_class_does_the_same_in_albumentations(labels):
    results = []
    for library in (A, G):
        aug = library.Compose(
            [library.VerticalFlip(p=1), written(library)(p=1), library.HorizontalFlip(p=1)],
            bbox_params=library.BboxParams("pascal_voc", label_fields=["labels"]),
            keypoint_params=library.KeypointParams("xy", label_fields=["names"]),
            seed=1,
        )
        points = {"keypoints": [(3.0, 4.0), (30.0, 5.0), (8.0, 9.0)], "names": ["x", "y", "z"]}
        masks = np.stack([MASKS[0], MASKS[1]]).astype(np.uint8)
        results.append(
            aug(
                image=IMAGES[0],
                mask=MASKS[0].astype(np.uint8),
                masks=masks,
                bboxes=np.array(BOXES, float),
                labels=labels,
                **points,
            )
        )
    want, got = results
    for name in ("image", "mask", "masks"):
        np.testing.assert_array_equal(got[name], want[name])
    np.testing.assert_allclose(got["bboxes"], want["bboxes"], atol=1e-4)
    # the reference flips x -> w - 1 - x, and x of the pixel's edge, as we do
    np.testing.assert_allclose(np.array(got["keypoints"]), np.array(want["keypoints"]), atol=1e-4)
    assert list(got["labels"]) == list(want["labels"])
    assert list(got["names"]) == list(want["names"])


def test_hooks_for_one_box_and_one_point_do_what_flips_do():
    marks = {
        "bboxes": [BOXES[:2], BOXES[2:]],
        "labels": [["a", "b"], ["c", "a"]],
        "keypoints": [[(3, 4, 30.0)], [(9.5, 2, 200.0)]],
    }
    results = []
    for flip in (Turned, G.HorizontalFlip):
        aug = G.Compose(
            [G.RandomBrightnessContrast(p=1), flip(p=0.7), G.RandomCrop(20, 20)],
            bbox_params=G.BboxParams("pascal_voc", label_fields=["labels"], min_area=9),
            keypoint_params=G.KeypointParams("xya"),
            seed=4,
        )
        results.append(aug(image=IMAGES[:2], mask=MASKS[:2], **marks, ids=np.arange(2)))
    np.testing.assert_array_equal(results[0]["image"], results[1]["image"])
    for name in ("mask", "bboxes", "labels", "keypoints"):
        for a, b in zip(results[0][name], results[1][name]):
            np.testing.assert_allclose(a, b, atol=1e-9) if name != "labels" else np.testing.assert_array_equal(a, b)


def test_a_draw_depends_on_the_sample_alone():
    aug = G.Compose(
        [G.HorizontalFlip(), Everything(p=0.6), G.Affine(rotate=(-9, 9)), Everything(p=0.5), G.RandomCrop(20, 24)], seed=2
    )
    ids = np.arange(8)
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    whole = aug(IMAGES, ids=ids)
    assert random.getstate() == states[0]
    assert (np.random.get_state()[1] == states[1]).all()
    assert (torch.get_rng_state() == states[2]).all()
    for i in range(8):
        np.testing.assert_array_equal(aug(IMAGES[i : i + 1], ids=[i])[0], whole[i])
    np.random.seed(7)
    np.testing.assert_array_equal(aug(IMAGES[::-1], ids=ids[::-1])[::-1], whole)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(aug))(IMAGES, ids=ids), whole)
    assert len({image.tobytes() for image in aug(IMAGES[[0] * 8], ids=ids)}) == 8
    loader = G.DataLoader(
        list(zip(IMAGES, range(8))), batch_size=3, transform=G.Compose([aug, G.ToTensorV2()], seed=2), device="cpu"
    )
    one = G.DataLoader(
        list(zip(IMAGES, range(8))), batch_size=8, transform=G.Compose([aug, G.ToTensorV2()], seed=2), device="cpu"
    )
    assert torch.equal(torch.cat([x for x, _ in loader]), next(iter(one))[0])


def test_constructors_of_both_versions():
    assert Everything(p=0.3).p == 0.3
    assert Everything(2, 4, True).p == 1
    assert repr(Everything(2, 4, p=0.25)) == "Everything(low=2, high=4, always_apply=False, p=0.25)"

    class Plain(G.ImageOnlyTransform):
        def __init__(self, p=0.5):
            super().__init__(p)

        def apply(self, img, **params):
            self.random_generator.random()
            return img

    class Dressed(G.ImageOnlyTransform):
        class InitSchema(G.ImageOnlyTransform.InitSchema):
            sigma: tuple[float, float]

        def __init__(self, sigma=(1, 2), kernel=None, p=0.5):
            super().__init__(p=p)
            self.sigma, self.kernel = sigma, kernel

        def apply(self, img, **params):
            return img

    assert Plain(0.2).p == 0.2
    kernel = np.ones(3)
    mine = Dressed(["1", 3], kernel=kernel, p=0.1)
    assert (mine.sigma, mine.p, mine.kernel is kernel) == ((1.0, 3.0), 0.1, True)
    with pytest.raises(ValueError, match="sigma"):
        Dressed("no")
    aug = G.Compose([Plain(0.1), Dressed(p=0.5), G.Blur()], seed=1)
    aug(IMAGES[0])
    assert G.from_dict(G.to_dict(aug)) == aug
    assert G.from_dict(G.to_dict(aug))[1].sigma == (1, 2)


def test_targets_as_params_and_update_params_of_1x():
    class Near(G.DualTransform):
        interpolation = 1

        @property
        def targets_as_params(self):
            return ["image", "mask"]

        def update_params(self, params, **kwargs):
            params = super().update_params(params, **kwargs)
            return params | {"seen": kwargs["image"].shape}

        def get_params_dependent_on_targets(self, params):
            return {"value": int(params["mask"].max())}

        def apply(self, img, value, interpolation, rows, seen, **params):
            assert (rows, seen) == (30, (30, 40, 3))
            return np.full_like(img, value + 10 * interpolation)

    out = G.Compose([G.VerticalFlip(p=1), Near(p=1)])(image=IMAGES, mask=MASKS)
    assert (out["image"] == 12).all()
    assert (out["mask"] == 2).all()  # nearest
    with pytest.raises(ValueError, match="Near failed on sample 0 of the batch: it needs mask= among the targets"):
        G.Compose([Near(p=1)])(image=IMAGES)


class Made(G.ImageOnlyTransform, register=False):
    """Returns what a function makes."""

    def __init__(self, function, p=1.0):
        super().__init__(p=p)
        self.function = function

    def apply(self, img, **params):
        return self.function(img)


def test_channels_type_and_size_may_change_for_all():
    gray = G.Compose([Made(lambda x: x[..., 0]), G.Blur((3, 3), p=1)])(IMAGES)
    np.testing.assert_array_equal(gray, G.Compose([G.Blur((3, 3), p=1)])(IMAGES[..., :1].copy())[..., 0])
    scaled = G.Compose([Made(lambda x: x.astype(np.float32) / 255), G.Normalize(max_pixel_value=1.0), G.ToTensorV2()])(IMAGES)
    want = G.Compose([G.Normalize(), G.ToTensorV2()])(IMAGES)
    torch.testing.assert_close(scaled, want, rtol=0, atol=1e-5)
    more = G.Compose([Made(lambda x: np.dstack([x, x[..., :1]])), G.HorizontalFlip(p=1)])(IMAGES)
    assert more.shape == (8, 30, 40, 4)
    ragged = G.Compose([Made(lambda x: x[: 10 + int(x[0, 0, 0]) % 9])])(list(IMAGES))
    assert {x.shape[0] for x in ragged} == {10 + int(x[0, 0, 0]) % 9 for x in IMAGES}
    fixed = G.Compose([Made(lambda x: x[: 10 + int(x[0, 0, 0]) % 9], p=0.5), G.CenterCrop(8, 8)], seed=0)(IMAGES)
    assert fixed.shape == (8, 8, 8, 3)


@pytest.mark.parametrize(("function", "words"), [
    (lambda x: None, "must return an array, got None"),
    (lambda x: [1], "must return an array, got list"),
    (lambda x: x[0, 0], r"\[H, W\] or \[H, W, C\] with pixels, got shape \(3,\)"),
    (lambda x: x[:0], "with pixels"),
    (lambda x: x / 255, "returned float64 for image of uint8, and nothing is cast silently"),
    (lambda x: x.astype(np.float32), "into float32, 3 channels, but image 0 is uint8, 3 channels; .* set its p to 1"),
    (lambda x: x[:5], r"mask of \(30, 40\).*DualTransform"),
    (lambda x: 1 / 0, "division by zero"),
])  # fmt: skip
def test_what_comes_back_wrong_is_said(function, words):
    aug = G.Compose([Made(lambda x: x if x[0, 0, 0] == 0 else function(x))])
    images = IMAGES[:2].copy()
    images[:, 0, 0, 0] = 0, 1
    with pytest.raises((ValueError, TypeError, RuntimeError), match=f"Made .*1 of the batch.*{words}"):
        aug(image=images, mask=MASKS[:2])
    data = [{"image": images[i], "mask": MASKS[i]} for i in range(2)]
    loader = G.DataLoader(data, batch_size=2, transform=aug, device="cpu")
    with pytest.raises((ValueError, TypeError, RuntimeError), match=f"Made .*{words}.*holds the samples"):
        next(iter(loader))


def test_boxes_that_nobody_moves_are_refused():
    class Half(G.DualTransform):
        def apply(self, img, **params):
            return img[:15]

    params = {"bbox_params": G.BboxParams("pascal_voc"), "keypoint_params": G.KeypointParams("xy")}
    with pytest.raises(ValueError, match="Half does not move bboxes"):
        G.Compose([Half(p=1)], **params)(image=IMAGES[0], bboxes=[[1, 2, 3, 4]])
    with pytest.raises(
        ValueError, match=r"Made changed the size of sample 0 .* derive it from gpuaug.DualTransform, with apply_to_keypoints"
    ):
        G.Compose([Made(lambda x: x[:15])], **params)(image=IMAGES[0], keypoints=[[1, 2]])

    class Odd(Turned):
        def apply_to_bboxes(self, bboxes, **params):
            return self.rows(bboxes)

    for rows, words in (
        (lambda b: None, "must return rows, got None"),
        (lambda b: b[:, :3], r"rows of 5 finite numbers.*got shape \(1, 3\)"),
        (lambda b: b + 1, r"row with the labels \[8.0\], which none had"),
        (lambda b: b * np.nan, "finite"),
    ):
        Odd.rows = staticmethod(rows)
        with pytest.raises((ValueError, TypeError), match=f"Odd failed on sample 0 of the batch: .*{words}"):
            G.Compose([Odd(p=1)], **params)(image=IMAGES[0], bboxes=[[1, 2, 3, 4, 7]])


def test_classes_that_would_not_be_asked_are_refused():
    with pytest.raises(TypeError, match=r"Blurred has apply or get_params, .* derive it from gpuaug\.ImageOnlyTransform"):
        type("Blurred", (G.Blur,), {"apply": lambda self, img, **params: img})
    with pytest.raises(TypeError, match="Called has a __call__ of its own"):
        type("Called", (G.ImageOnlyTransform,), {"__call__": lambda self, **data: data})
    with pytest.raises(NotImplementedError, match="Bare has no property targets"):
        type("Bare", (G.BasicTransform,), {})()
    with pytest.raises(ValueError, match="Mine works on whole samples"):
        G.Compose([type("Mine", (Made,), {})(lambda x: x)]).draw(np.array([[3, 4]]), ids=[0])


def test_draws_behind_it_see_what_it_left():
    """Masks, boxes and limits go on from what came back."""
    mask = np.zeros((30, 40), np.uint8)
    mask[5:10, 2:9] = 1
    out = G.Compose([Turned(p=1), G.CropNonEmptyMaskIfExists(8, 8)], seed=3)(image=IMAGES[0], mask=mask)
    assert out["mask"].any()
    aug = [G.Compose([flip(p=1), G.BBoxSafeRandomCrop(p=1), G.HorizontalFlip(p=1)], seed=3, bbox_params=G.BboxParams("coco"))
           for flip in (Turned, G.HorizontalFlip)]  # fmt: skip
    a, b = (each(image=IMAGES[0], bboxes=[[2, 3, 9, 20], [5, 5, 1, 1]], ids=[3]) for each in aug)
    np.testing.assert_array_equal(a["image"], b["image"])
    np.testing.assert_allclose(a["bboxes"], b["bboxes"])
    kept = G.Compose([Turned(p=1)], bbox_params=G.BboxParams("coco", min_area=2))(
        image=IMAGES[0], bboxes=[[2, 3, 9, 20], [5, 5, 1, 1]]
    )
    np.testing.assert_allclose(kept["bboxes"], [[29, 3, 9, 20]])


def test_sets_volumes_further_targets_and_containers():
    clip = RNG.integers(0, 256, (2, 3, 30, 40, 3), np.uint8)
    aug = G.Compose([Turned(p=1), G.VerticalFlip(p=1)], additional_targets={"image2": "image", "depth": "mask"})
    want = G.Compose([G.HorizontalFlip(p=1), G.VerticalFlip(p=1)], additional_targets={"image2": "image", "depth": "mask"})
    for targets in (
        {"images": clip, "masks": clip[..., 0]},
        {"images": [list(c) for c in clip], "masks": [list(c[..., 0]) for c in clip]},
        {"volume": clip[0], "mask3d": clip[0, ..., 0]},
        {"volumes": clip, "masks3d": clip[..., 0]},
        {"image": clip[0], "image2": clip[1], "depth": clip[0, ..., 1].astype(np.float64)},
        {"image": torch.from_numpy(clip[0]).permute(0, 3, 1, 2), "mask": torch.from_numpy(clip[0, ..., 0]) > 99},
        {"image": clip[0, 0, ..., 0]},
        {"image": torch.rand(2, 3, 8, 9).half()},
    ):
        a, b = aug(**targets), want(**targets)
        for name in targets:
            assert type(a[name]) is type(b[name])
            for x, y in zip(a[name], b[name]):
                np.testing.assert_array_equal(
                    np.stack(x) if isinstance(x, list) else x, np.stack(y) if isinstance(y, list) else y
                )


def test_nobodys_memory_is_written_and_explain_tells_the_stage():
    def darker(image):
        image[:] //= 2
        return image

    given = IMAGES.copy()
    aug = G.Compose([Made(darker, p=0.5), G.HorizontalFlip(p=0.5)], seed=1)
    aug(given)
    np.testing.assert_array_equal(given, IMAGES)
    buffer = np.zeros((31, 41, 3), np.uint8)

    def again(image):
        buffer[:30, :40] = image
        return buffer

    out = G.Compose([Made(again)])(IMAGES)
    np.testing.assert_array_equal(out[:, :30, :40], IMAGES)
    text = aug.explain((30, 40), samples=16)
    assert "Made: host on" in text
    assert "ms each" in text

"""Kornia's augmentations in a pipeline: each of its list, a sample at a time or together, with what lies beside the image."""

from __future__ import annotations

import copy
import inspect
import pickle

import kornia.augmentation as K
import numpy as np
import pytest
import torch
from kornia.augmentation.base import _AugmentationBase, _BasicAugmentationBase

import gpuaug as G
from gpuaug.interop import kornia as adapter
from gpuaug.interop.kornia import Kornia

NEEDS = {
    "CenterCrop": {"size": (20, 24)},
    **{name: {"brightness": 0.3, "contrast": 0.3, "saturation": 0.3, "hue": 0.2} for name in ("ColorJiggle", "ColorJitter")},
    "Denormalize": {"mean": 0.5, "std": 0.5},
    "LongestMaxSize": {"max_size": 24},
    "Normalize": {"mean": 0.5, "std": 0.5},
    "PadTo": {"size": (40, 48)},
    "RandomAffine": {"degrees": 30.0, "translate": (0.1, 0.1), "scale": (0.8, 1.2), "shear": 10.0},
    "RandomBrightness": {"brightness": (0.5, 1.5)},
    "RandomClahe": {"grid_size": (4, 4), "clip_limit": (10.0, 40.0)},
    "RandomContrast": {"contrast": (0.5, 1.5)},
    "RandomCrop": {"size": (20, 24)},
    "RandomElasticTransform": {"kernel_size": (11, 11), "sigma": (4.0, 4.0)},
    "RandomFisheye": {name: torch.tensor(v) for name, v in
                      (("center_x", [-0.3, 0.3]), ("center_y", [-0.3, 0.3]), ("gamma", [0.9, 1.1]))},
    "RandomGamma": {"gamma": (0.5, 1.5)},
    "RandomGaussianBlur": {"kernel_size": (5, 5), "sigma": (0.5, 2.0)},
    "RandomGaussianNoise": {"std": 0.1},
    "RandomHue": {"hue": (-0.3, 0.3)},
    "RandomJPEG": {"jpeg_quality": (20.0, 80.0)},
    "RandomMotionBlur": {"kernel_size": (3, 7), "angle": 35.0, "direction": 0.5},
    "RandomRain": {"number_of_drops": (10, 20), "drop_height": (3, 5), "drop_width": (-3, 3)},
    "RandomResizedCrop": {"size": (20, 24)},
    "RandomRotation": {"degrees": 40.0},
    "RandomRotation90": {"times": (0, 3)},
    "RandomSaturation": {"saturation": (0.5, 1.5)},
    "RandomShear": {"shear": 20.0},
    "RandomSnow": {"snow_coefficient": (0.2, 0.6), "brightness": (1.5, 2.5)},
    "RandomTranslate": {"translate_x": (-0.2, 0.2), "translate_y": (-0.2, 0.2)},
    "Resize": {"size": (20, 24)},
    "SmallestMaxSize": {"max_size": 24},
}  # fmt: skip
STILL = {"CenterCrop", "Denormalize", "LongestMaxSize", "Normalize", "PadTo", "RandomAutoContrast", "RandomBoxBlur",
         "RandomEqualize", "RandomGrayscale", "RandomHorizontalFlip", "RandomInvert", "RandomMedianBlur", "RandomVerticalFlip",
         "Resize", "SmallestMaxSize"}  # fmt: skip  # with p=1 they draw nothing
FLOATS = {"Denormalize", "Normalize"}
IMAGES = torch.from_numpy(np.random.default_rng(3).random((6, 3, 32, 36), np.float32))
IDS = np.arange(6)


def classes():
    for name in sorted(vars(K)):
        cls = getattr(K, name)
        if inspect.isclass(cls) and issubclass(cls, _BasicAugmentationBase) and "Base" not in name:
            yield name, cls


def why_not(name, cls):
    return next((why for base, why in adapter.FAMILIES if issubclass(cls, base)), adapter.REFUSED.get(name))


RUN = [name for name, cls in classes() if why_not(name, cls) is None]
GEOMETRIC = [name for name in RUN if not issubclass(getattr(K, name), K.IntensityAugmentationBase2D)]
RIGID = [name for name in GEOMETRIC if issubclass(getattr(K, name), K.GeometricAugmentationBase2D)]


def made(name, **kwargs):
    cls = getattr(K, name)
    more = {"p": 1.0} if "p" in inspect.signature(cls.__init__).parameters else {}
    return cls(**NEEDS.get(name, {}), **more, **kwargs)


def test_every_class_runs_or_has_a_reason():
    assert len(RUN) >= 50
    assert set(RUN) >= adapter.TOGETHER
    for name, cls in classes():
        reason = why_not(name, cls)
        if reason is None:
            continue
        with pytest.raises(TypeError, match=f"{name} does not run in a gpuaug pipeline: {reason}"):
            Kornia(cls.__new__(cls))


@pytest.mark.parametrize("name", RUN)
def test_a_draw_depends_on_the_sample_alone(name, monkeypatch):
    aug = G.Compose([Kornia(made(name)), G.HorizontalFlip()], seed=2)
    whole = aug(list(IMAGES), ids=IDS)
    for some in ([0], [4, 1], [5, 3, 2]):
        for image, i in zip(aug(list(IMAGES[some]), ids=some), some):
            assert torch.equal(image, whole[i])
    varied = {image.numpy().tobytes() for image in G.Compose([Kornia(made(name))], seed=2)(list(IMAGES[[0] * 6]), ids=IDS)}
    assert len(varied) == 1 if name in STILL else len(varied) > 1 or name == "RandomClahe"  # whole limits of small tiles
    monkeypatch.setattr(adapter, "TOGETHER", frozenset())
    for a, b in zip(aug(list(IMAGES), ids=IDS), whole):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


PLAIN = [name for name in RUN if adapter._uniforms(made(name))]


@pytest.mark.parametrize("name", PLAIN)
def test_uniform_numbers_that_are_drawn_here_are_those_of_kornia(name):
    assert len(PLAIN) >= 13
    aug = made(name)
    torch.manual_seed(0)
    theirs = aug.forward_parameters(torch.Size((4000, 3, 32, 36)))
    ours = Kornia(aug)._generated(aug, torch.Size((4000, 3, 32, 36)), [i * 0x9E3779B97F4A7C15 % 2**64 for i in range(4000)])
    assert theirs.keys() == ours.keys()
    for what in theirs:
        a, b = theirs[what], ours[what]
        assert a.dtype == b.dtype
        if what == "forward_input_shape":
            assert a[1:].tolist() == b[1:].tolist()
            continue
        assert a.shape == b.shape
        wide = (a.max() - a.min()).item()
        assert abs((a.min() - b.min()).item()) <= 0.01 * wide
        assert abs((a.max() - b.max()).item()) <= 0.01 * wide
        assert abs((a.mean() - b.mean()).item()) <= 0.03 * wide  # four deviations of a mean of 4000: 0.018


@pytest.mark.parametrize("name", sorted(set(RUN) - FLOATS))
def test_uint8_goes_in_as_a_fraction_and_comes_back_rounded(name):
    images = (255 * IMAGES).round().to(torch.uint8)
    aug = G.Compose([Kornia(made(name))], seed=2)
    got = aug(list(images), ids=IDS)
    want = aug(list(images.float() / 255), ids=IDS)
    for a, b in zip(got, want):
        assert a.dtype == torch.uint8
        torch.testing.assert_close(a.float(), (255 * b).round().clamp(0, 255), rtol=0, atol=0)


@pytest.mark.parametrize("name", RIGID)
def test_masks_boxes_and_points_move_as_the_image_does(name):
    """A blob in the image, and the same in the mask, lies where the point and the box say."""
    y, x = np.mgrid[:64, :72]
    params = {
        "bbox_params": G.BboxParams("pascal_voc", min_visibility=0),
        "keypoint_params": G.KeypointParams("xy", remove_invisible=False),
    }
    needs = {"RandomCrop": {"size": (50, 56)}, "RandomResizedCrop": {"size": (50, 56), "scale": (0.5, 0.9)},
             "PadTo": {"size": (80, 90)}, "CenterCrop": {"size": (50, 56)}, "Resize": {"size": (50, 56)},
             "LongestMaxSize": {"max_size": 50}, "SmallestMaxSize": {"max_size": 50},
             "RandomPerspective": {"distortion_scale": 0.3}}  # fmt: skip
    aug = Kornia(made(name) if name not in needs else getattr(K, name)(**needs[name]))
    aug.p = 1.0
    seen = 0
    for i, (cx, cy) in enumerate([(30, 26), (40, 36), (36, 24)]):
        blob = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 18).astype(np.float32)
        mask = (((x - cx) ** 2 + (y - cy) ** 2) < 26).astype(np.uint8)
        box = [cx - 5, cy - 5, cx + 6, cy + 6]
        out = G.Compose([aug], seed=3, **params)(
            image=blob[..., None].repeat(3, 2), mask=mask, bboxes=[box], keypoints=[(cx, cy)], ids=[i]
        )
        found = out["image"][..., 0]
        oy, ox = np.mgrid[: found.shape[0], : found.shape[1]]
        assert out["mask"].shape == found.shape
        px, py = out["keypoints"][0]
        if not (7 < px < found.shape[1] - 8 and 7 < py < found.shape[0] - 8):
            continue
        seen += 1
        for weights in (found, out["mask"]):
            centre = (weights * ox).sum() / weights.sum(), (weights * oy).sum() / weights.sum()
            np.testing.assert_allclose(centre, (px, py), atol=0.75)
        rows, columns = np.nonzero(out["mask"])
        around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        x0, y0, x1, y1 = out["bboxes"][0]
        assert x0 - 1 <= around[0]
        assert y0 - 1 <= around[1]
        assert x1 + 1 >= around[2]
        assert y1 + 1 >= around[3]
    assert seen


@pytest.mark.parametrize("name", sorted(set(GEOMETRIC) - set(RIGID)))
def test_without_a_matrix_masks_move_and_boxes_are_refused(name):
    labels = torch.zeros(2, 32, 36, dtype=torch.int64)
    labels[:, 8:24, 8:24] = 300
    aug = G.Compose([Kornia(made(name))], seed=1, bbox_params=G.BboxParams("coco"))
    out = aug(image=labels[:, None].float() / 300, mask=labels)
    moved = out["image"][:, 0] > 0.5
    assert set(out["mask"].unique().tolist()) == {0, 300}
    assert (moved != (out["mask"] == 300)).float().mean() < 0.03
    with pytest.raises(ValueError, match=f"kornia.{name} does not move bboxes"):
        aug(image=np.zeros((32, 32, 3), np.uint8), bboxes=[[1, 1, 2, 2]])


class Smearing(K.AugmentationBase2D):
    def generate_parameters(self, shape):
        return {}

    def compute_transformation(self, input, params, flags):
        return self.identity_matrix(input)

    def apply_transform(self, input, params, flags, transform=None):
        return (input + input.roll(1, -1)) / 2


def test_what_mixes_labels_is_refused_masks():
    aug, mask = G.Compose([Kornia(Smearing(p=1.0))]), np.eye(8, dtype=np.uint8) * 200
    assert aug(image=mask[..., None])["image"].max() == 100
    assert "kornia.Smearing" in aug.explain((8, 8), samples=2)
    with pytest.raises(ValueError, match="Smearing failed on sample 0 of the batch: it has no apply_transform_mask"):
        aug(image=mask[..., None], mask=mask)


def test_only_the_samples_that_drew_it_amid_others():
    aug = G.Compose([G.RandomCrop(24, 24), Kornia(K.RandomPlanckianJitter(p=0.5)), G.Normalize(max_pixel_value=1.0)], seed=5)
    plain = G.Compose([G.RandomCrop(24, 24), G.Normalize(max_pixel_value=1.0)], seed=5)
    a, b = aug(IMAGES, ids=IDS), plain(IMAGES, ids=IDS)
    same = [torch.equal(x, y) for x, y in zip(a, b)]
    assert 0 < sum(same) < 6
    text = aug.explain((32, 36), samples=6, dtype="float32")
    assert "kornia.RandomPlanckianJitter: torch on" in text
    assert "Kornia, together" in text
    assert torch.equal(pickle.loads(pickle.dumps(aug))(IMAGES, ids=IDS), a)
    assert torch.equal(copy.deepcopy(aug)(IMAGES, ids=IDS), a)
    assert copy.deepcopy(aug) == aug
    assert Kornia(K.RandomHue((0.1, 0.2))) != Kornia(K.RandomHue((0.1, 0.3)))
    assert Kornia(K.RandomHue((0.1, 0.2))) != Kornia(K.RandomHue((0.1, 0.2)), p=0.4)
    state = torch.get_rng_state()
    aug(IMAGES, ids=IDS)
    assert torch.equal(torch.get_rng_state(), state)


class Own(K.IntensityAugmentationBase2D):
    def generate_parameters(self, shape):
        return {"by": torch.rand(shape[0])}

    def apply_transform(self, input, params, flags, transform=None):
        return (input * params["by"].view(-1, 1, 1, 1) + 0.1 * torch.rand_like(input)).clamp(0, 1)


def test_a_users_own_module_stands_in_a_list():
    aug = G.Compose([G.HorizontalFlip(), Own(p=0.7), G.OneOf([K.RandomInvert(p=1.0), G.Blur(p=1)])], seed=1)
    assert isinstance(aug[1], Kornia)
    assert aug[1].p == 0.7
    whole = aug(IMAGES, ids=IDS)
    for i in range(6):
        assert torch.equal(aug(IMAGES[i : i + 1], ids=[i])[0], whole[i])
    assert "kornia.Own: torch on" in aug.explain((32, 36), samples=4, dtype="float32")
    clip = IMAGES.reshape(2, 3, 3, 32, 36)
    frames = G.Compose([Own(p=1.0)], seed=1)(images=clip.permute(0, 1, 3, 4, 2).contiguous().numpy()[:, [0, 0]])["images"]
    np.testing.assert_array_equal(frames[:, 0], frames[:, 1])


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: Kornia(K.RandomHue(same_on_batch=True)), ValueError, "same_on_batch=True .*draws for a batch"),
    (lambda: Kornia(torch.nn.ReLU()), TypeError, "gpuaug.Torch takes modules"),
    (lambda: Kornia(K.AugmentationSequential(K.RandomHue())), TypeError, "gpuaug.from_kornia"),
    (lambda: G.Compose([Kornia(made("Normalize"))])(np.zeros((4, 4, 3), np.uint8)), ValueError,
     "image is uint8, which does not hold"),
    (lambda: G.Compose([Kornia(made("RandomInvert"))])(np.zeros((4, 4, 3), np.int32)), TypeError,
     "Kornia takes uint8 and floats"),
    (lambda: G.Compose([K.RandomMixUpV2()]), TypeError, "it mixes the samples of a batch; gpuaug.data.MixUp"),
    (lambda: G.Compose([Kornia(made("RandomHue"))])(np.zeros((4, 4, 5), np.uint8)), (TypeError, ValueError, RuntimeError),
     "kornia.RandomHue failed on sample 0"),
    (lambda: Kornia(_AugmentationBase), TypeError, "must be one of Kornia's"),
])  # fmt: skip
def test_what_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()

"""Kornia's pipelines as gpuaug's: equal arithmetic, compared with Kornia; what there is not, refused or run by Kornia."""

from __future__ import annotations

import kornia.augmentation as K
import numpy as np
import pytest
import torch
from kornia.constants import DataKey, Resample

import gpuaug as G
from gpuaug.interop.kornia import Kornia
from tests.interop.test_kornia import RUN, made

ONE = (1.0, 1.0)
# with ranges of one value both make one image: (augmentation, bound for floats, bound for bytes). Floats: a few roundings of
# float32. Bytes: gpuaug cuts tone off where Kornia's fraction is rounded, 1; hue goes by OpenCV's whole numbers of degrees / 2, 4
SAME = [
    (K.RandomHorizontalFlip(p=1.0), 0, 0),
    (K.RandomVerticalFlip(p=1.0), 0, 0),
    (K.RandomInvert(p=1.0), 1e-6, 0),
    (K.CenterCrop((20, 31)), 0, 0),
    (K.CenterCrop(21), 0, 0),
    (K.PadTo((50, 60)), 0, 0),
    (K.PadTo((20, 60)), 0, 0),
    (K.PadTo((20, 60), crop_if_exceeds=False), 0, 0),
    (K.RandomCrop((37, 46)), 0, 0),
    (K.RandomCrop((41, 54), padding=(4, 2)), 0, 0),
    (K.RandomCrop((40, 51), padding=(1, 2, 4, 1), padding_mode="reflect"), 0, 0),
    (K.RandomBrightness((1.3, 1.3)), 1e-6, 1),
    (K.RandomContrast((0.6, 0.6)), 1e-6, 1),
    (K.RandomGamma((0.6, 0.6)), 2e-6, 1),
    (K.RandomPosterize((3.0, 3.0), p=1.0), 1e-6, 0),
    (K.RandomSolarize((0.4, 0.4), (0.0, 0.0), p=1.0), 1e-6, 0),
    (K.RandomRGBShift((0.2, 0.2), (-0.1, -0.1), (0.05, 0.05), p=1.0), 1e-6, 1),
    (K.RandomGrayscale(p=1.0), 1e-6, 1),
    (K.ColorJitter(ONE, (1.3, 1.3), ONE, (0.0, 0.0)), 3e-6, 1),
    (K.ColorJitter((0.7, 0.7), ONE, ONE, (0.0, 0.0)), 3e-6, 1),
    (K.ColorJitter(ONE, ONE, (1.6, 1.6), (0.0, 0.0)), 3e-6, 1),
    (K.RandomHue((0.1, 0.1)), 1e-5, 4),
    (K.RandomGaussianBlur((5, 5), (1.3, 1.3), p=1.0), 2e-6, 1),
    (K.RandomGaussianBlur(7, (0.8, 0.8), p=1.0), 2e-6, 1),
    (K.RandomBoxBlur((5, 5), p=1.0), 2e-6, 1),
    (K.RandomRotation((20.0, 20.0), p=1.0), 5e-5, 1),
    (K.RandomAffine((20.0, 20.0), None, (1.2, 1.2), p=1.0), 5e-5, 1),
    (K.RandomAffine((20.0, 20.0), None, (1.2, 1.2, 0.8, 0.8), padding_mode="border", p=1.0), 5e-5, 1),
    (K.RandomAffine((20.0, 20.0), None, (0.7, 0.7), padding_mode="reflection", p=1.0), 5e-5, 1),
    (K.RandomAffine((20.0, 20.0), None, (0.7, 0.7), padding_mode="reflection", align_corners=True, p=1.0), 5e-5, 1),
    (K.RandomAffine(0.0, None, None, (10.0, 10.0), p=1.0), 5e-5, 1),
    (K.RandomShear((0.0, 0.0, 10.0, 10.0), p=1.0), 5e-5, 1),
    (K.RandomTranslate((5.0001 / 46, 5.0001 / 46), (-4.0001 / 37, -4.0001 / 37), p=1.0), 3e-4, 1),  # gpuaug: by whole pixels
    (K.Resize((20, 30), align_corners=False), 5e-5, 1),
    (K.Resize((60, 90), resample="bicubic", align_corners=False), 5e-5, 1),
    (K.Resize((20, 30), resample="nearest"), 0, 0),
    (K.LongestMaxSize(30, align_corners=False), 5e-5, 1),
    (K.SmallestMaxSize(30, align_corners=False), 5e-5, 1),
]
_Y, _X = np.mgrid[:37, :46]
IMAGE = np.stack([127 + 120 * np.sin(_X / 5 + _Y / 9 + c) * np.cos(_Y / (4 + c)) for c in range(3)], 2).round().astype(np.uint8)


@pytest.mark.parametrize(("aug", "close", "steps"), SAME, ids=lambda a: str(a)[:60])
def test_equal(aug, close, steps):
    ours = G.from_kornia(aug, seed=1)
    assert not any(isinstance(t, Kornia) for t in ours)
    floats = torch.from_numpy(IMAGE).permute(2, 0, 1).float() / 255
    want = aug(floats[None])[0]
    got = ours(floats)
    assert got.shape == want.shape
    torch.testing.assert_close(got, want, rtol=0, atol=close)
    whole = (255 * want).round().clamp(0, 255)
    got = ours(torch.from_numpy(IMAGE).permute(2, 0, 1).contiguous())
    assert (got.float() - whole).abs().max() <= steps


def test_normalize_takes_bytes_as_fractions():
    aug = K.Normalize((0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
    floats = torch.from_numpy(IMAGE).permute(2, 0, 1).float() / 255
    ours = G.from_kornia(K.ImageSequential(K.RandomHorizontalFlip(p=1.0), aug))
    want = aug(floats[None].flip(-1))[0]
    torch.testing.assert_close(ours(floats), want, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours(torch.from_numpy(IMAGE).permute(2, 0, 1).contiguous()), want, rtol=0, atol=1e-5)


def test_ranges_are_taken_over():
    augs = [
        (K.RandomAffine(10.0, (0.1, 0.2), (0.8, 1.2), p=0.4),
         G.Affine((0.8, 1.2), {"x": (-0.1, 0.1), "y": (-0.2, 0.2)}, rotate=(-10, 10), keep_ratio=True, p=0.4)),
        (K.RandomAffine((5.0, 10.0), None, (0.8, 1.2, 0.9, 1.1)),
         G.Affine(scale={"x": (0.8, 1.2), "y": (0.9, 1.1)}, rotate=(-10, -5), p=0.5)),
        (K.ColorJitter(0.1, (0.7, 1.5), 0.2, 0.05, p=0.3),
         G.ColorJitter((0.9, 1.1), (0.7, 1.5), (0.8, 1.2), (-0.05, 0.05), p=0.3)),
        (K.RandomResizedCrop((8, 9), (0.2, 0.7), (0.5, 2.0), resample="nearest"),
         G.RandomResizedCrop((8, 9), (0.2, 0.7), (0.5, 2.0), interpolation=6, mask_interpolation=6)),
        (K.RandomErasing((0.1, 0.2), (0.4, 2.0), p=0.2), G.Erasing((0.1, 0.2), (0.4, 2.0), fill=0, fill_mask=0, p=0.2)),
        (K.RandomGaussianNoise(0.1, 0.05, p=0.7), G.GaussNoise((0.05, 0.05), (0.1, 0.1), p=0.7)),
        (K.RandomPlanckianJitter("CIED", p=0.2), G.PlanckianJitter("cied", p=0.2)),
        (K.RandomChannelShuffle(p=0.2), G.ChannelShuffle(p=0.2)),
        (K.RandomGaussianBlur((3, 3), (0.1, 2.0)), G.GaussianBlur((3, 3), (0.1, 2.0), p=0.5)),
    ]  # fmt: skip
    assert G.from_kornia([aug for aug, _ in augs], seed=4) == G.Compose([want for _, want in augs], seed=4)


def test_sequences_and_choices():
    def flips():
        return K.RandomHorizontalFlip(p=0.3), K.RandomVerticalFlip(p=1.0), K.RandomInvert(p=1.0)

    one, two, three = G.HorizontalFlip(p=0.3), G.VerticalFlip(p=1.0), G.InvertImg(p=1.0)
    first = G.Sequential([one], p=1.0)
    cases = [
        (K.ImageSequential(*flips()), [one, two, three]),
        (torch.nn.Sequential(K.ImageSequential(*flips()[:2]), torch.nn.Identity(), flips()[2]), [one, two, three]),
        (K.ImageSequential(*flips(), random_apply=True), [G.RandomOrder([first, two, three], n=(3, 3), p=1.0)]),
        (K.ImageSequential(*flips(), random_apply=2), [G.RandomOrder([first, two, three], n=(2, 2), p=1.0)]),
        (K.ImageSequential(*flips(), random_apply=(1, 2)), [G.RandomOrder([first, two, three], n=(1, 2), p=1.0)]),
        (K.ImageSequential(*flips(), random_apply=5), [G.RandomOrder([first, two, three], n=(5, 5), replace=True, p=1.0)]),
        (K.ImageSequential(*flips(), random_apply=1, random_apply_weights=[1, 0, 4]),
         [G.OneOf([G.Sequential([one], p=0.25), G.Sequential([three], p=1.0)], p=1.0)]),
        (K.ImageSequential(K.ImageSequential(*flips()[:2]), flips()[2], random_apply=1),
         [G.RandomOrder([G.Sequential([one, two], p=1.0), three], n=(1, 1), p=1.0)]),
    ]  # fmt: skip
    for theirs, ours in cases:
        assert G.from_kornia(theirs) == G.Compose(ours)
    # the law of a weighted choice, as Kornia draws it
    image = torch.zeros(1, 1, 1, 2)
    image[..., 0] = 1
    theirs = K.ImageSequential(flips()[0], K.RandomInvert(p=1.0), random_apply=1, random_apply_weights=[3, 1])
    torch.manual_seed(0)
    want = sum(float(theirs(image)[0, 0, 0, 0]) for _ in range(2000)) / 2000
    got = float(G.from_kornia(theirs, seed=1)(image.expand(4000, 1, 1, 2)).float()[:, 0, 0, 0].mean())
    assert abs(got - (1 - 0.75 * 0.3 - 0.25)) < 0.03
    assert abs(got - want) < 0.05


def test_targets():
    pipeline = K.AugmentationSequential(
        K.RandomHorizontalFlip(p=1.0), data_keys=["input", "mask", "bbox_xywh", "keypoints"], same_on_batch=False
    )
    aug = G.from_kornia(pipeline)
    assert aug.bbox_params == G.BboxParams("coco")
    assert aug.keypoint_params == G.KeypointParams("xy", remove_invisible=False)
    out = aug(image=IMAGE, mask=IMAGE[..., 0], bboxes=[[2, 3, 4, 5]], keypoints=[(1, 2)])
    np.testing.assert_allclose(out["bboxes"], [[46 - 2 - 4, 3, 4, 5]])
    blank, box, point = torch.zeros(1, 3, 37, 46), torch.tensor([[[2.0, 3.0, 4.0, 5.0]]]), torch.tensor([[[1.0, 2.0]]])
    points = pipeline(blank, blank[:, :1], box, point)[3]
    np.testing.assert_allclose(np.array(out["keypoints"], float), points[0])
    mine = G.BboxParams("coco", label_fields=["kind"], min_area=3)
    assert G.from_kornia(pipeline, bbox_params=mine).bbox_params == mine


class Own(K.IntensityAugmentationBase2D):
    def generate_parameters(self, shape):
        return {}

    def apply_transform(self, input, params, flags, transform=None):
        return 1 - input


def test_all_that_there_is_not_stands_in_one_error():
    pipeline = K.AugmentationSequential(
        K.RandomHue((0.1, 0.1)),
        K.ImageSequential(K.RandomClahe(), K.RandomSolarize(), Own(p=1.0)),
        K.RandomMixUpV2(),
        K.RandomInvert(same_on_batch=True),
        K.RandomCrop((4, 4), p=0.5),
        torch.nn.ReLU(),
        extra_args={DataKey.MASK: {"resample": Resample.BILINEAR}},
    )
    with pytest.raises(ValueError, match="cannot be one of gpuaug") as caught:
        G.from_kornia(pipeline)
    lines = str(caught.value).split("\n- ")
    starts = [
        "pipeline[1][0]: RandomClahe: no transform of gpuaug does the same (CLAHE works on lightness); Kornia runs it with",
        "pipeline[1][1]: RandomSolarize: Solarize has no additions in gpuaug; Kornia runs it",
        "pipeline[1][2]: Own: no transform of gpuaug does the same; Kornia runs it",
        "pipeline[2]: Kornia's RandomMixUpV2 does not run in a gpuaug pipeline: it mixes",
        "pipeline[3]: RandomInvert has same_on_batch=True, p_batch=1.0",
        "pipeline[4]: RandomCrop has same_on_batch=False, p_batch=0.5",
        "pipeline[5]: ReLU is no augmentation, nor a sequence of them: gpuaug.Torch",
        "pipeline: extra_args=",
    ]
    assert len(lines) == 1 + len(starts)
    for line, start in zip(lines[1:], starts):
        assert line.startswith(start)
    with pytest.raises(ValueError, match="does not run in a gpuaug pipeline") as caught:
        G.from_kornia(pipeline, unsupported="wrap")
    assert len(str(caught.value).split("\n- ")) == 6
    wrapped = G.from_kornia(pipeline[1], unsupported="wrap")
    assert [type(t).__name__ for t in wrapped] == ["Kornia", "Kornia", "Kornia"]
    weighted = K.ImageSequential(
        K.RandomInvert(), K.RandomHue((0.0, 0.0)), K.RandomHue((0.0, 0.0)), random_apply=2, random_apply_weights=[1.0, 2.0, 1.0]
    )
    with pytest.raises(ValueError, match="random_apply_weights are there for random_apply=1"):
        G.from_kornia(weighted)
    with pytest.raises(ValueError, match="pass the frames as images="):
        G.from_kornia([K.VideoSequential(K.RandomInvert())])
    with pytest.raises(TypeError, match="from_kornia takes pipelines"):
        G.from_kornia(3)
    with pytest.raises(TypeError, match=r"gpuaug\.from_kornia makes one"):
        G.Compose([K.ImageSequential(K.RandomInvert())])


@pytest.mark.parametrize("name", [name for name in RUN if name != "Denormalize"])
def test_every_class_converts_or_is_run_by_kornia(name):
    image = torch.rand(3, 32, 36, generator=torch.Generator().manual_seed(1))
    aug = G.from_kornia(made(name), unsupported="wrap", seed=2)
    whole = aug(image.expand(3, -1, -1, -1), ids=[0, 1, 2])
    assert torch.equal(aug(image, ids=[1]), whole[1])

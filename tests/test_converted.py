"""Other libraries' pipelines as gpuaug's: from_albumentations, from_torchaudio."""

from __future__ import annotations

import warnings

import albumentations as A
import numpy as np
import pytest
import torch
import torchaudio.transforms as T

import gpuaug as G
from gpuaug import audio
from gpuaug.interop.albumentations import Albumentations

IMAGE = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)


def build(m, **more):
    return m.Compose(
        [
            m.OneOf([m.HorizontalFlip(p=1), m.Blur(blur_limit=(3, 5), p=0.4)], p=0.3),
            m.OneOrOther(m.RandomRotate90(), m.Sequential([m.Rotate(limit=(-3, 4)), m.ToGray()], p=0.7)),
            m.SomeOf([m.HueSaturationValue(), m.D4()], n=2, replace=False),
            m.Compose([m.Resize(8, 8, interpolation=2), m.Normalize(), m.ToTensorV2()]),
        ],
        bbox_params=m.BboxParams("yolo", label_fields=["labels"], min_visibility=0.1, clip=True),
        keypoint_params=m.KeypointParams("xya", remove_invisible=False),
        additional_targets={"image2": "image"},
        p=0.8,
        **more,
    )


def test_objects_dicts_and_files(tmp_path):
    theirs = build(A, seed=5)
    assert G.from_albumentations(theirs) == build(G, seed=5)
    assert G.from_albumentations(theirs, seed=6) == build(G, seed=6)
    assert G.from_albumentations(A.to_dict(theirs)) == build(G)
    for kind in ("json", "yaml"):
        A.save(theirs, tmp_path / f"saved.{kind}", data_format=kind)
        assert G.from_albumentations(tmp_path / f"saved.{kind}", seed=5) == build(G, seed=5)
    assert G.from_albumentations(A.HorizontalFlip(p=0.2)) == G.HorizontalFlip(p=0.2)
    masks = A.Compose([A.Resize(8, 8)], mask_interpolation=6, save_applied_params=True)
    assert G.from_albumentations(masks) == G.Compose([G.Resize(8, 8, mask_interpolation=6)], save_applied_params=True)
    assert G.from_albumentations(A.ReplayCompose([A.Transpose()])) == G.ReplayCompose([G.Transpose()])


def test_functions_and_images_are_taken_over():
    def invert(image, **more):
        return 255 - image

    flipped = G.from_albumentations(A.Compose([A.Lambda(image=invert, name="invert", p=1)]))
    np.testing.assert_array_equal(flipped(image=IMAGE)["image"], 255 - IMAGE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = A.HistogramMatching([IMAGE[::-1]], read_fn=lambda x: x, blend_ratio=(1, 1), p=1)
        ours = G.from_albumentations(theirs)
        assert ours.reference_images[0] is theirs.reference_images[0]
        assert ours.blend_ratio == (1, 1)
        want = theirs.apply(IMAGE, reference_image=IMAGE[::-1], blend_ratio=1.0)  # theirs asks for hm_metadata= in a pipeline
    got = G.Compose([ours])(image=IMAGE)["image"]
    assert np.abs(got.astype(int) - want).max() <= 1


class Mine(A.ImageOnlyTransform):
    def apply(self, img, **params):
        return img


def test_what_is_not_there_is_listed():
    theirs = A.Compose([A.HorizontalFlip(), Mine(), A.OneOf([Mine(), A.FromFloat(dtype="uint32", p=1)])])
    with pytest.raises(ValueError, match="cannot be one of gpuaug") as caught:
        G.from_albumentations(theirs)
    lines = str(caught.value).split("\n- ")
    assert lines[0] == f"this pipeline of albumentations {A.__version__} cannot be one of gpuaug:"
    assert [line.split(":")[0] for line in lines[1:]] == [
        "transform.transforms[1]",
        "transform.transforms[2].transforms[0]",
        "transform.transforms[2].transforms[1]",
    ]
    assert f"{__name__}.Mine" in lines[1]
    assert "'uint32' is not built" in lines[3]
    with pytest.raises(TypeError, match="from_albumentations takes albumentations' transforms"):
        G.from_albumentations(G.HorizontalFlip())
    with pytest.raises(ValueError, match="seed= is of a Compose, this is a HorizontalFlip"):
        G.from_albumentations(A.HorizontalFlip(), seed=1)


def test_what_is_not_there_can_be_run_by_albumentations(tmp_path):
    theirs = A.Compose(
        [A.HorizontalFlip(p=1), Mine(p=0.4), A.OneOf([A.FromFloat(dtype="uint16", p=1), A.InvertImg(p=0)], p=1)], seed=3
    )
    ours = G.from_albumentations(theirs, unsupported="wrap")
    assert isinstance(ours[0], G.HorizontalFlip)
    assert isinstance(ours[1], Albumentations)
    assert ours[1].p == 0.4
    image = np.float32(IMAGE) / 255
    np.testing.assert_array_equal(ours(image=image)["image"], theirs(image=image)["image"])
    selective = A.Compose([A.SelectiveChannelTransform([A.InvertImg(p=1)], channels=[1], p=1)])
    got = G.from_albumentations(selective, unsupported="wrap")(image=IMAGE)["image"]
    np.testing.assert_array_equal(got, selective(image=IMAGE)["image"])

    A.save(theirs, tmp_path / "saved.json", data_format="json")
    again = G.from_albumentations(tmp_path / "saved.json", unsupported="wrap", seed=3)
    np.testing.assert_array_equal(again(image=image)["image"], ours(image=image)["image"])
    d = A.to_dict(theirs)
    d["transform"]["transforms"][1]["__class_fullname__"] = "elsewhere.Gone"
    d["transform"]["transforms"][0]["direction"] = 1  # albumentations would warn, and leave it out
    with pytest.raises(ValueError, match=r"elsewhere\.Gone") as caught:
        G.from_albumentations(d, unsupported="wrap")
    assert [line.split(":")[0] for line in str(caught.value).split("\n- ")[1:]] == [
        "transform.transforms[0]",
        "transform.transforms[1]",
    ]
    with pytest.raises(ValueError, match="unsupported must be one of 'raise', 'wrap', got 'skip'"):
        G.from_albumentations(theirs, unsupported="skip")


# ---- torchaudio --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "modules",
    [
        [T.Spectrogram(n_fft=64, hop_length=20, power=1.0, window_fn=torch.hamming_window), T.AmplitudeToDB("magnitude", 60)],
        [T.MelSpectrogram(8000, 128, n_mels=20, f_min=30.0, norm="slaney", mel_scale="slaney"), T.AmplitudeToDB()],
        [T.Spectrogram(n_fft=64, center=False, normalized=True, onesided=False)],
        [T.Spectrogram(n_fft=64, pad_mode="constant", win_length=50)],
    ],
)  # fmt: skip
def test_spectrograms_are_torchaudios(modules):
    wave = torch.randn(3, 800, generator=torch.Generator().manual_seed(1))
    want = torch.stack([torch.nn.Sequential(*modules)(each[None])[0] for each in wave])
    got = G.from_torchaudio(torch.nn.Sequential(*modules[:1], torch.nn.Sequential(*modules[1:], torch.nn.Identity())))(wave)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


def test_masks_are_drawn_for_each_sample():
    aug = G.from_torchaudio(
        [T.TimeMasking(8, iid_masks=True, p=0.5), T.FrequencyMasking(5), T.SpecAugment(2, 6, 1, 3, p=0.4)], seed=3
    )
    want = audio.Compose(
        [audio.TimeMasking(8, True, 0.5), audio.FrequencyMasking(5), audio.SpecAugment(2, 6, 1, 3, p=0.4)], seed=3
    )
    ones = torch.ones(6, 2, 20, 40)
    got = aug(ones)
    torch.testing.assert_close(got, want(ones))
    assert len({each.numpy().tobytes() for each in got}) == 6
    step = audio.TimeReverse(1.0)
    assert list(G.from_torchaudio(step).steps) == [step]


def test_modules_that_are_not_there_are_listed():
    with pytest.raises(ValueError, match="cannot be steps") as caught:
        G.from_torchaudio(torch.nn.Sequential(T.Vol(0.5), T.Spectrogram(pad=3), torch.nn.Sequential(T.MelScale(), T.MFCC())))
    lines = str(caught.value).split("\n- ")[1:]
    assert lines[0] == "modules[0]: gpuaug.audio has no Vol: gpuaug.audio.Gain draws one for each waveform"
    assert lines[1].startswith("modules[1]: Spectrogram: pad=3 is not there")
    assert lines[2].startswith("modules[2][0]: gpuaug.audio has no MelScale: gpuaug.audio.MelSpectrogram")
    assert lines[3].startswith("modules[2][1]: gpuaug.audio has no MFCC")
    with pytest.raises(TypeError, match=r"modules\[0\] is Linear"):
        G.from_torchaudio([torch.nn.Linear(1, 1)])

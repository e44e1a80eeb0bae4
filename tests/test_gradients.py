"""Gradients are carried exactly, or refused in words: never cut in silence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchaudio

import gpuaug as G
from gpuaug import audio

STEPS = {
    "time": lambda: audio.TimeMasking(12, True),
    "frequency": lambda: audio.FrequencyMasking(9, True, mask_value=-3.0),
    "mean": lambda: audio.SpecAugment(2, 9, 2, 6),
    "per channel": lambda: audio.SpecAugment(1, 9, 1, 6, iid_channels=True),
    "warp": lambda: audio.TimeWarp(6),
    "all": lambda: audio.SpecAugment(2, 9, 1, 6, time_warp=5, prob=0.6),
    "reverse": lambda: audio.TimeReverse(0.5),
}


def composed(name):
    return audio.Compose([STEPS[name]()], seed=3)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("lengths", [None, [40, 33, 12, 40, 25, 3]], ids=["whole", "padded"])
def test_the_two_roads_agree(name, lengths):
    """With a gradient, and in float64, operations of torch do what the kernel does without."""
    x = torch.randn(6, 2, 20, 40, generator=torch.Generator().manual_seed(1))

    def run(data):
        out = composed(name)(data, lengths, ids=np.arange(6))
        return out[0] if lengths else out

    want = run(x)
    assert not torch.equal(want, x)
    # warps: the kernel's column is a float32 of 40 columns, 2^-18 off at most, times a difference of values below 8; means:
    # 1600 values summed in float32
    torch.testing.assert_close(run(x.clone().requires_grad_()).detach(), want, rtol=0, atol=8 * 2**-18)
    double = run(x.double())
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), want, rtol=0, atol=8 * 2**-18)


@pytest.mark.parametrize("name", STEPS)
def test_gradients_of_masks(name):
    """Against central differences of the float64 result."""
    x = torch.randn(3, 2, 12, 14, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).requires_grad_()
    assert torch.autograd.gradcheck(lambda data: composed(name)(data, [14, 11, 9], ids=np.arange(3))[0], (x,))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (audio.TimeMasking(12, True), lambda s, v: torchaudio.functional.mask_along_axis(s, 12, v, 2)),
        (audio.FrequencyMasking(9, True), lambda s, v: torchaudio.functional.mask_along_axis(s, 9, v, 1)),
    ],
    ids=["time", "frequency"],
)
def test_gradients_are_torchaudios(ours, theirs):
    """Both put zeros into the gradient where they put the fill into the values; the stripes are drawn otherwise."""
    weight = torch.randn(8, 20, 40)
    for mask in (ours, lambda s: theirs(s, 0.0)):
        x = (torch.rand(8, 20, 40) + 1).requires_grad_()
        out = mask(x)
        (out * weight).sum().backward()
        kept = out.detach() != 0
        assert kept.any()
        assert not kept.all()
        assert torch.equal(x.grad, torch.where(kept, weight, 0.0))


def test_gradients_through_a_whole_pipeline():
    pipeline = audio.Compose(
        [audio.Gain(prob=1.0), audio.AddNoise(prob=1.0), audio.Spectrogram(n_fft=64), audio.AmplitudeToDB(), STEPS["all"]()],
        seed=1,
    )
    wave = torch.rand(4, 800).requires_grad_()
    pipeline(wave, ids=np.arange(4)).sum().backward()
    assert (wave.grad != 0).any(1).all()


def test_a_step_without_gradient_says_so():
    class Own(audio.Augmentation):
        def lower(self, to, rows, params):
            to.orient(rows, "vflip")

        def columns(self):
            return 0

    x = torch.arange(6.0).view(1, 2, 3)
    assert torch.equal(Own()(x), x.flip(1))
    with pytest.raises(NotImplementedError, match=r"Own carries no gradient.*float32"):
        Own()(x.requires_grad_())


# ---- Compose ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["image", "mask", "bboxes"])
def test_compose_refuses_what_would_lose_its_gradient(name):
    aug = G.Compose([G.HorizontalFlip(p=1)], bbox_params=G.BboxParams("pascal_voc"))
    targets = {"image": torch.rand(3, 8, 8), "mask": torch.rand(8, 8), "bboxes": torch.tensor([[1.0, 1, 4, 4]])}
    targets[name].requires_grad_()
    with pytest.raises(ValueError, match=rf"{name}.* requires a gradient.*detached.*kornia\.augmentation"):
        aug(**targets)
    batch = {n: [value] if n == "bboxes" else value[None] for n, value in targets.items()}
    with pytest.raises(ValueError, match=rf"{name}.*kornia\.augmentation"):
        aug.run(batch, ids=[0])
    with torch.no_grad():
        out = aug(**targets)
    assert torch.equal(out["image"], targets["image"].detach().flip(2))
    assert out["bboxes"].tolist() == [[4, 1, 7, 4]]


def test_a_pipeline_inside_a_model_that_is_trained():
    model = torch.nn.Sequential(G.Compose([G.HorizontalFlip(p=1)]), torch.nn.Conv2d(3, 2, 3))
    model(torch.rand(2, 3, 8, 8)).sum().backward()
    assert model[1].weight.grad.abs().sum() > 0

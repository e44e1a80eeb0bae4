"""`gpuaug.Torch`: functions of torch batches get the samples that drew them, and draw what the sample says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gpuaug as G

IMAGES = torch.from_numpy(np.random.default_rng(3).integers(0, 256, (8, 3, 20, 30), np.uint8))
IDS = np.arange(8)


def darker(images, u):
    return (images * (1 - 0.5 * u[:, :1, None, None])).to(images.dtype)


def noisy(images, generator):
    noise = torch.rand(images.shape, generator=generator, device=images.device)
    return (images * noise).to(images.dtype)


def pipeline(function, **kwargs):
    return G.Compose([G.HorizontalFlip(), G.Torch(function, **kwargs), G.Blur(p=0.5)], seed=4)


@pytest.mark.parametrize(("function", "draws"), [(darker, 1), (noisy, 0)])
def test_a_draw_depends_on_the_sample_alone(function, draws):
    aug = pipeline(function, draws=draws, p=0.6)
    whole = aug(IMAGES, ids=IDS)
    for i in range(8):
        assert torch.equal(aug(IMAGES[i : i + 1], ids=[i])[0], whole[i])
    assert torch.equal(aug(IMAGES.flip(0), ids=IDS[::-1].copy()).flip(0), whole)
    listed = aug(list(IMAGES), ids=IDS)
    assert all(torch.equal(a, b) for a, b in zip(listed, whole))
    assert len({image.numpy().tobytes() for image in aug(IMAGES[[0] * 8], ids=IDS)}) > 4


def test_only_those_that_drew_it_and_of_one_size_go_together():
    seen = []

    def function(images):
        seen.append(tuple(images.shape))
        return 255 - images

    images = [IMAGES[0], IMAGES[1, :, :9], IMAGES[2], IMAGES[3, :, :9], IMAGES[4]]
    out = G.Compose([G.Torch(function)])(images)
    assert sorted(seen) == [(2, 3, 9, 30), (3, 3, 20, 30)]
    assert all(torch.equal(a, 255 - b) for a, b in zip(out, images))
    seen.clear()
    out = G.Compose([G.Torch(function, p=0.5)], seed=1)(IMAGES, ids=IDS)
    changed = [not torch.equal(a, b) for a, b in zip(out, IMAGES)]
    assert seen == [(sum(changed), 3, 20, 30)]
    assert 0 < sum(changed) < 8


def test_modules_masks_sets_and_other_sizes():
    half = torch.nn.AvgPool2d(2)
    floats = IMAGES.float()
    assert torch.equal(G.Compose([G.Torch(half)])(floats), half(floats))
    mask = IMAGES[:, 0].long()
    aug = G.Compose([G.Torch(lambda x: x[..., ::2], mask=lambda x: x[..., ::2]), G.HorizontalFlip(p=1)])
    out = aug(image=IMAGES, mask=mask)
    assert torch.equal(out["image"], IMAGES[..., ::2].flip(-1))
    assert torch.equal(out["mask"], mask[..., ::2].flip(-1))
    clip = IMAGES.reshape(2, 4, 3, 20, 30).permute(0, 1, 3, 4, 2).numpy()
    out = G.Compose([G.Torch(darker, draws=1)], seed=1)(images=clip)["images"]
    for a, b in zip(out, clip):  # one draw for the frames of a sample
        ratio = a[b > 99] / b[b > 99]
        assert np.ptp(ratio) < 0.03
    gray = G.Compose([G.Torch(lambda x: x.float().mean(1, keepdim=True) / 255), G.Normalize(0.5, 0.5, 1.0)])(IMAGES)
    assert gray.shape == (8, 1, 20, 30)
    assert gray.dtype == torch.float32
    text = pipeline(darker, draws=1).explain(samples=4)
    assert "Torch: torch on all samples: darker" in text


@pytest.mark.parametrize(("function", "words"), [
    (lambda x: None, "must return a tensor, got NoneType|got None"),
    (lambda x: x[:1], r"it must return \[8, C, H, W\], got \(1, 3, 20, 30\)"),
    (lambda x: x.double(), "float64 for image of torch.uint8"),
    (lambda x: x.float(), "into float32, 3 channels, but image . is uint8, 3 channels"),
    (lambda x: x[..., :9], "they must agree"),
    (lambda x: (x * torch.rand(())).byte(), "draws from torch's global generator"),
    (lambda x: x.unknown, "unknown"),
])  # fmt: skip
def test_what_functions_do_wrong_is_said(function, words):
    p = 0.5 if "float32" in words else 1.0
    with pytest.raises((ValueError, TypeError, RuntimeError), match=f"Torch.*{words}"):
        G.Compose([G.Torch(function, p=p)], seed=1)(image=IMAGES, mask=IMAGES[:, 0], ids=IDS)


def test_arguments():
    with pytest.raises(ValueError, match="draws=2, but the function has no argument u"):
        G.Torch(noisy, draws=2)
    with pytest.raises(ValueError, match="draws=0, but the function has an argument u"):
        G.Torch(darker)
    with pytest.raises(TypeError, match="fn must be a function"):
        G.Torch(3)
    aug = G.Compose([G.Torch(torch.abs, mask=torch.abs)], bbox_params=G.BboxParams("coco"))
    with pytest.raises(ValueError, match="Torch does not move bboxes"):
        aug(image=IMAGES[0], bboxes=[[1, 1, 2, 2]])
    with pytest.raises(ValueError, match=r"changed the size of sample 0 .* bboxes"):
        G.Compose([G.Torch(lambda x: x[..., :9])], bbox_params=G.BboxParams("coco"))(image=IMAGES[0], bboxes=[[1, 1, 2, 2]])

"""One image a call takes the short way (gpuaug/single.py), which gives what the long one does."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
import torch
from torchvision import tv_tensors

import gpuaug.vision as T

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 52, 3), np.uint8)
PLANES = torch.from_numpy(PIXELS).permute(2, 0, 1).contiguous()
IMAGES = {
    "PIL": PIL.Image.fromarray(PIXELS),
    "grey PIL": PIL.Image.fromarray(PIXELS[..., 0]),
    "RGBA PIL": PIL.Image.fromarray(np.dstack([PIXELS, PIXELS[..., 0]])),
    "tensor": PLANES,
    "one plane": PLANES[:1],
    "view": torch.from_numpy(PIXELS).permute(2, 0, 1).flip(1)[:, ::2],
    "floats": PLANES / 255,
    "halves": (PLANES / 255).half(),
    "bfloat16": (PLANES / 255).bfloat16(),
    "float64": (PLANES / 255).double(),
    "tv_tensor": tv_tensors.Image(PLANES),
    "with a label": (PLANES, 3),
    "in a dict": {"image": tv_tensors.Image(PLANES), "name": "a"},
}
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
SHAPED = [T.RandomResizedCrop(24), T.RandomHorizontalFlip()]
PIPELINES = {
    "train": [*SHAPED, T.ToTensor(), T.Normalize(MEAN, STD)],
    "pixels": SHAPED,
    "colour": [T.ColorJitter(0.4, 0.4, 0.4, 0.1), T.RandomHorizontalFlip()],
    "flip": [T.RandomHorizontalFlip(p=1.0)],
    "bytes": [T.ToImage(), T.CenterCrop(20)],
    "v2": [T.ToImage(), T.RandomCrop(20), T.ToDtype(torch.float32, scale=True), T.Normalize(MEAN, STD)],
    "back": [T.ToImage(), T.RandomVerticalFlip(), T.ToPILImage()],
    "groups": [T.RandomApply([T.GaussianBlur(3)]), T.RandomErasing(p=1.0)],
}


def plain(value):
    if isinstance(value, PIL.Image.Image):
        return ("PIL", value.mode, np.asarray(value))
    if isinstance(value, torch.Tensor):
        return (type(value), value.dtype, value.is_contiguous(), value.as_subclass(torch.Tensor).float().numpy())
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def call(compose, sample):
    try:
        return [plain(compose(sample)) for _ in range(4)]
    except (TypeError, ValueError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_short_way_gives_what_the_long_one_does(pipeline, image):
    short, long = (T.Compose(PIPELINES[pipeline], seed=5) for _ in range(2))
    assert short._short
    long._short = False
    got, want = call(short, IMAGES[image]), call(long, IMAGES[image])
    np.testing.assert_equal(got, want)


def test_it_is_taken(monkeypatch):
    compose = T.Compose(PIPELINES["train"], seed=0)
    monkeypatch.setattr(type(compose), "_augmented", None)
    for name in ("PIL", "grey PIL", "tensor", "view", "floats", "halves", "tv_tensor", "with a label"):
        if name == "grey PIL":
            continue  # of one channel, where Normalize has three numbers
        assert compose(IMAGES[name]) is not None


def test_what_needs_the_long_way_takes_it():
    compose = T.Compose(PIPELINES["flip"], seed=0)
    batch = torch.stack([PLANES, PLANES])
    assert compose(batch).shape == batch.shape
    with pytest.raises(ValueError, match="grad"):
        compose((PLANES / 255).requires_grad_())

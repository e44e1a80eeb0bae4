"""What is refused or warned of because it would be wrong without a word: layouts, scales, devices, kornia's containers."""

from __future__ import annotations

import copy
import warnings

import kornia.augmentation as K
import numpy as np
import pytest
import torch

import gpuaug as G
from gpuaug.backends import cuda
from gpuaug.device import chosen

FLIP = G.Compose([G.HorizontalFlip(p=1)])

# ---- layouts -----------------------------------------------------------------------------------------------------

MISREAD = [np.zeros((3, 64, 64), np.uint8), np.zeros((4, 17, 40), np.float32), np.zeros((1, 200, 100), np.float32),
           np.zeros((13, 64, 64), np.float32), torch.zeros(64, 64, 3), torch.zeros(20, 30, 4)]  # fmt: skip


@pytest.mark.parametrize("data", MISREAD, ids=lambda x: f"{type(x).__name__}{tuple(x.shape)}")
def test_the_other_layout_is_refused(data):
    other, axes = ("HWC", "channels, height, width") if isinstance(data, torch.Tensor) else ("CHW", "height, width, channels")
    for given in (data, [data], data[None]):
        with pytest.raises(ValueError, match=rf"image.*{axes}.*layout='{other}'.*(permute\(2, 0, 1\)|transpose\(1, 2, 0\))"):
            FLIP(given)
        with pytest.raises(ValueError, match="looks like"):
            FLIP.run({"image": [data]}, ids=[0])
    for layout in ("HWC", "CHW"):
        assert FLIP(data, layout=layout).shape == data.shape
    image = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="mask 0 of shape"):
        FLIP(image=image, mask=np.zeros((3, 64, 64), np.uint8))


@pytest.mark.parametrize("data", [
    torch.zeros(64, 128), torch.zeros(1, 80, 300), torch.zeros(2, 80, 300), torch.zeros(3, 64, 64), torch.zeros(4, 64, 64),
    torch.zeros(64, 80, 300), torch.zeros(22, 40, 1), torch.zeros(8, 128, 4), torch.zeros(16, 16, 3), torch.zeros(3, 3, 3),
    torch.zeros(19, 5, 3), np.zeros((64, 128)), np.zeros((64, 64, 3)), np.zeros((64, 64, 4)), np.zeros((3, 64, 4)),
    np.zeros((3, 64)),
    np.zeros((128, 256, 64)), np.zeros((17, 64, 64)), np.zeros((3, 16, 16)), np.zeros((11, 11, 200)), np.zeros((64, 3, 20)),
], ids=lambda x: f"{type(x).__name__}{tuple(x.shape)}")  # fmt: skip
def test_no_false_alarms_of_layouts(data):
    data = data.astype(np.float32) if isinstance(data, np.ndarray) else data
    assert FLIP(data).shape == data.shape
    assert FLIP([data, data])[1].shape == data.shape


# ---- scales ------------------------------------------------------------------------------------------------------


def images(low, high, channels=3):
    return np.linspace(low, high, 4 * 5 * channels, dtype=np.float32).reshape(4, 5, channels)


@pytest.mark.parametrize(("normalize", "given", "words"), [
    (G.Normalize(), images(0, 1), r"Normalize\(max_pixel_value=255\).* 0 .. 1: pass max_pixel_value=1\.0"),
    (G.Normalize(max_pixel_value=1.0), images(0, 255), r"pass max_pixel_value=255\.0"),
    (G.Normalize(), images(-2.1, 2.6), "normalized already"),
    (G.Normalize(max_pixel_value=1.0), images(-2.1, 2.6), "normalized already"),
    (G.Normalize(max_pixel_value=255), images(0, 65535), "pass max_pixel_value=65535"),
    (G.Normalize(0.5, 0.5), torch.from_numpy(images(0, 1)).permute(2, 0, 1).bfloat16(), "max_pixel_value=1.0"),
    (G.Normalize(0.5, 0.5), [images(0, 1), images(0, 255)], "max_pixel_value=1.0"),
])  # fmt: skip
def test_normalize_warns_once_of_another_scale(normalize, given, words):
    aug = G.Compose([G.HorizontalFlip(), normalize])
    with pytest.warns(UserWarning, match=words):
        aug(given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aug(given)


@pytest.mark.parametrize(("normalize", "given"), [
    (G.Normalize(), images(0, 255)), (G.Normalize(), images(0, 255).astype(np.uint8)), (G.Normalize(), images(0, 0)),
    (G.Normalize(), images(-20, 270)), (G.Normalize(), images(0, 3)), (G.Normalize(max_pixel_value=1.0), images(0, 1)),
    (G.Normalize(max_pixel_value=1.0), images(-0.1, 1.2)), (G.Normalize(0.0, 1.0, 1.0), images(-80, 20)),
    (G.Normalize(-4.2, 4.5, 1.0), images(-12, 5)), (G.Normalize(normalization="image"), images(0, 1)),
    (G.Normalize(max_pixel_value=65535), images(0, 60000)), (G.Normalize(), images(np.nan, np.nan)), (G.NoOp(), images(0, 1)),
])  # fmt: skip
def test_no_false_alarms_of_scales(normalize, given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aug = G.Compose([normalize])
        aug(given)
        aug.run({"image": [given]}, ids=[0])


def test_a_black_image_tells_nothing():
    aug = G.Compose([G.Normalize()])
    aug(images(0, 0))
    with pytest.warns(UserWarning, match=r"max_pixel_value=1\.0"):
        copy.deepcopy(aug)(images(0, 1))


# ---- devices -----------------------------------------------------------------------------------------------------

USES = {
    "run": lambda device: FLIP.run({"image": np.zeros((1, 4, 4), np.uint8)}, ids=[0], device=device),
    "loader": lambda device: G.DataLoader(torch.utils.data.TensorDataset(torch.zeros(2, 3, 4, 4)), device=device),
    "ray": lambda device: G.interop.ray.Augment(G.Compose([], seed=1), device=device),
}
ALL = pytest.mark.parametrize("use", USES.values(), ids=USES)


@ALL
@pytest.mark.parametrize(("device", "words"), [
    ("gpu", r"'cuda', 'cuda:N' or 'cpu', got 'gpu'; did you mean 'cuda'\?"), ("CPU:", "'CPU:'.*'cpu'"), ("cdua", "'cuda'?"),
    ("mps", "got 'mps': there are kernels for these two"), ("meta", "got 'meta'"), (torch.device("meta"), "got 'meta'"),
    (1.5, r"got 1\.5"), (["cuda"], r"got \['cuda'\]"), ("", "got ''"),
])  # fmt: skip
def test_devices_that_are_none(use, device, words):
    with pytest.raises((TypeError, ValueError), match=f"device must be .*{words}"):
        use(device)


@ALL
def test_a_gpu_where_there_is_none(use, monkeypatch):
    """What is missing, tests/test_foreign.py plays through."""
    monkeypatch.setattr(cuda, "problem", lambda: "gpuaug cannot use a GPU: of this and that")
    with pytest.raises(RuntimeError, match=r"device='cuda:1': gpuaug cannot use a GPU: of this and that; else pass device='cpu'"):
        use("cuda:1")


def test_a_number_that_no_gpu_has(monkeypatch):
    monkeypatch.setattr(cuda, "problem", lambda: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for device in (2, "cuda:7"):
        with pytest.raises(ValueError, match="there are 2 GPUs"):
            chosen(device)
    assert chosen(1) == torch.device("cuda:1")
    assert chosen(None) is None
    assert chosen(None, "best") == torch.device("cuda")


# ---- boxes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["yolo", "albumentations"])
def test_boxes_in_pixels_given_as_fractions(kind):
    aug = G.Compose([G.HorizontalFlip(p=1)], bbox_params=G.BboxParams(kind))
    words = rf"box 1 of sample 0, \[320\.0, 240\.0, 400\.0, 350\.0\] as '{kind}', of .* fractions .*'coco'"
    with pytest.raises(ValueError, match=words):
        aug(image=np.zeros((480, 640, 3), np.uint8), bboxes=[(0.5, 0.5, 0.6, 0.6), (320, 240, 400, 350)])


# ---- kornia ------------------------------------------------------------------------------------------------------

X = torch.rand(2, 3, 8, 8)


@pytest.mark.parametrize(("keys", "more"), [
    (["input", "mask"], X[:, :1]), (["input", "bbox_xyxy"], torch.tensor([[[1.0, 1, 3, 4]]] * 2)),
    (["input", "keypoints"], torch.ones(2, 1, 2)),
])  # fmt: skip
@pytest.mark.parametrize("nested", [False, True])
def test_kornias_sequential_with_more_than_the_image_is_refused(keys, more, nested):
    inside = K.ImageSequential(FLIP) if nested else FLIP
    words = rf"HorizontalFlip would move it, and not its {keys[1]}.*compose\(image=images, mask=masks\)"
    with pytest.raises(ValueError, match=words):
        K.AugmentationSequential(inside, data_keys=keys)(X, more)
    with pytest.raises(ValueError, match="would move it"):
        K.AugmentationSequential(inside, data_keys=None)({"image": X, keys[1]: more})


def test_kornias_sequential_with_what_is_right():
    mask = X[:, :1]
    assert torch.equal(K.AugmentationSequential(FLIP, data_keys=["input"])(X), X.flip(-1))
    assert torch.equal(K.ImageSequential(FLIP)(X), X.flip(-1))
    out, kept = K.AugmentationSequential(G.Compose([G.Blur(p=1)]), data_keys=["input", "mask"])(X, mask)
    assert not torch.equal(out, X)
    assert torch.equal(kept, mask)
    done = FLIP(image=X, mask=mask)  # what the message shows
    assert torch.equal(done["mask"], mask.flip(-1))

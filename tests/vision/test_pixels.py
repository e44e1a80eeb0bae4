"""What gpuaug.vision makes of pixels is what torchvision's functions make of tensors, with the parameters that were drawn."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms.v2 import functional as F

from gpuaug import library
from gpuaug import vision as T

SIZE = (41, 54)
IDS = list(range(24))
# a level of a colour, where a sum ends beside a whole number: the baseline build has no fused multiply-add, which torch has
OFF = 0.01 if library.load().path.stem.endswith("_v2") else 0.004


def picture(channels: int, size=SIZE, seed: int = 0) -> torch.Tensor:
    """Smooth areas, edges and noise, uint8 [C, H, W]."""
    h, w = size
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    generator = torch.Generator().manual_seed(seed)
    planes = []
    for c in range(channels):
        wave = 120 + 90 * torch.sin(x / (5 + c) + c) * torch.cos(y / (7 - c))
        planes.append(wave + 40 * ((x + 2 * y + 9 * c) // 13 % 2))
    image = torch.stack(planes) + 12 * torch.randn(channels, h, w, generator=generator)
    return image.clamp(0, 255).to(torch.uint8)


def got_and_drawn(transform, image, ids=IDS):
    """Results of as many draws as ids, and what was drawn."""
    compose = T.Compose([transform], seed=7)
    got = [compose(image, ids=[i]) for i in ids]
    dtype = str(image.dtype).removeprefix("torch.")
    told = compose.params(ids, size=tuple(image.shape[-2:]), channels=image.shape[-3], dtype=dtype)
    return got, [each[0].params if each else None for each in told]


def close(got, want, u8_levels: float = 0, share: float = 0.0, atol: float = 2e-6):
    """uint8: at most u8_levels off, and off at all in a share of the values; floats: atol."""
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    if got.dtype == torch.uint8:
        off = (got.int() - want.int()).abs()
        assert off.max() <= u8_levels, f"{off.max()} levels"
        assert (off > 0).float().mean() <= share, f"{(off > 0).float().mean()} of all"
    else:
        torch.testing.assert_close(got, want, rtol=0, atol=atol)


def both_types(channels: int = 3):
    image = picture(channels)
    return [image, image.float() / 255]


# ---- colours -----------------------------------------------------------------------------------------------------


def jittered(image, drawn):
    for k in drawn["fn_idx"]:
        name = ("brightness", "contrast", "saturation", "hue")[k]
        if f"{name}_factor" in drawn:
            image = getattr(F, f"adjust_{name}")(image, drawn[f"{name}_factor"])
    return image


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "arguments",
    [
        {"brightness": 0.5},
        {"contrast": (0.2, 1.7)},
        {"saturation": 0.8},
        {"hue": 0.5},
        {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1},
    ],
    ids=str,
)
def test_jitter(arguments, channels):
    for image in both_types(channels):
        got, drawn = got_and_drawn(T.ColorJitter(**arguments), image)
        for mine, params in zip(got, drawn):
            # a mean or a product that ends beside a whole number
            close(mine, jittered(image, params), 3, OFF)


def test_photometric_distort():
    for image in both_types():
        got, drawn = got_and_drawn(T.RandomPhotometricDistort(p=0.6), image)
        for mine, params in zip(got, drawn):
            want, (b, c, s, h, swap) = image, params["taken"]
            want = F.adjust_brightness(want, params["brightness_factor"]) if b else want
            want = F.adjust_contrast(want, params["contrast_factor"]) if c and params["contrast_before"] else want
            want = F.adjust_saturation(want, params["saturation_factor"]) if s else want
            want = F.adjust_hue(want, params["hue_factor"]) if h else want
            want = F.adjust_contrast(want, params["contrast_factor"]) if c and not params["contrast_before"] else want
            want = F.permute_channels(want, params["permutation"]) if swap else want
            close(mine, want, 3, OFF)
        assert len({tuple(params["taken"]) for params in drawn}) > 5


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("transform", "function"),
    [
        (T.RandomInvert(1), F.invert),
        (T.RandomPosterize(0, 1), lambda x: F.posterize(x, 0)),
        (T.RandomPosterize(3, 1), lambda x: F.posterize(x, 3)),
        (T.RandomPosterize(8, 1), lambda x: F.posterize(x, 8)),
        (T.RandomSolarize(0.5, 1), lambda x: F.solarize(x, 0.5)),
        (T.RandomAutocontrast(1), F.autocontrast),
        (T.RandomEqualize(1), F.equalize),
        (T.RandomAdjustSharpness(0, 1), lambda x: F.adjust_sharpness(x, 0)),
        (T.RandomAdjustSharpness(0.4, 1), lambda x: F.adjust_sharpness(x, 0.4)),
        (T.RandomAdjustSharpness(2.3, 1), lambda x: F.adjust_sharpness(x, 2.3)),
        (T.RandomGrayscale(1), lambda x: F.rgb_to_grayscale(x, x.shape[-3])),
        (T.Grayscale(), F.rgb_to_grayscale),
        (T.Grayscale(3), lambda x: F.rgb_to_grayscale(x, 3)),
        (T.RGB(), F.grayscale_to_rgb),
    ],
    ids=lambda x: repr(x) if hasattr(x, "p") else "",
)
def test_fixed_ones(transform, function, channels):
    for image in both_types(channels):
        (mine,), _ = got_and_drawn(transform, image, [0])
        close(mine, function(image), 1, 0.001)
        flat = torch.full_like(image, 77 if image.dtype == torch.uint8 else 0.3)
        (mine,), _ = got_and_drawn(transform, flat, [0])
        close(mine, function(flat), 1, 1)


def test_thresholds_of_bytes():
    image = picture(3)
    for threshold in (0, 100, 100.5, 255):
        (mine,), _ = got_and_drawn(T.RandomSolarize(threshold, 1), image, [0])
        close(mine, F.solarize(image, threshold))
    with pytest.raises(ValueError, match="threshold must be at most 1 for float32"):
        T.RandomSolarize(100, 1)(image / 255)


def test_small_images_are_not_sharpened():
    for shape in ((3, 2, 9), (3, 9, 2), (3, 1, 1)):
        image = torch.arange(torch.Size(shape).numel(), dtype=torch.uint8).view(shape)
        assert torch.equal(T.RandomAdjustSharpness(3, 1)(image), F.adjust_sharpness(image, 3))


# ---- blur, noise, erasing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3, 5, (9, 3), (1, 23)])
def test_blur(size):
    for image in both_types():
        got, drawn = got_and_drawn(T.GaussianBlur(size, (0.1, 3.0)), image)
        for mine, params in zip(got, drawn):
            close(
                mine, F.gaussian_blur(image, [size] * 2 if isinstance(size, int) else list(size), [params["sigma"]] * 2), 1, 0.001
            )
    with pytest.raises(ValueError, match="reaches beyond the reflection of sample 0"):
        T.GaussianBlur(99)(picture(3))


def test_noise():
    image = torch.full((3, 200, 200), 0.5)
    noise = T.GaussianNoise(0.1, 0.1, clip=False)(image) - 0.6
    assert abs(noise.mean()) < 2e-3
    assert abs(noise.std() - 0.1) < 2e-3
    as_bytes = T.GaussianNoise(0.0, 0.2)((image * 255).to(torch.uint8)).float() / 255 - 127 / 255
    assert abs(as_bytes.std() - 0.2) < 5e-3
    assert T.GaussianNoise(0.0, 3.0)(image).max() == 1
    with pytest.raises(ValueError, match="clip=False lets uint8 images overflow"):
        T.GaussianNoise(clip=False)(picture(3))


@pytest.mark.parametrize("value", [0, 7, (1, 20, 200)])
def test_erasing(value):
    image = picture(3)
    got, drawn = got_and_drawn(T.RandomErasing(1, value=value), image)
    fill = torch.tensor(value if isinstance(value, tuple) else [value], dtype=torch.float32)[:, None, None]
    for mine, params in zip(got, drawn):
        i, j, h, w = params["window"]
        close(mine, F.erase(image, i, j, h, w, fill))
        assert 0.02 * 0.9 < h * w / (SIZE[0] * SIZE[1]) < 0.33 * 1.1
        assert 0.25 < h / w < 3.9
    assert len({tuple(params["window"]) for params in drawn}) > 20


def test_erasing_by_noise():
    image = torch.full((3, 64, 64), 9.0)
    got, drawn = got_and_drawn(T.RandomErasing(1, scale=(0.3, 0.33), value="random"), image)
    i, j, h, w = drawn[0]["window"]
    noise = got[0][:, i : i + h, j : j + w]
    assert (got[0] == 9).sum() == 3 * (64 * 64 - h * w)
    assert abs(noise.mean()) < 0.1
    assert abs(noise.std() - 1) < 0.1
    assert not torch.equal(noise[0], noise[1])
    nothing, drawn = got_and_drawn(T.RandomErasing(1, scale=(0.9, 1), ratio=(9, 10)), image)
    assert drawn[0]["window"][2:] == [0, 0]
    assert torch.equal(nothing[0], image)
    with pytest.raises(ValueError, match="'random' draws normal numbers"):
        T.RandomErasing(1, value="random")(picture(3))

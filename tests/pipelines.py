"""Pictures and a pipeline for the tests of the engine."""

from __future__ import annotations

import numpy as np

import gpuaug as G

try:
    from parity import stack
except ImportError:  # a bare machine with a GPU, where bench/second_run.sh compares gpuaug with itself

    def stack(channels: int, h: int, w: int, name: str, y: int = 40, x: int = 60) -> np.ndarray:
        """Waves and noise in place of a crop of a photograph."""
        rows, columns, c = np.ogrid[y : y + h, x : x + w, :channels]
        noise = np.random.default_rng(y).normal(0, 9, (h, w, channels))
        wave = 128 + 90 * np.sin(rows / 17 + c) * np.cos(columns / 23 - c) + noise
        return np.clip(wave, 0, 255).astype(np.uint8)


DTYPES = ("uint8", "float32", "float16")


def pictures(n: int, dtype: str = "uint8", channels: int = 3, size=None, seed: int = 0) -> list[np.ndarray]:
    """Crops of photographs, of odd sizes or of one."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        h, w = size or ((1, 1), (1, 9), (13, 1), (23, 31), (40, 17), (64, 65))[int(rng.integers(6))]
        image = stack(channels, h, w, ("china", "flower")[i % 2], int(rng.integers(200)), int(rng.integers(300)))
        out.append(image if dtype == "uint8" else (image / np.float32(255)).astype(dtype))
    return out


def equal(got, want) -> None:
    assert len(got) == len(want)
    for a, b in zip(got, want):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def pipeline(**kwargs) -> G.Compose:
    return G.Compose(
        [
            G.RandomResizedCrop((33, 29)),
            G.HorizontalFlip(),
            G.ShiftScaleRotate(),
            G.OneOf([G.MotionBlur(), G.GaussianBlur(), G.Blur()]),
            G.RandomBrightnessContrast(),
            G.HueSaturationValue(),
            G.GaussNoise(p=0.3),
            G.XYMasking(num_masks_x=(1, 2), mask_x_length=(0, 9), fill="random"),
            G.SomeOf([G.VerticalFlip(), G.Transpose(), G.CoarseDropout(fill="random_uniform")], n=(1, 3)),
            G.Resize(32, 30),
            G.Normalize(),
        ],
        seed=11,
        **kwargs,
    )


def delivered(compose, data, ids, **kwargs) -> np.ndarray:
    return compose.run({"image": data}, ids=np.asarray(ids), **kwargs)["image"].cpu().numpy()

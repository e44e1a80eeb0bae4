"""Pictures to be cached, and what caches are compared by: for the tests of caches."""

import numpy as np
import torch
from PIL import Image

import gpuaug as A
from gpuaug.data import (
    cached,
)


def picture(number, height, width):
    """Smooth, so that a filter's rounding shows and JPEG's does not."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    planes = [127 + 120 * np.sin(x / (7 + c) + y / (9 + number % 5) + number + c) for c in range(3)]
    return np.stack(planes, 2).round().astype(np.uint8)


def fill(tmp_path):
    """21 images of two classes, of differing sizes, PNGs among JPEGs."""
    for number in range(21):
        where = tmp_path / "files" / ("ab"[number % 2])
        where.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(picture(number, 40 + number, 61 - number))
        image.save(where / f"{number:03}.{'png' if number % 5 == 0 else 'jpg'}")
    return tmp_path / "files"


def steps(seed=3):
    return A.Compose([A.RandomResizedCrop((24, 24)), A.HorizontalFlip(), A.Normalize(), A.ToTensorV2()], seed=seed)


def build_it(dataset, tmp_path, **given):
    return cached(dataset, tmp_path / "cache", progress=False, **given)


def same(one, other):
    if isinstance(one, dict):
        assert list(one) == list(other)
        return all(same(one[key], other[key]) for key in one)
    if isinstance(one, (tuple, list)):
        assert type(one) is type(other)
        assert len(one) == len(other)
        return all(map(same, one, other))
    if isinstance(one, (np.ndarray, torch.Tensor)):
        assert type(one) is type(other)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        return bool((one == other).all())
    assert type(one) is type(other), (one, other)
    return (np.asarray(one) == np.asarray(other)).all() if isinstance(one, Image.Image) else one == other


class Returned(torch.utils.data.Dataset):
    """Arrays, tensors and all that a sample may hold beside its picture."""

    def __init__(self, image=lambda i: picture(i, 20 + i, 30), **more):
        self.image, self.more = image, more

    def __len__(self):
        return 11

    def __getitem__(self, i):
        if i == 6:
            raise ValueError("six is not there")
        rest = {"id": i, "name": f"é{i}", "raw": bytes([i]), "flag": i % 2 == 0, "score": i / 3, "nothing": None}
        rest |= {"vector": np.arange(i, dtype=np.float32), "matrix": torch.full((2, i), i, dtype=torch.int16)}
        rest |= {"scalar": np.float64(i / 9), "words": ["a"] * i, "pair": (i, (float(i),))}
        return {"image": self.image(i), **rest, **{key: make(i) for key, make in self.more.items()}}

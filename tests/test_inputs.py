"""What comes in: containers, layouts, types, masks and further targets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pipelines import DTYPES, delivered, equal, pictures, pipeline

import gpuaug as G
from gpuaug.batch import Batch

# ---- inputs -----------------------------------------------------------------------------------


class Exports:
    """Something that offers DLPack and nothing else."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __dlpack__(self, **kwargs):
        return self.tensor.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()


def test_containers_are_the_same():
    from PIL import Image

    data = np.stack(pictures(4, size=(25, 36)))
    want = delivered(pipeline(), data, range(4))
    for form in (
        torch.from_numpy(data).permute(0, 3, 1, 2),
        Exports(torch.from_numpy(data)),
        [Exports(torch.from_numpy(x)) for x in data],
        [Image.fromarray(x) for x in data],
        tuple(data),
    ):
        equal(delivered(pipeline(), form, range(4)), want)


def test_a_dali_tensor_list_is_the_same():
    dali = pytest.importorskip("nvidia.dali")
    data = pictures(6, seed=8)
    want = delivered(pipeline(), data, range(6))

    @dali.pipeline_def(batch_size=6, num_threads=1, device_id=None)
    def feed():
        return dali.fn.external_source(lambda: data, batch=True, dtype=dali.types.UINT8)

    pipe = feed()
    pipe.build()
    equal(delivered(pipeline(), pipe.run()[0], range(6)), want)


def test_a_planar_tensor_list_is_no_surprise():
    """DALI writes the layout beside the data: CHW samples give what HWC samples give, or an error."""
    dali = pytest.importorskip("nvidia.dali")
    data = pictures(3, size=(8, 12))

    @dali.pipeline_def(batch_size=3, num_threads=1, device_id=None)
    def feed():
        images = dali.fn.external_source(lambda: data, batch=True, dtype=dali.types.UINT8, layout="HWC")
        return dali.fn.transpose(images, perm=[2, 0, 1])

    pipe = feed()
    pipe.build()
    planar = pipe.run()[0]
    try:
        batch = Batch.of(planar)
    except (TypeError, ValueError):
        return
    assert batch.channels == 3
    assert batch.size.tolist() == [[8, 12]] * 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_inputs_are_not_written(dtype):
    data = pictures(8, dtype, size=(40, 33))
    dense, keep = np.stack(data), [x.copy() for x in data]
    for x in (*data, dense):
        x.setflags(write=False)
    for compose in (
        pipeline(),
        G.Compose([G.HorizontalFlip(p=1)]),
        G.Compose([]),
        G.Compose([G.GaussianBlur(p=0.5), G.GaussNoise(p=0.5)]),
    ):
        for form in (data, dense, torch.from_numpy(dense.copy()).permute(0, 3, 1, 2)):
            before = [np.asarray(x).copy() for x in form]
            out = compose(form)
            compose.run({"image": form}, ids=np.arange(8))
            equal(form, before)
            assert not any(np.shares_memory(np.asarray(a), np.asarray(b)) for a, b in zip(out, form))
    equal(data, keep)


@pytest.mark.parametrize("form", ["list", "array", "tensor"])
def test_empty_batches(form):
    empty = {"list": [], "array": np.zeros((0, 5, 6, 3), np.uint8), "tensor": torch.zeros((0, 3, 5, 6), dtype=torch.uint8)}[form]
    compose = G.Compose([G.HorizontalFlip(), G.OneOf([G.GaussianBlur(), G.GaussNoise()])], seed=1)
    assert len(compose(image=empty)["image"]) == 0
    assert len(G.Compose([G.ChannelDropout((1, 2), p=1), G.Normalize()])(empty)) == 0  # three channels, or none to be seen
    assert compose.run({"image": empty}, ids=np.zeros(0, int))["image"].shape[0] == 0


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 20])
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_pixel(dtype, channels):
    image = pictures(1, dtype, channels, (1, 1))[0]
    steps = [
        G.HorizontalFlip(p=1),
        G.Transpose(p=1),
        G.Affine(border_mode=4, scale=(0.5, 2), rotate=30, p=1),
        G.GaussianBlur(p=1),
        G.Blur(p=1),
        G.MotionBlur(p=1),
    ]
    out = G.Compose(steps, seed=1)(image)
    np.testing.assert_allclose(out.astype(np.float64), image, atol=1 if dtype == "uint8" else 2e-3)
    assert G.Compose([G.RandomResizedCrop((3, 5)), G.GaussNoise(p=1), G.CoarseDropout(p=1)])(image).shape == (3, 5, channels)


# ---- targets ----------------------------------------------------------------------------------


def test_image_and_mask_move_together():
    """Where an image holds its coordinates and the mask the same, they agree afterwards, pixel by pixel."""
    h, w = 37, 53
    y, x = np.mgrid[:h, :w]
    code = (1 + y * w + x).astype(np.int32)
    image = np.stack([code & 255, code >> 8, np.ones_like(code)], 2).astype(np.uint8)
    steps = [
        G.Affine(scale=(0.6, 1.4), rotate=(-180, 180), interpolation=0, p=0.7),
        G.RandomRotate90(),
        G.HorizontalFlip(),
        G.Transpose(),
        G.RandomResizedCrop((31, 29), interpolation=0, p=0.6),
        G.CoarseDropout(fill=0, fill_mask=0, p=0.6),
        G.XYMasking(num_masks_y=2, mask_y_length=3, fill=0, fill_mask=0, p=0.5),
        G.RandomCrop(20, 25, pad_if_needed=True),
    ]
    compose = G.Compose(steps, seed=5)
    out = compose.run({"image": np.stack([image] * 64), "mask": np.stack([code] * 64)}, ids=np.arange(64))
    got = out["image"].int()
    assert torch.equal(got[:, 0] + 256 * got[:, 1], out["mask"])
    assert len(torch.unique(out["mask"])) > 500
    assert out["mask"].dtype == torch.int32


def test_masks_keep_their_type_and_shape():
    image = pictures(1, size=(20, 30))[0]
    for dtype in (np.uint8, np.int32, np.int64, bool, np.float32):
        for shape in ((20, 30), (20, 30, 1), (20, 30, 2)):
            mask = (np.arange(np.prod(shape)).reshape(shape) % 7 > 3).astype(dtype)
            out = G.Compose([G.HorizontalFlip(p=1)])(image=image, mask=mask)["mask"]
            assert out.dtype == dtype
            np.testing.assert_array_equal(out, mask[:, ::-1])


def test_pixel_operations_leave_masks():
    image, mask = pictures(2, size=(20, 30))
    out = G.Compose([G.GaussNoise(p=1), G.GaussianBlur(p=1), G.RandomBrightnessContrast(p=1), G.Normalize()])(
        image=image, mask=mask
    )
    np.testing.assert_array_equal(out["mask"], mask)


def test_additional_targets_are_drawn_alike():
    image = pictures(1, size=(20, 30))[0]
    compose = G.Compose([G.Affine(rotate=(-90, 90), p=1), G.GaussNoise(p=1)], additional_targets={"right": "image"}, seed=4)
    out = compose(image=image, right=image)
    np.testing.assert_array_equal(out["image"], out["right"])

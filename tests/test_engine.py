"""What the engine promises whatever the transforms are: fusing, batching, ordering and packing never change a result."""

from __future__ import annotations

import copy
import os
import pickle
import random

import albumentations
import numpy as np
import parity
import pytest
import torch

import gpuaug as G
from gpuaug.batch import Batch
from gpuaug.deliver import deliver_ragged
from gpuaug.track import Track

DTYPES = ("uint8", "float32", "float16")


def pictures(n: int, dtype: str = "uint8", channels: int = 3, size=None, seed: int = 0) -> list[np.ndarray]:
    """Crops of photographs, of odd sizes or of one."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        h, w = size or ((1, 1), (1, 9), (13, 1), (23, 31), (40, 17), (64, 65))[int(rng.integers(6))]
        image = parity.stack(channels, h, w, ("china", "flower")[i % 2], int(rng.integers(200)), int(rng.integers(300)))
        out.append(image if dtype == "uint8" else (image / np.float32(255)).astype(dtype))
    return out


def equal(got, want) -> None:
    assert len(got) == len(want)
    for a, b in zip(got, want):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


# ---- fused equals one at a time -------------------------------------------------------------


def chain(rng, channels: int, ragged: bool) -> list:
    """A random chain of transforms and groups that fits any image."""
    flips = [
        lambda: G.HorizontalFlip(p=0.5),
        lambda: G.VerticalFlip(p=0.5),
        lambda: G.Transpose(p=0.5),
        lambda: G.RandomRotate90(p=0.7),
        lambda: G.Flip(p=0.5),
    ]
    crops = [
        lambda: G.RandomCrop(11, 8, pad_if_needed=True, border_mode=int(rng.integers(5)), p=0.6),
        lambda: G.CenterCrop(9, 14, pad_if_needed=True, fill=3, p=0.5),
        lambda: G.RandomResizedCrop((12, 10), p=0.5),
        lambda: G.Resize(15, 7, interpolation=int(rng.integers(3)), p=0.4),
    ]
    warps = [
        lambda: G.Affine(
            scale=(0.5, 1.5),
            rotate=(-90, 90),
            translate_percent=(-0.2, 0.2),
            shear=(-10, 10),
            p=0.6,
            interpolation=int(rng.integers(3)),
            border_mode=int(rng.integers(5)),
            fill=0.5 if rng.random() < 0.5 else 0,
        ),
        lambda: G.ShiftScaleRotate(p=0.5),
    ]
    blurs = [lambda: G.Blur((3, 5), p=0.5), lambda: G.GaussianBlur(p=0.5), lambda: G.MotionBlur(p=0.5)]
    pixels = [
        lambda: G.RandomBrightnessContrast(p=0.6),
        lambda: G.GaussNoise(p=0.5, per_channel=bool(rng.integers(2))),
        lambda: G.CoarseDropout(
            num_holes_range=(1, 4), fill=("random", "random_uniform", 0)[int(rng.integers(3))], fill_mask=1, p=0.6
        ),
        lambda: G.TimeMasking(5, p=0.5),
        lambda: G.FrequencyMasking(5, p=0.5),
    ]
    if channels in (1, 3):
        pixels.append(lambda: G.HueSaturationValue(p=0.6))
    families = [flips, flips, crops, warps, blurs, pixels, pixels, pixels]

    def one():
        family = families[int(rng.integers(len(families)))]
        return family[int(rng.integers(len(family)))]()

    def node():
        kind = rng.random()
        if kind < 0.7:
            return one()
        some = [one() for _ in range(int(rng.integers(2, 4)))]
        return (
            G.OneOf(some, p=0.8),
            G.SomeOf(some, n=(1, 2), p=0.9),
            G.RandomOrder(some, n=2, p=0.9),
            G.Sequential(some, p=0.7),
            G.OneOrOther(some[0], some[1]),
            G.SomeOf(some, n=3, replace=True),
        )[int(rng.integers(6))]

    steps = [node() for _ in range(int(rng.integers(3, 8)))]
    if rng.random() < 0.5:
        steps.append(G.Normalize(mean=0.4, std=0.3))
    if rng.random() < 0.3:
        steps += [G.HorizontalFlip(p=0.5), G.GaussNoise((0.1, 0.1), p=0.5), G.CoarseDropout(p=0.5)]  # after the type has changed
    return steps


def stepwise(drawn: G.Drawn, data: list[np.ndarray], kind: str, device) -> list[np.ndarray]:
    """Each drawn step alone: what it delivers, in its type, is what the next one reads."""
    data = [torch.from_numpy(np.ascontiguousarray(x)).to(device) for x in data]
    for step in drawn.steps:
        if kind not in step.transform.targets:
            continue
        rows = np.arange(len(data))[step.rows]
        track = Track(Batch.of([data[i] for i in rows], "HWC", name=kind), kind)
        track.doing = type(step.transform).__name__
        step.transform.lower(track, slice(None), step.params)
        for i, result in zip(rows, deliver_ragged(track, planar=False)):
            data[i] = result
    return [x.cpu().numpy() for x in data]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(40))
def test_fused_is_one_at_a_time(seed, dtype, device):
    rng = np.random.default_rng(seed)
    channels = (1, 3, 3, 4, 20)[seed % 5]
    compose = G.Compose(chain(rng, channels, True), seed=seed)
    data = pictures(12, dtype, channels, seed=seed)
    size = np.array([x.shape[:2] for x in data])
    ids = rng.integers(0, 1 << 40, len(data))
    drawn = compose.draw(size, ids=ids, epoch=seed, channels=channels, dtype=dtype)
    batch = Batch.of(data, "HWC").to(device)
    fused = [x.cpu().numpy() for x in deliver_ragged(compose.lower(batch, drawn), planar=False)]
    equal(fused, stepwise(drawn, data, "image", device))
    assert [x.shape[:2] for x in fused] == [tuple(s) for s in drawn.size.tolist()]
    if dtype == "uint8":
        masks = [np.ascontiguousarray(x[:, :, :1]).astype(np.int32) * 16777199 for x in data]
        batch = Batch.of(masks, "HWC", name="mask").to(device)
        fused = [x.cpu().numpy() for x in deliver_ragged(compose.lower(batch, drawn, "mask"), planar=False)]
        equal(fused, stepwise(drawn, masks, "mask", device))


def test_fusing_happens():
    """Eight transforms, one launch: otherwise the test above compares nothing."""
    compose = G.Compose(
        [
            G.HorizontalFlip(p=1),
            G.Affine(rotate=9, p=1),
            G.RandomBrightnessContrast(p=1),
            G.HueSaturationValue(p=1),
            G.GaussNoise(p=1),
            G.VerticalFlip(p=1),
            G.XYMasking(num_masks_x=1, mask_x_length=3, p=1),
            G.Normalize(),
        ],
        seed=1,
    )
    data = pictures(4, size=(20, 30))
    drawn = compose.draw(np.array([[20, 30]] * 4), ids=np.arange(4))
    plan = compose.lower(Batch.of(data), drawn).finish(np.zeros(4, np.int64), np.zeros((4, 3), np.int64), "float32")
    assert len(plan.launches) == 1, compose.explain()


def test_a_later_size_does_not_reach_back():
    """Each transform works on the size that the one before it leaves, as albumentations' own pipeline does."""
    image = pictures(1, size=(120, 160))[0]
    for make in (lambda A: [A.Affine(scale=(0.5, 0.5), p=1), A.Resize(64, 48, p=1)],
                 lambda A: [A.Affine(scale=(0.5, 0.5), p=1), A.CenterCrop(50, 70, p=1), A.Affine(translate_px=9, p=1)]):
        got = G.Compose(make(G))(image=image)["image"].astype(int)
        want = albumentations.Compose(make(albumentations))(image=image)["image"]
        assert (np.abs(got - want) <= 1).mean() >= 0.999


def test_explain_names_what_a_launch_does():
    text = G.Compose([G.HorizontalFlip(p=1), G.GaussNoise(p=1), G.Blur(p=1), G.RandomBrightnessContrast(p=1)], seed=1).explain()
    first, blur, last = text.splitlines()[-3:]
    assert "HorizontalFlip" in first
    assert "GaussNoise" in first
    assert "Blur" in blur
    assert "RandomBrightnessContrast" in last
    assert "HorizontalFlip" not in last
    assert "GaussNoise" not in last


# ---- batch size, order, packing, layout --------------------------------------------------------


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


@pytest.fixture(scope="module")
def sixty_four():
    data = pictures(64, size=(48, 40), seed=3)
    return data, delivered(pipeline(), data, np.arange(64) + 1000, epoch=3)


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_batch_size_does_not_matter(sixty_four, batch):
    data, want = sixty_four
    got = [
        delivered(pipeline(), data[i : i + batch], np.arange(i, min(i + batch, 64)) + 1000, epoch=3) for i in range(0, 64, batch)
    ]
    equal(np.concatenate(got), want)


def test_order_does_not_matter(sixty_four):
    data, want = sixty_four
    order = np.random.default_rng(0).permutation(64)
    equal(delivered(pipeline(), [data[i] for i in order], order + 1000, epoch=3), want[order])


def test_the_other_samples_do_not_matter(sixty_four):
    """A sample beside other sizes: ragged."""
    data, want = sixty_four
    mixed = [data[5], *pictures(3, size=(9, 77)), data[40]]
    equal(delivered(pipeline(), mixed, [1005, 1, 2, 3, 1040], epoch=3)[[0, 4]], want[[5, 40]])


def test_ragged_is_dense(sixty_four):
    data, want = sixty_four
    equal(delivered(pipeline(), np.stack(data), np.arange(64) + 1000, epoch=3), want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts_are_the_same(dtype):
    """NHWC and NCHW in, dense, channels-last, sliced, flipped and broadcast memory."""
    data = np.stack(pictures(5, dtype, size=(21, 34)))
    ids = np.arange(5)
    want = delivered(pipeline(), data, ids)
    nchw = torch.from_numpy(data).permute(0, 3, 1, 2)
    wide = np.zeros((5, 42, 70, 6), dtype)
    wide[:, ::2, 1:69:2, ::2] = data
    turned = np.ascontiguousarray(data[:, ::-1, ::-1, ::-1])
    swapped = np.ascontiguousarray(data.transpose(3, 2, 1, 0))
    forms = {
        "NCHW": nchw.contiguous(),
        "channels last": nchw.contiguous(memory_format=torch.channels_last),
        "permuted": nchw,
        "list of CHW": list(nchw.contiguous()),
        "strided": wide[:, ::2, 1:69:2, ::2],
        "reversed": turned[:, ::-1, ::-1, ::-1],
        "transposed": swapped.transpose(3, 2, 1, 0),
        "big endian": data.astype(data.dtype.newbyteorder(">")),
    }
    for name, form in forms.items():
        assert np.array_equal(delivered(pipeline(), form, ids), want), name
    shifted = np.frombuffer(b"x" + data.tobytes(), np.uint8)[1:].view(data.dtype).reshape(data.shape)  # unaligned
    equal(delivered(pipeline(), shifted, ids), want)
    assert Batch.of(shifted).address[0] % data.itemsize == 0
    once = np.broadcast_to(data[:1], data.shape)
    equal(delivered(pipeline(), once, ids), delivered(pipeline(), once.copy(), ids))


def test_reversed_views_reach_the_filters():
    """A filter reads its source's strides itself."""
    data = np.stack(pictures(3, size=(21, 34)))
    for aug in (G.Blur(p=1), G.GaussianBlur(p=1), G.MotionBlur(p=1)):
        compose = G.Compose([aug], seed=1)
        want = delivered(compose, data, range(3))
        for view in (
            np.ascontiguousarray(data[:, ::-1, ::-1])[:, ::-1, ::-1],
            np.ascontiguousarray(data.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3),
            np.ascontiguousarray(data[..., ::-1])[..., ::-1],
            torch.from_numpy(data).permute(0, 3, 1, 2).contiguous(),
        ):
            equal(delivered(compose, view, range(3)), want)


def test_output_layouts():
    data = np.stack(pictures(3, size=(21, 34)))
    plain = pipeline().run({"image": data}, ids=np.arange(3))["image"]
    last = pipeline().run({"image": data}, ids=np.arange(3), channels_last=True)["image"]
    assert plain.shape == last.shape == (3, 3, 32, 30)
    assert plain.is_contiguous()
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(plain, last)
    half = pipeline().run({"image": data}, ids=np.arange(3), dtype=torch.float16)["image"]
    assert torch.equal(half, plain.half())


@pytest.mark.parametrize("threads", [1, 4])
def test_threads_do_not_matter(sixty_four, threads):
    data, want = sixty_four
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        equal(delivered(pipeline(), data, np.arange(64) + 1000, epoch=3), want)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_floats_are_rounded_as_torch_rounds_them(kind):
    """All exponents, ties, subnormals, overflow, infinities: to the nearest, half to even."""
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 1 << 32, 1 << 16, dtype=np.uint64).astype(np.uint32)
    bits[: 1 << 15] &= np.uint32(0xFFFFF000 if kind == "float16" else 0xFFFF8000)  # one bit beyond: ties
    values = bits.view(np.float32)
    half = (
        torch.from_numpy(rng.integers(0, 1 << 16, 1 << 14).astype(np.uint16).view(np.int16)).view(torch.float16).float().numpy()
    )
    values = np.nan_to_num(np.concatenate([values, half]), nan=1.0, posinf=np.inf, neginf=-np.inf).reshape(1, 16, -1, 1)
    dtype = getattr(torch, kind)
    got = G.Compose([G.HorizontalFlip(p=1)]).run({"image": values}, ids=[0], dtype=dtype)["image"][0, 0]
    want = torch.from_numpy(values[0, :, ::-1, 0].copy()).to(dtype)
    assert torch.equal(got.view(torch.int16), want.view(torch.int16))
    back = G.Compose([G.HorizontalFlip(p=1)]).run({"image": want[None, None]}, ids=[0], dtype=torch.float32)["image"][0, 0]
    assert torch.equal(back, want.flip(1).float())


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


# ---- what a draw depends on ----------------------------------------------------------------------


def test_what_changes_a_result_and_what_does_not():
    data = pictures(8, size=(30, 30))
    ids = np.arange(8)
    want = delivered(pipeline(), data, ids)
    equal(delivered(pipeline(), data, ids), want)
    same = pipeline()
    same(data)  # other calls, other counters
    random.seed(1), np.random.seed(2), torch.manual_seed(3)  # noqa: NPY002
    equal(delivered(same, data, ids, occurrence=np.zeros(8, int)), want)

    def every_sample_differs(**kwargs):
        other = delivered(kwargs.pop("compose", pipeline()), data, kwargs.pop("ids", ids), **kwargs)
        assert all(not np.array_equal(a, b) for a, b in zip(other, want))

    every_sample_differs(epoch=1)
    every_sample_differs(occurrence=np.ones(8, int))
    every_sample_differs(ids=ids + (1 << 40))
    other = pipeline()
    other.seed = 12
    every_sample_differs(compose=other)
    other.seed = 11 + (1 << 63)
    every_sample_differs(compose=other)


def test_global_generators_are_not_touched():
    random.seed(1), np.random.seed(2), torch.manual_seed(3)  # noqa: NPY002
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    compose = pipeline()
    compose.seed = None
    compose(pictures(4))
    compose.run({"image": pictures(4)}, ids=np.arange(4))
    assert random.getstate() == before[0]
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])


def test_without_a_seed_torch_decides():
    image = pictures(1, size=(30, 30))[0]
    out = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        out.append(G.Compose([G.GaussNoise(p=1)])(image))
    assert np.array_equal(out[0], out[1])
    assert not np.array_equal(out[0], out[2])


# ---- a torch module ------------------------------------------------------------------------------


def test_state_dict_continues_the_counter():
    image = pictures(1, size=(30, 30))[0]
    whole = pipeline()
    want = [whole(image) for _ in range(5)]
    assert not np.array_equal(want[0], want[1])
    first = torch.nn.Sequential(pipeline())
    for i in range(2):
        np.testing.assert_array_equal(first[0](image), want[i])
    again = torch.nn.Sequential(pipeline())
    again[0].seed = None
    again.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    for i in range(2, 5):
        np.testing.assert_array_equal(again[0](image), want[i])


def test_copies_go_on_by_themselves():
    image = pictures(1, size=(30, 30))[0]
    compose = pipeline()
    compose(image)
    twins = copy.deepcopy(compose), pickle.loads(pickle.dumps(compose))
    want = compose(image)
    for twin in twins:
        np.testing.assert_array_equal(twin(image), want)


def test_a_module_among_modules():
    data = torch.from_numpy(np.stack(pictures(3, size=(30, 30)))).permute(0, 3, 1, 2)
    net = torch.nn.Sequential(pipeline(), torch.nn.Conv2d(3, 2, 3)).to(torch.device("cpu")).eval()
    assert net(data).shape == (3, 2, 30, 28)
    assert net.double() is net
    assert len(list(net.parameters())) == 2


class Pictures(torch.utils.data.Dataset):
    def __init__(self, aug, by_id):
        self.data, self.aug, self.by_id = pictures(16, size=(30, 30)), aug, by_id

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        return self.aug(self.data[i], ids=[i]) if self.by_id else self.aug(self.data[i])


def test_forked_workers_give_what_the_process_gives():
    aug = pipeline()
    want = np.stack([aug(image, ids=[i]) for i, image in enumerate(pictures(16, size=(30, 30)))])
    for workers in (0, 2):
        loader = torch.utils.data.DataLoader(
            Pictures(aug, True), batch_size=4, num_workers=workers, multiprocessing_context="fork" if workers else None
        )
        equal(torch.cat(list(loader)).numpy(), want)


def test_forked_workers_do_not_repeat_one_stream():
    """A dataset that calls a Compose without ids: workers start from one state, but must not draw alike; nor must epochs."""
    image = np.full((8, 8, 1), 0.5, np.float32)
    aug = G.Compose([G.GaussNoise(p=1)], seed=1)
    aug(image)
    dataset = Pictures(aug, False)
    dataset.data = [image] * 16
    loader = torch.utils.data.DataLoader(dataset, batch_size=4, num_workers=2, multiprocessing_context="fork")
    seen = [x.numpy().tobytes() for _ in range(2) for batch in loader for x in batch]
    assert len(set(seen)) == len(seen)


def test_calls_from_a_forked_child():
    data = pictures(8, size=(64, 64))
    want = delivered(pipeline(), data, range(8))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        ok = False
        try:
            ok = np.array_equal(delivered(pipeline(), data, range(8)), want)
        finally:
            os.write(write, b"y" if ok else b"n")
            os._exit(0)
    os.close(write)
    assert os.read(read, 1) == b"y"
    os.waitpid(child, 0)

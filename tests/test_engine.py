"""What the engine promises whatever the transforms are: fusing, batching, ordering and packing never change a result."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from pipelines import DTYPES, delivered, equal, pictures, pipeline

import gpuaug as G
from gpuaug.batch import Batch
from gpuaug.deliver import deliver_ragged
from gpuaug.track import Track
from gpuaug.transfer import moved

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


# those that bench/second_run.sh runs on a GPU: each has kernels of its own, and they take time to compile
FEW = [(seed, dtype) for seed in range(5) for dtype in ("uint8", "float32")]
CHAINS = [pytest.param(*of, marks=pytest.mark.card if of in FEW else ()) for of in itertools.product(range(40), DTYPES)]


def drawn_chain(seed: int, dtype: str) -> tuple:
    """(Drawn, images, masks) of a random chain; masks for uint8 alone."""
    rng = np.random.default_rng(seed)
    channels = (1, 3, 3, 4, 20)[seed % 5]
    compose = G.Compose(chain(rng, channels, True), seed=seed)
    data = pictures(12, dtype, channels, seed=seed)
    size = np.array([x.shape[:2] for x in data])
    ids = rng.integers(0, 1 << 40, len(data))
    drawn = compose.draw(size, ids=ids, epoch=seed, channels=channels, dtype=dtype)
    masks = [np.ascontiguousarray(x[:, :, :1]).astype(np.int32) * 16777199 for x in data] if dtype == "uint8" else []
    return drawn, data, masks


def at_once(drawn: G.Drawn, data: list[np.ndarray], kind: str, device) -> list[np.ndarray]:
    batch = moved(Batch.of(data, "HWC", name=kind), device)
    return [x.cpu().numpy() for x in deliver_ragged(drawn.lower(batch, kind), planar=False)]


@pytest.mark.parametrize(("seed", "dtype"), CHAINS)
def test_fused_is_one_at_a_time(seed, dtype, device):
    drawn, data, masks = drawn_chain(seed, dtype)
    fused = at_once(drawn, data, "image", device)
    equal(fused, stepwise(drawn, data, "image", device))
    assert [x.shape[:2] for x in fused] == [tuple(s) for s in drawn.size.tolist()]
    if masks:
        equal(at_once(drawn, masks, "mask", device), stepwise(drawn, masks, "mask", device))


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
    plan = drawn.lower(Batch.of(data)).finish(np.zeros(4, np.int64), np.zeros((4, 3), np.int64), "float32")
    assert len(plan.launches) == 1, compose.explain()


def test_a_later_size_does_not_reach_back():
    """Each transform works on the size that the one before it leaves, as albumentations' own pipeline does."""
    albumentations = pytest.importorskip("albumentations")  # test_fused_is_one_at_a_time runs on GPUs without it
    image = pictures(1, size=(120, 160))[0]
    for make in (
        lambda A: [A.Affine(scale=(0.5, 0.5), p=1), A.Resize(64, 48, p=1)],
        lambda A: [A.Affine(scale=(0.5, 0.5), p=1), A.CenterCrop(50, 70, p=1), A.Affine(translate_px=9, p=1)],
    ):
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


# ---- explain -------------------------------------------------------------------------------------------------------------------


def test_explain_lists_operations_in_the_pipelines_order_with_counts():
    """The coin of the second lets it join its stage after the third: it is told where it stands all the same."""
    steps = [G.HorizontalFlip(p=1), G.XYMasking(num_masks_x=1, mask_x_length=5, p=0.5), G.Normalize()]
    compose = G.Compose(steps, seed=1)
    drawn = compose.draw(np.full((64, 2), 32), ids=np.arange(64))
    n = len(drawn.steps[1].rows)
    assert 16 < n < 48
    assert 0 not in drawn.steps[1].rows, "the first sample does not show all operations"
    assert compose.explain((32, 32)).splitlines() == [
        "HorizontalFlip: 64 of 64 samples",
        f"XYMasking: {n} of 64 samples",
        "Normalize: 64 of 64 samples",
        f"1. fused on all samples: HorizontalFlip (hflip), XYMasking (rects) on {n}, Normalize (normalize) [uint8 -> float32]",
    ]


def test_explain_counts_a_transform_that_is_visited_several_times_once():
    steps = [G.HorizontalFlip(p=0.5), G.VerticalFlip(p=1)]
    compose = G.Compose([G.RandomOrder(steps, n=2)], seed=0)
    drawn = compose.draw(np.full((64, 2), 8), ids=np.arange(64))
    took = np.zeros(64, bool)
    for step in drawn.steps:
        if step.transform is steps[0]:
            took[step.rows] = True
    lines = compose.explain((8, 8)).splitlines()
    assert sorted(lines[:2]) == [f"HorizontalFlip: {took.sum()} of 64 samples", "VerticalFlip: 64 of 64 samples"]
    assert lines[2].startswith("1. ")

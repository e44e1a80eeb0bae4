"""The CUDA entry points, run on CPU fibers, give the bits that the CPU build gives.

Both compile the same functions with contraction off, and `fma_` is a fused multiply-add in both where the processor
has one, so the tolerance is zero: positions, chunks of channels, tiles, borders, barriers and addresses must all agree.
What only a GPU can show: its own rounding of `fmaf`, division and square root (IEEE by the options in nvrtc.py), the
saturating conversion of floats beyond the range of int, and everything about time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import emu
import numpy as np
import parity
import pytest
import torch
from emu.plans import GUARD, Only, Steps, build, correlate, image, samples
from real import pipelines

from gpuaug import REGISTRY, Compose, OneOf, backends, deliver, library, vision
from gpuaug.backends import cpu, cuda, shapes
from gpuaug.batch import Batch
from gpuaug.track import Track

pytestmark = pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")


@pytest.fixture(scope="module", autouse=True)
def fused_multiply_add():
    """The baseline build multiplies and adds in two steps; its last bits differ from a GPU's."""
    if library.load().path.stem.endswith("_v2"):
        pytest.skip("needs a processor with a fused multiply-add")


def compare(data, channels, target, planar, steps, device):
    """Runs the plan in both ways; every byte of the outputs and of their guards must agree."""
    plan, want = build(data, channels, target, planar, steps)
    untouched = want.clone()
    cpu.execute(plan, 1)
    assert not torch.equal(want, untouched)
    plan, got = build(data, channels, target, planar, steps)
    cuda.run(plan, device)
    bad = torch.nonzero(got != want).flatten()
    assert not len(bad), f"{len(bad)} of {len(got)} bytes differ, the first at {bad[:5].tolist()}:\n{plan.explain()}"
    return plan


@pytest.mark.parametrize("order", [emu.FORWARD, emu.BACKWARD, 11])
@pytest.mark.parametrize("seed", range(8))
def test_uint8_images(seed, order):
    rng = np.random.default_rng(seed)
    data = samples(rng, "uint8", 3, 6)
    target = "float32" if seed % 2 else "uint8"
    compare(data, 3, target, seed % 3 == 0, Steps(seed, 6), emu.Device(order))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("seed", range(4))
def test_float_images(seed, dtype):
    rng = np.random.default_rng(seed)
    data = samples(rng, dtype, 3, 5)
    compare(data, 3, dtype, seed % 2 == 0, Steps(seed + 100, 5), emu.Device(emu.BACKWARD))


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 9])
@pytest.mark.parametrize("planar", [False, True])
def test_other_channel_counts(channels, planar):
    rng = np.random.default_rng(channels)
    data = samples(rng, "uint8", channels, 5)
    device = emu.Device(emu.BACKWARD)
    compare(data, channels, "uint8", planar, Steps(channels, 5, 8), device)
    widths = {width for _, width, _ in shapes.chunks_of(channels)}
    assert {f"fused_u8_u8_c{width}" for width in widths} <= {name.rpartition("_")[0] for name in device.launches}


@pytest.mark.parametrize("seed", range(3))
def test_masks(seed):
    rng = np.random.default_rng(seed)
    compare(samples(rng, "int32", 1, 5), 1, "int32", False, Steps(seed, 5), emu.Device(emu.BACKWARD))


@pytest.mark.parametrize("lengths", [(1, 1), (3, 31), (31, 3), (25, 25), (49, 49), (161, 161), (199, 3)])
def test_long_filters(lengths):
    """All sizes of the chunk of channels, and of the tile."""
    rng = np.random.default_rng(0)
    taps = rng.dirichlet(np.ones(sum(lengths))).astype(np.float32) * 2
    data = [image(rng, "uint8", 40, 50, 5), image(rng, "uint8", 3, 3, 5)]

    def step(track):
        correlate(track, slice(None), "separable", [taps] * 2, [lengths] * 2, border=4)

    compare(data, 5, "uint8", False, Only(step), emu.Device(emu.BACKWARD))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("order", [emu.FORWARD, emu.BACKWARD, 3])
def test_moments(dtype, channels, order):
    """Sums of each channel, and an operation that reads them: what a sample's mean is added to."""
    data = samples(np.random.default_rng(4), dtype, channels, 5)
    code = "linear_u8_mean" if dtype == "uint8" else "linear_mean"
    limits = {} if dtype == "uint8" else {"low": 0, "high": 2}
    results = []

    def add_mean(track):
        moments = track.reduce(slice(None), "moments")
        track.op(slice(None), code, factor=0.7, offset=0.4, mean=moments, **limits)

    for run in (lambda plan: cpu.execute(plan, 1), lambda plan: cuda.run(plan, emu.Device(order))):
        plan, out = build(data, channels, dtype, False, Only(add_mean))
        assert [launch.kind for launch in plan.launches] == ["reduce", "fused"]
        plan.found[:] = np.nan
        run(plan)
        results.append(out)
    assert torch.equal(*results)
    size = [x.size for x in data]
    for i, x in enumerate(data):
        mean = x.astype(np.float64).mean() * 0.4
        want = np.clip(x * np.float32(0.7) + np.float32(mean), 0, 255 if dtype == "uint8" else 2)
        at = sum(size[:i]) + (2 * i + 1) * GUARD
        got = results[0].view(getattr(torch, dtype))[at : at + x.size].numpy().reshape(x.shape)
        np.testing.assert_allclose(got, want, atol=1 if dtype == "uint8" else 1e-5)


def test_filters_that_fit_into_no_block_are_refused():
    assert shapes.filter_shape(3, 1, 1)[:2] == (32, 3)
    with pytest.raises(ValueError, match="9999 x 9999 weights"):
        shapes.filter_shape(3, 9999, 9999)


# ---- whole pipelines -----------------------------------------------------------------------------


@pytest.fixture
def emulated(monkeypatch):
    """Makes `Compose` run on the emulated device; returns that device."""
    device = emu.Device(emu.BACKWARD)

    def use(on: bool) -> None:
        monkeypatch.setattr(deliver, "execute", (lambda plan, _: cuda.run(plan, device)) if on else backends.execute)

    return use


def both(emulated, build, targets, epoch=0):
    """The result of a pipeline on the CPU and on the emulated GPU."""
    results = []
    for on in (False, True):
        emulated(on)
        out = build()(**targets, ids=np.arange(len(targets["image"])) * 7, epoch=epoch)
        results.append({name: out[name] for name in ("image", "mask")})
    return results


def equal(results) -> None:
    want, got = results
    for name in want:
        for i, (a, b) in enumerate(zip(want[name], got[name], strict=True)):
            np.testing.assert_array_equal(a, b, err_msg=f"{name} {i}", strict=True)


@pytest.mark.parametrize("number", range(len(pipelines())))
def test_kernels_that_hold_the_operations_of_their_pipeline(monkeypatch, number):
    device = emu.Device(emu.BACKWARD, masked=True)
    pipeline = Compose(pipelines()[number].transforms, seed=5)
    rng, sizes = np.random.default_rng(number), [(260, 410)] * 2 if number == 1 else [(31, 45), (24, 17), (9, 70), (50, 50)]
    images = [image(rng, "uint8", *size, 3) for size in sizes]
    results = []
    for execute in (backends.execute, lambda plan, _: cuda.run(plan, device)):
        monkeypatch.setattr(deliver, "execute", execute)
        masks = [np.ascontiguousarray(each[..., 0]) for each in images]
        results.append(pipeline(image=images, mask=masks, ids=np.arange(len(images))))
    equal(results)
    assert all("_ops" in name for name in device.launches if name.startswith("fused"))


def transform(name: str, p: float = 1.0):
    return REGISTRY[name](**parity.ABOUT[name].arguments, p=p)


ANY_BOXES = {"bbox_params": {"format": "pascal_voc"}}
VARIANTS = [(about.name, arguments) for about in parity.ABOUT.values() for arguments in about.variants]
# a fixed list: a new transform changes no pipeline but its own
NEIGHBOURS = (
    "Affine", "Blur", "ChannelDropout", "CoarseDropout", "GaussNoise", "GridDropout", "HorizontalFlip", "HueSaturationValue",
    "MotionBlur", "PadIfNeeded", "RandomBrightnessContrast", "RandomCrop", "RandomResizedCrop", "RandomRotate90", "XYMasking",
)  # fmt: skip


def pictures(name: str, seed: int, dtype: str, n: int) -> dict:
    """Images, and masks of small labels; what the transform of a name reads beside them."""
    rng = np.random.default_rng(seed)
    images = samples(rng, dtype, 3, n)
    out = {"image": images, "mask": [rng.integers(0, 3, x.shape[:2], dtype=np.int32) for x in images]}
    boxes = [(0, 0, -(-x.shape[1] // 2), -(-x.shape[0] // 2)) for x in images]
    more = {
        "bboxes": [[box] for box in boxes],
        "cropping_bbox": boxes,
        "volume": [np.stack([x] * 3) for x in images],
        "overlay_metadata": [{"image": np.ones((3, 4, 3), dtype), "mask_id": 1}] * n,
        "textimage_metadata": [{"bbox": (0, 0, 1, 1), "text": "word"}] * n,
    }
    return {**out, **{word: more[word] for word in more if word == parity.ABOUT[name].reads}}


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_transform(emulated, name):
    for seed, dtype in enumerate(("uint8", "float32")):
        equal(both(emulated, lambda: Compose([transform(name)], seed=5, **ANY_BOXES), pictures(name, seed, dtype, 4)))


OF_CHANNELS = [
    ("FancyPCA", {"alpha": 2.0}),
    ("ChannelShuffle", {}),
    ("AdditiveNoise", {"spatial_mode": "per_pixel", "noise_type": "gaussian", "approximation": 0.5}),
    ("MultiplicativeNoise", {"elementwise": True, "per_channel": True}),
    ("ShotNoise", {}),
    ("SaltAndPepper", {"amount": (0.2, 0.5)}),
    ("GlassBlur", {}),
    ("ZoomBlur", {}),
    ("PlasmaBrightnessContrast", {}),
    ("RandomToneCurve", {"per_channel": True}),
]


@pytest.mark.parametrize("channels", [1, 2, 5, 9])
@pytest.mark.parametrize(("name", "arguments"), OF_CHANNELS)
def test_chunks_of_channels(emulated, name, arguments, channels):
    """What reads all channels, or draws for each: in chunks of four and of one."""
    for seed, dtype in enumerate(("uint8", "float32")):
        images = samples(np.random.default_rng(seed), dtype, channels, 3)
        data = {"image": images, "mask": [np.zeros(x.shape[:2], np.int32) for x in images]}
        equal(both(emulated, lambda: Compose([REGISTRY[name](**arguments, p=1)], seed=5), data))


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_variants(emulated, name, arguments):
    equal(both(emulated, lambda: Compose([REGISTRY[name](**arguments, p=1)], seed=5, **ANY_BOXES), pictures(name, 3, "uint8", 4)))


OF_VISION = [
    vision.ColorJitter(0.5, 0.5, 0.5, 0.4),
    vision.RandomPhotometricDistort(p=0.8),
    vision.RandomGrayscale(1),
    vision.RandomAutocontrast(1),
    vision.RandomEqualize(1),
    vision.RandomPosterize(3, 1),
    vision.RandomAdjustSharpness(2.5, 1),
    vision.RandomErasing(1, value=3),
    vision.GaussianBlur((3, 5)),
    vision.GaussianNoise(),
    vision.RandomAffine(40, (0.2, 0.1), (0.5, 1.5), 20, "bilinear", 7),
    vision.RandomPerspective(p=1),
    vision.ElasticTransform(20.0, 0.5),
    vision.Resize((20, 30), "nearest"),
    vision.Resize((20, 30)),
]


@pytest.mark.parametrize("step", OF_VISION, ids=lambda step: type(step).__name__)
def test_torchvisions(emulated, step):
    rng = np.random.default_rng(3)
    for dtype in ("uint8", "float32"):
        images = [image(rng, dtype, *size, 3) for size in ((31, 45), (7, 9), (64, 8))]
        data = {"image": images, "mask": [rng.integers(0, 3, x.shape[:2], dtype=np.int32) for x in images]}
        equal(both(emulated, lambda: Compose([step], seed=5), data))


@pytest.mark.parametrize("policy", ["AugMix", "AutoAugment", "RandAugment", "TrivialAugmentWide"])
def test_torchvisions_policies(emulated, policy):
    results = []
    images = samples(np.random.default_rng(1), "uint8", 3, 12)
    for on in (False, True):
        emulated(on)
        results.append({"image": Compose([getattr(vision, policy)()], seed=5)(image=images, ids=np.arange(12))["image"]})
    equal(results)


def test_erasing_by_normal_numbers(emulated):
    data = pictures("Affine", 2, "float32", 4)
    equal(both(emulated, lambda: Compose([vision.RandomErasing(1, value="random")], seed=5), data))


@pytest.mark.parametrize(
    "name", sorted(set(parity.ABOUT) - {"FromFloat", "Normalize", "ToFloat", "ToTensor", "ToTensor3D", "ToTensorV2"})
)
def test_random_pipelines(emulated, name):
    seed = sum(name.encode())
    chain = np.random.default_rng(seed).choice([n for n in NEIGHBOURS if n != name], 4, replace=False)

    def build():
        steps = [transform(str(each), 0.6) for each in chain]
        mine = transform(name, 0.8)
        return Compose([OneOf(steps[:2], p=0.7), mine, *steps[2:], transform("Normalize")], seed=seed, **ANY_BOXES)

    equal(both(emulated, build, pictures(name, seed, "uint8", 6), epoch=seed))


IMGAUG = [
    "GaussianBlur()", "AverageBlur((1, 7))", "MedianBlur((1, 7))", "MotionBlur((3, 9))", "Sharpen((0, 1.0), (1.0, 2.0))",
    "Add((-40, 40), per_channel=0.5)", "Multiply((0.5, 1.5))", "LinearContrast((0.5, 2.0), per_channel=0.5)", "GammaContrast()",
    "AdditiveGaussianNoise(scale=(0, 15), per_channel=0.5)", "Affine(order=[0, 1, 3], cval=(0, 255), mode='ALL')",
    "ElasticTransformation((0, 40), (1.0, 8.0), order=[0, 1, 3], mode='ALL')", "Crop(percent=(0, 0.2))",
    "CropAndPad(px=(-3, 3), pad_mode='reflect')", "Resize((10, 40), interpolation='ALL')",
]  # fmt: skip


@pytest.mark.parametrize("case", IMGAUG)
def test_imgaugs_names(emulated, case):
    import gpuaug.interop.imgaug as iaa

    for seed, dtype in enumerate(("uint8", "float32")):
        images = samples(np.random.default_rng(seed), dtype, 3, 6)
        data = {"image": images, "mask": [(x[..., 0] > x.mean()).astype(np.int32) for x in images]}
        equal(both(emulated, lambda: Compose([eval(f"iaa.{case}", {"iaa": iaa})], seed=5), data))


# ---- the host side -----------------------------------------------------------------------------


def flip(track):
    track.orient(slice(None), "hflip")


def test_more_samples_than_a_grid_may_have(monkeypatch):
    monkeypatch.setattr(shapes, "GRID_YZ", 4)
    rng = np.random.default_rng(3)
    data = samples(rng, "uint8", 5, 10)
    device = emu.Device()
    compare(data, 5, "uint8", False, Only(flip), device)
    assert sorted(device.launches) == ["fused_u8_u8_c1_view"] * 3 + ["fused_u8_u8_c4_view"] * 3
    compare(data, 5, "uint8", False, Steps(5, 10), emu.Device())


def test_one_upload_for_all_launches():
    rng = np.random.default_rng(1)
    uploads = []

    class Counting(emu.Device):
        def upload(self, memory):
            uploads.append(memory)
            return super().upload(memory)

    plan = compare(samples(rng, "uint8", 3, 6), 3, "uint8", False, Steps(1, 6), Counting())
    assert len(plan.launches) > 2
    assert len(uploads) == 1
    assert uploads[0] is plan.memory
    ends = 0
    for launch in plan.launches:  # the widest load of a GPU is 16 bytes; nothing lies over another
        assert all(offset % 16 == 0 for offset in launch.offsets)
        for offset, part in zip(launch.offsets, (launch.rows, launch.ops)):
            if part is not None:
                assert offset >= ends
                ends = offset + part.nbytes
                assert bytes(uploads[0][offset:ends]) == part.tobytes()
    assert len({launch.offsets[2] for launch in plan.launches}) == 1, "launches share their blob; it travels once"


def test_plans_without_work():
    empty = Track(Batch.of(np.zeros((0, 4, 4, 3), np.uint8)))
    plan = empty.finish(np.zeros(0, np.int64), np.zeros((0, 3), np.int64), "uint8")
    device = emu.Device()
    cuda.run(plan, device)
    assert device.launches == []


def test_chunks_cover_every_channel_once():
    for channels in range(1, 20):
        covered = [c for first, width, n in shapes.chunks_of(channels) for c in range(first, first + width * n)]
        assert covered == list(range(channels))


def test_one_message_names_every_cause(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setitem(__import__("sys").modules, "cupy.cuda", None)
    cuda.problem.cache_clear()
    try:
        with pytest.raises(RuntimeError, match=r"(?s)nvidia-smi.*CuPy.*pip install cupy-cuda12x"):
            cuda.execute(None)
        calls = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: calls.append(1))
        with pytest.raises(RuntimeError, match="nvidia-smi"):
            cuda.execute(None)
        assert not calls, "the answer is remembered"
    finally:
        cuda.problem.cache_clear()


def test_address_sanitizer_sees_nothing():
    """The plans of `test_uint8_images` with every access checked, in a process of its own (see test_shim.py)."""
    asan = subprocess.run([emu.CXX, "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
    if not Path(asan).is_absolute():
        pytest.skip("needs libasan")
    script = textwrap.dedent(
        """
        import numpy as np, emu
        from emu.plans import Steps, build, samples
        from gpuaug.backends import cuda
        for seed in range(0, 8, 2):
            data = samples(np.random.default_rng(seed), "uint8", 3, 6)
            plan, out = build(data, 3, "uint8", seed % 3 == 0, Steps(seed, 6))
            cuda.run(plan, emu.Device(sanitize=True))
        print("finished")
        """
    )
    folder = Path(__file__).parent
    path = os.pathsep.join([str(folder), str(folder.parent)])
    env = {**os.environ, "LD_PRELOAD": asan, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, timeout=300)
    if done.returncode and not any(word in done.stderr for word in ("AddressSanitizer", "Traceback")):
        pytest.skip(f"ASan does not work here: {done.stderr[-300:]}")
    assert "finished" in done.stdout, done.stderr[:3000]


# ---- bugs planted in the real kernels ------------------------------------------------------------


def fails(replace, even: bool) -> bool:
    """Whether some order of threads shows the bug. even: with weights that march.cuh takes."""
    rng = np.random.default_rng(0)
    data = [image(rng, "uint8", 40, 50, 3), image(rng, "uint8", 33, 37, 3)]
    line = [0.1, 0.2, 0.4, 0.2, 0.1]
    taps = [np.array(line * 2 if even else [0.2] * 5 + line, np.float32)] * 2

    def step(track):
        correlate(track, slice(None), "separable", taps, [[5, 5]] * 2, border=4)
        h, w = track.size.T
        track.crop(slice(None), np.ones(2, int), np.ones(2, int), h - 3, w - 1)
        track.orient(slice(None), "hflip")
        track.op(slice(None), "linear_u8", factor=1.1, offset=3.0)

    for order in (emu.FORWARD, emu.BACKWARD, 5):
        try:
            compare(data, 3, "uint8", False, Only(step), emu.Device(order, replace))
        except (AssertionError, emu.KernelFault):
            return True
    return False


@pytest.mark.parametrize("even", [False, True])
def test_without_a_bug_nothing_fails(even):
    assert not fails((), even)


BARRIER = "f(y, x);\n    __syncthreads();"
SHARED = "  GPUAUG_SHARED(float, shared);\n  const"
MARCHED = "      __syncthreads();\n      if ((u32)(y - 1) < (u32)high && writes)"


@pytest.mark.parametrize(
    "bug",
    [
        ("filter", BARRIER, "f(y, x);"),
        ("filter", BARRIER, "f(y, x);\n    if (threadIdx.x < 100) __syncthreads();"),
        ("filter", SHARED, SHARED.replace("const", "if (threadIdx.x > 200) return;\n  const")),
        ("filter", "tw = min_(tw, row.sw - x0);", ""),
        ("filter", MARCHED, MARCHED.partition("\n")[2]),
        ("filter", MARCHED, MARCHED.replace("      __sync", "      if (reads) __sync")),
        ("filter", MARCHED, MARCHED.replace("(u32)high", "(u32)(high - 2)")),
        ("filter", "MARCH_PAD + x)", "MARCH_PAD + x + 1)"),
        ("filter", "      if (CH * k < held) store1", "      store1"),
        ("filter", "4 * (j + 1) < (int)at + held ? ", "j + 1 < CH ? "),
        ("fused", "blockIdx.x * G::lanes", "blockIdx.x * (G::lanes + 1)"),
        ("fused", "if ((t.left >= N) & (dense", "if ((true) & (dense"),
        ("fused", "const u32 b = j + 1 < W || shift ?", "const u32 b = j + 1 < W ?"),
        ("fused", "if (ex < 0) mirror_words<C>(w);", ""),
        ("fused", "          x -= w;\n          ++y;", "          x -= w;"),
    ],
    ids=[
        "no barrier", "barrier for some", "threads leave", "wide tile", "no barrier of a line", "barrier of a line for some",
        "last lines of a strip", "edge beside its place", "columns behind the tile", "last word of a line",
        "gap", "past the end", "last word", "not mirrored", "end of a line",
    ],
)  # fmt: skip
def test_a_bug_is_found(bug):
    assert fails((bug,), even=True) or fails((bug,), even=False)

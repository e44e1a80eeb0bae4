"""The CUDA entry points, run on CPU fibers, give the bits that the CPU build gives.

Both compile the same functions with contraction off, and `fma_` is a fused multiply-add in both where the processor
has one, so the tolerance is zero: positions, chunks of channels, tiles, borders, barriers and addresses must all agree.
What only a GPU can show: its own rounding of `fmaf`, division and square root (IEEE by the options in nvrtc.py), the
saturating conversion of floats beyond the range of int, and everything about time.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import emu
from gpuaug.backends import cpu, cuda, nvrtc
from gpuaug.batch import DTYPES, Batch
from gpuaug.plan import ORIENTATIONS, Track

pytestmark = pytest.mark.skipif(emu.CXX is None, reason="needs a C++ compiler")

NUMPY = {"uint8": np.uint8, "float16": np.uint16, "bfloat16": np.uint16, "float32": np.float32, "int32": np.int32}
TORCH = {"float16": torch.float16, "bfloat16": torch.bfloat16}
GUARD = 2048  # elements before and after every output image: more than a block writes, for the planted bugs
# odd, prime, one row, one column, one pixel, more than one block, wider than a filter's tile
SIZES = [(1, 1), (1, 37), (41, 1), (13, 17), (31, 29), (23, 45), (5, 70), (33, 33)]


@pytest.fixture(scope="module", autouse=True)
def fused_multiply_add():
    """The baseline build multiplies and adds in two steps; its last bits differ from a GPU's."""
    library = cpu.library(required=False)
    if library is None:
        pytest.skip("needs the compiled kernels")
    if library.path.stem.endswith("_v2"):
        pytest.skip("needs a processor with a fused multiply-add")


def image(rng, dtype: str, h: int, w: int, channels: int):
    if dtype == "uint8":
        return rng.integers(0, 256, (h, w, channels), dtype=np.uint8)
    if dtype == "int32":
        return rng.integers(-(2**31), 2**31, (h, w, channels), dtype=np.int64).astype(np.int32)
    values = rng.random((h, w, channels), dtype=np.float32)
    return torch.from_numpy(values).to(TORCH[dtype]).permute(2, 0, 1) if dtype in TORCH else values


def samples(rng, dtype: str, channels: int, n: int):
    return [image(rng, dtype, *SIZES[i], channels) for i in rng.integers(0, len(SIZES), n)]


class Steps:
    """Random steps of a plan. The choices are drawn once and can be lowered to any number of tracks."""

    def __init__(self, seed: int, n: int, count: int = 6):
        self.seed, self.n, self.count = seed, n, count

    def lower(self, track: Track) -> None:
        rng = np.random.default_rng(self.seed)
        kinds = ["crop", "orient", "warp", "gauss", "rects", "linear"]
        if track.dtype != "int32":
            kinds += ["separable", "points"]
        if track.channels == 3 and track.dtype != "int32":
            kinds += ["hsv"]
        if track.dtype == "int32":
            kinds = ["crop", "orient", "nearest"]
        for _ in range(self.count):
            rows = np.flatnonzero(rng.random(self.n) < 0.6)
            if len(rows):
                getattr(self, "_" + str(rng.choice(kinds)))(track, rng, rows)

    def _crop(self, track, rng, rows):
        h, w = track.size[rows].T
        y, x = (rng.integers(0, np.maximum(v // 3, 1)) for v in (h, w))
        track.crop(rows, x, y, np.maximum(h - y - rng.integers(0, 3), 1), np.maximum(w - x - rng.integers(0, 3), 1))

    def _orient(self, track, rng, rows):
        track.orient(rows, str(rng.choice(list(ORIENTATIONS))))

    def _warp(self, track, rng, rows, interpolation=None):
        n = len(rows)
        angle, scale = rng.uniform(-np.pi, np.pi, n), rng.uniform(0.3, 3, n)
        if rng.random() < 0.3:
            scale *= 1e-9  # far outside on most samples
        h, w = track.size[rows].T
        m = np.stack([np.cos(angle) / scale, -np.sin(angle) / scale, w / 2, np.sin(angle) / scale, np.cos(angle) / scale, h / 2], 1)
        interpolation = interpolation or str(rng.choice(["nearest", "linear", "cubic"]))
        border, size = int(rng.integers(0, 5)), rng.integers(1, 40, (n, 2))
        fill = 7 if track.dtype in ("uint8", "int32") else 0.25
        if rng.random() < 0.2:
            track.warp(rows, m, size, "resize_nearest", 1, scale=(track.size[rows] / size)[:, ::-1])
        else:
            track.warp(rows, m, size, interpolation, border, fill)

    def _nearest(self, track, rng, rows):
        self._warp(track, rng, rows, "nearest")

    def _linear(self, track, rng, rows):
        gain = rng.uniform(0.5, 1.5, len(rows))
        if track.is_u8:
            track.pixel(rows, "linear_u8", np.stack([gain, rng.uniform(-40, 40, len(rows))], 1))
        else:
            track.pixel(rows, "linear", np.stack([gain, gain - 1, 0 * gain, 0 * gain + 1], 1))

    def _hsv(self, track, rng, rows):
        if track.is_u8:
            p = rng.integers([0, -60, -60], [180, 60, 60], (len(rows), 3)).astype(np.float32)
            track.pixel(rows, "hsv_u8", p)
        else:
            track.pixel(rows, "hsv", rng.uniform(-0.3, 0.3, (len(rows), 3)))

    def _gauss(self, track, rng, rows):
        n = len(rows)
        p = np.zeros((n, 5), np.float32)
        p[:, :2] = rng.integers(0, 2**31, (n, 2), dtype=np.int64).astype(np.uint32).view(np.float32)
        p[:, 2], p[:, 3] = (20, 3) if track.is_u8 else (0.1, 0.01)
        p[:, 4] = track.size[rows][:, 1].astype(np.int32).view(np.float32)
        track.pixel(rows, "gauss", p, flag=int(rng.integers(0, 2)) + (2 if track.is_u8 else 4), positions=True)

    def _rects(self, track, rng, rows):
        n, k = len(rows), int(rng.integers(1, 4))
        at = rng.integers(0, 30, (n, k, 2))
        rects = np.concatenate([at, at + rng.integers(1, 12, (n, k, 2))], 2).astype(np.int32)
        fills = np.full((n, track.channels), 9, np.float32)
        arg = [track.blob(np.concatenate([r.view(np.float32).ravel(), f])) for r, f in zip(rects, fills)]
        track.pixel(rows, "rects", arg=np.array(arg), n=k, flag=0, positions=True)

    def _separable(self, track, rng, rows):
        lengths = 2 * rng.integers(0, 6, (len(rows), 2)) + 1
        taps = [rng.dirichlet(np.ones(a)).tolist() + rng.dirichlet(np.ones(b)).tolist() for a, b in lengths]
        track.filter(rows, "separable", [np.float32(t) for t in taps], lengths, border=int(rng.integers(0, 5)))

    def _points(self, track, rng, rows):
        counts = rng.integers(1, 6, len(rows))
        taps = [np.c_[rng.integers(-3, 4, (k, 2)), rng.dirichlet(np.ones(k))].astype(np.float32) for k in counts]
        # extents of the kernel, which the CPU's ring of rows is sized by
        track.filter(rows, "points", taps, counts, border=int(rng.integers(0, 5)))
        track.launches[-1].rows["kh"] = track.launches[-1].rows["kw"] = 7


def build(data, channels: int, target: str, planar: bool, steps):
    """(plan, output buffer): every output image lies between guards."""
    batch = Batch.of(data)
    track = Track(batch)
    steps.lower(track)
    h, w = track.size.astype(np.int64).T
    start = np.cumsum(h * w * channels + 2 * GUARD) - (h * w * channels + GUARD)
    out = np.full(int((h * w * channels + 2 * GUARD).sum()), 0x5A, NUMPY[target])
    one = np.ones_like(h)
    stride = np.stack([w, one, h * w] if planar else [w * channels, one * channels, one], 1)
    if target != track.dtype:
        track.convert(target, slice(None))
    return track.finish(out.ctypes.data + start * DTYPES[target][1], stride, target), out


def compare(data, channels, target, planar, steps, device):
    plan, want = build(data, channels, target, planar, steps)
    cpu.execute(plan, 1)
    plan, got = build(data, channels, target, planar, steps)
    cuda.run(plan, device)
    assert want.tobytes() != np.full_like(want, 0x5A).tobytes()
    bad = np.flatnonzero(got.view(f"u{got.itemsize}") != want.view(f"u{got.itemsize}"))
    assert not len(bad), f"{len(bad)} of {len(got)} values differ:\n{plan.explain()}\n{got[bad[:5]]} {want[bad[:5]]}"
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
    widths = {width for _, width, _ in cuda.chunks_of(channels)}
    assert {f"fused_u8_u8_c{width}" for width in widths} <= set(device.launches)


@pytest.mark.parametrize("seed", range(3))
def test_masks(seed):
    rng = np.random.default_rng(seed)
    compare(samples(rng, "int32", 1, 5), 1, "int32", False, Steps(seed, 5), emu.Device(emu.BACKWARD))


class Only:
    """One given step on all samples."""

    def __init__(self, step):
        self.lower = step


@pytest.mark.parametrize("lengths", [(1, 1), (3, 31), (31, 3), (25, 25), (49, 49), (161, 161), (199, 3)])
def test_long_filters(lengths):
    """All sizes of the chunk of channels, and of the tile."""
    rng = np.random.default_rng(0)
    taps = rng.dirichlet(np.ones(sum(lengths))).astype(np.float32) * 2
    data = [image(rng, "uint8", 40, 50, 5), image(rng, "uint8", 3, 3, 5)]

    def step(track):
        track.filter(slice(None), "separable", [taps] * 2, np.array([lengths] * 2), border=4)

    compare(data, 5, "uint8", False, Only(step), emu.Device(emu.BACKWARD))


def test_filters_that_fit_into_no_block_are_refused():
    assert cuda.filter_shape(3, 1, 1)[:2] == (32, 3)
    with pytest.raises(ValueError, match="9999 x 9999 weights"):
        cuda.filter_shape(3, 9999, 9999)


# ---- the host side -----------------------------------------------------------------------------


def flip(track):
    track.orient(slice(None), "hflip")


def test_more_samples_than_a_grid_may_have(monkeypatch):
    monkeypatch.setattr(cuda, "GRID_YZ", 4)
    rng = np.random.default_rng(3)
    data = samples(rng, "uint8", 5, 10)
    device = emu.Device()
    compare(data, 5, "uint8", False, Only(flip), device)
    assert sorted(device.launches) == ["fused_u8_u8_c1"] * 3 + ["fused_u8_u8_c4"] * 3
    compare(data, 5, "uint8", False, Steps(5, 10), emu.Device())


def test_one_upload_for_all_launches():
    rng = np.random.default_rng(1)
    uploads = []

    class Counting(emu.Device):
        def upload(self, size, parts):
            parts = list(parts)
            uploads.append(parts)
            return super().upload(size, parts)

    plan = compare(samples(rng, "uint8", 3, 6), 3, "uint8", False, Steps(1, 6), Counting())
    assert len(plan.launches) > 2
    assert len(uploads) == 1
    assert all(offset % 16 == 0 for offset, _ in uploads[0])
    ends = [offset + (0 if a is None else a.nbytes) for offset, a in uploads[0]]
    assert all(end <= offset for end, (offset, _) in zip(ends, uploads[0][1:]) if offset)
    blobs = [a for _, a in uploads[0] if a is plan.launches[0].blob]
    assert len(blobs) == 1, "launches share their blob; it travels once"


def test_plans_without_work():
    empty = Track(Batch.of(np.zeros((0, 4, 4, 3), np.uint8)))
    plan = empty.finish(np.zeros(0, np.int64), np.zeros((0, 3), np.int64), "uint8")
    device = emu.Device()
    cuda.run(plan, device)
    assert device.launches == []


def test_chunks_cover_every_channel_once():
    for channels in range(1, 20):
        covered = [c for first, width, n in cuda.chunks_of(channels) for c in range(first, first + width * n)]
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


# ---- bugs planted in the real kernels ------------------------------------------------------------


def fails(replace, **settings) -> bool:
    """Whether some order of threads shows the bug."""
    rng = np.random.default_rng(0)
    data = [image(rng, "uint8", 40, 50, 3), image(rng, "uint8", 33, 37, 3)]
    taps = [np.full(10, 0.2, np.float32)] * 2

    def step(track):
        track.filter(slice(None), "separable", taps, np.array([[5, 5]] * 2), border=4)
        track.pixel(slice(None), "linear_u8", np.array([1.1, 3.0], np.float32))

    for order in (emu.FORWARD, emu.BACKWARD, 5):
        try:
            compare(data, 3, "uint8", False, Only(step), emu.Device(order, replace))
        except (AssertionError, emu.KernelFault):
            return True
    return False


def test_without_a_bug_nothing_fails():
    assert not fails(())


BARRIER = "f(y, x);\n    __syncthreads();"
SHARED = "  GPUAUG_SHARED(float, shared);\n  const"


@pytest.mark.parametrize(
    "bug",
    [
        ("filter", BARRIER, "f(y, x);"),
        ("filter", BARRIER, "f(y, x);\n    if (threadIdx.x < 100) __syncthreads();"),
        ("filter", SHARED, SHARED.replace("const", "if (threadIdx.x > 200) return;\n  const")),
        ("filter", "tw = min_(tw, row.w - x0);", ""),
        ("fused", "blockIdx.x * G::lanes", "blockIdx.x * (G::lanes + 1)"),
        ("fused", "if (l.id < left)", ""),
        ("fused", "s.dh * s.dw - 1 - first", "s.dh * s.dw - 2 - first"),
    ],
    ids=["no barrier", "barrier for some", "threads leave", "tile too wide", "gap between tiles", "writes past the end", "last pixel"],
)
def test_a_bug_is_found(bug):
    assert fails((bug,))

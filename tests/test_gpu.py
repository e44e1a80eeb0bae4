"""What only a GPU can show: its own arithmetic, streams, and that nothing waits. Plus what must hold without one."""

from __future__ import annotations

import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from emu.plans import Steps, build, samples

from gpuaug import Compose, GaussianBlur, HorizontalFlip, HueSaturationValue, Normalize, ShiftScaleRotate, library
from gpuaug.backends import cpu, cuda, nvrtc


@pytest.fixture
def gpu() -> torch.device:
    why = cuda.problem()
    if why:
        pytest.skip(f"needs a GPU: {why}")
    return torch.device("cuda", torch.cuda.current_device())


def values(out: torch.Tensor, dtype: str) -> np.ndarray:
    return out.cpu().view(getattr(torch, dtype)).to(torch.float64).numpy()


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16", "bfloat16", "int32"])
@pytest.mark.parametrize("seed", range(6))
def test_gpu_gives_the_bits_of_the_cpu(gpu, seed, dtype):
    """Both builds round alike: no contraction, fused multiply-adds where the source says so, IEEE division and root.
    The baseline CPU build has no fused multiply-add, so that there one grey level or 1e-5 is allowed."""
    channels = 1 if dtype == "int32" else 3
    rng = np.random.default_rng(seed)
    data, steps = samples(rng, dtype, channels, 6), Steps(seed, 6)
    plan, want = build(data, channels, dtype, seed % 2 == 0, steps)
    cpu.execute(plan)
    plan, got = build(data, channels, dtype, seed % 2 == 0, steps, gpu)
    cuda.execute(plan, gpu)
    if library.load().path.stem.endswith("_v2"):
        tolerance = {"uint8": 1, "int32": 0}.get(dtype, 1e-5)
        np.testing.assert_allclose(values(got, dtype), values(want, dtype), rtol=0, atol=tolerance)
    else:
        bad = torch.nonzero(got.cpu() != want).flatten()
        assert not len(bad), f"{len(bad)} of {len(want)} bytes differ:\n{plan.explain()}"


def pipeline():
    return Compose([HorizontalFlip(), ShiftScaleRotate(), GaussianBlur(), HueSaturationValue(), Normalize()], seed=3)


@pytest.fixture
def batch() -> torch.Tensor:
    return torch.randint(0, 256, (16, 3, 96, 80), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.gpu
def test_a_batch_on_the_gpu_never_waits(gpu, batch):
    compose, data = pipeline(), batch.to(gpu)
    compose.run({"image": data}, ids=np.arange(16))  # compiles, and fills the allocators
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for epoch in range(20):
            compose.run({"image": data}, ids=np.arange(16), epoch=epoch)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
def test_parameters_outlive_a_slow_stream(gpu, batch):
    """Forty batches are queued behind work that takes longer than queuing them: no upload slot may be reused early."""
    compose, data = pipeline(), batch.to(gpu)
    want = [compose.run({"image": batch}, ids=np.arange(16), epoch=e)["image"] for e in range(40)]
    stream = torch.cuda.Stream(gpu)
    with torch.cuda.stream(stream):
        # memory for all of them beforehand: allocating it pinned may wait for the device, and then for the sleep
        warm = [compose.run({"image": data}, ids=np.arange(16), epoch=e)["image"] for e in range(40)]
        warm += [torch.empty(1 << k, dtype=torch.uint8, pin_memory=True) for k in range(12, 18) for _ in range(40)]
        stream.synchronize()
        del warm
        torch.cuda._sleep(2_000_000_000)  # cycles: about a second
        got = [compose.run({"image": data}, ids=np.arange(16), epoch=e)["image"] for e in range(40)]
    assert not stream.query(), "the stream was not slow enough for this test to show anything"
    stream.synchronize()
    for a, b in zip(got, want):
        torch.testing.assert_close(a.cpu(), b, rtol=0, atol=1e-5)


@pytest.mark.gpu
def test_work_goes_to_the_given_stream(gpu):
    rng = np.random.default_rng(0)
    data = samples(rng, "uint8", 3, 4)
    cuda.execute(build(data, 3, "uint8", False, Steps(0, 4), gpu)[0])  # compiles
    plan, out = build(data, 3, "uint8", False, Steps(0, 4), gpu)
    torch.cuda.synchronize()
    before, stream = out.clone(), torch.cuda.Stream(gpu)
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(500_000_000)
    cuda.execute(plan, stream=stream)
    assert torch.equal(out, before), "the launch did not queue behind the stream's work"
    stream.synchronize()
    assert not torch.equal(out, before)


@pytest.mark.gpu
def test_replays_are_runs(gpu, batch):
    """Other draws, fewer samples, another stream, behind work that takes longer than queueing; and nothing waits."""
    compose, data = pipeline(), batch.to(gpu)
    captured, side = compose.capture({"image": data}, ids=np.arange(16)), torch.cuda.Stream(gpu)
    counts = [16 if epoch % 5 else 11 for epoch in range(40)]
    want = [compose.run({"image": data[:n]}, ids=np.arange(n), epoch=e)["image"].cpu() for e, n in enumerate(counts)]
    side.wait_stream(torch.cuda.current_stream(gpu))
    torch.cuda._sleep(500_000_000)
    got = []
    for e, n in enumerate(counts):
        with torch.cuda.stream(side if e % 3 == 2 else torch.cuda.current_stream(gpu)):
            got.append(captured({"image": data[:n]}, ids=np.arange(n), epoch=e)["image"])
    torch.cuda.synchronize()
    for a, b in zip(got, want):
        assert torch.equal(a.cpu(), b)
    assert captured.stats()["replays"] > 20
    torch.cuda.set_sync_debug_mode("error")
    try:
        captured({"image": data}, ids=np.arange(16), epoch=4)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
def test_a_capture_disturbs_no_other_thread(gpu, batch):
    """One that draws random numbers, allocates, and uses streams of torch, all of them."""
    compose, data, done, errors = pipeline(), batch.to(gpu), threading.Event(), []
    streams = [torch.cuda.Stream(gpu) for _ in range(64)]

    def work():
        try:
            while not done.is_set():
                for stream in streams:
                    with torch.cuda.stream(stream):
                        x = torch.full((1000,), 3.0, device=gpu)
                        torch.nn.functional.dropout(x)
                        assert (x == 3).all()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for n in range(1, 17):
            captured = compose.capture({"image": data[:n]}, ids=np.arange(n), rehearse=4)
            with torch.inference_mode(n % 2 == 0):
                got = captured({"image": data[:n]}, ids=np.arange(n), epoch=9)["image"]
            want = compose.run({"image": data[:n]}, ids=np.arange(n), epoch=9)["image"]
            assert torch.equal(got, want)
    finally:
        done.set()
        thread.join()
    assert not errors


@pytest.mark.gpu
def test_second_gpu(gpu, batch):
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two GPUs")
    want = pipeline().run({"image": batch.to("cuda:0")}, ids=np.arange(16))["image"]
    got = pipeline().run({"image": batch.to("cuda:1")}, ids=np.arange(16))["image"]
    assert got.device == torch.device("cuda:1")
    assert torch.equal(got.cpu(), want.cpu())


def test_what_a_launch_passes_to_torch_and_cupy(monkeypatch):
    """The methods of `Gpu`, with memory of the host and a kernel that records its call."""
    asked, calls = [], []

    def empty(size, *, dtype, device=None, pin_memory=False):
        asked.append((size, device, pin_memory))
        return torch.empty(size, dtype=dtype)

    device = object.__new__(cuda.Gpu)
    device._torch = SimpleNamespace(empty=empty, uint8=torch.uint8, inference_mode=torch.inference_mode)
    device._device, device._index, device._stream = torch.device("cpu"), 5, cuda._Stream(77)
    with torch.inference_mode():
        address, memory = device.empty(100)
    assert (address, memory.numel(), memory.is_inference()) == (memory.data_ptr(), 100, False)
    address, memory = device.upload(np.arange(32, dtype=np.uint8))
    assert address == memory.data_ptr()
    assert memory.tolist() == list(range(32))
    assert asked == [(100, torch.device("cpu"), False), (32, "cpu", True)]
    monkeypatch.setattr(nvrtc, "function", lambda key, index: (key, index))
    assert device.kernel("key") == ("key", 5)
    device.launch(lambda *a, **k: calls.append((a, k)), (7, 2, 1), (1, 2), 64)
    assert calls == [(((7, 2, 1), (256,), (1, 2)), {"shared_mem": 64, "stream": device._stream})]
    assert device._stream.ptr == 77


def test_what_a_capture_asks_of_cupy(monkeypatch):
    """A graph is captured on a stream of its own, whose launches go there, and ends in any case; other streams are waited for.
    torch's part in it is none: its graphs disturb other threads' random numbers, and its streams may be somebody else's."""
    cupy, told, current = pytest.importorskip("cupy"), [], SimpleNamespace(cuda_stream=7)
    current.wait_stream = lambda other: told.append(("wait", 7, other.cuda_stream))

    class Stream:
        ptr, fails = 8, False

        def __init__(self, non_blocking):
            assert non_blocking

        def begin_capture(self, mode):
            told.append(("begin", mode))

        def end_capture(self):
            told.append("end")
            if self.fails:
                raise RuntimeError("the capture was invalidated")
            return SimpleNamespace(launch=lambda stream: told.append(("replay", stream.ptr)))

    for name in ("CUDAGraph", "Stream", "stream", "graph"):
        monkeypatch.setattr(torch.cuda, name, None)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda index=None: current)
    monkeypatch.setattr(cupy.cuda, "Stream", Stream)
    device = cuda.Gpu(0)

    def queue(on):
        on.launch(lambda *a, shared_mem, stream: told.append(("launch", stream.ptr)), (1, 1, 1), (), 0)

    graph = device.capture(queue)
    device.replay(graph)
    queue(device)
    relaxed = cupy.cuda.runtime.streamCaptureModeRelaxed
    assert told == [("begin", relaxed), ("launch", 8), "end", ("replay", 7), ("launch", 7)]
    told.clear()

    def fail(on):
        raise MemoryError

    for Stream.fails in (False, True):
        with pytest.raises(MemoryError):
            device.capture(fail)
        assert told[-1] == "end"
        queue(device)
        assert told[-1] == ("launch", 7)
    kept = SimpleNamespace(record_stream=lambda stream: told.append(("used", stream.cuda_stream)))
    device.follow(SimpleNamespace(cuda_stream=9), [kept])
    assert told[-2:] == [("wait", 7, 9), ("used", 7)]
    there, host = torch.zeros(4, dtype=torch.uint8), torch.arange(4, dtype=torch.uint8)
    device.write(there, host)
    assert torch.equal(there, host)


def test_importing_touches_no_gpu():
    code = "import sys, gpuaug, torch; print('cupy' in sys.modules, torch.cuda.is_initialized())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]

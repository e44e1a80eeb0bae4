"""Memory of other libraries on a GPU: how it is read, what is waited for, and how long it is kept; on the GPU of `emu.gpu`."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from types import SimpleNamespace

import cupy
import numpy as np
import pytest
import torch
from emu import dali
from emu.gpu import SPOILT, Stream, World

import gpuaug as G
from gpuaug.backends import cuda, missing, nvrtc
from gpuaug.backends.held import Held, foreign
from gpuaug.batch import Batch
from gpuaug.data import pixels


@pytest.fixture
def world(monkeypatch):
    made = World(1)
    made.install(monkeypatch)
    monkeypatch.setattr(cuda, "HELD", Held())
    attributes = SimpleNamespace(device=0)
    monkeypatch.setattr(cupy.cuda.runtime, "pointerGetAttributes", lambda pointer: attributes)
    made.attributes = attributes
    return made


class Cai:
    """An array of a library that has `__cuda_array_interface__` alone; its memory is spoilt when it goes."""

    def __init__(self, world, image: np.ndarray, **face):
        self.memory = world.array(image.nbytes, lambda memory: memory.fill(SPOILT))
        self.memory[:] = image.ravel()
        self.face = {"version": 3, "typestr": "|u1", "shape": image.shape, "data": (self.memory.ctypes.data, False), **face}

    @property
    def __cuda_array_interface__(self):
        return self.face


class Both:
    """CuPy's kind: DLPack and the other one; it says which it was asked for."""

    def __init__(self, array: np.ndarray, device=(1, 0)):
        self.array, self.device_, self.asked, self.strides = array, device, [], array.strides

    def __dlpack__(self, **how):
        self.asked.append("dlpack")
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.device_

    @property
    def __cuda_array_interface__(self):
        self.asked.append("interface")
        at = self.array.__array_interface__
        return {"version": 3, "typestr": at["typestr"], "shape": at["shape"], "data": at["data"], "strides": self.strides}


def images(n=4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 20, 24, 3), dtype=np.uint8)


def pipeline() -> G.Compose:
    return G.Compose([G.HorizontalFlip(), G.Normalize()], seed=2)


def run(data) -> torch.Tensor:
    return pipeline().run({"image": data}, ids=np.arange(4), layout="HWC", device="cuda")["image"]


def expected() -> torch.Tensor:
    return pipeline().run({"image": images()}, ids=np.arange(4), device="cpu")["image"]


# ---- how it is read --------------------------------------------------------------------------------------


def test_dlpack_comes_first():
    data = Both(images())
    batch = Batch.of(data)
    assert data.asked == ["dlpack"]
    assert batch.address[0] == data.array.ctypes.data
    assert (batch.size.tolist(), batch.channels) == ([[20, 24]] * 4, 3), "an array is read as HWC, not as the tensor it becomes"


@pytest.mark.parametrize("why", ["flipped", "managed"])
def test_what_torch_cannot_take_by_dlpack(world, why):
    data = Both(images()[:, :, ::-1]) if why == "flipped" else Both(images(), (13, 0))
    batch = Batch.of(data)
    assert "dlpack" not in data.asked, "torch would end the process"
    assert batch.stride[0].tolist() == [72, -3 if why == "flipped" else 3, 1]
    assert batch.device == torch.device("cuda", 0)


def test_a_flipped_array_with_dlpack_alone():
    data = SimpleNamespace(__dlpack__=None, strides=(-4, 1))
    with pytest.raises(ValueError, match=r"image 0: torch reads no negative strides by DLPack.*\(-4, 1\).*contiguous"):
        Batch.of([data])


def test_the_device_is_asked_for(world):
    world.attributes.device = 3
    assert Batch.of(Cai(world, images())).device == torch.device("cuda", 3)
    world.attributes.device = -2
    with pytest.raises(ValueError, match=r"image: the __cuda_array_interface__ of this Cai gives the address .* of no GPU"):
        Batch.of(Cai(world, images()))


@pytest.mark.parametrize("number", [1, 2, 0x5550])
def test_the_stream_that_an_array_names_is_waited_for(world, number):
    data, side = Cai(world, np.zeros_like(images()), stream=number), Stream(world=world)
    theirs = world.default if number == 1 else Stream(world=world)
    if number != 1:
        theirs.cuda_stream = number
    theirs.queue(lambda: data.memory.__setitem__(slice(None), images().ravel()))
    world.slow = theirs
    with world.stream(side):  # where we work
        out = run(data)
    world.finish()
    assert torch.equal(out, expected())


def test_nothing_to_wait_for(world):
    for face in ({"stream": None}, {}, {"version": 2, "stream": 7}, {"stream": 1}):  # 1: the current stream itself
        Batch.of(Cai(world, images(), **face))
    assert not world.default.pending


def test_what_the_protocol_forbids(world):
    with pytest.raises(ValueError, match=r"gives stream 0.*forbidden: 1 is the default stream"):
        Batch.of(Cai(world, images(), stream=0))
    with pytest.raises(ValueError, match="has a mask"):
        Batch.of(Cai(world, images(), mask=object()))


def test_an_array_of_a_gpu_where_there_is_none(world, monkeypatch):
    monkeypatch.setattr(cuda, "problem", lambda: "gpuaug cannot use a GPU: because")
    with pytest.raises(RuntimeError, match="because"):
        Batch.of(Cai(world, images()))


# ---- how long it is kept ---------------------------------------------------------------------------------


def test_owners_that_are_not_torchs():
    tensor, array, other = torch.zeros(1), np.zeros(1), Both(images())
    assert not foreign(None)
    assert not foreign([tensor, (array, [tensor])])
    assert foreign(other)
    assert foreign((tensor, [array, other]))


@pytest.mark.parametrize("listed", [False, True])
def test_memory_of_others_is_kept_until_the_kernels_are_done(world, monkeypatch, listed):
    data = [Cai(world, image) for image in images()] if listed else Cai(world, images())
    gone = [weakref.ref(each) for each in (data if listed else [data])]
    monkeypatch.setattr(world, "advance", lambda: None)  # all of it runs at the end
    out = run(data)
    out = torch.stack(out) if listed and isinstance(out, list) else out
    del data
    gc.collect()
    assert all(ref() is not None for ref in gone), "its library would use the memory again"
    world.finish()
    assert torch.equal(out, expected())
    cuda.HELD.purge()
    assert len(cuda.HELD) == 0
    gc.collect()
    assert not any(ref() for ref in gone), "and it is let go of behind that"


def test_memory_of_a_mosaics_parts_is_kept(world, monkeypatch):
    from gpuaug import assemble

    monkeypatch.setattr(world, "advance", lambda: None)
    monkeypatch.setattr(assemble, "empty", world.empty)
    monkeypatch.setattr(assemble, "colour", lambda to, fill: torch.zeros(3, dtype=torch.uint8))

    def made(brought, device):
        aug = G.Compose([G.Mosaic(target_size=(40, 48), cell_shape=(20, 24), p=1)], seed=1)
        data = {"image": images() if device == "cpu" else Cai(world, images())}
        metadata = [[{"image": brought}]] * 4
        return aug.run({**data, "mosaic_metadata": metadata}, ids=np.arange(4), layout="HWC", device=device)["image"]

    other = images(5)[4]
    want, brought = made(other, "cpu"), Cai(world, other)
    out = made(brought, "cuda")
    del brought
    gc.collect()
    world.finish()
    assert torch.equal(out, want)


def test_what_is_torchs_is_not_held(world):
    lent = torch.from_numpy(world.array(images().nbytes)).view(4, 20, 24, 3)
    lent[:] = torch.from_numpy(images())
    batch = Batch.of(lent, layout="HWC")
    batch.device = torch.device("cuda", 0)
    out = run(batch)
    world.finish()
    assert torch.equal(out, expected())
    assert len(cuda.HELD) == 0


def test_held_in_any_order():
    passed, waited = set(), []

    def event(name):
        return SimpleNamespace(query=lambda: name in passed, synchronize=lambda: waited.append(name))

    held = Held()
    for name in "abc":
        held.keep(event(name), name)
    passed.update("bc")
    held.purge()
    assert len(held) == 1, "b and c are done, whatever a does"
    held.forget()  # in a forked child
    assert len(held) == 0
    held.keep(event("d"), "d")
    held.drain()
    assert waited == ["d"]


def test_what_a_users_function_gets_is_no_memory_of_dalis():
    class TensorListGPU:
        __module__ = "nvidia.dali.fake"

        def __init__(self, array):
            self.array = array

        def __len__(self):
            return len(self.array)

        def __getitem__(self, k):
            return self.array[k]

        def shape(self):
            return [x.shape for x in self.array]

        def as_tensor(self):
            return self.array

    for shape in ((2, 5, 4, 3), (2, 1, 1, 3), (2, 4, 4, 1)):  # of one pixel, or one channel, a permuted view is contiguous
        array = np.zeros(shape, np.uint8)
        got = [pixels.stack(TensorListGPU(array), "image"), *pixels.apart(TensorListGPU(array))]
        assert tuple(got[0].shape) == (2, shape[3], *shape[1:3])
        assert tuple(got[1].shape) == (shape[3], *shape[1:3])
        array[:] = 9
        assert not any(tensor.any() for tensor in got)


# ---- lists of DALI's -------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [False, True])
def test_where_samples_of_a_tensor_list_lie(apart):
    listed = dali.TensorListGPU(World(), [(4, 5, 3), (7, 2, 3), (1, 9, 3), (6, 6, 3)], apart)
    batch = Batch.of(listed)
    assert batch.address.tolist() == [listed[i].data_ptr() for i in range(4)]


def test_a_list_in_one_piece_is_not_asked_for_every_sample():
    listed, asked = dali.TensorListGPU(World(), [(4, 5, 3)] * 100, False), []
    get = type(listed).__getitem__
    counting = type(
        "TensorListGPU",
        (type(listed),),
        {"__module__": "nvidia.dali.fake", "__getitem__": lambda self, i: asked.append(i) or get(self, i)},
    )
    listed.__class__ = counting
    Batch.of(listed)
    assert len(asked) <= 3


# ---- graphs, and threads ---------------------------------------------------------------------------------


def test_a_graph_that_is_being_captured(world):
    data = Cai(world, images())
    world.capturing = True
    with pytest.raises(RuntimeError, match=r"CUDA graph is being captured.*every replay would repeat.*before the graph"):
        run(data)
    assert not world.launches


def test_two_threads_load_a_kernel_once(monkeypatch):
    loads, here = [], threading.Barrier(4)

    class Module:
        def load(self, code):
            loads.append(code)

        def get_function(self, name):
            return SimpleNamespace(name=name, module=self)

    class Device:
        compute_capability = "90"

        def __init__(self, number):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    fake = SimpleNamespace(cuda=SimpleNamespace(Device=Device, function=SimpleNamespace(Module=Module)))
    monkeypatch.setitem(__import__("sys").modules, "cupy", fake)
    monkeypatch.setattr(nvrtc, "best_arch", lambda capability: f"sm_{capability}")
    monkeypatch.setattr(nvrtc, "binary", lambda key, arch: time.sleep(0.05) or key.name.encode())
    monkeypatch.setattr(nvrtc, "_loaded", {})
    keys, got = [nvrtc.Key("filter", "uint8"), nvrtc.Key("reduce", "uint8")], []

    def use():
        here.wait()
        nvrtc.load(keys, 0)
        got.append([nvrtc.function(key, 0) for key in keys])

    threads = [threading.Thread(target=use) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(loads) == [b"filter_u8", b"reduce_u8"]
    assert all(functions == got[0] for functions in got), "a function that is replaced takes its module with it"


# ---- what is missing -------------------------------------------------------------------------------------

ENTRANCES = {
    "DataLoader": lambda device: G.DataLoader([(np.zeros((4, 4, 3), np.uint8), 0)], device=device),
    "run": lambda device: pipeline().run({"image": images()}, ids=np.arange(4), device=device),
    "chosen": lambda device: __import__("gpuaug.device").device.chosen(device),
}
CAUSES = {
    "a torch for the CPU": ({"torch": None}, r"torch .* was built without CUDA"),
    "no driver": ({"driver": None}, r"no NVIDIA driver \(does `nvidia-smi`"),
    "an old driver": ({"driver": 11040}, r"driver is too old: it runs CUDA 11\.4, torch .* needs 13\.0"),
    "no card": ({"driver": 13000}, r"torch finds no GPU .*CUDA_VISIBLE_DEVICES"),
    "no CuPy": ({"cupy": None, "available": True}, r"CuPy cannot be imported: .*pip install cupy-cuda13x"),
    "another CuPy": ({"cupy": (12, 4), "available": True}, r"CuPy is for CUDA 12\.4, torch .*uninstall cupy-cuda12x.*cuda13x"),
    "a broken CuPy": ({"cupy": OSError("libnvrtc.so.13"), "available": True}, r"no working NVRTC: OSError: libnvrtc\.so\.13"),
    "two at once": ({"driver": 11040, "cupy": (12, 4)}, r"too old.*; and CuPy is for CUDA 12\.4"),
}  # fmt: skip


@pytest.mark.parametrize("device", ["cuda", "gpu", "cuda:0"])
@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_every_entrance_names_every_cause(monkeypatch, cause, entrance, device):
    how, words = cause
    monkeypatch.setattr(torch.version, "cuda", how.get("torch", "13.0"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: how.get("available", False))
    monkeypatch.setattr(missing, "driver_version", lambda: how.get("driver"))
    version = how.get("cupy", (13, 0))

    def get():
        if isinstance(version, Exception):
            raise version
        return version

    if version is None:
        monkeypatch.setitem(__import__("sys").modules, "cupy.cuda", None)
    else:
        monkeypatch.setattr(cupy.cuda.nvrtc, "getVersion", get)
    missing.problem.cache_clear()
    try:
        with pytest.raises((RuntimeError, ValueError), match=f"(?s)device.*gpuaug cannot use a GPU: .*{words}.*device='cpu'"):
            entrance(device)
    finally:
        missing.problem.cache_clear()

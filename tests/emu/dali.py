"""DALI with a "mixed" decoder, of the world of `emu.gpu`: it decodes on a stream of its own, reads the encoded bytes when that
runs and not before, and uses its memory again at once when a TensorList is dropped."""

from __future__ import annotations

import io
import weakref

import numpy as np
import torch
from PIL import Image

from .gpu import SPOILT, Event, Fault, Stream


class Tensor:
    __module__ = "nvidia.dali.fake"

    def __init__(self, memory: np.ndarray):
        self.memory = memory

    def data_ptr(self) -> int:
        return self.memory.ctypes.data


class TensorListGPU:
    __module__ = "nvidia.dali.fake"  # how gpuaug tells DALI's lists

    def __init__(self, world, shapes, apart: bool):
        self.shapes, self.dtype = shapes, "DALIDataType.UINT8"
        sizes = [int(np.prod(shape)) for shape in shapes]
        if apart:
            self.parts = [world.array(size) for size in reversed(sizes)][::-1]  # later samples before earlier ones
        else:
            whole = world.array(sum(sizes))
            self.parts = np.split(whole, np.cumsum(sizes)[:-1])
        self.freed = False

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, i: int) -> Tensor:
        return Tensor(self.parts[i])

    def shape(self):
        return self.shapes

    def layout(self) -> str:
        return "HWC"

    def device_id(self) -> int:
        return 0

    def data_ptr(self) -> int:
        return self.parts[0].ctypes.data

    def as_cpu(self) -> list[np.ndarray]:
        return [part.reshape(shape).copy() for part, shape in zip(self.parts, self.shapes)]

    def __del__(self):
        for part in self.parts:
            part.fill(SPOILT)


class Pipeline:
    """What `gpuaug.data.decode.Decoder` uses of one."""

    def __init__(self, world, apart: bool, device_id):
        self.world, self.apart, self.on_gpu = world, apart, device_id is not None
        self.stream, self.fed, self.done = Stream(world=world), {}, []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def set_outputs(self, *names) -> None:
        self.names = names

    def build(self) -> None:
        pass

    def feed_input(self, name: str, encoded: list) -> None:
        self.fed[name] = encoded

    def schedule_run(self) -> None:
        event, lists = Event(world=self.world), []
        for name in self.names:
            encoded = self.fed.pop(name)
            try:
                shapes = [(*Image.open(io.BytesIO(data.tobytes())).size[::-1], 3) for data in encoded]
                [Image.open(io.BytesIO(data.tobytes())).load() for data in encoded]
            except Exception as error:
                self.done.append(RuntimeError(str(error)))
                return
            into = TensorListGPU(self.world, shapes, self.apart)
            self.stream.queue(_decode([weakref.ref(data) for data in encoded], into.parts))
            lists.append(into)
        event.record(self.stream)
        self.done.append((event, lists))

    def outputs(self, stream=None):
        found = self.done.pop(0)
        if isinstance(found, RuntimeError):
            raise found
        event, lists = found
        event.synchronize() if stream is None else stream.wait_event(event)
        return tuple(lists)


def _decode(encoded, parts):
    def work():
        for data, part in zip(encoded, parts):
            if data() is None:
                raise Fault("encoded bytes were freed before they were decoded")
            part[:] = np.asarray(Image.open(io.BytesIO(data().tobytes())).convert("RGB")).ravel()

    return work


def install(monkeypatch, world, apart: bool = False) -> None:
    import nvidia.dali

    class fn:
        class decoders:
            @staticmethod
            def image(encoded, device, output_type):
                assert device == "mixed"
                return encoded

        @staticmethod
        def external_source(name, **how):
            return name

        @staticmethod
        def peek_image_shape(encoded):
            return encoded

    monkeypatch.setattr(nvidia.dali, "fn", fn)
    monkeypatch.setattr(nvidia.dali, "Pipeline", lambda size, threads, device_id, **how: Pipeline(world, apart, device_id))
    assert torch.cuda.Stream  # `world` is installed before

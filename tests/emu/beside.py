"""Bytes that tests of kernels read at any place, and one plan run in both ways."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sass import missing
from sass.device import Device as Sass

from gpuaug.backends import cpu, cuda

from . import BACKWARD, Device
from .plans import Only, build

# lines of eight pixels and a little more, whose fours overlap; more than a block; narrower ones
SIZES = [(5, 8), (6, 9), (7, 10), (13, 11), (5, 31), (33, 36), (9, 7), (40, 1)]


def pictures(channels: int, planar: bool, seed: int = 0, sizes: list = SIZES) -> list:
    """Few values, so that many are equal, or all of them; at any place of memory that begins and ends at words, as on a GPU."""
    rng, out = np.random.default_rng(seed), []
    for i, (h, w) in enumerate(sizes):
        memory = np.empty(-(-(h * w * channels + i) // 4), np.uint32).view(np.uint8)[i:][: h * w * channels]
        memory[:] = rng.integers(0, 256, memory.size) if i % 2 else rng.choice([0, 7, 255], memory.size)
        out.append(memory.reshape((channels, h, w) if planar else (h, w, channels)))
    return out


DEVICES = ["fibers", pytest.param("sass", marks=pytest.mark.skipif(missing() is not None, reason=str(missing())))]


def whole(view: np.ndarray) -> np.ndarray:
    return view if view.base is None else whole(view.base)


def compare(device: str, memory, channels: int, planar: bool, step) -> set[str]:
    """Both ways, written to pixels or to planes; the kernels that ran."""
    data = [each if each.shape[-1] == channels else torch.from_numpy(each) for each in memory]  # tensors are CHW
    plan, want = build(data, channels, "uint8", planar, Only(step))
    cpu.execute(plan, 1)
    found = plan.found
    plan, got = build(data, channels, "uint8", planar, Only(step))
    if device == "sass":
        pytest.importorskip("cupy")
        on = Sass()
        for each in memory:
            on.add(whole(each))
        on.add(got)
    else:
        on = Device(BACKWARD)
    cuda.run(plan, on)
    bad = torch.nonzero(got != want).flatten()
    assert not len(bad), f"{len(bad)} bytes differ, the first at {bad[:5].tolist()}:\n{plan.explain()}"
    if found is not None:  # what reductions and lookups wrote, too
        memory = on._owners[-1]
        there = memory[-memory.ctypes.data % 256 :][: found.nbytes]
        np.testing.assert_array_equal(there, found.view(np.uint8))
    return set(on.launches) if device == "fibers" else {each.key.name for each in on.launches}

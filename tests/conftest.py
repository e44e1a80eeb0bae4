from __future__ import annotations

import sys

import pytest
import torch

from gpuaug import REGISTRY
from gpuaug.interop.parity.precision import sum_in_single_precision

sum_in_single_precision()  # albumentations is the same reference on every processor


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request) -> torch.device:
    """Where a test runs; on a machine without a GPU its second half is skipped."""
    if request.param == "cuda":
        from gpuaug.backends import cuda

        why = cuda.problem()
        if why:
            pytest.skip(f"needs a GPU: {why}")
    return torch.device(request.param)


@pytest.fixture(autouse=True)
def _no_class_stays():
    """Transforms that an example or a test defines are gone behind it: tests that go through all would meet them."""
    before = dict(REGISTRY)
    yield
    for name, cls in list(REGISTRY.items()):
        if before.get(name) is not cls and getattr(sys.modules.get(cls.__module__), cls.__qualname__, None) is not cls:
            del REGISTRY[name]
            if name in before:
                REGISTRY[name] = before[name]

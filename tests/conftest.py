from __future__ import annotations

import pytest
import torch

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

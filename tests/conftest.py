from __future__ import annotations

import pytest
import torch


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request) -> torch.device:
    """Where a test runs; on a machine without a GPU its second half is skipped."""
    if request.param == "cuda":
        from gpuaug.backends import cuda

        why = cuda.problem()
        if why:
            pytest.skip(f"needs a GPU: {why}")
    return torch.device(request.param)

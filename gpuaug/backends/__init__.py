"""Where plans run: compiled C++ kernels (cpu) or CUDA kernels (cuda)."""

from . import cpu


def execute(plan, device) -> None:
    """Run a `gpuaug.plan.Plan` whose addresses lie on ``device``."""
    if device.type == "cuda":
        from . import cuda

        cuda.execute(plan, device)
    elif device.type == "cpu":
        cpu.execute(plan)
    else:
        raise ValueError(f"gpuaug runs on cpu and cuda devices, got {device}")

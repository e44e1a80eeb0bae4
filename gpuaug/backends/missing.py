"""What keeps a GPU from being used here: every cause at once, each with what to do."""

from __future__ import annotations

import ctypes
import functools


@functools.cache
def problem() -> str | None:
    """Why nothing can run on a GPU here and what to install, all causes at once; None where it can."""
    causes = [*_of_torch(), *_of_cupy()]
    return "gpuaug cannot use a GPU: " + "; and ".join(causes) if causes else None


def _of_torch() -> list[str]:
    import torch

    if torch.version.cuda is None:
        return [
            f"torch {torch.__version__} was built without CUDA (install one that was built with it: https://pytorch.org/get-started)"
        ]
    if torch.cuda.is_available():
        return []
    driver = driver_version()
    if driver is None:
        return ["torch finds no GPU, and there is no NVIDIA driver (does `nvidia-smi` list a GPU?)"]
    if driver < int(torch.version.cuda.split(".")[0]) * 1000:
        return [
            f"the NVIDIA driver is too old: it runs CUDA {_spelled(driver)}, torch {torch.__version__} needs "
            f"{torch.version.cuda} (install a newer driver, or a torch for an older CUDA: https://pytorch.org/get-started)"
        ]
    return ["torch finds no GPU (does `nvidia-smi` list one? is CUDA_VISIBLE_DEVICES empty?)"]


def _of_cupy() -> list[str]:
    import torch

    wanted = (torch.version.cuda or "13").split(".")[0]
    fix = f"pip install cupy-cuda{wanted}x"
    try:
        from cupy.cuda import nvrtc

        version = nvrtc.getVersion()  # loads the library
    except ImportError as error:
        return [f"CuPy cannot be imported: {error} ({fix})"]
    except Exception as error:  # a CUDA installation that is broken, or another than CuPy was built for
        return [f"CuPy finds no working NVRTC: {type(error).__name__}: {error} ({fix})"]
    if torch.version.cuda is not None and version[0] != int(wanted):
        found = ".".join(map(str, version))
        return [
            f"CuPy is for CUDA {found}, torch for CUDA {torch.version.cuda}: what one builds may not run on the other's driver "
            f"(pip uninstall cupy-cuda{version[0]}x, then {fix})"
        ]
    return []


def driver_version() -> int | None:
    """The newest CUDA that the driver runs, 12040 for 12.4; None without a driver. It makes no context."""
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            found, number = ctypes.CDLL(name), ctypes.c_int()
            if found.cuDriverGetVersion(ctypes.byref(number)) == 0:
                return number.value
        except (OSError, AttributeError):
            continue
    return None


def _spelled(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"

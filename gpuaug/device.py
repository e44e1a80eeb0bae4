"""Where to compute: one check of ``device=``, with one error for each reason why it cannot be."""

from __future__ import annotations

import difflib

import torch

_WORDS = {"gpu": "cuda", "nvidia": "cuda", "cuda:": "cuda", "host": "cpu", "processor": "cpu"}


def chosen(device, default: str | None = None) -> torch.device | None:
    """The device that is meant, or an error that says what to do.

    Args:
        device: "cuda", "cuda:1", "cpu", a `torch.device` or the number of a GPU; None for the default.
        default: "best": the GPU if there is one, else the CPU; None: None.

    Raises:
        TypeError: something else. ValueError: another device, or a number that no GPU has. RuntimeError: "cuda" with a torch
            that was built without, or on a machine without a working driver.

    Example:
        >>> chosen("cpu")
        device(type='cpu')
    """
    if device is None:
        return None if default is None else torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if isinstance(device, int) and not isinstance(device, bool):
        device = f"cuda:{device}"
    if not isinstance(device, (str, torch.device)):
        raise TypeError(f"device must be 'cuda', 'cuda:N', 'cpu' or a torch.device, got {device!r}")
    try:
        found = torch.device(device)
    except RuntimeError:
        word = str(device).lower()
        near = _WORDS.get(word) or next(iter(difflib.get_close_matches(word, ("cuda", "cpu"), 1)), None)
        raise ValueError(
            f"device must be 'cuda', 'cuda:N' or 'cpu', got {device!r}" + (f"; did you mean {near!r}?" if near else "")
        ) from None
    if found.type not in ("cuda", "cpu"):
        raise ValueError(f"device must be 'cuda', 'cuda:N' or 'cpu', got {str(found)!r}: there are kernels for these two only")
    if found.type == "cuda" and not torch.cuda.is_initialized():
        if torch.version.cuda is None and torch.version.hip is None:
            raise RuntimeError(
                f"device={str(found)!r} needs a torch that was built with CUDA, which {torch.__version__} "
                f"was not: install another from https://pytorch.org/get-started, or pass device='cpu'"
            )
        if not torch.cuda.is_available():
            raise RuntimeError(
                f"device={str(found)!r}: torch finds no GPU. Does `nvidia-smi` list one (a driver)? Is "
                f"CUDA_VISIBLE_DEVICES empty? Else pass device='cpu'"
            )
        if found.index is not None and found.index >= torch.cuda.device_count():
            raise ValueError(f"device={str(found)!r}: there are {torch.cuda.device_count()} GPUs, numbered from 0")
    return found

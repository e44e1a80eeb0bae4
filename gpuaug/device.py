"""Where to compute: one check of ``device=``, with one error for each reason why it cannot be."""

from __future__ import annotations

import difflib

import torch

from .backends import cuda

_WORDS = {"gpu": "cuda", "nvidia": "cuda", "cuda:": "cuda", "host": "cpu", "processor": "cpu"}


def chosen(device, default: str | None = None) -> torch.device | None:
    """The device that is meant, or an error that says what to do.

    Args:
        device: "cuda", "cuda:1", "cpu", a `torch.device` or the number of a GPU; None for the default.
        default: "best": the GPU if there is one, else the CPU; None: None.

    Raises:
        TypeError: something else. ValueError: another device, or a number that no GPU has. RuntimeError: "cuda" where nothing
            can run on a GPU; it names all causes (`gpuaug.backends.cuda.problem`).

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
        text = f"device must be 'cuda', 'cuda:N' or 'cpu', got {device!r}" + (f"; did you mean {near!r}?" if near else "")
        why = cuda.problem() if near == "cuda" else None
        raise ValueError(text if why is None else f"{text} {why}; else pass device='cpu'") from None
    if found.type not in ("cuda", "cpu"):
        raise ValueError(f"device must be 'cuda', 'cuda:N' or 'cpu', got {str(found)!r}: there are kernels for these two only")
    if found.type == "cuda":
        why = cuda.problem()
        if why:
            raise RuntimeError(f"device={str(found)!r}: {why}; else pass device='cpu'")
        if found.index is not None and found.index >= torch.cuda.device_count():
            raise ValueError(f"device={str(found)!r}: there are {torch.cuda.device_count()} GPUs, numbered from 0")
    return found

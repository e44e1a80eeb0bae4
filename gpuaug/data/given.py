"""What a `DataLoader` is given, checked."""

import numpy as np
import torch

from .asked import UNTOUCHED
from .faults import POLICIES
from .turbo import library

DECODES = ("exact", "fast")


def as_list(mix):
    """What mixes samples, one or several, in a list."""
    mixes = [] if mix is None else list(mix) if isinstance(mix, (list, tuple)) else [mix]
    for m in mixes:
        if not callable(m):
            raise TypeError(f"mix must be a MixUp, a CutMix or a list of them, got {type(m).__name__}")
    return mixes


def as_compose(transform):
    """A pipeline of what may be one transform."""
    if transform is None or hasattr(transform, "run"):
        return transform
    from ..compose import Compose
    from ..groups import Group
    from ..transform import Transform

    if isinstance(transform, (Transform, Group)):
        return Compose([transform])
    raise TypeError(
        f"transform must be a gpuaug.Compose, got {type(transform).__name__}; a function of one sample belongs into the dataset"
    )


def check(targets, on_error, max_pixels, seed, dtype, generator, decode):
    """Raise what is wrong with those that `DataLoader` shares with nobody."""
    if generator is not None and not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator or None, got {type(generator).__name__}; for a number use seed=")
    if on_error not in POLICIES:
        raise ValueError(f"on_error must be one of {', '.join(POLICIES)}, got {on_error!r}")
    if decode not in DECODES:
        raise ValueError(f"decode must be one of {', '.join(DECODES)}, got {decode!r}")
    if decode == "fast":
        library()  # or an error that says what to install
    if max_pixels is not None and (not isinstance(max_pixels, (int, np.integer)) or max_pixels < 1):
        raise ValueError(f"max_pixels must be an integer >= 1 or None, got {max_pixels!r}")
    if seed is not None and (not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64):
        raise ValueError(f"seed must be an integer in [0, 2**64) or None, got {seed!r}")
    if dtype is not None and not isinstance(dtype, torch.dtype):
        raise TypeError(f"dtype must be a torch.dtype or None, got {dtype!r}")
    if targets is not None and not isinstance(targets, dict):
        raise TypeError(f"targets must be a dict of names and where they are, as {{'image': 'img'}}, got {targets!r}")
    settled = (targets or {}).get(UNTOUCHED, ())
    if not isinstance(settled, (list, tuple, str, int)):
        raise TypeError(f"targets[{UNTOUCHED!r}] must be a list of keys, positions or paths, got {settled!r}")

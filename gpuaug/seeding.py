"""Random generators of Python, NumPy and torch, seeded by a sample around a call of code that is not gpuaug's."""

from __future__ import annotations

import random
from contextlib import contextmanager

import numpy as np
import torch


def seeds(u: np.ndarray) -> list[int]:
    """A seed of 64 bits for each sample, from two columns of uniforms."""
    words = (u[:, :2] * 2.0**32).astype(np.uint64)
    return (words[:, 0] | words[:, 1] << np.uint64(32)).tolist()


@contextmanager
def apart():
    """Put the global generators back as they were, whatever happens in between; about 30 us."""
    held = random.getstate(), np.random.get_state(), torch.default_generator.get_state()  # noqa: NPY002 - users' code draws from it
    try:
        yield
    finally:
        random.setstate(held[0])
        np.random.set_state(held[1])  # noqa: NPY002
        torch.default_generator.set_state(held[2])


def seed_all(seed: int) -> None:
    """Seed the global generators: about 20 us. torch's is the CPU's; those of GPUs are left alone."""
    random.seed(seed)
    np.random.seed([seed & 0xFFFFFFFF, seed >> 32])  # noqa: NPY002
    torch.default_generator.manual_seed(seed)

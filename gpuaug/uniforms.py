"""Counter-based uniforms: what sample i gets in epoch e is a function of (seed, e, i, transform) alone.

Philox4x32-10 (Salmon et al. 2011). The key is the seed; the counter holds

    word 0   sample id, low 32 bits
    word 1   epoch
    word 2   occurrence (20 bits) | slot of the transform (12 bits)
    word 3   sample id, high 20 bits | block of four uniforms (12 bits)
"""

from __future__ import annotations

import numbers

import numpy as np
import torch

from . import library
from .ragged import Ragged

SLOTS = BLOCKS = 4096
OCCURRENCES = 1 << 20
IDS = 1 << 52
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(c0, c1, c2, c3, k0, k1) -> np.ndarray:
    """Philox4x32-10 of arrays of counter and key words: uint32 ``[..., 4]``. The NumPy twin of kernels/uniforms.cuh.

    Example:
        >>> [hex(int(w)) for w in philox(0, 0, 0, 0, 0, 0)]
        ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0, c1, c2, c3, k0, k1 = np.broadcast_arrays(*(np.asarray(c, np.uint64) for c in (c0, c1, c2, c3, k0, k1)))
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _LOW, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return np.stack([c0, c1, c2, c3], -1).astype(np.uint32)


def check_counters(ids, epoch: int, occurrence, samples: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """ids and occurrences as the kernels take them, or an error that names the value and its range."""
    ids = np.asarray(ids)
    if ids.ndim != 1 or (samples is not None and len(ids) != samples):
        raise ValueError(
            f"ids must hold one number for each sample{'' if samples is None else f' ({samples})'}, got shape {ids.shape}"
        )
    if ids.dtype.kind not in "iu" and len(ids):
        raise TypeError(f"ids must be whole numbers, got {ids.dtype}")
    ids = np.ascontiguousarray(ids, np.int64)
    if library.load().outside(ids, IDS):
        raise ValueError(f"ids must lie in 0 .. 2^52 - 1, got {ids.min()} .. {ids.max()}")
    if type(epoch) is not int and (isinstance(epoch, bool) or not isinstance(epoch, numbers.Integral)):
        raise TypeError(f"epoch must be a whole number, got {epoch!r}")
    if not 0 <= epoch < 1 << 32:
        raise ValueError(f"epoch must lie in 0 .. 2^32 - 1, got {epoch}")
    if occurrence is None:
        return ids, np.zeros(len(ids), np.uint32)
    occurrence = np.asarray(occurrence)
    if occurrence.shape != ids.shape:
        raise ValueError(f"occurrence has shape {occurrence.shape}, ids {ids.shape}: they must agree")
    if occurrence.dtype.kind not in "iu" and len(occurrence):
        raise TypeError(f"occurrence must hold whole numbers, got {occurrence.dtype}")
    occurrence = np.ascontiguousarray(occurrence, np.int64)
    if library.load().outside(occurrence, OCCURRENCES):
        raise ValueError(f"occurrence must lie in 0 .. 2^20 - 1, got {occurrence.min()} .. {occurrence.max()}")
    return ids, occurrence.astype(np.uint32)


def table(seed: int, epoch: int, ids: np.ndarray, occurrence: np.ndarray, slots: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Uniforms in [0, 1) of a whole batch in one call.

    Args:
        seed: 64 bits.
        epoch: 32 bits.
        ids, occurrence: ``[B]``, as `check_counters` returns them.
        slots, blocks: uint32 ``[S]``: which transform, which of its blocks of four numbers.

    Returns:
        float64 ``[4 S, B]``; line ``4 k + j`` belongs to ``(slots[k], blocks[k])``. Multiples of 2^-32.
    """
    out = np.empty((4 * len(slots), len(ids)))
    library.load().uniforms(ids, occurrence, epoch, slots, blocks, seed & 0xFFFFFFFFFFFFFFFF, out)
    return out


def key(u: np.ndarray) -> np.ndarray:
    """A Philox key for per-pixel noise, uint32 ``[n, 2]``, from two columns of uniforms."""
    return (u * 2.0**32).astype(np.uint32)


def spread(keys: np.ndarray, count: int, what: int = 0) -> np.ndarray:
    """More uniforms, float64 ``[n, count]``, from a key for each sample, uint32 ``[n, 2]``; ``what`` tells apart what they are
    for.

    Example:
        >>> import numpy as np
        >>> spread(np.zeros((1, 2), np.uint32), 2).round(4).tolist()
        [[0.399, 0.8805]]
    """
    words = philox(np.arange(-(-count // 4)), what, 0, 0, keys[:, :1], keys[:, 1:])
    return words.reshape(len(keys), -1)[:, :count] * 2.0**-32


def integers(u: np.ndarray, low, high) -> np.ndarray:
    """Whole numbers in ``low .. high``, both inclusive, from uniforms.

    Example:
        >>> import numpy as np
        >>> integers(np.array([0.0, 0.5, 0.999]), 3, 4).tolist()
        [3, 4, 4]
    """
    return (low + np.floor(u * (high - low + 1))).astype(np.int64)


def between(u: np.ndarray, low, high) -> np.ndarray:
    """Real numbers in ``[low, high)`` from uniforms."""
    return low + u * (high - low)


def normal(u: np.ndarray) -> np.ndarray:
    """Normal deviates from uniforms, by the inverse of their distribution; 0 counts as half of the smallest step, 2^-33."""
    return torch.special.ndtri(torch.from_numpy(np.maximum(u, 2.0**-33))).numpy()


def ragged(keys: np.ndarray, counts: np.ndarray) -> Ragged:
    """So many uniforms for each sample, more than `table` has room for, from a key of its own uint32 ``[n, 2]`` (`key`)."""
    parts, seeds = [np.empty(0)], keys[:, 0].astype(np.uint64) | keys[:, 1].astype(np.uint64) << _SHIFT
    slot = np.zeros(1, np.uint32)
    for seed, count in zip(seeds.tolist(), counts.tolist()):
        ids = np.arange(-(-count // 4))
        parts.append(table(seed, 0, ids, np.zeros(len(ids), np.uint32), slot, slot).ravel()[:count])
    return Ragged(np.concatenate(parts), counts)


def numbered(keys: np.ndarray, counts: np.ndarray, stream: int, columns: int) -> np.ndarray:
    """Uniforms float64 ``[counts.sum(), columns]``, up to four, of things that are numbered in each sample, from its key: what
    ``philox(number, 0, stream, 0, *key)`` gives, in half of the time."""
    seeds = keys[:, 0].astype(np.uint64) | keys[:, 1].astype(np.uint64) << _SHIFT
    slot, block = np.uint32([stream]), np.uint32([0])
    parts, most = [np.empty((columns, 0))], int(counts.max(initial=0))
    ids, once = np.arange(most), np.zeros(most, np.uint32)
    for seed, count in zip(seeds.tolist(), counts.tolist()):
        parts.append(table(seed, 0, ids[:count], once[:count], slot, block)[:columns])
    return np.concatenate(parts, 1).T

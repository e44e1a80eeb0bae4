"""Values to try instructions on, and how results are compared."""

from __future__ import annotations

import numpy as np

from .small import together_of

EDGES = [0, 1, 2, 3, 31, 32, 33, 63, 64, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 2**31 - 1, 2**31, 2**31 + 1]
EDGES += [2**32 - 2, 2**32 - 1]


def integers(seed: int, count: int = 512) -> np.ndarray:
    """Every edge with every other one where two are drawn with seeds 0 and 1; then small and large numbers."""
    rng = np.random.default_rng(seed)
    pairs = np.array([(a, b) for a in EDGES for b in EDGES], np.uint32)
    drawn = rng.integers(0, 2**32, count - len(pairs), np.uint32) >> rng.integers(0, 32, count - len(pairs)).astype(np.uint32)
    return np.concatenate([pairs[:, seed] if seed < 2 else rng.permutation(pairs[:, 0]), drawn])


A, B, C = (integers(seed) for seed in range(3))
SA, SB = A.view(np.int32), B.view(np.int32)
PAIR_A = A.astype(np.uint64) << np.uint64(32) | np.roll(A, 7)
PAIR_B = B.astype(np.uint64) << np.uint64(32) | np.roll(B, 3)
SOME = np.where(B == 0, np.uint32(1), B)  # divisors

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -0.5, -2.5, 1e-45, -1e-45, 1.1754942e-38, 1.1754944e-38, 3e38, -3.4028235e38]
SPECIAL += [np.inf, -np.inf, np.nan, 65504.0, 65519.0, 65520.0, 6e-8, 2.9e-8, 6.1e-5]
SPECIAL += [2147483520.0, 2147483648.0, 4294967040.0, 4.3e9]


def floats(seed: int, count: int = 1024) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pairs = np.array([(a, b) for a in SPECIAL for b in SPECIAL], np.float32)
    bits = rng.integers(0, 2**32, count - len(pairs), np.uint32)
    near = (rng.standard_normal(count - len(pairs)) * 8).astype(np.float32)
    drawn = np.where(rng.random(len(bits)) < 0.3, bits.view(np.float32), near)
    return np.concatenate([pairs[:, seed] if seed < 2 else rng.permutation(pairs[:, 0]), drawn])


F, G, H = (floats(seed) for seed in range(3))


def same(got, want, what=""):
    """Bit by bit; every NaN is alike."""
    want = np.asarray(want)
    assert got.dtype == want.dtype, what
    if got.dtype.kind == "f":
        assert (np.isnan(got) == np.isnan(want)).all(), what
        word = {4: np.uint32, 8: np.uint64}[got.dtype.itemsize]
        got, want = (np.where(np.isnan(v), 0, v.view(word)) for v in (got, want))
    bad = np.flatnonzero(got != want)
    assert not len(bad), (what, bad[:5], got[bad[:5]], want[bad[:5]])


def together(test):
    """What a test asks with check(result, wanted, a=.., ..) is computed by one kernel, or one for each length: `each_thread`."""

    def run():
        asked = []
        test(lambda result, want, **inputs: asked.append((result, want, inputs)))
        for got, (result, want, _) in zip(together_of([(result, inputs) for result, _, inputs in asked]), asked):
            same(got, want, result)

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


def asm(text: str, *operands: str, out: str = "r") -> str:
    inputs = ", ".join(f'"{kind}"({name})' for kind, name in (each.split(" ") for each in operands))
    return f'([&] {{ u32 r; asm("{text}" : "={out}"(r) : {inputs}); return r; }}())'


HALVES = np.concatenate(
    [
        F,
        (np.arange(-1024, 1024) / 2048 + 2048).astype(np.float32),  # ties of float16
        np.float32(2.0**-24) * (np.arange(1024, dtype=np.float32) / 4),  # its subnormals
        (np.arange(0x3F800000, 0x3F800000 + 2**19, 2**8, dtype=np.uint32)).view(np.float32)[:1024],  # ties of bfloat16
    ]
)

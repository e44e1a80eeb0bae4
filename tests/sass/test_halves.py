"""Instructions that make other types of floats, and on float16: by small kernels, against NumPy and torch."""

from __future__ import annotations

import numpy as np
import pytest

from sass import missing
from sass.small import each_thread
from sass.values import HALVES, SA, SB, A, B, C, F, asm, same, together

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
pytest.importorskip("cupy")

RNG = np.random.default_rng(5)


def _through(asm: str, value: np.ndarray) -> np.ndarray:
    return each_thread(
        f'u32: ([&] {{ u32 r; asm("{asm}" : "=r"(r) : "f"(b), "f"(a)); return r; }}())', a=value, b=np.roll(value, 1)
    )


def test_floats_become_halves():
    with np.errstate(all="ignore"):
        bits = HALVES.astype(np.float16).view(np.uint16)
    want = np.where(np.isnan(HALVES), 0x7FFF, bits).astype(np.uint32)
    got = _through("cvt.rn.f16x2.f32 %0, %1, %2;", HALVES)
    same(got & 0xFFFF, want)
    same(got >> 16, np.roll(want, 1))
    with np.errstate(all="ignore"):
        towards_zero = np.array([_cut(v) for v in HALVES], np.uint32)
    same(_through("cvt.rz.f16x2.f32 %0, %1, %2;", HALVES) & 0xFFFF, towards_zero)


def _cut(value) -> int:
    if np.isnan(value):
        return 0x7FFF
    sign, value = (0x8000, -value) if np.signbit(value) else (0, value)
    if np.isinf(value):
        return sign | 0x7C00
    table = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
    return sign | int(np.searchsorted(table, float(value), side="right") - 1)


def test_floats_become_bfloats():
    import torch

    want = torch.from_numpy(HALVES).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    want = np.where(np.isnan(HALVES), 0x7FFF, want).astype(np.uint32)
    same(_through("cvt.rn.bf16x2.f32 %0, %1, %2;", HALVES) & 0xFFFF, want)


@together
def test_halves_become_floats(check):
    bits = np.arange(2**16, dtype=np.uint32)
    asm = '([&] { float r; asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"((u16)a)); return r; }())'
    with np.errstate(all="ignore"):
        want = bits.astype(np.uint16).view(np.float16).astype(np.float32)
    check(f"float: {asm}", want, a=bits)


@together
def test_arithmetic_of_halves(check):
    a, b, c = (np.concatenate([v, RNG.integers(0, 2**32, 512, np.uint32)]) for v in (A, B, C))
    x, y, z = (v.view(np.uint16) for v in (a, b, c))
    x, y, z = (np.where((v & 0x7FFF) > 0x7C00, v & 0x83FF, v).view(np.float16) for v in (x, y, z))
    a, b, c = (np.ascontiguousarray(v).view(np.uint32) for v in (x, y, z))

    def bits(value):
        return np.where(np.isnan(value), np.uint16(0x7FFF), value.astype(np.float16).view(np.uint16)).view(np.uint32)

    with np.errstate(all="ignore"):
        check(f"u32: {asm('add.rn.f16x2 %0, %1, %2;', 'r a', 'r b')}", bits(x + y), a=a, b=b)
        check(f"u32: {asm('mul.rn.f16x2 %0, %1, %2;', 'r a', 'r b')}", bits(x * y), a=a, b=b)
        wide = [v.astype(np.longdouble) for v in (x, y, z)]  # 64 bits hold almost every exact sum; ties are far rarer
        check(
            f"u32: {asm('fma.rn.f16x2 %0, %1, %2, %3;', 'r a', 'r b', 'r c')}", bits(wide[0] * wide[1] + wide[2]), a=a, b=b, c=c
        )
        least = np.where((x < y) | ((x == y) & np.signbit(x)), x, y)
        check(f"u32: {asm('min.f16x2 %0, %1, %2;', 'r a', 'r b')}", bits(least), a=a, b=b)


@together
def test_saturated_conversions(check):
    with np.errstate(all="ignore"):
        number = np.where(np.isnan(F), 0, F).astype(np.float64)
        for way, round_ in (("rni", np.rint), ("rzi", np.trunc), ("rmi", np.floor)):
            want = np.clip(round_(number), 0, 255).astype(np.uint32)
            check(f"u32: {asm(f'cvt.{way}.sat.u8.f32 %0, %1;', 'f a')} & 255", want, a=F)
    want = np.clip(np.rint(number), -(2**15), 2**15 - 1).astype(np.int32).view(np.uint32)
    check(f"u32: {asm('cvt.rni.sat.s16.f32 %0, %1;', 'f a')}", want, a=F)
    low, high = (np.clip(v, 0, 255).astype(np.uint32) for v in (SB, SA))
    packed = asm("cvt.pack.sat.u8.s32.b32 %0, %1, %2, %3;", "r a", "r b", "r c")
    check(f"u32: {packed}", low | high << np.uint32(8) | C << np.uint32(16), a=SA, b=SB, c=C)
    low, high = (np.clip(v, 0, 65535).astype(np.uint32) for v in (SB, SA))
    check(f"u32: {asm('cvt.pack.sat.u16.s32 %0, %1, %2;', 'r a', 'r b')}", low | high << np.uint32(16), a=SA, b=SB)
    check(f"u32: {asm('cvt.sat.u8.s32 %0, %1;', 'r a')}", np.clip(SA, 0, 255).astype(np.uint32), a=SA)
    finite = np.where(np.isnan(HALVES), HALVES, np.clip(HALVES, -65504, 65504))
    bits = np.where(np.isnan(finite), 0x7FFF, finite.astype(np.float16).view(np.uint16)).astype(np.uint32)
    check(f"u32: {asm('cvt.rn.satfinite.f16x2.f32 %0, %1, %1;', 'f a')} & 0xffff", bits, a=HALVES)

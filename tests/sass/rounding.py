"""Arithmetic that rounds once, as a GPU's does: fused multiply-adds, directed rounding, halves.

Sums that float64 cannot hold are rounded to odd: what was lost is remembered in the last bit, so that rounding again to float32
or float16 gives what rounding the exact sum would (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
"""

from __future__ import annotations

import numpy as np

from .operands import F16, F32, F64, U16, U32, U64

NAN = U32(0x7FFFFFFF).view(F32)  # what a GPU gives for every NaN that it makes
NAN64 = U64(0xFFF8000000000000).view(F64)
NAN16 = U16(0x7FFF)
_TINY = 2.0**-125  # below, results of float32 may be subnormal


def quiet(value):
    """float32 with the GPU's one NaN."""
    bad = np.isnan(value)
    return np.where(bad, NAN, value) if bad.any() else value


def flush(value):
    """FTZ: subnormal numbers become zeros of their sign."""
    small = np.abs(value) < np.finfo(F32).tiny
    return np.where(small, np.copysign(F32(0), value), value) if small.any() else value


def two_sum(a, b):
    """(the sum, what it lost)."""
    total = a + b
    other = total - a
    return total, (a - (total - other)) + (b - other)


def odd_sum(a, b):
    """a + b in float64, rounded to odd."""
    total, lost = two_sum(a, b)
    return _to_odd(total, lost)


def _to_odd(total, lost):
    bits = np.ascontiguousarray(total).view(U64)
    fix = (lost != 0) & np.isfinite(total) & np.isfinite(lost) & (bits & U64(1) == 0)
    if not fix.any():
        return total
    away = (lost > 0) == (total > 0)  # the exact sum is further from zero
    return np.where(fix, np.where(away, bits + U64(1), bits - U64(1)), bits).view(F64)


def fma32(a, b, c, mode: str = ""):
    """a * b + c of float32. mode: RM, RP, RZ; "" for the nearest."""
    product = a.astype(F64) * b  # 48 bits: exact
    total = product + c
    if not mode:
        bits = total.view(U64)
        if not (((bits & U64(0x1FFFFFFF)) == 0x10000000) | (np.abs(total) < _TINY)).any():
            return total.astype(F32)  # no tie that the first rounding could have made
    return round32(odd_sum(product, np.broadcast_to(c.astype(F64), total.shape)), mode)


def round32(value, mode: str = ""):
    """float64 (exact, or rounded to odd) to float32."""
    near = value.astype(F32)
    if not mode:
        return near
    wide = near.astype(F64)
    if mode == "RZ":
        far = np.abs(wide) > np.abs(value)
        return np.where(far, np.nextafter(near, F32(0)), near)
    if mode == "RM":
        return np.where(wide > value, np.nextafter(near, F32(-np.inf)), near)
    return np.where(wide < value, np.nextafter(near, F32(np.inf)), near)


def _split(a):
    """Veltkamp: the upper 26 bits, and the rest."""
    scaled = a * 134217729.0
    high = scaled - (scaled - a)
    return high, a - high


def two_product(a, b):
    """(the product, what it lost)."""
    product = a * b
    (ah, al), (bh, bl) = _split(a), _split(b)
    return product, ((ah * bh - product) + ah * bl + al * bh) + al * bl


def fma64(a, b, c, mode: str = ""):
    """a * b + c of float64. Products so large or so small that their error is no number are rounded twice."""
    plain = a * b + c
    high, low = two_product(a, b)
    top, under = two_sum(c, low)
    first, second = two_sum(high, top)
    rest = odd_sum(second, under)
    total = first + rest
    exact = np.isfinite(low) & np.isfinite(total) & (np.abs(high) > 1e-290)
    result = np.where(exact, total, plain)
    return directed(result, np.where(exact, two_sum(first, rest)[1], 0), mode)


def directed(result, lost, mode: str):
    """float64 that was rounded to the nearest and lost this much, rounded in the direction of the mode instead."""
    if mode == "RP":
        return np.where(lost > 0, np.nextafter(result, np.inf), result)
    if mode == "RM":
        return np.where(lost < 0, np.nextafter(result, -np.inf), result)
    if mode == "RZ":
        return np.where((lost != 0) & ((lost > 0) != (result > 0)), np.nextafter(result, 0), result)
    return result


# ---- halves


def to_half(value, mode: str = ""):
    """float32, or float64 rounded to odd, as the bits of float16; every NaN is 0x7fff."""
    half = value.astype(F16)
    if mode == "RZ":
        wide = half.astype(F64)
        half = np.where(np.abs(wide) > np.abs(value), np.nextafter(half, F16(0)), half)
    return np.where(np.isnan(value), NAN16, half.view(U16))


def to_bfloat(value, mode: str = ""):
    """float32 as the bits of bfloat16, likewise."""
    bits = np.ascontiguousarray(value, F32).view(U32)
    if mode != "RZ":
        bits = bits + U32(0x7FFF) + (bits >> U32(16) & U32(1))
    return np.where(np.isnan(value), NAN16, (bits >> U32(16)).astype(U16))


def from_bfloat(bits):
    return (bits.astype(U32) << U32(16)).view(F32)

"""Instructions on float32 and float64, by small kernels whose results NumPy and the C library give another way."""

from __future__ import annotations

import ctypes
import ctypes.util

import numpy as np
import pytest

from sass import missing
from sass.small import each_thread, launch
from sass.values import PAIR_A, SA, A, B, F, G, H, same, together

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
pytest.importorskip("cupy")

RNG = np.random.default_rng(5)


def libm(name: str, dtype, *arrays):
    kind = {np.float32: ctypes.c_float, np.float64: ctypes.c_double}[dtype]
    function = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    function.restype, function.argtypes = kind, [kind] * len(arrays)
    return np.array([function(*(float(v) for v in values)) for values in zip(*arrays)], dtype)


@together
def test_sums_and_products_of_floats(check):
    with np.errstate(all="ignore"):
        check("float: a + b", F + G, a=F, b=G)
        check("float: a * b", F * G, a=F, b=G)
    check("float: fmaf(a, b, c)", libm("fmaf", np.float32, F, G, H), a=F, b=G, c=H)


@together
def test_a_multiply_add_rounds_once(check):
    """Products that lie in the middle between two float32, and a summand that only the exact sum shows; and tiny results."""
    by = RNG.integers(-20, 20, (2, 256))
    a, b = ((1 + 2.0**-12) * 2.0**by).astype(np.float32)
    c = (RNG.choice([-1, 1], 256) * 2.0 ** (by.sum(0) - 60)).astype(np.float32)
    check("float: fmaf(a, b, c)", libm("fmaf", np.float32, a, b, c), a=a, b=b, c=c)


@together
def test_a_multiply_add_rounds_subnormal_numbers_once(check):
    a = (2.0**-140 * (1 + RNG.integers(0, 2**10, 1024) / 2**10)).astype(np.float32)
    b = (1 + RNG.integers(0, 2**12, 1024) / 2**12).astype(np.float32)
    c = (RNG.choice([-1, 1], 1024) * 2.0 ** RNG.integers(-149, -126, 1024)).astype(np.float32)
    check("float: fmaf(a, b, c)", libm("fmaf", np.float32, a, b, c), a=a, b=b, c=c)


@together
def test_quotients_and_roots_are_rounded_to_the_nearest(check):
    with np.errstate(all="ignore"):
        check("float: a / b", F / G, a=F, b=G)
        check("float: 1.f / a", np.float32(1) / F, a=F)
        check("float: sqrtf(a)", np.sqrt(F), a=F)


def test_an_inaccurate_reciprocal_changes_no_quotient():
    out, rough = np.zeros(1024, np.float32), np.zeros(1024, np.float32)
    body = 'out[t] = a[t] / b[t]; float r; asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(b[t])); rough[t] = r;'
    launch("float* out, float* rough, const float* a, const float* b", body, out, rough, F, G, blocks=16, wobble=3)
    with np.errstate(all="ignore"):
        same(out, F / G)
        exact = (1 / G.astype(np.float64)).astype(np.float32)
        normal = np.isfinite(exact) & (np.abs(exact) > 2e-38) & (np.abs(G) > 2e-38)
        apart = np.abs(rough[normal].view(np.int32).astype(np.int64) - exact[normal].view(np.int32))
    assert apart.max() == 1
    assert (apart == 0).sum() > 100


@together
def test_roundings_and_conversions(check):
    with np.errstate(all="ignore"):
        check("float: rintf(a)", np.rint(F), a=F)
        check("float: floorf(a)", np.floor(F), a=F)
        check("float: truncf(a)", np.trunc(F), a=F)
        check("float: ceilf(a)", np.ceil(F), a=F)

        def ends(value, low, high, dtype):
            value = np.where(np.isnan(value), 0, value.astype(np.float64))
            return np.array([min(max(int(v), low), high) if np.isfinite(v) else (low if v < 0 else high) for v in value], dtype)

        check("int: (int)a", ends(np.trunc(F), -(2**31), 2**31 - 1, np.int32), a=F)
        check("u32: (u32)a", ends(np.trunc(F), 0, 2**32 - 1, np.uint32), a=F)
        check("int: __float2int_rn(a)", ends(np.rint(F), -(2**31), 2**31 - 1, np.int32), a=F)
        check("int: __float2int_rd(a)", ends(np.floor(F), -(2**31), 2**31 - 1, np.int32), a=F)
        number = ~np.isnan(F)
        want = ends(np.trunc(F), -(2**63), 2**63 - 1, np.int64)
        same(each_thread("i64: (i64)a", a=F)[number], want[number])
    check("float: (float)a", A.astype(np.float32), a=A)
    check("float: (float)a", SA.astype(np.float32), a=SA)
    check("float: (float)(u8)(a >> 16) + (float)(signed char)(a >> 8)", _bytes(), a=A)
    check("float: (float)(u16)a - (float)(short)(a >> 16)", _halves(), a=A)
    check("float: (float)a", PAIR_A.view(np.int64).astype(np.float32), a=PAIR_A.view(np.int64))
    check("float: __uint2float_ru(a)", _up(A), a=A)


def _bytes():
    part = A.view(np.uint8).reshape(-1, 4)
    return part[:, 2].astype(np.float32) + part[:, 1].view(np.int8).astype(np.float32)


def _halves():
    part = A.view(np.uint16).reshape(-1, 2)
    return part[:, 0].astype(np.float32) - part[:, 1].view(np.int16).astype(np.float32)


def _up(value):
    near = value.astype(np.float32)
    return np.where(near.astype(np.float64) < value, np.nextafter(near, np.float32(np.inf)), near)


@together
def test_least_and_greatest_of_floats(check):
    numbers = np.where(np.isnan(F), G, F), np.where(np.isnan(G), F, G)  # of a number and a NaN the number
    below = (numbers[0] < numbers[1]) | ((numbers[0] == numbers[1]) & np.signbit(numbers[0]))
    check("float: fminf(a, b)", np.where(below, numbers[0], numbers[1]), a=F, b=G)
    check("float: fmaxf(a, b)", np.where(below, numbers[1], numbers[0]), a=F, b=G)
    with np.errstate(all="ignore"):
        clipped = np.where(np.isnan(F * G), 0, np.clip(F * G, 0, 1)).astype(np.float32)
    assert (each_thread("float: __saturatef(a * b)", a=F, b=G) == clipped).all()
    for sign in ("<", "<=", ">", ">=", "==", "!="):
        check(f"u32: a {sign} b", eval(f"F {sign} G").astype(np.uint32), a=F, b=G)
        check(f"u32: !(a {sign} b)", (~eval(f"F {sign} G")).astype(np.uint32), a=F, b=G)


@together
def test_doubles(check):
    d = np.concatenate([F.astype(np.float64), RNG.standard_normal(1024) * 10.0 ** RNG.integers(-30, 30, 1024)])
    e = np.concatenate([G.astype(np.float64), RNG.standard_normal(1024) * 10.0 ** RNG.integers(-30, 30, 1024)])
    f = np.concatenate([H.astype(np.float64), -(d[1024:] * e[1024:]) * (1 + RNG.integers(-3, 4, 1024) * 2.0**-52)])
    with np.errstate(all="ignore"):
        check("double: a / b", d / e, a=d, b=e)
        check("double: sqrt(a)", np.sqrt(d), a=d)
        check("double: floor(a) + b", np.floor(d) + e, a=d, b=e)
        check("float: (float)a", d.astype(np.float32), a=d)
        check("double: fmin(a, b)", _least(d, e), a=d, b=e)
    check("double: fma(a, b, c)", libm("fma", np.float64, d, e, f), a=d, b=e, c=f)
    check("double: (double)a + (double)b", SA.astype(np.float64) + B, a=SA, b=B)


def _least(a, b):
    return np.where(np.isnan(b) | (a < b), a, b)

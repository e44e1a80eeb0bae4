"""The simulator's instructions, by small kernels whose results NumPy, or Python's exact numbers, give another way."""

from __future__ import annotations

import ctypes
import ctypes.util

import numpy as np
import pytest

from sass import missing
from sass.small import each_thread, launch

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
pytest.importorskip("cupy")

RNG = np.random.default_rng(5)
EDGES = [
    0,
    1,
    2,
    3,
    31,
    32,
    33,
    63,
    64,
    255,
    256,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    2**31 - 1,
    2**31,
    2**31 + 1,
    2**32 - 2,
    2**32 - 1,
]


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
some = np.where(B == 0, np.uint32(1), B)  # divisors

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -0.5, -2.5, 1e-45, -1e-45, 1.1754942e-38, 1.1754944e-38, 3e38, -3.4028235e38]
SPECIAL += [
    np.inf,
    -np.inf,
    np.nan,
    65504.0,
    65519.0,
    65520.0,
    6e-8,
    2.9e-8,
    6.1e-5,
    2147483520.0,
    2147483648.0,
    4294967040.0,
    4.3e9,
]


def floats(seed: int, count: int = 1024) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pairs = np.array([(a, b) for a in SPECIAL for b in SPECIAL], np.float32)
    bits = rng.integers(0, 2**32, count - len(pairs), np.uint32)
    near = (rng.standard_normal(count - len(pairs)) * 8).astype(np.float32)
    drawn = np.where(rng.random(len(bits)) < 0.3, bits.view(np.float32), near)
    return np.concatenate([pairs[:, seed] if seed < 2 else rng.permutation(pairs[:, 0]), drawn])


F, G, H = (floats(seed) for seed in range(3))


def same(got, want):
    """Bit by bit; every NaN is alike."""
    want = np.asarray(want)
    assert got.dtype == want.dtype
    if got.dtype.kind == "f":
        assert (np.isnan(got) == np.isnan(want)).all()
        word = {4: np.uint32, 8: np.uint64}[got.dtype.itemsize]
        got, want = (np.where(np.isnan(v), 0, v.view(word)) for v in (got, want))
    bad = np.flatnonzero(got != want)
    assert not len(bad), (bad[:5], got[bad[:5]], want[bad[:5]])


# ---- bits


def test_funnel_shifts():
    wide = B.astype(np.uint64) << np.uint64(32) | A
    n = (C & 31).astype(np.uint64)
    same(each_thread("u32: __funnelshift_r(a, b, c)", a=A, b=B, c=C), (wide >> n).astype(np.uint32))
    same(each_thread("u32: __funnelshift_l(a, b, c)", a=A, b=B, c=C), ((wide << n) >> np.uint64(32)).astype(np.uint32))
    clamped = np.minimum(C, 32).astype(np.uint64)
    same(each_thread("u32: __funnelshift_rc(a, b, c)", a=A, b=B, c=C), (wide >> clamped).astype(np.uint32))
    same(each_thread("u32: __funnelshift_r(a, b, 5)", a=A, b=B), (wide >> np.uint64(5)).astype(np.uint32))


def test_shifts():
    n = C & 31
    same(each_thread("u32: a << (c & 31)", a=A, c=C), A << n)
    same(each_thread("u32: a >> (c & 31)", a=A, c=C), A >> n)
    same(each_thread("int: a >> (c & 31)", a=SA, c=C), SA >> n.view(np.int32))
    wide, n = PAIR_A, (C & 63).astype(np.uint64)
    same(each_thread("u64: a << (c & 63)", a=wide, c=C), wide << n)
    same(each_thread("u64: a >> (c & 63)", a=wide, c=C), wide >> n)
    same(each_thread("i64: a >> (c & 63)", a=wide.view(np.int64), c=C), wide.view(np.int64) >> n.view(np.int64))


def test_permuted_bytes():
    pool = np.stack([A, B], 1).view(np.uint8)
    for selector, text in ((C & 0x7777, "c & 0x7777"), (C & 0xFFFF, "c & 0xffff")):
        nibbles = [selector >> np.uint32(4 * i) & 15 for i in range(4)]
        chosen = [np.take_along_axis(pool, (n & 7).astype(np.int64)[:, None], 1)[:, 0] for n in nibbles]
        want = [np.where(n & 8, np.where(byte & 128, 255, 0), byte) for n, byte in zip(nibbles, chosen)]
        want = sum(byte.astype(np.uint32) << np.uint32(8 * i) for i, byte in enumerate(want))
        asm = f'([&] {{ u32 r; asm("prmt.b32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"({text})); return r; }}())'
        same(each_thread(f"u32: {asm}", a=A, b=B, c=C), want.astype(np.uint32))
    same(each_thread("u32: __byte_perm(a, b, 0x2541)", a=A, b=B), pool[:, [1, 4, 5, 2]].copy().view(np.uint32)[:, 0])


def test_every_function_of_three_bits():
    lines = "".join(
        f'asm("lop3.b32 %0, %1, %2, %3, {table};" : "=r"(r) : "r"(a), "r"(b), "r"(c)); out[{table} * 64 + t] = r; '
        for table in range(256)
    )
    out = np.zeros(256 * 64, np.uint32)
    a, b, c = A[-64:].copy(), B[-64:].copy(), C[-64:].copy()
    body = f"const u32 a = a_[t], b = b_[t], c = c_[t]; u32 r; {lines}"
    launch("u32* out, const u32* a_, const u32* b_, const u32* c_", body, out, a, b, c)
    index = [(a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1) for i in range(32)]
    for table in range(256):
        want = sum((np.uint32(table) >> at & 1) << np.uint32(i) for i, at in enumerate(index))
        same(out[64 * table : 64 * table + 64], want.astype(np.uint32))


def test_counted_and_reversed_bits():
    text = [f"{value:032b}" for value in A]
    same(each_thread("int: __popc(a)", a=A), np.array([t.count("1") for t in text], np.int32))
    same(each_thread("int: __clz(a)", a=A), np.array([32 - len(t.lstrip("0")) for t in text], np.int32))
    same(each_thread("int: __ffs(a)", a=A), np.array([32 - len(t.rstrip("0")) + 1 if "1" in t else 0 for t in text], np.int32))
    same(each_thread("u32: __brev(a)", a=A), np.array([int(t[::-1], 2) for t in text], np.uint32))
    at, count = np.minimum(B & 255, 32).astype(np.uint64), np.minimum(C & 255, 32).astype(np.uint64)
    asm = '([&] { u32 r; asm("bfe.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); return r; }())'
    want = (A.astype(np.uint64) >> at) & ((np.uint64(1) << count) - np.uint64(1))
    same(each_thread(f"u32: {asm}", a=A, b=B, c=C), want.astype(np.uint32))


# ---- integers


def test_sums_of_64_bits():
    for a, b in ((PAIR_A, PAIR_B), (PAIR_A, np.uint64(2**32) * (PAIR_B >> np.uint64(32))), (PAIR_A & np.uint64(3), PAIR_B)):
        same(each_thread("u64: a + b", a=a, b=b), a + b)
        same(each_thread("u64: a - b", a=a, b=b), a - b)  # with halves that are 0, which have to carry
        same(each_thread("u64: a * b", a=a, b=b), a * b)
        for sign in ("<", "<=", ">", ">=", "==", "!="):
            same(each_thread(f"u32: a {sign} b", a=a, b=b), eval(f"a {sign} b").astype(np.uint32))
            want = eval(f"a.view(np.int64) {sign} b.view(np.int64)").astype(np.uint32)
            same(each_thread(f"u32: a {sign} b", a=a.view(np.int64), b=b.view(np.int64)), want)


def test_products():
    wide = A.astype(np.uint64) * B
    same(each_thread("u32: a * b + c", a=A, b=B, c=C), A * B + C)
    same(each_thread("u32: __umulhi(a, b)", a=A, b=B), (wide >> np.uint64(32)).astype(np.uint32))
    signed = SA.astype(np.int64) * SB
    same(each_thread("int: __mulhi(a, b)", a=SA, b=SB), (signed >> 32).astype(np.int32))
    same(each_thread("u64: (u64)a * b + c", a=A, b=B, c=PAIR_A), wide + PAIR_A)
    same(each_thread("i64: (i64)a * b", a=SA, b=SB), signed)


def test_quotients():
    same(each_thread("u32: a / b", a=A, b=some), A // some)
    same(each_thread("u32: a % b", a=A, b=some), A % some)
    fits = ~((SA == -(2**31)) & (some.view(np.int32) == -1))
    a, b = np.where(fits, SA, 5), some.view(np.int32)
    quotient = np.array([int(abs(int(x)) // abs(int(y))) * (1 if (x < 0) == (y < 0) else -1) for x, y in zip(a, b)], np.int32)
    same(each_thread("int: a / b", a=a, b=b), quotient)
    same(each_thread("u32: a / 7 + b % 1000", a=A, b=B), A // np.uint32(7) + B % np.uint32(1000))
    same(each_thread("int: a / 13", a=a), np.array([int(abs(int(x)) // 13) * (1 if x >= 0 else -1) for x in a], np.int32))
    divisor = np.where(PAIR_B == 0, np.uint64(1), PAIR_B)
    same(each_thread("u64: a / b", a=PAIR_A, b=divisor), PAIR_A // divisor)
    same(each_thread("u64: a / b", a=PAIR_A, b=some.astype(np.uint64)), PAIR_A // some)


def test_the_lesser_and_the_greater():
    same(each_thread("int: min(max(a, b), 17)", a=SA, b=SB), np.minimum(np.maximum(SA, SB), 17))
    same(each_thread("u32: min(max(a, b), c)", a=A, b=B, c=C), np.minimum(np.maximum(A, B), C))
    same(each_thread("int: min(a + b, 100)", a=SA, b=SB), np.minimum(SA + SB, 100))
    same(each_thread("int: abs(a)", a=SA), np.abs(SA))
    halves = [v.view(np.uint16) for v in (A, B, C)]
    same(each_thread("u32: __vminu2(a, b)", a=A, b=B), np.minimum(*halves[:2]).view(np.uint32))
    same(each_thread("u32: __vmaxu2(a, b)", a=A, b=B), np.maximum(*halves[:2]).view(np.uint32))
    signed = [v.view(np.int16) for v in halves]
    same(each_thread("u32: __vmins2(a, b)", a=A, b=B), np.minimum(*signed[:2]).view(np.uint32))
    same(
        each_thread("u32: __vimax3_u16x2(a, b, c)", a=A, b=B, c=C), np.maximum(np.maximum(*halves[:2]), halves[2]).view(np.uint32)
    )
    relu = np.maximum(np.minimum(signed[0] + signed[1], signed[2]), 0)
    same(each_thread("u32: __viaddmin_s16x2_relu(a, b, c)", a=A, b=B, c=C), relu.view(np.uint32))
    same(each_thread("u32: __vadd2(a, b)", a=A, b=B), (halves[0] + halves[1]).view(np.uint32))


def test_dot_products():
    a, b = (v.view(np.uint8).reshape(-1, 4).astype(np.int64) for v in (A, B))
    same(each_thread("u32: __dp4a(a, b, c)", a=A, b=B, c=C), ((a * b).sum(1) + C).astype(np.uint32))
    sa, sb = (v.view(np.int8).reshape(-1, 4).astype(np.int64) for v in (A, B))
    same(
        each_thread("int: __dp4a(a, b, c)", a=SA, b=SB, c=C.view(np.int32)),
        ((sa * sb).sum(1) + C).astype(np.uint32).view(np.int32),
    )
    halves = A.view(np.uint16).reshape(-1, 2).astype(np.int64)
    same(each_thread("u32: __dp2a_lo(a, b, c)", a=A, b=B, c=C), ((halves * b[:, :2]).sum(1) + C).astype(np.uint32))
    same(each_thread("u32: __dp2a_hi(a, b, c)", a=A, b=B, c=C), ((halves * b[:, 2:]).sum(1) + C).astype(np.uint32))
    same(each_thread("u32: __vsadu4(a, b)", a=A, b=B), np.abs(a - b).sum(1).astype(np.uint32))
    same(each_thread("u32: __vabsdiffu4(a, b)", a=A, b=B), np.abs(a - b).astype(np.uint8).view(np.uint32)[:, 0])
    same(each_thread("u32: __usad(a, b, c)", a=A, b=B, c=C), np.where(A > B, A - B, B - A) + C)


# ---- floats


def libm(name: str, dtype, *arrays):
    kind = {np.float32: ctypes.c_float, np.float64: ctypes.c_double}[dtype]
    function = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    function.restype, function.argtypes = kind, [kind] * len(arrays)
    return np.array([function(*(float(v) for v in values)) for values in zip(*arrays)], dtype)


def test_sums_and_products_of_floats():
    with np.errstate(all="ignore"):
        same(each_thread("float: a + b", a=F, b=G), F + G)
        same(each_thread("float: a * b", a=F, b=G), F * G)
    same(each_thread("float: fmaf(a, b, c)", a=F, b=G, c=H), libm("fmaf", np.float32, F, G, H))


def test_a_multiply_add_rounds_once():
    """Sums that a float64 would round onto the middle between two float32."""
    rng = np.random.default_rng(1)
    a = (1 + rng.integers(0, 2**23, 4096) / 2**23).astype(np.float32)
    b = (1 + rng.integers(0, 2**12, 4096) / 2**12).astype(np.float32)
    c = (rng.choice([-1, 1], 4096) * 2.0 ** rng.integers(-45, -20, 4096)).astype(np.float32)
    tiny = np.float32(2.0**-140)
    for scale in (np.float32(1), tiny):
        same(
            each_thread("float: fmaf(a, b, c)", a=a * scale, b=b, c=c * scale), libm("fmaf", np.float32, a * scale, b, c * scale)
        )


def test_quotients_and_roots_are_rounded_to_the_nearest():
    with np.errstate(all="ignore"):
        same(each_thread("float: a / b", a=F, b=G), F / G)
        same(each_thread("float: 1.f / a", a=F), np.float32(1) / F)
        same(each_thread("float: sqrtf(a)", a=F), np.sqrt(F))


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


def test_roundings_and_conversions():
    with np.errstate(all="ignore"):
        same(each_thread("float: rintf(a)", a=F), np.rint(F))
        same(each_thread("float: floorf(a)", a=F), np.floor(F))
        same(each_thread("float: truncf(a)", a=F), np.trunc(F))
        same(each_thread("float: ceilf(a)", a=F), np.ceil(F))

        def ends(value, low, high, dtype):
            value = np.where(np.isnan(value), 0, value.astype(np.float64))
            return np.array([min(max(int(v), low), high) if np.isfinite(v) else (low if v < 0 else high) for v in value], dtype)

        same(each_thread("int: (int)a", a=F), ends(np.trunc(F), -(2**31), 2**31 - 1, np.int32))
        same(each_thread("u32: (u32)a", a=F), ends(np.trunc(F), 0, 2**32 - 1, np.uint32))
        same(each_thread("int: __float2int_rn(a)", a=F), ends(np.rint(F), -(2**31), 2**31 - 1, np.int32))
        same(each_thread("int: __float2int_rd(a)", a=F), ends(np.floor(F), -(2**31), 2**31 - 1, np.int32))
        number = ~np.isnan(F)
        want = ends(np.trunc(F), -(2**63), 2**63 - 1, np.int64)
        same(each_thread("i64: (i64)a", a=F)[number], want[number])
    same(each_thread("float: (float)a", a=A), A.astype(np.float32))
    same(each_thread("float: (float)a", a=SA), SA.astype(np.float32))
    same(each_thread("float: (float)(u8)(a >> 16) + (float)(signed char)(a >> 8)", a=A), _bytes())
    same(each_thread("float: (float)(u16)a - (float)(short)(a >> 16)", a=A), _halves())
    same(each_thread("float: (float)a", a=PAIR_A.view(np.int64)), PAIR_A.view(np.int64).astype(np.float32))
    same(each_thread("float: __uint2float_ru(a)", a=A), _up(A))


def _bytes():
    part = A.view(np.uint8).reshape(-1, 4)
    return part[:, 2].astype(np.float32) + part[:, 1].view(np.int8).astype(np.float32)


def _halves():
    part = A.view(np.uint16).reshape(-1, 2)
    return part[:, 0].astype(np.float32) - part[:, 1].view(np.int16).astype(np.float32)


def _up(value):
    near = value.astype(np.float32)
    return np.where(near.astype(np.float64) < value, np.nextafter(near, np.float32(np.inf)), near)


def test_least_and_greatest_of_floats():
    numbers = np.where(np.isnan(F), G, F), np.where(np.isnan(G), F, G)  # of a number and a NaN the number
    below = (numbers[0] < numbers[1]) | ((numbers[0] == numbers[1]) & np.signbit(numbers[0]))
    same(each_thread("float: fminf(a, b)", a=F, b=G), np.where(below, numbers[0], numbers[1]))
    same(each_thread("float: fmaxf(a, b)", a=F, b=G), np.where(below, numbers[1], numbers[0]))
    with np.errstate(all="ignore"):
        clipped = np.where(np.isnan(F * G), 0, np.clip(F * G, 0, 1)).astype(np.float32)
    assert (each_thread("float: __saturatef(a * b)", a=F, b=G) == clipped).all()
    for sign in ("<", "<=", ">", ">=", "==", "!="):
        same(each_thread(f"u32: a {sign} b", a=F, b=G), eval(f"F {sign} G").astype(np.uint32))
        same(each_thread(f"u32: !(a {sign} b)", a=F, b=G), (~eval(f"F {sign} G")).astype(np.uint32))


def test_doubles():
    d = np.concatenate([F.astype(np.float64), RNG.standard_normal(1024) * 10.0 ** RNG.integers(-30, 30, 1024)])
    e = np.concatenate([G.astype(np.float64), RNG.standard_normal(1024) * 10.0 ** RNG.integers(-30, 30, 1024)])
    f = np.concatenate([H.astype(np.float64), -(d[1024:] * e[1024:]) * (1 + RNG.integers(-3, 4, 1024) * 2.0**-52)])
    with np.errstate(all="ignore"):
        same(each_thread("double: a / b", a=d, b=e), d / e)
        same(each_thread("double: sqrt(a)", a=d), np.sqrt(d))
        same(each_thread("double: floor(a) + b", a=d, b=e), np.floor(d) + e)
        same(each_thread("float: (float)a", a=d), d.astype(np.float32))
        same(each_thread("double: fmin(a, b)", a=d, b=e), _least(d, e))
    same(each_thread("double: fma(a, b, c)", a=d, b=e, c=f), libm("fma", np.float64, d, e, f))
    same(each_thread("double: (double)a + (double)b", a=SA, b=B), SA.astype(np.float64) + B)


def _least(a, b):
    return np.where(np.isnan(b) | (a < b), a, b)


# ---- halves


def _through(asm: str, value: np.ndarray) -> np.ndarray:
    return each_thread(
        f'u32: ([&] {{ u32 r; asm("{asm}" : "=r"(r) : "f"(b), "f"(a)); return r; }}())', a=value, b=np.roll(value, 1)
    )


HALVES = np.concatenate(
    [
        F,
        (np.arange(-1024, 1024) / 2048 + 2048).astype(np.float32),  # ties of float16
        np.float32(2.0**-24) * (np.arange(1024, dtype=np.float32) / 4),  # its subnormals
        (np.arange(0x3F800000, 0x3F800000 + 2**19, 2**8, dtype=np.uint32)).view(np.float32)[:1024],  # ties of bfloat16
    ]
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


def test_halves_become_floats():
    bits = np.arange(2**16, dtype=np.uint32)
    asm = '([&] { float r; asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"((u16)a)); return r; }())'
    with np.errstate(all="ignore"):
        want = bits.astype(np.uint16).view(np.float16).astype(np.float32)
    same(each_thread(f"float: {asm}", a=bits), want)


def test_arithmetic_of_halves():
    a, b, c = (np.concatenate([v, RNG.integers(0, 2**32, 512, np.uint32)]) for v in (A, B, C))
    x, y, z = (v.view(np.uint16) for v in (a, b, c))
    x, y, z = (np.where((v & 0x7FFF) > 0x7C00, v & 0x83FF, v).view(np.float16) for v in (x, y, z))
    a, b, c = (np.ascontiguousarray(v).view(np.uint32) for v in (x, y, z))

    def asm(text, *operands):
        inputs = ", ".join(f'"r"({name})' for name in operands)
        return f'u32: ([&] {{ u32 r; asm("{text}" : "=r"(r) : {inputs}); return r; }}())'

    def bits(value):
        return np.where(np.isnan(value), np.uint16(0x7FFF), value.astype(np.float16).view(np.uint16)).view(np.uint32)

    with np.errstate(all="ignore"):
        same(each_thread(asm("add.rn.f16x2 %0, %1, %2;", "a", "b"), a=a, b=b), bits(x + y))
        same(each_thread(asm("mul.rn.f16x2 %0, %1, %2;", "a", "b"), a=a, b=b), bits(x * y))
        wide = [v.astype(np.longdouble) for v in (x, y, z)]  # 64 bits hold almost every exact sum; ties are far rarer
        same(each_thread(asm("fma.rn.f16x2 %0, %1, %2, %3;", "a", "b", "c"), a=a, b=b, c=c), bits(wide[0] * wide[1] + wide[2]))
        least = np.where((x < y) | ((x == y) & np.signbit(x)), x, y)
        same(each_thread(asm("min.f16x2 %0, %1, %2;", "a", "b"), a=a, b=b), bits(least))

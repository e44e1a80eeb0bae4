"""Instructions on integers and bits, by small kernels whose results NumPy, or Python's integers, give another way."""

from __future__ import annotations

import numpy as np
import pytest

from sass import missing
from sass.small import each_thread, launch
from sass.values import PAIR_A, PAIR_B, SA, SB, SOME, A, B, C, asm, same, together

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
pytest.importorskip("cupy")

# ---- bits


@together
def test_funnel_shifts(check):
    wide = B.astype(np.uint64) << np.uint64(32) | A
    n = (C & 31).astype(np.uint64)
    check("u32: __funnelshift_r(a, b, c)", (wide >> n).astype(np.uint32), a=A, b=B, c=C)
    check("u32: __funnelshift_l(a, b, c)", ((wide << n) >> np.uint64(32)).astype(np.uint32), a=A, b=B, c=C)
    clamped = np.minimum(C, 32).astype(np.uint64)
    check("u32: __funnelshift_rc(a, b, c)", (wide >> clamped).astype(np.uint32), a=A, b=B, c=C)
    check("u32: __funnelshift_r(a, b, 5)", (wide >> np.uint64(5)).astype(np.uint32), a=A, b=B)


@together
def test_shifts(check):
    n = C & 31
    check("u32: a << (c & 31)", A << n, a=A, c=C)
    check("u32: a >> (c & 31)", A >> n, a=A, c=C)
    check("int: a >> (c & 31)", SA >> n.view(np.int32), a=SA, c=C)
    wide, n = PAIR_A, (C & 63).astype(np.uint64)
    check("u64: a << (c & 63)", wide << n, a=wide, c=C)
    check("u64: a >> (c & 63)", wide >> n, a=wide, c=C)
    check("i64: a >> (c & 63)", wide.view(np.int64) >> n.view(np.int64), a=wide.view(np.int64), c=C)


@together
def test_permuted_bytes(check):
    pool = np.stack([A, B], 1).view(np.uint8)
    for selector, text in ((C & 0x7777, "c & 0x7777"), (C & 0xFFFF, "c & 0xffff")):
        nibbles = [selector >> np.uint32(4 * i) & 15 for i in range(4)]
        chosen = [np.take_along_axis(pool, (n & 7).astype(np.int64)[:, None], 1)[:, 0] for n in nibbles]
        want = [np.where(n & 8, np.where(byte & 128, 255, 0), byte) for n, byte in zip(nibbles, chosen)]
        want = sum(byte.astype(np.uint32) << np.uint32(8 * i) for i, byte in enumerate(want))
        asm = f'([&] {{ u32 r; asm("prmt.b32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"({text})); return r; }}())'
        check(f"u32: {asm}", want.astype(np.uint32), a=A, b=B, c=C)
    check("u32: __byte_perm(a, b, 0x2541)", pool[:, [1, 4, 5, 2]].copy().view(np.uint32)[:, 0], a=A, b=B)


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


@together
def test_counted_and_reversed_bits(check):
    text = [f"{value:032b}" for value in A]
    check("int: __popc(a)", np.array([t.count("1") for t in text], np.int32), a=A)
    check("int: __clz(a)", np.array([32 - len(t.lstrip("0")) for t in text], np.int32), a=A)
    check("int: __ffs(a)", np.array([32 - len(t.rstrip("0")) + 1 if "1" in t else 0 for t in text], np.int32), a=A)
    check("u32: __brev(a)", np.array([int(t[::-1], 2) for t in text], np.uint32), a=A)
    at, count = np.minimum(B & 255, 32).astype(np.uint64), np.minimum(C & 255, 32).astype(np.uint64)
    asm = '([&] { u32 r; asm("bfe.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); return r; }())'
    want = (A.astype(np.uint64) >> at) & ((np.uint64(1) << count) - np.uint64(1))
    check(f"u32: {asm}", want.astype(np.uint32), a=A, b=B, c=C)


# ---- integers


@together
def test_sums_of_64_bits(check):
    for a, b in ((PAIR_A, PAIR_B), (PAIR_A, np.uint64(2**32) * (PAIR_B >> np.uint64(32))), (PAIR_A & np.uint64(3), PAIR_B)):
        check("u64: a + b", a + b, a=a, b=b)
        check("u64: a - b", a - b, a=a, b=b)  # with halves that are 0, which have to carry
        check("u64: a * b", a * b, a=a, b=b)
        for sign in ("<", "<=", ">", ">=", "==", "!="):
            check(f"u32: a {sign} b", eval(f"a {sign} b").astype(np.uint32), a=a, b=b)
            want = eval(f"a.view(np.int64) {sign} b.view(np.int64)").astype(np.uint32)
            check(f"u32: a {sign} b", want, a=a.view(np.int64), b=b.view(np.int64))


@together
def test_products(check):
    wide = A.astype(np.uint64) * B
    check("u32: a * b + c", A * B + C, a=A, b=B, c=C)
    check("u32: __umulhi(a, b)", (wide >> np.uint64(32)).astype(np.uint32), a=A, b=B)
    signed = SA.astype(np.int64) * SB
    check("int: __mulhi(a, b)", (signed >> 32).astype(np.int32), a=SA, b=SB)
    check("u64: (u64)a * b + c", wide + PAIR_A, a=A, b=B, c=PAIR_A)
    check("i64: (i64)a * b", signed, a=SA, b=SB)


@together
def test_quotients(check):
    check("u32: a / b", A // SOME, a=A, b=SOME)
    check("u32: a % b", A % SOME, a=A, b=SOME)
    fits = ~((SA == -(2**31)) & (SOME.view(np.int32) == -1))
    a, b = np.where(fits, SA, 5), SOME.view(np.int32)
    quotient = np.array([int(abs(int(x)) // abs(int(y))) * (1 if (x < 0) == (y < 0) else -1) for x, y in zip(a, b)], np.int32)
    check("int: a / b", quotient, a=a, b=b)
    check("u32: a / 7 + b % 1000", A // np.uint32(7) + B % np.uint32(1000), a=A, b=B)
    check("int: a / 13", np.array([int(abs(int(x)) // 13) * (1 if x >= 0 else -1) for x in a], np.int32), a=a)
    divisor = np.where(PAIR_B == 0, np.uint64(1), PAIR_B)
    check("u64: a / b", PAIR_A // divisor, a=PAIR_A, b=divisor)
    check("u64: a / b", PAIR_A // SOME, a=PAIR_A, b=SOME.astype(np.uint64))


@together
def test_the_lesser_and_the_greater(check):
    check("int: min(max(a, b), 17)", np.minimum(np.maximum(SA, SB), 17), a=SA, b=SB)
    check("u32: min(max(a, b), c)", np.minimum(np.maximum(A, B), C), a=A, b=B, c=C)
    check("int: min(a + b, 100)", np.minimum(SA + SB, 100), a=SA, b=SB)
    check("int: abs(a)", np.abs(SA), a=SA)
    halves = [v.view(np.uint16) for v in (A, B, C)]
    check("u32: __vminu2(a, b)", np.minimum(*halves[:2]).view(np.uint32), a=A, b=B)
    check("u32: __vmaxu2(a, b)", np.maximum(*halves[:2]).view(np.uint32), a=A, b=B)
    signed = [v.view(np.int16) for v in halves]
    check("u32: __vmins2(a, b)", np.minimum(*signed[:2]).view(np.uint32), a=A, b=B)
    same(
        each_thread("u32: __vimax3_u16x2(a, b, c)", a=A, b=B, c=C), np.maximum(np.maximum(*halves[:2]), halves[2]).view(np.uint32)
    )
    relu = np.maximum(np.minimum(signed[0] + signed[1], signed[2]), 0)
    check("u32: __viaddmin_s16x2_relu(a, b, c)", relu.view(np.uint32), a=A, b=B, c=C)
    check("u32: __vadd2(a, b)", (halves[0] + halves[1]).view(np.uint32), a=A, b=B)


@together
def test_dot_products(check):
    a, b = (v.view(np.uint8).reshape(-1, 4).astype(np.int64) for v in (A, B))
    check("u32: __dp4a(a, b, c)", ((a * b).sum(1) + C).astype(np.uint32), a=A, b=B, c=C)
    sa, sb = (v.view(np.int8).reshape(-1, 4).astype(np.int64) for v in (A, B))
    same(
        each_thread("int: __dp4a(a, b, c)", a=SA, b=SB, c=C.view(np.int32)),
        ((sa * sb).sum(1) + C).astype(np.uint32).view(np.int32),
    )
    halves = A.view(np.uint16).reshape(-1, 2).astype(np.int64)
    check("u32: __dp2a_lo(a, b, c)", ((halves * b[:, :2]).sum(1) + C).astype(np.uint32), a=A, b=B, c=C)
    check("u32: __dp2a_hi(a, b, c)", ((halves * b[:, 2:]).sum(1) + C).astype(np.uint32), a=A, b=B, c=C)
    check("u32: __vsadu4(a, b)", np.abs(a - b).sum(1).astype(np.uint32), a=A, b=B)
    check("u32: __vabsdiffu4(a, b)", np.abs(a - b).astype(np.uint8).view(np.uint32)[:, 0], a=A, b=B)
    check("u32: __usad(a, b, c)", np.where(A > B, A - B, B - A) + C, a=A, b=B, c=C)


@together
def test_modes_of_permuted_bytes(check):
    pool = np.stack([A, B], 1).view(np.uint8)
    n = (C & 3).astype(np.int64)
    step = np.arange(4)
    edge = {"ecl": np.maximum(step, n[:, None]), "ecr": np.minimum(step, n[:, None])}
    index = {
        "f4e": n[:, None] + step,
        "b4e": (n[:, None] - step) % 8,
        "rc8": n[:, None] + 0 * step,
        "rc16": (n[:, None] & 1) * 2 + step % 2,
        **edge,
    }
    for mode, at in index.items():
        want = np.take_along_axis(pool, at, 1).copy().view(np.uint32)[:, 0]
        check(f"u32: {asm(f'prmt.b32.{mode} %0, %1, %2, %3;', 'r a', 'r b', 'r c')}", want, a=A, b=B, c=C)


@together
def test_extracted_and_inserted_bits(check):
    at, count = (np.minimum(v & 255, 32).astype(np.int64) for v in (B, C))
    wide = A.astype(np.int64)
    field = (wide >> at) & ((1 << count) - 1)
    top = (wide >> np.clip(np.minimum(at + count - 1, 31), 0, 31)) & 1
    signed = np.where(count == 0, 0, field | np.where(top == 1, -1 << np.minimum(count, 32 - np.minimum(at, 32)), 0))
    signed = np.where((at >= 32) & (count > 0), -(wide >> 31 & 1), signed)
    check(f"u32: {asm('bfe.s32 %0, %1, %2, %3;', 'r a', 'r b', 'r c')}", signed.astype(np.uint32), a=A, b=B, c=C)
    mask = ((1 << count) - 1) << at & 0xFFFFFFFF
    inserted = (np.roll(A, 5) & ~mask) | (wide << at & mask)
    given = asm("bfi.b32 %0, %1, %2, %3, %4;", "r a", "r d", "r b", "r c")
    check(f"u32: {given}", inserted.astype(np.uint32), a=A, b=B, c=C, d=np.roll(A, 5))

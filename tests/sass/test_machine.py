"""The simulator's threads, memory and counts: what is counted is known by hand here, what faults would fault on a GPU."""

from __future__ import annotations

import numpy as np
import pytest

from sass import Fault, Machine, Memory, Unknown, missing
from sass.counts import wavefronts
from sass.cubin import Cubin, Instruction
from sass.small import compiled, launch

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
pytest.importorskip("cupy")


def of(machine, *names) -> dict[str, int]:
    """What was counted, summed over the instructions of these names."""
    chosen = np.array([ins.name in names for ins in machine.cubin.instructions])
    return {name: int(getattr(machine.counts, name)[chosen].sum()) for name in machine.counts.NAMES}


# ---- branches


def test_threads_of_a_warp_come_together_behind_a_branch():
    out = np.zeros(128, np.uint32)
    body = """
      u32 x = t;
      if (t & 1) { for (u32 i = 0; i < t; ++i) x = x * 3 + i; } else { for (u32 i = 0; i < t / 2; ++i) x ^= x << 3 | i; }
      out[t] = x;"""
    machine = launch("u32* out", body, out, threads=128)
    want = []
    for t in range(128):
        x = t
        for i in range(t if t & 1 else t // 2):
            x = (x * 3 + i if t & 1 else x ^ (x << 3 | i)) & 0xFFFFFFFF
        want.append(x)
    assert out.tolist() == want
    assert of(machine, "STG", "ST")["issued"] == 4  # once for each warp
    assert machine.counts.issued.sum() > 4 * 128  # the longest loop of each warp


def test_both_sides_of_a_branch_are_issued_where_a_warp_is_divided():
    out = np.zeros(128, np.float32)
    body = """
      float x = t;
      if (t %s) { for (u32 i = 0; i < n; ++i) asm volatile("ex2.approx.ftz.f32 %%0, %%0;" : "+f"(x)); }
      else { for (u32 i = 0; i < n; ++i) asm volatile("lg2.approx.ftz.f32 %%0, %%0;" : "+f"(x)); }
      out[t] = x;"""
    for condition, each in (("< 64", 4), ("< 40", 5), ("& 1", 8)):
        machine = launch("float* out, u32 n", body % condition, out, 3, threads=128)
        assert of(machine, "MUFU")["issued"] == 3 * each


def test_loops_that_are_left_early_and_returns():
    out = np.zeros(128, np.uint32)
    body = """
      if (t == 77) return;
      u32 n = 0;
      for (u32 i = 0; i < 50; ++i) { if (i * i > t) break; if ((i ^ t) & 1) continue; n += i; if (n > 40) return; }
      out[t] = n + 1;"""
    launch("u32* out", body, out, threads=64, blocks=2)
    want = np.zeros(128, np.uint32)
    for t in range(128):
        n = 0
        for i in range(50):
            if i * i > t:
                break
            if (i ^ t) & 1:
                continue
            n += i
            if n > 40:
                break
        want[t] = 0 if n > 40 or t == 77 else n + 1
    assert out.tolist() == want.tolist()


def test_tables_of_jumps():
    out = np.zeros(128, np.uint32)
    targets = "".join(f"L{i}: mad.lo.u32 %0, %1, {2 * i + 3}, {i}; bra END; " for i in range(8))
    table = "ts: .branchtargets " + ", ".join(f"L{i}" for i in range(8))
    body = f'u32 r; asm volatile("{{ {table}; brx.idx %2, ts; {targets} END: }}" : "=r"(r) : "r"(t), "r"(t * 5 & 7)); out[t] = r;'
    machine = launch("u32* out", body, out, threads=128)
    assert out.tolist() == [t * (2 * (t * 5 & 7) + 3) + (t * 5 & 7) for t in range(128)]
    assert of(machine, "BRX")["issued"] == 4
    assert of(machine, "STG", "ST")["issued"] == 4


def test_a_loop_without_end_is_noticed():
    with pytest.raises(Fault, match="without end"):
        launch("volatile u32* out", "while (out[0] == 0) {}", np.zeros(64, np.uint32), limit=1000)


# ---- warps and blocks


def test_lanes_pass_values():
    out = np.zeros((8, 64), np.uint32)
    body = """
      u32 x = t * 5 + 1;
      out[t] = __shfl_sync(~0u, x, 9); out[64 + t] = __shfl_up_sync(~0u, x, 3); out[128 + t] = __shfl_down_sync(~0u, x, 2, 8);
      out[192 + t] = __shfl_xor_sync(~0u, x, 21); out[256 + t] = __shfl_sync(~0u, x, t * 7);
      out[320 + t] = __ballot_sync(~0u, x % 3 == 0); out[384 + t] = __match_any_sync(~0u, x & 3);
      out[448 + t] = __any_sync(~0u, x == 6) | __all_sync(~0u, x > 100) << 1;"""
    launch("u32* out", body, out)
    t = np.arange(64)
    x, lane, first = t * 5 + 1, t % 32, t - t % 32
    want = [x[first + 9], x[np.where(lane >= 3, t - 3, t)], x[np.where(lane % 8 < 6, t + 2, t)], x[t ^ 21], x[first + t * 7 % 32]]
    want.append([sum(1 << k for k in range(32) if x[f + k] % 3 == 0) for f in first])
    want.append([sum(1 << k for k in range(32) if x[f + k] % 4 == x[i] % 4) for i, f in enumerate(first)])
    want.append(np.where(t < 32, 1, 2))
    np.testing.assert_array_equal(out, np.array(want, np.uint32))


def test_sums_of_a_warp():
    out, value = np.zeros((5, 64), np.uint32), np.random.default_rng(0).integers(0, 2**32, 64, np.uint32)
    body = """
      u32 x = in[t];
      out[t] = __reduce_add_sync(~0u, x); out[64 + t] = __reduce_min_sync(~0u, x); out[128 + t] = __reduce_max_sync(~0u, (int)x);
      out[192 + t] = __reduce_xor_sync(~0u, x); out[256 + t] = __reduce_and_sync(~0u, x | 5u);"""
    launch("u32* out, const u32* in", body, out, value)
    warps = value.reshape(2, 32)
    and_ = np.bitwise_and.reduce(warps | 5, axis=1)
    want = [
        warps.sum(1, dtype=np.uint32),
        warps.min(1),
        warps.view(np.int32).max(1).view(np.uint32),
        np.bitwise_xor.reduce(warps, axis=1),
        and_,
    ]
    np.testing.assert_array_equal(out, np.array(want).repeat(32, 1))


def test_a_divided_warp_votes_with_those_that_are_there():
    out = np.zeros(64, np.uint32)
    launch("u32* out", "if (t % 4 == 1) out[t] = __activemask();", out)
    assert out.tolist() == [0x22222222 if t % 4 == 1 else 0 for t in range(64)]


def test_a_shuffle_from_a_lane_that_is_elsewhere_is_a_fault():
    with pytest.raises(Fault, match="takes no part"):
        launch("u32* out", "u32 x = out[t]; if (t & 1) out[t] = __shfl_xor_sync(0xaaaaaaaa, x, 1);", np.zeros(64, np.uint32))


def test_a_block_waits_at_its_barriers():
    out = np.zeros((3, 256), np.uint32)
    body = """
      __shared__ u32 s[128];
      const u32 i = threadIdx.x;
      s[i] = t * 3;
      __syncthreads();
      u32 x = s[127 - i];
      __syncthreads();
      s[i ^ 5] = x;
      out[256 + t] = __syncthreads_count(i % 3 == 0); out[512 + t] = __syncthreads_or(t == 200);
      out[t] = s[i];"""
    launch("u32* out", body, out, threads=128, blocks=2)
    t = np.arange(256)
    first, i = t - t % 128, t % 128
    np.testing.assert_array_equal(out[0], 3 * (first + 127 - (i ^ 5)))
    assert (out[1] == 43).all()
    assert (out[2] == (t >= 128)).all()


def test_a_barrier_that_some_skip_for_ever():
    body = """
      __shared__ u32 s[64];
      s[threadIdx.x] = t;
      if (threadIdx.x < 32) __syncthreads(); else while (((volatile u32*)out)[0] == 0) {}
      out[t] = s[63 - threadIdx.x];"""
    with pytest.raises(Fault):
        launch("u32* out", body, np.zeros(64, np.uint32), limit=1000)


def test_threads_that_left_are_not_waited_for():
    out = np.zeros(64, np.uint32)
    launch("u32* out", "if (t % 2) return; __syncthreads(); out[t] = 1;", out)
    assert out.tolist() == [1 - t % 2 for t in range(64)]


def test_atomic_operations():
    rng = np.random.default_rng(0)
    value = rng.integers(0, 1000, 128).astype(np.uint32)
    out, total, order = np.zeros(16, np.uint32), np.zeros(4, np.uint32), np.zeros(128, np.uint32)
    floats = np.zeros(1, np.float32)
    body = """
      __shared__ u32 s[16]; __shared__ float f;
      if (t < 16) s[t] = 0;
      if (t == 0) f = 0;
      __syncthreads();
      u32 x = in[t];
      atomicAdd(&s[x & 3], 1u); atomicMax(&s[4], x); atomicMin((int*)&s[5], -(int)x); atomicOr(&s[6], x); atomicAdd(&s[7], x);
      atomicAdd(&f, (float)x); order[t] = atomicAdd(&s[8], 2u); atomicInc(&s[9], 99u);
      atomicAdd(&total[0], x); atomicMax(&total[1], x);
      __syncthreads();
      if (t < 16) out[t] = s[t];
      if (t == 0) *floats = f;"""
    launch("u32* out, u32* total, u32* order, const u32* in, float* floats", body, out, total, order, value, floats, threads=128)
    assert out[:4].tolist() == np.bincount(value & 3, minlength=4).tolist()
    assert out[4:8].tolist() == [value.max(), 2**32 - int(value.max()), np.bitwise_or.reduce(value), value.sum()]
    assert out[8:10].tolist() == [256, 28]
    assert sorted(order.tolist()) == list(range(0, 256, 2))
    assert total[:2].tolist() == [value.sum(), value.max()]
    assert floats[0] == value.sum()


def test_addresses_that_mean_shared_memory_or_not():
    out, more = np.zeros(64, np.uint32), np.arange(100, 164, dtype=np.uint32)
    body = """
      __shared__ u32 s[64];
      s[t] = t;
      __syncthreads();
      const u32* from = pick[t] & 1 ? s : pick;
      u32* to = t < 32 ? out : s;
      to[63 - t] = from[t ^ 1];
      __syncthreads();
      if (t >= 32) out[63 - t] = s[63 - t] + 1000;"""
    machine = launch("u32* out, const u32* pick", body, out, more)
    want = [(t ^ 1 if t & 1 else 100 + (t ^ 1)) for t in range(64)]
    want = [want[t] + (1000 if t >= 32 else 0) for t in range(64)]
    assert out[::-1].tolist() == want
    assert of(machine, "LD")["shared"] == of(machine, "LD")["requests"] == 2


# ---- what memory is asked for


@pytest.mark.parametrize(
    ("expression", "sectors", "lines"),
    [
        ("in[t]", 4, 1),
        ("in[2 * t]", 8, 2),
        ("in[t + 1]", 5, 2),
        ("in[31 - t % 32]", 4, 1),
        ("in[7]", 1, 1),
        ("in[t * 32]", 32, 32),
        ("((const u8*)in)[t]", 1, 1),
        ("((const u8*)in)[3 * t]", 3, 1),
        ("((const u16*)in)[t]", 2, 1),
        ("(u32)((const u64*)in)[t]", 8, 2),
        ("in[t % 2 * 1000]", 2, 2),
    ],
)
def test_sectors_and_lines_of_a_load(expression, sectors, lines):
    buffer, out = np.zeros(4096, np.uint32), np.zeros(32, np.uint32)
    start = -buffer.ctypes.data % 128 // 4
    machine = launch(
        "u32* out, volatile const u32* in",
        f"out[t] = {expression.replace('(const', '(volatile const')};",
        out,
        buffer[start:],
        threads=32,
    )
    got = of(machine, "LDG", "LD")
    assert (got["requests"], got["sectors"], got["lines"]) == (1, sectors, lines)


def test_only_lanes_that_load_are_counted():
    buffer, out = np.zeros(4096, np.uint32), np.zeros(64, np.uint32)
    start = -buffer.ctypes.data % 128 // 4
    machine = launch("u32* out, const u32* in", "if (t < 48 && t % 16 == 3) out[t] = in[t];", out, buffer[start:])
    got = of(machine, "LDG", "LD")
    assert (got["requests"], got["sectors"], got["lines"], got["bytes"]) == (2, 3, 2, 12)


def test_vectors_are_stored_whole():
    buffer = np.zeros(4096, np.uint32)
    start = -buffer.ctypes.data % 128 // 4
    body = 'asm volatile("st.global.v4.b32 [%0], {%1, %1, %1, %1};" :: "l"(out + 4 * t), "r"(t));'
    machine = launch("u32* out", body, buffer[start:])
    got = of(machine, "STG", "ST")
    assert (got["issued"], got["requests"], got["sectors"], got["lines"], got["bytes"]) == (2, 2, 32, 8, 1024)
    assert buffer[start : start + 256].tolist() == np.arange(64).repeat(4).tolist()


@pytest.mark.parametrize(("stride", "answers"), [(1, 1), (2, 2), (3, 1), (4, 4), (8, 8), (16, 16), (32, 32), (33, 1), (0, 1)])
def test_conflicts_of_banks(stride, answers):
    lanes = np.arange(32)
    assert wavefronts(lanes, 1024 + 4 * stride * lanes, 4) == answers
    out = np.zeros(32, np.uint32)
    body = f"__shared__ u32 s[1100]; s[t] = t; __syncthreads(); out[t] = ((volatile u32*)s)[{stride} * t];"
    machine = launch("u32* out", body, out, threads=32)
    got = of(machine, "LDS")
    assert (got["shared"], got["wavefronts"]) == (1, answers)


def test_conflicts_of_wide_accesses():
    lanes = np.arange(32)
    assert wavefronts(lanes, 8 * lanes, 8) == 2
    assert wavefronts(lanes, 16 * lanes, 16) == 4
    assert wavefronts(lanes, 0 * lanes, 16) == 1  # one address for all
    assert wavefronts(lanes, 16 * (lanes % 8), 16) == 1  # every quarter asks for the same
    assert wavefronts(lanes, 32 * lanes, 16) == 8
    assert wavefronts(lanes, lanes, 1) == 1  # 32 bytes are eight words
    assert wavefronts(lanes, 0 * lanes, 4, atomic=True) == 32
    two = np.arange(64)
    assert wavefronts(two, 4 * (two % 32), 4) == 2  # warps do not share an answer


def test_arrays_that_a_kernel_brings_along():
    """They lie in memory whose address a driver puts into constant bank 4; __constant__ ones are bank 3."""
    out = np.zeros(128, np.float32)
    launch(
        "float* out",
        "out[t] = table[t % 8] + 10 * fixed[t % 4] + more[t % 3];",
        out,
        threads=128,
        before="__device__ float table[8] = {1, 2, 3, 4, 5, 6, 7, 8}; __constant__ float fixed[4] = {4, 3, 2, 1};"
        "__device__ const double more[3] = {0.5, 0.25, 0};",
    )
    t = np.arange(128)
    assert out.tolist() == (t % 8 + 1 + 10 * (4 - t % 4) + np.array([0.5, 0.25, 0])[t % 3]).tolist()


# ---- faults


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("((u64*)(out + 1))[t] = 1;", "store of 8 bytes at 0x[0-9a-f]+, which is no multiple of 8"),
        ("out[0] = *(volatile u32*)((u8*)out + t);", "load of 4 bytes at .* no multiple of 4"),
        ("out[t + 1] = t;", "store of 4 bytes at .*, 256 bytes into an allocation of 256"),
        ("out[(int)t - 1] = t;", "store of 4 bytes"),
        ("out[t] = out[t + 64];", "load of 4 bytes at .*, 256 bytes into an allocation of 256"),
        (
            "extern __shared__ u32 s[]; s[t + 1] = t; __syncthreads(); out[t] = s[t];",
            "store of 4 bytes at 256 of 256 bytes of shared memory",
        ),
        ("out[t] = *(volatile u32*)(u64)(4096 + 4 * t);", "load of 4 bytes at 0x1000, before the first"),
    ],
)
def test_accesses_that_a_gpu_would_stop_for(body, message):
    buffer = np.zeros(64 + 64, np.uint32)
    start = -buffer.ctypes.data % 128 // 4 % 32
    with pytest.raises(Fault, match=message) as raised:
        launch("u32* out", body, buffer[start : start + 64], shared=256)
    assert "/*0" in str(raised.value), "the instruction is named"


# ---- what is not known


def changed(**to):
    cubin = compiled("u32* out", "out[t] = t + 3;")
    fresh = object.__new__(Cubin)
    fresh.__dict__.update(cubin.__dict__)
    fresh.instructions = [ins._replace(**to) if ins.name in ("STG", "ST") else ins for ins in cubin.instructions]
    return fresh


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ({"name": "FROB"}, r"does not know FROB: /\*00[0-9a-f]+\*/ FROB"),
        ({"mods": ("E", "SIDEWAYS")}, r"does not know \.SIDEWAYS of /\*00"),
        ({"operands": ("[R2.64+X7]", "R3")}, "its address"),
        ({"operands": ("[R2.64]", "Q3")}, "its operand Q3"),
    ],
)
def test_what_it_does_not_know_is_named(to, message):
    out = np.zeros(64, np.uint32)
    memory = Memory()
    memory.add(out)
    with pytest.raises(Unknown, match=message):
        Machine(changed(**to), [(0, 0, 0)], 64, (1, 1, 1), [out.ctypes.data], memory).run()


def test_an_instruction_reads_as_it_was_written():
    assert (
        str(Instruction(0, 0x40, "!P0", "LDG", ("E", "64"), ("R2", "desc[UR4][R8.64]")))
        == "/*0040*/ @!P0 LDG.E.64 R2, desc[UR4][R8.64]"
    )

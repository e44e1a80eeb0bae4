// words.cuh: what a GPU does with several small elements at once: bytes of any address as words, floats as packed words, stores of
// words. Nothing here knows of pixels.
#pragma once
#include "types.cuh"
namespace aug {

// Four bytes of the eight of a (first) and b, each by its number in four bits of the selector. (__byte_perm is this, less the bit
// that repeats a sign, which it masks out with another instruction wherever the selector is no constant.)
AUG u32 permuted(u32 a, u32 b, u32 selector) {
#if defined(__CUDACC_RTC__)
  u32 r;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(selector));
  return r;
#else
  return __byte_perm(a, b, selector);
#endif
}

// byte k of a word as a float: 2^23 + byte has the byte for its last bits
AUG float byte_float(u32 word, int k) { return unbits(permuted(word, 0x4b000000u, 0x7440u + k)) - 8388608.0f; }

// p / w and what is left of p, for p >= 0, w > 0. Up to 2^22 the first estimate is off by one at most: a float holds p, and the
// reciprocal and the product are off by 2^-23 each; beyond, what is left is divided again.
template <bool SMALL = false> AUG int divided(int p, int w, int& left) {
  const float inverse = reciprocal((float)w);
  int q = (int)((float)p * inverse);
  left = p - q * w;
  if (!SMALL && p >= 1 << 22) {
    const int more = (int)((float)left * inverse);
    q += more;
    left -= more * w;
  }
  if (left < 0) {
    --q;
    left += w;
  }
  if (left >= w) {
    ++q;
    left -= w;
  }
  return q;
}

// base + a * b elements, in one instruction: left alone, the compiler adds offsets of 32 bits first and extends their sum
template <class T> AUG const T* ahead(const T* base, int a, int b) {
#if defined(__CUDACC_RTC__)
  if constexpr (sizeof(T) == 1) {
    u64 r;
    asm("mad.wide.s32 %0, %1, %2, %3;" : "=l"(r) : "r"(a), "r"(b), "l"((u64)base));
    return (const T*)r;
  }
#endif
  return base + (i64)a * b;
}

// W words of 4 bytes from any address: aligned words, shifted together. No word is read that holds none of the bytes asked for, so
// that nothing outside of an allocation is touched, which begins and ends at multiples of 4.
template <int W> AUG void read_words(const void* p, u32* out) {
  const u32 shift = ((u32)(u64)p & 3u) * 8u;
  const u32* q = (const u32*)((u64)p & ~(u64)3);
  u32 a = ld(q);
  AUG_UNROLL for (int j = 0; j < W; ++j) {
    const u32 b = j + 1 < W || shift ? ld(q + j + 1) : 0u;
    out[j] = __funnelshift_r(a, b, shift);
    a = b;
  }
}
// .. and from an aligned one
template <int W> AUG void read_aligned(const u32* p, u32* out) {
  if (W % 4 == 0 && ((u64)p & 15) == 0) {
    AUG_UNROLL for (int j = 0; j + 3 < W; j += 4) {
      const uint4 four = __ldg((const uint4*)(p + j));
      out[j] = four.x;
      out[j + 1] = four.y;
      out[j + 2] = four.z;
      out[j + 3] = four.w;
    }
  } else {
    AUG_UNROLL for (int j = 0; j < W; ++j)
      out[j] = ld(p + j);
  }
}

// N elements that follow each other, as floats; N is a multiple of 4
template <int N> AUG void read_run(const u8* p, float* v) {
  u32 w[N / 4];
  read_words<N / 4>(p, w);
  AUG_UNROLL for (int i = 0; i < N; ++i)
    v[i] = byte_float(w[i / 4], i % 4);
}
template <int N, class T> AUG void read_run(const T* p, float* v) {
  if constexpr (sizeof(T) == 2) {
    u32 w[N / 2];
    read_words<N / 2>(p, w);
    AUG_UNROLL for (int i = 0; i < N; ++i)
      v[i] = get(T{(u16)(w[i / 2] >> (16 * (i % 2)))});
  } else {
    u32 w[N];
    read_aligned<N>((const u32*)p, w);
    AUG_UNROLL for (int i = 0; i < N; ++i)
      v[i] = unbits(w[i]);
  }
}

// 4 / sizeof(T) floats in one word, the first in its low bits
AUG u32 packed(const float* v, const u8*) {
  u32 b[4];
  AUG_UNROLL for (int i = 0; i < 4; ++i)
    b[i] = (u32)clamp_((int)bits(v[i] + 12582912.0f), 0x4b400000, 0x4b4000ff);  // as to_u8
  return permuted(permuted(b[0], b[1], 0x0040u), permuted(b[2], b[3], 0x0040u), 0x5410u);
}
AUG u32 packed(const float* v, const f16*) {
#if defined(__CUDACC_RTC__) && __CUDA_ARCH__ >= 800
  u32 r;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(v[1]), "f"(v[0]));
  return r;
#else
  return (u32)half_bits(v[1]) << 16 | half_bits(v[0]);
#endif
}
AUG u32 packed(const float* v, const bf16*) {
#if defined(__CUDACC_RTC__) && __CUDA_ARCH__ >= 800
  u32 r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(v[1]), "f"(v[0]));
  return r;
#else
  return (u32)bhalf_bits(v[1]) << 16 | bhalf_bits(v[0]);
#endif
}
AUG u32 packed(const float* v, const float*) { return bits(v[0]); }
AUG u32 packed(const float* v, const i32*) { return bits(v[0]); }

// Stores to global memory, which no launch reads back. Addresses come from integers, so that the compiler would take them for any kind
// of memory.
template <int W> AUG void write_words(void* p, const u32* w) {
#if defined(__CUDACC_RTC__)
  if constexpr (W == 1) asm volatile("st.global.u32 [%0], %1;" ::"l"(p), "r"(w[0]));
  else if constexpr (W == 2) asm volatile("st.global.v2.u32 [%0], {%1, %2};" ::"l"(p), "r"(w[0]), "r"(w[1]));
  else asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(p), "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3]));
#else
  for (int i = 0; i < W; ++i) ((u32*)p)[i] = w[i];
#endif
}
template <class T> AUG void write_one(T* p, float v) {
#if defined(__CUDACC_RTC__)
  if constexpr (sizeof(T) == 1) asm volatile("st.global.u8 [%0], %1;" ::"l"(p), "r"((u32)to_u8(v)));
  else if constexpr (sizeof(T) == 2) {
    T t;
    put(&t, v);
    asm volatile("st.global.u16 [%0], %1;" ::"l"(p), "h"(t.bits));
  } else asm volatile("st.global.f32 [%0], %1;" ::"l"(p), "f"(v));
#else
  put(p, v);
#endif
}

// how many words a store of W may take at once
constexpr int vector_of(int W) { return W % 4 == 0 ? 4 : W % 2 == 0 ? 2 : 1; }
// may N elements of type T be written at this address (and those that many bytes apart) as words?
template <class T, int N> AUG bool is_aligned(const void* p, i64 apart) {
  constexpr u64 mask = 4 * vector_of(N * (int)sizeof(T) / 4) - 1;
  return (((u64)p | (u64)apart) & mask) == 0;
}
// N elements that follow each other, at an address that is_aligned
template <int N, class T> AUG void write_run(T* p, const float* v) {
  constexpr int E = 4 / sizeof(T), W = N / E, V = vector_of(W);
  u32 w[W];
  AUG_UNROLL for (int i = 0; i < W; ++i)
    w[i] = packed(v + E * i, (const T*)0);
  AUG_UNROLL for (int i = 0; i < W; i += V)
    write_words<V>((u32*)p + i, w + i);
}

// CH words of four bytes of a channel each: of four pixels
template <int CH> AUG void interleave(u32* w) {
  if constexpr (CH == 3) {  // a0 b0 c0 a1, b1 c1 a2 b2, c2 a3 b3 c3
    const u32 c = w[2], low = permuted(w[0], w[1], 0x5140u), high = permuted(w[0], w[1], 0x7362u);
    w[0] = permuted(low, c, 0x2410u);
    w[1] = permuted(permuted(low, c, 0x0053u), high, 0x5410u);
    w[2] = permuted(high, c, 0x7326u);
  } else if constexpr (CH == 4) {
    const u32 ab = permuted(w[0], w[1], 0x5140u), cd = permuted(w[2], w[3], 0x5140u);
    const u32 AB = permuted(w[0], w[1], 0x7362u), CD = permuted(w[2], w[3], 0x7362u);
    w[0] = permuted(ab, cd, 0x5410u);
    w[1] = permuted(ab, cd, 0x7632u);
    w[2] = permuted(AB, CD, 0x5410u);
    w[3] = permuted(AB, CD, 0x7632u);
  }
}

// ... and back
template <int CH> AUG void separate(u32* w) {
  if constexpr (CH == 3) {
    const u32 a = w[0], b = w[1], c = w[2];
    w[0] = permuted(permuted(a, b, 0x0630u), c, 0x5210u);  // bytes 0 3 6 9
    w[1] = permuted(permuted(a, b, 0x0741u), c, 0x6210u);  // 1 4 7 10
    w[2] = permuted(permuted(a, b, 0x0052u), c, 0x7410u);  // 2 5 8 11
  } else if constexpr (CH == 4) {
    interleave<4>(w);  // four by four either way
  }
}

// the lesser, the greater of two numbers of 16 bits each
AUG u32 least2(u32 a, u32 b) {
#if defined(__CUDACC_RTC__) && __CUDA_ARCH__ >= 900
  u32 r;
  asm("min.u16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
#else
  return __vminu2(a, b);
#endif
}
AUG u32 greatest2(u32 a, u32 b) {
#if defined(__CUDACC_RTC__) && __CUDA_ARCH__ >= 900
  u32 r;
  asm("max.u16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
#else
  return __vmaxu2(a, b);
#endif
}

// of a warp's 32 lanes, for all of them
AUG u32 warp_sum(u32 v) {
#if defined(__CUDACC_RTC__) && __CUDA_ARCH__ >= 800
  return __reduce_add_sync(~0u, v);
#else
  for (int step = 16; step; step /= 2) v += __shfl_xor_sync(~0u, v, step);
  return v;
#endif
}
AUG u32 warp_max(u32 v) {
#if defined(__CUDACC_RTC__) && __CUDA_ARCH__ >= 800
  return __reduce_max_sync(~0u, v);
#else
  for (int step = 16; step; step /= 2) {
    const u32 other = __shfl_xor_sync(~0u, v, step);
    v = v < other ? other : v;
  }
  return v;
#endif
}

}  // namespace aug

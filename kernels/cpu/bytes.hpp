// bytes.hpp: moving elements as they lie, by their size alone; and tables of 256 bytes. Nothing here knows an element's type.
#pragma once
#include <cstring>
#if defined(__SSE2__)
#include <immintrin.h>
#endif
#include "lang.cuh"
#include "wide.hpp"
namespace aug {

typedef u8 Bytes16 __attribute__((vector_size(16)));
typedef u8 Bytes32 __attribute__((vector_size(32)));

// P bytes: what moves as one: a pixel, or an element of a plane. P = 0: as many as `size` says.
template <int P> AUG void copy_one(u8* to, const u8* from, int size) {
  if constexpr (P == 0) std::memcpy(to, from, size);
  else std::memcpy(to, from, P);
}

// As memcpy, without its call and its choice of a way: for a line of 672 bytes these took a third of the time.
template <class V> AUG void copy_vector(u8* to, const u8* from) {
  V v;
  std::memcpy(&v, from, sizeof v);
  std::memcpy(to, &v, sizeof v);
}
template <class V> AUG void copy_vectors(u8* to, const u8* from, i64 n) {
  const i64 last = n - (i64)sizeof(V);  // overlaps the one before it
  for (i64 i = 0; i < last; i += sizeof(V)) copy_vector<V>(to + i, from + i);
  copy_vector<V>(to + last, from + last);
}
AUG void copy_bytes(u8* to, const u8* from, i64 n) {
  if (n < 16 || n > 4096) std::memcpy(to, from, n);
  else if (n < 32) copy_vectors<Bytes16>(to, from, n);
  else copy_vectors<Bytes32>(to, from, n);
}

// As memcpy, past the caches: what is too large to stay in them costs no reading of the lines that are overwritten. What is left and
// right of whole lines of the cache goes the usual way.
#if defined(__SSE2__)
AUG void stream_line(u8* to, const u8* from) {
#if defined(__AVX512F__)
  _mm512_stream_si512((__m512i*)to, _mm512_loadu_si512(from));
#elif defined(__AVX__)
  for (int i = 0; i < 64; i += 32) _mm256_stream_si256((__m256i*)(to + i), _mm256_loadu_si256((const __m256i*)(from + i)));
#else
  for (int i = 0; i < 64; i += 16) _mm_stream_si128((__m128i*)(to + i), _mm_loadu_si128((const __m128i*)(from + i)));
#endif
}
AUG void copy_past(u8* to, const u8* from, i64 n) {
  const i64 left = -(i64)to & 63;
  if (n < left + 64) return copy_bytes(to, from, n);
  if (left) copy_bytes(to, from, left);
  i64 i = left;
  for (; i + 64 <= n; i += 64) stream_line(to + i, from + i);
  if (i < n) copy_bytes(to + i, from + i, n - i);
}
AUG void fence_past() { _mm_sfence(); }
#else
AUG void copy_past(u8* to, const u8* from, i64 n) { copy_bytes(to, from, n); }
AUG void fence_past() {}
#endif

// The lane of a reversed vector's byte i: whole pixels of P bytes from its end; the bytes behind the last are of no use.
template <int P> constexpr int mirrored_lane(int i) {
  constexpr int whole = 16 / P * P;
  return i < whole ? 16 - (i / P + 1) * P + i % P : 0;
}
template <int P> AUG Bytes16 mirrored(Bytes16 v) {
#define AUG_LANE(i) mirrored_lane<P>(i)
#define AUG_LANES                                                                                                      \
  AUG_LANE(0), AUG_LANE(1), AUG_LANE(2), AUG_LANE(3), AUG_LANE(4), AUG_LANE(5), AUG_LANE(6), AUG_LANE(7), AUG_LANE(8), \
      AUG_LANE(9), AUG_LANE(10), AUG_LANE(11), AUG_LANE(12), AUG_LANE(13), AUG_LANE(14), AUG_LANE(15)
#if defined(__clang__)
  return __builtin_shufflevector(v, v, AUG_LANES);
#else
  return __builtin_shuffle(v, Bytes16{AUG_LANES});
#endif
#undef AUG_LANES
#undef AUG_LANE
}

// n things of P bytes that lie `step` bytes apart, one behind the other
template <int P> AUG void copy_line(u8* to, const u8* from, i64 step, int n, int size) {
  if (step == size) {
    copy_bytes(to, from, (i64)n * size);
    return;
  }
#if defined(__AVX2__)
  if constexpr (P > 0 && (16 % P == 0 || 12 % P == 0)) {
    if (step == -size && (i64)n * P >= Wide::VECTOR) return mirror_wide<P>(from - (i64)(n - 1) * P, to, (i64)n * P);
  }
#endif
  int i = 0;
  if constexpr (P > 0 && P <= 8) {
    constexpr int whole = 16 / P;  // things in a vector, which is written whole: the next covers what it wrote too much
    if (step == -size) {
      for (; (i64)(n - i) * P >= 16; i += whole) {
        Bytes16 v;
        std::memcpy(&v, from + P - 16 - (i64)i * P, 16);
        v = mirrored<P>(v);
        std::memcpy(to + (i64)i * P, &v, 16);
      }
    }
    if (step == 0 && n > 0) {
      if constexpr (P == 1) {
        std::memset(to, *from, n);
        return;
      } else {
        u8 pixels[whole * P + 16] = {};
        for (int k = 0; k < whole; ++k) copy_one<P>(pixels + k * P, from, size);
        for (; (i64)(n - i) * P >= 16; i += whole) std::memcpy(to + (i64)i * P, pixels, 16);
      }
    }
  }
  if constexpr (P == 3) {
    if (step >= 3 || step <= -3) {
      // Three bytes as a word, where what lies behind them is read or written after or before: not at the end, nor of the source.
      const int first = step < 0 ? i + 1 : i;
      if (i < n && step < 0) copy_one<3>(to + 3 * i, from + i * step, 3);
      for (i = first; i < n - 1; ++i) {
        u32 pixel;
        std::memcpy(&pixel, from + i * step, 4);
        __asm__("" : "+r"(pixel));  // stays a scalar: vectors by insertion take twice the time
        std::memcpy(to + 3 * i, &pixel, 4);
      }
    }
  }
  for (; i < n; ++i) copy_one<P>(to + (i64)i * size, from + i * step, size);
}

// f(Bytes<P>()) for things of that size
template <int P> struct Size {
  static constexpr int bytes = P;
};
template <class F> AUG void by_size(int size, F f) {
  switch (size) {
    case 1: return f(Size<1>());
    case 2: return f(Size<2>());
    case 3: return f(Size<3>());
    case 4: return f(Size<4>());
    case 6: return f(Size<6>());
    case 8: return f(Size<8>());
    case 12: return f(Size<12>());
    case 16: return f(Size<16>());
    default: return f(Size<0>());
  }
}

// table.cpp: to[i] = table[from[i]]; to may be from
void through_table(u8* to, const u8* from, i64 n, const u8* table);

}  // namespace aug

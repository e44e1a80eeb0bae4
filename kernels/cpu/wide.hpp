// wide.hpp: pixels of three bytes in vectors as wide as the processor's: four of them to each lane of 16 bytes, within which bytes
// are picked. GCC takes a shuffle of single bytes across lanes apart, so these are intrinsics (`maskz`: what is not masked warns of
// its own undefined operand in GCC 12); without AVX2 there are none.
#pragma once
#include "lang.cuh"
#if defined(__AVX2__)
#include <immintrin.h>
namespace aug {

#if defined(__AVX512BW__)
struct Wide {
  enum { PIXELS = 16, BYTES = 48, VECTOR = 64 };
  __m512i v;

  // of VECTOR bytes the first BYTES, or the last, four pixels to a lane; the lanes in their order, or from the last to the first
  template <bool LAST = false, bool BACK = false> static Wide spread(const u8* from) {
    constexpr int k = LAST ? 4 : 0, a = BACK ? 9 : 0, b = BACK ? 6 : 3, c = BACK ? 3 : 6, d = BACK ? 0 : 9;
    const __m512i lanes = _mm512_add_epi32(
        _mm512_setr_epi32(a, a + 1, a + 2, a, b, b + 1, b + 2, b, c, c + 1, c + 2, c, d, d + 1, d + 2, d), _mm512_set1_epi32(k));
    return {_mm512_maskz_permutexvar_epi32(0xffff, lanes, _mm512_loadu_si512(from))};
  }
  // one byte to a pixel
  static Wide bytes(const u8* from) { return {_mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128((const __m128i*)from))}; }
  static Wide whole(const u8* from) { return {_mm512_loadu_si512(from)}; }
  // in each lane; negative: 0
  Wide pick(__m128i of) const { return {_mm512_shuffle_epi8(v, _mm512_maskz_broadcast_i32x4(0xffff, of))}; }
  Wide turned() const { return {_mm512_maskz_shuffle_i64x2(0xff, v, v, 0x1b)}; }  // lanes from the last to the first
  // pairs of 16 bits, each times its factor, added up
  Wide pairs(int low, int high) const { return {_mm512_madd_epi16(v, _mm512_set1_epi32(low | high << 16))}; }
  Wide operator+(Wide o) const { return {_mm512_add_epi32(v, o.v)}; }
  Wide plus(int k) const { return {_mm512_add_epi32(v, _mm512_set1_epi32(k))}; }
  template <int N> Wide shifted() const { return {_mm512_maskz_srli_epi32(0xffff, v, N)}; }
  template <int N> Wide raised() const { return {_mm512_maskz_slli_epi32(0xffff, v, N)}; }
  Wide at_most(int k) const { return {_mm512_maskz_min_epi32(0xffff, v, _mm512_set1_epi32(k))}; }
  Wide operator|(Wide o) const { return {_mm512_or_si512(v, o.v)}; }
  void store(u8* to) const { _mm512_storeu_si512(to, v); }
  void stream(u8* to) const { _mm512_stream_si512((__m512i*)to, v); }  // past the caches; to is aligned
  // the first 12 bytes of each lane, side by side: BYTES of VECTOR that are written
  void close(u8* to) const { _mm512_storeu_si512(to, closed()); }
  void close_exact(u8* to) const {
    _mm256_storeu_si256((__m256i*)to, _mm512_maskz_extracti64x4_epi64(0xf, closed(), 0));
    _mm_storeu_si128((__m128i*)(to + 32), _mm512_maskz_extracti32x4_epi32(0xf, closed(), 2));
  }
  __m512i closed() const {
    return _mm512_maskz_permutexvar_epi32(0xffff, _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0), v);
  }
  // of each lane words 0, 1, 2 to three places
  void part(u8* a, u8* b, u8* c) const {
    const __m512i lanes = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i parted = _mm512_maskz_permutexvar_epi32(0xffff, lanes, v);
    _mm_storeu_si128((__m128i*)a, _mm512_maskz_extracti32x4_epi32(0xf, parted, 0));
    _mm_storeu_si128((__m128i*)b, _mm512_maskz_extracti32x4_epi32(0xf, parted, 1));
    _mm_storeu_si128((__m128i*)c, _mm512_maskz_extracti32x4_epi32(0xf, parted, 2));
  }
  // the first byte of each pixel
  void close_bytes(u8* to) const { _mm_storeu_si128((__m128i*)to, _mm512_maskz_cvtepi32_epi8(0xffff, v)); }
};
#else
struct Wide {
  enum { PIXELS = 8, BYTES = 24, VECTOR = 32 };
  __m256i v;

  template <bool LAST = false, bool BACK = false> static Wide spread(const u8* from) {
    constexpr int k = LAST ? 2 : 0, a = k + (BACK ? 3 : 0), b = k + (BACK ? 0 : 3);
    const __m256i lanes = _mm256_setr_epi32(a, a + 1, a + 2, a, b, b + 1, b + 2, b);
    return {_mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i*)from), lanes)};
  }
  static Wide bytes(const u8* from) { return {_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)from))}; }
  static Wide whole(const u8* from) { return {_mm256_loadu_si256((const __m256i*)from)}; }
  // in each lane; negative: 0
  Wide pick(__m128i of) const { return {_mm256_shuffle_epi8(v, _mm256_broadcastsi128_si256(of))}; }
  Wide turned() const { return {_mm256_permute4x64_epi64(v, 0x4e)}; }
  Wide pairs(int low, int high) const { return {_mm256_madd_epi16(v, _mm256_set1_epi32(low | high << 16))}; }
  Wide operator+(Wide o) const { return {_mm256_add_epi32(v, o.v)}; }
  Wide plus(int k) const { return {_mm256_add_epi32(v, _mm256_set1_epi32(k))}; }
  template <int N> Wide shifted() const { return {_mm256_srli_epi32(v, N)}; }
  template <int N> Wide raised() const { return {_mm256_slli_epi32(v, N)}; }
  Wide at_most(int k) const { return {_mm256_min_epi32(v, _mm256_set1_epi32(k))}; }
  Wide operator|(Wide o) const { return {_mm256_or_si256(v, o.v)}; }
  void store(u8* to) const { _mm256_storeu_si256((__m256i*)to, v); }
  void stream(u8* to) const { _mm256_stream_si256((__m256i*)to, v); }
  void close(u8* to) const { _mm256_storeu_si256((__m256i*)to, closed()); }
  void close_exact(u8* to) const {
    _mm_storeu_si128((__m128i*)to, _mm256_castsi256_si128(closed()));
    _mm_storel_epi64((__m128i*)(to + 16), _mm256_extracti128_si256(closed(), 1));
  }
  __m256i closed() const { return _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 0, 0)); }
  void part(u8* a, u8* b, u8* c) const {
    const __m256i parted = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    const __m128i low = _mm256_castsi256_si128(parted);
    _mm_storel_epi64((__m128i*)a, low);
    _mm_storel_epi64((__m128i*)b, _mm_unpackhi_epi64(low, low));
    _mm_storel_epi64((__m128i*)c, _mm256_extracti128_si256(parted, 1));
  }
  void close_bytes(u8* to) const {
    const __m256i four = _mm256_shuffle_epi8(v, _mm256_set1_epi32(0x0c080400));
    _mm_storel_epi64((__m128i*)to,
                     _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(four, _mm256_setr_epi32(0, 4, 0, 0, 0, 0, 0, 0))));
  }
};
#endif

// f(Wide) of each PIXELS pixels of three bytes, n >= VECTOR bytes of them; to is not from
template <class F> AUG void each_wide(const u8* from, u8* to, i64 n, F f) {
  i64 at = 0;
  for (; at + Wide::VECTOR <= n; at += Wide::BYTES) f(Wide::spread(from + at)).close(to + at);
  for (; at < n; at += Wide::BYTES) {  // nothing beyond the end is read or written: the last overlaps the one before it
    const i64 k = at < n - Wide::BYTES ? at : n - Wide::BYTES;
    f(Wide::spread<true>(from + k + Wide::BYTES - Wide::VECTOR)).close_exact(to + k);
  }
}

// n >= VECTOR pixels of three bytes to three planes; BACK: from their end
template <bool BACK> AUG void split_wide(const u8* from, u8* const* to, i64 n) {
  constexpr int SLACK = Wide::VECTOR - Wide::BYTES, P = Wide::PIXELS;
  const __m128i of = BACK ? _mm_setr_epi8(9, 6, 3, 0, 10, 7, 4, 1, 11, 8, 5, 2, -1, -1, -1, -1)
                          : _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1);
  for (i64 x = 0; x < n; x += P) {  // the last overlaps the one before it
    const i64 k = x < n - P ? x : n - P, at = 3 * (BACK ? n - P - k : k);
    const Wide v = at >= SLACK ? Wide::spread<true, BACK>(from + at - SLACK) : Wide::spread<false, BACK>(from + at);
    v.pick(of).part(to[0] + k, to[1] + k, to[2] + k);
  }
}

// what lies in a lane from its end: whole things of P bytes, of which 16 / P (or 12 / P) fit
template <int P> AUG __m128i mirrored_lane_of() {
  constexpr int whole = 16 % P ? 12 : 16;
  alignas(16) signed char of[16];
  for (int i = 0; i < 16; ++i) of[i] = (signed char)(i < whole ? whole - (i / P + 1) * P + i % P : -1);
  return _mm_load_si128((const __m128i*)of);
}
// n >= VECTOR bytes of things of P bytes, a divisor of 12 or 16, from their end; to is not from
template <int P> AUG void mirror_wide(const u8* from, u8* to, i64 n) {
  const __m128i of = mirrored_lane_of<P>();
  i64 at = 0;
  if constexpr (16 % P == 0) {
    for (; at < n; at += Wide::VECTOR) {
      const i64 k = at < n - Wide::VECTOR ? at : n - Wide::VECTOR;
      Wide::whole(from + n - k - Wide::VECTOR).pick(of).turned().store(to + k);
    }
  } else {
    for (; at + Wide::VECTOR <= n; at += Wide::BYTES)
      Wide::spread<true, true>(from + n - at - Wide::VECTOR).pick(of).close(to + at);
    for (; at < n; at += Wide::BYTES) {
      const i64 k = at < n - Wide::BYTES ? at : n - Wide::BYTES;
      Wide::spread<false, true>(from + n - k - Wide::BYTES).pick(of).close_exact(to + k);
    }
  }
}

}  // namespace aug
#endif

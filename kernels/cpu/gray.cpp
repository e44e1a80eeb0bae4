// gray.cpp: bytes from colour to gray and back: what a fused launch would do with them (op_gray of op_color.cuh, a view whose channel
// stride is 0), without the way through floats.
#include <algorithm>
#include "ops.gen.cuh"
#include "parts.hpp"
#include "wide.hpp"
namespace aug {

namespace {

bool is_gray(const Launch& l, const Row& s) {
  if (s.n_ops != 1 || l.ops[s.ops].code != OP_GRAY) return false;
  const GrayOp& p = *(const GrayOp*)l.ops[s.ops].p;
  return p.method == 0 && p.whole && s.sx == 3 && s.sc == 1;
}

bool only_gray(const Launch& l, const Row& s) {
  const int* f = s.frame;
  const bool straight = f[0] == 1 && f[4] == 1 && !f[1] && !f[2] && !f[3] && !f[5];
  const bool out = (s.dx == 3 && s.dc == 1) || (s.dx == 1 && s.dc == 0);
  if (s.map != MAP_VIEW || !straight || l.channels != 3 || l.source != DT_U8 || l.target != DT_U8 || !out) return false;
  return is_gray(l, s) || (!s.n_ops && s.sc == 0 && s.sx == 1 && s.dx == 3);
}

}  // namespace

namespace {

template <bool COLOUR, bool SPREAD> AUG void pixel(const u8* from, u8* to) {
  const u8 gray = COLOUR ? (u8)((from[0] * 9798u + from[1] * 19235u + from[2] * 3735u + 16384u) >> 15) : from[0];
  for (int c = 0; c < (SPREAD ? 3 : 1); ++c) to[c] = gray;
}

#if defined(__AVX2__)
AUG __m128i lane_of(u64 low, u64 high) { return _mm_set_epi64x((i64)high, (i64)low); }  // byte 0 is the lowest

// n pixels that lie side by side; at least as many as fill a vector
template <bool COLOUR, bool SPREAD> void run(const u8* from, u8* to, i64 n) {
  // of each four pixels red and green, and blue, as words of 16 bits; and a number four times three times
  const __m128i red_green = lane_of(0xff04ff03ff01ff00, 0xff0aff09ff07ff06),
                blue = lane_of(0xffffff05ffffff02, 0xffffff0bffffff08);
  const __m128i thrice = lane_of(0x0808040404000000, 0xffffffff0c0c0c08);
  const auto gray = [&](Wide v) {
    return (v.pick(red_green).pairs(9798, 19235) + v.pick(blue).pairs(3735, 0)).plus(16384).shifted<15>();
  };
  if constexpr (COLOUR && SPREAD) {
    each_wide(from, to, 3 * n, [&](Wide v) { return gray(v).pick(thrice); });
  } else {
    constexpr int in = COLOUR ? 3 : 1, out = SPREAD ? 3 : 1;
    const i64 last = n - (Wide::VECTOR + in - 1) / in;  // the last from which a whole vector may be read
    i64 x = 0;
    for (; x <= last; x += Wide::PIXELS) {
      if constexpr (COLOUR) gray(Wide::spread(from + in * x)).close_bytes(to + out * x);
      else Wide::bytes(from + x).pick(thrice).close(to + out * x);
    }
    for (; x < n; x += Wide::PIXELS) {  // the last may overlap
      const i64 k = std::min(x, n - Wide::PIXELS);
      if constexpr (COLOUR) gray(Wide::spread<true>(from + in * k + Wide::BYTES - Wide::VECTOR)).close_bytes(to + out * k);
      else Wide::bytes(from + k).pick(thrice).close_exact(to + out * k);
    }
  }
}
constexpr int LEAST = Wide::VECTOR;
#else
// Bytes of three channels apart and together by shuffles: left to itself GCC moves them one by one, twice the time.
typedef u8 Bytes __attribute__((vector_size(16)));
#if defined(__clang__)
#define AUG_PICK1(v, ...) __builtin_shufflevector(v, v, __VA_ARGS__)
#define AUG_PICK2(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define AUG_PICK1(v, ...) __builtin_shuffle(v, Bytes{__VA_ARGS__})
#define AUG_PICK2(a, b, ...) __builtin_shuffle(a, b, Bytes{__VA_ARGS__})
#endif
AUG Bytes bytes_at(const u8* p) {
  Bytes v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

// 16 pixels
template <bool COLOUR, bool SPREAD> AUG void block(const u8* from, u8* to) {
  Bytes gray;
  if (COLOUR) {
    const Bytes a = bytes_at(from), b = bytes_at(from + 16), c = bytes_at(from + 32);
    // of a and b what they have of a channel, then the rest of c
    const Bytes r = AUG_PICK2(AUG_PICK2(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0), c, 0, 1, 2, 3, 4, 5, 6, 7,
                              8, 9, 10, 17, 20, 23, 26, 29);
    const Bytes g = AUG_PICK2(AUG_PICK2(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0), c, 0, 1, 2, 3, 4, 5, 6, 7,
                              8, 9, 10, 18, 21, 24, 27, 30);
    const Bytes l = AUG_PICK2(AUG_PICK2(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0), c, 0, 1, 2, 3, 4, 5, 6, 7,
                              8, 9, 16, 19, 22, 25, 28, 31);
    u8 red[16], green[16], blue[16], out[16];  // arrays: GCC takes conversions of vectors apart
    __builtin_memcpy(red, &r, 16);
    __builtin_memcpy(green, &g, 16);
    __builtin_memcpy(blue, &l, 16);
    AUG_SIMD for (int x = 0; x < 16; ++x)
      out[x] = (u8)((red[x] * 9798u + green[x] * 19235u + blue[x] * 3735u + 16384u) >> 15);
    __builtin_memcpy(&gray, out, 16);
  } else {
    gray = bytes_at(from);
  }
  if (SPREAD) {
    const Bytes low = AUG_PICK1(gray, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5);
    const Bytes middle = AUG_PICK1(gray, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10);
    const Bytes high = AUG_PICK1(gray, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15);
    __builtin_memcpy(to, &low, 16);
    __builtin_memcpy(to + 16, &middle, 16);
    __builtin_memcpy(to + 32, &high, 16);
  } else {
    __builtin_memcpy(to, &gray, sizeof gray);
  }
}

template <bool COLOUR, bool SPREAD> void run(const u8* from, u8* to, i64 n) {
  constexpr int N = 16, in = COLOUR ? 3 : 1, out = SPREAD ? 3 : 1;
  for (i64 x = 0; x < n; x += N) {
    const i64 k = std::min(x, n - N);  // the last may overlap
    block<COLOUR, SPREAD>(from + in * k, to + out * k);
  }
}
constexpr int LEAST = 16;
#endif

template <bool COLOUR, bool SPREAD> void lines(const Row& s) {
  constexpr int in = COLOUR ? 3 : 1, out = SPREAD ? 3 : 1;
  const bool whole = s.sy == in * s.dw && s.dy == out * s.dw;  // lines follow each other
  const i64 n = whole ? (i64)s.dh * s.dw : s.dw;
  for (int y = 0; y < (whole ? 1 : s.dh); ++y) {
    const u8* from = (const u8*)s.src + (i64)y * s.sy;
    u8* to = (u8*)s.dst + (i64)y * s.dy;
    if (n >= LEAST) run<COLOUR, SPREAD>(from, to, n);
    else
      for (i64 x = 0; x < n; ++x) pixel<COLOUR, SPREAD>(from + in * x, to + out * x);
  }
}

}  // namespace

bool gray_sample(const Launch& l, const Row& s) {
  if (!only_gray(l, s)) return false;
  if (!s.n_ops) lines<false, true>(s);
  else if (s.dx == 3) lines<true, true>(s);
  else lines<true, false>(s);
  return true;
}

}  // namespace aug

// colours.cpp: bytes of three channels through a matrix of weights of 10 bits, or into another order: what a fused launch would do with
// them (op_mix, op_permute of op_mix.cuh), without the way through floats.
#include "ops.gen.cuh"
#include "parts.hpp"
#include "wide.hpp"
namespace aug {

#if defined(__AVX2__)
namespace {

bool is_plain(const Launch& l, const Row& s) {
  const int* f = s.frame;
  const bool straight = f[0] == 1 && f[4] == 1 && !f[1] && !f[2] && !f[3] && !f[5];
  return s.map == MAP_VIEW && straight && l.channels == 3 && l.source == DT_U8 && l.target == DT_U8 && s.sx == 3 && s.sc == 1 &&
         s.dx == 3 && s.dc == 1 && s.n_ops == 1 && 3 * s.dw >= (int)Wide::VECTOR;
}

struct Weights {
  int k[3][4];  // in 1024ths
};
// are the numbers of the operation whole 1024ths and not negative, so that sums of integers are what its floats give?
bool weights_of(const Launch& l, const Op& op, Weights& w) {
  const float* m = l.blob + op.at;
  for (int i = 0; i < 12; ++i) {
    const float v = m[i] * 1024.0f;
    if (!(v >= 0.0f && v <= 8192.0f && v == __builtin_rintf(v))) return false;
    w.k[i / 4][i % 4] = (int)v;
  }
  return true;
}

// f(first byte of a line in the source and the destination, bytes of it) for all lines, or once where they lie one behind another
template <class F> void lines(const Row& s, F f) {
  const bool whole = s.sy == 3 * s.sw && s.dy == 3 * s.dw && s.sw == s.dw;
  for (int y = 0; y < (whole ? 1 : s.dh); ++y)
    f((const u8*)s.src + (i64)y * s.sy, (u8*)s.dst + (i64)y * s.dy, whole ? (i64)3 * s.dw * s.dh : (i64)3 * s.dw);
}

}  // namespace

bool colours_sample(const Launch& l, const Row& s) {
  if (!is_plain(l, s)) return false;
  const Op& op = l.ops[s.ops];
  if (op.code == OP_PERMUTE) {
    const int* from = ((const PermuteOp*)op.p)->from;
    alignas(16) signed char order[16];
    for (int i = 0; i < 16; ++i) order[i] = (signed char)(i < 12 ? i / 3 * 3 + from[i % 3] : -1);
    const __m128i of = _mm_load_si128((const __m128i*)order);
    lines(s, [&](const u8* p, u8* to, i64 n) { each_wide(p, to, n, [&](Wide v) { return v.pick(of); }); });
    return true;
  }
  Weights w;
  if (op.code != OP_MIX || !((const MixOp*)op.p)->whole || !weights_of(l, op, w)) return false;
  // of each four pixels red and green, and blue, as words of 16 bits; and three bytes of each number
  const __m128i red_green = _mm_setr_epi8(0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1);
  const __m128i blue = _mm_setr_epi8(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1);
  const __m128i three = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  lines(s, [&](const u8* p, u8* to, i64 n) {
    each_wide(p, to, n, [&](Wide v) {
      const Wide a = v.pick(red_green), b = v.pick(blue);
      const auto channel = [&](const int* k) {
        return (a.pairs(k[0], k[1]) + b.pairs(k[2], 0)).plus(k[3]).shifted<10>().at_most(255);
      };
      return (channel(w.k[0]) | channel(w.k[1]).raised<8>() | channel(w.k[2]).raised<16>()).pick(three);
    });
  });
  return true;
}
#else
bool colours_sample(const Launch&, const Row&) { return false; }
#endif

}  // namespace aug

// gray.cpp: bytes from colour to gray and back: what a fused launch would do with them (op_gray of op_color.cuh, a view whose channel
// stride is 0), without the way through floats.
#include "parts.hpp"
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

// N pixels of bytes: as blocks of known length these loops vectorize
template <int N, bool COLOUR, bool SPREAD> void block(const u8* from, u8* to) {
  u8 gray[N];
  if (COLOUR) {
    u8 plane[3][N];
    for (int x = 0; x < N; ++x) {
      AUG_UNROLL for (int c = 0; c < 3; ++c)
        plane[c][x] = from[3 * x + c];
    }
    AUG_SIMD for (int x = 0; x < N; ++x)
      gray[x] = (u8)((plane[0][x] * 9798u + plane[1][x] * 19235u + plane[2][x] * 3735u + 16384u) >> 15);
  } else {
    for (int x = 0; x < N; ++x) gray[x] = from[x];
  }
  for (int x = 0; x < N; ++x) {
    AUG_UNROLL for (int c = 0; c < (SPREAD ? 3 : 1); ++c)
      to[(SPREAD ? 3 : 1) * x + c] = gray[x];
  }
}

template <bool COLOUR, bool SPREAD> void lines(const Row& s) {
  constexpr int N = 64;
  for (int y = 0; y < s.dh; ++y) {
    const u8* from = (const u8*)s.src + (i64)y * s.sy;
    u8* to = (u8*)s.dst + (i64)y * s.dy;
    const auto at = [&](int x, auto f) { f(from + (COLOUR ? 3 : 1) * x, to + (SPREAD ? 3 : 1) * x); };
    for (int x = 0; x < s.dw && s.dw >= N; x += N) at(min_(x, s.dw - N), block<N, COLOUR, SPREAD>);  // the last may overlap
    for (int x = 0; x < s.dw && s.dw < N; ++x) at(x, block<1, COLOUR, SPREAD>);
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

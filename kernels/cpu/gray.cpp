// gray.cpp: bytes from colour to gray and back: what a fused launch would do with them (op_gray of op_color.cuh, a view whose channel
// stride is 0), without the way through floats. An image of 224x224: 64 us become 14, 35 become 11.
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
  return is_gray(l, s) || (!s.n_ops && s.sc == 0 && s.sx == 1);
}

}  // namespace

bool gray_sample(const Launch& l, const Row& s) {
  if (!only_gray(l, s)) return false;
  const bool colour = s.n_ops != 0, spread = s.dx == 3;
  std::vector<u8> line(s.dw);
  for (int y = 0; y < s.dh; ++y) {
    const u8* from = (const u8*)s.src + (i64)y * s.sy;
    u8* to = (u8*)s.dst + (i64)y * s.dy;
    u8* gray = spread ? line.data() : to;
    if (colour)
      for (int x = 0; x < s.dw; ++x)
        gray[x] = (u8)((from[3 * x] * 9798 + from[3 * x + 1] * 19235 + from[3 * x + 2] * 3735 + 16384) >> 15);
    const u8* __restrict__ all = colour ? gray : from;
    if (!spread) {
      if (!colour)
        for (int x = 0; x < s.dw; ++x) to[x] = all[x];
      continue;
    }
    u8* __restrict__ out = to;
    for (int x = 0; x < s.dw; ++x) {
      const u8 v = all[x];
      out[3 * x] = v;
      out[3 * x + 1] = v;
      out[3 * x + 2] = v;
    }
  }
  return true;
}

}  // namespace aug

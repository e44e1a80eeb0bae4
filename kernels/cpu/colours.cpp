// colours.cpp: bytes of three channels through a matrix of weights of 10 bits, or into another order: what a fused launch would do with
// them (op_mix, op_permute of op_mix.cuh), without the way through floats.
#include "parts.hpp"
#include "shuffle.hpp"
namespace aug {

namespace {

bool is_plain(const Launch& l, const Row& s) {
  const int* f = s.frame;
  const bool straight = f[0] == 1 && f[4] == 1 && !f[1] && !f[2] && !f[3] && !f[5];
  return s.map == MAP_VIEW && straight && l.channels == 3 && l.source == DT_U8 && l.target == DT_U8 && s.sx == 3 && s.sc == 1 &&
         s.dx == 3 && s.dc == 1 && s.n_ops == 1;
}

struct Weights {
  int k[3][4];  // in 1024ths
};
// are the numbers of the operation whole 1024ths, so that sums of integers are what its floats give?
bool weights_of(const Launch& l, const Op& op, Weights& w) {
  const float* m = l.blob + op.at;
  for (int i = 0; i < 12; ++i) {
    const float v = m[i] * 1024.0f;
    if (!(v == __builtin_rintf(v)) || v > 8192.0f || v < -8192.0f) return false;
    w.k[i / 4][i % 4] = (int)v;
  }
  return true;
}
AUG u8 weighted(const int* k, int r, int g, int b) { return (u8)clamp_((r * k[0] + g * k[1] + b * k[2] + k[3]) >> 10, 0, 255); }

void mix_block(const Weights& w, const u8* from, u8* to) {  // 16 pixels
  u8 in[3][16], out[3][16];
  Bytes plane[3];
  apart(from, plane);
  for (int c = 0; c < 3; ++c) __builtin_memcpy(in[c], &plane[c], 16);
  for (int c = 0; c < 3; ++c) {
    const int* k = w.k[c];
    AUG_SIMD for (int x = 0; x < 16; ++x)
      out[c][x] = weighted(k, in[0][x], in[1][x], in[2][x]);
    __builtin_memcpy(&plane[c], out[c], 16);
  }
  together(plane, to);
}
void mix_line(const Weights& w, const u8* from, u8* to, int pixels) {
  for (int x = 0; x < pixels && pixels >= 16; x += 16) {
    const int at = min_(x, pixels - 16);  // the last may overlap
    mix_block(w, from + 3 * at, to + 3 * at);
  }
  for (int x = 0; x < pixels && pixels < 16; ++x)
    for (int c = 0; c < 3; ++c) to[3 * x + c] = weighted(w.k[c], from[3 * x], from[3 * x + 1], from[3 * x + 2]);
}

void permute_line(const int* order, const u8* from, u8* to, int pixels) {
  int x = 0;
  for (; x + 16 <= pixels; x += 16) {
    Bytes in[3], out[3];
    apart(from + 3 * x, in);
    for (int c = 0; c < 3; ++c) out[c] = in[order[c]];
    together(out, to + 3 * x);
  }
  for (; x < pixels; ++x)
    for (int c = 0; c < 3; ++c) to[3 * x + c] = from[3 * x + order[c]];
}

}  // namespace

bool colours_sample(const Launch& l, const Row& s) {
  if (!is_plain(l, s)) return false;
  const Op& op = l.ops[s.ops];
  Weights w;
  const bool mixes = op.code == OP_MIX && ((const MixOp*)op.p)->whole;
  if (op.code != OP_PERMUTE && !(mixes && weights_of(l, op, w))) return false;
  for (int y = 0; y < s.dh; ++y) {
    const u8* from = (const u8*)s.src + (i64)y * s.sy;
    u8* to = (u8*)s.dst + (i64)y * s.dy;
    if (mixes) mix_line(w, from, to, s.dw);
    else permute_line(((const PermuteOp*)op.p)->from, from, to, s.dw);
  }
  return true;
}

}  // namespace aug

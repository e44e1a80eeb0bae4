// over.cpp: lines that are drawn on black, and an image that is added to another, byte by byte: what a fused launch would do
// with them (op_shapes.cuh, op_layer.cuh) without asking every pixel. Rain is both.
#include <cstring>
#include "bytes.hpp"
#include "op_layer.cuh"
#include "op_shapes.cuh"
#include "ops.gen.cuh"
#include "parts.hpp"
namespace aug {

namespace {

bool straight_pixels(const Launch& l, const Row& s) {
  static const int straight[6] = {1, 0, 0, 0, 1, 0};
  return s.map == MAP_VIEW && !std::memcmp(s.frame, straight, sizeof straight) && l.source == DT_U8 && l.target == DT_U8 &&
         s.dx == l.channels && (s.dc == 1 || l.channels == 1);
}

// black, and on it opaque lines of sides of 4 neighbours?
bool only_lines(const Launch& l, const Row& s) {
  if (s.n_ops != 2 || l.ops[s.ops].code != OP_LINEAR_U8 || l.ops[s.ops + 1].code != OP_SHAPES) return false;
  const LinearU8Op& black = *(const LinearU8Op*)l.ops[s.ops].p;
  const Op& op = l.ops[s.ops + 1];
  if (black.factor != 0.0f || black.offset != 0.0f || !((const ShapesOp*)op.p)->whole) return false;
  const u32* r = (const u32*)l.blob + op.at;
  for (int k = 0, parts; k < op.n; k += 1 + parts, r += SHAPE_WORDS * (1 + parts)) {
    parts = (int)(r[0] >> 8);
    if ((r[0] & 255) != SHAPE_LINE4 || unbits(r[5]) != 1.0f || r[7] != BLEND_OVER) return false;
  }
  return true;
}

// f(x, y) for the pixels that `line_hits` finds, from the left end: those across each step along the line
template <class F> void each_pixel(const u32* part, F f) {
  const int x0 = (int)part[0], y0 = (int)part[1], dx = (int)part[2] - x0, up = (int)part[3] - y0;
  const int sign = up < 0 ? -1 : 1, dy = up * sign;
  const bool steep = dy > dx;
  const int along = max_(steep ? dy : dx, 1), across = steep ? dx : dy, last = steep ? dy : dx;
  int low = 0;
  for (int i = 0; i <= last; ++i) {
    const int high = (i * across + along - 1) / along;
    for (int j = low; j <= high; ++j) f(x0 + (steep ? j : i), y0 + sign * (steep ? i : j));
    low = high;
  }
}

}  // namespace

bool lines_sample(const Launch& l, const Row& s) {
  if (!straight_pixels(l, s) || !only_lines(l, s)) return false;
  const int n = l.channels;
  u8* dst = (u8*)s.dst;
  for (int y = 0; y < s.dh; ++y) std::memset(dst + (i64)y * s.dy, 0, (u64)n * s.dw);
  const Op& op = l.ops[s.ops + 1];
  const u32* r = (const u32*)l.blob + op.at;
  std::vector<u8> colour(n);
  for (int k = 0, parts; k < op.n; k += 1 + parts, r += SHAPE_WORDS * (1 + parts)) {
    parts = (int)(r[0] >> 8);
    for (int c = 0; c < n; ++c) put(&colour[c], trunc_(l.blob[(int)r[6] + c]));
    each_pixel(r + SHAPE_WORDS, [&](int x, int y) {
      if ((u32)x >= (u32)s.dw || (u32)y >= (u32)s.dh) return;
      u8* to = dst + (i64)y * s.dy + (i64)x * n;
      for (int c = 0; c < n; ++c) to[c] = colour[c];
    });
  }
  return true;
}

bool added_sample(const Launch& l, const Row& s) {
  if (!straight_pixels(l, s) || s.n_ops != 1 || l.ops[s.ops].code != OP_ADD) return false;
  const Op& op = l.ops[s.ops];
  const AddOp& p = *(const AddOp*)op.p;
  const int* layer = (const int*)l.blob + s.layers + LAYER_WORDS * op.layer;  // see `under`
  const auto beside = [&](int sx, int sc) { return sx == l.channels && (sc == 1 || l.channels == 1); };
  if (!p.whole || p.top != 255.0f || layer[5] != DT_U8 || !beside(s.sx, s.sc) || !beside(layer[3], layer[4])) return false;
  const u8* image;
  std::memcpy(&image, layer, sizeof image);
  const double factor = double_of(p.factor[0], p.factor[1]), even = 6755399441055744.0;
  u8 table[256];
  for (int v = 0; v < 256; ++v) put(&table[v], (float)((double)v * factor + even - even));
  const int bytes = s.dw * l.channels;
  for (int y = 0; y < s.dh; ++y) {
    const u8 *a = image + (i64)y * layer[2], *b = (const u8*)s.src + (i64)y * s.sy;
    u8* to = (u8*)s.dst + (i64)y * s.dy;
    AUG_SIMD for (int i = 0; i < bytes; ++i) {
      const int sum = a[i] + b[i];
      to[i] = (u8)(sum > 255 ? 255 : sum);
    }
    through_table(to, to, bytes, table);
  }
  return true;
}

}  // namespace aug

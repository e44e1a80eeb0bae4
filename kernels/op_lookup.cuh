// op_lookup.cuh: operations that look a value up in the sample's tables, which a lookup launch wrote.
#pragma once
#include "part.cuh"
#include "ops.gen.cuh"
#include "pixels.cuh"
#if AUG_GPU
#include "gpu/words.cuh"
#endif
namespace aug {

AUG const u8* tables_of(const Sample& s, const Tables& t) { return (const u8*)(s.found + t.at); }
// which of a tile's tables is that of a channel of the chunk; not below t.count: none
AUG u32 table_of(const Sample& s, const Tables& t, int c) { return (u32)(s.c0 + c - t.first); }

template <class G, int C> AUG void op_lut(G g, const LutOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const u32 k = table_of(s, p.tables, c);
    if (k >= (u32)p.tables.count) continue;
    const u8* table = tables_of(s, p.tables) + 256 * k;
    typename G::template Var<int> v;
    g.each([&](Lane l) { v[l] = byte_of(px.v[c][l]); });
    g.each_scalar([&](Lane l) { v[l] = entry(table, scalar(v[l])); });
    g.each([&](Lane l) { px.v[c][l] = (float)v[l]; });
  }
}

// The sums of OpenCV's CLAHE_Interpolation_Body, in its order.
#if AUG_GPU
// Where a pixel lies between the middles of tiles: which two, with the bits that a sum with 1.5 * 2^23, rounded down, has above its whole
// part, and how far from the first.
enum { TILE_ZERO = 0x4b400000 };
struct Between {
  int first, second;
  float part;
};
// 1.0f / n, with no thought of numbers that are no tile's: one step from an ulp beside it
AUG float inverse_of(int n) {
  const float w = (float)n, r = reciprocal(w);
  return fma_(fma_(-w, r, 1.0f), r, r);
}
AUG Between between(int i, float per, int last) {
  const float at = (float)i * per - 0.5f, t = __fadd_rd(at, 12582912.0f);
  const int tile = (int)bits(t);
  return {max_(tile, (int)TILE_ZERO), min_(tile + 1, TILE_ZERO + last), at - (t - 12582912.0f)};
}
#endif
template <class G, int C> AUG void op_lut_tiles(G g, const LutTilesOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
#if AUG_GPU
  const Tables& t = p.tables;
  const int step = 256 * t.count, line = step * t.across;
  const float per_x = inverse_of(t.width), per_y = inverse_of(t.height);
  const u8* tables = tables_of(s, t) - ((i64)TILE_ZERO * step + (i64)TILE_ZERO * line);
  AUG_UNROLL for (int c = 0; c < C; ++c) {  // of most images one channel has tables
    const u32 table = table_of(s, t, c);
    if (table >= (u32)t.count) continue;
    const u8* own = tables + 256u * table;
    const u8 *high = own, *low = own;
    float b = 0.0f;
    AUG_UNROLL for (int k = 0; k < G::slots; ++k) {
      if (k == 0 || px.y.v[k] != px.y.v[k ? k - 1 : 0]) {  // neighbours are in one line, most of them
        const Between y = between(px.y.v[k], per_y, t.down - 1);
        high = ahead(own, y.first, line);
        low = ahead(own, y.second, line);
        b = y.part;
      }
      const Between x = between(px.x.v[k], per_x, t.across - 1);
      const float a = x.part, a1 = 1.0f - a, b1 = 1.0f - b;
      const u32 at = (u32)byte_of(px.v[c].v[k]);
      const u8 *upper = high + at, *lower = low + at;
      const float v00 = get(ld(ahead(upper, x.first, step))), v01 = get(ld(ahead(upper, x.second, step)));
      const float v10 = get(ld(ahead(lower, x.first, step))), v11 = get(ld(ahead(lower, x.second, step)));
      px.v[c].v[k] = round_((v00 * a1 + v01 * a) * b1 + (v10 * a1 + v11 * a) * b);
    }
  }
#else
  const Tables& t = p.tables;
  const int across = t.across - 1, down = t.down - 1, step = 256 * t.count, line = step * t.across;
  const float per_x = 1.0f / (float)t.width, per_y = 1.0f / (float)t.height;
  typename G::template Var<int> v00, v01, v10, v11;
  typename G::template Var<float> a, b;
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const u32 k = table_of(s, t, c);
    if (k >= (u32)t.count) continue;
    const u8* tables = tables_of(s, t) + 256 * k;
    g.each([&](Lane l) {
      const float u = (float)px.x[l] * per_x - 0.5f, v = (float)px.y[l] * per_y - 0.5f, u0 = floor_(u), v0 = floor_(v);
      a[l] = u - u0;
      b[l] = v - v0;
      const int x0 = clamp_((int)u0, 0, across) * step, x1 = clamp_((int)u0 + 1, 0, across) * step;
      const int value = byte_of(px.v[c][l]), y0 = value + clamp_((int)v0, 0, down) * line;
      const int y1 = value + clamp_((int)v0 + 1, 0, down) * line;
      v00[l] = y0 + x0;
      v01[l] = y0 + x1;
      v10[l] = y1 + x0;
      v11[l] = y1 + x1;
    });
    g.each_scalar([&](Lane l) {
      v00[l] = ld(tables + scalar(v00[l]));
      v01[l] = ld(tables + scalar(v01[l]));
      v10[l] = ld(tables + scalar(v10[l]));
      v11[l] = ld(tables + scalar(v11[l]));
    });
    g.each([&](Lane l) {
      const float a1 = 1.0f - a[l], b1 = 1.0f - b[l];
      const float high = (float)v00[l] * a1 + (float)v01[l] * a[l], low = (float)v10[l] * a1 + (float)v11[l] * a[l];
      px.v[c][l] = round_(high * b1 + low * b[l]);
    });
  }
#endif
}

// albumentations' from_float and to_float of bytes; a NaN is 0
template <class G, int C> AUG void op_to_bytes(G g, const ToBytesOp&, const Op&, const Sample&, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l] * 255.0f, w = v > 0.0f ? v : 0.0f;
      px.v[c][l] = round_(w < 255.0f ? w : 255.0f);
    });
}
template <class G, int C> AUG void op_from_bytes(G g, const FromBytesOp&, const Op&, const Sample&, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) { px.v[c][l] = px.v[c][l] / 255.0f; });
}

}  // namespace aug

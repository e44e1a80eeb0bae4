// op_lookup.cuh: operations that look a value up in the sample's tables, which a lookup launch wrote.
#pragma once
#include "part.cuh"
#include "pixels.cuh"
namespace aug {

AUG const u8* tables_of(const Sample& s, const Tables& t) { return (const u8*)(s.found + t.at); }
// which of a tile's tables is that of a channel of the chunk; not below t.count: none
AUG u32 table_of(const Sample& s, const Tables& t, int c) { return (u32)(s.c0 + c - t.first); }

template <class G, int C> AUG void op_lut(G g, const LutOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const u32 k = table_of(s, p.tables, c);
    if (k >= (u32)p.tables.count) continue;
    const u8* table = tables_of(s, p.tables) + 256 * k;
    g.each_scalar([&](Lane l) { px.v[c][l] = (float)(int)ld(table + byte_of(px.v[c][l])); });
  }
}

// The sums of OpenCV's CLAHE_Interpolation_Body, in its order.
template <class G, int C> AUG void op_lut_tiles(G g, const LutTilesOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  const Tables& t = p.tables;
  const int across = t.across, down = t.down, step = 256 * t.count;
  const float per_x = 1.0f / (float)t.width, per_y = 1.0f / (float)t.height;
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const u32 k = table_of(s, t, c);
    if (k >= (u32)t.count) continue;
    const u8* tables = tables_of(s, t) + 256 * k;
    g.each([&](Lane l) {
      const float u = (float)px.x[l] * per_x - 0.5f, v = (float)px.y[l] * per_y - 0.5f;
      const float u0 = floor_(u), v0 = floor_(v), a = u - u0, b = v - v0, a1 = 1.0f - a, b1 = 1.0f - b;
      const int x0 = clamp_((int)u0, 0, across - 1), x1 = clamp_((int)u0 + 1, 0, across - 1);
      const u8* high = tables + (byte_of(px.v[c][l]) + clamp_((int)v0, 0, down - 1) * across * step);
      const u8* low = tables + (byte_of(px.v[c][l]) + clamp_((int)v0 + 1, 0, down - 1) * across * step);
      const float p0 = (float)(int)ld(high + x0 * step), p1 = (float)(int)ld(high + x1 * step);
      const float q0 = (float)(int)ld(low + x0 * step), q1 = (float)(int)ld(low + x1 * step);
      px.v[c][l] = round_((p0 * a1 + p1 * a) * b1 + (q0 * a1 + q1 * a) * b);
    });
  }
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

// linear.cuh: what sample_linear makes of places, for a thread of a gather: as sample.cuh has it, pixel by pixel. Most pixels lie
// inside of the source, where their four taps are read with no thought of borders; the others ask for each tap.
#pragma once
#include "quad.cuh"
#include "sample.cuh"
namespace aug {

// bytes are read one by one: to align words, shift them and take them apart costs more than twelve loads, which the first-level
// cache serves
template <bool DENSE, class G, class T, int C>
AUG void linear_taps(const Row& s, const float* blob, int c0, const Place<G>& t, Pixels<G, C>& px) {
  const int h = s.sh, w = s.sw, sy = s.sy, sx = DENSE ? C : s.sx, sc = DENSE ? 1 : s.sc, border = s.border;
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  const float* fill = blob + s.fill + c0;
  AUG_UNROLL for (int k = 0; k < G::slots; ++k) {
    const float bx = floor_(t.fx.v[k]), by = floor_(t.fy.v[k]), fx = t.fx.v[k] - bx, fy = t.fy.v[k] - by;
    const int x = (int)bx, y = (int)by;
    float a[C], b[C], c[C], d[C];
    if (((u32)x < (u32)(w - 1)) & ((u32)y < (u32)(h - 1))) {
      const T *p = ahead(ahead(src, y, sy), x, sx), *q = ahead(p, sy, 1);
      AUG_UNROLL for (int i = 0; i < C; ++i) {
        a[i] = get(ld(p + i * sc));
        b[i] = get(ld(p + sx + i * sc));
        c[i] = get(ld(q + i * sc));
        d[i] = get(ld(q + sx + i * sc));
      }
    } else if (border == BORDER_CONSTANT) {
      const bool x0 = (u32)x < (u32)w, x1 = (u32)(x + 1) < (u32)w, y0 = (u32)y < (u32)h, y1 = (u32)(y + 1) < (u32)h;
      const T *p = ahead(ahead(src, y, sy), x, sx), *q = ahead(p, sy, 1);
      AUG_UNROLL for (int i = 0; i < C; ++i) {
        const float raw = ld(fill + i), f = sizeof(T) == 1 && C >= 3 && s.sc == 1 ? (float)((u32)(int)raw & 255u) : raw;
        a[i] = x0 & y0 ? get(ld(p + i * sc)) : f;
        b[i] = x1 & y0 ? get(ld(p + sx + i * sc)) : f;
        c[i] = x0 & y1 ? get(ld(q + i * sc)) : f;
        d[i] = x1 & y1 ? get(ld(q + sx + i * sc)) : f;
      }
    } else {
      const i64 u0 = (i64)border_index(x, w, border) * sx, u1 = (i64)border_index(x + 1, w, border) * sx;
      const T* p = src + (i64)border_index(y, h, border) * sy;
      const T* q = src + (i64)border_index(y + 1, h, border) * sy;
      AUG_UNROLL for (int i = 0; i < C; ++i) {
        a[i] = get(ld(p + u0 + i * sc));
        b[i] = get(ld(p + u1 + i * sc));
        c[i] = get(ld(q + u0 + i * sc));
        d[i] = get(ld(q + u1 + i * sc));
      }
    }
    AUG_UNROLL for (int i = 0; i < C; ++i)
      px.v[i].v[k] = settle(bilerp(a[i], b[i], c[i], d[i], fx, fy), (const T*)0);
  }
}
template <class G, class T, int C> AUG void linear(const Row& s, const float* blob, int c0, const Place<G>& t, Pixels<G, C>& px) {
  if ((s.sx == C) & ((s.sc == 1) | (C == 1))) linear_taps<true, G, T, C>(s, blob, c0, t, px);
  else linear_taps<false, G, T, C>(s, blob, c0, t, px);
}

}  // namespace aug

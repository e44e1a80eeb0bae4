// linear.cuh: what sample_linear makes of places, for a thread of a gather: as sample.cuh has it, pixel by pixel. Most pixels lie
// inside of the source, where their four taps are read with no thought of borders; beyond a constant one each tap is asked for; what other borders stand for
// is found behind, so that it is in the code once.
#pragma once
#include "quad.cuh"
#include "sample.cuh"
namespace aug {

// Returns a bit for each pixel that is left: those that need a border's pixels. DENSE: channels lie side by side, and pixels behind each
// other. Bytes are read one by one: to align words, shift them and take them apart costs more than twelve loads, which the first-level
// cache serves.
template <bool DENSE, class G, class T, int C>
AUG u32 linear_taps(const Row& s, const float* blob, int c0, const Place<G>& t, Pixels<G, C>& px) {
  const int h = s.sh, w = s.sw, sy = s.sy, sx = DENSE ? C : s.sx, sc = DENSE ? 1 : s.sc, border = s.border;
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  const float* fill = blob + s.fill + c0;
  u32 others = 0;
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
      others |= 1u << k;
      continue;
    }
    AUG_UNROLL for (int i = 0; i < C; ++i)
      px.v[i].v[k] = settle(bilerp(a[i], b[i], c[i], d[i], fx, fy), (const T*)0);
  }
  return others;
}
template <class G, class T, int C> AUG void linear_border(const Row& s, int c0, const Place<G>& t, u32 which, Pixels<G, C>& px) {
  const int h = s.sh, w = s.sw, sy = s.sy, sx = s.sx, border = s.border;
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  AUG_UNROLL for (int k = 0; k < G::slots; ++k) {
    if (!(which >> k & 1u)) continue;
    const float bx = floor_(t.fx.v[k]), by = floor_(t.fy.v[k]), fx = t.fx.v[k] - bx, fy = t.fy.v[k] - by;
    const int x = (int)bx, y = (int)by, left = border_index(x, w, border), right = border_index(x + 1, w, border);
    const T *p = ahead(src, border_index(y, h, border), sy), *q = ahead(src, border_index(y + 1, h, border), sy);
    const T *a = ahead(p, left, sx), *b = ahead(p, right, sx), *c = ahead(q, left, sx), *d = ahead(q, right, sx);
    AUG_UNROLL for (int i = 0; i < C; ++i) {
      const int at = i * s.sc;
      px.v[i].v[k] = settle(bilerp(get(ld(a + at)), get(ld(b + at)), get(ld(c + at)), get(ld(d + at)), fx, fy), (const T*)0);
    }
  }
}
template <class G, class T, int C> AUG void linear(const Row& s, const float* blob, int c0, const Place<G>& t, Pixels<G, C>& px) {
  const bool dense = (s.sx == C) & ((s.sc == 1) | (C == 1));
  const u32 others = dense ? linear_taps<true, G, T, C>(s, blob, c0, t, px) : linear_taps<false, G, T, C>(s, blob, c0, t, px);
  if (others) linear_border<G, T, C>(s, c0, t, others, px);
}

}  // namespace aug

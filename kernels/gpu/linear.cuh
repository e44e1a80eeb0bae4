// linear.cuh: what sample_linear makes of places, for a thread of a gather: as sample.cuh has it, pixel by pixel. Most pixels lie
// inside of the source, where their four taps are read with no thought of borders; those that do not are left for a loop behind, which
// is in the code once for all pixels of a thread and all borders.
#pragma once
#include "quad.cuh"
#include "sample.cuh"
namespace aug {

// what lies beyond a constant border
template <class T, int C> AUG float beyond(const float* fill, int i, int sc) {
  const float v = ld(fill + i);
  return sizeof(T) == 1 && C >= 3 && sc == 1 ? (float)((u32)(int)v & 255u) : v;
}

// Returns a bit for each pixel that is left. DENSE: channels lie side by side, and pixels behind each other: there taps beyond a constant
// border are asked for at once, too. Bytes are read one by one: to align words, shift them and take them apart costs more than twelve
// loads, which the first-level cache serves.
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
    } else if (DENSE && border == BORDER_CONSTANT) {
      const bool x0 = (u32)x < (u32)w, x1 = (u32)(x + 1) < (u32)w, y0 = (u32)y < (u32)h, y1 = (u32)(y + 1) < (u32)h;
      const T *p = ahead(ahead(src, y, sy), x, sx), *q = ahead(p, sy, 1);
      AUG_UNROLL for (int i = 0; i < C; ++i) {
        const float f = beyond<T, C>(fill, i, s.sc);
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
// Those left. A tap beyond a constant border is read where the border would be replicated, and replaced.
template <class G, class T, int C>
AUG void linear_border(const Row& s, const float* blob, int c0, const Place<G>& t, u32 which, Pixels<G, C>& px) {
  const int h = s.sh, w = s.sw, sy = s.sy, sx = s.sx, sc = s.sc;
  const T* src = (const T*)s.src + (i64)c0 * sc;
  const float* fill = blob + s.fill + c0;
  AUG_ROLLED while (which) {
    const int border = seldom(s.border);  // else the loop would be there once for each
    const bool constant = border == BORDER_CONSTANT;
    const u32 bit = which & (0u - which);
    which ^= bit;
    const float gx = chosen<G>(t.fx, bit), gy = chosen<G>(t.fy, bit), bx = floor_(gx), by = floor_(gy), fx = gx - bx,
                fy = gy - by;
    const int x = (int)bx, y = (int)by, left = border_index(x, w, border), right = border_index(x + 1, w, border);
    const T *p = ahead(src, border_index(y, h, border), sy), *q = ahead(src, border_index(y + 1, h, border), sy);
    const T *a = ahead(p, left, sx), *b = ahead(p, right, sx), *c = ahead(q, left, sx), *d = ahead(q, right, sx);
    const bool x0 = !constant | ((u32)x < (u32)w), x1 = !constant | ((u32)(x + 1) < (u32)w);
    const bool y0 = !constant | ((u32)y < (u32)h), y1 = !constant | ((u32)(y + 1) < (u32)h);
    AUG_UNROLL for (int i = 0; i < C; ++i) {
      const float f = constant ? beyond<T, C>(fill, i, sc) : 0.0f;
      const int at = i * sc;
      const float va = x0 & y0 ? get(ld(a + at)) : f, vb = x1 & y0 ? get(ld(b + at)) : f;
      const float vc = x0 & y1 ? get(ld(c + at)) : f, vd = x1 & y1 ? get(ld(d + at)) : f;
      choose<G>(px.v[i], bit, settle(bilerp(va, vb, vc, vd, fx, fy), (const T*)0));
    }
  }
}
template <class G, class T, int C> AUG void linear(const Row& s, const float* blob, int c0, const Place<G>& t, Pixels<G, C>& px) {
  const bool dense = (s.sx == C) & ((s.sc == 1) | (C == 1));
  const u32 others = dense ? linear_taps<true, G, T, C>(s, blob, c0, t, px) : linear_taps<false, G, T, C>(s, blob, c0, t, px);
  if (others) linear_border<G, T, C>(s, blob, c0, t, others, px);
}

}  // namespace aug

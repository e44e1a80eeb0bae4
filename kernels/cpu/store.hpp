// store.hpp: a group's pixels into the destination, in its element type and strides.
#pragma once
#include "pixels.cuh"
namespace aug {

template <class G, class T, int C> AUG_FN void store(G g, const Row& s, int c0, int first, Pixels<G, C>& px) {
  const int w = s.dw, left = s.dh * w - first, dx = s.dx, dc = s.dc;
  T* out = (T*)s.dst + (i64)c0 * dc;
  if (s.dy == w * dx && left >= G::lanes) {
    T* p = out + (i64)first * dx;
    if (dx == C && dc == 1) {
      // converted plane by plane, then interleaved: both loops vectorize, in one they would not
      T plane[C][G::lanes];
      for (int c = 0; c < C; ++c) {
        AUG_SIMD for (int i = 0; i < G::lanes; ++i)
          put(&plane[c][i], px.v[c].v[i]);
      }
      for (int i = 0; i < G::lanes; ++i) {
        AUG_UNROLL for (int c = 0; c < C; ++c)
          p[C * i + c] = plane[c][i];
      }
      return;
    }
    if (dx == 1) {
      for (int c = 0; c < C; ++c) {
        T* q = p + (i64)c * dc;
        AUG_SIMD for (int i = 0; i < G::lanes; ++i)
          put(q + i, px.v[c].v[i]);
      }
      return;
    }
  }
  int y = first / w, x = first - y * w;
  for (int i = 0; i < min_(G::lanes, left); ++i) {
    T* p = out + (i64)y * s.dy + (i64)x * dx;
    for (int c = 0; c < C; ++c) put(p + (i64)c * dc, px.v[c].v[i]);
    if (++x == w) {
      x = 0;
      ++y;
    }
  }
}

}  // namespace aug

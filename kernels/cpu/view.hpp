// view.hpp: output positions, and pixels that are read with integer strides: copies, crops, flips, transposes.
#pragma once
#include "pixels.cuh"
namespace aug {

// output positions of pixels first .. first + lanes - 1 (the last pixel repeats beyond the end)
template <class G, int C> AUG void positions(G g, const Row& s, int first, Pixels<G, C>& px) {
  const int w = s.dw, last = s.dh * s.dw - 1 - first;
  const int y0 = first / w, x0 = first - y0 * w;  // the same for the group
  const float inv = 1.0f / (float)w;
  g.each([&](Lane l) {
    const int t = x0 + min_(l.id, last);
    int q = (int)(((float)t + 0.5f) * inv), x = t - q * w;  // t < w + lanes: one correction is enough
    q = x < 0 ? q - 1 : x >= w ? q + 1 : q;
    px.y[l] = y0 + q;
    px.x[l] = t - q * w;
  });
}
// ... and where the gather's frame sees them
template <class G, int C> AUG void to_frame(G g, const Row& s, Pixels<G, C>& px) {
  if (s.plain) return;
  const int f0 = s.frame[0], f1 = s.frame[1], f2 = s.frame[2], f3 = s.frame[3], f4 = s.frame[4], f5 = s.frame[5];
  g.each([&](Lane l) {
    const int x = px.x[l], y = px.y[l];
    px.x[l] = f0 * x + f1 * y + f2;
    px.y[l] = f3 * x + f4 * y + f5;
  });
}

// N pixels that lie side by side into lanes at .. at + N - 1, mirrored or not
template <class T, int C, int N, bool MIRROR, class G> AUG void load_pixels(const T* src, Pixels<G, C>& px, int at) {
  constexpr bool LATE = MIRROR && sizeof(T) < 4;  // bytes turn best in a register, after the planes are taken apart
  T plane[C][N];                                  // taken apart first, then converted: both loops vectorize, since N is known
  for (int i = 0; i < N; ++i) {
    AUG_UNROLL for (int c = 0; c < C; ++c)
      plane[c][i] = src[C * (MIRROR && !LATE ? N - 1 - i : i) + c];
  }
  for (int c = 0; c < C; ++c) {
    float* v = px.v[c].v + at;
    AUG_SIMD for (int i = 0; i < N; ++i)
      v[i] = get(plane[c][LATE ? N - 1 - i : i]);
  }
}
// n pixels of a line, C elements apart, into lanes at .. at + n - 1: in blocks of 16, of which the last may overlap the one
// before it, or one by one. A whole group of bytes is one block (a third faster); of floats it would be no faster, and GCC 12
// loses its last 8 with AVX2.
template <class T, int C, bool MIRROR, class G> AUG void load_line(const T* src, Pixels<G, C>& px, int at, int n) {
  constexpr int B = 16, step = MIRROR ? -C : C;
  if (sizeof(T) < 4 && n == G::lanes)
    return load_pixels<T, C, G::lanes, MIRROR, G>(MIRROR ? src - C * (G::lanes - 1) : src, px, 0);
  if (n >= B) {
    for (int i = 0; i < n; i += B) {
      const int k = min_(i, n - B);
      load_pixels<T, C, B, MIRROR, G>(src + step * k - (MIRROR ? C * (B - 1) : 0), px, at + k);
    }
    return;
  }
  for (int i = 0; i < n; ++i) {
    AUG_UNROLL for (int c = 0; c < C; ++c)
      px.v[c].v[at + i] = get(src[step * i + c]);
  }
}
template <class T, int C, class G> AUG void load_run(const T* src, int step, int sc, Pixels<G, C>& px, int at, int n) {
  if ((step == C || step == -C) && (sc == 1 || C == 1)) {
    if (step == C) load_line<T, C, false, G>(src, px, at, n);
    else load_line<T, C, true, G>(src, px, at, n);
    return;
  }
  for (int c = 0; c < C; ++c) {
    const T* p = src + (i64)c * sc;
    float* v = px.v[c].v + at;
    if (step == 1) {
      AUG_SIMD for (int i = 0; i < n; ++i)
        v[i] = get(p[i]);
    } else if (step == -1) {
      AUG_SIMD for (int i = 0; i < n; ++i)
        v[i] = get(p[-i]);
    } else {
      for (int i = 0; i < n; ++i) v[i] = get(p[(i64)i * step]);
    }
  }
}

// copies, flips, transposes, crops: a strided view
template <class G, class T, int C> AUG_FN void load_view(G g, const Row& s, int c0, int first, Pixels<G, C>& px) {
  const int ex = s.frame[0] * s.sx + s.frame[3] * s.sy, ey = s.frame[1] * s.sx + s.frame[4] * s.sy;
  const T* src = (const T*)s.src + (i64)s.frame[2] * s.sx + (i64)s.frame[5] * s.sy + (i64)c0 * s.sc;
  const int sc = s.sc;
  const int w = s.dw, n = min_(G::lanes, s.dh * w - first);
  if (ey == w * ex) {  // lines follow each other: one run
    load_run<T, C, G>(src + (i64)first * ex, ex, sc, px, 0, n);
  } else {
    int y = first / w, x = first - y * w;
    for (int at = 0; at < n; ++y, x = 0) {
      const int run = min_(n - at, w - x);
      load_run<T, C, G>(src + (i64)y * ey + (i64)x * ex, ex, sc, px, at, run);
      at += run;
    }
  }
  for (int c = 0; c < C; ++c)  // lanes beyond the sample's end hold a value that operations may work on
    for (int i = n; i < G::lanes; ++i) px.v[c].v[i] = px.v[c].v[n - 1];
}

}  // namespace aug

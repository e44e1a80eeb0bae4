// taps.cuh: what sample_cubic and sample_lanczos make of places, for a thread of a gather: weights, sums and their order are those of
// sample.cuh and lanczos.cuh. One pixel of a thread after the other: four side by side would need 128 registers and most of 200 KB.
#pragma once
#include "../sample.cuh"
#include "words.cuh"
namespace aug {

struct CubicTaps {
  static constexpr int N = 4;
  float kx[4], ky[4];
  int x0, y0;

  AUG CubicTaps(const float*, float fx, float fy) {
    const float bx = floor_(fx), by = floor_(fy);
    cubic_weights(fx - bx, kx);
    cubic_weights(fy - by, ky);
    x0 = (int)bx - 1;
    y0 = (int)by - 1;
  }
  AUG float along_x(int i) const { return kx[i]; }
  AUG void again() {}
  AUG float next_line() {  // registers have no numbers that a loop could count
    const float k = ky[0];
    AUG_UNROLL for (int j = 0; j < 3; ++j)
      ky[j] = ky[j + 1];
    return k;
  }
};
struct LanczosTaps {
  static constexpr int N = LANCZOS_TAPS;
  const float *kx, *ky;
  int x0, y0;

  AUG LanczosTaps(const float* fill, float fx, float fy) {
    const float* table = fill - LANCZOS_WORDS;
    const int qx = (int)round_(fx * (float)LANCZOS_STEPS), qy = (int)round_(fy * (float)LANCZOS_STEPS);
    x0 = (qx >> LANCZOS_BITS) - (N / 2 - 1);
    y0 = (qy >> LANCZOS_BITS) - (N / 2 - 1);
    kx = table + N * (qx & (LANCZOS_STEPS - 1));
    ky = table + N * (qy & (LANCZOS_STEPS - 1));
  }
  AUG float along_x(int i) const { return ld(kx + i); }
  AUG void again() { kx = anew(kx); }  // eight registers are too many to keep
  AUG float next_line() { return ld(ky++); }
};

// All taps lie inside. DENSE: as linear_taps has it.
template <bool DENSE, class T, int C, class W> AUG void taps_inside(const Row& s, const T* p, W& taps, float* sum) {
  constexpr int N = W::N;
  const int sy = s.sy, sx = DENSE ? C : s.sx, sc = DENSE ? 1 : s.sc;
  AUG_ROLLED for (int j = 0; j < N; ++j, p += sy) {
    if (C > 3) taps.again();
    float line[C];
    AUG_UNROLL for (int c = 0; c < C; ++c)
      line[c] = 0.0f;
    AUG_UNROLL for (int i = 0; i < N; ++i) {
      const float k = taps.along_x(i);
      const T* q = DENSE ? p + i * C : ahead(p, sx, i);
      AUG_UNROLL for (int c = 0; c < C; ++c)
        line[c] = fma_(k, get(ld(DENSE ? q + c : ahead(q, sc, c))), line[c]);
    }
    const float m = taps.next_line();
    AUG_UNROLL for (int c = 0; c < C; ++c)
      sum[c] = fma_(m, line[c], sum[c]);
  }
}
// Some do not.
template <class T, int C, class W> AUG void taps_border(const Row& s, const T* src, const float* fill, W& taps, float* sum) {
  constexpr int N = W::N;
  const int h = s.sh, w = s.sw, sy = s.sy, sx = s.sx, sc = s.sc;
  const bool constant = s.border == BORDER_CONSTANT;
  int at[N];  // the columns, found once for all lines and channels; one after another they come to their places
  u32 there = 0;
  AUG_UNROLL for (int i = 0; i < N; ++i)
    at[i] = 0;
  AUG_ROLLED for (int k = 0; k < N; ++k) {
    AUG_UNROLL for (int i = 0; i + 1 < N; ++i)
      at[i] = at[i + 1];
    const int x = taps.x0 + k;
    at[N - 1] = border_index(x, w, seldom(s.border)) * sx;  // seldom: else the loop would be there once for each border
    there |= !constant | ((u32)x < (u32)w) ? 1u << k : 0u;
  }
  float beyond[C];
  AUG_UNROLL for (int c = 0; c < C; ++c)
    beyond[c] = constant ? ld(fill + c) : 0.0f;
  AUG_ROLLED for (int j = 0; j < N; ++j) {
    const int y = taps.y0 + j;
    const u32 in = !constant | ((u32)y < (u32)h) ? there : 0u;
    const T* p = ahead(src, border_index(y, h, seldom(s.border)), sy);
    taps.again();
    float line[C];
    AUG_UNROLL for (int c = 0; c < C; ++c)
      line[c] = 0.0f;
    AUG_UNROLL for (int i = 0; i < N; ++i) {
      const float k = taps.along_x(i);
      const T* q = ahead(p, seldom(at[i]), 1);  // else eight of 64 bits are kept
      AUG_UNROLL for (int c = 0; c < C; ++c)
        line[c] = fma_(k, in >> i & 1u ? get(ld(ahead(q, sc, c))) : beyond[c], line[c]);
    }
    const float m = taps.next_line();
    AUG_UNROLL for (int c = 0; c < C; ++c)
      sum[c] = fma_(m, line[c], sum[c]);
  }
}
template <class W, class G, class T, int C>
AUG void sample_taps(G g, const Row& s, const float* blob, int c0, Place<G>& t, Pixels<G, C>& px) {
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  const float* fill = blob + s.fill + c0;
  const auto one = [&](Lane l) {
    W taps(blob + s.fill, t.fx[l], t.fy[l]);
    float sum[C];
    AUG_UNROLL for (int c = 0; c < C; ++c)
      sum[c] = 0.0f;
    const u32 across = max_(s.sw - W::N + 1, 0), down = max_(s.sh - W::N + 1, 0);
    if (((u32)taps.x0 < across) & ((u32)taps.y0 < down)) {
      const T* p = ahead(ahead(src, taps.y0, s.sy), taps.x0, s.sx);
      if ((s.sx == C) & ((s.sc == 1) | (C == 1))) taps_inside<true, T, C>(s, p, taps, sum);
      else taps_inside<false, T, C>(s, p, taps, sum);
    } else {
      taps_border<T, C>(s, src, fill, taps, sum);
    }
    AUG_UNROLL for (int c = 0; c < C; ++c)
      px.v[c][l] = settle(sizeof(T) == 1 ? clamp_(sum[c], 0.0f, 255.0f) : sum[c], (const T*)0);
  };
  g.each_in_turn(one, t.fx, t.fy, px.v);
}

}  // namespace aug

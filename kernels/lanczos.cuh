// lanczos.cuh: Lanczos over 8 x 8 pixels, as OpenCV's warps have it (INTER_LANCZOS4): places are rounded to 1/32 of a pixel, half to
// even, and the weights of the 32 fractions are a table, which the library makes (kernels/host/taps.hpp).
//
// In the blob the table lies in front of the row's fill. Order of summation, for every build, in float32: along x, then along y, each
// from 0 by multiply-adds. Bytes: OpenCV rounds the 64 products of weights to 1/32768, ours are exact.
#pragma once
#include "map.cuh"
#include "pixels.cuh"
namespace aug {

#if !AUG_GPU  // there gpu/taps.cuh
#if defined(__FMA__)
template <class T> AUG void lanczos_four(const T* p, i64 sy, int sx, const float* kx, const float* ky, float* sum) {
  typedef float Four __attribute__((vector_size(16)));
  Four whole = {};
  for (int j = 0; j < LANCZOS_TAPS; ++j, p += sy) {
    Four line = {};
    AUG_UNROLL for (int i = 0; i < LANCZOS_TAPS; ++i)
      line = __builtin_ia32_vfmaddps(CubicFour<T>::load(p + i * sx), Four{} + kx[i], line);
    whole = __builtin_ia32_vfmaddps(line, Four{} + ky[j], whole);
  }
  __builtin_memcpy(sum, &whole, 16);
}
#endif

template <class G, class T, int C>
AUG_FN void sample_lanczos(G g, const Row& s, const float* blob, int c0, Place<G>& t, Pixels<G, C>& px) {
  constexpr int N = LANCZOS_TAPS;
  const int h = s.sh, w = s.sw, sy = s.sy, sx = s.sx, border = s.border;
  const T* src = (const T*)s.src + (i64)c0 * s.sc;
  const float *fill = blob + s.fill + c0, *table = blob + s.fill - LANCZOS_WORDS;
  g.each_scalar([&](Lane l) {
    const int qx = (int)round_(t.fx[l] * (float)LANCZOS_STEPS), qy = (int)round_(t.fy[l] * (float)LANCZOS_STEPS);
    const int x0 = (qx >> LANCZOS_BITS) - (N / 2 - 1), y0 = (qy >> LANCZOS_BITS) - (N / 2 - 1);
    const float *kx = table + N * (qx & (LANCZOS_STEPS - 1)), *ky = table + N * (qy & (LANCZOS_STEPS - 1));
    const bool inside = ((u32)x0 < (u32)max_(w - N + 1, 0)) & ((u32)y0 < (u32)max_(h - N + 1, 0));
#if defined(__FMA__)
    if constexpr ((C == 3 || C == 4) && CubicFour<T>::there) {
      // it reads four values of each pixel, so that right of three channels there must be another one
      if (inside && s.sc == 1 && (C == 4 || (sx > 0 && x0 < w - N))) {
        float four[4];
        lanczos_four(src + (i64)y0 * sy + (i64)x0 * sx, sy, sx, kx, ky, four);
        AUG_UNROLL for (int c = 0; c < C; ++c)
          px.v[c][l] = settle(sizeof(T) == 1 ? clamp_(four[c], 0.0f, 255.0f) : four[c], (const T*)0);
        return;
      }
    }
#endif
    int at[N];  // the columns, found once for all lines and channels
    AUG_UNROLL for (int i = 0; i < N; ++i)
      at[i] = (inside ? x0 + i : border_index(x0 + i, w, border)) * sx;
    float sum[C];
    AUG_UNROLL for (int c = 0; c < C; ++c)
      sum[c] = 0.0f;
    for (int j = 0; j < N; ++j) {
      const int y = y0 + j, v = (inside ? y : border_index(y, h, border)) * sy;
      const bool line_in = inside || border != BORDER_CONSTANT || (u32)y < (u32)h;
      float line[C];
      AUG_UNROLL for (int c = 0; c < C; ++c)
        line[c] = 0.0f;
      AUG_UNROLL for (int i = 0; i < N; ++i) {
        const bool in = line_in && (inside || border != BORDER_CONSTANT || (u32)(x0 + i) < (u32)w);
        const float k = ld(kx + i);  // anew for each line: to hold eight takes registers that a GPU's blocks have not
        AUG_UNROLL for (int c = 0; c < C; ++c)
          line[c] = fma_(k, in ? get(ld(src + (v + at[i] + c * s.sc))) : ld(fill + c), line[c]);
      }
      const float m = ld(ky + j);
      AUG_UNROLL for (int c = 0; c < C; ++c)
        sum[c] = fma_(m, line[c], sum[c]);
    }
    AUG_UNROLL for (int c = 0; c < C; ++c)
      px.v[c][l] = settle(sizeof(T) == 1 ? clamp_(sum[c], 0.0f, 255.0f) : sum[c], (const T*)0);
  });
}
#endif

}  // namespace aug

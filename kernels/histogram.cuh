// histogram.cuh: the reduction to how often each byte occurs in a channel of a tile.
//
// Counting has no order, so that both builds are free to: the GPU counts in shared memory, of many pixels in a histogram for each warp,
// which hides most of what equal neighbours cost, and writes their sum; the CPU in four, one for each of four neighbours: an increment
// waits for the one before it at the same place.
#pragma once
#include "part.cuh"
#if AUG_GPU
#include "gpu/words.cuh"
#endif
namespace aug {

enum { HISTOGRAM_LARGE = 8192 };  // pixels of a part that are worth eight histograms

AUG int byte_of(f16 v) { return byte_of(get(v)); }
AUG int byte_of(bf16 v) { return byte_of(get(v)); }

#if AUG_GPU
// f(value) for this thread's share of the part's pixels, four of a line at a time; beyond the image its border is reflected (101).
// SX: from a pixel to the next, or 0: what the row says
template <int SX, class T, class F> AUG void each_four(const ReduceRow& s, const Part& part, F f) {
  const int w = part.w, h = part.h, sw = s.sw, sh = s.sh, sx = SX ? SX : s.sx, sy = s.sy, fours = (w + 3) / 4;
  const int inside = min_(w, sw - part.x);
  const T* src = (const T*)s.src + (i64)part.c * s.sc;
  int i, right = 0, down = 0;
  const int threads = blockDim.x;
  if (h * fours > threads) down = divided<true>(threads, fours, right);
  for (int y = divided<true>((int)threadIdx.x, fours, i); y < h;) {
    int line = part.y + y;
    if ((u32)line >= (u32)sh) line = border_index(line, seldom(sh), BORDER_REFLECT_101);
    const T* p = ahead(src, line, sy);
    const int x = 4 * i;
    if (x + 4 <= inside) {
      p = ahead(p, part.x + x, sx);
      T v[4];
      AUG_UNROLL for (int k = 0; k < 4; ++k)
        v[k] = ld(p + (i64)k * sx);
      AUG_UNROLL for (int k = 0; k < 4; ++k)
        f(v[k]);
    } else {
      for (int k = x; k < min_(x + 4, w); ++k) f(ld(p + (i64)border_index(part.x + k, seldom(sw), BORDER_REFLECT_101) * sx));
    }
    if (h * fours <= threads) break;
    y += down;
    i += right;
    if (i >= fours) {
      i -= fours;
      ++y;
    }
  }
}

template <class T> AUG void reduce_histogram(const ReduceRow& s, const Part& part, float* out, double* memory) {
  u32* bins = (u32*)memory;
  const int t = threadIdx.x, threads = blockDim.x, many = part.h * part.w >= HISTOGRAM_LARGE ? threads / 32 : 1;
  _Pragma("unroll 1") for (int i = t; i < 256 * many; i += threads) bins[i] = 0u;
  __syncthreads();
  u32* mine = many > 1 ? bins + 256 * (t / 32) : bins;
  const auto count = [&](T v) { atomicAdd(mine + byte_of(v), 1u); };
  if (sizeof(T) == 1 && s.sx == 3) each_four<3, T>(s, part, count);
  else each_four<0, T>(s, part, count);
  __syncthreads();
  for (int bin = t; bin < 256; bin += threads) {
    u32 sum = 0;
    _Pragma("unroll 1") for (int i = 0; i < many; ++i) sum += bins[256 * i + bin];
    ((u32*)out)[bin] = sum;
  }
}
#else
template <class T> AUG_FN void reduce_histogram(const ReduceRow& s, const Part& part, float* out, double* memory) {
  u32(*bins)[256] = (u32(*)[256])memory;
  for (int i = 0; i < 4; ++i)
    for (int b = 0; b < 256; ++b) bins[i][b] = 0u;
  const T* src = (const T*)s.src + (i64)part.c * s.sc;
  const int inside = clamp_(s.sw - part.x, 0, part.w);
  const i64 sx = s.sx;
  for (int y = 0; y < part.h; ++y) {
    const T* line = src + (i64)border_index(part.y + y, s.sh, BORDER_REFLECT_101) * s.sy;
    const T* q = line + part.x * sx;
    int x = 0;
    for (; x + 4 <= inside; x += 4, q += 4 * sx) {
      ++bins[0][byte_of(q[0])];
      ++bins[1][byte_of(q[sx])];
      ++bins[2][byte_of(q[2 * sx])];
      ++bins[3][byte_of(q[3 * sx])];
    }
    for (; x < inside; ++x, q += sx) ++bins[0][byte_of(*q)];
    for (; x < part.w; ++x) ++bins[1][byte_of(line[border_index(part.x + x, s.sw, BORDER_REFLECT_101) * sx])];
  }
  u32* counts = (u32*)out;
  AUG_SIMD for (int b = 0; b < 256; ++b)
    counts[b] = bins[0][b] + bins[1][b] + bins[2][b] + bins[3][b];
}
#endif

}  // namespace aug

// histogram.cuh: the reduction to how often each byte occurs in a channel of a tile.
//
// Counting has no order, so that both builds are free to: the GPU counts in a histogram for each warp in shared memory, which hides
// most of what equal neighbours cost, and writes their sum; the CPU in four, one for each of four neighbours: an increment waits for
// the one before it at the same place.
#pragma once
#include "part.cuh"
namespace aug {

AUG int byte_of(f16 v) { return byte_of(get(v)); }
AUG int byte_of(bf16 v) { return byte_of(get(v)); }

#if AUG_GPU
template <class T> AUG void reduce_histogram(const ReduceRow& s, const Part& part, float* out, double* memory) {
  u32* bins = (u32*)memory;
  const int t = threadIdx.x;
  for (int i = 0; i < 8; ++i) bins[256 * i + t] = 0u;
  __syncthreads();
  u32* mine = bins + 256 * (t / 32);
  each_pixel<T>(s, part, [&](T v) { atomicAdd(mine + byte_of(v), 1u); });
  __syncthreads();
  u32 sum = 0;
  for (int i = 0; i < 8; ++i) sum += bins[256 * i + t];
  ((u32*)out)[t] = sum;
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

// covariance.cuh: the reduction to what covariances of a sample's channels are made of: of channel c as doubles the number of pixels,
// the sum, and, from channel c on, the sums of products with channel d.
//
// As in moments.cuh pixel i goes to partial sum i mod 256, and those are added as a tree. Products of two floats are exact in double.
// Three channels d are summed at a time, which with the channel's own sum is what the memory of a block holds. A NaN spreads.
#pragma once
#include "part.cuh"
namespace aug {

enum { COVARIANCE_PARTIALS = 256, COVARIANCE_AT_ONCE = 3, COVARIANCE_HEAD = 2 };  // doubles before the products

AUG void put_double(float* words, int i, double v) {
  const u64 b = bits(v);
  ((u32*)words)[2 * i] = (u32)b;
  ((u32*)words)[2 * i + 1] = (u32)(b >> 32);
}
AUG double get_double(const float* words, int i) { return double_of(((const u32*)words)[2 * i], ((const u32*)words)[2 * i + 1]); }

// the sums of the channel (the first time) and of its products with channels d .. d + k - 1, out of the partials
AUG void write_products(const double* memory, int c, int d, int k, float* out) {
  if (d == c) put_double(out, 1, memory[0]);
  for (int i = 0; i < k; ++i) put_double(out, COVARIANCE_HEAD + d + i, memory[COVARIANCE_PARTIALS * (1 + i)]);
}

#if AUG_GPU
template <class T> AUG void reduce_covariance(const ReduceRow& s, const Part& part, float* out, double* memory) {
  const int t = threadIdx.x, w = s.sw, c = part.c - s.first;
  const T* src = (const T*)s.src + (i64)part.c * s.sc;
  const int down = COVARIANCE_PARTIALS / w, right = COVARIANCE_PARTIALS - down * w;
  if (t == 0) put_double(out, 0, (double)s.sh * s.sw);
  for (int d = c; d < s.count; d += COVARIANCE_AT_ONCE) {
    const int k = min_(COVARIANCE_AT_ONCE, s.count - d);
    double sum[1 + COVARIANCE_AT_ONCE] = {0.0, 0.0, 0.0, 0.0};
    for (int y = t / w, x = t - y * w; y < s.sh;) {
      const T* p = src + ((i64)y * s.sy + (i64)x * s.sx);
      const double v = (double)get(ld(p));
      sum[0] += v;
      AUG_UNROLL for (int i = 0; i < COVARIANCE_AT_ONCE; ++i)
        if (i < k) sum[1 + i] += v * (double)get(ld(p + (i64)(d + i - c) * s.sc));
      y += down;
      x += right;
      if (x >= w) {
        x -= w;
        ++y;
      }
    }
    AUG_UNROLL for (int i = 0; i <= COVARIANCE_AT_ONCE; ++i)
      memory[COVARIANCE_PARTIALS * i + t] = sum[i];
    __syncthreads();
    for (int step = COVARIANCE_PARTIALS / 2; step; step >>= 1) {
      if (t < step)
        for (int i = 0; i <= COVARIANCE_AT_ONCE; ++i)
          memory[COVARIANCE_PARTIALS * i + t] += memory[COVARIANCE_PARTIALS * i + t + step];
      __syncthreads();
    }
    if (t == 0) write_products(memory, c, d, k, out);
    __syncthreads();
  }
}
#else
// the next 256 pixels of a channel, or as many as there are: then zeros
template <class T> AUG void covariance_line(const T* src, const ReduceRow& s, int first, float* line) {
  const int n = s.sh * s.sw, have = min_(n - first, COVARIANCE_PARTIALS);
  for (int at = 0, y = first / s.sw, x = first - y * s.sw; at < have; ++y, x = 0) {
    const T* q = src + ((i64)y * s.sy + (i64)x * s.sx);
    const int run = min_(have - at, s.sw - x);
    if (s.sx == 1) {
      AUG_SIMD for (int i = 0; i < run; ++i)
        line[at + i] = get(q[i]);
    } else if (s.sx == 3) {
      AUG_SIMD for (int i = 0; i < run; ++i)
        line[at + i] = get(q[3 * i]);
    } else {
      for (int i = 0; i < run; ++i) line[at + i] = get(q[(i64)i * s.sx]);
    }
    at += run;
  }
  for (int i = have; i < COVARIANCE_PARTIALS; ++i) line[i] = 0.0f;
}
template <class T> AUG_FN void reduce_covariance(const ReduceRow& s, const Part& part, float* out, double* memory) {
  const int n = s.sh * s.sw, c = part.c - s.first;
  const T* src = (const T*)s.src + (i64)part.c * s.sc;
  float line[COVARIANCE_PARTIALS], other[COVARIANCE_PARTIALS];
  put_double(out, 0, (double)n);
  for (int d = c; d < s.count; d += COVARIANCE_AT_ONCE) {
    const int k = min_(COVARIANCE_AT_ONCE, s.count - d);
    for (int i = 0; i < COVARIANCE_PARTIALS * (1 + COVARIANCE_AT_ONCE); ++i) memory[i] = 0.0;
    for (int first = 0; first < n; first += COVARIANCE_PARTIALS) {
      covariance_line(src, s, first, line);
      AUG_SIMD for (int i = 0; i < COVARIANCE_PARTIALS; ++i)
        memory[i] += (double)line[i];
      for (int j = 0; j < k; ++j) {
        const float* with = d + j == c ? line : other;
        if (d + j != c) covariance_line(src + (i64)(d + j - c) * s.sc, s, first, other);
        double* sums = memory + COVARIANCE_PARTIALS * (1 + j);
        AUG_SIMD for (int i = 0; i < COVARIANCE_PARTIALS; ++i)
          sums[i] += (double)line[i] * (double)with[i];
      }
    }
    for (int step = COVARIANCE_PARTIALS / 2; step; step >>= 1)
      for (int j = 0; j <= COVARIANCE_AT_ONCE; ++j)
        for (int i = 0; i < step; ++i) memory[COVARIANCE_PARTIALS * j + i] += memory[COVARIANCE_PARTIALS * j + i + step];
    write_products(memory, c, d, k, out);
  }
}
#endif

}  // namespace aug

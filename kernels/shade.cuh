// shade.cuh: reductions of colours to one number: the mean of their gray values, the deviation of their lightness. Images of one
// channel are their own gray values. Written for the first channel; nothing for the others.
#pragma once
#include "covariance.cuh"
namespace aug {

enum { SHADE_PARTIALS = 256 };

// OpenCV's gray value of a pixel, as op_gray has it
AUG float luma_of(float r, float g, float b, bool whole) {
  return whole ? (float)(((int)r * 9798 + (int)g * 19235 + (int)b * 3735 + 16384) >> 15)
               : fma_(r, 0.299f, fma_(g, 0.587f, b * 0.114f));
}
// torchvision's, which cuts off where colours are bytes
AUG float tint_of(float r, float g, float b, bool whole) {
  const float v = fma_(b, 0.114f, fma_(g, 0.587f, r * 0.2989f));
  return whole ? floor_(v) : v;
}
AUG float lightness_of(float r, float g, float b) { return (max_(r, max_(g, b)) + min_(r, min_(g, b))) * 0.5f; }

// sums of f(r, g, b) and of its squares, pixel i in partial i mod 256, then as a tree; in memory[0] and [256]
template <class T, class F> AUG void shade_sums(const ReduceRow& s, double* memory, F f) {
  const T* src = (const T*)s.src;
  const i64 second = s.count == 3 ? s.sc : 0;
#if AUG_GPU
  const int t = threadIdx.x, w = s.sw, down = SHADE_PARTIALS / w, right = SHADE_PARTIALS - down * w;
  double sum = 0.0, squares = 0.0;
  for (int y = t / w, x = t - y * w; y < s.sh;) {
    const T* p = src + ((i64)y * s.sy + (i64)x * s.sx);
    const double v = (double)f(get(ld(p)), get(ld(p + second)), get(ld(p + 2 * second)));
    sum += v;
    squares += v * v;
    y += down;
    x += right;
    if (x >= w) {
      x -= w;
      ++y;
    }
  }
  memory[t] = sum;
  memory[SHADE_PARTIALS + t] = squares;
  __syncthreads();
  for (int step = SHADE_PARTIALS / 2; step; step >>= 1) {
    if (t < step) {
      memory[t] += memory[t + step];
      memory[SHADE_PARTIALS + t] += memory[SHADE_PARTIALS + t + step];
    }
    __syncthreads();
  }
#else
  double *sum = memory, *squares = memory + SHADE_PARTIALS;
  float line[3][SHADE_PARTIALS];
  for (int i = 0; i < 2 * SHADE_PARTIALS; ++i) memory[i] = 0.0;
  const int n = s.sh * s.sw;
  for (int first = 0; first < n; first += SHADE_PARTIALS) {
    for (int c = 0; c < (second ? 3 : 1); ++c) covariance_line(src + c * second, s, first, line[c]);
    if (!second) __builtin_memcpy(line[1], line[0], sizeof line[0]), __builtin_memcpy(line[2], line[0], sizeof line[0]);
    const int have = min_(n - first, (int)SHADE_PARTIALS);
    AUG_SIMD for (int i = 0; i < SHADE_PARTIALS; ++i) {
      const float v = f(line[0][i], line[1][i], line[2][i]);
      const double d = i < have ? (double)v : 0.0;
      sum[i] += d;
      squares[i] += d * d;
    }
  }
  for (int step = SHADE_PARTIALS / 2; step; step >>= 1)
    for (int i = 0; i < step; ++i) {
      sum[i] += sum[i + step];
      squares[i] += squares[i + step];
    }
#endif
}
AUG bool shade_first() {
#if AUG_GPU
  return threadIdx.x == 0;
#else
  return true;
#endif
}

template <class T> AUG_FN void reduce_luma(const ReduceRow& s, const Part& part, float* out, double* memory) {
  if (part.c != s.first) return;
  const bool colour = s.count == 3;
  shade_sums<T>(s, memory, [&](float r, float g, float b) { return colour ? luma_of(r, g, b, sizeof(T) == 1) : r; });
  if (shade_first()) put_double(out, 0, memory[0] / ((double)s.sh * s.sw));
}
template <class T> AUG_FN void reduce_tint(const ReduceRow& s, const Part& part, float* out, double* memory) {
  if (part.c != s.first) return;
  const bool colour = s.count == 3;
  shade_sums<T>(s, memory, [&](float r, float g, float b) { return colour ? tint_of(r, g, b, sizeof(T) == 1) : r; });
  if (shade_first()) out[0] = (float)(memory[0] / ((double)s.sh * s.sw));
}
template <class T> AUG_FN void reduce_lightness(const ReduceRow& s, const Part& part, float* out, double* memory) {
  if (part.c != s.first) return;
  shade_sums<T>(s, memory, [](float r, float g, float b) { return lightness_of(r, g, b); });
  if (!shade_first()) return;
  const double n = (double)s.sh * s.sw, mean = memory[0] / n, around = memory[SHADE_PARTIALS] / n - mean * mean;
  out[0] = (float)sqrt_(around > 0.0 ? around : 0.0);
}

}  // namespace aug

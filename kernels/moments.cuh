// moments.cuh: the reduction to number, sum, minimum, maximum and sum of squared deviations of a channel of a sample.
//
// A channel is dealt out to 256 partial sums in the order of its pixels (pixel i to partial i mod 256), which are then
// added as a tree: 256 threads on the GPU, four vectors of lanes on the CPU, the same bits. Sums are doubles: the sum of
// squares of decibels around -80 with a deviation of 1 would lose a float's last four digits. NaNs are left out.
#pragma once
#include "part.cuh"
#if AUG_GPU
#include "gpu/sums.cuh"
#endif
namespace aug {

enum { STATS_PARTIALS = 256 };  // of (2 * 8 + 3 * 4) bytes

struct Partials {
  double *sum, *squares;
  float *low, *high;
  int* count;
};
AUG Partials partials_in(double* memory) {
  const int n = STATS_PARTIALS;
  float* f = (float*)(memory + 2 * n);
  return {memory, memory + n, f, f + n, (int*)(f + 2 * n)};
}
AUG void clear(const Partials& p, int i) {
  p.sum[i] = p.squares[i] = 0.0;
  p.low[i] = unbits(0x7f800000u);
  p.high[i] = unbits(0xff800000u);
  p.count[i] = 0;
}
AUG void merge(const Partials& p, int i, int j) {
  p.sum[i] += p.sum[j];
  p.squares[i] += p.squares[j];
  p.low[i] = min_(p.low[i], p.low[j]);
  p.high[i] = max_(p.high[i], p.high[j]);
  p.count[i] += p.count[j];
}
AUG void write_moments(double n, double sum, double squares, float low, float high, float* out) {
  const double around = n > 0.0 ? squares - sum * sum / n : 0.0;
  out[STAT_COUNT] = (float)n;
  out[STAT_SUM] = (float)sum;
  out[STAT_LOW] = low;
  out[STAT_HIGH] = high;
  out[STAT_SQUARES] = (float)(around > 0.0 ? around : 0.0);
}
AUG void write(const Partials& p, float* out) { write_moments(p.count[0], p.sum[0], p.squares[0], p.low[0], p.high[0], out); }

#if AUG_GPU
template <class T> AUG void reduce_moments(const ReduceRow& s, const Part& part, float* out, double* memory) {
  if constexpr (sizeof(T) == 1) {
    const auto done = [&](int c, double n, double sum, double squares, float low, float high) {
      write_moments(n, sum, squares, low, high, out + c * s.words);
    };
    if (sum_bytes<3>(s, part.c, memory, done) || sum_bytes<1>(s, part.c, memory, done)) return;
  }
  const Partials p = partials_in(memory);
  const int t = threadIdx.x, w = s.sw;
  const T* src = (const T*)s.src + (i64)part.c * s.sc;
  clear(p, t);
  double sum = 0.0, squares = 0.0;
  float low = p.low[t], high = p.high[t];
  int count = 0;
  const int down = STATS_PARTIALS / w, right = STATS_PARTIALS - down * w;  // from one of a thread's pixels to its next
  for (int y = t / w, x = t - y * w; y < s.sh;) {
    const float v = get(ld(src + ((i64)y * s.sy + (i64)x * s.sx)));
    if (v == v) {
      sum += (double)v;
      squares += (double)v * (double)v;
      low = min_(low, v);
      high = max_(high, v);
      ++count;
    }
    y += down;
    x += right;
    if (x >= w) {
      x -= w;
      ++y;
    }
  }
  p.sum[t] = sum;
  p.squares[t] = squares;
  p.low[t] = low;
  p.high[t] = high;
  p.count[t] = count;
  __syncthreads();
  for (int step = STATS_PARTIALS / 2; step; step >>= 1) {
    if (t < step) merge(p, t, t + step);
    __syncthreads();
  }
  if (t == 0) write(p, out);
}
#else
template <class T> AUG_FN void reduce_moments(const ReduceRow& s, const Part& part, float* out, double* memory) {
  const Partials p = partials_in(memory);
  const int n = s.sh * s.sw;
  const T* src = (const T*)s.src + (i64)part.c * s.sc;
  for (int i = 0; i < STATS_PARTIALS; ++i) clear(p, i);
  float line[STATS_PARTIALS];
  for (int first = 0, y = 0, x = 0; first < n; first += STATS_PARTIALS) {
    int at = 0;
    while (at < STATS_PARTIALS && y < s.sh) {
      const T* q = src + ((i64)y * s.sy + (i64)x * s.sx);
      const int run = min_(STATS_PARTIALS - at, s.sw - x);
      if (s.sx == 1) {
        AUG_SIMD for (int i = 0; i < run; ++i)
          line[at + i] = get(q[i]);
      } else {
        for (int i = 0; i < run; ++i) line[at + i] = get(q[(i64)i * s.sx]);
      }
      at += run;
      x += run;
      if (x == s.sw) {
        x = 0;
        ++y;
      }
    }
    for (; at < STATS_PARTIALS; ++at) line[at] = unbits(0x7fc00000u);  // no pixel: left out as a NaN is
    AUG_SIMD for (int i = 0; i < STATS_PARTIALS; ++i) {
      const float v = line[i];
      const bool ok = v == v;
      const double d = ok ? (double)v : 0.0;
      p.sum[i] += d;
      p.squares[i] += d * d;
      p.low[i] = v < p.low[i] ? v : p.low[i];
      p.high[i] = v > p.high[i] ? v : p.high[i];
      p.count[i] += ok ? 1 : 0;
    }
  }
  for (int step = STATS_PARTIALS / 2; step; step >>= 1)
    for (int i = 0; i < step; ++i) merge(p, i, i + step);
  write(p, out);
}
#endif

}  // namespace aug

// resample.cuh: to another size, each output pixel a weighted mean of a rectangle of source pixels, with weights for its column times
// weights for its line (kernels/host/taps.hpp makes them).
//
// Order of summation, the same for every pixel and build, all in float32:
//   t(y, x) = l[0] p(Y, x), then t = fma(l[j], p(Y + j, x), t), j = 1 .. lines of the output line y - 1; Y is its first
//   v(y, x) = c[0] t(y, X), then v = fma(c[i], t(y, X + i), v), i = 1 .. columns of the output column x - 1
//   result    put(v), or where halves round up put(floor(v + 1/2))
// Lines first: on the CPU they are sums of whole lines, which vectorize (cpu/resample.hpp).
#pragma once
#include "rows.cuh"
namespace aug {

// the weights of output columns or lines
struct TapTable {
  const u32 *start, *count;
  const float* weight;
  int most;
  AUG TapTable(const float* blob, int at, int n, int most)
      : start((const u32*)blob + at), count(start + n), weight(blob + at + 2 * n), most(most) {}
  AUG int first(int i) const { return (int)ld(start + i); }
  AUG int taps(int i) const { return (int)ld(count + i); }
  AUG const float* weights(int i) const { return weight + (i64)i * most; }
};

template <class T> struct ResamplePut {
  int up;
  AUG void operator()(T* p, float v) const { put(p, up ? floor_(v + 0.5f) : v); }
};

}  // namespace aug

// reduce.cuh: which function works for which reduction of gpuaug/reductions.py. One call is for one channel of one tile: a block of
// 256 threads on the GPU, one thread on the CPU. `out` is the place of its numbers, all of which it writes; `memory` of
// REDUCE_SHARED bytes is its own, and shared by the block's threads.
#pragma once
#include "covariance.cuh"
#include "histogram.cuh"
#include "moments.cuh"
#include "reductions.gen.cuh"
#include "shade.cuh"
namespace aug {

// how many parts a row has; the number-th of them
AUG int parts_of(const ReduceRow& s) { return s.down * s.across * s.count; }
template <class T> AUG void reduce(const ReduceRow& s, int number, float* found, double* memory) {
#if AUG_GPU
  int c = 0, x, tile = number;
  if (s.count > 1) tile = divided(number, s.count, c);
  const int y = divided(tile, s.across, x);
#else
  const int tile = number / s.count, c = number - tile * s.count, y = tile / s.across, x = tile - y * s.across;
#endif
  const Part part = {s.first + c, y * s.height, x * s.width, s.height, s.width};
  float* out = found + s.at + (i64)number * s.words;
  switch (s.reduction) {
#define AUG_CASE(CODE, FUNCTION) \
  case CODE: FUNCTION<T>(s, part, out, memory); break;
    AUG_REDUCTIONS(AUG_CASE)
#undef AUG_CASE
    default: break;
  }
}

}  // namespace aug

// fused.cu: the fused stage on the GPU. A block takes Group::lanes consecutive output pixels of one
// sample: blockIdx.x is the tile, y the row of the launch, z the chunk of C channels. The grid is
// as wide as the largest sample needs; blocks beyond the end of a smaller one leave at once.
//
// Compiled once per (types, channels) with GPUAUG_KERNEL, GPUAUG_IN, GPUAUG_OUT, GPUAUG_CHANNELS defined.
// All arguments are 8 bytes wide, which is what CuPy passes for a Python int. __restrict__: no store can
// change a record, so each field is loaded once (67 loads of records in the PTX instead of 171).
#include "fused.cuh"
#ifndef GPUAUG_SLOTS
#define GPUAUG_SLOTS 2
#endif

extern "C" __global__ void __launch_bounds__(256,
                                             3)  // at most 80 registers: 2 pixels of 4 channels without spills on sm_75 .. sm_120
    GPUAUG_KERNEL(const aug::Row* __restrict__ rows, const aug::Op* __restrict__ ops, const float* __restrict__ blob,
                  const float* __restrict__ stats, aug::i64 channels, aug::i64 channel0) {
  typedef aug::Group<256, GPUAUG_SLOTS> G;
  const aug::Row& s = rows[blockIdx.y];
  const int first = (int)blockIdx.x * G::lanes;
  if (first >= s.dh * s.dw) return;
  const aug::Fused f = {rows, ops, blob, stats, (int)gridDim.y, (int)channels, {0, 0}};
  aug::fused_group<G, GPUAUG_IN, GPUAUG_OUT, GPUAUG_CHANNELS>(G(), f, s, (int)channel0 + (int)blockIdx.z * GPUAUG_CHANNELS,
                                                              first);
}

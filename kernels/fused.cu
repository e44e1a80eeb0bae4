// fused.cu: the fused stage on the GPU. A block takes 256 threads times 4 output pixels of one sample: blockIdx.x is the tile, y the
// row of the launch, z the chunk of C channels. The grid is as wide as the largest sample needs; blocks beyond the end of a smaller
// one leave at once.
//
// Compiled once per (types, channels, sampling) with GPUAUG_KERNEL, GPUAUG_IN, GPUAUG_OUT, GPUAUG_CHANNELS, GPUAUG_SAMPLE defined:
// below 0 views, else gathers; with GPUAUG_MATRIX those by matrices and resizes alone (map.cuh). All arguments are 8 bytes wide,
// which is what CuPy passes for a Python int. __restrict__: no store can change a record, so each field is loaded once (67 loads of
// records in the PTX instead of 171).
#ifndef GPUAUG_SAMPLE
#define GPUAUG_SAMPLE 3
#endif
#include "gpu/fused.cuh"

extern "C" __global__ void __launch_bounds__(256, aug::blocks<GPUAUG_CHANNELS, GPUAUG_SAMPLE>())
    GPUAUG_KERNEL(const aug::Row* __restrict__ rows, const aug::Op* __restrict__ ops, const float* __restrict__ blob,
                  const float* __restrict__ found, aug::i64 channels, aug::i64 channel0) {
  typedef aug::Group<256, 4> G;
  const aug::Row& s = rows[blockIdx.y];
  const int first = (int)blockIdx.x * G::lanes;
  if (first >= s.dh * s.dw) return;
  constexpr bool whole = GPUAUG_CHANNELS == 3;  // a chunk of three channels is all that an image has (chunks_of of shapes.py)
  const int c0 = whole ? 0 : (int)channel0 + (int)blockIdx.z * GPUAUG_CHANNELS;
  const aug::Fused f = {ops, blob, found, whole ? GPUAUG_CHANNELS : (int)channels};
#if GPUAUG_SAMPLE < 0
  aug::fused_view<G, GPUAUG_IN, GPUAUG_OUT, GPUAUG_CHANNELS>(G(), f, s, c0, first);
#else
  aug::fused_gather<G, GPUAUG_IN, GPUAUG_OUT, GPUAUG_CHANNELS>(G(), f, s, c0, first);
#endif
}

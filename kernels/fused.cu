// fused.cu: the fused stage on the GPU. A block takes Group::lanes consecutive output pixels of one
// sample: blockIdx.x is the tile, y the row of the launch, z the chunk of C channels. The grid is
// as wide as the largest sample needs; blocks beyond the end of a smaller one leave at once.
//
// Compiled once per (types, channels) with GPUAUG_KERNEL, GPUAUG_IN, GPUAUG_OUT, GPUAUG_CHANNELS defined.
// All arguments are 8 bytes wide, which is what CuPy passes for a Python int. __restrict__: no store can
// change a record, so each field is loaded once (67 loads of records in the PTX instead of 171).
#include "fused.cuh"
#include "program.cuh"
#include "store.cuh"
#ifndef GPUAUG_SLOTS
#define GPUAUG_SLOTS 2
#endif
#ifndef GPUAUG_BLOCKS  // of a multiprocessor, at least: 3 leave 80 registers, 2 pixels of 4 channels without spills on sm_75 .. sm_120;
#define GPUAUG_BLOCKS (GPUAUG_SAMPLE >= 3 ? 2 : 3)  // beside cubic Lanczos would spill, and has 128
#endif

namespace aug {

// pixels first .. first + lanes - 1, channels c0 .. c0 + C - 1 of one row of the launch
template <class G, class TI, class TO, int C> AUG void fused_group(G g, const Fused& f, const Row& s, int c0, int first) {
  Pixels<G, C> px;
  load<G, TI, C>(g, s, f.blob, c0, first, px);
  program<G, C>(g, f, s, c0, px);
  store<G, TO, C>(g, s, c0, first, px);
}

}  // namespace aug

extern "C" __global__ void __launch_bounds__(256, GPUAUG_BLOCKS)
    GPUAUG_KERNEL(const aug::Row* __restrict__ rows, const aug::Op* __restrict__ ops, const float* __restrict__ blob,
                  const float* __restrict__ found, aug::i64 channels, aug::i64 channel0) {
  typedef aug::Group<256, GPUAUG_SLOTS> G;
  const aug::Row& s = rows[blockIdx.y];
  const int first = (int)blockIdx.x * G::lanes;
  if (first >= s.dh * s.dw) return;
  const aug::Fused f = {ops, blob, found, (int)channels};
  aug::fused_group<G, GPUAUG_IN, GPUAUG_OUT, GPUAUG_CHANNELS>(G(), f, s, (int)channel0 + (int)blockIdx.z * GPUAUG_CHANNELS,
                                                              first);
}

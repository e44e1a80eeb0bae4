// lookup.cu: tables on the GPU, a block of one warp for each: blockIdx.x is which of them, y the row of the launch. Compiled with
// GPUAUG_KERNEL defined; all arguments are 8 bytes wide.
#include "lookup.cuh"
#ifndef GPUAUG_SHARED
#define GPUAUG_SHARED(T, name) extern __shared__ T name[]
#endif

extern "C" __global__ void __launch_bounds__(32) GPUAUG_KERNEL(const aug::LookupRow* rows, float* found) {
  GPUAUG_SHARED(int, shared);
  const aug::LookupRow& row = rows[blockIdx.y];
  if ((int)blockIdx.x >= row.tables) return;
  aug::lookup(row, (int)blockIdx.x, found, shared);
}

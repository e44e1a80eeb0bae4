// reduce.cu: reductions on the GPU, one block for one channel of one tile of a sample: blockIdx.x is which of them, y the row of the
// launch. Compiled once per type with GPUAUG_KERNEL and GPUAUG_IN defined; all arguments are 8 bytes wide.
#include "reduce.cuh"
#ifndef GPUAUG_SHARED
#define GPUAUG_SHARED(T, name) extern __shared__ T name[]
#endif

extern "C" __global__ void __launch_bounds__(256, 4) GPUAUG_KERNEL(const aug::ReduceRow* rows, float* found) {
  GPUAUG_SHARED(double, shared);
  const aug::ReduceRow& row = rows[blockIdx.y];
  if ((int)blockIdx.x >= aug::parts_of(row)) return;
  aug::reduce<GPUAUG_IN>(row, (int)blockIdx.x, found, shared);
}

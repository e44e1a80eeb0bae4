// stats.cu: statistics on the GPU, one block for one channel of one sample: blockIdx.x is the channel, y the row of the
// launch. Compiled once per type with GPUAUG_KERNEL and GPUAUG_IN defined; all arguments are 8 bytes wide.
#include "stats.cuh"
#ifndef GPUAUG_SHARED
#define GPUAUG_SHARED(T, name) extern __shared__ T name[]
#endif

extern "C" __global__ void __launch_bounds__(256) GPUAUG_KERNEL(const aug::Row* rows, float* stats) {
  GPUAUG_SHARED(double, shared);
  aug::statistics<GPUAUG_IN>(rows[blockIdx.y], (int)blockIdx.x, stats, shared);
}

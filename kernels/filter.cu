// filter.cu: separable and sparse filters on the GPU. A block takes a tile of th x tw pixels and up to
// `chunk` channels of one sample: blockIdx.x and y are the tile, z is row of the launch * chunks + chunk.
// The grid is as large as the largest sample needs; tiles outside a smaller one leave at once.
// Dynamic shared memory: see filter_gpu.cuh. Compiled once per type with GPUAUG_KERNEL and GPUAUG_IN defined;
// all arguments are 8 bytes wide.
#include "filter_gpu.cuh"
#ifndef GPUAUG_SHARED
#define GPUAUG_SHARED(T, name) extern __shared__ T name[]
#endif

extern "C" __global__ void __launch_bounds__(256, 4)  // at most 64 registers; shared memory allows no more blocks
    GPUAUG_KERNEL(const aug::FilterRow* __restrict__ rows, const float* __restrict__ blob, aug::i64 channels, aug::i64 chunk,
                  aug::i64 th, aug::i64 tw) {
  GPUAUG_SHARED(float, shared);
  const int chunks = ((int)channels + (int)chunk - 1) / (int)chunk, c = blockIdx.z % chunks * (int)chunk;
  const aug::FilterRow& row = rows[blockIdx.z / chunks];
  aug::filter_tile<GPUAUG_IN>(aug::Group<256, 1>(), row, blob, c, aug::min_((int)chunk, (int)channels - c),
                              (int)(blockIdx.y * th), (int)(blockIdx.x * tw), (int)th, (int)tw, shared);
}

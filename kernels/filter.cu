// filter.cu: separable and sparse filters on the GPU; all arguments are 8 bytes wide. Compiled once per type with GPUAUG_KERNEL and
// GPUAUG_IN defined. blockIdx.x and y are the tile, z is row of the launch * chunks of channels + chunk. The grid is as large as the
// largest sample needs; tiles outside a smaller one leave at once.
//
// With GPUAUG_TAPS and GPUAUG_CHANNELS defined it takes bytes in march.cuh's way: tiles of `groups` times four columns and th lines,
// (channels of a pixel) * groups threads rounded up to warps. Else a block of 256 threads takes a tile of th x tw pixels and up to
// `chunk` channels; dynamic shared memory: see gpu/filter.cuh.
#include "gpu/filter.cuh"
#include "gpu/march.cuh"
#ifndef GPUAUG_SHARED
#define GPUAUG_SHARED(T, name) extern __shared__ T name[]
#endif

#ifdef GPUAUG_TAPS
// Of a multiprocessor's 64 warps 36, so that a thread has 56 registers; 30, and 64, for 7 lines of one channel where ptxas spills with
// fewer. sm_75 has room for 32 warps at all.
#if AUG_GPU && defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define GPUAUG_BLOCKS 4
#elif AUG_GPU && defined(__CUDA_ARCH__) && __CUDA_ARCH__ != 900
#define GPUAUG_BLOCKS (GPUAUG_TAPS > 5 && GPUAUG_CHANNELS == 1 ? 5 : 6)
#else
#define GPUAUG_BLOCKS 6
#endif
extern "C" __global__ void __launch_bounds__(192, GPUAUG_BLOCKS)
    GPUAUG_KERNEL(const aug::FilterRow* __restrict__ rows, const float* __restrict__ blob, aug::i64 chunks, aug::i64 groups,
                  aug::i64 th) {
  GPUAUG_SHARED(float4, shared);
  constexpr int CH = GPUAUG_CHANNELS;
  const aug::FilterRow& row = rows[blockIdx.z / (unsigned)chunks];
  const int x0 = (int)blockIdx.x * 4 * (int)groups, y0 = (int)blockIdx.y * (int)th;
  if ((x0 >= row.sw) | (y0 >= row.sh)) return;
  const int width = aug::min_(4 * (int)groups, row.sw - x0), y1 = aug::min_(y0 + (int)th, row.sh);
  aug::March<GPUAUG_TAPS, CH> march = {row, blob, (int)(blockIdx.z % (unsigned)chunks) * CH, (int)groups, x0, y0, y1, width};
  march.run(shared);
}
#else
extern "C" __global__ void __launch_bounds__(256, 4)  // at most 64 registers; shared memory allows no more blocks
    GPUAUG_KERNEL(const aug::FilterRow* __restrict__ rows, const float* __restrict__ blob, aug::i64 channels, aug::i64 chunk,
                  aug::i64 th, aug::i64 tw) {
  GPUAUG_SHARED(float, shared);
  const int chunks = ((int)channels + (int)chunk - 1) / (int)chunk, c = blockIdx.z % chunks * (int)chunk;
  const aug::FilterRow& row = rows[blockIdx.z / chunks];
  aug::filter_tile<GPUAUG_IN>(aug::Group<256, 1>(), row, blob, c, aug::min_((int)chunk, (int)channels - c),
                              (int)(blockIdx.y * th), (int)(blockIdx.x * tw), (int)th, (int)tw, shared);
}
#endif

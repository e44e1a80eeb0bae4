// resample.cu: resampling on the GPU. A thread takes one output pixel of one channel: blockIdx.x counts pixels of a sample, y is the
// row of the launch, z the channel. Compiled once per type with GPUAUG_KERNEL and GPUAUG_IN defined; all arguments are 8 bytes wide.
#include "resample.cuh"

extern "C" __global__ void __launch_bounds__(256)
    GPUAUG_KERNEL(const aug::ResampleRow* __restrict__ rows, const float* __restrict__ blob) {
  using namespace aug;
  const ResampleRow& row = rows[blockIdx.y];
  const int at = (int)blockIdx.x * 256 + (int)threadIdx.x, channel = (int)blockIdx.z;
  if (at >= row.dh * row.dw) return;
  const int y = at / row.dw, x = at - y * row.dw;
  const TapTable columns(blob, row.columns, row.dw, row.across), lines(blob, row.lines, row.dh, row.down);
  const float *c = columns.weights(x), *l = lines.weights(y);
  const int across = columns.taps(x), down = lines.taps(y);
  const GPUAUG_IN* src =
      (const GPUAUG_IN*)row.src + ((i64)lines.first(y) * row.sy + (i64)columns.first(x) * row.sx + (i64)channel * row.sc);
  float v = 0.0f;
  _Pragma("unroll 1") for (int i = 0; i < across; ++i, src += row.sx) {
    float t = 0.0f;
    _Pragma("unroll 1") for (int j = 0; j < down; ++j) {
      const float p = get(ld(src + (i64)j * row.sy)), w = ld(l + j);
      t = j ? fma_(w, p, t) : w * p;
    }
    v = i ? fma_(ld(c + i), t, v) : ld(c) * t;
  }
  GPUAUG_IN* d = (GPUAUG_IN*)row.dst + ((i64)y * row.dy + (i64)x * row.dx + (i64)channel * row.dc);
  ResamplePut<GPUAUG_IN>{row.up}(d, v);
}

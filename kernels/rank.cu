// rank.cu: ranks of windows on the GPU. A thread takes one pixel of one channel: blockIdx.x counts pixels of a sample, y is the row
// of the launch, z the channel. Values are read from the source itself: neighbouring lanes read neighbouring pixels, and the L1
// cache holds the window. Compiled once per type with GPUAUG_KERNEL and GPUAUG_IN defined; all arguments are 8 bytes wide.
#include "gpu/median.cuh"
#include "rank.cuh"

namespace aug {

template <class T> struct RankWindow {
  typedef typename KeyOf<T>::type Key;
  const RankRow* r;
  const T* src;
  const u32* runs;
  int y, x;  // of a thread's only lane

  // a pixel, or what stands for it beyond the border; none: beyond a constant one
  AUG Key pixel(int py, int px, Key none) const {
    const bool in = ((u32)py < (u32)r->sh) & ((u32)px < (u32)r->sw);
    if (!in) {
      if (r->border == BORDER_CONSTANT) return none;
      py = border_index(py, r->sh, r->border);
      px = border_index(px, r->sw, r->border);
    }
    return KeyOf<T>::of(ld(src + ((i64)py * r->sy + (i64)px * r->sx)));
  }
  struct Tap {
    const RankWindow* w;
    int dy, dx;
    AUG Key at(Lane) const { return w->pixel(w->y + dy, w->x + dx, (Key)0); }
  };
  AUG Tap tap(int dy, int dx) const { return {this, dy, dx}; }
  template <bool GREATEST> AUG Key extreme() const {
    const Key none = GREATEST ? (Key)0 : (Key) ~(Key)0;
    Key best = none;
    for (int k = 0; k < r->runs; ++k) {
      const int dy = (int)ld(runs + 3 * k), dx = (int)ld(runs + 3 * k + 1), n = (int)ld(runs + 3 * k + 2);
      for (int i = 0; i < n; ++i) {
        const Key v = pixel(y + dy, x + dx + i, none);
        best = GREATEST ? (v > best ? v : best) : (v < best ? v : best);
      }
    }
    return best;
  }
};

}  // namespace aug

#ifdef GPUAUG_TAPS
// at most 64 registers, half of a multiprocessor's threads; five lines of four channels take 80, and minima made of several instructions
// (before sm_80) more
#if AUG_GPU && defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define GPUAUG_BLOCKS 2
#else
#define GPUAUG_BLOCKS (GPUAUG_TAPS * GPUAUG_CHANNELS > 15 ? 3 : 4)
#endif
extern "C" __global__ void __launch_bounds__(256, GPUAUG_BLOCKS)
    GPUAUG_KERNEL(const aug::RankRow* __restrict__ rows, const float* __restrict__) {
  aug::Median<GPUAUG_TAPS, GPUAUG_CHANNELS> median;
  median.run(rows);
}
#else
// With 256 alone ptxas aims at 6 blocks on a multiprocessor, 40 registers, and spills; told that 2 will do it takes 56.
extern "C" __global__ void __launch_bounds__(256, 2)
    GPUAUG_KERNEL(const aug::RankRow* __restrict__ rows, const float* __restrict__ blob) {
  typedef aug::Group<256, 1> G;
  typedef aug::KeyOf<GPUAUG_IN> KeyOf;
  const aug::RankRow& row = rows[blockIdx.y];
  const int first = (int)blockIdx.x * G::lanes, channel = (int)blockIdx.z;
  if (first >= row.dh * row.dw) return;
  const int at = aug::min_(first + G::thread(), row.dh * row.dw - 1), y = at / row.dw, x = at - y * row.dw;
  const GPUAUG_IN* src = (const GPUAUG_IN*)row.src + (aug::i64)channel * row.sc;
  const aug::RankWindow<GPUAUG_IN> window = {&row, src, (const aug::u32*)blob + row.at, y, x};
  G::Var<KeyOf::type> out;
  if (row.kind == aug::RANK_GREATEST) out.v[0] = window.extreme<true>();
#ifdef GPUAUG_EXTREMES  // of a kernel without medians, whose code is a tenth as long
  else out.v[0] = window.extreme<false>();
#else
  else if (row.kind == aug::RANK_LEAST) out.v[0] = window.extreme<false>();
  else aug::median<KeyOf::type>(G(), row, window, out);
#endif
  if (first + G::thread() >= row.dh * row.dw) return;
  ((GPUAUG_IN*)row.dst)[(aug::i64)y * row.dy + (aug::i64)x * row.dx + (aug::i64)channel * row.dc] = KeyOf::back(out.v[0]);
}
#endif

// part.cuh: the part of a sample that one call of a reduction is for, and what memory it has.
#pragma once
#include "rows.cuh"
namespace aug {

struct Part {
  int c, y, x, h, w;  // the channel, and the tile: its first line and column, its size; it may reach beyond the image
};

enum { REDUCE_SHARED = 8192 };  // bytes: 8 histograms, or 256 partial sums of 28 bytes

#if AUG_GPU
// f(element) for this thread's share of the part's pixels; beyond the image its border is reflected (101)
template <class T, class F> AUG void each_pixel(const ReduceRow& s, const Part& part, F f) {
  const int w = part.w, t = threadIdx.x, down = 256 / w, right = 256 - down * w;  // from one pixel to the thread's next
  const T* src = (const T*)s.src + (i64)part.c * s.sc;
  for (int y = t / w, x = t - y * w; y < part.h;) {
    const int line = border_index(part.y + y, s.sh, BORDER_REFLECT_101);
    const int column = border_index(part.x + x, s.sw, BORDER_REFLECT_101);
    f(ld(src + ((i64)line * s.sy + (i64)column * s.sx)));
    y += down;
    x += right;
    if (x >= w) {
      x -= w;
      ++y;
    }
  }
}
#endif

// the byte that a value stands for: whole numbers 0 .. 255 for themselves, a NaN for 0
AUG int byte_of(u8 v) { return v; }
AUG int byte_of(float v) {
  const float w = v > 0.0f ? v : 0.0f;
  return (int)(w < 255.0f ? w : 255.0f);
}

}  // namespace aug

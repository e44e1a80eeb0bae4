// part.cuh: the part of a sample that one call of a reduction is for, and what memory it has.
#pragma once
#include "rows.cuh"
namespace aug {

struct Part {
  int c, y, x, h, w;  // the channel, and the tile: its first line and column, its size; it may reach beyond the image
};

enum { REDUCE_SHARED = 8192 };  // bytes: 8 histograms, or 256 partial sums of 28 bytes

// the byte that a value stands for: whole numbers 0 .. 255 for themselves, a NaN for 0
AUG int byte_of(u8 v) { return v; }
AUG int byte_of(float v) {
#if defined(__CUDACC_RTC__)
  u32 r;  // cut off and saturated, in one instruction
  asm("cvt.rzi.u8.f32 %0, %1;" : "=r"(r) : "f"(v));
  return (int)r;
#else
  const float w = v > 0.0f ? v : 0.0f;
  return (int)(w < 255.0f ? w : 255.0f);
#endif
}

// a table's entry, whose address is a sum of two words
template <class T> AUG T entry(const T* table, int i) {
#if defined(__CUDACC_RTC__)
  u64 at;
  asm("mad.wide.s32 %0, %1, %2, %3;" : "=l"(at) : "r"(i), "n"((int)sizeof(T)), "l"((u64)table));
  return ld((const T*)at);
#else
  return ld(table + i);
#endif
}

}  // namespace aug

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
  const float w = v > 0.0f ? v : 0.0f;
  return (int)(w < 255.0f ? w : 255.0f);
}

}  // namespace aug

// glass.cpp: GlassBlur's "exact" mode: pixels change places one after the other, so that each sees what those before it did. Called
// without the interpreter's lock.
#include <algorithm>
#include <cstring>
#include <vector>
#include "rows.cuh"
#include "export.hpp"
using namespace aug;

namespace {

u32 mixed(u32 v) {  // the same words as op_scene.cuh's "glass"
  v = (v ^ v >> 16) * 0x85EBCA6Bu;
  v = (v ^ v >> 13) * 0xC2B2AE35u;
  return v ^ v >> 16;
}

}  // namespace

// image: [height][width] pixels of so many bytes. Pixels from the lower right, line by line, `rounds` times: each takes the value of
// one at most `delta` away, which takes its own if `swap`.
EXPORT void gpuaug_glass(char* image, int height, int width, int bytes, int delta, int rounds, u32 key0, u32 key1, int swap) {
  std::vector<char> held(bytes);
  const i64 line = (i64)width * bytes;
  for (int k = 0; k < rounds; ++k) {
    const u32 other = key1 + 0x9E3779B9u * (u32)k;
    for (int y = height - delta; y > delta; --y)
      for (int x = width - delta; x > delta; --x) {
        const u32 v = mixed(mixed((u32)(y * width + x) + key0) ^ other);
        const int dy = (int)((v & 0xFFFFu) * 2 * delta >> 16) - delta, dx = (int)((v >> 16) * 2 * delta >> 16) - delta;
        char *mine = image + y * line + (i64)x * bytes, *its = mine + dy * line + (i64)dx * bytes;
        if (swap) std::memcpy(held.data(), mine, bytes);
        std::memmove(mine, its, bytes);
        if (swap) std::memcpy(its, held.data(), bytes);
      }
  }
}

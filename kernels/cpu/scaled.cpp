// scaled.cpp: scaled.hpp's lines, for one element type.
#include "scaled.hpp"
#include <cstring>
#include "map.cuh"
#include "sample.cuh"
#include "view.hpp"
namespace aug {

namespace {

typedef u64 __attribute__((aligned(1), may_alias)) u64_unaligned;

enum { BLOCK = 32 };  // columns at a time: of 64, the last block of 160 would be half idle
// the pixels at `at` and `next` of a source line, interpolated along x
template <class T, int C>
AUG_FN void along_x(const T* src, int sc, const int* at, const int* next, const float* t, int n, int pitch, bool words,
                    float* to) {
  const bool beside = C == 3 && next[0] == at[0] + 3 && next[n - 1] == at[n - 1] + 3;
  for (int x = 0; x < n; x += BLOCK, at += BLOCK, next += BLOCK, t += BLOCK, to += BLOCK) {
    if constexpr (sizeof(T) == 1 && C >= 3) {  // bytes: a word for each pixel; see sample_linear
      if (sc == 1) {
        u32 a[BLOCK], b[BLOCK];
        const u8* p = (const u8*)src;
        if (words && beside) {  // of three bytes two pixels are one load: 20 % off a resize
          for (int i = 0; i < BLOCK; ++i) {
            u64 two = *(const u64_unaligned*)(p + at[i]);
            __asm__("" : "+r"(two));
            a[i] = (u32)two;
            b[i] = (u32)(two >> 24);
          }
        } else if (words) {
          for (int i = 0; i < BLOCK; ++i) a[i] = word<C>(p + at[i]), b[i] = word<C>(p + next[i]);
        } else {
          for (int i = 0; i < BLOCK; ++i) a[i] = bytes<C>(p + at[i]), b[i] = bytes<C>(p + next[i]);
        }
        AUG_UNROLL for (int c = 0; c < C; ++c) {
          float* line = to + c * pitch;
          AUG_SIMD for (int i = 0; i < BLOCK; ++i)
            line[i] = lerp_(byte_(a[i], c), byte_(b[i], c), t[i]);
        }
        continue;
      }
    }
    for (int c = 0; c < C; ++c) {
      const T* p = src + (i64)c * sc;
      float* line = to + c * pitch;
      float a[BLOCK], b[BLOCK];
      for (int i = 0; i < BLOCK; ++i) a[i] = get(p[at[i]]), b[i] = get(p[next[i]]);
      AUG_SIMD for (int i = 0; i < BLOCK; ++i)
        line[i] = lerp_(a[i], b[i], t[i]);
    }
  }
}
template <class T> AUG_FN void along_y(const float* a, const float* b, float t, int n, float* to) {
  AUG_SIMD for (int i = 0; i < n; ++i)
    to[i] = settle(lerp_(a[i], b[i], t), (const T*)0);
}

// the source line y, in one of two slots: the one that does not hold `other`
template <class T, int C> const float* line_of(const Row& s, int c0, Scaled& k, int y, int other) {
  for (int slot = 0; slot < 2; ++slot)
    if (k.held[slot] == y) return k.line[slot];
  const int slot = k.held[0] == other ? 1 : 0;
  // a word read at the view's last pixel may end beyond the buffer
  const bool words =
      C == 4 || (i64)y * s.sy + max_(0, (s.sw - 1) * s.sx) < (i64)max_(0, (s.sh - 1) * s.sy) + max_(0, (s.sw - 1) * s.sx);
  const T* src = (const T*)s.src + ((i64)y * s.sy + (i64)c0 * s.sc);
  along_x<T, C>(src, s.sc, k.left, k.right, k.along, s.dw, k.pitch, words, k.line[slot]);
  k.held[slot] = y;
  return k.line[slot];
}

}  // namespace

template <class T, int C> void load_scaled(const Row& s, int c0, int first, Pixels<G, C>& px, Scaled& k) {
  const int pixels = s.dh * s.dw, end = min_(first + G::lanes, pixels);
  while (k.first + k.have < end) {  // the next line, behind what is left of those before it
    const int gone = first - k.first, left = k.have - gone;
    for (int c = 0; c < C; ++c) std::memmove(k.ready + 2 * c * k.pitch, k.ready + 2 * c * k.pitch + gone, left * sizeof(float));
    k.first = first;
    k.have = left;
    const float place = bounded(fma_(s.m[4], (float)k.y, s.m[5])), low = floor_(place);
    const int y0 = clamp_((int)low, 0, s.sh - 1), y1 = clamp_((int)low + 1, 0, s.sh - 1);
    const float* a = line_of<T, C>(s, c0, k, y0, y1);
    const float* b = line_of<T, C>(s, c0, k, y1, y0);
    for (int c = 0; c < C; ++c)
      along_y<T>(a + c * k.pitch, b + c * k.pitch, place - low, s.dw, k.ready + 2 * c * k.pitch + k.have);
    k.have += s.dw;
    ++k.y;
  }
  for (int c = 0; c < C; ++c) std::memcpy(px.v[c].v, k.ready + 2 * c * k.pitch + (first - k.first), sizeof px.v[c].v);
  for (int c = 0; c < C; ++c)  // lanes beyond the sample's end hold a value that operations may work on
    for (int i = end - first; i < G::lanes; ++i) px.v[c].v[i] = px.v[c].v[end - first - 1];
  if (s.positions) positions(G(), s, first, px);
}
template void load_scaled<GPUAUG_IN, 1>(const Row&, int, int, Pixels<G, 1>&, Scaled&);
template void load_scaled<GPUAUG_IN, 3>(const Row&, int, int, Pixels<G, 3>&, Scaled&);
template void load_scaled<GPUAUG_IN, 4>(const Row&, int, int, Pixels<G, 4>&, Scaled&);

}  // namespace aug

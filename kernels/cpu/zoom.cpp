// zoom.cpp: the mean of an image and its enlargements (op_zoom of op_scene.cuh), line by line: pixels of a source line, which are
// blended along y first, become an output line by picking from vectors, since an enlargement never steps by more than a pixel.
#include <cstring>
#include "ops.gen.cuh"
#include "parts.hpp"
#if defined(__AVX512F__)
#include <immintrin.h>
#endif
namespace aug {

namespace {

struct alignas(64) Floats {
  float v[16];
};
struct alignas(64) Ints {
  int v[16];
};
enum { LANES = 16, MOST_CHANNELS = 4 };

bool is_zoom(const Launch& l, const Row& s) {
  const int* f = s.frame;
  const bool straight = f[0] == 1 && f[4] == 1 && !f[1] && !f[2] && !f[3] && !f[5];
  return s.n_ops == 1 && l.ops[s.ops].code == OP_ZOOM && s.map == MAP_VIEW && straight && l.source == DT_U8 &&
         l.target == DT_U8 && l.channels <= MOST_CHANNELS && s.sh == s.dh && s.sw == s.dw;
}

// Of each vector of LANES pixels of an enlargement's line: the pixel at which those that it reads begin, and of each lane its pixel and
// the next, from there on.
struct Across {
  Ints at, after;
  Floats part;
  int first;
};
void lay_across(const float* row, int width, Across* a) {
  const float sx = row[0], ox = row[1], mx = row[3];
  const int left = (int)row[2];
  for (int x0 = 0; x0 < width; x0 += LANES, ++a)
    for (int i = 0; i < LANES; ++i) {
      const float x = clamp_(((float)min_(x0 + i, width - 1) + ox) * sx - 0.5f, 0.0f, mx), lx = floor_(x);
      const int ix = (int)lx + left;
      if (!i) a->first = ix;
      a->at.v[i] = ix - a->first;
      a->after.v[i] = a->at.v[i] + (lx < mx ? 1 : 0);
      a->part.v[i] = x - lx;
    }
}
// sum += what lies between two picks from a line; a shuffle of two vectors that GCC is left to find becomes scalar loads
AUG void pick_line(const float* from, const Ints& at, const Ints& after, const Floats& part, float* sum) {
#if defined(__AVX512F__)
  const __m512 a = _mm512_loadu_ps(from), b = _mm512_loadu_ps(from + LANES);
  const __m512 l0 = _mm512_permutex2var_ps(a, _mm512_load_si512(at.v), b);
  const __m512 l1 = _mm512_permutex2var_ps(a, _mm512_load_si512(after.v), b);
  const __m512 made = _mm512_fmadd_ps(_mm512_load_ps(part.v), _mm512_sub_ps(l1, l0), l0);
  _mm512_storeu_ps(sum, _mm512_add_ps(_mm512_loadu_ps(sum), made));
#else
  for (int i = 0; i < LANES; ++i) {
    const float l0 = from[at.v[i]], l1 = from[after.v[i]];
    sum[i] += fma_(part.v[i], l1 - l0, l0);
  }
#endif
}

// channels c0 .. c0 + C - 1: an output line at a time, which stays in the nearest cache while all enlargements are added to it
template <int C> AUG_FN void zoom(const Launch& l, const Row& s, int c0 = 0) {
  const Op& op = l.ops[s.ops];
  const int h = s.sh, w = s.sw, vectors = (w + LANES - 1) / LANES, pitch = vectors * LANES + 2 * LANES;
  static thread_local std::vector<float>
      memory;  // the image channel by channel; of each channel the sum, and a line of the image
  static thread_local std::vector<Across> tables;
  memory.resize((i64)C * (h + 2) * pitch);
  tables.resize((i64)op.n * vectors);
  float *const image = memory.data(), *const sums = image + (i64)C * h * pitch, *const lines = sums + C * pitch;
  Across* const across = tables.data();
  const float* const rows = l.blob + op.at;
  for (int k = 0; k < op.n; ++k) lay_across(rows + 8 * k, w, across + (i64)k * vectors);
  for (int c = 0; c < C; ++c)
    for (int y = 0; y < h; ++y) {
      const u8* from = (const u8*)s.src + (i64)y * s.sy + (i64)(c0 + c) * s.sc;
      float* to = image + ((i64)c * h + y) * pitch;
      if (s.sx == 3) {
        AUG_SIMD for (int x = 0; x < w; ++x)
          to[x] = get(from[3 * x]);
      } else {
        for (int x = 0; x < w; ++x) to[x] = get(from[(i64)x * s.sx]);
      }
      for (int x = w; x < pitch; ++x) to[x] = 0.0f;
    }
  const float by = 1.0f / (float)(op.n + 1);
  for (int y = 0; y < h; ++y) {
    for (int c = 0; c < C; ++c) std::memcpy(sums + c * pitch, image + ((i64)c * h + y) * pitch, pitch * sizeof(float));
    for (int k = 0; k < op.n; ++k) {
      const float* row = rows + 8 * k;
      const float at = clamp_(((float)y + row[5]) * row[4] - 0.5f, 0.0f, row[7]), ly = floor_(at), v = at - ly;
      const int iy = (int)ly + (int)row[6], next = ly < row[7] ? pitch : 0;
      for (int c = 0; c < C; ++c) {
        const float* p = image + ((i64)c * h + iy) * pitch;
        const float* q = p + next;
        float* t = lines + c * pitch;
        AUG_SIMD for (int x = 0; x < pitch; ++x)
          t[x] = fma_(v, q[x] - p[x], p[x]);
      }
      const Across* a = across + (i64)k * vectors;
      for (int i = 0; i < vectors; ++i, ++a) AUG_UNROLL
        for (int c = 0; c < C; ++c)
          pick_line(lines + c * pitch + a->first, a->at, a->after, a->part, sums + c * pitch + LANES * i);
    }
    u8* to = (u8*)s.dst + (i64)y * s.dy + (i64)c0 * s.dc;
    for (int x = 0; x < w; x += LANES) {
      u8 made[C][LANES];
      for (int c = 0; c < C; ++c) {
        AUG_SIMD for (int i = 0; i < LANES; ++i)
          made[c][i] = to_u8(sums[c * pitch + x + i] * by);
      }
      for (int i = 0; i < min_((int)LANES, w - x); ++i)
        for (int c = 0; c < C; ++c) to[(i64)(x + i) * s.dx + (i64)c * s.dc] = made[c][i];
    }
  }
}

}  // namespace

bool zoom_sample(const Launch& l, const Row& s) {
  if (!is_zoom(l, s)) return false;
  if (l.channels == 3) zoom<3>(l, s);
  else if (l.channels == 4) zoom<4>(l, s);
  else
    for (int c = 0; c < l.channels; ++c) zoom<1>(l, s, c);
  return true;
}

}  // namespace aug

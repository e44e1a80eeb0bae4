// zoom.cpp: the mean of an image and its enlargements (op_zoom of op_scene.cuh), line by line: pixels of a source line, which are
// blended along y first, become an output line by picking from vectors, since an enlargement never steps by more than a pixel.
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

// pixels of a line that an enlargement reads: where in the line, in vectors of LANES, and how far between two
struct Across {
  std::vector<int> first;       // of each vector the pixel at which it begins
  std::vector<Ints> at, after;  // of each lane its pixel and the next, from there on
  std::vector<Floats> part;
};
void lay_across(const float* row, int width, Across& a) {
  const float sx = row[0], ox = row[1], mx = row[3];
  const int left = (int)row[2], vectors = (width + LANES - 1) / LANES;
  a.first.resize(vectors);
  a.at.resize(vectors);
  a.after.resize(vectors);
  a.part.resize(vectors);
  for (int k = 0; k < vectors; ++k)
    for (int i = 0; i < LANES; ++i) {
      const int pixel = min_(LANES * k + i, width - 1);
      const float x = clamp_(((float)pixel + ox) * sx - 0.5f, 0.0f, mx), lx = floor_(x);
      const int ix = (int)lx + left;
      if (!i) a.first[k] = ix;
      a.at[k].v[i] = ix - a.first[k];
      a.after[k].v[i] = a.at[k].v[i] + (lx < mx ? 1 : 0);
      a.part[k].v[i] = x - lx;
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

}  // namespace

bool zoom_sample(const Launch& l, const Row& s) {
  if (!is_zoom(l, s)) return false;
  const Op& op = l.ops[s.ops];
  const int h = s.sh, w = s.sw, C = l.channels, pitch = (w + LANES - 1) / LANES * LANES + 2 * LANES;
  static thread_local std::vector<float> image, sums, line;  // channel by channel
  static thread_local Across across;
  image.resize((i64)C * h * pitch);
  sums.resize((i64)C * h * pitch);
  line.resize(pitch);
  for (int c = 0; c < C; ++c)
    for (int y = 0; y < h; ++y) {
      const u8* from = (const u8*)s.src + (i64)y * s.sy + (i64)c * s.sc;
      float *to = image.data() + ((i64)c * h + y) * pitch, *sum = sums.data() + ((i64)c * h + y) * pitch;
      if (s.sx == 3) {
        AUG_SIMD for (int x = 0; x < w; ++x)
          to[x] = get(from[3 * x]);
      } else {
        for (int x = 0; x < w; ++x) to[x] = get(from[(i64)x * s.sx]);
      }
      for (int x = w; x < pitch; ++x) to[x] = 0.0f;
      AUG_SIMD for (int x = 0; x < pitch; ++x)
        sum[x] = to[x];
    }
  const float* row = l.blob + op.at;
  for (int k = 0; k < op.n; ++k, row += 8) {
    lay_across(row, w, across);
    const float sy = row[4], oy = row[5], my = row[7];
    const int top = (int)row[6], vectors = (int)across.first.size();
    for (int y = 0; y < h; ++y) {
      const float at = clamp_(((float)y + oy) * sy - 0.5f, 0.0f, my), ly = floor_(at), v = at - ly;
      const int iy = (int)ly + top, next = ly < my ? 1 : 0;
      for (int c = 0; c < C; ++c) {
        const float *p = image.data() + ((i64)c * h + iy) * pitch, *q = p + (i64)next * pitch;
        float *t = line.data(), *sum = sums.data() + ((i64)c * h + y) * pitch;
        AUG_SIMD for (int x = 0; x < pitch; ++x)
          t[x] = fma_(v, q[x] - p[x], p[x]);
        for (int i = 0; i < vectors; ++i)
          pick_line(t + across.first[i], across.at[i], across.after[i], across.part[i], sum + LANES * i);
      }
    }
  }
  const float by = 1.0f / (float)(op.n + 1);
  for (int c = 0; c < C; ++c)
    for (int y = 0; y < h; ++y) {
      const float* sum = sums.data() + ((i64)c * h + y) * pitch;
      u8* to = (u8*)s.dst + (i64)y * s.dy + (i64)c * s.dc;
      for (int x = 0; x < w; ++x) to[(i64)x * s.dx] = to_u8(sum[x] * by);
    }
  return true;
}

}  // namespace aug

// resize.cpp: a linear resize of bytes that lie as whole pixels, to such, or of floats to floats: a stage that does nothing else.
//
// The bits are those of sample_linear, which interpolates along x, then along y, and rounds. Each source line that is needed is
// interpolated along x once, as floats that lie as the pixels do; of two of them each output line is made in one loop. What is left
// and right of the output columns is collected as bytes first: with SSSE3 for several columns from 16 bytes in one shuffle, where
// they lie that near; else as a word for each pixel.
#include <algorithm>
#include <cstring>
#if defined(__SSSE3__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 on its own header
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif
#include "bytes.hpp"
#include "columns.hpp"
#include "halve.hpp"
#include "map.cuh"
#include "parts.hpp"
#include "scaled.hpp"
namespace aug {

namespace {

typedef char Sixteen __attribute__((vector_size(16)));

struct Resize {
  std::vector<float> memory;
  std::vector<int> columns;
  std::vector<u8> bytes;
  float *along, *line[2];  // [pitch]: fraction between left and right of each value of a line; source lines, interpolated along x
  int held[2];             // which
  int *left, *right;       // [columns] bytes from a source line's first
  int group;               // columns of a shuffle; 0: words
  int* base;               // [groups] where they are read
  u8* lanes;               // [groups][16 or 32] which of them
  u8 *a, *b;               // [pitch] bytes left and right
  i64 end;                 // behind the view's last byte, from its first pixel
  int pitch;
};

// Columns of a shuffle: of FULL all bytes left are one vector, those right another; of HALF both share one.
template <int C> constexpr int FULL = 16 / C == 5 ? 4 : 16 / C;  // of three bytes five would rarely lie near enough
template <int C> constexpr int HALF = 8 / C;

// do groups of n columns lie in 16 bytes each?
bool near(const Resize& k, int n, int dw, int C) {
  for (int x = 0; x < dw; x += n) {
    int low = k.left[x], high = low;
    for (int i = x; i < x + n; ++i) {
      low = min_(low, min_(k.left[i], k.right[i]));
      high = max_(high, max_(k.left[i], k.right[i]));
    }
    if (high + C - low > 16) return false;
  }
  return true;
}

template <int C> void start(const Row& s, Resize& k) {
  const int columns = s.dw + 16;
  k.pitch = (columns * C + 63) & ~63;
  k.memory.resize(3 * k.pitch);
  k.along = k.memory.data();
  k.line[0] = k.along + k.pitch;
  k.line[1] = k.line[0] + k.pitch;
  k.held[0] = k.held[1] = -1;
  k.columns.resize(3 * columns);
  k.left = k.columns.data();
  k.right = k.left + columns;
  k.base = k.right + columns;
  k.bytes.resize(2 * k.pitch + 32 * columns);
  k.a = k.bytes.data();
  k.b = k.a + k.pitch;
  k.lanes = k.b + k.pitch;
  k.end = (s.sy > 0 ? (i64)(s.sh - 1) * s.sy : 0) + max_(0, (s.sw - 1) * s.sx) + C;
  for (int x = 0; x < columns; ++x) {  // beyond dw: a column that there is
    const float place = bounded(fma_(s.m[0], (float)min_(x, s.dw - 1), s.m[2])), low = floor_(place);
    for (int c = 0; c < C; ++c) k.along[C * x + c] = place - low;
    k.left[x] = clamp_((int)low, 0, s.sw - 1) * s.sx;
    k.right[x] = clamp_((int)low + 1, 0, s.sw - 1) * s.sx;
  }
  k.group = 0;
#if defined(__SSSE3__)
  const auto [least, most] = std::minmax_element(k.left, k.left + 2 * columns);  // right lies behind left
  if (*most + C - *least < 16) return;
  k.group = near(k, FULL<C>, s.dw, C) ? FULL<C> : near(k, HALF<C>, s.dw, C) ? HALF<C> : 0;
  if (!k.group) return;
  const int n = k.group, second = n == FULL<C> ? 16 : 8;
  // no group reads beyond the bytes that the line's columns take
  const int last = *most + C - 16;
  int* base = k.base;
  u8* lanes = k.lanes;
  for (int x = 0; x < s.dw; x += n, lanes += 2 * second) {
    const int first = min_(*std::min_element(k.left + x, k.left + x + n), *std::min_element(k.right + x, k.right + x + n));
    const int low = min_(first, last);
    *base++ = low;
    for (int i = 0; i < n; ++i)
      for (int c = 0; c < C; ++c) {
        lanes[C * i + c] = (u8)(k.left[x + i] - low + c);
        lanes[second + C * i + c] = (u8)(k.right[x + i] - low + c);
      }
    for (int i = C * n; i < second; ++i) lanes[i] = lanes[second + i] = 0;
  }
#endif
}

#if defined(__SSSE3__)
AUG Sixteen sixteen(const u8* p) {
  Sixteen v;
  std::memcpy(&v, p, 16);
  return v;
}
// what a group writes beyond its own columns the next one covers
template <int C> AUG_FN void collect_full(const u8* src, const int* base, const u8* lanes, int dw, u8* a, u8* b) {
  for (int x = 0; x < dw; x += FULL<C>, lanes += 32, a += C * FULL<C>, b += C * FULL<C>) {
    const Sixteen v = sixteen(src + *base++);
    const Sixteen left = __builtin_ia32_pshufb128(v, sixteen(lanes)), right = __builtin_ia32_pshufb128(v, sixteen(lanes + 16));
    std::memcpy(a, &left, 16);
    std::memcpy(b, &right, 16);
  }
}
template <int C> AUG_FN void collect_half(const u8* src, const int* base, const u8* lanes, int dw, u8* a, u8* b) {
  typedef i64 Two __attribute__((vector_size(16)));
  for (int x = 0; x < dw; x += HALF<C>, lanes += 16, a += C * HALF<C>, b += C * HALF<C>) {
    const Two v = (Two)__builtin_ia32_pshufb128(sixteen(src + *base++), sixteen(lanes));
    const i64 left = v[0], right = v[1];
    std::memcpy(a, &left, 8);
    std::memcpy(b, &right, 8);
  }
}
#endif
template <int C, int READ> AUG_FN void collect(const u8* src, const int* left, const int* right, int dw, u8* a, u8* b) {
  for (int x = 0; x < dw; ++x, a += C, b += C) {
    u32 p = 0, q = 0;
    std::memcpy(&p, src + left[x], READ);
    std::memcpy(&q, src + right[x], READ);
    __asm__("" : "+r"(p), "+r"(q));  // stay scalars: vectors by insertion take twice the time
    std::memcpy(a, &p, READ);
    std::memcpy(b, &q, READ);
  }
}

// GCC 12 widens bytes in loops with two to four times the shuffles, and elements of generic vectors one by one
AUG_FN void along_x(const u8* a, const u8* b, const float* along, int n, float* to) {
#if defined(__AVX512F__)
  const auto get16 = [](const u8* p) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p))); };
  for (int i = 0; i < n; i += 16) {
    const __m512 p = get16(a + i), q = get16(b + i);
    _mm512_storeu_ps(to + i, _mm512_fmadd_ps(_mm512_loadu_ps(along + i), _mm512_sub_ps(q, p), p));
  }
#elif defined(__AVX2__) && defined(__FMA__)
  const auto get8 = [](const u8* p) { return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p))); };
  for (int i = 0; i < n; i += 8) {
    const __m256 p = get8(a + i), q = get8(b + i);
    _mm256_storeu_ps(to + i, _mm256_fmadd_ps(_mm256_loadu_ps(along + i), _mm256_sub_ps(q, p), p));
  }
#else
  AUG_SIMD for (int i = 0; i < n; ++i)
    to[i] = lerp_(get(a[i]), get(b[i]), along[i]);
#endif
}
// between bytes lie no numbers that would have to be clamped; the sum's low bits are the nearest, half to even, as put() has it
AUG_FN void along_y(const float* a, const float* b, float t, int n, u8* to) {
  AUG_SIMD for (int i = 0; i < n; ++i)
    to[i] = (u8)bits(lerp_(a[i], b[i], t) + 12582912.0f);
}

// the source line y, in the one of two slots that does not hold `other`
template <int C> const float* line_of(const Row& s, Resize& k, int y, int other) {
  for (int slot = 0; slot < 2; ++slot)
    if (k.held[slot] == y) return k.line[slot];
  const int slot = k.held[0] == other ? 1 : 0;
  const i64 first = (i64)y * s.sy;
  const u8* src = (const u8*)s.src + first;
  bool done = false;
#if defined(__SSSE3__)
  done = k.group > 0;
  if (done && k.group == FULL<C>) collect_full<C>(src, k.base, k.lanes, s.dw, k.a, k.b);
  else if (done) collect_half<C>(src, k.base, k.lanes, s.dw, k.a, k.b);
#endif
  const bool words = C != 3 || first + max_(0, (s.sw - 1) * s.sx) + 4 <= k.end;
  if (!done && words) collect<C, C == 3 ? 4 : C>(src, k.left, k.right, s.dw, k.a, k.b);
  else if (!done) collect<C, C>(src, k.left, k.right, s.dw, k.a, k.b);
  along_x(k.a, k.b, k.along, s.dw * C, k.line[slot]);
  k.held[slot] = y;
  return k.line[slot];
}

template <int C> void resize(const Row& s) {
  static thread_local Resize k;
  start<C>(s, k);
  for (int y = 0; y < s.dh; ++y) {
    const float place = bounded(fma_(s.m[4], (float)y, s.m[5])), low = floor_(place);
    const int y0 = clamp_((int)low, 0, s.sh - 1), y1 = clamp_((int)low + 1, 0, s.sh - 1);
    const float* a = line_of<C>(s, k, y0, y1);
    const float* b = line_of<C>(s, k, y1, y0);
    along_y(a, b, place - low, s.dw * C, (u8*)s.dst + (i64)y * s.dy);
  }
}

// ---- floats --------------------------------------------------------------------------------------------------------------------

// The same of floats: pixels of C values, or a plane of one. What is left and right of the output columns is picked from vectors.
struct ResizeFloats {
  std::vector<float> memory;
  std::vector<Picked> groups;
  std::vector<int> at;  // [groups][2][LANES]: left and right
  float *source, *along, *line[2], *made;
  int held[2];
  float m[2];  // of the map that all this is for
  int sw = 0, dw = 0, C = 0;
};
#if defined(__AVX2__) && defined(__FMA__)
AUG_FN void along_x(const float* from, const Picked* group, int groups, const int* at, const float* along, float* to) {
  for (int k = 0; k < groups; ++k, ++group, at += 2 * LANES, along += LANES, to += LANES) {
    const float* p = from + group->base;
    const Places left = places_of(at), right = places_of(at + LANES);
    const bool near = LANES < 16 && group->reach < LANES;  // of 16 lanes two vectors and two picks are as fast
    const Floats a = near ? pick_near(p, left) : pick_far(p, left), b = near ? pick_near(p, right) : pick_far(p, right);
    put_floats(to, fused(floats_at(along), minus(b, a), a));
  }
}
#else
void along_x(const float*, const Picked*, int, const int*, const float*, float*) {}
#endif
bool start(const Row& s, int C, ResizeFloats& k) {
  if (k.sw == s.sw && k.dw == s.dw && k.C == C && k.m[0] == s.m[0] && k.m[1] == s.m[2]) return true;
  k.sw = 0;
  const int n = s.dw * C, pitch = (n + 63) & ~63, wide = (s.sw * C + PICK_PAST + 63) & ~63;
  k.memory.resize(16 + wide + 4 * pitch);
  k.source = (float*)(((size_t)k.memory.data() + 63) & ~(size_t)63);
  k.along = k.source + wide;
  k.line[0] = k.along + pitch;
  k.line[1] = k.line[0] + pitch;
  k.made = k.line[1] + pitch;
  k.groups.resize((n + LANES - 1) / LANES);
  k.at.resize(k.groups.size() * 2 * LANES);
  for (int i = 0; i < n; i += LANES) {
    int place[2 * LANES], at[2 * LANES];
    for (int lane = 0; lane < LANES; ++lane) {
      const int value = min_(i + lane, n - 1), x = value / C, c = value - x * C;
      const float at_x = bounded(fma_(s.m[0], (float)x, s.m[2])), low = floor_(at_x);
      k.along[i + lane] = at_x - low;
      place[lane] = clamp_((int)low, 0, s.sw - 1) * C + c;
      place[LANES + lane] = clamp_((int)low + 1, 0, s.sw - 1) * C + c;
    }
    Picked& g = k.groups[i / LANES];
    const auto [low, high] = std::minmax_element(place, place + 2 * LANES);
    g = {*low, *high - *low};
    if (g.reach >= 2 * LANES) return false;
    for (int lane = 0; lane < 2 * LANES; ++lane) at[lane] = place[lane] - g.base;
    std::memcpy(&k.at[2 * i], at, sizeof at);
  }
  k.sw = s.sw, k.dw = s.dw, k.C = C, k.m[0] = s.m[0], k.m[1] = s.m[2];
  return true;
}
const float* line_of(const Row& s, int C, int c0, ResizeFloats& k, int y, int other) {
  for (int slot = 0; slot < 2; ++slot)
    if (k.held[slot] == y) return k.line[slot];
  const int slot = k.held[0] == other ? 1 : 0;
  const float* from = (const float*)s.src + ((i64)y * s.sy + (i64)c0 * s.sc);
  if (y + 1 == s.sh || s.sy < s.sw * C || s.sw * C < PICK_PAST) {  // behind it lies no other line that may be looked at
    std::memcpy(k.source, from, (u64)s.sw * C * sizeof(float));
    from = k.source;
  }
  along_x(from, k.groups.data(), (int)k.groups.size(), k.at.data(), k.along, k.line[slot]);
  k.held[slot] = y;
  return k.line[slot];
}
AUG_FN void along_y(const float* a, const float* b, float t, int n, float* to) {
  AUG_SIMD for (int i = 0; i < n; ++i)
    to[i] = lerp_(a[i], b[i], t);
}
bool resize_floats(const Row& s, int C, int channels) {
  static thread_local ResizeFloats k;
  if (!start(s, C, k)) return false;
  const int n = s.dw * C;
  for (int c = 0; c < channels; c += C) {
    k.held[0] = k.held[1] = -1;
    for (int y = 0; y < s.dh; ++y) {
      const float place = bounded(fma_(s.m[4], (float)y, s.m[5])), low = floor_(place);
      const int y0 = clamp_((int)low, 0, s.sh - 1), y1 = clamp_((int)low + 1, 0, s.sh - 1);
      const float* a = line_of(s, C, c, k, y0, y1);
      const float* b = line_of(s, C, c, k, y1, y0);
      float* to = (float*)s.dst + ((i64)y * s.dy + (i64)c * s.dc);
      along_y(a, b, place - low, n, s.past ? k.made : to);
      if (s.past) copy_past((u8*)to, (const u8*)k.made, n * (i64)sizeof(float));
    }
  }
  return true;
}

}  // namespace

bool resize_sample(const Launch& l, const Row& s) {
  const int C = l.channels;
  if (LANES > 1 && l.source == DT_F32 && l.target == DT_F32 && !s.n_ops && is_scaled(s)) {
    if (s.sx == C && s.dx == C && (C == 1 || (s.sc == 1 && s.dc == 1))) return resize_floats(s, C, C);
    return s.sx == 1 && s.dx == 1 && resize_floats(s, 1, C);  // planes
  }
  if (l.source != DT_U8 || l.target != DT_U8 || s.n_ops || !is_scaled(s) || s.dx != C) return false;
  if (C > 1 && (s.sc != 1 || s.dc != 1)) return false;  // planes
  if (s.m[0] == 2.0f && s.m[4] == 2.0f && s.m[2] == 0.5f && s.m[5] == 0.5f && halve(s, C, false)) return true;
  if (C == 3) resize<3>(s);
  else if (C == 1) resize<1>(s);
  else if (C == 4) resize<4>(s);
  else return false;
  return true;
}

}  // namespace aug

// resample.hpp: resample.cuh's sums on one thread of a processor: source lines as floats in a ring, each converted once; their
// weighted sum, a line; and of that the sums for each output column.
#pragma once
#include <vector>
#include "bytes.hpp"
#include "columns.hpp"
#include "filter.hpp"
namespace aug {

template <int C, int N> AUG_FN void resample_pixel(const float* p, const float* w, int count, float* to) {
#if defined(__FMA__)
  // Of three channels four lanes are computed, as one vector, which GCC does not make of three or four sums: half the time. What
  // the fourth lane writes behind a pixel the next one overwrites.
  if constexpr (C == 3 || C == 4) {
    typedef float Four __attribute__((vector_size(16)));
    Four v, part;
    __builtin_memcpy(&part, p, 16);
    v = w[0] * part;
    for (int i = 1; i < (N ? N : count); ++i) {
      __builtin_memcpy(&part, p + i * C, 16);
      v = __builtin_ia32_vfmaddps(part, Four{} + w[i], v);
    }
    __builtin_memcpy(to, &v, 16);
    return;
  }
#endif
  float v[C];
  AUG_UNROLL for (int c = 0; c < C; ++c)
    v[c] = w[0] * p[c];
  for (int i = 1; i < (N ? N : count); ++i) {
    p += C;
    AUG_UNROLL for (int c = 0; c < C; ++c)
      v[c] = fma_(w[i], p[c], v[c]);
  }
  AUG_UNROLL for (int c = 0; c < C; ++c)
    to[c] = v[c];
}
template <int C> AUG_FN void resample_columns(const float* line, const TapTable& taps, int n, float* to) {
  for (int x = 0; x < n; ++x, to += C) {
    const float *p = line + C * taps.first(x), *w = taps.weights(x);
    const int count = taps.taps(x);
    if (count == 4) resample_pixel<C, 4>(p, w, 4, to);  // cubic
    else resample_pixel<C, 0>(p, w, count, to);
  }
}
AUG void resample_line(const float* line, const TapTable& taps, int n, int C, float* to) {
  if (C == 1) return resample_columns<1>(line, taps, n, to);
  if (C == 3) return resample_columns<3>(line, taps, n, to);
  if (C == 4) return resample_columns<4>(line, taps, n, to);
  for (int x = 0; x < n; ++x)
    for (int c = 0; c < C; ++c, ++to) {
      const float *p = line + C * taps.first(x) + c, *w = taps.weights(x);
      float v = w[0] * *p;
      for (int i = 1; i < taps.taps(x); ++i) v = fma_(w[i], p[i * C], v);
      *to = v;
    }
}

// channels c0 .. c0 + C - 1
template <class T>
AUG_FN void resample_image(const ResampleRow& row, const float* blob, int c0, int C, std::vector<float>& scratch) {
  const int wide = filter_round(row.sw * C + PICK_PAST + 16), narrow = filter_round(row.dw * C + LANES + 4), ring = row.down;
  scratch.resize((i64)(ring + 2 + LINES_AT_ONCE) * wide + (1 + LINES_AT_ONCE) * narrow + 3 * filter_round(ring) + 64);
  FilterArena arena(scratch.data());
  float* lines = arena.take<float>(ring * wide);
  float *acc = arena.take<float>(wide), *spare = arena.take<float>(max_(wide, narrow));
  float *sums[LINES_AT_ONCE], *outs[LINES_AT_ONCE];
  for (int r = 0; r < LINES_AT_ONCE; ++r) sums[r] = arena.take<float>(wide), outs[r] = arena.take<float>(narrow);
  int* held = arena.take<int>(ring);  // the source line in each slot
  for (int i = 0; i < ring; ++i) held[i] = -1;
  const TapTable columns(blob, row.columns, row.dw, row.across), rows(blob, row.lines, row.dh, row.down);
  const T* src = (const T*)row.src + (i64)c0 * row.sc;
  T* dst = (T*)row.dst + (i64)c0 * row.dc;
  const bool dense = (row.dx == C) & ((row.dc == 1) | (C == 1));
  const ResamplePut<T> finish = {row.up};
  static thread_local Columns vectors;
  plan_columns(columns, row.dw, C, vectors);
  const auto sum_lines = [&](int y, float* sum) {
    const int first = rows.first(y), count = rows.taps(y);
    const float* weights = rows.weights(y);
    for (int line = first; line < first + count; ++line) {
      const int slot = line % ring;
      if (held[slot] == line) continue;
      filter_load(src + (i64)line * row.sy, lines + (i64)slot * wide, row.sw, row.sx, row.sc, C, spare);
      held[slot] = line;
    }
    filter_rows(
        count, [&](int j) { return lines + (i64)((first + j) % ring) * wide; }, [&](int j) { return weights[j]; }, acc,
        row.sw * C, Keep{sum});
  };
  for (int y = 0; y < row.dh; y += LINES_AT_ONCE) {
    const int some = min_((int)LINES_AT_ONCE, row.dh - y);
    for (int r = 0; r < some; ++r) sum_lines(y + r, sums[r]);
    if (vectors.able) run_columns(sums, some, vectors, outs);
    for (int r = 0; r < some; ++r) {
      if (!vectors.able) resample_line(sums[r], columns, row.dw, C, outs[r]);
      T* d = dst + (i64)(y + r) * row.dy;
      if (dense && row.past) {  // past the caches by way of what stays in them
        T* const made = (T*)spare;
        filter_plane<1>(outs[r], made, row.dw * C, 1, finish);
        copy_past((u8*)d, (const u8*)made, row.dw * C * (i64)sizeof(T));
      } else if (dense) filter_plane<1>(outs[r], d, row.dw * C, 1, finish);
      else filter_scatter(outs[r], d, row.dw, row.dx, row.dc, C, finish);
    }
  }
}

}  // namespace aug

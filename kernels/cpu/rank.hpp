// rank.hpp: rank.cuh on one thread of a processor.
//
// It keeps a ring of kh source lines with their halo, as keys (filter.hpp brings them in). For the extremes each line is kept
// several times: of 1, 2, 4, .. pixels from each on; a run of n is then the extreme of two that overlap, whatever n is. Of few
// pixels each is read by itself. Either way an output line is the extreme of some lines of values, in one loop.
#pragma once
#include "filter.hpp"
#include "parts.hpp"
#include "rank.cuh"
namespace aug {

template <> AUG void filter_get<u8, u8>(u8* to, u8 v) { *to = v; }
template <> AUG void filter_get<f16, u16>(u16* to, f16 v) { *to = KeyOf<f16>::of(v); }
template <> AUG void filter_get<bf16, u16>(u16* to, bf16 v) { *to = KeyOf<bf16>::of(v); }
template <> AUG void filter_get<float, u32>(u32* to, float v) { *to = KeyOf<float>::of(v); }
template <> AUG void filter_get<i32, u32>(u32* to, i32 v) { *to = KeyOf<i32>::of(v); }

template <class T> struct RankPut {
  AUG void operator()(T* p, typename KeyOf<T>::type k) const { *p = KeyOf<T>::back(k); }
};

// lanes i .. i + 63 of an output line: values of a line lie C apart from pixel to pixel
template <class Key> struct RankLanes {
  const Key* const* line;  // [kh] from the uppermost on, each at its first lane of the middle pixel
  int ry, C, i;
  struct Tap {
    const Key* p;
    AUG Key at(Lane l) const { return p[l.slot]; }
  };
  AUG Tap tap(int dy, int dx) const { return {line[dy + ry] + i + dx * C}; }
};

enum { RANK_FEW = 9 };  // pixels of an element that are read one by one: 3 x 3, and all smaller ones
// pixels of a structuring element, in ints (dy, dx, length)
static inline int rank_pixels(const RankRow& row, const float* blob) {
  int n = 0;
  for (int k = 0; k < row.runs; ++k) n += ((const int*)blob)[row.at + 3 * k + 2];
  return n;
}
// How often a line is kept: once, or up to the greatest power of two that the longest run holds.
static inline int rank_levels(const RankRow& row, const float* blob) {
  int levels = 1;
  if (row.kind == RANK_MEDIAN || rank_pixels(row, blob) <= RANK_FEW) return levels;
  while (1 << levels <= row.kw) ++levels;
  return levels;
}
static inline int rank_pitch(const RankRow& row, int C, int tw) { return ((tw + row.kw - 1) * C + G::lanes + 16 + 63) & ~63; }
// columns of a strip: see filter_strip
static inline int rank_strip(const RankRow& row, const float* blob, int C, int item) {
  const int most = RING_MOST * 4 / item;
  const int fit = max_(clamp_(most / (row.kh * rank_levels(row, blob) + 2), LINE_LEAST, LINE_MOST) / C, 1);
  const int strips = (row.sw + fit - 1) / fit;
  return (row.sw + strips - 1) / strips;
}

// the extreme of N lines of values; `to` may be one of them
template <bool GREATEST, int N, class Key> AUG_FN void extreme_of(const Key* const* from, Key* to, int lanes) {
  const Key* p[N];
  AUG_UNROLL for (int j = 0; j < N; ++j)
    p[j] = from[j];
  AUG_SIMD for (int i = 0; i < lanes; ++i) {
    Key v = p[0][i];
    AUG_UNROLL for (int j = 1; j < N; ++j) {
      const Key k = p[j][i];
      v = GREATEST ? (k > v ? k : v) : (k < v ? k : v);
    }
    to[i] = v;
  }
}
template <bool GREATEST, int N, class Key> AUG void extreme_of_few(int n, const Key* const* from, Key* to, int lanes) {
  if constexpr (N > 1) {
    if (n < N) return extreme_of_few<GREATEST, N - 1>(n, from, to, lanes);
  }
  extreme_of<GREATEST, N>(from, to, lanes);
}
// of n lines, FILTER_TAPS at a time: the result so far takes the place of one that is done with
template <bool GREATEST, class Key> AUG_FN void extreme_line(int n, const Key** from, Key* to, int lanes) {
  while (true) {
    const int m = min_(n, FILTER_TAPS);
    extreme_of_few<GREATEST, FILTER_TAPS>(m, from, to, lanes);
    if (m == n) return;
    from += m - 1;
    n -= m - 1;
    *from = to;
  }
}

template <class T>
AUG_FN void rank_tile(const RankRow& row, const float* blob, int c0, int C, int x0, int tw, std::vector<float>& scratch) {
  typedef typename KeyOf<T>::type Key;
  const int kh = row.kh, lanes = tw * C, levels = rank_levels(row, blob), pitch = rank_pitch(row, C, tw), line = levels * pitch;
  const int most = max_(2 * row.runs, RANK_FEW);  // lines of which an output line is the extreme
  scratch.resize(((i64)kh * line + 3 * pitch + C) * sizeof(Key) / 4 + 4 * kh + row.kw + 2 * most + 16 * 20);
  FilterArena arena(scratch.data());
  FilterLines<T, Key> s = filter_lines<T, Key>(row, c0, C, x0, tw);
  const bool greatest = row.kind == RANK_GREATEST;
  if (row.border == BORDER_CONSTANT) {  // what lies outside does not count
    Key* fill = arena.take<Key>(C);
    for (int c = 0; c < C; ++c) fill[c] = greatest ? (Key)0 : (Key) ~(Key)0;
    s.fill = fill;
  }
  s.pitch = line;
  s.ring = arena.take<Key>(kh * line + 64) + (-s.rx * C & 63);  // so that pixels, after their halo, begin on whole vectors
  s.spare = arena.take<Key>(pitch);
  Key* result = arena.take<Key>(filter_round(lanes + G::lanes));
  const Key** at = arena.take<const Key*>(kh);
  const Key** taps = arena.take<const Key*>(most);
  const int* runs = (const int*)blob + row.at;
  s.held = arena.take<int>(kh);
  s.edge = arena.take<int>(row.kw);
  s.start();
  const int whole = (tw + row.kw - 1) * C;
  const auto enter = [&](int y) {
    s.enter(y, [&](int from, Key* to) {
      s.line(from, to);
      for (int level = 1; level < levels; ++level) {
        const int step = C << (level - 1), n = max_(whole - 2 * step + C, 0);
        Key* half = to + (level - 1) * pitch;
        const Key* two[2] = {half, half + step};
        if (greatest) extreme_of<true, 2>(two, half + pitch, n);
        else extreme_of<false, 2>(two, half + pitch, n);
      }
    });
  };
  const bool dense = (row.dx == C) & ((row.dc == 1) | (C == 1));
  for (int y = -s.ry; y < s.ry; ++y) enter(y);
  T* dst = (T*)row.dst + ((i64)x0 * row.dx + (i64)c0 * row.dc);
  for (int y = 0; y < row.sh; ++y) {
    enter(y + s.ry);
    T* d = dst + (i64)y * row.dy;
    const int first = s.slot(y - s.ry);
    for (int j = 0; j < kh; ++j) at[j] = s.after(first, j) + s.rx * C;
    if (row.kind == RANK_MEDIAN) {
      for (int i = 0; i < lanes; i += G::lanes) {
        G::Var<Key> out;
        median<Key>(G(), row, RankLanes<Key>{at, s.ry, C, i}, out);
        if (dense) filter_plane<1>(out.v, d + i, min_(lanes - i, G::lanes), 1, RankPut<T>());
        else __builtin_memcpy(result + i, out.v, sizeof out.v);
      }
    } else {
      int n = 0;
      for (int k = 0; k < row.runs; ++k) {
        const Key* p = at[runs[3 * k] + s.ry] + runs[3 * k + 1] * C;
        const int length = runs[3 * k + 2], level = levels == 1 ? 0 : 31 - __builtin_clz(length);
        p += level * pitch;
        if (levels == 1) {
          for (int i = 0; i < length; ++i) taps[n++] = p + i * C;
        } else {
          taps[n++] = p;
          if (length != 1 << level) taps[n++] = p + (length - (1 << level)) * C;
        }
      }
      constexpr bool as_they_are = sizeof(T) == 1;  // bytes are their own keys
      Key* to = as_they_are && dense ? (Key*)d : result;
      if (greatest) extreme_line<true>(n, taps, to, lanes);
      else extreme_line<false>(n, taps, to, lanes);
      if (!as_they_are && dense) filter_plane<1>(result, d, lanes, 1, RankPut<T>());
    }
    if (!dense) filter_scatter(result, d, tw, row.dx, row.dc, C, RankPut<T>());
  }
}

}  // namespace aug

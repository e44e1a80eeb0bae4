// rank.hpp: rank.cuh on one thread of a processor.
//
// It keeps a ring of kh source lines with their halo, as keys (filter.hpp brings them in). For the extremes each line is kept
// several times: of 1, 2, 4, .. pixels from each on; a run of n is then the extreme of two that overlap, whatever n is.
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

// A run of n pixels as two overlapping ones of a power of two: where they begin at the first lane of an output line.
template <class Key> struct RunEnds {
  const Key *a, *b;
};
// lanes i .. i + 63 of an output line: values of a line lie C apart from pixel to pixel
template <class Key> struct RankLanes {
  const Key* const* line;  // [kh] from the uppermost on, each at its first lane of the middle pixel
  const RunEnds<Key>* runs;
  int ry, C, i;
  struct Tap {
    const Key* p;
    AUG Key at(Lane l) const { return p[l.slot]; }
  };
  template <bool GREATEST> struct Run {
    const Key *a, *b;
    AUG Key at(Lane l) const {
      const Key x = a[l.slot], y = b[l.slot];
      return GREATEST ? (x > y ? x : y) : (x < y ? x : y);
    }
  };
  AUG Tap tap(int dy, int dx) const { return {line[dy + ry] + i + dx * C}; }
  template <bool GREATEST> AUG Run<GREATEST> run(int k) const { return {runs[k].a + i, runs[k].b + i}; }
};

// How often a line is kept: up to the greatest power of two that the longest run holds.
static inline int rank_levels(const RankRow& row) {
  int levels = 1;
  while (row.kind != RANK_MEDIAN && 1 << levels <= row.kw) ++levels;
  return levels;
}
static inline int rank_pitch(const RankRow& row, int C, int tw) { return filter_round((tw + row.kw - 1) * C + G::lanes + 16); }
// columns of a strip: see filter_strip
static inline int rank_strip(const RankRow& row, int C, int item) {
  const int most = RING_MOST * 4 / item;
  const int fit = max_(clamp_(most / (row.kh * rank_levels(row) + 2), LINE_LEAST, LINE_MOST) / C, 1);
  const int strips = (row.sw + fit - 1) / fit;
  return (row.sw + strips - 1) / strips;
}

// all of 1 << (level + 1) pixels from those of half as many
template <bool GREATEST, class Key> AUG_FN void rank_double(const Key* p, const Key* q, Key* to, int n) {
  AUG_SIMD for (int i = 0; i < n; ++i) {
    const Key a = p[i], b = q[i];
    to[i] = GREATEST ? (a > b ? a : b) : (a < b ? a : b);
  }
}

template <class T>
AUG_FN void rank_tile(const RankRow& row, const float* blob, int c0, int C, int x0, int tw, std::vector<float>& scratch) {
  typedef typename KeyOf<T>::type Key;
  const int kh = row.kh, lanes = tw * C, levels = rank_levels(row), pitch = rank_pitch(row, C, tw), line = levels * pitch;
  scratch.resize(((i64)kh * line + 3 * pitch + C) * sizeof(Key) / 4 + 4 * kh + row.kw + 4 * row.runs + 16 * 16);
  FilterArena arena(scratch.data());
  FilterLines<T, Key> s = filter_lines<T, Key>(row, c0, C, x0, tw);
  const bool greatest = row.kind == RANK_GREATEST;
  if (row.border == BORDER_CONSTANT) {  // what lies outside does not count
    Key* fill = arena.take<Key>(C);
    for (int c = 0; c < C; ++c) fill[c] = greatest ? (Key)0 : (Key) ~(Key)0;
    s.fill = fill;
  }
  s.pitch = line;
  s.ring = arena.take<Key>(kh * line);
  s.spare = arena.take<Key>(pitch);
  Key* result = arena.take<Key>(filter_round(lanes + G::lanes));
  const Key** at = arena.take<const Key*>(kh);
  RunEnds<Key>* ends = arena.take<RunEnds<Key>>(row.runs);
  const u32* runs = (const u32*)blob + row.at;
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
        if (greatest) rank_double<true>(half, half + step, half + pitch, n);
        else rank_double<false>(half, half + step, half + pitch, n);
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
    for (int k = 0; k < row.runs; ++k) {
      const int n = (int)runs[3 * k + 2], level = 31 - __builtin_clz(n);
      const Key* p = at[(int)runs[3 * k] + s.ry] + level * pitch + (int)runs[3 * k + 1] * C;
      ends[k] = {p, p + (n - (1 << level)) * C};
    }
    for (int i = 0; i < lanes; i += G::lanes) {
      G::Var<Key> out;
      rank<Key>(G(), row, RankLanes<Key>{at, ends, s.ry, C, i}, out);
      if (dense) filter_plane<1>(out.v, d + i, min_(lanes - i, G::lanes), 1, RankPut<T>());
      else __builtin_memcpy(result + i, out.v, sizeof out.v);
    }
    if (!dense) filter_scatter(result, d, tw, row.dx, row.dc, C, RankPut<T>());
  }
}

}  // namespace aug

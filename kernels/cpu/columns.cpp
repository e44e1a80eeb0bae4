// columns.cpp: see columns.hpp.
#include "columns.hpp"
#include <algorithm>
#include <cstring>
namespace aug {

void plan_columns(const TapTable& taps, int columns, int C, Columns& k) {
  const size_t words = (size_t)columns * (2 + taps.most);
  if (k.C == C && k.n == columns * C && k.made_of.size() == words &&
      !std::memcmp(k.made_of.data(), taps.start, words * sizeof(u32)))
    return;
  k.made_of.assign(taps.start, taps.start + words);
  k.C = C;
  k.n = columns * C;
  k.able = LANES > 1;
  k.groups.clear();
  k.at.clear();
  k.counts.clear();
  std::vector<float>& weight = k.memory;
  weight.clear();
  for (int i = 0; k.able && i < k.n; i += LANES) {
    int place[LANES], at[LANES], counts[LANES], n = std::min(k.n - i, (int)LANES);
    for (int lane = 0; lane < LANES; ++lane) {
      const int value = std::min(i + lane, k.n - 1), x = value / C;
      if (lane < n) place[lane] = C * taps.first(x) + value % C;
      counts[lane] = taps.taps(x);
    }
    Columns::Group group;
    k.able = find_picks(place, n, group, at);
    const auto [least, most] = std::minmax_element(counts, counts + LANES);
    group.count = *most;
    group.same = *least == *most;
    group.weights = (int)weight.size();
    k.groups.push_back(group);
    k.at.insert(k.at.end(), at, at + LANES);
    k.counts.insert(k.counts.end(), counts, counts + LANES);
    for (int j = 0; j < group.count; ++j)
      for (int lane = 0; lane < LANES; ++lane) {
        const int x = std::min(i + lane, k.n - 1) / C;
        weight.push_back(j < counts[lane] ? taps.weights(x)[j] : 0.0f);
      }
  }
  // aligned to lines of the cache: each would be read as two
  const size_t values = weight.size();
  weight.insert(weight.begin(), 16, 0.0f);
  k.weight = (float*)(((size_t)weight.data() + 63) & ~(size_t)63);
  std::memmove(k.weight, weight.data() + 16, values * sizeof(float));
}

#if defined(__AVX2__) && defined(__FMA__)
namespace {

// What the vectors of a group read of a line: each weight's values from a vector or two of their own, or all of them from the same two.
enum Reach { NEAR, FAR, WHOLE };

template <Reach R, int LINES, int COUNT, bool SAME>
AUG void sums(const float* const* lines, const Columns& k, const Columns::Group& g, int i, float* const* to) {
  const int C = k.C, count = COUNT ? COUNT : g.count;
  const Places at = places_of(&k.at[i]), counts = places_of(&k.counts[i]);
  const float* w = k.weight + g.weights;
  Floats v[LINES];
#if defined(__AVX512F__)
  Floats a[LINES], b[LINES];
  if constexpr (R == WHOLE)
    for (int r = 0; r < LINES; ++r) a[r] = floats_at(lines[r] + g.base), b[r] = floats_at(lines[r] + g.base + LANES);
#endif
  const auto pick = [&](int r, int j) {
    const float* p = lines[r] + g.base + j * C;
#if defined(__AVX512F__)
    if constexpr (R == WHOLE) return _mm512_permutex2var_ps(a[r], _mm512_add_epi32(at, _mm512_set1_epi32(j * C)), b[r]);
#endif
    return R == NEAR ? pick_near(p, at) : pick_far(p, at);
  };
  const Floats first = floats_at(w);
  for (int r = 0; r < LINES; ++r) v[r] = times(first, pick(r, 0));
  AUG_UNROLL for (int j = 1; j < count; ++j) {
    const Floats next = floats_at(w + j * LANES);
    for (int r = 0; r < LINES; ++r) v[r] = SAME ? fused(next, pick(r, j), v[r]) : fused_above(next, pick(r, j), v[r], counts, j);
  }
  for (int r = 0; r < LINES; ++r) put_floats(to[r] + i, v[r]);
}
template <Reach R, int LINES>
AUG void sums(const float* const* lines, const Columns& k, const Columns::Group& g, int i, float* const* to) {
  if (!g.same) return sums<R, LINES, 0, false>(lines, k, g, i, to);
  if (g.count == 4) return sums<R, LINES, 4, true>(lines, k, g, i, to);  // cubic
  if (g.count == 2) return sums<R, LINES, 2, true>(lines, k, g, i, to);
  sums<R, LINES, 0, true>(lines, k, g, i, to);
}
template <int LINES> AUG_FN void run(const float* const* lines, const Columns& k, float* const* to) {
  int i = 0;
  for (const Columns::Group& g : k.groups) {
#if defined(__AVX512F__)
    if (g.reach + (g.count - 1) * k.C < 2 * LANES) sums<WHOLE, LINES>(lines, k, g, i, to);
    else
#endif
        if (g.reach < LANES)
      sums<NEAR, LINES>(lines, k, g, i, to);
    else sums<FAR, LINES>(lines, k, g, i, to);
    i += LANES;
  }
}

}  // namespace

void run_columns(const float* const* lines, int count, const Columns& k, float* const* to) {
  if (count == LINES_AT_ONCE) return run<LINES_AT_ONCE>(lines, k, to);
  for (int r = 0; r < count; ++r) run<1>(lines + r, k, to + r);
}
#else
void run_columns(const float* const*, int, const Columns&, float* const*) {}
#endif

}  // namespace aug

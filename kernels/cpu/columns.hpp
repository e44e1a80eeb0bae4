// columns.hpp: weighted sums of a line's pixels for each output column (resample.cuh), and what lies between two of them, in vectors.
//
// The values that the lanes of a vector ask for lie near each other in the line: so they are picked from one vector or two, which is
// one instruction, and of the next weight's from those that begin a pixel later. Without AVX2, or where the source's pixels are much
// more than the output's, `able` is false.
#pragma once
#include <vector>
#include "resample.cuh"
#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#endif
namespace aug {

#if defined(__AVX512F__)
typedef __m512 Floats;
enum { LANES = 16 };
#elif defined(__AVX2__) && defined(__FMA__)
typedef __m256 Floats;
enum { LANES = 8 };
#else
enum { LANES = 1 };
#endif
enum { PICK_PAST = 2 * LANES };  // floats behind a line that are looked at

// Where the lanes of a vector lie: from `base` on, the furthest `reach` floats behind it.
struct Picked {
  int base, reach;
};
// places[i] for lanes i of `n` values, from the group's first on; lanes beyond it ask for the last. false: they lie too far apart.
inline bool find_picks(const int* places, int n, Picked& group, int* at) {
  int low = places[0], high = low;
  for (int i = 1; i < n; ++i) low = places[i] < low ? places[i] : low, high = places[i] > high ? places[i] : high;
  group = {low, high - low};
  for (int i = 0; i < LANES; ++i) at[i] = places[i < n ? i : n - 1] - low;
  return high - low < 2 * LANES;
}

#if defined(__AVX512F__)
typedef __m512i Places;
inline Places places_of(const int* at) { return _mm512_loadu_si512(at); }
inline Floats pick_near(const float* p, Places at) { return _mm512_maskz_permutexvar_ps(0xffff, at, _mm512_loadu_ps(p)); }
inline Floats pick_far(const float* p, Places at) {
  return _mm512_permutex2var_ps(_mm512_loadu_ps(p), at, _mm512_loadu_ps(p + LANES));
}
inline Floats floats_at(const float* p) { return _mm512_loadu_ps(p); }
inline void put_floats(float* p, Floats v) { _mm512_storeu_ps(p, v); }
inline Floats times(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
inline Floats minus(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
inline Floats fused(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
// ... in lanes whose count is above j; elsewhere c
inline Floats fused_above(Floats a, Floats b, Floats c, Places counts, int j) {
  return _mm512_mask3_fmadd_ps(a, b, c, _mm512_cmpgt_epi32_mask(counts, _mm512_set1_epi32(j)));
}
#elif defined(__AVX2__) && defined(__FMA__)
typedef __m256i Places;
inline Places places_of(const int* at) { return _mm256_loadu_si256((const __m256i*)at); }
inline Floats pick_near(const float* p, Places at) { return _mm256_permutevar8x32_ps(_mm256_loadu_ps(p), at); }
inline Floats pick_far(const float* p, Places at) {
  const Floats a = pick_near(p, at), b = pick_near(p + LANES, at);
  return _mm256_blendv_ps(a, b, _mm256_castsi256_ps(_mm256_slli_epi32(at, 28)));
}
inline Floats floats_at(const float* p) { return _mm256_loadu_ps(p); }
inline void put_floats(float* p, Floats v) { _mm256_storeu_ps(p, v); }
inline Floats times(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
inline Floats minus(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
inline Floats fused(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
inline Floats fused_above(Floats a, Floats b, Floats c, Places counts, int j) {
  const Places above = _mm256_cmpgt_epi32(counts, _mm256_set1_epi32(j));
  return _mm256_blendv_ps(c, fused(a, b, c), _mm256_castsi256_ps(above));
}
#endif

// The columns of a resampling, whole pixels of C values.
struct Columns {
  bool able = false;
  std::vector<u32> made_of;  // the table of weights, to know it again: samples of a batch mostly share one
  int C = 0, n = 0;
  struct Group : Picked {
    int count, weights;  // of its lanes the most; its first in `weight`
    bool same;           // have all of them as many?
  };
  std::vector<Group> groups;
  std::vector<int> at, counts;  // [groups][LANES]
  float* weight;                // [groups][count][LANES]
  std::vector<float> memory;    // in it
};
enum { LINES_AT_ONCE = 4 };  // which share the loading of weights
void plan_columns(const TapTable&, int columns, int C, Columns&);
// so many lines; `to` has room for whole vectors, `lines` for PICK_PAST more
void run_columns(const float* const* lines, int count, const Columns&, float* const* to);

}  // namespace aug

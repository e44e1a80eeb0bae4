// fractal.cpp: patterns by diamonds and squares, for gpuaug/fractal.py. They take milliseconds, so that it is called without the
// interpreter's lock, and knows addresses alone.
#include <algorithm>
#include <vector>
#include "draws.hpp"
#include "export.hpp"
using namespace aug;

namespace {

typedef std::vector<float> Floats;

// to 0..1 in place; what is all alike to 0
void stretch(float* v, i64 n) {
  float low = v[0], high = v[0];
  _Pragma("omp simd reduction(min:low) reduction(max:high)") for (i64 i = 0; i < n; ++i) {
    low = v[i] < low ? v[i] : low;
    high = v[i] > high ? v[i] : high;
  }
  const float scale = high > low ? 1.0f / (high - low) : 0.0f;
  AUG_SIMD for (i64 i = 0; i < n; ++i)
    v[i] = (v[i] - low) * scale;
}

// A grid of from x from becomes one of side x side: its points with noise; between four of them, and between two of them and two of
// those, the mean with noise, where it is above 0. The four kinds are made apart, each a run of memory, and put together.
struct Doubling {
  Floats noise, here, crossed, right, below;
  void operator()(Floats& grid, int from, const double* u, float scale) {
    const int side = 2 * from - 1, less = from - 1;
    noise.resize((i64)side * side);
    float* n = noise.data();
    AUG_SIMD for (i64 i = 0; i < (i64)side * side; ++i)
      n[i] = (2.0f * (float)u[i] - 1.0f) * scale;
    here.resize((i64)from * from);
    // crossed and below with a column of zeros on either side, crossed with a line of them above and below
    crossed.assign((i64)(from + 1) * (from + 1), 0.0f);
    right.resize((i64)from * from);
    below.resize((i64)from * from);
    const int pitch = from + 1;
    const auto kept = [](float mean, float noise) { return mean > 0.0f ? mean + noise : 0.0f; };
    for (int y = 0; y < from; ++y) {
      const float *g = grid.data() + (i64)y * from, *r = n + (i64)2 * y * side;
      float* to = here.data() + (i64)y * from;
      AUG_SIMD for (int x = 0; x < from; ++x)
        to[x] = g[x] + r[2 * x];
    }
    for (int y = 0; y < less; ++y) {
      const float *a = here.data() + (i64)y * from, *b = a + from, *r = n + (i64)(2 * y + 1) * side;
      float* to = crossed.data() + (i64)(y + 1) * pitch + 1;
      AUG_SIMD for (int x = 0; x < less; ++x)
        to[x] = kept((a[x] + a[x + 1] + b[x] + b[x + 1]) * 0.25f, r[2 * x + 1]);
    }
    for (int y = 0; y < from; ++y) {
      const float *a = here.data() + (i64)y * from, *above = crossed.data() + (i64)y * pitch + 1, *under = above + pitch;
      const float* r = n + (i64)2 * y * side;
      float* to = right.data() + (i64)y * from;
      AUG_SIMD for (int x = 0; x < less; ++x)
        to[x] = kept((above[x] + under[x] + a[x] + a[x + 1]) * 0.25f, r[2 * x + 1]);
      to[less] = 0.0f;
    }
    for (int y = 0; y < less; ++y) {
      const float *a = here.data() + (i64)y * from, *b = a + from, *c = crossed.data() + (i64)(y + 1) * pitch;
      const float* r = n + (i64)(2 * y + 1) * side;
      float* to = below.data() + (i64)y * from;
      AUG_SIMD for (int x = 0; x < from; ++x)
        to[x] = kept((a[x] + b[x] + c[x] + c[x + 1]) * 0.25f, r[2 * x]);
    }
    grid.resize((i64)side * side);
    for (int y = 0; y < side; ++y) {
      const float* even = y % 2 ? below.data() + (i64)(y / 2) * from : here.data() + (i64)(y / 2) * from;
      const float* odd = y % 2 ? crossed.data() + (i64)(y / 2 + 1) * pitch + 1 : right.data() + (i64)(y / 2) * from;
      float* to = grid.data() + (i64)y * side;
      AUG_SIMD for (int x = 0; x < less; ++x) {
        to[2 * x] = even[x];
        to[2 * x + 1] = odd[x];
      }
      to[2 * less] = even[less];
    }
    stretch(grid.data(), (i64)side * side);
  }
};

}  // namespace

// Of n samples patterns of 0..1 of height and width `sizes` [n, 2], at `starts` of out, by the keys [n, 2] of their uniforms: as many as
// gpuaug/fractal.py says. Returns 0, or 1 where memory ran out.
EXPORT int gpuaug_fractal(const u32* keys, const i64* sizes, const i64* counts, const i64* starts, int n, double roughness,
                          float* out) try {
  std::vector<u64> ids;
  std::vector<u32> times;
  std::vector<double> u;
  Floats grid;
  Doubling doubled;
  for (int k = 0; k < n; ++k) {
    const int height = (int)sizes[2 * k], width = (int)sizes[2 * k + 1];
    const i64 blocks = (counts[k] + 3) / 4;
    for (i64 i = (i64)ids.size(); i < blocks; ++i) ids.push_back((u64)i);
    times.resize(ids.size());
    u.resize(4 * blocks);
    uniform_lines(ids.data(), times.data(), 0, (int)blocks, 0, 0, keys[2 * k], keys[2 * k + 1], u.data());
    grid.resize(9);
    for (int i = 0; i < 9; ++i) grid[i] = (float)(2.0 * u[i] - 1.0);
    i64 at = 9;
    int side = 3;
    for (double scale = 1.0; at < counts[k]; scale *= roughness) {
      doubled(grid, side, u.data() + at, (float)scale);
      side = 2 * side - 1;
      at += (i64)side * side;
    }
    float* to = out + starts[k];
    for (int y = 0; y < height; ++y) std::copy_n(grid.data() + (i64)y * side, width, to + (i64)y * width);
    stretch(to, (i64)height * width);
  }
  return 0;
} catch (const std::bad_alloc&) { return 1; }

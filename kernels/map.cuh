// map.cuh: where the output pixels of a gather are read. gpuaug/maps.py holds the same formulas for points and boxes, and says
// what each kind is for. A place depends on neither element type nor channels: for the CPU this is compiled once.
//
// By kind, for the pixel (X, Y) of the gather's frame:
//   AFFINE      (m0 X + m1 Y + m2, m3 X + m4 Y + m5)
//   PROJECTIVE  the same, divided by m6 X + m7 Y + m8; (0, 0) where that is 0, as OpenCV has it
//   TIME_WARP   Y stays. X: m0 X + m5 before the column m1, m2 at it, m3 (X - m4 + 1) + m4 - 1 behind it; kept within
//               0 .. m4 - 1; columns from m4 on (padding) stay. A reversal is m0 = -1, m5 = m4 - 1, m1 = m4.
//   RADIAL      d = (X - m0, Y - m1), r^2 = (m2 d.x)^2 + (m3 d.y)^2: the centre (m0, m1) plus d (1 + m4 r^2 + m5 r^4)
//   GRID        (column[X], line[Y]) of a table
//   MESH        (X, Y) plus a shift between four nodes of a table [lines][columns][2]; m0, m1 nodes per pixel
//   FIELD       a table [lines][columns][2] of places
// Whole pixels inside of the source, which are taken as they are:
//   RESIZE      (floor(scale0 X), floor(scale1 Y)), no more than the last
//   PIXELS      (column[X], line[Y]) of a table of whole numbers
//   TILES       (X, Y) plus the shift of its tile: a table of whole numbers: tile column of each column, tile line of each line,
//               then the shifts [tile lines][m0 tile columns][2]
#pragma once
#include "rows.cuh"
namespace aug {

template <class G> struct Place {
  typename G::template Var<float> fx, fy;  // a place in the source, centres of pixels being whole numbers
  typename G::template Var<int> x, y;      // a whole pixel of it
};

AUG float lerp_(float a, float b, float t) { return fma_(t, b - a, a); }

// Beyond 10^6 pixels outside a border has no meaning; the bound keeps index arithmetic exact. Of NaN it makes a number.
AUG float bounded(float v) { return min_(1e6f, max_(-1e6f, v)); }

#if AUG_GPU
#define AUG_ONCE AUG_FN
#else
#define AUG_ONCE __attribute__((noinline, flatten))  // cpu/map.cpp
#endif
template <class G>
AUG_ONCE void place(G g, const Row& s, const float* blob, typename G::template Var<int>& px, typename G::template Var<int>& py,
                    Place<G>& t) {
  const float a = s.m[0], b = s.m[1], c = s.m[2], d = s.m[3], e = s.m[4], f = s.m[5];
  const float* table = blob + s.table;
  const int across = s.cells[0], down = s.cells[1];
  switch (s.map) {
    case MAP_PROJECTIVE: {
      const float p = s.m[6], q = s.m[7], r = s.m[8];
      g.each([&](Lane l) {
        const float X = (float)px[l], Y = (float)py[l], w = fma_(p, X, fma_(q, Y, r));
        const float u = fma_(a, X, fma_(b, Y, c)) / w, v = fma_(d, X, fma_(e, Y, f)) / w;
        t.fx[l] = bounded(w == 0.0f ? 0.0f : u);
        t.fy[l] = bounded(w == 0.0f ? 0.0f : v);
      });
      return;
    }
    case MAP_TIME_WARP: {
      const float last = e - 1.0f;
      g.each([&](Lane l) {
        const float x = (float)px[l];
        float v = x < b ? fma_(x, a, f) : x > b ? fma_(x - last, d, last) : c;
        v = x >= e ? x : clamp_(v, 0.0f, last);
        t.fx[l] = v;
        t.fy[l] = (float)py[l];
      });
      return;
    }
    case MAP_RADIAL:
      g.each([&](Lane l) {
        const float dx = (float)px[l] - a, dy = (float)py[l] - b, nx = dx * c, ny = dy * d;
        const float r2 = fma_(nx, nx, ny * ny), stretch = fma_(fma_(f, r2, e), r2, 1.0f);
        t.fx[l] = bounded(fma_(dx, stretch, a));
        t.fy[l] = bounded(fma_(dy, stretch, b));
      });
      return;
    case MAP_GRID:
      g.each_scalar([&](Lane l) {
        t.fx[l] = bounded(ld(table + px[l]));
        t.fy[l] = bounded(ld(table + across + py[l]));
      });
      return;
    case MAP_MESH:
      g.each([&](Lane l) {
        t.fx[l] = (float)px[l] * a;
        t.fy[l] = (float)py[l] * b;
        t.x[l] = min_((int)t.fx[l], max_(across - 2, 0));
        t.y[l] = min_((int)t.fy[l], max_(down - 2, 0));
        t.fx[l] -= (float)t.x[l];
        t.fy[l] -= (float)t.y[l];
      });
      g.each_scalar([&](Lane l) {
        const int right = across > 1 ? 2 : 0, below = down > 1 ? 2 * across : 0;
        const float* node = table + 2 * (t.y[l] * across + t.x[l]);
        const float u = t.fx[l], v = t.fy[l];
        t.fx[l] = lerp_(lerp_(ld(node), ld(node + right), u), lerp_(ld(node + below), ld(node + below + right), u), v);
        ++node;
        t.fy[l] = lerp_(lerp_(ld(node), ld(node + right), u), lerp_(ld(node + below), ld(node + below + right), u), v);
      });
      g.each([&](Lane l) {
        t.fx[l] = bounded((float)px[l] + t.fx[l]);
        t.fy[l] = bounded((float)py[l] + t.fy[l]);
      });
      return;
    case MAP_FIELD:
      g.each_scalar([&](Lane l) {
        const float* at = table + 2 * ((i64)py[l] * across + px[l]);
        t.fx[l] = bounded(ld(at));
        t.fy[l] = bounded(ld(at + 1));
      });
      return;
    case MAP_RESIZE: {
      const double kx = s.scale[0], ky = s.scale[1];
      const int w = s.sw, h = s.sh;
      g.each([&](Lane l) {
        t.x[l] = min_((int)floor_((double)px[l] * kx), w - 1);
        t.y[l] = min_((int)floor_((double)py[l] * ky), h - 1);
      });
      return;
    }
    case MAP_PIXELS:
      g.each_scalar([&](Lane l) {
        t.x[l] = (int)bits(ld(table + px[l]));
        t.y[l] = (int)bits(ld(table + across + py[l]));
      });
      return;
    case MAP_TILES: {
      const float* shifts = table + across + down;
      const int columns = (int)a;
      g.each_scalar([&](Lane l) {
        const int tile = (int)bits(ld(table + across + py[l])) * columns + (int)bits(ld(table + px[l]));
        t.x[l] = px[l] + (int)bits(ld(shifts + 2 * tile));
        t.y[l] = py[l] + (int)bits(ld(shifts + 2 * tile + 1));
      });
      return;
    }
    default:  // MAP_AFFINE
      g.each([&](Lane l) {
        const float X = (float)px[l], Y = (float)py[l];
        t.fx[l] = bounded(fma_(a, X, fma_(b, Y, c)));
        t.fy[l] = bounded(fma_(d, X, fma_(e, Y, f)));
      });
  }
}

}  // namespace aug

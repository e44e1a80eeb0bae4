// map.cuh: where the output pixels of a gather are read. gpuaug/maps holds the same formulas for points and boxes, and says
// what each kind is for. A place depends on neither element type nor channels: for the CPU this is compiled once.
//
// By kind, for the pixel (X, Y) of the gather's frame:
//   AFFINE      (m0 X + m1 Y + m2, m3 X + m4 Y + m5)
//   PROJECTIVE  the same, divided by m6 X + m7 Y + m8; (0, 0) where that is 0, as OpenCV has it
//   TIME_WARP   Y stays. X: m0 X + m5 before the column m1, m2 at it, m3 (X - m4 + 1) + m4 - 1 behind it; kept within
//               0 .. m4 - 1; columns from m4 on (padding) stay. A reversal is m0 = -1, m5 = m4 - 1, m1 = m4.
//   RADIAL      d = (X - m0, Y - m1), r^2 = (m2 d.x)^2 + (m3 d.y)^2: the centre (m0, m1) plus d (1 + m4 r^2 + m5 r^4)
//   GRID        (column[X], line[Y]) of a table
//   MESH        (X, Y) plus a shift: the uniform cubic B-spline surface of control points [lines][columns][2]; pixel 0 lies over the
//               second, m0, m1 control points per pixel
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

// The uniform cubic B-spline of four control points, between the second and the third, t in 0..1.
AUG float spline_(float t, float a, float b, float c, float d) {
  const float u = 1.0f - t, t2 = t * t, u2 = u * u;
  const float ka = u2 * u * (1.0f / 6.0f), kb = fma_(fma_(0.5f, t, -1.0f), t2, 2.0f / 3.0f);
  const float kc = fma_(fma_(0.5f, u, -1.0f), u2, 2.0f / 3.0f), kd = t2 * t * (1.0f / 6.0f);
  return fma_(kd, d, fma_(kc, c, fma_(kb, b, ka * a)));
}

// Lines are blended first, then columns; on the CPU the lines for all places of one output line at once.
template <class G>
AUG void mesh(G g, const Row& s, const float* table, typename G::template Var<int>& px, typename G::template Var<int>& py,
              Place<G>& t) {
  const int across = s.cells[0], down = s.cells[1];
  const float kx = s.m[0], ky = s.m[1];
  g.each([&](Lane l) {
    t.fx[l] = (float)px[l] * kx;
    t.fy[l] = (float)py[l] * ky;
    t.x[l] = min_((int)t.fx[l], across - 4);
    t.y[l] = min_((int)t.fy[l], down - 4);
    t.fx[l] -= (float)t.x[l];
    t.fy[l] -= (float)t.y[l];
  });
#if AUG_GPU  // one pixel of a thread after the other: each reads 32 numbers, and four of them would be a seventh of a kernel's code
  g.each([&](Lane l) { t.x[l] += t.y[l] * across; });
  const auto shift = [&](Lane l) {
    float x[4], y[4];
    const float u = t.fx[l], v = t.fy[l];
    const float* node = table + 2 * t.x[l];
    AUG_UNROLL for (int i = 0; i < 4; ++i) {
      const float* p = node + 2 * i;
      x[i] = spline_(v, ld(p), ld(p + 2 * across), ld(p + 4 * across), ld(p + 6 * across));
      y[i] = spline_(v, ld(p + 1), ld(p + 2 * across + 1), ld(p + 4 * across + 1), ld(p + 6 * across + 1));
    }
    t.fx[l] = spline_(u, x[0], x[1], x[2], x[3]);
    t.fy[l] = spline_(u, y[0], y[1], y[2], y[3]);
  };
  g.each_in_turn(shift, t.x, t.fx, t.fy);
  g.each([&](Lane l) {
    t.fx[l] = bounded((float)px[l] + t.fx[l]);
    t.fy[l] = bounded((float)py[l] + t.fy[l]);
  });
#else
  constexpr int MOST = 2 * (G::lanes + 4);
  float line[MOST];
  typename G::template Var<float> x[4], y[4];
  for (int first = 0; first < G::lanes;) {
    int low = t.x.v[first], high = low, end = first + 1;  // lanes first .. end - 1: of one line, by few enough control points
    for (; end < G::lanes && py.v[end] == py.v[first]; ++end) {
      const int a = min_(low, t.x.v[end]), b = max_(high, t.x.v[end]);
      if (2 * (b - a + 4) > MOST) break;
      low = a;
      high = b;
    }
    const float v = t.fy.v[first];
    const float* node = table + 2 * (t.y.v[first] * across + low);
    AUG_SIMD for (int i = 0; i < 2 * (high - low + 4); ++i)
      line[i] = spline_(v, node[i], node[i + 2 * across], node[i + 4 * across], node[i + 6 * across]);
    for (int l = first; l < end; ++l) {
      const float* p = line + 2 * (t.x.v[l] - low);
      AUG_UNROLL for (int i = 0; i < 4; ++i) {
        x[i].v[l] = p[2 * i];
        y[i].v[l] = p[2 * i + 1];
      }
    }
    first = end;
  }
  g.each([&](Lane l) {
    const float u = t.fx[l];
    t.fx[l] = bounded((float)px[l] + spline_(u, x[0][l], x[1][l], x[2][l], x[3][l]));
    t.fy[l] = bounded((float)py[l] + spline_(u, y[0][l], y[1][l], y[2][l], y[3][l]));
  });
#endif
}

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
#ifndef GPUAUG_MATRIX  // of a GPU's kernel that takes rows with matrices alone: its code is 10 to 15 KB shorter
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
    case MAP_MESH: return mesh(g, s, table, px, py, t);
    case MAP_FIELD:
      g.each_scalar([&](Lane l) {
        const float* at = table + 2 * ((i64)py[l] * across + px[l]);
        t.fx[l] = bounded(ld(at));
        t.fy[l] = bounded(ld(at + 1));
      });
      return;
#endif
    case MAP_RESIZE: {
      const double kx = s.scale[0], ky = s.scale[1];
      const int w = s.sw, h = s.sh;
      g.each([&](Lane l) {
        t.x[l] = min_((int)floor_((double)px[l] * kx), w - 1);
        t.y[l] = min_((int)floor_((double)py[l] * ky), h - 1);
      });
      return;
    }
#ifndef GPUAUG_MATRIX
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
#endif
    default:  // MAP_AFFINE
      g.each([&](Lane l) {
        const float X = (float)px[l], Y = (float)py[l];
        t.fx[l] = bounded(fma_(a, X, fma_(b, Y, c)));
        t.fy[l] = bounded(fma_(d, X, fma_(e, Y, f)));
      });
  }
}

}  // namespace aug

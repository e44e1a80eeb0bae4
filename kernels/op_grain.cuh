// op_grain.cuh: noise of other distributions than op_noise.cuh's, on a coarser grid, times the value, of photons, and single grains.
#pragma once
#include "op_noise.cuh"
namespace aug {

enum Grain { GRAIN_UNIFORM = 0, GRAIN_NORMAL = 1, GRAIN_LAPLACE = 2, GRAIN_TABLE = 3 };

// four numbers of 0 mean and unit size (of a table: what it has) of four words
AUG void grain(int kind, const U4& u, const float* table, int n, float* out) {
  const u32 w[4] = {u.x, u.y, u.z, u.w};
  if (kind == GRAIN_NORMAL) {
    normal2(u.x, u.y, out[0], out[1]);
    normal2(u.z, u.w, out[2], out[3]);
    return;
  }
  AUG_UNROLL for (int i = 0; i < 4; ++i) {
    // of 24 bits the half would be lost above 1/2: of a logarithm of what lacks to 1 it is all
    const float v = kind == GRAIN_LAPLACE ? ((float)(int)(w[i] >> 9) + 0.5f) * (1.0f / 8388608.0f)
                                          : ((float)(int)(w[i] >> 8) + 0.5f) * (1.0f / 16777216.0f);
    if (kind == GRAIN_UNIFORM) {
      out[i] = v;
    } else if (kind == GRAIN_LAPLACE) {  // of the two sides an exponential's inverse; 1 - |2 v - 1| is exact
      const float t = 2.0f * v - 1.0f, size = -0.69314718f * log2_(1.0f - (t < 0.0f ? -t : t));
      out[i] = t < 0.0f ? -size : size;
    } else {
      const float place = v * (float)(n - 1);
      const int at = min_((int)place, n - 2);
      const float low = ld(table + at), high = ld(table + at + 1);
      out[i] = fma_(high - low, place - (float)at, low);
    }
  }
}

template <class G, int C>
AUG void grain_at(G g, const AdditiveOp& p, const Op& op, const Sample& s, typename G::template Var<int>& cell,
                  typename G::template Var<float>* to) {
  const int kind = p.kind, first = p.alike ? 0 : s.c0;
  const u32 k0 = p.key[0], k1 = p.key[1];
  const float a = p.a, b = p.b, *table = s.blob + op.at;
  const int n = op.n;
  const auto one = [&](Lane l, int of) {
    const U4 u = threefry((u32)cell[l], (u32)(first >> 2), (u32)STREAM_NOISE, 0u, k0, k1);
    float e[4];
    grain(of, u, table, n, e);
    AUG_UNROLL for (int c = 0; c < C; ++c)
      to[c][l] = fma_(b, p.alike ? e[0] : C == 1 ? pick(e, first & 3) : e[c], a);
  };
  // a kind by itself: a choice inside of the lanes would cost the vectors
  if (kind == GRAIN_UNIFORM) g.each([&](Lane l) { one(l, GRAIN_UNIFORM); });
  else if (kind == GRAIN_NORMAL) g.each([&](Lane l) { one(l, GRAIN_NORMAL); });
  else if (kind == GRAIN_LAPLACE) g.each([&](Lane l) { one(l, GRAIN_LAPLACE); });
  else g.each_scalar([&](Lane l) { one(l, GRAIN_TABLE); });
}

// v + a + b * noise. columns > 0: the noise is that of a coarser grid, between whose cells it is linear, as cv2.resize has it
template <class G, int C> AUG void op_additive(G g, const AdditiveOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  typename G::template Var<float> noise[C];
  typename G::template Var<int> cell;
  const int width = p.width;
  if (p.columns == 0) {
    g.each([&](Lane l) { cell[l] = px.y[l] * width + px.x[l]; });
    grain_at<G, C>(g, p, op, s, cell, noise);
  } else {
    typename G::template Var<float> corner[C], fx, fy;
    typename G::template Var<int> x0, y0;
    const int columns = p.columns, lines = p.lines;
    const float across = p.step[0], down = p.step[1];
    g.each([&](Lane l) {
      const float x = clamp_(((float)px.x[l] + 0.5f) * across - 0.5f, 0.0f, (float)(columns - 1));
      const float y = clamp_(((float)px.y[l] + 0.5f) * down - 0.5f, 0.0f, (float)(lines - 1));
      x0[l] = min_((int)x, max_(columns - 2, 0));
      y0[l] = min_((int)y, max_(lines - 2, 0));
      fx[l] = x - (float)x0[l];
      fy[l] = y - (float)y0[l];
    });
    AUG_UNROLL for (int c = 0; c < C; ++c)
      g.each([&](Lane l) { noise[c][l] = 0.0f; });
    for (int k = 0; k < 4; ++k) {
      const int dx = k & 1, dy = k >> 1;
      g.each([&](Lane l) { cell[l] = min_(y0[l] + dy, lines - 1) * columns + min_(x0[l] + dx, columns - 1); });
      grain_at<G, C>(g, p, op, s, cell, corner);
      AUG_UNROLL for (int c = 0; c < C; ++c)
        g.each([&](Lane l) {
          const float weight = (dx ? fx[l] : 1.0f - fx[l]) * (dy ? fy[l] : 1.0f - fy[l]);
          noise[c][l] = fma_(weight, corner[c][l], noise[c][l]);
        });
    }
  }
  const bool whole = p.whole > 0;
  const float low = p.whole < 0 ? -3.4e38f : 0.0f, top = whole ? 255.0f : p.whole < 0 ? 3.4e38f : 1.0f;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l] + (whole ? trunc_(noise[c][l]) : noise[c][l]);
      px.v[c][l] = clamp_(v, low, top);
    });
}

template <class G, int C> AUG void op_multiply(G g, const MultiplyOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  const u32 k0 = p.key[0], k1 = p.key[1];
  const float low = p.low, range = p.range;
  const int width = p.width, alike = p.alike, first = alike ? 0 : s.c0;
  const bool whole = p.whole != 0;
  g.each([&](Lane l) {
    const U4 u = threefry((u32)(px.y[l] * width + px.x[l]), (u32)(first >> 2), (u32)STREAM_NOISE, 0u, k0, k1);
    float e[4] = {uniform(u.x), uniform(u.y), uniform(u.z), uniform(u.w)};
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      const float v = px.v[c][l] * fma_(range, alike ? e[0] : C == 1 ? pick(e, first & 3) : e[c], low);
      px.v[c][l] = whole ? trunc_(clamp_(v, 0.0f, 255.0f)) : clamp_(v, 0.0f, 1.0f);
    }
  });
}

// Of area pixels `salt` become the largest value, `grains - salt` 0: those whose place in a random permutation is below. The
// permutation is a Feistel network on side x ceil(area / side) places, walked until it leads to a pixel that there is: every number of
// grains is exact, nothing is stored or sorted.
enum { SPECKLE_ROUNDS = 4 };
AUG u32 speckle_hash(u32 v) {
  v ^= v >> 16;
  v *= 0x85ebca6bu;
  v ^= v >> 13;
  v *= 0xc2b2ae35u;
  return v ^ v >> 16;
}
AUG int speckle_below(u32 hash, int n) { return (int)((float)(int)(hash >> 9) * (1.0f / 8388608.0f) * (float)n); }
template <class G, int C> AUG void op_speckle(G g, const SpeckleOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  typename G::template Var<int> at;
  const int width = p.width, area = p.area, side = p.side, salt = p.salt, grains = p.grains;
  const int other = (int)(((i64)area + side - 1) / side);
  const u32 k0 = p.key[0], k1 = p.key[1];
  const float top = p.top;
  g.each([&](Lane l) { at[l] = -1 - (px.y[l] * width + px.x[l]); });  // negative: on its way
  do {
    g.each([&](Lane l) {
      const int i = at[l] < 0 ? -1 - at[l] : at[l];
      int y = (int)((double)i / (double)side), x = i - y * side;
      AUG_UNROLL for (u32 r = 0; r < SPECKLE_ROUNDS; ++r) {
        x += speckle_below(speckle_hash((u32)y + k0 + r * 0x9E3779B9u), side);
        x = x >= side ? x - side : x;
        y += speckle_below(speckle_hash((u32)x + k1 + r * 0x9E3779B9u), other);
        y = y >= other ? y - other : y;
      }
      const int to = y * side + x;
      at[l] = at[l] >= 0 ? at[l] : to < area ? to : -1 - to;
    });
  } while (!g.all([&](Lane l) { return at[l] >= 0; }));
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) { px.v[c][l] = at[l] < salt ? top : at[l] < grains ? 0.0f : px.v[c][l]; });
}

// A Poisson number of (v^2.2 + scale * 1e-6) / scale photons, back
template <class G, int C> AUG void op_shot(G g, const ShotOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  typename G::template Var<float> rate[C], count[C];
  typename G::template Var<u32> word[C];
  const u32 k0 = p.key[0], k1 = p.key[1];
  const float scale = p.scale;
  const int width = p.width;
  const bool whole = p.whole != 0;
  g.each([&](Lane l) {
    const U4 u = threefry((u32)(px.y[l] * width + px.x[l]), (u32)(s.c0 >> 2), (u32)STREAM_NOISE, 0u, k0, k1);
    float n[4];
    normal2(u.x, u.y, n[0], n[1]);
    normal2(u.z, u.w, n[2], n[3]);
    // words for the numbers themselves: the same, mixed, since a number takes either these or the normal ones
    const u32 w[4] = {speckle_hash(u.x), speckle_hash(u.y), speckle_hash(u.z), speckle_hash(u.w)};
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      count[c][l] = C == 1 ? pick(n, s.c0 & 3) : n[c];
      word[c][l] = C == 1 ? (s.c0 & 2 ? (s.c0 & 1 ? w[3] : w[2]) : (s.c0 & 1 ? w[1] : w[0])) : w[c];
      const float v = whole ? px.v[c][l] / 255.0f : px.v[c][l];
      rate[c][l] = (power_(max_(v, 0.0f), 2.2f) + scale * 1e-6f) / scale;
    }
  });
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    poisson(g, rate[c], word[c], count[c]);
    g.each([&](Lane l) {
      const float v = power_(clamp_(count[c][l] * scale, 0.0f, 1.0f), 1.0f / 2.2f);
      px.v[c][l] = whole ? round_(v * 255.0f) : v;
    });
  }
}

}  // namespace aug

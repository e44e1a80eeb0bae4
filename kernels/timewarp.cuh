// timewarp.cuh: SpecAugment's time warp (Park et al. 2019), a gather along x in two linear pieces. Included by fused.cuh.
//
// Row.m: m[1] anchor in the output, m[2] anchor in the source, m[0] and m[3] source columns per output column before and
// after it, m[4] the length: columns from there on (padding) stay; m[5] source of column 0. Columns 0, the anchor and
// length - 1 are hit exactly. A reversal is m[0] = -1, m[5] = length - 1 and an anchor at the length.
#pragma once
namespace aug {

template <class G, class T, int C> AUG_FN void gather_time_warp(G g, const Row& s, int c0, Pixels<G, C>& px) {
  typename G::template Var<float> t;
  typename G::template Var<int> at, next;
  const float before = s.m[0], to = s.m[1], from = s.m[2], after = s.m[3], length = s.m[4];
  const float first = s.m[5], last = length - 1.0f;
  const int sx = s.sx, sy = s.sy, w = s.sw;
  g.each([&](Lane l) {
    const float x = (float)px.x[l];
    float v = x < to ? fma_(x, before, first) : x > to ? fma_(x - last, after, last) : from;
    v = x >= length ? x : clamp_(v, 0.0f, last);
    const float k = floor_(v);
    const int i = min_((int)k, w - 1);
    t[l] = v - k;
    at[l] = px.y[l] * sy + i * sx;
    next[l] = px.y[l] * sy + min_(i + 1, w - 1) * sx;
  });
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const T* p = (const T*)s.src + (i64)(c0 + c) * s.sc;
    g.each_scalar([&](Lane l) {
      const float a = get(ld(p + at[l])), b = get(ld(p + next[l])), f = t[l];
      px.v[c][l] = settle(f == 0.0f ? a : fma_(f, b - a, a), (const T*)0);  // on a column: a NaN beside it stays there
    });
  }
}

}  // namespace aug

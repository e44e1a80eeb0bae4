// op_vision.cuh: colour operations as torchvision computes them on tensors: float32, bytes cut off at the end.
#pragma once
#include "op_layer.cuh"
#include "shade.cuh"
namespace aug {

AUG float ended(float v, bool whole) { return whole ? trunc_(clamp_(v, 0.0f, 255.0f)) : clamp_(v, 0.0f, 1.0f); }

// factor * v + rest * other, in its order: the product with rest is the fused one
template <class G, int C> AUG void op_blend_mean(G g, const BlendMeanOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  const float factor = p.factor, rest = p.rest, mean = ld(s.found + p.mean);
  const bool whole = p.whole != 0;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) { px.v[c][l] = ended(fma_(mean, rest, px.v[c][l] * factor), whole); });
}
template <class G> AUG void op_blend_gray(G g, const BlendGrayOp& p, const Op&, const Sample&, Pixels<G, 3>& px) {
  const float factor = p.factor, rest = p.rest;
  const bool whole = p.whole != 0;
  g.each([&](Lane l) {
    const float gray = tint_of(px.v[0][l], px.v[1][l], px.v[2][l], whole);
    AUG_UNROLL for (int c = 0; c < 3; ++c)
      px.v[c][l] = ended(fma_(gray, rest, px.v[c][l] * factor), whole);
  });
}
template <class G> AUG void op_tint(G g, const TintOp& p, const Op&, const Sample&, Pixels<G, 3>& px) {
  const bool whole = p.whole != 0;
  g.each([&](Lane l) {
    const float v = tint_of(px.v[0][l], px.v[1][l], px.v[2][l], whole);
    px.v[0][l] = v;
    px.v[1][l] = v;
    px.v[2][l] = v;
  });
}

// one channel of HSV made RGB: how far the hue, in sixths, is from the channel's own decides
AUG float of_hue(float sector, float v, float p, float q, float t, int c) {
  const float at = sector + (float)(c == 0 ? 0 : c == 1 ? 4 : 2);
  const float k = at >= 6.0f ? at - 6.0f : at;  // 0 and 5: v, 1: q, 2 and 3: p, 4: t
  return k == 0.0f || k == 5.0f ? v : k == 1.0f ? q : k == 4.0f ? t : p;
}
template <class G> AUG void op_turn_hue(G g, const TurnHueOp& p, const Op&, const Sample&, Pixels<G, 3>& px) {
  const float turns = p.turns;
  const bool whole = p.whole != 0;
  const float in = whole ? 1.0f / 255.0f : 1.0f, out = whole ? 255.999f : 1.0f;
  g.each([&](Lane l) {
    const float r = px.v[0][l] * in, gr = px.v[1][l] * in, b = px.v[2][l] * in;
    const float v = max_(r, max_(gr, b)), low = min_(r, min_(gr, b)), range = v - low;
    const bool none = range == 0.0f;
    const float s = range / (none ? 1.0f : v), by = none ? 1.0f : range;
    const float rc = (v - r) / by, gc = (v - gr) / by, bc = (v - b) / by;
    float h = v == r ? bc - gc : v == gr ? rc + 2.0f - bc : gc + 4.0f - rc;
    h = h * (1.0f / 6.0f) + 1.0f;
    h = h - floor_(h);
    h = h + turns;
    h = h - floor_(h);
    const float h6 = h * 6.0f, whole_h = floor_(h6), f = h6 - whole_h, sector = whole_h >= 6.0f ? 0.0f : whole_h, sf = s * f;
    const float rest = 1.0f - s;
    const float q = clamp_((1.0f - sf) * v, 0.0f, 1.0f), t = clamp_((sf + rest) * v, 0.0f, 1.0f),
                w = clamp_(rest * v, 0.0f, 1.0f);
    AUG_UNROLL for (int c = 0; c < 3; ++c) {
      const float a = of_hue(sector, v, w, q, t, c) * out;
      px.v[c][l] = whole ? trunc_(clamp_(a, 0.0f, 255.0f)) : a;
    }
  });
}

template <class G, int C> AUG void op_widen(G g, const WidenOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  const bool whole = p.whole != 0;
  const float bound = whole ? 255.0f : 1.0f;
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const float* of = s.found + p.of + STATS * (s.c0 + c);
    const float least = ld(of + STAT_LOW), range = ld(of + STAT_HIGH) - least;
    const bool none = !(range > 0.0f);
    const float low = none ? 0.0f : least, step = none ? 1.0f : range * (1.0f / bound);
    g.each([&](Lane l) { px.v[c][l] = ended((px.v[c][l] - low) / step, whole); });
  }
}

template <class G, int C> AUG void op_unblur(G g, const UnblurOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const Under<G, C> image = under<G, C>(g, op, s, px, 0);
  const float rest = p.rest;
  const bool whole = p.whole != 0;
  const int right = p.width - 1, bottom = p.height - 1;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float a = image(l, c);
      const bool inside = (px.x[l] > 0) & (px.y[l] > 0) & (px.x[l] < right) & (px.y[l] < bottom);
      const float v = inside ? fma_(px.v[c][l] - a, rest, a) : a;
      px.v[c][l] = ended(v, whole);
    });
}

template <class G, int C> AUG void op_weigh(G g, const WeighOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const Under<G, C> image = under<G, C>(g, op, s, px, 0);
  const float factor = p.factor;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) { px.v[c][l] = image(l, c) + px.v[c][l] * factor; });
}

}  // namespace aug

// op_mix.cuh: channels made of all channels of a pixel: matrices, given or found in the sample, and permutations.
//
// Colours have all that they need in their lanes. Images of other widths go through in chunks of channels: they read the others from a
// layer, the same image, one channel at a time.
#pragma once
#include "op_layer.cuh"
namespace aug {

// f(channel, its values by lane) for all channels of the layer
template <class G, int C, class F> AUG void each_channel(G g, const Op& op, const Sample& s, Pixels<G, C>& px, F f) {
  Pixels<G, 1> one;
  one.x = px.x;
  one.y = px.y;
  Sample at = s;
  for (int c = 0; c < s.channels; ++c) {
    at.c0 = c;
    const Under<G, 1> v = under<G, 1>(g, op, at, one, 0);
    f(c, v);
  }
}

template <class G> AUG void op_mix(G g, const MixOp& p, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  const float* m = s.blob + op.at;
  const bool whole = p.whole != 0;
  float k[12];
  AUG_UNROLL for (int i = 0; i < 12; ++i)
    k[i] = ld(m + i);
  g.each([&](Lane l) {
    const float r = px.v[0][l], gr = px.v[1][l], b = px.v[2][l];
    AUG_UNROLL for (int c = 0; c < 3; ++c) {
      const float v = k[4 * c] * r + k[4 * c + 1] * gr + k[4 * c + 2] * b + k[4 * c + 3];
      px.v[c][l] = whole ? floor_(clamp_(v, 0.0f, 255.0f)) : clamp_(v, 0.0f, 1.0f);
    }
  });
}

template <class G> AUG void op_permute(G g, const PermuteOp& p, const Op&, const Sample&, Pixels<G, 3>& px) {
  const int a = p.from[0], b = p.from[1], c = p.from[2];
  g.each([&](Lane l) {
    const float r = px.v[0][l], gr = px.v[1][l], bl = px.v[2][l];
    px.v[0][l] = a == 0 ? r : a == 1 ? gr : bl;
    px.v[1][l] = b == 0 ? r : b == 1 ? gr : bl;
    px.v[2][l] = c == 0 ? r : c == 1 ? gr : bl;
  });
}
template <class G, int C> AUG void op_permute_layer(G g, const PermuteLayerOp&, const Op& op, const Sample& s, Pixels<G, C>& px) {
  Pixels<G, 1> one;
  one.x = px.x;
  one.y = px.y;
  Sample at = s;
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    at.c0 = (int)ld((const u32*)s.blob + op.at + s.c0 + c);
    const Under<G, 1> v = under<G, 1>(g, op, at, one, 0);
    g.each([&](Lane l) { px.v[c][l] = v(l, 0); });
  }
}

template <class G, int C>
AUG void op_linear_channels(G g, const LinearChannelsOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const float *table = s.blob + op.at + s.c0, low = p.low, high = p.high;
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const float a = ld(table + c), b = ld(table + s.channels + c);
    g.each([&](Lane l) { px.v[c][l] = clamp_(px.v[c][l] * a + b, low, high); });
  }
}

// What lookup_eigen found: pixels, n means, n variances, n x n parts
AUG float eigen_mean(const float* e, int, int c) { return ld(e + 1 + c); }
// the factor on channel d in what is added to channel c: sum over directions j, of which the d-th is meant, as albumentations has it
AUG float fancy_factor(const float* e, const float* alpha, int n, int c, int d, float scale) {
  const float variance = ld(e + 1 + n + d);
  if (n == 1) {  // its own deviation of all pixels
    const float pixels = ld(e);
    return ld(alpha) * scale * sqrt_(variance * ((pixels - 1.0f) / pixels));
  }
  return ld(e + 1 + 2 * n + c * n + d) * (ld(alpha + d) * scale * variance);
}
// v + the sum of factors times distances from the means, to 0 .. 1; whole: rounded to 0 .. 255
AUG float fancy_end(float v, bool whole) { return whole ? round_(clamp_(v, 0.0f, 255.0f)) : clamp_(v, 0.0f, 1.0f); }
template <class G, int C> AUG void op_fancy(G g, const FancyOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const float *e = s.found + p.of, *alpha = s.blob + op.at, scale = p.scale;
  const int n = s.channels;
  const bool whole = p.whole != 0;
  typename G::template Var<float> sum[C];
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) { sum[c][l] = 0.0f; });
  if (C == 3) {
    AUG_UNROLL for (int d = 0; d < C; ++d) {
      const float mean = eigen_mean(e, n, d);
      AUG_UNROLL for (int c = 0; c < C; ++c) {
        const float f = fancy_factor(e, alpha, n, c, d, scale);
        g.each([&](Lane l) { sum[c][l] = fma_(f, px.v[d][l] - mean, sum[c][l]); });
      }
    }
  } else {
    each_channel<G, C>(g, op, s, px, [&](int d, const Under<G, 1>& v) {
      const float mean = eigen_mean(e, n, d);
      AUG_UNROLL for (int c = 0; c < C; ++c) {
        const float f = fancy_factor(e, alpha, n, s.c0 + c, d, scale);
        g.each([&](Lane l) { sum[c][l] = fma_(f, v(l, 0) - mean, sum[c][l]); });
      }
    });
  }
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) { px.v[c][l] = fancy_end(px.v[c][l] + sum[c][l], whole); });
}

// the place along the first direction, in all channels
template <class G> AUG void op_project(G g, const ProjectOp& p, const Op&, const Sample& s, Pixels<G, 3>& px) {
  const float* e = s.found + p.of;
  const float a = ld(e + 7), b = ld(e + 10), c = ld(e + 13), ma = ld(e + 1), mb = ld(e + 2), mc = ld(e + 3);
  g.each([&](Lane l) {
    const float v = a * (px.v[0][l] - ma) + b * (px.v[1][l] - mb) + c * (px.v[2][l] - mc);
    px.v[0][l] = v;
    px.v[1][l] = v;
    px.v[2][l] = v;
  });
}

}  // namespace aug

// op_tone.cuh: operations on single values: linear ones, normalizations, the rounding of stored results.
#pragma once
#include "ops.gen.cuh"
#include "pixels.cuh"
namespace aug {

AUG float linear_u8(float v, float a, float b) { return trunc_(within_(v * a + b, 0.0f, 255.0f)); }

template <class G, int C> AUG void op_round(G g, const RoundOp& p, const Op&, const Sample&, Pixels<G, C>& px) {
  const int half = p.half;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = px.v[c][l];
      px.v[c][l] = half ? from_half(half_bits(v)) : unbits((u32)bhalf_bits(v) << 16);
    });
}

template <class G, int C> AUG void linear_u8_of(G g, float a, float b, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) { px.v[c][l] = linear_u8(px.v[c][l], a, b); });
}
template <class G, int C> AUG void op_linear_u8(G g, const LinearU8Op& p, const Op&, const Sample&, Pixels<G, C>& px) {
  linear_u8_of(g, p.factor, p.offset, px);
}
template <class G, int C> AUG void op_linear_u8_mean(G g, const LinearU8MeanOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  linear_u8_of(g, p.factor, p.offset * sample_mean(s, p.mean), px);
}

template <class G, int C> AUG void linear_of(G g, float a, float b, float low, float high, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) { px.v[c][l] = clamp_(px.v[c][l] * a + b, low, high); });
}
template <class G, int C> AUG void op_linear_mean(G g, const LinearMeanOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  linear_of(g, p.factor, p.offset * sample_mean(s, p.mean), p.low, p.high, px);
}

// v * factor + mean gray value * rest, of which the sum is made in float64
AUG float contrast_offset(const Sample& s, int luma, const u32* rest) {
  const u32* mean = (const u32*)s.found + luma;
  return (float)(double_of(ld(mean), ld(mean + 1)) * double_of(rest[0], rest[1]));
}
template <class G, int C> AUG void op_contrast_u8(G g, const ContrastU8Op& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  linear_u8_of(g, p.factor, contrast_offset(s, p.luma, p.rest), px);
}
template <class G, int C> AUG void op_contrast(G g, const ContrastOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  linear_of(g, p.factor, contrast_offset(s, p.luma, p.rest), 0.0f, 1.0f, px);
}

template <class G, int C> AUG void op_stretch(G g, const StretchOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  const float low = ld(s.found + p.of + STAT_LOW), range = ld(s.found + p.of + STAT_HIGH) - low;
  const float scale = range > 0.0f ? 1.0f / range : 0.0f;
  const bool whole = p.whole != 0;
  AUG_UNROLL for (int c = 0; c < C; ++c)
    g.each([&](Lane l) {
      const float v = (px.v[c][l] - low) * scale;
      px.v[c][l] = whole ? round_(clamp_(v * 255.0f, 0.0f, 255.0f)) : clamp_(v, 0.0f, 1.0f);
    });
}

// 3 (1 - v)^2 v low + 3 (1 - v) v^2 high + v^3, of 0 .. 1
template <class G, int C> AUG void op_bezier(G g, const BezierOp&, const Op& op, const Sample& s, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const float low = ld(s.blob + op.at + s.c0 + c), high = ld(s.blob + op.at + s.channels + s.c0 + c);
    g.each([&](Lane l) {
      const float v = px.v[c][l], rest = 1.0f - v;
      px.v[c][l] = clamp_(v * (3.0f * rest * (rest * low + v * high) + v * v), 0.0f, 1.0f);
    });
  }
}

template <class G, int C> AUG void op_normalize(G g, const NormalizeOp&, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const float* table = s.blob + op.at + s.c0;
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const float mean = ld(table + c), inv = ld(table + s.channels + c);
    g.each([&](Lane l) { px.v[c][l] = (px.v[c][l] - mean) * inv; });
  }
}

// albumentations' numbers: what keeps a flat image from a division by 0, and where results are clipped
constexpr float STANDARD_EPSILON = 1e-4f, STANDARD_MOST = 20.0f;
enum Standardize { STANDARDIZE_IMAGE = 0, STANDARDIZE_CHANNEL = 1, MIN_MAX_IMAGE = 2, MIN_MAX_CHANNEL = 3 };
// what is subtracted, and what the difference is divided by
AUG void standard(const Sample& s, const float* moments, int c, int kind, float& from, float& by) {
  const bool one = kind == STANDARDIZE_CHANNEL || kind == MIN_MAX_CHANNEL;
  const int first = one ? c : 0, last = one ? c + 1 : s.channels;
  float sum = 0.0f, count = 0.0f, low = unbits(0x7f800000u), high = unbits(0xff800000u), squares = 0.0f;
  for (int k = first; k < last; ++k) {
    const float* t = moments + STATS * k;
    sum += ld(t + STAT_SUM);
    count += ld(t + STAT_COUNT);
    low = min_(low, ld(t + STAT_LOW));
    high = max_(high, ld(t + STAT_HIGH));
  }
  count = max_(count, 1.0f);
  const float mean = sum / count;
  for (int k = first; k < last; ++k) {  // deviations from a channel's mean, moved to the mean of all
    const float* t = moments + STATS * k;
    const float n = ld(t + STAT_COUNT), d = ld(t + STAT_SUM) / max_(n, 1.0f) - mean;
    squares += ld(t + STAT_SQUARES) + n * d * d;
  }
  const bool range = kind >= MIN_MAX_IMAGE;
  from = range ? low : mean;
  by = (range ? high - low : sqrt_(squares / count)) + STANDARD_EPSILON;
}

template <class G, int C> AUG void op_standardize(G g, const StandardizeOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    float from, by;
    standard(s, s.found + p.of, s.c0 + c, p.kind, from, by);
    g.each([&](Lane l) { px.v[c][l] = clamp_((px.v[c][l] - from) / by, -STANDARD_MOST, STANDARD_MOST); });
  }
}

template <class G, int C> AUG void op_curve(G g, const CurveOp&, const Op& op, const Sample& s, Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const u8* table = (const u8*)(s.blob + op.at) + (op.n > 1 ? 256 * (s.c0 + c) : 0);
    g.each_scalar([&](Lane l) { px.v[c][l] = get(ld(table + ((int)px.v[c][l] & 255))); });
  }
}

template <class G, int C> AUG void op_posterize(G g, const PosterizeOp& p, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const float top = p.top;
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    const float step = ld(s.blob + op.at + s.c0 + c), inv = 1.0f / step;  // a power of two
    g.each([&](Lane l) {
      const float v = top == 1.0f ? clamp_(round_(px.v[c][l] * 255.0f), 0.0f, 255.0f) : px.v[c][l];
      const float low = floor_(v * inv) * step;
      px.v[c][l] = top == 1.0f ? low / 255.0f : low;
    });
  }
}

}  // namespace aug

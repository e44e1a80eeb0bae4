// pixel.cuh: the pixel program. Each operation is a function of one pixel's channels and position;
// `apply` runs one operation over the lanes of a group. An operation is the same for all pixels of
// a sample, so the switch is uniform.
//
// Images of uint8 keep whole numbers 0..255 in their lanes: an operation on them ends with the
// rounding or truncation of its reference, so that a fused program equals the steps one by one.
#pragma once
#include "pixels.cuh"
#include "threefry.cuh"
namespace aug {

enum { GAUSS_SHARED = 1, GAUSS_U8 = 2, GAUSS_CLIP = 4 };

AUG float linear_u8(float v, float a, float b) { return trunc_(clamp_(v * a + b, 0.0f, 255.0f)); }

// OpenCV's 8-bit RGB -> HSV -> RGB with shifts between. The two divisions stand for its tables
// (rint((255 << 12) / v), rint((180 << 12) / (6 d))): equal for all 255 arguments.
AUG void hsv_u8(float& r, float& g, float& b, float hue, float sat, float val) {
  const float v = max_(r, max_(g, b)), d = v - min_(r, min_(g, b));
  const int sdiv = (int)round_(1044480.0f / max_(v, 1.0f)), hdiv = (int)round_(122880.0f / max_(d, 1.0f));
  const int s0 = ((int)d * sdiv + 2048) >> 12;
  const float e = v == r ? g - b : v == g ? b - r + 2.0f * d : r - g + 4.0f * d;
  int hi = ((int)e * hdiv + 2048) >> 12;
  hi = hi < 0 ? hi + 180 : hi;
  // 0 <= hue < 180 is added as a real number, the sum wrapped and truncated
  float h = (float)hi + hue;
  h = trunc_(h >= 180.0f ? h - 180.0f : h);
  const float s1 = (float)s0;
  const float s = s0 == 0 ? 0.0f : clamp_(s1 + sat, 0.0f, 255.0f), w = clamp_(v + val, 0.0f, 255.0f);
  const float h6 = h * 0.033333335f, S = s * 0.003921569f, V = w * 0.003921569f;  // float32(6/180), float32(1/255)
  const float sector = floor_(h6), f = h6 - sector;
  const float p = V * (1.0f - S), q = V * fma_(-S, f, 1.0f), t = V * fma_(-S, 1.0f - f, 1.0f);
  const float R = sector == 0.0f || sector == 5.0f ? V : sector == 1.0f ? q : sector == 4.0f ? t : p;
  const float Gr = sector == 1.0f || sector == 2.0f ? V : sector == 3.0f ? q : sector == 0.0f ? t : p;
  const float B = sector == 3.0f || sector == 4.0f ? V : sector == 5.0f ? q : sector == 2.0f ? t : p;
  r = trunc_(255.0f * R);
  g = trunc_(255.0f * Gr);
  b = trunc_(255.0f * B);
}

AUG float hue_channel(float h6, float n, float v, float c) {  // h6 in [0, 6)
  float k = n + h6;
  k = k >= 6.0f ? k - 6.0f : k;
  return v - c * clamp_(min_(k, 4.0f - k), 0.0f, 1.0f);
}
AUG void hsv_float(float& r, float& g, float& b, float hue, float sat, float val) {
  const float v = max_(r, max_(g, b)), d = v - min_(r, min_(g, b));
  const float epsilon = 1.1920929e-07f;  // as OpenCV: it shows where colours differ by less than 1e-2
  const float inv = 1.0f / (d + epsilon);
  float h = v == r ? (g - b) * inv : v == g ? fma_(b - r, inv, 2.0f) : fma_(r - g, inv, 4.0f);
  h = fma_(6.0f, hue, h);
  h = h - 6.0f * floor_(h * (1.0f / 6.0f));
  h = h >= 6.0f ? 0.0f : h;
  const float s0 = d / (v + epsilon);
  const float s = d > 0.0f ? clamp_(s0 + sat, 0.0f, 1.0f) : 0.0f;
  const float w = clamp_(v + val, 0.0f, 1.0f), c = w * s;
  r = hue_channel(h, 5.0f, w, c);
  g = hue_channel(h, 3.0f, w, c);
  b = hue_channel(h, 1.0f, w, c);
}

AUG float pick(const float* four, int i) { return i == 0 ? four[0] : i == 1 ? four[1] : i == 2 ? four[2] : four[3]; }

template <class G, int C> AUG void op_gauss(G g, const Op& op, const Sample& s, Pixels<G, C>& px) {
  const u32 k0 = bits(op.p[0]), k1 = bits(op.p[1]);
  const float sigma = op.p[2], mean = op.p[3];
  const int width = (int)bits(op.p[4]), shared = op.flag & GAUSS_SHARED, whole = op.flag & GAUSS_U8;
  const float top = whole                  ? 255.0f
                    : op.flag & GAUSS_CLIP ? 1.0f
                                           : 3.4e38f,
              low = op.flag & (GAUSS_U8 | GAUSS_CLIP) ? 0.0f : -3.4e38f;
  const int first = shared ? 0 : s.c0;  // channels are served in blocks of four
  g.each([&](Lane l) {
    const U4 u = threefry((u32)(px.y[l] * width + px.x[l]), (u32)(first >> 2), 0u, 0u, k0, k1);
    float n[4];
    normal2(u.x, u.y, n[0], n[1]);
    normal2(u.z, u.w, n[2], n[3]);
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      const float z = shared ? n[0] : C == 1 ? pick(n, first & 3) : n[c];
      const float e = fma_(sigma, z, mean), t = whole ? trunc_(e) : e;
      px.v[c][l] = clamp_(px.v[c][l] + t, low, top);
    }
  });
}

// the mean over all channels, as NumPy's img.mean()
AUG float sample_mean(const Sample& s) {
  float sum = 0.0f, count = 0.0f;
  for (int c = 0; c < s.channels; ++c) {
    sum += ld(s.stats + STATS * c + STAT_SUM);
    count += ld(s.stats + STATS * c + STAT_COUNT);
  }
  return sum / max_(count, 1.0f);
}

enum Standardize { STANDARDIZE_IMAGE = 0, STANDARDIZE_CHANNEL = 1, MIN_MAX_IMAGE = 2, MIN_MAX_CHANNEL = 3 };
// what is subtracted, and what the difference is divided by
AUG void standard(const Sample& s, int c, int kind, float& from, float& by) {
  const bool one = kind == STANDARDIZE_CHANNEL || kind == MIN_MAX_CHANNEL;
  const int first = one ? c : 0, last = one ? c + 1 : s.channels;
  float sum = 0.0f, count = 0.0f, low = unbits(0x7f800000u), high = unbits(0xff800000u), squares = 0.0f;
  for (int k = first; k < last; ++k) {
    const float* t = s.stats + STATS * k;
    sum += ld(t + STAT_SUM);
    count += ld(t + STAT_COUNT);
    low = min_(low, ld(t + STAT_LOW));
    high = max_(high, ld(t + STAT_HIGH));
  }
  count = max_(count, 1.0f);
  const float mean = sum / count;
  for (int k = first; k < last; ++k) {  // deviations from a channel's mean, moved to the mean of all
    const float* t = s.stats + STATS * k;
    const float n = ld(t + STAT_COUNT), d = ld(t + STAT_SUM) / max_(n, 1.0f) - mean;
    squares += ld(t + STAT_SQUARES) + n * d * d;
  }
  const bool range = kind >= MIN_MAX_IMAGE;
  from = range ? low : mean;
  by = (range ? high - low : sqrt_(squares / count)) + 1e-4f;
}

}  // namespace aug
#include "dropout.cuh"
namespace aug {

template <class G, int C> AUG void apply(G g, const Op& op, const Sample& s, Pixels<G, C>& px) {
  switch (op.code) {
    case OP_MOVE: {
      const int f0 = (int)op.p[0], f1 = (int)op.p[1], f2 = (int)op.p[2], f3 = (int)op.p[3], f4 = (int)op.p[4], f5 = (int)op.p[5];
      g.each([&](Lane l) {
        const int x = px.x[l], y = px.y[l];
        px.x[l] = f0 * x + f1 * y + f2;
        px.y[l] = f3 * x + f4 * y + f5;
      });
    } break;
    case OP_ROUND: {
      const int half = op.flag == 0;
      AUG_UNROLL for (int c = 0; c < C; ++c)
        g.each([&](Lane l) {
          const float v = px.v[c][l];
          px.v[c][l] = half ? from_half(half_bits(v)) : unbits((u32)bhalf_bits(v) << 16);
        });
    } break;
    case OP_LINEAR_U8: {
      const float a = op.p[0], b = op.flag ? op.p[1] * sample_mean(s) : op.p[1];
      AUG_UNROLL for (int c = 0; c < C; ++c)
        g.each([&](Lane l) { px.v[c][l] = linear_u8(px.v[c][l], a, b); });
    } break;
    case OP_LINEAR: {
      const float a = op.p[0], b = op.flag ? op.p[1] * sample_mean(s) : op.p[1], lo = op.p[2], hi = op.p[3];
      AUG_UNROLL for (int c = 0; c < C; ++c)
        g.each([&](Lane l) { px.v[c][l] = clamp_(px.v[c][l] * a + b, lo, hi); });
    } break;
    case OP_NORMALIZE: {
      AUG_UNROLL for (int c = 0; c < C; ++c) {
        const float mean = ld(s.blob + op.arg + s.c0 + c), inv = ld(s.blob + op.arg + s.channels + s.c0 + c);
        g.each([&](Lane l) { px.v[c][l] = (px.v[c][l] - mean) * inv; });
      }
    } break;
    case OP_HSV_U8:
      if constexpr (C == 3) {
        const float h = op.p[0], sa = op.p[1], va = op.p[2];
        g.each([&](Lane l) { hsv_u8(px.v[0][l], px.v[1][l], px.v[2][l], h, sa, va); });
      }
      break;
    case OP_HSV:
      if constexpr (C == 3) {
        const float h = op.p[0], sa = op.p[1], va = op.p[2];
        g.each([&](Lane l) { hsv_float(px.v[0][l], px.v[1][l], px.v[2][l], h, sa, va); });
      }
      break;
    case OP_GAUSS: op_gauss(g, op, s, px); break;
    case OP_RECTS: op_rects(g, op, s, px); break;
    case OP_PIXELS: op_pixels(g, op, s, px); break;
    case OP_CHANNELS: op_channels(g, op, s, px); break;
    case OP_BITMAP: op_bitmap(g, op, s, px); break;
    case OP_STANDARDIZE: {
      AUG_UNROLL for (int c = 0; c < C; ++c) {
        float from, by;
        standard(s, s.c0 + c, op.flag, from, by);
        g.each([&](Lane l) { px.v[c][l] = clamp_((px.v[c][l] - from) / by, -20.0f, 20.0f); });
      }
    } break;
    default: break;
  }
}

}  // namespace aug

// op_color.cuh: operations on the three channels of a colour.
#pragma once
#include "ops.gen.cuh"
#include "pixels.cuh"
#include "shade.cuh"
#if AUG_GPU
#include "gpu/words.cuh"
#endif
namespace aug {

// OpenCV's 8-bit RGB -> HSV and back; hue below 180. Its tables, rint((255 << 12) / v) and rint((180 << 12) / (6 d)), are divisions
// here: equal for all 255 arguments.
#if AUG_GPU
// rint(n / d) for n = 255 << 12 or 30 << 12 and a whole d of 1 .. 255: no quotient lies nearer to a half than 0.5 / d, so that the
// reciprocal may be off by 3 ulps (tests/test_hsv.py tries all). Products with d and with differences are whole and below 2^24.
AUG float quotient(float n, float d) { return fma_(n, reciprocal(fmaxf(d, 1.0f)), 12582912.0f) - 12582912.0f; }
AUG void to_hsv_u8(float r, float g, float b, float& h, float& s, float& v) {
  v = fmaxf(r, fmaxf(g, b));
  const float d = v - fminf(r, fminf(g, b)), part = 1.0f / 4096.0f;
  s = __fmaf_rz(fma_(d, quotient(1044480.0f, v), 2048.0f), part, 8388608.0f) - 8388608.0f;  // (.. + 2048) >> 12
  const float red = g - b, green = fma_(2.0f, d, b - r), blue = fma_(4.0f, d, r - g);
  float e = v == g ? green : blue;
  e = v == r ? red : e;
  const float hi = __fmaf_rd(fma_(e, quotient(122880.0f, d), 2048.0f), part, 12582912.0f) - 12582912.0f;
  h = hi < 0.0f ? hi + 180.0f : hi;
}
// Of the three numbers that occur each channel takes one: byte `sector` of its table says which of the bytes of a word. The selector
// of the second permuted is 0x7440 + that: 2^23 + byte, as a float has it.
AUG void from_hsv_u8(float h, float s, float v, float& r, float& g, float& b) {
  const float h6 = h * 0.033333335f, S = s * 0.003921569f, V = v * 0.003921569f;  // float32(6/180), float32(1/255)
  const float whole = __fadd_rd(h6, 8388608.0f), f = h6 - (whole - 8388608.0f);
  const u32 sector = bits(whole), at = sector | 0x60u;
  const float p = V * (1.0f - S), mixed = V * fma_(-S, sector & 1u ? f : 1.0f - f, 1.0f);
  const u32 full = bits(__fadd_rz(255.0f * V, 8388608.0f)), least = bits(__fadd_rz(255.0f * p, 8388608.0f));
  const u32 word = permuted(permuted(full, bits(__fadd_rz(255.0f * mixed, 8388608.0f)), 0x0040u), least, 0x0410u);
  r = unbits(permuted(word, 0x4b000000u, permuted(0x42424140u, 0x00744041u, at))) - 8388608.0f;
  g = unbits(permuted(word, 0x4b000000u, permuted(0x41404041u, 0x00744242u, at))) - 8388608.0f;
  b = unbits(permuted(word, 0x4b000000u, permuted(0x40414242u, 0x00744140u, at))) - 8388608.0f;
}
#else
AUG void to_hsv_u8(float r, float g, float b, float& h, float& s, float& v) {
  v = max_(r, max_(g, b));
  const float d = v - min_(r, min_(g, b));
  const int sdiv = (int)round_(1044480.0f / max_(v, 1.0f)), hdiv = (int)round_(122880.0f / max_(d, 1.0f));
  s = (float)(((int)d * sdiv + 2048) >> 12);
  const float e = v == r ? g - b : v == g ? b - r + 2.0f * d : r - g + 4.0f * d;
  const int hi = ((int)e * hdiv + 2048) >> 12;
  h = (float)(hi < 0 ? hi + 180 : hi);
}
AUG void from_hsv_u8(float h, float s, float v, float& r, float& g, float& b) {
  const float h6 = h * 0.033333335f, S = s * 0.003921569f, V = v * 0.003921569f;  // float32(6/180), float32(1/255)
  const float sector = floor_(h6), f = h6 - sector;
  const float p = V * (1.0f - S), q = V * fma_(-S, f, 1.0f), t = V * fma_(-S, 1.0f - f, 1.0f);
  const float R = sector == 0.0f || sector == 5.0f ? V : sector == 1.0f ? q : sector == 4.0f ? t : p;
  const float Gr = sector == 1.0f || sector == 2.0f ? V : sector == 3.0f ? q : sector == 0.0f ? t : p;
  const float B = sector == 3.0f || sector == 4.0f ? V : sector == 5.0f ? q : sector == 2.0f ? t : p;
  r = trunc_(255.0f * R);
  g = trunc_(255.0f * Gr);
  b = trunc_(255.0f * B);
}
#endif
AUG void hsv_u8(float& r, float& g, float& b, float hue, float sat, float val) {
  float h, s, v;
  to_hsv_u8(r, g, b, h, s, v);
  // 0 <= hue < 180 is added as a real number, the sum wrapped and truncated
  h = h + hue;
  h = trunc_(h >= 180.0f ? h - 180.0f : h);
  s = s == 0.0f ? 0.0f : within_(s + sat, 0.0f, 255.0f);
  from_hsv_u8(h, s, within_(v + val, 0.0f, 255.0f), r, g, b);
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

// OpenCV's RGB to gray (weights of 15 bits on uint8), and albumentations' others
enum Gray { GRAY_WEIGHTED = 0, GRAY_EXTREMES = 1, GRAY_MEAN = 2, GRAY_MAX = 3 };
template <class G> AUG void op_gray(G g, const GrayOp& p, const Op&, const Sample&, Pixels<G, 3>& px) {
  const bool whole = p.whole != 0;
  const auto all = [&](auto f) {
    g.each([&](Lane l) {
      const float v = f(px.v[0][l], px.v[1][l], px.v[2][l]);
      px.v[0][l] = v;
      px.v[1][l] = v;
      px.v[2][l] = v;
    });
  };
  const auto most = [](float r, float g, float b) { return max_(r, max_(g, b)); };
  if (p.method == GRAY_WEIGHTED && whole)
    all([](float r, float g, float b) { return (float)(((int)r * 9798 + (int)g * 19235 + (int)b * 3735 + 16384) >> 15); });
  else if (p.method == GRAY_WEIGHTED) all([](float r, float g, float b) { return fma_(r, 0.299f, fma_(g, 0.587f, b * 0.114f)); });
  else if (p.method == GRAY_EXTREMES)
    all([&](float r, float g, float b) {
      const float v = (most(r, g, b) + min_(r, min_(g, b))) * 0.5f;
      return whole ? trunc_(v) : clamp_(v, 0.0f, 1.0f);
    });
  else if (p.method == GRAY_MEAN)
    all([&](float r, float g, float b) { return whole ? (float)((int)(r + g + b) * 21846 >> 16) : (r + g + b) / 3.0f; });
  else all(most);
}

// factor times the colour, rest times its gray value
template <class G> AUG void op_saturation(G g, const SaturationOp& p, const Op&, const Sample&, Pixels<G, 3>& px) {
  const float factor = p.factor, rest = p.rest;
  const bool whole = p.whole != 0;
  g.each([&](Lane l) {
    const float gray = luma_of(px.v[0][l], px.v[1][l], px.v[2][l], whole) * rest;
    AUG_UNROLL for (int c = 0; c < 3; ++c) {
      const float v = fma_(px.v[c][l], factor, gray);  // as addWeighted
      px.v[c][l] = whole ? round_(clamp_(v, 0.0f, 255.0f)) : clamp_(v, 0.0f, 1.0f);
    }
  });
}

// 8-bit CIELab's lightness, in OpenCV's steps: linear values of 11 bits, luminance of them by weights of 12 bits, a table
template <class G> AUG void op_gray_lab(G g, const GrayLabOp& p, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  const float *linear = s.blob + op.at, *light = linear + 256;
  const float scale = p.scale, back = 1.0f / scale;
  const auto at = [&](float v) { return (int)ld(linear + (int)to_u8(v * scale)); };
  g.each_scalar([&](Lane l) {
    const int y = (at(px.v[0][l]) * 871 + at(px.v[1][l]) * 2929 + at(px.v[2][l]) * 296 + 2048) >> 12;
    const float v = ld(light + clamp_(y, 0, 3071));
    const float out = scale == 1.0f ? v : v * back;
    px.v[0][l] = out;
    px.v[1][l] = out;
    px.v[2][l] = out;
  });
}

template <class G> AUG void op_hsv_u8(G g, const HsvU8Op& p, const Op&, const Sample&, Pixels<G, 3>& px) {
  const float h = p.hue, s = p.saturation, v = p.value;
  g.each([&](Lane l) { hsv_u8(px.v[0][l], px.v[1][l], px.v[2][l], h, s, v); });
}
template <class G> AUG void op_hsv(G g, const HsvOp& p, const Op&, const Sample&, Pixels<G, 3>& px) {
  const float h = p.hue, s = p.saturation, v = p.value;
  g.each_in_turn([&](Lane l) { hsv_float(px.v[0][l], px.v[1][l], px.v[2][l], h, s, v); }, px.v);
}

}  // namespace aug

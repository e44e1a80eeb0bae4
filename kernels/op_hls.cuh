// op_hls.cuh: hue, lightness and saturation, as OpenCV computes them in float32.
#pragma once
#include "op_replace.cuh"
#include "shade.cuh"
namespace aug {

// of r, g, b in 0 .. 1 hue in degrees, lightness and saturation in 0 .. 1
AUG void to_hls(float r, float g, float b, float& h, float& l, float& s) {
  const float most = max_(r, max_(g, b)), least = min_(r, min_(g, b)), d = most - least;
  const bool colour = d > 1.1920929e-07f;
  const float by = 60.0f / (colour ? d : 1.0f);
  l = (most + least) * 0.5f;
  const float below = l < 0.5f ? most + least : 2.0f - most - least;
  s = colour ? d / (colour ? below : 1.0f) : 0.0f;
  float hue = most == r ? (g - b) * by : most == g ? (b - r) * by + 120.0f : (r - g) * by + 240.0f;
  hue = hue < 0.0f ? hue + 360.0f : hue;
  h = colour ? hue : 0.0f;
}
// a channel, n being 0 for red, 8 for green, 4 for blue: OpenCV's six sectors in one formula
AUG float hls_channel(float h12, float n, float l, float a) {
  float k = n + h12;
  k = k >= 12.0f ? k - 12.0f : k;
  return fma_(-a, clamp_(min_(k - 3.0f, 9.0f - k), -1.0f, 1.0f), l);
}
AUG void from_hls(float h, float l, float s, float& r, float& g, float& b) {
  float h12 = h * 0.033333335f;
  h12 = h12 - 12.0f * floor_(h12 * 0.083333336f);
  h12 = h12 < 0.0f ? h12 + 12.0f : h12 >= 12.0f ? h12 - 12.0f : h12;
  const float a = s * min_(l, 1.0f - l);
  r = hls_channel(h12, 0.0f, l, a);
  g = hls_channel(h12, 8.0f, l, a);
  b = hls_channel(h12, 4.0f, l, a);
}

constexpr float HLS_BYTE = 0.003921569f;  // float32(1 / 255)
// Whole numbers: hue 0 .. 180, the others 0 .. 255, each rounded
template <class G> AUG void op_to_hls(G g, const ToHlsOp&, const Op&, const Sample&, Pixels<G, 3>& px) {
  g.each([&](Lane i) {
    float h, l, s;
    to_hls(px.v[0][i] * HLS_BYTE, px.v[1][i] * HLS_BYTE, px.v[2][i] * HLS_BYTE, h, l, s);
    px.v[0][i] = round_(h * 0.5f);
    px.v[1][i] = round_(l * 255.0f);
    px.v[2][i] = round_(s * 255.0f);
  });
}
template <class G> AUG void op_from_hls(G g, const FromHlsOp&, const Op&, const Sample&, Pixels<G, 3>& px) {
  g.each([&](Lane i) {
    float r, gr, b;
    from_hls(px.v[0][i] * 2.0f, px.v[1][i] * HLS_BYTE, px.v[2][i] * HLS_BYTE, r, gr, b);
    px.v[0][i] = clamp_(round_(r * 255.0f), 0.0f, 255.0f);
    px.v[1][i] = clamp_(round_(gr * 255.0f), 0.0f, 255.0f);
    px.v[2][i] = clamp_(round_(b * 255.0f), 0.0f, 255.0f);
  });
}
// lightness below a limit times a factor, cut off
template <class G> AUG void op_bleach(G g, const BleachOp& p, const Op&, const Sample&, Pixels<G, 3>& px) {
  const float limit = p.limit, factor = p.factor;
  g.each([&](Lane l) {
    const float v = px.v[1][l];
    px.v[1][l] = v < limit ? trunc_(min_(v * factor, 255.0f)) : v;
  });
}
template <class G> AUG void op_boxes(G g, const BoxesOp&, const Op& op, const Sample& s, Pixels<G, 3>& px) {
  const int* box = (const int*)(s.blob + op.at);
  const Box around = box_of<G, 3>(g, px);
  for (int k = 0; k < op.n; ++k, box += 5) {
    const int x0 = ld(box), y0 = ld(box + 1), x1 = ld(box + 2), y1 = ld(box + 3);
    if (x0 > around.x1 || x1 <= around.x0 || y0 > around.y1 || y1 <= around.y0) continue;
    const float v = (float)ld(box + 4);
    g.each([&](Lane l) {
      const int x = px.x[l], y = px.y[l];
      px.v[1][l] = (x >= x0) & (x < x1) & (y >= y0) & (y < y1) ? v : px.v[1][l];
    });
  }
}

// albumentations' noise of a sensor: normal on the hue, a Poisson number of the lightness' deviation on the lightness
template <class G> AUG void op_iso(G g, const IsoOp& p, const Op&, const Sample& s, Pixels<G, 3>& px) {
  const u32 k0 = p.key[0], k1 = p.key[1];
  const int width = p.width;
  const bool whole = p.whole != 0;
  const float sigma = p.hue, intensity = p.intensity, scale = whole ? HLS_BYTE : 1.0f;
  const float rate = ld(s.found + p.deviation) * scale * intensity;
  typename G::template Var<float> rates, count, normal, hue, light, grey;
  typename G::template Var<u32> word;
  g.each([&](Lane l) {
    const U4 u = threefry((u32)(px.y[l] * width + px.x[l]), 0u, (u32)STREAM_NOISE, 0u, k0, k1);
    float n0, n1;
    normal2(u.x, u.y, n0, n1);
    normal[l] = n0;
    count[l] = n1;
    word[l] = u.z;
    rates[l] = rate;
  });
  poisson(g, rates, word, count);
  g.each([&](Lane l) {
    float h, m, t;
    to_hls(px.v[0][l] * scale, px.v[1][l] * scale, px.v[2][l] * scale, h, m, t);
    hue[l] = fma_(sigma, normal[l], h);
    light[l] = clamp_(m + count[l] * intensity * (1.0f - m), 0.0f, 1.0f);
    grey[l] = t;
  });
  g.each([&](Lane l) {
    float c[3];
    from_hls(hue[l], light[l], grey[l], c[0], c[1], c[2]);
    AUG_UNROLL for (int i = 0; i < 3; ++i) {
      const float v = clamp_(c[i], 0.0f, 1.0f);
      px.v[i][l] = whole ? round_(v * 255.0f) : v;
    }
  });
}

}  // namespace aug

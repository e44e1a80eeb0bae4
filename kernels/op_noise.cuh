// op_noise.cuh: noise, generated per pixel from a counter: nothing is stored.
#pragma once
#include "ops.gen.cuh"
#include "pixels.cuh"
#include "threefry.cuh"
namespace aug {

// of four numbers for four channels that of channel i
AUG float pick(const float* four, int i) { return i == 0 ? four[0] : i == 1 ? four[1] : i == 2 ? four[2] : four[3]; }

template <class G, int C> AUG void op_gauss(G g, const GaussOp& p, const Op&, const Sample& s, Pixels<G, C>& px) {
  const u32 k0 = p.key[0], k1 = p.key[1];
  const float sigma = p.sigma, mean = p.mean;
  const int width = p.width, alike = p.alike, whole = p.whole;
  const float top = whole ? 255.0f : 3.4e38f, low = whole ? 0.0f : -3.4e38f;
  const int first = alike ? 0 : s.c0;  // channels are served in blocks of four
  g.each([&](Lane l) {
    const U4 u = threefry((u32)(px.y[l] * width + px.x[l]), (u32)(first >> 2), (u32)STREAM_NOISE, 0u, k0, k1);
    float n[4];
    normal2(u.x, u.y, n[0], n[1]);
    normal2(u.z, u.w, n[2], n[3]);
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      const float z = alike ? n[0] : C == 1 ? pick(n, first & 3) : n[c];
      const float e = fma_(sigma, z, mean), t = whole ? trunc_(e) : e;
      px.v[c][l] = clamp_(px.v[c][l] + t, low, top);
    }
  });
}

}  // namespace aug

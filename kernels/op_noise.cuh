// op_noise.cuh: noise, generated per pixel from a counter: nothing is stored.
#pragma once
#include "ops.gen.cuh"
#include "pixels.cuh"
#include "threefry.cuh"
namespace aug {

// of four numbers for four channels that of channel i
AUG float pick(const float* four, int i) { return i == 0 ? four[0] : i == 1 ? four[1] : i == 2 ? four[2] : four[3]; }

// Poisson numbers, of a uniform word each; count holds a normal number before, which large rates take. By inversion: how many sums
// of probabilities the uniform reaches, at most as many as a rate has (7 deviations and 8). Rates above 32: the first terms of
// Cornish and Fisher's expansion, rounded; their distribution is off by less than 1e-3 there, and less farther up.
constexpr float POISSON_NORMAL = 32.0f;
template <class G>
AUG void poisson(G g, typename G::template Var<float>& rate, typename G::template Var<u32>& word,
                 typename G::template Var<float>& count) {
  typename G::template Var<float> chance, sum, most;
  g.each([&](Lane l) {
    const float r = rate[l], z = count[l];
    const float large = max_(floor_(r + sqrt_(r) * z + (z * z - 1.0f) * (1.0f / 6.0f) + 0.5f), 0.0f);
    const bool small = r <= POISSON_NORMAL;
    chance[l] = exp2_(-1.44269504f * (small ? r : 0.0f));
    sum[l] = chance[l];
    most[l] = small ? floor_(r + 7.0f * sqrt_(r) + 8.0f) : 0.0f;
    count[l] = small ? 0.0f : large;
  });
  for (int k = 1; k <= 80; ++k) {  // 32 + 7 sqrt(32) + 8
    const float n = (float)k, back = 1.0f / n;
    if (g.all([&](Lane l) { return (uniform(word[l]) < sum[l]) | (n > most[l]); })) break;
    g.each([&](Lane l) {
      const bool on = (uniform(word[l]) >= sum[l]) & (n <= most[l]);
      count[l] += on ? 1.0f : 0.0f;
      chance[l] *= rate[l] * back;
      sum[l] += chance[l];
    });
  }
}

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
      const float v = px.v[c][l] + t;
      px.v[c][l] = AUG_GPU && whole ? within_(v, 0.0f, 255.0f) : clamp_(v, low, top);
    }
  });
}

}  // namespace aug

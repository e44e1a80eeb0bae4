// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter
// gives the number, so that a pixel's noise depends on (seed, sample, transform, pixel) and not
// on the launch shape, the batch or the device.
#pragma once
#include "math.cuh"
namespace aug {
struct U4 {
  u32 x, y, z, w;
};
AUG U4 philox(u32 c0, u32 c1, u32 c2, u32 c3, u32 k0, u32 k1) {
  AUG_UNROLL for (int r = 0; r < 10; ++r) {
    const u32 h0 = mulhi(0xD2511F53u, c0), l0 = 0xD2511F53u * c0;
    const u32 h1 = mulhi(0xCD9E8D57u, c2), l1 = 0xCD9E8D57u * c2;
    c0 = h1 ^ c1 ^ k0;
    c1 = l1;
    c2 = h0 ^ c3 ^ k1;
    c3 = l0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {c0, c1, c2, c3};
}
AUG float uniform(u32 a) { return (float)(int)(a >> 8) * (1.0f / 16777216.0f); }  // [0, 1)
// two standard normals from two words (Box-Muller)
AUG void normal2(u32 a, u32 b, float& n0, float& n1) {
  const float u = ((float)(int)(a >> 8) + 0.5f) * (1.0f / 16777216.0f);
  const float r = sqrt_of_normal(fma_(-1.38629436f, log2_(u), 0.0f));  // sqrt(-2 ln u); of u = 1 it is 0, not -0
  float s, c;
  sincos_turns(uniform(b), s, c);
  n0 = r * c;
  n1 = r * s;
}
}  // namespace aug

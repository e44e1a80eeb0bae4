// Threefry4x32-13 (Salmon et al. 2011): the generator of per-pixel noise. Additions, rotations and exclusive
// ors of 32 bits only, which is what vector units of CPUs do best: a third of Philox's time there (whose
// 64-bit products compilers do not vectorize well). 12 rounds pass BigCrush; Random123 publishes known
// answers for 13.
#pragma once
#include "philox.cuh"
namespace aug {

AUG u32 rotate(u32 x, int n) { return x << n | x >> (32 - n); }

template <int R0, int R1> AUG void threefry_round(u32& a, u32& b, u32& c, u32& d) {
  a += b;
  b = rotate(b, R0) ^ a;
  c += d;
  d = rotate(d, R1) ^ c;
}
AUG U4 threefry(u32 c0, u32 c1, u32 c2, u32 c3, u32 k0, u32 k1) {  // the key's other two words are 0
  const u32 k4 = 0x1BD11BDAu ^ k0 ^ k1;
  u32 x = c0 + k0, y = c1 + k1, z = c2, w = c3;
  threefry_round<10, 26>(x, y, z, w);
  threefry_round<11, 21>(x, w, z, y);
  threefry_round<13, 27>(x, y, z, w);
  threefry_round<23, 5>(x, w, z, y);
  x += k1;
  w += k4 + 1u;  // y += 0, z += 0
  threefry_round<6, 20>(x, y, z, w);
  threefry_round<17, 11>(x, w, z, y);
  threefry_round<25, 10>(x, y, z, w);
  threefry_round<18, 20>(x, w, z, y);
  z += k4;
  w += k0 + 2u;  // x += 0, y += 0
  threefry_round<10, 26>(x, y, z, w);
  threefry_round<11, 21>(x, w, z, y);
  threefry_round<13, 27>(x, y, z, w);
  threefry_round<23, 5>(x, w, z, y);
  y += k4;
  z += k0;
  w += k1 + 3u;  // x += 0
  threefry_round<6, 20>(x, y, z, w);
  return {x, y, z, w};
}

}  // namespace aug

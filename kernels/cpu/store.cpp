// store.cpp: where a fused launch writes its pixels, for one element type.
#include "store.hpp"
#include "bytes.hpp"
#include "parts.hpp"
namespace aug {

namespace {

// Past the caches, where lanes become whole lines of them; false: they do not.
template <class T, int C> AUG_FN bool store_past(const Row& s, int c0, int first, Pixels<G, C>& px) {
  const bool pixels = s.dx == C && (C == 1 || s.dc == 1);
  u8* const to = (u8*)((T*)s.dst + (i64)c0 * s.dc + (i64)first * s.dx);
  if (s.dy != s.dw * s.dx || s.dh * s.dw - first < G::lanes || ((i64)to & 63) || !(pixels || s.dx == 1)) return false;
  if (!pixels && ((i64)s.dc * (int)sizeof(T)) & 63) return false;
  alignas(64) T plane[C][G::lanes];
  for (int c = 0; c < C; ++c) {
    AUG_SIMD for (int i = 0; i < G::lanes; ++i)
      put(&plane[c][i], px.v[c].v[i]);
    if (!pixels || C == 1) copy_past(to + (i64)c * s.dc * (int)sizeof(T), (const u8*)plane[c], sizeof plane[c]);
  }
  if (!pixels || C == 1) return true;
  alignas(64) T beside[C * G::lanes];
  for (int i = 0; i < G::lanes; ++i) {
    AUG_UNROLL for (int c = 0; c < C; ++c)
      beside[C * i + c] = plane[c][i];
  }
  copy_past(to, (const u8*)beside, sizeof beside);
  return true;
}

}  // namespace

template <class T, int C> void store_lanes(const Row& s, int c0, int first, Pixels<G, C>& px) {
  if (s.past && store_past<T, C>(s, c0, first, px)) return;
  store<G, T, C>(G(), s, c0, first, px);
}
template void store_lanes<GPUAUG_IN, 1>(const Row&, int, int, Pixels<G, 1>&);
template void store_lanes<GPUAUG_IN, 3>(const Row&, int, int, Pixels<G, 3>&);
template void store_lanes<GPUAUG_IN, 4>(const Row&, int, int, Pixels<G, 4>&);

}  // namespace aug

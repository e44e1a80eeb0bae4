// fused.cpp: a sample of a fused launch, group after group of its pixels through load, program and store.
#include <type_traits>
#include "parts.hpp"
namespace aug {

namespace {

// channels c0 .. c1 - 1 in chunks of C
template <int C> void chunks(const Fused& f, const Row& s, int source, int target, int c0, int c1) {
  const auto load = by_type(source, [](auto* t) { return load_lanes<std::remove_pointer_t<decltype(t)>, C>; });
  const auto store = by_type(target, [](auto* t) { return store_lanes<std::remove_pointer_t<decltype(t)>, C>; });
  const int pixels = s.dh * s.dw;
  Pixels<G, C> px;
  for (int c = c0; c < c1; c += C)
    for (int p = 0; p < pixels; p += G::lanes) {
      load(s, f.blob, c, p, px);
      if (s.n_ops) program_lanes<C>(f, s, c, px);
      store(s, c, p, px);
    }
}

}  // namespace

void fused_sample(const Launch& l, const Row& s, const float* stats) {
  if (bytes_sample(l, s, stats)) return;
  // a rotated line visits cache lines in an order that no hardware prefetcher follows
  const i64 bytes = (i64)bytes_of(l.source) * s.sh * s.sw * l.channels;
  if (s.map != MAP_VIEW && s.sx > 0 && s.sy > 0 && s.sy >= s.sx && bytes <= 512 * 1024)
    for (i64 k = 0; k < bytes; k += 64) __builtin_prefetch((const u8*)s.src + k, 0, 2);
  const Fused f = {l.ops, l.blob, stats, l.channels};
  if (l.channels == 3) return chunks<3>(f, s, l.source, l.target, 0, 3);
  const int whole = l.channels & ~3;
  if (whole) chunks<4>(f, s, l.source, l.target, 0, whole);
  if (whole < l.channels) chunks<1>(f, s, l.source, l.target, whole, l.channels);
}

}  // namespace aug

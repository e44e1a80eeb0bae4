// fused.cpp: a sample of a fused launch, group after group of its pixels through load, program and store.
#include <type_traits>
#include <cstring>
#include "map.cuh"
#include "ops.gen.cuh"
#include "parts.hpp"
#include "scaled.hpp"
namespace aug {

namespace {

// a resize: its source lines are interpolated along x once
template <int C> void scaled_chunks(const Fused& f, const Row& s, int source, int target, int c0, int c1) {
  static thread_local Scaled lines;
  const auto load = by_number(source, [](auto* t) { return load_scaled<std::remove_pointer_t<decltype(t)>, C>; });
  const auto store = by_type(target, [](auto* t) { return store_lanes<std::remove_pointer_t<decltype(t)>, C>; });
  const int pixels = s.dh * s.dw;
  Pixels<G, C> px;
  for (int c = c0; c < c1; c += C) {
    start_scaled(s, C, lines);
    for (int p = 0; p < pixels; p += G::lanes) {
      load(s, c, p, px, lines);
      if (s.n_ops) program_lanes<C>(f, s, c, px);
      store(s, c, p, px);
    }
  }
}

// channels c0 .. c1 - 1 in chunks of C
template <int C> void chunks(const Fused& f, const Row& s, int source, int target, int c0, int c1) {
  if (source != DT_I32 && is_scaled(s)) return scaled_chunks<C>(f, s, source, target, c0, c1);
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

// Whole pixels that lie as they will, and operations that treat all channels alike: their values are pixels of one channel, which
// need not be taken apart and put together (half the time of ToFloat).
bool values_alone(const Launch& l, const Row& s) {
  static const int straight[6] = {1, 0, 0, 0, 1, 0};
  const int n = l.channels;
  if (n == 1 || s.map != MAP_VIEW || std::memcmp(s.frame, straight, sizeof straight)) return false;
  if (s.sx != n || s.dx != n || s.sc != 1 || s.dc != 1) return false;
  for (int k = s.ops; k < s.ops + s.n_ops; ++k)
    if (!VALUE_OPS[l.ops[k].code]) return false;
  return true;
}

}  // namespace

void start_scaled(const Row& s, int C, Scaled& k) {
  k.pitch = (s.dw + G::lanes + 15) & ~15;
  k.memory.resize((i64)k.pitch * (3 + 4 * C) + 2 * G::lanes);
  float* p = k.memory.data();
  k.along = p;
  k.left = (int*)(p + k.pitch);
  k.right = (int*)(p + 2 * k.pitch);
  k.line[0] = p + 3 * k.pitch;
  k.line[1] = k.line[0] + C * k.pitch;
  k.ready = k.line[1] + C * k.pitch;
  k.held[0] = k.held[1] = -1;
  k.first = k.have = k.y = 0;
  for (int x = 0; x < k.pitch; ++x) {  // beyond dw: a column that there is
    const float place = bounded(fma_(s.m[0], (float)min_(x, s.dw - 1), s.m[2])), low = floor_(place);
    k.along[x] = place - low;
    k.left[x] = clamp_((int)low, 0, s.sw - 1) * s.sx;
    k.right[x] = clamp_((int)low + 1, 0, s.sw - 1) * s.sx;
  }
}

void fused_sample(const Launch& l, const Row& s, const float* found) {
  if (gray_sample(l, s) || colours_sample(l, s) || zoom_sample(l, s) || bytes_sample(l, s, found) || tiles_sample(l, s) ||
      resize_sample(l, s))
    return;
  if (values_sample(l, s) || lines_sample(l, s) || added_sample(l, s) || table_sample(l, s, found)) return;
  // a rotated line visits cache lines in an order that no hardware prefetcher follows
  const i64 bytes = (i64)bytes_of(l.source) * s.sh * s.sw * l.channels;
  if (s.map != MAP_VIEW && s.sx > 0 && s.sy > 0 && s.sy >= s.sx && bytes <= 512 * 1024)
    for (i64 k = 0; k < bytes; k += 64) __builtin_prefetch((const u8*)s.src + k, 0, 2);
  Fused f = {l.ops, l.blob, found, l.channels};
  if (values_alone(l, s)) {
    Row flat = s;
    flat.sw *= l.channels;
    flat.dw *= l.channels;
    flat.sx = flat.dx = f.channels = 1;
    return chunks<1>(f, flat, l.source, l.target, 0, 1);
  }
  if (l.channels == 3) return chunks<3>(f, s, l.source, l.target, 0, 3);
  const int whole = l.channels & ~3;
  if (whole) chunks<4>(f, s, l.source, l.target, 0, whole);
  if (whole < l.channels) chunks<1>(f, s, l.source, l.target, whole, l.channels);
}

}  // namespace aug

// view.cuh: the pixels of a thread that are read with integer strides: copies, crops, flips, transposes.
#pragma once
#include "quad.cuh"
namespace aug {

struct Strides {
  const void* src;  // of the output's first pixel
  int ex, ey, sc;   // from an output pixel to the next, to the one below, from channel to channel, in elements
};
template <class T> AUG Strides strides_of(const Row& s, int c0) {
  const T* src = (const T*)s.src + (i64)s.frame[2] * s.sx + (i64)s.frame[5] * s.sy + (i64)c0 * s.sc;
  return {src, s.frame[0] * s.sx + s.frame[3] * s.sy, s.frame[1] * s.sx + s.frame[4] * s.sy, s.sc};
}

// pixels of C bytes, four of them in C words, in the opposite order
template <int C> AUG void mirror_words(u32* w) {
  if constexpr (C == 1) w[0] = permuted(w[0], 0u, 0x0123u);
  else if constexpr (C == 4) {
    const u32 a = w[0], b = w[1];
    w[0] = w[3];
    w[1] = w[2];
    w[2] = b;
    w[3] = a;
  } else {  // bytes 9 10 11 6, 7 8 3 4, 5 0 1 2
    static_assert(C == 3, "of 1, 3 or 4 bytes");
    const u32 a = w[0], b = w[1], c = w[2];
    w[0] = permuted(c, b, 0x6321u);
    w[1] = permuted(permuted(b, c, 0x4343u), permuted(a, b, 0x4343u), 0x5410u);
    w[2] = permuted(a, b, 0x2105u);
  }
}
// the last of four pixels comes first
template <class G, int C> AUG void mirror(Pixels<G, C>& px) {
  AUG_UNROLL for (int c = 0; c < C; ++c) {
    float* v = px.v[c].v;
    const float a = v[0], b = v[1];
    v[0] = v[3];
    v[1] = v[2];
    v[2] = b;
    v[3] = a;
  }
}

template <class G, class T, int C> AUG void load_quad(const Row& s, int c0, const Spot& t, Pixels<G, C>& px) {
  constexpr int N = G::slots;
  static_assert(N == 4, "words hold four pixels");
  const Strides v = strides_of<T>(s, c0);
  const T* src = (const T*)v.src;
  const int ex = v.ex, ey = v.ey, sc = v.sc, step = ex < 0 ? -ex : ex;
  const bool run = ey == s.dw * ex;  // lines follow each other
  if ((t.left >= N) & (run | (t.x + N <= s.dw))) {
    const T* p = src + ((i64)t.y * ey + (i64)t.x * ex) - (ex < 0 ? (N - 1) * step : 0);
    if (C > 1 && (step == C) & (sc == 1)) {
      float lanes[N * C];
      if constexpr (sizeof(T) == 1) {
        u32 w[C];
        read_words<C>(p, w);
        if (ex < 0) mirror_words<C>(w);
        AUG_UNROLL for (int i = 0; i < N * C; ++i)
          px.v[i % C].v[i / C] = byte_float(w[i / 4], i % 4);
        return;
      }
      read_run<N * C>(p, lanes);
      AUG_UNROLL for (int i = 0; i < N * C; ++i)
        px.v[i % C].v[i / C] = lanes[i];
      if (ex < 0) mirror(px);
      return;
    }
    if (step == 1) {
      AUG_UNROLL for (int c = 0; c < C; ++c)
        read_run<N>(p + (i64)c * sc, px.v[c].v);
      if (ex < 0) mirror(px);
      return;
    }
  }
  Quad<G, true>::each(s, t, [&](int k, int x, int y) {
    const T* p = src + ((i64)y * ey + (i64)x * ex);
    AUG_UNROLL for (int c = 0; c < C; ++c)
      px.v[c].v[k] = get(ld(p + (i64)c * sc));
  });
}

// ---- bytes that nothing computes on ----------------------------------------------------------

// four pixels of C bytes: read as words, mirrored or not, to pixels or to planes; false: not so
template <int C> AUG bool move_bytes(const Row& s, int c0, const Spot& t) {
  const Strides v = strides_of<u8>(s, c0);
  const int step = v.ex < 0 ? -v.ex : v.ex, dx = s.dx, dc = s.dc;
  const bool run = v.ey == s.dw * v.ex, dense = s.dy == s.dw * dx, line = t.x + 4 <= s.dw;
  if (!((t.left >= 4) & (run | line) & (dense | line) & (step == C) & ((v.sc == 1) | (C == 1)))) return false;
  u8* out = (u8*)s.dst + (i64)c0 * dc + (dense ? (i64)t.p * dx : (i64)t.y * s.dy + (i64)t.x * dx);
  const bool pixels = (dx == C) & ((dc == 1) | (C == 1)), planes = C > 1 && dx == 1;
  if (!(pixels ? is_aligned<u8, 4 * C>(out, 0) : planes && is_aligned<u8, 4>(out, dc))) return false;
  u32 w[C];
  read_words<C>((const u8*)v.src + ((i64)t.y * v.ey + (i64)t.x * v.ex) - (v.ex < 0 ? 3 * C : 0), w);
  if (v.ex < 0) mirror_words<C>(w);
  if (pixels) {
    constexpr int V = vector_of(C);
    AUG_UNROLL for (int i = 0; i < C; i += V)
      write_words<V>((u32*)out + i, w + i);
    return true;
  }
  separate<C>(w);
  AUG_UNROLL for (int c = 0; c < C; ++c)
    write_words<1>(out + (i64)c * dc, w + c);
  return true;
}

}  // namespace aug

// quad.cuh: which pixels a thread of a fused launch has, and how it reads and writes them.
//
// A thread has SLOTS = 4 pixels. Of a view they follow each other, so that they are read and written as words. Of a gather they lie
// 32 apart, those of a warp's lanes side by side, so that lanes share the lines that they read: 3.1 sectors a pixel instead of 9.0.
#pragma once
#include "pixels.cuh"
#include "words.cuh"
namespace aug {

// of a thread's values that of the pixel whose bit is set: registers have no numbers that a loop could count
template <class G, class V> AUG auto chosen(const V& of, u32 bit) {
  auto v = of.v[0];
  AUG_UNROLL for (int k = 1; k < G::slots; ++k)
    v = bit == 1u << k ? of.v[k] : v;
  return v;
}
template <class G, class V, class T> AUG void choose(V& of, u32 bit, T v) {
  AUG_UNROLL for (int k = 0; k < G::slots; ++k)
    of.v[k] = bit == 1u << k ? v : of.v[k];
}

struct Spot {
  int p, x, y;  // its first pixel
  int left;     // pixels of the sample from that one on
};
template <class G, bool VIEW> struct Quad {
  static constexpr int N = G::slots, STEP = VIEW ? 1 : 32;

  static AUG int number(int first, int id) { return first + (VIEW ? id * N : (id & ~31) * N + (id & 31)); }
  static AUG Spot spot(const Row& s, int first) {
    Spot t;
    t.p = number(first, threadIdx.x);
    t.y = divided(t.p, s.dw, t.x);
    t.left = s.dh * s.dw - t.p;
    return t;
  }
  // .. found once more, so that what lies in between need not keep it
  static AUG Spot again(const Row& s) {
    Spot t;
    t.p = number(seldom((int)blockIdx.x) * G::lanes, seldom((int)threadIdx.x));
    t.y = divided(t.p, s.dw, t.x);
    t.left = s.dh * s.dw - t.p;
    return t;
  }
  // f(k, x, y) for each of its pixels; beyond the sample's end the last one is repeated
  template <class F> static AUG void each(const Row& s, const Spot& t, F f) {
    const int w = s.dw, down = w > STEP ? 0 : STEP / w, right = STEP - down * w;
    int x = t.x, y = t.y;
    AUG_UNROLL for (int k = 0; k < N; ++k) {
      f(k, x, y);
      if ((k + 1) * STEP < t.left) {
        x += right;
        y += down;
        if (x >= w) {
          x -= w;
          ++y;
        }
      }
    }
  }
  // positions in the gather's frame, as to_frame of cpu/view.hpp has them
  template <int C> static AUG void positions(const Row& s, const Spot& t, Pixels<G, C>& px) {
    const bool line = VIEW ? t.x + N <= s.dw : (s.dw >= STEP) & (t.left > (N - 1) * STEP);
    if (line & (s.plain != 0)) {  // most: fewer questions
      int x = t.x, y = t.y;
      AUG_UNROLL for (int k = 0; k < N; ++k) {
        px.x.v[k] = x;
        px.y.v[k] = y;
        x += STEP;
        if (!VIEW && x >= s.dw) {
          x -= s.dw;
          ++y;
        }
      }
      return;
    }
    const int *f = s.frame, a = f[0], b = f[1], c = f[2], d = f[3], e = f[4], h = f[5];
    each(s, t, [&](int k, int x, int y) {
      px.x.v[k] = a * x + b * y + c;
      px.y.v[k] = d * x + e * y + h;
    });
  }

  template <class T, int C> static AUG void store(const Row& s, int c0, const Spot& t, Pixels<G, C>& px) {
    const int dx = s.dx, dc = s.dc;
    T* out = (T*)s.dst + (i64)c0 * dc;
    const bool dense = s.dy == s.dw * dx;  // lines follow each other: pixel p lies at p * dx
    if constexpr (VIEW) {
      T* p = out + (dense ? (i64)t.p * dx : (i64)t.y * s.dy + (i64)t.x * dx);
      if ((t.left >= N) & (dense | (t.x + N <= s.dw))) {
        if ((dx == 1) & is_aligned<T, N>(p, C > 1 ? (i64)dc * (i64)sizeof(T) : 0)) {
          AUG_UNROLL for (int c = 0; c < C; ++c)
            write_run<N>(p + (i64)c * dc, px.v[c].v);
          return;
        }
        if (C > 1 && (dx == C) & (dc == 1) & is_aligned<T, N * C>(p, 0)) {
          float v[N * C];
          AUG_UNROLL for (int i = 0; i < N * C; ++i)
            v[i] = px.v[i % C].v[i / C];
          write_run<N * C>(p, v);
          return;
        }
      }
    }
    if (dense & ((dx == 1) | ((dx == C) & (dc == 1)))) {  // a constant distance between pixels: no arithmetic for it
      if (dx == 1) spread<1>(out, t, dc, px);
      else spread<C>(out, t, dc, px);
      return;
    }
    each(s, t, [&](int k, int x, int y) {
      T* p = out + ((i64)y * s.dy + (i64)x * dx);
      if (k * STEP < t.left) AUG_UNROLL
        for (int c = 0; c < C; ++c) write_one(p + (i64)c * dc, px.v[c].v[k]);
    });
  }

 private:
  template <int DX, class T, int C> static AUG void spread(T* out, const Spot& t, int dc, Pixels<G, C>& px) {
    T* p = out + (i64)t.p * DX;
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      T* q = p + (DX == C && C > 1 ? c : (i64)c * dc);
      AUG_UNROLL for (int k = 0; k < N; ++k)
        if (k * STEP < t.left) write_one(q + k * STEP * DX, px.v[c].v[k]);
    }
  }
};

}  // namespace aug

// rank.cuh: of the values in a window around each pixel the median, the least or the greatest: written once, for lanes.
//
//   median     of a square of side k, odd. 3 and 5 by exchanges of pairs ("forgetful selection": of k k / 2 + 2 values the least
//              and the greatest cannot be the median; they are left out, the next value comes in, and so on). Larger ones bit by
//              bit from the top: a bit is set if the values below the number with that bit set are at most (k k - 1) / 2.
//   extremes   over the runs of pixels (dy, dx, length) of a structuring element
//
// Values are compared as unsigned keys of their own width in which the order of numbers is the order of bits: bytes as they are,
// so that 64 lanes are one vector of AVX-512; floats with their sign turned; labels as signed numbers. NaNs are above (with the
// sign bit set: below) all numbers.
//
// A window W gives `tap(dy, dx)`: the pixels dy lines below and dx columns right of the lanes' own, of which `at(lane)` is a key.
// Extremes have no order that changes their bits: cpu/rank.hpp takes them of whole lines, rank.cu of one pixel's runs.
#pragma once
#include "rows.cuh"
namespace aug {

template <class T> struct KeyOf;
template <> struct KeyOf<u8> {
  typedef u8 type;
  static AUG u8 of(u8 v) { return v; }
  static AUG u8 back(u8 k) { return k; }
};
// 16 or 32 bits of a float: all bits of negative ones turn, of others the sign
template <class T, class K> struct KeyOfFloat {
  typedef K type;
  static constexpr K TOP = (K)((K)1 << (8 * sizeof(K) - 1));
  static AUG K turned(K b) { return (K)(b ^ (b & TOP ? (K) ~(K)0 : TOP)); }
  static AUG K unturned(K k) { return (K)(k ^ (k & TOP ? TOP : (K) ~(K)0)); }
};
template <> struct KeyOf<f16> : KeyOfFloat<f16, u16> {
  static AUG u16 of(f16 v) { return turned(v.bits); }
  static AUG f16 back(u16 k) { return f16{unturned(k)}; }
};
template <> struct KeyOf<bf16> : KeyOfFloat<bf16, u16> {
  static AUG u16 of(bf16 v) { return turned(v.bits); }
  static AUG bf16 back(u16 k) { return bf16{unturned(k)}; }
};
template <> struct KeyOf<float> : KeyOfFloat<float, u32> {
  static AUG u32 of(float v) { return turned(bits(v)); }
  static AUG float back(u32 k) { return unbits(unturned(k)); }
};
template <> struct KeyOf<i32> {
  typedef u32 type;
  static AUG u32 of(i32 v) { return v.bits ^ 0x80000000u; }
  static AUG i32 back(u32 k) { return i32{k ^ 0x80000000u}; }
};

template <class G, class V> AUG void sort2(G g, V& a, V& b) {
  g.each([&](Lane l) {
    const auto x = a[l], y = b[l];
    a[l] = y < x ? y : x;
    b[l] = y < x ? x : y;
  });
}
// v[FIRST .. LAST] hold what may still be the median of N values, of which those from NEXT on have not come in
template <int N, int FIRST, int LAST, int NEXT> struct Forget {
  template <class G, class V> static AUG V& run(G g, V* v) {
    constexpr int n = LAST - FIRST + 1, half = n / 2;
    AUG_UNROLL for (int i = 0; i < half; ++i)
      sort2(g, v[FIRST + i], v[LAST - i]);
    AUG_UNROLL for (int i = 1; i < (n + 1) / 2; ++i)
      sort2(g, v[FIRST], v[FIRST + i]);  // the least to FIRST
    AUG_UNROLL for (int i = half; i < n - 1; ++i)
      sort2(g, v[FIRST + i], v[LAST]);  // the greatest to LAST
    if constexpr (NEXT < N) {
      v[LAST] = v[NEXT];
      return Forget<N, FIRST + 1, LAST, NEXT + 1>::run(g, v);
    } else {
      return v[FIRST + 1];
    }
  }
};
template <int SIDE, class G, class W, class V> AUG_FN void median_of_few(G g, W w, V& out) {
  constexpr int N = SIDE * SIDE;
  V v[N];
  AUG_UNROLL for (int i = 0; i < N; ++i) {
    const auto tap = w.tap(i / SIDE - SIDE / 2, i % SIDE - SIDE / 2);
    g.each([&](Lane l) { v[i][l] = tap.at(l); });
  }
  V& median = Forget<N, 0, N / 2 + 1, N / 2 + 2>::run(g, v);
  g.each([&](Lane l) { out[l] = median[l]; });
}

// adds how many of N neighbours in a line, from (dy, dx) on, are below a number
template <int N, class Count, class G, class W, class V, class C>
AUG void count_below(G g, const W& w, int dy, int dx, V& number, C& count) {
  decltype(w.tap(0, 0)) tap[N];
  AUG_UNROLL for (int i = 0; i < N; ++i)
    tap[i] = w.tap(dy, dx + i);
  g.each([&](Lane l) {
    const auto t = number[l];
    Count c = count[l];
    AUG_UNROLL for (int i = 0; i < N; ++i)
      c = (Count)(c + (tap[i].at(l) < t ? 1 : 0));
    count[l] = c;
  });
}
// Count: u8 holds up to 255 values
template <class Key, class Count, class G, class W, class V> AUG_FN void median_by_bits(G g, W w, int side, V& out) {
  V number;
  typename G::template Var<Count> count;
  const Count most = (Count)((side * side - 1) / 2);
  g.each([&](Lane l) { out[l] = 0; });
  for (int bit = 8 * sizeof(Key) - 1; bit >= 0; --bit) {
    const Key one = (Key)((Key)1 << bit);
    g.each([&](Lane l) {
      number[l] = (Key)(out[l] | one);
      count[l] = 0;
    });
    for (int y = -(side / 2); y <= side / 2; ++y) {
      int x = -(side / 2);
      for (; x + 6 <= side / 2; x += 7) count_below<7, Count>(g, w, y, x, number, count);
      for (; x + 2 <= side / 2; x += 3) count_below<3, Count>(g, w, y, x, number, count);
      for (; x <= side / 2; ++x) count_below<1, Count>(g, w, y, x, number, count);
    }
    g.each([&](Lane l) { out[l] = count[l] <= most ? number[l] : out[l]; });
  }
}

template <class Key, class G, class W, class V> AUG void median(G g, const RankRow& row, W w, V& out) {
  if (row.kh == 3) median_of_few<3>(g, w, out);
  else if (row.kh == 5) median_of_few<5>(g, w, out);
  else if (row.kh <= 15) median_by_bits<Key, u8>(g, w, row.kh, out);
  else median_by_bits<Key, u16>(g, w, row.kh, out);
}

}  // namespace aug

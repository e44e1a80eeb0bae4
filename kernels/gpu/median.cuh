// median.cuh: the median of 3 x 3 or 5 x 5 bytes, beyond the border of which the nearest pixel stands.
//
// A thread has four pixels of a line, of CH channels side by side or of one plane. It reads K lines of the eight pixels around them as
// words, and works on two columns at a time, one in each half of a word: a byte stands twice in its half, which leaves the order alone.
//   1. Columns of K bytes are sorted. Pair c holds columns c and c + 2 of the eight, so that the windows of the first and the third
//      pixel are K pairs that follow each other, those of the second and the fourth the K one further on: most are shared.
//   2. Of the K-th least of each column, and so on, no more is sorted than what can be the median: of K sorted columns whose lines are
//      sorted too, an element has (line + 1)(column + 1) - 1 others that are not above it, and as many to the other side. All that the
//      two windows share is sorted for both, then each has its own column put in.
//   3. What is left lies on three diagonals. Of the lower one only the greatest can be the median, of the upper one only the least:
//      the median is that of these two and of the median of the middle one. (3 x 3: the three are what is left.)
#pragma once
#include "../rank.cuh"
#include "view.cuh"
namespace aug {

// Of two bytes in halves of words. Before sm_90 there are no such integers, but floats of 16 bits from sm_80 on, and bytes alone are
// small positive ones, in the same order.
#if defined(__CUDACC_RTC__) && __CUDA_ARCH__ >= 800 && __CUDA_ARCH__ < 900
constexpr u32 OF_TWO = 0x00ff00ffu;  // the bits of a number
AUG u32 less2(u32 a, u32 b) {
  u32 r;
  asm("min.f16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
AUG u32 more2(u32 a, u32 b) {
  u32 r;
  asm("max.f16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
#else
constexpr u32 OF_TWO = ~0u;
AUG u32 less2(u32 a, u32 b) { return least2(a, b); }
AUG u32 more2(u32 a, u32 b) { return greatest2(a, b); }
#endif
AUG void order2(u32& a, u32& b) {
  const u32 low = less2(a, b);
  b = more2(a, b);
  a = low;
}
AUG u32 middle2(u32 a, u32 b, u32 c) { return more2(less2(a, b), less2(more2(a, b), c)); }
AUG u32 middle2(u32 a, u32 b, u32 c, u32 d, u32 e) {
  return middle2(more2(less2(a, b), less2(c, d)), less2(more2(a, b), more2(c, d)), e);
}
AUG void sort(u32 (&v)[3]) {
  order2(v[0], v[1]);
  order2(v[1], v[2]);
  order2(v[0], v[1]);
}
AUG void sort(u32 (&v)[4]) {
  order2(v[0], v[1]);
  order2(v[2], v[3]);
  order2(v[0], v[2]);
  order2(v[1], v[3]);
  order2(v[1], v[2]);
}
AUG void sort(u32 (&v)[5]) {
  order2(v[0], v[1]);
  order2(v[3], v[4]);
  order2(v[2], v[4]);
  order2(v[2], v[3]);
  order2(v[1], v[4]);
  order2(v[0], v[3]);
  order2(v[0], v[2]);
  order2(v[1], v[3]);
  order2(v[1], v[2]);
}

// K lines of four pixels' windows: words[k] holds, of line k, the pixels from two left of the first to two right of the last
template <int K, int CH> struct Median {
  static constexpr int W = 2 * CH;
  u32 words[K][W];

  // of line k and channel c pixels a and b
  AUG u32 pair(int k, int c, int a, int b) const {
    const int i = CH * a + c, j = CH * b + c;
    return permuted(words[k][i / 4], words[k][j / 4], 0x11u * (i % 4) + 0x1100u * (4 + j % 4)) & OF_TWO;
  }
  AUG void column(int c, int a, int b, u32 (&v)[K]) const {
    AUG_UNROLL for (int k = 0; k < K; ++k)
      v[k] = pair(k, c, a, b);
    sort(v);
  }

  // the four medians of channel c, in a word
  AUG u32 of(int c) const {
    u32 first, second;  // of the first and third pixel, of the second and fourth
    if constexpr (K == 3) {
      u32 v[4][3];
      AUG_UNROLL for (int i = 0; i < 4; ++i)
        column(c, i + 1, i + 3, v[i]);
      const u32 high = more2(v[1][0], v[2][0]), low = less2(v[1][2], v[2][2]);
      const u32 less = less2(v[1][1], v[2][1]), more = more2(v[1][1], v[2][1]);
      const auto with = [&](const u32(&own)[3]) {
        return middle2(more2(high, own[0]), more2(less, less2(more, own[1])), less2(low, own[2]));
      };
      first = with(v[0]);
      second = with(v[3]);
    } else {
      u32 left[K], a[K], d[K], right[K];  // pairs 0, 1, 4 and 5; b and c are made of them
      column(c, 0, 2, left);
      column(c, 1, 3, a);
      column(c, 4, 6, d);
      column(c, 5, 7, right);
      u32 lower[2], upper[2], middle[2][K];
      AUG_UNROLL for (int k = 0; k < K; ++k) {
        u32 s[4] = {a[k], permuted(left[k], d[k], 0x5432u), permuted(a[k], right[k], 0x5432u), d[k]};
        sort(s);
        AUG_UNROLL for (int side = 0; side < 2; ++side) {
          const u32 own = side ? right[k] : left[k];
          // of the five, sorted: 3, 4 | 2, 3, 4 | 1, 2, 3 | 0, 1, 2 | 0, 1
          const auto at = [&](int i) {
            const u32 x = i ? more2(s[i ? i - 1 : 0], own) : own;
            return i < 4 ? less2(s[i < 4 ? i : 3], x) : x;
          };
          middle[side][k] = at(4 - k);
          if (k < 4) lower[side] = k ? more2(lower[side], at(3 - k)) : at(3);
          if (k > 0) upper[side] = k > 1 ? less2(upper[side], at(5 - k)) : at(4);
        }
      }
      const auto median = [&](int i) {
        const u32* m = middle[i];
        return middle2(lower[i], upper[i], middle2(m[0], m[1], m[2], m[3], m[4]));
      };
      first = median(0);
      second = median(1);
    }
    return permuted(first, second, 0x6240u);
  }

  // From the eight pixels at the start of a line those from two left of it on; from the eight at its end those to two right of it.
  AUG void begin_line() {
    AUG_UNROLL for (int k = 0; k < K; ++k) {
      u32* w = words[k];
      if constexpr (CH == 1) {
        w[1] = __funnelshift_r(w[0], w[1], 16);
        w[0] = permuted(w[0], 0u, 0x1000u);
      } else if constexpr (CH == 3) {
        AUG_UNROLL for (int i = W - 1; i > 1; --i)
          w[i] = __funnelshift_r(w[i - 2], w[i - 1], 16);
        w[1] = permuted(w[0], 0u, 0x1021u);
        w[0] = permuted(w[0], 0u, 0x0210u);
      } else {
        AUG_UNROLL for (int i = W - 1; i > 1; --i)
          w[i] = w[i - 2];
        w[1] = w[0];
      }
    }
  }
  AUG void end_line() {
    AUG_UNROLL for (int k = 0; k < K; ++k) {
      u32* w = words[k];
      if constexpr (CH == 1) {
        w[0] = __funnelshift_r(w[0], w[1], 16);
        w[1] = permuted(w[1], 0u, 0x3332u);
      } else if constexpr (CH == 3) {
        AUG_UNROLL for (int i = 0; i < W - 2; ++i)
          w[i] = __funnelshift_r(w[i + 1], w[i + 2 < W ? i + 2 : 0], 16);
        w[W - 2] = permuted(w[W - 1], 0u, 0x2132u);
        w[W - 1] = permuted(w[W - 1], 0u, 0x3213u);
      } else {
        AUG_UNROLL for (int i = 0; i < W - 2; ++i)
          w[i] = w[i + 2];
        w[W - 2] = w[W - 1];
      }
    }
  }

  // The number-th four pixels of a sample: a line of w pixels has (w + 3) / 4, the last of which may hold some of those before it; the
  // fours beside it then make room, so that beyond the border two pixels are asked for or none. Lines have at least eight pixels. Of a
  // mirrored source the opposite order is read, and written.
  AUG static int spot(const RankRow& row, int number, int& x) {
    const int y = divided(number, (row.sw + 3) / 4, x);
    x = min_(4 * x, row.sw - 4);
    x -= x == row.sw - 5 ? 1 : 0;
    return y;
  }
  AUG void run(const RankRow* rows) {
    const RankRow& row = rows[blockIdx.y];
    const int number = (int)blockIdx.x * 256 + (int)threadIdx.x;
    if (number >= row.sh * ((row.sw + 3) / 4)) return;
    read(row, (int)blockIdx.z * CH, number);
    u32 out[CH];
    AUG_UNROLL for (int c = 0; c < CH; ++c)
      out[c] = of(c);
    // where it is is asked again: kept until here it would take registers
    write(rows[seldom((int)blockIdx.y)], seldom((int)blockIdx.z) * CH, seldom((int)blockIdx.x) * 256 + seldom((int)threadIdx.x),
          out);
  }
  AUG void read(const RankRow& row, int c0, int number) {
    int x;
    const int y = spot(row, number, x), w = row.sw, from = clamp_(x - 2, 0, w - 8);
    const u8* src = (const u8*)row.src + (i64)c0 * row.sc + (row.sx < 0 ? (w - 1) * (i64)row.sx : 0) + CH * from;
    AUG_UNROLL for (int k = 0; k < K; ++k)
      read_words<W>(ahead(src, clamp_(y + k - K / 2, 0, row.sh - 1), row.sy), words[k]);
    if (x == 0) begin_line();
    if (x == w - 4) end_line();
  }
  AUG static void write(const RankRow& row, int c0, int number, u32* out) {
    int x;
    const int y = spot(row, number, x);
    if (row.sx < 0) {
      x = row.sw - 4 - x;
      AUG_UNROLL for (int c = 0; c < CH; ++c)
        out[c] = permuted(out[c], 0u, 0x0123u);
    }
    const int dx = row.dx, dc = row.dc;
    u8* p = (u8*)row.dst + (i64)c0 * dc + (i64)y * row.dy + (i64)x * dx;
    if ((dx == CH) & ((dc == 1) | (CH == 1)) && is_aligned<u8, 4>(p, 0)) {
      interleave<CH>(out);
      AUG_UNROLL for (int c = 0; c < CH; ++c)
        write_words<1>(p + 4 * c, out + c);
      return;
    }
    if (CH > 1 && dx == 1 && is_aligned<u8, 4>(p, dc)) {
      AUG_UNROLL for (int c = 0; c < CH; ++c)
        write_words<1>(p + (i64)c * dc, out + c);
      return;
    }
    AUG_UNROLL for (int c = 0; c < CH; ++c) {
      u8* q = p + (i64)c * dc;
      AUG_UNROLL for (int k = 0; k < 4; ++k, q += dx)
        *q = (u8)(out[c] >> 8 * k);
    }
  }
};

}  // namespace aug

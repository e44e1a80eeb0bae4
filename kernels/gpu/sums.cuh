// sums.cuh: ../moments.cuh's numbers of bytes, by words. Whole numbers have no order: sums of four products are one instruction, and a
// block takes all channels of interleaved pixels at once. A thread reads four pixels (of one channel: sixteen) at a time.
#pragma once
#include "../rows.cuh"
#include "words.cuh"
namespace aug {

enum { SUMS_PIXELS = 1 << 23 };  // at most: a thread's sum of squares has 32 bits

// of each of C channels: words, of which a channel is one after the other
template <int C> struct ByteSums {
  u32 sum[C], squares[C], low[C], high[C];  // low, high: the upper bytes of both halves

  AUG void begin() {
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      sum[c] = squares[c] = high[c] = 0u;
      low[c] = ~0u;
    }
  }
  AUG void add_word(int c, u32 w) {
    sum[c] = __dp4a(w, 0x01010101u, sum[c]);
    squares[c] = __dp4a(w, w, squares[c]);
    high[c] = greatest2(greatest2(high[c], w), w << 8);
    low[c] = least2(least2(low[c], w), w << 8);
  }
  AUG void add_byte(int c, u32 v) {
    sum[c] += v;
    squares[c] += v * v;
    high[c] = greatest2(high[c], v * 0x01000100u);
    low[c] = least2(low[c], v * 0x01000100u);
  }

  // Pixels side by side, in lines that follow each other or not: all threads of a block take their share.
  AUG void add(const u8* src, int h, int w, i64 sy) {
    constexpr int W = C == 1 ? 4 : C, PIXELS = 4 * W / C;
    int lane = threadIdx.x, y0 = 0, step = 256, down = 1;
    if (sy == (i64)w * C) {
      w *= h;
      h = 1;
    } else {
      y0 = lane / 32;
      lane %= 32;
      step = 32;
      down = 8;
    }
    const int whole = w / PIXELS, rest = w - whole * PIXELS;
    for (int y = y0; y < h; y += down) {
      const u8* line = src + y * sy;
      const u32 shift = ((u32)(u64)line & 3u) * 8u;
      const u32* q = (const u32*)((u64)line & ~(u64)3);
      _Pragma("unroll 2") for (int i = lane; i < whole; i += step) {
        u32 v[W], a = ld(q + W * i);
        AUG_UNROLL for (int j = 0; j < W; ++j) {
          const u32 b = j + 1 < W || shift ? ld(q + W * i + j + 1) : 0u;
          v[j] = __funnelshift_r(a, b, shift);
          a = b;
        }
        separate<C>(v);
        AUG_UNROLL for (int j = 0; j < W; ++j)
          add_word(C == 1 ? 0 : j, v[j]);
      }
      for (int i = lane; i < rest; i += step) AUG_UNROLL
        for (int c = 0; c < C; ++c) add_byte(c, ld(line + C * (PIXELS * whole + i) + c));
    }
  }

  // done(c, n, sum, squares, least, greatest), by a thread for each channel
  template <class F> AUG void write(int n, double* memory, F done) const {
    u32* found = (u32*)memory;  // of each warp and channel five words
    const int warp = threadIdx.x / 32, t = threadIdx.x;
    AUG_UNROLL for (int c = 0; c < C; ++c) {
      const u32 parts[5] = {warp_sum(sum[c]), warp_sum(squares[c] & 0xffffu), warp_sum(squares[c] >> 16),
                            warp_max(max_of(high[c])), warp_max(255u - min_of(low[c]))};
      if (t % 32 == 0) AUG_UNROLL
        for (int i = 0; i < 5; ++i) found[5 * (C * warp + c) + i] = parts[i];
    }
    __syncthreads();
    if (t >= C) return;
    u32 total = 0, most = 0, least = 0;
    u64 square = 0;
    for (int k = 0; k < 8; ++k) {
      const u32* p = found + 5 * (C * k + t);
      total += p[0];
      square += p[1] + ((u64)p[2] << 16);
      most = most < p[3] ? p[3] : most;
      least = least < p[4] ? p[4] : least;
    }
    done(t, (double)n, (double)total, (double)square, (float)(255u - least), (float)most);
  }

 private:
  static AUG u32 max_of(u32 v) { return greatest2(v, v << 16) >> 24; }
  static AUG u32 min_of(u32 v) { return least2(v, v << 16) >> 24; }
};

// What one block does of a row whose channels are side by side, or of one of a plane; false: not so. Mirrored and transposed views hold
// the same bytes.
template <int C, class F> AUG bool sum_bytes(const ReduceRow& s, int channel, double* memory, F done) {
  int h = s.sh, w = s.sw, sx = s.sx, sy = s.sy;
  if ((sy == C) | (sy == -C)) { h = s.sw, w = s.sh, sx = s.sy, sy = s.sx; }
  if (!((sx == C) | (sx == -C)) || (i64)h * w > SUMS_PIXELS) return false;
  if (C > 1 && !((s.sc == 1) & (s.first == 0) & (s.count == C))) return false;
  if (C > 1 && channel) return true;  // the first one's block does it
  const u8* src = (const u8*)s.src + (i64)channel * s.sc;
  if (sx < 0) src += (i64)(w - 1) * sx;
  if (sy < 0) {
    src += (i64)(h - 1) * sy;
    sy = -sy;
  }
  ByteSums<C> sums;
  sums.begin();
  sums.add(src, h, w, sy);
  sums.write(h * w, memory, done);
  return true;
}

}  // namespace aug

// march.cuh: filter.cuh's separable sums for bytes and the lengths that are used most, K = 3, 5, 7, of weights that are the same for
// both axes and the same backwards, not negative, and add up to no more than one, and borders that pixels stand for: gaussians and
// boxes (FilterRow::even).
//
// A block marches down a strip of one sample. A thread has four columns of one channel. For each source line:
//   1. the first threads read four pixels each as words, take them apart, and write floats to shared memory, a plane for each channel,
//      so that a thread's window of 4 + K - 1 columns is three vectors whatever the number of channels;
//   2. each thread sums its window along x and keeps the last K sums of each column in registers;
//   3. and sums those along y: four bytes, one word. Of planes it is written as it is; of pixels the words of the channels meet in
//      shared memory and are written, interleaved, behind the next line's barrier.
// Two buffers take turns, so that a line costs one barrier. Threads for which no columns are left do what the first does; lines behind
// the strip, up to a multiple of K, are summed like others: neither is written.
#pragma once
#include "filter.cuh"
#include "shared.cuh"
#include "view.cuh"
namespace aug {

enum { MARCH_PAD = 4 };  // columns left and right of a tile's line: K / 2 of them are used, and windows stay aligned

// shared memory of a block, in words: two buffers of CH lines of floats and of `groups` words of four bytes (march_shape of cuda.py)
AUG int march_pitch(int groups) { return 4 * groups + 2 * MARCH_PAD; }

template <int K, int CH> struct March {
  static constexpr int R = K / 2, N = 4;

  // of the tile
  const FilterRow& row;
  const float* blob;
  int c0, groups, x0, y0, y1, width;  // first channel, threads a channel, first column, lines, columns
  int sh, sy, dy, border;
  float scale, w[R + 1];  // the weights from the outermost to the middle
  // of this thread
  int group, channel, left;  // of its columns so many lie in the tile
  int pixels_left;           // of the pixels that it reads
  bool reads, edge;          // does it read pixels? an element beyond the tile?
  const u8 *mine, *beside;   // what it reads of the source's line 0: its pixels, that element
  Shared to, slot, window;   // where in the first buffer they go, and what it sums begins
  u8* out;                   // where it writes in the destination's line 0
  float ring[K][N];

  AUG float weight(int j) const { return w[j <= R ? j : K - 1 - j]; }

  AUG void begin(Shared lines) {
    const int t = threadIdx.x, pitch = march_pitch(groups), sc = row.sc;
    const u8* src = (const u8*)row.src + (i64)c0 * sc;
    sh = row.sh;
    sy = row.sy;
    dy = row.dy;
    border = row.border;
    scale = row.scale;
    channel = t / groups;
    group = t - channel * groups;
    if (channel >= CH) channel = group = 0;
    left = width - N * group;
    reads = (t < groups) & (N * t < width);
    pixels_left = row.sw - x0 - N * t;
    mine = src + CH * (x0 + N * t);
    to = lines + 4 * (MARCH_PAD + N * t);
    window = lines + 4 * (channel * pitch + N * group);
    beside = src;
    slot = to;
    edge = t < 2 * R * CH;
    if (edge) {
      const int side = t / (R * CH), i = t - side * R * CH, column = i / CH, c = i - column * CH;
      const int x = side ? width + column : column - R, at = x0 + x;
      beside = src + (border_index(at, row.sw, border) * CH + c);
      slot = lines + 4 * (c * pitch + MARCH_PAD + x);
    }
    const float* taps = blob + row.taps;
    AUG_UNROLL for (int j = 0; j <= R; ++j)
      w[j] = ld(taps + j);
  }

  // what this thread reads of a source line
  struct Read {
    u32 words[CH];
    u8 element;
  };
  AUG void fetch(int y, Read& r) const {
    if ((u32)y >= (u32)sh) y = border_index(y, sh, border);
    if (reads | edge) {
      const u8* q = ahead(mine, y, sy);
      if (pixels_left >= N) {
        read_words<CH>(q, r.words);
      } else {  // up to the line's end
        seldom();
        AUG_UNROLL for (int i = 0; i < CH; ++i)
          r.words[i] = 0;
        for (int i = 0; i < CH * pixels_left; ++i) {
          const u32 byte = (u32)ld(q + i) << (8 * (i % 4));
          AUG_UNROLL for (int j = 0; j < CH; ++j)
            r.words[j] |= i / 4 == j ? byte : 0u;
        }
      }
      if (edge) r.element = ld(ahead(beside, y, sy));
    }
  }
  // to a buffer, `by` bytes behind the first
  AUG void put(int by, const Read& r) const {
    if (!(reads | edge)) return;
    const int pitch = march_pitch(groups);
    if (reads) {
      float v[CH][N];
      AUG_UNROLL for (int c = 0; c < CH; ++c)
        AUG_UNROLL for (int k = 0; k < N; ++k)
          v[c][k] = byte_float(r.words[(CH * k + c) / 4], (CH * k + c) % 4);
      AUG_UNROLL for (int c = 0; c < CH; ++c) {
        const Shared p = to + by + 4 * c * pitch;
        if (pixels_left >= N) {
          store4(p, v[c][0], v[c][1], v[c][2], v[c][3]);
        } else {  // beside them is what the threads of the edge write
          seldom();
          AUG_UNROLL for (int k = 0; k < N; ++k)
            if (k < pixels_left) store1(p + 4 * k, v[c][k]);
        }
      }
    }
    if (edge) store1(slot + by, get(r.element));
  }
  AUG void along_x(int by, float* sum) const {
    float v[N + 2 * MARCH_PAD];
    AUG_UNROLL for (int j = 0; j < 3; ++j) {
      const float4 four = load4(window + by + 16 * j);
      v[4 * j] = four.x;
      v[4 * j + 1] = four.y;
      v[4 * j + 2] = four.z;
      v[4 * j + 3] = four.w;
    }
    AUG_UNROLL for (int i = 0; i < N; ++i) {
      const float* p = v + MARCH_PAD - R + i;
      float s = weight(0) * p[0];
      AUG_UNROLL for (int j = 1; j < K; ++j)
        s = fma_(weight(j), p[j], s);
      sum[i] = s;
    }
  }
  // four bytes of a line, whose K sums along x begin at place k of the ring; means need no bounds
  AUG u32 along_y(int k) const {
    u32 b[N];
    AUG_UNROLL for (int i = 0; i < N; ++i) {
      float s = weight(0) * ring[k % K][i];
      AUG_UNROLL for (int j = 1; j < K; ++j)
        s = fma_(weight(j), ring[(k + j) % K][i], s);
      b[i] = bits(scale * s + 12582912.0f);  // as to_u8
    }
    return permuted(permuted(b[0], b[1], 0x0040u), permuted(b[2], b[3], 0x0040u), 0x5410u);
  }
  // four columns of one channel, or of a pixel's CH channels, into line y of the destination
  AUG void write_plane(int y, u32 word) const {
    u8* p = (u8*)ahead((const u8*)out, y, dy);
    const int dx = row.dx;
    if ((dx == 1) & (left >= N) & (((u64)p & 3) == 0)) return write_words<1>(p, &word);
    AUG_UNROLL for (int k = 0; k < N; ++k)
      if (k < left) p[(i64)k * dx] = (u8)(word >> (8 * k));
  }
  AUG void write_pixels(int y, Shared plane) const {
    u32 w[CH];
    AUG_UNROLL for (int c = 0; c < CH; ++c)
      w[c] = load_word(plane + 4 * c * groups);
    if constexpr (CH == 3) {  // a0 b0 c0 a1, b1 c1 a2 b2, c2 a3 b3 c3
      const u32 c = w[2], low = permuted(w[0], w[1], 0x5140u), high = permuted(w[0], w[1], 0x7362u);
      w[0] = permuted(low, c, 0x2410u);
      w[1] = permuted(permuted(low, c, 0x0053u), high, 0x5410u);
      w[2] = permuted(high, c, 0x7326u);
    } else if constexpr (CH == 4) {
      const u32 ab = permuted(w[0], w[1], 0x5140u), cd = permuted(w[2], w[3], 0x5140u);
      const u32 AB = permuted(w[0], w[1], 0x7362u), CD = permuted(w[2], w[3], 0x7362u);
      w[0] = permuted(ab, cd, 0x5410u);
      w[1] = permuted(ab, cd, 0x7632u);
      w[2] = permuted(AB, CD, 0x5410u);
      w[3] = permuted(AB, CD, 0x7632u);
    }
    u8* p = (u8*)ahead((const u8*)out, y, dy);
    if ((left >= N) & (((u64)p & 3) == 0)) {
      AUG_UNROLL for (int i = 0; i < CH; ++i)
        write_words<1>((u32*)p + i, w + i);
      return;
    }
    AUG_UNROLL for (int i = 0; i < N * CH; ++i)
      if (i < CH * left) p[i] = (u8)(w[i / 4] >> (8 * (i % 4)));
  }

  AUG void run(float4* shared) {
    const int size = 4 * CH * march_pitch(groups), words = 4 * CH * groups;
    const Shared lines = shared_at(shared);
    begin(lines);
    const Shared pack = lines + 2 * size + 4 * (channel * groups + group), packs = lines + 2 * size + 4 * group;
    const bool pixels = CH > 1 && (row.dx == CH) & (row.dc == 1);
    const bool writes = pixels && (int)threadIdx.x / groups == CH - 1;  // those of the first channel read
    out = (u8*)row.dst + (i64)(x0 + N * group) * row.dx + (pixels ? 0 : (i64)(c0 + channel) * row.dc);
    Read next;
    fetch(y0 - R, next);
    int turn = 0;                              // which buffer
    const auto step = [&](int y, int k, bool sums) {  // y: source line; k: its place in the ring
      const int by = turn ? size : 0, at = turn ? words : 0;
      put(by, next);
      fetch(y + 1, next);
      __syncthreads();
      if (sums && writes && (u32)(y - R - 1 - y0) < (u32)(y1 - y0)) write_pixels(y - R - 1, packs + (words - at));
      along_x(by, ring[k]);
      if (sums) {
        const u32 word = along_y(k + 1);
        if (pixels) store_word(pack + at, word);
        else if (y - R < y1) write_plane(y - R, word);
      }
      turn ^= 1;
    };
    AUG_UNROLL for (int j = 0; j < K - 1; ++j)
      step(y0 - R + j, j, false);
    int y = y0;
    _Pragma("unroll 1") for (; y < y1; y += K) {
      AUG_UNROLL for (int j = 0; j < K; ++j)
        step(y + j + R, (K - 1 + j) % K, true);
    }
    if (!pixels) return;
    __syncthreads();
    if (writes && y == y1) write_pixels(y1 - 1, packs + (turn ? 0 : words));
  }
};

}  // namespace aug

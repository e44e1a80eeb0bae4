// march.cuh: filter.cuh's separable sums for bytes and the lengths that are used most, K = 3, 5, 7, of weights that are the same for
// both axes and the same backwards, not negative, and add up to no more than one, and borders that pixels stand for: gaussians and
// boxes (FilterRow::even).
//
// A block marches down a strip of one sample. A thread has four columns of one channel. For each source line:
//   1. the first threads read four pixels each as words, take them apart, and write floats to shared memory, a plane for each channel,
//      so that a thread's window of 4 + K - 1 columns is three vectors whatever the number of channels; the last threads read what
//      lies left and right of the tile;
//   2. each thread sums its window along x and keeps the last K sums of each column in registers;
//   3. and sums those along y: four bytes, one word. Of planes it is written as it is; of pixels the words of the channels meet in
//      shared memory and are written, interleaved, behind the next line's barrier.
// Two buffers take turns, so that a line costs one barrier. A strip is K - 1 lines of the source longer than what it writes, and all of
// them are treated alike: the first sums along y, those of lines behind the strip, and what threads sum for which no columns are left
// (they do what the first does) are not written.
#pragma once
#include "filter.cuh"
#include "shared.cuh"
#include "view.cuh"
namespace aug {

enum { MARCH_PAD = 4 };  // columns left and right of a tile's line: K / 2 of them are used, and windows stay aligned

// shared memory of a block: two buffers, each of CH lines of floats, then of CH * groups words of four bytes, and what is left of 16
// bytes (march_shape of shapes.py)
AUG int march_pitch(int groups) { return 4 * groups + 2 * MARCH_PAD; }

template <int K, int CH> struct March {
  static constexpr int R = K / 2, N = 4, EDGE = -1;
  // Are elements beyond a tile read by the last threads, which read no pixels? They need the same registers. One channel has too few.
  static constexpr bool APART = CH > 1;

  // of the tile
  const FilterRow& row;
  const float* blob;
  int c0, groups, x0, y0, y1, width;  // first channel, threads a channel, first column, lines, columns
  const u8* src;
  int sh, sy, dy, bytes;  // bytes: of a channel's line in a buffer
  float scale, w[R + 1];  // the weights from the outermost to the middle
  // of this thread
  int held;          // bytes that it reads, the pixels of four columns; 0: none; APART, EDGE: an element beyond the tile
  bool edge;         // not APART: does it read such an element, too?
  u32 mine, beside;  // from the start of a line: what it reads, that element
  Shared window;     // what it sums begins there, in the first buffer; what it reads of the first channel goes MARCH_PAD behind
  Shared to, slot;   // APART: what it reads goes there; else that element
  const u8* out;     // where it writes in the destination's line 0
  bool words;        // in all lines as words?
  float ring[K][N];

  AUG float weight(int j) const { return w[j <= R ? j : K - 1 - j]; }

  AUG void begin(Shared lines, int channel, int group) {
    const int t = threadIdx.x, pitch = march_pitch(groups);
    src = (const u8*)row.src + (i64)c0 * row.sc;
    sh = row.sh;
    sy = row.sy;
    dy = row.dy;
    scale = row.scale;
    bytes = 4 * pitch;
    held = t < groups ? CH * clamp_(row.sw - x0 - N * t, 0, N) : 0;
    mine = CH * (x0 + N * t);
    window = lines + 4 * (channel * pitch + N * group);
    to = window + 4 * MARCH_PAD;
    beside = 0;
    slot = window;
    const int e = APART ? t - (int)blockDim.x + 2 * R * CH : t;
    edge = (u32)e < (u32)(2 * R * CH);
    if (edge) {
      const int side = e / (R * CH), i = e - side * R * CH, column = i / CH, c = i - column * CH;
      const int x = side ? width + column : column - R;
      beside = border_index(x0 + x, row.sw, row.border) * CH + c;
      slot = lines + 4 * (c * pitch + MARCH_PAD + x);
      if (APART) {
        held = EDGE;
        mine = beside;
        to = slot;
      }
    }
    const float* taps = blob + row.taps;
    AUG_UNROLL for (int j = 0; j <= R; ++j)
      w[j] = ld(taps + j);
  }

  // what this thread reads of a source line: words that hold none of its bytes are left alone
  struct Read {
    u32 words[CH];
    u8 element;
  };
  AUG void fetch(int y, Read& r) const {
    if ((u32)y >= (u32)sh) y = border_index(y, seldom(sh), anew(&row)->border);
    const u8* line = ahead(src, y, sy);
    if (held > 0) {
      const u8* p = line + mine;
      const u32 at = (u32)(u64)p & 3u;
      const u32* q = (const u32*)((u64)p & ~(u64)3);
      u32 a = ld(q);
      AUG_UNROLL for (int j = 0; j < CH; ++j) {
        const u32 b = 4 * (j + 1) < (int)at + held ? ld(q + j + 1) : 0u;
        r.words[j] = __funnelshift_r(a, b, 8 * at);
        a = b;
      }
    }
    if (APART && held == EDGE) r.words[0] = ld(line + mine);
    if (!APART && edge) r.element = ld(line + beside);
  }
  // to a buffer, `by` bytes behind the first
  AUG void put(int by, const Read& r) const {
    if (held > 0) {
      AUG_UNROLL for (int c = 0; c < CH; ++c) {
        float v[N];
        AUG_UNROLL for (int k = 0; k < N; ++k)
          v[k] = byte_float(r.words[(CH * k + c) / 4], (CH * k + c) % 4);
        const Shared p = (APART ? to : window + 4 * MARCH_PAD) + by + c * bytes;
        if (held == CH * N) {
          store4(p, v[0], v[1], v[2], v[3]);
        } else {  // beside them is what the threads of the edge write
          AUG_UNROLL for (int k = 0; k < N - 1; ++k)
            if (CH * k < held) store1(p + 4 * k, v[k]);
        }
      }
    }
    if (APART && held == EDGE) store1(to + by, get((u8)r.words[0]));
    if (!APART && edge) store1(slot + by, get(r.element));
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
  // of the columns that it writes so many lie in the tile: seldom asked for
  AUG int left() const { return min_(width - N * ((int)threadIdx.x % seldom(groups)), N); }
  // four columns of one channel, or of a pixel's CH channels, into line y of the destination
  AUG void write_plane(int y, u32 word) const {
    u8* p = (u8*)ahead(out, y, dy);
    if (words) return write_words<1>(p, &word);
    const int dx = anew(&row)->dx;
    _Pragma("unroll 1") for (int k = left(); k > 0; --k, p += dx, word >>= 8)* p = (u8)word;
  }
  AUG void write_pixels(int y, Shared last) const {
    u32 w[CH];
    AUG_UNROLL for (int c = 0; c < CH; ++c)
      w[c] = load_word(last - 4 * (CH - 1 - c) * groups);
    interleave<CH>(w);
    u8* p = (u8*)ahead(out, y, dy);
    if (words) {
      AUG_UNROLL for (int i = 0; i < CH; ++i)
        write_words<1>((u32*)p + i, w + i);
      return;
    }
    _Pragma("unroll 1") for (int i = CH * left(); i > 0; --i, ++p) {  // the next byte moves to the front
      *p = (u8)w[0];
      AUG_UNROLL for (int c = 0; c < CH; ++c)
        w[c] = c + 1 < CH ? __funnelshift_r(w[c], w[c + 1], 8) : w[c] >> 8;
    }
  }

  AUG void run(float4* shared) {
    const int t = threadIdx.x, which = t / groups, channel = which < CH ? which : 0, group = which < CH ? t - which * groups : 0;
    const Shared lines = shared_at(shared);
    begin(lines, channel, group);
    const int size = CH * (bytes + 4 * groups) + 15 & ~15, dx = row.dx, high = y1 - y0;  // size: of a buffer
    const bool pixels = CH > 1 && (dx == CH) & (row.dc == 1), reads = APART ? held != 0 : edge | (held > 0);
    const bool writes = pixels && which == CH - 1;                            // those of the first channel read
    const Shared pack = lines + CH * bytes + 4 * (channel * groups + group);  // of its word; those of its pixels end there
    out = (const u8*)row.dst + (i64)y0 * dy + (i64)(x0 + N * group) * dx + (pixels ? 0 : (i64)(c0 + channel) * row.dc);
    words = (left() == N) & (pixels | (dx == 1)) & ((((u32)(u64)out | (u32)dy) & 3) == 0);
    Read next;
    if (reads) fetch(y0 - R, next);
    int by = 0;  // which buffer: behind the first so many bytes
    // y: the line of the strip that is written, R behind the one that is read; k: its place in the ring
    const auto step = [&](int y, int k) {
      if (reads) {
        put(by, next);
        fetch(y0 + y + R + 1, next);
      }
      __syncthreads();
      if ((u32)(y - 1) < (u32)high && writes) write_pixels(y - 1, pack + (size - by));
      along_x(by, ring[k]);
      const u32 word = along_y(k + 1);
      if (pixels) store_word(pack + by, word);
      else if ((u32)y < (u32)high) write_plane(y, word);
      by = size - by;
    };
    AUG_UNROLL for (int j = 0; j < K; ++j) AUG_UNROLL
      for (int i = 0; i < N; ++i) ring[j][i] = 0.0f;
    int y = 1 - K;
    _Pragma("unroll 1") for (; y < high; y += K) {
      AUG_UNROLL for (int j = 0; j < K; ++j)
        step(y + j, j);
    }
    if (!pixels) return;
    __syncthreads();
    if (writes && y == high) write_pixels(high - 1, pack + (size - by));
  }
};

}  // namespace aug

// filter.hpp: filter.cuh's sums on one thread of a processor.
//
// It keeps a ring of kh rows: each source row is converted to float once, filtered along x,
// and a weighted sum of the ring's rows is stored. The sum of rows, of columns and of points is
// the same loop over up to 8 pointers. A box over uint8 runs in integers; its sums are below 2^24
// (lengths up to 255), so the float sums of other builds are exact too and agree in every bit.
#pragma once
#include "filter.cuh"
namespace aug {

// ---- sums of rows -----------------------------------------------------------------------

// the last step of a pixel
template <class T> struct Finish {
  float scale;
  AUG void operator()(T* p, float v) const { put(p, scale * v); }
};
// where a row of sums goes: floats kept for the next step, or elements of a dense destination
struct Keep {
  float* p;
  AUG void operator()(int i, float v) const { p[i] = v; }
};
template <class T> struct Final {
  T* p;
  Finish<T> finish;
  AUG void operator()(int i, float v) const { finish(p + i, v); }
};

// sum of N rows on top of acc (not read if FIRST). Eight pointers are what the registers of x86 hold.
enum { FILTER_TAPS = 8 };
template <int N, bool FIRST, class Sink>
AUG_FN void filter_sum(const float* const* from, const float* k, const float* acc, int lanes, Sink sink) {
  const float* p[N];
  float w[N];
  AUG_UNROLL for (int j = 0; j < N; ++j)
    p[j] = from[j], w[j] = k[j];
  AUG_SIMD for (int i = 0; i < lanes; ++i) {
    float v = FIRST ? w[0] * p[0][i] : fma_(w[0], p[0][i], acc[i]);
    AUG_UNROLL for (int j = 1; j < N; ++j)
      v = fma_(w[j], p[j][i], v);
    sink(i, v);
  }
}
template <bool FIRST, class Sink>
AUG void filter_sum_n(int n, const float* const* from, const float* k, const float* acc, int lanes, Sink sink) {
  switch (n) {
    case 1: return filter_sum<1, FIRST>(from, k, acc, lanes, sink);
    case 2: return filter_sum<2, FIRST>(from, k, acc, lanes, sink);
    case 3: return filter_sum<3, FIRST>(from, k, acc, lanes, sink);
    case 4: return filter_sum<4, FIRST>(from, k, acc, lanes, sink);
    case 5: return filter_sum<5, FIRST>(from, k, acc, lanes, sink);
    case 6: return filter_sum<6, FIRST>(from, k, acc, lanes, sink);
    case 7: return filter_sum<7, FIRST>(from, k, acc, lanes, sink);
    default: return filter_sum<8, FIRST>(from, k, acc, lanes, sink);
  }
}
// sink(i, sum over j < n of weight(j) * from(j)[i])
template <class From, class Weight, class Sink>
AUG void filter_rows(int n, From from, Weight weight, float* acc, int lanes, Sink sink) {
  const int parts = (n + FILTER_TAPS - 1) / FILTER_TAPS;
  for (int part = 0, j = 0; part < parts; ++part) {
    const int end = n * (part + 1) / parts, m = end - j;
    const float* p[FILTER_TAPS];
    float w[FILTER_TAPS];
    for (int i = 0; i < m; ++i, ++j) p[i] = from(j), w[i] = weight(j);
    const bool last = part + 1 == parts;
    if (part == 0 && last) filter_sum_n<true>(m, p, w, acc, lanes, sink);
    else if (part == 0) filter_sum_n<true>(m, p, w, acc, lanes, Keep{acc});
    else if (last) filter_sum_n<false>(m, p, w, acc, lanes, sink);
    else filter_sum_n<false>(m, p, w, acc, lanes, Keep{acc});
  }
}

// ---- rows in and out ----------------------------------------------------------------------

template <class T, class U> AUG void filter_get(U* to, T v) { *to = (U)get(v); }
template <> AUG void filter_get<u8, u16>(u16* to, u8 v) { *to = v; }

template <class T, class U> AUG_FN void filter_convert(const T* p, U* to, int n) {
  int i = 0;
#if defined(__AVX2__) && !defined(__AVX512F__) && !defined(__clang__)
  // GCC widens bytes for AVX2 in 9 shuffles where 4 do: half the time
  if constexpr (sizeof(T) == 1 && sizeof(U) == 4) {
    typedef char Bytes __attribute__((vector_size(16)));
    typedef i64 Words __attribute__((vector_size(16)));
    typedef float Floats __attribute__((vector_size(32)));
    for (; i + 8 <= n; i += 8) {
      i64 eight;
      __builtin_memcpy(&eight, p + i, 8);
      const Floats f = __builtin_convertvector(__builtin_ia32_pmovzxbd256((Bytes)Words{eight, 0}), Floats);
      __builtin_memcpy(to + i, &f, 32);
    }
  }
#endif
  AUG_SIMD for (int k = i; k < n; ++k)
    filter_get(to + k, p[k]);
}
// pixels in reverse, each moved as 4 values: a later one overwrites what is too much
template <int C, class U> AUG_FN void filter_reverse(const U* from, U* to, int n) {
  const int all = n - 4 / C;
  for (int x = 0; x < all; ++x) __builtin_memcpy(to + C * x, from + C * (n - 1 - x), 4 * sizeof(U));
  for (int x = max_(all, 0); x < n; ++x) __builtin_memcpy(to + C * x, from + C * (n - 1 - x), C * sizeof(U));
}
template <int C, class T, class U> AUG_FN void filter_interleave(const T* p, U* to, int n, int sc) {
  const T* q[C];
  AUG_UNROLL for (int c = 0; c < C; ++c)
    q[c] = p + (i64)c * sc;
  AUG_SIMD for (int x = 0; x < n; ++x) {
    AUG_UNROLL for (int c = 0; c < C; ++c)
      filter_get(to + C * x + c, q[c][x]);
  }
}
template <int C, class T, class U> AUG_FN void filter_pixels(const T* p, U* to, int n, int sx, int sc) {
  for (int x = 0; x < n; ++x, p += sx, to += C) {
    AUG_UNROLL for (int c = 0; c < C; ++c)
      filter_get(to + c, p[(i64)c * sc]);
  }
}
template <class T, class U> AUG_FN void filter_gather(const T* p, U* to, int n, int sx, int sc, int C) {
  if (C == 1) return filter_pixels<1>(p, to, n, sx, sc);
  if (C == 3) return filter_pixels<3>(p, to, n, sx, sc);
  if (C == 4) return filter_pixels<4>(p, to, n, sx, sc);
  for (int c = 0; c < C; ++c) {
    const T* q = p + (i64)c * sc;
    U* t = to + c;
    for (int x = 0; x < n; ++x, q += sx, t += C) filter_get(t, *q);
  }
}
// n pixels of C channels to a dense line; spare holds n * C + 4 values
template <class T, class U> AUG_FN void filter_load(const T* p, U* to, int n, int sx, int sc, int C, U* spare) {
  const bool dense = (sc == 1) | (C == 1);
  if (dense & (sx == C)) return filter_convert(p, to, n * C);
  if (dense & (sx == -C) & (C <= 4) & (C != 2)) {
    filter_convert(p - (i64)(n - 1) * C, spare, n * C);
    if (C == 1) return filter_reverse<1>(spare, to, n);
    return C == 3 ? filter_reverse<3>(spare, to, n) : filter_reverse<4>(spare, to, n);
  }
  if ((sx == 1) & (C == 3)) return filter_interleave<3>(p, to, n, sc);
  if ((sx == 1) & (C == 4)) return filter_interleave<4>(p, to, n, sc);
  filter_gather(p, to, n, sx, sc, C);
}

template <int C, class V, class T, class F> AUG_FN void filter_plane(const V* v, T* d, int n, int dx, F finish) {
  if (dx == 1) {
    AUG_SIMD for (int x = 0; x < n; ++x)
      finish(d + x, v[C * x]);
  } else {
    for (int x = 0; x < n; ++x) finish(d + (i64)x * dx, v[C * x]);
  }
}
// n pixels of a dense line to any strides
template <class V, class T, class F> AUG_FN void filter_scatter(const V* v, T* d, int n, int dx, int dc, int C, F finish) {
  for (int c = 0; c < C; ++c, ++v, d += dc) {
    if (C == 1) filter_plane<1>(v, d, n, dx, finish);
    else if (C == 3) filter_plane<3>(v, d, n, dx, finish);
    else if (C == 4) filter_plane<4>(v, d, n, dx, finish);
    else
      for (int x = 0; x < n; ++x) finish(d + (i64)x * dx, v[(i64)C * x]);
  }
}

// ---- one tile ------------------------------------------------------------------------------

// A tile and its source: lines of lanes = tw * C values, or padded = (tw + kw - 1) * C values with halo.
template <class T, class U> struct FilterLines {
  const T* src;
  const U* fill;  // C values; 0 unless BORDER_CONSTANT
  int C, h, w, sy, sx, sc, border;
  int x0, tw, ry, rx, kh, pitch;  // pitch: of the ring's rows
  U *ring, *spare;
  int *held, *edge;  // source row in each slot of the ring; source column of each halo pixel
  int left, right;   // halo pixels beyond the border

  static constexpr int OUTSIDE = -1, EMPTY = -2;

  AUG void start() {
    for (int i = 0; i < kh; ++i) held[i] = EMPTY;
    const int a = x0 - rx, b = x0 + tw + rx;
    left = max_(-a, 0), right = max_(b - w, 0);
    for (int i = 0; i < left; ++i) edge[i] = border_index(a + i, w, border);
    for (int i = 0; i < right; ++i) edge[left + i] = border_index(w + i, w, border);
  }
  AUG int slot(int y) const { return (y + ry) % kh; }  // y >= -ry
  AUG U* at(int y) const { return ring + (i64)slot(y) * pitch; }
  AUG U* after(int first, int j) const {  // the row j < kh rows after that of slot `first`
    const int i = first + j;
    return ring + (i64)(i < kh ? i : i - kh) * pitch;
  }
  // source row y with its halo
  AUG void line(int y, U* to) const {
    const int n = tw + 2 * rx, mid = n - left - right;
    if (y == OUTSIDE) return pad(to, n, 0, fill);
    const T* p = src + (i64)y * sy;
    // the halo first: vector loads that overlap single stores wait until those have left the store buffer
    if (fill) {
      pad(to, left, 0, fill);
      pad(to, n, n - right, fill);
    } else {
      for (int i = 0; i < left + right; ++i) {
        const T* q = p + (i64)edge[i] * sx;
        U* t = to + (i < left ? i : mid + i) * C;
        for (int c = 0; c < C; ++c) filter_get(t + c, q[(i64)c * sc]);
      }
    }
    filter_load(p + (i64)max_(x0 - rx, 0) * sx, to + left * C, mid, sx, sc, C, spare);
  }
  AUG void pad(U* to, int n, int x, const U* v) const {
    for (; x < n; ++x)
      for (int c = 0; c < C; ++c) to[x * C + c] = v[c];
  }
  // brings row y into the ring, where make(source row, slot) computes one that no slot holds yet
  template <class Make> AUG void enter(int y, Make make) {
    const int from = fill && (y < 0 || y >= h) ? (int)OUTSIDE : border_index(y, h, border), to = slot(y);
    int twin = -1;
    if (!fill || from == OUTSIDE)  // else each row comes once
      for (int i = 0; i < kh; ++i) twin = held[i] == from ? i : twin;
    if (twin < 0) make(from, ring + (i64)to * pitch);
    else if (twin != to) __builtin_memcpy(ring + (i64)to * pitch, ring + (i64)twin * pitch, pitch * sizeof(U));
    held[to] = from;
  }
};

AUG int filter_round(int n) { return (n + 15) & ~15; }  // whole vectors of 64 bytes
// floats for a tile of tw columns and C channels
AUG u64 filter_tile_floats(const FilterRow& row, int C, int tw) {
  const u64 lanes = filter_round(tw * C), padded = filter_round((tw + row.kw - 1) * C + 16);
  const u64 ring = (row.kind == FILTER_SPARSE ? padded : lanes) * row.kh;
  return ring + 3 * lanes + 2 * padded + filter_round(row.kh) + filter_round(row.kw) + filter_round(C) + 32;
}
// memory cut from scratch, on lines of 64 bytes
struct FilterArena {
  float* p;
  AUG explicit FilterArena(float* s) : p((float*)(((u64)s + 63) & ~(u64)63)) {}
  template <class U> AUG U* take(int n) {
    U* q = (U*)p;
    p += filter_round((int)(((u64)n * sizeof(U) + 3) / 4));
    return q;
  }
};
// the lines of a tile; what stands for pixels beyond a constant border is set by `filter_fill`
template <class T, class U, class R> AUG FilterLines<T, U> filter_lines(const R& row, int c0, int C, int x0, int tw) {
  FilterLines<T, U> s;
  s.src = (const T*)row.src + (i64)c0 * row.sc;
  s.fill = nullptr;
  s.C = C, s.h = row.sh, s.w = row.sw, s.sy = row.sy, s.sx = row.sx, s.sc = row.sc, s.border = row.border;
  s.x0 = x0, s.tw = tw, s.ry = row.kh / 2, s.rx = row.kw / 2, s.kh = row.kh;
  return s;
}
template <class U> AUG const U* filter_fill(const FilterRow& row, const float* blob, int c0, int C, FilterArena& arena) {
  if (row.border != BORDER_CONSTANT) return nullptr;
  U* fill = arena.take<U>(C);
  for (int c = 0; c < C; ++c) fill[c] = (U)blob[row.fill + c0 + c];
  return fill;
}

template <class T, bool POINTS>
AUG_FN void filter_ring(const FilterRow& row, const float* blob, int c0, int C, int y0, int x0, int th, int tw, float* scratch) {
  const int kh = row.kh, kw = row.kw, lanes = tw * C, whole = filter_round(lanes);
  const int padded = filter_round((tw + kw - 1) * C + 16);
  FilterArena arena(scratch);
  FilterLines<T, float> s = filter_lines<T, float>(row, c0, C, x0, tw);
  s.fill = filter_fill<float>(row, blob, c0, C, arena);
  s.pitch = POINTS ? padded : whole;
  s.ring = arena.take<float>(kh * s.pitch);
  float* line = arena.take<float>(padded);
  s.spare = arena.take<float>(padded);
  float* acc = arena.take<float>(whole);
  float* sum = arena.take<float>(whole);
  s.held = arena.take<int>(kh);
  s.edge = arena.take<int>(kw);
  s.start();
  const float *taps = blob + row.taps, *ky = taps, *kx = taps + kh;
  for (int i = (tw + kw - 1) * C; i < padded; ++i) line[i] = 0.0f;

  auto enter = [&](int y) {
    s.enter(y, [&](int from, float* to) {
      if (POINTS) return s.line(from, to);
      s.line(from, line);
      filter_rows(kw, [&](int j) { return line + j * C; }, [&](int j) { return kx[j]; }, acc, whole, Keep{to});
    });
  };
  auto total = [&](int y, int n, auto sink) {
    const int first = s.slot(y - s.ry);
    if (POINTS) {
      filter_rows(
          row.n, [&](int j) { return s.after(first, s.ry + (int)taps[3 * j]) + (s.rx + (int)taps[3 * j + 1]) * C; },
          [&](int j) { return taps[3 * j + 2]; }, acc, n, sink);
    } else {
      filter_rows(kh, [&](int j) { return s.after(first, j); }, [&](int j) { return ky[j]; }, acc, n, sink);
    }
  };
  const bool dense = (row.dx == C) & ((row.dc == 1) | (C == 1));
  for (int y = y0 - s.ry; y < y0 + s.ry; ++y) enter(y);
  T* dst = (T*)row.dst + ((i64)x0 * row.dx + (i64)c0 * row.dc);
  for (int y = y0; y < y0 + th; ++y) {
    enter(y + s.ry);
    T* d = dst + (i64)y * row.dy;
    if (dense) {
      total(y, lanes, Final<T>{d, {row.scale}});
    } else {
      total(y, lanes, Keep{sum});
      filter_scatter(sum, d, tw, row.dx, row.dc, C, Finish<T>{row.scale});
    }
  }
}

}  // namespace aug
#include "box.hpp"
namespace aug {

// ---- samples ------------------------------------------------------------------------------------

template <class T> AUG bool filter_integer(const FilterRow&, const float*, int) { return false; }
template <> AUG bool filter_integer<u8>(const FilterRow& row, const float* blob, int channels) {
  return filter_is_box(row, blob, channels);
}

template <class T>
AUG_FN void filter_part(const FilterRow& row, const float* blob, bool box, int c, int C, int y0, int x0, int th, int tw,
                        float* scratch) {
  if (row.kind == FILTER_SPARSE) filter_ring<T, true>(row, blob, c, C, y0, x0, th, tw, scratch);
  else if (box) filter_box<T>(row, blob, c, C, y0, x0, th, tw, scratch);
  else filter_ring<T, false>(row, blob, c, C, y0, x0, th, tw, scratch);
}

// columns of a strip: the ring stays in the L2 cache (192 KiB), a line in L1
enum { RING_MOST = 49152, LINE_LEAST = 1024, LINE_MOST = 8192 };  // values of 4 bytes
AUG int filter_strip(const FilterRow& row, int C) {
  const int fit = max_(clamp_(RING_MOST / (row.kh + 2), LINE_LEAST, LINE_MOST) / C, 1), strips = (row.sw + fit - 1) / fit;
  return (row.sw + strips - 1) / strips;
}
static inline u64 filter_scratch_floats(const FilterRow& row, int channels) {
  const u64 a = filter_tile_floats(row, 1, filter_strip(row, 1));
  const u64 b = filter_tile_floats(row, channels, filter_strip(row, channels));
  return a > b ? a : b;
}
// a whole sample on one thread; scratch holds filter_scratch_floats()
template <class T> AUG_FN void filter_image(const FilterRow& row, const float* blob, int channels, float* scratch) {
  const bool box = filter_integer<T>(row, blob, channels);
  const int C = filter_planar(row) ? 1 : channels, tw = filter_strip(row, C);
  for (int c = 0; c < channels; c += C)
    for (int x = 0; x < row.sw; x += tw) filter_part<T>(row, blob, box, c, C, 0, x, row.sh, min_(tw, row.sw - x), scratch);
}

}  // namespace aug

// box.hpp: the mean of a box over uint8, by running sums of integers. Included by filter.hpp.
#pragma once
namespace aug {

// all weights 1, scale 1 / count, fill a byte: the sums are integers, below 2^16 along x and 2^24 in all
AUG_FN bool filter_is_box(const FilterRow& row, const float* blob, int channels) {
  if ((row.kind != FILTER_SEPARABLE) | (row.kh > 255) | (row.kw > 255) | (row.kh * row.kw == 1)) return false;
  if (row.scale != 1.0f / (float)(row.kh * row.kw)) return false;
  for (int i = 0; i < row.kh + row.kw; ++i)
    if (blob[row.taps + i] != 1.0f) return false;
  if (row.border != BORDER_CONSTANT) return true;
  for (int c = 0; c < channels; ++c) {
    const float v = blob[row.fill + c];
    if (!((v >= 0.0f) & (v <= 255.0f)) || v != (float)(int)v) return false;
  }
  return true;
}

// out[i] = acc[i] (not read if FIRST) + the sum over j < N of p[i + j * step]
template <int N, bool FIRST> AUG_FN void box_add(const u16* p, int step, const u16* acc, u16* out, int lanes) {
  const u16* q[N];  // a pointer each: with p[i + j * step] GCC vectorizes nothing, at eight times the time
  AUG_UNROLL for (int j = 0; j < N; ++j)
    q[j] = p + (i64)j * step;
  AUG_SIMD for (int i = 0; i < lanes; ++i) {
    u16 v = FIRST ? 0 : acc[i];
    AUG_UNROLL for (int j = 0; j < N; ++j)
      v = (u16)(v + q[j][i]);
    out[i] = v;
  }
}
AUG void box_add_n(int n, const u16* p, int step, u16* out, int lanes, bool first) {
  for (int j = 0; j < n; first = false) {
    const u16* q = p + j * step;
    const int m = min_(n - j, 7);
    j += m;
    switch (first ? m : -m) {
      case 1: box_add<1, true>(q, step, out, out, lanes); break;
      case 2: box_add<2, true>(q, step, out, out, lanes); break;
      case 3: box_add<3, true>(q, step, out, out, lanes); break;
      case 4: box_add<4, true>(q, step, out, out, lanes); break;
      case 5: box_add<5, true>(q, step, out, out, lanes); break;
      case 6: box_add<6, true>(q, step, out, out, lanes); break;
      case 7: box_add<7, true>(q, step, out, out, lanes); break;
      case -1: box_add<1, false>(q, step, out, out, lanes); break;
      case -2: box_add<2, false>(q, step, out, out, lanes); break;
      case -3: box_add<3, false>(q, step, out, out, lanes); break;
      case -4: box_add<4, false>(q, step, out, out, lanes); break;
      case -5: box_add<5, false>(q, step, out, out, lanes); break;
      case -6: box_add<6, false>(q, step, out, out, lanes); break;
      default: box_add<7, false>(q, step, out, out, lanes); break;
    }
  }
}

// sum / count, rounded, by a multiplication, for odd counts below 256
struct BoxDivide {
  u16 half, factor, shift;
  AUG explicit BoxDivide(int count) : half((u16)(count / 2)), shift(0) {
    while (2 << shift < count) ++shift;
    factor = (u16)(((65536u << shift) + count - 1) / count);
  }
  // the factor exceeds 2^(16 + shift) / count by error / count: quotients stay exact while error * v < 2^(16 + shift)
  AUG bool exact(int count) const {
    const u64 error = (u64)factor * count - (65536u << shift);
    return error * (255 * count + half) < 65536u << shift;
  }
  AUG u8 operator()(u16 s) const {
    const u16 v = (u16)(s + half);
    return (u8)((u16)(((u32)v * factor) >> 16) >> shift);
  }
};
struct BoxScale {
  float scale;
  AUG u8 operator()(int s) const {
    u8 v;
    Finish<u8>{scale}(&v, (float)s);
    return v;
  }
};
struct BoxCopy {
  AUG void operator()(u8* p, u8 v) const { *p = v; }
};
// a row enters the window, the mean is taken, a row leaves
template <class S, class Divide> AUG_FN void box_step(S* sum, const u16* in, const u16* out, u8* d, int lanes, Divide divide) {
  AUG_SIMD for (int i = 0; i < lanes; ++i) {
    const S s = (S)(sum[i] + in[i]);
    d[i] = divide(s);
    sum[i] = (S)(s - out[i]);
  }
}

template <class S, class Divide>
AUG_FN void filter_box(const FilterRow& row, const float* blob, int c0, int C, int y0, int x0, int th, int tw, float* scratch,
                       Divide divide) {
  enum { STEP = 7 };
  const int kh = row.kh, kw = row.kw, lanes = tw * C, whole = filter_round(lanes);
  const int padded = filter_round((tw + kw - 1) * C + 16);
  FilterArena arena(scratch);
  FilterLines<u8, u16> s = filter_lines<u8, u16>(row, c0, C, x0, tw);
  s.fill = filter_fill<u16>(row, blob, c0, C, arena);
  s.pitch = whole;
  s.ring = arena.take<u16>(kh * whole);
  u16* line = arena.take<u16>(padded);
  s.spare = arena.take<u16>(padded);
  u16* sevens = arena.take<u16>(padded);
  S* sum = arena.take<S>(whole);
  u8* result = arena.take<u8>(whole);
  s.held = arena.take<int>(kh);
  s.edge = arena.take<int>(kw);
  s.start();
  for (int i = (tw + kw - 1) * C; i < padded; ++i) line[i] = 0;
  for (int i = 0; i < whole; ++i) sum[i] = 0;

  auto enter = [&](int y) {
    s.enter(y, [&](int from, u16* to) {
      s.line(from, line);
      const int n = kw / STEP;
      if (n < 2) return box_add_n(kw, line, C, to, whole, true);
      // runs of seven once, then sums of runs
      box_add_n(STEP, line, C, sevens, whole + (n - 1) * STEP * C, true);
      box_add_n(n, sevens, STEP * C, to, whole, true);
      box_add_n(kw - n * STEP, line + n * STEP * C, C, to, whole, false);
    });
  };
  for (int y = y0 - s.ry; y < y0 + s.ry; ++y) {
    enter(y);
    const u16* in = s.at(y);
    for (int i = 0; i < whole; ++i) sum[i] = (S)(sum[i] + in[i]);
  }
  const bool dense = (row.dx == C) & ((row.dc == 1) | (C == 1));
  u8* dst = (u8*)row.dst + ((i64)x0 * row.dx + (i64)c0 * row.dc);
  for (int y = y0; y < y0 + th; ++y) {
    enter(y + s.ry);
    u8* d = dst + (i64)y * row.dy;
    box_step(sum, s.at(y + s.ry), s.at(y - s.ry), dense ? d : result, lanes, divide);
    if (!dense) filter_scatter(result, d, tw, row.dx, row.dc, C, BoxCopy());
  }
}
template <class T> AUG void filter_box(const FilterRow&, const float*, int, int, int, int, int, int, float*) {}
template <>
AUG void filter_box<u8>(const FilterRow& row, const float* blob, int c0, int C, int y0, int x0, int th, int tw, float* scratch) {
  const int count = row.kh * row.kw;
  const BoxDivide divide(count);
  if ((count < 256) && divide.exact(count)) filter_box<u16>(row, blob, c0, C, y0, x0, th, tw, scratch, divide);
  else filter_box<int>(row, blob, c0, C, y0, x0, th, tw, scratch, BoxScale{row.scale});
}

}  // namespace aug

// values.cpp: views to floats with operations of plain arithmetic: what a fused launch would do with them (ToFloat, Normalize, an
// inversion of floats), line by line, without the way through lanes, which takes three times as long.
#include "bytes.hpp"
#include "ops.gen.cuh"
#include "parts.hpp"
namespace aug {

namespace {

enum { AT_ONCE = 1024, VECTOR = 16, MOST_CHANNELS = 4 };

// The operation: for each of VECTOR pixels' values its numbers, alike where it treats channels alike.
struct Formula {
  int code;
  float a[MOST_CHANNELS * VECTOR], b[MOST_CHANNELS * VECTOR], low, high;
};

// May v / by be v times the reciprocal, and of what is left over once more? For bytes there is an answer.
bool divides_by_products(float by) {
  const float r = 1.0f / by;
  bool same = true;
  for (int v = 0; v < 256; ++v) {
    const float q = (float)v * r;
    same &= fma_(fma_(-q, by, (float)v), r, q) == (float)v / by;
  }
  return same;
}

template <class T> bool read(const Launch& l, const Op& op, int channels, int first, Formula& f) {
  f.code = op.code;
  const auto fill = [](float* to, auto value) {
    for (int i = 0; i < MOST_CHANNELS * VECTOR; ++i) to[i] = value(i);
  };
  const auto same = [&](float* to, float value) { fill(to, [&](int) { return value; }); };
  switch (op.code) {
    case OP_INVERT: same(f.a, ((const InvertOp*)op.p)->top); return true;
    case OP_DIVIDE:
      same(f.a, ((const DivideOp*)op.p)->by);
      same(f.b, 1.0f / f.a[0]);
      return sizeof(T) > 1 || divides_by_products(f.a[0]);
    case OP_LINEAR: {
      const LinearOp& p = *(const LinearOp*)op.p;
      same(f.a, p.factor);
      same(f.b, p.offset);
      f.low = p.low, f.high = p.high;
      return true;
    }
    case OP_NORMALIZE: {
      const float* table = l.blob + op.at;
      fill(f.a, [&](int i) { return table[first + i % channels]; });
      fill(f.b, [&](int i) { return table[l.channels + first + i % channels]; });
      return true;
    }
    default: return false;
  }
}

// The operations of a row, one behind the other: the first reads values of type T.
enum { MOST_FORMULAS = 3 };
struct Formulas {
  Formula of[MOST_FORMULAS];
  int n;
};
template <class T> bool read(const Launch& l, const Row& s, int channels, int first, Formulas& f) {
  f.n = s.n_ops;
  for (int k = 0; k < f.n; ++k)
    if (!(k ? read<float>(l, l.ops[s.ops + k], channels, first, f.of[k]) : read<T>(l, l.ops[s.ops], channels, first, f.of[0])))
      return false;
  return true;
}

// f(value, i) of n values, i: its place among those of VECTOR pixels
template <int C, class T, class F> AUG_FN void each_value(const T* from, float* to, int n, const F f) {
  constexpr int B = C * VECTOR;
  int k = 0;
  for (; k + B <= n; k += B, from += B, to += B) {
    AUG_SIMD for (int i = 0; i < B; ++i)
      to[i] = f(get(from[i]), i);
  }
  for (int i = 0; k + i < n; ++i) to[i] = f(get(from[i]), i);
}
template <int C, class T> AUG_FN void compute(const Formula& f, const T* from, float* to, int n) {
  const float a = f.a[0], b = f.b[0], low = f.low, high = f.high;
  const float* __restrict__ mean = f.a, * __restrict__ inverse = f.b;
  switch (f.code) {
    case OP_INVERT: return each_value<C>(from, to, n, [a](float v, int) { return a - v; });
    case OP_LINEAR: return each_value<C>(from, to, n, [a, b, low, high](float v, int) { return clamp_(v * a + b, low, high); });
    case OP_NORMALIZE: return each_value<C>(from, to, n, [mean, inverse](float v, int i) { return (v - mean[i]) * inverse[i]; });
    default:
      if constexpr (sizeof(T) > 1) return each_value<C>(from, to, n, [a](float v, int) { return v / a; });
      return each_value<C>(from, to, n, [a, b](float v, int) {
        const float q = v * b;
        return fma_(fma_(-q, a, v), b, q);
      });
  }
}

// n values of pixels of C; past the caches by way of what stays in them
template <int C, class T> void values(const Formulas& f, const T* from, float* to, i64 n, bool past) {
  constexpr int STEP = AT_ONCE / (C * VECTOR) * C * VECTOR;
  alignas(64) float made[STEP];
  for (i64 i = 0; i < n; i += STEP) {
    const int some = n - i < STEP ? (int)(n - i) : STEP;
    float* const out = past ? made : to + i;
    compute<C>(f.of[0], from + i, f.n > 1 ? made : out, some);
    for (int k = 1; k < f.n; ++k) compute<C>(f.of[k], made, k + 1 < f.n ? made : out, some);
    if (past) copy_past((u8*)(to + i), (const u8*)made, some * (i64)sizeof(float));
  }
}
template <class T> void values_of(int C, const Formulas& f, const T* from, float* to, i64 n, bool past) {
  if (C == 3) values<3>(f, from, to, n, past);
  else if (C == 4) values<4>(f, from, to, n, past);
  else values<1>(f, from, to, n, past);
}

// Pixels of C values, or planes of one, whose lines lie side by side, or from their end (`size` < 0 is the step of a pixel).
template <class T> bool lines(const Launch& l, const Row& s, int C, int c) {
  Formulas formula;
  if (!read<T>(l, s, C, c, formula)) return false;
  const int* f = s.frame;
  const i64 ex = (i64)f[0] * s.sx, ey = (i64)f[4] * s.sy, line = (i64)s.dw * C;
  const T* src = (const T*)s.src + (i64)f[2] * s.sx + (i64)f[5] * s.sy + (i64)c * s.sc;
  float* dst = (float*)s.dst + (i64)c * s.dc;
  if (ex == C && ey == line && s.dy == line) {
    values_of(C, formula, src, dst, line * s.dh, s.past);
    return true;
  }
  static thread_local std::vector<T> turned;
  if (ex < 0) turned.resize(line);
  for (int y = 0; y < s.dh; ++y) {
    const T* from = src + y * ey;
    if (ex < 0) {
      by_size(C * (int)sizeof(T), [&](auto size) {
        copy_line<decltype(size)::bytes>((u8*)turned.data(), (const u8*)from, -C * (i64)sizeof(T), s.dw, C * (int)sizeof(T));
      });
      from = turned.data();
    }
    values_of(C, formula, from, dst + (i64)y * s.dy, line, s.past);
  }
  return true;
}

// pixels of three bytes to planes
#if defined(__AVX2__)
bool parted(const Launch& l, const Row& s) {
  Formulas formula[3];
  for (int c = 0; c < 3; ++c)
    if (!read<u8>(l, s, 1, c, formula[c])) return false;
  static thread_local std::vector<u8> bytes;
  const i64 room = s.dw + Wide::VECTOR;
  bytes.resize(3 * room);
  u8* const to[3] = {bytes.data(), bytes.data() + room, bytes.data() + 2 * room};
  const int* f = s.frame;
  const i64 ex = (i64)f[0] * s.sx, ey = (i64)f[4] * s.sy;
  const u8* src = (const u8*)s.src + (i64)f[2] * s.sx + (i64)f[5] * s.sy - (ex < 0 ? 3 * (s.dw - 1) : 0);
  for (int y = 0; y < s.dh; ++y) {
    if (ex > 0) split_wide<false>(src + y * ey, to, s.dw);
    else split_wide<true>(src + y * ey, to, s.dw);
    for (int c = 0; c < 3; ++c) values<1>(formula[c], to[c], (float*)s.dst + (i64)c * s.dc + (i64)y * s.dy, s.dw, s.past);
  }
  return true;
}
#else
bool parted(const Launch&, const Row&) { return false; }
#endif

}  // namespace

bool values_sample(const Launch& l, const Row& s) {
  const int *f = s.frame, C = l.channels, ex = f[0] * s.sx;
  if (s.n_ops < 1 || s.n_ops > MOST_FORMULAS || s.map != MAP_VIEW || l.target != DT_F32 || f[1] || f[3]) return false;
  if (l.source != DT_U8 && l.source != DT_F32) return false;
  const bool bytes = l.source == DT_U8, beside = (ex == C || ex == -C) && (s.sc == 1 || C == 1);
  bool alike = true;
  for (int k = s.ops; k < s.ops + s.n_ops; ++k) alike &= VALUE_OPS[l.ops[k].code];
  if (beside && s.dx == C && (s.dc == 1 || C == 1)) {
    if (C > MOST_CHANNELS || C == 2) {
      if (!alike || ex < 0) return false;
      Row flat = s;  // as many pixels of one value
      flat.frame[2] *= C;
      flat.sx = flat.dx = 1;
      flat.dw *= C;
      return bytes ? lines<u8>(l, flat, 1, 0) : lines<float>(l, flat, 1, 0);
    }
    return bytes ? lines<u8>(l, s, C, 0) : lines<float>(l, s, C, 0);
  }
  if (s.dx != 1) return false;
#if defined(__AVX2__)
  if (bytes && C == 3 && beside && s.dw >= Wide::VECTOR) return parted(l, s);
#endif
  if (ex != 1 && ex != -1) return false;
  for (int c = 0; c < C; ++c)
    if (!(bytes ? lines<u8>(l, s, 1, c) : lines<float>(l, s, 1, c))) return false;  // the first says so
  return true;
}

}  // namespace aug

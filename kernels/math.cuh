// math.cuh: arithmetic that gives the same bits on both sides.
#pragma once
#include "lang.cuh"
namespace aug {

AUG int min_(int a, int b) { return a < b ? a : b; }
AUG int max_(int a, int b) { return a > b ? a : b; }
// a NaN in the first argument goes through (the comparison is false): NaNs in data stay NaN
AUG float min_(float a, float b) { return b < a ? b : a; }
AUG float max_(float a, float b) { return b > a ? b : a; }
AUG float clamp_(float v, float lo, float hi) { return min_(max_(v, lo), hi); }
AUG int clamp_(int v, int lo, int hi) { return min_(max_(v, lo), hi); }
// The same for values that are no NaN, one instruction each on both sides: a NaN becomes lo, and -0 with 0 for lo the lo.
AUG float within_(float v, float lo, float hi) {
#if AUG_GPU
  return fminf(fmaxf(v, lo), hi);
#else
  v = v > lo ? v : lo;
  return v < hi ? v : hi;
#endif
}

AUG u32 bits(float f) {
#if AUG_GPU
  return __float_as_uint(f);
#else
  return __builtin_bit_cast(u32, f);
#endif
}
AUG float unbits(u32 u) {
#if AUG_GPU
  return __uint_as_float(u);
#else
  return __builtin_bit_cast(float, u);
#endif
}
AUG float fma_(float a, float b, float c) {
#if AUG_GPU
  return fmaf(a, b, c);
#elif defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;  // the baseline build has no fused multiply-add: last-bit differences
#endif
}
// about 1 / v, on a GPU wrong by an ulp: for quotients that are corrected or rounded. (A division takes ten instructions there, and as
// many more for what it seldom meets.)
AUG float reciprocal(float v) {
#if defined(__CUDACC_RTC__)
  float r;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(v));
  return r;
#else
  return 1.0f / v;
#endif
}

AUG float floor_(float x) {
#if AUG_GPU
  return floorf(x);
#else
  return __builtin_floorf(x);
#endif
}
AUG float trunc_(float x) {
#if AUG_GPU
  return truncf(x);
#else
  return __builtin_truncf(x);
#endif
}
AUG float round_(float x) {  // half to even, as OpenCV and NumPy do
#if AUG_GPU
  return rintf(x);
#else
  return __builtin_rintf(x);
#endif
}
AUG double round_(double x) {
#if AUG_GPU
  return rint(x);
#else
  return __builtin_rint(x);
#endif
}
AUG double floor_(double x) {
#if AUG_GPU
  return floor(x);
#else
  return __builtin_floor(x);
#endif
}
AUG float sqrt_(float x) {
#if AUG_GPU
  return sqrtf(x);
#else
  return __builtin_sqrtf(x);
#endif
}
// The same for 0 and for what is neither denormal nor infinite: the compiler's own steps, less its questions whether it is. Of an
// approximate root and its reciprocal one step of Newton's gives the nearest float (Markstein 1990).
AUG float sqrt_of_normal(float x) {
#if defined(__CUDACC_RTC__)
  float r;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  const float s = x * r;
  return fmaxf(fmaf(fmaf(-s, s, x), 0.5f * r, s), 0.0f);  // of 0 NaN comes out, and becomes 0
#else
  return sqrt_(x);
#endif
}
AUG double sqrt_(double x) {
#if AUG_GPU
  return sqrt(x);
#else
  return __builtin_sqrt(x);
#endif
}
AUG double double_of(u32 low, u32 high) {
#if AUG_GPU
  return __longlong_as_double((long long)((u64)high << 32 | low));
#else
  return __builtin_bit_cast(double, (u64)high << 32 | low);
#endif
}
AUG u64 bits(double v) {
#if AUG_GPU
  return (u64)__double_as_longlong(v);
#else
  return __builtin_bit_cast(u64, v);
#endif
}
AUG u32 mulhi(u32 a, u32 b) {
#if AUG_GPU
  return __umulhi(a, b);
#else
  return (u32)(((u64)a * b) >> 32);
#endif
}

// Transcendentals as polynomials: the same bits on both sides, and they vectorize with no
// vector math library.
AUG float log2_(float x) {                  // x > 0, about 2e-7 relative away from 1
  const int i = (int)bits(x) - 0x3f3504f3;  // mantissa into [sqrt(1/2), sqrt(2))
  const float e = (float)(i >> 23);
  const float m = unbits(bits(x) - (u32)(i & (int)0xff800000)) - 1.0f;
  float p = -0.12037018f;
  p = fma_(p, m, 0.20393912f);
  p = fma_(p, m, -0.24229442f);
  p = fma_(p, m, 0.28839928f);
  p = fma_(p, m, -0.36067376f);
  p = fma_(p, m, 0.48089835f);
  p = fma_(p, m, -0.72134752f);
  p = fma_(p, m, 1.44269504f);
  return fma_(m, p, e);
}
AUG float exp2_(float x) {  // about 2e-7 relative
  x = clamp_(x, -126.0f, 127.0f);
  const float k = floor_(x), f = x - k;
  float p = 1.8775767e-3f;
  p = fma_(p, f, 8.9893397e-3f);
  p = fma_(p, f, 5.5826318e-2f);
  p = fma_(p, f, 2.4015361e-1f);
  p = fma_(p, f, 6.9315308e-1f);
  p = fma_(p, f, 1.0f);
  return unbits(bits(p) + ((u32)(int)k << 23));
}
// v to a power above 0, about 1e-6 of max(1, result) away for v up to 1; NaN of negative numbers, as NumPy has it
AUG float power_(float v, float exponent) {
  const float r = exp2_(exponent * log2_(v));
  return v > 0.0f ? r : v == 0.0f ? 0.0f : unbits(0x7fc00000u);
}
// sine and cosine of u turns
AUG void sincos_turns(float u, float& s, float& c) {
  const float q = round_(4.0f * u), t = (4.0f * u - q) * 1.57079633f, z = t * t;
  const float ps = t * fma_(z, fma_(z, fma_(z, -1.9515296e-4f, 8.3321609e-3f), -1.6666655e-1f), 1.0f);
  const float pc = fma_(z, fma_(z, fma_(z, 2.4433157e-5f, -1.3887316e-3f), 4.1666645e-2f), -0.5f) * z + 1.0f;
  const int k = (int)q;
  const float a = (k & 1) ? pc : ps, b = (k & 1) ? ps : pc;
  s = (k & 2) ? -a : a;
  c = ((k + 1) & 2) ? -b : b;
}

}  // namespace aug

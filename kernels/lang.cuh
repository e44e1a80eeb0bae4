// lang.cuh: the whole difference between the GPU and the CPU build of the kernels.
//
// A kernel body is written for a Group of THREADS threads, each of which owns SLOTS lanes.
// `g.each(f)` runs f once per lane. What lives across two `each` calls is kept in a Var (one
// value per lane) or in shared memory.
//   GPU: THREADS = blockDim.x, SLOTS = 1..4. A Var is a register, each() is unrolled.
//   CPU: THREADS = 1, SLOTS = 64. A Var is a 64-element array on the stack, each() is a simd
//        loop, sync() is nothing, shared memory is the worker's scratch buffer.
//
// Both builds switch contraction off (-ffp-contract=off, --fmad=false): a multiply-add is
// fused where the source says fma_ and nowhere else, so that both round alike.
#pragma once

#if defined(__CUDACC__) || defined(__CUDACC_RTC__) || defined(GPUAUG_EMULATE)
#define AUG __device__ __forceinline__
#define AUG_GPU 1
#define AUG_SIMD _Pragma("unroll")
#define AUG_UNROLL _Pragma("unroll")
#define AUG_FN __device__ __forceinline__
#define AUG_ALIAS
#else
#define AUG inline __attribute__((always_inline))
#define AUG_GPU 0
#define AUG_SIMD _Pragma("omp simd")
#define AUG_UNROLL _Pragma("GCC unroll 16")
#define AUG_ALIAS __attribute__((may_alias))  // structs that lie in an array of words
// flatten: every lambda and helper is inlined; a loop that calls one is not vectorized
#define AUG_FN static __attribute__((noinline, flatten))
#endif

namespace aug {

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

struct Lane {
  int slot, id;
};  // slot: index into a Var; id: index within the group

template <class T, int SLOTS> struct Vars {
  T v[SLOTS];
  AUG T& operator[](Lane l) { return v[l.slot]; }
};

template <int THREADS, int SLOTS> struct Group {
  static constexpr int threads = THREADS, slots = SLOTS, lanes = THREADS * SLOTS;
  template <class T> using Var = Vars<T, SLOTS>;

  static AUG int thread() {
#if AUG_GPU
    return threadIdx.x;
#else
    return 0;
#endif
  }
  static AUG void sync() {
#if AUG_GPU
    __syncthreads();
#endif
  }
  // every lane of the group once
  template <class F> AUG void each(F f) const {
    const int t = thread();
    AUG_SIMD for (int s = 0; s < SLOTS; ++s)
      f(Lane{s, t + s * THREADS});
  }
  // every lane once, for bodies that no compiler vectorizes (scattered byte loads)
  template <class F> AUG void each_scalar(F f) const {
    const int t = thread();
#if AUG_GPU
    AUG_SIMD
#endif
    for (int s = 0; s < SLOTS; ++s)
      f(Lane{s, t + s * THREADS});
  }
  // does p hold in all lanes of this thread? (no barrier: threads may disagree)
  template <class F> AUG bool all(F p) const {
    const int t = thread();
    int ok = 1;
#if AUG_GPU
    AUG_SIMD
#else
    _Pragma("omp simd reduction(&:ok)")
#endif
    for (int s = 0; s < SLOTS; ++s)
      ok &= p(Lane{s, t + s * THREADS}) ? 1 : 0;
    return ok != 0;
  }
  // rows x cols items spread over the group, then a barrier
  template <class F> AUG void grid(int rows, int cols, F f) const {
#if AUG_GPU
    for (int y = threadIdx.x / 32; y < rows; y += THREADS / 32)
      for (int x = threadIdx.x % 32; x < cols; x += 32) f(y, x);
    __syncthreads();
#else
    for (int y = 0; y < rows; ++y) { _Pragma("omp simd") for (int x = 0; x < cols; ++x) f(y, x); }
#endif
  }
};

// ---- arithmetic -------------------------------------------------------------------

AUG int min_(int a, int b) { return a < b ? a : b; }
AUG int max_(int a, int b) { return a > b ? a : b; }
// a NaN in the first argument goes through (the comparison is false): NaNs in data stay NaN
AUG float min_(float a, float b) { return b < a ? b : a; }
AUG float max_(float a, float b) { return b > a ? b : a; }
AUG float clamp_(float v, float lo, float hi) { return min_(max_(v, lo), hi); }
AUG int clamp_(int v, int lo, int hi) { return min_(max_(v, lo), hi); }

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
AUG float abs_(float x) { return unbits(bits(x) & 0x7fffffffu); }
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

// ---- memory -----------------------------------------------------------------------

template <class T> AUG T ld(const T* p) {
#if AUG_GPU
  return __ldg(p);
#else
  return *p;
#endif
}

// The element types of samples. Lanes hold floats: integers of a mask (i32) travel as their
// bits, so that every label survives; nothing but copies and selections touches them.
enum Dtype { DT_U8 = 0, DT_F16 = 1, DT_BF16 = 2, DT_F32 = 3, DT_I32 = 4 };
struct f16 {
  u16 bits;
};
struct bf16 {
  u16 bits;
};
struct i32 {
  u32 bits;
};
template <class T> constexpr bool is_label = false;
template <> constexpr bool is_label<i32> = true;

AUG u16 half_bits(float v) {  // round to nearest even
  const u32 u = bits(v), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
  const u32 norm = (a + 0xc8000fffu + ((a >> 13) & 1u)) >> 13;
  const u32 sub = bits(unbits(a) + 0.5f) - 0x3f000000u;  // subnormal halves
  const u32 big = 0x7c00u + (a > 0x7f800000u ? 0x200u : 0u);
  // 65520 and above round to infinity
  const u32 h = a >= 0x477ff000u ? big : a < 0x38800000u ? sub : norm;
  return (u16)(sign | h);
}
AUG float from_half(u16 h) {
  const u32 sign = ((u32)h & 0x8000u) << 16, a = (u32)h & 0x7fffu;
  const float norm = unbits((a << 13) + 0x38000000u);
  const float sub = (float)(int)a * 5.9604645e-8f;  // 2^-24
  const float top = unbits((a << 13) | 0x7f800000u);
  const float v = a < 0x400u ? sub : a < 0x7c00u ? norm : top;
  return unbits(bits(v) | sign);
}
AUG u16 bhalf_bits(float v) {
  const u32 u = bits(v);
  const u32 r = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  return (u16)((u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40u : r);
}

AUG float get(u8 v) { return (float)(int)v; }
AUG float get(float v) { return v; }
AUG float get(f16 v) { return from_half(v.bits); }
AUG float get(bf16 v) { return unbits((u32)v.bits << 16); }
AUG float get(i32 v) { return unbits(v.bits); }

// Rounds half to even and saturates. Adding 1.5 * 2^23 leaves the rounded number in the low bits, and the bits of
// floats are ordered as integers: an integer clamp, which compilers vectorize well (a float clamp became blends: 3x).
AUG u8 to_u8(float v) { return (u8)(clamp_((int)bits(v + 12582912.0f), 0x4b400000, 0x4b4000ff) & 255); }
AUG void put(u8* p, float v) { *p = to_u8(v); }
AUG void put(float* p, float v) { *p = v; }
AUG void put(f16* p, float v) { p->bits = half_bits(v); }
AUG void put(bf16* p, float v) { p->bits = bhalf_bits(v); }
AUG void put(i32* p, float v) { p->bits = bits(v); }

AUG f16 ld(const f16* p) { return f16{ld((const u16*)p)}; }
AUG bf16 ld(const bf16* p) { return bf16{ld((const u16*)p)}; }
AUG i32 ld(const i32* p) { return i32{ld((const u32*)p)}; }

// ---- borders ------------------------------------------------------------------------

// OpenCV's numbers
enum Border { BORDER_CONSTANT = 0, BORDER_REPLICATE = 1, BORDER_REFLECT = 2, BORDER_WRAP = 3, BORDER_REFLECT_101 = 4 };

// a mod n for n > 0 by a reciprocal: exact after one correction while |a| < 2^23
AUG int mod_(int a, int n) {
  int r = a - n * (int)floor_((float)a * (1.0f / (float)n));
  r = r < 0 ? r + n : r;
  return r >= n ? r - n : r;
}
// the index that stands for i in a line of n pixels; CONSTANT: any index in range
AUG int border_index(int i, int n, int border) {
  if (border == BORDER_REFLECT_101) {
    const int period = max_(2 * n - 2, 1), r = mod_(i, period);
    return r < n ? r : period - r;
  }
  if (border == BORDER_REFLECT) {
    const int r = mod_(i, 2 * n);
    return r < n ? r : 2 * n - 1 - r;
  }
  if (border == BORDER_WRAP) return mod_(i, n);
  return clamp_(i, 0, n - 1);
}

}  // namespace aug

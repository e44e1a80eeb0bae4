// types.cuh: the element types of samples, and how lanes read and write them.
#pragma once
#include "math.cuh"
namespace aug {

template <class T> AUG T ld(const T* p) {
#if AUG_GPU
  return __ldg(p);
#else
  return *p;
#endif
}

struct Four {
  u32 x, y, z, w;
};
// four words that lie at a multiple of four
AUG Four ld4(const u32* p) {
#if AUG_GPU
  const uint4 v = __ldg((const uint4*)p);
  return {v.x, v.y, v.z, v.w};
#else
  return {p[0], p[1], p[2], p[3]};
#endif
}

// An index that is used to look something up. The compiler would take indices out of vectors and collect what it finds in vectors
// by insertion, at twice the time of scalar loads and stores.
AUG int scalar(int i) {
#if !AUG_GPU
  __asm__("" : "+r"(i));
#endif
  return i;
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

#if defined(__CUDACC_RTC__)
AUG u16 half_bits(float v) {
  u16 h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(v));
  return h;
}
AUG float from_half(u16 h) {
  float v;
  asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"(h));
  return v;
}
#else
// To the nearest half, ties to even; every NaN becomes 0x7fff, as a GPU's instruction has it.
AUG u16 half_bits(float v) {
  const u32 u = bits(v), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
  const u32 norm = (a + 0xc8000fffu + ((a >> 13) & 1u)) >> 13;
  const u32 sub = bits(unbits(a) + 0.5f) - 0x3f000000u;  // subnormal halves
  // 65520 and above round to infinity
  const u32 h = sign | (a >= 0x477ff000u ? 0x7c00u : a < 0x38800000u ? sub : norm);
  return (u16)(a > 0x7f800000u ? 0x7fffu : h);
}
AUG float from_half(u16 h) {
  const u32 sign = ((u32)h & 0x8000u) << 16, a = (u32)h & 0x7fffu;
  const float norm = unbits((a << 13) + 0x38000000u);
  const float sub = (float)(int)a * 5.9604645e-8f;  // 2^-24
  const float top = unbits((a << 13) | 0x7f800000u);
  const float v = a < 0x400u ? sub : a < 0x7c00u ? norm : top;
  return unbits(bits(v) | sign);
}
#endif
#if defined(__CUDACC_RTC__) && __CUDA_ARCH__ >= 800
AUG u16 bhalf_bits(float v) {
  u16 h;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(h) : "f"(v));
  return h;
}
#else
AUG u16 bhalf_bits(float v) {  // NaN likewise
  const u32 u = bits(v);
  const u32 r = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  return (u16)((u & 0x7fffffffu) > 0x7f800000u ? 0x7fffu : r);
}
#endif

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

}  // namespace aug

// shared.cuh: shared memory by addresses of 32 bits: of pointers, whose arithmetic is that of any kind of memory, each access would
// find the block's part anew.
#pragma once
#include "words.cuh"
namespace aug {

#if defined(__CUDACC_RTC__)
typedef u32 Shared;  // in bytes
AUG Shared shared_at(const void* p) { return (u32)__cvta_generic_to_shared(p); }
AUG float4 load4(Shared at) {
  float4 v;
  asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "r"(at));
  return v;
}
AUG void store4(Shared at, float a, float b, float c, float d) {
  asm volatile("st.shared.v4.f32 [%0], {%1, %2, %3, %4};" ::"r"(at), "f"(a), "f"(b), "f"(c), "f"(d));
}
AUG void store1(Shared at, float v) { asm volatile("st.shared.f32 [%0], %1;" ::"r"(at), "f"(v)); }
AUG u32 load_word(Shared at) {
  u32 v;
  asm volatile("ld.shared.u32 %0, [%1];" : "=r"(v) : "r"(at));
  return v;
}
AUG void store_word(Shared at, u32 v) { asm volatile("st.shared.u32 [%0], %1;" ::"r"(at), "r"(v)); }
#else
typedef char* Shared;
AUG Shared shared_at(const void* p) { return (char*)p; }
AUG float4 load4(Shared at) { return *(const float4*)at; }
AUG void store4(Shared at, float a, float b, float c, float d) { *(float4*)at = float4{a, b, c, d}; }
AUG void store1(Shared at, float v) { *(float*)at = v; }
AUG u32 load_word(Shared at) { return *(const u32*)at; }
AUG void store_word(Shared at, u32 v) { *(u32*)at = v; }
#endif

}  // namespace aug

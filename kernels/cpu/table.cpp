// table.cpp: bytes through a table of 256, as fast as the processor has it. docs/kernels.md, "Tables", holds the times.
#include "bytes.hpp"
#include "export.hpp"
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif
namespace aug {

namespace {

void one_by_one(u8* to, const u8* from, i64 n, const u8* table) {
  for (i64 i = 0; i < n; ++i) to[i] = table[from[i]];
}

#if defined(__x86_64__) || defined(_M_X64)
// 16 tables of 16 bytes. pshufb yields 0 where a byte's highest bit is set: of the first eight, entry k holds table k xor table
// k - 1, and counting 16 down from the value adds one after the other until it is below zero. The upper half begins at 128.
__attribute__((target("avx2"))) void by_16(u8* to, const u8* from, i64 n, const u8* table) {
  __m256i part[16];
  for (int k = 0; k < 16; ++k) {
    __m128i t = _mm_loadu_si128((const __m128i*)(table + 16 * k));
    if (k % 8) t = _mm_xor_si128(t, _mm_loadu_si128((const __m128i*)(table + 16 * (k - 1))));
    part[k] = _mm256_broadcastsi128_si256(t);
  }
  const __m256i sixteen = _mm256_set1_epi8(16), top = _mm256_set1_epi8((char)128);
  i64 i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i low = _mm256_loadu_si256((const __m256i*)(from + i)), high = _mm256_xor_si256(low, top);
    __m256i a = _mm256_shuffle_epi8(part[0], low), b = _mm256_shuffle_epi8(part[8], high);
#pragma GCC unroll 8
    for (int k = 1; k < 8; ++k) {
      low = _mm256_subs_epi8(low, sixteen);  // saturates: what is below zero stays there
      high = _mm256_subs_epi8(high, sixteen);
      a = _mm256_xor_si256(a, _mm256_shuffle_epi8(part[k], low));
      b = _mm256_xor_si256(b, _mm256_shuffle_epi8(part[8 + k], high));
    }
    _mm256_storeu_si256((__m256i*)(to + i), _mm256_xor_si256(a, b));
  }
  one_by_one(to + i, from + i, n - i, table);
}

// 64 bytes by two loads: few lines of an image begin where one load of so many does not cross a cache line (12 % of the time)
__attribute__((target("avx512f,avx512bw"))) inline __m512i halves(const u8* p) {
  const __m256i low = _mm256_loadu_si256((const __m256i*)p), high = _mm256_loadu_si256((const __m256i*)(p + 32));
  return _mm512_maskz_inserti64x4((__mmask8)-1, _mm512_castsi256_si512(low), high, 1);
}

// the same with vectors of 64 bytes (maskz: the plain broadcast warns of its own undefined operand in GCC 12)
__attribute__((target("avx512f,avx512bw"))) void by_16_wide(u8* to, const u8* from, i64 n, const u8* table) {
  __m512i part[16];
  for (int k = 0; k < 16; ++k) {
    __m128i t = _mm_loadu_si128((const __m128i*)(table + 16 * k));
    if (k % 8) t = _mm_xor_si128(t, _mm_loadu_si128((const __m128i*)(table + 16 * (k - 1))));
    part[k] = _mm512_maskz_broadcast_i32x4((__mmask16)-1, t);
  }
  const __m512i sixteen = _mm512_set1_epi8(16), top = _mm512_set1_epi8((char)128);
  i64 i = 0;
  for (; i + 64 <= n; i += 64) {
    __m512i low = halves(from + i), high = _mm512_xor_si512(low, top);
    __m512i a = _mm512_shuffle_epi8(part[0], low), b = _mm512_shuffle_epi8(part[8], high);
#pragma GCC unroll 8
    for (int k = 1; k < 8; ++k) {
      low = _mm512_subs_epi8(low, sixteen);
      high = _mm512_subs_epi8(high, sixteen);
      a = _mm512_xor_si512(a, _mm512_shuffle_epi8(part[k], low));
      b = _mm512_xor_si512(b, _mm512_shuffle_epi8(part[8 + k], high));
    }
    _mm512_storeu_si512(to + i, _mm512_xor_si512(a, b));
  }
  one_by_one(to + i, from + i, n - i, table);
}

// two permutes of 128 bytes each, and the highest bit chooses
__attribute__((target("avx512f,avx512bw,avx512vbmi"))) void by_128(u8* to, const u8* from, i64 n, const u8* table) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  i64 i = 0;
  for (; i + 64 <= n; i += 64) {
    const __m512i v = halves(from + i);
    const __m512i a = _mm512_permutex2var_epi8(t0, v, t1), b = _mm512_permutex2var_epi8(t2, v, t3);
    _mm512_storeu_si512(to + i, _mm512_mask_blend_epi8(_mm512_movepi8_mask(v), a, b));
  }
  one_by_one(to + i, from + i, n - i, table);
}
#endif

struct Way {
  const char* name;
  void (*run)(u8*, const u8*, i64, const u8*);
  bool here;
};
// the best last
int ways(Way* out) {
  int n = 0;
  out[n++] = {"one by one", one_by_one, true};
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_cpu_init();
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
  out[n++] = {"16 of 16, 32 bytes", by_16, (bool)__builtin_cpu_supports("avx2")};
  out[n++] = {"16 of 16, 64 bytes", by_16_wide, wide};
  out[n++] = {"2 of 128", by_128, wide && __builtin_cpu_supports("avx512vbmi")};
#endif
  return n;
}

}  // namespace

void through_table(u8* to, const u8* from, i64 n, const u8* table) {
  static const auto best = [] {
    Way all[8];
    int k = ways(all) - 1;
    while (!all[k].here) --k;
    return all[k].run;
  }();
  best(to, from, n, table);
}

}  // namespace aug

// For the tests: the way number `way`; returns 1, 0 if this processor does not have it, -1 if there is none of that number.
EXPORT int gpuaug_through_table(int way, unsigned char* to, const unsigned char* from, long long n, const unsigned char* table) {
  aug::Way all[8];
  if (way < 0 || way >= aug::ways(all)) return -1;
  if (!all[way].here) return 0;
  all[way].run(to, from, n, table);
  return 1;
}

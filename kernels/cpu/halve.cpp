// halve.cpp: bytes to half their height and width, the means of 2 x 2: what a linear resize and an area one come to then. Sums of four
// bytes are whole numbers, so that integers give the bits of the sums in float32.
#include <cstring>
#include "halve.hpp"
#include "wide.hpp"
namespace aug {

namespace {

AUG u8 quarter(int sum, bool up) { return (u8)((sum + (up ? 2 : 1 + (sum >> 2 & 1))) >> 2); }  // halves go up, or to the even

#if defined(__AVX2__)
// of each lane of 16 bytes, of three channels 12, the sums of neighbouring pixels lie as words
template <int C> AUG __m128i neighbours() {
  alignas(16) signed char of[16];
  for (int i = 0; i < 16; ++i) {
    const int value = i / 2, pixel = value / C * 2 + i % 2;
    of[i] = (signed char)(C == 3 && i >= 12 ? -1 : pixel * C + value % C);
  }
  return _mm_load_si128((const __m128i*)of);
}
#if defined(__AVX512BW__)
template <bool UP> AUG __m512i quarters(__m512i a, __m512i b) {
  const __m512i one = _mm512_set1_epi8(1);
  const __m512i sum = _mm512_add_epi16(_mm512_maddubs_epi16(a, one), _mm512_maddubs_epi16(b, one));
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi16(sum, 2), _mm512_set1_epi16(1));
  const __m512i more = UP ? _mm512_set1_epi16(2) : _mm512_add_epi16(odd, _mm512_set1_epi16(1));
  return _mm512_srli_epi16(_mm512_add_epi16(sum, more), 2);
}
#else
template <bool UP> AUG __m256i quarters(__m256i a, __m256i b) {
  const __m256i one = _mm256_set1_epi8(1);
  const __m256i sum = _mm256_add_epi16(_mm256_maddubs_epi16(a, one), _mm256_maddubs_epi16(b, one));
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi16(sum, 2), _mm256_set1_epi16(1));
  const __m256i more = UP ? _mm256_set1_epi16(2) : _mm256_add_epi16(odd, _mm256_set1_epi16(1));
  return _mm256_srli_epi16(_mm256_add_epi16(sum, more), 2);
}
#endif
// returns how many output pixels it has made; the last ones are left
template <int C, bool UP> AUG_FN int halve_wide(const u8* a, const u8* b, u8* to, int n) {
  constexpr int IN = C == 3 ? Wide::BYTES : Wide::VECTOR, OUT = IN / 2, LANE = C == 3 ? 6 : 8, COUNT = Wide::VECTOR / 16;
  const __m128i of = neighbours<C>(), low = _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1);
  const int in = 2 * C * n, out = C * n;
  int i = 0, o = 0;
  for (; i + Wide::VECTOR <= in && o + OUT + 2 <= out; i += IN, o += OUT) {
    const Wide p = C == 3 ? Wide::spread(a + i) : Wide::whole(a + i), q = C == 3 ? Wide::spread(b + i) : Wide::whole(b + i);
    const Wide made = Wide{quarters<UP>(p.pick(of).v, q.pick(of).v)}.pick(low);
    alignas(64) u8 lanes[Wide::VECTOR];
    made.store(lanes);
    for (int k = 0; k < COUNT; ++k) std::memcpy(to + o + LANE * k, lanes + 16 * k, 8);
  }
  return o / C;
}
#else
template <int C, bool UP> int halve_wide(const u8*, const u8*, u8*, int) { return 0; }
#endif

template <int C, bool UP> void halve_line(const u8* a, const u8* b, u8* to, int n) {
  for (int x = halve_wide<C, UP>(a, b, to, n); x < n; ++x)
    for (int c = 0; c < C; ++c) {
      const int i = 2 * C * x + c;
      to[C * x + c] = quarter(a[i] + a[i + C] + b[i] + b[i + C], UP);
    }
}
template <bool UP> bool halve(const Ends& e, int C) {
  const auto line = C == 1 ? halve_line<1, UP> : C == 3 ? halve_line<3, UP> : C == 4 ? halve_line<4, UP> : nullptr;
  if (!line) return false;
  for (int y = 0; y < e.dh; ++y) {
    const u8* from = (const u8*)e.src + 2 * (i64)y * e.sy;
    line(from, from + e.sy, (u8*)e.dst + (i64)y * e.dy, e.dw);
  }
  return true;
}

}  // namespace

bool halve(const Ends& e, int channels, bool up) {
  const bool beside = channels == 1 || (e.sc == 1 && e.dc == 1);
  if (e.sh != 2 * e.dh || e.sw != 2 * e.dw || e.sx != channels || e.dx != channels || !beside) return false;
  return up ? halve<true>(e, channels) : halve<false>(e, channels);
}

}  // namespace aug

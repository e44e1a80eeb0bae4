// lookup.cuh: what is made of the numbers that a reduce launch wrote: of histograms tables of 256 bytes, below, and of others what
// their own file says.
//
// A table is made by 256 lanes, one for each byte: a warp's threads on the GPU, of which each has eight that follow each other, one
// thread's vectors on the CPU. What needs the others' numbers is `cumulate`, `total` and `of`. Counts are whole numbers, so sums have no
// order; they are exact as floats, as the references hold them, up to 2^24 pixels.
#pragma once
#include "eigen.cuh"
#include "reductions.gen.cuh"
#include "rows.cuh"
#if AUG_GPU
#include "gpu/words.cuh"
#endif
namespace aug {

#if AUG_GPU
struct Bytes {
  template <class T> using Var = Vars<T, 8>;
  template <class F> AUG void each(F f) const {
    AUG_UNROLL for (int i = 0; i < 8; ++i)
      f(Lane{i, 8 * (int)threadIdx.x + i});
  }
};
#else
typedef Group<1, 256> Bytes;
#endif
typedef Bytes::Var<int> Counts;
enum { LOOKUP_SHARED = 256 * 4 };  // bytes: eigen.cuh's matrices

// v[i] becomes the sum of v[0] .. v[i]
AUG void cumulate(Counts& v) {
#if AUG_GPU
  AUG_UNROLL for (int i = 1; i < 8; ++i)
    v.v[i] += v.v[i - 1];
  int before = v.v[7];
  AUG_UNROLL for (int step = 1; step < 32; step *= 2) {
    const int other = __shfl_up_sync(~0u, before, step);
    before += (int)threadIdx.x >= step ? other : 0;
  }
  before -= v.v[7];
  AUG_UNROLL for (int i = 0; i < 8; ++i)
    v.v[i] += before;
#else
  for (int i = 1; i < 256; ++i) v.v[i] += v.v[i - 1];
#endif
}
// the sum of f(lane)
template <class F> AUG int total(F f) {
#if AUG_GPU
  int sum = 0;
  Bytes().each([&](Lane l) { sum += f(l); });
  return (int)warp_sum((u32)sum);
#else
  Counts v;
  Bytes().each([&](Lane l) { v[l] = f(l); });
  int sum = 0;
  AUG_SIMD for (int i = 0; i < 256; ++i)
    sum += v.v[i];
  return sum;
#endif
}
// v[i], for all lanes; i is the same in all of them
AUG int of(Counts& v, int i) {
#if AUG_GPU
  return total([&](Lane l) { return l.id == i ? v[l] : 0; });
#else
  return v.v[i];
#endif
}
// table[i] of each lane
template <class F> AUG void write_table(u8* table, F f) {
#if AUG_GPU
  u32 w[2];
  AUG_UNROLL for (int k = 0; k < 2; ++k) {
    u32 b[4];
    AUG_UNROLL for (int i = 0; i < 4; ++i)
      b[i] = f(Lane{4 * k + i, 8 * (int)threadIdx.x + 4 * k + i});
    w[k] = permuted(permuted(b[0], b[1], 0x0040u), permuted(b[2], b[3], 0x0040u), 0x5410u);
  }
  AUG_UNROLL for (int k = 0; k < 2; ++k)
    ((u32*)table)[2 * threadIdx.x + k] = w[k];
#else
  Bytes().each([&](Lane l) { table[l.id] = f(l); });
#endif
}

struct Histogram {
  Counts count, below;  // how often a byte occurs; how often it or a smaller one does
  int all;
};
AUG void accumulate(Histogram& h) {
  h.below = h.count;
  cumulate(h.below);
  h.all = of(h.below, 255);
}
// the least and the greatest byte that occurs; 256 and 0 if none does
AUG int least(Histogram& h) {
  return total([&](Lane l) { return h.below[l] == 0 ? 1 : 0; });
}
AUG int greatest(Histogram& h) {
  return total([&](Lane l) { return h.below[l] < h.all ? 1 : 0; });
}
AUG void identity(u8* table) {
  write_table(table, [&](Lane l) { return (u8)l.id; });
}

// cv2.equalizeHist; pil 1: albumentations' equalization "as Pillow", which counts a byte itself with those below it, 2: Pillow's
AUG void lookup_equalize(const EqualizeLookup& p, Histogram& h, int, u8* table) {
  accumulate(h);
  if (p.pil) {
    const int last = of(h.count, min_(greatest(h), 255)), step = (h.all - last) / 255;
    if (step == 0) return identity(table);
    const int own = p.pil == 2 ? 1 : 0;
    write_table(table, [&](Lane l) { return (u8)min_((h.below[l] - own * h.count[l] + step / 2) / step, 255); });
    return;
  }
  const int first = min_(least(h), 255), none = of(h.count, first);
  if (none == h.all) return identity(table);
  const float scale = 255.0f / (float)(h.all - none);
  write_table(table, [&](Lane l) { return l.id <= first ? (u8)0 : to_u8((float)(h.below[l] - none) * scale); });
}

// cv2.createCLAHE: what bins have above the limit goes to all alike, its remainder to bins at equal distances
AUG void lookup_clahe(const ClaheLookup& p, Histogram& h, int, u8* table) {
  const int clip = p.clip;
  const int excess = total([&](Lane l) { return max_(h.count[l] - clip, 0); });
  const int each = excess / 256, rest = excess - 256 * each, step = max_(256 / max_(rest, 1), 1);
  const int per = 65536 / step + 1;  // i / step == i * per >> 16 for i < 256
  Bytes().each([&](Lane l) {
    const int at = (l.id * per) >> 16;
    h.count[l] = min_(h.count[l], clip) + each + (at * step == l.id && at < rest ? 1 : 0);
  });
  cumulate(h.count);
  const float scale = 255.0f / (float)p.area;
  write_table(table, [&](Lane l) { return to_u8((float)h.count[l] * scale); });
}

// albumentations' auto_contrast, which does not count 255 (its histogram's range ends there), and leaves the channel alone whose
// number is that of the byte to ignore
AUG void lookup_autocontrast(const AutocontrastLookup& p, Histogram& h, int channel, u8* table) {
  const int ignore = p.ignore;
  const double cutoff = double_of(p.cutoff[0], p.cutoff[1]);
  Bytes().each([&](Lane l) { h.count[l] = l.id == 255 || l.id == ignore ? 0 : h.count[l]; });
  accumulate(h);
  int low = least(h), high = greatest(h);
  if (cutoff != 0.0) {
    const float cut = (float)((double)h.all * cutoff / 100.0);
    const int left = total([&](Lane l) { return (float)h.below[l] < cut ? 1 : 0; });
    const int right = total([&](Lane l) { return (float)(h.all - h.below[l] + h.count[l]) < cut ? 1 : 0; });
    low = left == 256 ? 0 : min_(left + 1, 255);
    high = right == 256 ? 255 : 255 - right;
  }
  if (h.all == 0 || high <= low || channel == ignore) return identity(table);
  const int from = of(h.below, low), to = of(h.below, high);
  const double scale = 255.0 / (double)(high - low);
  // nothing but the lowest byte is left: the distribution is 0 / 0, which as a byte is 0; not even that: nothing is changed
  const bool flat = from == to, none = flat && of(h.count, low) == 0;
  const float range = flat ? 1.0f : (float)(to - from);
  write_table(table, [&](Lane l) {
    const float linear = (float)round_((double)(l.id - low) * scale);
    const float v = p.pil ? linear : none ? (float)l.id : (float)(h.below[l] - from) * 255.0f / range;
    const u8 stretched = !p.pil && none ? (u8)l.id : l.id < low ? (u8)0 : l.id > high ? (u8)255 : to_u8(v);
    return l.id == ignore ? (u8)l.id : stretched;
  });
}

// the number-th table of a row
AUG void lookup(const LookupRow& s, int number, float* found, int* shared) {
  switch (s.lookup) {
#define AUG_CASE(CODE, FUNCTION, PARAMS) \
  case CODE: FUNCTION(*(const PARAMS*)s.p, found + s.from, s.words, found + s.at, (float*)shared); return;
    AUG_OTHER_LOOKUPS(AUG_CASE)
#undef AUG_CASE
    default: break;
  }
  const u32* counts = (const u32*)found + s.from + (i64)number * s.words;
  u8* table = (u8*)(found + s.at + (i64)number * TABLE_WORDS);
  Histogram h;
  Bytes().each([&](Lane l) { h.count[l] = (int)counts[l.id]; });
  switch (s.lookup) {
#define AUG_CASE(CODE, FUNCTION, PARAMS) \
  case CODE: FUNCTION(*(const PARAMS*)s.p, h, number, table); break;
    AUG_TABLE_LOOKUPS(AUG_CASE)
#undef AUG_CASE
    default: break;
  }
}

}  // namespace aug

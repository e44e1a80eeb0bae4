// cpu.cpp: the kernels for the CPU, for gpuaug/backends/cpu.py. host.cpp holds the rest of the library.
#include <atomic>
#include <cstring>
#include <exception>
#include <new>
#include <thread>
#include <vector>
#include "fused.cuh"
#include "stats.cuh"
#include "filter_cpu.cuh"
#include "track.hpp"
using namespace aug;

typedef Group<1, 64> G;  // 64 lanes: four vectors of AVX-512, and the lanes' variables stay in the first-level cache

namespace {

struct Launch {
  explicit Launch(const Record& r, int samples)
      : rows((const void*)r.rows), ops((const Op*)r.ops), blob((const float*)r.blob), row_of(samples, -1), kind((int)r.kind),
        n((int)r.n), channels((int)r.channels), source((int)r.source), target((int)r.target) {
    for (int i = 0; i < n; ++i) row_of[((const int*)r.sample)[i]] = i;
  }
  const void* rows;
  const Op* ops;
  const float* blob;
  std::vector<int> row_of;  // [samples]: the sample's row in this launch, or -1
  int kind, n, channels, source, target;
};

// Runs job(worker, i) for i = 0 .. count - 1 on up to `threads` threads made for this call: nothing lives on
// after it, so that a fork (a DataLoader worker) finds no broken pool. 18 us for two threads, 52 for four.
// Returns whether there was memory for all of it.
template <class F> bool parallel(int count, int threads, F job) {
  std::atomic<int> next{0};
  std::atomic<bool> enough{true};
  auto work = [&] {
    try {
      for (int i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) job(i);
    } catch (const std::bad_alloc&) { enough = false; }
  };
  if (threads > count) threads = count;
  std::vector<std::thread> extra;
  try {
    for (int t = 1; t < threads; ++t) extra.emplace_back(work);
  } catch (const std::exception&) {  // no more threads to be had: those that there are do it all
  }
  work();
  for (auto& t : extra) t.join();
  return enough;
}

// scratch of one worker: two images that a sample's stages write in turn, and room for a filter's lines
struct Scratch {
  std::vector<u8> image[2];
  std::vector<float> lines;
  int turn = 0;
  i64 next(i64 bytes) {
    turn ^= 1;
    if ((i64)image[turn].size() < bytes) image[turn].resize(bytes);
    return (i64)image[turn].data();
  }
  i64 last() const { return (i64)image[turn].data(); }
};

template <int C> using LoadFn = void (*)(G, const Row&, const float*, int, int, Pixels<G, C>&);
template <int C> using StoreFn = void (*)(G, const Row&, int, int, Pixels<G, C>&);

template <class T, int C> AUG_FN void load_(G g, const Row& s, const float* blob, int c0, int first, Pixels<G, C>& px) {
  load<G, T, C>(g, s, blob, c0, first, px);
}
template <int C> LoadFn<C> load_of(int dtype) {
  switch (dtype) {
    case DT_U8: return load_<u8, C>;
    case DT_F16: return load_<f16, C>;
    case DT_BF16: return load_<bf16, C>;
    case DT_F32: return load_<float, C>;
    default: return load_<i32, C>;
  }
}
template <int C> StoreFn<C> store_of(int dtype) {
  switch (dtype) {
    case DT_U8: return store<G, u8, C>;
    case DT_F16: return store<G, f16, C>;
    case DT_BF16: return store<G, bf16, C>;
    case DT_F32: return store<G, float, C>;
    default: return store<G, i32, C>;
  }
}

// channels c0 .. c1 - 1 in chunks of C
template <int C> void fused_chunks(const Fused& f, const Row& s, int source, int target, int c0, int c1) {
  const LoadFn<C> load = load_of<C>(source);
  const StoreFn<C> store = store_of<C>(target);
  const int pixels = s.dh * s.dw;
  Pixels<G, C> px;
  for (int c = c0; c < c1; c += C)
    for (int p = 0; p < pixels; p += G::lanes) {
      load(G(), s, f.blob, c, p, px);
      if (s.n_ops) program<G, C>(G(), f, s, c, px);
      store(G(), s, c, p, px);
    }
}

// ---- copies with rectangles of constant colour: no arithmetic, so lines are copied and filled as they lie ----------

bool only_rects(const Launch& l, const Row& s) {
  const int item = bytes_of(l.source);
  const bool pixels = s.sx == l.channels && s.sc == 1 && s.dx == s.sx && s.dc == 1;
  const bool planes = s.sx == 1 && s.dx == 1;
  static const int straight[6] = {1, 0, 0, 0, 1, 0};
  if (s.map != MAP_VIEW || l.source != l.target || item > 4 || !(pixels || planes)) return false;
  if (std::memcmp(s.frame, straight, sizeof straight)) return false;
  for (int k = s.ops; k < s.ops + s.n_ops; ++k)
    if (l.ops[k].code != OP_RECTS || l.ops[k].flag > FILL_PER_RECT) return false;
  return true;
}

template <class T> void copy_rects(const Launch& l, const Row& s) {
  const bool planes = s.sx == 1 && l.channels != 1;
  const int inner = planes ? 1 : l.channels, outer = planes ? l.channels : 1;
  const T* src = (const T*)s.src;
  T* dst = (T*)s.dst;
  const u64 line = (u64)s.dw * inner;
  for (int c = 0; c < outer; ++c) {
    const T* from = src + (i64)c * s.sc;
    T* to = dst + (i64)c * s.dc;
    if ((u64)s.sy == line && (u64)s.dy == line) std::memcpy(to, from, line * s.dh * sizeof(T));
    else
      for (int y = 0; y < s.dh; ++y) std::memcpy(to + (i64)y * s.dy, from + (i64)y * s.sy, line * sizeof(T));
  }
  std::vector<T> colours(line);
  for (int k = s.ops; k < s.ops + s.n_ops; ++k) {
    const Op& op = l.ops[k];
    const u32* rects = (const u32*)l.blob + op.arg;
    for (int r = 0; r < op.n; ++r) {
      const int x0 = max_((int)rects[4 * r], 0), y0 = max_((int)rects[4 * r + 1], 0);
      const int x1 = min_((int)rects[4 * r + 2], s.dw), y1 = min_((int)rects[4 * r + 3], s.dh);
      if (x0 >= x1 || y0 >= y1) continue;
      const float* fill = l.blob + (int)bits(op.p[5]) + (op.flag == FILL_PER_RECT ? r * l.channels : 0);
      const u64 count = (u64)(x1 - x0) * inner;
      for (int c = 0; c < outer; ++c) {
        for (u64 i = 0; i < count; ++i) put(&colours[i], fill[planes ? c : (int)(i % inner)]);
        for (int y = y0; y < y1; ++y)
          std::memcpy(dst + (i64)c * s.dc + (i64)y * s.dy + (i64)x0 * inner, colours.data(), count * sizeof(T));
      }
    }
  }
}

void fused_sample(const Launch& l, const Row& s, const float* stats) {
  if (only_rects(l, s)) {
    switch (l.source) {
      case DT_U8: return copy_rects<u8>(l, s);
      case DT_F16: return copy_rects<f16>(l, s);
      case DT_BF16: return copy_rects<bf16>(l, s);
      case DT_F32: return copy_rects<float>(l, s);
      default: return copy_rects<i32>(l, s);
    }
  }
  // a rotated line visits cache lines in an order that no hardware prefetcher follows
  const i64 bytes = (i64)bytes_of(l.source) * s.sh * s.sw * l.channels;
  if (s.map != MAP_VIEW && s.sx > 0 && s.sy > 0 && s.sy >= s.sx && bytes <= 512 * 1024)
    for (i64 k = 0; k < bytes; k += 64) __builtin_prefetch((const u8*)s.src + k, 0, 2);
  const Fused f = {(const Row*)l.rows, l.ops, l.blob, stats, l.n, l.channels, {0, 0}};
  if (l.channels == 3) return fused_chunks<3>(f, s, l.source, l.target, 0, 3);
  const int whole = l.channels & ~3;
  if (whole) fused_chunks<4>(f, s, l.source, l.target, 0, whole);
  if (whole < l.channels) fused_chunks<1>(f, s, l.source, l.target, whole, l.channels);
}

void filter_one(const Launch& l, const FilterRow& s, Scratch& scratch) {
  scratch.lines.resize(filter_scratch_floats(s, l.channels));
  switch (l.source) {
    case DT_U8: return filter_sample<u8>(s, l.blob, l.channels, scratch.lines.data());
    case DT_F16: return filter_sample<f16>(s, l.blob, l.channels, scratch.lines.data());
    case DT_BF16: return filter_sample<bf16>(s, l.blob, l.channels, scratch.lines.data());
    default: return filter_sample<float>(s, l.blob, l.channels, scratch.lines.data());
  }
}

void statistics_sample(const Launch& l, const Row& s, float* stats) {
  for (int c = 0; c < l.channels; ++c) switch (l.source) {
      case DT_U8: statistics<u8>(s, c, stats); break;
      case DT_F16: statistics<f16>(s, c, stats); break;
      case DT_BF16: statistics<bf16>(s, c, stats); break;
      default: statistics<float>(s, c, stats); break;
    }
}

// gives a row its addresses in the worker's scratch
template <class R> R placed(const R& row, i64 bytes, Scratch& scratch) {
  R r = row;
  if (!r.src) r.src = scratch.last();
  if (!r.dst) r.dst = scratch.next(bytes);
  return r;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

// Sample after sample through all its launches, so that a sample stays in the cache.
// Returns 0, or 1 where memory ran out.
EXPORT int gpuaug_run(const Record* records, int count, int samples, float* stats, int threads) try {
  std::vector<Launch> launches;
  for (int k = 0; k < count; ++k) launches.emplace_back(records[k], samples);
  const bool enough = parallel(samples, threads, [&](int i) {
    static thread_local Scratch scratch;
    for (int k = 0; k < count; ++k) {
      const Launch& l = launches[k];
      const int r = l.row_of[i];
      if (r < 0) continue;
      if (l.kind == KIND_FUSED) {
        const Row& row = ((const Row*)l.rows)[r];
        fused_sample(l, placed(row, (i64)bytes_of(l.target) * row.dh * row.dw * l.channels + SCRATCH_PAST, scratch), stats);
      }
      if (l.kind == KIND_STATISTICS) {
        Row row = ((const Row*)l.rows)[r];
        if (!row.src) row.src = scratch.last();
        statistics_sample(l, row, stats);
      }
      if (l.kind == KIND_FILTER) {
        const FilterRow& row = ((const FilterRow*)l.rows)[r];
        filter_one(l, placed(row, (i64)bytes_of(l.target) * row.h * row.w * l.channels + SCRATCH_PAST, scratch), scratch);
      }
    }
  });
  return enough ? 0 : 1;
} catch (const std::bad_alloc&) { return 1; }

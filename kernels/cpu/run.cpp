// run.cpp: the launches of a plan on this machine's processor, for gpuaug/backends/cpu.py.
//
// Called through ctypes.CDLL, without the interpreter's lock: it takes milliseconds.
#include <atomic>
#include <cstring>
#include <exception>
#include <new>
#include <thread>
#include <type_traits>
#include "bytes.hpp"
#include "export.hpp"
#include "parts.hpp"
using namespace aug;

namespace {

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

// by kind: a row of it, whose ends have addresses
using RunRow = void (*)(const Launch&, const Ends&, Scratch&, float* found);
constexpr RunRow RUN[] = {
    [](const Launch& l, const Ends& e, Scratch&, float* found) { fused_sample(l, (const Row&)e, found); },
    [](const Launch& l, const Ends& e, Scratch& scratch, float*) {
      by_number(l.source, [&](auto* t) { filter_sample<std::remove_pointer_t<decltype(t)>>(l, (const FilterRow&)e, scratch); });
    },
    [](const Launch& l, const Ends& e, Scratch&, float* found) {
      by_number(l.source, [&](auto* t) { reduce_sample<std::remove_pointer_t<decltype(t)>>((const ReduceRow&)e, found); });
    },
    [](const Launch&, const Ends& e, Scratch&, float* found) { lookup_sample((const LookupRow&)e, found); },
    [](const Launch& l, const Ends& e, Scratch& scratch, float*) {
      by_type(l.source, [&](auto* t) { rank_sample<std::remove_pointer_t<decltype(t)>>(l, (const RankRow&)e, scratch); });
    },
    [](const Launch& l, const Ends& e, Scratch& scratch, float*) {
      by_number(l.source,
                [&](auto* t) { resample_sample<std::remove_pointer_t<decltype(t)>>(l, (const ResampleRow&)e, scratch); });
    },
};
static_assert(sizeof RUN / sizeof *RUN == sizeof KINDS / sizeof *KINDS, "a line for each kind, in their order");

// What is written that is no scratch is the results. Where they are larger than this, with the sources that they are made of they
// push each other out of a last cache of 32 MiB before anybody reads them. (What the system says of the cache's size is no use: here
// it was ten times of what there is.)
constexpr i64 PAST = 16 << 20;
bool goes_past(const Record* records, int count) {
  i64 bytes = 0;
  for (int k = 0; k < count; ++k) {
    const Record& r = records[k];
    for (int i = 0; KINDS[r.kind].writes && i < r.n; ++i) {
      const Ends& e = *(const Ends*)(r.rows + (i64)i * KINDS[r.kind].row);
      if (e.dst) bytes += (i64)bytes_of((int)r.target) * e.dh * e.dw * r.channels;
    }
  }
  return bytes > PAST;
}

}  // namespace

// Sample after sample through all its launches, so that a sample stays in the cache.
// Returns 0, or 1 where memory ran out.
EXPORT int gpuaug_run(const Record* records, int count, int samples, float* found, int threads) try {
  std::vector<Launch> launches;
  for (int k = 0; k < count; ++k) launches.emplace_back(records[k], samples);
  const bool past = goes_past(records, count);
  std::vector<std::vector<int>> keep(count);  // [launch][row]: the last launch that reads what it writes as a layer
  for (int k = 0; k < count; ++k)
    for (int i = 0; KINDS[records[k].kind].ops && i < records[k].n; ++i)
      each_layer(records[k], ((const Row*)records[k].rows)[i], [&](i64& address, int launch, int row) {
        address = 0;
        keep[launch].resize(records[launch].n, -1);
        keep[launch][row] = k;
      });
  const bool enough = parallel(samples, threads, [&](int i) {
    static thread_local Scratch scratch;
    static thread_local std::vector<i64> wrote;  // by launch: where
    wrote.resize(count);
    scratch.until.assign(scratch.until.size(), -1);
    for (int k = 0; k < count; ++k) {
      const Launch& l = launches[k];
      const KindOf& kind = KINDS[l.kind];
      if (l.row_of[i] < 0) continue;
      alignas(8) char row[ROW_MOST];  // a copy, that gets its addresses in the worker's scratch
      std::memcpy(row, l.rows + (i64)l.row_of[i] * kind.row, kind.row);
      Ends& e = (Ends&)row;
      if (!e.src) e.src = scratch.last();
      const bool final = past && e.dst;
      if (kind.ops) ((Row&)e).past = final;
      if (l.kind == KIND_RESAMPLE) ((ResampleRow&)e).past = final;
      if (kind.ops) each_layer(records[k], (const Row&)e, [&](i64& address, int launch, int) { address = wrote[launch]; });
      if (kind.writes && !e.dst) {
        const i64 bytes = (i64)bytes_of(l.target) * e.dh * e.dw * l.channels + SCRATCH_PAST;
        e.dst = scratch.next(bytes, k, keep[k].empty() ? -1 : keep[k][l.row_of[i]]);
      }
      wrote[k] = e.dst;
      RUN[l.kind](l, e, scratch, found);
      if (final) fence_past();
    }
  });
  return enough ? 0 : 1;
} catch (const std::bad_alloc&) { return 1; }

// launch.hpp: what a launch looks like to Python and to the backends.
#pragma once
#include <cstring>
#include <vector>
#include "rows.cuh"
namespace aug {

// The kinds of launches. A new one is a line here, one in gpuaug/plan.py, its row, its kernel, and its line in the tables of
// cpu/run.cpp and gpuaug/backends/shapes.py.
enum Kind { KIND_FUSED = 0, KIND_FILTER = 1, KIND_REDUCE = 2, KIND_LOOKUP = 3, KIND_RANK = 4, KIND_RESAMPLE = 5 };
struct KindOf {
  const char* name;
  int row;      // bytes
  bool writes;  // an image at dst?
  bool ops;     // are its rows of type Row, with a slice of the table of operations?
};
constexpr KindOf KINDS[] = {
    {"fused", sizeof(Row), true, true},          {"filter", sizeof(FilterRow), true, false},
    {"reduce", sizeof(ReduceRow), false, false}, {"lookup", sizeof(LookupRow), false, false},
    {"rank", sizeof(RankRow), true, false},      {"resample", sizeof(ResampleRow), true, false},
};
enum { ROW_MOST = 256 };  // bytes that no row exceeds

enum { SCRATCH_PAST = 64 };  // bytes behind an image that a word-wise load may look at

inline int bytes_of(int dtype) { return dtype == DT_U8 ? 1 : dtype == DT_F16 || dtype == DT_BF16 ? 2 : 4; }

struct Record {                 // gpuaug/plan.py names its words
  i64 rows, sample, ops, blob;  // addresses
  i64 kind, n, channels, source, target, n_ops;
};

// f(address, launch, its row) for the layers of a row that an earlier launch wrote
template <class F> void each_layer(const Record& l, const Row& r, F f) {
  for (int k = 0; k < r.n_layers; ++k) {
    int* words = (int*)l.blob + r.layers + LAYER_WORDS * k;
    if (words[LAYER_LAUNCH] < 0) continue;
    i64 address;
    f(address, words[LAYER_LAUNCH], words[LAYER_ROW]);
    std::memcpy(words, &address, sizeof address);
  }
}

// Gives every intermediate image (source or destination 0) an address in scratch memory at `base`; base 0 gives none.
// Returns the bytes that it takes: 256-byte aligned, with SCRATCH_PAST behind each.
inline i64 place(const Record* launches, int count, int samples, i64 base) {
  std::vector<i64> last(samples, 0);
  i64 at = 0;
  for (int k = 0; k < count; ++k) {
    const Record& l = launches[k];
    const KindOf& kind = KINDS[l.kind];
    const int* sample = (const int*)l.sample;
    for (int i = 0; i < l.n; ++i) {
      Ends& r = *(Ends*)(l.rows + (i64)i * kind.row);
      if (base && kind.ops)
        each_layer(l, (const Row&)r, [&](i64& address, int launch, int row) {
          const Record& from = launches[launch];
          address = ((const Ends*)(from.rows + (i64)row * KINDS[from.kind].row))->dst;
        });
      if (base && r.src == 0) r.src = last[sample[i]];
      if (!kind.writes || r.dst) continue;
      if (base) r.dst = last[sample[i]] = base + at;
      at += ((i64)bytes_of((int)l.target) * l.channels * r.dh * r.dw + SCRATCH_PAST + 255) & ~(i64)255;
    }
  }
  return at;
}

}  // namespace aug

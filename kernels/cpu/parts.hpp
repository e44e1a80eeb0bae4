// parts.hpp: what the files of the CPU build give each other. Each file is compiled by itself, some once for each element type
// (GPUAUG_IN): setup.py's PARTS says which. What needs none is in none of those, so that it is compiled once.
#pragma once
#include <vector>
#include "launch.hpp"
#include "pixels.cuh"
namespace aug {

typedef Group<1, 64> G;  // 64 lanes: four vectors of AVX-512, and the lanes' variables stay in the first-level cache

struct Launch {
  explicit Launch(const Record& r, int samples)
      : rows((const char*)r.rows), ops((const Op*)r.ops), blob((const float*)r.blob), row_of(samples, -1), kind((int)r.kind),
        channels((int)r.channels), source((int)r.source), target((int)r.target) {
    for (int i = 0; i < r.n; ++i) row_of[((const int*)r.sample)[i]] = i;
  }
  Launch(const Launch& l, int target) : Launch(l) { this->target = target; }
  const char* rows;
  const Op* ops;
  const float* blob;
  std::vector<int> row_of;  // [samples]: the sample's row in this launch, or -1
  int kind, channels, source, target;
};

// scratch of one worker: images that a sample's stages write in turn, one more for each that is kept as a layer, and room for a
// filter's lines
struct Scratch {
  std::vector<std::vector<u8>> image = std::vector<std::vector<u8>>(2);
  std::vector<int> until = std::vector<int>(2, -1);  // the last launch that reads it as a layer
  std::vector<float> lines;
  int turn = 0;
  // Room that the launch numbered `now` may write, to be kept up to the launch `keep`, or -1.
  i64 next(i64 bytes, int now, int keep) {
    int free = 0;
    while (free < (int)image.size() && (free == turn || until[free] >= now)) ++free;
    if (free == (int)image.size()) {
      image.emplace_back();
      until.push_back(-1);
    }
    turn = free;
    until[turn] = keep;
    if ((i64)image[turn].size() < bytes) image[turn].resize(bytes);
    return (i64)image[turn].data();
  }
  i64 last() const { return (i64)image[turn].data(); }
};

// f((T*)0) for the element type of that number; by_number: of one that is no label
template <class F> auto by_number(int dtype, F f) {
  switch (dtype) {
    case DT_U8: return f((u8*)0);
    case DT_F16: return f((f16*)0);
    case DT_BF16: return f((bf16*)0);
    default: return f((float*)0);
  }
}
template <class F> auto by_type(int dtype, F f) { return dtype == DT_I32 ? f((i32*)0) : by_number(dtype, f); }

// load.cpp, program.cpp, store.cpp: the three steps of a group of lanes
template <class T, int C> void load_lanes(const Row&, const float* blob, int c0, int first, Pixels<G, C>&);
template <int C> void program_lanes(const Fused&, const Row&, int c0, Pixels<G, C>&);
template <class T, int C> void store_lanes(const Row&, int c0, int first, Pixels<G, C>&);

// A sample of a launch. fused.cpp, and what takes some of it over: bytes.cpp, colours.cpp, gray.cpp, over.cpp, tiles.cpp, values.cpp,
// zoom.cpp, resize.cpp; then filter.cpp, rank.cpp, resample.cpp, reduce.cpp, lookup.cpp
void fused_sample(const Launch&, const Row&, const float* found);
bool bytes_sample(const Launch&, const Row&, const float* found);  // false: it computes more than bytes.cpp does
bool table_sample(const Launch&, const Row&, const float* found);  // false: it does not begin with a table
bool colours_sample(const Launch&, const Row&);                    // false: it is no matrix or order of bytes
bool zoom_sample(const Launch&, const Row&);                       // false: it does more than zoom
bool gray_sample(const Launch&, const Row&);                       // false: it does more than gray.cpp does
bool lines_sample(const Launch&, const Row&);                      // false: it does more than draw lines on black
bool added_sample(const Launch&, const Row&);                      // false: it does more than add an image
bool tiles_sample(const Launch&, const Row&);                      // false: it does more than change the places of tiles
bool resize_sample(const Launch&, const Row&);                     // false: it does more than resize bytes
bool values_sample(const Launch&, const Row&);                     // false: it is more than formulas of a view's values
template <class T> void filter_sample(const Launch&, const FilterRow&, Scratch&);
template <class T> void rank_sample(const Launch&, const RankRow&, Scratch&);
template <class T> void resample_sample(const Launch&, const ResampleRow&, Scratch&);
template <class T> void reduce_sample(const ReduceRow&, float* found);
void lookup_sample(const LookupRow&, float* found);

}  // namespace aug

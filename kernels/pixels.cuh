// pixels.cuh: the pixels of a group of lanes, and what is known of their sample.
#pragma once
#include "math.cuh"
#include "rows.cuh"
namespace aug {

template <class G, int C> struct Pixels {  // a group's pixels: colour and position
  typename G::template Var<float> v[C];
  typename G::template Var<int> x, y;
};
struct Sample {  // what an operation may ask about its sample
  const float* blob;
  const float* found;  // what reductions and lookups wrote; operations have offsets into it
  int channels, c0;    // of the image; first channel of this chunk
  int layers;          // where in the blob its layers are
};

// The mean over all channels, as NumPy's img.mean()
AUG float sample_mean(const Sample& s, int moments) {
  float sum = 0.0f, count = 0.0f;
  for (int c = 0; c < s.channels; ++c) {
    sum += ld(s.found + moments + STATS * c + STAT_SUM);
    count += ld(s.found + moments + STATS * c + STAT_COUNT);
  }
  return sum / max_(count, 1.0f);
}

struct Fused {  // what the samples of a launch share
  const Op* ops;
  const float* blob;
  const float* found;
  int channels;
};

}  // namespace aug

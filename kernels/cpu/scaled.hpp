// scaled.hpp: a linear gather whose columns do not depend on the line, nor its lines on the column: a resize.
//
// The bits are those of sample_linear, which interpolates along x and then along y: here each source line is interpolated along x
// once, and kept while output lines need it. Output pixels are served in groups that run on from line to line.
#pragma once
#include <vector>
#include "parts.hpp"
namespace aug {

struct Scaled {
  std::vector<float> memory;
  int pitch;           // floats of a line's plane
  float* along;        // [dw] fraction between left and right
  int *left, *right;   // [dw] elements from a line's first
  float* line[2];      // [C][pitch]: source lines, interpolated along x
  int held[2];         // which
  float* ready;        // [C][2 pitch]: output pixels, from number `first` on
  int first, have, y;  // y: the output line that comes next
};

// does it fit? a map of scale and offset alone, borders that repeat
AUG bool is_scaled(const Row& s) {
  const int* f = s.frame;
  return s.map == MAP_AFFINE && s.sample == SAMPLE_LINEAR && s.border == BORDER_REPLICATE && s.m[1] == 0.0f && s.m[3] == 0.0f &&
         f[0] == 1 && f[1] == 0 && f[2] == 0 && f[3] == 0 && f[4] == 1 && f[5] == 0;
}

void start_scaled(const Row&, int C, Scaled&);  // before the first group of each chunk
template <class T, int C> void load_scaled(const Row&, int c0, int first, Pixels<G, C>&, Scaled&);

}  // namespace aug

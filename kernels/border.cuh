// border.cuh: which pixel stands for one beyond the border.
#pragma once
#include "math.cuh"
namespace aug {

// OpenCV's numbers
enum Border { BORDER_CONSTANT = 0, BORDER_REPLICATE = 1, BORDER_REFLECT = 2, BORDER_WRAP = 3, BORDER_REFLECT_101 = 4 };

// a mod n for n > 0 by a reciprocal: exact after one correction while |a| < 2^23
AUG int mod_(int a, int n) {
  int r = a - n * (int)floor_((float)a * reciprocal((float)n));
  r = r < 0 ? r + n : r;
  return r >= n ? r - n : r;
}
// the index that stands for i in a line of n pixels; CONSTANT: any index in range
AUG int border_index(int i, int n, int border) {
#if AUG_GPU
  // Lines repeat after so many pixels, and run backwards from the n-th on: one remainder for all modes, since it is in the code for
  // every tap of every pixel of a thread. (On the CPU loops are taken apart by mode; this one would be a third slower.)
  if (border <= BORDER_REPLICATE) return clamp_(i, 0, n - 1);
  const int period = border == BORDER_WRAP ? n : border == BORDER_REFLECT ? 2 * n : max_(2 * n - 2, 1);
  const int r = mod_(i, period), back = border == BORDER_REFLECT ? period - 1 : period;
  return r < n ? r : back - r;
#else
  if (border == BORDER_REFLECT_101) {
    const int period = max_(2 * n - 2, 1), r = mod_(i, period);
    return r < n ? r : period - r;
  }
  if (border == BORDER_REFLECT) {
    const int r = mod_(i, 2 * n);
    return r < n ? r : 2 * n - 1 - r;
  }
  if (border == BORDER_WRAP) return mod_(i, n);
  return clamp_(i, 0, n - 1);
#endif
}

}  // namespace aug

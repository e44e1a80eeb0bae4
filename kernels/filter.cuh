// filter.cuh: separable filters (gaussian, box, any row and column weights) and sparse 2D ones
// (motion blur, small dense kernels as a list of points), source and destination of one type.
//
// Order of summation, the same for every pixel, tile and build, all in float32:
//   separable   t(y, x) = kx[0] p(y, x - kw/2), then t = fma(kx[j], p(y, x - kw/2 + j), t), j = 1 .. kw-1
//               v(y, x) = ky[0] t(y - kh/2, x), then v = fma(ky[j], t(y - kh/2 + j, x), v), j = 1 .. kh-1
//   points      v(y, x) = w[0] p(y + dy[0], x + dx[0]), then fma in the order of the list
//   result      put(scale * v)
// Symmetric weights are not folded: with a fused multiply-add that saves no operation, and one
// order serves symmetric, asymmetric and sparse kernels. gpu/filter.cuh, gpu/march.cuh and cpu/filter.hpp do it.
#pragma once
#include "rows.cuh"
namespace aug {

// are the channels of a pixel farther apart than its neighbours, in the source and the destination?
AUG bool filter_planar(const Ends& r) {
  const int sx = r.sx < 0 ? -r.sx : r.sx, sc = r.sc < 0 ? -r.sc : r.sc;
  const int dx = r.dx < 0 ? -r.dx : r.dx, dc = r.dc < 0 ? -r.dc : r.dc;
  return (sc > sx) & (dc > dx);
}

}  // namespace aug

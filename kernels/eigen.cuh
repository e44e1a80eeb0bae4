// eigen.cuh: the lookup that makes mean, variances and directions of a sample's covariances.
//
// Cyclic Jacobi rotations in doubles: rows and columns of a rotation are shared out to the threads, so that one order of arithmetic
// serves both builds. 3 channels take 4 to 6 sweeps.
#pragma once
#include "reductions.gen.cuh"
#include "covariance.cuh"
namespace aug {

enum { EIGEN_IN_SHARED = 8, EIGEN_SWEEPS = 40 };  // channels whose matrices fit LOOKUP_SHARED: two of 8 x 8 doubles
constexpr double EIGEN_SMALL = 1e-30;             // of the squares on the diagonal, what the others may have left

// f(i) for i below n, shared out to the threads, then a barrier
template <class F> AUG void each_index(int n, F f) {
#if AUG_GPU
  for (int i = threadIdx.x; i < n; i += 32) f(i);
  __syncthreads();
#else
  for (int i = 0; i < n; ++i) f(i);
#endif
}
AUG void eigen_barrier() {
#if AUG_GPU
  __syncthreads();
#endif
}

// from: of each channel n, sum, products (covariance.cuh). to: the number of pixels; means; variances along the directions, the largest
// first; of each channel its part in each direction. A direction's largest part is positive.
AUG void lookup_eigen(const EigenLookup& p, const float* from, int each, float* to, float* shared) {
  const int n = p.channels;
  float* a = n <= EIGEN_IN_SHARED ? shared : to + (1 + 2 * n + n * n);
  float* v = a + 2 * n * n;
  const double pixels = get_double(from, 0);
  each_index(n * n, [&](int i) {
    const int r = i / n, c = i - r * n, low = min_(r, c), high = max_(r, c);
    const float *x = from + (i64)each * low, *y = from + (i64)each * high;
    const double around = get_double(x, COVARIANCE_HEAD + high) - get_double(x, 1) * get_double(y, 1) / pixels;
    put_double(a, i, pixels > 1.0 ? around / (pixels - 1.0) : 0.0);
    put_double(v, i, r == c ? 1.0 : 0.0);
  });
  for (int sweep = 0; sweep < EIGEN_SWEEPS; ++sweep) {
    double off = 0.0, diagonal = 0.0;
    for (int r = 0; r < n; ++r) {
      const double d = get_double(a, r * n + r);
      diagonal += d * d;
      for (int c = r + 1; c < n; ++c) {
        const double e = get_double(a, r * n + c);
        off += e * e;
      }
    }
    eigen_barrier();
    if (!(off > EIGEN_SMALL * diagonal)) break;
    for (int i = 0; i < n; ++i)
      for (int j = i + 1; j < n; ++j) {
        const double e = get_double(a, i * n + j), theta = (get_double(a, j * n + j) - get_double(a, i * n + i)) / (2.0 * e);
        const double size = theta < 0.0 ? -theta : theta, t = (theta < 0.0 ? -1.0 : 1.0) / (size + sqrt_(theta * theta + 1.0));
        const double cos = 1.0 / sqrt_(t * t + 1.0), sin = t * cos;
        eigen_barrier();
        if (e == 0.0) continue;
        each_index(n, [&](int k) {
          const double x = get_double(a, k * n + i), y = get_double(a, k * n + j);
          put_double(a, k * n + i, cos * x - sin * y);
          put_double(a, k * n + j, sin * x + cos * y);
          const double g = get_double(v, k * n + i), h = get_double(v, k * n + j);
          put_double(v, k * n + i, cos * g - sin * h);
          put_double(v, k * n + j, sin * g + cos * h);
        });
        each_index(n, [&](int k) {
          const double x = get_double(a, i * n + k), y = get_double(a, j * n + k);
          put_double(a, i * n + k, cos * x - sin * y);
          put_double(a, j * n + k, sin * x + cos * y);
        });
      }
  }
  each_index(n, [&](int j) {
    const double own = get_double(a, j * n + j);
    int rank = 0, most = 0;
    for (int i = 0; i < n; ++i) {
      const double other = get_double(a, i * n + i);
      rank += other > own || (other == own && i < j) ? 1 : 0;
      const double now = get_double(v, i * n + j), best = get_double(v, most * n + j);
      most = now * now > best * best ? i : most;
    }
    const double sign = get_double(v, most * n + j) < 0.0 ? -1.0 : 1.0;
    if (j == 0) to[0] = (float)pixels;
    to[1 + j] = (float)(get_double(from + (i64)each * j, 1) / pixels);
    to[1 + n + rank] = (float)(own > 0.0 ? own : 0.0);
    for (int i = 0; i < n; ++i) to[1 + 2 * n + i * n + rank] = (float)(sign * get_double(v, i * n + j));
  });
}

}  // namespace aug

// taps.hpp: the weights of a resampling from one length to another.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>
#include "rows.cuh"
namespace aug {

// AREA, LANCZOS, KEYS: of cv2.resize's INTER_AREA, INTER_LANCZOS4 and INTER_CUBIC. LINEAR, CUBIC: torchvision's with antialias=True:
// the kernel is as wide as the source's pixels are many.
// EXACT: its INTER_LINEAR_EXACT of bytes.
enum ResampleKind {
  RESAMPLE_AREA = 0,
  RESAMPLE_LANCZOS = 1,
  RESAMPLE_LINEAR = 2,
  RESAMPLE_CUBIC = 3,
  RESAMPLE_KEYS = 4,
  RESAMPLE_EXACT = 5,
};

// The weights of eight pixels for a place so far right of the fourth, as OpenCV's INTER_LANCZOS4 makes them.
inline void lanczos_weights(float f, float* k) {
  static const double s45 = 0.70710678118654752440084436210485;
  static const double turn[8][2] = {{1, 0}, {-s45, -s45}, {0, 1}, {s45, -s45}, {-1, 0}, {s45, s45}, {0, -1}, {-s45, s45}};
  const double quarter = 3.1415926535897932384626433832795 * 0.25;
  const double y0 = -(f + 3) * quarter, sine = std::sin(y0), cosine = std::cos(y0);
  float sum = 0;
  for (int j = 0; j < 8; ++j) {
    const float d = f + 3 - j;
    const double y = -d * quarter;
    k[j] = std::fabs(d) >= 1e-6f ? (float)((turn[j][0] * sine + turn[j][1] * cosine) / (y * y)) : 1e30f;
    sum += k[j];
  }
  for (int j = 0; j < 8; ++j) k[j] *= 1 / sum;
}

// The same for all fractions that a warp tells apart, one after the other; on a pixel it alone counts.
inline void append_lanczos(std::vector<float>& blob) {
  for (int step = 0; step < LANCZOS_STEPS; ++step) {
    float k[LANCZOS_TAPS] = {0, 0, 0, 1};
    if (step) lanczos_weights(step / (float)LANCZOS_STEPS, k);
    blob.insert(blob.end(), k, k + LANCZOS_TAPS);
  }
}

class Taps {
 public:
  // factor: of the length, as cv2.resize takes it. smaller: does neither axis grow? INTER_AREA is a mean over areas only then
  Taps(int kind, int from, int to, double factor, bool smaller) : from_(from), start_(to), weights_(to) {
    for (int i = 0; i < to; ++i) {
      if (kind == RESAMPLE_LANCZOS) lanczos(i, 1 / factor);
      else if (kind == RESAMPLE_KEYS) keys(i, 1 / factor);
      else if (kind == RESAMPLE_EXACT) exact(i, 1 / factor);
      else if (kind != RESAMPLE_AREA) antialiased(i, from / (double)to, kind == RESAMPLE_CUBIC);
      else if (smaller) area(i, 1 / factor);
      else stretched(i, 1 / factor, factor);
      most_ = std::max(most_, (int)weights_[i].size());
    }
  }
  int most() const { return most_; }
  void append(std::vector<float>& blob) const {  // as a TapTable reads them
    const size_t n = start_.size(), at = blob.size();
    blob.resize(at + n * (2 + most_), 0.0f);
    for (size_t i = 0; i < n; ++i) {
      const int count = (int)weights_[i].size();
      std::memcpy(&blob[at + i], &start_[i], sizeof(int));
      std::memcpy(&blob[at + n + i], &count, sizeof(int));
      std::copy(weights_[i].begin(), weights_[i].end(), &blob[at + 2 * n + i * most_]);
    }
  }

 private:
  // weight for a source pixel that may lie beyond the ends, which repeat; pixels come in order
  void add(int i, int at, float weight) {
    at = std::min(std::max(at, 0), from_ - 1);
    std::vector<float>& w = weights_[i];
    if (w.empty()) start_[i] = at;
    if (at - start_[i] < (int)w.size()) w.back() += weight;
    else w.push_back(weight);
  }
  void area(int i, double scale) {
    const double low = i * scale, high = low + scale, cell = std::min(scale, from_ - low);
    const int end = std::min((int)std::floor(high), from_ - 1), begin = std::min((int)std::ceil(low), end);
    if (begin - low > 1e-3) add(i, begin - 1, (float)((begin - low) / cell));
    for (int at = begin; at < end; ++at) add(i, at, (float)(1 / cell));
    if (high - end > 1e-3) add(i, end, (float)(std::min(std::min(high - end, 1.0), cell) / cell));
  }
  // what OpenCV calls area where an axis grows: between two pixels only near their edge
  void stretched(int i, double scale, double inverse) {
    const int at = (int)std::floor(i * scale);
    float f = (float)((i + 1) - (at + 1) * inverse);
    f = f <= 0 ? 0 : f - std::floor(f);
    if (at >= from_ - 1) return add(i, at, 1);
    add(i, at, 1 - f);
    if (f > 0) add(i, at + 1, f);
  }
  void lanczos(int i, double scale) {
    const float place = (float)((i + 0.5) * scale - 0.5);
    const int at = (int)std::floor(place);
    float k[8];
    lanczos_weights(place - at, k);
    for (int j = 0; j < 8; ++j) add(i, at - 3 + j, k[j]);
  }
  void exact(int i, double scale) {  // weights are 256ths; beyond the ends pixels repeat
    const double place = scale * (i + 0.5) - 0.5;
    const int at = (int)std::floor(place);
    const float right = (float)(std::nearbyint((place - at) * 256) / 256);
    add(i, at, 1 - right);
    if (right > 0) add(i, at + 1, right);
  }
  void keys(int i, double scale) {  // the four weights in OpenCV's order of roundings
    const float place = (float)((i + 0.5) * scale - 0.5), a = -0.75f;
    const int at = (int)std::floor(place);
    const float f = place - at, u = 1 - f;
    const float k0 = ((a * (f + 1) - 5 * a) * (f + 1) + 8 * a) * (f + 1) - 4 * a, k1 = ((a + 2) * f - (a + 3)) * f * f + 1,
                k2 = ((a + 2) * u - (a + 3)) * u * u + 1;
    for (int j = 0; j < 4; ++j) add(i, at - 1 + j, j == 0 ? k0 : j == 1 ? k1 : j == 2 ? k2 : 1 - k0 - k1 - k2);
  }
  static double filter(double x, bool cubic) {
    x = std::fabs(x);
    if (!cubic) return x < 1 ? 1 - x : 0;
    const double a = -0.5;  // Keys'; OpenCV's cubic has -0.75
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }
  void antialiased(int i, double scale, bool cubic) {
    const double wide = std::max(scale, 1.0), support = (cubic ? 2 : 1) * wide, centre = scale * (i + 0.5);
    const int begin = std::max((int)(centre - support + 0.5), 0), end = std::min((int)(centre + support + 0.5), from_);
    double sum = 0;
    for (int at = begin; at < end; ++at) sum += filter((at - centre + 0.5) / wide, cubic);
    for (int at = begin; at < end; ++at) add(i, at, (float)(filter((at - centre + 0.5) / wide, cubic) / sum));
  }

  int from_, most_ = 0;
  std::vector<int> start_;
  std::vector<std::vector<float>> weights_;
};

}  // namespace aug

// draws.hpp: from uniforms to who is drawn and what: the tree of transforms, and the parameters that take NumPy many calls.
#pragma once
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>
#include "philox.cuh"
#include "rows.cuh"
namespace aug {

// Uniforms of a whole batch: line 4 k + j of out holds word j of the k-th (slot, block) pair, for all samples.
static __attribute__((flatten, noinline)) void uniform_lines(const u64* ids, const u32* occurrence, u32 epoch, int samples,
                                                             u32 slot, u32 block, u32 k0, u32 k1, double* out) {
  AUG_SIMD for (int i = 0; i < samples; ++i) {
    const U4 u = philox((u32)ids[i], epoch, occurrence[i] << 12 | slot, (u32)(ids[i] >> 32) << 12 | block, k0, k1);
    out[i] = u.x * 0x1p-32;
    out[i + samples] = u.y * 0x1p-32;
    out[i + 2 * samples] = u.z * 0x1p-32;
    out[i + 3 * samples] = u.w * 0x1p-32;
  }
}

// ---- the tree: which samples take which leaf, in order --------------------------------------------------------------------

enum NodeKind { NODE_LEAF, NODE_ALL, NODE_ONE_OF, NODE_SOME_OF, NODE_RANDOM_ORDER, NODE_ONE_OR_OTHER };

struct Node {  // gpuaug/groups.py holds its NumPy twin
  int kind;
  int first;            // its coin's line in the table of uniforms; its own numbers follow
  int children, count;  // its children for the first turn: `count` entries of the table of children, then those of the next turn
  int edges;            // NODE_ONE_OF: where its count - 1 edges begin
  int low, high;        // NODE_SOME_OF, NODE_RANDOM_ORDER: how many are taken
  int replace;          // may one be taken twice?
  double p;             // NODE_ONE_OR_OTHER: of the first child
};

struct Visit {
  i64 leaf, start, count;
};  // count -1: all samples, in order

class Selection {
 public:
  Selection(const Node* nodes, const int* children, const double* edges, const double* u, int samples, Visit* visits,
            i64 most_visits, i64* rows, i64 most_rows)
      : nodes_(nodes), children_(children), edges_(edges), u_(u), samples_(samples), visits_(visits), most_visits_(most_visits),
        rows_(rows), most_rows_(most_rows) {}

  i64 run() {
    std::vector<int> all(samples_);
    std::iota(all.begin(), all.end(), 0);
    visit(0, all, true, false);
    return found_;
  }

 private:
  typedef std::vector<int> Rows;
  double u(const Node& n, int column, int i) const { return u_[(i64)(n.first + 1 + column) * samples_ + i]; }

  // force: its coin is not thrown
  void visit(int index, const Rows& rows, bool all, bool force) {
    const Node& n = nodes_[index];
    if (!force && n.p < 1 && n.kind != NODE_ONE_OR_OTHER) {
      const double* coin = u_ + (i64)n.first * samples_;
      Rows some;
      some.reserve(rows.size());
      for (int i : rows)
        if (coin[i] < n.p) some.push_back(i);
      return enter(index, some, false);
    }
    enter(index, rows, all);
  }

  void enter(int index, const Rows& rows, bool all) {
    if (!all && rows.empty()) return;
    const Node& n = nodes_[index];
    const int* child = children_ + n.children;
    const int k = n.count;
    switch (n.kind) {
      case NODE_LEAF: return leaf(index, rows, all);
      case NODE_ALL:
        for (int c = 0; c < k; ++c) visit(child[c], rows, all, false);
        return;
      case NODE_ONE_OF: {
        std::vector<Rows> of(k);
        for (int i : rows)
          of[std::upper_bound(edges_ + n.edges, edges_ + n.edges + k - 1, u(n, 0, i)) - (edges_ + n.edges)].push_back(i);
        for (int c = 0; c < k; ++c) visit(child[c], of[c], false, true);
        return;
      }
      case NODE_ONE_OR_OTHER: {
        Rows of[2];
        for (int i : rows) of[u(n, 0, i) < n.p ? 0 : 1].push_back(i);
        for (int c = 0; c < 2; ++c) visit(child[c], of[c], false, true);
        return;
      }
      case NODE_SOME_OF: return some_of(n, rows);
      case NODE_RANDOM_ORDER: return random_order(n, rows);
    }
  }

  int how_many(const Node& n, int i) const { return n.low + (int)std::floor(u(n, 0, i) * (n.high - n.low + 1)); }
  // children of sample i, smallest uniform first
  void order_of(const Node& n, int i, std::vector<int>& order) const {
    order.resize(n.count);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return u(n, 1 + a, i) < u(n, 1 + b, i); });
  }

  void some_of(const Node& n, const Rows& rows) {
    const int k = n.count;
    std::vector<int> times(rows.size() * k, 0), order;  // how often each sample takes each child
    for (size_t r = 0; r < rows.size(); ++r) {
      const int many = how_many(n, rows[r]);
      if (!n.replace) order_of(n, rows[r], order);
      for (int j = 0; j < many; ++j) ++times[r * k + (n.replace ? (int)std::floor(u(n, 1 + j, rows[r]) * k) : order[j])];
    }
    for (int c = 0; c < k; ++c)
      for (int turn = 0;; ++turn) {
        Rows some;
        for (size_t r = 0; r < rows.size(); ++r)
          if (times[r * k + c] > turn) some.push_back(rows[r]);
        if (some.empty()) break;
        visit(children_[n.children + turn * k + c], some, false, false);
      }
  }

  void random_order(const Node& n, const Rows& rows) {
    const int k = n.count;
    std::vector<int> taken(rows.size() * n.high, -1), order;  // which child comes when
    for (size_t r = 0; r < rows.size(); ++r) {
      const int many = how_many(n, rows[r]);
      if (!n.replace) order_of(n, rows[r], order);
      for (int j = 0; j < many; ++j) taken[r * n.high + j] = n.replace ? (int)std::floor(u(n, 1 + j, rows[r]) * k) : order[j];
    }
    for (int j = 0; j < n.high; ++j)
      for (int c = 0; c < k; ++c) {
        Rows some;
        for (size_t r = 0; r < rows.size(); ++r)
          if (taken[r * n.high + j] == c) some.push_back(rows[r]);
        visit(children_[n.children + (n.replace ? j * k : 0) + c], some, false, false);
      }
  }

  void leaf(int index, const Rows& rows, bool all) {
    const i64 count = all ? 0 : (i64)rows.size();
    if (found_ == most_visits_ || used_ + count > most_rows_) throw std::length_error("more visits than there is room for");
    visits_[found_++] = {index, used_, all ? -1 : count};
    if (!all) std::copy(rows.begin(), rows.end(), rows_ + used_);
    used_ += count;
  }

  const Node* nodes_;
  const int* children_;
  const double *edges_, *u_;
  int samples_;
  Visit* visits_;
  i64 most_visits_;
  i64* rows_;
  i64 most_rows_, found_ = 0, used_ = 0;
};

// ---- parameters -----------------------------------------------------------------------------------------------------------

struct Range {
  double low, high;
};
inline double between(double u, Range r) { return r.low + u * (r.high - r.low); }
inline i64 integer(double u, i64 low, i64 high) { return low + (i64)std::floor(u * (double)(high - low + 1)); }

// albumentations' RandomResizedCrop: ten tries, then the largest central window whose ratio fits. u(k): its k-th uniform.
template <class U> void resized_crop(U u, double h, double w, Range scale, Range ratio, i64 window[4]) {
  const int tries = 10;
  const Range logs = {std::log(ratio.low), std::log(ratio.high)};
  double ch = 0, cw = 0, y = 0, x = 0;
  bool fits = false;
  for (int k = 0; k < tries && !fits; ++k) {
    const double area = between(u(k), scale) * (h * w), aspect = std::exp(between(u(tries + k), logs));
    ch = std::nearbyint(std::sqrt(area / aspect));
    cw = std::nearbyint(std::sqrt(area * aspect));
    fits = std::min(ch, cw) > 0 && cw <= w && ch <= h;
  }
  if (fits) {
    y = std::floor((h - ch + 1) * u(2 * tries));
    x = std::floor((w - cw + 1) * u(2 * tries + 1));
  } else {
    const double now = w / h;
    cw = std::min(std::max(now > ratio.high ? std::nearbyint(h * ratio.high) : w, 1.0), w);
    ch = std::min(std::max(now < ratio.low ? std::nearbyint(w / ratio.low) : h, 1.0), h);
    y = std::floor((h - ch) / 2);
    x = std::floor((w - cw) / 2);
  }
  window[0] = (i64)x;
  window[1] = (i64)y;
  window[2] = (i64)(x + cw);
  window[3] = (i64)(y + ch);
}

// S(c) T Shear R Scale S(-c): positive angles turn counter-clockwise; shear and rotate in degrees.
struct AffineParts {
  double shift[2], translate[2], shear[2], scale[2], rotate;
};
inline void affine_matrix(const AffineParts& p, double m[9]) {
  const double degree = 3.14159265358979323846 / 180;
  const double r = p.rotate * degree, sx = std::tan(p.shear[0] * degree), sy = std::tan(p.shear[1] * degree);
  const double cos = std::cos(r), sin = std::sin(r);
  // Shear @ R = [[1, sx], [sy, 1]] @ [[cos, sin], [-sin, cos]]
  const double a = (cos - sx * sin) * p.scale[0], b = (sin + sx * cos) * p.scale[1];
  const double c = (sy * cos - sin) * p.scale[0], d = (sy * sin + cos) * p.scale[1];
  m[0] = a;
  m[1] = b;
  m[2] = p.shift[0] + p.translate[0] - a * p.shift[0] - b * p.shift[1];
  m[3] = c;
  m[4] = d;
  m[5] = p.shift[1] + p.translate[1] - c * p.shift[0] - d * p.shift[1];
  m[6] = 0;
  m[7] = 0;
  m[8] = 1;
}

// Stripes of XYMasking along one axis, into every second-axis-spanning rectangle (x0, y0, x1, y1) of out. u(k): uniforms of the
// lengths, then of the starts; how_many: that of the number of stripes.
template <class U>
void stripes(U u, double how_many, i64 side, i64 other, int axis, const i64 number[2], const i64 length[2], i64 (*out)[4]) {
  const i64 most = number[1], n = integer(how_many, number[0], number[1]);
  for (i64 k = 0; k < most; ++k) {
    const i64 width = integer(u(k), length[0], length[1]);
    const i64 start = (i64)std::floor(u(most + k) * (double)(side - width + 1));
    out[k][axis] = start;
    out[k][axis + 2] = start + (k < n ? width : 0);
    out[k][1 - axis] = 0;
    out[k][3 - axis] = other;
  }
}

// albumentations' Gaussian weights along one axis: sampled, normalized; ksize 0: 2 int(3.5 sigma) + 1.
inline int gaussian_size(double sigma, i64 ksize) {
  if (!(sigma > 0)) return 1;  // the identity
  return (int)(ksize == 0 ? 2 * (i64)(3.5 * sigma) + 1 : ksize + 1 - ksize % 2);
}
inline void gaussian_weights(double sigma, int size, std::vector<float>& out) {
  if (!(sigma > 0)) return out.push_back(1.0f);
  std::vector<double> w(size);
  double sum = 0;
  for (int k = 0; k < size; ++k) {
    const double x = (k - size / 2) / sigma;
    sum += w[k] = std::exp(-0.5 * (x * x));
  }
  for (int k = 0; k < size; ++k) out.push_back((float)(w[k] / sum));
}

// The pixels of albumentations' MotionBlur line, each once, rows first: (dy, dx, weight) appended to out; returns how many.
inline int motion_points(int ksize, double angle, double direction, double shift_x, double shift_y, std::vector<float>& out) {
  const int half = ksize / 2;
  const double start = -half * (1 - std::max(direction, 0.0)), end = half * (1 + std::min(direction, 0.0));
  const double radians = angle * (3.14159265358979323846 / 180), cos = std::cos(radians), sin = std::sin(radians);
  std::vector<char> hit((size_t)ksize * ksize, 0);
  int count = 0;
  for (int k = 0; k < ksize; ++k) {
    const double t = start + (end - start) * ((double)k / (ksize - 1));
    const int x = (int)std::min(std::max(std::nearbyint(half + cos * t + shift_x * half / 2), 0.0), ksize - 1.0);
    const int y = (int)std::min(std::max(std::nearbyint(half + sin * t + shift_y * half / 2), 0.0), ksize - 1.0);
    char& here = hit[(size_t)y * ksize + x];
    count += !here;
    here = 1;
  }
  for (int y = 0; y < ksize; ++y)
    for (int x = 0; x < ksize; ++x)
      if (hit[(size_t)y * ksize + x]) {
        out.push_back((float)(y - half));
        out.push_back((float)(x - half));
        out.push_back((float)(1.0 / count));
      }
  return count;
}

}  // namespace aug

// gather.cpp: `Track.gather` of gpuaug/track.py: maps, and which of them are views.
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include "taps.hpp"
#include "verbs.hpp"
#include "export.hpp"
using namespace aug;

namespace {

bool is_affine(const double m[9]) { return m[6] == 0 && m[7] == 0 && m[8] == 1; }

// The inverse of a projective matrix; of an affine one by fewer steps. Not finite where there is none.
void inverse(const double m[9], double out[9]) {
  if (is_affine(m)) {
    const double det = m[0] * m[4] - m[1] * m[3];
    out[0] = m[4] / det;
    out[1] = -m[1] / det;
    out[3] = -m[3] / det;
    out[4] = m[0] / det;
    out[2] = -(out[0] * m[2] + out[1] * m[5]);
    out[5] = -(out[3] * m[2] + out[4] * m[5]);
    out[6] = out[7] = 0;
    out[8] = 1;
    return;
  }
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {  // the adjugate: out[i][j] is the cofactor of m[j][i]
      const int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
      out[3 * i + j] = m[3 * a + c] * m[3 * b + d] - m[3 * a + d] * m[3 * b + c];
    }
  const double det = m[0] * out[0] + m[1] * out[3] + m[2] * out[6];
  for (int i = 0; i < 9; ++i) out[i] /= det;
}

// Tables of cv2.resize's INTER_NEAREST_EXACT: for each output column and line that of the source in which its centre lies. OpenCV 5
// adds the scale up, so that a centre on the edge between two pixels goes the way that the sum's rounding goes; so does this.
class NearestTables {
 public:
  explicit NearestTables(Track& track) : track_(track) {}
  i64 of(int height, int width, int to_height, int to_width) {
    const std::array<int, 4> sizes = {height, width, to_height, to_width};
    const auto known = at_.find(sizes);
    if (known != at_.end()) return known->second;
    const i64 at = (i64)track_.blob.size();
    append(width, to_width);
    append(height, to_height);
    return at_[sizes] = at;
  }

 private:
  void append(int from, int to) {
    const double scale = from / (double)to;
    double centre = 0.5 * scale;
    for (int i = 0; i < to; ++i, centre += scale) {
      const int index = std::min((int)centre, from - 1);
      float word;
      std::memcpy(&word, &index, sizeof word);
      track_.blob.push_back(word);
    }
  }

  Track& track_;
  std::map<std::array<int, 4>, i64> at_;  // samples of one size share a table
};

// The size of a source that is resized with pixel centres at half-integers, as cv2.resize does it: by the factors (x, y), or,
// where they are 0, by those that lead from one size to the other. (INTER_NEAREST_EXACT goes by sizes alone.)
void resized(Row& how, int h, int w, int to_h, int to_w, const double* factor, NearestTables& tables) {
  // two divisions, as cv2.resize: floor(i * scale) hangs on the last bit
  const double sy = 1 / factor_of(factor[1], h, to_h), sx = 1 / factor_of(factor[0], w, to_w);
  if (how.map == MAP_AFFINE) {
    const double m[9] = {sx, 0, 0.5 * sx - 0.5, 0, sy, 0.5 * sy - 0.5, 0, 0, 1};
    std::copy_n(m, 9, how.m);
  } else if (how.map == MAP_RESIZE) {
    how.scale[0] = sx;
    how.scale[1] = sy;
  } else {
    how.table = (int)tables.of(h, w, to_h, to_w);
    how.cells[0] = to_w;
    how.cells[1] = to_h;
  }
}

// A map of whole pixels, turned by quarters at most?
bool is_whole(const double m[9]) {
  if (!is_affine(m)) return false;
  for (int k = 0; k < 6; ++k)
    if (m[k] != std::nearbyint(m[k]) || std::fabs(m[k]) > 1e9) return false;
  const double p = std::fabs(m[0]), q = std::fabs(m[1]), r = std::fabs(m[3]), s = std::fabs(m[4]);
  return (p == 1 && s == 1 && q == 0 && r == 0) || (p == 0 && s == 0 && q == 1 && r == 1);
}

// A map of whole pixels all of which lie inside the sample is a view of it: done here.
bool became_view(Track& t, int i, const double m[9], int h, int w) {
  if (!is_whole(m)) return false;
  const double x[2] = {m[2], m[2] + (m[0] * (w - 1) + m[1] * (h - 1))};
  const double y[2] = {m[5], m[5] + (m[3] * (w - 1) + m[4] * (h - 1))};
  if (std::min(x[0], x[1]) < 0 || std::max(x[0], x[1]) >= t.width(i) || std::min(y[0], y[1]) < 0 ||
      std::max(y[0], y[1]) >= t.height(i))
    return false;
  const int turn[4] = {(int)m[0], (int)m[1], (int)m[3], (int)m[4]};
  const bool stays = turn[0] == 1 && turn[3] == 1 && m[2] == 0 && m[5] == 0 && h == t.height(i) && w == t.width(i);
  if (!stays) t.reindex(i, turn, (int)m[2], (int)m[5], h, w);
  return true;
}

}  // namespace

// times a coordinate, below 2^31, it must stay a float: the difference of two infinities is nowhere
constexpr double FARTHEST = 1e28;

// kind: MapKind. matrix: its numbers [n, k]; of MAP_PROJECTIVE 3x3, from output to source or, forward, from source to output. Of
// MAP_AFFINE, _RESIZE and _PIXELS, which are resizes: factors (x, y), 0 for those of the sizes. table: words, of which a sample's
// start at start[n], cells [n, 2] of them; or none. Returns nothing where all rows gather; else int32s: 0 and the rows that do (others
// have become views, or stay as they are); or, with nothing done, 1 + the first row whose result has no pixels or more than 2^31 - 1
// elements, or minus (1 + the first row) whose map is none.
EXPORT PyObject* gpuaug_track_gather(void* handle, PyObject* rows, int kind, PyObject* matrix, int forward, PyObject* table,
                                     PyObject* start, PyObject* cells, PyObject* size, int sample, int border, int fill,
                                     int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    const Column<i64> sizes(size, n, "size", 2), starts(start, n, "start"), counts(cells, n, "cells", 2);
    const auto refused = [](i64 code) {
      const int word = (int)code;
      return bytes_of_vector(&word, sizeof word);
    };
    const bool resize = kind == MAP_AFFINE || kind == MAP_RESIZE || kind == MAP_PIXELS;
    std::unique_ptr<Column<double>> factors;
    if (resize) factors.reset(new Column<double>(matrix, n, "factors", 2));
    i64 numbers = 0;
    if (!resize) {
      const Array a(matrix);
      numbers = a.ndim ? a.shape(a.ndim - 1) : 0;
      if (numbers < 1 || numbers > 9) raise(PyExc_ValueError, "a map has 1 to 9 numbers, not %zd", (Py_ssize_t)numbers);
    }
    std::vector<double> maps(9 * (size_t)(resize ? 0 : n), 0.0);
    if (!resize) {
      const Column<double> m(matrix, n, "matrix", numbers);
      for (i64 k = 0; k < n; ++k) {
        double* mine = &maps[9 * k];
        if (forward) inverse(m.line(k), mine);
        else std::copy_n(m.line(k), numbers, mine);
        for (int j = 0; j < 9; ++j)
          if (!(std::fabs(mine[j]) < FARTHEST)) return refused(-1 - k);
      }
    }
    const i64 most = 0x7fffffffLL, pixels = most / t.channels;
    for (i64 k = 0; k < n; ++k) {
      const i64 h = sizes.line(k)[0], w = sizes.line(k)[1];
      if (h < 1 || w < 1 || h > most || w > most || h * w > pixels) return refused(1 + k);
    }
    std::vector<int> gathers(1, 0), which;  // samples, and which of the rows they are
    gathers.reserve(n + 1);
    which.reserve(n);
    for (i64 k = 0; k < n; ++k) {
      const int i = index[k], h = (int)sizes.line(k)[0], w = (int)sizes.line(k)[1];
      if (resize ? t.height(i) == h && t.width(i) == w : kind == MAP_PROJECTIVE && became_view(t, i, &maps[9 * k], h, w))
        continue;
      gathers.push_back(i);
      which.push_back((int)k);
    }
    i64 at = 0;
    if (PyObject_CheckBuffer(table)) at = append_words(t.blob, table);
    int known_fill = border == 0 ? fill : 0;
    if (sample == SAMPLE_LANCZOS) {  // the row's fill with the weights in front of it
      append_lanczos(t.blob);
      const size_t own = t.blob.size();
      for (int c = 0; c < t.channels; ++c) t.blob.push_back(border == 0 ? t.blob[fill + c] : 0.0f);
      known_fill = (int)own;
    }
    t.close(gathers.data() + 1, which.size(), notes);
    NearestTables tables(t);
    for (size_t g = 0; g < which.size(); ++g) {
      const i64 k = which[g];
      const int i = gathers[g + 1], h = (int)sizes.line(k)[0], w = (int)sizes.line(k)[1];
      const int before[2] = {t.height(i), t.width(i)};
      Row& r = t.gather(i, h, w);
      r.map = kind;
      r.sample = sample;
      r.border = border;
      r.fill = known_fill;
      if (resize) {
        resized(r, before[0], before[1], h, w, factors->line(k), tables);
        continue;
      }
      const double* m = &maps[9 * k];
      std::copy_n(m, 9, r.m);
      if (kind == MAP_PROJECTIVE && is_affine(m)) r.map = MAP_AFFINE;
      if (kind == MAP_PROJECTIVE && is_whole(m)) r.sample = SAMPLE_NEAREST;  // nothing to interpolate
      r.table = (int)(at + starts[k]);
      r.cells[0] = (int)counts.line(k)[0];
      r.cells[1] = (int)counts.line(k)[1];
    }
    return bytes_of_vector(gathers.data(), (i64)which.size() == n ? 0 : gathers.size() * sizeof(int));
  });
}

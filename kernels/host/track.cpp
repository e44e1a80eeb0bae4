// track.cpp: tracks and plans, the verbs of gpuaug/track.py; exports for gpuaug/library.py. Arguments are checked here.
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <tuple>
#include "python.hpp"
#include "track.hpp"
#include "taps.hpp"
#include "export.hpp"
using namespace aug;

namespace {

Track& track_of(void* handle) {
  if (!handle) raise(PyExc_RuntimeError, "a track is finished once: make a new one");
  return *(Track*)handle;
}

// n float32 values of which 32-bit integers are kept as bits
void append_words(std::vector<float>& out, PyObject* object) {
  const Array a(object);
  a.check_contiguous("values for a launch");
  const i64 count = a.count();
  const size_t at = out.size();
  if ((i64)at + count > 0x7fffffffLL)
    raise(PyExc_ValueError, "a batch's launches refer to more than 2^31 - 1 values; make it smaller");
  out.resize(at + count);
  if (!count) return;
  if (a.words() || (a.type == 'f' && a.item == 4)) std::memcpy(out.data() + at, a.data(), 4 * count);
  else convert(out.data() + at, a, count, 1, a.item, 0);
}

i64 aligned(i64 at) { return (at + 63) & ~(i64)63; }

// A plan's memory: a head, the launches' records, then what they point to.
struct Head {
  i64 launches, events, events_at, blob, found, scratch, base;
};

// Calls put(offset, data, bytes) for every part; base: the address of offset 0.
template <class F> i64 lay_out(const Track& t, i64 base, F put) {
  i64 at = aligned(sizeof(Head) + t.launches.size() * sizeof(Record));
  const auto next = [&](const void* data, i64 bytes) {
    const i64 here = at;
    put(here, data, bytes);
    at = aligned(at + bytes);
    return base + here;
  };
  Head head = {(i64)t.launches.size(), (i64)t.events.size(), 0, (i64)t.blob.size(), t.found, 0, base};
  std::vector<Record> records;
  const i64 blob = next(t.blob.data(), t.blob.size() * sizeof(float));
  for (const Planned& l : t.launches) {
    Record r = {0, 0, 0, blob, l.kind, l.n(), l.channels, l.source, l.target, (i64)l.ops.size()};
    r.rows = next(l.rows.data(), l.rows.size());
    r.ops = next(l.ops.data(), l.ops.size() * sizeof(Op));
    r.sample = next(l.sample.data(), l.n() * sizeof(int));
    records.push_back(r);
  }
  head.events_at = next(t.events.data(), t.events.size() * sizeof(Event)) - base;
  if (base) head.scratch = place(records.data(), (int)records.size(), t.samples, 0);
  put(0, &head, sizeof head);
  put(sizeof head, records.data(), records.size() * sizeof(Record));
  return at;
}

}  // namespace

// Bytes of the rows of every kind, then of Op and Record. Returns how many numbers there are.
EXPORT int gpuaug_sizes(int* out) {
  int n = 0;
  for (const KindOf& kind : KINDS) out[n++] = kind.row;
  for (int bytes : {(int)sizeof(Op), (int)sizeof(Record)}) out[n++] = bytes;
  return n;
}

EXPORT void* gpuaug_track_new(int channels, int dtype, PyObject* address, PyObject* before, PyObject* stride, PyObject* size) {
  return guarded([&] {
    const Array now(size, true);
    const i64 n = now.bytes() / 8;
    int* to = now.whole<int>(2 * n, "size");
    const Column<i64> addresses(address, n, "address"), sizes(before, n, "size", 2), strides(stride, n, "stride", 3);
    std::vector<i64> where(n), sized(2 * n), steps(3 * n);
    for (i64 i = 0; i < n; ++i) {
      where[i] = addresses[i];
      std::copy_n(sizes.line(i), 2, &sized[2 * i]);
      std::copy_n(strides.line(i), 3, &steps[3 * i]);
    }
    return (void*)new Track((int)n, channels, dtype, where.data(), sized.data(), steps.data(), to);
  });
}
EXPORT void gpuaug_track_free(void* handle) { delete (Track*)handle; }
EXPORT void gpuaug_track_convert(void* handle, int dtype) {
  guarded([&] {
    track_of(handle).dtype = dtype;
    track_of(handle).open_all();  // the source still holds the old type
    return 0;
  });
}

EXPORT void gpuaug_track_channels(void* handle, int channels, int notes) {
  guarded([&] {
    track_of(handle).recount(channels, notes);
    return 0;
  });
}

// The type of what the next launches write; of rows that are open it is that of their stage, too.
EXPORT void gpuaug_track_work_in(void* handle, PyObject* rows, int dtype) {
  guarded([&] {
    Track& t = track_of(handle);
    t.dtype = dtype;
    t.open(rows_of(rows, t.samples));
    return 0;
  });
}

EXPORT i64 gpuaug_track_blob(void* handle, PyObject* values) {
  return guarded([&] {
    std::vector<float>& blob = track_of(handle).blob;
    const i64 at = (i64)blob.size();
    append_words(blob, values);
    return at;
  });
}

EXPORT void gpuaug_track_crop(void* handle, PyObject* rows, PyObject* x, PyObject* y, PyObject* height, PyObject* width) {
  guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    const Column<i64> xs(x, n, "x"), ys(y, n, "y"), hs(height, n, "height"), ws(width, n, "width");
    for (i64 k = 0; k < n; ++k) {
      const i64 h = t.height(index[k]), w = t.width(index[k]);
      if (xs[k] < 0 || ys[k] < 0 || hs[k] < 1 || ws[k] < 1 || hs[k] > h - ys[k] || ws[k] > w - xs[k])
        raise(PyExc_ValueError, "a window of %zd x %zd at (%zd, %zd) does not lie inside sample %d of %zd x %zd",
              (Py_ssize_t)hs[k], (Py_ssize_t)ws[k], (Py_ssize_t)xs[k], (Py_ssize_t)ys[k], index[k], (Py_ssize_t)h, (Py_ssize_t)w);
    }
    static const int straight[4] = {1, 0, 0, 1};
    for (i64 k = 0; k < n; ++k) t.reindex(index[k], straight, (int)xs[k], (int)ys[k], (int)hs[k], (int)ws[k]);
    return 0;
  });
}

EXPORT void gpuaug_track_orient(void* handle, PyObject* rows, int a0, int a1, int a2, int a3) {
  guarded([&] {
    Track& t = track_of(handle);
    const int a[4] = {a0, a1, a2, a3};
    for (int i : rows_of(rows, t.samples)) t.orient(i, a);
    return 0;
  });
}

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

// The size of a source that is resized with pixel centres at half-integers, as cv2.resize does it.
void resized(Row& how, int h, int w, int to_h, int to_w, NearestTables& tables) {
  // two divisions, as cv2.resize: floor(i * scale) hangs on the last bit
  const double sy = 1 / (to_h / (double)h), sx = 1 / (to_w / (double)w);
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

}  // namespace

// times a coordinate, below 2^31, it must stay a float: the difference of two infinities is nowhere
constexpr double FARTHEST = 1e28;

// kind: MapKind. matrix: its numbers [n, k]; of MAP_PROJECTIVE 3x3, from output to source or, forward, from source to output. None:
// a resize from the size that a sample has, by MAP_AFFINE, _RESIZE or _PIXELS. table: words, of which a sample's start at start[n],
// cells [n, 2] of them; or none. Returns int32s: 0 and the rows that gather (others have become views, or stay as they are); or,
// with nothing done, 1 + the first row whose result has no pixels or more than 2^31 - 1 elements, or minus (1 + the first row)
// whose map is none.
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
    const bool resize = !PyObject_CheckBuffer(matrix);
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
    for (i64 k = 0; k < n; ++k) {
      const i64 h = sizes.line(k)[0], w = sizes.line(k)[1];
      if (h < 1 || w < 1 || h > 0x7fffffffLL / t.channels / w) return refused(1 + k);
    }
    std::vector<int> gathers(1, 0), which;
    std::vector<Row> how;
    for (i64 k = 0; k < n; ++k) {
      const int i = index[k], h = (int)sizes.line(k)[0], w = (int)sizes.line(k)[1];
      Row r = {};
      r.map = kind;
      r.sample = sample;
      r.border = border;
      r.fill = border == 0 ? fill : 0;
      if (resize) {
        if (t.height(i) == h && t.width(i) == w) continue;
      } else {
        const double* m = &maps[9 * k];
        std::copy_n(m, 9, r.m);
        if (kind == MAP_PROJECTIVE) {
          if (is_affine(m)) r.map = MAP_AFFINE;
          if (is_whole(m)) {  // nothing to interpolate; a view, where all of it lies inside
            r.sample = SAMPLE_NEAREST;
            const double x[2] = {m[2], m[2] + (m[0] * (w - 1) + m[1] * (h - 1))};
            const double y[2] = {m[5], m[5] + (m[3] * (w - 1) + m[4] * (h - 1))};
            if (std::min(x[0], x[1]) >= 0 && std::max(x[0], x[1]) < t.width(i) && std::min(y[0], y[1]) >= 0 &&
                std::max(y[0], y[1]) < t.height(i)) {
              const int turn[4] = {(int)m[0], (int)m[1], (int)m[3], (int)m[4]};
              const bool stays = turn[0] == 1 && turn[3] == 1 && m[2] == 0 && m[5] == 0 && h == t.height(i) && w == t.width(i);
              if (!stays) t.reindex(i, turn, (int)m[2], (int)m[5], h, w);
              continue;
            }
          }
        }
        r.cells[0] = (int)counts.line(k)[0];
        r.cells[1] = (int)counts.line(k)[1];
      }
      gathers.push_back(i);
      which.push_back((int)k);
      how.push_back(r);
    }
    i64 at = 0;
    if (PyObject_CheckBuffer(table)) {
      at = (i64)t.blob.size();
      append_words(t.blob, table);
    }
    t.close({gathers.begin() + 1, gathers.end()}, notes);
    NearestTables tables(t);
    for (size_t g = 0; g < how.size(); ++g) {
      const i64 k = which[g];
      const int i = gathers[g + 1], h = (int)sizes.line(k)[0], w = (int)sizes.line(k)[1];
      if (resize) resized(how[g], t.height(i), t.width(i), h, w, tables);
      else how[g].table = (int)(at + starts[k]);
      t.gather(i, how[g], h, w);
    }
    return bytes_of_vector(gathers.data(), gathers.size() * sizeof(int));
  });
}

// params: 32-bit words [n, k] or [1, k], or none. table: values [n, ..] of which each sample's operation gets its share, or values
// in which it starts at at[r]; or none, and the operation starts at blob offset at[r]. many: entries of each.
// round: 0 bfloat16, 1 float16, -1: results are not rounded.
EXPORT void gpuaug_track_op(void* handle, PyObject* rows, int code, PyObject* params, PyObject* table, PyObject* at,
                            PyObject* many, int positions, int round) {
  guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    const char* words = nullptr;
    i64 bytes = 0, step = 0;
    std::unique_ptr<Array> packed;
    if (PyObject_CheckBuffer(params)) {
      packed.reset(new Array(params));
      packed->check_contiguous("params");
      bytes = packed->ndim == 2 ? 4 * packed->shape(1) : -1;
      if (bytes < 0 || bytes > (i64)sizeof(Op::p) || !(packed->shape(0) == n || packed->shape(0) == 1))
        raise(PyExc_ValueError, "params must be words [%zd or 1, k], k <= 12", (Py_ssize_t)n);
      words = packed->data();
      step = packed->shape(0) == 1 ? 0 : bytes;
    }
    const Column<i64> starts(at, n, "at"), counts(many, n, "n");
    const i64 base = PyObject_CheckBuffer(table) ? (i64)t.blob.size() : 0;
    if (PyObject_CheckBuffer(table)) append_words(t.blob, table);
    const RoundOp rounding = {round};
    for (i64 r = 0; r < n; ++r) {
      const int i = index[r];
      if (positions) t.note_move(i);
      t.append(i, code, (int)(base + starts[r]), (int)counts[r], words + r * step, (size_t)bytes);
      if (round >= 0) t.append(i, OP_ROUND, 0, 0, &rounding, sizeof rounding);
    }
    return 0;
  });
}

// Returns the layers of the rows, LAYER_WORDS int32s each.
EXPORT PyObject* gpuaug_track_keep(void* handle, PyObject* rows, int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> words = t.keep(rows_of(rows, t.samples), notes);
    return bytes_of_vector(words.data(), words.size() * sizeof(int));
  });
}

// layers: int32 [n, k, LAYER_WORDS], which the operation that is appended next reads.
EXPORT void gpuaug_track_attach(void* handle, PyObject* rows, PyObject* layers, int notes) {
  guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const Array a(layers);
    a.check_contiguous("layers");
    if (a.ndim != 3 || a.shape(0) != (i64)index.size() || a.shape(1) < 1 || a.shape(1) > LAYERS || a.shape(2) != LAYER_WORDS ||
        a.item != 4)
      raise(PyExc_ValueError, "layers must be int32 [%zd, 1 to %d, %d]", (Py_ssize_t)index.size(), (int)LAYERS, (int)LAYER_WORDS);
    t.attach(index, (const int*)a.data(), (int)a.shape(1), notes);
    return 0;
  });
}

EXPORT void gpuaug_track_filter(void* handle, PyObject* rows, int kind, PyObject* taps, PyObject* start, PyObject* lengths,
                                int border, PyObject* scale, int fill, int notes) {
  guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    const bool points = kind == FILTER_SPARSE;
    const Column<i64> starts(start, n, "start"), sizes(lengths, n, "lengths", points ? 3 : 2);
    const Column<float> scales(scale, n, "scale");
    if (!n) return 0;
    const i64 count = Array(taps).count();
    for (i64 k = 0; k < n; ++k) {
      const i64 kh = sizes.line(k)[0], kw = sizes.line(k)[1], need = points ? 3 * sizes.line(k)[2] : kh + kw;
      if (kh < 1 || kw < 1 || kh % 2 == 0 || kw % 2 == 0)
        raise(PyExc_ValueError, "lengths of sample %d are %zd and %zd; they must be odd and positive", index[k], (Py_ssize_t)kh,
              (Py_ssize_t)kw);
      if (need < 1 || starts[k] < 0 || starts[k] + need > count)
        raise(PyExc_ValueError, "sample %d has %zd weights from %zd on, but there are %zd", index[k], (Py_ssize_t)need,
              (Py_ssize_t)starts[k], (Py_ssize_t)count);
    }
    t.close(index, notes);  // a launch's layers go into the blob, too
    const i64 at = (i64)t.blob.size();
    append_words(t.blob, taps);
    std::vector<FilterRow> table(n);
    for (i64 k = 0; k < n; ++k) {
      FilterRow& f = table[k];
      f = {};
      f.kind = kind;
      f.border = border;
      f.fill = border == 0 ? fill : 0;
      f.kh = (int)sizes.line(k)[0];
      f.kw = (int)sizes.line(k)[1];
      f.n = points ? (int)sizes.line(k)[2] : 0;
      f.taps = (int)(at + starts[k]);
      f.scale = scales[k];
    }
    t.launch(KIND_FILTER, index, std::move(table), notes + 1);
    return 0;
  });
}

// runs: (dy, dx, length) of each run of pixels, of which a row takes lengths[2] from start on; lengths: [n, 3], also the odd height
// and width that hold all of them. A median takes the whole square and no runs.
EXPORT void gpuaug_track_rank(void* handle, PyObject* rows, int kind, PyObject* runs, PyObject* start, PyObject* lengths,
                              int border, int notes) {
  guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    const Column<i64> starts(start, n, "start"), sizes(lengths, n, "lengths", 3);
    t.close(index, notes);
    if (!n) return 0;
    const i64 at = (i64)t.blob.size();
    append_words(t.blob, runs);
    std::vector<RankRow> table(n);
    for (i64 k = 0; k < n; ++k) {
      RankRow& r = table[k];
      r = {};
      r.border = border;
      r.kind = kind;
      r.kh = (int)sizes.line(k)[0];
      r.kw = (int)sizes.line(k)[1];
      r.runs = (int)sizes.line(k)[2];
      r.at = (int)(at + 3 * starts[k]);
    }
    t.launch(KIND_RANK, index, std::move(table), notes + 1);
    return 0;
  });
}

// To height x width by the weights of taps.hpp; samples of that size stay. Returns those that do not.
EXPORT PyObject* gpuaug_track_resample(void* handle, PyObject* rows, int kind, int height, int width, int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    std::vector<int> index;
    for (int i : rows_of(rows, t.samples))
      if (t.height(i) != height || t.width(i) != width) index.push_back(i);
    t.close(index, notes);
    struct Known {
      int at, most;
    };
    std::map<std::tuple<int, int, bool>, Known> known;  // by source and target length: samples of one size share their weights
    const auto taps = [&](int from, int to, bool smaller) {
      const auto made = known.emplace(std::make_tuple(from, to, smaller), Known{(int)t.blob.size(), 0});
      if (made.second) {
        const Taps taps(kind, from, to, smaller);
        taps.append(t.blob);
        made.first->second.most = taps.most();
      }
      return made.first->second;
    };
    std::vector<ResampleRow> table;
    for (int i : index) {
      const int h = t.height(i), w = t.width(i);
      const bool smaller = height <= h && width <= w;
      ResampleRow r = {};
      r.dh = height;
      r.dw = width;
      const Known columns = taps(w, width, smaller), lines = taps(h, height, smaller);
      r.columns = columns.at;
      r.across = columns.most;
      r.lines = lines.at;
      r.down = lines.most;
      // cv2.resize takes (a + b + c + d + 2) / 4 of bytes where it has a vector path
      const bool vectors = t.channels == 1 || t.channels >= 3;
      r.up = kind == RESAMPLE_AREA && t.dtype == DT_U8 && h == 2 * height && w == 2 * width && vectors;
      table.push_back(r);
    }
    if (t.blob.size() > 0x7fffffff)
      raise(PyExc_ValueError, "a batch's launches refer to more than 2^31 - 1 values; make it smaller");
    if (!index.empty()) t.launch(KIND_RESAMPLE, index, std::move(table), notes + 1);
    return bytes_of_vector(index.data(), index.size() * sizeof(int));
  });
}

namespace {

// Words that a launch writes for n samples, `each` for one, must stay within reach of the offsets that rows hold.
void check_found(const Track& t, i64 each, i64 n) {
  if (each * n > 0x7fffffffLL - t.found)
    raise(PyExc_ValueError, "what is found in a batch takes more than 2^31 - 1 numbers; make it smaller, or take fewer tiles");
}

}  // namespace

// reduction: ReductionCode, of `words` for a tile and channel. tiles: down, across; size: [n, 2] of a tile. width: columns from there
// on do not count; or none. Returns the offset of what is written; that of each sample lies behind that of the one before.
EXPORT i64 gpuaug_track_reduce(void* handle, PyObject* rows, int reduction, int words, int first, int count, int down, int across,
                               PyObject* size, PyObject* width, int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size(), each = (i64)words * count * down * across;
    const Column<i64> sizes(size, n, "size", 2);
    std::vector<i64> widths;
    if (PyObject_CheckBuffer(width)) {
      const Column<i64> column(width, n, "width");
      for (i64 k = 0; k < n; ++k) widths.push_back(column[k]);
    }
    check_found(t, each, n);
    t.close(index, notes);
    std::vector<ReduceRow> table(n);
    for (i64 k = 0; k < n; ++k) {
      ReduceRow& r = table[k];
      r = {};
      r.reduction = reduction;
      r.words = words;
      r.first = first;
      r.count = count;
      r.down = down;
      r.across = across;
      r.height = (int)sizes.line(k)[0];
      r.width = (int)sizes.line(k)[1];
    }
    return n ? t.find(KIND_REDUCE, t.dtype, index, std::move(table), widths.empty() ? nullptr : widths.data(), each, notes + 1)
             : t.found;
  });
}

// lookup: LookupCode. from: [n], where the numbers of each row are, `words` for a table. room: words of a table that is made. params:
// 32-bit words [n, k] or [1, k].
EXPORT i64 gpuaug_track_lookup(void* handle, PyObject* rows, int lookup, PyObject* from, int words, int tables, i64 room,
                               PyObject* params, int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    const Column<i64> starts(from, n, "from");
    const Array packed(params);
    packed.check_contiguous("params");
    const i64 bytes = packed.ndim == 2 ? 4 * packed.shape(1) : -1;
    if (bytes < 0 || bytes > (i64)sizeof(LookupRow::p) || !(packed.shape(0) == n || packed.shape(0) == 1))
      raise(PyExc_ValueError, "params must be words [%zd or 1, k], k <= 5", (Py_ssize_t)n);
    check_found(t, room * tables, n);
    std::vector<LookupRow> table(n);
    for (i64 k = 0; k < n; ++k) {
      LookupRow& r = table[k];
      r = {};
      r.lookup = lookup;
      r.from = (int)starts[k];
      r.words = words;
      r.tables = tables;
      std::memcpy(r.p, packed.data() + (packed.shape(0) == 1 ? 0 : k * bytes), (size_t)bytes);
    }
    return n ? t.find(KIND_LOOKUP, DT_U8, index, std::move(table), nullptr, room * tables, notes) : t.found;
  });
}

EXPORT void gpuaug_track_close(void* handle, PyObject* rows, int notes) {
  guarded([&] {
    Track& t = track_of(handle);
    t.close(rows_of(rows, t.samples), notes);
    return 0;
  });
}

// Returns the bytes that `gpuaug_track_export` writes.
EXPORT i64 gpuaug_track_finish(void* handle, PyObject* address, PyObject* stride, int dtype, int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    const Column<i64> to(address, t.samples, "address"), steps(stride, t.samples, "stride", 3);
    std::vector<i64> where(t.samples), strides(3 * (size_t)t.samples);
    for (int i = 0; i < t.samples; ++i) {
      where[i] = to[i];
      std::copy_n(steps.line(i), 3, &strides[3 * i]);
    }
    t.finish(where.data(), strides.data(), dtype, notes);
    return lay_out(t, 0, [](i64, const void*, i64) {});
  });
}
EXPORT void gpuaug_track_export(void* handle, PyObject* memory) {
  guarded([&] {
    const Array to(memory, true);
    char* base = to.whole<char>(to.bytes(), "memory");
    lay_out(track_of(handle), (i64)base, [&](i64 at, const void* data, i64 bytes) {
      if (at + bytes > to.bytes()) throw std::length_error("a plan does not fit the memory it asked for");
      if (bytes) std::memcpy(base + at, data, bytes);
    });
    return 0;
  });
}

// ---- plans ----------------------------------------------------------------------------------------------------------------

EXPORT i64 gpuaug_place(PyObject* records, int samples, i64 base) {
  return guarded([&] {
    const Array r(records);
    const i64 count = r.bytes() / (i64)sizeof(Record);
    return place((const Record*)r.data(), (int)count, samples, base);
  });
}

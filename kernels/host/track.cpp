// track.cpp: tracks and plans, the verbs of gpuaug/track.py; exports for gpuaug/library.py. Arguments are checked here.
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>
#include "python.hpp"
#include "track.hpp"
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
  if (a.words()) std::memcpy(out.data() + at, a.data(), 4 * count);
  else convert(out.data() + at, a, count, 1, a.item, 0);
}

i64 aligned(i64 at) { return (at + 63) & ~(i64)63; }

// A plan's memory: a head, the launches' records, then what they point to.
struct Head {
  i64 launches, events, events_at, blob, stats, scratch, base;
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
  Head head = {(i64)t.launches.size(), (i64)t.events.size(), 0, (i64)t.blob.size(), t.stats, 0, base};
  std::vector<Record> records;
  const i64 blob = next(t.blob.data(), t.blob.size() * sizeof(float));
  for (const Planned& l : t.launches) {
    Record r = {0, 0, 0, blob, l.kind, l.n(), t.channels, l.source, l.target, (i64)l.ops.size()};
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

void affine_inverse(const double m[9], double out[6]) {
  const double det = m[0] * m[4] - m[1] * m[3];
  out[0] = m[4] / det;
  out[1] = -m[1] / det;
  out[3] = -m[3] / det;
  out[4] = m[0] / det;
  out[2] = -(out[0] * m[2] + out[1] * m[5]);
  out[5] = -(out[3] * m[2] + out[4] * m[5]);
}

}  // namespace

// forward: matrix holds [n, 9] from source to output, else [n, 6] from output to source. Returns 0; or, with nothing done,
// 1 + the first row whose result has no pixels or more than 2^31 - 1 elements, or minus (1 + the first row) whose map is none.
EXPORT i64 gpuaug_track_warp(void* handle, PyObject* rows, PyObject* matrix, int forward, PyObject* size, int gather, int border,
                             int fill, int notes) {
  return guarded([&]() -> i64 {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    const Column<double> m(matrix, n, "matrix", forward ? 9 : 6);
    const Column<i64> sizes(size, n, "size", 2);
    std::vector<double> maps(6 * (size_t)n);
    for (i64 k = 0; k < n; ++k) {
      const i64 h = sizes.line(k)[0], w = sizes.line(k)[1];
      if (h < 1 || w < 1 || h > 0x7fffffffLL / t.channels / w) return 1 + k;
      if (forward) affine_inverse(m.line(k), &maps[6 * k]);
      else std::copy_n(m.line(k), 6, &maps[6 * k]);
      // times a coordinate, below 2^31, it must stay a float: the difference of two infinities is nowhere
      for (int j = 0; j < 6; ++j)
        if (!(std::fabs(maps[6 * k + j]) < 1e28)) return -1 - k;
    }
    t.close(index, notes);
    for (i64 k = 0; k < n; ++k)
      t.warp(index[k], &maps[6 * k], (int)sizes.line(k)[0], (int)sizes.line(k)[1], gather, border, fill, 0, 0);
    return 0;
  });
}

// Tables of cv2.resize's INTER_NEAREST_EXACT: for each output index the source index in which its centre lies. OpenCV 5 adds the
// scale up, so that a centre on the edge between two pixels goes the way that the sum's rounding goes; so does this.
class NearestTables {
 public:
  NearestTables(Track& track, int to) : track_(track), to_(to) {}
  i64 of(int from) {
    const auto known = at_.find(from);
    if (known != at_.end()) return known->second;
    const i64 at = (i64)track_.blob.size();
    track_.blob.resize(at + to_);
    const double scale = from / (double)to_;
    double centre = 0.5 * scale;
    for (int i = 0; i < to_; ++i, centre += scale) {
      const int index = std::min((int)centre, from - 1);
      std::memcpy(&track_.blob[at + i], &index, sizeof index);
    }
    return at_[from] = at;
  }

 private:
  Track& track_;
  const int to_;
  std::map<int, i64> at_;  // by source size: samples of one size share a table
};

// To height x width with pixel centres at half-integers, as cv2.resize; samples of that size stay. Returns those that do not.
EXPORT PyObject* gpuaug_track_resize(void* handle, PyObject* rows, int height, int width, int gather, int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    std::vector<int> index;
    for (int i : rows_of(rows, t.samples))
      if (t.height(i) != height || t.width(i) != width) index.push_back(i);
    t.close(index, notes);
    const double no_map[6] = {};
    NearestTables columns(t, width), lines(t, height);
    for (int i : index) {
      if (gather == GATHER_RESIZE_NEAREST_EXACT) {
        const i64 x = columns.of(t.width(i)), y = lines.of(t.height(i));
        t.warp(i, no_map, height, width, gather, 1, 0, (double)x, (double)y);
        continue;
      }
      // two divisions, as cv2.resize: floor(i * scale) hangs on the last bit
      const double sy = 1 / (height / (double)t.height(i)), sx = 1 / (width / (double)t.width(i));
      const double m[6] = {sx, 0, 0.5 * sx - 0.5, 0, sy, 0.5 * sy - 0.5};
      const bool nearest = gather == GATHER_RESIZE_NEAREST;
      t.warp(i, nearest ? no_map : m, height, width, gather, 1, 0, nearest ? sx : 0, nearest ? sy : 0);
    }
    return bytes_of_vector(index.data(), index.size() * sizeof(int));
  });
}

// params: [n, k] or [k], of which 32-bit integers are kept as bits; else none. table: values [n, ..] of which each sample's
// operation gets its share (arg is then ignored); else none. round: 0 float16, 1 bfloat16, -1: results are not rounded.
EXPORT void gpuaug_track_pixel(void* handle, PyObject* rows, int code, PyObject* params, PyObject* table, PyObject* arg,
                               PyObject* many, PyObject* flag, int positions, int round) {
  guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    std::vector<float> p;
    i64 k = 0, step = 0;
    if (PyObject_CheckBuffer(params)) {
      const Array a(params);
      k = a.ndim ? a.shape(a.ndim - 1) : 0;
      step = a.ndim == 2 ? k : 0;
      if (a.ndim < 1 || a.ndim > 2 || k > 12 || (a.ndim == 2 && a.shape(0) != n))
        raise(PyExc_ValueError, "params must be [%zd, k] or [k] with k <= 12", (Py_ssize_t)n);
      const i64 lines = a.ndim == 2 ? n : 1, s0 = a.ndim == 2 ? a.stride(0) : 0, s1 = a.stride(a.ndim - 1);
      p.resize(lines * k);
      if (a.words()) copy_strided<float, float>(p.data(), a.data(), lines, k, s0, s1);
      else convert(p.data(), a, lines, k, s0, s1);
    }
    const Column<int> args(arg, n, "arg"), counts(many, n, "n"), flags(flag, n, "flag");
    i64 at = (i64)t.blob.size(), share = 0;
    if (PyObject_CheckBuffer(table)) {
      append_words(t.blob, table);
      share = n ? ((i64)t.blob.size() - at) / n : 0;
    } else {
      at = -1;
    }
    for (i64 r = 0; r < n; ++r) {
      const int i = index[r];
      if (positions) t.note_move(i);
      Op& op = t.append(i, code, at < 0 ? args[r] : (int)(at + share * r), counts[r], flags[r]);
      std::copy_n(p.data() + r * step, k, op.p);
      if (round >= 0) t.append(i, OP_ROUND, 0, 0, round);
    }
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
    t.close(index, notes);
    if (!n) return 0;
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

EXPORT void gpuaug_track_statistics(void* handle, PyObject* rows, PyObject* width, int notes) {
  guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    t.close(index, notes);
    if (index.empty()) return 0;
    std::vector<i64> widths;
    if (PyObject_CheckBuffer(width)) {
      const Column<i64> column(width, (i64)index.size(), "width");
      for (size_t k = 0; k < index.size(); ++k) widths.push_back(column[k]);
    }
    t.statistics(index, widths.empty() ? nullptr : widths.data(), notes + 1);
    return 0;
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

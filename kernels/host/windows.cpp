// windows.cpp: the verbs of gpuaug/track.py that are launches of their own: filters, ranks, resampling, reductions, lookups.
#include <cstring>
#include <map>
#include <tuple>
#include "verbs.hpp"
#include "taps.hpp"
#include "export.hpp"
using namespace aug;

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

// lookup: LookupCode. from: [n], where the numbers of each row are, `words` for a table. params: 32-bit words [n, k] or [1, k].
EXPORT i64 gpuaug_track_lookup(void* handle, PyObject* rows, int lookup, PyObject* from, int words, int tables, PyObject* params,
                               int notes) {
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
    check_found(t, (i64)TABLE_WORDS * tables, n);
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
    return n ? t.find(KIND_LOOKUP, DT_U8, index, std::move(table), nullptr, (i64)TABLE_WORDS * tables, notes) : t.found;
  });
}

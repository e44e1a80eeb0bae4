// windows.cpp: the verbs of gpuaug/track.py that are launches of their own: filters, ranks, resampling, reductions, lookups.
#include <cstring>
#include <map>
#include <tuple>
#include "params.hpp"
#include "verbs.hpp"
#include "taps.hpp"
#include "export.hpp"
using namespace aug;

namespace {

// Are weights of both axes the same, the same backwards, not negative, and no more than one all together? What they make of bytes are
// bytes then, with no bounds: below 255.5.
bool is_even(const float* taps, int kh, int kw, float scale) {
  bool same = kh == kw && scale > 0.0f;
  double sum = 0.0;
  for (int j = 0; same && j < kh; ++j) {
    same = taps[j] == taps[kh + j] && taps[j] == taps[kh - 1 - j] && taps[j] >= 0.0f;
    sum += taps[j];
  }
  return same && sum * sum * scale < 1.001;
}

}  // namespace

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
    const i64 at = append_words(t.blob, taps);
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
      f.even = !points && border != BORDER_CONSTANT && is_even(t.blob.data() + f.taps, f.kh, f.kw, f.scale);
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
    const i64 at = append_words(t.blob, runs);
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

// To sizes [n, 2] by the weights of taps.hpp; samples that have it stay. factors: (x, y) [n, 2], 0 for those of the sizes. Returns
// int32s: 0 and the rows that do not stay; or, with nothing done, 1 + the first whose result has no pixels or more than 2^31 - 1
// elements.
EXPORT PyObject* gpuaug_track_resample(void* handle, PyObject* rows, int kind, PyObject* size, PyObject* factors, int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> all = rows_of(rows, t.samples);
    const Column<i64> sizes(size, (i64)all.size(), "size", 2);
    const Column<double> factor(factors, (i64)all.size(), "factors", 2);
    std::vector<int> index, which;
    for (size_t k = 0; k < all.size(); ++k) {
      const i64 h = sizes.line(k)[0], w = sizes.line(k)[1];
      if (h < 1 || w < 1 || h > 0x7fffffffLL / t.channels / w) {
        const int wrong = 1 + (int)k;
        return bytes_of_vector(&wrong, sizeof wrong);
      }
      if (t.height(all[k]) == h && t.width(all[k]) == w) continue;
      index.push_back(all[k]);
      which.push_back((int)k);
    }
    t.close(index, notes);
    struct Known {
      int at, most;
    };
    // by lengths and factor: samples of one size share their weights
    std::map<std::tuple<int, int, double, bool>, Known> known;
    const auto taps = [&](int from, int to, double by, bool smaller) {
      const auto made = known.emplace(std::make_tuple(from, to, by, smaller), Known{(int)t.blob.size(), 0});
      if (made.second) {
        const Taps taps(kind, from, to, by, smaller);
        taps.append(t.blob);
        made.first->second.most = taps.most();
      }
      return made.first->second;
    };
    std::vector<ResampleRow> table;
    for (size_t g = 0; g < index.size(); ++g) {
      const int i = index[g], h = t.height(i), w = t.width(i);
      const int height = (int)sizes.line(which[g])[0], width = (int)sizes.line(which[g])[1];
      const double fx = factor_of(factor.line(which[g])[0], w, width), fy = factor_of(factor.line(which[g])[1], h, height);
      const bool smaller = fx <= 1 && fy <= 1;
      ResampleRow r = {};
      r.dh = height;
      r.dw = width;
      const Known columns = taps(w, width, fx, smaller), lines = taps(h, height, fy, smaller);
      r.columns = columns.at;
      r.across = columns.most;
      r.lines = lines.at;
      r.down = lines.most;
      // cv2.resize takes (a + b + c + d + 2) / 4 of bytes where it has a vector path
      const bool vectors = t.channels == 1 || t.channels >= 3;
      r.up = kind == RESAMPLE_EXACT || (kind == RESAMPLE_AREA && t.dtype == DT_U8 && fx == 0.5 && fy == 0.5 && vectors);
      table.push_back(r);
    }
    if (t.blob.size() > 0x7fffffff)
      raise(PyExc_ValueError, "a batch's launches refer to more than 2^31 - 1 values; make it smaller");
    if (!index.empty()) t.launch(KIND_RESAMPLE, index, std::move(table), notes + 1);
    index.insert(index.begin(), 0);
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

// lookup: LookupCode. from: [n], where the numbers of each row are, `words` for a table. room: words of a table that is made. params: as
// those of `gpuaug_track_op`.
EXPORT i64 gpuaug_track_lookup(void* handle, PyObject* rows, int lookup, PyObject* from, int words, int tables, i64 room,
                               PyObject* names, PyObject* declared, PyObject* params, int notes) {
  return guarded([&]() -> i64 {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    const Column<i64> starts(from, n, "from");
    check_found(t, room * tables, n);
    try {
      const Params packed(names, declared, params, n, t.channels, t.blob);
      std::vector<LookupRow> table(n);
      for (i64 k = 0; k < n; ++k) {
        LookupRow& r = table[k];
        r = {};
        r.lookup = lookup;
        r.from = (int)starts[k];
        r.words = words;
        r.tables = tables;
        std::memcpy(r.p, packed.line(k), (size_t)packed.bytes());
      }
      return n ? t.find(KIND_LOOKUP, DT_U8, index, std::move(table), nullptr, room * tables, notes) : t.found;
    } catch (const Refused& refused) { return refused.code(); }
  });
}
